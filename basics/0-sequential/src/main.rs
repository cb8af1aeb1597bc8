//! Shows how long four sums take when nothing overlaps.

use basics_0_sequential::sum_sequential;
use common::{
    Bound, Lab, Step, Tally,
    claim::{Claim, number, of, top},
    format,
    squares::{ScaleArgs, SquareSum, square_jobs},
};
use measure::workload;
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["basics/0_sequential.py"],
    question: "how long is one slow loop?",
    why: "One thread computes one sum after another, so the run takes as long as all jobs together. \
          However many CPUs the machine has, this loop keeps one of them busy and leaves the others idle.",
    try_next: &[
        "cargo run -p basics-0-sequential -- --scale 20: is twice the work twice the time?",
        "cargo run -p basics-1-multiprocess: the same jobs in a pool of processes",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &ScaleArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = square_jobs(args.scale);
    let linearity = workload::check_linear(|n| {
        std::hint::black_box(workload::sum_of_squares(n));
    });
    lab.param("four_times_the_work_took_times", linearity.ratio);

    let bound = Bound::Work { workers: 1 };
    let count = |sums: &Vec<SquareSum>| Tally::of_checked(sums, SquareSum::is_right);
    let sums = lab
        .variant("sequential")
        .bound(bound)
        .run_counted(|| Ok(sum_sequential(&jobs)), count)?;
    for sum in &sums {
        lab.say(format!(
            "sum of squares below {:>13} = {}",
            format::count(sum.n),
            sum.total
        ));
    }
    if let Some(wall) = lab.wall("sequential") {
        lab.say(format!("elapsed: {}", format::seconds(wall)));
    }

    lab.claim(
        Claim::that("all four sums equal the closed form")
            .check(of("sequential", "ledger.done").equals(number(4))),
    );
    lab.claim(
        Claim::that(
            "four times the work takes about four times as long: nothing was optimised away",
        )
        .check(top("params.four_times_the_work_took_times").above(number(2.5)))
        .check(top("params.four_times_the_work_took_times").below(number(6.5)))
        .otherwise("the machine changed its speed between two short measurements"),
    );
    lab.claim(
        Claim::that("one loop is one CPU's work: on average no more than one CPU helped")
            .check(of("sequential", "cpu_user_s").at_most(of("sequential", "wall_s").times(1.05))),
    );
    Ok(())
}
