//! The same races under a model checker, which tries every order of their steps.
//!
//! The checker is shuttle with its depth-first scheduler: it runs a program again and again on
//! threads of its own making, and at each access to something shared takes the next choice of who
//! goes on, until there is none left. Its memory is sequentially consistent: what the memory model
//! lets a CPU reorder, it does not try.

mod watched;

use crate::{
    audit_lock_by_lock, audit_under_both_locks,
    bank::{BALANCE, MOVED, PAYMENT},
    increment_in_one_step, increment_losing_updates,
    program::Program,
    schedule::Schedule,
    stage::Step,
    transfer_lock_by_lock, transfer_under_both_locks, withdraw_after_a_check,
    withdraw_in_one_section,
};
use serde::Serialize;
use shuttle::{
    Config, Runner,
    scheduler::DfsScheduler,
    sync::{Mutex, atomic::AtomicI64},
    thread,
};
use std::{
    collections::BTreeMap,
    mem, panic,
    sync::{Arc, Mutex as Notebook},
};
use tracing::subscriber::{NoSubscriber, with_default};
use watched::{Log, Watched, open};

/// The most executions of one program: far past what the programs here need.
const MOST_EXECUTIONS: usize = 200_000;

/// What the checker found out about one program.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How often it ran the program, starts and ends of threads in every order included.
    pub executions: usize,
    /// Whether no choice was left untried.
    pub complete: bool,
    /// In how many orders the accesses happened.
    pub schedules: usize,
    /// The most accesses in one of them.
    pub steps: usize,
    /// What should come out.
    pub expected: i64,
    /// How many of them came out otherwise.
    pub failing: usize,
    /// The first that did.
    pub first_failing: Option<Failing>,
}

/// A schedule that breaks what should hold.
#[derive(Clone, Debug, Serialize)]
pub struct Failing {
    /// The order.
    pub schedule: Schedule,
    /// Each access in it.
    pub steps: Vec<Step>,
    /// What came out.
    pub result: i64,
}

/// Checks `program`, each increment in two steps or `repaired` in one: is every update there?
pub fn check_counter(program: Program, repaired: bool) -> Finding {
    let threads = program.threads.get();
    let expected = (threads as u64 * program.increments) as i64;
    explore(expected, move |log| {
        let counter = AtomicI64::new(0);
        run_threads(threads, |thread| {
            let value = &counter;
            let counter = Watched { value, log, thread };
            for _ in 0..program.increments {
                match repaired {
                    false => increment_losing_updates(&counter, || ()),
                    true => increment_in_one_step(&counter),
                }
            }
        });
        counter.into_inner()
    })
}

/// Checks two withdrawals from an account with money for one: is the balance what one leaves?
pub fn check_withdrawals(repaired: bool) -> Finding {
    explore(BALANCE - PAYMENT, move |log| {
        let account = Mutex::new(BALANCE);
        run_threads(2, |thread| {
            let value = &account;
            let account = Watched { value, log, thread };
            match repaired {
                false => withdraw_after_a_check(&account, PAYMENT, || ()),
                true => withdraw_in_one_section(&account, PAYMENT, || ()),
            };
        });
        account.into_inner().expect("no holder of this lock panics")
    })
}

/// Checks an audit beside a transfer between two accounts: does it see all of the money?
pub fn check_audit(repaired: bool) -> Finding {
    explore(2 * BALANCE, move |log| {
        let (one, two) = (Mutex::new(BALANCE), Mutex::new(BALANCE));
        let seen = Notebook::new(0);
        run_threads(2, |thread| {
            let watch = |value| Watched { value, log, thread };
            let (first, second) = (watch(&one), watch(&two));
            match (thread, repaired) {
                (0, false) => transfer_lock_by_lock(&first, &second, MOVED, || ()),
                (0, true) => transfer_under_both_locks(&first, &second, MOVED, || ()),
                (_, false) => *open(&seen) = audit_lock_by_lock(&first, &second, || ()),
                (_, true) => *open(&seen) = audit_under_both_locks(&first, &second, || ()),
            }
        });
        *open(&seen)
    })
}

/// Runs `work` on threads of the checker's, numbered from 0, and waits for them.
fn run_threads(threads: usize, work: impl Fn(usize) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for number in 0..threads {
            scope.spawn(move || work(number));
        }
    });
}

/// What each schedule did and came to.
type Outcomes = BTreeMap<Schedule, (Vec<Step>, i64)>;

/// Has the checker run `program` in every order; one that does not return `expected` fails.
fn explore(expected: i64, program: impl Fn(&Log) -> i64 + Send + Sync + 'static) -> Finding {
    let found: Arc<Notebook<Outcomes>> = Arc::default();
    let notes = Arc::clone(&found);
    let scheduler = DfsScheduler::new(Some(MOST_EXECUTIONS), false);
    let run = move || {
        let log = Log::default();
        let result = program(&log);
        let steps = mem::take(&mut *open(&log));
        let schedule = Schedule::of(steps.iter().map(|step| step.thread).collect());
        open(&notes).insert(schedule, (steps, result));
    };
    // The checker opens spans of its own, which are no part of the timeline, and sets a panic hook,
    // which is to serve nobody else.
    let hook = panic::take_hook();
    let executions = with_default(NoSubscriber::default(), || {
        Runner::new(scheduler, Config::new()).run(run)
    });
    panic::set_hook(hook);
    let found = mem::take(&mut *open(&found));
    Finding::of(found, expected, executions)
}

impl Finding {
    fn of(found: Outcomes, expected: i64, executions: usize) -> Self {
        let fails = |(_, result): &(Vec<Step>, i64)| *result != expected;
        let first = found.iter().find(|(_, outcome)| fails(outcome));
        Self {
            executions,
            complete: executions < MOST_EXECUTIONS,
            schedules: found.len(),
            steps: found
                .values()
                .map(|(steps, _)| steps.len())
                .max()
                .unwrap_or(0),
            expected,
            failing: found.values().filter(|outcome| fails(outcome)).count(),
            first_failing: first.map(|(schedule, (steps, result))| Failing {
                schedule: schedule.clone(),
                steps: steps.clone(),
                result: *result,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn figures(finding: &Finding) -> (usize, usize, usize) {
        assert!(finding.complete && finding.executions >= finding.schedules);
        (finding.schedules, finding.steps, finding.failing)
    }

    #[test]
    fn the_checker_finds_the_schedules_that_are_listed_and_those_that_lose() {
        for (threads, increments) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
            let program = Program {
                threads: NonZeroUsize::new(threads).expect("not zero"),
                increments,
            };
            let listed = program.all_schedules();
            let losing = listed.iter().filter(|one| one.has_a_store_in_a_window());
            let steps = program.steps() as usize;
            let finding = check_counter(program, false);
            assert_eq!(figures(&finding), (listed.len(), steps, losing.count()));
        }
    }

    #[test]
    fn the_first_failing_schedule_comes_with_its_steps() {
        let failing = check_counter(Program::SMALLEST, false).first_failing;
        let failing = failing.expect("four of six fail");
        assert_eq!(failing.schedule.to_string(), "ABAB");
        let steps: Vec<String> = failing.steps.iter().map(Step::to_string).collect();
        assert_eq!(
            steps,
            ["A loads 0", "B loads 0", "A stores 1", "B stores 1"]
        );
        assert_eq!(failing.result, 1);
    }

    #[test]
    fn two_withdrawals_overdraw_in_four_orders_of_six_and_a_refusal_has_no_second_step() {
        let finding = check_withdrawals(false);
        assert_eq!(figures(&finding), (6, 4, 4));
        let failing = finding.first_failing.expect("four fail");
        assert_eq!(failing.result, -60);
        assert_eq!(failing.steps[3].to_string(), "B leaves -60");
    }

    #[test]
    fn an_audit_goes_wrong_in_two_orders_of_six() {
        let finding = check_audit(false);
        assert_eq!(figures(&finding), (6, 4, 2));
        let failing = finding.first_failing.expect("two fail");
        assert_eq!(
            (failing.schedule.to_string(), failing.result),
            ("ABBA".into(), 190)
        );
    }

    #[test]
    fn no_order_breaks_a_repair() {
        assert_eq!(figures(&check_counter(Program::SMALLEST, true)), (2, 2, 0));
        assert_eq!(figures(&check_withdrawals(true)), (2, 2, 0));
        assert_eq!(figures(&check_audit(true)), (2, 4, 0));
    }
}
