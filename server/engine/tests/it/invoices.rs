//! Invoices and credit notes: issued once, without gaps, and equal to what was paid and refunded.

use haat_engine::{Caller, cart_codes, checkout, dispatch, gift_cards, invoices, orders, promotions, shops};
use haat_shared::{
    Currency, Error, FieldCode, Money,
    addresses::Address,
    checkout::CheckoutUpdate,
    invoices::{Invoice, InvoiceCard, InvoiceDiscount, InvoiceKind},
    orders::{LineQuantity, NewRefund, Shipment},
    promotions::PromotionForm,
};

use crate::{both, races::at_once, support::*};

pub(super) const MEENA: &str = "meena-crafts";

pub(super) fn parcel() -> Shipment {
    Shipment { carrier: "India Post".into(), tracking_number: "RX1".into(), tracking_url: String::new() }
}

pub(super) async fn issued(market: &Market, number: &str) -> Vec<(InvoiceCard, Invoice)> {
    let owner = market.owner(MEENA).await;
    let order = orders::seller_order(&market.engine, &owner, MEENA, number).await.unwrap();
    let mut found = Vec::new();
    for card in order.order.order.invoices {
        let (invoice, at) = invoices::of_shop(&market.engine, &owner, MEENA, card.id).await.unwrap();
        assert_eq!(
            (&at, &invoice.number, invoice.total, invoice.kind),
            (&card.issued_at, &card.number, card.total, card.kind)
        );
        found.push((card, invoice));
    }
    found
}

async fn ship(market: &Market, number: &str) {
    let owner = market.owner(MEENA).await;
    orders::confirm(&market.engine, &owner, MEENA, number).await.unwrap();
    orders::ship(&market.engine, &owner, MEENA, number, parcel()).await.unwrap();
}

both! {
    async fn an_order_is_invoiced_when_it_is_shipped_and_refunds_are_credited(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let mut settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        settings.form.tax_id = "27AAPFU0939F1ZV".into();
        settings.form.town = "Khurja".into();
        shops::save_settings(engine, &owner, MEENA, settings.version, &settings.form).await.unwrap();
        let bowl = market.product(MEENA, "Clay bowl", 33_333, 9).await;
        let jug = market.product(MEENA, "Clay jug", 45_000, 9).await;
        let guest = market.guest_with(&[(bowl, 3), (jug, 1)]).await;
        let purchase = market.buy_by_card(&guest).await;
        let number = format!("{purchase}-1");
        market.settle().await;
        assert!(issued(market, &number).await.is_empty(), "nothing is shipped");
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        let line = |position, quantity| vec![LineQuantity { position, quantity }];
        let refund = async |lines, shipping| {
            let refund = NewRefund { lines, shipping, restock: false, reason: "Chipped".into(), amount: None };
            orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
            market.settle().await;
        };
        let order = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap().order.order;
        let of = |title: &str| order.lines.iter().find(|line| line.title == title).unwrap().position;
        let (bowls, jugs) = (of("Clay bowl"), of("Clay jug"));
        refund(line(bowls, 1), false).await;
        assert!(issued(market, &number).await.is_empty(), "still nothing is shipped");
        orders::ship(engine, &owner, MEENA, &number, parcel()).await.unwrap();
        market.settle().await;
        let first = issued(market, &number).await;
        assert_eq!(first.len(), 1);
        let year = engine.zone.year(market.clock.now_ms());
        let (card, invoice) = &first[0];
        assert_eq!((card.kind, card.number.clone()), (InvoiceKind::Invoice, format!("INV-{year}-00001")));
        assert_eq!((invoice.seller.tax_id.as_str(), invoice.order_number.as_str()), ("27AAPFU0939F1ZV", number.as_str()));
        assert_eq!(invoice.lines.iter().map(|line| (line.title.as_str(), line.quantity)).collect::<Vec<_>>(), [("Clay bowl", 2), ("Clay jug", 1)]);
        let seen = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap().order.order;
        assert_eq!(invoice.total, seen.totals.total.minus(seen.refunded()).unwrap(), "what was paid and not refunded");

        refund(line(bowls, 1), false).await;
        refund([line(bowls, 1), line(jugs, 1)].concat(), true).await;
        let all = issued(market, &number).await;
        assert_eq!(all[0], first[0], "what was issued stays");
        let notes: Vec<_> = all[1..].iter().map(|(card, note)| (card.number.clone(), note.corrects.clone(), note.shipping.amount() > 0)).collect();
        let corrects = Some(card.number.clone());
        assert_eq!(notes, [(format!("CN-{year}-00001"), corrects.clone(), false), (format!("CN-{year}-00002"), corrects, true)]);
        // Everything went back, to the unit, and so did the tax.
        let sum = |pick: &dyn Fn(&Invoice) -> i64| all[1..].iter().map(|(_, note)| pick(note)).sum::<i64>();
        assert_eq!(sum(&|note| note.total.amount()), invoice.total.amount());
        let tax = |note: &Invoice| note.lines.iter().map(|line| line.tax.amount()).sum::<i64>();
        assert_eq!(sum(&tax), tax(invoice));

        // The customer sees the same, and nobody else.
        let key = market.key(&purchase);
        let view = orders::purchase(engine, &Caller::guest(), &purchase, &key).await.unwrap();
        assert_eq!(view.orders[0].invoices.len(), 3);
        let theirs = invoices::of_purchase(engine, &Caller::guest(), &purchase, &key, card.id).await.unwrap();
        assert_eq!(&theirs.0, invoice);
        assert_eq!(&invoices::any(engine, &Caller::system(), card.id).await.unwrap().0, invoice);
        let wrong = invoices::of_purchase(engine, &Caller::guest(), &purchase, "key", card.id).await;
        assert_eq!(wrong, Err(Error::NotFound));
        let other = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let elsewhere = invoices::of_purchase(engine, &Caller::guest(), &other, &market.key(&other), card.id).await;
        assert_eq!(elsewhere, Err(Error::NotFound), "of another purchase");
        let delta = market.owner("delta-electronics").await;
        assert_eq!(invoices::of_shop(engine, &delta, "delta-electronics", card.id).await, Err(Error::NotFound));
        assert_eq!(invoices::any(engine, &owner, card.id).await, Err(Error::NotFound));
    }

    async fn an_invoice_is_to_the_billing_address(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let office = Address {
            name: "Rao GmbH".into(), line1: "Seestraße 1".into(), city: "Berlin".into(), postal_code: "1011".into(), country: "de".into(),
            ..Address::default()
        };
        let form = |billing| CheckoutUpdate { billing: Some(billing), ..form("cash") };
        let wrong = checkout::pay(engine, &guest, id, form(office.clone()), 1, "k").await.unwrap_err();
        assert_eq!(wrong.at("billing.postal_code"), Some(FieldCode::NotPostalCode));
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(view.form.billing, Some(office.clone()), "it is kept");
        let office = Address { postal_code: "10115".into(), ..office };
        let purchase = number_of(&checkout::pay(engine, &guest, id, form(office), 1, "k").await.unwrap());
        let view = orders::purchase(engine, &Caller::guest(), &purchase, &market.key(&purchase)).await.unwrap();
        assert_eq!(view.billing_address.unwrap().formatted, ["Rao GmbH", "Seestraße 1", "10115 Berlin"]);
        assert_eq!(view.address.parts.name, "Asha Rao");
        ship(market, &format!("{purchase}-1")).await;
        market.settle().await;
        let invoice = &issued(market, &format!("{purchase}-1")).await[0].1;
        assert_eq!(invoice.buyer.label("Germany"), ["Rao GmbH", "Seestraße 1", "10115 Berlin", "Germany"]);
    }

    async fn an_invoice_names_discounts_and_gift_cards(market) {
        let engine = &market.engine;
        let owner = market.owner(MEENA).await;
        let form = |code: &str, kind: &str| PromotionForm {
            label: format!("Sale {code}"),
            code: code.into(),
            kind: kind.into(),
            percent: "20".into(),
            combines: "1".into(),
            ..PromotionForm::default()
        };
        promotions::create(engine, &owner, MEENA, &form("SALE20", "percent")).await.unwrap();
        promotions::create(engine, &owner, MEENA, &PromotionForm { amount: "100".into(), ..form("", "amount") }).await.unwrap();
        promotions::create(engine, &owner, MEENA, &form("POST", "free_shipping")).await.unwrap();
        let issued_card = gift_cards::issue(engine, &Caller::system(), Money::new(30_000, Currency::INR), "Sorry", None).await.unwrap();
        let bowl = market.product(MEENA, "Clay bowl", 33_335, 9).await;
        let lamp = market.product("delta-electronics", "Desk lamp", 99_900, 9).await;
        let guest = market.guest_with(&[(bowl, 3), (lamp, 1)]).await;
        for code in ["SALE20", "POST"] {
            cart_codes::add_code(engine, &guest, code).await.unwrap();
        }
        let id = checkout::begin(engine, &guest).await.unwrap();
        gift_cards::apply(engine, &guest, id, &issued_card.code).await.unwrap();
        let purchase = market.buy_by_card(&guest).await;
        market.settle().await;
        let view = orders::purchase(engine, &Caller::guest(), &purchase, &market.key(&purchase)).await.unwrap();
        let order = view.orders.iter().find(|order| order.shop_handle == MEENA).unwrap();
        ship(market, &order.number).await;
        market.settle().await;
        let all = issued(market, &order.number).await;
        let invoice = &all[0].1;
        let said = |discounts: &[InvoiceDiscount]| -> Vec<(String, i64)> {
            discounts.iter().map(|of| (of.name.clone(), of.amount.amount())).collect()
        };
        assert_eq!(said(&invoice.lines[0].discounts), [("Sale SALE20 (SALE20)".to_owned(), 20_001), ("Sale".to_owned(), 10_000)]);
        assert_eq!(said(&invoice.shipping_discounts), [("Sale POST (POST)".to_owned(), 4_900)]);
        // As the summary of the order says.
        let of_order: i64 = order.discounts.iter().map(|discount| discount.amount.amount()).sum();
        assert_eq!(of_order, 34_901);
        assert_eq!(invoice.total, order.totals.total);
        // The card paid for both orders, each by its part of the total.
        let paid = invoice.paid.clone().unwrap();
        let by_card = 30_000 * order.totals.total.amount() / view.totals.total.amount();
        let first = order.number.ends_with("-1");
        let by_cards = paid.gift_cards[0].amount.amount();
        assert!(by_cards == by_card || !first && by_cards == by_card + 1, "{paid:?}");
        assert_eq!((paid.gift_cards[0].last4.as_str(), paid.rest.amount()), (&issued_card.code[15..], invoice.total.amount() - by_cards));
        // What is refunded gives back its part of the discounts.
        let position = order.lines[0].position;
        let refund = NewRefund { lines: vec![LineQuantity { position, quantity: 1 }], shipping: false, restock: false, reason: "Chipped".into(), amount: None };
        orders::refund(engine, &owner, MEENA, &order.number, refund).await.unwrap();
        market.settle().await;
        let all = issued(market, &order.number).await;
        let note = &all[1].1;
        assert_eq!(said(&note.lines[0].discounts), [("Sale SALE20 (SALE20)".to_owned(), 6_667), ("Sale".to_owned(), 3_333)]);
        assert_eq!((said(&note.shipping_discounts), note.paid.is_none()), (vec![], true));
    }

    async fn numbers_have_no_gaps_however_many_are_shipped_at_once(market) {
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 90).await;
        let mut numbers = Vec::new();
        for _ in 0..12 {
            let number = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
            numbers.push(format!("{number}-1"));
            ship(market, numbers.last().unwrap()).await;
        }
        let [one, other] = market.two_nodes().await;
        at_once([one.clone(), other.clone(), one, other].into_iter().map(|node| async move {
            for _ in 0..4 {
                let _ = dispatch::drain(&node).await;
            }
        }).collect()).await;
        // Those that met another one are tried again.
        market.clock.advance_ms(600_000);
        market.settle().await;
        let mut issued_numbers = Vec::new();
        for number in &numbers {
            let found = issued(market, number).await;
            assert_eq!(found.len(), 1, "{number}");
            issued_numbers.push(found[0].0.number.clone());
        }
        issued_numbers.sort();
        let year = market.engine.zone.year(market.clock.now_ms());
        let expected: Vec<_> = (1..=12).map(|n| InvoiceKind::Invoice.number(year, n)).collect();
        assert_eq!(issued_numbers, expected);
    }
}
