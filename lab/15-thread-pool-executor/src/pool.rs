//! A pool by hand, of the standard library alone: threads that share one queue of jobs.

use std::{
    io, iter,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

type Job<R> = Box<dyn FnOnce() -> R + Send>;

/// Threads that are started once and take jobs until the pool is dropped.
///
/// Dropping it waits for every job handed in, as the end of a `with ThreadPoolExecutor()` does.
#[derive(Debug)]
pub struct Pool<R> {
    /// `None` once the pool is being dropped: that closes the queue.
    jobs: Option<Sender<Job<R>>>,
    outcomes: Receiver<thread::Result<R>>,
    workers: Vec<JoinHandle<()>>,
    /// Jobs whose outcome nobody has taken yet.
    under_way: usize,
}

/// The end of the queue that all workers take from.
struct Queue<R> {
    jobs: Mutex<Receiver<Job<R>>>,
}

impl<R> Queue<R> {
    /// Waits for the next job; `None` when the queue is closed and empty.
    ///
    /// The lock is held while a worker waits for a job, and given back *before* it does it. Written
    /// as `while let Ok(job) = jobs.lock().unwrap().recv() { job() }` it would be held during the
    /// job as well, and the pool would be one thread at a time.
    fn take(&self) -> Option<Job<R>> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.recv().ok()
    }
}

impl<R: Send + 'static> Pool<R> {
    /// Starts the workers.
    ///
    /// # Errors
    /// The system refuses to start another thread; those started end again.
    pub fn start(workers: NonZeroUsize) -> io::Result<Self> {
        let (job_tx, job_rx) = mpsc::channel();
        let (outcome_tx, outcome_rx) = mpsc::channel();
        let queue = Arc::new(Queue {
            jobs: Mutex::new(job_rx),
        });
        let mut pool = Self {
            jobs: Some(job_tx),
            outcomes: outcome_rx,
            workers: Vec::with_capacity(workers.get()),
            under_way: 0,
        };
        for number in 1..=workers.get() {
            let (queue, outcomes) = (Arc::clone(&queue), outcome_tx.clone());
            let worker = thread::Builder::new().name(format!("worker {number}"));
            // An early return drops the pool, which ends what was started.
            pool.workers
                .push(worker.spawn(move || work(&queue, &outcomes))?);
        }
        Ok(pool)
    }

    /// Queues a job.
    pub fn submit(&mut self, job: impl FnOnce() -> R + Send + 'static) {
        self.under_way += 1;
        let jobs = self.jobs.as_ref().expect("open until the pool is dropped");
        jobs.send(Box::new(job))
            .expect("the workers live as long as the pool");
    }

    /// Yields what became of each job handed in, the first to finish first; waits where none has.
    pub fn as_completed(&mut self) -> impl Iterator<Item = thread::Result<R>> {
        iter::from_fn(|| {
            self.under_way = self.under_way.checked_sub(1)?;
            self.outcomes.recv().ok()
        })
    }
}

/// What each worker does until the queue is closed and empty.
fn work<R>(queue: &Queue<R>, outcomes: &Sender<thread::Result<R>>) {
    while let Some(job) = queue.take() {
        // The job is gone either way, so nobody can see what a panic left half done in it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(job));
        // A pool that is being dropped no longer listens; the jobs are done all the same.
        let _ = outcomes.send(outcome);
    }
}

impl<R> Drop for Pool<R> {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its jobs and has none of its own.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    fn pool<R: Send + 'static>(workers: usize) -> Pool<R> {
        Pool::start(NonZeroUsize::new(workers).expect("not zero")).expect("threads start")
    }

    /// Runs `work`, and turns a hang into a failure.
    fn without_hanging<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || tx.send(work()));
        rx.recv_timeout(Duration::from_secs(60))
            .expect("it panicked, or it hangs")
    }

    #[test]
    fn all_workers_work_at_once_and_none_holds_the_queue_meanwhile() {
        for workers in 1..=8 {
            // Each job waits for the others: fewer at once would wait for ever.
            without_hanging(move || {
                let meeting = Arc::new(Barrier::new(workers));
                let mut pool = pool(workers);
                for _ in 0..3 * workers {
                    let meeting = Arc::clone(&meeting);
                    pool.submit(move || meeting.wait().is_leader());
                }
                assert_eq!(pool.as_completed().count(), 3 * workers);
            });
        }
    }

    #[test]
    fn no_more_jobs_run_at_once_than_there_are_workers() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut pool = pool(3);
        for _ in 0..200 {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            pool.submit(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
        assert_eq!(pool.as_completed().count(), 200);
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    }

    #[test]
    fn a_panic_comes_back_as_a_value_and_its_worker_goes_on() {
        let outcomes = without_hanging(|| {
            let mut pool = pool(1);
            pool.submit(|| panic!("on purpose"));
            pool.submit(|| "well");
            pool.as_completed().collect::<Vec<_>>()
        });
        let panic = outcomes[0].as_ref().expect_err("the job panics");
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        assert_eq!(outcomes[1].as_ref().ok(), Some(&"well"));
    }

    #[test]
    fn dropping_the_pool_waits_for_every_job() {
        let done = Arc::new(AtomicUsize::new(0));
        let mut pool = pool(2);
        for _ in 0..50 {
            let done = Arc::clone(&done);
            pool.submit(move || done.fetch_add(1, Ordering::SeqCst));
        }
        drop(pool);
        assert_eq!(done.load(Ordering::SeqCst), 50);
    }
}
