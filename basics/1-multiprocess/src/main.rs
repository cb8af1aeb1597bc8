//! Shows what a pool of processes makes of four unequal jobs, in two orders of hand-out.

mod claims;

use basics_1_multiprocess::{
    Attainable, SUM, SumPool, Summed, sum_in_order, sum_longest_first, sum_sequential,
};
use common::{
    Bound, Lab, Step, Tally, cli, format,
    squares::{ScaleArgs, SquareSum, square_jobs},
};
use measure::workload;
use process_pool::Ledger;
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["basics/1_multiprocess.py"],
    question: "what changes with a process pool?",
    why: "Every worker is a process that takes the next job as soon as it is free. Two things no pool can \
          beat: all the work shared out among the CPUs, and the longest single job. The order of \
          hand-out decides how near it comes: a long job that is handed out last runs on while the \
          other workers have nothing left to do.",
    try_next: &[
        "cargo run -p basics-1-multiprocess -- --workers 4: what is the bound now?",
        "cargo run -p basics-1-multiprocess -- --scale 0.01: what does starting the workers cost?",
        "taskset -c 0 cargo run -p basics-1-multiprocess: two workers, one CPU",
        "cargo run -p lab-04-gil-processes: what processes cost and buy",
    ],
};

#[derive(clap::Args, Debug, Serialize)]
struct Args {
    #[command(flatten)]
    #[serde(flatten)]
    scale: ScaleArgs,

    /// How many worker processes the pool has; four jobs keep at most four busy
    #[arg(long, value_name = "N", default_value = "2", allow_negative_numbers = true, value_parser = cli::parse_workers)]
    workers: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: cli::RoundsArgs,
}

/// What a pool leaves: the sums in the order of the jobs, and what it took.
#[derive(Default, Serialize)]
struct Pooled {
    sums: Vec<Summed>,
    slowest_startup_s: f64,
    pool: Ledger,
}

fn main() -> ExitCode {
    STEP.run(&[&SUM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = square_jobs(args.scale.scale);
    let linearity = workload::check_linear(|n| {
        std::hint::black_box(workload::sum_of_squares(n));
    });
    lab.param("four_times_the_work_took_times", linearity.ratio);
    let workers = args.workers;
    let attainable = Attainable::of(&jobs, workers);
    lab.param("attainable_speedup", attainable);
    lab.say(format!("attainable, a CPU per worker: {attainable}"));

    let one_thread = Bound::Work { workers: 1 };
    let count = |sums: &Vec<SquareSum>| Tally::of_checked(sums, SquareSum::is_right);
    let mut last = Pooled::default();
    for round in 1..=args.rounds.rounds.get() {
        lab.say(format!(
            "round {round}: sequential, in order, longest first …"
        ));
        lab.variant("sequential")
            .bound(one_thread.clone())
            .run_counted(|| Ok(sum_sequential(&jobs)), count)?;
        run_pooled(lab, "in order", args, |pool| sum_in_order(pool, &jobs))?;
        last = run_pooled(lab, "longest first", args, |pool| {
            sum_longest_first(pool, &jobs)
        })?;
    }
    say_results(lab, &last.sums);
    let times = lab.job_times("sequential").into_iter();
    let times: Vec<u64> = times.map(|time| time.as_nanos() as u64).collect();
    let by_time = Attainable::of(&times, workers);
    lab.say(format!("the same by this run's job times: {by_time}"));
    claims::add(lab, workers, attainable, last.slowest_startup_s);
    Ok(())
}

/// Runs one variant in a pool of its own, so that starting the workers is part of the picture.
fn run_pooled(
    lab: &mut Lab,
    variant: &str,
    args: &Args,
    sum: impl FnOnce(&SumPool) -> Vec<Summed>,
) -> anyhow::Result<Pooled> {
    let is_right = |sum: &Summed| sum.as_ref().is_ok_and(SquareSum::is_right);
    let bound = Bound::Work {
        workers: args.workers.get(),
    };
    let pooled = lab.variant(variant).bound(bound).run_counted(
        || {
            let pool = SUM.pool(args.workers)?;
            let startup = pool.startup();
            Ok(Pooled {
                slowest_startup_s: startup.iter().max().map_or(0.0, Duration::as_secs_f64),
                sums: sum(&pool),
                pool: pool.shutdown(),
            })
        },
        |pooled| Tally {
            retried: pooled.pool.retried,
            ..Tally::of_checked(&pooled.sums, is_right)
        },
    )?;
    for error in pooled.sums.iter().filter_map(|sum| sum.as_ref().err()) {
        lab.fail(format!("{variant}: {error}"));
    }
    Ok(pooled)
}

fn say_results(lab: &Lab, sums: &[Summed]) {
    for sum in sums.iter().flatten() {
        let (n, total) = (format::count(sum.n), sum.total);
        lab.say(format!("sum of squares below {n:>13} = {total}"));
    }
    for variant in ["sequential", "in order", "longest first"] {
        if let Some(wall) = lab.wall(variant) {
            lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
        }
    }
}
