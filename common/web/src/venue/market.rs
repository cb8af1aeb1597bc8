//! The market: pairs, prices and latencies, all drawn from the seed and the number of the request.

use measure::workload::Seeded;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A pair of currencies that the venue trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Pair {
    /// Euro in US dollars.
    EurUsd,
    /// US dollar in yen.
    UsdJpy,
    /// Pound sterling in US dollars.
    GbpUsd,
    /// Australian dollar in US dollars.
    AudUsd,
    /// US dollar in Swiss francs.
    UsdChf,
}

impl Pair {
    /// All of them, in the script's order.
    pub const ALL: [Self; 5] = [
        Self::EurUsd,
        Self::UsdJpy,
        Self::GbpUsd,
        Self::AudUsd,
        Self::UsdChf,
    ];

    /// Its six letters, where its price starts from in points, and the decimals of its price.
    fn facts(self) -> (&'static str, u32, u8) {
        match self {
            Self::EurUsd => ("EURUSD", 108_500, 5),
            Self::UsdJpy => ("USDJPY", 151_200, 3),
            Self::GbpUsd => ("GBPUSD", 126_300, 5),
            Self::AudUsd => ("AUDUSD", 65_400, 5),
            Self::UsdChf => ("USDCHF", 90_700, 5),
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.facts().0)
    }
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|pair| pair.facts().0 == text);
        found.ok_or_else(|| {
            let known = Self::ALL.map(|pair| pair.to_string()).join(", ");
            format!("the venue does not know it; it trades {known}")
        })
    }
}

/// A price in whole points, so that equal prices are equal; written with its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Price {
    points: u32,
    decimals: u8,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u32.pow(self.decimals.into());
        let (whole, part) = (self.points / unit, self.points % unit);
        write!(f, "{whole}.{part:0width$}", width = self.decimals.into())
    }
}

/// What somebody buys at and sells at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What the venue pays.
    pub bid: Price,
    /// What the venue asks.
    pub ask: Price,
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

    /// The price of `pair` for request `id`.
    pub fn quote(&self, id: u64, pair: Pair) -> Quote {
        let (_, start, decimals) = pair.facts();
        // Another stream than the latency's, so that a slow answer is not a dear one.
        let mut random = Seeded::for_item(!self.seed, id);
        let price = |points| Price { points, decimals };
        let bid = start + random.range(0..100) as u32;
        Quote {
            bid: price(bid),
            ask: price(bid + 1 + random.range(0..5) as u32),
        }
    }

    /// What no client can beat that asks `ids` with at most `at_once` of them in flight.
    pub fn bound(&self, ids: impl Iterator<Item = u64>, at_once: usize) -> Duration {
        let (mut longest, mut sum) = (Duration::ZERO, Duration::ZERO);
        for latency in ids.map(|id| self.latency(id)) {
            longest = longest.max(latency);
            sum += latency;
        }
        longest.max(sum / u32::try_from(at_once.max(1)).unwrap_or(u32::MAX))
    }
}
