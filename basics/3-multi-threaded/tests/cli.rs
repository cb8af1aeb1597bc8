//! The binary as a user runs it.

use common::{
    http::{Server, ServerConfig},
    testing::{assert_nothing_left_behind, run, variant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-3-multi-threaded");

/// A server for `--url`, on a thread of this test.
fn server() -> Server {
    Server::in_process(0, ServerConfig::default()).expect("a free port")
}

#[test]
fn four_requests_are_in_flight_at_once_and_the_server_is_the_witness() {
    let finished = run(BINARY, &["--json", "--delay", "0.5"]).well();
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["peak_in_flight"], 1);
    assert_eq!(single["ledger"]["connections"], 1, "kept alive");
    assert_eq!(single["ledger"]["threads"], 1);
    let multi = variant(&document, "multi-threaded");
    assert_eq!(multi["ledger"]["peak_in_flight"], 4);
    assert_eq!(multi["ledger"]["done"], 4);
    assert_eq!(multi["ledger"]["threads"], 5, "four and the main thread");
    assert_eq!(multi["lanes"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["params"]["workers"], 4);
    assert_eq!(document["claims"][0]["verdict"], "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn more_requests_than_threads_go_in_waves() {
    let arguments = [
        "--json",
        "--delay",
        "0.3",
        "--requests",
        "5",
        "--workers",
        "3",
    ];
    let document = run(BINARY, &arguments).well().document();
    let multi = variant(&document, "multi-threaded");
    assert_eq!(multi["bound_s"], 0.6);
    assert_eq!(
        multi["bound_reason"],
        "2 waves of 300 ms: 5 waits, 3 at a time"
    );
    assert!(multi["wall_s"].as_f64() >= Some(0.6), "{}", multi["wall_s"]);
    assert!(multi["ledger"]["peak_in_flight"].as_u64() <= Some(3));
    assert_eq!(multi["ledger"]["done"], 5);
}

#[test]
fn a_pool_of_one_overlaps_nothing_and_the_report_says_why() {
    let finished = run(BINARY, &["--delay", "0.1", "--workers", "1"]).well();
    for words in [
        "threads in the pool: 1",
        "URL #1: status 200",
        "URL #4: status 200",
        "bytes",
        "multi-threaded: elapsed",
        "in flight",
        "✗ not shown here: the waits overlapped",
        "because nothing could overlap: requests 4, threads in the pool 1",
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
    for bad in ["0", "-1", "100000", "many"] {
        let quoted = format!("`{bad}`");
        let _ = run(BINARY, &["--workers", bad]).refused(2, &[&quoted, "--workers", "1 to 512"]);
    }
    let _ = run(BINARY, &["--requests", "0"]).refused(2, &["`0`", "--requests"]);
    let _ = run(BINARY, &["--delay", "-1"]).refused(2, &["`-1`", "--delay"]);
    let _ = run(BINARY, &["--url", "no url"]).refused(2, &["`no url`", "--url"]);
}

#[test]
fn what_fails_is_one_line_per_variant_and_spares_the_others() {
    let server = server();
    let fine = server.url("bytes/1000");
    for (path, words) in [
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("cut/100", "after 50 of 100 bytes"),
        ("reset", "reset the connection"),
        ("stall", "no complete answer"),
    ] {
        let bad = server.url(path);
        let urls = [
            "--url",
            bad.as_str(),
            "--url",
            fine.as_str(),
            "--timeout",
            "0.3",
        ];
        let finished = run(BINARY, &urls);
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        let told: Vec<&str> = finished.stderr.lines().collect();
        assert_eq!(told.len(), 2, "{}", finished.stderr);
        for (line, name) in told.iter().zip(["single-threaded", "multi-threaded"]) {
            for part in [name, words, bad.as_str(), "1 of 2"] {
                assert!(line.contains(part), "`{part}` in {line}");
            }
        }
        for line in ["URL #1: failed", "URL #2: status 200, 1,000 bytes"] {
            assert!(
                finished.stdout.contains(line),
                "`{line}` in {}",
                finished.stdout
            );
        }
    }
}

#[test]
fn a_port_that_refuses_fails_the_run() {
    let finished = run(BINARY, &["--json", "--base-url", "http://127.0.0.1:9"]);
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stderr.contains("`http://127.0.0.1:9/delay/1`"),
        "{}",
        finished.stderr
    );
    assert_eq!(
        variant(&finished.document(), "multi-threaded")["ledger"]["failed"],
        4
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

/// Each thread reserves its stack: 512 of them do not fit into 400 MB of addresses.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_do_not_start_are_one_line_and_the_first_variant_is_kept() {
    let limited = "ulimit -v 400000 && exec \"$0\" --workers 512 --delay 0.01";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, BINARY]);
    let finished = common::testing::run_command(command)
        .refused(1, &["cannot start a pool of `512` threads", "--workers"]);
    assert!(finished.stdout.contains("4/4"), "{}", finished.stdout);
    assert_nothing_left_behind(BINARY);
}
