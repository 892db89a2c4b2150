//! Announcements: what the market tells many people at once, about itself or about an offer.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    id::kinds::AnnouncementId,
    page::Page,
    text,
};

/// The maximum length of a title.
pub const TITLE_MAX: usize = 120;
/// The maximum length of a text.
pub const TEXT_MAX: usize = 4_000;
/// The maximum length of a link.
pub const LINK_MAX: usize = 200;
/// The languages in which an announcement can be written.
pub const LANGUAGES: [&str; 2] = ["en", "hi"];

text_enum! {
    /// What an announcement is about.
    pub enum AnnouncementKind {
        /// The service, such as changed terms: nobody can choose not to be told.
        Service = "service",
        /// An offer: emailed only to those who have agreed to that.
        Offer = "offer",
    }
}

text_enum! {
    /// Whom an announcement is for. All of them have an account.
    pub enum AnnouncementAudience {
        /// All users.
        Everyone = "everyone",
        /// Those who have bought something.
        Customers = "customers",
        /// Those who work for a shop.
        Sellers = "sellers",
    }
}

text_enum! {
    /// What has become of an announcement.
    pub enum AnnouncementState {
        /// It is being written.
        Draft = "draft",
        /// It will be sent.
        Scheduled = "scheduled",
        /// Its recipients are being told.
        Sending = "sending",
        /// All recipients were told.
        Sent = "sent",
        /// It was taken back: nobody else is told, and it is no longer on the site.
        Withdrawn = "withdrawn",
    }
}

/// An announcement in a language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementText {
    /// The language.
    pub locale: String,
    /// The title.
    pub title: String,
    /// The text, of paragraphs.
    pub text: String,
}

/// An announcement as it was entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnnouncementForm {
    /// What it is about.
    pub kind: String,
    /// Whom it is for.
    pub audience: String,
    /// Whether it is shown on the site.
    pub in_app: bool,
    /// Whether it is emailed.
    pub email: bool,
    /// The page that it leads to, within the market: `/products?q=lamps`. May be empty.
    pub link: String,
    /// When it is to be sent; empty for at once.
    pub send_at: String,
    /// The text in each of [`LANGUAGES`]; empty where it wasn't written.
    pub texts: Vec<AnnouncementText>,
}

/// A checked announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncementDraft {
    /// What it is about.
    pub kind: AnnouncementKind,
    /// Whom it is for.
    pub audience: AnnouncementAudience,
    /// Whether it is shown on the site.
    pub in_app: bool,
    /// Whether it is emailed.
    pub email: bool,
    /// The page that it leads to; empty if there is none.
    pub link: String,
    /// Its texts, at least one.
    pub texts: Vec<AnnouncementText>,
}

impl AnnouncementForm {
    /// The form by its fields.
    pub fn read(value: impl Fn(&str) -> String) -> Self {
        let text = |locale: &str| AnnouncementText {
            locale: locale.to_owned(),
            title: value(&format!("title_{locale}")),
            text: value(&format!("text_{locale}")),
        };
        Self {
            kind: value("kind"),
            audience: value("audience"),
            in_app: !value("in_app").is_empty(),
            email: !value("email").is_empty(),
            link: value("link"),
            send_at: value("send_at"),
            texts: LANGUAGES.map(text).into(),
        }
    }

    /// What was entered in a language.
    pub fn text(&self, locale: &str) -> AnnouncementText {
        self.texts.iter().find(|text| text.locale == locale).cloned().unwrap_or_default()
    }

    /// The announcement, or all errors at their fields.
    pub fn check(&self) -> Result<AnnouncementDraft, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, code| faults.push(FieldError::new(field, code));
        let kind = AnnouncementKind::parse(&self.kind);
        let audience = AnnouncementAudience::parse(&self.audience);
        if kind.is_none() {
            fault("kind", FieldCode::NotAChoice);
        }
        if audience.is_none() {
            fault("audience", FieldCode::NotAChoice);
        }
        if !self.in_app && !self.email {
            fault("in_app", FieldCode::Missing);
        }
        let link = match text::optional_line("link", &self.link, LINK_MAX) {
            Ok(link) if link.is_empty() || is_local(&link) => link,
            Ok(_) => {
                fault("link", FieldCode::NotARecord);
                String::new()
            }
            Err(error) => {
                fault("link", error.code);
                String::new()
            }
        };
        let mut texts = Vec::new();
        for locale in LANGUAGES {
            let AnnouncementText { title, text, .. } = self.text(locale);
            if text::is_blank(&title) && text::is_blank(&text) {
                continue;
            }
            let (title_field, text_field) = (format!("title_{locale}"), format!("text_{locale}"));
            let title = text::line(&title_field, &title, TITLE_MAX);
            let text = match text::is_blank(&text) {
                true => Err(FieldError::new(text_field, FieldCode::Missing)),
                false => text::paragraphs(&text_field, &text, TEXT_MAX),
            };
            match (title, text) {
                (Ok(title), Ok(text)) => {
                    texts.push(AnnouncementText { locale: locale.to_owned(), title, text })
                }
                (title, text) => faults.extend([title.err(), text.err()].into_iter().flatten()),
            }
        }
        if texts.is_empty() && !faults.iter().any(|fault| fault.field.starts_with("t")) {
            faults.push(FieldError::new(format!("title_{}", LANGUAGES[0]), FieldCode::Missing));
        }
        let (Some(kind), Some(audience), true) = (kind, audience, faults.is_empty()) else {
            return Err(faults);
        };
        let (in_app, email) = (self.in_app, self.email);
        Ok(AnnouncementDraft { kind, audience, in_app, email, link, texts })
    }
}

impl AnnouncementDraft {
    /// The text for a reader of a language: in it, or in the first one that was written.
    pub fn in_language(&self, locale: &str) -> Option<&AnnouncementText> {
        self.texts.iter().find(|text| text.locale == locale).or(self.texts.first())
    }
}

/// Whether this is a path within the market, and can't be taken for another host's.
fn is_local(link: &str) -> bool {
    link.starts_with('/')
        && !link.starts_with("//")
        && !link.contains(|c: char| c == '\\' || c.is_whitespace())
}

/// The paragraphs of a text, which empty lines separate.
pub fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|part| !part.is_empty())
}

/// An announcement in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementCard {
    /// The ID.
    pub id: AnnouncementId,
    /// The title, in the first language in which it was written.
    pub title: String,
    /// What it is about.
    pub kind: AnnouncementKind,
    /// Whom it is for.
    pub audience: AnnouncementAudience,
    /// What has become of it.
    pub state: AnnouncementState,
    /// When it is or was to be sent: RFC 3339. Null for a draft to be sent at once.
    pub send_at: Option<String>,
    /// How many notifications were written, on the site and by email.
    pub told: i64,
}

/// How an announcement reads in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementPreview {
    /// The language.
    pub locale: String,
    /// The subject of the email, and the title on the site.
    pub subject: String,
    /// The email as plain text.
    pub text: String,
}

/// An announcement with its previews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementDetails {
    /// Its entry in the list.
    pub card: AnnouncementCard,
    /// As it was entered.
    pub form: AnnouncementForm,
    /// The version, for concurrent changes.
    pub version: i64,
    /// How it reads in each language.
    pub previews: Vec<AnnouncementPreview>,
    /// How many people would see it on the site if it were sent now.
    pub on_site: i64,
    /// How many would get an email.
    pub emails: i64,
}

/// Announcements, the latest first, and one of them if it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcements {
    /// The page.
    pub page: Page<AnnouncementCard>,
    /// The one that is shown.
    pub shown: Option<AnnouncementDetails>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> AnnouncementForm {
        AnnouncementForm::read(|name| {
            let value = match name {
                "kind" => "offer",
                "audience" => "sellers",
                "email" => "true",
                "link" => "/products?q=lamps",
                "title_hi" => "दीवाली",
                "text_hi" => "एक\r\n\r\nदो",
                _ => "",
            };
            value.to_owned()
        })
    }

    #[test]
    fn one_language_is_enough() {
        let draft = form().check().unwrap();
        assert_eq!((draft.kind, draft.audience), (AnnouncementKind::Offer, AnnouncementAudience::Sellers));
        assert_eq!((draft.in_app, draft.email, draft.link.as_str()), (false, true, "/products?q=lamps"));
        for locale in ["hi", "en", "de"] {
            assert_eq!(draft.in_language(locale).unwrap().title, "दीवाली", "{locale}");
        }
        assert_eq!(paragraphs(&draft.texts[0].text).collect::<Vec<_>>(), ["एक", "दो"]);
    }

    #[test]
    fn every_error_is_at_its_field() {
        let text = |title: &str, text: &str| {
            vec![AnnouncementText { locale: "en".into(), title: title.into(), text: text.into() }]
        };
        let long = "x".repeat(TITLE_MAX + 1);
        let rows: [(AnnouncementForm, &str, FieldCode); 9] = [
            (AnnouncementForm { kind: "advert".into(), ..form() }, "kind", FieldCode::NotAChoice),
            (AnnouncementForm { audience: String::new(), ..form() }, "audience", FieldCode::NotAChoice),
            (AnnouncementForm { email: false, ..form() }, "in_app", FieldCode::Missing),
            (AnnouncementForm { link: "//evil.example".into(), ..form() }, "link", FieldCode::NotARecord),
            (AnnouncementForm { link: "/\\evil".into(), ..form() }, "link", FieldCode::NotARecord),
            (AnnouncementForm { texts: Vec::new(), ..form() }, "title_en", FieldCode::Missing),
            (AnnouncementForm { texts: text("Sale", " "), ..form() }, "text_en", FieldCode::Missing),
            (AnnouncementForm { texts: text("", "Come"), ..form() }, "title_en", FieldCode::Missing),
            (
                AnnouncementForm { texts: text(&long, "Come"), ..form() },
                "title_en",
                FieldCode::TooLong(TITLE_MAX),
            ),
        ];
        for (form, field, code) in rows {
            assert_eq!(form.check(), Err(vec![FieldError::new(field, code)]), "{form:?}");
        }
    }
}
