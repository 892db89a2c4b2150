//! The roles of admins.

use haat_engine::{
    Caller, Engine, accounts,
    admin::{self, Grantee},
    audit, catalog, events, jobs, media, notifications, orders, outbox, sales, search, shops, users,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    id::kinds::UserId,
    media::Purpose,
    page::ListRequest,
    permissions::AdminRole::{self, *},
};

use crate::{both, races::at_once, support::*};

const EMAIL: fn(&str) -> Grantee = |name| Grantee::Email(format!(" {}@HAAT.example", name.to_uppercase()));

/// An owner of the market.
async fn owner(market: &Market, name: &str) -> Caller {
    accounts::create_operator(&market.engine, &Caller::system(), sign_up(name)).await.unwrap();
    market.owner(name).await
}

fn id_of(caller: &Caller) -> UserId {
    caller.user_id().unwrap()
}

fn roles_of(caller: &Caller) -> &[AdminRole] {
    &caller.user().unwrap().admin_roles
}

/// What an admin sees and does, by name.
async fn outcomes(engine: &Engine, caller: &Caller) -> Vec<(&'static str, Result<()>)> {
    let none = haat_engine::random::id(0);
    let categories = catalog::put_categories(engine, caller, Vec::new());
    vec![
        ("home", audit::home(engine, caller).await.map(drop)),
        ("search", search::of_market(engine, caller, "clay").await.map(drop)),
        ("figures", sales::of_market(engine, caller).await.map(drop)),
        ("orders", orders::list_all(engine, caller, Default::default()).await.map(drop)),
        ("order", orders::any_order(engine, caller, "H0-1").await.map(drop)),
        ("events", events::of_market(engine, caller, None, None).await.map(drop)),
        ("shops", shops::list_all(engine, caller, "", "").await.map(drop)),
        ("shop", shops::any_shop(engine, caller, "no-such-shop").await.map(drop)),
        ("categories", categories.await),
        ("pictures", media::add(engine, caller, Purpose::CategoryPicture, None, Vec::new()).await.map(drop)),
        ("users", accounts::list(engine, caller, "", "").await.map(drop)),
        ("user", users::user(engine, caller, haat_engine::random::id(0)).await.map(drop)),
        ("accounts", accounts::create(engine, caller, Default::default()).await.map(drop)),
        ("jobs", jobs::list(engine, caller, "", "").await.map(drop)),
        ("outbox", outbox::list(engine, caller, false, "").await.map(drop)),
        ("retry", jobs::retry(engine, caller, none).await),
        ("discard", jobs::discard(engine, caller, none).await),
        ("emails", notifications::log::table(engine, caller, &ListRequest::default()).await.map(drop)),
        ("resend", notifications::log::resend(engine, caller, haat_engine::random::id(0)).await),
        ("audit", audit::list(engine, caller, "").await.map(drop)),
        ("team", admin::team(engine, caller).await.map(drop)),
        ("grant", admin::grant_role(engine, caller, Grantee::Id(haat_engine::random::id(0)), Orders).await),
        ("revoke", admin::revoke_role(engine, caller, haat_engine::random::id(0), Orders).await),
    ]
}

both! {
    async fn owners_grant_and_revoke_roles(market) {
        let engine = &market.engine;
        let boss = owner(market, "boss").await;
        assert_eq!(roles_of(&boss), [Owner]);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        assert_eq!(admin::team(engine, &asha).await, Err(Error::NotFound), "to others there is no team");
        admin::grant_role(engine, &boss, EMAIL("asha"), Support).await.unwrap();
        market.clock.advance_ms(10);
        admin::grant_role(engine, &boss, Grantee::Id(id_of(&asha)), Finance).await.unwrap();
        admin::grant_role(engine, &boss, EMAIL("asha"), Finance).await.unwrap();
        let asha = market.owner("asha").await;
        assert_eq!(roles_of(&asha), [Finance, Support]);
        assert_eq!(accounts::me(engine, &asha).await.unwrap().unwrap().admin_roles, [Finance, Support]);

        let team = admin::team(engine, &boss).await.unwrap();
        let shown = team.iter().flat_map(|m| m.roles.iter().map(|r| (m.name.as_str(), r.role, r.granted_by.as_deref())));
        let by = Some("boss@haat.example");
        assert_eq!(shown.collect::<Vec<_>>(), [("asha", Finance, by), ("asha", Support, by), ("boss", Owner, None)]);
        let admins = accounts::list(engine, &boss, "", "").await.unwrap().items;
        let admins: Vec<_> = admins.iter().filter(|user| user.admin).map(|user| user.name.as_str()).collect();
        assert_eq!(admins, ["asha", "boss"]);

        market.clock.advance_ms(10);
        admin::revoke_role(engine, &boss, id_of(&asha), Support).await.unwrap();
        assert_eq!(admin::revoke_role(engine, &boss, id_of(&asha), Support).await, Err(Error::NotFound));
        assert_eq!(roles_of(&market.owner("asha").await), [Finance]);
        let audited = audit::list(engine, &boss, "").await.unwrap().items;
        let audited: Vec<_> = audited.iter().filter(|row| row.action.starts_with("admin::")).map(|row| {
            assert_eq!((row.subject.as_str(), row.user_email.as_deref()), (id_of(&asha).uuid().to_string().as_str(), by));
            (row.action.as_str(), row.note.as_str())
        }).collect();
        assert_eq!(audited, [
            ("admin::revoke_role", "support asha@haat.example"),
            ("admin::grant_role", "finance asha@haat.example"),
            ("admin::grant_role", "support asha@haat.example"),
        ]);

        let unknown = admin::grant_role(engine, &boss, EMAIL("nobody"), Orders).await;
        assert_eq!(unknown, Err(Error::field("email", FieldCode::UnknownUser)));
        let missing = admin::grant_role(engine, &boss, Grantee::Email(String::new()), Orders).await;
        assert_eq!(missing, Err(Error::field("email", FieldCode::Missing)));
        let none = Grantee::Id(haat_engine::random::id(0));
        assert_eq!(admin::grant_role(engine, &boss, none, Orders).await, Err(Error::NotFound));
    }

    async fn the_last_owner_stays(market) {
        let engine = &market.engine;
        let boss = owner(market, "boss").await;
        let last = Err(Conflict::LastOwner.into());
        assert_eq!(admin::revoke_role(engine, &boss, id_of(&boss), Owner).await, last, "not even by themselves");
        assert_eq!(admin::revoke_role(engine, &Caller::system(), id_of(&boss), Owner).await, last);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        assert_eq!(admin::revoke_role(engine, &boss, id_of(&asha), Owner).await, Err(Error::NotFound));
        admin::grant_role(engine, &boss, EMAIL("asha"), Owner).await.unwrap();
        let asha = market.owner("asha").await;
        admin::revoke_role(engine, &boss, id_of(&boss), Owner).await.unwrap();
        assert_eq!(admin::revoke_role(engine, &asha, id_of(&asha), Owner).await, last);
        assert_eq!(roles_of(&market.owner("asha").await), [Owner]);
        assert_eq!(roles_of(&market.owner("boss").await), []);
    }

    async fn two_owners_cannot_revoke_each_other(market) {
        let both = [owner(market, "boss").await, owner(market, "asha").await];
        let revoke = |by: usize| {
            let (engine, caller, user) = (market.engine.clone(), both[by].clone(), id_of(&both[1 - by]));
            async move { admin::revoke_role(&engine, &caller, user, Owner).await }
        };
        let done = at_once(vec![revoke(0), revoke(1)]).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert!(done.contains(&Err(Conflict::LastOwner.into())), "{done:?}");
    }

    async fn a_role_shows_and_does_what_the_table_says(market) {
        let engine = &market.engine;
        let boss = owner(market, "boss").await;
        for (role, allowed) in [
            (Owner, "home search figures orders order events shops shop categories pictures users user accounts jobs outbox retry discard emails resend audit team grant revoke"),
            (Catalog, "home search shops shop categories pictures"),
            (Orders, "home search figures orders order events shops shop"),
            (Finance, "home search figures orders order events shops shop jobs outbox retry discard audit"),
            (Support, "home search figures orders order events shops shop users user emails resend"),
            (ReadOnly, "home search figures orders order events shops shop users user jobs outbox emails audit team"),
        ] {
            let name = role.as_str().replace('_', "-");
            market.signed_up(&Caller::guest(), &name).await;
            admin::grant_role(engine, &boss, EMAIL(&name), role).await.unwrap();
            let outcomes = outcomes(engine, &market.owner(&name).await).await;
            let denied: Vec<_> = outcomes.iter().filter(|(_, done)| *done == Err(Error::Denied)).map(|(what, _)| *what).collect();
            let rest: Vec<_> = outcomes.iter().map(|(what, _)| *what).filter(|what| !denied.contains(what)).collect();
            assert_eq!(rest.join(" "), allowed, "{role:?}");
        }
        // A role of the market is none in a shop.
        let refused = orders::seller_list(engine, &boss, "meena-crafts", Default::default()).await;
        assert_eq!(refused.err(), Some(Error::NotFound));
    }
}
