//! Graceful shutdown.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::{future::pending, time::Duration};
use tokio::{
    sync::{
        Notify,
        mpsc::{Receiver, Sender, channel},
    },
    time::sleep,
};

const JOBS: usize = 4;
const LATE: usize = 20;

pub(crate) const DRILL: Drill = Drill {
    number: 16,
    name: "graceful_shutdown",
    task: "A worker takes jobs from a queue until it is told to stop; then it returns at once, and jobs \
           that the queue had accepted are lost. Repair `serve`: after the signal the queue takes no \
           more jobs, those that it has are done, and the worker ends, though a sender still exists.",
    hints: [
        "What is still in the queue when the signal comes?",
        "A receiver can close its queue: senders then get an error, and `recv` returns what is left, \
         and then `None`.",
        "On the signal call `jobs.close()` and go on receiving. When nothing is left, `recv` returns \
         `None`; match on it, because the pattern `Some(job)` in `select!` passes over it.",
    ],
    entry: "serve",
    source: include_str!("d16.rs"),
    candidates: crate::candidates! { serve;
        solution "",
        shipped "the worker leaves accepted jobs behind",
        ignores_the_signal "the worker waits until all senders are gone",
        open_to_the_end "the queue is emptied, but takes jobs until the end",
        never_works "the worker returns at once",
    },
};

/// A job, which takes a second.
pub struct Job(usize, Stage);

impl Job {
    /// Does it.
    pub async fn run(self) {
        self.1.enter(self.0);
        sleep(Duration::from_secs(1)).await;
        self.1.leave(self.0);
    }
}

/// Sends jobs before the signal and, one a second, after it, as long as they are accepted.
async fn send(jobs: Sender<Job>, stop: &Notify, stage: &Stage) {
    for job in 0..JOBS {
        let _ = jobs.send(Job(job, stage.clone())).await;
    }
    sleep(Duration::from_millis(1500)).await;
    stop.notify_one();
    for _ in 0..LATE {
        sleep(Duration::from_secs(1)).await;
        if jobs.send(Job(JOBS, stage.clone())).await.is_ok() {
            stage.note(JOBS, "accepted");
        }
    }
    pending::<()>().await;
    drop(jobs);
}

/// Checks a repair.
pub fn check(serve: impl AsyncFn(Receiver<Job>, &Notify) + Copy + Send + 'static) -> Verdict {
    judge("job", JOBS + 1, |stage| {
        let seen = stage.clone();
        let ended = stage.watch_tasks(async move || {
            let ((tx, rx), stop) = (channel(100), Notify::new());
            tokio::select! {
                () = serve(rx, &stop) => {}
                () = send(tx, &stop, &seen) => {}
            }
        });
        let (done, late) = (stage.count(None, "leave"), stage.count(None, "accepted"));
        ensure!(
            !is_stuck(&ended) || done < JOBS,
            "{done} jobs are done, and the worker still waits for more, though it was told to stop"
        );
        ended?;
        ensure!(
            done > 0,
            "the worker returned before it had done any of {JOBS} jobs"
        );
        ensure!(
            late < LATE,
            "in {LATE} s after the signal {late} more jobs were accepted: the queue was not closed"
        );
        ensure!(
            done == JOBS + late,
            "the worker returned with {done} jobs done, and the queue had accepted {}",
            JOBS + late
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d16::Job;
    use tokio::sync::{Notify, mpsc::Receiver};

    /// Does jobs until the signal to stop.
    pub(super) async fn serve(mut jobs: Receiver<Job>, stop: &Notify) {
        loop {
            tokio::select! {
                Some(job) = jobs.recv() => job.run().await,
                () = stop.notified() => return,
                else => return,
            }
        }
    }
}

mod solution {
    use lab_drills::d16::Job;
    use tokio::sync::{Notify, mpsc::Receiver};

    /// Does jobs until the signal to stop.
    pub(super) async fn serve(mut jobs: Receiver<Job>, stop: &Notify) {
        loop {
            tokio::select! {
                biased;
                () = stop.notified() => jobs.close(),
                job = jobs.recv() => match job {
                    Some(job) => job.run().await,
                    None => return,
                },
            }
        }
    }
}

mod ignores_the_signal {
    pub(super) async fn serve(mut jobs: super::Receiver<super::Job>, _: &super::Notify) {
        while let Some(job) = jobs.recv().await {
            job.run().await;
        }
    }
}

mod open_to_the_end {
    pub(super) async fn serve(mut jobs: super::Receiver<super::Job>, stop: &super::Notify) {
        stop.notified().await;
        while let Ok(job) = jobs.try_recv() {
            job.run().await;
        }
    }
}

mod never_works {
    pub(super) async fn serve(_: super::Receiver<super::Job>, _: &super::Notify) {}
}
