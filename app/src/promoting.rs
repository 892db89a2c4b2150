//! The promotions of a shop, and of the market: the list, and the form with a preview of what a basket would cost.

use haat_shared::{
    Currency, Error, FieldCode, Money, amounts,
    catalog::ListProducts,
    field::FieldError,
    forms::Draft,
    id::kinds::PromotionId,
    pricing::{BUY_GET_MAX, Totals},
    promotions::{
        self, BasketPreview, PreviewBasket, PromotionCard, PromotionDraft, PromotionForm, PromotionKind,
        PromotionState, Promotions, Refusal,
    },
    routes,
    shipping::date,
};
use leptos::{prelude::*, web_sys};

mod picks;

use self::picks::{Finding, Picks};
use crate::{
    api::{self, ApiError},
    i18n::{t, use_i18n},
    previewing::{self, PreviewButton},
    state::{param, query},
    storefront::draft_by,
    ui::{
        self, Alert, Amount, Button, Check, CodeAlert, EmptyState, ErrorSummary, Field, LinkButton,
        PageTitle, Pager, Select, Sums, Table, loaded,
    },
    words::{self, I18n},
};

/// The promotions of a shop.
#[component]
pub(crate) fn ShopPromotions() -> impl IntoView {
    let handle = param("handle");
    crate::seller::promotions_page(page(Signal::derive(move || handle.get())))
}

/// The promotions of the market.
#[component]
pub(crate) fn MarketPromotions() -> impl IntoView {
    crate::admin::promotions_page(page(Signal::stored(String::new())))
}

/// How many products, categories or shops are offered at once.
const FOUND_MAX: usize = 8;

/// What `edit` says in the URL for a new promotion.
const NEW: &str = "new";

/// The page of a shop's promotions, or of the market's if there is no handle.
fn page(handle: Signal<String>) -> AnyView {
    let (after, edit, draft, done) = (query("after"), query("edit"), query("draft"), query("done"));
    let (counts, asked) = (query("n"), previewing::asked());
    let found = api::find(
        move || {
            (handle.get(), after.get(), edit.get(), (draft.get(), asked.get()), (done.get(), counts.get()))
        },
        |(handle, after, edit, (draft, asked), (done, counts))| async move {
            let id: Option<PromotionId> = edit.parse().ok();
            let (list, card) = match handle.as_str() {
                "" => api::promotions::of_market(after.clone(), id).await?,
                shop => api::promotions::of_shop(shop.to_owned(), after.clone(), id).await?,
            };
            let draft = previewing::typed(draft_by("promotion", draft).await?, asked);
            let counts =
                counts.split(' ').map(|count| count.parse::<usize>().ok()).collect::<Option<Vec<_>>>();
            let counts = counts.and_then(|counts| <[usize; 3]>::try_from(counts).ok());
            Ok::<_, ApiError>(((handle, after, edit), list, card, draft, (done, counts)))
        },
    );
    let i18n = use_i18n();
    loaded(found, move |((handle, after, edit), list, card, draft, (done, counts))| {
        let path = match handle.as_str() {
            "" => routes::MARKET_PROMOTIONS.to_owned(),
            shop => routes::shop_promotions(shop),
        };
        let done = match done.as_str() {
            "create" => Some(t!(i18n, promotions.created)),
            "save" => Some(t!(i18n, form.saved)),
            "end" => Some(t!(i18n, promotions.ended)),
            "delete" => Some(t!(i18n, promotions.deleted)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let imported = counts.map(|[created, updated, unchanged]| {
            let words =
                t!(i18n, promotions.imported, created = created, updated = updated, unchanged = unchanged);
            view! { <Alert look="good">{words}</Alert> }
        });
        let shown = match edit.is_empty() {
            true => {
                let file = view! { <File path=path.clone() handle error=draft.error /> };
                view! { <List path after list /> {file} }.into_any()
            }
            false => {
                let about = (list.currency, list.today);
                view! { <Edit path about handle edit=edit.clone() card draft /> }.into_any()
            }
        };
        let title = match edit.as_str() {
            "" => t!(i18n, promotions.title),
            NEW => t!(i18n, promotions.create),
            _ => t!(i18n, promotions.edit),
        };
        view! {
            <PageTitle text=title />
            <h1>{title}</h1>
            <CodeAlert />
            {done}
            {imported}
            {shown}
        }
    })
}

/// The state of a promotion, as a chip.
fn state(i18n: I18n, state: PromotionState) -> impl IntoView + use<> {
    let (look, words) = match state {
        PromotionState::Scheduled => ("placed", t!(i18n, promotions.scheduled)),
        PromotionState::Active => ("delivered", t!(i18n, promotions.active)),
        PromotionState::UsedUp => ("", t!(i18n, promotions.used_up)),
        PromotionState::Ended => ("", t!(i18n, promotions.over)),
    };
    view! { <span class=format!("state {look}")>{words}</span> }
}

fn kind_words(i18n: I18n, kind: PromotionKind) -> &'static str {
    match kind {
        PromotionKind::Percent => t!(i18n, promotions.percent),
        PromotionKind::Amount => t!(i18n, promotions.amount),
        PromotionKind::FreeShipping => t!(i18n, promotions.free_shipping),
        PromotionKind::BuyGet => t!(i18n, promotions.buy_get),
    }
}

#[component]
fn List(path: String, after: String, list: Promotions) -> impl IntoView {
    let i18n = use_i18n();
    let next = list.page.next.map(|next| routes::with(&path, &[("after", &next)]));
    let first = (!after.is_empty()).then(|| path.clone());
    let create = routes::with(&path, &[("edit", NEW)]);
    if list.page.items.is_empty() {
        let (title, note) = (t!(i18n, promotions.none), t!(i18n, promotions.none_note));
        return view! {
            <EmptyState icon="card" title note>
                <LinkButton href=create>{t!(i18n, promotions.create)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let rows = list.page.items.into_iter().map(|card| {
        let href = routes::with(&path, &[("edit", &card.id.to_string())]);
        let uses = match card.uses_max {
            Some(most) => format!("{} / {}", words::number(i18n, card.uses), words::number(i18n, most)),
            None => words::number(i18n, card.uses),
        };
        // What was saved is valid, with its amounts in the currency of its list.
        let gives = card.form.check(card.currency, true).ok();
        let gives = gives.map_or_else(
            || kind_words(i18n, card.kind).to_owned(),
            |draft| words::benefit(i18n, draft.terms.benefit),
        );
        let code = card.code.unwrap_or_else(|| t!(i18n, promotions.automatic).to_owned());
        let ends = card.ends_at.map_or_else(|| "–".to_owned(), |end| words::last_day(i18n, &end));
        view! {
            <tr>
                <th scope="row">
                    <a class="row-link" href=href>{code}</a>
                    <span class="note below">{card.label}</span>
                    <span class="note below">{gives}</span>
                </th>
                <td>{state(i18n, card.state)}</td>
                <td class="wide">{ends}</td>
                <td class="number">{uses}</td>
                <td class="number wide">{card.given.iter().map(|given| words::money(i18n, *given)).collect::<Vec<_>>().join(", ")}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, promotions.code), ""),
        (t!(i18n, promotions.status), ""),
        (t!(i18n, promotions.ends), "wide"),
        (t!(i18n, promotions.uses), "number"),
        (t!(i18n, promotions.given), "number wide"),
    ];
    view! {
        <p class="actions"><LinkButton href=create>{t!(i18n, promotions.create)}</LinkButton></p>
        <Table caption=t!(i18n, promotions.title) columns>{rows}</Table>
        <Pager first next next_words=t!(i18n, promotions.older) />
    }
    .into_any()
}

/// Coupons as a file: the export, the import, and what was wrong with the last one.
#[component]
fn File(
    path: String,
    /// The shop's; empty for the market's promotions.
    handle: String,
    error: Option<Error>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (export, import) = match handle.as_str() {
        "" => (routes::EXPORT_MARKET_COUPONS.to_owned(), routes::FORM_MARKET_COUPONS.to_owned()),
        shop => (routes::export_coupons(shop), routes::import_coupons(shop)),
    };
    let failed = error.is_some();
    let problems = error.map(|error| match error {
        Error::Invalid(faults) => {
            let items = faults.iter().map(|fault| view! { <li>{problem(i18n, fault)}</li> }).collect_view();
            view! {
                <Alert>
                    <p class="alert-title">{t!(i18n, promotions.not_imported)}</p>
                    <ul>{items}</ul>
                </Alert>
            }
            .into_any()
        }
        error => view! { <Alert>{words::error(i18n, &error)}</Alert> }.into_any(),
    });
    let columns = PromotionForm::default().fields().map(|(name, _)| name);
    let of_market = path == routes::MARKET_PROMOTIONS;
    let columns = columns.into_iter().filter(|name| of_market || !["shops", "market_percent"].contains(name));
    let columns = columns.collect::<Vec<_>>().join(", ");
    view! {
        <details class="panel more-of" open=failed>
            <summary>{t!(i18n, promotions.file)}</summary>
            <div class="form">
                {problems}
                <p class="actions">
                    <a class="button secondary" rel="external" download href=export>{t!(i18n, promotions.export)}</a>
                </p>
                <form method="post" action=import enctype="multipart/form-data" class="form">
                    <div class="field">
                        <label for="coupons">{t!(i18n, promotions.import_file)}</label>
                        <input id="coupons" type="file" name="coupons" required accept=".csv,.tsv,.txt" aria-describedby="coupons-hint" />
                        <p class="field-hint" id="coupons-hint">{t!(i18n, promotions.import_hint, columns = columns)}</p>
                    </div>
                    <div class="actions"><Button look="secondary">{t!(i18n, promotions.import)}</Button></div>
                </form>
            </div>
        </details>
    }
}

/// An error of a file, with its line and column: `lines.4.percent`.
fn problem(i18n: I18n, fault: &FieldError) -> String {
    let mut parts = fault.field.splitn(3, '.').skip(1);
    let (Some(line), Some(column)) = (parts.next(), parts.next()) else {
        return match fault.code {
            FieldCode::NoRows => t!(i18n, promotions.file_empty).to_owned(),
            FieldCode::TooMany => t!(i18n, promotions.file_too_big, n = promotions::FILE_ROWS_MAX),
            code => words::fault(i18n, &fault.field, code),
        };
    };
    let why = match (fault.code, column) {
        (FieldCode::NotAChoice, "products" | "categories" | "shops") => {
            t!(i18n, promotions.not_found_here).to_owned()
        }
        (FieldCode::NotAChoice, "kind") => {
            t!(i18n, promotions.one_of, values = PromotionKind::ALL.map(PromotionKind::as_str).join(", "))
        }
        (FieldCode::NotAChoice, "combines") => t!(i18n, promotions.one_of, values = "yes, no"),
        (FieldCode::NotDate, _) => t!(i18n, promotions.day_as).to_owned(),
        (code, column) => words::fault(i18n, column, code),
    };
    let label = match LABELS.contains(&column) || column == "combines" {
        true => label(i18n, column),
        false => column,
    };
    match label {
        "" => t!(i18n, promotions.in_line, line = line, why = why),
        column => t!(i18n, promotions.in_cell, line = line, column = column, why = why),
    }
}

#[component]
fn Edit(
    path: String,
    /// The currency of its amounts, and the day on which it is edited.
    about: (Currency, i64),
    /// The shop's; empty for the market's promotions.
    handle: String,
    /// What the address says is edited.
    edit: String,
    card: Option<PromotionCard>,
    draft: Draft,
) -> impl IntoView {
    let (i18n, (currency, today)) = (use_i18n(), about);
    let form = match (draft.fields.get("kind"), &card) {
        (Some(_), _) => PromotionForm::read(|name| draft.typed(name)),
        (None, Some(card)) => card.form.clone(),
        (None, None) => PromotionForm {
            kind: PromotionKind::Percent.as_str().to_owned(),
            combines: "1".to_owned(),
            ..PromotionForm::default()
        },
    };
    let basket = BASKET.map(|name| draft.fields.get(name).cloned());
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let typed = RwSignal::new(form.clone());
    let read = move |event: web_sys::Event| {
        if let Some(field) = ui::typed(&event) {
            typed.set(PromotionForm::read(field));
        }
    };
    let kinds = PromotionKind::ALL.map(|kind| (kind.as_str(), kind_words(i18n, kind))).to_vec();
    let labels = LABELS.map(|name| (name, label(i18n, name).to_owned())).to_vec();
    let money = |name| format!("{} ({})", label(i18n, name), currency.code());
    let limit = |name| t!(i18n, form.optional, label = money(name));
    let market = handle.is_empty();
    let of_market = market.then(|| {
        view! {
            <Picks name="shops" label=label(i18n, "shops") value=form.shops.clone() hint=t!(i18n, promotions.shops_hint) find=shops faults />
            <Field name="market_percent" label=label(i18n, "market_percent") value=form.market_percent.clone() optional=true keys="decimal" hint=t!(i18n, promotions.market_percent_hint) faults />
        }
    });
    let (id, version) = match &card {
        Some(card) => (card.id.to_string(), card.version.to_string()),
        None => (String::new(), String::new()),
    };
    let action = if card.is_some() { "save" } else { "create" };
    let others = card.map(|card| {
        let end = (card.state != PromotionState::Ended).then(|| {
            view! { <button type="submit" class="button secondary" name="action" value="end">{t!(i18n, promotions.end)}</button> }
        });
        let delete = card.unused.then(|| {
            view! { <button type="submit" class="button quiet" name="action" value="delete">{t!(i18n, promotions.delete)}</button> }
        });
        view! {
            <form method="post" action=path.clone() class="actions">
                <input type="hidden" name="id" value=card.id.to_string() />
                {end}
                {delete}
            </form>
        }
    });
    let back = path.clone();
    view! {
        <form method="post" action=path class="form promotion-form" novalidate on:input=read on:change=read>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=version />
            <input type="hidden" name="action" value=action />
            <input type="hidden" name="edit" value=edit />
            <ErrorSummary faults labels />
            <section class="panel form">
                <Field name="label" label=label(i18n, "label") value=form.label required=true hint=t!(i18n, promotions.label_hint) faults />
                <Field name="code" label=label(i18n, "code") value=form.code optional=true hint=t!(i18n, promotions.code_hint) faults />
                <Select name="kind" label=label(i18n, "kind") value=form.kind options=kinds faults />
                // What a type doesn't need is hidden by style.
                <div class="field-row">
                    <Field name="buy" label=label(i18n, "buy") value=form.buy keys="numeric" hint=t!(i18n, promotions.buy_hint, n = BUY_GET_MAX) faults />
                    <Field name="get" label=label(i18n, "get") value=form.get keys="numeric" faults />
                </div>
                <Field name="percent" label=label(i18n, "percent") value=form.percent keys="decimal" hint=t!(i18n, promotions.percent_hint) faults />
                <Amount name="amount" label=money("amount") value=form.amount currency faults />
            </section>
            <section class="panel form" aria-labelledby="terms">
                <h2 id="terms">{t!(i18n, promotions.terms)}</h2>
                <Picks name="products" label=label(i18n, "products") value=form.products hint=t!(i18n, promotions.products_hint) shop=handle find=products faults />
                <Picks name="categories" label=label(i18n, "categories") value=form.categories hint=t!(i18n, promotions.categories_hint) find=categories faults />
                {of_market}
                <div class="field-row">
                    <Amount name="minimum" label=limit("minimum") value=form.minimum currency faults />
                    <Amount name="maximum" label=limit("maximum") value=form.maximum currency faults />
                </div>
                <Amount name="cap" label=limit("cap") value=form.cap currency faults />
                <div class="field-row">
                    <Field name="starts_on" kind="date" label=label(i18n, "starts_on") value=form.starts_on optional=true faults />
                    <Field name="ends_on" kind="date" label=label(i18n, "ends_on") value=form.ends_on optional=true faults />
                </div>
                <div class="field-row">
                    <Field name="uses" label=label(i18n, "uses") value=form.uses optional=true keys="numeric" faults />
                    <Field name="uses_per_person" label=label(i18n, "uses_per_person") value=form.uses_per_person optional=true keys="numeric" hint=t!(i18n, promotions.person_hint) faults />
                </div>
                <Check name="combines" label=label(i18n, "combines") checked=!form.combines.is_empty() />
            </section>
            <Preview typed currency of_market=market today basket />
            <div class="actions">
                <Button>{t!(i18n, form.save)}</Button>
                <PreviewButton />
                <LinkButton href=back look="quiet">{t!(i18n, promotions.back)}</LinkButton>
            </div>
        </form>
        {others}
    }
}

/// The products, of a shop if it has a handle, that contain some words.
fn products(shop: String, q: String) -> Finding {
    Box::pin(async move {
        let of = ListProducts { q, shop, limit: Some(FOUND_MAX), ..ListProducts::default() };
        let page = api::catalog::list(of).await?;
        Ok(page.items.into_iter().map(|card| (card.slug, card.title)).collect())
    })
}

/// The categories whose full names contain some words.
fn categories(_: String, q: String) -> Finding {
    Box::pin(async move {
        let q = q.to_lowercase();
        let tree = api::catalog::tree().await?.into_iter();
        let found = tree.filter(|category| category.name.to_lowercase().contains(&q));
        Ok(found.take(FOUND_MAX).map(|category| (category.slug, category.name)).collect())
    })
}

/// The shops that contain some words.
fn shops(_: String, q: String) -> Finding {
    Box::pin(async move {
        let found = api::search::of_market(q).await?;
        Ok(found.shops.into_iter().map(|hit| (hit.key, hit.title)).collect())
    })
}

/// The fields of the basket of a preview: the quantity, and the prices of an item and of shipping.
const BASKET: [&str; 3] = ["preview_quantity", "preview_price", "preview_shipping"];

/// What a basket would cost, while the form is filled in.
#[component]
fn Preview(
    typed: RwSignal<PromotionForm>,
    currency: Currency,
    /// Whether it is a promotion of the market, whose cost the shops may share.
    of_market: bool,
    /// The day, counted from 1970-01-01.
    today: i64,
    /// The basket, if it was typed.
    basket: [Option<String>; 3],
) -> impl IntoView {
    let i18n = use_i18n();
    let units = |n: i64| Money::new(n * 10i64.pow(currency.decimals()), currency).plain();
    let [quantity, price, shipping] = basket;
    let first = [
        quantity.unwrap_or_else(|| "2".to_owned()),
        price.unwrap_or_else(|| units(100)),
        shipping.unwrap_or_else(|| units(10)),
    ];
    let [quantity, price, shipping] = first.clone().map(RwSignal::new);
    let answer = Memo::new(move |_| -> Option<(Totals, Option<String>)> {
        let money = |typed: RwSignal<String>| amounts::read("price", &typed.get(), currency).ok();
        let (price, shipping) = (money(price)?, money(shipping)?);
        let quantity = quantity.get().trim().parse().ok().filter(|n| (1..=999).contains(n))?;
        let draft = typed.get().check(currency, true).ok()?;
        let basket = PreviewBasket { price, quantity, shipping };
        let BasketPreview { totals, by_market, refusal } =
            promotions::preview(&draft, &basket, today).ok()?;
        let borne = || match totals.discount.minus(by_market).ok()? {
            _ if totals.discount.amount() == 0 => Some(t!(i18n, promotions.preview_none).to_owned()),
            shops if of_market => Some(t!(i18n, promotions.preview_borne, market = by_market, shops = shops)),
            _ => None,
        };
        Some((totals, refusal.and_then(|refusal| why_not(i18n, refusal, &draft)).or_else(borne)))
    });
    let shown = move || match answer.get() {
        Some((totals, why)) => view! {
            <Sums totals />
            {why.map(|words| view! { <p class="note">{words}</p> })}
        }
        .into_any(),
        None => view! { <p class="note">{t!(i18n, promotions.preview_later)}</p> }.into_any(),
    };
    let [first_quantity, first_price, first_shipping] = first;
    let in_currency = |words: &str| format!("{words} ({})", currency.code());
    view! {
        <section class="panel form" aria-labelledby="preview">
            <h2 id="preview">{t!(i18n, promotions.preview)}</h2>
            <div class="field-row">
                <div class="field">
                    <label for="preview-quantity">{t!(i18n, promotions.preview_quantity)}</label>
                    <input id="preview-quantity" name=BASKET[0] type="text" inputmode="numeric" value=first_quantity on:input=move |event| quantity.set(event_target_value(&event)) />
                </div>
                <div class="field">
                    <label for="preview-price">{in_currency(t!(i18n, promotions.preview_price))}</label>
                    <input id="preview-price" name=BASKET[1] type="text" inputmode="decimal" value=first_price on:input=move |event| price.set(event_target_value(&event)) />
                </div>
                <div class="field">
                    <label for="preview-shipping">{in_currency(t!(i18n, cart.delivery))}</label>
                    <input id="preview-shipping" name=BASKET[2] type="text" inputmode="decimal" value=first_shipping on:input=move |event| shipping.set(event_target_value(&event)) />
                </div>
            </div>
            <div class="summary" aria-live="polite">{shown}</div>
        </section>
    }
}

/// Why a basket has no discount, or not yet.
fn why_not(i18n: I18n, refusal: Refusal, draft: &PromotionDraft) -> Option<String> {
    let day = |day: i64| words::day(i18n, &date(day));
    Some(match refusal {
        Refusal::NotStarted => t!(i18n, promotions.preview_not_started, day = day(draft.starts_on?)),
        Refusal::Ended => t!(i18n, promotions.preview_ended, day = day(draft.ends_on?)),
        Refusal::BelowMinimum => t!(i18n, promotions.preview_below, amount = draft.terms.minimum?),
        Refusal::AboveMaximum => t!(i18n, promotions.preview_above, amount = draft.terms.maximum?),
        _ => return None,
    })
}

const LABELS: [&str; 18] = [
    "label",
    "code",
    "kind",
    "percent",
    "amount",
    "buy",
    "get",
    "products",
    "categories",
    "shops",
    "minimum",
    "maximum",
    "cap",
    "starts_on",
    "ends_on",
    "uses",
    "uses_per_person",
    "market_percent",
];

fn label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "label" => t!(i18n, promotions.label),
        "code" => t!(i18n, promotions.code),
        "kind" => t!(i18n, promotions.kind),
        "percent" => t!(i18n, promotions.percent_off),
        "amount" => t!(i18n, promotions.amount_off),
        "buy" => t!(i18n, promotions.buy),
        "get" => t!(i18n, promotions.get),
        "products" => t!(i18n, promotions.products),
        "categories" => t!(i18n, promotions.categories),
        "shops" => t!(i18n, promotions.shops),
        "minimum" => t!(i18n, promotions.minimum),
        "maximum" => t!(i18n, promotions.maximum),
        "cap" => t!(i18n, promotions.cap),
        "starts_on" => t!(i18n, promotions.starts_on),
        "ends_on" => t!(i18n, promotions.ends_on),
        "uses" => t!(i18n, promotions.uses_max),
        "uses_per_person" => t!(i18n, promotions.uses_per_person),
        "combines" => t!(i18n, promotions.combines),
        _ => t!(i18n, promotions.market_percent),
    }
}
