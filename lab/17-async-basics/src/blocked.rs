//! A light task beside a call that blocks, on one thread and on two.

use crate::args::Args;
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_17_async_basics::{
    executor::{CALM_TICKS, Tick, block_the_executor, move_the_call_away},
    run_on_this_thread,
};
use serde::Serialize;
use std::time::Duration;

pub(crate) const BLOCKED: &str = "call blocks";
pub(crate) const MOVED: &str = "call moved away";

/// How late the ticks of the light task were.
#[derive(Serialize)]
struct Ticks {
    ticks: usize,
    ticks_during_the_call: usize,
    median_late_s: f64,
    worst_late_s: f64,
    late_s: Vec<f64>,
}

impl Ticks {
    fn new(ticks: &[Tick]) -> Self {
        let late_s: Vec<f64> = ticks.iter().map(|tick| tick.late.as_secs_f64()).collect();
        let mut sorted = late_s.clone();
        sorted.sort_by(f64::total_cmp);
        Self {
            ticks: ticks.len(),
            ticks_during_the_call: ticks.iter().filter(|tick| tick.during_the_call).count(),
            median_late_s: sorted.get(sorted.len() / 2).copied().unwrap_or_default(),
            worst_late_s: sorted.last().copied().unwrap_or_default(),
            late_s,
        }
    }
}

pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let plan = args.ticking();
    let (tick, call) = (format::seconds(plan.tick), format::seconds(plan.call));
    lab.say(format!(
        "a light task ticks every {tick}; beside it a call blocks for {call} …"
    ));
    run(args, lab, BLOCKED, || {
        run_on_this_thread(block_the_executor(plan))
    })?;
    run(args, lab, MOVED, || {
        run_on_this_thread(move_the_call_away(plan))
    })
}

fn run(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    ticking: impl FnOnce() -> std::io::Result<Vec<Tick>>,
) -> anyhow::Result<()> {
    let plan = args.ticking();
    let calm: Duration = 2 * CALM_TICKS * plan.tick;
    let bound = Bound::Known {
        duration: calm + plan.call,
        reason: "the call, and the pauses before and after it".into(),
    };
    let ticks = lab.variant(name).other_work().bound(bound).run_counted(
        || Ok(Ticks::new(&ticking().context("cannot start a runtime")?)),
        // The call and the light task.
        |_| Tally::all_done(2),
    )?;
    lab.say(format!(
        "{name}: ticks during the call {}; late: median {}, worst {}",
        ticks.ticks_during_the_call,
        format::seconds_f64(ticks.median_late_s),
        format::seconds_f64(ticks.worst_late_s)
    ));
    Ok(())
}
