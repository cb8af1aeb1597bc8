//! The HTTP library under the lesson's client, alone: no pool, no redirects, no TLS, no time-outs.

use super::far_end::{check_answer, in_tasks_of_their_own, timed};
use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{Builder, SendRequest},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use lab_08_async_downloader::run_on_this_thread;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use web::Url;

/// Instead of 8 KiB for each connection: the answers are short.
const READ_BYTES: usize = 1024;

pub(super) fn turn(url: &Url, count: usize) -> anyhow::Result<Duration> {
    let address = url.socket_addrs(|| None)?;
    let address = *address.first().context("an address")?;
    let path: Arc<str> = url.path().into();
    let get = || get(address, Arc::clone(&path));
    let (took, answers) = run_on_this_thread(timed(in_tasks_of_their_own(count, get)))?;
    let answers = answers?;
    ensure!(answers.len() == count, "answers are missing");
    for (status, body, _) in answers {
        check_answer(status, &body)?;
    }
    Ok(took)
}

/// Status and body, and the connection: it is kept to the end, as the others keep theirs.
type Answer = (u16, Bytes, SendRequest<Empty<Bytes>>);

async fn get(address: SocketAddr, path: Arc<str>) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut builder = Builder::new();
    builder.read_buf_exact_size(Some(READ_BYTES));
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    // It ends with its sender; an error of its own is also the request's.
    tokio::spawn(connection);
    let request = Request::get(&*path).header(HOST, address.to_string());
    let answer = sender.send_request(request.body(Empty::new())?).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, body, sender))
}
