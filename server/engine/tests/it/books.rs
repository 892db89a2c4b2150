//! The trial balance of the market, and statements of shops.

use haat_engine::{Caller, accounts, books, ledger, orders, seals};
use haat_shared::{Error, FieldCode, ledger::Account, sales::AskedPeriod};

use crate::{both, support::*};

const MEENA: &str = "meena-crafts";
const DAY: i64 = 24 * 3_600_000;

/// The whole statement of a shop.
async fn statement(
    market: &Market,
    caller: &Caller,
    period: &AskedPeriod,
) -> haat_shared::Result<Vec<Vec<String>>> {
    let (mut text, mut after) = (Vec::new(), None);
    loop {
        let part = books::statement(&market.engine, caller, MEENA, period, after).await?;
        text.extend(part.text);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let text = String::from_utf8(text).unwrap();
    Ok(text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

both! {
    async fn debits_equal_credits_and_statements_end_with_the_balance(market) {
        let engine = &market.engine;
        accounts::create_operator(engine, &Caller::system(), sign_up("operator")).await.unwrap();
        let empty = books::trial_balance(engine, &Caller::system()).await.unwrap();
        assert_eq!((empty.accounts.len(), empty.seal, empty.unsealed), (0, None, 0));
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 900).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        market.buy_in_cash(&market.guest_with(&[(bowl, 2)]).await).await.unwrap();
        market.clock.advance_ms(3 * DAY);
        let owner = market.owner(MEENA).await;
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        market.settle().await;
        market.buy_by_card(&market.guest_with(&[(bowl, 3)]).await).await;
        seals::seal(engine).await.unwrap();

        let operator = market.owner("operator").await;
        let balance = books::trial_balance(engine, &operator).await.unwrap();
        assert_eq!(balance.accounts.iter().map(|each| each.balance.amount()).sum::<i64>(), 0);
        let of = |account| balance.accounts.iter().find(|each| each.account == account).map(|each| each.balance.amount());
        assert_eq!(of(Account::GatewayClearing), Some(3 * 45_000 + 4_900), "the other payment went back");
        assert_eq!((of(Account::ShopperPayable), balance.unsealed, balance.batch), (Some(0), 0, Some(1)));
        let text = String::from_utf8(books::trial_balance_table(engine, &operator).await.unwrap()).unwrap();
        assert!(text.starts_with("currency,account,debit,credit\r\nINR,gateway_clearing,1399.00,\r\n"), "{text}");

        let owner = market.owner(MEENA).await;
        let all = statement(market, &owner, &AskedPeriod::default()).await.unwrap();
        assert_eq!(all[0].join(","), "posting,time,type,order,currency,amount,balance");
        let kinds: Vec<_> = all[1..].iter().map(|line| line[2].as_str()).collect();
        assert_eq!(kinds, ["sale", "commission", "cash_commission", "sale_reversed", "commission_reversed", "sale", "commission"]);
        assert_eq!(all[1][5..], ["499.00", "499.00"]);
        let shown = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        let total = shown.pending.plus(shown.available).unwrap();
        assert_eq!(all.last().unwrap()[6], total.plain());

        // Of the last day alone, it begins with what was there before.
        let today = all[4][1][..10].to_owned();
        let period = AskedPeriod { from: today.clone(), to: today.clone(), ..AskedPeriod::default() };
        let later = statement(market, &owner, &period).await.unwrap();
        assert_eq!((later[1][2].as_str(), &later[1][6]), ("opening_balance", &all[3][6]));
        assert_eq!(later[2..], all[4..]);
        // The same for a file to print.
        let whole = books::whole_statement(engine, &owner, MEENA, &period).await.unwrap();
        assert_eq!((whole.shop_name.as_str(), whole.opening[0].plain()), ("meena crafts", later[1][6].clone()));
        assert_eq!((whole.lines.len(), whole.cut), (later.len() - 2, false));
        assert_eq!(whole.lines.last().unwrap().balance, total);
        assert_eq!(books::whole_statement(engine, &operator, MEENA, &period).await.err(), Some(Error::NotFound));
        let future = AskedPeriod { from: today, to: "2999-01-01".into(), ..AskedPeriod::default() };
        assert_eq!(statement(market, &owner, &future).await.unwrap_err().at("to"), Some(FieldCode::TooBig));
        assert_eq!(statement(market, &operator, &period).await, Err(Error::NotFound));
        assert_eq!(books::trial_balance(engine, &owner).await, Err(Error::NotFound));
    }

    async fn long_statements_come_in_parts(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 900).await;
        for _ in 0..60 {
            market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        }
        let owner = market.owner(MEENA).await;
        let all = statement(market, &owner, &AskedPeriod::default()).await.unwrap();
        let shown = ledger::balance(&market.engine, &owner, MEENA, "").await.unwrap();
        assert_eq!((all.len(), &all[120][6]), (121, &shown.pending.plain()));
    }
}
