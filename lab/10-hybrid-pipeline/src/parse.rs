//! What is done with a page: HTML to title and links, in a plain function.

use crate::stream::read_stream;
use html5ever::{
    ParseOpts, driver,
    tendril::{ByteTendril, TendrilSink},
};
use scraper::{Html, HtmlTreeSink, Selector};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    process,
    sync::LazyLock,
    time::{Duration, Instant},
};
use web::{Encoding, Url, has_user_info};

/// What a page is parsed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// `scraper`: the page becomes a tree that can be asked for anything
    Scraper,
    /// `lol_html`: the tags go by once; title and links are kept, nothing is built
    Stream,
}

/// What a parser is given; it crosses to worker processes as bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageInput {
    /// Where the page came from; its links are relative to that.
    pub url: Url,
    /// The page.
    pub text: String,
    /// What to parse with.
    pub reading: Reading,
}

/// What a parser makes of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The text of the first title, in one line, without what could steer a terminal.
    pub title: String,
    /// How many `a` elements have an `href`.
    pub links: usize,
    /// The pages they lead to on the same host, each once, without fragments.
    pub found: Vec<Url>,
    /// The process that parsed it.
    pub pid: u32,
}

/// What is kept of a page; links are as they stand.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) title: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) hrefs: Vec<String>,
}

/// Parses one page.
///
/// # Errors
/// The page was made to cost more memory or time than any reader's page does; which limit it met.
pub fn parse_page(input: PageInput) -> Result<Parsed, String> {
    let start = Instant::now();
    let found = match input.reading {
        Reading::Scraper => read_tree(&input.text, start)?,
        Reading::Stream => read_stream(&input.text, start)?,
    };
    let title = found.title.unwrap_or_default();
    let words: Vec<&str> = title.split_ascii_whitespace().collect();
    let title = Some(words.join(" ")).filter(|title| !title.is_empty());
    let title = title.unwrap_or("(no title)".into());
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    Ok(Parsed {
        title: title.replace(steers, "\u{fffd}"),
        links: found.hrefs.len(),
        found: targets(&input.url, found.base.as_deref(), &found.hrefs),
        pid: process::id(),
    })
}

/// A drawing inside the page may have titles and links too; they are not the page's.
pub(crate) const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Title and links from a tree: everything can be asked of it, and everything is built for it.
fn read_tree(page: &str, start: Instant) -> Result<Found, String> {
    static KEPT: LazyLock<Selector> = LazyLock::new(|| {
        Selector::parse("title, base[href], a[href]").expect("a selector that the tests use")
    });
    let html = parse_document(page, start)?;
    let mut found = Found::default();
    for element in html.root_element().select(&KEPT) {
        // What stands in a template is no part of the document.
        let is_hidden = element.ancestors().any(|node| node.value().is_fragment());
        let name = &element.value().name;
        let href = || element.attr("href").map(str::to_owned);
        match (&*name.ns, &*name.local) {
            _ if is_hidden => {}
            (HTML, "title") if found.title.is_none() => {
                found.title = Some(element.text().collect());
            }
            (HTML, "base") if found.base.is_none() => found.base = href(),
            (HTML, "a") => found.hrefs.extend(href()),
            _ => {}
        }
    }
    Ok(found)
}

/// The pages that the links of a page at `url` lead to on its host, each once.
///
/// They are relative to the first `base`; one that is no address, or no place, counts for none.
fn targets(url: &Url, base: Option<&str>, hrefs: &[String]) -> Vec<Url> {
    let base = base.and_then(|base| url.join(base).ok());
    let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
    let base = base.as_ref().unwrap_or(url);
    let mut seen = HashSet::new();
    let targets = hrefs.iter().filter_map(|href| {
        let mut target = base.join(href).ok()?;
        target.set_fragment(None);
        let leads_there = target.origin() == url.origin() && !has_user_info(&target);
        (leads_there && seen.insert(target.clone())).then_some(target)
    });
    targets.collect()
}

/// The encoding that a page names itself in its first 1024 bytes: in a `meta`, else as XML does.
pub(crate) fn declared_encoding(page: &[u8]) -> Option<&'static Encoding> {
    static META: LazyLock<Selector> = LazyLock::new(|| {
        let metas = "meta[charset], meta[http-equiv=content-type i][content]";
        Selector::parse(metas).expect("a selector that the tests use")
    });
    let start = String::from_utf8_lossy(&page[..page.len().min(1024)]).to_ascii_lowercase();
    let html = Html::parse_document(&start);
    let in_meta = html.select(&META).find_map(|meta| {
        let in_content = || value_after(meta.attr("content")?, "charset");
        let label = meta.attr("charset").or_else(in_content)?;
        Encoding::for_label(label.as_bytes())
    });
    let in_xml = || {
        let declaration = start.strip_prefix("<?xml")?.split('>').next()?;
        Encoding::for_label(value_after(declaration, "encoding")?.as_bytes())
    };
    let encoding = in_meta.or_else(in_xml)?;
    // A page whose own word could be read as ASCII is not in UTF-16.
    Some(match encoding.name() {
        "UTF-16LE" | "UTF-16BE" => web::UTF_8,
        "x-user-defined" => web::WINDOWS_1252,
        _ => encoding,
    })
}

/// What stands after a name and an equals sign, in quotes or up to a space or semicolon.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.split_once(name)?.1.trim_start();
    let Some(value) = rest.strip_prefix('=') else {
        return value_after(rest, name);
    };
    let value = value.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => Some(value[1..].split_once(quote)?.0),
        _ => value.split([' ', '\t', '\n', '\r', '\u{c}', ';']).next(),
    }
}

/// The bounds of a page: a page of some kilobytes can be made to take gigabytes, or minutes.
///
/// Elements inside each other: what a new one costs grows with those that are open. Nodes: at most
/// one for each byte and a thousand, in any page. Time: attributes of one tag are compared with each other.
const DEPTH: usize = 5_000;
const NODES: usize = 2_000_000;
const TIME: Duration = Duration::from_secs(10);

/// [`Html::parse_document`] for readers without scripts, and within bounds.
fn parse_document(page: &str, start: Instant) -> Result<Html, String> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), options);
    let mut parser = parser.from_utf8();
    let most = NODES.min(page.len() + 1_000);
    for piece in page.as_bytes().chunks(256) {
        parser.process(ByteTendril::from_slice(piece));
        check_time(start)?;
        let html = parser.inner_sink.tokenizer.sink.sink.0.borrow();
        let mut nodes = html.tree.nodes();
        if nodes.len() > most {
            return Err(format!("its tree has more than {most} nodes"));
        }
        let depth = nodes.next_back().map(|last| last.ancestors().count());
        if depth > Some(DEPTH) {
            return Err(format!("more than {DEPTH} elements are inside each other"));
        }
    }
    Ok(parser.finish())
}

pub(crate) fn check_time(start: Instant) -> Result<(), String> {
    match start.elapsed() < TIME {
        true => Ok(()),
        false => Err(format!("it takes more than {} s", TIME.as_secs())),
    }
}

#[cfg(test)]
mod tests;
