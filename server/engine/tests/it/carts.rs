use haat_engine::{Caller, accounts, carts, checkout, orders, random};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Id,
    carts::{AddLine, SetQuantity, quantity_field},
    checkout::{CheckoutState, CheckoutUpdate},
    pricing::Totals,
};

use crate::{
    both,
    support::{form as form_of, *},
};

both! {
    async fn a_guests_cart_joins_the_accounts(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        // A new account has no cart yet, so the guest's cart becomes its own.
        let guest = market.guest_with(&[(bowl, 2)]).await;
        let mut asha = market.signed_up(&guest, "asha").await;
        assert_eq!(carts::view(&market.engine, &asha).await.unwrap().item_count, 2);
        assert!(carts::view(&market.engine, &guest).await.unwrap().is_empty(), "the token is no longer valid");
        // At sign-in, the account has a cart: the two are merged, adding up the same variants.
        let other = market.guest_with(&[(bowl, 1), (lamp, 3)]).await;
        let form = haat_shared::accounts::SignIn { email: "asha@haat.example".into(), password: PASSWORD.into() };
        let token = accounts::sign_in(&market.engine, &other, form).await.unwrap();
        asha = accounts::caller(&market.engine, Some(&token), None).await.unwrap();
        let cart = carts::view(&market.engine, &asha).await.unwrap();
        let mut lines: Vec<_> = cart.groups.iter().flat_map(|g| &g.lines).map(|l| (l.title.as_str(), l.quantity)).collect();
        lines.sort_unstable();
        assert_eq!(lines, [("Clay bowl", 3), ("Desk lamp", 3)]);
        assert!(carts::view(&market.engine, &other).await.unwrap().is_empty());
    }

    async fn quantities_capped_when_carts_are_merged_are_reported(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 1_000).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 1_000).await;
        market.signed_up(&market.guest_with(&[(bowl, 998), (lamp, 1)]).await, "asha").await;
        let guest = market.guest_with(&[(bowl, 2), (lamp, 998)]).await;
        let form = haat_shared::accounts::SignIn { email: "asha@haat.example".into(), password: PASSWORD.into() };
        let token = accounts::sign_in(engine, &guest, form).await.unwrap();
        let asha = accounts::caller(engine, Some(&token), None).await.unwrap();
        let cart = carts::view(engine, &asha).await.unwrap();
        let mut lines: Vec<_> = cart.groups.iter().flat_map(|g| &g.lines).collect();
        lines.sort_by_key(|line| line.title.clone());
        let seen: Vec<_> = lines.iter().map(|l| (l.title.as_str(), l.quantity, l.capped)).collect();
        assert_eq!(seen, [("Clay bowl", 999, true), ("Desk lamp", 999, false)]);
        // Changing the quantity acknowledges the notice.
        let set = SetQuantity { line: lines[0].id, quantity: "5".into() };
        let cart = carts::set_quantity(engine, &asha, set).await.unwrap();
        assert!(cart.groups.iter().flat_map(|g| &g.lines).all(|l| !l.capped));
    }

    /// Signing in during checkout continues it, whether or not the account had a cart.
    async fn a_checkout_goes_on_after_signing_in(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 1).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        market.signed_up(&market.guest_with(&[(lamp, 1)]).await, "asha").await;
        // The last one in stock: the guest's hold must not block the account's.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let typed = CheckoutUpdate { line1: "12 Lake Road".into(), ..Default::default() };
        checkout::update(engine, &guest, id, typed).await.unwrap();
        let form = haat_shared::accounts::SignIn { email: "asha@haat.example".into(), password: PASSWORD.into() };
        let token = accounts::sign_in(engine, &guest, form).await.unwrap();
        let asha = accounts::caller(engine, Some(&token), None).await.unwrap();
        let seen = checkout::view(engine, &asha, id).await.unwrap();
        assert_eq!(seen.state, CheckoutState::Open);
        assert_eq!((seen.form.line1.as_str(), seen.form.email.as_str()), ("12 Lake Road", "asha@haat.example"));
        assert_eq!(checkout::view(engine, &guest, id).await, Err(Error::NotFound), "it belongs to the account now");
        let anew = checkout::begin(engine, &asha).await.unwrap();
        assert_ne!(anew, id, "a new checkout with the whole cart");
        let seen = checkout::view(engine, &asha, anew).await.unwrap();
        assert_eq!((seen.groups.len(), seen.form.line1.as_str()), (2, "12 Lake Road"));
        let next = checkout::pay(engine, &asha, anew, form_of("cash"), 1, &seen.key).await.unwrap();
        let bought = orders::history(engine, &asha, "").await.unwrap();
        assert_eq!(bought.items.iter().map(|p| p.number.clone()).collect::<Vec<_>>(), [number_of(&next)]);
    }

    async fn an_empty_cart_is_opened_and_is_its_holders_alone(market) {
        let engine = &market.engine;
        let opened = carts::open(engine, &Caller::guest()).await.unwrap();
        let id = opened.view.id.unwrap();
        let mut guest = Caller::guest();
        guest.cart = opened.token.as_deref().map(haat_engine::random::token_hash);
        assert!(carts::by_id(engine, &guest, id).await.unwrap().is_empty());
        let again = carts::open(engine, &guest).await.unwrap();
        assert_eq!((again.view.id, again.token), (Some(id), None));
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        market.add(&mut guest, bowl, 2).await.unwrap();
        assert_eq!(carts::by_id(engine, &guest, id).await.unwrap().item_count, 2);
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let opens = futures::future::join_all((0..4).map(|_| carts::open(engine, &asha))).await;
        let ids: std::collections::HashSet<_> = opens.into_iter().map(|o| o.unwrap().view.id).collect();
        assert_eq!(ids.len(), 1, "a user has one");
        for stranger in [&asha, &Caller::guest()] {
            assert_eq!(carts::by_id(engine, stranger, id).await.unwrap_err(), Error::NotFound);
        }
    }

    async fn lines_are_changed_and_removed(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let guest = market.guest_with(&[(bowl, 2)]).await;
        let cart = carts::view(&market.engine, &guest).await.unwrap();
        let line = cart.groups[0].lines[0].id;
        let cart = carts::set_quantity(&market.engine, &guest, SetQuantity { line, quantity: "7".into() }).await.unwrap();
        assert_eq!(cart.item_count, 7);
        let stranger = market.guest_with(&[(bowl, 1)]).await;
        let set = SetQuantity { line, quantity: "1".into() };
        assert_eq!(carts::set_quantity(&market.engine, &stranger, set).await, Err(Error::NotFound));
        assert_eq!(carts::remove_line(&market.engine, &stranger, line).await, Err(Error::NotFound));
        assert_eq!(carts::remove_line(&market.engine, &Caller::guest(), line).await, Err(Error::NotFound));
        assert!(carts::remove_line(&market.engine, &guest, line).await.unwrap().is_empty());
    }

    async fn the_quantities_of_all_lines_are_set_at_once(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 10).await;
        let guest = market.guest_with(&[(bowl, 2), (lamp, 1)]).await;
        let cart = carts::view(engine, &guest).await.unwrap();
        let lines: Vec<_> = cart.groups.iter().flat_map(|g| &g.lines).map(|l| l.id).collect();
        let set = |line: usize, quantity: &str| SetQuantity { line: lines[line], quantity: quantity.into() };
        let checkout = checkout::begin(engine, &guest).await.unwrap();
        carts::set_quantities(engine, &guest, vec![set(0, "2"), set(1, "1")]).await.unwrap();
        assert_eq!(checkout::begin(engine, &guest).await, Ok(checkout), "nothing has changed");
        assert_eq!(carts::set_quantities(engine, &guest, vec![set(0, "3"), set(1, "4")]).await.unwrap().item_count, 7);
        assert_ne!(checkout::begin(engine, &guest).await, Ok(checkout));
        let refused = carts::set_quantities(engine, &guest, vec![set(0, "5"), set(1, "0")]).await.unwrap_err();
        assert_eq!(refused.at(&quantity_field(lines[1])), Some(FieldCode::TooSmall));
        assert_eq!(refused.at(&quantity_field(lines[0])), None);
        let stranger = market.guest_with(&[(bowl, 1)]).await;
        assert_eq!(carts::set_quantities(engine, &stranger, vec![set(0, "1")]).await, Err(Error::NotFound));
        assert_eq!(carts::view(engine, &guest).await.unwrap().item_count, 7);
    }

    async fn no_more_is_added_than_the_shop_has(market) {
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        let mut guest = market.guest_with(&[(lamp, 2)]).await;
        for quantity in [2, 900] {
            let refused = market.add(&mut guest, lamp, quantity).await;
            let Err(Error::Conflict(Conflict::OutOfStock(short))) = refused else { panic!("{refused:?}") };
            assert_eq!((short[0].title.as_str(), short[0].left), ("Desk lamp", 3));
        }
        market.add(&mut guest, lamp, 1).await.unwrap();
        assert_eq!(carts::view(&market.engine, &guest).await.unwrap().item_count, 3);
    }

    async fn what_is_not_available_is_not_counted(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        let guest = market.guest_with(&[(bowl, 2), (lamp, 2)]).await;
        let whole = carts::view(engine, &guest).await.unwrap();
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        market.add(&mut asha, lamp, 3).await.unwrap();
        checkout::begin(engine, &asha).await.unwrap();
        let cart = carts::view(engine, &guest).await.unwrap();
        let (bowls, lamps) = (&cart.groups[0], &cart.groups[1]);
        assert_eq!((lamps.lines[0].available, lamps.totals), (Some(0), Totals::zero(Currency::INR)));
        assert_eq!(cart.totals, Some(bowls.totals));
        assert_eq!(cart.item_count, 2);
        // They are available to the user whose checkout holds them.
        let theirs = carts::view(engine, &asha).await.unwrap();
        assert_eq!((theirs.item_count, theirs.groups[0].lines[0].available), (3, Some(3)));
        // A line with too little stock still counts in full, until its quantity is corrected.
        let line = theirs.groups[0].lines[0].id;
        carts::set_quantity(engine, &asha, SetQuantity { line, quantity: "2".into() }).await.unwrap();
        checkout::begin(engine, &asha).await.unwrap();
        let cart = carts::view(engine, &guest).await.unwrap();
        assert_eq!((cart.groups[1].lines[0].available, cart.item_count, cart.totals), (Some(1), 4, whole.totals));
    }

    async fn bad_quantities_change_nothing(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 2_000).await;
        let guest = market.guest_with(&[(bowl, 998)]).await;
        let cases = [
            ("0", FieldCode::TooSmall), ("-1", FieldCode::TooSmall), ("1000", FieldCode::TooBig),
            ("99999999999999999999", FieldCode::TooBig), ("٣", FieldCode::NotNumber), ("1.5", FieldCode::NotNumber),
            ("", FieldCode::Missing),
            // Two more would exceed the maximum together with those in the cart.
            ("2", FieldCode::TooBig),
        ];
        for (quantity, code) in cases {
            let add = AddLine { variant: bowl, quantity: quantity.into() };
            let refused = carts::add_line(&market.engine, &guest, add).await.map(|c| c.view);
            assert_eq!(refused, Err(Error::field("quantity", code)), "{quantity:?}");
        }
        let unknown = AddLine { variant: random::id(0), quantity: "1".into() };
        assert!(matches!(carts::add_line(&market.engine, &guest, unknown).await, Err(Error::NotFound)));
        let foreign = AddLine { variant: Id::from_uuid(uuid::Uuid::nil()), quantity: "1".into() };
        assert!(matches!(carts::add_line(&market.engine, &Caller::guest(), foreign).await, Err(Error::NotFound)));
        assert_eq!(carts::view(&market.engine, &guest).await.unwrap().item_count, 998);
    }

    async fn two_requests_that_open_the_first_cart_make_one(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 100).await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let adds = (0..16).map(|_| {
            let (engine, asha) = (market.engine.clone(), asha.clone());
            tokio::spawn(async move {
                carts::add_line(&engine, &asha, AddLine { variant: bowl, quantity: "1".into() }).await.map(drop)
            })
        });
        for add in adds.collect::<Vec<_>>() {
            add.await.unwrap().unwrap();
        }
        assert_eq!(carts::view(&market.engine, &asha).await.unwrap().item_count, 16);
    }
}
