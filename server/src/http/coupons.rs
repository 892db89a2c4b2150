//! Coupons as files, on the pages of promotions.

use axum::{
    Extension,
    extract::{Multipart, Path, State as Extract, multipart::MultipartRejection},
    response::{IntoResponse, Response},
};
use haat_engine::{Caller, promotions};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    permissions::{AdminPermission, Permission},
    promotions::{CouponsImported, FILE_BYTES_MAX},
    routes::{self, MARKET_PROMOTIONS},
};

use super::{
    State, Typed,
    exports::{BYTE_ORDER_MARK, as_table},
    forms::{back_with_draft, refused},
    imports::{Pace, whole},
    layers,
    outcome::redirect,
};

/// The maximum size of a form with a file, including what a browser adds.
pub(super) const FORM_BYTES_MAX: usize = FILE_BYTES_MAX + 64 * 1024;

/// The coupons of a shop, as a table.
pub(super) async fn export(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
) -> Response {
    let table = promotions::export(&state.runtime.engine, &caller, &handle).await;
    sent(&format!("{handle}-coupons.csv"), table)
}

/// The coupons of the market, as a table.
pub(super) async fn export_of_market(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
) -> Response {
    sent("coupons.csv", promotions::export_of_market(&state.runtime.engine, &caller).await)
}

fn sent(name: &str, table: Result<Vec<u8>>) -> Response {
    match table {
        Ok(table) => (as_table(name), [&BYTE_ORDER_MARK[..], &table].concat()).into_response(),
        Err(error) => layers::plain(&error),
    }
}

type Sent = std::result::Result<Multipart, MultipartRejection>;

/// A file of coupons of a shop.
pub(super) async fn import(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    form: Sent,
) -> Response {
    let done = async {
        // Before anything is said about the file.
        caller.shop(&handle, Permission::ManageCatalog)?;
        promotions::import(&state.runtime.engine, &caller, &handle, &file(form).await?).await
    };
    let done = done.await;
    imported(&state, &routes::shop_promotions(&handle), done).await
}

/// A file of coupons of the market.
pub(super) async fn import_of_market(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    form: Sent,
) -> Response {
    let done = async {
        caller.admin(AdminPermission::ManagePromotions)?;
        promotions::import_of_market(&state.runtime.engine, &caller, &file(form).await?).await
    };
    let done = done.await;
    imported(&state, MARKET_PROMOTIONS, done).await
}

/// The file of a form.
async fn file(form: Sent) -> Result<Vec<u8>> {
    let wrong = |code| Error::field("coupons", code);
    let (mut form, mut pace) = (form.map_err(|_| wrong(FieldCode::Missing))?, Pace::default());
    while let Some(field) = pace.next(form.next_field()).await?.map_err(|_| wrong(FieldCode::TooMany))? {
        if field.name() == Some("coupons") && field.file_name().is_some_and(|name| !name.is_empty()) {
            let file = whole(field, pace, FILE_BYTES_MAX, |_| Error::TooLarge).await;
            return file.map_err(|error| match error {
                Error::TooLarge => wrong(FieldCode::TooMany),
                error => error,
            });
        }
    }
    Err(wrong(FieldCode::Missing))
}

async fn imported(state: &State, page: &str, done: Result<CouponsImported>) -> Response {
    match done {
        Ok(CouponsImported { created, updated, unchanged }) => {
            let counts = format!("{created} {updated} {unchanged}");
            redirect(state, page, &[("done", "import"), ("n", &counts)])
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(Conflict::Edited(_)))) => {
            back_with_draft(state, "promotion", page, Typed::new(), &error).await
        }
        Err(error) => refused(state, page, &error),
    }
}
