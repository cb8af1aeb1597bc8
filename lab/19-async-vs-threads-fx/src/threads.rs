//! The threads' side: `std::net`, and every wait blocks the thread that waits.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Mutex,
    thread::{self, Builder},
};
use web::venue::{Answer, LINE_BYTES, Request};

/// A connection to the venue.
#[derive(Debug)]
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects, and waits until the venue has greeted.
    ///
    /// # Errors
    /// The venue cannot be reached.
    pub fn connect(venue: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(venue)?;
        let mut client = Self(BufReader::with_capacity(LINE_BYTES, stream));
        client.0.read_line(&mut String::new())?;
        Ok(client)
    }

    /// Asks, and blocks this thread until the answer is there.
    ///
    /// # Errors
    /// The venue hung up, or said something else.
    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.0.get_mut().write_all(request.line().as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        Answer::to(request, &line)
    }
}

/// Asks everything on a pool of `limit` threads, each with a connection of its own.
///
/// # Errors
/// A request failed.
pub fn trade_with_threads(
    venue: SocketAddr,
    requests: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    let mut answers = vec![None; requests.len()];
    let queue = Mutex::new(requests.iter().zip(&mut answers));
    // The lock is released before the answer is waited for.
    let next = || queue.lock().unwrap().next();
    let work = || -> io::Result<()> {
        let mut client = Client::connect(venue)?;
        while let Some((request, answer)) = next() {
            *answer = Some(ask_on_thread(&mut client, request)?);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..limit.get()).map(|_| scope.spawn(work)).collect();
        let mut joined = threads.into_iter().map(|thread| thread.join());
        joined.try_for_each(|result| result.expect("no thread panics"))
    })?;
    Ok(answers.into_iter().flatten().collect())
}

#[tracing::instrument(name = "ask", skip_all, fields(wait = "io"))]
fn ask_on_thread(client: &mut Client, request: &Request) -> io::Result<Answer> {
    client.ask(request)
}

/// Has every request in flight at once, each on a thread and a connection of its own.
///
/// # Errors
/// A connection or a request failed.
#[tracing::instrument(name = "burst", skip_all, fields(wait = "io"))]
pub fn burst_with_threads(
    venue: SocketAddr,
    requests: &[Request],
    stack_bytes: usize,
) -> io::Result<Vec<Answer>> {
    // One after the other: the venue's queue for connections is not endless.
    let clients = requests.iter().map(|_| Client::connect(venue));
    let clients = clients.collect::<io::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let start = |(mut client, request): (Client, _)| {
            let thread = Builder::new().stack_size(stack_bytes);
            let started = thread.spawn_scoped(scope, move || client.ask(request));
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = clients.into_iter().zip(requests).map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|answer| answer.expect("no thread panics"))
            .collect()
    })
}
