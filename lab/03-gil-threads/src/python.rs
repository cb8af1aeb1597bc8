//! The reader's own Python, which does both jobs in a process of its own each time it is asked.

use common::{
    ask_python,
    timeline::{Moment, Span, Timeline},
    timing::{Usage, family},
};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const SCRIPT: &str = include_str!("jobs.py");
/// How long the two jobs, one after another, are to take at most.
const ENOUGH_S: f64 = 0.6;
/// Products that show how fast this Python is.
const SAMPLE: u64 = 20_000;
/// What an interpreter says about itself, and of two jobs as it measured them.
#[derive(Deserialize)]
struct Answer {
    /// Its name and version, and whether it has a GIL.
    title: String,
    /// Whether its threads share a GIL; `None` where that is not known.
    gil: Option<bool>,
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    start_s: f64,
    end_s: f64,
    busy_s: f64,
    total: u64,
}

/// A Python that has answered once.
pub(crate) struct Python {
    path: PathBuf,
    /// Its name and version, and whether it has a GIL.
    pub(crate) title: String,
    pub(crate) has_gil: bool,
    /// Products that each of its two jobs adds up.
    pub(crate) steps: u64,
}

impl Python {
    /// Asks an interpreter who it is; its jobs are `work`, or as much as both do in about `ENOUGH_S`.
    pub(crate) fn find(path: &Path, work: u64) -> anyhow::Result<Self> {
        let arguments = ["sequential".into(), SAMPLE.min(work).to_string()];
        let (_, sample) = ask_python::<Answer>(path, SCRIPT, &arguments)?;
        let took_s = sample.jobs.iter().map(|job| job.end_s).fold(0.0, f64::max);
        let enough = (SAMPLE as f64 * ENOUGH_S / took_s) as u64;
        Ok(Self {
            path: path.into(),
            title: sample.title,
            has_gil: sample.gil == Some(true),
            steps: enough.clamp(1, work),
        })
    }

    /// Has it do both jobs, puts them on the timeline and their CPU time into the ledger; returns the sums.
    pub(crate) fn do_jobs(&self, way: &str) -> anyhow::Result<Vec<u64>> {
        let asked = Moment::now();
        let arguments = [way.into(), self.steps.to_string()];
        let (pid, answer) = ask_python::<Answer>(&self.path, SCRIPT, &arguments)?;
        let (mut totals, mut used) = (Vec::new(), Usage::default());
        for job in answer.jobs {
            let [start, end] =
                [job.start_s, job.end_s].map(|at| asked.plus(Duration::from_secs_f64(at)));
            let busy = Duration::from_secs_f64(job.busy_s).min(end - start);
            used.cpu_user += busy;
            let mut span = Span::watched("job", start, end, busy);
            span.wait = (way == "threads" && self.has_gil).then(|| "lock".into());
            Timeline::current().inspect(|timeline| timeline.record_process(pid, "python", span));
            totals.push(job.total);
        }
        family().adopt(pid, used);
        family().forget(pid);
        totals.sort_unstable();
        Ok(totals)
    }
}
