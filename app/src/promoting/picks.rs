//! A field for what a promotion is for: products, categories or shops, found by name.
//!
//! Without JavaScript it is a text of links or slugs, which is also what the form submits.

use std::{pin::Pin, time::Duration};

use haat_shared::{Error, promotions::slugs};
use leptos::{
    ev::{Event, KeyboardEvent},
    prelude::*,
    task::spawn_local,
};

use crate::{
    api::ApiError,
    i18n::{t, use_i18n},
    ui::{FieldFault, Icon, TextArea, described_by, fault},
};

/// The pause in typing after which the server is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// What can be picked: its slug and its name.
pub(super) type Named = (String, String);

/// Finds what contains some words, in the shop with a handle, or anywhere if that is empty.
pub(super) type Find = fn(String, String) -> Finding;
/// The answer, once it is there.
pub(super) type Finding = Pin<Box<dyn Future<Output = Result<Vec<Named>, ApiError>>>>;

#[component]
pub(super) fn Picks(
    /// The name in the form, and the ID.
    name: &'static str,
    label: &'static str,
    /// What to enter without JavaScript.
    hint: &'static str,
    /// The initial value: slugs.
    value: String,
    /// The shop whose products are found.
    #[prop(optional)]
    shop: String,
    find: Find,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let live = RwSignal::new(false);
    Effect::new(move || live.set(true));
    let chosen =
        RwSignal::new(slugs(&value).into_iter().map(|slug| (slug.clone(), slug)).collect::<Vec<_>>());
    let (text, found) = (RwSignal::new(String::new()), RwSignal::new(Vec::<Named>::new()));
    let add = move |picked: Named| {
        chosen.update(|all| {
            if !all.iter().any(|(slug, _)| *slug == picked.0) {
                all.push(picked);
            }
        });
        text.set(String::new());
        found.set(Vec::new());
    };
    let named = move || {
        let typed = text.get_untracked();
        found.with_untracked(|found| found.iter().find(|(_, name)| *name == typed.trim()).cloned())
    };
    // What is typed may also be a link or a slug. The server says whether there is such a thing.
    let take = move || match named() {
        Some(picked) => add(picked),
        None => slugs(&text.get_untracked()).into_iter().for_each(|slug| add((slug.clone(), slug))),
    };
    let (shop, turn) = (StoredValue::new(shop), StoredValue::new(0u32));
    let typed = move |event: Event| {
        text.set(event_target_value(&event));
        if let Some(picked) = named() {
            return add(picked);
        }
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        let newest = move || turn.try_get_value() == Some(mine);
        let ask = move || {
            let words = text.try_get_untracked().unwrap_or_default().trim().to_owned();
            if words.is_empty() || !newest() {
                return;
            }
            spawn_local(async move {
                let answer = find(shop.get_value(), words).await;
                if let Some(answer) = answer.ok().filter(|_| newest()) {
                    found.set(answer);
                }
            });
        };
        set_timeout(ask, PAUSE);
    };
    let pressed = move |event: KeyboardEvent| {
        // Enter would submit the form. It also ends the input of a composed character.
        if event.key() == "Enter" && !event.is_composing() && !text.with_untracked(String::is_empty) {
            event.prevent_default();
            take();
        }
    };
    let chip = move |(slug, shown): Named| {
        let words = t!(i18n, promotions.remove_pick, name = shown.as_str());
        let remove = move |_| chosen.update(|all| all.retain(|(other, _)| *other != slug));
        view! {
            <li class="value-chip">
                <span>{shown}</span>
                <button type="button" aria-label=words on:click=remove><Icon name="close" /></button>
            </li>
        }
    };
    let fields = move || {
        if !live.get() {
            return view! { <TextArea name label optional=true value=value.clone() rows=2 hint faults /> }
                .into_any();
        }
        let list = format!("{name}-found");
        let options = move || {
            found.get().into_iter().map(|(_, name)| view! { <option value=name></option> }).collect_view()
        };
        let submitted = move || {
            chosen.with(|all| all.iter().map(|(slug, _)| slug.as_str()).collect::<Vec<_>>().join(" "))
        };
        let fault = fault(faults, name);
        let described = described_by(name, true, fault);
        view! {
            <div class="field" class:wrong=move || fault.get().is_some()>
                <label for=name>{t!(i18n, form.optional, label = label)}</label>
                <input type="hidden" name=name value=submitted />
                <input
                    id=name
                    type="text"
                    list=list.clone()
                    autocomplete="off"
                    prop:value=text
                    aria-invalid=move || fault.get().is_some().then_some("true")
                    aria-describedby=described
                    on:input=typed
                    on:change=move |_| take()
                    on:keydown=pressed
                />
                <datalist id=list>{options}</datalist>
                <FieldFault name=name.to_owned() fault />
                <p class="field-hint" id=format!("{name}-hint")>{t!(i18n, promotions.pick_hint)}</p>
                <ul class="value-chips"><For each=move || chosen.get() key=|(slug, _)| slug.clone() children=chip /></ul>
            </div>
        }
        .into_any()
    };
    view! { <div>{fields}</div> }
}
