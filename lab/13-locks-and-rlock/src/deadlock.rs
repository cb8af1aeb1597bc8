//! Threads that lock each other out, on purpose, every time; and the same with the order kept.
//!
//! Each scenario's threads are left to themselves: whoever starts them ends the process.

use crate::{lock::WatchedMutex, registry::Registry};
use serde::{Deserialize, Serialize};
use std::{
    io,
    sync::{Arc, Barrier},
    thread,
};

/// What the threads do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// A thread asks for the lock that it holds.
    SelfDeadlock,
    /// Two threads take the same two locks, each the other's first one second.
    OppositeOrder,
    /// Two threads take the same two locks in the same order.
    SameOrder,
}

/// How many threads a scenario has.
pub const THREADS: usize = 2;

impl Scenario {
    /// Starts the threads of the scenario.
    ///
    /// # Errors
    /// The system refuses to start a thread.
    pub fn start(self, registry: &Arc<Registry>) -> io::Result<()> {
        match self {
            Self::SelfDeadlock => start_self_deadlock(registry),
            Self::OppositeOrder => start_opposite_order(registry),
            Self::SameOrder => start_same_order(registry),
        }
    }
}

/// The account of [`nested`](crate::nested), with a lock that its holder may *not* take again.
struct Account {
    balance: WatchedMutex<u64>,
}

impl Account {
    fn deposit(&self, amount: u64) {
        *self.balance.lock() += amount;
    }

    fn deposit_all(&self, amounts: &[u64], holding: &Barrier) {
        let _held = self.balance.lock();
        holding.wait();
        // BUG (on purpose): `deposit` takes the lock that is held here.
        amounts.iter().for_each(|&amount| self.deposit(amount));
    }
}

fn start_self_deadlock(registry: &Arc<Registry>) -> io::Result<()> {
    let balance = WatchedMutex::new(registry, "balance", 0);
    let account = Arc::new(Account { balance });
    // Until the one holds the lock, the other does not ask for it: so it is stuck as well.
    let holding = Arc::new(Barrier::new(THREADS));
    let (one, one_holding) = (Arc::clone(&account), Arc::clone(&holding));
    start(registry, "teller 1", move || {
        one.deposit_all(&[10, 20, 30], &one_holding);
    })?;
    start(registry, "teller 2", move || {
        holding.wait();
        account.deposit(1);
    })
}

fn start_opposite_order(registry: &Arc<Registry>) -> io::Result<()> {
    let checking = Arc::new(WatchedMutex::new(registry, "checking", 100));
    let savings = Arc::new(WatchedMutex::new(registry, "savings", 100));
    // Both hold their first lock before either asks for its second.
    let holding = Arc::new(Barrier::new(THREADS));
    let (from, to, meeting) = (checking.clone(), savings.clone(), holding.clone());
    start(registry, "saver", move || {
        let mut from = from.lock();
        meeting.wait();
        let mut to = to.lock();
        (*from, *to) = (*from - 10, *to + 10);
    })?;
    start(registry, "spender", move || {
        // BUG (on purpose): the other way round than `saver`.
        let mut from = savings.lock();
        holding.wait();
        let mut to = checking.lock();
        (*from, *to) = (*from - 20, *to + 20);
    })
}

fn start_same_order(registry: &Arc<Registry>) -> io::Result<()> {
    let checking = Arc::new(WatchedMutex::new(registry, "checking", 100));
    let savings = Arc::new(WatchedMutex::new(registry, "savings", 100));
    let (first, second) = (checking.clone(), savings.clone());
    start(registry, "saver", move || {
        let (mut checking, mut savings) = (first.lock(), second.lock());
        (*checking, *savings) = (*checking - 10, *savings + 10);
    })?;
    start(registry, "spender", move || {
        // Checking before savings, whichever way the money goes: the last in the order waits for
        // nobody who waits.
        let (mut checking, mut savings) = (checking.lock(), savings.lock());
        (*savings, *checking) = (*savings - 20, *checking + 20);
    })
}

fn start(
    registry: &Arc<Registry>,
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let registry = Arc::clone(registry);
    let thread = thread::Builder::new().name(name.into());
    // Not joined: it may never end.
    drop(thread.spawn(move || {
        work();
        registry.finish();
    })?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Asked, Deadlock, Stuck};

    /// The threads that deadlock here stay until this test process ends.
    fn found(scenario: Scenario) -> Option<Deadlock> {
        let registry = Arc::new(Registry::default());
        scenario.start(&registry).expect("threads start");
        registry.watch(THREADS)
    }

    /// The line of this file that `asked` names.
    fn line(asked: &Asked) -> &str {
        assert!(asked.at.file.ends_with("src/deadlock.rs"), "{}", asked.at);
        let mut lines = include_str!("deadlock.rs").lines();
        lines
            .nth(asked.at.line as usize - 1)
            .expect("a line")
            .trim()
    }

    #[test]
    fn a_self_deadlock_names_the_lock_the_thread_and_both_lines() {
        let Deadlock { cycle, behind } = found(Scenario::SelfDeadlock).expect("a deadlock");
        let [stuck] = &cycle[..] else {
            panic!("{cycle:?}")
        };
        assert_eq!(stuck.thread, "teller 1");
        assert_eq!(line(&stuck.holds[0]), "let _held = self.balance.lock();");
        assert_eq!(line(&stuck.waits_for), "*self.balance.lock() += amount;");
        assert_eq!(stuck.holds[0].lock, stuck.waits_for.lock);
        let [victim] = &behind[..] else {
            panic!("{behind:?}")
        };
        assert_eq!(victim.thread, "teller 2");
        assert!(victim.holds.is_empty());
    }

    #[test]
    fn opposite_orders_name_both_threads_both_locks_and_all_four_lines() {
        let deadlock = found(Scenario::OppositeOrder).expect("a deadlock");
        assert_eq!(deadlock.behind, []);
        let by_name = |name: &str| -> &Stuck {
            let mut cycle = deadlock.cycle.iter();
            cycle.find(|stuck| stuck.thread == name).expect(name)
        };
        let (saver, spender) = (by_name("saver"), by_name("spender"));
        assert_eq!(saver.holds[0].lock, "checking");
        assert_eq!(line(&saver.holds[0]), "let mut from = from.lock();");
        assert_eq!(saver.waits_for.lock, "savings");
        assert_eq!(line(&saver.waits_for), "let mut to = to.lock();");
        assert_eq!(line(&spender.holds[0]), "let mut from = savings.lock();");
        assert_eq!(line(&spender.waits_for), "let mut to = checking.lock();");
    }

    #[test]
    fn one_order_for_all_goes_through() {
        for _ in 0..200 {
            assert_eq!(found(Scenario::SameOrder), None);
        }
    }
}
