//! Product imports and exports.

use std::io::{self, Read};

use haat_engine::{
    Caller,
    catalog::{self, imports},
    checkout,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money, Result,
    catalog::{
        ListProducts,
        edit::{ListSellerProducts, ProductState, SellerProduct},
        imports::{
            ExportFormat, Format, ImportOptions, ImportState, ImportView, NumberQuestion, NumberReading,
            RowError,
        },
    },
    id::kinds::ImportId,
    number::DecimalMark,
    page::PageRequest,
};

use crate::{both, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const EXAMPLE: &str = include_str!("../../../../docs/products.example.csv");

pub fn options(set_stock: bool) -> ImportOptions {
    ImportOptions { file_name: "products.csv".into(), format: None, decimal_mark: None, set_stock }
}

async fn stage(market: &Market, owner: &Caller, file: impl Read) -> Result<ImportId> {
    imports::stage(&market.engine, owner, MEENA, options(false), file, |_| {}).await
}

/// The price of each SKU in the shop, without the seeded ones.
async fn prices(market: &Market, owner: &Caller) -> Vec<(String, String)> {
    let table = exported(market, owner, ExportFormat::Csv).await;
    let rows = csv_rows(&table);
    let at = |name: &str| rows[0].iter().position(|column| column == name).unwrap();
    let (sku, price) = (at("sku"), at("price"));
    rows[1..].iter().map(|row| (row[sku].clone(), row[price].clone())).collect()
}

async fn view(market: &Market, owner: &Caller, id: ImportId) -> ImportView {
    imports::view(&market.engine, owner, MEENA, id).await.unwrap()
}

async fn finish(market: &Market) {
    while imports::work(&market.engine).await.unwrap() > 0 {}
}

/// Reads the file and imports its valid products.
async fn bring(market: &Market, owner: &Caller, file: &str, set_stock: bool) -> ImportView {
    let staged = imports::stage(&market.engine, owner, MEENA, options(set_stock), file.as_bytes(), |_| {});
    let id = staged.await.unwrap();
    imports::start(&market.engine, owner, MEENA, id, true, None).await.unwrap();
    finish(market).await;
    view(market, owner, id).await
}

fn became(view: &ImportView) -> [i64; 4] {
    [view.added, view.updated, view.unchanged, view.refused]
}

async fn find(market: &Market, owner: &Caller, title: &str) -> SellerProduct {
    let ask = ListSellerProducts { q: title.into(), ..ListSellerProducts::default() };
    let page = catalog::seller_list(&market.engine, owner, MEENA, ask).await.unwrap();
    assert_eq!(page.items.len(), 1, "{title}");
    catalog::seller_product(&market.engine, owner, MEENA, page.items[0].id).await.unwrap()
}

async fn exported(market: &Market, owner: &Caller, format: ExportFormat) -> String {
    exported_of(market, owner, format, &ListSellerProducts::default()).await
}

async fn exported_of(
    market: &Market,
    owner: &Caller,
    format: ExportFormat,
    of: &ListSellerProducts,
) -> String {
    let (mut text, mut after) = (Vec::new(), None);
    loop {
        let part = imports::export(&market.engine, owner, MEENA, format, of, after).await.unwrap();
        text.extend(part.text);
        after = part.next;
        if after.is_none() {
            return String::from_utf8(text).unwrap();
        }
    }
}

async fn tableware(market: &Market) {
    let tree = vec![catalog::NewCategory {
        slug: "tableware".into(),
        name: "Tableware".into(),
        parent: None,
        tax_category: "t1200".into(),
        ..Default::default()
    }];
    catalog::put_categories(&market.engine, &Caller::system(), tree).await.unwrap();
}

async fn faults(market: &Market, owner: &Caller, id: ImportId) -> Vec<(i64, String, FieldCode, String)> {
    let faults = imports::faults(&market.engine, owner, MEENA, id, "").await.unwrap().items;
    faults.into_iter().map(|RowError { line, column, code, found }| (line, column, code, found)).collect()
}

/// A file that is truncated in the middle.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionAborted.into()),
            n => Ok(n),
        }
    }
}

pub fn many(range: std::ops::Range<usize>) -> String {
    let lines = range.map(|i| format!("S-{i},Bowl {i},{}.50,7,published\n", 100 + i));
    "sku,title,price,stock,state\n".to_owned() + &lines.collect::<String>()
}

both! {
    async fn the_example_is_imported_and_exported(market) {
        tableware(market).await;
        let owner = market.owner(MEENA).await;
        let id = stage(market, &owner, EXAMPLE.as_bytes()).await.unwrap();
        let read = view(market, &owner, id).await;
        assert_eq!((read.state, read.format), (ImportState::Checked, Format::Csv));
        assert_eq!((read.valid, read.new, read.changed, read.invalid, read.faults), (3, 3, 0, 0, 0));
        assert_eq!(imports::work(&market.engine).await, Ok(0), "nothing is imported before it is started");
        imports::start(&market.engine, &owner, MEENA, id, false, None).await.unwrap();
        finish(market).await;
        let done = view(market, &owner, id).await;
        assert_eq!((done.state, became(&done)), (ImportState::Done, [3, 0, 0, 0]));

        let cup = find(market, &owner, "clay cup").await;
        assert_eq!((cup.state, cup.form.category.as_str()), (ProductState::Published, "tableware"));
        assert_eq!(cup.form.description, "Thrown by hand in Jaipur.\n\nGood for tea.");
        assert_eq!((cup.form.attributes.len(), cup.form.options.as_slice()), (2, &["Colour".to_owned()][..]));
        let [blue, red] = &cup.form.variants[..] else { panic!("{:?}", cup.form) };
        assert_eq!((blue.sku.as_str(), blue.options[0].as_str(), blue.stock.as_str()), ("CUP-B", "Blue", "12"));
        assert_eq!((blue.price.as_str(), blue.compare_at.as_str(), red.compare_at.as_str()), ("450.00", "520.00", ""));
        let bell = find(market, &owner, "bell").await;
        assert_eq!((bell.form.title.as_str(), bell.state), ("+1 bell", ProductState::Draft));
        let shown = catalog::product(&market.engine, &Caller::guest(), &cup.slug).await.unwrap();
        assert_eq!((shown.variants[1].title.as_str(), shown.attributes[0].value.as_str()), ("Red", "Clay"));

        // Importing it again, or an export, changes nothing; in another shop it creates the same products.
        let again = bring(market, &owner, EXAMPLE, true).await;
        assert_eq!(became(&again), [0, 0, 3, 0]);
        let (csv, json) = (exported(market, &owner, ExportFormat::Csv).await, exported(market, &owner, ExportFormat::Json).await);
        assert!(csv.contains("'+1 bell"), "{csv}");
        let xml = exported(market, &owner, ExportFormat::Xml).await;
        assert_eq!((xml.matches("<product>").count(), xml.matches("<variant>").count()), (3, 4), "{xml}");
        assert!(xml.contains("<title>+1 bell</title>") && xml.ends_with("</product>\n</products>\n"), "{xml}");
        for file in [&csv, &json] {
            assert_eq!(became(&bring(market, &owner, file, true).await), [0, 0, 3, 0]);
        }
        assert_eq!(find(market, &owner, "clay cup").await, cup);
    }

    async fn an_export_has_the_products_that_the_list_shows(market) {
        let owner = market.owner(MEENA).await;
        let file = many(0..403).replace(",107.50,7,", ",107.50,0,").replace(",109.50,7,published", ",109.50,7,draft");
        bring(market, &owner, &file, true).await;
        for (q, state, low, count) in [
            ("", "", false, 403),
            ("", "published", false, 402),
            ("", "draft", false, 1),
            ("", "", true, 1),
            ("", "draft", true, 0),
            ("bowl 40", "", false, 7),
            ("bowl 40", "draft", false, 0),
        ] {
            let of = ListSellerProducts { q: q.into(), state: state.into(), low, ..ListSellerProducts::default() };
            let json = exported_of(market, &owner, ExportFormat::Json, &of).await;
            let skus: std::collections::BTreeSet<_> = json.split("\"sku\":\"").skip(1).collect();
            assert_eq!((json.lines().count(), skus.len()), (count, count), "{of:?}");
            let csv = exported_of(market, &owner, ExportFormat::Csv, &of).await;
            assert_eq!(csv.lines().count(), count + 1, "{of:?}");
        }
        let lost = ListSellerProducts { state: "lost".into(), ..ListSellerProducts::default() };
        let refused = imports::export(&market.engine, &owner, MEENA, ExportFormat::Csv, &lost, None).await;
        assert_eq!(refused.err().and_then(|error| error.at("state")), Some(FieldCode::NotAChoice));
    }

    async fn a_file_may_contain_some_variants_and_columns_only(market) {
        tableware(market).await;
        let owner = market.owner(MEENA).await;
        bring(market, &owner, EXAMPLE, false).await;
        let cup = find(market, &owner, "clay cup").await;
        let red = cup.form.variants[1].id.unwrap();
        market.buy_in_cash(&market.guest_with(&[(red, 3)]).await).await.unwrap();
        // Prices and stock of two variants of one product, on a line each.
        let prices = "SKU;Price;Stock\nCUP-R;475;20\nCUP-B;480;20\n";
        let done = bring(market, &owner, prices, false).await;
        assert_eq!((done.faults, done.valid), (0, 2));
        let now = find(market, &owner, "clay cup").await;
        assert_eq!((now.version, now.form.title.as_str()), (cup.version + 1, "Clay cup"));
        assert_eq!(now.form.variants.iter().map(|v| v.price.as_str()).collect::<Vec<_>>(), ["480.00", "475.00"]);
        assert_eq!(market.available(red).await, 5, "stock is unchanged, including what was sold");
        bring(market, &owner, prices, true).await;
        assert_eq!(market.available(red).await, 20);
        // Not below the quantity that is held.
        checkout::begin(&market.engine, &market.guest_with(&[(red, 4)]).await).await.unwrap();
        let few = bring(market, &owner, "sku,stock\nCUP-B,1\nCUP-R,3\n", true).await;
        assert_eq!(faults(market, &owner, few.id).await, [(3, "stock".into(), FieldCode::TooSmall, "3".into())]);
        // An additional variant; a seller who has the product open gets a conflict.
        let more = "product,sku,option1_name,option1_value,price,stock\ncup,CUP-R,Colour,Red,475,0\ncup,CUP-G,,Green,500,4\n";
        assert_eq!(became(&bring(market, &owner, more, false).await), [0, 1, 0, 0]);
        let grown = find(market, &owner, "clay cup").await;
        assert_eq!(grown.form.variants.len(), 3);
        let late = catalog::update(&market.engine, &owner, MEENA, cup.id, cup.version, &cup.form, "k").await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        let off = bring(market, &owner, "sku,state,category\nCUP-G,archived,\n", false).await;
        assert_eq!(became(&off), [0, 1, 0, 0]);
        let off = find(market, &owner, "clay cup").await;
        assert_eq!((off.state, off.form.category.as_str()), (ProductState::Archived, ""));
    }

    async fn errors_are_reported_line_by_line(market) {
        use FieldCode::*;
        tableware(market).await;
        let owner = market.owner(MEENA).await;
        bring(market, &owner, EXAMPLE, false).await;
        let mut file = b"product,sku,title,category,price,stock,details,option1_name,option1_value,colour\n".to_vec();
        let lines: [(&[u8], &[(&str, FieldCode, &str)]); 23] = [
            (b",A1,Fine,tableware,10,1,,,,", &[]),
            (b",A2,Wrong type,,ten,1,,,,", &[("price", NotMoney, "ten")]),
            (b",A3,Wrong type,,10,many,,,,", &[("stock", NotNumber, "many")]),
            (b",A4,Unknown category,nowhere,10,1,,,,", &[("category", NotAChoice, "nowhere")]),
            (b",A1,Twice in the file,,10,1,,,,", &[("sku", NotUnique, "A1")]),
            (b",A5,Bad \xff encoding,,10,1,,,,", &[("title", NotUtf8, "Bad \u{fffd} encoding")]),
            (b",A6,=1+1,,10,1,,,,", &[("title", Formula, "=1+1")]),
            (b",A7,Formula,,=A1,1,,,,", &[("price", NotMoney, "=A1")]),
            (b",@A8(),Formula,,10,1,,,,", &[("sku", Formula, "@A8()")]),
            (b",A9,Less than nothing,,-10,1,,,,", &[("price", TooSmall, "-10")]),
            (b",A10,Too many decimals,,10.555,1,,,,", &[("price", TooManyDecimals, "10.555")]),
            (b",A11,Short,,10", &[("", CellCount, "| A11 | Short |  | 10")]),
            (b",,No SKU,,10,1,,,,", &[("sku", Missing, "")]),
            (b",A12,,,10,1,,,,", &[("title", Missing, "")]),
            (b",A13,No price,,,1,,,,", &[("price", Missing, "")]),
            (b"p,A14,Two,,10,1,,Size,S,", &[]),
            (b"p,A15,Other,,10,1,,,L,", &[("title", Differs, "Other")]),
            (b"p,A16,,,10,1,,,S,", &[("option1_value", NotUnique, "S")]),
            (b",A17,Detail,,10,1,no colon,,,", &[("specifications", NotARecord, "no colon")]),
            (b"p,A18,Again,,10,1,,,,", &[("product", NotUnique, "p")]),
            (b"q,CUP-B,Cup,,10,1,,Colour,Blue,", &[]),
            (b"q,JUG-1,,,10,1,,,Jug,", &[("sku", OfAnother, "JUG-1")]),
            (b"\"\",A19,\"Over\nlines\",,10,1,,,,", &[("title", BadCharacters, "Over\nlines")]),
        ];
        let mut expected = vec![(1, "colour".to_owned(), UnknownColumn, String::new())];
        let mut number = 2;
        for (line, faults) in lines {
            file.extend(line);
            file.extend(b"\r\n");
            for (column, code, found) in faults {
                expected.push((number, (*column).to_owned(), *code, (*found).to_owned()));
            }
            number += line.iter().filter(|b| **b == b'\n').count() as i64 + 1;
        }
        // The product of A14 to A16 already has an error, so its duplicate variants are only reported later.
        expected.retain(|(_, column, code, _)| (column.as_str(), *code) != ("option1_value", NotUnique));
        let id = stage(market, &owner, file.as_slice()).await.unwrap();
        let read = view(market, &owner, id).await;
        assert_eq!((read.state, read.valid, read.invalid, read.faults), (ImportState::Checked, 1, 19, expected.len() as i64));
        let mut listed = Vec::new();
        let say = |fault: &RowError| format!("{:?}", fault.code);
        imports::faults_as_table(&market.engine, &owner, MEENA, id, ["a", "b", "c", "d", "e"], say, |part| {
            listed.extend(part);
            true
        })
        .await
        .unwrap();
        let listed = String::from_utf8(listed).unwrap();
        let mut rows = csv_rows(&listed);
        assert_eq!(rows.remove(0), ["a", "b", "c", "d", "e"]);
        let rows: Vec<_> = rows.iter().map(|r| (r[0].parse().unwrap(), r[1].clone(), r[4].clone(), r[3].trim_start_matches('\'').to_owned())).collect();
        let expected: Vec<_> = expected.into_iter().map(|(line, column, code, found)| (line, column, format!("{code:?}"), found)).collect();
        assert_eq!(rows, expected);
        assert!(listed.contains("'=1+1") && !listed.contains(",=1+1"), "the error report contains no formulas either");

        // The valid products are imported only on request.
        let refused = imports::start(&market.engine, &owner, MEENA, id, false, None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        assert_eq!(imports::work(&market.engine).await, Ok(0));
        for _ in 0..2 {
            imports::start(&market.engine, &owner, MEENA, id, true, None).await.unwrap();
        }
        finish(market).await;
        assert_eq!(became(&view(market, &owner, id).await), [1, 0, 0, 0]);
        assert_eq!(find(market, &owner, "fine").await.form.variants[0].sku, "A1");
    }

    async fn an_open_quotation_mark_swallows_nothing_in_silence(market) {
        use FieldCode::*;
        let owner = market.owner(MEENA).await;
        let file = include_str!("tables/unclosed-quote.csv");
        for delimiter in [",", ";", "\t"] {
            let id = stage(market, &owner, file.replace(',', delimiter).as_bytes()).await.unwrap();
            let read = view(market, &owner, id).await;
            assert_eq!((read.valid, read.invalid, read.unread), (1, 0, 4), "{delimiter:?}");
            let listed: Vec<_> = faults(market, &owner, id).await.into_iter().map(|(line, _, code, _)| (line, code)).collect();
            assert_eq!(listed, [(3, BadQuotes), (4, BadQuotes), (5, NotRead)], "{delimiter:?}");
            assert!(imports::start(&market.engine, &owner, MEENA, id, false, None).await.is_err());
        }
    }

    async fn an_ambiguous_number_is_asked_about_once(market) {
        let owner = market.owner(MEENA).await;
        let file = "sku;title;price;stock\nE-1;Bowl;12,500;4\nE-2;Jug;2.500;1\nE-3;Goblet;12,50;1.000\nE-4;Pot;12,50;1\n";
        let id = stage(market, &owner, file.as_bytes()).await.unwrap();
        let read = view(market, &owner, id).await;
        assert_eq!((read.valid, read.new, read.faults, read.decimal_mark), (4, 4, 0, None));
        let question = NumberQuestion {
            line: 2,
            column: "price".into(),
            found: "12,500".into(),
            point: NumberReading::Price(Money::new(1_250_000, Currency::INR)),
            comma: NumberReading::Price(Money::new(1_250, Currency::INR)),
            likely: DecimalMark::Comma,
        };
        assert_eq!(read.question, Some(question));
        let shown: Vec<_> = read.prices.iter().map(|p| (p.sku.as_str(), p.price.to_string())).collect();
        assert_eq!(shown, [("E-4", "INR 12.50".to_owned())], "unambiguous prices are shown");
        let unanswered = imports::start(&market.engine, &owner, MEENA, id, true, None).await;
        assert_eq!(unanswered, Err(Error::field("decimal_mark", FieldCode::Missing)));
        assert_eq!(imports::work(&market.engine).await, Ok(0));
        let (point, comma) = (Some(DecimalMark::Point), Some(DecimalMark::Comma));
        imports::start(&market.engine, &owner, MEENA, id, true, comma).await.unwrap();
        finish(market).await;
        assert_eq!(became(&view(market, &owner, id).await), [4, 0, 0, 0]);
        let all = prices(market, &owner).await;
        let of = |all: &[(String, String)], sku: &str| all.iter().find(|(s, _)| s == sku).unwrap().1.clone();
        assert_eq!(["E-1", "E-2", "E-3"].map(|sku| of(&all, sku)), ["12.50", "2500.00", "12.50"]);
        assert_eq!(find(market, &owner, "goblet").await.form.variants[0].stock, "1000");

        // If the separator is given with the file, there is no question.
        let said = ImportOptions { decimal_mark: point, ..options(true) };
        let id = imports::stage(&market.engine, &owner, MEENA, said, file.as_bytes(), |_| {}).await.unwrap();
        let read = view(market, &owner, id).await;
        assert_eq!((read.question, read.decimal_mark), (None, point));
        assert!(read.prices.iter().any(|p| p.sku == "E-1" && p.price.to_string() == "INR 12500.00"), "{:?}", read.prices);
        imports::start(&market.engine, &owner, MEENA, id, false, None).await.unwrap();
        finish(market).await;
        let all = prices(market, &owner).await;
        assert_eq!(["E-1", "E-2", "E-3"].map(|sku| of(&all, sku)), ["12500.00", "2.50", "12.50"]);
        assert_eq!(find(market, &owner, "goblet").await.form.variants[0].stock, "1");

        // If only one reading is valid, there is no question.
        let only = "sku,title,price,compare_at\nF-1,Bowl,\"12,50\",\"1,300\"\nF-2,Jug,\"1,249\",\"0,750\"\nF-3,Pot,cheap,\"1,000\"\n";
        let id = stage(market, &owner, only.as_bytes()).await.unwrap();
        let listed: Vec<_> = faults(market, &owner, id).await.into_iter().map(|(line, column, code, _)| (line, column, code)).collect();
        assert_eq!(listed, [(3, "compare_at".to_owned(), FieldCode::TooSmall), (4, "price".to_owned(), FieldCode::NotMoney)]);
        let question = view(market, &owner, id).await.question.unwrap();
        assert_eq!((question.line, question.column.as_str()), (2, "compare_at"));
        assert_eq!(question.likely, DecimalMark::Comma, "as in 12,50 of the same file");

        // A decimal comma anywhere in the file makes otherwise unambiguous thousands ambiguous.
        for file in ["sku,title,price\nG-1,Cup,\"1,249\"\nG-2,Mug,\"12,50\"\n", "sku,title,price\nG-1,Cup,\"1,249\"\n"] {
            let id = stage(market, &owner, file.as_bytes()).await.unwrap();
            let question = view(market, &owner, id).await.question;
            let asked = question.map(|q| (q.line, q.found, q.point, q.comma));
            let thousands = NumberReading::Price(Money::new(124_900, Currency::INR));
            let neither = NumberReading::Other("–".into());
            let expected = file.contains("12,50").then(|| (2, "1,249".to_owned(), thousands, neither));
            assert_eq!(asked, expected, "{file}");
        }
    }

    async fn what_a_warning_is_about_comes_in_once_it_is_accepted(market) {
        let owner = market.owner(MEENA).await;
        let file = "sku,title,price,stock\nW-1,Salt &amp; pepper,10,1\nW-2,Cup,10,1,\nW-3,Jug,१२५,१२\n\
            W-4,\"Pot\n\",10,1\nW-5,Bowl &quot;big&quot;,\"20\",1\n";
        let id = stage(market, &owner, file.as_bytes()).await.unwrap();
        let listed = faults(market, &owner, id).await;
        let listed: Vec<_> = listed.iter().map(|(line, column, code, _)| (*line, column.as_str(), *code)).collect();
        assert_eq!(listed, [(2, "title", FieldCode::HtmlDecoded)]);
        assert_eq!(view(market, &owner, id).await.valid, 5);
        let start = async |skip| imports::start(&market.engine, &owner, MEENA, id, skip, None).await;
        assert_eq!(start(false).await.unwrap_err().at("skip_errors"), Some(FieldCode::Missing));
        start(true).await.unwrap();
        finish(market).await;
        assert_eq!(became(&view(market, &owner, id).await), [5, 0, 0, 0]);
        let salt = find(market, &owner, "salt").await;
        assert_eq!(salt.form.title, "Salt & pepper");
        let jug = &find(market, &owner, "jug").await.form.variants[0];
        assert_eq!((jug.price.as_str(), jug.stock.as_str()), ("125.00", "12"));
        // What is exported is the same when it is imported again.
        let mut form = salt.form.clone();
        form.title = "Salt &amp; pepper".into();
        catalog::update(&market.engine, &owner, MEENA, salt.id, salt.version, &form, "k").await.unwrap();
        let table = exported(market, &owner, ExportFormat::Csv).await;
        assert!(table.contains("Salt &amp;amp; pepper"), "{table}");
        let again = bring(market, &owner, &table, true).await;
        assert_eq!((again.updated, again.added), (0, 0));
    }

    async fn tables_of_others_are_read_or_refused_by_name(market) {
        use FieldCode::*;
        let owner = market.owner(MEENA).await;
        type Row = (&'static [u8], i64, i64, &'static [(i64, &'static str, FieldCode)]);
        let table: [Row; 7] = [
            (include_bytes!("tables/magento-values.csv"), 3, 1, &[(5, "price", TooManyDecimals)]),
            (include_bytes!("tables/decimal-comma-utf8.csv"), 6, 1, &[(7, "price", OtherCurrency(Currency::INR))]),
            (include_bytes!("tables/utf16le-tabs.txt"), 2, 0, &[]),
            (include_bytes!("tables/duplicate-head.csv"), 0, 0, &[(1, "price", DuplicateColumn)]),
            (include_bytes!("tables/head-with-line-break.csv"), 1, 0, &[]),
            (include_bytes!("tables/trailing-empty-columns.csv"), 4, 0, &[]),
            (include_bytes!("tables/options-that-join-alike.csv"), 4, 0, &[]),
        ];
        for (file, valid, invalid, expected) in table {
            let id = stage(market, &owner, file).await.unwrap();
            let read = view(market, &owner, id).await;
            let listed = faults(market, &owner, id).await;
            let listed: Vec<_> = listed.iter().map(|(line, column, code, _)| (*line, column.as_str(), *code)).collect();
            assert_eq!((read.valid, read.invalid, listed.as_slice()), (valid, invalid, expected), "{}", String::from_utf8_lossy(file));
            let started = imports::start(&market.engine, &owner, MEENA, id, true, Some(DecimalMark::Comma)).await;
            assert_eq!(started.is_ok(), valid > 0, "{started:?}");
            finish(market).await;
            assert_eq!(became(&view(market, &owner, id).await), [valid, 0, 0, 0]);
        }
        let all = prices(market, &owner).await;
        let of = |sku: &str| all.iter().find(|(s, _)| s == sku).map_or("", |(_, price)| price.as_str());
        for (sku, price) in [
            ("24-ST085", "34.00"),
            ("24-ST086", "17.50"),
            ("EU-1", "12.50"),
            ("EU-2", "1249.00"),
            ("EU-3", "1.00"),
            ("EU-4", "2500.00"),
            ("EU-5", "99.00"),
            ("EU-7", "1249.00"),
            ("U16-2", "450.00"),
            ("DH-1", ""),
            ("LB-1", "120.00"),
            ("TE-4", "150.00"),
            ("OJ-2", "900.00"),
            ("OJ-6", "9.00"),
        ] {
            assert_eq!(of(sku), price, "{sku}");
        }
        assert_eq!(find(market, &owner, "strap 6'").await.form.variants[0].stock, "100");
        assert_eq!(find(market, &owner, "प्याला").await.form.title, "चाय का प्याला");
    }

    async fn texts_that_look_the_same_are_the_same(market) {
        let owner = market.owner(MEENA).await;
        let one = "sku,title,price\nसा\u{95c}ी-1,सा\u{95c}ी,100\n";
        let other = "sku,title,price\nसा\u{921}\u{93c}ी-1\u{200b},\u{feff}सा\u{921}\u{93c}ी,100\n";
        assert_eq!(became(&bring(market, &owner, one, false).await), [1, 0, 0, 0]);
        assert_eq!(became(&bring(market, &owner, other, false).await), [0, 0, 1, 0]);
        for spelling in ["सा\u{95c}ी", "सा\u{921}\u{93c}ी"] {
            assert_eq!(find(market, &owner, spelling).await.form.variants[0].sku, "सा\u{921}\u{93c}ी-1");
        }
        // Two spellings of the same SKU are duplicates.
        let both = stage(market, &owner, "sku,title,price\nA\u{e9},Cup,1\nAe\u{301},Jug,1\n".as_bytes()).await.unwrap();
        assert_eq!(faults(market, &owner, both).await, [(3, "sku".into(), FieldCode::NotUnique, "A\u{e9}".into())]);
    }

    async fn what_a_file_brings_in_can_be_saved_again(market) {
        let owner = market.owner(MEENA).await;
        let many = (0..30).map(|i| format!("Fits {i}: {}", "क".repeat(10_000))).collect::<Vec<_>>().join("\n");
        let table = |details: &str| format!("sku,title,price,details\nL-1,Endless,10,\"{details}\"\n");
        assert_eq!(became(&bring(market, &owner, &table(&many), false).await), [1, 0, 0, 0]);
        let kept = find(market, &owner, "endless").await;
        let saved = catalog::update(&market.engine, &owner, MEENA, kept.id, kept.version, &kept.form, "k").await;
        assert!(saved.is_ok(), "{saved:?}");
        // The same limit applies to both.
        let more = format!("{many}\n{}", many.replace("Fits", "Also fits"));
        let id = stage(market, &owner, table(&more).as_bytes()).await.unwrap();
        let listed: Vec<_> = faults(market, &owner, id).await.into_iter().map(|(line, column, code, _)| (line, column, code)).collect();
        assert_eq!(listed, [(2, "specifications".to_owned(), FieldCode::TooLong(1_048_576))]);
    }

    async fn lines_of_the_open_catalogue_keep_their_details(market) {
        let owner = market.owner(MEENA).await;
        let lines = concat!(
            r#"{"id": "7", "title": " Desk lamp ", "supplier": "Lumo", "price": 4995, "short_description": "Bright.", "attr_n_weight": 3460.0, "attr_b_touchscreen": false, "attr_t_colour__main_": "Blue", "img_high": "x"}"#, "\n\n",
            r#"{"id": "8", "title": "Toner", "price": "cheap"}"#, "\n",
            r#"{"id": 9, "title": "Pen", "price": 100}"#, "\n",
            r#"{"id": "10", "title": "Ink", "price": -5}"#, "\n",
            r#"{"id": "11", "title": "Pad", "price": 100, "category": "nowhere"}"#, "\n",
            "not JSON\n",
            r#"{"id": "7", "title": "Twice", "price": 100}"#, "\n",
        );
        let id = stage(market, &owner, lines.as_bytes()).await.unwrap();
        use FieldCode::*;
        let expected = [
            (3, "price", WrongType, "\"cheap\""),
            (4, "id", WrongType, "9"),
            (5, "price", TooSmall, "-0.05"),
            (6, "category", NotAChoice, "nowhere"),
            (7, "", NotARecord, "not JSON\n"),
            (8, "id", NotUnique, "7"),
        ];
        let expected = expected.map(|(line, column, code, found)| (line, column.to_owned(), code, found.to_owned()));
        assert_eq!(faults(market, &owner, id).await, expected);
        imports::start(&market.engine, &owner, MEENA, id, true, None).await.unwrap();
        finish(market).await;
        let lamp = find(market, &owner, "desk lamp").await;
        let details: Vec<_> = lamp.form.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())).collect();
        assert_eq!(details, [("Touchscreen", "No"), ("Weight", "3460"), ("Colour main", "Blue")]);
        assert_eq!((lamp.state, lamp.form.variants[0].price.as_str(), lamp.form.variants[0].stock.as_str()), (ProductState::Published, "49.95", "100"));
    }

    async fn batches_are_written_once_whichever_worker_writes_them(market) {
        let owner = market.owner(MEENA).await;
        let file = many(0..230);
        let id = stage(market, &owner, flate(file.as_bytes()).as_slice()).await.unwrap();
        imports::start(&market.engine, &owner, MEENA, id, false, None).await.unwrap();
        imports::work(&market.engine).await.unwrap();
        let some = view(market, &owner, id).await;
        assert_eq!((some.state, became(&some)), (ImportState::Applying, [16, 0, 0, 0]));
        // A second file with some of the same products waits for the first.
        let other = stage(market, &owner, many(200..260).replace("Bowl", "Dish").as_bytes()).await.unwrap();
        imports::start(&market.engine, &owner, MEENA, other, false, None).await.unwrap();
        let workers = (0..4).map(|_| {
            let engine = market.engine.clone();
            async move { while imports::work(&engine).await.unwrap() > 0 {} }
        });
        at_once(workers.collect()).await;
        let (first, second) = (view(market, &owner, id).await, view(market, &owner, other).await);
        assert_eq!((first.state, became(&first)), (ImportState::Done, [230, 0, 0, 0]));
        assert_eq!((second.state, became(&second)), (ImportState::Done, [30, 30, 0, 0]));
        let csv = exported(market, &owner, ExportFormat::Csv).await;
        assert_eq!(csv_rows(&csv).len(), 261);
        assert_eq!(csv.matches("Dish").count(), 60);
        let listed = imports::list(&market.engine, &owner, MEENA).await.unwrap();
        assert_eq!(listed.iter().map(|i| i.id).collect::<Vec<_>>(), [other, id]);
    }

    async fn a_stopped_import_cannot_be_resumed(market) {
        let owner = market.owner(MEENA).await;
        let id = stage(market, &owner, many(0..120).as_bytes()).await.unwrap();
        imports::start(&market.engine, &owner, MEENA, id, false, None).await.unwrap();
        imports::work(&market.engine).await.unwrap();
        imports::stop(&market.engine, &owner, MEENA, id).await.unwrap();
        assert_eq!(imports::work(&market.engine).await, Ok(0));
        let stopped = view(market, &owner, id).await;
        assert_eq!((stopped.state, became(&stopped)), (ImportState::Stopped, [16, 0, 0, 0]));
        let again = imports::start(&market.engine, &owner, MEENA, id, true, None).await;
        assert_eq!(again, Err(Conflict::ImportEnded.into()));
        // A truncated file is rejected.
        let broken = stage(market, &owner, Broken(many(0..120).as_bytes())).await;
        assert_eq!(broken, Err(Error::Offline));
        let listed = imports::list(&market.engine, &owner, MEENA).await.unwrap();
        assert_eq!((listed.len(), listed[0].state), (2, ImportState::Stopped));
        let kept = stage(market, &owner, many(0..1).as_bytes()).await.unwrap();
        market.clock.advance_ms(31 * 24 * 3_600_000);
        imports::purge(&market.engine).await.unwrap();
        assert_eq!(imports::view(&market.engine, &owner, MEENA, kept).await, Err(Error::NotFound));
        assert_eq!(imports::list(&market.engine, &owner, MEENA).await, Ok(Vec::new()));
    }

    async fn products_that_became_invalid_are_skipped(market) {
        tableware(market).await;
        let owner = market.owner(MEENA).await;
        let two = "product,sku,title,price,option1_name,option1_value\nx,X-1,Pair,10,Nr,1\nx,X-2,,10,,2\n,Y-1,Single,10,,\n";
        let id = stage(market, &owner, two.as_bytes()).await.unwrap();
        assert_eq!(view(market, &owner, id).await.valid, 2);
        // In the meantime, two other products take its SKUs.
        bring(market, &owner, "sku,title,price\nX-1,One,5\nX-2,Two,5\n", false).await;
        imports::start(&market.engine, &owner, MEENA, id, false, None).await.unwrap();
        finish(market).await;
        let done = view(market, &owner, id).await;
        assert_eq!((done.state, became(&done), done.faults), (ImportState::Done, [1, 0, 0, 1], 1));
        assert_eq!(faults(market, &owner, id).await, [(3, "sku".into(), FieldCode::OfAnother, "X-2".into())]);
    }

    async fn faults_are_listed_page_by_page(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let lines: String = (0..5).map(|i| format!("A-{i},Cup,cheap\n")).collect();
        let id = stage(market, &owner, format!("sku,title,price\n{lines}").as_bytes()).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let of = PageRequest { after: &after, limit: Some(2) };
            let page = imports::faults(engine, &owner, MEENA, id, of).await.unwrap();
            seen.push(page.items.iter().map(|fault| fault.line).collect::<Vec<_>>());
            let Some(next) = page.next else { break };
            after = next;
        }
        assert_eq!(seen, [vec![2, 3], vec![4, 5], vec![6]]);
        for made_up in ["x", "1", "1.x", "1.2.3"] {
            let refused = imports::faults(engine, &owner, MEENA, id, made_up).await;
            assert_eq!(refused, Err(Error::field("after", FieldCode::BadCursor)), "{made_up}");
        }
        // Nothing in it can be imported, so there is nothing to start.
        assert_eq!(view(market, &owner, id).await.state, ImportState::Failed);
        for skip in [false, true] {
            let refused = imports::start(engine, &owner, MEENA, id, skip, None).await;
            assert_eq!(refused, Err(Conflict::ImportEnded.into()));
        }
    }

    async fn a_warning_is_only_of_what_comes_in(market) {
        let owner = market.owner(MEENA).await;
        // The quotation marks of both contain lines like those of the table, but titles have a single line.
        let file = "sku,title,price,description\nQ-1,Cup,100,\"Blue\nQ-2,Jug,200,Red\nQ-3,Pot,300,Green\"\n\
            Q-4,\"Cup,100,\nQ-5,Jug\",200,\n";
        let id = stage(market, &owner, file.as_bytes()).await.unwrap();
        let listed: Vec<_> = faults(market, &owner, id).await.into_iter().map(|(line, column, code, _)| (line, column, code)).collect();
        let expected = [(2, String::new(), FieldCode::RowsInQuotes), (5, "title".into(), FieldCode::BadCharacters)];
        assert_eq!(listed, expected);
        let all = imports::overview(&market.engine, &owner, MEENA, &id.to_string()).await.unwrap();
        let open = all.open.unwrap();
        assert_eq!((open.valid, open.invalid, open.faults, all.warnings), (1, 1, 2, 1));
    }

    async fn others_imports_do_not_exist(market) {
        let (engine, owner) = (&market.engine, market.owner(MEENA).await);
        let delta = market.owner("delta-electronics").await;
        let id = stage(market, &owner, many(0..3).as_bytes()).await.unwrap();
        for handle in [MEENA, "delta-electronics"] {
            assert_eq!(imports::view(engine, &delta, handle, id).await, Err(Error::NotFound));
            assert_eq!(imports::start(engine, &delta, handle, id, true, None).await, Err(Error::NotFound));
            assert_eq!(imports::stop(engine, &delta, handle, id).await, Err(Error::NotFound));
            assert_eq!(imports::faults(engine, &delta, handle, id, "").await, Err(Error::NotFound));
        }
        assert_eq!(stage(market, &delta, many(0..3).as_bytes()).await, Err(Error::NotFound));
        assert_eq!(stage(market, &Caller::guest(), many(0..3).as_bytes()).await, Err(Error::SignInNeeded));
        let all = ListSellerProducts::default();
        assert!(imports::export(engine, &delta, MEENA, ExportFormat::Csv, &all, None).await.is_err());
        // Another shop has the same SKUs: its products aren't touched.
        let theirs = imports::stage(engine, &delta, "delta-electronics", options(false), many(0..3).as_bytes(), |_| {}).await.unwrap();
        bring(market, &owner, &many(0..3), false).await;
        imports::start(engine, &delta, "delta-electronics", theirs, false, None).await.unwrap();
        finish(market).await;
        let ask = ListProducts { shop: "delta-electronics".into(), ..ListProducts::default() };
        assert_eq!(catalog::list(engine, &Caller::guest(), ask).await.unwrap().items.len(), 3);
    }
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    rows.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn flate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
}
