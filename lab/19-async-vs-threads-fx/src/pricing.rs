//! Work instead of waiting: options priced on the executor, and beside it.

use crate::tasks::{ask, connect, gather};
use measure::workload::Seeded;
use std::{f64::consts::TAU, io, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::{io::BufReader, net::TcpStream, sync::Semaphore, task, time};
use tracing::{Instrument, info_span};
use web::venue::{Ask, Pair, Request};

/// The options to price: calls on the euro that end in half a year, with strikes around the spot.
#[derive(Clone, Copy, Debug)]
pub struct Book {
    /// How many.
    pub calls: usize,
    /// Random ends per option: the cost grows with them.
    pub paths: u64,
    /// What decides the ends.
    pub seed: u64,
}

impl Book {
    /// The price of a call without interest, as the mean over random ends.
    #[tracing::instrument(skip_all)]
    pub fn price(self, number: usize) -> f64 {
        let (spot, strike) = (1.085, 1.06 + 0.01 * (number % 6) as f64);
        // A tenth in a year, over half a year.
        let deviation = 0.10 * 0.5_f64.sqrt();
        let mut random = Seeded::for_item(self.seed, number as u64);
        let mut paid = 0.0;
        for _ in 0..self.paths {
            // Box and Muller; one minus, because the logarithm of zero has no value.
            let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
            let normal = radius * (TAU * random.unit()).cos();
            let end = spot * (deviation * (normal - deviation / 2.0)).exp();
            paid += (end - strike).max(0.0);
        }
        paid / self.paths as f64
    }
}

/// Prices every option in a task of its own.
pub async fn price_on_executor(book: Book) -> Vec<f64> {
    // BUG (on purpose): nothing here awaits, so the executor gets its thread back only at the end.
    let spawn = |number| tokio::spawn(async move { book.price(number) });
    gather((0..book.calls).map(spawn).collect()).await
}

/// Prices every option on a thread for blocking work, at most `at_once` of them at a time.
///
/// # Cancel safety
/// A dropped future does not stop what has begun: a blocking thread cannot be cancelled.
pub async fn price_beside(book: Book, at_once: NonZeroUsize) -> Vec<f64> {
    // Without permits the runtime would start up to 512 threads for it.
    let permits = Arc::new(Semaphore::new(at_once.get()));
    let spawn = |number| {
        let permits = Arc::clone(&permits);
        tokio::spawn(async move {
            let _permit = permits.acquire().await.expect("it is never closed");
            let priced = task::spawn_blocking(move || book.price(number));
            priced.await.expect("pricing does not panic")
        })
    };
    gather((0..book.calls).map(spawn).collect()).await
}

/// How many light quotes are asked for.
pub const TICKS: u32 = 150;
/// From one light quote to the next.
pub const EVERY: Duration = Duration::from_millis(2);

/// Asks for a light quote whenever one is due, while `pricing` goes on; returns the prices.
///
/// # Errors
/// The venue does not answer.
pub async fn quote_beside(
    venue: SocketAddr,
    pricing: impl Future<Output = Vec<f64>> + Send + 'static,
) -> io::Result<Vec<f64>> {
    let stream = connect(venue).await?;
    let pricing = tokio::spawn(pricing);
    tokio::spawn(ask_on_schedule(stream))
        .await
        .expect("asking does not panic")?;
    Ok(pricing.await.expect("pricing does not panic"))
}

#[tracing::instrument(name = "light", skip_all, fields(task = "quotes", wait = "io"))]
async fn ask_on_schedule(mut stream: BufReader<TcpStream>) -> io::Result<()> {
    let mut due = time::interval(EVERY);
    for id in 1..=TICKS.into() {
        // What could not be asked in time is asked as soon as it can be.
        due.tick().await;
        let tick = Ask::Tick(Pair::ALL[0]);
        let quote = Request { id, ask: tick };
        ask(&mut stream, &quote)
            .instrument(info_span!("quote"))
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::run_on_this_thread;

    #[test]
    fn the_simulated_price_is_that_of_the_closed_form() {
        // Black's formula for calls 0 to 5, worked out elsewhere.
        let book = Book {
            calls: 6,
            paths: 400_000,
            seed: 1,
        };
        let expected = [
            0.044_376_58,
            0.038_476_19,
            0.033_095_49,
            0.028_236_20,
            0.023_891_24,
            0.020_045_22,
        ];
        for (number, expected) in expected.into_iter().enumerate() {
            let found: f64 = book.price(number);
            // The payoff's deviation is below 0.06: this is more than five standard errors.
            assert!((found - expected).abs() < 0.0005, "{number}: {found}");
        }
    }

    #[test]
    fn every_way_of_pricing_gives_the_same_prices_in_order() {
        for calls in [0, 1, 3, 20] {
            let book = Book {
                calls,
                paths: 500,
                seed: 42,
            };
            let expected: Vec<f64> = (0..calls).map(|number| book.price(number)).collect();
            let on_executor = run_on_this_thread(price_on_executor(book));
            assert_eq!(on_executor.expect("a runtime"), expected);
            for at_once in (1..=8).filter_map(NonZeroUsize::new) {
                let beside = run_on_this_thread(price_beside(book, at_once));
                assert_eq!(beside.expect("a runtime"), expected);
            }
        }
    }
}
