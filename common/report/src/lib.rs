//! Pure rendering of a run: for the terminal, as JSON, as a Chrome trace.

mod ascii;
mod cast;
mod document;
pub mod file;
pub mod format;
mod keys;
mod lane;
mod live;
pub mod page;
mod picture;
mod recording;
mod screen;
mod stage;
mod summary;
mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod verbose;
mod width;

pub use cast::Cast;
pub use document::{
    CheckReport, ClaimReport, Document, Ledger, Pointer, QuestionReport, SCHEMA, Source,
    TableReport, Tally, Variant, Verdict,
};
pub use live::{Watch, Watched};
pub use recording::{CounterReport, LaneReport, RecorderReport, RecordingReport, SpanReport};
pub use screen::{Key, Screen, ScreenOptions, print_error, unwritten};
pub use summary::{View, summary};
pub use tables::table;
pub use trace::trace;
pub use verbose::verbose;

use anstyle::{AnsiColor, Style};
use console::measure_text_width;
use serde_json::Value;
use std::time::Duration;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// What stands above a run: step and question.
pub fn header(document: &Document, width: usize) -> String {
    summary::title(document, width)
}

/// A variant that has just run, in a line to stay above those to come.
pub fn finished(name: &str, wall: Duration) -> String {
    picture::finished(name, wall.as_secs_f64())
}

/// What has the same key together, in the order of the first of each.
fn grouped<T, K: PartialEq>(
    all: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for one in all {
        let key = key(&one);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some((_, group)) => group.push(one),
            None => groups.push((key, vec![one])),
        }
    }
    groups
}

/// The document as JSON.
pub fn json(document: &Document) -> String {
    serde_json::to_string_pretty(document).expect("every field of a document is plain data")
}

/// Every parameter with its value, in one line.
pub fn parameters(params: &Value) -> String {
    let params = params.as_object().into_iter().flatten();
    let shown = params.filter_map(|(name, value)| {
        let (name, unit) = match name.strip_suffix("_s") {
            Some(name) => (name, " s"),
            None => (name.as_str(), ""),
        };
        let value = match value {
            Value::Null => return None,
            Value::Array(items) if items.is_empty() => return None,
            Value::Array(items) => format!("× {}", items.len()),
            Value::String(text) => text.clone(),
            value => value.as_f64().map_or(value.to_string(), format::plain),
        };
        Some(format!("{} {value}{unit}", name.replace('_', "-")))
    });
    shown.collect::<Vec<_>>().join(" · ")
}

/// Breaks text between words so that no line passes `width`, each line set in by `indent`; a figure
/// keeps its unit beside it, and an address stays whole however long it is.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let (room, margin) = (width.saturating_sub(indent).max(20), " ".repeat(indent));
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let (mut line, mut used) = (margin.clone(), 0);
        for word in figures_with_units(paragraph) {
            let (is_address, wide) = (is_address(&word), word.chars().map(cells).sum::<usize>());
            if used > 0 && used + 1 + wide > room {
                lines.push(std::mem::replace(&mut line, margin.clone()));
                used = 0;
            } else if used > 0 {
                line.push(' ');
                used += 1;
            }
            for c in word.chars() {
                if used + cells(c) > room && !is_address {
                    lines.push(std::mem::replace(&mut line, margin.clone()));
                    used = 0;
                }
                line.push(c);
                used += cells(c);
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// How wide a character is: not all terminals draw several as one.
fn cells(c: char) -> usize {
    measure_text_width(c.encode_utf8(&mut [0; 4]))
}

fn is_address(word: &str) -> bool {
    word.starts_with('/') || word.contains("://")
}

/// Breaks text as [`wrap`] does, with all lines but the first set in.
fn hung(text: &str, width: usize) -> String {
    wrap(text, width - 2, 0).replace('\n', "\n  ")
}

/// The lines of a text that is broken, each in a style.
fn styled(style: Style, text: &str, width: usize, indent: usize) -> Vec<String> {
    let text = wrap(text, width, indent);
    text.lines()
        .map(|line| format!("{style}{line}{style:#}"))
        .collect()
}

/// The words of a text, with a unit in one piece with the figure before it: `1.2 ms`, `93 %`.
fn figures_with_units(text: &str) -> Vec<String> {
    const UNITS: [&str; 11] = [
        "ns", "µs", "ms", "s", "min", "B", "kB", "MB", "GB", "%", "CPUs",
    ];
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        // Of a range, `1.01 s–1.05 s`, the first part decides.
        let unit = word.split('–').next().unwrap_or(word);
        let unit = unit.trim_end_matches([',', '.', ';', ':', ')']);
        match words.last_mut() {
            Some(last) if UNITS.contains(&unit) && last.ends_with(|c: char| c.is_ascii_digit()) => {
                *last += &format!(" {word}");
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}
