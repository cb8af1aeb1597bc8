//! What both clients share, without a network.

use super::*;

#[test]
fn retry_after_is_seconds_or_a_date_and_at_most_a_year() {
    let now = SystemTime::UNIX_EPOCH;
    let parse = |value| parse_retry_after(value, now).map(|asked| asked.as_secs());
    assert_eq!(parse(" 7 "), Some(7));
    assert_eq!(parse("Thu, 01 Jan 1970 00:00:30 GMT"), Some(30));
    assert_eq!(parse("Thursday, 01-Jan-70 00:00:30 GMT"), Some(30));
    let year = Some(YEAR.as_secs());
    for long in [
        "99999999999",
        "99999999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        assert_eq!(parse(long), year, "{long}");
    }
    for none in ["soon", "-1", "+7", "1.5", "", "7\u{fffd}", "0x7"] {
        assert_eq!(parse(none), None, "{none}");
    }
    let date = "Thu, 01 Jan 1970 00:00:30 GMT";
    let later = now + Duration::from_secs(60);
    assert_eq!(parse_retry_after(date, later), Some(Duration::ZERO));
}

#[test]
fn messages_name_the_url_and_a_way_out() {
    let url = Url::parse("http://127.0.0.1:9/a").expect("a URL");
    let mut at = Exchange::new(&url, Duration::ZERO).expect("nothing to hide");
    let refused = at.io(&ErrorKind::ConnectionRefused.into());
    assert_eq!(
        refused.to_string(),
        "cannot reach `http://127.0.0.1:9/a`: connection refused; is the server running?"
    );
    let length = HeaderMap::from_iter([(CONTENT_LENGTH, 10.into())]);
    at.head = Some((StatusCode::OK, length));
    at.body = vec![0; 5];
    assert_eq!(
        at.cut().to_string(),
        "`http://127.0.0.1:9/a` closed the connection after 5 of 10 bytes; try again"
    );
    #[cfg(unix)]
    assert!(
        at.io(&io::Error::from_raw_os_error(24))
            .to_string()
            .contains("`ulimit -n`")
    );
    assert!(!at.other("two\nlines").to_string().contains('\n'));
}
