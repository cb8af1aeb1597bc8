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

impl Gil {
    /// A free lock; CPython's switch interval is 5 ms.
    pub fn new(switch_interval: Duration) -> Self {
        Self {
            switch_interval,
            lock: Mutex::default(),
            asked: AtomicBool::default(),
        }
    }

    /// Waits for the right to run, and has it until the guard is dropped.
    pub fn take(&self) -> MutexGuard<'_, ()> {
        let held = self.lock.try_lock().unwrap_or_else(|| self.wait());
        self.asked.store(false, SeqCst);
        held
    }

    #[tracing::instrument(name = "wait for GIL", skip_all, fields(wait = "lock"))]
    fn wait(&self) -> MutexGuard<'_, ()> {
        loop {
            match self.lock.try_lock_for(self.switch_interval) {
                Some(held) => return held,
                None => self.asked.store(true, SeqCst),
            }
        }
    }

    /// Whether another thread has waited out its interval; cheap enough to ask at every step.
    pub fn is_asked_for(&self) -> bool {
        self.asked.load(SeqCst)
    }

    /// Releases the lock, and takes it back when the thread that asked has had it.
    pub fn hand_over<'a>(&'a self, held: MutexGuard<'a, ()>) -> MutexGuard<'a, ()> {
        drop(held);
        // The forced switch. The thread that asked is still waking up; without this wait, the one that
        // is awake would take the lock again at once, and again.
        while self.is_asked_for() {
            thread::yield_now();
        }
        self.take()
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

    /// Lets another thread run if one waits.
    fn hand_over_if_asked<'a>(gil: &'a Gil, held: MutexGuard<'a, ()>) -> MutexGuard<'a, ()> {
        if gil.is_asked_for() {
            gil.hand_over(held)
        } else {
            held
        }
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
                        held = hand_over_if_asked(&gil, held);
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
                    while !gil.is_asked_for() && at_work.load(SeqCst) == 2 {
                        thread::yield_now();
                    }
                    if gil.is_asked_for() {
                        held = gil.hand_over(held);
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
                    if gil.is_asked_for() {
                        held = gil.hand_over(held);
                        turns[this].fetch_add(1, SeqCst);
                    }
                }
            });
        });
    }

    #[test]
    fn a_thread_alone_is_never_asked() {
        let gil = Gil::new(AT_ONCE);
        let _held = gil.take();
        assert!(!(0..1_000).any(|_| gil.is_asked_for()));
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
