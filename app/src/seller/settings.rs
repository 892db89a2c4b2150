//! A shop's settings: profile, shipping, returns.

use haat_shared::{
    Conflict, Currency, Error,
    forms::Draft,
    media::{Picture, Purpose},
    shops::{ShopForm, ShopSettings},
};
use leptos::{ev::Event, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{Dashboard, Part, products::Done, team::Team};
use crate::{
    api, countries,
    i18n::{t, tu_string, use_i18n},
    state::{address, param, query},
    storefront::draft_by,
    ui::{self, Amount, CodeAlert, ErrorSummary, Field, Guard, PageTitle, SaveBar, Select, TextArea, loaded},
    words,
};

/// The pages of a shop that are for its owners: one to the list of pages, which every visitor loads.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let (handle, address) = (param("handle").get_untracked(), address());
    match address.split('?').next() == Some(&*Part::Team.path(&handle)) {
        true => Team().into_any(),
        false => OfShop().into_any(),
    }
}

/// The settings of a shop.
#[component]
fn OfShop() -> impl IntoView {
    let (handle, draft, done) = (param("handle"), query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), draft.get(), done.get()),
        |(handle, draft, done)| async move {
            let settings = api::shops::settings(handle.clone()).await?;
            let logo = api::shops::shop(handle.clone()).await?.logo;
            Ok((handle, settings, logo, draft_by("settings", draft).await?, done))
        },
    );
    let page = loaded(found, |(handle, settings, logo, draft, done)| {
        view! { <Shown handle settings logo draft done /> }
    });
    view! { <Dashboard here=Part::Settings>{page}</Dashboard> }
}

#[component]
fn Shown(
    handle: String,
    settings: ShopSettings,
    logo: Option<Picture>,
    draft: Draft,
    done: String,
) -> impl IntoView {
    let i18n = use_i18n();
    let ShopSettings { version, currency, commission_bp, commissions, form, members } = settings;
    let dirty = RwSignal::new(draft.error.is_some());
    let commission = t!(i18n, settings.commission, percent = words::percent(commission_bp));
    let commissions = commissions.into_iter().map(|rate| {
        view! { <li>{rate.name} ": " {words::percent(rate.rate_bp)} "%"</li> }
    });
    let commissions: Vec<_> = commissions.collect();
    let commissions = (!commissions.is_empty()).then(|| {
        view! {
            <p>{t!(i18n, settings.commissions)}</p>
            <ul class="facts">{commissions}</ul>
        }
    });
    let members = members.into_iter().map(|member| {
        let role = words::role(i18n, member.role);
        view! {
            <li class="row">
                <div>
                    <strong>{member.name}</strong>
                    <p class="note">{member.email}</p>
                </div>
                <p>{role}</p>
            </li>
        }
    });
    let members = members.collect_view();
    let form = if draft.error.is_some() { ShopForm::read(|name| draft.typed(name)) } else { form };
    let name = form.name.clone();
    view! {
        <PageTitle text=tu_string!(i18n, settings.title) />
        <h1>{t!(i18n, settings.title)}</h1>
        <CodeAlert />
        <Done what=done />
        <Logo handle=handle.clone() name logo />
        <Guard dirty />
        <form
            method="post"
            action=Part::Settings.path(&handle)
            class="form"
            novalidate
            on:input=move |_| dirty.set(true)
            on:submit=move |_| dirty.set(false)
        >
            <input type="hidden" name="version" value=version.to_string() />
            <ShopFields form currency error=draft.error opening=false />
            // Not input; in the form, so that its bar is at the end of the page rather than between panels.
            <section class="panel" aria-labelledby="commission">
                <h2 id="commission">{t!(i18n, balance.commission)}</h2>
                <p>{commission}</p>
                {commissions}
            </section>
            <section class="panel" aria-labelledby="members">
                <h2 id="members">{t!(i18n, settings.members)}</h2>
                <ul class="rows">{members}</ul>
            </section>
            <SaveBar dirty busy=false words=t!(i18n, form.save) />
        </form>
    }
}

/// The fields of a shop, also used to open one.
#[component]
pub(super) fn ShopFields(
    form: ShopForm,
    currency: Currency,
    error: Option<Error>,
    opening: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let edited = matches!(error, Some(Error::Conflict(Conflict::Edited(_))));
    let faults: Signal<Option<Error>> = Signal::stored(error);
    let names = [
        "name",
        "handle",
        "description",
        "town",
        "address",
        "country",
        "region",
        "tax_id",
        "shipping_price",
        "free_shipping_from",
        "returns_days",
    ];
    let labels = names.map(|name| (name, label(i18n, name))).to_vec();
    let money = |name| format!("{} ({})", label(i18n, name), currency.code());
    let countries =
        [("", t!(i18n, settings.tax_as_market))].into_iter().chain(countries::all(i18n)).collect();
    let including = vec![
        ("", t!(i18n, settings.tax_as_market)),
        ("yes", t!(i18n, settings.tax_included)),
        ("no", t!(i18n, settings.tax_added)),
    ];
    let again = edited.then(|| view! { <p class="note">{t!(i18n, form.save_over)}</p> });
    let handle = opening.then(|| {
        view! { <Field name="handle" label=label(i18n, "handle") value=form.handle.clone() hint=t!(i18n, settings.handle_hint).to_owned() required=true faults /> }
    });
    // The zones of an open shop have a page of their own.
    let title = if opening { t!(i18n, settings.promises) } else { t!(i18n, settings.returns_title) };
    let shipping = opening.then(|| {
        view! {
            <div class="field-row">
                <Amount name="shipping_price" label=money("shipping_price") value=form.shipping_price required=true hint=t!(i18n, settings.delivery_hint).to_owned() currency faults />
                <Amount name="free_shipping_from" label=money("free_shipping_from") value=form.free_shipping_from hint=t!(i18n, settings.free_hint).to_owned() currency faults />
            </div>
        }
    });
    view! {
        <ErrorSummary faults labels />
        {again}
        <section class="panel form">
            <Field name="name" label=label(i18n, "name") value=form.name required=true faults />
            {handle}
            <TextArea name="description" label=label(i18n, "description") optional=true value=form.description rows=5 faults />
            <Field name="town" label=label(i18n, "town") value=form.town required=true faults />
            <TextArea name="address" label=label(i18n, "address") optional=true value=form.address rows=3 hint=t!(i18n, settings.address_hint).to_owned() faults />
            <Select name="country" label=t!(i18n, checkout.country) value=form.country options=countries faults />
            <Field name="region" label=label(i18n, "region") value=form.region optional=true hint=t!(i18n, settings.region_hint).to_owned() faults />
            <Select name="prices_include_tax" label=t!(i18n, settings.prices_include_tax).to_owned() value=form.prices_include_tax options=including faults />
            <Field name="tax_id" label=label(i18n, "tax_id") value=form.tax_id optional=true hint=t!(i18n, settings.tax_id_hint).to_owned() faults />
        </section>
        <section class="panel form" aria-labelledby="delivery-title">
            <h2 id="delivery-title">{title}</h2>
            {shipping}
            <Field name="returns_days" label=label(i18n, "returns_days") value=form.returns_days keys="numeric" hint=t!(i18n, settings.returns_hint).to_owned() faults />
        </section>
    }
}

fn label(i18n: words::I18n, name: &str) -> String {
    match name {
        "handle" => t!(i18n, settings.handle),
        "country" => t!(i18n, checkout.country),
        "region" => t!(i18n, settings.region),
        other => words::form_field(i18n, other),
    }
    .to_owned()
}

/// The shop's logo, which is saved at once.
#[component]
fn Logo(handle: String, name: String, logo: Option<Picture>) -> impl IntoView {
    let i18n = use_i18n();
    let (shown, fault) = (RwSignal::new(logo), RwSignal::new(None::<Error>));
    let chosen = move |event: Event| {
        let input = event.target().and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok());
        let Some(file) = input.and_then(|input| input.files()?.get(0)) else { return };
        let handle = handle.clone();
        leptos::task::spawn_local(async move {
            let kept = async {
                let picture = super::upload(Purpose::Logo, &handle, file).await?;
                api::shops::set_logo(handle, picture.id).await.map_err(|refused| refused.0)?;
                Ok::<_, Error>(picture)
            };
            match kept.await {
                Ok(picture) => {
                    fault.set(None);
                    shown.set(Some(picture));
                }
                Err(error) => fault.set(Some(error)),
            }
        });
    };
    let wrong = move || {
        fault.get().map(|error| match error.at("picture") {
            Some(code) => words::field(i18n, code),
            None => words::error(i18n, &error),
        })
    };
    view! {
        <section class="panel form logo-panel live-only">
            {move || view! { <ui::Picture of=shown.get() title=name.clone() sizes="96px" /> }}
            <div class="field" class:wrong=move || fault.with(Option::is_some)>
                <label for="logo">{t!(i18n, settings.logo)}</label>
                <input id="logo" type="file" accept="image/jpeg,image/png,image/webp" aria-describedby="logo-error" on:change=chosen />
                <p class="field-error" id="logo-error" role="alert">{wrong}</p>
            </div>
        </section>
    }
}
