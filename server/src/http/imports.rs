//! Files of products: the way in, the decision about one, and the way out.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, Write},
    time::Duration,
};

use axum::{
    Extension, Form,
    body::Body,
    extract::{
        Multipart, Path, State as Extract,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use haat_app::{i18n::Locale, t, words};
use haat_engine::{Caller, Engine, catalog::imports, random};
use haat_shared::{
    Error, FieldCode, Result,
    catalog::imports::{ExportFormat, FILE_BYTES_MAX, ImportOptions},
    id::kinds::ImportId,
    number::DecimalMark,
    permissions::Permission,
};

use super::{
    State, back,
    forms::{Typed, field, refused, with},
};

/// Most bytes of a form with a file: the file, and what a browser writes around it.
pub(super) const FORM_BYTES_MAX: usize = FILE_BYTES_MAX + 64 * 1024;

/// So much of the name of a decimal mark is read, which is more than any has.
const MARK_BYTES_MAX: usize = 16;

/// How long one may take: the largest file over a slow line, and checking it.
pub(super) const FORM_TIME: Duration = Duration::from_secs(900);

/// Takes a file in and checks it. Leads to what it comes to.
pub(super) async fn send(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let page = format!("/seller/{handle}/products/import");
    match take(&state.booted.engine, &caller, &handle, form).await {
        Ok(id) => back::to(&with(&page, "id", &id.to_string())).into_response(),
        Err(error) => refused(&page, &error),
    }
}

async fn take(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Result<ImportId> {
    // Before fifty megabytes are read, not after.
    caller.shop(handle, Permission::ManageCatalog)?;
    let missing = || Error::field("file", FieldCode::Missing);
    let mut form = form.map_err(|_| missing())?;
    let (mut set_stock, mut decimal_mark) = (false, None);
    while let Some(mut field) = form.next_field().await.map_err(|fault| broken(&fault))? {
        match field.name() {
            Some("set_stock") => set_stock = true,
            Some("decimal_mark") => {
                let mut said = Vec::new();
                while let Some(part) = field.chunk().await.map_err(|fault| broken(&fault))? {
                    said.extend(part.iter().take(MARK_BYTES_MAX.saturating_sub(said.len())));
                }
                decimal_mark = DecimalMark::parse(&String::from_utf8_lossy(&said));
            }
            Some("file") => {
                let file_name = field.file_name().unwrap_or_default().to_owned();
                if file_name.is_empty() {
                    return Err(missing());
                }
                let options = ImportOptions { file_name, format: None, decimal_mark, set_stock };
                return check(engine, caller, handle, options, keep(field).await?).await;
            }
            _ => {}
        }
    }
    Err(missing())
}

fn broken(fault: &MultipartError) -> Error {
    match fault.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        _ => Error::field("file", FieldCode::NotARecord),
    }
}

/// Writes what is sent to a file that nobody else sees.
async fn keep(mut field: Field<'_>) -> Result<File> {
    let full = |error: io::Error| {
        tracing::error!(%error, "a file that was sent cannot be kept");
        Error::Busy { retry_after_s: 5 }
    };
    let mut file = scratch().map_err(full)?;
    while let Some(part) = field.chunk().await.map_err(|fault| broken(&fault))? {
        file.write_all(&part).map_err(full)?;
    }
    file.rewind().map_err(full)?;
    Ok(file)
}

/// A file without a name: it is gone when it is closed.
fn scratch() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("haat-{}", random::token()));
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// Reads a file on a thread of its own: whoever sent it may go, it is read to its end.
async fn check(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    options: ImportOptions,
    file: File,
) -> Result<ImportId> {
    let (engine, caller, handle) = (engine.clone(), caller.clone(), handle.to_owned());
    let runtime = tokio::runtime::Handle::current();
    let read = tokio::task::spawn_blocking(move || {
        runtime.block_on(imports::stage(&engine, &caller, &handle, options, file, |_| {}))
    });
    read.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "reading a file of products broke off");
        Err(Error::Internal)
    })
}

/// What is to become of a file that was checked.
pub(super) async fn decide(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, page) = (&state.booted.engine, format!("/seller/{handle}/products/import?id={id}"));
    let done: Result<()> = async {
        match field(&typed, "action").as_str() {
            // The button says how many are left out.
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
        Err(error) => refused(&page, &error),
    }
}

/// All that does not hold of a file.
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
        let (engine, say) = (&state.booted.engine, |code| words::field(locale, code));
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

/// By this a spreadsheet knows that a table is UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

fn as_table(name: &str) -> [(header::HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".into()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".into()),
    ]
}

/// All products of a shop, as a table.
pub(super) async fn export(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
) -> Response {
    let name = format!("{handle}-products.csv");
    match parts(&state.booted.engine, caller, handle, ExportFormat::Csv, &BYTE_ORDER_MARK).await {
        Ok(table) => (as_table(&name), table).into_response(),
        Err(error) => super::layers::plain(&error),
    }
}

/// All products of a shop behind what it is to begin with. They go out while they are read.
pub(super) async fn parts(
    engine: &Engine,
    caller: Caller,
    handle: String,
    format: ExportFormat,
    begin: &[u8],
) -> Result<Body> {
    let engine = engine.clone();
    let mut first = imports::export(&engine, &caller, &handle, format, None).await?;
    first.text.splice(..0, begin.iter().copied());
    let parts = stream::try_unfold(Some(first), move |part| {
        let (engine, caller, handle) = (engine.clone(), caller.clone(), handle.clone());
        async move {
            let Some(part) = part else { return Ok::<_, Error>(None) };
            let next = match part.next {
                Some(_) => Some(imports::export(&engine, &caller, &handle, format, part.next).await?),
                None => None,
            };
            Ok(Some((Bytes::from(part.text), next)))
        }
    });
    Ok(Body::from_stream(parts))
}
