//! What the tour reads from a step's document, and how it prints that.

use common::format;
use serde::{Deserialize, Serialize};
use std::iter;

/// The part of a step's document that a tour prints.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Document {
    /// The package.
    pub step: String,
    /// What was measured.
    pub variants: Vec<Variant>,
    /// What follows.
    pub claims: Vec<Claim>,
}

/// One measured variant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Wall time of the middle run.
    pub wall_s: f64,
    /// The first variant's wall time over this one's.
    pub speedup: Option<f64>,
    /// The best attainable wall time.
    pub bound_s: Option<f64>,
    /// `bound_s` over `wall_s`.
    pub efficiency: Option<f64>,
}

/// One claim.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Claim {
    /// What is claimed.
    pub text: String,
    /// The same in one line with figures.
    pub line: String,
    /// Whether it is one of those that the step is about.
    pub headline: bool,
    /// `shown`, `not_shown` or `inconclusive`.
    pub verdict: String,
    /// Why it was not shown.
    pub reason: Option<String>,
}

impl Document {
    /// How many of the claims the run showed, of how many.
    pub fn claims_shown(&self) -> (usize, usize) {
        let shown = self
            .claims
            .iter()
            .filter(|claim| claim.verdict == "shown")
            .count();
        (shown, self.claims.len())
    }

    /// The first of its headline claims that showed, with its figures.
    fn showed(&self) -> Option<&str> {
        let mut headlines = self.claims.iter().filter(|claim| claim.headline);
        let shown = headlines.find(|claim| claim.verdict == "shown")?;
        Some(&shown.line)
    }

    /// How many times as fast as the first variant the fastest was.
    fn best_factor(&self) -> f64 {
        let factors = self.variants.iter().filter_map(|variant| variant.speedup);
        factors.fold(1.0, f64::max)
    }

    /// A finished step in one line.
    pub fn line(&self, elapsed_s: f64) -> String {
        let (shown, all) = self.claims_shown();
        let mark = if shown == all { "✓" } else { "–" };
        let took = format::seconds_f64(elapsed_s);
        row(mark, &self.step, &took, &format!("{shown}/{all}"))
    }
}

/// What stands above the lines of the steps.
pub fn head() -> String {
    row(" ", "step", "took", "shown")
}

fn row(mark: &str, step: &str, took: &str, shown: &str) -> String {
    format!("{mark} {step:<30} {took:>7}  {shown:>5}")
}

/// The closing lines: wins first, a line a step, each with how many times as fast the fastest variant was as
/// the first, and with what it showed.
pub fn closing(documents: &[Document], width: usize) -> Vec<String> {
    let mut documents: Vec<&Document> = documents.iter().collect();
    let win = |document: &Document| document.showed().map_or(0.0, |_| document.best_factor());
    documents.sort_by(|a, b| win(b).total_cmp(&win(a)));
    let line = |document: &&Document| {
        let factor = Some(win(document)).filter(|factor| *factor >= 1.05);
        let factor = factor.map_or(String::new(), |factor| format!("{factor:.1} ×"));
        let showed = document
            .showed()
            .unwrap_or("nothing that it is about; see --verbose");
        let line = format!("{:<9} {factor:>7}  {showed}", short(&document.step));
        console::truncate_str(&line, width, "…").into_owned()
    };
    let head = format!("{:<9} {:>7}  what it showed", "step", "as fast");
    iter::once(head).chain(documents.iter().map(line)).collect()
}

/// `lab-07-locks` as `lab-07`.
fn short(step: &str) -> String {
    step.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

/// Which steps have claims that did not show, in one line; `None` where all did.
pub fn not_shown(documents: &[Document]) -> Option<String> {
    let open = |document: &&Document| document.claims.iter().any(|one| one.verdict != "shown");
    let steps: Vec<String> = documents
        .iter()
        .filter(open)
        .map(|one| short(&one.step))
        .collect();
    let step = steps.first()?;
    Some(format!(
        "Not all claims showed in {}; why: cargo run -- {step} --verbose",
        steps.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let variant = |name: &str, wall_s, speedup| Variant {
            name: name.into(),
            wall_s,
            speedup: Some(speedup),
            bound_s: Some(1.0),
            efficiency: Some(1.0 / wall_s),
        };
        let claim = |verdict: &str| Claim {
            text: "waits overlap".into(),
            line: "waits overlap: 1.25 s instead of 10.0 s".into(),
            headline: true,
            verdict: verdict.into(),
            reason: (verdict != "shown").then(|| "there was nothing to wait for".into()),
        };
        Document {
            step: "lab-02-threaded-fetch".into(),
            variants: vec![
                variant("sequential", 10.0, 1.0),
                variant("threaded", 1.25, 8.0),
            ],
            claims: vec![claim("shown"), claim("inconclusive")],
        }
    }

    #[test]
    fn a_line_names_the_step_and_how_many_claims_showed() {
        assert_eq!(
            document().line(11.5),
            "– lab-02-threaded-fetch           11.5 s    1/2"
        );
    }

    #[test]
    fn wins_come_first_and_each_step_says_what_it_showed() {
        let mut slow = document();
        slow.step = "lab-09-other".into();
        slow.claims[0].verdict = "not_shown".into();
        let lines = closing(&[slow, document()], 80);
        assert_eq!(
            lines[1],
            "lab-02      8.0 ×  waits overlap: 1.25 s instead of 10.0 s"
        );
        assert!(
            lines[2].starts_with("lab-09             nothing"),
            "{lines:?}"
        );
    }

    #[test]
    fn what_did_not_show_is_one_line() {
        let told = not_shown(&[document()]).expect("one did not");
        assert_eq!(
            told,
            "Not all claims showed in lab-02; why: cargo run -- lab-02 --verbose"
        );
        assert_eq!(not_shown(&[]), None);
    }
}
