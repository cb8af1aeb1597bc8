//! One run or the whole path as one HTML file: no network, no script needed to read it.
//!
//! Everything is made from [`Document`]s, so a page of JSON that was read again is the same page.
//! `page.js` adds what a paper cannot do: zoom, pointing at spans, slow motion.

mod axis;
mod bars;
mod bounds;
mod counter;
mod curve;
mod look;
mod moved;
mod spans;
mod step;
mod tables;
#[cfg(test)]
mod tests;
mod timeline;

use crate::format;
use crate::{Document, SCHEMA};
use serde_json::{Value, json};
use std::fmt::Write;
use timeline::Budget;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Bars and spans on a whole page, shared out among its variants: about 2 MB where all are used.
const BARS: usize = 50_000;
const SPANS: usize = 30_000;

/// The page of these runs; several have a list of contents and an overview.
///
/// `failures` are what a reader is to know of steps that have no document.
pub fn of(documents: &[Document], failures: &[String]) -> String {
    let alone = match documents {
        [only] if failures.is_empty() => Some(only),
        _ => None,
    };
    let title = match alone {
        Some(document) => format!("{} · {}", document.step, document.question),
        None => "Concurrency Lab: the path".into(),
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta name=viewport content='width=device-width, initial-scale=1'>\n\
         <meta name=color-scheme content='light dark'>\n<link rel=icon href='data:,'>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n\
         <a class=skip href='#content'>Skip to the content</a>\n<main id=content>\n",
        escape(&title)
    );
    page += &match alone {
        Some(document) => format!(
            "<h1>Concurrency Lab</h1>\n<p>One run of <code>{}</code>.</p>\n",
            escape(&document.step)
        ),
        None => contents(documents, failures),
    };
    let budget = budget(documents);
    for document in documents {
        page += &step::section(document, budget);
    }
    page += "</main>\n";
    let _ = writeln!(
        page,
        "<script type=application/json id=figures>{}</script>",
        raw_json(&figures(documents))
    );
    let _ = writeln!(page, "<script>\n{SCRIPT}</script>\n</html>");
    page
}

fn budget(documents: &[Document]) -> Budget {
    let variants: usize = documents
        .iter()
        .map(|document| document.variants.len())
        .sum();
    let each = |all: usize| (all / variants.max(1)).min(all / 10);
    Budget {
        bars: each(BARS),
        spans: each(SPANS),
    }
}

/// What stands above several runs.
fn contents(documents: &[Document], failures: &[String]) -> String {
    let mut text = String::from("<h1>Concurrency Lab: the path</h1>\n");
    if !failures.is_empty() {
        text += "<ul class=error>\n";
        for failure in failures {
            let _ = writeln!(text, "<li>{}", escape(failure));
        }
        text += "</ul>\n";
    }
    text += "<nav aria-label=Contents>\n<h2>Contents</h2>\n<ul>\n";
    for document in documents {
        let step = escape(&document.step);
        let _ = writeln!(
            text,
            "<li><a href='#{step}'>{step}</a> {}",
            escape(&document.question)
        );
    }
    text += "</ul></nav>\n";
    let steps = format::count(documents.len() as u64);
    let _ = writeln!(
        text,
        "<section>\n<h2>Overview</h2>\n<p>Steps that ran: {steps}.</p>"
    );
    text + &tables::overview(documents) + "</section>\n"
}

/// The raw figures of the page, for programs that read it.
fn figures(documents: &[Document]) -> Value {
    let steps = documents.iter().map(|document| {
        let variants = document.variants.iter().map(|variant| {
            json!({
                "name": variant.name, "runs": variant.runs, "wall_s": variant.wall_s,
                "wall_min_s": variant.wall_min_s, "wall_max_s": variant.wall_max_s,
                "cpu_user_s": variant.cpu_user_s, "cpu_system_s": variant.cpu_system_s,
                "open_s": variant.open_s, "busy_s": variant.busy_s, "bound_s": variant.bound_s,
                "speedup": variant.speedup, "efficiency": variant.efficiency,
                "ledger": variant.ledger, "recorder": variant.recorder,
            })
        });
        let verdicts = document.claims.iter().map(|claim| json!(claim.verdict));
        json!({
            "step": document.step, "command": document.command, "host": document.host,
            "params": document.params, "error": document.error,
            "variants": variants.collect::<Vec<_>>(), "verdicts": verdicts.collect::<Vec<_>>(),
        })
    });
    json!({ "schema": SCHEMA, "steps": steps.collect::<Vec<_>>() })
}

/// JSON that cannot end the element that it stands in.
fn raw_json(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// Text as HTML shows it, in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            '\n' => escaped.push('\n'),
            // Nothing that a page was asked to show may turn its text around or hide in it.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text for a quoted attribute, in one line.
fn attribute(text: &str) -> String {
    escape(&text.replace(['\n', '\r'], " "))
}
