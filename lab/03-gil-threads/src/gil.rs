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
