//! The threads' side: `std::net`, and every wait blocks the thread that waits.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Mutex,
    thread::{self, Builder},
};
use tracing::info_span;
use web::venue::{Answer, LINE_BYTES, Request};

/// A connection to the venue, which has greeted.
fn connect(venue: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(venue)?;
    let mut stream = BufReader::with_capacity(LINE_BYTES, stream);
    stream.read_line(&mut String::new())?;
    Ok(stream)
}

/// Asks, and blocks this thread until the answer is there.
fn ask(stream: &mut BufReader<TcpStream>, request: &Request) -> io::Result<Answer> {
    stream.get_mut().write_all(request.line().as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Answer::to(request, &line)
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
        let mut stream = connect(venue)?;
        while let Some((request, answer)) = next() {
            let waiting = info_span!("ask", wait = "io");
            *answer = Some(waiting.in_scope(|| ask(&mut stream, request))?);
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
    let streams = requests.iter().map(|_| connect(venue));
    let streams = streams.collect::<io::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let start = |(mut stream, request): (BufReader<TcpStream>, _)| {
            let thread = Builder::new().stack_size(stack_bytes);
            let started = thread.spawn_scoped(scope, move || ask(&mut stream, request));
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = streams.into_iter().zip(requests).map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|answer| answer.expect("no thread panics"))
            .collect()
    })
}
