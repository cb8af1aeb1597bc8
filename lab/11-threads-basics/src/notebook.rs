//! What the threads did, in the order in which it really happened.

use serde::Serialize;
use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// One iteration of one worker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Line {
    /// Who.
    pub worker: String,
    /// Which of its iterations, from 1.
    pub iteration: usize,
}

/// Lines in order, one writer at a time; each is told as it is written.
pub struct Notebook {
    lines: Mutex<Vec<Line>>,
    /// How many lines are finished; to be read without waiting for a writer.
    count: AtomicUsize,
    tell: Box<dyn Fn(&Line) + Send + Sync>,
}

impl Notebook {
    /// A notebook that has `tell` say each line. The lock is held meanwhile, so that what is told
    /// comes in the order of what is written.
    pub fn telling(tell: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self {
            lines: Mutex::default(),
            count: AtomicUsize::new(0),
            tell: Box::new(tell),
        }
    }

    /// Writes a line.
    pub fn write(&self, worker: &str, iteration: usize) {
        let line = Line {
            worker: worker.to_owned(),
            iteration,
        };
        let mut lines = self.open();
        (self.tell)(&line);
        lines.push(line);
        self.count.fetch_add(1, SeqCst);
    }

    /// Counts the lines and tells the count while nobody writes: between the lines counted and the
    /// next one.
    pub fn look(&self, tell: impl FnOnce(usize)) -> usize {
        let lines = self.open();
        tell(lines.len());
        lines.len()
    }

    /// How many lines are written.
    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<Line> {
        self.open().clone()
    }

    /// How often a line is of another worker than the line before.
    pub fn changes(&self) -> usize {
        let lines = self.open();
        let pairs = lines.windows(2);
        pairs
            .filter(|pair| pair[0].worker != pair[1].worker)
            .count()
    }

    /// Opens it, also after a writer has panicked: a line is whole or not there.
    fn open(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Notebook {
    fn default() -> Self {
        Self::telling(|_| ())
    }
}

impl fmt::Debug for Notebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.open().iter()).finish()
    }
}
