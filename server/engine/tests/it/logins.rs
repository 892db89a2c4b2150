//! Accounts of providers: who is signed in, which accounts are made, connected and disconnected.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haat_engine::{
    Caller, Engine, Parts,
    accounts::{
        self,
        logins::{self, Arrival, Begun, Exchange, Identity, IdentityError, IdentityProvider, Reply},
        passwords, profile,
    },
    carts, dispatch,
    notifications::mailbox,
};
use haat_shared::{
    Error, FieldCode,
    accounts::SignIn,
    logins::{LoginCard, LoginRefusal, Provider},
    profile::PasswordChange,
};

use crate::{both, support::*};

/// A provider whose code is the subject.
struct Known {
    provider: Provider,
    identity: Mutex<Identity>,
}

#[async_trait]
impl IdentityProvider for Known {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn origin(&self) -> String {
        "https://provider.example".into()
    }

    async fn page(&self, exchange: &Exchange) -> Result<String, IdentityError> {
        assert_eq!((exchange.nonce.len(), exchange.verifier.len()), (43, 43), "as RFC 7636 asks for");
        Ok(exchange.state.clone())
    }

    async fn identity(&self, code: &str, exchange: &Exchange) -> Result<Identity, IdentityError> {
        assert!(exchange.return_to.ends_with(&format!("/sign-in/from/{}", self.provider.as_str())));
        match code {
            "down" => Err(IdentityError::Unreachable("down".into())),
            "wrong" => Err(IdentityError::Refused("wrong".into())),
            subject => Ok(Identity { subject: subject.into(), ..self.identity.lock().unwrap().clone() }),
        }
    }
}

struct Providers(Engine, Arc<Known>);

impl Providers {
    /// The market, where one can sign in with Google and LinkedIn, as Asha.
    fn of(market: &Market) -> Self {
        let identity = Identity {
            subject: String::new(),
            email: "Asha@haat.example".into(),
            verified: true,
            name: "Asha Rao".into(),
        };
        let known = |provider| Arc::new(Known { provider, identity: Mutex::new(identity.clone()) });
        let (google, linkedin) = (known(Provider::Google), known(Provider::LinkedIn));
        let parts = Parts { providers: vec![google.clone(), linkedin], ..market.parts() };
        Self(Engine::new(parts).unwrap(), google)
    }

    fn says(&self, email: &str, verified: bool) {
        let mut identity = self.1.identity.lock().unwrap();
        (identity.email, identity.verified) = (email.to_owned(), verified);
    }

    /// A sign-in that is at the provider: its token and state.
    async fn begun(&self, provider: Provider) -> (String, String) {
        at(logins::begin(&self.0, &Caller::guest(), provider, "/next").await.unwrap())
    }

    async fn arrives(&self, caller: &Caller, subject: &str) -> Arrival {
        let (token, state) = self.begun(Provider::Google).await;
        let reply = Reply { state, code: subject.into() };
        logins::arrive(&self.0, caller, Provider::Google, &token, &reply).await.unwrap()
    }

    /// The caller of the session that a sign-in ended with.
    async fn signed_in(&self, caller: &Caller, subject: &str) -> Caller {
        let Arrival::SignedIn { token, next, .. } = self.arrives(caller, subject).await else {
            panic!("{subject} is not signed in")
        };
        assert_eq!(next, "/next");
        accounts::caller(&self.0, Some(&token), None).await.unwrap()
    }

    async fn connects(&self, caller: &Caller, provider: Provider, subject: &str) -> Arrival {
        let (token, state) = at(logins::begin_connecting(&self.0, caller, provider).await.unwrap());
        let reply = Reply { state, code: subject.into() };
        logins::arrive(&self.0, caller, provider, &token, &reply).await.unwrap()
    }
}

fn at(begun: Begun) -> (String, String) {
    match begun {
        Begun::At { page, token } => (token, page),
        Begun::Refused(why) => panic!("{why:?}"),
    }
}

fn refused(why: LoginRefusal) -> Arrival {
    Arrival::Refused { why, connecting: false, next: "/next".into() }
}

fn not_connected(why: LoginRefusal) -> Arrival {
    Arrival::Refused { why, connecting: true, next: String::new() }
}

fn with(password: &str) -> SignIn {
    SignIn { email: "asha@haat.example".into(), password: password.into() }
}

both! {
    async fn a_verified_address_that_is_new_gets_an_account_without_a_password(market) {
        let (providers, guest) = (Providers::of(market), &Caller::guest());
        let engine = &providers.0;
        // A guest's basket joins.
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let shopper = market.guest_with(&[(bowl, 1)]).await;
        let asha = providers.signed_in(&shopper, "1").await;
        assert_eq!(carts::view(engine, &asha).await.unwrap().item_count, 1);
        let page = profile::page(engine, &asha).await.unwrap();
        assert_eq!((page.profile.name.as_str(), page.profile.email.as_str()), ("Asha Rao", "Asha@haat.example"));
        assert!(!page.has_password);
        let card = |provider, email: Option<&str>| LoginCard { provider, email: email.map(str::to_owned) };
        let cards = [card(Provider::Google, Some("Asha@haat.example")), card(Provider::LinkedIn, None)];
        assert_eq!(page.logins, cards);
        // Known by the subject, whatever address it has now; its own stays.
        providers.says("someone@haat.example", false);
        assert_eq!(providers.signed_in(guest, "1").await.user_id(), asha.user_id());
        assert_eq!(profile::page(engine, &asha).await.unwrap().profile.email, "Asha@haat.example");
        // No password signs in, nor can it be changed.
        for password in ["", "x", "long-enough-to-be-one"] {
            let wrong = accounts::sign_in(engine, guest, with(password)).await;
            assert_eq!(wrong, Err(Error::field("password", FieldCode::WrongCredentials)), "{password}");
        }
        let form = PasswordChange { current: String::new(), new: "another-market-day".into() };
        assert!(passwords::change(engine, &asha, form).await.is_err());
        // Until one is set by a link.
        passwords::request(engine, guest, "asha@haat.example").await.unwrap();
        dispatch::drain(engine).await.unwrap();
        let mail = mailbox::latest(&engine.db).await.unwrap().remove(0);
        let text = mailbox::find(&engine.db, mail.id).await.unwrap().text;
        let (id, token) = link_in(&text);
        passwords::reset(engine, guest, id.parse().unwrap(), token, PASSWORD).await.unwrap();
        accounts::sign_in(engine, guest, with(PASSWORD)).await.unwrap();
        let asha = providers.signed_in(guest, "1").await;
        assert!(profile::page(engine, &asha).await.unwrap().has_password);
    }

    async fn attack_an_address_signs_nobody_in(market) {
        let (providers, guest) = (Providers::of(market), &Caller::guest());
        // Accounts are found by their folded address.
        let asha = market.signed_up(guest, "asha").await;
        assert_eq!(providers.arrives(guest, "1").await, refused(LoginRefusal::AccountExists));
        assert_eq!(providers.arrives(&asha, "1").await, refused(LoginRefusal::AccountExists));
        for (email, verified) in [("new@haat.example", false), ("", true), ("no address", true), ("é@haat.example", true)] {
            providers.says(email, verified);
            assert_eq!(providers.arrives(guest, "1").await, refused(LoginRefusal::Unverified), "{email}");
        }
        for (code, why) in
            [("wrong", LoginRefusal::Failed), ("down", LoginRefusal::Unreachable), ("", LoginRefusal::Denied)]
        {
            assert_eq!(providers.arrives(guest, code).await, refused(why), "{code}");
        }
        let long = "1".repeat(256);
        assert_eq!(providers.arrives(guest, &long).await, refused(LoginRefusal::Failed));
    }

    async fn an_attempt_counts_once_in_its_browser_for_ten_minutes(market) {
        let (providers, guest) = (Providers::of(market), &Caller::guest());
        let engine = &providers.0;
        let failed = Arrival::Refused { why: LoginRefusal::Failed, connecting: false, next: String::new() };
        let (token, state) = providers.begun(Provider::Google).await;
        let arrive = async |provider, token: &str, state: &str| {
            let reply = Reply { state: state.into(), code: "1".into() };
            logins::arrive(engine, guest, provider, token, &reply).await.unwrap()
        };
        let (other, other_state) = providers.begun(Provider::Google).await;
        for (provider, token, state) in [
            (Provider::Google, "", ""),
            (Provider::Google, token.as_str(), ""),
            (Provider::Google, "", state.as_str()),
            (Provider::Google, token.as_str(), other_state.as_str()),
            (Provider::Google, other.as_str(), state.as_str()),
            (Provider::LinkedIn, token.as_str(), state.as_str()),
        ] {
            assert_eq!(arrive(provider, token, state).await, failed);
        }
        let done = futures::future::join_all([0; 4].map(|_| arrive(Provider::Google, &token, &state))).await;
        assert_eq!(done.iter().filter(|done| **done == failed).count(), 3, "{done:?}");
        market.clock.advance_ms(logins::ATTEMPT_MS);
        assert_eq!(arrive(Provider::Google, &other, &other_state).await, failed);
        market.clock.advance_ms(1);
        accounts::purge(engine).await.unwrap();
        // Two tabs at once make one account.
        providers.says("ravi@haat.example", true);
        let (one, two) = (providers.begun(Provider::Google).await, providers.begun(Provider::Google).await);
        let tab = async |(token, state): (String, String)| {
            let reply = Reply { state, code: "2".into() };
            let arrived = logins::arrive(engine, guest, Provider::Google, &token, &reply).await.unwrap();
            let Arrival::SignedIn { token, .. } = arrived else { panic!("{arrived:?}") };
            accounts::caller(engine, Some(&token), None).await.unwrap().user_id()
        };
        let (one, two) = tokio::join!(tab(one), tab(two));
        assert!(one.is_some() && one == two);
        // A market without providers has none.
        let none = logins::begin(&market.engine, guest, Provider::Google, "").await;
        assert_eq!(none.unwrap_err(), Error::NotFound);
        assert!(logins::providers(&market.engine).is_empty() && logins::origins(engine).len() == 2);
    }

    async fn accounts_are_connected_by_whoever_has_both(market) {
        let (providers, guest) = (Providers::of(market), &Caller::guest());
        let engine = &providers.0;
        let asha = market.signed_up(guest, "asha").await;
        let ravi = market.signed_up(guest, "ravi").await;
        assert_eq!(logins::begin_connecting(engine, guest, Provider::Google).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(providers.connects(&asha, Provider::Google, "1").await, Arrival::Connected);
        assert_eq!(providers.connects(&asha, Provider::Google, "1").await, Arrival::Connected, "again");
        assert_eq!(providers.signed_in(guest, "1").await.user_id(), asha.user_id());
        let taken = providers.connects(&ravi, Provider::Google, "1").await;
        assert_eq!(taken, not_connected(LoginRefusal::Taken));
        let another = providers.connects(&asha, Provider::Google, "2").await;
        assert_eq!(another, not_connected(LoginRefusal::Another));
        // Someone else is signed in by now.
        let (token, state) = at(logins::begin_connecting(engine, &asha, Provider::LinkedIn).await.unwrap());
        let reply = Reply { state, code: "3".into() };
        let other = logins::arrive(engine, &ravi, Provider::LinkedIn, &token, &reply).await.unwrap();
        assert_eq!(other, not_connected(LoginRefusal::Failed));
        // With a password, it can go.
        assert_eq!(logins::disconnect(engine, guest, Provider::Google).await, Err(Error::SignInNeeded));
        assert_eq!(logins::disconnect(engine, &asha, Provider::Google).await, Ok(None));
        assert_eq!(logins::disconnect(engine, &asha, Provider::Google).await, Ok(None), "again");
        assert_eq!(providers.arrives(guest, "1").await, refused(LoginRefusal::AccountExists));
    }

    async fn the_last_way_in_stays(market) {
        let (providers, guest) = (Providers::of(market), &Caller::guest());
        let engine = &providers.0;
        let asha = providers.signed_in(guest, "1").await;
        let last = Ok(Some(LoginRefusal::LastWayIn));
        assert_eq!(logins::disconnect(engine, &asha, Provider::Google).await, last);
        assert_eq!(providers.connects(&asha, Provider::LinkedIn, "9").await, Arrival::Connected);
        // Both at once: one stays.
        let (one, two) = tokio::join!(
            logins::disconnect(engine, &asha, Provider::Google),
            logins::disconnect(engine, &asha, Provider::LinkedIn)
        );
        assert!([&one, &two].contains(&&last) && [&one, &two].contains(&&Ok(None)), "{one:?} {two:?}");
    }
}
