//! HTML in texts of a single line: other shops' exports contain it, and shoppers would see it.

use std::borrow::Cow;

/// The entities of HTML that catalogues contain, and what they stand for.
const ENTITIES: [(&str, &str); 22] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ndash", "–"),
    ("mdash", "—"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("hellip", "…"),
    ("deg", "°"),
    ("times", "×"),
    ("frac12", "½"),
    ("reg", "®"),
    ("copy", "©"),
    ("trade", "™"),
    ("eacute", "é"),
    ("auml", "ä"),
    ("ouml", "ö"),
];

/// The elements that texts are formatted with.
const ELEMENTS: [&str; 22] = [
    "a", "b", "br", "div", "em", "font", "h1", "h2", "h3", "i", "img", "li", "ol", "p", "script", "small",
    "span", "strong", "sub", "sup", "u", "ul",
];

/// The text with its entities replaced by the characters that they stand for, once: `&amp;lt;` becomes
/// `&lt;`.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once('&') else { return text.into() };
    let (mut all, mut rest) = (before.to_owned(), rest);
    loop {
        let entity = rest.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        if let Some((stands_for, after)) = entity {
            all.push_str(&stands_for);
            rest = after;
        } else {
            all.push('&');
        }
        let Some((before, after)) = rest.split_once('&') else { break };
        all.push_str(before);
        rest = after;
    }
    (all + rest).into()
}

/// The text as [`decoded`] would read it back.
pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    if decoded(text) == text { text.into() } else { text.replace('&', "&amp;").into() }
}

fn character(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else {
        let (_, stands_for) = ENTITIES.iter().find(|(entity, _)| *entity == name)?;
        return Some((*stands_for).into());
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?).filter(|c| !c.is_control()).map(|c| c.to_string().into())
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
            ("Meena&#39;s &#x20B9;&nbsp;5", "Meena's ₹ 5"),
            ("&amp;lt;", "&lt;"),
            ("A & B; &", "A & B; &"),
            ("&&amp;&;", "&&&;"),
            (
                "&unknown; &#0; &#10; &#xD800; &#x110000; &#; &amp",
                "&unknown; &#0; &#10; &#xD800; &#x110000; &#; &amp",
            ),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_told_from_texts() {
        for markup in ["<b>Cup</b>", "Cup<br/>", "<SPAN class=\"x\">Cup", "Caf&egrave;"] {
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
