//! The pages of the admin area, one file per page.

mod announcements;
mod audit;
mod categories;
mod commission;
mod contact;
mod deliveries;
mod home;
mod jobs;
mod ledger;
mod order;
mod orders;
mod outbox;
mod payment;
mod payments;
mod payout;
mod payouts;
mod reports;
mod reviews;
mod searches;
mod shop;
mod shops;
mod subject;
mod team;
mod user;
mod users;

pub(crate) use announcements::Announcements;
pub(crate) use audit::Audit;
pub(crate) use categories::Categories;
pub(crate) use commission::Commission;
pub(crate) use contact::ContactMessages;
pub(crate) use deliveries::{Deliveries, Delivery};
pub(crate) use home::Home;
pub(crate) use jobs::Jobs;
pub(crate) use ledger::Ledger;
pub(crate) use order::Order;
pub(crate) use orders::Orders;
pub(crate) use outbox::Outbox;
pub(crate) use payment::Payment;
pub(crate) use payments::Payments;
pub(crate) use payout::Payout;
pub(crate) use payouts::Payouts;
pub(crate) use reports::Reports;
pub(crate) use reviews::Reviews;
pub(crate) use searches::Searches;
pub(crate) use shop::Shop;
pub(crate) use shops::Shops;
pub(crate) use team::Team;
pub(crate) use user::User;
pub(crate) use users::Users;

use haat_shared::{
    Error,
    accounts::Me,
    forms::Draft,
    page::{ListRequest, Page},
    permissions::AdminPermission,
    routes,
    search::{MarketSearch, SearchHit},
};
use leptos::prelude::*;

use crate::{
    api,
    back_office::{BackOffice, Entry, Finding, Office, Place},
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, query, searched},
    ui::{
        self, Alert, Chip, Column, Columns, EmptyState, Failure, Icon, LinkButton, ListFoot, PageTitle,
        Table, chips, narrow_sorts, search,
    },
    words::{self, I18n},
};

/// The sections of the admin area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Home,
    Orders,
    Shops,
    Users,
    Reports,
    Reviews,
    Contact,
    Analytics,
    Categories,
    Searches,
    Promotions,
    Announcements,
    Taxes,
    Currencies,
    Payments,
    GiftCards,
    Payouts,
    Ledger,
    Jobs,
    Outbox,
    Deliveries,
    Audit,
    Team,
}

impl Part {
    const ALL: [Self; 23] = [
        Self::Home,
        Self::Orders,
        Self::Shops,
        Self::Users,
        Self::Reports,
        Self::Analytics,
        Self::Promotions,
        Self::Announcements,
        Self::Payments,
        Self::GiftCards,
        Self::Payouts,
        Self::Ledger,
        Self::Taxes,
        Self::Currencies,
        Self::Contact,
        Self::Reviews,
        Self::Categories,
        Self::Searches,
        Self::Jobs,
        Self::Outbox,
        Self::Deliveries,
        Self::Audit,
        Self::Team,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Home => routes::ADMIN,
            Self::Orders => routes::ALL_ORDERS,
            Self::Payments => routes::PAYMENTS,
            Self::Ledger => routes::LEDGER,
            Self::Shops => routes::ALL_SHOPS,
            Self::Promotions => routes::MARKET_PROMOTIONS,
            Self::Announcements => routes::ANNOUNCEMENTS,
            Self::Taxes => routes::TAXES,
            Self::Currencies => routes::CURRENCIES,
            Self::GiftCards => routes::GIFT_CARDS,
            Self::Payouts => routes::PAYOUTS,
            Self::Users => routes::USERS,
            Self::Reports => routes::REPORTS,
            Self::Contact => routes::CONTACT_MESSAGES,
            Self::Reviews => routes::ALL_REVIEWS,
            Self::Analytics => routes::MARKET_ANALYTICS,
            Self::Categories => routes::CATEGORIES,
            Self::Searches => routes::SEARCHES,
            Self::Jobs => routes::JOBS,
            Self::Outbox => routes::OUTBOX,
            Self::Deliveries => routes::DELIVERIES,
            Self::Audit => routes::AUDIT,
            Self::Team => routes::TEAM,
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Home => "check",
            Self::Orders => "truck",
            Self::Payments => "card",
            Self::Ledger => "book",
            Self::Shops => "awning",
            Self::Promotions => "tag",
            Self::Announcements => "bell",
            Self::Taxes | Self::Currencies => "book",
            Self::GiftCards => "tag",
            Self::Payouts => "card",
            Self::Users => "person",
            Self::Reports => "chat",
            Self::Jobs => "gear",
            Self::Outbox => "up",
            Self::Deliveries | Self::Contact => "mail",
            Self::Reviews => "heart",
            Self::Analytics => "chart",
            Self::Categories => "box",
            Self::Searches => "search",
            Self::Audit => "book",
            Self::Team => "settings",
        }
    }

    /// The heading of its group in the navigation.
    fn group(self, i18n: I18n) -> &'static str {
        match self {
            // As many as fit at the bottom of a phone.
            Self::Home | Self::Orders | Self::Shops | Self::Users | Self::Reports => "",
            Self::Analytics | Self::Promotions | Self::Announcements => t!(i18n, office.marketing),
            Self::Taxes
            | Self::Currencies
            | Self::Payments
            | Self::GiftCards
            | Self::Payouts
            | Self::Ledger => {
                t!(i18n, office.money)
            }
            Self::Contact
            | Self::Reviews
            | Self::Categories
            | Self::Searches
            | Self::Jobs
            | Self::Outbox
            | Self::Deliveries => {
                t!(i18n, office.operations)
            }
            Self::Audit | Self::Team => t!(i18n, office.access),
        }
    }

    /// The permission that a section requires.
    fn needs(self) -> AdminPermission {
        match self {
            Self::Home => AdminPermission::SeeHome,
            Self::Orders | Self::Analytics => AdminPermission::SeeOrders,
            Self::Payments | Self::GiftCards => AdminPermission::SeePayments,
            Self::Ledger => AdminPermission::SeeBalances,
            Self::Shops => AdminPermission::SeeShops,
            Self::Promotions | Self::Announcements | Self::Taxes => AdminPermission::SeePromotions,
            Self::Currencies => AdminPermission::ManageRates,
            Self::Categories | Self::Searches => AdminPermission::ManageCatalog,
            Self::Payouts => AdminPermission::SeePayouts,
            Self::Users => AdminPermission::SeeUsers,
            Self::Reports | Self::Reviews | Self::Contact => AdminPermission::SeeReports,
            Self::Jobs | Self::Outbox => AdminPermission::SeeJobs,
            Self::Deliveries => AdminPermission::SeeEmails,
            Self::Audit => AdminPermission::SeeAudit,
            Self::Team => AdminPermission::SeeTeam,
        }
    }

    fn title(self, i18n: I18n) -> &'static str {
        match self {
            Self::Home => t!(i18n, dashboard.home),
            Self::Orders => t!(i18n, seller_orders.title),
            Self::Payments => t!(i18n, admin.payments),
            Self::Ledger => t!(i18n, admin.ledger),
            Self::Shops => t!(i18n, shops.title),
            Self::Promotions => t!(i18n, promotions.title),
            Self::Announcements => t!(i18n, announcements.title),
            Self::Taxes => t!(i18n, taxes.title),
            Self::Currencies => t!(i18n, currencies.title),
            Self::GiftCards => t!(i18n, gift_cards.title),
            Self::Payouts => t!(i18n, payouts.title),
            Self::Users => t!(i18n, admin.users),
            Self::Reports => t!(i18n, reports.title),
            Self::Contact => t!(i18n, contact.messages),
            Self::Reviews => t!(i18n, reviews.title),
            Self::Analytics => t!(i18n, analytics.title),
            Self::Categories => t!(i18n, categories.title),
            Self::Searches => t!(i18n, searches.title),
            Self::Jobs => t!(i18n, admin.jobs),
            Self::Outbox => t!(i18n, admin.outbox),
            Self::Deliveries => t!(i18n, admin.deliveries),
            Self::Audit => t!(i18n, admin.audit),
            Self::Team => t!(i18n, admin.team),
        }
    }
}

/// What came of a decision before a redirect: what was wrong with it, or what is said of it.
fn decided(i18n: I18n, draft: &Draft, words: Option<&'static str>) -> Option<AnyView> {
    if let Some(error) = &draft.error {
        let words = match error {
            Error::Invalid(faults) if !faults.is_empty() => {
                words::fault(i18n, &faults[0].field, faults[0].code)
            }
            error => words::error(i18n, error),
        };
        return Some(view! { <Alert>{words}</Alert> }.into_any());
    }
    words.map(|words| view! { <Alert look="good">{words}</Alert> }.into_any())
}

/// Whether the signed-in user has a permission in the admin area.
async fn may(visitor: Visitor, permission: AdminPermission) -> bool {
    visitor.0.await.ok().flatten().is_some_and(|me| me.may(permission))
}

/// A page of the admin area. The navigation has the sections that the admin may see.
#[component]
fn AdminPage(
    /// The current section.
    here: Part,
    /// The page.
    children: Children,
) -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let office = move |me: &Me| office(i18n, me, Some(here));
    view! { <BackOffice label=tu_string!(i18n, admin.nav) office>{children()}</BackOffice> }
}

/// The page of the market's promotions, which is in a chunk of its own.
pub(crate) fn promotions_page(page: AnyView) -> AnyView {
    view! { <AdminPage here=Part::Promotions>{page}</AdminPage> }.into_any()
}

/// The page of gift cards, which is in a chunk of its own.
pub(crate) fn gift_cards_page(page: AnyView) -> AnyView {
    view! { <AdminPage here=Part::GiftCards>{page}</AdminPage> }.into_any()
}

/// The page of how the market is doing, which is in another chunk.
pub(crate) fn analytics_page(page: AnyView) -> AnyView {
    view! { <AdminPage here=Part::Analytics>{page}</AdminPage> }.into_any()
}

/// The page of taxes, which is in a chunk of its own.
pub(crate) fn taxes_page(page: AnyView) -> AnyView {
    view! { <AdminPage here=Part::Taxes>{page}</AdminPage> }.into_any()
}

/// The page of currencies, which is in a chunk of its own.
pub(crate) fn currencies_page(page: AnyView) -> AnyView {
    view! { <AdminPage here=Part::Currencies>{page}</AdminPage> }.into_any()
}

/// The page for addresses of the admin area that do not exist.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    let i18n = use_i18n();
    let office = move |me: &Me| office(i18n, me, None);
    api::page_not_found();
    view! {
        <BackOffice label=tu_string!(i18n, admin.nav) office>
            <Failure error=Error::NotFound />
        </BackOffice>
    }
}

/// What an admin sees of the admin area.
fn office(i18n: I18n, me: &Me, here: Option<Part>) -> Option<Office> {
    let may = |part: &Part| me.may(part.needs());
    let places = Part::ALL.into_iter().filter(may).map(|part| Place {
        group: part.group(i18n),
        href: part.path().into(),
        icon: part.icon(),
        words: part.title(i18n),
        here: Some(part) == here,
        counts: None,
    });
    let places: Vec<Place> = places.collect();
    let lists = [Part::Orders, Part::Shops, Part::Users].into_iter().filter(may);
    (!me.admin_roles.is_empty()).then(|| Office {
        name: t!(i18n, admin.link).into(),
        shop: None,
        more: (places.len() > 5).then_some(more),
        places,
        actions: Vec::new(),
        find,
        lists: lists.map(|part| (part.path().into(), part.title(i18n))).collect(),
    })
}

/// Shows the groups behind the first on phones. It works without JavaScript.
fn more(i18n: I18n) -> AnyView {
    let words = t!(i18n, office.more);
    // The label makes it no constant element, for which this journey would load more code.
    view! {
        <label class="back-office-link side-more">
            <input type="checkbox" class="hidden" aria-label=words />
            <Icon name="more" />
            <span class="side-words">{words}</span>
        </label>
    }
    .into_any()
}

/// The orders, users and shops that contain some words.
fn find(i18n: I18n, _: String, q: String) -> Finding {
    Box::pin(async move {
        let MarketSearch { orders, users, shops } = api::search::of_market(q).await?;
        let entry = |part: Part, hit: SearchHit, href| Entry {
            group: part.title(i18n),
            icon: part.icon(),
            words: hit.title,
            note: hit.note,
            href: Some(href),
        };
        let mut entries = Vec::new();
        for hit in orders {
            let href = routes::any_order(&hit.key);
            entries.push(entry(Part::Orders, hit, href));
        }
        for hit in users {
            let Ok(id) = hit.key.parse() else { continue };
            entries.push(entry(Part::Users, hit, routes::user(id)));
        }
        for hit in shops {
            let href = routes::any_shop(&hit.key);
            entries.push(entry(Part::Shops, hit, href));
        }
        Ok(entries)
    })
}

/// What a page's URL asks of a list.
fn asked() -> impl Fn() -> ListRequest + Copy + Send + Sync {
    let (q, state, sort) = (searched(), query("state"), query("sort"));
    let channel = query("channel");
    let (after, rows) = (query("after"), query("rows"));
    move || ListRequest {
        q: q.get(),
        state: state.get(),
        channel: channel.get(),
        sort: sort.get(),
        after: after.get(),
        limit: rows.with(|rows| ui::size(rows)),
    }
}

/// The URL of a list.
fn url(path: &str, of: &ListRequest) -> String {
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let asked = [
        ("q", &of.q),
        ("state", &of.state),
        ("channel", &of.channel),
        ("sort", &of.sort),
        ("rows", &rows),
        ("after", &of.after),
    ];
    routes::with(path, &asked.map(|(name, value)| (name, value.as_str())))
}

/// The search, the filters and, on phones, the sort orders above a list. The first sort order is how it is sorted by
/// itself.
fn tools(
    path: &str,
    of: &ListRequest,
    label: &'static str,
    filters: AnyView,
    sorts: Vec<(&'static str, &'static str)>,
) -> AnyView {
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let kept = [("state", of.state.as_str()), ("channel", &of.channel), ("rows", &rows)];
    let now = if of.sort.is_empty() { sorts[0].0 } else { &of.sort };
    view! {
        <div class="list-tools">
            {search(path.to_owned(), &of.q, label, &[kept[0], kept[1], kept[2], ("sort", &of.sort)])}
            {filters}
            {narrow_sorts(now, &sorts, &|sort| url(path, &ListRequest { sort, after: String::new(), ..of.clone() }))}
        </div>
    }
    .into_any()
}

/// The filters of a list by state, with the number of rows of each. The name of the first is empty: all rows.
fn filters(
    label: &'static str,
    path: &str,
    of: &ListRequest,
    states: &[(&str, &'static str)],
    count: impl Fn(&str) -> i64,
) -> AnyView {
    let in_state =
        |state: &str| url(path, &ListRequest { state: state.to_owned(), after: String::new(), ..of.clone() });
    let chosen = states.iter().map(|(state, words)| {
        let here = of.state == *state;
        let chip = match state.is_empty() {
            true => Chip::from((in_state(""), *words, here)),
            false => Chip::filter(in_state(if here { "" } else { state }), *words, here),
        };
        chip.counting(count(state))
    });
    chips(label, chosen.collect()).into_any()
}

/// A column by which a list can be sorted. `usual` is how it is sorted by itself.
fn sorted(
    column: (&'static str, &'static str),
    by: &str,
    usual: &str,
    path: &str,
    of: &ListRequest,
) -> Column {
    let now = if of.sort.is_empty() { usual } else { &of.sort };
    let at = |sort| url(path, &ListRequest { sort, after: String::new(), ..of.clone() });
    Column::from(column).sorted(by, now, at)
}

/// What is below a list of this many rows in all.
fn foot(path: &'static str, of: &ListRequest, total: i64, next: Option<String>) -> AnyView {
    let start = ListRequest { after: String::new(), ..of.clone() };
    let next = next.map(|after| url(path, &ListRequest { after, ..start.clone() }));
    let first = (!of.after.is_empty()).then(|| url(path, &start));
    let (total, size) = (Some(total), of.limit);
    let at = move |rows: String| url(path, &ListRequest { limit: ui::size(&rows), ..start.clone() });
    view! { <ListFoot total size at first next /> }.into_any()
}

/// A figure: its name, its value, and a note below it.
fn figure(name: &'static str, value: String, note: Option<String>) -> impl IntoView + use<> {
    view! {
        <div class="panel">
            <dt>{name}</dt>
            <dd>
                <p class="figure">{value}</p>
                {note.map(|note| view! { <p class="note">{note}</p> })}
            </dd>
        </div>
    }
}

/// A time of a list's first row, for the list's zone.
fn zone_of<T>(page: &Page<T>, time: impl Fn(&T) -> &String) -> String {
    page.items.first().map(time).cloned().unwrap_or_default()
}

/// A list of the admin area.
struct List {
    part: Part,
    /// Whether there may be rows that it doesn't show.
    filtered: bool,
    /// One of its times, whose zone is said above it: its rows show times without. Empty if they show none.
    zone_of: String,
    /// The content above the list.
    tools: AnyView,
    columns: Columns,
    rows: Vec<AnyView>,
    /// The total, and links to further pages.
    foot: AnyView,
    /// The explanation if the list is empty.
    none: &'static str,
}

impl List {
    fn show(self) -> AnyView {
        let i18n = use_i18n();
        let title = self.part.title(i18n);
        let list = if !self.rows.is_empty() {
            let zone = words::zone(&self.zone_of).map(|zone| {
                view! { <p class="note">{t!(i18n, admin.times_in, zone = zone)}</p> }
            });
            view! {
                {zone}
                <Table caption=title columns=self.columns>{self.rows}</Table>
                {self.foot}
            }
            .into_any()
        } else if self.filtered {
            let (title, note) = (t!(i18n, products.none), t!(i18n, admin.no_matches));
            view! {
                <EmptyState icon="search" title note>
                    <LinkButton href=self.part.path() look="secondary">{t!(i18n, admin.show_all)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <EmptyState icon=self.part.icon() title=t!(i18n, admin.none) note=self.none /> }
                .into_any()
        };
        view! {
            <PageTitle text=title />
            <h1>{title}</h1>
            {self.tools}
            {list}
        }
        .into_any()
    }
}

/// A form that removes something from a list, behind a disclosure that says what this does. `about` names it for screen readers.
pub(crate) fn removal(
    i18n: I18n,
    path: &'static str,
    fields: Vec<(&'static str, String)>,
    about: String,
    note: String,
) -> AnyView {
    let button = t!(i18n, cart.remove_of, title = &about);
    let fields =
        fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    view! {
        <details class="more-of">
            <summary>{t!(i18n, cart.remove)}<span class="hidden">" "{about}</span></summary>
            <form method="post" action=path class="form">
                {fields.collect_view()}
                <p>{note}</p>
                <div>
                    <button type="submit" class="button danger" name="action" value="remove">{button}</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}
