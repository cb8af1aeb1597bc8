//! Where redirects lead, and what addresses are asked for at all.

use super::{
    answers::{answer, raw, verdict},
    *,
};

#[test]
fn a_redirect_leads_where_the_url_standard_says() {
    let url = raw(|target| match target.split_once("?to=") {
        Some(("/a/b", number)) => {
            let number: usize = number.parse().expect("a number");
            let head = [
                b"HTTP/1.1 302 x\r\nlocation: ",
                LOCATIONS[number].0,
                b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ];
            head.concat()
        }
        _ => answer("200 x", target),
    });
    for (number, (location, expected)) in LOCATIONS.iter().enumerate() {
        let from = url.join(&format!("/a/b?to={number}#part")).expect("a path");
        let what = String::from_utf8_lossy(location);
        println!("case: Location: {what} -> {expected}");
        assert_eq!(verdict(&from), format!("200 {expected}"), "{what}");
        let page = get(&from);
        let fragment = if what.contains('#') { "new" } else { "part" };
        assert_eq!(page.url.fragment(), Some(fragment), "{what}");
    }
}

const LOCATIONS: [(&[u8], &str); 21] = [
    (b"?page=2", "/a/b?page=2"),
    (b"../../c", "/c"),
    (b"./", "/a/"),
    (b"../", "/"),
    (b"x?next=/a/../b", "/a/x?next=/a/../b"),
    (b"g;x=1/../y", "/a/y"),
    (b"/c#new", "/c"),
    (b"http:c", "/a/c"),
    (b"../../../g", "/g"),
    (b"./g/.", "/a/g/"),
    (b"g?y/../x", "/a/g?y/../x"),
    (b"a//b", "/a/a//b"),
    (b"/a b", "/a%20b"),
    (b"%2e%2e/c", "/c"),
    (b"\\c", "/c"),
    (b"c\td", "/a/cd"),
    (b"  /c  ", "/c"),
    (b"/caf\xc3\xa9 x", "/caf%C3%A9%20x"),
    (b"/caf\xe9", "/caf%E9"),
    (b"/%", "/%"),
    (b"/?\xe9='", "/?%E9=%27"),
];

const REFUSED: &[(&str, &str)] = &[
    (
        "circle",
        "cannot fetch `/circle`: it redirects in circles; check the URL",
    ),
    (
        "top",
        "cannot fetch `/top#top`: it redirects in circles; check the URL",
    ),
    (
        "ftp",
        "cannot fetch `/ftp`: it redirects to the scheme `ftp`; only http and https work",
    ),
    (
        "script",
        "cannot fetch `/script`: it redirects to the scheme `javascript`; only http and https work",
    ),
    (
        "secret",
        "cannot fetch `/secret`: it redirects to an address with a user name or password, which is not followed",
    ),
    (
        "name",
        "cannot fetch `/name`: it redirects to an address with a user name or password, which is not followed",
    ),
    (
        "bad",
        "cannot fetch `/bad`: it redirects to no address: invalid IPv6 address",
    ),
    ("lost", "`/gone` answered 404; check the path"),
    (
        "21",
        "cannot fetch `/11`: more than 10 redirects led there; check the URL",
    ),
];

#[test]
fn what_cannot_be_followed_is_said_at_the_address_that_was_reached() {
    let url = raw(|target| {
        let (location, status) = match target {
            "/circle" => ("/circle".into(), 302),
            "/top" => ("#top".into(), 301),
            "/ftp" => ("ftp://127.0.0.1/x".into(), 303),
            "/script" => ("javascript:alert(1)".into(), 307),
            "/secret" => ("http://new:pw@127.0.0.1/".into(), 308),
            "/name" => ("//name@127.0.0.1/".into(), 302),
            "/bad" => ("http://[".into(), 302),
            "/lost" => ("/gone".into(), 302),
            "/gone" => return answer("404 x", ""),
            _ => {
                let number: u32 = target[1..].parse().expect("a number");
                (
                    format!("/{}", number - 1),
                    if number == 0 { 200 } else { 302 },
                )
            }
        };
        answer(&format!("{status} x\r\nlocation: {location}"), "")
    });
    for (path, expected) in REFUSED {
        assert_eq!(
            verdict(&url.join(path).expect("a path")),
            *expected,
            "{path}"
        );
    }
}

#[test]
fn a_secret_in_an_address_is_neither_sent_nor_repeated() {
    for secret in ["user:p%40ss@", "user@", ":p%40ss@"] {
        let url = Url::parse(&format!("http://{secret}127.0.0.1:9/x")).expect("a URL");
        for fetched in fetch_with_all(&url, LONG) {
            let error = fetched.expect_err("refused").to_string();
            assert!(
                error.starts_with("cannot fetch `http://127.0.0.1:9/x`: it has a user name"),
                "{error}"
            );
        }
    }
}

#[test]
fn an_address_may_be_as_long_for_both() {
    let url = raw(|target| match target.strip_prefix("/to/") {
        Some(length) => {
            let path = "a".repeat(length.parse().expect("a length"));
            answer(&format!("302 x\r\nlocation: /{path}"), "")
        }
        None => answer("200 x", "ok"),
    });
    let refused = "aaa...aaaaaaaaaaaaaaaaaaaaaa`: its address is longer than 8192 bytes";
    for (length, expected) in [
        (4_000, "200 ok"),
        (8_100, "200 ok"),
        (9_000, refused),
        (20_000, refused),
    ] {
        let path = "a".repeat(length);
        for path in [path, format!("/to/{length}")] {
            let verdict = verdict(&url.join(&path).expect("a path"));
            assert!(verdict.ends_with(expected), "{length}: {verdict}");
            assert!(verdict.len() < 200, "{verdict}");
        }
    }
}
