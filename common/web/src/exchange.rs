//! What both clients do alike: redirects, limits, and what the bytes of an answer are.

use super::{
    FetchError, Fetched, Page, Url,
    framing::{CUT, LARGE},
};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use std::{
    cell::Cell,
    fmt::Write,
    io::{self, ErrorKind, Read},
    mem,
    time::{Duration, Instant, SystemTime},
};

/// A longer body is refused, coded or decoded, so that one URL cannot fill the memory.
pub const BODY_LIMIT_BYTES: u64 = 64 << 20;

/// The longest head of an answer: its fields, and all of it with blanks (about as much as in hyper).
const FIELDS_LIMIT_BYTES: usize = 24 << 10;
pub(super) const HEAD_LIMIT_BYTES: usize = 408 << 10;

/// The longest address that is asked for.
const ADDRESS_LIMIT_BYTES: usize = 8 << 10;

/// The most fields of a head.
pub(super) const FIELDS_LIMIT: usize = 100;

/// How many redirects are followed for one request.
const REDIRECT_LIMIT: usize = 10;

/// How many codings a body may have on top of each other.
const CODINGS_LIMIT: usize = 4;

/// The longest `Retry-After`; what asks for more is taken for this.
const RETRY_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

tokio::task_local! {
    /// Whether a connection was made for the request that is waited for.
    static CONNECTED: Cell<bool>;
}

/// Notes that a connection is made, perhaps for nobody: another may have become free first.
pub(super) fn note_connection() {
    let _ = CONNECTED.try_with(|connected| connected.set(true));
}

/// What one client does in its own way.
pub(super) trait Client {
    /// An answer whose head has come.
    type Answer;

    /// Asks for `at.url`, over a new connection if it is to be `fresh`.
    async fn ask(&self, at: &Exchange, fresh: bool) -> Result<Self::Answer, FetchError>;

    /// Hands an answer to [`Exchange::begin`], and what comes of its body, up to the limit, to `at.body`.
    async fn read(&self, answer: Self::Answer, at: &mut Exchange) -> Result<(), FetchError>;
}

/// Fetches a page, over all its redirects; with a client that blocks, it is ready at once.
pub(super) async fn fetch(client: &impl Client, url: &Url, timeout: Duration) -> Fetched {
    let mut at = Exchange::new(url, timeout)?;
    loop {
        let first = async {
            let answer = client.ask(&at, false).await;
            (answer, CONNECTED.with(Cell::get))
        };
        let answer = match CONNECTED.scope(Cell::new(false), first).await {
            // A kept connection: the server may have closed it meanwhile.
            (Err(error), false) if error.is_broken() => client.ask(&at, true).await,
            (answer, _) => answer,
        };
        client.read(answer?, &mut at).await?;
        if let Some(page) = at.end()? {
            return Ok(page);
        }
    }
}

/// A request on its way, over all its redirects.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What is asked for now.
    pub(super) url: Url,
    start: Instant,
    timeout: Duration,
    /// What was asked for before, redirect by redirect.
    before: Vec<Url>,
    head: Head,
    /// What has come of the body.
    pub(super) body: Vec<u8>,
}

/// What counts of the head of an answer.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    expected: Option<u64>,
    location: Option<String>,
    content_type: Option<String>,
    codings: String,
}

impl Exchange {
    pub(super) fn new(url: &Url, timeout: Duration) -> Result<Self, FetchError> {
        let mut at = Self {
            url: url.clone(),
            start: Instant::now(),
            timeout,
            before: Vec::new(),
            head: Head::default(),
            body: Vec::new(),
        };
        if has_user_info(url) {
            // Neither can fail on a URL that has them.
            let _ = at.url.set_username("");
            let _ = at.url.set_password(None);
            return Err(at.other(
                "it has a user name or password, which would show in every report; leave them out",
            ));
        }
        at.check_address()?;
        Ok(at)
    }

    fn check_address(&self) -> Result<(), FetchError> {
        if self.url.as_str().len() <= ADDRESS_LIMIT_BYTES {
            return Ok(());
        }
        Err(self.other(format!(
            "its address is longer than {ADDRESS_LIMIT_BYTES} bytes"
        )))
    }

    /// How much of its time the request has left.
    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.start.elapsed())
    }

    /// Takes the head of an answer.
    pub(super) fn begin(&mut self, status: u16, fields: &HeaderMap) -> Result<(), FetchError> {
        let size: usize = fields
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        let length = joined(fields, CONTENT_LENGTH);
        let expected = length.and_then(|length| whole_number(&length));
        // hyper takes the last two numbers for marks of its own, and refuses the head.
        let is_mark = expected >= Some(u64::MAX - 1);
        if size > FIELDS_LIMIT_BYTES || fields.len() > FIELDS_LIMIT || is_mark {
            return Err(self.head_too_large());
        }
        let transfer = joined(fields, TRANSFER_ENCODING);
        if let Some(coding) = transfer.filter(|coding| !coding.eq_ignore_ascii_case("chunked")) {
            return Err(self.other(format!(
                "its transfer coding is `{}`; this client reads only `chunked`",
                short(&coding)
            )));
        }
        let redirects = matches!(status, 301 | 302 | 303 | 307 | 308);
        let location = fields.get(LOCATION).filter(|_| redirects);
        if !(200..300).contains(&status) && location.is_none() {
            let asked = joined(fields, RETRY_AFTER);
            let asked = asked.and_then(|asked| parse_retry_after(&asked, SystemTime::now()));
            return Err(self.error(|url| FetchError::Status {
                url,
                code: status,
                retry_after: asked,
            }));
        }
        self.head = Head {
            status,
            expected,
            location: location.map(|location| url_text(location.as_bytes())),
            content_type: joined(fields, CONTENT_TYPE),
            codings: joined(fields, CONTENT_ENCODING).unwrap_or_default(),
        };
        let expected = expected.unwrap_or_default();
        if expected > BODY_LIMIT_BYTES {
            return Err(self.too_large());
        }
        self.body
            .reserve_exact(usize::try_from(expected).unwrap_or_default());
        Ok(())
    }

    /// Takes the end of the body: a page, or `None` after a redirect, which is the next to ask for.
    pub(super) fn end(&mut self) -> Result<Option<Page>, FetchError> {
        let elapsed = self.start.elapsed();
        if self.body.len() as u64 > BODY_LIMIT_BYTES {
            return Err(self.too_large());
        }
        if let Some(location) = self.head.location.take() {
            self.redirect(&location)?;
            return Ok(None);
        }
        Ok(Some(Page {
            body: self.decode()?,
            url: self.url.clone(),
            status: self.head.status,
            content_type: self.head.content_type.take(),
            elapsed,
        }))
    }

    fn redirect(&mut self, location: &str) -> Result<(), FetchError> {
        let refused = |place: &str| self.other(format!("it redirects to {place}"));
        let next = self.url.join(location);
        let mut next = next.map_err(|error| refused(&format!("no address: {error}")))?;
        let scheme = short(next.scheme());
        if !matches!(&*scheme, "http" | "https") {
            let place = format!("the scheme `{scheme}`; only http and https work");
            return Err(refused(&place));
        }
        if has_user_info(&next) {
            let place = "an address with a user name or password, which is not followed";
            return Err(refused(place));
        }
        if next.fragment().is_none() {
            next.set_fragment(self.url.fragment());
        }
        if self.before.len() == REDIRECT_LIMIT {
            let is_circle = self.before.contains(&self.url) || self.before.contains(&next);
            return Err(self.other(match is_circle {
                true => "it redirects in circles; check the URL".into(),
                false => format!("more than {REDIRECT_LIMIT} redirects led there; check the URL"),
            }));
        }
        self.before.push(mem::replace(&mut self.url, next));
        self.head = Head::default();
        self.body.clear();
        self.check_address()
    }

    /// The body without its codings, whoever asked for them.
    fn decode(&mut self) -> Result<Vec<u8>, FetchError> {
        let mut body = mem::take(&mut self.body);
        let codings: Vec<&str> = self.head.codings.split(',').map(str::trim).collect();
        for (number, coding) in codings.iter().rev().enumerate() {
            let packed = &body[..];
            body = match coding.to_ascii_lowercase().as_str() {
                "" | "identity" => body,
                _ if packed.is_empty() => body,
                "gzip" | "x-gzip" if number < CODINGS_LIMIT => {
                    self.unpack(MultiGzDecoder::new(packed), coding)?
                }
                "deflate" if number < CODINGS_LIMIT => self
                    .unpack(ZlibDecoder::new(packed), coding)
                    // Some servers leave out the envelope that the name stands for.
                    .or_else(|_| self.unpack(DeflateDecoder::new(packed), coding))?,
                "br" if number < CODINGS_LIMIT => {
                    self.unpack(brotli_decompressor::Decompressor::new(packed, 4096), coding)?
                }
                _ => {
                    let all = short(&self.head.codings);
                    let reason =
                        format!("its body is coded as `{all}`, which this client cannot read");
                    return Err(self.other(reason));
                }
            };
        }
        Ok(body)
    }

    fn unpack(&self, reader: impl Read, coding: &str) -> Result<Vec<u8>, FetchError> {
        let mut body = Vec::new();
        let read = reader.take(BODY_LIMIT_BYTES + 1).read_to_end(&mut body);
        if body.len() as u64 > BODY_LIMIT_BYTES {
            return Err(self.too_large());
        }
        read.map_err(|_| self.other(format!("its body is said to be `{coding}`, and is not")))?;
        Ok(body)
    }

    /// An error about what is asked for now, of whose address it shows no more than a line has room for.
    pub(super) fn error(&self, error: impl FnOnce(String) -> FetchError) -> FetchError {
        let url = self.url.as_str();
        error(match url.len() {
            0..=80 => url.to_owned(),
            length => format!("{}...{}", &url[..55], &url[length - 22..]),
        })
    }

    pub(super) fn timeout(&self) -> FetchError {
        let after = self.start.elapsed();
        self.error(|url| FetchError::Timeout { url, after })
    }

    pub(super) fn cut(&self) -> FetchError {
        let (got, expected) = (self.body.len() as u64, self.head.expected);
        self.error(|url| FetchError::Cut { url, got, expected })
    }

    fn too_large(&self) -> FetchError {
        let limit = BODY_LIMIT_BYTES;
        self.error(|url| FetchError::TooLarge { url, limit })
    }

    pub(super) fn head_too_large(&self) -> FetchError {
        self.other(format!(
            "the head of its answer is too large, with more than {FIELDS_LIMIT} fields or {FIELDS_LIMIT_BYTES} bytes"
        ))
    }

    /// Each client has words of its own for what breaks the rules; these are for both.
    pub(super) fn against_the_rules(&self) -> FetchError {
        self.other(match self.is_in_body() {
            false => "the head of its answer is not as HTTP/1.1 has it; is this a web server?",
            true => "the body of its answer is not chunked as HTTP/1.1 has it",
        })
    }

    /// Whether the head of an answer has come.
    pub(super) fn is_in_body(&self) -> bool {
        self.head.status != 0
    }

    pub(super) fn other(&self, reason: impl ToString) -> FetchError {
        let reason = reason.to_string().replace('\n', " ");
        self.error(|url| FetchError::Other { url, reason })
    }

    /// An error of the system below, which both clients hand through.
    pub(super) fn io(&self, error: &io::Error) -> FetchError {
        match error.kind() {
            ErrorKind::ConnectionRefused => self.error(|url| FetchError::Refused { url }),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected => self.error(|url| FetchError::Reset { url }),
            ErrorKind::UnexpectedEof | CUT => self.cut(),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.timeout(),
            LARGE => self.head_too_large(),
            // ENFILE and EMFILE, on every Unix.
            _ if cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)) => self
                .other("too many open files; have fewer requests in flight, or raise `ulimit -n`"),
            ErrorKind::InvalidInput | ErrorKind::InvalidData if self.is_in_body() => {
                self.against_the_rules()
            }
            _ => self.other(error),
        }
    }
}

/// Whether a URL carries a name or a password that would have to be hidden wherever it is shown.
pub fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// All values of a field, byte by byte if need be: bytes past ASCII are opaque, not an error.
fn joined(fields: &HeaderMap, name: HeaderName) -> Option<String> {
    let values = fields.get_all(name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// A Location's bytes as the URL parser takes them: what is no ASCII percent-encoded as it came.
fn url_text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = match byte.is_ascii() {
            true => text.write_char(char::from(*byte)),
            false => write!(text, "%{byte:02X}"),
        };
        text
    })
}

/// So much of a text from elsewhere as an error has room for.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Digits and nothing else; past the range it is the largest number.
fn whole_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads a `Retry-After`: whole seconds, or a date from which `now` is taken.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    let asked = match whole_number(value) {
        Some(seconds) => Duration::from_secs(seconds),
        None => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(asked.min(RETRY_LIMIT))
}

#[cfg(test)]
mod tests;
