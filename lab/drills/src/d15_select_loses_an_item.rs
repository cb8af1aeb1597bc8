//! `read_all` reads messages and beats in between. When a beat is due in the middle of a message,
//! `select!` drops the future that has read its first half, and that half is lost. Repair
//! `read_all`: no message is lost, and the beats go on while a message is read.

use lab_drills::d15::Link;

/// Reads so many messages, here 3, and beats in between.
async fn read_all(link: &Link, messages: usize) -> Vec<String> {
    let mut got = Vec::new();
    while got.len() < messages {
        tokio::select! {
            text = link.read() => got.push(text),
            () = link.beat() => {}
        }
    }
    got
}

fn main() -> std::process::ExitCode {
    lab_drills::d15::check(read_all).report()
}
