//! One run of a pipeline: measured, told in a line, and drawn.

use crate::{SAME_WORK, args::least_time};
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_18_async_producer_consumer::{Depth, Entries, Plan, run_on_this_thread};
use serde::Serialize;
use std::time::Duration;

/// Columns of a drawn depth.
const COLUMNS: usize = 50;
const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What the books of a run say, as the document has it.
#[derive(Serialize)]
pub(crate) struct Flow {
    pub(crate) offered: usize,
    pub(crate) accepted: usize,
    pub(crate) consumed: usize,
    /// Whether no item was consumed twice.
    pub(crate) each_once: bool,
    pub(crate) left_in_queue: usize,
    pub(crate) left_in_hand: usize,
    pub(crate) not_accepted: usize,
    pub(crate) lost: usize,
    pub(crate) found_full: usize,
    pub(crate) blocked_s: f64,
    pub(crate) peak_depth: usize,
    pub(crate) longest_gap_s: f64,
    pub(crate) panicked: usize,
    pub(crate) panics: Vec<String>,
    /// Items that others finished while a task beside them computed.
    pub(crate) finished_meanwhile: Option<usize>,
    /// The depth of the queue after each change, with the seconds since the start.
    pub(crate) depths: Vec<(f64, usize)>,
    #[serde(skip)]
    pub(crate) raw_depths: Vec<Depth>,
}

impl Flow {
    pub(crate) fn new(offered: usize, entries: Entries) -> Self {
        let mut numbers: Vec<u64> = entries.finished.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let depths = entries.depths.iter();
        Self {
            offered,
            accepted: entries.accepted,
            consumed: numbers.len(),
            each_once: numbers.is_sorted_by(|a, b| a < b),
            left_in_queue: entries.left_in_queue(),
            left_in_hand: entries.left_in_hand(),
            not_accepted: offered - entries.accepted,
            lost: entries.left_in_queue() + entries.left_in_hand(),
            found_full: entries.found_full,
            blocked_s: entries.blocked.as_secs_f64(),
            peak_depth: entries.peak_depth(),
            longest_gap_s: entries.longest_gap().as_secs_f64(),
            panicked: entries.panics.len(),
            finished_meanwhile: None,
            depths: depths
                .map(|depth| (depth.at.as_secs_f64(), depth.items))
                .collect(),
            panics: entries.panics,
            raw_depths: entries.depths,
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            submitted: self.offered as u64,
            done: self.consumed as u64,
            failed: self.lost as u64,
            cancelled: self.not_accepted as u64,
            ..Tally::default()
        }
    }
}

/// What the books of a pipeline say of its plan.
pub(crate) fn book(plan: &Plan) -> impl FnOnce(Entries) -> anyhow::Result<Flow> {
    let offered = plan.items.len();
    move |entries| Ok(Flow::new(offered, entries))
}

/// Whether a run is to come to the end of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    WithTheLastItem,
    Before,
}

/// Runs the variant `name`; its books must balance.
pub(crate) fn run<F: Future>(
    lab: &mut Lab,
    name: &str,
    plan: &Plan,
    ends: Ends,
    flowing: F,
    book: impl FnOnce(F::Output) -> anyhow::Result<Flow>,
) -> anyhow::Result<Flow> {
    let mut variant = lab.variant(name);
    if ends == Ends::WithTheLastItem {
        variant = variant.bound(Bound::Known {
            duration: least_time(plan),
            reason: "what the consumers, or the producer, need at least".into(),
        });
    }
    if !SAME_WORK.contains(&name) {
        variant = variant.other_work();
    }
    let work = || book(run_on_this_thread(flowing).context("cannot start a runtime")?);
    let flow = variant.run_counted(work, Flow::tally)?;
    if ends == Ends::WithTheLastItem && flow.consumed != flow.offered || !flow.each_once {
        lab.fail(format!(
            "`{name}` consumed {} of {} items; please report this",
            flow.consumed, flow.offered
        ));
    }
    let elapsed = format::seconds(lab.wall(name).unwrap_or_default());
    lab.say(format!(
        "{name}: consumed {} of {}, elapsed {elapsed}",
        flow.consumed, flow.offered
    ));
    Ok(flow)
}

/// Draws the depth over the time of a run, `most` being the top.
pub(crate) fn draw_depth(depths: &[Depth], wall: Duration, most: usize) -> String {
    let mut columns = [0; COLUMNS];
    for (index, depth) in depths.iter().enumerate() {
        let column = |at: Duration| {
            let share = at.as_secs_f64() / wall.as_secs_f64().max(f64::MIN_POSITIVE);
            ((share * COLUMNS as f64) as usize).min(COLUMNS - 1)
        };
        let until = depths.get(index + 1).map_or(wall, |next| next.at);
        // The most that was in the queue at any time in the column.
        for cell in &mut columns[column(depth.at)..=column(until.max(depth.at))] {
            *cell = depth.items.max(*cell);
        }
    }
    let top = LEVELS.len() - 1;
    let level = |items: usize| LEVELS[(items * top).div_ceil(most.max(1)).min(top)];
    columns.into_iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_is_drawn_as_steps_over_the_whole_time() {
        let at = |milliseconds, items| Depth {
            at: Duration::from_millis(milliseconds),
            items,
        };
        let depths = [at(0, 1), at(20, 4), at(60, 0), at(99, 8)];
        let drawn = draw_depth(&depths, Duration::from_millis(100), 8);
        let expected = format!("{}{}{}█", "▁".repeat(10), "▄".repeat(21), " ".repeat(18));
        assert_eq!(drawn, expected);
        assert_eq!(draw_depth(&[], Duration::ZERO, 0), " ".repeat(COLUMNS));
    }
}
