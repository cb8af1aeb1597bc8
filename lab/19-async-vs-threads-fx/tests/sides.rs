//! Both sides against a venue in a process of its own.

use lab_19_async_vs_threads_fx::{
    quotes,
    tasks::{run_on_this_thread, trade_with_tasks},
    threads::trade_with_threads,
};
use process_pool::child::Program;
use std::{io, net::SocketAddr, num::NonZeroUsize, time::Duration};
use testing::assert_nothing_left_behind;
use web::venue::{Answer, Market, Request, Venue};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-19-async-vs-threads-fx");
const MARKET: Market = Market {
    seed: 42,
    fastest: Duration::from_millis(1),
    slowest: Duration::from_millis(5),
};

fn open() -> Venue {
    Venue::open(&Program::at(BINARY), MARKET).expect("the venue opens")
}

/// What the market says: the oracle.
fn expected(quotes: &[Request]) -> Vec<Answer> {
    let answer = |&Request { id, pair, .. }: &Request| Answer {
        id,
        price: MARKET.price(id, pair),
    };
    quotes.iter().map(answer).collect()
}

type Trade = fn(SocketAddr, &[Request], NonZeroUsize) -> io::Result<Vec<Answer>>;

fn in_tasks(venue: SocketAddr, quotes: &[Request], limit: NonZeroUsize) -> io::Result<Vec<Answer>> {
    run_on_this_thread(trade_with_tasks(venue, quotes, limit))?
}

fn on_threads(
    venue: SocketAddr,
    quotes: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    trade_with_threads(venue, quotes, limit, 64 * 1024)
}

const TRADES: [Trade; 2] = [on_threads, in_tasks];

#[test]
fn both_sides_get_what_the_market_says_under_the_same_limit() {
    let venue = open();
    for (count, limit) in [(0, 3), (5, 1), (5, 8), (20, 5), (40, 2)] {
        let limit = NonZeroUsize::new(limit).expect("not zero");
        let quotes = quotes(count);
        for trade in TRADES {
            venue.begin(0).expect("the venue answers");
            let traded = trade(venue.address, &quotes, limit).expect("no request fails");
            assert_eq!(traded, expected(&quotes));
            let counts = venue.counts().expect("the venue answers");
            assert_eq!(counts.arrivals as usize, count);
            assert!(counts.peak_in_flight as usize <= limit.get(), "{counts:?}");
        }
    }
    drop(venue);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn as_many_are_in_flight_at_once_as_may_be() {
    let venue = open();
    for count in [1, 2, 65, 300] {
        let quotes = quotes(count);
        let limit = NonZeroUsize::new(count).expect("not zero");
        for trade in TRADES {
            venue.begin(count).expect("the venue answers");
            let traded = trade(venue.address, &quotes, limit).expect("no request fails");
            assert_eq!(traded, expected(&quotes));
            let counts = venue.counts().expect("the venue answers");
            assert_eq!(counts.peak_in_flight as usize, count);
            assert_eq!(counts.connections as usize, count);
        }
    }
}

#[test]
fn an_order_is_filled_at_its_own_price() {
    let venue = open();
    venue.begin(0).expect("the venue answers");
    let order = Request {
        buy_at: Some(7),
        ..quotes(1)[0]
    };
    for trade in TRADES {
        // What is asked for first is an order, too.
        let traded = trade(venue.address, &[order], NonZeroUsize::MIN);
        assert_eq!(
            traded.expect("no request fails"),
            [Answer { id: 1, price: 7 }]
        );
    }
    assert_eq!(venue.counts().expect("the venue answers").arrivals, 0);
}

#[test]
fn a_venue_that_has_gone_is_an_error_on_either_side() {
    let venue = open();
    let address = venue.address;
    drop(venue);
    let requests = quotes(20);
    for trade in TRADES {
        let _ = trade(address, &requests, NonZeroUsize::MIN).expect_err("nothing listens");
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let request = quotes(7)[6];
    assert!(Answer::to(&request, "{\"id\":7,\"price\":108500}\n").is_ok());
    for (line, reason) in [
        (
            "{\"id\":8,\"price\":108500}\n",
            "answered request 8 instead of 7",
        ),
        ("no\n", "answered `no`"),
        ("", "closed the connection"),
    ] {
        let error = Answer::to(&request, line).expect_err("it is none");
        assert!(error.to_string().contains(reason), "{error}");
    }
}
