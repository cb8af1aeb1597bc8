//! One request on its way: it queues, attempts and rests, and keeps the record of it.

use crate::{
    Attempt, BackOff, Download, RetryPolicy,
    gate::{Gate, Permit},
};
use measure::workload::Seeded;
use std::time::Duration;
use tokio::time::{self, Instant};
use web::Fetched;
use web::Url;

/// A request on its way, and the record of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) number: usize,
    url: Url,
    policy: RetryPolicy,
    jitter: Seeded,
    attempts: Vec<Attempt>,
    queued: Duration,
}

/// A rest that is due, and how much of it the server asked for.
pub(crate) struct Rest {
    length: Duration,
    asked: Duration,
}

impl Request {
    pub(crate) fn new(number: usize, url: Url, policy: RetryPolicy) -> Self {
        Self {
            jitter: policy.jitter(number),
            number,
            url,
            policy,
            attempts: Vec::new(),
            queued: Duration::ZERO,
        }
    }

    pub(crate) async fn queue_for_permit<'g>(&mut self, gate: &'g Gate) -> Permit<'g> {
        let start = Instant::now();
        let permit = gate.permit().await;
        self.queued += start.elapsed();
        permit
    }

    /// Makes one attempt; the rest is `None` if no other is to follow.
    pub(crate) async fn attempt<F, Fut>(
        &mut self,
        gate: &Gate,
        fetch: &F,
    ) -> (Fetched, Option<Rest>)
    where
        F: Fn(Url) -> Fut,
        Fut: Future<Output = Fetched>,
    {
        let _attempt = gate.attempt();
        let start = Instant::now();
        let fetched = fetch(self.url.clone()).await;
        self.attempts.push(Attempt::new(&fetched, start.elapsed()));
        let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let rest = fetched.as_ref().err().and_then(|error| {
            let length = self.policy.rest_after(failures, error, &mut self.jitter)?;
            let asked = error.retry_after().unwrap_or_default();
            Some(Rest { length, asked })
        });
        (fetched, rest)
    }

    #[tracing::instrument(name = "back-off", level = "info", skip_all, fields(wait = "back-off"))]
    pub(crate) async fn back_off(&mut self, rest: Rest, gate: &Gate) {
        let (idle_permits, queueing) = (gate.idle_permits(), gate.queueing());
        let start = Instant::now();
        time::sleep(rest.length).await;
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.back_off = Some(BackOff {
                planned: rest.length,
                lasted: start.elapsed(),
                asked: rest.asked,
                idle_permits,
                queueing,
            });
        }
    }

    pub(crate) fn ended_in(self, fetched: Fetched) -> Download {
        Download {
            number: self.number,
            url: self.url,
            fetched,
            attempts: self.attempts,
            queued: self.queued,
        }
    }
}
