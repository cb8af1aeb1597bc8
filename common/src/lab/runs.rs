//! Runs of a variant: each is measured, and the middle one stands in the document.

use crate::{bound::Bound, census::Census};
use measure::{
    Moment,
    surroundings::Surroundings,
    timing::{self, Usage},
};
use report::{Ledger, RecordingReport, Tally, Variant};
use std::{collections::BTreeMap, time::Duration};
use timeline::{Lane, LaneKind, Recording, Span, Timeline};

/// What somebody outside the process counted: the server.
pub trait Observer {
    /// Starts counting anew.
    ///
    /// # Errors
    /// The observer cannot be reached.
    fn begin(&self) -> anyhow::Result<()>;

    /// The most requests at once and the connections that it counted since; neither where nobody counts, as with a
    /// foreign server.
    ///
    /// # Errors
    /// The observer cannot be reached.
    fn counts(&self) -> anyhow::Result<Ledger>;
}

/// All runs of one variant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    pub(super) name: String,
    pub(super) bound: Option<Bound>,
    pub(super) limit: Option<u64>,
    /// Whether its work is not that of the first variant.
    pub(super) other_work: bool,
    /// Each as if it were the only one.
    pub(super) runs: Vec<Variant>,
    /// What the step noted, by round.
    pub(super) figures: BTreeMap<String, Vec<f64>>,
}

/// Runs `work` and measures what it takes; the result is `work`'s own.
pub(super) fn measure<T>(
    timeline: &Timeline,
    work: impl FnOnce() -> anyhow::Result<T>,
    tally: impl FnOnce(&T) -> Tally,
) -> anyhow::Result<(T, Variant)> {
    timing::reset_peak_memory();
    let census = Census::start();
    timeline.take();
    let (surroundings, before, start) = (Surroundings::now(), Usage::now(), Moment::now());
    let (result, wall) = (work(), Moment::now() - start);
    let (usage, disturbed) = (Usage::now().since(&before), surroundings.disturbed());
    let recording = Recording {
        start,
        wall,
        ..timeline.take()
    };
    let result = result?;
    let is_process = |lane: &&Lane| lane.id.kind == LaneKind::Process;
    let ledger = Ledger {
        threads: census.and_then(|census| census.finish(&recording.lanes)),
        processes: 1 + recording.lanes.iter().filter(is_process).count() as u64,
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
        peak_rss_bytes: usage.peak_rss_bytes,
        ..tally(&result)
    };
    let jobs = |time: fn(&Span) -> Duration| recording.jobs().map(time).sum::<Duration>();
    let variant = Variant {
        wall_s: wall.as_secs_f64(),
        cpu_user_s: usage.cpu_user.as_secs_f64(),
        cpu_system_s: usage.cpu_system.as_secs_f64(),
        open_s: jobs(Span::duration).as_secs_f64(),
        busy_s: jobs(|job| job.busy).as_secs_f64(),
        ledger,
        recording,
        disturbed,
        ..Variant::default()
    };
    Ok((result, variant))
}

impl Runs {
    pub(super) fn walls(&self) -> Vec<f64> {
        self.runs.iter().map(|run| run.wall_s).collect()
    }

    /// The run with the median wall time, the lower of two.
    pub(crate) fn median(&self) -> Option<&Variant> {
        let mut order: Vec<&Variant> = self.runs.iter().collect();
        order.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
        order.get(order.len().checked_sub(1)? / 2).copied()
    }

    /// What the document has of them, where the first variant took so long.
    pub(super) fn report(&self, first_s: f64, cpus: usize) -> Option<Variant> {
        let run = self.median()?;
        let walls = self.walls();
        let bound = self.bound.as_ref();
        let bound = bound.and_then(|bound| bound.of(&run.recording, cpus));
        let (bound_s, bound_reason) = bound
            .map(|(bound, reason)| (bound.as_secs_f64(), reason))
            .filter(|(bound_s, _)| *bound_s > 0.0)
            .unzip();
        let expected = self.limit.map(|limit| limit.min(run.ledger.submitted));
        let peak = run.ledger.peak_in_flight;
        let speedup = Some(first_s / run.wall_s);
        Some(Variant {
            name: self.name.clone(),
            runs: walls.len(),
            wall_min_s: walls.iter().copied().fold(f64::INFINITY, f64::min),
            wall_max_s: walls.iter().copied().fold(0.0, f64::max),
            failed_by_round: self.runs.iter().map(|run| run.ledger.failed).collect(),
            bound_s,
            bound_reason,
            speedup: speedup.filter(|ratio| !self.other_work && ratio.is_finite()),
            efficiency: bound_s.map(|bound_s| bound_s / run.wall_s),
            comparable: expected.is_none() || peak.is_none() || expected == peak,
            recorded: RecordingReport::of(&run.recording),
            figures: self.figures.clone(),
            disturbed: self.runs.iter().find_map(|run| run.disturbed.clone()),
            walls_s: walls,
            ..run.clone()
        })
    }
}
