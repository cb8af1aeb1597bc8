//! A race under control: its threads are real, and one that is told to takes its next step.

use crate::{Race, Schedule, Step, letter};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, Builder},
};
use tracing::info_span;

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Run {
    /// In what order the steps happened.
    pub schedule: Schedule,
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
    /// Whether something else came out than should have.
    pub fn is_wrong(&self) -> bool {
        self.result.is_some_and(|result| result != self.expected)
    }

    /// Whether no thread can go on, and not all have finished.
    pub fn is_deadlock(&self) -> bool {
        self.is_over() && self.result.is_none()
    }

    /// Whether no thread has a step left to take.
    pub fn is_over(&self) -> bool {
        !self.stands.iter().any(|it| matches!(it, Stand::Next(_)))
    }
}

/// How a thread leaves a run that does not go on.
struct Over;

/// A thread of a run, as seen by the one that gives the turns.
struct Player {
    turn: Sender<()>,
    /// What step it comes to next, until it has finished.
    comes_to: Receiver<&'static str>,
}

/// Runs `race` on real threads, in this order, as far as it is given.
///
/// A step that is called `takes X` waits while a thread has X; one that begins with `frees` frees all
/// that its thread has. So locks may be held from one step to the next, and no run hangs: it ends where
/// no thread can go on.
///
/// # Panics
/// The race panics, or a turn is of a thread that cannot take a step.
pub fn run<S: Send + Sync>(race: &Race<S>, turns: &[usize]) -> Run {
    let shared = (race.share)();
    let (steps, stands) = thread::scope(|scope| {
        let shared = &shared;
        let start = |thread: usize| {
            let ((turn, turns), (comes, comes_to)) = (mpsc::channel(), mpsc::channel());
            let wait_for_turn = move |name| wait_for_turn(&comes, &turns, name);
            let named = Builder::new().name(format!("thread {}", letter(thread)));
            let started =
                named.spawn_scoped(scope, move || (race.run)(shared, thread, &wait_for_turn));
            let player = Player { turn, comes_to };
            (player, started.expect("the system starts a thread"))
        };
        let (players, threads): (Vec<_>, Vec<_>) = (0..race.threads).map(start).unzip();
        let directed = direct(race, shared, turns, &players);
        drop(players);
        // All of them are waited for before a panic is passed on.
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        let mut panics = ended.into_iter().filter_map(Result::err);
        if let Some(panic) = panics.find(|panic| !panic.is::<Over>()) {
            resume_unwind(panic);
        }
        directed
    });
    assert!(
        steps.len() == turns.len(),
        "a turn of a thread that cannot take a step: {turns:?}"
    );
    let is_finished = stands.iter().all(|stand| *stand == Stand::Finished);
    Run {
        schedule: Schedule::of(turns.to_vec()),
        steps,
        stands,
        result: is_finished.then(|| (race.result)(&shared)),
        expected: race.expected,
    }
}

fn wait_for_turn(comes: &Sender<&'static str>, turns: &Receiver<()>, name: &'static str) {
    // Who gives the turns may have given the last.
    let _ = comes.send(name);
    let _waiting = info_span!("turn", wait = "turn").entered();
    let turn = turns.recv();
    turn.unwrap_or_else(|_| resume_unwind(Box::new(Over)));
}

/// Gives the turns; the steps that were taken, and where each thread stands then.
fn direct<S>(
    race: &Race<S>,
    shared: &S,
    turns: &[usize],
    players: &[Player],
) -> (Vec<Step>, Vec<Stand>) {
    let (mut steps, mut owners) = (Vec::new(), BTreeMap::new());
    let stand = |player: &Player| player.comes_to.recv().map_or(Stand::Finished, Stand::Next);
    let mut stands: Vec<Stand> = players.iter().map(stand).collect();
    for &thread in turns {
        let next = stands.get(thread).map(|stand| stand.beside(&owners));
        let Some(Stand::Next(name)) = next else {
            break;
        };
        if let Some(lock) = name.strip_prefix("takes ") {
            owners.insert(lock, thread);
        }
        if name.starts_with("frees") {
            owners.retain(|_, owner| *owner != thread);
        }
        players[thread]
            .turn
            .send(())
            .expect("it waits for its turn");
        stands[thread] = stand(&players[thread]);
        let value = (race.value)(shared, name);
        steps.push(Step {
            thread,
            name,
            value,
        });
    }
    let stands = stands.iter().map(|stand| stand.beside(&owners));
    (steps, stands.collect())
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

/// Runs `race` in every order of its steps: what each did and came to, in alphabetical order.
///
/// The answer holds for its model: one step at a time, and what a step leaves is seen by all at once.
/// What a compiler or a CPU may reorder within or between steps, it does not try.
pub fn explore<S: Send + Sync>(race: &Race<S>) -> Vec<Run> {
    run_all(&|turns| run(race, turns), &mut Vec::new())
}

/// Those in which something else came out than should have.
pub fn failing(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|one| one.is_wrong())
}

/// Every run that goes on from these turns.
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
    use crate::tests::counter;
    use std::sync::Mutex;

    /// Two threads that take two locks in opposite orders.
    fn crossed() -> Race<[Mutex<()>; 2]> {
        Race {
            threads: 2,
            share: Default::default,
            run: Box::new(|locks, thread, turn| {
                let names = ["takes A", "takes B"];
                turn(names[thread]);
                let _first = locks[thread].lock();
                turn(names[1 - thread]);
                let _second = locks[1 - thread].lock();
                turn("frees both");
            }),
            value: |_, _| 0,
            result: |_| 0,
            expected: 0,
        }
    }

    #[test]
    fn a_forced_schedule_is_played_step_by_step() {
        let forced = |text: &str| {
            let schedule: Schedule = text.parse().expect("a schedule");
            run(&counter(2, 1), schedule.turns())
        };
        let played = ["ABBA", "BBAA"].map(forced);
        let steps: Vec<String> = played[0].steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps,
            ["A loads 0", "B loads 0", "B stores 1", "A stores 1"]
        );
        assert_eq!((played[0].result, played[1].result), (Some(1), Some(2)));
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
        let all = explore(&crossed());
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
