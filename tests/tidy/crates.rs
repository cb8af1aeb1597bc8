//! Arrows between crates, and one set of features of each crate whichever step is built.

use crate::steps;
use lab_00_tour::walk;
use serde_json::Value;
use std::collections::BTreeSet;

/// The crates of this repository that each may use; steps are below all of them and never use each other.
const ARROWS: [(&str, &[&str]); 11] = [
    ("interleave", &["common"]),
    ("measure", &[]),
    ("timeline", &["measure"]),
    ("process-pool", &[]),
    ("web", &["measure", "process-pool"]),
    ("report", &["measure", "timeline"]),
    ("common", &["measure", "process-pool", "report", "timeline"]),
    ("network", &["common", "measure", "process-pool", "web"]),
    ("testing", &[]),
    (
        "side-by-side",
        &["common", "measure", "process-pool", "report"],
    ),
    ("concurrency-lab", &[]),
];

const FOR_STEPS: [&str; 8] = [
    "common",
    "interleave",
    "measure",
    "network",
    "process-pool",
    "report",
    "timeline",
    "web",
];

/// What is of use without a terminal has nothing for terminals.
const TERMINAL: [&str; 4] = ["anstream", "clap", "comfy-table", "indicatif"];

fn cargo(arguments: &[&str]) -> String {
    let output = walk::cargo()
        .args(arguments)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The crates that packages depend on, each as `{package} {features}`.
fn tree(packages: &[&str], edges: &str) -> BTreeSet<String> {
    let shape = ["-e", edges, "--prefix", "none", "-f", "{p} {f}"];
    let tree = cargo(&[&["tree"], packages, &shape].concat());
    let line = |line: &str| line.trim_end_matches(" (*)").to_owned();
    tree.lines().map(line).collect()
}

#[test]
fn arrows_point_downward_only() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let own: BTreeSet<String> = packages.iter().map(name).collect();
    for package in packages {
        let from = name(package);
        let is_step = from.starts_with("lab-") || from.starts_with("basics-");
        let known = ARROWS.iter().find(|(crate_name, _)| *crate_name == from);
        let may: &[&str] = match known {
            None if is_step => &FOR_STEPS,
            None => panic!("`{from}` has no arrows in {}", file!()),
            Some((_, may)) => may,
        };
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        for to in dependencies.filter(|to| to["kind"] != "dev").map(name) {
            assert!(!own.contains(&to) || may.contains(&&*to), "{from} → {to}");
        }
    }
}

#[test]
fn what_makes_sense_alone_has_nothing_for_terminals() {
    for package in ["process-pool", "timeline", "web"] {
        let tree = tree(&["-p", package], "normal");
        for forbidden in TERMINAL {
            let start = format!("{forbidden} v");
            assert!(
                !tree.iter().any(|line| line.starts_with(&start)),
                "{package} uses {forbidden}"
            );
        }
    }
}

#[test]
fn the_first_step_builds_no_network_stack() {
    let tree = tree(&["-p", "basics-0-sequential"], "normal,build");
    for heavy in [
        "tokio", "reqwest", "axum", "scraper", "hyper", "rustls", "ring", "rayon",
    ] {
        let start = format!("{heavy} v");
        assert!(!tree.iter().any(|line| line.starts_with(&start)), "{heavy}");
    }
}

/// Otherwise a step would compile again what the last step or `cargo test` has compiled.
#[test]
fn every_step_has_each_crate_with_the_features_that_the_whole_has() {
    let whole = tree(&["--workspace"], "normal,build,dev");
    for (_, step) in steps() {
        for line in tree(&["-p", &step], "normal,build") {
            let package: Vec<&str> = line.split(' ').take(2).collect();
            let package = package.join(" ");
            let others: Vec<_> = whole
                .iter()
                .filter(|line| line.starts_with(&package))
                .collect();
            assert!(
                others.contains(&&line),
                "`{step}` has `{line}`, the whole has {others:?}: make them one in the root's Cargo.toml"
            );
        }
    }
}
