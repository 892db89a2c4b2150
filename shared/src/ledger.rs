//! The ledger's rules: which entries each business action produces. Pure; the engine writes them.
//!
//! Signs: a positive entry is a debit, a negative one a credit. What a gateway holds for us and what others
//! owe us grows by debits; what we owe and what we earn grows by credits. Each posting's entries sum to
//! zero.

use serde::{Deserialize, Serialize};

use crate::{
    id::kinds::ShopId,
    money::{Money, MoneyError},
    page::Page,
};

text_enum! {
    /// A ledger account.
    #[derive(PartialOrd, Ord)]
    pub enum Account {
        /// Money that a gateway holds for us.
        GatewayClearing = "gateway_clearing",
        /// What we owe a shop.
        SellerPayable = "seller_payable",
        /// What a shop owes us: commission on goods that were paid in cash.
        SellerReceivable = "seller_receivable",
        /// Commission that the marketplace earned.
        MarketplaceCommission = "marketplace_commission",
        /// Money received for a checkout that could no longer be completed, to be refunded.
        ShopperPayable = "shopper_payable",
    }
}

/// A ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// The shop, for accounts that belong to one.
    pub shop: Option<ShopId>,
    /// The amount; debits are positive.
    pub amount: Money,
}

text_enum! {
    /// The type of a ledger transaction.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PostingKind {
        /// An order paid through the marketplace.
        Sale = "sale",
        /// The marketplace's commission on it.
        Commission = "commission",
        /// The commission on an order paid to the shop in cash.
        CashCommission = "cash_commission",
        /// A payment captured after its checkout could no longer be completed.
        OrphanedCapture = "orphaned_capture",
        /// The refund of such a payment.
        OrphanedRefund = "orphaned_refund",
        /// The reversal of a sale whose order was cancelled.
        SaleReversed = "sale_reversed",
        /// The reversal of the commission on such a sale.
        CommissionReversed = "commission_reversed",
        /// The reversal of the commission on a cancelled cash order.
        CashCommissionReversed = "cash_commission_reversed",
        /// A refund to the customer of a cancelled order.
        Refund = "refund",
    }
}

/// A shop's balance. Positive amounts are owed to the shop, negative amounts are owed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Balance {
    /// Earnings from orders that haven't been delivered yet.
    pub pending: Money,
    /// Earnings from all other orders.
    pub available: Money,
    /// The shop's transactions, newest first.
    pub entries: BalanceEntryPage,
}

/// A transaction on a shop's balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BalanceEntry {
    /// The type of transaction.
    pub kind: PostingKind,
    /// When it was recorded: RFC 3339, UTC.
    pub created_at: String,
    /// The number of the related order.
    pub order_number: Option<String>,
    /// The amount.
    pub amount: Money,
}

/// A page of transactions.
pub type BalanceEntryPage = Page<BalanceEntry>;

/// A balanced set of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The type of business action.
    pub kind: PostingKind,
    /// The entries; they sum to zero.
    pub entries: Vec<Entry>,
}

fn transfer(
    kind: PostingKind,
    amount: Money,
    debit: (Account, Option<ShopId>),
    credit: (Account, Option<ShopId>),
) -> Result<Posting, MoneyError> {
    let entry = |(account, shop), amount| Entry { account, shop, amount };
    Ok(Posting { kind, entries: vec![entry(debit, amount), entry(credit, amount.times(-1)?)] })
}

/// An order of `total` was paid through the marketplace: the gateway holds the money, and we owe it to
/// the shop.
pub fn sale(shop: ShopId, total: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Sale, total, (Account::GatewayClearing, None), (Account::SellerPayable, Some(shop)))
}

/// Our commission on an order that was paid through the marketplace.
pub fn commission(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::Commission,
        part,
        (Account::SellerPayable, Some(shop)),
        (Account::MarketplaceCommission, None),
    )
}

/// The commission that the shop owes us for an order paid in cash.
pub fn cash_commission(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CashCommission,
        part,
        (Account::SellerReceivable, Some(shop)),
        (Account::MarketplaceCommission, None),
    )
}

/// Money was captured for a checkout that could no longer be completed: we owe it to the shopper.
pub fn orphaned_capture(amount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::OrphanedCapture,
        amount,
        (Account::GatewayClearing, None),
        (Account::ShopperPayable, None),
    )
}

/// The refund of that money by the gateway.
pub fn orphaned_refund(amount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::OrphanedRefund,
        amount,
        (Account::ShopperPayable, None),
        (Account::GatewayClearing, None),
    )
}

/// An order that was paid through the marketplace was cancelled: what we owed the shop, we now owe the
/// shopper.
pub fn sale_reversed(shop: ShopId, total: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::SaleReversed,
        total,
        (Account::SellerPayable, Some(shop)),
        (Account::ShopperPayable, None),
    )
}

/// The reversal of our commission on that order.
pub fn commission_reversed(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CommissionReversed,
        part,
        (Account::MarketplaceCommission, None),
        (Account::SellerPayable, Some(shop)),
    )
}

/// The reversal of the commission on a cancelled cash order.
pub fn cash_commission_reversed(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CashCommissionReversed,
        part,
        (Account::MarketplaceCommission, None),
        (Account::SellerReceivable, Some(shop)),
    )
}

/// The gateway's refund to the shopper of a cancelled order.
pub fn refund(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Refund, amount, (Account::ShopperPayable, None), (Account::GatewayClearing, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn every_posting_sums_to_zero(amount in 0i64..i64::MAX) {
            let money = Money::new(amount, Currency::INR);
            let shop = ShopId::from_uuid(Uuid::from_u128(7));
            for posting in [sale(shop, money), commission(shop, money), cash_commission(shop, money), orphaned_capture(money), orphaned_refund(money), sale_reversed(shop, money), commission_reversed(shop, money), cash_commission_reversed(shop, money), refund(money)] {
                let posting = posting.unwrap();
                let sum = Money::sum(Currency::INR, posting.entries.iter().map(|e| e.amount));
                prop_assert_eq!(sum, Ok(Money::zero(Currency::INR)), "{:?}", posting.kind);
                // Entries in a shop's accounts name the shop; entries in all other accounts don't.
                for entry in posting.entries {
                    let of_shop = matches!(entry.account, Account::SellerPayable | Account::SellerReceivable);
                    prop_assert_eq!(entry.shop.is_some(), of_shop);
                }
            }
        }
    }
}
