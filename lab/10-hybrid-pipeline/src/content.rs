//! What every way of parsing takes from a page: its title and its links.

use crate::fetch::same_host;
use std::collections::HashSet;
use web::Url;

/// What stands on a page, entities decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The text of the first title of the page; titles of drawings are none of it.
    pub title: String,
    /// The `href` of each `a` that has one, in their order.
    pub hrefs: Texts,
    /// The `href` of each `base` that has one.
    pub bases: Texts,
}

/// Many short texts in one allocation; a page has hundreds of links.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds one.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = &self.all[start..end];
            start = end;
            text
        })
    }
}

impl Content {
    /// The title in one line; pages without a title say so.
    pub fn title_line(&self) -> String {
        let words: Vec<&str> = self.title.split_whitespace().collect();
        if words.is_empty() {
            return "(no title)".into();
        }
        words.join(" ")
    }

    /// The pages that the links of a page at `url` lead to on its host, each once.
    pub fn targets(&self, url: &Url) -> Vec<String> {
        let base = self.bases.iter().find_map(|base| url.join(base).ok());
        let base = base.as_ref().unwrap_or(url);
        let (mut asked, mut seen) = (HashSet::new(), HashSet::new());
        // Most links of a page go to other places on a few pages: cut first, what is known already
        // need not be resolved.
        let pages = self.hrefs.iter().map(without_fragment);
        pages
            .filter(|href| asked.insert(*href))
            .filter_map(|href| {
                let mut target = base.join(href).ok()?;
                target.set_fragment(None);
                same_host(&target, url).then(|| String::from(target))
            })
            .filter(|target| seen.insert(target.clone()))
            .collect()
    }
}

fn without_fragment(href: &str) -> &str {
    href.split('#').next().unwrap_or_default()
}
