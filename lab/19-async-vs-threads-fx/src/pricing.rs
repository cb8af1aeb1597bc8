//! Work instead of waiting: options priced on the executor, and beside it.

use crate::{
    protocol::{RequestError, Target},
    tasks::Client,
};
use measure::workload::Seeded;
use std::{f64::consts::TAU, num::NonZeroUsize, panic::resume_unwind, sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    task::{self, JoinSet},
    time::{self, Instant},
};
use web::venue::{Ask, Pair, Request};

/// The right to buy one unit of a currency at the strike, in the end and not before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// What it costs now.
    pub spot: f64,
    /// What it may be bought for.
    pub strike: f64,
    /// Interest on the currency that is paid, per year.
    pub domestic_rate: f64,
    /// Interest on the currency that is bought, per year.
    pub foreign_rate: f64,
    /// Standard deviation of its logarithm in a year.
    pub volatility: f64,
    /// Years until the end.
    pub years: f64,
}

impl Call {
    /// Call number `number` of the book: the strikes lie around the spot.
    pub fn numbered(number: usize) -> Self {
        Self {
            spot: 1.085,
            strike: 1.06 + 0.01 * (number % 6) as f64,
            domestic_rate: 0.03,
            foreign_rate: 0.01,
            volatility: 0.10,
            years: 0.5,
        }
    }

    /// Its price as the mean over `paths` random ends; the cost grows in step with `paths`.
    ///
    /// # Source
    /// Garman and Kohlhagen, "Foreign Currency Option Values" (1983), by simulation.
    pub fn price(&self, paths: u64, seed: u64) -> f64 {
        let mut random = Seeded::new(seed);
        let deviation = self.volatility * self.years.sqrt();
        let carry = self.domestic_rate - self.foreign_rate;
        let drift = carry * self.years - deviation * deviation / 2.0;
        let mut paid = 0.0;
        for _ in 0..paths {
            // Box and Muller; one minus, because the logarithm of zero has no value.
            let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
            let normal = radius * (TAU * random.unit()).cos();
            paid += (self.spot * (drift + deviation * normal).exp() - self.strike).max(0.0);
        }
        (-self.domestic_rate * self.years).exp() * paid / paths.max(1) as f64
    }
}

/// The options to price.
#[derive(Clone, Copy, Debug)]
pub struct Book {
    /// How many.
    pub calls: usize,
    /// Random ends per option.
    pub paths: u64,
    /// What decides them.
    pub seed: u64,
}

impl Book {
    fn price(self, number: usize) -> f64 {
        let seed = Seeded::for_item(self.seed, number as u64).next_u64();
        Call::numbered(number).price(self.paths, seed)
    }

    /// Prices one after another on the calling thread: the oracle.
    pub fn price_in_turn(self) -> Vec<f64> {
        (0..self.calls).map(|number| self.price(number)).collect()
    }
}

/// Prices every option in a task of its own.
///
/// # Cancel safety
/// A dropped future takes those tasks along that have not begun.
pub async fn price_on_executor(book: Book) -> Vec<f64> {
    let mut tasks = JoinSet::new();
    for number in 0..book.calls {
        tasks.spawn(price_without_yielding(book, number));
    }
    in_order(tasks).await
}

#[tracing::instrument(name = "price", skip_all, fields(task = number))]
async fn price_without_yielding(book: Book, number: usize) -> (usize, f64) {
    // BUG (on purpose): nothing here awaits, so the executor gets its thread back only at the end.
    (number, book.price(number))
}

/// Prices every option on a thread for blocking work, at most `at_once` of them at a time.
///
/// # Cancel safety
/// A dropped future does not stop what has begun: a blocking thread cannot be called off.
pub async fn price_beside(book: Book, at_once: NonZeroUsize) -> Vec<f64> {
    // Without permits the runtime would start up to 512 threads for it.
    let permits = Arc::new(Semaphore::new(at_once.get()));
    let mut tasks = JoinSet::new();
    for number in 0..book.calls {
        let permits = Arc::clone(&permits);
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await.expect("nobody closes it");
            let priced = task::spawn_blocking(move || price_on_thread(book, number)).await;
            priced.unwrap_or_else(|error| resume_unwind(error.into_panic()))
        });
    }
    in_order(tasks).await
}

#[tracing::instrument(name = "price", skip_all)]
fn price_on_thread(book: Book, number: usize) -> (usize, f64) {
    (number, book.price(number))
}

async fn in_order(mut tasks: JoinSet<(usize, f64)>) -> Vec<f64> {
    let mut numbered = Vec::with_capacity(tasks.len());
    while let Some(joined) = tasks.join_next().await {
        numbered.push(joined.unwrap_or_else(|error| resume_unwind(error.into_panic())));
    }
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, price)| price).collect()
}

/// Light quotes at fixed moments.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How many.
    pub ticks: u32,
    /// The time from one to the next.
    pub every: Duration,
}

impl Schedule {
    /// When the last one is due.
    pub fn length(self) -> Duration {
        self.every * self.ticks.saturating_sub(1)
    }
}

/// Asks for a price whenever one is due, and tells how long after that each answer came.
///
/// What is late because the answer before was late counts from when it was due: a client that only
/// asks when it is free would measure one slow answer and miss all that should have been asked
/// meanwhile.
///
/// # Errors
/// The venue does not answer.
#[tracing::instrument(name = "light", skip_all, fields(task = "quotes", wait = "io"))]
pub async fn ask_on_schedule(
    mut client: Client,
    pair: Pair,
    schedule: Schedule,
) -> Result<Vec<Duration>, RequestError> {
    let start = Instant::now();
    let mut late = Vec::with_capacity(schedule.ticks as usize);
    for number in 0..schedule.ticks {
        let due = start + schedule.every * number;
        time::sleep_until(due).await;
        let (id, ask) = (number.into(), Ask::Tick(pair));
        client.ask(&Request { id, ask }).await?;
        late.push(due.elapsed());
    }
    Ok(late)
}

/// Runs the light quotes while `pricing` goes on; returns how long both took to come.
///
/// # Errors
/// The venue does not answer.
pub async fn quote_beside(
    target: Target,
    pair: Pair,
    schedule: Schedule,
    pricing: impl Future<Output = Vec<f64>> + Send + 'static,
) -> Result<(Vec<Duration>, Vec<f64>), RequestError> {
    let client = Client::connect(target).await?;
    let mut priced = JoinSet::new();
    priced.spawn(pricing);
    let late = task::spawn(ask_on_schedule(client, pair, schedule)).await;
    let late = late.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    let prices = priced.join_next().await.unwrap_or(Ok(Vec::new()));
    let prices = prices.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    Ok((late?, prices))
}
