//! What the runs are to show.

use crate::{
    args::Args,
    many::{A_THREAD_EACH, ON_A_POOL},
    start_up,
    sweep::{self, Kind, Sweep},
    ways::{ONE_BY_ONE, POOL, RAYON, THREAD_PER_TASK},
};
use common::{
    Lab,
    claim::{Claim, Figure, number, of, ratio, top},
    format,
};
use lab_15_thread_pool_executor::knee::PAYS;

pub(crate) fn of_the_ways(args: &Args, lab: &mut Lab) {
    let (tasks, workers) = (args.tasks.get(), args.workers.get());
    let walls = |way| of(way, "walls_s");
    let all = Claim::that("every way brought back each task once");
    let ways = [ONE_BY_ONE, THREAD_PER_TASK, POOL, RAYON];
    lab.claim(ways.into_iter().fold(all, |claim, way| {
        claim.check(of(way, "ledger.done").equals(number(tasks as f64)))
    }));
    lab.claim(
        Claim::that("on the pool a result came ahead of one asked for earlier")
            .check(of(POOL, "results.overtaking").above(number(0)))
            .otherwise("with one worker, or waits that are alike, none can overtake"),
    );
    let sooner =
        Claim::that("a thread per task was done sooner than a pool, and took more threads")
            .check(walls(THREAD_PER_TASK).below(walls(POOL)))
            .check(of(THREAD_PER_TASK, "ledger.threads").above(of(POOL, "ledger.threads")));
    lab.claim(if tasks <= workers {
        sooner.otherwise("the pool has a thread for every task")
    } else {
        sooner
    });
    lab.claim(
        Claim::that("the pool by hand and rayon's, of one size, were within a tenth of each other")
            .check(ratio(walls(POOL), walls(RAYON)).at_most(number(PAYS)))
            .check(ratio(walls(RAYON), walls(POOL)).at_most(number(PAYS))),
    );
}

pub(crate) fn of_the_sweeps(lab: &mut Lab, waits: &Sweep, work: &Sweep) {
    let count = |kind: &Kind, what| top(format!("params.{}.{what}", kind.param));
    let all = Claim::that("in both sweeps, on every size of pool, each task came back once");
    lab.claim([sweep::WAITS, sweep::WORK].iter().fold(all, |claim, kind| {
        claim.check(count(kind, "done").equals(count(kind, "submitted")))
    }));
    lab.claim(knee("I/O", &sweep::WAITS, waits));
    lab.claim(
        Claim::that("I/O: the knee lay beyond the number of CPUs")
            .check(count(&sweep::WAITS, "knee").above(top("host.cpus")))
            .otherwise(match waits.knee {
                Some(knee) => format!("the knee was at {knee} threads for {} tasks", waits.tasks),
                None => NO_KNEE.into(),
            }),
    );
    lab.claim(knee("CPU", &sweep::WORK, work));
    lab.claim(cpu_knee_by_cpus(work));
}

const NO_KNEE: &str = "the largest pool still gained; the knee is not within the sweep";

/// A figure of one size of pool.
fn of_size(kind: &Kind, sweep: &Sweep, index: usize, what: &str) -> Figure {
    let size = sweep::name_of(sweep.points[index].workers);
    top(format!("params.{}.{size}.{what}", kind.param))
}

/// That the knee is where the rule says: the figures of the document decide.
fn knee(name: &str, kind: &Kind, sweep: &Sweep) -> Claim {
    let best_larger = |index| of_size(kind, sweep, index, "best_larger_speedup");
    let Some(knee) = sweep.knee_at else {
        // The last size has no larger one: the one before it tells.
        let before = sweep.points.len() - 2;
        return Claim::that(format!("{name}: the knee lies within the sweep"))
            .check(best_larger(before).at_most(number(PAYS)))
            .otherwise(NO_KNEE);
    };
    let workers = sweep.points[knee].workers;
    let claim = Claim::that(if knee == 0 {
        format!("{name}: knee at {workers}: no larger pool was over {PAYS}× as fast in every round")
    } else {
        format!(
            "{name}: knee at {workers}: no larger pool was over {PAYS}× as fast in every round, and \
             over each smaller size one was"
        )
    });
    (0..knee).fold(
        claim.check(best_larger(knee).at_most(number(PAYS))),
        |claim, index| claim.check(best_larger(index).above(number(PAYS))),
    )
}

/// That more threads than CPUs brought CPU work nothing; a noisy machine can hide what they brought
/// in one of the rounds, so the speed-ups by the middle round have a say, too.
fn cpu_knee_by_cpus(work: &Sweep) -> Claim {
    let of_all = |what| top(format!("params.{}.{what}", sweep::WORK.param));
    let claim = Claim::that(
        "CPU: the knee lay at the number of CPUs or below, its speed-up near the best of all",
    )
    .check(of_all("knee").at_most(top("host.cpus")));
    match work.knee_at {
        None => claim.otherwise(NO_KNEE),
        Some(knee) => {
            let own = of_size(&sweep::WORK, work, knee, "speedup");
            let reason = format!(
                "the knee was at {}, and by the middle round the best size was {:.2}× as fast as that",
                work.points[knee].workers,
                work.best_speedup / work.points[knee].speedup
            );
            claim
                .check(ratio(of_all("best_speedup"), own).at_most(number(PAYS)))
                .otherwise(reason)
        }
    }
}

pub(crate) fn of_the_start_up(args: &Args, lab: &mut Lab) {
    let (tasks, workers) = (args.tasks, args.workers);
    let cost = |what| top(format!("params.{}.{what}_s", start_up::PARAM));
    lab.claim(
        Claim::that("a task on a running pool cost less than a thread of its own")
            .check(cost("task_on_a_running_pool").below(cost("thread_for_a_task"))),
    );
    let cheaper = Claim::that(format!(
        "to start and end a pool of {workers} cost less than a thread for each of {tasks} tasks"
    ))
    .check(cost("pool").below(cost("thread_for_a_task").times(tasks.get() as f64)));
    lab.claim(if tasks <= workers {
        cheaper.otherwise("the pool has a thread for every task")
    } else {
        cheaper
    });
}

pub(crate) fn of_the_many(args: &Args, lab: &mut Lab, limits: Option<String>) {
    let many = args.many.get();
    let count = format::count(many as u64);
    lab.claim(
        Claim::that(format!(
            "the pool did {count} tasks on its {} threads, the main one beside them",
            args.workers
        ))
        .check(of(ON_A_POOL, "ledger.done").equals(number(many as f64)))
        .check(of(ON_A_POOL, "ledger.threads").at_most(number(args.workers.get() as f64 + 1.0))),
    );
    let each = Claim::that(format!(
        "a thread for each of {count} fits within this machine's limits"
    ))
    .check(of(A_THREAD_EACH, "results.threads_at_once").equals(number(many as f64)));
    lab.claim(match limits {
        Some(reason) => each.otherwise(reason),
        None => each,
    });
    lab.claim(
        Claim::that(
            "the process with all those threads held more memory than the one with the pool",
        )
        .check(
            of(A_THREAD_EACH, "results.peak_rss_bytes")
                .above(of(ON_A_POOL, "ledger.peak_rss_bytes")),
        )
        .otherwise("too few threads to weigh, or none were counted"),
    );
}
