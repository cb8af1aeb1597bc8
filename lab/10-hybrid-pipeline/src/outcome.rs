//! What became of a page, for the frontier and for the report.

use crate::{parse::Parsed, shift::Shift, totals::Totals};
use serde::Serialize;
use std::time::Duration;
use web::{FetchError, Url};

/// A page to fetch.
#[derive(Debug)]
pub struct Target {
    /// Its place in the breadth-first order, from 0.
    pub number: usize,
    /// Where it is.
    pub url: Url,
    /// Whether a link led to it; otherwise it was asked for by name.
    pub is_found: bool,
}

/// What became of a page.
#[derive(Debug)]
pub enum Outcome {
    /// It came and was parsed.
    Parsed {
        /// What is on it.
        parsed: Box<Parsed>,
        /// Where it came from, after redirects.
        came_from: Url,
        /// Its length.
        length_bytes: usize,
        /// From the request to the last byte.
        elapsed: Duration,
        /// Who parsed it, and when.
        shift: Shift,
    },
    /// It came, but there is nothing to parse.
    Skipped {
        /// The kind of reason, in a word or two.
        kind: String,
        /// Why.
        reason: String,
    },
    /// It did not come, or could not be parsed.
    Failed {
        /// The kind of error, in a word or two.
        kind: String,
        /// Why.
        error: String,
    },
}

impl Outcome {
    pub(crate) fn skipped(kind: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Skipped {
            kind: kind.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn failed(kind: impl Into<String>, error: impl Into<String>) -> Self {
        Self::Failed {
            kind: kind.into(),
            error: error.into(),
        }
    }
}

impl From<FetchError> for Outcome {
    fn from(error: FetchError) -> Self {
        let kind = match &error {
            FetchError::Status { code, .. } => format!("status {code}"),
            other => other.kind().replace('_', " "),
        };
        Self::failed(kind, error.to_string())
    }
}

/// One page in the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageReport {
    /// Where it is.
    pub url: String,
    /// Whether a link led to it.
    pub is_found: bool,
    /// What became of it.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What is said of a page in the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum Finding {
    /// It was parsed.
    Parsed {
        /// The text of its title.
        title: String,
        /// How many links it has.
        links: u32,
        /// Its length.
        length_bytes: usize,
        /// From the request to the last byte.
        elapsed_s: f64,
        /// A number made of the whole title and of every link as it stands.
        fingerprint: u64,
        /// The process that parsed it.
        pid: u32,
        /// What is wrong with its text, if something is.
        note: Option<String>,
    },
    /// There was nothing to parse.
    Skipped {
        /// The kind of reason, in a word or two.
        kind: String,
        /// Why.
        reason: String,
    },
    /// There is no result.
    Failed {
        /// The kind of error, in a word or two.
        kind: String,
        /// Why.
        error: String,
    },
}

/// A crawl that is over.
#[derive(Clone, Debug)]
pub struct Crawled {
    /// The first [`PAGES_KEPT`](crate::totals::PAGES_KEPT) pages in breadth-first order, and after
    /// them a few that were not simply parsed.
    pub pages: Vec<PageReport>,
    /// All pages, added up.
    pub totals: Totals,
    /// The most pages held at once, in flight, queued or being parsed.
    pub peak_pages_held: usize,
}

/// Where a page really was and what it leads to.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    pub(crate) redirected_to: Option<String>,
    pub(crate) found: Vec<String>,
}

/// What the report says of a page, and what the frontier makes of it.
pub(crate) fn told(target: &Target, outcome: Outcome) -> (PageReport, Arrival) {
    let mut arrival = Arrival::default();
    let finding = match outcome {
        Outcome::Parsed {
            parsed,
            mut came_from,
            length_bytes,
            elapsed,
            shift: _,
        } => {
            came_from.set_fragment(None);
            arrival.redirected_to = (came_from != target.url).then(|| came_from.into());
            arrival.found = parsed.found;
            Finding::Parsed {
                title: parsed.title,
                links: parsed.links,
                length_bytes,
                elapsed_s: elapsed.as_secs_f64(),
                fingerprint: parsed.fingerprint,
                pid: parsed.pid,
                note: parsed.note,
            }
        }
        Outcome::Skipped { kind, reason } => Finding::Skipped { kind, reason },
        Outcome::Failed { kind, error } => Finding::Failed { kind, error },
    };
    let report = PageReport {
        url: target.url.to_string(),
        is_found: target.is_found,
        finding,
    };
    (report, arrival)
}
