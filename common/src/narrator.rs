//! The one way a step speaks while it runs: lines for its reader, bars for its watcher.

mod rows;

use crate::{
    cast,
    cli::complain,
    report::{ascii, format},
    timeline,
    timing::{self, Housekeeper, Usage},
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};
use rows::Rows;
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often at most the screen is drawn anew in a second.
const REFRESH_HZ: u8 = 20;
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Prints a step's lines; silent under `--json`. Clones speak with the same voice.
#[derive(Clone)]
pub struct Narrator {
    speaks: bool,
    bars: MultiProgress,
    /// Bars that show a clock of their own; the live view makes it run.
    clocks: Clocks,
    live: bool,
}

impl fmt::Debug for Narrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut narrator = f.debug_struct("Narrator");
        narrator
            .field("speaks", &self.speaks)
            .field("live", &self.live);
        narrator.finish_non_exhaustive()
    }
}

type Clocks = Arc<Mutex<Vec<WeakProgressBar>>>;

impl Narrator {
    /// A narrator; under `silent` it says nothing and shows nothing.
    pub(crate) fn new(silent: bool) -> Self {
        let recorded = cast::is_running();
        let live = !silent && (recorded || io::stderr().is_terminal());
        let target = if live && recorded {
            let shown = !ProgressDrawTarget::stderr().is_hidden();
            ProgressDrawTarget::term_like_with_hz(Box::new(cast::Screen::new(shown)), REFRESH_HZ)
        } else if live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        timeline::watch_live(live);
        Self {
            speaks: !silent,
            bars: MultiProgress::with_draw_target(target),
            clocks: Clocks::default(),
            live,
        }
    }

    /// Prints one line on standard output, at once.
    pub fn say(&self, line: impl AsRef<str>) {
        if self.speaks {
            self.bars.suspend(|| print_lines(line.as_ref()));
        }
    }

    /// A progress bar over `length` steps; hidden when standard error is not a terminal.
    pub fn progress_bar(&self, length: u64, what: &'static str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(length));
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
        let style = style.expect("a constant template that the tests parse");
        let plain = ascii::is_on();
        bar.set_style(if plain {
            style.progress_chars("#>-")
        } else {
            style
        });
        bar.set_message(what);
        let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.push(bar.downgrade());
        bar
    }

    /// Takes all bars off the screen.
    pub(crate) fn clear(&self) {
        // A screen that cannot be cleared is not worth more than that.
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Shows what every lane does until the returned guard is dropped.
    pub(crate) fn watch(&self, variant: &str) -> Option<Watch> {
        // Anew: the lanes of the variant before have ended.
        timeline::watch_live(self.live);
        self.live
            .then(|| Watch::start(self.bars.clone(), self.clocks.clone(), variant.to_owned()))
    }
}

/// Whether the run goes on when nobody is left to read: its results go to files, too.
static GOES_ON: AtomicBool = AtomicBool::new(false);
static LOST: OnceLock<String> = OnceLock::new();

/// Says whether the run is to go on when nobody is left to read what it prints.
pub(crate) fn go_on_unread(yes: bool) {
    GOES_ON.store(yes, Ordering::SeqCst);
}

/// Prints lines; ends this process quietly when nobody is left to read them and nothing else is to come.
pub(crate) fn print_lines(lines: &str) {
    match try_print_lines(lines) {
        Err(error) if !GOES_ON.load(Ordering::SeqCst) => unwritable(&error),
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            LOST.get_or_init(|| unwritten(&error));
        }
        _ => {}
    }
}

/// What kept lines from being printed while the run went on, where it was not that the reader had gone.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Prints lines where the process goes on however that ends.
pub(crate) fn try_print_lines(lines: &str) -> io::Result<()> {
    let lines = ascii::settled(lines);
    cast::show(&format!("{lines}\n"));
    let mut out = anstream::stdout().lock();
    writeln!(out, "{lines}").and_then(|()| out.flush())
}

/// Ends the process: quietly after a closed pipe, with a line otherwise.
#[expect(
    clippy::exit,
    reason = "the reader has gone; children end with their links"
)]
pub(crate) fn unwritable(error: &io::Error) -> ! {
    if let Err(error) = cast::finish() {
        complain(format_args!("{error:#}"));
    }
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    complain(unwritten(error));
    std::process::exit(1);
}

/// What is said of a standard output that takes no more.
pub(crate) fn unwritten(error: &io::Error) -> String {
    format!("cannot write to standard output: {error}")
}

/// The live view of one variant.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(bars: MultiProgress, clocks: Clocks, variant: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let housekeeper = Housekeeper::enrol();
        let drawing = thread::Builder::new().spawn(move || {
            draw_until(&stopped, &bars, &clocks, &variant, &housekeeper);
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
    bars: &MultiProgress,
    clocks: &Clocks,
    variant: &str,
    keeper: &Housekeeper,
) {
    let (started, before) = (Instant::now(), Usage::now());
    let mut rows = Rows::above(bars.add(ProgressBar::new_spinner()), bars.clone());
    while !stopped.load(Ordering::SeqCst) {
        rows.draw(|more| status_line(variant, started.elapsed(), before, more));
        for bar in clocks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(bar) = bar.upgrade() {
                bar.tick();
            }
        }
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
