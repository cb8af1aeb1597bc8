//! What a fetch brings home.

use super::{Url, charset};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::time::Duration;

/// A page as it came, whole.
///
/// Serialized it is short: `url`, `status`, `length_bytes` and `elapsed_s`, without the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The HTTP status, 2xx.
    pub status: u16,
    /// The body, without the codings that it was sent in.
    pub body: Vec<u8>,
    /// The `Content-Type` header, if the server sent one; several are set apart by `, `.
    pub content_type: Option<String>,
    /// From the request to the last byte.
    pub elapsed: Duration,
}

impl Page {
    /// Whether it is an HTML page; if not, what it is instead.
    ///
    /// # Errors
    /// A fragment of a sentence: `not HTML but application/json`.
    pub fn is_html(&self) -> Result<(), String> {
        let media = charset::media_type(self.content_type.as_deref().unwrap_or_default()).0;
        match (self.status, media.as_str()) {
            (204 | 205, _) => Err(format!(
                "no page, but an answer without one ({})",
                self.status
            )),
            (206, _) => Err("not the page, but a part of it (206), which nobody asked for".into()),
            (_, "text/html") => Ok(()),
            (_, "application/xhtml+xml") => {
                Err("XHTML, which has rules of its own that an HTML parser does not know".into())
            }
            (_, "") => Err("not HTML, as far as it says: it has no type".into()),
            (_, other) => Err(format!(
                "not HTML but {}",
                &other[..other.floor_char_boundary(60)]
            )),
        }
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut short = serializer.serialize_struct("Page", 4)?;
        short.serialize_field("url", self.url.as_str())?;
        short.serialize_field("status", &self.status)?;
        short.serialize_field("length_bytes", &self.body.len())?;
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
    fn the_short_form_leaves_the_body_out() {
        let json = serde_json::to_string(&page("text/html", b"abc")).expect("JSON");
        let expected =
            r#"{"url":"http://127.0.0.1/x","status":200,"length_bytes":3,"elapsed_s":0.25}"#;
        assert_eq!(json, expected);
    }
}
