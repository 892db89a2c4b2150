//! The form itself: its layout, and what saving does.

use haat_shared::{
    Conflict, Currency, Error,
    catalog::{
        CategoryLink,
        attributes::{AttributeText, CategoryAttribute, check_values},
        edit::{ProductForm, ProductState},
    },
    media::{self, NewPicture, Picture},
    routes,
};
use leptos::{
    ev::{Event, SubmitEvent},
    prelude::*,
    web_sys,
};
use leptos_router::hooks::use_navigate;

use super::{
    Kept, asked, at_attribute, at_attributes, attributes, fresh_key, pictures, preview, rows::Rows, show,
    summary, variants,
};
use crate::{
    api::{self, ApiError},
    i18n::{t, use_i18n},
    ui::{Alert, Field, Guard, SaveBar, TextArea, Toaster},
    words,
};

#[component]
pub(super) fn Editor(
    handle: String,
    currency: Currency,
    /// The categories to choose from.
    tree: Vec<CategoryLink>,
    form: ProductForm,
    /// The saved product; `None` for a new one.
    kept: Option<Kept>,
    pictures: Vec<Picture>,
    /// The attributes that its category asks for.
    asked: Vec<CategoryAttribute>,
    /// Their values.
    values: Vec<AttributeText>,
    /// Called after the product is saved.
    saved: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (toaster, navigate) = (expect_context::<Toaster>(), use_navigate());
    let had = pictures.clone();
    let rows = Rows::of(&form, pictures, &values);
    rows.asked.set(asked);
    let had_values = StoredValue::new(rows.given());
    let (faults, busy) = (RwSignal::new(None::<Error>), RwSignal::new(false));
    let new = kept.is_none();
    let state = kept.as_ref().map_or(ProductState::Draft, |kept| kept.state);
    let version = RwSignal::new(kept.as_ref().map(|kept| kept.version));
    // Set when a new product was created but its images could not be saved, so that it isn't created twice.
    let made = StoredValue::new(kept.as_ref().map(|kept| kept.id));
    let key = StoredValue::new(String::new());
    let shop = handle.clone();

    let save = move |publish: bool| {
        let Some(typed) = rows.read() else { return };
        if busy.get_untracked() {
            return;
        }
        let mut wrong = typed.check(currency).err().unwrap_or_default();
        rows.pictures.with_untracked(|all| {
            wrong.extend(all.iter().filter_map(|p| media::alt(&format!("alt.{}", p.id), &p.alt).err()));
        });
        let given = rows.given();
        let changed = had_values.with_value(|had| *had != given);
        // A draft may wait for its attributes.
        let refused = match changed || publish || state == ProductState::Published {
            true => rows.asked.with_untracked(|asked| check_values(asked, &given).err()),
            false => None,
        };
        if !wrong.is_empty() || refused.is_some() {
            let mut all = match rows.place(Error::Invalid(wrong)) {
                Error::Invalid(all) => all,
                _ => Vec::new(),
            };
            all.extend(refused.into_iter().flatten().map(at_attribute));
            return show(faults, Error::Invalid(all));
        }
        let gallery = rows.pictures.get_untracked();
        let (handle, had, navigate) = (shop.clone(), had.clone(), navigate.clone());
        if key.with_value(String::is_empty) {
            key.set_value(fresh_key());
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let done = async {
                let saved = match (made.get_value(), version.get_untracked()) {
                    (Some(id), Some(at)) => {
                        let now = api::catalog::update(handle.clone(), id, at, typed, key.get_value());
                        now.await.map(|now| {
                            version.set(Some(now));
                            id
                        })
                    }
                    (Some(id), None) => Ok(id),
                    (None, _) => api::catalog::create(handle.clone(), typed, key.get_value()).await,
                };
                let id = saved.map_err(|ApiError(error)| ApiError(rows.place(error)))?;
                made.set_value(Some(id));
                if gallery != had {
                    let gallery =
                        gallery.into_iter().map(|p| NewPicture { media: p.id, alt: p.alt }).collect();
                    api::media::set_pictures(handle.clone(), id, gallery).await?;
                }
                if changed {
                    let set = api::catalog::set_attribute_values(handle.clone(), id, given).await;
                    set.map_err(|ApiError(error)| ApiError(at_attributes(error)))?;
                }
                if publish {
                    api::catalog::publish(handle.clone(), id).await?;
                }
                Ok::<_, ApiError>(id)
            };
            let done = done.await;
            busy.set(false);
            if !matches!(done, Err(ApiError(Error::Offline | Error::Busy { .. }))) {
                key.set_value(String::new());
            }
            match done {
                Ok(id) => {
                    rows.dirty.set(false);
                    let news = match publish {
                        true => t!(i18n, seller_products.published),
                        false => t!(i18n, form.saved),
                    };
                    toaster.say(news.to_owned(), None);
                    if new {
                        navigate(&routes::seller_product(&handle, id), Default::default());
                    } else {
                        saved.run(());
                    }
                }
                Err(ApiError(error)) => {
                    let edited = matches!(error, Error::Conflict(Conflict::Edited(_)));
                    show(faults, error);
                    if let (true, Some(id)) = (edited, made.get_value())
                        && let Ok(now) = api::catalog::seller_product(handle, id).await
                    {
                        // Having seen the other user's changes, the user may save over them.
                        version.set(Some(now.version));
                    }
                }
            }
        });
    };

    // Saving waits for the pictures that are being uploaded. If one is refused, its error is shown instead.
    let waiting = RwSignal::new(None::<bool>);
    let save_later = save.clone();
    Effect::new(move || {
        let idle = rows.uploading.get() == 0;
        if let (true, Some(publish)) = (idle, waiting.get()) {
            waiting.set(None);
            if !rows.upload_failed.get_untracked() {
                untrack(|| save_later(publish));
            }
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let publish = event.submitter().is_some_and(|button| button.id() == "publish");
        match rows.uploading.get_untracked() {
            0 => save(publish),
            _ => waiting.set(Some(publish)),
        }
    };
    let working = Signal::derive(move || busy.get() || waiting.with(Option::is_some));

    let (title, description) = (RwSignal::new(form.title.clone()), RwSignal::new(form.description.clone()));
    let typed = move |event: Event| {
        rows.dirty.set(true);
        match event_target::<web_sys::Element>(&event).id().as_str() {
            "title" => title.set(event_target_value(&event)),
            "description" => description.set(event_target_value(&event)),
            _ => {}
        }
    };
    let publishes = state != ProductState::Published;
    let save_words = if new { t!(i18n, form.save_draft) } else { t!(i18n, form.save) };
    let slug = kept.map(|kept| kept.slug);
    view! {
        <Guard dirty=rows.dirty />
        <noscript><Alert>{t!(i18n, seller_products.needs_scripts)}</Alert></noscript>
        <form class="form product-form" id="product" novalidate node_ref=rows.form on:submit=submit on:input=typed>
            {move || faults.get().map(|error| summary(rows, &error))}
            <div class="form product-main">
                <section class="panel form">
                    <Field name="title" label=t!(i18n, seller_products.name) value=form.title required=true faults />
                    <TextArea name="description" label=t!(i18n, seller_products.description) value=form.description rows=6 faults />
                </section>
                <pictures::Pictures handle rows faults=faults.into() />
            </div>
            <div class="form product-side">
                <Status state slug=slug.clone() />
                <section class="panel form" aria-labelledby="organisation">
                    <h2 id="organisation">{t!(i18n, seller_products.organisation)}</h2>
                    <Category value=form.category tree rows faults />
                    <Field name="brand" label=t!(i18n, seller_products.brand) optional=true value=form.brand faults />
                </section>
                <preview::SearchPreview title description slug />
            </div>
            <div class="form product-more">
                <variants::Variants rows currency faults=faults.into() />
                <attributes::Attributes rows faults=faults.into() />
                <attributes::Details rows faults=faults.into() />
            </div>
            <SaveBar dirty=rows.dirty busy=working words=save_words>
                {publishes.then(|| view! { <button type="submit" id="publish" class="button secondary">{t!(i18n, seller_products.save_and_publish)}</button> })}
            </SaveBar>
        </form>
    }
}

/// The status of the product and what it means, with a link to its page.
#[component]
fn Status(state: ProductState, slug: Option<String>) -> impl IntoView {
    let i18n = use_i18n();
    let slug = slug.filter(|_| state == ProductState::Published);
    let note = match state {
        ProductState::Draft => Some(t!(i18n, seller_products.draft_note)),
        ProductState::Archived => Some(t!(i18n, seller_products.archived)),
        ProductState::Published => None,
    };
    // In another tab, since the form may have unsaved changes.
    let link = slug.map(|slug| {
        view! { <p><a href=routes::product(&slug) target="_blank">{t!(i18n, seller_products.view)}</a></p> }
    });
    view! {
        <section class="panel form" aria-labelledby="status">
            <h2 id="status">{t!(i18n, seller_products.status)}</h2>
            <p class=format!("state {}", state.as_str())>{words::product_state(i18n, state)}</p>
            {note.map(|words| view! { <p class="note">{words}</p> })}
            {link}
        </section>
    }
}

/// The category field. Another category asks for other attributes.
#[component]
fn Category(
    value: String,
    tree: Vec<CategoryLink>,
    rows: Rows,
    faults: RwSignal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let chosen = StoredValue::new(value.clone());
    let changed = move |event: Event| {
        let category = event_target_value(&event);
        chosen.set_value(category.clone());
        leptos::task::spawn_local(async move {
            let found = asked(category.clone()).await;
            // Meanwhile, another one may have been chosen, or the page left.
            if chosen.try_get_value() != Some(category) {
                return;
            }
            match found {
                Ok(found) => rows.asked.set(found),
                Err(ApiError(error)) => show(faults, error),
            }
        });
    };
    let none = (String::new(), t!(i18n, seller_products.category_none).to_owned());
    let choices = std::iter::once(none).chain(tree.into_iter().map(|link| (link.slug, link.name)));
    let options = choices.map(|(slug, name)| {
        let selected = slug == value;
        view! { <option value=slug selected=selected>{name}</option> }
    });
    view! {
        <div class="field">
            <label for="category">{t!(i18n, seller_products.category)}</label>
            <select id="category" name="category" on:change=changed>{options.collect_view()}</select>
        </div>
    }
}
