//! A crawl in figures that take no more room for more pages.

use crate::{
    checksum::Checksum,
    outcome::{Finding, PageReport},
    shift::Shifts,
};
use std::{collections::BTreeSet, process};
use web::Url;

/// Reports kept of the first pages; the later ones are added up.
pub const PAGES_KEPT: usize = 1_000;

/// Reports kept of later pages that were not simply parsed.
const ODD_KEPT: usize = 100;

/// All pages of a crawl, added up in their order.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Pages.
    pub pages: usize,
    /// Pages that were parsed.
    pub parsed: usize,
    /// Pages with nothing to parse.
    pub skipped: usize,
    /// Pages without a result.
    pub failed: usize,
    /// Links of all pages.
    pub links: u64,
    /// The length of all parsed pages.
    pub length_bytes: usize,
    /// From the request to the last byte, over all parsed pages.
    pub fetching_s: f64,
    /// Pages parsed in this process.
    pub parsed_here: usize,
    /// Processes that parsed a page.
    pub processes: BTreeSet<u32>,
    /// Of every URL with its whole title and its links; the same for equal findings.
    pub checksum: Checksum,
    /// The pages asked for by name.
    pub named: Named,
    /// What parsing took.
    pub shifts: Shifts,
    /// Where parsed pages are, evenly spread over the crawl.
    pub spread: Spread,
}

/// What became of the pages that were asked for by name.
///
/// Of two rounds the one with more failures is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Those without a result.
    pub failed: usize,
    /// Those with nothing to parse.
    pub skipped: usize,
    /// All of them.
    pub asked: usize,
}

impl Totals {
    /// The totals of these pages.
    pub fn of<'a>(pages: impl IntoIterator<Item = &'a PageReport>) -> Self {
        let mut totals = Self::default();
        pages.into_iter().for_each(|page| totals.add(page));
        totals
    }

    /// Adds the next page.
    pub fn add(&mut self, page: &PageReport) {
        self.pages += 1;
        self.named.asked += usize::from(!page.is_found);
        self.checksum.add(page.url.as_bytes());
        match &page.finding {
            Finding::Parsed {
                links,
                length_bytes,
                elapsed_s,
                fingerprint,
                pid,
                ..
            } => {
                self.spread.add(self.parsed, &page.url);
                self.parsed += 1;
                self.links += u64::from(*links);
                self.length_bytes += length_bytes;
                self.fetching_s += elapsed_s;
                self.parsed_here += usize::from(*pid == process::id());
                self.processes.insert(*pid);
                self.checksum.add(&fingerprint.to_le_bytes());
            }
            Finding::Skipped { .. } => {
                self.skipped += 1;
                self.named.skipped += usize::from(!page.is_found);
                self.checksum.add(b"skipped");
            }
            Finding::Failed { .. } => {
                self.failed += 1;
                self.named.failed += usize::from(!page.is_found);
                self.checksum.add(b"failed");
            }
        }
    }
}

/// Adds the next page to `kept`, if it is one of the first or one of the few odd ones after them.
pub(crate) fn keep(kept: &mut Vec<PageReport>, page: PageReport) {
    let is_odd = !matches!(page.finding, Finding::Parsed { note: None, .. });
    if kept.len() < PAGES_KEPT || is_odd && kept.len() < PAGES_KEPT + ODD_KEPT {
        kept.push(page);
    }
}

/// Every so-and-so-many-th of a sequence whose length nobody knows before.
#[derive(Clone, Debug)]
pub struct Spread {
    every: usize,
    urls: Vec<Url>,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            every: 1,
            urls: Vec::new(),
        }
    }
}

impl Spread {
    /// The most that are kept.
    pub const MOST: usize = 250;

    fn add(&mut self, number: usize, url: &str) {
        // What is reported was a URL before.
        let (true, Ok(url)) = (number.is_multiple_of(self.every), Url::parse(url)) else {
            return;
        };
        if self.urls.len() == Self::MOST {
            self.every *= 2;
            let mut index = 0;
            self.urls.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            if !number.is_multiple_of(self.every) {
                return;
            }
        }
        self.urls.push(url);
    }

    /// Those that were kept.
    pub fn urls(&self) -> &[Url] {
        &self.urls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_even_and_never_large() {
        for count in [0, 1, 249, 250, 251, 999, 10_000] {
            let mut spread = Spread::default();
            for number in 0..count {
                spread.add(number, &format!("http://h/{number}"));
            }
            let paths = spread.urls().iter().map(|url| url.path()[1..].parse());
            let numbers: Vec<usize> = paths.collect::<Result<_, _>>().expect("numbers");
            let even: Vec<usize> = (0..count).step_by(spread.every).collect();
            assert_eq!(numbers, even);
            assert!(numbers.len() <= Spread::MOST && numbers.len() >= count.min(Spread::MOST / 2));
        }
    }

    #[test]
    fn of_many_pages_the_first_and_a_few_odd_ones_are_kept() {
        let page = |number: usize, finding| PageReport {
            url: format!("http://h/{number}"),
            is_found: true,
            finding,
        };
        let (mut kept, mut totals) = (Vec::new(), Totals::default());
        for number in 0..5_000 {
            let finding = if number % 2 == 0 {
                Finding::Failed {
                    kind: "status 404".into(),
                    error: String::new(),
                }
            } else {
                Finding::Parsed {
                    title: String::new(),
                    links: 1,
                    length_bytes: 1,
                    elapsed_s: 0.5,
                    fingerprint: 0,
                    pid: 0,
                    note: None,
                }
            };
            let page = page(number, finding);
            totals.add(&page);
            keep(&mut kept, page);
        }
        assert_eq!(kept.len(), PAGES_KEPT + ODD_KEPT);
        assert_eq!(
            (totals.parsed, totals.failed, totals.links),
            (2_500, 2_500, 2_500)
        );
        let is_failed = |page: &PageReport| matches!(page.finding, Finding::Failed { .. });
        assert!(kept[PAGES_KEPT..].iter().all(is_failed));
    }
}
