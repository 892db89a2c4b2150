//! The form with which customers ask for a return, with pictures.

use axum::{
    Extension,
    extract::{Multipart, Path, State as Extract, multipart::MultipartRejection},
    http::request::Parts,
    response::Response,
};
use haat_engine::Caller;
use haat_shared::{
    Error,
    media::BYTES_MAX,
    routes::{self, with},
};

use super::{
    State, Typed,
    form_pictures::{self, PicturesOf},
    forms::{back_with_draft, field, refused, request_return},
    outcome::redirect,
};

/// The maximum size of a request with pictures.
pub(super) const RETURN_BYTES_MAX: usize = 5 * BYTES_MAX + 256 * 1024;

/// The customer asks for a return, with pictures. What was uploaded with a rejected form is kept for the next one.
pub(super) async fn ask_return(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(purchase): Path<String>,
    about: Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    let mut typed = Typed::new();
    let asked = async {
        form_pictures::read(&state, &caller, PicturesOf::Return(&purchase), &about, form, &mut typed).await?;
        let key = field(&typed, "key");
        let of = (purchase.as_str(), key.as_str());
        request_return(&state.runtime.engine, &caller, of, &field(&typed, "order"), &typed).await
    };
    let asked = asked.await;
    let key = typed.remove("key").unwrap_or_default();
    let page = with(&routes::purchase(&purchase), &[("key", &key)]);
    match asked {
        Ok(()) => redirect(&state, &page, &[("done", "return")]),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "cancel_by_customer", &page, typed, &error).await
        }
        Err(error) => refused(&state, &page, &error),
    }
}
