//! The reader's own Pythons.

use crate::{program::Program, row::Row};
use common::cli::Usage;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Prints the version, and whether the interpreter lock is held.
const WHO: &str = "import sys
gil = getattr(sys, '_is_gil_enabled', lambda: True)()
print('%d.%d.%d' % sys.version_info[:3], sys.implementation.name, int(gil))";

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
        let mut all = asked.collect::<anyhow::Result<Vec<Self>>>()?;
        for place in 1..all.len() {
            let (earlier, later) = all.split_at_mut(place);
            let one = &mut later[0];
            let name = one.unnumbered();
            let namesakes = earlier.iter().filter(|other| other.unnumbered() == name);
            one.number += namesakes.count();
        }
        Ok(all)
    }

    fn ask(path: &Path) -> Result<Self, String> {
        let asked = Command::new(path)
            .args(["-c", WHO])
            .stdin(Stdio::null())
            .output();
        let output = asked.map_err(|e| format!("cannot start `{}`: {e}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [version, implementation, gil] if output.status.success() => Ok(Self {
                path: path.to_owned(),
                version: version.to_owned(),
                implementation: implementation.to_owned(),
                has_gil: gil == "1",
                number: 1,
            }),
            _ => Err(format!("`{}` is no Python 3", path.display())),
        }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    /// A script that says it is this Python.
    fn claiming(who: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("python");
        fs::write(&path, format!("#!/bin/sh\necho {who}\n")).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        (dir, path)
    }

    #[test]
    fn pythons_are_told_apart_by_version_by_gil_and_at_last_by_number() {
        let with_gil = claiming("3.13.1 cpython 1");
        let without = claiming("3.13.1 cpython 0");
        let paths = [&with_gil.1, &without.1, &with_gil.1].map(Clone::clone);
        let found = Python::find(&paths).expect("all answer");
        let names: Vec<String> = found.iter().map(|python| python.name("pool")).collect();
        assert_eq!(names, ["py3.13 pool", "py3.13t pool", "py3.13#2 pool"]);
        assert_eq!(found[1].describe(), "CPython 3.13.1, without a GIL");
    }

    #[test]
    fn what_is_no_python_is_wrong_usage() {
        let chatter = claiming("hello");
        for path in [chatter.1.clone(), "/no/such/python".into()] {
            let error = Python::find(&[path]).expect_err("no Python");
            assert!(error.is::<Usage>(), "{error:#}");
        }
    }
}
