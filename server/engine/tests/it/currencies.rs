//! Buying in other currencies than the market's: rates, sellers' own prices, and the ledger of each currency.

use haat_engine::{
    Bounds, Caller, Engine, Parts, accounts, audit, books, carts, catalog, checkout, currencies, exchange,
    ledger, orders, payouts, price_lists, promotions, sandbox, sandbox::Card, shops,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    catalog::ListProducts,
    checkout::CheckoutUpdate,
    currencies::VariantPrice,
    field::FieldError,
    id::kinds::{CheckoutId, VariantId},
    ledger::{Account, CurrencyBalance, PostingKind},
    money::{PRICE_MAX, Rate},
    orders::{LineQuantity, NewRefund},
    payments::NextAction,
    payouts::PayoutForm,
    promotions::PromotionForm,
    sale_prices::price_field,
    sales::AskedPeriod,
    shipping::ShippingMethod,
};

use crate::{both, orders::shipment, payouts::bank, support::*};

const MEENA: &str = "meena-crafts";

fn of(code: &str) -> Currency {
    code.parse().unwrap()
}

fn money(code: &str, amount: i64) -> Money {
    Money::new(amount, of(code))
}

async fn rate(engine: &Engine, code: &str, numerator: i64, denominator: i64) -> Result<()> {
    let rate = Rate { numerator, denominator };
    currencies::set_rate(engine, &Caller::system(), of(code), rate, "The test bank", true).await
}

/// A market that also sells in yen, of which a rupee costs 1.8, and in dinars, of which it costs 0.0036.
async fn open(market: &Market) -> Market {
    let market = market.on(&market.selling_in(&["JPY", "KWD", "USD"]));
    rate(&market.engine, "JPY", 9, 5).await.unwrap();
    rate(&market.engine, "KWD", 36, 10_000).await.unwrap();
    market
}

async fn begin(market: &Market, caller: &Caller, code: &str) -> Result<CheckoutId> {
    checkout::begin_in(&market.engine, caller, Some(of(code))).await
}

async fn total(market: &Market, caller: &Caller, id: CheckoutId) -> Money {
    checkout::view(&market.engine, caller, id).await.unwrap().quote.totals.total
}

/// Buys by card; the purchase's number.
async fn buy_by_card(market: &Market, caller: &Caller, code: &str) -> String {
    let id = begin(market, caller, code).await.unwrap();
    let next = checkout::pay(&market.engine, caller, id, form("sandbox"), 1, "k").await.unwrap();
    let NextAction::Redirect { url } = next else { panic!("{next:?}") };
    let gateway_ref = url.rsplit('/').next().unwrap();
    let asked = sandbox::find(&market.engine.db, gateway_ref).await.unwrap();
    assert_eq!(asked.amount().currency(), of(code), "the gateway is asked for this currency");
    market.enter(gateway_ref, Card::WebhookNever).await;
    number_in(&market.come_back(asked.attempt_id).await.unwrap())
}

/// Sells two bowls and takes one back; what the shop keeps is released.
async fn sell(market: &Market, bowl: VariantId, code: &str) -> Money {
    let (engine, owner) = (&market.engine, market.owner(MEENA).await);
    let purchase = buy_by_card(market, &market.guest_with(&[(bowl, 2)]).await, code).await;
    let number = format!("{purchase}-1");
    let seen = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap();
    let position = seen.order.order.lines[0].position;
    orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
    let lines = vec![LineQuantity { position, quantity: 1 }];
    let refund = NewRefund { lines, restock: true, reason: "Chipped".into(), ..NewRefund::default() };
    orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
    market.settle().await;
    orders::ship(engine, &owner, MEENA, &number, shipment()).await.unwrap();
    orders::deliver(engine, &owner, MEENA, &number).await.unwrap();
    let pending = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
    let pending: Vec<Money> = [pending.pending]
        .into_iter()
        .chain(pending.other_currencies.iter().map(|total| total.pending))
        .filter(|pending| pending.amount() != 0)
        .collect();
    assert_eq!(pending.iter().map(|pending| pending.currency()).collect::<Vec<_>>(), [of(code)]);
    orders::release_due(engine).await.unwrap();
    market.settle().await;
    let key = market.key(&purchase);
    let view = orders::purchase(engine, &Caller::guest(), &purchase, &key).await.unwrap();
    assert_eq!(view.totals.total.currency(), of(code));
    view.totals.total
}

/// What the market's ledger has on an account in a currency.
async fn booked(engine: &Engine, account: Account, code: &str) -> i64 {
    let books = books::trial_balance(engine, &Caller::system()).await.unwrap();
    let found =
        books.accounts.iter().find(|each| each.account == account && each.balance.currency() == of(code));
    found.map_or(0, |each| each.balance.amount())
}

both! {
    async fn earnings_in_other_currencies_are_converted_at_the_rates_of_their_orders(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        let seen = async || ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        sell(market, bowl, "JPY").await;
        // One bowl of ¥810 less 10 %, and ¥88 for the delivery.
        assert_eq!(seen().await.other_currencies[0].available, money("JPY", 817));
        // Whatever the yen is worth by now, the order was paid at 1.8 to the rupee.
        rate(engine, "JPY", 2, 1).await.unwrap();
        assert_eq!(exchange::convert_due(engine).await.unwrap(), 1);
        let balance = seen().await;
        assert_eq!((balance.available, balance.other_currencies), (money("INR", 45_389), vec![]));
        let kinds: Vec<PostingKind> = balance.entries.items.iter().map(|entry| entry.kind).take(2).collect();
        assert_eq!(kinds, [PostingKind::ConvertedTo, PostingKind::ConvertedFrom]);
        assert_eq!(exchange::convert_due(engine).await.unwrap(), 0, "everything is");
        market.settle().await;
        assert_eq!(booked(engine, Account::Exchange, "JPY").await, -817);
        assert_eq!(booked(engine, Account::Exchange, "INR").await, 45_389);
        // ¥817 are ₹408.50 today, for which the shop got ₹453.89.
        let books = books::trial_balance(engine, &Caller::system()).await.unwrap();
        assert_eq!(books.exchange_difference, Some(money("INR", 40_850 - 45_389)));
        // The shop is paid in its own currency, and in no other one.
        let method = payouts::add_method(engine, &owner, MEENA, &bank()).await.unwrap();
        let asked = |amount: &str, currency: &str| PayoutForm { amount: amount.into(), currency: currency.into(), method: method.to_string() };
        let Err(Error::Invalid(faults)) = payouts::request(engine, &owner, MEENA, &asked("817", "JPY"), "a").await else { panic!() };
        assert!(faults.contains(&FieldError::new("currency", FieldCode::NotAChoice)), "{faults:?}");
        payouts::request(engine, &owner, MEENA, &asked("453.89", ""), "b").await.unwrap();

        // The rest is refunded after the payout: it is converted at the same rate, and leaves no fraction of a rupee behind.
        let number = balance.entries.items[0].order_number.clone().unwrap();
        let position = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap().order.order.lines[0].position;
        for (lines, shipping) in [(vec![], true), (vec![LineQuantity { position, quantity: 1 }], false)] {
            let refund = NewRefund { lines, shipping, reason: "Chipped".into(), ..NewRefund::default() };
            orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
            market.settle().await;
            exchange::convert_due(engine).await.unwrap();
        }
        market.settle().await;
        let balance = seen().await;
        assert_eq!((balance.available, balance.other_currencies), (money("INR", -45_389), vec![]));
        assert_eq!(booked(engine, Account::Exchange, "JPY").await, 0);
        assert_eq!(booked(engine, Account::Exchange, "INR").await, 0);
    }

    async fn nothing_is_converted_twice(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        sell(market, bowl, "JPY").await;
        let [one, two] = market.two_nodes().await;
        let both = (0..8).map(|n| {
            let engine = if n % 2 == 0 { one.clone() } else { two.clone() };
            async move { exchange::convert_due(&engine).await }
        });
        let converted: Vec<_> = futures::future::join_all(both).await;
        assert_eq!(converted.into_iter().map(|done| done.unwrap()).sum::<usize>(), 1);
        let balance = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        assert_eq!((balance.available, balance.other_currencies), (money("INR", 45_389), vec![]));
    }

    async fn each_currency_has_a_ledger_of_its_own(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        currencies::set_variant_price(engine, &owner, MEENA, bowl, of("KWD"), Some(1_500)).await.unwrap();
        // Two bowls of ₹450 and delivery for ₹49: ¥810 and ¥88; 1.500 and 0.176 dinars.
        assert_eq!(sell(market, bowl, "JPY").await, money("JPY", 2 * 810 + 88));
        assert_eq!(sell(market, bowl, "KWD").await, money("KWD", 2 * 1_500 + 176));
        assert_eq!(sell(market, bowl, "INR").await, money("INR", 2 * 45_000 + 4_900));
        // One bowl less 10 % of commission, and the delivery.
        let kept = |code, bowl: i64, delivery| CurrencyBalance {
            pending: money(code, 0),
            available: money(code, bowl - bowl / 10 + delivery),
            in_transit: money(code, 0),
            disputed: money(code, 0),
        };
        let balance = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        let own = CurrencyBalance { pending: balance.pending, available: balance.available, in_transit: balance.in_transit, disputed: balance.disputed };
        assert_eq!(own, kept("INR", 45_000, 4_900));
        assert_eq!(balance.other_currencies, [kept("JPY", 810, 88), kept("KWD", 1_500, 176)]);
        for code in ["INR", "JPY", "KWD"] {
            assert_eq!(balance.entries.items.iter().filter(|e| e.amount.currency() == of(code)).count(), 4, "{code}");
        }
        // The dashboard shows one amount, at the rates of the checkouts: ¥1,708 are ₹948.89, 3.176 dinars ₹882.22.
        let home = shops::home(engine, &owner, MEENA, &AskedPeriod::default()).await.unwrap();
        assert_eq!((home.sold, home.orders), (money("INR", 94_889 + 88_222 + 94_900), 3));
        // The commission on cash is owed in the currency that the shop collected.
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = begin(market, &guest, "JPY").await.unwrap();
        let number = number_of(&checkout::pay(engine, &guest, id, form("cash"), 1, "k").await.unwrap());
        let balance = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        assert_eq!(balance.other_currencies[0].pending, money("JPY", -81));
        orders::cancel(engine, &owner, MEENA, &format!("{number}-1"), "No").await.unwrap();
        let balance = ledger::balance(engine, &owner, MEENA, "").await.unwrap();
        assert_eq!(balance.other_currencies[0], kept("JPY", 810, 88));
        let other = ledger::balance(engine, &market.owner("delta-electronics").await, "delta-electronics", "").await.unwrap();
        assert_eq!((other.available, other.other_currencies), (money("INR", 0), vec![]));
    }

    async fn a_checkout_keeps_its_rate(market) {
        let market = &open(market).await;
        let engine = &market.engine;
        let tea = market.generous_shop().await;
        let guest = market.guest_with(&[(tea, 2)]).await;
        let before = engine.db.counts().0;
        let id = begin(market, &guest, "JPY").await.unwrap();
        let taken = engine.db.counts().0 - before;
        println!("{:<11} begin in another currency {taken:>3} statements, at most 13", engine.db.engine());
        assert!(taken <= 13, "{taken}");
        rate(engine, "JPY", 2, 1).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(view.rate, Rate { numerator: 9, denominator: 5 });
        let options = view.groups[0].shipping_options.iter().map(|option| option.price);
        // ¥2,124 are more than the ¥1,800 from which delivery is free.
        assert_eq!(options.collect::<Vec<_>>(), [money("JPY", 0), money("JPY", 178), money("JPY", 0)]);
        assert_eq!(view.quote.totals.total, money("JPY", 2 * 1_062));
        let express = [(view.groups[0].shop_id, ShippingMethod::Express)].into();
        let typed = CheckoutUpdate { shipping_methods: express, ..form("cash") };
        let quote = checkout::update(engine, &guest, id, typed).await.unwrap();
        assert_eq!((quote.version, quote.totals.total), (2, money("JPY", 2 * 1_062 + 178)));
        assert_eq!(begin(market, &guest, "JPY").await, Ok(id), "the same items in the same currency");
        // Another currency is another checkout, and so is that of the shop.
        let dinars = begin(market, &guest, "KWD").await.unwrap();
        assert_ne!(dinars, id);
        assert_eq!(total(market, &guest, dinars).await, money("KWD", 2 * 2_124 + 356), "shipped as chosen before");
        let own = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, own).await.unwrap();
        assert_eq!((view.quote.totals.total, view.rate), (money("INR", 2 * 59_000 + 9_900), Rate::ONE));
        assert_eq!(begin(market, &guest, "INR").await, Ok(own));
        let yen = begin(market, &guest, "JPY").await.unwrap();
        assert_eq!(total(market, &guest, yen).await, money("JPY", 2 * 1_180 + 198));
    }

    async fn only_currencies_with_a_rate_can_be_chosen(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let refused = |begun: Result<CheckoutId>| begun.unwrap_err().at("currency");
        assert_eq!(refused(begin(market, &guest, "JPY").await), Some(FieldCode::NotAChoice));
        let market = &open(market).await;
        assert_eq!(refused(begin(market, &guest, "EUR").await), Some(FieldCode::NotAChoice));
        assert_eq!(refused(begin(market, &guest, "USD").await), Some(FieldCode::NoRate));
        // Prices that would exceed what any price may be.
        rate(&market.engine, "JPY", Rate::PART_MAX, 1).await.unwrap();
        assert_eq!(refused(begin(market, &guest, "JPY").await), Some(FieldCode::TooBig));
        assert_eq!(market.available(bowl).await, 9, "nothing is held");
        // Nothing converts the prices of a shop that has another currency than the market.
        let tea = market.generous_shop_in(of("USD"), "tea-inc").await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        assert_eq!(begin(market, &guest, "KWD").await, Err(Conflict::MixedCurrencies.into()));
        let id = begin(market, &guest, "USD").await.unwrap();
        assert_eq!(checkout::view(&market.engine, &guest, id).await.unwrap().rate, Rate::ONE);
    }

    async fn operators_set_rates(market) {
        let market = &market.on(&market.selling_in(&["JPY", "KWD"]));
        let engine = &market.engine;
        accounts::create_operator(engine, &Caller::system(), sign_up("operator")).await.unwrap();
        let operator = market.owner("operator").await;
        let set = async |caller: &Caller, code: &str, (numerator, denominator), source: &str| {
            currencies::set_rate(engine, caller, of(code), Rate { numerator, denominator }, source, true).await
        };
        assert_eq!(set(&Caller::guest(), "JPY", (9, 5), "").await, Err(Error::SignInNeeded));
        assert_eq!(set(&market.owner(MEENA).await, "JPY", (9, 5), "").await, Err(Error::NotFound));
        for code in ["INR", "USD"] {
            assert_eq!(set(&operator, code, (9, 5), "").await.unwrap_err().at("currency"), Some(FieldCode::NotAChoice));
        }
        let wrong = set(&operator, "JPY", (0, Rate::PART_MAX + 1), &"x".repeat(101)).await.unwrap_err();
        let codes = ["numerator", "denominator", "source"].map(|field| wrong.at(field));
        assert_eq!(codes, [Some(FieldCode::TooSmall), Some(FieldCode::TooBig), Some(FieldCode::TooLong(100))]);
        let known = async || {
            let cards = currencies::list(engine, &Caller::guest()).await.unwrap();
            cards.into_iter().map(|c| (c.currency.to_string(), c.rate.map(|r| (r.numerator, r.denominator)))).collect::<Vec<_>>()
        };
        let card = |code: &str, rate| (code.to_owned(), rate);
        assert_eq!(known().await, [card("INR", Some((1, 1))), card("JPY", None), card("KWD", None)]);
        set(&operator, "JPY", (9, 5), "ECB").await.unwrap();
        market.clock.advance_ms(1);
        set(&operator, "JPY", (2, 1), "").await.unwrap();
        set(&Caller::system(), "KWD", (36, 10_000), "").await.unwrap();
        assert_eq!(known().await, [card("INR", Some((1, 1))), card("JPY", Some((2, 1))), card("KWD", Some((36, 10_000)))]);
        let rows = audit::list(engine, &operator, "").await.unwrap().items;
        let rows = rows.iter().filter(|row| row.action == "currencies::set_rate");
        let rows: Vec<_> = rows.map(|row| (row.note.as_str(), row.user_email.as_deref())).collect();
        let by = Some("operator@haat.example");
        assert_eq!(rows.len(), 3);
        for row in [("JPY 9/5 ECB", by), ("JPY 2/1", by), ("KWD 36/10000", None)] {
            assert!(rows.contains(&row), "{rows:?}");
        }
    }

    async fn rates_are_imported_from_a_file_and_age(market) {
        let market = &market.on(&market.selling_in(&["JPY", "USD"]));
        let engine = &market.engine;
        let system = &Caller::system();
        assert_eq!(currencies::import(engine, &Caller::guest(), "USD 1", "", true).await, Err(Error::SignInNeeded));
        // All or nothing, and an error for each field.
        let wrong = currencies::import(engine, system, "USD,0.0116\nJPY,0", &"x".repeat(101), true).await.unwrap_err();
        assert_eq!(wrong.at("rates"), Some(FieldCode::RateLine(2)));
        assert_eq!(wrong.at("source"), Some(FieldCode::TooLong(100)));
        let known = async || {
            let cards = currencies::list(engine, system).await.unwrap();
            let card = |c: &haat_shared::currencies::CurrencyCard| {
                let rate = c.rate.map(haat_shared::currencies::decimal).unwrap_or_default();
                format!("{} {rate} {} {}", c.currency, c.source, c.stale)
            };
            cards.iter().map(card).collect::<Vec<_>>()
        };
        assert_eq!(known().await, ["INR 1  false", "JPY   false", "USD   false"]);
        assert_eq!(currencies::choices(engine, system).await, Ok(Vec::new()), "nothing to choose from yet");
        let bank = |days_ago: i64| {
            let day = engine.zone.local(market.clock.now_ms() - days_ago * 86_400_000);
            let rates = [("USD", "1.16"), ("JPY", "180.5"), ("CHF", "0.9"), ("INR", "100.0")];
            let rates = rates.map(|(code, rate)| format!("<Cube currency='{code}' rate='{rate}'/>\n"));
            format!("<?xml version='1.0'?>\n<Cube><Cube time='{}'>{}</Cube></Cube>", &day[..10], rates.concat())
        };
        assert_eq!(currencies::import(engine, system, &bank(0), "ECB", true).await, Ok(2));
        assert_eq!(known().await, ["INR 1  false", "JPY 1.805 ECB false", "USD 0.0116 ECB false"]);
        market.clock.advance_ms(haat_shared::currencies::STALE_MS + 1);
        rate(engine, "USD", 29, 2_500).await.unwrap();
        assert_eq!(known().await, ["INR 1  false", "JPY 1.805 ECB true", "USD 0.0116 The test bank false"]);
        let rows = audit::list(engine, system, "").await.unwrap().items;
        assert!(rows.iter().any(|row| row.note == "USD 29/2500, JPY 361/200 ECB"), "{rows:?}");
        // What was set last counts, and an old table is as old as it says.
        assert_eq!(currencies::import(engine, system, &bank(9), "ECB", true).await, Ok(2));
        assert_eq!(known().await, ["INR 1  false", "JPY 1.805 ECB true", "USD 0.0116 ECB true"]);
        // A table of tomorrow is of now.
        assert_eq!(currencies::import(engine, system, &bank(-1), "ECB", true).await, Ok(2));
        assert_eq!(known().await, ["INR 1  false", "JPY 1.805 ECB false", "USD 0.0116 ECB false"]);
    }

    async fn unusual_rates_are_confirmed_and_rates_are_removed(market) {
        let market = &market.on(&market.selling_in(&["JPY", "USD"]));
        let (engine, system) = (&market.engine, &Caller::system());
        let set = async |numerator, denominator, confirmed| {
            let rate = Rate { numerator, denominator };
            currencies::set_rate(engine, system, of("USD"), rate, "", confirmed).await
        };
        let now = async || {
            let cards = currencies::list(engine, system).await.unwrap();
            cards.into_iter().map(|card| card.rate.map(haat_shared::currencies::decimal).unwrap_or_default()).collect::<Vec<_>>()
        };
        // The first one may be any.
        set(11, 1_000, false).await.unwrap();
        assert_eq!(set(11, 1, false).await.unwrap_err().at("rate"), Some(FieldCode::RateChanged));
        // One of a file is enough, and nothing of it is set.
        let file = "JPY,1.8\nUSD,90";
        let asked = currencies::import(engine, system, file, "", false).await.unwrap_err();
        assert_eq!((asked.at("rates"), now().await), (Some(FieldCode::RateChanged), vec!["1".into(), String::new(), "0.011".into()]));
        set(33, 1_000, false).await.unwrap();
        set(11, 1_000, false).await.unwrap();
        assert_eq!(currencies::import(engine, system, file, "", true).await, Ok(2));
        assert_eq!(now().await, ["1", "1.8", "90"]);
        // So is a file that is older than the current rates, or than a week.
        let days_ago = |days: i64| {
            let day = haat_shared::shipping::date(engine.zone.day(engine.clock.now_ms()) - days);
            format!("<Cube time='{day}'>\n<Cube currency='INR' rate='1'/><Cube currency='JPY' rate='1.8'/>")
        };
        for (days, code) in [(0, None), (1, Some(FieldCode::RatesOld)), (9, Some(FieldCode::RatesOld))] {
            let answer = currencies::import(engine, system, &days_ago(days), "", false).await;
            assert_eq!(answer.err().and_then(|error| error.at("rates")), code, "{days}");
        }
        assert_eq!(currencies::import(engine, system, &days_ago(9), "", true).await, Ok(1));
        // One of a day that hasn't begun anywhere is a mistake, and can't be confirmed.
        let ahead = currencies::import(engine, system, &days_ago(-3), "", true).await.unwrap_err();
        assert_eq!(ahead.at("rates"), Some(FieldCode::RatesAhead));
        market.clock.advance_ms(86_400_000);
        assert_eq!(currencies::import(engine, system, &days_ago(1), "", false).await, Ok(1));
        set(11, 1_000, true).await.unwrap();
        // A checkout keeps its rate.
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = begin(market, &guest, "USD").await.unwrap();
        let before = total(market, &guest, id).await;
        assert_eq!(currencies::remove_rate(engine, &Caller::guest(), of("USD")).await, Err(Error::SignInNeeded));
        assert_eq!(currencies::remove_rate(engine, &market.owner(MEENA).await, of("USD")).await, Err(Error::NotFound));
        assert_eq!(currencies::remove_rate(engine, system, of("INR")).await.unwrap_err().at("currency"), Some(FieldCode::NotAChoice));
        for _ in 0..2 {
            currencies::remove_rate(engine, system, of("USD")).await.unwrap();
        }
        assert_eq!(now().await, ["1", "1.8", ""]);
        assert_eq!(total(market, &guest, id).await, before);
        let another = market.guest_with(&[(bowl, 1)]).await;
        assert_eq!(begin(market, &another, "USD").await.unwrap_err().at("currency"), Some(FieldCode::NoRate));
        let rows = audit::list(engine, system, "").await.unwrap().items;
        assert_eq!(rows.iter().filter(|row| row.action == "currencies::remove_rate" && row.note == "USD").count(), 1);
        market.settle().await;
    }

    async fn what_is_shown_in_a_chosen_currency_is_what_is_paid(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        let lamp = market.product(MEENA, "Brass lamp", 129_900, 30).await;
        currencies::set_variant_price(engine, &owner, MEENA, bowl, of("KWD"), Some(1_500)).await.unwrap();
        let guest = market.guest_with(&[(bowl, 2), (lamp, 1)]).await;
        let choosing = |code: &str| Caller { currency: Some(of(code)), ..guest.clone() };
        let card = async |code: &str, title: &str| {
            let page = catalog::list(engine, &choosing(code), Default::default()).await.unwrap();
            page.items.into_iter().find(|card| card.title == title).unwrap()
        };
        let price = async |code: &str, title: &str| card(code, title).await.price;
        assert_eq!(price("JPY", "Clay bowl").await, money("JPY", 810));
        assert_eq!(price("KWD", "Clay bowl").await, money("KWD", 1_500), "the seller's own");
        assert_eq!(price("KWD", "Brass lamp").await, money("KWD", 4_676));
        // Without a rate, or not of this market: as they are set.
        for code in ["USD", "EUR", "INR"] {
            assert_eq!(price(code, "Clay bowl").await, money("INR", 45_000), "{code}");
        }
        let slug = card("KWD", "Clay bowl").await.slug;
        let product = catalog::product(engine, &choosing("KWD"), &slug).await.unwrap();
        assert_eq!(product.variants[0].price, money("KWD", 1_500));
        assert_eq!(product.shop.shipping_price, Some(money("KWD", 176)));
        for (code, total) in [("JPY", 2 * 810 + 2_338 + 88), ("KWD", 2 * 1_500 + 4_676 + 176), ("INR", 2 * 45_000 + 129_900 + 4_900)] {
            let caller = &choosing(code);
            let shown = carts::view(engine, caller).await.unwrap().totals.unwrap().total;
            let id = checkout::begin(engine, caller).await.unwrap();
            assert_eq!((shown, self::total(market, caller, id).await), (money(code, total), money(code, total)));
        }
        // A converted price is reduced from a converted one; a price of the seller's own is not.
        let jug = catalog::NewVariant { sku: "JUG".into(), price_minor: 50_000, compare_at_minor: Some(60_000), stock: 5, ..Default::default() };
        let product = catalog::NewProduct { title: "Jug".into(), variants: vec![jug], ..Default::default() };
        catalog::upsert_products(engine, &Caller::system(), MEENA, vec![product]).await.unwrap();
        let shown = card("KWD", "Jug").await;
        let product = catalog::product(engine, &choosing("KWD"), &shown.slug).await.unwrap();
        let before = Some(money("KWD", 2_160));
        assert_eq!((shown.compare_at, product.variants[0].compare_at), (before, before));
        currencies::set_variant_price(engine, &owner, MEENA, shown.variant_id, of("KWD"), Some(1_700)).await.unwrap();
        let shown = card("KWD", "Jug").await;
        let product = catalog::product(engine, &choosing("KWD"), &shown.slug).await.unwrap();
        assert_eq!((shown.price, shown.compare_at, product.variants[0].compare_at), (money("KWD", 1_700), None, None));
        let choices = currencies::choices(engine, &choosing("KWD")).await.unwrap();
        assert_eq!(choices, [(of("INR"), false), (of("JPY"), false), (of("KWD"), true)], "USD has no rate");
        // A shop that has another currency is paid in that, and alone.
        let tea = market.generous_shop_in(of("USD"), "tea-inc").await;
        let guest = market.guest_with(&[(tea, 1)]).await;
        let caller = &Caller { currency: Some(of("KWD")), ..guest };
        let shown = carts::view(engine, caller).await.unwrap().totals.unwrap().total;
        let id = checkout::begin(engine, caller).await.unwrap();
        assert_eq!((shown.currency(), total(market, caller, id).await), (of("USD"), shown));
    }

    async fn a_product_has_a_list_of_prices_in_each_currency(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        market.product("delta-electronics", "Desk lamp", 129_900, 9).await;
        let cards = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items;
        let product = |title: &str| cards.iter().find(|card| card.title == title).unwrap().id;
        let (mine, theirs) = (product("Clay bowl"), product("Desk lamp"));
        let list = async |code: &str| price_lists::of_product(engine, &owner, MEENA, mine, code.parse().ok()).await.unwrap();
        let prices = async |code: &str| {
            let list = list(code).await;
            let of = |price: &VariantPrice| [price.converted, price.own].map(|of| of.map(Money::amount));
            (list.currency, list.variants.iter().map(of).collect::<Vec<_>>())
        };
        assert_eq!(list("").await.currencies, ["JPY", "KWD", "USD"].map(of));
        // Of no currency, or of the market's own: the first one.
        for code in ["", "INR", "EUR", "JPY"] {
            assert_eq!(prices(code).await, (of("JPY"), vec![[Some(810), None]]), "{code}");
        }
        assert_eq!(prices("USD").await, (of("USD"), vec![[None, None]]), "without a rate");
        let save = async |code: &str, id, typed: &str| {
            price_lists::save(engine, &owner, MEENA, mine, of(code), &[(id, typed.to_owned())]).await
        };
        for (typed, own) in [("750", Some(750)), (" 1,200 ", Some(1_200)), ("", None), ("1", Some(1)), ("", None)] {
            save("JPY", bowl, typed).await.unwrap();
            assert_eq!(prices("JPY").await.1, [[Some(810), own]], "{typed}");
        }
        save("JPY", bowl, "700").await.unwrap();
        save("KWD", bowl, "1.500").await.unwrap();
        let other: VariantId = haat_engine::random::id(0);
        for (code, id, typed, fault) in [
            ("JPY", bowl, "0", FieldCode::TooSmall),
            ("JPY", bowl, "7.5", FieldCode::TooManyDecimals),
            ("JPY", bowl, "cheap", FieldCode::NotMoney),
            ("JPY", bowl, "99999999999999", FieldCode::AmountTooBig(money("JPY", PRICE_MAX))),
            ("JPY", other, "700", FieldCode::NotAChoice),
        ] {
            let refused = save(code, id, typed).await.unwrap_err();
            assert_eq!(refused.at(&price_field(id)), Some(fault), "{typed}");
        }
        for code in ["INR", "EUR"] {
            assert_eq!(save(code, bowl, "1").await.unwrap_err().at("currency"), Some(FieldCode::NotAChoice));
        }
        assert_eq!(prices("JPY").await.1, [[Some(810), Some(700)]], "nothing of what is refused is saved");
        assert_eq!(prices("KWD").await.1, [[Some(1_620), Some(1_500)]]);
        // Nobody sees or changes those of others.
        assert_eq!(price_lists::of_product(engine, &owner, MEENA, theirs, None).await, Err(Error::NotFound));
        assert_eq!(price_lists::save(engine, &owner, MEENA, theirs, of("JPY"), &[]).await, Err(Error::NotFound));
        assert_eq!(price_lists::of_product(engine, &Caller::guest(), MEENA, mine, None).await, Err(Error::SignInNeeded));
    }

    async fn sellers_set_prices_of_their_own(market) {
        let market = &open(market).await;
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 9).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 9).await;
        let set = async |caller: &Caller, handle: &str, variant, code: &str, amount| {
            currencies::set_variant_price(engine, caller, handle, variant, of(code), amount).await
        };
        assert_eq!(set(&Caller::guest(), MEENA, bowl, "JPY", Some(1)).await, Err(Error::SignInNeeded));
        for amount in [Some(1), None] {
            assert_eq!(set(&owner, MEENA, lamp, "JPY", amount).await, Err(Error::NotFound));
            assert_eq!(currencies::variant_prices(engine, &owner, MEENA, lamp).await, Err(Error::NotFound));
            assert_eq!(set(&owner, "delta-electronics", lamp, "JPY", amount).await, Err(Error::NotFound));
        }
        for (code, amount, field, fault) in [
            ("INR", 1, "currency", FieldCode::NotAChoice),
            ("EUR", 1, "currency", FieldCode::NotAChoice),
            ("JPY", 0, "amount", FieldCode::TooSmall),
            ("JPY", PRICE_MAX + 1, "amount", FieldCode::TooBig),
        ] {
            let refused = set(&owner, MEENA, bowl, code, Some(amount)).await.unwrap_err();
            assert_eq!(refused.at(field), Some(fault), "{code} {amount}");
        }
        for (amount, expected) in [(Some(700), 700), (Some(750), 750), (None, 810), (None, 810)] {
            set(&owner, MEENA, bowl, "JPY", amount).await.unwrap();
            let own = currencies::variant_prices(engine, &owner, MEENA, bowl).await.unwrap();
            assert_eq!(own, Vec::from_iter(amount.map(|amount| money("JPY", amount))));
            let guest = market.guest_with(&[(bowl, 1)]).await;
            let id = begin(market, &guest, "JPY").await.unwrap();
            assert_eq!(total(market, &guest, id).await, money("JPY", expected + 88), "{amount:?}");
        }
        // ¥0.36 are not free.
        let pin = market.product(MEENA, "Pin", 20, 9).await;
        let guest = market.guest_with(&[(pin, 1)]).await;
        let id = begin(market, &guest, "JPY").await.unwrap();
        assert_eq!(total(market, &guest, id).await, money("JPY", 1 + 88));
        // A price does not keep a product from being deleted.
        let jug = market.product(MEENA, "Clay jug", 45_000, 9).await;
        set(&owner, MEENA, jug, "JPY", Some(700)).await.unwrap();
        let own = catalog::seller_list(engine, &owner, MEENA, Default::default()).await.unwrap().items;
        let id = own.iter().find(|card| card.title == "Clay jug").unwrap().id;
        catalog::delete(engine, &owner, MEENA, id).await.unwrap();
    }

    async fn prices_and_cash_are_in_coins(market) {
        let market = &market.on(&market.selling_in(&["CHF"]));
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        rate(engine, "CHF", 94, 10_000).await.unwrap();
        let bowl = market.product(MEENA, "Clay bowl", 124_950, 9).await;
        let off = PromotionForm { label: "Sale".into(), kind: "percent".into(), percent: "7".into(), ..PromotionForm::default() };
        let sale = promotions::create(engine, &owner, MEENA, &off).await.unwrap();
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = begin(market, &guest, "CHF").await.unwrap();
        // 11.7453 and 0.4606, less 7 % of 11.75.
        assert_eq!(total(market, &guest, id).await, money("CHF", 1_175 - 82 + 45));
        let next = checkout::pay(engine, &guest, id, form("cash"), 1, "k").await.unwrap();
        let number = number_of(&next);
        let bought = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        assert_eq!((bought.totals.total, bought.in_cash()), (money("CHF", 1_138), money("CHF", 1_140)));
        let order = orders::seller_order(engine, &owner, MEENA, &format!("{number}-1")).await.unwrap();
        assert_eq!(order.order.order.to_collect(), money("CHF", 1_140));
        // What it gave is counted in each currency that was paid in.
        let given = async || promotions::find(engine, &owner, MEENA, sale).await.unwrap().given;
        assert_eq!(given().await, [money("INR", 0), money("CHF", 82)]);
        let listed = promotions::list(engine, &owner, MEENA, "").await.unwrap().page.items;
        assert_eq!(listed[0].given, given().await);
        buy_by_card(market, &market.guest_with(&[(bowl, 1)]).await, "INR").await;
        assert_eq!(given().await, [money("INR", 8_747), money("CHF", 82)]);
        market.settle().await;
    }

    /// The limit on guests' cash orders is in the market's currency.
    async fn attack_cash_orders_are_not_larger_in_another_currency(market) {
        let market = &open(market).await;
        let bounds = Bounds { guest_cash_order_max: 500, ..Bounds::NONE };
        let engine = Engine::new(Parts { bounds, ..market.parts() }).unwrap();
        let market = &market.on(&engine);
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 30).await;
        for (code, quantity, allowed) in [("JPY", 1, true), ("JPY", 2, false), ("KWD", 1, true), ("KWD", 2, false)] {
            let guest = market.guest_with(&[(bowl, quantity)]).await;
            let guest = Caller { origin: Some([1; 32]), ..guest };
            let id = begin(market, &guest, code).await.unwrap();
            let paid = checkout::pay(&engine, &guest, id, form("cash"), 1, "k").await;
            match allowed {
                true => drop(number_of(&paid.unwrap())),
                false => assert_eq!(paid.map(drop), Err(Conflict::CashNeedsAccount.into()), "{code}"),
            }
        }
    }
}
