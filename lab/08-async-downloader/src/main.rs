//! Shows ten waits of a second overlap as ten tasks, all on one thread.

use anyhow::Context;
use common::{
    Lab, Step, Tally,
    claim::{Claim, number, of, ratio, top},
    format,
};
use lab_08_async_downloader::{
    download_awaiting_each, download_in_tasks, make_without_awaiting, run_on_this_thread,
};
use measure::timing;
use network::{RequestArgs, Site, lesson};
use std::{num::NonZeroU32, process::ExitCode};
use web::Fetched;
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/08_asyncio_downloader.py"],
    question: "can one thread wait for ten answers at once?",
    why: "A future does nothing until it is awaited or spawned as a task. A task that has to wait \
          does not block: it hands its thread back to the runtime, which polls whoever has \
          something to do. So one thread holds as many open requests as there are tasks. Awaiting \
          in a loop starts the next request only when the one before is over: that is \
          asynchronous, and still sequential.",
    try_next: &[
        "cargo run -p lab-08-async-downloader -- --requests 200 --delay 0.1: still one thread?",
        "cargo run -p lab-02-threaded-fetch -- --requests 200 --delay 0.1: the same with threads; \
         compare threads and memory",
        "cargo run -p lab-09-async-http-downloader: a limit, and what to do about failures",
    ],
};

const REQUESTS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const LOOP: &str = "await in a loop";
const TASKS: &str = "tasks";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let site = network::open_target(args, REQUESTS)?;
    let (urls, count) = (&site.urls, site.urls.len());
    show_laziness(args, lab, &site)?;

    let client = web::async_client(args.timeout);
    // A future is a value like any other: nothing happens until `run` awaits it and measures that.
    let downloads = download_awaiting_each(&client, urls);
    run(args, lab, &site, LOOP, 1, downloads)?;

    let client = web::async_client(args.timeout);
    let downloads = download_in_tasks(&client, urls);
    let pages = run(args, lab, &site, TASKS, count, downloads)?;
    for (number, one) in (1..).zip(&pages) {
        lab.say(lesson::line(number, one));
    }
    let whole = pages.iter().flatten();
    lab.say(format!(
        "Downloaded {} pages, {} bytes",
        whole.clone().count(),
        format::count(whole.map(|page| page.len() as u64).sum())
    ));
    lesson::say_elapsed(lab, &[LOOP, TASKS]);
    claim(lab, &site);
    Ok(())
}

/// Runs the variant `name`, in which at most `at_once` requests are in flight.
fn run(
    args: &RequestArgs,
    lab: &mut Lab,
    site: &Site,
    name: &str,
    at_once: usize,
    downloads: impl Future<Output = Vec<Fetched>>,
) -> anyhow::Result<Vec<Fetched>> {
    let count = site.urls.len();
    lab.say(format!(
        "{name}: requests to make: {count}; at once: {at_once} …"
    ));
    let pages = lab
        .variant(name)
        .observed_by(site)
        .bound(args.bound(count, at_once))
        .limit(at_once)
        .run_counted(
            || run_on_this_thread(downloads).context("cannot start a runtime; close some files"),
            |all| Tally::of(all),
        )?;
    lesson::note_failures(lab, name, &pages);
    Ok(pages)
}

/// Makes futures, awaits none, and asks the server what arrived.
fn show_laziness(args: &RequestArgs, lab: &mut Lab, site: &Site) -> anyhow::Result<()> {
    let client = web::async_client(args.timeout);
    site.begin_run()?;
    let (made, took) = timing::timed(|| make_without_awaiting(&client, &site.urls));
    let took = format::seconds(took);
    let Some(witness) = site.witness()? else {
        lab.say(format!("futures made: {made}, in {took}; awaited: 0"));
        return Ok(());
    };
    lab.say(format!(
        "futures made: {made}, in {took}; awaited: 0; requests the server saw: {}",
        witness.arrivals
    ));
    lab.param("futures_never_awaited", made);
    lab.param("requests_from_futures_never_awaited", witness.arrivals);
    lab.claim(
        Claim::that("making futures without awaiting them sent nothing, by the server's own count")
            .check(top("params.requests_from_futures_never_awaited").equals(number(0))),
    );
    Ok(())
}

fn claim(lab: &mut Lab, site: &Site) {
    lab.claim(
        Claim::that("every request was in flight at once, by the server's own count")
            .check(of(TASKS, "ledger.peak_in_flight").equals(of(TASKS, "ledger.submitted"))),
    );
    let mut one_thread =
        Claim::that("one thread did it all").check(of(TASKS, "ledger.threads").equals(number(1)));
    if site.urls.iter().any(|url| url.domain().is_some()) {
        one_thread = one_thread
            .otherwise("looking up a host's name blocks, so the runtime has threads for that");
    }
    lab.claim(one_thread);
    claim_overlap(lab, site.urls.len());
    lab.claim(
        Claim::that("the thread was polling tasks for less than half of the time")
            .check(of(TASKS, "busy_s").below(of(TASKS, "wall_s").times(0.5))),
    );
    lab.claim(
        Claim::that("the tasks used a CPU for less than half of the time that they took")
            .check(of(TASKS, "cpu_user_s").below(of(TASKS, "wall_s").times(0.25)))
            .check(of(TASKS, "cpu_system_s").below(of(TASKS, "wall_s").times(0.25))),
    );
}

/// Times alone would also differ where requests failed, or where a server got faster.
fn claim_overlap(lab: &mut Lab, count: usize) {
    let overlap = Claim::that(
        "the waits overlapped: the tasks took less than half of the time of awaiting each",
    )
    .check(of(TASKS, "wall_s").below(of(LOOP, "wall_s").times(0.5)))
    .check(ratio(of(TASKS, "open_s"), of(TASKS, "wall_s")).above(number(2)))
    .check(of(LOOP, "ledger.failed").equals(number(0)))
    .check(of(TASKS, "ledger.failed").equals(number(0)));
    let ledgers = [LOOP, TASKS].map(|variant| lab.ledger(variant));
    let failed: u64 = ledgers.iter().flatten().map(|ledger| ledger.failed).sum();
    lab.claim(match failed {
        0 if count == 1 => overlap.otherwise("one request has nothing to overlap with"),
        0 => overlap,
        _ => overlap.otherwise(format!(
            "requests failed in both variants together: {failed}; their times say nothing of waits"
        )),
    });
}
