//! The binary as a user runs it.

use common::{
    http::{Server, ServerConfig},
    testing::{assert_nothing_left_behind, run, variant},
};
use serde_json::Value;

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

fn verdict<'a>(document: &'a Value, words: &str) -> &'a str {
    let claims = document["claims"].as_array().expect("claims");
    let claim = claims.iter().find(|claim| {
        claim["text"]
            .as_str()
            .is_some_and(|text| text.contains(words))
    });
    let claim = claim.unwrap_or_else(|| panic!("no claim about `{words}`"));
    claim["verdict"].as_str().expect("a verdict")
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
fn the_report_tells_titles_links_and_rates() {
    let finished = run(
        BINARY,
        &[
            "--rounds", "1", "--pages", "12", "--size", "1000", "--parse", "inline",
        ],
    )
    .well();
    finished.tells(&[
        "    5 links  Page 0: ",
        "    5 links  Page 9: ",
        "all 12: 12 parsed, 0 skipped, 0 failed; 60 links",
        "barrier, inline: elapsed",
        "pages/s",
        "✓ shown: all variants found the same",
    ]);
    assert!(!finished.stdout.contains("Page 10:"));
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for (flag, value) in [
        ("--pages", "0"),
        ("--requests", "0"),
        ("--workers", "0"),
        ("--workers", "100000"),
        ("--max-in-flight", "0"),
        ("--queue", "0"),
        ("--batch", "-1"),
        ("--size", "9000000"),
        ("--delay", "-1"),
        ("--timeout", "0"),
        ("--rounds", "0"),
        ("--url", "no url"),
        ("--site", "python-docs"),
        ("--parse", "by-hand"),
    ] {
        let quoted = format!("`{value}`");
        let _ = run(BINARY, &[flag, value]).refused(2, &[&quoted]);
    }
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
            "1",
            "--timeout",
            "1",
            "--parse",
            "inline",
        ];
        arguments.extend(["--url", good.as_str(), "--url", bad.as_str()]);
        let finished = run(BINARY, &arguments);
        let document = finished.document();
        let _ = finished.refused(1, &[words, bad.as_str(), "1 of 2 pages"]);
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
    use common::testing::run_command;
    use std::{fs, os::unix::fs::PermissionsExt, process::Command};

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
