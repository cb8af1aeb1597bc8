//! A lock that is held across an await.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;

const ITEMS: usize = 4;

/// Prices that are known, by item.
pub type Cache = Mutex<HashMap<usize, u64>>;

pub(crate) const DRILL: Drill = Drill {
    number: 14,
    name: "lock_across_await",
    task: "Four tasks ask a shop for four prices and keep them in a cache behind tokio's `Mutex`. Each \
           holds the lock while it awaits the shop, so all requests come one after another. Repair \
           `price`: different items are asked for at the same time, and an item in the cache is not \
           asked for again.",
    hints: [
        "A guard that lives across an `.await` is held for as long as that takes.",
        "Look up, release, await, lock again, insert.",
        "Give the guard a block of its own, `{ let cache = cache.lock().await; … }`, or copy the price \
         out in one statement.",
    ],
    entry: "price",
    source: include_str!("d14.rs"),
    candidates: crate::candidates! { price;
        solution "",
        shipped "the guard lives while the shop is awaited",
        locked_in_if_let "the task waits for a lock that it has",
        no_cache "the shop is asked for what the cache has",
        hard_coded "the shop is never asked",
    },
};

/// A shop, which takes a second to answer.
pub struct Shop(Stage);

impl Shop {
    /// Asks for the price of an item.
    pub async fn ask(&self, item: usize) -> u64 {
        self.0.enter(item);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.0.leave(item);
        item as u64 * 100 + 7
    }
}

/// Checks a repair.
pub fn check(price: impl AsyncFn(&Cache, &Shop, usize) -> u64 + Copy + Send + 'static) -> Verdict {
    judge("item", ITEMS, |stage| {
        let shop = Shop(stage.clone());
        let cache = Arc::new(Cache::default());
        let shared = Arc::clone(&cache);
        let got = stage.watch_tasks(async move || {
            let cache = shared;
            let all = (0..ITEMS).map(|item| price(&cache, &shop, item));
            let first = futures_util::future::join_all(all).await;
            (first, price(&cache, &shop, 1).await)
        });
        ensure!(
            !is_stuck(&got) || cache.try_lock().is_ok(),
            "a task waits for the cache's lock, and has that lock itself: its first guard still lives"
        );
        let ((first, again), asked) = (got?, stage.count(None, "enter"));
        let most = stage.most_inside();
        ensure!(asked > 0, "the shop was never asked for a price");
        ensure!(
            most > 1,
            "the shop saw {most} request at a time: the other tasks waited for the lock, though they ask for other items"
        );
        ensure!(
            most == ITEMS,
            "the shop saw {most} of {ITEMS} requests at a time"
        );
        ensure!(
            asked == ITEMS,
            "the shop was asked {asked} times for {ITEMS} items: an answer was not looked up"
        );
        ensure!(
            first == [7, 107, 207, 307] && again == 107,
            "the prices are {first:?} and {again}"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d14::{Cache, Shop};

    /// Returns the price of an item, from the cache if it is there.
    pub(super) async fn price(cache: &Cache, shop: &Shop, item: usize) -> u64 {
        let mut cache = cache.lock().await;
        if let Some(price) = cache.get(&item) {
            return *price;
        }
        let price = shop.ask(item).await;
        cache.insert(item, price);
        price
    }
}

mod solution {
    use lab_drills::d14::{Cache, Shop};

    /// Returns the price of an item, from the cache if it is there.
    pub(super) async fn price(cache: &Cache, shop: &Shop, item: usize) -> u64 {
        let known = cache.lock().await.get(&item).copied();
        if let Some(price) = known {
            return price;
        }
        let price = shop.ask(item).await;
        cache.lock().await.insert(item, price);
        price
    }
}

mod locked_in_if_let {
    pub(super) async fn price(cache: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        let known = cache.lock().await;
        if let Some(price) = known.get(&item) {
            return *price;
        }
        let price = shop.ask(item).await;
        cache.lock().await.insert(item, price);
        price
    }
}

mod no_cache {
    pub(super) async fn price(_: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        shop.ask(item).await
    }
}

mod hard_coded {
    pub(super) async fn price(_: &super::Cache, _: &super::Shop, item: usize) -> u64 {
        item as u64 * 100 + 7
    }
}
