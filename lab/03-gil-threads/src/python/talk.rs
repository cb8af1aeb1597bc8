//! Starting a program and talking with it, a line at a time, without waiting for ever.

use measure::timing::Housekeeper;
use process_pool::child::Guest;
use serde::de::DeserializeOwned;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// A program that says more than this is no Python that runs our script.
const MOST_OUTPUT_BYTES: u64 = 16 << 20;

/// What became of an interpreter.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// There is no such program, or the system refuses to run it.
    #[error("cannot start `{}`: {source}", shown(path))]
    Start {
        /// What was to be started.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It ran, but not as Python does.
    #[error("`{}` is not a Python: it did not run our script", shown(path))]
    NotPython {
        /// What was started.
        path: PathBuf,
    },
    /// It is an older Python.
    #[error("`{}` is Python {}, not Python 3", shown(path), in_one_line(version))]
    NotPython3 {
        /// What was started.
        path: PathBuf,
        /// What it is.
        version: String,
    },
    /// It said nothing for too long and was killed.
    #[error("python did not answer: `{}` was silent for {} s", shown(path), limit.as_secs_f64())]
    Silent {
        /// What was started.
        path: PathBuf,
        /// For how long.
        limit: Duration,
    },
    /// It ended after it had begun well.
    #[error("python did not answer: `{}` ended in the middle", shown(path))]
    Ended {
        /// What was started.
        path: PathBuf,
    },
    /// What it said cannot come from our script.
    #[error(
        "python did not answer sensibly: `{}` told figures that cannot be",
        shown(path)
    )]
    Absurd {
        /// What was started.
        path: PathBuf,
    },
}

fn shown(path: &Path) -> String {
    in_one_line(&path.to_string_lossy())
}

/// A text from elsewhere with its control characters written out: `\n` for a new line.
pub fn in_one_line(text: &str) -> String {
    let written = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.into(),
    };
    text.chars().map(written).collect()
}

/// A Python that runs a script; killed and reaped when dropped, and killed on Ctrl-C.
#[derive(Debug)]
pub(super) struct Talk {
    path: PathBuf,
    process: Guest,
    lines: Receiver<String>,
    patience: Duration,
}

impl Talk {
    pub(super) fn start(
        path: &Path,
        script: &str,
        patience: Duration,
    ) -> Result<Self, PythonError> {
        // -S leaves out what site packages run at start-up; the script needs the library only.
        let spawned = Command::new(path)
            .args(["-S", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let path = path.to_owned();
        let mut process = match spawned {
            Ok(process) => Guest::new(process),
            Err(source) => return Err(PythonError::Start { path, source }),
        };
        let lines = lines_of(process.stdout.take().expect("it is piped"));
        Ok(Self {
            path,
            process,
            lines,
            patience,
        })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn tell(&mut self, line: &str) -> Result<(), PythonError> {
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        let told = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
        told.map_err(|_| self.ended())
    }

    pub(super) fn answer<T: DeserializeOwned>(&self) -> Result<T, PythonError> {
        match self.lines.recv_timeout(self.patience) {
            Ok(line) => serde_json::from_str(&line).map_err(|_| self.absurd()),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
            Err(RecvTimeoutError::Timeout) => Err(PythonError::Silent {
                path: self.path(),
                limit: self.patience,
            }),
        }
    }

    fn ended(&self) -> PythonError {
        PythonError::Ended { path: self.path() }
    }

    pub(super) fn absurd(&self) -> PythonError {
        PythonError::Absurd { path: self.path() }
    }
}

/// Reads lines on a thread of the lab's own, so that waiting for one can have an end.
fn lines_of(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    let housekeeper = Housekeeper::enrol();
    thread::spawn(move || {
        for line in BufReader::new(stdout.take(MOST_OUTPUT_BYTES)).lines() {
            housekeeper.charge();
            // Bytes that are no text are no answer; nobody listens once the interpreter is dropped.
            let Ok(line) = line else { return };
            if tx.send(line).is_err() {
                return;
            }
        }
    });
    rx
}
