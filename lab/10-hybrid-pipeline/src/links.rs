//! A crawl: pages, those that they link to, and so on.

use crate::Outcome;
use std::collections::HashSet;
use web::Url;

/// One page of a crawl: where it is, whether a link led to it or it was asked for, and its result.
pub type PageReport = (Url, bool, Outcome);

/// Crawls these pages, then those that they link to, and so on, up to `limit`, each once.
///
/// One generation after the other: so the pages of a crawl do not depend on who was faster.
pub async fn follow_links(
    mut urls: Vec<Url>,
    limit: usize,
    crawl: impl AsyncFn(&[Url]) -> Vec<Outcome>,
) -> Vec<PageReport> {
    let (mut pages, mut seen) = (Vec::<PageReport>::new(), HashSet::new());
    loop {
        urls.iter_mut().for_each(|url| url.set_fragment(None));
        urls.retain(|url| seen.insert(url.clone()));
        urls.truncate(limit - pages.len());
        if urls.is_empty() {
            return pages;
        }
        let (is_found, mut found) = (!pages.is_empty(), Vec::new());
        let outcomes = crawl(&urls).await;
        for (url, mut outcome) in urls.into_iter().zip(outcomes) {
            if let Ok((.., targets)) = &mut outcome {
                found.append(targets);
            }
            pages.push((url, is_found, outcome));
        }
        urls = found;
    }
}
