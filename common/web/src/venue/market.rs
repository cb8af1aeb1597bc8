//! The market: pairs, prices and latencies, all drawn from the seed and the number of the request.

use measure::workload::Seeded;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A pair of currencies that the venue trades, by its place in [`Pair::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair(usize);

/// Each pair with the price that it starts from in points, and the points in a whole.
const PAIRS: [(&str, u32, u32); 5] = [
    ("EURUSD", 108_500, 100_000),
    ("USDJPY", 151_200, 1000),
    ("GBPUSD", 126_300, 100_000),
    ("AUDUSD", 65_400, 100_000),
    ("USDCHF", 90_700, 100_000),
];

impl Pair {
    /// All of them, in the script's order.
    pub const ALL: [Self; 5] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// A price in points, written with its decimals.
    pub fn written(self, points: u32) -> String {
        let unit = PAIRS[self.0].2;
        let decimals = unit.ilog10() as usize;
        format!("{}.{:0decimals$}", points / unit, points % unit)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(PAIRS[self.0].0)
    }
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = PAIRS.map(|pair| pair.0);
        let found = names.iter().position(|name| *name == text);
        let known = || format!("the venue trades {}", names.join(", "));
        found.map(Self).ok_or_else(known)
    }
}

/// What decides every price and every latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// The seed.
    pub seed: u64,
    /// The shortest latency.
    pub fastest: Duration,
    /// The longest latency.
    pub slowest: Duration,
}

impl Market {
    /// How long the venue holds request `id`.
    pub fn latency(&self, id: u64) -> Duration {
        let ends = self.fastest..self.slowest + Duration::from_nanos(1);
        Seeded::for_item(self.seed, id).duration(ends)
    }

    /// The price in points at which the venue sells `pair` to request `id`.
    pub fn price(&self, id: u64, pair: Pair) -> u32 {
        // Another stream than the latency's, so that a slow answer is not a dear one.
        PAIRS[pair.0].1 + Seeded::for_item(!self.seed, id).range(0..100) as u32
    }

    /// What no client can beat that asks `ids` with at most `at_once` of them in flight.
    pub fn bound(&self, ids: impl Iterator<Item = u64>, at_once: usize) -> Duration {
        let latencies: Vec<Duration> = ids.map(|id| self.latency(id)).collect();
        let shared = latencies.iter().sum::<Duration>() / at_once.max(1) as u32;
        latencies.into_iter().max().unwrap_or_default().max(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const MARKET: Market = Market {
        seed: 42,
        fastest: Duration::from_millis(50),
        slowest: Duration::from_millis(150),
    };

    #[test]
    fn latencies_stay_between_their_ends_and_differ() {
        let latencies: BTreeSet<Duration> = (0..1000).map(|id| MARKET.latency(id)).collect();
        let inside = MARKET.fastest..=MARKET.slowest;
        assert!(latencies.iter().all(|one| inside.contains(one)));
        assert!(latencies.len() > 900);
    }

    #[test]
    fn the_bound_is_the_longest_latency_or_all_of_them_shared_out() {
        let slowest = MARKET.fastest;
        let fixed = Market { slowest, ..MARKET };
        assert_eq!(fixed.bound(1..21, 5), MARKET.fastest * 4);
        assert_eq!(fixed.bound(1..21, 100), MARKET.fastest);
        assert_eq!(fixed.bound(1..1, 5), Duration::ZERO);
    }

    #[test]
    fn a_price_depends_on_seed_and_number_alone() {
        let prices = |market: Market| -> Vec<u32> {
            (0..50).map(|id| market.price(id, Pair::ALL[1])).collect()
        };
        assert_eq!(prices(MARKET), prices(MARKET));
        assert_ne!(prices(MARKET), prices(Market { seed: 43, ..MARKET }));
        assert_eq!(Pair::ALL[1].written(151_007), "151.007");
        assert_eq!(Pair::ALL[3].written(65_400), "0.65400");
    }
}
