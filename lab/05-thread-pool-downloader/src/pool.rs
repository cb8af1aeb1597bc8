//! The pool itself: threads that take jobs from a channel and send back what became of them.

use crossbeam::channel::{Receiver, Sender, unbounded};
use std::{
    io, iter,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    thread::{self, JoinHandle},
};

type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// The number of a job and what became of it: its value, or its panic.
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
    ///
    /// # Errors
    /// The system refuses to start another thread; those started end again.
    pub fn new(workers: NonZeroUsize) -> io::Result<Self> {
        let (job_tx, job_rx) = unbounded();
        let (completed_tx, completed_rx) = unbounded();
        let mut pool = Self {
            jobs: Some(job_tx),
            completed: completed_rx,
            workers: Vec::with_capacity(workers.get()),
            submitted: 0,
            taken: 0,
        };
        for number in 1..=workers.get() {
            // A receiver each: with one behind a mutex, a worker could hold the lock as it works.
            let (jobs, completed) = (job_rx.clone(), completed_tx.clone());
            let worker = thread::Builder::new().name(format!("worker {number}"));
            let worker = worker.spawn(move || work(&jobs, &completed))?;
            pool.workers.push(worker);
        }
        Ok(pool)
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
        // The job is gone either way, so nobody can see what a panic left half done in it.
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
mod tests {
    use super::*;
    use std::{
        collections::BTreeSet,
        sync::{
            Arc, Barrier,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    fn pool<T: Send + 'static>(workers: usize) -> ThreadPool<T> {
        let workers = NonZeroUsize::new(workers).expect("not zero");
        ThreadPool::new(workers).expect("threads start")
    }

    /// Runs `work`, and turns a hang into a failure.
    fn without_hanging<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || tx.send(work()));
        rx.recv_timeout(Duration::from_secs(60))
            .expect("it panicked, or it hangs")
    }

    #[test]
    fn each_job_comes_back_once_under_its_number() {
        without_hanging(|| {
            for workers in 1..=8 {
                for count in [0, 1, 3, 100] {
                    let mut pool = pool(workers);
                    for number in 1..=count {
                        assert_eq!(pool.submit(move || number * number), number);
                    }
                    let completed: Vec<_> = pool.as_completed().collect();
                    assert_eq!(completed.len(), count, "{workers} workers");
                    let numbers: BTreeSet<usize> = completed.iter().map(|one| one.0).collect();
                    assert!(numbers.into_iter().eq(1..=count), "{workers} workers");
                    for (number, square) in completed {
                        assert_eq!(square.expect("no job panics"), number * number);
                    }
                }
            }
        });
    }

    #[test]
    fn all_workers_work_at_once_and_none_holds_the_queue_meanwhile() {
        for workers in 1..=8 {
            // Each job waits for the others: fewer at once would wait for ever.
            let met = without_hanging(move || {
                let meeting = Arc::new(Barrier::new(workers));
                let mut pool = pool(workers);
                for _ in 0..2 * workers {
                    let meeting = Arc::clone(&meeting);
                    pool.submit(move || meeting.wait().is_leader());
                }
                let leaders = pool.as_completed().filter_map(|(_, leader)| leader.ok());
                leaders.filter(|leader| *leader).count()
            });
            assert_eq!(met, 2, "two waves of {workers}");
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
    fn the_first_to_finish_comes_first_whatever_was_asked_first() {
        let order = without_hanging(|| {
            let mut pool = pool(2);
            let (tx, rx) = mpsc::channel::<()>();
            pool.submit(move || rx.recv().is_ok());
            pool.submit(|| true);
            let mut completed = pool.as_completed();
            let first = completed.next().map(|one| one.0);
            tx.send(()).expect("the first job still waits");
            [first, completed.next().map(|one| one.0)]
        });
        assert_eq!(order, [Some(2), Some(1)]);
    }

    #[test]
    fn a_panic_comes_back_as_a_value_and_its_worker_goes_on() {
        let completed = without_hanging(|| {
            let mut pool = pool(1);
            pool.submit(|| panic!("on purpose"));
            pool.submit(|| "well");
            pool.as_completed().collect::<Vec<_>>()
        });
        let panic = completed[0].1.as_ref().expect_err("the job panics");
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        assert_eq!(completed[1].1.as_ref().ok(), Some(&"well"));
    }

    #[test]
    fn a_pool_can_be_asked_again_after_its_jobs_are_done() {
        let mut pool = pool(2);
        pool.submit(|| ());
        assert_eq!(pool.as_completed().count(), 1);
        assert_eq!(pool.as_completed().count(), 0);
        assert_eq!(pool.submit(|| ()), 2);
        assert_eq!(pool.as_completed().count(), 1);
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
