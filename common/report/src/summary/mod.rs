//! The screen that a run ends with: so few lines that they can be filmed.

pub(crate) mod claims;

use crate::{
    BOLD, DIM, Document, UNSURE, document::with_bars, fill, lane, picture::Picture, styled, tables,
    wrap,
};

/// Labels of the closing lines have so much room.
const LABEL: usize = 11;
/// A picture of fewer lines is none: two of them are axis and legend.
const PICTURE_LEAST: usize = 3;

/// The screen of a finished run, in at most so many lines, if its parts can be told in so few.
pub fn summary(document: &Document, width: usize, rows: usize) -> String {
    let variants = &document.variants;
    let picture = Picture::of(variants, lane::longest(variants), width);
    let bars = picture.bars(&with_bars(variants));
    let parts = |tight: usize| {
        let mut parts = [
            head(document, width),
            bars.clone(),
            result(document, width, if tight > 1 { 6 } else { usize::MAX }),
            claims::lines(document, width, tight),
            closing(document, width, tight),
        ];
        let also = also_ran(document, &parts, width);
        parts[1].extend(also);
        parts
    };
    let len = |parts: &[Vec<String>]| parts.iter().map(Vec::len).sum::<usize>();
    let fits = |tight: &usize| len(&parts(*tight)) + PICTURE_LEAST <= rows;
    let is_whole = |tight: &usize| len(&parts(*tight)) <= rows;
    let tightest = || (2..4).find(is_whole).unwrap_or(4);
    let mut parts = parts((0..2).find(fits).unwrap_or_else(tightest));
    let spare = rows.saturating_sub(len(&parts));
    // A lane more says more than the third blank line.
    let blanks = match spare {
        ..7 => 0,
        7..10 => 2,
        _ => 3,
    };
    if spare >= PICTURE_LEAST + blanks {
        let first = |name: &str| claims::are_about(document, name);
        parts[1].truncate(bars.len());
        parts[1].extend(picture.lanes(variants, first, spare - blanks));
        let also = also_ran(document, &parts, width);
        parts[1].extend(also);
    }
    let blanks = rows.saturating_sub(len(&parts));
    join(&parts, blanks)
}

/// The variants that nothing else names.
fn also_ran(document: &Document, parts: &[Vec<String>], width: usize) -> Vec<String> {
    let names = document.variants.iter().map(|one| &*one.name);
    let is_named = |name: &str| {
        // In a narrow terminal a bar has the beginning of its name.
        let start: String = name.chars().take(8).collect();
        parts.iter().flatten().any(|line| line.contains(&start))
    };
    let others: Vec<&str> = names.filter(|name| !is_named(name)).collect();
    match others.is_empty() {
        true => Vec::new(),
        false => styled(
            DIM,
            &format!("  also ran: {}", others.join(" · ")),
            width,
            12,
        ),
    }
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
    let (title, machine) = (header(document, width), document.host.cpus_in_words());
    let mut lines: Vec<String> = title.lines().map(str::to_owned).collect();
    let used = console::measure_text_width(lines.last().map_or("", String::as_str));
    match lines.last_mut() {
        Some(last) if used + 2 + machine.len() <= width => {
            *last += &format!("{DIM}{machine:>0$}{DIM:#}", width - used);
        }
        _ => lines.push(second_line(document, machine, width)),
    }
    if !document.legend.is_empty() {
        lines.extend(styled(DIM, &document.legend, width, 0));
    }
    let mut warn = |text: &str| {
        let text = fill(text, width, "! ", "  ");
        lines.extend(text.lines().map(|line| format!("{UNSURE}{line}{UNSURE:#}")));
    };
    for one in &document.variants {
        if let Some(why) = &one.disturbed {
            warn(&format!("`{}`: {why}; its times prove nothing.", one.name));
        }
    }
    if document.claims.iter().any(|claim| claim.needs_quiet) {
        let free = match document.host.cpus {
            1 => "This program may use one CPU only: no two threads work at once.".to_owned(),
            cpus => format!(
                "Only {:.1} of {cpus} CPUs were free: times of CPU work compare only where far apart.",
                document.host.parallelism
            ),
        };
        warn(&format!("{free} Results, counts and waits hold."));
    }
    lines
}

/// What stands above a run: step and question.
pub fn header(document: &Document, width: usize) -> String {
    let step = &document.step;
    let title = wrap(&format!("{step} · {}", document.question), width, 0);
    let rest = title.strip_prefix(step).unwrap_or(&title);
    format!("{BOLD}{step}{BOLD:#}{rest}")
}

/// The machine, and the scripts that the step mirrors where there is room.
fn second_line(document: &Document, machine: String, width: usize) -> String {
    let text = format!("{machine} · mirrors {}", document.mirrors.join(", "));
    let fits = |text: &String| text.chars().count() <= width;
    let text = Some(text).filter(fits).unwrap_or(machine);
    format!("{DIM}{text}{DIM:#}")
}

/// The tables that the step itself gives, each in at most `rows` rows.
fn result(document: &Document, width: usize, rows: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &document.tables {
        if document.tables.len() > 1 {
            lines.extend(styled(BOLD, &one.title, width, 0));
        }
        lines.extend(tables::lines(one, width, rows));
    }
    lines
}

/// What to remember, to predict, to do next.
fn closing(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for told in document.questions.iter().filter_map(|one| one.told()) {
        lines.extend(labelled("You said", &told, width));
    }
    lines.extend(labelled("REMEMBER", &document.remember, width));
    // Where not even bars have room, what comes after the run gives way to them.
    if tight > 2 {
        return lines;
    }
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
    let others = match claims::others(document).count() {
        0 => String::new(),
        1 => ", one more claim".into(),
        more => format!(", {more} more claims"),
    };
    if tight < 2 {
        let page = format!("--report {}.html: a page", short(&document.step));
        let text = format!("--verbose: figures{others} · {page}");
        lines.extend(labelled("More", &text, width));
    }
    lines
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// `lab-07-locks` as `lab-07`.
pub(crate) fn short(step: &str) -> String {
    step.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

fn labelled(label: &str, text: &str, width: usize) -> Vec<String> {
    let first = format!("{BOLD}{label}{BOLD:#}{}", " ".repeat(LABEL - label.len()));
    let text = fill(text, width, &first, &" ".repeat(LABEL));
    text.lines().map(str::to_owned).collect()
}
