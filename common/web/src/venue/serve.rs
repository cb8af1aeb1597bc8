//! The venue's side: one thread that serves all connections, and one that the parent asks for the counts.

use super::{Answer, GREETING, LINE_BYTES, Market, Request};
use crate::{
    Witness,
    server::{Connection, Counts},
    service::{self, Service},
};
use parking_lot::Mutex;
use process_pool::child::Link;
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::SetOnce,
    time::{self, Instant},
};

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
            bell: Mutex::default(),
        });
        let asked = Arc::clone(&floor);
        let converse = move |stream| converse(stream, Arc::clone(&floor));
        let work = service::accept(listener, REFUSALS_LIMIT, converse);
        (move |bell| asked.control(bell), work)
    })
}

/// What every connection can reach.
struct Floor {
    market: Market,
    counts: Arc<Counts>,
    bell: Mutex<Bell>,
}

/// Rings when so many requests of a run have arrived.
#[derive(Default)]
struct Bell {
    arrivals: u64,
    rung: Arc<SetOnce<Instant>>,
}

impl Floor {
    /// Begins a run with this bell, if any, and says what has been counted.
    fn control(&self, bell: Option<u64>) -> Witness {
        let mut now = self.bell.lock();
        if let Some(arrivals) = bell {
            // Whoever still waits for the bell of the run before is released.
            let _ = now.rung.set(Instant::now());
            *now = Bell {
                arrivals,
                ..Bell::default()
            };
        }
        self.counts.ask(bell.is_some())
    }

    /// Counts a quote in, holds it for its latency, and counts it out.
    async fn hold(&self, id: u64, connection: &Connection) {
        let arrived = Instant::now();
        let (in_flight, rung) = {
            let bell = self.bell.lock();
            let (arrival, in_flight) = self.counts.arrive(connection, true);
            if arrival >= bell.arrivals {
                let _ = bell.rung.set(Instant::now());
            }
            (in_flight, Arc::clone(&bell.rung))
        };
        let opening = *rung.wait().await;
        time::sleep_until(opening.max(arrived) + self.market.latency(id)).await;
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
