//! The reader's own Python as two variants beside the others; without one, the step goes on.

use super::{GilArgs, OTHER_SPEED, say_elapsed};
use common::{
    Bound, Experiment, Tally,
    cli::Usage,
    experiment::claim::{Claim, of},
    report::format,
};
use lab_03_gil_threads::python::{Python, PythonError, PythonRun, Way};
use std::{io, path::Path, time::Duration};

const SEQUENTIAL: &str = "python sequential";
const THREADS: &str = "python threads";

/// An interpreter that says nothing for longer is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Python at work, or none.
pub(crate) struct Beside {
    python: Option<Python>,
    /// Whether the user named it: then its failure is the run's.
    named: bool,
    steps: u64,
    /// How its claims call it, and whether it has a GIL: known even after it is gone.
    title: String,
    gil: Option<bool>,
}

impl Beside {
    /// Finds the Python to compare with and how much work is enough for it.
    pub(crate) fn open(args: &GilArgs, lab: &mut Experiment) -> anyhow::Result<Self> {
        let mut beside = Self {
            python: None,
            named: args.python.is_some(),
            steps: 0,
            title: String::new(),
            gil: None,
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
            Err(error @ PythonError::Silent { .. }) if beside.named => return Err(error.into()),
            Err(error) if beside.named => {
                let way_out = "name a Python 3, or leave it out with --no-python";
                return Err(Usage(format!("--python: {error}; {way_out}")).into());
            }
            Err(error) => lab.say(format!("{error}; left out, --python PATH names another")),
        }
        Ok(beside)
    }

    fn settle(&mut self, lab: &mut Experiment, mut python: Python, work: u64) {
        let scale = match python.scale_for(work) {
            Ok(scale) => scale,
            Err(error) => return self.give_up(lab, &error.into()),
        };
        let about = python.about();
        self.steps = ((work as f64 * scale) as u64).max(1);
        self.title = format!("{} {}", about.implementation, about.version);
        self.gil = about.gil;
        lab.say(format!(
            "python: {}, {} ({}), a job counts down {} × {} steps",
            self.title,
            about.gil_words(),
            about.executable.display(),
            format::count(work),
            format::plain(scale)
        ));
        lab.param(
            "python_is",
            format!("{}, {}", self.title, about.gil_words()),
        );
        lab.param("python_scale", scale);
        self.python = Some(python);
    }

    /// Adds a run of both variants.
    pub(crate) fn run(&mut self, lab: &mut Experiment) {
        for (name, way) in [(SEQUENTIAL, Way::Sequential), (THREADS, Way::Threads)] {
            let Some(python) = &mut self.python else {
                return;
            };
            let workers = match way {
                Way::Threads if self.gil == Some(false) => 2,
                _ => 1,
            };
            let variant = lab.variant(name).other_work();
            let variant = variant.bound(Bound::Work { workers });
            let is_right = |run: &PythonRun| Tally::of_checked(&run.left, |&left| left == 0);
            let run = variant.run_counted(|| Ok(python.run(way, self.steps)?), is_right);
            if let Err(error) = run {
                self.give_up(lab, &error);
            }
        }
    }

    /// Goes on without it; what it has done stays.
    fn give_up(&mut self, lab: &mut Experiment, error: &anyhow::Error) {
        self.python = None;
        if self.named {
            lab.fail(error.to_string());
        } else {
            lab.say(format!("{error}; left out from here on"));
        }
    }

    /// Claims what is to be seen with a GIL or without, as the interpreter says it has one.
    pub(crate) fn conclude(&self, lab: &mut Experiment) {
        if lab.wall(THREADS).is_none() {
            return;
        }
        say_elapsed(lab, SEQUENTIAL);
        say_elapsed(lab, THREADS);
        let title = &self.title;
        match self.gil {
            Some(true) => {
                lab.claim(
                    Claim::that(format!(
                        "with its GIL, {title} kept one CPU busy on two threads, a tenth more at most"
                    ))
                    .check(
                        of(THREADS, "results.cpu_s")
                            .at_most(of(THREADS, "results.jobs_s").times(1.1)),
                    ),
                );
                lab.claim(
                    Claim::that(format!(
                        "{title} gained little from two threads: at least three quarters of one's time"
                    ))
                    .check(of(THREADS, "walls_s").at_least(of(SEQUENTIAL, "walls_s").times(0.75)))
                    .otherwise(OTHER_SPEED),
                );
            }
            Some(false) => lab.claim(
                Claim::that(format!(
                    "without a GIL, {title} took less than three quarters of one thread's time on two"
                ))
                .check(of(THREADS, "walls_s").below(of(SEQUENTIAL, "walls_s").times(0.75)))
                .needs_cpus(),
            ),
            None => {}
        }
    }
}
