//! Typed attributes: their definitions, which categories ask for them, and the values of products.

use std::collections::HashMap;

use haat_shared::{
    Error, FieldCode, Result,
    catalog::attributes::{
        self, AttributeForm, AttributeKind, AttributeOption, AttributeText, AttributeValue,
        CategoryAttribute, TypedAttribute,
    },
    id::kinds::{AttributeId, CategoryId, ProductId},
    permissions::{AdminPermission, Permission},
};

use crate::{
    Caller, Engine, TxError, TxResult, audit,
    db::{Scalar, Tx},
    insert, media, params, random, rows, shops, statements,
};

statements! {
    IDS = "SELECT id, code FROM attributes";
    WITHDRAW_OPTIONS = "UPDATE attribute_options SET position = -1 WHERE attribute_id = $1";
    FIND_CATEGORY = "SELECT id AS value FROM categories WHERE slug = $1";
    // Locks the category against others who set its attributes.
    LOCK_CATEGORY = "UPDATE categories SET position = position WHERE id = $1";
    CLEAR_CATEGORY = "DELETE FROM category_attributes WHERE category_id = $1";
    // Those of the category and of its ancestors, root first, with a row for each option.
    EFFECTIVE = "SELECT a.code, a.name, a.kind, a.unit, a.decimals, ca.required, c.path,
            o.code AS option_code, o.name AS option_name
        FROM categories here JOIN categories c ON here.path LIKE c.path || '%'
        JOIN category_attributes ca ON ca.category_id = c.id JOIN attributes a ON a.id = ca.attribute_id
        LEFT JOIN attribute_options o ON o.attribute_id = a.id AND o.position >= 0
        WHERE here.id = $1 ORDER BY c.path, ca.position, o.position";
    CATEGORY_OF = "SELECT category_id AS value FROM products WHERE id = $1 AND shop_id = $2";
    CLEAR_VALUES = "DELETE FROM product_attribute_values WHERE product_id = $1";
    // Only what the product's category asks for: a product may have been moved since.
    VALUES = "SELECT a.code, a.name, a.kind, a.unit, a.decimals, v.text_value, v.number_value, v.boolean_value,
            v.option_code, v.color_rgb, o.name AS option_name
        FROM product_attribute_values v JOIN products p ON p.id = v.product_id
        JOIN categories here ON here.id = p.category_id JOIN categories c ON here.path LIKE c.path || '%'
        JOIN category_attributes ca ON ca.category_id = c.id AND ca.attribute_id = v.attribute_id
        JOIN attributes a ON a.id = v.attribute_id
        LEFT JOIN attribute_options o ON o.attribute_id = v.attribute_id AND o.code = v.option_code
        WHERE v.product_id = $1 ORDER BY c.path, ca.position";
}

insert! {
    #[derive(Clone)]
    struct PutAttribute into attributes {
        id: AttributeId,
        code: String,
        name: String,
        kind: AttributeKind,
        unit: String,
        decimals: i64,
        created_at: i64,
    } "ON CONFLICT (code) DO UPDATE SET name = excluded.name, unit = excluded.unit
            WHERE attributes.kind = excluded.kind AND attributes.decimals = excluded.decimals RETURNING id AS value"

    struct PutOption into attribute_options {
        attribute_id: AttributeId,
        code: String,
        name: String,
        position: i64,
    } "ON CONFLICT (attribute_id, code) DO UPDATE SET name = excluded.name, position = excluded.position"

    struct AskFor into category_attributes {
        category_id: CategoryId,
        attribute_id: AttributeId,
        position: i64,
        required: bool,
    }

    struct AddValue into product_attribute_values {
        product_id: ProductId,
        attribute_id: AttributeId,
        text_value: Option<String>,
        number_value: Option<i64>,
        boolean_value: Option<bool>,
        option_code: Option<String>,
        color_rgb: Option<i64>,
    }
}

rows! {
    struct IdRow {
        id: AttributeId,
        code: String,
    }

    struct EffectiveRow {
        code: String,
        name: String,
        kind: AttributeKind,
        unit: String,
        decimals: i64,
        required: bool,
        path: String,
        option_code: Option<String>,
        option_name: Option<String>,
    }

    struct ValueRow {
        code: String,
        name: String,
        kind: AttributeKind,
        unit: String,
        decimals: i64,
        text_value: Option<String>,
        number_value: Option<i64>,
        boolean_value: Option<bool>,
        option_code: Option<String>,
        color_rgb: Option<i64>,
        option_name: Option<String>,
    }
}

/// Defines an attribute, or changes its name, unit and options. Kind and decimals never change, because the
/// values of products depend on them. Operators only.
pub async fn define_attribute(
    engine: &Engine,
    caller: &Caller,
    code: &str,
    form: &AttributeForm,
) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let code = attributes::code("code", code).map_err(|error| Error::Invalid(vec![error]))?;
    let form = form.check().map_err(Error::Invalid)?;
    let now = engine.clock.now_ms();
    let row = PutAttribute {
        id: random::id(now),
        code: code.clone(),
        name: form.name,
        kind: form.kind,
        unit: form.unit,
        decimals: form.decimals,
        created_at: now,
    };
    let input = (row, form.options, caller.user_id());
    engine
        .db
        .write(("catalog::define_attribute", code), input, |tx, (row, options, user)| {
            Box::pin(async move {
                let id: Option<Scalar<AttributeId>> = tx.insert_returning(row.clone()).await?;
                let id = id.ok_or(Error::field("kind", FieldCode::NotAChoice))?;
                tx.exec(&WITHDRAW_OPTIONS, params![id.0]).await?;
                let options = (0i64..).zip(options.iter()).map(|(position, option)| PutOption {
                    attribute_id: id.0,
                    code: option.code.clone(),
                    name: option.name.clone(),
                    position,
                });
                tx.insert_all(options.collect::<Vec<_>>()).await?;
                audit::write(tx, *user, "catalog::define_attribute", id.0, &row.code, row.created_at).await
            })
        })
        .await?;
    Ok(())
}

/// An attribute that a category asks for.
#[derive(Debug, Clone)]
pub struct AskedAttribute {
    /// The attribute's code.
    pub code: String,
    /// Whether products must have a value.
    pub required: bool,
}

/// Sets the attributes of a category, in display order; its subcategories inherit them. One that is inherited
/// can be set again, to require it or not. Operators only.
pub async fn set_category_attributes(
    engine: &Engine,
    caller: &Caller,
    slug: &str,
    asked: Vec<AskedAttribute>,
) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    if asked.len() > attributes::ENTRIES_MAX {
        return Err(Error::field("items", FieldCode::TooMany));
    }
    let category = category_id(engine, slug).await?;
    let input = (category, slug.to_owned(), asked, caller.user_id(), engine.clock.now_ms());
    engine
        .db
        .write(
            ("catalog::set_category_attributes", category),
            input,
            |tx, (category, slug, asked, user, now)| {
                Box::pin(async move {
                    tx.exec(&LOCK_CATEGORY, params![*category]).await?;
                    let ids = ids_in_tx(tx).await?;
                    let mut rows: Vec<AskFor> = Vec::with_capacity(asked.len());
                    for (position, ask) in (0i64..).zip(asked.iter()) {
                        let bad = |code| Error::field(format!("items.{position}.code"), code);
                        let id = *ids.get(&ask.code).ok_or(bad(FieldCode::NotAChoice))?;
                        if rows.iter().any(|row| row.attribute_id == id) {
                            return Err(bad(FieldCode::NotUnique).into());
                        }
                        rows.push(AskFor {
                            category_id: *category,
                            attribute_id: id,
                            position,
                            required: ask.required,
                        });
                    }
                    tx.exec(&CLEAR_CATEGORY, params![*category]).await?;
                    tx.insert_all(rows).await?;
                    audit::write(tx, *user, "catalog::set_category_attributes", *category, slug, *now).await
                })
            },
        )
        .await?;
    Ok(())
}

/// The attributes of a category, inherited ones first.
pub async fn category_attributes(engine: &Engine, _: &Caller, slug: &str) -> Result<Vec<CategoryAttribute>> {
    let category = category_id(engine, slug).await?;
    Ok(effective(engine.db.all(&EFFECTIVE, params![category]).await?))
}

/// Replaces the values of a product. A blank value is none. Requires the permission to manage the catalogue.
pub async fn set_attribute_values(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
    values: Vec<AttributeText>,
) -> Result<()> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let input = (shop, product, values, engine.clock.now_ms());
    engine
        .db
        .write(("catalog::set_attribute_values", product), input, |tx, (shop, product, values, now)| {
            Box::pin(async move {
                media::lock_in_tx(tx, *shop, *product, *now).await?;
                let category: Scalar<Option<CategoryId>> =
                    tx.opt(&CATEGORY_OF, params![*product, *shop]).await?.ok_or(Error::NotFound)?;
                let asked = match category.0 {
                    Some(category) => effective(tx.all(&EFFECTIVE, params![category]).await?),
                    None => Vec::new(),
                };
                let values = attributes::check_values(&asked, values).map_err(Error::Invalid)?;
                let ids = ids_in_tx(tx).await?;
                let rows = values.into_iter().filter_map(|(code, value)| {
                    ids.get(&code).map(|attribute| AddValue::new(*product, *attribute, value))
                });
                tx.exec(&CLEAR_VALUES, params![*product]).await?;
                tx.insert_all(rows.collect::<Vec<_>>()).await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    Ok(())
}

/// The values of a shop's product, for its members.
pub async fn attribute_values(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    product: ProductId,
) -> Result<Vec<AttributeText>> {
    let shop = caller.shop(handle, Permission::ManageCatalog)?;
    let own: Option<Scalar<Option<CategoryId>>> = engine.db.opt(&CATEGORY_OF, params![product, shop]).await?;
    own.ok_or(Error::NotFound)?;
    let text =
        |row: ValueRow| row.value().map(|v| AttributeText { value: v.show(row.decimals), code: row.code });
    Ok(values(engine, product).await?.into_iter().filter_map(text).collect())
}

/// The values of a product, as shoppers see them.
pub(super) async fn typed(engine: &Engine, product: ProductId) -> Result<Vec<TypedAttribute>> {
    let shown = |row: ValueRow| {
        let value = row.value()?.show(row.decimals);
        let value = row.option_name.unwrap_or(value);
        Some(TypedAttribute { code: row.code, name: row.name, kind: row.kind, value, unit: row.unit })
    };
    Ok(values(engine, product).await?.into_iter().filter_map(shown).collect())
}

async fn values(engine: &Engine, product: ProductId) -> Result<Vec<ValueRow>> {
    let rows: Vec<ValueRow> = engine.db.all(&VALUES, params![product]).await?;
    let mut values: Vec<ValueRow> = Vec::with_capacity(rows.len());
    for row in rows {
        // An attribute that a subcategory sets again comes twice.
        if !values.iter().any(|value| value.code == row.code) {
            values.push(row);
        }
    }
    Ok(values)
}

async fn category_id(engine: &Engine, slug: &str) -> Result<CategoryId> {
    let id: Scalar<CategoryId> =
        engine.db.opt(&FIND_CATEGORY, params![slug]).await?.ok_or(Error::NotFound)?;
    Ok(id.0)
}

async fn ids_in_tx(tx: &mut Tx) -> TxResult<HashMap<String, AttributeId>> {
    let rows: Vec<IdRow> = tx.all(&IDS, params![]).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// The attributes of the rows of `EFFECTIVE`. The nearest category decides whether one is required.
fn effective(rows: Vec<EffectiveRow>) -> Vec<CategoryAttribute> {
    let mut found: Vec<(String, CategoryAttribute)> = Vec::new();
    for row in rows {
        let option = row.option_code.zip(row.option_name);
        let option = option.map(|(code, name)| AttributeOption { code, name });
        match found.iter_mut().find(|(_, attribute)| attribute.code == row.code) {
            Some((path, attribute)) if *path == row.path => attribute.options.extend(option),
            Some((path, attribute)) => {
                *path = row.path;
                attribute.required = row.required;
                attribute.options = option.into_iter().collect();
            }
            None => found.push((
                row.path,
                CategoryAttribute {
                    code: row.code,
                    name: row.name,
                    kind: row.kind,
                    unit: row.unit,
                    decimals: row.decimals,
                    options: option.into_iter().collect(),
                    required: row.required,
                },
            )),
        }
    }
    found.into_iter().map(|(_, attribute)| attribute).collect()
}

impl AddValue {
    fn new(product_id: ProductId, attribute_id: AttributeId, value: AttributeValue) -> Self {
        let none = Self {
            product_id,
            attribute_id,
            text_value: None,
            number_value: None,
            boolean_value: None,
            option_code: None,
            color_rgb: None,
        };
        match value {
            AttributeValue::Text(text) => Self { text_value: Some(text), ..none },
            AttributeValue::Number(number) => Self { number_value: Some(number), ..none },
            AttributeValue::YesNo(yes) => Self { boolean_value: Some(yes), ..none },
            AttributeValue::Choice(code) => Self { option_code: Some(code), ..none },
            AttributeValue::Color(rgb) => Self { color_rgb: Some(rgb), ..none },
        }
    }
}

impl ValueRow {
    fn value(&self) -> Option<AttributeValue> {
        match self.kind {
            AttributeKind::Text => self.text_value.clone().map(AttributeValue::Text),
            AttributeKind::Number => self.number_value.map(AttributeValue::Number),
            AttributeKind::YesNo => self.boolean_value.map(AttributeValue::YesNo),
            AttributeKind::Choice => self.option_code.clone().map(AttributeValue::Choice),
            AttributeKind::Color => self.color_rgb.map(AttributeValue::Color),
        }
    }
}
