//! The product form and its validation. Input is kept as text until it is valid.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Attribute, TITLE_MAX};
use crate::{
    amounts,
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::{ProductId, VariantId},
    media::Picture,
    money::{Currency, Money},
    text,
};

/// The maximum number of characters of a brand, of a specification's name, and of an option's name and
/// value.
pub const NAME_MAX: usize = 100;
/// The maximum number of characters of a description.
pub const DESCRIPTION_MAX: usize = 10_000;
/// The maximum number of characters of a specification's value: compatibility lists are long.
pub const ATTRIBUTE_VALUE_MAX: usize = 10_000;
/// The maximum number of specifications of a product.
pub const ATTRIBUTES_MAX: usize = 250;
/// The maximum size of all texts of a product together, in bytes of UTF-8. The same for the form, the API
/// and files.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// The maximum size of a request that saves a product, with room for escaped texts.
pub const SAVE_BYTES_MAX: usize = 4 * TEXT_BYTES_MAX;
/// The maximum number of options of a product.
pub const OPTIONS_MAX: usize = 3;
/// The maximum number of variants of a product.
pub const VARIANTS_MAX: usize = 100;
/// The maximum number of characters of a SKU.
pub const SKU_MAX: usize = 64;
/// The maximum stock.
pub const STOCK_MAX: i64 = 1_000_000_000;
/// The default low-stock threshold.
pub const LOW_STOCK: i64 = 3;

text_enum! {
    /// The status of a product.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ProductState {
        /// Not published yet.
        Draft = "draft",
        /// Published and available to buy.
        Published = "published",
        /// No longer on sale.
        Archived = "archived",
    }
}

/// The product form, as entered by the seller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductForm {
    /// The title.
    pub title: String,
    /// The brand. May be empty.
    pub brand: String,
    /// The slug of the category. May be empty.
    pub category: String,
    /// The description, in paragraphs.
    pub description: String,
    /// The specifications, in display order. Empty rows are dropped.
    pub attributes: Vec<Attribute>,
    /// The names of the options: "Colour", "Size".
    pub options: Vec<String>,
    /// The variants, in display order.
    pub variants: Vec<VariantForm>,
}

/// A variant of the product form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VariantForm {
    /// The ID of the variant; `None` for a new one.
    pub id: Option<VariantId>,
    /// The SKU. Generated if empty.
    pub sku: String,
    /// The values of the product's options, in their order.
    pub options: Vec<String>,
    /// The variant's title, for products without options.
    pub title: String,
    /// The price.
    pub price: String,
    /// The compare-at price. May be empty.
    pub compare_at: String,
    /// The stock.
    pub stock: String,
    /// The stock when the form was rendered. The difference is saved, so that concurrent sales are
    /// preserved.
    pub stock_was: i64,
    /// Whether it is sold without limit: no stock is kept of it. Cannot be changed later.
    pub unlimited: bool,
    /// The low-stock threshold; empty for [`LOW_STOCK`].
    pub low_stock: String,
    /// The weight for shipping, in grams; empty if unknown.
    pub weight_g: String,
    /// The length of the parcel, in millimetres; empty if unknown.
    pub length_mm: String,
    /// Its width.
    pub width_mm: String,
    /// Its height.
    pub height_mm: String,
}

/// A valid [`ProductForm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDraft {
    /// The title.
    pub title: String,
    /// The brand. May be empty.
    pub brand: String,
    /// The slug of the category. May be empty.
    pub category: String,
    /// The description.
    pub description: String,
    /// The specifications.
    pub attributes: Vec<Attribute>,
    /// The names of the options.
    pub options: Vec<String>,
    /// The variants; at least one.
    pub variants: Vec<VariantDraft>,
}

/// A valid [`VariantForm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantDraft {
    /// The ID of the variant; `None` for a new one.
    pub id: Option<VariantId>,
    /// The SKU. Generated if empty.
    pub sku: String,
    /// The values of the product's options.
    pub options: Vec<String>,
    /// The variant's title.
    pub title: String,
    /// The price.
    pub price: Money,
    /// The compare-at price.
    pub compare_at: Option<Money>,
    /// The change of the stock since the form was rendered.
    pub stock_change: i64,
    /// Whether no stock is kept of it.
    pub unlimited: bool,
    /// The low-stock threshold.
    pub low_stock: i64,
    /// The weight and size for shipping; 0 if unknown.
    pub measures: Measures,
}

/// The weight of a variant in grams, and its size in millimetres; 0 if unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// In grams.
    pub weight_g: i64,
    /// In millimetres.
    pub length_mm: i64,
    /// In millimetres.
    pub width_mm: i64,
    /// In millimetres.
    pub height_mm: i64,
}

/// The maximum weight in grams, and size in millimetres.
pub const MEASURE_MAX: i64 = 10_000_000;

impl Measures {
    /// A measure as form input: empty if unknown.
    pub fn typed(measure: i64) -> String {
        if measure == 0 { String::new() } else { measure.to_string() }
    }
}

impl ProductForm {
    /// The validated product, or all errors, each at its field: `variants.2.price`.
    pub fn check(&self, currency: Currency) -> Result<ProductDraft, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let title = faults.take(text::line("title", &self.title, TITLE_MAX));
        let brand = faults.take(text::optional_line("brand", &self.brand, NAME_MAX));
        let description = faults.take(text::paragraphs("description", &self.description, DESCRIPTION_MAX));
        let category = faults.take(text::optional_line("category", &self.category, NAME_MAX));
        let attributes = self.check_attributes(&mut faults);
        if self.text_bytes() > TEXT_BYTES_MAX {
            // No other field can be that large.
            faults.add("attributes", FieldCode::TooLong(TEXT_BYTES_MAX));
        }
        let options = self.check_options(&mut faults);
        match self.variants.len() {
            0 => faults.add("variants", FieldCode::Missing),
            1..=VARIANTS_MAX => {}
            _ => faults.add("variants", FieldCode::TooMany),
        }
        let only = self.variants.len() == 1;
        let variants: Vec<VariantDraft> = (0..)
            .zip(self.variants.iter().take(VARIANTS_MAX))
            .map(|(i, variant)| {
                variant.check(&format!("variants.{i}"), &options, only, currency, &mut faults)
            })
            .collect();
        let (mut skus, mut values) = (HashSet::new(), HashSet::new());
        for (i, variant) in variants.iter().enumerate() {
            if !variant.sku.is_empty() && !skus.insert(text::fold(&variant.sku)) {
                faults.add(format!("variants.{i}.sku"), FieldCode::NotUnique);
            }
            let own =
                if options.is_empty() { std::slice::from_ref(&variant.title) } else { &variant.options };
            let folded: Vec<String> = own.iter().map(|value| value_key(value)).collect();
            if folded.iter().all(|value| !value.is_empty()) && !values.insert(folded) {
                let field = if options.is_empty() { "title" } else { "options.0" };
                faults.add(format!("variants.{i}.{field}"), FieldCode::NotUnique);
            }
        }
        faults.finish(ProductDraft { title, brand, category, description, attributes, options, variants })
    }

    fn text_bytes(&self) -> usize {
        let of_variant = |v: &VariantForm| {
            v.options
                .iter()
                .chain([&v.sku, &v.title, &v.price, &v.compare_at])
                .map(String::len)
                .sum::<usize>()
        };
        let whole = [&self.title, &self.brand, &self.category, &self.description].map(String::len);
        whole.into_iter().sum::<usize>()
            + self.attributes.iter().map(|d| d.name.len() + d.value.len()).sum::<usize>()
            + self.options.iter().map(String::len).sum::<usize>()
            + self.variants.iter().map(of_variant).sum::<usize>()
    }

    fn check_attributes(&self, faults: &mut ValidationErrors) -> Vec<Attribute> {
        if self.attributes.len() > ATTRIBUTES_MAX {
            faults.add("attributes", FieldCode::TooMany);
        }
        let empty = |a: &Attribute| a.name.trim().is_empty() && a.value.trim().is_empty();
        let filled = self.attributes.iter().take(ATTRIBUTES_MAX).enumerate().filter(|(_, a)| !empty(a));
        filled
            .map(|(i, attribute)| Attribute {
                name: faults.take(text::line(&format!("attributes.{i}.name"), &attribute.name, NAME_MAX)),
                value: faults.take(text::line(
                    &format!("attributes.{i}.value"),
                    &attribute.value,
                    ATTRIBUTE_VALUE_MAX,
                )),
            })
            .collect()
    }

    fn check_options(&self, faults: &mut ValidationErrors) -> Vec<String> {
        if self.options.len() > OPTIONS_MAX {
            faults.add("options", FieldCode::TooMany);
        }
        let mut seen = HashSet::new();
        let names = self.options.iter().take(OPTIONS_MAX).enumerate();
        names
            .map(|(i, name)| {
                let field = format!("options.{i}");
                let name = faults.take(text::line(&field, name, NAME_MAX));
                if !seen.insert(text::fold(&name)) && !name.is_empty() {
                    faults.add(field, FieldCode::NotUnique);
                }
                name
            })
            .collect()
    }
}

/// The maximum for a field or column with too many entries: variants, specifications and options.
pub fn limit(field: &str, code: FieldCode) -> Option<usize> {
    match (field, code) {
        ("variants" | "sku", FieldCode::TooMany) => Some(VARIANTS_MAX),
        ("attributes" | "specifications", FieldCode::TooMany) => Some(ATTRIBUTES_MAX),
        ("options" | "option1_name", FieldCode::TooMany) => Some(OPTIONS_MAX),
        _ => None,
    }
}

/// The key by which option values are compared. `Blue` and `blue`, `XL` and `xl` are the same value. Next
/// to a number, case is significant in short words and units: `1 mΩ` and `1 MΩ`, `M3` and `m3`, `10 mHz`
/// and `10 MHz`.
pub fn value_key(value: &str) -> String {
    let value = text::compared(value);
    let measured = value.contains(char::is_numeric);
    let word = |word: &str| {
        let long = word.chars().filter(|c| c.is_alphabetic()).count() > 2 && !word.contains(char::is_numeric);
        let one_case =
            || word.chars().skip(1).all(|c| !c.is_uppercase()) || word.chars().all(|c| !c.is_lowercase());
        if !measured || (long && one_case()) { word.to_lowercase() } else { word.to_owned() }
    };
    value.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

impl VariantForm {
    fn check(
        &self,
        at: &str,
        names: &[String],
        only: bool,
        currency: Currency,
        faults: &mut ValidationErrors,
    ) -> VariantDraft {
        let sku = faults.take(text::code(&format!("{at}.sku"), &self.sku, SKU_MAX));
        let options: Vec<String> = (0..names.len())
            .map(|i| {
                let value = self.options.get(i).map_or("", String::as_str);
                faults.take(text::line(&format!("{at}.options.{i}"), value, NAME_MAX))
            })
            .collect();
        let title = match (names.is_empty(), only) {
            (false, _) => options.join(" / "),
            (true, true) => faults.take(text::optional_line(&format!("{at}.title"), &self.title, NAME_MAX)),
            (true, false) => faults.take(text::line(&format!("{at}.title"), &self.title, NAME_MAX)),
        };
        let price = amounts::read(&format!("{at}.price"), &self.price, currency);
        let price = faults.take_or(price, Money::new(1, currency));
        if price.amount() == 0 {
            faults.add(format!("{at}.price"), FieldCode::TooSmall);
        }
        let field = format!("{at}.compare_at");
        let compare_at = match self.compare_at.trim() {
            "" => None,
            typed => faults.take_or(amounts::read(&field, typed, currency).map(Some), None),
        };
        if compare_at.is_some_and(|before| before.amount() <= price.amount()) {
            faults.add(field, FieldCode::TooSmall);
        }
        let was = if self.id.is_some() { self.stock_was.clamp(0, STOCK_MAX) } else { 0 };
        let stock_change = match self.unlimited {
            true => 0,
            false => faults.take(text::whole_number(&format!("{at}.stock"), &self.stock, 0, STOCK_MAX)) - was,
        };
        let low_stock = match self.low_stock.trim() {
            "" => LOW_STOCK,
            typed => faults.take(text::whole_number(&format!("{at}.low_stock"), typed, 0, STOCK_MAX)),
        };
        let mut measure = |part: &str, typed: &str| match typed.trim() {
            "" => 0,
            typed => faults.take(text::whole_number(&format!("{at}.{part}"), typed, 0, MEASURE_MAX)),
        };
        let measures = Measures {
            weight_g: measure("weight_g", &self.weight_g),
            length_mm: measure("length_mm", &self.length_mm),
            width_mm: measure("width_mm", &self.width_mm),
            height_mm: measure("height_mm", &self.height_mm),
        };
        VariantDraft {
            id: self.id,
            sku,
            options,
            title,
            price,
            compare_at,
            stock_change,
            unlimited: self.unlimited,
            low_stock,
            measures,
        }
    }
}

/// A product as its seller edits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerProduct {
    /// The product's ID.
    pub id: ProductId,
    /// The slug used in the product's URL.
    pub slug: String,
    /// The status.
    pub state: ProductState,
    /// The version, which must be sent when saving.
    pub version: i64,
    /// The shop's currency.
    pub currency: Currency,
    /// Everything that can be edited, as form input.
    pub form: ProductForm,
    /// The held quantity of each variant, in the order of the form.
    pub held: Vec<i64>,
    /// Whether the product can be deleted: it was never part of a checkout.
    pub deletable: bool,
}

/// Which of a shop's products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListSellerProducts {
    /// Only products that contain these words; empty for all.
    pub q: String,
    /// Only products in this state, by its name; empty for all.
    pub state: String,
    /// Only products with a variant that is low on stock.
    pub low: bool,
    /// `newest`, `title`, `price` or `stock`; empty for the first. The last three with `-` in front are
    /// descending.
    pub sort: String,
    /// The `next` cursor of the previous page; empty for the first page.
    pub after: String,
    /// The maximum number of rows; `None` for the default.
    pub limit: Option<usize>,
}

/// A product in its seller's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SellerProductCard {
    /// The product's ID.
    pub id: ProductId,
    /// The slug used in the product's URL.
    pub slug: String,
    /// The product's title.
    pub title: String,
    /// The product's status.
    #[serde(rename = "status")]
    pub state: ProductState,
    /// The first picture.
    pub picture: Option<Picture>,
    /// The lowest price of its variants.
    pub price: Money,
    /// Whether the prices of its variants differ.
    pub price_varies: bool,
    /// The number of variants.
    pub variants: i64,
    /// The stock available for sale, summed over all variants that are not sold without limit.
    pub stock: i64,
    /// Whether any variant is low on stock.
    pub low: bool,
    /// When the product was last updated: RFC 3339, UTC.
    pub updated_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> ProductForm {
        let variant = |colour: &str, sku: &str| VariantForm {
            sku: sku.into(),
            options: vec![colour.into()],
            price: "₹1,249.50".into(),
            compare_at: "1,500".into(),
            stock: "7".into(),
            ..VariantForm::default()
        };
        ProductForm {
            title: " Clay bowl ".into(),
            description: "One.\r\n\r\nTwo.".into(),
            attributes: vec![
                Attribute { name: "Weight".into(), value: "1 kg".into() },
                Attribute { name: " ".into(), value: String::new() },
            ],
            options: vec!["Colour".into()],
            variants: vec![variant("Blue", "B-1"), variant("Red", "")],
            ..ProductForm::default()
        }
    }

    #[test]
    fn what_holds_is_read() {
        let draft = form().check(Currency::INR).unwrap();
        assert_eq!((draft.title.as_str(), draft.description.as_str()), ("Clay bowl", "One.\n\nTwo."));
        assert_eq!((draft.attributes.len(), draft.variants.len()), (1, 2));
        let blue = &draft.variants[0];
        assert_eq!((blue.title.as_str(), blue.price.amount(), blue.stock_change), ("Blue", 124_950, 7));
        assert_eq!((blue.compare_at.map(Money::amount), blue.low_stock), (Some(150_000), LOW_STOCK));
    }

    #[test]
    fn long_texts_in_characters_of_three_bytes_fit() {
        let mut form = form();
        form.attributes =
            vec![Attribute { name: "Fits".into(), value: "क".repeat(ATTRIBUTE_VALUE_MAX) }; 30];
        assert!(form.check(Currency::INR).is_ok());
    }

    #[test]
    fn what_was_there_is_counted_as_a_difference() {
        let mut form = form();
        form.variants[0].id = Some(VariantId::from_uuid(uuid::Uuid::from_u128(1)));
        form.variants[0].stock_was = 10;
        // A new variant has no previous stock to compare with, whatever is sent.
        form.variants[1].stock_was = 10;
        let draft = form.check(Currency::INR).unwrap();
        assert_eq!(draft.variants.iter().map(|v| v.stock_change).collect::<Vec<_>>(), [-3, 7]);
    }

    #[test]
    fn variants_differ_by_each_of_their_values() {
        let different = [
            (["S / M", "Long"], ["S", "M / Long"]),
            (["Red", "Black"], ["Black", "Red"]),
            (["1 mΩ", "x"], ["1 MΩ", "x"]),
            (["M3", "x"], ["m3", "x"]),
            (["10 mHz", "x"], ["10 MHz", "x"]),
            (["5 mg", "x"], ["5 Mg", "x"]),
            (["S ", "/ M"], ["S /", "M"]),
            (["½ l", "x"], ["1⁄2 l", "x"]),
            (["Rot", "x"], ["Rôt", "x"]),
        ];
        let same = [
            (["Blue", "x"], ["blue", "x"]),
            (["BLUE", "x"], ["Blue", "x"]),
            (["XL", "x"], ["xl", "x"]),
            (["Pack of 10", "x"], ["pack of 10", "x"]),
            (["Light blue", "x"], ["Light  Blue", "x"]),
            (["\u{921}\u{93c}", "x"], ["\u{95c}", "x"]),
            (["Ro\u{302}t", "x"], ["R\u{f4}t", "x"]),
            (["Blue\u{200b}", "x"], ["Blue", "x"]),
        ];
        let check = |a: [&str; 2], b: [&str; 2]| {
            let mut form = form();
            form.options = vec!["One".into(), "Two".into()];
            for (variant, values) in form.variants.iter_mut().zip([a, b]) {
                variant.options = values.map(str::to_owned).to_vec();
            }
            form.check(Currency::INR).map(|_| ()).map_err(|faults| faults[0].code)
        };
        for (a, b) in different {
            assert_eq!(check(a, b), Ok(()), "{a:?} {b:?}");
        }
        for (a, b) in same {
            assert_eq!(check(a, b), Err(FieldCode::NotUnique), "{a:?} {b:?}");
        }
    }

    #[test]
    fn every_fault_is_named_at_its_field() {
        use FieldCode::*;
        let table: [(&str, FieldCode, fn(&mut ProductForm)); 22] = [
            ("title", Missing, |f| f.title = " ".into()),
            ("title", TooLong(TITLE_MAX), |f| f.title = "x".repeat(501)),
            ("brand", BadCharacters, |f| f.brand = "a\nb".into()),
            ("description", BadCharacters, |f| f.description = "a\u{0}b".into()),
            ("attributes.1.value", Missing, |f| f.attributes[1].name = "Size".into()),
            ("attributes", TooMany, |f| f.attributes = vec![f.attributes[0].clone(); ATTRIBUTES_MAX + 1]),
            ("attributes", TooLong(TEXT_BYTES_MAX), |f| {
                f.attributes =
                    vec![Attribute { name: "Fits".into(), value: "क".repeat(ATTRIBUTE_VALUE_MAX) }; 40];
            }),
            ("options.0", Missing, |f| f.options[0] = String::new()),
            ("options.1", NotUnique, |f| {
                f.options.push("COLOUR".into());
                f.variants.iter_mut().for_each(|v| v.options.push("x".into()));
            }),
            ("variants.1.options.0", Missing, |f| f.variants[1].options.clear()),
            ("variants.1.options.0", NotUnique, |f| f.variants[1].options[0] = "blue".into()),
            ("variants.1.title", Missing, |f| {
                f.options.clear();
                f.variants[0].title = "A".into();
            }),
            ("variants.1.sku", NotUnique, |f| f.variants[1].sku = "b-1".into()),
            ("variants.1.price", Missing, |f| f.variants[1].price = String::new()),
            ("variants.1.price", TooSmall, |f| f.variants[1].price = "0.00".into()),
            ("variants.1.compare_at", TooSmall, |f| f.variants[1].compare_at = "1249.50".into()),
            ("variants.1.stock", NotNumber, |f| f.variants[1].stock = "a few".into()),
            ("variants.1.low_stock", TooSmall, |f| f.variants[1].low_stock = "-1".into()),
            ("variants.1.weight_g", NotNumber, |f| f.variants[1].weight_g = "0.5".into()),
            ("variants.1.height_mm", TooBig, |f| f.variants[1].height_mm = "10000001".into()),
            ("variants", Missing, |f| f.variants.clear()),
            ("variants", TooMany, |f| {
                f.variants = (0..101)
                    .map(|i| VariantForm { options: vec![i.to_string()], ..f.variants[1].clone() })
                    .collect();
            }),
        ];
        for (field, code, spoil) in table {
            let mut form = form();
            spoil(&mut form);
            let faults = form.check(Currency::INR).unwrap_err();
            assert_eq!(faults, [FieldError::new(field, code)]);
        }
    }
}
