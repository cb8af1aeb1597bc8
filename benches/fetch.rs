//! Ten waits: in a row, on threads, as tasks, by the functions of labs 02 and 08.

use common::{
    child,
    http::{SERVER, Server, Url, async_client, blocking_agent, lesson::Fetched},
};
use criterion::Criterion;
use lab_02_threaded_fetch::{fetch_sequential, fetch_threaded};
use lab_08_async_downloader::{download_in_tasks, run_on_this_thread};
use std::{process::ExitCode, time::Duration};

/// The server holds each answer back for 20 ms: that is the floor of what can overlap.
const PATH: &str = "delay/0.02";
const REQUESTS: usize = 10;
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    // The server is a copy of this very program.
    if let Some(code) = child::take_role(&[&SERVER]) {
        return code;
    }
    match Server::start() {
        Ok(server) => bench_fetches(&vec![server.url(PATH); REQUESTS]),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn bench_fetches(urls: &[Url]) {
    let mut criterion = Criterion::default().configure_from_args();
    let (agent, client) = (blocking_agent(TIMEOUT), async_client(TIMEOUT));
    let mut group = criterion.benchmark_group("fetch");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    group.bench_function("sequential", |bencher| {
        bencher.iter(|| checked(fetch_sequential(&agent, urls)));
    });
    group.bench_function("threads", |bencher| {
        bencher.iter(|| checked(fetch_threaded(&agent, urls).expect("threads start")));
    });
    group.bench_function("tasks on one thread", |bencher| {
        bencher.iter(|| {
            checked(run_on_this_thread(download_in_tasks(&client, urls)).expect("a runtime starts"))
        });
    });
    group.finish();
    criterion.final_summary();
}

/// A timed run that lost a page is no run.
fn checked(pages: Vec<Fetched>) {
    let arrived = pages.iter().filter(|page| page.is_ok()).count();
    assert_eq!(arrived, REQUESTS, "all pages");
}
