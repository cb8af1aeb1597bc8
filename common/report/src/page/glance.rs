//! What is seen at first sight: what was won, the times as bars on one axis, and what this run shows.

use super::{figure, ticked};
use crate::{ClaimReport, Document, MARGIN, Variant, Verdict, document::with_bars, format, lane};
use maud::{Markup, html};

/// The slow and the fast variant whose wall times a headline claim that showed compares.
fn win(document: &Document) -> Option<[&Variant; 2]> {
    let shown = |claim: &&ClaimReport| claim.headline && claim.verdict == Verdict::Shown;
    let claims = document.claims.iter().filter(shown);
    claims.flat_map(|one| &one.checks).find_map(|check| {
        let (least, most) = match &*check.relation {
            "<" | "≤" => (&check.left, &check.right),
            ">" | "≥" => (&check.right, &check.left),
            _ => return None,
        };
        // One time against another, or their quotient against a factor.
        let (slow, fast) = match (quotient(most, document), quotient(least, document)) {
            (Some([slow, fast]), None) if least.parse::<f64>().ok()? >= 1.0 => (slow, fast),
            (None, Some([fast, slow])) if most.parse::<f64>().ok()? <= 1.0 => (slow, fast),
            _ => {
                let ((slow, part), (fast, whole)) = (wall(most, document)?, wall(least, document)?);
                (part <= whole).then_some((slow, fast))?
            }
        };
        (fast.wall_s * MARGIN < slow.wall_s).then_some([slow, fast])
    })
}

/// The variants whose wall times an expression divides.
fn quotient<'a>(expression: &str, document: &'a Document) -> Option<[&'a Variant; 2]> {
    let (above, below) = expression.split_once(" / ")?;
    Some([wall(above, document)?.0, wall(below, document)?.0])
}

/// The variant whose wall time an expression such as `0.5 * [sequential].walls_s` takes, and how often.
fn wall<'a>(expression: &str, document: &'a Document) -> Option<(&'a Variant, f64)> {
    let (times, figure) = expression.split_once(" * ").unwrap_or(("1", expression));
    let figure = figure
        .strip_suffix("walls_s")
        .or(figure.strip_suffix("wall_s"))?;
    let is_it = |one: &&Variant| format!("[{}].", one.name) == figure;
    Some((document.variants.iter().find(is_it)?, times.parse().ok()?))
}

/// The win in large figures, or what there is to remember.
pub(super) fn headline(document: &Document) -> Markup {
    html! {
        div.win {
            @if let Some([slow, fast]) = win(document) {
                strong { (format::factor(slow.wall_s / fast.wall_s)) " ×" small { " as fast" } }
                p { (fast.name) " " (time(fast)) " instead of " (time(slow)) " (" (slow.name) ")" }
            }
            p.remember { (document.remember) }
        }
    }
}

/// The two variants that a card shows.
pub(super) fn two(document: &Document) -> Vec<&Variant> {
    win(document).map_or_else(
        || with_bars(&document.variants).into_iter().take(2).collect(),
        Vec::from,
    )
}

fn time(variant: &Variant) -> Markup {
    let shown = format::seconds_f64(variant.wall_s);
    html! { b data-variant=(variant.name) { (figure("wall_s", variant.wall_s, &shown)) } }
}

/// A bar per variant on one axis, with its time and how it compares with the first.
pub(super) fn bars(document: &Document, variants: &[&Variant]) -> Markup {
    let longest = lane::longest(variants.iter().copied()).max(f64::MIN_POSITIVE);
    html! {
        ol.bars {
            @for variant in variants {
                @let (wall_s, compared) = (variant.wall_s, document.compared(variant));
                li data-variant=(variant.name) {
                    span.name { (variant.name) }
                    span.track aria-hidden="true" {
                        span.bar style={ "width:" (format!("{:.2}", wall_s / longest * 100.0)) "%" } {}
                    }
                    (figure("wall_s", wall_s, &format::seconds_f64(wall_s)))
                    @if let (Some(speedup), Some(text)) = (variant.speedup, compared) {
                        (figure("speedup", speedup, &text))
                    }
                    @if let Some(note) = &variant.note { span.note { (note) } }
                }
            }
        }
    }
}

/// The claims: headlines and all that did not show, each over its evidence, and the others folded.
pub(super) fn claims(document: &Document) -> Markup {
    let is_first = |one: &&ClaimReport| one.headline || one.verdict != Verdict::Shown;
    let (first, others): (Vec<_>, Vec<_>) = document.claims.iter().partition(is_first);
    html! {
        ul.claims { @for one in first { (claim(one)) } }
        @if !others.is_empty() {
            details.others {
                summary { span.tick { "✓" } " " (format::counted(others.len(), "more check")) }
                ul.claims { @for one in &others { (claim(one)) } }
            }
        }
    }
}

fn claim(claim: &ClaimReport) -> Markup {
    let (_, mark, word) = claim.seen().said();
    let is_shown = claim.verdict == Verdict::Shown;
    let text = if is_shown { &claim.line } else { &claim.text };
    html! {
        li.(word.replace(' ', "-")) {
            details {
                summary { span.tick { (mark) } " " @if !is_shown { b { (word) ": " } } (ticked(text)) }
                @if *text != claim.text { p.soft { (ticked(&claim.text)) } }
                @if claim.reason.as_ref() != Some(&claim.evidence) { p.soft { (ticked(&claim.evidence)) } }
            }
            @if let Some(reason) = &claim.reason { p.soft { "because " (ticked(reason)) } }
        }
    }
}
