//! Validation errors: the field, and the reason as a stable code.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};

/// A form field with an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The name of the field, as in the form.
    pub field: String,
    /// The error.
    pub code: FieldCode,
}

/// Why a field is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// Nothing was entered.
    Missing,
    /// Too many characters. Carries the maximum.
    TooLong(usize),
    /// Too few characters.
    TooShort,
    /// Not an email address.
    NotEmail,
    /// An email address with non-ASCII letters before the `@`, which the mail server does not support.
    EmailNotAscii,
    /// Not a date.
    NotDate,
    /// Not a whole number in the digits 0–9.
    NotNumber,
    /// Below the minimum.
    TooSmall,
    /// Above the maximum.
    TooBig,
    /// More money than allowed. Carries the maximum.
    AmountTooBig(Money),
    /// Not a quantity from nothing to this many.
    AtMost(i64),
    /// Neither an IBAN nor the number of a bank account; or, of its branch, not an IFSC.
    NotBankAccount,
    /// Not one of the options.
    NotAChoice,
    /// Not the cursor of a list's next page.
    BadCursor,
    /// Already taken by someone else.
    Taken,
    /// No account has this email address.
    UnknownUser,
    /// The email address or the password is incorrect.
    WrongCredentials,
    /// The password is incorrect.
    WrongPassword,
    /// A code to sign in that is incorrect, has expired, or was guessed or used already.
    WrongCode,
    /// The account is deactivated.
    Deactivated,
    /// Characters that are not allowed.
    BadCharacters,
    /// Not an https URL.
    NotUrl,
    /// Not an amount of money.
    NotMoney,
    /// An amount in another currency. Carries the one that is used.
    OtherCurrency(Currency),
    /// More decimals than the currency has.
    TooManyDecimals,
    /// A number that can be read two ways: `12,500`.
    AmbiguousNumber,
    /// A duplicate within the form.
    NotUnique,
    /// Reserved for the marketplace.
    Reserved,
    /// It has links, email addresses, phone numbers or insults, which nobody reads before it is published.
    Unfit,
    /// More entries than allowed.
    TooMany,
    /// Not a picture in a supported format.
    NotAPicture,
    /// A damaged or truncated picture.
    PictureBroken,
    /// A picture with too many bytes. Carries the maximum.
    PictureTooHeavy(usize),
    /// A picture with too many pixels.
    PictureTooLarge,
    /// A picture with a side of too many pixels for its purpose. Carries the maximum.
    PictureTooWide(u32),
    /// A picture in HEIC, the format of iPhones.
    PictureHeic,
    /// A line or product of a file that is too long to be read.
    LineTooLong,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A line of a file that is not a valid record.
    NotARecord,
    /// A line of a table with more or fewer cells than its header.
    CellCount,
    /// A value of the wrong type, such as a text instead of a number.
    WrongType,
    /// A name that an object of JSON has twice.
    DuplicateName,
    /// An unknown column.
    UnknownColumn,
    /// Text that a spreadsheet would run as a formula.
    Formula,
    /// A value that contradicts an earlier line of the same product.
    Differs,
    /// Already used by another product.
    OfAnother,
    /// A quotation mark that is not closed, or is closed in the middle of a cell (RFC 4180).
    BadQuotes,
    /// Lines that could not be read because of an error before them.
    NotRead,
    /// A file of an unsupported type, such as a workbook.
    NotATable,
    /// A file without content.
    EmptyFile,
    /// A table without lines below its header.
    NoRows,
    /// JSON that is not of a known format.
    UnknownJson,
    /// A quoted cell that contains lines like those of the table: a warning, since they may be intentional.
    RowsInQuotes,
    /// Tags or unknown entities of HTML in a text: a warning, since shoppers would see them.
    Html,
    /// Entities of HTML that were decoded: a warning, once per file.
    HtmlDecoded,
    /// A duplicate column.
    DuplicateColumn,
    /// A character that is not allowed. Carries the character.
    BadCharacter(char),
    /// Not a phone number: too few digits.
    NotPhone,
    /// Not a postal code of the country.
    NotPostalCode,
    /// A currency whose rate is not known.
    NoRate,
    /// Not a number with at most this many decimals.
    NotDecimal(u32),
    /// Not a colour of the form `#rrggbb`.
    NotColor,
    /// Not a time of day of the form `14:00`.
    NotTime,
    /// Not a multiple of five minutes.
    NotFiveMinutes,
    /// Not a time zone of the IANA database.
    NotAZone,
    /// Not hours of a day such as `9:00-13:00, 14:00-18:00`, in steps of five minutes.
    NotHours,
    /// Not the steps of a price in ascending order, one a line: `0.5: 40`.
    NotSteps,
    /// Another zone of the shop already has one of the areas, or another of its slots is at the same time.
    Overlaps,
    /// The delivery slot has filled or closed, or is no longer offered.
    SlotGone,
    /// Neither a VAT number of the EU nor a GSTIN, or not one of the country.
    NotTaxId,
    /// The place has a tax rate for this category and these days already.
    RateExists,
    /// The line of a file of exchange rates that can't be read.
    RateLine(u32),
    /// The line of a list of synonyms that has one word, too many, or something that is no word.
    SynonymLine(u32),
    /// An exchange rate that is very different from the current one, and that nobody has confirmed.
    RateChanged,
    /// The line of a file of exchange rates that has the currency of an earlier one.
    RateTwice(u32),
    /// A file of exchange rates without any of a currency that can be paid in.
    NoRateOffered,
    /// A file of exchange rates that are older than the current ones, or than a week, and that nobody has confirmed.
    RatesOld,
    /// A file of exchange rates without the one of this currency.
    NoRateOf(crate::money::Currency),
    /// The variant is in another sale at that time.
    SaleExists,
    /// A price of a sale that is not below the ordinary price.
    NotReduced,
    /// An end that is not after the beginning.
    NotAfterStart,
    /// A date or time that has passed.
    Past,
    /// A file of exchange rates of a day that has not begun anywhere.
    RatesAhead,
}

impl FieldCode {
    /// What is only a warning in a product file: it must be accepted, but its product can be imported.
    pub const WARNINGS: [Self; 4] = [Self::RowsInQuotes, Self::Html, Self::HtmlDecoded, Self::UnknownColumn];

    /// Whether it is only a warning.
    pub fn is_warning(self) -> bool {
        Self::WARNINGS.contains(&self)
    }
}

impl FieldError {
    /// An error at a field.
    pub fn new(field: impl Into<String>, code: FieldCode) -> Self {
        Self { field: field.into(), code }
    }
}

/// The errors of a form, collected while the form is validated.
#[derive(Debug, Default)]
pub(crate) struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    /// Adds an error.
    pub(crate) fn add(&mut self, field: impl Into<String>, code: FieldCode) {
        self.0.push(FieldError::new(field, code));
    }

    /// The value, or `otherwise` if it is invalid.
    pub(crate) fn take_or<T>(&mut self, read: std::result::Result<T, FieldError>, otherwise: T) -> T {
        read.unwrap_or_else(|fault| {
            self.0.push(fault);
            otherwise
        })
    }

    /// The value, or a default if it is invalid.
    pub(crate) fn take<T: Default>(&mut self, read: std::result::Result<T, FieldError>) -> T {
        self.take_or(read, T::default())
    }

    /// The validated form, if there are no errors.
    pub(crate) fn finish<T>(self, whole: T) -> std::result::Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(whole) } else { Err(self.0) }
    }
}
