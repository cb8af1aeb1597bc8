//! The reader's own Python: one interpreter, started once, asked for each run.

use crate::flags::Args;
use anyhow::{Context, anyhow, bail, ensure};
use common::{
    Bound, Lab, Tally,
    claim::{Claim, busy, middle_wall},
    cli::Usage,
    format,
};
use measure::timing::{Usage as Used, adopt_child_usage, forget_child_usage};
use process_pool::child::Guest;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    iter,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};
use timeline::{Moment, Span, Timeline};

const SEQUENTIAL: &str = "python sequential";
const THREADS: &str = "python threads";

/// Our own script, given to the interpreter as an argument.
const SCRIPT: &str = include_str!("jobs.py");

/// How long the two jobs, one after another, are to take at most.
const ENOUGH_S: f64 = 0.6;

/// How long an answer may take, and the last line of an interpreter that has ended.
const PATIENCE: Duration = Duration::from_secs(30);
const LAST_WORDS: Duration = Duration::from_secs(1);

/// No honest line is longer.
const LINE_BYTES: u64 = 64 * 1024;

/// Steps that show how fast this Python is.
const SAMPLE: u64 = 20_000;

/// What an interpreter says about itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    version: String,
    implementation: String,
    /// Whether its threads share a GIL; `None` where that is not known.
    gil: Option<bool>,
}

/// Two jobs as Python itself measured them.
#[derive(Deserialize)]
struct Answer {
    /// CPU time of the whole interpreter meanwhile.
    cpu_s: f64,
    /// CPU time since the interpreter began, in its own code and in the kernel.
    used_s: [f64; 2],
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    start_s: f64,
    end_s: f64,
    total: u64,
}

/// A Python that waits for work; killed and reaped when dropped, and killed on Ctrl-C.
pub(crate) struct Python {
    process: Guest,
    answers: Receiver<String>,
    errors: Receiver<String>,
    path: String,
    about: About,
    steps: u64,
    /// What both jobs come to.
    expected: Option<Vec<u64>>,
}

impl Python {
    /// Starts the Python that the flags name, or else the PATH's `python3`, if there is one.
    pub(crate) fn open(args: &Args, lab: &mut Lab) -> anyhow::Result<Option<Self>> {
        if args.no_python {
            return Ok(None);
        }
        let path = args.python.as_deref().unwrap_or(Path::new("python3"));
        let python = match Self::start(path, args.work.get() as u64) {
            Ok(started) => started,
            Err(error) if args.python.is_some() => {
                let way_out = "name a Python 3, or leave it out with --no-python";
                return Err(Usage(format!("--python: {error:#}; {way_out}")).into());
            }
            Err(error) => {
                lab.say(format!(
                    "python: {error:#}; left out, --python PATH names another"
                ));
                return Ok(None);
            }
        };
        let (title, steps) = (python.title(), format::count(python.steps));
        lab.say(format!("{title}: a job is {steps} products"));
        lab.param("python_is", title);
        lab.param("python_products", python.steps);
        Ok(Some(python))
    }

    /// Starts an interpreter; its jobs are `work`, or as much as both do in about `ENOUGH_S`.
    fn start(path: &Path, work: u64) -> anyhow::Result<Self> {
        let path = in_one_line(&path.to_string_lossy());
        // -I and -S keep out what the reader's variables, folder and site packages would change;
        // whether there is a GIL is the reader's choice all the same.
        let mut command = Command::new(&path);
        command.args(["-I", "-S", "-X", "utf8"]);
        if let Some(gil) = env::var_os("PYTHON_GIL") {
            let mut choice = OsString::from("gil=");
            choice.push(gil);
            command.arg("-X").arg(choice);
        }
        command.args(["-c", SCRIPT]).stdin(Stdio::piped());
        let spawned = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = Guest::new(spawned.with_context(|| format!("cannot start `{path}`"))?);
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        let (answered, answers) = mpsc::sync_channel(0);
        thread::spawn(move || {
            stdout
                .map(lines)?
                .try_for_each(|line| answered.send(line).ok())
        });
        let (ended, errors) = mpsc::channel();
        thread::spawn(move || {
            let said = lines(stderr?).filter(|line| !line.is_empty()).last()?;
            ended.send(said).ok()
        });
        let mut python = Self {
            answers,
            errors,
            process,
            path,
            about: About::default(),
            steps: 0,
            expected: None,
        };
        let about = python.answer();
        let path = &python.path;
        python.about =
            about.with_context(|| format!("`{path}` is not a Python that runs our script"))?;
        let version = &python.about.version;
        ensure!(
            version.starts_with("3."),
            "`{path}` is Python {version}, not Python 3"
        );
        let sample = python.ask("sequential", SAMPLE.min(work))?;
        let took_s = sample
            .jobs
            .iter()
            .fold(0.0_f64, |last, job| last.max(job.end_s));
        let enough = (SAMPLE as f64 * ENOUGH_S / took_s) as u64;
        python.steps = enough.clamp(1, work);
        Ok(python)
    }

    /// What it is, with its version and whether it has a GIL.
    fn title(&self) -> String {
        let gil = match self.about.gil {
            Some(true) => "GIL on",
            Some(false) => "GIL off",
            None => "GIL unknown",
        };
        let About {
            version,
            implementation,
            ..
        } = &self.about;
        in_one_line(&format!("{implementation} {version}, {gil}"))
    }

    fn ask(&mut self, way: &str, steps: u64) -> anyhow::Result<Answer> {
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        // If it has ended, the missing answer says so.
        let _ = writeln!(stdin, "{way} {steps}").and_then(|()| stdin.flush());
        self.answer()
    }

    fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let path = &self.path;
        match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line)
                .map_err(|_| anyhow!("python did not answer sensibly: `{path}`")),
            Err(RecvTimeoutError::Timeout) => {
                bail!(
                    "python did not answer within {} s: `{path}`",
                    PATIENCE.as_secs()
                )
            }
            Err(RecvTimeoutError::Disconnected) => {
                let last = self.errors.recv_timeout(LAST_WORDS);
                let last = last.map_or_else(|_| "it has ended".into(), |line| in_one_line(&line));
                bail!("python did not answer: `{path}`: {last}")
            }
        }
    }

    /// Adds a run of both variants.
    pub(crate) fn run(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        for (name, way) in [(SEQUENTIAL, "sequential"), (THREADS, "threads")] {
            let workers = 1 + usize::from(name == THREADS && self.about.gil != Some(true));
            let bound = Bound::Work { workers };
            let expected = self.expected.clone();
            let is_right = |total: &u64| expected.as_ref().is_none_or(|all| all.contains(total));
            let variant = lab.variant(name).other_work().bound(bound);
            let totals = variant.run_counted(
                || self.do_jobs(way),
                |totals| Tally::of_checked(totals, is_right),
            )?;
            let is_right = totals == *self.expected.get_or_insert(totals.clone());
            ensure!(is_right, "{} computed other sums on threads", self.title());
        }
        Ok(())
    }

    /// Has it do both jobs; returns what they came to.
    fn do_jobs(&mut self, way: &str) -> anyhow::Result<Vec<u64>> {
        let asked = Moment::now();
        let answer = self.ask(way, self.steps)?;
        self.record(asked, &answer, way == "threads");
        let mut totals: Vec<u64> = answer.jobs.iter().map(|job| job.total).collect();
        totals.sort_unstable();
        Ok(totals)
    }

    /// Puts the jobs on the timeline, and the CPU time into the ledger.
    fn record(&self, asked: Moment, answer: &Answer, is_threaded: bool) {
        let pid = self.process.id();
        let used = Used {
            cpu_user: seconds(answer.used_s[0]),
            cpu_system: seconds(answer.used_s[1]),
            ..Used::default()
        };
        adopt_child_usage(pid, used);
        let share = seconds(answer.cpu_s / answer.jobs.len().max(1) as f64);
        let shares_gil = is_threaded && self.about.gil == Some(true);
        for job in &answer.jobs {
            let (start, end) = (seconds(job.start_s), seconds(job.end_s));
            let busy = share.min(end.saturating_sub(start));
            let mut span = Span::watched("job", asked.plus(start), asked.plus(end), busy);
            span.wait = shares_gil.then(|| "lock".into());
            if let Some(timeline) = Timeline::current() {
                timeline.record_process(pid, "python", span);
            }
        }
    }

    /// Claims what its threads did, beside whether it says that it has a GIL.
    pub(crate) fn claim(self, lab: &mut Lab) {
        if lab.wall(THREADS).is_none() {
            return;
        }
        let verdict = lab.compare("python_verdict", &self.title(), [SEQUENTIAL, THREADS]);
        lab.claim(verdict.headline());
        if self.about.gil == Some(true) {
            let text = "with its GIL, Python kept no more than one CPU busy on two threads, a tenth over at most";
            lab.claim(
                Claim::that("python_on_one_cpu", text)
                    .check(busy(THREADS).at_most(middle_wall(THREADS) * 1.1)),
            );
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        forget_child_usage(self.process.id());
    }
}

/// The lines of a foreign program, which may print without end: each is cut, and one is kept at most.
fn lines(from: impl Read) -> impl Iterator<Item = String> {
    let mut from = BufReader::new(from);
    iter::from_fn(move || {
        let mut line = Vec::new();
        let read = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
        read.is_ok_and(|read| read > 0)
            .then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
    })
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
