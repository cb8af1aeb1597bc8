//! The figures of all variants as tables, declared once for the terminal and the page.

use crate::{
    DIM, TableReport, Variant,
    format::{self, percent, plain, seconds_f64},
    grouped, styled,
};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;
use std::iter;

/// A figure of every variant: its heading, its fields in the document, of which it is the sum, how it is
/// shown, and what it is no more than where it goes without saying.
type Column = (&'static str, &'static str, fn(f64) -> String, f64);

const ALWAYS: f64 = -1.0;
const TABLES: [(&str, &[Column]); 3] = [
    (
        "Times; the wall time is that of the middle round",
        &[
            ("wall", "wall_s", seconds_f64, ALWAYS),
            ("least", "wall_min_s", seconds_f64, ALWAYS),
            ("greatest", "wall_max_s", seconds_f64, ALWAYS),
            ("speed-up", "speedup", times, ALWAYS),
            ("bound", "bound_s", seconds_f64, ALWAYS),
            ("of bound", "efficiency", percent, ALWAYS),
        ],
    ),
    (
        "What was asked for and what it used",
        &[
            ("rounds", "runs", plain, 1.0),
            ("submitted", "submitted", plain, ALWAYS),
            ("done", "done", plain, ALWAYS),
            ("failed", "failed", plain, 0.0),
            ("cancelled", "cancelled", plain, 0.0),
            ("retried", "retried", plain, 0.0),
            ("in flight", "peak_in_flight", plain, ALWAYS),
            ("threads", "threads", plain, ALWAYS),
            ("processes", "processes", plain, 1.0),
            ("connections", "connections", plain, ALWAYS),
        ],
    ),
    (
        "What the machine did",
        &[
            ("CPU", "cpu_user_s+cpu_system_s", seconds_f64, ALWAYS),
            ("own switches", "voluntary_switches", plain, ALWAYS),
            ("forced", "involuntary_switches", plain, ALWAYS),
            ("memory", "peak_rss_bytes", format::bytes, ALWAYS),
            ("spans recorded", "spans", plain, ALWAYS),
            ("recording took", "cost_s", seconds_f64, ALWAYS),
        ],
    ),
];

/// A table of figures, with what is to be said under it.
pub(crate) struct Figures {
    pub(crate) title: &'static str,
    pub(crate) headings: Vec<&'static str>,
    /// A variant, and of each figure its field, its value, and how it is shown.
    pub(crate) rows: Vec<(String, Vec<Figure>)>,
    pub(crate) notes: Vec<String>,
}

type Figure = (&'static str, Option<f64>, fn(f64) -> String);

fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

/// The tables of a run: times, work, what the machine did.
pub(crate) fn of(variants: &[Variant]) -> Vec<Figures> {
    let fields = |one| serde_json::to_value(one).unwrap_or_default();
    let all: Vec<Value> = variants.iter().map(fields).collect();
    let value = |fields: &Value, (_, field, ..): &Column| {
        let places = [fields, &fields["ledger"], &fields["recorder"]];
        let part = |part| places.iter().find_map(|all| all[part].as_f64());
        field
            .split('+')
            .filter_map(part)
            .reduce(|sum, part| sum + part)
    };
    let is_repeated = variants.iter().any(|one| one.runs > 1);
    let tells = |column: &&Column| {
        let is_told = all.iter().any(|one| value(one, column) > Some(column.3));
        is_told && (is_repeated || !["wall_min_s", "wall_max_s"].contains(&column.1))
    };
    let notes = [bounds(variants), Vec::new(), left_out(variants)];
    let table = |((title, columns), notes): ((_, &'static [Column]), _)| {
        let columns: Vec<&Column> = columns.iter().filter(tells).collect();
        let row = |(one, fields): (&Variant, &Value)| {
            let figures = columns.iter().map(|it| (it.1, value(fields, it), it.2));
            (one.name.clone(), figures.collect())
        };
        let headings = columns.iter().map(|column| column.0);
        Figures {
            title,
            headings: iter::once("variant").chain(headings).collect(),
            rows: variants.iter().zip(&all).map(row).collect(),
            notes,
        }
    };
    TABLES.into_iter().zip(notes).map(table).collect()
}

/// Why bounds are what they are, each reason once, and what does not compare.
fn bounds(variants: &[Variant]) -> Vec<String> {
    let bounded = variants.iter().filter(|one| one.bound_reason.is_some());
    let reasons = grouped(bounded, |one| {
        one.bound_reason.as_deref().unwrap_or_default()
    });
    let note = |(reason, all): (&str, Vec<&Variant>)| {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        format!("bound: {reason} ({})", names.join("; "))
    };
    let mut notes: Vec<String> = reasons.into_iter().map(note).collect();
    let strange = variants.iter().filter(|one| !one.comparable);
    notes.extend(strange.map(|one| {
        format!(
            "{}: not comparable, its peak in flight was not its limit",
            one.name
        )
    }));
    notes
}

/// What recordings had to leave out or to change.
fn left_out(variants: &[Variant]) -> Vec<String> {
    let counts = variants.iter().flat_map(|one| {
        let (name, recorder) = (&one.name, &one.recorded.recorder);
        let thinned = "spans were too many, joined to neighbours or left out";
        let mended = "spans had impossible times, cut to what can be";
        [
            (name, recorder.thinned, thinned),
            (name, recorder.mended, mended),
        ]
    });
    let some = counts.filter(|(_, count, _)| *count > 0);
    some.map(|(name, count, what)| format!("{name}: {} {what}", format::count(count)))
        .collect()
}

impl Figures {
    /// As a step's own tables are.
    fn shown(self) -> TableReport {
        let row = |(name, cells): (String, Vec<Figure>)| {
            let cells = cells.into_iter();
            let cells = cells.map(|(_, value, show)| value.map_or("–".into(), show));
            iter::once(name).chain(cells).collect()
        };
        TableReport {
            title: self.title.into(),
            headings: self.headings.into_iter().map(String::from).collect(),
            rows: self.rows.into_iter().map(row).collect(),
            text_columns: vec![0],
            notes: self.notes,
        }
    }
}

/// The tables of a run for a terminal.
pub(crate) fn text(variants: &[Variant], width: usize) -> Vec<String> {
    let tables = of(variants).into_iter().map(Figures::shown);
    let lines = tables.flat_map(|one| {
        let title = format!("\n{DIM}{}{DIM:#}", one.title);
        iter::once(title).chain(lines(&one, width, usize::MAX))
    });
    lines.collect()
}

/// A table in at most `most` rows, and what is said under it.
pub(crate) fn lines(one: &TableReport, width: usize, most: usize) -> Vec<String> {
    let names: Vec<&str> = one.headings.iter().map(String::as_str).collect();
    // A line would say of a single row no more than that it is missing.
    let most = most + usize::from(one.rows.len() == most.saturating_add(1));
    let shown = one.rows.iter().take(most).cloned().collect();
    let text = table(&names, shown, &one.text_columns, width - 2);
    let mut lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    if let more @ 1.. = one.rows.len().saturating_sub(most) {
        lines.push(format!("  … {more} more rows: --verbose"));
    }
    let notes = one.notes.iter();
    lines.extend(notes.flat_map(|note| styled(DIM, note, width, 2)));
    lines
}

/// A table with a dim header; the columns listed in `left` are text, the others figures.
pub fn table(names: &[&str], rows: Vec<Vec<String>>, left: &[usize], width: usize) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(names.iter().copied())
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index + 1 == names.len() { 0 } else { 2 }));
        if !left.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Where room is short, a name is the last thing to break.
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    let lines = table.lines().enumerate().map(|(index, line)| match index {
        0 => format!("{DIM}{}{DIM:#}\n", line.trim_end()),
        _ => format!("{}\n", line.trim_end()),
    });
    lines.collect()
}
