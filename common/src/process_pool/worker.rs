//! The worker process: one thread listens to the parent, the main thread works.

use super::{
    panics,
    wire::{Done, Failure, Order, Report},
};
use crate::{
    child::{Link, LinkReceiver, LinkSender},
    timeline::{self, Lane, Moment, Span},
    timing::Usage,
};
use crossbeam_channel::Sender;
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;
use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

/// Serves tasks until the parent closes the link.
pub(super) fn serve<I, O>(name: &'static str, function: fn(I) -> O, link: Link) -> ExitCode
where
    I: DeserializeOwned,
    O: Serialize,
{
    panics::keep_those_of_this_thread();
    let (mut sender, receiver) = link.split();
    let hello = Report::Hello {
        ready: Moment::now(),
        busy: timeline::thread_cpu().unwrap_or_default(),
    };
    let (tx, rx) = crossbeam_channel::unbounded();
    if sender.send(&hello).is_err() || listen(receiver, tx).is_err() {
        return ExitCode::FAILURE;
    }
    let mut recorder = Recorder::default();
    for order in rx {
        recorder.begin(order.record);
        let outcome = run(function, &order.input);
        // A half line would wait in the buffer and be lost when this process is killed.
        let _ = io::stdout().flush();
        if answer(&mut sender, order.task, outcome, recorder.end(name)).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Takes orders on a thread of its own, so that the parent's end is noticed in mid-task too.
fn listen(mut receiver: LinkReceiver, orders: Sender<Order<ByteBuf>>) -> io::Result<()> {
    thread::Builder::new()
        .name("listener".into())
        .spawn(move || {
            while let Ok(Some(order)) = receiver.receive() {
                if orders.send(order).is_err() {
                    return;
                }
            }
            end_with_the_parent();
        })
        .map(drop)
}

/// Ends this process at once, and on Unix the helpers that a task started.
#[expect(
    clippy::exit,
    reason = "the parent is gone, and a task may run for ever"
)]
fn end_with_the_parent() -> ! {
    #[cfg(unix)]
    {
        use nix::{sys::signal, unistd};
        // `Child::start` made this process the leader of a group that holds it and its helpers.
        if unistd::getpgrp() == unistd::getpid() {
            let _ = signal::killpg(unistd::getpgrp(), signal::Signal::SIGKILL);
        }
    }
    std::process::exit(0)
}

/// Runs one task; whatever it and its types do, the outcome is a value.
fn run<I: DeserializeOwned, O: Serialize>(
    function: fn(I) -> O,
    input: &[u8],
) -> Result<Vec<u8>, Failure> {
    panics::catch(|| {
        let input = postcard::from_bytes(input).map_err(|error| Failure::Input {
            reason: error.to_string(),
        })?;
        postcard::to_stdvec(&function(input)).map_err(|error| Failure::Output {
            reason: error.to_string(),
        })
    })
    .unwrap_or_else(|(message, location)| Err(Failure::Panicked { message, location }))
}

/// Reports a task; an output that is too large for one message is reported as that.
fn answer(
    sender: &mut LinkSender,
    task: u64,
    outcome: Result<Vec<u8>, Failure>,
    lanes: Vec<Lane>,
) -> io::Result<()> {
    let done = |outcome, lanes| {
        Report::Done(Done {
            task,
            outcome,
            lanes,
            usage: Usage::of_this_process(),
        })
    };
    match sender.send(&done(outcome.map(ByteBuf::from), lanes)) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let reason = error.to_string();
            sender.send(&done(Err(Failure::Output { reason }), Vec::new()))
        }
        sent => sent,
    }
}

/// Records a task as a span of this process's lane, around the spans that the task records.
#[derive(Default)]
struct Recorder {
    installed: bool,
    began: Option<(Moment, Option<Duration>)>,
}

impl Recorder {
    fn begin(&mut self, record: bool) {
        if record && !self.installed {
            timeline::install();
            self.installed = true;
        }
        self.began = record.then(|| (Moment::now(), timeline::thread_cpu()));
    }

    fn end(&mut self, name: &'static str) -> Vec<Lane> {
        let Some((start, cpu)) = self.began.take() else {
            if self.installed {
                timeline::take();
            }
            return Vec::new();
        };
        let end = Moment::now();
        let busy = match cpu.zip(timeline::thread_cpu()) {
            Some((before, after)) => after.saturating_sub(before).min(end - start),
            None => end - start,
        };
        let mut lanes = timeline::take();
        for span in lanes.iter_mut().flat_map(|lane| &mut lane.spans) {
            span.depth += 1;
        }
        let whole = Lane {
            id: timeline::LaneId {
                kind: timeline::LaneKind::Process,
                number: std::process::id().into(),
            },
            name: name.into(),
            spans: vec![Span::watched(name, start, end, busy)],
        };
        lanes.insert(0, whole);
        lanes
    }
}
