//! What is to be done, as its owner describes it.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What is at hand to do it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// Threads of one program.
    Threads,
    /// Tasks that await.
    Async,
    /// Processes.
    Processes,
}

/// Many items that are alike: each first waits, then computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// How many.
    pub items: usize,
    /// How long each waits, in seconds.
    pub wait_s: f64,
    /// How long each keeps a CPU busy, in seconds.
    pub cpu_s: f64,
    /// What each is given.
    pub bytes_in: usize,
    /// What each gives back.
    pub bytes_out: usize,
    /// Whether a crash of one may cost the others nothing.
    pub crash: bool,
    /// The most that may be in flight.
    pub limit: Option<usize>,
    /// What it can be done with.
    pub with: Vec<Tool>,
}

impl Job {
    /// Items that do nothing but wait and compute, with everything at hand.
    pub fn new(items: usize, wait_s: f64, cpu_s: f64) -> Self {
        Self {
            items,
            wait_s,
            cpu_s,
            bytes_in: 0,
            bytes_out: 0,
            crash: false,
            limit: None,
            with: Tool::value_variants().to_vec(),
        }
    }

    /// Whether the items compute nearly all their time.
    pub fn works(&self) -> bool {
        self.cpu_s > 4.0 * self.wait_s
    }

    /// Both directions of an item, in MiB.
    pub fn mib(&self) -> f64 {
        (self.bytes_in + self.bytes_out) as f64 / f64::from(1 << 20)
    }
}

/// Names of units, each with what it makes of a number.
type Units = [(&'static str, f64)];

const TIMES: &Units = &[
    ("min", 60.0),
    ("ms", 1e-3),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("s", 1.0),
];
const SIZES: &Units = &[
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("k", 1e3),
    ("M", 1e6),
    ("B", 1.0),
    ("", 1.0),
];

fn quantity(text: &str, units: &Units, range: RangeInclusive<f64>) -> Option<f64> {
    let text = text.trim();
    let numbers = units.iter().filter_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        Some(number * factor)
    });
    let mut numbers = numbers.filter(|number| range.contains(number));
    numbers.next()
}

/// Parses a time such as `50ms` or `2 s`, up to an hour, in seconds; only `0` needs no unit.
///
/// # Errors
/// Anything else, with the range or the units.
pub fn parse_time(text: &str) -> Result<f64, String> {
    let range = 0.0..=3600.0;
    match text.trim().parse::<f64>() {
        Ok(0.0) => Ok(0.0),
        Ok(number) if range.contains(&number) => {
            Err(format!("a time needs a unit: {text}ms or {text}s"))
        }
        _ => quantity(text, TIMES, range)
            .ok_or_else(|| "not a time from 0 to 3600 s, such as 50ms or 1.5s".into()),
    }
}

/// Parses a number of bytes such as `200`, `64k` or `1MiB`, up to 256 MiB.
///
/// # Errors
/// Anything else, with the range.
pub fn parse_bytes(text: &str) -> Result<usize, String> {
    let bytes = quantity(text, SIZES, 0.0..=268_435_456.0);
    let bytes = bytes.map(|bytes| bytes as usize);
    bytes.ok_or_else(|| "not a number of bytes from 0 to 256MiB, such as 64k".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units_and_a_range() {
        for (text, time) in [("50ms", 0.05), ("2 s", 2.0), ("0", 0.0), ("1min", 60.0)] {
            assert_eq!(parse_time(text), Ok(time), "{text}");
        }
        assert!(parse_time("20us").is_ok_and(|time| (time - 20e-6).abs() < 1e-12));
        for bad in ["-1ms", "2h", "", "ms", "NaN", "3601", "80", "0.5"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse_time("80").err().as_deref(),
            Some("a time needs a unit: 80ms or 80s")
        );
        for (text, bytes) in [("200", 200), ("64k", 64_000), ("1MiB", 1 << 20), ("0", 0)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in ["-1", "1GB", "257MiB", "much"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
