//! The live view: the picture of a variant grows while it runs.

use crate::{DIM, RecordingReport, Screen, Variant, format, lane, picture::Picture};
use measure::{
    Moment,
    timing::{self, Housekeeper, Usage},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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
    stop: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Screen {
    /// Shows what every lane does until the returned guard is dropped; `None` where nobody looks.
    pub fn watch(&self, timeline: &Timeline, watched: Watched) -> Option<Watch> {
        if !self.is_live() {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, screen, timeline) = (Arc::clone(&stop), self.clone(), timeline.clone());
        let keeper = Housekeeper::enrol();
        let draw = move || draw_until(&stopped, &screen, &timeline, &watched, &keeper);
        // Where no thread can be started, there is nothing to watch.
        let drawing = thread::Builder::new().spawn(draw).ok();
        Some(Watch { stop, drawing })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            // A picture that failed to draw is no reason to fail the measurement.
            let _ = drawing.join();
        }
    }
}

fn draw_until(
    stopped: &AtomicBool,
    screen: &Screen,
    timeline: &Timeline,
    watched: &Watched,
    keeper: &Housekeeper,
) {
    let (began, started, before) = (Moment::now(), Instant::now(), Usage::now());
    while !stopped.load(Ordering::SeqCst) {
        let drawing = Instant::now();
        let recording = Recording {
            start: began,
            wall: started.elapsed(),
            ..timeline.so_far()
        };
        screen.draw(frame(screen, &recording, watched, &before));
        keeper.charge();
        // What is watched needs the CPUs more: drawing has a tenth of one at most.
        thread::park_timeout(REDRAW_EVERY.max(9 * drawing.elapsed()));
    }
    screen.draw(Vec::new());
}

/// The picture so far, and one line of figures below it.
fn frame(screen: &Screen, so_far: &Recording, watched: &Watched, before: &Usage) -> Vec<String> {
    let wall_s = so_far.wall.as_secs_f64();
    let (rows, columns) = screen.room();
    let room = rows.saturating_sub(LEFT).min(MOST);
    let variant = |name: &str, wall_s| Variant {
        name: name.into(),
        wall_s,
        comparable: true,
        ..Variant::default()
    };
    let finished = watched.before.iter();
    let finished = finished.map(|(name, wall_s)| variant(name, *wall_s));
    let mut all: Vec<Variant> = finished.collect();
    all.push(variant(&watched.name, wall_s));
    let picture = Picture::of(&all, lane::longest(&all), columns - 1);
    let bars: Vec<&Variant> = all.iter().rev().skip(1).take(BARS).rev().collect();
    let mut lines = picture.bars(&bars);
    let growing = &mut all[watched.before.len()..];
    growing[0].recorded = RecordingReport::of(so_far);
    lines.extend(picture.lanes(growing, |_| true, room.saturating_sub(lines.len())));
    lines.truncate(room);
    let status = status(so_far, watched, before);
    lines.push(format!("{DIM}{status}{DIM:#}"));
    lines
}

fn status(so_far: &Recording, watched: &Watched, before: &Usage) -> String {
    let (elapsed_s, now) = (so_far.wall.as_secs_f64(), so_far.start.plus(so_far.wall));
    let used = Usage::now().since(before);
    let cpu = (used.cpu_user + used.cpu_system).as_secs_f64() / elapsed_s.max(0.001);
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
        let threads = (all as u64).saturating_sub(timing::housekeepers());
        format!(" · {threads} thread{}", if threads == 1 { "" } else { "s" })
    });
    format!(
        "  {} · {elapsed_s:.1} s{tasks}{threads} · CPU {}",
        watched.name,
        format::percent(cpu)
    )
}
