//! Permissions in a shop and in the admin area: one table each, which every use case consults.

text_enum! {
    /// The role of a staff member of a shop.
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
    /// Read and answer the messages of customers.
    AnswerCustomers,
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
            Self::Manager => matches!(permission, ManageCatalog | SeeOrders | FulfilOrders | AnswerCustomers),
            Self::Fulfilment => matches!(permission, SeeOrders | FulfilOrders),
            Self::Support => matches!(permission, SeeOrders | AnswerCustomers),
        }
    }
}

text_enum! {
    /// A role of an admin. An admin can have several, which add up.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum AdminRole {
        /// Full access, including the team.
        Owner = "owner",
        /// Manages categories and the market's own pictures.
        Catalog = "catalog",
        /// Sees the orders of all shops, refunds them, and decides on return requests that shops have left unanswered.
        Orders = "orders",
        /// Sees and refunds orders, sees the audit log, pays shops out, and handles failed background jobs such as refunds.
        Finance = "finance",
        /// Answers customers: sees orders and users, decides on reported messages, and sends emails again.
        Support = "support",
        /// Sees everything and changes nothing.
        ReadOnly = "read_only",
    }
}

/// A permission that a role of an admin may include.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminPermission {
    /// See the home page of the admin area. Every role includes it.
    SeeHome,
    /// See all orders and their events.
    SeeOrders,
    /// Decide on return requests that shops have left unanswered.
    DecideReturns,
    /// Refund orders that were paid to the market, on behalf of their shops.
    RefundOrders,
    /// See all shops.
    SeeShops,
    /// Open shops for others.
    ManageShops,
    /// See the balances of all shops.
    SeeBalances,
    /// See all payments, and what gateways reported.
    SeePayments,
    /// Read payments from their gateways again, capture and cancel them.
    ManagePayments,
    /// See the payouts of all shops.
    SeePayouts,
    /// Approve, send and reject payouts, and request them for shops.
    ManagePayouts,
    /// Change categories, the market's own pictures, and products in bulk.
    ManageCatalog,
    /// See the market's promotions.
    SeePromotions,
    /// Create, change and end the market's promotions.
    ManagePromotions,
    /// Set exchange rates.
    ManageRates,
    /// See all users.
    SeeUsers,
    /// Create accounts for others, and deactivate and delete theirs.
    ManageUsers,
    /// See what shoppers and shops reported of their conversations, and nothing else of them.
    SeeReports,
    /// Decide on these reports, and block who was reported.
    ManageReports,
    /// See background jobs and the outbox.
    SeeJobs,
    /// Retry and discard background jobs.
    ManageJobs,
    /// See emails.
    SeeEmails,
    /// Send emails again.
    ManageEmails,
    /// See the audit log.
    SeeAudit,
    /// See the admins and their roles.
    SeeTeam,
    /// Grant and revoke roles.
    ManageTeam,
}

impl AdminRole {
    /// Whether admins with this role have the permission.
    pub fn may(self, permission: AdminPermission) -> bool {
        use AdminPermission::*;
        match self {
            Self::Owner => true,
            Self::Catalog => {
                matches!(permission, SeeHome | SeeShops | ManageCatalog | SeePromotions | ManagePromotions)
            }
            Self::Orders => {
                matches!(
                    permission,
                    SeeHome | SeeOrders | DecideReturns | RefundOrders | SeeShops | SeePayments
                )
            }
            Self::Finance => {
                matches!(
                    permission,
                    SeeHome
                        | SeeOrders
                        | RefundOrders
                        | SeeShops
                        | SeeBalances
                        | SeePayments
                        | ManagePayments
                        | SeePayouts
                        | ManagePayouts
                        | SeePromotions
                        | ManagePromotions
                        | ManageRates
                        | SeeJobs
                        | ManageJobs
                        | SeeAudit
                )
            }
            Self::Support => {
                matches!(
                    permission,
                    SeeHome
                        | SeeOrders
                        | SeeShops
                        | SeePayments
                        | SeeUsers
                        | SeeReports
                        | ManageReports
                        | SeeEmails
                        | ManageEmails
                )
            }
            Self::ReadOnly => matches!(
                permission,
                SeeHome
                    | SeeOrders
                    | SeeShops
                    | SeeBalances
                    | SeePayments
                    | SeePayouts
                    | SeeUsers
                    | SeeReports
                    | SeeJobs
                    | SeeEmails
                    | SeeAudit
                    | SeeTeam
                    | SeePromotions
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AdminPermission, AdminRole, Permission::*, Role::*};

    #[test]
    fn the_whole_table() {
        let table = [
            (Owner, [true, true, true, true, true, true]),
            (Manager, [true, true, true, true, false, false]),
            (Fulfilment, [false, true, true, false, false, false]),
            (Support, [false, true, false, true, false, false]),
        ];
        let permissions = [ManageCatalog, SeeOrders, FulfilOrders, AnswerCustomers, SeeMoney, ManageShop];
        for (role, allowed) in table {
            let actual = permissions.map(|p| role.may(p));
            assert_eq!(actual, allowed, "{role:?}");
        }
    }

    #[test]
    fn the_whole_table_of_admins() {
        use AdminPermission::*;
        #[rustfmt::skip]
        let table = [
            //             owner catalog orders finance support read-only
            (SeeHome,      [true, true,  true,  true,  true,  true]),
            (SeeOrders,    [true, false, true,  true,  true,  true]),
            (DecideReturns,[true, false, true,  false, false, false]),
            (RefundOrders, [true, false, true,  true,  false, false]),
            (SeeShops,     [true, true,  true,  true,  true,  true]),
            (ManageShops,  [true, false, false, false, false, false]),
            (SeePromotions,[true, true,  false, true,  false, true]),
            (ManagePromotions,[true, true, false, true, false, false]),
            (SeeBalances,  [true, false, false, true,  false, true]),
            (SeePayments,  [true, false, true,  true,  true,  true]),
            (ManagePayments,[true,false, false, true,  false, false]),
            (SeePayouts,   [true, false, false, true,  false, true]),
            (ManagePayouts,[true, false, false, true,  false, false]),
            (ManageCatalog,[true, true,  false, false, false, false]),
            (ManageRates,  [true, false, false, true,  false, false]),
            (SeeUsers,     [true, false, false, false, true,  true]),
            (ManageUsers,  [true, false, false, false, false, false]),
            (SeeReports,   [true, false, false, false, true,  true]),
            (ManageReports,[true, false, false, false, true,  false]),
            (SeeJobs,      [true, false, false, true,  false, true]),
            (ManageJobs,   [true, false, false, true,  false, false]),
            (SeeEmails,    [true, false, false, false, true,  true]),
            (ManageEmails, [true, false, false, false, true,  false]),
            (SeeAudit,     [true, false, false, true,  false, true]),
            (SeeTeam,      [true, false, false, false, false, true]),
            (ManageTeam,   [true, false, false, false, false, false]),
        ];
        for (permission, allowed) in table {
            assert_eq!(AdminRole::ALL.map(|role| role.may(permission)), allowed, "{permission:?}");
        }
    }
}
