//! Shows what a bound on a queue does, a task that never yields, and two ways to stop.

mod claims;
mod flags;

use anyhow::Context;
use common::{
    Lab, Question, Step, Tally,
    claim::{Count, Figure},
};
use flags::Args;
use lab_18_async_producer_consumer::{Pipeline, Plan, compute_in_one_go, compute_yielding};
use std::process::ExitCode;
use tokio::{runtime::Builder, sync::Semaphore};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/08_asyncio_producer_consumer.py (unbounded: asyncio.Queue)",
    question: "who waits for whom?",
    why: "Tasks of one thread take turns only where they `await`. To stop without a loss, stop the \
          producer first: its end of the queue is dropped, and the queue closes.",
    remember: "A bounded queue makes the producer wait for room. A task that never awaits stops \
              all others on its thread.",
    predict: (
        "three consumers instead of one: who waits for whom?",
        "cargo run -p lab-18-async-producer-consumer -- --consumers 3",
    ),
    sources: common::sources!["lib.rs"],
};

/// Pieces of the work beside the pipeline; the polite task awaits after each.
const PIECES: u64 = 30;

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "A task computes without an await: how many items are finished meanwhile?";
    let meanwhile = Figure::<Count>::noted(Some("never awaits"), "items_finished_meanwhile");
    let ask = Question::before("never awaits", text, meanwhile, "{} items finished");
    lab.predict(ask, &["none", "a few", "as many as ever"], &[0.5, 5.0]);
    lab.legend(
        "unbounded, bounded: the queue. never awaits, awaits: a task that computes runs beside them. stop \
         at once, gracefully: all tasks are stopped, or the producer first.",
    );
    let plan = args.plan(lab.seed())?;
    let (items, queue, third) = (args.items, args.queue, args.items.get().div_ceil(3));
    lab.say(format!(
        "items: {items}, room for {queue}; stopped after {third} …"
    ));
    let mut unbounded = plan.clone();
    unbounded.capacity = Semaphore::MAX_PERMITS; // `unbounded_channel`: never full
    let steps = (args.work.get() as u64).div_ceil(PIECES);
    let rows = [
        run(lab, "unbounded", &unbounded, async |_| ())?,
        run(lab, "bounded", &plan, async |_| ())?,
        run(lab, "never awaits", &plan, async |pipeline| {
            pipeline.until_finished(3).await;
            pipeline.tasks.spawn(compute_in_one_go(PIECES, steps));
        })?,
        run(lab, "awaits", &plan, async |pipeline| {
            pipeline.until_finished(3).await;
            pipeline.tasks.spawn(compute_yielding(PIECES, steps));
        })?,
        run(lab, "stop at once", &plan, async |pipeline| {
            pipeline.until_finished(third).await;
            pipeline.stop_at_once();
        })?,
        run(lab, "stop gracefully", &plan, async |pipeline| {
            pipeline.until_finished(third).await;
            pipeline.stop_gracefully();
        })?,
    ];
    claims::show(lab, args, &plan, rows.into_iter().flatten().collect());
    Ok(())
}

/// Runs a pipeline to its end, and `meanwhile` beside it; returns its row in the table, if it was not skipped.
fn run(
    lab: &mut Lab,
    name: &str,
    plan: &Plan,
    meanwhile: impl AsyncFn(&mut Pipeline),
) -> anyhow::Result<Option<Vec<String>>> {
    let variant = lab.variant(name);
    let variant = match name.ends_with("bounded") {
        true => variant,
        false => variant.other_work(),
    };
    let submitted = plan.items.len() as u64;
    let flowing = async || {
        let mut pipeline = Pipeline::start(plan.clone());
        meanwhile(&mut pipeline).await;
        pipeline.finish().await
    };
    let finished = variant.run_counted(
        || {
            let runtime = Builder::new_current_thread().enable_time().build();
            Ok(runtime
                .context("cannot start a runtime")?
                .block_on(flowing()))
        },
        |finished| Tally {
            submitted,
            done: finished.len() as u64,
            cancelled: submitted - finished.len() as u64,
            ..Tally::default()
        },
    )?;
    Ok(finished.map(|finished| claims::note(lab, name, plan, &finished)))
}
