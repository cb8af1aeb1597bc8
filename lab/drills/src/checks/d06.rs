//! A guard that is held across slow work.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    sync::{lane, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

const THREADS: usize = 3;

/// Prices that are known, by item.
pub type Cache = Mutex<HashMap<usize, u64>>;

pub(crate) const DRILL: Drill = Drill {
    number: 6,
    name: "guard_across_slow_work",
    task: "`price` looks an item up in a shared cache and asks the shop when it is not there. Three \
           threads ask for three items, and all wait for the first one's answer. Repair `price`: \
           different items are asked for at the same time, and an item that is in the cache is not \
           asked for again.",
    hints: [
        "How long does the guard of the cache live? What happens meanwhile?",
        "Look up under the lock, ask without it, lock again to insert.",
        "Mind temporaries: the guard in `match cache.lock().unwrap().get(…) { … }` lives until the \
         end of the `match`. Put the copied price into a variable first.",
    ],
    entry: "price",
    source: include_str!("d06.rs"),
    candidates: crate::candidates! { price;
        solution "",
        shipped "the lock is held while the shop is asked",
        locked_in_match "the guard in a `match` outlives its first line",
        no_cache "the shop is asked for what the cache has",
        never_inserts "what was asked is not kept",
        forgets "a look-up takes the price out of the cache",
        hard_coded "the shop is never asked",
    },
};

/// A shop, which takes a while to answer.
pub struct Shop(Stage);

impl Shop {
    /// Asks for the price of an item.
    pub fn ask(&self, item: usize) -> u64 {
        self.0.note(lane(), format!("item {item}"));
        self.0.work(lane());
        item as u64 * 100 + 7
    }
}

/// Checks a repair.
pub fn check(price: fn(&Cache, &Shop, usize) -> u64) -> Verdict {
    judge("thread", THREADS, |stage| {
        let (cache, shop) = (Arc::new(Cache::default()), Shop(stage.clone()));
        cache.lock().unwrap().insert(9, 42);
        let (shared, known) = (Arc::clone(&cache), Arc::new(Mutex::new(0)));
        let (got, seen) = (Arc::clone(&known), stage.clone());
        let ended = stage.watch(move || {
            let known = price(&shared, &shop, 9);
            *got.lock().unwrap() = known;
            if known == 42 {
                on_lanes(THREADS, |lane| _ = price(&shared, &shop, lane));
                price(&shared, &shop, 0);
                seen.note(THREADS, "third look-up");
                price(&shared, &shop, 0);
            }
        });
        ensure!(
            !is_stuck(&ended) || cache.try_lock().is_ok(),
            "a thread waits for the cache's lock, and it has that lock itself: its first guard still lives"
        );
        ended?;
        asked_once(stage, *known.lock().unwrap())?;
        let kept = cache.lock().unwrap().get(&1).copied();
        ensure!(
            kept == Some(107),
            "the cache has {kept:?} for item 1, the shop said 107"
        );
        Ok(())
    })
}

/// The shop was asked for each item that was not known, for all at the same time, and not again.
fn asked_once(stage: &Stage, known: u64) -> anyhow::Result<()> {
    let asked = stage.count(None, "enter");
    ensure!(asked > 0, "the shop was never asked for a price");
    ensure!(
        known == 42,
        "item 9 is in the cache for 42, and `price` says {known}: it did not look"
    );
    let most = stage.most_inside();
    ensure!(
        most == THREADS,
        "the shop saw {most} question at a time: the other threads waited for the cache's lock, though they ask for other items"
    );
    let last = stage.last("enter");
    ensure!(
        asked != THREADS + 1 || last < stage.first(None, "third look-up"),
        "the second look-up of item 0 found its price in the cache, and the third asked the shop again: a look-up took the price out"
    );
    ensure!(
        asked == THREADS,
        "the shop was asked {asked} times for {THREADS} items: an answer was not kept"
    );
    Ok(())
}

mod shipped {
    use lab_drills::d06::{Cache, Shop};

    /// Returns the price of an item, from the cache if it is there.
    pub(super) fn price(cache: &Cache, shop: &Shop, item: usize) -> u64 {
        let mut cache = cache.lock().unwrap();
        *cache.entry(item).or_insert_with(|| shop.ask(item))
    }
}

mod solution {
    use lab_drills::d06::{Cache, Shop};

    /// Returns the price of an item, from the cache if it is there.
    pub(super) fn price(cache: &Cache, shop: &Shop, item: usize) -> u64 {
        let known = cache.lock().unwrap().get(&item).copied();
        if let Some(price) = known {
            return price;
        }
        let price = shop.ask(item);
        cache.lock().unwrap().insert(item, price);
        price
    }
}

mod locked_in_match {
    pub(super) fn price(cache: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        match cache.lock().unwrap().get(&item) {
            Some(price) => *price,
            None => {
                let price = shop.ask(item);
                cache.lock().unwrap().insert(item, price);
                price
            }
        }
    }
}

mod no_cache {
    pub(super) fn price(_: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        shop.ask(item)
    }
}

mod never_inserts {
    pub(super) fn price(cache: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        let known = cache.lock().unwrap().get(&item).copied();
        known.unwrap_or_else(|| shop.ask(item))
    }
}

mod forgets {
    pub(super) fn price(cache: &super::Cache, shop: &super::Shop, item: usize) -> u64 {
        let known = cache.lock().unwrap().remove(&item);
        if let Some(price) = known {
            return price;
        }
        let price = shop.ask(item);
        cache.lock().unwrap().insert(item, price);
        price
    }
}

mod hard_coded {
    pub(super) fn price(_: &super::Cache, _: &super::Shop, item: usize) -> u64 {
        if item == 9 { 42 } else { item as u64 * 100 + 7 }
    }
}
