//! How a stretch of time looks: a shape for print and for those who see colours differently, and a
//! class that the style sheet colours.

use std::fmt::Write;
use timeline::START_UP;
use timeline::known_cause;

/// The height of a row, and of the bars in it.
pub(super) const ROW: usize = 20;
const BAR: f64 = 14.0;
const MARGIN: f64 = 3.0;

/// How one kind of stretch is drawn: as bands of its row, so that no zoom changes its shape.
#[derive(Debug, PartialEq)]
pub(super) struct Look {
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    /// What the legend calls it.
    pub(super) words: &'static str,
    /// Each band's distance from the top of the bar, and its height.
    bands: &'static [(f64, f64)],
}

/// A span that runs all the time.
pub(super) const RUNNING: usize = 0;
/// A span that does not run, nobody told why.
pub(super) const STILL: usize = 1;
const START: usize = 2;
/// A span that was cut off.
pub(super) const UNTOLD: usize = 13;

/// All looks; those of causes are found by their words.
pub(super) const LOOKS: [Look; 14] = [
    look("run", "running", &[(0.0, BAR)]),
    look("still", "not running", &[(0.0, 1.5), (12.5, 1.5)]),
    look("start", "starts up", &[(0.0, 4.0), (5.0, 4.0), (10.0, 4.0)]),
    look("io", "io", &[(4.0, 6.0)]),
    look("lock", "lock", &[(0.0, 4.0), (10.0, 4.0)]),
    look("full", "queue full", &[(0.0, 5.0)]),
    look("empty", "queue empty", &[(9.0, 5.0)]),
    look("permit", "permit", &[(0.0, 2.0), (6.0, 2.0), (12.0, 2.0)]),
    look("sleep", "sleep", &[(3.0, 2.5), (8.5, 2.5)]),
    look("back-off", "back-off", &[(12.0, 2.0)]),
    look("join", "join", &[(0.0, 2.0)]),
    look("turn", "turn", &[(2.0, 2.0), (10.0, 2.0)]),
    look("barrier", "barrier", &[(5.0, 4.0), (12.0, 2.0)]),
    look(
        "untold",
        "nobody told how it ran",
        &[(1.0, 1.0), (4.0, 1.0), (7.0, 1.0), (10.0, 1.0)],
    ),
];

const fn look(class: &'static str, words: &'static str, bands: &'static [(f64, f64)]) -> Look {
    Look {
        class,
        words,
        bands,
    }
}

/// The look of a span of this name when it waits for this.
pub(super) fn of_span(name: &str, wait: Option<&str>) -> usize {
    if name == START_UP {
        return START;
    }
    let known = |wait| LOOKS.iter().position(|look| look.words == wait);
    wait.and_then(known).unwrap_or(STILL)
}

impl Look {
    /// Adds the bands to a path, from `left` on, `width` wide, in the row that begins at `top`.
    pub(super) fn draw(&self, path: &mut String, left: u32, width: u32, top: usize) {
        for (from, height) in self.bands {
            let top = top as f64 + MARGIN + from;
            let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
        }
    }
}

/// Adds what runs for `tenths` of its time: the part of the bar's height is the part of the time.
pub(super) fn draw_part(path: &mut String, left: u32, width: u32, top: usize, tenths: u8) {
    let height = BAR * f64::from(tenths) / 10.0;
    let top = top as f64 + MARGIN + BAR - height;
    let _ = write!(path, "M{left} {top:.1}h{width}v{height:.1}h-{width}z");
}

/// Adds an upright line through the bar of a row.
pub(super) fn draw_mark(path: &mut String, at: u32, top: usize) {
    let _ = write!(path, "M{at} {}v{BAR}", top as f64 + MARGIN);
}

/// How waiting for this is told: `waits for a lock`; `None` for what is no known cause.
pub(super) fn waits(wait: &str) -> Option<String> {
    known_cause(wait).map(|cause| cause.words.into())
}

/// The swatches of everything that a picture shows.
pub(super) fn legend(seen: &[bool; LOOKS.len()], partly: bool, cut: bool) -> String {
    let mut text = String::from("<ul class=legend aria-label='Legend'>\n");
    let mut item = |class: &str, path: &str, words: &str| {
        let _ = writeln!(
            text,
            "<li><svg viewBox='0 0 28 {ROW}' width=28 height={ROW} aria-hidden=true>\
             <path class='{class}' d='{path}'/></svg> {words}"
        );
    };
    for (index, look) in LOOKS.iter().enumerate().filter(|(index, _)| seen[*index]) {
        let mut path = String::new();
        look.draw(&mut path, 1, 26, 0);
        let words = waits(look.words).unwrap_or_else(|| look.words.into());
        item(look.class, &path, &words);
        if index == RUNNING && partly {
            let mut path = String::new();
            draw_part(&mut path, 1, 26, 0, 4);
            item(look.class, &path, "running for that part of the time");
        }
    }
    if cut {
        let mut path = String::new();
        draw_mark(&mut path, 14, 0);
        item("cut", &path, "cut off");
    }
    text + "</ul>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use timeline::CAUSES;

    #[test]
    fn no_two_looks_of_different_classes_have_one_shape() {
        for (index, one) in LOOKS.iter().enumerate() {
            for other in &LOOKS[index + 1..] {
                assert_eq!(
                    one.class == other.class,
                    one.bands == other.bands,
                    "{one:?}"
                );
            }
        }
    }

    #[test]
    fn every_known_cause_has_a_look() {
        for cause in CAUSES {
            assert_ne!(of_span("fetch", Some(cause.wait)), STILL, "{}", cause.wait);
        }
    }

    #[test]
    fn a_cause_that_nobody_knows_is_drawn_as_plain_waiting() {
        assert_eq!(of_span("fetch", Some("the moon")), STILL);
        assert_eq!(LOOKS[of_span("fetch", Some("lock"))].class, "lock");
        assert_eq!(of_span(START_UP, Some("io")), START);
        assert_eq!(of_span("work", None), STILL);
    }
}
