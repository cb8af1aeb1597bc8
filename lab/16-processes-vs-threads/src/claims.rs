//! What the runs are to show; which verdict is claimed is computed, and its claim checks the rule.

use crate::{
    args::Args,
    ends::{IN_A_PROCESS, IN_A_THREAD},
    rule::{why_not_faster, why_too_noisy},
    square::{
        CPU_PROCESSES, CPU_RATIO, CPU_THREADS, IO_PROCESSES, IO_RATIO, IO_THREADS, ONE_BY_ONE,
        PROCESSES_RATIO, Square, THREADS_RATIO,
    },
    sweep::{Sweep, WAYS},
};
use common::{
    Lab,
    claim::{Claim, Figure, number, of, top},
    format,
};
use lab_16_processes_vs_threads::verdict::{MARGIN, MARGIN_BELOW, Verdict};

pub(crate) fn of_the_square(args: &Args, lab: &mut Lab, square: &Square) {
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
    let rounds = args.rounds.get();
    for (kind, at, compared, flag) in [
        ("CPU work", CPU_RATIO, &square.cpu, "--work"),
        ("I/O", IO_RATIO, &square.io, "--wait"),
    ] {
        let ratios = top(format!("params.{at}.ratios"));
        lab.claim(
            verdict(kind, ratios, compared.verdict).otherwise(why_too_noisy(
                compared,
                rounds,
                ["threads", "processes"],
                flag,
            )),
        );
    }
    overlap(args, lab, square);
}

/// The claim of the verdict that was reached; where none was, that there is no difference.
fn verdict(kind: &str, ratios: Figure, verdict: Verdict) -> Claim {
    match verdict {
        Verdict::FirstFaster => Claim::that(format!(
            "{kind}: threads were faster than processes in every round that counts"
        ))
        .check(ratios.above(number(MARGIN))),
        Verdict::SecondFaster => Claim::that(format!(
            "{kind}: processes were faster than threads in every round that counts"
        ))
        .check(ratios.below(number(MARGIN_BELOW))),
        Verdict::NoDetectableDifference | Verdict::TooNoisy => Claim::that(format!(
            "{kind}: no detectable difference between threads and processes"
        ))
        .check(ratios.clone().at_most(number(MARGIN)))
        .check(ratios.at_least(number(MARGIN_BELOW))),
    }
}

fn overlap(args: &Args, lab: &mut Lab, square: &Square) {
    lab.param("waits_in_a_row_s", args.waits_in_a_row_s());
    let row = || top("params.waits_in_a_row_s").times(0.75);
    let waits = Claim::that("I/O: the waits overlapped on either, below 3/4 of them in a row")
        .check(of(IO_THREADS, "walls_s").below(row()))
        .check(of(IO_PROCESSES, "walls_s").below(row()));
    let work = |at| top(format!("params.{at}.ratios")).below(number(MARGIN_BELOW));
    let works =
        Claim::that("CPU work: either was faster than one by one in every round that counts")
            .check(work(THREADS_RATIO))
            .check(work(PROCESSES_RATIO));
    let single = args.workers.get() == 1 || args.jobs.get() == 1;
    if single {
        let reason = "one worker, or one job, has nothing to overlap with";
        lab.claim(waits.otherwise(reason));
        lab.claim(works.otherwise(reason));
    } else {
        lab.claim(waits.otherwise("the waits are short beside the start of the pools"));
        lab.claim(
            works
                .otherwise(why_not_faster(square, args.rounds.get()))
                .needs_cpus(),
        );
    }
    lab.claim(
        Claim::that("I/O: memory resident, added up, was more in processes than on threads").check(
            of(IO_PROCESSES, "ledger.peak_rss_bytes")
                .above(of(IO_THREADS, "ledger.peak_rss_bytes")),
        ),
    );
}

/// A claim for each way: from which size on it was faster, or that there was such a size.
pub(crate) fn of_the_sweep(args: &Args, lab: &mut Lab, sweep: &Sweep) {
    lab.claim(
        Claim::that("in the sweep, too, every job came out as it does one by one")
            .check(top("params.sweep.right").equals(top("params.sweep.jobs"))),
    );
    let last = sweep.points.len() - 1;
    for (way, (field, name)) in WAYS.into_iter().enumerate() {
        let from = sweep.break_even_at(way);
        let steps = format::count(sweep.points[from.unwrap_or(last)].steps);
        let claim = Claim::that(match from {
            Some(_) => format!("{name}: faster than one by one from {steps} steps a job on"),
            None => format!("{name}: faster than one by one at the end of the sweep"),
        });
        let claim = (from.unwrap_or(last)..=last).fold(claim, |claim, index| {
            let ratios = top(format!("params.sweep.points.{index}.{field}.ratios"));
            claim.check(ratios.below(number(MARGIN_BELOW)))
        });
        lab.claim(match from {
            Some(_) => claim,
            None => claim.needs_cpus().otherwise(format!(
                "no break-even within the sweep; at {steps} steps a job: {}",
                sweep.why_none(way, args.rounds.get(), lab)
            )),
        });
    }
}

pub(crate) fn of_the_ends(lab: &mut Lab) {
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
