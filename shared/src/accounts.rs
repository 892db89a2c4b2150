//! Users: who can sign in, and what they must tell to do so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, FieldCode, FieldError},
    id::kinds::{ShopId, UserId},
    permissions::Role,
    text,
};

/// Fewest characters of a password. Length is what counts; there are no rules about its characters (NIST SP 800-63B).
pub const PASSWORD_MIN: usize = 8;
/// Most characters of a password. A bound, since each one costs a hash.
pub const PASSWORD_MAX: usize = 128;
/// Most characters of an e-mail address (RFC 5321: 254).
pub const EMAIL_MAX: usize = 254;
/// Most characters of a person's name.
pub const NAME_MAX: usize = 100;

/// An e-mail address as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    /// The address, if it can be one: one `@`, something before it, a host's name with a dot after it, no white space.
    /// Whether it is real only a mail can tell.
    pub fn parse(field: &str, typed: &str) -> Result<Self, FieldError> {
        let typed = text::line(field, typed, EMAIL_MAX)?;
        let bad = || FieldError::new(field, FieldCode::NotEmail);
        let (local, host) = typed.split_once('@').ok_or_else(bad)?;
        // Names in other letters are as good as those in ASCII.
        let letter = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-';
        let label =
            |l: &str| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(letter);
        let labels = host.split('.').all(label);
        let clean = !typed.chars().any(|c| c.is_whitespace() || "<>(),;:\\\"[]".contains(c));
        if local.is_empty()
            || local.len() > 64
            || !host.contains('.')
            || host.contains('@')
            || !labels
            || !clean
        {
            return Err(bad());
        }
        Ok(Self(typed))
    }

    /// As typed, for mails to it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As accounts are told apart: without regard to case.
    pub fn folded(&self) -> String {
        text::fold(&self.0)
    }
}

/// What someone types to get an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignUp {
    /// How to address them.
    pub name: String,
    /// Where mails go, and what they sign in with.
    pub email: String,
    /// Their secret.
    pub password: String,
}

/// A [`SignUp`] that holds.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// How to address them.
    pub name: String,
    /// Where mails go.
    pub email: Email,
    /// Their secret, not yet hashed.
    pub password: String,
}

impl SignUp {
    /// All that does not hold, or what to make the account from.
    pub fn check(&self) -> Result<NewUser, Vec<FieldError>> {
        let name = text::line("name", &self.name, NAME_MAX);
        let email = Email::parse("email", &self.email);
        let password = check_password("password", &self.password);
        match (name, email, password) {
            (Ok(name), Ok(email), Ok(())) => Ok(NewUser { name, email, password: self.password.clone() }),
            (name, email, password) => {
                Err([name.err(), email.err(), password.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Whether a password may be used. It is neither trimmed nor otherwise changed.
pub fn check_password(field: &str, password: &str) -> Result<(), FieldError> {
    match password.chars().count() {
        0 => Err(FieldError::new(field, FieldCode::Missing)),
        n if n < PASSWORD_MIN => Err(FieldError::new(field, FieldCode::TooShort)),
        n if n > PASSWORD_MAX => Err(FieldError::new(field, FieldCode::TooLong)),
        _ => Ok(()),
    }
}

/// What someone types to sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignIn {
    /// The address of the account.
    pub email: String,
    /// The secret.
    pub password: String,
}

impl SignIn {
    /// The address as accounts are told apart by it. Limits count by what accounts are found by.
    pub fn account(&self) -> String {
        // What is longer is nobody's, and not worth keeping.
        text::fold(&self.email).chars().take(EMAIL_MAX + 1).collect()
    }
}

/// A form that came back: what was typed, never a secret, and why it did not do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What was typed, by field.
    pub fields: BTreeMap<String, String>,
    /// Why it did not do.
    pub error: Option<Error>,
}

impl Draft {
    /// What was typed into a field; nothing if there is no such field.
    pub fn typed(&self, field: &str) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }
}

/// The current account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// Whether the user is an admin.
    pub operator: bool,
    /// The shops that the user works for.
    pub shops: Vec<Membership>,
}

/// A user in the admin's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserCard {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// Whether the user is an admin.
    pub operator: bool,
    /// The number of shops that the user works for.
    pub shops: i64,
    /// The number of purchases.
    pub purchases: i64,
    /// When the account was created: RFC 3339, UTC.
    pub since: String,
}

/// A shop that a user works for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The shop's ID.
    pub shop: ShopId,
    /// The shop's handle.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The user's role in the shop.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", "Asha.Rao+haat@example.com", "ü@exämple.de", "o'brien@x-y.org"] {
            assert!(Email::parse("email", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@",
            "a@@b.co",
            "a@b..co",
            "a b@c.de",
            "a@-b.co",
            "a@b.c*",
            "a@b_c.de",
            "<a@b.co>",
            "a@b.co,c@d.ef",
        ] {
            assert!(Email::parse("email", bad).is_err(), "{bad}");
        }
        assert_eq!(Email::parse("e", "Asha@Example.COM").unwrap().folded(), "asha@example.com");
    }

    #[test]
    fn sign_up_names_every_fault_at_once() {
        let faults = SignUp::default().check().unwrap_err();
        assert_eq!(
            faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
            ["name", "email", "password"]
        );
        let short = SignUp { password: "seven77".into(), ..sign_up() };
        assert_eq!(short.check().unwrap_err(), [FieldError::new("password", FieldCode::TooShort)]);
        assert!(sign_up().check().is_ok());
    }

    fn sign_up() -> SignUp {
        SignUp { name: "Asha".into(), email: "asha@example.com".into(), password: "eight888".into() }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = Email::parse("email", &text);
        }
    }
}
