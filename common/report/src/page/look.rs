//! How a stretch of time looks: running is solid, all else pale, with stripes that tell causes apart where
//! colours do not.

use maud::{Markup, html};
use std::fmt::Write;
use timeline::{START_UP, known_cause};

/// The height of a row, and of the bars in it.
pub(super) const ROW: usize = 16;
const BAR: f64 = 12.0;
const MARGIN: f64 = 2.0;

/// A span that runs all the time.
pub(super) const RUNNING: usize = 0;
/// A span that does not run, for a reason that is not known.
const STILL: usize = 1;
const START: usize = 2;
/// A span that was cut off.
const CUT: usize = 3;

/// A cause as spans name it, and each stripe's distance from the top of the bar and height.
type Look = (&'static str, &'static [(f64, f64)]);

/// All looks; those from the fourth on are found by their cause.
pub(super) const LOOKS: [Look; 14] = [
    ("run", &[]),
    ("still", &[(0.0, 1.0), (11.0, 1.0)]),
    ("start", &[(0.0, 1.0), (3.5, 1.0), (7.5, 1.0), (11.0, 1.0)]),
    ("cut", &[(2.0, 1.0), (4.0, 1.0), (7.0, 1.0), (9.0, 1.0)]),
    ("io", &[]),
    ("lock", &[(5.0, 2.0)]),
    ("queue full", &[(0.0, 3.0)]),
    ("queue empty", &[(9.0, 3.0)]),
    ("permit", &[(3.0, 2.0), (7.0, 2.0)]),
    ("sleep", &[(11.0, 1.0)]),
    ("back-off", &[(0.0, 2.0), (5.0, 2.0), (10.0, 2.0)]),
    ("join", &[(0.0, 1.0)]),
    ("turn", &[(0.0, 2.0), (10.0, 2.0)]),
    ("barrier", &[(0.0, 2.0), (5.0, 2.0)]),
];

/// The look of a span that does not run.
pub(super) fn of_span(name: &str, wait: Option<&str>, cut: bool) -> usize {
    let known = |wait| (CUT + 1..LOOKS.len()).find(|&look| LOOKS[look].0 == wait);
    match wait {
        _ if cut => CUT,
        _ if name == START_UP => START,
        wait => wait.and_then(known).unwrap_or(STILL),
    }
}

fn words(look: usize) -> &'static str {
    match look {
        RUNNING => "running",
        STILL => "waiting or ready",
        START => "starts up",
        CUT => "cut off: how it ran is not known",
        cause => known_cause(LOOKS[cause].0).map_or(LOOKS[cause].0, |cause| cause.words),
    }
}

/// What is drawn of some rows: a path for each look, and more that lies on top of them.
#[derive(Default)]
pub(super) struct Paths {
    by_look: [String; LOOKS.len()],
    stripes: String,
    /// Lines of one pixel for what ran shorter than that.
    pub(super) hairlines: String,
    /// The borders between spans.
    pub(super) edges: String,
    partly: bool,
}

impl Paths {
    /// A stretch of the row that begins at `top`, of which a span ran for `share`.
    pub(super) fn bar(&mut self, (left, width): (f64, f64), look: usize, share: f64, top: usize) {
        let top = top as f64 + MARGIN;
        let mut rest = 0.0;
        if look != RUNNING && share < 0.95 {
            draw(&mut self.by_look[look], left, width, (top, BAR));
            for (from, height) in LOOKS[look].1 {
                draw(&mut self.stripes, left, width, (top + from, *height));
            }
            // A part of the height is that part of the time.
            rest = BAR * (1.0 - share);
        }
        if look == RUNNING || share >= 0.05 {
            self.partly |= rest > 0.0;
            draw(
                &mut self.by_look[RUNNING],
                left,
                width,
                (top + rest, BAR - rest),
            );
        }
    }

    pub(super) fn svg(&self) -> Markup {
        let lines = [
            ("stripe", &self.stripes),
            ("edge", &self.edges),
            ("run", &self.by_look[RUNNING]),
            ("hairline", &self.hairlines),
        ];
        html! {
            @for (look, path) in (0..).zip(&self.by_look).skip(1) {
                @if !path.is_empty() { path class=(LOOKS[look].0.replace(' ', "-")) d=(path) {} }
            }
            @for (class, path) in lines {
                @if !path.is_empty() { path class=(class) d=(path) {} }
            }
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let mut seen: Vec<usize> = (0..LOOKS.len()).collect();
        seen.retain(|look| !self.by_look[*look].is_empty());
        (seen, self.partly)
    }
}

/// Which looks are seen, and whether spans ran for a part of their time.
pub(super) type Seen = (Vec<usize>, bool);

/// The swatches of everything that the pictures show.
pub(super) fn legend(all: &[Seen]) -> Markup {
    let swatch = |look: usize, share: f64, words: &str| {
        let mut paths = Paths::default();
        paths.bar((0.0, 24.0), look, share, 0);
        html! { li { svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true" { (paths.svg()) } (words) } }
    };
    let looks = (0..LOOKS.len()).filter(|look| all.iter().any(|(seen, _)| seen.contains(look)));
    html! {
        ul.legend aria-label="Legend" {
            @for look in looks { (swatch(look, 0.0, words(look))) }
            @if all.iter().any(|(_, partly)| *partly) {
                (swatch(STILL, 0.4, "running for that part of the time"))
            }
        }
    }
}

fn draw(path: &mut String, left: f64, width: f64, (top, height): (f64, f64)) {
    let _ = write!(
        path,
        "M{left:.1} {top:.1}h{width:.1}v{height:.1}h-{width:.1}z"
    );
}

/// Adds a line through the bar of a row.
pub(super) fn upright(path: &mut String, at: f64, top: usize) {
    let _ = write!(path, "M{at:.1} {}v{BAR}", top as f64 + MARGIN);
}

#[cfg(test)]
mod tests {
    use super::*;
    use timeline::CAUSES;

    #[test]
    fn every_known_cause_has_a_look_and_no_two_have_the_same_stripes() {
        for cause in CAUSES {
            assert_ne!(
                of_span("fetch", Some(cause.wait), false),
                STILL,
                "{}",
                cause.wait
            );
        }
        for (index, one) in LOOKS.iter().enumerate().skip(1) {
            for other in &LOOKS[index + 1..] {
                assert_ne!(one.1, other.1, "{one:?}");
            }
        }
    }

    #[test]
    fn an_unknown_cause_is_drawn_as_plain_waiting() {
        assert_eq!(of_span("fetch", Some("the moon"), false), STILL);
        assert_eq!(of_span(START_UP, Some("io"), false), START);
        assert_eq!(of_span("work", None, true), CUT);
    }
}
