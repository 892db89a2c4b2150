//! Typed attributes: what the market asks of the products of a category. A value is text in forms and in the
//! REST API; the kind of its attribute says how it is read.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError, ValidationErrors},
    number::{self, DecimalMark, Notation},
    text,
};

/// The maximum number of characters of an attribute's or option's code.
pub const CODE_MAX: usize = 40;
/// The maximum number of characters of a name.
pub const NAME_MAX: usize = 100;
/// The maximum number of characters of a unit.
pub const UNIT_MAX: usize = 20;
/// The maximum number of decimals.
pub const DECIMALS_MAX: i64 = 6;
/// The maximum number of options of an attribute, and of attributes of a category.
pub const ENTRIES_MAX: usize = 100;
/// The maximum number of characters of a text value.
pub const TEXT_MAX: usize = 500;

text_enum! {
    /// The kind of an attribute's values.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum AttributeKind {
        /// A line of text.
        Text = "text",
        /// A number, with a unit and a fixed number of decimals.
        Number = "number",
        /// `yes` or `no`.
        YesNo = "yes_no",
        /// One of the attribute's options, by its code.
        Choice = "choice",
        /// A colour: `#rrggbb`.
        Color = "color",
    }
}

/// A value that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttributeOption {
    /// The code, which products store.
    pub code: String,
    /// The name.
    pub name: String,
}

/// An attribute, as an operator defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeForm {
    /// The name.
    pub name: String,
    /// The kind of its values. It never changes.
    pub kind: AttributeKind,
    /// The unit of a number. May be empty.
    pub unit: String,
    /// The number of decimals of a number. It never changes.
    pub decimals: i64,
    /// The options of a choice, in display order.
    pub options: Vec<AttributeOption>,
}

impl AttributeForm {
    /// The definition with its texts normalised, or all its errors.
    pub fn check(&self) -> Result<Self, Vec<FieldError>> {
        let mut errors = ValidationErrors::default();
        let number = self.kind == AttributeKind::Number;
        let name = errors.take(text::line("name", &self.name, NAME_MAX));
        let unit = errors.take(text::optional_line("unit", &self.unit, UNIT_MAX));
        if !number && !unit.is_empty() {
            errors.add("unit", FieldCode::NotAChoice);
        }
        match self.decimals {
            ..0 => errors.add("decimals", FieldCode::TooSmall),
            n if n > if number { DECIMALS_MAX } else { 0 } => errors.add("decimals", FieldCode::TooBig),
            _ => {}
        }
        match (self.kind == AttributeKind::Choice, self.options.len()) {
            (true, 0) => errors.add("options", FieldCode::Missing),
            (false, 1..) => errors.add("options", FieldCode::NotAChoice),
            (_, n) if n > ENTRIES_MAX => errors.add(format!("options.{ENTRIES_MAX}"), FieldCode::TooMany),
            _ => {}
        }
        let mut options: Vec<AttributeOption> = Vec::new();
        for (i, option) in self.options.iter().take(ENTRIES_MAX).enumerate() {
            let code = errors.take(code(&format!("options.{i}.code"), &option.code));
            if options.iter().any(|o| o.code == code) {
                errors.add(format!("options.{i}.code"), FieldCode::NotUnique);
            }
            let name = errors.take(text::line(&format!("options.{i}.name"), &option.name, NAME_MAX));
            options.push(AttributeOption { code, name });
        }
        errors.finish(Self { name, kind: self.kind, unit, decimals: self.decimals, options })
    }
}

/// The code of an attribute or option: lower-case letters, digits and `_`.
pub fn code(field: &str, code: &str) -> Result<String, FieldError> {
    let code = text::line(field, code, CODE_MAX)?;
    match code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        true => Ok(code),
        false => Err(FieldError::new(field, FieldCode::BadCharacters)),
    }
}

/// An attribute of a category, its own or inherited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryAttribute {
    /// The attribute's code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The kind of its values.
    pub kind: AttributeKind,
    /// The unit of a number. May be empty.
    pub unit: String,
    /// The number of decimals of a number.
    pub decimals: i64,
    /// The options of a choice, in display order.
    pub options: Vec<AttributeOption>,
    /// Whether products of the category must have a value.
    pub required: bool,
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A line of text.
    Text(String),
    /// A number in units of the attribute's last decimal.
    Number(i64),
    /// Yes or no.
    YesNo(bool),
    /// The code of an option.
    Choice(String),
    /// A colour: `0xrrggbb`.
    Color(i64),
}

impl CategoryAttribute {
    /// Reads a value.
    pub fn parse(&self, value: &str) -> Result<AttributeValue, FieldCode> {
        let line = text::line("value", value, TEXT_MAX).map_err(|error| error.code)?;
        match self.kind {
            AttributeKind::Text => Ok(AttributeValue::Text(line)),
            AttributeKind::Number => decimal(&line, self.decimals).map(AttributeValue::Number),
            AttributeKind::YesNo => match line.as_str() {
                "yes" => Ok(AttributeValue::YesNo(true)),
                "no" => Ok(AttributeValue::YesNo(false)),
                _ => Err(FieldCode::NotAChoice),
            },
            AttributeKind::Choice => match self.options.iter().any(|option| option.code == line) {
                true => Ok(AttributeValue::Choice(line)),
                false => Err(FieldCode::NotAChoice),
            },
            AttributeKind::Color => color(&line).map(AttributeValue::Color).ok_or(FieldCode::NotColor),
        }
    }
}

impl AttributeValue {
    /// The value as text that [`CategoryAttribute::parse`] reads, for an attribute with these decimals.
    pub fn show(&self, decimals: i64) -> String {
        match self {
            Self::Text(text) | Self::Choice(text) => text.clone(),
            Self::Number(number) => show_decimal(*number, decimals),
            Self::YesNo(true) => "yes".into(),
            Self::YesNo(false) => "no".into(),
            Self::Color(rgb) => format!("#{rgb:06x}"),
        }
    }
}

/// A number with a decimal point. Unlike an amount of money, it may be negative.
fn decimal(text: &str, decimals: i64) -> Result<i64, FieldCode> {
    let places = u32::try_from(decimals).unwrap_or_default();
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    match number::exact(digits, places, Notation::Said(DecimalMark::Point)) {
        Ok(number) => Ok(sign * number),
        Err(FieldCode::TooBig) => Err(FieldCode::TooBig),
        Err(_) => Err(FieldCode::NotDecimal(places)),
    }
}

fn show_decimal(number: i64, decimals: i64) -> String {
    let places = usize::try_from(decimals).unwrap_or_default();
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

fn color(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('#')?;
    let hex = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| i64::from_str_radix(digits, 16).ok()).flatten()
}

/// A value of a product, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttributeText {
    /// The attribute's code.
    pub code: String,
    /// The value: text, a number with a decimal point, `yes` or `no`, the code of an option, or `#rrggbb`.
    pub value: String,
}

/// A value of a product, as shoppers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TypedAttribute {
    /// The attribute's code.
    pub code: String,
    /// The attribute's name.
    pub name: String,
    /// The kind of the value.
    pub kind: AttributeKind,
    /// The value: text, a number with a decimal point, `yes` or `no`, the name of an option, or `#rrggbb`.
    pub value: String,
    /// The unit of a number. May be empty.
    pub unit: String,
}

/// Reads all values of a product. Errors are at `attributes.{code}`.
pub fn check_values(
    asked: &[CategoryAttribute],
    given: &[AttributeText],
) -> Result<Vec<(String, AttributeValue)>, Vec<FieldError>> {
    let mut errors = ValidationErrors::default();
    let mut values: Vec<(String, AttributeValue)> = Vec::new();
    for (i, text) in given.iter().enumerate() {
        let field = format!("attributes.{}", text.code);
        if given[..i].iter().any(|other| other.code == text.code) {
            errors.add(field, FieldCode::NotUnique);
            continue;
        }
        match asked.iter().find(|attribute| attribute.code == text.code) {
            None => errors.add(field, FieldCode::NotAChoice),
            Some(_) if text::is_blank(&text.value) => {}
            Some(attribute) => match attribute.parse(&text.value) {
                Ok(value) => values.push((text.code.clone(), value)),
                Err(code) => errors.add(field, code),
            },
        }
    }
    for attribute in asked.iter().filter(|attribute| attribute.required) {
        let given = given.iter().find(|text| text.code == attribute.code);
        if given.is_none_or(|text| text::is_blank(&text.value)) {
            errors.add(format!("attributes.{}", attribute.code), FieldCode::Missing);
        }
    }
    errors.finish(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttributeKind::*;
    use proptest::prelude::*;

    fn attribute(kind: AttributeKind, decimals: i64) -> CategoryAttribute {
        let option = |code: &str| AttributeOption { code: code.into(), name: code.to_uppercase() };
        CategoryAttribute {
            code: "it".into(),
            name: "It".into(),
            kind,
            unit: String::new(),
            decimals,
            options: vec![option("clay"), option("glass")],
            required: false,
        }
    }

    #[test]
    fn values_are_read_by_their_kind() {
        let cases = [
            (Text, 0, " Matt finish ", Ok(AttributeValue::Text("Matt finish".into()))),
            (Text, 0, "", Err(FieldCode::Missing)),
            (Number, 0, "250", Ok(AttributeValue::Number(250))),
            (Number, 2, "2.5", Ok(AttributeValue::Number(250))),
            (Number, 2, "2.500", Ok(AttributeValue::Number(250))),
            (Number, 2, "-0.05", Ok(AttributeValue::Number(-5))),
            (Number, 0, "−18", Ok(AttributeValue::Number(-18))),
            (Number, 1, "2.55", Err(FieldCode::NotDecimal(1))),
            (Number, 2, "large", Err(FieldCode::NotDecimal(2))),
            (Number, 0, "--1", Err(FieldCode::NotDecimal(0))),
            (Number, 6, "99999999999999999", Err(FieldCode::TooBig)),
            (YesNo, 0, "yes", Ok(AttributeValue::YesNo(true))),
            (YesNo, 0, "no", Ok(AttributeValue::YesNo(false))),
            (YesNo, 0, "true", Err(FieldCode::NotAChoice)),
            (Choice, 0, "clay", Ok(AttributeValue::Choice("clay".into()))),
            (Choice, 0, "CLAY", Err(FieldCode::NotAChoice)),
            (Color, 0, "#C0ffee", Ok(AttributeValue::Color(0xc0_ff_ee))),
            (Color, 0, "#fff", Err(FieldCode::NotColor)),
            (Color, 0, "c0ffee0", Err(FieldCode::NotColor)),
            (Color, 0, "#+0ffee", Err(FieldCode::NotColor)),
        ];
        for (kind, decimals, text, read) in cases {
            assert_eq!(attribute(kind, decimals).parse(text), read, "{text:?}");
        }
    }

    #[test]
    fn a_product_has_the_values_that_its_category_asks_for() {
        let asked = [
            CategoryAttribute { code: "ml".into(), required: true, ..attribute(Number, 0) },
            CategoryAttribute { code: "of".into(), ..attribute(Choice, 0) },
        ];
        let text = |code: &str, value: &str| AttributeText { code: code.into(), value: value.into() };
        let read = check_values(&asked, &[text("of", " "), text("ml", "250")]);
        assert_eq!(read, Ok(vec![("ml".into(), AttributeValue::Number(250))]));
        let given = [text("of", "tin"), text("lost", "1"), text("of", "clay"), text("ml", "")];
        let errors = [
            ("attributes.of", FieldCode::NotAChoice),
            ("attributes.lost", FieldCode::NotAChoice),
            ("attributes.of", FieldCode::NotUnique),
            ("attributes.ml", FieldCode::Missing),
        ];
        assert_eq!(
            check_values(&asked, &given),
            Err(errors.map(|(field, code)| FieldError::new(field, code)).to_vec())
        );
    }

    #[test]
    fn a_definition_fits_its_kind() {
        let option = |code: &str| AttributeOption { code: code.into(), name: "Clay".into() };
        let form = |kind, unit: &str, decimals, options| AttributeForm {
            name: "It".into(),
            kind,
            unit: unit.into(),
            decimals,
            options,
        };
        let cases = [
            (form(Number, "ml", 6, vec![]), None),
            (form(Number, "ml", 7, vec![]), Some(("decimals", FieldCode::TooBig))),
            (form(Number, "ml", -1, vec![]), Some(("decimals", FieldCode::TooSmall))),
            (form(Text, "", 1, vec![]), Some(("decimals", FieldCode::TooBig))),
            (form(Text, "ml", 0, vec![]), Some(("unit", FieldCode::NotAChoice))),
            (form(Choice, "", 0, vec![option("clay")]), None),
            (form(Choice, "", 0, vec![]), Some(("options", FieldCode::Missing))),
            (form(Color, "", 0, vec![option("clay")]), Some(("options", FieldCode::NotAChoice))),
            (form(Choice, "", 0, vec![option("A")]), Some(("options.0.code", FieldCode::BadCharacters))),
            (
                form(Choice, "", 0, (0..101).map(|i| option(&i.to_string())).collect()),
                Some(("options.100", FieldCode::TooMany)),
            ),
            (
                form(Choice, "", 0, vec![option("a"), option("a")]),
                Some(("options.1.code", FieldCode::NotUnique)),
            ),
        ];
        for (form, error) in cases {
            let errors = form.check().err().unwrap_or_default();
            let expected: Vec<_> = error.into_iter().map(|(at, code)| FieldError::new(at, code)).collect();
            assert_eq!(errors, expected, "{form:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(number in -i64::MAX..=i64::MAX, decimals in 0..=DECIMALS_MAX, rgb in 0i64..0x100_0000) {
            for (kind, value) in [(Number, AttributeValue::Number(number)), (Color, AttributeValue::Color(rgb))] {
                let shown = value.show(decimals);
                prop_assert_eq!(attribute(kind, decimals).parse(&shown), Ok(value), "{}", shown);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}", decimals in 0..=DECIMALS_MAX) {
            for kind in AttributeKind::ALL {
                let _ = attribute(kind, decimals).parse(&text);
            }
        }
    }
}
