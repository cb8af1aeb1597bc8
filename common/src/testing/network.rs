//! What every step that fetches must withstand: bad values, and servers that fail.

use super::{Finished, run, variant};
use crate::http::{Server, ServerConfig};

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
