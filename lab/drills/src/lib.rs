//! Small broken programs to repair, each with a check that sees the concept and not the clock.
//!
//! A drill is a file of the reader's, `src/dNN_name.rs`, and a module here, `checks/dNN.rs`, with the
//! task, the hints, the check, a solution and mutants: wrong repairs that the check must refuse.

extern crate self as lab_drills;

mod bank;
mod checks;
mod heart;
mod lessons;
mod stage;
pub mod sync;
pub mod verdict;

/// The modules of a drill's candidates, each with its bug; each is checked by what it calls `$entry`.
macro_rules! candidates {
    ($entry:ident; $($module:ident $bug:literal),+ $(,)?) => {
        &[$((stringify!($module), $bug, || check($module::$entry))),+]
    };
    (<$entry:ident>; $($module:ident $bug:literal),+ $(,)?) => {
        &[$((stringify!($module), $bug, || check::<$module::$entry>())),+]
    };
}
pub(crate) use candidates;

pub use checks::*;
use lessons::LESSONS;
use std::path::PathBuf;
use verdict::Verdict;

/// A way to do what a drill asks for: its name, its bug in words (none for a solution), and its check.
pub type Candidate = (&'static str, &'static str, fn() -> Verdict);

/// A small program to repair.
#[derive(Debug)]
pub struct Drill {
    /// Its number, from 1.
    pub number: usize,
    /// Its name, as in its file's.
    pub name: &'static str,
    /// What to repair.
    pub task: &'static str,
    /// Each says more than the one before.
    pub hints: [&'static str; 3],
    /// The function or type to repair.
    pub entry: &'static str,
    /// The text of its module.
    pub source: &'static str,
    /// Solutions, the program as it is shipped, and other mutants.
    pub candidates: &'static [Candidate],
}

impl Drill {
    /// The name of its file and its binary.
    pub fn file(&self) -> String {
        format!("d{:02}_{}", self.number, self.name)
    }

    /// The step that shows what it is about; none where the table lacks it.
    pub fn lesson(&self) -> &'static str {
        LESSONS.get(self.number - 1).copied().unwrap_or_default()
    }

    /// Where the reader's file is.
    pub fn place(&self) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
        folder.join(self.file()).with_extension("rs")
    }

    /// The text of a candidate, as a file of its own.
    pub fn text(&self, candidate: &str) -> String {
        let start = format!("\nmod {candidate} {{\n");
        let body = self.source.split(&start).nth(1).unwrap_or_default();
        let body = body.split("\n}\n").next().unwrap_or_default();
        let lines = body
            .lines()
            .map(|line| line.strip_prefix("    ").unwrap_or(line));
        let lines = lines.map(|line| line.replace("pub(super) ", "") + "\n");
        lines.collect()
    }

    /// The reader's file as it is at first.
    pub fn shipped(&self) -> String {
        let task = common::report::wrap(self.task, 96, 0);
        let task = task.lines().map(|line| format!("//! {line}\n"));
        let (task, text) = (task.collect::<String>(), self.text("shipped"));
        let call = self.call();
        format!("{task}\n{text}\nfn main() -> std::process::ExitCode {{\n    {call}\n}}\n")
    }

    /// What `main` calls in the reader's file.
    pub fn call(&self) -> String {
        let (number, entry) = (self.number, self.entry);
        let check = match entry.starts_with(char::is_uppercase) {
            true => format!("check::<{entry}>()"),
            false => format!("check({entry})"),
        };
        format!("lab_drills::d{number:02}::{check}.report()")
    }
}
