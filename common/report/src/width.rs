//! How much room a terminal has.

use console::Term;

/// The width to draw for: the terminal's within reason, however narrow or wide it is.
pub(crate) fn of_terminal() -> usize {
    size(&Term::stdout()).map_or(80, |(_, columns)| columns.clamp(50, 120))
}

/// The rows and columns of a terminal, where there is one.
pub(crate) fn size(terminal: &Term) -> Option<(usize, usize)> {
    let (rows, columns) = terminal.size_checked()?;
    Some((rows.into(), columns.into()))
}
