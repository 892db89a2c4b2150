//! Products as XML, with the same content and names as JSON Lines.

use serde_json::Value;

/// The text before the first product.
pub(super) const BEGIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>\n";
/// The text after the last product.
pub(super) const END: &str = "</products>\n";

/// Writes an element. Each item of a list is an element named after the list, in the singular.
pub(super) fn element(out: &mut String, name: &str, value: &Value) {
    out.extend(["<", name, ">"]);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(out, name, value)),
        Value::Array(items) => {
            let one = name.strip_suffix('s').unwrap_or(name);
            items.iter().for_each(|item| element(out, one, item));
        }
        Value::String(text) => text.chars().for_each(|letter| character(out, letter)),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    out.extend(["</", name, ">"]);
}

/// Characters that XML 1.0 does not allow become the replacement character.
fn character(out: &mut String, letter: char) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        // Unescaped, it would be parsed as a line feed.
        '\r' => out.push_str("&#13;"),
        '\t' | '\n' => out.push(letter),
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
        letter => out.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};
    use serde_json::json;

    use super::*;

    /// An element, converted back to the value it was written from; the names of lists end with `s`, as they do in records.
    fn read(node: Node) -> Value {
        let inner: Vec<Node> = node.children().filter(Node::is_element).collect();
        match (node.tag_name().name().ends_with('s'), inner.as_slice()) {
            (true, items) => items.iter().map(|item| read(*item)).collect(),
            (false, []) => node.text().unwrap_or_default().into(),
            (false, fields) => fields.iter().map(|f| (f.tag_name().name().to_owned(), read(*f))).collect(),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(texts in prop::collection::vec("[\\x00-\\x20<>&'\"\\]a]{0,8}|.{0,8}|[\u{fff0}-\u{ffff}]", 4)) {
            let [a, b, c, d] = texts.as_slice() else { unreachable!() };
            let product = json!({
                "title": a, "options": [b], "specifications": [{"name": c, "value": d}], "variants": [{"sku": "A", "options": []}],
            });
            let mut text = BEGIN.to_owned();
            element(&mut text, "product", &product);
            text.push_str(END);
            let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
            let expected = product.to_string();
            let mut expected: Value = serde_json::from_str(&expected).unwrap();
            replace(&mut expected, &|c| if allowed(c) { c } else { '\u{fffd}' });
            let document = Document::parse(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
            prop_assert_eq!(read(document.root_element()), json!([expected]));
        }
    }

    fn replace(value: &mut Value, by: &impl Fn(char) -> char) {
        match value {
            Value::String(text) => *text = text.chars().map(by).collect(),
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, by)),
            Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, by)),
            _ => {}
        }
    }
}
