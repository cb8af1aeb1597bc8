//! The reader's own Python: one interpreter, started once, asked for each run.

use anyhow::{Context, anyhow};
use measure::{
    inherited::isolated_python,
    timing::{Usage, adopt_child_usage, forget_child_usage},
};
use process_pool::child::Guest;
use serde::Deserialize;
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{ChildStdout, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};
use timeline::{Moment, Span, Timeline};

/// Our own script, given to the interpreter as an argument.
const SCRIPT: &str = include_str!("jobs.py");

/// How long the two jobs, one after another, are to take at most.
const ENOUGH_S: f64 = 0.6;

/// How long an answer may take, and how long it and the words of an error may be.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_BYTES: u64 = 64 * 1024;

/// Steps that show how fast this Python is.
const SAMPLE: u64 = 20_000;

/// What an interpreter says about itself, and of two jobs as it measured them.
#[derive(Deserialize)]
struct Answer {
    /// Its name and version, and whether it has a GIL.
    title: String,
    /// Whether its threads share a GIL; `None` where that is not known.
    gil: Option<bool>,
    /// CPU time since it began, in its own code and in the kernel.
    used_s: [f64; 2],
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    start_s: f64,
    end_s: f64,
    busy_s: f64,
    total: u64,
}

/// A Python that waits for work; killed and reaped when dropped, and killed on Ctrl-C.
pub(crate) struct Python {
    process: Guest,
    answers: BufReader<ChildStdout>,
    path: String,
    /// Its name and version, and whether it has a GIL.
    pub(crate) title: String,
    pub(crate) has_gil: bool,
    /// Products that each of its two jobs adds up.
    pub(crate) steps: u64,
}

impl Python {
    /// Starts an interpreter; its jobs are `work`, or as much as both do in about `ENOUGH_S`.
    pub(crate) fn start(program: &Path, work: u64) -> anyhow::Result<Self> {
        let path = program.to_string_lossy().escape_debug().to_string();
        let mut command = isolated_python(program, SCRIPT);
        command.stdin(Stdio::piped());
        let process = Guest::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut process = process.with_context(|| format!("cannot start `{path}`"))?;
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut python = Self {
            process,
            answers,
            path,
            title: String::new(),
            has_gil: false,
            steps: SAMPLE.min(work),
        };
        let sample = python.ask("sequential")?;
        let took_s = sample.jobs.iter().map(|job| job.end_s).fold(0.0, f64::max);
        let enough = (SAMPLE as f64 * ENOUGH_S / took_s) as u64;
        python.steps = enough.clamp(1, work);
        (python.title, python.has_gil) = (sample.title, sample.gil == Some(true));
        Ok(python)
    }

    fn ask(&mut self, way: &str) -> anyhow::Result<Answer> {
        let (stdin, steps) = (self.process.stdin.as_mut(), self.steps);
        let order = format!("{way} {steps}\n");
        // If it has ended, the missing answer says so.
        let _ = stdin.expect("it is piped").write_all(order.as_bytes());
        let (answered, silence) = channel::<()>();
        let (process, answers) = (&mut self.process, &mut self.answers);
        let mut line = String::new();
        thread::scope(|scope| {
            scope.spawn(move || {
                if silence.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    process.kill();
                }
            });
            let _ = answers.take(MOST_BYTES).read_line(&mut line);
            drop(answered);
        });
        serde_json::from_str(&line).map_err(|_| {
            self.process.kill();
            let (path, mut words) = (&self.path, Vec::new());
            let errors = self.process.stderr.as_mut().expect("it is piped");
            let _ = errors.take(MOST_BYTES).read_to_end(&mut words);
            let words = String::from_utf8_lossy(&words);
            let said = Some(line.trim_end()).filter(|said| !said.is_empty());
            let said = said.unwrap_or("it ended, or was silent for 30 s");
            let last = words.trim_end().lines().last().unwrap_or(said);
            anyhow!("no answer from `{path}`: {}", last.escape_debug())
        })
    }

    /// Has it do both jobs, puts them on the timeline and their CPU time into the ledger; returns the sums.
    pub(crate) fn do_jobs(&mut self, way: &str) -> anyhow::Result<Vec<u64>> {
        let (asked, pid) = (Moment::now(), self.process.id());
        let answer = self.ask(way)?;
        let [cpu_user, cpu_system] = answer.used_s.map(Duration::from_secs_f64);
        let used = Usage {
            cpu_user,
            cpu_system,
            ..Usage::default()
        };
        adopt_child_usage(pid, used);
        let mut totals = Vec::new();
        for job in answer.jobs {
            let [start, end] =
                [job.start_s, job.end_s].map(|at| asked.plus(Duration::from_secs_f64(at)));
            let busy = Duration::from_secs_f64(job.busy_s).min(end - start);
            let mut span = Span::watched("job", start, end, busy);
            span.wait = (way == "threads" && self.has_gil).then(|| "lock".into());
            Timeline::current().inspect(|timeline| timeline.record_process(pid, "python", span));
            totals.push(job.total);
        }
        totals.sort_unstable();
        Ok(totals)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        forget_child_usage(self.process.id());
    }
}
