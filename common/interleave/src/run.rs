//! A race under control: its threads are real, and one that is told to takes its next step.

use crate::{Played, Race, Schedule, Step, letter, open};
use serde::Serialize;
use std::{
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
        self.is_over() && self.result.is_none()
    }

    /// Whether no thread has a step left to take.
    pub fn is_over(&self) -> bool {
        !self.stands.iter().any(|it| matches!(it, Stand::Next(_)))
    }
}

/// What the threads of a run and the one that gives the turns tell each other.
struct Table {
    now: Mutex<Now>,
    changed: Condvar,
}

struct Now {
    /// `None` while a thread takes a step, or is on its way to its first.
    stands: Vec<Option<Stand>>,
    over: bool,
}

/// How a thread leaves a run that does not go on.
struct Over;

/// Runs `race` on real threads, in this order, as far as it is given.
///
/// A step that is called `takes X` waits while a thread has X; one that begins with `frees` frees all
/// that its thread has. So locks may be held from one step to the next, and no run hangs: it ends where
/// no thread can go on.
///
/// # Panics
/// The race panics, or a turn is of a thread that cannot take a step.
pub fn run<S: Send + Sync>(race: &Race<S>, turns: &[usize]) -> Run {
    let (shared, table) = ((race.share)(), Table::of(race.threads));
    let (steps, stands, panic) = thread::scope(|scope| {
        let (shared, table) = (&shared, &table);
        let start = |thread: usize| {
            let named = Builder::new().name(format!("thread {}", letter(thread)));
            let started = named.spawn_scoped(scope, move || {
                let work = || (race.run)(shared, thread, &|name| table.wait_for_turn(thread, name));
                let ended = catch_unwind(AssertUnwindSafe(work));
                table.change(|now| now.stands[thread] = Some(Stand::Finished));
                ended.err().filter(|panic| !panic.is::<Over>())
            });
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = (0..race.threads).map(start).collect();
        let (steps, stands) = table.direct(race, shared, turns);
        table.change(|now| now.over = true);
        let ended = threads
            .into_iter()
            .map(|thread| thread.join().ok().flatten());
        (steps, stands, ended.fold(None, Option::or))
    });
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    assert!(
        steps.len() == turns.len(),
        "a turn of a thread that cannot take a step: {turns:?}"
    );
    let is_finished = stands.iter().all(|stand| *stand == Stand::Finished);
    Run {
        steps,
        stands,
        result: is_finished.then(|| (race.result)(&shared)),
        expected: race.expected,
    }
}

impl Table {
    fn of(threads: usize) -> Self {
        let stands = vec![None; threads];
        Self {
            now: Mutex::new(Now {
                stands,
                over: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn wait_while(&self, is_early: impl Fn(&Now) -> bool) -> MutexGuard<'_, Now> {
        let waited = self
            .changed
            .wait_while(open(&self.now), |now| is_early(now));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut open(&self.now));
        self.changed.notify_all();
    }

    fn wait_for_turn(&self, thread: usize, name: &'static str) {
        self.change(|now| now.stands[thread] = Some(Stand::Next(name)));
        let _waiting = info_span!("turn", wait = "turn").entered();
        let now = self.wait_while(|now| now.stands[thread].is_some() && !now.over);
        if now.over {
            drop(now);
            resume_unwind(Box::new(Over));
        }
    }

    /// Gives the turns; the steps that were taken, and where each thread stands then.
    fn direct<S>(&self, race: &Race<S>, shared: &S, turns: &[usize]) -> (Vec<Step>, Vec<Stand>) {
        let (mut steps, mut owners) = (Vec::<Step>::new(), BTreeMap::new());
        loop {
            let mut now = self.wait_while(|now| now.stands.contains(&None));
            if let Some(step) = steps.last_mut() {
                step.value = (race.value)(shared, step.name);
            }
            let stands = now.stands.iter().flatten();
            let stands: Vec<Stand> = stands.map(|stand| stand.beside(&owners)).collect();
            let next = turns.get(steps.len()).copied();
            let next = next.and_then(|thread| Some((thread, *stands.get(thread)?)));
            let Some((thread, Stand::Next(name))) = next else {
                return (steps, stands);
            };
            if let Some(lock) = name.strip_prefix("takes ") {
                owners.insert(lock, thread);
            }
            if name.starts_with("frees") {
                owners.retain(|_, owner| *owner != thread);
            }
            steps.push(Step::begun(thread, name));
            now.stands[thread] = None;
            self.changed.notify_all();
        }
    }
}

impl Stand {
    /// The same where these threads have these locks.
    fn beside(self, owners: &BTreeMap<&str, usize>) -> Self {
        let Self::Next(name) = self else { return self };
        let owner = name
            .strip_prefix("takes ")
            .and_then(|lock| owners.get(lock));
        owner.map_or(self, |owner| Self::Blocked(name, *owner))
    }
}

/// Runs `race` on real threads once for each schedule, its steps in that order.
///
/// # Panics
/// The race panics; a schedule gives a turn to a thread that has no step left, or too few turns.
pub fn force<S: Send + Sync>(race: &Race<S>, schedules: &[Schedule]) -> Vec<Played> {
    let play = |schedule: &Schedule| {
        let run = run(race, schedule.turns());
        Played {
            schedule: schedule.clone(),
            steps: run.steps,
            result: run.result.expect("the schedule has a turn for each step"),
            expected: run.expected,
        }
    };
    schedules.iter().map(play).collect()
}

/// Runs a race in every order that its steps can have, from these turns on.
pub(crate) fn run_all(play: &dyn Fn(&[usize]) -> Run, turns: &mut Vec<usize>) -> Vec<Run> {
    let run = play(turns);
    if run.is_over() {
        return vec![run];
    }
    let mut found = Vec::new();
    for (thread, stand) in run.stands.iter().enumerate() {
        if matches!(stand, Stand::Next(_)) {
            turns.push(thread);
            found.append(&mut run_all(play, turns));
            turns.pop();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::counter;

    /// Two threads that take two locks in opposite orders.
    fn crossed() -> Race<[Mutex<()>; 2]> {
        Race {
            threads: 2,
            share: Default::default,
            run: Box::new(|locks, thread, turn| {
                let names = ["takes A", "takes B"];
                turn(names[thread]);
                let _first = open(&locks[thread]);
                turn(names[1 - thread]);
                let _second = open(&locks[1 - thread]);
                turn("frees both");
            }),
            value: |_, _| 0,
            result: |_| 0,
            expected: 0,
        }
    }

    #[test]
    fn all_orders_are_those_that_are_listed_and_each_is_as_forced() {
        for (threads, increments) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
            let all = Schedule::all(&vec![2 * increments; threads]);
            let forced = force(&counter(threads, increments), &all);
            let race = counter(threads, increments);
            let runs = run_all(&|turns| run(&race, turns), &mut Vec::new());
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
        let run = run(&counter(2, 1), &[0, 1, 1]);
        assert_eq!(run.stands, [Stand::Next("stores"), Stand::Finished]);
        assert_eq!((run.result, run.is_over()), (None, false));
        assert_eq!(run.steps.last().map(|step| step.value), Some(1));
    }

    #[test]
    fn a_deadlock_is_a_result_and_leaves_no_thread_behind() {
        let stuck = run(&crossed(), &[0, 1]);
        assert!(stuck.is_deadlock());
        let blocked = [Stand::Blocked("takes B", 1), Stand::Blocked("takes A", 0)];
        assert_eq!(stuck.stands, blocked);
        let all = run_all(&|turns| run(&crossed(), turns), &mut Vec::new());
        let deadlocks = all.iter().filter(|run| run.is_deadlock()).count();
        assert_eq!((all.len(), deadlocks), (4, 2));
    }

    #[test]
    #[should_panic(expected = "cannot take a step")]
    fn a_turn_of_a_thread_that_is_blocked_is_refused_and_nothing_hangs() {
        run(&crossed(), &[0, 1, 1]);
    }

    #[test]
    #[should_panic(expected = "on purpose")]
    fn a_panic_of_a_step_is_the_panic_of_the_run() {
        let mut race = counter(2, 1);
        race.run = Box::new(|_, thread, turn| {
            turn("panics");
            assert!(thread == 0, "on purpose");
        });
        run(&race, &[1]);
    }
}
