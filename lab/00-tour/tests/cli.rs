//! The tour as its user meets it, as far as it needs no step; `tests/` of the repository has the rest.

use std::path::Path;
use testing::{Finished, run};

fn tour(arguments: &[&str]) -> Finished {
    run(Path::new(env!("CARGO_BIN_EXE_lab-00-tour")), arguments)
}

#[test]
fn it_lists_the_path_and_its_wings() {
    let all = [
        "basics-0-sequential",
        "lab-19-async-vs-threads-fx",
        "23 steps",
    ];
    tour(&["list"]).well().tells(&all);
    for arguments in [["--only", "basics", "list"], ["list", "--only", "basics"]] {
        let basics = tour(&arguments).well();
        basics.tells(&["basics-0-sequential", "4 steps"]);
        assert!(!basics.stdout.contains("lab-"), "{}", basics.stdout);
    }
}

#[test]
fn it_teaches_in_its_help() {
    tour(&["--help"])
        .well()
        .tells(&["list", "07", "--only", "advanced", "--no-build", "--report"]);
}

#[test]
fn what_it_does_not_know_and_what_it_would_ignore_is_refused() {
    let _ = tour(&["99"]).refused(2, &["no step `99`", "cargo run -- list"]);
    let _ = tour(&["--nonsense"]).refused(2, &["--nonsense", "--help"]);
    let _ = tour(&["list", "basics"]).refused(2, &["basics"]);
    let _ = tour(&["--only", "nowhere"]).refused(2, &["nowhere", "advanced"]);
    for (flag, what) in [("--json", "07"), ("--full", "basics-0"), ("--json", "list")] {
        let _ = tour(&[flag, what]).refused(2, &[flag, what]);
    }
    let _ = tour(&["--report", "x.html", "07"]).refused(2, &["--report", "07"]);
    let _ = tour(&["--report", "/nowhere/x.html"]).refused(1, &["/nowhere/x.html", "--report"]);
    let _ = tour(&["--only", "basics", "07"]).refused(2, &["--only", "07"]);
}
