//! An FX venue in a process of its own: it quotes, fills orders, and counts what it sees.
//!
//! A line of JSON each way, over TCP on 127.0.0.1 and a port that the system chooses. One thread, one
//! event loop. Every answer is held back for its latency; in a run with a bell, nothing is answered
//! before as many requests have arrived as the bell waits for.

mod handle;
mod market;

pub use handle::Venue;
pub use market::{Market, Pair};

use measure::{host, timing::Usage};
use process_pool::child::{Link, Role};
use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::{Builder, Runtime},
    sync::SetOnce,
    time::{self, Instant},
};

/// What the venue says first on every connection.
pub const GREETING: &str = "READY";

/// Room for the longest line. A reader's usual 8 KiB would cost 80 MB at 10,000 connections, on
/// either side, and hide what a thread and a task cost.
pub const LINE_BYTES: usize = 128;

/// How many connections may wait to be accepted; the system may cut it down to its own limit.
const BACKLOG: u32 = 16_384;
const ROLE: &str = "venue";

/// A question with its number, by which the venue draws price and latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub id: u64,
    /// What is asked for.
    pub ask: Ask,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// A price; the venue takes its time.
    Quote(Pair),
    /// To buy at this price, in points; the venue takes its time.
    Order(Pair, u32),
    /// The last price, at once.
    Tick(Pair),
    /// To count from zero, with a bell at this arrival.
    Begin(u64),
    /// What it has counted.
    Counts,
}

/// What the venue answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The number of the request, and the price in points: asked for, or paid.
    Price(u64, u32),
    /// It counts from zero.
    Begun,
    /// What it has counted.
    Counts(Counts),
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
        match serde_json::from_str(line.trim_end()) {
            Ok(Self::Price(id, _)) if id != request.id => Err(io::Error::other(format!(
                "the venue answered request {id} instead of {}",
                request.id
            ))),
            Ok(answer) => Ok(answer),
            Err(_) if line.is_empty() => Err(io::Error::other("the venue closed the connection")),
            Err(_) => Err(io::Error::other(format!(
                "the venue answered `{}`",
                line.trim_end()
            ))),
        }
    }
}

/// What the venue saw since it began to count, and what that cost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Quotes and orders that arrived.
    pub arrivals: u64,
    /// The most of them in flight at one time: arrived, and not answered yet.
    pub peak_in_flight: u64,
    /// Connections that carried at least one of them.
    pub connections: u64,
    /// The part of the time in which its one thread was at work, 0–1.
    pub busy_ratio: f64,
}

/// The venue's role: `main` hands it to the step.
pub static VENUE: VenueRole = VenueRole;

/// The [`Role`] of a child that is the venue; see [`VENUE`].
#[derive(Clone, Copy, Debug)]
pub struct VenueRole;

impl Role for VenueRole {
    fn name(&self) -> &str {
        ROLE
    }

    fn serve(&self, mut link: Link) -> ExitCode {
        let Ok(Some(market)) = link.receive::<Market>() else {
            return ExitCode::FAILURE;
        };
        host::raise_open_files();
        let open = open().map_err(|error| error.to_string());
        let answer = open.as_ref().map(|(_, _, address)| *address);
        // The parent has the reason, and reports it.
        let (Ok(()), Ok((runtime, listener, _))) = (link.send(&answer), open) else {
            return ExitCode::FAILURE;
        };
        link.exit_with_parent();
        let state = Mutex::new(State::new(0, 0));
        runtime.block_on(accept(listener, Arc::new(Floor { market, state })));
        ExitCode::SUCCESS
    }
}

fn open() -> io::Result<(Runtime, TcpListener, SocketAddr)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        socket.listen(BACKLOG)
    })?;
    let address = listener.local_addr()?;
    Ok((runtime, listener, address))
}

/// Serves every connection that comes, for ever.
async fn accept(listener: TcpListener, floor: Arc<Floor>) {
    loop {
        match listener.accept().await {
            // A client that hangs up ends its task, and needs no answer.
            Ok((stream, _)) => drop(tokio::spawn(converse(stream, Arc::clone(&floor)))),
            // Out of descriptors, mostly: some client hangs up soon.
            Err(_) => time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// What every connection can reach.
struct Floor {
    market: Market,
    state: Mutex<State>,
}

/// What is counted in one run.
struct State {
    run: u64,
    bell: u64,
    rung: Arc<SetOnce<Instant>>,
    began: Instant,
    cpu_before: Duration,
    counts: Counts,
    in_flight: u64,
}

impl State {
    fn new(run: u64, bell: u64) -> Self {
        Self {
            run,
            bell,
            rung: Arc::default(),
            began: Instant::now(),
            cpu_before: Usage::of_this_process().cpu(),
            counts: Counts::default(),
            in_flight: 0,
        }
    }

    fn counts(&self) -> Counts {
        let cpu = Usage::of_this_process().cpu() - self.cpu_before;
        Counts {
            busy_ratio: cpu.div_duration_f64(self.began.elapsed()),
            ..self.counts
        }
    }
}

impl Floor {
    fn state(&self) -> MutexGuard<'_, State> {
        // Whole numbers are right at every moment, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, bell: u64) {
        let mut state = self.state();
        // Whoever still waits for the bell of the run before is released.
        let _ = state.rung.set(Instant::now());
        *state = State::new(state.run + 1, bell);
    }

    /// Counts a quote or an order in, holds it for its latency, and counts it out.
    ///
    /// `counted_in` is the run in which its connection was last counted.
    async fn hold(&self, id: u64, counted_in: &mut Option<u64>) {
        let arrived = Instant::now();
        let (run, bell) = {
            let mut state = self.state();
            state.in_flight += 1;
            state.counts.arrivals += 1;
            state.counts.connections += u64::from(counted_in.replace(state.run) != Some(state.run));
            state.counts.peak_in_flight = state.counts.peak_in_flight.max(state.in_flight);
            if state.counts.arrivals >= state.bell {
                let _ = state.rung.set(Instant::now());
            }
            (state.run, Arc::clone(&state.rung))
        };
        let opening = *bell.wait().await;
        time::sleep_until(opening.max(arrived) + self.market.latency(id)).await;
        // Counted out before the client can know: its next request must not meet this one.
        let mut state = self.state();
        if state.run == run {
            state.in_flight -= 1;
        }
    }
}

/// Answers line by line until the client hangs up, or says what is no request.
async fn converse(stream: TcpStream, floor: Arc<Floor>) -> io::Result<()> {
    // Clients close first. Answering that with a reset frees their ports at once: tens of thousands
    // of them would otherwise linger for a minute, and slow down the connects of the next run.
    stream.set_zero_linger()?;
    let mut lines = BufReader::with_capacity(LINE_BYTES, stream);
    let greeting = format!("{GREETING}\n");
    lines.get_mut().write_all(greeting.as_bytes()).await?;
    let mut counted_in = None;
    loop {
        let mut line = String::new();
        (&mut lines).take(1024).read_line(&mut line).await?;
        let Request { id, ask } = serde_json::from_str(line.trim_end())?;
        if matches!(ask, Ask::Quote(_) | Ask::Order(..)) {
            floor.hold(id, &mut counted_in).await;
        }
        let answer = match ask {
            Ask::Quote(pair) | Ask::Tick(pair) => Answer::Price(id, floor.market.price(id, pair)),
            Ask::Order(_, price) => Answer::Price(id, price),
            Ask::Begin(bell) => {
                floor.begin(bell);
                Answer::Begun
            }
            Ask::Counts => Answer::Counts(floor.state().counts()),
        };
        let line = serde_json::to_string(&answer)? + "\n";
        lines.get_mut().write_all(line.as_bytes()).await?;
    }
}
