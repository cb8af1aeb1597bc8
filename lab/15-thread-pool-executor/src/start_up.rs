//! What it costs to start: a thread for each empty task, a pool, and a task on a running pool.

use crate::args::Args;
use anyhow::Context;
use common::{Lab, format};
use lab_15_thread_pool_executor::{
    Load, Task, knee::median, pool::Pool, run_on_rayon, run_on_running_pool, run_thread_per_task,
};
use measure::timing::timed;
use serde::Serialize;
use std::time::Duration;

/// Where the document has it.
pub(crate) const PARAM: &str = "start_up";

/// Empty tasks in a round, of which a task's cost is the share.
const EMPTY_TASKS: usize = 200;

/// The costs by round.
#[derive(Default, Serialize)]
struct StartUp {
    thread_for_a_task_s: Vec<f64>,
    task_on_a_running_pool_s: Vec<f64>,
    pool_s: Vec<f64>,
    rayon_pool_s: Vec<f64>,
}

impl StartUp {
    fn tell(&self, args: &Args, lab: &Lab) {
        let workers = args.workers;
        lab.say(format!(
            "start-up, the middle of the rounds; per task: {EMPTY_TASKS} empty ones, divided by {EMPTY_TASKS}:"
        ));
        for (what, times_s) in [
            (
                "a thread for a task, its end included",
                &self.thread_for_a_task_s,
            ),
            ("a task on a running pool", &self.task_on_a_running_pool_s),
            (
                &format!("a pool of {workers}, its end included"),
                &self.pool_s,
            ),
            (
                &format!("rayon's pool of {workers}, the same"),
                &self.rayon_pool_s,
            ),
        ] {
            let middle = format::seconds_f64(median(times_s));
            lab.say(format!("  {what:<40}{middle:>10}"));
        }
    }
}

pub(crate) fn measure(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let tasks: Vec<Task> = (1..=EMPTY_TASKS).map(empty).collect();
    let mut costs = StartUp::default();
    let share = |time: Duration| time.as_secs_f64() / EMPTY_TASKS as f64;
    for _ in 0..args.rounds() {
        // As many at once as the four ways have tasks, not all of them: the machine may refuse.
        let (threads, time) = timed(|| {
            let mut at_once = tasks.chunks(args.tasks.get());
            at_once.try_for_each(|tasks| run_thread_per_task(tasks, |_| {}))
        });
        threads.context("cannot start a thread for each task")?;
        costs.thread_for_a_task_s.push(share(time));

        let too_many = || format!("cannot start `{}` threads; lower --workers", args.workers);
        let (pool, starting) = timed(|| Pool::start(args.workers));
        let mut pool = pool.with_context(too_many)?;
        let ((), time) = timed(|| run_on_running_pool(&mut pool, &tasks, |_| {}));
        costs.task_on_a_running_pool_s.push(share(time));
        let ((), ending) = timed(|| drop(pool));
        costs.pool_s.push((starting + ending).as_secs_f64());

        let (rayon, time) = timed(|| run_on_rayon(args.workers, &[], |_| {}));
        rayon.with_context(too_many)?;
        costs.rayon_pool_s.push(time.as_secs_f64());
    }
    costs.tell(args, lab);
    lab.param(PARAM, &costs);
    Ok(())
}

fn empty(number: usize) -> Task {
    Task {
        number,
        load: Load::Little(0),
    }
}
