//! Waits: in a row, on threads, on a pool, as tasks, by the functions of the lessons.

use anyhow::ensure;
use basics_3_multi_threaded::fetch_multi_threaded;
use common::format;
use lab_02_threaded_fetch::{fetch_sequential, fetch_threaded};
use lab_08_async_downloader::download_in_tasks;
use process_pool::child::Program;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    num::NonZeroUsize,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;
use web::Fetched;
use web::{Server, ServerConfig, Url, async_client, blocking_agent};

const TIMEOUT: Duration = Duration::from_secs(30);

/// One second each, as in the lessons: so many rounds must do.
const ROUNDS: usize = 3;

/// As large as lab-05's.
const POOL: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let server = Rc::new(Server::start(&Program::this(), ServerConfig::default())?);
    let (delay, [few, most]) = if setting.plan.is_test {
        (Duration::from_millis(5), [2, 4])
    } else {
        (Duration::from_secs(1), [10, 100])
    };
    let path = format!("delay/{}", delay.as_secs_f64());
    let mut rows = Vec::new();
    for count in [few, most] {
        let fetches = Fetches {
            urls: vec![server.url(&path); count],
            delay,
            _server: Rc::clone(&server),
        };
        let url = server.url(&path).to_string();
        rows.extend(fetches.rows(count == few)?.map(Ok));
        for (way, package) in [
            ("threads", ", http.client"),
            ("requests", ", threads"),
            ("aiohttp", ""),
        ] {
            let (name, words) = (format!("{way}{package}"), [way, &count.to_string(), &url]);
            let peers = setting.python(&name, "fetch.py", &words).into_iter();
            rows.extend(peers.map(|row| row.map(|row| row.at(count as f64))));
        }
    }
    let seconds = format::seconds(delay);
    let title = format!("Requests that are answered after {seconds}; connections are kept");
    let notes = [
        format!("the pool has {POOL} threads, and {most} requests come in waves"),
        format!("sequential is not run for {most} requests: it takes {most} waits, one by one"),
    ];
    Ok(Group::new(title, Unit::Time, Vec::new())
        .in_counts_of(1, 1)
        .along("requests")
        .with(rows)
        .in_at_most(ROUNDS)
        .noting(notes))
}

/// The same requests for every row.
#[derive(Clone)]
struct Fetches {
    urls: Vec<Url>,
    delay: Duration,
    /// Lives as long as a row that asks it.
    _server: Rc<Server>,
}

impl Fetches {
    fn rows(self, is_first: bool) -> anyhow::Result<impl Iterator<Item = Row>> {
        let place = self.urls.len() as f64;
        let here = Builder::new_current_thread().enable_all().build()?;
        let everywhere = Builder::new_multi_thread().enable_all().build()?;
        let [one, all] = [async_client(TIMEOUT), async_client(TIMEOUT)];
        // An agent for each row: connections stay with it.
        let agents: [_; 3] = std::array::from_fn(|_| blocking_agent(TIMEOUT));
        let [alone, threads, pool] = agents;
        let mut rows = vec![Row::bound("the longest wait", self.delay)];
        if is_first {
            let work = move |urls: &[Url]| Ok(fetch_sequential(&alone, urls, |_, _| ()));
            rows.push(self.row("sequential", work).once());
        }
        rows.extend([
            self.row("threads", move |urls| {
                Ok(fetch_threaded(&threads, urls, |_, _| ()))
            }),
            self.row("pool of 10", move |urls| {
                Ok(fetch_multi_threaded(&pool, urls, POOL, |_, _| ()))
            })
            .cold(),
            self.row("async, one thread", move |urls| {
                Ok(here.block_on(download_in_tasks(&one, urls, |_, _| ())))
            }),
            self.row("async, all CPUs", move |urls| {
                Ok(everywhere.block_on(download_in_tasks(&all, urls, |_, _| ())))
            }),
        ]);
        Ok(rows.into_iter().map(move |row| row.at(place)))
    }

    fn row(
        &self,
        name: &str,
        mut fetch: impl FnMut(&[Url]) -> anyhow::Result<Vec<Fetched>> + 'static,
    ) -> Row {
        let own = self.clone();
        // A method: a closure that names fields would let go of the server.
        Row::ours(name, move |count| own.turn(count, &mut fetch))
    }

    fn turn(
        &self,
        count: u64,
        fetch: &mut impl FnMut(&[Url]) -> anyhow::Result<Vec<Fetched>>,
    ) -> anyhow::Result<Duration> {
        let mut took = Duration::ZERO;
        for _ in 0..count {
            let start = Instant::now();
            let pages = fetch(&self.urls)?;
            took += start.elapsed();
            ensure!(pages.len() == self.urls.len(), "pages are missing");
            for page in pages {
                page?;
            }
        }
        Ok(took)
    }
}
