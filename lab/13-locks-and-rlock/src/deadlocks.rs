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

/// A scenario: its threads, and how many of them finish.
struct Scenario {
    name: &'static str,
    start: fn(&'static Bank) -> Vec<JoinHandle<()>>,
    threads: usize,
    finish: usize,
    /// The claim's name and what it says.
    claim: (&'static str, &'static str),
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "self-deadlock",
        start: start_self_deadlock,
        threads: 1,
        finish: 0,
        claim: (
            "self_deadlock_named",
            "a plain lock, taken again by its holder: the thread waits for itself",
        ),
    },
    Scenario {
        name: "opposite order",
        start: start_opposite_order,
        threads: 2,
        finish: 0,
        claim: (
            "opposite_orders_named",
            "opposite orders: two threads each wait for a lock that the other has",
        ),
    },
    Scenario {
        name: "same order",
        start: start_same_order,
        threads: 2,
        finish: 2,
        claim: (
            "one_order_finishes",
            "one order for all: both threads finished",
        ),
    },
];

/// A child process that runs one scenario; threads that are stuck end with it.
pub(crate) const WATCHED: Worker<usize, Recording> = Worker::new("watched", watch);

/// Returns what was recorded when all threads have finished, or those left wait for one another.
fn watch(scenario: usize) -> Recording {
    let timeline = Timeline::current().expect("the pool is recorded");
    let threads = (SCENARIOS[scenario].start)(Bank::open());
    loop {
        thread::sleep(Duration::from_millis(100));
        let recording = timeline.so_far();
        if threads.iter().all(JoinHandle::is_finished) || !stuck(&recording).is_empty() {
            return recording;
        }
    }
}

/// The threads that are stuck, each with the lock that it has and the one that it waits for; none where
/// some thread can still go on.
fn stuck(recording: &Recording) -> Vec<[String; 3]> {
    let now = recording.start.plus(recording.wall);
    // The innermost span that is open is the last one.
    let waits = |lane: &&Lane| lane.spans.last().is_some_and(|span| span.end == now);
    let waiting: Vec<&Lane> = recording.lanes.iter().filter(waits).collect();
    let has = |lane: &Lane, lock: &str| {
        let mut spans = lane.spans.iter();
        spans.any(|span| span.name == lock && span.end < now)
    };
    let pairs = waiting.iter().filter_map(|lane| match &lane.spans[..] {
        [.., held, waited] => Some((lane, held, waited)),
        _ => None,
    });
    let is_stuck =
        |(_, _, waited): &(_, _, &Span)| waiting.iter().any(|lane| has(lane, &waited.name));
    let words = pairs
        .filter(is_stuck)
        .map(|(lane, held, waited)| [lane.name.clone(), place(held), place(waited)]);
    words.collect()
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
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let (name, threads) = (scenario.name, scenario.threads);
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
        let (claim, text) = scenario.claim;
        let claim = Claim::that(claim, text).check(done(name).equals(count(scenario.finish)));
        lab.claim(if threads == 2 {
            claim.headline()
        } else {
            claim
        });
    }
    lab.table(TableReport {
        title: "Deadlock: each has a lock and waits for another's".into(),
        headings: ["", "has", "waits for"].map(String::from).into(),
        rows,
        text_columns: vec![0, 1, 2],
        notes: Vec::new(),
    });
    Ok(())
}
