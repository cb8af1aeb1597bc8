//! The reader's own Python beside the others: one interpreter, started once, asked for each run.

use anyhow::{Context, anyhow, bail, ensure};
use measure::timing::{Housekeeper, Usage, adopt_child_usage, forget_child_usage};
use process_pool::child::Guest;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};
use timeline::{Moment, Span, Timeline};

/// Our own script, given to the interpreter as an argument.
const SCRIPT: &str = include_str!("jobs.py");

/// An interpreter that is silent for longer is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the two jobs, one after another, are to take at most.
const ENOUGH_S: f64 = 1.0;

/// Steps that show how fast this Python counts.
const SAMPLE: u64 = 200_000;

/// What an interpreter says about itself.
#[derive(Deserialize)]
pub(crate) struct About {
    version: String,
    #[serde(default)]
    implementation: String,
    /// Whether its threads share a GIL; `None` where that is not known.
    #[serde(default)]
    pub(crate) gil: Option<bool>,
}

/// Two jobs as Python itself measured them.
#[derive(Deserialize)]
pub(crate) struct Answer {
    /// From before the first began to after the last ended.
    pub(crate) took_s: f64,
    /// CPU time of the whole interpreter in that time.
    pub(crate) cpu_s: f64,
    /// CPU time since the interpreter began, in its own code and in the kernel.
    used_s: [f64; 2],
    pub(crate) jobs: Vec<Job>,
}

#[derive(Deserialize)]
pub(crate) struct Job {
    start_s: f64,
    end_s: f64,
    busy_s: Option<f64>,
    /// Steps left to count when it ended: none, if it is right.
    pub(crate) left: u64,
}

/// A Python that waits for work; killed and reaped when dropped, and killed on Ctrl-C.
pub(crate) struct Python {
    process: Guest,
    answers: Receiver<String>,
    path: String,
    pub(crate) about: About,
}

impl Python {
    /// Starts the interpreter at `path`; a bare name is looked for on the `PATH`.
    pub(crate) fn start(path: &Path) -> anyhow::Result<Self> {
        let path = in_one_line(&path.to_string_lossy());
        // -S leaves out what site packages run at start-up; the script needs the library only.
        let spawned = Command::new(&path)
            .args(["-S", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let spawned = spawned.with_context(|| format!("cannot start `{path}`"))?;
        let mut process = Guest::new(spawned);
        let answers = lines_of(process.stdout.take().expect("it is piped"));
        let about = answer(&answers, &path);
        let about: About =
            about.with_context(|| format!("`{path}` is not a Python that runs our script"))?;
        ensure!(
            about.version.starts_with("3."),
            "`{path}` is Python {}, not Python 3",
            in_one_line(&about.version)
        );
        Ok(Self {
            process,
            answers,
            path,
            about,
        })
    }

    /// What it is called, with its version.
    pub(crate) fn title(&self) -> String {
        in_one_line(&format!(
            "{} {}",
            self.about.implementation, self.about.version
        ))
    }

    /// The part of `work` for which two jobs take about a second; at most 1.
    pub(crate) fn scale_for(&mut self, work: u64) -> anyhow::Result<f64> {
        let sample = SAMPLE.min(work);
        let took_s = self.run("sequential", sample)?.took_s;
        let whole_s = took_s / sample as f64 * work as f64;
        let part = ENOUGH_S / whole_s.max(f64::MIN_POSITIVE);
        // Two digits are easier to read out, and as true: the machine's speed is not steadier.
        let unit = 10_f64.powf(part.log10().floor() - 1.0);
        Ok(((part / unit).floor() * unit).min(1.0))
    }

    /// Has it do two jobs of `work` steps in a `way` of the script, and records them.
    pub(crate) fn run(&mut self, way: &str, work: u64) -> anyhow::Result<Answer> {
        let asked = Moment::now();
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        // If it has ended, the missing answer says so.
        let _ = writeln!(stdin, "{way} {work}").and_then(|()| stdin.flush());
        let answer: Answer = answer(&self.answers, &self.path)?;
        let pid = self.process.id();
        let used = Usage {
            cpu_user: seconds(answer.used_s[0]),
            cpu_system: seconds(answer.used_s[1]),
            ..Usage::default()
        };
        adopt_child_usage(pid, used);
        let even_share = answer.cpu_s / answer.jobs.len().max(1) as f64;
        let shares_gil = way == "threads" && self.about.gil == Some(true);
        for job in &answer.jobs {
            let (start, end) = (seconds(job.start_s), seconds(job.end_s));
            let busy = seconds(job.busy_s.unwrap_or(even_share)).min(end.saturating_sub(start));
            let span = Span {
                wait: shares_gil.then(|| "lock".into()),
                ..Span::watched("job", asked.plus(start), asked.plus(end), busy)
            };
            if let Some(timeline) = Timeline::current() {
                timeline.record_process(pid, "python", span);
            }
        }
        Ok(answer)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        forget_child_usage(self.process.id());
    }
}

fn answer<T: DeserializeOwned>(answers: &Receiver<String>, path: &str) -> anyhow::Result<T> {
    match answers.recv_timeout(PATIENCE) {
        Ok(line) => serde_json::from_str(&line)
            .map_err(|_| anyhow!("python did not answer sensibly: `{path}`")),
        Err(RecvTimeoutError::Disconnected) => bail!("python did not answer: `{path}` has ended"),
        Err(RecvTimeoutError::Timeout) => {
            bail!("python did not answer: `{path}` was silent for {PATIENCE:?}")
        }
    }
}

/// Reads lines on a thread of the lab's own, so that waiting for one can have an end.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    let housekeeper = Housekeeper::enrol();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            housekeeper.charge();
            let Ok(line) = line else { return };
            if tx.send(line).is_err() {
                return;
            }
        }
    });
    rx
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// A text from elsewhere with its control characters written out: `\n` for a new line.
fn in_one_line(text: &str) -> String {
    let written = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.into(),
    };
    text.chars().map(written).collect()
}
