//! A limit on what is in flight, and retries that do not sit on it while they rest.

mod gate;
mod request;
mod results;
mod retry;

pub use results::{Attempt, BackOff, Download, Downloads};
pub use retry::RetryPolicy;

use gate::Gate;
use request::Request;
use std::{collections::HashMap, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::task::{JoinError, JoinSet};
use web::Fetched;
use web::{FetchError, Url};

/// What one permit of the semaphore covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitUse {
    /// One attempt: it is given back before the rest.
    Attempt,
    /// A whole request, its rests included.
    Request,
}

/// Downloads every URL in a task of its own, with at most `limit` permits out; in order of asking.
///
/// A task that panics is a failed download; the others go on.
pub async fn download_all<F, Fut>(
    urls: &[Url],
    limit: NonZeroUsize,
    permit_use: PermitUse,
    policy: &RetryPolicy,
    fetch: F,
) -> Vec<Download>
where
    F: Fn(Url) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Fetched> + Send + 'static,
{
    let gate = Arc::new(Gate::new(limit.get()));
    let mut tasks = JoinSet::new();
    let mut numbers = HashMap::new();
    for (number, url) in (1..).zip(urls) {
        let request = Request::new(number, url.clone(), policy.clone());
        let (gate, fetch) = (Arc::clone(&gate), fetch.clone());
        let task = match permit_use {
            PermitUse::Attempt => tasks.spawn(download_releasing_permit(request, gate, fetch)),
            PermitUse::Request => tasks.spawn(download_keeping_permit(request, gate, fetch)),
        };
        numbers.insert(task.id(), number);
    }
    let mut downloads = Vec::with_capacity(urls.len());
    while let Some(ended) = tasks.join_next_with_id().await {
        downloads.push(ended.map_or_else(
            |error| lost(numbers[&error.id()], urls, &error),
            |(_, download)| download,
        ));
    }
    downloads.sort_by_key(|download| download.number);
    downloads
}

/// Holds a permit for the length of each attempt, and none while it rests.
#[tracing::instrument(name = "request", level = "info", skip_all, fields(task = request.number))]
async fn download_releasing_permit<F, Fut>(
    mut request: Request,
    gate: Arc<Gate>,
    fetch: F,
) -> Download
where
    F: Fn(Url) -> Fut,
    Fut: Future<Output = Fetched>,
{
    loop {
        let permit = request.queue_for_permit(&gate).await;
        let (fetched, rest) = request.attempt(&gate, &fetch).await;
        // Given back before the rest: whoever queues goes on meanwhile.
        drop(permit);
        match rest {
            Some(rest) => request.back_off(rest, &gate).await,
            None => return request.ended_in(fetched),
        }
    }
}

/// Holds one permit from the first attempt to the last.
#[tracing::instrument(name = "request", level = "info", skip_all, fields(task = request.number))]
async fn download_keeping_permit<F, Fut>(
    mut request: Request,
    gate: Arc<Gate>,
    fetch: F,
) -> Download
where
    F: Fn(Url) -> Fut,
    Fut: Future<Output = Fetched>,
{
    // BUG (on purpose): it keeps the permit through every rest, when it asks the server nothing.
    let _permit = request.queue_for_permit(&gate).await;
    loop {
        let (fetched, rest) = request.attempt(&gate, &fetch).await;
        match rest {
            Some(rest) => request.back_off(rest, &gate).await,
            None => return request.ended_in(fetched),
        }
    }
}

/// What is left of a request whose task ended without a result.
fn lost(number: usize, urls: &[Url], error: &JoinError) -> Download {
    let url = urls[number - 1].clone();
    let reason = if error.is_panic() {
        "its task panicked"
    } else {
        "its task was called off"
    };
    Download {
        fetched: Err(FetchError::Other {
            url: url.to_string(),
            reason: reason.into(),
        }),
        number,
        url,
        attempts: Vec::new(),
        queued: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
