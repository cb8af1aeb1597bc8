//! The server in a process of its own, and `lab-server` as its user runs it.

use process_pool::child::{Exit, Program};
use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};
use web::{Server, ServerConfig, blocking_agent, get_blocking, server::SERVER};

const LAB_SERVER: &str = env!("CARGO_BIN_EXE_lab-server");

/// Long enough never to be reached on a slow machine.
const LONG: Duration = Duration::from_secs(30);

fn start() -> Server {
    Server::start(&Program::at(LAB_SERVER), ServerConfig::default()).expect("a server")
}

fn listens(server: &str) -> bool {
    let address: SocketAddr = server.parse().expect("an address");
    TcpStream::connect(address).is_ok()
}

fn address_of(server: &Server) -> String {
    server.base_url().authority().to_owned()
}

#[test]
fn it_serves_from_a_process_of_its_own() {
    let server = start();
    assert_ne!(server.id(), std::process::id());
    let page = get_blocking(&blocking_agent(LONG), &server.url("get")).expect("a page");
    assert_eq!(page.status, 200);
    assert_eq!(server.witness().expect("counts").arrivals, 1);
    server.begin_run().expect("a new run");
    assert_eq!(server.witness().expect("counts").arrivals, 0);
}

#[test]
fn it_ends_with_its_handle() {
    let server = start();
    let address = address_of(&server);
    assert!(listens(&address));
    drop(server);
    assert!(!listens(&address));
}

#[test]
fn it_ends_when_the_link_closes() {
    use process_pool::child::Role;
    let program = Program::at(LAB_SERVER);
    let (mut child, mut link) = program.start(SERVER.name()).expect("a child");
    link.send(&ServerConfig::default()).expect("sent");
    let address: Option<Result<SocketAddr, String>> = link.receive(None).expect("an answer");
    let address = address.expect("an answer").expect("an address").to_string();
    assert!(listens(&address));
    drop(link);
    let exit = loop {
        match child.try_wait() {
            Some(exit) => break exit,
            None => thread::yield_now(),
        }
    };
    assert_eq!(exit, Exit::Code(0));
    assert!(!listens(&address));
}

#[cfg(unix)]
#[test]
fn its_death_is_told_by_its_signal() {
    use nix::{sys::signal, unistd::Pid};
    let server = start();
    let pid = Pid::from_raw(server.id().cast_signed());
    signal::kill(pid, signal::Signal::SIGKILL).expect("it runs");
    let error = server.witness().expect_err("it is dead").to_string();
    assert!(
        error.starts_with("the lab's server has ended with signal 9 (SIGKILL)"),
        "{error}"
    );
}

#[test]
fn a_bad_directory_is_the_parents_to_tell() {
    let config = ServerConfig {
        files: Some("/no/such/directory".into()),
        ..ServerConfig::default()
    };
    let error = Server::start(&Program::at(LAB_SERVER), config).expect_err("nothing to serve");
    assert!(
        error.to_string().contains("`/no/such/directory`"),
        "{error}"
    );
}

fn run(arguments: &[&str]) -> Output {
    let output = Command::new(LAB_SERVER).args(arguments).output();
    output.expect("lab-server runs")
}

/// One line on standard error, nothing on standard output.
fn one_line(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn a_taken_port_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = run(&["--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(one_line(&output).contains(&format!("port `{port}` is in use")));
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    for arguments in [
        &["--port", "99999"][..],
        &["--fault-every", "0"],
        &["--fault-kinds", "cut"],
        &["--fault-status", "502"],
        &["--fault-path", "/page"],
        &["--retry-after", "7"],
        &["--fault-every", "2", "--fault-status", "404"],
        &["--nonsense"],
        &["--lab-role=server-of-none"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        one_line(&output);
    }
}

#[test]
fn a_number_that_is_none_is_refused_with_its_range() {
    for flag in ["--port", "--fault-status", "--retry-after", "--seed"] {
        for value in [
            "1,5",
            "-1",
            "",
            "99999999999999999999999",
            "1.5",
            "\u{ff11}",
        ] {
            let output = run(&["--fault-every", "2", flag, value]);
            assert_eq!(output.status.code(), Some(2), "{flag} {value}");
            let line = one_line(&output);
            let said = line.contains(&format!("`{value}` for `{flag} ")) && line.contains(" to ");
            assert!(said, "{line}");
        }
    }
}

#[test]
fn help_names_every_fault_and_every_path() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in [
        "server-error",
        "too-many-requests",
        "stall",
        "cut",
        "reset",
        "/witness",
        "/flaky/",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_exit_code_0() {
    use nix::{sys::signal, unistd::Pid};
    let mut child = Command::new(LAB_SERVER)
        .args([
            "--port",
            "0",
            "--fault-every",
            "2",
            "--fault-kinds",
            "reset,cut",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("lab-server runs");
    let mut line = String::new();
    let output = child.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .and_then(|rest| rest.strip_suffix('/'))
        .unwrap_or_else(|| panic!("no address in `{line}`"));
    assert!(listens(address));
    let pid = Pid::from_raw(child.id().cast_signed());
    signal::kill(pid, signal::Signal::SIGTERM).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
