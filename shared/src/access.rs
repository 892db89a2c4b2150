//! Access of API clients: tokens, keys, and the scopes of keys.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::ApiKeyId,
    text,
};

/// The maximum number of characters of a key's name.
pub const NAME_MAX: usize = 80;
/// The maximum number of keys per account.
pub const KEYS_MAX: i64 = 50;

/// A scope of an API key. A key can do only what its scopes allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Manage carts, checkouts and purchases.
    #[serde(rename = "buy")]
    Buy,
    /// Read a shop's products, including drafts.
    #[serde(rename = "catalog:read")]
    CatalogRead,
    /// Change a shop's products, prices and stock.
    #[serde(rename = "catalog:write")]
    CatalogWrite,
    /// Read a shop's orders.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Confirm, ship and cancel a shop's orders.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Read a shop's conversations with customers.
    #[serde(rename = "messages:read")]
    MessagesRead,
    /// Answer a shop's customers.
    #[serde(rename = "messages:write")]
    MessagesWrite,
    /// Read a shop's settings, balance and payouts.
    #[serde(rename = "shop:read")]
    ShopRead,
    /// Open shops and change their settings.
    #[serde(rename = "shop:write")]
    ShopWrite,
    /// Request a shop's payouts, and change where they go.
    #[serde(rename = "payouts:write")]
    PayoutsWrite,
    /// Perform admin operations.
    #[serde(rename = "admin")]
    Operator,
    /// Manage API keys. Never granted to a key: it requires an access token.
    #[serde(skip)]
    Account,
}

impl Scope {
    /// All scopes that a key can have.
    pub const ALL: [Self; 11] = [
        Self::Buy,
        Self::CatalogRead,
        Self::CatalogWrite,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::MessagesRead,
        Self::MessagesWrite,
        Self::ShopRead,
        Self::ShopWrite,
        Self::PayoutsWrite,
        Self::Operator,
    ];

    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::CatalogRead => "catalog:read",
            Self::CatalogWrite => "catalog:write",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::MessagesRead => "messages:read",
            Self::MessagesWrite => "messages:write",
            Self::ShopRead => "shop:read",
            Self::ShopWrite => "shop:write",
            Self::PayoutsWrite => "payouts:write",
            Self::Operator => "admin",
            Self::Account => "account",
        }
    }

    /// The scope with this stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

/// A pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// The access token, to be sent as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// The lifetime of the access token in seconds.
    pub expires_in: i64,
    /// The refresh token. It can be exchanged once.
    pub refresh_token: String,
    /// The lifetime of the refresh token in seconds.
    pub refresh_expires_in: i64,
}

/// The parameters of a new API key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewApiKey {
    /// A name that helps its owner recognise the key.
    pub name: String,
    /// The scopes granted to the key. At least one.
    pub scopes: Vec<Scope>,
}

impl NewApiKey {
    /// The key with its scopes sorted and without duplicates, or all errors.
    pub fn check(&self) -> Result<Self, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let mut scopes = self.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            faults.add("scopes", FieldCode::Missing);
        }
        let name = faults.take(text::line("name", &self.name, NAME_MAX));
        faults.finish(Self { name, scopes })
    }
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyCard {
    /// The key's ID.
    pub id: ApiKeyId,
    /// The key's name.
    pub name: String,
    /// The scopes granted to the key.
    pub scopes: Vec<Scope>,
    /// When the key was created: RFC 3339, UTC.
    pub created_at: String,
    /// When the key was last used, accurate to five minutes: RFC 3339, UTC.
    pub last_used_at: Option<String>,
}

/// A newly created API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// The key.
    pub key: ApiKeyCard,
    /// The secret of the key. It is returned only once.
    pub secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_stored_and_sent_by_one_name() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        assert_eq!(Scope::parse("account"), None, "no key may make keys");
        assert!(serde_json::from_str::<Scope>("\"account\"").is_err());
    }

    #[test]
    fn a_key_has_a_name_and_scopes() {
        let key = |name: &str, scopes: &[Scope]| NewApiKey { name: name.into(), scopes: scopes.into() };
        let made = key(" Books ", &[Scope::OrdersRead, Scope::Buy, Scope::OrdersRead]).check().unwrap();
        assert_eq!(made, key("Books", &[Scope::Buy, Scope::OrdersRead]));
        let faults = key("", &[]).check().unwrap_err();
        assert_eq!(faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["scopes", "name"]);
    }
}
