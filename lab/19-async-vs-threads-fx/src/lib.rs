//! Quotes and orders over threads and over tasks: the same venue, the same lines, the same limit.
//!
//! [`threads`] and [`tasks`] stand side by side, function by function; [`pricing`] is the work that
//! neither should do on the thread that waits.

pub mod pricing;
pub mod tasks;
pub mod threads;

use web::venue::{PAIRS, Request};

/// With more at a time, no wait is recorded: the recording would take more memory than they do.
const MOST_DRAWN: usize = 20;

/// So many quotes, of each pair in turn, as the script asks for them.
pub fn quotes(count: usize) -> Vec<Request> {
    let asked = (1..).zip((0..PAIRS.len()).cycle()).take(count);
    let quote = |(id, pair)| Request {
        id,
        pair,
        buy_at: None,
    };
    asked.map(quote).collect()
}
