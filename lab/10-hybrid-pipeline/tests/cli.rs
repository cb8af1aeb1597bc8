//! The binary as a user runs it.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use testing::{assert_nothing_left_behind, events_of, run, traced, variant, verdict};
use web::{Server, ServerConfig};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

const NAMES: [&str; 4] = [
    "barrier, processes",
    "streaming, inline",
    "streaming, rayon",
    "streaming, processes",
];

/// Enough to overlap, little enough for a test.
const SMALL: [&str; 9] = [
    "--json",
    "--rounds",
    "1",
    "--pages",
    "60",
    "--size",
    "3000",
    "--workers",
    "2",
];

fn reason<'a>(document: &'a Value, words: &str) -> &'a str {
    let claims = document["claims"].as_array().expect("claims");
    let texts = |claim: &&Value| {
        claim["text"]
            .as_str()
            .is_some_and(|text| text.contains(words))
    };
    let claim = claims.iter().find(texts).expect("the claim is there");
    claim["reason"].as_str().expect("a reason")
}

#[test]
fn every_variant_finds_the_same_within_the_same_limits() {
    let document = run(BINARY, &SMALL).well().document();
    for name in NAMES {
        let variant = variant(&document, name);
        assert_eq!(variant["ledger"]["submitted"], 60);
        assert_eq!(variant["ledger"]["done"], 60);
        let peak = variant["ledger"]["peak_in_flight"].as_u64();
        assert!(peak.is_some_and(|peak| peak <= 8), "{peak:?}");
        assert_eq!(variant["results"]["links"], 300);
        let by_round = |figure: &str| &document["params"]["by_round"][format!("{name}: {figure}")];
        assert_eq!(by_round("pages parsed"), &json!([60]));
        assert_eq!(by_round("pages failed"), &json!([0]));
        let is_elsewhere = name.ends_with("processes");
        let here = if is_elsewhere { 0 } else { 60 };
        assert_eq!(variant["results"]["parsed_here"], here, "{name}");
        assert!(variant["bound_s"].as_f64().is_some_and(|bound| bound > 0.0));
    }
    for words in ["same titles", "limits add up", "max-in-flight", "outside"] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn one_page_is_no_comparison_of_speed() {
    let document = run(BINARY, &["--json", "--rounds", "1", "--pages", "1"]).well();
    let document = document.document();
    for words in ["took less time", "longer to arrive", "threads of rayon"] {
        assert_eq!(verdict(&document, words), "not_shown", "{words}");
        let told = reason(&document, words);
        assert_eq!(told, "one page leaves nothing to overlap or to share out");
    }
}

#[test]
fn parsed_in_the_pool_is_claimed_of_what_was_parsed_and_of_no_other_page() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let (good, json) = (server.url("html"), server.url("get"));
    let urls = ["--url", good.as_str(), "--url", json.as_str()];
    let document = run(BINARY, &[&["--json", "--rounds", "1"], &urls[..]].concat()).well();
    let document = document.document();
    let text = "every page that was parsed in the pool's variants was parsed outside this process";
    assert_eq!(verdict(&document, text), "shown");
    let claims = document["claims"].as_array().expect("claims");
    let claim = claims.iter().find(|claim| claim["text"] == text);
    let checks = claim.expect("it is there")["checks"]
        .as_array()
        .expect("checks");
    let at_least_one = checks
        .iter()
        .filter(|check| check["relation"] == "≥")
        .count();
    assert_eq!(
        (at_least_one, checks.len()),
        (2, 4),
        "in each of the two variants"
    );
}

#[test]
fn the_rate_told_is_the_rate_in_the_document_of_parsed_pages() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    // Held back, so that the rate stays below one page a second: it must not read as 0.
    let (late, json) = (server.url("page/0?size=500&delay=2.5"), server.url("get"));
    let urls = ["--url", late.as_str(), "--url", json.as_str()];
    let arguments = ["--rounds", "1", "--parse", "inline"];
    let finished = run(BINARY, &[&arguments[..], &urls[..]].concat()).well();
    let lines = finished.stdout.lines();
    let rates: Vec<f64> = lines
        .filter_map(|line| {
            line.strip_suffix(" pages/s")?
                .rsplit(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    assert_eq!(rates.len(), 2, "{}", finished.stdout);
    // One page of the two was parsed, in more than 2.5 s.
    assert!(
        rates
            .iter()
            .all(|rate| (f64::MIN_POSITIVE..=0.4).contains(rate)),
        "{rates:?}"
    );
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let both = ["--url", "http://127.0.0.1:9/", "--site", "rust-docs"];
    let _ = run(BINARY, &both).refused(2, &["--url", "--site"]);
}

#[test]
fn a_page_asked_for_that_does_not_come_fails_the_run_and_spares_the_others() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    for (path, words) in [
        ("status/404", "404"),
        ("status/500", "500"),
        ("cut/9000", "closed the connection"),
        ("stall", "--timeout"),
        ("reset", "reset"),
    ] {
        let (good, bad) = (server.url("html"), server.url(path));
        let mut arguments = vec![
            "--json",
            "--rounds",
            "2",
            "--timeout",
            "1",
            "--parse",
            "inline",
        ];
        arguments.extend(["--url", good.as_str(), "--url", bad.as_str()]);
        let finished = run(BINARY, &arguments);
        let document = finished.document();
        // One line for each variant, whatever times the reasons name.
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{}", finished.stderr);
        for (line, name) in lines.iter().zip(["barrier, inline", "streaming, inline"]) {
            let begin = format!("error: {name}: 1 of 2 pages failed: ");
            assert!(line.starts_with(&begin), "{line}");
            assert!(
                line.contains(words) && line.contains(bad.as_str()),
                "{line}"
            );
            assert_eq!(line.matches("http://").count(), 1, "{line}");
        }
        let claim = "without the barrier the same pages took less time";
        assert_ne!(verdict(&document, claim), "shown");
        let told = reason(&document, claim);
        assert!(
            told.starts_with("2 pages failed in") || told.starts_with("1 page failed in"),
            "{told}"
        );
        let barrier = variant(&document, "barrier, inline");
        assert_eq!(barrier["ledger"]["done"], 1);
        assert_eq!(barrier["ledger"]["failed"], 1);
        let title = &barrier["results"]["pages"][0]["title"];
        assert_eq!(title, "Herman Melville - Moby-Dick");
    }
}

#[test]
fn where_nothing_comes_the_first_variant_is_the_last() {
    let finished = run(BINARY, &["--json", "--url", "http://127.0.0.1:9/"]);
    let document = finished.document();
    let _ = finished.refused(1, &["`http://127.0.0.1:9/`", "connection refused"]);
    let variants = document["variants"].as_array().expect("variants");
    assert_eq!(variants.len(), 1);
    assert_eq!(variants[0]["ledger"]["failed"], 1);

    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let json = server.url("get");
    let finished = run(BINARY, &["--url", json.as_str()]);
    let _ = finished.refused(1, &["not HTML", "application/json"]);
}

#[test]
fn odd_pages_are_told_and_do_no_harm() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let (odd, json) = (server.url("not-utf8"), server.url("get"));
    let arguments = ["--rounds", "1", "--parse", "processes"];
    let urls = ["--url", odd.as_str(), "--url", json.as_str()];
    let finished = run(BINARY, &[&arguments[..], &urls].concat()).well();
    for words in ["caf\u{fffd} (not `utf-8` at byte", "skipped  `", "not HTML"] {
        assert!(finished.stdout.contains(words), "{}", finished.stdout);
    }
}

#[test]
fn a_crawl_takes_dead_links_as_findings() {
    let folder = std::env::temp_dir().join(format!("lab-10-site-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    for (name, text) in [
        (
            "index.html",
            "<title>I</title><a href=a.html#x>a</a><a href=gone.html>b</a><a href=c.txt>c</a>",
        ),
        (
            "a.html",
            "<title>A</title><a href=index.html>back</a><a href=http://127.0.0.1:9/>off</a>",
        ),
        ("c.txt", "no page"),
    ] {
        std::fs::write(folder.join(name), text).expect("it can be written");
    }
    let config = ServerConfig {
        files: Some(folder.clone()),
        ..ServerConfig::default()
    };
    let server = Server::in_process(0, config).expect("a server");
    let start = server.url("files/index.html");
    let arguments = [
        "--json",
        "--rounds",
        "1",
        "--pages",
        "500",
        "--url",
        start.as_str(),
    ];
    let document = run(BINARY, &arguments).well().document();
    for name in NAMES {
        let variant = variant(&document, name);
        assert_eq!(variant["ledger"]["submitted"], 4, "{name}");
        assert_eq!(variant["ledger"]["failed"], 1, "{name}");
        let outcomes = variant["results"]["pages"].as_array().expect("pages");
        let outcomes: Vec<&Value> = outcomes.iter().map(|page| &page["outcome"]).collect();
        assert_eq!(
            outcomes,
            ["parsed", "parsed", "failed", "skipped"],
            "{name}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[cfg(unix)]
#[test]
fn documentation_that_is_not_installed_is_one_line_with_the_way_to_it() {
    use std::{fs, os::unix::fs::PermissionsExt, process::Command};
    use testing::run_command;

    let folder = std::env::temp_dir().join(format!("lab-10-no-docs-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let rustc = folder.join("rustc");
    let script = format!("#!/bin/sh\necho '{}'\n", folder.display());
    fs::write(&rustc, script).expect("it can be written");
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut command = Command::new(BINARY);
    command.args(["--site", "rust-docs"]).env("PATH", &folder);
    let words = ["no documentation in", "rustup component add rust-docs"];
    let _ = run_command(command).refused(1, &words);

    fs::remove_file(&rustc).expect("it is there");
    let mut command = Command::new(BINARY);
    command.args(["--site", "rust-docs"]).env("PATH", &folder);
    let _ = run_command(command).refused(1, &["cannot run `rustc`"]);
    fs::remove_dir(&folder).expect("it is empty");
}

/// A folder with a `rustc` that writes its process id into `pid` and then hangs.
#[cfg(unix)]
fn hanging_toolchain(name: &str) -> std::path::PathBuf {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = std::env::temp_dir().join(format!("lab-10-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let rustc = folder.join("rustc");
    let pid = folder.join("pid");
    let (part, whole) = (
        folder.join("part").display().to_string(),
        pid.display().to_string(),
    );
    let script = format!(
        "#!/bin/sh\ntrap '' INT TERM\necho $$ >'{part}'\n/bin/mv '{part}' '{whole}'\nwhile :; do /bin/sleep 1; done\n"
    );
    fs::write(&rustc, script).expect("it can be written");
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

/// Asserts that the hanging `rustc` in `folder` is there no more, and removes the folder.
#[cfg(unix)]
fn assert_toolchain_ended(folder: &std::path::Path) {
    use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
    use std::{
        fs, thread,
        time::{Duration, Instant},
    };

    let pid = fs::read_to_string(folder.join("pid")).expect("it began");
    let pid = Pid::from_raw(pid.trim().parse().expect("a pid"));
    let deadline = Instant::now() + Duration::from_secs(10);
    // Whoever has inherited it may take a moment to reap it.
    while kill(pid, None) != Err(Errno::ESRCH) && !is_zombie(pid) {
        assert!(Instant::now() < deadline, "`rustc` still runs as {pid}");
        thread::sleep(Duration::from_millis(20));
    }
    fs::remove_dir_all(folder).expect("it is ours");
}

#[cfg(unix)]
fn is_zombie(pid: nix::unistd::Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[cfg(unix)]
#[test]
fn a_toolchain_that_hangs_is_ended_after_a_while_and_told() {
    use std::process::Command;
    use testing::run_command;

    let folder = hanging_toolchain("hangs");
    let mut command = Command::new(BINARY);
    command.args(["--site", "rust-docs"]).env("PATH", &folder);
    let words = [
        "`rustc --print sysroot`",
        "no answer within 5 s",
        "leave out --site",
    ];
    let _ = run_command(command).refused(1, &words);
    assert_toolchain_ended(&folder);
}

#[cfg(unix)]
#[test]
fn a_toolchain_that_hangs_ends_with_ctrl_c() {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    use std::{
        process::{Command, Stdio},
        thread,
        time::{Duration, Instant},
    };

    let folder = hanging_toolchain("interrupted");
    let mut command = Command::new(BINARY);
    command.args(["--site", "rust-docs"]).env("PATH", &folder);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("it can be started");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.join("pid").exists() {
        assert!(Instant::now() < deadline, "`rustc` was not asked");
        thread::sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(child.id().try_into().expect("a pid"));
    kill(pid, Signal::SIGINT).expect("it is ours");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.starts_with("error: interrupted") && told.lines().count() == 1,
        "{told}"
    );
    assert_toolchain_ended(&folder);
}

#[test]
fn the_toolchain_s_documentation_is_crawled_alike_by_all() {
    let arguments = [
        "--json",
        "--rounds",
        "1",
        "--site",
        "rust-docs",
        "--pages",
        "40",
    ];
    let finished = run(BINARY, &arguments);
    if finished.code == Some(1) && finished.stderr.contains("rustup component add") {
        return; // Not installed here; the test above says what is told then.
    }
    let document = finished.well().document();
    assert_eq!(verdict(&document, "same titles"), "shown");
    for name in NAMES {
        assert_eq!(
            variant(&document, name)["ledger"]["submitted"],
            40,
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_worker_killed_in_mid_crawl_is_told_and_costs_no_page() {
    for reading in ["scraper", "stream"] {
        let arguments = [&SMALL[..], &["--kill-worker", "--parser", reading]].concat();
        let document = run(BINARY, &arguments).well().document();
        assert_eq!(document["params"]["parser"], reading);
        let killed = variant(&document, "one worker killed");
        assert_eq!(killed["ledger"]["submitted"], 60);
        assert_eq!(killed["ledger"]["done"], 60);
        assert!(killed["results"]["workers_lost"].as_u64() >= Some(1));
        assert!(killed["results"]["killed_worker"].is_u64());
        assert_eq!(killed["results"]["links"], 300);
        assert_eq!(verdict(&document, "killed in mid-crawl"), "shown");
        // Whether it had a page in hand is a matter of chance.
        assert_ne!(
            verdict(&document, "had in hand was tried again"),
            "inconclusive"
        );
    }
    assert_nothing_left_behind(BINARY);
}

#[cfg(unix)]
#[test]
fn a_worker_can_be_killed_beside_threads_too() {
    let arguments = [
        "--rounds", "1", "--pages", "30", "--size", "3000", "--parse", "rayon",
    ];
    let finished = run(BINARY, &[&arguments[..], &["--kill-worker"]].concat()).well();
    finished.tells(&[
        "one worker killed: worker ",
        "no thread can be killed alone",
    ]);
}

#[test]
fn from_memory_every_page_is_parsed_and_every_gap_is_told() {
    let arguments = [&SMALL[..], &["--in-memory", "--parser", "stream"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for way in ["rayon", "processes"] {
        let held = variant(&document, &format!("in memory, {way}"));
        assert_eq!(held["ledger"]["done"], 60);
        assert_eq!(held["results"]["pages"], 60);
        assert!(held["speedup"].is_null(), "it is other work");
        for (name, figure) in [("in memory", "pages per s"), ("streaming", "pages per s")] {
            let key = format!("{name}, {way}: {figure}");
            let rates = document["params"]["by_round"][&key].as_array();
            assert_eq!(rates.map(Vec::len), Some(1), "{key}");
        }
        // Other programs may be at work, and then the run cannot tell; the claims are there.
        for words in ["of the pages per second of", "of what fetching leaves"] {
            let claim = format!("`streaming, {way}` did at least 95 % {words}");
            assert!(!verdict(&document, &claim).is_empty());
        }
    }
    let arguments = [
        "--rounds",
        "2",
        "--pages",
        "20",
        "--size",
        "3000",
        "--in-memory",
    ];
    let finished = run(
        BINARY,
        &[&arguments[..], &["--parse", "processes"]].concat(),
    )
    .well();
    // Sentences break where the line is full.
    let told: Vec<&str> = finished.stdout.split_whitespace().collect();
    let told = told.join(" ");
    for words in [
        "that the same workers parse from memory; they had a page in hand",
        " a page took ",
        "on one core, from memory: scraper ",
    ] {
        assert!(told.contains(words), "{words} in {}", finished.stdout);
    }
    assert!(!told.contains("in memory, rayon"));
    assert_nothing_left_behind(BINARY);
}

#[test]
fn both_parsers_find_the_same_in_every_variant() {
    let links = ["scraper", "stream"].map(|reading| {
        let document = run(BINARY, &[&SMALL[..], &["--parser", reading]].concat()).well();
        let document = document.document();
        assert_eq!(verdict(&document, "same titles"), "shown");
        variant(&document, NAMES[1])["results"]["links"].clone()
    });
    assert_eq!(links[0], links[1]);
}

#[test]
fn a_trace_has_tasks_threads_processes_and_the_queue_between_them() {
    let arguments: Vec<&str> = SMALL.into_iter().filter(|flag| *flag != "--json").collect();
    let trace = traced(BINARY, &arguments);
    let slices = events_of(&trace, "X");
    let processes: BTreeSet<_> = slices
        .iter()
        .filter_map(|slice| slice["pid"].as_u64())
        .collect();
    assert_eq!(
        processes.len(),
        1 + 2 + 2,
        "this one, and two workers in each of two variants"
    );
    let levels: BTreeSet<_> = (events_of(&trace, "C").iter())
        .filter_map(|event| event["name"].as_str())
        .collect();
    for name in NAMES {
        assert!(
            levels.contains(&*format!("{name}: pages queued")),
            "{levels:?}"
        );
    }
    let begun = events_of(&trace, "b");
    assert!(
        begun
            .iter()
            .any(|event| event["name"] == "streaming, rayon: fetcher 1")
    );
    let ways = events_of(&trace, "s").len();
    assert_eq!(
        ways,
        2 * 60,
        "a way for each page of both variants with processes"
    );
}
