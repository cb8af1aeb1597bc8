//! Shows how often a race is lost, and why: by trials, and by all orders of its steps.

mod claims;
mod games;
mod programs;
mod trials;

use common::{
    Lab, Question, Step,
    claim::{Count, Figure},
    cli::{increments_up_to, up_to},
};
use games::games;
use interleave::{
    Schedule,
    play::{self, PlayArgs},
};
use programs::STEPS;
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/02_race_conditions.py (COUNTER += 1, no lock)",
    question: "how often does a race go wrong, and why?",
    why: "Which turns threads take depends on timing. Some orders break what should hold and some do \
          not, so trials show how often, never whether. A list of all orders shows whether, for a \
          small program. A repair makes one step of what belongs together: then no bad order exists.",
    remember: "Trials show how often a race goes wrong, never that a program is right. A repair \
              makes one step of what belongs together.",
    predict: (
        "the order ABABABAB, two increments each: how many are counted?",
        "cargo run -p lab-12-race-conditions -- --schedule ABABABAB",
    ),
    sources: common::sources!["lib.rs", "programs.rs", "trials.rs"],
};

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Race with this many threads, 1 to 64; a single one has no other to race with
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>)]
    threads: NonZeroUsize,

    /// Let each thread add one this often, 1 to 10,000,000
    #[arg(long, value_name = "N", default_value = "100_000", value_parser = up_to::<10_000_000>)]
    increments: NonZeroUsize,

    /// Repeat each race this often, 1 to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    trials: NonZeroUsize,

    /// Force this order of loads and stores on real threads, and nothing else: ABBA
    ///
    /// A letter is a step of that thread. Each increment has two, load and store, and all threads
    /// make equally many.
    #[arg(long, value_name = "ORDER", value_parser = parse_schedule,
          conflicts_with_all = ["threads", "increments", "trials"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<Schedule>,

    #[command(flatten)]
    #[serde(skip)]
    play: PlayArgs,
}

fn parse_schedule(text: &str) -> anyhow::Result<Schedule> {
    let schedule: Schedule = text.parse()?;
    schedule.repeats_of(STEPS)?;
    Ok(schedule)
}

fn main() -> ExitCode {
    if let Some(code) = play::take(STEP.package, &games()) {
        return code;
    }
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    if let Some(schedule) = &args.schedule {
        return claims::force_one(lab, schedule);
    }
    let repeats = ("--trials", args.trials);
    increments_up_to(500_000_000, args.threads, args.increments, repeats)?;
    let text = "All orders of two threads, each load then store: how many of the six lose?";
    let wrong = Figure::<Count>::noted(Some("counter"), "orders_that_go_wrong");
    let ask = Question::before("counter", text, wrong, "{} lose an update");
    lab.predict(ask, &["none", "two", "four"], &[0.5, 2.5]);
    lab.legend(
        "counter: the script's. account: two threads check the balance, then withdraw. audit: one \
         thread adds up two accounts while another moves money.",
    );
    claims::try_all(args, lab)
}
