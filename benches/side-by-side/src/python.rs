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
        asked.collect()
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

    /// The name of a row of its: `py3.13t pool` without a GIL.
    pub fn name(&self, what: &str) -> String {
        let mut parts = self.version.split('.');
        let (major, minor) = (parts.next().unwrap_or("3"), parts.next().unwrap_or("?"));
        let letter = if self.has_gil { "" } else { "t" };
        format!("py{major}.{minor}{letter} {what}")
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
