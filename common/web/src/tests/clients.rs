//! Both clients say the same of the same fault.

use super::{
    answers::{answer, raw, verdict},
    *,
};
use std::net::TcpListener;

/// Fetches with every client, and returns the errors, which must all be there.
fn errors(url: &Url, timeout: Duration) -> Vec<FetchError> {
    fetch_with_all(url, timeout)
        .into_iter()
        .map(|outcome| outcome.expect_err("a failure"))
        .collect()
}

#[test]
fn a_page_comes_whole() {
    let server = server();
    for page in fetch_with_all(&server.url("html"), LONG) {
        let page = page.expect("a page");
        assert_eq!((page.status, page.is_html()), (200, Ok(())));
        assert!(text(&page).contains("Moby-Dick"));
        assert_eq!(page.url, server.url("html"));
    }
}

#[test]
fn a_redirect_is_followed_and_the_page_knows_where_it_came_from() {
    let server = server();
    for page in fetch_with_all(&server.url("links/3"), LONG) {
        assert_eq!(page.expect("a page").url, server.url("links/3/0"));
    }
}

#[test]
fn a_refused_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    for error in errors(&url, LONG) {
        assert!(matches!(error, FetchError::Refused { .. }), "{error:?}");
        assert!(!error.is_retryable());
    }
}

#[test]
fn a_host_without_an_address_is_not_found() {
    // An empty label: no name server is asked.
    let url = Url::parse("http://no..where/").expect("a URL");
    for error in errors(&url, LONG) {
        assert!(
            matches!(error, FetchError::HostNotFound { .. }),
            "{error:?}"
        );
    }
}

#[test]
fn the_host_of_this_machine_has_many_forms() {
    let url = raw(|target| answer("200 x", target));
    let port = url.port().expect("not the usual one");
    for host in [
        "localhost",
        "LOCALHOST",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "①②⑦.0.0.1",
    ] {
        let url = Url::parse(&format!("http://{host}:{port}/x")).expect("a URL");
        assert_eq!(verdict(&url), "200 /x", "{host}");
        println!("case: host {host} -> this machine");
    }
}

#[test]
fn a_stalled_body_times_out() {
    let server = server();
    let timeout = Duration::from_millis(100);
    for path in ["stall", "delay/60"] {
        for error in errors(&server.url(path), timeout) {
            let FetchError::Timeout { after, .. } = error else {
                panic!("not a time-out: {error:?}");
            };
            assert!(after >= timeout, "gave up after {after:?}");
            assert!(error.is_retryable());
        }
    }
}

#[test]
fn a_late_body_is_waited_for() {
    let server = server();
    for page in fetch_with_all(&server.url("drip?numbytes=1&duration=0.05"), LONG) {
        let page = page.expect("a page");
        assert_eq!(text(&page), "*");
        assert!(page.elapsed >= Duration::from_millis(50));
    }
}

#[test]
fn statuses_are_errors_with_their_code() {
    let server = server();
    for (code, retryable) in [(404, false), (429, true), (500, true), (503, true)] {
        for error in errors(&server.url(&format!("status/{code}")), LONG) {
            assert!(
                matches!(error, FetchError::Status { code: seen, .. } if seen == code),
                "{error:?}"
            );
            assert_eq!(error.is_retryable(), retryable, "{error}");
        }
    }
}

#[test]
fn retry_after_is_handed_on() {
    let server = server();
    for error in errors(&server.url("retry-after/3"), LONG) {
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
        let text = error.to_string();
        assert!(
            text.ends_with("answered 429; it asks to wait 3 s"),
            "{text}"
        );
    }
}

#[test]
fn half_a_body_is_cut_whatever_its_size() {
    let server = server();
    for size in [2, 1_000, 1_000_000] {
        for error in errors(&server.url(&format!("cut/{size}")), LONG) {
            let FetchError::Cut { got, expected, .. } = error else {
                panic!("not cut: {error:?}");
            };
            assert_eq!((got, expected), (size / 2, Some(size)));
        }
    }
}

#[test]
fn a_reset_is_a_reset() {
    let server = server();
    for error in errors(&server.url("reset"), LONG) {
        assert!(matches!(error, FetchError::Reset { .. }), "{error:?}");
        assert!(error.is_retryable());
    }
}

#[test]
fn what_a_reset_ends_is_no_page() {
    for rest in [
        "",
        " OK",
        " OK\r\n\r\nab",
        " OK\r\ncontent-length: 5\r\n\r\nab",
        " OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // A connection that is closed with the rest of its request unread is reset.
                let _ = stream.read_exact(&mut [0]);
                let _ = stream.write_all(format!("HTTP/1.1 200{rest}").as_bytes());
            }
        });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        for error in errors(&url, LONG) {
            assert!(
                matches!(error, FetchError::Reset { .. }),
                "{rest}: {error:?}"
            );
        }
    }
}

#[test]
fn a_page_that_is_not_utf8_is_read_all_the_same() {
    let server = server();
    for page in fetch_with_all(&server.url("not-utf8"), LONG) {
        let page = page.expect("a page");
        assert!(text(&page).contains("<title>caf\u{fffd}</title>"));
    }
}
