//! A limit on what is in flight, and retries that do not hold a permit while they back off.

mod retry;

pub use retry::RetryPolicy;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time};
use tracing::{Instrument, info_span};
use web::{FetchError, Fetched, Url};

/// Every attempt of a request, the first one first; the last is its result.
pub type Attempts = Vec<Fetched>;

/// What one permit of the semaphore covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitUse {
    /// One attempt: it is given back before the back-off.
    Attempt,
    /// A whole request, its back-offs included.
    Request,
}

/// Downloads every URL in a task of its own, with at most `limit` permits out; in order of asking.
///
/// `on_arrival` gets each request's number and attempts as they are complete. A task that panics is a
/// failed download; the others go on.
pub async fn download_all<F, Fut>(
    urls: &[Url],
    limit: NonZeroUsize,
    permit_use: PermitUse,
    policy: &RetryPolicy,
    fetch: F,
    on_arrival: impl Fn(usize, &Attempts),
) -> Vec<Attempts>
where
    F: Fn(Url) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Fetched> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(limit.get()));
    let mut tasks = JoinSet::new();
    for (number, url) in (1..).zip(urls.iter().cloned()) {
        let (permits, policy, fetch) = (Arc::clone(&permits), policy.clone(), fetch.clone());
        tasks.spawn(async move {
            let attempts = match permit_use {
                PermitUse::Attempt => releasing_permit(number, url, &permits, &policy, fetch).await,
                PermitUse::Request => keeping_permit(number, url, &permits, &policy, fetch).await,
            };
            (number, attempts)
        });
    }
    let mut downloads: Vec<Attempts> = urls.iter().map(|url| vec![Err(panicked(url))]).collect();
    while let Some(joined) = tasks.join_next().await {
        // A task that panicked leaves its place as it is.
        if let Ok((number, attempts)) = joined {
            on_arrival(number, &attempts);
            downloads[number - 1] = attempts;
        }
    }
    downloads
}

/// Holds a permit for the length of each attempt, and none while it backs off.
#[tracing::instrument(name = "request", level = "info", skip_all, fields(task = number))]
async fn releasing_permit<Fut: Future<Output = Fetched>>(
    number: usize,
    url: Url,
    permits: &Semaphore,
    policy: &RetryPolicy,
    fetch: impl Fn(Url) -> Fut,
) -> Attempts {
    let (mut attempts, mut jitter) = (Vec::new(), policy.jitter(number));
    loop {
        let waiting = info_span!("permit", wait = "permit");
        let permit = permits.acquire().instrument(waiting).await;
        attempts.push(fetch(url.clone()).await);
        // Given back before the back-off: the next in the queue goes on meanwhile.
        drop(permit);
        match policy.back_off_after(&attempts, &mut jitter) {
            Some(rest) => back_off(rest).await,
            None => return attempts,
        }
    }
}

/// Holds one permit from the first attempt to the last.
#[tracing::instrument(name = "request", level = "info", skip_all, fields(task = number))]
async fn keeping_permit<Fut: Future<Output = Fetched>>(
    number: usize,
    url: Url,
    permits: &Semaphore,
    policy: &RetryPolicy,
    fetch: impl Fn(Url) -> Fut,
) -> Attempts {
    let (mut attempts, mut jitter) = (Vec::new(), policy.jitter(number));
    let waiting = info_span!("permit", wait = "permit");
    // BUG (on purpose): it keeps the permit through every back-off, when it asks the server nothing.
    let _permit = permits.acquire().instrument(waiting).await;
    loop {
        attempts.push(fetch(url.clone()).await);
        match policy.back_off_after(&attempts, &mut jitter) {
            Some(rest) => back_off(rest).await,
            None => return attempts,
        }
    }
}

#[tracing::instrument(name = "back-off", level = "info", skip_all, fields(wait = "back-off"))]
async fn back_off(rest: Duration) {
    time::sleep(rest).await;
}

fn panicked(url: &Url) -> FetchError {
    FetchError::Other {
        url: url.to_string(),
        reason: "its task panicked".into(),
    }
}

#[cfg(test)]
mod tests;
