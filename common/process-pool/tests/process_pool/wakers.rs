//! Wakers that do what they like, and whom the queue's room wakes.

use crate::{
    functions::{CHORE, Chore},
    support::{MeetingPoint, Met, builder, check_at_rest, count, wait_until_dead, watched},
};
use nix::unistd::Pid;
use process_pool::{ProcessPool, Task};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// A pool of one worker with room for one task that waits, and a task in the middle of its run.
fn busy() -> (Arc<ProcessPool<Chore, u32>>, MeetingPoint, Task<u32>, Met) {
    let point = MeetingPoint::new();
    let builder = builder(CHORE, 1).queue_limit(count(1));
    let pool = builder.start().expect("the pool starts");
    let running = pool.submit(point.chore());
    let met = point.meet();
    (Arc::new(pool), point, running, met)
}

/// Asks the pool for its ledger when it is woken, and panics.
struct Nosy(Arc<ProcessPool<Chore, u32>>);

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        assert!(self.0.ledger().submitted == 0, "on purpose");
    }
}

#[test]
fn a_waker_may_ask_the_pool_and_panic() {
    watched(|| {
        let (pool, _point, mut task, met) = busy();
        let waker = Waker::from(Arc::new(Nosy(Arc::clone(&pool))));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
        drop(met);
        check_at_rest(&pool);
        assert!(task.is_finished() && task.wait().is_ok());
    });
}

/// Drops the pool when it is woken.
struct Dropping(Mutex<Option<Arc<ProcessPool<Chore, u32>>>>);

impl Wake for Dropping {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().expect("no panic").take());
    }
}

#[test]
fn a_waker_may_drop_the_pool() {
    watched(|| {
        let (pool, _point, mut task, met) = busy();
        let waker = Waker::from(Arc::new(Dropping(Mutex::new(Some(pool)))));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
        let pid = met.pid;
        drop(met);
        // Waiting for it would be another waker.
        while !task.is_finished() {
            thread::yield_now();
        }
        assert_eq!(task.wait(), Ok(pid));
        wait_until_dead(Pid::from_raw(pid.cast_signed()));
    });
}

#[test]
fn room_is_given_out_in_order_and_given_up_waits_hold_none() {
    watched(|| {
        let (pool, _point, running, met) = busy();
        let queued = pool.submit(Chore::Return);
        let mut waiting: Vec<_> = (0..3)
            .map(|_| Box::pin(pool.submit_async(Chore::Return)))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut context).is_pending());
        }
        drop(waiting.remove(1));
        drop(met);
        assert!(running.wait().is_ok() && queued.wait().is_ok());
        let tasks = waiting.into_iter().map(crate::tasks::block_on);
        let ids: Vec<_> = tasks.map(|task| (task.id(), task.wait().is_ok())).collect();
        assert_eq!(ids, [(2, true), (3, true)]);
        assert_eq!(check_at_rest(&pool).submitted, 5);
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn each_place_in_the_queue_wakes_one_that_waits_for_it() {
    watched(|| {
        let (pool, point, running, met) = busy();
        let queued = pool.submit(point.chore());
        let counting = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&counting));
        let mut context = Context::from_waker(&waker);
        let mut waiting: Vec<_> = (0..1_000)
            .map(|_| Box::pin(pool.submit_async(Chore::Return)))
            .collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut context).is_pending());
        }
        drop(met);
        assert!(running.wait().is_ok());
        // The queued one is begun: that frees one place.
        let met = point.meet();
        while counting.0.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let mut polls = waiting
            .iter_mut()
            .map(|wait| wait.as_mut().poll(&mut context));
        assert_eq!(polls.position(|polled| polled.is_ready()), Some(0));
        assert_eq!(counting.0.load(Ordering::SeqCst), 1);
        drop(met);
        assert!(queued.wait().is_ok());
    });
}
