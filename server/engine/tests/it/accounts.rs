use std::collections::BTreeMap;

use haat_engine::{Caller, accounts, db::Scalar, dispatch, notifications::mailbox, params, statements};
use haat_shared::{
    Error, FieldCode,
    accounts::{SignIn, SignUp},
    id::kinds::SignUpId,
};

use crate::{both, support::*};

statements! {
    AGE = "UPDATE users SET email_folded = 'asha@bücher.example' WHERE email_folded = 'asha@xn--bcher-kva.example'";
    LOCALE = "SELECT locale AS value FROM users WHERE id = $1";
}

both! {
    async fn a_language_is_kept_with_the_account(market) {
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        asha.locale = "hi";
        accounts::keep_locale(&market.engine, &asha).await.unwrap();
        accounts::keep_locale(&market.engine, &Caller::guest()).await.unwrap();
        let kept: Scalar<String> = market.engine.db.one(&LOCALE, params![asha.user_id()]).await.unwrap();
        assert_eq!(kept.0, "hi");
        // The browser's language isn't a choice; a language selected before signing in is.
        for (locale_chosen, expected) in [(false, "hi"), (true, "en")] {
            let guest = Caller { locale: "en", locale_chosen, ..Caller::guest() };
            let form = SignIn { email: "asha@haat.example".into(), password: PASSWORD.into() };
            accounts::sign_in(&market.engine, &guest, form).await.unwrap();
            let kept: Scalar<String> = market.engine.db.one(&LOCALE, params![asha.user_id()]).await.unwrap();
            assert_eq!(kept.0, expected);
        }
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
        assert_ne!(second, token, "each sign-in has its own token");
    }

    async fn an_account_is_one_however_its_address_is_written(market) {
        let engine = &market.engine;
        let with = |email: &str| haat_shared::accounts::SignUp { email: email.into(), ..sign_up("asha") };
        accounts::sign_up(engine, &Caller::guest(), with("Asha@bücher.example")).await.unwrap();
        for same in [
            "asha@xn--bcher-kva.example",
            "as\u{200b}ha@bücher.example",
            "\u{202a}asha@BÜCHER.example\u{202c}",
            "asha@bu\u{308}cher.example",
            "asha＠xn--bcher-kva.EXAMPLE",
        ] {
            let refused = accounts::sign_up(engine, &Caller::guest(), with(same)).await;
            assert_eq!(refused, Err(Error::field("email", FieldCode::Taken)), "{same:?}");
            let form = SignIn { email: same.into(), password: PASSWORD.into() };
            assert!(accounts::sign_in(engine, &Caller::guest(), form).await.is_ok(), "{same:?}");
            let q = haat_shared::text::clip(same, 100);
            let found = accounts::list(engine, &Caller::system(), &q, "").await.unwrap();
            assert_eq!(found.items[0].email, "Asha@xn--bcher-kva.example", "{same:?}");
        }
        for bad in ["as..ha@example.com", ".asha@example.com", "asha@192.0.2.1", "Asha <asha@example.com>"] {
            let refused = accounts::sign_up(engine, &Caller::guest(), with(bad)).await;
            assert_eq!(refused, Err(Error::field("email", FieldCode::NotEmail)), "{bad}");
        }
        // Accounts created before hosts were stored in ASCII can still sign in.
        let aged = engine.db.write("t", (), |tx, ()| Box::pin(async move { Ok(tx.exec(&AGE, params![]).await?) }));
        assert_eq!(aged.await.unwrap(), 1);
        let form = SignIn { email: "asha@BÜCHER.example".into(), password: PASSWORD.into() };
        assert!(accounts::sign_in(engine, &Caller::guest(), form).await.is_ok());
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
        let id = accounts::keep_draft(&market.engine, "sign_up", fields, Some(&error)).await.unwrap();
        let draft = accounts::find_draft(&market.engine, &Caller::guest(), "sign_up", id).await.unwrap().unwrap();
        assert_eq!(draft.fields, typed(&[("name", "Asha"), ("email", "nowhere")]));
        assert_eq!(draft.error, Some(error));
        assert!(accounts::find_draft(&market.engine, &Caller::guest(), "sign_in", id).await.unwrap().is_none());
        market.clock.advance_ms(2 * 3_600_000);
        assert!(accounts::find_draft(&market.engine, &Caller::guest(), "sign_up", id).await.unwrap().is_none());
    }

    async fn attack_sign_up_tells_nobody_who_has_an_account(market) {
        let engine = &market.engine;
        let guest = Caller::guest();
        let statements = async |name: &str| {
            let before = engine.db.counts().0;
            accounts::sign_ups::ask(engine, &guest, sign_up(name)).await.unwrap();
            engine.db.counts().0 - before
        };
        // The same response, after the same number of statements.
        assert_eq!(statements("asha").await, statements("meena-crafts").await);
        dispatch::drain(engine).await.unwrap();
        let mut received = Vec::new();
        for mail in mailbox::latest(&engine.db).await.unwrap() {
            received.push(mailbox::find(&engine.db, mail.id).await.unwrap());
        }
        let email_to = |to: &str| received.iter().find(|mail| mail.to == sign_up(to).email).unwrap();
        assert_eq!(email_to("meena-crafts").subject, "exists meena-crafts");
        assert_eq!(email_to("meena-crafts").text, "http://localhost:1 ");
        assert_eq!(email_to("asha").subject, "confirm asha");
        let (id, token) = link_in(&email_to("asha").text);
        let id: SignUpId = id.parse().unwrap();
        let credentials = || SignIn { email: sign_up("asha").email, password: PASSWORD.into() };
        assert!(accounts::sign_in(engine, &guest, credentials()).await.is_err());
        for wrong in ["", "x"] {
            assert_eq!(accounts::sign_ups::confirm(engine, &guest, id, wrong).await, Err(Error::NotFound));
        }
        for _ in 0..2 {
            accounts::sign_ups::confirm(engine, &guest, id, token).await.unwrap();
        }
        let found = accounts::list(engine, &Caller::system(), "ASHA", "").await.unwrap().items;
        assert_eq!(found.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["asha"]);
        accounts::sign_in(engine, &guest, credentials()).await.unwrap();
        // An existing account keeps its password: the link that would change it is never sent.
        accounts::sign_ups::ask(engine, &guest, SignUp { password: "another-password".into(), ..sign_up("asha") }).await.unwrap();
        dispatch::drain(engine).await.unwrap();
        accounts::sign_in(engine, &guest, credentials()).await.unwrap();
        // An expired link creates no account.
        accounts::sign_ups::ask(engine, &guest, sign_up("ravi")).await.unwrap();
        dispatch::drain(engine).await.unwrap();
        let mails = mailbox::latest(&engine.db).await.unwrap();
        let mail = mails.iter().find(|mail| mail.recipient == sign_up("ravi").email).unwrap();
        let text = mailbox::find(&engine.db, mail.id).await.unwrap().text;
        let (id, token) = link_in(&text);
        market.clock.advance_ms(accounts::sign_ups::CONFIRM_MS + 1);
        let late = accounts::sign_ups::confirm(engine, &guest, id.parse().unwrap(), token).await;
        assert_eq!(late, Err(Error::NotFound));
        accounts::purge(engine).await.unwrap();
    }

    async fn nobody_makes_an_operator_of_themselves(market) {
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        for who in [Caller::guest(), asha] {
            assert!(accounts::create_operator(&market.engine, &who, sign_up("boss")).await.is_err());
        }
        accounts::create_operator(&market.engine, &Caller::system(), sign_up("boss")).await.unwrap();
        let boss = market.owner("boss").await;
        assert_eq!(boss.user().unwrap().admin_roles, [haat_shared::permissions::AdminRole::Owner]);
    }
}
