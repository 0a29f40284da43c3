//! Test vectors as RFCs print them.

/// The bytes of hexadecimal digits; white space is skipped.
pub fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|digit| !digit.is_whitespace())
        .map(|digit| digit.to_digit(16).expect("a hexadecimal digit"))
        .collect();
    assert!(digits.len() % 2 == 0, "whole bytes");
    digits
        .chunks_exact(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}
