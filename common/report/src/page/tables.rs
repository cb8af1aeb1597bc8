//! The tables of a step; each figure carries its raw value beside what is shown.

use super::figure;
use crate::{Ledger, TableReport, Variant, format};
use maud::{Markup, html};

/// A table that scrolls where it is wider than the page; the columns of `texts` are text.
pub(super) fn table(caption: &str, names: &[&str], texts: &[usize], rows: &[Markup]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for (place, name) in names.iter().enumerate() {
                        th.text[texts.contains(&place)] scope="col" { (name) }
                    }
                } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

fn row(variant: &Variant, cells: &Markup) -> Markup {
    html! { tr data-variant=(variant.name) { th.text scope="row" { (variant.name) } (cells) } }
}

/// Wall, CPU, speed-up and bound of every variant.
pub(super) fn times(variants: &[Variant]) -> Markup {
    let names = [
        "variant", "wall", "least", "greatest", "rounds", "CPU", "speed-up", "bound", "of bound",
    ];
    let seconds = format::seconds_f64;
    let rows: Vec<Markup> = variants
        .iter()
        .map(|one| {
            let cells = html! {
                td { (figure("wall_s", Some(one.wall_s), seconds)) }
                td { (figure("wall_min_s", Some(one.wall_min_s), seconds)) }
                td { (figure("wall_max_s", Some(one.wall_max_s), seconds)) }
                td { (figure("runs", Some(one.runs as f64), format::plain)) }
                td { (seconds(one.cpu_user_s + one.cpu_system_s)) }
                td { (figure("speedup", one.speedup, |ratio| format!("{ratio:.2}×"))) }
                td { (figure("bound_s", one.bound_s, seconds)) }
                td { (figure("efficiency", one.efficiency, format::percent)) }
            };
            row(one, &cells)
        })
        .collect();
    html! {
        (table("Times; the wall time is that of the middle round", &names, &[0], &rows))
        @for (reason, names) in crate::reasons(variants) {
            p.soft { "Bound: " (reason) " (" (names.join("; ")) ")" }
        }
        @for one in variants.iter().filter(|one| !one.comparable) {
            p.soft { (one.name) ": not comparable, its peak in flight was not its limit" }
        }
    }
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

/// What every variant used, and what recording it took.
pub(super) fn ledgers(variants: &[Variant]) -> Markup {
    let happened = |column: &&Column| {
        // Of failures, cancellations and retries there is nothing to say where there were none.
        let is_rare = ["failed", "cancelled", "retried"].contains(&column.0);
        let mut counts = variants.iter().map(|variant| column.2(&variant.ledger));
        counts.any(|count| count.is_some_and(|count| count > 0 || !is_rare))
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(happened).collect();
    let mut names: Vec<_> = columns.iter().map(|column| column.0).collect();
    names.insert(0, "variant");
    names.extend(["memory", "spans recorded", "recording took"]);
    let rows: Vec<Markup> = variants
        .iter()
        .map(|one| {
            let bytes = one.ledger.peak_rss_bytes.map(|bytes| bytes as f64);
            let cells = html! {
                @for (_, field, count) in &columns {
                    td { (figure(field, count(&one.ledger).map(|count| count as f64), format::plain)) }
                }
                td { (figure("peak_rss_bytes", bytes, format::bytes)) }
                td { (format::count(one.recorder.spans)) }
                td { (format::seconds_f64(one.recorder.cost_s)) }
            };
            row(one, &cells)
        })
        .collect();
    html! {
        (table("What was used", &names, &[0], &rows))
        (left_out(variants))
    }
}

/// What recordings had to leave out or to change.
fn left_out(variants: &[Variant]) -> Markup {
    let sum = |count: fn(&Variant) -> u64| variants.iter().map(count).sum::<u64>();
    let (thinned, mended) = (
        sum(|one| one.recorder.thinned),
        sum(|one| one.recorder.mended),
    );
    html! {
        @if thinned > 0 {
            p.soft { (format::count(thinned)) " spans were too many: joined to neighbours, or left out" }
        }
        @if mended > 0 {
            p.soft { (format::count(mended)) " spans had impossible times, and were cut to what can be" }
        }
    }
}

/// A table that the step itself declared.
pub(super) fn of_step(report: &TableReport) -> Markup {
    let names: Vec<&str> = report.headings.iter().map(String::as_str).collect();
    let is_text = |place: usize| report.text_columns.contains(&place);
    let row = |cells: &Vec<String>| {
        html! { tr {
            @for (place, cell) in cells.iter().enumerate() {
                @if place == 0 { th.text[is_text(0)] scope="row" { (cell) } }
                @else { td.text[is_text(place)] { (cell) } }
            }
        } }
    };
    let rows: Vec<Markup> = report.rows.iter().map(row).collect();
    html! {
        (table(&report.title, &names, &report.text_columns, &rows))
        @for note in &report.notes { p.soft { (note) } }
    }
}
