//! What the run is to show; its figures decide.

use crate::{
    args::FxArgs,
    side::{Side, variant},
    sweep::Row,
    trade::{TASKS, THREADS, Trade},
};
use common::{
    Lab,
    claim::{Claim, number, of, top},
    format,
};
use std::collections::BTreeMap;

/// What the script's table is to show.
pub(crate) fn trade(args: &FxArgs, lab: &mut Lab, [threads, tasks]: &[Trade; 2]) {
    let differ = threads.outcomes.iter().zip(&tasks.outcomes);
    let differ = differ.filter(|(one, other)| one != other).count();
    lab.param("answers_that_differ", differ);
    let at_once = args.workers.get().min(args.quotes().len());
    let peak = |name| of(name, "ledger.peak_in_flight").equals(number(at_once as u32));
    lab.claim(
        Claim::that("one limit for both: the venue saw as many in flight from either as allowed")
            .check(peak(THREADS))
            .check(peak(TASKS)),
    );
    lab.claim(
        Claim::that("threads and tasks brought home the same quotes and fills")
            .check(top("params.answers_that_differ").equals(number(0))),
    );
    let wall = |name| of(name, "walls_s");
    lab.claim(
        Claim::that("under that limit it is a tie: neither took 1.25 times as long as the other")
            .check(wall(THREADS).below(wall(TASKS).times(1.25)))
            .check(wall(TASKS).below(wall(THREADS).times(1.25))),
    );
}

/// What the sweep is to show.
pub(crate) fn sweep(lab: &mut Lab, rows: &[Row]) {
    let ran = || rows.iter().filter(|row| row.limit.is_none());
    let other = ran().filter(|row| !row.reached_its_level()).count();
    lab.param("rows_with_another_number_in_flight", other);
    lab.param("sweep_rows", rows);
    if ran().next().is_some() {
        lab.claim(
            Claim::that(
                "in every row that ran, all requests were in flight at once, as the venue counted",
            )
            .check(top("params.rows_with_another_number_in_flight").equals(number(0))),
        );
        venue(lab, rows);
    }
    let pairs = || rows.chunks_exact(Side::BOTH.len());
    let both_ran = |pair: &&[Row]| pair.iter().all(|row| row.limit.is_none());
    if let Some(pair) = pairs().rfind(both_ran) {
        cost(
            lab,
            pair[0].level,
            [pair[0].grown_bytes(), pair[1].grown_bytes()],
        );
    }
    // One run a side says nothing about speed: the machine may have changed its own in between.
    let judged = |pair: &&[Row]| both_ran(pair) && pair[0].rounds.len() > 1;
    if let Some(pair) = pairs().rfind(judged) {
        time(lab, pair[0].level);
    }
}

/// What those that wait cost, at the largest level that both sides have reached.
fn cost(lab: &mut Lab, level: usize, [tasks, threads]: [Option<u64>; 2]) {
    let [task, thread] = Side::BOTH.map(|side| variant(side, level));
    let level = format::count(level as u64);
    let grown = BTreeMap::from([("tasks_bytes", tasks), ("threads_bytes", threads)]);
    lab.param("memory_grown", grown);
    lab.claim(
        Claim::that(format!(
            "{level} in flight: more threads than requests on one side, one thread on the other"
        ))
        .check(of(&*thread, "ledger.threads").above(of(&*thread, "ledger.submitted")))
        .check(of(&*task, "ledger.threads").equals(number(1)))
        .otherwise("threads are counted by looking now and then; at no look all were there"),
    );
    let memory = |side: &str| top(format!("params.memory_grown.{side}_bytes"));
    lab.claim(
        Claim::that(format!(
            "{level} waiting threads took more memory than {level} waiting tasks"
        ))
        .check(memory("threads").above(memory("tasks")))
        .otherwise("there were too few to tell from what the allocator holds anyway"),
    );
    let switches = |name: &str| of(name, "ledger.voluntary_switches");
    lab.claim(
        Claim::that("the threads gave up their CPU to wait more often than the tasks' one thread")
            .check(switches(&thread).above(switches(&task))),
    );
}

/// Who was through sooner, at the largest level that was run more than once.
fn time(lab: &mut Lab, level: usize) {
    let [tasks, threads] = Side::BOTH.map(|side| of(variant(side, level), "walls_s"));
    let level = format::count(level as u64);
    lab.claim(
        Claim::that(format!("{level} in flight: the tasks were through sooner"))
            .check(tasks.below(threads)),
    );
}

/// Whether it was the venue that held things up.
fn venue(lab: &mut Lab, rows: &[Row]) {
    let counts = || {
        rows.iter()
            .flat_map(|row| &row.rounds)
            .filter_map(|burst| burst.venue.get())
    };
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    lab.param(
        "venue_busy_ratio",
        most(&mut counts().map(|counts| counts.busy_ratio())),
    );
    lab.param(
        "venue_late_p99_s",
        most(&mut counts().map(|counts| counts.late_p99_s)),
    );
    lab.claim(
        Claim::that(
            "the venue had time to spare: in no row was its thread at work for three quarters of the time",
        )
            .check(top("params.venue_busy_ratio").below(number(0.75)))
            .otherwise("the venue shares the CPUs with its clients; the table above says in which row"),
    );
}

/// What pricing on the executor is to show.
pub(crate) fn heavy(lab: &mut Lab) {
    let p99 = |name: &str| top(format!("params.light_p99.{name}_s"));
    lab.claim(
        Claim::that("pricing on the executor held up the light quotes: their p99 was more than twice that alone")
            .check(p99("executor").above(p99("alone").times(2.0)))
            .otherwise("there was too little to price; raise `--paths`"),
    );
    lab.claim(
        Claim::that("beside the executor it held them up less than half as long")
            .check(p99("beside").below(p99("executor").times(0.5)))
            .otherwise("the pricing threads take their CPU time from the executor's"),
    );
    lab.claim(
        Claim::that("both ways gave the prices that one after another gives")
            .check(top("params.prices_that_differ").equals(number(0))),
    );
    lab.claim(
        Claim::that("the pricing is real work: four times the paths took 3 to 5⅓ times as long")
            .check(top("params.pricing_four_times_the_paths_ratio").above(number(3.0)))
            .check(top("params.pricing_four_times_the_paths_ratio").below(number(16.0 / 3.0)))
            .otherwise("the machine changed its speed while that was measured"),
    );
}
