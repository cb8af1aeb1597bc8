//! What is done with a page: HTML to title and links, in a plain function.

use lol_html::{
    Settings, element,
    html_content::{Element, TextChunk},
    rewrite_str, text,
};
use process_pool::Worker;
use scraper::Html;
use std::cell::RefCell;
use web::{Encoding, Url, has_user_info};

/// What a parser is given: the address of a page, and its text.
pub type Input = (Url, String);
/// What it makes of that: the title in one line, how many `a` elements have an `href`, and where they
/// lead to on the same host.
pub type Parsed = (String, usize, Vec<Url>);
/// A function that makes one of the other, here or in a worker process.
pub type Parse = Worker<Input, Parsed>;

/// `scraper`: the page becomes a tree that can be asked for anything.
pub static TREE: Parse = Worker::new("parse", |(url, page)| resolve(&url, read_tree(&page)));
/// `lol_html`: the tags go by once; no tree of the page is built.
pub static STREAM: Parse = Worker::new("parse-stream", |(url, page)| {
    resolve(&url, read_stream(&page))
});

/// What is kept of a page, as it stands there.
#[derive(Default)]
struct Found {
    title: Option<String>,
    base: Option<String>,
    hrefs: Vec<String>,
}

/// A drawing inside the page may have titles and links too; they are not the page's.
const HTML: &str = "http://www.w3.org/1999/xhtml";

fn read_tree(page: &str) -> Found {
    let (mut html, mut found) = (Html::parse_document(page), Found::default());
    // What stands in a template is no part of the document.
    let templates = html.tree.nodes().filter(|node| node.value().is_fragment());
    for id in templates.map(|node| node.id()).collect::<Vec<_>>() {
        html.tree.get_mut(id).expect("it is there").detach();
    }
    for element in html.root_element().descendent_elements() {
        let (href, text) = (element.attr("href"), || element.text().collect::<String>());
        match element.value().name() {
            _ if &*element.value().name.ns != HTML => {}
            "title" if found.title.is_none() => found.title = Some(text()),
            "base" if found.base.is_none() => found.base = href.map(Into::into),
            "a" => found.hrefs.extend(href.map(Into::into)),
            // Text for a browser, which runs scripts; links for a reader without.
            "noscript" => found.hrefs.extend(read_tree(&text()).hrefs),
            _ => {}
        }
    }
    found
}

/// The tags go by, and the few that matter are kept: what these say (`&amp;` is an `&`) a tree reads.
fn read_stream(page: &str) -> Found {
    let (kept, title) = (RefCell::new(String::new()), RefCell::new(String::new()));
    let keep_link = |link: &mut Element<'_, '_>| {
        if link.namespace_uri() == HTML {
            let href = link.get_attribute("href").unwrap_or_default();
            let (name, href) = (link.tag_name(), href.replace('"', "&quot;"));
            *kept.borrow_mut() += &format!("<{name} href=\"{href}\"></{name}>");
        }
        Ok(())
    };
    let keep_title = |text: &mut TextChunk<'_>| {
        *title.borrow_mut() += text.as_str();
        if text.last_in_text_node() {
            *kept.borrow_mut() += &format!("<title>{}</title>", title.take());
        }
        Ok(())
    };
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("a[href], base[href]", keep_link))
        .append_element_content_handler(text!("title", keep_title));
    rewrite_str(page, settings).expect("only strict settings refuse a page");
    read_tree(&kept.take())
}

/// Title, number of links, and where they lead to on the host of this page.
///
/// Links are relative to the first `base`; one that is no address, or no place, counts for none.
fn resolve(url: &Url, found: Found) -> Parsed {
    let base = found.base.and_then(|base| url.join(&base).ok());
    let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
    let base = base.as_ref().unwrap_or(url);
    let targets = found.hrefs.iter().filter_map(|href| base.join(href).ok());
    let targets = targets.filter(|it| it.origin() == url.origin() && !has_user_info(it));
    let title = found.title.unwrap_or_default();
    let mut words: Vec<&str> = title.split_ascii_whitespace().collect();
    words.extend(words.is_empty().then_some("(no title)"));
    (words.join(" "), found.hrefs.len(), targets.collect())
}

/// The encoding that a `meta` in the first 1024 bytes of a page names.
pub(crate) fn declared_encoding(page: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&page[..page.len().min(1024)]);
    let start = Html::parse_document(&start);
    let elements = start.root_element().descendent_elements();
    let mut metas = elements.filter(|it| it.value().name() == "meta");
    let named = metas.find_map(|meta| {
        let content = meta.attr("http-equiv").and(meta.attr("content"));
        let content = content.unwrap_or_default().to_ascii_lowercase();
        let label = meta.attr("charset");
        let label = label.or_else(|| Some(content.split_once("charset=")?.1))?;
        Encoding::for_label(label.trim_matches(['"', '\'']).as_bytes())
    });
    // A page whose `meta` could be read as ASCII is not in UTF-16, but in UTF-8.
    named.map(Encoding::output_encoding)
}

#[cfg(test)]
mod tests;
