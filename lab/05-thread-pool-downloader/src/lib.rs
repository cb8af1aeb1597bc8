//! A pool of threads: as many as you allow, not as many as there are URLs.

mod pool;

pub use pool::{Completed, ThreadPool};

use serde::Serialize;
use std::{collections::BTreeSet, io, num::NonZeroUsize, time::Duration};
use ureq::Agent;
use web::Fetched;
use web::{FetchError, Url, get_blocking};

/// What became of one request.
#[derive(Debug, Serialize)]
pub struct Download {
    /// Its number in the order of asking, from 1: equal URLs have different numbers.
    pub number: usize,
    /// Its place in the order of completion, from 1.
    pub place: usize,
    /// The page, or why there is none.
    pub fetched: Fetched,
}

/// Downloads one URL after another on the calling thread; `tell` hears of each as it completes.
pub fn download_sequential(
    agent: &Agent,
    urls: &[Url],
    mut tell: impl FnMut(&Download),
) -> Vec<Download> {
    let mut downloads = Vec::with_capacity(urls.len());
    for (number, url) in (1..).zip(urls) {
        let download = Download {
            number,
            place: number,
            fetched: get_blocking(agent, url),
        };
        tell(&download);
        downloads.push(download);
    }
    downloads
}

/// Downloads every URL on a pool of `workers` threads, in the order of completion.
///
/// `tell` hears of each as it completes, on the calling thread.
///
/// # Errors
/// The system refuses to start that many threads.
pub fn download_pooled(
    agent: &Agent,
    urls: &[Url],
    workers: NonZeroUsize,
    mut tell: impl FnMut(&Download),
) -> io::Result<Vec<Download>> {
    let mut pool = ThreadPool::new(workers)?;
    for url in urls {
        let (agent, url) = (agent.clone(), url.clone());
        pool.submit(move || get_blocking(&agent, &url));
    }
    let mut downloads = Vec::with_capacity(urls.len());
    for (place, (number, outcome)) in (1..).zip(pool.as_completed()) {
        // One job's panic is one failed request; the others keep their results.
        let fetched = outcome.unwrap_or_else(|_| Err(panicked(&urls[number - 1])));
        let download = Download {
            number,
            place,
            fetched,
        };
        tell(&download);
        downloads.push(download);
    }
    Ok(downloads)
}

fn panicked(url: &Url) -> FetchError {
    FetchError::Other {
        url: url.to_string(),
        reason: "its job panicked".into(),
    }
}

/// All downloads of a run, in the order of completion, and what they come to.
#[derive(Debug, Serialize)]
pub struct Downloads {
    /// Different requests that have a result.
    pub pages: usize,
    /// The length of all pages together.
    pub bytes: usize,
    /// Requests that completed before one asked for earlier.
    pub overtaking: usize,
    /// Results that came sooner than their requests asked to be held back.
    pub early: usize,
    /// Each of them, the first to complete first.
    pub completed: Vec<Download>,
}

impl Downloads {
    /// Adds up `completed`, whose request number n asked to be held back for `asked[n - 1]`.
    pub fn new(completed: Vec<Download>, asked: &[Duration]) -> Self {
        let pages = completed.iter().filter(|one| one.fetched.is_ok());
        let numbers: BTreeSet<usize> = pages.map(|one| one.number).collect();
        let bodies = completed.iter().filter_map(|one| one.fetched.as_ref().ok());
        Self {
            pages: numbers.len(),
            bytes: bodies.map(|page| page.len()).sum(),
            overtaking: count_overtaking(&completed),
            early: count_early(&completed, asked),
            completed,
        }
    }
}

fn count_early(completed: &[Download], asked: &[Duration]) -> usize {
    let is_early = |one: &&Download| {
        let asked = asked.get(one.number - 1).copied().unwrap_or_default();
        one.fetched.as_ref().is_ok_and(|page| page.elapsed < asked)
    };
    completed.iter().filter(is_early).count()
}

fn count_overtaking(completed: &[Download]) -> usize {
    let mut earliest_after = usize::MAX;
    let mut overtaking = 0;
    for download in completed.iter().rev() {
        overtaking += usize::from(download.number > earliest_after);
        earliest_after = earliest_after.min(download.number);
    }
    overtaking
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use web::{Server, ServerConfig, blocking_agent};

    fn server() -> Server {
        Server::in_process(0, ServerConfig::default()).expect("a server in this process")
    }

    fn agent() -> Agent {
        blocking_agent(Duration::from_secs(30))
    }

    fn workers(workers: usize) -> NonZeroUsize {
        NonZeroUsize::new(workers).expect("not zero")
    }

    /// The bodies by the number of their request.
    fn bodies(mut downloads: Vec<Download>) -> Vec<Vec<u8>> {
        downloads.sort_by_key(|one| one.number);
        let numbers = downloads.iter().map(|one| one.number);
        assert!(numbers.eq(1..=downloads.len()), "{downloads:?}");
        let pages = downloads.into_iter().map(|one| one.fetched);
        pages
            .map(|page| page.expect("the server answers").body)
            .collect()
    }

    #[test]
    fn any_pool_brings_home_what_one_thread_does_each_request_once() {
        let (server, agent) = (server(), agent());
        for count in [0, 1, 3, 40] {
            let urls: Vec<Url> = (1..=count)
                .map(|n| server.url(&format!("bytes/{n}")))
                .collect();
            let sequential = bodies(download_sequential(&agent, &urls, |_| ()));
            assert!(sequential.iter().map(Vec::len).eq(1..=count));
            for size in 1..=8 {
                server.begin_run().expect("the server counts");
                let pooled = download_pooled(&agent, &urls, workers(size), |_| ());
                assert_eq!(bodies(pooled.expect("threads start")), sequential);
                let witness = server.witness().expect("the server tells");
                assert_eq!(witness.arrivals, count as u64);
                assert!(witness.peak_in_flight <= size as u64, "{witness:?}");
            }
        }
    }

    #[test]
    fn equal_urls_are_different_downloads() {
        let (server, agent) = (server(), agent());
        let urls = vec![server.url("bytes/7"); 10];
        let downloads = download_pooled(&agent, &urls, workers(4), |_| ());
        let downloads = Downloads::new(downloads.expect("threads start"), &[]);
        assert_eq!((downloads.pages, downloads.bytes), (10, 70));
    }

    #[test]
    fn each_download_is_told_as_it_completes_in_the_order_of_the_result() {
        let (server, agent) = (server(), agent());
        let urls = vec![server.url("get"); 12];
        let mut told = Vec::new();
        let downloads = download_pooled(&agent, &urls, workers(4), |one| {
            told.push((one.place, one.number));
        });
        let downloads = downloads.expect("threads start");
        let returned = downloads.iter().map(|one| (one.place, one.number));
        assert!(returned.eq(told), "{downloads:?}");
        assert!(downloads.iter().map(|one| one.place).eq(1..=12));
    }

    #[test]
    fn a_failed_request_is_a_value_and_spares_the_others() {
        let (server, agent) = (server(), agent());
        let urls = ["get", "status/500", "html"].map(|path| server.url(path));
        let downloads = download_pooled(&agent, &urls, workers(2), |_| ());
        let downloads = Downloads::new(downloads.expect("threads start"), &[]);
        let failed = downloads
            .completed
            .iter()
            .filter(|one| one.fetched.is_err());
        assert!(failed.map(|one| one.number).eq([2]));
        assert_eq!(downloads.pages, 2);
    }

    #[test]
    fn a_result_is_early_if_it_comes_before_what_its_request_asked() {
        let (server, agent) = (server(), agent());
        let urls = ["delay/0.01", "get", "status/500"].map(|path| server.url(path));
        let asked = [10, 60_000, 60_000].map(Duration::from_millis);
        let downloads = download_pooled(&agent, &urls, workers(3), |_| ());
        let downloads = Downloads::new(downloads.expect("threads start"), &asked);
        assert_eq!(downloads.early, 1, "{downloads:?}");
    }

    #[test]
    fn overtaking_is_counted_from_the_order_of_completion() {
        let overtaking = |numbers: &[usize]| {
            let failed = || {
                let url = Url::parse("http://127.0.0.1/").expect("a URL");
                Err(panicked(&url))
            };
            let completed = (1..).zip(numbers).map(|(place, &number)| Download {
                number,
                place,
                fetched: failed(),
            });
            Downloads::new(completed.collect(), &[]).overtaking
        };
        assert_eq!(overtaking(&[]), 0);
        assert_eq!(overtaking(&[1, 2, 3, 4]), 0);
        assert_eq!(overtaking(&[2, 1, 3, 4]), 1);
        assert_eq!(overtaking(&[4, 3, 2, 1]), 3);
    }
}
