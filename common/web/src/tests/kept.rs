//! Kept connections that the server closes as the next request goes out.

use super::{answers::head_of, *};
use std::{net::TcpListener, sync::mpsc};

/// A server that keeps connections and closes them before the second answer: at once, or `late`,
/// when it is asked; or `never` gives even the first. Returns the connection of each request.
fn forgetful(mood: &'static str) -> (Url, mpsc::Receiver<u32>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = Url::parse(&format!(
        "http://{}/",
        listener.local_addr().expect("an address")
    ));
    let (tx, served) = mpsc::channel();
    thread::spawn(move || {
        for (number, mut stream) in (1..).zip(listener.incoming().flatten()) {
            let tx = tx.clone();
            thread::spawn(move || {
                let whole = b"HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\nok";
                if head_of(&mut stream).is_empty() {
                    return;
                }
                let _ = tx.send(number);
                if mood == "never" {
                    return;
                }
                let _ = stream.write_all(whole);
                if mood == "late" && !head_of(&mut stream).is_empty() {
                    let _ = tx.send(number);
                }
            });
        }
    });
    (url.expect("a URL"), served)
}

#[test]
fn a_kept_connection_that_breaks_is_made_again_once() {
    for mood in ["late", "early"] {
        let agent = blocking_agent(LONG);
        let (url, served) = forgetful(mood);
        for _ in 0..3 {
            assert_eq!(text(&get_blocking(&agent, &url).expect("a page")), "ok");
        }
        assert!(served.try_iter().max() >= Some(2), "{mood}");

        let client = async_client(LONG);
        let (url, served) = forgetful(mood);
        block_on(async {
            for _ in 0..3 {
                assert_eq!(text(&get_async(&client, &url).await.expect("a page")), "ok");
            }
        });
        assert!(served.try_iter().max() >= Some(2), "{mood}");
    }
    // A new connection that breaks is not made again.
    let (url, served) = forgetful("never");
    for fetched in fetch_with_all(&url, LONG) {
        assert_eq!(fetched.expect_err("it breaks").kind(), "cut");
    }
    assert_eq!(served.try_iter().count(), 2);
}
