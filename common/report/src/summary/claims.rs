//! What a run shows, in words: headlines a line each, the rest in one, what did not show with its reason.

use crate::{BAD, ClaimReport, DIM, Document, GOOD, UNSURE, Verdict, fill, format, grouped};
use anstyle::Style;
use std::mem;

impl Verdict {
    /// How it is marked and said.
    pub(crate) fn said(self) -> (Style, &'static str, &'static str) {
        match self {
            Self::Shown => (GOOD, "✓", "shown"),
            Self::NotShown => (BAD, "✗", "not shown"),
            Self::Inconclusive => (UNSURE, "–", "undecided"),
        }
    }
}

/// The claims of a run but for [`others`]; the tighter, the fewer lines for those that did not show.
pub(super) fn lines(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let claims = document.claims.iter();
    let (shown, mut open): (Vec<&ClaimReport>, Vec<_>) =
        claims.partition(|claim| claim.verdict == Verdict::Shown);
    let rest = (tight > 3 && !open.is_empty()).then(|| {
        let claims = format::counted(mem::take(&mut open).len(), "claim");
        format!("– {claims} did not show: --verbose")
    });
    open.sort_by_key(|claim| !claim.headline);
    let headlines = shown.iter().filter(|claim| claim.headline);
    let headlines = headlines.map(|claim| {
        let mark = format!("{GOOD}✓{GOOD:#} ");
        fill(&claim.line, width, &mark, "  ")
    });
    let open = grouped(open, |claim| because(claim)).into_iter();
    let open = open.map(|(_, group)| not_shown(&group, width, tight));
    let text: Vec<String> = headlines.chain(open).chain(rest).collect();
    text.join("\n").lines().map(str::to_owned).collect()
}

/// The claims that showed and are no headlines.
pub(super) fn others(document: &Document) -> impl Iterator<Item = &ClaimReport> {
    let claims = document.claims.iter();
    claims.filter(|claim| claim.verdict == Verdict::Shown && !claim.headline)
}

/// Why a claim did not show, in short; where a quiet machine may show it, that is what counts.
fn because(claim: &ClaimReport) -> &str {
    let reason = claim.reason.as_deref().unwrap_or("it gave no figures");
    match claim.needs_quiet {
        true => "too few CPUs were free to tell; with more this may show",
        false => reason.split("; ").next().unwrap_or_default(),
    }
}

/// Claims that did not show for one reason, and the reason; where room is short, in one text for each verdict.
fn not_shown(claims: &[&ClaimReport], width: usize, tight: usize) -> String {
    let mut text = String::new();
    for (verdict, claims) in grouped(claims, |claim| claim.verdict) {
        let texts: Vec<&str> = claims.iter().map(|claim| &*claim.text).collect();
        for texts in texts.chunks(if tight == 0 { 1 } else { texts.len() }) {
            let most = if tight < 2 { usize::MAX } else { texts.len() };
            text += &marked(verdict, &texts.join(" · "), width, most);
            text += "\n";
        }
    }
    let reason = because(claims[0]);
    let reason = match tight {
        0 => reason,
        _ => reason
            .split([';', '('])
            .next()
            .unwrap_or_default()
            .trim_end(),
    };
    let reason = fill(&format!("because {reason}"), width, "  ", "  ");
    let reason = at_most(reason, [usize::MAX, 2, 1, 1][tight]);
    text + &format!("{DIM}{reason}{DIM:#}")
}

/// A verdict, and what it is on, in at most so many lines.
pub(crate) fn marked(verdict: Verdict, text: &str, width: usize, most: usize) -> String {
    let (style, mark, word) = verdict.said();
    let lead = format!("{style}{mark} {word}:{style:#} ");
    at_most(fill(text, width, &lead, "  "), most)
}

/// The first lines of a text, with a mark where there were more.
fn at_most(text: String, most: usize) -> String {
    match text.match_indices('\n').nth(most - 1) {
        // The last word gives its place to the mark, so that the line keeps its width.
        Some((end, _)) => format!("{} …", &text[..text[..end].rfind(' ').unwrap_or(end)]),
        None => text,
    }
}

/// Whether headline claims are about a variant, which their figures name in brackets.
pub(super) fn are_about(document: &Document, variant: &str) -> bool {
    let claims = document.claims.iter().filter(|claim| claim.headline);
    let name = format!("[{variant}]");
    claims
        .flat_map(|claim| &claim.checks)
        .any(|check| check.left.contains(&name) || check.right.contains(&name))
}
