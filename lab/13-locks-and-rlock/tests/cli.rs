//! The binary as a user runs it.

use serde_json::Value;
#[cfg(target_os = "linux")]
use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use testing::{assert_nothing_left_behind, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-13-locks-and-rlock");

/// Enough to see that all is counted.
const SHORT: [&str; 4] = ["--increments", "20_000", "--rounds", "2"];

fn document(arguments: &[&str]) -> Value {
    let arguments = [&SHORT[..], &["--json"], arguments].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_nothing_left_behind(BINARY);
    document
}

#[test]
fn each_deadlock_is_found_and_the_kept_order_finishes() {
    let document = document(&[]);
    for (name, counts) in [
        ("self-deadlock", [1, 0, 0, 1]),
        ("opposite order", [2, 0, 0, 2]),
        ("same order", [2, 2, 0, 0]),
    ] {
        let ledger = &variant(&document, name)["ledger"];
        let counted = ["submitted", "done", "failed", "cancelled"].map(|name| &ledger[name]);
        assert_eq!(counted, counts, "{name}");
        // The pool may have begun to replace the child that was killed.
        let processes = ledger["processes"].as_u64();
        assert!(matches!(processes, Some(2 | 3)), "{name}: {processes:?}");
        // Those of the child are not this process's: one waits for it, and one may serve it.
        assert!(ledger["threads"].as_u64() <= Some(2), "{name}: {ledger}");
    }
    for name in [
        "every_increment_counted",
        "self_deadlock_named",
        "opposite_orders_named",
        "poison_warns",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_eq!(
        verdict(&document, "rlock_costs"),
        "inconclusive",
        "two rounds are too few"
    );
}

/// The circle as the document has it, against the source that it points at.
#[test]
fn a_circle_names_its_threads_and_locks_and_the_lines_that_asked() {
    let document = document(&["--threads", "1"]);
    let source: Vec<&str> = include_str!("../src/deadlock.rs").lines().collect();
    let circle = |variant_name: &str| -> Vec<[String; 3]> {
        serde_json::from_value(variant(&document, variant_name)["results"].clone()).expect("rows")
    };
    let lock_at = |place: &str| {
        let (lock, line) = place.split_once(", line ").expect("lock and line");
        let line: usize = line.parse().expect("a number");
        assert!(
            source[line - 1].contains(&format!("{}.lock()", lock.to_uppercase())),
            "{place}"
        );
        (lock.to_owned(), line)
    };
    let [[thread, has, waits]] = circle("self-deadlock").try_into().expect("one thread");
    let (has, waits) = (lock_at(&has), lock_at(&waits));
    assert_eq!(
        (&*thread, &*has.0, &*waits.0),
        ("teller", "checking", "checking")
    );
    assert!(has.1 < waits.1);
    let both = circle("opposite order").into_iter();
    let both = both.map(|[thread, has, waits]| (thread, lock_at(&has).0, lock_at(&waits).0));
    let mut both: Vec<_> = both.collect();
    both.sort();
    let names = |thread: &str, has: &str, waits: &str| {
        (thread.to_owned(), has.to_owned(), waits.to_owned())
    };
    let saver = names("saver", "checking", "savings");
    assert_eq!(both, [saver, names("spender", "savings", "checking")]);
    assert!(circle("same order").is_empty());
}

/// Whether a process runs as a worker. Stopped before that, it would stop its parent, too (`vfork`);
/// and a run asks `git` for the commit.
#[cfg(target_os = "linux")]
fn is_worker(process: &str) -> bool {
    let words = fs::read_to_string(format!("/proc/{process}/cmdline"));
    words.is_ok_and(|words| words.contains("--lab-role="))
}

/// A child that never answers ends by the run's own limit: in one line, and nothing of it stays.
#[cfg(target_os = "linux")]
#[test]
fn a_child_that_stays_silent_is_given_up() {
    let mut command = Command::new(BINARY);
    command.args(SHORT).stdout(Stdio::null());
    let mut parent = command.stderr(Stdio::piped()).spawn().expect("it starts");
    // Each child of a deadlock is there for a tenth of a second at least.
    let status = loop {
        for thread in fs::read_dir(format!("/proc/{}/task", parent.id()))
            .into_iter()
            .flatten()
        {
            let children = thread.map(|thread| thread.path().join("children"));
            let children = children.and_then(fs::read_to_string).unwrap_or_default();
            for child in children.split_whitespace().filter(|child| is_worker(child)) {
                let stop = Command::new("kill").args(["-STOP", child]).status();
                stop.expect("kill starts");
            }
        }
        if let Some(status) = parent.try_wait().expect("a child") {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut said = String::new();
    let mut stderr = parent.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(
        (status.code(), said.lines().count()),
        (Some(1), 1),
        "{said}"
    );
    assert!(said.starts_with("error: "), "{said}");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for flag in ["--threads", "--increments", "--rounds"] {
        for bad in ["0", "-1", "1000000000", "many"] {
            let _ = run(BINARY, &[flag, bad]).refused(2, &[&format!("`{bad}`"), flag]);
        }
    }
}
