//! Shows how long four sums take when nothing overlaps.

use basics_0_sequential::sum_sequential;
use common::{
    Bound, Lab, Question, Step, Tally,
    claim::{Claim, cpu_system, cpu_user, done, middle_wall, threads},
    format,
    squares::{ScaleArgs, claim_linear},
    workload::{SquareSum, square_jobs},
};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "basics/0_sequential.py (a plain loop)",
    question: "how long is a slow loop?",
    why: "One thread computes one sum after another, so the run takes as long as all jobs together. \
          However many CPUs the machine has, this loop keeps one of them busy and leaves the others idle.",
    remember: "One thread does one thing at a time: it takes as long as all its jobs together, \
              however many CPUs there are.",
    predict: (
        "twice the work: how much longer does it take?",
        "cargo run -p basics-0-sequential -- --scale 20",
    ),
    sources: common::sources!["lib.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &ScaleArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Four sums, one thread: how many CPUs does it keep busy?";
    let ask = Question::before(
        "sequential",
        text,
        cpu_user("sequential") / middle_wall("sequential"),
        "{} CPUs busy",
    );
    lab.predict(ask, &["one", "all of them"], &[1.5]);
    let jobs = square_jobs(args.scale);
    lab.legend(format!(
        "The script's four sums, sum(i * i for i in range(n)), each n {} × as large.",
        args.scale
    ));
    claim_linear(lab, sum_sequential);

    let sums = lab
        .variant("sequential")
        .bound(Bound::Work { workers: 1 })
        .run_counted(
            || Ok(sum_sequential(&jobs)),
            |sums| Tally::of_checked(sums, SquareSum::is_right),
        )?;
    for sum in sums.iter().flatten() {
        lab.say(format!(
            "squares below {:>11} add up to {}",
            format::count(sum.n),
            sum.total
        ));
    }

    lab.claim(
        Claim::that("sums_are_right", "all four sums are what the formula gives")
            .check(done("sequential").equals(4))
            .headline(),
    );
    lab.claim(
        Claim::that(
            "one_cpu_at_most",
            "one thread did the work, and used no more CPU time than one CPU has, to within a tenth",
        )
        .in_a_line("{left} thread did the work; it used {left2} of CPU in {right2}")
        .check(threads("sequential").equals(1))
        .check(cpu_user("sequential").at_most(middle_wall("sequential") * 1.05))
        .check(cpu_system("sequential").at_most(middle_wall("sequential") * 0.05))
        .headline(),
    );
    Ok(())
}
