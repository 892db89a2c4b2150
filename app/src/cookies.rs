//! The market's cookies: their names, and how they are set and read. Server only.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};

/// With `__Host-`, a browser sends the cookie to this host only, and over TLS only.
fn full_name(secure: bool, name: &str) -> String {
    if secure { format!("__Host-haat_{name}") } else { format!("haat_{name}") }
}

/// The value of a cookie of the request; `None` if it is empty.
pub fn get<'a>(headers: &'a HeaderMap, secure: bool, name: &str) -> Option<&'a str> {
    let name = full_name(secure, name);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .and_then(|cookie| cookie.value_raw())
        .filter(|value| !value.is_empty())
}

/// The value of a `Set-Cookie` header that keeps a cookie for `age_s` seconds.
pub fn set(secure: bool, name: &str, value: &str, age_s: i64) -> HeaderValue {
    let cookie = Cookie::build((full_name(secure, name), value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .path("/")
        .max_age(Duration::seconds(age_s));
    HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The value of a `Set-Cookie` header that deletes a cookie.
pub fn remove(secure: bool, name: &str) -> HeaderValue {
    set(secure, name, "", 0)
}

/// The cookie with the token of a guest's cart, kept for 90 days.
pub fn cart(secure: bool, token: &str) -> HeaderValue {
    set(secure, "cart", token, 90 * 24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; haat_cart=token; haat_session="));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-haat_cart=other"));
        assert_eq!(get(&headers, false, "cart"), Some("token"));
        assert_eq!(get(&headers, true, "cart"), Some("other"));
        assert_eq!(get(&headers, false, "language"), None);
        assert_eq!(get(&headers, false, "session"), None);
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        assert_eq!(
            set(true, "session", "t", 2_592_000),
            "__Host-haat_session=t; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"
        );
        assert_eq!(cart(false, "t"), "haat_cart=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000");
        assert_eq!(remove(false, "cart"), "haat_cart=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }
}
