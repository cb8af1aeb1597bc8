//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-18-async-producer-consumer");
/// Making takes no time and consuming does, so that the queue fills on any machine.
const QUICK: [&str; 8] = [
    "--make", "0", "--least", "0.01", "--most", "0.02", "--work", "100_000",
];

fn document(flags: &[&str]) -> Value {
    let flags = [&QUICK[..], &["--json"], flags].concat();
    run(BINARY, &flags).well().document()
}

/// A count among the results of a variant.
fn count(document: &Value, name: &str, figure: &str) -> u64 {
    let value = &variant(document, name)["results"][figure];
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {figure}: {value}"))
}

#[test]
fn the_bound_holds_the_producer_back_and_nothing_is_lost() {
    let document = document(&["--queue", "4", "--items", "20"]);
    for name in ["unbounded", "bounded", "never yields", "yields"] {
        assert_eq!(count(&document, name, "consumed"), 20, "{name}");
        assert_eq!(variant(&document, name)["ledger"]["done"], 20, "{name}");
        assert_eq!(variant(&document, name)["ledger"]["threads"], 1, "{name}");
        let depths = variant(&document, name)["results"]["depths"].as_array();
        assert_eq!(depths.map(Vec::len), Some(40), "{name}");
    }
    assert_eq!(count(&document, "bounded", "peak_depth"), 4);
    assert!(count(&document, "bounded", "found_full") > 0);
    assert_eq!(count(&document, "unbounded", "found_full"), 0);
    assert!(count(&document, "unbounded", "peak_depth") > 4);
    for words in [
        "never held the producer back",
        "more than its bound",
        "found it full",
        "exactly once",
    ] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
    }
}

#[test]
fn nobody_finishes_anything_while_a_task_never_yields() {
    let flags = [
        "--json",
        "--least",
        "0.01",
        "--most",
        "0.02",
        "--work",
        "200_000_000",
    ];
    let document = run(BINARY, &flags).well().document();
    assert_eq!(count(&document, "never yields", "finished_meanwhile"), 0);
    assert!(count(&document, "yields", "finished_meanwhile") > 0);
    assert_eq!(verdict(&document, "without yielding, nobody"), "shown");
    assert_eq!(verdict(&document, "yielded now and then"), "shown");
}

#[test]
fn each_stop_and_each_panic_accounts_for_every_item() {
    for consumers in ["1", "3"] {
        let document = document(&["--consumers", consumers]);
        for name in [
            "stop at once",
            "stop gracefully",
            "one panics",
            "sole one panics",
        ] {
            let ledger = &variant(&document, name)["ledger"];
            assert_eq!(ledger["submitted"], 30, "{name}");
            let count = |figure| count(&document, name, figure);
            assert_eq!(
                count("consumed") + count("lost") + count("not_accepted"),
                30
            );
            assert_eq!(ledger["done"], count("consumed"));
            assert_eq!(ledger["failed"], count("lost"));
            assert_eq!(ledger["cancelled"], count("not_accepted"));
        }
        assert_eq!(count(&document, "stop gracefully", "lost"), 0);
        assert!(count(&document, "stop at once", "lost") > 0);
        assert_eq!(count(&document, "one panics", "consumed"), 29);
        assert_eq!(count(&document, "sole one panics", "consumed"), 4);
        assert_eq!(
            variant(&document, "one panics")["results"]["panics"][0],
            "item 5 is poisonous"
        );
        for words in [
            "stopped at once",
            "stopped gracefully",
            "when one consumer",
            "when the only",
        ] {
            assert_eq!(verdict(&document, words), "shown", "{words}");
        }
    }
}

#[test]
fn what_has_nothing_to_show_says_so() {
    let document = document(&["--items", "1"]);
    for words in [
        "found it full",
        "stopped at once",
        "stopped gracefully",
        "yielded now and then",
    ] {
        assert_eq!(verdict(&document, words), "not_shown", "{words}");
    }
    let reasons = document["claims"].as_array().expect("claims").iter();
    let reasons: Vec<&str> = reasons
        .filter_map(|claim| claim["reason"].as_str())
        .collect();
    assert!(
        reasons.contains(&"the consumers kept up with the producer"),
        "{reasons:?}"
    );
}

#[test]
fn the_same_seed_takes_the_same_times() {
    let bound = |seed| {
        let document = document(&["--items", "5", "--seed", seed]);
        variant(&document, "bounded")["bound_s"].as_f64()
    };
    assert_eq!(bound("7"), bound("7"));
    assert_ne!(bound("7"), bound("8"));
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let crossed = ["--least", "0.2", "--most", "0.1"];
    let _ = run(BINARY, &crossed).refused(2, &["`--least 0.2 --most 0.1`", "raise"]);
}
