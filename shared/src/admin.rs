//! What the admin area shows of a user or a shop: details from several domains.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::{Membership, UserCard},
    id::kinds::UserId,
    ledger::CurrencyBalance,
    orders::OrderCard,
    page::Counted,
    permissions::{AdminRole, Role},
    shops::AdminShopCard,
};

/// A user with what an admin may see of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDetails {
    /// The user.
    pub user: UserCard,
    /// When the user last signed in: RFC 3339, UTC. Null if no session is left.
    pub signed_in_at: Option<String>,
    /// The number of browsers in which the user is signed in.
    pub sessions: i64,
    /// The user's roles in the admin area. Empty for admins who may not see the team.
    pub roles: Vec<AdminRole>,
    /// The shops that the user works for. Empty for admins who may not see shops.
    pub shops: Vec<Membership>,
    /// The latest orders of the account. None for admins who may not see orders.
    pub latest: Option<Vec<OrderCard>>,
}

/// A shop with what an admin may see of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDetails {
    /// The shop.
    pub shop: AdminShopCard,
    /// The number of products that aren't published.
    pub unpublished: i64,
    /// The number of orders in each state, by its name. None for admins who may not see orders.
    pub orders: Option<Counted<OrderCard>>,
    /// The shop's balances: in its own currency, then in others. None for admins who may not see them.
    pub balances: Option<Vec<CurrencyBalance>>,
    /// The staff. Empty for admins who may not see users.
    pub staff: Vec<StaffMember>,
}

/// A user who works for a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// The user's role in the shop.
    pub role: Role,
}
