use std::collections::BTreeMap;

use haat_engine::{Caller, accounts, db::One, params, statements};
use haat_shared::{Error, FieldCode, accounts::SignIn};

use crate::{both, support::*};

statements! {
    LOCALE = "SELECT locale AS value FROM users WHERE id = $1";
}

both! {
    async fn a_language_is_kept_with_the_account(market) {
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        asha.locale = "hi";
        accounts::keep_locale(&market.engine, &asha).await.unwrap();
        accounts::keep_locale(&market.engine, &Caller::guest()).await.unwrap();
        let kept: One<String> = market.engine.db.one(&LOCALE, params![asha.user_id()]).await.unwrap();
        assert_eq!(kept.0, "hi");
    }

    async fn an_account_is_made_once_whatever_the_case_of_its_address(market) {
        let token = accounts::sign_up(&market.engine, &Caller::guest(), sign_up("asha")).await.unwrap();
        let asha = accounts::caller(&market.engine, Some(&token), None).await.unwrap();
        assert_eq!(asha.user().unwrap().name, "asha");
        let again = haat_shared::accounts::SignUp { email: "ASHA@Haat.Example".into(), ..sign_up("asha") };
        let refused = accounts::sign_up(&market.engine, &Caller::guest(), again).await;
        assert_eq!(refused, Err(Error::field("email", FieldCode::Taken)));
        for (email, password) in [("asha@haat.example", "wrong-wrong"), ("nobody@haat.example", PASSWORD), ("", "")] {
            let form = SignIn { email: email.into(), password: password.into() };
            let refused = accounts::sign_in(&market.engine, &Caller::guest(), form).await;
            assert_eq!(refused, Err(Error::field("password", FieldCode::WrongCredentials)), "{email}");
        }
        let form = SignIn { email: " Asha@HAAT.example ".into(), password: PASSWORD.into() };
        let second = accounts::sign_in(&market.engine, &asha, form).await.unwrap();
        assert_ne!(second, token, "each sign-in has a token of its own");
    }

    async fn signing_out_ends_the_session_on_the_server(market) {
        let token = accounts::sign_up(&market.engine, &Caller::guest(), sign_up("asha")).await.unwrap();
        accounts::sign_out(&market.engine, &token).await.unwrap();
        assert!(is_guest(&accounts::caller(&market.engine, Some(&token), None).await.unwrap()));
        assert!(is_guest(&accounts::caller(&market.engine, Some("made up"), None).await.unwrap()));
    }

    async fn a_session_ends_by_itself(market) {
        let token = accounts::sign_up(&market.engine, &Caller::guest(), sign_up("asha")).await.unwrap();
        market.clock.advance_ms(accounts::SESSION_MS - 1_000);
        assert!(!is_guest(&accounts::caller(&market.engine, Some(&token), None).await.unwrap()));
        market.clock.advance_ms(1_001);
        assert!(is_guest(&accounts::caller(&market.engine, Some(&token), None).await.unwrap()));
    }

    async fn drafts_come_back_without_secrets(market) {
        let typed = |p: &[(&str, &str)]| p.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
        let error = Error::field("email", FieldCode::NotEmail);
        let fields = typed(&[("name", "Asha"), ("email", "nowhere"), ("password", "secret-secret")]);
        let id = accounts::keep_draft(&market.engine, "sign_up", fields, &error).await.unwrap();
        let draft = accounts::find_draft(&market.engine, &Caller::guest(), "sign_up", id).await.unwrap().unwrap();
        assert_eq!(draft.fields, typed(&[("name", "Asha"), ("email", "nowhere")]));
        assert_eq!(draft.error, Some(error));
        assert!(accounts::find_draft(&market.engine, &Caller::guest(), "sign_in", id).await.unwrap().is_none());
        market.clock.advance_ms(2 * 3_600_000);
        assert!(accounts::find_draft(&market.engine, &Caller::guest(), "sign_up", id).await.unwrap().is_none());
    }

    async fn only_the_program_itself_makes_operators(market) {
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        for who in [Caller::guest(), asha] {
            assert!(accounts::create_operator(&market.engine, &who, sign_up("boss")).await.is_err());
        }
        accounts::create_operator(&market.engine, &Caller::system(), sign_up("boss")).await.unwrap();
        assert!(market.owner("boss").await.user().unwrap().operator);
    }
}
