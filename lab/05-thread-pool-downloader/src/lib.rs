//! A pool of threads: as many as you allow, not as many as there are URLs.

use crossbeam::channel::{Receiver, Sender, unbounded};
use std::{
    iter,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    thread::{self, JoinHandle},
};
use web::{Agent, FetchError, Fetched, Url, get_blocking};

/// The number of a request in the order of asking, from 1, and its result.
pub type Download = (usize, Fetched);

/// Downloads every URL on a pool of `workers` threads; results are in the order of completion.
///
/// `on_arrival` gets each result as it completes, on the calling thread.
pub fn download_pooled(
    agent: &Agent,
    urls: &[Url],
    workers: NonZeroUsize,
    on_arrival: impl FnMut(&Download),
) -> Vec<Download> {
    let mut pool = ThreadPool::new(workers);
    for url in urls {
        let (agent, url) = (agent.clone(), url.clone());
        pool.submit(move || get_blocking(&agent, &url));
    }
    let downloads = pool.as_completed().map(|(number, outcome)| {
        // One job's panic is one failed request; the others keep their results.
        let fetched = outcome.unwrap_or_else(|_| Err(panicked(&urls[number - 1])));
        (number, fetched)
    });
    downloads.inspect(on_arrival).collect()
}

fn panicked(url: &Url) -> FetchError {
    FetchError::Other {
        url: url.to_string(),
        reason: "its job panicked".into(),
    }
}

type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// The number of a job, and its value or its panic.
pub type Completed<T> = (usize, thread::Result<T>);

/// A fixed number of threads that share one queue of jobs.
///
/// Python's `ThreadPoolExecutor(max_workers=n)`; dropping the pool is the end of its `with` block:
/// it waits for every job handed in.
#[derive(Debug)]
pub struct ThreadPool<T> {
    /// `None` once the pool is being dropped: that closes the channel.
    jobs: Option<Sender<(usize, Job<T>)>>,
    completed: Receiver<Completed<T>>,
    workers: Vec<JoinHandle<()>>,
    submitted: usize,
    taken: usize,
}

impl<T: Send + 'static> ThreadPool<T> {
    /// Starts the workers; they wait for jobs.
    pub fn new(workers: NonZeroUsize) -> Self {
        let (jobs, job_rx) = unbounded();
        let (completed_tx, completed) = unbounded();
        let start = |_| {
            // A receiver each: with one behind a mutex, a worker could hold the lock as it works.
            let (jobs, completed) = (job_rx.clone(), completed_tx.clone());
            thread::spawn(move || work(&jobs, &completed))
        };
        Self {
            workers: (0..workers.get()).map(start).collect(),
            jobs: Some(jobs),
            completed,
            submitted: 0,
            taken: 0,
        }
    }

    /// Queues a job and returns its number, counted from 1.
    pub fn submit(&mut self, job: impl FnOnce() -> T + Send + 'static) -> usize {
        self.submitted += 1;
        let jobs = self.jobs.as_ref().expect("open until the pool is dropped");
        jobs.send((self.submitted, Box::new(job)))
            .expect("the workers live as long as the pool");
        self.submitted
    }

    /// Yields each job handed in once, the first to finish first; waits where none has.
    pub fn as_completed(&mut self) -> impl Iterator<Item = Completed<T>> {
        iter::from_fn(|| {
            if self.taken == self.submitted {
                return None;
            }
            self.taken += 1;
            self.completed.recv().ok()
        })
    }
}

/// What each worker does until the channel of jobs is closed and empty.
fn work<T>(jobs: &Receiver<(usize, Job<T>)>, completed: &Sender<Completed<T>>) {
    for (number, job) in jobs {
        // The job is gone either way, so nothing can see what a panic left half done in it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(job));
        completed
            .send((number, outcome))
            .expect("the pool waits for its workers before it is gone");
    }
}

impl<T> Drop for ThreadPool<T> {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its jobs and has none of its own.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests;
