//! Keeps the house in order: every step is whole and small, and none does what the house forbids.

mod budgets;
mod crates;
mod sizes;

use budgets::{Numbers, hold};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The headings of every lesson's README, in order.
const HEADINGS: [&str; 6] = [
    "## Run",
    "## What you see",
    "## Say this",
    "## Look out for",
    "## Try next",
    "## Source",
];

/// What has no place in a mechanism: printing, measuring, shaping a report.
const IMPURE: [&str; 12] = [
    "println!",
    "eprintln!",
    "print!(",
    "writeln!",
    "Stopwatch",
    "Instant::now",
    ".elapsed()",
    "Serialize",
    "Tally",
    "TableReport",
    "env::args",
    "env::var",
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every step: its folder and its package.
fn steps() -> Vec<(PathBuf, String)> {
    let mut steps = Vec::new();
    for wing in ["basics", "lab"] {
        for entry in fs::read_dir(top().join(wing))
            .expect("the wing is there")
            .flatten()
        {
            let folder = entry.file_name().to_string_lossy().into_owned();
            steps.push((entry.path(), format!("{wing}-{folder}")));
        }
    }
    steps.sort();
    assert!(steps.len() >= 15, "{steps:?}");
    steps
}

/// No lessons: the tour, the drills, the advice.
const OTHERS: [&str; 3] = ["lab-00-tour", "lab-advise", "lab-drills"];

/// The steps that are lessons.
fn lessons() -> Vec<(PathBuf, String)> {
    let mut lessons = steps();
    lessons.retain(|(_, package)| !OTHERS.contains(&&**package));
    lessons
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn folder_package_binary_and_readme_title_are_one_name() {
    for (folder, package) in steps() {
        let manifest = read(&folder.join("Cargo.toml"));
        assert!(
            manifest.contains(&format!("\nname = \"{package}\"\n")),
            "{package}: its package name"
        );
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{package}: opts into the lints"
        );
        assert!(
            manifest.contains("version.workspace = true"),
            "{package}: inherits package data"
        );
        let readme = read(&folder.join("README.md"));
        assert!(
            readme.starts_with(&format!("# {package}\n")),
            "{package}: its README's title"
        );
    }
}

#[test]
fn every_lesson_has_its_parts_and_its_readme_the_headings_in_order() {
    for (folder, package) in lessons() {
        for part in ["src/lib.rs", "src/main.rs"] {
            assert!(folder.join(part).is_file(), "{package}: {part}");
        }
        let readme = read(&folder.join("README.md"));
        let places: Vec<_> = HEADINGS
            .iter()
            .map(|heading| readme.find(&format!("\n{heading}\n")))
            .collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{package}: {HEADINGS:?}"
        );
        assert!(
            readme.contains("**Question:**") && readme.contains("Mirrors `"),
            "{package}: question and script"
        );
        assert!(
            readme.contains(&format!("cargo run -p {package}")),
            "{package}: how to run it"
        );
        let tests = sources(&folder).into_iter();
        assert!(
            tests
                .map(|path| read(&path))
                .any(|text| text.contains("#[test]")),
            "{package}: tests"
        );
    }
}

#[test]
fn the_readme_and_the_tour_know_every_step() {
    let readme = read(&top().join("README.md"));
    for (folder, package) in steps() {
        let place = folder
            .strip_prefix(top())
            .expect("below the top")
            .display()
            .to_string();
        assert!(
            readme.contains(&format!("[`{package}`]({place})")),
            "{package}: a row in the README"
        );
    }
    let path: Vec<&str> = lab_00_tour::path::PATH
        .iter()
        .map(|stop| stop.package)
        .collect();
    // The path has an order of its own.
    let path: BTreeSet<&str> = path.into_iter().collect();
    let lessons = lessons();
    let lessons: BTreeSet<&str> = lessons
        .iter()
        .map(|(_, package)| package.as_str())
        .collect();
    assert_eq!(path, lessons);
}

#[test]
fn a_step_uses_what_it_lists() {
    for (folder, package) in steps() {
        let manifest = read(&folder.join("Cargo.toml"));
        let listed = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let listed = listed.split("\n[").next().unwrap_or_default();
        let code: String = sources(&folder.join("src"))
            .iter()
            .map(|path| read(path))
            .collect();
        for line in listed.lines().filter(|line| line.contains('=')) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            assert!(
                code.contains(&name.replace('-', "_")),
                "{package}: `{name}` is listed and not used"
            );
        }
    }
}

/// What `main.rs` holds, in a file of its own.
const NOT_MECHANISM: [&str; 3] = ["main.rs", "claims.rs", "flags.rs"];

#[test]
fn lessons_hold_mechanisms_only() {
    let mut impure = Numbers::new();
    for (folder, package) in lessons() {
        let mut files = sizes::code(&folder.join("src"));
        files.retain(|path| !NOT_MECHANISM.iter().any(|name| path.ends_with(name)));
        let is_impure = |line: &&str| {
            !line.trim_start().starts_with("//") && IMPURE.iter().any(|word| line.contains(word))
        };
        let count = |path: &PathBuf| {
            let text = read(path);
            sizes::without_tests(&text)
                .into_iter()
                .filter(is_impure)
                .count()
        };
        impure.insert(package, files.iter().map(count).sum());
    }
    hold(
        "lines of a library that print, measure or report",
        &impure,
        0,
        |_| 0,
    );
}

#[test]
fn nothing_forbidden_stands_anywhere() {
    let own = top().join("tests/tidy/main.rs");
    let mut all = sources(&top().join("common"));
    for folder in ["basics", "lab", "benches", "tests"] {
        all.extend(sources(&top().join(folder)));
    }
    for path in all.iter().filter(|path| **path != own) {
        let text = read(path);
        for word in [
            "#[allow(",
            "#![allow(",
            "static mut ",
            "reqwest::blocking::",
            "todo!(",
            "unimplemented!(",
            "#[ignore]",
        ] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
        // The pitfall lab lessons warn of: the lock would be held during the work.
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        assert!(
            !code.contains(".lock().unwrap().recv()"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_papers_are_there_and_architecture_stays_short() {
    for paper in [
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        ".ci/run",
        ".github/workflows/ci.yml",
    ] {
        assert!(top().join(paper).is_file(), "{paper}");
    }
    let architecture = read(&top().join("ARCHITECTURE.md"));
    assert!(
        architecture.lines().count() <= 150,
        "{} lines",
        architecture.lines().count()
    );
    for entry in fs::read_dir(top().join("common"))
        .expect("the crates")
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            !entry.path().join("Cargo.toml").exists()
                || architecture.contains(&format!("`{name}`")),
            "ARCHITECTURE.md names `{name}`"
        );
    }
}

#[test]
fn ci_calls_the_commands_that_the_readme_tells() {
    let ci = read(&top().join(".ci/run"));
    assert!(
        ci.lines().any(|line| line == "cargo test"),
        "the README's own test command"
    );
    let workflow = read(&top().join(".github/workflows/ci.yml"));
    assert!(workflow.contains("bash .ci/run"));
}
