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

/// Merges neighbours, the nearest first, until at most [`POLLS_KEPT`] are left.
pub(super) fn merge_polls(polls: &mut Vec<(Moment, Moment)>) {
    let gap = |one: &(Moment, Moment), next: &(Moment, Moment)| Some(next.0 - one.1);
    merge_nearest(polls, gap, |one, next| one.1 = one.1.max(next.1));
}

/// Leaves at most [`POLLS_KEPT`], where none is kept apart by a gap of `None`: what lies nearest to each
/// other is merged, so that a long rest between two stays one.
pub(super) fn merge_nearest<T>(
    items: &mut Vec<T>,
    gap: impl Fn(&T, &T) -> Option<Duration>,
    merge: impl Fn(&mut T, T),
) {
    let surplus = items.len().saturating_sub(POLLS_KEPT);
    if surplus == 0 {
        return;
    }
    let mut gaps: Vec<(Duration, usize)> = (items.windows(2).enumerate())
        .filter_map(|(index, pair)| Some((gap(&pair[0], &pair[1])?, index + 1)))
        .collect();
    gaps.sort_unstable();
    let mut joins = vec![false; items.len()];
    for (_, index) in gaps.into_iter().take(surplus) {
        joins[index] = true;
    }
    let mut merged: Vec<T> = Vec::with_capacity(2 * POLLS_KEPT);
    for (item, joins) in items.drain(..).zip(joins) {
        match merged.last_mut() {
            Some(last) if joins => merge(last, item),
            _ => merged.push(item),
        }
    }
    *items = merged;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_polls_keep_the_long_rest_between_them() {
        let at = |ms| Moment::at(Duration::from_millis(ms));
        let mut polls: Vec<_> = (0..1_000)
            .map(|n| if n < 500 { 2 * n } else { 2 * n + 300 })
            .map(|ms| (at(ms), at(ms + 1)))
            .collect();
        merge_polls(&mut polls);
        assert_eq!(polls.len(), POLLS_KEPT);
        let rests = polls.windows(2).map(|pair| pair[1].0 - pair[0].1);
        assert_eq!(rests.max(), Some(Duration::from_millis(301)));
        assert_eq!((polls[0].0, polls[POLLS_KEPT - 1].1), (at(0), at(2_299)));
    }
}
