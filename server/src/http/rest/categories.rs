//! The category tree, as admins edit it.

use std::collections::BTreeMap;

use haat_engine::category_tree;
use haat_shared::{
    Error, FieldCode, Result,
    categories::{CategoryEntry, CategoryForm},
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, OnceIfAsked, Query},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_CATEGORY_TREE, "Lists all categories, each before its subcategories.", list)
        .on(API_ADD_CATEGORY, "Adds a category as the last one below its parent.", add)
        .on(
            API_CHANGE_CATEGORY,
            "Renames a category, changes its tax category, and moves it with its subcategories. Its slug stays.",
            change,
        )
        .on(
            API_REMOVE_CATEGORY,
            "Removes a category. Its subcategories move up one level, and its products into another category.",
            remove,
        )
}

/// The category tree.
#[derive(Serialize, ToSchema)]
struct Tree {
    /// The categories, each before its subcategories, in the order in which shoppers see them.
    items: Vec<CategoryEntry>,
}

/// A category.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CategoryFields {
    /// The slug. Empty to derive it from the name of a new one. It never changes.
    #[serde(default)]
    #[schema(pattern = "^([a-z0-9]+(-[a-z0-9]+)*)?$", max_length = 60)]
    slug: String,
    /// The name in the first language of the marketplace.
    #[schema(format = "line", max_length = 60)]
    name: String,
    /// The names in other languages, by language: `{"hi": "कप"}`.
    #[serde(default)]
    names: BTreeMap<String, String>,
    /// The slug of the category above. Empty at the top.
    #[serde(default)]
    parent: String,
    /// The category of tax rates that its products are of. Empty if they are not taxed.
    #[serde(default)]
    #[schema(pattern = "^([a-z0-9]+(-[a-z0-9]+)*)?$", max_length = 40)]
    tax_category: String,
}

impl From<CategoryFields> for CategoryForm {
    fn from(fields: CategoryFields) -> Self {
        let CategoryFields { slug, name, names, parent, tax_category } = fields;
        Self { name, names: names.into_iter().collect(), slug, parent, tax_category }
    }
}

/// A created category.
#[derive(Serialize, ToSchema)]
struct CategoryCreated {
    /// Its slug.
    slug: String,
}

/// Where the products of a removed category go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProductsInto {
    /// The slug of the category that gets the products. The category above the removed one if there is none.
    into: Option<String>,
}

async fn list(context: RequestContext, (): ()) -> Result<Found<Tree>> {
    Ok(Found(Tree { items: category_tree::list(context.engine(), &context.caller).await? }))
}

async fn add(
    context: RequestContext,
    (Body(new), _): (Body<CategoryFields>, OnceIfAsked),
) -> Result<Made<CategoryCreated>> {
    let slug = category_tree::add(context.engine(), &context.caller, &new.into()).await?;
    Ok(Made(CategoryCreated { slug }))
}

async fn change(
    context: RequestContext,
    (At(slug), Body(new)): (At<String>, Body<CategoryFields>),
) -> Result<Found<Tree>> {
    if !new.slug.is_empty() && new.slug != slug {
        return Err(Error::field("slug", FieldCode::NotAChoice));
    }
    category_tree::change(context.engine(), &context.caller, &slug, &new.into()).await?;
    list(context, ()).await
}

async fn remove(
    context: RequestContext,
    (At(slug), Query(of)): (At<String>, Query<ProductsInto>),
) -> Result<()> {
    let into = of.into.unwrap_or_default();
    category_tree::remove(context.engine(), &context.caller, &slug, &into).await
}
