//! The two tables of a report: times against the bound, and the ledger.

use super::format;
use crate::{Ledger, Variant};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use std::fmt::Write;

const UNKNOWN: &str = "–";
const PROCESSES: &str = "processes";

/// Wall, CPU, speed-up and bound of every variant.
pub(super) fn times(variants: &[Variant], width: usize) -> String {
    let row = |variant: &Variant| {
        vec![
            variant.name.clone(),
            wall(variant),
            format::seconds_f64(variant.cpu_user_s + variant.cpu_system_s),
            variant
                .speedup
                .map_or(UNKNOWN.into(), |ratio| format!("{ratio:.2}×")),
            variant.bound_s.map_or(UNKNOWN.into(), format::seconds_f64),
            variant.efficiency.map_or(UNKNOWN.into(), format::percent),
        ]
    };
    let names = ["variant", "wall", "CPU", "speed-up", "bound", "of bound"];
    let mut text = table(&names, variants.iter().map(row).collect(), &[0], width);
    if variants.iter().any(|variant| variant.runs > 1) {
        let note = "wall: the middle round (least–greatest)";
        let _ = writeln!(text, "{}", super::wrap(note, width, 2));
    }
    for (reason, names) in reasons(variants) {
        let note = format!("bound: {reason} ({})", names.join("; "));
        let _ = writeln!(text, "{}", super::wrap(&note, width, 2));
    }
    for variant in variants.iter().filter(|variant| !variant.comparable) {
        let note = format!(
            "{}: not comparable, its peak in flight was not its limit",
            variant.name
        );
        let _ = writeln!(text, "{}", super::wrap(&note, width, 2));
    }
    text
}

/// The middle run, and the least and greatest where there were several.
fn wall(variant: &Variant) -> String {
    let middle = format::seconds_f64(variant.wall_s);
    if variant.runs > 1 {
        let least = format::seconds_f64(variant.wall_min_s);
        let most = format::seconds_f64(variant.wall_max_s);
        format!("{middle} ({least}–{most})")
    } else {
        middle
    }
}

/// Each reason for a bound with the variants that share it, in order.
pub fn reasons(variants: &[Variant]) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for variant in variants {
        let Some(reason) = variant.bound_reason.as_deref() else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&variant.name),
            None => reasons.push((reason, vec![&variant.name])),
        }
    }
    reasons
}

/// What every variant used; left out are columns that nobody filled, and processes where there was
/// but the step's own.
pub(super) fn ledgers(variants: &[Variant], width: usize) -> String {
    type Column = (&'static str, fn(&Ledger) -> Option<String>);
    let columns: [Column; 7] = [
        ("tasks", |ledger| Some(tasks(ledger))),
        ("in flight", |ledger| {
            ledger.peak_in_flight.map(format::count)
        }),
        ("threads", |ledger| ledger.threads.map(format::count)),
        (PROCESSES, |ledger| Some(format::count(ledger.processes))),
        ("conns", |ledger| ledger.connections.map(format::count)),
        ("switches", |ledger| {
            let (own, forced) = (ledger.voluntary_switches?, ledger.involuntary_switches?);
            Some(format!("{}+{}", format::count(own), format::count(forced)))
        }),
        ("memory", |ledger| {
            ledger
                .peak_rss_bytes
                .map(|bytes| format::bytes(bytes as f64))
        }),
    ];
    let alone = variants.iter().all(|variant| variant.ledger.processes == 1);
    let told = |column: &&Column| {
        let mut ledgers = variants.iter().map(|variant| &variant.ledger);
        ledgers.any(|ledger| column.1(ledger).is_some()) && !(alone && column.0 == PROCESSES)
    };
    let columns: Vec<&Column> = columns.iter().filter(told).collect();
    let names: Vec<&str> = std::iter::once("ledger")
        .chain(columns.iter().map(|column| column.0))
        .collect();
    let rows = variants.iter().map(|variant| {
        let cells = columns
            .iter()
            .map(|column| column.1(&variant.ledger).unwrap_or(UNKNOWN.into()));
        std::iter::once(variant.name.clone()).chain(cells).collect()
    });
    table(&names, rows.collect(), &[0], width)
}

/// How many of the tasks were done, and what became of the others.
fn tasks(ledger: &Ledger) -> String {
    let mut text = format::count(ledger.done);
    if ledger.done != ledger.submitted {
        let _ = write!(text, " of {}", format::count(ledger.submitted));
    }
    for (count, what) in [
        (ledger.failed, "failed"),
        (ledger.cancelled, "cancelled"),
        (ledger.retried, "retried"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {} {what}", format::count(count));
        }
    }
    text
}

/// A table with a dim header; the columns listed in `left` are text, the others figures.
pub fn table(names: &[&str], rows: Vec<Vec<String>>, left: &[usize], width: usize) -> String {
    let gap = 2;
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(names.iter().copied())
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, gap));
        if !left.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Where room is short, a name is the last thing to break.
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    if let Some(last) = table.column_iter_mut().last() {
        last.set_padding((0, 0));
    }
    finish(&table)
}

fn finish(table: &Table) -> String {
    let mut text = String::new();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if index == 0 {
            let dim = super::DIM;
            let _ = writeln!(text, "{dim}{line}{dim:#}");
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}
