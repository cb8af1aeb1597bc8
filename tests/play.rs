//! The games: each goal can be reached, none of a repaired program can, and every screen fits.

use lab_00_tour::{
    path::{self, Stop},
    walk,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use testing::run;

/// The games of each step, by number; the odd ones can be won.
const GAMES: [(&str, [usize; 4]); 3] = [
    ("lab-06", [1, 2, 3, 4]),
    ("lab-12", [5, 6, 7, 8]),
    ("lab-13", [9, 10, 11, 12]),
];

fn binaries() -> Vec<(PathBuf, [usize; 4])> {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let stops: Vec<&Stop> = (GAMES.iter().filter_map(|(step, _)| path::find(step))).collect();
    let built = BUILT.get_or_init(|| walk::build(&stops).expect("cargo starts"));
    let binaries = stops.iter().map(|stop| built[stop.package].clone());
    binaries.zip(GAMES.map(|(_, games)| games)).collect()
}

fn play(binary: &Path, game: usize, moves: &str, more: &[&str]) -> String {
    let words = ["--play", &game.to_string(), "--moves", moves];
    run(binary, &[&words, more].concat()).well().stdout
}

/// Whether it fits a terminal of 24 rows, and without blank lines one of 20 narrow ones; a prompt has the last.
fn fits(binary: &Path, game: usize, moves: &str) {
    for moves in [moves.to_owned(), format!("{moves}h")] {
        for (width, rows) in [(80, 24), (60, 20)] {
            let text = play(binary, game, &moves, &["--width", &width.to_string()]);
            let lines = text.lines().filter(|line| rows > 20 || !line.is_empty());
            assert!(lines.clone().count() < rows, "{text}");
            assert!(
                lines.clone().all(|line| line.chars().count() <= width),
                "{text}"
            );
        }
    }
}

/// A thread that can take a step.
fn able(document: &Value) -> Option<usize> {
    let stands = document["run"]["stands"].as_array().expect("a list");
    stands.iter().position(|stand| !stand["next"].is_null())
}

#[test]
fn every_game_ends_and_its_goal_is_within_reach_just_where_it_is_not_repaired() {
    for (binary, games) in binaries() {
        for game in games {
            let mut moves = String::new();
            let last = loop {
                fits(&binary, game, &moves);
                let text = play(&binary, game, &moves, &["--json"]);
                let document: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!(document["moves"], *moves);
                let Some(thread) = able(&document) else {
                    break document;
                };
                moves.push_str(&(thread + 1).to_string());
            };
            assert_eq!(last["over"], true, "{last}");
            let reaching = last["orders_that_reach_the_goal"]
                .as_u64()
                .expect("a number");
            assert!(
                reaching < last["orders"].as_u64().expect("a number"),
                "{last}"
            );
            assert_eq!(reaching > 0, game % 2 == 1, "{last}");
        }
    }
}

#[test]
fn every_screen_marks_the_line_of_each_thread() {
    for (binary, games) in binaries() {
        for game in games {
            let text = play(&binary, game, "", &[]);
            let threads = text
                .lines()
                .filter(|line| line.starts_with("  thread "))
                .count();
            assert!(threads >= 2, "{text}");
            for thread in 1..=threads {
                let margin = |line: &&str| {
                    line.split_once(" → ")
                        .is_some_and(|(margin, _)| margin.contains(&thread.to_string()))
                };
                assert_eq!(
                    text.lines().filter(margin).count(),
                    1,
                    "thread {thread}\n{text}"
                );
            }
            assert!(play(&binary, game, "1", &["--ascii"]).is_ascii());
        }
    }
}

#[test]
fn a_blocked_thread_a_wrong_move_and_a_wrong_game_are_refused_in_one_line() {
    for (binary, games) in binaries() {
        let own = games.map(|game| game.to_string()).join(", ");
        for bad in ["40", "0", "1,5", "-1", "", "99999999999999999999"] {
            let _ = run(&binary, &["--play", bad]).refused(2, &[&format!("no game `{bad}`"), &own]);
            let _ = run(&binary, &["--play", "--width", bad]).refused(2, &[bad, "from 50 to 200"]);
        }
        let _ = run(&binary, &["--play", "1", "--moves", "1x"]).refused(2, &["`x` is no move"]);
        if games.contains(&9) {
            let _ = run(&binary, &["--play", "9", "--moves", "121"])
                .refused(2, &["thread 1 is blocked", "which thread 2 has"]);
            let _ = run(&binary, &["--play", "10", "--moves", "12"])
                .refused(2, &["thread 2 is blocked"]);
        }
    }
}
