//! Shows four waits of a second overlap in a pool of threads.

use basics_3_multi_threaded::fetch_multi_threaded;
use common::{
    Lab, Question, Step,
    claim::{Claim, in_flight, threads},
    cli::{WORKERS_LIMIT, up_to},
};
use network::{RequestArgs, Site, lesson};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "basics/3_multi_threaded.py (ThreadPoolExecutor.map)",
    question: "what overlaps?",
    why: "A thread that waits for the network uses no CPU, so many can wait at the same time. A pool \
          has a fixed number of threads, and each has one request out at a time: with more requests \
          than threads the rest queue, and each thread waits several times in a row.",
    remember: "Waiting needs no CPU, so threads can wait at the same time: as many waits at once \
              as the pool has threads.",
    predict: (
        "10 requests on 6 threads: how many waits in a row, how many seconds?",
        "cargo run -p basics-3-multi-threaded -- --requests 10 --workers 6",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");
const SINGLE: &str = "single-threaded";
const MULTI: &str = "multi-threaded";

#[derive(clap::Args, Serialize)]
struct Args {
    /// Threads in the pool, 1 to 512
    ///
    /// Python's ThreadPoolExecutor takes the number of CPUs plus 4 (at most 32) unless told: which
    /// requests overlap then depends on the machine. Here the number is yours, and it is printed.
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<WORKERS_LIMIT>)]
    workers: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    requests: RequestArgs,
}

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "The same requests in a pool of threads: how many times as fast?";
    let ask = Question::faster(MULTI, SINGLE, text);
    lab.predict(
        ask,
        &["not faster", "twice", "three times or more"],
        &[1.5, 2.8],
    );
    let (requests, workers) = (&args.requests, args.workers);
    let site = Site::open(requests, REQUESTS, None)?;
    let (urls, count) = (&site.urls, site.urls.len());

    lab.legend(format!(
        "single-threaded: a pool of 1 thread. multi-threaded: a pool of {workers}."
    ));
    let print = lesson::printer(lab);
    for (name, threads) in [(SINGLE, NonZeroUsize::MIN), (MULTI, workers)] {
        let agent = web::blocking_agent(requests.timeout.0);
        lesson::run(lab, requests, &site, (name, threads.get()), || {
            Ok(fetch_multi_threaded(&agent, urls, threads, &print))
        })?;
    }
    claim(lab, requests, workers.get(), count);
    Ok(())
}

fn claim(lab: &mut Lab, args: &RequestArgs, workers: usize, requests: usize) {
    let at_once = workers.min(requests);
    lab.claim(
        Claim::that(
            "as_many_in_flight_as_threads",
            format!("in flight at once, counted by the server: 1, then {at_once} in the pool"),
        )
        .check(in_flight(SINGLE).equals(1))
        .check(in_flight(MULTI).equals(at_once))
        .in_a_line("requests in flight at once, counted by the server: {left}, then {left2}")
        .headline(),
    );
    lab.claim(
        Claim::that(
            "only_its_threads",
            format!("no threads were seen but the main one and the {workers} of the pool"),
        )
        .check(threads(MULTI).at_most(workers + 1)),
    );
    lab.claim(lesson::waits_overlap(SINGLE, MULTI, at_once, 0.75).headline());
    if args.url.is_empty() {
        let waves = requests.div_ceil(workers);
        lab.claim(lesson::takes_waits(MULTI, waves, args.delay.0));
    }
}
