//! What a crawl came to: the figures for the report, the lines for the reader.

use crate::{rounds::Round, spent::Spent};
use common::{Lab, Tally, format};
use lab_10_hybrid_pipeline::{
    outcome::{Crawled, Finding, PageReport},
    totals::{PAGES_KEPT, Totals},
    words::{REASON_CHARS, harmless},
};
use process_pool::Ledger;
use serde::Serialize;

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
    pub(crate) workers_lost: u64,
    /// The worker that the crawl itself killed.
    pub(crate) killed_worker: Option<u32>,
    /// Where the time went.
    spent: Spent,
    #[serde(skip)]
    pub(crate) retried: u64,
    #[serde(serialize_with = "first_pages")]
    pub(crate) pages: Vec<PageReport>,
    /// Pages left out of `pages`.
    folded: usize,
    #[serde(skip)]
    pub(crate) totals: Totals,
}

fn first_pages<S: serde::Serializer>(pages: &[PageReport], to: S) -> Result<S::Ok, S::Error> {
    pages[..pages.len().min(PAGES_KEPT)].serialize(to)
}

impl Figures {
    pub(crate) fn of(
        crawled: Crawled,
        pool: Option<Ledger>,
        killed_worker: Option<u32>,
        limit: usize,
        spent: Spent,
    ) -> Self {
        let pool = pool.unwrap_or_default();
        let Crawled {
            pages,
            totals,
            peak_pages_held,
        } = crawled;
        Self {
            parsed: totals.parsed,
            skipped: totals.skipped,
            failed: totals.failed,
            pages_per_s: spent.pages_per_s(),
            length_bytes: totals.length_bytes,
            links: totals.links,
            checksum: totals.checksum.finish(),
            peak_pages_held,
            pages_held_limit: limit,
            fetch_mean_s: (totals.parsed > 0).then(|| totals.fetching_s / totals.parsed as f64),
            parsing_processes: totals.processes.len(),
            parsed_here: totals.parsed_here,
            workers_lost: pool.workers_lost,
            killed_worker,
            spent,
            retried: pool.retried,
            folded: totals.pages.saturating_sub(PAGES_KEPT),
            pages,
            totals,
        }
    }

    /// A skipped page counts as done: it came, and there was nothing to do.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            submitted: self.totals.pages as u64,
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
            spent: self.spent,
        }
    }

    /// Tells the first pages, what was wrong with others, and the totals.
    pub(crate) fn tell(&self, lab: &Lab) {
        for page in self.pages.iter().take(PAGES_TOLD) {
            lab.say(line(page));
        }
        let rest = self.pages.iter().skip(PAGES_TOLD);
        let odd = rest.filter(|page| !matches!(page.finding, Finding::Parsed { note: None, .. }));
        for page in odd.take(PAGES_TOLD) {
            lab.say(line(page));
        }
        let (parsed, skipped, failed) = (self.parsed, self.skipped, self.failed);
        lab.explain(format!(
            "all {}: {parsed} parsed, {skipped} skipped, {failed} failed; {} links, {}",
            self.totals.pages,
            format::count(self.links),
            format::bytes(self.length_bytes as f64),
        ));
    }
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
