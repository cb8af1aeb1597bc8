//! A few tasks in four ways; how large a pool should be; and very many tasks.

use crate::Args;
use common::{
    Bound, Comparison, Lab, Recorded, Sweep, Tally,
    claim::{Claim, Count, Figure, cpus, done, peak_memory, submitted, threads},
    format,
    timing::timed,
};
use lab_15_thread_pool_executor::{
    Done, Load, Task,
    crowd::{CROWD, Crowd},
    run_on_pool, run_on_rayon, run_one_by_one, run_thread_per_task,
};
use measure::workload::Seeded;
use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

const ONE_BY_ONE: &str = "one by one";
const PER_TASK: &str = "thread per task";
const POOL: &str = "pool by hand";
const RAYON: &str = "rayon";
const AHEAD: &str = "results_ahead_of_one_asked_for_earlier";

/// Calls what it gets with each result.
type Way<'a> = &'a dyn Fn(&mut dyn FnMut(Done));

/// Runs each way once per round.
pub(crate) fn ways(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (tasks, workers) = (waits(args, lab.seed()), args.workers);
    let (all, rounds, size) = (tasks.len(), args.rounds.get(), workers.get());
    lab.say(format!(
        "waits: {all}, four ways in turns, rounds: {rounds}; threads of a pool: {workers} …"
    ));
    let ways: [(&str, usize, Way<'_>); 4] = [
        (ONE_BY_ONE, 1, &|each| run_one_by_one(&tasks, each)),
        (PER_TASK, all, &|each| run_thread_per_task(&tasks, each)),
        (POOL, size, &|each| run_on_pool(workers, &tasks, each)),
        (RAYON, size, &|each| run_on_rayon(workers, &tasks, each)),
    ];
    let mut came = Vec::new();
    for (name, at_once, way) in ways.into_iter().cycle().take(rounds * ways.len()) {
        let bound = Bound::Waits {
            each: None,
            count: all,
            at_once,
        };
        let variant = lab.variant(name).bound(bound);
        let order = variant.run_counted(|| Ok(order(way)), |order| tally(&tasks, order))?;
        let order = order.unwrap_or_default();
        if name == POOL {
            let overtakes = |at: &usize| order[*at..].iter().any(|later| *later < order[*at]);
            let ahead = (0..order.len()).filter(overtakes).count();
            lab.note(POOL, AHEAD, ahead);
            came = order;
        }
    }
    let came: Vec<String> = came.iter().take(20).map(ToString::to_string).collect();
    lab.say(format!("results as they came: {}", came.join(" ")));
    claim_ways(lab, all > size);
    Ok(())
}

/// Claims what the ways returned, and which was sooner; a pool may have fewer threads than there are tasks.
fn claim_ways(lab: &mut Lab, is_smaller: bool) {
    let text = "on the pool a result came before one that was asked for earlier";
    let ahead = Figure::<Count>::noted(Some(POOL), AHEAD);
    lab.claim(Claim::that("overtaking", text).check(ahead.above(0)));
    let text = "every way returned the result of each task once";
    let ways = [ONE_BY_ONE, PER_TASK, POOL, RAYON];
    let once = ways.map(|way| done(way).equals(submitted(way)));
    let claim = Claim::that("each_once", text);
    lab.claim(once.into_iter().fold(claim, Claim::check));
    let about = "a thread per task beside a pool";
    let sooner = lab.compare("thread_per_task_is_sooner", about, [PER_TASK, POOL]);
    let more = is_smaller.then(|| threads(PER_TASK).above(threads(POOL)));
    lab.claim(more.into_iter().fold(sooner, Claim::check));
    let alike = lab.compare("pools_are_alike", "two pools of one size", [POOL, RAYON]);
    lab.claim(alike);
}

/// The tasks: waits of unequal length, the same for the same seed.
fn waits(args: &Args, seed: u64) -> Vec<Task> {
    let mean = args.wait.0;
    let task = |number: usize| {
        let mut random = Seeded::for_item(seed, number as u64);
        // A nanosecond at least, so that the range is never empty.
        let wait = random.duration(mean / 2..mean * 3 / 2 + Duration::from_nanos(1));
        let load = Load::Wait(wait);
        Task { number, load }
    };
    (1..=args.tasks.get()).map(task).collect()
}

/// The numbers of the tasks as their results come.
fn order(way: Way<'_>) -> Vec<usize> {
    let mut numbers = Vec::new();
    way(&mut |(number, _)| numbers.push(number));
    numbers
}

/// A result that came twice is none.
fn tally(tasks: &[Task], numbers: &[usize]) -> Tally {
    let once: BTreeSet<usize> = numbers.iter().copied().collect();
    let came = |task: &Task| once.len() == numbers.len() && once.contains(&task.number);
    Tally::of_checked(tasks, came)
}

/// Runs waits and CPU work on a pool of each size once per round, and claims where each knee lies.
pub(crate) fn sweep(args: &Args, lab: &mut Lab) {
    let names = ["waits of 8 ms", "CPU work of 2 M steps"];
    let loads = [Load::Wait(Duration::from_millis(8)), Load::Work(2_000_000)];
    // Fewer than the largest pool has threads, so that the sweep sees what idle threads add.
    let all = args.largest.get().div_ceil(2);
    let mut sweep = Sweep::new("threads", &names, sizes(args.largest.get()));
    let mut missing = 0;
    for _ in 0..args.rounds.get() {
        for size in 0..sweep.sizes.len() {
            let threads = NonZeroUsize::new(sweep.sizes[size] as usize).expect("one at least");
            let times = loads.map(|load| {
                let tasks = (1..=all).map(|number| Task { number, load });
                let tasks: Vec<Task> = tasks.collect();
                missing += all;
                timed(|| run_on_pool(threads, &tasks, |_| missing -= 1)).1
            });
            sweep.add(size, times);
        }
    }
    let missing = lab.note(None, "results_missing", missing);
    let text = "every pool of the sweep did all its tasks";
    lab.claim(Claim::that("sweep_complete", text).check(missing.equals(0)));
    claim_knees(lab, &sweep, all);
}

/// Shows and claims where the knees lie: of waits past the number of CPUs, of CPU work not.
fn claim_knees(lab: &mut Lab, sweep: &Sweep, all: usize) {
    let knees = [0, 1].map(|way| find_knee(sweep, way));
    let note = format!("tasks: {all}; * knee: no larger pool was faster by a tenth in every round");
    let cell = |size, way: usize, time| match knees[way] == Some(size) {
        true => format!("* {time}"),
        false => time,
    };
    sweep.show(lab, ["By the size of the pool", &note], cell);
    let size = |at: Option<usize>| sweep.sizes[at.unwrap_or(sweep.sizes.len() - 1)] as usize;
    let waits = lab.note(None, "knee_of_waits", size(knees[0]));
    let text = "waits: more workers still helped beyond the number of CPUs";
    let claim = Claim::that("waits_pay_past_the_cpus", text).check(waits.above(cpus()));
    lab.claim(claim.headline());
    let work = lab.note(None, "knee_of_work", size(knees[1]));
    let largest = lab.note(None, "largest_pool", size(None));
    let text = "CPU work: beyond the number of CPUs more workers no longer helped";
    let claim = Claim::that("work_pays_up_to_the_cpus", text).check(work.at_most(cpus()));
    // Otherwise the sweep has not looked beyond them.
    lab.claim(claim.check(largest.above(cpus())).headline());
}

/// 1, 2, 4 … and the largest.
fn sizes(largest: usize) -> Vec<u64> {
    let doubling = (0..).map(|power| 1 << power);
    let smaller = doubling.take_while(|size| *size < largest as u64);
    smaller.chain([largest as u64]).collect()
}

/// The first size over which no larger one pays, in one way; `None` where the largest still did.
fn find_knee(sweep: &Sweep, way: usize) -> Option<usize> {
    let last = sweep.sizes.len() - 1;
    let pays = |size: usize, larger: usize| {
        let [own, larger] = [size, larger].map(|size| &sweep.times_s[size][way]);
        Comparison::of(own, larger) == Comparison::SecondFaster
    };
    (0..last).find(|&size| !(size + 1..=last).any(|larger| pays(size, larger)))
}

const ON_A_POOL: &str = "many: pool";
const THREADS: &str = "many: threads";

/// Runs very many short tasks on the pool; then lets a thread for each be there at once.
pub(crate) fn many(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (asked, workers, load) = (args.many.get(), args.workers, Load::Work(1000));
    let tasks: Vec<Task> = (1..=asked).map(|number| Task { number, load }).collect();
    let shown = format::count(asked as u64);
    lab.say(format!(
        "{shown} short tasks on the pool; then, in another process, a thread for each …"
    ));
    let work = || Ok(order(&|each| run_on_pool(workers, &tasks, each)));
    let pool = lab.variant(ON_A_POOL).other_work();
    pool.run_counted(work, |numbers| tally(&tasks, numbers))?;
    let threads_of = format::counted(workers.get(), "thread");
    let text = format!("the pool did {shown} tasks on {threads_of}");
    let claim = Claim::that("a_pool_takes_any_number", text)
        .check(done(ON_A_POOL).equals(asked))
        .check(threads(ON_A_POOL).at_most(workers.get() + 1));
    lab.claim(claim.headline());
    a_thread_for_each(lab, asked, &shown)
}

/// Lets so many threads be there at once, in a process of its own, and claims what they take.
fn a_thread_for_each(lab: &mut Lab, asked: usize, shown: &str) -> anyhow::Result<()> {
    let numbers: Vec<usize> = (1..=asked).collect();
    let gathered = lab.variant(THREADS).other_work().run_counted(
        || Ok(gather(asked)),
        |(started, _)| Tally::of_checked(&numbers, |number| number <= started),
    )?;
    let Some((started, refused)) = gathered else {
        return Ok(());
    };
    let at_once = lab.note(THREADS, "threads_at_once", started);
    let text = format!("{shown} threads at once fit this machine");
    let fits = Claim::that("a_thread_each_fits", text).check(at_once.equals(asked));
    let started = format::count(started as u64);
    lab.say(format!("  threads at once: {started}"));
    let why = refused.map(|reason| format!("after {started} threads: {reason}"));
    lab.claim(fits.otherwise(why));
    let text = "all those threads at once took over three times the memory of the pool";
    let more = peak_memory(THREADS).above(peak_memory(ON_A_POOL) * 3.0);
    lab.claim(Claim::that("threads_take_memory", text).check(more));
    Ok(())
}

fn gather(threads: usize) -> Crowd {
    let pool = CROWD.pool_builder().workers(NonZeroUsize::MIN);
    let pool = pool.timeout(Duration::from_secs(60)).recorded().start();
    let crowd = pool.map_err(anyhow::Error::from);
    let crowd = crowd.and_then(|pool| Ok(pool.call(threads)?));
    // How many there were is lost with the process.
    crowd.unwrap_or_else(|error| (0, Some(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The knee of these times in seconds, by size and round.
    fn knee(times_s: &[[f64; 3]]) -> Option<usize> {
        let mut sweep = Sweep::new("threads", &["time"], vec![1; times_s.len()]);
        for (size, rounds) in times_s.iter().enumerate() {
            for time in rounds {
                sweep.add(size, [Duration::from_secs_f64(*time)]);
            }
        }
        find_knee(&sweep, 0)
    }

    #[test]
    fn the_knee_is_the_first_size_that_no_larger_one_beats() {
        assert_eq!(knee(&[[8.0; 3], [4.0; 3], [3.9; 3], [4.1; 3]]), Some(1));
        assert_eq!(knee(&[[1.0; 3]; 3]), Some(0));
        // A plateau before a gain is no knee.
        assert_eq!(knee(&[[8.0; 3], [8.0; 3], [4.0; 3], [4.0; 3]]), Some(2));
        assert_eq!(knee(&[[8.0; 3], [4.0; 3], [2.0; 3]]), None);
    }

    #[test]
    fn a_gain_counts_only_if_every_round_shows_it() {
        // The machine was slow in the middle round, for all sizes alike.
        assert_eq!(
            knee(&[[4.0, 9.0, 4.0], [2.0, 4.5, 2.0], [2.0, 4.4, 2.1]]),
            Some(1)
        );
        // The largest was lucky in two of three rounds.
        assert_eq!(knee(&[[4.0; 3], [2.0; 3], [0.5, 0.5, 2.0]]), Some(1));
    }

    #[test]
    fn sizes_double_and_end_with_the_largest() {
        assert_eq!(sizes(32), [1, 2, 4, 8, 16, 32]);
        assert_eq!(sizes(6), [1, 2, 4, 6]);
        assert_eq!(sizes(1), [1]);
    }
}
