//! A server whose answers do not come as asked for.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Starts a server that answers each request, whatever it asks for, after the wait and with the status that
/// `answer` has for its number, from 0; gives its URL.
///
/// # Panics
/// If no port is free.
pub fn moody_server(answer: impl Fn(usize) -> (Duration, &'static str) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for (number, connection) in listener.incoming().flatten().enumerate() {
            let (wait, status) = answer(number);
            thread::spawn(move || serve(connection, wait, status));
        }
    });
    format!("http://{address}")
}

fn serve(mut connection: TcpStream, wait: Duration, status: &str) {
    let copy = connection.try_clone().expect("a second handle");
    let head = BufReader::new(copy).lines().map_while(Result::ok);
    // An empty line ends the head, and there is no body.
    for _ in head.take_while(|line| !line.is_empty()) {}
    thread::sleep(wait);
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n");
    // A client that has gone has failed its test already.
    let _ = write!(connection, "{head}ok");
}
