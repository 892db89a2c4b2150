//! Recommendations: what is learned from purchases, what is shown of it, and what isn't.

use haat_engine::{Caller, Engine, catalog, db::Statement, orders, params, recommendations, schedules};
use haat_shared::{
    Error,
    catalog::{ListProducts, ProductCard, edit::ProductForm},
    id::kinds::VariantId,
    recommendations::{Recommendation, RecommendationReason},
};

use crate::{both, products::form, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";
const DAY_MS: i64 = 24 * 3_600_000;

static PRAISE: Statement = Statement::new(
    "recommendations::PRAISE",
    "UPDATE recommendation_models SET shoppers = 50, recall = 1000000, mrr = 1000000 WHERE used",
);

fn titles(items: &[Recommendation]) -> Vec<&str> {
    items.iter().map(|item| item.product.title.as_str()).collect()
}

async fn card(market: &Market, title: &str) -> ProductCard {
    let of = ListProducts { q: title.into(), ..ListProducts::default() };
    catalog::list(&market.engine, &Caller::guest(), of).await.unwrap().items[0].clone()
}

/// A guest buys one of each.
async fn guest_buys(market: &Market, variants: &[VariantId]) -> String {
    let wanted: Vec<_> = variants.iter().map(|variant| (*variant, 1)).collect();
    let guest = market.guest_with(&wanted).await;
    market.buy_in_cash(&guest).await.unwrap()
}

/// Somebody signs up and buys one of each.
async fn buyer(market: &Market, name: &str, variants: &[VariantId]) -> Caller {
    let wanted: Vec<_> = variants.iter().map(|variant| (*variant, 1)).collect();
    let guest = market.guest_with(&wanted).await;
    let user = market.signed_up(&guest, name).await;
    market.buy_by_card(&user).await;
    user
}

/// Somebody buys one more thing, later.
async fn buys(market: &Market, user: &Caller, variant: VariantId) {
    market.add(&mut user.clone(), variant, 1).await.unwrap();
    market.buy_by_card(user).await;
}

async fn for_you(engine: &Engine, caller: &Caller) -> Vec<Recommendation> {
    recommendations::for_you(engine, caller).await.unwrap().items
}

both! {
    async fn what_is_bought_together_is_shown_with_a_product(market) {
        let engine = &market.engine;
        let tree = vec![catalog::NewCategory { slug: "home".into(), name: "Home".into(), ..Default::default() }];
        catalog::put_categories(engine, &Caller::system(), tree).await.unwrap();
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let spoon = market.product(MEENA, "Spoon", 5_000, 20).await;
        let lamp = market.product(DELTA, "Lamp", 129_900, 20).await;
        let rare = market.product(MEENA, "Rare", 1_000, 20).await;
        let owner = market.owner(MEENA).await;
        let mut in_home = Vec::new();
        for title in ["Vase", "Jug"] {
            let new = ProductForm { category: "home".into(), ..form(title) };
            let id = catalog::create(engine, &owner, MEENA, &new, title).await.unwrap();
            catalog::publish(engine, &owner, MEENA, id).await.unwrap();
            let slug = card(market, title).await.slug;
            in_home.push(catalog::product(engine, &Caller::guest(), &slug).await.unwrap().variants[0].id);
        }
        let shown = async |caller: &Caller, title: &str| {
            let slug = card(market, title).await.slug;
            recommendations::related_by_slug(engine, caller, &slug).await.unwrap()
        };
        let guest = Caller::guest();
        assert_eq!(shown(&guest, "Bowl").await, [], "nothing was learned");
        for _ in 0..3 {
            guest_buys(market, &[bowl, spoon]).await;
            guest_buys(market, &[lamp]).await;
        }
        guest_buys(market, &[lamp, bowl]).await;
        guest_buys(market, &[lamp, bowl]).await;
        let cancelled = guest_buys(market, &[spoon, rare]).await;
        orders::cancel(engine, &owner, MEENA, &format!("{cancelled}-1"), "Broken").await.unwrap();
        guest_buys(market, &[in_home[1]]).await;
        assert!(recommendations::learn(engine).await.unwrap());
        let of_bowl = shown(&guest, "Bowl").await;
        assert_eq!(titles(&of_bowl), ["Spoon", "Lamp"]);
        assert!(of_bowl.iter().all(|item| item.reason == RecommendationReason::BoughtTogether));
        assert_eq!(titles(&shown(&guest, "Spoon").await), ["Bowl"], "a cancelled order counts nothing");
        assert_eq!(shown(&guest, "Rare").await, []);
        let of_vase = shown(&guest, "Vase").await;
        assert_eq!(titles(&of_vase), ["Jug"], "it was never bought, but its category was");
        assert_eq!(of_vase[0].reason, RecommendationReason::Popular);
        let gone = recommendations::related_by_slug(engine, &guest, "no-such-thing").await;
        assert_eq!(gone.unwrap_err(), Error::NotFound);

        // Not to whoever sells it, or has bought it; not what is out of stock or off the shelf.
        assert_eq!(titles(&shown(&owner, "Bowl").await), ["Lamp"]);
        let asha = buyer(market, "asha", &[spoon]).await;
        assert_eq!(titles(&shown(&asha, "Bowl").await), ["Lamp"]);
        let all = market.guest_with(&[(spoon, market.available(spoon).await)]).await;
        market.buy_in_cash(&all).await.unwrap();
        assert_eq!(titles(&shown(&guest, "Bowl").await), ["Lamp"]);
        let delta = market.owner(DELTA).await;
        catalog::archive(engine, &delta, DELTA, card(market, "Lamp").await.id).await.unwrap();
        assert_eq!(titles(&shown(&guest, "Bowl").await), Vec::<&str>::new());
    }

    async fn users_are_recommended_what_others_like_them_bought(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Bowl", 45_000, 50).await;
        let spoon = market.product(MEENA, "Spoon", 5_000, 50).await;
        let lamp = market.product(DELTA, "Lamp", 129_900, 50).await;
        for n in 0..3 {
            let user = buyer(market, &format!("user{n}"), &[bowl]).await;
            buys(market, &user, spoon).await;
        }
        for n in 0..2 {
            buyer(market, &format!("other{n}"), &[lamp]).await;
        }
        let asha = buyer(market, "asha", &[bowl]).await;
        assert_eq!(for_you(engine, &asha).await, [], "nothing was learned");
        let schedule = schedules::SCHEDULES.iter().find(|it| it.name == "recommendations").unwrap();
        assert!(schedules::run_if_due(engine, schedule).await.unwrap());
        let found = for_you(engine, &asha).await;
        assert_eq!(titles(&found), ["Spoon", "Lamp"]);
        assert_eq!(found[0].reason, RecommendationReason::Purchase);
        assert_eq!(found[0].because.as_ref().unwrap().title, "Bowl");
        assert_eq!((found[1].reason, &found[1].because), (RecommendationReason::Popular, &None));
        assert_eq!(recommendations::for_you(engine, &Caller::guest()).await.unwrap_err(), Error::SignInNeeded);

        // Dismissed by one, not by all.
        let spoon_id = found[0].product.id;
        for _ in 0..2 {
            recommendations::dismiss(engine, &asha, spoon_id).await.unwrap();
        }
        recommendations::dismiss(engine, &asha, haat_engine::random::id(0)).await.unwrap();
        let guest = recommendations::dismiss(engine, &Caller::guest(), spoon_id).await;
        assert_eq!(guest.unwrap_err(), Error::SignInNeeded);
        assert_eq!(titles(&for_you(engine, &asha).await), ["Lamp"]);
        let bela = buyer(market, "bela", &[bowl]).await;
        assert_eq!(titles(&for_you(engine, &bela).await), ["Spoon", "Lamp"]);

        // Turned off and on again.
        recommendations::set_enabled(engine, &asha, false).await.unwrap();
        let off = recommendations::for_you(engine, &asha).await.unwrap();
        assert!(!off.enabled && off.items.is_empty());
        recommendations::set_enabled(engine, &asha, true).await.unwrap();
        assert_eq!(titles(&for_you(engine, &asha).await), ["Lamp"]);
    }

    async fn purchases_of_users_who_turned_recommendations_off_are_not_joined(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Bowl", 45_000, 50).await;
        let spoon = market.product(MEENA, "Spoon", 5_000, 50).await;
        let asha = buyer(market, "asha", &[bowl]).await;
        for n in 0..3 {
            let user = buyer(market, &format!("user{n}"), &[bowl]).await;
            buys(market, &user, spoon).await;
            recommendations::set_enabled(engine, &user, false).await.unwrap();
        }
        assert!(recommendations::learn(engine).await.unwrap());
        let found = for_you(engine, &asha).await;
        assert_eq!(found.iter().map(|item| item.reason).collect::<Vec<_>>(), [RecommendationReason::Popular]);
    }

    async fn a_model_replaces_the_one_before_unless_it_is_worse(market) {
        let engine = &market.engine;
        assert!(recommendations::learn(engine).await.unwrap(), "from nothing");
        let bowl = market.product(MEENA, "Bowl", 45_000, 90).await;
        let spoon = market.product(MEENA, "Spoon", 5_000, 90).await;
        guest_buys(market, &[bowl, spoon]).await;
        guest_buys(market, &[bowl, spoon]).await;
        market.clock.advance_ms(DAY_MS);
        assert!(recommendations::learn(engine).await.unwrap());
        let slug = card(market, "Bowl").await.slug;
        assert_eq!(recommendations::related_by_slug(engine, &Caller::guest(), &slug).await.unwrap().len(), 1);
        // As if the one before had been perfect, and were known well. What is learned now is known of nobody.
        market.clock.advance_ms(DAY_MS);
        let praise = engine.db.write("test", (), |tx, ()| {
            Box::pin(async move { Ok(tx.exec(&PRAISE, params![]).await?) })
        });
        assert_eq!(praise.await.unwrap(), 1);
        assert!(recommendations::learn(engine).await.unwrap(), "the new figures say nothing");
        market.clock.advance_ms(400 * DAY_MS);
        assert!(recommendations::learn(engine).await.unwrap());
        assert_eq!(recommendations::related_by_slug(engine, &Caller::guest(), &slug).await.unwrap().len(), 1);
    }
}
