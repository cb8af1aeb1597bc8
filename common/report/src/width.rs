//! How much room a terminal has.

/// Columns and rows where no terminal says.
const USUAL: (usize, usize) = (80, 24);
/// What is drawn for is not narrower, however narrow the terminal is, and not wider.
const WIDTHS: std::ops::RangeInclusive<usize> = 50..=120;

/// The terminal's width, within reason.
pub(super) fn of_terminal() -> usize {
    let columns = size().map_or(USUAL.0, |(_, columns)| columns);
    columns.clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The terminal's height, where there is one.
pub(super) fn height_of_terminal() -> Option<usize> {
    size().map(|(rows, _)| rows)
}

fn size() -> Option<(usize, usize)> {
    let (rows, columns) = console::Term::stdout().size_checked()?;
    Some((rows.into(), columns.into()))
}
