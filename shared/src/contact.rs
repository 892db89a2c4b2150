//! Messages to the marketplace from its contact page.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::Email,
    field::FieldError,
    id::kinds::{ContactMessageId, UserId},
    text,
};

/// The maximum number of characters of a message, and of its answer.
pub const TEXT_MAX: usize = 4_000;

text_enum! {
    /// What has become of a message.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ContactState {
        /// Nobody has answered it.
        Open = "open",
        /// It was answered by email.
        Answered = "answered",
        /// It needs no answer.
        Closed = "closed",
    }
}

/// The form of the contact page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactForm {
    /// The name.
    pub name: String,
    /// The email address to answer to.
    pub email: String,
    /// The message.
    pub message: String,
    /// A field that people don't see: programs that fill in every field give themselves away.
    pub website: String,
}

/// A valid [`ContactForm`].
#[derive(Debug, Clone)]
pub struct ValidContact {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: Email,
    /// The message, in paragraphs.
    pub message: String,
}

impl ContactForm {
    /// The validated form, or all errors. `smtputf8` is whether the mail server supports SMTPUTF8.
    pub fn check(&self, smtputf8: bool) -> Result<ValidContact, Vec<FieldError>> {
        let name = text::line("name", &self.name, text::PERSON_MAX);
        let email = Email::parse("email", &self.email).and_then(|email| email.reachable("email", smtputf8));
        let message = paragraphs("message", &self.message);
        match (name, email, message) {
            (Ok(name), Ok(email), Ok(message)) => Ok(ValidContact { name, email, message }),
            (name, email, message) => {
                Err([name.err(), email.err(), message.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// A text that isn't empty.
pub fn paragraphs(field: &str, typed: &str) -> Result<String, FieldError> {
    let text = text::paragraphs(field, typed, TEXT_MAX)?;
    match text.is_empty() {
        true => Err(FieldError::new(field, crate::field::FieldCode::Missing)),
        false => Ok(text),
    }
}

/// A message, as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard {
    /// Its ID.
    pub id: ContactMessageId,
    /// What has become of it.
    pub state: ContactState,
    /// The name that was entered.
    pub name: String,
    /// The email address that was entered.
    pub email: String,
    /// The account of the sender, if they were signed in and the admin may see it.
    pub user: Option<UserId>,
    /// The message.
    pub message: String,
    /// The answer. Empty without one.
    pub answer: String,
    /// When it was sent.
    pub created_at: String,
    /// When it was answered or closed.
    pub closed_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_at_its_field() {
        let faults = ContactForm::default().check(false).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "message"]);
        let form = ContactForm {
            name: "Asha".into(),
            email: "asha@example.com".into(),
            message: " Do you ship\r\n\r\nabroad? ".into(),
            website: String::new(),
        };
        assert_eq!(form.check(false).unwrap().message, "Do you ship\n\nabroad?");
    }
}
