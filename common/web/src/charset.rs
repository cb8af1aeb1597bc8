//! Which encoding a page is in: the HTML Standard's order, over the Encoding Standard's labels.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::str;

/// How much of a page is searched for its own word on its encoding.
const PRESCAN_BYTES: usize = 1024;

/// The encoding of a body that came under this `Content-Type`.
pub(super) fn encoding_of(body: &[u8], content_type: &str) -> &'static Encoding {
    let label = media_type(content_type).1;
    let of_label = |label: &String| Encoding::for_label(label.as_bytes());
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    marked
        .or_else(|| label.as_ref().and_then(of_label))
        .or_else(|| prescan(&body[..body.len().min(PRESCAN_BYTES)]))
        // Whole UTF-8 is hardly ever anything else, unless the server knows it by another name.
        .unwrap_or_else(|| match label.is_none() && str::from_utf8(body).is_ok() {
            true => UTF_8,
            false => WINDOWS_1252,
        })
}

/// The media type of a `Content-Type`, in lower case, and the charset it names.
pub(super) fn media_type(content_type: &str) -> (String, Option<String>) {
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
            .map(|(_, label)| unquoted(label.trim_end()));
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
    quoted
        .split('"')
        .next()
        .unwrap_or_default()
        .replace('\\', "")
}

/// The encoding that a page names itself: in a `meta` element, else in an XML declaration.
fn prescan(page: &[u8]) -> Option<&'static Encoding> {
    if page.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if page.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    in_meta(page).or_else(|| in_declaration(page))
}

fn in_meta(page: &[u8]) -> Option<&'static Encoding> {
    let mut scan = Scan(page);
    loop {
        scan.take_while(|byte| byte != b'<');
        let tag = scan.0;
        let name = tag.get(1..)?;
        let is_meta = name
            .get(..4)
            .is_some_and(|it| it.eq_ignore_ascii_case(b"meta"));
        if tag.starts_with(b"<!--") {
            // The dashes of the start may be those of the end: `<!-->`.
            let end = tag.windows(3).position(|part| part == b"-->")?;
            scan.take(end + 3);
        } else if is_meta
            && tag
                .get(5)
                .is_some_and(|&byte| is_space(byte) || byte == b'/')
        {
            scan.take(5);
            if let Some(encoding) = scan.meta() {
                return Some(encoding);
            }
        } else if name
            .strip_prefix(b"/")
            .unwrap_or(name)
            .first()?
            .is_ascii_alphabetic()
        {
            scan.take_while(|byte| !is_space(byte) && byte != b'>');
            while scan.attribute().is_some() {}
        } else if matches!(name[0], b'!' | b'/' | b'?') {
            scan.take_while(|byte| byte != b'>');
        } else {
            scan.take(1);
        }
    }
}

fn in_declaration(page: &[u8]) -> Option<&'static Encoding> {
    let end = page.iter().position(|&byte| byte == b'>')?;
    let declaration = page[..end].strip_prefix(b"<?xml")?;
    let label = value_after(declaration, b"encoding")?;
    Encoding::for_label(label).map(readable)
}

/// A page whose own word could be read as ASCII is not in UTF-16.
fn readable(encoding: &'static Encoding) -> &'static Encoding {
    match encoding.name() {
        "UTF-16LE" | "UTF-16BE" => UTF_8,
        "x-user-defined" => WINDOWS_1252,
        _ => encoding,
    }
}

/// What stands after `name` and an equals sign, in quotes or up to a space or semicolon.
fn value_after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = text.windows(name.len()).position(|part| part == name)?;
    let mut scan = Scan(&text[start + name.len()..]);
    scan.take_while(is_space);
    if scan.next() != Some(b'=') {
        return value_after(scan.0, name);
    }
    scan.take(1);
    scan.take_while(is_space);
    match scan.next()? {
        b'"' | b'\'' => scan.quoted(),
        _ => Some(scan.take_while(|byte| !is_space(byte) && byte != b';')),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// What is still to be scanned.
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    fn next(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| !fits(byte));
        self.take(end.unwrap_or(self.0.len()))
    }

    fn quoted(&mut self) -> Option<&'a [u8]> {
        let quote = self.take(1)[0];
        let value = self.take_while(|byte| byte != quote);
        (!self.take(1).is_empty()).then_some(value)
    }

    /// The next attribute of a tag, name and value in lower case; `None` at the tag's end.
    fn attribute(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.take_while(|byte| is_space(byte) || byte == b'/');
        if matches!(self.next(), None | Some(b'>')) {
            return None;
        }
        // In the first place an equals sign is part of the name.
        let first = self.take(1);
        let more = self.take_while(|byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | b'='));
        let name = [first, more].concat().to_ascii_lowercase();
        self.take_while(is_space);
        if self.next() != Some(b'=') {
            return Some((name, Vec::new()));
        }
        self.take(1);
        self.take_while(is_space);
        let value = match self.next()? {
            b'"' | b'\'' => self.quoted()?,
            _ => self.take_while(|byte| !is_space(byte) && byte != b'>'),
        };
        self.next()?;
        Some((name, value.to_ascii_lowercase()))
    }

    /// The encoding that the attributes of a `meta` name.
    fn meta(&mut self) -> Option<&'static Encoding> {
        let (mut seen, mut is_pragma, mut found) = (Vec::new(), false, None);
        while let Some((name, value)) = self.attribute() {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma = value == b"content-type",
                b"charset" => found = Some((false, Encoding::for_label(&value))),
                b"content" if found.is_none() => {
                    let label = value_after(&value, b"charset").and_then(Encoding::for_label);
                    found = label.map(|label| (true, Some(label)));
                }
                _ => {}
            }
            seen.push(name);
        }
        // A tag that has no end here counts for nothing.
        let (needs_pragma, encoding) = found.filter(|_| self.next() == Some(b'>'))?;
        encoding
            .filter(|_| is_pragma || !needs_pragma)
            .map(readable)
    }
}

#[cfg(test)]
mod tests;
