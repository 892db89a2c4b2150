//! Product imports over HTTP.

use std::{
    collections::HashMap,
    fmt::Display,
    fs::File,
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use axum::{
    Extension, Form,
    extract::{
        Multipart, Path, State as Extract,
        multipart::{MultipartError, MultipartRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use haat_app::{i18n::Locale, t, words};
use haat_engine::{Caller, Engine, catalog::imports};
use haat_shared::{
    Error, FieldCode, Result,
    catalog::imports::{FILE_BYTES_MAX, ImportOptions, RowError},
    id::kinds::{ImportId, ShopId},
    number::DecimalMark,
    permissions::Permission,
    routes::{self, with},
};
use tokio::{
    io::{AsyncSeekExt, AsyncWriteExt},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};
use tokio_util::sync::CancellationToken;

use super::{
    State, Typed, back,
    exports::{BYTE_ORDER_MARK, as_table},
    forms::{field, refused},
};

/// The maximum size of a form with a file, including what a browser adds.
pub(super) const FORM_BYTES_MAX: usize = FILE_BYTES_MAX + 64 * 1024;

/// The maximum length of a decimal separator's name.
const MARK_BYTES_MAX: usize = 16;

/// The time limit of a request: uploading the largest file over a slow connection, and checking it.
pub(super) const FORM_TIME: Duration = Duration::from_secs(900);

/// The time limit of an upload: the largest file over a slow connection.
const COMING_IN: Duration = Duration::from_secs(600);
/// How long an upload may stall.
const SILENT: Duration = Duration::from_secs(30);
/// The bytes per second that an upload must reach after that: otherwise, one byte every half minute would be
/// enough to keep its place.
const PACE: u64 = 4 * 1024;
/// The time limit of reading a file.
const READING: Duration = Duration::from_secs(300);
/// The maximum number of product files that are uploaded, waiting or read: in total, and per address,
/// account and shop.
pub(super) const FILES_MAX: [usize; 4] = [64, 8, 4, 4];

/// Files in progress: how many there are, and whose turn it is to be read.
pub(super) struct Intake {
    /// Permits for the reader threads.
    readers: Arc<Semaphore>,
    /// One file per shop waits for a reader, and others wait behind it, so that shops take turns.
    shops: Mutex<HashMap<ShopId, Weak<Semaphore>>>,
    /// The number of files by what they are counted for.
    files: Mutex<HashMap<String, usize>>,
    /// The maximum number of files.
    most: [usize; 4],
}

/// A file in progress.
pub(super) struct Ticket {
    intake: Arc<Intake>,
    counted_for: [String; 4],
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut files = self.intake.files.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.counted_for {
            if let Some(count) = files.get_mut(name).filter(|count| **count > 1) {
                *count -= 1;
            } else {
                files.remove(name);
            }
        }
    }
}

impl Intake {
    pub(super) fn new(readers: u32, most: [usize; 4]) -> Self {
        let readers = Arc::new(Semaphore::new(readers.clamp(1, 64) as usize));
        Self { readers, shops: Mutex::default(), files: Mutex::default(), most }
    }

    /// Admits one more file, unless there are too many.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: &str,
        caller: &Caller,
        owner: impl Display,
    ) -> Result<Ticket> {
        let user = caller.user_id().map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        let counted_for = [String::new(), format!("address {address}"), user, format!("owner {owner}")];
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |(name, most): (&String, usize)| files.get(name).is_some_and(|count| *count >= most);
        if counted_for.iter().zip(self.most).any(full) {
            return Err(Error::RateLimited { retry_after_s: 10 });
        }
        for name in &counted_for {
            *files.entry(name.clone()).or_default() += 1;
        }
        Ok(Ticket { intake: self.clone(), counted_for })
    }

    /// A reader, when it is the shop's turn.
    async fn turn(&self, shop: ShopId) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let own = {
            let mut shops = self.shops.lock().unwrap_or_else(PoisonError::into_inner);
            match shops.get(&shop).and_then(Weak::upgrade) {
                Some(own) => own,
                None => {
                    shops.retain(|_, own| own.strong_count() > 0);
                    let own = Arc::new(Semaphore::new(1));
                    shops.insert(shop, Arc::downgrade(&own));
                    own
                }
            }
        };
        let closed = |_| Error::Internal;
        let first = own.acquire_owned().await.map_err(closed)?;
        Ok((first, self.readers.clone().acquire_owned().await.map_err(closed)?))
    }
}

/// Uploads and checks a file. Redirects to the result.
pub(super) async fn send(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    about: Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let page = routes::import(&handle);
    let address = state.limits.origin(&about.headers, &about.extensions).to_string();
    let missing = || Error::field("file", FieldCode::Missing);
    let file = async { file_of(form.map_err(|_| missing())?).await?.ok_or_else(missing) };
    match take(&state, &caller, &handle, &address, file).await {
        Ok(id) => back::to(&with(&page, &[("id", &id.to_string())])).into_response(),
        Err(error) => refused(&state, &page, &error),
    }
}

/// Uploads a file to a shop and checks it when it is the shop's turn.
pub(super) async fn take(
    state: &State,
    caller: &Caller,
    handle: &str,
    address: &str,
    file: impl Future<Output = Result<(ImportOptions, File)>>,
) -> Result<ImportId> {
    // Checked before fifty megabytes are read, not after.
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let _ticket = state.intake.enter(address, caller, shop)?;
    let came_in = tokio::time::timeout(COMING_IN, file).await;
    let (options, file) = came_in.map_err(|_| Error::Busy { retry_after_s: 5 })??;
    let turn = state.intake.turn(shop).await?;
    check(&state.runtime.engine, caller, handle, options, file, turn).await
}

/// The file of a form, and its options.
async fn file_of(mut form: Multipart) -> Result<Option<(ImportOptions, File)>> {
    let (mut set_stock, mut decimal_mark, mut pace) = (false, None, Pace::default());
    while let Some(mut field) = pace.next(form.next_field()).await?.map_err(broken)? {
        match field.name() {
            Some("set_stock") => set_stock = true,
            Some("decimal_mark") => {
                let mut said = Vec::new();
                while let Some(part) = pace.next(field.chunk()).await?.map_err(broken)? {
                    said.extend(part.iter().take(MARK_BYTES_MAX.saturating_sub(said.len())));
                }
                decimal_mark = DecimalMark::parse(&String::from_utf8_lossy(&said));
            }
            Some("file") => {
                let file_name = field.file_name().unwrap_or_default().to_owned();
                if file_name.is_empty() {
                    return Ok(None);
                }
                let options = ImportOptions { file_name, format: None, decimal_mark, set_stock };
                return Ok(Some((options, keep(field, broken).await?)));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// An upload that is written to an unnamed file as it arrives, without occupying a thread.
pub(super) async fn keep<E>(
    parts: impl Stream<Item = std::result::Result<Bytes, E>>,
    broken: impl Fn(E) -> Error,
) -> Result<File> {
    let full = |error: io::Error| {
        tracing::error!(%error, "failed to store an uploaded file");
        Error::Busy { retry_after_s: 5 }
    };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(full)?);
    let (mut parts, mut pace) = (pin!(parts), Pace::default());
    while let Some(part) = pace.next(parts.next()).await? {
        let part = part.map_err(&broken)?;
        pace.count(&part, FILE_BYTES_MAX)?;
        file.write_all(&part).await.map_err(full)?;
    }
    file.rewind().await.map_err(full)?;
    Ok(file.into_std().await)
}

/// How fast an upload arrives. Only the time spent waiting for it counts.
pub(super) struct Pace {
    /// How long it may stall.
    pub(super) silent: Duration,
    pub(super) waited: Duration,
    pub(super) bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { silent: SILENT, waited: Duration::ZERO, bytes: 0 }
    }
}

impl Pace {
    /// How long the next part may take.
    fn patience(&self) -> Duration {
        let earned = Duration::from_millis(self.bytes as u64 * 1000 / PACE);
        (self.silent + earned).saturating_sub(self.waited).min(self.silent)
    }

    /// The next part of an upload, if it arrives in time.
    pub(super) async fn next<T>(&mut self, part: impl Future<Output = T>) -> Result<T> {
        let begun = Instant::now();
        let part = tokio::time::timeout(self.patience(), part).await;
        self.waited += begun.elapsed();
        part.map_err(|_| Error::Busy { retry_after_s: 5 })
    }

    /// Counts a part that has arrived; fails if there are more than this many bytes by now.
    pub(super) fn count(&mut self, part: &Bytes, most: usize) -> Result<()> {
        self.bytes += part.len();
        if self.bytes > most { Err(Error::TooLarge) } else { Ok(()) }
    }
}

/// A whole upload of at most this many bytes, in memory.
pub(super) async fn whole<E>(
    parts: impl Stream<Item = std::result::Result<Bytes, E>>,
    mut pace: Pace,
    most: usize,
    broken: impl Fn(E) -> Error,
) -> Result<Vec<u8>> {
    let (mut parts, mut whole) = (pin!(parts), Vec::new());
    while let Some(part) = pace.next(parts.next()).await? {
        let part = part.map_err(&broken)?;
        pace.count(&part, most)?;
        whole.extend_from_slice(&part);
    }
    Ok(whole)
}

fn broken(fault: MultipartError) -> Error {
    match fault.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        _ => Error::field("file", FieldCode::NotARecord),
    }
}

/// Reads a file on a thread of its own, until the uploader disconnects.
async fn check(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    options: ImportOptions,
    file: File,
    turn: (OwnedSemaphorePermit, OwnedSemaphorePermit),
) -> Result<ImportId> {
    let gone = CancellationToken::new();
    let _here = gone.clone().drop_guard();
    let (engine, caller, handle) = (engine.clone(), caller.clone(), handle.to_owned());
    let (runtime, (answer, answered)) = (tokio::runtime::Handle::current(), oneshot::channel());
    let read = move || {
        let _turn = turn;
        let gone = async {
            let _ = tokio::time::timeout(READING, gone.cancelled()).await;
        };
        let read = imports::stage_until(&engine, &caller, &handle, options, file, |_| {}, gone);
        // The client may have disconnected.
        let _ = answer.send(runtime.block_on(read));
    };
    std::thread::Builder::new().name("haat-reader".into()).spawn(read).map_err(|error| {
        tracing::error!(%error, "a product file cannot be read");
        Error::Busy { retry_after_s: 5 }
    })?;
    answered.await.unwrap_or_else(|_| {
        tracing::error!("the import file reader stopped unexpectedly");
        Err(Error::Internal)
    })
}

/// Starts or cancels an import that was checked.
pub(super) async fn decide(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, page) = (&state.runtime.engine, with(&routes::import(&handle), &[("id", &id)]));
    let done: Result<()> = async {
        match field(&typed, "action").as_str() {
            // The button states how many products will be skipped.
            "start" => {
                let mark = DecimalMark::parse(&field(&typed, "decimal_mark"));
                imports::start(engine, &caller, &handle, id.parse()?, true, mark).await
            }
            "stop" => imports::stop(engine, &caller, &handle, id.parse()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => back::to(&page).into_response(),
        Err(error) => refused(&state, &page, &error),
    }
}

/// All errors of a file.
pub(super) async fn faults(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
) -> Response {
    let locale = caller.locale.parse::<Locale>().unwrap_or_default();
    let head = [
        t!(locale, imports.line),
        t!(locale, imports.column),
        "code",
        t!(locale, imports.found),
        t!(locale, imports.why),
    ];
    let mut table = Vec::from(BYTE_ORDER_MARK);
    let written: Result<()> = async {
        let (engine, say) = (&state.runtime.engine, |fault: &RowError| words::import_problem(locale, fault));
        imports::faults_as_table(engine, &caller, &handle, id.parse()?, head, say, |part| {
            table.extend(part);
            true
        })
        .await
    }
    .await;
    match written {
        Ok(()) => (as_table("errors.csv"), table).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(n: u8) -> ShopId {
        format!("shop_{n:026}").parse().unwrap()
    }

    #[test]
    fn no_shop_takes_all_the_room() {
        let intake = Arc::new(Intake::new(2, FILES_MAX));
        let enter = |address: &str, n| intake.enter(address, &Caller::guest(), shop(n));
        let full = Err(Error::RateLimited { retry_after_s: 10 });
        let first: Vec<_> = (0..4).map(|_| enter("1.1.1.1", 1).unwrap()).collect();
        assert_eq!(enter("2.2.2.2", 1).map(drop), full);
        drop(first);
        assert!(enter("2.2.2.2", 1).is_ok());
        assert!(intake.files.lock().unwrap().is_empty(), "nothing is left behind");
    }

    #[test]
    fn uploads_may_be_slow_but_neither_stall_nor_drip() {
        let patience = |waited_s: u64, bytes: usize| {
            let pace = Pace { waited: Duration::from_secs(waited_s), bytes, ..Pace::default() };
            pace.patience().as_secs()
        };
        assert_eq!(patience(0, 0), 30);
        assert_eq!(patience(29, 1), 1, "a byte at a time");
        assert_eq!(patience(60, 100_000), 0);
        assert_eq!(patience(300, 12_000_000), 30, "12 MB over a slow line");
    }

    #[tokio::test]
    async fn an_upload_that_stops_is_ended() {
        let brief = || Pace { silent: Duration::from_millis(20), ..Pace::default() };
        let sent = |parts: usize| {
            let parts = futures::stream::iter(0..parts).map(|_| Ok::<_, ()>(Bytes::from_static(b"xxxx")));
            parts.chain(futures::stream::pending())
        };
        assert_eq!(
            whole(sent(2), brief(), 8, |()| Error::Internal).await,
            Err(Error::Busy { retry_after_s: 5 })
        );
        assert_eq!(whole(sent(3), brief(), 8, |()| Error::Internal).await, Err(Error::TooLarge));
        let all = futures::stream::iter([Ok::<_, ()>(Bytes::from_static(b"xxxx"))]);
        assert_eq!(whole(all, brief(), 8, |()| Error::Internal).await, Ok(b"xxxx".to_vec()));
    }

    #[tokio::test]
    async fn shops_take_turns() {
        let intake = Arc::new(Intake::new(1, FILES_MAX));
        let mut first = Box::pin(intake.turn(shop(1)));
        let held = first.as_mut().await.unwrap();
        // Three more from the same shop, followed by one from another shop.
        let mut same: Vec<_> = (0..3).map(|_| Box::pin(intake.turn(shop(1)))).collect();
        let mut other = Box::pin(intake.turn(shop(2)));
        for turn in same.iter_mut().chain([&mut other]) {
            assert!(futures::poll!(turn.as_mut()).is_pending());
        }
        drop(held);
        // The other shop waited before these, so the first one of the same shop comes after it.
        assert!(futures::poll!(same[0].as_mut()).is_pending());
        let held = other.await.unwrap();
        drop(held);
        let third = futures::poll!(same[0].as_mut());
        assert!(third.is_ready());
        assert!(futures::poll!(same[1].as_mut()).is_pending());
    }
}
