//! The pictures of the README are real runs, and show what the steps print today.
//!
//! `PICTURES=overwrite cargo test --test pictures` makes them anew.

mod support;
#[path = "support/svg.rs"]
mod svg;

use lab_00_tour::walk::repository;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::binaries;
use testing::run;

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
        flags: &["--rounds", "1", "--workers", "2"],
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
        let command = format!("\u{1b}[2m$\u{1b}[0m {}", self.command());
        let mut lines = vec![command, String::new()];
        // The legend stands above all of them.
        let mut shown = true;
        for line in timelines(&printed) {
            let text = svg::plain(line);
            if text.starts_with(char::is_alphabetic) && text.contains(" · in its spans ") {
                let begins = |name: &&&str| text.strip_prefix(**name).is_some_and(is_time);
                shown = self.variants.iter().find(begins).is_some();
            }
            if shown {
                lines.push(line.to_owned());
            }
        }
        lines
    }
}

fn is_time(rest: &str) -> bool {
    rest.starts_with(' ') && rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
}

/// The part of a report from the legend to the empty line before the tables.
fn timelines(printed: &str) -> impl Iterator<Item = &str> {
    let lines = printed.lines();
    let lines = lines.skip_while(|line| !svg::plain(line).starts_with("█ running"));
    // What recording cost is told in other words by run.
    lines.take_while(|line| !line.is_empty() && !line.contains("recording: "))
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
    if line.contains(" waits for ") && !line.contains('│') {
        // More of the legend: what this run happened to wait for.
        return String::new();
    }
    let words = line.split('│').next().unwrap_or_default();
    let mut words: Vec<&str> = words.split_whitespace().collect();
    // A level's peak; the names of lanes have numbers of their own: `worker 1`.
    let is_figure = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    if line.contains('│') && words.len() > 2 && words.last().is_some_and(is_figure) {
        words.pop();
    }
    if !line.contains('│') {
        let units = ["ns", "µs", "ms", "s", "min", "%"];
        words.retain(|word| {
            !units.contains(word) && !word.starts_with(|c: char| c.is_ascii_digit())
        });
    }
    words.join(" ")
}

fn shapes(lines: &[String]) -> String {
    let shapes = lines.iter().map(|line| shape(&svg::plain(line)));
    let shapes = shapes.filter(|shape| !shape.is_empty());
    shapes.collect::<Vec<_>>().join("\n")
}

/// The run whose page is shown, and how much of it.
const PAGE: &str = "lab-02-threaded-fetch";
const PAGE_SIZE: &str = "--window-size=1280,860";

fn page_command() -> String {
    format!("cargo run -p {PAGE} -- --report page.html")
}

/// What a page consists of: the words of its headings, folded sections, captions and columns.
fn structure(page: &str) -> String {
    let mut lines = String::new();
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_default();
        let name = tag.split(' ').next().unwrap_or_default();
        let kept = match name {
            "h1" | "h2" | "caption" | "figcaption" => true,
            "summary" => !text.is_empty(),
            "th" => tag.contains("col"),
            _ => false,
        };
        if kept {
            lines += &format!("{name} {}\n", text.trim());
        }
    }
    lines
}

/// Has a browser draw the page; there is none in every place where the tests run.
fn photograph(page: &Path, picture: &Path) {
    let taken = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .any(|browser| {
            let mut browser = Command::new(browser);
            browser.args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                PAGE_SIZE,
            ]);
            browser.arg(format!("--screenshot={}", picture.display()));
            let taken = browser.arg(format!("file://{}", page.display())).output();
            taken.is_ok_and(|output| output.status.success())
        });
    assert!(taken, "no browser drew the page; install chromium");
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
fn the_page_has_the_parts_that_its_picture_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let place = page.to_str().expect("plain letters");
    let fixed = ["--seed", "42", "--report", place];
    let _ = run(&binaries()[PAGE], &fixed).well();
    let text = fs::read_to_string(&page).expect("a page");
    let now = structure(&text);
    let pictures = repository().join("docs/pictures");
    let stored = pictures.join("page.txt");
    if overwrites() {
        // The first of what is folded is the picture beside the code.
        let folded = "<details class=\"section\">";
        fs::write(&page, text.replacen(folded, "<details open>", 1)).expect("writable");
        photograph(&page, &pictures.join("page.png"));
        fs::write(&stored, &now).expect("writable");
    }
    let stored = fs::read_to_string(&stored).expect("the parts of the page");
    assert!(stored.lines().count() > 20, "{stored}");
    assert!(
        stored == now,
        "page.png shows another page; `PICTURES=overwrite cargo test --test pictures` makes it anew\n\
         {stored}\n--- now:\n{now}"
    );
}

#[test]
fn the_parts_of_a_page_are_its_headings_captions_and_columns() {
    let page = "<h1>Lab</h1><p>text <b>bold</b></p><summary>Why</summary><summary><span>✓</span></summary>\
                <th scope=\"col\">wall</th><th scope=\"row\">one</th><caption>Times</caption>";
    assert_eq!(
        structure(page),
        "h1 Lab\nsummary Why\nth wall\ncaption Times\n"
    );
}

#[test]
fn the_readme_shows_every_picture_and_says_what_is_to_be_seen() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("a README");
    let runs = PICTURES
        .iter()
        .map(|one| (format!("{}.svg", one.name), one.command()));
    for (file, command) in runs.chain([("page.png".to_owned(), page_command())]) {
        let place = format!("](docs/pictures/{file})");
        let (before, _) = readme.split_once(&place).expect("it is shown");
        let (_, told) = before.rsplit_once("![").expect("a picture has a text");
        assert!(told.split_whitespace().count() > 10, "{file}: {told}");
        assert!(readme.contains(&command), "{command}");
        assert!(repository().join("docs/pictures").join(&file).is_file());
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
        ["pages queued   12 │ ▁▂", "pages queued    5 │▇▇▇"],
        ["> waits for room", "< waits for an item"],
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
