//! Signatures of webhooks: HMAC-SHA-256 over the time and the raw body
//! (<https://docs.stripe.com/webhooks#verify-manually>).

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries it.
pub(crate) const HEADER: &str = "stripe-signature";
/// The maximum age of a webhook in seconds.
const TOLERANCE_S: u64 = 300;

/// The signature of a body sent at this time, in hexadecimal digits.
fn sign(secret: &str, at_s: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{at_s}.").as_bytes());
    mac.update(body);
    let mut digits = String::new();
    for byte in mac.finalize().into_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Some(digits)
}

/// Whether a webhook is genuine and recent: `t=TIME,v1=SIGNATURE`. While a secret is rotated, Stripe signs
/// with both, and we may know both. Other schemes, such as `v0` for test events, don't count.
pub(crate) fn verify(header: &str, body: &[u8], secrets: &[String], now_ms: i64) -> bool {
    let field = |name: &str| {
        let name = format!("{name}=");
        header.split(',').filter_map(move |part| part.trim().strip_prefix(&name).map(str::to_owned))
    };
    let Some(at_s) = field("t").next().and_then(|time| time.parse::<i64>().ok()) else { return false };
    let age = (now_ms / 1000).checked_sub(at_s);
    if age.is_none_or(|age| age.unsigned_abs() > TOLERANCE_S) {
        return false;
    }
    let expected: Vec<String> = secrets.iter().filter_map(|secret| sign(secret, at_s, body)).collect();
    let is_genuine =
        |given: String| expected.iter().any(|expected| expected.as_bytes().ct_eq(given.as_bytes()).into());
    field("v1").any(is_genuine)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_test_webhook","object":"event"}"#;
    const AT: i64 = 1_492_774_577;

    fn verified(header: &str, body: &[u8], secrets: &[&str], now_s: i64) -> bool {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        verify(header, body, &secrets, now_s * 1000)
    }

    /// Calculated with `openssl dgst -sha256 -hmac whsec_test_secret`.
    #[test]
    fn a_signature_is_what_other_tools_calculate() {
        assert_eq!(
            sign("whsec_test_secret", AT, BODY).unwrap(),
            "88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a"
        );
    }

    #[test]
    fn only_genuine_recent_webhooks_are_accepted() {
        let good = sign("whsec_a", AT, BODY).unwrap();
        let header =
            format!("t={AT},v1={good},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39");
        let known = ["whsec_a"];
        assert!(verified(&header, BODY, &known, AT + 300));
        assert!(!verified(&header, BODY, &known, AT + 301), "old");
        assert!(!verified(&header, BODY, &known, AT - 301), "from the future");
        assert!(!verified(&header, &BODY[..BODY.len() - 1], &known, AT), "another body");
        assert!(!verified(&header, BODY, &["whsec_b"], AT), "another secret");
        assert!(!verified(&header, BODY, &[], AT), "no secret");
        for header in [
            "",
            &format!("v1={good}"),
            &format!("t={AT}"),
            &format!("t={AT},v0={good}"),
            &format!("t=9223372036854775807,v1={good}"),
            &format!("t=-9223372036854775808,v1={good}"),
        ] {
            assert!(!verified(header, BODY, &known, AT), "{header}");
        }
        let signed = format!("t={AT},v1={good}");
        for i in 0..signed.len() {
            let mut forged = signed.clone().into_bytes();
            forged[i] ^= 1;
            assert!(!verified(&String::from_utf8_lossy(&forged), BODY, &known, AT), "byte {i} changed");
        }
        for i in 0..BODY.len() {
            let mut forged = BODY.to_vec();
            forged[i] ^= 1;
            assert!(!verified(&signed, &forged, &known, AT), "byte {i} of the body changed");
        }
    }

    #[test]
    fn a_secret_is_rotated_without_a_gap() {
        let [old, new] = ["whsec_old", "whsec_new"].map(|secret| sign(secret, AT, BODY).unwrap());
        let both = format!("t={AT},v1={new},v1={old}");
        // Stripe has both, and we have one; or we have both, and Stripe one.
        for (header, known) in [
            (&both, &["whsec_old"][..]),
            (&both, &["whsec_new"]),
            (&format!("t={AT},v1={old}"), &["whsec_new", "whsec_old"]),
            (&format!("t={AT},v1={new}"), &["whsec_new", "whsec_old"]),
        ] {
            assert!(verified(header, BODY, known, AT), "{header} {known:?}");
        }
        assert!(!verified(&both, BODY, &["whsec_older"], AT));
    }
}
