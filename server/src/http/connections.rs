//! Connections: how many there may be, and how long one may stay silent. If there are too many, silent ones
//! and those whose requests arrive too slowly make room for new ones, so that the market stays reachable.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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

use super::limits::Origin;
use crate::config::Config;

/// How long a client may read nothing of a response.
const STALLED: Duration = Duration::from_secs(60);
/// How long a client may send nothing of a request's body, or read nothing of a response, before its
/// connection makes room for others.
const PATIENCE: Duration = Duration::from_secs(5);
/// The bytes per second that it must reach after that.
const PACE: u64 = 4 * 1024;
/// How long a client may take to begin a request before its connection makes room for others. Otherwise,
/// whoever just came would be cut first, if all others keep the server waiting for less than [`PATIENCE`].
const GRACE: Duration = Duration::from_secs(1);
/// How often to look for a connection that has become slow, if all others are active.
const LOOK: Duration = Duration::from_millis(250);
/// The share of all connections that one address may have: a quarter.
const SHARE: usize = 4;
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
    /// How long an idle connection is safe from making room for others.
    pub grace: Duration,
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
        let all = (server.connections_max as usize).clamp(1, room);
        let share = (server.connections_per_address as usize).min(all / SHARE).max(1);
        Self {
            all,
            per_address: (!behind_a_proxy).then_some(share),
            head: Duration::from_secs(server.header_timeout_s.max(1)),
            idle: Duration::from_secs(server.idle_timeout_s.max(1)),
            grace: GRACE,
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
            admitted = open.admit(Origin::of(peer.ip())) => admitted,
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
    let (pulse, bounds) = (place.pulse.clone(), place.open.bounds);
    let line = Line { stop: stop.clone(), place: Arc::new(place) };
    let of_requests = pulse.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let turn = Turn::begin(&of_requests);
        let mut request: Request = request.map(|body| Body::new(Asked { body, pulse: of_requests.clone() }));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(line.clone());
        let answered = router.clone().oneshot(request);
        async move { answered.await.map(|response: Response| response.map(|body| Answer { body, _turn: turn })) }
    });
    let io = TokioIo::new(Watched { stream, pulse: pulse.clone() });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None::<Duration>)
        .serve_connection(io, service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
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

/// The connection of a request. Whoever keeps it after an upgrade keeps the connection's slot, and ends with it.
#[derive(Clone)]
pub(super) struct Line {
    /// Cancelled when the program stops.
    pub(super) stop: CancellationToken,
    place: Arc<Place>,
}

impl Line {
    /// Waits until the connection has to make room for others.
    pub(super) async fn cut(&self) {
        self.place.pulse.cut.cancelled().await;
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

type All = HashMap<u64, (Origin, Arc<Pulse>)>;

/// Closes the connection that has been silent longest, and at least for `grace`; returns false if there is
/// none.
fn cut_oldest(all: &mut All, from: Option<Origin>, grace: Duration) -> bool {
    let silent = all
        .iter()
        .filter(|(_, (address, _))| from.is_none_or(|from| from == *address))
        .filter_map(|(number, (_, pulse))| Some((pulse.silent_since(pulse.now())?, *number)));
    let oldest = silent.min().filter(|(since, _)| since.elapsed() >= grace);
    let Some((_, oldest)) = oldest else { return false };
    if let Some((_, pulse)) = all.remove(&oldest) {
        pulse.cut.cancel();
    }
    true
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Open {
    fn new(bounds: Bounds) -> Self {
        Self { bounds, all: Mutex::default(), last: AtomicU64::new(0), freed: Arc::default() }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        lock(&self.all)
    }

    fn cut_oldest(&self) {
        cut_oldest(&mut self.all(), None, self.bounds.grace);
    }

    /// A slot for one more connection, once there is one; `None` if its address has too many active ones.
    async fn admit(self: &Arc<Self>, address: Origin) -> Option<Place> {
        loop {
            let freed = self.freed.notified();
            match self.try_admit(address) {
                Admitted::Yes(place) => return Some(place),
                Admitted::No => return None,
                // A connection may become slow in the meantime, which notifies nobody.
                Admitted::Later => drop(tokio::time::timeout(LOOK, freed).await),
            }
        }
    }

    fn try_admit(self: &Arc<Self>, address: Origin) -> Admitted {
        let mut all = self.all();
        if let Some(most) = self.bounds.per_address
            && all.values().filter(|(other, _)| *other == address).count() >= most
            && !cut_oldest(&mut all, Some(address), Duration::ZERO)
        {
            return Admitted::No;
        }
        if all.len() >= self.bounds.all && !cut_oldest(&mut all, None, self.bounds.grace) {
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
    /// How the body of the current request arrives.
    body: Mutex<Flow>,
    /// How its response is sent.
    response: Mutex<Flow>,
    cut: CancellationToken,
    freed: Arc<Notify>,
}

/// How a body comes from the client, or goes to it. Only the time that we wait for the client counts.
#[derive(Debug, Default, Clone, Copy)]
struct Flow {
    /// When we began to wait for the client, in milliseconds since the connection was accepted.
    since: Option<u64>,
    /// How long we waited before that.
    waited: u64,
    /// The number of bytes until then.
    bytes: u64,
}

impl Flow {
    fn blocked(&mut self, now: u64) {
        self.since.get_or_insert(now);
    }

    fn moved(&mut self, bytes: usize, now: u64) {
        self.waited += self.since.take().map_or(0, |since| now.saturating_sub(since));
        self.bytes += bytes as u64;
    }

    /// Since when we have been waiting, if it is too slow.
    fn slow_since(&self, now: u64) -> Option<u64> {
        let since = self.since?;
        let (silent, patience) = (now.saturating_sub(since), PATIENCE.as_millis() as u64);
        let slow = silent >= patience || self.waited + silent >= patience + self.bytes * 1000 / PACE;
        slow.then_some(since)
    }
}

impl Pulse {
    fn new(accepted: Instant, freed: Arc<Notify>) -> Self {
        Self {
            accepted,
            requests: AtomicUsize::new(0),
            head: AtomicBool::new(true),
            since: AtomicU64::new(0),
            body: Mutex::default(),
            response: Mutex::default(),
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

    /// Since when the client has been idle or too slow; `None` if we are at work.
    fn silent_since(&self, now: u64) -> Option<Instant> {
        let since = match self.waits() {
            true => self.since.load(Ordering::Relaxed),
            false => lock(&self.body).slow_since(now).or_else(|| lock(&self.response).slow_since(now))?,
        };
        Some(self.accepted + Duration::from_millis(since))
    }

    /// Records received bytes.
    fn heard(&self) {
        if self.waits() && !self.head.swap(true, Ordering::Relaxed) {
            self.since.store(self.now(), Ordering::Relaxed);
        }
    }

    fn wrote(&self, wrote: &Poll<io::Result<usize>>) {
        let (now, mut response) = (self.now(), lock(&self.response));
        match wrote {
            Poll::Pending => response.blocked(now),
            Poll::Ready(bytes) => response.moved(*bytes.as_ref().unwrap_or(&0), now),
        }
    }

    fn is_over(&self, bounds: &Bounds, now: u64) -> bool {
        let longer_than =
            |since: u64, time: Duration| u128::from(now.saturating_sub(since)) >= time.as_millis();
        if let Some(since) = lock(&self.response).since {
            return longer_than(since, STALLED);
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
        *lock(&pulse.response) = Flow::default();
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

/// The body of a request.
struct Asked {
    body: Incoming,
    pulse: Arc<Pulse>,
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let (now, mut flow) = (self.pulse.now(), lock(&self.pulse.body));
        match &polled {
            Poll::Pending => flow.blocked(now),
            Poll::Ready(Some(Ok(frame))) => flow.moved(frame.data_ref().map_or(0, Bytes::len), now),
            Poll::Ready(_) => flow.moved(0, now),
        }
        drop(flow);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        *lock(&self.pulse.body) = Flow::default();
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
        self.pulse.wrote(&wrote);
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
        self.pulse.wrote(&wrote);
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Origin {
        Origin::of(address.parse().unwrap())
    }

    fn open(all: usize, per_address: Option<usize>) -> Arc<Open> {
        let (head, idle) = (Duration::from_secs(10), Duration::from_secs(75));
        Arc::new(Open::new(Bounds { all, per_address, head, idle, grace: Duration::ZERO }))
    }

    fn admitted(open: &Arc<Open>, address: Origin) -> Option<Place> {
        match open.try_admit(address) {
            Admitted::Yes(place) => Some(place),
            Admitted::No | Admitted::Later => None,
        }
    }

    #[test]
    fn idle_connections_make_room_and_active_ones_stay() {
        let here = from("127.0.0.1");
        let open = open(3, None);
        let places: Vec<_> = (0..3).map(|_| admitted(&open, here).unwrap()).collect();
        let _busy = Turn::begin(&places[0].pulse);
        let fourth = admitted(&open, here).unwrap();
        let cut: Vec<_> = places.iter().map(|p| p.pulse.cut.is_cancelled()).collect();
        assert_eq!(cut, [false, true, false], "the one that has been silent longest");
        let _all_busy = [Turn::begin(&places[2].pulse), Turn::begin(&fourth.pulse)];
        assert!(matches!(open.try_admit(here), Admitted::Later));
        drop(fourth);
        assert!(admitted(&open, here).is_some());
    }

    #[test]
    fn an_address_takes_nothing_from_others() {
        let (here, there) = (from("127.0.0.1"), from("0.0.0.0"));
        let open = open(10, Some(2));
        let places: Vec<_> = (0..2).map(|_| admitted(&open, here).unwrap()).collect();
        let other = admitted(&open, there).unwrap();
        let _third = admitted(&open, here).unwrap();
        assert!(places[0].pulse.cut.is_cancelled() && !other.pulse.cut.is_cancelled());
        let _busy = [Turn::begin(&places[1].pulse), Turn::begin(&_third.pulse)];
        assert!(matches!(open.try_admit(here), Admitted::No));
        assert!(admitted(&open, there).is_some());
    }

    #[test]
    fn nobody_is_cut_before_they_could_ask() {
        let bounds = Bounds { grace: Duration::from_secs(600), ..open(2, Some(1)).bounds };
        let open = Arc::new(Open::new(bounds));
        let _first = admitted(&open, from("192.0.2.1")).unwrap();
        let second = admitted(&open, from("192.0.2.2")).unwrap();
        assert!(matches!(open.try_admit(from("192.0.2.3")), Admitted::Later));
        assert!(admitted(&open, from("192.0.2.2")).is_some() && second.pulse.cut.is_cancelled());
    }

    /// What one customer of a provider gets, and what the limits count by.
    #[test]
    fn an_ipv6_network_is_one_address() {
        let open = open(100, Some(2));
        let all = (0..9).map(|n| from(&format!("2001:db8:1:2::{n}")));
        let places: Vec<_> = all.map(|address| admitted(&open, address).unwrap()).collect();
        let kept = |places: &[Place]| places.iter().filter(|p| !p.pulse.cut.is_cancelled()).count();
        assert_eq!(kept(&places), 2);
        let _mapped = [from("192.0.2.1"), from("::ffff:192.0.2.1")].map(|address| admitted(&open, address));
        let _other = admitted(&open, from("2001:db8:1:3::1")).unwrap();
        assert!(kept(&places) == 2 && open.all().len() == 5);
    }

    #[test]
    fn an_address_has_a_share_of_the_places_that_there_are() {
        let bounds = |connections_max: u32, connections_per_address: u32, header: &str| {
            let mut config = Config::default();
            (config.server.connections_max, config.server.connections_per_address) =
                (connections_max, connections_per_address);
            config.limits.address_header = header.into();
            Bounds::of(&config).per_address
        };
        assert_eq!(bounds(100, 256, "peer"), Some(25));
        assert_eq!(bounds(100, 10, "peer"), Some(10));
        assert_eq!(bounds(1, 256, "peer"), Some(1));
        assert_eq!(bounds(100, 256, "x-forwarded-for"), None);
    }

    #[test]
    fn slow_bodies_make_room_and_steady_ones_stay() {
        let flow = |sent: &[(u64, usize)], now: u64| {
            let mut flow = Flow::default();
            flow.blocked(0);
            for (at, bytes) in sent {
                flow.moved(*bytes, *at);
                flow.blocked(*at);
            }
            flow.slow_since(now)
        };
        assert_eq!(flow(&[(1, 1)], 4_000), None);
        assert_eq!(flow(&[(1, 1)], 6_000), Some(1), "the rest never came");
        let dripped: Vec<(u64, usize)> = (1..60).map(|second| (second * 1_000, 1)).collect();
        assert_eq!(flow(&dripped, 59_500), Some(59_000), "a byte every second");
        let steady: Vec<(u64, usize)> = (1..60).map(|second| (second * 1_000, 10_000)).collect();
        assert_eq!(flow(&steady, 63_000), None, "12 MB over a slow line");
        assert_eq!(flow(&steady, 65_000), Some(59_000), "gone in the middle");
        let mut ours = Flow::default();
        ours.moved(100, 0);
        assert_eq!(ours.slow_since(1_000_000), None, "nobody waits for it");
    }

    #[test]
    fn a_slow_client_is_cut_and_a_working_request_is_not() {
        let open = open(2, None);
        let places = [(); 2].map(|()| admitted(&open, from("127.0.0.1")).unwrap());
        let _at_work = places.each_ref().map(|place| Turn::begin(&place.pulse));
        lock(&places[1].pulse.body).blocked(0);
        lock(&places[1].pulse.response).blocked(0);
        assert!(matches!(open.try_admit(from("127.0.0.1")), Admitted::Later));
        // As if it had waited for a minute.
        lock(&places[1].pulse.body).waited = 60_000;
        let third = admitted(&open, from("127.0.0.1")).unwrap();
        assert!(places[1].pulse.cut.is_cancelled() && !places[0].pulse.cut.is_cancelled());
        // The same if it reads no response.
        let _at_work = Turn::begin(&third.pulse);
        *lock(&third.pulse.response) = Flow { since: Some(0), waited: 60_000, bytes: 0 };
        assert!(admitted(&open, from("127.0.0.1")).is_some());
        assert!(third.pulse.cut.is_cancelled());
    }

    #[test]
    fn headers_idling_and_stalled_responses_time_out() {
        let bounds = open(1, None).bounds;
        let pulse = Arc::new(Pulse::new(Instant::now(), Arc::default()));
        let over = |after_ms: u64| pulse.is_over(&bounds, after_ms);
        assert!(!over(9_000) && over(11_000), "never said a word");
        let turn = Turn::begin(&pulse);
        assert!(!over(1_000_000), "at work");
        pulse.wrote(&Poll::Pending);
        pulse.wrote(&Poll::Pending);
        assert!(!over(30_000) && over(70_000), "nobody reads the answer");
        pulse.wrote(&Poll::Ready(Ok(1)));
        drop(turn);
        assert!(!over(70_000) && over(80_000), "a rest may be longer than a head");
        pulse.heard();
        pulse.heard();
        assert!(!over(9_000) && over(11_000), "a head that drips in");
    }
}
