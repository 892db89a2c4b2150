//! The pictures: dropped, pasted or chosen, uploaded one after the other, and put in order.

use std::collections::HashMap;

use haat_shared::{
    Error, FieldCode,
    catalog::edit::NAME_MAX,
    id::kinds::MediaId,
    media::{PER_PRODUCT_MAX, Picture, Purpose},
    text,
};
use leptos::{
    ev::{self, DragEvent, Event},
    prelude::*,
    web_sys,
};

use super::{
    RemoveButton, UndoNote,
    rows::{Removed, Rows, focus},
};
use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::{self, Field, Icon},
    words,
};

/// A file on its way. It leaves the list when its picture is shown.
#[derive(Debug, Clone, PartialEq)]
struct Upload {
    number: u32,
    name: String,
    state: UploadState,
}

#[derive(Debug, Clone, PartialEq)]
enum UploadState {
    Waiting,
    Sending,
    Failed(Error),
}

type Files = StoredValue<HashMap<u32, web_sys::File>, LocalStorage>;

/// The files on their way.
#[derive(Clone, Copy)]
struct Queue {
    rows: Rows,
    uploads: RwSignal<Vec<Upload>>,
    /// `None` on the server, where values of the browser can't be dropped.
    files: StoredValue<Option<Files>>,
    last: StoredValue<u32>,
    /// The names of animated pictures, of which only the first frame is kept.
    animated: RwSignal<Vec<String>>,
}

impl Queue {
    fn state(self, number: u32, state: UploadState) {
        self.uploads.update(|all| {
            if let Some(upload) = all.iter_mut().find(|upload| upload.number == number) {
                upload.state = state;
            }
        });
    }

    fn add(self, handle: &str, files: &web_sys::FileList) {
        // What was refused before has been read.
        let Some(kept) = self.files.get_value() else { return };
        self.uploads.update(|all| all.retain(|upload| !matches!(upload.state, UploadState::Failed(_))));
        self.animated.set(Vec::new());
        for file in (0..files.length()).filter_map(|i| files.get(i)) {
            self.last.update_value(|last| *last += 1);
            let number = self.last.get_value();
            let name = text::clip(&file.name(), NAME_MAX);
            kept.update_value(|all| {
                all.insert(number, file);
            });
            self.uploads.update(|all| all.push(Upload { number, name, state: UploadState::Waiting }));
        }
        self.run(handle);
    }

    /// Uploads one file after the other: the server limits how many a shop sends at once.
    fn run(self, handle: &str) {
        let waiting = |all: &[Upload]| all.iter().filter(|u| u.state == UploadState::Waiting).count();
        let idle = self.rows.uploading.get_untracked() == 0;
        self.rows.uploading.set(self.uploads.with_untracked(|all| waiting(all)) + usize::from(!idle));
        if !idle {
            return;
        }
        self.rows.upload_failed.set(false);
        let handle = handle.to_owned();
        leptos::task::spawn_local(async move {
            let next = move || {
                self.uploads
                    .with_untracked(|all| all.iter().find(|u| u.state == UploadState::Waiting).cloned())
            };
            while let Some(Upload { number, name, .. }) = next() {
                let Some(kept) = self.files.get_value() else { break };
                let Some(file) = kept.with_value(|files| files.get(&number).cloned()) else { break };
                self.state(number, UploadState::Sending);
                let full = self.rows.pictures.with_untracked(|all| all.len() >= PER_PRODUCT_MAX);
                let taken = match full {
                    true => Err(Error::field("picture", FieldCode::TooMany)),
                    false => crate::seller::upload(Purpose::ProductPicture, &handle, file).await,
                };
                // The page was left.
                if self.uploads.is_disposed() {
                    return;
                }
                match taken {
                    Ok(picture) => self.take(number, name, picture),
                    Err(error) => {
                        self.state(number, UploadState::Failed(error));
                        self.rows.upload_failed.set(true);
                    }
                }
                self.rows.uploading.set(self.uploads.with_untracked(|all| waiting(all)));
            }
            self.rows.uploading.set(0);
        });
    }

    fn take(self, number: u32, name: String, mut picture: Picture) {
        self.uploads.update(|all| all.retain(|upload| upload.number != number));
        if let Some(kept) = self.files.get_value() {
            kept.update_value(|files| {
                files.remove(&number);
            });
        }
        if std::mem::take(&mut picture.animated) {
            self.animated.update(|all| all.push(name));
        }
        self.rows.pictures.update(|all| {
            if !all.iter().any(|other| other.id == picture.id) {
                all.push(picture);
            }
        });
        self.rows.dirty.set(true);
    }
}

#[component]
pub(super) fn Pictures(handle: String, rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let queue = Queue {
        rows,
        uploads: RwSignal::default(),
        files: StoredValue::new(None),
        last: StoredValue::new(0),
        animated: RwSignal::default(),
    };
    let handle = StoredValue::new(handle);
    let add = move |files: Option<web_sys::FileList>| {
        if let Some(files) = files.filter(|files| files.length() > 0) {
            handle.with_value(|handle| queue.add(handle, &files));
        }
    };
    let chosen = move |event: Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        add(input.files());
        input.set_value("");
    };
    // The picture that is being dragged, and whether files are.
    let (dragged, over) = (RwSignal::new(None::<MediaId>), RwSignal::new(false));
    let dragging = move |event: DragEvent| {
        event.prevent_default();
        over.set(dragged.with_untracked(Option::is_none));
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        // Browsers offer a picture that is dragged within the page as a file, too.
        if dragged.get_untracked().is_none() {
            add(event.data_transfer().and_then(|data| data.files()));
        }
    };
    Effect::new(move || queue.files.set_value(Some(StoredValue::new_local(HashMap::new()))));
    Effect::new(move || {
        let pasted = window_event_listener(ev::paste, move |event| {
            let Some(data) = event.clipboard_data() else { return };
            // Office programs put a picture beside copied text.
            if data.get_data("text/plain").unwrap_or_default().is_empty() {
                add(data.files());
            }
        });
        on_cleanup(move || pasted.remove());
    });
    let moved = RwSignal::new(String::new());
    let row = move |shown: Picture| view! { <PictureRow shown rows dragged moved faults /> };
    let failed = move || {
        let failed = queue.uploads.get().into_iter().filter_map(|upload| match upload.state {
            UploadState::Failed(error) => Some((upload.number, upload.name, error)),
            _ => None,
        });
        failed
            .map(|(number, name, error)| {
                let again = matches!(error, Error::Offline | Error::Busy { .. } | Error::RateLimited { .. } | Error::Internal);
                let words = match error.at("picture") {
                    Some(code) => words::field(i18n, code),
                    None => words::error(i18n, &error),
                };
                let retry = move |_| {
                    queue.state(number, UploadState::Waiting);
                    handle.with_value(|handle| queue.run(handle));
                };
                view! {
                    <p class="field-error" role="alert">{name}": "{words}</p>
                    {again.then(|| view! { <button type="button" class="button quiet" on:click=retry>{t!(i18n, failure.retry)}</button> })}
                }
            })
            .collect_view()
    };
    let under_way = move || {
        let uploads = queue.uploads.get().into_iter().filter_map(|upload| match upload.state {
            UploadState::Waiting => Some((upload.name, t!(i18n, seller_products.waiting), false)),
            UploadState::Sending => Some((upload.name, t!(i18n, seller_products.uploading), true)),
            UploadState::Failed(_) => None,
        });
        uploads
            .map(|(name, words, sending)| {
                view! {
                    <li>
                        <span>{name}</span>
                        <span class="note">{words}</span>
                        {sending.then(|| view! { <progress aria-hidden="true"></progress> })}
                    </li>
                }
            })
            .collect_view()
    };
    let any_failed =
        move || queue.uploads.with(|all| all.iter().any(|u| matches!(u.state, UploadState::Failed(_))));
    let stills = move || {
        let stills = queue.animated.get().into_iter();
        stills.map(|name| view! { <p class="note">{tu_string!(i18n, seller_products.first_frame, name = name.as_str()).to_string()}</p> }).collect_view()
    };
    view! {
        <section class="panel form" aria-labelledby="pictures-title" on:dragover=dragging on:dragleave=move |_| over.set(false) on:drop=dropped>
            <h2 id="pictures-title">{t!(i18n, seller_products.pictures)}</h2>
            <ul class="picture-rows">
                <For each=move || rows.pictures.get() key=|picture| picture.id children=row />
            </ul>
            <p class="hidden" role="status">{move || moved.get()}</p>
            <UndoNote rows of=|removed| matches!(removed, Removed::Pictures(_)) />
            <div class="field drop-zone" class:over=over class:wrong=any_failed>
                <label for="pictures">{t!(i18n, seller_products.add_pictures)}</label>
                <input
                    id="pictures"
                    type="file"
                    multiple
                    accept="image/jpeg,image/png,image/webp"
                    aria-describedby="pictures-error pictures-hint"
                    aria-invalid=move || any_failed().then_some("true")
                    on:change=chosen
                />
                <p class="note">{t!(i18n, seller_products.drop_here)}</p>
                <p class="field-hint" id="pictures-hint">{tu_string!(i18n, seller_products.pictures_hint, n = PER_PRODUCT_MAX).to_string()}</p>
            </div>
            <div role="status"><ul class="uploads">{under_way}</ul></div>
            <div id="pictures-error">{failed}</div>
            <div role="status">{stills}</div>
        </section>
    }
}

#[component]
fn PictureRow(
    shown: Picture,
    rows: Rows,
    dragged: RwSignal<Option<MediaId>>,
    /// What screen readers say of a move.
    moved: RwSignal<String>,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = shown.id;
    let over = RwSignal::new(false);
    let place = move || rows.pictures.with(|all| all.iter().position(|p| p.id == id)).unwrap_or(0) + 1;
    let count = move || rows.pictures.with(Vec::len);
    // Moves a picture to the place of another.
    let put = move |which: MediaId, at: usize| {
        rows.pictures.update(|all| {
            if let Some(from) = all.iter().position(|p| p.id == which).filter(|_| at < all.len()) {
                let picture = all.remove(from);
                all.insert(at, picture);
            }
        });
        rows.dirty.set(true);
        moved.set(t!(i18n, seller_products.moved, n = at + 1, total = untrack(count)));
    };
    let step = move |later: bool| {
        let at = untrack(place) - 1;
        let to = if later { at + 1 } else { at.saturating_sub(1) };
        put(id, to);
        // A moved element loses the focus, and at either end its button is disabled.
        let later = (later && to + 1 < untrack(count)) || to == 0;
        focus(format!("{}.{id}", if later { "later" } else { "earlier" }));
    };
    let begin = move |event: DragEvent| {
        dragged.set(Some(id));
        if let Some(data) = event.data_transfer() {
            data.set_effect_allowed("move");
        }
    };
    let dropped = move |_: DragEvent| {
        over.set(false);
        if let Some(which) = dragged.get_untracked().filter(|which| *which != id) {
            put(which, untrack(place) - 1);
        }
    };
    let described = move |event: Event| {
        let alt = event_target_value(&event);
        rows.pictures.update(|all| {
            if let Some(picture) = all.iter_mut().find(|p| p.id == id) {
                picture.alt = alt;
            }
        });
    };
    let remove = Callback::new(move |()| {
        rows.removed.set(Some(Removed::Pictures(rows.pictures.get_untracked())));
        rows.pictures.update(|all| all.retain(|p| p.id != id));
        rows.dirty.set(true);
        focus("undo".into());
    });
    let (name, alt) = (format!("alt.{id}"), shown.alt.clone());
    view! {
        <li
            class="picture-row"
            class:over=over
            on:input=described
            on:dragover=move |_| over.set(dragged.with_untracked(|which| which.is_some_and(|which| which != id)))
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <span class="picture-grip" draggable="true" on:dragstart=begin on:dragend=move |_| dragged.set(None)>
                <ui::Picture of=Some(shown) title=String::new() sizes="96px" />
            </span>
            <Field name label=t!(i18n, seller_products.alt) value=alt faults />
            <button
                type="button"
                class="icon-button"
                id=format!("earlier.{id}")
                disabled=move || place() == 1
                aria-label=move || tu_string!(i18n, seller_products.move_earlier, n = place()).to_string()
                on:click=move |_| step(false)
            >
                <Icon name="up" />
            </button>
            <button
                type="button"
                class="icon-button later"
                id=format!("later.{id}")
                disabled=move || place() == count()
                aria-label=move || tu_string!(i18n, seller_products.move_later, n = place()).to_string()
                on:click=move |_| step(true)
            >
                <Icon name="up" />
            </button>
            <RemoveButton name=t!(i18n, seller_products.remove_picture) remove />
        </li>
    }
}
