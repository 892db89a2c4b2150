//! Who may do what in a shop. One table; every use case asks it.

use serde::{Deserialize, Serialize};

/// The role of a staff member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Full access, including the shop's money.
    Owner,
    /// Everything except money and staff.
    Manager,
    /// Packs and ships orders.
    Fulfilment,
    /// Answers customers.
    Support,
}

/// Something that a member of a shop may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Change products, prices and stock.
    ManageCatalog,
    /// Read the shop's orders.
    SeeOrders,
    /// Confirm, ship and cancel orders.
    FulfilOrders,
    /// See balances and ask for payouts.
    SeeMoney,
    /// Change the shop's settings and members.
    ManageShop,
}

impl Role {
    /// Whether members with this role may do it.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::*;
        match self {
            Self::Owner => true,
            Self::Manager => matches!(permission, ManageCatalog | SeeOrders | FulfilOrders),
            Self::Fulfilment => matches!(permission, SeeOrders | FulfilOrders),
            Self::Support => matches!(permission, SeeOrders),
        }
    }

    /// The name it is stored by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Fulfilment => "fulfilment",
            Self::Support => "support",
        }
    }

    /// The role stored by a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Manager, Self::Fulfilment, Self::Support].into_iter().find(|r| r.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission::*, Role::*, *};

    #[test]
    fn the_whole_table() {
        let table = [
            (Owner, [true, true, true, true, true]),
            (Manager, [true, true, true, false, false]),
            (Fulfilment, [false, true, true, false, false]),
            (Support, [false, true, false, false, false]),
        ];
        for (role, allowed) in table {
            let actual = [ManageCatalog, SeeOrders, FulfilOrders, SeeMoney, ManageShop].map(|p| role.may(p));
            assert_eq!(actual, allowed, "{role:?}");
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("admin"), None);
    }
}
