//! Permissions in a shop, in one table that every use case consults.

text_enum! {
    /// The role of a staff member.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum Role {
        /// Full access, including the shop's money.
        Owner = "owner",
        /// Everything except money and staff.
        Manager = "manager",
        /// Packs and ships orders.
        Fulfilment = "fulfilment",
        /// Answers customers.
        Support = "support",
    }
}

/// A permission that a role in a shop may include.
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
    /// Whether members with this role have the permission.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::*;
        match self {
            Self::Owner => true,
            Self::Manager => matches!(permission, ManageCatalog | SeeOrders | FulfilOrders),
            Self::Fulfilment => matches!(permission, SeeOrders | FulfilOrders),
            Self::Support => matches!(permission, SeeOrders),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission::*, Role::*};

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
        }
    }
}
