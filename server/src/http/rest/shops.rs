//! Shops: public profiles, and the settings and balances of their members.

use haat_engine::{analytics, ledger, shops};
use haat_shared::{
    Currency, Error, Money, Result, amounts,
    analytics::ShopAnalytics,
    commissions::RateOf,
    ledger::Balance,
    routes::*,
    sales::{AskedPeriod, ShopHome},
    shops::{Member, ShopCard, ShopForm, ShopView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    extract::{At, Body, IfMatch, Once, Paging, Query, page},
    reply::{Found, Listed, Made, Version},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_SHOPS, "Lists shops, oldest first.", list)
        .on(API_SHOP, "Retrieves a shop.", shop)
        .on(API_OPEN_SHOP, "Opens a new shop.", open)
        .on(API_SHOP_HOME, "Retrieves a shop's dashboard: pending tasks and sales figures.", home)
        .on(API_SHOP_ANALYTICS, "Retrieves how a shop did in a period: its sales, the way from views to orders, its products and customers.", figures)
        .on(API_SETTINGS, "Retrieves a shop's settings.", settings)
        .on(
            API_SAVE_SETTINGS,
            "Updates a shop's settings. Fails if they have changed since the version in If-Match.",
            save,
        )
        .on(API_BALANCE, "Retrieves a shop's balance and its transactions.", balance)
}

async fn list(context: RequestContext, Query(of): Query<Paging>) -> Result<Listed<ShopCard>> {
    shops::list(context.engine(), &context.caller, page(&of.after, of.limit)).await.map(Listed)
}

async fn shop(context: RequestContext, At(handle): At<String>) -> Result<Found<ShopView>> {
    shops::shop(context.engine(), &context.caller, &handle).await.map(Found)
}

/// The settings of a shop that can be updated.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The shop's name.
    #[schema(format = "line", max_length = 80)]
    name: String,
    /// The shop's description.
    #[serde(default)]
    #[schema(format = "lines", max_length = 2000)]
    description: String,
    /// The town or city that the shop ships from.
    #[schema(format = "line", max_length = 80)]
    town: String,
    /// The shop's postal address.
    #[serde(default)]
    #[schema(format = "lines", max_length = 500)]
    address: String,
    /// The code of the country that the shop ships from, for taxes. Empty for that of the market.
    #[serde(default)]
    #[schema(pattern = "^([A-Z]{2})?$")]
    country: String,
    /// The region: its code or name. Empty if not known.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 40)]
    region: String,
    /// Whether prices include tax. Null if as in the market.
    #[serde(default)]
    prices_include_tax: Option<bool>,
    /// The shop's tax ID, shown on invoices. In India and the EU, its form is checked.
    #[serde(default)]
    #[schema(format = "optional-line", max_length = 40)]
    tax_id: String,
    /// The return window in days. 0 if the shop doesn't accept returns.
    #[schema(minimum = 0, maximum = 365)]
    returns_days: i64,
}

/// A price, in minor units of the marketplace's currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the schema of amounts that are sent")]
pub(super) struct Price {
    /// The amount in minor units.
    #[schema(minimum = 1, maximum = 1000000000000i64)]
    amount: i64,
    /// The marketplace's currency.
    currency: Currency,
}

/// A price that may be zero, in minor units of the marketplace's currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the schema of amounts that are sent")]
pub(super) struct Fee {
    /// The amount in minor units.
    #[schema(minimum = 0, maximum = 1000000000000i64)]
    amount: i64,
    /// The marketplace's currency.
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
            country: self.country.clone(),
            region: self.region.clone(),
            prices_include_tax: self
                .prices_include_tax
                .map_or("", |yes| if yes { "yes" } else { "no" })
                .to_owned(),
            tax_id: self.tax_id.clone(),
            returns_days: self.returns_days.to_string(),
            ..ShopForm::default()
        }
    }

    fn of(form: &ShopForm) -> Result<Self> {
        let draft = form.check().map_err(|_| Error::Internal)?;
        Ok(Self {
            name: draft.name,
            description: draft.description,
            town: draft.town,
            address: draft.address,
            country: draft.country,
            region: draft.region,
            prices_include_tax: draft.prices_include_tax,
            tax_id: draft.tax_id,
            returns_days: draft.returns_days,
        })
    }
}

/// The parameters of a new shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShop {
    /// The handle used in the shop's URL. It cannot be changed later.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 3, max_length = 40)]
    handle: String,
    /// The other settings.
    settings: Settings,
    /// The price of shipping everywhere. The zones can be changed once the shop is open.
    #[schema(value_type = Fee)]
    shipping_price: Money,
    /// The order subtotal from which that is free.
    #[schema(value_type = Option<Price>)]
    free_shipping_from: Option<Money>,
}

async fn open(context: RequestContext, (Body(new), _): (Body<NewShop>, Once)) -> Result<Made<ShopView>> {
    let form = ShopForm {
        shipping_price: typed(new.shipping_price),
        free_shipping_from: new.free_shipping_from.map(typed).unwrap_or_default(),
        ..new.settings.form(&new.handle)
    };
    let handle = shops::open_as_seller(context.engine(), &context.caller, &form).await?;
    shops::shop(context.engine(), &context.caller, &handle).await.map(Made)
}

/// The period of a dashboard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichPeriod {
    /// The number of days until today: 7, 30 or 90. The default is 30.
    days: Option<String>,
    /// The first date in the marketplace's time zone, together with `to`: `2026-11-01`.
    from: Option<String>,
    /// The last date, at most 366 days in all and not in the future.
    to: Option<String>,
}

impl WhichPeriod {
    fn asked(self) -> AskedPeriod {
        AskedPeriod {
            days: self.days.unwrap_or_default(),
            from: self.from.unwrap_or_default(),
            to: self.to.unwrap_or_default(),
        }
    }
}

async fn home(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichPeriod>),
) -> Result<Found<ShopHome>> {
    shops::home(context.engine(), &context.caller, &handle, &of.asked()).await.map(Found)
}

async fn figures(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<WhichPeriod>),
) -> Result<Found<ShopAnalytics>> {
    analytics::of_shop(context.engine(), &context.caller, &handle, &of.asked()).await.map(Found)
}

/// A shop's settings and related details.
#[derive(Serialize, ToSchema)]
struct ShopSettings {
    /// The shop's currency.
    currency: Currency,
    /// The commission rate, in basis points.
    commission_bp: i64,
    /// The categories whose products have another one.
    commissions: Vec<RateOf>,
    /// The settings that can be updated.
    settings: Settings,
    /// The shop's staff.
    members: Vec<Member>,
}

async fn settings(context: RequestContext, At(handle): At<String>) -> Result<Version<ShopSettings>> {
    let kept = shops::settings(context.engine(), &context.caller, &handle).await?;
    let settings = Settings::of(&kept.form)?;
    let (currency, commission_bp, members) = (kept.currency, kept.commission_bp, kept.members);
    let commissions = kept.commissions;
    Ok(Version(kept.version, ShopSettings { currency, commission_bp, commissions, settings, members }))
}

async fn save(
    context: RequestContext,
    (At(handle), Body(new), IfMatch(version)): (At<String>, Body<Settings>, IfMatch),
) -> Result<Version<ShopSettings>> {
    let form = new.form(&handle);
    shops::save_settings(context.engine(), &context.caller, &handle, version, &form).await?;
    settings(context, At(handle)).await
}

async fn balance(
    context: RequestContext,
    (At(handle), Query(of)): (At<String>, Query<Paging>),
) -> Result<Found<Balance>> {
    ledger::balance(context.engine(), &context.caller, &handle, page(&of.after, of.limit)).await.map(Found)
}

/// An amount that we wrote ourselves.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Money> {
    amounts::read("amount", text, currency).map_err(|_| Error::Internal)
}
