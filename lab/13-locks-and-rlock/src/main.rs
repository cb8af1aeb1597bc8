//! Shows what each lock costs, what reentrancy is for, and deadlocks that tell where they are.

mod args;
mod claims;
mod cost;
mod deadlocks;
mod stories;

use args::LockArgs;
use common::{Bound, Lab, Step, format};
use cost::{Costs, Count};
use lab_13_locks_and_rlock::{
    count::{
        Plan, count_by_reading, count_sequential, count_with_fetch_add, count_with_mutex,
        count_with_parking_lot, count_with_reentrant, count_with_rwlock, count_without_sharing,
    },
    poison::CARELESS,
    watched::Watched,
};
use process_pool::panics;
use std::{io, num::NonZeroUsize, process::ExitCode, thread};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/03_locks_and_rlock.py"],
    question: "what do Lock and RLock cost, and how do they deadlock?",
    why: "A lock is a word in memory that all CPUs that want it pass to and fro. Taking it costs a few \
          atomic steps even when nobody else does; wanted by several at once, it costs the passing and \
          the waiting. A reentrant lock also remembers its owner, so that a method which holds it can \
          call one that takes it. A deadlock is a circle: each thread holds what the next one waits \
          for, so none of them goes on. It takes such a circle, so one order for all locks prevents it.",
    try_next: &[
        "cargo run -p lab-13-locks-and-rlock -- --threads 8: whose cost rises further?",
        "cargo run -p lab-13-locks-and-rlock -- --threads 4 --increments 400_000: the script's 4 × 100,000",
        "cargo run -p lab-13-locks-and-rlock -- --no-watchdog --patience 1: a deadlock from outside",
        "taskset -c 0 cargo run -p lab-13-locks-and-rlock: what is contention on one CPU?",
        "cargo run -p lab-14-queue-producer-consumer: hand work over instead of sharing it",
    ],
};

/// A way to count.
type Counting = fn(Plan) -> io::Result<u64>;

/// The rows of the table, from nothing shared to most.
pub(crate) const MECHANISMS: [(&str, Counting); 7] = [
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
    keep_the_provoked_panic_quiet();
    let columns = args.columns()?;
    let most = columns[columns.len() - 1];
    lab.param("threads", &columns);
    let costs = count(lab, args, columns)?;
    stories::read(lab)?;
    stories::nest(lab)?;
    deadlocks::watch(lab, args)?;
    stories::poison(lab)?;
    claims::add(lab, args, most, &costs);
    Ok(())
}

/// Counts under every lock with every number of threads, taking turns; the most threads are what
/// the report shows in full.
fn count(lab: &mut Lab, args: &LockArgs, columns: Vec<NonZeroUsize>) -> anyhow::Result<Costs> {
    let (increments, rounds) = (args.increments.get() as u64, args.rounds.rounds.get());
    let (all, last) = (format::count(increments), columns.len() - 1);
    lab.say(format!(
        "{all} increments, shared out among the threads; rounds: {rounds}, taking turns …"
    ));
    let (mut costs, mut lost) = (Costs::new(columns.clone()), 0);
    for _ in 0..rounds {
        let threads = NonZeroUsize::MIN;
        measure(
            lab,
            "sequential",
            Plan {
                threads,
                increments,
            },
            count_sequential,
        )?;
        // Neighbours in time are what is compared most: the ways with one number of threads.
        for (column, &threads) in columns.iter().enumerate() {
            let plan = Plan {
                threads,
                increments,
            };
            for (name, count) in MECHANISMS {
                let counted = if column == last {
                    measure(lab, name, plan, count)?
                } else {
                    Count::timed(plan, count)?
                };
                lost += counted.expected.abs_diff(counted.got);
                costs.add(name, column, counted);
            }
        }
    }
    costs.tell(lab);
    lab.param("lost", lost);
    lab.param("cost", costs.by_key("_s", |count| count.per_increment_s));
    lab.param("cpus_busy", costs.by_key("", |count| count.cpus_busy));
    lab.param("scaling", costs.scaling());
    Ok(costs)
}

fn measure(lab: &mut Lab, name: &str, plan: Plan, count: Counting) -> anyhow::Result<Count> {
    let workers = plan.threads.get();
    let variant = lab.variant(name).bound(Bound::Work { workers });
    variant.run_counted(|| Count::timed(plan, count), Count::tally)
}

/// The one panic that is meant is a result here; any other is told as ever.
fn keep_the_provoked_panic_quiet() {
    panics::keep_quiet(|_| thread::current().name() == Some(CARELESS));
}
