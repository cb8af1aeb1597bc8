//! The threads' side: `std::net`, and every wait blocks the thread that waits.

use crate::MOST_DRAWN;
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Mutex,
    thread::{self, Builder},
};
use tracing::{Span, info_span};
use web::venue::{Answer, LINE_BYTES, Request};

/// A connection to the venue, which has greeted.
fn connect(venue: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(venue)?;
    let mut stream = BufReader::with_capacity(LINE_BYTES, stream);
    stream.read_line(&mut String::new())?;
    Ok(stream)
}

/// Asks, and blocks this thread until the answer is there.
fn ask(stream: &mut BufReader<TcpStream>, request: Request) -> io::Result<Answer> {
    stream.get_mut().write_all(request.line().as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Answer::to(&request, &line)
}

/// Asks for each quote and buys at it, on a pool of `limit` threads with a connection each.
///
/// # Errors
/// A connection or a request failed.
pub fn trade_with_threads(
    venue: SocketAddr,
    quotes: &[Request],
    limit: NonZeroUsize,
    stack_bytes: usize,
) -> io::Result<Vec<Answer>> {
    let mut answers = vec![None; quotes.len()];
    let queue = Mutex::new(quotes.iter().zip(&mut answers));
    // The lock is released before the answer is waited for.
    let next = || queue.lock().unwrap().next();
    let work = |mut stream: BufReader<TcpStream>| -> io::Result<()> {
        while let Some((&quote, answer)) = next() {
            let waiting = match limit.get() <= MOST_DRAWN {
                true => info_span!("trade", wait = "io"),
                false => Span::none(),
            };
            let _waiting = waiting.entered();
            let buy_at = Some(ask(&mut stream, quote)?.price);
            *answer = Some(ask(&mut stream, Request { buy_at, ..quote })?);
        }
        Ok(())
    };
    // One after the other: the venue's queue for connections is not endless.
    let streams = (0..limit.get()).map(|_| connect(venue));
    let streams = streams.collect::<io::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let start = |stream| {
            let thread = Builder::new().stack_size(stack_bytes);
            let started = thread.spawn_scoped(scope, || work(stream));
            started.expect("the system starts a thread")
        };
        let threads: Vec<_> = streams.into_iter().map(start).collect();
        let mut joined = threads.into_iter().map(|thread| thread.join());
        joined.try_for_each(|result| result.expect("no thread panics"))
    })?;
    Ok(answers.into_iter().flatten().collect())
}
