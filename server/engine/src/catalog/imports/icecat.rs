//! The Icecat open catalogue: one product per line, as JSON.

use std::fmt;

use haat_shared::{
    Currency, FieldCode, Money,
    catalog::{Attribute, imports::RowError},
    text::is_direction_override,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    cells,
    lines::doubled,
    record::{Item, Record, VariantRecord},
};

/// The stock of all products, which the Icecat catalogue does not contain.
const ICECAT_STOCK: &str = "100";

/// A product of the Icecat open catalogue. Its price is in minor units of the shop's currency.
pub(super) fn icecat((number, line): (i64, Vec<u8>), currency: Currency) -> Item {
    let mut item = Item::at(number);
    let Ok(text) = std::str::from_utf8(&line) else {
        return item.fault(number, "", FieldCode::NotUtf8, &String::from_utf8_lossy(&line));
    };
    let about = match serde_json::from_str::<Object>(text) {
        Ok(Object(about)) => about,
        Err(error) => {
            return match doubled(&error.to_string()) {
                Some(name) => item.fault(number, name, FieldCode::DuplicateName, ""),
                None => item.fault(number, "", FieldCode::NotARecord, text),
            };
        }
    };
    let mut said = |name: &str, column: &str, one_line: bool| {
        let (text, fault) = match about.get(name) {
            None | Some(Value::Null) => (String::new(), None),
            Some(Value::String(text)) if one_line && cells::computes(text) => {
                (String::new(), Some((FieldCode::Formula, text.clone())))
            }
            Some(Value::String(text)) => (clean(text, one_line), None),
            Some(other) => (String::new(), Some((FieldCode::WrongType, other.to_string()))),
        };
        if let Some((code, found)) = fault {
            item.faults.push(RowError::new(number, column, code, &found));
        }
        text
    };
    let (sku, title) = (said("id", "sku", true), said("title", "title", true));
    let brand = said("supplier", "brand", true);
    let description = said("short_description", "description", false);
    let category = about.contains_key("category").then(|| said("category", "category", true));
    let price = match about.get("price") {
        None | Some(Value::Null) => None,
        Some(Value::Number(price)) if price.is_i64() => price.as_i64(),
        Some(other) => {
            let fault = RowError::new(number, "price", FieldCode::WrongType, &other.to_string());
            item.faults.push(fault);
            None
        }
    };
    item.record = Record {
        title: Some(title),
        brand: Some(brand),
        category,
        description: Some(description),
        details: Some(about.iter().filter_map(|(name, value)| attribute(name, value)).collect()),
        options: Some(Vec::new()),
        state: Some("published".into()),
        variants: vec![VariantRecord {
            sku,
            price: price.map(|minor| Money::new(minor, currency).plain()),
            stock: Some(ICECAT_STOCK.into()),
            ..VariantRecord::default()
        }],
    };
    item
}

/// A JSON object without duplicate names, of which the last would silently count.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Object, A::Error> {
                let mut all = Map::new();
                while let Some((name, value)) = fields.next_entry::<String, Value>()? {
                    if all.contains_key(&name) {
                        // Worded like the error of a derived parser, which `doubled` recognises.
                        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    all.insert(name, value);
                }
                Ok(Object(all))
            }
        }

        from.deserialize_map(Names)
    }
}

/// Text of the catalogue without direction overrides and control characters.
fn clean(text: &str, one_line: bool) -> String {
    let harmless = |c: &char| (!c.is_control() || *c == '\n') && !is_direction_override(*c);
    let text: String = text.trim().chars().filter(harmless).collect();
    if one_line { text.replace('\n', " ") } else { text }
}

/// `attr_n_weight: 3460.0` as "Weight", "3460".
fn attribute(name: &str, value: &Value) -> Option<Attribute> {
    let name = name.strip_prefix("attr_")?.split_once('_')?.1;
    let words = clean(name, true).split('_').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let mut chars = words.chars();
    let name: String = chars.next()?.to_uppercase().chain(chars).collect();
    let value = match value {
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::Number(number) => {
            let number = number.to_string();
            number.strip_suffix(".0").unwrap_or(&number).to_owned()
        }
        Value::String(text) => clean(text, true),
        _ => return None,
    };
    (!value.is_empty()).then_some(Attribute { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Item {
        icecat((7, line.as_bytes().to_vec()), Currency::INR)
    }

    #[test]
    fn hostile_lines_of_the_catalogue_are_cleaned() {
        let line = serde_json::json!({
            "id": "7", "title": "Lamp \u{202e}pmaL\nnew", "supplier": "A\u{0}b", "price": 1,
            "short_description": "One\r\nTwo\u{2066}", "attr_t_a\u{202e}b": "c\u{202e}d", "attr_t_empty": "",
        });
        let Item { record, faults, .. } = read(&line.to_string());
        assert_eq!(faults, []);
        assert_eq!((record.title.as_deref(), record.brand.as_deref()), (Some("Lamp pmaL new"), Some("Ab")));
        assert_eq!(record.description.as_deref(), Some("One\nTwo"));
        assert_eq!(record.details, Some(vec![Attribute { name: "Ab".into(), value: "cd".into() }]));
    }
}
