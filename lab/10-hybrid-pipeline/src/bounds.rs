//! What a page may cost: a page of some kilobytes can be made to take gigabytes, or minutes.

use scraper::Html;
use std::time::{Duration, Instant};

/// The most elements inside each other; what a new one costs grows with those that are open.
const DEPTH: usize = 5_000;

/// The most nodes of a tree, and so many beyond a node for every byte of a page.
const NODES: usize = 2_000_000;
const NODES_BESIDE: usize = 1_000;

/// The longest that a page is parsed: attributes of one tag are compared with each other.
const TIME: Duration = Duration::from_secs(10);

/// The bounds of one page.
#[derive(Debug)]
pub(crate) struct Bounds {
    nodes: usize,
    start: Instant,
}

impl Bounds {
    pub(crate) fn of(page: &str) -> Self {
        Self {
            nodes: NODES.min(page.len() + NODES_BESIDE),
            start: Instant::now(),
        }
    }

    /// The bounds of a page whose time is over.
    #[cfg(test)]
    pub(crate) fn past() -> Self {
        let start = Instant::now().checked_sub(TIME);
        let start = start.expect("the machine has run for so long");
        Self { nodes: 0, start }
    }

    pub(crate) fn check_time(&self) -> Result<(), String> {
        match self.start.elapsed() < TIME {
            true => Ok(()),
            false => Err(format!("it takes more than {} s", TIME.as_secs())),
        }
    }

    pub(crate) fn check_tree(&self, html: &Html) -> Result<(), String> {
        self.check_time()?;
        let mut nodes = html.tree.nodes();
        if nodes.len() > self.nodes {
            return Err(format!("its tree has more than {} nodes", self.nodes));
        }
        match nodes.next_back() {
            Some(last) if last.ancestors().count() > DEPTH => {
                Err(format!("more than {DEPTH} elements are inside each other"))
            }
            _ => Ok(()),
        }
    }
}

/// A page in pieces of so many bytes, whole characters each.
pub(crate) fn pieces(page: &str, bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let (piece, more) = rest.split_at(rest.ceil_char_boundary(bytes.min(rest.len())));
        rest = more;
        (!piece.is_empty()).then_some(piece)
    })
}
