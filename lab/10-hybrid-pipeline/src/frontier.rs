//! Which page comes next, and the result of each.

use crate::parse::Parsed;
use std::{cell::RefCell, collections::HashSet, mem};
use tokio::sync::Notify;
use web::Url;

/// A page to fetch: its place among all, and where it is.
pub type Target = (usize, Url);

/// The result of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came and was parsed; the frontier has taken the pages that it leads to.
    Parsed(Parsed),
    /// It came, but there is nothing to parse; why.
    Skipped(String),
    /// It did not come, or could not be parsed; why.
    Failed(String),
}

/// One page of a crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
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
/// The links of a page count only when those of every page before it have been counted, however the
/// answers arrive. So the pages of a crawl do not depend on who was faster. Only one thread uses it.
#[derive(Debug, Default)]
pub struct Frontier {
    state: RefCell<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    limit: usize,
    pages: Vec<PageReport>,
    seen: HashSet<Url>,
    taken: usize,
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
}

impl Frontier {
    /// A frontier with the pages asked for; up to `limit` pages, their links are followed.
    pub fn new(urls: impl IntoIterator<Item = Url>, limit: usize) -> Self {
        let frontier = Self::default();
        frontier.state.borrow_mut().limit = limit;
        frontier.state.borrow_mut().add(urls, false);
        frontier
    }

    /// The next of the pages known now.
    pub fn take(&self) -> Option<Target> {
        let state = &mut *self.state.borrow_mut();
        let url = state.pages.get(state.taken)?.url.clone();
        state.taken += 1;
        Some((state.taken - 1, url))
    }

    /// The next page to fetch, waiting for pages under way that may lead to more.
    pub async fn next(&self) -> Option<Target> {
        loop {
            // Made before the look: a change between the look and the wait wakes it all the same.
            let changed = self.changed.notified();
            let (known, limit) = (self.state.borrow().pages.len(), self.state.borrow().limit);
            let may_grow = self.state.borrow().counted < known && known < limit;
            match self.take() {
                None if may_grow => changed.await,
                next => return next,
            }
        }
    }

    /// Waits until the first so many pages have a result, or the crawl is over.
    pub async fn settled(&self, pages: usize) {
        let known = || self.state.borrow().pages.len();
        while self.state.borrow().counted < pages.min(known()) {
            self.changed.notified().await;
        }
    }

    /// Takes the result of a page, and its links when their turn has come.
    pub fn settle(&self, number: usize, outcome: Outcome) {
        let state = &mut *self.state.borrow_mut();
        state.pages[number].outcome = Some(outcome);
        while let Some(page) = state.pages.get_mut(state.counted)
            && let Some(outcome) = &mut page.outcome
        {
            state.counted += 1;
            if let Outcome::Parsed((_, _, found)) = outcome {
                let found = mem::take(found);
                state.add(found, true);
            }
        }
        self.changed.notify_waiters();
    }

    /// The pages in breadth-first order.
    pub fn finish(self) -> Vec<PageReport> {
        self.state.into_inner().pages
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
        let found = links.iter().map(|path| url(path));
        Outcome::Parsed((String::new(), 0, found.collect()))
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
