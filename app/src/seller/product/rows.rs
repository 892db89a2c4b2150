//! What the form holds while it is edited. Rows are added and removed, so each has a number, which names its
//! fields independently of its position. Most input stays in the fields until the form is submitted.

use std::collections::{HashMap, HashSet};

use haat_shared::{
    Error, FieldError,
    catalog::{
        Attribute,
        attributes::{AttributeText, CategoryAttribute},
        edit::{ProductForm, VARIANTS_MAX, VariantForm, value_key},
    },
    media::Picture,
};
use leptos::{html, prelude::*, wasm_bindgen::JsCast, web_sys};

/// A row of the form: its number, and its value when it was last read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<T> {
    pub(super) number: u32,
    pub(super) first: T,
}

/// What was removed last, as it was before.
#[derive(Clone)]
pub(super) enum Removed {
    Pictures(Vec<Picture>),
    Variants(Vec<Row<String>>, Vec<Row<VariantForm>>),
}

/// The current rows of the form.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    last: StoredValue<u32>,
    pub(super) form: NodeRef<html::Form>,
    /// The specifications.
    pub(super) attributes: RwSignal<Vec<Row<Attribute>>>,
    /// The names of the options.
    pub(super) options: RwSignal<Vec<Row<String>>>,
    /// The variants. Their option values are always current, everything else when the form was last read.
    pub(super) variants: RwSignal<Vec<Row<VariantForm>>>,
    pub(super) pictures: RwSignal<Vec<Picture>>,
    /// How many pictures are being uploaded or wait for it.
    pub(super) uploading: RwSignal<usize>,
    /// Whether one of them was refused.
    pub(super) upload_failed: RwSignal<bool>,
    /// The attributes that the category asks for.
    pub(super) asked: RwSignal<Vec<CategoryAttribute>>,
    /// Their values by code. Those of another category are kept in case it is chosen again.
    pub(super) values: RwSignal<HashMap<String, String>>,
    pub(super) removed: RwSignal<Option<Removed>>,
    pub(super) dirty: RwSignal<bool>,
}

impl Rows {
    pub(super) fn of(form: &ProductForm, pictures: Vec<Picture>, values: &[AttributeText]) -> Self {
        let rows = Self {
            last: StoredValue::new(0),
            form: NodeRef::new(),
            attributes: RwSignal::default(),
            options: RwSignal::default(),
            variants: RwSignal::default(),
            pictures: RwSignal::new(pictures),
            uploading: RwSignal::new(0),
            upload_failed: RwSignal::new(false),
            asked: RwSignal::default(),
            values: RwSignal::new(values.iter().map(|v| (v.code.clone(), v.value.clone())).collect()),
            removed: RwSignal::new(None),
            dirty: RwSignal::new(false),
        };
        rows.attributes.set(form.attributes.iter().map(|detail| rows.row(detail.clone())).collect());
        rows.options.set(form.options.iter().map(|name| rows.row(name.clone())).collect());
        let whole = |variant: &VariantForm| {
            let mut variant = variant.clone();
            variant.options.resize(form.options.len(), String::new());
            rows.row(variant)
        };
        rows.variants.set(form.variants.iter().map(whole).collect());
        rows
    }

    /// Whether the product is sold in one way only, so that nothing is called a variant.
    pub(super) fn is_simple(self) -> bool {
        self.options.with(Vec::is_empty) && self.variants.with(Vec::len) == 1
    }

    fn row<T>(self, first: T) -> Row<T> {
        self.last.update_value(|last| *last += 1);
        Row { number: self.last.get_value(), first }
    }

    pub(super) fn add<T: Send + Sync + 'static>(self, to: RwSignal<Vec<Row<T>>>, first: T) {
        let row = self.row(first);
        to.update(|rows| rows.push(row));
        self.dirty.set(true);
    }

    pub(super) fn remove<T: Send + Sync + 'static>(self, from: RwSignal<Vec<Row<T>>>, number: u32) {
        from.update(|rows| rows.retain(|row| row.number != number));
        self.dirty.set(true);
    }

    /// Adds an option without values.
    pub(super) fn add_option(self) {
        self.variants.update(|all| all.iter_mut().for_each(|row| row.first.options.push(String::new())));
        self.add(self.options, String::new());
    }

    /// Removes an option. Of new variants that it alone told apart, the first is kept; saved ones are named
    /// by their values if nothing else does so.
    pub(super) fn remove_option(self, number: u32) {
        let Some(at) = position(self.options, number) else { return };
        self.keep_for_undo();
        self.remove(self.options, number);
        let last = self.options.with_untracked(Vec::is_empty);
        let mut seen = HashSet::new();
        self.variants.update(|all| {
            for VariantForm { options, title, .. } in all.iter_mut().map(|row| &mut row.first) {
                let value = if at < options.len() { options.remove(at) } else { String::new() };
                if last && title.trim().is_empty() {
                    *title = value;
                }
            }
            let new = all.iter().all(|row| row.first.id.is_none());
            all.retain(|Row { first, .. }| seen.insert(key(&first.options)) || first.id.is_some());
            if let (true, true, [only]) = (last, new, all.as_mut_slice()) {
                only.first.title.clear();
            }
        });
    }

    /// Adds values of an option, separated by commas. Variants without a value get the first; for each further
    /// one there is another variant of every combination, with its price and stock.
    pub(super) fn add_values(self, option: u32, typed: &str) {
        let Some(at) = position(self.options, option) else { return };
        self.read();
        let mut all = self.variants.get_untracked();
        for value in typed.split(',').map(str::trim).filter(|value| !value.is_empty()) {
            if all.iter().any(|row| value_key(&row.first.options[at]) == value_key(value)) {
                continue;
            }
            let mut filled = false;
            for row in all.iter_mut().filter(|row| row.first.options[at].trim().is_empty()) {
                row.first.options[at] = value.to_owned();
                filled = true;
            }
            if filled {
                continue;
            }
            let mut seen = HashSet::new();
            let like = |row: &Row<VariantForm>| {
                let mut options = row.first.options.clone();
                options[at] = value.to_owned();
                let VariantForm { price, compare_at, stock, low_stock, .. } = row.first.clone();
                let VariantForm { weight_g, length_mm, width_mm, height_mm, .. } = row.first.clone();
                let new = VariantForm {
                    options,
                    price,
                    compare_at,
                    stock,
                    low_stock,
                    weight_g,
                    length_mm,
                    width_mm,
                    height_mm,
                    ..VariantForm::default()
                };
                seen.insert(key(&new.options)).then_some(new)
            };
            let new: Vec<VariantForm> = all.iter().filter_map(like).collect();
            all.extend(new.into_iter().map(|variant| self.row(variant)));
        }
        all.truncate(VARIANTS_MAX);
        self.variants.set(all);
        self.dirty.set(true);
        self.refill();
    }

    /// Removes the variants with this value of an option; if all have it, only the value.
    pub(super) fn remove_value(self, option: u32, value: &str) {
        let Some(at) = position(self.options, option) else { return };
        self.keep_for_undo();
        let has = |row: &Row<VariantForm>| value_key(&row.first.options[at]) == value_key(value);
        self.variants.update(|all| match all.iter().all(has) {
            true => all.iter_mut().for_each(|row| row.first.options[at].clear()),
            false => all.retain(|row| !has(row)),
        });
        self.dirty.set(true);
        self.refill();
    }

    /// Removes variants, except the last one.
    pub(super) fn remove_variants(self, numbers: &HashSet<u32>) {
        self.keep_for_undo();
        self.variants.update(|all| {
            let first = all.first().cloned();
            all.retain(|row| !numbers.contains(&row.number));
            if all.is_empty() {
                all.extend(first);
            }
        });
        self.dirty.set(true);
    }

    /// A new variant with the price and stock of the last one.
    pub(super) fn add_variant(self) {
        self.read();
        let last = self.variants.with_untracked(|all| all.last().map(|row| row.first.clone()));
        let VariantForm { price, compare_at, stock, .. } = last.unwrap_or_default();
        let options = vec![String::new(); self.options.with_untracked(Vec::len)];
        self.add(self.variants, VariantForm { options, price, compare_at, stock, ..VariantForm::default() });
    }

    fn keep_for_undo(self) {
        self.read();
        let before = Removed::Variants(self.options.get_untracked(), self.variants.get_untracked());
        self.removed.set(Some(before));
    }

    /// Brings back what was removed last.
    pub(super) fn undo(self) {
        match self.removed.get_untracked() {
            Some(Removed::Pictures(before)) => self.pictures.set(before),
            Some(Removed::Variants(options, variants)) => {
                self.options.set(options);
                self.variants.set(variants);
                self.refill();
            }
            None => {}
        }
        self.removed.set(None);
    }

    /// Shows the option values in their fields.
    fn refill(self) {
        let options = numbers(self.options);
        for row in self.variants.get_untracked() {
            for (option, value) in options.iter().zip(&row.first.options) {
                set_field(&format!("variants.{}.options.{option}", row.number), value);
            }
        }
    }

    /// Reads the fields, and keeps what they say in the rows.
    pub(super) fn read(self) -> Option<ProductForm> {
        let data = web_sys::FormData::new_with_form(&self.form.get_untracked()?).ok()?;
        let field = |name: &str| data.get(name).as_string().unwrap_or_default();
        let options = numbers(self.options);
        let detail = |row: Row<Attribute>| Attribute {
            name: field(&format!("attributes.{}.name", row.number)),
            value: field(&format!("attributes.{}.value", row.number)),
        };
        self.variants.update(|rows| {
            for Row { number, first } in rows {
                let at = |part: &str| data.get(&format!("variants.{number}.{part}")).as_string();
                first.options.resize(options.len(), String::new());
                // A row that was just added has no fields yet.
                let VariantForm { sku, title, price, compare_at, stock, low_stock, .. } = first;
                let VariantForm { weight_g, length_mm, width_mm, height_mm, .. } = first;
                let parts = [
                    ("sku", sku),
                    ("title", title),
                    ("price", price),
                    ("compare_at", compare_at),
                    ("stock", stock),
                    ("low_stock", low_stock),
                    ("weight_g", weight_g),
                    ("length_mm", length_mm),
                    ("width_mm", width_mm),
                    ("height_mm", height_mm),
                ];
                for (part, value) in parts {
                    if let Some(typed) = at(part) {
                        *value = typed;
                    }
                }
            }
        });
        Some(ProductForm {
            title: field("title"),
            brand: field("brand"),
            category: field("category"),
            description: field("description"),
            attributes: self.attributes.get_untracked().into_iter().map(detail).collect(),
            options: options.iter().map(|option| field(&format!("options.{option}"))).collect(),
            variants: self.variants.get_untracked().into_iter().map(|row| row.first).collect(),
        })
    }

    /// The values of the attributes that the category asks for.
    pub(super) fn given(self) -> Vec<AttributeText> {
        let values = self.values.get_untracked();
        let given = |asked: &CategoryAttribute| {
            let value = values.get(&asked.code).filter(|value| !value.trim().is_empty())?;
            Some(AttributeText { code: asked.code.clone(), value: value.clone() })
        };
        self.asked.with_untracked(|asked| asked.iter().filter_map(given).collect())
    }

    /// Maps errors to the fields on the page, which are named by row number, not by position.
    pub(super) fn place(self, error: Error) -> Error {
        let Error::Invalid(faults) = error else { return error };
        let lists = [
            ("attributes", numbers(self.attributes)),
            ("options", numbers(self.options)),
            ("variants", numbers(self.variants)),
        ];
        let place = |fault: FieldError| {
            let mut numbers: &[u32] = &[];
            let parts = fault.field.split('.').map(|part| match part.parse::<usize>() {
                Ok(at) => numbers.get(at).map_or(part.to_owned(), u32::to_string),
                Err(_) => {
                    numbers =
                        lists.iter().find(|(list, _)| *list == part).map_or(&[], |(_, numbers)| numbers);
                    part.to_owned()
                }
            });
            FieldError::new(parts.collect::<Vec<_>>().join("."), fault.code)
        };
        Error::Invalid(faults.into_iter().map(place).collect())
    }
}

/// The values of an option, once each.
pub(super) fn values(variants: &[Row<VariantForm>], at: usize) -> Vec<String> {
    let mut seen = HashSet::new();
    let values = variants.iter().filter_map(|row| row.first.options.get(at)).map(|value| value.trim());
    values.filter(|value| !value.is_empty() && seen.insert(value_key(value))).map(str::to_owned).collect()
}

fn key(values: &[String]) -> Vec<String> {
    values.iter().map(|value| value_key(value)).collect()
}

pub(super) fn numbers<T: Clone + Send + Sync + 'static>(rows: RwSignal<Vec<Row<T>>>) -> Vec<u32> {
    rows.with_untracked(|rows| rows.iter().map(|row| row.number).collect())
}

pub(super) fn position<T: Send + Sync + 'static>(rows: RwSignal<Vec<Row<T>>>, number: u32) -> Option<usize> {
    rows.with_untracked(|rows| rows.iter().position(|row| row.number == number))
}

/// Writes into a field as if it were typed.
pub(super) fn set_field(name: &str, value: &str) {
    let field = document().get_element_by_id(name);
    let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return;
    };
    if field.value() == value {
        return;
    }
    field.set_value(value);
    let init = web_sys::EventInit::new();
    init.set_bubbles(true);
    if let Ok(event) = web_sys::Event::new_with_event_init_dict("input", &init) {
        let _ = field.dispatch_event(&event);
    }
}

/// Focuses an element once it is shown.
pub(super) fn focus(id: String) {
    request_animation_frame(move || {
        let found = document().get_element_by_id(&id);
        if let Some(element) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = element.focus();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_an_option_are_listed_once() {
        let variant = |options: &[&str]| Row {
            number: 0,
            first: VariantForm {
                options: options.iter().map(|&value| value.into()).collect(),
                ..VariantForm::default()
            },
        };
        let variants =
            [variant(&["Red", "S"]), variant(&["red", "L"]), variant(&["Red, matte", ""]), variant(&[])];
        assert_eq!(values(&variants, 0), ["Red", "Red, matte"]);
        assert_eq!(values(&variants, 1), ["S", "L"]);
        assert_eq!(values(&variants, 2), [""; 0]);
    }
}
