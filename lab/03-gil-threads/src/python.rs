//! The reader's own Python, which does both jobs in a process of its own each time it is asked.

use crate::{add_up, flags::Args};
use common::{
    Lab, ask_python,
    cli::Usage,
    format,
    timeline::{Moment, Span, Timeline},
    timing,
};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const SCRIPT: &str = include_str!("jobs.py");
/// How long the two jobs, one after another, are to take at most.
const ENOUGH_S: f64 = 0.6;
/// Products that show how fast this Python is.
const SAMPLE: u64 = 20_000;
const VARIANTS: [&str; 2] = ["python sequential", "python threads"];

/// What an interpreter says about itself, in words first, and of two jobs as it measured them.
#[derive(Deserialize)]
struct Answer {
    title: String,
    /// Whether its threads share a GIL; `None` where that is not known.
    gil: Option<bool>,
    /// Start, end and CPU time of each in seconds, and its sum.
    jobs: Vec<(f64, f64, f64, u64)>,
}

/// A Python that has answered once.
pub(crate) struct Python<'a> {
    path: &'a Path,
    has_gil: bool,
    /// Products that each of its two jobs adds up.
    steps: u64,
}

impl<'a> Python<'a> {
    /// Asks the one that the flags name, or else the PATH's `python3`, who it is.
    ///
    /// Its jobs are as large as the flags say, or as much as both do in about `ENOUGH_S`.
    pub(crate) fn open(args: &'a Args, lab: &mut Lab) -> anyhow::Result<Option<Self>> {
        if args.no_python {
            return Ok(None);
        }
        let path = args.python.as_deref().unwrap_or(Path::new("python3"));
        let work = args.work.get() as u64;
        let sample = ["sequential".into(), SAMPLE.min(work).to_string()];
        let (_, Answer { title, gil, jobs }) = match ask_python(path, SCRIPT, &sample) {
            Ok(answer) => answer,
            Err(error) if args.python.is_some() => {
                let way_out = "name a Python 3, or leave it out with --no-python";
                return Err(Usage(format!("--python: {error:#}; {way_out}")).into());
            }
            Err(error) => {
                let way_out = "--python PATH names another";
                lab.say(format!("Your Python does not run: {error:#}; {way_out}"));
                return Ok(None);
            }
        };
        let took_s = jobs.iter().map(|job| job.1).fold(0.0, f64::max);
        let enough = (SAMPLE as f64 * ENOUGH_S / took_s) as u64;
        let (has_gil, steps) = (gil == Some(true), enough.clamp(1, work));
        lab.say(format!(
            "{title}: a job is {} products",
            format::count(steps)
        ));
        lab.param("python_is", title);
        lab.param("python_products", steps);
        Ok(Some(Self {
            path,
            has_gil,
            steps,
        }))
    }

    /// Has it do both jobs in both ways.
    pub(crate) fn compute(&self, lab: &mut Lab) -> anyhow::Result<()> {
        let (mut sums, at_once) = (Vec::new(), if self.has_gil { 1 } else { 2 });
        for (name, workers) in VARIANTS.into_iter().zip([1, at_once]) {
            let way = name.trim_start_matches("python ");
            let jobs = || self.do_jobs(way);
            add_up(lab.variant(name).other_work(), workers, &mut sums, jobs)?;
        }
        Ok(())
    }

    /// Puts both jobs on the timeline and their CPU time into the ledger; returns the sums.
    fn do_jobs(&self, way: &str) -> anyhow::Result<Vec<u64>> {
        let asked = Moment::now();
        let arguments = [way.into(), self.steps.to_string()];
        let (pid, answer) = ask_python::<Answer>(self.path, SCRIPT, &arguments)?;
        let (mut totals, mut used) = (Vec::new(), timing::Usage::default());
        for (start_s, end_s, busy_s, total) in answer.jobs {
            let [start, end, busy] = [start_s, end_s, busy_s].map(Duration::from_secs_f64);
            used.cpu_user += busy;
            let mut span = Span::watched("job", asked.plus(start), asked.plus(end), busy);
            span.wait = (way == "threads" && self.has_gil).then(|| "lock".into());
            Timeline::current().inspect(|timeline| timeline.record_process(pid, "python", span));
            totals.push(total);
        }
        timing::family().adopt(pid, used);
        timing::family().forget(pid);
        totals.sort_unstable();
        Ok(totals)
    }

    /// Claims what its threads did, beside whether it says that it has a GIL.
    pub(crate) fn claim(&self, lab: &mut Lab) {
        let about = ["Python, no GIL", "Python"][usize::from(self.has_gil)];
        let verdict = lab.compare("python_verdict", about, VARIANTS);
        lab.claim(verdict.headline());
    }
}
