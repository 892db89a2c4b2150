//! How a shop ships: its zones, the form of a zone, its working days, and a preview of what a basket would cost.

use std::time::Duration;

use haat_shared::{
    Currency, Error, Money,
    forms::Draft,
    id::kinds::ZoneId,
    routes,
    shipping::{
        Area, BasketForm, BookedSlot, CalendarForm, CashTerms, MethodForm, PriceBy, ShippingMethod,
        ShippingOption, ShippingPreview, ShippingRules, ShippingSettings, Slot, SlotForm, SlotWindow, Zone,
        ZoneForm, without_overlap,
    },
};
use leptos::{prelude::*, web_sys};

use crate::{
    api::{self, ApiError},
    countries,
    i18n::{t, tn, use_i18n},
    locales,
    previewing::{self, PreviewButton},
    state::{param, query},
    storefront::draft_by,
    ui::{
        self, Alert, Amount, Button, Check, CodeAlert, EmptyState, ErrorSummary, Field, LinkButton,
        PageTitle, Select, Table, TextArea, loaded,
    },
    words::{self, I18n},
};

/// What `edit` says in the URL for a new zone.
const NEW: &str = "new";

/// How a shop ships.
#[component]
pub(crate) fn ShopShipping() -> impl IntoView {
    crate::seller::shipping_page(page())
}

fn page() -> AnyView {
    let (handle, edit, draft, done) = (param("handle"), query("edit"), query("draft"), query("done"));
    let slot = query("slot");
    let asked = previewing::asked();
    let found = api::find(
        move || (handle.get(), (edit.get(), slot.get()), draft.get(), done.get(), asked.get()),
        |(handle, (edit, slot), draft, done, asked)| async move {
            let settings = api::shipping::settings(handle.clone()).await?;
            let draft = previewing::typed(draft_by("shipping", draft).await?, asked);
            let first = match draft.fields.contains_key(BASKET[0]) {
                true => {
                    let edited = (!edit.is_empty())
                        .then(|| (edit.parse().ok(), ZoneForm::read(|name| draft.typed(name))));
                    api::shipping::preview(handle.clone(), basket_of(&draft, &settings), edited).await?
                }
                false => None,
            };
            Ok::<_, ApiError>((handle, (edit, slot), settings, (draft, first), done))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |(handle, (edit, slot), settings, (draft, first), done)| {
        let done = match done.as_str() {
            "add" => Some(t!(i18n, shipping.added)),
            "save" | "calendar" => Some(t!(i18n, form.saved)),
            "remove" => Some(t!(i18n, shipping.removed)),
            "slot" => Some(t!(i18n, shipping.slot_added)),
            "remove_slot" => Some(t!(i18n, shipping.slot_removed)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let zone = edit
            .parse()
            .ok()
            .and_then(|id: ZoneId| settings.rules.zones.iter().find(|zone| zone.id == id).cloned());
        let window =
            slot.parse().ok().and_then(|at: usize| Some((at, settings.rules.windows.get(at)?.clone())));
        let (title, shown) = match (edit.as_str(), zone) {
            _ if slot == NEW || window.is_some() => {
                let title =
                    if window.is_some() { t!(i18n, shipping.slot_edit) } else { t!(i18n, shipping.slot_add) };
                (title, view! { <EditSlot handle settings window draft /> }.into_any())
            }
            (NEW, _) => {
                (t!(i18n, shipping.add), view! { <Edit handle settings zone=None draft first /> }.into_any())
            }
            (_, zone @ Some(_)) => {
                (t!(i18n, shipping.edit), view! { <Edit handle settings zone draft first /> }.into_any())
            }
            _ => (t!(i18n, shipping.title), view! { <Overview handle settings draft first /> }.into_any()),
        };
        view! {
            <PageTitle text=title />
            <h1>{title}</h1>
            <CodeAlert />
            {done}
            {shown}
        }
    })
}

/// An area in words.
fn area_words(i18n: I18n, area: &Area) -> String {
    match area {
        Area::Everywhere => t!(i18n, shipping.everywhere).to_owned(),
        Area::Country(country) => countries::name(i18n, country).to_owned(),
        Area::Region(country, region) => format!("{}: {region}", countries::name(i18n, country)),
        Area::PostalCodes(country, from, to) if from == to => {
            format!("{} {from}*", countries::name(i18n, country))
        }
        Area::PostalCodes(country, from, to) => format!("{} {from}–{to}", countries::name(i18n, country)),
    }
}

/// The name of a zone. That of a new shop has none.
fn zone_name(i18n: I18n, name: &str) -> String {
    if name == "*" { t!(i18n, shipping.everywhere).to_owned() } else { name.to_owned() }
}

/// As many areas are named in the list.
const AREAS_SHOWN: usize = 4;

#[component]
fn Overview(
    handle: String,
    settings: ShippingSettings,
    draft: Draft,
    /// What was asked for without JavaScript.
    first: Option<ShippingPreview>,
) -> impl IntoView {
    let i18n = use_i18n();
    let basket = basket_of(&draft, &settings);
    let path = routes::shop_shipping(&handle);
    let create = routes::with(&path, &[("edit", NEW)]);
    let ShippingSettings { version, currency, rules, booked, .. } = settings;
    let slots = slots(i18n, &handle, &rules, booked);
    let zones = if rules.zones.is_empty() {
        let (title, note) = (t!(i18n, shipping.none), t!(i18n, shipping.none_note));
        view! {
            <EmptyState icon="truck" title note>
                <LinkButton href=create>{t!(i18n, shipping.add)}</LinkButton>
            </EmptyState>
        }
        .into_any()
    } else {
        let rows = rules.zones.iter().map(|zone| {
            let href = routes::with(&path, &[("edit", &zone.id.to_string())]);
            let mut areas: Vec<String> =
                zone.areas.iter().take(AREAS_SHOWN).map(|area| area_words(i18n, area)).collect();
            if let Some(more) = zone.areas.len().checked_sub(AREAS_SHOWN).filter(|more| *more > 0) {
                areas.push(format!("+{}", words::number(i18n, more)));
            }
            let methods = zone.methods.iter().map(|method| {
                let price = method.steps.iter().map(|step| step.price).min_by_key(|price| price.amount());
                let price = price.map(|price| words::money(i18n, price)).unwrap_or_default();
                let from = if method.steps.len() > 1 { "+" } else { "" };
                format!("{} {price}{from}", words::shipping_name(i18n, method.method, &method.name))
            });
            let methods: Vec<_> = methods.collect();
            let cash = match zone.cash {
                CashTerms { refused: true, .. } => Some(t!(i18n, shipping.no_cash).to_owned()),
                CashTerms { most, .. } => most.map(|most| t!(i18n, shipping.cash_to, amount = most)),
            };
            let (name, areas) = (zone_name(i18n, &zone.name), areas.join(", "));
            let areas = (areas != name).then(|| view! { <span class="note below">{areas}</span> });
            view! {
                <tr>
                    <th scope="row">
                        <a class="row-link" href=href>{name}</a>
                        {areas}
                    </th>
                    <td>
                        {methods.join(", ")}
                        {cash.map(|words| view! { <span class="note below">{words}</span> })}
                    </td>
                </tr>
            }
        });
        let rows = rows.collect_view();
        let columns = vec![(t!(i18n, shipping.zone), ""), (t!(i18n, shipping.methods), "")];
        view! {
            <p class="note">{t!(i18n, shipping.zones_note)}</p>
            <p class="actions"><LinkButton href=create>{t!(i18n, shipping.add)}</LinkButton></p>
            <Table caption=t!(i18n, shipping.zones) columns>{rows}</Table>
        }
        .into_any()
    };
    let form = match draft.error {
        Some(_) => CalendarForm::read(|name| draft.typed(name)),
        None => CalendarForm::of(&rules.calendar),
    };
    view! {
        <div class="form">
            {zones}
            {slots}
            <CalendarPart path=path.clone() version form error=draft.error />
            <form method="get" action=path class="form">
                <Preview handle currency basket id=None typed=None first />
                <div class="actions"><PreviewButton /></div>
            </form>
        </div>
    }
}

/// The slots of a shop, and how many orders the next ones have.
fn slots(i18n: I18n, handle: &str, rules: &ShippingRules, booked: Vec<BookedSlot>) -> AnyView {
    let path = routes::shop_shipping(handle);
    let create = routes::with(&path, &[("slot", NEW)]);
    let rows = rules.windows.iter().enumerate().map(|(at, window)| {
        let href = routes::with(&path, &[("slot", &at.to_string())]);
        let day = |day: &u8| locales::weekday::d0.later(usize::from(*day) % 7).of(i18n);
        let days = match window.weekdays.len() {
            7 => t!(i18n, shipping.slot_each_day).to_owned(),
            _ => window.weekdays.iter().map(day).collect::<Vec<_>>().join(", "),
        };
        let extra = match window.extra.amount() {
            0 => String::new(),
            _ => format!("+{}", words::money(i18n, window.extra)),
        };
        let hours = Slot { day: 0, from: window.from, to: window.to }.hours();
        view! {
            <tr>
                <th scope="row">
                    <a class="row-link" href=href>{hours}</a>
                    <span class="note below">{days}</span>
                </th>
                <td class="number">{words::number(i18n, window.orders)}</td>
                <td class="wide">{tn!(i18n, shipping.slot_hours_before, window.closes / 60)}</td>
                <td class="number">{extra}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let list = if rules.windows.is_empty() {
        view! { <p class="note">{t!(i18n, shipping.slots_none)}</p> }.into_any()
    } else {
        let columns = vec![
            (t!(i18n, shipping.slot_time), ""),
            (t!(i18n, shipping.slot_orders), "number"),
            (t!(i18n, shipping.slot_closes), "wide"),
            (t!(i18n, shipping.slot_extra), "number"),
        ];
        view! { <Table caption=t!(i18n, shipping.slots) columns>{rows}</Table> }.into_any()
    };
    let orders = routes::shop_orders(handle);
    let next = booked.into_iter().map(|of| {
        let href = routes::with(&orders, &[("slot", &of.slot.to_string())]);
        view! {
            <li class="dots">
                <a href=href>{words::slot(i18n, of.slot)}</a> " "
                <span>{t!(i18n, shipping.slot_booked, n = words::number(i18n, of.booked), of = words::number(i18n, of.orders))}</span>
            </li>
        }
    });
    let next: Vec<_> = next.collect();
    let next = (!next.is_empty()).then(|| {
        view! {
            <h3>{t!(i18n, shipping.slots_booked)}</h3>
            <ul>{next}</ul>
        }
    });
    view! {
        <section class="panel form" aria-labelledby="slots">
            <h2 id="slots">{t!(i18n, shipping.slots)}</h2>
            <p class="note">{t!(i18n, shipping.slots_note)}</p>
            {list}
            <p class="actions"><LinkButton href=create look="secondary">{t!(i18n, shipping.slot_add)}</LinkButton></p>
            {next}
        </section>
    }
    .into_any()
}

/// The names of the checkboxes of the days of a slot, from Monday.
const SLOT_DAYS: [&str; 7] = ["days.1", "days.2", "days.3", "days.4", "days.5", "days.6", "days.7"];

fn slot_label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "days" => t!(i18n, shipping.slot_days),
        "from" => t!(i18n, shipping.slot_begin),
        "to" => t!(i18n, shipping.slot_end),
        "orders" => t!(i18n, shipping.slot_orders),
        "closes" => t!(i18n, shipping.slot_closes),
        _ => t!(i18n, shipping.slot_extra),
    }
}

#[component]
fn EditSlot(
    handle: String,
    settings: ShippingSettings,
    /// The slot and its place, if there is one already.
    window: Option<(usize, SlotWindow)>,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let path = routes::shop_shipping(&handle);
    let ShippingSettings { version, currency, .. } = settings;
    let form = match (&draft.error, &window) {
        (Some(_), _) => SlotForm::read(|name| draft.typed(name)),
        (None, Some((_, window))) => {
            let form = SlotForm::of(window);
            // A field for a time of day doesn't know 24:00.
            let to = if form.to == "24:00" { "00:00".to_owned() } else { form.to };
            SlotForm { to, ..form }
        }
        (None, None) => SlotForm::new(),
    };
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let labels = ["days", "from", "to", "orders", "closes", "extra"];
    let labels = labels.map(|name| (name, slot_label(i18n, name).to_owned())).to_vec();
    let at = window.map(|(at, _)| at.to_string());
    let remove = at.clone().map(|at| {
        view! {
            <form method="post" action=path.clone() class="actions">
                <input type="hidden" name="at" value=at />
                <input type="hidden" name="version" value=version.to_string() />
                <button type="submit" class="button quiet" name="action" value="remove_slot">{t!(i18n, shipping.slot_remove)}</button>
            </form>
        }
    });
    let back = path.clone();
    view! {
        <form method="post" action=path class="form" novalidate>
            <input type="hidden" name="at" value=at.unwrap_or_default() />
            <input type="hidden" name="version" value=version.to_string() />
            <input type="hidden" name="action" value="slot" />
            <ErrorSummary faults labels />
            <section class="panel form">
                {weekdays(i18n, "days", slot_label(i18n, "days"), SLOT_DAYS, form.days, faults)}
                <div class="field-row">
                    <Field name="from" kind="time" label=slot_label(i18n, "from") value=form.from required=true faults />
                    <Field name="to" kind="time" label=slot_label(i18n, "to") value=form.to required=true faults />
                </div>
                <div class="field-row">
                    <Field name="orders" label=slot_label(i18n, "orders") value=form.orders required=true keys="numeric" hint=t!(i18n, shipping.slot_orders_hint) faults />
                    <Field name="closes" label=slot_label(i18n, "closes") value=form.closes optional=true keys="numeric" hint=t!(i18n, shipping.slot_closes_hint) faults />
                </div>
                <Amount name="extra" label=format!("{} ({})", slot_label(i18n, "extra"), currency.code()) value=form.extra hint=t!(i18n, shipping.slot_extra_hint).to_owned() currency faults />
            </section>
            <div class="actions">
                <Button>{t!(i18n, form.save)}</Button>
                <LinkButton href=back look="quiet">{t!(i18n, shipping.back)}</LinkButton>
            </div>
        </form>
        {remove}
    }
}

/// Checkboxes for the days of the week, from Monday.
fn weekdays(
    i18n: I18n,
    id: &'static str,
    label: &'static str,
    names: [&'static str; 7],
    checked: [bool; 7],
    faults: Signal<Option<Error>>,
) -> AnyView {
    let days = (1..=7).zip(names).zip(checked).map(|((day, name), checked)| {
        // The weekdays of texts begin with Sunday.
        view! {
            <div class="check">
                <input type="checkbox" id=name name=name value="true" checked=checked />
                <label for=name>{locales::weekday::d0.later(day % 7).of(i18n)}</label>
            </div>
        }
    });
    let days = days.collect_view();
    let missing = move || {
        let code = faults.with(|error| error.as_ref().and_then(|error| error.at(id)))?;
        Some(view! { <p class="field-error">{words::fault(i18n, id, code)}</p> })
    };
    view! {
        <fieldset class="weekdays" id=id>
            <legend>{label}</legend>
            <div>{days}</div>
            {missing}
        </fieldset>
    }
    .into_any()
}

#[component]
fn CalendarPart(path: String, version: i64, form: CalendarForm, error: Option<Error>) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(error);
    let labels = ["works", "handling_days", "cutoff", "holidays", "time_zone"];
    let labels = labels.map(|name| (name, calendar_label(i18n, name).to_owned())).to_vec();
    view! {
        <form method="post" action=path class="form" novalidate>
            <input type="hidden" name="version" value=version.to_string() />
            <section class="panel form" aria-labelledby="calendar">
                <h2 id="calendar">{t!(i18n, shipping.calendar)}</h2>
                <p class="note">{t!(i18n, shipping.calendar_note)}</p>
                <ErrorSummary faults labels />
                {weekdays(i18n, "works", calendar_label(i18n, "works"), NAMES, form.works, faults)}
                <div class="field-row">
                    <Field name="handling_days" label=calendar_label(i18n, "handling_days") value=form.handling_days keys="numeric" faults />
                    <Field name="cutoff" kind="time" label=calendar_label(i18n, "cutoff") value=form.cutoff optional=true hint=t!(i18n, shipping.cutoff_hint) faults />
                </div>
                <TextArea name="holidays" label=calendar_label(i18n, "holidays") value=form.holidays optional=true rows=3 hint=t!(i18n, shipping.holidays_hint).to_owned() faults />
                <Field name="time_zone" label=calendar_label(i18n, "time_zone") value=form.time_zone optional=true hint=t!(i18n, shipping.time_zone_hint) faults />
                <div class="actions">
                    <button type="submit" class="button primary" name="action" value="calendar">{t!(i18n, form.save)}</button>
                </div>
            </section>
        </form>
    }
}

/// The names of the checkboxes of the weekdays, from Monday.
const NAMES: [&str; 7] = ["works.1", "works.2", "works.3", "works.4", "works.5", "works.6", "works.7"];

fn calendar_label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "works" => t!(i18n, shipping.works),
        "handling_days" => t!(i18n, shipping.handling_days),
        "cutoff" => t!(i18n, shipping.cutoff),
        "holidays" => t!(i18n, shipping.holidays),
        _ => t!(i18n, shipping.time_zone),
    }
}

#[component]
fn Edit(
    handle: String,
    settings: ShippingSettings,
    zone: Option<Zone>,
    draft: Draft,
    /// What was asked for without JavaScript.
    first: Option<ShippingPreview>,
) -> impl IntoView {
    let i18n = use_i18n();
    let path = routes::shop_shipping(&handle);
    let basket = basket_of(&draft, &settings);
    let ShippingSettings { version, currency, rules, .. } = settings;
    let form = match (draft.fields.get("areas"), &zone) {
        (Some(_), _) => ZoneForm::read(|name| draft.typed(name)),
        (None, Some(zone)) => ZoneForm::of(zone),
        (None, None) => ZoneForm::new(),
    };
    let form = ZoneForm { name: zone_name(i18n, &form.name), ..form };
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let typed = RwSignal::new(form.clone());
    let read = move |event: web_sys::Event| {
        if let Some(field) = ui::typed(&event) {
            typed.set(ZoneForm::read(field));
        }
    };
    let id = zone.as_ref().map(|zone| zone.id);
    // Said while it is typed, too.
    let others = rules.zones;
    let overlap = move || {
        let areas: Vec<Area> = typed.with(ZoneForm::areas).into_iter().flatten().collect();
        let (area, other) = without_overlap(&areas, &others, id).err()?;
        let (zone, area) = (zone_name(i18n, &other.name), area_words(i18n, &area));
        Some(
            view! { <p class="field-error" id="overlap">{t!(i18n, shipping.overlap_with, zone = zone, area = area)}</p> },
        )
    };
    let names = ["name", "areas", "cash_max"].map(|name| (name, label(i18n, name, None)));
    let of_methods = KEYS.into_iter().zip(ShippingMethod::OFFERED).flat_map(|(keys, method)| {
        keys.into_iter().map(move |key| {
            let part = key.rsplit('.').next().unwrap_or_default();
            (key, label(i18n, part, Some(method)))
        })
    });
    let of_all = ("methods", t!(i18n, shipping.methods).to_owned());
    let labels = names.into_iter().chain([of_all]).chain(of_methods).collect();
    let no_method = move || {
        let missing = faults.with(|error| error.as_ref().is_some_and(|error| error.at("methods").is_some()));
        missing.then(|| view! { <p class="field-error">{t!(i18n, shipping.no_method)}</p> })
    };
    let methods = KEYS.into_iter().zip(ShippingMethod::OFFERED).zip(form.methods.clone());
    let methods =
        methods.map(|((keys, method), form)| view! { <MethodPart keys method form currency faults /> });
    let methods = methods.collect_view();
    let action = if zone.is_some() { "save" } else { "add" };
    let remove = zone.map(|zone| {
        view! {
            <form method="post" action=path.clone() class="actions">
                <input type="hidden" name="id" value=zone.id.to_string() />
                <input type="hidden" name="version" value=version.to_string() />
                <button type="submit" class="button quiet" name="action" value="remove">{t!(i18n, shipping.remove)}</button>
            </form>
        }
    });
    let back = path.clone();
    view! {
        <form method="post" action=path class="form" novalidate on:input=read on:change=read>
            <input type="hidden" name="id" value=id.map(|id| id.to_string()).unwrap_or_default() />
            <input type="hidden" name="version" value=version.to_string() />
            <input type="hidden" name="action" value=action />
            <input type="hidden" name="edit" value=id.map_or_else(|| NEW.to_owned(), |id| id.to_string()) />
            <ErrorSummary faults labels />
            <section class="panel form">
                <Field name="name" label=label(i18n, "name", None) value=form.name required=true hint=t!(i18n, shipping.name_hint) faults />
                <TextArea name="areas" label=label(i18n, "areas", None) value=form.areas rows=4 hint=t!(i18n, shipping.areas_hint).to_owned() faults />
                <div aria-live="polite">{overlap}</div>
            </section>
            <div class="form" id="methods" tabindex="-1">
                {no_method}
                {methods}
            </div>
            <section class="panel form" aria-labelledby="cash">
                <h2 id="cash">{t!(i18n, shipping.cash)}</h2>
                <Check name="no_cash" label=t!(i18n, shipping.no_cash).to_owned() checked=form.no_cash />
                <Amount name="cash_max" label=format!("{} ({})", label(i18n, "cash_max", None), currency.code()) value=form.cash_max.clone() hint=t!(i18n, shipping.cash_max_hint).to_owned() currency faults />
            </section>
            <Preview handle currency basket id typed=Some(typed) first />
            <div class="actions">
                <Button>{t!(i18n, form.save)}</Button>
                <PreviewButton />
                <LinkButton href=back look="quiet">{t!(i18n, shipping.back)}</LinkButton>
            </div>
        </form>
        {remove}
    }
}

/// The names of the fields of a method.
type Keys = [&'static str; 7];

const KEYS: [Keys; 4] = [
    [
        "standard.offered",
        "standard.name",
        "standard.by",
        "standard.rates",
        "standard.free_from",
        "standard.days_min",
        "standard.days_max",
    ],
    [
        "express.offered",
        "express.name",
        "express.by",
        "express.rates",
        "express.free_from",
        "express.days_min",
        "express.days_max",
    ],
    [
        "pickup.offered",
        "pickup.name",
        "pickup.by",
        "pickup.rates",
        "pickup.free_from",
        "pickup.days_min",
        "pickup.days_max",
    ],
    [
        "slot.offered",
        "slot.name",
        "slot.by",
        "slot.rates",
        "slot.free_from",
        "slot.days_min",
        "slot.days_max",
    ],
];

/// The label of a field; in messages with its method.
fn label(i18n: I18n, part: &str, of: Option<ShippingMethod>) -> String {
    let label = match part {
        "areas" => t!(i18n, shipping.areas),
        "cash_max" => t!(i18n, shipping.cash_max),
        "name" if of.is_none() => t!(i18n, shipping.name),
        "name" => t!(i18n, shipping.own_name),
        "by" => t!(i18n, shipping.by),
        "rates" => t!(i18n, shipping.rates),
        "free_from" => t!(i18n, settings.free_from),
        "days_min" => t!(i18n, shipping.days_min),
        "days_max" => t!(i18n, shipping.days_max),
        _ => "",
    };
    match of {
        Some(method) => format!("{}: {label}", words::shipping_name(i18n, method, "")),
        None => label.to_owned(),
    }
}

#[component]
fn MethodPart(
    keys: Keys,
    method: ShippingMethod,
    form: MethodForm,
    currency: Currency,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let [offered, name, by, rates, free_from, days_min, days_max] = keys;
    let title = words::shipping_name(i18n, method, "");
    let text = |part| label(i18n, part, None);
    let ways = PriceBy::ALL.map(|by| {
        let words = match by {
            PriceBy::Flat => t!(i18n, shipping.by_flat),
            PriceBy::Weight => t!(i18n, shipping.by_weight),
            PriceBy::Value => t!(i18n, shipping.by_value),
            PriceBy::Items => t!(i18n, shipping.by_items),
        };
        (by.as_str(), words)
    });
    // The customer chooses the day of a slot.
    let days = (method != ShippingMethod::Slot).then(|| {
        view! {
            <div class="field-row">
                <Field name=days_min label=text("days_min") value=form.days_min keys="numeric" faults />
                <Field name=days_max label=text("days_max") value=form.days_max keys="numeric" faults />
            </div>
        }
    });
    let heading = format!("{}-title", method.as_str());
    let own_name = t!(i18n, shipping.own_name);
    view! {
        <section class="panel form" aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>{title}</h2>
            <Check name=offered label=t!(i18n, shipping.offered) checked=form.offered />
            <Field name=name label=own_name value=form.name optional=true hint=t!(i18n, shipping.own_name_hint, method = title) faults />
            <div class="field-row">
                <Select name=by label=text("by") value=form.by options=ways.to_vec() faults />
                <Amount name=free_from label=format!("{} ({})", text("free_from"), currency.code()) value=form.free_from hint=t!(i18n, settings.free_hint).to_owned() currency faults />
            </div>
            <TextArea name=rates label=format!("{} ({})", text("rates"), currency.code()) value=form.rates rows=3 hint=t!(i18n, shipping.rates_hint).to_owned() faults />
            {days}
        </section>
    }
}

/// How long after the last key a preview is asked for.
const ASK_AFTER: Duration = Duration::from_millis(300);

/// The fields of the basket of a preview.
const BASKET: [&str; 6] = [
    "preview_country",
    "preview_region",
    "preview_postal_code",
    "preview_value",
    "preview_weight",
    "preview_items",
];

/// The basket that was typed, or the one that a preview begins with.
fn basket_of(draft: &Draft, settings: &ShippingSettings) -> BasketForm {
    let thousand = Money::new(1_000 * 10i64.pow(settings.currency.decimals()), settings.currency).plain();
    let first = [settings.home.as_str(), "", "", thousand.as_str(), "1", "1"];
    let [country, region, postal_code, value, weight, items] =
        std::array::from_fn(|at| previewing::or(draft, BASKET[at], first[at]));
    BasketForm { country, region, postal_code, value, weight, items }
}

/// What shipping of a basket would cost, while the form is filled in.
#[component]
fn Preview(
    handle: String,
    currency: Currency,
    /// The basket to begin with, and what it costs, if that was asked for.
    basket: BasketForm,
    first: Option<ShippingPreview>,
    /// The zone that is being edited.
    id: Option<ZoneId>,
    typed: Option<RwSignal<ZoneForm>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let shown_first = basket.clone();
    let basket = RwSignal::new(basket);
    let answer: RwSignal<Option<ShippingPreview>> = RwSignal::new(first);
    // Of several requests, the last one counts.
    let (asked, timer) = (StoredValue::new(0_u32), StoredValue::new(None::<TimeoutHandle>));
    let handle = StoredValue::new(handle);
    let ask = move || {
        let (Some(handle), Some(basket)) = (handle.try_get_value(), basket.try_get_untracked()) else {
            return;
        };
        let edited = typed.and_then(|typed| typed.try_get_untracked()).map(|form| (id, form));
        if edited.as_ref().is_some_and(|(_, form)| form.areas.trim().is_empty()) {
            return;
        }
        asked.update_value(|n| *n += 1);
        let this = asked.get_value();
        leptos::task::spawn_local(async move {
            let found = api::shipping::preview(handle, basket, edited).await.ok().flatten();
            if asked.try_get_value() == Some(this) {
                answer.try_set(found);
            }
        });
    };
    Effect::new(move || {
        basket.track();
        if let Some(typed) = typed {
            typed.track();
        }
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        timer.set_value(set_timeout_with_handle(ask, ASK_AFTER).ok());
    });
    on_cleanup(move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    });
    let option = move |option: ShippingOption| {
        let price = match option.price.amount() {
            0 => t!(i18n, cart.free).to_owned(),
            _ => words::money(i18n, option.price),
        };
        let name = words::shipping_name(i18n, option.shipping_method, &option.name).to_owned();
        view! {
            <p class="dots"><span>{name}</span> " " <span class="price">{price}</span></p>
            <p class="note">{words::option_arrives(i18n, &option)}</p>
        }
    };
    let shown = move || match answer.get() {
        None => view! { <p class="note">{t!(i18n, shipping.preview_later)}</p> }.into_any(),
        Some(preview) => {
            let zone = preview.zone.map(|zone| zone_name(i18n, &zone));
            let zone =
                zone.map(|zone| view! { <p class="note">{t!(i18n, shipping.preview_zone, zone = zone)}</p> });
            let none = preview.options.is_empty().then(|| view! { <p>{t!(i18n, shipping.preview_none)}</p> });
            let options = preview.options.into_iter().map(option).collect_view();
            view! { {zone} {options} {none} }.into_any()
        }
    };
    let all = countries::all(i18n).into_iter().map(|(code, name)| {
        view! { <option value=code selected=code == shown_first.country>{name}</option> }
    });
    let all = all.collect_view();
    let optional = |label: &'static str| t!(i18n, form.optional, label = label);
    let input = move |name: &'static str, label: String, value: String, set: fn(&mut BasketForm, String)| {
        let id = name.replace('_', "-");
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input id=id name=name type="text" value=value on:input=move |event| {
                    basket.update(|basket| set(basket, event_target_value(&event)));
                } />
            </div>
        }
    };
    view! {
        <section class="panel form" aria-labelledby="preview">
            <h2 id="preview">{t!(i18n, shipping.preview)}</h2>
            <p class="note">{t!(i18n, shipping.preview_note)}</p>
            <div class="field-row">
                <div class="field">
                    <label for="preview-country">{t!(i18n, checkout.country)}</label>
                    <select id="preview-country" name=BASKET[0] on:change=move |event| {
                        basket.update(|basket| basket.country = event_target_value(&event));
                    }>{all}</select>
                </div>
                {input(BASKET[1], optional(t!(i18n, checkout.state)), shown_first.region, |basket, typed| basket.region = typed)}
                {input(BASKET[2], optional(t!(i18n, checkout.postal_code)), shown_first.postal_code, |basket, typed| basket.postal_code = typed)}
            </div>
            <div class="field-row">
                {input(BASKET[3], format!("{} ({})", t!(i18n, shipping.preview_value), currency.code()), shown_first.value, |basket, typed| basket.value = typed)}
                {input(BASKET[4], t!(i18n, shipping.preview_weight).to_owned(), shown_first.weight, |basket, typed| basket.weight = typed)}
                {input(BASKET[5], t!(i18n, shipping.preview_items).to_owned(), shown_first.items, |basket, typed| basket.items = typed)}
            </div>
            <div class="summary" aria-live="polite">{shown}</div>
        </section>
    }
}
