//! What the runs are to show.

use crate::{
    args::Args,
    many::{A_THREAD_EACH, ON_A_POOL},
    start_up,
    sweep::{self, Kind, Sweep},
    ways::{ONE_BY_ONE, POOL, RAYON, THREAD_PER_TASK},
};
use common::{
    Experiment,
    experiment::claim::{Claim, number, of, ratio, top},
    report::format,
};
use lab_15_thread_pool_executor::knee::PAYS;

pub(crate) fn of_the_ways(args: &Args, lab: &mut Experiment) {
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

pub(crate) fn of_the_sweeps(lab: &mut Experiment, waits: &Sweep, work: &Sweep) {
    let count = |kind: &Kind, what| top(format!("params.{}.{what}", kind.param));
    let all = Claim::that("in both sweeps, on every size of pool, each task came back once");
    lab.claim([sweep::WAITS, sweep::WORK].iter().fold(all, |claim, kind| {
        claim.check(count(kind, "done").equals(count(kind, "submitted")))
    }));
    lab.claim(knee("I/O", &sweep::WAITS, waits));
    lab.claim(
        Claim::that("I/O: the knee lay beyond the number of CPUs")
            .check(top("params.io_sweep.knee").above(top("host.cpus")))
            .otherwise(match waits.knee {
                Some(knee) => format!("the knee was at {knee} of {} tasks", waits.tasks),
                None => NO_KNEE.into(),
            }),
    );
    lab.claim(knee("CPU", &sweep::WORK, work));
    lab.claim(
        Claim::that("CPU: the knee lay at the number of CPUs or below")
            .check(top("params.cpu_sweep.knee").at_most(top("host.cpus")))
            .otherwise(match work.knee {
                Some(knee) => format!("at {knee} threads a larger pool no longer gained"),
                None => NO_KNEE.into(),
            }),
    );
}

const NO_KNEE: &str = "the largest pool still gained; the knee is not within the sweep";

/// That the knee is where the rule says: the figures of the document decide.
fn knee(name: &str, kind: &Kind, sweep: &Sweep) -> Claim {
    let gain = |index| {
        top(format!(
            "params.{}.points.{index}.gain_of_a_larger",
            kind.param
        ))
    };
    let Some(knee) = sweep.knee_at else {
        // The last size has no larger one: the one before it tells.
        let before = sweep.points.len() - 2;
        return Claim::that(format!("{name}: the knee lies within the sweep"))
            .check(gain(before).at_most(number(PAYS)))
            .otherwise(NO_KNEE);
    };
    let workers = sweep.points[knee].workers;
    let claim = Claim::that(if knee == 0 {
        format!("{name}: knee at {workers}: no larger pool paid")
    } else {
        format!(
            "{name}: knee at {workers}: a larger pool paid over every smaller one, none over it"
        )
    });
    (0..knee).fold(
        claim.check(gain(knee).at_most(number(PAYS))),
        |claim, index| claim.check(gain(index).above(number(PAYS))),
    )
}

pub(crate) fn of_the_start_up(args: &Args, lab: &mut Experiment) {
    let (tasks, workers) = (args.tasks, args.workers);
    let cost = |what| top(format!("params.{}.{what}_s", start_up::PARAM));
    lab.claim(
        Claim::that("a task on a running pool cost less than a thread of its own")
            .check(cost("task_on_a_running_pool").below(cost("thread_for_a_task"))),
    );
    lab.claim(
        Claim::that(format!(
            "to start and end a pool of {workers} cost less than a thread for each of {tasks} tasks"
        ))
        .check(cost("pool").below(cost("thread_for_a_task").times(tasks.get() as f64)))
        .otherwise(
            "the more threads in the pool and the fewer the tasks, the less there is to save",
        ),
    );
}

pub(crate) fn of_the_many(args: &Args, lab: &mut Experiment, limits: Option<String>) {
    let many = args.many.get();
    let count = format::count(many as u64);
    lab.claim(
        Claim::that(format!(
            "the pool did {count} tasks with no more threads than for {}",
            args.tasks
        ))
        .check(of(ON_A_POOL, "ledger.done").equals(number(many as f64)))
        .check(of(ON_A_POOL, "ledger.threads").at_most(number(args.workers.get() as f64 + 1.0))),
    );
    let each = Claim::that(format!(
        "a thread for each of {count} fits within this machine's limits"
    ))
    .check(of(A_THREAD_EACH, "results.started").equals(number(many as f64)));
    lab.claim(match limits {
        Some(reason) => each.otherwise(reason),
        None => each,
    });
    lab.claim(
        Claim::that("the threads held more memory than the pool's whole program")
            .check(
                of(A_THREAD_EACH, "results.peak_rss_bytes")
                    .above(of(ON_A_POOL, "ledger.peak_rss_bytes")),
            )
            .otherwise("too few threads to weigh, or none were counted"),
    );
}
