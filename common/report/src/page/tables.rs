//! The tables of a step; each figure carries its raw value beside what is shown.

use super::figure;
use crate::{TableReport, Variant, tables};
use maud::{Markup, html};

/// A table that scrolls where it is wider than the page; the columns of `texts` are text.
fn table(caption: &str, names: &[&str], texts: &[usize], rows: &Markup) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for (place, name) in names.iter().enumerate() {
                        th.text[texts.contains(&place)] scope="col" { (name) }
                    }
                } }
                tbody { (rows) }
            }
        }
    }
}

/// What every variant took and used.
pub(super) fn of(variants: &[Variant]) -> Markup {
    html! {
        @for figures in tables::of(variants) {
            @let rows = html! {
                @for (name, cells) in figures.rows {
                    tr data-variant=(name) {
                        th.text scope="row" { (name) }
                        @for (field, value, show) in cells { td { (figure(field, value, show)) } }
                    }
                }
            };
            (table(figures.title, &figures.headings, &[0], &rows))
            @for note in &figures.notes { p.soft { (note) } }
        }
    }
}

/// A table that the step itself declared.
pub(super) fn of_step(report: &TableReport) -> Markup {
    let names: Vec<&str> = report.headings.iter().map(String::as_str).collect();
    let is_text = |place: usize| report.text_columns.contains(&place);
    let rows = html! {
        @for cells in &report.rows { tr {
            @for (place, cell) in cells.iter().enumerate() {
                @if place == 0 { th.text[is_text(0)] scope="row" { (cell) } }
                @else { td.text[is_text(place)] { (cell) } }
            }
        } }
    };
    html! {
        (table(&report.title, &names, &report.text_columns, &rows))
        @for note in &report.notes { p.soft { (note) } }
    }
}
