//! The tables of a step; each figure carries its raw value beside what is shown.

use super::{attribute, escape};
use crate::format;
use crate::{Document, Ledger, TableReport, Variant, Verdict};
use std::fmt::Write;

const UNKNOWN: &str = "–";

/// A cell with the field that it shows and its raw value, as the JSON of the run has it.
fn cell(text: &mut String, field: &str, value: Option<f64>, show: impl Fn(f64) -> String) {
    let _ = match value {
        Some(value) => write!(
            text,
            "<td data-field={field} data-value={value}>{}",
            escape(&show(value))
        ),
        None => write!(text, "<td>{UNKNOWN}"),
    };
}

/// The attribute of a column that is text.
fn class(text_columns: &[usize], place: usize) -> &'static str {
    if text_columns.contains(&place) {
        " class=text"
    } else {
        ""
    }
}

fn head(text: &mut String, caption: &str, names: &[&str], text_columns: &[usize]) {
    let _ = write!(
        text,
        "<div class=wide tabindex=0 role=region aria-label=\"{0}\"><table>\n<caption>{0}</caption>\n<thead><tr>",
        attribute(caption)
    );
    for (place, name) in names.iter().enumerate() {
        let class = class(text_columns, place);
        let _ = write!(text, "<th scope=col{class}>{}", escape(name));
    }
    *text += "\n<tbody>\n";
}

/// Wall, CPU, speed-up and bound of every variant.
pub(super) fn times(variants: &[Variant]) -> String {
    let names = [
        "variant", "wall", "least", "greatest", "rounds", "CPU", "speed-up", "bound", "of bound",
    ];
    let mut text = String::new();
    head(
        &mut text,
        "Times; the wall time is that of the middle round",
        &names,
        &[0],
    );
    for variant in variants {
        let _ = write!(
            text,
            "<tr data-variant=\"{}\"><th scope=row>{}",
            attribute(&variant.name),
            escape(&variant.name)
        );
        if !variant.comparable {
            text += " <small>(not comparable: its peak in flight was not its limit)</small>";
        }
        let seconds = format::seconds_f64;
        cell(&mut text, "wall_s", Some(variant.wall_s), seconds);
        cell(&mut text, "wall_min_s", Some(variant.wall_min_s), seconds);
        cell(&mut text, "wall_max_s", Some(variant.wall_max_s), seconds);
        cell(&mut text, "runs", Some(variant.runs as f64), format::plain);
        let _ = write!(
            text,
            "<td>{}",
            seconds(variant.cpu_user_s + variant.cpu_system_s)
        );
        cell(&mut text, "speedup", variant.speedup, |ratio| {
            format!("{ratio:.2}×")
        });
        cell(&mut text, "bound_s", variant.bound_s, seconds);
        cell(&mut text, "efficiency", variant.efficiency, format::percent);
        text.push('\n');
    }
    text += "</table></div>\n";
    for (reason, names) in crate::reasons(variants) {
        let _ = writeln!(
            text,
            "<p class=soft>Bound: {} ({})</p>",
            escape(reason),
            escape(&names.join("; "))
        );
    }
    text
}

/// A column of the ledger: its heading, its field, its figure.
type Column = (&'static str, &'static str, fn(&Ledger) -> Option<u64>);

const COLUMNS: [Column; 11] = [
    ("submitted", "submitted", |ledger| Some(ledger.submitted)),
    ("done", "done", |ledger| Some(ledger.done)),
    ("failed", "failed", |ledger| Some(ledger.failed)),
    ("cancelled", "cancelled", |ledger| Some(ledger.cancelled)),
    ("retried", "retried", |ledger| Some(ledger.retried)),
    ("in flight", "peak_in_flight", |ledger| {
        ledger.peak_in_flight
    }),
    ("threads", "threads", |ledger| ledger.threads),
    ("processes", "processes", |ledger| Some(ledger.processes)),
    ("connections", "connections", |ledger| ledger.connections),
    ("own switches", "voluntary_switches", |ledger| {
        ledger.voluntary_switches
    }),
    ("forced", "involuntary_switches", |ledger| {
        ledger.involuntary_switches
    }),
];

/// Columns that are left out where nothing of the kind happened.
const RARE: [&str; 3] = ["failed", "cancelled", "retried"];

/// What every variant used.
pub(super) fn ledgers(variants: &[Variant]) -> String {
    let happened = |column: &&Column| {
        let mut counts = variants.iter().map(|variant| column.2(&variant.ledger));
        counts.any(|count| count.is_some_and(|count| count > 0 || !RARE.contains(&column.0)))
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(happened).collect();
    let own = columns.iter().map(|column| column.0);
    let names: Vec<&str> = ["variant"]
        .into_iter()
        .chain(own)
        .chain(["memory"])
        .collect();
    let mut text = String::new();
    head(&mut text, "Ledger", &names, &[0]);
    for variant in variants {
        let name = escape(&variant.name);
        let _ = write!(
            text,
            "<tr data-variant=\"{}\"><th scope=row>{name}",
            attribute(&variant.name)
        );
        for (_, field, count) in &columns {
            let count = count(&variant.ledger).map(|count| count as f64);
            cell(&mut text, field, count, format::plain);
        }
        let bytes = variant.ledger.peak_rss_bytes.map(|bytes| bytes as f64);
        cell(&mut text, "peak_rss_bytes", bytes, format::bytes);
        text.push('\n');
    }
    text + "</table></div>\n"
}

/// A table that the step itself declared.
pub(super) fn of_step(table: &TableReport) -> String {
    let names: Vec<&str> = table.headings.iter().map(String::as_str).collect();
    let mut text = String::new();
    head(&mut text, &table.title, &names, &table.text_columns);
    for row in &table.rows {
        text += "<tr>";
        for (place, cell) in row.iter().enumerate() {
            let class = class(&table.text_columns, place);
            let tag = if place == 0 { "th scope=row" } else { "td" };
            let _ = write!(text, "<{tag}{class}>{}", escape(cell));
        }
        text.push('\n');
    }
    text += "</table></div>\n";
    for note in &table.notes {
        let _ = writeln!(text, "<p class=soft>{}</p>", escape(note));
    }
    text
}

/// Every step with its variants in one table.
pub(super) fn overview(documents: &[Document]) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "The path at a glance",
        &[
            "step",
            "variant",
            "wall",
            "speed-up",
            "of bound",
            "claims shown",
        ],
        &[0, 1],
    );
    for document in documents {
        let shown = document
            .claims
            .iter()
            .filter(|claim| claim.verdict == Verdict::Shown)
            .count();
        let step = escape(&document.step);
        let claims = format!("{shown} of {}", document.claims.len());
        let link = format!("<a href='#{step}'>{step}</a>");
        for (row, variant) in document.variants.iter().enumerate() {
            let (step, claims) = if row == 0 {
                (&*link, &*claims)
            } else {
                ("", "")
            };
            let first = if row == 0 { "<tr class=first>" } else { "<tr>" };
            let _ = write!(
                text,
                "{first}<th scope=row>{step}<td class=text>{}",
                escape(&variant.name)
            );
            let _ = write!(text, "<td>{}", format::seconds_f64(variant.wall_s));
            let _ = write!(
                text,
                "<td>{}",
                variant
                    .speedup
                    .map_or(UNKNOWN.into(), |ratio| format!("{ratio:.2}×"))
            );
            let _ = writeln!(
                text,
                "<td>{}<td>{claims}",
                variant.efficiency.map_or(UNKNOWN.into(), format::percent)
            );
        }
        if document.variants.is_empty() {
            let _ = writeln!(
                text,
                "<tr class=first><th scope=row>{link}<td class=text>nothing finished<td>{UNKNOWN}<td>{UNKNOWN}<td>{UNKNOWN}<td>{claims}"
            );
        }
    }
    text + "</table></div>\n"
}
