//! Signing in with the account of a provider, at a fake of it that speaks OpenID Connect over HTTP.

use haat_fakes::openid::{OpenId, Person, Wrong};
use haat_shared::{
    logins::Provider,
    routes::{self, FORM_LOGINS, PROFILE},
};
use reqwest::StatusCode;

use crate::program::{On, Program, Shopper, on_both};

const PASSWORD: &str = "long enough";

/// A market with an app at a provider.
async fn market(on: On, provider: Provider) -> (Program, OpenId) {
    let fake = OpenId::start("app", "hush-hush", provider == Provider::LinkedIn).await;
    let mut program = Program::prepare(on).await;
    let name = provider.as_str().to_uppercase();
    program.set(&format!("HAAT__SIGN_IN__{name}_CLIENT_ID"), "app");
    program.set(&format!("HAAT__SIGN_IN__{name}_CLIENT_SECRET"), "hush-hush");
    program.set(&format!("HAAT__SIGN_IN__{name}_ISSUER"), &fake.url);
    program.start().await;
    (program, fake)
}

/// From the button to the provider, and where it sends the browser.
async fn at_provider(shopper: &Shopper, provider: Provider, next: &str) -> String {
    let page = shopper.post(&routes::login(provider.as_str()), &[("next", next)]).await;
    from_provider(shopper, &page).await
}

async fn from_provider(shopper: &Shopper, page: &str) -> String {
    assert!(page.contains("/authorize?") && page.contains("state="), "{page}");
    let response = shopper.client.get(page).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{page}");
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// Follows a redirect of the market, and returns where it leads.
async fn follow(shopper: &Shopper, url: &str) -> String {
    let response = shopper.client.get(shopper.url(url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{url}: {}", response.text().await.unwrap());
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// The whole way; returns where it ends.
async fn sign_in(shopper: &Shopper, provider: Provider, next: &str) -> String {
    let back = at_provider(shopper, provider, next).await;
    follow(shopper, &back).await
}

async fn is_signed_in(shopper: &Shopper) -> bool {
    shopper.get(PROFILE).await.0 == StatusCode::OK
}

const GOOGLE: Provider = Provider::Google;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_by_google_and_back_to_it() {
    on_both(async |on: On| {
        let (program, fake) = market(on, GOOGLE).await;
        let asha = Shopper::new(&program);
        for page in ["/sign-in?next=/wishlist", "/sign-up?next=/wishlist"] {
            let response = asha.client.get(asha.url(page)).send().await.unwrap();
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(
                policy
                    .contains(&format!("form-action 'self' http://127.0.0.1:{} {}", program.port, fake.url)),
                "{policy}"
            );
            let page = response.text().await.unwrap();
            assert!(page.contains("Continue with Google") && !page.contains("LinkedIn"), "{page}");
            assert!(page.contains("formaction=\"/sign-in/with/google\""), "{page}");
        }
        // What a guest put into the basket is still there.
        let variant = asha.variant("meena-crafts", 0).await;
        asha.add(&variant, "1").await;
        assert_eq!(sign_in(&asha, GOOGLE, "/wishlist").await, "/wishlist");
        let (status, profile) = asha.get(PROFILE).await;
        assert!(
            status == StatusCode::OK && profile.contains("asha@example.com") && profile.contains("Asha Rao"),
            "{profile}"
        );
        assert!(
            profile.contains("You have no password.") && profile.contains("name=\"disconnect\""),
            "{profile}"
        );
        assert!(asha.get("/cart").await.1.contains(&variant));
        // The same account, whatever its address is there now.
        fake.is(Person { name: "Someone".into(), ..Person::new("1", "asha@elsewhere.example") });
        let again = Shopper::new(&program);
        assert_eq!(sign_in(&again, GOOGLE, "").await, "/");
        let (_, profile) = again.get(PROFILE).await;
        assert!(
            profile.contains("asha@example.com")
                && !profile.contains("elsewhere")
                && profile.contains("Asha Rao"),
            "{profile}"
        );
        assert!(again.get("/cart").await.1.contains(&variant), "the account's basket");
        // It is the only way in.
        let back = again.post(FORM_LOGINS, &[("disconnect", "google")]).await;
        assert!(again.get(&back).await.1.contains("This is your only way to sign in."), "{back}");
        // Not by password.
        for password in ["", "anything-at-all"] {
            let form = [("email", "asha@example.com"), ("password", password)];
            let other = Shopper::new(&program);
            other.post("/sign-in", &form).await;
            assert!(!is_signed_in(&other).await);
        }
        // The pages and keys were asked for once.
        assert_eq!((fake.requests("/keys"), fake.requests("/token")), (1, 2));
        fake.changes_its_key();
        assert_eq!(sign_in(&Shopper::new(&program), GOOGLE, "/wishlist").await, "/wishlist");
        assert_eq!(fake.requests("/keys"), 2);
        assert!(!program.log().contains("hush-hush"));
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_an_account_is_never_joined_silently_but_connected_from_inside() {
    on_both(async |on: On| {
        let (program, fake) = market(on, GOOGLE).await;
        let asha = Shopper::new(&program);
        asha.post("/sign-up", &[("name", "Asha"), ("email", "asha@example.com"), ("password", PASSWORD)]).await;
        let other = Shopper::new(&program);
        let back = sign_in(&other, GOOGLE, "/wishlist").await;
        assert_eq!(back, "/sign-in?next=/wishlist&error=login_account_exists&n=google");
        let (_, page) = other.get(&back).await;
        let words = "An account with this email address exists. Sign in with your password, then connect Google in your profile.";
        assert!(page.contains(words) && page.contains("value=\"/wishlist\""), "{page}");
        assert!(!is_signed_in(&other).await);
        let (_, profile) = asha.get(PROFILE).await;
        assert!(profile.contains("Sign-in methods") && profile.contains("Not connected"), "{profile}");
        let page = asha.post(FORM_LOGINS, &[("connect", "google")]).await;
        let back = follow(&asha, &from_provider(&asha, &page).await).await;
        assert_eq!(back, "/account/profile?done=connected&n=google");
        assert!(asha.get(&back).await.1.contains("You can now sign in with Google."));
        assert_eq!(sign_in(&other, GOOGLE, "/wishlist").await, "/wishlist");
        assert!(other.get(PROFILE).await.1.contains("asha@example.com"));
        // It belongs to her now.
        let ravi = Shopper::new(&program);
        ravi.post("/sign-up", &[("name", "Ravi"), ("email", "ravi@example.com"), ("password", PASSWORD)]).await;
        let connect = async |shopper: &Shopper| {
            let page = shopper.post(FORM_LOGINS, &[("connect", "google")]).await;
            follow(shopper, &from_provider(shopper, &page).await).await
        };
        let back = connect(&ravi).await;
        assert!(ravi.get(&back).await.1.contains("already connected to another account"), "{back}");
        // Of another account at Google, there can be one.
        fake.is(Person::new("2", ""));
        assert!(connect(&asha).await.contains("error=login_another"));
        let done = asha.post(FORM_LOGINS, &[("disconnect", "google")]).await;
        assert!(asha.get(&done).await.1.contains("Google is disconnected."), "{done}");
        // Whoever began it has to be the one who ends it.
        let page = asha.post(FORM_LOGINS, &[("connect", "google")]).await;
        let back = from_provider(&asha, &page).await;
        asha.post("/sign-out", &[]).await;
        assert!(follow(&asha, &back).await.contains("error=login_failed"));
        assert!(!is_signed_in(&asha).await);
        program.close();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_only_what_the_provider_says_to_this_browser_counts_once() {
    on_both(async |on: On| {
        let (program, fake) = market(on, GOOGLE).await;
        // Another browser has no such state: nobody is signed in to the account of whoever sends them a link.
        let (asha, other) = (Shopper::new(&program), Shopper::new(&program));
        let back = at_provider(&asha, GOOGLE, "/wishlist").await;
        assert!(follow(&other, &back).await.contains("error=login_failed"));
        // Nor with a state of its own and the code of another.
        let own = at_provider(&other, GOOGLE, "").await;
        let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let state = own.split("state=").nth(1).unwrap();
        let mixed = format!("{}?code={code}&state={state}", back.split('?').next().unwrap());
        assert!(follow(&other, &mixed).await.contains("error=login_failed"), "the verifier is another");
        assert!(!is_signed_in(&other).await);
        // That code is used up. Once, however often the page is asked for at the same time.
        let back = at_provider(&asha, GOOGLE, "/wishlist").await;
        let once = || follow(&asha, &back);
        let led = futures::future::join_all([once(), once(), once(), once()]).await;
        assert_eq!(led.iter().filter(|led| *led == "/wishlist").count(), 1, "{led:?}");
        assert!(follow(&asha, &back).await.contains("error=login_failed"));
        for (wrong, why) in [
            (Wrong::Denied, "login_denied"),
            (Wrong::Nonce, "login_failed"),
            (Wrong::NoNonce, "login_failed"),
            (Wrong::Expired, "login_failed"),
            (Wrong::Audience, "login_failed"),
            (Wrong::Issuer, "login_failed"),
            (Wrong::Signature, "login_failed"),
            (Wrong::Unsigned, "login_failed"),
            (Wrong::Secret, "login_failed"),
            (Wrong::NoToken, "login_failed"),
        ] {
            fake.goes_wrong(wrong);
            let back = sign_in(&other, GOOGLE, "/wishlist").await;
            assert_eq!(back, format!("/sign-in?next=/wishlist&error={why}&n=google"), "{wrong:?}");
            assert!(!is_signed_in(&other).await, "{wrong:?}");
        }
        assert!(
            other
                .get(&sign_in(&other, GOOGLE, "").await)
                .await
                .1
                .contains("Signing in with Google didn’t work")
        );
        fake.goes_wrong(None);
        for (person, why) in [
            (Person { verified: false.into(), ..Person::new("3", "new@example.com") }, "login_unverified"),
            (Person { verified: "false".into(), ..Person::new("3", "new@example.com") }, "login_unverified"),
            (Person::new("3", ""), "login_unverified"),
            (Person::new("3", "not an address"), "login_unverified"),
            (Person::new("", "new@example.com"), "login_failed"),
        ] {
            fake.is(person.clone());
            let back = sign_in(&other, GOOGLE, "").await;
            assert_eq!(back, format!("/sign-in?error={why}&n=google"), "{person:?}");
        }
        fake.is(Person::new("4", "dev@example.com"));
        for (next, led) in [("//evil.example", "/"), ("https://evil.example/", "/"), ("/\\evil.example", "/")]
        {
            assert_eq!(sign_in(&Shopper::new(&program), GOOGLE, next).await, led, "{next}");
        }
        fake.goes_wrong(Wrong::Down);
        let back = at_provider_or_back(&other).await;
        assert!(back.contains("/authorize?"), "its page is known for an hour: {back}");
        program.close();
    })
    .await;
}

async fn at_provider_or_back(shopper: &Shopper) -> String {
    shopper.post(&routes::login(GOOGLE.as_str()), &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn linkedin_has_booleans_in_quotes_and_no_nonce() {
    let (program, fake) = market(On::Sqlite, Provider::LinkedIn).await;
    fake.goes_wrong(Wrong::NoNonce);
    fake.is(Person { verified: "true".into(), ..Person::new("abc", "asha@example.com") });
    let asha = Shopper::new(&program);
    assert!(asha.get("/sign-in").await.1.contains("Continue with LinkedIn"));
    assert_eq!(sign_in(&asha, Provider::LinkedIn, PROFILE).await, PROFILE);
    assert!(asha.get(PROFILE).await.1.contains("asha@example.com"));
    // If there is one, it counts.
    fake.goes_wrong(Wrong::Nonce);
    let other = Shopper::new(&program);
    assert!(sign_in(&other, Provider::LinkedIn, "").await.contains("error=login_failed"));
    // The other provider isn't configured.
    let (status, _) = other.get(&routes::login_return("google")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let asked = other.try_post(&routes::login("google"), &[]).await.unwrap();
    assert_eq!(asked.status(), StatusCode::NOT_FOUND);
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_said_so() {
    let (program, fake) = market(On::Sqlite, GOOGLE).await;
    let asha = Shopper::new(&program);
    fake.goes_wrong(Wrong::Down);
    let back = at_provider_or_back(&asha).await;
    assert_eq!(back, "/sign-in?error=login_unreachable&n=google");
    assert!(asha.get(&back).await.1.contains("Google can’t be reached right now."));
    fake.goes_wrong(None);
    let back = at_provider(&asha, GOOGLE, "").await;
    fake.goes_wrong(Wrong::Down);
    assert!(follow(&asha, &back).await.contains("error=login_unreachable"));
    program.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_providers_there_are_no_buttons() {
    let program = Program::serve(On::Sqlite).await;
    let asha = Shopper::new(&program);
    assert!(!asha.get("/sign-in").await.1.contains("Continue with"));
    assert!(!asha.get("/sign-up").await.1.contains("Continue with"));
    asha.post("/sign-up", &[("name", "Asha"), ("email", "asha@example.com"), ("password", PASSWORD)]).await;
    assert!(!asha.get(PROFILE).await.1.contains("Sign-in methods"));
    program.close();
}
