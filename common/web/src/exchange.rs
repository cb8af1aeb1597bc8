//! What both clients do alike: redirects, limits, and what the bytes of an answer are.

use super::{FetchError, Fetched, Page, Url};
use brotli_decompressor::Decompressor as Brotli;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use hyper::{
    StatusCode,
    header::{
        CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION,
        RETRY_AFTER, TRANSFER_ENCODING,
    },
};
use percent_encoding::{AsciiSet, percent_encode};
use std::{
    error::Error,
    io::{self, ErrorKind, Read},
    iter, mem,
    time::{Duration, Instant, SystemTime},
};

/// A longer body is refused, coded or decoded, so that one URL cannot fill the memory.
pub const BODY_LIMIT_BYTES: u64 = 64 << 20;

/// The longest head of an answer without its blanks, and the most fields (hyper's limit).
const FIELDS_LIMIT_BYTES: usize = 24 << 10;
const FIELDS_LIMIT: usize = 100;

/// The longest address that is asked for.
const ADDRESS_LIMIT_BYTES: usize = 8 << 10;

/// How many redirects are followed for one request.
const REDIRECT_LIMIT: usize = 10;

/// How many codings a body may have on top of each other.
const CODINGS_LIMIT: usize = 4;

/// The longest wait; what asks for more is taken for this.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A failed look-up, in the words of hyper-util, which keeps its type to itself.
pub(super) const NO_HOST: &str = "dns error";

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// What one client does in its own way.
pub(super) trait Client {
    /// Asks for `at.url`, once more over a new connection if a kept one breaks, and hands `at` what comes.
    async fn exchange(&self, at: &mut Exchange) -> Result<(), BoxError>;
}

/// Fetches a page, over all its redirects; with a client that blocks, it is ready at once.
pub(super) async fn fetch(client: &impl Client, url: &Url, timeout: Duration) -> Fetched {
    let mut at = Exchange::new(url, timeout)?;
    loop {
        if at.url.as_str().len() > ADDRESS_LIMIT_BYTES {
            let reason = format!("its address is longer than {ADDRESS_LIMIT_BYTES} bytes");
            return Err(at.other(reason));
        }
        let done = client.exchange(&mut at).await;
        done.map_err(|error| at.explain(&*error))?;
        let (status, fields) = at.head.take().unwrap_or_default();
        match location(status, &fields) {
            Some(location) => at.redirect(&location)?,
            None => return at.page(status, &fields),
        }
    }
}

/// A request on its way, over all its redirects.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What is asked for now.
    pub(super) url: Url,
    start: Instant,
    /// When the request has had its time.
    pub(super) until: Instant,
    /// What was asked for before, redirect by redirect.
    before: Vec<Url>,
    /// The head of the answer, once it has come: its status and its fields.
    head: Option<(StatusCode, HeaderMap)>,
    /// What has come of the body.
    body: Vec<u8>,
}

impl Exchange {
    fn new(url: &Url, timeout: Duration) -> Result<Self, FetchError> {
        let mut at = Self {
            url: url.clone(),
            start: Instant::now(),
            until: Instant::now() + timeout.min(YEAR),
            before: Vec::new(),
            head: None,
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
        Ok(at)
    }

    /// Takes the head of an answer.
    pub(super) fn begin(
        &mut self,
        status: StatusCode,
        fields: HeaderMap,
    ) -> Result<(), FetchError> {
        // hyper's own limit depends on how much it reads at a time.
        let sizes = fields.iter();
        let sizes = sizes.map(|(name, value)| name.as_str().len() + value.len() + 4);
        if sizes.sum::<usize>() > FIELDS_LIMIT_BYTES {
            return Err(self.head_too_large());
        }
        let transfer = joined(&fields, TRANSFER_ENCODING);
        if let Some(coding) = transfer.filter(|coding| !coding.eq_ignore_ascii_case("chunked")) {
            return Err(self.other(format!(
                "its transfer coding is `{}`; this client reads only `chunked`",
                short(&coding)
            )));
        }
        if !status.is_success() && location(status, &fields).is_none() {
            let asked = joined(&fields, RETRY_AFTER);
            return Err(self.error(|url| FetchError::Status {
                url,
                code: status.as_u16(),
                retry_after: asked.and_then(|it| parse_retry_after(&it, SystemTime::now())),
            }));
        }
        self.head = Some((status, fields));
        let expected = self.within_limit(self.expected().unwrap_or_default())?;
        self.body.reserve_exact(expected);
        Ok(())
    }

    /// Takes some of the body.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.body.extend_from_slice(bytes);
        self.within_limit(self.body.len() as u64).map(drop)
    }

    fn within_limit(&self, length_bytes: u64) -> Result<usize, FetchError> {
        match length_bytes <= BODY_LIMIT_BYTES {
            true => Ok(length_bytes as usize),
            false => Err(self.error(FetchError::TooLarge)),
        }
    }

    /// How many bytes the head promises.
    fn expected(&self) -> Option<u64> {
        let (_, fields) = self.head.as_ref()?;
        whole_number(&joined(fields, CONTENT_LENGTH)?)
    }

    fn page(mut self, status: StatusCode, fields: &HeaderMap) -> Fetched {
        let elapsed = self.start.elapsed();
        Ok(Page {
            body: self.decode(&joined(fields, CONTENT_ENCODING).unwrap_or_default())?,
            url: self.url,
            status: status.as_u16(),
            content_type: joined(fields, CONTENT_TYPE),
            elapsed,
        })
    }

    /// Makes the place that an answer names the next one to ask for.
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
        self.body.clear();
        Ok(())
    }

    /// The body without its codings, whoever asked for them.
    fn decode(&mut self, all: &str) -> Result<Vec<u8>, FetchError> {
        let mut body = mem::take(&mut self.body);
        for (number, coding) in all.split(',').rev().map(str::trim).enumerate() {
            let packed = &body[..];
            body = match &*coding.to_ascii_lowercase() {
                "" | "identity" => continue,
                _ if packed.is_empty() => continue,
                "gzip" | "x-gzip" if number < CODINGS_LIMIT => {
                    self.unpack(MultiGzDecoder::new(packed), coding)
                }
                "deflate" if number < CODINGS_LIMIT => self
                    .unpack(ZlibDecoder::new(packed), coding)
                    // Some servers leave out the envelope that the name stands for.
                    .or_else(|_| self.unpack(DeflateDecoder::new(packed), coding)),
                "br" if number < CODINGS_LIMIT => self.unpack(Brotli::new(packed, 4096), coding),
                _ => Err(self.other(format!(
                    "its body is coded as `{}`, which this client cannot read",
                    short(all)
                ))),
            }?;
        }
        Ok(body)
    }

    fn unpack(&self, reader: impl Read, coding: &str) -> Result<Vec<u8>, FetchError> {
        let mut body = Vec::new();
        let read = reader.take(BODY_LIMIT_BYTES + 1).read_to_end(&mut body);
        self.within_limit(body.len() as u64)?;
        read.map_err(|_| self.other(format!("its body is said to be `{coding}`, and is not")))?;
        Ok(body)
    }

    /// An error about what is asked for now, of whose address it shows no more than a line has room for.
    fn error(&self, error: impl FnOnce(String) -> FetchError) -> FetchError {
        let url = self.url.as_str();
        error(match url.len() {
            0..=80 => url.to_owned(),
            length => format!("{}...{}", &url[..55], &url[length - 22..]),
        })
    }

    fn timeout(&self) -> FetchError {
        let after = self.start.elapsed();
        self.error(|url| FetchError::Timeout { url, after })
    }

    fn cut(&self) -> FetchError {
        let (got, expected) = (self.body.len() as u64, self.expected());
        self.error(|url| FetchError::Cut { url, got, expected })
    }

    fn head_too_large(&self) -> FetchError {
        self.other(format!(
            "the head of its answer has more than {FIELDS_LIMIT} fields or {FIELDS_LIMIT_BYTES} bytes, or a length \
             that no body can have"
        ))
    }

    fn against_the_rules(&self) -> FetchError {
        self.other(match self.head {
            None => "the head of its answer is not as HTTP/1.1 has it; is this a web server?",
            Some(_) => "the body of its answer is not chunked as HTTP/1.1 has it",
        })
    }

    fn other(&self, reason: impl ToString) -> FetchError {
        let reason = reason.to_string().replace('\n', " ");
        self.error(|url| FetchError::Other { url, reason })
    }

    /// What an error of hyper, of the system or of the client around them comes to.
    pub(super) fn explain(&self, error: &(dyn Error + 'static)) -> FetchError {
        if let Some(error) = error.downcast_ref::<FetchError>() {
            return error.clone();
        }
        let client = error.downcast_ref::<reqwest::Error>();
        if client.is_some_and(reqwest::Error::is_timeout) {
            return self.timeout();
        }
        let mut root = error;
        for cause in iter::successors(Some(error), |error| (*error).source()) {
            if cause.to_string() == NO_HOST {
                return self.error(FetchError::HostNotFound);
            }
            match cause.downcast_ref::<hyper::Error>() {
                Some(error) if error.is_incomplete_message() => return self.cut(),
                Some(error) if error.is_canceled() => return self.cut(),
                Some(error) if error.is_parse_too_large() => return self.head_too_large(),
                Some(error) if error.is_parse() => return self.against_the_rules(),
                _ => {}
            }
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                // TLS errors come wrapped in an io error without a meaning of its own.
                if error.get_ref().is_none() || error.kind() != ErrorKind::Other {
                    return self.io(error);
                }
            }
            root = cause;
        }
        self.other(root)
    }

    fn io(&self, error: &io::Error) -> FetchError {
        match error.kind() {
            ErrorKind::ConnectionRefused => self.error(FetchError::Refused),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected => self.error(FetchError::Reset),
            ErrorKind::UnexpectedEof => self.cut(),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.timeout(),
            // ENFILE and EMFILE, on every Unix.
            _ if cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)) => self
                .other("too many open files; have fewer requests in flight, or raise `ulimit -n`"),
            ErrorKind::InvalidInput | ErrorKind::InvalidData if self.head.is_some() => {
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

/// Where an answer with this head sends its client.
fn location(status: StatusCode, fields: &HeaderMap) -> Option<String> {
    let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = fields.get(LOCATION).filter(|_| redirects)?;
    // As the URL parser takes it: what is no ASCII percent-encoded as it came.
    Some(percent_encode(location.as_bytes(), &AsciiSet::EMPTY).to_string())
}

/// All values of a field, byte by byte if need be: bytes past ASCII are opaque, not an error.
fn joined(fields: &HeaderMap, name: HeaderName) -> Option<String> {
    let values = fields.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// How much time is left; the system takes none of zero.
pub(super) fn left(until: Instant) -> Duration {
    let left = until.saturating_duration_since(Instant::now());
    left.max(Duration::from_millis(1))
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
    Some(asked.min(YEAR))
}

#[cfg(test)]
mod tests;
