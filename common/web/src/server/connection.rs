//! Connections that a handler can reach: to count them, and to break them on purpose.

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What the handlers know of the connection that a request came by; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    /// The last run that counted this connection; runs are numbered from 1.
    counted_in_run: AtomicU64,
    reset: AtomicBool,
    flushed: Notify,
}

impl Connection {
    /// Whether this is the connection's first counted request in `run`.
    pub(super) fn is_new_in(&self, run: u64) -> bool {
        // The server has one thread: any ordering does.
        self.0.counted_in_run.swap(run, Ordering::SeqCst) != run
    }

    /// Lets the next write end the connection with a TCP reset.
    pub(super) fn reset(&self) {
        self.0.reset.store(true, Ordering::SeqCst);
    }

    /// Waits until all that was written so far is in the system's hands.
    pub(super) async fn flushed(&self) {
        self.0.flushed.notified().await;
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
    /// The error that makes hyper drop the stream, which then resets rather than closes.
    fn broken(&self) -> Option<io::Error> {
        if !self.connection.0.reset.load(Ordering::SeqCst) {
            return None;
        }
        // Without it the close is an orderly one: less of a fault, but still the end.
        let _ = self.stream.set_zero_linger();
        Some(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncWrite for LabStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes the stream only once its own buffer is written out.
        self.connection.0.flushed.notify_waiters();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
