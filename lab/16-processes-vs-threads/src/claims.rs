//! What the runs are to show; which verdict is claimed is computed, and its claim checks the rule.

use crate::{
    args::Args,
    ends::{IN_A_PROCESS, IN_A_THREAD},
    square::{CPU_PROCESSES, CPU_THREADS, IO_PROCESSES, IO_THREADS, ONE_BY_ONE, Square, ratios},
    sweep::{Sweep, WAYS},
};
use common::{
    Experiment,
    experiment::claim::{Check, Claim, Figure, number, of, ratio, top},
    report::format,
};
use lab_16_processes_vs_threads::verdict::{Comparison, LEAST_ROUNDS, MARGIN, Verdict};

/// Two ways in the document: their times by round, and where their comparison stands.
struct Pair {
    first: (&'static str, Figure),
    second: (&'static str, Figure),
    median_ratio: Figure,
    spread: Figure,
}

pub(crate) fn of_the_square(args: &Args, lab: &mut Experiment, square: &Square) {
    let done = Claim::that("in every way every job came out as it does one by one");
    let ways = [
        ONE_BY_ONE,
        CPU_THREADS,
        CPU_PROCESSES,
        IO_THREADS,
        IO_PROCESSES,
    ];
    lab.claim(ways.into_iter().fold(done, |claim, way| {
        claim.check(of(way, "ledger.done").equals(number(args.jobs.get() as f64)))
    }));
    for (kind, at, [threads, processes], compared) in [
        (
            "CPU work",
            "cpu_processes_over_threads",
            [CPU_THREADS, CPU_PROCESSES],
            &square.cpu,
        ),
        (
            "I/O",
            "io_processes_over_threads",
            [IO_THREADS, IO_PROCESSES],
            &square.io,
        ),
    ] {
        let pair = Pair {
            first: ("threads", of(threads, "walls_s")),
            second: ("processes", of(processes, "walls_s")),
            median_ratio: top(format!("params.{at}.median_ratio")),
            spread: top(format!("params.{at}.spread")),
        };
        lab.claim(verdict(kind, pair, compared, args.rounds.get()));
    }
    overlap(args, lab);
}

/// The claim of the verdict that was reached; where none was, that there is no difference.
fn verdict(kind: &str, pair: Pair, compared: &Comparison, rounds: usize) -> Claim {
    let ratios = ratios(compared);
    match compared.verdict {
        Verdict::FirstFaster => faster(kind, pair),
        Verdict::SecondFaster => faster(
            kind,
            Pair {
                first: pair.second,
                second: pair.first,
                median_ratio: ratio(number(1), pair.median_ratio),
                spread: pair.spread,
            },
        ),
        Verdict::NoDetectableDifference | Verdict::TooNoisy => {
            let ((first, first_s), (second, second_s)) = (pair.first, pair.second);
            Claim::that(format!(
                "{kind}: no detectable difference between {first} and {second}"
            ))
            .check(ratio(second_s.clone(), first_s.clone()).at_most(number(MARGIN)))
            .check(ratio(first_s, second_s).at_most(number(MARGIN)))
            .check(enough_rounds())
            .otherwise(if rounds < LEAST_ROUNDS {
                format!("{rounds} of at least {LEAST_ROUNDS} rounds decide nothing")
            } else {
                format!("too noisy: by round, {second} took {ratios} times as long as {first}")
            })
        }
    }
}

fn enough_rounds() -> Check {
    top("params.rounds").at_least(number(LEAST_ROUNDS as f64))
}

/// That the first of the pair was faster, by the rule of the verdict.
fn faster(kind: &str, pair: Pair) -> Claim {
    let (first, second) = (pair.first.0, pair.second.0);
    let claim = Claim::that(format!("{kind}: {first} were faster than {second}"));
    by_the_rule(claim, pair).check(enough_rounds())
}

/// Beyond the margin in every round, and in the middle round beyond the spread.
fn by_the_rule(claim: Claim, pair: Pair) -> Claim {
    claim
        .check(ratio(pair.second.1, pair.first.1).above(number(MARGIN)))
        .check(pair.median_ratio.above(pair.spread))
}

fn overlap(args: &Args, lab: &mut Experiment) {
    lab.param("waits_in_a_row_s", args.waits_in_a_row_s());
    let row = || top("params.waits_in_a_row_s").times(0.75);
    let waits = Claim::that("I/O: the waits overlapped on either, below 3/4 of them in a row")
        .check(of(IO_THREADS, "walls_s").below(row()))
        .check(of(IO_PROCESSES, "walls_s").below(row()));
    let work = |variant| of(variant, "walls_s").below(of(ONE_BY_ONE, "walls_s").times(0.75));
    let works = Claim::that("CPU work: either took less than 3/4 of the time one by one")
        .check(work(CPU_THREADS))
        .check(work(CPU_PROCESSES));
    let single = args.workers.get() == 1 || args.jobs.get() == 1;
    if single {
        let reason = "one worker, or one job, has nothing to overlap with";
        lab.claim(waits.otherwise(reason));
        lab.claim(works.otherwise(reason));
    } else {
        lab.claim(waits.otherwise("the waits are short beside the start of the pools"));
        lab.claim(works.needs_cpus());
    }
    lab.claim(
        Claim::that("I/O: memory resident, added up, was more in processes than on threads").check(
            of(IO_PROCESSES, "ledger.peak_rss_bytes")
                .above(of(IO_THREADS, "ledger.peak_rss_bytes")),
        ),
    );
}

/// A claim for each way: from which size on it was faster, or that there was such a size.
pub(crate) fn of_the_sweep(lab: &mut Experiment, sweep: &Sweep) {
    lab.claim(
        Claim::that("in the sweep, too, every job came out as it does one by one")
            .check(top("params.sweep.right").equals(top("params.sweep.jobs"))),
    );
    for (way, (field, name)) in WAYS.into_iter().enumerate() {
        let last = sweep.points.len() - 1;
        let from = sweep.break_even_at(way);
        let steps = format::count(sweep.points[from.unwrap_or(last)].steps);
        let claim = Claim::that(match from {
            Some(_) => format!("{name}: faster than one by one from {steps} steps a job on"),
            None => format!("{name}: faster than one by one at the end of the sweep"),
        });
        let claim = (from.unwrap_or(last)..=last).fold(claim, |claim, index| {
            let at = |path: &str| top(format!("params.sweep.points.{index}.{path}"));
            let pair = Pair {
                first: (name, at(&format!("{field}.times_s"))),
                second: ("one by one", at("one_by_one_s")),
                median_ratio: ratio(number(1), at(&format!("{field}.median_ratio"))),
                spread: at(&format!("{field}.spread")),
            };
            by_the_rule(claim, pair)
        });
        let claim = claim.check(enough_rounds());
        lab.claim(match &sweep.points[last].ways()[way].over_one_by_one {
            Some(compared) if from.is_none() => claim.needs_cpus().otherwise(format!(
                "no break-even within the sweep: at {steps} steps, by round, {} times as long",
                ratios(compared)
            )),
            _ => claim,
        });
    }
}

pub(crate) fn of_the_ends(lab: &mut Experiment) {
    lab.claim(
        Claim::that("an abort in a process cost one worker and one job; the others finished")
            .check(of(IN_A_PROCESS, "ledger.failed").equals(number(1)))
            .check(of(IN_A_PROCESS, "results.pool.workers_lost").equals(number(1)))
            .check(of(IN_A_PROCESS, "ledger.cancelled").equals(number(0))),
    );
    lab.claim(
        Claim::that("an abort in a thread ended its whole program, and no result came out of it")
            .check(of(IN_A_THREAD, "results.ended_well").equals(number(0)))
            .check(of(IN_A_THREAD, "results.results_handed_over").equals(number(0))),
    );
}
