//! The binary as a user runs it.

use common::{
    http::{Server, ServerConfig},
    testing::{assert_nothing_left_behind, run, variant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-2-single-threaded");

/// A server for `--url`, on a thread of this test.
fn server() -> Server {
    Server::in_process(0, ServerConfig::default()).expect("a free port")
}

#[test]
fn four_requests_go_one_at_a_time_over_one_connection() {
    let finished = run(BINARY, &["--json", "--delay", "0.2"]).well();
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["done"], 4);
    assert_eq!(single["ledger"]["peak_in_flight"], 1);
    assert_eq!(single["ledger"]["connections"], 1, "kept alive");
    assert_eq!(single["ledger"]["threads"], 1);
    assert_eq!(single["bound_s"], 0.8);
    assert_eq!(single["lanes"].as_array().map(Vec::len), Some(1));
    let spans = single["lanes"][0]["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 4);
    let at = |span: usize, end: &str| spans[span][end].as_f64().expect("seconds");
    assert!((1..4).all(|next| at(next - 1, "end_s") <= at(next, "start_s")));
    assert_eq!(document["claims"][0]["verdict"], "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_report_tells_each_status_and_length_and_the_time() {
    let finished = run(BINARY, &["--delay", "0.05"]).well();
    for words in [
        "URL #1: status 200",
        "URL #4: status 200",
        "bytes",
        "single-threaded: elapsed",
        "4 waits of 50.0 ms in a row",
        "✓ shown: never more than one request was in flight",
    ] {
        assert!(
            finished.stdout.contains(words),
            "`{words}` in {}",
            finished.stdout
        );
    }
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    let _ = run(BINARY, &["--requests", "0"]).refused(2, &["`0`", "--requests"]);
    let _ = run(BINARY, &["--delay", "-1"]).refused(2, &["`-1`", "--delay"]);
    let _ = run(BINARY, &["--timeout", "0"]).refused(2, &["`0`", "--timeout"]);
    let _ = run(BINARY, &["--url", "no url"]).refused(2, &["`no url`", "--url"]);
}

#[test]
fn what_fails_is_one_line_and_what_came_before_is_kept() {
    let server = server();
    let fine = server.url("bytes/1000");
    for (path, words) in [
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("cut/100", "after 50 of 100 bytes"),
        ("reset", "reset the connection"),
    ] {
        let bad = server.url(path);
        let urls = ["--url", fine.as_str(), "--url", bad.as_str()];
        let finished = run(BINARY, &urls).refused(1, &[words, bad.as_str(), "1 of 2"]);
        for line in ["URL #1: status 200, 1,000 bytes", "URL #2: failed"] {
            assert!(
                finished.stdout.contains(line),
                "`{line}` in {}",
                finished.stdout
            );
        }
    }
}

#[test]
fn a_body_that_stalls_is_given_up_after_the_timeout() {
    let server = server();
    let url = server.url("stall");
    let arguments = ["--json", "--url", url.as_str(), "--timeout", "0.3"];
    let finished = run(BINARY, &arguments).refused(1, &[url.as_str(), "--timeout"]);
    let document = finished.document();
    assert_eq!(variant(&document, "single-threaded")["ledger"]["failed"], 1);
    assert!(document["error"].is_string());
}

#[test]
fn a_port_that_refuses_is_one_line_and_its_bound_is_not_that_of_answers() {
    let arguments = ["--json", "--base-url", "http://127.0.0.1:9"];
    let finished = run(BINARY, &arguments).refused(1, &["`http://127.0.0.1:9/delay/1`", "refused"]);
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["failed"], 4);
    assert!(
        single["efficiency"]
            .as_f64()
            .is_some_and(|ratio| ratio <= 1.0)
    );
}

#[test]
fn a_page_that_is_no_utf8_is_as_good_as_any() {
    let server = server();
    let finished = run(BINARY, &["--url", server.url("not-utf8").as_str()]).well();
    assert!(
        finished.stdout.contains("URL #1: status 200"),
        "{}",
        finished.stdout
    );
}
