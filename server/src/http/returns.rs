//! The form with which customers ask for a return, with pictures.

use axum::{
    Extension,
    extract::{Multipart, Path, State as Extract, multipart::MultipartRejection},
    http::request::Parts,
    response::Response,
};
use haat_engine::{Caller, orders};
use haat_shared::{
    Error, FieldCode, Result,
    media::BYTES_MAX,
    routes::{self, with},
};

use super::{
    State, Typed,
    forms::{KEPT, back_with_draft, field, refused, request_return},
    imports::{Pace, whole},
    media::{FORM_BYTES_MAX, broken, enter},
    outcome::redirect,
};

/// The maximum size of a request with pictures.
pub(super) const RETURN_BYTES_MAX: usize = 5 * BYTES_MAX + 256 * 1024;
/// The maximum number of bytes of a field of this form that is not a picture, and of fields.
const TEXT_BYTES_MAX: usize = 16 * 1024;
const FIELDS_MAX: usize = 500;
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
        let form = match form {
            Ok(form) => form,
            Err(_) => {
                orders::may_see(&state.runtime.engine, &caller, &purchase, "").await?;
                return Err(Error::field("pictures", FieldCode::PictureBroken));
            }
        };
        read_return(&state, &caller, &purchase, &about, form, &mut typed).await?;
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

/// Reads the fields of a request, and stores each picture as it arrives. The key and the order come first, so that no picture
/// of a stranger is read.
async fn read_return(
    state: &State,
    caller: &Caller,
    purchase: &str,
    about: &Parts,
    mut form: Multipart,
    typed: &mut Typed,
) -> Result<()> {
    let (engine, mut fault) = (&state.runtime.engine, None);
    let address = state.limits.origin(&about.headers, &about.extensions).to_string();
    let mut pace = Pace::default();
    for _ in 0..FIELDS_MAX {
        let Some(part) = pace.next(form.next_field()).await?.map_err(broken)? else { break };
        let name = part.name().unwrap_or_default().to_owned();
        if name != "pictures" {
            let text = whole(part, Pace::default(), TEXT_BYTES_MAX, broken).await?;
            typed.insert(name, String::from_utf8_lossy(&text).into_owned());
            continue;
        }
        let (key, order) = (field(typed, "key"), field(typed, "order"));
        let owner = orders::picture_owner(engine, caller, (purchase, &key), &order).await?;
        let _ticket = enter(state, &address, caller, owner)?;
        let bytes = whole(part, Pace::default(), FORM_BYTES_MAX, broken).await?;
        // Browsers send an empty file if none is chosen.
        if bytes.is_empty() || fault.is_some() {
            continue;
        }
        match orders::add_picture(engine, caller, (purchase, &key), &order, bytes).await {
            Ok(picture) => {
                let kept = typed.entry(KEPT.into()).or_default();
                kept.push_str(&format!(" {}", picture.id));
            }
            // The other fields are read all the same, so that nothing that was typed is lost.
            Err(Error::Invalid(faults)) => fault = faults.into_iter().next(),
            Err(error) => return Err(error),
        }
    }
    match fault {
        Some(fault) => Err(Error::field("pictures", fault.code)),
        None => Ok(()),
    }
}
