//! Shows what each lock costs, what reentrancy is for, and deadlocks that name their circle.

mod args;
mod cost;
mod deadlocks;
mod stories;

use args::LockArgs;
use common::{Lab, Step, panics};
use deadlocks::Watched;
use lab_13_locks_and_rlock::{
    count::{
        Plan, count_by_reading, count_with_fetch_add, count_with_mutex, count_with_parking_lot,
        count_with_reentrant, count_with_rwlock, count_without_sharing,
    },
    poison::CARELESS,
};
use std::{process::ExitCode, thread};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/03_locks_and_rlock.py"],
    question: "what do Lock and RLock cost, and how do they deadlock?",
    why: "A lock is a word in memory that all CPUs that want it pass back and forth. Taking it costs a \
          few atomic steps even when no other thread wants it; wanted by several at once, it costs the \
          passing and the waiting. A reentrant lock also remembers its owner, so that a method which \
          holds it can call one that takes it. A deadlock is a circle: each thread holds what the next \
          one waits for, so none of them goes on. One order for all locks leaves no circle.",
    remember: "A lock costs most when several threads want it. Take locks in the same order \
              everywhere, and no circle of waiting can form.",
    predict: (
        "8 threads: whose cost grows most?",
        "cargo run -p lab-13-locks-and-rlock -- --threads 8",
    ),
    sources: common::sources![
        "lib.rs",
        "count.rs",
        "read.rs",
        "nested.rs",
        "deadlock.rs",
        "poison.rs"
    ],
};

/// A way to count, by its name.
type Mechanism = (&'static str, fn(Plan) -> u64);

/// The rows of the table, from nothing shared to most.
pub(crate) const MECHANISMS: [Mechanism; 7] = [
    ("not shared", count_without_sharing),
    ("fetch_add", count_with_fetch_add),
    ("Mutex", count_with_mutex),
    ("parking_lot", count_with_parking_lot),
    ("ReentrantMutex", count_with_reentrant),
    ("RwLock, write", count_with_rwlock),
    ("RwLock, read", count_by_reading),
];

fn main() -> ExitCode {
    STEP.run(&[&Watched], demonstrate)
}

fn demonstrate(args: &LockArgs, lab: &mut Lab) -> anyhow::Result<()> {
    // The one panic that is meant is a result here; any other is printed as usual.
    panics::keep_quiet(|_| thread::current().name() == Some(CARELESS));
    args.check()?;
    lab.param("threads", args.threads());
    cost::compare(lab, args)?;
    stories::read(lab)?;
    stories::nest(lab)?;
    deadlocks::watch(lab, args)?;
    stories::poison(lab)
}
