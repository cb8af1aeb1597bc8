//! The pictures of the README are real runs, and show what the steps print today.
//!
//! `PICTURES=overwrite cargo test --test pictures` makes them anew.

mod support;
#[path = "support/svg.rs"]
mod svg;

use common::testing::run;
use lab_00_tour::walk::repository;
use std::{env, fs, path::PathBuf};
use support::binaries;

/// A picture of timelines: a run, and the variants that are shown of it.
struct Picture {
    name: &'static str,
    package: &'static str,
    flags: &'static [&'static str],
    variants: &'static [&'static str],
}

const PICTURES: [Picture; 3] = [
    Picture {
        name: "threads",
        package: "lab-02-threaded-fetch",
        flags: &[],
        variants: &["sequential", "threaded"],
    },
    Picture {
        name: "tasks",
        package: "lab-08-async-downloader",
        flags: &[],
        variants: &["await in a loop", "tasks"],
    },
    Picture {
        name: "pipeline",
        package: "lab-10-hybrid-pipeline",
        flags: &["--rounds", "1"],
        variants: &["barrier, processes", "streaming, processes"],
    },
];

impl Picture {
    fn path(&self) -> PathBuf {
        repository().join(format!("docs/pictures/{}.svg", self.name))
    }

    fn command(&self) -> String {
        let mut words = format!("cargo run -p {}", self.package);
        if !self.flags.is_empty() {
            words = format!("{words} -- {}", self.flags.join(" "));
        }
        words
    }

    /// What a run prints of it now, in colour.
    fn lines(&self) -> Vec<String> {
        let fixed = ["--width", "80", "--seed", "42", "--color", "always"];
        let flags = [self.flags, &fixed].concat();
        let printed = run(&binaries()[self.package], &flags).well().stdout;
        let mut lines = vec![format!("\u{1b}[2m$\u{1b}[0m {}", self.command())];
        let mut shown = false;
        for line in timelines(&printed) {
            let text = svg::plain(line);
            if text.starts_with(char::is_alphabetic) && text.contains(" · in its spans ") {
                let begins = |name: &&&str| text.strip_prefix(**name).is_some_and(is_time);
                shown = self.variants.iter().find(begins).is_some();
            } else if lines.len() == 1 {
                // The legend stands above all of them.
                shown = true;
            }
            if shown {
                lines.push(line.to_owned());
            }
        }
        lines
    }
}

fn is_time(rest: &str) -> bool {
    rest.starts_with(|c: char| c == ' ')
        && rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
}

/// The part of a report from the legend to the empty line before the tables.
fn timelines(printed: &str) -> impl Iterator<Item = &str> {
    let lines = printed.lines();
    let lines = lines.skip_while(|line| !svg::plain(line).starts_with("█ running"));
    lines.take_while(|line| !line.is_empty())
}

/// What is the same in every run: words in their order, without figures, bars, and how many of a
/// legend's marks were needed.
fn shape(line: &str) -> String {
    if line.starts_with("█ running") {
        return "the legend".into();
    }
    if line.contains('└') {
        return "the axis".into();
    }
    let words = line.split('│').next().unwrap_or_default();
    let mut words: Vec<&str> = words.split_whitespace().collect();
    // The names of lanes have numbers of their own: `worker 1`.
    if !line.contains('│') {
        let units = ["ns", "µs", "ms", "s", "min", "%"];
        words.retain(|word| {
            !units.contains(word) && !word.starts_with(|c: char| c.is_ascii_digit())
        });
    }
    words.join(" ")
}

fn shapes(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| shape(&svg::plain(line)));
    lines.collect::<Vec<_>>().join("\n")
}

fn overwrites() -> bool {
    env::var_os("PICTURES").is_some_and(|value| value == "overwrite")
}

#[test]
fn the_pictures_show_what_the_steps_print() {
    for picture in &PICTURES {
        let (path, lines) = (picture.path(), picture.lines());
        assert!(lines.len() > 8, "{lines:#?}");
        if overwrites() {
            fs::write(&path, svg::draw(&picture.command(), &lines)).expect("writable");
        }
        let stored = fs::read_to_string(&path).expect("a picture");
        let (stored, now) = (shapes(&svg::text_of(&stored)), shapes(&lines));
        let command = "PICTURES=overwrite cargo test --test pictures";
        assert!(
            stored == now,
            "{}.svg is not what the step prints; `{command}` makes it anew\n{stored}\n--- now:\n{now}",
            picture.name
        );
    }
}

#[test]
fn the_readme_shows_every_picture_and_says_what_is_to_be_seen() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("a README");
    for picture in &PICTURES {
        let place = format!("](docs/pictures/{}.svg)", picture.name);
        let (before, _) = readme.split_once(&place).expect("it is shown");
        let (_, told) = before.rsplit_once("![").expect("a picture has a text");
        assert!(
            told.split_whitespace().count() > 10,
            "{}: {told}",
            picture.name
        );
        assert!(readme.contains(&picture.command()), "{}", picture.name);
    }
}

#[test]
fn a_picture_gives_back_the_text_it_was_drawn_from() {
    let line = "\u{1b}[1mone\u{1b}[0m  \u{1b}[2m1.2 s & <2\u{1b}[0m │░░█|\u{1b}[32m✓\u{1b}[0m";
    let drawn = svg::draw("a \"title\"", &[line.to_owned(), String::new()]);
    assert_eq!(svg::text_of(&drawn), [svg::plain(line), String::new()]);
    for class in [
        "\"bold\"",
        "\"dim\"",
        "\"green\"",
        "prefers-color-scheme: dark",
    ] {
        assert!(drawn.contains(class), "{class} in {drawn}");
    }
}

#[test]
fn figures_and_bars_are_no_part_of_a_shape() {
    let same = [
        [
            "sequential 10.0 s · 1 lane · in its spans 0 % running",
            "sequential 2 min 5 s · 1 lane · in its spans 12 % running",
        ],
        ["main               │░░░|░░", "main               │███"],
        ["    └0─ enlarged 20 × ──2.00 s", "    └0──────1 s"],
    ];
    for [one, other] in same {
        assert_eq!(shape(one), shape(other));
    }
    let different = [
        ["worker 1  │██", "worker 2  │██"],
        ["one 1.0 s · 2 lanes", "two 1.0 s · 2 lanes"],
        ["a 1.0 s · 1 lane · running", "a 1.0 s · 1 lane · at work"],
    ];
    for [one, other] in different {
        assert_ne!(shape(one), shape(other));
    }
}
