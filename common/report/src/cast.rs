//! What a run shows, as it shows it, for players to show again: an asciicast, version 2.
//!
//! The screen that it records owns it.

use crate::{ascii, file::ResultFile, width};
use indicatif::TermLike;
use serde_json::{Value, json};
use std::{
    env, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// The height of the screen where no terminal tells.
pub(crate) const USUAL_HEIGHT: u16 = 24;

/// How long a pause lasts in a recording.
const PAUSE: Duration = Duration::from_secs(2);

/// A recording in progress.
#[derive(Debug)]
pub struct Cast {
    tape: Tape,
    file: ResultFile,
    began: Instant,
    /// How long the run has waited for its reader so far; nobody wants to watch that again.
    idle: Duration,
    /// How much time was added for viewers.
    held: Duration,
    coloured: bool,
}

/// The lines of the file: a header, and one per event.
#[derive(Debug)]
struct Tape(String);

impl Tape {
    fn new(header: &Value) -> Self {
        Self(format!("{header}\n"))
    }

    fn add(&mut self, at: Duration, kind: &str, data: &str) {
        let (at, data) = (at.as_secs_f64(), Value::from(data));
        self.0.push_str(&format!("[{at:.6}, \"{kind}\", {data}]\n"));
    }
}

impl Cast {
    /// Begins to record for `file`; `width` is in columns.
    pub fn new(file: ResultFile, title: &str, width: Option<u16>, coloured: bool) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let known = ["SHELL", "TERM"].map(|name| Some((name.to_owned(), env::var(name).ok()?)));
        let known = known.into_iter().flatten();
        let known = known.map(|(name, value)| (name, Value::from(value)));
        let width = width.map_or_else(width::of_terminal, usize::from);
        let header = json!({
            "version": 2, "width": width, "height": height(), "title": title,
            "timestamp": now.unwrap_or_default().as_secs(),
            "env": known.collect::<serde_json::Map<_, _>>(),
        });
        // Whatever draws the live view asks this before it colours anything.
        console::set_colors_enabled_stderr(coloured);
        Self {
            tape: Tape::new(&header),
            file,
            began: Instant::now(),
            idle: Duration::ZERO,
            held: Duration::ZERO,
            coloured,
        }
    }

    fn add(&mut self, kind: &str, data: &str) {
        let at = (self.began.elapsed() + self.held).saturating_sub(self.idle);
        self.tape.add(at, kind, data);
    }
}

fn height() -> u16 {
    let rows = console::Term::stdout().size_checked().map(|size| size.0);
    rows.unwrap_or(USUAL_HEIGHT).clamp(10, 200)
}

/// Text as a terminal's driver sends it on: a line's end also returns to its start.
fn as_sent(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// What a screen hands its lines to; without a [`Cast`] it keeps nothing.
#[derive(Debug)]
pub(crate) struct Recorder {
    cast: Mutex<Option<Cast>>,
    ascii: bool,
    width: Option<usize>,
}

impl Recorder {
    pub(crate) fn new(cast: Option<Cast>, ascii: bool, width: Option<usize>) -> Self {
        Self {
            cast: Mutex::new(cast),
            ascii,
            width,
        }
    }

    fn cast(&self) -> MutexGuard<'_, Option<Cast>> {
        self.cast.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what has just been shown.
    pub(crate) fn show(&self, text: &str) {
        if let Some(cast) = &mut *self.cast() {
            let text = ascii::settled(text, self.ascii);
            if cast.coloured {
                cast.add("o", &as_sent(&text));
            } else {
                let text = anstream::adapter::strip_str(&text).to_string();
                cast.add("o", &as_sent(&text));
            }
        }
    }

    /// Marks this moment, for players to jump to.
    pub(crate) fn mark(&self, name: &str) {
        if let Some(cast) = &mut *self.cast() {
            cast.add("m", name);
        }
    }

    /// Waits, by `wait`; in the recording that takes two seconds.
    pub(crate) fn in_two_seconds<T>(&self, wait: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let value = wait();
        if let Some(cast) = &mut *self.cast() {
            cast.idle += before.elapsed();
            cast.held += PAUSE;
        }
        value
    }

    /// Gives a viewer so much time before what comes next.
    pub(crate) fn hold(&self, time: Duration) {
        if let Some(cast) = &mut *self.cast() {
            cast.held += time;
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.cast().is_some()
    }

    /// Ends the recording, whose last screen stays for a while, and writes it.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        self.hold(PAUSE);
        let taken = self.cast().take();
        taken.map_or(Ok(()), |mut cast| {
            cast.add("o", "");
            cast.file.write(&cast.tape.0)
        })
    }
}

/// Where the live view is drawn while a run is recorded: on the terminal, if there is one, and in
/// the recording, by the same strokes.
///
/// The drawing relies on a full line to go on in the next one. That holds at one width only, and the
/// terminal may have another than the recording, so the line is ended here.
#[derive(Debug)]
pub(crate) struct Stage {
    terminal: Option<console::Term>,
    recorder: Arc<Recorder>,
    drawn: Mutex<Drawn>,
}

/// What has been drawn since the picture was last whole: no player is to show half of one.
#[derive(Debug, Default)]
struct Drawn {
    sent: String,
    column: usize,
}

impl Stage {
    /// A screen, `shown` on standard error or only recorded.
    pub(crate) fn new(shown: bool, recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            terminal: shown.then(console::Term::buffered_stderr),
            drawn: Mutex::default(),
        }
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, drawn: &mut Drawn, text: &str) -> io::Result<()> {
        drawn.sent.push_str(text);
        let terminal = self.terminal.as_ref();
        terminal.map_or(Ok(()), |terminal| terminal.write_str(text))
    }

    fn move_cursor(&self, by: usize, direction: char) -> io::Result<()> {
        match by {
            0 => Ok(()),
            _ => self.send(&mut self.drawn(), &format!("\u{1b}[{by}{direction}")),
        }
    }
}

impl TermLike for Stage {
    fn width(&self) -> u16 {
        let columns = self.recorder.width.unwrap_or_else(width::of_terminal);
        let recorded = u16::try_from(columns).unwrap_or(u16::MAX);
        let shown = self.terminal.as_ref().map(|terminal| terminal.size().1);
        shown.map_or(recorded, |shown| shown.min(recorded))
    }

    fn height(&self) -> u16 {
        let shown = self.terminal.as_ref().map(|terminal| terminal.size().0);
        shown.map_or(height(), |shown| shown.min(height()))
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'D')
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)?;
        let mut drawn = self.drawn();
        drawn.column = 0;
        self.send(&mut drawn, "\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        // What is drawn over is cleared before: blanks at the end would only make the file long.
        let text = text.trim_end_matches(' ');
        let mut drawn = self.drawn();
        if text.starts_with('\r') {
            drawn.column = 0;
        } else if drawn.column >= usize::from(self.width()) && !text.is_empty() {
            drawn.column = 0;
            self.send(&mut drawn, "\n")?;
        }
        drawn.column += console::measure_text_width(text);
        self.send(&mut drawn, text)
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut drawn = self.drawn();
        drawn.column = 0;
        self.send(&mut drawn, "\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let sent = std::mem::take(&mut self.drawn().sent);
        if !sent.is_empty() {
            self.recorder.show(&sent);
        }
        self.terminal.as_ref().map_or(Ok(()), console::Term::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_is_an_event_with_its_text_in_quotes() {
        let mut tape = Tape::new(&json!({ "version": 2 }));
        tape.add(Duration::from_millis(1_500), "o", "a \"b\"\r\n\u{1b}[1m█");
        tape.add(Duration::from_secs(2), "m", "sequential");
        let lines: Vec<Value> = tape
            .0
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let expected = [
            json!({ "version": 2 }),
            json!([1.5, "o", "a \"b\"\r\n\u{1b}[1m█"]),
            json!([2.0, "m", "sequential"]),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_line_that_fills_the_screen_ends_before_the_next_begins() {
        let screen = Stage::new(false, Arc::new(Recorder::new(None, false, Some(80))));
        let full = "x".repeat(screen.width().into());
        for text in ["\r", &full, "", "\u{1b}[1mnext\u{1b}[0m"] {
            screen.write_str(text).expect("nothing can fail");
        }
        let expected = format!("\r{full}\n\u{1b}[1mnext\u{1b}[0m");
        assert_eq!(screen.drawn().sent, expected);
        screen.clear_line().expect("nothing can fail");
        screen.write_str(&full).expect("nothing can fail");
        assert!(screen.drawn().sent.ends_with(&format!("\u{1b}[2K{full}")));
    }
}
