//! The reader's own Pythons.

use crate::{
    program::{Program, in_lines},
    row::Row,
};
use common::cli::Usage;
use process_pool::child::Guest;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::RecvTimeoutError,
    time::Duration,
};

/// Prints the version, and whether the interpreter lock is held.
const WHO: &str = "import sys
gil = getattr(sys, '_is_gil_enabled', lambda: True)()
print('%d.%d.%d' % sys.version_info[:3], sys.implementation.name, int(gil))";

/// How long one may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Python to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    path: PathBuf,
    version: String,
    implementation: String,
    has_gil: bool,
    /// Tells it from another of the same version.
    number: usize,
}

impl Python {
    /// Asks each of `named`, or else the PATH's `python3`, who it is.
    ///
    /// # Errors
    /// A named one does not answer; without a name that only means that there is none.
    pub(crate) fn find(named: &[PathBuf]) -> anyhow::Result<Vec<Self>> {
        if named.is_empty() {
            return Ok(Self::ask(Path::new("python3")).into_iter().collect());
        }
        let asked = named.iter().map(|path| {
            let problem = |problem| Usage(format!("--python: {problem}")).into();
            Self::ask(path).map_err(problem)
        });
        Ok(numbered(asked.collect::<anyhow::Result<_>>()?))
    }

    fn ask(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let mut command = Command::new(path);
        let command = command.args(["-c", WHO]).stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        // Gone at the end of this, whatever it is doing.
        let mut process =
            Guest::spawn(command).map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        let output = process.child.stdout.take().expect("it is piped");
        match in_lines(output).recv_timeout(PATIENCE) {
            Ok(line) => Self::told(path, &line).ok_or_else(|| format!("`{shown}` is no Python 3")),
            Err(RecvTimeoutError::Disconnected) => Err(format!("`{shown}` is no Python 3")),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = PATIENCE.as_secs();
                Err(format!("`{shown}` did not say who it is in {seconds} s"))
            }
        }
    }

    /// What it says of itself.
    fn told(path: &Path, text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [version, implementation, gil] = words[..] else {
            return None;
        };
        Some(Self {
            path: path.to_owned(),
            version: version.to_owned(),
            implementation: implementation.to_owned(),
            has_gil: gil == "1",
            number: 1,
        })
    }

    /// Which one it is, as `CPython 3.13.1, without a GIL`.
    pub fn describe(&self) -> String {
        let implementation = match self.implementation.as_str() {
            "cpython" => "CPython",
            other => other,
        };
        let gil = if self.has_gil { "with" } else { "without" };
        format!("{implementation} {}, {gil} a GIL", self.version)
    }

    /// The name of a row of its: `py3.13t pool` without a GIL, `py3.13#2 pool` for a second one.
    pub fn name(&self, what: &str) -> String {
        let number = match self.number {
            1 => String::new(),
            number => format!("#{number}"),
        };
        format!("{}{number} {what}", self.unnumbered())
    }

    fn unnumbered(&self) -> String {
        let mut parts = self.version.split('.');
        let (major, minor) = (parts.next().unwrap_or("3"), parts.next().unwrap_or("?"));
        let letter = if self.has_gil { "" } else { "t" };
        format!("py{major}.{minor}{letter}")
    }

    /// What runs a script of `benches/peers` with these arguments.
    pub fn command(&self, script: &str, args: &[&str]) -> Command {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../peers")
            .join(script);
        let mut command = Command::new(&self.path);
        // Nothing is to be left in the folder of the sources.
        command.arg("-B").arg(path).args(args);
        command
    }

    /// A row of a script's, or the note that it is left out for a package that is missing.
    pub fn row(&self, what: &str, script: &str, args: &[&str]) -> Result<Row, String> {
        let name = self.name(what);
        match Program::start(&mut self.command(script, args)) {
            Ok(Ok(program)) => Ok(program.row(name)),
            Ok(Err(missing)) => Err(format!("left out: {name}; `{missing}` is not installed")),
            // What cannot be started is a row that fails.
            Err(error) => {
                let reason = format!("{error:#}");
                Ok(Row::peer(name, move |_| {
                    Err::<Duration, _>(anyhow::anyhow!(reason.clone()))
                }))
            }
        }
    }
}

/// Tells those of one version apart.
fn numbered(mut all: Vec<Python>) -> Vec<Python> {
    for place in 1..all.len() {
        let (earlier, later) = all.split_at_mut(place);
        let one = &mut later[0];
        let name = one.unnumbered();
        one.number += earlier
            .iter()
            .filter(|other| other.unnumbered() == name)
            .count();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_are_told_apart_by_version_by_gil_and_at_last_by_number() {
        let told = |text| Python::told(Path::new("python"), text).expect("it says who it is");
        let all = ["3.13.1 cpython 1", "3.13.1 cpython 0", "3.13.2 cpython 1"].map(told);
        let all = numbered(all.into());
        let names: Vec<String> = all.iter().map(|python| python.name("pool")).collect();
        assert_eq!(names, ["py3.13 pool", "py3.13t pool", "py3.13#2 pool"]);
        assert_eq!(all[1].describe(), "CPython 3.13.1, without a GIL");
        assert_eq!(Python::told(Path::new("python"), "hello"), None);
    }

    #[test]
    fn what_is_no_python_is_wrong_usage() {
        for path in ["cargo", "/no/such/python"] {
            let error = Python::find(&[path.into()]).expect_err("no Python");
            assert!(error.is::<Usage>(), "{error:#}");
        }
    }
}
