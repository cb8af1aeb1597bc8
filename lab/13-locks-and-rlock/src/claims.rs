//! What an increment costs, long reads, a lock taken again by its holder, deadlocks, a panic under a lock.

use crate::Args;
use anyhow::Context;
use common::{
    Lab, Recorded, Tally,
    claim::{Claim, done, none_failed},
    format,
    process_pool::Worker,
    timeline::{Lane, Recording, Span, Timeline},
};
use lab_13_locks_and_rlock::{
    self as locks, Plan,
    deadlock::{start_opposite_order, start_same_order, start_self_deadlock},
    nested::count_whole_batches,
    poison::{TOTAL, repair_what_a_panic_left},
    read::{read_under_mutex, read_under_rwlock},
};
use std::{
    num::NonZeroUsize,
    thread::{self, JoinHandle},
    time::Duration,
};

type Way = (&'static str, fn(Plan) -> u64);
const WAYS: [Way; 3] = [
    ("no lock", locks::count_without_sharing),
    ("Lock", locks::count_with_mutex),
    ("RLock", locks::count_with_reentrant),
];

/// Counts in every way, taking turns.
pub(crate) fn cost(lab: &mut Lab, args: &Args) -> anyhow::Result<()> {
    let plan = (args.threads, args.increments.get() as u64);
    lab.say(format!("{} increments each …", format::count(plan.1)));
    for _ in 0..args.rounds.rounds.get() {
        for (name, way) in WAYS {
            let tally = |got: &u64| Tally::of_checked(&[*got], |got| *got == plan.1);
            lab.variant(name).run_counted(|| Ok(way(plan)), tally)?;
        }
    }
    let text = "every way counted every increment, in every round";
    let counted = WAYS.iter().map(|(name, _)| none_failed(name));
    lab.claim(counted.fold(Claim::that("every_increment_counted", text), Claim::check));
    let [free, lock, reentrant] = WAYS.map(|(name, _)| name);
    let cost = lab.compare("lock_costs", "a Lock's cost", [free, lock]);
    lab.claim(cost);
    let more = lab.compare("rlock_costs", "an RLock's cost", [lock, reentrant]);
    lab.claim(more.headline());
    Ok(())
}

const FOUR: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const STAY: Duration = Duration::from_millis(50);

/// Lets four readers stay under each kind of lock.
pub(crate) fn read(lab: &mut Lab) -> anyhow::Result<()> {
    let stay = format::seconds(STAY);
    lab.say(format!("{FOUR} readers, each stays for {stay} …"));
    let mut inside = |name, read: fn(NonZeroUsize, u64, Duration) -> Vec<u64>| {
        lab.variant(name).other_work().run_counted(
            || Ok(read(FOUR, 42, STAY)),
            |seen| Tally::of_checked(seen, |seen| *seen == 42),
        )?;
        let most = lab.recording(name).most_open("read");
        anyhow::Ok(lab.note(name, "most_readers_inside", most))
    };
    let mutex = inside("reads, Mutex", read_under_mutex)?;
    let rwlock = inside("reads, RwLock", read_under_rwlock)?;
    let text = "long reads: one at a time under the Mutex, several at once under the RwLock";
    let claim = Claim::that("readers_share_an_rwlock", text)
        .check(mutex.equals(1))
        .check(rwlock.above(1))
        .in_a_line("reading at once: {left} under the Mutex, {left2} under the RwLock");
    lab.claim(claim);
    Ok(())
}

/// Lets a thread panic in mid-change under a lock, which is poisoned by it.
pub(crate) fn poison(lab: &mut Lab) {
    lab.say("a thread panics under a lock, half-way through a transfer …");
    let (is_warned, [found, left]) = repair_what_a_panic_left();
    lab.say(format!(
        "  the next thread finds {found} of {TOTAL} and leaves {left}"
    ));
    let warned = lab.note(None, "threads_warned_by_the_mutex", usize::from(is_warned));
    let left = lab.note(None, "total_left_after_the_warning", left as usize);
    let text =
        "poison: after a panic under a Mutex, the next thread was warned and repaired the total";
    let warns = Claim::that("poison_warns", text).check(warned.equals(1));
    lab.claim(warns.check(left.equals(TOTAL as usize)).headline());
}

type Start = fn() -> Vec<JoinHandle<()>>;
/// Each scenario: its name, how many threads it has, and what starts them.
const SCENARIOS: [(&str, u64, Start); 3] = [
    ("self-deadlock", 1, start_self_deadlock),
    ("opposite order", 2, start_opposite_order),
    ("same order", 2, start_same_order),
];

/// A child process that runs one scenario, until all threads have finished or those left wait for one another.
pub(crate) const WATCHED: Worker<usize, Recording> = Worker::new("watched", |scenario| {
    let timeline = Timeline::current().expect("the pool is recorded");
    let threads = (SCENARIOS[scenario].2)();
    loop {
        thread::sleep(Duration::from_millis(100));
        let recording = timeline.so_far();
        if threads.iter().all(JoinHandle::is_finished) || !stuck(&recording).is_empty() {
            return recording;
        }
    }
});

/// The threads that are stuck, each with the lock that it has and the one that it waits for.
fn stuck(recording: &Recording) -> Vec<Vec<String>> {
    let now = recording.start.plus(recording.wall);
    // Of a thread that waits, the last span is open, and the one before it is of the lock it has.
    let pair = |lane: &Lane| Some((lane.name.clone(), lane.spans.last_chunk::<2>()?.clone()));
    let waiting = recording.lanes.iter().filter_map(pair);
    let waiting: Vec<_> = waiting.filter(|(_, [_, wait])| wait.end == now).collect();
    let is_held = |lock: &str| waiting.iter().any(|(_, [held, _])| held.name == lock);
    // A lock, and the line of `deadlock.rs` that asked for it.
    let place = |span: &Span| format!("{}, line {}", span.name, span.line.unwrap_or_default());
    let stuck = waiting.iter().filter(|(_, [_, wait])| is_held(&wait.name));
    stuck
        .map(|(thread, [held, wait])| vec![thread.clone(), place(held), place(wait)])
        .collect()
}

/// Runs a scenario in a child process, with which threads that are stuck end; returns those.
fn run_in_child(scenario: usize, patience: Duration) -> anyhow::Result<Vec<Vec<String>>> {
    let pool = WATCHED.pool_builder().workers(NonZeroUsize::MIN);
    let pool = pool.timeout(patience).recorded().start()?;
    let recording = pool.call(scenario).context("no answer from the child")?;
    let stuck = stuck(&recording);
    Timeline::current().inspect(|timeline| timeline.adopt_lanes(recording));
    Ok(stuck)
}

/// Takes an RLock twice, runs every scenario, shows who is stuck, and claims who finished.
pub(crate) fn deadlocks(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("`deposit_all` holds an RLock and calls `deposit`, which takes it …");
    let whole = count_whole_batches(FOUR, 100);
    lab.say(format!("  {whole} of 400 batches finished whole"));
    let whole = lab.note(None, "whole_batches", whole);
    lab.say("deadlocks: threads that take two locks, each time in a child process …");
    let (mut rows, patience) = (Vec::new(), lab.patience());
    for (number, (name, threads, _)) in SCENARIOS.into_iter().enumerate() {
        // Threads that were stuck when the child ended were cancelled.
        let tally = |stuck: &Vec<_>| Tally {
            submitted: threads,
            done: threads - stuck.len() as u64,
            cancelled: stuck.len() as u64,
            ..Tally::default()
        };
        let variant = lab.variant(name).other_work();
        if let Some(stuck) = variant.run_counted(|| run_in_child(number, patience), tally)? {
            lab.say(format!("  {} of {threads} threads stuck", stuck.len()));
            let named = |stuck| [vec![name.into()], stuck].concat();
            rows.extend(stuck.into_iter().map(named));
        }
    }
    let title = "Deadlock: each has a lock and waits for another's";
    let headings = ["", "thread", "has (deadlock.rs)", "waits for"];
    lab.table(title, &headings, rows, "");
    let [own, opposite, same] = SCENARIOS.map(|(name, ..)| done(name));
    let text = "taken again by its holder: a Lock waits for itself, an RLock goes on";
    let own = Claim::that("self_deadlock_named", text).check(own.equals(0));
    lab.claim(own.check(whole.equals(400)).headline());
    let text = "two Locks: in opposite orders both threads wait for ever, in one order both finish";
    let circle = Claim::that("opposite_orders_named", text).check(opposite.equals(0));
    lab.claim(circle.check(same.equals(2)).headline());
    Ok(())
}
