//! How wide a report is drawn, and room for figures that change from run to run.

/// The width where a terminal does not tell, and the least that a report is drawn for unasked.
const USUAL_WIDTH: usize = 80;
const GREATEST_WIDTH: usize = 120;

/// Room for two counts, `1,005+327`, which in short runs are shorter.
const SWITCHES: usize = 9;

/// The terminal's width, within reason.
pub(super) fn of_terminal() -> usize {
    let columns = console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| columns.into());
    columns
        .unwrap_or(USUAL_WIDTH)
        .clamp(USUAL_WIDTH, GREATEST_WIDTH)
}

/// How much room text takes when each figure in it is as long as figures of its unit get.
///
/// `9.99 ms` in one run and `10 ms` in the next then take the same room, so that two runs line up.
pub(super) fn steady_width(text: &str) -> usize {
    let chars: Vec<char> = text.chars().collect();
    let mut width = chars.len();
    let mut at = 0;
    while at < chars.len() {
        let digits = chars[at..].iter().take_while(|c| in_figure(**c)).count();
        if digits == 0 {
            at += 1;
            continue;
        }
        let after: String = chars[at + digits..].iter().take(4).collect();
        let (unit, usual) = match after.strip_prefix('+') {
            Some(more) if more.starts_with(in_figure) => {
                let more = chars[at + digits + 1..].iter();
                (1 + more.take_while(|c| in_figure(**c)).count(), SWITCHES)
            }
            _ => unit_and_room(&after),
        };
        width += usual.saturating_sub(digits + unit);
        at += digits + unit;
    }
    width
}

fn in_figure(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',')
}

/// How long the unit at the start of `after` is, and how long figures with it are at the most.
fn unit_and_room(after: &str) -> (usize, usize) {
    const UNITS: [(&str, usize); 10] = [
        (" ns", 7),
        (" µs", 7),
        (" ms", 7),
        (" s", 7),
        (" kB", 7),
        (" MB", 7),
        (" GB", 7),
        (" B", 7),
        (" %", 5),
        ("×", 6),
    ];
    let found = UNITS.iter().find(|(unit, _)| {
        let rest = after.strip_prefix(unit);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    found.map_or((0, 0), |(unit, room)| (unit.chars().count(), *room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_the_room_of_the_longest_with_its_unit() {
        let room = |texts: &[&str]| {
            let widths: Vec<usize> = texts.iter().map(|text| steady_width(text)).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
            widths[0]
        };
        assert_eq!(room(&["9.99 ms", "10 ms", "1.02 s", "0 s", "850 µs"]), 7);
        assert_eq!(room(&["7.40 MB", "12 MB", "840 B"]), 7);
        assert_eq!(room(&["0 %", "12 %", "100 %"]), 5);
        assert_eq!(room(&["1.00×", "12.34×"]), 6);
        assert_eq!(room(&["6+9", "19+48", "1,005+327"]), 9);
        assert_eq!(room(&["1.02 s (900 ms–1.10 s)", "99 ms (1 ms–1 s)"]), 25);
        assert_eq!(room(&["took 1.02 s, then", "took 9.99 ms, then"]), 18);
    }

    #[test]
    fn words_and_plain_counts_take_what_they_take() {
        for text in ["", "words", "1,234", "12 sums", "3 MBit", "a, b. c"] {
            assert_eq!(steady_width(text), text.chars().count(), "{text}");
        }
    }
}
