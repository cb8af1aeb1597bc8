//! The drills are whole, and their checks are proven: each accepts its solutions and refuses its mutants.

use lab_00_tour::{path, walk};
use lab_drills::{Candidate, DRILLS, Drill, verdict::Verdict};
use std::{collections::BTreeMap, env, fs, path::PathBuf, process::Command, sync::OnceLock};
use testing::run_command;

/// The program that runs a candidate's check in a process of its own.
fn drills() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let format = "--message-format=json-render-diagnostics";
        let build = ["build", "-p", "lab-drills", "--bin", "lab-drills", format];
        let mut cargo = walk::cargo();
        let built = cargo
            .args(build)
            .args(walk::profile())
            .output()
            .expect("it starts");
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let mut found = messages.lines().filter_map(walk::executable);
        found.next().unwrap_or_else(|| panic!("{built:?}")).1
    })
}

fn attempt(drill: &Drill, candidate: &str, cpu: Option<&str>) -> Verdict {
    let mut command = match cpu {
        None => Command::new(drills()),
        Some(cpu) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cpu]).arg(drills());
            command
        }
    };
    command.args(["attempt", &drill.number.to_string(), candidate, "--json"]);
    let finished = run_command(command);
    serde_json::from_str(finished.stdout.trim())
        .unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// Runs the check of every candidate so many times; what it says must be the same each time.
fn prove(times: usize, cpu: Option<&str>) -> usize {
    let mut runs = 0;
    for drill in DRILLS {
        let mut diagnoses = BTreeMap::new();
        for (candidate, bug, _) in drill.candidates {
            let place = format!("{}, {candidate}", drill.file());
            for _ in 0..times {
                runs += 1;
                let fault = attempt(drill, candidate, cpu).fault;
                assert_eq!(fault.is_none(), bug.is_empty(), "{place}: {fault:?}");
                let Some(fault) = fault else { continue };
                let of = diagnoses.entry(fault.clone()).or_insert(*candidate);
                assert_eq!(
                    of, candidate,
                    "{place}: has the diagnosis of another: {fault}"
                );
            }
        }
    }
    runs
}

#[test]
fn every_solution_is_accepted_and_every_mutant_refused_for_a_reason_of_its_own() {
    prove(2, None);
}

/// `cargo test --test drills -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn so_it_is_fifty_times_of_fifty_on_all_cpus_and_on_one() {
    let runs = prove(50, None) + prove(50, Some("0"));
    println!("{runs} runs of {} drills", DRILLS.len());
}

/// What a new drill lacks, in words.
fn lacks(drill: &Drill) -> Vec<String> {
    let manifest = fs::read_to_string(walk::repository().join("lab/drills/Cargo.toml"));
    let manifest = manifest.expect("readable");
    let file = drill.file();
    let is_mutant = |(name, bug, _): &&Candidate| !name.starts_with("solution") && !bug.is_empty();
    let mutants = drill.candidates.iter().filter(is_mutant).count();
    let has = |name| drill.candidates.iter().any(|(it, ..)| *it == name);
    let lines = drill.shipped().lines().count();
    let words = drill.task.split_whitespace().count();
    let module = drill.source.lines().count();
    let mut lacks = Vec::new();
    let mut need = |holds: bool, what: String| {
        if !holds {
            lacks.push(format!("{file}: {what}"));
        }
    };
    need(
        DRILLS[drill.number - 1].number == drill.number,
        "its number is its place in the list".into(),
    );
    need(
        has("solution") && has("shipped"),
        "candidates `solution` and `shipped`".into(),
    );
    need(mutants >= 3, format!("three mutants, not {mutants}"));
    need(
        (10..=40).contains(&lines),
        format!("10 to 40 lines to repair, not {lines}"),
    );
    need(
        (10..=100).contains(&words),
        format!("a task of at most 100 words, not {words}"),
    );
    need(
        drill.hints.iter().all(|hint| hint.len() > 20),
        "three hints".into(),
    );
    need(
        path::find(drill.lesson).is_some(),
        format!("a lesson that exists, not `{}`", drill.lesson),
    );
    need(
        manifest.contains(&format!(
            "name = \"{file}\"\npath = \"src/{file}.rs\"\ntest = false"
        )),
        "a [[bin]] in Cargo.toml".into(),
    );
    need(
        drill.place().is_file(),
        format!("its file: cargo run -- drill {} --reset", drill.number),
    );
    need(
        module <= 205,
        format!("a module of at most 205 lines, not {module}"),
    );
    for (name, ..) in drill.candidates {
        need(!drill.text(name).trim().is_empty(), format!("`mod {name}`"));
    }
    lacks
}

#[test]
fn every_drill_is_whole() {
    let lacks: Vec<String> = DRILLS.iter().flat_map(|drill| lacks(drill)).collect();
    assert!(lacks.is_empty(), "{lacks:#?}");
}

/// Where a reader has begun to repair, this is no failure: only CI asks.
#[test]
fn the_files_to_repair_are_as_their_modules_ship_them() {
    if env::var_os("CI").is_none() {
        return;
    }
    for drill in DRILLS {
        let text = fs::read_to_string(drill.place()).unwrap_or_default();
        assert_eq!(
            text,
            drill.shipped(),
            "cargo run -- drill {} --reset",
            drill.number
        );
    }
}

#[test]
fn the_list_hints_and_solutions_come_as_lines_and_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("progress.json");
    let drill = |arguments: &[&str]| {
        let mut command = Command::new(drills());
        command
            .arg("drill")
            .args(arguments)
            .env("LAB_PROGRESS", &kept);
        run_command(command)
    };
    drill(&[])
        .well()
        .tells(&["lost update", &format!("0 of {} done", DRILLS.len())]);
    let list = drill(&["--json"]).well().document();
    assert_eq!(list["drills"].as_array().map(Vec::len), Some(DRILLS.len()));
    for (hint, words) in (1..).zip(DRILLS[2].hints) {
        let document = drill(&["3", "--hint", "--json"]).well().document();
        assert_eq!(document["hint"], hint);
        assert_eq!(document["text"], words);
    }
    let _ = drill(&["3", "--solution"]).refused(2, &["--give-up"]);
    drill(&["3", "--solution", "--give-up"])
        .well()
        .tells(&["fetch_add"]);
    let _ = drill(&["99"]).refused(2, &["no drill `99`"]);
    fs::write(&kept, "no JSON").expect("writable");
    let unread = drill(&[]);
    assert!(unread.stderr.contains("progress --forget"), "{unread:?}");
}

#[test]
fn a_round_of_diagnoses_asks_ten_keeps_the_answers_and_names_the_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("progress.json");
    let diagnose = |arguments: &[&str]| {
        let mut command = Command::new(drills());
        let command_line = command.arg("diagnose").args(arguments);
        command_line.env("LAB_PROGRESS", &kept);
        run_command(command)
    };
    let answers = ["--answers", "AAAAAAAAAA", "--json"];
    let round = diagnose(&answers).well().document();
    let asked = round["asked"].as_array().expect("a list");
    assert_eq!(asked.len(), 10);
    for one in asked {
        let options = one["options"].as_array().expect("a list");
        assert_eq!(
            options
                .iter()
                .filter(|option| **option == one["bug"])
                .count(),
            1,
            "{one}"
        );
        assert_eq!(options.len(), 5);
        assert_eq!((one["answer"] == one["bug"]), one["right"] == true, "{one}");
        assert!(!one["evidence"].as_str().expect("words").is_empty());
    }
    let of_bug = |one: &serde_json::Value| {
        let options = one["options"].as_array().expect("a list");
        options
            .iter()
            .position(|option| *option == one["bug"])
            .map(|at| "ABCDE".as_bytes()[at])
    };
    let right: Vec<u8> = asked.iter().filter_map(of_bug).collect();
    let right = String::from_utf8(right).expect("letters");
    let best = diagnose(&["--answers", &right, "--json"]).well().document();
    assert_eq!(best["right"], 10, "the same seed asks the same");
    let other = diagnose(&["--answers", &right, "--json", "--seed", "7"])
        .well()
        .document();
    assert_ne!(other["asked"], best["asked"]);
    let text = fs::read_to_string(&kept).expect("it is kept");
    assert!(
        text.contains(asked[0]["bug"].as_str().expect("words")),
        "{text}"
    );
    diagnose(&["--list"]).well().tells(&["taken 1 × for"]);
    let _ = diagnose(&["--json"]).refused(2, &["--answers"]);
}
