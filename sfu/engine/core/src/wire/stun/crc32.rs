//! CRC-32 of ITU V.42 (RFC 8489, section 14.7), by table.

const POLYNOMIAL: u32 = 0xedb8_8320;

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut remainder = index as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (POLYNOMIAL & (remainder & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = remainder;
        index += 1;
    }
    table
}

/// Continues a checksum that began as `crc32(0, …)`.
pub(super) fn crc32(checksum: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!checksum, |remainder, byte| {
        TABLE[usize::from(remainder as u8 ^ byte)] ^ (remainder >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_standard() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
    }
}
