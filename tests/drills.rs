//! The drills are whole, and their checks are proven: each accepts its solutions and refuses its mutants.

use lab_00_tour::{path, walk};
use lab_drills::{Candidate, DRILLS, Drill, verdict::Verdict};
use std::{collections::BTreeMap, env, fs, path::PathBuf, process::Command, sync::OnceLock};
use testing::{run, run_command};

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

/// Whether its module has all that it needs, and what it needs in words.
fn needs_inside(drill: &Drill) -> Vec<(bool, String)> {
    let is_mutant = |(name, bug, _): &&Candidate| !name.starts_with("solution") && !bug.is_empty();
    let mutants = drill.candidates.iter().filter(is_mutant).count();
    let lines = drill.shipped().lines().count();
    let words = drill.task.split_whitespace().count();
    let module = drill.source.lines().count();
    let hints = drill.hints.iter().filter(|hint| hint.len() > 20).count();
    let names = drill.candidates.iter().map(|(name, ..)| *name);
    let has_text = |name| (!drill.text(name).trim().is_empty(), format!("`mod {name}`"));
    let mut needs: Vec<_> = names.chain(["solution", "shipped"]).map(has_text).collect();
    let mut need = |holds, what| needs.push((holds, what));
    need(mutants >= 3, format!("3 mutants, not {mutants}"));
    let fits = (10..=40).contains(&lines);
    need(fits, format!("10 to 40 lines to repair, not {lines}"));
    let fits = (10..=100).contains(&words);
    need(fits, format!("a task of at most 100 words, not {words}"));
    need(hints == 3, format!("3 hints, not {hints}"));
    need(module <= 250, format!("at most 250 lines, not {module}"));
    needs
}

/// The same of what it needs elsewhere.
fn needs_outside(drill: &Drill) -> [(bool, String); 4] {
    let manifest = fs::read_to_string(walk::repository().join("lab/drills/Cargo.toml"));
    let (file, manifest) = (drill.file(), manifest.expect("readable"));
    let binary = format!("name = \"{file}\"\npath = \"src/{file}.rs\"\ntest = false");
    let (number, lesson) = (drill.number, drill.lesson());
    let is_in_place = DRILLS[number - 1].number == number;
    let reset = format!("its file: cargo run -- drill {number} --reset");
    [
        (is_in_place, "its number is its place in the list".into()),
        (manifest.contains(&binary), "a [[bin]] in Cargo.toml".into()),
        (
            path::find(lesson).is_some(),
            format!("a lesson in src/lessons.rs, not `{lesson}`"),
        ),
        (drill.place().is_file(), reset),
    ]
}

/// What a new drill lacks, in words.
fn lacks(drill: &Drill) -> Vec<String> {
    let needs = needs_inside(drill).into_iter().chain(needs_outside(drill));
    let lacks = needs.filter(|(holds, _)| !holds);
    lacks
        .map(|(_, what)| format!("{}: {what}", drill.file()))
        .collect()
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
    fs::write(&kept, "no JSON").expect("writable");
    let unread = drill(&["3", "--hint"]);
    assert!(unread.stderr.contains("LAB_PROGRESS"), "{unread:?}");
    let text = fs::read_to_string(&kept).expect("it is there");
    assert_eq!(text, "no JSON", "what cannot be read is not overwritten");
}

#[test]
fn progress_that_cannot_be_kept_is_no_failure() {
    // A folder that is none: it can be made and written by nobody, whoever runs this.
    for place in ["/dev/null/progress.json", "/dev/null", ""] {
        let hint = || {
            let mut command = Command::new(drills());
            command.args(["drill", "3", "--hint", "--json"]);
            command.env("LAB_PROGRESS", place);
            let finished = run_command(command);
            assert_eq!(finished.code, Some(0), "{finished:?}");
            finished.document()["hint"].clone()
        };
        assert_eq!([hint(), hint()], [1, 1], "{place}");
    }
}

#[test]
fn a_bad_value_is_refused_with_its_range() {
    for bad in ["0", "99", "1,5", "-1", "", "99999999999999999999999"] {
        let value = format!("`{bad}`");
        for (line, range) in [
            (&["drill"][..], "from 1 to 20"),
            (&["diagnose", "--rounds"], "from 1 to 50"),
        ] {
            let line = [line, &[bad]].concat();
            let _ = run(drills(), &line).refused(2, &[&value, range]);
        }
        if !["0", "99"].contains(&bad) {
            let _ = run(drills(), &["diagnose", "--seed", bad]).refused(2, &[&value, "from 0 to"]);
        }
    }
}

/// Which thread comes first is another each time, what was done is not.
#[test]
fn a_lock_that_each_call_makes_is_named_though_its_run_looks_like_that_without() {
    let seen = |candidate| attempt(DRILLS[2], candidate, None);
    let (with, without) = (seen("lock_of_its_own"), seen("shipped"));
    let done = |seen: &Verdict| {
        seen.events
            .iter()
            .map(|(_, event)| event.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(done(&with), done(&without));
    let fault = with.fault.expect("it loses updates");
    assert!(fault.contains("`let lock = Mutex::new(());`"), "{fault}");
}

#[test]
fn steps_without_room_in_one_line_are_listed_in_their_order() {
    let seen = attempt(DRILLS[4], "one_at_a_time", None);
    for width in [60, 80] {
        let lines = seen.picture(width);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= width),
            "{lines:?}"
        );
        assert!(lines[0].contains(" waits for "), "{lines:?}");
    }
}

/// Whatever a repair does: a recording that does not end would hide its verdict.
#[test]
fn an_endless_recording_has_a_short_picture() {
    let seen = attempt(DRILLS[4], "asks_again", None);
    assert!(seen.events.len() <= 1000, "{}", seen.events.len());
    let lines = seen.picture(80);
    assert!(lines.len() <= 17, "{lines:#?}");
    assert!(lines[8].contains("more lines"), "{lines:#?}");
}

#[test]
fn a_hint_and_a_solution_are_not_asked_for_at_once() {
    for other in ["--solution", "--watch"] {
        let _ = run(drills(), &["drill", "7", "--hint", other]).refused(2, &["--hint", other]);
    }
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
    let round = |answers: &str, seed: &str| {
        let line = ["--answers", answers, "--json", "--seed", seed];
        diagnose(&line).well().document()
    };
    let first = round("AAAAAAAAAA", "42");
    let asked = first["asked"].as_array().expect("a list");
    assert_eq!(asked.len(), 10);
    let right: String = asked.iter().map(right_letter).collect();
    let best = round(&right, "42");
    assert_eq!(best["right"], 10, "the same seed asks the same");
    assert_ne!(round(&right, "7")["asked"], best["asked"]);
    let look_alike = [
        "load and store are two steps",
        "each call makes a lock that no other call takes",
    ];
    for one in asked {
        let options = one["options"].as_array().expect("a list");
        let offered = options
            .iter()
            .filter(|option| look_alike.contains(&option.as_str().unwrap_or_default()));
        assert!(
            offered.count() < 2 || !look_alike.contains(&one["bug"].as_str().unwrap_or_default()),
            "{one}"
        );
    }
    let text = fs::read_to_string(&kept).expect("it is kept");
    let bug = asked[0]["bug"].as_str().expect("words");
    assert!(text.contains(bug), "{text}");
    diagnose(&["--list"]).well().tells(&["taken 1 × for"]);
    assert_eq!(round("AB", "42")["asked"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_round_without_answers_says_how_to_give_them() {
    let diagnose = |line: &[&str]| run(drills(), &[&["diagnose"], line].concat());
    let _ = diagnose(&["--json"]).refused(2, &["--answers"]);
    let _ = diagnose(&["--answers", "AZ"]).refused(2, &["`AZ`", "from A to E"]);
    let unasked = diagnose(&["--rounds", "1"]);
    let end = unasked.stdout.lines().last().unwrap_or_default();
    assert!(
        end.starts_with("no answer was given") && end.contains("--answers ABC"),
        "{end}"
    );
}

/// The letter of the bug among five options, of which it is one.
fn right_letter(one: &serde_json::Value) -> char {
    let options = one["options"].as_array().expect("a list");
    let is_bug = |option: &&serde_json::Value| **option == one["bug"];
    assert_eq!(options.iter().filter(is_bug).count(), 1, "{one}");
    assert_eq!(options.len(), 5);
    assert_eq!(one["answer"] == one["bug"], one["right"] == true, "{one}");
    assert_ne!(one["evidence"], "", "{one}");
    let at = options.iter().position(|option| is_bug(&option));
    ['A', 'B', 'C', 'D', 'E'][at.expect("it is there")]
}
