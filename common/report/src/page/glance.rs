//! What is seen at first sight: what was won, the times as bars on one axis, and what this run shows.

use super::{figure, ticked};
use crate::{ClaimReport, Document, Variant, Verdict, document::with_bars, format};
use maud::{Markup, html};

/// The slow and the fast variant whose wall times a headline claim that showed compares.
fn win(document: &Document) -> Option<[&Variant; 2]> {
    let shown = |claim: &&ClaimReport| claim.headline && claim.verdict == Verdict::Shown;
    let claims = document.claims.iter().filter(shown);
    let mut wins = claims.flat_map(|one| &one.checks).filter_map(|check| {
        let (least, most) = match &*check.relation {
            "<" | "≤" => (&check.left, &check.right),
            ">" | "≥" => (&check.right, &check.left),
            _ => return None,
        };
        let ((slow, part), (fast, whole)) = (wall(most, document)?, wall(least, document)?);
        (part <= whole && fast.wall_s * 1.1 < slow.wall_s).then_some([slow, fast])
    });
    wins.next()
}

/// The variant whose wall time an expression such as `0.5 * [sequential].walls_s` takes, and how often.
fn wall<'a>(expression: &str, document: &'a Document) -> Option<(&'a Variant, f64)> {
    let (times, figure) = expression.split_once(" * ").unwrap_or(("1", expression));
    let (name, field) = figure.strip_prefix('[')?.split_once("].")?;
    let mut variants = document.variants.iter();
    let variant =
        variants.find(|one| one.name == name && ["wall_s", "walls_s"].contains(&field))?;
    Some((variant, times.parse().ok()?))
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
    let time = figure("wall_s", Some(variant.wall_s), format::seconds_f64);
    html! { b data-variant=(variant.name) { (time) } }
}

/// A bar per variant on one axis, with its time and how it compares with the first.
pub(super) fn bars(variants: &[&Variant]) -> Markup {
    let most = |variant: &&Variant| variant.wall_s.max(variant.wall_max_s);
    let longest = variants.iter().map(most).fold(f64::MIN_POSITIVE, f64::max);
    let percent = |seconds: f64| format!("{:.2}%", seconds / longest * 100.0);
    html! {
        ol.bars {
            @for variant in variants {
                li data-variant=(variant.name) {
                    span.name { (variant.name) }
                    span.track aria-hidden="true" {
                        span.bar style={ "width:" (percent(variant.wall_s)) } {}
                        @if variant.runs > 1 {
                            @let width = percent(variant.wall_max_s - variant.wall_min_s);
                            span.range style={ "left:" (percent(variant.wall_min_s)) ";width:" (width) } {}
                        }
                        @if let Some(bound) = variant.bound_s {
                            span.bound style={ "left:" (percent(bound)) } {}
                        }
                    }
                    (figure("wall_s", Some(variant.wall_s), format::seconds_f64))
                    // The one that others are compared with is its own time.
                    @if let Some(speedup) = variant.speedup.filter(|speedup| *speedup != 1.0) {
                        (figure("speedup", Some(speedup), format::compared))
                    }
                    @if let Some(note) = &variant.note { span.note { (note) } }
                }
            }
        }
    }
}

/// How to read the bars.
pub(super) fn key(variants: &[Variant]) -> Markup {
    html! {
        p.soft {
            "Wall times on one axis"
            @if variants.iter().any(|one| one.runs > 1) {
                "; of several rounds the middle one, the thin line from the shortest to the longest"
            }
            @if variants.iter().any(|one| one.bound_s.is_some()) {
                "; the mark is the shortest time possible"
            }
            "."
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
                summary { span.tick { "✓" } " " (others.len()) (if others.len() == 1 { " more check holds" } else { " more checks hold" }) }
                ul.claims { @for one in &others { (claim(one)) } }
            }
        }
    }
}

fn claim(claim: &ClaimReport) -> Markup {
    let (_, mark, word) = claim.verdict.said();
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
