//! The rows of a CSV table (RFC 4180). A malformed quoted cell is reported where its quotation mark was
//! opened, because guessing could swallow the rows after it. Lines end with LF, CR LF or CR.

use std::{
    io::{self, BufRead},
    ops::RangeInclusive,
};

use csv::ByteRecord;
use haat_shared::FieldCode;

/// The maximum size of a row: more than the largest product.
pub(super) const ROW_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The maximum number of cells of a row.
const CELLS_MAX: usize = 1_000;
/// How much of an unreadable row is kept, to be shown.
const SHOWN_BYTES: usize = 800;

/// The next item of a table.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// A row, and the line where it begins.
    Row {
        line: i64,
        cells: ByteRecord,
        /// Where a quotation mark was opened that seems to contain rows.
        swallows: Option<i64>,
    },
    /// Unreadable lines.
    Unread {
        /// The line to report: where the quotation mark was opened.
        line: i64,
        /// The number of lines.
        lines: i64,
        /// The last line.
        last: i64,
        /// The error.
        code: FieldCode,
        /// The beginning of the text.
        begin: Vec<u8>,
    },
}

/// Iterates over the rows of a table.
pub(super) struct Rows<R> {
    file: R,
    delimiter: u8,
    /// The current line.
    line: i64,
    /// The number of delimiters of a row, once that is known and there are any: from those between the named
    /// columns to those of the whole header.
    pub(super) delimiters: Option<RangeInclusive<usize>>,
    /// Whether nothing of it has been read yet.
    fresh: bool,
}

/// The cell being read, and its row.
#[derive(Default)]
struct Open {
    row: ByteRecord,
    cell: Vec<u8>,
    bytes: usize,
    too_long: bool,
    bad_quotes: bool,
    begin: Vec<u8>,
    /// The delimiters in the current line, inside quotation marks or not, and those that a space follows.
    delimiters: usize,
    spaced: usize,
    /// Whether anything else but white space and quotation marks is in it.
    filled: bool,
    /// Where the first quotation mark was opened that is closed in another line.
    spans: Option<i64>,
    /// How many lines follow that are not blank, and how many of them look like rows.
    followed: usize,
    alike: usize,
}

impl Open {
    fn push(&mut self, byte: u8) {
        self.bytes += 1;
        if self.bytes > ROW_BYTES_MAX {
            self.too_long = true;
        } else {
            self.cell.push(byte);
        }
        self.filled |= !byte.is_ascii_whitespace();
        self.seen(byte);
    }

    fn delimiter(&mut self, next: Option<u8>) {
        self.delimiters += 1;
        self.spaced += usize::from(next == Some(b' '));
    }

    fn seen(&mut self, byte: u8) {
        if self.begin.len() < SHOWN_BYTES {
            self.begin.push(byte);
        }
    }

    fn end_line(&mut self, expected: Option<&RangeInclusive<usize>>) {
        if self.spans.is_some() && (self.filled || self.delimiters > 0) {
            self.followed += 1;
            self.alike += usize::from(expected.is_some_and(|expected| self.looks_like_a_row(expected)));
        }
        (self.delimiters, self.spaced, self.filled) = (0, 0, false);
    }

    /// Whether the line has the delimiters of a row, or more of them: surplus cells, or commas in a cell that
    /// should have been quoted. The commas of a sentence, which spaces follow, are none of these.
    fn looks_like_a_row(&self, expected: &RangeInclusive<usize>) -> bool {
        expected.contains(&self.delimiters) || self.delimiters - self.spaced >= *expected.start()
    }

    /// Where a quotation mark was opened, if most lines after that look like rows of their own: it may be a
    /// stray one. That is still a valid cell, so only the seller can tell.
    fn swallows(&self) -> Option<i64> {
        self.spans.filter(|_| 2 * self.alike > self.followed)
    }

    fn end_cell(&mut self, quoted: bool) {
        // A quotation mark after a space doesn't open a quoted cell, and isn't meant as part of it either.
        self.bad_quotes |= !quoted && self.cell.trim_ascii_start().starts_with(b"\"");
        if self.row.len() < CELLS_MAX {
            self.row.push_field(&self.cell);
        } else {
            self.too_long = true;
        }
        self.cell.clear();
    }
}

impl<R: BufRead> Rows<R> {
    /// The rows of a file whose first line has this number.
    pub(super) fn new(file: R, delimiter: u8, line: i64) -> Self {
        Self { file, delimiter, line, delimiters: None, fresh: true }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.file.consume(1);
            self.fresh = false;
        }
        Ok(byte)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.file.fill_buf() {
                Ok(some) => return Ok(some.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether this byte ends a line. Consumes the LF after a CR.
    fn ends(&mut self, byte: u8) -> io::Result<bool> {
        if byte == b'\r' && self.peek()? == Some(b'\n') {
            self.file.consume(1);
        }
        self.fresh = matches!(byte, b'\r' | b'\n');
        self.line += i64::from(self.fresh);
        Ok(self.fresh)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while let Some(byte) = self.byte()? {
            if self.ends(byte)? {
                break;
            }
        }
        Ok(())
    }

    /// The next row, or unreadable lines.
    pub(super) fn read(&mut self) -> io::Result<Option<Next>> {
        let line = self.line;
        let mut open = Open::default();
        if self.peek()?.is_none() {
            return Ok(None);
        }
        loop {
            let Some(byte) = self.byte()? else {
                open.end_cell(false);
                break;
            };
            if byte == b'"' && open.cell.is_empty() {
                let opened = self.line;
                match self.quoted(&mut open)? {
                    Quoted::Cell => continue,
                    Quoted::Last => break,
                    Quoted::Bad => {
                        let (code, begin) = (FieldCode::BadQuotes, open.begin);
                        let code = if open.too_long { FieldCode::LineTooLong } else { code };
                        return Ok(Some(self.unread(opened, line, code, begin)));
                    }
                }
            }
            if byte == self.delimiter {
                open.delimiter(self.peek()?);
                open.seen(byte);
                open.end_cell(false);
            } else if self.ends(byte)? {
                open.end_cell(false);
                break;
            } else {
                open.push(byte);
            }
        }
        if open.too_long || open.bad_quotes {
            let code = if open.too_long { FieldCode::LineTooLong } else { FieldCode::BadQuotes };
            return Ok(Some(self.unread(line, line, code, open.begin)));
        }
        open.end_line(self.delimiters.as_ref());
        let swallows = open.swallows();
        Ok(Some(Next::Row { line, cells: open.row, swallows }))
    }

    /// Reads a cell after its opening quotation mark.
    fn quoted(&mut self, open: &mut Open) -> io::Result<Quoted> {
        let opened = self.line;
        open.seen(b'"');
        loop {
            let Some(byte) = self.byte()? else { return Ok(Quoted::Bad) };
            match byte {
                b'"' if self.peek()? == Some(b'"') => {
                    self.file.consume(1);
                    open.push(byte);
                }
                b'"' => break,
                byte if self.ends(byte)? => {
                    open.end_line(self.delimiters.as_ref());
                    open.spans.get_or_insert(opened);
                    open.push(b'\n');
                }
                byte => {
                    if byte == self.delimiter {
                        open.delimiter(self.peek()?);
                    }
                    open.push(byte);
                }
            }
        }
        open.seen(b'"');
        loop {
            match self.byte()? {
                None => {
                    open.end_cell(true);
                    return Ok(Quoted::Last);
                }
                Some(byte) if byte == self.delimiter => {
                    open.delimiter(self.peek()?);
                    open.seen(byte);
                    open.end_cell(true);
                    return Ok(Quoted::Cell);
                }
                // Spaces after the closing quotation mark can be dropped.
                Some(byte @ b' ') => open.seen(byte),
                Some(byte) => {
                    if self.ends(byte)? {
                        open.end_cell(true);
                        return Ok(Quoted::Last);
                    }
                    open.seen(byte);
                    self.skip_line()?;
                    return Ok(Quoted::Bad);
                }
            }
        }
    }

    /// All lines from the beginning of the row up to here as unreadable. `at` is the line to report.
    fn unread(&self, at: i64, first: i64, code: FieldCode, begin: Vec<u8>) -> Next {
        let last = self.line - i64::from(self.fresh);
        Next::Unread { line: at, lines: last - first + 1, last, code, begin }
    }
}

/// What follows a quoted cell.
enum Quoted {
    /// Another cell.
    Cell,
    /// The end of the row.
    Last,
    /// Anything else, or the end of the file inside the quotation marks.
    Bad,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows as text, and what cannot be read as line, number of lines and why.
    fn read(text: &str, delimiter: u8) -> Vec<Result<(i64, Vec<String>), (i64, i64, FieldCode)>> {
        let mut rows = Rows::new(text.as_bytes(), delimiter, 1);
        let mut all = Vec::new();
        while let Some(next) = rows.read().unwrap() {
            all.push(match next {
                Next::Row { line, cells, .. } => {
                    Ok((line, cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()))
                }
                Next::Unread { line, lines, code, .. } => Err((line, lines, code)),
            });
        }
        all
    }

    #[test]
    fn malformed_quotes_are_reported_where_they_open() {
        use FieldCode::BadQuotes;
        let good = |line: i64, cells: &[&str]| Ok((line, cells.iter().map(|c| (*c).to_owned()).collect()));
        for (text, expected) in [
            ("a,b\nc,d\n", vec![good(1, &["a", "b"]), good(2, &["c", "d"])]),
            ("a,b\r\nc,d", vec![good(1, &["a", "b"]), good(2, &["c", "d"])]),
            ("a,b\rc,d\r", vec![good(1, &["a", "b"]), good(2, &["c", "d"])]),
            ("a,\n,\n", vec![good(1, &["a", ""]), good(2, &["", ""])]),
            ("\"a\nb\",c\nd,e", vec![good(1, &["a\nb", "c"]), good(3, &["d", "e"])]),
            ("\"a\r\nb\"\r\nd", vec![good(1, &["a\nb"]), good(3, &["d"])]),
            ("\"8\"\" x\",\"\",\"\"\"q\"\"\"\n", vec![good(1, &["8\" x", "", "\"q\""])]),
            ("8\" x,5'\n", vec![good(1, &["8\" x", "5'"])]),
            ("\"a\" ,b\n", vec![good(1, &["a", "b"])]),
            // Closed in the middle of a cell.
            ("a\n\"27\" stand,5\nb", vec![good(1, &["a"]), Err((2, 1, BadQuotes)), good(3, &["b"])]),
            ("\"\"27 stand\nb", vec![Err((1, 1, BadQuotes)), good(2, &["b"])]),
            ("x,\"27\"\" stand\" wide\nb", vec![Err((1, 1, BadQuotes)), good(2, &["b"])]),
            ("x,\"a\"\"\nb", vec![Err((1, 2, BadQuotes))]),
            // Never closed: in the last line, in the last cell, across lines, before a quoted cell.
            ("a\n\"b", vec![good(1, &["a"]), Err((2, 1, BadQuotes))]),
            ("a\n\"b\n", vec![good(1, &["a"]), Err((2, 1, BadQuotes))]),
            ("a,\"b\nc,d\ne,f\n", vec![Err((1, 3, BadQuotes))]),
            ("a,\"b\rc,d\re,f", vec![Err((1, 3, BadQuotes))]),
            ("a,\"b\nc,\"d\"\ne,f\n", vec![Err((1, 2, BadQuotes)), good(3, &["e", "f"])]),
            ("\"a\nb\",\"c\nd", vec![Err((2, 3, BadQuotes))]),
            // After a space, a quotation mark doesn't open a quoted cell.
            ("a, \"b\"\nc", vec![Err((1, 1, BadQuotes)), good(2, &["c"])]),
            ("\"", vec![Err((1, 1, BadQuotes))]),
            ("", vec![]),
        ] {
            for (delimiter, comma) in [(b',', ","), (b';', ";"), (b'\t', "\t")] {
                assert_eq!(read(&text.replace(',', comma), delimiter), expected, "{text:?} by {comma:?}");
            }
        }
    }

    #[test]
    fn a_cell_that_seems_to_contain_rows_is_noticed() {
        // The text, and the number of columns that are named, and of all.
        for (text, named, all, swallows) in [
            ("A,\"Cup,100\nB,Jug\",200\n", 3, 3, Some(1)),
            ("A,\"Cup,100\nB,Jug,200\nC,Pot\",300", 3, 3, Some(1)),
            ("A,\"Cup,100\r\nB,Jug,200\r\n\r\nC,Pot,250\r\nD,Pot\",300\r\n", 3, 3, Some(1)),
            ("\"A\n1\",\"Cup,100\nB,Jug\",200\n", 3, 3, Some(1)),
            // The header has columns without a name, which the rows have or not.
            ("A,100,\"nice\nB,200,fine\nC,300,good\"\n", 3, 5, Some(1)),
            ("A,100,\"nice\nB,200,fine,,\nC,300,good\",,\n", 3, 5, Some(1)),
            ("A,100,\"nice\nB,200,fine,\nC,300,good\"\n", 3, 5, Some(1)),
            // More cells than the header has.
            ("A,100,\"nice\nB,200,fine,,\nC,300,good\",,\n", 3, 3, Some(1)),
            ("A,100,\"nice\nB,200,fine, and big\nC,300,good,small\"\n", 3, 3, Some(1)),
            ("A,100,\"nice\nB, 200, fine\nC, 300, good\"\n", 3, 4, Some(1)),
            // Blank lines, and a closing mark in a line of its own.
            ("A,100,\"nice\r\n\r\nB,200,fine\r\n \r\nC,300,good\r\n\r\n\"\r\n", 3, 3, Some(1)),
            ("A,100,\"nice\nB,200,fine\n\"\n", 3, 3, Some(1)),
            // Text of several lines.
            ("A,\"Cup\nof clay\",100\n", 3, 3, None),
            ("A,\"Cup\n\nof clay, blue\nred, white\",100\n", 3, 3, None),
            ("A,\"Cup, blue, red\",100\n", 3, 3, None),
            ("A,Cup,100\n", 3, 3, None),
            ("A,100,\"Soft, warm, light, fine.\nWash, rinse, dry, fold.\"\n", 3, 3, None),
            ("A,100,\"A cup\nof clay,\nfired twice\"\n", 3, 6, None),
        ] {
            let mut rows = Rows::new(text.as_bytes(), b',', 1);
            rows.delimiters = Some(named - 1..=all - 1);
            let Some(Next::Row { swallows: found, .. }) = rows.read().unwrap() else { panic!("{text}") };
            assert_eq!(found, swallows, "{text}");
        }
    }

    #[test]
    fn a_row_without_an_end_takes_little_memory() {
        let long = "x".repeat(ROW_BYTES_MAX + 1);
        let many = ",".repeat(CELLS_MAX);
        for text in [format!("{long}\nb"), format!("\"{long}\"\nb"), format!("{many}\nb")] {
            let rows = read(&text, b',');
            assert_eq!(rows, [Err((1, 1, FieldCode::LineTooLong)), Ok((2, vec!["b".to_owned()]))]);
        }
        assert_eq!(read(&format!("\"{long}\nb"), b','), [Err((1, 2, FieldCode::LineTooLong))]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(table in prop::collection::vec(prop::collection::vec("[a-c\",;\n ']{0,6}|.{0,4}", 2..4), 1..5)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let rows: Vec<_> = read(&text, b',').into_iter().map(|row| row.map(|(_, cells)| cells)).collect();
            let expected: Vec<_> = table.into_iter().map(|row| Ok(row.iter().map(|c| c.replace("\r\n", "\n").replace('\r', "\n")).collect::<Vec<_>>())).collect();
            // The writer quotes cells that begin with a space and a quotation mark, so every row is accepted.
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn every_line_is_read_or_counted(text in "[ab,\"\n\r ]{0,40}") {
            let mut rows = Rows::new(text.as_bytes(), b',', 1);
            let mut behind = 1;
            while let Some(next) = rows.read().unwrap() {
                match next {
                    Next::Row { line, .. } => prop_assert_eq!(line, behind),
                    Next::Unread { line, lines, .. } => prop_assert!(behind <= line && line < behind + lines && behind + lines == rows.line + i64::from(!rows.fresh)),
                }
                behind = rows.line + i64::from(!rows.fresh);
            }
        }
    }
}
