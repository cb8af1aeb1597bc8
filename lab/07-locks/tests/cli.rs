//! The binary as a user runs it.

use testing::{run, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-07-locks");
const SCRIPT: [&str; 2] = ["--increments", "100_000"];

#[test]
fn every_repair_gets_what_was_expected_and_tells_its_cost() {
    let arguments = [&SCRIPT[..], &["--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for name in ["Mutex", "fetch_add", "sum at the end", "queue"] {
        let variant = variant(&document, name);
        assert_eq!(variant["results"]["expected"], 200_000, "{name}");
        assert_eq!(variant["results"]["got"], 200_000, "{name}");
        assert_eq!(variant["ledger"]["done"], 200_000, "{name}");
        assert_eq!(variant["ledger"]["failed"], 0, "{name}");
        assert_eq!(variant["ledger"]["threads"], 3, "{name}");
    }
    assert_eq!(document["claims"][0]["verdict"], "shown");
    for name in ["sequential", "racy", "Mutex", "fetch_add", "sum at the end"] {
        let cost = variant(&document, name)["results"]["per_increment_s"].as_f64();
        assert!(cost.is_some_and(|cost| cost > 0.0), "{name}: {cost:?}");
    }
}

#[test]
fn the_variants_take_turns_and_what_the_race_lost_is_counted() {
    let arguments = [
        "--json",
        "--rounds",
        "2",
        "--threads",
        "4",
        "--increments",
        "5000",
    ];
    let document = run(BINARY, &arguments).well().document();
    let racy = variant(&document, "racy");
    assert_eq!(racy["runs"], 2);
    let (got, lost) = (&racy["results"]["got"], &racy["results"]["lost"]);
    assert_eq!(
        got.as_u64()
            .zip(lost.as_u64())
            .map(|(got, lost)| got + lost),
        Some(20_000)
    );
    assert_eq!(racy["ledger"]["failed"], *lost);
    assert_eq!(variant(&document, "queue")["runs"], 1);
}

#[test]
fn a_worker_is_one_span_however_often_it_takes_the_lock() {
    let arguments = [&SCRIPT[..], &["--json", "--threads", "3"]].concat();
    let document = run(BINARY, &arguments).well().document();
    let lanes = variant(&document, "Mutex")["lanes"].as_array();
    let lanes = lanes.expect("a variant has lanes");
    assert_eq!(lanes.len(), 3);
    for lane in lanes {
        assert_eq!(lane["spans"].as_array().map(Vec::len), Some(1));
        assert_eq!(lane["spans"][0]["wait"], "lock");
    }
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--threads", "64", "--increments", "100_000_000"];
    let _ = run(BINARY, &all).refused(2, &["19,200,000,000 increments", "lower one"]);
}

#[test]
fn too_few_increments_say_nothing_of_their_cost() {
    for threads in ["1", "4"] {
        let flags = ["--json", "--increments", "1", "--threads", threads];
        let document = run(BINARY, &flags).well().document();
        let claims = document["claims"].as_array().expect("a list");
        let costs = &claims[2..];
        assert_eq!(costs.len(), 4);
        for claim in costs {
            assert_eq!(claim["verdict"], "not_shown", "{claim}");
            let reason = claim["reason"].as_str().expect("a reason");
            assert!(reason.contains("--increments"), "{reason}");
        }
    }
}
