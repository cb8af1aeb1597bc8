//! What the steps that fetch by the shared client must withstand: servers that fail.

use crate::support::binaries;
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Duration,
};
use testing::{Finished, claim, run, variant, verdict};
use web::{Server, ServerConfig};

/// These steps with their variants.
const STEPS: [(&str, &[&str]); 6] = [
    ("basics-2-single-threaded", &["single-threaded"]),
    (
        "basics-3-multi-threaded",
        &["single-threaded", "multi-threaded"],
    ),
    ("lab-01-sequential-fetch", &["sequential"]),
    ("lab-02-threaded-fetch", &["sequential", "threaded"]),
    (
        "lab-05-thread-pool-downloader",
        &["sequential", "pool of 5"],
    ),
    ("lab-08-async-downloader", &["await in a loop", "tasks"]),
];

/// Calls `check` with each of these steps' binary and variants, all at once: they mostly wait.
fn each_step(check: impl Fn(&Path, &[&str]) + Sync) {
    thread::scope(|scope| {
        for (package, variants) in STEPS {
            let check = &check;
            scope.spawn(move || check(&binaries()[package], variants));
        }
    });
}

#[test]
fn a_request_that_fails_is_reported_once_by_each_variant_and_its_neighbour_is_kept() {
    each_step(assert_failures_reported);
}

fn assert_failures_reported(program: &Path, variants: &[&str]) {
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let fine = server.url("bytes/1000");
    // Labs 02 and 08 print numbers as they arrive.
    let short = ["threaded", "tasks"]
        .iter()
        .any(|name| variants.contains(name));
    let lines = match short {
        true => ["#1 (failed)", "#2", "#1"],
        false => [
            "URL #1: failed",
            "URL #2: status 200, 1,000 bytes",
            "URL #1: status 200",
        ],
    };
    for (path, words) in [
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("cut/100", "after 50 of 100 bytes"),
        ("reset", "reset the connection"),
    ] {
        let bad = server.url(path);
        let finished = run(program, &["--url", bad.as_str(), "--url", fine.as_str()]);
        let finished = failed(finished, variants, &[words, bad.as_str(), "1 of 2"]);
        finished.tells(&lines[..2]);
    }
    let bad = server.url("stall");
    let finished = run(program, &["--url", bad.as_str(), "--timeout", "0.3"]);
    let _ = failed(
        finished,
        variants,
        &["no complete answer", bad.as_str(), "--timeout"],
    );
    let odd = server.url("not-utf8");
    run(program, &["--url", odd.as_str()])
        .well()
        .tells(&lines[2..]);
}

#[test]
fn a_port_that_refuses_fails_every_request_and_leaves_nothing_to_claim() {
    each_step(assert_refusal_reported);
}

fn assert_refusal_reported(program: &Path, variants: &[&str]) {
    let url = "http://127.0.0.1:9";
    let arguments = ["--json", "--base-url", url, "--requests", "3"];
    let finished = run(program, &arguments);
    let finished = failed(finished, variants, &[url, "refused", "3 of 3"]);
    let document = finished.document();
    assert!(document["error"].is_string(), "{}", finished.stdout);
    for name in variants {
        let ledger = &variant(&document, name)["ledger"];
        assert_eq!(ledger["failed"], 3, "{name}");
        assert!(ledger["peak_in_flight"].is_null(), "{name}: nobody counted");
        let efficiency = variant(&document, name)["efficiency"].as_f64();
        assert!(
            efficiency.is_none_or(|ratio| ratio <= 1.0),
            "{name}: {efficiency:?}, though its bound is not that of answers"
        );
    }
}

#[test]
fn less_time_is_no_overlap_where_requests_failed_or_the_server_got_faster() {
    for (package, concurrent) in [
        ("basics-3-multi-threaded", "multi-threaded"),
        ("lab-02-threaded-fetch", "threaded"),
        ("lab-08-async-downloader", "tasks"),
    ] {
        assert_overlap_needs_waits(&binaries()[package], concurrent);
    }
}

fn assert_overlap_needs_waits(program: &Path, concurrent: &str) {
    const OVERLAP: &str = "waits_overlap";
    let failing = tiring_server(3, "503 Service Unavailable");
    let flags = ["--json", "--requests", "3", "--base-url", &failing];
    let finished = run(program, &flags);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let document = finished.document();
    assert_eq!(variant(&document, concurrent)["ledger"]["failed"], 3);
    assert_eq!(verdict(&document, OVERLAP), "not_shown");
    let reason = claim(&document, OVERLAP)["reason"].as_str();
    let told = format!("`{concurrent}` failed 3 tasks");
    assert!(
        reason.is_some_and(|reason| reason.contains(&told)),
        "{reason:?}"
    );
    // One request at a time, and the second variant's takes less.
    let faster = tiring_server(1, "200 OK");
    let flags = ["--json", "--requests", "1", "--base-url", &faster];
    let document = run(program, &flags).well().document();
    assert_eq!(verdict(&document, OVERLAP), "not_shown");
}

/// A server whose first `slow` answers take a while, and whose others have this status at once.
fn tiring_server(slow: usize, status: &'static str) -> String {
    moody_server(move |number| match number < slow {
        true => (Duration::from_millis(200), "200 OK"),
        false => (Duration::ZERO, status),
    })
}

/// Asserts exit code 1 and a line per variant on standard error, each with its name and `words`.
fn failed(finished: Finished, variants: &[&str], words: &[&str]) -> Finished {
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), variants.len(), "{}", finished.stderr);
    for (line, name) in lines.iter().zip(variants) {
        for part in words.iter().chain([name]) {
            assert!(line.contains(part), "`{part}` in {line}");
        }
    }
    finished
}

/// Starts a server that answers each request, whatever it asks for, after the wait and with the status that
/// `answer` has for its number, from 0; gives its URL.
fn moody_server(answer: impl Fn(usize) -> (Duration, &'static str) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for (number, connection) in listener.incoming().flatten().enumerate() {
            let (wait, status) = answer(number);
            thread::spawn(move || serve(connection, wait, status));
        }
    });
    format!("http://{address}")
}

fn serve(mut connection: TcpStream, wait: Duration, status: &str) {
    let copy = connection.try_clone().expect("a second handle");
    let head = BufReader::new(copy).lines().map_while(Result::ok);
    // An empty line ends the head, and there is no body.
    for _ in head.take_while(|line| !line.is_empty()) {}
    thread::sleep(wait);
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n");
    // A client that has gone has failed its test already.
    let _ = write!(connection, "{head}ok");
}
