//! Shows what a limit does to ten requests, and what a retry does with its place meanwhile.

mod claims;
mod flags;
mod parts;

use common::{Lab, Step};
use flags::Args;
use lab_09_async_http_downloader::{Downloads, download_all};
use network::{Site, lesson};
use parts::{Part, say_begin, say_end};
use std::process::ExitCode;
use tokio::runtime::Builder;
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/09_asyncio_http_downloader.py"],
    question: "how many at once, and what if one fails?",
    why: "A semaphore has a fixed number of permits, and a request needs one to be in flight: the \
          others queue. A failed request rests before it tries again, longer each time, and by \
          chance a little more or less, so that those which failed together do not return \
          together. While it rests it asks the server nothing. If it keeps its permit all the \
          same, its place stays empty and the queue behind it waits for nothing; if it gives the \
          permit back, the next one goes.",
    try_next: &[
        "cargo run -p lab-09-async-http-downloader -- --limit 2 --faults 0: how many waves?",
        "cargo run -p lab-09-async-http-downloader -- --faults 2 --seed 7: worse weather; are \
         three attempts still enough?",
        "cargo run -p lab-09-async-http-downloader -- --faults --fault-kinds stall --timeout 2: \
         a server that goes silent",
        "cargo run -p lab-10-hybrid-pipeline: fetched pages are parsed while others are on their way",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[&SERVER], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let site = args.open()?;
    let first = if args.requests.needs_server() {
        Part::Calm
    } else {
        Part::Yours
    };
    let mut ran = vec![(first, run(args, lab, &site, first)?)];
    let fetched = ran[0].1.requests.iter().map(|one| &one.fetched);
    lesson::note_failures(lab, first.name(), fetched);
    // A server of its own, so that what it is told to do to others leaves the first part alone.
    if let Some(faulty) = args.open_faulty(lab.seed())? {
        for part in [Part::Kept, Part::Released] {
            ran.push((part, run(args, lab, &faulty, part)?));
        }
    }
    claims::add(args, lab, &ran);
    Ok(())
}

/// Runs one variant, with a client and connections of its own, and tells what came.
fn run(args: &Args, lab: &mut Lab, site: &Site, part: Part) -> anyhow::Result<Downloads> {
    let (name, urls) = (part.name(), &site.urls);
    say_begin(args, lab, part, urls.len());
    let policy = args.policy(lab.seed());
    let client = web::async_client(args.requests.timeout);
    let fetch = move |url| {
        let client = client.clone();
        async move { web::get_async(&client, &url).await }
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let measure = lab.variant(name).observed_by(site);
    let measure = if part.has_faults() {
        measure.bound(args.bound_of_attempts()).other_work()
    } else {
        measure
            .bound(args.bound(urls.len()))
            .limit(args.limit.get())
    };
    let downloads = measure.run_counted(
        || {
            let all = download_all(urls, args.limit, part.permit_use(), &policy, fetch);
            Ok(Downloads::new(runtime.block_on(all), &policy))
        },
        Downloads::tally,
    )?;
    if let Some(witness) = site.witness()? {
        lab.param(&format!("{name}_seen_by_server"), witness);
    }
    say_end(lab, part, &downloads);
    Ok(downloads)
}
