//! The live view: what every lane does while a variant runs.

mod rows;

use crate::{Screen, format};
use indicatif::ProgressBar;
use measure::timing::{self, Housekeeper, Usage};
use rows::Rows;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use timeline::Timeline;

const REDRAW_EVERY: Duration = Duration::from_millis(100);

impl Screen {
    /// Shows what every lane does until the returned guard is dropped; `None` where nobody looks.
    pub fn watch(&self, timeline: &Timeline, variant: &str) -> Option<Watch> {
        self.is_live()
            .then(|| Watch::start(self.clone(), timeline.clone(), variant.to_owned()))
    }
}

/// The live view of one variant.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(screen: Screen, timeline: Timeline, variant: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let housekeeper = Housekeeper::enrol();
        let drawing = thread::Builder::new().spawn(move || {
            draw_until(&stopped, &screen, &timeline, &variant, &housekeeper);
        });
        Self {
            stop,
            // Where no thread can be started, there is nothing to watch.
            drawing: drawing.ok(),
        }
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
    variant: &str,
    keeper: &Housekeeper,
) {
    let (started, before) = (Instant::now(), Usage::now());
    let mut rows = Rows::above(
        screen.bars().add(ProgressBar::new_spinner()),
        screen.clone(),
    );
    while !stopped.load(Ordering::SeqCst) {
        rows.draw(timeline, |more| {
            status_line(variant, started.elapsed(), before, more)
        });
        screen.tick();
        keeper.charge();
        thread::park_timeout(REDRAW_EVERY);
    }
    rows.clear();
}

fn status_line(variant: &str, elapsed: Duration, before: Usage, more: &str) -> String {
    let used = Usage::now().since(&before);
    let cpu = (used.cpu_user + used.cpu_system).as_secs_f64() / elapsed.as_secs_f64().max(0.001);
    let threads = timing::threads_now().map_or(String::new(), |all| {
        let threads = (all as u64).saturating_sub(timing::housekeepers());
        format!(" · {threads} thread{}", if threads == 1 { "" } else { "s" })
    });
    format!(
        "{variant} · {:.1} s · CPU here {}{threads}{more}",
        elapsed.as_secs_f64(),
        format::percent(cpu)
    )
}
