//! Ten threads ask at once; the server counts how many of them were really in flight together.

use std::{thread, time::Duration};
use web::{Server, ServerConfig, blocking_agent, get_blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::in_process(0, ServerConfig::default())?;
    let agent = blocking_agent(Duration::from_secs(5));
    let url = server.url("delay/0.2");
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| get_blocking(&agent, &url));
        }
    });
    let seen = server.witness()?;
    println!(
        "{} requests on {} connections, at most {} in flight at once",
        seen.arrivals, seen.connections, seen.peak_in_flight
    );
    Ok(())
}
