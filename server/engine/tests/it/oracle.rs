//! The oracle sees harm: of each of its checks about money and orders, a change that must break it. The others are
//! beside what they are about (`capacities`, `buying`, `promotions`, `payments`).

use haat_engine::{db::Statement, oracle, orders, payouts, statements};
use haat_shared::orders::{LineQuantity, NewRefund};

use crate::{both, disputes, notifications::change, orders::shipment, payouts::withdrawal};

const MEENA: &str = "meena-crafts";

statements! {
    REFUND_MORE = "UPDATE payments SET refunded_minor = refunded_minor + 1 WHERE refunded_minor > 0 AND refunded_minor < captured_minor";
    REFUND_LESS = "UPDATE payments SET refunded_minor = refunded_minor - 1 WHERE refunded_minor > 0 AND refunded_minor < captured_minor";
    OWE_MORE = "UPDATE payments SET refund_pending_minor = refund_pending_minor + 1
        WHERE refunded_minor > 0 AND refunded_minor < captured_minor";
    OWE_LESS = "UPDATE payments SET refund_pending_minor = refund_pending_minor - 1
        WHERE refunded_minor > 0 AND refunded_minor < captured_minor";
    FEE_MORE = "UPDATE payments SET fee_minor = fee_minor + 1 WHERE captured_minor > 0";
    FEE_LESS = "UPDATE payments SET fee_minor = fee_minor - 1 WHERE captured_minor > 0";
    LOSE = "UPDATE payments SET purchase_id = NULL WHERE captured_minor > refunded_minor";
    FIND = "UPDATE payments SET purchase_id = (SELECT u.id FROM purchases u WHERE u.checkout_id = payments.checkout_id)
        WHERE purchase_id IS NULL";
    ORDER_REFUNDS_MORE = "UPDATE orders SET refunded_minor = refunded_minor + 1 WHERE refunded_minor > 0";
    ORDER_REFUNDS_LESS = "UPDATE orders SET refunded_minor = refunded_minor - 1 WHERE refunded_minor > 0";
    LINE_REFUNDS_MORE = "UPDATE refund_lines SET amount_minor = amount_minor + 1";
    LINE_REFUNDS_LESS = "UPDATE refund_lines SET amount_minor = amount_minor - 1";
    REFUNDED_MORE = "UPDATE order_lines SET refunded = refunded + 1 WHERE refunded > 0";
    REFUNDED_LESS = "UPDATE order_lines SET refunded = refunded - 1 WHERE refunded > 0";
    COMMISSION_MORE = "UPDATE refunds SET commission_minor = commission_minor + 1 WHERE commission_minor > 0";
    COMMISSION_LESS = "UPDATE refunds SET commission_minor = commission_minor - 1 WHERE commission_minor > 0";
    SHIPPED_LESS = "UPDATE order_lines SET shipped = shipped - 1 WHERE shipped > 0";
    SHIPPED_MORE = "UPDATE order_lines SET shipped = shipped + 1 WHERE shipped > 0";
    FORGET = "UPDATE order_events SET kind = 'noted' WHERE kind = 'delivered'";
    REMEMBER = "UPDATE order_events SET kind = 'delivered' WHERE kind = 'noted'";
    PURCHASE_MORE = "UPDATE purchases SET total_minor = total_minor + 1";
    PURCHASE_LESS = "UPDATE purchases SET total_minor = total_minor - 1";
    LINE_TAX_MORE = "UPDATE order_lines SET tax_minor = tax_minor + 1";
    LINE_TAX_LESS = "UPDATE order_lines SET tax_minor = tax_minor - 1";
    LATER = "UPDATE orders SET release_at = release_at + 1000000000 WHERE released_at IS NOT NULL";
    SOONER = "UPDATE orders SET release_at = release_at - 1000000000 WHERE released_at IS NOT NULL";
    ISSUE_MORE = "UPDATE gift_cards SET issued_minor = issued_minor + 1";
    ISSUE_LESS = "UPDATE gift_cards SET issued_minor = issued_minor - 1";
    CARD_LESS = "UPDATE gift_cards SET balance_minor = balance_minor - 1";
    CARD_MORE = "UPDATE gift_cards SET balance_minor = balance_minor + 1";
    GIFT_LESS = "UPDATE checkouts SET gift_minor = gift_minor - 1 WHERE gift_minor > 0";
    GIFT_MORE = "UPDATE checkouts SET gift_minor = gift_minor + 1 WHERE gift_minor > 0";
    GIFT_DEARER = "UPDATE checkout_gifts SET amount_minor = amount_minor + 1";
    GIFT_CHEAPER = "UPDATE checkout_gifts SET amount_minor = amount_minor - 1";
    GIVE_AWAY = "UPDATE gift_cards SET gift_id = NULL WHERE gift_id IS NOT NULL";
    SELL = "UPDATE gift_cards SET gift_id = id WHERE id IN (SELECT id FROM checkout_gifts)";
    UNPOST = "UPDATE ledger_postings SET kind = 'gift_card_returned' WHERE kind = 'gift_card_sold'";
    POST = "UPDATE ledger_postings SET kind = 'gift_card_sold' WHERE kind = 'gift_card_returned'";
    GIFTS_MORE = "UPDATE purchases SET gifts_minor = gifts_minor + 1 WHERE gifts_minor > 0";
    GIFTS_LESS = "UPDATE purchases SET gifts_minor = gifts_minor - 1 WHERE gifts_minor > 0";
    STOCK_MORE = "UPDATE capacities SET on_hand = on_hand + 1";
    STOCK_LESS = "UPDATE capacities SET on_hand = on_hand - 1";
    BOOK_MORE = "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE account = 'gateway_clearing'";
    BOOK_LESS = "UPDATE ledger_entries SET amount_minor = amount_minor - 1 WHERE account = 'gateway_clearing'";
    EARN_MORE = "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE account = 'seller_pending'";
    EARN_LESS = "UPDATE ledger_entries SET amount_minor = amount_minor - 1 WHERE account = 'seller_pending'";
    DISOWN = "UPDATE ledger_postings SET order_id = NULL WHERE order_id = reference";
    OWN = "UPDATE ledger_postings SET order_id = reference WHERE order_id IS NULL AND reference IN (SELECT id FROM orders)";
    EXPIRE = "UPDATE checkouts SET state = 'expired' WHERE state = 'completed'";
    COMPLETE = "UPDATE checkouts SET state = 'completed' WHERE state = 'expired'";
    BALANCE_MORE = "UPDATE shop_balances SET available_minor = available_minor + 1";
    BALANCE_LESS = "UPDATE shop_balances SET available_minor = available_minor - 1";
    PAYOUT_MORE = "UPDATE payouts SET amount_minor = amount_minor + 1";
    PAYOUT_LESS = "UPDATE payouts SET amount_minor = amount_minor - 1";
    PAY_OUT = "UPDATE payouts SET state = 'paid', approved_at = requested_at, sent_at = requested_at, paid_at = requested_at
        WHERE state = 'requested'";
    UNPAY_OUT = "UPDATE payouts SET state = 'requested', approved_at = NULL, sent_at = NULL, paid_at = NULL WHERE state = 'paid'";
    SEND = "UPDATE payouts SET sent_at = requested_at";
    UNSEND = "UPDATE payouts SET sent_at = NULL";
    DEARER = "UPDATE products SET price_max_minor = price_max_minor + 1";
    CHEAPER = "UPDATE products SET price_max_minor = price_max_minor - 1";
    DISPUTE_MORE = "UPDATE disputes SET amount_minor = amount_minor + 1";
    DISPUTE_LESS = "UPDATE disputes SET amount_minor = amount_minor - 1";
    BEAR_MORE = "UPDATE dispute_orders SET amount_minor = amount_minor + 1";
    BEAR_LESS = "UPDATE dispute_orders SET amount_minor = amount_minor - 1";
    DISPUTED_MORE = "UPDATE orders SET disputed_minor = disputed_minor + 1 WHERE open_disputes > 0";
    DISPUTED_LESS = "UPDATE orders SET disputed_minor = disputed_minor - 1 WHERE open_disputes > 0";
    CLOSE = "UPDATE orders SET open_disputes = open_disputes - 1 WHERE open_disputes > 0";
    REOPEN = "UPDATE orders SET open_disputes = open_disputes + 1 WHERE disputed_minor > 0";
    GUARD_MORE = "UPDATE payments SET disputed_minor = disputed_minor + 1 WHERE disputed_minor > 0";
    GUARD_LESS = "UPDATE payments SET disputed_minor = disputed_minor - 1 WHERE disputed_minor > 0";
    CHARGE_FEE = "UPDATE disputes SET fee_minor = fee_minor + 1";
    UNCHARGE_FEE = "UPDATE disputes SET fee_minor = fee_minor - 1";
}

both! {
    async fn each_check_of_money_and_orders_sees_harm(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        // One that is refunded in part, delivered and released; one cancelled; one to be paid in cash.
        let number = format!("{}-1", market.buy_by_card(&market.guest_with(&[(bowl, 4)]).await).await);
        let cancelled = format!("{}-1", market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await);
        market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        let lines = vec![LineQuantity { position: 0, quantity: 1 }];
        let refund = NewRefund { lines, reason: "Chipped".into(), ..NewRefund::default() };
        orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
        orders::ship(engine, &owner, MEENA, &number, shipment()).await.unwrap();
        orders::deliver(engine, &owner, MEENA, &number).await.unwrap();
        orders::cancel(engine, &owner, MEENA, &cancelled, "Broken").await.unwrap();
        market.settle().await;
        assert_eq!(orders::release_due(engine).await, Ok(1));
        payouts::request(engine, &owner, MEENA, &withdrawal(market, MEENA, "500").await, "k").await.unwrap();
        let cases: [(&'static Statement, &'static Statement, &[&str]); 18] = [
            (&REFUND_MORE, &REFUND_LESS, &["has net payments of", "pending, which does not match its refunds", "the clearing account of INR"]),
            (&OWE_MORE, &OWE_LESS, &["pending refunds and payments without a purchase in INR", "pending, which does not match its refunds"]),
            (&FEE_MORE, &FEE_LESS, &["a payment by sandbox does not match its postings", "the clearing account of INR"]),
            (&LOSE, &FIND, &["captured money without a purchase or a refund: sandbox"]),
            (&ORDER_REFUNDS_MORE, &ORDER_REFUNDS_LESS, &["is delivered and has refunds of 45000"]),
            (&LINE_REFUNDS_MORE, &LINE_REFUNDS_LESS, &["a refund does not match its lines and delivery: 45000"]),
            (&REFUNDED_MORE, &REFUNDED_LESS, &["a line of order"]),
            (&COMMISSION_MORE, &COMMISSION_LESS, &["a refund of 45000 does not match its postings", "the entries of order"]),
            (&SHIPPED_LESS, &SHIPPED_MORE, &["does not match its shipments and returns"]),
            (&FORGET, &REMEMBER, &["is delivered, which its timeline does not match"]),
            (&PURCHASE_MORE, &PURCHASE_LESS, &["do not add up to its total"]),
            (&LINE_TAX_MORE, &LINE_TAX_LESS, &["do not add up to its amounts"]),
            (&LATER, &SOONER, &["is delivered, which its release does not match"]),
            (&STOCK_MORE, &STOCK_LESS, &["stock on hand does not match its movements"]),
            (&BOOK_MORE, &BOOK_LESS, &["a posting sums to 1", "the ledger of INR sums to"]),
            (&EARN_MORE, &EARN_LESS, &["the entries of order"]),
            (&DISOWN, &OWN, &["an entry of a shop belongs to none of its orders and payouts: sale"]),
            (&EXPIRE, &COMPLETE, &["a completed checkout has no purchase", "a checkout in state expired has a hold in state taken"]),
        ];
        let more: [(&'static Statement, &'static Statement, &[&str]); 5] = [
            (&DEARER, &CHEAPER, &["the price range of clay-bowl"]),
            (&BALANCE_MORE, &BALANCE_LESS, &["the balance of a shop does not match its entries, by 1"]),
            (&PAYOUT_MORE, &PAYOUT_LESS, &["a payout of 50001 is requested, which its postings do not match", "the payouts in transit of INR"]),
            (&PAY_OUT, &UNPAY_OUT, &["a payout of 50000 is paid, which its postings do not match", "the payouts in transit of INR", "the bank account of INR"]),
            (&SEND, &UNSEND, &["a payout of 50000 is requested, which its times do not match"]),
        ];
        for (harm, mend, said) in cases.into_iter().chain(more) {
            change(market, harm).await;
            let broken = oracle::consult(engine).await.unwrap();
            for said in said {
                assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            }
            change(market, mend).await;
            assert_eq!(oracle::consult(engine).await.unwrap(), Vec::<String>::new(), "{said:?} is mended");
        }
    }
    async fn each_check_of_gift_cards_sees_harm(market) {
        crate::gift_cards::bought(market).await;
        crate::gift_card_sales::sold(market).await;
        let cases: [(&'static Statement, &'static Statement, &[&str]); 7] = [
            (&ISSUE_MORE, &ISSUE_LESS, &["which its payments do not match"]),
            (&CARD_LESS, &CARD_MORE, &["which its payments do not match", "which the ledger does not match"]),
            (&GIFT_DEARER, &GIFT_CHEAPER, &["was not issued as it was bought", "the gift cards of a checkout do not cost 50000"]),
            (&GIVE_AWAY, &SELL, &["a gift card of 50000 was not issued as it was bought", "does not match its postings"]),
            (&UNPOST, &POST, &["does not match its postings"]),
            (&GIFTS_MORE, &GIFTS_LESS, &["do not add up to its total", "the gift cards of a checkout do not cost"]),
            (&GIFT_LESS, &GIFT_MORE, &["the gift cards of a checkout do not add up to"]),
        ];
        for (harm, mend, said) in cases {
            change(market, harm).await;
            let broken = oracle::consult(&market.engine).await.unwrap();
            for said in said {
                assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            }
            change(market, mend).await;
            assert_eq!(oracle::consult(&market.engine).await.unwrap(), Vec::<String>::new(), "{said:?} is mended");
        }
    }
    async fn each_check_of_disputes_sees_harm(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let (_, _, gateway_ref) = disputes::bought(market, &market.guest_with(&[(bowl, 2)]).await).await;
        disputes::disputed(market, &gateway_ref, Some(10_000), 500).await;
        market.settle().await;
        let cases: [(&'static Statement, &'static Statement, &[&str]); 6] = [
            (&DISPUTE_MORE, &DISPUTE_LESS, &["a dispute of 10001 is open, which its orders or postings do not match", "the clearing account of INR"]),
            (&BEAR_MORE, &BEAR_LESS, &["does not match its disputes", "a dispute of 10000 is open", "what its orders bear of its disputes"]),
            (&DISPUTED_MORE, &DISPUTED_LESS, &["does not match its disputes", "the entries of order", "has net payments of"]),
            (&CLOSE, &REOPEN, &["does not match its disputes"]),
            (&GUARD_MORE, &GUARD_LESS, &["what its orders bear of its disputes", "has net payments of"]),
            (&CHARGE_FEE, &UNCHARGE_FEE, &["a dispute of 10000 is open", "the clearing account of INR"]),
        ];
        for (harm, mend, said) in cases {
            change(market, harm).await;
            let broken = oracle::consult(engine).await.unwrap();
            for said in said {
                assert!(broken.iter().any(|line| line.contains(said)), "{said}: {broken:?}");
            }
            change(market, mend).await;
            assert_eq!(oracle::consult(engine).await.unwrap(), Vec::<String>::new(), "{said:?} is mended");
        }
    }
}
