//! The pictures of a message that is being written. Browsers upload each as it is chosen; without JavaScript, they are sent with
//! the message.

use haat_shared::{
    Error,
    media::{NewPicture, Picture, Purpose},
};
use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::live::Live;
use crate::{i18n::t, words::I18n};

/// The pictures that were uploaded, and how many are on their way.
#[derive(Clone, Copy)]
pub(super) struct Uploads {
    address: StoredValue<String>,
    /// The IDs of those that came with a rejected form.
    kept: StoredValue<String>,
    pictures: RwSignal<Vec<Picture>>,
    /// How many of the chosen ones are uploaded, and how many there are.
    progress: RwSignal<(usize, usize)>,
}

impl Uploads {
    pub(super) fn new(address: String, kept: String) -> Self {
        Self {
            address: StoredValue::new(address),
            kept: StoredValue::new(kept),
            pictures: RwSignal::new(Vec::new()),
            progress: RwSignal::new((0, 0)),
        }
    }

    pub(super) fn are_busy(self) -> bool {
        self.progress.with_untracked(|(done, all)| done < all)
    }

    /// Those that a message will show.
    pub(super) fn ready(self) -> Vec<NewPicture> {
        let kept = self.kept.get_value();
        let kept = kept.split_whitespace().filter_map(|id| id.parse().ok());
        let kept = kept.map(|media| NewPicture { media, alt: String::new() });
        let uploaded = self.pictures.get_untracked().into_iter();
        kept.chain(uploaded.map(|of| NewPicture { media: of.id, alt: of.alt })).collect()
    }

    pub(super) fn clear(self) {
        self.kept.set_value(String::new());
        self.pictures.set(Vec::new());
    }

    /// Uploads files, one after the other.
    fn add(self, files: Vec<web_sys::File>, live: Live) {
        let most = Purpose::ChatPicture.upload();
        let count = self.ready().len() + files.len();
        if let Err(code) = most.check_count(count) {
            return live.fault.set(Some(Error::field("pictures", code)));
        }
        live.fault.set(None);
        self.progress.set((0, files.len()));
        spawn_local(async move {
            for file in files {
                let sent = upload(&self.address.get_value(), &file).await;
                if self.pictures.is_disposed() {
                    return;
                }
                match sent {
                    Ok(picture) => self.pictures.update(|pictures| pictures.push(picture)),
                    Err(error) => live.fault.set(Some(error)),
                }
                self.progress.update(|(done, _)| *done += 1);
            }
            self.progress.set((0, 0));
        });
    }

    /// The field for pictures, and those that were uploaded, each with its description.
    pub(super) fn shown(self, i18n: I18n, live: Live) -> AnyView {
        let chosen = move |event: ev::Event| {
            let field = event.target().and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
            let Some(field) = field else { return };
            let files = field.files();
            let files = files.iter().flat_map(|files| (0..files.length()).filter_map(|n| files.get(n)));
            self.add(files.collect(), live);
            field.set_value("");
        };
        let rows = move || {
            let rows = self.pictures.get().into_iter().map(|picture| {
                let (id, alt) = (picture.id, picture.alt.clone());
                let named = format!("alt-{id}");
                let describe = move |event: ev::Event| {
                    let alt = event_target_value(&event);
                    self.pictures.update_untracked(|all| {
                        if let Some(of) = all.iter_mut().find(|of| of.id == id) {
                            of.alt = alt;
                        }
                    });
                };
                let remove = move |_| self.pictures.update(|all| all.retain(|of| of.id != id));
                view! {
                    <li>
                        <label for=named.clone()>{t!(i18n, chat.alt)}</label>
                        <input id=named value=alt on:change=describe />
                        <button type="button" class="button quiet" on:click=remove>{t!(i18n, chat.remove)}</button>
                    </li>
                }
            });
            rows.collect_view()
        };
        let progress = move || {
            let (done, all) = self.progress.get();
            (all > 0).then(|| {
                view! { <progress value=done.to_string() max=all.to_string() aria-label=t!(i18n, chat.uploading)></progress> }
            })
        };
        let kept = self.kept.get_value();
        let waiting =
            (!kept.is_empty()).then(|| view! { <p class="note">{t!(i18n, chat.pictures_kept)}</p> });
        view! {
            <div class="composer-pictures">
                <input type="hidden" name="kept" value=kept />
                {waiting}
                <ul class="chat-replies">{rows}</ul>
                {progress}
                <label for="pictures">{t!(i18n, chat.pictures)}</label>
                <input
                    id="pictures"
                    type="file"
                    name="pictures"
                    accept="image/jpeg,image/png,image/webp"
                    multiple
                    on:change=chosen
                />
                <div class="plain-only">
                    <label for="alt">{t!(i18n, chat.alt)}</label>
                    <input id="alt" name="alt" />
                </div>
            </div>
        }
        .into_any()
    }
}

/// Uploads a file to a conversation.
#[cfg(feature = "hydrate")]
async fn upload(address: &str, file: &web_sys::File) -> Result<Picture, Error> {
    use wasm_bindgen_futures::JsFuture;

    // Files that are too large aren't sent at all. File sizes are whole numbers.
    let most = Purpose::ChatPicture.upload();
    most.check_bytes(file.size() as usize).map_err(|code| Error::field("pictures", code))?;
    let broken = |_| Error::Internal;
    let body = web_sys::FormData::new().map_err(broken)?;
    body.append_with_blob_and_filename("pictures", file, &file.name()).map_err(broken)?;
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&body);
    let sent = window().fetch_with_str_and_init(address, &init);
    let answer = JsFuture::from(sent).await.map_err(|_| Error::Offline)?;
    let answer: web_sys::Response = answer.dyn_into().map_err(broken)?;
    let text = JsFuture::from(answer.text().map_err(broken)?).await.map_err(|_| Error::Offline)?;
    let text = text.as_string().unwrap_or_default();
    match answer.ok() {
        true => serde_json::from_slice(text.as_bytes()).map_err(|_| Error::Internal),
        false => Err(serde_json::from_slice(text.as_bytes()).unwrap_or(Error::Internal)),
    }
}

/// Only browsers upload pictures by themselves.
#[cfg(not(feature = "hydrate"))]
async fn upload(_: &str, _: &web_sys::File) -> Result<Picture, Error> {
    Err(Error::Internal)
}
