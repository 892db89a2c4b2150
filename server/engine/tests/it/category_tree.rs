//! The category tree, as admins edit it.

use haat_engine::{
    Caller, Engine, Parts, audit, cart_codes,
    catalog::{self, NewProduct, NewVariant},
    category_tree, commissions, orders,
    product_search::{self, ProductSearch},
    promotions,
};
use haat_shared::{
    Error, FieldCode,
    catalog::ListProducts,
    categories::{CategoryForm, DEPTH_MAX},
    commissions::RateFor,
    promotions::PromotionForm,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

fn form(name: &str, parent: &str) -> CategoryForm {
    let tax_category = "standard".to_owned();
    CategoryForm { name: name.into(), parent: parent.into(), tax_category, ..CategoryForm::default() }
}

async fn add(market: &Market, name: &str, parent: &str) -> String {
    category_tree::add(&market.engine, &Caller::system(), &form(name, parent)).await.unwrap()
}

/// The slugs, with a dot for each level.
async fn tree(market: &Market) -> String {
    let tree = category_tree::list(&market.engine, &Caller::system()).await.unwrap();
    let shown = tree.into_iter().map(|entry| format!("{}{}", ".".repeat(entry.depth), entry.slug));
    shown.collect::<Vec<_>>().join(" ")
}

async fn titles(market: &Market, category: &str) -> Vec<String> {
    let ask = ListProducts { category: category.into(), ..ListProducts::default() };
    let page = catalog::list(&market.engine, &Caller::guest(), ask).await.unwrap();
    page.items.into_iter().map(|card| card.title).collect()
}

/// Puts a product into a category.
async fn put(market: &Market, title: &str, category: &str) {
    let (engine, system) = (&market.engine, Caller::system());
    let category = catalog::category_ids(engine).await.unwrap().get(category).copied();
    let variant = NewVariant { sku: title.into(), price_minor: 10_000, stock: 9, ..NewVariant::default() };
    let product =
        NewProduct { title: title.into(), category, variants: vec![variant], ..NewProduct::default() };
    catalog::upsert_products(engine, &system, MEENA, vec![product]).await.unwrap();
}

both! {
    async fn categories_are_added_named_and_ordered(market) {
        let (engine, system) = (&market.engine, Caller::system());
        assert_eq!(category_tree::list(engine, &market.owner(MEENA).await).await, Err(Error::NotFound));
        assert_eq!(category_tree::add(engine, &Caller::guest(), &form("Tea", "")).await, Err(Error::SignInNeeded));
        assert_eq!(add(market, "Home & kitchen", "").await, "home-kitchen");
        add(market, "Cups", "home-kitchen").await;
        add(market, "Bowls", "home-kitchen").await;
        let names = vec![("hi".to_owned(), "चाय".to_owned())];
        category_tree::add(engine, &system, &CategoryForm { names: names.clone(), ..form("Tea", "") }).await.unwrap();
        assert_eq!(tree(market).await, "home-kitchen .cups .bowls tea");
        let hindi = Caller { locale: "hi", ..Caller::guest() };
        assert_eq!(catalog::category(engine, &hindi, "tea").await.unwrap().name, "चाय");

        for (form, field, code) in [
            (form("Cups", ""), "slug", FieldCode::Taken),
            (form("Plates", "no-such"), "parent", FieldCode::NotAChoice),
            (form("", ""), "name", FieldCode::Missing),
            (CategoryForm { tax_category: "Not one".into(), ..form("Plates", "") }, "tax_category", FieldCode::BadCharacters),
        ] {
            let refused = category_tree::add(engine, &system, &form).await.unwrap_err();
            assert_eq!(refused.at(field), Some(code), "{form:?}");
        }

        for (slug, up, after) in [
            ("tea", true, "tea home-kitchen .cups .bowls"),
            ("tea", true, "tea home-kitchen .cups .bowls"),
            ("cups", false, "tea home-kitchen .bowls .cups"),
            ("cups", false, "tea home-kitchen .bowls .cups"),
            ("bowls", true, "tea home-kitchen .bowls .cups"),
        ] {
            category_tree::shift(engine, &system, slug, up).await.unwrap();
            assert_eq!(tree(market).await, after, "{slug} {up}");
        }
        let roots = catalog::roots(engine, &Caller::guest()).await.unwrap();
        assert_eq!(roots.iter().map(|root| root.name.as_str()).collect::<Vec<_>>(), ["Tea", "Home & kitchen"]);

        // A name in another language that is left blank is none, and the slug stays.
        category_tree::change(engine, &system, "tea", &form("Teas", "")).await.unwrap();
        assert_eq!(catalog::category(engine, &hindi, "tea").await.unwrap().name, "Teas");
        assert_eq!(category_tree::change(engine, &system, "no-such", &form("Teas", "")).await, Err(Error::NotFound));
        assert_eq!(category_tree::shift(engine, &system, "no-such", true).await, Err(Error::NotFound));
        assert_eq!(category_tree::remove(engine, &system, "no-such", "").await, Err(Error::NotFound));
        let rows = audit::list(engine, &system, "").await.unwrap().items;
        assert!(rows.iter().any(|row| row.action == "category_tree::change" && row.note == "tea/"));
    }

    async fn a_category_moves_with_its_products_and_promotions(market) {
        let (engine, system) = (&market.engine, Caller::system());
        for (name, parent) in [("Home", ""), ("Cups", "home"), ("Mugs", "cups"), ("Tea", "")] {
            add(market, name, parent).await;
        }
        put(market, "Blue mug", "mugs").await;
        commissions::set(engine, &system, &RateFor::Category("tea".into()), Some(250)).await.unwrap();
        let coupon = PromotionForm {
            label: "Mugs".into(), code: "MUGS".into(), kind: "percent".into(), percent: "10".into(),
            categories: "mugs".into(), combines: "1".into(), ..PromotionForm::default()
        };
        let id = promotions::create_of_market(engine, &system, &coupon).await.unwrap();
        let mug = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items;
        let mug = mug.iter().find(|card| card.title == "Blue mug").unwrap().variant_id;
        let discounted = async || {
            let guest = market.guest_with(&[(mug, 1)]).await;
            match cart_codes::add_code(engine, &guest, "MUGS").await {
                Ok(cart) => cart.discounts[0].amount.amount(),
                Err(_) => 0,
            }
        };
        let searching = &Engine::new(Parts { search: ProductSearch::in_memory(), ..market.parts() }).unwrap();
        product_search::feed(searching).await.unwrap();
        assert_eq!((titles(market, "home").await, discounted().await), (vec!["Blue mug".to_owned()], 1_000));

        // Nothing goes below itself.
        for parent in ["cups", "mugs"] {
            let refused = category_tree::change(engine, &system, "cups", &form("Cups", parent)).await.unwrap_err();
            assert_eq!(refused.at("parent"), Some(FieldCode::NotAChoice), "{parent}");
        }
        category_tree::change(engine, &system, "cups", &form("Cups", "tea")).await.unwrap();
        assert_eq!(tree(market).await, "home tea .cups ..mugs");
        assert_eq!((titles(market, "home").await.len(), titles(market, "tea").await.len(), discounted().await), (0, 1, 1_000));
        let trail = catalog::category(engine, &Caller::guest(), "mugs").await.unwrap().trail;
        assert_eq!(trail.iter().map(|link| link.slug.as_str()).collect::<Vec<_>>(), ["tea", "cups"]);
        let rate = async || {
            let guest = market.guest_with(&[(mug, 1)]).await;
            let number = market.buy_by_card(&guest).await;
            let owner = market.owner(MEENA).await;
            orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap().commission.amount()
        };
        commissions::set(engine, &system, &RateFor::Shop(MEENA.into()), None).await.unwrap();
        assert_eq!(rate().await, 250);
        assert!(product_search::feed(searching).await.unwrap() > 0, "the index has the new path");

        // What is below a removed category goes up, and its products go with its promotions.
        category_tree::remove(engine, &system, "cups", "").await.unwrap();
        assert_eq!((tree(market).await, discounted().await), ("home tea .mugs".into(), 1_000));
        let into_itself = category_tree::remove(engine, &system, "mugs", "mugs").await.unwrap_err();
        assert_eq!(into_itself.at("into"), Some(FieldCode::NotAChoice));
        category_tree::remove(engine, &system, "mugs", "home").await.unwrap();
        assert_eq!((tree(market).await, titles(market, "home").await.len(), discounted().await), ("home tea".into(), 1, 1_000));
        let typed = promotions::find_of_market(engine, &system, id).await.unwrap().form.categories;
        assert_eq!(typed, "home");
        // Without a category to go to, a product has none, and a promotion of it is for nothing.
        category_tree::remove(engine, &system, "home", "").await.unwrap();
        assert_eq!((tree(market).await, discounted().await), ("tea".into(), 0));
        let all = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap();
        assert!(all.items.iter().any(|card| card.title == "Blue mug"));
        market.settle().await;
    }

    async fn the_tree_has_so_many_levels(market) {
        let mut parent = String::new();
        for level in 1..=DEPTH_MAX {
            parent = add(market, &format!("Level {level}"), &parent).await;
        }
        let (engine, system) = (&market.engine, Caller::system());
        let deeper = category_tree::add(engine, &system, &form("One more", &parent)).await.unwrap_err();
        assert_eq!(deeper.at("parent"), Some(FieldCode::TooMany));
        // What is moved has levels of its own.
        add(market, "Other", "").await;
        let moved = category_tree::change(engine, &system, "level-1", &form("Level 1", "other")).await.unwrap_err();
        assert_eq!(moved.at("parent"), Some(FieldCode::TooMany));
        category_tree::change(engine, &system, "level-2", &form("Level 2", "other")).await.unwrap();
    }

    /// Each would be below the other.
    async fn two_moves_make_no_circle(market) {
        for (left, right) in [("Cups", "Bowls"), ("Tea", "Coffee"), ("Pens", "Paper")] {
            let slugs = [add(market, left, "").await, add(market, right, "").await];
            let moves = [(0, left), (1, right)].map(|(i, name)| {
                let (engine, slug, form) = (market.engine.clone(), slugs[i].clone(), form(name, &slugs[1 - i]));
                async move { category_tree::change(&engine, &Caller::system(), &slug, &form).await }
            });
            let outcomes = at_once(moves.into()).await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{left}: {outcomes:?}");
        }
        assert_eq!(tree(market).await.split(' ').count(), 6, "all are still shown");
    }
}
