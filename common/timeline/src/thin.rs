//! Fewer spans, and the same picture: what is too short to see is joined to its neighbour.

use super::{Moment, Span};
use std::time::Duration;

/// A picture has fewer columns than this.
const COLUMNS: u32 = 4096;

/// Polls that a span keeps; past that, neighbours are merged.
pub(super) const POLLS_KEPT: usize = 64;

/// So many polls take as much memory as a span.
const POLLS_PER_SPAN: usize = 12;

/// What a span takes in memory, in spans without polls.
pub(super) fn weight(span: &Span) -> usize {
    1 + span.polls.len() / POLLS_PER_SPAN
}

/// Leaves spans of at most about `limit` by [`weight`] in all; each lane keeps one, where that is not more.
pub(super) fn thin(mut lanes: Vec<&mut Vec<Span>>, limit: usize) {
    if lanes.len() > limit {
        keep_greatest(&mut lanes, limit, |span| (span.duration(), span.start));
    }
    let all = || lanes.iter().flat_map(|spans| spans.iter());
    let (start, end) = (
        all().map(|span| span.start).min().unwrap_or_default(),
        all().map(|span| span.end).max().unwrap_or_default(),
    );
    let stretch = end - start;
    let mut window = (stretch / COLUMNS).max(Duration::from_nanos(1));
    loop {
        for spans in lanes.iter_mut().filter(|spans| spans.len() > 1) {
            spans.sort_by_key(|span| (span.depth, span.start));
            spans.dedup_by(|next, first| join(first, next, window));
            spans.retain(|span| !is_dropped(span, window));
        }
        let left = lanes.iter().flat_map(|spans| spans.iter());
        let left: usize = left.map(weight).sum();
        if left <= limit || window > stretch {
            break;
        }
        window *= 2;
    }
    for spans in lanes {
        spans.sort_by_key(|span| (span.start, span.depth));
    }
}

/// Takes `next` into `span` where they are alike, one of them is shorter than `window`, and so is the gap
/// between them.
fn join(span: &mut Span, next: &mut Span, window: Duration) -> bool {
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

/// Leaves at most [`POLLS_KEPT`]: what lies nearest to each other is merged, so that a long rest between
/// two stays one.
pub(super) fn merge_polls(polls: &mut Vec<(Moment, Moment)>) {
    let Some(last) = polls.len().checked_sub(POLLS_KEPT + 1) else {
        return;
    };
    let gaps = polls.windows(2).map(|pair| pair[1].0 - pair[0].1);
    let mut gaps: Vec<Duration> = gaps.collect();
    gaps.sort_unstable();
    let mut joined = 0;
    polls.dedup_by(|next, first| {
        let joins = joined <= last && next.0 - first.1 <= gaps[last];
        if joins {
            first.1 = first.1.max(next.1);
            joined += 1;
        }
        joins
    });
}

/// Leaves the spans that have most of something, about `limit` of them.
pub(super) fn keep_greatest<Key: Copy + Ord>(
    lanes: &mut [&mut Vec<Span>],
    limit: usize,
    key: impl Fn(&Span) -> Key,
) {
    let mut keys: Vec<Key> = lanes.iter().flat_map(|it| it.iter().map(&key)).collect();
    if let Some(index) = keys.len().checked_sub(limit.max(1)) {
        let (_, &mut least, _) = keys.select_nth_unstable(index);
        lanes
            .iter_mut()
            .for_each(|spans| spans.retain(|span| key(span) >= least));
    }
}

/// Whether nobody misses it: the span around it tells the same time.
fn is_dropped(span: &Span, window: Duration) -> bool {
    span.depth > 0 && span.duration() < window && !span.cut
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
