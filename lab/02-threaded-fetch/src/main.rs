//! Shows ten waits of a second overlap on ten threads.

use common::{
    Lab, Question, Step,
    claim::{Claim, all_in_flight},
};
use lab_02_threaded_fetch::{fetch_sequential, fetch_threaded};
use network::{RequestArgs, Site, lesson};
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/02_threaded_fetch.py (threading.Thread, join)",
    question: "one thread per URL: where does the waiting go?",
    why: "A thread that waits for the network uses no CPU: the system sets it aside and runs others. \
          So waits overlap even on one CPU, and even in Python, whose GIL is released around I/O. The \
          waiting is not gone; it is done at the same time.",
    remember: "A thread that waits needs no CPU, so ten threads can wait in the time of one. In \
              Python too: the GIL is released during the wait.",
    predict: (
        "100 requests of 0.1 s on 100 threads: 0.1 s, 1 s or 10 s?",
        "cargo run -p lab-02-threaded-fetch -- --requests 100 --delay 0.1",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "The same requests on a thread each: how many times as fast?";
    let ask = Question::faster("threaded", "sequential", text);
    lab.predict(
        ask,
        &["not faster", "twice", "four times or more"],
        &[1.5, 3.8],
    );
    let site = Site::open(args, REQUESTS, None)?;
    let (urls, count) = (&site.urls, site.urls.len());

    let agent = web::blocking_agent(args.timeout.0);
    let screen = lab.screen();
    lesson::run(lab, args, &site, ("sequential", 1), || {
        Ok(fetch_sequential(&agent, urls, lesson::answers(&screen)))
    })?;
    // Another agent: the first one's connection would be one that the threads need not open.
    let agent = web::blocking_agent(args.timeout.0);
    lesson::run(lab, args, &site, ("threaded", count), || {
        Ok(fetch_threaded(&agent, urls, lesson::answers(&screen)))
    })?;
    claim(lab, count);
    Ok(())
}

fn claim(lab: &mut Lab, requests: usize) {
    lab.claim(
        Claim::that(
            "all_in_flight",
            "every request was in flight at once, counted by the server",
        )
        .check(all_in_flight("threaded"))
        .in_a_line("{left} of {right} requests in flight at once, counted by the server")
        .headline(),
    );
    lab.claim(lesson::waits_overlap("sequential", "threaded", requests, 0.5).headline());
    lab.claim(lesson::waiting_not_work("threaded", 0.5));
}
