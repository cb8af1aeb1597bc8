//! The pages, the same for every row: bytes in a folder, and what is on each.

use anyhow::{Context, ensure};
use lab_10_hybrid_pipeline::page::{Input, TREE};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;
use web::{Server, ServerConfig, Url, blocking_agent, get_blocking};

/// In a drawing `xlink:href` is another attribute than `href`, which lexbor's selectors do not know; so
/// pages with such links have no answer that all give.
const DISPUTED: &[u8] = b"xlink:href";

const PAGES: usize = 200;
const PAGES_IN_TEST: usize = 8;

/// Title and number of links.
pub(super) type Answer = (String, usize);

pub(super) struct Pages {
    folder: TempDir,
    bodies: Vec<Vec<u8>>,
    pub(super) answers: Vec<Answer>,
    /// What pages these are.
    pub(super) note: String,
}

impl Pages {
    /// Pages of the toolchain's documentation where it is installed, generated ones otherwise.
    pub(super) fn choose(is_test: bool) -> anyhow::Result<Self> {
        let count = if is_test { PAGES_IN_TEST } else { PAGES };
        let (from, bodies) = match documentation() {
            Some(folder) => ("of the Rust documentation", documented(&folder, count)?),
            None => ("made up by the lab's server", generated(count)?),
        };
        ensure!(bodies.len() == count, "there are too few pages");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.context("no temporary folder")?;
        for (number, body) in bodies.iter().enumerate() {
            fs::write(folder.path().join(name_of(number)), body)?;
        }
        let kib = bodies.iter().map(Vec::len).sum::<usize>() / count / 1024;
        let mut pages = Self {
            folder,
            bodies,
            answers: Vec::new(),
            note: format!(
                "{count} pages {from}, {kib} KiB on average; every row finds the same titles and links"
            ),
        };
        pages.answers = pages.read();
        // Peers compare theirs with these.
        let path = pages.folder.path().join("answers.json");
        fs::write(path, serde_json::to_string(&pages.answers)?)?;
        Ok(pages)
    }

    fn read(&self) -> Vec<Answer> {
        let pages = self.inputs().into_iter().map(|input| TREE.run_here(input));
        pages.map(|(title, links, _)| (title, links)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn bodies(&self) -> &[Vec<u8>] {
        &self.bodies
    }

    /// What the lesson's parser is given, a copy of each page.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let url = Url::parse("http://127.0.0.1/files/page.html").expect("a constant URL");
        let inputs = self.bodies.iter().map(|body| {
            let text = String::from_utf8_lossy(body).into_owned();
            (url.clone(), text)
        });
        inputs.collect()
    }

    /// Where a server of this folder has them.
    pub(super) fn urls(&self, server: &Server) -> Vec<Url> {
        let numbers = 0..self.len();
        let urls = numbers.map(|number| server.url(&format!("files/{}", name_of(number))));
        urls.collect()
    }
}

fn name_of(number: usize) -> String {
    format!("{number:04}.html")
}

fn documentation() -> Option<PathBuf> {
    let answer = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(answer.ok()?.stdout).ok()?;
    let folder = PathBuf::from(sysroot.trim()).join("share/doc/rust/html");
    folder.join("index.html").is_file().then_some(folder)
}

/// So many pages, spread over the folder.
fn documented(folder: &Path, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    find_pages(folder, &mut paths);
    paths.sort_unstable();
    ensure!(paths.len() >= count, "`{}` is empty", folder.display());
    let mut bodies = Vec::new();
    for number in 0..count {
        // Its neighbours stand in for a page with no answer that all give.
        let mut near = paths[number * paths.len() / count..].iter();
        while bodies.len() == number {
            let path = near.next().context("no page is left to stand in")?;
            let body =
                fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            if !body.windows(DISPUTED.len()).any(|part| part == DISPUTED) {
                bodies.push(body);
            }
        }
    }
    Ok(bodies)
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

fn generated(count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let server = Server::in_process(0, ServerConfig::default())?;
    let agent = blocking_agent(Duration::from_secs(10));
    let urls = (0..count).map(|n| server.url(&format!("page/{n}?size=10000&count={count}")));
    urls.map(|url| Ok(get_blocking(&agent, &url)?.body))
        .collect()
}
