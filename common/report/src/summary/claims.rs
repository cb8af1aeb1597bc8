//! What a run shows, in words: headlines a line each, the rest in one, what did not show with its reason.

use crate::{BAD, ClaimReport, DIM, Document, GOOD, UNSURE, Verdict, fill, grouped};
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

/// The claims of a run but for [`others`]; the tighter, the fewer lines for those that did not show.
pub(super) fn lines(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let claims = document.claims.iter();
    let (shown, mut open): (Vec<&ClaimReport>, Vec<_>) =
        claims.partition(|claim| claim.verdict == Verdict::Shown);
    open.sort_by_key(|claim| !claim.headline);
    let headlines = shown.iter().filter(|claim| claim.headline);
    let headlines = headlines.map(|claim| {
        let mark = format!("{GOOD}✓{GOOD:#} ");
        fill(&claim.line, width, &mark, "  ")
    });
    let groups = grouped(open, |claim| (claim.needs_quiet, because(claim)));
    let open = groups.iter();
    let open = open.map(|(_, group)| not_shown(group, width, tight));
    let text: Vec<String> = headlines.chain(open).collect();
    text.join("\n").lines().map(str::to_owned).collect()
}

/// The claims that showed and are no headlines.
pub(super) fn others(document: &Document) -> impl Iterator<Item = &ClaimReport> {
    let claims = document.claims.iter();
    claims.filter(|claim| claim.verdict == Verdict::Shown && !claim.headline)
}

/// Why a claim did not show, in short.
fn because(claim: &ClaimReport) -> &str {
    let reason = claim.reason.as_deref().unwrap_or("it gave no figures");
    reason.split("; ").next().unwrap_or_default()
}

/// Claims that did not show for one reason, and the reason; where room is short, in one text for each verdict.
fn not_shown(claims: &[&ClaimReport], width: usize, tight: usize) -> String {
    let most = [usize::MAX, usize::MAX, 1][tight];
    let by_verdict = grouped(claims, |claim| claim.verdict);
    let texts = by_verdict.iter().flat_map(|(verdict, claims)| {
        let texts: Vec<&str> = claims.iter().map(|claim| &*claim.text).collect();
        let texts = if tight == 1 {
            vec![texts.join(" · ")]
        } else {
            texts.into_iter().map(String::from).collect()
        };
        texts
            .into_iter()
            .map(|text| marked(*verdict, &text, width, most) + "\n")
    });
    let (reason, needs_quiet) = (because(claims[0]), claims[0].needs_quiet);
    let reason = match (needs_quiet, tight) {
        (true, 0) => format!("because {reason}; with CPUs free this may show"),
        (true, _) => "because too few CPUs were free; with more this may show".into(),
        (false, 0) => format!("because {reason}"),
        (false, _) => format!("because {}", reason.split(" (").next().unwrap_or_default()),
    };
    let reason = at_most(fill(&reason, width, "  ", "  "), [usize::MAX, 2, 1][tight]);
    texts.collect::<String>() + &format!("{DIM}{reason}{DIM:#}")
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

/// The variants that the headline claims are about, as their figures name them in brackets.
pub(super) fn subjects(document: &Document) -> Vec<String> {
    let claims = document.claims.iter().filter(|claim| claim.headline);
    let checks = claims.flat_map(|claim| &claim.checks);
    let sides = checks.flat_map(|check| [&check.left, &check.right]);
    let named = sides.flat_map(|side| side.split('[').skip(1));
    named
        .filter_map(|part| Some(part.split_once(']')?.0.to_owned()))
        .collect()
}
