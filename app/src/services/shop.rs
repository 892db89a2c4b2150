//! What a shop keeps of its services: appointments by day, providers with their hours, and how each service is booked.

use haat_shared::{
    Error,
    appointments::{
        AppointmentState, AppointmentView, Moving, PROVIDER_FIELD, ProviderForm, ServiceForm, ServicePlace,
        ShopServices,
    },
    availability::{EXCEPTIONS_FIELD, WEEKDAY_FIELDS},
    forms::Draft,
    routes::{self, with},
};
use leptos::prelude::*;

use super::{calendar_feed, cancel_link, move_link, place_words, state_words, told, weekdays};
use crate::{
    api::{self, ApiError},
    i18n::{t, tn, use_i18n},
    state::{param, query},
    storefront::draft_by,
    ui::{
        Button, Check, CodeAlert, EmptyState, ErrorSummary, Field, LinkButton, PageTitle, Select, Table,
        TextArea, loaded,
    },
    words::{self, I18n},
};

/// What `edit` says in the URL for a new provider.
const NEW_PROVIDER: &str = "provider";
/// And for a new service.
const NEW_SERVICE: &str = "service";

/// The services of a shop.
#[component]
pub(crate) fn ServicesOfShop() -> impl IntoView {
    crate::seller::services_page(page())
}

fn page() -> AnyView {
    let (handle, edit, day) = (param("handle"), query("edit"), query("day"));
    let (draft, done) = (query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), edit.get(), day.get(), draft.get(), done.get()),
        |(handle, edit, day, draft, done)| async move {
            let shop = api::services::of_shop(handle.clone(), day).await?;
            let draft = draft_by("services", draft).await?;
            Ok::<_, ApiError>((handle, edit, shop, draft, done))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |(handle, edit, shop, draft, done)| {
        let told = told(match done.as_str() {
            "provider" | "service" => Some(t!(i18n, form.saved)),
            "mark" => Some(t!(i18n, services.marked)),
            "moved" => Some(t!(i18n, services.moved_to)),
            "cancelled" => Some(t!(i18n, services.cancelled_it)),
            _ => None,
        });
        let provider = shop.providers.iter().find(|provider| provider.id.to_string() == edit).cloned();
        let service = shop.services.iter().find(|service| service.product.to_string() == edit).cloned();
        let (title, shown) = match (edit.as_str(), provider, service) {
            (NEW_PROVIDER, ..) => {
                let form = ProviderForm::new(&shop.zone);
                (
                    t!(i18n, services.add_provider),
                    view! { <EditProvider handle id=String::new() form draft /> }.into_any(),
                )
            }
            (_, Some(provider), _) => {
                let id = provider.id.to_string();
                (
                    t!(i18n, services.edit_provider),
                    view! { <EditProvider handle id form=provider.form draft /> }.into_any(),
                )
            }
            (NEW_SERVICE, ..) => (
                t!(i18n, services.add_service),
                view! { <EditService handle shop product=String::new() form=ServiceForm::new() draft /> }
                    .into_any(),
            ),
            (_, _, Some(service)) => {
                let product = service.product.to_string();
                (
                    t!(i18n, services.edit_service),
                    view! { <EditService handle shop product form=service.form draft /> }.into_any(),
                )
            }
            _ => (t!(i18n, services.title), view! { <Overview handle shop /> }.into_any()),
        };
        view! {
            <PageTitle text=title />
            <h1>{title}</h1>
            <CodeAlert />
            {told}
            {shown}
        }
    })
}

#[component]
fn Overview(handle: String, shop: ShopServices) -> impl IntoView {
    let i18n = use_i18n();
    let path = routes::shop_services(&handle);
    let feed = shop.feed.clone();
    let at = |edit: &str| with(&path, &[("edit", edit)]);
    let on = |day: &str| with(&path, &[("day", day)]);
    let appointments = match shop.appointments.is_empty() {
        true => view! { <p>{t!(i18n, services.none_on_day)}</p> }.into_any(),
        false => {
            let rows = shop
                .appointments
                .into_iter()
                .map(|of| appointment(i18n, &handle, &shop.day, of))
                .collect_view();
            let columns = vec![
                (t!(i18n, services.time), ""),
                (t!(i18n, services.service), ""),
                (t!(i18n, services.customer), ""),
                (t!(i18n, services.state), ""),
            ];
            view! { <Table caption=t!(i18n, services.appointments) columns>{rows}</Table> }.into_any()
        }
    };
    let services = shop.services.iter().map(|service| {
        let place = ServicePlace::parse(&service.form.place).unwrap_or_default();
        let minutes: i64 = service.form.minutes.parse().unwrap_or_default();
        let about = format!("{} · {}", tn!(i18n, services.minutes, minutes), place_words(i18n, place));
        let who = shop.providers.iter().filter(|of| service.form.providers.contains(&of.id.to_string()));
        let who: Vec<_> = who.map(|of| of.form.name.clone()).collect();
        view! {
            <tr>
                <th scope="row"><a class="row-link" href=at(&service.product.to_string())>{service.title.clone()}</a></th>
                <td>{about}</td>
                <td>{who.join(", ")}</td>
            </tr>
        }
    });
    let services = services.collect_view();
    let providers = shop.providers.iter().map(|provider| {
        let form = &provider.form;
        let state = if form.active { t!(i18n, services.bookable) } else { t!(i18n, services.paused) };
        view! {
            <tr>
                <th scope="row"><a class="row-link" href=at(&provider.id.to_string())>{form.name.clone()}</a></th>
                <td>{form.town.clone()}</td>
                <td>{form.zone.clone()}</td>
                <td>{state}</td>
            </tr>
        }
    });
    let providers = providers.collect_view();
    let (no_services, no_providers) = (shop.services.is_empty(), shop.providers.is_empty());
    let service_columns =
        vec![(t!(i18n, services.service), ""), (t!(i18n, services.length), ""), (t!(i18n, services.who), "")];
    let provider_columns = vec![
        (t!(i18n, services.provider), ""),
        (t!(i18n, services.town), ""),
        (t!(i18n, services.zone), ""),
        (t!(i18n, services.state), ""),
    ];
    let providers = match no_providers {
        true => {
            let (title, note) = (t!(i18n, services.no_providers), t!(i18n, services.no_providers_note));
            view! { <EmptyState icon="clock" title note /> }.into_any()
        }
        false => {
            view! { <Table caption=t!(i18n, services.providers) columns=provider_columns>{providers}</Table> }
                .into_any()
        }
    };
    let services = match no_services {
        true => view! { <p>{t!(i18n, services.no_services)}</p> }.into_any(),
        false => view! { <Table caption=t!(i18n, services.title) columns=service_columns>{services}</Table> }
            .into_any(),
    };
    // A service needs someone who does it.
    let add_service = (!no_providers).then(|| {
        view! { <p class="actions"><LinkButton href=at(NEW_SERVICE)>{t!(i18n, services.add_service)}</LinkButton></p> }
    });
    view! {
        <div class="sections">
        <section aria-labelledby="day">
            <h2 id="day">{t!(i18n, services.appointments_on, day = words::day(i18n, &shop.day))}</h2>
            <p class="dots">
                <a href=on(&shop.around.0)>{t!(i18n, services.day_before)}</a>
                " "
                <a href=on(&shop.today)>{t!(i18n, services.today)}</a>
                " "
                <a href=on(&shop.around.1)>{t!(i18n, services.day_after)}</a>
            </p>
            {appointments}
        </section>
        <section>
            <h2>{t!(i18n, services.providers)}</h2>
            {providers}
            <p class="actions"><LinkButton href=at(NEW_PROVIDER)>{t!(i18n, services.add_provider)}</LinkButton></p>
        </section>
        <section>
            <h2>{t!(i18n, services.title)}</h2>
            {services}
            {add_service}
        </section>
        {calendar_feed(i18n, &path, feed)}
        </div>
    }
}

fn appointment(i18n: I18n, handle: &str, day: &str, of: AppointmentView) -> impl IntoView + use<> {
    let mark = (of.state == AppointmentState::Booked && of.begun).then(|| {
        let button = |state: AppointmentState| {
            let words = state_words(i18n, state);
            let label = format!("{words}: {}", of.title);
            view! {
                <button type="submit" class="button quiet" name="state" value=state.as_str() aria-label=label>{words}</button>
            }
        };
        view! {
            <form method="post" action=routes::shop_services(handle) class="actions">
                <input type="hidden" name="action" value="mark" />
                <input type="hidden" name="id" value=of.id.to_string() />
                <input type="hidden" name="day" value=day.to_owned() />
                {button(AppointmentState::Done)}
                {button(AppointmentState::NoShow)}
            </form>
        }
    });
    let moving = Moving { id: of.id.to_string(), shop: handle.to_owned(), ..Moving::default() };
    let change = (!of.movable.is_empty()).then(|| move_link(i18n, &of, moving.clone()));
    let cancel = of.cancellation.map(|_| cancel_link(i18n, &of, &moving));
    let fee =
        of.fee.map(|fee| view! { <span class="note below">{t!(i18n, services.fee_kept, fee = fee)}</span> });
    let address =
        (!of.address.is_empty()).then(|| view! { <span class="note below">{of.address.clone()}</span> });
    view! {
        <tr>
            <th scope="row">{words::moment(i18n, &of.starts_at)} <span class="note below">{of.provider.clone()}</span></th>
            <td><a href=routes::shop_order(handle, &of.order)>{of.title.clone()}</a></td>
            <td>{of.customer.clone()} {address}</td>
            <td>{state_words(i18n, of.state)} {fee} {mark} " " {change} " " {cancel}</td>
        </tr>
    }
}

fn provider_label(i18n: I18n, name: &str) -> &'static str {
    if let Some(at) = WEEKDAY_FIELDS.iter().position(|field| *field == name) {
        return weekdays(i18n)[at];
    }
    match name {
        "name" => t!(i18n, services.name),
        "bio" => t!(i18n, services.bio),
        "town" => t!(i18n, services.town),
        "zone" => t!(i18n, services.zone),
        _ => t!(i18n, services.exceptions),
    }
}

#[component]
fn EditProvider(handle: String, id: String, form: ProviderForm, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
    let form = if draft.error.is_some() { ProviderForm::read(|name| draft.typed(name)) } else { form };
    let label = move |name: &str| provider_label(i18n, name);
    let fields = ["name", "bio", "town", "zone"].into_iter().chain(WEEKDAY_FIELDS).chain([EXCEPTIONS_FIELD]);
    let labels: Vec<_> = fields.map(|name| (name, label(name).to_owned())).collect();
    let days = WEEKDAY_FIELDS.into_iter().zip(form.weekly).map(|(name, value)| {
        view! { <Field name=name label=label(name) value=value optional=true faults /> }
    });
    view! {
        <p><a href=routes::shop_services(&handle)>{t!(i18n, services.title)}</a></p>
        <ErrorSummary faults labels />
        <form method="post" action=routes::shop_services(&handle) class="panel form" novalidate>
            <input type="hidden" name="action" value="provider" />
            <input type="hidden" name="id" value=id />
            <Field name="name" label=label("name") value=form.name required=true faults />
            <TextArea name="bio" label=label("bio").to_owned() value=form.bio optional=true faults />
            <div class="field-row">
                <Field name="town" label=label("town") value=form.town optional=true faults />
                <Field name="zone" label=label("zone") value=form.zone required=true hint=t!(i18n, services.zone_hint) faults />
            </div>
            <h2>{t!(i18n, services.hours)}</h2>
            <p class="note">{t!(i18n, services.hours_note)}</p>
            {days.collect_view()}
            <TextArea name=EXCEPTIONS_FIELD label=label(EXCEPTIONS_FIELD).to_owned() value=form.exceptions optional=true hint=t!(i18n, services.exceptions_hint) faults />
            <Check name="active" label=t!(i18n, services.bookable) checked=form.active />
            <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
        </form>
    }
}

fn service_label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "product" => t!(i18n, services.product),
        "place" => t!(i18n, services.place),
        "minutes" => t!(i18n, services.minutes_label),
        "before" => t!(i18n, services.before),
        "after" => t!(i18n, services.after),
        "notice_hours" => t!(i18n, services.notice),
        "window_days" => t!(i18n, services.window),
        "step" => t!(i18n, services.step),
        "change_hours" => t!(i18n, services.change),
        "fee_percent" => t!(i18n, services.fee),
        _ => t!(i18n, services.who),
    }
}

#[component]
fn EditService(
    handle: String,
    shop: ShopServices,
    product: String,
    form: ServiceForm,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
    let form = match draft.error {
        Some(_) => ServiceForm::read(|name| draft.typed(name), draft.fields.keys()),
        None => form,
    };
    let label = move |name: &str| service_label(i18n, name);
    let labels = ServiceForm::FIELDS.map(|name| (name, label(name).to_owned())).to_vec();
    let which = if product.is_empty() {
        let wanted = draft.typed("product");
        let options = shop.products.into_iter().map(|(title, id)| {
            let id = id.to_string();
            view! { <option value=id.clone() selected=id == wanted>{title}</option> }
        });
        view! {
            <input type="hidden" name="new" value="true" />
            <div class="field">
                <label for="product">{label("product")}</label>
                <select id="product" name="product">{options.collect_view()}</select>
                <p class="field-hint">{t!(i18n, services.product_hint)}</p>
            </div>
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="product" value=product.clone() /> }.into_any()
    };
    let places = ServicePlace::ALL.map(|place| (place.as_str(), place_words(i18n, place))).to_vec();
    let who = shop.providers.into_iter().enumerate().map(|(at, provider)| {
        let id = provider.id.to_string();
        let checked = form.providers.contains(&id);
        // The error summary leads to the first one.
        let element = if at == 0 { "providers".to_owned() } else { format!("providers-{id}") };
        view! {
            <div class="check">
                <input type="checkbox" id=element.clone() name=format!("{PROVIDER_FIELD}{id}") value="true" checked=checked />
                <label for=element>{provider.form.name}</label>
            </div>
        }
    });
    let who = who.collect_view();
    view! {
        <p><a href=routes::shop_services(&handle)>{t!(i18n, services.title)}</a></p>
        <ErrorSummary faults labels />
        <form method="post" action=routes::shop_services(&handle) class="panel form" novalidate>
            <input type="hidden" name="action" value="service" />
            {which}
            <Select name="place" label=label("place") value=form.place options=places faults />
            <div class="field-row">
                <Field name="minutes" label=label("minutes") value=form.minutes required=true keys="numeric" faults />
                <Field name="step" label=label("step") value=form.step required=true keys="numeric" faults />
            </div>
            <div class="field-row">
                <Field name="before" label=label("before") value=form.before required=true keys="numeric" faults />
                <Field name="after" label=label("after") value=form.after required=true keys="numeric" faults />
            </div>
            <div class="field-row">
                <Field name="notice_hours" label=label("notice_hours") value=form.notice_hours required=true keys="numeric" faults />
                <Field name="window_days" label=label("window_days") value=form.window_days required=true keys="numeric" faults />
            </div>
            <div class="field-row">
                <Field name="change_hours" label=label("change_hours") value=form.change_hours required=true keys="numeric" hint=t!(i18n, services.change_hint) faults />
                <Field name="fee_percent" label=label("fee_percent") value=form.fee_percent required=true keys="numeric" hint=t!(i18n, services.fee_hint) faults />
            </div>
            <fieldset class="field">
                <legend>{label("providers")}</legend>
                {who}
            </fieldset>
            <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
        </form>
    }
}
