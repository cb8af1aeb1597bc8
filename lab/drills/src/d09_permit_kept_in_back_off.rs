//! Four requests may be in flight. The first four are answered "busy, come back in 10 s", and while
//! they pause, their permits keep all others out. Repair `get`: a request that pauses leaves its
//! place to another, waits as long as it was asked to, and is tried again under a permit.

use lab_drills::d09::Site;

/// Fetches a page under one of 4 permits; where the site is busy, pauses and tries again.
async fn get(site: &Site, page: usize) -> String {
    let _permit = site.permits.acquire().await.unwrap();
    loop {
        match site.fetch(page).await {
            Ok(text) => return text,
            Err(busy) => busy.pause().await,
        }
    }
}

fn main() -> std::process::ExitCode {
    lab_drills::d09::check(get).report()
}
