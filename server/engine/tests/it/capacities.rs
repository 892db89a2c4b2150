//! Lines that need several capacities, variants that need none, and what the oracle says of both.

use haat_engine::{
    Bounds, Caller, accounts, carts, catalog,
    checkout::{self, sweep},
    db::{Scalar, Statement},
    inventory, oracle, orders, params, random, rows,
    sandbox::{self, Card},
    statements,
};
use haat_shared::{
    Conflict, Error,
    accounts::SignIn,
    carts::SetQuantity,
    catalog::{
        VariantStock,
        edit::{ListSellerProducts, ProductForm, VariantForm},
    },
    checkout::HOLD_MS,
    error::Shortage,
    id::kinds::{CapacityId, CartLineId, VariantId},
    orders::{LineQuantity, NewRefund},
    returns::ReturnReceipt,
};

use crate::{both, notifications::change, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

statements! {
    ADD_CAPACITY = "INSERT INTO capacities (id, kind, on_hand, held) VALUES ($1, 'allotment', $2, 0)";
    RECEIVE = "INSERT INTO stock_movements (capacity_id, reason, reference, delta, created_at)
        VALUES ($1, 'received', $1, $2, 0)";
    NEED = "INSERT INTO line_capacities (line_id, capacity_id, quantity) VALUES ($1, $2, $3)";
    FIND = "SELECT on_hand, held FROM capacities WHERE id = $1";
    STOCK_OF = "SELECT capacity_id AS value FROM variants WHERE id = $1";
    CLAIM_WHOLE = "INSERT INTO holds (checkout_id, position, capacity_id, quantity, state) VALUES ($1, NULL, $2, 1, 'active')";
    HOLD_MORE = "UPDATE capacities SET held = held + 1";
    HOLD_LESS = "UPDATE capacities SET held = held - 1";
    TAKE_MORE = "UPDATE holds SET quantity = quantity + 1 WHERE state = 'taken'";
    TAKE_LESS = "UPDATE holds SET quantity = quantity - 1 WHERE state = 'taken'";
    CLAIM_MORE = "UPDATE checkouts SET holds = holds + 1";
    CLAIM_LESS = "UPDATE checkouts SET holds = holds - 1";
    STRAY = "UPDATE capacities SET kind = 'change'";
    FOUND = "UPDATE capacities SET kind = 'stock'";
    DISOWN = "UPDATE capacities SET owner = NULL";
    OWN = "UPDATE capacities SET owner = (SELECT v.shop_id FROM variants v WHERE v.capacity_id = capacities.id)";
}

rows! {
    struct CapacityRow {
        on_hand: i64,
        held: i64,
    }
}

/// A capacity of no variant: a timed sale's allotment.
async fn allotment(market: &Market, on_hand: i64) -> CapacityId {
    let id: CapacityId = random::id(market.clock.now_ms());
    let write = market.engine.db.write("t", (id, on_hand), |tx, (id, on_hand)| {
        Box::pin(async move {
            tx.exec(&ADD_CAPACITY, params![*id, *on_hand]).await?;
            tx.exec(&RECEIVE, params![*id, *on_hand]).await?;
            Ok(())
        })
    });
    write.await.unwrap();
    id
}

/// Each unit of this line of the caller's cart needs that much of a capacity.
async fn need(market: &Market, caller: &Caller, line: usize, capacity: CapacityId, quantity: i64) {
    let cart = carts::view(&market.engine, caller).await.unwrap();
    let lines: Vec<CartLineId> = cart.groups.iter().flat_map(|g| &g.lines).map(|l| l.id).collect();
    let write = market.engine.db.write("t", (lines[line], capacity, quantity), |tx, (line, id, quantity)| {
        Box::pin(async move { Ok(tx.exec(&NEED, params![*line, *id, *quantity]).await?) })
    });
    write.await.unwrap();
}

/// A guest with one line that needs a unit of the capacity for each of its own.
async fn guest(market: &Market, variant: VariantId, quantity: i64, capacity: CapacityId) -> Caller {
    let guest = market.guest_with(&[(variant, quantity)]).await;
    need(market, &guest, 0, capacity, 1).await;
    guest
}

/// How much of a capacity there is, and how much of that is held.
async fn state(market: &Market, id: CapacityId) -> (i64, i64) {
    let row: CapacityRow = market.engine.db.one(&FIND, params![id]).await.unwrap();
    (row.on_hand, row.held)
}

async fn stock_of(market: &Market, variant: VariantId) -> CapacityId {
    let stock: Scalar<CapacityId> = market.engine.db.one(&STOCK_OF, params![variant]).await.unwrap();
    stock.0
}

fn short<T: std::fmt::Debug>(refused: haat_shared::Result<T>) -> Vec<(VariantId, i64, Option<CapacityId>)> {
    let Err(Error::Conflict(Conflict::OutOfStock(short))) = refused else { panic!("{refused:?}") };
    short.into_iter().map(|Shortage { variant, left, capacity, .. }| (variant, left, capacity)).collect()
}

both! {
    async fn a_line_that_needs_two_capacities_has_both_or_none(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 1).await;
        let sale = allotment(market, 3).await;

        let first = guest(market, bowl, 2, sale).await;
        let id = checkout::begin(engine, &first).await.unwrap();
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((3, 2), 8));

        // There are enough bowls, but one is left in the sale.
        let second = guest(market, bowl, 2, sale).await;
        assert_eq!(short(checkout::begin(engine, &second).await), [(bowl, 1, Some(sale))]);
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((3, 2), 8), "neither is held");
        // The sale would do, but a lamp is missing.
        let third = market.guest_with(&[(lamp, 1)]).await;
        need(market, &third, 0, sale, 1).await;
        let other = market.guest_with(&[(lamp, 1)]).await;
        checkout::begin(engine, &other).await.unwrap();
        let stock = stock_of(market, lamp).await;
        assert_eq!(short(checkout::begin(engine, &third).await), [(lamp, 0, Some(stock))]);
        assert_eq!(state(market, sale).await, (3, 2));
        // Each unit needs two.
        let packs = market.guest_with(&[(bowl, 2)]).await;
        need(market, &packs, 0, sale, 2).await;
        assert_eq!(short(checkout::begin(engine, &packs).await), [(bowl, 0, Some(sale))]);

        // Both are sold at once, and both come back.
        let next = checkout::pay(engine, &first, id, form("cash"), 1, "k").await.unwrap();
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((1, 0), 8));
        market.settle().await;
        let owner = market.owner(MEENA).await;
        let order = format!("{}-1", number_of(&next));
        orders::cancel(engine, &owner, MEENA, &order, "The kiln broke").await.unwrap();
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((3, 0), 10));
        market.settle().await;

        // Time runs out; the late payment takes both, since they are free.
        let late = guest(market, bowl, 3, sale).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&late).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        assert_eq!(state(market, sale).await, (3, 3));
        market.clock.advance_ms(HOLD_MS + 1);
        sweep(engine).await.unwrap();
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((3, 0), 10));
        number_in(&market.come_back(payment).await.unwrap());
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((0, 0), 7));
    }

    /// A late payment whose holds were released gets nothing if one of the two is gone.
    async fn a_late_payment_gets_both_capacities_or_a_refund(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 10).await;
        let sale = allotment(market, 2).await;
        let late = guest(market, bowl, 2, sale).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&late).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        market.clock.advance_ms(HOLD_MS + 1);
        sweep(&market.engine).await.unwrap();
        market.buy_in_cash(&guest(market, bowl, 1, sale).await).await.unwrap();
        let _ = market.come_back(payment).await;
        market.settle().await;
        assert_eq!(sandbox::captures(&market.engine.db).await.unwrap().kept_minor, 0);
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((1, 0), 9));
    }

    /// Each line alone would find enough.
    async fn lines_that_need_the_same_capacity_share_it(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 10).await;
        let sale = allotment(market, 3).await;
        let mut guest = market.guest_with(&[(bowl, 2), (lamp, 2)]).await;
        for line in 0..2 {
            need(market, &guest, line, sale, 1).await;
        }
        let both = [(bowl, 3, Some(sale)), (lamp, 3, Some(sale))];
        assert_eq!(short(checkout::begin(&market.engine, &guest).await), both);
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((3, 0), 10));
        let cart = carts::view(&market.engine, &guest).await.unwrap();
        carts::remove_line(&market.engine, &guest, cart.groups[1].lines[0].id).await.unwrap();
        market.add(&mut guest, lamp, 1).await.unwrap();
        need(market, &guest, 1, sale, 1).await;
        market.buy_in_cash(&guest).await.unwrap();
        assert_eq!((state(market, sale).await, market.available(lamp).await), ((0, 0), 9));
    }

    /// What a guest's line needs is still needed after signing in, whether the account has the line or not.
    async fn needs_are_kept_when_carts_are_merged(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 10).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 10).await;
        let sale = allotment(market, 1).await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        market.add(&mut asha.clone(), bowl, 1).await.unwrap();
        let guest = market.guest_with(&[(bowl, 1), (lamp, 1)]).await;
        for line in 0..2 {
            need(market, &guest, line, sale, 1).await;
        }
        let form = SignIn { email: sign_up("asha").email, password: PASSWORD.into() };
        accounts::sign_in(&market.engine, &guest, form).await.unwrap();
        let short = short(checkout::begin(&market.engine, &asha).await);
        assert_eq!(short, [(bowl, 1, Some(sale)), (lamp, 1, Some(sale))]);
    }

    /// Stock of two kinds and a shared allotment, needed in any order: five are sold, and nobody deadlocks.
    async fn sixty_buyers_of_five_places_in_a_sale(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 100).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 100).await;
        let sale = allotment(market, 5).await;
        let mut buyers = Vec::new();
        for i in 0..60 {
            let lines = if i % 2 == 0 { [(bowl, 1), (lamp, 1)] } else { [(lamp, 1), (bowl, 1)] };
            let (engine, guest) = (market.engine.clone(), market.guest_with(&lines).await);
            need(market, &guest, i % 2, sale, 1).await;
            buyers.push(async move {
                let id = checkout::begin(&engine, &guest).await?;
                checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await
            });
        }
        let outcomes = at_once(buyers).await;
        let sold = outcomes.iter().filter(|o| o.is_ok()).count();
        let refused = outcomes.into_iter().filter(Result::is_err).map(short).collect::<Vec<_>>();
        assert_eq!((sold, refused.len()), (5, 55));
        assert!(refused.iter().flatten().all(|(_, _, capacity)| *capacity == Some(sale)), "{refused:?}");
        assert_eq!(state(market, sale).await, (0, 0));
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (95, 95));
    }

    /// A newer checkout gives back what the older one held and holds something else, with one change of both.
    async fn shoppers_who_exchange_what_they_hold(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 40).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 40).await;
        let mut shoppers = Vec::new();
        for i in 0..20 {
            let (first, then) = if i % 2 == 0 { (bowl, lamp) } else { (lamp, bowl) };
            let mut guest = market.guest_with(&[(first, 2)]).await;
            checkout::begin(&market.engine, &guest).await.unwrap();
            let cart = carts::view(&market.engine, &guest).await.unwrap();
            carts::remove_line(&market.engine, &guest, cart.groups[0].lines[0].id).await.unwrap();
            market.add(&mut guest, then, 1).await.unwrap();
            let engine = market.engine.clone();
            shoppers.push(async move { checkout::begin(&engine, &guest).await });
        }
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (20, 20));
        let begun = at_once(shoppers).await;
        assert!(begun.iter().all(Result::is_ok), "{begun:?}");
        assert_eq!((market.available(bowl).await, market.available(lamp).await), (30, 30));
    }

    /// Units that are refunded, cancelled or returned give back what they took of each capacity, and no more.
    async fn parts_of_a_line_give_back_their_share_of_each_capacity(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 20).await;
        let sale = allotment(market, 30).await;
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let guest = market.guest_with(&[(bowl, 5)]).await;
            need(market, &guest, 0, sale, 2).await;
            let order = format!("{}-1", market.buy_by_card(&guest).await);
            orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
            numbers.push(order);
        }
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((10, 0), 10));
        let seen = orders::seller_order(engine, &owner, MEENA, &numbers[0]).await.unwrap();
        let part = |quantity| vec![LineQuantity { position: seen.order.order.lines[0].position, quantity }];
        for (restock, left) in [(true, ((12, 0), 11)), (false, ((12, 0), 11))] {
            let refund = NewRefund { lines: part(1), restock, reason: "Chipped".into(), ..NewRefund::default() };
            orders::refund(engine, &owner, MEENA, &numbers[0], refund).await.unwrap();
            assert_eq!((state(market, sale).await, market.available(bowl).await), left);
        }
        orders::cancel(engine, &owner, MEENA, &numbers[0], "The kiln broke").await.unwrap();
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((18, 0), 14));
        orders::ship(engine, &owner, MEENA, &numbers[1], shipment()).await.unwrap();
        for (quantity, restock) in [(2, true), (1, false)] {
            let id = orders::open_return(engine, &owner, MEENA, &numbers[1], &part(quantity), "Too big").await.unwrap();
            orders::receive_return(engine, &owner, MEENA, &numbers[1], id, ReturnReceipt::only(restock)).await.unwrap();
        }
        assert_eq!((state(market, sale).await, market.available(bowl).await), ((22, 0), 16));
        market.settle().await;
    }

    async fn what_ones_own_checkout_holds_is_available(market) {
        let engine = &market.engine;
        let cup = market.product(MEENA, "Cup", 45_000, 3).await;
        let guest = market.guest_with(&[(cup, 3)]).await;
        checkout::begin(engine, &guest).await.unwrap();
        let line = carts::view(engine, &guest).await.unwrap().groups[0].lines[0].id;
        for (quantity, left) in [(2, 1), (3, 0)] {
            carts::set_quantity(engine, &guest, SetQuantity { line, quantity: quantity.to_string() }).await.unwrap();
            checkout::begin(engine, &guest).await.unwrap();
            assert_eq!(market.available(cup).await, left);
        }
        carts::set_quantity(engine, &guest, SetQuantity { line, quantity: "4".into() }).await.unwrap();
        assert_eq!(short(checkout::begin(engine, &guest).await), [(cup, 3, Some(stock_of(market, cup).await))]);
        assert_eq!(market.available(cup).await, 0, "the older checkout goes on");
    }

    async fn a_variant_without_a_capacity_is_sold_without_limit(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let lesson = VariantForm { unlimited: true, sku: "LESSON".into(), price: "45".into(), ..Default::default() };
        let lesson = ProductForm { title: "Pottery lesson".into(), variants: vec![lesson], ..Default::default() };
        let id = catalog::create(engine, &owner, MEENA, &lesson, "k1").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let kept = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap();
        let shown = catalog::product(engine, &Caller::guest(), &kept.slug).await.unwrap();
        let lesson = shown.variants[0].id;
        assert_eq!((shown.variants[0].available, shown.variants[0].is_available()), (None, true));
        let stock = VariantStock { id: lesson, available: None };
        assert_eq!(catalog::stock(engine, id).await.unwrap(), [stock]);
        let listed = catalog::list(engine, &Caller::guest(), Default::default()).await.unwrap();
        assert!(listed.items.iter().all(|card| card.in_stock));

        let mut buyers = Vec::new();
        for _ in 0..3 {
            let mut guest = market.guest_with(&[(lesson, 900)]).await;
            assert!(market.add(&mut guest, lesson, 100).await.is_err(), "more than a line may have");
            let cart = carts::view(engine, &guest).await.unwrap();
            assert_eq!((cart.item_count, cart.groups[0].lines[0].available), (900, None));
            buyers.push(guest);
        }
        let mut number = String::new();
        for guest in &buyers {
            number = market.buy_in_cash(guest).await.unwrap();
        }
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "The potter is ill").await.unwrap();
        market.settle().await;
        // Beside something that has a limit, and after time ran out.
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&market.guest_with(&[(lesson, 9), (bowl, 2)]).await).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        market.clock.advance_ms(HOLD_MS + 1);
        sweep(engine).await.unwrap();
        number_in(&market.come_back(payment).await.unwrap());
        assert_eq!(market.available(bowl).await, 3);

        // The seller has no stock to count, and is not told that it is low.
        let mut kept = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap();
        let variant = &kept.form.variants[0];
        assert_eq!((variant.unlimited, variant.stock.as_str(), kept.deletable), (true, "", false));
        assert_eq!(catalog::delete(engine, &owner, MEENA, id).await, Err(Conflict::WasSold.into()));
        kept.form.variants[0].price = "50".into();
        kept.form.variants[0].stock = "7".into();
        catalog::update(engine, &owner, MEENA, id, kept.version, &kept.form, "k2").await.unwrap();
        let kept = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap();
        assert_eq!((kept.form.variants[0].price.as_str(), kept.form.variants[0].stock.as_str()), ("50.00", ""));
        assert_eq!(inventory::adjust(engine, &owner, lesson, 3, "k3").await, Err(Error::NotFound));
        assert_eq!(inventory::receive(engine, &owner, lesson, 3, "k4").await, Err(Error::NotFound));
        let low = ListSellerProducts { low: true, ..Default::default() };
        let page = catalog::seller_list(engine, &owner, MEENA, low).await.unwrap();
        assert_eq!(page.items.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["Clay bowl"]);
        let by_stock = ListSellerProducts { sort: "stock".into(), ..Default::default() };
        let page = catalog::seller_list(engine, &owner, MEENA, by_stock).await.unwrap();
        assert_eq!(page.items.iter().map(|p| p.stock).collect::<Vec<_>>(), [0, 3]);
        // A copy has no limit either, and can be deleted.
        let copy = catalog::duplicate(engine, &owner, MEENA, id, "k5").await.unwrap();
        let copied = catalog::seller_product(engine, &owner, MEENA, copy).await.unwrap();
        assert!(copied.form.variants[0].unlimited && copied.deletable);
        catalog::delete(engine, &owner, MEENA, copy).await.unwrap();
    }

    async fn guests_of_one_origin_begin_a_few_checkouts_of_what_has_no_limit(market) {
        let (owner, bounds) = (market.owner(MEENA).await, Bounds { guest_checkouts: 3, ..Bounds::NONE });
        let engine = market.bounded(bounds);
        let lesson = VariantForm { unlimited: true, sku: "LESSON".into(), price: "45".into(), ..Default::default() };
        let lesson = ProductForm { title: "Pottery lesson".into(), variants: vec![lesson], ..Default::default() };
        let id = catalog::create(&engine, &owner, MEENA, &lesson, "k1").await.unwrap();
        catalog::publish(&engine, &owner, MEENA, id).await.unwrap();
        let kept = catalog::seller_product(&engine, &owner, MEENA, id).await.unwrap();
        let lesson = kept.form.variants[0].id.unwrap();
        for i in 1..=4 {
            let guest = Caller { origin: Some([1; 32]), ..market.guest_with(&[(lesson, 1)]).await };
            let begun = checkout::begin(&engine, &guest).await;
            assert_eq!(matches!(begun, Err(Error::RateLimited { .. })), i > 3, "{begun:?}");
        }
    }

    async fn a_checkout_claims_a_capacity_once_as_a_whole(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let id = checkout::begin(&market.engine, &market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let slot = allotment(market, 4).await;
        let twice = market.engine.db.write("t", (id, slot), |tx, (id, slot)| {
            Box::pin(async move {
                assert_eq!(tx.exec(&CLAIM_WHOLE, params![*id, *slot]).await?, 1);
                Ok(tx.exec(&CLAIM_WHOLE, params![*id, *slot]).await?)
            })
        });
        twice.await.unwrap_err();
    }

    async fn the_oracle_sees_what_is_held_and_sold_by_nobody(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let sale = allotment(market, 4).await;
        market.buy_in_cash(&guest(market, bowl, 2, sale).await).await.unwrap();
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let owner = market.owner(MEENA).await;
        orders::cancel(&market.engine, &owner, MEENA, &format!("{number}-1"), "Sold by mistake").await.unwrap();
        checkout::begin(&market.engine, &market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        market.settle().await;
        let taken: &[&str] = &[
            "sold stock does not match the purchases: 2",
            "returned stock does not match the cancelled orders, refunds and returns: 2",
            "took 3 of the stock",
            "took 3 of a capacity",
        ];
        let cases: [(&'static Statement, &'static Statement, &[&str]); 5] = [
            (&HOLD_MORE, &HOLD_LESS, &["held stock does not match the active holds: 3"]),
            (&TAKE_MORE, &TAKE_LESS, taken),
            (&CLAIM_MORE, &CLAIM_LESS, &["a checkout has 1 holds instead of 2"]),
            (&STRAY, &FOUND, &["a capacity holds 2 of 3"]),
            (&DISOWN, &OWN, &["the stock of Clay bowl belongs to another shop"]),
        ];
        for (harm, mend, said) in cases {
            change(market, harm).await;
            let broken = oracle::consult(&market.engine).await.unwrap();
            for said in said {
                assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            }
            change(market, mend).await;
            assert_eq!(oracle::consult(&market.engine).await.unwrap(), Vec::<String>::new());
        }
    }
}
