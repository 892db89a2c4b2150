//! Where a form may redirect to. Everything from a request that ends up in a `Location` (`next`, `back`, a
//! part of its path) goes through this module.

use std::sync::LazyLock;

use axum::response::Redirect;
use percent_encoding::percent_decode_str;
use url::Url;

/// The maximum length of a redirect target.
const MAX: usize = 2_000;

/// A placeholder for our own origin, to detect targets that leave it.
static OURS: LazyLock<Option<Url>> = LazyLock::new(|| Url::parse("https://ours.invalid/").ok());

/// The path and query on our own origin, in ASCII; the home page for anything else.
pub(super) fn local(asked: &str) -> String {
    ours(asked).unwrap_or_else(|| "/".to_owned())
}

/// A redirect to a path of ours, whatever it contains.
pub(super) fn to(path: &str) -> Redirect {
    Redirect::to(&local(path))
}

fn ours(asked: &str) -> Option<String> {
    // Browsers strip tabs and line breaks and treat a backslash as a slash; valid paths contain neither.
    let odd = |c: char| c.is_control() || c == '\\';
    if asked.len() > MAX || !asked.starts_with('/') || asked.contains(odd) {
        return None;
    }
    let ours = OURS.as_ref()?;
    let url = ours.join(asked).ok()?;
    let stays = url.origin() == ours.origin() && url.username().is_empty() && url.password().is_none();
    let path = url.path();
    // A proxy or the browser may decode it once more.
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if !stays || path.starts_with("//") || decoded.starts_with("//") || decoded.contains(odd) {
        return None;
    }
    Some(match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use axum::{http::header, response::IntoResponse};

    use super::*;

    #[test]
    fn redirects_within_the_market_are_kept() {
        for (asked, led) in [
            ("/", "/"),
            ("/p/pen?x=1", "/p/pen?x=1"),
            ("/checkout/chk_1", "/checkout/chk_1"),
            ("/products?q=100%25+wool&sort=newest", "/products?q=100%25+wool&sort=newest"),
            ("/products?q=é", "/products?q=%C3%A9"),
            ("/products?next=https://evil.example/", "/products?next=https://evil.example/"),
            ("/p/pen#details", "/p/pen"),
            ("/a/../p/pen", "/p/pen"),
            ("/@evil.example", "/@evil.example"),
            ("/.evil.example", "/.evil.example"),
            ("/evil.example:443/", "/evil.example:443/"),
        ] {
            assert_eq!(local(asked), led, "{asked}");
        }
    }

    #[test]
    fn attack_open_redirects_lead_home() {
        // From the lists of OWASP, PortSwigger and PayloadsAllTheThings, grouped by kind.
        for asked in [
            "",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\\/evil.example",
            "/\\\\evil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/%2f/evil.example",
            "/%2fevil.example",
            "/%09/evil.example",
            "/\t/evil.example",
            "/\t\\evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "/\r\n/evil.example",
            "/%0d/evil.example",
            "/%0a/evil.example",
            "/%0d%0aLocation:%20https://evil.example",
            "/\r\nSet-Cookie: a=b",
            "/a\0b",
            "/a\u{7f}b",
            "/a\u{85}b",
            "/%00/evil.example",
            "/%7f",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "/%2e//evil.example",
            "/./%2fevil.example",
            "//evil.example/%2e%2e",
            "//evil.example@ours.invalid/",
            "//ours.invalid@evil.example/",
            "//ours.invalid:pass@ours.invalid/",
            "//user@ours.invalid/",
            "http:evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example",
            "https:///evil.example",
            "https:\\evil.example",
            "HTTPS://evil.example",
            "https://ours.invalid.evil.example",
            "https://ours.invalid/",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "JavaScript://%0aalert(1)",
            "data:text/html,evil",
            "vbscript:evil",
            "@evil.example",
            "?next=//evil.example",
            "#//evil.example",
            ".evil.example",
            "//evil\u{3002}example",
            "\u{ff0f}\u{ff0f}evil.example",
            "//\u{ff45}vil.example",
            "/\u{2028}/evil.example\\",
            "//[::1]/",
            "//3232235777",
            "//0x7f.1/",
            "//evil.example:80/",
            ";//evil.example",
            "<>//evil.example",
        ] {
            assert_eq!(local(asked), "/", "{asked:?}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(3_000))), "/");
    }

    /// The target of the redirect is a valid header value, and keeps browsers on our site.
    #[test]
    fn whatever_is_asked_for_the_answer_is_a_path_of_ours() {
        let parts = [
            "/",
            "//",
            "\\",
            "\t",
            "\r\n",
            "%09",
            "%2f",
            "%5c",
            "..",
            ".",
            "@",
            ":",
            "evil.example",
            "?",
            "#",
            "\0",
            "／",
            "。",
            ";",
            "https:",
        ];
        for one in parts {
            for two in parts {
                for three in parts {
                    let asked = format!("/{one}{two}{three}evil.example");
                    let answer = to(&asked).into_response();
                    let location = answer.headers()[header::LOCATION].to_str().unwrap();
                    let led = Url::parse("https://market.example/a/b").unwrap().join(location).unwrap();
                    assert_eq!(led.origin().ascii_serialization(), "https://market.example", "{asked:?}");
                    assert_eq!(answer.status(), 303, "{asked:?}");
                }
            }
        }
    }
}
