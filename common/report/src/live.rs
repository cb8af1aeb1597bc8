//! The live view: the picture of a variant grows while it runs.

use crate::{DIM, Document, RecordingReport, Screen, Variant, format, picture::Picture};
use measure::{
    Moment,
    timing::{self, Housekeeper, Usage},
};
use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use timeline::{Recording, Timeline};

const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// Lines that the growing picture leaves to what stands above it, and at most.
const LEFT: usize = 8;
const MOST: usize = 14;
/// Bars at most of what ran before.
const BARS: usize = 4;

/// What is being watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The variant.
    pub name: String,
    /// How many tasks it has, where that is known.
    pub tasks: Option<usize>,
    /// The variants so far, each with its wall time in seconds: their bars stand above it on one axis.
    pub before: Vec<(String, f64)>,
}

/// The live view of one variant.
#[derive(Debug)]
pub struct Watch {
    /// Drawing goes on while there is one.
    goes_on: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl Screen {
    /// Shows what every lane does until the returned guard is dropped; `None` where nobody looks.
    pub fn watch(&self, timeline: &Timeline, watched: Watched) -> Option<Watch> {
        if !self.is_live() {
            return None;
        }
        let (goes_on, asked) = mpsc::channel();
        let (screen, timeline) = (self.clone(), timeline.clone());
        let keeper = Housekeeper::enrol();
        let (start, started, before) = (Moment::now(), Instant::now(), Usage::now());
        let draw = move || {
            let mut rest = Duration::ZERO;
            while asked.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                let drawing = Instant::now();
                let recording = Recording {
                    start,
                    wall: started.elapsed(),
                    ..timeline.so_far()
                };
                screen.draw(frame(&screen, &recording, &watched, &before));
                keeper.charge();
                // What is watched needs the CPUs more: drawing has a tenth of one at most.
                rest = REDRAW_EVERY.max(9 * drawing.elapsed());
            }
            screen.draw(Vec::new());
        };
        // Where no thread can be started, there is nothing to watch.
        let drawing = thread::Builder::new().spawn(draw).ok();
        Some(Watch {
            goes_on: Some(goes_on),
            drawing,
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.goes_on = None;
        // A picture that failed to draw is no reason to fail the measurement.
        let _ = self.drawing.take().map(JoinHandle::join);
    }
}

/// The picture so far, and one line of figures below it.
fn frame(screen: &Screen, so_far: &Recording, watched: &Watched, usage: &Usage) -> Vec<String> {
    let (rows, columns) = screen.room();
    let room = rows.saturating_sub(LEFT).min(MOST);
    let mut all = watched.before.clone();
    all.push((watched.name.clone(), so_far.wall.as_secs_f64()));
    let variant = |(name, wall_s): (String, f64)| Variant {
        name,
        wall_s,
        comparable: true,
        ..Variant::default()
    };
    let mut document = Document {
        variants: all.into_iter().map(variant).collect(),
        ..Document::default()
    };
    document.variants[watched.before.len()].recorded = RecordingReport::of(so_far);
    let picture = Picture::of(&document, columns - 1);
    let (before, growing) = document.variants.split_at(watched.before.len());
    let bars = &before[before.len().saturating_sub(BARS)..];
    let mut lines = picture.bars(bars);
    lines.extend(picture.lanes(growing, room.saturating_sub(lines.len())));
    lines.truncate(room);
    let status = status(so_far, watched, usage);
    lines.push(format!("{DIM}{status}{DIM:#}"));
    lines
}

fn status(so_far: &Recording, watched: &Watched, before: &Usage) -> String {
    let (elapsed_s, now) = (so_far.wall.as_secs_f64(), so_far.start.plus(so_far.wall));
    let used = Usage::now().since(before).cpu();
    let cpu = format::percent(used.as_secs_f64() / elapsed_s.max(0.001));
    // A span that is open ends at the look, which comes a moment before `now`.
    let spans = so_far.lanes.iter().flat_map(|lane| &lane.spans);
    let last = spans.map(|span| span.end).max();
    let is_open = |end| Some(end) == last && end.plus(REDRAW_EVERY) > now;
    let done = so_far.jobs().filter(|job| !is_open(job.end)).count();
    let at_work = so_far.jobs().count() - done;
    // Where the number of tasks is not known, nor is what a span stands for.
    let tasks = watched.tasks.map_or(String::new(), |all| {
        format!(" · done {done}/{all} · {at_work} at once")
    });
    let threads = timing::threads_now().map_or(String::new(), |all| {
        let threads = all.saturating_sub(timing::housekeepers() as usize);
        format!(" · {}", format::counted(threads, "thread"))
    });
    format!(
        "  {} · {elapsed_s:.1} s{tasks}{threads} · CPU {cpu}",
        watched.name
    )
}
