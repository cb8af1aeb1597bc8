//! Who holds which lock and who waits for which, each with its source line; and the cycle in it.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    panic::Location,
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Once there is a cycle: how long the other threads are given to come to rest behind it.
const COMING_TO_REST: Duration = Duration::from_secs(2);

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as the compiler names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl From<&Location<'_>> for Place {
    fn from(location: &Location<'_>) -> Self {
        let (file, line) = (location.file().into(), location.line());
        Self { file, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A lock by its name, and where it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The lock.
    pub lock: String,
    /// The line of the call to `lock`.
    pub at: Place,
}

/// A thread that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// The thread.
    pub thread: String,
    /// What it holds.
    pub holds: Vec<Asked>,
    /// What it waits for.
    pub waits_for: Asked,
}

/// Threads that wait for each other, and those that only wait for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlock {
    /// Each waits for a lock that the next one holds, and the last for one of the first.
    pub cycle: Vec<Stuck>,
    /// Threads outside the cycle that wait for a lock.
    pub behind: Vec<Stuck>,
}

/// The books of all locks that belong to it. Threads and locks go by their names.
#[derive(Debug, Default)]
pub struct Registry {
    books: Mutex<Books>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Books {
    /// By lock: who holds it, and where it was taken.
    held: BTreeMap<&'static str, (String, Place)>,
    /// By thread: what it waits for, and where.
    waits: BTreeMap<String, (&'static str, Place)>,
    finished: usize,
}

impl Registry {
    /// A thread is about to ask for `lock`.
    pub(crate) fn wait(&self, lock: &'static str, place: Place) {
        self.change(|books| books.waits.insert(this_thread(), (lock, place)));
    }

    /// The calling thread has got `lock`, which it waited for.
    pub(crate) fn hold(&self, lock: &'static str) {
        self.change(|books| {
            let thread = this_thread();
            if let Some((_, place)) = books.waits.remove(&thread) {
                books.held.insert(lock, (thread, place));
            }
        });
    }

    pub(crate) fn release(&self, lock: &'static str) {
        self.change(|books| books.held.remove(lock));
    }

    /// One of the watched threads has come to its end.
    pub fn finish(&self) {
        self.change(|books| books.finished += 1);
    }

    fn change<R>(&self, change: impl FnOnce(&mut Books) -> R) {
        change(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until `threads` threads have finished, which stuck ones never do.
    pub fn wait_for_all(&self, threads: usize) {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = self
            .changed
            .wait_while(books, |books| books.finished < threads);
        drop(finished.unwrap_or_else(PoisonError::into_inner));
    }

    /// Watches until `threads` threads have finished, or some of them never can: the watchdog.
    ///
    /// A cycle in the books is a deadlock, never a false alarm: all its threads are in `lock`, so
    /// none of them can let go of what the books say it holds.
    pub fn watch(&self, threads: usize) -> Option<Deadlock> {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.changed.wait_while(books, |books| {
            books.finished < threads && books.cycle().is_none()
        });
        let books = waiting.unwrap_or_else(PoisonError::into_inner);
        books.cycle()?;
        let at_rest = self
            .changed
            .wait_timeout_while(books, COMING_TO_REST, |books| {
                books.finished + books.waits.len() < threads
            });
        let (books, _) = at_rest.unwrap_or_else(PoisonError::into_inner);
        books.cycle().map(|cycle| books.deadlock(&cycle))
    }
}

fn this_thread() -> String {
    thread::current()
        .name()
        .unwrap_or("a thread without a name")
        .into()
}

impl Books {
    /// The threads of a cycle, each waiting for the next.
    fn cycle(&self) -> Option<Vec<&str>> {
        self.waits.keys().find_map(|start| self.cycle_from(start))
    }

    /// Follows the waits from `start` on: to the lock, to its holder, to what that one waits for.
    fn cycle_from<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut path = vec![start];
        loop {
            let (lock, _) = self.waits.get(*path.last()?)?;
            let (holder, _) = self.held.get(lock)?;
            if let Some(at) = path.iter().position(|thread| thread == holder) {
                return Some(path.split_off(at));
            }
            path.push(holder);
        }
    }

    fn deadlock(&self, cycle: &[&str]) -> Deadlock {
        let members: BTreeSet<&str> = cycle.iter().copied().collect();
        let others = self.waits.keys().map(String::as_str);
        let others = others.filter(|thread| !members.contains(thread));
        Deadlock {
            cycle: cycle
                .iter()
                .filter_map(|thread| self.stuck(thread))
                .collect(),
            behind: others.filter_map(|thread| self.stuck(thread)).collect(),
        }
    }

    fn stuck(&self, thread: &str) -> Option<Stuck> {
        let asked = |lock: &str, at: &Place| Asked {
            lock: lock.into(),
            at: at.clone(),
        };
        let (lock, at) = self.waits.get(thread)?;
        let held = self.held.iter().filter(|(_, (holder, _))| holder == thread);
        Some(Stuck {
            thread: thread.into(),
            holds: held.map(|(lock, (_, at))| asked(lock, at)).collect(),
            waits_for: asked(lock, at),
        })
    }
}

#[cfg(test)]
mod tests;
