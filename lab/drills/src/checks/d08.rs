//! Await in a loop.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::time::Duration;
use tokio::time::sleep;

const PAGES: usize = 5;

pub(crate) const DRILL: Drill = Drill {
    number: 8,
    name: "await_in_a_loop",
    lesson: "lab-17-async-basics",
    task: "`fetch_all` awaits one page after another, so the waits add up. Repair it: all requests \
           are in flight at the same time, and the pages come back in the order of their \
           numbers. The crates `futures_util` and `tokio` are at hand.",
    hints: [
        "`.await` in a loop waits for this future before it makes the next one.",
        "Making all futures first is not enough: a future does nothing until something polls it. \
         Something has to poll all of them together.",
        "`futures_util::future::join_all` takes futures and is itself a future of all results, in \
         order.",
    ],
    entry: "fetch_all",
    source: include_str!("d08.rs"),
    candidates: crate::candidates! { fetch_all;
        solution "",
        shipped "each page is awaited before the next is asked for",
        made_then_awaited "the futures are made first, and then polled one by one",
        two_at_a_time "two are in flight, not all",
        as_they_complete "the pages are in the order of their arrival",
        hard_coded "nothing is fetched",
    },
};

/// A site; the later a page's number, the sooner it answers.
pub struct Site(Stage);

impl Site {
    /// Asks for a page, by its number from 0.
    pub fn fetch(&self, page: usize) -> impl Future<Output = String> {
        self.0.note(page, "made");
        async move {
            self.0.enter(page);
            sleep(Duration::from_secs(10 - page as u64)).await;
            self.0.leave(page);
            format!("page {page}")
        }
    }
}

/// Checks a repair.
pub fn check(
    fetch_all: impl AsyncFn(&Site, usize) -> Vec<String> + Copy + Send + 'static,
) -> Verdict {
    judge("page", PAGES, |stage| {
        let site = Site(stage.clone());
        let got = stage.watch_tasks(async move || fetch_all(&site, PAGES).await)?;
        let (asked, most) = (stage.count(None, "enter"), stage.most_inside());
        ensure!(
            asked == PAGES,
            "the site saw {asked} requests for {PAGES} pages"
        );
        let made_first = stage.first(None, "enter") == PAGES;
        ensure!(
            most > 1 || !made_first,
            "all {PAGES} futures were made before the first was polled, and still the site saw {most} request at a time: a future does nothing until it is polled"
        );
        ensure!(
            most > 1,
            "the site saw {most} request at a time: the next page was asked for when the last one was there"
        );
        ensure!(
            most == PAGES,
            "the site saw at most {most} requests at a time, {PAGES} could be in flight"
        );
        let pages: Vec<String> = (0..PAGES).map(|page| format!("page {page}")).collect();
        ensure!(
            got == pages,
            "the pages came back as {got:?}: in the order of their arrival, not of their numbers"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d08::Site;

    /// Fetches the first pages of a site, here 5.
    pub(super) async fn fetch_all(site: &Site, pages: usize) -> Vec<String> {
        let mut got = Vec::new();
        for page in 0..pages {
            got.push(site.fetch(page).await);
        }
        got
    }
}

mod solution {
    use futures_util::future::join_all;
    use lab_drills::d08::Site;

    /// Fetches the first pages of a site, here 5.
    pub(super) async fn fetch_all(site: &Site, pages: usize) -> Vec<String> {
        join_all((0..pages).map(|page| site.fetch(page))).await
    }
}

mod made_then_awaited {
    pub(super) async fn fetch_all(site: &super::Site, pages: usize) -> Vec<String> {
        let futures: Vec<_> = (0..pages).map(|page| site.fetch(page)).collect();
        let mut got = Vec::new();
        for future in futures {
            got.push(future.await);
        }
        got
    }
}

mod two_at_a_time {
    use futures_util::{StreamExt, stream};

    pub(super) async fn fetch_all(site: &super::Site, pages: usize) -> Vec<String> {
        let futures = stream::iter((0..pages).map(|page| site.fetch(page)));
        futures.buffered(2).collect().await
    }
}

mod as_they_complete {
    use futures_util::{StreamExt, stream::FuturesUnordered};

    pub(super) async fn fetch_all(site: &super::Site, pages: usize) -> Vec<String> {
        let futures: FuturesUnordered<_> = (0..pages).map(|page| site.fetch(page)).collect();
        futures.collect().await
    }
}

mod hard_coded {
    pub(super) async fn fetch_all(_: &super::Site, pages: usize) -> Vec<String> {
        (0..pages).map(|page| format!("page {page}")).collect()
    }
}
