//! The lab's own pages: made by the seed, with true titles, linked so that each can be reached; and a
//! directory, shown as it is and no further.

use super::{
    Lab,
    asked::{Answer, wait},
    httpbin::bad_request,
    mix,
};
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use maud::{DOCTYPE, PreEscaped, html};
use serde::Deserialize;
use std::{fs, iter, path::PathBuf, sync::Arc};
use tokio::time;

/// The size of a page unless `?size=` says otherwise, and the largest one.
const SIZE_DEFAULT: usize = 8 * 1024;
const SIZE_LIMIT: usize = 8 << 20;

/// How many pages there are unless `?count=` says otherwise, and the most.
const COUNT_DEFAULT: u32 = 100;
const COUNT_LIMIT: u32 = 1_000_000;

/// Links to pages drawn by the seed, besides the one to the next page.
const DRAWN_LINKS: u64 = 4;

const SUBJECTS: [&str; 6] = ["threads", "locks", "queues", "tasks", "pools", "futures"];
const WORDS: [&str; 16] = [
    "a", "worker", "waits", "while", "another", "runs", "and", "the", "queue", "fills", "until",
    "some", "task", "is", "done", "again",
];

#[derive(Deserialize)]
struct Shape {
    size: Option<usize>,
    count: Option<u32>,
    /// How many seconds the page is held back; its links ask for none.
    delay: Option<f64>,
}

pub(super) fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/page/{n}", get(page))
        .route("/files", get(file))
        .route("/files/", get(file))
        .route("/files/{*path}", get(file))
}

/// The title of generated page `n`, as a reader sees it: entities are resolved.
pub fn page_title(seed: u64, n: u32) -> String {
    let draw = mix(seed, u64::from(n));
    let pick = |shift: u32| SUBJECTS[(draw >> shift) as usize % SUBJECTS.len()];
    match n % 3 {
        // One title in three holds what HTML must escape.
        0 => format!("Page {n}: {} & \"{}\" <together>", pick(0), pick(16)),
        1 => format!("Page {n}: {} and {}", pick(0), pick(16)),
        _ => format!("Page {n}: all about {}", pick(0)),
    }
}

async fn page(
    State(lab): State<Arc<Lab>>,
    Path(n): Path<u32>,
    Query(shape): Query<Shape>,
) -> Answer {
    let size = shape.size.unwrap_or(SIZE_DEFAULT);
    let count = shape.count.unwrap_or(COUNT_DEFAULT);
    if size > SIZE_LIMIT || !(1..=COUNT_LIMIT).contains(&count) {
        let text = format!("size is at most {SIZE_LIMIT}, count from 1 to {COUNT_LIMIT}\n");
        return Err(bad_request(text));
    }
    if let Some(seconds) = shape.delay {
        time::sleep(wait(seconds)?).await;
    }
    Ok(Html(render(lab.config.seed, n, size, count)).into_response())
}

/// Page `n`: of exactly `size` bytes, or as many as its title and links need.
fn render(seed: u64, n: u32, size: usize, count: u32) -> String {
    let (title, own) = (page_title(seed, n), mix(seed, u64::from(n)));
    let drawn = (0..DRAWN_LINKS).map(|link| mix(own, link) % u64::from(count));
    // The next page's link makes a ring, so that a crawl from anywhere reaches every page.
    let next = (u64::from(n) + 1) % u64::from(count);
    let links: Vec<u64> = iter::once(next).chain(drawn).collect();
    let page_around = |text: &str| {
        let page = html! {
            (DOCTYPE)
            html {
                head { meta charset="utf-8"; title { (title) } }
                body {
                    h1 { (title) }
                    ul {
                        @for n in &links {
                            li { a href={ "/page/" (n) "?size=" (size) "&count=" (count) } { "page " (n) } }
                        }
                    }
                    p { (PreEscaped(text)) }
                }
            }
        };
        page.into_string()
    };
    page_around(&text(own, size.saturating_sub(page_around("").len())))
}

/// Words and new paragraphs by the seed, of exactly this length.
fn text(seed: u64, length: usize) -> String {
    let mut text = String::with_capacity(length);
    for position in 0.. {
        let draw = mix(seed ^ 1, position);
        let piece = match draw >> 32 & 1 {
            0 => "</p>\n<p>",
            _ => WORDS[draw as usize % WORDS.len()],
        };
        let room = length - text.len();
        if piece.len() >= room {
            text.extend(iter::repeat_n('.', room));
            break;
        }
        text.extend([piece, " "]);
    }
    text
}

/// What lies there in the directory that is shown.
async fn file(State(lab): State<Arc<Lab>>, path: Option<Path<String>>, uri: Uri) -> Answer {
    let missing = || {
        let text = format!("no such file: `{}`\n", uri.path());
        (StatusCode::NOT_FOUND, text)
    };
    let root = lab.config.files.as_deref().ok_or_else(missing)?;
    // The file system has the last word, links included.
    let inside = |path: PathBuf| {
        let path = path.canonicalize().ok();
        path.filter(|path| path.starts_with(root))
    };
    let path = path.map(|Path(path)| path).unwrap_or_default();
    let mut found = inside(root.join(path));
    if let Some(directory) = found.as_ref().filter(|found| found.is_dir()) {
        if !uri.path().ends_with('/') {
            // Relative links in the directory's index need the slash.
            return Ok(Redirect::permanent(&format!("{}/", uri.path())).into_response());
        }
        found = inside(directory.join("index.html"));
    }
    // A pipe or a device might hold the reader up for ever.
    let found = found.filter(|found| found.is_file()).ok_or_else(missing)?;
    let bytes = fs::read(&found).map_err(|_| missing())?;
    let kind = mime_guess::from_path(found).first_or_octet_stream();
    Ok(([(header::CONTENT_TYPE, kind.as_ref())], bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_size_asked_for() {
        for size in [1_000, 1_001, 4_096, 100_000] {
            for n in 0..10 {
                assert_eq!(render(7, n, size, 100).len(), size, "page {n}");
            }
        }
        assert!(render(7, 0, 0, 100).ends_with("</html>"));
    }

    #[test]
    fn the_seed_decides_what_a_page_holds() {
        assert_eq!(render(7, 3, 2_000, 10), render(7, 3, 2_000, 10));
        assert_ne!(render(7, 3, 2_000, 10), render(8, 3, 2_000, 10));
    }

    #[test]
    fn titles_are_escaped_in_the_page_and_plain_for_the_reader() {
        assert!(page_title(1, 3).contains(" & "));
        assert!(render(1, 3, 0, 10).contains(" &amp; "));
        assert!(page_title(1, 4).starts_with("Page 4: "));
    }

    #[test]
    fn the_last_page_links_to_the_first() {
        assert!(render(1, 9, 0, 10).contains("\"/page/0?"));
        assert!(render(1, u32::MAX, 0, 10).contains("\"/page/"));
    }
}
