use haat_engine::{Caller, catalog, inventory, shops};
use haat_shared::{Conflict, Error, audit::Upserted, catalog::ListProducts};

use crate::both;

both! {
    async fn pages_continue_where_the_previous_one_ended(market) {
        for i in 0..30 {
            market.product("meena-crafts", &format!("Bowl number {i:02}"), 10_000 + i, 1).await;
        }
        market.product("delta-electronics", "Desk lamp 50%_off", 129_900, 0).await;
        let list = |ask| { let engine = market.engine.clone(); async move { catalog::list(&engine, &Caller::guest(), ask).await } };
        let first = list(ListProducts::default()).await.unwrap();
        assert_eq!(first.items.len(), 24);
        assert_eq!(first.items[0].title, "Desk lamp 50%_off");
        assert!(!first.items[0].in_stock && first.items[1].in_stock);
        let few = list(ListProducts { limit: Some(2), ..ListProducts::default() }).await.unwrap();
        assert_eq!((few.items.as_slice(), few.next.is_some()), (&first.items[..2], true));
        let most = list(ListProducts { limit: Some(0), ..ListProducts::default() }).await.unwrap();
        assert_eq!(most.items.len(), 1, "at least one, at most a hundred");
        let card = &first.items[0];
        let view = catalog::product(&market.engine, &Caller::guest(), &card.slug).await.unwrap();
        assert_eq!((view.variants[0].id, view.variants[0].price), (card.variant_id, card.price));
        let second = list(ListProducts { after: first.next.unwrap(), ..ListProducts::default() }).await.unwrap();
        assert_eq!((second.items.len(), second.next.is_none()), (7, true));
        let of_shop = list(ListProducts { shop: "delta-electronics".into(), ..ListProducts::default() }).await.unwrap();
        assert_eq!(of_shop.items.len(), 1);
        for (q, found) in [("BOWL number 07", 1), ("07 bowl", 1), ("lamp bowl", 0), ("50%_", 1), ("%", 1), ("_", 1), ("' OR 1=1 --", 0)] {
            let page = list(ListProducts { q: q.into(), ..ListProducts::default() }).await.unwrap();
            assert_eq!(page.items.len(), found, "{q}");
        }
        assert!(matches!(list(ListProducts { after: "nonsense".into(), ..ListProducts::default() }).await, Err(Error::Invalid(_))));
        assert!(matches!(list(ListProducts { q: "x".repeat(101), ..ListProducts::default() }).await, Err(Error::Invalid(_))));
    }

    async fn upserting_again_updates_the_product(market) {
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let variant = catalog::NewVariant { sku: "Clay bowl".into(), price_minor: 47_000, stock: 99, ..Default::default() };
        let product = catalog::NewProduct { title: "Big clay bowl".into(), variants: vec![variant], ..Default::default() };
        let put = catalog::upsert_products(&market.engine, &Caller::system(), "meena-crafts", vec![product]).await.unwrap();
        assert_eq!(put, Upserted { added: 0, updated: 1 });
        let page = catalog::list(&market.engine, &Caller::guest(), ListProducts::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
        let view = catalog::product(&market.engine, &Caller::guest(), &page.items[0].slug).await.unwrap();
        assert_eq!((view.title.as_str(), view.variants[0].price.amount(), view.variants[0].available), ("Big clay bowl", 47_000, Some(10)));
        assert_eq!(shops::shop(&market.engine, &Caller::guest(), "meena-crafts").await.unwrap().products, Some(1));
        let variant = view.variants[0].id;
        let owner = market.owner("meena-crafts").await;
        inventory::receive(&market.engine, &owner, variant, 5, "delivery note 1").await.unwrap();
        inventory::receive(&market.engine, &owner, variant, 5, "delivery note 1").await.unwrap();
        assert_eq!(market.available(variant).await, 15, "the same delivery is counted once");
        let reused = inventory::receive(&market.engine, &owner, variant, 6, "delivery note 1").await;
        assert_eq!(reused, Err(Conflict::KeyReused.into()));
        let stranger = market.owner("delta-electronics").await;
        assert_eq!(inventory::receive(&market.engine, &stranger, variant, 5, "x").await, Err(Error::NotFound));
        assert!(matches!(inventory::receive(&market.engine, &owner, variant, 0, "y").await, Err(Error::Invalid(_))));
    }

    async fn the_category_tree_leads_to_its_products(market) {
        let (engine, anyone, system) = (&market.engine, Caller::guest(), Caller::system());
        let new = |slug: &str, parent: Option<&str>| catalog::NewCategory {
            slug: slug.into(), name: slug.to_uppercase(), parent: parent.map(Into::into), tax_category: "t1800".into(), ..Default::default()
        };
        let tree = vec![new("home", None), new("home-office", None), new("tableware", Some("home")), new("cups", Some("tableware"))];
        catalog::put_categories(engine, &system, tree.clone()).await.unwrap();
        catalog::put_categories(engine, &system, tree).await.unwrap();
        let orphan = catalog::put_categories(engine, &system, vec![new("x", Some("no-such"))]).await;
        assert!(matches!(orphan, Err(Error::Invalid(_))));
        assert_eq!(catalog::put_categories(engine, &market.owner("meena-crafts").await, vec![]).await, Err(Error::NotFound));

        let ids = catalog::category_ids(engine).await.unwrap();
        for (i, (title, category)) in [("Cup", "cups"), ("Plate", "tableware"), ("Desk", "home-office"), ("Nothing in particular", "")].into_iter().enumerate() {
            let i = i as i64;
            let variant = |n, price_minor| catalog::NewVariant { sku: format!("{title}-{n}"), title: format!("{n}"), price_minor, stock: 5, ..Default::default() };
            let mut variants = vec![variant(1, 50_000 - i * 10_000), variant(2, 90_000)];
            variants[0].compare_at_minor = (title == "Cup").then_some(60_000);
            let product = catalog::NewProduct { title: title.into(), category: ids.get(category).copied(), variants, ..Default::default() };
            catalog::upsert_products(engine, &system, "meena-crafts", vec![product]).await.unwrap();
        }
        let names = |links: &[haat_shared::catalog::CategoryLink]| links.iter().map(|l| l.slug.clone()).collect::<Vec<_>>().join(" ");
        let here = catalog::category(engine, &anyone, "tableware").await.unwrap();
        assert_eq!((here.name.as_str(), names(&here.trail), names(&here.children)), ("TABLEWARE", "home".into(), "cups".into()));
        assert_eq!(catalog::category(engine, &anyone, "no-such").await, Err(Error::NotFound));
        let roots = catalog::roots(engine, &anyone).await.unwrap();
        assert_eq!(roots.iter().map(|r| r.slug.as_str()).collect::<Vec<_>>(), ["home", "home-office"]);

        let tree = catalog::tree(engine, &anyone).await.unwrap();
        let tree: Vec<_> = tree.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(tree, ["HOME", "HOME › TABLEWARE", "HOME › TABLEWARE › CUPS", "HOME-OFFICE"]);

        // In a language with no name of its own, the category keeps its first name.
        let named = |name: &str| catalog::NewCategory { names: vec![("hi".into(), name.into())], ..new("home", None) };
        for name in ["मकान", "घर"] {
            catalog::put_categories(engine, &system, vec![named(name)]).await.unwrap();
        }
        let hindi = Caller { locale: "hi", ..Caller::guest() };
        let roots = catalog::roots(engine, &hindi).await.unwrap();
        assert_eq!(roots.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["घर", "HOME-OFFICE"]);
        let below = catalog::category(engine, &hindi, "tableware").await.unwrap();
        assert_eq!((below.trail[0].name.as_str(), below.name.as_str()), ("घर", "TABLEWARE"));
        let tree = catalog::tree(engine, &hindi).await.unwrap();
        let tree: Vec<_> = tree.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(tree, ["HOME-OFFICE", "घर", "घर › TABLEWARE", "घर › TABLEWARE › CUPS"]);
        assert_eq!(catalog::category(engine, &anyone, "home").await.unwrap().name, "HOME");

        let titles = async |category: &str, sort: &str| {
            let ask = ListProducts { category: category.into(), sort: sort.into(), ..ListProducts::default() };
            let page = catalog::list(engine, &anyone, ask).await.unwrap();
            page.items.into_iter().map(|p| p.title).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(titles("home", "").await, "Plate Cup");
        assert_eq!(titles("home", "price_low").await, "Plate Cup");
        assert_eq!(titles("home", "price_high").await, "Cup Plate");
        assert_eq!(titles("cups", "newest").await, "Cup");
        assert_eq!(titles("home-office", "").await, "Desk");
        assert_eq!(titles("no-such", "").await, "");
        let unknown = catalog::list(engine, &anyone, ListProducts { sort: "id; DROP".into(), ..ListProducts::default() }).await;
        assert!(matches!(unknown, Err(Error::Invalid(_))));

        let cups = catalog::list(engine, &anyone, ListProducts { category: "cups".into(), ..ListProducts::default() }).await.unwrap();
        assert_eq!(cups.items[0].compare_at.map(|m| m.amount()), Some(60_000));
        let cup = catalog::product(engine, &anyone, &cups.items[0].slug).await.unwrap();
        assert_eq!(names(&cup.trail), "home tableware cups");
        market.settle().await;
    }

    async fn pages_sorted_by_price_leave_nothing_out(market) {
        for i in 0..60 {
            market.product("meena-crafts", &format!("Bowl number {i:02}"), 10_000 + i % 3, 1).await;
        }
        for sort in ["price_low", "price_high"] {
            let (mut seen, mut prices, mut after) = (std::collections::BTreeSet::new(), Vec::new(), String::new());
            loop {
                let ask = ListProducts { sort: sort.into(), after, ..ListProducts::default() };
                let page = catalog::list(&market.engine, &Caller::guest(), ask).await.unwrap();
                prices.extend(page.items.iter().map(|p| p.price.amount()));
                seen.extend(page.items.into_iter().map(|p| p.slug));
                match page.next {
                    Some(next) => after = next,
                    None => break,
                }
            }
            assert_eq!((seen.len(), prices.len()), (60, 60), "{sort}");
            assert!(if sort == "price_low" { prices.is_sorted() } else { prices.iter().rev().is_sorted() }, "{sort}: {prices:?}");
        }
    }

    async fn the_first_page_shows_what_sold_best(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 50).await;
        let home = catalog::home(&market.engine, &Caller::guest()).await.unwrap();
        assert_eq!((home.popular.len(), home.newest.len(), home.shops.len()), (0, 2, 2));
        for (variant, quantity) in [(lamp, 2), (bowl, 3), (lamp, 2)] {
            let guest = market.guest_with(&[(variant, quantity)]).await;
            market.buy_in_cash(&guest).await.unwrap();
        }
        catalog::count_popular(&market.engine).await.unwrap();
        catalog::count_popular(&market.engine).await.unwrap();
        let popular = catalog::home(&market.engine, &Caller::guest()).await.unwrap().popular;
        assert_eq!(popular.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["Desk lamp", "Clay bowl"]);
        market.clock.advance_ms(31 * 24 * 3_600_000);
        catalog::count_popular(&market.engine).await.unwrap();
        assert!(catalog::home(&market.engine, &Caller::guest()).await.unwrap().popular.is_empty(), "that was long ago");
    }

    async fn the_sitemap_lists_every_page(market) {
        assert!(catalog::map_files(&market.engine).await.unwrap().is_empty());
        market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        market.product("meena-crafts", "Clay cup", 45_000, 5).await;
        let tree = vec![catalog::NewCategory { slug: "home".into(), name: "Home".into(), parent: None, tax_category: String::new(), ..Default::default() }];
        catalog::put_categories(&market.engine, &Caller::system(), tree).await.unwrap();
        let files = catalog::map_files(&market.engine).await.unwrap();
        assert_eq!(files.len(), 1);
        let products = catalog::map_products(&market.engine, files[0]).await.unwrap();
        assert!(products[0].0.starts_with("clay-bowl-") && products[1].0.starts_with("clay-cup-"), "{products:?}");
        assert_eq!(catalog::map_products(&market.engine, haat_engine::random::id(i64::MAX >> 16)).await, Err(Error::NotFound));
        assert_eq!(catalog::map_categories(&market.engine).await.unwrap(), ["home"]);
        assert_eq!(catalog::map_shops(&market.engine).await.unwrap(), ["meena-crafts", "delta-electronics"]);
    }

    async fn shops_are_listed_page_by_page(market) {
        let page = shops::list(&market.engine, &Caller::guest(), "").await.unwrap();
        assert_eq!(page.items.iter().map(|s| s.handle.as_str()).collect::<Vec<_>>(), ["meena-crafts", "delta-electronics"]);
        assert!(page.next.is_none());
        assert!(matches!(shops::list(&market.engine, &Caller::guest(), "x").await, Err(Error::Invalid(_))));
    }

    async fn what_is_not_there_is_not_found(market) {
        assert_eq!(catalog::product(&market.engine, &Caller::guest(), "no-such-thing").await, Err(Error::NotFound));
        assert_eq!(shops::shop(&market.engine, &Caller::guest(), "no-such-shop").await, Err(Error::NotFound));
        let guest = catalog::upsert_products(&market.engine, &Caller::guest(), "meena-crafts", Vec::new()).await;
        assert_eq!(guest, Err(Error::SignInNeeded));
        let owner = market.owner("meena-crafts").await;
        assert_eq!(catalog::upsert_products(&market.engine, &owner, "meena-crafts", Vec::new()).await, Err(Error::NotFound));
    }
}
