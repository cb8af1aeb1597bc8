//! The rows of Python's own pools: a Python for each, which is told how many tasks to run and
//! answers how long they took.

use crate::rounds::Row;
use anyhow::Context;
use common::{child::Guest, cli::Usage};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/pools.py");

/// How long one may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(3);

/// The Python to compare with, if there is one.
pub(crate) struct Python {
    path: Option<PathBuf>,
    /// What it says it is.
    pub(crate) version: String,
}

impl Python {
    /// Asks `named`, or the PATH's `python3`, who it is.
    ///
    /// # Errors
    /// The named one does not answer; without a name that only means that there is none.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = named.unwrap_or(Path::new("python3"));
        let asked = Command::new(path).arg("--version").output();
        match asked {
            Ok(output) if output.status.success() => Ok(Self {
                path: Some(path.to_owned()),
                version: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            }),
            _ if named.is_none() => Ok(Self {
                path: None,
                version: "no `python3` on the PATH: its rows are left out".into(),
            }),
            Ok(output) => {
                let problem = format!("`{}` ended with {}", path.display(), output.status);
                Err(Usage(format!("--python: {problem}")).into())
            }
            Err(error) => {
                let problem = format!("cannot start `{}`: {error}", path.display());
                Err(Usage(format!("--python: {problem}")).into())
            }
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.path.is_some()
    }

    /// A row of the script's, where there is a Python.
    pub(crate) fn row(&self, name: &str, args: &[&str]) -> anyhow::Result<Option<Row>> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let mut peer = Peer::start(path, args)?;
        Ok(Some(Row::peer(name, move |count| peer.run(count))))
    }
}

/// A Python with a pool.
struct Peer {
    process: Guest,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(path: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut process = Command::new(path)
            .arg(SCRIPT)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", path.display()))?;
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().context("it is piped")?);
        let process = Guest::new(process);
        Ok(Self {
            process,
            input,
            output,
        })
    }

    fn run(&mut self, count: u64) -> anyhow::Result<Duration> {
        let input = self.input.as_mut().context("it is open until the end")?;
        writeln!(input, "{count}").context("python is gone")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let seconds = line.trim().parse::<f64>().ok();
        let took = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        took.with_context(|| format!("python said `{}`", line.trim()))
    }
}

impl Drop for Peer {
    /// At the end of its input it ends its pool and itself; killed, it would leave its workers.
    fn drop(&mut self) {
        self.input = None;
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
