//! Scenario files: what they mean, and that mistakes in them are named.

use std::fs;
use std::path::Path;

use mianshi_netsim::{Condition, Direction, Network, QueueLimit, Scenario};

const TUNNEL: &str = r#"
title = "A tunnel"
lasts_s = 60

[[step]]
at_s = 0
both = { delay_ms = 25 }
down = { rate_kbps = 4000, queue_ms = 300, delay_ms = 30 }

[[step]]
at_s = 20
both = { dark = true }

[[step]]
at_s = 24.5
address_change = true
both = { dark = false }
down = { rate_kbps = inf, burst_loss_percent = 2, burst_packets = 5 }
"#;

fn refusal(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

#[test]
fn a_step_says_only_what_changes() {
    let scenario = Scenario::parse(TUNNEL).unwrap();
    assert_eq!(
        (scenario.title.as_str(), scenario.lasts_us),
        ("A tunnel", 60_000_000)
    );
    let first = Condition {
        delay_us: 25_000,
        ..Condition::PERFECT
    };
    let [start, dark, after] = scenario.steps() else {
        panic!("three steps")
    };
    assert_eq!(start.up, first);
    assert_eq!(start.down.rate_bps, Some(4_000_000));
    assert_eq!(start.down.queue, QueueLimit::Microseconds(300_000));
    assert_eq!(start.down.delay_us, 30_000);
    let with_dark = Condition {
        dark: true,
        ..start.down
    };
    assert_eq!(dark.down, with_dark);
    assert_eq!(after.at_us, 24_500_000);
    assert_eq!((after.down.rate_bps, after.down.dark), (None, false));
    assert_eq!(after.down.burst.share, 0.02);
    assert!(after.address_change && !dark.address_change);
}

#[test]
fn it_can_be_asked_what_is_so_at_a_moment() {
    let scenario = Scenario::parse("[[step]]\nat_s = 2\nup.rate_kbps = 100").unwrap();
    assert_eq!(scenario.at(1_999_999), None);
    assert_eq!(scenario.at(2_000_000).unwrap().up.rate_bps, Some(100_000));
}

#[test]
fn mistakes_are_named_with_line_and_field() {
    let cases = [
        ("", "line 1: missing field `step`"),
        ("step = []", "line 1, step: a scenario has 1 to 10000 steps"),
        ("step = 4", "line 1, step: invalid type"),
        ("[[step]]\n", "line 1, step: missing field `at_s`"),
        (
            "[[step]]\nat_s = -1",
            "line 2, at_s: -1 is not between 0 and 86400",
        ),
        ("[[step]]\nat_s = nan", "line 2, at_s: NaN is not between"),
        ("[[step]]\nat_s = inf", "line 2, at_s: inf is not between"),
        (
            "[[step]]\nat_s = \"0\"",
            "line 2, at_s: invalid type: string",
        ),
        (
            "[[step]]\nat_s = 0\nat_m = 2",
            "line 3, at_m: unknown field `at_m`",
        ),
        (
            "speed = 1\n[[step]]\nat_s = 0",
            "line 1, speed: unknown field",
        ),
        (
            "[[step]]\nat_s = 0\nboth = { delay_ms = 5, loss_percent = 101 }",
            "line 3, loss_percent: 101 is not between 0 and 100",
        ),
        (
            "[[step]]\nat_s = 0\ndown.rate_kbps = 0.5",
            "line 3, down.rate_kbps: 0.5 is not between 1 and",
        ),
        (
            "[[step]]\nat_s = 0\n[step.up]\nburst_packets = 0",
            "line 4, burst_packets: 0 is not between 1 and",
        ),
        (
            "[[step]]\nat_s = 5\n[[step]]\nat_s = 4",
            "line 4, at_s: is earlier than the step before it",
        ),
        (
            "[[step]]\nat_s = 0\nup = { dark = 1 }",
            "line 3, dark: invalid type",
        ),
        ("[[step]\nat_s = 0", "line 1"),
        ("title = \"面试\n", "line 1, title"),
        (
            "lasts_s = 1e9\n[[step]]\nat_s = 0",
            "line 1, lasts_s: 1000000000 is not",
        ),
    ];
    for (text, wanted) in cases {
        let said = refusal(text);
        assert!(said.starts_with(wanted), "{text:?}: {said}");
        assert!(!said.contains('\n'), "{said:?} is one line");
    }
}

#[test]
fn no_prefix_or_mutation_of_a_file_makes_the_reader_panic() {
    for end in 0..TUNNEL.len() {
        let _ = Scenario::parse(&TUNNEL[..end]);
        let mut bytes = TUNNEL.as_bytes().to_vec();
        for replacement in [b'=', b'[', b'"', b'-', b'9', b'\n'] {
            bytes[end] = replacement;
            let _ = Scenario::parse(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[test]
fn steps_take_effect_at_their_moment_even_if_nobody_polls() {
    let scenario = Scenario::parse(TUNNEL).unwrap();
    let mut network = Network::new(&scenario, 1, 1_000_000);
    network.push(Direction::Up, 100, 'a', 1_000_000);
    assert_eq!(network.poll(1_024_999), None);
    assert_eq!(network.poll(1_025_000), Some((Direction::Up, 'a')));
    assert_eq!(network.deadline(), Some(21_000_000));
    network.push(Direction::Down, 100, 'b', 20_999_999);
    network.push(Direction::Down, 100, 'c', 22_000_000);
    network.push(Direction::Down, 100, 'd', 30_000_000);
    // b was still in the queue when it went dark, c came in the dark.
    assert_eq!(network.poll(40_000_000), Some((Direction::Down, 'd')));
    assert_eq!(network.poll(40_000_000), None);
    assert_eq!(network.take_address_changes(), 1);
    assert_eq!(network.take_address_changes(), 0);
    assert_eq!(network.deadline(), None);
}

#[test]
fn both_directions_come_out_by_arrival() {
    let text = "[[step]]\nat_s = 0\nup.delay_ms = 30\ndown.delay_ms = 10";
    let mut network = Network::new(&Scenario::parse(text).unwrap(), 1, 0);
    network.push(Direction::Up, 100, 1, 0);
    network.push(Direction::Down, 100, 2, 15_000);
    let order: Vec<_> = std::iter::from_fn(|| network.poll(50_000)).collect();
    assert_eq!(order, [(Direction::Down, 2), (Direction::Up, 1)]);
}

#[test]
fn every_scenario_of_the_repository_is_valid_and_says_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../networks");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(!scenario.title.is_empty(), "{path:?} has no title");
        assert!(scenario.lasts_us >= 10_000_000, "{path:?} is too short");
        count += 1;
    }
    assert!(count >= 10, "{count} scenarios");
}
