//! What a check came to, and the picture of the run that it saw.

pub use crate::stage::Event;
use serde::{Deserialize, Serialize};
use std::{env, iter, process::ExitCode};

/// What a check came to.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What is wrong, with the figures of the run; `None` where the repair holds.
    pub fault: Option<String>,
    /// What was counted, and how the run ended.
    pub figures: String,
    /// A name for each lane.
    pub names: Vec<String>,
    /// What each lane did, in order.
    pub events: Vec<(usize, Event)>,
}

impl Verdict {
    /// Prints it; with `--mark M` on the command line as JSON.
    pub fn report(&self) -> ExitCode {
        let mark = env::args().skip_while(|word| word != "--mark").nth(1);
        self.print(mark.as_deref())
    }

    /// Prints it, as JSON behind a mark, alone on its line, where there is one; the exit code says whether the repair
    /// holds.
    pub fn print(&self, mark: Option<&str>) -> ExitCode {
        match mark {
            Some(mark) => println!("\n{mark}{}", serde_json::json!(self)),
            None => println!("{}", self.lines(80).join("\n")),
        }
        ExitCode::from(u8::from(self.fault.is_some()))
    }

    /// What there is to print of it.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let mut lines = self.picture(width);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(match &self.fault {
            Some(fault) => format!("  {}", hanging(&format!("✗ {fault}"), width, 4)),
            None => "✓ the repair holds".to_owned(),
        });
        lines
    }

    /// Who did what, the first event on the left: in words where there is room, as marks where not.
    pub fn picture(&self, width: usize) -> Vec<String> {
        // What no lane is drawn for takes no room.
        let mut events = self.events.clone();
        events.retain(|(lane, _)| *lane < self.names.len());
        let longest = self.names.iter().map(|name| cells(name)).max().unwrap_or(0);
        let room = width.saturating_sub(longest + 4);
        let all = events.iter().map(|(_, event)| event.cell());
        let in_words = events
            .iter()
            .map(|(_, event)| columns(event))
            .sum::<usize>()
            <= room;
        let works = events.iter().any(|(_, event)| *event == Event::Enter);
        if !in_words && !works {
            return self.in_turn(&events, width);
        }
        // As a mark, a note is written at the end of its line.
        let room = room
            .saturating_sub(all.chain([NEVER]).map(cells).max().unwrap_or(0) + 2)
            .max(1);
        let events = match in_words {
            true => &events[..],
            false => &events[events.len().saturating_sub(room)..],
        };
        let step = (!in_words).then(|| (room / events.len().max(1)).clamp(1, 4));
        let row = |(lane, name)| format!("  {name:longest$}  {}", row(events, lane, step));
        let rows = self.names.iter().enumerate().map(row);
        let mut rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        let mut legend = |line| rows.push(format!("  {:longest$}  {line}", ""));
        if works {
            legend("├──┤ at work, from left to right");
        }
        let is_note = |(_, event): &(_, _)| matches!(event, Event::Note(_));
        if !in_words && events.iter().any(is_note) {
            legend("| a step; the last one in words");
        }
        rows
    }

    /// What was done, from top to bottom; what one lane did in a row is in one line.
    fn in_turn(&self, events: &[(usize, Event)], width: usize) -> Vec<String> {
        /// Lines at the start and at the end; those in between are left out.
        const SHOWN: usize = 8;
        let runs = events.chunk_by(|(one, _), (next, _)| one == next);
        let line = |run: &[(usize, Event)]| {
            let done: Vec<&str> = run.iter().map(|(_, event)| event.cell()).collect();
            let line = format!("{}  {}", self.names[run[0].0], done.join(", "));
            format!("  {}", hanging(&line, width, 4))
        };
        let all = runs.map(line).collect::<Vec<_>>().join("\n");
        let mut lines: Vec<String> = all.lines().map(str::to_owned).collect();
        if let Some(rest) = lines.len().checked_sub(2 * SHOWN + 1) {
            let left_out = format!("  … {} more lines", rest + 1);
            lines.splice(SHOWN..=SHOWN + rest, [left_out]);
        }
        lines
    }
}

/// What is at the end of an empty line.
const NEVER: &str = "never came";

/// Breaks text; its lines after the first begin so far to the right.
pub fn hanging(text: &str, width: usize, indent: usize) -> String {
    let text = common::report::wrap(text, width, indent);
    text.trim_start().to_owned()
}

fn cells(text: &str) -> usize {
    text.chars().count()
}

/// How wide an event is in words, with the space behind it.
fn columns(event: &Event) -> usize {
    cells(event.cell())
        + if matches!(event, Event::Note(_)) {
            2
        } else {
            1
        }
}

/// What one lane did; with a step as marks, each so wide, and the last note at the end.
fn row(events: &[(usize, Event)], lane: usize, step: Option<usize>) -> String {
    let (mut line, mut filler, mut last) = (String::new(), ' ', "");
    for (of, event) in events {
        let mut shown = "";
        if *of == lane {
            shown = event.cell();
            match event {
                Event::Enter => filler = '─',
                Event::Leave => filler = ' ',
                Event::Note(note) if step.is_some() => (shown, last) = ("|", note),
                Event::Note(_) => {}
            }
        }
        let width = step.unwrap_or(columns(event));
        line.push_str(shown);
        line.extend(iter::repeat_n(filler, width - cells(shown)));
    }
    if line.trim().is_empty() {
        last = NEVER;
    }
    format!("{line}  {last}")
}
