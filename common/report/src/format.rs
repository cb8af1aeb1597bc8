//! Figures in words: three significant digits and a unit.

use indicatif::HumanCount;
use std::time::Duration;

/// A duration: `12.3 ms`, `1.01 s`, `2 min 5 s`.
pub fn seconds(duration: Duration) -> String {
    seconds_f64(duration.as_secs_f64())
}

/// A number of seconds; see [`seconds`].
pub fn seconds_f64(value: f64) -> String {
    const UNITS: [(f64, f64, &str); 4] = [
        (1e-6, 1e9, "ns"),
        (1e-3, 1e6, "µs"),
        (0.9995, 1e3, "ms"),
        (119.5, 1.0, "s"),
    ];
    let whole = value.round();
    match UNITS.iter().find(|unit| value.abs() < unit.0) {
        _ if value == 0.0 => "0 s".into(),
        Some((_, times, unit)) => format!("{} {unit}", digits(value * times)),
        None => format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0),
    }
}

/// A number of bytes: `840 B`, `12.3 kB`, `1.01 MB`.
pub fn bytes(value: f64) -> String {
    match value {
        ..999.5 => format!("{value:.0} B"),
        ..999.5e3 => format!("{} kB", digits(value / 1e3)),
        ..999.5e6 => format!("{} MB", digits(value / 1e6)),
        _ => format!("{} GB", digits(value / 1e9)),
    }
}

/// A whole number with its thousands apart: `1,000,000`.
pub fn count(value: u64) -> String {
    HumanCount(value).to_string()
}

/// So many of a thing, by its name for one: `1 request`, `10 requests`.
pub fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number as u64))
}

/// A number without a unit: whole as [`count`], otherwise three significant digits.
pub fn plain(value: f64) -> String {
    match (value.abs(), digits(value)) {
        (size, _) if value.fract() == 0.0 && size < 1e15 => {
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}{}", count(size as u64))
        }
        (..0.01, _) => format!("{value:.2e}"),
        (_, text) if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').into(),
        (_, text) => text,
    }
}

/// A ratio 0–1 as a percentage.
pub fn percent(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}

/// How a variant compares with the first one: `9.9 × as fast`, `1.4 × as long`.
pub(crate) fn compared(speedup: f64) -> String {
    match speedup {
        0.95..1.05 => "the same".into(),
        1.05.. => format!("{} × as fast", factor(speedup)),
        _ => format!("{} × as long", factor(1.0 / speedup)),
    }
}

/// A factor in two digits, or whole.
pub(crate) fn factor(factor: f64) -> String {
    match factor {
        ..9.95 => format!("{factor:.1}"),
        _ => plain(factor.round()),
    }
}

/// The next of 1, 2, 5 × 10ⁿ: the step between the ticks of an axis.
pub(crate) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps.iter().find(|step| *step * power >= least * 0.999);
    found.unwrap_or(&10.0) * power
}

/// Three significant digits, none after the point past 100.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits_and_change_unit_where_they_round_up() {
        for (value, text) in [
            (0.0, "0 s"),
            (5e-9, "5.00 ns"),
            (0.000_012_3, "12.3 µs"),
            (0.0123, "12.3 ms"),
            (0.999_9, "1.00 s"),
            (1.005, "1.00 s"),
            (10.03, "10.0 s"),
            (125.0, "2 min 5 s"),
            (119.9, "2 min 0 s"),
        ] {
            assert_eq!(seconds_f64(value), text, "{value}");
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(round_step(0.17), 0.2);
        assert_eq!(round_step(1.0), 1.0);
        assert!((round_step(0.003) - 0.005).abs() < 1e-12);
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn bytes_change_unit_where_they_round_up() {
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(999.9), "1.00 kB");
        assert_eq!(bytes(1_234_567.0), "1.23 MB");
    }

    #[test]
    fn plain_numbers_are_whole_where_they_can_be() {
        assert_eq!(plain(200_000.0), "200,000");
        assert_eq!(plain(0.5), "0.5");
        assert_eq!(plain(9.999), "10");
        assert_eq!(plain(290.2), "290");
        assert_eq!(plain(100.4), "100");
        assert_eq!(plain(-3.0), "-3");
    }
}
