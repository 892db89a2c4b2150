//! What operators see and do, and its record in the audit log.

use haat_engine::{
    Caller, accounts,
    admin::{self, Grantee},
    audit, dispatch, jobs, ledger, notifications, orders, outbox, sales, sandbox, search, shops, users,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    accounts::{SignUp, USER_SORTS},
    audit::{AdminHome, Upserted},
    ledger::CurrencyBalance,
    notifications::Channel,
    orders::ListOrders,
    page::ListRequest,
    permissions::{AdminRole, Role},
    shops::{SHOP_SORTS, ShopForm},
};

use crate::{
    both,
    notifications::{REWRITE, change},
    support::*,
};

const MEENA: &str = "meena-crafts";

both! {
    async fn failed_jobs_are_retried_or_discarded(market) {
        let engine = &market.engine;
        accounts::create_operator(engine, &Caller::system(), sign_up("operator")).await.unwrap();
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.line.cut.store(true, std::sync::atomic::Ordering::Relaxed);
        for _ in 0..13 {
            dispatch::drain(engine).await.unwrap();
            market.clock.advance_ms(3_600_000);
        }
        // They sign in half a day later.
        let operator = market.owner("operator").await;
        let dead = jobs::list(engine, &operator, "dead", "").await.unwrap().items;
        assert_eq!(dead.iter().map(|j| (j.kind.as_str(), j.attempts)).collect::<Vec<_>>(), [("refund", 12)]);
        assert!(dead[0].error.contains("cut"), "{}", dead[0].error);
        let of_dead = ListRequest { state: "dead".into(), ..ListRequest::default() };
        let table = jobs::table(engine, &operator, &of_dead).await.unwrap();
        assert_eq!((table.page.items, table.counts), (dead.clone(), vec![("dead".to_owned(), 1)]));
        jobs::discard(engine, &operator, dead[0].id).await.unwrap();
        assert_eq!(jobs::backlog(engine).await.unwrap().dead, 0);
        assert_eq!(jobs::list(engine, &operator, "discarded", "").await.unwrap().items.len(), 1);
        market.line.cut.store(false, std::sync::atomic::Ordering::Relaxed);
        dispatch::drain(engine).await.unwrap();
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 49_900, "the refund was abandoned");
        jobs::retry(engine, &operator, dead[0].id).await.unwrap();
        assert_eq!(jobs::list(engine, &operator, "queued", "").await.unwrap().items[0].attempts, 0);
        dispatch::drain(engine).await.unwrap();
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
        // Completed jobs are no longer listed.
        assert_eq!(jobs::retry(engine, &operator, dead[0].id).await, Err(Error::NotFound));
        assert!(jobs::list(engine, &operator, "", "").await.unwrap().items.is_empty());
        let refused = jobs::list(engine, &operator, "lost", "").await.unwrap_err();
        assert_eq!(refused.at("state"), Some(FieldCode::NotAChoice));

        let rows = audit::list(engine, &operator, "").await.unwrap().items;
        assert_eq!(rows.iter().find(|r| r.action == "shops::open").and_then(|r| r.about.shop_handle.as_deref()), Some("delta-electronics"));
        let products: Vec<_> = rows[..3].iter().map(|r| r.products).collect();
        assert_eq!(products, [None, None, Some(Upserted { added: 1, updated: 0 })]);
        let rows: Vec<_> = rows.iter().map(|r| (r.action.as_str(), r.note.as_str(), r.user_email.as_deref())).collect();
        let by = Some("operator@haat.example");
        assert_eq!(rows[..3], [
            ("jobs::retry", "refund", by),
            ("jobs::discard", "refund", by),
            ("catalog::upsert_products", "", None),
        ]);
        assert!(rows.contains(&("accounts::create_operator", "operator@haat.example", None)));
        assert!(rows.contains(&("shops::open", MEENA, None)));
        let messages = outbox::list(engine, &operator, false, "").await.unwrap().items;
        assert!(messages.iter().all(|f| f.dispatched_at.is_some()) && messages.iter().any(|f| f.kind == "order_cancelled"));
        for (kind, about) in [
            ("purchase_made", number.clone()),
            ("order_placed", format!("{number}-1")),
            ("refund_queued", format!("{number}-1")),
            ("order_cancelled", format!("{number}-1")),
        ] {
            let message = messages.iter().find(|f| f.kind == kind).unwrap();
            assert_eq!(message.about.number, Some(about), "{kind}");
        }
        assert!(outbox::list(engine, &operator, true, "").await.unwrap().items.is_empty());
        let two = ListRequest { limit: Some(2), ..ListRequest::default() };
        let log = audit::table(engine, &operator, &two).await.unwrap();
        assert_eq!((log.page.items.len(), log.page.next.is_some()), (2, true));
        assert_eq!(log.count(""), audit::list(engine, &operator, "").await.unwrap().items.len() as i64);
    }

    async fn work_that_is_under_way_is_left_alone(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let owner = market.owner(MEENA).await;
        dispatch::drain(engine).await.unwrap();
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        dispatch::dispatch(engine).await.unwrap();
        let system = Caller::system();
        let queued = jobs::list(engine, &system, "queued", "").await.unwrap().items;
        let job = queued.iter().find(|job| job.kind == "refund").unwrap().id;
        let line = market.line.clone();
        // A worker is waiting for a slow gateway.
        let gate = line.refunds.hold().await;
        let worker = tokio::spawn({ let engine = engine.clone(); async move { dispatch::run_due(&engine, jobs::Queue::Payments).await.unwrap() } });
        line.refunds.reached(1).await;
        assert_eq!(jobs::discard(engine, &system, job).await, Err(Conflict::InFlight.into()));
        assert_eq!(jobs::retry(engine, &system, job).await, Err(Conflict::InFlight.into()));
        drop(gate);
        worker.await.unwrap();
        assert_eq!(sandbox::captures(&engine.db).await.unwrap().kept_minor, 0);
    }

    async fn emails_that_keep_failing_or_waiting_need_attention(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let delayed = async || {
            let counted = audit::home(engine, &system).await.unwrap().delayed_emails;
            let of = ListRequest { channel: "email".into(), state: "written".into(), ..ListRequest::default() };
            let waiting = notifications::log::table(engine, &system, &of).await.unwrap().page.items;
            (counted, waiting.into_iter().map(|mail| mail.error).collect::<Vec<_>>())
        };
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        dispatch::dispatch(engine).await.unwrap();
        *market.post.road.lock().unwrap() = Road::Cut;
        for _ in 0..3 {
            assert_eq!(delayed().await.0, 0);
            assert_eq!(notifications::deliver_due(engine, Channel::Email).await.unwrap(), 2);
            market.clock.advance_ms(60_000);
        }
        let (counted, errors) = delayed().await;
        assert_eq!((counted, errors.len()), (2, 2));
        assert!(errors.iter().all(|error| error.contains("cut")), "{errors:?}");
        *market.post.road.lock().unwrap() = Road::Open;
        assert_eq!(notifications::deliver_due(engine, Channel::Email).await.unwrap(), 2);
        assert_eq!(delayed().await.0, 0);
        // No worker sends them.
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        dispatch::dispatch(engine).await.unwrap();
        market.clock.advance_ms(14 * 60_000);
        assert_eq!(delayed().await.0, 0);
        market.clock.advance_ms(2 * 60_000);
        assert_eq!(delayed().await.0, 2);
        market.settle().await;
        assert_eq!(delayed().await.0, 0);
    }

    async fn open_tasks_are_counted_and_emails_are_shown(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let home = |dead_jobs, pending_messages, failed_emails, waiting_orders| {
            AdminHome { dead_jobs, pending_messages, failed_emails, delayed_emails: 0, waiting_orders, escalated_returns: 0, open_reports: 0 }
        };
        assert_eq!(audit::home(engine, &system).await.unwrap(), home(0, 0, 0, 0));
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        assert_eq!(audit::home(engine, &system).await.unwrap(), home(0, 0, 0, 0), "not yet");
        market.clock.advance_ms(61_000);
        assert_eq!(audit::home(engine, &system).await.unwrap(), home(0, 4, 0, 0));
        let of = |state: &str| ListRequest { state: state.into(), limit: Some(3), ..ListRequest::default() };
        let table = outbox::table(engine, &system, &of("waiting")).await.unwrap();
        assert_eq!((table.page.items.len(), table.page.next.is_some(), table.counts), (3, true, vec![("waiting".to_owned(), 4)]));
        assert_eq!(outbox::table(engine, &system, &of("lost")).await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
        *market.post.road.lock().unwrap() = Road::Closed;
        dispatch::drain(engine).await.unwrap();
        market.clock.advance_ms(24 * 3_600_000);
        assert_eq!(audit::home(engine, &system).await.unwrap(), home(0, 0, 4, 2));
        *market.post.road.lock().unwrap() = Road::Open;
        let dead = failed(engine).await;
        assert_eq!(dead.len(), 4);
        let first = dead.iter().find(|m| m.kind == "purchase_made").unwrap();
        assert!(first.error.contains("no such address") && first.to == "asha@example.com", "{first:?}");
        let about = notifications::log::read(engine, &system, first.id).await.unwrap().about;
        notifications::log::resend(engine, &system, first.id).await.unwrap();
        notifications::log::resend(engine, &system, first.id).await.unwrap();
        let unknown = notifications::log::resend(engine, &system, haat_engine::random::id(0)).await;
        assert_eq!(unknown, Err(Error::NotFound));
        assert_eq!(notifications::deliver_due(engine, Channel::Email).await.unwrap(), 1, "once");
        assert_eq!(failed(engine).await.len(), 3);
        let log = audit::list(engine, &system, "").await.unwrap().items.remove(0);
        assert_eq!((log.action.as_str(), &log.note, &log.about), ("notifications::resend", &first.to, &about));
        assert!(log.about.number.is_some_and(|about| about.starts_with('H') && !about.contains('-')), "the purchase");
        change(market, &REWRITE).await;
        notifications::deliver_due(engine, Channel::Email).await.unwrap();
        orders::cancel(engine, &market.owner(MEENA).await, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.line.cut.store(true, std::sync::atomic::Ordering::Relaxed);
        for _ in 0..13 {
            dispatch::drain(engine).await.unwrap();
            market.clock.advance_ms(3_600_000);
        }
        assert_eq!(audit::home(engine, &system).await.unwrap(), home(1, 0, 0, 1));
        market.line.cut.store(false, std::sync::atomic::Ordering::Relaxed);
        let dead = jobs::list(engine, &system, "dead", "").await.unwrap().items[0].id;
        jobs::retry(engine, &system, dead).await.unwrap();

        let table = outbox::table(engine, &system, &of("")).await.unwrap();
        assert_eq!((table.count("waiting"), table.count("dispatched") > 4), (0, true));
    }

    async fn the_market_is_compared_with_the_period_before(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let cable = market.product("delta-electronics", "Cable", 9_900, 9).await;
        let before = sales::of_market(engine, &system).await.unwrap();
        assert_eq!((before.days.len(), before.now.orders, before.now.joined, before.latest.len()), (30, 0, 2, 0));
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.clock.advance_ms(40 * 24 * 3_600_000);
        market.signed_up(&Caller::guest(), "asha").await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1), (cable, 2)]).await).await.unwrap();
        let cancelled = market.buy_in_cash(&market.guest_with(&[(cable, 1)]).await).await.unwrap();
        let delta = market.owner("delta-electronics").await;
        orders::cancel(engine, &delta, "delta-electronics", &format!("{cancelled}-1"), "No").await.unwrap();
        let home = sales::of_market(engine, &system).await.unwrap();
        let all = orders::list_all(engine, &system, ListOrders::default()).await.unwrap().items;
        let sold = |number: &str| -> i64 {
            all.iter().filter(|order| order.number.starts_with(number)).map(|order| order.total.amount()).sum()
        };
        let total: i64 = all.iter().map(|order| order.total.amount()).sum();
        let (now, kept) = (home.now, sold(&number));
        assert_eq!((now.sold.amount(), now.orders, now.joined), (kept + sold(&cancelled), 3, 1), "of both shops");
        assert_eq!(now.net.amount(), kept, "without what was cancelled");
        assert_eq!(home.days[29], home.now, "all of it today");
        assert_eq!(home.before.sold.amount(), total - sold(&number) - sold(&cancelled));
        assert_eq!((home.before.orders, home.before.joined), (1, 2));
        assert_eq!(home.latest, all, "the cancelled one too");
        for (role, sees_users) in [(AdminRole::Finance, false), (AdminRole::Support, true)] {
            market.signed_up(&Caller::guest(), role.as_str()).await;
            admin::grant_role(engine, &system, Grantee::Email(format!("{}@haat.example", role.as_str())), role).await.unwrap();
            let home = sales::of_market(engine, &market.owner(role.as_str()).await).await.unwrap();
            assert_eq!((home.now.orders, home.now.joined > 0), (3, sees_users), "{role:?}");
        }
        assert_eq!(sales::of_market(engine, &delta).await.err(), Some(Error::NotFound));
    }

    async fn admins_search_the_market_as_far_as_their_role_goes(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        market.signed_up(&Caller::guest(), "asha").await;
        let found = async |caller: &Caller, q: &str| {
            let found = search::of_market(engine, caller, q).await.unwrap();
            [found.orders.len(), found.users.len(), found.shops.len()]
        };
        assert_eq!(found(&system, &number.to_lowercase()).await, [1, 0, 0]);
        assert_eq!(found(&system, "asha").await, [1, 1, 0], "the buyer and the user");
        assert_eq!(found(&system, "meena").await, [0, 1, 1]);
        let before = engine.db.counts().0;
        assert_eq!(found(&system, " a ").await, [0, 0, 0]);
        assert_eq!(engine.db.counts().0, before, "too few characters are not searched for");
        for (role, sees) in [(AdminRole::Finance, [1, 0, 0]), (AdminRole::Support, [1, 1, 0]), (AdminRole::Catalog, [0, 0, 0])] {
            market.signed_up(&Caller::guest(), role.as_str()).await;
            admin::grant_role(engine, &system, Grantee::Email(format!("{}@haat.example", role.as_str())), role).await.unwrap();
            assert_eq!(found(&market.owner(role.as_str()).await, "asha").await, sees, "{role:?}");
        }
        for (who, refused) in [(Caller::guest(), Error::SignInNeeded), (market.owner(MEENA).await, Error::NotFound)] {
            assert_eq!(search::of_market(engine, &who, "asha").await.err(), Some(refused));
        }
    }

    async fn users_are_found_by_name_and_filtered_by_kind(market) {
        let engine = &market.engine;
        let system = Caller::system();
        market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let form = SignUp { name: "Élodie Ørsted".into(), ..sign_up("elodie") };
        accounts::create(engine, &system, form).await.unwrap();
        accounts::create_operator(engine, &system, sign_up("boss")).await.unwrap();
        // An admin who also has a shop is found as both.
        admin::grant_role(engine, &system, Grantee::Email(format!("{MEENA}@haat.example")), AdminRole::Orders).await.unwrap();
        let found = async |q: &str, kind: &str| {
            let ask = ListRequest { q: q.into(), state: kind.into(), sort: "email".into(), ..ListRequest::default() };
            let table = accounts::table(engine, &system, &ask).await.unwrap();
            let mut counts = table.counts;
            counts.sort();
            (table.page.items.into_iter().map(|user| user.name).collect::<Vec<_>>(), counts)
        };
        for q in ["élodie", "ØRSTED elodie@", "elodie@haat.example"] {
            assert_eq!(found(q, "").await, (vec!["Élodie Ørsted".to_owned()], vec![("customer".to_owned(), 1)]), "{q}");
        }
        let counts = ["admin", "admin seller", "customer", "seller"].map(|kinds| (kinds.to_owned(), 1)).to_vec();
        for (kind, names) in [
            ("", vec!["boss", "delta-electronics", "Élodie Ørsted", MEENA]),
            ("admin", vec!["boss", MEENA]),
            ("seller", vec!["delta-electronics", MEENA]),
            ("customer", vec!["Élodie Ørsted"]),
        ] {
            assert_eq!(found("", kind).await, (names.iter().map(|name| (*name).to_owned()).collect(), counts.clone()), "{kind}");
        }
        let wrong = ListRequest { state: "guest".into(), ..ListRequest::default() };
        assert_eq!(accounts::table(engine, &system, &wrong).await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
        market.signed_up(&Caller::guest(), "asha").await;
        assert_eq!(found("ASHA", "customer").await.0, ["asha"]);
    }

    async fn shops_are_found_by_name_and_owner_and_filtered_by_what_they_sell(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let owner = market.owner(MEENA).await;
        market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        let form = ShopForm { name: "Ünique Bowls".into(), town: "Pune".into(), ..settings.form };
        shops::save_settings(engine, &owner, MEENA, settings.version, &form).await.unwrap();
        let found = async |q: &str, stage: &str| {
            let ask = ListRequest { q: q.into(), state: stage.into(), ..ListRequest::default() };
            let table = shops::table_of_all(engine, &system, &ask).await.unwrap();
            let total = table.count(stage);
            (table.page.items.into_iter().map(|shop| shop.handle).collect::<Vec<_>>(), total)
        };
        for q in ["ÜNIQUE", "bowls", "MEENA", "meena-crafts@haat"] {
            assert_eq!(found(q, "").await, (vec![MEENA.to_owned()], 1), "{q}");
        }
        assert_eq!(found("", "selling").await, (vec![MEENA.to_owned()], 1));
        assert_eq!(found("", "empty").await, (vec!["delta-electronics".to_owned()], 1));
        let wrong = ListRequest { state: "open".into(), ..ListRequest::default() };
        assert_eq!(shops::table_of_all(engine, &system, &wrong).await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
    }

    async fn a_user_and_a_shop_are_shown_as_far_as_the_role_goes(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let cable = market.product("delta-electronics", "Cable", 9_900, 9).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1), (cable, 1)]).await, "asha").await;
        let own = market.buy_in_cash(&asha).await.unwrap();
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let mut admins = Vec::new();
        for role in [AdminRole::ReadOnly, AdminRole::Support, AdminRole::Catalog] {
            let name = role.as_str().replace('_', "-");
            market.signed_up(&Caller::guest(), &name).await;
            admin::grant_role(engine, &system, Grantee::Email(format!("{name}@haat.example")), role).await.unwrap();
            admins.push(market.owner(&name).await);
        }
        let [reads, support, catalog] = admins.try_into().unwrap();

        let user = users::user(engine, &system, asha.user_id().unwrap()).await.unwrap();
        assert_eq!((user.user.email.as_str(), user.user.purchases, user.roles.len()), ("asha@haat.example", 1, 0));
        let mut numbers: Vec<_> = user.latest.unwrap().into_iter().map(|order| order.number).collect();
        numbers.sort();
        assert_eq!(numbers, [format!("{own}-1"), format!("{own}-2")], "not the guest's");
        let of_asha = ListOrders { customer: asha.user_id(), ..ListOrders::default() };
        assert_eq!(orders::table_of_all(engine, &system, of_asha.clone()).await.unwrap().count(""), 2);
        let meena = market.owner(MEENA).await;
        assert_eq!(orders::seller_table(engine, &meena, MEENA, of_asha).await.unwrap().count(""), 2, "a shop can't ask for it");
        let user = users::user(engine, &reads, meena.user_id().unwrap()).await.unwrap();
        assert_eq!(user.shops.iter().map(|shop| (shop.handle.as_str(), shop.role)).collect::<Vec<_>>(), [(MEENA, Role::Owner)]);
        let user = users::user(engine, &reads, reads.user_id().unwrap()).await.unwrap();
        assert_eq!((user.roles, user.latest.unwrap().len()), (vec![AdminRole::ReadOnly], 0));
        let user = users::user(engine, &support, reads.user_id().unwrap()).await.unwrap();
        assert!(user.user.admin && user.roles.is_empty(), "roles are for those who see the team");
        assert_eq!(users::user(engine, &catalog, asha.user_id().unwrap()).await.err(), Some(Error::Denied));
        assert_eq!(users::user(engine, &system, haat_engine::random::id(0)).await.err(), Some(Error::NotFound));

        let shop = shops::any_shop(engine, &reads, MEENA).await.unwrap();
        assert_eq!((shop.shop.products, shop.unpublished, shop.shop.owner_email.as_str()), (1, 0, "meena-crafts@haat.example"));
        assert_eq!((shop.orders.as_ref().unwrap().count("placed"), shop.orders.unwrap().page.items.len()), (2, 2));
        assert_eq!(shop.staff.iter().map(|member| (member.name.as_str(), member.role)).collect::<Vec<_>>(), [(MEENA, Role::Owner)]);
        let own = ledger::balance(engine, &meena, MEENA, "").await.unwrap();
        assert_eq!(shop.balances.unwrap(), [CurrencyBalance { pending: own.pending, available: own.available, in_transit: own.in_transit, disputed: own.disputed }]);
        let shop = shops::any_shop(engine, &support, MEENA).await.unwrap();
        assert!(shop.balances.is_none() && shop.orders.is_some() && shop.staff.len() == 1);
        let shop = shops::any_shop(engine, &catalog, MEENA).await.unwrap();
        assert!(shop.balances.is_none() && shop.orders.is_none() && shop.staff.is_empty());
        assert_eq!(shops::any_shop(engine, &system, "no-such-shop").await.err(), Some(Error::NotFound));
        for (who, refused) in [(Caller::guest(), Error::SignInNeeded), (asha.clone(), Error::NotFound), (meena, Error::NotFound)] {
            assert_eq!(shops::any_shop(engine, &who, MEENA).await.err(), Some(refused.clone()));
            assert_eq!(users::user(engine, &who, asha.user_id().unwrap()).await.err(), Some(refused));
        }
    }

    async fn the_operator_sees_all_shops_and_users_and_nobody_else_does(market) {
        let engine = &market.engine;
        market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let system = Caller::system();
        let all = shops::list_all(engine, &system, "", "").await.unwrap().items;
        assert_eq!(all.iter().map(|s| s.handle.as_str()).collect::<Vec<_>>(), ["delta-electronics", MEENA]);
        assert_eq!((all[1].owner_email.as_str(), all[1].products), ("meena-crafts@haat.example", 1));
        assert_eq!(shops::list_all(engine, &system, "DELTA", "").await.unwrap().items.len(), 1);
        let users = accounts::list(engine, &system, "", "").await.unwrap().items;
        assert_eq!(users.iter().map(|u| (u.name.as_str(), u.shops)).collect::<Vec<_>>(), [
            ("asha", 0), ("delta-electronics", 1), (MEENA, 1),
        ]);
        assert_eq!(accounts::list(engine, &system, "asha@", "").await.unwrap().items.len(), 1);
        // Sorted either way, in pages of one, with the total.
        for sort in SHOP_SORTS {
            let (mut seen, mut ask) = (Vec::new(), ListRequest { sort: sort.into(), limit: Some(1), ..ListRequest::default() });
            loop {
                let table = shops::table_of_all(engine, &system, &ask).await.unwrap();
                assert_eq!(table.count(""), 2, "{sort}");
                seen.extend(table.page.items.into_iter().map(|shop| shop.handle));
                let Some(next) = table.page.next else { break };
                ask.after = next;
            }
            let delta_first = ["-created", "handle"].contains(&sort);
            assert_eq!(seen, if delta_first { ["delta-electronics", MEENA] } else { [MEENA, "delta-electronics"] }, "{sort}");
        }
        for sort in USER_SORTS {
            let (mut seen, mut ask) = (Vec::new(), ListRequest { sort: sort.into(), limit: Some(1), ..ListRequest::default() });
            loop {
                let table = accounts::table(engine, &system, &ask).await.unwrap();
                assert_eq!(table.count(""), 3, "{sort}");
                seen.extend(table.page.items.into_iter().map(|user| user.name));
                let Some(next) = table.page.next else { break };
                ask.after = next;
            }
            let asha_first = ["-joined", "email"].contains(&sort);
            assert_eq!(seen, if asha_first { ["asha", "delta-electronics", MEENA] } else { [MEENA, "delta-electronics", "asha"] }, "{sort}");
        }
        let found = ListRequest { q: "asha@".into(), ..ListRequest::default() };
        assert_eq!(accounts::table(engine, &system, &found).await.unwrap().count(""), 1);
        for (sort, after, fault) in [("name", "", ("sort", FieldCode::NotAChoice)), ("", "asha", ("after", FieldCode::BadCursor))] {
            let ask = ListRequest { sort: sort.into(), after: after.into(), ..ListRequest::default() };
            assert_eq!(shops::table_of_all(engine, &system, &ask).await.unwrap_err().at(fault.0), Some(fault.1));
            assert_eq!(accounts::table(engine, &system, &ask).await.unwrap_err().at(fault.0), Some(fault.1));
        }
        let id = haat_engine::random::id(0);
        for (who, refused) in [(Caller::guest(), Error::SignInNeeded), (asha, Error::NotFound), (market.owner(MEENA).await, Error::NotFound)] {
            let any = ListRequest::default();
            assert_eq!(shops::list_all(engine, &who, "", "").await.err(), Some(refused.clone()));
            assert_eq!(shops::table_of_all(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(accounts::table(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(jobs::table(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(outbox::table(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(notifications::log::table(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(audit::table(engine, &who, &any).await.err(), Some(refused.clone()));
            assert_eq!(accounts::list(engine, &who, "", "").await.err(), Some(refused.clone()));
            assert_eq!(jobs::list(engine, &who, "", "").await.err(), Some(refused.clone()));
            assert_eq!(jobs::retry(engine, &who, id).await.err(), Some(refused.clone()));
            assert_eq!(jobs::discard(engine, &who, id).await.err(), Some(refused.clone()));
            assert_eq!(outbox::list(engine, &who, false, "").await.err(), Some(refused.clone()));
            assert_eq!(audit::home(engine, &who).await.err(), Some(refused.clone()));
            assert_eq!(notifications::log::resend(engine, &who, haat_engine::random::id(0)).await.err(), Some(refused.clone()));
            assert_eq!(notifications::log::read(engine, &who, haat_engine::random::id(0)).await.err(), Some(refused.clone()));
            assert_eq!(audit::list(engine, &who, "").await.err(), Some(refused));
        }
    }
}
