//! Runs of a variant: each is measured, and the middle one stands in the document.

use crate::{
    bound::Bound,
    census::{self, Census},
};
use measure::{
    Moment,
    surroundings::Surroundings,
    timing::{self, Usage},
};
use report::{Ledger, RecordingReport, Variant};
use serde_json::Value;
use std::collections::BTreeMap;
use timeline::{LaneKind, Recording, Timeline};

/// What somebody outside the process counted: the server.
pub trait Observer {
    /// Starts counting anew.
    ///
    /// # Errors
    /// The observer cannot be reached.
    fn begin(&self) -> anyhow::Result<()>;

    /// What it counted since; `None` when nobody counts, as with a foreign server.
    ///
    /// # Errors
    /// The observer cannot be reached.
    fn counts(&self) -> anyhow::Result<Option<Counts>>;
}

/// What an [`Observer`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The most requests at once.
    pub peak_in_flight: u64,
    /// Connections that carried requests.
    pub connections: u64,
}

/// All runs of one variant.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(super) name: String,
    pub(super) bound: Option<Bound>,
    pub(super) limit: Option<u64>,
    /// Whether its work is that of the first variant.
    pub(super) same_work: bool,
    pub(super) runs: Vec<Run>,
    /// What the step noted, by round.
    pub(super) figures: BTreeMap<String, Vec<f64>>,
    /// What the screen says beside its time.
    pub(super) note: Option<String>,
}

/// One run of one variant.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) recording: Recording,
    pub(super) usage: Usage,
    pub(super) ledger: Ledger,
    pub(super) results: Value,
    /// What disturbed it from outside, in words.
    pub(super) disturbed: Option<String>,
}

/// Runs `work` and tells what it took; the result is `work`'s own.
pub(super) fn measure<T>(
    timeline: &Timeline,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Run)> {
    timing::reset_peak_memory();
    let census = Census::start();
    timeline.take();
    let surroundings = Surroundings::now();
    let before = Usage::now();
    let start = Moment::now();
    let result = work();
    let wall = Moment::now() - start;
    let usage = Usage::now().since(&before);
    let disturbed = surroundings.disturbed();
    let taken = timeline.take();
    let peak_threads = census.and_then(Census::finish);
    let result = result?;
    let ledger = Ledger {
        threads: peak_threads.map(|peak| peak.max(census::recorded(&taken.lanes))),
        processes: 1 + taken
            .lanes
            .iter()
            .filter(|lane| lane.id.kind == LaneKind::Process)
            .count() as u64,
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
        peak_rss_bytes: usage.peak_rss_bytes,
        ..Ledger::default()
    };
    let recording = Recording {
        start,
        wall,
        ..taken
    };
    Ok((
        result,
        Run {
            recording,
            usage,
            ledger,
            results: Value::Null,
            disturbed,
        },
    ))
}

impl Run {
    pub(super) fn wall_s(&self) -> f64 {
        self.recording.wall.as_secs_f64()
    }
}

impl Runs {
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bound: None,
            limit: None,
            same_work: true,
            runs: Vec::new(),
            figures: BTreeMap::new(),
            note: None,
        }
    }

    pub(super) fn walls(&self) -> Vec<f64> {
        self.runs.iter().map(Run::wall_s).collect()
    }

    /// The run with the median wall time, the lower of two.
    pub(super) fn median(&self) -> &Run {
        let mut order: Vec<&Run> = self.runs.iter().collect();
        order.sort_by_key(|run| run.recording.wall);
        order[(order.len() - 1) / 2]
    }

    pub(super) fn report(&self, first_s: Option<f64>, cpus: usize) -> Variant {
        let run = self.median();
        let walls = self.walls();
        let wall_s = run.wall_s();
        let bound = self
            .bound
            .as_ref()
            .and_then(|bound| bound.of(&run.recording, cpus));
        let bound = bound.filter(|(bound, _)| !bound.is_zero());
        let bound_s = bound.as_ref().map(|(bound, _)| bound.as_secs_f64());
        let expected = self.limit.map(|limit| limit.min(run.ledger.submitted));
        Variant {
            name: self.name.clone(),
            runs: walls.len(),
            wall_s,
            wall_min_s: walls.iter().copied().fold(f64::INFINITY, f64::min),
            wall_max_s: walls.iter().copied().fold(0.0, f64::max),
            failed_by_round: self.runs.iter().map(|run| run.ledger.failed).collect(),
            cpu_user_s: run.usage.cpu_user.as_secs_f64(),
            cpu_system_s: run.usage.cpu_system.as_secs_f64(),
            open_s: run
                .recording
                .jobs()
                .map(|span| span.duration().as_secs_f64())
                .sum(),
            busy_s: run
                .recording
                .jobs()
                .map(|span| span.busy.as_secs_f64())
                .sum(),
            bound_s,
            bound_reason: bound.map(|(_, reason)| reason),
            speedup: first_s
                .filter(|_| self.same_work)
                .map(|first_s| first_s / wall_s)
                .filter(|ratio| ratio.is_finite()),
            efficiency: bound_s.map(|bound| bound / wall_s),
            comparable: match (expected, run.ledger.peak_in_flight) {
                (Some(expected), Some(peak)) => expected == peak,
                _ => true,
            },
            ledger: run.ledger.clone(),
            recorded: RecordingReport::of(&run.recording),
            figures: self.figures.clone(),
            note: self.note.clone(),
            disturbed: self.runs.iter().find_map(|run| run.disturbed.clone()),
            results: run.results.clone(),
            recording: run.recording.clone(),
            walls_s: walls,
        }
    }
}
