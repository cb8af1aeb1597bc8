//! The one value through which a program speaks: lines for its reader, bars for its watcher, a recording.

use crate::{
    View, ascii,
    cast::{self, Cast, Recorder, Stage},
    keys::Keys,
    width,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// How often at most the screen is redrawn in a second.
const REFRESH_HZ: u8 = 20;

/// How long a viewer of a recording has for a part of the report.
const READING: Duration = Duration::from_millis(1_500);

/// How a program speaks.
#[derive(Debug, Default)]
pub struct ScreenOptions {
    /// Print nothing on standard output but what [`Screen::print`] is given.
    pub silent: bool,
    /// Write plain ASCII, whatever the terminal is.
    pub ascii: bool,
    /// Keep to this many columns, whatever the terminal is.
    pub width: Option<u16>,
    /// Go on when nobody is left to read: results go to files, too.
    pub goes_on_unread: bool,
    /// Read keys, without an echo of them: the run waits for its reader.
    pub reads_keys: bool,
    /// Record what is shown.
    pub cast: Option<Cast>,
}

/// Where a program prints; clones are the same screen.
#[derive(Clone)]
pub struct Screen(Arc<Inner>);

struct Inner {
    silent: bool,
    ascii: bool,
    width: Option<usize>,
    goes_on_unread: bool,
    /// What kept lines from being printed.
    lost: OnceLock<String>,
    recorder: Arc<Recorder>,
    bars: MultiProgress,
    /// Bars that show a clock of their own; the live view makes it run.
    clocks: Mutex<Vec<WeakProgressBar>>,
    live: bool,
    keys: Mutex<Option<Keys>>,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut screen = f.debug_struct("Screen");
        screen
            .field("silent", &self.0.silent)
            .field("live", &self.0.live);
        screen.finish_non_exhaustive()
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new(ScreenOptions::default())
    }
}

impl Screen {
    /// The screen of this process; a program makes one and passes it on.
    pub fn new(options: ScreenOptions) -> Self {
        let ascii = ascii::is_wanted(options.ascii);
        let recorded = options.cast.is_some();
        let fixed = options.width.map(usize::from);
        let recorder = Arc::new(Recorder::new(options.cast, ascii, fixed));
        let live = !options.silent && (recorded || is_watched());
        let target = if live && recorded {
            let shown = !ProgressDrawTarget::stderr().is_hidden();
            let stage = Stage::new(shown, Arc::clone(&recorder));
            ProgressDrawTarget::term_like_with_hz(Box::new(stage), REFRESH_HZ)
        } else if live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self(Arc::new(Inner {
            silent: options.silent,
            ascii,
            width: fixed,
            goes_on_unread: options.goes_on_unread,
            lost: OnceLock::new(),
            recorder,
            bars: MultiProgress::with_draw_target(target),
            clocks: Mutex::default(),
            live,
            keys: Mutex::new(options.reads_keys.then(Keys::take)),
        }))
    }

    /// The width to draw for: the one asked for, the terminal's within reason, or 80.
    pub fn width(&self) -> usize {
        self.0.width.unwrap_or_else(width::of_terminal)
    }

    /// The room for the screen that a run ends with, which has at most `most` lines.
    ///
    /// The prompt that comes after it takes one of the terminal's; below three quarters it does not shrink.
    pub fn view(&self, most: usize) -> View {
        let rows = match width::height_of_terminal() {
            None if self.0.recorder.is_on() => usize::from(cast::USUAL_HEIGHT) - 1,
            None => most,
            Some(rows) => rows.saturating_sub(1),
        };
        View {
            width: self.width(),
            rows: rows.clamp(most - most / 4, most),
        }
    }

    /// Whether what is printed is plain ASCII.
    pub fn is_ascii(&self) -> bool {
        self.0.ascii
    }

    /// Whether there is a live view to draw.
    pub(crate) fn is_live(&self) -> bool {
        self.0.live
    }

    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.0.bars
    }

    /// The text as this screen shows it.
    pub(crate) fn settled(&self, text: &str) -> String {
        ascii::settled(text, self.0.ascii).into_owned()
    }

    /// Prints one line on standard output, at once; nothing when silent.
    ///
    /// When nobody is left to read, it ends this process quietly, unless results go to files, too.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.0.silent {
            self.0.bars.suspend(|| self.print(line.as_ref()));
        }
    }

    /// Prints lines, even when silent; otherwise as [`say`](Self::say).
    pub fn print(&self, lines: &str) {
        match self.try_print(lines) {
            Err(error) if !self.0.goes_on_unread => self.end_unread(&error),
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.0.lost.get_or_init(|| unwritten(&error));
            }
            _ => {}
        }
    }

    /// Prints lines where the process goes on however that ends.
    ///
    /// # Errors
    /// Standard output takes no more.
    pub fn try_print(&self, lines: &str) -> io::Result<()> {
        let lines = self.settled(lines);
        self.0.recorder.show(&format!("{lines}\n"));
        let mut out = anstream::stdout().lock();
        writeln!(out, "{lines}").and_then(|()| out.flush())
    }

    /// Prints parts that blank lines divide; in a recording viewers have time to read each.
    ///
    /// # Errors
    /// Standard output takes no more.
    pub fn try_print_in_parts(&self, lines: &str) -> io::Result<()> {
        for (place, part) in lines.split("\n\n").enumerate() {
            let gap = if place == 0 { "" } else { "\n" };
            self.try_print(&format!("{gap}{part}"))?;
            self.0.recorder.hold(READING);
        }
        Ok(())
    }

    /// Prints a prompt, without a line's end, on standard error.
    pub fn prompt(&self, text: &str) {
        self.0.recorder.show(text);
        // Where nobody reads the prompt, nobody need be asked twice.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Waits for one of the keys that `wanted` makes something of, after a prompt.
    ///
    /// What was typed ahead does not count. `None` at the end of the input: nobody is there.
    pub fn ask<T>(&self, prompt: &str, wanted: impl Fn(char) -> Option<T>) -> Option<T> {
        self.prompt(prompt);
        let keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = || {
            let keys = keys.as_ref()?;
            keys.flush();
            loop {
                let key = keys.next()?;
                if let Some(found) = wanted(key) {
                    return Some((key, found));
                }
            }
        };
        let answer = self.0.recorder.in_two_seconds(wait);
        drop(keys);
        // An answer is seen; Enter and the keys of a pause are not part of the story.
        let seen = answer.as_ref().map(|(key, _)| *key);
        let seen = seen.filter(|key| prompt.ends_with(": ") && !key.is_whitespace());
        let seen = seen.map_or(String::new(), |key| key.to_uppercase().to_string());
        self.prompt(&format!("{seen}\n"));
        answer.map(|(_, found)| found)
    }

    /// Waits until the reader wants to go on; see [`ask`](Self::ask).
    pub fn pause(&self, prompt: &str) -> Key {
        let key = self.ask(&format!("{prompt} "), |key| match key {
            '\n' => Some(Key::Go),
            'r' => Some(Key::Over),
            's' => Some(Key::Rest),
            'q' => Some(Key::Quit),
            _ => None,
        });
        key.unwrap_or(Key::Go)
    }

    /// Gives the keyboard back as it was.
    pub fn release_keys(&self) {
        self.0
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// What kept lines from being printed, where it was not that the reader had gone.
    pub fn lost_lines(&self) -> Option<&str> {
        self.0.lost.get().map(String::as_str)
    }

    /// Prints in one line on standard error what went wrong; nobody need be there to read it.
    pub fn print_error(&self, message: impl fmt::Display) {
        let line = self.settled(&error_line(message));
        self.0.recorder.show(&format!("{line}\n"));
        // With standard error closed or full, the exit code still tells.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Marks this moment in the recording, for players to jump to.
    pub fn mark(&self, name: &str) {
        self.0.recorder.mark(name);
    }

    /// Ends the recording and writes it.
    ///
    /// # Errors
    /// The place is full or has gone; an old file stays whole.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.0.recorder.finish()
    }

    /// A progress bar over `length` steps; hidden when standard error is not a terminal.
    ///
    /// # Panics
    /// Never: the template is a constant that the tests parse.
    pub fn progress_bar(&self, length: u64, what: &'static str) -> ProgressBar {
        let bar = self.0.bars.add(ProgressBar::new(length));
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}");
        let style = style.expect("a constant template that the tests parse");
        bar.set_style(if self.0.ascii {
            style.progress_chars("#>-")
        } else {
            style
        });
        bar.set_message(what);
        let clocks = self.0.clocks.lock();
        clocks
            .unwrap_or_else(PoisonError::into_inner)
            .push(bar.downgrade());
        bar
    }

    /// Lets the clocks of all bars run.
    pub(crate) fn tick(&self) {
        let clocks = self.0.clocks.lock();
        for bar in clocks.unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(bar) = bar.upgrade() {
                bar.tick();
            }
        }
    }

    /// Takes all bars off the screen.
    pub fn clear_bars(&self) {
        // A screen that cannot be cleared is not worth more than that.
        let _ = self.0.bars.clear();
        self.0.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Ends the process: quietly after a closed pipe, with a line otherwise; children end with their links.
    fn end_unread(&self, error: &io::Error) -> ! {
        self.release_keys();
        if let Err(error) = self.finish() {
            self.print_error(format_args!("{error:#}"));
        }
        if error.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        self.print_error(unwritten(error));
        std::process::exit(1);
    }
}

/// What a reader wants who was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Enter: go on.
    Go,
    /// `r`: run it all again, from the start.
    Over,
    /// `s`: run the rest without waiting.
    Rest,
    /// `q`: stop here.
    Quit,
}

/// Whether somebody watches a terminal that can draw.
fn is_watched() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb && !set("CI")
}

/// What is said of a standard output that takes no more.
pub fn unwritten(error: &io::Error) -> String {
    format!("cannot write to standard output: {error}")
}

/// Prints in one line on standard error what went wrong, before there is a [`Screen`].
pub fn print_error(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{}", error_line(message));
}

fn error_line(message: impl fmt::Display) -> String {
    format!("error: {message}").replace('\n', " ")
}
