//! `fetch_all` awaits one page after another, so the waits add up. Repair it: all requests are in
//! flight at the same time, and the pages come back in the order of their numbers. The crates
//! `futures_util` and `tokio` are at hand.

use lab_drills::d08::Site;

/// Fetches the first pages of a site, here 12.
async fn fetch_all(site: &Site, pages: usize) -> Vec<String> {
    let mut got = Vec::new();
    for page in 0..pages {
        got.push(site.fetch(page).await);
    }
    got
}

fn main() -> std::process::ExitCode {
    lab_drills::d08::check(fetch_all).report()
}
