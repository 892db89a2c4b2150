//! Parameters of statements and columns of rows, the same for both databases.

use haat_shared::{
    Currency, Id,
    accounts::UserState,
    address_book::AddressLabel,
    admin::RefundState,
    announcements::{AnnouncementAudience, AnnouncementKind, AnnouncementState},
    appointments::{AppointmentState, ServicePlace},
    audit::DeliveryState,
    catalog::{
        attributes::AttributeKind,
        edit::ProductState,
        imports::{Format, ImportState},
    },
    chat::Side,
    checkout::CheckoutState,
    contact::ContactState,
    disputes::DisputeState,
    events::EventKind,
    invoices::InvoiceKind,
    ledger::{Account, PostingKind},
    logins::Provider,
    notifications::{Channel, NotificationTopic},
    orders::{Actor, OrderEventKind, OrderState, RefundReason, ShipmentKind},
    page::{Counted, Page},
    payments::{CollectedBy, PaymentMethod, PaymentState},
    payouts::{PayoutMethodKind, PayoutState},
    permissions::{AdminRole, Role},
    pricing::{Bearer, LineKind},
    reports::{ReportReason, ReportState},
    returns::{ReturnReason, ReturnState},
    reviews::{HoldReason, ReviewState},
    shipping::{ShippingMethod, Slot},
    staff::InvitationState,
    taxes::{TaxBasis, TaxKind},
};
use rusqlite::types::{ToSqlOutput, ValueRef};
use sqlx_core::{arguments::Arguments, decode::Decode, row::Row as _, types::Type};
use sqlx_postgres::{PgArguments, PgRow, Postgres};
use uuid::Uuid;

use super::DbError;

/// A parameter. `None` is a typed NULL, because PostgreSQL needs the type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// BIGINT
    Int(Option<i64>),
    /// TEXT
    Text(Option<String>),
    /// BOOLEAN
    Bool(Option<bool>),
    /// UUID
    Uuid(Option<Uuid>),
    /// BYTEA
    Bytes(Option<Vec<u8>>),
}

/// Parameters in the order of `$1…$n`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}

/// PostgreSQL cannot store NUL characters in text, so they become the replacement character, on both
/// databases.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

macro_rules! from {
    ($($arm:ident $($type:ty => $convert:expr),+;)*) => {$($(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$arm(Some($convert(value)))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$arm(value.map($convert))
            }
        }
    )+)*};
}

from! {
    Int i64 => |v| v;
    Bool bool => |v| v;
    Text String => |v: String| clean(&v), &str => clean, &String => |v: &String| clean(v), Currency => |c: Currency| c.code().to_owned(), Slot => |slot: Slot| slot.to_string();
    Uuid Uuid => |v| v;
    Bytes Vec<u8> => |v| v, &[u8] => <[u8]>::to_vec, [u8; 32] => |v: [u8; 32]| v.to_vec();
}

impl<K> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Uuid(Some(id.uuid()))
    }
}

impl<K> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Uuid(id.map(Id::uuid))
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(v)) => ValueRef::Integer(*v),
            Self::Bool(Some(v)) => ValueRef::Integer(i64::from(*v)),
            Self::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Self::Uuid(Some(v)) => ValueRef::Blob(v.as_bytes()),
            Self::Bytes(Some(v)) => ValueRef::Blob(v),
            _ => ValueRef::Null,
        }))
    }
}

/// The parameters in the form of PostgreSQL's driver.
pub(super) fn pg_arguments(values: &[Value]) -> Result<PgArguments, DbError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(v) => arguments.add(v),
            Value::Bool(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v.as_deref()),
            Value::Uuid(v) => arguments.add(v),
            Value::Bytes(v) => arguments.add(v.as_deref()),
        }
        .map_err(|e| DbError::Other(format!("parameter: {e}")))?;
    }
    Ok(arguments)
}

/// A row of a result.
#[derive(Clone, Copy)]
pub enum Row<'a> {
    /// From SQLite.
    Lite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    Pg(&'a PgRow),
}

impl Row<'_> {
    /// The value of a column, by its name.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, DbError> {
        match self {
            Self::Lite(row) => {
                let value = row.get_ref(name).map_err(|e| DbError::Other(format!("column {name}: {e}")))?;
                T::from_lite(value).ok_or_else(|| {
                    DbError::Other(format!("column {name}: cannot be read from {}", value.data_type()))
                })
            }
            Self::Pg(row) => T::from_pg(row, name).map_err(|e| DbError::Other(format!("column {name}: {e}"))),
        }
    }
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// From SQLite; `None` if the value has another type.
    fn from_lite(value: ValueRef<'_>) -> Option<Self>;
    /// From PostgreSQL.
    fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error>;
}

macro_rules! column {
    ($($type:ty: $value:pat => $read:expr;)*) => {$(
        impl Column for $type {
            fn from_lite(value: ValueRef<'_>) -> Option<Self> {
                match value {
                    $value => $read,
                    _ => None,
                }
            }
            fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
                row.try_get(name)
            }
        }
        impl Column for Option<$type> {
            fn from_lite(value: ValueRef<'_>) -> Option<Self> {
                match value {
                    ValueRef::Null => Some(None),
                    value => <$type>::from_lite(value).map(Some),
                }
            }
            fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
                row.try_get(name)
            }
        }
    )*};
}

column! {
    i64: ValueRef::Integer(v) => Some(v);
    bool: ValueRef::Integer(v) => Some(v != 0);
    String: ValueRef::Text(v) => std::str::from_utf8(v).ok().map(str::to_owned);
    Uuid: ValueRef::Blob(v) => Uuid::from_slice(v).ok();
    Vec<u8>: ValueRef::Blob(v) => Some(v.to_vec());
}

impl<K> Column for Id<K> {
    fn from_lite(value: ValueRef<'_>) -> Option<Self> {
        Uuid::from_lite(value).map(Self::from_uuid)
    }
    fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
        Uuid::from_pg(row, name).map(Self::from_uuid)
    }
}

impl<K> Column for Option<Id<K>> {
    fn from_lite(value: ValueRef<'_>) -> Option<Self> {
        Option::<Uuid>::from_lite(value).map(|id| id.map(Id::from_uuid))
    }
    fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
        Option::<Uuid>::from_pg(row, name).map(|id| id.map(Id::from_uuid))
    }
}

/// A text with a meaning: a state, a role, a currency. None if it is NULL.
fn pg_text<T>(
    row: &PgRow,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, sqlx_core::error::Error>
where
    for<'r> Option<&'r str>: Decode<'r, Postgres> + Type<Postgres>,
{
    let Some(text) = row.try_get::<Option<&str>, _>(name)? else { return Ok(None) };
    let decoded = parse(text);
    let unknown = || sqlx_core::error::Error::Decode(format!("{text:?} is not a known value").into());
    decoded.map(Some).ok_or_else(unknown)
}

macro_rules! text_column {
    ($type:ty, $parse:expr) => {
        impl Column for $type {
            fn from_lite(value: ValueRef<'_>) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                match value {
                    ValueRef::Text(v) => std::str::from_utf8(v).ok().and_then(parse),
                    _ => None,
                }
            }
            fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
                let null = || sqlx_core::error::Error::Decode(format!("{name} is NULL").into());
                pg_text(row, name, $parse)?.ok_or_else(null)
            }
        }
        impl Column for Option<$type> {
            fn from_lite(value: ValueRef<'_>) -> Option<Self> {
                match value {
                    ValueRef::Null => Some(None),
                    value => <$type>::from_lite(value).map(Some),
                }
            }
            fn from_pg(row: &PgRow, name: &str) -> Result<Self, sqlx_core::error::Error> {
                pg_text(row, name, $parse)
            }
        }
    };
    // Types declared with `text_enum!` are also valid parameters.
    ($($enum:ty;)*) => {$(
        text_column!($enum, <$enum>::parse);
        impl From<$enum> for Value {
            fn from(value: $enum) -> Self {
                value.as_str().into()
            }
        }
    )*};
}

text_column!(Currency, |text| text.parse().ok());
text_column!(Slot, |text| text.parse().ok());
text_column! {
    AddressLabel;
    Role;
    AdminRole;
    CheckoutState;
    OrderState;
    ReturnReason;
    ReturnState;
    Actor;
    OrderEventKind;
    RefundReason;
    ShipmentKind;
    EventKind;
    ShippingMethod;
    PostingKind;
    InvoiceKind;
    Account;
    ProductState;
    Format;
    ImportState;
    PaymentState;
    PaymentMethod;
    CollectedBy;
    LineKind;
    TaxBasis;
    TaxKind;
    Bearer;
    AttributeKind;
    PayoutState;
    PayoutMethodKind;
    DisputeState;
    RefundState;
    NotificationTopic;
    Channel;
    DeliveryState;
    AnnouncementKind;
    AnnouncementAudience;
    AnnouncementState;
    Side;
    ReportReason;
    ServicePlace;
    AppointmentState;
    ReportState;
    ReviewState;
    HoldReason;
    Provider;
    ContactState;
    UserState;
    InvitationState;
}

/// A type that a row can be read as.
pub trait FromRow: Sized {
    /// Reads the row, by column names.
    fn from_row(row: &Row<'_>) -> Result<Self, DbError>;
}

/// Declares structs that are read from rows, each field from the column of its name. Fields after `;`
/// read several columns of the same row themselves.
#[macro_export]
macro_rules! rows {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)? $(; $($part:ident: $part_type:ty),+)? })*) => {$(
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type,)* $($($part: $part_type,)+)? }
        impl $crate::db::FromRow for $name {
            fn from_row(row: &$crate::db::Row<'_>) -> ::std::result::Result<Self, $crate::db::DbError> {
                Ok(Self {
                    $($field: row.get(stringify!($field))?,)*
                    $($($part: <$part_type as $crate::db::FromRow>::from_row(row)?,)+)?
                })
            }
        }
    )*};
}

/// A row of one column, named `value`.
pub struct Scalar<T>(pub T);

impl<T: Column> FromRow for Scalar<T> {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        row.get("value").map(Scalar)
    }
}

crate::rows! {
    /// The number of rows with a name, as [`super::ListQuery::count_by`] and [`super::ListQuery::count`] count them.
    pub(crate) struct CountRow {
        name: String,
        count: i64,
    }
}

impl CountRow {
    /// All of these counts as one.
    pub(crate) fn sum(name: &str, counts: Vec<Self>) -> Option<Self> {
        let count = counts.iter().map(|row| row.count).sum();
        (count > 0).then(|| Self { name: name.to_owned(), count })
    }

    /// A page of a list with these counts.
    pub(crate) fn with<T>(counts: Vec<Self>, page: Page<T>) -> Counted<T> {
        Counted { page, counts: counts.into_iter().map(|row| (row.name, row.count)).collect() }
    }
}
