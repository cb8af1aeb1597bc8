//! An httpbin-compatible server that counts what it sees and fails on request.
//!
//! It runs as a child process ([`SERVER`]) on 127.0.0.1, one thread, one event loop. Paths are
//! httpbin's where httpbin has them; `/` lists them all.

mod asked;
mod bodies;
mod faults;
mod httpbin;
mod pages;
mod witness;

pub use faults::{FaultKind, Faults};
pub use pages::page_title;
pub use witness::Witness;

use super::{
    Url,
    service::{self, Served, ServerError, Service},
    under,
};
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use faults::Ending;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use measure::workload::Seeded;
use process_pool::child::{Link, Program};
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    fs,
    future::poll_fn,
    net::SocketAddr,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tower::ServiceExt;
pub(crate) use witness::{Connection, Counts};

/// The server's role: `main` hands it to [`enter`](process_pool::child::enter).
pub static SERVER: Service = Service {
    name: "server",
    serve,
};

/// What is there, a path a line.
pub const PATHS: &str = "\
httpbin's paths:
  /get /post /put /patch /delete /anything  what you asked, as JSON
  /headers /ip /user-agent /uuid            parts of it
  /delay/{seconds}          what you asked, later (0 to 60, fractions are fine)
  /status/{codes}           that status, or one of a list: 200:3,500:1 by weight
  /redirect/{n} /absolute-redirect/{n} /relative-redirect/{n}
  /redirect-to?url=URL&status_code=CODE
  /bytes/{n}?seed=N /stream/{lines} /links/{n}/{offset}
  /drip?numbytes=N&duration=S&delay=S&code=CODE   a body byte by byte
  /gzip /deflate /brotli    coded bodies
  /json /html /xml /image/png /encoding/utf8 /robots.txt
the lab's own:
  /page/{n}                 page n of many that link to each other
                            (?size=BYTES&count=PAGES&delay=SECONDS)
  /files/{path}             a directory, if one is served
  /flaky/{n}                fails n times, then what you asked (?status=CODE)
  /stall                    the head of an answer, and then nothing for ever
  /cut/{n}                  half of n bytes, then the connection closes
  /reset                    a TCP reset
  /wrong-length/{said}/{n}  n bytes under another length
  /broken-gzip              half of a gzip, as if it were whole
  /retry-after/{seconds}    status 429, to be tried again later (?as=date)
  /not-utf8                 a page that is not UTF-8
  /witness                  what the server saw since POST /witness/begin
";

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

impl ServerConfig {
    /// With the directory in its one true spelling, if it is there.
    fn checked(mut self) -> Result<Self, ServerError> {
        if let Some(directory) = &mut self.files {
            let root = directory.canonicalize();
            let root = root.and_then(|root| fs::read_dir(&root).map(|_| root));
            *directory = root.map_err(|error| {
                let directory = directory.display();
                let reason = format!("cannot serve the directory `{directory}`: {error}");
                ServerError::CannotStart(reason)
            })?;
        }
        Ok(self)
    }
}

/// The lab's web server at work; it ends when this handle is dropped.
#[derive(Debug)]
pub struct Server {
    base_url: Url,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Process(Served),
    /// There until it is dropped.
    Thread(Option<Runtime>, Arc<Lab>),
}

impl Server {
    /// Starts `program`, mostly this one again, as the server.
    ///
    /// # Errors
    /// [`ServerError`] when the process does not start or cannot listen.
    pub fn start(program: &Program, config: ServerConfig) -> Result<Self, ServerError> {
        let (served, address) = Served::start(program, &SERVER, &config.checked()?)?;
        Ok(Self::at(address, Home::Process(served)))
    }

    /// Runs the server on a thread of this process: for tests, and for `lab-server`.
    ///
    /// It listens at `port` of 127.0.0.1, or at a free one if that is 0.
    ///
    /// # Errors
    /// [`ServerError`] when the port is taken or the directory of files is not there.
    pub fn in_process(port: u16, config: ServerConfig) -> Result<Self, ServerError> {
        let config = config.checked()?;
        let listening = service::listen(port).map_err(ServerError::CannotStart);
        let (runtime, listener, address) = listening?;
        let lab = Lab::of(config);
        runtime.spawn(run(listener, lab.clone()));
        Ok(Self::at(address, Home::Thread(Some(runtime), lab)))
    }

    fn at(address: SocketAddr, home: Home) -> Self {
        Self {
            base_url: Url::parse(&format!("http://{address}/")).expect("an address makes a URL"),
            home,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:41234/`.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The URL of a path on it: `server.url("page/3?size=2000")`.
    pub fn url(&self, path: &str) -> Url {
        under(&self.base_url, path)
    }

    /// The id of the process it runs in.
    pub fn id(&self) -> u32 {
        match &self.home {
            Home::Process(served) => served.id(),
            Home::Thread(..) => process::id(),
        }
    }

    /// Zeroes its counts, and lets its faults begin again.
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn begin_run(&self) -> Result<(), ServerError> {
        self.counts(true).map(drop)
    }

    /// What it saw since [`begin_run`](Self::begin_run).
    ///
    /// # Errors
    /// [`ServerError`] when it does not answer.
    pub fn witness(&self) -> Result<Witness, ServerError> {
        self.counts(false)
    }

    fn counts(&self, begins: bool) -> Result<Witness, ServerError> {
        match &self.home {
            Home::Process(served) => served.ask(&begins),
            Home::Thread(_, lab) => Ok(lab.counts.ask(begins)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Home::Thread(runtime, _) = &mut self.home {
            let runtime = runtime.take();
            // Elsewhere, since a thread of another runtime may not wait for this one. A panic of the
            // server has been printed by the panic hook; a drop must not add another.
            let _ = thread::spawn(|| drop(runtime)).join();
        }
    }
}

/// What every handler can reach.
#[derive(Debug)]
struct Lab {
    config: ServerConfig,
    counts: Arc<Counts>,
    draws: AtomicU64,
}

impl Lab {
    fn of(config: ServerConfig) -> Arc<Self> {
        let lab = Self {
            config,
            counts: Arc::default(),
            draws: AtomicU64::new(0),
        };
        lab.counts.ask(true);
        Arc::new(lab)
    }

    /// The next draw by the seed.
    fn draw(&self) -> u64 {
        mix(self.config.seed, self.draws.fetch_add(1, Ordering::Relaxed))
    }
}

fn serve(link: Link) -> Option<()> {
    service::serve(link, |config, listener| {
        let lab = Lab::of(config);
        let counts = lab.counts.clone();
        (move |begins| counts.ask(begins), run(listener, lab))
    })
}

/// Serves for ever.
async fn run(listener: TcpListener, lab: Arc<Lab>) {
    let app = app(lab);
    service::accept(listener, usize::MAX, |stream| converse(stream, app.clone())).await;
}

/// Answers request by request, until the client leaves or an answer is an [`Ending`].
async fn converse(stream: TcpStream, app: Router) {
    // Only a connection that is gone already refuses; its first read says so.
    let _ = stream.set_nodelay(true);
    let connection = Connection::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        let answer = app.clone().oneshot(request);
        Box::pin(async {
            let Ok(mut answer) = answer.await;
            let ending = answer.extensions_mut().remove::<Ending>();
            ending.map_or(Ok(answer), Err)
        })
    });
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| served.poll_without_shutdown(cx)).await;
    let mut stream = served.into_parts().io.into_inner();
    let ending = ended.as_ref().err().and_then(|error| error.source());
    if let Some(Ending(bytes)) = ending.and_then(|ending| ending.downcast_ref()) {
        // The client may have gone; if not, no bytes at all make the end a reset.
        let _ = match bytes.is_empty() {
            true => stream.set_zero_linger(),
            false => stream.write_all(bytes).await,
        };
    }
}

fn app(lab: Arc<Lab>) -> Router {
    let watched = middleware::from_fn_with_state(lab.clone(), faults::watch);
    let counted = httpbin::routes()
        .merge(faults::routes())
        .merge(pages::routes())
        .fallback(httpbin::not_found)
        .layer(DefaultBodyLimit::max(asked::BYTES_LIMIT))
        .layer(watched)
        .with_state(lab.clone());
    // These neither count nor fail.
    let (seen, begun) = (lab.counts.clone(), lab.counts.clone());
    Router::new()
        .route("/witness", get(async move || Json(seen.ask(false))))
        .route("/witness/begin", post(async move || Json(begun.ask(true))))
        .fallback_service(counted)
}

/// A well-mixed number from a seed and a position.
fn mix(seed: u64, position: u64) -> u64 {
    Seeded::for_item(seed, position).next_u64()
}
