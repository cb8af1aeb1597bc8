//! The reader's own Python as two variants beside the others; without one, the step goes on.

use crate::{
    claims::helped,
    flags::GilArgs,
    python::{Answer, Python},
};
use common::{
    Bound, Lab, Tally,
    claim::{Claim, Figure, Seconds, none_failed, times, wall},
    cli::Usage,
    format,
};
use std::path::Path;

const SEQUENTIAL: &str = "python sequential";
const THREADS: &str = "python threads";

/// A Python at work, or none.
pub(crate) struct Beside {
    python: Option<Python>,
    /// Whether the user named it: then its failure is the run's.
    named: bool,
    steps: u64,
    /// How its claims call it, and whether it has a GIL: known even after it has ended.
    title: String,
    gil: Option<bool>,
    /// CPU time and wall time of the jobs on threads, by its own clocks.
    measured: Option<[Figure<Seconds>; 2]>,
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
            measured: None,
        };
        if args.no_python {
            return Ok(beside);
        }
        let path = args.python.as_deref().unwrap_or(Path::new("python3"));
        let work = args.work.get() as u64;
        let started = Python::start(path).and_then(|mut python| {
            let scale = python.scale_for(work)?;
            Ok((python, scale))
        });
        match started {
            Ok((python, scale)) => beside.settle(lab, python, work, scale),
            Err(error) if beside.named => {
                let way_out = "name a Python 3, or leave it out with --no-python";
                return Err(Usage(format!("--python: {error:#}; {way_out}")).into());
            }
            Err(error) => beside.give_up(lab, &error),
        }
        Ok(beside)
    }

    fn settle(&mut self, lab: &mut Lab, python: Python, work: u64, scale: f64) {
        self.steps = ((work as f64 * scale) as u64).max(1);
        self.title = python.title();
        self.gil = python.about.gil;
        let gil = match self.gil {
            Some(true) => "GIL on",
            Some(false) => "GIL off",
            None => "GIL unknown",
        };
        let is = format!("{}, {gil}", self.title);
        let (work, times) = (format::count(work), format::plain(scale));
        lab.say(format!(
            "python: {is}; a job counts down {work} × {times} steps"
        ));
        lab.param("python_is", is);
        lab.param("python_scale", scale);
        self.python = Some(python);
    }

    /// Adds a run of both variants.
    pub(crate) fn run(&mut self, lab: &mut Lab) {
        for (name, way) in [(SEQUENTIAL, "sequential"), (THREADS, "threads")] {
            let Some(python) = &mut self.python else {
                return;
            };
            let workers = 1 + usize::from(name == THREADS && self.gil != Some(true));
            let variant = lab.variant(name).other_work();
            let variant = variant.bound(Bound::Work { workers });
            let mut answer = None;
            let jobs = || {
                let answer = answer.insert(python.run(way, self.steps)?);
                Ok(answer.jobs.iter().map(|job| job.left).collect::<Vec<_>>())
            };
            let done = variant.run_counted(jobs, |left| Tally::of_checked(left, |left| *left == 0));
            match (done, answer) {
                (Ok(left), Some(answer)) => self.note(lab, name, &left, &answer),
                (Err(error), _) => self.give_up(lab, &error),
                (Ok(_), None) => {}
            }
        }
    }

    fn note(&mut self, lab: &mut Lab, name: &str, left: &[u64], answer: &Answer) {
        let wrong = left.iter().filter(|&&left| left > 0).count();
        if wrong > 0 {
            // Its times are not those of the work.
            self.python = None;
            let (title, all) = (&self.title, left.len());
            lab.fail(format!(
                "{title} counted wrong in {wrong} of {all} jobs; leave it out with --no-python"
            ));
        }
        let mut note = |figure, value| {
            let value = std::time::Duration::try_from_secs_f64(value);
            lab.duration(name, figure, value.unwrap_or_default())
        };
        let measured = [
            note("cpu_time_of_both_jobs", answer.cpu_s),
            note("time_of_both_jobs", answer.took_s),
        ];
        if name == THREADS {
            self.measured = Some(measured);
        }
    }

    /// Goes on without it; what it has done stays.
    fn give_up(&mut self, lab: &mut Lab, error: &anyhow::Error) {
        self.python = None;
        if self.named {
            lab.fail(format!("{error:#}; leave it out with --no-python"));
        } else {
            lab.say(format!(
                "python: {error:#}; left out, --python PATH names another"
            ));
        }
    }

    /// Claims what can be seen with a GIL or without, as the interpreter says it has one.
    pub(crate) fn claim(self, lab: &mut Lab) {
        let (Some([cpu, took]), Some(gil)) = (self.measured, self.gil) else {
            return;
        };
        let title = self.title;
        let claim = |name, text: String| {
            let claim = Claim::that(name, text);
            claim
                .check(none_failed(SEQUENTIAL))
                .check(none_failed(THREADS))
        };
        if gil {
            let text = format!(
                "with its GIL, {title} kept no more than one CPU busy on two threads, a tenth over at most"
            );
            lab.claim(claim("python_on_one_cpu", text).check(cpu.at_most(took * 1.1)));
            let text = format!(
                "{title} gained little from two threads: at least three quarters of one's time"
            );
            let little = wall(THREADS).at_least(wall(SEQUENTIAL) * 0.75);
            lab.claim(claim("python_gains_little", text).check(little).headline());
        } else {
            let text = format!(
                "without a GIL, {title} took less than three quarters of one thread's time on two"
            );
            let overlapped = (cpu / took)
                .above(times(1.2))
                .in_words("its two threads kept {left} CPUs busy");
            let claim = claim("python_gains", text).check(overlapped);
            lab.claim(
                claim
                    .check(helped(THREADS, SEQUENTIAL))
                    .needs_cpus()
                    .headline(),
            );
        }
    }
}
