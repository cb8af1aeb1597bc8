//! The pictures of the README are of a real run of lab 02.
//!
//! `PICTURES=overwrite cargo test --test pictures` makes them again; the page needs chromium.

mod support;

use lab_00_tour::walk::repository;
use serde_json::Value;
use std::{env, fmt::Write, fs, path::Path, process::Command};
use support::binaries;
use testing::run;

const PACKAGE: &str = "lab-02-threaded-fetch";
const PATH: &str = "docs/pictures/overlap.svg";

/// How many times as fast as the run the picture moves, and how long it rests before it starts again.
const SPEED: f64 = 2.0;
const REST_S: f64 = 3.0;

const WIDTH: f64 = 820.0;
const LEFT: f64 = 150.0;
const BAR: f64 = 640.0;
const ROW: f64 = 16.0;

const STYLE: &str = "text{font:14px ui-monospace,monospace;fill:#1f2328}.dim{fill:#656d76}\
.wait{fill:#8fb4e8}.win{font-weight:bold}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.wait{fill:#4f79b5}}";

/// A variant's name, its time, and the waits of its lanes, all in seconds.
type Waits = (String, f64, Vec<Vec<(f64, f64)>>);

/// The variants of a run, each with its name, its time, and the waits of its lanes, in seconds.
fn variants(document: &Value) -> Vec<Waits> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let number = |value: &Value| value.as_f64().expect("a number");
    let waits = |lane: &Value| {
        let spans = list(&lane["spans"]).into_iter();
        let spans = spans.filter(|span| span["depth"] == 0);
        spans
            .map(|span| (number(&span["start_s"]), number(&span["end_s"])))
            .collect()
    };
    let variants = list(&document["variants"]).into_iter();
    variants
        .map(|variant| {
            let name = variant["name"].as_str().expect("a name").to_owned();
            let lanes = list(&variant["lanes"]).iter().map(waits).collect();
            (name, number(&variant["wall_s"]), lanes)
        })
        .collect()
}

/// Bars that grow as the waits did: all variants start together, on one axis.
fn draw(document: &Value) -> String {
    let variants = variants(document);
    let walls = variants.iter().map(|(_, wall, _)| *wall);
    let longest = walls.fold(0.0, f64::max);
    let at = |seconds: f64| LEFT + BAR * seconds / longest;
    let rows: usize = variants.iter().map(|(_, _, lanes)| lanes.len() + 1).sum();
    let height = ROW * (rows + 4) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\
         <style>{STYLE}</style><text x=\"0\" y=\"14\" class=\"dim\">$ cargo run -p {PACKAGE}</text>\n\
         <rect width=\"0\" height=\"0\"><animate id=\"run\" attributeName=\"width\" from=\"0\" to=\"0\" \
         begin=\"0s;run.end\" dur=\"{}s\"/></rect>\n",
        longest / SPEED + REST_S
    );
    let mut y = 2.0 * ROW;
    for (name, wall, lanes) in &variants {
        let _ = writeln!(svg, "<text x=\"0\" y=\"{}\">{name}</text>", y + 12.0);
        for waits in lanes {
            waits.iter().for_each(|wait| svg += &bar(*wait, y, at));
            y += ROW;
        }
        let factor = variants[0].1 / wall;
        let (x, line, words) = match factor {
            ..1.05 => (LEFT, y + 12.0, format!("{wall:.1} s")),
            _ => (
                at(*wall) + 12.0,
                y - ROW * lanes.len() as f64 / 2.0,
                format!("{wall:.1} s: {factor:.0} times as fast"),
            ),
        };
        svg += &win((x, line), &words, *wall);
        y += 1.5 * ROW;
    }
    let y = y + 4.0;
    svg + &format!(
        "<text class=\"dim\" x=\"{LEFT}\" y=\"{y}\">each bar: a thread that waits for the server \
         (shown at {SPEED} times the speed)</text></svg>\n"
    )
}

/// What is seen of a variant when its time is over.
fn win((x, y): (f64, f64), words: &str, wall: f64) -> String {
    format!(
        "<text class=\"win\" x=\"{x:.1}\" y=\"{y}\">{words}<set attributeName=\"visibility\" \
         to=\"hidden\" begin=\"run.begin\" dur=\"{:.3}s\"/></text>\n",
        wall / SPEED
    )
}

/// A wait from its start to its end.
fn bar((start, end): (f64, f64), y: f64, at: impl Fn(f64) -> f64) -> String {
    let (x, width) = (at(start), (at(end) - at(start) - 1.0).max(1.0));
    format!(
        "<rect class=\"wait\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\">\
         <set attributeName=\"width\" to=\"0\" begin=\"run.begin\" dur=\"{:.3}s\"/>\
         <animate attributeName=\"width\" from=\"0\" to=\"{width:.1}\" \
         begin=\"run.begin+{:.3}s\" dur=\"{:.3}s\"/></rect>\n",
        ROW - 3.0,
        // No animation lasts for no time at all.
        (start / SPEED).max(0.001),
        start / SPEED,
        (end - start) / SPEED
    )
}

/// Has a browser draw the page of a run.
fn photograph(page: &Path, picture: &Path) {
    let flags = ["--report", page.to_str().expect("plain letters")];
    let _ = run(&binaries()[PACKAGE], &flags).well();
    let mut browser = Command::new("chromium");
    browser.args([
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--window-size=1280,900",
    ]);
    browser.arg(format!("--screenshot={}", picture.display()));
    let drawn = browser.arg(format!("file://{}", page.display())).output();
    assert!(drawn.expect("chromium is there").status.success());
}

#[test]
fn the_picture_of_the_readme_shows_the_variants_of_the_step() {
    let overwrite = env::var_os("PICTURES").is_some_and(|value| value == "overwrite");
    let path = repository().join(PATH);
    let flags: &[&str] = if overwrite {
        &["--json"]
    } else {
        &["--json", "--delay", "0.02"]
    };
    let document = run(&binaries()[PACKAGE], flags).well().document();
    if overwrite {
        fs::write(&path, draw(&document)).expect("writable");
        let folder = tempfile::tempdir().expect("a folder");
        photograph(
            &folder.path().join("page.html"),
            &path.with_file_name("page.png"),
        );
    }
    let stored = fs::read_to_string(&path).expect("a picture");
    for (name, _, lanes) in variants(&document) {
        assert!(stored.contains(&format!(">{name}</text>")), "{name}");
        assert!(!lanes.is_empty(), "{name} has waits to draw");
    }
    assert_eq!(
        stored.matches("class=\"wait\"").count(),
        20,
        "ten waits, twice"
    );
    let readme = fs::read_to_string(repository().join("README.md")).expect("a README");
    assert!(
        readme.contains(&format!("]({PATH})")),
        "the README shows it"
    );
}

#[test]
fn bars_grow_from_their_start_for_as_long_as_the_wait() {
    let lane = |spans: &[(f64, f64)]| {
        let span = |(start, end): &(f64, f64)| serde_json::json!({"start_s": start, "end_s": end, "depth": 0});
        serde_json::json!({"spans": spans.iter().map(span).collect::<Vec<_>>()})
    };
    let document = serde_json::json!({"variants": [
        {"name": "slow", "wall_s": 4.0, "lanes": [lane(&[(0.0, 2.0), (2.0, 4.0)])]},
        {"name": "fast", "wall_s": 2.0, "lanes": [lane(&[(0.0, 2.0)]), lane(&[(0.0, 2.0)])]},
    ]});
    let svg = draw(&document);
    assert_eq!(svg.matches("class=\"wait\"").count(), 4);
    assert!(
        svg.contains("begin=\"run.begin+1.000s\" dur=\"1.000s\""),
        "{svg}"
    );
    assert!(svg.contains("2.0 s: 2 times as fast"), "{svg}");
}
