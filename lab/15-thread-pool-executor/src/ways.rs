//! A few tasks in four ways that take turns, and very many in two.

use crate::args::Args;
use anyhow::Context;
use common::{
    Bound, Lab, Tally,
    claim::{Claim, Count, Figure, count, done, peak_memory, submitted, threads, times, wall},
    format,
};
use lab_15_thread_pool_executor::{
    Done, Load, Task,
    crowd::{CROWD, Crowd},
    run_on_pool, run_on_rayon, run_one_by_one, run_thread_per_task,
};
use measure::limits;
use std::{collections::BTreeSet, io, num::NonZeroUsize, time::Duration};

const ONE_BY_ONE: &str = "one by one";
const THREAD_PER_TASK: &str = "thread per task";
const POOL: &str = "pool by hand";
const RAYON: &str = "rayon";
const MANY_ON_A_POOL: &str = "many: pool";
const MANY_THREADS: &str = "many: threads";

/// The crowd is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs each way once per round.
pub(crate) fn few(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (tasks, workers) = (args.waits(lab.seed()), args.workers);
    let (all, rounds) = (tasks.len(), args.rounds.get());
    lab.say(format!(
        "{all} tasks that wait, four ways in turns, {rounds} rounds; a pool has {workers} threads …"
    ));
    let mut overtaking = None;
    for round in 1..=rounds {
        let one_by_one = |each: &mut dyn FnMut(Done)| {
            run_one_by_one(&tasks, each);
            Ok(())
        };
        run(lab, ONE_BY_ONE, Some(1), &tasks, one_by_one)?;
        let each_its_thread = |each: &mut dyn FnMut(Done)| run_thread_per_task(&tasks, each);
        run(lab, THREAD_PER_TASK, Some(all), &tasks, each_its_thread)?;
        let at_once = Some(workers.get());
        let pooled = |each: &mut dyn FnMut(Done)| run_on_pool(workers, &tasks, each);
        let pooled = run(lab, POOL, at_once, &tasks, pooled)?;
        let on_rayon = |each: &mut dyn FnMut(Done)| run_on_rayon(workers, &tasks, each);
        run(lab, RAYON, at_once, &tasks, on_rayon)?;
        overtaking = Some(lab.count(
            POOL,
            "results_ahead_of_one_asked_for_earlier",
            count_overtaking(&pooled),
        ));
        if round == rounds {
            let order: Vec<String> = pooled.iter().take(20).map(ToString::to_string).collect();
            lab.explain(format!(
                "as they completed, on the pool of {workers}: {}",
                order.join(" ")
            ));
        }
    }
    claim_ways(lab, overtaking);
    Ok(())
}

fn claim_ways(lab: &mut Lab, overtaking: Option<Figure<Count>>) {
    if let Some(overtaking) = overtaking {
        lab.claim(
            Claim::that(
                "overtaking",
                "on the pool a result came ahead of one asked for earlier",
            )
            .check(overtaking.above(count(0))),
        );
    }
    let ways = [ONE_BY_ONE, THREAD_PER_TASK, POOL, RAYON];
    let once = Claim::that("each_once", "every way brought back each task once");
    lab.claim(ways.into_iter().fold(once, |claim, way| {
        claim.check(done(way).equals(submitted(way)))
    }));
    lab.claim(
        Claim::that(
            "thread_per_task_is_sooner",
            "a thread per task was done sooner than a pool, and took more threads",
        )
        .check(wall(THREAD_PER_TASK).below(wall(POOL) * 0.9))
        .check(threads(THREAD_PER_TASK).above(threads(POOL)))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "pools_are_alike",
            "the pool by hand and rayon's, of one size, were within a tenth of each other",
        )
        .check((wall(POOL) / wall(RAYON)).at_most(times(1.1)))
        .check((wall(RAYON) / wall(POOL)).at_most(times(1.1))),
    );
}

/// Runs a way; returns the numbers of the tasks as their results came.
fn run(
    lab: &mut Lab,
    name: &str,
    waits_at_once: Option<usize>,
    tasks: &[Task],
    way: impl FnOnce(&mut dyn FnMut(Done)) -> io::Result<()>,
) -> anyhow::Result<Vec<usize>> {
    let variant = match waits_at_once {
        Some(at_once) => lab.variant(name).bound(Bound::Waits {
            each: None,
            count: tasks.len(),
            at_once,
        }),
        None => lab.variant(name).other_work(),
    };
    variant.run_counted(
        || {
            let mut numbers = Vec::with_capacity(tasks.len());
            way(&mut |done| numbers.push(done.number)).with_context(|| {
                format!("{name}: cannot start the threads; lower --tasks or --workers")
            })?;
            Ok(numbers)
        },
        // A result that came twice is none.
        |numbers| {
            let once: BTreeSet<usize> = numbers.iter().copied().collect();
            let came = |task: &Task| once.len() == numbers.len() && once.contains(&task.number);
            Tally::of_checked(tasks, came)
        },
    )
}

/// How many results were ahead of one that had been asked for earlier.
fn count_overtaking(numbers: &[usize]) -> usize {
    let later = |place: usize| numbers[place + 1..].iter();
    let overtakes = |place: &usize| later(*place).any(|number| *number < numbers[*place]);
    (0..numbers.len()).filter(overtakes).count()
}

/// Runs very many short tasks on the pool; then lets a thread for each be there at once.
pub(crate) fn many(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (asked, workers) = (args.many.get(), args.workers);
    let load = Load::Little(1000);
    let tasks: Vec<Task> = (1..=asked).map(|number| Task { number, load }).collect();
    let shown = format::count(asked as u64);
    lab.say(format!(
        "{shown} short tasks on the pool; then a thread for each, in a process of its own …"
    ));
    run(lab, MANY_ON_A_POOL, None, &tasks, |each| {
        run_on_pool(workers, &tasks, each)
    })?;
    lab.claim(
        Claim::that(
            "a_pool_takes_any_number",
            format!("the pool did {shown} tasks on at most {workers} threads beside the main one"),
        )
        .check(done(MANY_ON_A_POOL).equals(count(asked)))
        .check(threads(MANY_ON_A_POOL).at_most(count(workers.get() + 1)))
        .headline(),
    );
    let crowd = lab.variant(MANY_THREADS).other_work().run_counted(
        || Ok(gather(asked)),
        |crowd| Tally {
            submitted: asked as u64,
            done: crowd.started as u64,
            failed: (asked - crowd.started) as u64,
            ..Tally::default()
        },
    )?;
    claim_crowd(lab, asked, &crowd);
    Ok(())
}

fn claim_crowd(lab: &mut Lab, asked: usize, crowd: &Crowd) {
    let shown = format::count(asked as u64);
    let started = format::count(crowd.started as u64);
    lab.say(format!("threads at once in that process: {started}"));
    let at_once = lab.count(MANY_THREADS, "threads_at_once", crowd.started);
    let fits = Claim::that(
        "a_thread_each_fits",
        format!("a thread for each of {shown} fits within this machine's limits"),
    )
    .check(at_once.equals(count(asked)))
    .headline();
    lab.claim(match &crowd.refused {
        None => fits,
        Some(reason) => {
            lab.say(format!("  then: {reason}"));
            for limit in limits::on_threads() {
                let value = format::count(limit.value);
                lab.say(format!("  limit: {}: {value}", limit.name));
            }
            fits.otherwise(format!("after {started} threads: {reason}"))
        }
    });
    if let Some((peak, before)) = crowd.peak_rss_bytes.zip(crowd.before_rss_bytes) {
        let each = peak
            .saturating_sub(before)
            .checked_div(crowd.started as u64);
        let each = format::bytes(each.unwrap_or_default() as f64);
        lab.say(format!("  memory for each thread: {each}"));
        let process = lab.bytes(MANY_THREADS, "most_memory_of_that_process", peak);
        lab.claim(
            Claim::that(
                "threads_take_memory",
                "the process with all those threads held over 1.2 times the memory of the pool's",
            )
            .check(process.above(peak_memory(MANY_ON_A_POOL) * 1.2)),
        );
    }
}

fn gather(threads: usize) -> Crowd {
    let pool = CROWD.pool_builder().workers(NonZeroUsize::MIN);
    let pool = pool.retries(0).timeout(PATIENCE).recorded().start();
    let called = pool
        .map_err(anyhow::Error::from)
        .and_then(|pool| Ok(pool.call(threads)?));
    // How many there were is lost with the process.
    called.unwrap_or_else(|error| Crowd {
        started: 0,
        refused: Some(error.to_string()),
        peak_rss_bytes: None,
        before_rss_bytes: None,
    })
}
