//! The binary as a user runs it.

use common::testing::{
    assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
    assert_refusal_told, run, variant,
};

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-02-threaded-fetch");

/// A server whose first `slow` answers take a while, and whose others have this status at once.
fn moody_server(slow: usize, status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for (number, connection) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || answer(connection, number < slow, status));
        }
    });
    format!("http://{address}")
}

fn answer(mut connection: TcpStream, slowly: bool, status: &str) {
    let copy = connection.try_clone().expect("a second handle");
    let head = BufReader::new(copy).lines().map_while(Result::ok);
    // An empty line ends the head, and there is no body.
    for _ in head.take_while(|line| !line.is_empty()) {}
    let status = if slowly {
        thread::sleep(Duration::from_millis(200));
        "200 OK"
    } else {
        status
    };
    // A client that has gone has failed its test already.
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
    );
}

/// The claim with these words.
fn claim<'a>(document: &'a Value, words: &str) -> &'a Value {
    let claims = document["claims"].as_array().expect("a list");
    let found = claims
        .iter()
        .find(|claim| claim["text"].as_str().is_some_and(|t| t.contains(words)));
    found.unwrap_or_else(|| panic!("no claim with `{words}`: {claims:?}"))
}

#[test]
fn every_thread_waits_at_once_and_the_server_is_the_witness() {
    let document = run(BINARY, &["--json", "--delay", "0.2", "--requests", "6"])
        .well()
        .document();
    let threaded = variant(&document, "threaded");
    assert_eq!(threaded["ledger"]["peak_in_flight"], 6);
    assert_eq!(threaded["ledger"]["done"], 6);
    assert_eq!(threaded["ledger"]["threads"], 7, "six and the main thread");
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["peak_in_flight"], 1);
    assert_eq!(sequential["ledger"]["connections"], 1, "kept alive");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_report_tells_each_length_and_the_time() {
    let finished = run(BINARY, &["--delay", "0.05", "--requests", "3"]).well();
    finished.tells(&[
        "URL #3: status 200",
        "bytes",
        "threaded: elapsed",
        "in flight",
        "✓ shown",
    ]);
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["sequential", "threaded"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}

#[test]
fn requests_that_fail_sooner_are_no_waits_that_overlapped() {
    let server = moody_server(3, "503 Service Unavailable");
    let finished = run(
        BINARY,
        &["--json", "--requests", "3", "--base-url", &server],
    );
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let document = finished.document();
    assert_eq!(variant(&document, "threaded")["ledger"]["failed"], 3);
    let overlap = claim(&document, "the waits overlapped");
    assert_eq!(overlap["verdict"], "not_shown");
    let reason = overlap["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("requests failed in both variants together: 3"),
        "{reason}"
    );
}

/// One request at a time, whose second takes less: nothing overlapped.
#[test]
fn a_server_that_gets_faster_is_no_overlap() {
    let server = moody_server(1, "200 OK");
    let flags = ["--json", "--requests", "1", "--base-url", &server];
    let document = run(BINARY, &flags).well().document();
    let overlap = claim(&document, "the waits overlapped");
    assert_eq!(overlap["verdict"], "not_shown");
}
