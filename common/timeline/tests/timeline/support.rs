//! What the tests share.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use timeline::{Lane, Moment, Recording, Timeline};
use tracing::{Dispatch, dispatcher, level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::layer::SubscriberExt;

/// A timeline of this test, which records what this thread does until the guard is dropped.
pub(crate) fn recorded(timeline: Timeline) -> (Timeline, DefaultGuard) {
    let subscriber = tracing_subscriber::registry()
        .with(timeline.clone())
        .with(LevelFilter::INFO);
    (timeline, tracing::subscriber::set_default(subscriber))
}

/// How many spans there are.
pub(crate) fn spans(recording: &Recording) -> usize {
    recording.lanes.iter().map(|lane| lane.spans.len()).sum()
}

/// Whether one of its spans is open at the end of a recording so far.
pub(crate) fn is_open(lane: &Lane, now: Moment) -> bool {
    lane.spans.iter().any(|span| span.end == now)
}

/// Threads of a test record where the test does.
pub(crate) fn here() -> Dispatch {
    dispatcher::get_default(Dispatch::clone)
}

/// Pending once, ready then.
#[derive(Default)]
pub(crate) struct OnceMore(bool);

impl Future for OnceMore {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

pub(crate) fn poll(future: Pin<&mut impl Future>) -> bool {
    future
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

pub(crate) fn names(lane: &Lane) -> Vec<&str> {
    lane.spans.iter().map(|span| span.name.as_ref()).collect()
}

pub(crate) fn span_names(recording: &Recording) -> Vec<(&str, Vec<&str>)> {
    let lanes = recording.lanes.iter();
    lanes.map(|lane| (&*lane.name, names(lane))).collect()
}
