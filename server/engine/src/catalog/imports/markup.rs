//! HTML in texts of a single line: other shops' exports contain it, and shoppers would see it.

use std::borrow::Cow;

/// The elements that texts are formatted with.
const ELEMENTS: [&str; 22] = [
    "a", "b", "br", "div", "em", "font", "h1", "h2", "h3", "i", "img", "li", "ol", "p", "script", "small",
    "span", "strong", "sub", "sup", "u", "ul",
];

/// The text with its entities replaced by the characters that they stand for, once: `&amp;lt;` becomes
/// `&lt;`.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    html_escape::decode_html_entities(text)
}

/// The text as [`decoded`] would read it back.
pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    if decoded(text) == text { text.into() } else { text.replace('&', "&amp;").into() }
}

/// Whether the text contains tags, or entities that are not known here.
pub(super) fn is_markup(text: &str) -> bool {
    let tag = |rest: &str| {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let (name, after) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()));
        ELEMENTS.contains(&name.to_ascii_lowercase().as_str())
            && after.starts_with(['>', ' ', '/'])
            && after.contains('>')
    };
    let entity = |rest: &str| {
        let name = rest.split_once(';').map_or("", |(name, _)| name);
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.split('<').skip(1).any(tag) || text.split('&').skip(1).any(entity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entities_stand_for_characters() {
        for (text, expected) in [
            ("Tea &amp; coffee", "Tea & coffee"),
            ("27&quot; screen", "27\" screen"),
            ("Meena&#39;s &#x20B9;&nbsp;5 caf&egrave;", "Meena's ₹\u{a0}5 cafè"),
            ("&amp;lt;", "&lt;"),
            ("A & B; &", "A & B; &"),
            ("&&amp;&;", "&&&;"),
            ("&unknown; &#0; &#xD800; &#x110000; &#; &amp", "&unknown; &#0; &#xD800; &#x110000; &#; &amp"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_told_from_texts() {
        for markup in ["<b>Cup</b>", "Cup<br/>", "<SPAN class=\"x\">Cup", "Caf&egravee;"] {
            assert!(is_markup(markup), "{markup}");
        }
        for text in ["Cup", "a < b > c", "<Blue>", "I <3 tea", "<b", "Salt & pepper; set", "R&D;", "&c."] {
            assert!(!is_markup(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "[&;#a1lt]{0,8}|(&(amp|lt|#39|x);| ){0,4}|.{0,8}") {
            let encoded = encoded(&text);
            prop_assert_eq!(decoded(&encoded), text.as_str());
        }
    }
}
