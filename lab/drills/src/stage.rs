//! Runs a repair, stops it where its check wants to, and lets it go on when nothing else can.
//!
//! A check decides nothing by time. What a drill calls (a job's work, a site, a lock) is the check's
//! own; there it holds a thread until every other thread waits, too. Only then can it know that no
//! further one will come, whatever the machine is busy with.

mod watch;

use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::{
    any::Any,
    fmt, panic,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Between two looks at what the threads do.
const LOOK: Duration = Duration::from_millis(1);

/// A repair that has done so many things is in an endless loop, too; the rest is not recorded.
const MOST: usize = 1000;

pub(crate) use watch::is_stuck;

/// One thing that happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum Event {
    /// Work begins.
    Enter,
    /// Work ends.
    Leave,
    /// Something worth a word.
    Note(String),
}

impl Event {
    /// How a picture shows it.
    pub(crate) fn cell(&self) -> &str {
        match self {
            Self::Enter => "├",
            Self::Leave => "┤",
            Self::Note(note) => note,
        }
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Self::Enter => text == "enter",
            Self::Leave => text == "leave",
            Self::Note(note) => note == text,
        }
    }
}

#[derive(Default)]
struct Seen {
    events: Vec<(usize, Event)>,
    held: Vec<usize>,
    /// How the repair ended, so far.
    end: String,
    /// What is wrong with the repair whatever the drill asks for: it panicked, or it runs on and on.
    broken: Option<String>,
    /// Whether tasks run it, and all of them await something.
    is_idle: Option<bool>,
}

/// What a check sees of a run; clones see the same.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Inner>);

struct Inner {
    seen: Mutex<Seen>,
    changed: Condvar,
    /// What a lane is called, without its number.
    what: &'static str,
    lanes: usize,
    /// Of those that are held, whether the one with the highest number goes on first.
    last_first: bool,
}

/// Runs a check twice: of those that it holds, the first goes on first, then the last.
pub(crate) fn judge(
    what: &'static str,
    lanes: usize,
    check: impl Fn(&Stage) -> anyhow::Result<()>,
) -> Verdict {
    common::end_with_parent();
    let mut verdict = None;
    for last_first in [false, true] {
        let inner = Inner {
            seen: Mutex::default(),
            changed: Condvar::new(),
            what,
            lanes,
            last_first,
        };
        let stage = Stage(Arc::new(inner));
        let seen = stage.clone();
        panic::set_hook(Box::new(move |panic| seen.broke(watch::panicked(panic))));
        let broken = || stage.seen().broken.clone();
        let fault = check(&stage).err();
        let fault = fault.map(|error| match broken() {
            Some(broken) => broken,
            None if error.is::<watch::Stuck>() => stage.waits(),
            None => error.to_string(),
        });
        let failed = fault.is_some();
        verdict = Some(Verdict {
            fault,
            figures: stage.figures(),
            names: (0..lanes).map(|lane| stage.name(lane)).collect(),
            events: stage.seen().events.clone(),
        });
        if failed {
            break;
        }
    }
    verdict.expect("it ran")
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, lane: usize, event: Event) {
        let mut seen = self.seen();
        if seen.events.len() < MOST {
            seen.events.push((lane, event));
        }
    }

    /// Notes that the work of a lane begins.
    pub(crate) fn enter(&self, lane: usize) {
        self.add(lane, Event::Enter);
    }

    /// Notes that it ends.
    pub(crate) fn leave(&self, lane: usize) {
        self.add(lane, Event::Leave);
    }

    /// Notes what a lane did.
    pub(crate) fn note(&self, lane: usize, text: impl Into<String>) {
        self.add(lane, Event::Note(text.into()));
    }

    /// Work that lasts until nothing else can go on.
    pub(crate) fn work(&self, lane: usize) {
        self.enter(lane);
        self.hold(lane);
        self.leave(lane);
    }

    /// Holds the calling thread until nothing else can go on.
    pub(crate) fn hold(&self, lane: usize) {
        let mut seen = self.seen();
        seen.held.push(lane);
        let _seen = (self.0.changed)
            .wait_while(seen, |seen| seen.held.contains(&lane))
            .unwrap_or_else(PoisonError::into_inner);
    }

    /// Whether this is the second run, in which the last goes on first.
    pub(crate) fn last_first(&self) -> bool {
        self.0.last_first
    }

    /// How often a lane did what `text` says, or all lanes: `enter`, `leave`, or a note.
    pub(crate) fn count(&self, lane: Option<usize>, text: &str) -> usize {
        let seen = self.seen();
        let of_lane = seen
            .events
            .iter()
            .filter(|(of, _)| lane.is_none_or(|lane| lane == *of));
        of_lane.filter(|(_, event)| event.is(text)).count()
    }

    /// When a lane, or any, first did what `text` says, by the number of the event; past all if never.
    pub(crate) fn first(&self, lane: Option<usize>, text: &str) -> usize {
        let seen = self.seen();
        let mut events = seen.events.iter();
        let is_it =
            |(of, event): &(usize, Event)| lane.is_none_or(|lane| lane == *of) && event.is(text);
        events.position(is_it).unwrap_or(seen.events.len())
    }

    /// When this was last done, by the number of the event.
    pub(crate) fn last(&self, text: &str) -> usize {
        let is_it = |(_, event): &(usize, Event)| event.is(text);
        self.seen().events.iter().rposition(is_it).unwrap_or(0)
    }

    /// What a lane did, in order.
    pub(crate) fn notes(&self, lane: usize) -> Vec<String> {
        let seen = self.seen();
        let own = seen.events.iter().filter(|(of, _)| *of == lane);
        let note = |(_, event): &(usize, Event)| match event {
            Event::Note(note) => Some(note.clone()),
            _ => None,
        };
        own.filter_map(note).collect()
    }

    /// The most that were at work at once.
    pub(crate) fn most_inside(&self) -> usize {
        self.most_inside_before(usize::MAX)
    }

    /// The most that were at work at once before the event of this number.
    pub(crate) fn most_inside_before(&self, end: usize) -> usize {
        let (mut inside, mut most) = (0_usize, 0);
        for (_, event) in self.seen().events.iter().take(end) {
            match event {
                Event::Enter => inside += 1,
                Event::Leave => inside = inside.saturating_sub(1),
                Event::Note(_) => {}
            }
            most = most.max(inside);
        }
        most
    }

    /// What a lane is called.
    pub(crate) fn name(&self, lane: usize) -> String {
        format!("{} {}", self.0.what, lane + 1)
    }

    /// Says how a run ended that was not watched.
    pub(crate) fn ended(&self, end: String) {
        self.seen().end = end;
    }

    /// What was counted, and how the run ended.
    fn figures(&self) -> String {
        let (begun, done) = (self.count(None, "enter"), self.count(None, "leave"));
        let (most, end) = (self.most_inside(), self.seen().end.clone());
        if begun == 0 {
            return end;
        }
        format!("{begun} begun, {done} finished, at most {most} at work at once; {end}")
    }
}

pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
