//! Reads the products of a file one by one. Pure apart from reading the file.

use std::io::{self, BufReader, Cursor, Read};

use haat_shared::{
    Currency, FieldCode,
    catalog::imports::{Format, RowError},
    number::{DecimalMark, Notation},
    text,
};
use serde_json::{Map, Value};

use super::{
    icecat::icecat,
    lines::{json, lines},
    record::Item,
    seen::Seen,
    table::{Layout, Table},
    unpack::{self, Cut},
};

/// The maximum number of lines of a file.
const LINES_MAX: usize = 1_000_000;
/// The maximum number of bytes that are inspected before reading.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;

/// Iterates over the products of a file.
pub(super) struct Items<'f> {
    items: Box<dyn Iterator<Item = io::Result<Item>> + 'f>,
    /// The SKUs so far.
    skus: Seen,
    /// The number of lines.
    lines: usize,
    /// Whether nothing has been found so far, not even an error.
    is_empty: bool,
}

/// The detected format of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectedFormat {
    pub(super) format: Format,
    /// The number notation.
    pub(super) notation: Notation,
    /// The likely decimal separator.
    pub(super) likely: DecimalMark,
}

/// The products of a file, compressed with gzip or not, and its format.
pub(super) fn items<'f>(
    file: impl Read + 'f,
    format: Option<Format>,
    currency: Currency,
) -> io::Result<(DetectedFormat, Items<'f>)> {
    let mut plain = unpack::text(file)?;
    let mut head = Vec::new();
    let cut = (&mut plain).take(HEAD_BYTES_MAX).read_to_end(&mut head).err();
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let first = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let first_line = String::from_utf8_lossy(first).into_owned();
    let detected = format.or_else(|| detect(&first_line));
    // Nothing is read of JSON in an unknown format.
    let format = detected.unwrap_or(Format::Json);
    let mut kind = DetectedFormat { format, notation: Notation::Program, likely: DecimalMark::Point };
    let foreign = of_another_kind(&head);
    let is_empty = cut.is_none() && head.trim_ascii().is_empty();
    let layout = Layout::of(&head);
    // The head is read again, followed by the error that cut it short, if there was one.
    let whole = BufReader::new(Cursor::new(head).chain(Cut(cut)).chain(plain));
    let items: Box<dyn Iterator<Item = io::Result<Item>> + 'f> = match (foreign, format) {
        _ if is_empty => {
            Box::new(std::iter::once(Ok(Item::default().fault(1, "", FieldCode::EmptyFile, ""))))
        }
        (Some(name), _) => {
            let item = Item::default().fault(1, "", FieldCode::NotATable, name);
            Box::new(std::iter::once(Ok(item)))
        }
        (None, _) if detected.is_none() => {
            let item = Item::default().fault(1, "", FieldCode::UnknownJson, &first_line);
            Box::new(std::iter::once(Ok(item)))
        }
        (None, Format::Csv) => {
            if layout.delimiter != b',' {
                kind.notation = Notation::Unknown;
            }
            if layout.delimiter == b';' {
                kind.likely = DecimalMark::Comma;
            }
            Box::new(Table::new(whole, layout)?)
        }
        (None, Format::Json) => Box::new(lines(whole).map(|line| Ok(line?.read(json)))),
        (None, Format::Icecat) => {
            Box::new(lines(whole).map(move |line| Ok(line?.read(|line| icecat(line, currency)))))
        }
    };
    Ok((kind, Items { items, skus: Seen::default(), lines: 0, is_empty: true }))
}

/// The format of a file, by what its first line contains; `None` for JSON in no known format.
fn detect(first_line: &str) -> Option<Format> {
    let line = first_line.trim();
    if !line.starts_with('{') {
        return Some(Format::Csv);
    }
    // A line that can't be parsed, because it is damaged or too long, is searched for the names.
    let record = serde_json::from_str::<Map<String, Value>>(line).ok();
    let has = |name: &str| match &record {
        Some(record) => record.contains_key(name),
        None => line.contains(&format!("\"{name}\"")),
    };
    match () {
        () if has("variants") => Some(Format::Json),
        () if has("id") && ["title", "supplier", "short_description"].into_iter().any(has) => {
            Some(Format::Icecat)
        }
        () => None,
    }
}

/// What a file is that cannot be read, by how it begins.
fn of_another_kind(head: &[u8]) -> Option<&'static str> {
    let text = head.trim_ascii_start();
    let begins = |with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with.as_bytes()));
    Some(match () {
        () if head.starts_with(b"PK\x03\x04") => "XLSX, ODS, ZIP",
        () if head.starts_with(b"\xd0\xcf\x11\xe0") => "XLS",
        () if head.starts_with(b"%PDF-") => "PDF",
        () if head.starts_with(b"{\\rtf") => "RTF",
        () if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") => "UTF-32",
        () if begins("<!doctype html") || begins("<html") || begins("<table") => "HTML",
        () if begins("<?xml") => "XML",
        () if text.starts_with(b"[") && text[1..].trim_ascii_start().starts_with(b"{") => "JSON [ … ]",
        () => return None,
    })
}

impl Iterator for Items<'_> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_empty = std::mem::take(&mut self.is_empty);
        let mut item = match self.items.next() {
            Some(Ok(item)) => item,
            None if is_empty => return Some(Ok(Item::default().fault(1, "", FieldCode::NoRows, ""))),
            end => return end,
        };
        self.lines += item.lines.len();
        if self.lines > LINES_MAX {
            return Some(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let Item { record, lines, faults, warnings: _, unread: _, bytes: _ } = &mut item;
        for (variant, line) in record.variants.iter_mut().zip(lines) {
            variant.sku = text::normalized_code(variant.sku.trim()).into_owned();
            let sku = variant.sku.as_str();
            if faults.iter().any(|f| f.line == *line && (f.column.is_empty() || f.column == "sku")) {
                continue;
            }
            if sku.is_empty() {
                faults.push(RowError::new(*line, "sku", FieldCode::Missing, ""));
            } else if !self.skus.add(sku) {
                faults.push(RowError::new(*line, "sku", FieldCode::NotUnique, sku));
            }
        }
        Some(Ok(item))
    }
}

#[cfg(test)]
mod tests {
    use haat_shared::catalog::edit::VARIANTS_MAX;

    use super::{
        super::{rows::ROW_BYTES_MAX, table::PRODUCT_MAX},
        *,
    };

    #[test]
    fn a_line_that_is_too_long_is_reported_and_the_others_are_read() {
        let long = "x".repeat(ROW_BYTES_MAX);
        let line = |sku: &str| format!("{{\"title\":\"Cup\",\"variants\":[{{\"sku\":\"{sku}\"}}]}}\n");
        let icecat = |id: &str| format!("{{\"id\":\"{id}\",\"title\":\"Cup\"}}\n");
        for (file, unread) in [
            (format!("{}{{\"title\":\"{long}\"}}\n{}", line("A"), line("B")), 1),
            (format!("{}\n{{\"id\":\"{long}\"}}\n{}", icecat("A"), icecat("B")), 1),
            (format!("{}{{\"title\":\"{long}", line("A")), 1),
            (format!("sku,title\nA,Cup\nC,{long}\nB,Jug\n"), 1),
            (format!("sku,title\nA,Cup\nC,\"{long}\nB,Jug\n"), 2),
        ] {
            let items = all(file.as_bytes());
            let faults: Vec<_> = items.iter().flat_map(|item| &item.faults).map(|fault| fault.code).collect();
            assert_eq!(faults.first(), Some(&FieldCode::LineTooLong), "{}", &file[..40]);
            assert_eq!(items.iter().map(|item| item.unread).sum::<i64>(), unread, "{}", &file[..40]);
            let read = items.iter().flat_map(|item| &item.record.variants).filter(|v| v.sku.len() == 1);
            assert_eq!(
                read.count(),
                if file.contains("B") && unread == 1 { 2 } else { 1 },
                "{}",
                &file[..40]
            );
        }
    }

    #[test]
    fn what_a_product_takes_is_bounded() {
        let long = "x".repeat(PRODUCT_MAX / 4);
        let lines: String = (0..50).map(|i| format!("p,S{i},{long}\n")).collect();
        let items = all(format!("product,sku,price\n{lines}").as_bytes());
        assert_eq!((items.len(), items[0].lines.len()), (1, 3));
        assert_eq!(items[0].faults.len(), 1, "reported once");
        assert_eq!((items[0].faults[0].line, items[0].faults[0].code), (5, FieldCode::LineTooLong));
    }

    #[test]
    fn more_lines_than_there_may_be_are_refused() {
        let (_, mut items) = items(&b"sku\nA\nB\nC\n"[..], None, Currency::INR).unwrap();
        items.lines = LINES_MAX - 2;
        let read: Vec<_> = items.collect();
        assert!(read[0].is_ok() && read[1].is_ok());
        let error = read[2].as_ref().err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_product_of_more_lines_than_it_may_have_is_not_kept_whole() {
        let lines: String = (0..500).map(|i| format!("p,S{i}\n")).collect();
        let file = format!("product,sku\n{lines}");
        let items = all(file.as_bytes());
        assert_eq!((items.len(), items[0].lines.len()), (1, VARIANTS_MAX + 1));
    }

    fn all(file: &[u8]) -> Vec<Item> {
        items(file, None, Currency::INR).unwrap().1.map(Result::unwrap).collect()
    }

    /// The SKU and price of each product, and the faults, of a table.
    type Parsed = (Vec<(String, String)>, Vec<(i64, String, FieldCode)>);

    fn parsed(file: &[u8]) -> Parsed {
        let items = all(file);
        let variants = items.iter().flat_map(|item| &item.record.variants);
        let faults = items.iter().flat_map(|item| &item.faults);
        (
            variants.map(|v| (v.sku.clone(), v.price.clone().unwrap_or_default())).collect(),
            faults.map(|f| (f.line, f.column.clone(), f.code)).collect(),
        )
    }

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn tables_are_read_however_they_are_laid_out() {
        let two = [("A-1", "120"), ("A-2", "130")];
        let marked = |text: &str, big| utf16(&format!("\u{feff}{text}"), big);
        let table = "sku,title,price\nA-1,Cup,120\nA-2,Jug,130\n";
        for (name, file) in [
            ("plain", table.as_bytes().to_vec()),
            ("CR LF", table.replace('\n', "\r\n").into_bytes()),
            ("CR alone", table.replace('\n', "\r").into_bytes()),
            ("a byte order mark and CR alone", format!("\u{feff}{}", table.replace('\n', "\r")).into_bytes()),
            (
                "empty cells beyond the header",
                "sku,title,price\nA-1,Cup,120,,,\nA-2,Jug,130, ,\u{a0}\n".into(),
            ),
            ("unnamed columns", b"sku,title,price,,,\nA-1,Cup,120\nA-2,Jug,130,,,,,\n,,,,,\n".to_vec()),
            ("an unnamed column in between", b"sku,,title,price\nA-1,,Cup,120\nA-2,,Jug,130\n".to_vec()),
            (
                "a line break in the header",
                b"\"SKU \",\"Title\",\"Price\r\n\"\nA-1,Cup,120\nA-2,Jug,130\n".to_vec(),
            ),
            (
                "spaces in the header",
                " Sku\u{a0},\u{200b}TITLE , Price\nA-1,Cup,120\nA-2,Jug,130\n".as_bytes().to_vec(),
            ),
            ("sep=;", format!("sep=;\r\n{}", table.replace(',', ";")).into_bytes()),
            ("SEP=tab", format!("SEP=\t\n{}", table.replace(',', "\t")).into_bytes()),
            ("a quoted sep=", format!("\u{feff}\"sep=|\"\n{}", table.replace(',', "|")).into_bytes()),
            ("sep= and CR alone", format!("sep=,\n{table}").replace('\n', "\r").into_bytes()),
            ("bars", table.replace(',', "|").into_bytes()),
            ("a title above", format!("Price list, spring; all prices incl. tax\n{table}").into_bytes()),
            ("a title, its cells and an empty line above", format!("Price list,,\n\n{table}").into_bytes()),
            ("a title over two lines above", format!("\"Price\nlist\",,\n,,\n{table}").into_bytes()),
            ("a title of other commas", format!("a,b,c,d,e\n{}", table.replace(',', ";")).into_bytes()),
            ("no last line break", table.trim_end().as_bytes().to_vec()),
            ("UTF-16, little end first", marked(table, false)),
            ("UTF-16, big end first", marked(table, true)),
            ("UTF-16 without a mark", utf16(table, false)),
            ("UTF-16 without a mark, big end first", utf16(table, true)),
            ("UTF-16 with tabs and CR LF", marked(&table.replace(',', "\t").replace('\n', "\r\n"), false)),
        ] {
            let (variants, faults) = parsed(&file);
            let variants: Vec<_> =
                variants.iter().map(|(sku, price)| (sku.as_str(), price.as_str())).collect();
            assert_eq!((variants.as_slice(), faults.as_slice()), (two.as_slice(), [].as_slice()), "{name}");
        }
    }

    #[test]
    fn tables_that_cannot_be_read_say_why() {
        use FieldCode::*;
        let table: [(&[u8], (i64, &str, FieldCode)); 23] = [
            (b"sku,title,price\n", (1, "", NoRows)),
            (b"sku,title,price\r\n,,\r\n\r\n", (1, "", NoRows)),
            (b"sku;title;price", (1, "", NoRows)),
            (b"{\"a\":1}", (1, "", UnknownJson)),
            (b"{\n  \"title\": \"Cup\"\n}", (1, "", UnknownJson)),
            (b"{\"id\":7,\"name\":\"Cup\"}\n", (1, "", UnknownJson)),
            (b"", (1, "", EmptyFile)),
            (b"\xef\xbb\xbf \r\n\n", (1, "", EmptyFile)),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", (1, "", EmptyFile)),
            (b"sku,title,price,price\nA-1,Cup,120,90\n", (1, "price", DuplicateColumn)),
            (b"sku,title,price,Price \nA-1,Cup,120,90\n", (1, "Price", DuplicateColumn)),
            (b"sku,SKU,price\nA-1,A-1,120\n", (1, "SKU", DuplicateColumn)),
            (b"List\n\nsku;price;price\nA-1;120;90\n", (3, "price", DuplicateColumn)),
            (b"title,price\nCup,120\n", (1, "sku", Missing)),
            (b"\"sku,title,price\nA-1,Cup,120\n", (1, "", BadQuotes)),
            (b"PK\x03\x04\x14\0\x06\0xl/workbook.xml", (1, "", NotATable)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (1, "", NotATable)),
            (b"\xff\xfe\0\0s\0\0\0k\0\0\0", (1, "", NotATable)),
            (b"%PDF-1.7\nsku", (1, "", NotATable)),
            (b"{\\rtf1\\ansi sku;title}", (1, "", NotATable)),
            (b"\n<HTML><table><tr><td>sku</td>", (1, "", NotATable)),
            (b"<?xml version=\"1.0\"?><Workbook/>", (1, "", NotATable)),
            (b"[\n {\"title\": \"Cup\"}\n]", (1, "", NotATable)),
        ];
        for (file, expected) in table {
            let (variants, faults) = parsed(file);
            let name = String::from_utf8_lossy(file);
            assert!(variants.is_empty(), "{name}");
            let (line, column, code) = expected;
            assert!(faults.contains(&(line, column.to_owned(), code)), "{name}: {faults:?}");
        }
        // The error names the format that was detected.
        let named = |file: &[u8]| all(file)[0].faults[0].found.clone();
        assert_eq!(named(b"PK\x03\x04\x14\0\x06\0xl/workbook.xml"), "XLSX, ODS, ZIP");
        assert_eq!(named(b"%PDF-1.7\nsku"), "PDF");
        assert_eq!(named(b"title, Price \nCup,120\n"), "title, Price");
        // Unreadable lines are counted.
        let unread = |file: &[u8]| all(file).iter().map(|item| item.unread).sum::<i64>();
        assert_eq!(unread(b"sku,price,price\nA,1,2\n\nB,1,2\n\"C\nD,1"), 4);
        assert_eq!(unread(b"sku,price\nA,1\n\"B\" x,1\nC,1\nD,\"1\nE,1\nF,1\n"), 4);
    }

    #[test]
    fn the_first_line_tells_the_format() {
        for (line, format) in [
            ("sku,title,price", Some(Format::Csv)),
            ("", Some(Format::Csv)),
            (r#"{"id": "1", "title": "Bowl"}"#, Some(Format::Icecat)),
            (r#"{"id": "1", "supplier": "Lumo", "attr_t_is": "variants"}"#, Some(Format::Icecat)),
            (r#"{"title": "Bowl", "variants": []}"#, Some(Format::Json)),
            // Cut off.
            (r#"{"title": "Bowl", "variants": [{"sku""#, Some(Format::Json)),
            (r#"{"id": "1", "title": "Bo"#, Some(Format::Icecat)),
            (r#"{"a": 1}"#, None),
            (r#"{"title": "Bowl"}"#, None),
            ("{", None),
        ] {
            assert_eq!(detect(line), format, "{line}");
        }
        // A format that was chosen is not detected.
        let items = items(&b"{\"a\":1}"[..], Some(Format::Icecat), Currency::INR).unwrap().1;
        let faults: Vec<_> = items.flat_map(|item| item.unwrap().faults).map(|fault| fault.column).collect();
        assert_eq!(faults, ["sku"]);
    }

    #[test]
    fn what_may_be_meant_is_a_warning_and_the_product_is_read() {
        use FieldCode::*;
        let file = "sku,title,price\nA,\"Cup,100\nB,Jug,200\nC,Pot\",300\nD,Tea &amp; milk,5\nE,&quot;Tea&quot;,5\n\
            F,<b>Tea</b>,5\nG,&lt;b&gt;Tea,5\nH,\"A lamp\nof clay\",5\nI,&#61;1+1,5\n";
        let items = all(file.as_bytes());
        let faults = |product: bool| -> Vec<(i64, &str, FieldCode)> {
            let items = items.iter().filter(|item| item.lines.is_empty() != product);
            items.flat_map(|item| &item.faults).map(|f| (f.line, f.column.as_str(), f.code)).collect()
        };
        assert_eq!(faults(false), [(5, "title", HtmlDecoded), (7, "title", Html), (8, "title", Html)]);
        let of_products: Vec<_> =
            items.iter().flat_map(|item| &item.warnings).map(|f| (f.line, f.code)).collect();
        assert_eq!(of_products, [(2, RowsInQuotes)]);
        assert_eq!(faults(true), [(11, "title", Formula)]);
        let titles: Vec<_> = items.iter().filter_map(|item| item.record.title.as_deref()).collect();
        let expected = [
            "Cup,100\nB,Jug,200\nC,Pot",
            "Tea & milk",
            "\"Tea\"",
            "<b>Tea</b>",
            "<b>Tea",
            "A lamp\nof clay",
            "=1+1",
        ];
        assert_eq!(titles, expected);
    }

    #[test]
    fn rows_inside_quotation_marks_are_never_swallowed_in_silence() {
        let open = "A,Cup,100,5,published,\"nice";
        let head = "sku,title,price,stock,state,description";
        for (name, head, rows) in [
            (
                "two columns without a name",
                ",,",
                ["B,Jug,200,5,published,fine", "C,Pot,300,5,published,fine\""],
            ),
            ("surplus cells", "", ["B,Jug,200,5,published,fine,,", "C,Pot,300,5,published,fine\",,"]),
            (
                "commas without quotes",
                "",
                ["B,Jug, blue,200,5,published,fine", "C,Pot,300,5,published,good,fine\""],
            ),
            (
                "one with and one without the last cells",
                ",,",
                ["B,Jug,200,5,published,fine,,", "C,Pot,300,5,published,fine\""],
            ),
            (
                "a blank line after each",
                "",
                ["B,Jug,200,5,published,fine\n", "\nC,Pot,300,5,published,fine\""],
            ),
        ]
        .map(|(name, more, rows)| (name, format!("{head}{more}"), rows.join("\n")))
        {
            let file = format!("{head}\n{open}\n{rows}\nD,Vase,400,5,published,tall\n");
            for delimiter in [",", ";", "\t", "|"] {
                let items = all(file.replace(',', delimiter).as_bytes());
                let said: Vec<_> = items.iter().flat_map(|i| i.warnings.iter().chain(&i.faults)).collect();
                assert!(
                    said.iter().any(|f| (f.line, f.code) == (2, FieldCode::RowsInQuotes)),
                    "{name} {delimiter:?}: {said:?}"
                );
                assert_eq!(items.len(), 2, "{name} {delimiter:?}");
            }
        }
    }

    #[test]
    fn a_column_without_a_name_is_not_dropped_in_silence() {
        let file = "sku,,title, ,price\nA,,Cup,,5\nB,old,Jug, ,5\nC,new,Pot,\u{a0},5\nD,,Vase,x,5\n";
        let items = all(file.as_bytes());
        let faults: Vec<_> = items
            .iter()
            .flat_map(|item| &item.faults)
            .map(|f| (f.line, f.column.as_str(), f.code, f.found.as_str()))
            .collect();
        let unnamed = FieldCode::UnknownColumn;
        assert_eq!(faults, [(3, "B", unnamed, "old"), (5, "D", unnamed, "x")]);
        assert!(unnamed.is_warning());
        assert_eq!(items.iter().filter(|item| !item.lines.is_empty()).count(), 4, "all are read");
    }

    #[test]
    fn invalid_utf_16_is_reported_at_its_place() {
        let mut file = utf16("\u{feff}sku,title,price\nA-1,🏺 Krug,120\nA-2,Jug", false);
        // Half of a surrogate pair, and half a code unit at the end.
        file.extend([0x3d, 0xd8]);
        file.extend(utf16(",130\nA-3,Pot,140", false));
        file.push(b'x');
        let (variants, faults) = parsed(&file);
        assert_eq!(variants.len(), 3);
        assert_eq!(all(&file)[0].record.title.as_deref(), Some("🏺 Krug"));
        assert_eq!(
            faults,
            [(3, "title".into(), FieldCode::NotUtf8), (4, "price".into(), FieldCode::NotUtf8)]
        );
        // Wherever the input is split into chunks.
        let long = format!("sku,title\n{}", (0..4_000).map(|i| format!("A{i},🏺🏺🏺\n")).collect::<String>());
        assert!(
            all(&utf16(&long, true))
                .iter()
                .all(|i| i.record.title.as_deref() == Some("🏺🏺🏺") && i.faults.is_empty())
        );
    }

    #[test]
    fn a_name_that_an_object_has_twice_is_named() {
        for (line, name) in [
            (r#"{"title":"Cup","variants":[{"sku":"A","price":1,"price":2}]}"#, "price"),
            (r#"{"title":"Cup","title":"Cup","variants":[]}"#, "title"),
            (r#"{"details":[{"name":"Size","value":"S","value":"M"}],"variants":[]}"#, "value"),
            (r#"{"id":"7","title":"Lamp","price":100,"price":200}"#, "price"),
            (r#"{"id":"7","title":"Lamp","attr_t_size":"S","attr_t_size":"M"}"#, "attr_t_size"),
        ] {
            let (_, faults) = parsed(line.as_bytes());
            assert_eq!(faults.first(), Some(&(1, name.to_owned(), FieldCode::DuplicateName)), "{line}");
        }
    }

    #[test]
    fn numbers_of_json_are_what_they_are() {
        let line = r#"{"title":"Cup","variants":[{"sku":"A","price":1249.5,"stock":3},{"sku":"B","price":12.125,"compare_at":null},{"sku":"C","price":"12,500"}]}"#;
        let items = all(line.as_bytes());
        let prices: Vec<_> = items[0].record.variants.iter().map(|v| v.price.as_deref()).collect();
        assert_eq!(prices, [Some("1249.5"), Some("12.1250"), Some("12,500")]);
        assert_eq!(items[0].record.variants[0].stock.as_deref(), Some("3"));
    }
}
