//! Await in a loop.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use std::time::Duration;
use tokio::time::sleep;

/// So many that their texts sort otherwise than their numbers.
const PAGES: usize = 12;

pub(crate) const DRILL: Drill = Drill {
    number: 8,
    name: "await_in_a_loop",
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
        turned_round "the order of arrival is turned round, which fits one site only",
        sorted "the pages are sorted by their texts",
        fixed_number "so many are fetched as the first run asks for",
        hard_coded "nothing is fetched",
    },
};

/// A site; in a first run a page answers the sooner the later its number, in a second in mixed order.
pub struct Site(Stage);

impl Site {
    /// Asks for a page, by its number from 0.
    pub fn fetch(&self, page: usize) -> impl Future<Output = String> {
        if page + 1 == PAGES && self.0.count(None, "enter") == 0 {
            self.0.note(page, MADE);
        }
        let turn = match self.0.last_first() {
            true => page * 5 % PAGES,
            false => PAGES - page % PAGES,
        };
        async move {
            self.0.enter(page);
            sleep(Duration::from_secs(turn as u64 + 1)).await;
            self.0.leave(page);
            format!("page {page}")
        }
    }
}

/// A note with the last future, where none was polled before.
const MADE: &str = "all made";

/// Checks a repair.
pub fn check(
    fetch_all: impl AsyncFn(&Site, usize) -> Vec<String> + Copy + Send + 'static,
) -> Verdict {
    let mut verdict = judge("page", PAGES, |stage| {
        let site = Site(stage.clone());
        // Another number in the second run, too.
        let wanted = PAGES - usize::from(stage.last_first());
        let got = stage.watch_tasks(async move || fetch_all(&site, wanted).await)?;
        let (asked, most) = (stage.count(None, "enter"), stage.most_inside());
        ensure!(
            asked == wanted,
            "the site saw {asked} requests for {wanted} pages"
        );
        let made_first = stage.count(None, MADE) > 0;
        ensure!(
            most > 1 || !made_first,
            "all {wanted} futures were made before the first was polled, and still the site saw {most} request at a time: a future does nothing until it is polled"
        );
        ensure!(
            most > 1,
            "the site saw {most} request at a time: the next page was asked for when the last one was there"
        );
        ensure!(
            most == wanted,
            "the site saw at most {most} requests at a time, {wanted} could be in flight"
        );
        in_order(&got, wanted, stage.last_first())
    });
    let asked = verdict.events.iter().map(|(page, _)| page + 1).max();
    let name = |page| format!("page {page}");
    verdict.names = (0..asked.unwrap_or(0)).map(name).collect();
    verdict
}

/// The pages are in the order of their numbers.
fn in_order(got: &[String], wanted: usize, is_second: bool) -> anyhow::Result<()> {
    let mut pages: Vec<String> = (0..wanted).map(|page| format!("page {page}")).collect();
    if got == pages {
        return Ok(());
    }
    let first = got.first().map_or("nothing", String::as_str);
    pages.sort();
    ensure!(
        got != pages,
        "the pages are sorted by their texts, so `page 10` comes before `page 2`"
    );
    ensure!(
        !is_second,
        "the pages began with {first} when the site answered in another order: theirs must not depend on that of the site"
    );
    bail!("the pages began with {first}: in the order of their arrival, not of their numbers")
}

mod shipped {
    use lab_drills::d08::Site;

    /// Fetches the first pages of a site, here 12.
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

    /// Fetches the first pages of a site, here 12.
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

mod turned_round {
    use futures_util::{StreamExt, stream::FuturesUnordered};

    pub(super) async fn fetch_all(site: &super::Site, pages: usize) -> Vec<String> {
        let futures: FuturesUnordered<_> = (0..pages).map(|page| site.fetch(page)).collect();
        let mut got: Vec<String> = futures.collect().await;
        got.reverse();
        got
    }
}

mod sorted {
    pub(super) async fn fetch_all(site: &super::Site, pages: usize) -> Vec<String> {
        let mut got = super::solution::fetch_all(site, pages).await;
        got.sort();
        got
    }
}

mod fixed_number {
    pub(super) async fn fetch_all(site: &super::Site, _: usize) -> Vec<String> {
        super::solution::fetch_all(site, 12).await
    }
}

mod hard_coded {
    pub(super) async fn fetch_all(_: &super::Site, pages: usize) -> Vec<String> {
        (0..pages).map(|page| format!("page {page}")).collect()
    }
}
