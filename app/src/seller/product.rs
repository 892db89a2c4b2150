//! The product form: details, pictures, variants with price and stock.
//!
//! Rows are added and removed, so input stays in the fields until the form is submitted. Each row has a
//! number, which names its fields independently of its position.

use std::collections::{HashMap, HashSet};

use haat_shared::{
    Conflict, Currency, Error, FieldCode, FieldError,
    catalog::{
        Attribute, CategoryLink,
        edit::{NAME_MAX, OPTIONS_MAX, ProductForm, SellerProduct, VARIANTS_MAX, VariantForm, value_key},
    },
    id::kinds::ProductId,
    media::{self, NewPicture, PER_PRODUCT_MAX, Picture, Purpose},
    routes, text,
};
use leptos::{
    ev::{Event, SubmitEvent},
    html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys,
};
use leptos_router::hooks::use_navigate;

use super::{
    Dashboard, Part,
    products::{Actions, Done},
};
use crate::{
    api::{self, ApiError},
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{self, Alert, Amount, CodeAlert, Field, Guard, Icon, PageTitle, SaveBar, TextArea, Toaster, loaded},
    words,
};

/// The page for a new product.
#[component]
pub(crate) fn NewProduct() -> impl IntoView {
    let i18n = use_i18n();
    let handle = param("handle");
    let found = api::find(
        move || handle.get(),
        |handle| async move {
            // Returns the same error as for an unknown shop to users who don't sell there.
            api::catalog::seller_list(handle.clone(), Default::default()).await?;
            let shop = api::shops::shop(handle.clone()).await?;
            Ok((handle, shop.shipping_price.currency(), api::catalog::tree().await?))
        },
    );
    let page = loaded(found, move |(handle, currency, tree)| {
        let form = ProductForm { variants: vec![VariantForm::default()], ..ProductForm::default() };
        view! {
            <PageTitle text=tu_string!(i18n, seller_products.new) />
            <p class="back"><a href=Part::Products.path(&handle)>{t!(i18n, seller_products.back)}</a></p>
            <h1>{t!(i18n, seller_products.new)}</h1>
            <Editor handle currency tree form kept=None pictures=Vec::new() saved=Callback::new(|()| ()) />
        }
    });
    view! { <Dashboard here=Part::Products>{page}</Dashboard> }
}

/// The page for editing a product.
#[component]
pub(crate) fn Product() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, id, done) = (param("handle"), param("id"), query("done"));
    let found = api::find(
        move || (handle.get(), id.get(), done.get()),
        |(handle, id, done)| async move {
            let Ok(id) = id.parse::<ProductId>() else {
                api::page_not_found();
                return Err(ApiError(Error::NotFound));
            };
            let product = api::catalog::seller_product(handle.clone(), id).await?;
            let pictures = api::media::seller_pictures(handle.clone(), id).await?;
            Ok((handle, product, pictures, api::catalog::tree().await?, done))
        },
    );
    let saved = Callback::new(move |()| found.refetch());
    let page = loaded(found, move |(handle, product, pictures, tree, done)| {
        let SellerProduct { id, slug, state, version, currency, form, deletable, .. } = product;
        let (title, title_again) = (form.title.clone(), form.title.clone());
        let shown = (state == haat_shared::catalog::edit::ProductState::Published)
            .then(|| view! { <p><a href=routes::product(&slug)>{t!(i18n, seller_products.view)}</a></p> });
        view! {
            <PageTitle text=title.clone() />
            <p class="back"><a href=Part::Products.path(&handle)>{t!(i18n, seller_products.back)}</a></p>
            <header class="order-head">
                <div>
                    <h1>{title}</h1>
                    {shown}
                </div>
                <p class=format!("state {}", state.as_str())>{words::product_state(i18n, state)}</p>
            </header>
            <CodeAlert />
            <Done what=done />
            <Actions handle=handle.clone() id title=title_again state deletable />
            <Editor handle currency tree form kept=Some((id, version)) pictures saved />
        }
    });
    view! { <Dashboard here=Part::Products>{page}</Dashboard> }
}

/// A row of the form: its number, and its initial value.
#[derive(Debug, Clone, PartialEq)]
struct Row<T> {
    number: u32,
    first: T,
}

/// An option: its name, and the values that the variants have, as they are typed to generate variants.
#[derive(Debug, Clone, Default, PartialEq)]
struct OptionValues {
    name: String,
    values: String,
}

/// The current rows of the form.
#[derive(Clone, Copy)]
struct Rows {
    last: StoredValue<u32>,
    attributes: RwSignal<Vec<Row<Attribute>>>,
    options: RwSignal<Vec<Row<OptionValues>>>,
    variants: RwSignal<Vec<Row<VariantForm>>>,
    pictures: RwSignal<Vec<Picture>>,
    dirty: RwSignal<bool>,
}

impl Rows {
    fn of(form: &ProductForm, pictures: Vec<Picture>) -> Self {
        let rows = Self {
            last: StoredValue::new(0),
            attributes: RwSignal::default(),
            options: RwSignal::default(),
            variants: RwSignal::default(),
            pictures: RwSignal::new(pictures),
            dirty: RwSignal::new(false),
        };
        rows.attributes.set(form.attributes.iter().map(|detail| rows.row(detail.clone())).collect());
        let options = form.options.iter().enumerate();
        let options =
            options.map(|(at, name)| OptionValues { name: name.clone(), values: values(&form.variants, at) });
        rows.options.set(options.map(|option| rows.row(option)).collect());
        rows.variants.set(form.variants.iter().map(|variant| rows.row(variant.clone())).collect());
        rows
    }

    /// Whether the product is sold in one way only, so that nothing is called a variant.
    fn is_simple(self) -> bool {
        self.options.with(Vec::is_empty) && self.variants.with(Vec::len) == 1
    }

    fn row<T>(self, first: T) -> Row<T> {
        self.last.update_value(|last| *last += 1);
        Row { number: self.last.get_value(), first }
    }

    fn add<T: Send + Sync + 'static>(self, to: RwSignal<Vec<Row<T>>>, first: T) {
        let row = self.row(first);
        to.update(|rows| rows.push(row));
        self.dirty.set(true);
    }

    fn remove<T: Send + Sync + 'static>(self, from: RwSignal<Vec<Row<T>>>, number: u32) {
        from.update(|rows| rows.retain(|row| row.number != number));
        self.dirty.set(true);
    }

    /// Reads the fields.
    fn read(self, form: &web_sys::HtmlFormElement) -> Option<ProductForm> {
        let data = web_sys::FormData::new_with_form(form).ok()?;
        let field = |name: &str| data.get(name).as_string().unwrap_or_default();
        let options = numbers(self.options);
        let detail = |row: Row<Attribute>| Attribute {
            name: field(&format!("attributes.{}.name", row.number)),
            value: field(&format!("attributes.{}.value", row.number)),
        };
        let variant = |row: Row<VariantForm>| {
            let at = format!("variants.{}", row.number);
            VariantForm {
                sku: field(&format!("{at}.sku")),
                options: options.iter().map(|option| field(&format!("{at}.options.{option}"))).collect(),
                title: field(&format!("{at}.title")),
                price: field(&format!("{at}.price")),
                compare_at: field(&format!("{at}.compare_at")),
                stock: field(&format!("{at}.stock")),
                low_stock: field(&format!("{at}.low_stock")),
                ..row.first
            }
        };
        Some(ProductForm {
            title: field("title"),
            brand: field("brand"),
            category: field("category"),
            description: field("description"),
            attributes: self.attributes.get_untracked().into_iter().map(detail).collect(),
            options: options.iter().map(|option| field(&format!("options.{option}"))).collect(),
            variants: self.variants.get_untracked().into_iter().map(variant).collect(),
        })
    }

    /// Maps errors to the fields on the page, which are named by row number, not by position.
    fn place(self, error: Error) -> Error {
        let Error::Invalid(faults) = error else { return error };
        let lists = [
            ("attributes", numbers(self.attributes)),
            ("options", numbers(self.options)),
            ("variants", numbers(self.variants)),
        ];
        let place = |fault: FieldError| {
            let mut numbers: &[u32] = &[];
            let parts = fault.field.split('.').map(|part| match part.parse::<usize>() {
                Ok(at) => numbers.get(at).map_or(part.to_owned(), u32::to_string),
                Err(_) => {
                    numbers =
                        lists.iter().find(|(list, _)| *list == part).map_or(&[], |(_, numbers)| numbers);
                    part.to_owned()
                }
            });
            FieldError::new(parts.collect::<Vec<_>>().join("."), fault.code)
        };
        Error::Invalid(faults.into_iter().map(place).collect())
    }
}

/// The values of an option, once each. One with a comma is left out, as it would be read as two.
fn values(variants: &[VariantForm], at: usize) -> String {
    let mut seen = HashSet::new();
    let values = variants.iter().filter_map(|variant| variant.options.get(at)).map(String::as_str);
    let once =
        values.filter(|value| !value.is_empty() && !value.contains(',') && seen.insert(value_key(value)));
    once.collect::<Vec<_>>().join(", ")
}

fn numbers<T: Clone + Send + Sync + 'static>(rows: RwSignal<Vec<Row<T>>>) -> Vec<u32> {
    rows.with_untracked(|rows| rows.iter().map(|row| row.number).collect())
}

#[component]
fn Editor(
    handle: String,
    currency: Currency,
    /// The categories to choose from.
    tree: Vec<CategoryLink>,
    form: ProductForm,
    /// The product and the version that the form is based on; `None` for a new product.
    kept: Option<(ProductId, i64)>,
    pictures: Vec<Picture>,
    /// Called after the product is saved.
    saved: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (toaster, navigate) = (expect_context::<Toaster>(), use_navigate());
    let had = pictures.clone();
    let rows = Rows::of(&form, pictures);
    let (faults, busy) = (RwSignal::new(None::<Error>), RwSignal::new(false));
    let element = NodeRef::<html::Form>::new();
    let version = RwSignal::new(kept.map(|(_, version)| version));
    // Set when a new product was created but its images could not be saved, so that it isn't created twice.
    let made = StoredValue::new(kept.map(|(id, _)| id));
    let key = StoredValue::new(String::new());
    let shop = handle.clone();

    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(typed) = element.get_untracked().and_then(|form| rows.read(&form)) else { return };
        if busy.get_untracked() {
            return;
        }
        let mut wrong = typed.check(currency).err().unwrap_or_default();
        rows.pictures.with_untracked(|all| {
            wrong.extend(all.iter().filter_map(|p| media::alt(&format!("alt.{}", p.id), &p.alt).err()));
        });
        if !wrong.is_empty() {
            return show(faults, rows.place(Error::Invalid(wrong)));
        }
        let publish = event.submitter().is_some_and(|button| button.id() == "publish");
        let gallery = rows.pictures.get_untracked();
        let (handle, had, navigate) = (shop.clone(), had.clone(), navigate.clone());
        if key.with_value(String::is_empty) {
            key.set_value(fresh_key());
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let done = async {
                let id = match (made.get_value(), version.get_untracked()) {
                    (Some(id), Some(at)) => {
                        let now =
                            api::catalog::update(handle.clone(), id, at, typed, key.get_value()).await?;
                        version.set(Some(now));
                        id
                    }
                    (Some(id), None) => id,
                    (None, _) => api::catalog::create(handle.clone(), typed, key.get_value()).await?,
                };
                made.set_value(Some(id));
                if gallery != had {
                    let gallery =
                        gallery.into_iter().map(|p| NewPicture { media: p.id, alt: p.alt }).collect();
                    api::media::set_pictures(handle.clone(), id, gallery).await?;
                }
                if publish {
                    api::catalog::publish(handle.clone(), id).await?;
                }
                Ok::<_, ApiError>(id)
            };
            let done = done.await;
            busy.set(false);
            if !matches!(done, Err(ApiError(Error::Offline | Error::Busy { .. }))) {
                key.set_value(String::new());
            }
            match done {
                Ok(id) => {
                    rows.dirty.set(false);
                    let news = match publish {
                        true => t!(i18n, seller_products.published),
                        false => t!(i18n, form.saved),
                    };
                    toaster.say(news.to_owned(), None);
                    if kept.is_none() {
                        navigate(&routes::seller_product(&handle, id), Default::default());
                    } else {
                        saved.run(());
                    }
                }
                Err(ApiError(error)) => {
                    let edited = matches!(error, Error::Conflict(Conflict::Edited(_)));
                    show(faults, rows.place(error));
                    if let (true, Some(id)) = (edited, made.get_value())
                        && let Ok(now) = api::catalog::seller_product(handle, id).await
                    {
                        // Having seen the other user's changes, the user may save over them.
                        version.set(Some(now.version));
                    }
                }
            }
        });
    };

    let publishes = kept.is_none();
    let save_words = if publishes { t!(i18n, form.save_draft) } else { t!(i18n, form.save) };
    view! {
        <Guard dirty=rows.dirty />
        <noscript><Alert>{t!(i18n, seller_products.needs_scripts)}</Alert></noscript>
        <form class="form product-form" id="product" novalidate node_ref=element on:submit=save on:input=move |_| rows.dirty.set(true)>
            {move || faults.get().map(|error| summary(rows, &error))}
            <section class="panel form">
                <Field name="title" label=t!(i18n, seller_products.name) value=form.title required=true faults />
                <Field name="brand" label=t!(i18n, seller_products.brand) optional=true value=form.brand faults />
                <Category value=form.category tree />
                <TextArea name="description" label=t!(i18n, seller_products.description) value=form.description rows=6 faults />
            </section>
            <Pictures handle rows faults=faults.into() />
            <Variants rows element currency faults=faults.into() />
            <Details rows faults=faults.into() />
            <SaveBar dirty=rows.dirty busy words=save_words>
                {publishes.then(|| view! { <button type="submit" id="publish" class="button secondary">{t!(i18n, seller_products.save_and_publish)}</button> })}
            </SaveBar>
        </form>
    }
}

/// The category field.
#[component]
fn Category(value: String, tree: Vec<CategoryLink>) -> impl IntoView {
    let i18n = use_i18n();
    let none = (String::new(), t!(i18n, seller_products.category_none).to_owned());
    let choices = std::iter::once(none).chain(tree.into_iter().map(|link| (link.slug, link.name)));
    let options = choices.map(|(slug, name)| {
        let selected = slug == value;
        view! { <option value=slug selected=selected>{name}</option> }
    });
    view! {
        <div class="field">
            <label for="category">{t!(i18n, seller_products.category)}</label>
            <select id="category" name="category">{options.collect_view()}</select>
        </div>
    }
}

/// Shows an error and scrolls to it.
fn show(faults: RwSignal<Option<Error>>, error: Error) {
    faults.set(Some(error));
    request_animation_frame(|| {
        if let Ok(Some(alert)) = document().query_selector("#product > [role=alert]") {
            alert.scroll_into_view();
        }
    });
}

/// A new idempotency key.
fn fresh_key() -> String {
    let now = web_sys::js_sys::Date::now();
    format!("{now}-{}", web_sys::js_sys::Math::random())
}

/// The error summary, with the labels of the fields.
fn summary(rows: Rows, error: &Error) -> AnyView {
    let i18n = use_i18n();
    let Error::Invalid(faults) = error else { return ui::error_summary(i18n, error, Vec::new()) };
    let variants = numbers(rows.variants);
    let simple = untrack(|| rows.is_simple());
    let at_fields = faults.iter().map(|FieldError { field, code }| {
        let parts: Vec<&str> = field.split('.').collect();
        let label = match parts.as_slice() {
            ["variants", number, rest @ ..] => {
                let n = variants.iter().position(|row| row.to_string() == **number).map_or(0, |at| at + 1);
                let part = rest
                    .first()
                    .map_or(t!(i18n, seller_products.variant), |part| words::form_field(i18n, part));
                match simple {
                    true => part.to_owned(),
                    false => tu_string!(i18n, seller_products.of_variant, field = part, n = n).to_string(),
                }
            }
            [first, ..] => words::form_field(i18n, first).to_owned(),
            [] => field.clone(),
        };
        (field.clone(), label, *code)
    });
    ui::error_summary(i18n, error, at_fields.collect())
}

#[component]
fn RemoveButton(#[prop(into)] name: String, remove: Callback<()>) -> impl IntoView {
    view! {
        <button type="button" class="icon-button" aria-label=name on:click=move |_| remove.run(())>
            <Icon name="close" />
        </button>
    }
}

/// The options and variants.
#[component]
fn Variants(
    rows: Rows,
    element: NodeRef<html::Form>,
    currency: Currency,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let option = move |row: Row<OptionValues>| {
        let number = row.number;
        let (name, values) = (format!("options.{number}"), format!("values.{number}"));
        view! {
            <div class="row-fields option-row">
                <Field name label=t!(i18n, seller_products.option) value=row.first.name faults />
                <Field name=values label=t!(i18n, seller_products.option_values) value=row.first.values hint=t!(i18n, seller_products.option_hint).to_owned() />
                <RemoveButton name=t!(i18n, seller_products.remove_option) remove=Callback::new(move |()| rows.remove(rows.options, number)) />
            </div>
        }
    };
    let full = move || rows.variants.with(|rows| rows.len() >= VARIANTS_MAX);
    let add = move |_| {
        let like = last_typed(rows, element);
        rows.add(rows.variants, like);
    };
    view! {
        <section class="panel form" aria-labelledby="variants">
            <h2 id="variants">{t!(i18n, seller_products.variants)}</h2>
            <p class="note">{t!(i18n, seller_products.variants_note)}</p>
            <For each=move || rows.options.get() key=|row| row.number children=option />
            <div class="actions">
                <button
                    type="button"
                    class="button secondary"
                    disabled=move || rows.options.with(|rows| rows.len() >= OPTIONS_MAX)
                    on:click=move |_| rows.add(rows.options, OptionValues::default())
                >
                    {t!(i18n, seller_products.add_option)}
                </button>
                {move || rows.options.with(|options| !options.is_empty()).then(|| view! {
                    <button type="button" class="button secondary" on:click=move |_| make_variants(rows, element)>
                        {t!(i18n, seller_products.make_variants)}
                    </button>
                })}
            </div>
            <For each=move || rows.variants.get() key=|row| row.number children=move |row| view! { <Variant row rows currency faults /> } />
            <div>
                <button type="button" class="button secondary" disabled=full on:click=add>{t!(i18n, seller_products.add_variant)}</button>
            </div>
        </section>
    }
}

/// A new variant with the price of the last one.
fn last_typed(rows: Rows, element: NodeRef<html::Form>) -> VariantForm {
    let form = element.get_untracked().and_then(|form| rows.read(&form));
    let last = form.and_then(|form| form.variants.last().cloned()).unwrap_or_default();
    VariantForm {
        price: last.price,
        compare_at: last.compare_at,
        stock: last.stock,
        ..VariantForm::default()
    }
}

/// Adds a variant for each combination of option values that does not exist yet, replacing an empty one.
fn make_variants(rows: Rows, element: NodeRef<html::Form>) {
    let Some(form) = element.get_untracked() else { return };
    let Some(typed) = rows.read(&form) else { return };
    let Ok(data) = web_sys::FormData::new_with_form(&form) else { return };
    let mut ways: Vec<Vec<String>> = vec![Vec::new()];
    for (at, number) in numbers(rows.options).into_iter().enumerate() {
        let list = data.get(&format!("values.{number}")).as_string().unwrap_or_default();
        let mut values: Vec<String> =
            typed.variants.iter().filter_map(|v| v.options.get(at).cloned()).collect();
        values.extend(list.split(',').map(|value| value.trim().to_owned()));
        let mut seen = HashSet::new();
        values.retain(|value| !value.is_empty() && seen.insert(value_key(value)));
        let longer = |way: &Vec<String>| {
            values
                .iter()
                .map(|value| way.iter().cloned().chain([value.clone()]).collect())
                .collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(longer).take(VARIANTS_MAX).collect();
    }
    // New variants are labelled with the current option names.
    rows.options.update(|rows| {
        for (row, name) in rows.iter_mut().zip(typed.options) {
            row.first.name = name;
        }
    });
    let like = last_typed(rows, element);
    let silent =
        |variant: &VariantForm| variant.id.is_none() && variant.options.iter().all(|v| v.trim().is_empty());
    let kept: Vec<(u32, VariantForm)> = numbers(rows.variants).into_iter().zip(typed.variants).collect();
    ways.retain(|way| !kept.iter().any(|(_, variant)| variant.options == *way));
    if ways.is_empty() {
        return;
    }
    let silent: Vec<u32> =
        kept.iter().filter(|(_, variant)| silent(variant)).map(|(number, _)| *number).collect();
    let new = ways.into_iter().map(|options| rows.row(VariantForm { options, ..like.clone() }));
    let new: Vec<_> = new.collect();
    rows.variants.update(|rows| {
        rows.retain(|row| !silent.contains(&row.number));
        rows.extend(new);
        rows.truncate(VARIANTS_MAX);
    });
    rows.dirty.set(true);
}

#[component]
fn Variant(
    row: Row<VariantForm>,
    rows: Rows,
    currency: Currency,
    faults: Signal<Option<Error>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let Row { number, first } = row;
    let at = format!("variants.{number}");
    let place =
        move || rows.variants.with(|rows| rows.iter().position(|row| row.number == number)).unwrap_or(0) + 1;
    let heading = move || {
        (!rows.is_simple()).then(|| view! { <legend>{tu_string!(i18n, seller_products.variant_n, n = place()).to_string()}</legend> })
    };
    // Keyed by the rows of the options; options added later have no values yet.
    let values: HashMap<u32, String> = numbers(rows.options).into_iter().zip(first.options.clone()).collect();
    let option_at = at.clone();
    // Labelled with the option's name, as it is being typed.
    let option = move |(place, option): (usize, Row<OptionValues>)| {
        let label = match option.first.name.as_str() {
            "" => tu_string!(i18n, seller_products.value_n, n = place + 1).to_string(),
            name => text::clip(name, NAME_MAX),
        };
        let value = values.get(&option.number).cloned().unwrap_or_default();
        view! { <Field name=format!("{option_at}.options.{}", option.number) label value faults /> }
    };
    let (title_at, title) = (format!("{at}.title"), first.title.clone());
    let titled = Memo::new(move |_| rows.options.with(Vec::is_empty) && (rows.variants.with(Vec::len) > 1));
    let title = move || {
        let (name, value) = (title_at.clone(), title.clone());
        titled
            .get()
            .then(|| view! { <Field name label=t!(i18n, seller_products.variant_title) value faults /> })
    };
    let several = move || rows.variants.with(Vec::len) > 1;
    let money = |words: &str| format!("{words} ({})", currency.code());
    view! {
        <fieldset class="variant" id=at.clone()>
            {heading}
            <div class="row-fields">
                {title}
                <For
                    each={move || rows.options.get().into_iter().enumerate().collect::<Vec<_>>()}
                    key=|(_, row)| row.number
                    children=option
                />
                <Amount name=format!("{at}.price") label=money(t!(i18n, seller_products.price)) value=first.price required=true currency faults />
                {(!first.unlimited).then(|| view! {
                    <Field name=format!("{at}.stock") label=t!(i18n, seller_products.stock) value=first.stock keys="numeric" required=true faults />
                })}
            </div>
            <details class="more-of">
                <summary>{t!(i18n, seller_products.more)}</summary>
                <div class="row-fields">
                    <Amount name=format!("{at}.compare_at") label=money(t!(i18n, seller_products.compare_at)) value=first.compare_at required=false currency faults />
                    <Field name=format!("{at}.sku") label=t!(i18n, seller_products.sku) value=first.sku faults />
                    <Field name=format!("{at}.low_stock") label=t!(i18n, seller_products.low_stock) value=first.low_stock keys="numeric" faults />
                </div>
            </details>
            {move || several().then(|| view! {
                <RemoveButton name=tu_string!(i18n, seller_products.remove_variant, n = place()).to_string() remove=Callback::new(move |()| rows.remove(rows.variants, number)) />
            })}
        </fieldset>
    }
}

/// The specifications: "Weight", "3.4 kg".
#[component]
fn Details(rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let detail = move |row: Row<Attribute>| {
        let Row { number, first } = row;
        view! {
            <div class="row-fields option-row">
                <Field name=format!("attributes.{number}.name") label=t!(i18n, seller_products.detail_name) value=first.name faults />
                <Field name=format!("attributes.{number}.value") label=t!(i18n, seller_products.detail_value) value=first.value faults />
                <RemoveButton name=t!(i18n, seller_products.remove_detail) remove=Callback::new(move |()| rows.remove(rows.attributes, number)) />
            </div>
        }
    };
    let empty = || Attribute { name: String::new(), value: String::new() };
    view! {
        <section class="panel form" aria-labelledby="details">
            <h2 id="details">{t!(i18n, seller_products.details)}</h2>
            <For each=move || rows.attributes.get() key=|row| row.number children=detail />
            <div>
                <button type="button" class="button secondary" on:click=move |_| rows.add(rows.attributes, empty())>
                    {t!(i18n, seller_products.add_detail)}
                </button>
            </div>
        </section>
    }
}

/// The pictures, in order.
#[component]
fn Pictures(handle: String, rows: Rows, faults: Signal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    let (refused, under_way) = (RwSignal::new(Vec::<(String, Error)>::new()), RwSignal::new(0u32));
    let animated = RwSignal::new(Vec::<String>::new());
    let chosen = move |event: Event| {
        let Some(input) = event.target().and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok())
        else {
            return;
        };
        let Some(files) = input.files() else { return };
        let files: Vec<_> = (0..files.length()).filter_map(|i| files.get(i)).collect();
        input.set_value("");
        let handle = handle.clone();
        refused.set(Vec::new());
        animated.set(Vec::new());
        under_way.update(|n| *n += 1);
        leptos::task::spawn_local(async move {
            for file in files {
                let name = text::clip(&file.name(), NAME_MAX);
                let full = rows.pictures.with_untracked(|all| all.len() >= PER_PRODUCT_MAX);
                let taken = match full {
                    true => Err(Error::field("picture", FieldCode::TooMany)),
                    false => super::upload(Purpose::ProductPicture, &handle, file).await,
                };
                match taken {
                    Ok(mut picture) => {
                        if std::mem::take(&mut picture.animated) {
                            animated.update(|all| all.push(name));
                        }
                        rows.pictures.update(|all| {
                            if !all.iter().any(|other| other.id == picture.id) {
                                all.push(picture);
                            }
                        });
                        rows.dirty.set(true);
                    }
                    Err(error) => refused.update(|all| all.push((name, error))),
                }
            }
            under_way.update(|n| *n -= 1);
        });
    };
    let picture = move |shown: Picture| {
        let id = shown.id;
        let swap = move |_| {
            rows.pictures.update(|all| {
                if let Some(at) = all.iter().position(|p| p.id == id).filter(|at| *at > 0) {
                    all.swap(at - 1, at);
                }
            });
            rows.dirty.set(true);
        };
        let described = move |event: Event| {
            let alt = event_target_value(&event);
            rows.pictures.update(|all| {
                if let Some(picture) = all.iter_mut().find(|p| p.id == id) {
                    picture.alt = alt;
                }
            });
        };
        let remove = Callback::new(move |()| {
            rows.pictures.update(|all| all.retain(|p| p.id != id));
            rows.dirty.set(true);
        });
        let (name, alt) = (format!("alt.{id}"), shown.alt.clone());
        view! {
            <li class="picture-row" on:input=described>
                <ui::Picture of=Some(shown) title=String::new() sizes="96px" />
                <Field name label=t!(i18n, seller_products.alt) value=alt faults />
                <button type="button" class="icon-button" aria-label=t!(i18n, seller_products.picture_first) on:click=swap><Icon name="up" /></button>
                <RemoveButton name=t!(i18n, seller_products.remove_picture) remove />
            </li>
        }
    };
    let refusals = move || {
        refused
            .get()
            .into_iter()
            .map(|(name, error)| {
                let words = match error.at("picture") {
                    Some(code) => words::field(i18n, code),
                    None => words::error(i18n, &error),
                };
                view! { <p class="field-error" role="alert">{name}": "{words}</p> }
            })
            .collect_view()
    };
    let stills = move || {
        let stills = animated.get().into_iter();
        stills.map(|name| view! { <p class="note">{tu_string!(i18n, seller_products.first_frame, name = name.as_str()).to_string()}</p> }).collect_view()
    };
    view! {
        <section class="panel form" aria-labelledby="pictures-title">
            <h2 id="pictures-title">{t!(i18n, seller_products.pictures)}</h2>
            <ul class="picture-rows">
                <For each=move || rows.pictures.get() key=|picture| picture.id children=picture />
            </ul>
            <div class="field" class:wrong=move || refused.with(|all| !all.is_empty())>
                <label for="pictures">{t!(i18n, seller_products.add_pictures)}</label>
                <input
                    id="pictures"
                    type="file"
                    multiple
                    accept="image/jpeg,image/png,image/webp"
                    aria-describedby="pictures-error pictures-hint"
                    aria-invalid=move || refused.with(|all| !all.is_empty()).then_some("true")
                    on:change=chosen
                />
                <div id="pictures-error">{refusals}</div>
                <div role="status">{stills}</div>
                <p class="field-hint" id="pictures-hint">{tu_string!(i18n, seller_products.pictures_hint, n = PER_PRODUCT_MAX).to_string()}</p>
                <p class="note" role="status">{move || (under_way.get() > 0).then(|| t!(i18n, seller_products.uploading))}</p>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_options_are_listed_once_and_can_be_read_back() {
        let variant = |options: &[&str]| VariantForm {
            options: options.iter().map(|&value| value.into()).collect(),
            ..VariantForm::default()
        };
        let variants =
            [variant(&["Red", "S"]), variant(&["red", "L"]), variant(&["Red, matte", ""]), variant(&[])];
        assert_eq!(values(&variants, 0), "Red");
        assert_eq!(values(&variants, 1), "S, L");
        assert_eq!(values(&variants, 2), "");
    }
}
