//! Shops: their faces, and what their owners keep.

use haat_engine::{ledger, shops};
use haat_shared::{
    Currency, Error, Money, Result,
    ledger::Balance,
    money,
    routes::*,
    shops::{Member, ShopCard, ShopForm, ShopHome, ShopView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, Ask,
    parts::{At, Body, Found, IfMatch, Listed, Made, Once, Paging, Query, Version, page},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_SHOPS, "Shops, the oldest first.", list)
        .on(API_SHOP, "A shop.", shop)
        .on(API_OPEN_SHOP, "Opens a shop of one's own.", open)
        .on(API_SHOP_HOME, "What is to be done in a shop, and how it goes.", home)
        .on(API_SETTINGS, "A shop's settings.", settings)
        .on(API_SAVE_SETTINGS, "Saves a shop's settings, if they are the version that was read.", save)
        .on(API_BALANCE, "What a shop has with the marketplace.", balance)
}

async fn list(ask: Ask, Query(of): Query<Paging>) -> Result<Listed<ShopCard>> {
    shops::list(ask.engine(), &ask.caller, page(&of.after, of.limit)).await.map(Listed)
}

async fn shop(ask: Ask, At(handle): At<String>) -> Result<Found<ShopView>> {
    shops::shop(ask.engine(), &ask.caller, &handle).await.map(Found)
}

/// What an owner says about their shop.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Its name.
    #[schema(format = "line", max_length = 80)]
    name: String,
    /// What it says about itself.
    #[serde(default)]
    #[schema(format = "lines", max_length = 2000)]
    description: String,
    /// The town it sends from.
    #[schema(format = "line", max_length = 80)]
    town: String,
    /// Where it can be written to.
    #[serde(default)]
    #[schema(format = "lines", max_length = 500)]
    address: String,
    /// What it asks for bringing an order.
    #[schema(value_type = Fee)]
    delivery: Money,
    /// From this much on it asks nothing for that.
    #[schema(value_type = Option<Price>)]
    free_delivery_from: Option<Money>,
    /// How many days it takes at least until an order is there.
    #[schema(minimum = 0, maximum = 365)]
    delivery_days_min: i64,
    /// How many days at most.
    #[schema(minimum = 0, maximum = 365)]
    delivery_days_max: i64,
    /// What it asks for a quicker way; none for no such way.
    #[schema(value_type = Option<Fee>)]
    express: Option<Money>,
    /// How many days that takes at least.
    #[schema(minimum = 0, maximum = 365)]
    express_days_min: i64,
    /// How many days at most.
    #[schema(minimum = 0, maximum = 365)]
    express_days_max: i64,
    /// Whether shoppers may come for their orders.
    pickup: bool,
    /// For how many days things may come back; 0 for not at all.
    #[schema(minimum = 0, maximum = 365)]
    returns_days: i64,
}

/// What something costs, in minor units of the market's currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the schema of amounts that are sent")]
pub(super) struct Price {
    /// The minor units.
    #[schema(minimum = 1, maximum = 1000000000000i64)]
    amount: i64,
    /// The market's currency.
    currency: Currency,
}

/// What something costs that may be free, in minor units of the market's currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the schema of amounts that are sent")]
pub(super) struct Fee {
    /// The minor units.
    #[schema(minimum = 0, maximum = 1000000000000i64)]
    amount: i64,
    /// The market's currency.
    currency: Currency,
}

/// An amount as a form takes it: with its currency, since another one than the shop's does not do.
pub(super) fn typed(money: Money) -> String {
    format!("{}{}", money.currency(), money.plain())
}

impl Settings {
    fn form(&self, handle: &str) -> ShopForm {
        ShopForm {
            handle: handle.to_owned(),
            name: self.name.clone(),
            description: self.description.clone(),
            town: self.town.clone(),
            address: self.address.clone(),
            delivery: typed(self.delivery),
            free_delivery_from: self.free_delivery_from.map(typed).unwrap_or_default(),
            delivery_days_min: self.delivery_days_min.to_string(),
            delivery_days_max: self.delivery_days_max.to_string(),
            express: self.express.map(typed).unwrap_or_default(),
            express_days_min: self.express_days_min.to_string(),
            express_days_max: self.express_days_max.to_string(),
            pickup: self.pickup,
            returns_days: self.returns_days.to_string(),
        }
    }

    fn of(form: &ShopForm, currency: Currency) -> Result<Self> {
        let draft = form.check(currency).map_err(|_| Error::Internal)?;
        Ok(Self {
            name: draft.name,
            description: draft.description,
            town: draft.town,
            address: draft.address,
            delivery: draft.delivery,
            free_delivery_from: draft.free_delivery_from,
            delivery_days_min: draft.delivery_days.0,
            delivery_days_max: draft.delivery_days.1,
            express: draft.express,
            express_days_min: draft.express_days.0,
            express_days_max: draft.express_days.1,
            pickup: draft.pickup,
            returns_days: draft.returns_days,
        })
    }
}

/// A shop to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShop {
    /// Its name in addresses. It cannot be changed.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 3, max_length = 40)]
    handle: String,
    /// All else.
    settings: Settings,
}

async fn open(ask: Ask, (Body(new), _): (Body<NewShop>, Once)) -> Result<Made<ShopView>> {
    shops::open_own(ask.engine(), &ask.caller, &new.settings.form(&new.handle)).await?;
    shops::shop(ask.engine(), &ask.caller, &new.handle.trim().to_lowercase()).await.map(Made)
}

async fn home(ask: Ask, At(handle): At<String>) -> Result<Found<ShopHome>> {
    shops::home(ask.engine(), &ask.caller, &handle).await.map(Found)
}

/// A shop's settings, and what goes with them.
#[derive(Serialize, ToSchema)]
struct ShopSettings {
    /// The shop's currency.
    currency: Currency,
    /// What the marketplace keeps of each order, in basis points.
    commission_bp: i64,
    /// What can be changed.
    settings: Settings,
    /// Who works there.
    members: Vec<Member>,
}

async fn settings(ask: Ask, At(handle): At<String>) -> Result<Version<ShopSettings>> {
    let kept = shops::settings(ask.engine(), &ask.caller, &handle).await?;
    let settings = Settings::of(&kept.form, kept.currency)?;
    let (currency, commission_bp, members) = (kept.currency, kept.commission_bp, kept.members);
    Ok(Version(kept.version, ShopSettings { currency, commission_bp, settings, members }))
}

async fn save(
    ask: Ask,
    (At(handle), Body(new), IfMatch(version)): (At<String>, Body<Settings>, IfMatch),
) -> Result<Version<ShopSettings>> {
    let form = new.form(&handle);
    shops::save_settings(ask.engine(), &ask.caller, &handle, version, &form).await?;
    settings(ask, At(handle)).await
}

async fn balance(ask: Ask, (At(handle), Query(of)): (At<String>, Query<Paging>)) -> Result<Found<Balance>> {
    ledger::balance(ask.engine(), &ask.caller, &handle, page(&of.after, of.limit)).await.map(Found)
}

/// An amount that we wrote ourselves.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Money> {
    money::amount("amount", text, currency).map_err(|_| Error::Internal)
}
