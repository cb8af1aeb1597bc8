//! The figures of all variants as tables, declared once for the terminal and the page.

use crate::{
    DIM, TableReport, Variant,
    format::{self, percent, plain, seconds_f64},
    styled,
};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use console::measure_text_width;
use serde_json::Value;
use std::iter;

/// A figure of every variant: its table, its heading, its fields in the document, of which it is the sum, how
/// it is shown, and what it is no more than where it goes without saying.
type Column = (usize, &'static str, &'static str, fn(f64) -> String, f64);

const ALWAYS: f64 = -1.0;
const TITLES: [&str; 3] = [
    "Times; wall time and bound are those of the middle round",
    "What was asked for and what it used",
    "What the machine did",
];
const COLUMNS: [Column; 22] = [
    (0, "wall", "wall_s", seconds_f64, ALWAYS),
    (0, "least", "wall_min_s", seconds_f64, ALWAYS),
    (0, "greatest", "wall_max_s", seconds_f64, ALWAYS),
    (0, "speed-up", "speedup", times, ALWAYS),
    (0, "bound", "bound_s", seconds_f64, ALWAYS),
    (0, "of bound", "efficiency", percent, ALWAYS),
    (1, "rounds", "runs", plain, 1.0),
    (1, "submitted", "submitted", plain, ALWAYS),
    (1, "done", "done", plain, ALWAYS),
    (1, "failed", "failed", plain, 0.0),
    (1, "cancelled", "cancelled", plain, 0.0),
    (1, "retried", "retried", plain, 0.0),
    (1, "in flight", "peak_in_flight", plain, ALWAYS),
    (1, "threads", "threads", plain, ALWAYS),
    (1, "processes", "processes", plain, 1.0),
    (1, "connections", "connections", plain, ALWAYS),
    (2, "CPU", "cpu_user_s+cpu_system_s", seconds_f64, ALWAYS),
    (2, "own switches", "voluntary_switches", plain, ALWAYS),
    (2, "forced", "involuntary_switches", plain, ALWAYS),
    (2, "memory", "peak_rss_bytes", format::bytes, ALWAYS),
    (2, "spans recorded", "spans", plain, ALWAYS),
    (2, "recording took", "cost_s", seconds_f64, ALWAYS),
];

fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

/// The tables of a run: times, work, what the machine did.
pub(crate) fn of(variants: &[Variant]) -> Vec<TableReport> {
    let fields = |one| serde_json::to_value(one).unwrap_or_default();
    let all: Vec<Value> = variants.iter().map(fields).collect();
    let value = |fields: &Value, column: &Column| {
        let places = [fields, &fields["ledger"], &fields["recorder"]];
        let part = |part| places.iter().find_map(|all| all[part].as_f64());
        let parts = column.2.split('+').filter_map(part);
        parts.reduce(|sum, part| sum + part)
    };
    let is_repeated = variants.iter().any(|one| one.runs > 1);
    let tells = |column: &&Column| {
        let is_told = all.iter().any(|one| value(one, column) > Some(column.4));
        is_told && (is_repeated || !["wall_min_s", "wall_max_s"].contains(&column.2))
    };
    let notes = [bounds(variants), Vec::new(), left_out(variants)];
    let tables = TITLES.into_iter().zip(notes).enumerate();
    let table = |(at, (title, notes)): (usize, (&str, Vec<String>))| {
        let columns = COLUMNS.iter().filter(|column| column.0 == at).filter(tells);
        let columns: Vec<&Column> = columns.collect();
        let row = |(one, fields): (&Variant, &Value)| {
            let figures = columns.iter().map(|it| value(fields, it).map(it.3));
            let figures = figures.map(|figure| figure.unwrap_or("–".into()));
            iter::once(one.name.clone()).chain(figures).collect()
        };
        let headings = iter::once("variant").chain(columns.iter().map(|column| column.1));
        TableReport {
            title: title.into(),
            headings: headings.map(String::from).collect(),
            rows: variants.iter().zip(&all).map(row).collect(),
            text_columns: vec![0],
            notes,
        }
    };
    tables.map(table).collect()
}

/// Why bounds are what they are, each reason once where it stands together, and what does not compare.
fn bounds(variants: &[Variant]) -> Vec<String> {
    let reasons = variants.chunk_by(|one, other| one.bound_reason == other.bound_reason);
    let notes = reasons.filter_map(|alike| {
        let names: Vec<&str> = alike.iter().map(|one| &*one.name).collect();
        let reason = alike[0].bound_reason.as_deref()?;
        Some(format!("bound: {reason} ({})", names.join("; ")))
    });
    let strange = variants.iter().filter(|one| !one.comparable);
    let why = "not comparable, its peak in flight was not its limit";
    notes
        .chain(strange.map(|one| format!("{}: {why}", one.name)))
        .collect()
}

/// What recordings had to leave out.
fn left_out(variants: &[Variant]) -> Vec<String> {
    let counts = variants
        .iter()
        .map(|one| (&one.name, one.recorded.recorder.thinned));
    let some = counts.filter(|(_, count)| *count > 0);
    some.map(|(name, count)| {
        let spans = format::count(count);
        format!("{name}: {spans} spans were too many, joined to neighbours or left out")
    })
    .collect()
}

/// A table in at most `most` rows, and what is said under it.
pub(crate) fn text(one: &TableReport, width: usize, most: usize) -> String {
    let names: Vec<&str> = one.headings.iter().map(String::as_str).collect();
    // A line would say of a single row no more than that it is missing.
    let most = most + usize::from(one.rows.len() == most.saturating_add(1));
    let shown = one.rows.iter().take(most).cloned().collect();
    let mut text = textwrap::indent(&table(&names, shown, &one.text_columns, width - 2), "  ");
    if let more @ 1.. = one.rows.len().saturating_sub(most) {
        text += &format!("  … {more} more rows: --verbose\n");
    }
    for note in &one.notes {
        text += &(styled(DIM, note, width, 2) + "\n");
    }
    text.trim_end().to_owned()
}

/// A table with a dim header; the columns listed in `left` are text, the others figures.
///
/// Where room is short, text breaks between words, and figures stay whole.
pub fn table(names: &[&str], rows: Vec<Vec<String>>, left: &[usize], width: usize) -> String {
    let longest = |text: &str| text.split(' ').map(measure_text_width).max().unwrap_or(0);
    let padding = |at: usize| if at + 1 == names.len() { 0 } else { 2 };
    let least = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let cells = cells.map(|cell| match left.contains(&at) {
            true => longest(cell),
            false => measure_text_width(cell),
        });
        let least = cells.chain([longest(names[at])]).max();
        least.unwrap_or(0) + usize::from(padding(at))
    };
    let least: Vec<usize> = (0..names.len()).map(least).collect();
    let fits = least.iter().sum::<usize>() <= width;
    let columns = |width| u16::try_from(width).unwrap_or(u16::MAX);
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(columns(width))
        .set_header(names.iter().copied())
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, padding(index)));
        if !left.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if let Some(least) = least.get(index).filter(|_| fits) {
            let least = Width::Fixed(columns(*least));
            column.set_constraint(ColumnConstraint::LowerBoundary(least));
        }
    }
    let lines = table.lines().enumerate().map(|(index, line)| match index {
        0 => format!("{DIM}{}{DIM:#}\n", line.trim_end()),
        _ => format!("{}\n", line.trim_end()),
    });
    lines.collect()
}
