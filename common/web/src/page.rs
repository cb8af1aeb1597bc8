//! What a fetch brings home.

use super::{FetchError, Url};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{borrow::Cow, time::Duration};

/// A longer body is refused, so that one URL cannot fill the memory.
pub const BODY_LIMIT_BYTES: u64 = 64 << 20;

/// A page as it came, whole.
///
/// Serialized it is short: `url`, `status`, `length_bytes` and `elapsed_s`, without the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The HTTP status, 200–399.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The `Content-Type` header, if the server sent one.
    pub content_type: Option<String>,
    /// From the request to the last byte.
    pub elapsed: Duration,
}

impl Page {
    /// Length of the body in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Whether the server calls it HTML.
    pub fn is_html(&self) -> bool {
        let media = self.content_type.as_deref().unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("text/html")
            || media.eq_ignore_ascii_case("application/xhtml+xml")
    }

    /// The body as text, in the encoding the server names or UTF-8.
    ///
    /// # Errors
    /// [`FetchError::NotText`] at the first byte that has no place in that encoding, and for
    /// encodings other than UTF-8, ASCII and Latin-1.
    pub fn text(&self) -> Result<Cow<'_, str>, FetchError> {
        let charset = self.charset();
        let not_text = |at| FetchError::NotText {
            url: self.url.to_string(),
            charset: charset.to_owned(),
            at,
        };
        match charset.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" => std::str::from_utf8(&self.body)
                .map(Cow::Borrowed)
                .map_err(|error| not_text(error.valid_up_to())),
            "iso-8859-1" | "latin1" => Ok(self.body.iter().map(|&byte| char::from(byte)).collect()),
            _ => Err(not_text(0)),
        }
    }

    /// The body as UTF-8, with `�` for each byte that is not.
    pub fn text_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    fn charset(&self) -> &str {
        self.content_type
            .as_deref()
            .unwrap_or_default()
            .split(';')
            .skip(1)
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map_or("utf-8", |(_, value)| value.trim().trim_matches('"'))
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut short = serializer.serialize_struct("Page", 4)?;
        short.serialize_field("url", self.url.as_str())?;
        short.serialize_field("status", &self.status)?;
        short.serialize_field("length_bytes", &self.len())?;
        short.serialize_field("elapsed_s", &self.elapsed.as_secs_f64())?;
        short.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn text_honours_the_charset() {
        let utf8 = page("text/html; charset=utf-8", "déjà".as_bytes());
        assert_eq!(utf8.text().expect("UTF-8"), "déjà");
        let latin = page("text/html; charset=\"ISO-8859-1\"", b"d\xe9j\xe0");
        assert_eq!(latin.text().expect("Latin-1"), "déjà");
        let other = page("text/html; charset=shift_jis", b"x");
        assert!(matches!(other.text(), Err(FetchError::NotText { .. })));
    }

    #[test]
    fn a_bad_byte_is_named_or_replaced() {
        let bad = page("text/html", b"ab\xff");
        let error = bad.text().expect_err("not UTF-8");
        assert!(
            matches!(error, FetchError::NotText { at: 2, .. }),
            "{error}"
        );
        assert_eq!(bad.text_lossy(), "ab\u{fffd}");
    }

    #[test]
    fn the_short_form_leaves_the_body_out() {
        let json = serde_json::to_string(&page("text/html", b"abc")).expect("JSON");
        let expected =
            r#"{"url":"http://127.0.0.1/x","status":200,"length_bytes":3,"elapsed_s":0.25}"#;
        assert_eq!(json, expected);
    }
}
