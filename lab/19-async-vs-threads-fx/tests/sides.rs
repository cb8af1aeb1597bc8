//! Both sides against a venue in a process of its own.

use lab_19_async_vs_threads_fx::{
    burst::Answered,
    orders_for,
    protocol::{Outcome, RequestError, Target},
    quotes,
    tasks::{self, burst_with_tasks, run_on_this_thread, trade_with_tasks},
    threads::{self, burst_with_threads, trade_with_threads},
};
use process_pool::child::{Exit, Program};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};
use testing::assert_nothing_left_behind;
use web::venue::{Answer, Ask, Market, Pair, Request, Venue, VenueConfig};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-19-async-vs-threads-fx");
const STACK: usize = 64 * 1024;
const MARKET: Market = Market {
    seed: 42,
    fastest: Duration::from_millis(1),
    slowest: Duration::from_millis(5),
};

fn open(dies_at: Option<u64>, stalls_at: Option<u64>) -> (Venue, Target) {
    let config = VenueConfig {
        market: MARKET,
        dies_at,
        stalls_at,
    };
    let venue = Venue::open(&Program::at(BINARY), &config).expect("the venue opens");
    let target = Target {
        address: venue.address(),
        timeout: Duration::from_secs(60),
    };
    (venue, target)
}

/// What the market says: the oracle.
fn expected(requests: &[Request]) -> Vec<Outcome> {
    let answer = |request: &Request| match request.ask {
        Ask::Order(_, price) => Answer::Filled(request.id, price),
        Ask::Quote(pair) | Ask::Tick(pair) => {
            Answer::Price(request.id, MARKET.quote(request.id, pair))
        }
        Ask::Begin(_) | Ask::Counts => unreachable!("no client asks that"),
    };
    requests.iter().map(|request| Ok(answer(request))).collect()
}

fn outcomes(answered: Vec<Answered>) -> Vec<Outcome> {
    answered.into_iter().map(|one| one.outcome).collect()
}

fn in_tasks(target: Target, quotes: &[Request], workers: usize) -> [Vec<Outcome>; 2] {
    let then = |quoted: &[Outcome]| orders_for(quotes, quoted);
    run_on_this_thread(trade_with_tasks(target, quotes, workers, then)).expect("a runtime")
}

fn in_threads(target: Target, quotes: &[Request], workers: usize) -> [Vec<Outcome>; 2] {
    let then = |quoted: &[Outcome]| orders_for(quotes, quoted);
    trade_with_threads(&target, quotes, workers, then).expect("threads start")
}

#[test]
fn both_sides_bring_home_what_the_market_says_under_the_same_limit() {
    let (venue, target) = open(None, None);
    for (repeats, workers) in [(0, 3), (1, 1), (1, 8), (4, 5), (8, 2)] {
        let quotes = quotes(&Pair::ALL, repeats);
        for trade in [in_threads, in_tasks] {
            venue.begin(0).expect("the venue answers");
            let [quoted, ordered] = trade(target, &quotes, workers);
            assert_eq!(quoted, expected(&quotes));
            let orders = orders_for(&quotes, &quoted);
            assert_eq!(orders.len(), if repeats > 0 { 5 } else { 0 });
            assert_eq!(ordered, expected(&orders));
            let counts = venue.counts().expect("the venue answers");
            assert_eq!(counts.arrivals as usize, quotes.len() + orders.len());
            assert!(counts.peak_in_flight as usize <= workers, "{counts:?}");
            assert!(counts.connections as usize <= workers, "{counts:?}");
        }
    }
}

#[test]
fn in_a_burst_all_are_in_flight_at_once_as_the_venue_counts() {
    let (venue, target) = open(None, None);
    for count in [1, 2, 65, 300] {
        let requests = &quotes(&Pair::ALL, count)[..count];
        for side in ["threads", "tasks"] {
            venue.begin(count).expect("the venue answers");
            let answered = match side {
                "threads" => burst_with_threads(&target, requests, STACK),
                _ => run_on_this_thread(burst_with_tasks(target, requests)).expect("a runtime"),
            };
            assert_eq!(
                outcomes(answered.expect("no limit")),
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
fn an_empty_burst_asks_nothing() {
    let (venue, target) = open(None, None);
    venue.begin(0).expect("the venue answers");
    assert!(
        burst_with_threads(&target, &[], STACK)
            .expect("nothing to refuse")
            .is_empty()
    );
    let tasks = run_on_this_thread(burst_with_tasks(target, &[])).expect("a runtime");
    assert!(tasks.expect("nothing to refuse").is_empty());
    assert_eq!(venue.counts().expect("the venue answers").arrivals, 0);
}

#[test]
fn no_answer_comes_before_its_latency_has_passed() {
    let (venue, target) = open(None, None);
    let requests = quotes(&Pair::ALL, 4);
    venue.begin(requests.len()).expect("the venue answers");
    let answered = burst_with_threads(&target, &requests, STACK).expect("no limit");
    for (request, one) in requests.iter().zip(answered) {
        assert!(one.after >= MARKET.latency(request.id), "{request:?}");
    }
}

#[test]
fn a_venue_that_dies_fails_what_is_open_and_keeps_what_came() {
    for trade in [in_threads, in_tasks] {
        let (venue, target) = open(Some(9), None);
        let quotes = quotes(&Pair::ALL, 4);
        let [quoted, _] = trade(target, &quotes, 2);
        assert_eq!(quoted.len(), 20);
        let failed = quoted.iter().filter(|outcome| outcome.is_err()).count();
        assert!(
            (12..=13).contains(&failed),
            "7 or 8 were answered: {quoted:?}"
        );
        for (outcome, right) in quoted.iter().zip(expected(&quotes)) {
            assert!(outcome.is_err() || *outcome == right);
        }
        assert!(
            matches!(venue.ended(), Some(Exit::Signal(6))),
            "{:?}",
            venue.ended()
        );
        let text = venue.counts().expect_err("it is gone").to_string();
        assert!(text.contains("has ended with signal 6"), "{text}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_venue_that_never_answers_one_costs_a_time_out_and_no_other_request() {
    for trade in [in_threads, in_tasks] {
        let (_venue, target) = open(None, Some(3));
        let timeout = Duration::from_secs(2);
        let quotes = quotes(&Pair::ALL, 2);
        let [quoted, _] = trade(Target { timeout, ..target }, &quotes, 2);
        let failed = quoted.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(failed.eq([&RequestError::Silent { timeout }]), "{quoted:?}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    let (venue, target) = open(None, None);
    drop(venue);
    let reached = threads::Client::connect(&target).map(|_| ());
    assert!(
        matches!(reached, Err(RequestError::Connect { .. })),
        "{reached:?}"
    );
    let reached = run_on_this_thread(tasks::Client::connect(target)).expect("a runtime");
    assert!(
        matches!(reached, Err(RequestError::Connect { .. })),
        "{reached:?}"
    );
    assert!(burst_with_threads(&target, &quotes(&Pair::ALL, 1), STACK).is_err());
}

#[test]
fn what_the_venue_does_not_understand_it_rejects_and_goes_on() {
    let (venue, target) = open(None, None);
    let mut stream = TcpStream::connect(target.address).expect("it listens");
    let mut lines = BufReader::new(stream.try_clone().expect("a handle"));
    let mut say = |line: &str| {
        stream.write_all(line.as_bytes()).expect("it reads");
        let mut answer = String::new();
        lines.read_line(&mut answer).expect("it answers");
        answer
    };
    assert_eq!(say(""), "READY\n");
    for (line, reason) in [
        (
            "{\"id\":1,\"ask\":{\"quote\":\"XXXYYY\"}}\n",
            "unknown variant `XXXYYY`",
        ),
        ("BUY\n", "expected value"),
        ("{\"id\":1,\"ask\":{\"begin\":\"many\"}}\n", "invalid type"),
    ] {
        let Some(Answer::Rejected(why)) = Answer::of_line(&say(line)) else {
            panic!("{line} is no request");
        };
        assert!(why.contains(reason), "{why}");
    }
    let ask = Ask::Tick(Pair::EurUsd);
    let answer = Answer::of_line(&say(&Request { id: 3, ask }.line()));
    assert_eq!(
        answer,
        Some(Answer::Price(3, MARKET.quote(3, Pair::EurUsd)))
    );
    assert_eq!(
        venue.counts().expect("it answers").arrivals,
        0,
        "none of it was a quote"
    );
}
