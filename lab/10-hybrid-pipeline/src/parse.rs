//! What is done with a page: HTML to title and links, in a plain function.

use crate::bounds::{Bounds, pieces};
use html5ever::{
    ParseOpts, driver,
    tendril::{StrTendril, TendrilSink},
};
use lol_html::{HtmlRewriter, Settings, element, end_tag, html_content::Element, text};
use scraper::{Html, HtmlTreeSink, Selector};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    process,
    rc::Rc,
    sync::LazyLock,
};
use web::{Page, Url, has_user_info};

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

impl PageInput {
    /// A page as it came, to be parsed with `reading`.
    pub fn of(page: Page, reading: Reading) -> Self {
        Self {
            text: page.text().into_owned(),
            url: page.url,
            reading,
        }
    }
}

/// What a parser makes of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The text of the first title, in one line.
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
struct Found {
    title: Option<String>,
    base: Option<String>,
    hrefs: Vec<String>,
}

/// Parses one page.
///
/// # Errors
/// The page was made to cost more memory or time than any reader's page does; which limit it met.
pub fn parse_page(input: PageInput) -> Result<Parsed, String> {
    let found = match input.reading {
        Reading::Scraper => read_tree(&input.text)?,
        Reading::Stream => read_stream(&input.text)?,
    };
    let title = found.title.unwrap_or_default();
    let words = title.split(|c: char| c.is_ascii_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    Ok(Parsed {
        title: match words.as_slice() {
            [] => "(no title)".into(),
            words => words.join(" "),
        },
        links: found.hrefs.len(),
        found: targets(&input.url, found.base.as_deref(), &found.hrefs),
        pid: process::id(),
    })
}

/// A drawing inside the page may have titles and links too; they are not the page's.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Title and links from a tree: everything can be asked of it, and everything is built for it.
fn read_tree(page: &str) -> Result<Found, String> {
    static TEMPLATE: LazyLock<Selector> = LazyLock::new(|| selector("template"));
    static KEPT: LazyLock<Selector> = LazyLock::new(|| selector("title, base[href], a[href]"));
    let mut html = build(page)?;
    // What stands in a template is no part of the document.
    let templates = html
        .select(&TEMPLATE)
        .filter(|it| &*it.value().name.ns == HTML);
    let templates: Vec<_> = templates.map(|template| template.id()).collect();
    for id in templates {
        html.tree.get_mut(id).expect("it was found there").detach();
    }
    let mut found = Found::default();
    for element in html.root_element().select(&KEPT) {
        let name = &element.value().name;
        let href = || element.attr("href").map(str::to_owned);
        match (&*name.ns, &*name.local) {
            (HTML, "title") if found.title.is_none() => {
                found.title = Some(element.text().collect())
            }
            (HTML, "base") if found.base.is_none() => found.base = href(),
            (HTML, "a") => found.hrefs.extend(href()),
            _ => {}
        }
    }
    Ok(found)
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a constant selector that the tests use")
}

/// [`Html::parse_document`] for readers without scripts, and within bounds: they are looked at after every piece.
fn build(page: &str) -> Result<Html, String> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let mut parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), options);
    let bounds = Bounds::of(page);
    for piece in pieces(page, 256) {
        parser.process(StrTendril::from_slice(piece));
        bounds.check_tree(&parser.tokenizer.sink.sink.0.borrow())?;
    }
    Ok(parser.finish())
}

/// Title and links from tags as they go by: nothing is built, nothing can be asked later.
fn read_stream(page: &str) -> Result<Found, String> {
    let found = Rc::new(RefCell::new(Found::default()));
    stream_into(&found, page, &Bounds::of(page))?;
    Ok(found.take())
}

fn stream_into(found: &Rc<RefCell<Found>>, page: &str, bounds: &Bounds) -> Result<(), String> {
    let templates = Rc::new(Cell::new(0));
    let [is_open, is_drawing, is_hidden] = [const { Cell::new(false) }; 3];
    let without_scripts = RefCell::new(String::new());
    let is_kept =
        |element: &Element<'_, '_>| element.namespace_uri() == HTML && templates.get() == 0;
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("template", |template| {
            if template.namespace_uri() == HTML {
                templates.set(templates.get() + 1);
                let templates = Rc::clone(&templates);
                template.on_end_tag(end_tag!(move |_| {
                    templates.set(templates.get() - 1);
                    Ok(())
                }))?;
            }
            Ok(())
        }))
        .append_element_content_handler(element!("a[href], base[href]", |element| {
            let mut found = found.borrow_mut();
            let href = element.get_attribute("href").map(|href| attribute(&href));
            match element.tag_name().as_str() {
                _ if !is_kept(element) => {}
                "a" => found.hrefs.extend(href),
                _ => found.base = found.base.take().or(href),
            }
            Ok(())
        }))
        // The title of a drawing is none of the page, unless it stands where HTML goes on within.
        .append_element_content_handler(element!("svg title", |_| {
            is_drawing.set(true);
            Ok(())
        }))
        .append_element_content_handler(element!(
            "svg foreignObject title, svg desc title, svg title title",
            |_| {
                is_drawing.set(false);
                Ok(())
            }
        ))
        .append_element_content_handler(element!("title", |title| {
            let mut found = found.borrow_mut();
            is_open.set(!is_drawing.take() && is_kept(title) && found.title.is_none());
            if is_open.get() {
                found.title = Some(String::new());
            }
            Ok(())
        }))
        .append_element_content_handler(text!("title", |text| {
            if let Some(title) = found.borrow_mut().title.as_mut().filter(|_| is_open.get()) {
                title.push_str(text.as_str());
                if text.last_in_text_node() {
                    *title = title_text(title);
                }
            }
            Ok(())
        }))
        .append_element_content_handler(element!("noscript", |noscript| {
            is_hidden.set(is_kept(noscript));
            Ok(())
        }))
        .append_element_content_handler(text!("noscript", |text| {
            // The stream takes the reader for one with scripts, who sees none of it.
            if is_hidden.get() {
                without_scripts.borrow_mut().push_str(text.as_str());
                if text.last_in_text_node() {
                    stream_into(found, &without_scripts.take(), bounds)?;
                }
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    for piece in pieces(page, 65_536) {
        bounds.check_time()?;
        let written = rewriter.write(piece.as_bytes());
        written.map_err(|error| error.to_string())?;
    }
    rewriter.end().map_err(|error| error.to_string())
}

/// The value of an attribute, which the stream leaves as it stands.
fn attribute(raw: &str) -> String {
    if !raw.contains(['&', '\0', '\r']) {
        return raw.to_owned();
    }
    let html = Html::parse_fragment(&format!("<a href=\"{}\">", raw.replace('"', "&quot;")));
    let mut links = html
        .tree
        .nodes()
        .filter_map(|node| node.value().as_element());
    let href = links.find_map(|link| link.attr("href"));
    href.unwrap_or_default().to_owned()
}

/// The text of a title, which the stream leaves as it stands.
fn title_text(raw: &str) -> String {
    let html = Html::parse_fragment(&format!("<title>{raw}</title>"));
    html.root_element().text().collect()
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

#[cfg(test)]
mod tests;
