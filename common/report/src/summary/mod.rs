//! The screen that a run ends with: so few lines that they can be filmed.

mod claims;

use crate::{
    BOLD, DIM, Document, TableReport, UNSURE, Variant, lane, picture::Picture, tables::table, wrap,
};

/// How much room a screen has.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub rows: usize,
}

/// Labels of the closing lines have so much room.
const LABEL: usize = 11;
/// A picture of fewer lines is none: two of them are axis and legend.
const PICTURE_LEAST: usize = 3;

/// The parts of a screen, in order; the picture takes what they leave.
struct Parts {
    head: Vec<String>,
    bars: Vec<String>,
    result: Vec<String>,
    claims: Vec<String>,
    closing: Vec<String>,
}

impl Parts {
    fn of(document: &Document, view: View, picture: &Picture, tight: usize) -> Self {
        let rows = if tight > 1 { 6 } else { usize::MAX };
        Self {
            head: head(document, view.width),
            bars: picture.bars(&document.variants),
            result: result(document, view.width, rows),
            claims: claims::lines(document, view.width, tight),
            closing: closing(document, view.width, tight),
        }
    }

    fn len(&self) -> usize {
        self.head.len()
            + self.bars.len()
            + self.result.len()
            + self.claims.len()
            + self.closing.len()
    }
}

/// The screen of a finished run, in at most so many lines, if its parts can be told in so few.
pub fn summary(document: &Document, view: View) -> String {
    let variants = &document.variants;
    let picture = Picture::of(variants, lane::longest(variants), view.width);
    let mut parts = Parts::of(document, view, &picture, 0);
    for tight in 1..=3 {
        if parts.len() + PICTURE_LEAST <= view.rows {
            break;
        }
        parts = Parts::of(document, view, &picture, tight);
    }
    let spare = view.rows.saturating_sub(parts.len());
    let blanks = if spare > PICTURE_LEAST + 3 { 3 } else { 0 };
    let first = claims::subjects(document);
    let drawn: Vec<_> = variants.iter().map(Variant::drawn).collect();
    let lanes = if spare >= PICTURE_LEAST + blanks {
        picture.lanes(&drawn, &first, spare - blanks, None)
    } else {
        Vec::new()
    };
    let blanks = spare.saturating_sub(lanes.len());
    let sections = [
        parts.head,
        [parts.bars, lanes].concat(),
        parts.result,
        parts.claims,
        parts.closing,
    ];
    join(&sections, blanks)
}

/// Sections below each other, with blank lines between them while there are any.
fn join(sections: &[Vec<String>], mut blanks: usize) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        if !lines.is_empty() && blanks > 0 {
            lines.push("");
            blanks -= 1;
        }
        lines.extend(section.iter().map(String::as_str));
    }
    lines.join("\n")
}

/// Step, question and machine; and whether the machine was too busy.
fn head(document: &Document, width: usize) -> Vec<String> {
    let (title, machine) = (title(document, width), document.host.cpus_in_words());
    let mut lines: Vec<String> = title.lines().map(str::to_owned).collect();
    let length = console::measure_text_width(lines.last().map_or("", String::as_str));
    if length + 2 + machine.chars().count() <= width {
        let gap = " ".repeat(width - length - machine.chars().count());
        if let Some(last) = lines.last_mut() {
            *last += &format!("{gap}{DIM}{machine}{DIM:#}");
        }
    } else {
        lines.push(format!("{DIM}{machine}{DIM:#}"));
    }
    let disturbed = document
        .variants
        .iter()
        .filter_map(|it| Some((&it.name, it.disturbed.as_ref()?)));
    for (name, why) in disturbed {
        let text = wrap(
            &format!("! `{name}`: {why}; its times prove nothing."),
            width,
            2,
        );
        lines.extend(text.lines().map(|line| format!("{UNSURE}{line}{UNSURE:#}")));
    }
    if document.claims.iter().any(|claim| claim.needs_quiet) {
        let free = match document.host.cpus {
            1 => "This program may use one CPU only".to_owned(),
            cpus => format!(
                "Only {:.1} of {cpus} CPUs was free",
                document.host.parallelism
            ),
        };
        let text = format!(
            "! {free}: times of CPU work do not compare here. Run again with nothing else running. \
             Results, counts and waits hold all the same."
        );
        let lines_of = wrap(&text, width - 2, 0);
        let styled = lines_of.lines().enumerate().map(|(place, line)| {
            let indent = if place == 0 { "" } else { "  " };
            format!("{UNSURE}{indent}{line}{UNSURE:#}")
        });
        lines.extend(styled);
    }
    lines
}

/// Step and question.
pub(crate) fn title(document: &Document, width: usize) -> String {
    let step = &document.step;
    let title = wrap(&format!("{step} · {}", document.question), width, 0);
    let rest = title.strip_prefix(step).unwrap_or(&title);
    format!("{BOLD}{step}{BOLD:#}{rest}")
}

/// The tables that the step itself gives, each in at most `rows` rows.
fn result(document: &Document, width: usize, rows: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &document.tables {
        if document.tables.len() > 1 {
            let title = wrap(&one.title, width, 0);
            lines.extend(title.lines().map(|line| format!("{BOLD}{line}{BOLD:#}")));
        }
        lines.extend(table_lines(one, width, rows));
    }
    lines
}

fn table_lines(one: &TableReport, width: usize, rows: usize) -> Vec<String> {
    let names: Vec<&str> = one.headings.iter().map(String::as_str).collect();
    let shown = one.rows.iter().take(rows).cloned().collect();
    let text = table(&names, shown, &one.text_columns, width - 2);
    let mut lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    if one.rows.len() > rows {
        lines.push(format!(
            "  … {} more rows: --verbose",
            one.rows.len() - rows
        ));
    }
    for note in &one.notes {
        let note = wrap(note, width, 2);
        lines.extend(note.lines().map(|line| format!("{DIM}{line}{DIM:#}")));
    }
    lines
}

/// What to remember, to predict, to do next.
fn closing(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for question in document
        .questions
        .iter()
        .filter(|one| !one.guesses.is_empty())
    {
        lines.extend(labelled("You said", &question.told(), width));
    }
    lines.extend(labelled("REMEMBER", &document.remember, width));
    let (predict, command) = (&document.predict.question, &document.predict.to);
    lines.extend(labelled("Predict", &capital(predict), width));
    let command = wrap(command, width, LABEL);
    lines.extend(command.lines().map(str::to_owned));
    if let Some(next) = &document.next {
        lines.extend(labelled(
            "Next",
            &format!("{}: {}", short(&next.to), next.question),
            width,
        ));
    }
    if tight == 0 {
        let page = format!(
            "--verbose: all figures · --report {}.html: as a page",
            short(&document.step)
        );
        lines.extend(labelled("More", &page, width));
    }
    lines
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// `lab-07-locks` as `lab-07`.
pub(crate) fn short(step: &str) -> String {
    step.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

fn labelled(label: &str, text: &str, width: usize) -> Vec<String> {
    let text = wrap(text, width, LABEL);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(first) = lines.first_mut() {
        let gap = " ".repeat(LABEL - label.len());
        *first = format!("{BOLD}{label}{BOLD:#}{gap}{}", first.trim_start());
    }
    lines
}
