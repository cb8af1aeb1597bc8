//! Pure rendering of a run: for the terminal, as JSON, as a Chrome trace.

mod ascii;
mod axis;
mod cast;
mod detail;
mod document;
pub mod file;
#[cfg(test)]
mod fixtures;
pub mod format;
mod live;
pub mod page;
mod picture;
mod screen;
mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod width;

pub use axis::{OnAxis, axis_of};
pub use cast::Cast;
pub use detail::{Curve, CurveLine, CurvePoint, Scale, TableReport};
pub use document::{
    CheckReport, ClaimReport, CounterReport, Document, LaneReport, Ledger, Pointer, QuestionReport,
    RecorderReport, SCHEMA, Source, SpanReport, SpentReport, Tally, Variant, Verdict, Written,
};
pub use live::Watch;
pub use screen::{Screen, ScreenOptions, print_error, unwritten};
pub use tables::reasons;
pub use tables::table;
pub use trace::trace;

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::fmt::Write;
use timeline::Recording;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();

/// The document as JSON.
pub fn json(document: &Document) -> String {
    serde_json::to_string_pretty(document).expect("every field of a document is plain data")
}

/// The timeline of any recording, as text at most `width` columns wide.
pub fn timeline(recording: &Recording, width: usize) -> String {
    picture::alone(recording, width)
}

/// What stands above a run: step, question, machine, parameters.
pub fn header(document: &Document, width: usize) -> String {
    let mut text = String::new();
    let title = wrap(
        &format!("{} · {}", document.step, document.question),
        width,
        0,
    );
    let title = title.strip_prefix(&document.step).unwrap_or(&title);
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}{title}", document.step);
    let _ = writeln!(text, "{DIM}{}", wrap(&document.host.one_line(), width, 0));
    let _ = writeln!(
        text,
        "{}",
        wrap(
            &format!("mirrors {}", document.mirrors.join(", ")),
            width,
            0
        )
    );
    let _ = write!(
        text,
        "{}{DIM:#}",
        wrap(&parameters(&document.params), width, 0)
    );
    text
}

/// Every parameter with its value, in one line.
pub fn parameters(params: &Value) -> String {
    let Value::Object(params) = params else {
        return String::new();
    };
    let shown = params
        .iter()
        .filter(|(_, value)| !matches!(value, Value::Null));
    let shown = shown.filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()));
    shown
        .map(|(name, value)| parameter(name, value))
        .collect::<Vec<_>>()
        .join(" · ")
}

fn parameter(name: &str, value: &Value) -> String {
    let (name, unit) = match name.strip_suffix("_s") {
        Some(name) => (name, " s"),
        None => (name, ""),
    };
    let name = name.replace('_', "-");
    match value {
        Value::String(text) => format!("{name} {text}"),
        Value::Number(number) => {
            let number = number
                .as_f64()
                .map_or_else(|| number.to_string(), format::plain);
            format!("{name} {number}{unit}")
        }
        Value::Array(items) => format!("{name} × {}", items.len()),
        value => format!("{name} {value}"),
    }
}

/// What stands below a run: timelines, tables, claims, why, and what to try next.
pub fn terminal(document: &Document, width: usize) -> String {
    let mut text = String::from("\n");
    text.push_str(&picture::timelines(&document.variants, width));
    text.push('\n');
    text.push_str(&tables::times(&document.variants, width));
    text.push('\n');
    text.push_str(&tables::ledgers(&document.variants, width));
    text.push('\n');
    for claim in &document.claims {
        text.push_str(&claim_lines(claim, width));
    }
    if !document.why.is_empty() {
        let _ = write!(
            text,
            "\n{BOLD}Why{BOLD:#}\n{}\n",
            wrap(&document.why, width, 2)
        );
    }
    let _ = write!(
        text,
        "\n{BOLD}Remember{BOLD:#}\n{}\n\n{BOLD}Predict{BOLD:#}\n{}\n  {}\n",
        wrap(&document.remember, width, 2),
        wrap(&document.predict.question, width, 2),
        document.predict.to,
    );
    if let Some(next) = &document.next {
        let next = format!("{}: {}", next.to, next.question);
        let _ = write!(text, "\n{BOLD}Next{BOLD:#}\n{}\n", wrap(&next, width, 2));
    }
    text.truncate(text.trim_end().len());
    text
}

fn claim_lines(claim: &ClaimReport, width: usize) -> String {
    let (style, mark, word) = match claim.verdict {
        Verdict::Shown => (GOOD, "✓", "shown"),
        Verdict::NotShown => (BAD, "✗", "not shown here"),
        Verdict::Inconclusive => (UNSURE, "–", "could not tell"),
    };
    let mut text = String::new();
    let lead = format!("{mark} {word}:");
    let body = wrap(&format!("{lead} {}", claim.text), width - 2, 0).replace('\n', "\n  ");
    let body = body.strip_prefix(&lead).unwrap_or(&body);
    let _ = writeln!(text, "{style}{lead}{style:#}{body}");
    let _ = writeln!(text, "{DIM}{}{DIM:#}", wrap(&claim.evidence, width, 4));
    if let Some(reason) = claim
        .reason
        .as_ref()
        .filter(|reason| !claim.evidence.contains(reason.as_str()))
    {
        let _ = writeln!(
            text,
            "{DIM}{}{DIM:#}",
            wrap(&format!("because {reason}"), width, 4)
        );
    }
    text
}

/// Breaks text between words so that no line passes `width`, each line set in by `indent`; a figure
/// keeps its unit beside it.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let (mut line, mut taken) = (String::new(), 0);
        for word in figures_with_units(paragraph) {
            // With room for longer figures, so that two runs break their lines alike.
            let wide = width::steady_width(&word);
            if !line.is_empty() && taken + 1 + wide > room {
                lines.push(std::mem::take(&mut line));
            }
            if line.is_empty() {
                taken = wide;
            } else {
                line.push(' ');
                taken += 1 + wide;
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    let margin = " ".repeat(indent);
    let lines: Vec<String> = lines.iter().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
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
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}
