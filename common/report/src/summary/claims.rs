//! What a run shows, in words: headlines a line each, the rest in one, what did not show with its reason.

use crate::{BAD, ClaimReport, DIM, Document, GOOD, UNSURE, Verdict, grouped, hung};
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

/// The claims of a run; the tighter, the fewer lines there are for one that did not show.
pub(super) fn lines(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let (shown, mut open): (Vec<&ClaimReport>, Vec<_>) =
        (document.claims.iter()).partition(|claim| claim.verdict == Verdict::Shown);
    open.sort_by_key(|claim| !claim.headline);
    let (headlines, others): (Vec<_>, Vec<_>) = shown.into_iter().partition(|claim| claim.headline);
    let lines = headlines.iter().map(|claim| {
        let line = hung(&claim.line, width);
        format!("{GOOD}✓{GOOD:#} {line}")
    });
    let mut text: Vec<String> = lines.collect();
    let groups = grouped(open, |claim| (claim.needs_quiet, because(claim)));
    text.extend(
        groups
            .iter()
            .map(|(_, group)| not_shown(group, width, tight)),
    );
    text.extend(match others.len() {
        0 => None,
        1 => Some(format!("  {DIM}one more claim holds: --verbose{DIM:#}")),
        more => Some(format!("  {DIM}{more} more claims hold: --verbose{DIM:#}")),
    });
    text.join("\n").lines().map(str::to_owned).collect()
}

/// Why a claim did not show, in short.
fn because(claim: &ClaimReport) -> &str {
    let reason = claim.reason.as_deref().unwrap_or("it gave no figures");
    reason.split("; ").next().unwrap_or_default()
}

/// Claims that did not show for one reason, each in so many lines, and the reason.
fn not_shown(claims: &[&ClaimReport], width: usize, tight: usize) -> String {
    let most = if tight > 0 { 1 } else { 2 };
    let mut text = String::new();
    for claim in claims {
        let (style, mark, word) = claim.verdict.said();
        let lead = format!("{mark} {word}:");
        let claim = at_most(&format!("{lead} {}", claim.text), width, most);
        text += &claim.replacen(&lead, &format!("{style}{lead}{style:#}"), 1);
        text += "\n";
    }
    let [quiet, more] = match (claims[0].needs_quiet, claims.len()) {
        (false, _) => ["", ""],
        (true, 1) => ["; with CPUs free it may show", "; with more it may show"],
        (true, _) => [
            "; with CPUs free they may show",
            "; with more they may show",
        ],
    };
    let reason = format!("because {}", because(claims[0]));
    let whole = hung(&format!("{reason}{quiet}"), width);
    let reason = match whole.lines().count() {
        lines if lines <= most => whole,
        _ if quiet.is_empty() => at_most(&reason, width, most),
        _ => format!("because too few CPUs were free{more}"),
    };
    text + &format!("{DIM}  {reason}{DIM:#}")
}

/// The first lines of a text, with a mark where there were more; all but the first are set in.
fn at_most(text: &str, width: usize, most: usize) -> String {
    let text = hung(text, width);
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
