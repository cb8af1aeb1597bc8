//! The sections of one step, each folded below what is seen at first sight.

use super::{glance, picture, tables, ticked};
use crate::{Document, Variant, document::with_bars, summary};
use maud::{Markup, html};

/// The page of one run.
pub(super) fn page(document: &Document, limit: usize) -> Markup {
    let bars = with_bars(&document.variants);
    html! {
        main #content .step {
            p.kicker { b { (document.step) } " · mirrors " (document.mirrors.join(", ")) }
            h1 { (document.question) }
            @if !document.legend.is_empty() { p.soft { (document.legend) } }
            (trouble(document))
            (glance::headline(document))
            div.glance {
                div { (compared(document, &bars)) @if !bars.is_empty() { (glance::key(&document.variants)) } }
                div {
                    h2 { "What this run shows" }
                    (glance::claims(document))
                }
            }
            (folded(document, 0, limit))
        }
    }
}

/// One of several runs: the same at first sight, shorter, with all the rest folded.
pub(super) fn card(document: &Document, run: usize, limit: usize) -> Markup {
    html! {
        article.card id=(document.step) {
            h3 { (document.step) }
            p.question { (document.question) }
            (trouble(document))
            (glance::headline(document))
            (compared(document, &glance::two(document)))
            (glance::claims(document))
            details.all {
                summary { "All figures, pictures and code" }
                @if document.variants.len() > 2 { (glance::bars(&with_bars(&document.variants))) }
                (folded(document, run, limit))
            }
        }
    }
}

/// Bars, or the step's own results where it compares no times.
fn compared(document: &Document, variants: &[&Variant]) -> Markup {
    html! { @if variants.is_empty() { (results(document)) } @else { (glance::bars(variants)) } }
}

fn results(document: &Document) -> Markup {
    html! { @for table in &document.tables { (tables::of_step(table)) } }
}

fn trouble(document: &Document) -> Markup {
    html! {
        @if let Some(error) = &document.error {
            p.error { b { "The run did not end well: " } (error) }
        }
        @if document.claims.iter().any(|claim| claim.needs_quiet) {
            p.warning {
                b { "The machine was busy: " } (format!("{:.1}", document.host.parallelism)) " of "
                (document.host.cpus) " CPUs were free. CPU times cannot be compared; a quiet machine may show "
                "what is marked as not shown."
            }
        }
    }
}

fn folded(document: &Document, run: usize, limit: usize) -> Markup {
    let section = |title: &str, content: &Markup| {
        html! { details.section { summary { (title) } (content) } }
    };
    let are_seen = document.tables.is_empty() || with_bars(&document.variants).is_empty();
    html! {
        @if let Some(picture) = picture::of(document, run, limit) {
            (section("Picture and code: who ran and who waited, and on which line", &picture))
        }
        @if !are_seen { (section("The results of this step", &results(document))) }
        @if !document.variants.is_empty() { (section("Times and what was used", &tables::of(&document.variants))) }
        @if !document.why.is_empty() { (section("Why", &html! { p { (ticked(&document.why)) } })) }
        @for (question, told) in document.questions.iter().filter_map(|one| Some((&one.question, one.told()?))) {
            p { b { (question) } " You said " (told) }
        }
        p.predict { b { "Predict " } (summary::capital(&document.predict.question)) " " code { (document.predict.to) } }
        @if let Some(next) = &document.next {
            p.next { b { "Next " } code { "cargo run -p " (next.to) } " " (next.question) }
        }
        footer {
            p { (document.host.one_line()) " · commit " (document.host.commit.as_deref().unwrap_or("unknown")) }
            p { (crate::parameters(&document.params)) }
            p { "Again: " code { (document.command) } }
        }
    }
}
