//! Labels, marks, and what a page says of itself.

use super::*;

fn name(content_type: &str, page: &[u8]) -> &'static str {
    encoding_of(page, content_type, |_| None).name()
}

#[test]
fn the_server_names_a_charset_in_many_ways() {
    for (content_type, expected) in [
        ("text/html; charset=utf-8", "UTF-8"),
        ("TEXT/HTML;CHARSET=UTF8", "UTF-8"),
        ("text/html; charset= utf-8 ", "UTF-8"),
        ("text/html; charset=\"shift_jis", "Shift_JIS"),
        ("text/html; charset=\" iso8859-1 \"", "windows-1252"),
        ("text/html; charset=latin1", "windows-1252"),
        ("text/html; charset='utf-8'", "windows-1252"),
        ("text/html; charset=utf-7", "windows-1252"),
        ("text/html; charset=gbk; charset=utf-8", "GBK"),
        ("text/html; x=\"a;charset=gbk;b\"; charset=koi8-r", "KOI8-R"),
        (
            "text/html; x=\"\\\";charset=gbk\"; charset=koi8-r",
            "KOI8-R",
        ),
        ("text/html, text/html; charset=euc-kr", "EUC-KR"),
        ("text/html; charset=euc-kr, text/html", "EUC-KR"),
        ("text/html; charset=euc-kr, text/plain", "UTF-8"),
        ("text/html; charset =gbk", "UTF-8"),
        ("text/html; charset=", "UTF-8"),
        ("text/html; charset=iso-2022-kr", "replacement"),
        ("", "UTF-8"),
    ] {
        assert_eq!(
            name(content_type, b"<title>x</title>"),
            expected,
            "{content_type}"
        );
    }
}

#[test]
fn a_mark_comes_first_and_a_guess_last() {
    let marked = b"\xef\xbb\xbf<meta charset=gbk>";
    assert_eq!(name("text/html; charset=koi8-r", marked), "UTF-8");
    let named = |body: &[u8]| encoding_of(body, "text/html", |_| Some(WINDOWS_1252)).name();
    assert_eq!([named(marked), named(b"x")], ["UTF-8", "windows-1252"]);
    assert_eq!(name("text/html", b"\xff\xfea\0"), "UTF-16LE");
    assert_eq!(name("text/html", b"<\0?\0x\0m\0"), "UTF-16LE");
    assert_eq!(name("text/html", b"caf\xe9"), "windows-1252");
    assert_eq!(name("text/html", "café".as_bytes()), "UTF-8");
    assert_eq!(
        name("text/html; charset=nonsense", "café".as_bytes()),
        "windows-1252"
    );
}

fn page(content_type: &str, body: &[u8]) -> Page {
    Page {
        url: Url::parse("http://127.0.0.1/x").expect("a URL"),
        status: 200,
        body: body.to_vec(),
        content_type: Some(content_type.into()),
        elapsed: Duration::from_millis(250),
    }
}

#[test]
fn the_short_form_leaves_the_body_out() {
    let json = serde_json::to_string(&page("text/html", b"abc")).expect("JSON");
    let expected = r#"{"url":"http://127.0.0.1/x","status":200,"length_bytes":3,"elapsed_s":0.25}"#;
    assert_eq!(json, expected);
}
