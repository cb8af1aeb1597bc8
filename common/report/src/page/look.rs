//! How a stretch of time looks: running is solid, all else pale, with stripes that tell causes apart where
//! colours do not.

use crate::lane::{self, FIRST_CAUSE, LOOKS, RUNNING, STILL};
use maud::{Markup, html};

/// The height of a row, and of the bars in it.
pub(super) const ROW: usize = 16;
const BAR: f64 = 12.0;
const MARGIN: f64 = 2.0;

/// The stripes of a look: each bit of a number has a place, so that no two have the same; I/O has none.
fn stripes(look: usize) -> impl Iterator<Item = f64> {
    let bits = (0..4_u8).filter(move |bit| (look ^ FIRST_CAUSE) & (1 << bit) != 0);
    bits.map(|bit| 1.0 + 3.0 * f64::from(bit))
}

/// What is drawn of some rows: a path for each look, and more that lies on top of them.
#[derive(Default)]
pub(super) struct Paths {
    by_look: [String; LOOKS],
    stripes: String,
    /// The borders between spans.
    pub(super) edges: String,
    partly: bool,
}

impl Paths {
    /// A stretch of the row that begins at `top`, of which a span ran for `share`: for that part of the height.
    pub(super) fn bar(&mut self, (left, width): (f64, f64), look: usize, share: f64, top: usize) {
        let top = top as f64 + MARGIN;
        if look != RUNNING && share < 0.95 {
            draw(&mut self.by_look[look], left, width, (top, BAR));
            for from in stripes(look) {
                draw(&mut self.stripes, left, width, (top + from, 1.0));
            }
        }
        if share >= 0.05 {
            let ran = if share < 0.95 { BAR * share } else { BAR };
            self.partly |= ran < BAR;
            let place = (top + BAR - ran, ran);
            draw(&mut self.by_look[RUNNING], left, width, place);
        }
    }

    pub(super) fn svg(&self) -> Markup {
        let [run, waits @ ..] = &self.by_look;
        let waits = (1..LOOKS).map(|look| lane::named(look).0).zip(waits);
        let lines = [
            ("stripe", &self.stripes),
            ("edge", &self.edges),
            ("run", run),
        ];
        let all = waits.chain(lines).filter(|(_, path)| !path.is_empty());
        html! { @for (class, path) in all { path class=(class.replace(' ', "-")) d=(path) {} } }
    }
}

/// The swatches of everything that the pictures show.
pub(super) fn legend(all: &[Paths]) -> Markup {
    let swatch = |look: usize, share: f64, words: &str| {
        let mut paths = Paths::default();
        paths.bar((0.0, 24.0), look, share, 0);
        html! { li { svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true" { (paths.svg()) } (words) } }
    };
    let is_seen = |look: &usize| all.iter().any(|paths| !paths.by_look[*look].is_empty());
    html! {
        ul.legend aria-label="Legend" {
            @for look in (0..LOOKS).filter(is_seen) { (swatch(look, if look == RUNNING { 1.0 } else { 0.0 }, lane::named(look).1)) }
            @if all.iter().any(|paths| paths.partly) {
                (swatch(STILL, 0.4, "running for that part of the time"))
            }
        }
    }
}

fn draw(path: &mut String, left: f64, width: f64, (top, height): (f64, f64)) {
    *path += &format!("M{left:.1} {top:.1}h{width:.1}v{height:.1}h-{width:.1}z");
}

/// Adds a line through the bar of a row.
pub(super) fn upright(path: &mut String, at: f64, top: usize) {
    *path += &format!("M{at:.1} {}v{BAR}", top as f64 + MARGIN);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_looks_have_the_same_stripes() {
        let all = (0..LOOKS).map(|look| format!("{:?}", stripes(look).collect::<Vec<_>>()));
        assert_eq!(all.collect::<BTreeSet<_>>().len(), LOOKS);
    }
}
