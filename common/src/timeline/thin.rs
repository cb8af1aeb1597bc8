//! Fewer spans, and the same picture: what is too short to see is joined to its neighbour.

use super::{Lane, LaneId, Moment, Span};
use std::time::Duration;

/// A picture has fewer columns than this.
const COLUMNS: u32 = 4096;

/// Polls that a span keeps; past that, neighbours are merged.
pub(super) const POLLS_KEPT: usize = 64;

/// About what a span without polls takes in memory, and each of its polls.
const SPAN_BYTES: usize = 192;
const POLL_BYTES: usize = 16;

/// A closed span and where it belongs.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) lane: LaneId,
    /// What the lane is called, with the span that opened it.
    pub(super) lane_name: Option<Box<str>>,
    pub(super) span: Span,
}

impl Kept {
    /// About what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let name = self.lane_name.as_ref().map_or(0, |name| name.len());
        SPAN_BYTES + name + POLL_BYTES * self.span.polls.len()
    }
}

/// The first window to try for a stretch of this length.
pub(super) fn first_window(stretch: Duration) -> Duration {
    (stretch / COLUMNS).max(Duration::from_nanos(1))
}

/// Takes `next` into `span` where they are alike, one of them is shorter than `window`, and so is the gap
/// between them.
pub(super) fn join(span: &mut Span, next: &mut Span, window: Duration) -> bool {
    let alike = span.depth == next.depth
        && span.name == next.name
        && span.wait == next.wait
        && !span.cut
        && span.polls.is_empty() == next.polls.is_empty();
    let near = span.start <= next.start && next.start - span.end <= window;
    let short = span.duration().min(next.duration()) <= window;
    if !(alike && near && short) {
        return false;
    }
    span.end = span.end.max(next.end);
    span.busy = (span.busy + next.busy).min(span.duration());
    span.cut = next.cut;
    span.job = None;
    span.polls.append(&mut next.polls);
    merge_polls(&mut span.polls);
    true
}

/// Merges neighbours until at most [`POLLS_KEPT`] are left.
pub(super) fn merge_polls(polls: &mut Vec<(Moment, Moment)>) {
    let group = polls.len().div_ceil(POLLS_KEPT);
    if group > 1 {
        *polls = (polls.chunks(group))
            .map(|group| {
                let end = group.iter().map(|poll| poll.1).max();
                (group[0].0, end.unwrap_or(group[0].1))
            })
            .collect();
    }
}

/// Joins neighbours, and drops what lies inside of others and is shorter than `window`.
pub(super) fn thin(kept: &mut Vec<Kept>, window: Duration) {
    kept.sort_by_key(|kept| (kept.lane, kept.span.depth, kept.span.start));
    kept.dedup_by(|next, first| {
        next.lane == first.lane
            && next.lane_name.is_none()
            && join(&mut first.span, &mut next.span, window)
    });
    kept.retain(|kept| !is_dropped(&kept.span, window));
}

/// Whether nobody misses it: the span around it tells the same time.
pub(super) fn is_dropped(span: &Span, window: Duration) -> bool {
    span.depth > 0 && span.duration() < window && !span.cut
}

/// Drops the shorter half; the last resort, where there are too many lanes.
pub(super) fn drop_short_half(kept: &mut Vec<Kept>) {
    kept.sort_by_key(|kept| std::cmp::Reverse(kept.span.duration()));
    kept.truncate(kept.len() / 2);
}

/// Leaves at most about `limit` spans in all; one per lane at least.
pub(super) fn lanes(lanes: &mut [Lane], limit: usize) {
    let all = || lanes.iter().flat_map(|lane| &lane.spans);
    let (start, end) = (
        all().map(|span| span.start).min().unwrap_or_default(),
        all().map(|span| span.end).max().unwrap_or_default(),
    );
    let stretch = end - start;
    let mut window = first_window(stretch);
    loop {
        for lane in lanes.iter_mut() {
            lane.spans.sort_by_key(|span| (span.depth, span.start));
            let join = |next: &mut Span, first: &mut Span| join(first, next, window);
            lane.spans.dedup_by(join);
            lane.spans.retain(|span| !is_dropped(span, window));
        }
        let left: usize = lanes.iter().map(|lane| lane.spans.len()).sum();
        if left <= limit || window > stretch {
            break;
        }
        window *= 2;
    }
    for lane in lanes {
        lane.spans.sort_by_key(|span| (span.start, span.depth));
    }
}
