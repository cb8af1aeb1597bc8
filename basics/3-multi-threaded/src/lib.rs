//! The same requests in a pool of threads: while one waits, the others wait too.

use std::{num::NonZeroUsize, thread};
use web::{Agent, Fetched, Url, get_blocking};

/// Fetches every URL in a pool of `workers` threads, each of which takes the next job when it is free.
pub fn fetch_multi_threaded(
    agent: &Agent,
    urls: &[Url],
    workers: NonZeroUsize,
    on_arrival: impl Fn(usize, &Fetched) + Sync,
) -> Vec<Fetched> {
    let mut slots: Vec<Option<Fetched>> = vec![None; urls.len()];
    let (queue, jobs) = crossbeam::channel::unbounded();
    for job in (1..).zip(urls.iter().zip(&mut slots)) {
        queue.send(job).expect("`jobs` is still here to receive");
    }
    // The queue is closed: a worker that finds it empty ends.
    drop(queue);
    let on_arrival = &on_arrival;
    thread::scope(move |scope| {
        for _ in 0..workers.get() {
            // A receiver each. One `Mutex<Receiver>` for all, locked in the head of the loop, would
            // stay locked while the job is done: the pool would work like a single thread.
            let jobs = jobs.clone();
            scope.spawn(move || {
                for (number, (url, slot)) in jobs {
                    let fetched = get_blocking(agent, url);
                    on_arrival(number, &fetched);
                    *slot = Some(fetched);
                }
            });
        }
    });
    slots.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader, Write},
        net::{TcpListener, TcpStream},
        sync::{Arc, Barrier},
        time::Duration,
    };
    use web::{FetchError, Server, ServerConfig, blocking_agent};

    /// Longer than any machine needs: reached only by a pool that does less at once than it says.
    const LONG: Duration = Duration::from_secs(60);

    fn pool_of(workers: usize) -> NonZeroUsize {
        NonZeroUsize::new(workers).expect("not zero")
    }

    fn server() -> Server {
        Server::in_process(0, ServerConfig::default()).expect("a free port")
    }

    fn bodies(fetched: Vec<Fetched>) -> Vec<Vec<u8>> {
        let pages = fetched
            .into_iter()
            .map(|one| one.expect("the server answers"));
        pages.map(|page| page.body).collect()
    }

    #[test]
    fn a_pool_of_any_size_brings_home_every_body_in_the_order_of_the_urls() {
        let server = server();
        let agent = blocking_agent(LONG);
        for count in [0, 1, 3, 40] {
            let urls: Vec<Url> = (1..=count)
                .map(|n| server.url(&format!("bytes/{n}")))
                .collect();
            for workers in 1..=8 {
                server.begin_run().expect("the server answers");
                let fetched = fetch_multi_threaded(&agent, &urls, pool_of(workers), |_, _| ());
                assert!(bodies(fetched).iter().map(Vec::len).eq(1..=count));
                let seen = server.witness().expect("the server answers");
                assert_eq!(seen.arrivals, count as u64, "each URL once");
                assert!(seen.peak_in_flight <= workers as u64, "{workers}: {seen:?}");
            }
        }
    }

    /// Answers each request only when `at_once` of them are there.
    fn rendezvous(at_once: usize) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let all_there = Arc::new(Barrier::new(at_once));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let all_there = Arc::clone(&all_there);
                thread::spawn(move || serve(connection, &all_there));
            }
        });
        Url::parse(&format!("http://{address}/")).expect("an address makes a URL")
    }

    fn serve(mut connection: TcpStream, all_there: &Barrier) {
        let copy = connection.try_clone().expect("a second handle");
        for line in BufReader::new(copy).lines().map_while(Result::ok) {
            // An empty line ends the head of a request, and there is no body.
            if line.is_empty() {
                all_there.wait();
                // A client that has gone has failed its test already.
                let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
        }
    }

    #[test]
    fn as_many_requests_are_out_at_once_as_the_pool_has_threads() {
        for workers in [2, 4, 8] {
            let urls = vec![rendezvous(workers); 3 * workers];
            let fetched =
                fetch_multi_threaded(&blocking_agent(LONG), &urls, pool_of(workers), |_, _| ());
            assert_eq!(bodies(fetched), vec![b"ok"; 3 * workers]);
        }
    }

    #[test]
    fn one_thread_alone_would_never_be_answered_there() {
        let impatient = blocking_agent(Duration::from_millis(100));
        let fetched = fetch_multi_threaded(&impatient, &[rendezvous(2)], pool_of(1), |_, _| ());
        assert!(matches!(fetched[..], [Err(FetchError::Timeout { .. })]));
    }

    #[test]
    fn a_failed_request_keeps_its_place_and_spares_the_others() {
        let server = server();
        let urls = ["get", "status/500", "cut/100", "reset", "html"].map(|path| server.url(path));
        let fetched = fetch_multi_threaded(&blocking_agent(LONG), &urls, pool_of(3), |_, _| ());
        let kinds = fetched
            .iter()
            .map(|one| one.as_ref().map_or_else(|e| e.kind(), |_| "fine"));
        assert!(kinds.eq(["fine", "status", "cut", "reset", "fine"]));
    }
}
