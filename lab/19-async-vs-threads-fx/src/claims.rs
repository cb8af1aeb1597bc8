//! What the run is to show; its figures decide.

use crate::{
    args::FxArgs,
    heavy::{ALONE, BESIDE, EXECUTOR, Light},
    sweep::Row,
    trade::{TASKS, THREADS, Trade},
};
use common::{
    Lab,
    claim::{Claim, bytes, count, in_flight, submitted, threads, times, waits, wall},
    format,
};

/// What the script's table is to show.
pub(crate) fn trade(args: &FxArgs, lab: &mut Lab, [by_threads, by_tasks]: &[Trade; 2]) {
    let pairs = by_threads.outcomes.iter().zip(&by_tasks.outcomes);
    let differ = pairs.filter(|(one, other)| one != other).count();
    let differ = lab.count(None, "answers_that_differ", differ);
    let at_once = || count(args.workers.get().min(args.quotes().len()));
    lab.claim(
        Claim::that(
            "one_limit",
            "one limit for both: the venue saw as many in flight from either as allowed",
        )
        .check(in_flight(THREADS).equals(at_once()))
        .check(in_flight(TASKS).equals(at_once())),
    );
    lab.claim(
        Claim::that(
            "same_answers",
            "threads and tasks brought the same quotes and fills",
        )
        .check(differ.equals(count(0))),
    );
    lab.claim(
        Claim::that(
            "a_tie",
            "under that limit it is a tie: neither took 1.25 times as long as the other",
        )
        .check(wall(THREADS).below(wall(TASKS) * 1.25))
        .check(wall(TASKS).below(wall(THREADS) * 1.25))
        .headline(),
    );
}

/// What the sweep is to show.
pub(crate) fn sweep(lab: &mut Lab, rows: &[[Row; 2]]) {
    let ran: Vec<&Row> = rows
        .iter()
        .flatten()
        .filter(|row| row.limit.is_none())
        .collect();
    if !ran.is_empty() {
        at_once(lab, &ran);
    }
    let both_ran = |pair: &&[Row; 2]| pair.iter().all(|row| row.limit.is_none());
    if let Some(pair) = rows.iter().rfind(both_ran) {
        cost(lab, pair);
    }
    // One run a side says nothing about speed: the machine may have changed its own in between.
    let judged = |pair: &&[Row; 2]| both_ran(pair) && pair[0].rounds.len() > 1;
    if let Some([tasks, by_threads]) = rows.iter().rfind(judged) {
        let level = format::count(tasks.level as u64);
        lab.claim(
            Claim::that(
                "tasks_are_sooner",
                format!(
                    "{level} in flight: the threads took at least 1.1 times as long as the tasks"
                ),
            )
            .check(wall(&by_threads.name).at_least(wall(&tasks.name) * 1.1)),
        );
    }
}

/// How many there were at once, and whether it was the venue that held things up.
fn at_once(lab: &mut Lab, ran: &[&Row]) {
    let mut all = Claim::that(
        "all_in_flight",
        "in every row that ran, all requests were in flight at once, as the venue counted",
    );
    for row in ran {
        let peaks = row
            .rounds
            .iter()
            .map(|burst| burst.venue.peak_in_flight as usize);
        let peak = peaks.map(|peak| lab.count(&*row.name, "requests_at_the_venue_at_once", peak));
        if let Some(peak) = peak.last() {
            all = all.check(peak.equals(count(row.level)));
        }
    }
    lab.claim(all);
    let busiest = ran
        .iter()
        .map(|row| row.busiest_venue())
        .fold(0.0, f64::max);
    let busiest = lab.ratio(None, "the_venue's_CPU_over_wall_time_at_most", busiest);
    lab.claim(
        Claim::that(
            "venue_has_time",
            "the venue had time to spare: in no row did it work for three quarters of the time",
        )
        .check(busiest.below(times(0.75))),
    );
}

/// What those that wait cost, at the largest level that both sides have reached.
fn cost(lab: &mut Lab, [tasks, by_threads]: &[Row; 2]) {
    let level = format::count(tasks.level as u64);
    let (task, thread) = (&*tasks.name, &*by_threads.name);
    lab.claim(
        Claim::that(
            "threads",
            format!(
                "{level} in flight: more threads than requests on one side, one seen on the other"
            ),
        )
        .check(threads(thread).above(submitted(thread)))
        .check(threads(task).equals(count(1))),
    );
    if let Some((tasks, by_threads)) = tasks.grown_bytes().zip(by_threads.grown_bytes()) {
        let tasks = lab.bytes(task, "memory_grew_by", tasks);
        let by_threads = lab.bytes(thread, "memory_grew_by", by_threads);
        lab.claim(
            Claim::that(
                "threads_take_memory",
                format!("{level} waiting threads took over 1.5 times the memory of as many tasks"),
            )
            .check(by_threads.clone().above(tasks * 1.5))
            // A few pages come and go by themselves.
            .check(by_threads.at_least(bytes(65_536.0)))
            .headline(),
        );
    }
    lab.claim(
        Claim::that(
            "switches",
            "the threads gave up their CPU to wait over twice as often as the tasks",
        )
        .check(waits(thread).above(waits(task) * 2.0)),
    );
}

/// What pricing on the executor is to show.
pub(crate) fn heavy(lab: &mut Lab, light: &Light) {
    let mut p99 = |name| {
        let rounds = light.p99.iter().filter(|round| round.0 == name);
        rounds
            .map(|round| lab.duration(name, "p99_of_the_light_quotes", round.1))
            .last()
    };
    let all = p99(ALONE).zip(p99(EXECUTOR)).zip(p99(BESIDE));
    let Some(((alone, executor), beside)) = all else {
        return;
    };
    lab.claim(
        Claim::that(
            "executor_is_held_up",
            "pricing on the executor held up the light quotes: p99 more than twice that alone",
        )
        .check(executor.clone().above(alone * 2.0))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "beside_helps",
            "beside the executor it held them up less than half as long",
        )
        .check(beside.below(executor * 0.5))
        .headline(),
    );
    prices(lab, light);
}

fn prices(lab: &mut Lab, light: &Light) {
    let differ = lab.count(None, "prices_that_differ", light.differing);
    lab.claim(
        Claim::that(
            "same_prices",
            "both ways gave the prices that one after another gives",
        )
        .check(differ.equals(count(0))),
    );
    let linearity = lab.ratio(None, "time_for_four_times_the_paths", light.linearity);
    lab.claim(
        Claim::that(
            "pricing_is_work",
            "four times the paths took 3 to 5⅓ times as long to price",
        )
        .check(linearity.clone().above(times(3.0)))
        .check(linearity.below(times(16.0 / 3.0))),
    );
}
