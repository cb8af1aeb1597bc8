//! Time in round numbers below the timelines.

use crate::format;
use std::fmt::Write;

/// Ticks in round numbers; the script draws them anew when the view changes.
pub(super) fn of(end_s: f64, class: &str) -> String {
    let mut text = format!("<div class='axis {class}' aria-hidden=true>");
    let step = round_step(end_s / 6.0);
    let mut at = 0.0;
    while at <= end_s * 1.000_001 {
        let left = at / end_s * 100.0;
        // Its words would not fit behind it.
        let last = if left > 93.0 { " class=last" } else { "" };
        let _ = write!(
            text,
            "<span{last} style='left:{left:.2}%'>{}</span>",
            tick(at)
        );
        at += step;
    }
    text + "</div>\n"
}

fn tick(at: f64) -> String {
    let text = format::seconds_f64(at);
    let (digits, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    format!("{digits} {unit}")
}

/// The next of 1, 2, 5 × 10ⁿ.
pub(super) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps.iter().find(|step| *step * power >= least * 0.999);
    found.unwrap_or(&10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(round_step(0.17), 0.2);
        assert_eq!(round_step(1.0), 1.0);
        assert!((round_step(0.003) - 0.005).abs() < 1e-12);
        assert_eq!(tick(0.5), "500 ms");
        assert_eq!(tick(2.0), "2 s");
        assert_eq!(tick(0.0), "0 s");
    }
}
