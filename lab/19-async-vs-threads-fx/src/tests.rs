//! Prices, lines, percentiles, limits and pricing, without a venue.

use crate::{
    batch::Batch,
    best_quotes,
    burst::{BurstError, Latencies},
    orders_for,
    pricing::{Book, Call, price_beside, price_on_executor},
    protocol::{Outcome, RequestError, understood},
    quotes,
    tasks::run_on_this_thread,
};
use proptest::prelude::*;
use std::{collections::BTreeSet, io, num::NonZeroUsize, sync::Mutex, thread, time::Duration};
use web::venue::{Answer, Ask, Market, Pair, Price, Quote, Request};

const MARKET: Market = Market {
    seed: 42,
    fastest: Duration::from_millis(50),
    slowest: Duration::from_millis(150),
};

fn price(points: u32) -> Price {
    serde_json::from_value(serde_json::json!({ "points": points, "decimals": 5 })).expect("a price")
}

#[test]
fn latencies_stay_between_their_ends_and_differ() {
    let latencies: BTreeSet<Duration> = (0..1000).map(|id| MARKET.latency(id)).collect();
    assert!(
        latencies
            .iter()
            .all(|one| (MARKET.fastest..=MARKET.slowest).contains(one))
    );
    assert!(latencies.len() > 900);
    let fixed = Market {
        slowest: MARKET.fastest,
        ..MARKET
    };
    assert_eq!(fixed.latency(7), MARKET.fastest);
}

#[test]
fn the_bound_is_the_longest_latency_or_all_of_them_shared_out() {
    let fixed = Market {
        slowest: MARKET.fastest,
        ..MARKET
    };
    assert_eq!(fixed.bound(1..21, 5), MARKET.fastest * 4);
    assert_eq!(fixed.bound(1..21, 100), MARKET.fastest);
    assert_eq!(fixed.bound(1..1, 5), Duration::ZERO);
}

#[test]
fn a_quote_depends_on_seed_and_number_alone() {
    let other = Market { seed: 43, ..MARKET };
    let all = |market: Market| -> Vec<Quote> {
        (0..50).map(|id| market.quote(id, Pair::UsdJpy)).collect()
    };
    assert_eq!(all(MARKET), all(MARKET));
    assert_ne!(all(MARKET), all(other));
    assert!(all(MARKET).iter().all(|quote| quote.bid < quote.ask));
}

#[test]
fn the_best_quote_is_the_lowest_ask_and_failures_are_passed_over() {
    let requests = quotes(&[Pair::EurUsd, Pair::UsdChf], 2);
    let answer = |id, ask| -> Outcome {
        Ok(Answer::Price(
            id,
            Quote {
                bid: price(10_000),
                ask: price(ask),
            },
        ))
    };
    let failed = || Err(RequestError::Closed);
    let outcomes = [answer(1, 120_000), failed(), answer(3, 110_000), failed()];
    let best = best_quotes(&requests, &outcomes);
    assert_eq!(
        best.into_iter().collect::<Vec<_>>(),
        [(Pair::EurUsd, price(110_000))]
    );
    let ordered = orders_for(&requests, &outcomes);
    let ask = Ask::Order(Pair::EurUsd, price(110_000));
    assert_eq!(ordered, [Request { id: 5, ask }]);
}

/// By the closed form.
const CLOSED_FORM: [f64; 6] = [
    0.050_895_87,
    0.044_552_51,
    0.038_704_59,
    0.033_363_07,
    0.028_530_30,
    0.024_200_18,
];

proptest! {
    #[test]
    fn every_request_is_handed_out_once(count in 0_usize..200, workers in 1_usize..=8) {
        let batch = Batch::new(quotes(&Pair::ALL, count));
        let taken = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| while let Some((index, request)) = batch.take() {
                    taken.lock().expect("no panic").push((index, request.id));
                });
            }
        });
        let mut taken = taken.into_inner().expect("no panic");
        taken.sort_unstable();
        prop_assert!(taken.into_iter().eq((0..batch.len()).zip(1..)));
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let ask = Ask::Quote(Pair::EurUsd);
    let request = Request { id: 7, ask };
    let line = |id| {
        serde_json::to_string(&Answer::Price(id, MARKET.quote(7, Pair::EurUsd)))
            .expect("plain data")
    };
    assert!(understood(&request, &line(7)).is_ok());
    assert!(matches!(
        understood(&request, &line(8)),
        Err(RequestError::Odd { .. })
    ));
    assert!(matches!(
        understood(&request, "{\"rejected\":\"no\"}\n"),
        Err(RequestError::Odd { .. })
    ));
    assert_eq!(understood(&request, ""), Err(RequestError::Closed));
}

#[test]
fn percentiles_are_those_of_the_times() {
    let times = (1..=1000).map(Duration::from_millis);
    let found = Latencies::of(times);
    assert_eq!(found.count, 1000);
    for (found, expected) in [(found.p50_s, 0.5), (found.p99_s, 0.99), (found.max_s, 1.0)] {
        assert!(
            (found / expected - 1.0).abs() < 0.002,
            "{found} for {expected}"
        );
    }
    assert_eq!(Latencies::of([]).p99_s, 0.0);
}

#[test]
fn a_refused_thread_tells_how_far_it_came_and_which_limit_it_may_be() {
    let refused = io::Error::from(io::ErrorKind::WouldBlock);
    let error = BurstError::Thread {
        started: 7,
        wanted: 10,
        source: refused,
    };
    let text = error.limit().expect("a limit");
    assert!(
        text.starts_with("threads: the system started 7 of 10 ("),
        "{text}"
    );
    let odd = BurstError::Connection(RequestError::Closed);
    assert_eq!(odd.limit(), None, "a venue that hangs up is no limit");
}

#[test]
fn the_simulated_price_is_that_of_the_closed_form() {
    // Garman and Kohlhagen's formula for calls 0 to 5, worked out elsewhere.
    for (number, expected) in CLOSED_FORM.into_iter().enumerate() {
        let found = Call::numbered(number).price(400_000, 1 + number as u64);
        // The payoff's deviation is below 0.06: this is more than five standard errors.
        assert!(
            (found - expected).abs() < 0.0005,
            "{number}: {found} for {expected}"
        );
    }
}

#[test]
fn every_way_of_pricing_gives_the_same_prices_in_order() {
    for calls in [0, 1, 3, 20] {
        let book = Book {
            calls,
            paths: 500,
            seed: 42,
        };
        let expected = book.price_in_turn();
        assert_eq!(expected.len(), calls);
        let on_executor = run_on_this_thread(price_on_executor(book));
        assert_eq!(on_executor.expect("a runtime"), expected);
        for at_once in 1..=8 {
            let at_once = NonZeroUsize::new(at_once).expect("from one");
            let beside = run_on_this_thread(price_beside(book, at_once));
            assert_eq!(beside.expect("a runtime"), expected);
        }
    }
}
