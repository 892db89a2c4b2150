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
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    #[derive(PartialOrd, Ord)]
    pub enum Account {
        /// Money that a gateway holds for us.
        GatewayClearing = "gateway_clearing",
        /// What we will owe a shop, or it us, once an order was delivered and can no longer be returned.
        SellerPending = "seller_pending",
        /// What we owe a shop.
        SellerPayable = "seller_payable",
        /// What a shop owes us: commission on goods that were paid in cash.
        SellerReceivable = "seller_receivable",
        /// Commission that the marketplace earned.
        MarketplaceCommission = "marketplace_commission",
        /// What we owe shoppers: money that was captured and not yet spent, or that is being refunded.
        ShopperPayable = "shopper_payable",
        /// What we owe the holders of gift cards.
        GiftCards = "gift_cards",
        /// What discounts cost the marketplace.
        MarketplacePromotions = "marketplace_promotions",
        /// What gateways charged us.
        GatewayFees = "gateway_fees",
        /// What shops withdrew and haven't received yet.
        PayoutsInTransit = "payouts_in_transit",
        /// Money in our own bank account. What gateways transfer to it isn't posted yet, so the account shows what left it.
        Bank = "bank",
        /// What gateways took from us for disputes that are not decided.
        Disputes = "disputes",
        /// What we would owe a shop for orders whose payment is disputed.
        SellerDisputed = "seller_disputed",
        /// What lost disputes cost the marketplace.
        DisputeLosses = "dispute_losses",
        /// What we converted between currencies for shops: in each currency, what we gave less what we took.
        Exchange = "exchange",
    }
}

impl Account {
    /// Whether its entries are part of what a shop can withdraw: what we owe it less what it owes us.
    pub fn can_be_withdrawn(self) -> bool {
        matches!(self, Self::SellerPayable | Self::SellerReceivable)
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
        /// A payment captured by a gateway.
        Capture = "capture",
        /// A gift card that the marketplace gave away.
        GiftCardIssued = "gift_card_issued",
        /// A gift card that a shopper bought.
        GiftCardSold = "gift_card_sold",
        /// The reversal of it: the buyer gets the money back.
        GiftCardRefunded = "gift_card_refunded",
        /// A payment by gift card.
        GiftCardSpent = "gift_card_spent",
        /// A refund to a gift card.
        GiftCardReturned = "gift_card_returned",
        /// An order paid through the marketplace.
        Sale = "sale",
        /// The marketplace's commission on it.
        Commission = "commission",
        /// The commission on an order paid to the shop in cash.
        CashCommission = "cash_commission",
        /// A discount on an order that the marketplace bears.
        Promotion = "promotion",
        /// The reversal of it, or of a part of it.
        PromotionReversed = "promotion_reversed",
        /// The reversal of a sale, or of a part of it, that is refunded.
        SaleReversed = "sale_reversed",
        /// The reversal of the commission on it.
        CommissionReversed = "commission_reversed",
        /// The reversal of the commission on a cash order, or on a part of it.
        CashCommissionReversed = "cash_commission_reversed",
        /// A refund to the customer.
        Refund = "refund",
        /// A gateway's fee for a payment.
        GatewayFee = "gateway_fee",
        /// Pending earnings that became available.
        Released = "released",
        /// A payout that a shop requested.
        PayoutRequested = "payout_requested",
        /// A payout that the shop received.
        PayoutPaid = "payout_paid",
        /// A payout that the marketplace rejected.
        PayoutRejected = "payout_rejected",
        /// A payout that the bank returned.
        PayoutReturned = "payout_returned",
        /// A payout that a gateway transferred to the shop's account there.
        PayoutTransferred = "payout_transferred",
        /// Such a transfer that was reversed.
        PayoutReversed = "payout_reversed",
        /// A gateway took the money of a payment that is disputed.
        DisputeOpened = "dispute_opened",
        /// It gave the money back: the dispute was won.
        DisputeWon = "dispute_won",
        /// A shop's earnings that are held while the payment of an order is disputed.
        DisputeHeld = "dispute_held",
        /// They are no longer held, because the dispute was decided.
        DisputeReleased = "dispute_released",
        /// A lost dispute: the sale of an order, or of a part of it, that the customer got back.
        Chargeback = "chargeback",
        /// The part of a lost dispute that belongs to no order.
        DisputeLoss = "dispute_loss",
        /// A gateway's fee for a dispute.
        DisputeFee = "dispute_fee",
        /// The same fee, given back.
        DisputeFeeReturned = "dispute_fee_returned",
        /// A refund that the gateway had reported as done came back.
        RefundFailed = "refund_failed",
        /// A refund that failed was paid to the customer in another way.
        RefundPaidOtherwise = "refund_paid_otherwise",
        /// A gateway transferred money to our bank account.
        Settled = "settled",
        /// The bank returned such a transfer.
        SettlementFailed = "settlement_failed",
        /// A shop's released earnings in another currency, which become earnings in its own.
        ConvertedFrom = "converted_from",
        /// What it gets for them in its own currency.
        ConvertedTo = "converted_to",
    }
}

/// A shop's balance. Positive amounts are owed to the shop, negative amounts are owed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Balance {
    /// Earnings from orders that haven't been delivered yet, or can still be returned.
    pub pending: Money,
    /// Earnings that were released and not withdrawn, less what the shop owes.
    pub available: Money,
    /// Payouts that were requested and haven't arrived yet.
    pub in_transit: Money,
    /// Earnings that are held because the payments of their orders are disputed.
    pub disputed: Money,
    /// The same in the other currencies in which the shop has sold. What is available there is converted to the shop's own
    /// currency soon, at the rates of its orders.
    #[serde(default)]
    pub other_currencies: Vec<CurrencyBalance>,
    /// The shop's transactions, newest first.
    pub entries: BalanceEntryPage,
}

/// A shop's earnings in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrencyBalance {
    /// Earnings from orders that haven't been delivered yet, or can still be returned.
    pub pending: Money,
    /// Earnings that were released and not withdrawn, less what the shop owes.
    pub available: Money,
    /// Payouts that were requested and haven't arrived yet.
    pub in_transit: Money,
    /// Earnings that are held because the payments of their orders are disputed.
    pub disputed: Money,
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

/// The balance of every account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialBalance {
    /// The accounts by currency, the market's own first. The balances of each currency sum to zero.
    pub accounts: Vec<AccountBalance>,
    /// What the account `exchange` would bring at today's rates, in the market's currency: a gain, or a loss if it is
    /// negative. Null if nothing was converted, or a rate is missing.
    pub exchange_difference: Option<Money>,
    /// The number of the last batch that was sealed. Null if none was.
    pub batch: Option<i64>,
    /// Its seal, in hexadecimal.
    pub seal: Option<String>,
    /// When it was sealed: RFC 3339, UTC.
    pub sealed_at: Option<String>,
    /// The number of postings that aren't sealed yet.
    pub unsealed: i64,
}

/// The balance of an account in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountBalance {
    /// The account.
    pub account: Account,
    /// Its balance. Debits are positive, credits negative.
    pub balance: Money,
}

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

/// A gateway captured a payment: it holds the money, and we owe it to the shopper until they bought
/// something with it.
pub fn capture(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Capture, amount, (Account::GatewayClearing, None), (Account::ShopperPayable, None))
}

/// We gave a gift card away, and owe its holder the amount.
pub fn gift_card_issued(amount: Money) -> Result<Posting, MoneyError> {
    let (promotions, cards) = ((Account::MarketplacePromotions, None), (Account::GiftCards, None));
    transfer(PostingKind::GiftCardIssued, amount, promotions, cards)
}

/// A gift card was bought with captured money: what we owed the shopper, we owe its holder.
pub fn gift_card_sold(amount: Money) -> Result<Posting, MoneyError> {
    let (shopper, cards) = ((Account::ShopperPayable, None), (Account::GiftCards, None));
    transfer(PostingKind::GiftCardSold, amount, shopper, cards)
}

/// A gift card of which nothing was spent is refunded: we owe the amount to its buyer again.
pub fn gift_card_refunded(amount: Money) -> Result<Posting, MoneyError> {
    let (cards, shopper) = ((Account::GiftCards, None), (Account::ShopperPayable, None));
    transfer(PostingKind::GiftCardRefunded, amount, cards, shopper)
}

/// A gift card pays: what we owed its holder, we owe the shopper until they bought something with it.
pub fn gift_card_spent(amount: Money) -> Result<Posting, MoneyError> {
    let (cards, shopper) = ((Account::GiftCards, None), (Account::ShopperPayable, None));
    transfer(PostingKind::GiftCardSpent, amount, cards, shopper)
}

/// A refund went back to the gift card.
pub fn gift_card_returned(amount: Money) -> Result<Posting, MoneyError> {
    let (shopper, cards) = ((Account::ShopperPayable, None), (Account::GiftCards, None));
    transfer(PostingKind::GiftCardReturned, amount, shopper, cards)
}

/// An order of `total` was bought with captured money: what we owed the shopper, we will owe the shop.
pub fn sale(shop: ShopId, total: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Sale, total, (Account::ShopperPayable, None), (Account::SellerPending, Some(shop)))
}

/// Our commission on an order that was paid through the marketplace.
pub fn commission(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::Commission,
        part,
        (Account::SellerPending, Some(shop)),
        (Account::MarketplaceCommission, None),
    )
}

/// The commission that the shop owes us for an order paid in cash.
pub fn cash_commission(shop: ShopId, part: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CashCommission,
        part,
        (Account::SellerPending, Some(shop)),
        (Account::MarketplaceCommission, None),
    )
}

/// We bear a discount on an order: the shop earns as much as without it.
pub fn promotion(shop: ShopId, discount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::Promotion,
        discount,
        (Account::MarketplacePromotions, None),
        (Account::SellerPending, Some(shop)),
    )
}

/// Whether the earnings from an order are still pending, or were released to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earnings {
    /// The order is not delivered, or can still be returned.
    Pending,
    /// They are part of what we owe the shop, or it us.
    Released,
}

impl Earnings {
    /// The account of earnings from an order whose money `released` owes, once released.
    fn account(self, released: Account) -> Account {
        match self {
            Self::Pending => Account::SellerPending,
            Self::Released => released,
        }
    }
}

/// An order that was paid through the marketplace is refunded, or a part of it: what we owed the shop, we
/// now owe the shopper.
pub fn sale_reversed(shop: ShopId, amount: Money, earnings: Earnings) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::SaleReversed,
        amount,
        (earnings.account(Account::SellerPayable), Some(shop)),
        (Account::ShopperPayable, None),
    )
}

/// The reversal of our commission on what is refunded.
pub fn commission_reversed(shop: ShopId, part: Money, earnings: Earnings) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CommissionReversed,
        part,
        (Account::MarketplaceCommission, None),
        (earnings.account(Account::SellerPayable), Some(shop)),
    )
}

/// The reversal of our commission on a cash order, or on the part of it that the shop gave back.
pub fn cash_commission_reversed(
    shop: ShopId,
    part: Money,
    earnings: Earnings,
) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::CashCommissionReversed,
        part,
        (Account::MarketplaceCommission, None),
        (earnings.account(Account::SellerReceivable), Some(shop)),
    )
}

/// The reversal of a discount that we bear, or of the part of it that belongs to what is refunded.
pub fn promotion_reversed(
    shop: ShopId,
    part: Money,
    earnings: Earnings,
    collected_by_market: bool,
) -> Result<Posting, MoneyError> {
    let owed = if collected_by_market { Account::SellerPayable } else { Account::SellerReceivable };
    transfer(
        PostingKind::PromotionReversed,
        part,
        (earnings.account(owed), Some(shop)),
        (Account::MarketplacePromotions, None),
    )
}

/// The earnings from an order become available: we owe them to the shop. They are negative if the shop
/// collected the money, and owes us the commission.
pub fn released(shop: ShopId, earned: Money, collected_by_market: bool) -> Result<Posting, MoneyError> {
    let owed = if collected_by_market { Account::SellerPayable } else { Account::SellerReceivable };
    transfer(PostingKind::Released, earned, (Account::SellerPending, Some(shop)), (owed, Some(shop)))
}

/// A shop's released earnings in another currency become earnings in its own. Each currency is balanced by itself, and what
/// changes in the value of the difference is ours.
pub fn converted(
    shop: ShopId,
    from: Money,
    to: Money,
    collected_by_market: bool,
) -> Result<[Posting; 2], MoneyError> {
    let owed = if collected_by_market { Account::SellerPayable } else { Account::SellerReceivable };
    let (owed, exchange) = ((owed, Some(shop)), (Account::Exchange, None));
    Ok([
        transfer(PostingKind::ConvertedFrom, from, owed, exchange)?,
        transfer(PostingKind::ConvertedTo, to, exchange, owed)?,
    ])
}

/// The gateway kept its fee.
pub fn gateway_fee(fee: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::GatewayFee, fee, (Account::GatewayFees, None), (Account::GatewayClearing, None))
}

/// The gateway refunded the shopper.
pub fn refund(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Refund, amount, (Account::ShopperPayable, None), (Account::GatewayClearing, None))
}

/// A shop withdraws money, which is on its way from now on.
pub fn payout_requested(shop: ShopId, amount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::PayoutRequested,
        amount,
        (Account::SellerPayable, Some(shop)),
        (Account::PayoutsInTransit, None),
    )
}

/// A payout isn't made: we owe the money to the shop again.
pub fn payout_rejected(shop: ShopId, amount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::PayoutRejected,
        amount,
        (Account::PayoutsInTransit, None),
        (Account::SellerPayable, Some(shop)),
    )
}

/// A payout has arrived: the money has left our bank account.
pub fn payout_paid(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::PayoutPaid, amount, (Account::PayoutsInTransit, None), (Account::Bank, None))
}

/// The bank returned a payout, perhaps after it was booked as paid: we owe the money to the shop again.
pub fn payout_returned(shop: ShopId, amount: Money, was_paid: bool) -> Result<Posting, MoneyError> {
    let from = if was_paid { Account::Bank } else { Account::PayoutsInTransit };
    transfer(PostingKind::PayoutReturned, amount, (from, None), (Account::SellerPayable, Some(shop)))
}

/// A gateway transferred a payout to the shop's account there: the money has left what the gateway holds for us.
pub fn payout_transferred(amount: Money) -> Result<Posting, MoneyError> {
    let (transit, gateway) = ((Account::PayoutsInTransit, None), (Account::GatewayClearing, None));
    transfer(PostingKind::PayoutTransferred, amount, transit, gateway)
}

/// Such a transfer was reversed: the gateway holds the money for us again, and we owe it to the shop.
pub fn payout_reversed(shop: ShopId, amount: Money) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::PayoutReversed,
        amount,
        (Account::GatewayClearing, None),
        (Account::SellerPayable, Some(shop)),
    )
}

/// The gateway took the money of a disputed payment.
pub fn dispute_opened(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::DisputeOpened, amount, (Account::Disputes, None), (Account::GatewayClearing, None))
}

/// The dispute was won: the gateway gave the money back.
pub fn dispute_won(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::DisputeWon, amount, (Account::GatewayClearing, None), (Account::Disputes, None))
}

/// The shop's earnings from what is disputed are held.
pub fn dispute_held(shop: ShopId, earned: Money, earnings: Earnings) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::DisputeHeld,
        earned,
        (earnings.account(Account::SellerPayable), Some(shop)),
        (Account::SellerDisputed, Some(shop)),
    )
}

/// The dispute was decided: the earnings are no longer held. If it was lost, the chargeback takes them.
pub fn dispute_released(shop: ShopId, earned: Money, earnings: Earnings) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::DisputeReleased,
        earned,
        (Account::SellerDisputed, Some(shop)),
        (earnings.account(Account::SellerPayable), Some(shop)),
    )
}

/// The dispute was lost: the shop bears its part of the money that the gateway keeps.
pub fn chargeback(shop: ShopId, amount: Money, earnings: Earnings) -> Result<Posting, MoneyError> {
    transfer(
        PostingKind::Chargeback,
        amount,
        (earnings.account(Account::SellerPayable), Some(shop)),
        (Account::Disputes, None),
    )
}

/// The dispute was lost: we bear what belongs to no order.
pub fn dispute_loss(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::DisputeLoss, amount, (Account::DisputeLosses, None), (Account::Disputes, None))
}

/// The gateway charged a fee for a dispute.
pub fn dispute_fee(fee: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::DisputeFee, fee, (Account::GatewayFees, None), (Account::GatewayClearing, None))
}

/// The gateway gave the fee for a dispute back.
pub fn dispute_fee_returned(fee: Money) -> Result<Posting, MoneyError> {
    let (gateway, fees) = ((Account::GatewayClearing, None), (Account::GatewayFees, None));
    transfer(PostingKind::DisputeFeeReturned, fee, gateway, fees)
}

/// A refund came back to the gateway after it was reported as done: we owe it to the shopper again.
pub fn refund_failed(amount: Money) -> Result<Posting, MoneyError> {
    let (gateway, shopper) = ((Account::GatewayClearing, None), (Account::ShopperPayable, None));
    transfer(PostingKind::RefundFailed, amount, gateway, shopper)
}

/// A refund that failed was paid from our bank account.
pub fn refund_paid_otherwise(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::RefundPaidOtherwise, amount, (Account::ShopperPayable, None), (Account::Bank, None))
}

/// A gateway transferred money to our bank account.
pub fn settled(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::Settled, amount, (Account::Bank, None), (Account::GatewayClearing, None))
}

/// The bank returned a transfer of a gateway.
pub fn settlement_failed(amount: Money) -> Result<Posting, MoneyError> {
    transfer(PostingKind::SettlementFailed, amount, (Account::GatewayClearing, None), (Account::Bank, None))
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
            let mut postings = vec![capture(money), sale(shop, money), commission(shop, money), cash_commission(shop, money), promotion(shop, money), gateway_fee(money), refund(money), released(shop, money, true), released(shop, money.times(-1).unwrap(), false)];
            postings.extend([payout_requested(shop, money), payout_rejected(shop, money), payout_paid(money), payout_returned(shop, money, false), payout_returned(shop, money, true), payout_transferred(money), payout_reversed(shop, money)]);
            postings.extend([dispute_opened(money), dispute_won(money), dispute_loss(money), dispute_fee(money), dispute_fee_returned(money), refund_failed(money), refund_paid_otherwise(money), settled(money), settlement_failed(money)]);
            for earnings in [Earnings::Pending, Earnings::Released] {
                postings.extend([sale_reversed(shop, money, earnings), commission_reversed(shop, money, earnings), cash_commission_reversed(shop, money, earnings), promotion_reversed(shop, money, earnings, true), promotion_reversed(shop, money, earnings, false), dispute_held(shop, money, earnings), dispute_released(shop, money, earnings), chargeback(shop, money, earnings)]);
            }
            for posting in postings {
                let posting = posting.unwrap();
                let sum = Money::sum(Currency::INR, posting.entries.iter().map(|e| e.amount));
                prop_assert_eq!(sum, Ok(Money::zero(Currency::INR)), "{:?}", posting.kind);
                // Entries in a shop's accounts name the shop; entries in all other accounts don't.
                for entry in posting.entries {
                    let of_shop = matches!(entry.account, Account::SellerPending | Account::SellerPayable | Account::SellerReceivable | Account::SellerDisputed);
                    prop_assert_eq!(entry.shop.is_some(), of_shop);
                }
            }
        }
    }

    /// Whatever becomes of a payout, nothing stays in transit, and what isn't paid is owed again.
    #[test]
    fn a_payout_leaves_nothing_in_transit() {
        let (shop, amount) = (ShopId::from_uuid(Uuid::from_u128(7)), Money::new(500, Currency::INR));
        let requested = || payout_requested(shop, amount);
        // With what was paid from the bank, and from what a gateway holds.
        for (postings, paid, transferred) in [
            (vec![requested(), payout_paid(amount)], 500, 0),
            (vec![requested(), payout_rejected(shop, amount)], 0, 0),
            (vec![requested(), payout_returned(shop, amount, false)], 0, 0),
            (vec![requested(), payout_paid(amount), payout_returned(shop, amount, true)], 0, 0),
            (vec![requested(), payout_transferred(amount)], 0, 500),
            (vec![requested(), payout_transferred(amount), payout_reversed(shop, amount)], 0, 0),
        ] {
            let entries: Vec<_> = postings.into_iter().flat_map(|posting| posting.unwrap().entries).collect();
            let sum = |account| -> i64 {
                entries
                    .iter()
                    .filter(|entry| entry.account == account)
                    .map(|entry| entry.amount.amount())
                    .sum()
            };
            let accounts =
                [Account::PayoutsInTransit, Account::Bank, Account::GatewayClearing, Account::SellerPayable];
            assert_eq!(accounts.map(sum), [0, -paid, -transferred, paid + transferred]);
        }
    }

    /// Of an order by card and one in cash: everything that was pending is owed after the release.
    #[test]
    fn a_release_empties_what_is_pending() {
        let shop = ShopId::from_uuid(Uuid::from_u128(7));
        let money = |amount| Money::new(amount, Currency::INR);
        let by_card = [sale(shop, money(900)), commission(shop, money(90)), released(shop, money(810), true)];
        let in_cash = [cash_commission(shop, money(90)), released(shop, money(-90), false)];
        let sum = |postings: &[Result<Posting, MoneyError>], account| -> i64 {
            let entries = postings.iter().flat_map(|posting| &posting.as_ref().unwrap().entries);
            entries.filter(|entry| entry.account == account).map(|entry| entry.amount.amount()).sum()
        };
        assert_eq!((sum(&by_card, Account::SellerPending), sum(&by_card, Account::SellerPayable)), (0, -810));
        assert_eq!(
            (sum(&in_cash, Account::SellerPending), sum(&in_cash, Account::SellerReceivable)),
            (0, 90)
        );
    }
}
