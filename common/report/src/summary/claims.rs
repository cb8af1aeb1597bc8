//! What a run shows, in words: headlines a line each, the rest in one, what did not show with its reason.

use crate::{BAD, ClaimReport, DIM, Document, GOOD, UNSURE, Verdict, fill, format};
use anstyle::Style;

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

/// The headlines that showed, and what did not show; the tighter, the fewer lines for that.
pub(super) fn lines(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let claims = document.claims.iter();
    let (shown, mut open): (Vec<&ClaimReport>, Vec<_>) =
        claims.partition(|claim| claim.verdict == Verdict::Shown);
    // For one reason together, in the order of the first of each; the headlines are first.
    open.sort_by_key(|claim| !claim.headline);
    let all = open.clone();
    let place = |claim: &ClaimReport| all.iter().position(|one| because(one) == because(claim));
    open.sort_by_key(|claim| (place(claim), claim.seen()));
    let headlines = shown.iter().filter(|claim| claim.headline);
    let mark = format!("{GOOD}✓{GOOD:#} ");
    let mut texts: Vec<String> = headlines
        .map(|it| fill(&it.line, width, &mark, "  "))
        .collect();
    if tight > 2 && !open.is_empty() {
        let claims = format::counted(open.len(), "claim");
        texts.push(format!("– {claims} did not show: --verbose"));
    } else {
        let alike = |claim: &ClaimReport| (because(claim).to_owned(), claim.seen());
        let groups = open.chunk_by(|one, other| alike(one) == alike(other));
        texts.extend(groups.map(|group| not_shown(group, width, tight)));
    }
    texts
}

/// Why a claim did not show, in short; where a quiet machine may show it, that is what counts.
fn because(claim: &ClaimReport) -> &str {
    match &claim.reason {
        _ if claim.needs_quiet => "too few CPUs were free to tell; with more this may show",
        Some(reason) => first_part(reason, &["; ", " ("]),
        None => "it gave no figures",
    }
}

/// Claims that did not show for one reason, several by their first words, and the reason.
fn not_shown(claims: &[&ClaimReport], width: usize, tight: usize) -> String {
    let most = if tight == 0 { 2 } else { 1 };
    let texts: Vec<&str> = match claims {
        [one] => vec![&one.text],
        _ => claims
            .iter()
            .map(|one| first_part(&one.text, &[": ", ", "]))
            .collect(),
    };
    let text = marked(claims[0].seen(), &texts.join(" · "), width, most);
    let reason = format!("because {}", because(claims[0]));
    let reason = at_most(fill(&reason, width, "  ", "  "), most);
    format!("{text}\n{DIM}{reason}{DIM:#}")
}

/// A text up to the first of these.
fn first_part<'a>(text: &'a str, ends: &[&str]) -> &'a str {
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    &text[..end.unwrap_or(text.len())]
}

/// A verdict, and what it is on, in at most so many lines.
pub(crate) fn marked(verdict: Verdict, text: &str, width: usize, most: usize) -> String {
    let (style, mark, word) = verdict.said();
    let lead = format!("{style}{mark}{style:#} {word}: ");
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
