//! The sandbox over HTTP/1.1, on loopback only, for every client that can be pointed at an endpoint.
//!
//! Below `/_sandbox/` it can be looked at and told what shall go wrong; everything else is AWS's. Nothing is decided here but what
//! HTTP decides: how large a body may be, and which host names are this machine.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::wire::{Answer, Delivery, Request, is_loopback};
use super::world::Fault;
use super::{Sandbox, StoreError};

/// What a request may weigh; AWS's own limit is not documented.
const MAX_BODY: usize = 1024 * 1024;
/// How long a client may take to send the head of a request, and again its body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the sandbox cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Other machines could reach it there.
    #[error("`{0}` is not on loopback")]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The world file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Serves a sandbox until the returned future is dropped. `ready` is told the address once connections are taken.
///
/// # Errors
///
/// When the address is not on loopback or cannot be had.
pub async fn serve(
    sandbox: Sandbox,
    address: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<Infallible, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    more_connections();
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    sandbox.lock().announce(&bound.to_string())?;
    ready(bound);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(sandbox.clone(), stream))),
            // Out of file descriptors, most likely: those who are served will free some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Takes as many open files as the system gives for the asking: the usual 1,024, or 256, are used up by idle connections.
fn more_connections() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current: _, maximum } = getrlimit(Resource::Nofile);
        // With fewer it works all the same.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

async fn connection(sandbox: Sandbox, stream: TcpStream) {
    // Small answers must not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| respond(sandbox.clone(), request));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A connection that breaks, or is broken by a fault, is its client's affair.
    let _ = builder.serve_connection(TokioIo::new(Prompt(stream)), service).await;
}

/// A connection that acknowledges at once what it reads. botocore sends head and body of a request apart and waits for the
/// acknowledgement between them, which would else come 40 ms late.
struct Prompt(TcpStream);

impl AsyncRead for Prompt {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        // The system forgets it again and again. Where there is no such thing, answers come a little later.
        #[cfg(target_os = "linux")]
        let _ = self.0.set_quickack(true);
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;

async fn respond(sandbox: Sandbox, request: hyper::Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    // Any page in a browser can have its own name resolve to this machine.
    let mut hosts = head.headers.get_all(header::HOST).iter().map(|host| host.to_str().is_ok_and(is_loopback));
    let said = head.headers.contains_key(header::HOST) || head.version < Version::HTTP_11;
    let absolute = head.uri.authority().is_none_or(|authority| is_loopback(authority.as_str()));
    if !said || !absolute || !hosts.all(|ours| ours) {
        return Ok(plain(&sandbox, StatusCode::FORBIDDEN, "the sandbox answers to names of this machine only\n"));
    }
    let host = text(&head.headers, header::HOST);
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Ok(plain(&sandbox, StatusCode::PAYLOAD_TOO_LARGE, "<RequestEntityTooLargeException/>\n"));
        }
        Ok(Err(_)) => return Err(io::ErrorKind::ConnectionReset.into()),
        Err(_) => return Ok(plain(&sandbox, StatusCode::REQUEST_TIMEOUT, "the body did not come\n")),
    };
    let path = head.uri.path();
    if let Some(room) = path.strip_prefix("/_sandbox/") {
        // Programs send no such header; the pages of others do, and need nobody's leave to.
        if head.headers.contains_key(header::ORIGIN) {
            return Ok(plain(&sandbox, StatusCode::FORBIDDEN, "this is not for the pages of a browser\n"));
        }
        return Ok(inspect(&sandbox, &head.method, room, &body));
    }
    let answer = sandbox.answer(&Request {
        method: head.method.as_str(),
        path,
        query: head.uri.query().unwrap_or_default(),
        host,
        target: text(&head.headers, HeaderName::from_static("x-amz-target")),
        content_type: text(&head.headers, header::CONTENT_TYPE),
        authorization: text(&head.headers, header::AUTHORIZATION),
        bearer: text(&head.headers, HeaderName::from_static("x-amz-sso_bearer_token")),
        body: &body,
    });
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    sent(answer)
}

/// A header; one that is no text is there and says nothing.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn sent(answer: Answer) -> io::Result<Response<Body>> {
    let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
    let length = answer.body.len();
    let body = match answer.delivery {
        Delivery::Dropped => return Err(broken()),
        Delivery::Whole => Either::Left(Full::new(Bytes::from(answer.body))),
        Delivery::Truncated(bytes) => {
            let mut part = answer.body;
            // An answer that is whole would not have broken off.
            part.truncate(bytes.min(length.saturating_sub(1)));
            let first = stream::once(async { Ok(Frame::data(Bytes::from(part))) });
            // What was sent must have left before the connection breaks.
            let then = stream::once(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(broken())
            });
            Either::Right(UnsyncBoxBody::new(StreamBody::new(first.chain(then))))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let mut put = |name, value: Option<&String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-amzn-requestid", Some(&answer.request_id));
    put("x-amzn-errortype", answer.error.as_ref());
    put("location", answer.location.as_ref());
    Ok(response)
}

/// What is nobody's business but the sandbox's own.
fn inspect(sandbox: &Sandbox, method: &Method, room: &str, body: &[u8]) -> Response<Body> {
    let shown = match (method.as_str(), room) {
        ("GET", "calls") => serde_json::to_vec(&serde_json::json!({"counts": sandbox.calls(), "calls": sandbox.log()})),
        ("GET", "world") => serde_json::to_vec(&sandbox.world()),
        ("GET", "faults") => serde_json::to_vec(&sandbox.faults()),
        ("POST", "faults") => {
            let fault = serde_json::from_slice::<Fault>(body).map_err(|error| format!("this is no fault: {error}"));
            if let Err(what) = fault.and_then(|fault| sandbox.add_fault(fault)) {
                return plain(sandbox, StatusCode::BAD_REQUEST, &format!("{what}\n"));
            }
            serde_json::to_vec(&sandbox.faults())
        }
        ("DELETE", "faults") => {
            sandbox.clear_faults();
            serde_json::to_vec(&sandbox.faults())
        }
        _ => return plain(sandbox, StatusCode::NOT_FOUND, "GET calls, GET world, GET, POST or DELETE faults\n"),
    };
    match shown {
        Ok(json) => {
            let mut response = Response::new(Either::Left(Full::new(Bytes::from(json))));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => plain(sandbox, StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn plain(sandbox: &Sandbox, status: StatusCode, what: &str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::copy_from_slice(what.as_bytes()))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(id) = HeaderValue::from_str(&sandbox.lock().state.ids.call()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
