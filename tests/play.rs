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
            let _ = run(&binary, &["--play", bad]).refused(
                2,
                &[
                    &format!("no game `{bad}`"),
                    &own,
                    "`cargo run -- play` lists",
                ],
            );
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

#[cfg(target_os = "linux")]
mod stopped {
    use super::*;
    use std::{
        fs,
        io::{Read, Write},
        panic::resume_unwind,
        process::{Child, Command, Stdio},
        sync::mpsc::{self, RecvTimeoutError, Sender},
        thread,
        time::Duration,
    };

    /// Where a step of the test takes longer than this, the game hangs.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A game at a terminal of its own, which `script` makes.
    struct Player {
        script: Child,
        shell: String,
        game: String,
    }

    fn first_child(process: &str) -> String {
        let place = format!("/proc/{process}/task/{process}/children");
        loop {
            let children = fs::read_to_string(&place).expect("it runs");
            if let Some(first) = children.split_whitespace().next() {
                return first.to_owned();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    impl Player {
        fn sit_down(binary: &Path) -> Self {
            // With a command behind it, the shell waits for the game instead of becoming it.
            let line = format!("{} --play 1; true", binary.display());
            let mut script = Command::new("script");
            script
                .args(["-qc", &line, "/dev/null"])
                .stdin(Stdio::piped());
            let script = script.stdout(Stdio::piped()).spawn().expect("it starts");
            let shell = first_child(&script.id().to_string());
            let game = first_child(&shell);
            Self {
                script,
                shell,
                game,
            }
        }

        /// Reads up to the prompt.
        fn sees_the_picture(&mut self) {
            let (mut seen, mut byte) = (String::new(), [0]);
            let out = self.script.stdout.as_mut().expect("it is piped");
            while !seen.ends_with("q quit ") {
                out.read_exact(&mut byte).expect("the game goes on");
                seen.push(char::from(byte[0]));
            }
            assert!(
                seen.contains("game 1") && seen.contains("thread 2"),
                "{seen}"
            );
        }

        fn signal(&self, name: &str) {
            let status = Command::new("kill").args([name, &self.game]).status();
            assert!(status.expect("kill starts").success());
        }

        /// Whether keys are read one by one, without an echo.
        fn has_the_keys(&self) -> bool {
            let terminal = fs::read_link(format!("/proc/{}/fd/0", self.shell));
            let mut stty = Command::new("stty");
            let output = stty.arg("-a").arg("-F").arg(terminal.expect("it runs"));
            let output = output.output().expect("stty starts").stdout;
            let output = String::from_utf8_lossy(&output).into_owned();
            let all =
                ["-icanon", "-echo"].map(|flag| output.split([' ', '\n']).any(|it| it == flag));
            assert_eq!(all[0], all[1], "{output}");
            all[0]
        }
    }

    #[test]
    fn a_game_that_was_stopped_has_its_keys_and_its_picture_again() {
        let (binary, _) = binaries().swap_remove(0);
        let (done, steps) = mpsc::channel();
        let played = thread::spawn(move || stop_and_go_on(&binary, &done));
        let (mut last, mut script) = ("nothing", None);
        loop {
            match steps.recv_timeout(PATIENCE) {
                Ok((step, number)) => (last, script) = (step, Some(number)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let script = script.map(|script: u32| script.to_string());
                    // The game ends with its terminal.
                    let _ = Command::new("kill").arg("-KILL").args(script).status();
                    panic!("the game hangs; the last that was done: {last}");
                }
            }
        }
        played.join().unwrap_or_else(|panic| resume_unwind(panic));
    }

    /// Says what it has done, and what number the terminal's process has.
    fn stop_and_go_on(binary: &Path, done: &Sender<(&'static str, u32)>) {
        let mut player = Player::sit_down(binary);
        let script = player.script.id();
        let done = |step| done.send((step, script)).expect("the test waits");
        done("it started");
        player.sees_the_picture();
        assert!(player.has_the_keys());
        for _ in 0..2 {
            player.signal("-TSTP");
            done("it was told to stop");
            let state = format!("/proc/{}/stat", player.game);
            while !fs::read_to_string(&state).is_ok_and(|state| state.contains(") T ")) {
                thread::sleep(Duration::from_millis(5));
            }
            assert!(
                !player.has_the_keys(),
                "who stops it gets the terminal back"
            );
            player.signal("-CONT");
            done("it was told to go on");
            player.sees_the_picture();
            assert!(player.has_the_keys());
        }
        let stdin = player.script.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"q").expect("it listens");
        done("it was told to end");
        assert!(player.script.wait().expect("it ends").success());
    }
}
