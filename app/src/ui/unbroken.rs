//! What stays together where a line ends.

use leptos::prelude::*;

/// Words in which an order number, which has a hyphen, isn't broken.
pub(crate) fn unbroken(words: &str, number: &str) -> AnyView {
    let (before, number, after) = match words.split_once(number) {
        Some((before, after)) => (before, number, after),
        None => (words, "", ""),
    };
    view! {
        {before.to_owned()}
        <span class="unbroken">{number.to_owned()}</span>
        {after.to_owned()}
    }
    .into_any()
}

/// An email address, or whatever has an `@`, which is rather broken before it than within its parts.
pub(crate) fn email_address(text: &str) -> AnyView {
    match text.rsplit_once('@') {
        Some((name, host)) => view! { {name.to_owned()}<wbr />"@"{host.to_owned()} }.into_any(),
        None => text.to_owned().into_any(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::prelude::RenderHtml;

    #[test]
    fn numbers_stay_together() {
        let html = |words, number| super::unbroken(words, number).to_html();
        let said = html("Order H1-1 has shipped", "H1-1");
        assert!(said.contains("<span class=\"unbroken\">H1-1<") && said.contains("Order "), "{said}");
        assert!(!html("Your order", "H1-1").contains("H1-1"));
    }
}
