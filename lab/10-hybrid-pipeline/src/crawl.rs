//! Which page comes next.

mod state;

use crate::{
    Start,
    outcome::{Crawled, Outcome, Target, told},
    parse::Reading,
};
use state::{State, number_of};
use std::{cell::RefCell, num::NonZeroUsize};
use tokio::sync::Notify;

/// The URLs known so far, each of which is handed out once.
///
/// The order is that of a crawl that fetches one page at a time: the links of a page count only
/// when those of every page before it have been counted, however the answers arrive. So the pages
/// of a crawl do not depend on who was faster. Only the executor's thread uses it.
#[derive(Debug)]
pub struct Frontier {
    state: RefCell<State>,
    changed: Notify,
    limit: NonZeroUsize,
    follows: bool,
    reading: Reading,
}

impl Frontier {
    /// A frontier with the pages asked for.
    pub fn new(start: &Start) -> Self {
        let mut state = State::default();
        for url in &start.urls {
            let mut url = url.clone();
            url.set_fragment(None);
            if state.known < start.pages.get() && state.seen.insert(number_of(url.as_str())) {
                state.push(url);
            }
        }
        state.named = state.known;
        Self {
            follows: start.pages.get() > state.named,
            state: RefCell::new(state),
            changed: Notify::new(),
            limit: start.pages,
            reading: start.reading,
        }
    }

    /// The most pages it will hand out.
    pub fn limit(&self) -> NonZeroUsize {
        self.limit
    }

    /// Whether the links of pages matter at all.
    pub fn follows(&self) -> bool {
        self.follows
    }

    /// Whether links can still lead to a page: not when the pages found already are enough.
    pub fn has_room(&self) -> bool {
        self.follows && self.state.borrow().known < self.limit.get()
    }

    /// What the pages are parsed with.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The next page to fetch, waiting for pages under way that may lead to more.
    ///
    /// # Cancel safety
    /// A dropped future has taken nothing.
    pub async fn next(&self) -> Option<Target> {
        loop {
            // Made before the look: a change between the look and the wait wakes it all the same.
            let changed = self.changed.notified();
            {
                let mut state = self.state.borrow_mut();
                if let Some(target) = state.take() {
                    return Some(target);
                }
                let is_full = state.known == self.limit.get();
                if is_full || !self.follows || state.settled == state.taken {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Waits until so many pages are settled, in whatever order.
    pub async fn until_settled(&self, pages: usize) {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state.borrow();
                if state.settled + state.early.len() >= pages {
                    return;
                }
            }
            changed.await;
        }
    }

    /// The process that has been at work without a word for longest, of those that ever gave one.
    pub fn longest_at_work(&self) -> Option<u32> {
        self.state.borrow().totals.shifts.longest_at_work()
    }

    /// Takes the pages known now, at most `limit` of them.
    pub fn take_known(&self, limit: NonZeroUsize) -> Vec<Target> {
        let mut state = self.state.borrow_mut();
        (0..limit.get()).map_while(|_| state.take()).collect()
    }

    /// Takes note of what became of a page, and of its links when their turn has come.
    pub fn settle(&self, target: Target, outcome: Outcome) {
        let mut state = self.state.borrow_mut();
        if let Outcome::Parsed { shift, .. } = &outcome {
            state.totals.shifts.add(shift);
        }
        let (report, mut arrival) = told(&target, outcome);
        let room = state.known < self.limit.get();
        // What is known already will not count later: only new links are worth keeping.
        arrival
            .found
            .retain(|url| room && !state.seen.contains(&number_of(url)));
        state.early.insert(target.number, (report, arrival));
        state.count_what_is_due(self.limit.get());
        drop(state);
        self.changed.notify_waiters();
    }

    /// The crawl's report.
    ///
    /// # Panics
    /// If a page that was handed out has not been settled.
    pub fn finish(self, peak_pages_held: usize) -> Crawled {
        let state = self.state.into_inner();
        assert_eq!(state.settled, state.taken, "a page is under way");
        Crawled {
            pages: state.kept,
            totals: state.totals,
            peak_pages_held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{outcome::Finding, parse::Parsed, shift::Shift};
    use std::time::Duration;
    use timeline::Moment;
    use web::Url;

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

    fn page(came_from: &str, links: &[&str]) -> Outcome {
        Outcome::Parsed {
            parsed: Box::new(Parsed {
                title: String::new(),
                links: 0,
                found: links.iter().map(|path| url(path).into()).collect(),
                note: None,
                fingerprint: 0,
                pid: 0,
            }),
            came_from: url(came_from),
            length_bytes: 0,
            elapsed: Duration::ZERO,
            shift: Shift {
                worker: (0, None),
                began: Moment::now(),
                ended: Moment::now(),
                busy: Duration::ZERO,
            },
        }
    }

    fn take_all(frontier: &Frontier) -> Vec<Target> {
        frontier.take_known(NonZeroUsize::MAX)
    }

    fn paths(targets: &[Target]) -> Vec<&str> {
        targets.iter().map(|target| target.url.path()).collect()
    }

    #[test]
    fn links_count_in_the_order_of_their_pages_not_of_their_arrival() {
        let frontier = frontier(&["a", "b", "c"], 100);
        let [a, b, c] = take_all(&frontier).try_into().expect("three");
        frontier.settle(c, page("c", &["z", "a"]));
        frontier.settle(b, page("b", &["y", "z"]));
        assert!(take_all(&frontier).is_empty(), "`a` comes first");
        frontier.settle(a, page("a", &["x", "b"]));
        let found = take_all(&frontier);
        assert_eq!(paths(&found), ["/x", "/y", "/z"]);
        assert!(found.iter().all(|target| target.is_found));
    }

    #[test]
    fn each_page_is_handed_out_once_and_no_more_than_asked_for() {
        let once = frontier(&["a", "a#top", "b"], 3);
        let mut named = take_all(&once);
        assert_eq!(paths(&named), ["/a", "/b"]);
        once.settle(named.remove(0), page("a", &["b", "c", "d"]));
        assert_eq!(paths(&take_all(&once)), ["/c"]);

        let two = frontier(&["a", "b", "c"], 2);
        assert!(!two.follows());
        assert_eq!(paths(&take_all(&two)), ["/a", "/b"]);
    }

    #[test]
    fn a_redirect_to_a_known_page_is_skipped_with_its_links() {
        let frontier = frontier(&["a", "b"], 10);
        let [a, b] = take_all(&frontier).try_into().expect("two");
        frontier.settle(a, page("b", &["c"]));
        frontier.settle(b, page("b", &["d"]));
        let [d] = take_all(&frontier).try_into().expect("one");
        assert_eq!(d.url.path(), "/d");
        frontier.settle(d, Outcome::failed("gone", "it is gone"));
        let pages = frontier.finish(0).pages;
        assert!(matches!(pages[0].finding, Finding::Skipped { .. }));
        assert!(matches!(pages[2].finding, Finding::Failed { .. }));
    }

    #[tokio::test]
    async fn whoever_waits_for_more_pages_learns_that_there_are_none() {
        let frontier = frontier(&["a"], 10);
        let a = frontier.next().await.expect("the first page");
        let (more, ()) = tokio::join!(frontier.next(), async {
            frontier.settle(a, page("a", &["a"]));
        });
        assert!(more.is_none());
    }
}
