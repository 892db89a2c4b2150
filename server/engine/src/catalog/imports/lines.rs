//! Files with one product per line.

use std::io::{self, BufRead, Read};

use haat_shared::FieldCode;
use serde_json::error::Category;

use super::{
    record::{Item, Record},
    rows::ROW_BYTES_MAX,
};

/// A line of a file with its number; without its text if it is too long.
pub(super) struct Line(i64, Option<Vec<u8>>);

impl Line {
    /// The product of the line.
    pub(super) fn read(self, read: impl FnOnce((i64, Vec<u8>)) -> Item) -> Item {
        match self {
            Self(number, Some(text)) => {
                let bytes = text.len();
                Item { bytes, ..read((number, text)) }
            }
            Self(number, None) => {
                Item { unread: 1, ..Item::default() }.fault(number, "", FieldCode::LineTooLong, "")
            }
        }
    }
}

/// The non-empty lines of a file.
pub(super) fn lines(mut file: impl BufRead) -> impl Iterator<Item = io::Result<Line>> {
    let mut number = 0;
    let mut next = move || -> io::Result<Option<Line>> {
        loop {
            let mut line = Vec::new();
            if (&mut file).take(ROW_BYTES_MAX as u64).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            number += 1;
            if line.len() == ROW_BYTES_MAX && !line.ends_with(b"\n") {
                skip_line(&mut file)?;
                return Ok(Some(Line(number, None)));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Line(number, Some(line))));
            }
        }
    };
    std::iter::from_fn(move || next().transpose())
}

/// Skips to the end of the line.
fn skip_line(file: &mut impl BufRead) -> io::Result<()> {
    loop {
        let some = file.fill_buf()?;
        let (read, ends) = match some.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (some.len(), some.is_empty()),
        };
        file.consume(read);
        if ends {
            return Ok(());
        }
    }
}

/// One product per line, as `haat export products --format json` writes it.
pub(super) fn json((number, line): (i64, Vec<u8>)) -> Item {
    let item = Item::at(number);
    let Ok(text) = std::str::from_utf8(&line) else {
        return item.fault(number, "", FieldCode::NotUtf8, &String::from_utf8_lossy(&line));
    };
    match serde_json::from_str::<Record>(text) {
        Ok(record) => Item { lines: vec![number; record.variants.len().max(1)], record, ..Item::default() },
        Err(error) => {
            let why = error.to_string();
            match (doubled(&why), error.classify()) {
                (Some(name), _) => item.fault(number, name, FieldCode::DuplicateName, ""),
                (None, Category::Data) => item.fault(number, "", FieldCode::WrongType, &why),
                _ => item.fault(number, "", FieldCode::NotARecord, text),
            }
        }
    }
}

/// The name that an object has twice, if that is the parser's error.
pub(super) fn doubled(why: &str) -> Option<&str> {
    Some(why.strip_prefix("duplicate field `")?.split_once('`')?.0)
}
