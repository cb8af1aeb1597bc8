//! A program under control: its threads are real, and one that is told to takes its next step.

use crate::{Played, Race, Schedule, Step, letter};
use serde::Serialize;
use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder},
};
use tracing::info_span;

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// It can take this step next.
    Next(&'static str),
    /// Its next step waits for what that thread has.
    Blocked(&'static str, usize),
    /// It has done all its steps.
    Finished,
}

/// A run as far as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The steps.
    pub steps: Vec<Step>,
    /// Before each step, the threads that could take one.
    #[serde(skip)]
    pub choices: Vec<Vec<usize>>,
    /// Where each thread stands at the end.
    pub stands: Vec<Stand>,
    /// What came out, when all threads have finished.
    pub result: Option<i64>,
    /// What should come out.
    pub expected: i64,
}

impl Run {
    /// Whether no thread can go on, and not all have finished.
    pub fn is_deadlock(&self) -> bool {
        let stuck = |stand: &Stand| !matches!(stand, Stand::Next(_));
        self.result.is_none() && self.stands.iter().all(stuck)
    }

    /// Whether no thread has a step left to take.
    pub fn is_over(&self) -> bool {
        self.result.is_some() || self.is_deadlock()
    }
}

struct Table {
    arrived: Vec<Option<&'static str>>,
    finished: Vec<bool>,
    go: Option<usize>,
    over: bool,
}

/// How a thread leaves a run that does not go on.
struct Over;

/// Runs `program` on real threads, in this order as far as it is given, and then, if it is to go `on`,
/// with the first thread that can.
///
/// A step that is called `takes X` waits while a thread has X; one that begins with `frees` frees all
/// that its thread has. So locks may be held from one step to the next, and no run hangs: it ends where
/// no thread can go on.
///
/// # Panics
/// The program panics, or a turn is of a thread that cannot take a step.
pub fn run<S: Send + Sync>(program: &Race<S>, turns: &[usize], on: bool) -> Run {
    let count = program.threads;
    let table = Mutex::new(Table {
        arrived: vec![None; count],
        finished: vec![false; count],
        go: None,
        over: false,
    });
    let (shared, changed) = ((program.share)(), Condvar::new());
    let mut panics: Vec<Box<dyn Any + Send>> = Vec::new();
    let mut run = thread::scope(|scope| {
        let (table, changed, shared) = (&table, &changed, &shared);
        let start = |thread: usize| {
            let named = Builder::new().name(format!("thread {}", letter(thread)));
            let started = named.spawn_scoped(scope, move || {
                let turn = |name| wait_for_turn(table, changed, thread, name);
                let work = || (program.run)(shared, thread, &turn);
                let ended = catch_unwind(AssertUnwindSafe(work));
                open(table).finished[thread] = true;
                changed.notify_all();
                ended.err()
            });
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        let run = direct(program, shared, (table, changed), turns, on);
        open(table).over = true;
        changed.notify_all();
        let ended = threads
            .into_iter()
            .filter_map(|it| it.join().ok().flatten());
        panics.extend(ended.filter(|panic| !panic.is::<Over>()));
        run
    });
    if let Some(panic) = panics.pop() {
        resume_unwind(panic);
    }
    let is_finished = |stand: &Stand| *stand == Stand::Finished;
    run.result = (run.stands.iter().all(is_finished)).then(|| (program.result)(&shared));
    run
}

fn open(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_for_turn(table: &Mutex<Table>, changed: &Condvar, thread: usize, name: &'static str) {
    let mut now = open(table);
    now.arrived[thread] = Some(name);
    changed.notify_all();
    let waits = |now: &mut Table| now.go != Some(thread) && !now.over;
    let _waiting = info_span!("turn", wait = "turn").entered();
    let mut now = (changed.wait_while(now, waits)).unwrap_or_else(PoisonError::into_inner);
    if now.over {
        drop(now);
        resume_unwind(Box::new(Over));
    }
    (now.go, now.arrived[thread]) = (None, None);
}

/// Gives the turns.
fn direct<S>(
    program: &Race<S>,
    shared: &S,
    (table, changed): (&Mutex<Table>, &Condvar),
    turns: &[usize],
    on: bool,
) -> Run {
    let mut run = Run {
        steps: Vec::new(),
        choices: Vec::new(),
        stands: Vec::new(),
        result: None,
        expected: program.expected,
    };
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    loop {
        let now = changed.wait_while(open(table), |now| now.is_under_way());
        let mut now = now.unwrap_or_else(PoisonError::into_inner);
        if let Some(step) = run.steps.last_mut() {
            step.value = (program.value)(shared, step.name);
        }
        run.stands = now.stands(&owners);
        let able = |thread: &usize| matches!(run.stands[*thread], Stand::Next(_));
        let able: Vec<usize> = (0..run.stands.len()).filter(able).collect();
        let given = turns.get(run.steps.len()).copied();
        let next = given.or(able.first().copied().filter(|_| on));
        let Some((thread, Stand::Next(name))) = next.map(|it| (it, run.stands[it])) else {
            assert!(given.is_none(), "thread {given:?} cannot take a step");
            return run;
        };
        if let Some(lock) = name.strip_prefix("takes ") {
            owners.insert(lock, thread);
        }
        if name.starts_with("frees") {
            owners.retain(|_, owner| *owner != thread);
        }
        run.choices.push(able);
        run.steps.push(Step::begun(thread, name));
        now.go = Some(thread);
        changed.notify_all();
    }
}

impl Table {
    /// Whether a thread takes a step, or is on its way to its next.
    fn is_under_way(&self) -> bool {
        let mut threads = self.arrived.iter().zip(&self.finished);
        self.go.is_some() || threads.any(|(arrived, finished)| arrived.is_none() && !finished)
    }

    fn stands(&self, owners: &BTreeMap<&str, usize>) -> Vec<Stand> {
        let stand = |arrived: &Option<&'static str>| {
            let Some(name) = *arrived else {
                return Stand::Finished;
            };
            let owner = name
                .strip_prefix("takes ")
                .and_then(|lock| owners.get(lock));
            owner.map_or(Stand::Next(name), |owner| Stand::Blocked(name, *owner))
        };
        self.arrived.iter().map(stand).collect()
    }
}

/// Runs `program` on real threads once for each schedule, its steps in that order.
///
/// # Panics
/// The program panics; a schedule gives a turn to a thread that has no step left, or too few turns.
pub fn force<S: Send + Sync>(program: &Race<S>, schedules: &[Schedule]) -> Vec<Played> {
    let play = |schedule: &Schedule| {
        let run = run(program, schedule.turns(), false);
        Played {
            schedule: schedule.clone(),
            steps: run.steps,
            result: run.result.expect("the schedule has a turn for each step"),
            expected: run.expected,
        }
    };
    schedules.iter().map(play).collect()
}

/// Runs a program in every order that its steps can have.
pub(crate) fn run_all(play: impl Fn(&[usize], bool) -> Run) -> Vec<Run> {
    let (mut runs, mut prefix) = (Vec::new(), Vec::new());
    loop {
        let one = play(&prefix, true);
        let turns: Vec<usize> = one.steps.iter().map(|step| step.thread).collect();
        // The last step at which a later thread could have gone instead.
        let other = (0..turns.len()).rev().find_map(|at| {
            let mut later = one.choices[at].iter().filter(|thread| **thread > turns[at]);
            Some((at, *later.next()?))
        });
        runs.push(one);
        let Some((at, thread)) = other else {
            return runs;
        };
        prefix = turns[..at].to_vec();
        prefix.push(thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Schedule, Turn, force, model::tests::counter};

    /// Two threads that take two locks in opposite orders.
    fn crossed() -> Race<[Mutex<()>; 2]> {
        let run = |locks: &[Mutex<()>; 2], thread: usize, turn: Turn<'_>| {
            let names = ["takes A", "takes B"];
            turn(names[thread]);
            let _first = open_any(&locks[thread]);
            turn(names[1 - thread]);
            let _second = open_any(&locks[1 - thread]);
            turn("frees both");
        };
        Race {
            threads: 2,
            share: Default::default,
            run: Box::new(run),
            value: |_, _| 0,
            result: |_| 0,
            expected: 0,
        }
    }

    fn open_any<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
        lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn all_orders_are_those_that_are_listed_and_each_is_as_forced() {
        for (threads, increments) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
            let all = Schedule::all(&vec![2 * increments; threads]);
            let forced = force(&counter(threads, increments), &all);
            let counter = counter(threads, increments);
            let runs = run_all(|turns, on| run(&counter, turns, on));
            assert_eq!(runs.len(), forced.len());
            for (run, forced) in runs.iter().zip(&forced) {
                assert_eq!(
                    (&run.steps, run.result),
                    (&forced.steps, Some(forced.result))
                );
            }
        }
    }

    #[test]
    fn a_forced_schedule_is_played_step_by_step() {
        let written = ["ABBA", "BBAA"].map(|text| text.parse().expect("a schedule"));
        let played = force(&counter(2, 1), &written);
        let steps: Vec<String> = played[0].steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps,
            ["A loads 0", "B loads 0", "B stores 1", "A stores 1"]
        );
        assert_eq!((played[0].result, played[1].result), (1, 2));
        assert_eq!(played[1].schedule.to_string(), "BBAA");
    }

    #[test]
    fn a_run_stops_where_its_turns_end_and_says_where_each_thread_stands() {
        let run = run(&counter(2, 1), &[0, 1, 1], false);
        assert_eq!(run.stands, [Stand::Next("stores"), Stand::Finished]);
        assert_eq!((run.result, run.is_over()), (None, false));
        assert_eq!(run.steps.last().map(|step| step.value), Some(1));
    }

    #[test]
    fn a_deadlock_is_a_result_and_leaves_no_thread_behind() {
        let stuck = run(&crossed(), &[0, 1], true);
        assert!(stuck.is_deadlock());
        let blocked = [Stand::Blocked("takes B", 1), Stand::Blocked("takes A", 0)];
        assert_eq!(stuck.stands, blocked);
        let all = run_all(|turns, on| run(&crossed(), turns, on));
        let deadlocks = all.iter().filter(|run| run.is_deadlock()).count();
        assert_eq!((all.len(), deadlocks), (4, 2));
    }
}
