//! Both sides against a venue in a process of its own.

use lab_19_async_vs_threads_fx::{
    orders, quotes,
    tasks::{burst_with_tasks, run_on_this_thread, trade_with_tasks},
    threads::{burst_with_threads, trade_with_threads},
};
use process_pool::child::Program;
use std::{io, net::SocketAddr, num::NonZeroUsize, time::Duration};
use testing::assert_nothing_left_behind;
use web::venue::{Answer, Ask, Market, Pair, Request, Venue};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-19-async-vs-threads-fx");
const STACK: usize = 64 * 1024;
const MARKET: Market = Market {
    seed: 42,
    fastest: Duration::from_millis(1),
    slowest: Duration::from_millis(5),
};

fn open() -> Venue {
    Venue::open(&Program::at(BINARY), &MARKET).expect("the venue opens")
}

/// What the market says: the oracle.
fn expected(requests: &[Request]) -> Vec<Answer> {
    let answer = |request: &Request| {
        let id = request.id;
        let price = match request.ask {
            Ask::Quote(pair) | Ask::Tick(pair) => MARKET.price(id, pair),
            Ask::Order(_, price) => price,
        };
        Answer { id, price }
    };
    requests.iter().map(answer).collect()
}

type Trade = fn(SocketAddr, &[Request], NonZeroUsize) -> io::Result<Vec<Answer>>;

fn in_tasks(
    venue: SocketAddr,
    requests: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    run_on_this_thread(trade_with_tasks(venue, requests, limit))?
}

const TRADES: [Trade; 2] = [trade_with_threads, in_tasks];

#[test]
fn both_sides_get_what_the_market_says_under_the_same_limit() {
    let venue = open();
    for (repeats, limit) in [(0, 3), (1, 1), (1, 8), (4, 5), (8, 2)] {
        let limit = NonZeroUsize::new(limit).expect("not zero");
        let quotes = quotes(&Pair::ALL, repeats);
        for trade in TRADES {
            venue.begin(0).expect("the venue answers");
            let quoted = trade(venue.address, &quotes, limit).expect("no request fails");
            assert_eq!(quoted, expected(&quotes));
            let orders = orders(&quotes, &quoted);
            assert_eq!(orders.len(), if repeats > 0 { 5 } else { 0 });
            let filled = trade(venue.address, &orders, limit).expect("no request fails");
            assert_eq!(filled, expected(&orders));
            let counts = venue.counts().expect("the venue answers");
            assert_eq!(counts.arrivals as usize, quotes.len() + orders.len());
            assert!(counts.peak_in_flight as usize <= limit.get(), "{counts:?}");
        }
    }
    drop(venue);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn in_a_burst_all_are_in_flight_at_once_as_the_venue_counts() {
    let venue = open();
    for count in [0, 1, 2, 65, 300] {
        let requests = &quotes(&Pair::ALL, count)[..count];
        for side in ["threads", "tasks"] {
            venue.begin(count).expect("the venue answers");
            let answers = match side {
                "threads" => burst_with_threads(venue.address, requests, STACK),
                _ => run_on_this_thread(burst_with_tasks(venue.address, requests))
                    .expect("a runtime"),
            };
            assert_eq!(
                answers.expect("no request fails"),
                expected(requests),
                "{side}"
            );
            let counts = venue.counts().expect("the venue answers");
            assert_eq!(counts.peak_in_flight as usize, count, "{side}");
            assert_eq!(counts.connections as usize, count, "{side}");
        }
    }
}

#[test]
fn a_venue_that_has_gone_is_an_error_on_either_side() {
    let venue = open();
    let address = venue.address;
    drop(venue);
    let requests = quotes(&Pair::ALL, 4);
    for trade in TRADES {
        let _ = trade(address, &requests, NonZeroUsize::MIN).expect_err("nothing listens");
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let ask = Ask::Quote(Pair::ALL[0]);
    let request = Request { id: 7, ask };
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
