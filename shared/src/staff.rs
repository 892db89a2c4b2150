//! The staff of a shop: its members, and whoever is invited to join them.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::Email,
    field::{FieldCode, FieldError},
    id::kinds::{InvitationId, UserId},
    permissions::Role,
};

/// How many days an invitation is valid, from when it was last sent.
pub const INVITATION_DAYS: i64 = 7;
/// How many people can be invited to a shop at a time.
pub const INVITATIONS_MAX: i64 = 20;

text_enum! {
    /// What has become of an invitation.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum InvitationState {
        /// It can be accepted.
        Pending = "pending",
        /// It was accepted.
        Accepted = "accepted",
        /// The shop has withdrawn it.
        Withdrawn = "withdrawn",
        /// It wasn't accepted in time.
        Expired = "expired",
    }
}

/// A member of a shop's staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopMember {
    /// The user's ID.
    pub id: UserId,
    /// The member's name.
    pub name: String,
    /// The member's email address.
    pub email: String,
    /// The member's role.
    pub role: Role,
    /// When they joined: RFC 3339, UTC.
    pub joined_at: String,
}

/// An invitation that was not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// The invitation's ID.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// The role that they will have.
    pub role: Role,
    /// When it was last sent: RFC 3339, UTC.
    pub sent_at: String,
    /// Until when it can be accepted: RFC 3339, UTC.
    pub expires_at: String,
    /// Whether that is over. It can be sent again.
    pub expired: bool,
}

/// The staff of a shop, for its owners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopTeam {
    /// The members: owners first, then by name.
    pub members: Vec<ShopMember>,
    /// Which of them asks.
    pub own: UserId,
    /// The invitations that were not accepted yet, by email address.
    pub invitations: Vec<Invitation>,
}

/// What the page of an invitation shows to whoever has its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationPage {
    /// The shop's name.
    pub shop: String,
    /// Who is invited.
    pub email: String,
    /// The role that they will have.
    pub role: Role,
    /// What has become of it.
    pub state: InvitationState,
    /// The email address of whoever is signed in; empty if nobody is.
    pub signed_in: String,
    /// Whether that is the address that is invited.
    pub yours: bool,
}

/// The form that invites someone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationForm {
    /// Whom.
    pub email: String,
    /// The name of the role.
    pub role: String,
}

impl InvitationForm {
    /// The form of which `value` returns the fields.
    pub fn read(value: impl Fn(&str) -> String) -> Self {
        Self { email: value("email"), role: value("role") }
    }

    /// The address and the role, or all errors. `smtputf8` is whether the mail server supports SMTPUTF8.
    pub fn check(&self, smtputf8: bool) -> Result<(Email, Role), Vec<FieldError>> {
        let email = Email::parse("email", &self.email).and_then(|email| email.reachable("email", smtputf8));
        match (email, role(&self.role)) {
            (Ok(email), Ok(role)) => Ok((email, role)),
            (email, role) => Err([email.err(), role.err()].into_iter().flatten().collect()),
        }
    }
}

/// The role with this name.
pub fn role(name: &str) -> Result<Role, FieldError> {
    Role::parse(name).ok_or_else(|| FieldError::new("role", FieldCode::NotAChoice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_names_an_address_and_a_role() {
        let form = |email: &str, role: &str| InvitationForm { email: email.into(), role: role.into() };
        let (email, role) = form(" Ravi@HAAT.example ", "support").check(false).unwrap();
        assert_eq!(
            (email.as_str(), email.folded().as_str(), role),
            ("Ravi@haat.example", "ravi@haat.example", Role::Support)
        );
        for (email, role, faults) in [
            ("", "support", vec![("email", FieldCode::Missing)]),
            ("ravi", "owner", vec![("email", FieldCode::NotEmail)]),
            ("सूर्य@haat.example", "owner", vec![("email", FieldCode::EmailNotAscii)]),
            ("ravi@haat.example", "boss", vec![("role", FieldCode::NotAChoice)]),
            ("ravi", "", vec![("email", FieldCode::NotEmail), ("role", FieldCode::NotAChoice)]),
        ] {
            let found = form(email, role).check(false).unwrap_err();
            let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.code)).collect();
            assert_eq!(found, faults, "{email} {role}");
        }
        assert!(form("सूर्य@haat.example", "owner").check(true).is_ok());
    }
}
