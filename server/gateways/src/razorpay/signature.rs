//! Signatures of Razorpay: HMAC-SHA-256 in hexadecimal digits, over the raw body of a webhook and over what is added
//! to the address when shoppers return.

use std::{collections::HashMap, fmt::Write};

use haat_engine::random::SigningKey;
use haat_shared::id::kinds::PaymentId;
use subtle::ConstantTimeEq;

/// The header that carries that of a webhook.
pub(super) const HEADER: &str = "x-razorpay-signature";
/// What begins the name of everything that is added to the return URL.
const ADDED: &str = "razorpay_";
/// What begins the ID of an order, which is paid in the window over our page.
pub(super) const ORDER: &str = "order_";

/// The signature of a text.
pub(super) fn sign(secret: &str, text: &[u8]) -> String {
    let mut digits = String::new();
    for byte in SigningKey::new(secret).mac(&[text]) {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Whether a text was signed with this secret.
pub(super) fn verify(secret: &str, text: &[u8], signature: &str) -> bool {
    !secret.is_empty() && sign(secret, text).as_bytes().ct_eq(signature.as_bytes()).into()
}

/// Whether a return from Razorpay's page or window is genuine, and for this attempt. Without anything of Razorpay's, the
/// shopper has come back otherwise, and has not paid. The order that a window was opened for is the one that we made,
/// whatever the browser says.
pub(super) fn genuine_return(
    secret: &str,
    attempt: PaymentId,
    made: Option<&str>,
    query: &HashMap<String, String>,
) -> bool {
    if !query.keys().any(|name| name.starts_with(ADDED)) {
        return true;
    }
    let added = |name: &str| query.get(&format!("{ADDED}{name}")).map(String::as_str).unwrap_or_default();
    if let Some(order) = made.filter(|id| id.starts_with(ORDER)) {
        let signed = format!("{order}|{}", added("payment_id"));
        return added("order_id") == order && verify(secret, signed.as_bytes(), added("signature"));
    }
    let reference = added("payment_link_reference_id");
    let signed =
        [added("payment_link_id"), reference, added("payment_link_status"), added("payment_id")].join("|");
    reference == attempt.to_string() && verify(secret, signed.as_bytes(), added("signature"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calculated with `openssl dgst -sha256 -hmac hush`.
    #[test]
    fn a_signature_is_what_other_tools_calculate() {
        let body = br#"{"event":"payment_link.paid"}"#;
        assert_eq!(sign("hush", body), "803b6cc52545f3c4856ae1f2abe502b0d38a50cfaf2211af7ba551d237dd9858");
        assert!(verify("hush", body, &sign("hush", body)));
        for i in 0..body.len() {
            let mut forged = body.to_vec();
            forged[i] ^= 1;
            assert!(!verify("hush", &forged, &sign("hush", body)), "byte {i} changed");
        }
        let good = sign("hush", body);
        for i in 0..good.len() {
            let mut forged = good.clone().into_bytes();
            forged[i] ^= 1;
            assert!(
                !verify("hush", body, &String::from_utf8_lossy(&forged)),
                "byte {i} of the signature changed"
            );
        }
        assert!(!verify("", body, &sign("", body)), "no secret");
        assert!(!verify("hush", body, ""));
    }

    #[test]
    fn only_a_genuine_return_of_the_same_attempt_is_accepted() {
        let attempt: PaymentId = haat_engine::random::id(0);
        let reference = attempt.to_string();
        let signature = sign("hush", format!("plink_1|{reference}|paid|pay_1").as_bytes());
        let query: HashMap<String, String> = [
            ("key", "ours"),
            ("razorpay_payment_id", "pay_1"),
            ("razorpay_payment_link_id", "plink_1"),
            ("razorpay_payment_link_reference_id", &reference),
            ("razorpay_payment_link_status", "paid"),
            ("razorpay_signature", &signature),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert!(genuine_return("hush", attempt, None, &query));
        assert!(genuine_return("hush", attempt, None, &HashMap::new()), "not paid");
        assert!(!genuine_return("other", attempt, None, &query), "another secret");
        assert!(!genuine_return("", attempt, None, &query), "no secret");
        assert!(!genuine_return("hush", haat_engine::random::id(1), None, &query), "another attempt");
        for name in query.keys().filter(|name| name.starts_with(ADDED)) {
            let mut forged = query.clone();
            forged.insert(name.clone(), "x".into());
            assert!(!genuine_return("hush", attempt, None, &forged), "{name} changed");
            forged.remove(name);
            assert!(!genuine_return("hush", attempt, None, &forged), "without {name}");
        }
    }

    #[test]
    fn a_payment_in_the_window_is_of_the_order_that_we_made() {
        let attempt: PaymentId = haat_engine::random::id(0);
        let paid = |order: &str, payment: &str, signature: &str| -> HashMap<String, String> {
            let query = [
                ("key", "ours"),
                ("razorpay_order_id", order),
                ("razorpay_payment_id", payment),
                ("razorpay_signature", signature),
            ];
            query.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        };
        let genuine = sign("hush", b"order_1|pay_1");
        let is_genuine = |secret: &str, made: Option<&str>, query: &HashMap<String, String>| {
            genuine_return(secret, attempt, made, query)
        };
        let query = paid("order_1", "pay_1", &genuine);
        assert!(is_genuine("hush", Some("order_1"), &query));
        assert!(is_genuine("hush", Some("order_1"), &HashMap::new()), "the shopper has not paid");
        assert!(!is_genuine("hush", Some("order_2"), &query), "of another order");
        assert!(!is_genuine("hush", Some("plink_1"), &query), "the payment has a link");
        assert!(!is_genuine("hush", None, &query), "no order is known");
        assert!(!is_genuine("other", Some("order_1"), &query), "another secret");
        assert!(!is_genuine("", Some("order_1"), &paid("order_1", "pay_1", &sign("", b"order_1|pay_1"))));
        for (order, payment, signature) in [
            // Another order's signature, with our order's ID.
            ("order_1", "pay_2", sign("hush", b"order_2|pay_2")),
            ("order_2", "pay_2", sign("hush", b"order_2|pay_2")),
            ("order_1", "pay_2", genuine.clone()),
            ("order_1", "pay_1", String::new()),
            ("", "pay_1", sign("hush", b"|pay_1")),
        ] {
            assert!(
                !is_genuine("hush", Some("order_1"), &paid(order, payment, &signature)),
                "{order} {payment}"
            );
        }
    }
}
