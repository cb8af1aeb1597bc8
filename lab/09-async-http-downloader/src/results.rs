//! What became of every request, attempt by attempt, and what it comes to.

use crate::RetryPolicy;
use common::{Tally, cli::as_seconds};
use serde::Serialize;
use std::time::Duration;
use web::Fetched;
use web::{FetchError, Url};

/// One request from its first attempt to its last.
#[derive(Debug, Serialize)]
pub struct Download {
    /// Its number in the order of asking, from 1.
    pub number: usize,
    /// What was asked for.
    pub url: Url,
    /// What the last attempt brought: the page, or why there is none.
    pub fetched: Fetched,
    /// Every attempt, the first one first.
    pub attempts: Vec<Attempt>,
    /// How long it waited for permits, all its attempts together.
    #[serde(rename = "queued_s", serialize_with = "as_seconds")]
    pub queued: Duration,
}

/// One attempt, and the rest that followed it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// The HTTP status, or the kind of the failure where no answer came.
    pub outcome: String,
    /// How long it took.
    #[serde(rename = "took_s", serialize_with = "as_seconds")]
    pub took: Duration,
    /// The rest after it; `None` after the last attempt.
    pub back_off: Option<BackOff>,
}

/// A rest between two attempts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackOff {
    /// How long it was to be.
    #[serde(rename = "planned_s", serialize_with = "as_seconds")]
    pub planned: Duration,
    /// How long it was.
    #[serde(rename = "lasted_s", serialize_with = "as_seconds")]
    pub lasted: Duration,
    /// What the server asked for with `Retry-After`; zero if it did not ask.
    #[serde(rename = "asked_s", serialize_with = "as_seconds")]
    pub asked: Duration,
    /// Permits held without an attempt when it began, its own included if it kept one.
    pub idle_permits: usize,
    /// Requests that waited for a permit when it began.
    pub queueing: usize,
}

impl BackOff {
    fn is_blocking(&self) -> bool {
        self.idle_permits > 0 && self.queueing > 0
    }
}

impl Attempt {
    pub(crate) fn new(fetched: &Fetched, took: Duration) -> Self {
        let outcome = match fetched {
            Ok(page) => page.status.to_string(),
            Err(FetchError::Status { code, .. }) => code.to_string(),
            Err(error) => error.kind().into(),
        };
        Self {
            outcome,
            took,
            back_off: None,
        }
    }
}

impl Download {
    /// Its back-offs, in order.
    pub fn back_offs(&self) -> impl Iterator<Item = &BackOff> {
        self.attempts.iter().filter_map(|one| one.back_off.as_ref())
    }

    /// Whether it ended in an error though the policy had another attempt left.
    fn is_given_up_early(&self, policy: &RetryPolicy) -> bool {
        self.fetched.as_ref().err().is_some_and(|error| {
            error.is_retryable()
                && error.retry_after().unwrap_or_default() <= policy.max_wait
                && self.attempts.len() < policy.attempts.get() as usize
        })
    }
}

/// All downloads of a run and what they come to.
#[derive(Debug, Serialize)]
pub struct Downloads {
    /// Attempts of all requests together.
    pub attempts: usize,
    /// Rests between attempts.
    pub back_offs: usize,
    /// Rests that the server asked for with `Retry-After`.
    pub asked_back_offs: usize,
    /// Rests that ended sooner than the server had asked.
    pub early_returns: usize,
    /// Rests that began while a permit lay idle and another request queued for one.
    pub blocking_back_offs: usize,
    /// The longest of those, as it was to be.
    #[serde(rename = "longest_blocking_s", serialize_with = "as_seconds")]
    pub longest_blocking: Duration,
    /// Requests that failed in spite of a retry that was due.
    pub given_up_early: usize,
    /// Each request, in the order of asking.
    pub requests: Vec<Download>,
}

impl Downloads {
    /// Adds up `requests`, which followed `policy`.
    pub fn new(requests: Vec<Download>, policy: &RetryPolicy) -> Self {
        let back_offs = |counts: fn(&&BackOff) -> bool| {
            let all = requests.iter().flat_map(Download::back_offs);
            all.filter(counts).count()
        };
        Self {
            attempts: requests.iter().map(|one| one.attempts.len()).sum(),
            back_offs: back_offs(|_| true),
            asked_back_offs: back_offs(|one| !one.asked.is_zero()),
            early_returns: back_offs(|one| one.lasted < one.asked),
            blocking_back_offs: back_offs(|one| one.is_blocking()),
            longest_blocking: requests
                .iter()
                .flat_map(Download::back_offs)
                .filter(|one| one.is_blocking())
                .map(|one| one.planned)
                .max()
                .unwrap_or_default(),
            given_up_early: requests
                .iter()
                .filter(|one| one.is_given_up_early(policy))
                .count(),
            requests,
        }
    }

    /// How many attempts ended in `outcome`, such as `timeout` or `500`.
    pub fn attempts_that(&self, outcome: &str) -> usize {
        let all = self.requests.iter().flat_map(|one| &one.attempts);
        all.filter(|one| one.outcome == outcome).count()
    }

    /// The ledger's counts: extra attempts are retries.
    pub fn tally(&self) -> Tally {
        let extra = self
            .requests
            .iter()
            .map(|one| one.attempts.len().max(1) - 1);
        Tally {
            retried: extra.sum::<usize>() as u64,
            ..Tally::of_checked(&self.requests, |one| one.fetched.is_ok())
        }
    }
}
