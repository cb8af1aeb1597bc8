//! The runs of each variant, with their bounds and what they are counted by.

use crate::{ABORT, JOIN_CPU, SPAWN_CPU, args::Args, claims};
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_17_async_basics::{
    Call,
    cancellation::{MESSAGE_BYTES, Received, abort_in_the_middle},
    cpu::{mix_joined, mix_spawned, run_with_workers},
    executor::CALM_TICKS,
    run_on_this_thread,
};
use measure::workload::mix;
use std::{io, num::NonZeroUsize, pin::Pin};

const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
pub(crate) const NO_RUNTIME: &str = "cannot start a runtime";

type Pinned<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs the variant `name`, in which at most `at_once` answers are waited for at once.
pub(crate) fn wait(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    at_once: usize,
    waiting: fn(Vec<Call>) -> Pinned<Vec<usize>>,
) -> anyhow::Result<()> {
    let calls = args.calls();
    let (count, each) = (calls.len(), calls.first().map(|call| call.takes));
    let variant = lab.variant(name).bound(Bound::Waits {
        each,
        count,
        at_once,
    });
    let mut answers = variant.run_counted(
        || run_on_this_thread(waiting(calls)).context(NO_RUNTIME),
        |answers| Tally::all_done(answers.len()),
    )?;
    answers.sort_unstable();
    if !answers.iter().copied().eq(1..=count) {
        lab.fail(format!(
            "`{name}` brought the answers {answers:?}; please report this"
        ));
    }
    let elapsed = format::seconds(lab.wall(name).unwrap_or_default());
    lab.say(format!("{name}: {count} answers, elapsed {elapsed}"));
    Ok(())
}

pub(crate) fn work(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("two CPU jobs, joined and spawned on two workers, taking turns …");
    let jobs = args.jobs();
    let right = jobs.map(|job| mix(job.number, job.steps));
    let tally = |values: &Vec<u64>| {
        let pairs: Vec<_> = values.iter().copied().zip(right).collect();
        Tally::of_checked(&pairs, |(value, right)| value == right)
    };
    let mut noted = None;
    for _ in 0..args.rounds.rounds.get() {
        let joined = lab
            .variant(JOIN_CPU)
            .other_work()
            .bound(Bound::Work { workers: 1 });
        let joined = joined.run_counted(
            || run_on_this_thread(mix_joined(&jobs)).context(NO_RUNTIME),
            tally,
        )?;
        let workers = WORKERS.get();
        let spawned = lab
            .variant(SPAWN_CPU)
            .other_work()
            .bound(Bound::Work { workers });
        let spawned = spawned.run_counted(
            || run_with_workers(WORKERS, mix_spawned(&jobs)).context(NO_RUNTIME),
            tally,
        )?;
        if joined != right || spawned != right {
            lab.fail("a CPU job computed a wrong value; please report this");
        }
        noted = Some(claims::note_work(lab));
    }
    if let Some(noted) = noted {
        claims::work(lab, noted);
    }
    Ok(())
}

pub(crate) fn tick_beside(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    ticking: Pinned<()>,
) -> anyhow::Result<()> {
    let plan = args.ticking();
    let bound = Bound::Known {
        duration: 2 * CALM_TICKS * plan.tick + plan.call,
        reason: "the call, and the pauses before and after it".into(),
    };
    lab.variant(name).other_work().bound(bound).run_counted(
        || run_on_this_thread(ticking).context(NO_RUNTIME),
        // The call and the light task.
        |()| Tally::all_done(2),
    )
}

pub(crate) fn read(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    reading: Pinned<io::Result<Received>>,
) -> anyhow::Result<Received> {
    let plan = args.messages();
    let bound = Bound::Known {
        duration: 2 * u32::try_from(plan.messages)? * plan.pause,
        reason: "the pauses of the writer".into(),
    };
    let mut received = Received::default();
    let [right, wrong] = lab.variant(name).other_work().bound(bound).run_counted(
        || {
            received = run_on_this_thread(reading)
                .context(NO_RUNTIME)?
                .context("the pipe broke")?;
            let right = received
                .handed_on
                .iter()
                .filter(|&&number| number <= plan.messages);
            let right = right.count() as u64;
            Ok([right, received.handed_on.len() as u64 - right])
        },
        |&[right, _]| Tally {
            submitted: plan.messages,
            done: right,
            failed: plan.messages - right,
            ..Tally::default()
        },
    )?;
    lab.say(format!(
        "{name}: right {right} of {}, wrong {wrong}, reads dropped {}, bytes lost {}",
        plan.messages,
        received.dropped_reads,
        (plan.messages - right - wrong) * MESSAGE_BYTES as u64
    ));
    Ok(received)
}

/// Aborts tasks and blocking calls that have begun.
pub(crate) fn abort(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let count = args.tasks.get();
    let ended = lab.variant(ABORT).other_work().run_counted(
        || run_on_this_thread(abort_in_the_middle(count)).context(NO_RUNTIME),
        |&[tasks, calls]| Tally {
            submitted: 2 * count as u64,
            done: (tasks + calls) as u64,
            cancelled: (2 * count - tasks - calls) as u64,
            ..Tally::default()
        },
    )?;
    let [tasks, calls] = ended;
    lab.say(format!(
        "{ABORT}: {tasks} of {count} tasks and {calls} of {count} calls ran to their end"
    ));
    claims::abort(args, lab, ended);
    Ok(())
}
