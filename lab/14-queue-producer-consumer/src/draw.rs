//! A run as three lines of text: how full the queue was, and who was waiting.

use crate::{books::PRODUCER, record::Record};

/// From empty to full.
const LEVELS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The depth of the queue over the run, the producer's waiting, and how many consumers waited.
///
/// Every line has `width` cells, at least one; a cell shows the most that there was in its part of
/// the run.
pub fn lines(record: &Record, width: usize) -> [String; 3] {
    let cells = |from_s: f64, to_s: f64| {
        let cell = |at_s: f64| at_s / record.run_s.max(f64::MIN_POSITIVE) * width as f64;
        let first = (cell(from_s) as usize).min(width.saturating_sub(1));
        first..(cell(to_s).ceil() as usize).clamp(first + 1, width)
    };
    let mut depths = vec![0; width];
    let ends = record.depth.iter().skip(1).map(|next| next.at_s);
    for (depth, end_s) in record.depth.iter().zip(ends.chain([record.run_s])) {
        for cell in &mut depths[cells(depth.at_s, end_s)] {
            *cell = depth.depth.max(*cell);
        }
    }
    let (mut full, mut empty) = (vec![false; width], vec![0_usize; width]);
    for consumer in 0..=record.consumers {
        let mut waits = vec![false; width];
        for wait in record.blocked.iter().filter(|wait| wait.who == consumer) {
            waits[cells(wait.from_s, wait.to_s)].fill(true);
        }
        if consumer == PRODUCER {
            full = waits;
        } else {
            let counts = empty.iter_mut().zip(waits);
            counts.for_each(|(count, waits)| *count += usize::from(waits));
        }
    }
    [
        depths
            .iter()
            .map(|&depth| level(depth, record.capacity))
            .collect(),
        full.iter()
            .map(|&waits| if waits { '#' } else { '.' })
            .collect(),
        empty.iter().map(|&waiting| digit(waiting)).collect(),
    ]
}

/// Anything in the queue shows, and only a full queue is shown full.
fn level(depth: usize, capacity: usize) -> char {
    let full = LEVELS.len() - 1;
    LEVELS[(depth * full / capacity.max(1)).clamp(usize::from(depth > 0), full)]
}

fn digit(count: usize) -> char {
    match count {
        0 => '.',
        1..=9 => char::from(b'0' + count as u8),
        _ => '+',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_queue_is_drawn_full() {
        let drawn = |capacity| -> String { (0..=capacity).map(|d| level(d, capacity)).collect() };
        assert_eq!(drawn(1), "·█");
        assert_eq!(drawn(3), "·▂▅█");
        assert_eq!(drawn(8), "·▁▂▃▄▅▆▇█");
        assert!(drawn(100).starts_with("·▁▁"));
        assert!(drawn(100).ends_with("▇█"));
    }

    #[test]
    fn many_waiting_consumers_are_a_plus() {
        assert_eq!([0, 1, 9, 10].map(digit), ['.', '1', '9', '+']);
    }
}
