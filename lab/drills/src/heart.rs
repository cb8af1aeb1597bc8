//! A task beside the repair, on the same executor: it beats whenever that comes round to it.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, ThreadId},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The task, and the thread that it shares with all others.
pub(crate) struct Heart {
    executor: ThreadId,
    asked: UnboundedSender<Sender<()>>,
}

impl Heart {
    /// Starts it, on the calling thread's executor.
    pub(crate) fn start() -> Self {
        let (asked, mut beats) = unbounded_channel::<Sender<()>>();
        tokio::spawn(async move {
            while let Some(beat) = beats.recv().await {
                let _ = beat.send(());
            }
        });
        let executor = thread::current().id();
        Self { executor, asked }
    }

    /// Asks for a beat, which comes when the task is polled next.
    pub(crate) fn ask(&self) -> Receiver<()> {
        let (beat, beats) = channel();
        let _ = self.asked.send(beat);
        beats
    }

    /// Who calls on the executor's thread, where nothing else can run meanwhile; `None` elsewhere.
    pub(crate) fn blocked(&self) -> Option<&'static str> {
        let is_task = tokio::task::try_id().is_some();
        let place = if is_task { "task" } else { "caller" };
        (thread::current().id() == self.executor).then_some(place)
    }
}
