//! A service in a process of its own: it is told how to serve, listens, and says where.

use super::Witness;
use measure::host;
use parking_lot::Mutex;
use process_pool::{
    PoolError,
    child::{Guest, Link, Program, Role},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
    time,
};

/// How long a service may take to say where it listens, or to answer for its counts.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections may wait to be accepted; past the largest burst of a lesson's clients.
const BACKLOG: u32 = 16_384;

/// The files that a service has open before its first connection, and some for those.
const FILES: u64 = 16;

/// Why a service is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its process did not start.
    #[error(transparent)]
    Start(#[from] PoolError),
    /// It could not listen.
    #[error("the lab's server cannot start: {0}")]
    CannotStart(String),
    /// It has ended, or it does not answer.
    #[error("the lab's server {0}")]
    Ill(String),
}

/// A service as a role: `main` hands it to [`enter`](process_pool::child::enter).
#[derive(Debug)]
pub struct Service {
    pub(crate) name: &'static str,
    /// Serves until the link closes; `None` when it could not begin.
    pub(crate) serve: fn(Link) -> Option<()>,
}

impl Role for Service {
    fn name(&self) -> &'static str {
        self.name
    }

    fn serve(&self, link: Link) -> u8 {
        u8::from((self.serve)(link).is_none())
    }
}

/// The child's side: takes what it is told, listens, says where, and begins its work; then it answers
/// what the parent asks, until the link closes.
///
/// `None` when it cannot; the parent has the reason, and reports it.
pub(crate) fn serve<C: DeserializeOwned, Q: DeserializeOwned, A, W>(
    mut link: Link,
    begin: impl FnOnce(C, TcpListener) -> (A, W),
) -> Option<()>
where
    A: Fn(Q) -> Witness,
    W: Future<Output = ()> + Send + 'static,
{
    let config = link.receive(None).ok()??;
    let opened = listen(0);
    let address = opened.as_ref().map(|(_, _, address)| address);
    link.send(&address).ok()?;
    let (runtime, listener, _) = opened.ok()?;
    let (answer, work) = begin(config, listener);
    runtime.spawn(work);
    while let Some(question) = link.receive(None).ok()? {
        link.send(&answer(question)).ok()?;
    }
    Some(())
}

/// Listens at `port` of 127.0.0.1, or at a free one if that is 0, on a runtime of one thread.
pub(crate) fn listen(port: u16) -> Result<(Runtime, TcpListener, SocketAddr), String> {
    // A client of one that can accept nothing would only see that nothing comes.
    if let Some(few @ ..FILES) = host::raise_open_files() {
        let needed = format!("it may have {few} files open and needs {FILES}");
        return Err(format!("{needed}; raise `ulimit -n`"));
    }
    let listen = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("lab-server");
        let runtime = builder.enable_all().build()?;
        let context = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        // On Windows the option means something else: two servers at one port.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        drop(context);
        Ok((runtime, listener, address))
    };
    listen().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port `{port}` is in use; choose another, or 0 for any free one")
        }
        _ => format!("cannot listen at port `{port}`: {error}"),
    })
}

/// Serves each connection in a task, until there was no room for one so many times in a row: then all end.
pub(crate) async fn accept<F: Future<Output: Send> + Send + 'static>(
    listener: TcpListener,
    refusals_limit: usize,
    converse: impl Fn(TcpStream) -> F,
) {
    let mut open = JoinSet::new();
    let mut refusals = 0;
    while refusals < refusals_limit {
        match listener.accept().await {
            Ok((stream, _)) => {
                refusals = 0;
                // A client that hangs up ends its task, and needs no answer.
                open.spawn(converse(stream));
                while open.try_join_next().is_some() {}
            }
            // Out of descriptors, mostly: some client hangs up soon, or all of them wait for this one.
            Err(_) => {
                refusals += 1;
                time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// The parent's side of a service; the service lives as long as this.
#[derive(Debug)]
pub(crate) struct Served(Mutex<(Guest, Link)>);

impl Served {
    /// Starts `program` as a service, and learns where it listens.
    pub(crate) fn start(
        program: &Program,
        service: &Service,
        config: &impl Serialize,
    ) -> Result<(Self, SocketAddr), ServerError> {
        let (child, link) = program.start(service.name)?;
        let served = Self(Mutex::new((child, link)));
        let address: Result<SocketAddr, String> = served.ask(config)?;
        let address = address.map_err(ServerError::CannotStart)?;
        Ok((served, address))
    }

    /// Sends a message over the link, and receives the answer.
    ///
    /// Not over a connection: where descriptors run out, there would be none to be had.
    pub(crate) fn ask<T>(&self, message: &impl Serialize) -> Result<T, ServerError>
    where
        T: DeserializeOwned,
    {
        let (child, link) = &mut *self.0.lock();
        let sent = link.send(message);
        let answer = sent.and_then(|()| link.receive(Some(PATIENCE)));
        let answer = answer.and_then(|it| it.ok_or(io::ErrorKind::UnexpectedEof.into()));
        answer.map_err(|error| silent(child, &error))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.lock().0.id()
    }
}

/// A silence is explained by an end, if there was one: its connections break a little earlier.
fn silent(child: &mut Guest, error: &io::Error) -> ServerError {
    ServerError::Ill(match child.end_within(Duration::from_millis(500)) {
        Some(exit) => format!("has ended with {exit}; run again, and look for what it printed"),
        None => format!("does not answer: {error}"),
    })
}
