//! The rates of the marketplace's commission: the usual one, those of categories, and those of shops.

use haat_engine::{
    Caller,
    catalog::{self, NewCategory, NewProduct, NewVariant, put_categories},
    commissions, orders, shops,
};
use haat_shared::{
    Error, FieldCode,
    catalog::ListProducts,
    commissions::{RateFor, RateOf},
};

use crate::both;

const MEENA: &str = "meena-crafts";

fn category(slug: &str) -> RateFor {
    RateFor::Category(slug.into())
}

fn shop() -> RateFor {
    RateFor::Shop(MEENA.into())
}

both! {
    async fn the_rate_of_a_sale_is_the_shops_the_categorys_or_the_usual_one(market) {
        let (engine, system) = (&market.engine, &Caller::system());
        let new = |slug: &str, parent: Option<&str>| NewCategory {
            slug: slug.into(),
            name: slug.to_uppercase(),
            parent: parent.map(str::to_owned),
            ..NewCategory::default()
        };
        put_categories(engine, system, vec![new("home", None), new("bowls", Some("home"))]).await.unwrap();
        let id = catalog::category_ids(engine).await.unwrap()["bowls"];
        let variant = NewVariant { sku: "BOWL".into(), price_minor: 10_000, stock: 50, ..NewVariant::default() };
        let bowl = NewProduct { title: "Bowl".into(), category: Some(id), variants: vec![variant], ..NewProduct::default() };
        catalog::upsert_products(engine, system, MEENA, vec![bowl]).await.unwrap();
        let cards = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items;
        let bowl = cards.iter().find(|card| card.title == "Bowl").unwrap().variant_id;
        let owner = market.owner(MEENA).await;
        let charged = async || {
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let number = market.buy_by_card(&guest).await;
            orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap().commission.amount()
        };
        for (of, rate_bp, commission) in [
            // The shop had a rate of its own.
            (RateFor::Usual, Some(1_500), 1_000),
            (shop(), None, 1_500),
            (category("home"), Some(800), 800),
            (category("bowls"), Some(500), 500),
            (shop(), Some(0), 0),
            (shop(), None, 500),
            (category("bowls"), None, 800),
            (category("home"), None, 1_500),
        ] {
            commissions::set(engine, system, &of, rate_bp).await.unwrap();
            assert_eq!(charged().await, commission, "{of:?} {rate_bp:?}");
        }
        // A new category has the rate of the one above it.
        commissions::set(engine, system, &category("home"), Some(700)).await.unwrap();
        put_categories(engine, system, vec![new("home", None), new("bowls", Some("home")), new("jugs", Some("home"))]).await.unwrap();
        let settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        let rate = |of: &str, name: &str, rate_bp| RateOf { of: of.into(), name: name.into(), rate_bp };
        assert_eq!((settings.commission_bp, settings.commissions), (1_500, vec![rate("home", "HOME", 700)]));
        commissions::set(engine, system, &shop(), Some(250)).await.unwrap();
        let settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        assert_eq!((settings.commission_bp, settings.commissions), (250, Vec::new()), "nothing else applies");
        let rates = commissions::rates(engine, system).await.unwrap();
        assert_eq!((rates.usual_bp, rates.categories), (1_500, vec![rate("home", "HOME", 700)]));
        assert!(rates.shops.iter().any(|rate| rate.of == MEENA && rate.rate_bp == 250));
        market.settle().await;
    }

    async fn rates_have_bounds_and_only_admins_set_them(market) {
        let (engine, system) = (&market.engine, &Caller::system());
        for (of, rate_bp, field, code) in [
            (RateFor::Usual, Some(-1), "percent", FieldCode::TooSmall),
            (RateFor::Usual, Some(10_001), "percent", FieldCode::TooBig),
            (RateFor::Usual, None, "percent", FieldCode::Missing),
            (category("nowhere"), Some(1), "category", FieldCode::NotAChoice),
            (RateFor::Shop("nobody".into()), Some(1), "shop", FieldCode::NotAChoice),
        ] {
            let refused = commissions::set(engine, system, &of, rate_bp).await.unwrap_err();
            assert_eq!(refused.at(field), Some(code), "{of:?} {rate_bp:?}");
        }
        let owner = market.owner(MEENA).await;
        for (caller, error) in [(Caller::guest(), Error::SignInNeeded), (owner, Error::NotFound)] {
            assert_eq!(commissions::set(engine, &caller, &shop(), Some(0)).await, Err(error.clone()));
            assert_eq!(commissions::rates(engine, &caller).await, Err(error));
        }
        assert_eq!(commissions::rates(engine, system).await.unwrap().usual_bp, 1_000);
    }
}
