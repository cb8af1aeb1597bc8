//! The binary as a user runs it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};
use testing::{assert_nothing_left_behind, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-01-sequential-fetch");

/// Longer than any machine needs: what is not there by then does not come.
const LONG: Duration = Duration::from_secs(60);

/// A server that answers each request only at the test's word.
struct Gate {
    url: String,
    arrived: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tell, arrived) = mpsc::channel();
        let (open, word) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                keep(connection, &tell, &word);
            }
        });
        let url = format!("http://{address}/");
        Self { url, arrived, open }
    }
}

/// Answers the requests of one connection until the client or the test has gone.
fn keep(mut connection: TcpStream, tell: &Sender<()>, word: &Receiver<()>) {
    let copy = connection.try_clone().expect("a second handle");
    for line in BufReader::new(copy).lines().map_while(Result::ok) {
        // An empty line ends the head of a request, and there is no body.
        if line.is_empty() {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
            if tell.send(()).is_err()
                || word.recv().is_err()
                || connection.write_all(answer).is_err()
            {
                return;
            }
        }
    }
}

/// The lines of a pipe, each as soon as it is written.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // A test that has failed meanwhile no longer listens.
            let _ = tx.send(line);
        }
    });
    rx
}

/// Reads up to the next line that speaks of a URL.
fn next_of_a_url(lines: &Receiver<String>) -> String {
    loop {
        let line = lines
            .recv_timeout(LONG)
            .expect("a line about a URL, and in time");
        if line.starts_with("URL #") {
            return line;
        }
    }
}

#[test]
fn each_answer_is_told_while_the_next_is_still_withheld() {
    let gate = Gate::new();
    let mut step = Command::new(BINARY)
        .args(["--url", &gate.url, "--requests", "3", "--timeout", "120"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the step starts");
    let lines = lines(step.stdout.take().expect("it is piped"));
    for number in 1..=3 {
        // Nothing more has been answered than the lines say: a step that kept its lines to itself
        // until the end would wait for the gate, and this test for the step.
        let waiting = format!("URL #{number} … still waiting …");
        assert_eq!(next_of_a_url(&lines), waiting);
        gate.arrived.recv_timeout(LONG).expect("the request comes");
        assert!(gate.arrived.try_recv().is_err(), "one at a time");
        gate.open.send(()).expect("the gate is still there");
        let told = next_of_a_url(&lines);
        let arrived = format!("URL #{number}: status 200, 5 bytes");
        assert!(
            told.starts_with(&arrived),
            "`{told}` instead of `{arrived}`"
        );
    }
    // Dropped before the end, the pipe would be closed under the report.
    while lines.recv_timeout(LONG).is_ok() {}
    assert_eq!(step.wait().expect("it ends").code(), Some(0));
}

#[test]
fn requests_go_one_at_a_time_and_their_waits_add_up() {
    let arguments = ["--json", "--delay", "0.1", "--requests", "5"];
    let finished = run(BINARY, &arguments).well();
    assert!(
        !finished.stdout.contains("still waiting …\n"),
        "JSON and nothing else"
    );
    let document = finished.document();
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["done"], 5);
    assert_eq!(sequential["ledger"]["peak_in_flight"], 1);
    assert_eq!(sequential["ledger"]["threads"], 1);
    assert_eq!(sequential["bound_s"], 0.5);
    assert_eq!(verdict(&document, "waits_add_up"), "shown");
    assert_nothing_left_behind(BINARY);
}
