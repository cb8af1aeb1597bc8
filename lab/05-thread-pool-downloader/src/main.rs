//! Shows ten waits of a second on a pool of five threads, each result taken as it completes.

mod claims;
mod flags;

use common::{Lab, Question, Step, Tally, format};
use flags::Args;
use lab_05_thread_pool_downloader::{Download, download_pooled};
use network::{Site, lesson};
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/05_thread_pool_downloader.py (ThreadPoolExecutor, as_completed)",
    question: "what does a pool hand back, and in which order?",
    why: "A pool starts its threads once. Each takes a job from a channel, blocks until it is done, \
          sends back the result and takes the next: you set the number of threads, not the \
          list. Results come in the order they are ready, so each carries the number of its \
          request. More requests than threads queue, and each thread waits several times in a row.",
    remember: "A pool limits how many requests run at once, however many there are. as_completed() \
              gives results as they get ready, map() in your order.",
    predict: (
        "3 threads, or 10 as in the script: how many waits in a row?",
        "cargo run -p lab-05-thread-pool-downloader -- --workers 3",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");
const SEQUENTIAL: &str = "sequential";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "The same requests in the pool: how many times as fast?";
    let ask = Question::faster(&pool_of(args.workers), SEQUENTIAL, text);
    lab.predict(
        ask,
        &["not faster", "twice", "four times or more"],
        &[1.5, 3.8],
    );
    let site = Site::open(&args.requests, REQUESTS, None)?;
    run(args, lab, &site, SEQUENTIAL, NonZeroUsize::MIN)?;
    for workers in args.pools() {
        run(args, lab, &site, &pool_of(workers), workers)?;
    }
    claims::add(args, lab, site.urls.len());
    Ok(())
}

/// What the variant with a pool of this size is called.
fn pool_of(workers: NonZeroUsize) -> String {
    format!("pool of {workers}")
}

/// Runs the variant `name` on a pool of `workers` threads, and prints what a pool completes, when it does.
fn run(
    args: &Args,
    lab: &mut Lab,
    site: &Site,
    name: &str,
    workers: NonZeroUsize,
) -> anyhow::Result<()> {
    let (urls, threads) = (args.urls(site), workers.get());
    let count = urls.len();
    lab.say(format!("{name}: {} …", format::counted(count, "request")));
    let agent = web::blocking_agent(args.requests.timeout.0);
    let screen = lab.screen();
    let bar = screen.progress_bar(count as u64, "pages");
    let on_arrival = |(number, fetched): &Download| {
        bar.inc(1);
        if name != SEQUENTIAL {
            screen.say(lesson::line(*number, fetched));
        }
    };
    let variant = lab.variant(name).observed_by(site).limit(threads);
    let downloads = variant.bound(args.bound(count, threads)).run_counted(
        || Ok(download_pooled(&agent, &urls, workers, on_arrival)),
        |all| Tally::of_checked(all, |(_, fetched)| fetched.is_ok()),
    )?;
    bar.finish_and_clear();
    let Some(downloads) = downloads else {
        return Ok(());
    };
    let fetched = || downloads.iter().map(|(_, fetched)| fetched);
    let pages = fetched().flatten().count();
    lab.say(format!("Downloaded {}", format::counted(pages, "page")));
    lesson::note_failures(lab, name, fetched());
    claims::note(lab, name, &downloads);
    Ok(())
}
