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

pub use cast::Cast;
pub use document::{
    CheckReport, ClaimReport, Document, LEAST_ROUNDS, Ledger, MARGIN, Pointer, QuestionReport,
    SCHEMA, Source, TableReport, Tally, Variant, Verdict,
};
pub use live::{Watch, Watched};
pub use picture::finished;
pub use recording::{CounterReport, LaneReport, RecorderReport, RecordingReport, SpanReport};
pub use screen::{Screen, ScreenOptions, print_error, unwritten};
pub use summary::{header, summary};
pub use tables::table;
pub use trace::trace;
pub use verbose::verbose;

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use textwrap::{Options, WordSplitter};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const NO_BREAK: &str = "\u{a0}";

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
/// keeps its unit beside it, and a text with an address breaks no word, however long it is.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let margin = " ".repeat(indent);
    fill(text, width, &margin, &margin)
}

/// Breaks text as [`wrap`] does, with `first` before the first line and `rest` before all others.
fn fill(text: &str, width: usize, first: &str, rest: &str) -> String {
    let is_address = |word: &str| word.starts_with('/') || word.contains("://");
    let options = Options::new(width.max(rest.len() + 20))
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(!text.split_whitespace().any(is_address));
    let text = textwrap::fill(&figures_with_units(text), options);
    text.trim_end().replace(NO_BREAK, " ")
}

/// A text that is broken, in a style.
fn styled(style: Style, text: &str, width: usize, indent: usize) -> String {
    format!("{style}{}{style:#}", wrap(text, width, indent))
}

/// The text, with a unit in one piece with the figure before it: `1.2 ms`, `93 %`.
fn figures_with_units(text: &str) -> String {
    const UNITS: [&str; 11] = [
        "ns", "µs", "ms", "s", "min", "B", "kB", "MB", "GB", "%", "CPUs",
    ];
    let mut joined = String::new();
    for word in text.split_inclusive(' ') {
        // Of a range, `1.01 s–1.05 s`, the first part decides.
        let unit = word.split('–').next().unwrap_or(word);
        let unit = unit.trim_end_matches([',', '.', ';', ':', ')', ' ']);
        let figure = joined.strip_suffix(' ').filter(|_| UNITS.contains(&unit));
        if figure.is_some_and(|it| it.ends_with(|c: char| c.is_ascii_digit())) {
            joined.pop();
            joined += NO_BREAK;
        }
        joined += word;
    }
    joined
}
