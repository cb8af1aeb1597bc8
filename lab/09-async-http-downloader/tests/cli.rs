//! The binary as a user runs it.

use serde_json::Value;
use testing::{assert_nothing_left_behind, run, variant, verdict};
use web::{Server, ServerConfig};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-09-async-http-downloader");

/// The status of each attempt of a request, numbered from 0.
fn outcomes(variant: &Value, request: usize) -> Vec<String> {
    let attempts = variant["results"][request].as_array().expect("a list");
    let status = |attempt: &Value| match attempt["Err"].as_str() {
        Some(error) => {
            let (_, answer) = error.split_once(" answered ").expect("a status");
            answer[..3].to_owned()
        }
        None => attempt["Ok"]["status"].to_string(),
    };
    attempts.iter().map(status).collect()
}

/// What went wrong in the attempts of each request, without the URLs.
fn errors(variant: &Value) -> Vec<Vec<String>> {
    let error = |attempt: &Value| Some(attempt["Err"].as_str()?.split('`').nth(2)?.to_owned());
    let requests = variant["results"].as_array().expect("a list").iter();
    let attempts = requests.map(|attempts| attempts.as_array().expect("a list"));
    attempts
        .map(|attempts| attempts.iter().filter_map(error).collect())
        .collect()
}

#[test]
fn the_server_is_the_witness_of_limit_retries_and_rests() {
    let flags = "--json --delay 0.4 --backoff 0.1 --attempts 20 --fault-kinds 500,429";
    let flags: Vec<&str> = flags.split(' ').collect();
    let document = run(BINARY, &flags).well().document();
    assert_eq!(
        variant(&document, "no failures")["ledger"]["peak_in_flight"],
        5
    );
    for name in ["no failures", "kept", "released"] {
        let ledger = &variant(&document, name)["ledger"];
        assert_eq!(ledger["submitted"], 10);
        assert_eq!(ledger["done"], 10, "twenty attempts are enough");
        assert_eq!(ledger["threads"], 1);
        assert!(ledger["peak_in_flight"].as_u64() <= Some(5), "{ledger}");
        let retried = ledger["retried"].as_u64().expect("a count");
        let arrivals = &variant(&document, name)["figures"]["arrivals_at_the_server"];
        assert_eq!(arrivals[0].as_f64(), Some((10 + retried) as f64));
        assert_eq!(
            retried > 0,
            name != "no failures",
            "one in three fails: {ledger}"
        );
    }
    for name in [
        "within_the_limit",
        "attempts_arrived",
        "kept_permits_lie_idle",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn each_request_meets_the_same_faults_in_both_variants_and_every_run() {
    let run = |seed| {
        let flags = "--json --faults 2 --requests 30 --delay 0 --backoff 0.01 --max-wait 0.02 \
                     --attempts 20 --fault-kinds 500,cut,reset --seed";
        let flags: Vec<&str> = flags.split_whitespace().chain([seed]).collect();
        run(BINARY, &flags).well().document()
    };
    let [seven, again, eight] = ["7", "7", "8"].map(run);
    let faults = errors(variant(&seven, "kept"));
    assert!(faults.iter().any(|errors| errors.len() > 1), "{faults:?}");
    assert_eq!(faults, errors(variant(&seven, "released")));
    assert_eq!(faults, errors(variant(&again, "released")));
    assert_ne!(faults, errors(variant(&eight, "kept")));
}

#[test]
fn failures_that_were_asked_for_are_results() {
    let flags = "--json --delay 0 --requests 4 --faults 1 --fault-kinds 500 --attempts 2 \
                 --backoff 0.01";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let document = run(BINARY, &flags).well().document();
    let released = variant(&document, "released");
    assert_eq!(released["ledger"]["failed"], 4);
    assert_eq!(released["ledger"]["retried"], 4);
    assert_eq!(outcomes(released, 0), ["500", "500"]);
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let both = ["--faults", "2", "--url", "http://127.0.0.1:9/"];
    let _ = run(BINARY, &both).refused(2, &["--faults", "--url"]);
}

#[test]
fn a_port_that_refuses_is_not_tried_again_and_fails_the_run_with_one_line() {
    let flags = ["--json", "--url", "http://127.0.0.1:9/"];
    let finished = run(BINARY, &flags).refused(1, &["`http://127.0.0.1:9/`", "refused"]);
    let document = finished.document();
    let ledger = &variant(&document, "yours")["ledger"];
    assert_eq!(
        (&ledger["failed"], &ledger["retried"]),
        (&1.into(), &0.into())
    );
    let limit = verdict(&document, "within_the_limit");
    assert_eq!(limit, "inconclusive", "nothing counted");
}

#[test]
fn what_came_is_kept_beside_what_failed() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server in this process");
    let urls = ["get", "status/404", "status/500"].map(|path| server.url(path).to_string());
    let mut flags = vec!["--json", "--backoff", "0.01"];
    flags.extend(urls.iter().flat_map(|url| ["--url", url]));
    let finished = run(BINARY, &flags).refused(1, &["2 of 3 requests failed", "404", "500"]);
    let document = finished.document();
    let yours = variant(&document, "yours");
    assert_eq!(outcomes(yours, 0), ["200"]);
    assert_eq!(outcomes(yours, 1), ["404"]);
    assert_eq!(outcomes(yours, 2), ["500"; 3]);
}

#[test]
fn a_time_out_is_tried_again_and_told_in_one_line() {
    let flags =
        "--json --requests 1 --delay 30 --timeout 0.05 --attempts 2 --backoff 0.01 --faults 0";
    let flags: Vec<&str> = flags.split(' ').collect();
    let finished = run(BINARY, &flags).refused(1, &["1 of 1 requests failed", "--timeout"]);
    let document = finished.document();
    assert_eq!(variant(&document, "no failures")["ledger"]["retried"], 1);
    assert_eq!(document["variants"].as_array().map(Vec::len), Some(1));
}

#[test]
fn rests_of_no_length_leave_nothing_idle() {
    let flags = "--json --delay 0.02 --faults 1 --fault-kinds 500 --backoff 0 --max-wait 0";
    let flags: Vec<&str> = flags.split(' ').collect();
    let document = run(BINARY, &flags).well().document();
    let verdict = verdict(&document, "kept_permits_lie_idle");
    assert_eq!(verdict, "not_shown");
}
