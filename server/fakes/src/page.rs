//! The pages of providers.

use axum::response::Html;

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A page of its own style: none.
pub(crate) fn html(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!DOCTYPE html><html lang=en><link rel=icon href=data:,><title>{title}</title>{body}</html>"
    ))
}
