//! The pictures of a product, and each of them in large.

use haat_shared::media;
use leptos::{
    ev::{KeyboardEvent, MouseEvent},
    html,
    prelude::*,
};

use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::{Icon, Picture},
};

/// The display width of gallery pictures.
const GALLERY: &str = "(min-width: 1200px) 565px, (min-width: 768px) 46vw, 92vw";

/// The pictures of a product: swiped on phones; on larger screens, one is shown and the others are
/// selected below it. The selection is a group of radio buttons, so it works without scripts and with
/// arrow keys. Each is a link to the large picture, which scripts show above the page.
#[component]
pub(super) fn Gallery(pictures: Vec<media::Picture>, title: String) -> impl IntoView {
    let i18n = use_i18n();
    let of = pictures.len();
    if of == 0 {
        return view! { <Picture of=None title sizes=GALLERY /> }.into_any();
    }
    let pictures: Vec<_> = pictures
        .into_iter()
        .map(|picture| {
            let alt = if picture.alt.is_empty() { title.clone() } else { picture.alt.clone() };
            (picture, alt)
        })
        .collect();
    let large = RwSignal::new(None);
    let each = pictures.clone().into_iter().enumerate().map(|(i, (picture, alt))| {
        let (id, name) =
            (format!("picture-{i}"), tu_string!(i18n, product.picture, n = i + 1, of = of).to_string());
        let thumb = (of > 1).then(|| {
            view! {
                <input type="radio" name="picture" id=id.clone() aria-label=name checked=i == 0 />
                <label for=id>
                    <Picture of=Some(picture.clone()) title=title.clone() sizes="72px" />
                </label>
            }
        });
        let enlarge = move |event: MouseEvent| {
            // With one of these keys, browsers open the link elsewhere.
            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                large.set(Some(i));
            }
        };
        let (large_url, place) = (picture.largest(), if i == 0 { 0 } else { usize::MAX });
        view! {
            <div class="gallery-item">
                {thumb}
                <a
                    class="enlarge"
                    href=large_url
                    rel="external"
                    aria-label=tu_string!(i18n, product.enlarge, n = i + 1, of = of).to_string()
                    on:click=enlarge
                >
                    <Picture of=Some(picture) title=title.clone() sizes=GALLERY alt place />
                </a>
            </div>
        }
    });
    let each = each.collect_view();
    let gallery = if of > 1 {
        view! {
            <div class="gallery" role="radiogroup" aria-label=tu_string!(i18n, product.pictures)>
                {each}
            </div>
        }
        .into_any()
    } else {
        each.into_any()
    };
    view! {
        {gallery}
        <Large pictures title at=large />
    }
    .into_any()
}

/// The large pictures, one at a time. None is loaded before it is shown.
#[component]
fn Large(
    pictures: Vec<(media::Picture, String)>,
    title: String,
    at: RwSignal<Option<usize>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let of = pictures.len();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && at.get().is_some()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let turn = move |by: usize| at.update(|at| *at = at.map(|at| (at + by) % of));
    let (previous, next) = (move || turn(of - 1), move || turn(1));
    let keys = move |event: KeyboardEvent| {
        let rtl = document()
            .document_element()
            .is_some_and(|root| root.get_attribute("dir").as_deref() == Some("rtl"));
        match (event.key().as_str(), rtl) {
            ("ArrowRight", false) | ("ArrowLeft", true) => next(),
            ("ArrowLeft", false) | ("ArrowRight", true) => previous(),
            _ => {}
        }
    };
    let label = title.clone();
    let shown = move || {
        let (n, (picture, alt)) = at.get().and_then(|at| Some((at + 1, pictures.get(at)?.clone())))?;
        let name = tu_string!(i18n, product.picture, n = n, of = of).to_string();
        Some(view! {
            // For the mouse alone: there is a button, too.
            <div class="large-picture" on:click=move |_| close()>
                <Picture of=Some(picture) title=title.clone() sizes="100vw" alt place=1 />
            </div>
            <p class="large-name" aria-live="polite">{name}</p>
        })
    };
    let turns = (of > 1).then(|| {
        view! {
            <div class="large-turns">
                <button type="button" class="button secondary" on:click=move |_| previous()>
                    {t!(i18n, product.previous_picture)}
                </button>
                <button type="button" class="button secondary" on:click=move |_| next()>
                    {t!(i18n, product.next_picture)}
                </button>
            </div>
        }
    });
    view! {
        <dialog class="large" aria-label=label node_ref=dialog on:close=move |_| at.set(None) on:keydown=keys>
            <button
                type="button"
                class="large-close"
                aria-label=tu_string!(i18n, layout.close)
                on:click=move |_| close()
            >
                <Icon name="close" />
            </button>
            {shown}
            {turns}
        </dialog>
    }
}
