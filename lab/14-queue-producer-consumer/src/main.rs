//! Shows a bounded queue at work: two ways to end, backpressure, and a consumer that panics.

mod claims;
mod flags;

use common::{
    Lab, Question, Step, Tally,
    claim::{Count, Figure},
    panics,
};
use flags::Args;
use lab_14_queue_producer_consumer::{
    BadItem, Consumed, Item, run_until_closed, run_with_sentinels,
};
use std::{num::NonZeroUsize, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/04_queue_producer_consumer.py, advanced/04_01 (queue.Queue)",
    question: "a queue: who waits, and how does it end?",
    why: "While the queue is full the producer waits, while it is empty the consumers wait, and \
          neither asks in a loop. When a consumer panics, the others go on; when none is left, the \
          producer gets its item back as an error.",
    remember: "A bounded queue makes the faster side wait: that is backpressure. A sentinel ends \
              one consumer, closing the queue ends all.",
    predict: (
        "one consumer instead of several: who waits for whom?",
        "cargo run -p lab-14-queue-producer-consumer -- --consumers 1",
    ),
    sources: common::sources!["lib.rs"],
};

/// What is run: its name, how many consumers, the items, and a function that takes them and a capacity.
type Run<'a> = (
    &'a str,
    NonZeroUsize,
    &'a [Item],
    fn(&[Item], usize, usize) -> Consumed,
);

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    args.check()?;
    // A panic that is meant is a result here; any other is printed as usual.
    panics::keep_quiet(|info| info.payload().is::<BadItem>());
    let (one, all) = (NonZeroUsize::MIN, args.consumers);
    let makes = Duration::ZERO;
    let many = args.items(lab.seed());
    let eager_many: Vec<Item> = many.iter().map(|&it| Item { makes, ..it }).collect();
    let [few, eager_few] = [&many, &eager_many].map(|items| &items[..args.items.get()]);
    let mut bad = eager_many.clone();
    bad[many.len().div_ceil(2) - 1].is_bad = true;
    let mut runs: Vec<Run<'_>> = vec![
        ("sentinel", one, few, run_with_sentinels),
        ("closing", one, few, run_until_closed),
        ("sentinels", all, &many, run_with_sentinels),
        ("closing", all, &many, run_until_closed),
        ("eager", one, eager_few, run_until_closed),
        ("eager", all, &eager_many, run_until_closed),
        ("panic", all, &bad, run_until_closed),
    ];
    if all == one {
        runs = vec![runs[0], runs[1], runs[4], runs[6]];
    }
    let (few, many, capacity) = (few.len(), many.len(), args.capacity);
    lab.say(format!(
        "items: {few} for one consumer, {many} for {all}; room for {capacity} …"
    ));
    let room = capacity.get() as f64;
    let queued = Figure::<Count>::noted(Some("eager × 1"), "most_items_queued");
    let text = "A producer that never pauses: how many items queue at most?";
    let ask = Question::before("eager × 1", text, queued, "{} queued at most");
    let answers = ["a few", "as many as there is room for", "all of them"];
    lab.predict(ask, &answers, &[0.7 * room, room + 1.5]);
    let rows = runs.into_iter().map(|run| measure(lab, args, run));
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    claims::show(lab, args, rows.into_iter().flatten().collect());
    Ok(())
}

/// Runs a variant; returns its row in the table, if it was not skipped.
fn measure(lab: &mut Lab, args: &Args, run: Run<'_>) -> anyhow::Result<Option<Vec<String>>> {
    let (way, consumers, items, run) = run;
    let name = match way {
        "panic" => "panic".into(),
        way => format!("{way} × {consumers}"),
    };
    let mut variant = lab.variant(&name);
    if !["sentinel × 1", "closing × 1"].contains(&name.as_str()) {
        variant = variant.other_work();
    }
    let submitted = items.len() as u64;
    let consumed = variant.run_counted(
        || Ok(run(items, consumers.get(), args.capacity.get())),
        |(handled, panics)| {
            let (done, failed) = (handled.concat().len() as u64, *panics as u64);
            Tally {
                submitted,
                done,
                failed,
                cancelled: submitted - done - failed,
                ..Tally::default()
            }
        },
    )?;
    Ok(consumed.map(|consumed| claims::note(lab, &name, &consumed)))
}
