//! The books of the frontier.

use crate::{
    outcome::{Arrival, Finding, PageReport, Target},
    totals::{Totals, keep},
};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};
use web::Url;

#[derive(Debug, Default)]
pub(super) struct State {
    /// What grows with the site: eight bytes for each URL seen. Two with the same number would be
    /// taken for one; among a million that happens once in thirty million crawls.
    pub(super) seen: HashSet<u64>,
    /// Those not handed out yet, in breadth-first order.
    pub(super) urls: VecDeque<Url>,
    /// How many there were; never more than the limit.
    pub(super) known: usize,
    /// How many of them were asked for by name; the rest was found.
    pub(super) named: usize,
    /// How many of them have been handed out.
    pub(super) taken: usize,
    /// How many of the first of them are settled, up to one that is still under way.
    pub(super) settled: usize,
    /// What became of those.
    pub(super) totals: Totals,
    pub(super) kept: Vec<PageReport>,
    /// Pages that were ready before an earlier one, with the links not known then.
    pub(super) early: BTreeMap<usize, (PageReport, Arrival)>,
}

/// The number by which a URL is known.
pub(super) fn number_of(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

impl State {
    pub(super) fn push(&mut self, url: Url) {
        self.known += 1;
        self.urls.push_back(url);
    }

    pub(super) fn take(&mut self) -> Option<Target> {
        let url = self.urls.pop_front()?;
        self.taken += 1;
        Some(Target {
            number: self.taken - 1,
            is_found: self.taken > self.named,
            url,
        })
    }

    pub(super) fn count_what_is_due(&mut self, limit: usize) {
        while let Some((mut report, arrival)) = self.early.remove(&self.settled) {
            let is_new = match arrival.redirected_to {
                Some(url) => self.seen.insert(number_of(&url)),
                None => true,
            };
            if is_new {
                for url in arrival.found {
                    // What a link is made of was a URL a moment ago.
                    let (true, Ok(parsed)) = (self.known < limit, Url::parse(&url)) else {
                        continue;
                    };
                    if self.seen.insert(number_of(&url)) {
                        self.push(parsed);
                    }
                }
            } else {
                report.finding = Finding::Skipped {
                    kind: "known page".into(),
                    reason: "redirects to a page of this crawl".into(),
                };
            }
            self.settled += 1;
            self.totals.add(&report);
            keep(&mut self.kept, report);
        }
    }
}
