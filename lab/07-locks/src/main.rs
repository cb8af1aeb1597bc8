//! Shows the race repaired in four ways, and what an increment costs in each.

mod claims;
mod flags;

use common::{Bound, Lab, Question, Step, Tally, claim::wall, format};
use flags::CountArgs;
use lab_07_locks::{
    Plan, count_losing_updates, count_sequential, count_with_fetch_add, count_with_mutex,
    queue::{Signal, sum_through_queue},
    sum_at_the_end,
};
use std::{cell::RefCell, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/07_lock_fixed_demo.py (Lock, Queue)",
    question: "what makes the count right, and at what cost?",
    why: "A lock lets one thread at a time into the critical section: load, add and store become one \
          step for all others, and a thread that comes meanwhile waits. `fetch_add` is that \
          one step in hardware, though the CPUs still pass the counter back and forth. With a \
          counter for each thread nothing is shared: the shares are added up at the end.",
    remember: "A lock lets one thread in at a time: always right, never free. Cheapest is not to \
              share: count alone, add up once at the end.",
    predict: (
        "8 threads instead of 2: which of the costs grow?",
        "cargo run -p lab-07-locks -- --threads 8",
    ),
    sources: common::sources!["lib.rs", "queue.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &CountArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "A lock around each increment: how many times as long as one thread without?";
    let ratio = wall("Mutex") / wall("sequential");
    let ask = Question::before("Mutex", text, ratio, "{} times as long").needs_cpus();
    let answers = ["no longer", "a few times", "ten times or more"];
    lab.predict(ask, &answers, &[1.5, 8.0]);
    let (plan, rounds) = (args.plan()?, args.rounds.rounds.get());
    let workers = format::counted(plan.threads.get(), "thread");
    let [each, expected] = [plan.increments, plan.expected()].map(format::count);
    lab.say(format!("{workers}, each to add {each} …"));
    lab.legend(format!(
        "Expected: {expected}. racy: load, add, store. Mutex: the same under a lock. fetch_add: in one step. \
         sum at the end: each counts alone. queue: and sends it."
    ));
    let signals = RefCell::new(Vec::new());
    let hear = |signal: &Signal| signals.borrow_mut().push(signal.worker);
    let through_queue = |plan| {
        signals.borrow_mut().clear();
        sum_through_queue(plan, hear)
    };
    let ways: [(&str, &dyn Fn(Plan) -> u64); 6] = [
        ("sequential", &count_sequential),
        ("racy", &count_losing_updates),
        ("Mutex", &count_with_mutex),
        ("fetch_add", &count_with_fetch_add),
        ("sum at the end", &sum_at_the_end),
        ("queue", &through_queue),
    ];
    for _ in 0..rounds {
        for (name, way) in ways {
            measure(lab, plan, name, way)?;
        }
    }
    for worker in signals.take() {
        let sent = format!("worker {worker} sends \"done\", as in the script, and its count");
        lab.say(format!("queue: {sent}"));
    }
    claims::claim(lab, plan);
    Ok(())
}

/// Counts in one way, and says beside its time what it got.
fn measure(lab: &mut Lab, plan: Plan, name: &str, way: &dyn Fn(Plan) -> u64) -> anyhow::Result<()> {
    let workers = if name == "sequential" {
        1
    } else {
        plan.threads.get()
    };
    let variant = lab.variant(name).bound(Bound::Work { workers });
    let tally = Tally::all_done(plan.expected() as usize);
    if let Some(got) = variant.run_counted(|| Ok(way(plan)), |_| tally.clone())? {
        claims::note(lab, name, plan, got);
        lab.note_beside(name, format!("Got {}", format::count(got)));
    }
    Ok(())
}
