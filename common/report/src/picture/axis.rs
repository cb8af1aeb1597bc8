//! The line below the rows.

use crate::format;

/// Ticks are at least so many cells apart.
const TICK_CELLS: f64 = 12.0;

/// The axis: its beginning, ticks at round times, its end.
pub(super) fn axis(length_s: f64, cells: usize) -> String {
    let end = format::seconds_f64(length_s);
    let mut line = "0".to_owned();
    let room = cells.saturating_sub(end.chars().count());
    let step = format::round_step(length_s * TICK_CELLS / cells as f64);
    for number in 1..cells {
        let time = step * number as f64;
        let at = (time / length_s * cells as f64).round() as usize;
        let label = format!("┴{}", label(time, step));
        // A tick that would touch its neighbours is none.
        if time >= length_s || at + label.chars().count() >= room {
            break;
        }
        if at > line.chars().count() {
            line = format!("{line:─<at$}{label}");
        }
    }
    format!("{line:─<room$}{end}")
}

/// A time on the axis, as short as its steps allow: `0.5 s`, `20 ms`.
fn label(time: f64, step: f64) -> String {
    let (unit, size) = match step {
        step if step >= 0.095 => ("s", 1.0),
        step if step >= 0.95e-4 => ("ms", 1e-3),
        _ => ("µs", 1e-6),
    };
    let decimals = usize::from(step / size < 0.95);
    format!("{:.decimals$} {unit}", time / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_ticks_at_round_times_and_its_own_length_at_the_end() {
        let line = axis(2.0, 59);
        assert_eq!(
            line,
            "0──────────────┴0.5 s─────────┴1.0 s────────┴1.5 s───2.00 s"
        );
        let line = axis(840e-6, 59);
        assert!(
            line.contains("┴0.2 ms") && line.ends_with("─840 µs"),
            "{line}"
        );
        for milliseconds in [1, 7, 33, 1_000, 1_234, 59_000, 700_000] {
            for cells in [59, 99] {
                let line = axis(f64::from(milliseconds) / 1e3, cells);
                assert_eq!(line.chars().count(), cells, "{line}");
            }
        }
        assert_eq!(axis(0.0, 10), "0──────0 s");
    }
}
