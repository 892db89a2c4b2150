//! The personal data of a user: a copy of it, and its erasure.

use serde::{Deserialize, Serialize};

use crate::field::{FieldCode, FieldError};

text_enum! {
    /// Why an account can't be deleted yet.
    pub enum Obstacle {
        /// Orders that are neither delivered nor cancelled.
        OpenOrders = "open_orders",
        /// Returns that are not finished.
        OpenReturns = "open_returns",
        /// Payments that are disputed.
        OpenDisputes = "open_disputes",
        /// Payments that are not finished.
        OpenPayments = "open_payments",
        /// Refunds that are not paid.
        OpenRefunds = "open_refunds",
        /// Gift cards that were bought and are not sent.
        UnsentGiftCards = "unsent_gift_cards",
        /// A shop of which they are an owner.
        OwnsShop = "owns_shop",
        /// Nobody else could run the market.
        LastOwner = "last_owner",
    }
}

/// What the page of a user's personal data shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalDataPage {
    /// The email address.
    pub email: String,
    /// Whether they have a password, which the deletion asks for.
    pub has_password: bool,
    /// What has to be finished before the account can be deleted.
    pub obstacles: Vec<Obstacle>,
}

/// The form that deletes one's own account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasureForm {
    /// The present password.
    pub password: String,
    /// Whether its owner knows that it can't be undone.
    pub confirmed: bool,
}

impl ErasureForm {
    /// What is missing in it.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let fault = |field, code, wrong: bool| wrong.then(|| FieldError::new(field, code));
        let faults: Vec<_> = [
            fault("password", FieldCode::Missing, self.password.is_empty()),
            fault("confirm", FieldCode::Missing, !self.confirmed),
        ]
        .into_iter()
        .flatten()
        .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// The maximum length of the reason why an account is deactivated.
pub const REASON_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_needs_a_password_and_a_confirmation() {
        for (password, confirmed, expected) in [
            ("", false, vec![("password", FieldCode::Missing), ("confirm", FieldCode::Missing)]),
            ("", true, vec![("password", FieldCode::Missing)]),
            ("secret", false, vec![("confirm", FieldCode::Missing)]),
            ("secret", true, vec![]),
        ] {
            let form = ErasureForm { password: password.into(), confirmed };
            let faults = form.check().err().unwrap_or_default();
            let found: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.code)).collect();
            assert_eq!(found, expected, "{password:?} {confirmed}");
        }
    }
}
