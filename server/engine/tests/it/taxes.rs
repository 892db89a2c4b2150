//! Tax rates: what operators set, and what checkouts, orders and invoices say.

use haat_engine::{Caller, Engine, Parts, carts, catalog, checkout, orders, sandbox, shops, taxes};
use haat_shared::{
    Currency, FieldCode, Money,
    checkout::CheckoutUpdate,
    invoices::Invoice,
    orders::{LineQuantity, NewRefund},
    payments::NextAction,
    taxes::{TaxLine, TaxNote, TaxPreview, TaxRateForm, TaxRateState, TaxSettings},
};

use crate::{
    both,
    invoices::{MEENA, issued, parcel},
    support::*,
};

fn rate(country: &str, kind: &str, percent: &str) -> TaxRateForm {
    TaxRateForm {
        country: country.into(),
        tax_category: "standard".into(),
        name: if kind == "gst" { "GST" } else { "VAT" }.into(),
        kind: kind.into(),
        percent: percent.into(),
        ..TaxRateForm::default()
    }
}

/// `CGST 9 45.00`.
fn said(lines: &[TaxLine]) -> Vec<String> {
    let said = |line: &TaxLine| format!("{} {}", line.name, line.amount.plain());
    lines.iter().map(said).collect()
}

/// To a state of India.
fn to(region: &str) -> CheckoutUpdate {
    let postal_code = if region == "KA" { "560038" } else { "411001" };
    CheckoutUpdate { region: region.into(), postal_code: postal_code.into(), ..form("cash") }
}

both! {
    async fn a_place_has_one_rate_of_a_category_at_a_time(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let id = taxes::add(engine, &system, &rate("IN", "gst", "18")).await.unwrap();
        let again = taxes::add(engine, &system, &rate("IN", "gst", "12")).await.unwrap_err();
        assert_eq!(again.at("tax_category"), Some(FieldCode::RateExists));
        let later = TaxRateForm { starts_on: "2999-01-01".into(), ..rate("IN", "gst", "12") };
        taxes::add(engine, &system, &later).await.unwrap();
        let listed = taxes::list(engine, &system).await.unwrap();
        let first = listed.iter().find(|card| card.id == id).unwrap();
        assert!(first.status == TaxRateState::Active && first.ends_at.is_some(), "a later one ends it: {first:?}");
        let twice = taxes::add(engine, &system, &later).await.unwrap_err();
        assert_eq!(twice.at("tax_category"), Some(FieldCode::RateExists));
        // Other places, categories and regions are apart.
        taxes::add(engine, &system, &rate("DE", "plain", "19")).await.unwrap();
        taxes::add(engine, &system, &TaxRateForm { tax_category: "Books".into(), ..rate("IN", "gst", "0") }).await.unwrap();
        taxes::end(engine, &system, id).await.unwrap();
        let ended = taxes::list(engine, &system).await.unwrap();
        assert!(ended.iter().any(|card| card.id == id && card.status == TaxRateState::Ended));
        assert!(taxes::end(engine, &system, id).await.is_err(), "it has ended");
        taxes::add(engine, &system, &TaxRateForm { ends_on: "2998-12-31".into(), ..rate("IN", "gst", "5") }).await.unwrap();
        let of = TaxPreview {
            from_country: String::new(), from_region: "MH".into(), country: String::new(), region: "MH".into(),
            tax_id: String::new(), tax_category: "standard".into(), price: Money::new(10_500, Currency::INR),
            unsaved: None,
        };
        assert_eq!(said(&taxes::preview(engine, &system, &of).await.unwrap().0), ["CGST 2.50", "SGST 2.50"]);
        // One that is typed takes the place of that which it would replace, and is not saved.
        let typed = |percent| TaxPreview { unsaved: Some(rate("IN", "gst", percent)), ..of.clone() };
        assert_eq!(said(&taxes::preview(engine, &system, &typed("10")).await.unwrap().0), ["CGST 4.77", "SGST 4.77"]);
        assert!(taxes::preview(engine, &system, &typed("a lot")).await.is_err());
        let notes = async |form| {
            let of = TaxPreview { unsaved: Some(form), ..of.clone() };
            taxes::preview(engine, &system, &of).await.unwrap().1
        };
        assert_eq!(notes(rate("IN", "gst", "10")).await, []);
        assert_eq!(notes(rate("IN", "gst", "0")).await, [TaxNote::Zero]);
        let past = TaxRateForm { starts_on: "2020-01-01".into(), ends_on: "2020-12-31".into(), ..rate("IN", "gst", "5") };
        assert_eq!(notes(past).await, [TaxNote::Over]);
        let unknown = TaxRateForm { tax_category: "boks".into(), ..rate("IN", "gst", "5") };
        assert_eq!(notes(unknown).await, [TaxNote::UnknownCategory]);
        assert_eq!(said(&taxes::preview(engine, &system, &of).await.unwrap().0), ["CGST 2.50", "SGST 2.50"]);
        // A rate that is planned ends the present one, which goes on if the plan is dropped.
        let ends = async || {
            let rates = taxes::list(engine, &system).await.unwrap();
            let of = rates.into_iter().find(|card| card.country == "DE" && card.status == TaxRateState::Active);
            of.unwrap().ends_at
        };
        let planned = TaxRateForm { starts_on: "2998-01-01".into(), ..rate("DE", "plain", "21") };
        let planned = taxes::add(engine, &system, &planned).await.unwrap();
        assert!(ends().await.is_some());
        taxes::remove(engine, &system, planned).await.unwrap();
        assert_eq!(ends().await, None);
        taxes::remove(engine, &system, id).await.unwrap();
        assert!(taxes::remove(engine, &system, id).await.is_err());
        for guest in [taxes::list(engine, &Caller::guest()).await.map(drop), taxes::remove(engine, &Caller::guest(), id).await] {
            assert!(guest.is_err());
        }
    }

    async fn who_names_no_country_is_in_the_markets(market) {
        let system = Caller::system();
        let engine = Engine::new(Parts { country: "DE".into(), ..market.parts() }).unwrap();
        taxes::add(&engine, &system, &rate("IN", "gst", "18")).await.unwrap();
        taxes::add(&engine, &system, &rate("DE", "plain", "7")).await.unwrap();
        let bowl = market.product(MEENA, "Bowl", 10_700, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let tax = carts::view(&engine, &guest).await.unwrap().totals.unwrap().tax;
        assert_eq!(tax.amount(), 700);
        let id = checkout::begin(&engine, &guest).await.unwrap();
        assert_eq!(said(&checkout::view(&engine, &guest, id).await.unwrap().quote.taxes), ["VAT 7.00"]);
        assert_eq!(checkout::page(&engine, &guest, id).await.unwrap().checkout.form.country, "DE");
    }

    async fn the_address_decides_and_orders_and_invoices_say_each_tax(market) {
        let (engine, system) = (&market.engine, Caller::system());
        taxes::add(engine, &system, &rate("IN", "gst", "18")).await.unwrap();
        let unknown = TaxSettings { shipping_category: "parcels".into(), ..TaxSettings::default() };
        let refused = taxes::save_settings(engine, &system, &unknown).await.unwrap_err();
        assert_eq!(refused.at("shipping_category"), Some(FieldCode::NotAChoice));
        let settings = TaxSettings { shipping_category: "standard".into(), ..TaxSettings::default() };
        taxes::save_settings(engine, &system, &settings).await.unwrap();
        assert_eq!(taxes::settings(engine, &system).await.unwrap(), settings);
        let owner = market.owner(MEENA).await;
        let mut settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        let shop = &mut settings.form;
        (shop.town, shop.country, shop.region) = ("Pune".into(), "IN".into(), "Maharashtra".into());
        (shop.tax_id, shop.prices_include_tax) = ("29AAGCB7383J1Z5".into(), "no".into());
        let wrong = shops::save_settings(engine, &owner, MEENA, settings.version, shop).await.unwrap_err();
        assert_eq!(wrong.at("tax_id"), Some(FieldCode::NotTaxId), "the check character");
        shop.tax_id = "27AAPFU0939F1ZV".into();
        shops::save_settings(engine, &owner, MEENA, settings.version, shop).await.unwrap();
        let bowl = market.product(MEENA, "Bowl", 10_005, 9).await;
        let list = haat_shared::catalog::ListProducts { shop: MEENA.into(), q: "Bowl".into(), ..Default::default() };
        let slug = catalog::list(engine, &Caller::guest(), list).await.unwrap().items[0].slug.clone();
        assert!(!catalog::product(engine, &Caller::guest(), &slug).await.unwrap().tax_included);
        let guest = market.guest_with(&[(bowl, 3)]).await;
        // 300.15 and 49.00 at 18 %: 54.027 and 8.82.
        let cart = carts::view(engine, &guest).await.unwrap().totals.unwrap();
        assert_eq!((cart.tax.amount(), cart.total.amount()), (6_285, 30_015 + 4_900 + 6_285));
        let id = checkout::begin(engine, &guest).await.unwrap();
        let first = checkout::view(engine, &guest, id).await.unwrap().quote;
        assert_eq!(said(&first.taxes), ["GST 62.85"], "no state is known yet");
        let other = checkout::update(engine, &guest, id, to("KA")).await.unwrap();
        assert_eq!((said(&other.taxes), other.version), (vec!["IGST 62.85".to_owned()], 1));
        // Half of each: 27.0135 and 4.41.
        let same = checkout::update(engine, &guest, id, to("MH")).await.unwrap();
        assert_eq!(said(&same.taxes), ["CGST 31.42", "SGST 31.42"]);
        assert_eq!((same.version, same.totals.total.amount()), (2, 30_015 + 4_900 + 6_284));
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(view.quote, same);

        let typed = CheckoutUpdate { tax_id: "29AAGCB7383J1Z4".into(), ..CheckoutUpdate { payment_method: form("sandbox").payment_method, ..to("MH") } };
        let next = checkout::pay(engine, &guest, id, typed, 2, "k").await.unwrap();
        let NextAction::Redirect { url } = next else { panic!("{next:?}") };
        let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
        market.enter(&gateway_ref, sandbox::Card::WebhookNever).await;
        let payment = sandbox::find(&engine.db, &gateway_ref).await.unwrap().attempt_id;
        let purchase = number_in(&market.come_back(payment).await.unwrap());
        let number = format!("{purchase}-1");
        let order = orders::seller_order(engine, &owner, MEENA, &number).await.unwrap().order.order;
        assert_eq!(order.totals.tax.amount(), order.taxes.iter().map(|line| line.amount.amount()).sum::<i64>());
        assert_eq!(said(&order.taxes), ["CGST 31.42", "SGST 31.42"]);
        let purchase_view = orders::purchase(engine, &Caller::guest(), &purchase, &market.key(&purchase)).await.unwrap();
        assert_eq!(purchase_view.taxes, order.taxes);

        // The invoice and its credit notes say the same; the parts of each tax add up to it.
        orders::confirm(engine, &owner, MEENA, &number).await.unwrap();
        orders::ship(engine, &owner, MEENA, &number, parcel()).await.unwrap();
        market.settle().await;
        for shipping in [false, false, true] {
            let lines = vec![LineQuantity { position: order.lines[0].position, quantity: 1 }];
            let refund = NewRefund { lines, shipping, restock: false, reason: "Chipped".into(), amount: None };
            orders::refund(engine, &owner, MEENA, &number, refund).await.unwrap();
            market.settle().await;
        }
        let issued = issued(market, &number).await;
        let sums = |invoice: &Invoice| -> Vec<(String, i64, i64)> {
            let sums = invoice.taxes().unwrap().into_iter();
            sums.map(|sum| (sum.name, sum.net.amount(), sum.tax.amount())).collect()
        };
        let invoice = sums(&issued[0].1);
        let expected = [("CGST", 34_915, 3_142), ("SGST", 34_915, 3_142)];
        assert_eq!(invoice, expected.map(|(name, net, tax)| (name.to_owned(), net, tax)));
        let mut credited = vec![("CGST".to_owned(), 0, 0), ("SGST".to_owned(), 0, 0)];
        for (sum, part) in issued[1..].iter().flat_map(|(_, note)| sums(note)).map(|part| (usize::from(part.0 == "SGST"), part)) {
            credited[sum].1 += part.1;
            credited[sum].2 += part.2;
        }
        assert_eq!(issued[0].1.buyer_tax_id, "29AAGCB7383J1Z4");
        assert_eq!(issued.len(), 4);
        assert_eq!(credited, invoice);
    }

    async fn a_business_of_another_country_pays_no_tax(market) {
        let (engine, system) = (&market.engine, Caller::system());
        taxes::add(engine, &system, &rate("FR", "plain", "20")).await.unwrap();
        let owner = market.owner(MEENA).await;
        let mut settings = shops::settings(engine, &owner, MEENA).await.unwrap();
        (settings.form.town, settings.form.country) = ("Berlin".into(), "DE".into());
        shops::save_settings(engine, &owner, MEENA, settings.version, &settings.form).await.unwrap();
        let bowl = market.product(MEENA, "Bowl", 12_000, 9).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let id = checkout::begin(engine, &guest).await.unwrap();
        let paris = CheckoutUpdate {
            country: "FR".into(), region: String::new(), city: "Paris".into(), postal_code: "75001".into(), ..form("sandbox")
        };
        let taxed = checkout::update(engine, &guest, id, paris.clone()).await.unwrap();
        assert_eq!((said(&taxed.taxes), taxed.totals.total.amount()), (vec!["VAT 20.00".to_owned()], 12_000 + 4_900));
        let business = CheckoutUpdate { tax_id: "FR 40 303265045".into(), ..paris };
        let exempt = checkout::update(engine, &guest, id, business.clone()).await.unwrap();
        let totals = exempt.totals;
        assert_eq!((totals.discount.amount(), totals.tax.amount(), totals.total.amount()), (2_000, 0, 10_000 + 4_900));
        let wrong = CheckoutUpdate { tax_id: "FR1".into(), ..business.clone() };
        let refused = checkout::pay(engine, &guest, id, wrong, exempt.version, "w").await.unwrap_err();
        assert_eq!(refused.at("tax_id"), Some(FieldCode::NotTaxId));
        let checkout = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(checkout.form.country, "FR");
    }
}
