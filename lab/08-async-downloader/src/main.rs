//! Shows ten waits of a second overlap as ten tasks, all on one thread.

use anyhow::Context;
use common::{
    Lab, Question, Step,
    claim::{Claim, all_in_flight, busy, middle_wall, threads},
    format,
};
use lab_08_async_downloader::{
    download_awaiting_each, download_in_tasks, make_without_awaiting, run_on_this_thread,
};
use network::{RequestArgs, Site, lesson};
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/08_asyncio_downloader.py (create_task, gather)",
    question: "can one thread wait for ten answers at once?",
    why: "A future does nothing until it is awaited or spawned as a task. A task that has to wait \
          does not block: it hands its thread back to the runtime, which polls whoever has \
          something to do. So one thread holds as many open requests as there are tasks. Awaiting \
          in a loop starts the next request only when the one before is over: that is \
          asynchronous, and still sequential.",
    remember: "A future (Python: coroutine) does nothing until awaited or spawned (create_task). \
              As tasks, ten can wait at the same time on one thread.",
    predict: (
        "200 tasks of 0.1 s: how many threads, how many seconds?",
        "cargo run -p lab-08-async-downloader -- --requests 200 --delay 0.1",
    ),
    sources: common::sources!["lib.rs"],
};

const REQUESTS: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");
const LOOP: &str = "await in a loop";
const TASKS: &str = "tasks";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "All tasks wait at the same time: how many threads does that take?";
    let ask = Question::before(TASKS, text, threads(TASKS), "{} thread");
    lab.predict(ask, &["one", "one for each"], &[1.5]);
    let site = Site::open(args, REQUESTS, None)?;
    let (urls, count) = (&site.urls, site.urls.len());
    show_laziness(args, lab, &site)?;

    let (client, screen) = (web::async_client(args.timeout.0), lab.screen());
    lesson::run(lab, args, &site, (LOOP, 1), || {
        let print = lesson::answers(&screen);
        await_here(download_awaiting_each(&client, urls, print))
    })?;
    let client = web::async_client(args.timeout.0);
    lesson::run(lab, args, &site, (TASKS, count), || {
        let print = lesson::answers(&screen);
        await_here(download_in_tasks(&client, urls, print))
    })?;
    claim(lab, count);
    Ok(())
}

fn await_here<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    run_on_this_thread(future).context("cannot start a runtime; close some files")
}

/// Makes futures, awaits none, and asks the server what arrived.
fn show_laziness(args: &RequestArgs, lab: &mut Lab, site: &Site) -> anyhow::Result<()> {
    let Some(server) = &site.server else {
        return Ok(());
    };
    server.begin_run()?;
    let made = make_without_awaiting(&web::async_client(args.timeout.0), &site.urls);
    let seen = usize::try_from(server.witness()?.arrivals)?;
    let made = format::counted(made, "future");
    lab.say(format!(
        "{made} (Python: coroutines) made, none awaited: the server saw {seen} requests"
    ));
    let seen = lab.note(None, "requests_seen_by_the_server", seen);
    let text = "futures that were not awaited sent nothing, counted by the server";
    let line = "made, none awaited: the server saw {left} requests";
    let claim = Claim::that("futures_are_lazy", text).in_a_line(format!("{made} {line}"));
    lab.claim(claim.check(seen.equals(0)).headline());
    Ok(())
}

fn claim(lab: &mut Lab, requests: usize) {
    let text = "every request was in flight at once, counted by the server";
    let claim = Claim::that("all_in_flight", text).check(all_in_flight(TASKS));
    lab.claim(claim.headline());
    let text = "no second thread was seen while the tasks ran";
    let claim = Claim::that("one_thread", text).check(threads(TASKS).equals(1));
    lab.claim(claim.headline());
    lab.claim(lesson::waits_overlap(LOOP, TASKS, requests, 0.5).headline());
    let text = "tasks were being polled for less than half of the time";
    let polled = busy(TASKS).below(middle_wall(TASKS) * 0.5);
    lab.claim(Claim::that("polled_briefly", text).check(polled));
    lab.claim(lesson::waiting_not_work(TASKS, 0.5));
}
