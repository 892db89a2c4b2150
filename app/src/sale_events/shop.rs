//! How a shop keeps its events: the list, the form of one, and the products in it.

use haat_shared::{
    Error,
    forms::Draft,
    id::kinds::{ProductId, SaleEventId},
    routes::{self, with},
    sale_events::{EventCard, EventForm, EventItem, EventProductForm, EventView, ShopEvent},
    sale_prices::{PlannedSaleState, SaleForm, SaleVariant, price_field},
};
use leptos::prelude::*;

use super::{state, when};
use crate::{
    api::{self, ApiError},
    discounting::{price_fields, price_label},
    i18n::{t, use_i18n},
    state::{param, query},
    storefront::draft_by,
    ui::{
        Alert, Button, CodeAlert, EmptyState, ErrorSummary, Field, PageTitle, Table, TextArea, error_summary,
        loaded,
    },
    words::{self, I18n},
};

/// The events of a shop, and a form for another one.
#[component]
pub(crate) fn ShopEvents() -> impl IntoView {
    let (handle, draft, done) = (param("handle"), query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), draft.get(), done.get()),
        |(handle, draft, done)| async move {
            let events = api::sale_events::of_shop(handle.clone()).await?;
            Ok::<_, ApiError>((handle, events, draft_by("event", draft).await?, done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(handle, events, draft, done)| {
        let form = EventForm::read(|name| draft.typed(name));
        view! {
            <PageTitle text=t!(i18n, sale_events.title) />
            <h1>{t!(i18n, sale_events.title)}</h1>
            <CodeAlert />
            {told(i18n, &done)}
            {list(i18n, &handle, events)}
            <EditEvent path=routes::shop_events(&handle) form draft begun=None />
        }
    });
    crate::seller::events_page(page)
}

fn told(i18n: I18n, done: &str) -> Option<AnyView> {
    let words = match done {
        "create" => t!(i18n, sale_events.created),
        "save" => t!(i18n, sale_events.saved),
        "end" => t!(i18n, sale_events.ended),
        "delete" => t!(i18n, sale_events.deleted),
        "add" => t!(i18n, sale_events.added),
        "remove" => t!(i18n, sale_events.removed),
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> }.into_any())
}

fn list(i18n: I18n, handle: &str, events: Vec<EventCard>) -> AnyView {
    if events.is_empty() {
        let (title, note) = (t!(i18n, sale_events.none_yet), t!(i18n, sale_events.none_yet_note));
        return view! { <EmptyState icon="bolt" title note /> }.into_any();
    }
    let rows = events.into_iter().map(|card| {
        view! {
            <tr>
                <th scope="row">
                    <a class="row-link" href=routes::shop_event(handle, card.id) translate="no">{card.title.clone()}</a>
                    <span class="note below">{when(i18n, &card)}</span>
                </th>
                <td>{state(i18n, card.status)}</td>
                <td>{card.products}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, sale_events.event), ""),
        (t!(i18n, sale_events.status), ""),
        (t!(i18n, seller_products.title), ""),
    ];
    view! { <Table caption=t!(i18n, sale_events.title) columns>{rows}</Table> }.into_any()
}

fn label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "title" => t!(i18n, sale_events.name),
        "description" => t!(i18n, sale_events.description),
        "starts_at" => t!(i18n, sale_events.starts_at),
        _ => t!(i18n, sale_events.ends_at),
    }
}

/// The form of an event: of another one, or of one that has begun or not.
#[component]
fn EditEvent(
    path: String,
    form: EventForm,
    draft: Draft,
    /// Whether the event exists, and if so, whether it has begun.
    begun: Option<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let labels: Vec<_> = EventForm::FIELDS.map(|name| (name, label(i18n, name).to_owned())).to_vec();
    let (heading, action, send) = match begun {
        None => (t!(i18n, sale_events.create), "create", t!(i18n, sale_events.create)),
        Some(_) => (t!(i18n, sale_events.event), "save", t!(i18n, form.save)),
    };
    let fixed = begun == Some(true);
    let hint = match begun {
        None => t!(i18n, sale_events.starts_hint),
        Some(true) => t!(i18n, sale_events.fixed),
        Some(false) => "",
    };
    view! {
        <ErrorSummary faults labels />
        <form method="post" action=path class="panel form" novalidate aria-labelledby="edit">
            <h2 id="edit">{heading}</h2>
            <input type="hidden" name="action" value=action />
            <Field name="title" label=label(i18n, "title") value=form.title required=true faults />
            <TextArea name="description" label=label(i18n, "description").to_owned() value=form.description optional=true hint=t!(i18n, sale_events.description_hint) faults />
            <div class="field-row">
                <Field name="starts_at" kind="datetime-local" label=label(i18n, "starts_at") value=form.starts_at optional=begun.is_none() readonly=fixed hint=hint faults />
                <Field name="ends_at" kind="datetime-local" label=label(i18n, "ends_at") value=form.ends_at required=true readonly=fixed faults />
            </div>
            <div class="actions"><Button>{send}</Button></div>
        </form>
    }
}

/// The page on which a shop edits an event.
#[component]
pub(crate) fn ShopEventPage() -> impl IntoView {
    let (handle, id, adding) = (param("handle"), param("id"), query("add"));
    let (draft, done) = (query("draft"), query("done"));
    let found = api::find(
        move || (handle.get(), id.get(), adding.get(), draft.get(), done.get()),
        |(handle, id, adding, draft, done)| async move {
            let id: SaleEventId = api::id(&id)?;
            let adding: Option<ProductId> = if adding.is_empty() { None } else { Some(api::id(&adding)?) };
            let event = api::sale_events::edit(handle.clone(), id, adding).await?;
            Ok::<_, ApiError>((handle, id, event, draft_by("event", draft).await?, done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(handle, id, found, draft, done)| {
        let ShopEvent { event, form, products, adding } = found;
        let EventView { card, items, .. } = event;
        let path = routes::shop_event(&handle, id);
        let over = card.status == PlannedSaleState::Ended;
        let action = match card.status {
            PlannedSaleState::Scheduled => Some(("delete", t!(i18n, sale_events.delete))),
            PlannedSaleState::Active => Some(("end", t!(i18n, sale_events.end))),
            PlannedSaleState::Ended => None,
        };
        let action = action.map(|(action, words)| {
            view! {
                <form method="post" action=path.clone() class="actions">
                    <button type="submit" class="button quiet" name="action" value=action>{words}</button>
                </form>
            }
        });
        let public = (card.products > 0).then(|| {
            view! { <a href=routes::event(id)>{t!(i18n, sale_events.view)}</a> }
        });
        // Each of the two forms has its own drafts.
        let is_adding = adding.is_some();
        let (of_event, of_product) =
            if is_adding { (Draft::default(), draft) } else { (draft, Draft::default()) };
        let form = match of_event.error {
            Some(_) => EventForm::read(|name| of_event.typed(name)),
            None => form,
        };
        let add = (!over).then(|| match adding {
            Some((product, title, variants)) => {
                view! { <AddProduct path=path.clone() product title variants draft=of_product /> }.into_any()
            }
            None => choose(i18n, &path, products),
        });
        let edit = (!over && !is_adding).then(|| {
            let begun = Some(card.status == PlannedSaleState::Active);
            view! { <EditEvent path=path.clone() form draft=of_event begun /> }
        });
        view! {
            <PageTitle text=card.title.clone() />
            <p class="back"><a href=routes::shop_events(&handle)>{t!(i18n, sale_events.title)}</a></p>
            <h1 translate="no">{card.title.clone()}</h1>
            <CodeAlert />
            {told(i18n, &done)}
            <p class="dots">
                {state(i18n, card.status)}
                " "
                <span>{when(i18n, &card)}</span>
                " "
                {public}
            </p>
            {table(i18n, &path, items, over)}
            {add}
            {edit}
            {action}
        }
    });
    crate::seller::events_page(page)
}

/// The products in an event.
fn table(i18n: I18n, path: &str, items: Vec<EventItem>, over: bool) -> AnyView {
    if items.is_empty() {
        return view! { <p>{t!(i18n, sale_events.empty)}</p> }.into_any();
    }
    let rows = items.into_iter().map(|item| {
        let units = match (item.left, item.allotment) {
            (Some(left), Some(all)) => t!(i18n, sale_events.of, left = left.to_string(), all = all.to_string()),
            _ => t!(i18n, sale_events.any).to_owned(),
        };
        let note = match item {
            EventItem { ended: true, .. } => Some(t!(i18n, sale_events.over)),
            EventItem { published: false, .. } => Some(t!(i18n, sale_events.not_published)),
            _ => None,
        };
        let label = format!("{}: {}", t!(i18n, sale_events.remove), item.title);
        let remove = (!over && !item.ended).then(|| {
            view! {
                <form method="post" action=path.to_owned() class="actions">
                    <input type="hidden" name="product" value=item.product.to_string() />
                    <input type="hidden" name="sale" value=item.sale.to_string() />
                    <button type="submit" class="button quiet" name="action" value="remove" aria-label=label>{t!(i18n, sale_events.remove)}</button>
                </form>
            }
        });
        view! {
            <tr>
                <th scope="row">
                    <span translate="no">{item.title}</span>
                    {note.map(|words| view! { <span class="note below">{words}</span> })}
                </th>
                <td>{words::money(i18n, item.price)} " " <s class="was">{words::money(i18n, item.was)}</s></td>
                <td>{units}</td>
                <td>{remove}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, sale_events.product), ""),
        (t!(i18n, sale_events.price), ""),
        (t!(i18n, sale_events.units), ""),
        (t!(i18n, sale_events.actions), ""),
    ];
    view! { <Table caption=t!(i18n, sale_events.in_it) columns>{rows}</Table> }.into_any()
}

/// A form that leads to the one of a product.
fn choose(i18n: I18n, path: &str, products: Vec<(String, ProductId)>) -> AnyView {
    if products.is_empty() {
        return view! { <p class="note">{t!(i18n, sale_events.no_products)}</p> }.into_any();
    }
    let options = products.into_iter().map(|(title, id)| {
        view! { <option value=id.to_string() translate="no">{title}</option> }
    });
    view! {
        <form method="get" action=path.to_owned() class="panel form" aria-labelledby="add">
            <h2 id="add">{t!(i18n, sale_events.add)}</h2>
            <div class="field">
                <label for="product">{t!(i18n, sale_events.product)}</label>
                <select id="product" name="add">{options.collect_view()}</select>
            </div>
            <div class="actions"><Button>{t!(i18n, sale_events.choose)}</Button></div>
        </form>
    }
    .into_any()
}

/// The form of a product that is put into an event.
#[component]
fn AddProduct(
    path: String,
    product: ProductId,
    title: String,
    variants: Vec<SaleVariant>,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let form = EventProductForm {
        sale: SaleForm::read(variants.iter().map(|variant| variant.id), |name| draft.typed(name)),
        allotment: draft.typed("allotment"),
    };
    let mut labels = vec![
        ("product".to_owned(), t!(i18n, sale_events.product).to_owned()),
        ("percent".to_owned(), t!(i18n, sale_events.percent).to_owned()),
        ("allotment".to_owned(), t!(i18n, sale_events.allotment).to_owned()),
    ];
    labels.extend(variants.iter().map(|variant| (price_field(variant.id), price_label(i18n, variant))));
    let summary = draft.error.as_ref().map(|error| {
        let at = labels.into_iter().filter_map(|(name, label)| Some((name.clone(), label, error.at(&name)?)));
        error_summary(i18n, error, at.collect())
    });
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let taken = faults
        .with_untracked(|error| error.as_ref().and_then(|error| error.at("product")))
        .map(|code| words::fault(i18n, "product", code));
    let fields = price_fields(i18n, variants, &form.sale.prices, faults);
    view! {
        {summary}
        <form method="post" action=with(&path, &[("add", &product.to_string())]) class="panel form" novalidate aria-labelledby="add">
            <h2 id="add">{t!(i18n, sale_events.add)}</h2>
            <p id="product"><strong translate="no">{title}</strong></p>
            {taken.map(|words| view! { <p class="field-error">{words}</p> })}
            <input type="hidden" name="action" value="add" />
            <input type="hidden" name="product" value=product.to_string() />
            <Field name="percent" label=t!(i18n, sale_events.percent) value=form.sale.percent optional=true keys="decimal" hint=t!(i18n, planned.percent_hint) faults />
            {fields}
            <Field name="allotment" label=t!(i18n, sale_events.allotment) value=form.allotment optional=true keys="numeric" hint=t!(i18n, sale_events.allotment_hint) faults />
            <div class="actions">
                <Button>{t!(i18n, sale_events.add_to)}</Button>
                <a class="button quiet" href=path.clone()>{t!(i18n, sale_events.cancel)}</a>
            </div>
        </form>
    }
}
