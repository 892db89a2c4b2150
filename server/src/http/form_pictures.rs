//! Forms with pictures: their fields are read, and each picture is stored as it arrives.

use axum::{
    extract::{Multipart, multipart::MultipartRejection},
    http::request::Parts,
};
use haat_engine::{Caller, Engine, chat, media::Owner, orders};
use haat_shared::{
    Error, FieldCode, Result,
    id::kinds::ConversationId,
    media::{Picture, Purpose},
};

use super::{
    State, Typed,
    forms::{KEPT, field},
    imports::{Pace, whole},
    media::{FORM_BYTES_MAX, broken, enter},
};

/// The maximum number of bytes of a field that is not a picture.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What the pictures of a form belong to.
#[derive(Clone, Copy)]
pub(super) enum PicturesOf<'a> {
    /// A return of this purchase. The fields `key` and `order` come before the pictures.
    Return(&'a str),
    /// A message in a conversation: the shop, or nothing for the shopper.
    Message(&'a str, ConversationId),
}

impl PicturesOf<'_> {
    fn purpose(self) -> Purpose {
        match self {
            Self::Return(_) => Purpose::ReturnPicture,
            Self::Message(..) => Purpose::ChatPicture,
        }
    }

    /// The maximum number of fields.
    fn fields_max(self) -> usize {
        match self {
            Self::Return(_) => 500,
            Self::Message(..) => 30,
        }
    }

    /// Whose they are, if the caller may upload any.
    async fn owner(self, engine: &Engine, caller: &Caller, typed: &Typed) -> Result<Owner> {
        match self {
            Self::Return(purchase) => {
                let (key, order) = (field(typed, "key"), field(typed, "order"));
                orders::picture_owner(engine, caller, (purchase, &key), &order).await
            }
            Self::Message(shop, id) => chat::picture_owner(engine, caller, shop, id).await,
        }
    }

    async fn add(self, engine: &Engine, caller: &Caller, typed: &Typed, bytes: Vec<u8>) -> Result<Picture> {
        match self {
            Self::Return(purchase) => {
                let (key, order) = (field(typed, "key"), field(typed, "order"));
                orders::add_picture(engine, caller, (purchase, &key), &order, bytes).await
            }
            Self::Message(shop, id) => chat::add_picture(engine, caller, shop, id, bytes).await,
        }
    }
}

/// Reads a form into `typed`, where the IDs of its pictures are added to those that an earlier try has kept; returns the last
/// picture. No picture of a stranger is read.
pub(super) async fn read(
    state: &State,
    caller: &Caller,
    of: PicturesOf<'_>,
    about: &Parts,
    form: std::result::Result<Multipart, MultipartRejection>,
    typed: &mut Typed,
) -> Result<Option<Picture>> {
    let engine = &state.runtime.engine;
    match of {
        PicturesOf::Return(purchase) if form.is_err() => {
            orders::may_see(engine, caller, purchase, "").await?
        }
        PicturesOf::Return(_) => {}
        PicturesOf::Message(..) => drop(of.owner(engine, caller, typed).await?),
    }
    let mut form = form.map_err(|_| Error::field("pictures", FieldCode::PictureBroken))?;
    let address = state.limits.origin(&about.headers, &about.extensions).to_string();
    let (mut pace, mut last, mut fault, mut count) = (Pace::default(), None, None, 0);
    for _ in 0..of.fields_max() {
        let Some(part) = pace.next(form.next_field()).await?.map_err(broken)? else { break };
        let name = part.name().unwrap_or_default().to_owned();
        if name != "pictures" {
            let text = whole(part, Pace::default(), TEXT_BYTES_MAX, broken).await?;
            typed.insert(name, String::from_utf8_lossy(&text).into_owned());
            continue;
        }
        let owner = of.owner(engine, caller, typed).await?;
        let _ticket = enter(state, &address, caller, owner)?;
        let bytes = whole(part, Pace::default(), FORM_BYTES_MAX, broken).await?;
        // Browsers send an empty file if none is chosen.
        if bytes.is_empty() || fault.is_some() {
            continue;
        }
        count += 1;
        if let Err(code) = of.purpose().upload().check_count(count) {
            fault = Some(code);
            continue;
        }
        match of.add(engine, caller, typed, bytes).await {
            Ok(picture) => {
                let kept = typed.entry(KEPT.into()).or_default();
                kept.push_str(&format!(" {}", picture.id));
                last = Some(picture);
            }
            // The other fields are read all the same, so that nothing that was typed is lost.
            Err(Error::Invalid(faults)) => fault = faults.into_iter().next().map(|fault| fault.code),
            Err(error) => return Err(error),
        }
    }
    match fault {
        Some(code) => Err(Error::field("pictures", code)),
        None => Ok(last),
    }
}
