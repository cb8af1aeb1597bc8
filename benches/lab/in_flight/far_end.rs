//! A client of ours in a process of its own: a copy of this program that speaks the peers' protocol.

use super::{by_hand, hyper};
use anyhow::{bail, ensure};
use lab_02_threaded_fetch::fetch_threaded;
use lab_08_async_downloader::{download_in_tasks, run_on_this_thread};
use measure::host;
use side_by_side::{Turn, serve};
use std::{
    env, fs,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use web::Fetched;
use web::{Url, async_client, blocking_agent};

/// The argument that makes this program a client; which one follows the `=`, and then the URL.
pub(super) const ARGUMENT: &str = "--in-flight=";

const TIMEOUT: Duration = Duration::from_mins(1);

/// Serves as a client if this process was started as one.
pub(crate) fn take_role() -> Option<ExitCode> {
    let mut args = env::args().skip(1);
    let way = args.next()?.strip_prefix(ARGUMENT)?.to_owned();
    let url = args.next()?.parse().ok()?;
    host::raise_open_files();
    Some(serve(|count| {
        let took = run(&way, &url, usize::try_from(count)?)?;
        let peak_bytes = peak_bytes();
        Ok(Turn { took, peak_bytes })
    }))
}

fn run(way: &str, url: &Url, count: usize) -> anyhow::Result<Duration> {
    match way {
        "sockets" => by_hand::turn(url, count),
        "hyper" => hyper::turn(url, count),
        "threads" => in_threads(url, count),
        "tasks" => in_tasks(url, count),
        _ => bail!("`{way}` is no way"),
    }
}

fn in_tasks(url: &Url, count: usize) -> anyhow::Result<Duration> {
    let urls = vec![url.clone(); count];
    let client = async_client(TIMEOUT);
    let (took, pages) = run_on_this_thread(timed(download_in_tasks(&client, &urls, |_, _| ())))?;
    check(pages, count)?;
    Ok(took)
}

fn in_threads(url: &Url, count: usize) -> anyhow::Result<Duration> {
    let urls = vec![url.clone(); count];
    let agent = blocking_agent(TIMEOUT);
    let start = Instant::now();
    let pages = fetch_threaded(&agent, &urls, |_, _| ());
    let took = start.elapsed();
    check(pages, count)?;
    Ok(took)
}

/// Until the last answer: when its runtime ends, connections close, which no peer is asked to do.
pub(super) async fn timed<T>(future: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let output = future.await;
    (start.elapsed(), output)
}

/// So many requests, each in a task of its own, all started at once.
pub(super) async fn in_tasks_of_their_own<Answer, Get>(
    count: usize,
    get: impl Fn() -> Get,
) -> anyhow::Result<Vec<Answer>>
where
    Answer: Send + 'static,
    Get: Future<Output = anyhow::Result<Answer>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(get());
    }
    let mut answers = Vec::with_capacity(count);
    while let Some(answer) = tasks.join_next().await {
        answers.push(answer??);
    }
    Ok(answers)
}

fn check(pages: Vec<Fetched>, count: usize) -> anyhow::Result<()> {
    ensure!(pages.len() == count, "pages are missing");
    for page in pages {
        let page = page?;
        check_answer(page.status, &page.body)?;
    }
    Ok(())
}

/// The server tells what it was asked, as JSON.
pub(super) fn check_answer(status: u16, body: &[u8]) -> anyhow::Result<()> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    ensure!(
        status == 200 && answer["origin"].is_string(),
        "a wrong answer: {status}, {answer}"
    );
    Ok(())
}

/// The most memory that this process ever held, where the system tells it.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
