//! The venue: a process of its own that quotes, fills orders, and counts what it sees.
//!
//! One thread, one event loop, on 127.0.0.1 and a port that the system chooses. Every answer is
//! held back for its latency; in a run with an opening bell, nothing is answered before as many
//! requests have arrived as the bell waits for.

mod counts;
mod desk;
mod handle;

pub use counts::Counts;
pub use handle::{Session, Venue, VenueError};

use crate::market::Market;
use counts::Run;
use measure::host;
use process_pool::child::{Link, Role};
use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{Builder, Runtime},
    time,
};

/// The name of the role.
const ROLE: &str = "venue";

/// How many connections may wait to be accepted; the system may cut it down to its own limit.
const BACKLOG: u32 = 16_384;

/// The venue's role: `main` hands it to the step.
pub static VENUE: VenueRole = VenueRole;

/// What the venue is told before it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueConfig {
    /// What decides prices and latencies.
    pub market: Market,
    /// It crashes when this many quotes and orders have arrived.
    pub dies_at: Option<u64>,
    /// The quote or order that arrives as this one is never answered.
    pub stalls_at: Option<u64>,
}

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
        let open = Open::new(config).map_err(|error| error.to_string());
        let answer = open.as_ref().map(|open| open.address);
        if link.send(&answer).is_err() {
            return ExitCode::FAILURE;
        }
        // The parent has the reason and tells it.
        let Ok(open) = open else {
            return ExitCode::FAILURE;
        };
        link.exit_with_parent();
        open.runtime.block_on(accept(open.listener, open.floor));
        ExitCode::SUCCESS
    }
}

/// A venue that listens but does not answer yet.
struct Open {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    floor: Arc<Floor>,
}

impl Open {
    fn new(config: VenueConfig) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(BACKLOG)
        })?;
        Ok(Self {
            address: listener.local_addr()?,
            runtime,
            listener,
            floor: Arc::new(Floor::new(config)),
        })
    }
}

/// What every connection can reach.
struct Floor {
    config: VenueConfig,
    /// Quotes and orders of all runs.
    arrivals: AtomicU64,
    run: Mutex<Arc<Run>>,
}

impl Floor {
    fn new(config: VenueConfig) -> Self {
        Self {
            config,
            arrivals: AtomicU64::new(0),
            run: Mutex::new(Arc::new(Run::begin(0, 0))),
        }
    }

    /// The number of a quote or order that has just arrived, from 1.
    fn next_arrival(&self) -> u64 {
        // The venue has one thread: any ordering does.
        self.arrivals.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn run(&self) -> Arc<Run> {
        Arc::clone(&self.run.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts anew from here on; who still waits for the bell of the run before is let go.
    fn begin(&self, bell: u64) {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        run.ring();
        *run = Arc::new(Run::begin(run.number() + 1, bell));
    }
}

/// Serves every connection that comes, for ever.
async fn accept(listener: TcpListener, floor: Arc<Floor>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(desk::serve(stream, Arc::clone(&floor)))),
            // Out of descriptors, mostly: some client hangs up soon.
            Err(_) => time::sleep(Duration::from_millis(5)).await,
        }
    }
}
