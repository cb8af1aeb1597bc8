//! Spans shared out to tracks on which each lies in the one around it or behind the one before.

use crate::{Moment, Span};
use std::cmp::Reverse;

/// The tracks of a lane: one where all spans lie in each other; what ended before `zero` is left out.
pub(super) fn tracks(spans: &[Span], zero: Moment) -> Vec<Vec<&Span>> {
    let mut spans: Vec<&Span> = spans.iter().filter(|span| span.end >= zero).collect();
    spans.sort_by_key(|span| (span.start.max(zero), Reverse(span.end), span.depth));
    // Each with the ends of what is open on it.
    let mut tracks = vec![(Vec::new(), Vec::<Moment>::new())];
    for span in spans {
        let start = span.start.max(zero);
        let has_room = |(_, ends): &mut (_, Vec<Moment>)| {
            while ends.pop_if(|end| *end <= start).is_some() {}
            ends.last().is_none_or(|end| span.end <= *end)
        };
        let index = tracks.iter_mut().position(has_room);
        let index = index.unwrap_or_else(|| {
            tracks.push(Default::default());
            tracks.len() - 1
        });
        tracks[index].0.push(span);
        tracks[index].1.push(span.end);
    }
    tracks.into_iter().map(|(spans, _)| spans).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_overlaps_without_lying_in_each_other_goes_to_different_tracks() {
        let at = |ms| Moment::at(Duration::from_millis(ms));
        let spans: Vec<Span> = [(0, 10), (0, 4), (4, 10), (2, 12), (10, 20), (12, 30)]
            .into_iter()
            .map(|(start, end)| Span::watched("work", at(start), at(end), Duration::ZERO))
            .collect();
        let ends = |track: &Vec<&Span>| {
            let ends = track.iter().map(|span| (span.start - at(0)).as_millis());
            ends.collect::<Vec<_>>()
        };
        let tracks: Vec<_> = tracks(&spans, at(0)).iter().map(ends).collect();
        assert_eq!(tracks, [vec![0, 0, 4, 10], vec![2, 12]]);
    }
}
