//! Shows what a pool of processes makes of four unequal jobs, in two orders of hand-out.

use basics_1_multiprocess::{
    Attainable, SUM, SumPool, Summed, sum_in_order, sum_longest_first, sum_sequential,
};
use common::{
    Bound, Experiment, Step, Tally, cli,
    experiment::claim::{Claim, number, of, top},
    process_pool::Ledger,
    report::format,
    workload::{self, ScaleArgs, SquareSum, square_jobs},
};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["basics/1_multiprocess.py"],
    question: "what changes with a process pool?",
    why: "Every worker is a process that takes the next job as soon as it is free. Two things no pool can \
          beat: all the work shared out among the CPUs, and the longest single job. The order of \
          hand-out decides how near it comes: a long job that is handed out last runs on while the \
          other workers have nothing left to do.",
    try_next: &[
        "cargo run -p basics-1-multiprocess -- --workers 4: which job is the bound now?",
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

    /// How many worker processes the pool has
    #[arg(long, value_name = "N", default_value = "2", value_parser = cli::parse_workers)]
    workers: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: cli::RoundsArgs,
}

/// What a pool leaves: the sums in the order of the jobs, and its books.
#[derive(Serialize)]
struct Pooled {
    sums: Vec<Summed>,
    pool: Ledger,
}

fn main() -> ExitCode {
    STEP.run(&[&SUM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Experiment) -> anyhow::Result<()> {
    let jobs = square_jobs(args.scale.scale);
    let linearity = workload::check_linear(|n| {
        std::hint::black_box(workload::sum_of_squares(n));
    });
    lab.param("four_times_the_work_took_times", linearity.ratio);
    let by_size = Attainable::of(&jobs, args.workers);
    lab.param("attainable_speedup", by_size);
    say_attainable(lab, args.workers, "by the sizes of the jobs", by_size);

    let one_thread = Bound::Work { workers: 1 };
    let count = |sums: &Vec<SquareSum>| Tally::of_checked(sums, SquareSum::is_right);
    for round in 1..=args.rounds.rounds.get() {
        lab.say(format!(
            "round {round}: sequential, in order, longest first …"
        ));
        lab.variant("sequential")
            .bound(one_thread.clone())
            .run_counted(|| Ok(sum_sequential(&jobs)), count)?;
        run_pooled(lab, "in order", args, |pool| sum_in_order(pool, &jobs))?;
        let sums = run_pooled(lab, "longest first", args, |pool| {
            sum_longest_first(pool, &jobs)
        })?;
        if round == args.rounds.rounds.get() {
            say_results(lab, &sums);
        }
    }
    let times: Vec<u64> = lab
        .job_times("sequential")
        .iter()
        .map(|time| time.as_nanos() as u64)
        .collect();
    let by_time = Attainable::of(&times, args.workers);
    say_attainable(
        lab,
        args.workers,
        "by the times they took in sequence here",
        by_time,
    );
    claim(lab, args.workers, by_size);
    Ok(())
}

fn say_attainable(lab: &Experiment, workers: NonZeroUsize, by: &str, attainable: Attainable) {
    lab.say(format!(
        "attainable with {workers} workers on CPUs of their own, {by}: in order {:.2}×, longest first {:.2}×",
        attainable.in_order, attainable.longest_first
    ));
}

/// Runs one variant in a pool of its own, so that starting the workers is part of the picture.
fn run_pooled(
    lab: &mut Experiment,
    variant: &str,
    args: &Args,
    sum: impl FnOnce(&SumPool) -> Vec<Summed>,
) -> anyhow::Result<Vec<Summed>> {
    let bound = Bound::Work {
        workers: args.workers.get(),
    };
    let pooled = lab.variant(variant).bound(bound).run_counted(
        || {
            let pool = SUM.pool(args.workers)?;
            let sums = sum(&pool);
            Ok(Pooled {
                sums,
                pool: pool.shutdown(),
            })
        },
        |pooled| Tally {
            retried: pooled.pool.retried,
            ..Tally::of_checked(&pooled.sums, |sum| {
                sum.as_ref().is_ok_and(SquareSum::is_right)
            })
        },
    )?;
    for error in pooled.sums.iter().filter_map(|sum| sum.as_ref().err()) {
        lab.fail(format!("{variant}: {error}"));
    }
    Ok(pooled.sums)
}

fn say_results(lab: &Experiment, sums: &[Summed]) {
    for sum in sums.iter().flatten() {
        lab.say(format!(
            "sum of squares below {:>13} = {}",
            format::count(sum.n),
            sum.total
        ));
    }
    for variant in ["sequential", "in order", "longest first"] {
        if let Some(wall) = lab.wall(variant) {
            lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
        }
    }
}

fn claim(lab: &mut Experiment, workers: NonZeroUsize, attainable: Attainable) {
    lab.claim(
        Claim::that("in every variant all four sums equal the closed form")
            .check(of("sequential", "ledger.done").equals(number(4)))
            .check(of("in order", "ledger.done").equals(number(4)))
            .check(of("longest first", "ledger.done").equals(number(4))),
    );
    lab.claim(
        Claim::that(
            "four times the work takes about four times as long: nothing was optimised away",
        )
        .check(top("params.four_times_the_work_took_times").above(number(2.5)))
        .check(top("params.four_times_the_work_took_times").below(number(6.5)))
        .otherwise("the machine changed its speed between two short measurements"),
    );
    let schedule = format!(
        "with {workers} workers on CPUs of their own {:.2}× is attainable longest first, {:.2}× in order",
        attainable.longest_first, attainable.in_order
    );
    lab.claim(
        Claim::that("the jobs overlapped: the pool took less than three quarters of the time of one process")
            .check(of("longest first", "walls_s").below(of("sequential", "walls_s").times(0.75)))
            .needs_cpus()
            .otherwise(&schedule),
    );
    lab.claim(
        Claim::that(
            "the order counts: longest first took at least a twentieth less time than in order",
        )
        .check(of("longest first", "walls_s").at_most(of("in order", "walls_s").times(0.95)))
        .needs_cpus()
        .otherwise(schedule),
    );
    lab.claim(
        Claim::that("longest first reaches the bound to within a tenth")
            .check(of("longest first", "efficiency").at_least(number(0.9)))
            .needs_cpus(),
    );
}
