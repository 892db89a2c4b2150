//! Typed attributes, from their definition to the product page.

use haat_engine::{Caller, audit, catalog};
use haat_shared::{
    Error, FieldCode,
    catalog::attributes::{AttributeForm, AttributeKind, AttributeOption, AttributeText},
    catalog::edit::ProductForm,
};

use crate::{both, products::form, support::*};

const MEENA: &str = "meena-crafts";

fn attribute(name: &str, kind: AttributeKind) -> AttributeForm {
    AttributeForm { name: name.into(), kind, unit: String::new(), decimals: 0, options: vec![] }
}

fn asked(code: &str, required: bool) -> catalog::AskedAttribute {
    catalog::AskedAttribute { code: code.into(), required }
}

fn text(code: &str, value: &str) -> AttributeText {
    AttributeText { code: code.into(), value: value.into() }
}

/// Tableware in a home, and a desk beside it. Tableware asks for a material and, as homes do, for a brand line.
async fn furnish(market: &Market) {
    let (engine, system) = (&market.engine, Caller::system());
    let new = |slug: &str, parent: Option<&str>| catalog::NewCategory {
        slug: slug.into(),
        name: slug.into(),
        parent: parent.map(Into::into),
        tax_category: "t1800".into(),
        ..Default::default()
    };
    let tree = vec![new("home", None), new("desks", None), new("cups", Some("home"))];
    catalog::put_categories(engine, &system, tree).await.unwrap();
    let option = |code: &str, name: &str| AttributeOption { code: code.into(), name: name.into() };
    let options = vec![option("clay", "Clay"), option("glass", "Glass")];
    let litres =
        AttributeForm { unit: "l".into(), decimals: 2, ..attribute("Capacity", AttributeKind::Number) };
    for (code, form) in [
        ("note", attribute("Note", AttributeKind::Text)),
        ("capacity", litres),
        ("washable", attribute("Dishwasher-safe", AttributeKind::YesNo)),
        ("material", AttributeForm { options, ..attribute("Material", AttributeKind::Choice) }),
        ("glaze", attribute("Glaze", AttributeKind::Color)),
    ] {
        catalog::define_attribute(engine, &system, code, &form).await.unwrap();
    }
    let home = vec![asked("material", false), asked("note", false)];
    catalog::set_category_attributes(engine, &system, "home", home).await.unwrap();
    let cups = vec![
        asked("capacity", true),
        asked("washable", false),
        asked("glaze", false),
        asked("material", true),
    ];
    catalog::set_category_attributes(engine, &system, "cups", cups).await.unwrap();
}

both! {
    async fn a_product_shows_the_values_that_its_category_asks_for(market) {
        furnish(market).await;
        let (engine, owner, anyone) = (&market.engine, market.owner(MEENA).await, Caller::guest());
        let cups = catalog::category_attributes(engine, &anyone, "cups").await.unwrap();
        let codes: Vec<_> = cups.iter().map(|a| (a.code.as_str(), a.required, a.options.len())).collect();
        assert_eq!(codes, [
            ("material", true, 2), ("note", false, 0), ("capacity", true, 0), ("washable", false, 0), ("glaze", false, 0),
        ]);
        let home = catalog::category_attributes(engine, &anyone, "home").await.unwrap();
        assert_eq!(home.iter().map(|a| (a.code.as_str(), a.required)).collect::<Vec<_>>(), [("material", false), ("note", false)]);
        assert_eq!(catalog::category_attributes(engine, &anyone, "desks").await, Ok(vec![]));
        assert_eq!(catalog::category_attributes(engine, &anyone, "lost").await, Err(Error::NotFound));

        let cup = ProductForm { category: "cups".into(), ..form("Cup") };
        let id = catalog::create(engine, &owner, MEENA, &cup, "k1").await.unwrap();
        catalog::publish(engine, &owner, MEENA, id).await.unwrap();
        let slug = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap().slug;
        let set = async |values: Vec<AttributeText>| catalog::set_attribute_values(engine, &owner, MEENA, id, values).await;
        let values = || vec![
            text("glaze", "#C0A080"), text("capacity", "0.250"), text("washable", "no"), text("material", "clay"), text("note", "Matt"),
        ];
        set(values()).await.unwrap();
        // All of them are replaced; the order is the category's.
        set(values()).await.unwrap();
        let shown = async || {
            let product = catalog::product(engine, &anyone, &slug).await.unwrap();
            product.typed_attributes.into_iter().map(|a| format!("{}: {} {}", a.name, a.value, a.unit)).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["Material: Clay ", "Note: Matt ", "Capacity: 0.25 l", "Dishwasher-safe: no ", "Glaze: #c0a080 "]);
        let own = catalog::attribute_values(engine, &owner, MEENA, id).await.unwrap();
        assert_eq!(own[..3], [text("material", "clay"), text("note", "Matt"), text("capacity", "0.25")]);

        let refused = set(vec![text("capacity", "big"), text("glaze", "red"), text("lost", "1"), text("material", "tin")]).await.unwrap_err();
        for (field, code) in [
            ("capacity", FieldCode::NotDecimal(2)), ("glaze", FieldCode::NotColor), ("lost", FieldCode::NotAChoice), ("material", FieldCode::NotAChoice),
        ] {
            assert_eq!(refused.at(&format!("attributes.{field}")), Some(code), "{field}");
        }
        let refused = set(vec![text("material", "clay")]).await.unwrap_err();
        assert_eq!(refused.at("attributes.capacity"), Some(FieldCode::Missing));
        assert_eq!(shown().await.len(), 5, "nothing was changed");
        set(vec![text("material", "glass"), text("capacity", "1"), text("note", " ")]).await.unwrap();
        assert_eq!(shown().await, ["Material: Glass ", "Capacity: 1 l"]);

        // A value that is no longer offered stays.
        let options = vec![AttributeOption { code: "clay".into(), name: "Fired clay".into() }];
        let material = AttributeForm { options, ..attribute("Made of", AttributeKind::Choice) };
        catalog::define_attribute(engine, &Caller::system(), "material", &material).await.unwrap();
        assert_eq!(shown().await[0], "Made of: Glass ");
        assert!(set(vec![text("material", "glass"), text("capacity", "1")]).await.is_err());

        // Another category asks for other values.
        let kept = catalog::seller_product(engine, &owner, MEENA, id).await.unwrap();
        let moved = ProductForm { category: "desks".into(), ..kept.form };
        catalog::update(engine, &owner, MEENA, id, kept.version, &moved, "k2").await.unwrap();
        assert_eq!(shown().await, [""; 0]);
        assert!(set(vec![text("material", "clay")]).await.is_err());
        set(vec![]).await.unwrap();

        let stranger = market.owner("delta-electronics").await;
        assert_eq!(catalog::set_attribute_values(engine, &stranger, MEENA, id, vec![]).await, Err(Error::NotFound));
        assert_eq!(catalog::set_attribute_values(engine, &stranger, "delta-electronics", id, vec![]).await, Err(Error::NotFound));
        assert_eq!(catalog::attribute_values(engine, &stranger, "delta-electronics", id).await, Err(Error::NotFound));
        catalog::delete(engine, &owner, MEENA, id).await.unwrap();
    }

    async fn operators_define_what_is_asked_for(market) {
        furnish(market).await;
        let (engine, owner, system) = (&market.engine, market.owner(MEENA).await, Caller::system());
        let note = attribute("Note", AttributeKind::Text);
        assert_eq!(catalog::define_attribute(engine, &owner, "note", &note).await, Err(Error::NotFound));
        assert_eq!(catalog::set_category_attributes(engine, &owner, "cups", vec![]).await, Err(Error::NotFound));
        let refused = catalog::define_attribute(engine, &system, "Note!", &note).await.unwrap_err();
        assert_eq!(refused.at("code"), Some(FieldCode::BadCharacters));
        let refused = catalog::define_attribute(engine, &system, "note", &attribute("Note", AttributeKind::YesNo)).await.unwrap_err();
        assert_eq!(refused.at("kind"), Some(FieldCode::NotAChoice));
        let finer = AttributeForm { decimals: 3, ..attribute("Capacity", AttributeKind::Number) };
        let refused = catalog::define_attribute(engine, &system, "capacity", &finer).await.unwrap_err();
        assert_eq!(refused.at("kind"), Some(FieldCode::NotAChoice), "values would be read as thousandths");

        let set = async |slug: &str, asked| catalog::set_category_attributes(engine, &system, slug, asked).await;
        assert_eq!(set("lost", vec![]).await, Err(Error::NotFound));
        let refused = set("cups", vec![asked("note", true), asked("lost", true)]).await.unwrap_err();
        assert_eq!(refused.at("items.1.code"), Some(FieldCode::NotAChoice));
        let refused = set("cups", vec![asked("note", true), asked("note", true)]).await.unwrap_err();
        assert_eq!(refused.at("items.1.code"), Some(FieldCode::NotUnique));
        let refused = set("cups", vec![asked("note", true); 101]).await.unwrap_err();
        assert_eq!(refused.at("items"), Some(FieldCode::TooMany));
        let log = audit::list(engine, &system, "").await.unwrap().items;
        let log: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.note.as_str())).collect();
        assert_eq!(log[..3], [
            ("catalog::set_category_attributes", "cups"),
            ("catalog::set_category_attributes", "home"),
            ("catalog::define_attribute", "glaze"),
        ]);
    }
}
