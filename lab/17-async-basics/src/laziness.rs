//! A future does nothing until it is awaited or spawned; here that is counted.

use crate::{Answer, Call};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many calls had begun, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Begun {
    /// Futures made.
    pub made: usize,
    /// Calls begun when all futures had been made.
    pub when_made: usize,
    /// Calls begun when one of the futures had been awaited.
    pub when_one_awaited: usize,
    /// Calls begun when the others had been spawned; nobody has awaited those.
    pub when_others_spawned: usize,
}

/// Makes futures of calls, then awaits one, then spawns the others; counts at each step.
///
/// For a runtime of one thread, where tasks begin in the order of their spawning.
pub async fn count_begun(calls: Vec<Call>) -> Begun {
    let gauge = calls.first().map(|call| Arc::clone(&call.gauge));
    let begun = || gauge.as_ref().map_or(0, |gauge| gauge.begun());
    let made = calls.len();
    let mut futures = calls.into_iter().map(Call::answer).collect::<Vec<_>>();
    let when_made = begun();
    if let Some(one) = futures.pop() {
        one.await;
    }
    let when_one_awaited = begun();
    let _tasks: JoinSet<Answer> = futures.into_iter().collect();
    // The last in the queue: when it has run, those before it have begun.
    let marker = tokio::spawn(async {});
    marker.await.expect("nothing to panic about");
    Begun {
        made,
        when_made,
        when_one_awaited,
        when_others_spawned: begun(),
    }
}
