//! The server and the two clients, tried on each other within one process.

mod answers;
mod clients;
mod counts;
mod files;
mod httpbin;
mod kept;
mod paths;
mod redirects;
mod tls;

use super::*;
use std::{
    io::{Read, Write},
    net::TcpStream,
    num::NonZeroU32,
    thread,
    time::Instant,
};

/// Long enough never to be reached on a slow machine; a hang becomes a failure after it.
const LONG: Duration = Duration::from_secs(30);

fn server() -> Server {
    server_with(ServerConfig::default())
}

fn server_with(config: ServerConfig) -> Server {
    Server::in_process(0, config).expect("a server on a free port")
}

/// The same request through every client there is.
fn fetch_with_all(url: &Url, timeout: Duration) -> Vec<Result<Page, FetchError>> {
    let blocking = get_blocking(&blocking_agent(timeout), url);
    vec![blocking, block_on(get_async(&async_client(timeout), url))]
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

fn get(url: &Url) -> Page {
    get_blocking(&blocking_agent(LONG), url).expect("a page")
}

fn text(page: &Page) -> String {
    page.text(|_| None).expect("a known encoding").into_owned()
}

fn witness(server: &Server) -> Witness {
    server.witness().expect("an answer from the witness")
}

/// The server's counts as soon as they fit.
fn witness_when(server: &Server, fits: impl Fn(&Witness) -> bool) -> Witness {
    let deadline = Instant::now() + LONG;
    loop {
        let now = witness(server);
        if fits(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "still {now:?}");
        thread::yield_now();
    }
}

/// Sends a request line as it is, which no client would, and leaves the connection open.
fn send_raw(server: &Server, path: &str) -> TcpStream {
    let address = server.base_url().socket_addrs(|| None).expect("an address");
    let mut stream = TcpStream::connect(address[0]).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a limit");
    let request = format!("GET {path} HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    stream
}

fn answer_raw(server: &Server, path: &str) -> String {
    let mut answer = Vec::new();
    let mut stream = send_raw(server, path);
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn some(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}
