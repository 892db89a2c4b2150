//! The use cases of Haat, one module per domain.
//!
//! A use case is a function: it takes the [`Engine`], the [`Caller`] and a command, authorises the caller,
//! opens a transaction, loads data, applies a pure rule of `haat_shared`, writes rows and outbox messages,
//! commits, and returns a view. All SQL statements of the program are in this crate, beside the use case
//! that needs them. External services (payment gateways, mailers, picture stores) are traits; the crate
//! knows no HTTP, no HTML and no user-facing text.

pub mod accounts;
pub mod activity;
pub mod addresses;
pub mod admin;
pub mod analytics;
pub mod appointments;
pub mod audit;
mod bookings;
pub mod books;
pub mod bus;
pub mod caller;
pub mod cards;
pub mod cart_codes;
pub mod carts;
pub mod catalog;
pub mod category_tree;
pub mod chat;
pub mod checkout;
pub mod clock;
pub mod commissions;
pub mod contact;
pub mod currencies;
pub mod db;
pub mod dispatch;
pub mod events;
pub mod exchange;
pub mod finding;
pub mod gift_cards;
pub mod idempotency;
pub mod inventory;
pub mod invoices;
pub mod jobs;
pub mod ledger;
pub mod media;
pub mod notifications;
pub mod oracle;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod payouts;
pub mod personal;
pub mod price_lists;
pub mod product_search;
pub mod promotions;
mod quotas;
pub mod random;
pub mod recommendations;
pub mod reviews;
mod revisions;
pub mod sale_events;
pub mod sale_prices;
pub mod sales;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod schedules;
pub mod seals;
pub mod search;
pub mod search_terms;
pub mod services;
pub mod shipping;
pub mod shops;
pub mod slots;
mod spreadsheet;
pub mod staff;
mod subjects;
pub mod taxes;
pub mod users;
pub mod webhooks;
pub mod wishlist;

use std::sync::Arc;

pub use caller::{Caller, Who};
pub use clock::Clock;
pub use db::Db;
use db::DbError;
use haat_shared::{
    Currency, Error, FieldCode, Id, gift_cards::GiftCardTerms, id::IdKind, pricing, reviews::ReviewTerms,
};
use notifications::{EmailRenderer, Mailer};
use payments::PaymentGateway;
pub use spreadsheet::Exported;

/// The dependencies of all use cases. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

/// The parts of an engine.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The gateways, in the display order of their payment methods.
    pub gateways: Vec<Arc<dyn PaymentGateway>>,
    /// Sends emails.
    pub mailer: Arc<dyn Mailer>,
    /// Whether the mailer supports non-ASCII letters before the `@` of an address.
    pub smtputf8: bool,
    /// The providers with whose accounts users can sign in, in the order of their buttons.
    pub providers: Vec<Arc<dyn accounts::logins::IdentityProvider>>,
    /// Sends notifications to browsers.
    pub pusher: Arc<dyn notifications::push::Pusher>,
    /// Where people of the market read emails: messages from the contact page go there. May be empty.
    pub support_email: String,
    /// Renders emails.
    pub render: EmailRenderer,
    /// The key that signs links.
    pub secret: random::SigningKey,
    /// The public URL of the market, without a trailing slash.
    pub public_url: String,
    /// Wakes the workers of all nodes.
    pub bus: Arc<dyn bus::Bus>,
    /// The currency of the market: that of new shops and of rates.
    pub currency: Currency,
    /// The currencies that shoppers can pay in, the market's first.
    pub currencies: Vec<Currency>,
    /// The country of the market (ISO 3166-1): that of shops and addresses that name none.
    pub country: String,
    /// The time zone of the market, for the dates and times on pages and in emails.
    pub zone: clock::Zone,
    /// How many days after delivery an order can be returned, until its earnings are available to the shop. A
    /// shop may promise more.
    pub return_days: i64,
    /// How many days a shop has to answer a return request, before an operator may decide.
    pub return_answer_days: i64,
    /// The terms of payouts.
    pub payouts: payouts::PayoutTerms,
    /// At what amounts it sells gift cards; `None` if it doesn't.
    pub gift_cards: Option<GiftCardTerms>,
    /// The rules for reviews.
    pub reviews: ReviewTerms,
    /// The program's own promotions, which apply to every cart that meets their terms, in this order, before those of
    /// shops and of the market.
    pub promotions: Vec<pricing::Promotion>,
    /// The tax rates that this node has read.
    pub taxes: taxes::TaxCache,
    /// The shipping rules that this node has read.
    pub shipping: shipping::RulesCache,
    /// What this node has counted of what people do with products.
    pub activity: activity::Activity,
    /// The search index of this node.
    pub search: product_search::ProductSearch,
    /// Stores pictures.
    pub pictures: media::SharedPictureStore,
    /// The limits on guests, and on emails per address.
    pub bounds: Bounds,
}

/// Limits on what unknown people can do.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Open checkouts of guests per origin.
    pub guest_checkouts: i64,
    /// Units of a variant that guests of one origin can hold, however low its stock.
    pub guest_items: i64,
    /// Or this percentage of its stock, if that is more.
    pub guest_stock_percent: i64,
    /// Cash orders of guests per email address and day.
    pub guest_cash_orders_per_day: i64,
    /// Cash orders of guests per origin and day.
    pub origin_cash_orders_per_day: i64,
    /// The maximum cash order of a guest, in whole units of its currency.
    pub guest_cash_order_max: i64,
    /// Emails about purchases per address and hour.
    pub emails_per_hour: i64,
    /// The same in a day.
    pub emails_per_day: i64,
    /// Codes that can be tried per origin and hour.
    pub codes_per_hour: i64,
}

impl Bounds {
    /// No limits.
    pub const NONE: Self = Self {
        guest_checkouts: i64::MAX,
        guest_items: i64::MAX,
        guest_stock_percent: i64::MAX,
        guest_cash_orders_per_day: i64::MAX,
        origin_cash_orders_per_day: i64::MAX,
        guest_cash_order_max: i64::MAX,
        emails_per_hour: i64::MAX,
        emails_per_day: i64::MAX,
        codes_per_hour: i64::MAX,
    };

    /// How many units of a variant guests of one origin can hold at once.
    pub fn guest_may_hold(&self, on_hand: i64) -> i64 {
        self.guest_items.max(on_hand.saturating_mul(self.guest_stock_percent) / 100)
    }
}

impl Engine {
    /// An engine from its parts, unless its gateways don't fit the declared payment methods. The error says
    /// what to change.
    pub fn new(parts: Parts) -> Result<Self, String> {
        payments::check_gateways(&parts.gateways)?;
        Ok(Self(Arc::new(parts)))
    }

    /// Return requests from before this time are unanswered for too long.
    fn unanswered_since(&self) -> i64 {
        self.clock.now_ms() - self.return_answer_days * 86_400_000
    }

    /// The gateway where shops can have accounts of their own, with its name.
    fn connect(&self) -> Option<(&'static str, &dyn payments::Connect)> {
        self.gateways.iter().find_map(|gateway| Some((gateway.name(), gateway.connect()?)))
    }

    fn gateway(&self, name: &str) -> Result<&Arc<dyn PaymentGateway>, Error> {
        self.gateways.iter().find(|gateway| gateway.name() == name).ok_or(Error::NotFound)
    }
}

impl std::ops::Deref for Engine {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Why a transaction failed: it was rejected, the database failed, or the program has a bug.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TxError {
    /// Rejected, with an error for the caller.
    #[error(transparent)]
    Rejected(#[from] Error),
    /// A failure of the database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A bug in the program, described for the log.
    #[error("{0}")]
    Bug(String),
}

/// The result of a transaction's closure.
pub type TxResult<T> = Result<T, TxError>;

/// A bug in the program.
pub fn bug(what: impl Into<String>) -> TxError {
    TxError::Bug(what.into())
}

impl From<haat_shared::Conflict> for TxError {
    fn from(conflict: haat_shared::Conflict) -> Self {
        Self::Rejected(conflict.into())
    }
}

impl From<haat_shared::money::MoneyError> for TxError {
    fn from(error: haat_shared::money::MoneyError) -> Self {
        Self::Rejected(error.into())
    }
}

/// The boundary of a use case: database errors and bugs are logged here, once, and reported as `Busy` or
/// `Internal`.
impl From<TxError> for Error {
    fn from(fault: TxError) -> Self {
        match fault {
            TxError::Rejected(error) => error,
            TxError::Db(error) => error_of(&error),
            TxError::Bug(what) => {
                tracing::error!(error = what, "internal error");
                Self::Internal
            }
        }
    }
}

fn error_of(error: &DbError) -> Error {
    match error {
        DbError::Again(_) | DbError::Full(_) | DbError::Away(_) | DbError::Unknown(_) => {
            tracing::warn!(%error, "a database operation failed and can be retried");
            Error::Busy { retry_after_s: 1 }
        }
        DbError::Unique(_) | DbError::Constraint(_) | DbError::Other(_) => {
            tracing::error!(%error, "a database operation failed");
            Error::Internal
        }
    }
}

/// Lets reads outside a transaction use `?`.
impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        error_of(&error)
    }
}

/// Runs `work` in a task of its own and waits for it, so that it completes even if the client
/// disconnects.
#[expect(clippy::disallowed_methods, reason = "it is waited for here, in the span of whoever asked")]
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::spawn(tracing::Instrument::in_current_span(work)).await;
    done.map_err(|panic| bug(format!("a task did not finish: {panic}")).into())
}

/// Groups rows by a key, in the order in which the keys first occur.
pub(crate) fn group_by<T, K: PartialEq>(rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for row in rows {
        let k = key(&row);
        match groups.iter_mut().find(|(have, _)| *have == k) {
            Some((_, group)) => group.push(row),
            None => groups.push((k, vec![row])),
        }
    }
    groups
}

/// The ID from which a page continues; `None` for the first page.
pub(crate) fn cursor<K: IdKind>(after: &str) -> haat_shared::Result<Option<Id<K>>> {
    if after.is_empty() {
        return Ok(None);
    }
    after.parse().map(Some).map_err(|_| Error::field("after", FieldCode::BadCursor))
}
