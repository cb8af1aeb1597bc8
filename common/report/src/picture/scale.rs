//! The line below the rows, and levels as rows.

use super::{super::format, row::Scale};
use std::time::Duration;
use timeline::Level;

/// Heights of a level, from nothing to its peak.
const HEIGHTS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// Ticks are at least so many cells apart.
const TICK_CELLS: f64 = 12.0;

/// The axis: its beginning, ticks at round times, its end.
pub(crate) fn axis(length: Duration, enlarged: Option<f64>, cells: usize) -> String {
    let end = format::seconds(length);
    let start = match enlarged {
        Some(times) => format!("0─ enlarged {times:.0} × "),
        None => "0".into(),
    };
    let mut line: Vec<char> = start.chars().collect();
    let room = cells.saturating_sub(end.chars().count());
    let (step, seconds) = (tick(length, cells), length.as_secs_f64());
    for number in 1..cells {
        let time = step * number as f64;
        let at = (time / seconds * cells as f64).round() as usize;
        let label = format!("┴{}", label(time, step));
        // A tick that would touch its neighbours is none.
        if time >= seconds || at + label.chars().count() >= room {
            break;
        }
        if at > line.len() {
            line.resize(at, '─');
            line.extend(label.chars());
        }
    }
    line.resize(room.max(line.len()), '─');
    line.into_iter().chain(end.chars()).collect()
}

/// The time between two ticks: 1, 2 or 5 of some power of ten.
fn tick(length: Duration, cells: usize) -> f64 {
    let least = (length.as_secs_f64() * TICK_CELLS / cells as f64).max(1e-9);
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.into_iter().find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
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

/// A level as a row of heights, up to the cell `end`.
pub(super) fn heights(level: &Level, scale: Scale, end: usize) -> String {
    let peak = level.peak().max(f64::MIN_POSITIVE);
    let height = |level: f64| {
        let most = HEIGHTS.len() - 1;
        // What is more than nothing is seen.
        let height = (level / peak * most as f64).round() as usize;
        HEIGHTS[height.clamp(usize::from(level > 0.0), most)]
    };
    let row = level.peaks(scale.zero, scale.axis, scale.cells);
    let row: String = row
        .into_iter()
        .take(end)
        .map(|level| level.map_or(' ', height))
        .collect();
    row.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use timeline::Moment;

    #[test]
    fn an_axis_has_ticks_at_round_times_and_its_own_length_at_the_end() {
        let line = axis(Duration::from_millis(2_000), None, 59);
        assert_eq!(
            line,
            "0──────────────┴0.5 s─────────┴1.0 s────────┴1.5 s───2.00 s"
        );
        let line = axis(Duration::from_micros(840), None, 59);
        assert!(
            line.contains("┴0.2 ms") && line.ends_with("─840 µs"),
            "{line}"
        );
        for milliseconds in [1, 7, 33, 1_000, 1_234, 59_000, 700_000] {
            for cells in [59, 99] {
                let line = axis(Duration::from_millis(milliseconds), Some(400.0), cells);
                assert_eq!(line.chars().count(), cells, "{line}");
                assert!(line.starts_with("0─ enlarged 400 × ─"), "{line}");
            }
        }
        assert_eq!(axis(Duration::ZERO, None, 10), "0──────0 s");
    }

    #[test]
    fn a_level_is_drawn_against_its_peak() {
        let at = |ms| Moment::at(Duration::from_millis(ms));
        let samples = vec![(at(20), 1.0), (at(40), 100.0), (at(60), 0.0)];
        let name = "queue".into();
        let scale = Scale {
            zero: at(0),
            axis: Duration::from_millis(100),
            cells: 5,
        };
        let level = Level { name, samples };
        assert_eq!(heights(&level, scale, 5), " ▂▇▁▁");
        assert_eq!(
            heights(&level, scale, 3),
            " ▂▇",
            "nothing is known of later"
        );
    }
}
