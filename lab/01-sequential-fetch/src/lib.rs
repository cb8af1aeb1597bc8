//! One request after another, each announced before it is sent and reported when its answer is there.

use web::{Agent, Fetched, Url, get_blocking};

/// Fetches one URL after another and reports each on the way.
///
/// Requests are numbered from 1. `on_request` runs before a request is sent, `on_arrival` with its
/// answer before the next one is: both run on the fetching thread, which waits for them.
pub fn fetch_sequential(
    agent: &Agent,
    urls: &[Url],
    mut on_request: impl FnMut(usize),
    mut on_arrival: impl FnMut(usize, &Fetched),
) -> Vec<Fetched> {
    let mut all = Vec::with_capacity(urls.len());
    for (number, url) in (1..).zip(urls) {
        on_request(number);
        let fetched = get_blocking(agent, url);
        on_arrival(number, &fetched);
        all.push(fetched);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, time::Duration};
    use web::{Server, ServerConfig, blocking_agent};

    /// A server on a thread of this process, and a client that gives up on it after `timeout`.
    fn stage(timeout: Duration) -> (Server, Agent) {
        let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
        (server, blocking_agent(timeout))
    }

    #[test]
    fn every_body_comes_home_in_the_order_of_the_urls() {
        let (server, agent) = stage(Duration::from_secs(60));
        for count in [0, 1, 3, 40] {
            let urls: Vec<Url> = (1..=count)
                .map(|n| server.url(&format!("bytes/{n}")))
                .collect();
            let fetched = fetch_sequential(&agent, &urls, |_| (), |_, _| ());
            let lengths = fetched.iter().flatten().map(|page| page.body.len());
            assert!(lengths.eq(1..=count));
        }
    }

    #[test]
    fn each_request_is_told_before_it_is_sent_and_each_answer_before_the_next() {
        let (server, agent) = stage(Duration::from_secs(60));
        let urls = vec![server.url("get"); 3];
        let arrivals = || server.witness().expect("the server answers").arrivals;
        let told = RefCell::new(Vec::new());
        let _ = fetch_sequential(
            &agent,
            &urls,
            |number| told.borrow_mut().push(("request", number, arrivals())),
            |number, one| {
                assert!(one.is_ok());
                told.borrow_mut().push(("arrival", number, arrivals()));
            },
        );
        assert_eq!(
            told.into_inner(),
            [
                ("request", 1, 0),
                ("arrival", 1, 1),
                ("request", 2, 1),
                ("arrival", 2, 2),
                ("request", 3, 2),
                ("arrival", 3, 3),
            ]
        );
    }

    #[test]
    fn a_failed_request_is_told_like_any_other_and_the_next_is_made() {
        let (server, agent) = stage(Duration::from_secs(60));
        let urls =
            ["get", "status/500", "cut/100", "reset", "not-utf8"].map(|path| server.url(path));
        let mut told = Vec::new();
        let fetched = fetch_sequential(&agent, &urls, |_| (), |_, one| told.push(one.clone()));
        let kinds = fetched
            .iter()
            .map(|one| one.as_ref().map_or_else(|e| e.kind(), |_| "fine"));
        assert!(kinds.eq(["fine", "status", "cut", "reset", "fine"]));
        assert_eq!(told, fetched);
    }

    #[test]
    fn a_body_that_stalls_is_given_up() {
        let (server, agent) = stage(Duration::from_millis(100));
        let fetched = fetch_sequential(&agent, &[server.url("stall")], |_| (), |_, _| ());
        let kinds: Vec<_> = fetched.iter().flat_map(|one| one.as_ref().err()).collect();
        assert_eq!(kinds.len(), 1);
        assert_eq!(kinds[0].kind(), "timeout");
    }
}
