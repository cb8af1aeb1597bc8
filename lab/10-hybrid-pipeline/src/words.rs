//! Text that came from elsewhere, made fit for a terminal.

/// The most characters of a title that are kept.
pub const TITLE_CHARS: usize = 300;

/// The most characters of other text from a server that are told.
pub const REASON_CHARS: usize = 300;

/// `text` in at most `most` characters, with `�` for each that could steer a terminal.
///
/// Those are the control characters, whether C0, DEL or C1, and what sets the direction of writing
/// or breaks a line. What is cut off is marked by `…`.
pub fn harmless(text: &str, most: usize) -> String {
    let mut kept: String = text
        .chars()
        .take(most)
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

fn steers(c: char) -> bool {
    let is_bidi = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_bidi || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_replaced() {
        let bad = "\0 \u{7} \n \r \u{1b}[31m \u{7f} \u{9b}2J \u{202e} \u{2066} \u{200f} \u{61c}";
        let good = harmless(bad, 1000);
        assert!(!good.chars().any(steers), "{good:?}");
        assert_eq!(good.chars().count(), bad.chars().count());
        assert_eq!(
            harmless("Tom & J\u{e9}r\u{f4}me \u{4e16} \u{1f600}", 99),
            "Tom & J\u{e9}r\u{f4}me \u{4e16} \u{1f600}"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_and_marked() {
        assert_eq!(harmless("abc", 3), "abc");
        assert_eq!(harmless("abcd", 3), "ab…");
        assert_eq!(
            harmless("\u{e9}".repeat(1000).as_str(), 60).chars().count(),
            60
        );
    }
}
