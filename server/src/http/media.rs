//! Picture files, and picture uploads.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{
        Multipart, Path, Query, State as Extract,
        multipart::{MultipartError, MultipartRejection},
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use haat_engine::{
    Caller, chat,
    media::{self, Owner},
    orders,
};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::{ConversationId, MediaId, ReportId},
    media::{BYTES_MAX, File, Picture, Purpose, Uploader, is_private},
    permissions::Permission,
};
use serde::Deserialize;

use super::{
    State, Typed,
    forms::field,
    imports::{Pace, Ticket, whole},
};

/// The maximum size of a form with a picture, including what a browser adds.
pub(super) const FORM_BYTES_MAX: usize = BYTES_MAX + 64 * 1024;

/// The maximum number of pictures that are uploaded or processed at once: in total, and per address,
/// account and shop. Each is in memory until it is stored.
pub(super) const FILES_MAX: [usize; 4] = [16, 8, 4, 4];

/// The time limit of an upload: the largest picture over a slow connection.
pub(super) const FORM_TIME: Duration = Duration::from_secs(300);

/// The contents under a name never change.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A picture file.
pub(super) async fn file(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match File::parse(&name).filter(|file| !is_private(file.id)) {
        Some(file) => send(&state, file, &headers, FOREVER).await,
        None => super::layers::plain(&Error::NotFound),
    }
}

async fn send(state: &State, file: File, headers: &HeaderMap, keep: &'static str) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    match state.runtime.pictures.read(file, known.clone()).await {
        Ok(Some(found)) => {
            let about = [
                (header::CONTENT_TYPE, file.format.mime()),
                (header::CACHE_CONTROL, keep),
                (header::ETAG, found.tag.as_str()),
            ];
            (about, found.bytes).into_response()
        }
        Ok(None) => {
            let tag = known.unwrap_or_default();
            (StatusCode::NOT_MODIFIED, [(header::CACHE_CONTROL, keep), (header::ETAG, &tag)]).into_response()
        }
        Err(error) => super::layers::plain(&error),
    }
}

/// A picture of a return, for those who may see its purchase.
pub(super) async fn of_purchase(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((number, name)): Path<(String, String)>,
    Query(typed): Query<Typed>,
    headers: HeaderMap,
) -> Response {
    let (engine, key) = (&state.runtime.engine, field(&typed, "key"));
    private(&state, &name, &headers, |id| async move {
        orders::may_see_picture(engine, &caller, (&number, &key), id).await
    })
    .await
}

/// A picture of a return, for members of the order's shop.
pub(super) async fn of_shop(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, number, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let engine = &state.runtime.engine;
    private(&state, &name, &headers, |id| async move {
        orders::shop_may_see_picture(engine, &caller, &handle, &number, id).await
    })
    .await
}

/// A picture of a conversation, for its shopper.
pub(super) async fn of_conversation(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((of, name)): Path<(ConversationId, String)>,
    headers: HeaderMap,
) -> Response {
    let engine = &state.runtime.engine;
    let may = |id| async move { chat::may_see_picture(engine, &caller, "", of, id).await };
    private(&state, &name, &headers, may).await
}

/// A picture of a conversation, for the members of its shop who answer customers.
pub(super) async fn of_shop_conversation(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((handle, of, name)): Path<(String, ConversationId, String)>,
    headers: HeaderMap,
) -> Response {
    let engine = &state.runtime.engine;
    private(&state, &name, &headers, |id| async move {
        // An empty handle would be the shopper's seat.
        caller.shop(&handle, Permission::AnswerCustomers)?;
        chat::may_see_picture(engine, &caller, &handle, of, id).await
    })
    .await
}

/// A picture of a return, for operators.
pub(super) async fn any(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((number, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let engine = &state.runtime.engine;
    private(&state, &name, &headers, |id| async move {
        orders::operator_may_see_picture(engine, &caller, &number, id).await
    })
    .await
}

/// A picture of a reported message, for operators.
pub(super) async fn reported(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path((of, name)): Path<(ReportId, String)>,
    headers: HeaderMap,
) -> Response {
    let engine = &state.runtime.engine;
    let may = |id| async move { chat::may_see_reported(engine, &caller, of, id).await };
    private(&state, &name, &headers, may).await
}

/// A private picture, if it may be seen. Shared caches don't keep it.
async fn private<F: Future<Output = Result<()>>>(
    state: &State,
    name: &str,
    headers: &HeaderMap,
    may: impl FnOnce(MediaId) -> F,
) -> Response {
    let Some(file) = File::parse(name) else { return super::layers::plain(&Error::NotFound) };
    match may(file.id).await {
        Ok(()) => send(state, file, headers, "private, max-age=3600").await,
        Err(error) => super::layers::plain(&error),
    }
}

/// Admits one more picture, unless there are too many.
pub(super) fn enter(state: &State, address: &str, caller: &Caller, owner: Owner) -> Result<Ticket> {
    state.pictures_in.enter(address, caller, owner).map_err(|_| media::BUSY)
}

/// What a picture of a shop is for: a product, unless the form says otherwise.
#[derive(Deserialize)]
pub(super) struct For {
    #[serde(default)]
    purpose: String,
}

impl For {
    fn purpose(&self) -> Result<Purpose> {
        let purpose = match self.purpose.as_str() {
            "" => Some(Purpose::ProductPicture),
            name => Purpose::parse(name),
        };
        let of_shop = |purpose: &Purpose| matches!(purpose.upload().may, Uploader::Member(_));
        purpose.filter(of_shop).ok_or(Error::field("purpose", FieldCode::NotAChoice))
    }
}

/// Adds the file `picture` of a form to a shop. Responds with the picture as JSON, or with an error.
pub(super) async fn add(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(handle): Path<String>,
    Query(of): Query<For>,
    about: Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let engine = &state.runtime.engine;
    let added: Result<Picture> = async {
        let purpose = of.purpose()?;
        // Checked before twelve megabytes are read, not after.
        let owner = media::owner(engine, &caller, purpose, Some(&handle)).await?;
        let address = state.limits.origin(&about.headers, &about.extensions).to_string();
        let _ticket = enter(&state, &address, &caller, owner)?;
        let form = form.map_err(|_| Error::field("picture", FieldCode::Missing))?;
        let most = purpose.upload().bytes_max;
        let bytes = sent(form, Pace::default()).await.map_err(|error| match error {
            Error::TooLarge => Error::field("picture", FieldCode::PictureTooHeavy(most)),
            error => error,
        })?;
        media::add(engine, &caller, purpose, Some(&handle), bytes).await
    }
    .await;
    match added {
        Ok(picture) => (StatusCode::CREATED, Json(picture)).into_response(),
        Err(error) => refusal(&error),
    }
}

/// The bytes of the field `picture`; none if there is no such field.
async fn sent(mut form: Multipart, mut pace: Pace) -> Result<Vec<u8>> {
    while let Some(field) = pace.next(form.next_field()).await?.map_err(broken)? {
        if field.name() == Some("picture") {
            return whole(field, pace, FORM_BYTES_MAX, broken).await;
        }
    }
    Ok(Vec::new())
}

pub(super) fn broken(fault: MultipartError) -> Error {
    match fault.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        _ => Error::field("picture", FieldCode::PictureBroken),
    }
}

/// An error as JSON, with its status.
pub(super) fn refusal(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(error)).into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(super::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, Bytes},
        extract::{FromRequest, Request},
    };
    use futures::StreamExt;

    use super::*;

    /// 16 such uploads would stop all others.
    #[tokio::test]
    async fn an_upload_that_stalls_ends() {
        for head in
            ["", "--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a\"\r\n\r\nGIF"]
        {
            let begins = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(head))]);
            let body = Body::from_stream(begins.chain(futures::stream::pending()));
            let request =
                Request::post("/").header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
            let form = Multipart::from_request(request.body(body).unwrap(), &()).await.unwrap();
            let brief = Pace { silent: Duration::from_millis(20), ..Pace::default() };
            assert_eq!(sent(form, brief).await, Err(Error::Busy { retry_after_s: 5 }), "{head}");
        }
    }
}
