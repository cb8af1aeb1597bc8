//! Parses 500 HTML files in worker processes: `cargo run --example pages [FOLDER]`.
//!
//! Without a folder it makes one. A page that cannot be read costs no other page anything.

use process_pool::{Worker, child};
use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process,
};

const PARSE: Worker<PathBuf, Result<Page, String>> = Worker::new("parse", |file| {
    parse(&file).map_err(|error| error.to_string())
});

/// What is wanted of a page.
#[derive(serde::Serialize, serde::Deserialize)]
struct Page {
    title: String,
    links: usize,
}

fn parse(file: &Path) -> io::Result<Page> {
    let text = fs::read_to_string(file)?;
    let title = text.split_once("<title>").map_or("", |(_, rest)| rest);
    let title = title.split_once("</title>").map_or("", |(title, _)| title);
    Ok(Page {
        title: title.trim().to_owned(),
        links: text.matches("<a href=").count(),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    child::enter(&[&PARSE]);
    let named = env::args_os().nth(1).map(PathBuf::from);
    let folder = match &named {
        Some(folder) => folder.clone(),
        None => make_pages(500)?,
    };
    let files: Result<Vec<_>, _> = fs::read_dir(&folder)?.collect();
    let files = files?.into_iter().map(|entry| entry.path());
    let pool = PARSE.pool_builder().start()?;
    let (mut pages, mut links, mut longest) = (0, 0, String::new());
    for (_, outcome) in pool.map_unordered(files.collect::<Vec<_>>()) {
        match outcome? {
            Ok(page) => {
                pages += 1;
                links += page.links;
                longest = longest.max(page.title);
            }
            Err(error) => println!("a page cannot be read: {error}"),
        }
    }
    if named.is_none() {
        fs::remove_dir_all(folder)?;
        assert_eq!((pages, links, &*longest), (500, 500 * 499 / 2, "Page 499"));
    }
    println!("{pages} pages, {links} links, the last title is `{longest}`");
    Ok(())
}

/// Pages 0 to `count - 1`, with as many links as their number.
fn make_pages(count: usize) -> io::Result<PathBuf> {
    let folder = env::temp_dir().join(format!("pages-{}", process::id()));
    fs::create_dir(&folder)?;
    for number in 0..count {
        let links = "<a href='/'>home</a>\n".repeat(number);
        let page = format!("<html><title>Page {number:03}</title><body>{links}</body></html>");
        fs::write(folder.join(format!("{number}.html")), page)?;
    }
    Ok(folder)
}
