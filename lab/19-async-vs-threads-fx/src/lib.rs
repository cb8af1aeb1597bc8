//! Quotes and orders over threads and over tasks: the same venue, the same lines, the same limit.
//!
//! [`threads`] and [`tasks`] stand side by side, function by function; [`pricing`] is the work that
//! neither should do on the thread that waits.

pub mod pricing;
pub mod tasks;
pub mod threads;

use std::collections::BTreeMap;
use web::venue::{Answer, Ask, Pair, Request};

/// Asks `repeats` times for each pair in turn, as the script does.
pub fn quotes(pairs: &[Pair], repeats: usize) -> Vec<Request> {
    let asked = (0..repeats).flat_map(|_| pairs);
    let numbered = (1..).zip(asked.map(|&pair| Ask::Quote(pair)));
    numbered.map(|(id, ask)| Request { id, ask }).collect()
}

/// An order for each pair at the lowest price that was quoted, numbered on.
pub fn orders(quotes: &[Request], answers: &[Answer]) -> Vec<Request> {
    let mut best = BTreeMap::new();
    for (request, answer) in quotes.iter().zip(answers) {
        if let Ask::Quote(pair) = request.ask {
            let least = best.entry(pair).or_insert(answer.price);
            *least = answer.price.min(*least);
        }
    }
    let numbered = (quotes.len() as u64 + 1..).zip(best);
    numbered
        .map(|(id, (pair, price))| Request {
            id,
            ask: Ask::Order(pair, price),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_for_the_lowest_price_of_its_pair() {
        let requests = quotes(&[Pair::ALL[0], Pair::ALL[4]], 2);
        let prices = [120, 80, 110, 90].into_iter();
        let answers: Vec<Answer> = (1..)
            .zip(prices)
            .map(|(id, price)| Answer { id, price })
            .collect();
        let asks: Vec<Ask> = orders(&requests, &answers)
            .iter()
            .map(|it| it.ask)
            .collect();
        assert_eq!(
            asks,
            [Ask::Order(Pair::ALL[0], 110), Ask::Order(Pair::ALL[4], 80)]
        );
        assert_eq!(orders(&[], &[]), []);
    }
}
