//! Shows the race repaired in four ways, and what an increment costs in each.

mod args;
mod claims;
mod count;

use args::CountArgs;
use common::{Bound, Lab, Step, format};
use count::Count;
use lab_07_locks::{
    Plan, count_losing_updates, count_sequential, count_with_fetch_add, count_with_mutex,
    queue::{Signal, sum_through_queue},
    sum_at_the_end,
};
use std::{io, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/07_lock_fixed_demo.py"],
    question: "lock and queue: what makes the count right, and at what cost?",
    why: "A lock lets one worker at a time into the critical section: load, add and store become one \
          step for everybody else, and whoever comes meanwhile waits. An atomic addition is that one \
          step in hardware, though the CPUs still pass the counter to and fro. A counter of one's \
          own needs neither: only the shares are brought together, by a join or through a queue, \
          and a share that was sent belongs to the receiver alone.",
    try_next: &[
        "cargo run -p lab-07-locks -- --threads 8: which cost per increment grows, and which does not?",
        "cargo run -p lab-07-locks -- --increments 100_000: the script's numbers; what costs most now?",
        "taskset -c 0 cargo run -p lab-07-locks: nobody to wait for; what does a lock cost now?",
    ],
};

/// A way to count.
type Counting = fn(Plan) -> io::Result<u64>;

/// The variants that take turns, in the order of the story.
const TAKING_TURNS: [(&str, Counting); 5] = [
    ("sequential", |plan| Ok(count_sequential(plan))),
    ("racy", count_losing_updates),
    ("Mutex", count_with_mutex),
    ("fetch_add", count_with_fetch_add),
    ("sum at the end", sum_at_the_end),
];

/// Those that are to be right.
const REPAIRED: [&str; 4] = ["Mutex", "fetch_add", "sum at the end", "queue"];

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &CountArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (plan, rounds) = (args.plan()?, args.rounds.rounds.get());
    let (workers, each) = (plan.threads.get(), format::count(plan.increments));
    lab.say(format!(
        "{workers} × {each} increments; rounds: {rounds}, the variants taking turns …"
    ));
    let mut counts: [Vec<Count>; TAKING_TURNS.len()] = Default::default();
    for _ in 0..rounds {
        for ((name, count), counts) in TAKING_TURNS.into_iter().zip(&mut counts) {
            let workers = if name == "sequential" { 1 } else { workers };
            let variant = lab.variant(name).bound(Bound::Work { workers });
            let work = || Count::timed(plan, || count(plan));
            let counted = variant.run_counted(work, Count::tally)?;
            expect_right(lab, name, &counted);
            counts.push(counted);
        }
    }
    for ((name, _), counts) in TAKING_TURNS.iter().zip(counts) {
        lab.say(count::middle_line(name, counts));
    }
    count_through_queue(lab, plan)?;
    claims::add(lab, plan);
    Ok(())
}

/// Prints each worker's signal as it comes; the time is therefore not compared.
fn count_through_queue(lab: &mut Lab, plan: Plan) -> anyhow::Result<()> {
    let workers = plan.threads.get();
    lab.say("queue: each worker counts alone, then hands over its share …");
    let narrator = lab.screen();
    let hear = |signal: &Signal| {
        let share = format::count(signal.share);
        narrator.say(format!(
            "  worker {}: done, {share} increments",
            signal.worker
        ));
    };
    let work = || Count::timed(plan, || sum_through_queue(plan, hear));
    let variant = lab.variant("queue").other_work();
    let variant = variant.bound(Bound::Work { workers });
    let counted = variant.run_counted(work, Count::tally)?;
    lab.say(counted.line("queue"));
    expect_right(lab, "queue", &counted);
    Ok(())
}

/// A repair that loses an update would be a fault of the lab, in whatever round.
fn expect_right(lab: &mut Lab, name: &str, count: &Count) {
    if REPAIRED.contains(&name) && count.got != count.expected {
        lab.fail(format!(
            "`{name}` counted {} instead of {}; please report this",
            count.got, count.expected
        ));
    }
}
