//! The pages of an account, by forms alone.

use haat_shared::routes::{
    ACCOUNT, ADDRESSES, FORGOT_PASSWORD, FORM_PASSWORD, FORM_RECOMMENDATIONS, FORM_SESSIONS, PRIVACY,
    PROFILE, WISHLIST,
};
use reqwest::StatusCode;

use crate::{
    mails::{emails_to, until_mailed},
    program::{On, Program, Shopper, on_both},
};

const EMAIL: &str = "asha@example.com";
const PASSWORD: &str = "long enough";
const NEW: &str = "even longer than that";

async fn signed_up(program: &Program) -> Shopper {
    let shopper = Shopper::new(program);
    shopper.post("/sign-up", &[("name", "Asha"), ("email", EMAIL), ("password", PASSWORD)]).await;
    shopper
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_reset_by_the_link_of_an_email() {
    on_both(async |on: On| {
        let program = Program::serve(on).await;
        let (asha, other) = (signed_up(&program).await, Shopper::new(&program));
        assert!(other.get("/sign-in").await.1.contains("href=\"/forgot-password\""));
        // The response is the same for whoever has no account.
        for email in [EMAIL, "nobody@example.com"] {
            let back = other.post(FORGOT_PASSWORD, &[("email", email)]).await;
            assert_eq!(back, "/forgot-password?done=sent");
            assert!(other.get(&back).await.1.contains("we’ve sent it a link"));
        }
        until_mailed(&other, "Choose a new password").await;
        let (_, list) = other.get("/dev/mail").await;
        assert!(emails_to(&list, "nobody@example.com").is_empty());
        let (_, mail) = other.get(&emails_to(&list, EMAIL)[0]).await;
        let link =
            mail.split("/reset-password/").nth(1).unwrap().split(['<', '"', '\n', ' ']).next().unwrap();
        let link = format!("/reset-password/{}", link.trim());
        let (path, token) = link.split_once("?token=").unwrap();
        let (status, page) = other.get(&link).await;
        assert!(status == StatusCode::OK && page.contains(EMAIL), "{page}");
        assert_eq!(other.get(&format!("{path}?token=forged")).await.0, StatusCode::NOT_FOUND);
        let again = other.post(path, &[("token", token), ("password", "short")]).await;
        let (_, page) = other.get(&again).await;
        assert!(page.contains("aria-invalid=\"true\"") && !page.contains("short\""), "{again}: {page}");
        let done = other.post(path, &[("token", token), ("password", NEW)]).await;
        assert_eq!(done, "/sign-in?done=password");
        // Once; and whoever was signed in isn't any more.
        let (status, page) = other.get(&link).await;
        assert!(status == StatusCode::NOT_FOUND && page.contains("This link has expired"), "{page}");
        assert_eq!(asha.get("/account").await.0, StatusCode::UNAUTHORIZED);
        until_mailed(&other, "Your password has been changed").await;
        let form = [("email", EMAIL), ("password", NEW), ("next", PROFILE)];
        assert_eq!(other.post("/sign-in", &form).await, PROFILE);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_its_password_and_its_sessions_by_forms() {
    on_both(async |on: On| {
        let program = Program::serve(on).await;
        let (asha, phone) = (signed_up(&program).await, Shopper::new(&program));
        phone.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let back = asha.post(PROFILE, &[("name", ""), ("phone", "98450 12345"), ("locale", "en")]).await;
        let (_, page) = asha.get(&back).await;
        assert!(page.contains("98450 12345") && page.contains("aria-invalid=\"true\""), "{page}");
        let form = [("name", "Asha Rao"), ("phone", "98450 12345"), ("locale", "hi")];
        let done = asha.post(PROFILE, &form).await;
        let (_, page) = asha.get(&done).await;
        assert!(page.contains("Asha Rao") && page.contains("lang=\"hi\""), "{page}");
        let form = [("current_password", "a guess"), ("password", NEW)];
        let (_, page) = asha.get(&asha.post(FORM_PASSWORD, &form).await).await;
        assert!(page.contains("aria-invalid=\"true\"") && !page.contains(NEW) && !page.contains("a guess"));
        let form = [("current_password", PASSWORD), ("password", NEW)];
        assert_eq!(asha.post(FORM_PASSWORD, &form).await, format!("{PROFILE}?done=password"));
        assert_eq!(asha.get(PROFILE).await.0, StatusCode::OK);
        assert_eq!(phone.get(PROFILE).await.0, StatusCode::UNAUTHORIZED);
        // Signed in again, and out from here.
        phone.post("/sign-in", &[("email", EMAIL), ("password", NEW)]).await;
        assert_eq!(phone.get(PROFILE).await.0, StatusCode::OK);
        let (_, page) = asha.get(PROFILE).await;
        let at = page.find("sess_").unwrap();
        asha.post(FORM_SESSIONS, &[("session", &page[at..at + 31])]).await;
        assert_eq!(phone.get(PROFILE).await.0, StatusCode::UNAUTHORIZED);
        asha.post(FORM_SESSIONS, &[]).await;
        assert_eq!(asha.get(PROFILE).await.0, StatusCode::OK);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recommendations_are_dismissed_and_turned_off_by_forms() {
    on_both(async |on: On| {
        let program = Program::serve(on).await;
        let asha = signed_up(&program).await;
        let (_, page) = asha.get(ACCOUNT).await;
        assert!(page.contains("Recommended for you") && page.contains("Turn off recommendations"), "{page}");
        let off = asha.post(FORM_RECOMMENDATIONS, &[("action", "off")]).await;
        assert_eq!(off, format!("{ACCOUNT}?done=off"));
        let (_, page) = asha.get(&off).await;
        assert!(
            page.contains("Recommendations are off.") && page.contains("Turn on recommendations"),
            "{page}"
        );
        let on = asha.post(FORM_RECOMMENDATIONS, &[("action", "on")]).await;
        assert!(asha.get(&on).await.1.contains("Turn off recommendations"));
        let product = "prod_00000000000000000000000000";
        let dismissed = asha.post(FORM_RECOMMENDATIONS, &[("action", "dismiss"), ("product", product)]).await;
        assert_eq!(dismissed, format!("{ACCOUNT}?done=dismissed"));
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_a_wishlist_by_forms() {
    on_both(async |on: On| {
        let program = Program::serve(on).await;
        let asha = Shopper::new(&program);
        // A guest saves something, which is still there after signing up.
        let variant = asha.variant("meena-crafts", 0).await;
        let done = asha.post(WISHLIST, &[("variant", &variant)]).await;
        assert_eq!(done, "/wishlist?done=add");
        asha.post("/sign-up", &[("name", "Asha"), ("email", EMAIL), ("password", PASSWORD)]).await;
        let (_, page) = asha.get(WISHLIST).await;
        let id = &page[page.find("wish_").unwrap()..][..31];
        let shared = page.split("href=\"/wishlist?list=").nth(1).unwrap().split('"').next().unwrap();
        let shared = format!("/wishlist?list={}", shared.replace("&amp;", "&"));
        let (status, seen) = Shopper::new(&program).get(&shared).await;
        assert!(
            status == StatusCode::OK && seen.contains("Shared wishlist") && !seen.contains("value=\"wish_")
        );
        assert_eq!(asha.post(WISHLIST, &[("action", "move"), ("id", id)]).await, "/wishlist?done=move");
        assert!(asha.get(WISHLIST).await.1.contains("Your wishlist is empty"));
        // The checkout saves the address, and begins with the default one.
        let checkout = asha.post("/checkout", &[]).await;
        let mut form = crate::program::details("cash", "k");
        form.push(("save_address", "true"));
        asha.post(&checkout, &form).await;
        let (_, page) = asha.get(ADDRESSES).await;
        assert!(page.contains("12 Lake Road"), "{page}");
        let new = [
            ("label", "work"),
            ("name", "Asha Rao"),
            ("line1", "2 Hill Road"),
            ("city", "Pune"),
            ("postal_code", "wrong"),
            ("country", "IN"),
            ("make_default", "true"),
        ];
        let (_, page) = asha.get(&asha.post(ADDRESSES, &new).await).await;
        assert!(page.contains("2 Hill Road") && page.contains("aria-invalid=\"true\""), "{page}");
        let right = new.map(|(name, value)| (name, if name == "postal_code" { "411002" } else { value }));
        assert_eq!(asha.post(ADDRESSES, &right).await, "/account/addresses?done=save");
        asha.add(&variant, "1").await;
        let checkout = asha.post("/checkout", &[]).await;
        let (_, page) = asha.get(&checkout).await;
        assert!(page.contains("value=\"2 Hill Road\""), "{page}");
        let other = page.split("name=\"use_address\"").nth(1).unwrap();
        let other = &other[other.find("addr_").unwrap()..][..31];
        assert_eq!(asha.post(&checkout, &[("use_address", other), ("email", EMAIL)]).await, checkout);
        let (_, page) = asha.get(&checkout).await;
        assert!(page.contains("value=\"12 Lake Road\""), "{page}");
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_privacy_page_says_what_is_stored() {
    let program = Program::serve(On::Sqlite).await;
    let guest = Shopper::new(&program);
    let (status, page) = guest.get(PRIVACY).await;
    assert!(status == StatusCode::OK && page.contains("for how long") && page.contains("Cookies"), "{page}");
    assert!(guest.get("/").await.1.contains("href=\"/privacy\""));
    program.close();
}
