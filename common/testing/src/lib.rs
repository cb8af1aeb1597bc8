//! Runs a step as its user would, and reads its document with other eyes than those that wrote it.
//!
//! For tests only: everything here panics with a message where a test should fail.

mod trace;
pub use trace::{events_of, faults_of, traced};

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// A step that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a finished step left.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `program` with `arguments` and no input, and waits for it under a watchdog.
///
/// # Panics
/// If it cannot be started, or it or what it started holds its output open for too long; it is killed then.
pub fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Finished {
    let mut command = Command::new(program.as_ref());
    command.args(arguments);
    run_command(command)
}

/// [`run`] for a command that needs an environment or a folder of its own.
///
/// # Panics
/// As [`run`].
pub fn run_command(mut command: Command) -> Finished {
    // What a test runs is nothing that its user has done.
    if command.get_envs().all(|(name, _)| name != "LAB_PROGRESS") {
        command.env("LAB_PROGRESS", "");
    }
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    pipes.stderr(Stdio::piped()).env_remove("RUST_BACKTRACE");
    let child = command.spawn();
    let child = child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (pid, (tx, rx)) = (child.id().to_string(), mpsc::channel());
    // A test that has failed meanwhile no longer listens.
    thread::spawn(move || drop(tx.send(child.wait_with_output())));
    let Ok(output) = rx.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").args(["-KILL", &pid]).status();
        panic!("within {PATIENCE:?} {command:?}, or what it started, did not close its output");
    };
    let output = output.expect("a child can be waited for");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

impl Finished {
    /// Asserts that the run went well.
    ///
    /// # Panics
    /// If it did not, with everything it printed.
    #[must_use]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.without_panic_text()
    }

    /// Asserts exit code `code` and exactly one line on standard error that has all `words`.
    ///
    /// # Panics
    /// If it is otherwise.
    #[must_use]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "on standard error: {}", self.stderr);
        for word in words {
            assert!(lines[0].contains(word), "`{word}` in: {}", lines[0]);
        }
        self.without_panic_text()
    }

    /// Asserts that standard output has each of `words`.
    ///
    /// # Panics
    /// If one is missing.
    pub fn tells(&self, words: &[&str]) {
        for word in words {
            assert!(self.stdout.contains(word), "`{word}` in {}", self.stdout);
        }
    }

    fn without_panic_text(self) -> Self {
        assert!(!self.stderr.contains("panicked at"), "{}", self.stderr);
        self
    }

    /// The document on standard output, its claims checked against its figures.
    ///
    /// # Panics
    /// If there is none, something else is there too, or a claim contradicts a figure.
    pub fn document(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in: {}\n{}", self.stdout, self.stderr));
        let contradictions = contradictions(&document);
        assert!(contradictions.is_empty(), "{contradictions:#?}");
        document
    }
}

/// The variant called `name`.
///
/// # Panics
/// If the document has none.
pub fn variant<'a>(document: &'a Value, name: &str) -> &'a Value {
    named(&document["variants"], name)
}

/// The claim called `name`.
///
/// # Panics
/// If the document has none.
pub fn claim<'a>(document: &'a Value, name: &str) -> &'a Value {
    named(&document["claims"], name)
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let mut all = list.as_array().expect("a list").iter();
    let found = all.find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no `{name}`: {list}"))
}

/// The verdict on the claim called `name`.
///
/// # Panics
/// As [`claim`].
pub fn verdict<'a>(document: &'a Value, name: &str) -> &'a str {
    let verdict = claim(document, name)["verdict"].as_str();
    verdict.expect("a claim has a verdict")
}

/// Asserts that no process that `program` started, in any generation, is still there. Linux only.
///
/// Children of the lab live in process groups of their own whose leader's arguments name the role;
/// they may take a moment to end, and are given it.
///
/// # Panics
/// If one stays.
pub fn assert_nothing_left_behind(program: impl AsRef<Path>) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left = children_running(program.as_ref());
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still running: {left:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Orphaned processes that run `program` in a role, with their command lines.
fn children_running(program: &Path) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let folders = processes.flatten().map(|entry| entry.path());
    let lines = folders.filter_map(|folder| {
        let runs = std::fs::read_link(folder.join("exe")).ok()? == program;
        let status = std::fs::read_to_string(folder.join("status")).ok()?;
        let orphan = status.lines().any(|line| line == "PPid:\t1");
        let line = std::fs::read_to_string(folder.join("cmdline")).ok()?;
        (runs && orphan).then(|| line.replace('\0', " "))
    });
    lines.filter(|line| line.contains("--lab-role=")).collect()
}

/// Every claim whose verdict the document's own figures contradict, worked out anew.
pub fn contradictions(document: &Value) -> Vec<String> {
    let claims = document["claims"].as_array().into_iter().flatten();
    let found = claims.filter_map(|claim| contradiction(document, claim));
    found.collect()
}

fn contradiction(document: &Value, claim: &Value) -> Option<String> {
    let checks = claim["checks"].as_array().into_iter().flatten();
    let judged: Vec<&str> = checks.map(|check| judge(document, check)).collect();
    let expected = if judged.contains(&"not_shown") {
        "not_shown"
    } else if judged.is_empty() || judged.contains(&"inconclusive") {
        "inconclusive"
    } else {
        "shown"
    };
    let printed = claim["verdict"].as_str().unwrap_or("none");
    let explained = printed == "shown" || claim["reason"].is_string();
    (printed != expected || !explained)
        .then(|| format!("printed {printed}, the figures say {expected}: {claim}"))
}

fn judge(document: &Value, check: &Value) -> &'static str {
    let side = |name: &str| evaluate(document, check[name].as_str().unwrap_or_default());
    let (left, right) = (side("left"), side("right"));
    let rounds = if left.len() == 1 || right.len() == 1 {
        left.len().max(right.len())
    } else {
        left.len().min(right.len())
    };
    let at = |values: &[Option<f64>], round: usize| values[round.min(values.len() - 1)];
    let mut held = 0;
    for round in 0..rounds {
        let (Some(left), Some(right)) = (at(&left, round), at(&right, round)) else {
            return "inconclusive";
        };
        held += usize::from(match check["relation"].as_str() {
            Some("<") => left < right,
            Some("≤") => left <= right,
            Some(">") => left > right,
            Some("≥") => left >= right,
            Some("=") => left == right,
            other => panic!("unknown relation {other:?}"),
        });
    }
    match held {
        _ if (rounds as u64) < check["least_rounds"].as_u64().unwrap_or(1) => "inconclusive",
        0 => "not_shown",
        _ if held == rounds => "shown",
        _ => "inconclusive",
    }
}

/// Works out an expression: numbers, `path`, `[variant].path`, `factor * path`, `path / path`. Times of a variant
/// that was disturbed from outside are not known.
fn evaluate(document: &Value, expression: &str) -> Vec<Option<f64>> {
    if let Some((above, below)) = expression.split_once(" / ") {
        let [above, below] = [above, below].map(|side| evaluate(document, side));
        let both = above.into_iter().zip(below);
        return both.map(|(above, below)| Some(above? / below?)).collect();
    }
    if let Some((factor, rest)) = expression.split_once(" * ") {
        let factor: f64 = factor.parse().expect("a factor is a number");
        let values = evaluate(document, rest).into_iter();
        return values.map(|value| Some(value? * factor)).collect();
    }
    if let Ok(number) = expression.parse() {
        return vec![Some(number)];
    }
    let own = expression.strip_prefix('[');
    let (root, path) = match own.and_then(|rest| rest.split_once("].")) {
        Some((name, path)) => (variant(document, name), path),
        None => (document, expression),
    };
    let is_time = path.ends_with("_s") || path == "efficiency";
    if is_time && root["disturbed"].is_string() {
        return vec![None];
    }
    match root.pointer(&format!("/{}", path.replace('.', "/"))) {
        Some(Value::Array(values)) => values.iter().map(Value::as_f64).collect(),
        value => vec![value.and_then(Value::as_f64)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(verdict: &str, threaded: f64) -> Value {
        json!({
            "variants": [{ "name": "one", "wall_s": 10.0 }, { "name": "ten", "wall_s": threaded }],
            "claims": [{
                "text": "t", "verdict": verdict, "reason": "r",
                "checks": [{ "left": "[ten].wall_s", "relation": "<", "right": "0.5 * [one].wall_s" }],
            }],
        })
    }

    #[test]
    fn a_claim_that_its_figures_carry_is_no_contradiction() {
        assert_eq!(
            contradictions(&document("shown", 1.0)),
            Vec::<String>::new()
        );
        assert_eq!(
            contradictions(&document("not_shown", 6.0)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_claim_that_its_figures_do_not_carry_is_found() {
        assert_eq!(contradictions(&document("shown", 6.0)).len(), 1);
        assert_eq!(contradictions(&document("not_shown", 1.0)).len(), 1);
        assert_eq!(contradictions(&document("inconclusive", 1.0)).len(), 1);
    }

    #[test]
    fn times_of_a_disturbed_variant_decide_nothing() {
        let mut disturbed = document("shown", 1.0);
        disturbed["variants"][0]["disturbed"] = json!("it was stopped");
        assert_eq!(contradictions(&disturbed).len(), 1);
        disturbed["claims"][0]["verdict"] = json!("inconclusive");
        assert_eq!(contradictions(&disturbed), [""; 0]);
    }
}
