//! Tables, a step's own and those of figures.

use crate::TableReport;
use maud::{Markup, html};

/// A table that scrolls where it is wider than the page.
pub(super) fn of(table: &TableReport) -> Markup {
    let is_text = |place: usize| table.text_columns.contains(&place);
    html! {
        div.wide tabindex="0" role="region" aria-label=(table.title) {
            table {
                caption { (table.title) }
                thead { tr {
                    @for (place, name) in table.headings.iter().enumerate() {
                        th.text[is_text(place)] scope="col" { (name) }
                    }
                } }
                tbody { @for cells in &table.rows { tr {
                    th.text[is_text(0)] scope="row" { (cells[0]) }
                    @for (place, cell) in cells.iter().enumerate().skip(1) {
                        td.text[is_text(place)] { (cell) }
                    }
                } } }
            }
        }
        @for note in &table.notes { p.soft { (note) } }
    }
}
