//! The category tree as admins edit it.

use serde::{Deserialize, Serialize};

use crate::{
    announcements::LANGUAGES,
    field::{FieldCode, FieldError, ValidationErrors},
    taxes, text,
};

/// The maximum number of characters of a name.
pub const NAME_MAX: usize = 60;
/// The maximum number of characters of a slug.
pub const SLUG_MAX: usize = 60;
/// How many levels the tree can have.
pub const DEPTH_MAX: usize = 6;

/// What the URL of the page of categories has instead of a slug for a new one.
pub const NEW_CATEGORY: &str = "new.";

/// A category with what admins see and change of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryEntry {
    /// The slug, which is part of its URL and never changes.
    pub slug: String,
    /// The name in the first language of the market.
    pub name: String,
    /// The names in other languages. Where one is missing, shoppers see `name`.
    pub names: Vec<TranslatedName>,
    /// The slug of the category above. Empty at the top.
    pub parent: String,
    /// How many categories are above it.
    pub depth: usize,
    /// The category of tax rates that its products are of.
    pub tax_category: String,
    /// How many products are in it, without those in its subcategories.
    pub products: i64,
}

/// A name in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TranslatedName {
    /// The language: `hi`.
    pub language: String,
    /// The name.
    pub name: String,
}

/// A category as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryForm {
    /// The name in the first language of the market.
    pub name: String,
    /// The names in the other languages, by language. Empty ones are none.
    pub names: Vec<(String, String)>,
    /// The slug of a new one. Empty to derive it from the name.
    pub slug: String,
    /// The slug of the category above. Empty at the top.
    pub parent: String,
    /// The category of tax rates.
    pub tax_category: String,
}

/// A valid form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryDraft {
    /// The name in the first language of the market.
    pub name: String,
    /// The names in other languages, by language.
    pub names: Vec<(String, String)>,
    /// The slug of a new one.
    pub slug: String,
    /// The slug of the category above. Empty at the top.
    pub parent: String,
    /// The category of tax rates.
    pub tax_category: String,
}

/// The languages in which a category has another name.
pub fn languages() -> impl Iterator<Item = &'static str> {
    LANGUAGES.into_iter().skip(1)
}

/// The name of the field of the name in a language.
pub fn name_field(language: &str) -> String {
    format!("name.{language}")
}

impl CategoryForm {
    /// The form from its fields.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        let names = languages().map(|language| (language.to_owned(), field(&name_field(language))));
        Self {
            name: field("name"),
            names: names.collect(),
            slug: field("slug"),
            parent: field("parent"),
            tax_category: field("tax_category"),
        }
    }

    /// The form of a category that exists.
    pub fn of(entry: &CategoryEntry) -> Self {
        let name_in = |language: &str| {
            let known = entry.names.iter().find(|known| known.language == language);
            known.map(|known| known.name.clone()).unwrap_or_default()
        };
        Self {
            name: entry.name.clone(),
            names: languages().map(|language| (language.to_owned(), name_in(language))).collect(),
            slug: entry.slug.clone(),
            parent: entry.parent.clone(),
            tax_category: entry.tax_category.clone(),
        }
    }

    /// The valid form, or all errors.
    pub fn check(&self) -> Result<CategoryDraft, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let name = faults.take(text::line("name", &self.name, NAME_MAX));
        let mut names = Vec::new();
        for (language, typed) in &self.names {
            let field = name_field(language);
            if !languages().any(|known| known == language) {
                faults.add(field, FieldCode::NotAChoice);
                continue;
            }
            let translated = faults.take(text::optional_line(&field, typed, NAME_MAX));
            if !translated.is_empty() {
                names.push((language.clone(), translated));
            }
        }
        let slug = match self.slug.trim() {
            "" => text::slug(&name, SLUG_MAX),
            typed if typed.chars().count() > SLUG_MAX => {
                faults.add("slug", FieldCode::TooLong(SLUG_MAX));
                String::new()
            }
            typed if text::slug(typed, SLUG_MAX) != typed.to_lowercase() => {
                faults.add("slug", FieldCode::BadCharacters);
                String::new()
            }
            typed => typed.to_lowercase(),
        };
        // Names in other scripts have no letters for a URL.
        if slug.is_empty() && !name.is_empty() && self.slug.trim().is_empty() {
            faults.add("slug", FieldCode::Missing);
        }
        let tax_category = match self.tax_category.trim() {
            "" => String::new(),
            typed => faults.take(taxes::category("tax_category", typed)),
        };
        let parent = self.parent.trim().to_owned();
        faults.finish(CategoryDraft { name, names, slug, parent, tax_category })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(name: &str) -> CategoryForm {
        CategoryForm { name: name.into(), tax_category: "standard".into(), ..CategoryForm::default() }
    }

    #[test]
    fn a_slug_is_derived_or_checked() {
        let slug = |typed: &str, name: &str| {
            CategoryForm { slug: typed.into(), ..form(name) }.check().map(|draft| draft.slug)
        };
        assert_eq!(slug("", "Home & kitchen"), Ok("home-kitchen".into()));
        assert_eq!(slug(" Kitchen-2 ", "Home"), Ok("kitchen-2".into()));
        let fault = |code| Err(vec![FieldError::new("slug", code)]);
        assert_eq!(slug("", "रसोई"), fault(FieldCode::Missing));
        assert_eq!(slug("rasoi", "रसोई"), Ok("rasoi".into()));
        for bad in ["a/b", "a_b", "%", "-a", "a--b", "é"] {
            assert_eq!(slug(bad, "Home"), fault(FieldCode::BadCharacters), "{bad}");
        }
        assert_eq!(slug(&"a".repeat(61), "Home"), fault(FieldCode::TooLong(SLUG_MAX)));
    }

    #[test]
    fn names_are_checked_in_every_language() {
        let names = |hindi: &str| {
            let names = vec![("hi".to_owned(), hindi.to_owned())];
            CategoryForm { names, ..form("Home") }.check().map(|draft| draft.names)
        };
        assert_eq!(names("  "), Ok(vec![]));
        assert_eq!(names(" घर "), Ok(vec![("hi".into(), "घर".into())]));
        assert_eq!(names("\u{202e}"), Err(vec![FieldError::new("name.hi", FieldCode::BadCharacters)]));
        let unknown = CategoryForm { names: vec![("xx".into(), "Home".into())], ..form("Home") };
        assert_eq!(unknown.check(), Err(vec![FieldError::new("name.xx", FieldCode::NotAChoice)]));
        assert_eq!(form(" ").check(), Err(vec![FieldError::new("name", FieldCode::Missing)]));
    }

    #[test]
    fn a_form_shows_what_is_saved() {
        let entry = CategoryEntry {
            slug: "cups".into(),
            name: "Cups".into(),
            names: vec![TranslatedName { language: "hi".into(), name: "कप".into() }],
            parent: "home".into(),
            depth: 1,
            tax_category: "standard".into(),
            products: 3,
        };
        let draft = CategoryForm::of(&entry).check().unwrap();
        assert_eq!((draft.slug.as_str(), draft.parent.as_str()), ("cups", "home"));
        assert_eq!(draft.names, [("hi".to_owned(), "कप".to_owned())]);
    }
}
