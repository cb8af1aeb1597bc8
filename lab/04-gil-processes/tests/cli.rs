//! The binary as a user runs it.

use serde_json::Value;
use std::collections::BTreeSet;
use testing::{assert_nothing_left_behind, claim, events_of, run, traced, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-04-gil-processes");

#[test]
fn threads_share_this_process_and_processes_do_not() {
    let arguments = ["--json", "--scale", "4", "--rounds", "2"];
    let document = run(BINARY, &arguments).well().document();
    let processes_of = |name: &str| variant(&document, name)["ledger"]["processes"].clone();
    assert_eq!(processes_of("sequential"), 1);
    assert_eq!(processes_of("two threads"), 1);
    assert_eq!(processes_of("two processes"), 3, "two and this one");
    let threads = &variant(&document, "two threads")["ledger"]["threads"];
    assert_eq!(threads, 3, "two and the main thread");
    for name in ["sequential", "two threads", "two processes"] {
        assert_eq!(variant(&document, name)["ledger"]["done"], 2, "{name}");
        assert_eq!(variant(&document, name)["runs"], 2, "{name}");
    }
    assert_eq!(claim(&document, "all_counted")["verdict"], "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn each_start_up_is_a_segment_of_its_own_and_measured() {
    let arguments = ["--json", "--scale", "1", "--rounds", "1"];
    let document = run(BINARY, &arguments).well().document();
    let processes = variant(&document, "two processes");
    let slower = processes["figures"]["slower_start_up"][0].as_f64();
    assert!(slower > Some(0.0), "{slower:?}");
    let lanes = processes["lanes"].as_array().expect("lanes");
    assert_eq!(lanes.len(), 2);
    for lane in lanes {
        assert_eq!(lane["kind"], "process");
        assert_eq!(lane["spans"][0]["name"], "start-up");
    }
}

#[test]
fn a_crash_is_told_with_worker_and_signal_and_the_other_job_is_done() {
    let arguments = ["--crash", "--scale", "4", "--rounds", "1"];
    let report = run(BINARY, &arguments).well();
    report.tells(&["ended in mid-task with", "job 2: counted 20,000,000 steps"]);
    assert_eq!(
        report.stderr, "",
        "neither panic text nor a word from the dead"
    );

    let document = run(BINARY, &[&arguments[..], &["--json"]].concat())
        .well()
        .document();
    let crash = variant(&document, "one job crashes");
    let ledger = &crash["ledger"];
    let counts = ["submitted", "done", "failed", "cancelled", "retried"].map(|name| &ledger[name]);
    assert_eq!(counts, [2, 1, 1, 0, 0]);
    assert_eq!(crash["results"][1]["Ok"], 20_000_000);
    assert_eq!(
        crash["speedup"],
        Value::Null,
        "half of the work is no speed-up"
    );
    let claim = claim(&document, "crash_is_contained");
    assert_eq!(claim["verdict"], "shown");
    #[cfg(unix)]
    assert!(
        claim["text"].to_string().contains("signal 6 (SIGABRT)"),
        "{claim}"
    );
    assert_nothing_left_behind(BINARY);
}

#[cfg(unix)]
#[test]
fn a_crash_leaves_no_core_file_even_where_the_user_wants_them() {
    let folder = tempfile::tempdir().expect("a folder for what is left");
    let mut command = std::process::Command::new("sh");
    // The limit may be raised no further than the machine allows: then there is none to be left.
    let line = "ulimit -c unlimited 2>/dev/null; exec \"$0\" --crash --scale 1 --rounds 1";
    command
        .args(["-c", line, BINARY])
        .current_dir(folder.path());
    let _ = testing::run_command(command).well();
    let left: Vec<_> = folder
        .path()
        .read_dir()
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_trace_sets_variants_above_each_other_and_shows_the_way_of_each_job() {
    let trace = traced(BINARY, &["--scale", "1", "--rounds", "1"]);
    let slices = events_of(&trace, "X");
    let track = |event: &Value| (event["pid"].as_u64(), event["tid"].as_u64());
    let workers: BTreeSet<_> = (slices.iter())
        .filter(|slice| slice["name"] == "start-up")
        .map(|slice| track(slice))
        .collect();
    assert_eq!(workers.len(), 2, "two worker processes");
    let whole = ["sequential", "two threads", "two processes"].map(|name| {
        let whole = slices.iter().find(|slice| slice["name"] == name);
        whole.map(|slice| (slice["pid"].as_u64(), slice["ts"].as_f64()))
    });
    let at_zero = |process| Some((Some(process), Some(0.0)));
    assert_eq!(whole, [at_zero(1), at_zero(2), at_zero(3)]);
    let stops = slices.iter().filter(|slice| slice["bind_id"].is_string());
    let (ran, handed): (Vec<&&Value>, Vec<_>) =
        stops.partition(|stop| workers.contains(&track(stop)));
    assert_eq!(ran.len(), 2, "each job ran once between its two ends");
    assert!(ran.iter().all(|stop| stop["flow_in"] == true));
    let is_first = |stop: &&&&Value| stop["flow_in"] == false;
    assert_eq!(
        (handed.len(), handed.iter().filter(is_first).count()),
        (4, 2)
    );
}
