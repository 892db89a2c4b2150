//! The search of products: what feeds the index of a node, and what it finds.

use haat_engine::{
    Caller, Engine, Parts, catalog, db::Scalar, finding, params, product_search, schedules, search_terms,
    statements,
};
use haat_shared::{
    Error, FieldCode,
    catalog::{
        Attribute, ListProducts,
        attributes::{AttributeForm, AttributeKind, AttributeOption, AttributeText},
        facets::{FacetValue, ProductResults, Spelling},
        synonyms::SearchedTerm,
    },
};

use crate::{both, products::form, support::*};

statements! {
    TERMS = "SELECT COUNT(*) AS value FROM search_terms";
}

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

/// The market with an index in memory.
fn searching(market: &Market) -> Engine {
    Engine::new(Parts { search: product_search::ProductSearch::in_memory(), ..market.parts() }).unwrap()
}

/// The market with an index in its folder.
fn on_disk(market: &Market) -> Engine {
    let search = product_search::ProductSearch::in_folder(market.folder.join("search"));
    Engine::new(Parts { search, ..market.parts() }).unwrap()
}

fn words(q: &str) -> ListProducts {
    ListProducts { q: q.into(), ..ListProducts::default() }
}

async fn ask(engine: &Engine, of: ListProducts) -> ProductResults {
    finding::find(engine, &Caller::guest(), of).await.unwrap()
}

async fn titles(engine: &Engine, of: ListProducts) -> Vec<String> {
    ask(engine, of).await.page.items.into_iter().map(|card| card.title).collect()
}

fn value(value: &str, name: &str, count: i64) -> FacetValue {
    FacetValue { value: value.into(), name: name.into(), count }
}

both! {
    async fn what_changes_is_found_with_the_next_step(market) {
        let engine = &searching(market);
        let owner = market.owner(MEENA).await;
        let jug = catalog::create(engine, &owner, MEENA, &form("Brown jug"), "k1").await.unwrap();
        product_search::feed(engine).await.unwrap();
        assert!(ask(engine, words("jug")).await.found.is_some(), "the index answers");
        assert_eq!(titles(engine, words("jug")).await, Vec::<String>::new(), "a draft");
        catalog::publish(engine, &owner, MEENA, jug).await.unwrap();
        assert_eq!(product_search::feed(engine).await.unwrap(), 1);
        assert_eq!(product_search::feed(engine).await.unwrap(), 0, "nothing has changed since");
        for q in ["jug", "JUGS", "jgu brown", "meena", "clay", "brown jug-s", "thrown by hand"] {
            assert_eq!(titles(engine, words(q)).await, ["Brown jug"], "{q}");
        }

        // Another price and another title.
        let before = catalog::seller_product(engine, &owner, MEENA, jug).await.unwrap();
        let mut changed = before.form.clone();
        changed.title = "Brown pitcher".into();
        changed.variants[0].price = "99".into();
        catalog::update(engine, &owner, MEENA, jug, before.version, &changed, "k2").await.unwrap();
        let cheap = || ListProducts { max_price: "100".into(), ..words("brown") };
        assert_eq!(titles(engine, cheap()).await, Vec::<String>::new());
        assert_eq!(product_search::feed(engine).await.unwrap(), 1);
        assert_eq!(titles(engine, cheap()).await, ["Brown pitcher"]);
        assert_eq!(titles(engine, words("jug")).await, Vec::<String>::new());

        // Off the shelf.
        catalog::archive(engine, &owner, MEENA, jug).await.unwrap();
        assert_eq!(titles(engine, words("brown")).await, Vec::<String>::new(), "even before the index knows");
        assert_eq!(product_search::feed(engine).await.unwrap(), 1);
        assert_eq!(ask(engine, words("brown")).await.found.unwrap().total, 0);

        // Deleted, and changed long ago, as seen when all are compared.
        let cup = catalog::create(engine, &owner, MEENA, &form("Cup"), "k3").await.unwrap();
        catalog::publish(engine, &owner, MEENA, cup).await.unwrap();
        product_search::feed(engine).await.unwrap();
        catalog::archive(engine, &owner, MEENA, cup).await.unwrap();
        market.clock.advance_ms(120_000);
        assert_eq!(product_search::feed(engine).await.unwrap(), 1);
        assert_eq!(ask(engine, words("cup")).await.found.unwrap().total, 0);
        assert!(finding::suggest(engine, &Caller::guest(), "cup").await.unwrap().products.is_empty());
    }

    async fn results_are_narrowed_down_sorted_and_paged(market) {
        let engine = &searching(market);
        let system = Caller::system();
        let tree = ["pottery", "cups"].map(|slug| catalog::NewCategory {
            slug: slug.into(),
            name: slug.to_uppercase(),
            parent: (slug == "cups").then(|| "pottery".into()),
            names: vec![("hi".into(), "कप".into())],
            ..Default::default()
        });
        catalog::put_categories(engine, &system, tree.into()).await.unwrap();
        let ids = catalog::category_ids(engine).await.unwrap();
        for (shop, title, brand, category, price, stock) in [
            (MEENA, "Tea cup", "Meena", "cups", 40_000, 5),
            (MEENA, "Coffee cup", "Meena", "cups", 30_000, 0),
            (DELTA, "Cup warmer", "Delta", "pottery", 90_000, 3),
        ] {
            let variants = vec![catalog::NewVariant { sku: title.into(), price_minor: price, stock, ..Default::default() }];
            let product = catalog::NewProduct {
                title: title.into(), brand: brand.into(), category: ids.get(category).copied(), variants, ..Default::default()
            };
            catalog::upsert_products(engine, &system, shop, vec![product]).await.unwrap();
        }
        product_search::feed(engine).await.unwrap();
        let all = ask(engine, words("cup")).await.found.unwrap();
        assert_eq!((all.total, all.facets.in_stock), (3, 2));
        assert_eq!(all.facets.categories, [value("pottery", "POTTERY", 3)]);
        assert_eq!(all.facets.brands, [value("Meena", "Meena", 2), value("Delta", "Delta", 1)]);
        assert_eq!(all.facets.shops.iter().map(|shop| shop.count).collect::<Vec<_>>(), [2, 1]);
        let prices = all.facets.prices.unwrap();
        assert_eq!((prices.lowest.amount(), prices.highest.amount()), (30_000, 90_000));

        let narrowed = |of: ListProducts| async move { titles(engine, of).await };
        let several = || vec!["Meena".to_owned(), "Delta".to_owned()];
        assert_eq!(narrowed(ListProducts { brands: vec!["Delta".into()], ..words("cup") }).await, ["Cup warmer"]);
        assert_eq!(narrowed(ListProducts { brands: several(), ..words("cup") }).await.len(), 3);
        assert_eq!(narrowed(ListProducts { brands: several(), in_stock: true, ..words("cup") }).await.len(), 2);
        assert_eq!(narrowed(ListProducts { categories: vec!["cups".into()], ..words("cup") }).await.len(), 2);
        assert_eq!(narrowed(ListProducts { shops: vec![DELTA.into()], ..words("cup") }).await, ["Cup warmer"]);
        assert_eq!(narrowed(ListProducts { min_price: "350".into(), max_price: "450.00".into(), ..words("cup") }).await, ["Tea cup"]);
        assert_eq!(narrowed(ListProducts { min_price: "much".into(), ..words("cup") }).await.len(), 3, "not a price");
        assert_eq!(narrowed(ListProducts { rating: 4, ..words("cup") }).await.len(), 0);
        let below = ask(engine, ListProducts { category: "pottery".into(), ..ListProducts::default() }).await.found.unwrap();
        assert_eq!((below.total, below.facets.categories), (3, vec![value("cups", "CUPS", 2)]));

        let by = |sort: &str| ListProducts { sort: sort.into(), ..words("cup") };
        assert_eq!(narrowed(by("price_low")).await, ["Coffee cup", "Tea cup", "Cup warmer"]);
        assert_eq!(narrowed(by("price_high")).await, ["Cup warmer", "Tea cup", "Coffee cup"]);
        assert_eq!(narrowed(by("newest")).await, ["Cup warmer", "Coffee cup", "Tea cup"]);
        assert_eq!(narrowed(by("rating")).await.len(), 3);
        let bad = finding::find(engine, &Caller::guest(), by("best")).await.unwrap_err();
        assert_eq!(bad.at("sort"), Some(FieldCode::NotAChoice));

        let first = ask(engine, ListProducts { limit: Some(2), ..by("newest") }).await;
        let next = ListProducts { limit: Some(2), after: first.page.next.unwrap(), ..by("newest") };
        let second = ask(engine, next).await;
        assert_eq!((second.page.items[0].title.as_str(), second.page.next, second.found.unwrap().total), ("Tea cup", None, 3));
        for after in ["@", "@-1", "@99999999", "@x", "nonsense"] {
            let bad = finding::find(engine, &Caller::guest(), ListProducts { after: after.into(), ..words("cup") }).await;
            assert!(matches!(bad, Err(Error::Invalid(_))), "{after}");
        }
        // Lists of the API are the same, without facets.
        let list = finding::list(engine, &Caller::guest(), words("tea cup")).await.unwrap();
        assert_eq!(list.items.len(), 1);
        let typo = ask(engine, words("cofee cup")).await;
        assert_eq!(typo.page.items[0].title, "Coffee cup");
        assert_eq!(typo.found.unwrap().spelling, Some(Spelling { q: "coffee cup".into(), applied: true }));
        let some = ask(engine, words("warmer zebra")).await.found.unwrap();
        assert!(some.some_words && some.total == 1);

        let suggested = finding::suggest(engine, &Caller { locale: "hi", ..Caller::guest() }, "कप").await.unwrap();
        assert_eq!(suggested.categories.len(), 2);
        let suggested = finding::suggest(engine, &Caller::guest(), "cof").await.unwrap();
        assert_eq!((suggested.queries, suggested.products.len()), (vec!["coffee".to_owned()], 1));
        let suggested = finding::suggest(engine, &Caller::guest(), "delta").await.unwrap();
        assert_eq!(suggested.shops.len(), 1);
        assert_eq!(finding::suggest(engine, &Caller::guest(), "c").await.unwrap(), Default::default());
    }

    async fn attributes_and_options_narrow_down(market) {
        let engine = &searching(market);
        let (system, owner) = (Caller::system(), market.owner(MEENA).await);
        let shawls = catalog::NewCategory { slug: "shawls".into(), name: "Shawls".into(), ..Default::default() };
        catalog::put_categories(engine, &system, vec![shawls]).await.unwrap();
        let option = |code: &str| AttributeOption { code: code.into(), name: code.into() };
        let size = AttributeForm {
            name: "Size".into(), kind: AttributeKind::Choice, unit: String::new(), decimals: 0, options: vec![option("wide")],
        };
        catalog::define_attribute(engine, &system, "size", &size).await.unwrap();
        let asked = catalog::AskedAttribute { code: "size".into(), required: false };
        catalog::set_category_attributes(engine, &system, "shawls", vec![asked]).await.unwrap();
        let category = catalog::category_ids(engine).await.unwrap().get("shawls").copied();
        for (title, colours, weave) in [
            ("Wool shawl", ["red", "Blue"], "Twill"),
            ("Silk shawl", ["Red", "Green"], "twill"),
            ("Plain shawl", ["Grey", "White"], "A very long text about how it is woven by hand"),
        ] {
            let variants = colours.map(|colour| catalog::NewVariant {
                sku: format!("{title} {colour}"), title: colour.into(), price_minor: 100, stock: 5, ..Default::default()
            });
            let product = catalog::NewProduct {
                title: title.into(),
                option: "colour".into(),
                category,
                attributes: vec![Attribute { name: "Weave".into(), value: weave.into() }],
                variants: variants.into(),
                ..Default::default()
            };
            catalog::upsert_products(engine, &Caller::system(), MEENA, vec![product]).await.unwrap();
        }
        product_search::feed(engine).await.unwrap();
        let facts = |results: ProductResults| -> Vec<(String, Vec<FacetValue>)> {
            results.found.unwrap().facets.facts.into_iter().map(|fact| (fact.name, fact.values)).collect()
        };
        let all = facts(ask(engine, words("shawl")).await);
        let colour = |name: &str, count| value(&format!("Colour:{name}"), name, count);
        let colours = vec![colour("Red", 2), colour("Blue", 1), colour("Green", 1), colour("Grey", 1), colour("White", 1)];
        assert_eq!(all, [("Colour".to_owned(), colours.clone())], "one weave is nothing to choose from");
        let of = |facts: &[&str]| ListProducts { facts: facts.iter().map(|fact| (*fact).into()).collect(), ..words("shawl") };
        assert_eq!(titles(engine, of(&["Colour:Red"])).await.len(), 2);
        assert_eq!(titles(engine, of(&["Colour:Red", "Colour:Grey"])).await.len(), 3);
        let both = ask(engine, of(&["Colour:Green", "Weave:Twill"])).await;
        assert_eq!(both.page.items[0].title, "Silk shawl");
        let chosen = facts(both);
        assert_eq!(chosen.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Colour", "Weave"]);
        assert_eq!(chosen[0].1, [colour("Red", 2), colour("Blue", 1), colour("Green", 1)]);
        assert_eq!(titles(engine, of(&["Weave:Twill\n"])).await, Vec::<String>::new());
        assert_eq!(titles(engine, of(&["Colour"])).await.len(), 3, "no filter");

        // What the category asks for.
        let plain = ask(engine, words("plain")).await.page.items.remove(0).id;
        let wide = AttributeText { code: "size".into(), value: "wide".into() };
        catalog::set_attribute_values(engine, &owner, MEENA, plain, vec![wide]).await.unwrap();
        product_search::feed(engine).await.unwrap();
        assert_eq!(titles(engine, of(&["Size:Wide"])).await, ["Plain shawl"]);
    }

    async fn searches_are_counted_and_synonyms_are_found(market) {
        let engine = &searching(market);
        market.product(MEENA, "Corner sofa", 45_000, 10).await;
        product_search::feed(engine).await.unwrap();
        let admin = &Caller::system();
        for q in ["couch", " COUCH ", "sofa", "me@haat.example", ""] {
            ask(engine, words(q)).await;
        }
        // Narrowing down, sorting and turning the page are no searches of their own.
        ask(engine, ListProducts { in_stock: true, ..words("sofa") }).await;
        ask(engine, ListProducts { sort: "newest".into(), ..words("sofa") }).await;
        search_terms::flush(engine).await.unwrap();
        assert_eq!(search_terms::report(engine, admin).await.unwrap().searches, 0, "they wait in memory");
        market.clock.advance_ms(5_000);
        search_terms::flush(engine).await.unwrap();
        search_terms::flush(engine).await.unwrap();
        let term = |term: &str, searches, misses| SearchedTerm { term: term.into(), searches, misses };
        let report = search_terms::report(engine, admin).await.unwrap();
        assert_eq!((report.searches, report.misses), (3, 2));
        assert_eq!(report.frequent, [term("couch", 2, 2), term("sofa", 1, 0)]);
        assert_eq!(report.missed, [term("couch", 2, 2)]);

        let bad = search_terms::set_synonyms(engine, admin, "couch, sofa\nbed").await.unwrap_err();
        assert_eq!(bad.at("synonyms"), Some(FieldCode::SynonymLine(2)));
        search_terms::set_synonyms(engine, admin, "\n couch ,sofa,\n").await.unwrap();
        assert_eq!(search_terms::report(engine, admin).await.unwrap().synonyms, "couch, sofa");
        product_search::feed(engine).await.unwrap();
        assert_eq!(titles(engine, words("couches")).await, ["Corner sofa"]);
        assert_eq!(finding::suggest(engine, &Caller::guest(), "couch").await.unwrap().products.len(), 1);
        // Building it anew keeps them.
        product_search::request_rebuild(engine).await.unwrap();
        product_search::feed(engine).await.unwrap();
        assert_eq!(titles(engine, words("couch")).await, ["Corner sofa"]);
        search_terms::set_synonyms(engine, admin, "").await.unwrap();
        product_search::feed(engine).await.unwrap();
        assert_eq!(titles(engine, words("couch")).await, Vec::<String>::new());

        // What was searched for once is forgotten after a week, the rest after a season.
        let purge = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "purge").unwrap();
        for (days, left) in [(8, 1), (90, 0)] {
            market.clock.advance_ms(days * 86_400_000);
            schedules::run_if_due(engine, purge).await.unwrap();
            let counted: Vec<Scalar<i64>> = engine.db.all(&TERMS, params![]).await.unwrap();
            assert_eq!(counted[0].0, left, "{days}");
        }
        let owner = &market.owner(MEENA).await;
        for refused in [search_terms::report(engine, owner).await.err(), search_terms::set_synonyms(engine, owner, "").await.err()] {
            assert!(refused.is_some());
        }
    }

    async fn an_index_is_built_anew_when_it_is_damaged_or_asked_for(market) {
        let engine = &on_disk(market);
        market.product(MEENA, "Teapot", 45_000, 10).await;
        assert!(ask(engine, words("teapot")).await.found.is_none(), "the database answers");
        assert_eq!(titles(engine, words("teapot")).await, ["Teapot"]);
        // It knows no filters, so nothing is answered rather than everything.
        for narrowed in [
            ListProducts { brands: vec!["Prestige".into()], ..words("teapot") },
            ListProducts { facts: vec!["Colour:Red".into()], ..words("") },
            ListProducts { shops: vec![DELTA.into()], ..words("") },
            ListProducts { in_stock: true, ..words("") },
            ListProducts { rating: 4, ..words("") },
            ListProducts { max_price: "500".into(), after: "@24".into(), ..words("teapot") },
        ] {
            let refused = finding::list(engine, &Caller::guest(), narrowed.clone()).await.unwrap_err();
            assert!(matches!(refused, Error::Busy { retry_after_s: 5 }), "{narrowed:?}: {refused:?}");
        }
        product_search::feed(engine).await.unwrap();
        assert_eq!(titles(engine, words("tepot")).await, ["Teapot"]);
        product_search::request_rebuild(engine).await.unwrap();
        assert_eq!(product_search::feed(engine).await.unwrap(), 1, "all products again");
        assert_eq!(product_search::feed(engine).await.unwrap(), 0, "once");
        assert_eq!(titles(engine, words("tepot")).await, ["Teapot"]);
        // Another node in the same folder.
        let other = &on_disk(market);
        assert_eq!(product_search::feed(other).await.unwrap(), 1);
        assert_eq!(titles(other, words("tepot")).await, ["Teapot"]);
        product_search::request_rebuild(engine).await.unwrap();
        for node in [engine, other] {
            assert_eq!(product_search::feed(node).await.unwrap(), 1);
        }
    }

    async fn a_damaged_index_is_replaced(market) {
        market.product(MEENA, "Teapot", 45_000, 10).await;
        {
            let engine = on_disk(market);
            product_search::feed(&engine).await.unwrap();
        }
        let mut damaged = 0;
        for folder in std::fs::read_dir(market.folder.join("search")).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if path.extension().is_some_and(|end| end == "idx" || end == "term") {
                    std::fs::write(path, b"nonsense").unwrap();
                    damaged += 1;
                }
            }
        }
        assert!(damaged > 0);
        let engine = on_disk(market);
        assert_eq!(product_search::feed(&engine).await.unwrap(), 1);
        assert_eq!(titles(&engine, words("tepot")).await, ["Teapot"]);
        // What is there already is not read again.
        drop(engine);
        let engine = on_disk(market);
        assert_eq!(product_search::feed(&engine).await.unwrap(), 0);
        assert_eq!(titles(&engine, words("tepot")).await, ["Teapot"]);
    }

    async fn attack_hostile_queries_find_nothing_and_break_nothing(market) {
        let engine = &searching(market);
        market.product(MEENA, "Teapot", 45_000, 10).await;
        product_search::feed(engine).await.unwrap();
        for q in ["\"", "\"\"\"", "*", "title:*", "-teapot", "((((", "%", "'; DROP TABLE products; --", "\\", "a\u{300}\u{301}", "~2^9"] {
            ask(engine, words(q)).await;
            finding::suggest(engine, &Caller::guest(), q).await.unwrap();
        }
        let long = "x".repeat(10_000);
        assert!(matches!(finding::find(engine, &Caller::guest(), words(&long)).await, Err(Error::Invalid(_))));
        finding::suggest(engine, &Caller::guest(), &long).await.unwrap();
        let many = ListProducts { brands: vec![long.clone(); 1_000], shops: vec![long; 1_000], ..words("teapot") };
        assert!(titles(engine, many).await.is_empty());
    }
}
