//! Threads that lock each other out, on purpose, every time; and the same with the order kept.
//!
//! Nothing joins a thread that is stuck: only the end of its process ends it.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder, JoinHandle},
};

/// A thread asks for the lock that it holds.
pub fn start_self_deadlock(notes: &Arc<Notes>) -> Vec<JoinHandle<()>> {
    let balance = WatchedMutex::new(notes, "balance", 0);
    vec![start("teller", move || {
        let held = balance.lock();
        // BUG (on purpose): as a method does that holds the lock and calls one that takes it.
        *balance.lock() += 1;
        drop(held);
    })]
}

/// Two threads take the same two locks, each the other's first one second.
pub fn start_opposite_order(notes: &Arc<Notes>) -> Vec<JoinHandle<()>> {
    let checking = Arc::new(WatchedMutex::new(notes, "checking", 100));
    let savings = Arc::new(WatchedMutex::new(notes, "savings", 100));
    // Both hold their first lock before either asks for its second.
    let holding = Arc::new(Barrier::new(2));
    let (from, to, meeting) = (checking.clone(), savings.clone(), holding.clone());
    let saver = start("saver", move || {
        let mut from = from.lock();
        meeting.wait();
        let mut to = to.lock();
        (*from, *to) = (*from - 10, *to + 10);
    });
    let spender = start("spender", move || {
        // BUG (on purpose): the other way round than `saver`.
        let mut from = savings.lock();
        holding.wait();
        let mut to = checking.lock();
        (*from, *to) = (*from - 20, *to + 20);
    });
    vec![saver, spender]
}

/// Two threads take the same two locks in the same order.
pub fn start_same_order(notes: &Arc<Notes>) -> Vec<JoinHandle<()>> {
    let checking = Arc::new(WatchedMutex::new(notes, "checking", 100));
    let savings = Arc::new(WatchedMutex::new(notes, "savings", 100));
    let (first, second) = (checking.clone(), savings.clone());
    let saver = start("saver", move || {
        let (mut checking, mut savings) = (first.lock(), second.lock());
        (*checking, *savings) = (*checking - 10, *savings + 10);
    });
    let spender = start("spender", move || {
        // Checking before savings, whichever way the money goes: the thread that has the last lock
        // of the order waits for no other.
        let (mut checking, mut savings) = (checking.lock(), savings.lock());
        (*savings, *checking) = (*savings - 20, *checking + 20);
    });
    vec![saver, spender]
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = Builder::new().name(name.into());
    thread.spawn(work).expect("the system starts a thread")
}

/// A thread that holds a lock or waits for it, and the line that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The thread, by its name.
    pub thread: String,
    /// The lock, by its name.
    pub lock: String,
    /// The file and line of the call to `lock`.
    pub at: String,
    /// Whether it has the lock; otherwise it waits for it.
    pub holds: bool,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.holds { "holds" } else { "waits for" };
        write!(f, "{} {does} `{}`, {}", self.thread, self.lock, self.at)
    }
}

/// Who holds and who waits for the locks of one program.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Vec<Note>>);

impl Notes {
    fn open(&self) -> MutexGuard<'_, Vec<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads of a circle, each with what it holds and then what it waits for.
    pub fn circle(&self) -> Option<Vec<Note>> {
        let notes = self.open();
        let waiting = || notes.iter().filter(|note| !note.holds);
        waiting().find_map(|first| {
            let mut path = vec![first];
            loop {
                // From the lock that is waited for to its holder, and to what that one waits for.
                let lock = &path[path.len() - 1].lock;
                let holder = notes.iter().find(|note| note.holds && note.lock == *lock)?;
                let next = waiting().find(|note| note.thread == holder.thread)?;
                if let Some(at) = path.iter().position(|note| note.thread == next.thread) {
                    let threads = path.split_off(at).into_iter();
                    let of_thread = |wait: &'_ Note| {
                        let own = notes.iter().filter(|note| note.thread == wait.thread);
                        own.cloned().collect::<Vec<_>>()
                    };
                    return Some(threads.flat_map(of_thread).collect());
                }
                path.push(next);
            }
        })
    }
}

/// A `Mutex` that notes who asks for it, and where in the source, before it blocks.
#[derive(Debug)]
struct WatchedMutex<T> {
    name: &'static str,
    notes: Arc<Notes>,
    mutex: Mutex<T>,
}

/// A [`WatchedMutex`] that is held.
struct WatchedGuard<'a, T> {
    lock: &'a WatchedMutex<T>,
    guard: MutexGuard<'a, T>,
}

impl<T> WatchedMutex<T> {
    fn new(notes: &Arc<Notes>, name: &'static str, value: T) -> Self {
        Self {
            name,
            notes: Arc::clone(notes),
            mutex: Mutex::new(value),
        }
    }

    #[track_caller]
    fn lock(&self) -> WatchedGuard<'_, T> {
        let at = Location::caller();
        let thread = thread::current().name().unwrap_or_default().to_owned();
        let waits = Note {
            thread,
            lock: self.name.into(),
            at: format!("{}:{}", at.file(), at.line()),
            holds: false,
        };
        self.notes.open().push(waits.clone());
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = self.notes.open();
        notes
            .iter_mut()
            .for_each(|note| note.holds |= *note == waits);
        drop(notes);
        WatchedGuard { lock: self, guard }
    }
}

impl<T> Drop for WatchedGuard<'_, T> {
    fn drop(&mut self) {
        // Before the lock itself is released: the notes never name two holders.
        let name = self.lock.name;
        let mut notes = self.lock.notes.open();
        notes.retain(|note| !(note.holds && note.lock == name));
    }
}

impl<T> Deref for WatchedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for WatchedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Waits for the circle; the threads in it stay until this test process ends.
    fn circle(start: fn(&Arc<Notes>) -> Vec<JoinHandle<()>>) -> Vec<Note> {
        let (notes, begun) = (Arc::default(), Instant::now());
        start(&notes);
        loop {
            if let Some(circle) = notes.circle() {
                return circle;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no circle");
            thread::yield_now();
        }
    }

    /// The line of this file that `note` names.
    fn line(note: &Note) -> &str {
        let (file, line) = note.at.rsplit_once(':').expect("file:line");
        assert!(file.ends_with("src/deadlock.rs"), "{file}");
        let line: usize = line.parse().expect("a number");
        let mut lines = include_str!("deadlock.rs").lines();
        lines.nth(line - 1).expect("a line").trim()
    }

    #[test]
    fn a_self_deadlock_names_the_lock_the_thread_and_both_lines() {
        let circle = circle(start_self_deadlock);
        let [held, wait] = &circle[..] else {
            panic!("{circle:?}")
        };
        assert_eq!(
            (&*held.thread, &*held.lock, held.holds),
            ("teller", "balance", true)
        );
        assert_eq!(
            (&*wait.thread, &*wait.lock, wait.holds),
            ("teller", "balance", false)
        );
        assert_eq!(line(&circle[0]), "let held = balance.lock();");
        assert_eq!(line(&circle[1]), "*balance.lock() += 1;");
    }

    #[test]
    fn opposite_orders_name_both_threads_both_locks_and_all_four_lines() {
        let circle = circle(start_opposite_order);
        assert_eq!(circle.len(), 4);
        for (thread, [first, second], lines) in [
            (
                "saver",
                ["checking", "savings"],
                ["let mut from = from.lock();", "let mut to = to.lock();"],
            ),
            (
                "spender",
                ["savings", "checking"],
                [
                    "let mut from = savings.lock();",
                    "let mut to = checking.lock();",
                ],
            ),
        ] {
            let own: Vec<&Note> = circle.iter().filter(|note| note.thread == thread).collect();
            assert_eq!(
                (&*own[0].lock, own[0].holds, line(own[0])),
                (first, true, lines[0])
            );
            assert_eq!(
                (&*own[1].lock, own[1].holds, line(own[1])),
                (second, false, lines[1])
            );
        }
    }

    #[test]
    fn one_order_for_all_goes_through_and_leaves_no_note() {
        for _ in 0..200 {
            let notes = Arc::default();
            for thread in start_same_order(&notes) {
                thread.join().expect("it finishes");
            }
            assert_eq!((notes.circle(), notes.open().len()), (None, 0));
        }
    }
}
