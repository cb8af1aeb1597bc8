//! Connections that a handler can reach: to count them, and to break them on purpose.

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use parking_lot::Mutex;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// What the handlers know of the connection that a request came by; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    /// The last run that counted this connection; runs are numbered from 1.
    counted_in_run: AtomicU64,
    /// What is still to be written before it closes; nothing at all makes it a reset.
    last: Mutex<Option<Vec<u8>>>,
}

impl Connection {
    /// Whether this is the connection's first counted request in `run`.
    pub(super) fn is_new_in(&self, run: u64) -> bool {
        // The server has one thread: any ordering does.
        self.0.counted_in_run.swap(run, Ordering::SeqCst) != run
    }

    /// Lets the next write be these bytes, and then the end of the connection; without any, a TCP reset.
    pub(super) fn end_with(&self, bytes: Vec<u8>) {
        *self.0.last.lock() = Some(bytes);
    }
}

impl Connected<IncomingStream<'_, LabListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, LabListener>) -> Self {
        stream.io().connection.clone()
    }
}

/// A listener whose connections carry a [`Connection`].
pub(super) struct LabListener(pub(super) TcpListener);

impl Listener for LabListener {
    type Io = LabStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LabStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Only a connection that is gone already refuses; its first read says so.
        let _ = stream.set_nodelay(true);
        let connection = Connection::default();
        (LabStream { stream, connection }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A TCP stream that can be told to break.
pub(super) struct LabStream {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for LabStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl LabStream {
    /// The error that makes hyper drop the stream, which then closes, or resets.
    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let marks = Arc::clone(&self.connection.0);
        let mut last = marks.last.lock();
        let Some(bytes) = last.as_mut() else {
            return Poll::Ready(None);
        };
        if bytes.is_empty() {
            // Without it the close is an orderly one: less of a fault, but still the end.
            let _ = self.stream.set_zero_linger();
        }
        while !bytes.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
                Ok(written) => drop(bytes.drain(..written)),
                Err(error) => return Poll::Ready(Some(error)),
            }
        }
        Poll::Ready(Some(io::ErrorKind::BrokenPipe.into()))
    }
}

impl AsyncWrite for LabStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_broken(cx)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
