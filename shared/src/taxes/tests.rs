//! Which taxes apply, by tables.

use super::*;
use crate::money::Currency;

fn place(text: &str) -> Place {
    let (country, region) = text.split_once('-').unwrap_or((text, ""));
    Place { country: country.into(), region: region.into() }
}

/// `IN- standard GST gst 18`.
fn rate(text: &str) -> TaxRate {
    let words: Vec<&str> = text.split(' ').collect();
    let Place { country, region } = place(words[0]);
    TaxRate {
        country,
        region,
        tax_category: words[1].into(),
        name: words[2].into(),
        kind: TaxKind::parse(words[3]).unwrap(),
        rate_ppm: ppm("percent", words[4]).unwrap(),
        starts_at: 0,
        ends_at: None,
    }
}

fn table(settings: TaxSettings) -> TaxTable {
    let rates = [
        "IN standard GST gst 18",
        "IN food GST gst 5",
        "IN books GST gst 0",
        "DE standard VAT plain 19",
        "DE food VAT plain 7",
        "FR standard VAT plain 20",
        "PT standard VAT plain 23",
        "PT-30 standard VAT plain 22",
        "CA standard GST plain 5",
        "CA-QC standard QST on_top 9.975",
        "CA-ON standard HST plain 13",
    ];
    TaxTable::new(settings, rates.map(rate).into())
}

/// `CGST 9 9.00, SGST 9 9.00`: the taxes on 100 of the currency.
fn found(table: &TaxTable, sale: &Sale, category: &str) -> String {
    let lines = table.on(sale, category).lines(Money::new(10_000, Currency::INR)).unwrap();
    let line = |line: &TaxLine| format!("{} {} {}", line.name, percent(line.rate_ppm), line.amount.plain());
    lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

#[test]
fn rates_are_those_of_the_place_and_the_category() {
    let added = TaxSettings { prices_include_tax: false, ..TaxSettings::default() };
    let table = table(added);
    let cases = [
        // In a state, between states, and before the state is known.
        ("IN-MH", "IN-MH", "standard", "CGST 9 9.00, SGST 9 9.00"),
        ("IN-MH", "IN-KA", "standard", "IGST 18 18.00"),
        ("IN-MH", "IN", "standard", "GST 18 18.00"),
        ("IN", "IN-MH", "standard", "GST 18 18.00"),
        ("IN-MH", "IN-MH", "food", "CGST 2.5 2.50, SGST 2.5 2.50"),
        ("IN-CH", "IN-CH", "standard", "CGST 9 9.00, UTGST 9 9.00"),
        ("IN-DL", "IN-DL", "standard", "CGST 9 9.00, SGST 9 9.00"),
        ("DE", "IN-MH", "standard", "IGST 18 18.00"),
        ("IN-MH", "IN-KA", "books", "IGST 0 0.00"),
        // Categories without a rate are taxed like `standard`; countries without rates are not.
        ("IN-MH", "IN-KA", "toys", "IGST 18 18.00"),
        ("IN-MH", "IN-KA", "", "IGST 18 18.00"),
        ("IN-MH", "DE", "food", "VAT 7 7.00"),
        ("IN-MH", "FR", "food", "VAT 20 20.00"),
        ("IN-MH", "US-CA", "standard", ""),
        // A region's rate replaces its country's, or comes on top.
        ("PT", "PT", "standard", "VAT 23 23.00"),
        ("PT", "PT-30", "standard", "VAT 22 22.00"),
        ("CA-ON", "CA-AB", "standard", "GST 5 5.00"),
        ("CA-ON", "CA-QC", "standard", "GST 5 5.00, QST 9.975 9.98"),
        ("CA-QC", "CA-ON", "standard", "HST 13 13.00"),
    ];
    for (from, to, category, expected) in cases {
        let (seller, buyer) = (place(from), place(to));
        let sale = Sale { seller: &seller, included: None, buyer: &buyer, tax_id: "", at: 1 };
        assert_eq!(found(&table, &sale, category), expected, "{from} to {to}: {category}");
    }
}

/// A line never says a rate at which its tax isn't calculated.
#[test]
fn taxes_of_one_name_are_one_with_the_rate_of_both() {
    let added = TaxSettings { prices_include_tax: false, ..TaxSettings::default() };
    let (seller, buyer) = (place("CA"), place("CA-QC"));
    let sale = Sale { seller: &seller, included: None, buyer: &buyer, tax_id: "", at: 0 };
    for (on_top, said) in [
        ("CA-QC standard GST on_top 5", "GST 10 10.00"),
        ("CA-QC standard GST on_top 9.975", "GST 14.975 14.98"),
        ("CA-QC standard gst on_top 5", "GST 5 5.00, gst 5 5.00"),
    ] {
        let table = TaxTable::new(added.clone(), ["CA standard GST plain 5", on_top].map(rate).into());
        assert_eq!(found(&table, &sale, "standard"), said);
        let of = |category| table.on(&sale, category).lines(Money::new(10_000, Currency::INR)).unwrap();
        let sum = sums([of("standard"), of("toys")].concat()).unwrap();
        assert_eq!(sum.len(), said.split(", ").count());
        for line in sum {
            assert!((line.amount.amount() - 20_000 * line.rate_ppm / 1_000_000).abs() <= 1, "{line:?}");
        }
    }
}

#[test]
fn rates_have_their_days() {
    let old = TaxRate { ends_at: Some(100), ..rate("DE standard VAT plain 19") };
    let new = TaxRate { starts_at: 100, ..rate("DE standard VAT plain 16") };
    let table =
        TaxTable::new(TaxSettings { prices_include_tax: false, ..TaxSettings::default() }, vec![new, old]);
    let de = place("DE");
    for (at, expected) in [(0, "VAT 19 19.00"), (99, "VAT 19 19.00"), (100, "VAT 16 16.00")] {
        let sale = Sale { seller: &de, included: None, buyer: &de, tax_id: "", at };
        assert_eq!(found(&table, &sale, STANDARD), expected, "{at}");
    }
}

#[test]
fn settings_say_where_and_whether_shipping_is_taxed() {
    let origin = TaxSettings {
        based_on: TaxBasis::Origin,
        shipping_category: "food".into(),
        ..TaxSettings::default()
    };
    let table = table(origin);
    let (seller, buyer) = (place("DE"), place("FR"));
    let sale = Sale { seller: &seller, included: Some(false), buyer: &buyer, tax_id: "", at: 1 };
    assert_eq!(found(&table, &sale, STANDARD), "VAT 19 19.00");
    assert_eq!(table.on_shipping(&sale).rule, TaxRule::added(70_000));
    assert_eq!(table.on_shipping(&Sale { included: None, ..sale }).rule, TaxRule::included(70_000));
    let untaxed = TaxTable::new(TaxSettings::default(), vec![rate("FR standard VAT plain 20")]);
    assert_eq!(untaxed.on_shipping(&sale).rule, TaxRule::added(0));
}

#[test]
fn businesses_of_another_country_of_the_eu_are_exempt() {
    let table = table(TaxSettings::default());
    let exempt = |from: &str, to: &str, tax_id: &str| {
        let (seller, buyer) = (place(from), place(to));
        let sale = Sale { seller: &seller, included: None, buyer: &buyer, tax_id, at: 1 };
        table.on(&sale, STANDARD).rule.exempt
    };
    assert!(exempt("DE", "FR", "FR40303265045"));
    assert!(exempt("DE", "FR", "BE0403170701"), "a business of a third country");
    assert!(!exempt("DE", "FR", ""));
    assert!(!exempt("DE", "FR", "DE136695976"), "the seller's own country");
    assert!(!exempt("FR", "FR", "DE136695976"));
    assert!(!exempt("IN-MH", "FR", "FR40303265045"), "an import");
    assert!(!exempt("IN-MH", "IN-MH", "27AAPFU0939F1ZV"));
    let (seller, buyer) = (place("DE"), place("FR"));
    let sale = Sale { seller: &seller, included: None, buyer: &buyer, tax_id: "FR40303265045", at: 1 };
    assert_eq!(found(&table, &sale, STANDARD), format!("{EXEMPTION} 0 0.00"));
}

#[test]
fn tax_ids_have_their_form() {
    let good = [
        "27AAPFU0939F1ZV",
        "29AAGCB7383J1Z4",
        "27 aapfu 0939 f1zv",
        "DE136695976",
        "ATU12345678",
        "BE 0403.170.701",
        "FR40303265045",
        "EL123456789",
        "NL123456789B01",
        "ESX1234567X",
        "IE1234567FA",
        "SE123456789001",
        "",
    ];
    for id in good {
        assert!(tax_id("tax_id", id).is_ok(), "{id}");
    }
    let bad = [
        "27AAPFU0939F1ZW",
        "72AAPFU0939F1ZV",
        "39AAPFU0939F1ZV",
        "27AAPFU0939F1Z",
        "DE12345678",
        "GR123456789",
        "US123456789",
        "NL123456789A01",
        "ESX1234567",
        "ATX12345678",
        "GB123456789",
        "hello",
        "DE13669597६",
    ];
    for id in bad {
        assert_eq!(tax_id("tax_id", id).map_err(|fault| fault.code), Err(FieldCode::NotTaxId), "{id}");
    }
    assert_eq!(shop_tax_id("tax_id", "IN", "27aapfu0939f1zv"), Ok("27AAPFU0939F1ZV".into()));
    assert!(shop_tax_id("tax_id", "IN", "DE136695976").is_err());
    assert!(shop_tax_id("tax_id", "GR", "EL123456789").is_ok());
    assert!(shop_tax_id("tax_id", "US", "12-3456789").is_ok());
}

#[test]
fn rates_are_checked_where_they_are_typed() {
    let good = TaxRateForm {
        country: "IN".into(),
        tax_category: "standard".into(),
        name: "GST".into(),
        kind: "gst".into(),
        percent: "18%".into(),
        ..TaxRateForm::default()
    };
    let draft = good.check().unwrap();
    assert_eq!((draft.rate_ppm, draft.kind, draft.region.as_str()), (180_000, TaxKind::Gst, ""));
    let change = |change: fn(&mut TaxRateForm)| {
        let mut form = good.clone();
        change(&mut form);
        form.check()
            .map(drop)
            .map_err(|faults| faults.into_iter().map(|fault| fault.field).collect::<Vec<_>>())
    };
    let wrong = |field: &str| Err(vec![field.to_owned()]);
    assert_eq!(change(|form| form.percent = "50.0001".into()), wrong("percent"));
    assert_eq!(change(|form| form.percent = String::new()), wrong("percent"));
    assert_eq!(change(|form| form.percent = "-1".into()), wrong("percent"));
    assert_eq!(change(|form| form.percent = "9.97512".into()), wrong("percent"));
    assert_eq!(change(|form| form.country = "ZZ".into()), Err(vec!["country".into(), "kind".into()]));
    assert_eq!(change(|form| form.region = "Maharashtra".into()), wrong("kind"));
    assert_eq!(
        change(|form| (form.region, form.kind) = ("Atlantis".into(), "plain".into())),
        wrong("region")
    );
    assert_eq!(change(|form| form.kind = "on_top".into()), wrong("kind"));
    assert_eq!(change(|form| form.tax_category = "Not a slug".into()), wrong("tax_category"));
    assert_eq!(change(|form| form.starts_on = "2026-02-30".into()), wrong("starts_on"));
    let days =
        |form: &mut TaxRateForm| (form.starts_on, form.ends_on) = ("2026-02-02".into(), "2026-02-01".into());
    assert_eq!(change(days), wrong("ends_on"));
    assert_eq!(
        change(
            |form| (form.country, form.kind, form.region) = ("CA".into(), "on_top".into(), "Quebec".into())
        ),
        Ok(())
    );
}

#[test]
fn sums_are_by_name_and_rate() {
    let line = |name: &str, rate_ppm, amount| TaxLine {
        name: name.into(),
        rate_ppm,
        amount: Money::new(amount, Currency::INR),
        included: true,
    };
    let all = vec![
        line("SGST", 90_000, 5),
        line("CGST", 90_000, 5),
        line("CGST", 90_000, 7),
        line("CGST", 25_000, 1),
    ];
    let expected = vec![line("CGST", 90_000, 12), line("SGST", 90_000, 5), line("CGST", 25_000, 1)];
    assert_eq!(sums(all), Ok(expected));
}
