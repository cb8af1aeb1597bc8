//! The market: pairs, prices and latencies, all drawn from the seed and the number of the request.

use measure::workload::Seeded;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A pair of currencies that the venue trades, by its place in [`Pair::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair(usize);

/// The price in points that each starts from.
const PRICES: [u32; 5] = [108_500, 151_200, 126_300, 65_400, 90_700];

impl Pair {
    /// EURUSD, USDJPY, GBPUSD, AUDUSD and USDCHF: the script's.
    pub const ALL: [Self; 5] = [Self(0), Self(1), Self(2), Self(3), Self(4)];
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
        PRICES[pair.0] + Seeded::for_item(!self.seed, id).range(0..100) as u32
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
    fn a_price_depends_on_seed_and_number_alone() {
        let prices = |market: Market| -> Vec<u32> {
            (0..50).map(|id| market.price(id, Pair::ALL[1])).collect()
        };
        assert_eq!(prices(MARKET), prices(MARKET));
        assert_ne!(prices(MARKET), prices(Market { seed: 43, ..MARKET }));
    }
}
