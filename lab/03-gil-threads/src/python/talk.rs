//! Starting a program and talking with it, a line at a time, without waiting for ever.

use common::timing::Housekeeper;
use serde::de::DeserializeOwned;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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
    #[error("cannot start `{}`: {source}", path.display())]
    Start {
        /// What was to be started.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It ran, but not as Python does.
    #[error("`{}` is not a Python: it did not run our script", path.display())]
    NotPython {
        /// What was started.
        path: PathBuf,
    },
    /// It is an older Python.
    #[error("`{}` is Python {version}, not Python 3", path.display())]
    NotPython3 {
        /// What was started.
        path: PathBuf,
        /// What it is.
        version: String,
    },
    /// It said nothing for too long and was killed.
    #[error("python did not answer: `{}` was silent for {} s", path.display(), limit.as_secs_f64())]
    Silent {
        /// What was started.
        path: PathBuf,
        /// For how long.
        limit: Duration,
    },
    /// It ended, or stopped making sense, after it had begun well.
    #[error("python did not answer: `{}` ended in the middle", path.display())]
    Ended {
        /// What was started.
        path: PathBuf,
    },
}

/// A Python that runs a script; killed and reaped when dropped.
#[derive(Debug)]
pub(super) struct Talk {
    path: PathBuf,
    process: Child,
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
            Ok(process) => process,
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
            Ok(line) => serde_json::from_str(&line).map_err(|_| self.ended()),
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
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
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
