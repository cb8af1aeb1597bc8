//! The reader's own Python as two variants beside the others; without one, the step goes on.

use super::{
    GilArgs,
    claims::{OTHER_SPEED, helped, helped_little, on_one_cpu, overlapped},
    say_elapsed,
};
use common::{
    Bound, Lab, Tally,
    claim::{Claim, number, of, top},
    cli::Usage,
    format,
};
use lab_03_gil_threads::python::{Python, PythonError, PythonRun, Way, in_one_line};
use std::{io, path::Path, time::Duration};

const SEQUENTIAL: &str = "python sequential";
const THREADS: &str = "python threads";

/// An interpreter that says nothing for longer is given up.
const PATIENCE: Duration = Duration::from_secs(20);

const WAY_OUT: &str = "name a Python 3, or leave it out with --no-python";

/// A Python at work, or none.
pub(crate) struct Beside {
    python: Option<Python>,
    /// Whether the user named it: then its failure is the run's.
    named: bool,
    steps: u64,
    /// How its claims call it, and whether it has a GIL: known even after it is gone.
    title: String,
    gil: Option<bool>,
    /// Jobs that left steps uncounted.
    wrong: usize,
}

impl Beside {
    /// Finds the Python to compare with and how much work is enough for it.
    pub(crate) fn open(args: &GilArgs, lab: &mut Lab) -> anyhow::Result<Self> {
        let mut beside = Self {
            python: None,
            named: args.python.is_some(),
            steps: 0,
            title: String::new(),
            gil: None,
            wrong: 0,
        };
        if args.no_python {
            return Ok(beside);
        }
        let path = args.python.as_deref().unwrap_or(Path::new("python3"));
        match Python::start(path, PATIENCE) {
            Ok(python) => beside.settle(lab, python, args.work.get() as u64),
            Err(PythonError::Start { source, .. })
                if !beside.named && source.kind() == io::ErrorKind::NotFound =>
            {
                lab.say("python: no `python3` on the PATH; --python PATH names one");
            }
            Err(error) if beside.named && !matches!(error, PythonError::Silent { .. }) => {
                return Err(Usage(format!("--python: {error}; {WAY_OUT}")).into());
            }
            Err(error) => beside.give_up(lab, &error.into()),
        }
        Ok(beside)
    }

    fn settle(&mut self, lab: &mut Lab, mut python: Python, work: u64) {
        let scale = match python.scale_for(work) {
            Ok(scale) => scale,
            Err(error) => return self.give_up(lab, &error.into()),
        };
        let about = python.about();
        self.steps = ((work as f64 * scale) as u64).max(1);
        let title = format!("{} {}", about.implementation, about.version);
        self.title = in_one_line(&title);
        self.gil = about.gil;
        let state = about.gil_words();
        let whole_path = in_one_line(&about.executable.to_string_lossy());
        lab.say(format!("python: {}, {state}, {whole_path}", self.title));
        lab.say(format!(
            "python: a job counts down {} × {} steps",
            format::count(work),
            format::plain(scale)
        ));
        lab.param("python_is", format!("{}, {state}", self.title));
        lab.param("python_scale", scale);
        self.python = Some(python);
    }

    /// Adds a run of both variants.
    pub(crate) fn run(&mut self, lab: &mut Lab) {
        for (name, way) in [(SEQUENTIAL, Way::Sequential), (THREADS, Way::Threads)] {
            let Some(python) = &mut self.python else {
                return;
            };
            let workers = match way {
                Way::Threads if self.gil != Some(true) => 2,
                _ => 1,
            };
            let variant = lab.variant(name).other_work();
            let variant = variant.bound(Bound::Work { workers });
            let is_right = |run: &PythonRun| Tally::of_checked(&run.left, |&left| left == 0);
            let run = variant.run_counted(|| Ok(python.run(way, self.steps)?), is_right);
            match run {
                Ok(run) => self.expect_right(lab, &run),
                Err(error) => self.give_up(lab, &error),
            }
        }
    }

    /// A Python that does not count to the end is asked no more: its times are not those of the
    /// work.
    fn expect_right(&mut self, lab: &mut Lab, run: &PythonRun) {
        self.wrong = run.left.iter().filter(|&&left| left > 0).count();
        if self.wrong > 0 {
            self.python = None;
            lab.fail(format!(
                "{} counted wrong: jobs that left steps: {} of {}; {WAY_OUT}",
                self.title,
                self.wrong,
                run.left.len()
            ));
        }
    }

    /// Goes on without it; what it has done stays.
    fn give_up(&mut self, lab: &mut Lab, error: &anyhow::Error) {
        self.python = None;
        if self.named {
            lab.fail(format!("{error}; {WAY_OUT}"));
        } else {
            lab.say(format!("{error}; left out, --python PATH names another"));
        }
    }

    /// Claims what is to be seen with a GIL or without, as the interpreter says it has one.
    pub(crate) fn conclude(&self, lab: &mut Lab) {
        if lab.wall(THREADS).is_none() {
            return;
        }
        say_elapsed(lab, SEQUENTIAL);
        say_elapsed(lab, THREADS);
        lab.param("python_wrong_jobs", self.wrong);
        let title = &self.title;
        let claim = |text: String| {
            Claim::that(text).check(top("params.python_wrong_jobs").equals(number(0)))
        };
        let (cpu, jobs) = (of(THREADS, "results.cpu_s"), of(THREADS, "results.jobs_s"));
        if self.gil == Some(true) {
            let one_cpu = "kept no more than one CPU busy on two threads, a tenth over at most";
            lab.claim(
                claim(format!("with its GIL, {title} {one_cpu}")).check(on_one_cpu(cpu, jobs)),
            );
            let little = "gained little from two threads: at least three quarters of one's time";
            lab.claim(
                match self.wrong {
                    0 => claim(format!("{title} {little}")).otherwise(OTHER_SPEED),
                    _ => claim(format!("{title} {little}")),
                }
                .check(helped_little(THREADS, SEQUENTIAL)),
            );
        } else if self.gil == Some(false) {
            let much = "took less than three quarters of one thread's time on two";
            lab.claim(
                claim(format!("without a GIL, {title} {much}"))
                    .check(overlapped(cpu, jobs))
                    .check(helped(THREADS, SEQUENTIAL))
                    .needs_cpus(),
            );
        }
    }
}
