//! What is drawn at the foot of the screen while a variant runs, and drawn over by what comes next.

use crate::{ascii, cast::Cast};
use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use console::{measure_text_width, truncate_str};
use indicatif::ProgressBar;
use std::{
    io::{self, Write},
    mem,
};

/// Cells of a progress bar.
const BAR: usize = 40;

/// The foot of a terminal and of a recording, which get the same lines.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) cast: Option<Cast>,
    /// Whether it is drawn on standard error.
    pub(crate) shown: bool,
    pub(crate) ascii: bool,
    pub(crate) bars: Vec<ProgressBar>,
    /// The line that is being printed piece by piece; while there is a foot, it is the first line of it.
    pub(crate) open: String,
    /// The lines drawn last; the cursor is behind them.
    pub(crate) lines: Vec<String>,
    pub(crate) closed: bool,
}

impl Stage {
    /// Draws these lines, if any, and those of progress bars in place of what is there.
    pub(crate) fn draw(&mut self, mut lines: Vec<String>, (rows, columns): (usize, usize)) {
        if self.closed {
            return;
        }
        self.bars.retain(|bar| !bar.is_finished());
        if !lines.is_empty() {
            lines.extend(self.bars.iter().map(bar_line));
        }
        lines.drain(..lines.len().saturating_sub(rows.saturating_sub(1)));
        // A line as wide as the terminal may go on in the next.
        let cut = |line: &String| truncate_str(line, columns.saturating_sub(1), "").into_owned();
        let lines = lines
            .iter()
            .map(|line| ascii::settled(cut(line).trim_end(), self.ascii));
        let lines = lines.collect();
        self.replace(lines, columns);
    }

    /// Adds a piece to the open line, or begins one: another where it would be longer than `width`.
    pub(crate) fn add(&mut self, piece: &str, (columns, width): (usize, usize)) -> io::Result<()> {
        let mut piece = ascii::settled(piece, self.ascii);
        let is_long = measure_text_width(&self.open) + measure_text_width(&piece) > width;
        if is_long && !self.open.is_empty() {
            self.print(None, columns)?;
            piece = format!("    {}", piece.trim_start_matches([';', ' ']));
        }
        let below = self.below();
        self.open += &piece;
        self.replace(below, columns);
        Ok(())
    }

    /// Ends the open line, if any, and prints lines for good; the foot goes below them.
    pub(crate) fn print(&mut self, lines: Option<&str>, columns: usize) -> io::Result<()> {
        let (below, open) = (self.below(), mem::take(&mut self.open));
        self.replace(Vec::new(), columns);
        let open = Some(&*open).filter(|open| !open.is_empty());
        let lines = open.into_iter().chain(lines);
        let text: String = lines.map(|lines| format!("{lines}\n")).collect();
        if let Some(cast) = &mut self.cast {
            cast.show(&text);
        }
        let mut out = anstream::stdout().lock();
        let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        self.replace(below, columns);
        printed
    }

    /// What is drawn below the open line.
    fn below(&self) -> Vec<String> {
        self.lines[usize::from(!self.open.is_empty())..].to_vec()
    }

    /// Takes away what is drawn, for good.
    pub(crate) fn close(&mut self, columns: usize) {
        self.replace(Vec::new(), columns);
        self.closed = true;
    }

    fn replace(&mut self, mut lines: Vec<String>, columns: usize) {
        if !self.open.is_empty() {
            lines.insert(0, self.open.clone());
        }
        if lines.is_empty() && self.lines.is_empty() {
            return;
        }
        let text = lines.join("\n");
        let plain = strip_str(&text).to_string();
        if self.shown {
            let mut terminal = io::stderr();
            let is_plain = AutoStream::choice(&terminal) == ColorChoice::Never;
            let text = self.erased(columns) + if is_plain { &plain } else { &text };
            // A picture that fails to draw is no reason to fail the run.
            let _ = terminal.write_all(text.as_bytes());
        }
        let erased = self.erased(usize::MAX);
        if let Some(cast) = &mut self.cast {
            cast.add("o", &(erased + if cast.coloured { &text } else { &plain }));
        }
        self.lines = lines;
    }

    /// What takes the lines off a screen of so many columns: one that has become narrower has broken them.
    fn erased(&self, columns: usize) -> String {
        let rows = self
            .lines
            .iter()
            .map(|line| measure_text_width(line).div_ceil(columns).max(1));
        // Line by line: some terminals keep what a screen shows that is cleared from its top.
        match rows.sum::<usize>() {
            0 => String::new(),
            rows => format!("\r\u{1b}[2K{}", "\u{1b}[1A\u{1b}[2K".repeat(rows - 1)),
        }
    }
}

fn bar_line(bar: &ProgressBar) -> String {
    let (done, all) = (bar.position(), bar.length().unwrap_or_default());
    let full = (BAR as u64 * done / all.max(1)) as usize;
    let bar_line = format!("{:█<full$}", "");
    format!("  {} {bar_line:░<BAR$} {done}/{all}", bar.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_line_is_the_first_of_the_foot_until_a_print_ends_it() {
        let mut stage = Stage {
            shown: true,
            ..Stage::default()
        };
        stage.add("  #1", (80, 80)).expect("drawn");
        stage.draw(vec!["picture".into()], (24, 80));
        stage.add(" #2", (80, 80)).expect("drawn");
        assert_eq!(stage.lines, ["  #1 #2", "picture"]);
        stage.print(Some("done"), 80).expect("printed");
        assert_eq!(
            (stage.open.as_str(), stage.lines.join("")),
            ("", "picture".into())
        );
    }

    #[test]
    fn no_more_is_drawn_than_there_is_room_for_and_all_of_it_is_taken_away() {
        let mut stage = Stage::default();
        let lines = [
            "one",
            "a line of forty columns and a few more than that",
            "three",
        ]
        .map(String::from);
        stage.draw(lines.into(), (3, 40));
        assert_eq!(
            stage.lines,
            ["a line of forty columns and a few more ", "three"].map(str::trim_end)
        );
        assert_eq!(stage.erased(40), "\r\u{1b}[2K\u{1b}[1A\u{1b}[2K");
        assert_eq!(
            stage.erased(20).matches("[1A").count(),
            2,
            "the first is broken there"
        );
        stage.draw(vec!["one".into()], (1, 40));
        assert!(stage.lines.is_empty());
    }
}
