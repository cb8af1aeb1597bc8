//! What is seen at first sight: what was won, the times as bars on one axis, and what this run shows.

use super::{figure, ticked};
use crate::{ClaimReport, Document, Variant, Verdict, format, lane};
use maud::{Markup, html};

/// The slow and the fast variant whose wall times a headline claim that showed compares.
fn win(document: &Document) -> Option<[&Variant; 2]> {
    let shown = |claim: &&ClaimReport| claim.headline && claim.verdict == Verdict::Shown;
    document.claims.iter().filter(shown).find_map(|claim| {
        let is_on = |one: &&Variant| claim.is_on(&format!("[{}].wall", one.name));
        let mut both: Vec<&Variant> = document.variants.iter().filter(is_on).collect();
        both.sort_by(|one, other| other.wall_s.total_cmp(&one.wall_s));
        let [slow, fast] = both[..] else { return None };
        (fast.wall_s * document.margin([slow, fast]) < slow.wall_s).then_some([slow, fast])
    })
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
