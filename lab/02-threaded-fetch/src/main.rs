//! Shows ten waits of a second overlap on ten threads.

use anyhow::Context;
use common::{
    Lab, Step, Tally,
    claim::{Claim, number, of, ratio},
};
use lab_02_threaded_fetch::{fetch_sequential, fetch_threaded};
use network::{RequestArgs, lesson};
use std::{num::NonZeroU32, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/02_threaded_fetch.py"],
    question: "one thread per URL: what becomes of the waiting?",
    why: "A thread that waits for the network uses no CPU: the system sets it aside and runs others. \
          So waits overlap even on one CPU, and even in Python, whose GIL is let go around I/O. The \
          waiting is not gone; it is done at the same time.",
    try_next: &[
        "cargo run -p lab-02-threaded-fetch -- --requests 100: still one second? Watch threads and memory",
        "taskset -c 0 cargo run -p lab-02-threaded-fetch: does one CPU change anything?",
        "cargo run -p lab-05-thread-pool-downloader: as many threads as you allow, not as many as URLs",
    ],
};

const REQUESTS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &RequestArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let site = network::open_target(args, REQUESTS)?;
    let (urls, count) = (&site.urls, site.urls.len());

    lab.say(format!("sequential: {count} requests, one after another …"));
    let agent = web::blocking_agent(args.timeout);
    let bound = args.bound(count, 1);
    let fetched = lab
        .variant("sequential")
        .observed_by(&site)
        .bound(bound)
        .limit(1)
        .run_counted(|| Ok(fetch_sequential(&agent, urls)), |all| Tally::of(all))?;
    lesson::note_failures(lab, "sequential", &fetched);

    lab.say(format!("threaded: {count} requests, {count} threads …"));
    let agent = web::blocking_agent(args.timeout);
    let fetched = lab
        .variant("threaded")
        .observed_by(&site)
        .bound(args.bound(count, count))
        .limit(count)
        .run_counted(
            || fetch_threaded(&agent, urls).with_context(|| too_many(count)),
            |all| Tally::of(all),
        )?;
    for (number, one) in (1..).zip(&fetched) {
        lab.say(lesson::line(number, one));
    }
    lesson::note_failures(lab, "threaded", &fetched);
    lesson::say_elapsed(lab, &["sequential", "threaded"]);

    claim(lab);
    Ok(())
}

fn too_many(count: usize) -> String {
    format!("cannot start `{count}` threads, one per request; make fewer with --requests")
}

/// Times alone would also differ where requests failed, or where a server got faster.
fn claim(lab: &mut Lab) {
    let ledgers = ["sequential", "threaded"].map(|variant| lab.ledger(variant));
    let failed: u64 = ledgers.iter().flatten().map(|ledger| ledger.failed).sum();
    let unless_failed = |claim: Claim| match failed {
        0 => claim,
        _ => claim.otherwise(format!(
            "requests failed in both variants together: {failed}; their times say nothing of waits"
        )),
    };
    lab.claim(
        Claim::that("every request was in flight at once, by the server's own count").check(
            of("threaded", "ledger.peak_in_flight").equals(of("threaded", "ledger.submitted")),
        ),
    );
    lab.claim(unless_failed(
        Claim::that("the waits overlapped: the threads took less than half the time")
            .check(of("threaded", "wall_s").below(of("sequential", "wall_s").times(0.5)))
            .check(ratio(of("threaded", "open_s"), of("threaded", "wall_s")).above(number(2)))
            .check(of("sequential", "ledger.failed").equals(number(0)))
            .check(of("threaded", "ledger.failed").equals(number(0))),
    ));
    lab.claim(unless_failed(
        Claim::that(
            "it was waiting, not work: the threads kept one CPU less than half busy, all together",
        )
        .check(of("threaded", "cpu_user_s").below(of("threaded", "wall_s").times(0.25)))
        .check(of("threaded", "cpu_system_s").below(of("threaded", "wall_s").times(0.25)))
        .check(of("threaded", "ledger.failed").equals(number(0))),
    ));
}
