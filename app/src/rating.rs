//! The currencies that shoppers can pay in: their rates, forms for new ones, and what an amount costs in each.

use haat_shared::{
    Currency, Error, FieldCode, Money, amounts,
    currencies::{CurrencyCard, RateFile, decimal, is_unusual, read_file, read_rate},
    forms::Draft,
    money::{self, Rate},
    routes::CURRENCIES,
    shipping::date,
};
use leptos::{prelude::*, web_sys};

use crate::{
    admin,
    api::{self, ApiError},
    i18n::{Locale, t, use_i18n},
    previewing::{self, PreviewButton},
    state::query,
    storefront::draft_by,
    ui::{
        self, Alert, Button, Check, CodeAlert, ErrorSummary, Field, PageTitle, Select, Table, TextArea,
        loaded,
    },
    words,
};

/// The page of currencies.
#[component]
pub(crate) fn Currencies() -> impl IntoView {
    let (draft, done) = (query("draft"), query("done"));
    let asked = previewing::asked();
    let found = api::find(
        move || (draft.get(), done.get(), asked.get()),
        |(draft, done, asked)| async move {
            let cards = api::currencies::page().await?;
            Ok::<_, ApiError>((cards, previewing::typed(draft_by("rate", draft).await?, asked), done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(cards, draft, done)| {
        let done = match done.as_str() {
            "set" => Some(t!(i18n, currencies.rate_set)),
            "import" => Some(t!(i18n, currencies.rates_set)),
            "remove" => Some(t!(i18n, currencies.removed)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
        let labels = vec![
            ("currency", t!(i18n, currencies.currency).to_owned()),
            ("rate", t!(i18n, currencies.rate).to_owned()),
            ("rates", t!(i18n, currencies.rates).to_owned()),
            ("source", t!(i18n, currencies.source).to_owned()),
        ];
        let asked = confirmation(i18n, &draft, &cards);
        let confirm = move |action: &str| {
            let here = asked.as_ref().filter(|(of, _)| of == action);
            here.map(|(_, questions)| {
                let questions = questions.iter().map(|words| view! { <p>{words.clone()}</p> }).collect_view();
                view! {
                    {questions}
                    <Check name="confirm" label=t!(i18n, currencies.confirm).to_owned() checked=false />
                }
            })
        };
        let base = cards.first().map_or(Currency::INR, |card| card.currency);
        let others: Vec<&'static str> = cards.iter().skip(1).map(|card| card.currency.listed()).collect();
        let forms = (!others.is_empty()).then(|| {
            let typed = |name: &str, action: &str| match draft.typed("action") == action {
                true => draft.typed(name),
                false => String::new(),
            };
            let options = others.iter().map(|code| (*code, *code)).collect::<Vec<_>>();
            let example = previewing::or(&draft, EXAMPLE, &thousand(base));
            let set = RwSignal::new([typed("currency", "set"), typed("rate", "set"), example.clone()]);
            let read = move |event: web_sys::Event| {
                if let Some(field) = ui::typed(&event) {
                    set.set(["currency", "rate", EXAMPLE].map(field));
                }
            };
            let first = others[0];
            let cost = move || {
                let [currency, rate, example] = set.get();
                let currency = if currency.is_empty() { first.to_owned() } else { currency };
                let amount = amounts::read(EXAMPLE, &example, base).ok();
                let cost = amount.zip(read_rate("rate", &rate).ok()).zip(currency.parse().ok());
                match cost.and_then(|((amount, rate), currency)| money::convert(amount, rate, currency)) {
                    Some(cost) => view! { <p>{words::money(i18n, cost)}</p> }.into_any(),
                    None => view! { <p class="note">{t!(i18n, currencies.preview_later)}</p> }.into_any(),
                }
            };
            let about = t!(i18n, currencies.example_at, currency = base.code());
            view! {
                <form method="post" action=CURRENCIES class="panel form" novalidate aria-labelledby="one" on:input=read on:change=read>
                    <h2 id="one">{t!(i18n, currencies.set)}</h2>
                    <input type="hidden" name="action" value="set" />
                    <div class="field-row">
                        <Select name="currency" label=t!(i18n, currencies.currency) value=typed("currency", "set") options faults />
                        <Field name="rate" label=t!(i18n, currencies.rate) value=typed("rate", "set") required=true keys="decimal" hint=t!(i18n, currencies.rate_hint, currency = base.code()) faults />
                    </div>
                    <Field name="source" label=t!(i18n, currencies.source) value=typed("source", "set") optional=true hint=t!(i18n, currencies.source_hint) />
                    {confirm("set")}
                    <div class="field">
                        <label for=EXAMPLE>{about}</label>
                        <input id=EXAMPLE name=EXAMPLE type="text" inputmode="decimal" value=example />
                    </div>
                    <div class="summary" aria-live="polite">{cost}</div>
                    <div class="actions">
                        <Button>{t!(i18n, currencies.set)}</Button>
                        <PreviewButton />
                    </div>
                </form>
                <form method="post" action=CURRENCIES class="panel form" novalidate aria-labelledby="many">
                    <h2 id="many">{t!(i18n, currencies.import)}</h2>
                    <input type="hidden" name="action" value="import" />
                    <TextArea name="rates" label=t!(i18n, currencies.rates) value=typed("rates", "import") hint=t!(i18n, currencies.rates_hint) faults />
                    <Field name="source" id="file-source" label=t!(i18n, currencies.source) value=typed("source", "import") optional=true faults />
                    {confirm("import")}
                    <div class="actions"><Button>{t!(i18n, currencies.import)}</Button></div>
                </form>
            }
        });
        let about = if forms.is_some() { t!(i18n, currencies.about) } else { t!(i18n, currencies.only_one) };
        view! {
            <PageTitle text=t!(i18n, currencies.title) />
            <h1>{t!(i18n, currencies.title)}</h1>
            <CodeAlert />
            {done}
            <ErrorSummary faults labels />
            <Rates cards base example=previewing::or(&draft, PRICE, &thousand(base)) about />
            {forms}
        }
    });
    admin::currencies_page(page.into_any())
}

/// The amount whose cost is shown at the rate that is typed, and that in the list.
const EXAMPLE: &str = "preview_price";
const PRICE: &str = "price";

/// A thousand, in whole units.
fn thousand(base: Currency) -> String {
    Money::new(1_000 * 10i64.pow(base.decimals()), base).plain()
}

/// What is asked about rates that are old, or very different from the current ones, with the form that has them.
fn confirmation(i18n: Locale, draft: &Draft, cards: &[CurrencyCard]) -> Option<(String, Vec<String>)> {
    let error = draft.error.as_ref()?;
    let asked = |field| matches!(error.at(field), Some(FieldCode::RateChanged | FieldCode::RatesOld));
    let base = cards.first()?.currency;
    let wanted: Vec<Currency> = cards.iter().map(|card| card.currency).collect();
    let (rates, day) = match () {
        () if asked("rate") => {
            let rate = read_rate("rate", &draft.typed("rate")).ok()?;
            (vec![(draft.typed("currency").parse().ok()?, rate)], None)
        }
        () if asked("rates") => {
            let RateFile { rates, day } = read_file(&draft.typed("rates"), base, &wanted).ok()?;
            (rates, day.filter(|_| error.at("rates") == Some(FieldCode::RatesOld)))
        }
        () => return None,
    };
    let old = day.map(|day| t!(i18n, currencies.of_day, day = words::day(i18n, &date(day))));
    let question = |(currency, now): (Currency, Rate)| {
        let before = cards.iter().find(|card| card.currency == currency)?.rate?;
        let (before, now) = is_unusual(now, before).then(|| (decimal(before), decimal(now)))?;
        Some(t!(i18n, currencies.was, currency = currency.code(), before = before, now = now))
    };
    let changed = rates.into_iter().filter_map(question);
    Some((draft.typed("action"), old.into_iter().chain(changed).collect()))
}

/// All currencies with their rates, and what an amount that is typed costs in each.
#[component]
fn Rates(
    cards: Vec<CurrencyCard>,
    base: Currency,
    /// The amount.
    example: String,
    about: &'static str,
) -> impl IntoView {
    let i18n = use_i18n();
    let typed = RwSignal::new(example.clone());
    let rows = cards.into_iter().map(|card| {
        let CurrencyCard { currency, rate, source, since, stale } = card;
        let own = currency == base;
        let said = match rate {
            Some(_) if own => String::new(),
            Some(rate) => format!("1 {} = {} {}", base.code(), decimal(rate), currency.code()),
            None => t!(i18n, currencies.no_rate).to_owned(),
        };
        let since = since.map(|since| words::moment(i18n, &since)).unwrap_or_default();
        let state = match () {
            () if own => Some(("", t!(i18n, currencies.base))),
            () if rate.is_none() => Some(("warn", t!(i18n, currencies.not_offered))),
            () if stale => Some(("warn", t!(i18n, currencies.stale))),
            () => None,
        };
        let state = state.map(|(look, words)| view! { <span class=format!("chip {look}")>{words}</span> });
        let remove = (!own && rate.is_some()).then(|| {
            let note = t!(i18n, currencies.remove_note, currency = currency.code());
            let fields = vec![("currency", currency.code().to_owned())];
            admin::removal(i18n, CURRENCIES, fields, currency.code().to_owned(), note)
        });
        let costs = move || {
            let amount = typed.with(|typed| amounts::read("price", typed, base)).ok()?;
            let cost = if own { Some(amount) } else { money::convert(amount, rate?, currency) };
            cost.map(|cost| words::money(i18n, cost))
        };
        view! {
            <tr>
                <th scope="row">
                    {currency.code()} " " {state}
                </th>
                <td>
                    {said}
                    <span class="note below">{source}</span>
                    <span class="note below">{since}</span>
                </td>
                <td class="number wide">{costs}</td>
                <td>{remove}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, currencies.currency), ""),
        (t!(i18n, currencies.rate), ""),
        (t!(i18n, currencies.costs), "number wide"),
        (t!(i18n, currencies.actions), ""),
    ];
    view! {
        <section class="panel form">
            <p class="note">{about}</p>
            <Table caption=t!(i18n, currencies.title) columns>{rows}</Table>
            <form method="get" action=CURRENCIES class="period-form">
                <div class="field">
                    <label for=PRICE>{t!(i18n, currencies.example, currency = base.code())}</label>
                    <input id=PRICE name=PRICE type="text" inputmode="decimal" value=example on:input=move |event| typed.set(event_target_value(&event)) />
                </div>
                <PreviewButton />
            </form>
        </section>
    }
}
