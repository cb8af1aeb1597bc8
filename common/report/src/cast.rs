//! What a run shows, as it shows it, for players to show again: an asciicast, version 2.

use crate::{file::ResultFile, screen::width_of_terminal};
use console::Term;
use serde_json::{Value, json};
use std::time::{Instant, SystemTime};

/// How long a pause lasts in a recording, in seconds.
const PAUSE_S: f64 = 2.0;

/// A recording in progress; the screen that it records owns it.
#[derive(Debug)]
pub struct Cast {
    /// The lines of the file: a header, and one per event.
    tape: String,
    file: ResultFile,
    began: Instant,
    /// When something was shown last.
    last: Instant,
    /// How many seconds were added for viewers; waits for the reader are left out.
    added_s: f64,
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
            last: Instant::now(),
            added_s: 0.0,
            rows,
            coloured,
        }
    }

    /// Records an event of a kind: `o` is what was shown, `m` marks a moment for players to jump to.
    pub(crate) fn add(&mut self, kind: &str, text: &str) {
        self.last = Instant::now();
        let at = ((self.last - self.began).as_secs_f64() + self.added_s).max(0.0);
        // As a terminal's driver sends it on: a line's end also returns to its start.
        let text = Value::from(text.replace('\n', "\r\n"));
        let event = format!("[{at:.6}, \"{kind}\", {text}]\n");
        self.tape.push_str(&event);
    }

    /// Records lines, in colour or without.
    pub(crate) fn show(&mut self, text: &str) {
        let plain = anstream::adapter::strip_str(text).to_string();
        self.add("o", if self.coloured { text } else { &plain });
    }

    /// Counts the wait for the reader since what was shown last as two seconds.
    pub(crate) fn waited(&mut self) {
        self.added_s += PAUSE_S - self.last.elapsed().as_secs_f64();
    }

    /// Ends the recording, whose last screen stays for a while, and writes it.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.added_s += PAUSE_S;
        self.add("o", "");
        self.file.write(&self.tape)
    }
}
