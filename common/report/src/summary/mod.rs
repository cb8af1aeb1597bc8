//! The screen that a run ends with: so few lines that they can be filmed.

pub(crate) mod claims;

use crate::{
    BOLD, ClaimReport, DIM, Document, Pointer, UNSURE, Verdict, document::with_bars, fill, format,
    picture::Picture, styled, tables, wrap,
};
use console::measure_text_width;

/// Labels of the closing lines have so much room.
const LABEL: usize = 11;
/// A picture of fewer lines is none: two of them are axis and legend.
const PICTURE_LEAST: usize = 3;

/// The screen of a finished run, in at most so many lines, if its parts can be told in so few.
pub fn summary(document: &Document, width: usize, rows: usize) -> String {
    let picture = Picture::of(document, width);
    let parts = |tight, lanes| parts(document, &picture, (width, tight), lanes);
    let is_all_in_tables = !document.tables.is_empty() && with_bars(&document.variants).is_empty();
    let needs = |tight: usize| {
        height(&parts(tight, Vec::new())) + if tight == 0 { PICTURE_LEAST } else { 0 }
    };
    let tight = (0..3).find(|tight| needs(*tight) <= rows).unwrap_or(3);
    let mut shown = parts(tight, Vec::new());
    let spare = rows.saturating_sub(height(&shown));
    // A few lanes say more than the blank lines between parts.
    let blanks = (spare / 4).min(3);
    if !is_all_in_tables && spare >= PICTURE_LEAST + blanks {
        shown = parts(tight, picture.lanes(&document.variants, spare - blanks));
    }
    let blanks = rows.saturating_sub(height(&shown));
    let shown = shown.iter().filter(|part| !part.is_empty()).enumerate();
    let shown = shown.map(|(at, part)| {
        let is_apart = (1..=blanks).contains(&at);
        format!("{}{}", if is_apart { "\n" } else { "" }, part.join("\n"))
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// The parts of a screen, each made of texts of one line or more; the tighter, the shorter.
fn parts(
    document: &Document,
    picture: &Picture,
    (width, tight): (usize, usize),
    lanes: Vec<String>,
) -> [Vec<String>; 5] {
    let mut parts = [
        head(document, width),
        [picture.bars(with_bars(&document.variants)), lanes].concat(),
        result(document, width, if tight > 0 { 6 } else { usize::MAX }),
        claims::lines(document, width, tight),
        closing(document, width, tight),
    ];
    let also = also_ran(document, &parts.concat().concat(), width);
    parts[1].extend(also);
    parts
}

fn height(parts: &[Vec<String>]) -> usize {
    let texts = parts.iter().flatten();
    texts.map(|text| text.lines().count()).sum()
}

/// The variants that nothing else names.
fn also_ran(document: &Document, text: &str, width: usize) -> Option<String> {
    // In a narrow terminal a bar has the beginning of its name.
    let is_named = |name: &str| text.contains(&name.chars().take(8).collect::<String>());
    let others = document.variants.iter().filter(|one| !is_named(&one.name));
    let timed = others.map(|one| format!("{} {}", one.name, format::seconds_f64(one.wall_s)));
    let others: Vec<String> = timed.collect();
    let text = fill(&others.join(" · "), width, "  also ran: ", "            ");
    (!others.is_empty()).then(|| format!("{DIM}{text}{DIM:#}"))
}

/// Step, question and machine; and whether the machine was too busy.
fn head(document: &Document, width: usize) -> Vec<String> {
    let (mut title, mut machine) = (header(document, width), document.host.cpus_in_words());
    let rounds = document.variants.iter().map(|one| one.walls_s.len()).max();
    if let Some(rounds @ 2..) = rounds {
        machine = format!("middle of {rounds} rounds · {machine}");
    }
    let used = title.lines().last().map_or(width, measure_text_width);
    let room = width.saturating_sub(used);
    title += &if measure_text_width(&machine) + 2 <= room {
        format!("{DIM}{machine:>room$}{DIM:#}")
    } else {
        format!("\n{DIM}{machine}{DIM:#}")
    };
    let legend = Some(&document.legend).filter(|legend| !legend.is_empty());
    let legend = legend.map(|legend| styled(DIM, legend, width, 0));
    let warnings = document.warnings().into_iter();
    // The mark alone is coloured: yellow is hard to read where the terminal is light.
    let mark = format!("{UNSURE}!{UNSURE:#} ");
    let warnings = warnings.map(|it| fill(&it, width, &mark, "  "));
    [title].into_iter().chain(legend).chain(warnings).collect()
}

/// What stands above a run: step, question and scripts.
pub fn header(document: &Document, width: usize) -> String {
    let (step, question) = (&document.step, &document.question);
    let title = wrap(&format!("{step} · {question}"), width, 0);
    let rest = title.strip_prefix(&**step).unwrap_or(&title);
    let scripts = wrap(&format!("mirrors {}", document.scripts), width, 0);
    format!("{BOLD}{step}{BOLD:#}{rest}\n{scripts}")
}

/// The tables that the step itself gives, each in at most `rows` rows.
fn result(document: &Document, width: usize, rows: usize) -> Vec<String> {
    let tables = document.tables.iter().flat_map(|one| {
        let is_one = document.tables.len() == 1;
        let title = (!is_one).then(|| styled(BOLD, &one.title, width, 0));
        title.into_iter().chain([tables::text(one, width, rows)])
    });
    tables.collect()
}

/// What to remember, to predict, to do next.
fn closing(document: &Document, width: usize, tight: usize) -> Vec<String> {
    let told = document.questions.iter().filter_map(|one| one.told());
    let mut lines: Vec<String> = told.map(|it| labelled("You said", &it, width)).collect();
    lines.push(labelled("REMEMBER", &document.remember, width));
    // Where not even bars have room, what comes after the run gives way to them.
    if tight > 1 {
        return lines;
    }
    let Pointer { question, to } = &document.predict;
    lines.push(labelled("Predict", &capital(question), width));
    lines.push(wrap(to, width, LABEL));
    lines.extend(document.next.iter().map(|next| {
        let text = format!("{}: {}", short(&next.to), next.question);
        labelled("Next", &text, width)
    }));
    let is_other = |claim: &&ClaimReport| claim.verdict == Verdict::Shown && !claim.headline;
    let others = match document.claims.iter().filter(is_other).count() {
        0 => String::new(),
        more => format!(", {}", format::counted(more, "more claim")),
    };
    if tight < 1 {
        let page = format!("--report {}.html: a page", short(&document.step));
        let text = format!("--verbose: figures{others} · {page}");
        lines.push(labelled("More", &text, width));
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

fn labelled(label: &str, text: &str, width: usize) -> String {
    let first = format!("{BOLD}{label}{BOLD:#}{}", " ".repeat(LABEL - label.len()));
    fill(text, width, &first, &" ".repeat(LABEL))
}
