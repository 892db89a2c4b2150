//! Sellers create and edit products.

use haat_engine::{Caller, Who, carts, catalog, checkout, inventory, orders};
use haat_shared::{
    Conflict, Error, FieldCode,
    catalog::{
        Attribute,
        edit::{ListSellerProducts, ProductForm, ProductState, SellerProduct, VariantForm},
    },
    id::kinds::ProductId,
    permissions::Role,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

pub fn variant(value: &str, sku: &str, price: &str, stock: &str) -> VariantForm {
    VariantForm {
        options: vec![value.into()],
        sku: sku.into(),
        price: price.into(),
        stock: stock.into(),
        ..VariantForm::default()
    }
}

pub fn form(title: &str) -> ProductForm {
    ProductForm {
        title: title.into(),
        brand: "Meena".into(),
        category: String::new(),
        description: "Thrown by hand.".into(),
        attributes: vec![Attribute { name: "Material".into(), value: "Clay".into() }],
        options: vec!["Size".into()],
        variants: vec![
            variant("Small", &format!("{title}-S"), "450", "5"),
            variant("Large", &format!("{title}-L"), "1,249.50", "2"),
        ],
    }
}

async fn edited(market: &Market, owner: &Caller, id: ProductId) -> SellerProduct {
    catalog::seller_product(&market.engine, owner, MEENA, id).await.unwrap()
}

async fn titles(market: &Market, owner: &Caller, ask: ListSellerProducts) -> Vec<String> {
    let page = catalog::seller_list(&market.engine, owner, MEENA, ask).await.unwrap();
    page.items.into_iter().map(|p| p.title).collect()
}

both! {
    async fn a_product_is_created_shown_updated_and_archived(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bad = catalog::create(engine, &owner, MEENA, &ProductForm::default(), "k0").await.unwrap_err();
        assert_eq!((bad.at("title"), bad.at("variants")), (Some(FieldCode::Missing), Some(FieldCode::Missing)));
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k1").await.unwrap();
        assert_eq!(catalog::create(engine, &owner, MEENA, &form("Jug"), "k1").await.unwrap(), id, "a double click");
        let draft = edited(market, &owner, id).await;
        assert_eq!((draft.state, draft.version, draft.deletable), (ProductState::Draft, 1, true));
        assert_eq!(catalog::product(engine, &Caller::guest(), &draft.slug).await, Err(Error::NotFound));
        for _ in 0..2 {
            catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        }
        let page = catalog::product(engine, &Caller::guest(), &draft.slug).await.unwrap();
        let shown: Vec<_> = page.variants.iter().map(|v| (v.title.as_str(), v.price.amount(), v.available.unwrap())).collect();
        assert_eq!(shown, [("Small", 45_000, 5), ("Large", 124_950, 2)]);

        // A new price, a new size in first place, the large one removed, and two more of the small one.
        let mut changed = draft.form.clone();
        changed.variants[0].price = "475".into();
        changed.variants[0].compare_at = "500".into();
        changed.variants[0].stock = "7".into();
        changed.variants.remove(1);
        changed.variants.insert(0, variant("Tiny", "", "300", "1"));
        assert_eq!(catalog::update(engine, &owner, MEENA, id, 1, &changed, "k2").await, Ok(2));
        assert_eq!(catalog::update(engine, &owner, MEENA, id, 1, &changed, "k2").await, Ok(2), "a double click");
        let page = catalog::product(engine, &Caller::guest(), &draft.slug).await.unwrap();
        let shown: Vec<_> = page.variants.iter().map(|v| (v.title.as_str(), v.price.amount(), v.available.unwrap())).collect();
        assert_eq!(shown, [("Tiny", 30_000, 1), ("Small", 47_500, 7)]);
        assert_eq!(page.variants[1].compare_at.map(|m| m.amount()), Some(50_000));
        let again = edited(market, &owner, id).await;
        assert_eq!(catalog::update(engine, &owner, MEENA, id, 2, &again.form, "k3").await, Ok(2), "nothing changed");
        // The SKU of the removed variant is free again.
        let mut back = again.form.clone();
        back.variants.push(variant("Huge", "Jug-L", "2000", "1"));
        assert_eq!(catalog::update(engine, &owner, MEENA, id, 2, &back, "k4").await, Ok(3));

        let copy = catalog::duplicate(engine, &owner, MEENA, id, "k5").await.unwrap();
        let copy = edited(market, &owner, copy).await;
        assert_eq!((copy.state, copy.form.title.as_str(), copy.form.variants.len()), (ProductState::Draft, "Jug", 3));
        assert!(copy.form.variants.iter().all(|v| v.stock == "0"));
        assert_eq!(copy.form.variants[1].compare_at, "500.00");
        catalog::archive(engine, &owner, MEENA, id).await.unwrap();
        assert_eq!(catalog::product(engine, &Caller::guest(), &draft.slug).await, Err(Error::NotFound));
    }

    async fn bulk_publishing_is_all_or_nothing(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let mut ids = Vec::new();
        for name in ["Jug", "Cup"] {
            ids.push(catalog::create(engine, &owner, MEENA, &form(name), name).await.unwrap());
        }
        let set = async |ids: &[ProductId], state| catalog::set_states(engine, &owner, MEENA, ids, state).await;
        let states = async || {
            let mut states = Vec::new();
            for id in &ids {
                states.push(edited(market, &owner, *id).await.state);
            }
            states
        };
        let with_a_foreign_one = [ids[0], ProductId::from_uuid(uuid::Uuid::from_u128(7))];
        assert_eq!(set(&with_a_foreign_one, ProductState::Published).await, Err(Error::NotFound));
        assert_eq!(states().await, [ProductState::Draft; 2]);
        assert_eq!(set(&[], ProductState::Published).await, Ok(()));
        assert_eq!(set(&[ids[0], ids[1], ids[0]], ProductState::Published).await, Ok(()));
        assert_eq!(states().await, [ProductState::Published; 2]);
        assert_eq!(set(&vec![ids[0]; 501], ProductState::Archived).await, Err(Error::TooLarge));
        assert_eq!(set(&ids[..1], ProductState::Draft).await, Ok(()));
        let before = catalog::states(engine, &owner, MEENA, &[ids[1], with_a_foreign_one[1], ids[0], ids[1]]).await;
        let before = before.unwrap();
        assert_eq!(before, [(ids[0], ProductState::Draft), (ids[1], ProductState::Published)]);
        assert_eq!(catalog::states(engine, &owner, MEENA, &[]).await, Ok(Vec::new()));
        assert_eq!(set(&ids, ProductState::Archived).await, Ok(()));
        assert_eq!(states().await, [ProductState::Archived; 2]);
        assert_eq!(catalog::set_each_state(engine, &owner, MEENA, &before).await, Ok(()));
        assert_eq!(states().await, [ProductState::Draft, ProductState::Published]);
        let delta = market.owner("delta-electronics").await;
        assert_eq!(catalog::states(engine, &delta, "delta-electronics", &ids).await, Ok(Vec::new()));
        let foreign = catalog::set_each_state(engine, &delta, "delta-electronics", &before).await;
        assert_eq!(foreign, Err(Error::NotFound));
    }

    async fn the_second_of_two_tabs_learns_what_the_first_changed(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        let opened = edited(market, &owner, id).await;
        let mut first = opened.form.clone();
        first.title = "Water jug".into();
        first.variants[1].price = "1,300".into();
        assert_eq!(catalog::update(engine, &owner, MEENA, id, 1, &first, "a").await, Ok(2));
        let mut second = opened.form.clone();
        second.description = "Glazed".into();
        let refused = catalog::update(engine, &owner, MEENA, id, 1, &second, "b").await;
        let fields = vec!["title".to_owned(), "variants.Jug-L.price".to_owned()];
        assert_eq!(refused, Err(Conflict::Edited(fields).into()));
        assert_eq!(edited(market, &owner, id).await.form.description, "Thrown by hand.");
        // After reviewing the change, they save over it; with the same key, since nothing was saved under it.
        let mut seen = edited(market, &owner, id).await;
        seen.form.description = "Glazed".into();
        assert_eq!(catalog::update(engine, &owner, MEENA, id, seen.version, &seen.form, "b").await, Ok(3));
        assert_eq!(edited(market, &owner, id).await.form.title, "Water jug");
    }

    async fn eight_tabs_save_at_once_and_one_wins(market) {
        let owner = market.owner(MEENA).await;
        let id = catalog::create(&market.engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        let opened = edited(market, &owner, id).await;
        let tabs = (0..8).map(|i| {
            let (engine, owner, mut form) = (market.engine.clone(), owner.clone(), opened.form.clone());
            form.title = format!("Jug {i}");
            form.variants[0].stock = (10 + i).to_string();
            async move { catalog::update(&engine, &owner, MEENA, id, 1, &form, &format!("k{i}")).await }
        });
        let outcomes = at_once(tabs.collect()).await;
        assert_eq!(outcomes.iter().filter(|o| **o == Ok(2)).count(), 1, "{outcomes:?}");
        for refused in outcomes.iter().filter_map(|o| o.as_ref().err()) {
            let Error::Conflict(Conflict::Edited(fields)) = refused else { panic!("{refused:?}") };
            assert_eq!(fields, &["title", "variants.Jug-S.stock"]);
        }
    }

    async fn sales_while_a_form_is_open_are_kept(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let opened = edited(market, &owner, id).await;
        let small = opened.form.variants[0].id.unwrap();
        market.buy_in_cash(&market.guest_with(&[(small, 3)]).await).await.unwrap();
        // They counted five when they opened the form, and then found two more.
        let mut form = opened.form.clone();
        form.variants[0].stock = "7".into();
        catalog::update(engine, &owner, MEENA, id, 1, &form, "a").await.unwrap();
        assert_eq!(market.available(small).await, 4, "five, two more, three sold");
        // Two are held for a checkout, so the stock can't be set lower.
        let paying = market.guest_with(&[(small, 2)]).await;
        checkout::begin(engine, &paying).await.unwrap();
        let mut opened = edited(market, &owner, id).await;
        assert_eq!((opened.form.variants[0].stock.as_str(), opened.held[0]), ("4", 2));
        opened.form.title = "Not saved either".into();
        opened.form.variants[0].stock = "1".into();
        let refused = catalog::update(engine, &owner, MEENA, id, 2, &opened.form, "b").await.unwrap_err();
        assert_eq!(refused.at("variants.0.stock"), Some(FieldCode::TooSmall));
        assert_eq!(edited(market, &owner, id).await.form.title, "Jug");
        let refused = inventory::adjust(engine, &owner, small, -3, "c").await.unwrap_err();
        assert_eq!(refused.at("stock"), Some(FieldCode::TooSmall));
        for _ in 0..2 {
            inventory::adjust(engine, &owner, small, -2, "d").await.unwrap();
        }
        assert_eq!(market.available(small).await, 0);
        let delta = market.owner(DELTA).await;
        assert_eq!(inventory::adjust(engine, &delta, small, 1, "e").await, Err(Error::NotFound));
        let mut packer = owner.clone();
        if let Who::User(user) = &mut packer.who {
            user.shops[0].role = Role::Fulfilment;
        }
        assert_eq!(inventory::adjust(engine, &packer, small, 1, "f").await, Err(Error::Denied));
        assert_eq!(inventory::adjust(engine, &Caller::guest(), small, 1, "g").await, Err(Error::SignInNeeded));
    }

    async fn products_never_in_a_checkout_can_be_deleted(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let jug = edited(market, &owner, id).await.form.variants[0].id.unwrap();
        let guest = market.guest_with(&[(jug, 1)]).await;
        catalog::delete(engine, &owner, MEENA, id).await.unwrap();
        assert_eq!(catalog::delete(engine, &owner, MEENA, id).await, Err(Error::NotFound));
        let cart = carts::view(engine, &guest).await.unwrap();
        assert!(cart.groups[0].lines[0].discontinued, "{cart:?}");
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k2").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let mut sold = edited(market, &owner, id).await;
        let jug = sold.form.variants[0].id.unwrap();
        let number = market.buy_in_cash(&market.guest_with(&[(jug, 1)]).await).await.unwrap();
        assert_eq!(catalog::delete(engine, &owner, MEENA, id).await, Err(Conflict::WasSold.into()));
        assert!(!edited(market, &owner, id).await.deletable);
        // Without the variant that was sold: its order is unchanged, and a return is still booked.
        sold.form.variants.remove(0);
        catalog::update(engine, &owner, MEENA, id, 1, &sold.form, "k3").await.unwrap();
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "Gone").await.unwrap();
        let seen = orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
        assert_eq!(seen.order.order.lines[0].variant_title, "Size: Small");
    }

    async fn discontinued_products_stay_in_carts_until_removed(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let mut ids = Vec::new();
        for title in ["Jug", "Plate"] {
            let id = catalog::create(engine, &owner, MEENA, &form(title), title).await.unwrap();
            catalog::publish(engine, &owner, MEENA, id).await.unwrap();
            ids.push((id, edited(market, &owner, id).await.form.variants[0].id.unwrap()));
        }
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 3).await;
        let guest = market.guest_with(&[(ids[0].1, 1), (ids[1].1, 2), (lamp, 1)]).await;
        let before = carts::view(engine, &guest).await.unwrap();
        let options: Vec<_> = before.groups[0].lines[0].options.iter().map(|o| (o.name.as_str(), o.value.as_str())).collect();
        assert_eq!(options, [("Size", "Small")]);
        assert_eq!(before.item_count, 4);
        catalog::delete(engine, &owner, MEENA, ids[0].0).await.unwrap();
        catalog::archive(engine, &owner, MEENA, ids[1].0).await.unwrap();
        let cart = carts::view(engine, &guest).await.unwrap();
        let lines: Vec<_> =
            cart.groups[0].lines.iter().map(|l| (l.title.as_str(), l.variant_title.as_str(), l.discontinued)).collect();
        assert_eq!(lines, [("Jug", "Small", true), ("Plate", "Small", true)]);
        // Unavailable lines don't count towards the total, and there is no delivery charge without items.
        assert_eq!((cart.item_count, cart.groups[0].totals.subtotal.amount(), cart.groups[0].totals.shipping.amount()), (1, 0, 0));
        assert_eq!(cart.totals.unwrap().total.amount(), 129_900 + 4_900);
        let Err(Error::Conflict(Conflict::OutOfStock(short))) = checkout::begin(engine, &guest).await else { panic!() };
        let named: Vec<_> = short.iter().map(|s| (s.title.as_str(), s.left, s.discontinued)).collect();
        assert_eq!(named, [("Jug", 0, true), ("Plate", 0, true)]);
        // Once published again, it counts again; a deleted product's line can be removed.
        catalog::publish(engine, &owner, MEENA, ids[1].0).await.unwrap();
        let cart = carts::remove_line(engine, &guest, cart.groups[0].lines[0].id).await.unwrap();
        assert_eq!((cart.item_count, cart.groups[0].lines.len()), (3, 1));
        assert!(!cart.groups[0].lines[0].discontinued);
        checkout::begin(engine, &guest).await.unwrap();
    }

    async fn unpublished_products_cannot_be_bought(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let mut opened = edited(market, &owner, id).await;
        let (small, large) = (opened.form.variants[0].id.unwrap(), opened.form.variants[1].id.unwrap());
        let mut guest = market.guest_with(&[(small, 1)]).await;
        opened.form.variants.remove(0);
        catalog::update(engine, &owner, MEENA, id, 1, &opened.form, "k2").await.unwrap();
        assert_eq!(market.add(&mut guest, small, 1).await, Err(Error::NotFound));
        let cart = carts::view(engine, &guest).await.unwrap();
        assert_eq!(cart.groups[0].lines[0].available, Some(0));
        let Err(Error::Conflict(Conflict::OutOfStock(short))) = checkout::begin(engine, &guest).await else { panic!() };
        assert_eq!((short.len(), short[0].left), (1, 0));
        let other = market.guest_with(&[(large, 1)]).await;
        catalog::archive(engine, &owner, MEENA, id).await.unwrap();
        assert!(matches!(checkout::begin(engine, &other).await, Err(Error::Conflict(Conflict::OutOfStock(_)))));
    }

    async fn a_product_belongs_to_a_category(market) {
        market.generous_shop().await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let lost = ProductForm { category: "lost".into(), ..form("Jug") };
        let refused = catalog::create(engine, &owner, MEENA, &lost, "a").await.unwrap_err();
        assert_eq!(refused.at("category"), Some(FieldCode::NotAChoice));
        let tea = ProductForm { category: "tea".into(), ..form("Jug") };
        let id = catalog::create(engine, &owner, MEENA, &tea, "b").await.unwrap();
        assert_eq!(edited(market, &owner, id).await.form.category, "tea");
        let mut none = edited(market, &owner, id).await.form;
        none.category.clear();
        catalog::update(engine, &owner, MEENA, id, 1, &none, "c").await.unwrap();
        let late = catalog::update(engine, &owner, MEENA, id, 1, &tea, "d").await;
        assert_eq!(late, Err(Conflict::Edited(vec!["category".into()]).into()));
    }

    async fn skus_are_unique_in_a_shop(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        catalog::create(engine, &owner, MEENA, &form("Jug"), "k1").await.unwrap();
        let mut other = form("Cup");
        other.variants[1].sku = "Jug-S".into();
        let refused = catalog::create(engine, &owner, MEENA, &other, "k2").await.unwrap_err();
        assert_eq!(refused, Error::field("variants.1.sku", FieldCode::NotUnique));
        let delta = market.owner(DELTA).await;
        catalog::create(engine, &delta, DELTA, &other, "k3").await.unwrap();
        // Concurrent attempts to take the same one: one succeeds, the others get a conflict.
        let both = (0..4).map(|i| {
            let (engine, owner) = (engine.clone(), owner.clone());
            async move { catalog::create(&engine, &owner, MEENA, &form("Plate"), &format!("p{i}")).await }
        });
        let outcomes = at_once(both.collect()).await;
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        assert!(outcomes.iter().flat_map(|o| o.as_ref().err()).all(|e| matches!(e, Error::Invalid(_))), "{outcomes:?}");
    }

    async fn others_products_do_not_exist(market) {
        let (engine, owner, delta) = (&market.engine, market.owner(MEENA).await, market.owner(DELTA).await);
        let id = catalog::create(engine, &owner, MEENA, &form("Jug"), "k").await.unwrap();
        let own = edited(market, &owner, id).await;
        for handle in [MEENA, DELTA] {
            assert_eq!(catalog::seller_product(engine, &delta, handle, id).await.err(), Some(Error::NotFound));
            assert_eq!(catalog::update(engine, &delta, handle, id, 1, &own.form, "x").await, Err(Error::NotFound));
            assert_eq!(catalog::publish(engine, &delta, handle, id).await, Err(Error::NotFound));
            assert_eq!(catalog::archive(engine, &delta, handle, id).await, Err(Error::NotFound));
            assert_eq!(catalog::duplicate(engine, &delta, handle, id, "x").await, Err(Error::NotFound));
            assert_eq!(catalog::delete(engine, &delta, handle, id).await, Err(Error::NotFound));
        }
        // A variant of another product, or the same one twice.
        let mut theirs = form("Cup");
        theirs.variants[0].id = own.form.variants[0].id;
        let cup = catalog::create(engine, &delta, DELTA, &form("Cup"), "c").await.unwrap();
        let refused = catalog::update(engine, &delta, DELTA, cup, 1, &theirs, "y").await.unwrap_err();
        assert_eq!(refused.at("variants.0"), Some(FieldCode::NotAChoice));
        let mut twice = own.form.clone();
        twice.variants[1].id = twice.variants[0].id;
        let refused = catalog::update(engine, &owner, MEENA, id, 1, &twice, "z").await.unwrap_err();
        assert_eq!(refused.at("variants.1"), Some(FieldCode::NotAChoice));
        assert_eq!(catalog::create(engine, &Caller::guest(), MEENA, &form("x"), "g").await, Err(Error::SignInNeeded));
    }

    async fn own_products_are_filtered_and_sorted(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        for i in 0..53 {
            let mut one = form(&format!("Jug {i:02}"));
            one.variants[0].price = (500 - i % 7).to_string();
            one.variants[0].stock = (10 + i * 5 % 17).to_string();
            one.variants[1].stock = if i == 9 { "1".into() } else { "9".into() };
            let id = catalog::create(engine, &owner, MEENA, &one, &format!("k{i}")).await.unwrap();
            if i < 10 {
                catalog::publish(engine, &owner, MEENA, id).await.unwrap();
            }
        }
        let ask = |sort: &str| ListSellerProducts { sort: sort.into(), ..ListSellerProducts::default() };
        for sort in ["newest", "title", "price", "stock", "-title", "-price", "-stock"] {
            let first = catalog::seller_list(engine, &owner, MEENA, ask(sort)).await.unwrap();
            let next = ListSellerProducts { after: first.next.unwrap(), ..ask(sort) };
            let rest = catalog::seller_list(engine, &owner, MEENA, next).await.unwrap();
            assert_eq!((first.items.len(), rest.items.len(), &rest.next), (50, 3, &None), "{sort}");
            let all: Vec<_> = first.items.iter().chain(&rest.items).collect();
            let sorted = match sort {
                "newest" => all.is_sorted_by(|a, b| a.id > b.id),
                "title" => all.is_sorted_by_key(|p| &p.title),
                "price" => all.is_sorted_by_key(|p| (p.price.amount(), p.id)),
                "stock" => all.is_sorted_by_key(|p| (p.stock, p.id)),
                "-title" => all.iter().rev().is_sorted_by_key(|p| &p.title),
                "-price" => all.iter().rev().is_sorted_by_key(|p| (p.price.amount(), p.id)),
                _ => all.iter().rev().is_sorted_by_key(|p| (p.stock, p.id)),
            };
            assert!(sorted, "{sort}");
        }
        // Counts are those of the search, whatever else the list is filtered by.
        let drafts = ListSellerProducts { state: "draft".into(), q: "jug 0".into(), ..ask("") };
        let table = catalog::seller_table(engine, &owner, MEENA, drafts).await.unwrap();
        assert_eq!((table.page.items.len(), table.count("draft"), table.count("published"), table.count("")), (5, 5, 10, 15));
        let table = catalog::seller_table(engine, &owner, MEENA, ask("")).await.unwrap();
        assert_eq!((table.count("draft"), table.count("published"), table.count("archived"), table.count("")), (43, 10, 0, 53));
        let low = ListSellerProducts { low: true, ..ask("title") };
        let table = catalog::seller_table(engine, &owner, MEENA, low.clone()).await.unwrap();
        assert_eq!(table.counts, [("published".to_owned(), 1)]);
        assert_eq!(titles(market, &owner, low).await, ["Jug 09"]);
        let published = ListSellerProducts { state: "published".into(), ..ask("title") };
        assert_eq!(titles(market, &owner, published).await.len(), 10);
        let words = ListSellerProducts { q: "jug-31 jUG 31-s".into(), ..ask("") };
        assert_eq!(titles(market, &owner, words).await, Vec::<String>::new());
        let words = ListSellerProducts { q: "31-s".into(), ..ask("") };
        assert_eq!(titles(market, &owner, words).await, ["Jug 31"]);
        let cursor = |after: &str, sort| ListSellerProducts { after: after.into(), ..ask(sort) };
        for (field, bad, code) in [
            ("sort", ask("colour"), FieldCode::NotAChoice),
            ("state", ListSellerProducts { state: "lost".into(), ..ask("") }, FieldCode::NotAChoice),
            ("after", cursor("nonsense", ""), FieldCode::BadCursor),
            ("after", cursor("prod_00000000000000000000000000.x", "price"), FieldCode::BadCursor),
        ] {
            let refused = catalog::seller_list(engine, &owner, MEENA, bad).await.unwrap_err();
            assert_eq!(refused.at(field), Some(code), "{field}");
        }
    }
}
