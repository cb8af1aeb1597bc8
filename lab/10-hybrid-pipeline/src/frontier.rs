//! Which page comes next, and the result of each.

use crate::parse::Parsed;
use serde::Serialize;
use std::{cell::RefCell, collections::HashSet, mem};
use tokio::sync::Notify;
use web::Url;

/// A page to fetch: its place among all, and where it is.
pub type Target = (usize, Url);

/// The result of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It came and was parsed.
    Parsed(Parsed),
    /// It came, but there is nothing to parse; why.
    Skipped(String),
    /// It did not come, or could not be parsed; why.
    Failed(String),
}

/// One page of a crawl.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageReport {
    /// Where it is.
    pub url: Url,
    /// Whether a link led to it; otherwise it was asked for.
    pub is_found: bool,
    /// Its result, as soon as it is there.
    pub outcome: Option<Outcome>,
}

/// The URLs known so far, each of which is handed out once.
///
/// The order is that of a crawl that fetches one page at a time: the links of a page count only
/// when those of every page before it have been counted, however the answers arrive. So the pages
/// of a crawl do not depend on who was faster. Only the executor's thread uses it.
#[derive(Debug)]
pub struct Frontier(RefCell<State>, Notify);

#[derive(Debug, Default)]
struct State {
    limit: usize,
    pages: Vec<PageReport>,
    seen: HashSet<Url>,
    taken: usize,
    settled: usize,
    /// How many pages, from the first on, have had their links counted.
    counted: usize,
}

impl State {
    fn add(&mut self, urls: impl IntoIterator<Item = Url>, is_found: bool) {
        for mut url in urls {
            url.set_fragment(None);
            if self.pages.len() < self.limit && self.seen.insert(url.clone()) {
                let outcome = None;
                self.pages.push(PageReport {
                    url,
                    is_found,
                    outcome,
                });
            }
        }
    }

    fn take(&mut self) -> Option<Target> {
        let target = (self.taken, self.pages.get(self.taken)?.url.clone());
        self.taken += 1;
        Some(target)
    }
}

impl Frontier {
    /// A frontier with the pages asked for; up to `limit` pages, their links are followed.
    pub fn new(urls: impl IntoIterator<Item = Url>, limit: usize) -> Self {
        let mut state = State {
            limit,
            ..State::default()
        };
        state.add(urls, false);
        Self(RefCell::new(state), Notify::new())
    }

    /// The next of the pages known now.
    pub fn take(&self) -> Option<Target> {
        self.0.borrow_mut().take()
    }

    /// The next page to fetch, waiting for pages under way that may lead to more.
    pub async fn next(&self) -> Option<Target> {
        let next = self.when(|state| {
            let may_grow = state.settled < state.pages.len() && state.pages.len() < state.limit;
            let target = state.take();
            (target.is_some() || !may_grow).then_some(target)
        });
        next.await
    }

    /// Waits until so many pages have a result, or the crawl is over.
    pub async fn settled(&self, pages: usize) {
        let is_there = |state: &mut State| state.settled >= pages.min(state.pages.len());
        self.when(|state| is_there(state).then_some(())).await;
    }

    /// Looks again after every change until there is an answer.
    async fn when<T>(&self, look: impl Fn(&mut State) -> Option<T>) -> T {
        loop {
            // Made before the look: a change between the look and the wait wakes it all the same.
            let changed = self.1.notified();
            let answer = look(&mut self.0.borrow_mut());
            match answer {
                Some(answer) => return answer,
                None => changed.await,
            }
        }
    }

    /// Takes the result of a page, and its links when their turn has come.
    pub fn settle(&self, number: usize, outcome: Outcome) {
        let state = &mut *self.0.borrow_mut();
        state.pages[number].outcome = Some(outcome);
        state.settled += 1;
        while let Some(page) = state.pages.get_mut(state.counted)
            && let Some(outcome) = &mut page.outcome
        {
            state.counted += 1;
            if let Outcome::Parsed(parsed) = outcome {
                let found = mem::take(&mut parsed.found);
                state.add(found, true);
            }
        }
        self.1.notify_waiters();
    }

    /// The pages in breadth-first order.
    pub fn finish(self) -> Vec<PageReport> {
        self.0.into_inner().pages
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
        Frontier::new(urls.iter().map(|path| url(path)), pages)
    }

    fn linking_to(links: &[&str]) -> Outcome {
        Outcome::Parsed(Parsed {
            title: String::new(),
            links: 0,
            found: links.iter().map(|path| url(path)).collect(),
            pid: 0,
        })
    }

    fn take_all(frontier: &Frontier) -> Vec<Target> {
        std::iter::from_fn(|| frontier.take()).collect()
    }

    fn paths(targets: &[Target]) -> Vec<&str> {
        targets.iter().map(|(_, url)| url.path()).collect()
    }

    #[test]
    fn links_count_in_the_order_of_their_pages_not_of_their_arrival() {
        let frontier = frontier(&["a", "b", "c"], 100);
        let [a, b, c] = take_all(&frontier).try_into().expect("three");
        frontier.settle(c.0, linking_to(&["z", "a"]));
        frontier.settle(b.0, linking_to(&["y", "z"]));
        assert!(take_all(&frontier).is_empty(), "`a` comes first");
        frontier.settle(a.0, linking_to(&["x", "b"]));
        assert_eq!(paths(&take_all(&frontier)), ["/x", "/y", "/z"]);
    }

    #[test]
    fn each_page_is_handed_out_once_and_no_more_than_asked_for() {
        let once = frontier(&["a", "a#top", "b"], 3);
        let named = take_all(&once);
        assert_eq!(paths(&named), ["/a", "/b"]);
        once.settle(0, linking_to(&["b", "c#x", "d"]));
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
            frontier.settle(a.0, linking_to(&["a"]));
        });
        assert!(more.is_none());
        let pages = frontier.finish();
        assert_eq!((pages.len(), pages[0].is_found), (1, false));
    }
}
