//! Shows what awaits overlap, what blocks them, and what is lost when a future is dropped.

mod args;
mod claims;
mod runs;

use anyhow::Context;
use args::Args;
use common::{Lab, Step, format};
use lab_17_async_basics::{
    await_in_a_loop,
    cancellation::{read_keeping_bytes, read_losing_bytes},
    count_begun,
    executor::{block_the_executor, move_the_call_away},
    join_in_one_task, run_on_this_thread, spawn_blocking_each, spawn_each,
};
use runs::{NO_RUNTIME, abort, read, tick_beside, wait, work};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/07_asyncio_basics.py"],
    question: "sequential await or concurrent?",
    why: "A future is a value that does nothing until it is polled. Awaiting in a loop polls one \
          after another. `join` polls several in turn within one task: their waits overlap, on \
          one thread. `spawn` hands a task to the runtime, which polls it without being asked, \
          and on another thread if it has one. A runtime can only poll while its thread is free: \
          a call that blocks belongs on a thread of its own, by `spawn_blocking`. To cancel a \
          future is to drop it: it is not polled again, and what it owns goes with it. \
          A call that is under way on another thread cannot be dropped.",
    remember: "Await in a loop is one after another; join and spawn wait at the same time. A call \
              that blocks stops every task on its thread.",
    predict: (
        "100 tasks: which of the four ways needs 100 threads?",
        "cargo run -p lab-17-async-basics -- --tasks 100",
    ),
    sources: common::sources!["lib.rs", "cpu.rs", "executor.rs", "cancellation.rs"],
};

const LOOP: &str = "await in a loop";
const JOIN: &str = "join";
const SPAWN: &str = "spawn";
const SPAWN_BLOCKING: &str = "spawn_blocking";
const JOIN_CPU: &str = "join, CPU work";
const SPAWN_CPU: &str = "spawn, CPU work";
const BLOCKED: &str = "call blocks";
const MOVED: &str = "call moved away";
const LOSING: &str = "bytes inside";
const KEEPING: &str = "bytes outside";
const ABORT: &str = "abort";

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let begun = run_on_this_thread(count_begun(args.tasks.get())).context(NO_RUNTIME)?;
    let [made, awaited, spawned] = begun;
    lab.say(format!(
        "begun when all futures were made: {made}; one awaited: {awaited}; the others spawned: {spawned}"
    ));
    claims::laziness(args, lab, begun);

    let all = args.tasks.get();
    wait(args, lab, LOOP, 1, |calls| Box::pin(await_in_a_loop(calls)))?;
    wait(args, lab, JOIN, all, |calls| {
        Box::pin(join_in_one_task(calls))
    })?;
    wait(args, lab, SPAWN, all, |calls| Box::pin(spawn_each(calls)))?;
    wait(args, lab, SPAWN_BLOCKING, all, |calls| {
        Box::pin(spawn_blocking_each(calls))
    })?;
    claims::waits(args, lab);

    work(args, lab)?;

    let plan = args.ticking();
    let (tick, call) = (format::seconds(plan.tick), format::seconds(plan.call));
    lab.say(format!(
        "a light task ticks every {tick}; beside it a call blocks for {call} …"
    ));
    tick_beside(args, lab, BLOCKED, Box::pin(block_the_executor(plan)))?;
    tick_beside(args, lab, MOVED, Box::pin(move_the_call_away(plan)))?;
    claims::blocked(args, lab);

    let plan = args.messages();
    let (messages, every) = (plan.messages, plan.heartbeat_every);
    lab.say(format!(
        "{messages} messages in two halves each; every {every}th half a heartbeat …"
    ));
    let losing = read(args, lab, LOSING, Box::pin(read_losing_bytes(plan)))?;
    let keeping = read(args, lab, KEEPING, Box::pin(read_keeping_bytes(plan)))?;
    claims::dropped_reads(lab, plan, &losing, &keeping);
    abort(args, lab)
}
