//! Futures dropped in the middle, and what went with them.

use crate::args::Args;
use anyhow::Context;
use common::{Bound, Lab, Tally};
use lab_17_async_basics::{
    abort::abort_in_the_middle,
    cancellation::{MESSAGE_BYTES, Plan, Received, read_keeping_bytes, read_losing_bytes},
    run_on_this_thread,
};
use serde::Serialize;
use std::io;

pub(crate) const LOSING: &str = "bytes inside";
pub(crate) const KEEPING: &str = "bytes outside";
pub(crate) const ABORT: &str = "abort";

/// What was sent, and what came of it.
#[derive(Serialize)]
struct Transfer {
    sent: u64,
    handed_on: usize,
    right: u64,
    wrong: u64,
    dropped_reads: usize,
    sent_bytes: u64,
    lost_bytes: u64,
}

impl Transfer {
    /// The end of the pipe has been read, so whatever was sent was read, and is handed on or lost.
    fn new(plan: Plan, received: &Received) -> Self {
        let numbers = &received.handed_on;
        let right = numbers
            .iter()
            .filter(|&&number| number <= plan.messages)
            .count() as u64;
        let sent_bytes = plan.messages * MESSAGE_BYTES as u64;
        Self {
            sent: plan.messages,
            handed_on: numbers.len(),
            right,
            wrong: numbers.len() as u64 - right,
            dropped_reads: received.dropped_reads,
            sent_bytes,
            lost_bytes: sent_bytes - (numbers.len() * MESSAGE_BYTES) as u64,
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            submitted: self.sent,
            done: self.right,
            failed: self.sent - self.right,
            ..Tally::default()
        }
    }
}

pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let plan = args.messages();
    lab.say(format!(
        "messages of {MESSAGE_BYTES} bytes, each in two halves: {}; every {}th half a heartbeat",
        plan.messages, plan.heartbeat_every
    ));
    lab.say("has the reader drop its read and begin another …");
    run(lab, LOSING, plan, || {
        run_on_this_thread(read_losing_bytes(plan))
    })?;
    run(lab, KEEPING, plan, || {
        run_on_this_thread(read_keeping_bytes(plan))
    })?;
    show_abort(args, lab)
}

fn run(
    lab: &mut Lab,
    name: &str,
    plan: Plan,
    reading: impl FnOnce() -> io::Result<io::Result<Received>>,
) -> anyhow::Result<()> {
    let halves = 2 * u32::try_from(plan.messages)?;
    let bound = Bound::Known {
        duration: halves * plan.pause,
        reason: "the pauses of the writer".into(),
    };
    let work = || {
        let received = reading().context("cannot start a runtime")?;
        Ok(Transfer::new(plan, &received.context("the pipe broke")?))
    };
    let variant = lab.variant(name).other_work().bound(bound);
    let transfer = variant.run_counted(work, Transfer::tally)?;
    lab.say(format!(
        "{name}: right {} of {}, wrong {}, reads dropped {}, bytes lost {}",
        transfer.right, transfer.sent, transfer.wrong, transfer.dropped_reads, transfer.lost_bytes
    ));
    Ok(())
}

/// Aborts tasks and blocking calls that have begun.
fn show_abort(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let count = args.tasks.get();
    let aborted = lab.variant(ABORT).other_work().run_counted(
        || run_on_this_thread(abort_in_the_middle(count)).context("cannot start a runtime"),
        |aborted| {
            let (all, ended) = (
                aborted.tasks + aborted.calls,
                aborted.tasks_ended + aborted.calls_ended,
            );
            Tally {
                submitted: all as u64,
                done: ended as u64,
                cancelled: (all - ended) as u64,
                ..Tally::default()
            }
        },
    )?;
    lab.say(format!(
        "{ABORT}: tasks that ran to their end {} of {}, blocking calls {} of {}",
        aborted.tasks_ended, aborted.tasks, aborted.calls_ended, aborted.calls
    ));
    Ok(())
}
