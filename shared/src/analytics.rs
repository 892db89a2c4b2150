//! How a shop, or the market, is doing: its sales by the day on which they were booked, how people came to buy, and what they
//! bought.

use serde::{Deserialize, Serialize};

use crate::{
    Money,
    id::kinds::ProductId,
    money::{Currency, MoneyError},
    payments::PaymentMethod,
    sales::ratio,
};

text_enum! {
    /// Where people were before they opened a page.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    #[derive(Hash, PartialOrd, Ord, Default)]
    pub enum Source {
        /// Unknown: they typed the address, or opened it in an app or an email.
        #[default]
        Direct = "direct",
        /// On another page of the market.
        Market = "market",
        /// Baidu.
        Baidu = "baidu",
        /// Bing.
        Bing = "bing",
        /// DuckDuckGo.
        DuckDuckGo = "duckduckgo",
        /// Facebook.
        Facebook = "facebook",
        /// Google.
        Google = "google",
        /// Instagram.
        Instagram = "instagram",
        /// LinkedIn.
        LinkedIn = "linkedin",
        /// Pinterest.
        Pinterest = "pinterest",
        /// Reddit.
        Reddit = "reddit",
        /// Telegram.
        Telegram = "telegram",
        /// TikTok.
        TikTok = "tiktok",
        /// WhatsApp.
        WhatsApp = "whatsapp",
        /// X, formerly Twitter.
        X = "x",
        /// Yahoo.
        Yahoo = "yahoo",
        /// Yandex.
        Yandex = "yandex",
        /// YouTube.
        YouTube = "youtube",
        /// On any other website. Their names are not kept: anybody can send any.
        Other = "other",
    }
}

impl Source {
    /// The source that a `Referer` header names, for a market at `public_url`.
    pub fn of(referer: &str, public_url: &str) -> Self {
        let host = |url: &str| {
            let rest = url.split_once("://")?.1;
            let host = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
            (!host.is_empty()).then(|| host.to_ascii_lowercase())
        };
        let Some(from) = host(referer) else { return Self::Direct };
        if host(public_url).is_some_and(|own| own == from) {
            return Self::Market;
        }
        let from = from.split(':').next().unwrap_or_default();
        let labels: Vec<&str> = from.split('.').collect();
        // `www.google.co.in`, but not `google.example.com`.
        let names = |name: &str| {
            let at = labels.iter().rposition(|label| *label == name);
            at.is_some_and(|at| match labels.len() - at {
                2 => true,
                3 => labels[at + 1].len() <= 3 && labels[at + 2].len() == 2,
                _ => false,
            })
        };
        let known = Self::ALL.into_iter().filter(|known| !matches!(known, Self::Other | Self::X));
        let known = known.filter(|known| !matches!(known, Self::Direct | Self::Market));
        match from {
            "t.co" | "x.com" | "twitter.com" | "mobile.twitter.com" => Self::X,
            "youtu.be" => Self::YouTube,
            "t.me" => Self::Telegram,
            "wa.me" => Self::WhatsApp,
            "lnkd.in" => Self::LinkedIn,
            _ => known.into_iter().find(|known| names(known.as_str())).unwrap_or(Self::Other),
        }
    }
}

/// Whether what a client calls itself is a program that reads pages by itself, such as that of a search engine.
pub fn is_robot(agent: &str) -> bool {
    const SIGNS: [&str; 10] =
        ["bot", "crawl", "spider", "slurp", "preview", "fetch", "monitor", "curl", "wget", "python"];
    let agent = agent.to_ascii_lowercase();
    agent.is_empty() || SIGNS.iter().any(|sign| agent.contains(sign))
}

/// Sales as they were booked: each amount counts on the day on which it came in or was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SalesFigures {
    /// Gross sales: the totals of the orders that were placed, after discounts, with shipping and taxes.
    pub gross: Money,
    /// The discounts on these orders.
    pub discounts: Money,
    /// The part of the gross sales that was charged for shipping, before discounts and taxes on it.
    pub shipping: Money,
    /// The part of the gross sales that is taxes.
    pub taxes: Money,
    /// What was left of orders when they were cancelled.
    pub cancelled: Money,
    /// What was refunded of other orders.
    pub refunded: Money,
    /// What was lost in disputes about payments.
    pub lost: Money,
    /// Net sales: gross sales less what was cancelled, refunded and lost.
    pub net: Money,
    /// The number of orders placed, without exchanges.
    pub orders: i64,
    /// The number of units in them.
    pub units: i64,
}

impl SalesFigures {
    /// No sales.
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            gross: zero,
            discounts: zero,
            shipping: zero,
            taxes: zero,
            cancelled: zero,
            refunded: zero,
            lost: zero,
            net: zero,
            orders: 0,
            units: 0,
        }
    }

    /// The sum of figures in one currency. `net` is what the others say.
    pub fn sum<'a>(currency: Currency, of: impl IntoIterator<Item = &'a Self>) -> Result<Self, MoneyError> {
        let mut all = Self::none(currency);
        for figures in of {
            for (to, from) in [
                (&mut all.gross, figures.gross),
                (&mut all.discounts, figures.discounts),
                (&mut all.shipping, figures.shipping),
                (&mut all.taxes, figures.taxes),
                (&mut all.cancelled, figures.cancelled),
                (&mut all.refunded, figures.refunded),
                (&mut all.lost, figures.lost),
            ] {
                *to = to.plus(from)?;
            }
            all.orders += figures.orders;
            all.units += figures.units;
        }
        all.net = all.gross.minus(all.cancelled)?.minus(all.refunded)?.minus(all.lost)?;
        Ok(all)
    }
}

/// The sales of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayFigures {
    /// The date in the marketplace's time zone: `2026-11-21`.
    pub day: String,
    /// The day's figures.
    pub sales: SalesFigures,
}

/// How often products were looked at, and how far they came on their way to an order. The steps are counted, not the people
/// who take them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Funnel {
    /// How often product pages were opened, by people.
    pub views: i64,
    /// How often products were added to baskets.
    pub adds: i64,
    /// How often products came to a checkout.
    pub checkouts: i64,
    /// How often products were ordered: the number of lines of orders.
    pub orders: i64,
}

impl Funnel {
    /// The steps in their order.
    pub fn steps(&self) -> [i64; 4] {
        [self.views, self.adds, self.checkouts, self.orders]
    }

    /// Orders in a hundred views, in tenths of a percent, rounded half up; None without views.
    pub fn conversion(&self) -> Option<i64> {
        (self.views > 0).then(|| ratio(i128::from(self.orders) * 1_000, self.views.into()))
    }
}

/// What a product did in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductFigures {
    /// The product's ID.
    pub product_id: ProductId,
    /// The product's title.
    pub title: String,
    /// How far it came.
    pub funnel: Funnel,
    /// The number of units sold.
    pub units: i64,
    /// What was paid for them: after discounts, without shipping, and without taxes that are added to prices.
    pub sold: Money,
    /// The number of units that were refunded, of cancelled orders too.
    pub refunded_units: i64,
    /// The quantity available for sale; None if it isn't counted.
    pub available: Option<i64>,
    /// For how many days this lasts if as many are sold each day as in the period; None if nothing was sold, or it isn't counted.
    pub days_left: Option<i64>,
}

/// For how many days a stock lasts, rounded down.
pub fn days_left(available: i64, sold: i64, days: i64) -> Option<i64> {
    (sold > 0).then(|| {
        i64::try_from(i128::from(available.max(0)) * i128::from(days) / i128::from(sold)).unwrap_or(i64::MAX)
    })
}

/// A published product that nobody bought in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlowProduct {
    /// The product's ID.
    pub product_id: ProductId,
    /// The product's title.
    pub title: String,
    /// The quantity available for sale.
    pub available: i64,
    /// How often its page was opened in the period.
    pub views: i64,
}

/// The customers of a period, told apart by their email addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerFigures {
    /// How many placed orders.
    pub customers: i64,
    /// How many of them had ordered before, or ordered more than once.
    pub returning: i64,
}

/// How many product pages were opened by people who came from somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceFigures {
    /// Where they came from.
    pub source: Source,
    /// The number of views.
    pub views: i64,
}

/// How a shop did in a period, and in the previous one, which has the same number of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopAnalytics {
    /// The figures of the period.
    pub now: SalesFigures,
    /// Those of the previous period.
    pub before: SalesFigures,
    /// Those of each day of the period.
    pub days: Vec<DayFigures>,
    /// Those of each day of the previous period.
    pub days_before: Vec<DayFigures>,
    /// From looking to buying.
    pub funnel: Funnel,
    /// The same in the previous period.
    pub funnel_before: Funnel,
    /// The products of the period, those that sold best first: the first [`PRODUCTS_SHOWN`].
    pub products: Vec<ProductFigures>,
    /// Published products in stock that nobody bought, those that were looked at most first: the first [`SLOW_SHOWN`].
    pub slow: Vec<SlowProduct>,
    /// The customers.
    pub customers: CustomerFigures,
    /// The customers of the previous period.
    pub customers_before: CustomerFigures,
    /// Where people came from who opened product pages, most first.
    pub sources: Vec<SourceFigures>,
    /// How many product pages were opened in each hour of the day, from midnight in the marketplace's time zone.
    pub hours: Vec<i64>,
}

/// What a shop sold in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopFigures {
    /// The shop's handle.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The number of orders placed in the period, without exchanges.
    pub orders: i64,
    /// Their totals, in the market's currency.
    pub gross: Money,
    /// How many of these orders are cancelled by now.
    pub cancelled_orders: i64,
    /// What has been refunded of them by now, in the market's currency, cancellations included.
    pub refunded: Money,
    /// How many of them wait to be confirmed.
    pub waiting: i64,
    /// The mean rating of the shop's products, in tenths of a star; None without reviews.
    pub rating: Option<i64>,
}

/// How payments by one method went in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MethodFigures {
    /// The method.
    pub method: PaymentMethod,
    /// The number of payments that were begun.
    pub begun: i64,
    /// How many of them brought money, or the promise of cash.
    pub paid: i64,
    /// How many failed.
    pub failed: i64,
    /// What was paid, in the market's currency, before refunds.
    pub amount: Money,
}

/// How the market did in a period, and in the previous one, which has the same number of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarketAnalytics {
    /// The figures of the period. The gross sales are the gross merchandise volume (GMV).
    pub now: SalesFigures,
    /// Those of the previous period.
    pub before: SalesFigures,
    /// Those of each day of the period.
    pub days: Vec<DayFigures>,
    /// Those of each day of the previous period.
    pub days_before: Vec<DayFigures>,
    /// The commission that the market earned, less what it gave back, as the ledger has it.
    pub commission: Money,
    /// The same in the previous period.
    pub commission_before: Money,
    /// From looking to buying.
    pub funnel: Funnel,
    /// The same in the previous period.
    pub funnel_before: Funnel,
    /// The customers.
    pub customers: CustomerFigures,
    /// The customers of the previous period.
    pub customers_before: CustomerFigures,
    /// The number of users who joined. Zero for admins who may not see users.
    pub joined: i64,
    /// The same in the previous period.
    pub joined_before: i64,
    /// The shops that sold most: the first [`SHOPS_SHOWN`].
    pub shops: Vec<ShopFigures>,
    /// The payment methods. Empty for admins who may not see payments.
    pub methods: Vec<MethodFigures>,
    /// Where people came from who opened product pages, most first.
    pub sources: Vec<SourceFigures>,
    /// How many product pages were opened in each hour of the day, from midnight in the marketplace's time zone.
    pub hours: Vec<i64>,
}

impl MarketAnalytics {
    /// The commission in a hundred of net sales, in tenths of a percent: the take rate; None without sales.
    pub fn take_rate(commission: Money, sales: &SalesFigures) -> Option<i64> {
        let net = sales.net.amount();
        (net > 0).then(|| ratio(i128::from(commission.amount()) * 1_000, net.into()))
    }
}

/// How many shops a report shows.
pub const SHOPS_SHOWN: usize = 25;
/// How many products a report shows; the table to download has all.
pub const PRODUCTS_SHOWN: usize = 25;
/// How many products without sales it shows.
pub const SLOW_SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_known_by_their_hosts() {
        let of = |referer| Source::of(referer, "https://haat.example");
        for (referer, source) in [
            ("", Source::Direct),
            ("about:blank", Source::Direct),
            ("https:///x", Source::Direct),
            ("https://haat.example/p/cup?a=https://google.com", Source::Market),
            ("https://HAAT.example", Source::Market),
            ("https://haat.example.evil.com/", Source::Other),
            ("https://haat.example:8080/", Source::Other),
            ("https://www.google.com/", Source::Google),
            ("https://www.google.co.in/search?q=cup", Source::Google),
            ("android-app://com.google.android.gm/", Source::Other),
            ("https://google.example.com/", Source::Other),
            ("https://notgoogle.com/", Source::Other),
            ("https://user@duckduckgo.com/", Source::DuckDuckGo),
            ("https://l.facebook.com/l.php", Source::Facebook),
            ("https://t.co/abc", Source::X),
            ("https://youtu.be/abc", Source::YouTube),
            ("https://yandex.ru/", Source::Yandex),
            ("https://blog.example.org/post", Source::Other),
        ] {
            assert_eq!(of(referer), source, "{referer}");
        }
    }

    #[test]
    fn robots_name_themselves() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        assert!(!is_robot(firefox));
        for robot in ["", "Mozilla/5.0 (compatible; Googlebot/2.1)", "curl/8.5", "WhatsApp/2.0 LinkPreview"] {
            assert!(is_robot(robot), "{robot}");
        }
    }

    #[test]
    fn conversion_is_in_tenths_of_a_percent() {
        let funnel = |views, orders| Funnel { views, orders, ..Funnel::default() };
        let of = [(0, 0), (0, 3), (8, 1), (3, 1), (2_000, 1), (3, 6)];
        let expected = [None, None, Some(125), Some(333), Some(1), Some(2_000)];
        assert_eq!(of.map(|(views, orders)| funnel(views, orders).conversion()), expected);
    }

    #[test]
    fn stock_lasts_as_long_as_it_sold() {
        let of = [(10, 0, 30), (10, 5, 30), (10, 7, 30), (0, 7, 30), (-3, 7, 30), (i64::MAX, 1, 366)];
        let expected = [None, Some(60), Some(42), Some(0), Some(0), Some(i64::MAX)];
        assert_eq!(of.map(|(available, sold, days)| days_left(available, sold, days)), expected);
    }

    #[test]
    fn net_is_gross_less_what_was_given_back() {
        let inr: Currency = "INR".parse().unwrap();
        let money = |minor| Money::new(minor, inr);
        let monday = SalesFigures { gross: money(1_000), orders: 1, units: 3, ..SalesFigures::none(inr) };
        let tuesday = SalesFigures {
            cancelled: money(200),
            refunded: money(90),
            lost: money(7),
            ..SalesFigures::none(inr)
        };
        let sum = SalesFigures::sum(inr, [&monday, &tuesday]).unwrap();
        assert_eq!((sum.net, sum.gross, sum.orders, sum.units), (money(703), money(1_000), 1, 3));
        assert_eq!(SalesFigures::sum(inr, [&tuesday]).unwrap().net, money(-297));
    }
}
