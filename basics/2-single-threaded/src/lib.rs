//! Four requests, one after another: the one thread there is waits for each answer in turn.

use web::{Agent, Fetched, Url, get_blocking};

/// Fetches one URL after another; `on_arrival` gets each answer before the next is asked for.
///
/// With it comes the number of the request, counted from 1.
pub fn fetch_single_threaded(
    agent: &Agent,
    urls: &[Url],
    mut on_arrival: impl FnMut(usize, &Fetched),
) -> Vec<Fetched> {
    let mut all = Vec::with_capacity(urls.len());
    for (number, url) in (1..).zip(urls) {
        let fetched = get_blocking(agent, url);
        on_arrival(number, &fetched);
        all.push(fetched);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use web::{Server, ServerConfig, blocking_agent};

    /// A server on a thread of this process, and a client that never gives up on it.
    fn stage() -> (Server, Agent) {
        let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
        (server, blocking_agent(Duration::from_secs(60)))
    }

    #[test]
    fn every_body_comes_home_in_the_order_of_the_urls() {
        let (server, agent) = stage();
        for count in [0, 1, 3, 40] {
            let urls: Vec<Url> = (1..=count)
                .map(|n| server.url(&format!("bytes/{n}")))
                .collect();
            let mut told = Vec::new();
            let fetched = fetch_single_threaded(&agent, &urls, |number, one| {
                told.push((number, one.clone()));
            });
            let lengths = fetched.iter().flatten().map(|page| page.body.len());
            assert!(lengths.eq(1..=count));
            assert_eq!(told, (1..).zip(fetched).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_answer_is_told_before_the_next_request_is_sent() {
        let (server, agent) = stage();
        let urls = vec![server.url("get"); 5];
        let arrivals = || server.witness().expect("the server answers").arrivals;
        let mut seen = Vec::new();
        let _ = fetch_single_threaded(&agent, &urls, |_, _| seen.push(arrivals()));
        assert_eq!(seen, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_failed_request_keeps_its_place_and_the_next_is_made() {
        let (server, agent) = stage();
        let urls = ["get", "status/500", "cut/100", "reset", "html"].map(|path| server.url(path));
        let fetched = fetch_single_threaded(&agent, &urls, |_, _| ());
        let kinds = fetched
            .iter()
            .map(|one| one.as_ref().map_or_else(|e| e.kind(), |_| "fine"));
        assert!(kinds.eq(["fine", "status", "cut", "reset", "fine"]));
    }
}
