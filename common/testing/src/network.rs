//! What every step that fetches must withstand: bad values, and servers that fail.

use super::{Finished, claim, run, variant, verdict};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};
use web::{Server, ServerConfig};

/// Asserts that requests, delays, time-outs and URLs that cannot be meant are refused.
///
/// # Panics
/// If one is not, or not in one line with the flag and the value.
pub fn assert_bad_requests_refused(program: &str) {
    for (flag, bad) in [
        ("--requests", "0"),
        ("--delay", "-1"),
        ("--timeout", "0"),
        ("--timeout", "inf"),
        ("--url", "no url"),
    ] {
        let _ = run(program, &[flag, bad]).refused(2, &[&format!("`{bad}`"), flag]);
    }
}

/// Asserts that a request that fails is told once by each of `variants`, its neighbour kept.
///
/// # Panics
/// If a failure is told otherwise, or takes something with it.
pub fn assert_failures_told(program: &str, variants: &[&str]) {
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let fine = server.url("bytes/1000");
    for (path, words) in [
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("cut/100", "after 50 of 100 bytes"),
        ("reset", "reset the connection"),
    ] {
        let bad = server.url(path);
        let finished = run(program, &["--url", bad.as_str(), "--url", fine.as_str()]);
        let finished = finished.failed(variants, &[words, bad.as_str(), "1 of 2"]);
        finished.tells(&["URL #1: failed", "URL #2: status 200, 1,000 bytes"]);
    }
    let bad = server.url("stall");
    let finished = run(program, &["--url", bad.as_str(), "--timeout", "0.3"]);
    let _ = finished.failed(variants, &["no complete answer", bad.as_str(), "--timeout"]);
    let odd = server.url("not-utf8");
    run(program, &["--url", odd.as_str()])
        .well()
        .tells(&["URL #1: status 200"]);
}

/// Asserts that a port where nobody listens fails every request of each of `variants`.
///
/// # Panics
/// If it does not, or a claim or a count comes of it that nobody can have seen.
pub fn assert_refusal_told(program: &str, variants: &[&str]) {
    let url = "http://127.0.0.1:9";
    let arguments = ["--json", "--base-url", url, "--requests", "3"];
    let finished = run(program, &arguments).failed(variants, &[url, "refused", "3 of 3"]);
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

/// Asserts that less time is no overlap where requests failed, or where a server got faster.
///
/// # Panics
/// If `concurrent`, the second variant, is said to have overlapped its waits all the same.
pub fn assert_overlap_needs_waits(program: &str, concurrent: &str) {
    const OVERLAP: &str = "the waits overlapped";
    let failing = moody_server(3, "503 Service Unavailable");
    let flags = ["--json", "--requests", "3", "--base-url", &failing];
    let finished = run(program, &flags);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let document = finished.document();
    assert_eq!(variant(&document, concurrent)["ledger"]["failed"], 3);
    assert_eq!(verdict(&document, OVERLAP), "not_shown");
    let reason = claim(&document, OVERLAP)["reason"].as_str();
    let told = "requests failed in both variants together: 3";
    assert!(
        reason.is_some_and(|reason| reason.contains(told)),
        "{reason:?}"
    );
    // One request at a time, and the second variant's takes less.
    let faster = moody_server(1, "200 OK");
    let flags = ["--json", "--requests", "1", "--base-url", &faster];
    let document = run(program, &flags).well().document();
    assert_eq!(verdict(&document, OVERLAP), "not_shown");
}

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

impl Finished {
    /// Asserts exit code 1 and a line per variant on standard error, each with its name and `words`.
    #[must_use]
    fn failed(self, variants: &[&str], words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}\n{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), variants.len(), "{}", self.stderr);
        for (line, name) in lines.iter().zip(variants) {
            for part in words.iter().chain([name]) {
                assert!(line.contains(part), "`{part}` in {line}");
            }
        }
        self.without_panic_text()
    }
}
