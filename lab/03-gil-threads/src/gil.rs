//! One lock that a thread must hold to run: CPython's global interpreter lock, emulated.

use std::{
    marker::PhantomData,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

/// The lock. Who waits for it longer than the switch interval asks its holder to let go.
///
/// # Source
/// CPython 3.2 and later, `take_gil` and `drop_gil` in `Python/ceval_gil.c`.
#[derive(Debug)]
pub struct Gil {
    switch_interval: Duration,
    turn: Mutex<Turn>,
    let_go: Condvar,
    taken: Condvar,
    /// Somebody waits; the holder looks here between two steps (CPython's "eval breaker").
    asked: AtomicBool,
}

#[derive(Debug, Default)]
struct Turn {
    held: bool,
    last_holder: Option<ThreadId>,
    hand_overs: u64,
}

/// The right to run; given back when dropped, by the thread that took it.
#[derive(Debug)]
pub struct Held<'gil> {
    gil: &'gil Gil,
    not_send: PhantomData<MutexGuard<'gil, ()>>,
}

impl Gil {
    /// A free lock; CPython's switch interval is 5 ms.
    pub fn new(switch_interval: Duration) -> Self {
        Self {
            switch_interval,
            turn: Mutex::default(),
            let_go: Condvar::new(),
            taken: Condvar::new(),
            asked: AtomicBool::new(false),
        }
    }

    /// Waits for the lock and takes it.
    pub fn take(&self) -> Held<'_> {
        self.acquire();
        Held {
            gil: self,
            not_send: PhantomData,
        }
    }

    /// How often it has gone from one thread to another.
    pub fn hand_overs(&self) -> u64 {
        self.turn().hand_overs
    }

    fn acquire(&self) {
        let mut turn = self.turn();
        if turn.held {
            turn = self.wait_for(turn);
        }
        turn.held = true;
        self.asked.store(false, Ordering::SeqCst);
        let this = thread::current().id();
        if turn
            .last_holder
            .replace(this)
            .is_some_and(|last| last != this)
        {
            turn.hand_overs += 1;
            self.taken.notify_all();
        }
    }

    #[tracing::instrument(name = "wait for GIL", fields(wait = "lock"), skip_all)]
    fn wait_for<'gil>(&'gil self, mut turn: MutexGuard<'gil, Turn>) -> MutexGuard<'gil, Turn> {
        while turn.held {
            let before = turn.hand_overs;
            let waited = self.let_go.wait_timeout(turn, self.switch_interval);
            let (now, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            turn = now;
            // If a third thread got it meanwhile, that one is to have its own interval first.
            if waited.timed_out() && turn.held && turn.hand_overs == before {
                self.asked.store(true, Ordering::SeqCst);
            }
        }
        turn
    }

    fn release(&self) {
        let mut turn = self.turn();
        turn.held = false;
        self.let_go.notify_one();
        if self.asked.load(Ordering::SeqCst) {
            // The forced switch. The one who asked is still waking up; without this wait, the
            // thread that is awake would take the lock again at once, and again.
            let this = thread::current().id();
            while turn.last_holder == Some(this) {
                turn = self
                    .taken
                    .wait(turn)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Nothing in here panics half-way, so what a panic elsewhere leaves is whole.
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Whether another thread has waited out its interval; cheap enough to ask at every step.
    pub fn is_asked_for(&self) -> bool {
        self.gil.asked.load(Ordering::SeqCst)
    }

    /// If asked for, lets another thread run, and waits to go on; says whether it did.
    pub fn hand_over_if_asked(&mut self) -> bool {
        let asked = self.is_asked_for();
        if asked {
            self.without(|| ());
        }
        asked
    }

    /// Lets go around something that waits, such as a read: others run meanwhile.
    pub fn without<T>(&mut self, io: impl FnOnce() -> T) -> T {
        /// Takes the lock again even if `io` panics: `Held` gives back what it has.
        struct TakeAgain<'gil>(&'gil Gil);
        impl Drop for TakeAgain<'_> {
            fn drop(&mut self) {
                self.0.acquire();
            }
        }
        self.gil.release();
        let _take_again = TakeAgain(self.gil);
        io()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.gil.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchdog::under_watchdog;
    use std::{
        panic::{self, AssertUnwindSafe},
        sync::{Barrier, atomic::AtomicUsize},
    };

    /// So short that a holder is asked as soon as somebody waits.
    const AT_ONCE: Duration = Duration::from_micros(20);

    fn on_threads(count: usize, job: impl Fn(usize) + Sync) {
        let job = &job;
        thread::scope(|scope| {
            for number in 0..count {
                scope.spawn(move || job(number));
            }
        });
    }

    #[test]
    fn it_never_has_two_holders() {
        under_watchdog(|| {
            for threads in 1..=8 {
                let (gil, holders) = (Gil::new(AT_ONCE), AtomicUsize::new(0));
                on_threads(threads, |_| {
                    let mut held = gil.take();
                    for _ in 0..300 {
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        assert_eq!(holders.fetch_sub(1, Ordering::SeqCst), 1);
                        held.hand_over_if_asked();
                    }
                });
            }
        });
    }

    #[test]
    fn whoever_hands_over_gets_it_back_from_the_other_not_from_itself() {
        under_watchdog(|| {
            let gil = Gil::new(AT_ONCE);
            let (last, at_work) = (AtomicUsize::new(0), AtomicUsize::new(2));
            on_threads(2, |this| {
                let mut held = gil.take();
                last.store(this, Ordering::SeqCst);
                for _ in 0..50 {
                    while !held.is_asked_for() && at_work.load(Ordering::SeqCst) == 2 {
                        thread::yield_now();
                    }
                    if held.hand_over_if_asked() {
                        assert_eq!(last.swap(this, Ordering::SeqCst), 1 - this);
                    }
                }
                at_work.fetch_sub(1, Ordering::SeqCst);
            });
            assert!(gil.hand_overs() >= 50, "{}", gil.hand_overs());
        });
    }

    #[test]
    fn both_threads_move_on_before_either_ends() {
        under_watchdog(|| {
            let (gil, turns) = (
                Gil::new(AT_ONCE),
                [AtomicUsize::new(0), AtomicUsize::new(0)],
            );
            on_threads(2, |this| {
                let mut held = gil.take();
                turns[this].fetch_add(1, Ordering::SeqCst);
                // Without a hand-over the other never has a turn, and this never ends.
                while turns[1 - this].load(Ordering::SeqCst) < 2 {
                    if held.hand_over_if_asked() {
                        turns[this].fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
            assert!(gil.hand_overs() >= 3);
        });
    }

    #[test]
    fn let_go_around_io_two_threads_are_inside_it_at_once() {
        under_watchdog(|| {
            let (gil, both) = (Gil::new(Duration::from_secs(3600)), Barrier::new(2));
            on_threads(2, |_| {
                gil.take().without(|| both.wait());
            });
        });
    }

    #[test]
    fn a_panic_during_io_leaves_it_free() {
        under_watchdog(|| {
            let gil = Gil::new(AT_ONCE);
            let io = || gil.take().without(|| panic::panic_any("on purpose"));
            assert!(panic::catch_unwind(AssertUnwindSafe(io)).is_err());
            on_threads(2, |_| drop(gil.take()));
        });
    }

    #[test]
    fn a_thread_alone_is_never_asked() {
        let gil = Gil::new(AT_ONCE);
        let mut held = gil.take();
        assert!(!(0..1_000).any(|_| held.hand_over_if_asked()));
        drop(held);
        assert_eq!(gil.hand_overs(), 0);
    }
}
