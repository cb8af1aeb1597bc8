//! The deadlocks, each in a child process; who has which lock is read from its recording.

use anyhow::Context;
use common::{
    Lab, Recorded, TableReport, Tally,
    claim::{Claim, count, done},
    process_pool::Worker,
    timeline::{Lane, Recording, Span, Timeline},
};
use lab_13_locks_and_rlock::deadlock::{
    Bank, start_opposite_order, start_same_order, start_self_deadlock,
};
use std::{
    num::NonZeroUsize,
    thread::{self, JoinHandle},
    time::Duration,
};

/// Starts a scenario's threads.
type Start = fn(&'static Bank) -> Vec<JoinHandle<()>>;

/// Each scenario: its name, how to start it, how many threads it has and how many finish, its claim's name and sentence.
const SCENARIOS: [(&str, Start, [usize; 2], &str, &str); 3] = [
    (
        "self-deadlock",
        start_self_deadlock,
        [1, 0],
        "self_deadlock_named",
        "a plain lock, taken again by its holder: the thread waits for itself",
    ),
    (
        "opposite order",
        start_opposite_order,
        [2, 0],
        "opposite_orders_named",
        "opposite orders: two threads each wait for a lock that the other has",
    ),
    (
        "same order",
        start_same_order,
        [2, 2],
        "one_order_finishes",
        "one order for all: both threads finished",
    ),
];

/// A child process that runs one scenario; threads that are stuck end with it.
pub(crate) const WATCHED: Worker<usize, Recording> = Worker::new("watched", watch);

/// Returns what was recorded when all threads have finished, or those left wait for one another.
fn watch(scenario: usize) -> Recording {
    let timeline = Timeline::current().expect("the pool is recorded");
    let threads = (SCENARIOS[scenario].1)(Bank::open());
    loop {
        thread::sleep(Duration::from_millis(100));
        let recording = timeline.so_far();
        if threads.iter().all(JoinHandle::is_finished) || !stuck(&recording).is_empty() {
            return recording;
        }
    }
}

/// The threads that are stuck, each with the lock that it has and the one that it waits for.
fn stuck(recording: &Recording) -> Vec<[String; 3]> {
    let now = recording.start.plus(recording.wall);
    // The innermost span that is open is the last one.
    let waiting = |lane: &'_ Lane| match &lane.spans[..] {
        [.., held, waited] if waited.end == now => {
            Some((lane.name.clone(), held.clone(), waited.clone()))
        }
        _ => None,
    };
    let waiting: Vec<_> = recording.lanes.iter().filter_map(waiting).collect();
    let is_held = |lock: &str| waiting.iter().any(|(_, held, _)| held.name == lock);
    let stuck = waiting.iter().filter(|(.., waited)| is_held(&waited.name));
    stuck
        .map(|(thread, held, waited)| [thread.clone(), place(held), place(waited)])
        .collect()
}

/// A lock and the line that asked for it.
fn place(span: &Span) -> String {
    let path = span.file.as_deref().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    format!("{}, {file}:{}", span.name, span.line.unwrap_or_default())
}

/// Runs every scenario in a child process, shows who is stuck, and adds the claims.
pub(crate) fn run(lab: &mut Lab, patience: Duration) -> anyhow::Result<()> {
    lab.say("deadlocks: threads that take two locks, each time in a child process …");
    let mut rows = Vec::new();
    for (number, (name, _, [threads, finish], claim, text)) in SCENARIOS.into_iter().enumerate() {
        let work = || {
            let pool = WATCHED.pool_builder().workers(NonZeroUsize::MIN);
            let pool = pool.timeout(patience).recorded().start()?;
            let recording = pool.call(number);
            let recording = recording.context("no answer; allow more --patience")?;
            let stuck = stuck(&recording);
            Timeline::current().inspect(|timeline| timeline.adopt_lanes(recording));
            Ok(stuck)
        };
        // Threads that were stuck when the child ended were cancelled.
        let tally = |stuck: &Vec<[String; 3]>| Tally {
            submitted: threads as u64,
            done: (threads - stuck.len()) as u64,
            cancelled: stuck.len() as u64,
            ..Tally::default()
        };
        let stuck = lab.variant(name).other_work().run_counted(work, tally)?;
        rows.extend(stuck.into_iter().map(Vec::from));
        let claim = Claim::that(claim, text).check(done(name).equals(count(finish)));
        lab.claim(match name {
            "self-deadlock" => claim,
            _ => claim.headline(),
        });
    }
    lab.table(TableReport {
        title: "Deadlock: each has a lock and waits for another's".into(),
        headings: ["", "has", "waits for"].map(String::from).into(),
        rows,
        text_columns: vec![0, 1, 2],
        ..TableReport::default()
    });
    Ok(())
}
