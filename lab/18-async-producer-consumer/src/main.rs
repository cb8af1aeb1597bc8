//! Shows what a bound on a queue does, a task that never yields, and two ways to stop.

mod args;
mod claims;
mod runs;

use args::Args;
use common::{Lab, Step, format};
use lab_18_async_producer_consumer::{
    Plan,
    pipeline::{
        run_beside_hog, run_beside_polite_task, run_pipeline, stop_at_once, stop_gracefully,
    },
};
use runs::{run, run_to_the_end};
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/08_asyncio_producer_consumer.py"],
    question: "who slows down whom, when tasks hand work to each other?",
    why: "A bounded queue makes whoever brings too much wait for room: the slow side sets the pace, \
          and memory stays within the bound. That is backpressure. Without a bound the queue takes \
          the difference for as long as there is memory. Tasks of one thread take turns only \
          where they `await`: one that computes on and on takes the turns of all others, \
          timers among them; `yield_now` gives them back. To stop without a loss, stop the producer \
          first: its end of the queue is dropped, and consumers get what is in it and then `None`.",
    remember: "A bounded queue makes the producer wait for room. A task that never awaits stops \
              all others on its thread.",
    predict: (
        "three consumers instead of one: who waits for whom?",
        "cargo run -p lab-18-async-producer-consumer -- --consumers 3",
    ),
    sources: common::sources!["lib.rs", "pipeline.rs"],
};

const UNBOUNDED: &str = "unbounded";
const BOUNDED: &str = "bounded";
const HOG: &str = "never yields";
const POLITE: &str = "yields";
const AT_ONCE: &str = "stop at once";
const GRACEFUL: &str = "stop gracefully";
const ONE_PANICS: &str = "one panics";
const SOLE_PANICS: &str = "sole one panics";
const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let plan = args.plan(lab.seed())?;
    let (items, queue, consumers) = (args.items, args.queue, args.consumers);
    lab.explain(format!(
        "items {items}, consumers {consumers}; unbounded, then a queue of {queue} …"
    ));
    let open = args::unbounded(&plan);
    let unbounded = run_to_the_end(lab, UNBOUNDED, &open, run_pipeline(open.clone()))?;
    let bounded = run_to_the_end(lab, BOUNDED, &plan, run_pipeline(plan.clone()))?;
    claims::backpressure(args, lab, &unbounded, &bounded);
    compute_beside(args, lab, &plan)?;
    stop(args, lab, &plan)?;
    show_panics(args, lab, &plan)
}

fn compute_beside(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<()> {
    let work = args.work();
    let steps = format::count(work.pieces * work.steps);
    lab.explain(format!(
        "beside them a task computes {steps} steps, then the same yielding …"
    ));
    let (mut in_one_go, mut yielding) = (0, 0);
    let hog = async {
        let (outcome, value) = run_beside_hog(plan.clone(), work).await;
        in_one_go = value;
        outcome
    };
    run_to_the_end(lab, HOG, plan, hog)?;
    let polite = async {
        let (outcome, value) = run_beside_polite_task(plan.clone(), work).await;
        yielding = value;
        outcome
    };
    run_to_the_end(lab, POLITE, plan, polite)?;
    if in_one_go != yielding {
        lab.fail("the two ways to compute differ in what they computed; please report this");
    }
    claims::cooperation(plan, lab);
    Ok(())
}

fn stop(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<()> {
    let after = args.stop_after();
    lab.explain(format!(
        "stopped when {after} are finished: at once, and gracefully …"
    ));
    let stopping = stop_at_once(plan.clone(), after);
    let at_once = run(lab, AT_ONCE, plan, None, stopping)?;
    let stopping = stop_gracefully(plan.clone(), after);
    let graceful = run(lab, GRACEFUL, plan, None, stopping)?;
    claims::shutdown(lab, &at_once, &graceful);
    Ok(())
}

fn show_panics(args: &Args, lab: &mut Lab, plan: &Plan) -> anyhow::Result<()> {
    let several = args::poisoned(plan, args.consumers.max(TWO));
    let alone = args::poisoned(plan, NonZeroUsize::MIN);
    let consumers = several.consumers;
    lab.explain(format!(
        "a consumer panics: one of {consumers}, and the only one …"
    ));
    let one = run(
        lab,
        ONE_PANICS,
        &several,
        None,
        run_pipeline(several.clone()),
    )?;
    let sole = run(lab, SOLE_PANICS, &alone, None, run_pipeline(alone.clone()))?;
    claims::panics(lab, &one, &sole);
    Ok(())
}
