//! What is done with a page: HTML to title and links, in a plain function.

use lol_html::{HtmlRewriter, Settings, element, text};
use scraper::{Html, Selector};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    process,
    sync::LazyLock,
};
use web::{Page, Url};

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
        let text = page.text().unwrap_or_else(|_| page.text_lossy());
        Self {
            text: text.into_owned(),
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

/// Parses one page.
pub fn parse_page(input: PageInput) -> Parsed {
    let (title, hrefs) = match input.reading {
        Reading::Scraper => read_tree(&input.text),
        Reading::Stream => read_stream(&input.text),
    };
    let words: Vec<&str> = title.split_whitespace().collect();
    Parsed {
        title: match words.as_slice() {
            [] => "(no title)".into(),
            words => words.join(" "),
        },
        links: hrefs.len(),
        found: targets(&input.url, &hrefs),
        pid: process::id(),
    }
}

/// Title and links from a tree: everything can be asked of it, and everything is built for it.
fn read_tree(page: &str) -> (String, Vec<String>) {
    static TITLE: LazyLock<Selector> = LazyLock::new(|| selector("title"));
    static LINK: LazyLock<Selector> = LazyLock::new(|| selector("a[href]"));
    let html = Html::parse_document(page);
    let title = html
        .select(&TITLE)
        .find(|title| &*title.value().name.ns == HTML);
    let title = title.map(|title| title.text().collect());
    let hrefs = html.select(&LINK).filter_map(|link| link.attr("href"));
    (
        title.unwrap_or_default(),
        hrefs.map(str::to_owned).collect(),
    )
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a constant selector that the tests use")
}

/// A drawing inside the page may have a title too; it is not the page's.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Title and links from tags as they go by: nothing is built, nothing can be asked later.
fn read_stream(page: &str) -> (String, Vec<String>) {
    let (title, hrefs) = (RefCell::new(None), RefCell::new(Vec::new()));
    let (is_drawing, is_open) = (Cell::new(false), Cell::new(false));
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("a[href]", |link| {
            let href = link.get_attribute("href");
            hrefs.borrow_mut().extend(href.map(decode));
            Ok(())
        }))
        .append_element_content_handler(element!("svg title", |_| {
            is_drawing.set(true);
            Ok(())
        }))
        .append_element_content_handler(element!("title", |_| {
            is_open.set(!is_drawing.take() && title.borrow().is_none());
            if is_open.get() {
                title.replace(Some(String::new()));
            }
            Ok(())
        }))
        .append_element_content_handler(text!("title", |text| {
            if let Some(title) = title.borrow_mut().as_mut().filter(|_| is_open.get()) {
                title.push_str(text.as_str());
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let read = rewriter
        .write(page.as_bytes())
        .and_then(|()| rewriter.end());
    read.expect("there is no limit to reach and no handler that fails");
    let title = title.into_inner().unwrap_or_default();
    (decode(title), hrefs.into_inner())
}

/// Decodes entities, which the stream leaves as they stand.
fn decode(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    let html = Html::parse_fragment(&text.replace('<', "&lt;"));
    html.root_element().text().collect()
}

/// The pages that the links of a page at `url` lead to on its host, each once.
fn targets(url: &Url, hrefs: &[String]) -> Vec<Url> {
    let mut seen = HashSet::new();
    let targets = hrefs.iter().filter_map(|href| {
        let mut target = url.join(href).ok()?;
        target.set_fragment(None);
        (target.origin() == url.origin() && seen.insert(target.clone())).then_some(target)
    });
    targets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is on a page, whatever it is parsed with.
    fn parsed(page: &str) -> Parsed {
        let parse = |reading| {
            parse_page(PageInput {
                url: Url::parse("http://127.0.0.1:1/a/b.html").expect("a URL"),
                text: page.into(),
                reading,
            })
        };
        let parsed = parse(Reading::Scraper);
        assert_eq!(parsed, parse(Reading::Stream), "{page}");
        parsed
    }

    #[test]
    fn a_title_is_one_line_and_that_of_the_page() {
        for (page, title) in [
            ("<title>\n Tom &amp;\t Jerry&#33;\n</title>", "Tom & Jerry!"),
            ("<title>a &lt;i&gt; <b></title>", "a <i> <b>"),
            ("<title>first</title><title>second</title>", "first"),
            ("<body><svg><title>a drawing</title></svg>", "(no title)"),
            ("<svg><title>1</title></svg><title>2</title>", "2"),
            ("<script><title>1</title></script>", "(no title)"),
            ("<title> </title>", "(no title)"),
            ("", "(no title)"),
            ("{\"title\": \"JSON\"}", "(no title)"),
        ] {
            assert_eq!(parsed(page).title, title, "{page}");
        }
    }

    #[test]
    fn links_are_counted_as_they_stand_and_followed_once_on_the_same_host() {
        let page = parsed(
            "<a href='c.html#x'>1</a> <a href='/d?q=1&amp;r=2'>2</a> <a href='c.html'>3</a> <a name=n>no</a>
             <a href='http://127.0.0.1:2/'>4</a> <a href='https://127.0.0.1:1/'>5</a>
             <a href='mailto:a@b'>6</a> <a href='http://['>7</a> <link href=e.css>
             <!-- <a href=no> --> <style><a href=no></style> <textarea><a href=no></textarea>",
        );
        assert_eq!(page.links, 7);
        let found: Vec<&str> = page.found.iter().map(Url::as_str).collect();
        assert_eq!(
            found,
            [
                "http://127.0.0.1:1/a/c.html",
                "http://127.0.0.1:1/d?q=1&r=2"
            ]
        );
    }
}
