//! Runs each idea, and claims what it shows.

use crate::Args;
use common::{
    Bound, Lab, Tally,
    claim::{A_TICK, Claim, Count, Figure, Seconds, middle_wall, threads},
    format,
};
use lab_17_async_basics::{
    abort::abort_in_the_middle,
    await_in_a_loop,
    cancellation::{MESSAGE_BYTES, PAUSE, Received, exchange, receive_keeping, receive_losing},
    count_begun,
    executor::{CALM_TICKS, block_the_executor, move_the_call_away},
    join_in_one_task, run_on_this_thread, spawn_blocking_each, spawn_each,
};
use std::{sync::Barrier, thread, time::Duration};
use timeline::Span;
use tokio::{io::DuplexStream, sync::mpsc::Receiver};

pub(crate) fn laziness(args: &Args, lab: &mut Lab) {
    let all = args.tasks.get();
    let [made, awaited, spawned] = run_on_this_thread(count_begun(all));
    let made = lab.note(None, "begun_when_all_were_made", made);
    let awaited = lab.note(None, "begun_when_one_was_awaited", awaited);
    let spawned = lab.note(None, "begun_when_the_others_were_spawned", spawned);
    let text =
        "making futures began nothing; awaiting one began that one, spawning began the others";
    let line =
        "begun after making futures: {left}; awaiting one: {left2}; spawning the others: {left3}";
    let lazy = Claim::that("futures_are_lazy", text)
        .check(made.equals(0))
        .check(awaited.equals(1))
        .check(spawned.equals(all));
    lab.claim(lazy.in_a_line(line).headline());
}

const LOOP: &str = "await in a loop";
const JOIN: &str = "join";
const SPAWN: &str = "spawn";
const SPAWN_BLOCKING: &str = "spawn_blocking";

pub(crate) fn waits(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let all = args.tasks.get();
    let in_turn = wait(args, lab, LOOP, 1, await_in_a_loop)?;
    let together = [
        wait(args, lab, JOIN, all, join_in_one_task)?,
        wait(args, lab, SPAWN, all, spawn_each)?,
        wait(args, lab, SPAWN_BLOCKING, all, spawn_blocking_each)?,
    ];
    let text = "the loop never waited for two answers at once, the others for all";
    let overlap = Claim::that("all_wait_at_once", text).check(in_turn.equals(1));
    let together = together.map(|most| most.equals(all));
    lab.claim(together.into_iter().fold(overlap, Claim::check));
    let text = "join and spawn were seen on one thread, spawn_blocking on one more for each call";
    lab.claim(
        Claim::that("threads", text)
            .check(threads(JOIN).equals(1))
            .check(threads(SPAWN).equals(1))
            .check(threads(SPAWN_BLOCKING).equals(all + 1)),
    );
    let text = "all at once took less than half the time of the loop, each of the three ways";
    let half = |name| middle_wall(name).below(middle_wall(LOOP) * 0.5);
    let overlap = Claim::that("waits_overlap", text)
        .in_a_line("waits: in a loop {right}, joined {left}, spawned {left2}, on threads {left3}")
        .headline();
    let ways = [JOIN, SPAWN, SPAWN_BLOCKING].map(half);
    let enough = middle_wall(LOOP).at_least(A_TICK * 10);
    lab.claim(ways.into_iter().fold(overlap, Claim::check).check(enough));
    Ok(())
}

/// Runs a variant in which at most `at_once` answers are waited for at once; returns how many were.
fn wait<F: Future<Output = Vec<usize>>>(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    at_once: usize,
    way: impl Fn(usize, Duration) -> F,
) -> anyhow::Result<Figure<Count>> {
    let (count, takes) = (args.tasks.get(), args.delay.0);
    let bound = Bound::Waits {
        each: Some(takes),
        count,
        at_once,
    };
    let numbers: Vec<usize> = (1..=count).collect();
    let right = |answers: &Vec<usize>| Tally::of_checked(&numbers, |it| answers.contains(it));
    let variant = lab.variant(name).bound(bound);
    variant.run_counted(|| Ok(run_on_this_thread(way(count, takes))), right)?;
    let most = lab.recording(name).most_open("call");
    Ok(lab.note(name, "calls_open_at_once", most))
}

const BLOCKED: &str = "call blocks";
const MOVED: &str = "call moved away";
/// From one tick of the light task to the next.
const TICK: Duration = Duration::from_millis(10);

pub(crate) fn blocked(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let takes = args.block.0;
    let (tick, call) = (format::seconds(TICK), format::seconds(takes));
    lab.say(format!(
        "a task ticks every {tick}; beside it a call blocks for {call} …"
    ));
    let (stopped, late) = tick_beside(lab, BLOCKED, takes, || block_the_executor(TICK, takes))?;
    let (went_on, less_late) = tick_beside(lab, MOVED, takes, || move_the_call_away(TICK, takes))?;
    let text = "while the call blocked the thread the light task did not tick, and then was late by \
                at least half of the call";
    let call = Figure::<Seconds>::from(takes);
    let stalls = Claim::that("blocking_stalls", text)
        .check(stopped.equals(0))
        .check(late.clone().at_least(call.clone() * 0.5))
        .check(call.at_least(A_TICK * 10))
        .in_a_line("beside a call of {left3}: {left} ticks during it, the next {left2} late");
    lab.claim(stalls.headline());
    let text = "moved to another thread, the call let it tick, less than half as late at worst";
    let moved = Claim::that("moved_away", text).check(went_on.above(0));
    lab.claim(moved.check(less_late.below(late * 0.5)));
    Ok(())
}

/// Runs the call and the light task; how many ticks came during the call, and how late the latest was.
fn tick_beside<F: Future<Output: serde::Serialize>>(
    lab: &mut Lab,
    name: &str,
    takes: Duration,
    both: impl Fn() -> F,
) -> anyhow::Result<(Figure<Count>, Figure<Seconds>)> {
    let why = "the call, and the pauses before and after it";
    let bound = Bound::Known(2 * CALM_TICKS * TICK + takes, why.into());
    let variant = lab.variant(name).other_work().bound(bound);
    variant.run_counted(|| Ok(run_on_this_thread(both())), |_| Tally::all_done(1))?;
    let recording = lab.recording(name);
    let call = recording.first("blocking call");
    let during = |tick: &&Span| call.is_some_and(|it| (it.start..it.end).contains(&tick.end));
    let during = recording.named("tick").filter(during).count();
    let ticks = recording.named("tick").map(Span::duration);
    let late = ticks.max().unwrap_or_default().saturating_sub(TICK);
    Ok((
        lab.note(name, "ticks_during_the_call", during),
        lab.note(name, "latest_tick_late_by", late),
    ))
}

const LOSING: &str = "bytes inside";
const KEEPING: &str = "bytes outside";

pub(crate) fn dropped_reads(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let messages = args.messages.get() as u64;
    lab.say(format!(
        "messages in two halves each: {messages}; a heartbeat after every 7th half …"
    ));
    let [lost, wrong, dropped] = read(lab, messages, LOSING, receive_losing)?;
    let text = "dropped reads took bytes with them, and messages came out wrong";
    let line = "{left} dropped reads took {left2} bytes along; {left3} messages came out wrong";
    let lose = Claim::that("dropped_reads_lose", text).in_a_line(line);
    let lose = [dropped, lost, wrong]
        .into_iter()
        .fold(lose, |claim, it| claim.check(it.above(0)));
    lab.claim(lose.headline());
    let [lost, wrong, dropped] = read(lab, messages, KEEPING, receive_keeping)?;
    let text = "with the bytes kept outside the future, dropped reads lost none";
    let kept = Claim::that("kept_outside", text).check(dropped.above(0));
    let none = kept.check(lost.equals(0));
    lab.claim(none.check(wrong.equals(0)));
    Ok(())
}

/// Runs a reader; notes bytes lost, wrong messages and dropped reads.
fn read(
    lab: &mut Lab,
    messages: u64,
    name: &str,
    reader: impl AsyncFn(DuplexStream, Receiver<()>) -> Received,
) -> anyhow::Result<[Figure<Count>; 3]> {
    let pauses = 2 * u32::try_from(messages)? * PAUSE;
    let bound = Bound::Known(pauses, "the pauses of the writer".into());
    let numbers: Vec<u64> = (1..=messages).collect();
    let variant = lab.variant(name).other_work().bound(bound);
    let received = variant.run_counted(
        || Ok(run_on_this_thread(exchange(messages, 7, &reader))),
        |(came, _)| Tally::of_checked(&numbers, |number| came.contains(number)),
    )?;
    let (came, dropped) = received.unwrap_or_default();
    let right = numbers.iter().filter(|it| came.contains(it)).count();
    let (wrong, lost) = (came.len() - right, numbers.len() - came.len());
    lab.note_beside(name, format!("{right} right, {wrong} wrong, {lost} lost"));
    Ok([
        lab.note(name, "bytes_lost", lost * MESSAGE_BYTES),
        lab.note(name, "wrong_messages", wrong),
        lab.note(name, "dropped_reads", dropped),
    ])
}

const ABORT: &str = "abort";

/// Aborts tasks and blocking calls that have begun.
pub(crate) fn abort(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let all = args.tasks.get();
    let ran_on = lab.variant(ABORT).other_work().run_counted(
        || {
            // Calls that tokio gets no thread for would wait for ever; one refused here ends the run.
            let all_there = Barrier::new(all);
            thread::scope(|scope| (0..all).for_each(|_| drop(scope.spawn(|| all_there.wait()))));
            Ok(run_on_this_thread(abort_in_the_middle(all)))
        },
        |&[tasks, calls]| Tally {
            submitted: 2 * all as u64,
            done: (tasks + calls) as u64,
            cancelled: (2 * all - tasks - calls) as u64,
            ..Tally::default()
        },
    )?;
    let [tasks, calls] = ran_on.unwrap_or_default();
    lab.note_beside(ABORT, format!("{tasks} tasks, {calls} calls ran on"));
    let tasks = lab.note(ABORT, "tasks_that_ran_to_their_end", tasks);
    let calls = lab.note(ABORT, "blocking_calls_that_ran_to_their_end", calls);
    let text = "aborted tasks stopped where they waited, aborted blocking calls ran to their end";
    let stops = Claim::that("abort_stops_tasks_only", text).check(tasks.equals(0));
    lab.claim(stops.check(calls.equals(all)));
    Ok(())
}
