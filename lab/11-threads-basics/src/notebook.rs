//! What the threads did, in the order in which it really happened.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One iteration of one worker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Who.
    pub worker: String,
    /// Which of its iterations, from 1.
    pub iteration: usize,
}

/// Lines in order, one writer at a time.
pub struct Notebook {
    lines: Mutex<Vec<Line>>,
    print: Box<dyn Fn(&Line) + Send + Sync>,
}

impl Notebook {
    /// A notebook that has each line printed while nothing else is written.
    pub fn printing(print: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self {
            lines: Mutex::default(),
            print: Box::new(print),
        }
    }

    /// Writes a line.
    pub fn write(&self, worker: &str, iteration: usize) {
        let line = Line {
            worker: worker.to_owned(),
            iteration,
        };
        let mut lines = self.open();
        (self.print)(&line);
        lines.push(line);
    }

    /// The lines so far; while the guard lives, no other is written.
    pub fn open(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Notebook {
    fn default() -> Self {
        Self::printing(|_| ())
    }
}
