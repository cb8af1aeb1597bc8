//! What the run is to show.

use crate::{
    ABORT, BLOCKED, JOIN, JOIN_CPU, KEEPING, LOOP, LOSING, MOVED, SPAWN, SPAWN_BLOCKING, SPAWN_CPU,
    args::{Args, TICK},
};
use common::{
    Lab,
    claim::{
        Claim, Count, Figure, Ratio, Seconds, a_tick, bytes, count, middle_wall, threads, times,
        wall,
    },
    format,
};
use lab_17_async_basics::cancellation::{MESSAGE_BYTES, Plan, Received};
use timeline::{LaneKind, Recording, Span};

/// How many threads had a span of that name.
fn threads_with(recording: &Recording, name: &str) -> usize {
    let threads = recording
        .lanes
        .iter()
        .filter(|lane| lane.id.kind == LaneKind::Thread);
    threads
        .filter(|lane| lane.spans.iter().any(|span| span.name == name))
        .count()
}

pub(crate) fn laziness(args: &Args, lab: &mut Lab, begun: [usize; 3]) {
    let [made, awaited, spawned] = begun;
    let made = lab.count(None, "begun_when_all_were_made", made);
    let awaited = lab.count(None, "begun_when_one_was_awaited", awaited);
    let spawned = lab.count(None, "begun_when_the_others_were_spawned", spawned);
    lab.claim(
        Claim::that(
            "futures_are_lazy",
            "making futures began nothing; awaiting one began that one",
        )
        .check(made.equals(count(0)))
        .check(awaited.equals(count(1)))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "spawned_begins",
            "a spawned task began without being awaited",
        )
        .check(spawned.equals(count(args.tasks.get()))),
    );
}

pub(crate) fn waits(args: &Args, lab: &mut Lab) {
    let all = || count(args.tasks.get());
    let mut at_once = |name| {
        let most = lab.recording(name).most_open("call");
        lab.count(name, "calls_open_at_once", most)
    };
    let in_turn = at_once(LOOP).equals(count(1));
    let together = [JOIN, SPAWN, SPAWN_BLOCKING].map(|name| at_once(name).equals(all()));
    let overlap = Claim::that(
        "all_wait_at_once",
        "the loop never waited for two answers at once, the others for all",
    );
    lab.claim(
        together
            .into_iter()
            .fold(overlap.check(in_turn), Claim::check),
    );
    let with_a_call = threads_with(&lab.recording(SPAWN_BLOCKING), "call");
    let with_a_call = lab.count(SPAWN_BLOCKING, "threads_with_a_call", with_a_call);
    lab.claim(
        Claim::that(
            "threads",
            "join and spawn were seen on one thread, spawn_blocking took one for each call",
        )
        .check(threads(JOIN).equals(count(1)))
        .check(threads(SPAWN).equals(count(1)))
        .check(with_a_call.equals(all())),
    );
    let half = || middle_wall(LOOP) * 0.5;
    lab.claim(
        Claim::that(
            "waits_overlap",
            "all at once took less than half the time of the loop, each of the three ways",
        )
        .check(middle_wall(JOIN).below(half()))
        .check(middle_wall(SPAWN).below(half()))
        .check(middle_wall(SPAWN_BLOCKING).below(half()))
        .headline(),
    );
}

/// Notes on how many threads the joined work ran, and how many CPUs the spawned work kept busy.
pub(crate) fn note_work(lab: &mut Lab) -> (Figure<Count>, Figure<Ratio>) {
    let threads = threads_with(&lab.recording(JOIN_CPU), "compute");
    let spawned = lab.recording(SPAWN_CPU);
    let busy: f64 = spawned
        .named("compute")
        .map(|span| span.busy.as_secs_f64())
        .sum();
    let busy = busy / spawned.wall.as_secs_f64();
    (
        lab.count(JOIN_CPU, "threads_at_work", threads),
        lab.ratio(SPAWN_CPU, "CPUs_kept_busy", busy),
    )
}

pub(crate) fn work(lab: &mut Lab, (threads, busy): (Figure<Count>, Figure<Ratio>)) {
    lab.claim(
        Claim::that(
            "joined_work_is_sequential",
            "joined, the CPU work stayed on one thread",
        )
        .check(threads.equals(count(1))),
    );
    lab.claim(
        Claim::that(
            "spawned_work_overlaps",
            "spawned, the CPU jobs overlapped: less than three quarters of the joined time",
        )
        // A wall time alone may be the chance of a machine that changes speed.
        .check(busy.above(times(1.2)))
        .check(wall(SPAWN_CPU).below(wall(JOIN_CPU) * 0.75))
        .needs_cpus(),
    );
}

/// Notes how many ticks came during the call, and how late the latest was.
fn note_ticks(lab: &mut Lab, name: &str) -> (Figure<Count>, Figure<Seconds>) {
    let recording = lab.recording(name);
    let call = recording
        .named("blocking call")
        .next()
        .map(|call| call.start..call.end);
    let ticks: Vec<&Span> = recording.named("tick").collect();
    let during = |tick: &&&Span| call.as_ref().is_some_and(|call| call.contains(&tick.end));
    let during = ticks.iter().filter(during).count();
    let late = ticks
        .iter()
        .map(|tick| tick.duration().saturating_sub(TICK))
        .max();
    let late = late.unwrap_or_default();
    let worst = format::seconds(late);
    lab.say(format!(
        "{name}: ticks during the call {during}, the latest {worst} late"
    ));
    (
        lab.count(name, "ticks_during_the_call", during),
        lab.duration(name, "latest_tick_late_by", late),
    )
}

pub(crate) fn blocked(args: &Args, lab: &mut Lab) {
    let ((blocked_ticks, blocked_late), (moved_ticks, moved_late)) =
        (note_ticks(lab, BLOCKED), note_ticks(lab, MOVED));
    let call = lab.duration(None, "call_blocks_for", args.ticking().call);
    lab.claim(
        Claim::that(
            "blocking_stalls",
            "while the call blocked the thread the light task did not tick, and then was late by \
             at least half of the call",
        )
        .check(blocked_ticks.equals(count(0)))
        .check(blocked_late.clone().at_least(call.clone() * 0.5))
        .check(call.at_least(a_tick() * 10.0))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "moved_away",
            "moved to another thread, the call let it tick, less than half as late at worst",
        )
        .check(moved_ticks.above(count(0)))
        .check(moved_late.below(blocked_late * 0.5)),
    );
}

pub(crate) fn dropped_reads(lab: &mut Lab, plan: Plan, losing: &Received, keeping: &Received) {
    let mut figures = |name, received: &Received| {
        let handed_on = received.handed_on.iter();
        let wrong = handed_on.filter(|&&number| number > plan.messages).count();
        let lost = (plan.messages as usize - received.handed_on.len()) * MESSAGE_BYTES;
        (
            lab.bytes(name, "lost", lost as u64),
            lab.count(name, "wrong_messages", wrong),
            lab.count(name, "dropped_reads", received.dropped_reads),
        )
    };
    let (lost, wrong, dropped) = figures(LOSING, losing);
    let (kept_lost, kept_wrong, kept_dropped) = figures(KEEPING, keeping);
    lab.claim(
        Claim::that(
            "dropped_reads_lose",
            "dropped reads took bytes with them, and messages came out wrong",
        )
        .check(dropped.above(count(0)))
        .check(lost.above(bytes(0.0)))
        .check(wrong.above(count(0)))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "kept_outside",
            "with the bytes kept outside the future, dropped reads lost none",
        )
        .check(kept_dropped.above(count(0)))
        .check(kept_lost.at_most(bytes(0.0)))
        .check(kept_wrong.equals(count(0))),
    );
}

pub(crate) fn abort(args: &Args, lab: &mut Lab, [tasks, calls]: [usize; 2]) {
    let tasks = lab.count(ABORT, "tasks_that_ran_to_their_end", tasks);
    let calls = lab.count(ABORT, "blocking_calls_that_ran_to_their_end", calls);
    lab.claim(
        Claim::that(
            "abort_stops_tasks_only",
            "aborted tasks stopped where they waited, aborted blocking calls ran to their end",
        )
        .check(tasks.equals(count(0)))
        .check(calls.equals(count(args.tasks.get()))),
    );
}
