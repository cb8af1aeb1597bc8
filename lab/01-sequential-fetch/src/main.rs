//! Shows ten waits of a second, one after another, printed as they come.

use common::{
    Lab, Question, Step,
    claim::{Claim, cpu_user, middle_wall, open},
};
use lab_01_sequential_fetch::fetch_sequential;
use network::{RequestArgs, Site, lesson};
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/01_sequential_fetch.py (requests.get in a loop)",
    question: "URL #1 … still waiting …: where do the seconds go?",
    why: "Each request goes out only when the answer before it is whole, so one slow answer holds \
          up all that follow. The thread has nothing to do in the meantime: it sleeps until the \
          system has something to read for it.",
    remember: "One at a time, each request waits for all those before it, and the CPU has nothing \
              to do meanwhile.",
    predict: (
        "3 requests of 3 s each: how many seconds, and how many of work?",
        "cargo run -p lab-01-sequential-fetch -- --requests 3 --delay 3",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");
const NAME: &str = "sequential";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "While these requests run: how much of the time does the CPU work?";
    let ask = Question::before(
        NAME,
        text,
        cpu_user(NAME) / middle_wall(NAME),
        "{} of the time",
    );
    lab.predict(ask, &["next to none", "half", "all of it"], &[0.1, 0.75]);
    let site = Site::open(args, REQUESTS, None)?;
    let agent = web::blocking_agent(args.timeout.0);
    let (voice, print) = (lab.screen(), lesson::printer(lab));
    let wait = |number| voice.say(format!("URL #{number} … still waiting …"));
    lesson::run(lab, args, &site, (NAME, 1), || {
        Ok(fetch_sequential(&agent, &site.urls, wait, &print))
    })?;

    lab.claim(lesson::one_at_a_time(NAME).headline());
    lab.claim(
        Claim::that(
            "waits_add_up",
            "the single waits add up to the whole time, to within a tenth",
        )
        .check(open(NAME).at_most(middle_wall(NAME)))
        .in_a_line("the single waits add up to {left} of the {right}")
        .check(open(NAME).at_least(middle_wall(NAME) * 0.9))
        .headline(),
    );
    lab.claim(lesson::waiting_not_work(NAME, 0.1));
    Ok(())
}
