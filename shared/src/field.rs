//! Validation errors: the field, and the reason as a stable code.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A field of a form that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The name of the field, as in the form.
    pub field: String,
    /// Why.
    pub code: FieldCode,
}

/// Why a field does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// Nothing was entered.
    Missing,
    /// More characters than fit. Carries how many do.
    TooLong(usize),
    /// Fewer characters than needed.
    TooShort,
    /// Not an e-mail address.
    NotEmail,
    /// An e-mail address with other letters than ASCII before the `@`, where the mail server cannot send to such.
    EmailNotAscii,
    /// Not a whole number in the digits 0–9.
    NotNumber,
    /// Below what is possible.
    TooSmall,
    /// Above what is possible.
    TooBig,
    /// More money than is possible. Carries the most.
    AmountTooBig(Money),
    /// Not one of the choices.
    NotAChoice,
    /// Somebody has it already.
    Taken,
    /// E-mail and password do not belong together.
    WrongCredentials,
    /// Characters that cannot be part of it.
    BadCharacters,
    /// Not the address of a page over TLS.
    NotUrl,
    /// Not an amount of money.
    NotMoney,
    /// More decimals than the currency has.
    TooManyDecimals,
    /// A number that can be read in two ways: `12,500`.
    AmbiguousNumber,
    /// Another of the same kind has it.
    NotUnique,
    /// Kept for the market itself.
    Reserved,
    /// More of them than there may be.
    TooMany,
    /// Not a picture of a kind that we take.
    NotAPicture,
    /// A picture that is damaged, or ends before its end.
    PictureBroken,
    /// A picture of more bytes than we take.
    PictureTooHeavy,
    /// A picture of more pixels than we take.
    PictureTooLarge,
    /// A picture in HEIC, as iPhones keep them.
    PictureHeic,
    /// More of a file in one piece than is read at once.
    LineTooLong,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A line of a file that cannot be read as what it should be.
    NotARecord,
    /// A line of a table with more or fewer cells than its header.
    CellCount,
    /// Not of the kind that belongs there: a text for a number.
    WrongType,
    /// A column that means nothing to us.
    UnknownColumn,
    /// What spreadsheets would take for a formula.
    Formula,
    /// Not what an earlier line says of the same thing.
    Differs,
    /// Another product has it.
    OfAnother,
    /// A quotation mark that is not closed, or is closed in the middle of a cell (RFC 4180).
    BadQuotes,
    /// Lines that could not be read because of what stands before them.
    NotRead,
    /// A file of another kind, such as a workbook.
    NotATable,
    /// One of two columns for the same thing.
    DuplicateColumn,
    /// A character that cannot be part of it, by itself.
    BadCharacter(char),
    /// Not a telephone number: too few digits.
    NotPhone,
    /// Not a postal code of the country.
    NotPostalCode,
}

impl FieldError {
    /// An error at a field.
    pub fn new(field: impl Into<String>, code: FieldCode) -> Self {
        Self { field: field.into(), code }
    }
}

/// What does not hold of a form, gathered while the rest of it is looked at.
#[derive(Debug, Default)]
pub(crate) struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    /// One more.
    pub(crate) fn add(&mut self, field: impl Into<String>, code: FieldCode) {
        self.0.push(FieldError::new(field, code));
    }

    /// What was read; `otherwise` in its place if it does not hold.
    pub(crate) fn take_or<T>(&mut self, read: std::result::Result<T, FieldError>, otherwise: T) -> T {
        read.unwrap_or_else(|fault| {
            self.0.push(fault);
            otherwise
        })
    }

    /// What was read; nothing in its place if it does not hold.
    pub(crate) fn take<T: Default>(&mut self, read: std::result::Result<T, FieldError>) -> T {
        self.take_or(read, T::default())
    }

    /// The whole, if all of it holds.
    pub(crate) fn finish<T>(self, whole: T) -> std::result::Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(whole) } else { Err(self.0) }
    }
}
