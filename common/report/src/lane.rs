//! What is seen of a lane, whoever draws it: stretches that look alike all along, none over another.

use crate::{LaneReport, SpanReport, Variant};
use std::collections::BTreeMap;
use timeline::{CAUSES, START_UP};

/// How a stretch looks for the part of its time that it does not run: one of these or a cause.
pub(crate) const RUNNING: usize = 0;
/// It waits, for what is not known.
pub(crate) const STILL: usize = 1;
/// It could run, but has no CPU.
pub(crate) const READY: usize = 2;
pub(crate) const START: usize = 3;
/// It was cut off: how it ran is not known.
pub(crate) const CUT: usize = 4;
/// The looks from here on are those of [`CAUSES`].
pub(crate) const FIRST_CAUSE: usize = 5;
pub(crate) const LOOKS: usize = FIRST_CAUSE + CAUSES.len();

/// A stretch of a lane, in nanoseconds from the start of its variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) look: usize,
    /// For what part of the time it ran.
    pub(crate) share: f64,
}

/// The stretches of a lane in order; what lies deeper covers what is around it.
pub(crate) fn stretches(lane: &LaneReport) -> Vec<Stretch> {
    let spans = lane.spans.iter().zip(own_shares(&lane.spans));
    let mut spans: Vec<_> = spans.collect();
    spans.sort_by(|(one, _), (other, _)| {
        let by_start = one.start_s.total_cmp(&other.start_s);
        one.depth.cmp(&other.depth).then(by_start)
    });
    let mut canvas = BTreeMap::new();
    for (span, share) in spans {
        let look = look_of(span);
        let share = if span.polls_s.is_empty() { share } else { 0.0 };
        paint(&mut canvas, (span.start_s, span.end_s), look, share);
        // Polls reach over short rests where there were many.
        let polled: f64 = span.polls_s.iter().map(|poll| poll.1 - poll.0).sum();
        let density = (span.busy_s / polled).clamp(0.0, 1.0);
        for poll in &span.polls_s {
            paint(&mut canvas, *poll, look, density);
        }
    }
    canvas.into_values().collect()
}

fn look_of(span: &SpanReport) -> usize {
    let known = |wait: &str| CAUSES.iter().position(|cause| cause.0 == wait);
    match span.wait.as_deref() {
        _ if span.cut => CUT,
        _ if span.name == START_UP => START,
        Some(wait) => known(wait).map_or(STILL, |cause| FIRST_CAUSE + cause),
        // A thread that is not known to wait lacks a CPU; what a task does unpolled nobody knows.
        None if span.polls_s.is_empty() => READY,
        None => STILL,
    }
}

/// A look in a word and as a legend says it, with its mark in a text picture.
pub(crate) fn named(look: usize) -> (&'static str, &'static str, char) {
    match look {
        RUNNING => ("run", "running", '█'),
        STILL => ("still", "waiting", '░'),
        READY => ("ready", "ready, no CPU free", '┄'),
        START => ("start", "starts up", 's'),
        CUT => ("cut", "cut off: how it ran is not known", '?'),
        cause => {
            let (wait, words, mark) = CAUSES[cause - FIRST_CAUSE];
            (wait, words, mark.unwrap_or(named(STILL).2))
        }
    }
}

/// Paints a stretch over what is there.
fn paint(canvas: &mut BTreeMap<i64, Stretch>, place: (f64, f64), look: usize, share: f64) {
    // What is no number is no place.
    if (place.0..=place.1).is_empty() {
        return;
    }
    let [start, end] = [place.0, place.1].map(nanoseconds);
    let end = end.max(start.saturating_add(1));
    let before = canvas.range(..end).rev().map(|(_, old)| *old);
    let covered: Vec<Stretch> = before.take_while(|old| old.end > start).collect();
    for old in covered {
        canvas.remove(&old.start);
        if old.start < start {
            canvas.insert(old.start, Stretch { end: start, ..old });
        }
        if old.end > end {
            canvas.insert(end, Stretch { start: end, ..old });
        }
    }
    let new = Stretch {
        start,
        end,
        look,
        share,
    };
    canvas.insert(start, new);
}

pub(crate) fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// How much of its time outside of its children each span ran.
fn own_shares(spans: &[SpanReport]) -> Vec<f64> {
    let open = |span: &SpanReport| span.end_s - span.start_s;
    let mut own: Vec<_> = spans.iter().map(|span| (span.busy_s, open(span))).collect();
    let mut around: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let is_inside = |last: &SpanReport| last.depth < span.depth && last.end_s >= span.end_s;
        while around.pop_if(|last| !is_inside(&spans[*last])).is_some() {}
        if let Some(&parent) = around.last() {
            own[parent].0 -= span.busy_s;
            own[parent].1 -= open(span);
        }
        around.push(index);
    }
    let share = |(busy, open): (f64, f64)| if open > 0.0 { busy / open } else { 1.0 };
    own.into_iter()
        .map(|own| share(own).clamp(0.0, 1.0))
        .collect()
}

/// The lanes of which any part falls into the measured stretch.
pub(crate) fn in_view(lanes: &[LaneReport], wall_s: f64) -> impl Iterator<Item = &LaneReport> {
    lanes.iter().filter(move |lane| {
        let mut spans = lane.spans.iter();
        spans.any(|span| span.end_s > 0.0 && span.start_s < wall_s)
    })
}

pub(crate) fn longest<'a>(variants: impl IntoIterator<Item = &'a Variant>) -> f64 {
    let walls_s = variants.into_iter().map(|one| one.wall_s);
    walls_s.fold(0.0, f64::max)
}
