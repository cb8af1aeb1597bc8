//! What the tour prints of the steps' documents.

use common::{Document, format};
use report::Verdict;
use std::iter;

/// How many of its claims a run showed, of how many.
pub fn claims_shown(document: &Document) -> (usize, usize) {
    let shown = document.claims.iter();
    let shown = shown.filter(|claim| claim.verdict == Verdict::Shown);
    (shown.count(), document.claims.len())
}

/// The first of its headline claims that showed, with its figures.
fn showed(document: &Document) -> Option<&str> {
    let mut headlines = document.claims.iter().filter(|claim| claim.headline);
    let shown = headlines.find(|claim| claim.verdict == Verdict::Shown)?;
    Some(&shown.line)
}

/// How many times as fast as the first variant the fastest was.
fn best_factor(document: &Document) -> f64 {
    let factors = document.variants.iter().filter_map(|one| one.speedup);
    factors.fold(1.0, f64::max)
}

/// A finished step in one line.
pub fn line(document: &Document, elapsed_s: f64) -> String {
    let (shown, all) = claims_shown(document);
    let mark = if shown == all { "✓" } else { "–" };
    let took = format::seconds_f64(elapsed_s);
    row(mark, &document.step, &took, &format!("{shown}/{all}"))
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
    let win = |document: &Document| showed(document).map_or(0.0, |_| best_factor(document));
    documents.sort_by(|a, b| win(b).total_cmp(&win(a)));
    let line = |document: &&Document| {
        let factor = Some(win(document)).filter(|factor| *factor >= 1.05);
        let factor = factor.map_or(String::new(), |factor| format!("{factor:.1} ×"));
        let showed = showed(document).unwrap_or("nothing that it is about; see --verbose");
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
    let open = |document: &&Document| {
        let (shown, all) = claims_shown(document);
        shown < all
    };
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
    use common::Variant;
    use report::ClaimReport;

    fn document() -> Document {
        let claim = |verdict: Verdict| ClaimReport {
            name: "waits_overlap".into(),
            headline: true,
            text: "waits overlap".into(),
            line: "waits overlap: 1.25 s instead of 10.0 s".into(),
            verdict,
            evidence: String::new(),
            reason: None,
            needs_quiet: false,
            checks: Vec::new(),
        };
        let variant = |speedup| Variant {
            speedup: Some(speedup),
            ..Variant::default()
        };
        Document {
            step: "lab-02-threaded-fetch".into(),
            variants: vec![variant(1.0), variant(8.0)],
            claims: vec![claim(Verdict::Shown), claim(Verdict::Inconclusive)],
            ..Document::default()
        }
    }

    #[test]
    fn a_line_names_the_step_and_how_many_claims_showed() {
        assert_eq!(
            line(&document(), 11.5),
            "– lab-02-threaded-fetch           11.5 s    1/2"
        );
    }

    #[test]
    fn wins_come_first_and_each_step_says_what_it_showed() {
        let mut slow = document();
        slow.step = "lab-09-other".into();
        slow.claims[0].verdict = Verdict::NotShown;
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
