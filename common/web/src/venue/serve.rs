//! The venue's side: one thread that serves all connections, and one that the parent asks for the counts.

use super::{Answer, Counts, GREETING, LINE_BYTES, Market, Request};
use crate::service::{self, Service};
use parking_lot::Mutex;
use process_pool::child::Link;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::SetOnce,
    time::{self, Instant},
};

/// The venue's role: `main` hands it to the step.
pub static VENUE: Service = Service {
    name: "venue",
    serve,
};

fn serve(mut link: Link) -> Option<()> {
    let (market, runtime, listener) = service::open(&mut link)?;
    let floor = Arc::new(Floor {
        market,
        run: Mutex::new(Run::new(0)),
    });
    let asked = Arc::clone(&floor);
    let answer = move |bell| asked.control(bell);
    service::run(&runtime, link, answer, accept(listener, floor))
}

/// Serves every connection that comes, until there has been no room for one for some seconds.
async fn accept(listener: TcpListener, floor: Arc<Floor>) {
    let mut refused = 0;
    while refused < 1000 {
        match listener.accept().await {
            // A client that hangs up ends its task, and needs no answer.
            Ok((stream, _)) => drop(tokio::spawn(converse(stream, Arc::clone(&floor)))),
            // Out of descriptors, mostly: some client hangs up soon, or all of them wait for this one.
            Err(_) => {
                refused += 1;
                time::sleep(Duration::from_millis(5)).await;
                continue;
            }
        }
        refused = 0;
    }
}

/// What every connection can reach.
struct Floor {
    market: Market,
    run: Mutex<Run>,
}

/// What is counted in one run.
struct Run {
    bell: u64,
    rung: Arc<SetOnce<Instant>>,
    counts: Counts,
    in_flight: u64,
}

impl Run {
    fn new(bell: u64) -> Self {
        Self {
            bell,
            rung: Arc::default(),
            counts: Counts::default(),
            in_flight: 0,
        }
    }
}

impl Floor {
    /// Begins a run with this bell, if any, and says what has been counted.
    fn control(&self, bell: Option<u64>) -> Counts {
        let mut run = self.run.lock();
        if let Some(bell) = bell {
            // Whoever still waits for the bell of the run before is released.
            let _ = run.rung.set(Instant::now());
            *run = Run::new(bell);
        }
        run.counts
    }

    /// Counts a quote in, holds it for its latency, and counts it out.
    async fn hold(&self, id: u64) {
        let arrived = Instant::now();
        let rung = {
            let mut run = self.run.lock();
            run.in_flight += 1;
            run.counts.arrivals += 1;
            run.counts.peak_in_flight = run.counts.peak_in_flight.max(run.in_flight);
            if run.counts.arrivals >= run.bell {
                let _ = run.rung.set(Instant::now());
            }
            Arc::clone(&run.rung)
        };
        let opening = *rung.wait().await;
        time::sleep_until(opening.max(arrived) + self.market.latency(id)).await;
        // Counted out before the client can know: its next request must not meet this one.
        let mut run = self.run.lock();
        if Arc::ptr_eq(&rung, &run.rung) {
            run.in_flight -= 1;
        }
    }
}

/// Answers line by line until the client hangs up, or says what is no request.
async fn converse(stream: TcpStream, floor: Arc<Floor>) -> io::Result<()> {
    // Clients close first. Answering that with a reset frees their ports at once: tens of thousands
    // of them would otherwise linger for a minute, and slow down the connects of the next run.
    stream.set_zero_linger()?;
    floor.run.lock().counts.connections += 1;
    let mut lines = BufReader::with_capacity(LINE_BYTES, stream);
    let greeting = format!("{GREETING}\n");
    lines.get_mut().write_all(greeting.as_bytes()).await?;
    loop {
        let mut line = String::new();
        (&mut lines).take(1024).read_line(&mut line).await?;
        let Request { id, pair, buy_at } = serde_json::from_str(&line)?;
        if buy_at.is_none() {
            floor.hold(id).await;
        }
        let price = buy_at.unwrap_or_else(|| floor.market.price(id, pair));
        let line = serde_json::to_string(&Answer { id, price })? + "\n";
        lines.get_mut().write_all(line.as_bytes()).await?;
    }
}
