//! Titles and links, found again by a parser that shares no code with the lesson's two.

use lab_10_hybrid_pipeline::{
    content::Content, nesting::parse_bounded, stream::read_stream, tree::read_tree,
};
use lol_html::{HtmlRewriter, Settings, element, text};
use scraper::Html;
use std::{
    cell::{Cell, RefCell},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use web::{Server, ServerConfig, Url, blocking_agent, get_blocking};

/// Pages that are compared, spread over all of the documentation.
const SAMPLE: usize = 2_000;

const HTML: &str = "http://www.w3.org/1999/xhtml";

/// The title, entities not decoded, and the number of links, as lol_html sees them.
fn told_otherwise(page: &str) -> (String, usize) {
    let (links, titles) = (Cell::new(0), Cell::new(0));
    let title = RefCell::new(String::new());
    let settings = Settings::new()
        .with_strict(false)
        .append_element_content_handler(element!("a[href]", |_| {
            links.set(links.get() + 1);
            Ok(())
        }))
        .append_element_content_handler(element!("title", |title| {
            titles.set(titles.get() + usize::from(title.namespace_uri() == HTML));
            Ok(())
        }))
        .append_element_content_handler(text!("title", |text| {
            if titles.get() == 1 {
                title.borrow_mut().push_str(text.as_str());
            }
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter
        .write(page.as_bytes())
        .expect("it is no memory hog");
    rewriter.end().expect("there is no handler that fails");
    (title.into_inner(), links.get())
}

/// Decodes the few entities that titles have; another one shows as a difference.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, char) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
    ] {
        text = text.replace(entity, char);
    }
    text.replace("&amp;", "&")
}

fn in_one_line(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_same(url: &Url, body: Vec<u8>) {
    let text = String::from_utf8(body).expect("these pages are UTF-8");
    let tree = read_tree(&text).expect("no page for readers is nested so deeply");
    let told = |content: &Content| (in_one_line(&content.title), content.hrefs.len());
    let (title, links) = told_otherwise(&text);
    assert_eq!(told(&tree), (in_one_line(&decoded(&title)), links), "{url}");
    let usual = Html::parse_document(&text);
    assert!(parse_bounded(&text) == Ok(usual), "{url}: another tree");
    // Every link as it stands, and more than its number.
    assert_eq!(read_stream(&text), tree, "{url}");
}

#[test]
fn generated_pages_have_the_same_title_and_links_for_all() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let agent = blocking_agent(Duration::from_secs(30));
    // Where the documentation is installed, that is the test; these few show that a page can come.
    let (pages, size) = documentation().map_or((SAMPLE, 5_000), |_| (50, 20_000));
    for page in 0..pages {
        let url = server.url(&format!("page/{page}?size={size}&count={pages}"));
        let page = get_blocking(&agent, &url).expect("a page");
        assert_same(&url, page.body);
    }
}

#[test]
fn pages_of_the_documentation_have_the_same_title_and_links_for_all() {
    let Some(folder) = documentation() else {
        eprintln!("skipped: this toolchain has no documentation installed");
        return;
    };
    let mut pages = Vec::new();
    find_pages(&folder, &mut pages);
    pages.sort_unstable();
    for number in 0..SAMPLE.min(pages.len()) {
        let page = &pages[number * pages.len() / SAMPLE.min(pages.len())];
        let url = Url::from_file_path(page).expect("an absolute path");
        assert_same(&url, fs::read(page).expect("it was listed"));
    }
}

fn documentation() -> Option<PathBuf> {
    let answer = Command::new("rustc").args(["--print", "sysroot"]).output();
    let answer = String::from_utf8(answer.ok()?.stdout).ok()?;
    let folder = PathBuf::from(answer.trim()).join("share/doc/rust/html");
    folder.join("index.html").is_file().then_some(folder)
}

/// Adds every page in `folder`, save the guides' "print all" pages, which are whole books.
fn find_pages(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_pages(&path, pages);
        } else if path.extension().is_some_and(|kind| kind == "html")
            && !path.ends_with("print.html")
        {
            pages.push(path);
        }
    }
}
