//! The product editor: title, description, pictures, options and variants, and attributes at the left; status,
//! category and preview at the side.

mod attributes;
mod editor;
mod pictures;
mod preview;
mod rows;
mod variants;

use haat_shared::{
    Error, FieldError,
    catalog::{
        attributes::CategoryAttribute,
        edit::{ProductForm, ProductState, SellerProduct, VariantForm},
    },
    id::kinds::ProductId,
};
use leptos::{prelude::*, web_sys};

use self::{
    editor::Editor,
    rows::{Removed, Rows, numbers},
};
use super::{
    Dashboard, Part,
    products::{Actions, Done},
};
use crate::{
    api::{self, ApiError},
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{self, CodeAlert, Icon, PageTitle, loaded},
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
            Ok((handle, shop.currency, api::catalog::tree().await?))
        },
    );
    let page = loaded(found, move |(handle, currency, tree)| {
        let form = ProductForm { variants: vec![VariantForm::default()], ..ProductForm::default() };
        view! {
            <PageTitle text=tu_string!(i18n, seller_products.new) />
            <p class="back"><a href=Part::Products.path(&handle)>{t!(i18n, seller_products.back)}</a></p>
            <h1>{t!(i18n, seller_products.new)}</h1>
            <Editor handle currency tree form kept=None pictures=Vec::new() asked=Vec::new() values=Vec::new() saved=Callback::new(|()| ()) />
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
            let id: ProductId = api::id(&id)?;
            let product = api::catalog::seller_product(handle.clone(), id).await?;
            let pictures = api::media::seller_pictures(handle.clone(), id).await?;
            let asked = asked(product.form.category.clone()).await?;
            let values = api::catalog::attribute_values(handle.clone(), id).await?;
            Ok((handle, product, pictures, (asked, values), api::catalog::tree().await?, done))
        },
    );
    let saved = Callback::new(move |()| found.refetch());
    let page = loaded(found, move |(handle, product, pictures, (asked, values), tree, done)| {
        let SellerProduct { id, slug, state, version, currency, form, deletable, .. } = product;
        let (title, title_again) = (form.title.clone(), form.title.clone());
        let kept = Some(Kept { id, version, slug, state });
        view! {
            <PageTitle text=title.clone() />
            <p class="back"><a href=Part::Products.path(&handle)>{t!(i18n, seller_products.back)}</a></p>
            <header class="order-head">
                <h1>{title}</h1>
                <p class=format!("state {}", state.as_str())>{words::product_state(i18n, state)}</p>
            </header>
            <CodeAlert />
            <Done what=done />
            <Actions handle=handle.clone() id title=title_again state deletable />
            <Editor handle currency tree form kept pictures asked values saved />
        }
    });
    view! { <Dashboard here=Part::Products>{page}</Dashboard> }
}

/// A product that has been saved before.
#[derive(Debug, Clone)]
struct Kept {
    id: ProductId,
    /// The version that the form is based on.
    version: i64,
    slug: String,
    state: ProductState,
}

/// What a category asks for. One that no longer exists asks for nothing.
async fn asked(category: String) -> Result<Vec<CategoryAttribute>, ApiError> {
    if category.is_empty() {
        return Ok(Vec::new());
    }
    match api::catalog::category_attributes(category).await {
        Err(ApiError(Error::NotFound)) => Ok(Vec::new()),
        other => other,
    }
}

/// Says that something was removed, and offers to bring it back.
#[component]
fn UndoNote(
    rows: Rows,
    /// Whether it was removed in this part of the form.
    of: fn(&Removed) -> bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let shown = Memo::new(move |_| rows.removed.with(|removed| removed.as_ref().is_some_and(of)));
    view! {
        <div class="undo-note" role="status">
            {move || shown.get().then(|| view! {
                <span>{t!(i18n, seller_products.removed)}</span>
                <button type="button" id="undo" class="button quiet" on:click=move |_| rows.undo()>{t!(i18n, seller_products.undo)}</button>
            })}
        </div>
    }
}

/// The error of an attribute, at its field.
fn at_attribute(FieldError { field, code }: FieldError) -> FieldError {
    let name = field.strip_prefix("attributes.").map_or_else(|| field.clone(), attributes::field_name);
    FieldError::new(name, code)
}

fn at_attributes(error: Error) -> Error {
    match error {
        Error::Invalid(all) => Error::Invalid(all.into_iter().map(at_attribute).collect()),
        other => other,
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
            ["typed", code, ..] => {
                let name = |asked: &CategoryAttribute| (asked.code == *code).then(|| asked.name.clone());
                let found = rows.asked.with_untracked(|asked| asked.iter().find_map(name));
                found.unwrap_or_else(|| (*code).to_owned())
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
