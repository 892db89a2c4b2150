//! `haat import products`: reads JSON lines of the Icecat open catalogue into a shop.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use haat_engine::{
    Caller, Engine,
    catalog::{NewProduct, NewVariant, Put, put_products},
};
use haat_shared::{
    catalog::{
        Attribute, TITLE_MAX,
        edit::{DESCRIPTION_MAX, DETAIL_MAX, NAME_MAX, SKU_MAX},
    },
    text::is_direction_override,
};
use serde_json::{Map, Value};

/// Products that are put in one transaction: each takes some milliseconds, so that checkouts never wait behind it.
const PIECE: usize = 50;
/// How many of each there are; the catalogue does not say.
const STOCK: i64 = 100;

/// What became of a file.
pub(crate) struct Imported {
    /// Products added and updated.
    pub(crate) put: Put,
    /// Lines that are not products, with the reason.
    pub(crate) bad: Vec<(usize, String)>,
}

/// Puts each line of the file into the shop. A line that is not a product is reported and left out.
pub(crate) async fn products(engine: &Engine, file: &Path, shop: &str) -> Result<Imported, String> {
    let open = File::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut imported = Imported { put: Put::default(), bad: Vec::new() };
    let mut piece = Vec::with_capacity(PIECE);
    for (number, line) in (1..).zip(BufReader::new(open).lines()) {
        let line = line.map_err(|e| format!("{} line {number}: {e}", file.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        match product(&line) {
            Ok(product) => piece.push(product),
            Err(why) => imported.bad.push((number, why)),
        }
        if piece.len() == PIECE {
            flush(engine, shop, &mut piece, &mut imported.put).await?;
        }
    }
    flush(engine, shop, &mut piece, &mut imported.put).await?;
    Ok(imported)
}

async fn flush(
    engine: &Engine,
    shop: &str,
    piece: &mut Vec<NewProduct>,
    total: &mut Put,
) -> Result<(), String> {
    let put = put_products(engine, &Caller::system(), shop, std::mem::take(piece)).await;
    let put = put.map_err(|error| match error {
        haat_shared::Error::NotFound => format!("there is no shop with the handle {shop}"),
        error => error.to_string(),
    })?;
    total.added += put.added;
    total.updated += put.updated;
    Ok(())
}

fn product(record: &str) -> Result<NewProduct, String> {
    let record: Map<String, Value> =
        serde_json::from_str(record).map_err(|e| format!("not a JSON object: {e}"))?;
    let text = |name: &str, max| clean(record.get(name).and_then(Value::as_str).unwrap_or_default(), max);
    let title = line(text("title", TITLE_MAX));
    if title.is_empty() {
        return Err("title is missing".into());
    }
    let sku = line(text("id", SKU_MAX));
    if sku.is_empty() {
        return Err("id is missing".into());
    }
    let price_minor = record
        .get("price")
        .and_then(Value::as_i64)
        .filter(|price| *price >= 0)
        .ok_or("price is not a whole number of minor units")?;
    let attributes = record.iter().filter_map(|(name, value)| attribute(name, value)).collect();
    let variant = NewVariant { sku, title: String::new(), price_minor, compare_at_minor: None, stock: STOCK };
    Ok(NewProduct {
        title,
        brand: line(text("supplier", NAME_MAX)),
        description: text("short_description", DESCRIPTION_MAX),
        attributes,
        category: None,
        pictures: Vec::new(),
        variants: vec![variant],
    })
}

/// What a shop says, cut to what is kept, without characters that would turn or break the text around it.
fn clean(text: &str, max: usize) -> String {
    let harmless = |c: &char| (!c.is_control() || *c == '\n') && !is_direction_override(*c);
    text.trim().chars().filter(harmless).take(max).collect()
}

fn line(text: String) -> String {
    text.replace('\n', " ")
}

/// `attr_n_weight: 3460.0` as "Weight", "3460".
fn attribute(name: &str, value: &Value) -> Option<Attribute> {
    let name = name.strip_prefix("attr_")?.split_once('_')?.1;
    let words = name.split('_').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let mut letters = words.chars();
    let name: String = letters.next()?.to_uppercase().chain(letters).collect();
    let value = match value {
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Some(Attribute { name: line(clean(&name, NAME_MAX)), value: line(clean(&value, DETAIL_MAX)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_product() {
        let line = r#"{"id": "7", "title": " Desk lamp ", "supplier": "Lumo", "price": 4995, "short_description": "Bright.",
            "attr_n_weight": 3460.0, "attr_b_touchscreen": false, "attr_t_colour__main_": "Blue", "img_high": "x"}"#;
        let product = product(line).unwrap();
        assert_eq!((product.title.as_str(), product.brand.as_str()), ("Desk lamp", "Lumo"));
        assert_eq!((product.variants[0].sku.as_str(), product.variants[0].price_minor), ("7", 4995));
        let mut details: Vec<_> =
            product.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())).collect();
        details.sort_unstable();
        assert_eq!(details, [("Colour main", "Blue"), ("Touchscreen", "No"), ("Weight", "3460")]);
    }

    #[test]
    fn hostile_lines_are_cut_and_cleaned() {
        let endless = "W".repeat(20_000);
        let line = serde_json::json!({
            "id": "7", "title": "Lamp \u{202e}pmaL\nnew", "supplier": &endless, "price": 1,
            "short_description": format!("One\r\nTwo\u{2066}{endless}"), format!("attr_t_{endless}"): "a\u{202e}b",
        });
        let product = product(&line.to_string()).unwrap();
        assert_eq!((product.title.as_str(), product.brand.len()), ("Lamp pmaL new", NAME_MAX));
        assert!(
            product.description.starts_with("One\nTwoWWW") && product.description.len() == DESCRIPTION_MAX
        );
        assert_eq!(
            (product.attributes[0].name.len(), product.attributes[0].value.as_str()),
            (NAME_MAX, "ab")
        );
    }

    #[test]
    fn what_is_no_product_says_why() {
        for (line, why) in [
            ("", "JSON"),
            ("[1]", "JSON"),
            (r#"{"id": "7", "price": 1}"#, "title"),
            (r#"{"title": "x", "price": 1}"#, "id"),
            (r#"{"id": "7", "title": "x"}"#, "price"),
            (r#"{"id": "7", "title": "x", "price": -1}"#, "price"),
            (r#"{"id": "7", "title": "x", "price": "12"}"#, "price"),
        ] {
            let told = product(line).unwrap_err();
            assert!(told.contains(why), "{line}: {told}");
        }
    }
}
