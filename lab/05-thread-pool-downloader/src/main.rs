//! Shows ten waits of a second on a pool of ten threads, each result taken as it completes.

mod claims;
mod flags;

use anyhow::Context;
use common::{
    Experiment, Step, Tally,
    http::{self, SERVER, Site, Url, lesson},
    report::format,
};
use flags::Args;
use lab_05_thread_pool_downloader::{Download, Downloads, download_pooled, download_sequential};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    process::ExitCode,
};

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

fn demonstrate(args: &Args, lab: &mut Experiment) -> anyhow::Result<()> {
    // A connection per worker, and some systems allow only 256 open files at first.
    http::raise_open_files();
    let site = http::open_target(&args.requests, REQUESTS)?;
    let urls = args.urls(&site);
    run_sequential(args, lab, &site, &urls)?;
    for workers in args.half().into_iter().chain([args.workers]) {
        run_pool(args, lab, &site, &urls, workers)?;
    }
    claims::add(args, lab, urls.len());
    Ok(())
}

/// What the variant with a pool of this size is called.
fn pool_of(workers: NonZeroUsize) -> String {
    format!("pool of {workers}")
}

fn tally(downloads: &Downloads) -> Tally {
    Tally::of_checked(&downloads.completed, |one| one.fetched.is_ok())
}

fn run_sequential(
    args: &Args,
    lab: &mut Experiment,
    site: &Site,
    urls: &[Url],
) -> anyhow::Result<()> {
    let count = urls.len();
    lab.say(format!(
        "{SEQUENTIAL}: requests to make: {count}; threads: 1 …"
    ));
    let agent = http::blocking_agent(args.requests.timeout);
    let bar = lab.narrator().progress_bar(count as u64, "pages");
    let downloads = lab
        .variant(SEQUENTIAL)
        .observed_by(site)
        .bound(args.bound(count, 1))
        .limit(1)
        .run_counted(
            || Ok(download_sequential(&agent, urls, |_| bar.inc(1)).into()),
            tally,
        )?;
    bar.finish_and_clear();
    sum_up(lab, SEQUENTIAL, &downloads);
    Ok(())
}

fn run_pool(
    args: &Args,
    lab: &mut Experiment,
    site: &Site,
    urls: &[Url],
    workers: NonZeroUsize,
) -> anyhow::Result<()> {
    let (name, count) = (pool_of(workers), urls.len());
    lab.say(format!(
        "{name}: requests to make: {count}; results as they complete …"
    ));
    let agent = http::blocking_agent(args.requests.timeout);
    let voice = lab.narrator();
    let bar = voice.progress_bar(count as u64, "pages");
    let tell = |one: &_| {
        bar.inc(1);
        voice.say(line(one));
    };
    let downloads = lab
        .variant(&name)
        .observed_by(site)
        .bound(args.bound(count, workers.get()))
        .limit(workers.get())
        .run_counted(
            || {
                let downloads = download_pooled(&agent, urls, workers, tell);
                let downloads = downloads.with_context(|| {
                    format!("cannot start a pool of `{workers}` threads; take fewer with --workers")
                })?;
                Ok(downloads.into())
            },
            tally,
        )?;
    bar.finish_and_clear();
    sum_up(lab, &name, &downloads);
    lab.say(format!(
        "{name}: completed before one asked for earlier: {}",
        downloads.overtaking
    ));
    Ok(())
}

/// A download with its place in the order of completion and its number in the order of asking.
fn line(download: &Download) -> String {
    let line = lesson::line(download.number, &download.fetched);
    format!("{:>4}. {line}", download.place)
}

fn sum_up(lab: &mut Experiment, variant: &str, downloads: &Downloads) {
    lab.say(format!(
        "{variant}: Downloaded {} pages, {} bytes",
        downloads.pages,
        format::count(downloads.bytes as u64)
    ));
    lesson::say_elapsed(lab, &[variant]);
    let fetched = downloads.completed.iter().map(|one| &one.fetched);
    lesson::note_failures(lab, variant, fetched);
}
