//! Which page comes next, and the result of each.

use crate::parse::{Parsed, Reading};
use serde::Serialize;
use std::{cell::RefCell, collections::HashSet, mem, num::NonZeroUsize, time::Duration};
use tokio::sync::Notify;
use web::Url;

/// What to crawl.
#[derive(Clone, Debug)]
pub struct Start {
    /// The pages asked for; each is fetched once, however often it is listed.
    pub urls: Vec<Url>,
    /// The most pages to fetch; more than there are `urls` follows the links on them.
    pub pages: NonZeroUsize,
    /// What the pages are parsed with.
    pub reading: Reading,
}

/// How much of everything may be there at once; together they bound the memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pages being fetched.
    pub in_flight: NonZeroUsize,
    /// Pages between the stages, when both run.
    pub queue: NonZeroUsize,
    /// Pages being parsed or waiting for a free worker.
    pub at_parser: NonZeroUsize,
    /// Pages that the barrier fetches before it parses them.
    pub batch: NonZeroUsize,
}

/// A page to fetch.
#[derive(Debug)]
pub struct Target {
    number: usize,
    /// Where it is.
    pub url: Url,
}

/// The result of a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It came and was parsed.
    Parsed {
        /// What is on it.
        parsed: Parsed,
        /// From the request to the last byte.
        elapsed: Duration,
    },
    /// It came, but there is nothing to parse; why.
    Skipped(String),
    /// It did not come, or could not be parsed; why.
    Failed(String),
}

/// One page in the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageReport {
    /// Where it is.
    pub url: Url,
    /// Whether a link led to it; otherwise it was asked for.
    pub is_found: bool,
    /// Its result.
    pub outcome: Outcome,
}

/// The URLs known so far, each of which is handed out once.
///
/// The order is that of a crawl that fetches one page at a time: the links of a page count only
/// when those of every page before it have been counted, however the answers arrive. So the pages
/// of a crawl do not depend on who was faster. Only the executor's thread uses it.
#[derive(Debug)]
pub struct Frontier {
    state: RefCell<State>,
    changed: Notify,
    limit: usize,
    reading: Reading,
}

#[derive(Debug, Default)]
struct State {
    known: Vec<Url>,
    seen: HashSet<Url>,
    /// How many of `known` were asked for.
    named: usize,
    /// Of the pages handed out, the results that are there, and how many there are.
    outcomes: Vec<Option<Outcome>>,
    settled: usize,
    /// How many pages, from the first on, have had their links counted.
    counted: usize,
}

impl State {
    fn add(&mut self, mut url: Url, limit: usize) {
        url.set_fragment(None);
        if self.known.len() < limit && self.seen.insert(url.clone()) {
            self.known.push(url);
        }
    }

    /// Whether nothing is under way that may lead to more pages.
    fn is_over(&self) -> bool {
        self.settled == self.known.len()
    }
}

impl Frontier {
    /// A frontier with the pages asked for.
    pub fn new(start: &Start) -> Self {
        let (mut state, limit) = (State::default(), start.pages.get());
        for url in &start.urls {
            state.add(url.clone(), limit);
        }
        state.named = state.known.len();
        Self {
            state: RefCell::new(state),
            changed: Notify::new(),
            limit,
            reading: start.reading,
        }
    }

    /// What the pages are parsed with.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The next of the pages known now.
    pub fn take(&self) -> Option<Target> {
        let mut state = self.state.borrow_mut();
        let number = state.outcomes.len();
        let url = state.known.get(number)?.clone();
        state.outcomes.push(None);
        Some(Target { number, url })
    }

    /// The next page to fetch, waiting for pages under way that may lead to more.
    ///
    /// # Cancel safety
    /// A dropped future has taken nothing.
    pub async fn next(&self) -> Option<Target> {
        loop {
            // Made before the look: a change between the look and the wait wakes it all the same.
            let changed = self.changed.notified();
            if let Some(target) = self.take() {
                return Some(target);
            }
            {
                let state = self.state.borrow();
                if state.known.len() == self.limit || state.is_over() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Waits until so many pages have a result, or the crawl is over.
    pub async fn until_settled(&self, pages: usize) {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state.borrow();
                if state.settled >= pages || state.is_over() {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Takes the result of a page, and its links when their turn has come.
    pub fn settle(&self, target: Target, outcome: Outcome) {
        let mut state = self.state.borrow_mut();
        state.outcomes[target.number] = Some(outcome);
        state.settled += 1;
        let mut next = state.counted;
        while let Some(Some(outcome)) = state.outcomes.get_mut(next) {
            let found = match outcome {
                Outcome::Parsed { parsed, .. } => mem::take(&mut parsed.found),
                Outcome::Skipped(_) | Outcome::Failed(_) => Vec::new(),
            };
            for url in found {
                state.add(url, self.limit);
            }
            next += 1;
        }
        state.counted = next;
        drop(state);
        self.changed.notify_waiters();
    }

    /// The pages in breadth-first order.
    pub fn finish(self) -> Vec<PageReport> {
        let State {
            known,
            named,
            outcomes,
            ..
        } = self.state.into_inner();
        let pages = known.into_iter().zip(outcomes.into_iter().flatten());
        let report = |(number, (url, outcome))| PageReport {
            url,
            is_found: number >= named,
            outcome,
        };
        pages.enumerate().map(report).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse("http://h/")
            .and_then(|base| base.join(path))
            .expect("a path")
    }

    fn frontier(urls: &[&str], pages: usize) -> Frontier {
        Frontier::new(&Start {
            urls: urls.iter().map(|path| url(path)).collect(),
            pages: NonZeroUsize::new(pages).expect("tests ask for at least one"),
            reading: Reading::Scraper,
        })
    }

    fn linking_to(links: &[&str]) -> Outcome {
        Outcome::Parsed {
            parsed: Parsed {
                title: String::new(),
                links: 0,
                found: links.iter().map(|path| url(path)).collect(),
                pid: 0,
            },
            elapsed: Duration::ZERO,
        }
    }

    fn take_all(frontier: &Frontier) -> Vec<Target> {
        std::iter::from_fn(|| frontier.take()).collect()
    }

    fn paths(targets: &[Target]) -> Vec<&str> {
        targets.iter().map(|target| target.url.path()).collect()
    }

    #[test]
    fn links_count_in_the_order_of_their_pages_not_of_their_arrival() {
        let frontier = frontier(&["a", "b", "c"], 100);
        let [a, b, c] = take_all(&frontier).try_into().expect("three");
        frontier.settle(c, linking_to(&["z", "a"]));
        frontier.settle(b, linking_to(&["y", "z"]));
        assert!(take_all(&frontier).is_empty(), "`a` comes first");
        frontier.settle(a, linking_to(&["x", "b"]));
        assert_eq!(paths(&take_all(&frontier)), ["/x", "/y", "/z"]);
    }

    #[test]
    fn each_page_is_handed_out_once_and_no_more_than_asked_for() {
        let once = frontier(&["a", "a#top", "b"], 3);
        let mut named = take_all(&once);
        assert_eq!(paths(&named), ["/a", "/b"]);
        once.settle(named.remove(0), linking_to(&["b", "c#x", "d"]));
        assert_eq!(paths(&take_all(&once)), ["/c"]);
        assert_eq!(
            paths(&take_all(&frontier(&["a", "b", "c"], 2))),
            ["/a", "/b"]
        );
    }

    #[tokio::test]
    async fn a_task_that_waits_for_more_pages_learns_that_there_are_none() {
        let frontier = frontier(&["a"], 10);
        let a = frontier.next().await.expect("the first page");
        let (more, ()) = tokio::join!(frontier.next(), async {
            frontier.settle(a, linking_to(&["a"]));
        });
        assert!(more.is_none());
        let pages = frontier.finish();
        assert_eq!((pages.len(), pages[0].is_found), (1, false));
    }
}
