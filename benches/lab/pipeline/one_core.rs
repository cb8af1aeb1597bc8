//! Parsing from memory on one core: the lesson's way, a stream, and what people would use instead.

use super::pages::{Answer, Pages};
use anyhow::{Context, ensure};
use lab_10_hybrid_pipeline::page::{Parse, STREAM, TREE};
use scraper::{Html, Selector};
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    hint::black_box,
    rc::Rc,
    time::{Duration, Instant},
};

/// How often a turn goes through the pages; what takes a second for them goes through them once.
const PASSES: usize = 5;

/// The ways of `parse.py`: what it is called, what it is, how often a turn goes through the pages.
const PYTHON: [(&str, &str, usize); 5] = [
    ("selectolax, lexbor", "selectolax", PASSES),
    ("lxml.html", "lxml", PASSES),
    ("html.parser", "html.parser", 1),
    ("BeautifulSoup, lxml", "soup-lxml", 1),
    ("BeautifulSoup, html.parser", "soup-html.parser", 1),
];

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let pages = Rc::new(Pages::choose(setting.plan.is_test)?);
    let passes = if setting.plan.is_test { 1 } else { PASSES };
    let turn = |passes| (pages.len() * passes) as u64;
    let rows = [
        Row::floor("each `<` found", find_tags(&pages)),
        Row::ours("stream of tags", parse(&pages, &STREAM)),
        Row::ours("scraper's tree", parse(&pages, &TREE)),
        Row::peer("scraper as it comes", parse_plainly(&pages)?),
    ];
    let mut rows: Vec<Result<Row, String>> = rows
        .map(|row| Ok(row.of(turn(passes))))
        .into_iter()
        .collect();
    let folder = pages.folder().to_str().context("a folder's name is text")?;
    for (name, way, most) in PYTHON {
        let peers = setting.python(name, "parse.py", &[way, folder]).into_iter();
        rows.extend(peers.map(|row| {
            let row = row?.of(turn(passes.min(most)));
            // What is that slow has warmed up when it is through its first hundred pages.
            Ok(if most == 1 { row.cold() } else { row })
        }));
    }
    let title = "Parsing from memory on one core: bytes in, title and number of links out";
    Ok(Group::new(title, Unit::per_second("pages"), Vec::new())
        .with(rows)
        .noting([pages.note.clone()]))
}

/// Whoever parses looks at every byte: no more than that is done here, and that it is UTF-8.
fn find_tags(pages: &Rc<Pages>) -> impl FnMut(u64) -> anyhow::Result<Duration> + use<> {
    let pages = Rc::clone(pages);
    let tags =
        |body: &[u8]| str::from_utf8(body).map(|_| body.iter().filter(|b| **b == b'<').count());
    let first: Vec<_> = pages.bodies().iter().map(|body| tags(body)).collect();
    move |count| {
        let bodies = pages.bodies().iter().cycle().take(usize::try_from(count)?);
        let start = Instant::now();
        let found: Vec<_> = bodies.map(|body| tags(black_box(body))).collect();
        let took = start.elapsed();
        ensure!(
            found.iter().eq(first.iter().cycle().take(found.len())),
            "a wrong answer"
        );
        Ok(took)
    }
}

/// The lesson's function, which also resolves the links that lead on; or another of its kind.
fn parse(
    pages: &Rc<Pages>,
    parse: &'static Parse,
) -> impl FnMut(u64) -> anyhow::Result<Duration> + use<> {
    let pages = Rc::clone(pages);
    let inputs = pages.inputs();
    move |count| {
        // Each is copied before, as one that arrives is the parser's own.
        let inputs = inputs.iter().cycle().take(usize::try_from(count)?).cloned();
        let inputs: Vec<_> = inputs.collect();
        let start = Instant::now();
        let inputs = inputs.into_iter();
        let parsed: Vec<_> = inputs.map(|input| parse.run_here(input)).collect();
        let took = start.elapsed();
        let answers = parsed.into_iter().map(|(title, links, _)| (title, links));
        check(&answers.collect::<Vec<_>>(), &pages)?;
        Ok(took)
    }
}

/// What the documentation of `scraper` shows.
fn parse_plainly(
    pages: &Rc<Pages>,
) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration> + use<>> {
    let pages = Rc::clone(pages);
    let selector = |text| Selector::parse(text).map_err(|error| anyhow::anyhow!("{error}"));
    let (title, link) = (selector("title")?, selector("a[href]")?);
    let read = move |body: &[u8]| {
        let html = Html::parse_document(str::from_utf8(body)?);
        let text: String = html
            .select(&title)
            .take(1)
            .flat_map(|title| title.text())
            .collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = if words.is_empty() {
            "(no title)".into()
        } else {
            words.join(" ")
        };
        Ok((line, html.select(&link).count()))
    };
    Ok(move |count| {
        let bodies = pages.bodies().iter().cycle().take(usize::try_from(count)?);
        let start = Instant::now();
        let answers: anyhow::Result<Vec<Answer>> = bodies.map(|body| read(body)).collect();
        let took = start.elapsed();
        check(&answers?, &pages)?;
        Ok(took)
    })
}

fn check(answers: &[Answer], pages: &Pages) -> anyhow::Result<()> {
    let expected = pages.answers.iter().cycle().take(answers.len());
    ensure!(
        answers.iter().eq(expected),
        "a wrong title or number of links"
    );
    Ok(())
}
