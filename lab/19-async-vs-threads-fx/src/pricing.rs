//! Work instead of waiting: options priced on the async thread, and beside it.

use crate::tasks::{gather, trade_with_tasks};
use measure::workload::Seeded;
use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Semaphore, task, time};
use web::venue::Request;

/// How many options are priced: calls on the euro, with strikes around today's rate.
pub const CALLS: u64 = 4;

/// What a call pays on average, if all rates within a tenth of today's are as likely; the cost grows with
/// the random rates.
#[tracing::instrument(skip_all)]
pub fn price(number: u64, rates: u64) -> f64 {
    let (today, strike) = (1.085, 1.06 + 0.01 * (number % 6) as f64);
    let mut random = Seeded::new(number);
    let random_rates = (0..rates).map(|_| today * (0.9 + 0.2 * random.unit()));
    let paid: f64 = random_rates.map(|rate| (rate - strike).max(0.0)).sum();
    paid / rates as f64
}

/// Prices every option, numbered from `first`, in a task of its own.
pub async fn price_on_async_thread(first: u64, rates: u64) -> Vec<f64> {
    // BUG (on purpose): nothing here awaits, so no other task gets the thread before the end.
    let spawn = |number| tokio::spawn(async move { price(first + number, rates) });
    gather((0..CALLS).map(spawn).collect()).await
}

/// Prices every option on a thread for blocking work, at most `at_once` of them at a time.
///
/// # Cancel safety
/// A dropped future does not stop what has begun: a blocking thread cannot be cancelled.
pub async fn price_beside(first: u64, rates: u64, at_once: NonZeroUsize) -> Vec<f64> {
    // Without permits the runtime would start up to 512 threads for it.
    let permits = Arc::new(Semaphore::new(at_once.get()));
    let spawn = |number| {
        let permits = Arc::clone(&permits);
        tokio::spawn(async move {
            let _permit = permits.acquire().await.expect("it is never closed");
            let priced = task::spawn_blocking(move || price(first + number, rates));
            priced.await.expect("pricing does not panic")
        })
    };
    gather((0..CALLS).map(spawn).collect()).await
}

/// Trades while `pricing` goes on; returns the prices.
///
/// # Errors
/// A trade failed.
pub async fn trade_during(
    pricing: impl Future<Output = Vec<f64>> + Send + 'static,
    venue: SocketAddr,
    quotes: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<f64>> {
    let pricing = tokio::spawn(async move {
        // By then the first quotes are waited for, however long their connections take.
        while Handle::current().metrics().num_alive_tasks() < 2 {
            task::yield_now().await;
        }
        time::sleep(Duration::from_millis(30)).await;
        pricing.await
    });
    trade_with_tasks(venue, quotes, limit).await?;
    Ok(pricing.await.expect("pricing does not panic"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::run_on_this_thread;

    #[test]
    fn the_simulated_price_is_that_of_the_closed_form() {
        for number in 0..6 {
            // The mean of what lies above the strike, over all rates.
            let (lowest, highest) = (1.085 * 0.9, 1.085 * 1.1);
            let strike = 1.06 + 0.01 * number as f64;
            let expected = (highest - strike).powi(2) / (2.0 * (highest - lowest));
            let found = price(number, 400_000);
            // The payoff's deviation is below 0.05: this is more than five standard errors.
            assert!((found - expected).abs() < 0.0005, "{number}: {found}");
        }
    }

    #[test]
    fn every_way_of_pricing_gives_the_same_prices_in_order() {
        let expected: Vec<f64> = (0..CALLS).map(|number| price(7 + number, 500)).collect();
        let on_it = run_on_this_thread(price_on_async_thread(7, 500));
        assert_eq!(on_it.expect("a runtime"), expected);
        for at_once in (1..=8).filter_map(NonZeroUsize::new) {
            let beside = run_on_this_thread(price_beside(7, 500, at_once));
            assert_eq!(beside.expect("a runtime"), expected);
        }
    }
}
