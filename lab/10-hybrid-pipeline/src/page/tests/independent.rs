//! The same pages read by another parser, lexbor, where `python3` has `selectolax`.

use super::*;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    sync::{LazyLock, Mutex},
};

/// Answers each page, a line of JSON, with its title and its links. lexbor keeps the namespace of an
/// element to itself: what belongs to a drawing is known by what it stands in.
const SCRIPT: &str = r#"
import json, sys
from selectolax.lexbor import LexborHTMLParser
HTML = {"foreignobject", "desc", "title", "mi", "mo", "mn", "ms", "mtext"}
def is_html(node):
    while node := node.parent:
        if node.tag.lower() in HTML: return True
        if node.tag in ("svg", "math"): return False
    return True
print(flush=True)
for line in sys.stdin:
    page = LexborHTMLParser(json.loads(line))
    title = next((t.text(deep=True) for t in page.css("title") if is_html(t)), "")
    links = sum(is_html(a) for a in page.css("a[href]"))
    print(json.dumps([title, links]), flush=True)
"#;

type Other = Mutex<(ChildStdin, BufReader<ChildStdout>)>;

static OTHER: LazyLock<Option<Other>> = LazyLock::new(|| {
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let ask = child.stdin.take()?;
    let mut answers = BufReader::new(child.stdout.take()?);
    // It ends with this process, whose pipe it reads.
    let is_there = answers.read_line(&mut String::new()).ok()? > 0;
    is_there.then(|| Mutex::new((ask, answers)))
});

/// Holds a page against the other parser, if that is there.
pub(super) fn compare(page: &str, ours: &Parsed) {
    let Some(other) = &*OTHER else { return };
    let mut other = other.lock().expect("no test has failed in here");
    let (ask, answers) = &mut *other;
    let asked = serde_json::to_string(page).expect("a string") + "\n";
    ask.write_all(asked.as_bytes()).expect("it listens");
    let mut answer = String::new();
    answers.read_line(&mut answer).expect("it answers");
    drop(other);
    let (title, links): (String, usize) = serde_json::from_str(&answer).expect("a line of JSON");
    let words: Vec<&str> = title.split_ascii_whitespace().collect();
    let title = match words.is_empty() {
        true => "(no title)".into(),
        false => words.join(" "),
    };
    assert_eq!((&title, links), (&ours.0, ours.1), "{page}");
}

/// Some `least` pages, evenly chosen from those below a folder.
fn pages_below(folder: &Path, least: usize) -> Vec<PathBuf> {
    let (mut folders, mut pages) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|it| it == "html") => pages.push(path),
                _ => {}
            }
        }
    }
    pages.sort();
    let step = (pages.len() / least).max(1);
    pages.into_iter().step_by(step).collect()
}

#[test]
fn pages_of_the_rust_documentation_have_the_titles_and_links_that_another_parser_finds() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(sysroot.expect("rustc runs").stdout).expect("a path");
    let folder = Path::new(sysroot.trim()).join("share/doc/rust/html");
    let (pages, mut links) = (pages_below(&folder, 2_000), 0);
    for page in &pages {
        let page = String::from_utf8_lossy(&fs::read(page).expect("a page")).into_owned();
        let found = parsed(&page);
        links += found.1;
        assert_eq!(run(&STREAM, &page), found, "{page}");
    }
    let who = match &*OTHER {
        Some(_) => "lexbor finds the same",
        None => "python3 has no selectolax to compare with",
    };
    println!("case: {} pages, {links} links: {who}", pages.len());
}
