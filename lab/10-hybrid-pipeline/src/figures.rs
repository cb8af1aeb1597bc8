//! What a crawl came to: the figures for the report, the lines for the reader.

use crate::rounds::Round;
use common::{Experiment, Tally, process_pool::Ledger, report::format};
use lab_10_hybrid_pipeline::{
    checksum::Checksum,
    outcome::{Crawled, Finding, PageReport},
    words::{REASON_CHARS, harmless},
};
use serde::Serialize;
use std::{collections::BTreeSet, process, time::Duration};

/// Pages written into the document; the rest is counted in `folded`.
const PAGES_WRITTEN: usize = 1_000;

/// Pages told to the reader.
const PAGES_TOLD: usize = 10;

/// The most characters of a title that are told.
const TITLE_TOLD_CHARS: usize = 60;

/// The figures of one crawl.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) parsed: usize,
    skipped: usize,
    failed: usize,
    pages_per_s: f64,
    length_bytes: usize,
    links: u64,
    /// Of every URL with its whole title and its links, in order; the same for equal findings.
    checksum: u64,
    peak_pages_held: usize,
    pages_held_limit: usize,
    /// How long a page took from its request to its last byte: the mean.
    fetch_mean_s: Option<f64>,
    /// Processes that parsed a page, this one included.
    parsing_processes: usize,
    /// Pages parsed in this process.
    parsed_here: usize,
    workers_lost: u64,
    #[serde(skip)]
    retried: u64,
    #[serde(serialize_with = "first_pages")]
    pub(crate) pages: Vec<PageReport>,
    /// Pages left out of `pages`.
    folded: usize,
}

fn first_pages<S: serde::Serializer>(pages: &[PageReport], to: S) -> Result<S::Ok, S::Error> {
    pages[..pages.len().min(PAGES_WRITTEN)].serialize(to)
}

impl Figures {
    pub(crate) fn of(crawled: Crawled, pool: Option<Ledger>, limit: usize, wall: Duration) -> Self {
        let pool = pool.unwrap_or_default();
        let mut figures = Self {
            parsed: 0,
            skipped: 0,
            failed: 0,
            pages_per_s: 0.0,
            length_bytes: 0,
            links: 0,
            checksum: checksum(&crawled.pages),
            peak_pages_held: crawled.peak_pages_held,
            pages_held_limit: limit,
            fetch_mean_s: None,
            parsing_processes: 0,
            parsed_here: 0,
            workers_lost: pool.workers_lost,
            retried: pool.retried,
            folded: crawled.pages.len().saturating_sub(PAGES_WRITTEN),
            pages: crawled.pages,
        };
        figures.add_up();
        figures.pages_per_s = figures.parsed as f64 / wall.as_secs_f64();
        figures
    }

    fn add_up(&mut self) {
        let mut processes = BTreeSet::new();
        let mut fetching_s = 0.0;
        for page in &self.pages {
            match &page.finding {
                Finding::Parsed {
                    links,
                    length_bytes,
                    elapsed_s,
                    pid,
                    ..
                } => {
                    self.parsed += 1;
                    self.links += u64::from(*links);
                    self.length_bytes += length_bytes;
                    self.parsed_here += usize::from(*pid == process::id());
                    processes.insert(*pid);
                    fetching_s += elapsed_s;
                }
                Finding::Skipped { .. } => self.skipped += 1,
                Finding::Failed { .. } => self.failed += 1,
            }
        }
        self.parsing_processes = processes.len();
        self.fetch_mean_s = (self.parsed > 0).then(|| fetching_s / self.parsed as f64);
    }

    /// A skipped page counts as done: it came, and there was nothing to do.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            submitted: self.pages.len() as u64,
            done: (self.parsed + self.skipped) as u64,
            failed: self.failed as u64,
            cancelled: 0,
            retried: self.retried,
        }
    }

    /// What claims are made of.
    pub(crate) fn round(&self) -> Round {
        Round {
            parsed: self.parsed,
            failed: self.failed,
            parsed_here: self.parsed_here,
            checksum: self.checksum,
            peak_pages_held: self.peak_pages_held,
            fetch_mean_s: self.fetch_mean_s,
            pages_per_s: self.pages_per_s,
        }
    }

    /// Tells the first pages, what was wrong with others, and the totals.
    pub(crate) fn tell(&self, lab: &Experiment) {
        for page in self.pages.iter().take(PAGES_TOLD) {
            lab.say(line(page));
        }
        let rest = self.pages.iter().skip(PAGES_TOLD);
        let odd = rest.filter(|page| !matches!(page.finding, Finding::Parsed { note: None, .. }));
        for page in odd.take(PAGES_TOLD) {
            lab.say(line(page));
        }
        let (parsed, skipped, failed) = (self.parsed, self.skipped, self.failed);
        lab.say(format!(
            "all {}: {parsed} parsed, {skipped} skipped, {failed} failed; {} links, {}",
            self.pages.len(),
            format::count(self.links),
            format::bytes(self.length_bytes as f64),
        ));
    }
}

/// The same for equal findings in the same order.
fn checksum(pages: &[PageReport]) -> u64 {
    let mut sum = Checksum::default();
    for page in pages {
        sum.add(page.url.as_bytes());
        match &page.finding {
            Finding::Parsed { fingerprint, .. } => sum.add(&fingerprint.to_le_bytes()),
            Finding::Skipped { .. } => sum.add(b"skipped"),
            Finding::Failed { .. } => sum.add(b"failed"),
        }
    }
    sum.finish()
}

fn line(page: &PageReport) -> String {
    match &page.finding {
        Finding::Parsed {
            title, links, note, ..
        } => {
            let title = harmless(title, TITLE_TOLD_CHARS);
            let note = note.iter().map(|note| format!(" ({note})"));
            format!("{links:>5} links  {title}{}", note.collect::<String>())
        }
        Finding::Skipped { reason, .. } => {
            let url = harmless(&page.url, REASON_CHARS);
            format!("    skipped  `{url}`: {}", harmless(reason, REASON_CHARS))
        }
        Finding::Failed { error, .. } => format!("     failed  {}", harmless(error, REASON_CHARS)),
    }
}
