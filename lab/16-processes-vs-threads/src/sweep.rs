//! The same ways over jobs of ever more steps: from which size on do the pools pay?

use crate::{
    MARGIN, Verdict,
    flags::{Args, jobs_of},
    square::pool_of_processes,
};
use common::{
    Curve, CurveLine, CurvePoint, Lab, Scale, TableReport,
    claim::{Claim, count, times},
    format,
};
use lab_16_processes_vs_threads::{
    JOB, Job, JobPool, run_in_processes, run_on_threads, run_one_by_one,
};
use measure::timing::timed;
use std::num::NonZeroUsize;

/// The ways; the others are compared with the first.
const WAYS: [&str; 4] = ["one by one", "threads", "processes", "a running pool"];

/// Sizes in the sweep, each four times the one before.
const SIZES: u32 = 6;

/// One size of job.
struct Point {
    steps: u64,
    /// By way and round.
    times_s: [Vec<f64>; WAYS.len()],
}

/// Runs all ways at every size, once per round, one job for each worker; claims the break-evens.
///
/// A size is one figure of many, so it is no variant with a timeline and a ledger of its own.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (workers, rounds) = (args.workers, args.rounds.rounds);
    lab.say(format!(
        "sweep over the size of a job, {workers} jobs on {workers} workers, {rounds} rounds …"
    ));
    let sizes = (0..SIZES).rev().map(|k| args.most_steps() / 4_u64.pow(k));
    let sizes = sizes.filter(|steps| *steps > 0);
    let mut points: Vec<Point> = sizes
        .map(|steps| Point {
            steps,
            times_s: Default::default(),
        })
        .collect();
    let running = JOB.pool(workers)?;
    let mut wrong = 0;
    for _ in 0..rounds.get() {
        for point in &mut points {
            wrong += point.measure_once(workers, lab.seed(), &running)?;
        }
    }
    let wrong = lab.count(None, "wrong_results_in_the_sweep", wrong);
    lab.claim(
        Claim::that(
            "sweep_right",
            "in the sweep, too, every job came out as it does one by one",
        )
        .check(wrong.equals(count(0))),
    );
    lab.table(table(&points));
    lab.curve(curve(&points));
    for way in 1..WAYS.len() {
        claim_break_even(lab, &points, way);
    }
    Ok(())
}

impl Point {
    /// Runs every way once; returns how many results were not those of one by one.
    fn measure_once(
        &mut self,
        workers: NonZeroUsize,
        seed: u64,
        running: &JobPool,
    ) -> anyhow::Result<usize> {
        let jobs: Vec<Job> = jobs_of(workers.get(), self.steps, seed);
        let (expected, one_by_one) = timed(|| run_one_by_one(&jobs));
        let (threads, on_threads) = timed(|| run_on_threads(workers, &jobs));
        let (processes, in_processes) = timed(|| pool_of_processes(workers, &jobs, 1));
        let (at_once, in_running_pool) = timed(|| run_in_processes(running, &jobs));
        let times = [one_by_one, on_threads, in_processes, in_running_pool];
        for (times_s, time) in self.times_s.iter_mut().zip(times) {
            times_s.push(time.as_secs_f64());
        }
        let processes = processes?.jobs.into_iter().chain(at_once);
        let done = threads
            .into_iter()
            .map(Some)
            .chain(processes.map(Result::ok));
        let pairs = expected.iter().cycle().zip(done);
        Ok(pairs
            .filter(|(expected, done)| done.is_none_or(|done| done.value != expected.value))
            .count())
    }

    fn verdict(&self, way: usize) -> Verdict {
        Verdict::of(&self.times_s[0], &self.times_s[way])
    }
}

/// Where a way begins to pay: the first size from which on it is faster at every size.
///
/// One size where it happened to win is no break-even; a win that does not last to the end of the
/// sweep is none either.
fn break_even(verdicts: &[Verdict]) -> Option<usize> {
    let wins = verdicts.iter().rev();
    let wins = wins.take_while(|verdict| **verdict == Verdict::SecondFaster);
    Some(verdicts.len() - wins.count()).filter(|index| *index < verdicts.len())
}

fn break_even_of(points: &[Point], way: usize) -> Option<usize> {
    let verdicts: Vec<_> = points.iter().map(|point| point.verdict(way)).collect();
    break_even(&verdicts)
}

/// A line per size.
fn table(points: &[Point]) -> TableReport {
    let row = |point: &Point| {
        let cell = |way: usize| {
            let sign = match point.verdict(way) {
                _ if way == 0 => "",
                Verdict::SecondFaster => " +",
                Verdict::FirstFaster => " -",
                Verdict::NoDifference => " =",
                Verdict::TooNoisy => " ?",
            };
            format!("{}{sign}", middle(&point.times_s[way]))
        };
        let steps = std::iter::once(format::count(point.steps));
        steps.chain((0..WAYS.len()).map(cell)).collect()
    };
    let headings = std::iter::once("steps a job").chain(WAYS);
    TableReport {
        title: "Time for one job for each worker, by its size".into(),
        headings: headings.map(String::from).collect(),
        rows: points.iter().map(row).collect(),
        text_columns: Vec::new(),
        notes: vec![
            "beside one by one: + faster, - slower, = no detectable difference, ? too noisy".into(),
        ],
    }
}

/// The middle of the times, the lower of two.
fn middle(times_s: &[f64]) -> String {
    let mut times_s = times_s.to_vec();
    times_s.sort_by(f64::total_cmp);
    format::seconds_f64(times_s[(times_s.len() - 1) / 2])
}

/// Every way by the size of a job; its knee is the break-even.
fn curve(points: &[Point]) -> Curve {
    let line = |way: usize| {
        let point = |point: &Point| CurvePoint::of(point.steps as f64, &point.times_s[way], None);
        let knee = break_even_of(points, way).filter(|_| way > 0);
        CurveLine {
            name: WAYS[way].into(),
            points: points.iter().filter_map(point).collect(),
            knee: knee.map(|index| points[index].steps as f64),
        }
    };
    Curve {
        title: "Time for one job for each worker, by its size; a knee is a break-even".into(),
        axis: "steps a job".into(),
        scale: Scale::Seconds,
        lines: (0..WAYS.len()).map(line).collect(),
        bound_reason: None,
    }
}

/// Claims from which size on a way was faster, or that there was such a size.
fn claim_break_even(lab: &mut Lab, points: &[Point], way: usize) {
    let (from, last) = (break_even_of(points, way), points.len() - 1);
    let steps = format::count(points[from.unwrap_or(last)].steps);
    let (short, name) = [
        ("break_even_threads", "threads"),
        ("break_even_processes", "processes"),
        ("break_even_running_pool", "a running pool"),
    ][way - 1];
    let claim = Claim::that(
        short,
        match from {
            Some(_) => format!("{name}: faster than one by one from {steps} steps a job on"),
            None => format!(
                "{name}: faster than one by one at {steps} steps a job, the end of the sweep"
            ),
        },
    );
    let tested = &points[from.unwrap_or(last)..];
    let claim = tested.iter().fold(claim, |claim, point| {
        let figure = format!(
            "{} over one by one, {} steps",
            name,
            format::count(point.steps)
        );
        let rounds = point.times_s[0].iter().zip(&point.times_s[way]);
        let noted = rounds
            .map(|(first, second)| lab.ratio(None, &figure.replace(' ', "_"), second / first));
        let noted = noted.last().expect("there is a round");
        claim.check(noted.below(times(1.0 / MARGIN)))
    });
    lab.claim(match from {
        Some(_) => claim,
        None => claim.needs_cpus(),
    });
}

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};

    #[test]
    fn one_lucky_size_is_no_break_even() {
        let lucky = [FirstFaster, SecondFaster, TooNoisy, SecondFaster];
        assert_eq!(break_even(&lucky), Some(3));
        assert_eq!(break_even(&lucky[..3]), None);
        assert_eq!(break_even(&[SecondFaster; 2]), Some(0));
        assert_eq!(break_even(&[]), None);
    }
}
