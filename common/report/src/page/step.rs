//! The sections of one step, each folded below what is seen at first sight.

use super::{glance, picture, tables, ticked};
use crate::{Document, document::with_bars, summary};
use maud::{Markup, html};

/// The page of one run.
pub(super) fn page(document: &Document, limit: usize) -> Markup {
    html! {
        main #content .step {
            p.kicker { b { (document.step) } " · mirrors " (document.scripts) }
            h1 { (document.question) }
            @if !document.legend.is_empty() { p.soft { (document.legend) } }
            (first_sight(document))
            (folded(document, 0, limit))
        }
    }
}

/// One of several runs: the same at first sight, shorter, with all the rest folded.
pub(super) fn card(document: &Document, run: usize, limit: usize) -> Markup {
    html! {
        article.card id=(document.step) {
            h2 { (document.step) }
            p.question { (document.question) }
            (first_sight(document))
            details.all {
                summary { "All figures, pictures and code" }
                (folded(document, run, limit))
            }
        }
    }
}

/// What went wrong or was won, bars or the step's own results where it compares no times, and claims.
fn first_sight(document: &Document) -> Markup {
    let variants = with_bars(&document.variants);
    html! {
        @if let Some(error) = &document.error {
            p.error { b { "The run did not end well: " } (error) }
        }
        @for text in document.warnings() { p.warning { (ticked(&text)) } }
        (glance::headline(document))
        div.glance {
            div {
                @if variants.is_empty() { (results(document)) } @else { (glance::bars(document, &variants)) }
            }
            div { h2 { "What this run shows" } (glance::claims(document)) }
        }
    }
}

fn results(document: &Document) -> Markup {
    html! { @for table in &document.tables { (tables::of(table)) } }
}

fn folded(document: &Document, run: usize, limit: usize) -> Markup {
    let section = |title: &str, content: &Markup| {
        html! { details.section { summary { (title) } (content) } }
    };
    let figures = crate::tables::of(&document.variants);
    let figures = html! { @for table in &figures { (tables::of(table)) } };
    let are_seen = document.tables.is_empty() || with_bars(&document.variants).is_empty();
    html! {
        @if let Some(picture) = picture::of(document, run, limit) {
            (section("Picture and code: who ran and who waited, and on which line", &picture))
        }
        @if !are_seen { (section("The results of this step", &results(document))) }
        @if !document.variants.is_empty() { (section("Times and what was used", &figures)) }
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
