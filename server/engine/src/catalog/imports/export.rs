//! Exports a shop's products in the formats that can be imported.

use std::collections::HashMap;

use super::{
    super::seller::{
        SellerProductRow, SellerVariantRow, editable, filtered, seller_products_sql, seller_variants_sql,
    },
    cells,
    record::{Record, VariantRecord, unambiguous},
    xml,
};
use crate::{
    Caller, Engine, lists, rows, shops,
    spreadsheet::{Exported, escaped, table},
};
use haat_shared::{
    Error, Result,
    catalog::{
        edit::{ListSellerProducts, SellerProduct},
        imports::{COLUMNS, ExportFormat},
    },
    id::kinds::*,
    permissions::Permission,
};

/// The number of products read at once.
const PAGE: usize = 200;

/// The filters of the seller's list, and a range.
const FILTERS: &[(&str, &str)] = &[
    ("shop", "p.shop_id = {}"),
    ("state", "p.state = {}"),
    ("word", r"p.search_folded LIKE {} ESCAPE '\'"),
    (
        "low",
        "(SELECT COUNT(*) FROM variants x JOIN capacities y ON y.id = x.capacity_id
            WHERE x.product_id = p.id AND NOT x.archived AND y.on_hand - y.held <= x.low_stock) >= {}",
    ),
    ("behind", "p.id > {}"),
    ("up_to", "p.id <= {}"),
];

lists! {
    PRODUCTS {
        select: seller_products_sql!("FALSE"),
        base_filter: "TRUE",
        filters: FILTERS,
        sorts: &[("oldest", "p.id > {}", "p.id")],
    }
    VARIANTS {
        select: concat!(seller_variants_sql!(), "JOIN products p ON p.id = v.product_id"),
        base_filter: "NOT v.archived",
        filters: FILTERS,
        sorts: &[("position", "v.product_id > {}", "v.product_id, v.position, v.id")],
    }
}

rows! {
    struct PlacedVariant {
        product_id: ProductId;
        variant: SellerVariantRow
    }
}

/// A part of a shop's products, the first ones or those after `after`, for members who manage the
/// catalogue: those that its list shows with the filters of `of`, oldest first. The first part includes the
/// beginning, such as a table's header, and the last one the end.
pub async fn export(
    engine: &Engine,
    caller: &Caller,
    handle: &str,
    format: ExportFormat,
    of: &ListSellerProducts,
    after: Option<ProductId>,
) -> Result<Exported<ProductId>> {
    let shop = shops::of(engine, caller, handle, Permission::ManageCatalog).await?;
    let mut filters = filtered(shop, of)?;
    let asked = PRODUCTS.bind(filters.clone(), "oldest", after.map(Into::into), PAGE);
    let rows: Vec<SellerProductRow> = engine.db.list(asked).await?;
    let mut variants: HashMap<ProductId, Vec<SellerVariantRow>> = HashMap::new();
    let last = rows.last().map(SellerProductRow::id);
    if let Some(last) = last {
        filters.extend(after.map(|after| ("behind", after.into())));
        filters.push(("up_to", last.into()));
        let asked = VARIANTS.bind(filters, "position", None, usize::MAX);
        for row in engine.db.list::<PlacedVariant>(asked).await? {
            variants.entry(row.product_id).or_default().push(row.variant);
        }
    }
    let products: Vec<SellerProduct> = rows
        .into_iter()
        .map(|row| {
            let variants = variants.remove(&row.id()).unwrap_or_default();
            editable(row, variants)
        })
        .collect();
    let next = last.filter(|_| products.len() == PAGE);
    let text = match format {
        ExportFormat::Csv => table(|table| {
            if after.is_none() {
                table.write_record(COLUMNS)?;
            }
            products.into_iter().try_for_each(|product| write_rows(table, product))
        })?,
        ExportFormat::Json => {
            let mut text = Vec::new();
            for product in products {
                serde_json::to_writer(&mut text, &record(product)).map_err(|_| Error::Internal)?;
                text.push(b'\n');
            }
            text
        }
        ExportFormat::Xml => {
            let mut text = String::new();
            if after.is_none() {
                text.push_str(xml::BEGIN);
            }
            for product in products {
                let record = serde_json::to_value(record(product)).map_err(|_| Error::Internal)?;
                xml::element(&mut text, "product", &record);
                text.push('\n');
            }
            if next.is_none() {
                text.push_str(xml::END);
            }
            text.into_bytes()
        }
    };
    Ok(Exported { text, next })
}

/// A product as a record of JSON Lines and XML.
fn record(product: SellerProduct) -> Record {
    let form = product.form;
    let known = |measure: String| Some(measure).filter(|measure| !measure.is_empty());
    let variants = form.variants.into_iter().map(|v| VariantRecord {
        sku: v.sku,
        title: form.options.is_empty().then_some(v.title),
        options: Some(v.options),
        price: Some(unambiguous(v.price)),
        compare_at: Some(unambiguous(v.compare_at)),
        stock: Some(v.stock),
        low_stock: Some(v.low_stock),
        weight_g: known(v.weight_g),
        length_mm: known(v.length_mm),
        width_mm: known(v.width_mm),
        height_mm: known(v.height_mm),
    });
    Record {
        variants: variants.collect(),
        title: Some(form.title),
        brand: Some(form.brand),
        category: Some(form.category),
        description: Some(form.description),
        details: Some(form.attributes),
        options: Some(form.options),
        state: Some(product.state.as_str().to_owned()),
    }
}

/// A product as lines of a table; the first line has the fields of the whole product.
fn write_rows(table: &mut csv::Writer<Vec<u8>>, product: SellerProduct) -> csv::Result<()> {
    let (slug, state, form) = (product.slug, product.state, product.form);
    let details = cells::write_details(&form.attributes);
    for (i, variant) in form.variants.iter().enumerate() {
        let whole = |cell: String| if i == 0 { cell } else { String::new() };
        let option = |nth: usize, values: &[String]| {
            values.get(nth).map(|text| cells::written(text)).unwrap_or_default()
        };
        let names: &[String] = if i == 0 { &form.options } else { &[] };
        let title = if form.options.is_empty() { cells::written(&variant.title) } else { String::new() };
        table.write_record([
            slug.clone(),
            escaped(&variant.sku),
            whole(cells::written(&form.title)),
            whole(cells::written(&form.brand)),
            whole(escaped(&form.category)),
            whole(escaped(&form.description)),
            whole(escaped(&details)),
            whole(escaped(state.as_str())),
            option(0, names),
            option(0, &variant.options),
            option(1, names),
            option(1, &variant.options),
            option(2, names),
            option(2, &variant.options),
            title,
            unambiguous(variant.price.clone()),
            unambiguous(variant.compare_at.clone()),
            variant.stock.clone(),
            variant.low_stock.clone(),
            variant.weight_g.clone(),
            variant.length_mm.clone(),
            variant.width_mm.clone(),
            variant.height_mm.clone(),
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::read::items, *};
    use crate::spreadsheet::is_formula;
    use haat_shared::{
        Currency, amounts,
        catalog::{
            Attribute,
            edit::{Measures, ProductForm, ProductState, VariantForm},
            imports::Format,
        },
        number::Notation,
        text,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    /// Text that is difficult for people and spreadsheets, and any other Unicode that shops can store.
    fn text() -> impl Strategy<Value = String> {
        "[-=+@'\",;:\\\\a-c ]{0,5}[a-z]|[^\\p{C}\\p{Z}]{1,6}"
            .prop_map(|text| text::normalized(text.trim()).into_owned())
            .prop_filter("nothing is seen of it", |text| !text.is_empty())
    }

    fn product() -> impl Strategy<Value = SellerProduct> {
        let variant = (text(), prop::collection::vec(text(), 3), 1i64..100_000, 0i64..500);
        let details = prop::collection::vec((text(), text()), 0..4);
        let paragraphs = prop::collection::vec(text(), 0..3);
        (text(), text(), paragraphs, details, 0usize..4, prop::collection::vec(variant, 1..5)).prop_map(
            |(title, brand, paragraphs, details, differ_in, variants)| {
                let variants =
                    variants.into_iter().enumerate().map(|(i, (sku, values, price, stock))| VariantForm {
                        // Unique within the product.
                        sku: text::normalized_code(&format!("{sku}{i}")).into_owned(),
                        options: values.into_iter().take(differ_in).collect(),
                        title: if differ_in == 0 { format!("{i}") } else { String::new() },
                        price: format!("{}.{:02}", price / 100, price % 100),
                        compare_at: String::new(),
                        stock: stock.to_string(),
                        low_stock: "3".into(),
                        weight_g: Measures::typed(stock % 3),
                        ..VariantForm::default()
                    });
                let details = details.into_iter().map(|(name, value)| Attribute { name, value });
                SellerProduct {
                    id: ProductId::from_uuid(Uuid::nil()),
                    slug: "a-product".into(),
                    state: ProductState::Published,
                    version: 1,
                    currency: Currency::INR,
                    form: ProductForm {
                        title,
                        brand,
                        category: "tea".into(),
                        description: paragraphs.join("\n"),
                        attributes: details.collect(),
                        options: ["Colour", "Size", "-Nib"][..differ_in].iter().map(|&o| o.into()).collect(),
                        variants: variants.collect(),
                    },
                    held: Vec::new(),
                    deletable: true,
                }
            },
        )
    }

    /// A record as [`record`] makes it.
    fn normal(mut record: Record) -> Record {
        for variant in &mut record.variants {
            let has_title = record.options.as_ref().is_some_and(Vec::is_empty);
            variant.title = variant.title.take().filter(|_| has_title);
        }
        record
    }

    /// An export of a market with three decimals is not asked about.
    #[test]
    fn exported_prices_have_one_reading() {
        for (price, written) in [("12.500", "12.5000"), ("1249.50", "1249.50"), ("1249", "1249"), ("", "")] {
            let form = ProductForm {
                variants: vec![VariantForm {
                    price: price.into(),
                    compare_at: price.into(),
                    ..VariantForm::default()
                }],
                ..ProductForm::default()
            };
            let product = SellerProduct {
                id: ProductId::from_uuid(Uuid::nil()),
                slug: "a-product".into(),
                state: ProductState::Published,
                version: 1,
                currency: Currency::INR,
                form,
                held: Vec::new(),
                deletable: true,
            };
            let lines = table(|table| write_rows(table, product.clone())).unwrap();
            assert!(String::from_utf8(lines).unwrap().contains(&format!(",{written},{written},")), "{price}");
            let [variant] = &record(product).variants[..] else { panic!("{price}") };
            assert_eq!(
                (variant.price.as_deref(), variant.compare_at.as_deref()),
                (Some(written), Some(written))
            );
            let read = amounts::read_as(written, "TND".parse().unwrap(), Notation::Program);
            assert!(price.is_empty() || read.is_ok(), "{price}: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_exported_is_read_again(product in product()) {
            let bytes = table(|table| {
                table.write_record(COLUMNS)?;
                write_rows(table, product.clone())
            }).unwrap();
            for line in String::from_utf8(bytes.clone()).unwrap().split("\r\n") {
                prop_assert!(!is_formula(line), "{line}");
            }
            let expected = record(product);
            let (kind, items) = items(bytes.as_slice(), None, Currency::INR).unwrap();
            prop_assert_eq!(kind.format, Format::Csv);
            let items: Vec<_> = items.map(std::result::Result::unwrap).collect();
            prop_assert_eq!(items.len(), 1);
            prop_assert_eq!(&items[0].faults, &[]);
            prop_assert_eq!(normal(items[0].record.clone()), expected.clone());

            let line = serde_json::to_vec(&expected).unwrap();
            let (kind, items) = super::super::read::items(line.as_slice(), None, Currency::INR).unwrap();
            prop_assert_eq!(kind.format, Format::Json);
            let items: Vec<_> = items.map(std::result::Result::unwrap).collect();
            prop_assert_eq!(&items[0].record, &expected);
        }

        #[test]
        fn no_file_makes_it_panic(text in "(sku|title|price|product|x|[,;\"\n\r=' a-z{}:\\[]){0,60}", bytes: Vec<u8>) {
            for file in [text.as_bytes(), &bytes] {
                for format in [None, Some(Format::Csv), Some(Format::Json), Some(Format::Icecat)] {
                    if let Ok((_, items)) = items(file, format, Currency::INR) {
                        items.take_while(std::result::Result::is_ok).for_each(drop);
                    }
                }
            }
        }
    }
}
