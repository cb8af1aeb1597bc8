//! One thread per URL: the waits overlap, though every thread really blocks.

use std::{io, thread};
use ureq::Agent;
use web::{Fetched, Url, get_blocking};

/// Fetches one URL after another on the calling thread.
pub fn fetch_sequential(agent: &Agent, urls: &[Url]) -> Vec<Fetched> {
    urls.iter().map(|url| get_blocking(agent, url)).collect()
}

/// Fetches every URL on a thread of its own; each thread fills the slot of its URL.
///
/// # Errors
/// The system refuses to start another thread.
pub fn fetch_threaded(agent: &Agent, urls: &[Url]) -> io::Result<Vec<Fetched>> {
    let mut slots: Vec<Option<Fetched>> = urls.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for (number, (url, slot)) in (1..).zip(urls.iter().zip(&mut slots)) {
            thread::Builder::new()
                .name(format!("thread {number}"))
                .spawn_scoped(scope, move || *slot = Some(get_blocking(agent, url)))?;
        }
        // Here the scope waits for all of them; a panic in one would go on from here.
        Ok(())
    })
    .map(|()| slots.into_iter().flatten().collect())
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
    fn threads_bring_home_what_one_thread_does_in_the_same_order() {
        for count in [0, 1, 3, 40] {
            let sequential = bodies(count, fetch_sequential);
            let threaded = bodies(count, |agent, urls| {
                fetch_threaded(agent, urls).expect("threads start")
            });
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
        let fetched = fetch_threaded(&agent, &urls).expect("threads start");
        assert_eq!(
            fetched.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}
