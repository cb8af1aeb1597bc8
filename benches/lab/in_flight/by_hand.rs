//! The floor: a socket for each request, one line of HTTP, and no more of the answer understood than is
//! needed to know its end.

use super::far_end::{check_answer, in_tasks_of_their_own, timed};
use anyhow::{Context, ensure};
use lab_08_async_downloader::run_on_this_thread;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use web::Url;

/// Longer than any answer of this group, head and all.
const ANSWER_BYTES: usize = 1024;

pub(super) fn turn(url: &Url, count: usize) -> anyhow::Result<Duration> {
    let address = url.socket_addrs(|| None)?;
    let address = *address.first().context("an address")?;
    let request: Arc<str> =
        format!("GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n", url.path()).into();
    let get = || get(address, Arc::clone(&request));
    let (took, answers) = run_on_this_thread(timed(in_tasks_of_their_own(count, get)))?;
    let answers = answers?;
    ensure!(answers.len() == count, "answers are missing");
    for (status, body, _) in answers {
        check_answer(status, &body)?;
    }
    Ok(took)
}

/// Status and body, and the connection: it is kept to the end, as the others keep theirs.
type Answer = (u16, Vec<u8>, TcpStream);

async fn get(address: SocketAddr, request: Arc<str>) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    loop {
        // While it waits a task has no buffer.
        stream.readable().await?;
        let mut part = [0; ANSWER_BYTES];
        match stream.try_read(&mut part) {
            Ok(0) => anyhow::bail!("the answer was cut"),
            Ok(size) => bytes.extend_from_slice(&part[..size]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if let Some((status, body)) = parse(&bytes)? {
            return Ok((status, body, stream));
        }
    }
}

/// Status and body of an answer with a length, once it is all there.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<(u16, Vec<u8>)>> {
    let text = std::str::from_utf8(bytes)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.context("a status line")?.parse()?;
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("a length")?.parse()?;
    Ok((body.len() == length).then(|| (status, body.into())))
}
