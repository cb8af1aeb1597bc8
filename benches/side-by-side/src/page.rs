//! All tables on one page that needs no network and no script.

use crate::{
    chart::{self, escape},
    record::{Document, Recorded},
    tables::Cells,
};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// How the page explains itself.
const HOW: &str = "Every round ran every row of a table once, in turns; figures are medians of the \
rounds, with their range. Ratios were taken within a round, so that a machine that changes its speed \
changes both sides. A <em>floor</em> is what the machine allows; other rows are the lab's own (ours) \
and what people would use instead. Scales of pictures are logarithmic; the line through a dot is the \
range of the rounds.";

/// The page; `changes` says for each table what changed since the run before.
pub(crate) fn of(document: &Document, changes: &[(String, Vec<String>)]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta name=viewport content='width=device-width, initial-scale=1'>\n\
         <title>Concurrency Lab: benchmarks</title>\n<style>\n{STYLE}</style>\n\
         <main>\n<h1>Benchmarks of the Concurrency Lab</h1>\n<p>{HOW}\n<nav><ul>\n"
    );
    for table in &document.tables {
        let (name, title) = (escape(&table.name), escape(&table.measured.title));
        let _ = writeln!(page, "<li><a href='#{name}'>{name}</a> {title}");
    }
    page += "</ul></nav>\n";
    for table in &document.tables {
        let changes = changes.iter().find(|(name, _)| *name == table.name);
        page += &section(table, changes.map_or(&[], |(_, lines)| lines));
    }
    page += "</main>\n</html>\n";
    page
}

fn section(table: &Recorded, changes: &[String]) -> String {
    let (name, measured) = (escape(&table.name), &table.measured);
    let mut text = format!(
        "<section id='{name}'>\n<h2>{name}</h2>\n<p>{}\n",
        escape(&measured.title)
    );
    if !measured.rows.is_empty() {
        text += &html_table(&Cells::of(measured));
    }
    text += &list(&measured.notes, "notes");
    text += &list(changes, "changes");
    if let Some(picture) = chart::of(measured) {
        let _ = writeln!(text, "<figure>\n{picture}\n</figure>");
    }
    let environment = &table.environment;
    let again = escape(&environment.command);
    let _ = writeln!(
        text,
        "<footer>{} · {} rounds · {} · <code>{again}</code></footer>\n</section>",
        escape(&environment.one_line()),
        measured.rounds(),
        escape(&environment.pythons.join(" · "))
    );
    text
}

fn html_table(cells: &Cells) -> String {
    let mut text = String::from("<div class=wide><table>\n<thead><tr>");
    for heading in &cells.headings {
        let _ = write!(text, "<th scope=col>{}", escape(heading));
    }
    text += "\n<tbody>\n";
    for row in &cells.rows {
        text += "<tr>";
        for (place, cell) in row.iter().enumerate() {
            let tag = if place == 0 { "th scope=row" } else { "td" };
            let _ = write!(text, "<{tag}>{}", escape(cell.trim()));
        }
        text.push('\n');
    }
    text += "</table></div>\n";
    text
}

fn list(lines: &[String], class: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("<ul class={class}>\n");
    for line in lines {
        let _ = writeln!(text, "<li>{}", escape(line));
    }
    text += "</ul>\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Plan, Side, Unit,
        figures::tests::{measured, row},
        record::Environment,
    };

    #[test]
    fn the_page_holds_every_figure_and_asks_the_network_for_nothing() {
        let plan = Plan {
            rounds: 1,
            is_test: false,
        };
        let mut table = measured(Unit::Time, vec![row("a <b>", Side::Ours, None, &[0.0123])]);
        table.notes = vec!["left out: Go".into()];
        let environment = Environment::inspect(plan, Vec::new(), "cargo bench -- cpu".into());
        let table = Recorded {
            name: "cpu".into(),
            environment,
            measured: table,
        };
        let mut document = Document::default();
        document.put(table, &["cpu"]);
        let page = of(&document, &[("cpu".into(), vec!["changed: a".into()])]);
        for part in [
            "12.3 ms",
            "left out: Go",
            "changed: a",
            "cargo bench -- cpu",
            "ours, a &lt;b>",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        for word in ["http:", "https:", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
