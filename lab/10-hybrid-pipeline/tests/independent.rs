//! Titles and links, found again by a tokenizer that shares no code with the lesson's parser.

use common::http::{Server, ServerConfig, Url, blocking_agent, get_blocking};
use html5gum::{DefaultEmitter, Token, Tokenizer};
use lab_10_hybrid_pipeline::parse::{PageInput, parse_page};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Pages of the documentation that are compared, spread over all of it.
const SAMPLE: usize = 200;

/// The title and the number of links as the tokenizer sees them.
fn told_otherwise(text: &str) -> (String, u32) {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let (mut title, mut links) = (String::new(), 0);
    let (mut inside, mut closed) = (false, false);
    for token in Tokenizer::new_with_emitter(text, emitter).flatten() {
        match token {
            Token::StartTag(tag) if &tag.name[..] == b"title" => inside = !closed,
            Token::EndTag(tag) if &tag.name[..] == b"title" => (inside, closed) = (false, true),
            Token::String(words) if inside => title.push_str(&String::from_utf8_lossy(&words)),
            Token::StartTag(tag) if &tag.name[..] == b"a" => {
                links += u32::from(tag.attributes.keys().any(|name| &name[..] == b"href"));
            }
            _ => {}
        }
    }
    (
        title.split_whitespace().collect::<Vec<_>>().join(" "),
        links,
    )
}

fn assert_same(url: &Url, body: Vec<u8>) {
    let text = String::from_utf8(body).expect("these pages are UTF-8");
    let expected = told_otherwise(&text);
    let parsed = parse_page(PageInput {
        url: url.clone(),
        content_type: Some("text/html".into()),
        body: text.into_bytes(),
        follow: false,
    })
    .expect("no page for readers is nested so deeply");
    assert_eq!((parsed.title, parsed.links), expected, "{url}");
}

#[test]
fn generated_pages_have_the_same_title_and_links_for_both() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let agent = blocking_agent(Duration::from_secs(30));
    for page in 0..9 {
        let url = server.url(&format!("page/{page}?size=20000&count=9"));
        let page = get_blocking(&agent, &url).expect("a page");
        assert_same(&url, page.body);
    }
}

#[test]
fn pages_of_the_documentation_have_the_same_title_and_links_for_both() {
    let Some(folder) = documentation() else {
        eprintln!("skipped: this toolchain has no documentation installed");
        return;
    };
    let mut pages = Vec::new();
    find_pages(&folder, &mut pages);
    pages.sort_unstable();
    let every = pages.len().div_ceil(SAMPLE).max(1);
    for page in pages.iter().step_by(every) {
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
