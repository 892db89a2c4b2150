//! The pages of an account, by forms alone.

use haat_shared::routes::{
    ACCOUNT, ADDRESSES, FORGOT_PASSWORD, FORM_EXPORT_DATA, FORM_PASSWORD, FORM_RECOMMENDATIONS,
    FORM_SESSIONS, PERSONAL_DATA, PRIVACY, PROFILE, WISHLIST,
};
use reqwest::StatusCode;

use crate::{
    mails::{emails_to, until_mailed},
    program::{On, Program, Shopper, location, on_both},
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

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_ones_data_and_the_deletion_of_the_account_by_forms() {
    on_both(async |on: On| {
        let program = Program::serve(on).await;
        let asha = signed_up(&program).await;
        assert!(asha.get(ACCOUNT).await.1.contains("href=\"/account/data\""));
        assert!(asha.get(PRIVACY).await.1.contains("href=\"/account/data\""));
        let (_, page) = asha.get(PERSONAL_DATA).await;
        assert!(page.contains("Download my data") && page.contains("Delete my account"), "{page}");
        let copy = asha.try_post(FORM_EXPORT_DATA, &[]).await.unwrap();
        let header = |name: &str| copy.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-disposition"), "attachment; filename=\"personal-data.json\"");
        let copy: serde_json::Value = copy.json().await.unwrap();
        assert_eq!(copy["data"]["profile"][0]["email"], EMAIL);
        // Over REST, by an access token.
        let client = reqwest::Client::new();
        let credentials = serde_json::json!({"email": EMAIL, "password": PASSWORD});
        let tokens = client.post(program.at("/api/v1/tokens")).json(&credentials).send().await.unwrap();
        let tokens: serde_json::Value = tokens.json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let data = || client.get(program.at("/api/v1/me/data")).bearer_auth(&token).send();
        let copy: serde_json::Value = data().await.unwrap().json().await.unwrap();
        assert_eq!(copy["data"]["profile"][0]["name"], "Asha");
        // An order is open, so the account stays.
        let variant = asha.variant("meena-crafts", 0).await;
        let number = asha.buy_in_cash(&variant).await;
        let (_, page) = asha.get(PERSONAL_DATA).await;
        assert!(page.contains("haven’t been delivered") && !page.contains("name=\"confirm\""), "{page}");
        let form = [("password", PASSWORD), ("confirm", "true")];
        let back = asha.post(PERSONAL_DATA, &form).await;
        assert_eq!(back, format!("{PERSONAL_DATA}?error=account_in_use"));
        assert!(asha.get(&back).await.1.contains("haven’t been delivered"));
        let order = format!("{number}-1");
        let cancel = [("order", order.as_str()), ("reason", "Too late")];
        asha.post(&format!("/purchases/{number}"), &cancel).await;
        // Nothing that was entered is lost, but for the password.
        let back = asha.post(PERSONAL_DATA, &[("password", "a guess"), ("confirm", "true")]).await;
        let (_, page) = asha.get(&back).await;
        assert!(page.contains("aria-invalid=\"true\"") && page.contains("Incorrect password"), "{page}");
        assert!(page.contains("checked") && !page.contains("a guess"), "{page}");
        let back = asha.post(PERSONAL_DATA, &[("password", PASSWORD)]).await;
        assert!(asha.get(&back).await.1.contains("I understand"), "{back}");
        let done = asha.post(PERSONAL_DATA, &form).await;
        assert_eq!(done, "/sign-in?done=deleted");
        assert!(asha.get(&done).await.1.contains("Your account has been deleted."));
        assert_eq!(asha.get(ACCOUNT).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(data().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let back = asha.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert!(asha.get(&back).await.1.contains("Incorrect email or password"), "{back}");
        program.verify();
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_deactivates_and_deletes_accounts_by_forms() {
    on_both(async |on: On| {
        let mut program = Program::prepare(on).await;
        program.set("HAAT_ADMIN_PASSWORD", PASSWORD);
        program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
        program.start().await;
        let (asha, olga) = (signed_up(&program).await, Shopper::new(&program));
        olga.post("/sign-in", &[("email", "olga@haat.example"), ("password", PASSWORD)]).await;
        let id = |page: &str| page[page.find("/admin/users/user_").unwrap()..][..44].to_owned();
        let user = id(&olga.get("/admin/users?q=asha@example.com").await.1);
        let (_, page) = olga.get(&user).await;
        assert!(page.contains("Deactivate account") && page.contains("Delete account"), "{page}");
        let back = olga.post(&user, &[("action", "deactivate"), ("reason", "")]).await;
        assert!(olga.get(&back).await.1.contains("aria-invalid=\"true\""), "{back}");
        let done = olga.post(&user, &[("action", "deactivate"), ("reason", "Floods shops")]).await;
        assert_eq!(done, format!("{user}?done=deactivate"));
        let (_, page) = olga.get(&done).await;
        assert!(page.contains("Account deactivated.") && page.contains("Floods shops"), "{page}");
        // Out at once, and told why only with the right password.
        assert_eq!(asha.get(ACCOUNT).await.0, StatusCode::UNAUTHORIZED);
        for (password, told) in
            [(PASSWORD, "has been deactivated"), ("a guess", "Incorrect email or password")]
        {
            let back = asha.post("/sign-in", &[("email", EMAIL), ("password", password)]).await;
            let (_, page) = asha.get(&back).await;
            assert!(page.contains(told), "{page}");
        }
        let (_, list) = olga.get("/admin/users?state=deactivated").await;
        assert!(list.contains(EMAIL) && !list.contains("meena@haat.example"), "{list}");
        let done = olga.post(&user, &[("action", "activate")]).await;
        assert!(olga.get(&done).await.1.contains("Account reactivated."));
        asha.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(asha.get(ACCOUNT).await.0, StatusCode::OK);
        // Their own account is no other's.
        let own = id(&olga.get("/admin/users?q=olga").await.1);
        let back = olga.post(&own, &[("action", "deactivate"), ("reason", "Me")]).await;
        let (_, page) = olga.get(&back).await;
        assert!(page.contains("your own account") && !page.contains("Deactivate account"), "{page}");
        let back = olga.post(&user, &[("action", "erase")]).await;
        assert!(olga.get(&back).await.1.contains("has asked for this"), "{back}");
        let done = olga.post(&user, &[("action", "erase"), ("confirm", "true")]).await;
        let (_, page) = olga.get(&done).await;
        assert!(page.contains("Account deleted.") && page.contains("Deleted account"), "{page}");
        assert!(!page.contains(EMAIL) && !page.contains("Deactivate account"), "{page}");
        let (_, audit) = olga.get("/admin/audit").await;
        for action in ["Deactivated an account", "Reactivated an account", "Deleted an account"] {
            assert!(audit.contains(action), "{audit}");
        }
        assert!(!audit.contains("Floods shops"), "the reasons are about the person");
        program.verify();
        program.close();
    })
    .await;
}

/// The path of the link in the latest email to an address whose subject this is.
async fn link_to(reader: &Shopper, address: &str, subject: &str, path: &str) -> String {
    until_mailed(reader, subject).await;
    let (_, list) = reader.get("/dev/mail").await;
    let (_, mail) = reader.get(&emails_to(&list, address)[0]).await;
    let link = mail.split(path).nth(1).unwrap().split(['<', '"', '\n', ' ']).next().unwrap();
    format!("{path}{}", link.trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_up_for_an_invitation_comes_back_to_it() {
    on_both(async |on: On| {
        let mut program = Program::prepare(on).await;
        program.set("HAAT__MAIL__CONFIRM_SIGN_UPS", "always");
        program.start().await;
        let (meena, ravi) = (Shopper::new(&program), Shopper::new(&program));
        let form = [("email", "meena@haat.example"), ("password", "market-day-2026")];
        meena.post("/sign-in", &form).await;
        let team = "/seller/meena-crafts/team";
        let typed = meena.post(team, &[("action", "invite"), ("email", "ravi"), ("role", "support")]).await;
        let (_, page) = meena.get(&typed).await;
        assert!(page.contains("aria-invalid=\"true\"") && page.contains("value=\"ravi\""), "{page}");
        let form = [("action", "invite"), ("email", "Ravi@Example.com"), ("role", "fulfilment")];
        assert_eq!(meena.post(team, &form).await, format!("{team}?done=invite"));
        let link = link_to(&meena, "Ravi@example.com", "Invitation to join", "/invitations/").await;
        let (path, token) = link.split_once("?token=").unwrap();
        assert_eq!(ravi.get(&format!("{path}?token=forged")).await.0, StatusCode::NOT_FOUND);
        let (status, page) = ravi.get(&link).await;
        assert!(status == StatusCode::OK && page.contains("Role: Fulfilment."), "{page}");
        // Nobody is signed in, so it leads back to the page that says so.
        assert_eq!(ravi.post(path, &[("token", token)]).await, link);
        let form =
            [("name", "Ravi"), ("email", "ravi@example.com"), ("password", PASSWORD), ("next", &*link)];
        assert_eq!(ravi.post("/sign-up", &form).await, "/sign-up?done=sent");
        let confirm = link_to(&meena, "ravi@example.com", "Confirm your email", "/sign-up/").await;
        let answer = ravi.client.get(ravi.url(&confirm)).send().await.unwrap();
        let sign_in = location(&answer);
        assert!(
            sign_in.starts_with("/sign-in?next=/invitations/") && sign_in.ends_with("&done=confirmed"),
            "{sign_in}"
        );
        // In another browser, nothing is known of it; and in this one, once.
        for browser in [&Shopper::new(&program), &ravi] {
            let answer = browser.client.get(ravi.url(&confirm)).send().await.unwrap();
            assert_eq!(location(&answer), "/sign-in?done=confirmed");
        }
        let form = [("email", "ravi@example.com"), ("password", PASSWORD), ("next", &*link)];
        assert_eq!(ravi.post("/sign-in", &form).await, link);
        assert_eq!(ravi.post(path, &[("token", token)]).await, "/seller/meena-crafts");
        assert_eq!(ravi.get("/seller/meena-crafts/orders").await.0, StatusCode::OK);
        for denied in ["balance", "settings", "team", "products"] {
            assert_eq!(
                ravi.get(&format!("/seller/meena-crafts/{denied}")).await.0,
                StatusCode::FORBIDDEN,
                "{denied}"
            );
        }
        assert_eq!(ravi.post(team, &[("action", "leave")]).await, "/seller?done=leave");
        assert_eq!(ravi.get("/seller/meena-crafts").await.0, StatusCode::NOT_FOUND);
        let (_, page) = ravi.get(&link).await;
        assert!(page.contains("This invitation has already been accepted"), "{page}");
        assert_eq!(meena.post(team, &[("action", "leave")]).await, format!("{team}?error=last_owner"));
        program.close();
    })
    .await;
}
