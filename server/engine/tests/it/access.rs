//! Authentication of API clients with tokens and keys.

use haat_engine::{
    Caller,
    accounts::api_auth::*,
    admin::{self, Grantee},
    carts, orders, shops,
};
use haat_shared::{
    Error, FieldCode,
    access::{KEYS_MAX, NewApiKey, Scope},
    accounts::SignIn,
    orders::ListOrders,
    permissions::AdminRole,
};

use crate::{both, support::*};

fn credentials(name: &str) -> SignIn {
    SignIn { email: sign_up(name).email, password: PASSWORD.into() }
}

fn key(scopes: &[Scope]) -> NewApiKey {
    NewApiKey { name: "Books".into(), scopes: scopes.into() }
}

both! {
    async fn access_tokens_expire_and_belong_to_this_market(market) {
        let engine = &market.engine;
        let wrong = SignIn { password: "wrong-wrong".into(), ..credentials("meena-crafts") };
        let refused = sign_in(engine, &Caller::guest(), wrong).await.unwrap_err();
        assert_eq!(refused, Error::field("password", FieldCode::WrongCredentials));
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 10).await;
        let guest = market.guest_with(&[(lamp, 2)]).await;
        let tokens = sign_in(engine, &guest, credentials("meena-crafts")).await.unwrap();
        let who = |token: String| async move { caller(engine, Some(&token), None, None).await };
        let meena = who(tokens.access_token.clone()).await.unwrap();
        assert_eq!(meena.user().unwrap().shops[0].handle, "meena-crafts");
        assert_eq!(carts::view(engine, &meena).await.unwrap().item_count, 2, "the account takes over the guest's cart");
        orders::seller_list(engine, &meena, "meena-crafts", ListOrders::default()).await.unwrap();

        // A different header, a changed claim, no signature, another market's secret: all are rejected.
        let parts: Vec<&str> = tokens.access_token.split('.').collect();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let other = Market::open(On::Sqlite).await;
        let foreign = haat_engine::random::SigningKey::new("another secret");
        let mac = foreign.mac(&[b"access token\0", parts[0].as_bytes(), b".", parts[1].as_bytes()]);
        let mac = mac.iter().map(|b| format!("{b:02x}")).collect::<String>();
        for token in [
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}A.{}", parts[0], parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{mac}", parts[0], parts[1]),
            String::new(),
            "haat_key_made-up".into(),
        ] {
            assert_eq!(who(token.clone()).await.unwrap_err(), Error::SignInNeeded, "{token}");
        }
        // The same secret and address, but the session doesn't exist there.
        assert_eq!(caller(&other.engine, Some(&tokens.access_token), None, None).await.unwrap_err(), Error::SignInNeeded);
        other.close().await;

        market.clock.advance_ms(ACCESS_MS - 2_000);
        assert!(who(tokens.access_token.clone()).await.is_ok());
        market.clock.advance_ms(2_001);
        assert_eq!(who(tokens.access_token).await.unwrap_err(), Error::SignInNeeded);
    }

    async fn refresh_tokens_rotate_and_an_old_one_ends_them_all(market) {
        let engine = &market.engine;
        let guest = Caller::guest();
        let first = sign_in(engine, &guest, credentials("meena-crafts")).await.unwrap();
        let other = sign_in(engine, &guest, credentials("meena-crafts")).await.unwrap();
        let second = refresh(engine, &guest, &first.refresh_token).await.unwrap();
        assert_ne!(first.refresh_token, second.refresh_token);
        assert!(caller(engine, Some(&second.access_token), None, None).await.is_ok());
        // A reused refresh token means that someone has a copy, so both sessions end.
        assert_eq!(refresh(engine, &guest, &first.refresh_token).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(refresh(engine, &guest, &second.refresh_token).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(caller(engine, Some(&second.access_token), None, None).await.unwrap_err(), Error::SignInNeeded);
        // Tokens that were never issued end nothing, however much of them is valid.
        let session = other.refresh_token.split('.').next().unwrap();
        let (token, mac) = other.refresh_token.rsplit_once('.').unwrap();
        for made_up in [format!("{session}.x"), format!("{session}."), format!("{session}.x.{mac}"), token.to_owned(), format!("{token}.x")] {
            assert_eq!(refresh(engine, &guest, &made_up).await.unwrap_err(), Error::SignInNeeded, "{made_up}");
        }
        assert!(caller(engine, Some(&other.access_token), None, None).await.is_ok());
        // The other session isn't affected until it is ended itself or expires.
        let other = refresh(engine, &guest, &other.refresh_token).await.unwrap();
        sign_out(engine, &other.access_token).await.unwrap();
        assert_eq!(caller(engine, Some(&other.access_token), None, None).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(refresh(engine, &guest, &other.refresh_token).await.unwrap_err(), Error::SignInNeeded);
        let late = sign_in(engine, &guest, credentials("meena-crafts")).await.unwrap();
        market.clock.advance_ms(REFRESH_MS + 1);
        assert_eq!(refresh(engine, &guest, &late.refresh_token).await.unwrap_err(), Error::SignInNeeded);
        for made_up in ["", "x", "apisess_00000000000000000000000000.x", "prod_00000000000000000000000000.x"] {
            assert_eq!(refresh(engine, &guest, made_up).await.unwrap_err(), Error::SignInNeeded);
        }
        haat_engine::accounts::purge(engine).await.unwrap();
    }

    async fn of_two_that_refresh_at_once_one_wins_and_the_grant_ends(market) {
        let engine = &market.engine;
        let guest = Caller::guest();
        let tokens = sign_in(engine, &guest, credentials("meena-crafts")).await.unwrap();
        let tries = (0..8).map(|_| refresh(engine, &guest, &tokens.refresh_token));
        let won: Vec<_> = futures::future::join_all(tries).await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert!(caller(engine, Some(&won[0].access_token), None, None).await.is_err());
    }

    async fn an_api_key_grants_its_scopes_until_revoked(market) {
        let engine = &market.engine;
        let meena = market.owner("meena-crafts").await;
        assert!(matches!(create_key(engine, &meena, &key(&[])).await, Err(Error::Invalid(_))));
        assert_eq!(create_key(engine, &Caller::guest(), &key(&[Scope::Buy])).await.unwrap_err(), Error::SignInNeeded);
        let made = create_key(engine, &meena, &key(&[Scope::OrdersRead])).await.unwrap();
        let with = |scope| caller(engine, Some(&made.secret), None, scope);
        let program = with(Some(Scope::OrdersRead)).await.unwrap();
        assert_eq!(program.user_id(), meena.user_id());
        assert!(with(None).await.is_ok());
        for scope in [Scope::OrdersWrite, Scope::CatalogRead, Scope::Buy, Scope::Operator, Scope::Account] {
            assert_eq!(with(Some(scope)).await.unwrap_err(), Error::Denied, "{scope:?}");
        }
        let used = keys(engine, &meena).await.unwrap().remove(0).last_used_at;
        assert!(used.is_some());
        // Not every use is recorded.
        let writes = engine.db.counts();
        with(None).await.unwrap();
        assert_eq!(engine.db.counts().0 - writes.0, 1);
        market.clock.advance_ms(10 * 60_000);
        with(None).await.unwrap();
        assert_ne!(keys(engine, &meena).await.unwrap()[0].last_used_at, used);

        // Only its owner has access to it.
        let delta = market.owner("delta-electronics").await;
        assert!(keys(engine, &delta).await.unwrap().is_empty());
        assert_eq!(end_key(engine, &delta, made.key.id).await.unwrap_err(), Error::NotFound);
        end_key(engine, &meena, made.key.id).await.unwrap();
        assert_eq!(with(None).await.unwrap_err(), Error::SignInNeeded);
        assert!(keys(engine, &meena).await.unwrap().is_empty());
    }

    async fn an_operators_key_runs_the_market_only_with_that_scope(market) {
        let engine = &market.engine;
        haat_engine::accounts::create_operator(engine, &Caller::system(), sign_up("boss")).await.unwrap();
        let boss = market.owner("boss").await;
        for (scope, runs) in [(Scope::CatalogWrite, false), (Scope::Operator, true)] {
            let made = create_key(engine, &boss, &key(&[scope])).await.unwrap();
            let program = caller(engine, Some(&made.secret), None, Some(scope)).await.unwrap();
            assert_eq!(shops::list_all(engine, &program, "", "").await.is_ok(), runs, "{scope:?}");
        }
        // Nor does the scope give what the roles of its user do not.
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let to = Grantee::Id(asha.user_id().unwrap());
        admin::grant_role(engine, &boss, to, AdminRole::Finance).await.unwrap();
        let made = create_key(engine, &asha, &key(&[Scope::Operator])).await.unwrap();
        let program = caller(engine, Some(&made.secret), None, Some(Scope::Operator)).await.unwrap();
        assert!(shops::list_all(engine, &program, "", "").await.is_ok());
        assert_eq!(haat_engine::accounts::list(engine, &program, "", "").await.err(), Some(Error::Denied));
        let tokens = sign_in(engine, &Caller::guest(), credentials("asha")).await.unwrap();
        let program = caller(engine, Some(&tokens.access_token), None, None).await.unwrap();
        assert_eq!(haat_engine::accounts::list(engine, &program, "", "").await.err(), Some(Error::Denied));
    }

    async fn an_account_has_only_so_many_keys(market) {
        let meena = market.owner("meena-crafts").await;
        for _ in 0..KEYS_MAX {
            create_key(&market.engine, &meena, &key(&[Scope::Buy])).await.unwrap();
        }
        let refused = create_key(&market.engine, &meena, &key(&[Scope::Buy])).await.unwrap_err();
        assert_eq!(refused, Error::field("name", FieldCode::TooMany));
    }
}
