//! Shows a bounded queue at work: two ways to end, backpressure, and a consumer that panics.

mod args;
mod claims;

use args::QueueArgs;
use claims::Figures;
use common::{Lab, Step, Tally, format, panics};
use lab_14_queue_producer_consumer::{
    BadItem, Consumed, Plan, run_until_closed, run_with_sentinels,
};
use std::{collections::BTreeMap, num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/04_queue_producer_consumer.py", "advanced/04_01"],
    question: "a queue between threads: who waits for whom, and how does it end?",
    why: "A bounded queue holds the faster side back. With room in it both go on; when it is full the \
          producer waits, when it is empty the consumers do, and neither asks in a loop. It ends when \
          the producer says so: a sentinel ends one consumer, so each needs its own; closing ends all \
          of them, after the last item. A consumer that panics drops its end. As long as one is left, \
          the work goes on; when none is, the producer gets its item back as an error.",
    remember: "A bounded queue makes the faster side wait: that is backpressure. A sentinel ends \
              one consumer, closing the queue ends all.",
    predict: (
        "one consumer instead of several: who waits for whom?",
        "cargo run -p lab-14-queue-producer-consumer -- --consumers 1",
    ),
    sources: common::sources!["lib.rs", "plan.rs"],
};

/// A way to run.
type Way = fn(&Plan) -> Consumed;

/// The two that do the same work, item by item.
const SENTINEL: &str = "sentinel × 1";
const CLOSING: &str = "closing × 1";

/// Most items listed per consumer.
const LISTED: usize = 12;

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &QueueArgs, lab: &mut Lab) -> anyhow::Result<()> {
    // A panic that is meant is a result here; any other is printed as usual.
    panics::keep_quiet(|info| info.payload().is::<BadItem>());
    let one = args.plan(lab.seed())?;
    let consumers = args.consumers;
    let many = Plan {
        consumers,
        items: one.items * consumers.get() as u64,
        ..one.clone()
    };
    let eager = |plan: &Plan| Plan {
        making: None,
        ..plan.clone()
    };
    let name = |way: &str| format!("{way} × {consumers}");
    let mut runs: Vec<(String, Plan, Way)> = vec![
        (SENTINEL.into(), one.clone(), run_with_sentinels),
        (CLOSING.into(), one.clone(), run_until_closed),
        ("eager × 1".into(), eager(&one), run_until_closed),
    ];
    if consumers > NonZeroUsize::MIN {
        runs.insert(2, (name("sentinels"), many.clone(), run_with_sentinels));
        runs.insert(3, (name("closing"), many.clone(), run_until_closed));
        runs.push((name("eager"), eager(&many), run_until_closed));
    }
    let with_a_bad_item = Plan {
        bad_item: Some(bad_item(many.items)),
        ..eager(&many)
    };
    runs.push(("panic".into(), with_a_bad_item, run_until_closed));
    let mut figures = BTreeMap::new();
    for (name, plan, way) in runs {
        figures.insert(name.clone(), run(lab, &name, &plan, way)?);
    }
    claims::add(lab, args, &figures);
    Ok(())
}

/// The item in the middle.
fn bad_item(items: u64) -> u64 {
    items.div_ceil(2)
}

/// Runs a plan, notes its figures and prints who handled what.
fn run(lab: &mut Lab, name: &str, plan: &Plan, way: Way) -> anyhow::Result<Figures> {
    let (items, consumers) = (plan.items, plan.consumers);
    let s = if consumers.get() == 1 { "" } else { "s" };
    let pace = match (&plan.making, plan.bad_item) {
        (Some(_), _) => String::new(),
        (None, None) => "; the producer never pauses".into(),
        (None, Some(item)) => format!("; a consumer panics on item {item}"),
    };
    let capacity = plan.capacity;
    lab.say(format!(
        "{name}: {items} items, {consumers} consumer{s}, room for {capacity}{pace} …"
    ));
    let mut variant = lab.variant(name);
    if ![SENTINEL, CLOSING].contains(&name) {
        variant = variant.other_work();
    }
    let tally = |(handled, panicked): &Consumed| {
        let (done, failed) = (handled.concat().len() as u64, panicked.len() as u64);
        Tally {
            submitted: items,
            done,
            failed,
            cancelled: items.saturating_sub(done + failed),
            ..Tally::default()
        }
    };
    let consumed = variant.run_counted(|| Ok(way(plan)), tally)?;
    for (number, handled) in (1..=LISTED).zip(&consumed.0) {
        let mut listed: Vec<String> = handled.iter().take(LISTED).map(u64::to_string).collect();
        if handled.len() > LISTED {
            listed.push(format!("and {} more", handled.len() - LISTED));
        }
        lab.say(format!("  consumer {number} handled {}", listed.join(", ")));
    }
    for item in &consumed.1 {
        lab.say(format!("  a consumer panicked on item {item}"));
    }
    let recording = lab.recording(name);
    let waited = |cause| format::seconds(recording.waited(cause));
    lab.say(format!(
        "  at most {} queued; the producer waited {}, consumers {} in all",
        claims::most_queued(&recording),
        waited("queue full"),
        waited("queue empty")
    ));
    Ok(Figures::note(lab, name, plan, &consumed))
}
