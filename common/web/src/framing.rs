//! The framing of answers, for ureq, as strict as it is for reqwest.
//!
//! ureq is more lenient than hyper with the sizes and the end of chunks, and less with their extensions and
//! with interim answers. It gets all of them in the one form that nobody takes for another.

use super::exchange::{FIELDS_LIMIT, HEAD_LIMIT_BYTES, note_connection};
use httparse::{EMPTY_HEADER, Header, Response, Status, parse_chunk_size, parse_headers};
use std::{
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, Transport, TransportAdapter,
};

/// The most bytes of all extensions of chunks, and of the fields behind the last, as in hyper.
const EXTRAS_LIMIT_BYTES: usize = 16 << 10;

/// Notes each connection that is made, and reads it strictly.
#[derive(Debug)]
pub(super) struct Strictly;

impl<In: Transport> Connector<In> for Strictly {
    type Out = Strict<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        made: Option<In>,
    ) -> Result<Option<Strict<In>>, ureq::Error> {
        note_connection();
        Ok(made.map(|made| Strict {
            inner: BufReader::new(TransportAdapter::new(made, details.current_time.clone())),
            part: Part::Head,
            extras: 0,
            input: Vec::new(),
            is_consumed: false,
        }))
    }
}

/// A connection of which ureq sees only what is as it should be.
pub(super) struct Strict<In: Transport> {
    inner: BufReader<TransportAdapter<In>>,
    part: Part,
    /// How much of the extras' limit is used.
    extras: usize,
    /// What ureq may see, and whether it made anything of it last time.
    input: Vec<u8>,
    is_consumed: bool,
}

/// What comes next.
#[derive(Debug)]
enum Part {
    Head,
    Size,
    Chunk(usize),
    Trailer,
    /// Whatever is no chunk, up to the next request.
    Rest,
}

const BROKEN: ErrorKind = ErrorKind::InvalidData;
const ENDED: ErrorKind = ErrorKind::UnexpectedEof;
pub(super) const CUT: ErrorKind = ErrorKind::WriteZero;
pub(super) const LARGE: ErrorKind = ErrorKind::FileTooLarge;

impl<In: Transport> Strict<In> {
    /// Passes on the next part, or some of it, and returns what follows.
    fn next(&mut self) -> io::Result<Part> {
        match self.part {
            Part::Head => self.head(),
            Part::Size => self.size(),
            Part::Chunk(0) => {
                let mut end = [0; 2];
                self.inner.read_exact(&mut end)?;
                self.input.extend_from_slice(&end);
                if end == *b"\r\n" {
                    Ok(Part::Size)
                } else {
                    Err(BROKEN.into())
                }
            }
            Part::Chunk(size) => Ok(Part::Chunk(size - self.pass(size)?)),
            Part::Trailer => self.trailer(),
            Part::Rest => self.pass(usize::MAX).map(|_| Part::Rest),
        }
    }

    fn pass(&mut self, most: usize) -> io::Result<usize> {
        let length = self.inner.fill_buf()?.len().min(most);
        self.input.extend_from_slice(&self.inner.buffer()[..length]);
        self.inner.consume(length);
        if length > 0 {
            Ok(length)
        } else {
            Err(ENDED.into())
        }
    }

    fn head(&mut self) -> io::Result<Part> {
        let before = self.input.len();
        if self.inner.fill_buf()?.is_empty() {
            return Err(ENDED.into());
        }
        self.input.extend_from_slice(self.inner.buffer());
        let mut fields = [EMPTY_HEADER; FIELDS_LIMIT];
        let mut head = Response::new(&mut fields);
        let status = head.parse(&self.input);
        let is_interim = matches!(head.code, Some(100 | 102..200));
        let (part, end) = match status {
            Ok(Status::Complete(end)) if is_interim => {
                self.inner.consume(end - before);
                self.input.clear();
                return Ok(Part::Head);
            }
            Ok(Status::Complete(_)) if has_long_name(&head) => return Err(LARGE.into()),
            Ok(Status::Complete(end)) if is_chunked(&head) => (Part::Size, end),
            Ok(Status::Complete(end)) => (Part::Rest, end),
            Ok(Status::Partial) if self.input.len() <= HEAD_LIMIT_BYTES => {
                (Part::Head, self.input.len())
            }
            Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Err(LARGE.into()),
            // ureq says what is wrong with it.
            Err(_) => (Part::Rest, self.input.len()),
        };
        self.inner.consume(end - before);
        self.input.truncate(end);
        Ok(part)
    }

    fn size(&mut self) -> io::Result<Part> {
        let mut line = Vec::new();
        let mut rest = self.inner.by_ref().take(EXTRAS_LIMIT_BYTES as u64);
        rest.read_until(b'\n', &mut line)?;
        self.extras += line.iter().skip_while(|byte| **byte != b';').count();
        let zeros = line.iter().take_while(|byte| **byte == b'0').count();
        let is_number = line.first().is_none_or(u8::is_ascii_hexdigit);
        match parse_chunk_size(&line[zeros..]) {
            Ok(Status::Complete((_, size))) if is_number && self.extras <= EXTRAS_LIMIT_BYTES => {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size == 0 {
                    return Ok(Part::Trailer);
                }
                write!(self.input, "{size:x}\r\n")?;
                Ok(Part::Chunk(size))
            }
            Ok(Status::Partial) if is_number && !line.ends_with(b"\n") && rest.limit() > 0 => {
                Err(ENDED.into())
            }
            _ => Err(BROKEN.into()),
        }
    }

    fn trailer(&mut self) -> io::Result<Part> {
        let mut text = Vec::new();
        let mut rest = self.inner.by_ref().take(EXTRAS_LIMIT_BYTES as u64);
        while text != b"\r\n" && !text.ends_with(b"\r\n\r\n") {
            if rest.read_until(b'\n', &mut text)? == 0 {
                let is_long = rest.limit() == 0;
                return Err(if is_long { BROKEN } else { ENDED }.into());
            }
        }
        let fields = &mut [EMPTY_HEADER; FIELDS_LIMIT];
        if !parse_headers(&text, fields).is_ok_and(|status| status.is_complete()) {
            return Err(BROKEN.into());
        }
        self.input.extend_from_slice(b"0\r\n\r\n");
        Ok(Part::Rest)
    }
}

/// The type of a name takes no more.
fn has_long_name(head: &Response<'_, '_>) -> bool {
    let mut names = head.headers.iter().map(|field| field.name);
    names.any(|name| name.len() > u16::MAX.into())
}

fn is_chunked(head: &Response<'_, '_>) -> bool {
    let is_it = |field: &Header<'_>| {
        field.name.eq_ignore_ascii_case("transfer-encoding")
            && field.value.eq_ignore_ascii_case(b"chunked")
    };
    head.version == Some(1) && head.headers.iter().any(is_it)
}

impl<In: Transport> Transport for Strict<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        (self.part, self.extras) = (Part::Head, 0);
        let inner = self.inner.get_mut().get_mut();
        inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.get_mut().set_timeout(timeout);
        let before = self.input.len();
        while self.input.len() == before {
            self.part = self.next().map_err(|error| match error.kind() {
                // ureq would take these for the end; TLS has a text for an end that nobody announced.
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
                    ErrorKind::BrokenPipe.into()
                }
                ErrorKind::UnexpectedEof if error.get_ref().is_some() => CUT.into(),
                _ => error,
            })?;
        }
        Ok(true)
    }

    fn is_open(&mut self) -> bool {
        // What came before it was asked for is the answer to nothing.
        let is_clean = self.input.is_empty() && self.inner.buffer().is_empty();
        let inner = self.inner.get_mut().get_mut();
        is_clean && inner.buffers().input().is_empty() && inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.get_ref().get_ref().is_tls()
    }
}

impl<In: Transport> Buffers for Strict<In> {
    fn output(&mut self) -> &mut [u8] {
        self.inner.get_mut().get_mut().buffers().output()
    }

    fn input(&self) -> &[u8] {
        &self.input
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.is_consumed = amount > 0;
        self.input.drain(..amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.inner.get_mut().get_mut().buffers().tmp_and_output()
    }

    fn can_use_input(&self) -> bool {
        self.is_consumed && !self.input.is_empty()
    }
}

impl<In: Transport> fmt::Debug for Strict<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.part)
    }
}
