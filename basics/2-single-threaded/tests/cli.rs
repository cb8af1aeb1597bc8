//! The binary as a user runs it.

use testing::{assert_nothing_left_behind, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-2-single-threaded");

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
    assert_eq!(verdict(&document, "one_at_a_time"), "shown");
    assert_nothing_left_behind(BINARY);
}
