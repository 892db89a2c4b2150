//! The sales of a product: those that are planned, on or over, and a form for another one.

use haat_shared::{
    Error,
    id::kinds::{ProductId, VariantId},
    routes,
    sale_prices::{PlannedSale, PlannedSaleState, ProductSales, SaleForm, SaleVariant, price_field},
};
use leptos::{prelude::*, web_sys};

use crate::{
    api::{self, ApiError},
    i18n::{t, use_i18n},
    previewing::{self, PreviewButton},
    state::{param, query},
    storefront::draft_by,
    ui::{self, Alert, Button, CodeAlert, EmptyState, Field, PageTitle, Table, error_summary, loaded},
    words,
};

/// The page of a product's sales.
#[component]
pub(crate) fn SalesOfProduct() -> impl IntoView {
    let (handle, id, draft, done) = (param("handle"), param("id"), query("draft"), query("done"));
    let asked = previewing::asked();
    let found = api::find(
        move || (handle.get(), id.get(), draft.get(), done.get(), asked.get()),
        |(handle, id, draft, done, asked)| async move {
            let id: ProductId = api::id(&id)?;
            let sales = api::sale_prices::of_product(handle.clone(), id).await?;
            let draft = previewing::typed(draft_by("planned_sale", draft).await?, asked);
            Ok::<_, ApiError>((handle, id, sales, draft, done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(handle, id, found, draft, done)| {
        let ProductSales { title, slug: _, variants, sales } = found;
        let done = match done.as_str() {
            "plan" => Some(t!(i18n, planned.planned)),
            "end" => Some(t!(i18n, planned.ended)),
            "remove" => Some(t!(i18n, planned.removed)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let mut labels = vec![
            ("starts_at".to_owned(), t!(i18n, planned.starts_at).to_owned()),
            ("ends_at".to_owned(), t!(i18n, planned.ends_at).to_owned()),
            ("percent".to_owned(), t!(i18n, planned.percent).to_owned()),
        ];
        labels.extend(variants.iter().map(|variant| (price_field(variant.id), price_label(i18n, variant))));
        let summary = draft.error.as_ref().map(|error| {
            let at =
                labels.into_iter().filter_map(|(name, label)| Some((name.clone(), label, error.at(&name)?)));
            error_summary(i18n, error, at.collect())
        });
        let form = SaleForm::read(variants.iter().map(|variant| variant.id), |name| draft.typed(name));
        let quantity = previewing::or(&draft, QUANTITY, "2");
        let faults: Signal<Option<Error>> = Signal::stored(draft.error);
        let path = routes::product_sales(&handle, id);
        view! {
            <PageTitle text=t!(i18n, planned.title) />
            <p class="back"><a href=routes::seller_product(&handle, id)>{title}</a></p>
            <h1>{t!(i18n, planned.title)}</h1>
            <CodeAlert />
            {done}
            {summary}
            <Plan path=path.clone() form variants quantity faults />
            <Planned path sales />
        }
    });
    crate::seller::products_page(page.into_any())
}

pub(crate) fn price_label(i18n: words::I18n, variant: &SaleVariant) -> String {
    let price = words::money(i18n, variant.price);
    match variant.title.as_str() {
        "" => t!(i18n, planned.price, price = price),
        title => format!("{title}: {}", t!(i18n, planned.price, price = price)),
    }
}

/// The fields of the prices of variants in a sale.
pub(crate) fn price_fields(
    i18n: words::I18n,
    variants: Vec<SaleVariant>,
    prices: &[(VariantId, String)],
    faults: Signal<Option<Error>>,
) -> AnyView {
    let fields = variants.into_iter().map(|variant| {
        let typed = prices.iter().find(|(id, _)| *id == variant.id).map(|(_, typed)| typed.clone());
        let lowest = t!(i18n, planned.lowest, price = words::money(i18n, variant.lowest));
        view! {
            <Field
                name=price_field(variant.id)
                label=price_label(i18n, &variant)
                value=typed.unwrap_or_default()
                optional=true
                keys="decimal"
                hint=lowest
                faults
            />
        }
    });
    fields.collect_view().into_any()
}

/// The form of another sale.
#[component]
fn Plan(
    path: String,
    form: SaleForm,
    variants: Vec<SaleVariant>,
    /// The quantity of the preview.
    quantity: String,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (typed, offered) = (RwSignal::new((form.clone(), quantity.clone())), variants.clone());
    let read = move |event: web_sys::Event| {
        if let Some(field) = ui::typed(&event) {
            let ids =
                typed.with_untracked(|(form, _)| form.prices.iter().map(|(id, _)| *id).collect::<Vec<_>>());
            typed.set((SaleForm::read(ids, &field), field(QUANTITY)));
        }
    };
    let shown = move || typed.with(|(form, quantity)| costs(i18n, form, quantity, &offered));
    let SaleForm { starts_at, ends_at, percent, prices } = form;
    let fields = price_fields(i18n, variants, &prices, faults);
    view! {
        <form method="post" action=path class="panel form" novalidate aria-labelledby="plan" on:input=read on:change=read>
            <h2 id="plan">{t!(i18n, planned.plan)}</h2>
            <input type="hidden" name="action" value="plan" />
            <div class="field-row">
                <Field name="starts_at" kind="datetime-local" label=t!(i18n, planned.starts_at) value=starts_at optional=true hint=t!(i18n, planned.starts_hint) faults />
                <Field name="ends_at" kind="datetime-local" label=t!(i18n, planned.ends_at) value=ends_at required=true faults />
            </div>
            <Field name="percent" label=t!(i18n, planned.percent) value=percent optional=true keys="decimal" hint=t!(i18n, planned.percent_hint) faults />
            {fields}
            {previewing::preview(QUANTITY, t!(i18n, planned.preview), "numeric", quantity, shown)}
            <div class="actions">
                <Button>{t!(i18n, planned.plan)}</Button>
                <PreviewButton />
            </div>
        </form>
    }
}

/// The field of the quantity of the preview.
const QUANTITY: &str = "preview_quantity";

/// What a basket of so many of each variant would cost in the sale.
fn costs(i18n: words::I18n, form: &SaleForm, quantity: &str, variants: &[SaleVariant]) -> AnyView {
    // When it ends doesn't matter here.
    let form = SaleForm { ends_at: "-".to_owned(), ..form.clone() };
    let quantity = quantity.trim().parse::<i64>().ok().filter(|n| (1..=999).contains(n));
    let (Some(quantity), Ok(prices)) = (quantity, form.check(variants)) else {
        return view! { <p class="note">{t!(i18n, promotions.preview_later)}</p> }.into_any();
    };
    let rows = variants.iter().filter_map(|variant| {
        let (_, sale) = prices.iter().find(|(id, _)| *id == variant.id)?;
        let [sale, was] = [*sale, variant.price].map(|price| price.times(quantity).ok());
        let (sale, was) = (words::money(i18n, sale?), words::money(i18n, was?));
        let name = format!(
            "{quantity} × {}",
            if variant.title.is_empty() { words::money(i18n, variant.price) } else { variant.title.clone() }
        );
        Some(view! {
            <div>
                <dt>{name}</dt>
                <dd>{t!(i18n, planned.instead, price = sale, was = was)}</dd>
            </div>
        })
    });
    view! { <dl class="sums">{rows.collect_view()}</dl> }.into_any()
}

/// The sales, the latest first.
#[component]
fn Planned(path: String, sales: Vec<PlannedSale>) -> impl IntoView {
    let i18n = use_i18n();
    if sales.is_empty() {
        return view! { <EmptyState icon="tag" title=t!(i18n, planned.none) note=t!(i18n, planned.none_note) /> }
            .into_any();
    }
    let rows = sales.into_iter().map(|sale| {
        let [from, until] = [&sale.starts_at, &sale.ends_at].map(|time| words::moment(i18n, time));
        let (state, look) = match sale.status {
            PlannedSaleState::Scheduled => (t!(i18n, promotions.scheduled), "placed"),
            PlannedSaleState::Active => (t!(i18n, promotions.active), "delivered"),
            PlannedSaleState::Ended => (t!(i18n, promotions.over), ""),
        };
        let prices = sale.prices.iter().map(|price| match price.title.as_str() {
            "" => words::money(i18n, price.sale_price),
            title => format!("{title} {}", words::money(i18n, price.sale_price)),
        });
        let prices = prices.collect::<Vec<_>>().join(", ");
        let action = match sale.status {
            PlannedSaleState::Scheduled => Some(("remove", t!(i18n, cart.remove))),
            PlannedSaleState::Active => Some(("end", t!(i18n, planned.end))),
            PlannedSaleState::Ended => None,
        };
        let action = action.map(|(action, words)| {
            view! {
                <form method="post" action=path.clone() class="actions">
                    <input type="hidden" name="id" value=sale.id.to_string() />
                    <button type="submit" class="button quiet" name="action" value=action aria-label=format!("{words} {from}")>{words}</button>
                </form>
            }
        });
        view! {
            <tr>
                <th scope="row">
                    {from.clone()} " – " {until}
                    <span class="note below">{prices}</span>
                </th>
                <td><span class=format!("state {look}")>{state}</span></td>
                <td>{action}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns =
        vec![(t!(i18n, planned.when), ""), (t!(i18n, promotions.status), ""), (t!(i18n, taxes.actions), "")];
    view! { <Table caption=t!(i18n, planned.title) columns>{rows}</Table> }.into_any()
}
