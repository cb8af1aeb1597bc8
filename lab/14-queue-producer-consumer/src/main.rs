//! Shows a bounded queue at work: two ways to end, backpressure, and a consumer that panics.

mod args;
mod claims;
mod tell;

use anyhow::Context;
use args::QueueArgs;
use common::{Bound, Lab, Step};
use lab_14_queue_producer_consumer::{
    BadItem, Plan, record::Record, run_until_closed, run_with_sentinels,
};
use process_pool::panics;
use std::{io, num::NonZeroUsize, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/04_queue_producer_consumer.py", "advanced/04_01"],
    question: "a queue between threads: who waits for whom, and how does it end?",
    why: "A bounded queue holds the faster side back. With room in it both go on; when it is full the \
          producer waits, when it is empty the consumers do, and neither asks in a loop. It ends when \
          that is said: a sentinel ends one consumer, so each needs its own; closing tells all of \
          them, after the last item. A consumer that panics drops its end. As long as one is left, the \
          work goes on; when none is, the producer learns that nobody will make room.",
    try_next: &[
        "cargo run -p lab-14-queue-producer-consumer -- --consumers 1: who waits for whom now?",
        "cargo run -p lab-14-queue-producer-consumer -- --capacity 100: what holds the producer back?",
        "cargo run -p lab-14-queue-producer-consumer -- --capacity 1: what does a larger queue buy?",
        "cargo run -p lab-14-queue-producer-consumer -- --consumers 8: are eight of any use?",
        "cargo run -p lab-15-thread-pool-executor: a pool is a queue with consumers",
    ],
};

/// The two that do the same work, item by item.
const SENTINEL: &str = "sentinel × 1";
const CLOSING: &str = "closing × 1";

/// A way to run.
type Running = fn(&Plan) -> io::Result<Record>;

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &QueueArgs, lab: &mut Lab) -> anyhow::Result<()> {
    keep_provoked_panics_quiet();
    let one = args.plan(lab.seed())?;
    let consumers = args.consumers;
    let many = Plan {
        consumers,
        items: one.items * consumers.get() as u64,
        ..one.clone()
    };
    let eager = |plan: &Plan| Plan {
        making: None,
        ..plan.clone()
    };
    tell::legend(lab);
    run(lab, SENTINEL, &one, run_with_sentinels)?;
    run(lab, CLOSING, &one, run_until_closed)?;
    if consumers > NonZeroUsize::MIN {
        run(
            lab,
            &format!("sentinels × {consumers}"),
            &many,
            run_with_sentinels,
        )?;
        run(
            lab,
            &format!("closing × {consumers}"),
            &many,
            run_until_closed,
        )?;
    }
    lab.say("eager: the producer never pauses …");
    run(lab, "eager × 1", &eager(&one), run_until_closed)?;
    if consumers > NonZeroUsize::MIN {
        run(
            lab,
            &format!("eager × {consumers}"),
            &eager(&many),
            run_until_closed,
        )?;
    }
    let bad_item = many.items.div_ceil(2);
    lab.say(format!(
        "panic: eager again, and item {bad_item} is a bad one …"
    ));
    let bad_item = Some(bad_item);
    let plan = Plan {
        bad_item,
        ..eager(&many)
    };
    run(lab, "panic", &plan, run_until_closed)?;
    claims::add(lab, args);
    Ok(())
}

/// Runs a plan, and draws what became of it.
fn run(lab: &mut Lab, name: &str, plan: &Plan, way: Running) -> anyhow::Result<()> {
    let consumers = plan.consumers;
    let s = if consumers.get() == 1 { "" } else { "s" };
    lab.say(format!(
        "{name}: {} items, {consumers} consumer{s}, room for {} …",
        plan.items, plan.capacity
    ));
    let bound = plan.bad_item.is_none().then(|| bound(plan));
    let variant = lab.variant(name);
    let variant = match bound {
        Some(bound) => variant.bound(bound),
        None => variant,
    };
    let variant = match name {
        SENTINEL | CLOSING => variant,
        _ => variant.other_work(),
    };
    let work = || way(plan).with_context(|| format!("cannot start {consumers} `--consumers`"));
    let record = variant.run_counted(work, Record::tally)?;
    if plan.bad_item.is_none() && (record.missing, record.twice) != (0, 0) {
        lab.fail(format!(
            "`{name}`: {} items missing, {} taken twice; please report this",
            record.missing, record.twice
        ));
    }
    if name == SENTINEL {
        tell::every_item(lab, &record);
    }
    tell::summary(lab, &record);
    Ok(())
}

/// No schedule is shorter: the last item must be made and handled, or all be handled in turn.
fn bound(plan: &Plan) -> Bound {
    let items = 1..=plan.items;
    let making: Duration = items.clone().map(|item| plan.making(item)).sum();
    let handling: Duration = items.map(|item| plan.handling(item)).sum();
    let made = making + plan.handling(plan.items);
    let handled = plan.making(1) + handling / plan.consumers.get() as u32;
    let (duration, reason) = if made > handled {
        (made, "making all items, and handling the last")
    } else {
        (handled, "making the first item, and handling all")
    };
    Bound::Known {
        duration,
        reason: reason.into(),
    }
}

/// A panic that is meant is a result here; any other is told as ever.
fn keep_provoked_panics_quiet() {
    panics::keep_quiet(|info| info.payload().is::<BadItem>());
}
