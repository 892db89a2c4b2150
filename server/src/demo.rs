//! The demo market: what a newcomer sees first. Two shops for now.

use haat_engine::{
    Caller, Engine, accounts,
    catalog::{NewProduct, NewVariant, put_products},
    shops::{self, NewShop},
};
use haat_shared::{Currency, Money, Result, accounts::SignUp, catalog::Attribute};

/// The password of the demo's accounts; `haat seed` prints it.
pub(crate) const PASSWORD: &str = "market-day-2026";

struct Shop {
    handle: &'static str,
    name: &'static str,
    owner: &'static str,
    description: &'static str,
    delivery_minor: i64,
    commission_bp: i64,
    products: &'static [Item],
}

struct Item {
    sku: &'static str,
    title: &'static str,
    brand: &'static str,
    description: &'static str,
    details: &'static [(&'static str, &'static str)],
    variants: &'static [(&'static str, i64, i64)],
}

const SHOPS: &[Shop] = &[
    Shop {
        handle: "meena-crafts",
        name: "Meena Crafts",
        owner: "Meena",
        description: "Clay, cane and cloth from four workshops around Jaipur, made to be used every day.",
        delivery_minor: 4_900,
        commission_bp: 1_000,
        products: &[
            Item {
                sku: "MC-CUPS",
                title: "Set of six tea cups",
                brand: "Meena Crafts",
                description: "Stoneware with a blue rim, just the right size for a strong chai.",
                details: &[("Material", "Stoneware"), ("Volume", "120 ml"), ("Pieces", "6")],
                variants: &[("", 99_000, 3)],
            },
            Item {
                sku: "MC-BASKET",
                title: "Cane storage basket",
                brand: "Meena Crafts",
                description: "Split cane, woven tight enough for rice and loose enough to breathe.",
                details: &[("Material", "Cane"), ("Lid", "Yes")],
                variants: &[("Small", 89_000, 25), ("Medium", 129_000, 18), ("Large", 169_000, 9)],
            },
            Item {
                sku: "MC-RUNNER",
                title: "Block-printed table runner",
                brand: "Meena Crafts",
                description: "Hand-printed cotton in indigo and madder. Softens with every wash.",
                details: &[("Material", "Cotton"), ("Length", "180 cm"), ("Wash", "Cold, by hand")],
                variants: &[("Indigo", 79_900, 30), ("Madder", 79_900, 12)],
            },
            Item {
                sku: "MC-LAMP",
                title: "Brass oil lamp",
                brand: "Meena Crafts",
                description: "Cast in sand and polished by hand; burns for four hours on a filling.",
                details: &[("Material", "Brass"), ("Height", "14 cm"), ("Weight", "420 g")],
                variants: &[("", 119_500, 15)],
            },
            Item {
                sku: "MC-BOWL",
                title: "Terracotta serving bowl",
                brand: "Meena Crafts",
                description: "Thrown on the wheel and fired twice, so it may go from the stove to the table. Each one \
                              carries the marks of the hands that made it.",
                details: &[("Material", "Terracotta"), ("Diameter", "22 cm"), ("Dishwasher", "No")],
                variants: &[("", 64_900, 140)],
            },
        ],
    },
    Shop {
        handle: "delta-electronics",
        name: "Delta Electronics",
        owner: "Dev",
        description: "Sound, light and charge, tested in our own workshop and repaired there too.",
        delivery_minor: 7_900,
        commission_bp: 800,
        products: &[
            Item {
                sku: "DE-LAMP",
                title: "Folding desk lamp",
                brand: "Delta",
                description: "Warm or cool light, dimmed by a touch, and folds flat into a bag. Runs eight hours on a charge.",
                details: &[("Brightness", "450 lm"), ("Battery", "2,000 mAh"), ("Charging", "USB-C")],
                variants: &[("White", 129_900, 20), ("Graphite", 129_900, 14)],
            },
            Item {
                sku: "DE-SPEAKER",
                title: "Pocket speaker",
                brand: "Delta",
                description: "Small enough for a coat, loud enough for a courtyard, and rain does not bother it.",
                details: &[("Power", "8 W"), ("Protection", "IP67"), ("Playtime", "12 h")],
                variants: &[("", 219_900, 32)],
            },
            Item {
                sku: "DE-CHARGER",
                title: "65 W wall charger",
                brand: "Delta",
                description: "Charges a laptop and a phone at once, and stays cool while it does.",
                details: &[("Power", "65 W"), ("Ports", "2 × USB-C, 1 × USB-A")],
                variants: &[("", 249_900, 50)],
            },
            Item {
                sku: "DE-EARBUDS",
                title: "Wireless earbuds",
                brand: "Delta",
                description: "Clear calls on a noisy platform; the case brings them to a full day.",
                details: &[("Playtime", "6 h, 24 h with the case"), ("Noise cancelling", "Yes")],
                variants: &[("Black", 349_900, 11), ("Sand", 349_900, 0)],
            },
            Item {
                sku: "DE-BANK",
                title: "Power bank, 20,000 mAh",
                brand: "Delta",
                description: "Four phone charges, and a display that says honestly how many are left.",
                details: &[
                    ("Capacity", "20,000 mAh"),
                    ("Weight", "340 g"),
                    ("Flights", "Allowed in the cabin"),
                ],
                variants: &[("", 199_900, 127)],
            },
        ],
    },
];

fn product(item: &Item) -> NewProduct {
    let detail = |(name, value): &(&str, &str)| Attribute { name: (*name).into(), value: (*value).into() };
    let variants = item.variants.iter().enumerate().map(|(i, (title, price_minor, stock))| NewVariant {
        sku: if i == 0 { item.sku.into() } else { format!("{}-{}", item.sku, i + 1) },
        title: (*title).into(),
        price_minor: *price_minor,
        stock: *stock,
    });
    NewProduct {
        title: item.title.into(),
        brand: item.brand.into(),
        description: item.description.into(),
        attributes: item.details.iter().map(detail).collect(),
        picture: String::new(),
        variants: variants.collect(),
    }
}

/// Opens the demo's shops and fills them. Answers the addresses of their owners.
pub(crate) async fn seed(engine: &Engine) -> Result<Vec<String>> {
    let system = Caller::system();
    let mut owners = Vec::new();
    for shop in SHOPS {
        let email = format!("{}@haat.example", shop.handle.split('-').next().unwrap_or(shop.handle));
        let form = SignUp { name: shop.owner.into(), email: email.clone(), password: PASSWORD.into() };
        let owner = accounts::create(engine, &system, form).await?;
        let new = NewShop {
            handle: shop.handle.into(),
            name: shop.name.into(),
            description: shop.description.into(),
            delivery: Money::new(shop.delivery_minor, Currency::INR),
            commission_bp: shop.commission_bp,
            terms: shops::Terms::default(),
            owner,
        };
        shops::open(engine, &system, new).await?;
        put_products(engine, &system, shop.handle, shop.products.iter().map(product).collect()).await?;
        owners.push(email);
    }
    Ok(owners)
}
