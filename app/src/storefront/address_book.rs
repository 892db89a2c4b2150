//! The saved addresses of an account.

use haat_shared::{
    address_book::{AddressBook, AddressForm, AddressLabel, SavedAddress},
    addresses::Address,
    forms::Draft,
    routes,
};
use leptos::prelude::*;

use super::sign_up::draft_by;
use crate::{
    api,
    i18n::{t, use_i18n},
    state::query,
    ui::{
        AddressFields, AddressLines, Alert, Button, Check, CodeAlert, EmptyState, ErrorSummary, Field, NAMES,
        PageTitle, Select, address_labels, loaded,
    },
    words::{self, I18n},
};

/// The list, and the form of a new address or of the one that is changed. Plain forms, with and without JavaScript.
#[component]
pub(super) fn Addresses() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (draft, done, edit) = (query("draft"), query("done"), query("edit"));
    let found = api::find(
        move || (draft.get(), done.get(), edit.get()),
        |(draft, _, edit)| async move {
            let book = api::addresses::book().await?;
            let draft = draft_by("address", draft).await?;
            let country = draft.fields.get("country").cloned();
            let edited = book.addresses.iter().find(|of| of.id.to_string() == edit);
            let of = edited.map_or(&book.country, |of| &of.address.parts.country);
            let regions = api::addresses::regions(country.unwrap_or_else(|| of.clone())).await?;
            Ok((book, draft, regions))
        },
    );
    loaded(found, move |(book, draft, regions)| {
        let AddressBook { addresses, country, name } = book;
        let done = match done.get_untracked().as_str() {
            "save" => Some(t!(i18n, addresses.saved)),
            "remove" => Some(t!(i18n, addresses.removed)),
            "default" => Some(t!(i18n, addresses.is_default)),
            _ => None,
        };
        let edited = edit.get_untracked();
        let edited = addresses.iter().find(|of| of.id.to_string() == edited).cloned();
        let form = form(i18n, edited, Address { country, name, ..Address::default() }, &draft, regions);
        let list = if addresses.is_empty() {
            let (title, note) = (t!(i18n, addresses.none), t!(i18n, addresses.none_note));
            view! { <EmptyState icon="pin" title note /> }.into_any()
        } else {
            let rows = addresses.into_iter().map(|of| row(i18n, of)).collect_view();
            view! { <ul class="rows">{rows}</ul> }.into_any()
        };
        view! {
            <PageTitle text=t!(i18n, addresses.title) />
            <div class="width page narrow">
                <p>
                    <a href=routes::ACCOUNT>{t!(i18n, account.title)}</a>
                </p>
                <h1>{t!(i18n, addresses.title)}</h1>
                {done.map(|words| view! { <Alert look="good">{words}</Alert> })}
                <CodeAlert />
                {list}
                {form}
            </div>
        }
    })
}

fn row(i18n: I18n, of: SavedAddress) -> AnyView {
    let SavedAddress { id, label, is_default, address } = of;
    let name = format!("{}, {}", words::address_label(i18n, label), address.parts.line1);
    let edit = routes::with(routes::ADDRESSES, &[("edit", &id.to_string())]);
    let state = match is_default {
        true => view! { <span class="state placed">{t!(i18n, addresses.default)}</span> }.into_any(),
        false => view! {
            <button type="submit" class="button quiet" name="action" value="default" aria-label=format!("{}: {name}", t!(i18n, addresses.make_default))>
                {t!(i18n, addresses.make_default)}
            </button>
        }
        .into_any(),
    };
    view! {
        <li class="row">
            <div>
                <strong>{words::address_label(i18n, label)}</strong>
                <AddressLines address />
            </div>
            <form method="post" action=routes::ADDRESSES class="actions">
                <input type="hidden" name="id" value=id.to_string() />
                {state}
                <a href=format!("{edit}#address-form") rel="external" aria-label=format!("{}: {name}", t!(i18n, addresses.change))>{t!(i18n, addresses.change)}</a>
                <button type="submit" class="button quiet" name="action" value="remove" aria-label=format!("{}: {name}", t!(i18n, addresses.remove))>
                    {t!(i18n, addresses.remove)}
                </button>
            </form>
        </li>
    }
    .into_any()
}

fn form(
    i18n: I18n,
    edited: Option<SavedAddress>,
    new: Address,
    draft: &Draft,
    regions: Vec<(String, String)>,
) -> AnyView {
    let faults = Signal::stored(draft.error.clone());
    let id = edited.as_ref().map(|of| of.id.to_string()).unwrap_or_default();
    let (label, address, make_default) = match draft.fields.is_empty() {
        false => {
            let typed = AddressForm::read(&|name: &str| draft.typed(name), |_, _| false);
            (typed.label, typed.address, typed.make_default)
        }
        true => match &edited {
            Some(of) => (of.label.as_str().to_owned(), of.address.parts.clone(), of.is_default),
            None => (AddressLabel::default().as_str().to_owned(), new, false),
        },
    };
    let title = match edited {
        Some(_) => t!(i18n, addresses.change_title),
        None => t!(i18n, addresses.add),
    };
    let country = RwSignal::new(address.country.clone());
    let options = AddressLabel::ALL.map(|label| (label.as_str(), words::address_label(i18n, label))).to_vec();
    let phone = address.phone.clone();
    let labels = move || {
        let more = [("label", t!(i18n, addresses.label)), ("phone", t!(i18n, checkout.phone))];
        let more = more.into_iter().map(|(name, label)| (name, label.to_owned()));
        address_labels(i18n, &country.get_untracked(), NAMES).chain(more).collect::<Vec<_>>()
    };
    view! {
        <form
            method="post"
            action=routes::ADDRESSES
            class="panel form"
            novalidate
            id="address-form"
            on:change=move |event| {
                if let Some(typed) = crate::ui::typed(&event) {
                    country.set(typed("country"));
                }
            }
        >
            // Enter in a field presses the first button of a form.
            <button type="submit" class="hidden" tabindex="-1" aria-hidden="true" name="action" value="save"></button>
            <h2>{title}</h2>
            <ErrorSummary faults labels=labels() />
            <input type="hidden" name="id" value=id />
            <Select name="label" label=t!(i18n, addresses.label) value=label options faults />
            <AddressFields address regions country names=NAMES readonly=false faults />
            <Field name="phone" label=t!(i18n, checkout.phone) optional=true value=phone kind="tel" autocomplete="tel" faults />
            <Check name="make_default" label=t!(i18n, addresses.use_first) checked=make_default />
            <div class="actions">
                <Button>{t!(i18n, addresses.save)}</Button>
            </div>
        </form>
    }
    .into_any()
}
