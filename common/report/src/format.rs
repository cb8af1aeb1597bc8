//! Figures in words: three significant digits and a unit.

use indicatif::HumanCount;
use std::time::Duration;

/// A duration: `12.3 ms`, `1.01 s`, `2 min 5 s`.
pub fn seconds(duration: Duration) -> String {
    seconds_f64(duration.as_secs_f64())
}

/// A number of seconds; see [`seconds`].
pub fn seconds_f64(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0 s".into()
    } else if size < 1e-6 {
        format!("{} ns", digits(value * 1e9))
    } else if size < 1e-3 {
        format!("{} µs", digits(value * 1e6))
    } else if size < 0.9995 {
        format!("{} ms", digits(value * 1e3))
    } else if size < 119.5 {
        format!("{} s", digits(value))
    } else {
        let whole = value.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

/// A number of bytes: `840 B`, `12.3 kB`, `1.01 MB`.
pub fn bytes(value: f64) -> String {
    if value < 999.5 {
        format!("{value:.0} B")
    } else if value < 999.5e3 {
        format!("{} kB", digits(value / 1e3))
    } else if value < 999.5e6 {
        format!("{} MB", digits(value / 1e6))
    } else {
        format!("{} GB", digits(value / 1e9))
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
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}{}", count(value.abs() as u64))
    } else if value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else if value.abs() < 0.01 {
        format!("{value:.2e}")
    } else {
        let text = digits(value);
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').into()
        } else {
            text
        }
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
    let digits = usize::from(factor < 9.95);
    if factor < 999.5 {
        format!("{factor:.digits$}")
    } else {
        plain(factor.round())
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
    let size = value.abs();
    if size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
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
