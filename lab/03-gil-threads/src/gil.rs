//! One lock that a thread must hold to run: CPython's global interpreter lock, emulated.

use parking_lot::{Mutex, MutexGuard};
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::Duration,
};

/// The lock. A thread that waits for it longer than the switch interval asks its holder to release it.
///
/// # Source
/// CPython 3.2 and later, `take_gil` and `drop_gil` in `Python/ceval_gil.c`.
#[derive(Debug)]
pub struct Gil {
    switch_interval: Duration,
    lock: Mutex<()>,
    /// Some thread waits; the holder looks here between two steps (CPython's "eval breaker").
    asked: AtomicBool,
}

/// The right to run; given back when dropped.
#[derive(Debug)]
pub struct Held<'gil>(&'gil Gil, Option<MutexGuard<'gil, ()>>);

impl Gil {
    /// A free lock; CPython's switch interval is 5 ms.
    pub fn new(switch_interval: Duration) -> Self {
        let (lock, asked) = (Mutex::new(()), AtomicBool::new(false));
        Self {
            switch_interval,
            lock,
            asked,
        }
    }

    /// Waits for the lock and takes it.
    pub fn take(&self) -> Held<'_> {
        Held(self, Some(self.acquire()))
    }

    fn acquire(&self) -> MutexGuard<'_, ()> {
        let turn = self.lock.try_lock().unwrap_or_else(|| self.wait());
        self.asked.store(false, SeqCst);
        turn
    }

    #[tracing::instrument(name = "wait for GIL", skip_all, fields(wait = "lock"))]
    fn wait(&self) -> MutexGuard<'_, ()> {
        loop {
            match self.lock.try_lock_for(self.switch_interval) {
                Some(turn) => return turn,
                None => self.asked.store(true, SeqCst),
            }
        }
    }
}

impl Held<'_> {
    /// Whether another thread has waited out its interval; cheap enough to ask at every step.
    pub fn is_asked_for(&self) -> bool {
        self.0.asked.load(SeqCst)
    }

    /// Releases the lock around something that waits, such as a read: others run meanwhile.
    pub fn without<T>(&mut self, io: impl FnOnce() -> T) -> T {
        self.release();
        let result = io();
        self.1 = Some(self.0.acquire());
        result
    }

    fn release(&mut self) {
        self.1 = None;
        // The forced switch. The thread that asked is still waking up; without this wait, the one that
        // is awake would take the lock again at once, and again.
        while self.is_asked_for() {
            thread::yield_now();
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Barrier, atomic::AtomicUsize, mpsc};

    /// Turns a hang into a failure.
    fn under_watchdog(test: impl FnOnce() + Send + 'static) {
        let (tx, rx) = mpsc::channel();
        let testing = thread::spawn(move || {
            // Dropped at the end, by a panic too.
            let _tx = tx;
            test();
        });
        let ended = rx.recv_timeout(Duration::from_secs(60));
        assert_ne!(
            ended,
            Err::<(), _>(mpsc::RecvTimeoutError::Timeout),
            "it hangs"
        );
        testing.join().expect("no panic");
    }

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

    /// Lets another thread run if one waits; says whether it did.
    fn hand_over_if_asked(held: &mut Held<'_>) -> bool {
        let asked = held.is_asked_for();
        if asked {
            held.without(|| ());
        }
        asked
    }

    #[test]
    fn it_never_has_two_holders() {
        under_watchdog(|| {
            for threads in 1..=8 {
                let (gil, holders) = (Gil::new(AT_ONCE), AtomicUsize::new(0));
                on_threads(threads, |_| {
                    let mut held = gil.take();
                    for _ in 0..300 {
                        assert_eq!(holders.fetch_add(1, SeqCst), 0);
                        thread::yield_now();
                        assert_eq!(holders.fetch_sub(1, SeqCst), 1);
                        hand_over_if_asked(&mut held);
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
                last.store(this, SeqCst);
                for _ in 0..50 {
                    while !held.is_asked_for() && at_work.load(SeqCst) == 2 {
                        thread::yield_now();
                    }
                    if hand_over_if_asked(&mut held) {
                        assert_eq!(last.swap(this, SeqCst), 1 - this);
                    }
                }
                at_work.fetch_sub(1, SeqCst);
            });
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
                turns[this].fetch_add(1, SeqCst);
                // Without a hand-over the other never has a turn, and this never ends.
                while turns[1 - this].load(SeqCst) < 2 {
                    if hand_over_if_asked(&mut held) {
                        turns[this].fetch_add(1, SeqCst);
                    }
                }
            });
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
    fn a_thread_alone_is_never_asked() {
        let gil = Gil::new(AT_ONCE);
        let mut held = gil.take();
        assert!(!(0..1_000).any(|_| hand_over_if_asked(&mut held)));
    }

    #[test]
    fn a_gil_that_is_released_lets_all_of_them_wait_at_once() {
        under_watchdog(|| {
            for jobs in [1, 2, 8] {
                let (gil, all) = (Gil::new(AT_ONCE), Barrier::new(jobs as usize));
                crate::wait_releasing_gil(jobs, &gil, || {
                    all.wait();
                });
            }
        });
    }
}
