//! Shows what a limit does to ten requests, and what a retry does with its permit meanwhile.

mod claims;
mod flags;

use claims::Ran;
use common::{Lab, Step, Tally};
use flags::Args;
use lab_09_async_http_downloader::{Attempts, PermitUse, download_all};
use network::{Site, lesson};
use std::process::ExitCode;
use tokio::runtime::Builder;
use web::{FetchError, Fetched, SERVER};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/09_asyncio_http_downloader.py"],
    question: "how many at once, and what if one fails?",
    why: "A semaphore has a fixed number of permits, and a request needs one to be in flight: the \
          others queue. A failed request backs off before it tries again, longer each time, and by \
          chance a little more or less, so that those which failed together do not return \
          together. While it backs off it asks the server nothing. If it keeps its permit all the \
          same, the requests behind it queue for a permit that nothing uses; if it gives the \
          permit back, the next one goes.",
    remember: "A semaphore limits how many run at once. Give the permit back before you pause to \
              retry, or the others wait for nothing.",
    predict: (
        "limit 2, no failures: how many waves, how many seconds?",
        "cargo run -p lab-09-async-http-downloader -- --limit 2 --faults 0",
    ),
    sources: common::sources!["lib.rs", "retry.rs"],
};

/// The lab's server without faults.
const CALM: &str = "calm";
/// Hosts of the reader's choice.
const YOURS: &str = "yours";
/// A server with faults, and permits kept in back-offs.
const KEPT: &str = "kept";
/// The same server, and permits given back.
const RELEASED: &str = "released";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let site = args.open(None)?;
    let first = if args.requests.needs_server() {
        CALM
    } else {
        YOURS
    };
    let mut ran = vec![run(args, lab, &site, first)?];
    lesson::note_failures(
        lab,
        first,
        ran[0].downloads.iter().flat_map(|attempts| attempts.last()),
    );
    // A server of its own, so that the first part has no faults.
    if let Some(faults) = args.faults(lab.seed()) {
        let faulty = args.open(Some(faults))?;
        for name in [KEPT, RELEASED] {
            ran.push(run(args, lab, &faulty, name)?);
        }
    }
    claims::add(args, lab, &ran);
    Ok(())
}

/// Runs one variant with a client and connections of its own, and prints each result.
fn run(args: &Args, lab: &mut Lab, site: &Site, name: &'static str) -> anyhow::Result<Ran> {
    let (urls, limit, count) = (&site.urls, args.limit, site.urls.len());
    lab.say(format!("{name}: requests {count}, permits {limit} …"));
    let permit_use = match name {
        KEPT => PermitUse::Request,
        _ => PermitUse::Attempt,
    };
    let policy = args.policy(lab.seed());
    let client = web::async_client(args.requests.timeout);
    let fetch = move |url| {
        let client = client.clone();
        async move { web::get_async(&client, &url).await }
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let has_faults = matches!(name, KEPT | RELEASED);
    let measure = lab.variant(name).observed_by(site);
    let measure = measure.bound(args.bound(count, has_faults));
    let measure = if has_faults {
        measure.other_work()
    } else {
        measure.limit(limit.get())
    };
    let downloads = measure.run_counted(
        || Ok(runtime.block_on(download_all(urls, limit, permit_use, &policy, fetch))),
        |all: &Vec<Attempts>| Tally {
            retried: all.iter().map(|attempts| attempts.len() as u64 - 1).sum(),
            ..Tally::of_checked(all, |attempts| matches!(attempts.last(), Some(Ok(_))))
        },
    )?;
    for (number, attempts) in (1..).zip(&downloads) {
        let outcomes: Vec<String> = attempts.iter().map(outcome).collect();
        let result = attempts.last().expect("there was an attempt");
        let line = lesson::line(number, result);
        lab.say(format!("{line}; attempts: {}", outcomes.join(", ")));
    }
    lesson::say_elapsed(lab, &[name]);
    let arrivals = site.witness()?.map(|witness| {
        let arrivals = usize::try_from(witness.arrivals).unwrap_or(usize::MAX);
        lab.count(name, "arrivals_at_the_server", arrivals)
    });
    Ok(Ran {
        name,
        downloads,
        arrivals,
    })
}

/// The status, or the kind of failure where no whole answer came.
fn outcome(fetched: &Fetched) -> String {
    match fetched {
        Ok(page) => page.status.to_string(),
        Err(FetchError::Status { code, .. }) => code.to_string(),
        Err(error) => error.kind().into(),
    }
}
