//! The one value through which a program speaks: lines for its reader, bars for its watcher, a recording.

use crate::{ascii, cast::Cast, keys::Keys, stage::Stage, wrap};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    iter,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

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
#[derive(Clone, Debug, Default)]
pub struct Screen(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    options: ScreenOptions,
    /// What kept lines from being printed.
    lost: OnceLock<String>,
    stage: Mutex<Stage>,
    keys: Option<Arc<Keys>>,
}

/// The width to draw for: the terminal's within reason, however narrow or wide it is.
pub(crate) fn width_of_terminal() -> usize {
    let size = Term::stdout().size_checked();
    size.map_or(80, |(_, columns)| columns.clamp(50, 120).into())
}

impl Screen {
    /// The screen of this process; a program makes one and passes it on.
    pub fn new(mut options: ScreenOptions) -> Self {
        let stage = Stage {
            cast: options.cast.take(),
            shown: !options.silent && is_watched(),
            ascii: ascii::is_wanted(options.ascii),
            ..Stage::default()
        };
        Self(Arc::new(Inner {
            lost: OnceLock::new(),
            stage: Mutex::new(stage),
            keys: options.reads_keys.then(Keys::take),
            options,
        }))
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the recording, where there is one.
    fn recorded(&self, act: impl FnOnce(&mut Cast)) {
        self.stage().cast.as_mut().map(act);
    }

    /// The width to draw for: the one asked for, the terminal's within reason, or 80.
    pub fn width(&self) -> usize {
        (self.0.options.width).map_or_else(width_of_terminal, usize::from)
    }

    /// How many lines there are for the screen that a run ends with, which has at most `most`.
    ///
    /// The prompt that comes after it takes one of the terminal's; below three quarters it does not shrink.
    pub fn rows(&self, most: usize) -> usize {
        let (rows, _) = self.size(&Term::stdout());
        rows.saturating_sub(1).clamp(most - most / 4, most)
    }

    /// The rows and columns of a terminal, and of a recording; without one there is no end.
    fn size(&self, terminal: &Term) -> (usize, usize) {
        let size = terminal.size_checked();
        let size = size.map(|(rows, columns)| (rows.into(), columns.into()));
        let (rows, columns) = size.unwrap_or((usize::MAX, usize::MAX));
        let recorded = self.stage().cast.as_ref().map(|cast| cast.rows);
        (recorded.map_or(rows, |most| most.min(rows)), columns)
    }

    /// Whether there is a live view to draw.
    pub(crate) fn is_live(&self) -> bool {
        let stage = self.stage();
        stage.shown || !self.0.options.silent && stage.cast.is_some()
    }

    /// How many rows and columns there are for what is drawn while a variant runs.
    pub(crate) fn room(&self) -> (usize, usize) {
        let (rows, columns) = self.size(&Term::stderr());
        (rows, columns.min(self.width()))
    }

    /// Draws these lines at the foot of the screen, in place of those drawn before.
    pub(crate) fn draw(&self, lines: Vec<String>) {
        let room = self.room();
        self.stage().draw(lines, room);
    }

    /// Prints one line on standard output, at once; nothing when silent.
    ///
    /// When nobody is left to read, it ends this process quietly, unless results go to files, too.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.0.options.silent {
            self.print(&wrap(line.as_ref(), self.width(), 0));
        }
    }

    /// Adds to the line that is being printed, or begins one; the next print ends it.
    ///
    /// A piece that has no room on the line begins another. Otherwise as [`say`](Self::say).
    pub fn say_more(&self, piece: &str) {
        if !self.0.options.silent {
            let room = (self.room().1, self.width());
            let said = self.stage().add(piece, room);
            self.settle(said);
        }
    }

    /// Prints lines, even when silent; otherwise as [`say`](Self::say).
    pub fn print(&self, lines: &str) {
        self.settle(self.try_print(lines));
    }

    /// Ends this process or keeps the reason, where nothing could be printed.
    fn settle(&self, printed: io::Result<()>) {
        match printed {
            Err(error) if !self.0.options.goes_on_unread => self.end_unread(&error),
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
        let lines = ascii::settled(lines, self.stage().ascii);
        (self.0.keys.as_ref()).inspect(|keys| keys.keep(&format!("{lines}\n")));
        let columns = self.room().1;
        self.stage().print(Some(&lines), columns)
    }

    /// Prints a prompt, without a line's end, on standard error.
    fn prompt(&self, text: &str) {
        self.recorded(|cast| cast.show(text));
        // Where nobody reads the prompt, nobody need be asked twice.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Waits for one of the keys that `wanted` makes something of, after a prompt.
    ///
    /// What was typed ahead does not count. `None` at the end of the input: nobody is there.
    pub fn ask<T>(&self, prompt: &str, wanted: impl Fn(char) -> Option<T>) -> Option<T> {
        let answer = self.waited_for(prompt, |keys| {
            // Seen only once it is known: after Ctrl-Z and `fg` it has to be there again.
            self.prompt(prompt);
            let mut pressed = iter::from_fn(|| keys.next());
            pressed.find_map(|key| Some((key, wanted(key)?)))
        });
        // An answer is seen; Enter and the keys of a pause are not part of the story.
        let is_seen = |key: &char| prompt.ends_with(": ") && !key.is_whitespace();
        let seen = answer.iter().map(|(key, _)| *key).filter(is_seen);
        self.prompt(&(seen.flat_map(char::to_uppercase).collect::<String>() + "\n"));
        answer.map(|(_, found)| found)
    }

    /// Waits for a whole number after a prompt; Enter alone is 0. What was typed ahead does not count.
    pub fn ask_number(&self, prompt: &str) -> u64 {
        let number = self.waited_for(prompt, |keys| {
            let mut lines = iter::repeat_with(|| {
                self.prompt(prompt);
                keys.line()
            });
            lines.find_map(|line| match line.trim() {
                "" => Some(0),
                line => line.parse().ok(),
            })
        });
        let number = number.unwrap_or(0);
        self.recorded(|cast| cast.show(&format!("{number}\n")));
        number
    }

    /// What the reader enters from now on; how long that takes is not part of a recording.
    fn waited_for<T>(&self, prompt: &str, entered: impl FnOnce(&Keys) -> Option<T>) -> Option<T> {
        let answer = (self.0.keys.as_ref()).and_then(|keys| keys.wait(prompt, entered));
        self.recorded(Cast::waited);
        answer
    }

    /// Waits until the reader wants to go on: Enter, `r`, `s` or `q`; see [`ask`](Self::ask).
    pub fn pause(&self, prompt: &str) -> char {
        let is_wanted = |key| "\nrsq".contains(key).then_some(key);
        self.ask(&format!("{prompt} "), is_wanted).unwrap_or('\n')
    }

    /// Gives the keyboard back as it was.
    pub fn release_keys(&self) {
        (self.0.keys.as_ref()).inspect(|keys| keys.release());
    }

    /// What kept lines from being printed, where it was not that the reader had gone.
    pub fn lost_lines(&self) -> Option<&str> {
        self.0.lost.get().map(String::as_str)
    }

    /// Prints in one line on standard error what went wrong; nobody need be there to read it.
    pub fn print_error(&self, message: impl fmt::Display) {
        let message = format!("error: {message}").replace('\n', " ");
        let line = measure::inherited::with_way_out(message);
        let line = ascii::settled(&line, self.stage().ascii);
        self.recorded(|cast| cast.show(&format!("{line}\n")));
        // With standard error closed or full, the exit code still tells.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Marks this moment in the recording, for players to jump to.
    pub fn mark(&self, name: &str) {
        self.recorded(|cast| cast.add("m", name));
    }

    /// Ends the recording and writes it.
    ///
    /// # Errors
    /// The place is full or has gone; an old file stays whole.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.stage().cast.take().map_or(Ok(()), Cast::finish)
    }

    /// A progress bar over `length` steps, part of the live view.
    pub fn progress_bar(&self, length: u64, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        let bar = bar.with_message(what);
        self.stage().bars.push(bar.clone());
        bar
    }

    /// Takes the live view off the screen, for good.
    pub fn clear_bars(&self) {
        let columns = self.room().1;
        self.stage().close(columns);
    }

    /// Ends the process: quietly after a closed pipe, with a line otherwise; children end with their links.
    fn end_unread(&self, error: &io::Error) -> ! {
        self.release_keys();
        let is_quiet = error.kind() == io::ErrorKind::BrokenPipe;
        if !is_quiet {
            self.print_error(unwritten(error));
        }
        std::process::exit(i32::from(!is_quiet));
    }
}

/// Whether somebody watches a terminal that can draw.
fn is_watched() -> bool {
    let set = |name| std::env::var(name).unwrap_or_default();
    let in_ci = !["", "false", "0"].contains(&&*set("CI"));
    io::stderr().is_terminal() && set("TERM") != "dumb" && !in_ci
}

/// What is said of a standard output that takes no more.
pub fn unwritten(error: &io::Error) -> String {
    format!("cannot write to standard output: {error}")
}

/// Prints in one line on standard error what went wrong, before there is a [`Screen`].
pub fn print_error(message: impl fmt::Display) {
    Screen::default().print_error(message);
}
