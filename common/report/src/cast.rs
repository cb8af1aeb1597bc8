//! What a run shows, as it shows it, for players to show again: an asciicast, version 2.

use crate::{file::ResultFile, screen::width_of_terminal};
use console::Term;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

/// How long a pause lasts in a recording.
const PAUSE: Duration = Duration::from_secs(2);

/// A recording in progress; the screen that it records owns it.
#[derive(Debug)]
pub struct Cast {
    /// The lines of the file: a header, and one per event.
    tape: String,
    file: ResultFile,
    began: Instant,
    /// How long the run has waited for its reader so far; nobody wants to watch that again.
    idle: Duration,
    /// How much time was added for viewers.
    held: Duration,
    pub(crate) rows: usize,
    pub(crate) coloured: bool,
}

impl Cast {
    /// Begins to record for `file`; without a terminal it is `size` that says how wide and high.
    pub fn new(file: ResultFile, title: &str, size: (Option<u16>, usize), coloured: bool) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let (width, rows) = size;
        let rows = (Term::stdout().size_checked()).map_or(rows, |(rows, _)| rows.into());
        let rows = rows.clamp(10, 200);
        let header = json!({
            "version": 2, "width": width.map_or_else(width_of_terminal, usize::from), "height": rows,
            "title": title, "timestamp": now.unwrap_or_default().as_secs(),
        });
        Self {
            tape: format!("{header}\n"),
            file,
            began: Instant::now(),
            idle: Duration::ZERO,
            held: Duration::ZERO,
            rows,
            coloured,
        }
    }

    /// Records an event of a kind: `o` is what was shown, `m` marks a moment for players to jump to.
    pub(crate) fn add(&mut self, kind: &str, text: &str) {
        let at = (self.began.elapsed() + self.held).saturating_sub(self.idle);
        // As a terminal's driver sends it on: a line's end also returns to its start.
        let text = Value::from(text.replace('\n', "\r\n"));
        let event = format!("[{:.6}, \"{kind}\", {text}]\n", at.as_secs_f64());
        self.tape.push_str(&event);
    }

    /// Records lines, in colour or without.
    pub(crate) fn show(&mut self, text: &str) {
        if self.coloured {
            self.add("o", text);
        } else {
            self.add("o", &anstream::adapter::strip_str(text).to_string());
        }
    }

    /// Counts a wait for the reader as two seconds.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.idle += time;
        self.hold(PAUSE);
    }

    /// Gives a viewer so much time before what comes next.
    pub(crate) fn hold(&mut self, time: Duration) {
        self.held += time;
    }

    /// Ends the recording, whose last screen stays for a while, and writes it.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.hold(PAUSE);
        self.add("o", "");
        self.file.write(&self.tape)
    }
}
