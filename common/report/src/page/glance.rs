//! What is seen at first sight: what was won, the times as bars on one axis, and what this run shows.

use super::{figure, ticked};
use crate::{ClaimReport, Document, Variant, Verdict, format};
use maud::{Markup, html};

/// A headline claim of this run that compares two wall times.
struct Win<'a> {
    slow: &'a Variant,
    fast: &'a Variant,
}

impl<'a> Win<'a> {
    fn of(document: &'a Document) -> Option<Self> {
        let shown = |claim: &&ClaimReport| claim.headline && claim.verdict == Verdict::Shown;
        let checks = document
            .claims
            .iter()
            .filter(shown)
            .flat_map(|one| &one.checks);
        let mut wins = checks.filter_map(|check| {
            let (one, least) = wall(&check.left, document)?;
            let (other, most) = wall(&check.right, document)?;
            match &*check.relation {
                "<" | "≤" if most <= least => Some(Self {
                    slow: other,
                    fast: one,
                }),
                ">" | "≥" if most >= least => Some(Self {
                    slow: one,
                    fast: other,
                }),
                _ => None,
            }
        });
        wins.find(|win| win.fast.wall_s * 1.1 < win.slow.wall_s)
    }
}

/// The variant whose wall time an expression such as `0.5 * [sequential].walls_s` takes, and how often.
fn wall<'a>(expression: &str, document: &'a Document) -> Option<(&'a Variant, f64)> {
    let (times, figure) = match expression.split_once(" * ") {
        Some((times, figure)) => (times.parse().ok()?, figure),
        None => (1.0, expression),
    };
    let name = figure
        .strip_suffix("].walls_s")
        .or(figure.strip_suffix("].wall_s"))?;
    let name = name.strip_prefix('[')?;
    let variant = document.variants.iter().find(|one| one.name == name)?;
    Some((variant, times))
}

/// The win in large figures, or what there is to remember.
pub(super) fn headline(document: &Document) -> Markup {
    let win = Win::of(document);
    html! {
        div.win {
            @if let Some(win) = &win {
                strong { (times(win.slow.wall_s / win.fast.wall_s)) " ×" small { " as fast" } }
                p {
                    (win.fast.name) " " (time(win.fast)) " instead of " (time(win.slow)) " (" (win.slow.name) ")"
                }
            }
            p.remember { (document.remember) }
        }
    }
}

/// The two variants that a card shows.
pub(super) fn two(document: &Document) -> Vec<&Variant> {
    match Win::of(document) {
        Some(win) => vec![win.slow, win.fast],
        None => document.variants.iter().take(2).collect(),
    }
}

/// A factor in two digits, or whole.
pub(super) fn times(factor: f64) -> String {
    if factor < 9.95 {
        format!("{factor:.1}")
    } else {
        format!("{factor:.0}")
    }
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
                        (figure("speedup", Some(speedup), compared))
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

/// How a variant compares with the first one.
pub(super) fn compared(speedup: f64) -> String {
    match speedup {
        speedup if speedup >= 1.05 => format!("{} × as fast", times(speedup)),
        speedup if speedup <= 0.95 => format!("{} × as long", times(1.0 / speedup)),
        _ => "the same".into(),
    }
}

/// The claims: headlines and all that did not show, each over its evidence, and the others folded.
pub(super) fn claims(document: &Document) -> Markup {
    let (first, others): (Vec<_>, Vec<_>) = document
        .claims
        .iter()
        .partition(|claim| claim.headline || claim.verdict != Verdict::Shown);
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
    let (class, mark, word) = match claim.verdict {
        Verdict::Shown => ("shown", "✓", None),
        Verdict::NotShown => ("missed", "✗", Some("not shown here: ")),
        Verdict::Inconclusive => ("open", "–", Some("could not tell: ")),
    };
    let text = if word.is_none() {
        &claim.line
    } else {
        &claim.text
    };
    html! {
        li.(class) {
            details {
                summary { span.tick { (mark) } " " @if let Some(word) = word { b { (word) } } (ticked(text)) }
                @if *text != claim.text { p.soft { (ticked(&claim.text)) } }
                @if claim.reason.as_ref() != Some(&claim.evidence) { p.soft { (ticked(&claim.evidence)) } }
            }
            @if let Some(reason) = &claim.reason { p.soft { "because " (ticked(reason)) } }
        }
    }
}
