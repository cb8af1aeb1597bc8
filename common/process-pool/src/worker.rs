//! The worker process: one thread listens to the parent, the main thread works.

use super::{
    batch, caught,
    desk::{Desk, Tick, employ, lock},
    wire::{Failure, Order, Report},
};
use crate::child::{Closing, Link};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use timeline::{Lane, Moment, Recording, Span, Timeline};

/// Serves tasks until the parent closes the link.
pub(super) fn serve<I, O>(name: &'static str, function: fn(I) -> O, link: Link) -> ExitCode
where
    I: DeserializeOwned,
    O: Serialize,
{
    caught::keep_those_of_this_thread();
    let (mut sender, mut receiver) = link.split();
    let hello = Report::Hello {
        ready: Moment::now(),
        busy: timeline::thread_cpu().unwrap_or_default(),
    };
    let watched = receiver.closing().and_then(watch);
    if sender.send(&hello).is_err() || watched.is_err() {
        return ExitCode::FAILURE;
    }
    let desk = Arc::new(Mutex::new(Desk::new(sender)));
    let Ok(clerk) = employ(Arc::clone(&desk)) else {
        return ExitCode::FAILURE;
    };
    let mut recorder = Recorder::default();
    let mut tick = Tick::new();
    let mut result = Vec::new();
    loop {
        let (order, mut inputs) = match receiver.receive_with::<Order>() {
            Ok(Some(order)) => order,
            // The parent's end; the thread that watches for it ends this process.
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        };
        lock(&desk).open(order.tasks, order.promptly);
        if order.tasks > 1 {
            clerk.unpark();
        }
        loop {
            let Some((_, input)) = batch::take_record(&mut inputs) else {
                return ExitCode::FAILURE;
            };
            recorder.begin(order.record);
            result.clear();
            let ended_well = run(function, input, &mut result);
            let recording = recorder.end(name);
            let mut desk = lock(&desk);
            desk.file(ended_well, &mut result, recording);
            if desk.report_if_due(tick.has_passed()).is_err() {
                return ExitCode::FAILURE;
            }
            if desk.is_closed() {
                break;
            }
        }
    }
}

/// Waits for the parent's end on a thread of its own, so that it is noticed in mid-task too.
fn watch(closing: Closing) -> io::Result<()> {
    thread::Builder::new()
        .name("watcher".into())
        .spawn(move || {
            closing.wait();
            end_with_the_parent()
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

/// Runs one task and appends its result; whatever it and its types do, there is one. Returns whether
/// it is a value.
fn run<I: DeserializeOwned, O: Serialize>(
    function: fn(I) -> O,
    input: &[u8],
    results: &mut Vec<u8>,
) -> bool {
    let start = results.len();
    let ended = caught::catch(|| {
        let input = postcard::from_bytes(input).map_err(|error| Failure::Input {
            reason: error.to_string(),
        })?;
        batch::append(results, &function(input)).map_err(|reason| Failure::Output { reason })
    });
    let failure = match ended {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => failure,
        Err((message, location)) => Failure::Panicked { message, location },
    };
    // A panic while it was encoded leaves half of a value.
    results.truncate(start);
    if let Err(reason) = batch::append_failure(results, &failure) {
        let too_long = Failure::Output { reason };
        // It is a short sentence.
        let _ = batch::append_failure(results, &too_long);
    }
    false
}

/// Records a task as a span of this process's lane, around the spans that the task records.
#[derive(Default)]
struct Recorder {
    /// From the first task on that is to be recorded.
    timeline: Option<Timeline>,
    began: Option<(Moment, Option<Duration>)>,
}

impl Recorder {
    #[inline]
    fn begin(&mut self, record: bool) {
        if record && self.timeline.is_none() {
            self.timeline = Some(Timeline::with_declared_tasks().install());
        }
        self.began = record.then(|| (Moment::now(), timeline::thread_cpu()));
    }

    #[inline]
    fn end(&mut self, name: &'static str) -> Option<Recording> {
        let timeline = self.timeline.as_ref()?;
        let Some((start, cpu)) = self.began.take() else {
            timeline.take();
            return None;
        };
        let end = Moment::now();
        let busy = match cpu.zip(timeline::thread_cpu()) {
            Some((before, after)) => after.saturating_sub(before).min(end - start),
            None => end - start,
        };
        let mut recording = timeline.take();
        for span in recording.lanes.iter_mut().flat_map(|lane| &mut lane.spans) {
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
        recording.lanes.insert(0, whole);
        recording.toll.spans += 1;
        Some(recording)
    }
}
