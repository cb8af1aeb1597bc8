//! What a recording answers: how long was waited and for what, how many at once, how much was done.

use crate::{Level, Moment, Recording, Span};
use std::time::Duration;

/// How lanes spent their time: what a recording knows of it, and what it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// With a CPU, or polled by a thread.
    pub running: Duration,
    /// Not running, in a span that says what it waits for.
    pub waiting: Duration,
    /// Not running, in a span that does not: it lacked a CPU, or waited.
    pub ready_or_waiting: Duration,
}

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
        let waits = self.lanes.iter().flat_map(|lane| own_waits(&lane.spans));
        let of_cause = waits.filter(|(span, _)| span.wait.as_deref() == Some(cause));
        of_cause.map(|(_, waited)| waited).sum()
    }

    /// How the time was spent that outermost spans were open, added up.
    pub fn spent(&self) -> Spent {
        let mut spent = Spent::default();
        for lane in &self.lanes {
            for (span, own) in own_waits(&lane.spans) {
                spent.running += if span.depth == 0 {
                    span.busy
                } else {
                    Duration::ZERO
                };
                *(match span.wait {
                    Some(_) => &mut spent.waiting,
                    None => &mut spent.ready_or_waiting,
                }) += own;
            }
        }
        spent
    }

    /// The level with this name over time; see [`Level::peak`].
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// The most spans with this name that were open at once.
    pub fn most_open(&self, name: &str) -> usize {
        let steps = at_once(self.named(name).map(|span| (span.start, span.end)));
        steps.into_iter().map(|step| step.1).fold(0.0, f64::max) as usize
    }
}

/// How long each span of a lane did not run, without what the spans inside of it did not.
fn own_waits(spans: &[Span]) -> impl Iterator<Item = (&Span, Duration)> {
    let idle = |span: &Span| span.duration().saturating_sub(span.busy);
    let mut own: Vec<Duration> = spans.iter().map(idle).collect();
    let mut open: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let is_around = |outer: &Span| outer.depth < span.depth && span.start < outer.end;
        while open.pop_if(|outer| !is_around(&spans[*outer])).is_some() {}
        if let Some(outer) = open.last() {
            own[*outer] = own[*outer].saturating_sub(idle(span));
        }
        open.push(index);
    }
    spans.iter().zip(own)
}

/// The level of what is open at each moment; where one ends as another begins, there is one.
pub(super) fn at_once(stretches: impl Iterator<Item = (Moment, Moment)>) -> Vec<(Moment, f64)> {
    let mut steps: Vec<(Moment, f64)> = stretches
        .flat_map(|(start, end)| [(start, 1.0), (end, -1.0)])
        .collect();
    steps.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut open = 0.0;
    for (_, level) in &mut steps {
        open += *level;
        *level = open;
    }
    steps
}
