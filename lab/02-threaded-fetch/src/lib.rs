//! One thread per URL: the waits overlap, though every thread really blocks.

use std::thread;
use web::{Agent, Fetched, Url, get_blocking};

/// Fetches one URL after another on the calling thread.
///
/// `on_arrival` gets each answer and its number as it comes.
pub fn fetch_sequential(
    agent: &Agent,
    urls: &[Url],
    on_arrival: impl Fn(usize, &Fetched),
) -> Vec<Fetched> {
    let mut pages = Vec::with_capacity(urls.len());
    for (number, url) in (1..).zip(urls) {
        let fetched = get_blocking(agent, url);
        on_arrival(number, &fetched);
        pages.push(fetched);
    }
    pages
}

/// Fetches every URL on a thread of its own; the answers are in the order of the URLs.
pub fn fetch_threaded(
    agent: &Agent,
    urls: &[Url],
    on_arrival: impl Fn(usize, &Fetched) + Sync,
) -> Vec<Fetched> {
    let on_arrival = &on_arrival;
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(urls.len());
        for (number, url) in (1..).zip(urls) {
            threads.push(scope.spawn(move || {
                let fetched = get_blocking(agent, url);
                on_arrival(number, &fetched);
                fetched
            }));
        }
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|fetched| fetched.expect("no thread panics"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use web::{Server, ServerConfig, blocking_agent};

    /// The bodies of `/bytes/1`, `/bytes/2` … as both variants fetch them.
    fn bodies(count: usize, fetch: impl Fn(&Agent, &[Url]) -> Vec<Fetched>) -> Vec<Vec<u8>> {
        let server =
            Server::in_process(0, ServerConfig::default()).expect("a server in this process");
        let agent = blocking_agent(Duration::from_secs(30));
        let urls: Vec<Url> = (1..=count)
            .map(|n| {
                server
                    .base_url()
                    .join(&format!("bytes/{n}"))
                    .expect("a path")
            })
            .collect();
        let pages = fetch(&agent, &urls).into_iter();
        pages
            .map(|page| page.expect("the server answers").body)
            .collect()
    }

    #[test]
    fn threads_fetch_what_one_thread_does_in_the_same_order() {
        for count in [0, 1, 3, 40] {
            let sequential = bodies(count, |agent, urls| {
                fetch_sequential(agent, urls, |_, _| ())
            });
            let threaded = bodies(count, |agent, urls| fetch_threaded(agent, urls, |_, _| ()));
            assert_eq!(threaded, sequential);
            assert!(sequential.iter().map(Vec::len).eq(1..=count));
        }
    }

    #[test]
    fn a_failed_request_keeps_its_slot_and_spares_the_others() {
        let server =
            Server::in_process(0, ServerConfig::default()).expect("a server in this process");
        let agent = blocking_agent(Duration::from_secs(30));
        let urls =
            ["get", "status/500", "html"].map(|path| server.base_url().join(path).expect("a path"));
        let fetched = fetch_threaded(&agent, &urls, |_, _| ());
        assert_eq!(
            fetched.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}
