//! One connection to the venue, from the greeting to its end.

use super::Floor;
use crate::{
    market::{Market, Pair},
    protocol::{Answer, Ask, GREETING, LINE_BYTES, Request},
};
use process_pool::child;
use std::{future, io, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{self, Instant},
};

/// A client that sends a longer line is no client of ours.
const LONGEST_LINE: u64 = 1024;

/// Answers line by line until the client hangs up.
pub(super) async fn serve(stream: TcpStream, floor: Arc<Floor>) {
    // A client that has gone is nobody to tell.
    let _ = converse(stream, &floor).await;
}

async fn converse(stream: TcpStream, floor: &Floor) -> io::Result<()> {
    // Clients close first. Answering that with a reset frees their ports at once: tens of thousands
    // of them would otherwise linger for a minute, and slow down the connects of the next run.
    stream.set_zero_linger()?;
    let mut lines = BufReader::with_capacity(LINE_BYTES, stream);
    write_line(&mut lines, GREETING).await?;
    let (mut line, mut counted_in) = (String::new(), None);
    loop {
        line.clear();
        if (&mut lines).take(LONGEST_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.trim_end().parse::<Request>() {
            Ok(Request {
                id,
                ask: Ask::Tick(pair),
            }) => {
                write_line(&mut lines, &tick(&floor.config.market, id, pair)).await?;
            }
            Ok(request) => trade(&mut lines, floor, &request, &mut counted_in).await?,
            Err(reason) => {
                let answer = administer(floor, line.trim_end());
                let answer = answer.unwrap_or_else(|| Answer::Rejected(reason).to_string());
                write_line(&mut lines, &answer).await?;
            }
        }
    }
}

async fn write_line(lines: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    lines
        .get_mut()
        .write_all(format!("{line}\n").as_bytes())
        .await
}

/// A price at once, which neither counts nor waits.
fn tick(market: &Market, id: u64, pair: Pair) -> String {
    Answer::Price(id, market.quote(id, pair)).to_string()
}

/// A quote or an order: counted in, held for its latency, answered, counted out.
async fn trade(
    lines: &mut BufReader<TcpStream>,
    floor: &Floor,
    request: &Request,
    counted_in: &mut Option<u64>,
) -> io::Result<()> {
    let run = floor.run();
    let is_new = counted_in.replace(run.number()) != Some(run.number());
    let in_flight = run.arrive(is_new);
    let arrival = Some(floor.next_arrival());
    if arrival == floor.config.dies_at {
        child::crash();
    }
    if arrival == floor.config.stalls_at {
        return future::pending().await;
    }
    let market = &floor.config.market;
    let due: Instant = run.opening().await + market.latency(request.id);
    time::sleep_until(due).await;
    let answer = match request.ask {
        Ask::Order(_, price) => Answer::Filled(request.id, price),
        Ask::Quote(pair) | Ask::Tick(pair) => {
            Answer::Price(request.id, market.quote(request.id, pair))
        }
    };
    // Counted out before the client can know: its next request must not meet this one.
    in_flight.answered(due);
    drop(in_flight);
    write_line(lines, &answer.to_string()).await
}

/// The admin lines: `BEGIN n` counts anew, with a bell at the arrival n; `COUNTS` tells.
fn administer(floor: &Floor, line: &str) -> Option<String> {
    match line.split_once(' ') {
        Some(("BEGIN", bell)) => {
            floor.begin(bell.parse().ok()?);
            Some("OK".into())
        }
        None if line == "COUNTS" => Some(floor.run().counts().to_string()),
        _ => None,
    }
}
