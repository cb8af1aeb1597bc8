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
    io::{BufRead, BufReader, Read, Write},
    iter, mem,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel},
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
struct About {
    /// Its name and version, and whether it has a GIL.
    title: String,
    is_old: bool,
    /// Whether its threads share a GIL; `None` where that is not known.
    gil: Option<bool>,
}

/// Two jobs as Python itself measured them.
#[derive(Deserialize)]
struct Answer {
    /// CPU time since the interpreter began, in its own code and in the kernel.
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
    answers: Receiver<String>,
    errors: Receiver<String>,
    path: String,
    about: About,
    steps: u64,
}

impl Python {
    /// Starts the Python that the flags name, or else the PATH's `python3`, if there is one.
    pub(crate) fn open(args: &Args, lab: &mut Lab) -> anyhow::Result<Option<Self>> {
        if args.no_python {
            return Ok(None);
        }
        let path = args.python.as_deref().unwrap_or(Path::new("python3"));
        match Self::start(path, args.work.get() as u64) {
            Ok(python) => {
                let (title, steps) = (&python.about.title, format::count(python.steps));
                lab.say(format!("{title}: a job is {steps} products"));
                lab.param("python_is", title);
                lab.param("python_products", python.steps);
                Ok(Some(python))
            }
            Err(error) if args.python.is_some() => {
                let way_out = "name a Python 3, or leave it out with --no-python";
                Err(Usage(format!("--python: {error:#}; {way_out}")).into())
            }
            Err(error) => {
                lab.say(format!(
                    "python: {error:#}; left out, --python PATH names another"
                ));
                Ok(None)
            }
        }
    }

    /// Starts an interpreter; its jobs are `work`, or as much as both do in about `ENOUGH_S`.
    fn start(program: &Path, work: u64) -> anyhow::Result<Self> {
        let path = program.to_string_lossy().escape_debug().to_string();
        // -I and -S keep out what the reader's variables, folder and site packages would change;
        // whether there is a GIL is the reader's choice all the same.
        let mut command = Command::new(program);
        command.args(["-I", "-S", "-X", "utf8"]);
        if let Some(mut choice) = env::var_os("PYTHON_GIL") {
            let gil = mem::replace(&mut choice, "gil=".into());
            choice.push(gil);
            command.arg("-X").arg(choice);
        }
        command.args(["-c", SCRIPT]).stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = Guest::spawn(command);
        let mut process = spawned.with_context(|| format!("cannot start `{path}`"))?;
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        let (answered, answers) = sync_channel(0);
        thread::spawn(move || lines(stdout?).try_for_each(|line| answered.send(line).ok()));
        let (ended, errors) = channel();
        thread::spawn(move || {
            let said = lines(stderr?).filter(|line| !line.is_empty()).last()?;
            ended.send(said).ok()
        });
        let mut python = Self {
            process,
            answers,
            errors,
            path,
            about: About::default(),
            steps: 0,
        };
        let about = python.answer();
        let path = &python.path;
        python.about =
            about.with_context(|| format!("`{path}` is not a Python that runs our script"))?;
        let title = &python.about.title;
        ensure!(!python.about.is_old, "`{path}` is {title}, not Python 3");
        let sample = python.ask("sequential", SAMPLE.min(work))?;
        let ends = sample.jobs.iter().map(|job| job.end_s);
        let enough = (SAMPLE as f64 * ENOUGH_S / ends.fold(0.0, f64::max)) as u64;
        python.steps = enough.clamp(1, work);
        Ok(python)
    }

    fn ask(&mut self, way: &str, steps: u64) -> anyhow::Result<Answer> {
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        // If it has ended, the missing answer says so.
        let _ = stdin.write_all(format!("{way} {steps}\n").as_bytes());
        self.answer()
    }

    /// What it says in its next line.
    fn answer<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let path = &self.path;
        match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line)
                .map_err(|_| anyhow!("python did not answer sensibly: `{path}`")),
            Err(RecvTimeoutError::Timeout) => bail!("python did not answer in time: `{path}`"),
            Err(RecvTimeoutError::Disconnected) => {
                let last = self.errors.recv_timeout(LAST_WORDS);
                let last = last.unwrap_or_else(|_| "it has ended".into());
                bail!("python did not answer: `{path}`: {}", last.escape_debug())
            }
        }
    }

    /// Adds a run of both variants.
    pub(crate) fn run(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        let alone = self.measure(lab, SEQUENTIAL, None)?;
        let on_threads = self.measure(lab, THREADS, alone.as_ref())?;
        let title = &self.about.title;
        ensure!(
            alone.is_none() || on_threads.is_none() || on_threads == alone,
            "{title} computed other sums on threads"
        );
        Ok(())
    }

    fn measure(
        &mut self,
        lab: &mut Lab,
        name: &str,
        expected: Option<&Vec<u64>>,
    ) -> anyhow::Result<Option<Vec<u64>>> {
        let shares_gil = name == THREADS && self.about.gil == Some(true);
        let workers = 1 + usize::from(name == THREADS && !shares_gil);
        let is_right = |total: &u64| expected.is_none_or(|all| all.contains(total));
        let variant = lab.variant(name).other_work();
        variant.bound(Bound::Work { workers }).run_counted(
            || self.do_jobs(name, shares_gil),
            |totals| Tally::of_checked(totals, is_right),
        )
    }

    /// Has it do both jobs, puts them on the timeline and their CPU time into the ledger; returns the sums.
    fn do_jobs(&mut self, name: &str, shares_gil: bool) -> anyhow::Result<Vec<u64>> {
        let (asked, pid) = (Moment::now(), self.process.id());
        let way = name.trim_start_matches("python ");
        let answer = self.ask(way, self.steps)?;
        let [cpu_user, cpu_system] = answer.used_s.map(seconds);
        let used = Used {
            cpu_user,
            cpu_system,
            ..Used::default()
        };
        adopt_child_usage(pid, used);
        for job in &answer.jobs {
            let (start, end) = (
                asked.plus(seconds(job.start_s)),
                asked.plus(seconds(job.end_s)),
            );
            let mut span = Span::watched("job", start, end, seconds(job.busy_s).min(end - start));
            span.wait = shares_gil.then(|| "lock".into());
            Timeline::current().inspect(|timeline| timeline.record_process(pid, "python", span));
        }
        let mut totals: Vec<u64> = answer.jobs.iter().map(|job| job.total).collect();
        totals.sort_unstable();
        Ok(totals)
    }

    /// Claims what its threads did, beside whether it says that it has a GIL.
    pub(crate) fn claim(self, lab: &mut Lab) {
        let verdict = lab.compare("python_verdict", &self.about.title, [SEQUENTIAL, THREADS]);
        lab.claim(verdict.headline());
        if self.about.gil == Some(true) {
            let text = "with its GIL, Python kept no more than one CPU busy on two threads, a tenth over at most";
            let one = busy(THREADS).at_most(middle_wall(THREADS) * 1.1);
            lab.claim(Claim::that("python_on_one_cpu", text).check(one));
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
