//! Quotes and orders over threads and over tasks: the same limit, the same plain protocol.

pub mod batch;
pub mod burst;
pub mod pricing;
pub mod protocol;
pub mod tasks;
pub mod threads;

use protocol::Outcome;
use std::{collections::BTreeMap, time::Duration};
use web::venue::{Answer, Ask, Market, Pair, Price, Request};

/// Asks `repeats` times for each pair in turn, as the script does.
pub fn quotes(pairs: &[Pair], repeats: usize) -> Vec<Request> {
    let asked = (0..repeats).flat_map(|_| pairs);
    let numbered = (1..).zip(asked);
    numbered
        .map(|(id, &pair)| Request {
            id,
            ask: Ask::Quote(pair),
        })
        .collect()
}

/// Per pair, the lowest price at which the venue sells; pairs without an answer are left out.
pub fn best_quotes(requests: &[Request], outcomes: &[Outcome]) -> BTreeMap<Pair, Price> {
    let mut best = BTreeMap::new();
    for (request, outcome) in requests.iter().zip(outcomes) {
        if let (Ask::Quote(pair), Ok(Answer::Price(_, quote))) = (request.ask, outcome) {
            let least = best.entry(pair).or_insert(quote.ask);
            *least = quote.ask.min(*least);
        }
    }
    best
}

/// One order per best quote; numbered on from `last`.
pub fn orders(best: &BTreeMap<Pair, Price>, last: u64) -> Vec<Request> {
    let numbered = (last + 1..).zip(best);
    numbered
        .map(|(id, (&pair, &price))| Request {
            id,
            ask: Ask::Order(pair, price),
        })
        .collect()
}

/// What to order once the quotes are in: one order per pair, at its best price.
pub fn orders_for(quotes: &[Request], outcomes: &[Outcome]) -> Vec<Request> {
    orders(&best_quotes(quotes, outcomes), quotes.len() as u64)
}

/// The best attainable for these requests at most `at_once` in flight: their latencies.
pub fn bound(market: &Market, requests: &[Request], at_once: usize) -> Duration {
    market.bound(requests.iter().map(|request| request.id), at_once)
}

#[cfg(test)]
mod tests;
