//! Threads that lock each other out, on purpose, every time; and the same with the order kept.
//!
//! Nothing joins a thread that is stuck: only the end of its process ends it.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    panic::Location,
    sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder, JoinHandle},
};

/// Two accounts, each with a lock of its own that is watched.
#[derive(Debug)]
pub struct Bank {
    checking: Mutex<i64>,
    savings: Mutex<i64>,
    /// Both threads hold their first lock before either asks for its second.
    both_hold: Barrier,
    notes: Mutex<Vec<Note>>,
}

/// A thread asks for the lock that it holds.
pub fn start_self_deadlock(bank: &Arc<Bank>) -> Vec<JoinHandle<()>> {
    vec![start(bank, "teller", |bank| {
        let held = bank.checking();
        // BUG (on purpose): as a method does that holds the lock and calls one that takes it.
        *bank.checking() += 1;
        drop(held);
    })]
}

/// Two threads take the same two locks, each the other's first one second.
pub fn start_opposite_order(bank: &Arc<Bank>) -> Vec<JoinHandle<()>> {
    let saver = start(bank, "saver", |bank| {
        let mut from = bank.checking();
        bank.both_hold.wait();
        let mut to = bank.savings();
        (*from, *to) = (*from - 10, *to + 10);
    });
    let spender = start(bank, "spender", |bank| {
        // BUG (on purpose): the other way round than `saver`.
        let mut from = bank.savings();
        bank.both_hold.wait();
        let mut to = bank.checking();
        (*from, *to) = (*from - 20, *to + 20);
    });
    vec![saver, spender]
}

/// Two threads take the same two locks in the same order.
pub fn start_same_order(bank: &Arc<Bank>) -> Vec<JoinHandle<()>> {
    let saver = start(bank, "saver", |bank| {
        let (mut checking, mut savings) = (bank.checking(), bank.savings());
        (*checking, *savings) = (*checking - 10, *savings + 10);
    });
    let spender = start(bank, "spender", |bank| {
        // Checking before savings, whichever way the money goes: the thread that has the last lock
        // of the order waits for no other.
        let (mut checking, mut savings) = (bank.checking(), bank.savings());
        (*savings, *checking) = (*savings - 20, *checking + 20);
    });
    vec![saver, spender]
}

fn start(bank: &Arc<Bank>, name: &str, work: fn(&Bank)) -> JoinHandle<()> {
    let (bank, thread) = (Arc::clone(bank), Builder::new().name(name.into()));
    let started = thread.spawn(move || work(&bank));
    started.expect("the system starts a thread")
}

/// A thread that has taken a lock or waits for it, and the line that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The thread, by its name.
    pub thread: String,
    /// The lock, by its name.
    pub lock: String,
    /// The file and line that asked for it.
    pub at: String,
    /// Whether it has got the lock; otherwise it waits for it.
    pub holds: bool,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.holds { "holds" } else { "waits for" };
        write!(f, "{} {does} `{}`, {}", self.thread, self.lock, self.at)
    }
}

impl Default for Bank {
    fn default() -> Self {
        Self {
            checking: Mutex::new(100),
            savings: Mutex::new(100),
            both_hold: Barrier::new(2),
            notes: Mutex::default(),
        }
    }
}

impl Bank {
    #[track_caller]
    fn checking(&self) -> MutexGuard<'_, i64> {
        self.lock("checking", &self.checking)
    }

    #[track_caller]
    fn savings(&self) -> MutexGuard<'_, i64> {
        self.lock("savings", &self.savings)
    }

    /// Locks, and notes who waits for the lock and then that it is held.
    ///
    /// The note stays when the lock is released. No thread here asks for a lock after it has released
    /// one, so an old note is never taken for part of a circle.
    #[track_caller]
    fn lock<'a>(&self, name: &str, lock: &'a Mutex<i64>) -> MutexGuard<'a, i64> {
        let place = Location::caller();
        let waits = Note {
            thread: thread::current().name().unwrap_or_default().into(),
            lock: name.into(),
            at: format!("{}:{}", place.file(), place.line()),
            holds: false,
        };
        self.notes().push(waits.clone());
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = self.notes();
        notes
            .iter_mut()
            .for_each(|note| note.holds |= *note == waits);
        guard
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads of a circle, each with what it holds and then what it waits for.
    pub fn circle(&self) -> Option<Vec<Note>> {
        let notes = self.notes();
        let waiting = || notes.iter().filter(|note| !note.holds);
        // From a lock that is waited for to a holder of it that waits, too.
        let next = |wait: &Note| {
            let holds = |other: &&Note| {
                let mut held = notes.iter().filter(|note| note.holds);
                held.any(|note| note.thread == other.thread && note.lock == wait.lock)
            };
            waiting().find(holds)
        };
        waiting().find_map(|first| {
            let mut path = vec![first];
            while let Some(wait) = next(path[path.len() - 1]) {
                if let Some(at) = path.iter().position(|known| *known == wait) {
                    let of_thread = |wait: &Note| {
                        let own = notes.iter().filter(|note| note.thread == wait.thread);
                        own.cloned().collect::<Vec<_>>()
                    };
                    return Some(path.into_iter().skip(at).flat_map(of_thread).collect());
                }
                path.push(wait);
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Waits for the circle; the threads in it stay until this test process ends.
    fn circle(start: fn(&Arc<Bank>) -> Vec<JoinHandle<()>>) -> Vec<Note> {
        let (bank, begun) = (Arc::default(), Instant::now());
        start(&bank);
        loop {
            if let Some(circle) = bank.circle() {
                return circle;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no circle");
            thread::yield_now();
        }
    }

    /// Asserts that the circle has these notes of a thread, in their order.
    fn has(circle: &[Note], thread: &str, expected: [(&str, &str); 2]) {
        let own: Vec<&Note> = circle.iter().filter(|note| note.thread == thread).collect();
        assert_eq!((own.len(), own[0].holds, own[1].holds), (2, true, false));
        for (note, (lock, code)) in own.iter().zip(expected) {
            let (file, line) = note.at.rsplit_once(':').expect("file:line");
            let line: usize = line.parse().expect("a number");
            assert!(file.ends_with("src/deadlock.rs"), "{file}");
            let found = include_str!("deadlock.rs").lines().nth(line - 1);
            assert_eq!((&*note.lock, found.map(str::trim)), (lock, Some(code)));
        }
    }

    #[test]
    fn a_self_deadlock_names_the_lock_the_thread_and_both_lines() {
        let circle = circle(start_self_deadlock);
        assert_eq!(circle.len(), 2);
        let held = ("checking", "let held = bank.checking();");
        has(
            &circle,
            "teller",
            [held, ("checking", "*bank.checking() += 1;")],
        );
    }

    #[test]
    fn opposite_orders_name_both_threads_both_locks_and_all_four_lines() {
        let circle = circle(start_opposite_order);
        assert_eq!(circle.len(), 4);
        let saver = [
            ("checking", "let mut from = bank.checking();"),
            ("savings", "let mut to = bank.savings();"),
        ];
        let spender = [
            ("savings", "let mut from = bank.savings();"),
            ("checking", "let mut to = bank.checking();"),
        ];
        has(&circle, "saver", saver);
        has(&circle, "spender", spender);
    }

    #[test]
    fn one_order_for_all_finishes_without_a_circle() {
        for _ in 0..200 {
            let bank = Arc::default();
            for thread in start_same_order(&bank) {
                assert_eq!(bank.circle(), None);
                thread.join().expect("it finishes");
            }
        }
    }
}
