//! A permit that is kept during back-off.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::time::Duration;
use tokio::time::sleep;

const REQUESTS: usize = 8;
const LIMIT: usize = 4;

pub(crate) const DRILL: Drill = Drill {
    number: 9,
    name: "permit_kept_in_back_off",
    task: "Four requests may be in flight. The first four are answered \"busy, come back in 10 s\", \
           and while they pause, their permits keep all others out. Repair `get`: a request that \
           pauses leaves its place to another, waits as long as it was asked to, and is tried again \
           under a permit.",
    hints: [
        "What does the semaphore protect: a request from its first try to its answer, or each try?",
        "The permit must be dropped before the pause, and a new one acquired after it.",
        "Move `acquire` into the loop and give the permit a scope that ends before `pause`, or call \
         `drop(permit)`.",
    ],
    entry: "get",
    source: include_str!("d09.rs"),
    candidates: crate::candidates! { get;
        solution "",
        shipped "the permit is kept during the pause",
        retries_without_permit "the second try has no permit",
        no_pause "it tries again at once",
        no_limit "the semaphore is gone",
        gives_up "a busy answer is not tried again",
    },
};

/// A site under load.
pub struct Site {
    stage: Stage,
    /// At most so many requests may be in flight.
    pub permits: tokio::sync::Semaphore,
}

/// An answer that asks to come back later.
#[derive(Debug)]
pub struct Busy(usize, Stage);

impl Busy {
    /// Waits for as long as the site asked.
    pub async fn pause(&self) {
        self.1.note(self.0, "pauses");
        sleep(Duration::from_secs(10)).await;
        self.1.note(self.0, "has paused");
    }
}

impl Site {
    /// Asks for a page, by its number from 0.
    ///
    /// # Errors
    /// The site is busy.
    pub async fn fetch(&self, page: usize) -> Result<String, Busy> {
        let tried = self.stage.count(Some(page), "enter");
        self.stage.enter(page);
        let first_in_line = page < LIMIT;
        sleep(Duration::from_secs(if first_in_line { 1 } else { 30 })).await;
        self.stage.leave(page);
        if tried == 0 && first_in_line {
            return Err(Busy(page, self.stage.clone()));
        }
        Ok(format!("page {page}"))
    }
}

/// Checks a repair.
pub fn check(get: impl AsyncFn(&Site, usize) -> String + Copy + Send + 'static) -> Verdict {
    judge("request", REQUESTS, |stage| {
        let site = Site {
            stage: stage.clone(),
            permits: tokio::sync::Semaphore::new(LIMIT),
        };
        let got = stage.watch_tasks(async move || {
            let all = (0..REQUESTS).map(|page| get(&site, page));
            futures_util::future::join_all(all).await
        })?;
        let most = stage.most_inside();
        let paused = stage.count(None, "has paused");
        let pages = got.iter().filter(|page| page.starts_with("page")).count();
        ensure!(
            pages == REQUESTS,
            "{pages} of {REQUESTS} requests have their page; {LIMIT} were told to come back and did not"
        );
        ensure!(
            paused == LIMIT,
            "{paused} of {LIMIT} requests that were told to come back in 10 s paused before they did"
        );
        let at_first = stage.most_inside_before(stage.first(None, "pauses"));
        ensure!(
            at_first <= LIMIT,
            "the site saw {most} requests at a time, {LIMIT} are allowed: nothing limits them"
        );
        ensure!(
            most <= LIMIT,
            "the site saw {most} requests at a time, {LIMIT} are allowed: those that had paused came back without a permit"
        );
        ensure!(
            stage.first(Some(LIMIT), "enter") < stage.first(Some(0), "has paused"),
            "while request 1 paused, its permit kept request {} out: the site saw 0 in flight, {LIMIT} are allowed",
            LIMIT + 1
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d09::Site;

    /// Fetches a page under one of 4 permits; where the site is busy, pauses and tries again.
    pub(super) async fn get(site: &Site, page: usize) -> String {
        let _permit = site.permits.acquire().await.unwrap();
        loop {
            match site.fetch(page).await {
                Ok(text) => return text,
                Err(busy) => busy.pause().await,
            }
        }
    }
}

mod solution {
    use lab_drills::d09::Site;

    /// Fetches a page under one of 4 permits; where the site is busy, pauses and tries again.
    pub(super) async fn get(site: &Site, page: usize) -> String {
        loop {
            let permit = site.permits.acquire().await.unwrap();
            let answer = site.fetch(page).await;
            drop(permit);
            match answer {
                Ok(text) => return text,
                Err(busy) => busy.pause().await,
            }
        }
    }
}

mod retries_without_permit {
    pub(super) async fn get(site: &super::Site, page: usize) -> String {
        let permit = site.permits.acquire().await.unwrap();
        let mut answer = site.fetch(page).await;
        drop(permit);
        while let Err(busy) = answer {
            busy.pause().await;
            answer = site.fetch(page).await;
        }
        answer.unwrap()
    }
}

mod no_pause {
    pub(super) async fn get(site: &super::Site, page: usize) -> String {
        loop {
            let _permit = site.permits.acquire().await.unwrap();
            if let Ok(text) = site.fetch(page).await {
                return text;
            }
        }
    }
}

mod no_limit {
    pub(super) async fn get(site: &super::Site, page: usize) -> String {
        loop {
            match site.fetch(page).await {
                Ok(text) => return text,
                Err(busy) => busy.pause().await,
            }
        }
    }
}

mod gives_up {
    pub(super) async fn get(site: &super::Site, page: usize) -> String {
        let _permit = site.permits.acquire().await.unwrap();
        site.fetch(page).await.unwrap_or_default()
    }
}
