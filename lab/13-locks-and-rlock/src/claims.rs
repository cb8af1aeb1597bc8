//! What an increment costs, long reads, a lock taken again by its holder, deadlocks, a panic under a lock.

use crate::Args;
use anyhow::Context;
use common::{
    Bound, Lab, MARGIN, Recorded, Sweep, TableReport, Tally,
    claim::{Claim, count, done, times},
    format,
    process_pool::Worker,
    timeline::{Lane, Recording, Span, Timeline},
    timing::timed,
};
use lab_13_locks_and_rlock::{
    self as locks, Plan,
    deadlock::{Bank, start_opposite_order, start_same_order, start_self_deadlock},
    nested::{BATCH, deposit_reentrant, deposit_split},
    poison::{TOTAL, go_on_unaware, repair_what_a_panic_left},
    read::{read_under_mutex, read_under_rwlock},
};
use std::{
    num::NonZeroUsize,
    thread::{self, JoinHandle},
    time::Duration,
};

/// A way to count, by its name.
type Way = (&'static str, fn(Plan) -> u64);

/// The ways to count, from nothing shared to most; one of them adds up what it reads.
const WAYS: [Way; 7] = [
    ("not shared", locks::count_without_sharing),
    ("fetch_add", locks::count_with_fetch_add),
    ("Mutex", locks::count_with_mutex),
    ("parking_lot", locks::count_with_parking_lot),
    ("ReentrantMutex", locks::count_with_reentrant),
    ("RwLock, read", locks::count_by_reading),
    ("RwLock, write", locks::count_with_rwlock),
];

/// Counts in every way on one thread and on several, taking turns.
pub(crate) fn cost(lab: &mut Lab, args: &Args) {
    let (increments, threads) = (args.increments.get() as u64, args.threads());
    let all = format::count(increments);
    lab.say(format!(
        "{all} increments in 7 ways, by 1 thread and by {threads} …"
    ));
    let (sizes, names) = ([NonZeroUsize::MIN, threads], WAYS.map(|(name, _)| name));
    let mut sweep = Sweep::new("threads", &names, sizes.map(|n| n.get() as u64).into());
    let mut lost = 0;
    for _ in 0..args.rounds.rounds.get() {
        for (size, threads) in sizes.into_iter().enumerate() {
            let times = WAYS.map(|(_, way)| {
                let (got, time) = timed(|| way((threads, increments)));
                lost += increments.abs_diff(got);
                time
            });
            sweep.add(size, times);
        }
    }
    let cost = |size, way| {
        let one = sweep.middle_s(size, way);
        let one = one.map(|time_s| time_s / increments as f64);
        one.map_or("–".into(), format::seconds_f64)
    };
    let row = |(way, name): (usize, &str)| vec![name.into(), cost(0, way), cost(1, way)];
    let title = "Time of an increment, or of a read; all threads together";
    let headings = ["", "1 thread", &format!("{threads} threads")];
    let rows = names.into_iter().enumerate().map(row).collect();
    lab.table(table(title, headings, rows, vec![0]));
    let lost = lab.count(None, "lost_increments", lost as usize);
    let text = "every way counted every increment, in every round";
    lab.claim(Claim::that("every_increment_counted", text).check(lost.equals(count(0))));
    claim_costs(lab, &sweep);
}

/// Claims about two times, each by its size and its way: the first is longer.
fn claim_costs(lab: &mut Lab, sweep: &Sweep) {
    let mut longer = |claim, pair| {
        sweep.check(lab, claim, pair, |ratio| {
            ratio.above(times(MARGIN)).in_words("{left} times as long")
        })
    };
    let text = "one thread: an increment took longer with a Mutex than without";
    let line = "one thread: an increment takes {left} × as long with a Mutex";
    let alone = Claim::that("lock_costs_alone", text).in_a_line(line);
    let alone = longer(alone, [(0, 2), (0, 0)]).headline();
    let text = "a Mutex cost more on all threads than on one";
    let contended = Claim::that("contention_costs", text).needs_cpus();
    let contended = longer(contended, [(1, 2), (0, 2)]);
    let text = "all threads: a Mutex cost more than an atomic step, and that more than not sharing";
    let sharing = Claim::that("sharing_less_is_cheaper", text);
    let sharing = longer(sharing, [(1, 2), (1, 1)]);
    let sharing = longer(sharing, [(1, 1), (1, 0)]);
    let text =
        "reentrancy is cheap: alone, less than twice the cost of the same library's plain lock";
    let cheap = Claim::that("reentrancy_is_cheap", text);
    let cheap = sweep.check(lab, cheap, [(0, 4), (0, 3)], |ratio| {
        ratio.below(times(2.0))
    });
    for claim in [alone, contended, sharing, cheap] {
        lab.claim(claim);
    }
}

const FOUR: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const STAY: Duration = Duration::from_millis(50);

/// Lets four readers stay under each kind of lock.
pub(crate) fn read(lab: &mut Lab) -> anyhow::Result<()> {
    let stay = format::seconds(STAY);
    lab.say(format!("{FOUR} readers, each stays for {stay} …"));
    let mut inside = |name, at_once, read: fn(NonZeroUsize, u64, Duration) -> Vec<u64>| {
        let bound = Bound::Waits {
            each: Some(STAY),
            count: FOUR.get(),
            at_once,
        };
        lab.variant(name).other_work().bound(bound).run_counted(
            || Ok(read(FOUR, 42, STAY)),
            |seen| Tally::of_checked(seen, |seen| *seen == 42),
        )?;
        let most = lab.recording(name).most_open("read");
        anyhow::Ok(lab.count(name, "most_readers_inside", most))
    };
    let mutex = inside("reads, Mutex", 1, read_under_mutex)?;
    let rwlock = inside("reads, RwLock", FOUR.get(), read_under_rwlock)?;
    let text = "long reads: one at a time under the Mutex, several at once under the RwLock";
    let claim = Claim::that("readers_share_an_rwlock", text)
        .check(mutex.equals(count(1)))
        .check(rwlock.above(count(1)))
        .in_a_line("reading at once: {left} under the Mutex, {left2} under the RwLock");
    lab.claim(claim.headline());
    Ok(())
}

/// Lets tellers make batches of deposits in methods that call one another.
pub(crate) fn nest(lab: &mut Lab) {
    lab.say("`deposit_all` holds the lock and calls `deposit`, which takes it …");
    let text = "with a reentrant lock, or split in two, a method may call another: every batch \
                stayed whole";
    let mut claim = Claim::that("batches_stay_whole", text);
    for (name, rises) in [
        ("reentrant", deposit_reentrant(FOUR, 100)),
        ("split", deposit_split(FOUR, 100)),
    ] {
        let batch: i64 = BATCH.iter().sum();
        let whole = rises.iter().filter(|rise| **rise == batch);
        let whole = lab.count(None, &format!("whole_batches_{name}"), whole.count());
        claim = claim.check(whole.equals(count(rises.len())));
    }
    lab.claim(claim);
}

/// Lets a thread panic in mid-change, under a lock that is poisoned by it and under one that is not.
pub(crate) fn poison(lab: &mut Lab) {
    lab.say("a thread panics under a lock, half-way through a transfer …");
    let (is_warned, [found, left]) = repair_what_a_panic_left();
    let is = if is_warned { "is" } else { "is not" };
    lab.say(format!(
        "  Mutex: the next thread {is} warned, finds {found} of {TOTAL}, leaves {left}"
    ));
    let half = go_on_unaware();
    lab.say(format!(
        "  no poison: the next thread finds {half} and goes on"
    ));
    let total = || count(TOTAL as usize);
    let warned = lab.count(None, "threads_warned_by_the_mutex", is_warned.into());
    let left = lab.count(None, "total_left_after_the_warning", left as usize);
    let text = "the Mutex warned the thread after the panic, and that repaired the total";
    let warns = Claim::that("poison_warns", text).check(warned.equals(count(1)));
    lab.claim(warns.check(left.equals(total())));
    let half = lab.count(None, "total_left_without_poison", half as usize);
    let text = "under a lock without poison, half of the change stayed";
    lab.claim(Claim::that("no_poison_no_warning", text).check(half.below(total())));
}

/// Starts a scenario's threads.
type Start = fn(&'static Bank) -> Vec<JoinHandle<()>>;

/// Each scenario: its name, how many threads it has, and what starts them.
const SCENARIOS: [(&str, usize, Start); 3] = [
    ("self-deadlock", 1, start_self_deadlock),
    ("opposite order", 2, start_opposite_order),
    ("same order", 2, start_same_order),
];

/// A child process that runs one scenario; threads that are stuck end with it.
///
/// It returns what was recorded when all threads have finished, or those left wait for one another.
pub(crate) const WATCHED: Worker<usize, Recording> = Worker::new("watched", |scenario| {
    let timeline = Timeline::current().expect("the pool is recorded");
    let threads = (SCENARIOS[scenario].2)(Bank::open());
    loop {
        thread::sleep(Duration::from_millis(100));
        let recording = timeline.so_far();
        if threads.iter().all(JoinHandle::is_finished) || !stuck(&recording).is_empty() {
            return recording;
        }
    }
});

/// The threads that are stuck, each with the lock that it has and the one that it waits for.
fn stuck(recording: &Recording) -> Vec<[String; 3]> {
    let now = recording.start.plus(recording.wall);
    // Of a thread that waits, the last span is open, and the one before it is of the lock it has.
    let pair = |lane: &Lane| Some((lane.name.clone(), lane.spans.last_chunk::<2>()?.clone()));
    let waiting = recording.lanes.iter().filter_map(pair);
    let waiting: Vec<_> = waiting.filter(|(_, [_, wait])| wait.end == now).collect();
    let is_held = |lock: &str| waiting.iter().any(|(_, [held, _])| held.name == lock);
    // A lock, and the line that asked for it.
    let place = |span: &Span| {
        let file = span
            .file
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        let (file, line) = (file.unwrap_or_default(), span.line.unwrap_or_default());
        format!("{}, {file}:{line}", span.name)
    };
    let stuck = waiting.iter().filter(|(_, [_, wait])| is_held(&wait.name));
    stuck
        .map(|(thread, [held, wait])| [thread.clone(), place(held), place(wait)])
        .collect()
}

/// Runs every scenario in a child process, shows who is stuck, and adds the claims.
pub(crate) fn deadlocks(lab: &mut Lab) -> anyhow::Result<()> {
    lab.say("deadlocks: threads that take two locks, each time in a child process …");
    let mut rows = Vec::new();
    for (number, (name, threads, _)) in SCENARIOS.into_iter().enumerate() {
        let patience = lab.patience();
        let work = || {
            let pool = WATCHED.pool_builder().workers(NonZeroUsize::MIN);
            let pool = pool.timeout(patience).recorded().start()?;
            let recording = pool.call(number).context("no answer from the child")?;
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
        rows.extend(stuck.into_iter().flatten().map(Vec::from));
    }
    let mut finish = |variant, threads, name, text| {
        let claim = Claim::that(name, text).check(done(variant).equals(count(threads)));
        let is_alone = variant == "self-deadlock";
        lab.claim(if is_alone { claim } else { claim.headline() });
    };
    let text = "a plain lock, taken again by its holder: the thread waits for itself";
    finish("self-deadlock", 0, "self_deadlock_named", text);
    let text = "opposite orders: two threads each wait for a lock that the other has";
    finish("opposite order", 0, "opposite_orders_named", text);
    let text = "one order for all: both threads finished";
    finish("same order", 2, "one_order_finishes", text);
    let title = "Deadlock: each has a lock and waits for another's";
    lab.table(table(title, ["", "has", "waits for"], rows, vec![0, 1, 2]));
    Ok(())
}

fn table(
    title: &str,
    headings: [&str; 3],
    rows: Vec<Vec<String>>,
    text_columns: Vec<usize>,
) -> TableReport {
    TableReport {
        title: title.into(),
        headings: headings.map(String::from).into(),
        rows,
        text_columns,
        ..TableReport::default()
    }
}
