//! Tables, a step's own and those of figures, which carry their raw values beside what is shown.

use super::figure;
use crate::{TableReport, tables::Figure};
use maud::{Markup, html};

/// A table that scrolls where it is wider than the page; behind the first column each row may have figures.
pub(super) fn of(table: &TableReport, figures: &[Vec<Figure>]) -> Markup {
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
                tbody { @for (at, cells) in table.rows.iter().enumerate() {
                    tr data-variant=(cells[0]) {
                        th.text[is_text(0)] scope="row" { (cells[0]) }
                        @for (place, cell) in cells.iter().enumerate().skip(1) {
                            @let known = figures.get(at).map(|row| row[place - 1]);
                            td.text[is_text(place)] {
                                @if let Some((field, Some(value))) = known { (figure(field, value, cell)) } @else { (cell) }
                            }
                        }
                    }
                } }
            }
        }
        @for note in &table.notes { p.soft { (note) } }
    }
}
