//! Shows ten waits of a second on a pool of ten threads, each result taken as it completes.

mod claims;
mod flags;

use anyhow::Context;
use common::{Lab, Step, Tally, format};
use flags::Args;
use lab_05_thread_pool_downloader::{Download, Downloads, download_pooled, download_sequential};
use network::{Site, lesson};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    process::ExitCode,
};
use ureq::Agent;
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/05_thread_pool_downloader.py"],
    question: "what does a pool hand back, and in which order?",
    why: "A pool starts its threads once. Each takes a job from a channel, blocks until it is done, \
          sends back what came of it and takes the next: you set the number of threads, not the \
          list. Results come in the order they are ready, so each carries the number of its \
          request. More requests than threads queue, and the run goes in waves.",
    try_next: &[
        "cargo run -p lab-05-thread-pool-downloader -- --workers 3: watch the bar: how many waves?",
        "cargo run -p lab-05-thread-pool-downloader -- --spread: unequal waits: who is home first, \
         and what can half the threads do?",
        "cargo run -p lab-05-thread-pool-downloader -- --requests 100 --delay 0.1 --workers 50: \
         how many threads, how many connections?",
        "cargo run -p lab-08-async-downloader: as many waits at once, and one thread",
    ],
};

const REQUESTS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const SEQUENTIAL: &str = "sequential";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let site = network::open_target(&args.requests, REQUESTS)?;
    let urls = args.urls(&site);
    run(args, lab, &site, SEQUENTIAL, 1, |agent, tell| {
        Ok(download_sequential(agent, &urls, tell))
    })?;
    for workers in args.half().into_iter().chain([args.workers]) {
        let name = pool_of(workers);
        run(args, lab, &site, &name, workers.get(), |agent, tell| {
            download_pooled(agent, &urls, workers, tell).with_context(|| {
                format!("cannot start a pool of `{workers}` threads; take fewer with --workers")
            })
        })?;
    }
    claims::add(args, lab, urls.len());
    Ok(())
}

/// What the variant with a pool of this size is called.
fn pool_of(workers: NonZeroUsize) -> String {
    format!("pool of {workers}")
}

/// Runs the variant `name` on `threads` threads, and tells of each download as it completes.
fn run(
    args: &Args,
    lab: &mut Lab,
    site: &Site,
    name: &str,
    threads: usize,
    download: impl FnOnce(&Agent, &mut dyn FnMut(&Download)) -> anyhow::Result<Vec<Download>>,
) -> anyhow::Result<()> {
    let count = site.urls.len();
    lab.say(format!(
        "{name}: requests to make: {count}; threads: {threads} …"
    ));
    let (agent, asked) = (
        web::blocking_agent(args.requests.timeout),
        args.asked(count),
    );
    let voice = lab.screen();
    let bar = voice.progress_bar(count as u64, "pages");
    let mut tell = |one: &Download| {
        bar.inc(1);
        voice.say(line(one));
    };
    let downloads = lab
        .variant(name)
        .observed_by(site)
        .bound(args.bound(count, threads))
        .limit(threads)
        .run_counted(
            || Ok(Downloads::new(download(&agent, &mut tell)?, &asked)),
            |all| Tally::of_checked(&all.completed, |one| one.fetched.is_ok()),
        )?;
    bar.finish_and_clear();
    sum_up(lab, name, &downloads);
    Ok(())
}

/// A download with its place in the order of completion and its number in the order of asking.
fn line(download: &Download) -> String {
    let line = lesson::line(download.number, &download.fetched);
    format!("{:>4}. {line}", download.place)
}

fn sum_up(lab: &mut Lab, variant: &str, downloads: &Downloads) {
    lab.say(format!(
        "{variant}: Downloaded {} pages, {} bytes; ahead of one asked for earlier: {}",
        downloads.pages,
        format::count(downloads.bytes as u64),
        downloads.overtaking
    ));
    lesson::say_elapsed(lab, &[variant]);
    let fetched = downloads.completed.iter().map(|one| &one.fetched);
    lesson::note_failures(lab, variant, fetched);
}
