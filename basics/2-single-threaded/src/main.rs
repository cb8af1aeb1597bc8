//! Shows one thread wait for four answers in a row.

use basics_2_single_threaded::fetch_single_threaded;
use common::{
    Lab, Question, Step,
    claim::{cpu_user, middle_wall},
};
use network::{RequestArgs, Site, lesson};
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "basics/2_single_threaded.py (requests.get in a loop)",
    question: "four requests, one after another: what does the thread do meanwhile?",
    why: "A blocking call gives the thread back when the whole answer is there. Until then the \
          thread can do nothing else, so the next request is not even sent, and the waits add up. \
          While it waits, a faster processor would not help it.",
    remember: "A thread that waits for an answer can do nothing else, so waits in a row add up.",
    predict: (
        "8 requests instead of 4: how many seconds, and how much CPU time?",
        "cargo run -p basics-2-single-threaded -- --requests 8",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const NAME: &str = "single-threaded";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Four requests on one thread: how much of the time does the CPU work?";
    let ask = Question::before(
        NAME,
        text,
        cpu_user(NAME) / middle_wall(NAME),
        "{} of the time",
    );
    lab.predict(ask, &["next to none", "half", "all of it"], &[0.1, 0.75]);
    let site = Site::open(args, REQUESTS, None)?;
    let (urls, count) = (&site.urls, site.urls.len());

    let agent = web::blocking_agent(args.timeout.0);
    let print = lesson::printer(lab);
    lesson::run(lab, args, &site, (NAME, 1), || {
        Ok(fetch_single_threaded(&agent, urls, &print))
    })?;

    lab.claim(lesson::one_at_a_time(NAME).headline());
    if args.url.is_empty() {
        lab.claim(lesson::takes_waits(NAME, count, args.delay.0).headline());
    }
    lab.claim(lesson::waiting_not_work(NAME, 0.1));
    Ok(())
}
