//! Shows what a limit does to ten requests, and what a retry does with its permit meanwhile.

mod claims;
mod flags;

use claims::ARRIVALS;
use common::{Lab, Question, Step, Tally, claim::wall};
use flags::{Args, REQUESTS};
use lab_09_async_http_downloader::{Attempts, PermitUse, download_all};
use network::{Site, lesson};
use std::{process::ExitCode, time::Duration};
use tokio::runtime::Builder;
use web::{FetchError, SERVER};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/09_asyncio_http_downloader.py (Semaphore, retries)",
    question: "how many at once, and what if one fails?",
    why: "While a request backs off it asks the server nothing. If it keeps its permit all the same, \
          the requests behind it queue for a permit that nothing uses.",
    remember: "A semaphore limits how many run at once. Give the permit back before you pause to \
              retry, or the others wait for nothing.",
    predict: (
        "limit 2, no failures: how many seconds?",
        "cargo run -p lab-09-async-http-downloader -- --limit 2 --faults 0",
    ),
    sources: common::sources!["lib.rs", "retry.rs"],
};

const CALM: &str = "no failures";
/// In place of `CALM`, for hosts of the reader's choice.
const YOURS: &str = "yours";
/// A server with faults; permits kept through back-offs, and given back.
const KEPT: &str = "kept";
const RELEASED: &str = "released";

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    lab.legend("kept (the script's), released: a failed request's permit. Same faults in both.");
    let site = Site::open(&args.requests, REQUESTS, None)?;
    let first = [YOURS, CALM][usize::from(args.requests.needs_server())];
    let text = "Ten requests, five permits: how many waits in a row does it take?";
    let one_wait = args.requests.delay.0.max(Duration::from_nanos(1));
    let ask = Question::before(first, text, wall(first) / one_wait, "{} times one wait");
    lab.predict(ask, &["one", "two", "ten"], &[1.5, 3.5]);
    let (count, limit) = (site.urls.len(), args.limit);
    lab.say(format!("requests {count}, permits {limit}"));
    let downloads = run(args, lab, &site, first)?;
    lesson::note_failures(lab, first, downloads.iter().flat_map(|all| all.last()));
    let mut ran = vec![first];
    // A server of its own, so that the first part has no faults.
    if let Some(faults) = args.faults(lab.seed()) {
        let mut faulty = Site::open(&args.requests, REQUESTS, Some(faults))?;
        for (number, url) in (1..).zip(&mut faulty.urls) {
            // Its faults are those of its URL, whenever it arrives: the same in both variants.
            url.set_query(Some(&format!("request={number}")));
        }
        for name in [KEPT, RELEASED] {
            run(args, lab, &faulty, name)?;
            ran.push(name);
        }
    }
    claims::add(args, lab, &ran, count);
    Ok(())
}

/// Runs one variant with a client and connections of its own, and prints results as they arrive.
fn run(args: &Args, lab: &mut Lab, site: &Site, name: &str) -> anyhow::Result<Vec<Attempts>> {
    let (urls, limit, count) = (&site.urls, args.limit, site.urls.len());
    lab.say(format!("{name} …"));
    let permit_use = [PermitUse::Attempt, PermitUse::Request][usize::from(name == KEPT)];
    let (policy, screen) = (args.policy(lab.seed()), lab.screen());
    let client = web::async_client(args.requests.timeout.0);
    let fetch = move |url| {
        let client = client.clone();
        async move { web::get_async(&client, &url).await }
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let measure = lab.variant(name).observed_by(site);
    let bound = args.requests.bound(count, limit.get());
    let measure = match name {
        KEPT | RELEASED => measure.other_work(),
        _ => measure.limit(limit.get()).bound(bound),
    };
    let downloads = measure.run_counted(
        || {
            let print = lesson::arrivals(&screen);
            let say = |number, attempts: &Attempts| print(number, &remark(attempts));
            let downloading = download_all(urls, limit, permit_use, &policy, fetch.clone(), say);
            Ok(runtime.block_on(downloading))
        },
        |all: &Vec<Attempts>| Tally {
            retried: all.iter().map(|attempts| attempts.len() as u64 - 1).sum(),
            ..Tally::of_checked(all, |attempts| matches!(attempts.last(), Some(Ok(_))))
        },
    )?;
    let downloads = downloads.unwrap_or_default();
    claims::note(lab, name, &downloads);
    if let Some(server) = &site.server {
        lab.note(name, ARRIVALS, server.witness()?.arrivals as usize);
    }
    Ok(downloads)
}

/// How a request went that took more than one attempt, or failed: statuses, and the kinds of failures.
fn remark(attempts: &Attempts) -> String {
    if let [Ok(_)] = attempts[..] {
        return String::new();
    }
    let outcomes = attempts.iter().map(|fetched| match fetched {
        Ok(page) => page.status.to_string(),
        Err(FetchError::Status { code, .. }) => code.to_string(),
        Err(error) => error.kind().into(),
    });
    format!(" ({})", outcomes.collect::<Vec<_>>().join(", "))
}
