//! The prices of a product in other currencies than the market's: those that the seller sets count instead of converted ones.

use haat_shared::{
    Currency, Error,
    currencies::{PriceList, VariantPrice, read_price},
    id::kinds::ProductId,
    routes,
    sale_prices::price_field,
};
use leptos::{prelude::*, web_sys};

use crate::{
    api::{self, ApiError},
    i18n::{t, use_i18n},
    previewing::{self, PreviewButton},
    state::{param, query},
    storefront::draft_by,
    ui::{self, Alert, Button, Chip, CodeAlert, EmptyState, Field, PageTitle, chips, error_summary, loaded},
    words,
};

/// The page of a product's prices in a currency.
#[component]
pub(crate) fn PricesOfProduct() -> impl IntoView {
    let (handle, id, currency) = (param("handle"), param("id"), query("currency"));
    let (draft, done, asked) = (query("draft"), query("done"), previewing::asked());
    let found = api::find(
        move || (handle.get(), id.get(), currency.get(), (draft.get(), asked.get()), done.get()),
        |(handle, id, currency, (draft, asked), done)| async move {
            let id: ProductId = api::id(&id)?;
            let list = api::currencies::price_list(handle.clone(), id, currency).await?;
            let draft = previewing::typed(draft_by("price_list", draft).await?, asked);
            Ok::<_, ApiError>(((handle, id), list, draft, done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |((handle, id), list, draft, done)| {
        let PriceList { title, currencies, currency, variants } = list;
        let path = routes::product_prices(&handle, id);
        let summary = draft.error.as_ref().map(|error| {
            let labels = variants.iter().filter_map(|variant| {
                let name = price_field(variant.id);
                Some((name.clone(), label(i18n, variant), error.at(&name)?))
            });
            error_summary(i18n, error, labels.collect())
        });
        let done = (done == "save").then(|| view! { <Alert look="good">{t!(i18n, form.saved)}</Alert> });
        let others = currencies.iter().map(|of| {
            let href = routes::with(&path, &[("currency", of.code())]);
            Chip::from((href, of.listed(), *of == currency))
        });
        let choices = (currencies.len() > 1).then(|| chips(t!(i18n, currencies.currency), others.collect()));
        let quantity = previewing::or(&draft, QUANTITY, "1");
        let typed = variants.iter().map(|variant| {
            let own = variant.own.map(|price| price.plain()).unwrap_or_default();
            previewing::or(&draft, &price_field(variant.id), &own)
        });
        let typed: Vec<String> = typed.collect();
        let form = match currencies.is_empty() {
            true => view! { <EmptyState icon="tag" title=t!(i18n, price_lists.none) note=t!(i18n, price_lists.none_note) /> }.into_any(),
            false => view! { <Form title=title.clone() path currency variants typed quantity error=draft.error /> }.into_any(),
        };
        view! {
            <PageTitle text=t!(i18n, price_lists.title) />
            <p class="back"><a href=routes::seller_product(&handle, id)>{title}</a></p>
            <h1>{t!(i18n, price_lists.title)}</h1>
            <CodeAlert />
            {done}
            {summary}
            {choices}
            {form}
        }
    });
    crate::seller::products_page(page.into_any())
}

/// The field of the quantity of the preview.
const QUANTITY: &str = "preview_quantity";

fn label(i18n: words::I18n, variant: &VariantPrice) -> String {
    let price = words::money(i18n, variant.price);
    match variant.title.as_str() {
        "" => t!(i18n, price_lists.price, price = price),
        title => format!("{title}: {}", t!(i18n, price_lists.price, price = price)),
    }
}

#[component]
fn Form(
    /// The product's title.
    title: String,
    path: String,
    currency: Currency,
    variants: Vec<VariantPrice>,
    /// What is typed for each of them.
    typed: Vec<String>,
    /// The quantity of the preview.
    quantity: String,
    error: Option<Error>,
) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(error);
    let fields = variants.iter().zip(&typed).map(|(variant, typed)| {
        let hint = match variant.converted {
            Some(price) => t!(i18n, price_lists.converted, price = price),
            None => t!(i18n, price_lists.no_rate).to_owned(),
        };
        view! {
            <Field name=price_field(variant.id) label=label(i18n, variant) value=typed.clone() optional=true keys="decimal" hint faults />
        }
    });
    let fields = fields.collect_view();
    let basket = RwSignal::new((typed, quantity.clone()));
    let ids: Vec<String> = variants.iter().map(|variant| price_field(variant.id)).collect();
    let read = move |event: web_sys::Event| {
        if let Some(field) = ui::typed(&event) {
            basket.set((ids.iter().map(|name| field(name)).collect(), field(QUANTITY)));
        }
    };
    let shown =
        move || basket.with(|(typed, quantity)| costs(i18n, &title, currency, &variants, typed, quantity));
    view! {
        <form method="post" action=path class="panel form" novalidate aria-labelledby="prices" on:input=read.clone() on:change=read>
            <h2 id="prices">{t!(i18n, price_lists.in_currency, currency = currency.code())}</h2>
            <p class="note">{t!(i18n, price_lists.about)}</p>
            <input type="hidden" name="currency" value=currency.code() />
            {fields}
            {previewing::preview(QUANTITY, t!(i18n, planned.preview), "numeric", quantity, shown)}
            <div class="actions">
                <Button>{t!(i18n, form.save)}</Button>
                <PreviewButton />
            </div>
        </form>
    }
}

/// What a basket of so many of each variant costs.
fn costs(
    i18n: words::I18n,
    product: &str,
    currency: Currency,
    variants: &[VariantPrice],
    typed: &[String],
    quantity: &str,
) -> AnyView {
    let quantity = quantity.trim().parse::<i64>().ok().filter(|n| (1..=999).contains(n));
    let rows = quantity.map(|quantity| {
        let rows = variants.iter().zip(typed).filter_map(|(variant, typed)| {
            let own = read_price("price", typed, currency).ok()?;
            let cost = own.or(variant.converted)?.times(quantity).ok()?;
            let title = if variant.title.is_empty() { product } else { &variant.title };
            Some(view! {
                <div>
                    <dt dir="auto">{format!("{quantity} × {title}")}</dt>
                    <dd>{words::money(i18n, cost)}</dd>
                </div>
            })
        });
        rows.collect::<Vec<_>>()
    });
    match rows {
        Some(rows) if !rows.is_empty() => view! { <dl class="sums">{rows}</dl> }.into_any(),
        _ => view! { <p class="note">{t!(i18n, promotions.preview_later)}</p> }.into_any(),
    }
}
