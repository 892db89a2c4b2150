//! What is found, and in which order.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use haat_search::{Document, Filters, Index, Query, Sort, Synonyms};

fn product(id: u128, title: &str) -> Document {
    Document {
        id,
        title: title.into(),
        shop: "kiln".into(),
        currency: "INR".into(),
        in_stock: true,
        ..Document::default()
    }
}

/// A market of a few products.
fn market() -> Index {
    let index = Index::in_memory().unwrap();
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let in_category = |mut product: Document, path: &[(&str, &str)]| {
        product.categories = path.iter().map(|(slug, name)| text(slug, name)).collect();
        product
    };
    let documents = [
        Document {
            brand: "Sailor".into(),
            codes: vec!["HAAT-PEN-01".into(), "4901680123456".into()],
            price: 10_00,
            ..in_category(product(1, "Fountain pen, blue"), &[("office", "Office"), ("pens", "Pens")])
        },
        Document {
            brand: "Sailor".into(),
            codes: vec!["HAAT-INK-01".into()],
            price: 5_00,
            rating: 45,
            description: "Ink for every fountain pen.".into(),
            ..in_category(product(2, "Bottle of ink"), &[("office", "Office")])
        },
        Document {
            price: 90_000,
            codes: vec!["82XB00".into()],
            attributes: vec![text("Disk", "2 TB"), text("Screen", "15.6\"")],
            ..product(3, "Ultrabook laptop")
        },
        Document {
            price: 70_000,
            in_stock: false,
            shop: "other".into(),
            ..product(4, "Laptop sleeve 15.6-inch")
        },
        Document {
            price: 1_000, description: "crème brûlée torch".into(), ..product(5, "Crème brûlée set")
        },
        Document { price: 2_000, ..product(6, "सूती साड़ी") },
        Document { price: 2_500, ..product(7, "Wi-Fi router") },
        Document { price: 3_000, sold: 500, ..product(8, "Bluetooth speaker") },
        Document { price: 3_000, ..product(9, "Bluetooth speaker") },
        Document { price: 3_000, in_stock: false, ..product(10, "Bluetooth speaker") },
        Document { price: 800, ..product(11, "Blue ceramic pen stand") },
        Document { price: 800, ..product(12, "Hausschuhe für die Straße") },
    ];
    index.apply(&documents, &[]).unwrap();
    index
}

fn found(index: &Index, text: &str) -> Vec<u128> {
    index.search(&Query { text: text.into(), limit: 20, ..Query::default() }).unwrap().ids
}

#[test]
fn products_are_found_by_what_people_type() {
    let index = market();
    for (text, expected) in [
        // Title before description, all words, in any order.
        ("fountain pen", &[1, 2][..]),
        ("pen fountain", &[1, 2]),
        ("PENS", &[1, 11, 2]),
        ("\"fountain pen\"", &[1, 2]),
        ("\"blue pen\"", &[]),
        ("sailor", &[2, 1]),
        ("office", &[2, 1]),
        // Case, accents, letters of other alphabets.
        ("creme brulee", &[5]),
        ("CRÈME BRÛLÉE", &[5]),
        ("strasse", &[12]),
        ("साड़ी", &[6]),
        ("साडी", &[6]),
        ("सूती साड़ियाँ", &[6]),
        // Numbers and units.
        ("2tb", &[3]),
        ("2 TB laptop", &[3]),
        ("15.6 inch", &[4, 3]),
        ("15.6\" laptop", &[3, 4]),
        ("wifi", &[7]),
        ("wi-fi router", &[7]),
        ("wi fi", &[7]),
        // SKUs and barcodes.
        ("HAAT-PEN-01", &[1]),
        ("haatpen01", &[1]),
        ("haat ink 01", &[2]),
        ("4901680123456", &[1]),
        ("680123", &[1]),
        ("82xb", &[3]),
        // Errors of typing.
        ("fuontain pen", &[1, 2]),
        ("blutooth speker", &[8, 9, 10]),
        ("ultrabok", &[3]),
        // Popularity and stock.
        ("bluetooth speaker", &[8, 9, 10]),
        // The beginning of the last word.
        ("ultra", &[3]),
        ("zebra", &[]),
    ] {
        assert_eq!(found(&index, text), expected, "{text}");
    }
}

#[test]
fn without_all_words_some_are_enough_and_this_is_said() {
    let index = market();
    let ask = |text: &str| index.search(&Query { text: text.into(), limit: 20, ..Query::default() }).unwrap();
    let all = ask("bluetooth speaker");
    assert!(!all.some_words && all.spelling.is_none());
    let some = ask("bluetooth speaker zebra");
    assert!(some.some_words);
    assert_eq!(some.ids, [8, 9, 10]);
    assert_eq!(ask("zebra giraffe").total, 0);
}

#[test]
fn a_spelling_is_suggested() {
    let index = market();
    let spelling = |text: &str| {
        index.search(&Query { text: text.into(), limit: 20, ..Query::default() }).unwrap().spelling
    };
    assert_eq!(spelling("fuontain pen"), Some(("fountain pen".into(), true)));
    assert_eq!(spelling("fountain pen"), None);
    // Known, but far less than a word like it.
    let mut many: Vec<Document> = (100..200).map(|id| product(id, "Steel bottle")).collect();
    many.push(product(99, "Bottel, a comic"));
    index.apply(&many, &[]).unwrap();
    assert_eq!(spelling("steel bottel"), Some(("steel bottle".into(), false)));
    // Numbers are never meant to be others.
    assert_eq!(spelling("82xc"), None);
}

#[test]
fn facets_count_what_other_filters_let_through() {
    let index = market();
    let ask = |text: &str, filters: Filters| {
        let rates = vec![("INR".into(), 1, 1)];
        index
            .search(&Query { text: text.into(), limit: 20, facets: true, filters, rates, ..Query::default() })
            .unwrap()
    };
    let all = ask("pen", Filters::default());
    assert_eq!(all.total, 3);
    assert_eq!(all.facets.categories, [("office".into(), 2), ("pens".into(), 1)]);
    assert_eq!(all.facets.brands, [("Sailor".into(), 2)]);
    assert_eq!(all.facets.ratings, [1, 1, 1, 1]);
    assert_eq!(all.facets.in_stock, 3);
    assert_eq!(all.facets.price, Some((500, 1_000)));
    let pens = ask("pen", Filters { categories: vec!["pens".into()], ..Filters::default() });
    assert_eq!(pens.ids, [1]);
    assert_eq!(pens.facets.categories, all.facets.categories, "its own values stay");
    assert_eq!(pens.facets.price, Some((1_000, 1_000)), "others are counted within");
    let cheap = ask("pen", Filters { price: (None, Some(900)), ..Filters::default() });
    assert_eq!((cheap.total, cheap.facets.price), (2, Some((500, 1_000))));
    let both =
        ask("", Filters { shops: vec!["kiln".into(), "other".into()], in_stock: true, ..Filters::default() });
    assert_eq!(both.total, 10);
    assert_eq!(both.facets.shops, [("kiln".into(), 10)]);
    let none = ask("pen", Filters { brands: vec!["Pilot".into()], ..Filters::default() });
    assert_eq!((none.total, none.facets.brands.len()), (0, 1));
    assert!(!none.some_words);
}

#[test]
fn attributes_are_facets() {
    let index = Index::in_memory().unwrap();
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let kurta = |id, colour: &str, size: &[&str]| Document {
        facts: std::iter::once(fact("Colour", colour)).chain(size.iter().map(|s| fact("Size", s))).collect(),
        ..product(id, "Kurta")
    };
    index.apply(&[kurta(1, "Red", &["M", "L"]), kurta(2, "Red", &["S"])], &[]).unwrap();
    // In a segment of its own, with other values.
    index.apply(&[kurta(3, "Blue", &["M"]), kurta(4, "Colour", &[]), product(5, "Kurta")], &[]).unwrap();
    let ask = |facts: &[(&str, &[&str])]| {
        let facts = facts
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()));
        let filters = Filters { facts: facts.collect(), ..Filters::default() };
        let query = Query { text: "kurta".into(), limit: 9, facets: true, filters, ..Query::default() };
        let answer = index.search(&query).unwrap();
        let values = |(name, values): (String, Vec<(String, u64)>)| {
            let values: Vec<_> =
                values.into_iter().map(|(value, count)| format!("{value} {count}")).collect();
            format!("{name}: {}", values.join(", "))
        };
        (answer.ids, answer.facets.facts.into_iter().map(values).collect::<Vec<_>>().join("; "))
    };
    assert_eq!(
        ask(&[]),
        (vec![5, 4, 3, 2, 1], "Colour: Red 2, Blue 1, Colour 1; Size: M 2, L 1, S 1".into())
    );
    assert_eq!(ask(&[("Size", &["M"])]), (vec![3, 1], "Size: M 2, L 1, S 1; Colour: Blue 1, Red 1".into()));
    assert_eq!(ask(&[("Size", &["M", "S"])]).0, [3, 2, 1]);
    let both = ask(&[("Size", &["M"]), ("Colour", &["Red"])]);
    assert_eq!(both, (vec![1], "Size: L 1, M 1, S 1; Colour: Blue 1, Red 1".into()));
    // Nothing of that name or value.
    assert_eq!(ask(&[("Weight", &["1 kg"])]), (vec![], String::new()));
    assert_eq!(ask(&[("Colour", &["Green"])]).1, "Colour: Red 2, Blue 1, Colour 1");
    assert_eq!(ask(&[("Col", &["our\nRed"])]).0, [0u128; 0]);
}

#[test]
fn synonyms_are_found_for_each_other() {
    let index = market();
    index.apply(&[product(20, "Corner sofa"), product(21, "Smartphone 5 inch")], &[]).unwrap();
    let synonyms = Synonyms::of([vec!["sofa", "couch", "divan"], vec!["smartphone", "mobile phone"]]);
    let synonyms = std::sync::Arc::new(synonyms);
    let ask = |text: &str, typing| {
        let query =
            Query { text: text.into(), limit: 9, typing, synonyms: synonyms.clone(), ..Query::default() };
        index.search(&query).unwrap()
    };
    for text in ["couch", "COUCHES", "divan corner", "sofa"] {
        let answer = ask(text, false);
        assert_eq!((answer.ids.as_slice(), answer.spelling), (&[20][..], None), "{text}");
    }
    assert_eq!(ask("mobile phone", false).ids, [21]);
    assert_eq!(ask("mobile phone 5 inch", false).ids, [21]);
    assert_eq!(ask("phone mobile", false).total, 0);
    assert_eq!(ask("couch", true).ids, [20], "while typing");
    // What itself is sold comes before what means the same.
    index.apply(&[product(22, "Corner couch")], &[]).unwrap();
    assert_eq!(ask("corner couch", false).ids, [22, 20]);
    assert_eq!(ask("corner sofa", false).ids, [20, 22]);
}

#[test]
fn other_orders_and_pages() {
    let index = market();
    let ask = |sort, offset| {
        let rates = vec![("INR".into(), 1, 1)];
        let query = Query { text: "pen".into(), sort, offset, limit: 2, rates, ..Query::default() };
        index.search(&query).unwrap().ids
    };
    assert_eq!(ask(Sort::Newest, 0), [11, 2]);
    assert_eq!(ask(Sort::PriceLow, 0), [2, 11]);
    assert_eq!(ask(Sort::PriceHigh, 0), [1, 11]);
    assert_eq!(ask(Sort::Rating, 0), [2, 11]);
    assert_eq!(ask(Sort::Newest, 2), [1]);
    assert_eq!(ask(Sort::Newest, 9), [0u128; 0]);
}

#[test]
fn what_is_typed_is_completed() {
    let index = market();
    assert_eq!(index.complete("blue", 4).unwrap(), ["bluetooth", "blue"]);
    assert_eq!(index.complete("fountain p", 4).unwrap(), ["fountain pen"]);
    assert_eq!(index.complete("fountain ", 4).unwrap(), Vec::<String>::new());
    assert_eq!(index.complete("", 4).unwrap(), Vec::<String>::new());
    let typing = Query { text: "fountain p".into(), limit: 5, typing: true, ..Query::default() };
    assert_eq!(index.search(&typing).unwrap().ids, [1, 2]);
}

#[test]
fn products_are_replaced_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    index.apply(&[product(1, "Teapot"), product(2, "Teacup")], &[]).unwrap();
    index.apply(&[Document { stamp: 7, ..product(1, "Kettle") }], &[2]).unwrap();
    assert_eq!(found(&index, "teapot"), [0u128; 0]);
    assert_eq!(found(&index, "kettle"), [1]);
    assert_eq!(index.stamps().unwrap().into_iter().collect::<Vec<_>>(), [(1, 7)]);
    // Another program in the same folder has an index of its own.
    let other = Index::open(folder.path()).unwrap();
    assert!(other.is_empty());
    drop(index);
    let again = Index::open(folder.path()).unwrap();
    assert_eq!(again.len(), 1);
    // Built anew: until the end, what was there before is found.
    again.stage_clear().unwrap();
    again.stage(&[product(3, "Saucer")], &[]).unwrap();
    assert_eq!((found(&again, "kettle"), found(&again, "saucer")), (vec![1], vec![]));
    again.commit().unwrap();
    assert_eq!((found(&again, "kettle"), found(&again, "saucer")), (vec![], vec![3]));
    again.stage_clear().unwrap();
    again.roll_back().unwrap();
    again.commit().unwrap();
    assert_eq!(found(&again, "saucer"), [3]);
}

#[test]
fn a_damaged_index_is_discarded() {
    for damage in [&b"{"[..], b"", b"not an index"] {
        for name in ["meta.json", "store", "idx", "fast"] {
            let folder = tempfile::tempdir().unwrap();
            let index = Index::open(folder.path()).unwrap();
            index.apply(&[product(1, "Teapot")], &[]).unwrap();
            drop(index);
            let own = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            let files = std::fs::read_dir(&own).unwrap().map(|file| file.unwrap().path());
            for file in files.filter(|file| file.display().to_string().ends_with(name)) {
                std::fs::write(file, damage).unwrap();
            }
            let index = Index::open(folder.path()).unwrap();
            assert!(index.is_empty(), "{name}");
            index.apply(&[product(1, "Teapot")], &[]).unwrap();
            assert_eq!(found(&index, "teapot"), [1]);
        }
    }
}

#[test]
fn hostile_queries_are_answered_at_once() {
    let index = market();
    let long = "a".repeat(10_000);
    for text in [
        long.clone(),
        "ab ".repeat(4_000),
        "\"".repeat(5_000),
        "\"fountain \"pen".into(),
        "* ? ~2 ^9 +pen -pen && || ! (((((".into(),
        "title:pen AND [a TO z] /.*/".into(),
        "\0\u{1}\u{7f}\u{202e}\u{200b}".into(),
        "e\u{301}".repeat(2_000) + &"\u{301}".repeat(5_000),
        "a-".repeat(3_000),
        "1.2.3.4.5,6,7,8.".repeat(600),
        "'".repeat(3_000) + "s",
        "ﷺ".repeat(3_000),
        "क्".repeat(3_000),
        (0..3_000).map(|n| format!("w{n} ")).collect(),
        "%_\\' OR 1=1 --".into(),
    ] {
        let begun = Instant::now();
        for typing in [false, true] {
            let query = Query { text: text.clone(), limit: 20, facets: true, typing, ..Query::default() };
            index.search(&query).unwrap();
        }
        index.complete(&text, 4).unwrap();
        assert!(
            begun.elapsed() < Duration::from_millis(500),
            "{:?}: {:?}",
            begun.elapsed(),
            &text[..8.min(text.len())]
        );
    }
}
