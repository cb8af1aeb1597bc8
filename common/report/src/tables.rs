//! The figures of all variants as tables, declared once for the terminal and the page.

use crate::{
    DIM, Variant,
    format::{self, percent, plain, seconds_f64},
    grouped, wrap,
};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::{Value, json};

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
    let all: Vec<Value> = variants.iter().map(fields).collect();
    let value = |fields: &Value, (_, field, ..): &Column| {
        let places = [fields, &fields["ledger"], &fields["recorder"]];
        let part = |part| places.iter().find_map(|all| all[part].as_f64());
        field
            .split('+')
            .filter_map(part)
            .reduce(|sum, part| sum + part)
    };
    let tells = |column: &&Column| all.iter().any(|one| value(one, column) > Some(column.3));
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
            headings: std::iter::once("variant").chain(headings).collect(),
            rows: variants.iter().zip(&all).map(row).collect(),
            notes,
        }
    };
    TABLES.into_iter().zip(notes).map(table).collect()
}

/// The fields of a variant that tables show.
fn fields(one: &Variant) -> Value {
    let repeated = one.runs > 1;
    json!({
        "wall_s": one.wall_s, "runs": one.runs, "speedup": one.speedup,
        "wall_min_s": repeated.then_some(one.wall_min_s),
        "wall_max_s": repeated.then_some(one.wall_max_s),
        "cpu_user_s": one.cpu_user_s, "cpu_system_s": one.cpu_system_s,
        "bound_s": one.bound_s, "efficiency": one.efficiency,
        "ledger": one.ledger, "recorder": one.recorded.recorder,
    })
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

/// The tables for a terminal.
pub(crate) fn text(variants: &[Variant], width: usize) -> String {
    let mut lines = Vec::new();
    for figures in of(variants) {
        let row = |(name, cells): (String, Vec<Figure>)| {
            let cells = cells.into_iter();
            let cells = cells.map(|(_, value, show)| value.map_or("–".into(), show));
            std::iter::once(name).chain(cells).collect()
        };
        let rows = figures.rows.into_iter().map(row).collect();
        lines.push(format!("\n{DIM}{}{DIM:#}", figures.title));
        lines.push(
            table(&figures.headings, rows, &[0], width)
                .trim_end()
                .to_owned(),
        );
        lines.extend(figures.notes.iter().map(|note| wrap(note, width, 2)));
    }
    lines.join("\n") + "\n"
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
