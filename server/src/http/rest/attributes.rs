//! Typed attributes: their definitions, those of categories, and the values of products.

use haat_engine::catalog::{self, AskedAttribute};
use haat_shared::{
    Result,
    catalog::attributes::{AttributeForm, AttributeKind, AttributeOption, AttributeText, CategoryAttribute},
    id::kinds::ProductId,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body},
    reply::Found,
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_CATEGORY_ATTRIBUTES, "Lists the attributes of a category, inherited ones first.", of_category)
        .on(API_ATTRIBUTES, "Lists a product's attribute values.", values)
        .on(API_SET_ATTRIBUTES, "Replaces a product's attribute values with the given ones.", set_values)
        .on(
            API_DEFINE_ATTRIBUTE,
            "Creates an attribute, or updates its name, unit and options. Its kind and decimals can't be changed.",
            define,
        )
        .on(
            API_SET_CATEGORY_ATTRIBUTES,
            "Replaces a category's own attributes with the given ones, in this order. Subcategories inherit them.",
            set_of_category,
        )
}

/// The attributes of a category.
#[derive(Serialize, ToSchema)]
struct CategoryAttributes {
    /// The attributes, in display order.
    items: Vec<CategoryAttribute>,
}

async fn of_category(context: RequestContext, At(slug): At<String>) -> Result<Found<CategoryAttributes>> {
    catalog::category_attributes(context.engine(), &context.caller, &slug)
        .await
        .map(|items| Found(CategoryAttributes { items }))
}

/// The attribute values of a product.
#[derive(Serialize, ToSchema)]
struct AttributeValues {
    /// The values, in the order of the category's attributes.
    items: Vec<AttributeText>,
}

type AtProduct = At<(String, ProductId)>;

async fn values(context: RequestContext, At((handle, id)): AtProduct) -> Result<Found<AttributeValues>> {
    catalog::attribute_values(context.engine(), &context.caller, &handle, id)
        .await
        .map(|items| Found(AttributeValues { items }))
}

/// The new attribute values of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAttributeValues {
    /// A value for each attribute of the category that the product has one of.
    #[schema(max_items = 1000)]
    items: Vec<AttributeValueInput>,
}

/// An attribute value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AttributeValueInput {
    /// The attribute's code.
    code: String,
    /// The value: text, a number with a decimal point, `yes` or `no`, the code of an option, or `#rrggbb`. An empty value is none.
    #[schema(format = "optional-line", max_length = 500)]
    value: String,
}

async fn set_values(
    context: RequestContext,
    (At((handle, id)), Body(new)): (AtProduct, Body<NewAttributeValues>),
) -> Result<Found<AttributeValues>> {
    let text = |v: AttributeValueInput| AttributeText { code: v.code, value: v.value };
    let new = new.items.into_iter().map(text).collect();
    catalog::set_attribute_values(context.engine(), &context.caller, &handle, id, new).await?;
    values(context, At((handle, id))).await
}

/// The definition of an attribute.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AttributeDefinition {
    /// The attribute's name.
    #[schema(format = "line", max_length = 100)]
    name: String,
    /// The kind of its values.
    kind: AttributeKind,
    /// The unit of a number.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 20)]
    unit: String,
    /// The number of decimals of a number.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 6)]
    decimals: i64,
    /// The options of a choice, in display order. Options left out are no longer offered, but products keep them.
    #[serde(default)]
    #[schema(max_items = 100)]
    options: Vec<AttributeOptionInput>,
}

/// An option of an attribute.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AttributeOptionInput {
    /// The option's code: lower-case letters, digits and `_`.
    #[schema(pattern = "^[a-z0-9_]{1,40}$")]
    code: String,
    /// The option's name.
    #[schema(format = "line", max_length = 100)]
    name: String,
}

async fn define(
    context: RequestContext,
    (At(code), Body(new)): (At<String>, Body<AttributeDefinition>),
) -> Result<()> {
    let option = |option: AttributeOptionInput| AttributeOption { code: option.code, name: option.name };
    let form = AttributeForm {
        name: new.name,
        kind: new.kind,
        unit: new.unit,
        decimals: new.decimals,
        options: new.options.into_iter().map(option).collect(),
    };
    catalog::define_attribute(context.engine(), &context.caller, &code, &form).await
}

/// The new attributes of a category.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCategoryAttributes {
    /// The attributes, in display order.
    #[schema(max_items = 100)]
    items: Vec<CategoryAttributeInput>,
}

/// An attribute of a category.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CategoryAttributeInput {
    /// The attribute's code.
    code: String,
    /// Whether products must have a value.
    #[serde(default)]
    required: bool,
}

async fn set_of_category(
    context: RequestContext,
    (At(slug), Body(new)): (At<String>, Body<NewCategoryAttributes>),
) -> Result<()> {
    let asked = |a: CategoryAttributeInput| AskedAttribute { code: a.code, required: a.required };
    let asked = new.items.into_iter().map(asked).collect();
    catalog::set_category_attributes(context.engine(), &context.caller, &slug, asked).await
}
