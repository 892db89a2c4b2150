//! Connections: how many there may be, and how long one may stay silent. If there are too many, silent ones
//! make room for new ones, so that the market stays reachable.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tower::ServiceExt;

use crate::config::Config;

/// How long a client may read nothing of a response.
const STALLED: Duration = Duration::from_secs(60);
/// The pause after a connection could not be accepted: without a free file handle, it would fail again
/// and again.
const PAUSE: Duration = Duration::from_millis(100);
/// The file handles reserved for purposes other than connections, besides those of the database and a
/// quarter of all.
const HANDLES_KEPT: usize = 64;

/// The limits on connections.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The maximum number of connections.
    pub all: usize,
    /// The maximum number of connections per address; `None` behind a proxy.
    pub per_address: Option<usize>,
    /// The maximum time to receive the headers of a request.
    pub head: Duration,
    /// The maximum idle time between two requests.
    pub idle: Duration,
}

impl Bounds {
    /// The configured limits, as far as there are file handles.
    pub fn of(config: &Config) -> Self {
        let server = &config.server;
        let kept =
            |handles: usize| HANDLES_KEPT + config.database.connections as usize + (handles / 4).min(256);
        let room = file_handles().map_or(usize::MAX, |handles| handles.saturating_sub(kept(handles)).max(16));
        // `peer` means that there is no proxy.
        let behind_a_proxy = !matches!(config.limits.address_header.as_str(), "" | "peer");
        Self {
            all: (server.connections_max as usize).clamp(1, room),
            per_address: (!behind_a_proxy).then_some(server.connections_per_address.max(1) as usize),
            head: Duration::from_secs(server.header_timeout_s.max(1)),
            idle: Duration::from_secs(server.idle_timeout_s.max(1)),
        }
    }
}

/// The number of available file handles, raised to the hard limit.
#[cfg(unix)]
fn file_handles() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    now.and_then(|handles| usize::try_from(handles).ok())
}

#[cfg(not(unix))]
fn file_handles() -> Option<usize> {
    None
}

/// Serves until `stop` is cancelled, then finishes open requests.
#[expect(
    clippy::disallowed_methods,
    reason = "connections are waited for by the tracker whose token each of them has"
)]
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: CancellationToken) {
    let open = Arc::new(Open::new(bounds));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if of_the_other_side(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "failed to accept a connection");
                open.cut_oldest();
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without it, a page sent in several pieces waits 40 ms for the client's delayed ACK of the first.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let admitted = tokio::select! {
            () = stop.cancelled() => break,
            admitted = open.admit(peer.ip()) => admitted,
        };
        if let Some(place) = admitted {
            let connection = connection(stream, peer, router.clone(), place, stop.clone(), tasks.token());
            tokio::spawn(connection);
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Whether the error concerns only the connection being accepted.
fn of_the_other_side(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Place,
    stop: CancellationToken,
    _running: TaskTrackerToken,
) {
    let pulse = place.pulse.clone();
    let of_requests = pulse.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let turn = Turn::begin(&of_requests);
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answered = router.clone().oneshot(request);
        async move { answered.await.map(|response: Response| response.map(|body| Answer { body, _turn: turn })) }
    });
    let io = TokioIo::new(Watched { stream, pulse: pulse.clone() });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None::<Duration>)
        .serve_connection(io, service);
    let mut serving = std::pin::pin!(serving);
    let bounds = place.open.bounds;
    let look = (bounds.head / 4).min(Duration::from_secs(5));
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = pulse.cut.cancelled() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(look) => {
                if pulse.is_over(&bounds, pulse.now()) {
                    return;
                }
            }
        }
    }
}

/// All open connections.
struct Open {
    bounds: Bounds,
    all: Mutex<All>,
    last: AtomicU64,
    /// Notified when a connection closes or becomes idle.
    freed: Arc<Notify>,
}

type All = HashMap<u64, (IpAddr, Arc<Pulse>)>;

/// Closes the connection that has been idle longest; returns false if none is idle.
fn cut_oldest(all: &mut All, from: Option<IpAddr>) -> bool {
    let waiting =
        all.iter().filter(|(_, (address, pulse))| from.is_none_or(|a| a == *address) && pulse.waits());
    let Some(oldest) =
        waiting.min_by_key(|(number, (_, pulse))| (pulse.since(), **number)).map(|(number, _)| *number)
    else {
        return false;
    };
    if let Some((_, pulse)) = all.remove(&oldest) {
        pulse.cut.cancel();
    }
    true
}

impl Open {
    fn new(bounds: Bounds) -> Self {
        Self { bounds, all: Mutex::default(), last: AtomicU64::new(0), freed: Arc::default() }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut_oldest(&self) {
        cut_oldest(&mut self.all(), None);
    }

    /// A slot for one more connection, once there is one; `None` if its address has too many active ones.
    async fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        loop {
            let freed = self.freed.notified();
            match self.try_admit(address) {
                Admitted::Yes(place) => return Some(place),
                Admitted::No => return None,
                Admitted::Later => freed.await,
            }
        }
    }

    fn try_admit(self: &Arc<Self>, address: IpAddr) -> Admitted {
        let mut all = self.all();
        if let Some(most) = self.bounds.per_address
            && all.values().filter(|(other, _)| *other == address).count() >= most
            && !cut_oldest(&mut all, Some(address))
        {
            return Admitted::No;
        }
        if all.len() >= self.bounds.all && !cut_oldest(&mut all, None) {
            return Admitted::Later;
        }
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::new(Instant::now(), self.freed.clone()));
        all.insert(number, (address, pulse.clone()));
        metrics::gauge!("haat_connections").set(all.len() as f64);
        Admitted::Yes(Place { open: self.clone(), number, pulse })
    }
}

enum Admitted {
    Yes(Place),
    No,
    Later,
}

/// A connection's slot, for as long as it is open.
struct Place {
    open: Arc<Open>,
    number: u64,
    pulse: Arc<Pulse>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.open.all();
        all.remove(&self.number);
        metrics::gauge!("haat_connections").set(all.len() as f64);
        drop(all);
        self.open.freed.notify_waiters();
    }
}

/// What a connection is doing.
struct Pulse {
    accepted: Instant,
    /// The number of unfinished requests.
    requests: AtomicUsize,
    /// Whether the headers of a request are expected. A new connection owes one.
    head: AtomicBool,
    /// When this began, in milliseconds since the connection was accepted.
    since: AtomicU64,
    /// When writing became blocked, plus one; zero if it is not.
    stalled: AtomicU64,
    cut: CancellationToken,
    freed: Arc<Notify>,
}

impl Pulse {
    fn new(accepted: Instant, freed: Arc<Notify>) -> Self {
        Self {
            accepted,
            requests: AtomicUsize::new(0),
            head: AtomicBool::new(true),
            since: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            cut: CancellationToken::new(),
            freed,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn waits(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }

    fn since(&self) -> Instant {
        self.accepted + Duration::from_millis(self.since.load(Ordering::Relaxed))
    }

    /// Records received bytes.
    fn heard(&self) {
        if self.waits() && !self.head.swap(true, Ordering::Relaxed) {
            self.since.store(self.now(), Ordering::Relaxed);
        }
    }

    fn wrote(&self, something: bool) {
        match something {
            true => self.stalled.store(0, Ordering::Relaxed),
            false => {
                let since = self.now() + 1;
                let _ = self.stalled.compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    fn is_over(&self, bounds: &Bounds, now: u64) -> bool {
        let longer_than =
            |since: u64, time: Duration| u128::from(now.saturating_sub(since)) >= time.as_millis();
        match self.stalled.load(Ordering::Relaxed) {
            0 => {}
            since if longer_than(since, STALLED) => return true,
            _ => return false,
        }
        let time = if self.head.load(Ordering::Relaxed) { bounds.head } else { bounds.idle };
        self.waits() && longer_than(self.since.load(Ordering::Relaxed), time)
    }
}

/// A request, until its response is sent or dropped.
struct Turn(Arc<Pulse>);

impl Turn {
    fn begin(pulse: &Arc<Pulse>) -> Self {
        pulse.requests.fetch_add(1, Ordering::Relaxed);
        pulse.head.store(false, Ordering::Relaxed);
        Self(pulse.clone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
        self.0.freed.notify_waiters();
    }
}

/// The body of a response.
struct Answer {
    body: Body,
    _turn: Turn,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that records its activity.
struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.pulse.heard();
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.pulse.wrote(wrote.is_ready());
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.pulse.wrote(wrote.is_ready());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

    fn open(all: usize, per_address: Option<usize>) -> Arc<Open> {
        let (head, idle) = (Duration::from_secs(10), Duration::from_secs(75));
        Arc::new(Open::new(Bounds { all, per_address, head, idle }))
    }

    fn admitted(open: &Arc<Open>, address: IpAddr) -> Option<Place> {
        match open.try_admit(address) {
            Admitted::Yes(place) => Some(place),
            Admitted::No | Admitted::Later => None,
        }
    }

    #[test]
    fn idle_connections_make_room_and_active_ones_stay() {
        let open = open(3, None);
        let places: Vec<_> = (0..3).map(|_| admitted(&open, HERE).unwrap()).collect();
        let _busy = Turn::begin(&places[0].pulse);
        let fourth = admitted(&open, HERE).unwrap();
        let cut: Vec<_> = places.iter().map(|p| p.pulse.cut.is_cancelled()).collect();
        assert_eq!(cut, [false, true, false], "the one that has been silent longest");
        let _all_busy = [Turn::begin(&places[2].pulse), Turn::begin(&fourth.pulse)];
        assert!(matches!(open.try_admit(HERE), Admitted::Later));
        drop(fourth);
        assert!(admitted(&open, HERE).is_some());
    }

    #[test]
    fn an_address_takes_nothing_from_others() {
        let open = open(10, Some(2));
        let places: Vec<_> = (0..2).map(|_| admitted(&open, HERE).unwrap()).collect();
        let other = admitted(&open, THERE).unwrap();
        let _third = admitted(&open, HERE).unwrap();
        assert!(places[0].pulse.cut.is_cancelled() && !other.pulse.cut.is_cancelled());
        let _busy = [Turn::begin(&places[1].pulse), Turn::begin(&_third.pulse)];
        assert!(matches!(open.try_admit(HERE), Admitted::No));
        assert!(admitted(&open, THERE).is_some());
    }

    #[test]
    fn headers_idling_and_stalled_responses_time_out() {
        let bounds = open(1, None).bounds;
        let pulse = Arc::new(Pulse::new(Instant::now(), Arc::default()));
        let over = |after_ms: u64| pulse.is_over(&bounds, after_ms);
        assert!(!over(9_000) && over(11_000), "never said a word");
        let turn = Turn::begin(&pulse);
        assert!(!over(1_000_000), "at work");
        pulse.wrote(false);
        pulse.wrote(false);
        assert!(!over(30_000) && over(70_000), "nobody reads the answer");
        pulse.wrote(true);
        drop(turn);
        assert!(!over(70_000) && over(80_000), "a rest may be longer than a head");
        pulse.heard();
        pulse.heard();
        assert!(!over(9_000) && over(11_000), "a head that drips in");
    }
}
