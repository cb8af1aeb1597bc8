//! The same two jobs in the reader's own Python: one interpreter, started once, asked for each run.

mod answer;
mod talk;

pub use talk::{PythonError, in_one_line};

use answer::Answer;
use measure::timing::{Usage, adopt_child_usage, forget_child_usage};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use talk::Talk;
use timeline::{Moment, Span, Timeline};

/// Our own script, given to the interpreter as an argument.
const SCRIPT: &str = include_str!("jobs.py");

/// How long the two jobs, one after another, are to take at most.
const ENOUGH: Duration = Duration::from_secs(1);

/// Steps that tell how fast this Python counts.
const SAMPLE: u64 = 200_000;

/// What an interpreter says about itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct About {
    /// Such as `3.13.0`.
    pub version: String,
    /// Such as `cpython`.
    pub implementation: String,
    /// Where it really is.
    pub executable: PathBuf,
    /// Whether its threads share a GIL; `None` where nobody tells.
    pub gil: Option<bool>,
    /// Whether this is a version that can be asked.
    pub gil_switch: bool,
}

impl About {
    /// The state of the GIL in words.
    pub fn gil_words(&self) -> &'static str {
        match (self.gil, self.gil_switch) {
            (Some(true), true) => "GIL on",
            (Some(true), false) => "GIL (no switch)",
            (Some(false), _) => "GIL off",
            (None, _) => "GIL unknown",
        }
    }
}

/// How the two jobs are to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One after another.
    Sequential,
    /// On two threads.
    Threads,
}

/// Two jobs as Python itself measured them.
#[derive(Clone, Debug, Serialize)]
pub struct PythonRun {
    /// From before the first began to after the last ended.
    pub jobs_s: f64,
    /// CPU time of the whole interpreter in that time.
    pub cpu_s: f64,
    /// What each job had left to count when it ended: nothing, if it is right.
    pub left: Vec<u64>,
}

/// A Python that waits for work; killed and reaped when dropped.
#[derive(Debug)]
pub struct Python {
    talk: Talk,
    about: About,
}

impl Python {
    /// Starts the interpreter at `path`; a bare name is looked for on the `PATH`.
    ///
    /// An answer that takes longer than `patience` is not waited for, now and later.
    ///
    /// # Errors
    /// All but [`PythonError::Ended`] and [`PythonError::Absurd`].
    pub fn start(path: &Path, patience: Duration) -> Result<Self, PythonError> {
        let talk = Talk::start(path, SCRIPT, patience)?;
        let about: About = match talk.answer() {
            Err(PythonError::Ended { path } | PythonError::Absurd { path }) => {
                return Err(PythonError::NotPython { path });
            }
            about => about?,
        };
        if !about.version.starts_with("3.") {
            return Err(PythonError::NotPython3 {
                path: talk.path(),
                version: about.version,
            });
        }
        Ok(Self { talk, about })
    }

    /// What it says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The part of `work` for which two jobs take about a second; at most 1.
    ///
    /// # Errors
    /// It does not answer, or not sensibly.
    pub fn scale_for(&mut self, work: u64) -> Result<f64, PythonError> {
        let sample = SAMPLE.min(work);
        let took = self.run(Way::Sequential, sample)?.jobs_s;
        let whole = took / sample as f64 * work as f64;
        let part = ENOUGH.as_secs_f64() / whole.max(f64::MIN_POSITIVE);
        // Two digits are easier to read out, and as true: the machine's speed is not steadier.
        let unit = 10_f64.powf(part.log10().floor() - 1.0);
        Ok(((part / unit).floor() * unit).min(1.0))
    }

    /// Has it do two jobs of `work` steps, and puts them on the timeline of its process.
    ///
    /// # Errors
    /// It does not answer, or not sensibly.
    pub fn run(&mut self, way: Way, work: u64) -> Result<PythonRun, PythonError> {
        let name = match way {
            Way::Sequential => "sequential",
            Way::Threads => "threads",
        };
        let asked = Moment::now();
        self.talk.tell(&format!("{name} {work}"))?;
        let answer: Answer = self.talk.answer()?;
        // It began when it was told to, a moment before we began to wait.
        if !answer.can_be(2 * self.talk.patience()) {
            return Err(self.talk.absurd());
        }
        Ok(self.record(asked, way, &answer))
    }

    fn record(&self, asked: Moment, way: Way, answer: &Answer) -> PythonRun {
        let pid = self.talk.pid();
        let used = Usage {
            cpu_user: seconds(answer.used_s[0]),
            cpu_system: seconds(answer.used_s[1]),
            ..Usage::default()
        };
        adopt_child_usage(pid, used);
        let even_share = answer.cpu_s / answer.jobs.len().max(1) as f64;
        let shares_gil = way == Way::Threads && self.about.gil == Some(true);
        let timeline = Timeline::current();
        for job in &answer.jobs {
            let (start, end) = (seconds(job.start_s), seconds(job.end_s));
            let busy = seconds(job.busy_s.unwrap_or(even_share)).min(end - start);
            let span = Span {
                wait: shares_gil.then(|| "lock".into()),
                ..Span::watched("job", asked.plus(start), asked.plus(end), busy)
            };
            if let Some(timeline) = &timeline {
                timeline.record_process(pid, "python", span);
            }
        }
        PythonRun {
            jobs_s: answer.took_s,
            cpu_s: answer.cpu_s,
            left: answer.jobs.iter().map(|job| job.left).collect(),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        forget_child_usage(self.talk.pid());
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::{answer::Job, *};

    #[test]
    fn a_program_that_says_nothing_is_given_up() {
        let pretend = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pretend_python.sh");
        let patience = Duration::from_millis(50);
        let error = Python::start(Path::new(pretend), patience).expect_err("it is silent");
        assert!(matches!(error, PythonError::Silent { limit, .. } if limit == patience));
        let text = error.to_string();
        assert!(text.starts_with("python did not answer") && text.contains(pretend));
    }

    #[test]
    fn figures_that_cannot_be_are_refused() {
        let answer = |took_s, start_s, end_s, busy_s, used_s| Answer {
            took_s,
            cpu_s: 0.5,
            used_s: [used_s, 0.0],
            jobs: [0, 0]
                .map(|left| Job {
                    start_s,
                    end_s,
                    busy_s,
                    left,
                })
                .into(),
        };
        let can_be = |answer: Answer| answer.can_be(Duration::from_secs(20));
        assert!(can_be(answer(1.0, 0.0, 1.0, Some(1.0), 9.0)));
        assert!(can_be(answer(0.0, 0.0, 0.0, None, 0.0)));
        for absurd in [f64::NAN, f64::INFINITY, -1.0, 1e19] {
            assert!(!can_be(answer(absurd, 0.0, 0.0, None, 9.0)), "{absurd}");
            assert!(!can_be(answer(1.0, absurd, 1.0, None, 9.0)), "{absurd}");
            assert!(!can_be(answer(1.0, 0.0, absurd, None, 9.0)), "{absurd}");
            assert!(
                !can_be(answer(1.0, 0.0, 1.0, Some(absurd), 9.0)),
                "{absurd}"
            );
            assert!(!can_be(answer(1.0, 0.0, 1.0, None, absurd)), "{absurd}");
        }
        assert!(!can_be(answer(1.0, 0.9, 0.1, None, 9.0)), "ends first");
        assert!(!can_be(answer(1.0, 0.0, 1.0, Some(9.0), 9.0)), "too busy");
        let idle = Answer {
            jobs: Vec::new(),
            ..answer(1.0, 0.0, 1.0, None, 9.0)
        };
        assert!(!can_be(idle), "no jobs");
    }

    #[test]
    fn programs_that_are_no_python_are_told_from_those_that_are_none() {
        let start = |path: &str| {
            Python::start(Path::new(path), Duration::from_secs(60)).expect_err("it is no Python")
        };
        assert!(matches!(start("/nowhere"), PythonError::Start { .. }));
        assert!(matches!(start("/"), PythonError::Start { .. }));
        assert!(matches!(start("false"), PythonError::NotPython { .. }));
        assert!(matches!(start("echo"), PythonError::NotPython { .. }));
    }
}
