//! What a recording answers: how long was waited and for what, how many at once, how much was done.

use crate::{Level, Recording, Span};
use std::time::Duration;

impl Recording {
    /// All spans with this name, lane by lane.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Span> {
        let spans = self.lanes.iter().flat_map(|lane| &lane.spans);
        spans.filter(move |span| span.name == name)
    }

    /// The span with this name that begins first.
    pub fn first(&self, name: &str) -> Option<&Span> {
        self.named(name).min_by_key(|span| span.start)
    }

    /// How long all lanes together waited for `cause`, such as `"lock"`.
    ///
    /// A span waits while it is open and does not run. Where a span inside of it waits, that one does.
    pub fn waited(&self, cause: &str) -> Duration {
        let idle = |span: &Span| span.duration().saturating_sub(span.busy);
        let mut waited = Duration::ZERO;
        for lane in &self.lanes {
            let mut own: Vec<Duration> = lane.spans.iter().map(idle).collect();
            let mut open: Vec<usize> = Vec::new();
            for (index, span) in lane.spans.iter().enumerate() {
                let is_around = |outer: &Span| outer.depth < span.depth && span.start < outer.end;
                while open
                    .pop_if(|outer| !is_around(&lane.spans[*outer]))
                    .is_some()
                {}
                if let Some(outer) = open.last() {
                    own[*outer] = own[*outer].saturating_sub(idle(span));
                }
                open.push(index);
            }
            let waits = lane.spans.iter().zip(own);
            let of_cause = waits.filter(|(span, _)| span.wait.as_deref() == Some(cause));
            waited += of_cause.map(|(_, own)| own).sum::<Duration>();
        }
        waited
    }

    /// The level with this name over time; see [`Level::peak`].
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// The most spans with this name that were open at once.
    pub fn most_open(&self, name: &str) -> usize {
        Level::of_open(name, self.named(name)).peak() as usize
    }
}
