//! What a fetch brings home, and which encoding it is in, over the Encoding Standard's labels.

use super::Url;
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{borrow::Cow, str, time::Duration};

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
        let media = media_type(self.content_type.as_deref().unwrap_or_default()).0;
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

    /// The body as text, with `�` for what has no place in its encoding.
    ///
    /// The encoding is that of the byte-order mark, else the one that the server names, else the one
    /// that the page declares, else UTF-8 if all of it is, else windows-1252.
    ///
    /// # Errors
    /// A fragment of a sentence: the page is in an encoding that must not be read.
    pub fn text(
        &self,
        declared: impl FnOnce(&[u8]) -> Option<&'static Encoding>,
    ) -> Result<Cow<'_, str>, String> {
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let encoding = encoding_of(&self.body, content_type, declared);
        if encoding == REPLACEMENT {
            return Err(
                "in an encoding that browsers refuse too, because it can hide scripts".into(),
            );
        }
        Ok(encoding.decode(&self.body).0)
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

/// The encoding of a body that came under this `Content-Type`.
fn encoding_of(
    body: &[u8],
    content_type: &str,
    declared: impl FnOnce(&[u8]) -> Option<&'static Encoding>,
) -> &'static Encoding {
    let label = media_type(content_type).1;
    let named = label
        .as_ref()
        .and_then(|label| Encoding::for_label(label.as_bytes()));
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let is_utf8 = || label.is_none() && str::from_utf8(body).is_ok();
    match marked.or(named) {
        Some(encoding) => encoding,
        None if body.starts_with(b"<\0?\0x\0") => UTF_16LE,
        None if body.starts_with(b"\0<\0?\0x") => UTF_16BE,
        None => declared(body).unwrap_or_else(|| {
            // Whole UTF-8 is hardly ever anything else, unless the server knows it by another name.
            if is_utf8() { UTF_8 } else { WINDOWS_1252 }
        }),
    }
}

/// The media type of a `Content-Type`, in lower case, and the charset it names.
fn media_type(content_type: &str) -> (String, Option<String>) {
    let mut found = (String::new(), None);
    for value in split(content_type, ',') {
        let mut parts = split(value, ';').into_iter();
        let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        if !media.contains('/') || media == "*/*" {
            continue;
        }
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim_start().eq_ignore_ascii_case("charset"))
            .map(|(_, label)| unquoted(label.trim_end()))
            .filter(|label| !label.is_empty());
        // A later value of the same type keeps the charset of an earlier one.
        let kept = found.1.filter(|_| found.0 == media);
        found = (media, charset.or(kept));
    }
    found
}

/// Splits outside of quoted strings.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(|c| {
        let is_quote = c == '"' && !is_escaped;
        is_quoted ^= is_quote;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        c == separator && !is_quoted
    })
    .collect()
}

fn unquoted(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    // A quote that is not closed lasts to the end.
    let inside = quoted.split('"').next().unwrap_or(quoted);
    inside.replace('\\', "")
}

#[cfg(test)]
mod tests;
