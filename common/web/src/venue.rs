//! An FX venue in a process of its own: it quotes, fills orders, and counts what it sees.
//!
//! A line of JSON each way, over TCP on 127.0.0.1 and a port that the system chooses. Every quote is held
//! back for its latency; in a run with a bell, nothing is answered before as many requests have arrived as
//! the bell waits for.

use super::{
    ServerError, Witness,
    server::{Connection, Counts},
    service::{self, Served, Service},
};
use measure::workload::Seeded;
use process_pool::child::{Link, Program};
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::watch,
    time::{self, Instant},
};

/// What the venue says first on every connection.
pub const GREETING: &str = "READY";

/// Room for the longest line. A reader's usual 8 KiB would cost 80 MB at 10,000 connections, on
/// either side, and hide what a thread and a task cost.
pub const LINE_BYTES: usize = 128;

/// The script's pairs of currencies, by the price in points that each starts from: EURUSD, USDJPY, GBPUSD,
/// AUDUSD and USDCHF.
pub const PAIRS: [u32; 5] = [108_500, 151_200, 126_300, 65_400, 90_700];

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
    pub fn price(&self, id: u64, pair: usize) -> u32 {
        // Another stream than the latency's, so that a slow answer is not a dear one.
        PAIRS[pair] + Seeded::for_item(!self.seed, id).range(0..100) as u32
    }
}

/// A question with its number, by which the venue draws price and latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// The currencies that it is about, by their place in [`PAIRS`].
    pub pair: usize,
    /// An order at this price in points, which is filled at once; without one a quote is asked for, and the
    /// venue takes its time.
    pub buy_at: Option<u32>,
}

/// What the venue answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the request.
    pub id: u64,
    /// The price in points: asked for, or paid.
    pub price: u32,
}

impl Request {
    /// The line for it, with its line break.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("plain data") + "\n"
    }
}

impl Answer {
    /// The answer to `request` that a line is; an empty line is the end of the connection.
    ///
    /// # Errors
    /// The line is none, or the answer to something else.
    pub fn to(request: &Request, line: &str) -> io::Result<Self> {
        let error = match serde_json::from_str::<Self>(line) {
            Ok(answer) if answer.id == request.id => return Ok(answer),
            Ok(answer) => format!("answered request {} instead of {}", answer.id, request.id),
            Err(_) if line.is_empty() => {
                "closed the connection; has it enough of `ulimit -n`?".into()
            }
            Err(_) => format!("answered `{}`", line.trim_end()),
        };
        Err(io::Error::other(format!("the venue {error}")))
    }
}

/// The venue at work; it ends when this handle is dropped.
pub struct Venue {
    /// Where it listens.
    pub address: SocketAddr,
    /// What decides its answers.
    pub market: Market,
    served: Served,
}

impl Venue {
    /// Starts the venue as a child of this program.
    ///
    /// # Errors
    /// It does not start or cannot listen.
    pub fn open(program: &Program, market: Market) -> Result<Self, ServerError> {
        let (served, address) = Served::start(program, &VENUE, &market)?;
        Ok(Self {
            address,
            market,
            served,
        })
    }

    /// Has it count from zero; it answers nothing before `bell` requests have arrived.
    ///
    /// # Errors
    /// It does not answer.
    pub fn begin(&self, bell: usize) -> Result<(), ServerError> {
        self.served.ask(&Some(bell)).map(|_: Witness| ())
    }

    /// What it saw since it began to count.
    ///
    /// # Errors
    /// It does not answer.
    pub fn counts(&self) -> Result<Witness, ServerError> {
        self.served.ask(&None::<usize>)
    }
}

/// The venue's role: `main` hands it to the step.
pub static VENUE: Service = Service {
    name: "venue",
    serve,
};

/// How often in a row the venue may have no room for a connection: for some seconds.
const REFUSALS_LIMIT: usize = 1000;

fn serve(link: Link) -> Option<()> {
    service::serve(link, |market, listener| {
        let floor = Arc::new(Floor {
            market,
            counts: Arc::default(),
            bell: watch::Sender::new((0, Instant::now())),
        });
        let asked = Arc::clone(&floor);
        let converse = move |stream| converse(stream, Arc::clone(&floor));
        let work = service::accept(listener, REFUSALS_LIMIT, converse);
        (move |arrivals| asked.control(arrivals), work)
    })
}

/// What every connection can reach.
struct Floor {
    market: Market,
    counts: Arc<Counts>,
    /// How many requests must still arrive before it rings, and when it has rung.
    bell: watch::Sender<(u64, Instant)>,
}

impl Floor {
    /// Begins a run, if its bell is to wait for so many, and says what has been counted.
    fn control(&self, arrivals: Option<u64>) -> Witness {
        if let Some(arrivals) = arrivals {
            self.bell.send_replace((arrivals, Instant::now()));
        }
        self.counts.ask(arrivals.is_some())
    }

    /// Counts a quote in, holds it for its latency, and counts it out.
    async fn hold(&self, id: u64, connection: &Connection) {
        let arrived = Instant::now();
        let in_flight = self.counts.arrive(connection);
        let mut bell = self.bell.subscribe();
        self.bell.send_if_modified(|(missing, rung)| {
            let rings = *missing == 1;
            *missing = missing.saturating_sub(1);
            if rings {
                *rung = arrived;
            }
            rings
        });
        let rung = bell.wait_for(|(missing, _)| *missing == 0).await;
        let rung = rung.expect("the floor keeps the bell").1;
        time::sleep_until(rung.max(arrived) + self.market.latency(id)).await;
        // Counted out before the client can know: its next request must not meet this one.
        drop(in_flight);
    }
}

/// Answers line by line until the client hangs up, or says what is no request.
async fn converse(stream: TcpStream, floor: Arc<Floor>) -> io::Result<()> {
    // Clients close first. Answering that with a reset frees their ports at once: tens of thousands
    // of them would otherwise linger for a minute, and slow down the connects of the next run.
    stream.set_zero_linger()?;
    let connection = Connection::default();
    let mut lines = BufReader::with_capacity(LINE_BYTES, stream);
    let greeting = format!("{GREETING}\n");
    lines.get_mut().write_all(greeting.as_bytes()).await?;
    loop {
        let mut line = String::new();
        (&mut lines).take(1024).read_line(&mut line).await?;
        let Request { id, pair, buy_at } = serde_json::from_str(&line)?;
        if buy_at.is_none() {
            floor.hold(id, &connection).await;
        }
        let price = buy_at.unwrap_or_else(|| floor.market.price(id, pair));
        let line = serde_json::to_string(&Answer { id, price })? + "\n";
        lines.get_mut().write_all(line.as_bytes()).await?;
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
        let prices =
            |market: Market| -> Vec<u32> { (0..50).map(|id| market.price(id, 1)).collect() };
        assert_eq!(prices(MARKET), prices(MARKET));
        assert_ne!(prices(MARKET), prices(Market { seed: 43, ..MARKET }));
    }
}
