//! The threads' side: `std::net`, and every wait blocks the thread that waits.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::{self, Builder},
    time::Duration,
};
use web::venue::{Answer, LINE_BYTES, Request};

/// An answer that takes longer does not come.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

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
        stream.set_read_timeout(Some(TIMEOUT))?;
        let mut client = Self(BufReader::with_capacity(LINE_BYTES, stream));
        client.0.read_line(&mut String::new())?;
        Ok(client)
    }

    /// Asks, and blocks this thread until the answer is there.
    ///
    /// # Errors
    /// The venue hung up, was silent for too long, or said something else.
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
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<Vec<(usize, Answer)>> {
        let (mut client, mut answers) = (Client::connect(venue)?, Vec::new());
        loop {
            // Relaxed: the counter hands out numbers and nothing else.
            let number = next.fetch_add(1, Relaxed);
            let Some(request) = requests.get(number) else {
                return Ok(answers);
            };
            answers.push((number, ask_on_thread(&mut client, request)?));
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..limit.get()).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(requests.len());
        for thread in threads {
            all.extend(thread.join().expect("no thread panics")?);
        }
        all.sort_by_key(|(number, _)| *number);
        Ok(all.into_iter().map(|(_, answer)| answer).collect())
    })
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
        let start = |(mut client, request): (Client, &Request)| {
            let (request, thread) = (*request, Builder::new().stack_size(stack_bytes));
            let started = thread.spawn_scoped(scope, move || client.ask(&request));
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = clients.into_iter().zip(requests).map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|answer| answer.expect("no thread panics"))
            .collect()
    })
}
