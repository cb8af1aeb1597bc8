//! The client that really blocks its thread: no runtime, no hidden event loop.
//!
//! hyper reads and writes the messages, as it does for the other client, so that the same bytes mean the
//! same to both. But here nothing waits in the background: the thread itself moves each byte, and blocks.

use super::{
    FetchError, KEEP_ALIVE, Page, USER_AGENT, Url,
    asynchronous::tls_config,
    exchange::{BoxError, Client, Exchange, NO_HOST, fetch, left},
};
use futures_util::{
    FutureExt,
    future::{Fuse, FusedFuture},
};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, Connection, SendRequest},
    header, rt,
};
use parking_lot::Mutex;
use rustls::{ClientConfig, ClientConnection};
use std::{
    cell::Cell,
    collections::HashMap,
    io::{
        self,
        ErrorKind::{Interrupted, InvalidData, TimedOut, WouldBlock},
        Read, Write,
    },
    net::TcpStream,
    panic::Location,
    pin::{Pin, pin},
    sync::{Arc, mpsc},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};
use url::{Host, Origin, Position};

/// A client for threads, with keep-alive; clones share its connections.
#[derive(Clone, Debug)]
pub struct Agent {
    timeout: Duration,
    pub(super) tls: Arc<ClientConfig>,
    idle: Arc<Mutex<HashMap<Origin, Idle>>>,
}

/// Connections that wait for a next request, and since when.
type Idle = Vec<(Instant, Line)>;

/// Makes a client for threads.
///
/// `timeout` covers one whole request, from the name look-up to the last byte.
pub fn blocking_agent(timeout: Duration) -> Agent {
    Agent {
        timeout,
        tls: Arc::new(tls_config(webpki_roots::TLS_SERVER_ROOTS)),
        idle: Arc::default(),
    }
}

/// Fetches one page and blocks until its last byte; a picture shows where in the code it was called.
///
/// # Errors
/// A [`FetchError`]: no connection, no complete answer in time, or a status that is no page.
#[track_caller]
#[tracing::instrument(name = "fetch", level = "info", skip_all, fields(
    wait = "io", code.file = Location::caller().file(), code.line = Location::caller().line()
))]
pub fn get_blocking(agent: &Agent, url: &Url) -> Result<Page, FetchError> {
    let page = fetch(agent, url, agent.timeout);
    page.now_or_never().expect("this client only blocks")
}

impl Client for Agent {
    async fn exchange(&self, at: &mut Exchange) -> Result<(), BoxError> {
        let origin = at.url.origin();
        let (mut line, answer) = match self.kept(&origin).map(|line| line.ask(at)) {
            Some(Err(error)) if !at.explain(&*error).is_broken() => return Err(error),
            Some(Ok(answered)) => answered,
            _ => self.connect(at).await?.ask(at)?,
        };
        let (head, mut body) = answer.into_parts();
        at.begin(head.status, head.headers)?;
        while let Some(frame) = line.run(body.frame().map(Option::transpose), at.until)? {
            at.take(&frame.into_data().unwrap_or_default())?;
        }
        let mut idle = self.idle.lock();
        let kept = idle.entry(origin).or_default();
        kept.push((Instant::now(), line));
        Ok(())
    }
}

impl Agent {
    fn kept(&self, origin: &Origin) -> Option<Line> {
        loop {
            let (since, mut line) = self.idle.lock().get_mut(origin)?.pop()?;
            if since.elapsed() < KEEP_ALIVE && line.is_usable() {
                return Some(line);
            }
        }
    }

    async fn connect(&self, at: &Exchange) -> Result<Line, BoxError> {
        let socket = dial(&at.url, at.until)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(left(at.until)))?;
        let tls = if at.url.scheme() == "https" {
            let host = at.url.host_str().unwrap_or_default();
            let name = host.trim_matches(['[', ']']).to_owned().try_into()?;
            Some(ClientConnection::new(self.tls.clone(), name)?)
        } else {
            None
        };
        let (sender, connection) = http1::handshake(Wire { socket, tls }).await?;
        let connection = connection.fuse();
        Ok(Line { sender, connection })
    }
}

/// A connection to the first of the URL's addresses that takes one.
fn dial(url: &Url, until: Instant) -> Result<TcpStream, BoxError> {
    let (tx, rx) = mpsc::channel();
    let find = |url: &Url| url.socket_addrs(|| None);
    let found = match url.host() {
        // The system's look-up knows no time-out. An address needs none, and so no thread either.
        Some(Host::Domain(_)) => {
            let url = url.clone();
            thread::Builder::new().spawn(move || tx.send(find(&url)))?;
            let found = rx.recv_timeout(left(until));
            found.map_err(|_| io::Error::from(TimedOut))?
        }
        _ => find(url),
    };
    let mut error = BoxError::from(NO_HOST);
    for address in found.map_err(|_| NO_HOST)? {
        match TcpStream::connect_timeout(&address, left(until)) {
            Ok(stream) => return Ok(stream),
            Err(refused) => error = refused.into(),
        }
    }
    Err(error)
}

/// A connection, with what hyper knows of it.
#[derive(Debug)]
struct Line {
    sender: SendRequest<Empty<Bytes>>,
    connection: Fuse<Connection<Wire, Empty<Bytes>>>,
}

thread_local! {
    /// Until when hyper may wait for one read on this thread; once that is past, it reads what is there.
    static MAY_READ: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Line {
    fn ask(mut self, at: &Exchange) -> Result<(Self, Response<Incoming>), BoxError> {
        let host = &at.url[Position::BeforeHost..Position::AfterPort];
        let request = Request::get(&at.url[Position::BeforePath..Position::AfterQuery])
            .header(header::HOST, host)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*")
            .body(Empty::new())?;
        let answer = self.sender.send_request(request);
        let answer = self.run(answer, at.until)?;
        Ok((self, answer))
    }

    /// Has hyper work until `future` is ready; it reads only when nothing else is left to do.
    fn run<T>(
        &mut self,
        future: impl Future<Output = hyper::Result<T>>,
        until: Instant,
    ) -> Result<T, BoxError> {
        let mut future = pin!(future);
        let mut may_read = None;
        loop {
            self.poll(may_read);
            if let Some(done) = future.as_mut().now_or_never() {
                return Ok(done?);
            }
            if Instant::now() >= until {
                return Err(io::Error::from(TimedOut).into());
            }
            may_read = Some(until);
        }
    }

    fn poll(&mut self, may_read: Option<Instant>) {
        MAY_READ.set(may_read);
        // An error reaches whatever waits for the connection, too.
        let _ = (&mut self.connection).now_or_never();
    }

    /// Whether nothing has come since the last answer, not even the end.
    fn is_usable(&mut self) -> bool {
        self.poll(Some(Instant::now()));
        self.sender.is_ready() && !self.connection.is_terminated()
    }
}

#[derive(Debug)]
struct Wire {
    socket: TcpStream,
    tls: Option<ClientConnection>,
}

impl Wire {
    fn receive(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize> {
        loop {
            if let Some(tls) = &mut self.tls {
                match tls.reader().read(bytes) {
                    Err(error) if error.kind() == WouldBlock => {}
                    done => return done,
                }
            }
            self.socket.set_nonblocking(until <= Instant::now())?;
            self.socket.set_read_timeout(Some(left(until)))?;
            let Some(tls) = &mut self.tls else {
                return self.socket.read(bytes);
            };
            tls.read_tls(&mut self.socket)?;
            let read = tls.process_new_packets();
            read.map_err(|error| io::Error::new(InvalidData, error))?;
            self.transmit(&[])?;
        }
    }

    fn transmit(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_nonblocking(false)?;
        let Some(tls) = &mut self.tls else {
            return self.socket.write_all(bytes).map(|()| bytes.len());
        };
        let (written, mut records) = (tls.writer().write(bytes)?, Vec::new());
        while tls.wants_write() {
            tls.write_tls(&mut records)?;
        }
        self.socket.write_all(&records)?;
        Ok(written)
    }
}

impl rt::Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(until) = MAY_READ.take() else {
            return Poll::Pending;
        };
        let mut bytes = [0; 16 << 10];
        let room = buffer.remaining().min(bytes.len());
        match self.receive(&mut bytes[..room], until) {
            // A stop of the process ends a read with a time limit.
            Err(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock) => {
                Poll::Pending
            }
            read => Poll::Ready(read.map(|length| buffer.put_slice(&bytes[..length]))),
        }
    }
}

impl rt::Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.transmit(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
