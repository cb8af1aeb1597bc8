//! What a check came to, and the picture of the run that it saw.

use crate::stage::Event;
use serde::{Deserialize, Serialize};
use std::{env, iter, process::ExitCode};

/// What a check came to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What is wrong, with the figures of the run; `None` where the repair holds.
    pub fault: Option<String>,
    /// A line for each lane.
    pub picture: Vec<String>,
    /// What was counted, and how the run ended.
    pub figures: String,
}

impl Verdict {
    /// Prints it, as JSON with `--json` on the command line.
    pub fn report(&self) -> ExitCode {
        self.print(env::args().any(|word| word == "--json"))
    }

    /// Prints it; the exit code says whether the repair holds.
    pub fn print(&self, json: bool) -> ExitCode {
        if json {
            println!("{}", serde_json::json!(self));
        } else {
            println!("{}", self.lines().join("\n"));
        }
        ExitCode::from(u8::from(self.fault.is_some()))
    }

    /// What there is to print of it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.picture.clone();
        lines.push(String::new());
        lines.push(match &self.fault {
            Some(fault) => common::report::wrap(&format!("✗ {fault}"), 80, 2),
            None => "✓ the repair holds".to_owned(),
        });
        lines
    }
}

/// The widest that a picture's time is drawn.
const WIDEST: usize = 64;

/// Draws who did what, the first event on the left: in words where there is room, as marks where not.
pub(crate) fn picture(names: &[String], events: &[(usize, Event)]) -> Vec<String> {
    let events = &events[events.len().saturating_sub(WIDEST)..];
    let width = |(_, event): &(usize, Event)| event.cell().chars().count() + 1;
    let in_words = events.iter().map(width).sum::<usize>() <= WIDEST;
    let step = (WIDEST / events.len().max(1)).clamp(1, 4);
    let longest = names.iter().map(|name| name.chars().count()).max();
    let longest = longest.unwrap_or(0);
    let row = |(lane, name): (usize, &String)| {
        let (mut line, mut filler, mut last) = (String::new(), ' ', "");
        for of in events {
            let mut shown = "";
            if of.0 == lane {
                shown = of.1.cell();
                match &of.1 {
                    Event::Enter => filler = '─',
                    Event::Leave => filler = ' ',
                    Event::Note(note) if !in_words => (shown, last) = ("|", note),
                    Event::Note(_) => {}
                }
            }
            let width = if in_words { width(of) } else { step };
            line.push_str(shown);
            line.extend(iter::repeat_n(filler, width - shown.chars().count()));
        }
        if line.trim().is_empty() {
            last = "never came";
        }
        format!("  {name:longest$}  {line}  {last}")
            .trim_end()
            .to_owned()
    };
    let mut rows: Vec<String> = names.iter().enumerate().map(row).collect();
    if events.iter().any(|(_, event)| *event == Event::Enter) {
        let space = "";
        rows.push(format!(
            "  {space:longest$}  ├──┤ at work, from left to right"
        ));
    }
    rows
}
