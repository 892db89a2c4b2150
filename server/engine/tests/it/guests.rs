//! Limits on guests: held stock, unpaid orders, emails to others.

use haat_engine::{Bounds, Caller, accounts::sign_ups, checkout, dispatch, notifications, oracle};
use haat_shared::{
    Conflict, Error, Result,
    accounts::SignUp,
    checkout::{CheckoutUpdate, HOLD_MS},
    id::kinds::VariantId,
};

use crate::{both, support::*};

const BOUNDS: Bounds = Bounds {
    guest_checkouts: 3,
    guest_items: 4,
    guest_stock_percent: 25,
    guest_cash_orders_per_day: 3,
    origin_cash_orders_per_day: 5,
    guest_cash_order_max: 50_000,
    ..Bounds::NONE
};

/// Advances to the start of a day, so that no day ends within a test.
fn next_morning(market: &Market) {
    const DAY: i64 = 24 * 3_600_000;
    market.clock.advance_ms(DAY - market.clock.now_ms() % DAY);
}

async fn guest(market: &Market, origin: u8, variant: VariantId, quantity: i64) -> Caller {
    Caller { origin: Some([origin; 32]), ..market.guest_with(&[(variant, quantity)]).await }
}

fn limit(refused: Result<impl std::fmt::Debug>) -> Vec<i64> {
    match refused {
        Err(Error::Conflict(Conflict::GuestLimit(over))) => over.iter().map(|s| s.left).collect(),
        other => panic!("{other:?}"),
    }
}

both! {
    async fn attack_guests_of_one_origin_hold_a_part_of_the_stock(market) {
        let engine = market.bounded(BOUNDS);
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 500).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 5).await;
        let greedy = guest(market, 1, bowl, 500).await;
        assert_eq!(limit(checkout::begin(&engine, &greedy).await), [125]);
        assert_eq!(market.available(bowl).await, 500, "all or nothing");
        // Guests at the same address share the limit, even when they are concurrent.
        let mut crowd = Vec::new();
        for _ in 0..3 {
            crowd.push(guest(market, 1, bowl, 70).await);
        }
        let begun = futures::future::join_all(crowd.iter().map(|guest| checkout::begin(&engine, guest))).await;
        assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 1, "{begun:?}");
        assert_eq!(market.available(bowl).await, 430);
        // Of scarce stock, every address may hold a few; others and accounts can have the rest.
        assert_eq!(limit(checkout::begin(&engine, &guest(market, 1, lamp, 5).await).await), [4]);
        checkout::begin(&engine, &guest(market, 1, lamp, 4).await).await.unwrap();
        checkout::begin(&engine, &guest(market, 2, bowl, 125).await).await.unwrap();
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        asha.origin = Some([1; 32]);
        market.add(&mut asha, bowl, 305).await.unwrap();
        checkout::begin(&engine, &asha).await.unwrap();
        assert_eq!(market.available(bowl).await, 0);
    }

    async fn attack_guests_of_one_origin_have_limited_checkouts(market) {
        let engine = market.bounded(BOUNDS);
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 500).await;
        let mut first = None;
        for _ in 0..3 {
            let guest = guest(market, 1, bowl, 1).await;
            checkout::begin(&engine, &guest).await.unwrap();
            first.get_or_insert(guest);
        }
        let fourth = guest(market, 1, bowl, 1).await;
        assert_eq!(checkout::begin(&engine, &fourth).await, Err(Error::RateLimited { retry_after_s: 300 }));
        assert!(checkout::begin(&engine, &guest(market, 2, bowl, 1).await).await.is_ok());
        // Continuing one's own checkout is allowed, and when one has ended there is room for another.
        let first = first.unwrap();
        let id = checkout::begin(&engine, &first).await.unwrap();
        checkout::pay(&engine, &first, id, form("cash"), 1, "k").await.unwrap();
        assert!(checkout::begin(&engine, &fourth).await.is_ok());
        let fifth = guest(market, 1, bowl, 1).await;
        assert!(checkout::begin(&engine, &fifth).await.is_err());
        market.clock.advance_ms(HOLD_MS + 1);
        checkout::sweep(&engine).await.unwrap();
        assert!(checkout::begin(&engine, &fifth).await.is_ok());
    }

    async fn attack_cash_orders_in_a_strangers_name_are_few(market) {
        next_morning(market);
        let engine = market.bounded(Bounds { guest_checkouts: 100, ..BOUNDS });
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5_000).await;
        let buy = async |origin: u8, quantity: i64, email: &str| {
            let guest = guest(market, origin, bowl, quantity).await;
            let id = checkout::begin(&engine, &guest).await.unwrap();
            let typed = CheckoutUpdate { email: email.into(), ..form("cash") };
            let paid = checkout::pay(&engine, &guest, id, typed, 1, "k").await;
            if paid.is_err() {
                // It can still be bought by card, with the form input kept.
                checkout::pay(&engine, &guest, id, form("sandbox"), 1, "card").await.unwrap();
            }
            paid
        };
        let refused = Err(Conflict::CashNeedsAccount.into());
        // From many addresses to one recipient, however it is spelled.
        let mut placed = 0;
        for n in 0..40 {
            let email = match n % 3 {
                0 => "stranger@example.com".to_owned(),
                1 => "Stranger@Example.COM".to_owned(),
                _ => format!("stranger+{n}@example.com"),
            };
            placed += i64::from(buy(n, 1, &email).await.is_ok());
        }
        assert_eq!(placed, 3);
        // From one address to many recipients.
        let mut placed = 0;
        for n in 0..20 {
            placed += i64::from(buy(99, 1, &format!("stranger-{n}@example.com")).await.is_ok());
        }
        assert_eq!(placed, 5);
        // A large order: 112 at ₹450 exceed ₹50,000.
        assert_eq!(buy(100, 112, "asha@example.com").await, refused);
        assert!(buy(100, 111, "asha@example.com").await.is_ok());
        // The quota renews after a day; accounts have no such limit.
        market.clock.advance_ms(24 * 3_600_000);
        assert!(buy(101, 1, "stranger@example.com").await.is_ok());
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        asha.origin = Some([99; 32]);
        for n in 0..6 {
            market.add(&mut asha, bowl, 200).await.unwrap();
            let id = checkout::begin(&engine, &asha).await.unwrap();
            checkout::pay(&engine, &asha, id, form("cash"), 1, &format!("k{n}")).await.unwrap();
        }
        assert_eq!(oracle::consult(&engine).await.unwrap(), Vec::<String>::new());
        haat_engine::accounts::purge(&engine).await.unwrap();
    }

    async fn attack_emails_to_one_address_are_limited(market) {
        next_morning(market);
        let engine = market.bounded(Bounds { emails_per_hour: 3, emails_per_day: 15, ..Bounds::NONE });
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 500).await;
        let buy = async |times: i64| {
            for _ in 0..times {
                market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
            }
            dispatch::drain(&engine).await.unwrap();
        };
        let caller = Caller::system();
        let sent = async || {
            let mails = notifications::mailbox::latest(&engine.db).await.unwrap();
            mails.iter().filter(|mail| mail.recipient == "asha@example.com").count()
        };
        buy(10).await;
        assert_eq!(sent().await, 3);
        let kept = failed(&engine).await;
        assert_eq!(kept.len(), 7);
        assert!(kept.iter().all(|mail| mail.to == "asha@example.com" && mail.error.contains("too many")));
        // Emails to the shop are not limited, because its address was not entered by the guest.
        let mails = notifications::mailbox::latest(&engine.db).await.unwrap();
        assert_eq!(mails.iter().filter(|mail| mail.recipient == "meena-crafts@haat.example").count(), 10);
        // Emails resent by an operator are always sent.
        for mail in &kept {
            notifications::log::resend(&engine, &caller, mail.id).await.unwrap();
        }
        dispatch::drain(&engine).await.unwrap();
        assert_eq!(sent().await, 10);
        // The hourly quota renews after an hour, until the daily one is used up.
        market.clock.advance_ms(3_600_000);
        buy(10).await;
        assert_eq!(sent().await, 13);
        market.clock.advance_ms(3_600_000);
        buy(10).await;
        assert_eq!(sent().await, 13);
        for mail in failed(&engine).await {
            notifications::log::resend(&engine, &caller, mail.id).await.unwrap();
        }
        dispatch::drain(&engine).await.unwrap();
    }

    /// A stranger who signs up with someone's address silences no order.
    async fn attack_sign_ups_use_up_no_emails_about_orders(market) {
        next_morning(market);
        let engine = market.bounded(Bounds { emails_per_hour: 3, emails_per_day: 15, ..Bounds::NONE });
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 500).await;
        for _ in 0..10 {
            let form = SignUp { name: "Robot".into(), email: "asha@example.com".into(), password: "long enough".into() };
            sign_ups::ask(&engine, &Caller::guest(), form).await.unwrap();
        }
        for _ in 0..4 {
            market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        }
        dispatch::drain(&engine).await.unwrap();
        let mails = notifications::mailbox::latest(&engine.db).await.unwrap();
        let sent = |kind: &str| mails.iter().filter(|m| m.recipient == "asha@example.com" && m.subject.contains(kind)).count();
        assert_eq!((sent("purchase"), sent("confirm")), (3, 3), "{:?}", mails.iter().map(|m| &m.subject).collect::<Vec<_>>());
        let kept = failed(&engine).await;
        for mail in kept {
            notifications::log::resend(&engine, &Caller::system(), mail.id).await.unwrap();
        }
        dispatch::drain(&engine).await.unwrap();
    }
}
