//! Product imports. A file is checked first; nothing of it is in the shop until the import is started.

use haat_app::{i18n::Locale, words};
use haat_engine::catalog::imports;
use haat_shared::{
    Error, FieldCode, Result,
    catalog::imports::{ImportOptions, ImportState, ImportsView, NumberQuestion, PriceSample, RowError},
    id::kinds::ImportId,
    number::DecimalMark,
    routes::*,
    text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, Once, Paging, ProductFile, Query, page},
    problem,
    reply::{Found, Listed, Made},
};
use crate::http::imports::{keep, take};

pub(super) fn routes(api: Api) -> Api {
    api.on(
        API_SEND_IMPORT,
        "Uploads a file of products and checks it. Nothing is imported until the import is started.",
        send,
    )
    .on(API_IMPORT, "Retrieves an import: the result of the check, and the progress.", import)
    .on(API_IMPORT_ERRORS, "Lists all errors of an import, by line.", errors)
    .on(
        API_START_IMPORT,
        "Starts an import whose file was checked. It continues in the background, and starts only once.",
        start,
    )
    .on(API_CANCEL_IMPORT, "Cancels an import. Products that were already imported stay.", cancel)
}

/// Most characters of the name of a file.
const FILE_NAME_MAX: usize = 200;

/// How to read a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FileOptions {
    /// The name of the file, as listed in the dashboard. `products` by default.
    #[schema(format = "line", max_length = 200)]
    file_name: Option<String>,
    /// The decimal separator of all numbers in the file: `point` as in 1,249.50 or `comma` as in 1.249,50. If
    /// left out, the first number that can be read two ways is returned as `question`.
    #[schema(inline)]
    decimal_mark: Option<DecimalMark>,
    /// Whether to set the stock of existing products, too, and not only of new ones.
    set_stock: Option<bool>,
}

/// An import of products from a file.
#[derive(Serialize, ToSchema)]
struct Import {
    /// The import's ID.
    id: ImportId,
    /// The name of the file.
    file_name: String,
    /// The status: `reading` while the file is checked, `checked` until you start the import, `applying` until it is
    /// `done`; `failed` if nothing in the file can be imported; `stopped` if it was cancelled or interrupted.
    status: ImportState,
    /// Whether the stock of existing products is set.
    set_stock: bool,
    /// The decimal separator of the file's numbers, if you chose one.
    decimal_mark: Option<DecimalMark>,
    /// The number of valid products in the file.
    valid: i64,
    /// How many of the valid products are new to the shop.
    new: i64,
    /// How many of the valid products differ from those in the shop.
    changed: i64,
    /// The number of products with errors. They are not imported.
    invalid: i64,
    /// The number of lines that couldn't be read. They are not imported.
    lines_not_read: i64,
    /// The number of errors, including warnings.
    error_count: i64,
    /// How many of the errors are only warnings: they must be accepted with `skip_errors`, too, but their products are
    /// imported.
    warning_count: i64,
    /// The first 20 errors.
    errors: Vec<ImportError>,
    /// The first number that can be read two ways. To start the import, send the right `decimal_mark`.
    question: Option<NumberQuestion>,
    /// The first prices, as customers will see them.
    prices: Vec<PriceSample>,
    /// The number of products added so far.
    added: i64,
    /// The number of products updated so far.
    updated: i64,
    /// The number of products so far that were already up to date.
    unchanged: i64,
    /// The number of products so far that were valid when the file was checked, but not any more.
    rejected: i64,
    /// When the file was uploaded (RFC 3339, UTC).
    created_at: String,
}

/// An error in a file.
#[derive(Serialize, ToSchema)]
struct ImportError {
    /// The line, counted from 1.
    line: i64,
    /// The column. Empty if the error concerns the whole line.
    column: String,
    /// A stable, machine-readable error code.
    code: String,
    /// The value, or the beginning of it.
    value: String,
    /// A human-readable explanation in the language of the request.
    message: String,
}

fn error(context: &RequestContext, fault: RowError) -> ImportError {
    let locale = context.caller.locale.parse::<Locale>().unwrap_or_default();
    let RowError { line, column, code, found } = fault;
    let message = words::fault(locale, &column, code);
    let code = problem::code(code).as_str().unwrap_or_default().to_owned();
    ImportError { line, column, code, value: found, message }
}

async fn found(context: &RequestContext, handle: &str, id: ImportId) -> Result<Import> {
    let ImportsView { open, faults, warnings, last: _ } =
        imports::overview(context.engine(), &context.caller, handle, &id.to_string()).await?;
    let view = open.ok_or(Error::NotFound)?;
    Ok(Import {
        id: view.id,
        file_name: view.file_name,
        status: view.state,
        set_stock: view.set_stock,
        decimal_mark: view.decimal_mark,
        valid: view.valid,
        new: view.new,
        changed: view.changed,
        invalid: view.invalid,
        lines_not_read: view.unread,
        error_count: view.faults,
        warning_count: warnings,
        errors: faults.into_iter().map(|fault| error(context, fault)).collect(),
        question: view.question,
        prices: view.prices,
        added: view.added,
        updated: view.updated,
        unchanged: view.unchanged,
        rejected: view.refused,
        created_at: view.created_at,
    })
}

async fn send(
    context: RequestContext,
    (At(handle), Query(of), ProductFile(body)): (At<String>, Query<FileOptions>, ProductFile),
) -> Result<Made<Import>> {
    let file_name = text::line("file_name", of.file_name.as_deref().unwrap_or("products"), FILE_NAME_MAX)
        .map_err(|fault| Error::Invalid(vec![fault]))?;
    let (decimal_mark, set_stock) = (of.decimal_mark, of.set_stock.unwrap_or_default());
    let options = ImportOptions { file_name, format: None, decimal_mark, set_stock };
    let broken = |_| Error::field("file", FieldCode::NotARecord);
    let file = async { Ok((options, keep(body.into_data_stream(), broken).await?)) };
    let id = take(&context.state, &context.caller, &handle, &context.origin.to_string(), file).await?;
    found(&context, &handle, id).await.map(Made)
}

type Of = At<(String, ImportId)>;

async fn import(context: RequestContext, At((handle, id)): Of) -> Result<Found<Import>> {
    found(&context, &handle, id).await.map(Found)
}

async fn errors(
    context: RequestContext,
    (At((handle, id)), Query(of)): (Of, Query<Paging>),
) -> Result<Listed<ImportError>> {
    let faults =
        imports::faults(context.engine(), &context.caller, &handle, id, page(&of.after, of.limit)).await?;
    Ok(Listed(faults.map(|fault| error(&context, fault))))
}

/// How to import a file that was checked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportStart {
    /// Whether to import the valid products of a file with errors.
    #[serde(default)]
    skip_errors: bool,
    /// The answer to `question`, for the whole file.
    decimal_mark: Option<DecimalMark>,
}

async fn start(
    context: RequestContext,
    (At((handle, id)), Body(of), _): (Of, Body<ImportStart>, Once),
) -> Result<Found<Import>> {
    imports::start(context.engine(), &context.caller, &handle, id, of.skip_errors, of.decimal_mark).await?;
    found(&context, &handle, id).await.map(Found)
}

async fn cancel(context: RequestContext, At((handle, id)): Of) -> Result<Found<Import>> {
    imports::stop(context.engine(), &context.caller, &handle, id).await?;
    found(&context, &handle, id).await.map(Found)
}
