//! An FX venue in a process of its own: it quotes, fills orders, and counts what it sees.
//!
//! One line of JSON out, one line in, over TCP on 127.0.0.1 and a port that the system chooses. One
//! thread, one event loop. Every answer is held back for its latency; in a run with an opening bell,
//! nothing is answered before as many requests have arrived as the bell waits for.

mod handle;
mod market;

pub use handle::{Venue, VenueError};
pub use market::{Market, Pair, Price, Quote};

use measure::{host, timing::Usage};
use process_pool::child::{self, Link, Role};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    future, io,
    net::Ipv4Addr,
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

/// A client that sends a longer line is no client of ours.
const LONGEST_LINE: u64 = 1024;
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
    /// To buy at this price; the venue takes its time.
    Order(Pair, Price),
    /// The last price, at once.
    Tick(Pair),
    /// To count from zero, with a bell at this arrival.
    Begin(u64),
    /// What it has counted.
    Counts,
}

/// What the venue answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The price asked for.
    Price(u64, Quote),
    /// The order is done at this price.
    Filled(u64, Price),
    /// It counts from zero.
    Begun,
    /// What it has counted.
    Counts(Counts),
    /// It is no request, and why.
    Rejected(String),
}

impl Request {
    /// The line for it, with its line break.
    pub fn line(&self) -> String {
        line(self)
    }
}

impl Answer {
    /// The answer in a line; `None` where it is none.
    pub fn of_line(line: &str) -> Option<Self> {
        parse(line).ok()
    }
}

fn line(said: &impl Serialize) -> String {
    serde_json::to_string(said).expect("plain data") + "\n"
}

fn parse<T: DeserializeOwned>(line: &str) -> serde_json::Result<T> {
    serde_json::from_str(line.trim_end())
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
    /// CPU time of its process.
    pub cpu_s: f64,
    /// How long it has been counting.
    pub lasted_s: f64,
}

impl Counts {
    /// The part of the time in which the venue's one thread was at work, 0–1.
    pub fn busy_ratio(&self) -> f64 {
        let ratio = self.cpu_s / self.lasted_s;
        if ratio.is_finite() { ratio } else { 0.0 }
    }
}

/// What the venue gets before it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueConfig {
    /// What decides prices and latencies.
    pub market: Market,
    /// It crashes when this many quotes and orders have arrived.
    pub dies_at: Option<u64>,
    /// The quote or order that arrives as this one is never answered.
    pub stalls_at: Option<u64>,
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
        let Ok(Some(config)) = link.receive::<VenueConfig>() else {
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
        runtime.block_on(accept(listener, Arc::new(Floor::new(config))));
        ExitCode::SUCCESS
    }
}

fn open() -> io::Result<(Runtime, TcpListener, std::net::SocketAddr)> {
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
    config: VenueConfig,
    state: Mutex<State>,
}

/// What is counted: in a run, and in all of them.
struct State {
    run: u64,
    bell: u64,
    rung: Arc<SetOnce<Instant>>,
    began: Instant,
    cpu_before: Duration,
    counts: Counts,
    in_flight: u64,
    all_arrivals: u64,
}

impl Floor {
    fn new(config: VenueConfig) -> Self {
        let state = State {
            run: 0,
            bell: 0,
            rung: Arc::default(),
            began: Instant::now(),
            cpu_before: Duration::ZERO,
            counts: Counts::default(),
            in_flight: 0,
            all_arrivals: 0,
        };
        let state = Mutex::new(state);
        Self { config, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole numbers are right at every moment, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, bell: u64) {
        let mut state = self.state();
        // Whoever still waits for the bell of the run before is released.
        let _ = state.rung.set(Instant::now());
        *state = State {
            run: state.run + 1,
            bell,
            rung: Arc::default(),
            began: Instant::now(),
            cpu_before: Usage::of_this_process().cpu(),
            counts: Counts::default(),
            in_flight: 0,
            all_arrivals: state.all_arrivals,
        };
    }

    fn counts(&self) -> Counts {
        let state = self.state();
        Counts {
            cpu_s: (Usage::of_this_process().cpu() - state.cpu_before).as_secs_f64(),
            lasted_s: state.began.elapsed().as_secs_f64(),
            ..state.counts
        }
    }

    /// Counts a request in; `counted_in` is the run in which its connection was last counted.
    fn arrive(&self, counted_in: &mut Option<u64>) -> Arrival {
        let mut state = self.state();
        state.all_arrivals += 1;
        state.in_flight += 1;
        state.counts.arrivals += 1;
        state.counts.connections += u64::from(counted_in.replace(state.run) != Some(state.run));
        state.counts.peak_in_flight = state.counts.peak_in_flight.max(state.in_flight);
        if state.counts.arrivals == state.bell {
            let _ = state.rung.set(Instant::now());
        }
        Arrival {
            number: state.all_arrivals,
            run: state.run,
            bell: (state.bell > 1).then(|| Arc::clone(&state.rung)),
        }
    }

    /// Counts it out again.
    fn leave(&self, arrival: &Arrival) {
        let mut state = self.state();
        if state.run == arrival.run {
            state.in_flight -= 1;
        }
    }
}

/// A quote or order that has arrived.
struct Arrival {
    /// Its number among those of all runs, from 1.
    number: u64,
    run: u64,
    bell: Option<Arc<SetOnce<Instant>>>,
}

/// Answers line by line until the client hangs up.
async fn converse(stream: TcpStream, floor: Arc<Floor>) -> io::Result<()> {
    // Clients close first. Answering that with a reset frees their ports at once: tens of thousands
    // of them would otherwise linger for a minute, and slow down the connects of the next run.
    stream.set_zero_linger()?;
    let mut lines = BufReader::with_capacity(LINE_BYTES, stream);
    lines
        .get_mut()
        .write_all(format!("{GREETING}\n").as_bytes())
        .await?;
    let (mut asked, mut counted_in) = (String::new(), None);
    loop {
        asked.clear();
        if (&mut lines)
            .take(LONGEST_LINE)
            .read_line(&mut asked)
            .await?
            == 0
        {
            return Ok(());
        }
        let answer = match parse::<Request>(&asked) {
            Ok(request) => answer(&floor, request, &mut counted_in).await,
            Err(error) => Answer::Rejected(error.to_string()),
        };
        lines.get_mut().write_all(line(&answer).as_bytes()).await?;
    }
}

async fn answer(
    floor: &Floor,
    Request { id, ask }: Request,
    counted_in: &mut Option<u64>,
) -> Answer {
    let market = &floor.config.market;
    match ask {
        Ask::Tick(pair) => Answer::Price(id, market.quote(id, pair)),
        Ask::Begin(bell) => {
            floor.begin(bell);
            Answer::Begun
        }
        Ask::Counts => Answer::Counts(floor.counts()),
        Ask::Quote(pair) => {
            hold(floor, id, counted_in).await;
            Answer::Price(id, market.quote(id, pair))
        }
        Ask::Order(_, price) => {
            hold(floor, id, counted_in).await;
            Answer::Filled(id, price)
        }
    }
}

/// Counts a quote or an order in, holds it for its latency, and counts it out.
async fn hold(floor: &Floor, id: u64, counted_in: &mut Option<u64>) {
    let arrival = floor.arrive(counted_in);
    if Some(arrival.number) == floor.config.dies_at {
        child::crash();
    }
    if Some(arrival.number) == floor.config.stalls_at {
        return future::pending().await;
    }
    let opening = match &arrival.bell {
        Some(bell) => *bell.wait().await,
        None => Instant::now(),
    };
    time::sleep_until(opening + floor.config.market.latency(id)).await;
    // Counted out before the client can know: its next request must not meet this one.
    floor.leave(&arrival);
}
