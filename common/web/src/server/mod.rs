//! An httpbin-compatible server that counts what it sees and fails on request.
//!
//! It runs as a child process ([`SERVER`]) on 127.0.0.1, one thread, one event loop. Paths are
//! httpbin's where httpbin has them; `/` lists them all.

mod bodies;
mod connection;
mod faults;
mod files;
mod httpbin;
mod own;
mod pages;
mod watch;
mod witness;

pub use faults::{FaultKind, Faults};
pub use own::PATHS;
pub use pages::page_title;
pub use witness::Witness;

use axum::{Router, extract::DefaultBodyLimit};
use connection::{Connection, LabListener};
use process_pool::child::{Link, Role};
use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use tokio::{net::TcpSocket, runtime::Runtime, sync::oneshot};
use witness::Counts;

/// The name of the role; see [`SERVER`].
pub(super) const ROLE: &str = "server";

/// The server's role: `main` hands it to [`take_role`](process_pool::child::take_role).
pub static SERVER: ServerRole = ServerRole;

/// How many connections may wait to be accepted; past the largest burst of a lesson's clients.
const BACKLOG: u32 = 16_384;

/// What the server is told before it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConfig {
    /// Decides what `/bytes` and `/page` hold.
    pub seed: u64,
    /// Which requests fail, and how; none by default.
    pub faults: Option<Faults>,
    /// The directory that `/files/` shows; none by default.
    pub files: Option<PathBuf>,
}

/// The [`Role`] of a child that serves; see [`SERVER`].
#[derive(Clone, Copy, Debug)]
pub struct ServerRole;

impl Role for ServerRole {
    fn name(&self) -> &str {
        ROLE
    }

    fn serve(&self, mut link: Link) -> ExitCode {
        let Ok(Some(config)) = link.receive::<ServerConfig>() else {
            return ExitCode::FAILURE;
        };
        measure::host::raise_open_files();
        let bound = Bound::new(0, config);
        let answer = bound.as_ref().map(|bound| bound.address);
        if link.send(&answer).is_err() {
            return ExitCode::FAILURE;
        }
        match bound {
            Ok(bound) => {
                link.exit_with_parent();
                bound.runtime.block_on(run(bound.listener, bound.lab));
                ExitCode::SUCCESS
            }
            // The parent has the reason and tells it.
            Err(_) => ExitCode::FAILURE,
        }
    }
}

/// What every handler can reach.
#[derive(Debug)]
struct Lab {
    config: ServerConfig,
    counts: Counts,
    draws: AtomicU64,
}

impl Lab {
    /// The place of the next draw by the seed.
    fn next(&self) -> u64 {
        self.draws.fetch_add(1, Ordering::Relaxed)
    }
}

/// A server that listens but does not answer yet.
struct Bound {
    runtime: Runtime,
    listener: LabListener,
    address: SocketAddr,
    lab: Arc<Lab>,
}

impl Bound {
    fn new(port: u16, mut config: ServerConfig) -> Result<Self, String> {
        if let Some(directory) = config.files.take() {
            config.files = Some(files::root(&directory)?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let (listener, address) =
            runtime
                .block_on(async { listen(port) })
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AddrInUse => {
                        format!("port `{port}` is in use; choose another, or 0 for any free one")
                    }
                    _ => format!("cannot listen at port `{port}`: {error}"),
                })?;
        let counts = Counts::default();
        Ok(Self {
            runtime,
            listener,
            address,
            lab: Arc::new(Lab {
                config,
                counts,
                draws: AtomicU64::new(0),
            }),
        })
    }
}

fn listen(port: u16) -> io::Result<(LabListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    // On Windows the option means something else: two servers at one port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((LabListener(listener), address))
}

async fn run(listener: LabListener, lab: Arc<Lab>) {
    let app = app(lab).into_make_service_with_connect_info::<Connection>();
    // It retries whatever accepting brings, and never returns.
    let _ = axum::serve(listener, app).await;
}

fn app(lab: Arc<Lab>) -> Router {
    let watched = axum::middleware::from_fn_with_state(lab.clone(), watch::watch);
    let counted = httpbin::routes()
        .merge(own::routes())
        .merge(pages::routes())
        .merge(files::routes())
        .fallback(httpbin::not_found)
        .layer(DefaultBodyLimit::max(httpbin::BYTES_LIMIT))
        .layer(watched)
        .with_state(lab.clone());
    // Around the rest: which methods a path takes is known only outside of it.
    let shared = axum::middleware::from_fn(httpbin::shared);
    let counted = Router::new().fallback_service(counted).layer(shared);
    // These neither count nor fail.
    witness::routes().with_state(lab).fallback_service(counted)
}

/// A server on a thread of this process; it stops when this is dropped.
#[derive(Debug)]
pub(super) struct ServerThread {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl ServerThread {
    pub(super) fn start(port: u16, config: ServerConfig) -> Result<Self, String> {
        let (told, address) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("lab-server".into())
            .spawn(move || {
                let bound = match Bound::new(port, config) {
                    Ok(bound) => bound,
                    // If nobody waits for the reason, nobody misses it.
                    Err(reason) => return drop(told.send(Err(reason))),
                };
                let _ = told.send(Ok(bound.address));
                bound.runtime.block_on(async {
                    tokio::select! {
                        () = run(bound.listener, bound.lab) => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(|error| error.to_string())?;
        let address = address
            .recv()
            .map_err(|_| String::from("its thread ended early"))??;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        // A thread that has ended needs no word.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed by the panic hook; a drop must not add another.
            let _ = thread.join();
        }
    }
}

/// A well-mixed number from a seed and a position (splitmix64); the same on every machine.
fn mix(seed: u64, position: u64) -> u64 {
    let mut z = seed.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
