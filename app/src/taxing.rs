//! The tax rates of the market: how it taxes, the list, a form for another one, and a preview.

use std::time::Duration;

use haat_shared::{
    Currency, Error, Money, amounts,
    forms::Draft,
    routes::TAXES,
    taxes::{
        STANDARD, TaxBasis, TaxKind, TaxLine, TaxNote, TaxPreview, TaxRateCard, TaxRateForm, TaxRateState,
        TaxSettings, percent,
    },
};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, web_sys};

use crate::{
    admin,
    api::{self, ApiError},
    countries,
    i18n::{t, use_i18n},
    previewing::{self, PreviewButton},
    state::query,
    storefront::draft_by,
    sums::tax_name,
    ui::{self, Alert, Button, Check, CodeAlert, ErrorSummary, Field, PageTitle, Select, Table, loaded},
    words::{self, I18n},
};

/// The page of taxes.
#[component]
pub(crate) fn MarketTaxes() -> impl IntoView {
    let (draft, done, of, noted) = (query("draft"), query("done"), query("of"), query("n"));
    let asked = previewing::asked();
    let found = api::find(
        move || (draft.get(), done.get(), of.get(), asked.get()),
        |(draft, done, of, asked)| async move {
            let (settings, rates, currency, home) = api::taxes::page().await?;
            let draft = previewing::typed(draft_by("tax_rate", draft).await?, asked);
            let lines = match question(&|name| draft.typed(name), currency) {
                Some(of) if !draft.fields.is_empty() => api::taxes::preview(of).await.ok(),
                _ => None,
            };
            Ok::<_, ApiError>((settings, (rates, of), (currency, home), (draft, lines), done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(settings, (rates, of), (currency, home), (draft, lines), done)| {
        let done = match done.as_str() {
            "add" => Some(t!(i18n, taxes.added)),
            "end" => Some(t!(i18n, taxes.ended)),
            "remove" => Some(t!(i18n, taxes.removed)),
            "settings" => Some(t!(i18n, form.saved)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        // What was said in the preview is said again, to those who didn't look at it.
        let notes = noted.get_untracked();
        let notes: Vec<_> =
            notes.split(' ').filter_map(TaxNote::parse).map(|note| note_words(i18n, note)).collect();
        let notes = (!notes.is_empty()).then(|| view! { <Alert look="info">{notes.join(" ")}</Alert> });
        let of_settings = draft.error.as_ref().is_some_and(|error| error.at("shipping_category").is_some());
        let settings = match of_settings {
            true => TaxSettings { shipping_category: draft.typed("shipping_category"), ..settings },
            false => settings,
        };
        let first = TaxRateForm {
            country: home.clone(),
            tax_category: STANDARD.to_owned(),
            kind: TaxKind::Plain.as_str().to_owned(),
            ..TaxRateForm::default()
        };
        let form = match of_settings || draft.fields.is_empty() {
            true => first,
            false => TaxRateForm::read(|name| draft.typed(name)),
        };
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
        view! {
            <PageTitle text=t!(i18n, taxes.title) />
            <h1>{t!(i18n, taxes.title)}</h1>
            <CodeAlert />
            {done}
            {notes}
            <ErrorSummary faults labels=LABELS.map(|name| (name, label(i18n, name).to_owned())).to_vec() />
            <Settings settings faults />
            <Add form draft lines currency home faults />
            <Rates rates of />
        }
    });
    admin::taxes_page(page.into_any())
}

const LABELS: [&str; 9] = [
    "country",
    "region",
    "tax_category",
    "name",
    "kind",
    "percent",
    "starts_on",
    "ends_on",
    "shipping_category",
];

fn label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "country" => t!(i18n, checkout.country),
        "region" => t!(i18n, settings.region),
        "tax_category" => t!(i18n, taxes.category),
        "name" => t!(i18n, taxes.name),
        "kind" => t!(i18n, taxes.kind),
        "percent" => t!(i18n, taxes.percent),
        "starts_on" => t!(i18n, promotions.starts_on),
        "ends_on" => t!(i18n, promotions.ends_on),
        _ => t!(i18n, taxes.shipping_category),
    }
}

fn kind_words(i18n: I18n, kind: TaxKind) -> &'static str {
    match kind {
        TaxKind::Plain => t!(i18n, taxes.plain),
        TaxKind::OnTop => t!(i18n, taxes.on_top),
        TaxKind::Gst => t!(i18n, taxes.gst),
    }
}

fn note_words(i18n: I18n, note: TaxNote) -> &'static str {
    match note {
        TaxNote::Zero => t!(i18n, taxes.note_zero),
        TaxNote::Over => t!(i18n, taxes.note_over),
        TaxNote::UnknownCategory => t!(i18n, taxes.note_unknown_category),
    }
}

/// How the market taxes.
#[component]
fn Settings(settings: TaxSettings, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let bases = vec![
        (TaxBasis::Destination.as_str(), t!(i18n, taxes.destination)),
        (TaxBasis::Origin.as_str(), t!(i18n, taxes.origin)),
    ];
    view! {
        <form method="post" action=TAXES class="panel form" novalidate aria-labelledby="how">
            <h2 id="how">{t!(i18n, taxes.how)}</h2>
            <input type="hidden" name="action" value="settings" />
            <Check name="prices_include_tax" label=t!(i18n, settings.tax_included).to_owned() checked=settings.prices_include_tax />
            <Select name="based_on" label=t!(i18n, taxes.based_on) value=settings.based_on.as_str() options=bases />
            <Field name="shipping_category" label=label(i18n, "shipping_category") value=settings.shipping_category optional=true hint=t!(i18n, taxes.shipping_hint) faults />
            <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
        </form>
    }
}

/// The rates by place: all, or those of a country.
#[component]
fn Rates(
    rates: Vec<TaxRateCard>,
    /// The code of the country. Empty for all.
    of: String,
) -> impl IntoView {
    let i18n = use_i18n();
    let mut places: Vec<(&'static str, String)> = Vec::new();
    for (code, name) in countries::all(i18n) {
        if rates.iter().any(|rate| rate.country == code) {
            places.push((name, code.into()));
        }
    }
    let places = places.into_iter().map(|(name, code)| {
        view! { <option value=code.clone() selected=code == of>{name}</option> }
    });
    let filter = view! {
        <form method="get" action=TAXES class="period-form">
            <div class="field">
                <label for="of">{t!(i18n, taxes.rates)}</label>
                <select id="of" name="of">
                    <option value="">{t!(i18n, taxes.everywhere)}</option>
                    {places.collect_view()}
                </select>
            </div>
            <button type="submit" class="button secondary">{t!(i18n, taxes.filter)}</button>
        </form>
    };
    let shown = rates.into_iter().filter(|card| of.is_empty() || card.country == of);
    let rows = shown.map(|card| {
        let country = countries::name(i18n, &card.country).to_owned();
        let place = match card.region.is_empty() {
            true => country,
            false => format!("{country} · {}", card.region),
        };
        let named = format!("{} {}%", card.name, percent(card.rate_ppm));
        let kind = (card.kind != TaxKind::Plain).then(|| kind_words(i18n, card.kind));
        // Of most rates, there is nothing to say.
        let (from, until) = (words::day(i18n, &card.starts_at), card.ends_at.map(|end| words::last_day(i18n, &end)));
        let state = match (card.status, until) {
            (TaxRateState::Ended, _) => Some(t!(i18n, promotions.over).to_owned()),
            (TaxRateState::Scheduled, Some(until)) => {
                Some(format!("{} · {}", t!(i18n, taxes.from, day = from), t!(i18n, taxes.until, day = until)))
            }
            (TaxRateState::Scheduled, None) => Some(t!(i18n, taxes.from, day = from)),
            (TaxRateState::Active, Some(until)) => Some(t!(i18n, taxes.until, day = until)),
            (TaxRateState::Active, None) => None,
        };
        let notes = kind.map(str::to_owned).into_iter().chain(state).map(|note| {
            view! { <span class="note below">{note}</span> }
        });
        let notes = notes.collect_view();
        let about = format!("{place} {} {named}", card.tax_category);
        let id = card.id.to_string();
        let end = (card.status != TaxRateState::Ended).then(|| {
            view! {
                <form method="post" action=TAXES>
                    <input type="hidden" name="id" value=id.clone() />
                    <button type="submit" class="button quiet" name="action" value="end" aria-label=format!("{} {about}", t!(i18n, taxes.end))>{t!(i18n, taxes.end)}</button>
                </form>
            }
        });
        let note = t!(i18n, taxes.remove_note).to_owned();
        let remove = admin::removal(i18n, TAXES, vec![("id", id.clone())], about.clone(), note);
        view! {
            <tr>
                <th scope="row">
                    {place}
                    <span class="note below">{card.tax_category}</span>
                </th>
                <td>
                    {named}
                    {notes}
                </td>
                <td>
                    <div class="actions">{end} {remove}</div>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns =
        vec![(t!(i18n, taxes.place), ""), (t!(i18n, taxes.rate), ""), (t!(i18n, taxes.actions), "")];
    view! {
        {filter}
        <Table caption=t!(i18n, taxes.rates) columns>{rows}</Table>
    }
}

/// How long after the last key a preview is asked for.
const ASK_AFTER: Duration = Duration::from_millis(300);

/// What the form asks: what an item would be taxed, with the rate that is typed if it is complete. `None` without a price.
fn question(field: &dyn Fn(&str) -> String, currency: Currency) -> Option<TaxPreview> {
    let rate = TaxRateForm::read(field);
    // A rate that can't be saved has no effect to show.
    if !rate.percent.trim().is_empty() && !rate.name.trim().is_empty() && rate.check().is_err() {
        return None;
    }
    let tax_category = match field("tax_category") {
        none if none.trim().is_empty() => STANDARD.to_owned(),
        typed => typed.trim().to_lowercase(),
    };
    // A buyer at no other place is where the rate is.
    let to = match field("to_country") {
        none if none.is_empty() && field("to_region").trim().is_empty() => {
            (field("country"), field("region"))
        }
        none if none.is_empty() => (field("country"), field("to_region")),
        other => (other, field("to_region")),
    };
    Some(TaxPreview {
        from_country: field("from_country"),
        from_region: field("from_region").trim().to_uppercase(),
        country: to.0,
        region: to.1,
        tax_id: field("tax_id").trim().to_owned(),
        tax_category,
        price: amounts::read("price", &field("price"), currency).ok()?,
        unsaved: rate.check().is_ok().then_some(rate),
    })
}

/// The form for another rate, and what an item would be taxed with it.
#[component]
fn Add(
    form: TaxRateForm,
    /// The fields of the preview, if they were sent.
    draft: Draft,
    /// What the page begins with.
    lines: Option<(Vec<TaxLine>, Vec<TaxNote>)>,
    currency: Currency,
    /// The market's country.
    home: String,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let kinds = TaxKind::ALL.map(|kind| (kind.as_str(), kind_words(i18n, kind))).to_vec();
    let asked: RwSignal<Option<TaxPreview>> = RwSignal::new(None);
    let answer = RwSignal::new(lines);
    // Of several requests, the last one counts.
    let (count, timer) = (StoredValue::new(0_u32), StoredValue::new(None::<TimeoutHandle>));
    let ask = move || {
        let Some(of) = asked.try_get_untracked().flatten() else { return };
        count.update_value(|n| *n += 1);
        let this = count.get_value();
        leptos::task::spawn_local(async move {
            let found = api::taxes::preview(of).await.ok();
            if count.try_get_value() == Some(this) {
                answer.try_set(found);
            }
        });
    };
    let stop = move || {
        if let Some(timer) = timer.try_get_value().flatten() {
            timer.clear();
        }
    };
    on_cleanup(stop);
    let read = move |event: web_sys::Event| {
        if let Some(field) = ui::typed(&event) {
            asked.set(question(&field, currency));
            stop();
            timer.set_value(set_timeout_with_handle(ask, ASK_AFTER).ok());
        }
    };
    let shown = move || match answer.get() {
        None => view! { <p class="note">{t!(i18n, taxes.preview_note)}</p> }.into_any(),
        Some((lines, notes)) => {
            let none = lines.is_empty().then(|| view! { <p>{t!(i18n, taxes.none)}</p> });
            let notes = notes.into_iter().map(|note| {
                view! { <p class="note">{note_words(i18n, note)}</p> }
            });
            let notes = notes.collect_view();
            let rows = lines.into_iter().map(|line| {
                let included = match line.included {
                    true => t!(i18n, taxes.in_price),
                    false => t!(i18n, taxes.on_price),
                };
                view! {
                    <div>
                        <dt>{tax_name(&line)} " " <span class="note">{included}</span></dt>
                        <dd>{words::money(i18n, line.amount)}</dd>
                    </div>
                }
            });
            view! {
                {none}
                <dl class="sums">{rows.collect_view()}</dl>
                {notes}
            }
            .into_any()
        }
    };
    let first = |name: &str, first: &str| previewing::or(&draft, name, first);
    let (from, to) = (first("from_country", &home), draft.typed("to_country"));
    let mut buyers = countries::all(i18n);
    buyers.insert(0, ("", t!(i18n, taxes.to_rate)));
    let thousand = Money::new(1_000 * 10i64.pow(currency.decimals()), currency);
    let price = first("price", &thousand.plain());
    view! {
        <form method="post" action=TAXES class="panel form" novalidate aria-labelledby="add" on:input=read on:change=read>
            <h2 id="add">{t!(i18n, taxes.add)}</h2>
            <input type="hidden" name="action" value="add" />
            <div class="field-row">
                <Select name="country" label=label(i18n, "country") value=form.country options=countries::all(i18n) faults />
                <Field name="region" label=label(i18n, "region") value=form.region optional=true hint=t!(i18n, taxes.region_hint) faults />
            </div>
            <div class="field-row">
                <Field name="tax_category" label=label(i18n, "tax_category") value=form.tax_category required=true hint=t!(i18n, taxes.category_hint) faults />
                <Field name="name" label=label(i18n, "name") value=form.name required=true hint=t!(i18n, taxes.name_hint) faults />
            </div>
            <div class="field-row">
                <Field name="percent" label=label(i18n, "percent") value=form.percent required=true keys="decimal" faults />
                <Select name="kind" label=label(i18n, "kind") value=form.kind options=kinds faults />
            </div>
            <div class="field-row">
                <Field name="starts_on" kind="date" label=label(i18n, "starts_on") value=form.starts_on optional=true faults />
                <Field name="ends_on" kind="date" label=label(i18n, "ends_on") value=form.ends_on optional=true faults />
            </div>
            <fieldset class="form">
                <legend>{t!(i18n, promotions.preview)}</legend>
                <div class="field-row">
                    <Select name="from_country" label=t!(i18n, taxes.from_country) value=from options=countries::all(i18n) />
                    <Field name="from_region" label=t!(i18n, taxes.from_region) value=draft.typed("from_region") optional=true />
                </div>
                <div class="field-row">
                    <Select name="to_country" label=t!(i18n, taxes.to_country) value=to options=buyers />
                    <Field name="to_region" label=t!(i18n, taxes.to_region) value=draft.typed("to_region") optional=true />
                </div>
                <div class="field-row">
                    <Field name="price" label=t!(i18n, promotions.preview_price) value=price keys="decimal" />
                    <Field name="tax_id" label=t!(i18n, checkout.tax_id) value=draft.typed("tax_id") optional=true />
                </div>
                <div class="summary" aria-live="polite">{shown}</div>
            </fieldset>
            <div class="actions">
                <Button>{t!(i18n, taxes.add)}</Button>
                <PreviewButton />
            </div>
        </form>
    }
}
