//! Shows what a pool of processes makes of four unequal jobs, in two orders of hand-out.

mod claims;

use basics_1_multiprocess::{
    SUM, SumPool, Summed, attainable, longest_first, sum_in_order, sum_longest_first,
    sum_sequential,
};
use common::{
    Bound, Lab, Question, Recorded, Step, Tally, cli, format,
    squares::{ScaleArgs, claim_linear},
    workload::{SquareSum, square_jobs},
};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "basics/1_multiprocess.py (ProcessPoolExecutor.map)",
    question: "what does a pool gain?",
    why: "Every worker is a process that takes the next job as soon as it is free. No pool beats all \
          the work shared out among the CPUs, nor the longest single job. A long job that is handed \
          out last runs on while the other workers have nothing left to do.",
    remember: "Processes use as many CPUs as there are. A long job that starts last leaves the others \
              idle: hand the longest out first.",
    predict: (
        "4 workers instead of 2: twice as fast? Mind the longest job.",
        "cargo run -p basics-1-multiprocess -- --workers 4",
    ),
    sources: common::sources!["lib.rs"],
};

#[derive(clap::Args, Debug, Serialize)]
struct Args {
    #[command(flatten)]
    #[serde(flatten)]
    scale: ScaleArgs,

    /// How many worker processes the pool has; four jobs keep at most four busy
    #[arg(long, value_name = "N", default_value = "2", value_parser = cli::up_to::<{ cli::WORKERS_LIMIT }>)]
    workers: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: cli::RoundsArgs,
}

const IN_ORDER: &str = "in order";
const LONGEST_FIRST: &str = "longest first";

fn main() -> ExitCode {
    STEP.run(&[&SUM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "The jobs in a pool of processes, longest first: how many times as fast?";
    let ask = Question::faster(LONGEST_FIRST, "sequential", text).needs_cpus();
    lab.predict(ask, &["not faster", "twice", "more than that"], &[1.3, 2.5]);
    let jobs = square_jobs(args.scale.scale);
    claim_linear(lab, sum_sequential);
    let order = longest_first(&jobs).into_iter();
    let descending: Vec<u64> = order.map(|place| jobs[place]).collect();
    let possible = [&jobs, &descending].map(|jobs| attainable(jobs, args.workers));
    lab.legend(format!(
        "Jobs of 10, 20, 30 and 40 million squares, times {}. in order: as in the script, at best {:.2} × as \
         fast. longest first: ours, at best {:.2} ×.",
        args.scale.scale, possible[0], possible[1]
    ));

    let mut sums = Vec::new();
    for round in 1..=args.rounds.rounds.get() {
        lab.say(format!("round {round} …"));
        lab.variant("sequential")
            .bound(Bound::Work { workers: 1 })
            .run_counted(
                || Ok(sum_sequential(&jobs)),
                |sums| Tally::of_checked(sums, SquareSum::is_right),
            )?;
        run_pooled(lab, IN_ORDER, args, |pool| sum_in_order(pool, &jobs))?;
        sums = run_pooled(lab, LONGEST_FIRST, args, |pool| {
            sum_longest_first(pool, &jobs)
        })?;
        let recording = lab.recording(LONGEST_FIRST);
        let busy: Duration = recording.jobs().map(|job| job.busy).sum();
        let at_work = busy.div_duration_f64(recording.wall);
        lab.note(LONGEST_FIRST, "cpus_at_work", at_work);
    }
    for sum in sums.iter().flatten() {
        let (n, total) = (format::count(sum.n), sum.total);
        lab.say(format!("squares below {n:>11} add up to {total}"));
    }
    claims::add(lab, args.workers, possible);
    Ok(())
}

/// Runs one variant in a pool of its own, so that starting the workers is part of the picture.
fn run_pooled(
    lab: &mut Lab,
    variant: &str,
    args: &Args,
    sum: impl Fn(&SumPool) -> Vec<Summed>,
) -> anyhow::Result<Vec<Summed>> {
    let is_right = |sum: &Summed| sum.as_ref().is_ok_and(SquareSum::is_right);
    let bound = Bound::Work {
        workers: args.workers.get(),
    };
    let patience = lab.patience();
    let sums = lab.variant(variant).bound(bound).run_counted(
        || {
            let pool = SUM.pool_builder().workers(args.workers).timeout(patience);
            Ok(sum(&pool.recorded().start()?))
        },
        |sums| Tally::of_checked(sums, is_right),
    )?;
    for error in sums.iter().flatten().filter_map(|sum| sum.as_ref().err()) {
        lab.fail(format!("{variant}: {error}"));
    }
    Ok(sums.unwrap_or_default())
}
