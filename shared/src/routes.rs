//! The list of all routes and who has access. The router, the access test and the OpenAPI document are
//! generated from it.
//!
//! Links use it too: a path without parameters is a constant ([`CART`]); one with parameters has a function
//! ([`product`]), generated from the pattern, so that the two cannot disagree. [`with`] adds a query
//! string.

use std::fmt::Display;

use crate::{
    access::Scope,
    id::kinds::{
        CartLineId, CheckoutId, ConversationId, EmailId, ImportId, InvitationId, InvoiceId, JobId,
        NotificationId, PasswordResetId, PaymentId, PayoutId, ProductId, RefundId, ReportId, ReviewId,
        SaleEventId, SignUpId, UserId,
    },
    payments::PurchaseLink,
    permissions::AdminPermission,
};

/// The surface that a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A page of the storefront.
    Storefront,
    /// A page of the seller dashboard.
    Seller,
    /// A page of the admin area.
    Admin,
    /// A plain form, for browsers with and without JavaScript.
    Form,
    /// A server function, called by hydrated pages.
    Function,
    /// A resource of the REST API.
    Rest,
    /// The socket that keeps pages live.
    Socket,
    /// A file that pages load: a picture, a file of texts.
    File,
    /// A webhook of a payment gateway.
    Webhook,
    /// The sandbox gateway's own pages, on their own host name.
    Sandbox,
    /// For search engines: `robots.txt` and sitemaps.
    Crawler,
    /// Health probes and metrics.
    Operation,
    /// Development pages. Not available in production.
    Development,
}

/// Who is expected to have access. The use case enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everyone.
    Anyone,
    /// The holder of the cart, checkout or purchase: its account, or a guest with its token.
    Holder,
    /// Signed-in users.
    SignedIn,
    /// The shopper of the conversation, and members of its shop who answer customers.
    Party,
    /// Members of the shop whose role allows it.
    Member,
    /// Admins whose roles include this permission.
    Operator(AdminPermission),
    /// Whoever has a valid signature: a gateway, or the holder of a signed link.
    Signed,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// GET or POST; in the REST API also PUT, PATCH or DELETE.
    pub method: &'static str,
    /// The path, with parameters as `{name}`.
    pub path: &'static str,
    /// The surface.
    pub surface: Surface,
    /// Who is expected to have access.
    pub audience: Audience,
    /// The scope that an API key needs; REST API only.
    pub scope: Option<Scope>,
}

/// A path with a query string of all non-empty parameters.
pub fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        // Slashes are left unencoded, so that a path stays readable.
        encode(&mut address, value, b"/");
    }
    address
}

/// The parameters by which a redirect tells its page how the form ended.
const OUTCOME: [&str; 5] = ["done", "error", "limit", "n", "undo"];

/// The URL without the outcome of the form that led to it. Names that are percent-encoded are dropped with it, because
/// no page has such parameters.
pub fn without_outcome(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let mut kept = path.to_owned();
    for parameter in query.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        if !OUTCOME.contains(&name) && !name.contains('%') {
            kept.push(if kept.contains('?') { '&' } else { '?' });
            kept.push_str(parameter);
        }
    }
    kept
}

/// The page of a purchase, for whoever has the link, signed in or not.
pub fn purchase_by_link(link: &PurchaseLink) -> String {
    with(&purchase(&link.number), &[("key", &link.key)])
}

/// A value as one percent-encoded path segment.
fn segment(value: &dyn Display) -> String {
    let mut segment = String::new();
    encode(&mut segment, &value.to_string(), b"");
    segment
}

/// Appends a text, percent-encoded except for the unreserved characters of RFC 3986 and those in `kept`.
fn encode(to: &mut String, text: &str, kept: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            to.push(byte.into());
        } else {
            to.push('%');
            to.push(DIGITS[usize::from(byte >> 4)].into());
            to.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
}

/// Whether a path belongs to the seller dashboard or the admin area, which have a layout of their own.
pub fn is_back_office(path: &str) -> bool {
    let below = |root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below(SELLER_SHOPS) || below(ADMIN)
}

/// Whether a path is that of a checkout's page.
pub fn is_checkout(path: &str) -> bool {
    path.strip_prefix("/checkout/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// Whether a path is that of a conversation, of a shopper or of a shop.
pub fn is_conversation(path: &str) -> bool {
    let of_shop = || path.strip_prefix("/seller/")?.split_once('/').map(|(_, rest)| rest);
    let below = |path: &str| path.strip_prefix("messages/").is_some_and(|id| !id.is_empty());
    path.strip_prefix('/').is_some_and(below) || of_shop().is_some_and(below)
}

/// Server functions that only read, although they use POST. All others change something.
const READS: &[&str] = &[
    FN_ME,
    FN_DRAFT,
    FN_WAYS_IN,
    FN_PASSWORD_RESET,
    FN_PROFILE,
    FN_PERSONAL_DATA,
    FN_LIST_PRODUCTS,
    FN_FIND_PRODUCTS,
    FN_SUGGEST_PRODUCTS,
    FN_PRODUCT,
    FN_HOME,
    FN_ROOTS,
    FN_TREE,
    FN_CATEGORY_ATTRIBUTES,
    FN_CATEGORY,
    FN_SHOP,
    FN_SHOPS,
    FN_DASHBOARD,
    FN_TO_DO,
    FN_SEARCH,
    FN_SETTINGS,
    FN_SHOP_TEAM,
    FN_INVITATION,
    FN_CURRENCY,
    FN_BALANCE,
    FN_SHOP_PAYOUTS,
    FN_PROMOTIONS,
    FN_SHIPPING,
    FN_SERVICES,
    FN_BOOKING,
    FN_APPOINTMENTS,
    FN_MOVING,
    FN_PURCHASE_APPOINTMENTS,
    FN_SHOP_SERVICES,
    FN_EVENTS,
    FN_EVENT,
    FN_SHOP_EVENTS,
    FN_SHOP_EVENT,
    FN_PREVIEW_SHIPPING,
    FN_MARKET_PROMOTIONS,
    FN_ANNOUNCEMENTS,
    FN_CURRENCIES,
    FN_CURRENCY_CHOICES,
    FN_TAXES,
    FN_PREVIEW_TAXES,
    FN_GIFT_CARD,
    FN_GIFT_CARD_OFFER,
    FN_GIFT_CARDS,
    FN_SELLER_PRODUCTS,
    FN_IMPORTS,
    FN_SELLER_PRODUCT,
    FN_PRODUCT_SALES,
    FN_PRICE_LIST,
    FN_ATTRIBUTE_VALUES,
    FN_SELLER_PICTURES,
    FN_CART,
    FN_WISHLIST,
    FN_ADDRESSES,
    FN_REGIONS,
    FN_CHECKOUT,
    FN_PURCHASE,
    FN_HISTORY,
    FN_SAVES_CARDS,
    FN_RECOMMENDATIONS,
    FN_CARDS,
    FN_NOTIFICATIONS,
    FN_NOTIFICATION_PREFERENCES,
    FN_BROWSER,
    FN_SELLER_ORDERS,
    FN_SELLER_ORDER,
    FN_PACKING_SLIPS,
    FN_ALL_ORDERS,
    FN_ANY_ORDER,
    FN_ALL_SHOPS,
    FN_ANY_SHOP,
    FN_COMMISSION,
    FN_CATEGORY_TREE,
    FN_ADMIN,
    FN_MARKET,
    FN_SEARCH_MARKET,
    FN_TRIAL_BALANCE,
    FN_PAYMENTS,
    FN_PAYMENT,
    FN_PAYOUTS,
    FN_ANY_PAYOUT,
    FN_JOBS,
    FN_OUTBOX,
    FN_AUDIT,
    FN_DELIVERIES,
    FN_DELIVERY,
    FN_USERS,
    FN_USER,
    FN_TEAM,
    // Opening a conversation marks it as read, which isn't limited either.
    FN_INBOX,
    FN_CONTACT_MESSAGES,
    FN_REPORTS,
    FN_REVIEWS,
    FN_REVIEW_FORM,
    FN_REVIEWABLE,
    FN_SHOP_REVIEWS,
    FN_ALL_REVIEWS,
    FN_CHANGED_MESSAGES,
    FN_READ_MESSAGES,
];

/// Whether a POST to this path changes nothing.
pub fn only_reads(path: &str) -> bool {
    READS.contains(&path)
}

impl Route {
    /// Whether the response is personal: every page shows the signed-in user and the cart. Browsers and
    /// proxies must not store it, so that the Back button requests it again.
    pub fn is_private(&self) -> bool {
        match self.surface {
            Surface::Storefront
            | Surface::Seller
            | Surface::Admin
            | Surface::Form
            | Surface::Function
            | Surface::Rest
            | Surface::Socket
            | Surface::Webhook
            | Surface::Sandbox => true,
            Surface::File | Surface::Crawler | Surface::Operation | Surface::Development => {
                !matches!(self.audience, Audience::Anyone)
            }
        }
    }
}

macro_rules! routes {
    ($($name:ident $method:ident $path:literal $surface:ident $audience:ident $(($permission:ident))?
        $(=> $link:ident($($value:ident: $type:ty),*))?;)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            pub const $name: &str = $path;
            $(
                #[doc = concat!("The path of `", $path, "`.")]
                pub fn $link($($value: $type),*) -> String {
                    $(let $value = segment(&$value);)*
                    // The pattern is the format string, so a missing argument does not compile.
                    format!($path)
                }
            )?
        )*
        /// All routes except those of the REST API.
        pub const ROUTES: &[Route] = &[
            $(Route {
                method: stringify!($method),
                path: $path,
                surface: Surface::$surface,
                audience: Audience::$audience $((AdminPermission::$permission))?,
                scope: None,
            },)*
        ];
    };
}

macro_rules! api {
    () => {
        "/api/v1"
    };
}

/// The prefix of all paths of the REST API.
pub const API: &str = api!();

macro_rules! rest {
    ($($name:ident $method:ident $path:literal $audience:ident $(($permission:ident))? $($scope:ident)?;)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $path, "`")]
            pub const $name: Route = Route {
                method: stringify!($method),
                path: concat!(api!(), $path),
                surface: Surface::Rest,
                audience: Audience::$audience $((AdminPermission::$permission))?,
                scope: [$(Some(Scope::$scope),)? None][0],
            };
        )*
        /// All routes of the REST API.
        pub const REST: &[Route] = &[$($name,)*];
    };
}

routes! {
    HOME GET "/" Storefront Anyone;
    PRODUCTS GET "/products" Storefront Anyone;
    PRODUCT GET "/p/{slug}" Storefront Anyone => product(slug: &str);
    CATEGORY GET "/c/{slug}" Storefront Anyone => category(slug: &str);
    SHOPS GET "/shops" Storefront Anyone;
    SHOP GET "/shops/{handle}" Storefront Anyone => shop(handle: &str);
    CART GET "/cart" Storefront Anyone;
    CHECKOUT GET "/checkout/{id}" Storefront Holder => checkout(id: CheckoutId);
    PURCHASE GET "/purchases/{number}" Storefront Holder => purchase(number: &str);
    EVENTS GET "/events" Storefront Anyone;
    EVENT GET "/events/{id}" Storefront Anyone => event(id: SaleEventId);
    SERVICES GET "/services" Storefront Anyone;
    BOOK GET "/services/{slug}" Storefront Anyone => book(slug: &str);
    CANCEL_APPOINTMENT GET "/appointments/{id}/cancel" Storefront Anyone => cancel_appointment(id: &str);
    WISHLIST GET "/wishlist" Storefront Anyone;
    GIFT_CARD GET "/gift-card" Storefront Anyone;
    BUY_GIFT_CARD GET "/gift-cards" Storefront Anyone;
    PRIVACY GET "/privacy" Storefront Anyone;
    CONTACT GET "/contact" Storefront Anyone;
    SIGN_IN GET "/sign-in" Storefront Anyone;
    SIGN_UP GET "/sign-up" Storefront Anyone;
    FORGOT_PASSWORD GET "/forgot-password" Storefront Anyone;
    SIGN_IN_CODE GET "/sign-in/code" Storefront Anyone;
    RESET_PASSWORD GET "/reset-password/{id}" Storefront Signed => reset_password(id: PasswordResetId);
    INVITATION GET "/invitations/{id}" Storefront Signed => invitation(id: InvitationId);
    ACCOUNT GET "/account" Storefront SignedIn;
    CARDS GET "/account/cards" Storefront SignedIn;
    APPOINTMENTS GET "/account/appointments" Storefront SignedIn;
    PROFILE GET "/account/profile" Storefront SignedIn;
    ADDRESSES GET "/account/addresses" Storefront SignedIn;
    PERSONAL_DATA GET "/account/data" Storefront SignedIn;
    WRITE_REVIEW GET "/account/reviews/{number}/{position}" Storefront SignedIn => write_review(number: &str, position: i64);
    NOTIFICATIONS GET "/notifications" Storefront SignedIn;
    NOTIFICATION_SETTINGS GET "/notifications/settings" Storefront SignedIn;
    MESSAGES GET "/messages" Storefront SignedIn;
    CONVERSATION GET "/messages/{id}" Storefront Party => conversation(id: ConversationId);
    SELLER_SHOPS GET "/seller" Seller SignedIn;
    OPEN_SHOP GET "/seller/new" Seller SignedIn;
    DASHBOARD GET "/seller/{handle}" Seller Member => dashboard(handle: &str);
    SHOP_ORDERS GET "/seller/{handle}/orders" Seller Member => shop_orders(handle: &str);
    SHOP_ORDER GET "/seller/{handle}/orders/{number}" Seller Member => shop_order(handle: &str, number: &str);
    PACKING_SLIP GET "/seller/{handle}/orders/{number}/packing-slip" Seller Member
        => packing_slip(handle: &str, number: &str);
    PACKING_SLIPS GET "/seller/{handle}/packing-slips" Seller Member => packing_slips(handle: &str);
    SELLER_PRODUCTS GET "/seller/{handle}/products" Seller Member => seller_products(handle: &str);
    NEW_PRODUCT GET "/seller/{handle}/products/new" Seller Member => new_product(handle: &str);
    IMPORT GET "/seller/{handle}/products/import" Seller Member => import(handle: &str);
    SELLER_PRODUCT GET "/seller/{handle}/products/{id}" Seller Member
        => seller_product(handle: &str, id: ProductId);
    PRODUCT_SALES GET "/seller/{handle}/products/{id}/sales" Seller Member
        => product_sales(handle: &str, id: ProductId);
    PRODUCT_PRICES GET "/seller/{handle}/products/{id}/prices" Seller Member
        => product_prices(handle: &str, id: ProductId);
    SHOP_PROMOTIONS GET "/seller/{handle}/promotions" Seller Member => shop_promotions(handle: &str);
    SHOP_SHIPPING GET "/seller/{handle}/shipping" Seller Member => shop_shipping(handle: &str);
    SHOP_SERVICES GET "/seller/{handle}/services" Seller Member => shop_services(handle: &str);
    SHOP_EVENTS GET "/seller/{handle}/events" Seller Member => shop_events(handle: &str);
    SHOP_EVENT GET "/seller/{handle}/events/{id}" Seller Member => shop_event(handle: &str, id: SaleEventId);
    SHOP_MESSAGES GET "/seller/{handle}/messages" Seller Member => shop_messages(handle: &str);
    SHOP_CONVERSATION GET "/seller/{handle}/messages/{id}" Seller Member
        => shop_conversation(handle: &str, id: ConversationId);
    SHOP_REVIEWS GET "/seller/{handle}/reviews" Seller Member => shop_reviews(handle: &str);
    SHOP_ANALYTICS GET "/seller/{handle}/analytics" Seller Member => shop_analytics(handle: &str);
    BALANCE GET "/seller/{handle}/balance" Seller Member => balance(handle: &str);
    SHOP_TEAM GET "/seller/{handle}/team" Seller Member => shop_team(handle: &str);
    SETTINGS GET "/seller/{handle}/settings" Seller Member => settings(handle: &str);
    ADMIN GET "/admin" Admin Operator(SeeHome);
    ALL_ORDERS GET "/admin/orders" Admin Operator(SeeOrders);
    ANY_ORDER GET "/admin/orders/{number}" Admin Operator(SeeOrders) => any_order(number: &str);
    ALL_SHOPS GET "/admin/shops" Admin Operator(SeeShops);
    COMMISSION GET "/admin/commission" Admin Operator(SeeShops);
    CATEGORIES GET "/admin/categories" Admin Operator(ManageCatalog);
    ANY_SHOP GET "/admin/shops/{handle}" Admin Operator(SeeShops) => any_shop(handle: &str);
    MARKET_PROMOTIONS GET "/admin/promotions" Admin Operator(SeePromotions);
    ANNOUNCEMENTS GET "/admin/announcements" Admin Operator(SeePromotions);
    TAXES GET "/admin/taxes" Admin Operator(SeePromotions);
    CURRENCIES GET "/admin/currencies" Admin Operator(ManageRates);
    GIFT_CARDS GET "/admin/gift-cards" Admin Operator(SeePayments);
    PAYOUTS GET "/admin/payouts" Admin Operator(SeePayouts);
    ANY_PAYOUT GET "/admin/payouts/{id}" Admin Operator(SeePayouts) => any_payout(id: PayoutId);
    USERS GET "/admin/users" Admin Operator(SeeUsers);
    USER GET "/admin/users/{id}" Admin Operator(SeeUsers) => user(id: UserId);
    LEDGER GET "/admin/ledger" Admin Operator(SeeBalances);
    PAYMENTS GET "/admin/payments" Admin Operator(SeePayments);
    PAYMENT GET "/admin/payments/{id}" Admin Operator(SeePayments) => payment(id: PaymentId);
    CONTACT_MESSAGES GET "/admin/contact" Admin Operator(SeeReports);
    REPORTS GET "/admin/reports" Admin Operator(SeeReports);
    ALL_REVIEWS GET "/admin/reviews" Admin Operator(SeeReports);
    MARKET_ANALYTICS GET "/admin/analytics" Admin Operator(SeeOrders);
    SEARCHES GET "/admin/search" Admin Operator(ManageCatalog);
    JOBS GET "/admin/jobs" Admin Operator(SeeJobs);
    OUTBOX GET "/admin/outbox" Admin Operator(SeeJobs);
    DELIVERIES GET "/admin/notifications" Admin Operator(SeeEmails);
    DELIVERY GET "/admin/notifications/{id}" Admin Operator(SeeEmails) => delivery(id: NotificationId);
    AUDIT GET "/admin/audit" Admin Operator(SeeAudit);
    TEAM GET "/admin/team" Admin Operator(SeeTeam);

    FORM_ADD_LINE POST "/cart/lines" Form Anyone;
    FORM_BOOK POST "/services/{slug}" Form Anyone;
    FORM_APPOINTMENTS POST "/account/appointments" Form SignedIn;
    FORM_CANCEL_APPOINTMENT POST "/appointments/{id}/cancel" Form Anyone;
    FORM_SET_QUANTITY POST "/cart/lines/{id}" Form Holder => set_quantity(id: CartLineId);
    FORM_CODES POST "/cart/codes" Form Holder;
    FORM_CONTACT POST "/contact" Form Anyone;
    FORM_WISHLIST POST "/wishlist" Form Anyone;
    FORM_BEGIN_CHECKOUT POST "/checkout" Form Holder;
    FORM_PAY POST "/checkout/{id}" Form Holder;
    FORM_CANCEL_BY_CUSTOMER POST "/purchases/{number}" Form Holder;
    FORM_RETURN POST "/purchases/{number}/returns" Form Holder => ask_return(number: &str);
    FORM_WRITE_REVIEW POST "/account/reviews/{number}/{position}" Form SignedIn;
    FORM_REVIEW POST "/reviews/{id}" Form SignedIn => review(id: ReviewId);
    FORM_SHOP_REVIEWS POST "/seller/{handle}/reviews" Form Member;
    FORM_CARDS POST "/account/cards" Form SignedIn;
    FORM_ADDRESSES POST "/account/addresses" Form SignedIn;
    FORM_PERSONAL_DATA POST "/account/data" Form SignedIn;
    FORM_EXPORT_DATA POST "/account/data/download" Form SignedIn;
    FORM_RECOMMENDATIONS POST "/account/recommendations" Form SignedIn;
    FORM_PROFILE POST "/account/profile" Form SignedIn;
    FORM_PASSWORD POST "/account/password" Form SignedIn;
    FORM_LOGINS POST "/account/logins" Form SignedIn;
    FORM_SESSIONS POST "/account/sessions" Form SignedIn;
    FORM_FORGOT_PASSWORD POST "/forgot-password" Form Anyone;
    FORM_SIGN_IN_CODE POST "/sign-in/code" Form Anyone;
    FORM_RESET_PASSWORD POST "/reset-password/{id}" Form Signed;
    // The link of an email leads to a page that asks; programs that read emails send the form at once.
    UNSUBSCRIBE GET "/unsubscribe/{id}" Form Anyone => unsubscribe(id: UserId);
    FORM_UNSUBSCRIBE POST "/unsubscribe/{id}" Form Anyone;
    FORM_NOTIFICATIONS POST "/notifications" Form SignedIn;
    FORM_NOTIFICATION_SETTINGS POST "/notifications/settings" Form SignedIn;
    FORM_MESSAGES POST "/messages" Form Anyone;
    FORM_CONVERSATION POST "/messages/{id}" Form Party;
    FORM_CONVERSATION_PICTURES POST "/messages/{id}/images" Form Party => conversation_pictures(id: ConversationId);
    FORM_SHOP_CONVERSATION_PICTURES POST "/seller/{handle}/messages/{id}/images" Form Member
        => shop_conversation_pictures(handle: &str, id: ConversationId);
    FORM_SHOP_MESSAGES POST "/seller/{handle}/messages" Form Member;
    FORM_SHOP_CONVERSATION POST "/seller/{handle}/messages/{id}" Form Member;
    FORM_GIFT_CARD POST "/gift-card" Form Anyone;
    FORM_BUY_GIFT_CARD POST "/gift-cards" Form Anyone;
    FORM_SIGN_IN POST "/sign-in" Form Anyone;
    FORM_SIGN_UP POST "/sign-up" Form Anyone;
    FORM_SIGN_OUT POST "/sign-out" Form Anyone;
    FORM_ADD_PICTURE POST "/seller/{handle}/media" Form Member => add_picture(handle: &str);
    FORM_OPEN_SHOP POST "/seller/new" Form SignedIn;
    FORM_ORDER POST "/seller/{handle}/orders/{number}" Form Member;
    FORM_ORDERS POST "/seller/{handle}/orders" Form Member;
    FORM_PRODUCTS POST "/seller/{handle}/products" Form Member;
    FORM_PRODUCT_SALES POST "/seller/{handle}/products/{id}/sales" Form Member;
    FORM_PRODUCT_PRICES POST "/seller/{handle}/products/{id}/prices" Form Member;
    FORM_SHOP_TEAM POST "/seller/{handle}/team" Form Member;
    FORM_INVITATION POST "/invitations/{id}" Form Signed;
    FORM_SETTINGS POST "/seller/{handle}/settings" Form Member;
    FORM_ANY_ORDER POST "/admin/orders/{number}" Form Operator(DecideReturns);
    FORM_REFUND_ANY POST "/admin/orders/{number}/refund" Form Operator(RefundOrders) => refund_any(number: &str);
    FORM_PROMOTIONS POST "/seller/{handle}/promotions" Form Member;
    FORM_COUPONS POST "/seller/{handle}/promotions/import" Form Member => import_coupons(handle: &str);
    FORM_SHIPPING POST "/seller/{handle}/shipping" Form Member;
    FORM_SHOP_SERVICES POST "/seller/{handle}/services" Form Member;
    FORM_SHOP_EVENTS POST "/seller/{handle}/events" Form Member;
    FORM_SHOP_EVENT POST "/seller/{handle}/events/{id}" Form Member;
    FORM_MARKET_PROMOTIONS POST "/admin/promotions" Form Operator(ManagePromotions);
    FORM_ANNOUNCEMENTS POST "/admin/announcements" Form Operator(ManagePromotions);
    FORM_MARKET_COUPONS POST "/admin/promotions/import" Form Operator(ManagePromotions);
    FORM_TAXES POST "/admin/taxes" Form Operator(ManagePromotions);
    FORM_CURRENCIES POST "/admin/currencies" Form Operator(ManageRates);
    FORM_GIFT_CARDS POST "/admin/gift-cards" Form Operator(ManagePayments);
    FORM_BALANCE POST "/seller/{handle}/balance" Form Member;
    FORM_PAYOUT POST "/admin/payouts/{id}" Form Operator(ManagePayouts);
    FORM_JOB POST "/admin/jobs/{id}" Form Operator(ManageJobs) => job(id: JobId);
    FORM_PAYMENT POST "/admin/payments/{id}" Form Operator(ManagePayments);
    FORM_REFUND POST "/admin/refunds/{id}" Form Operator(ManagePayments) => refund(id: RefundId);
    FORM_CONTACT_MESSAGES POST "/admin/contact" Form Operator(ManageReports);
    FORM_REPORTS POST "/admin/reports" Form Operator(ManageReports);
    FORM_ALL_REVIEWS POST "/admin/reviews" Form Operator(ManageReports);
    FORM_COMMISSION POST "/admin/commission" Form Operator(ManageShops);
    FORM_CATEGORIES POST "/admin/categories" Form Operator(ManageCatalog);
    FORM_SEARCHES POST "/admin/search" Form Operator(ManageCatalog);
    FORM_RESEND POST "/admin/notifications/{id}" Form Operator(ManageEmails);
    FORM_TEAM POST "/admin/team" Form Operator(ManageTeam);
    FORM_USER POST "/admin/users/{id}" Form Operator(ManageUsers);
    FORM_IMPORT POST "/seller/{handle}/products/import" Form Member;
    FORM_IMPORT_GO POST "/seller/{handle}/imports/{id}" Form Member => import_go(handle: &str, id: ImportId);
    FORM_LANGUAGE POST "/language" Form Anyone;
    FORM_CURRENCY POST "/currency" Form Anyone;
    WORDS GET "/words/{file}" File Anyone => words(file: &str);

    LIVE GET "/live" Socket SignedIn;
    LIVE_STOCK GET "/products/{id}/stock" Socket Anyone => live_stock(id: ProductId);

    FN_ME POST "/api/accounts/me" Function Anyone;
    FN_DRAFT POST "/api/accounts/draft" Function Anyone;
    FN_WAYS_IN POST "/api/accounts/ways_in" Function Anyone;
    FN_PASSWORD_RESET POST "/api/accounts/password_reset" Function Signed;
    FN_PROFILE POST "/api/accounts/profile" Function SignedIn;
    FN_PERSONAL_DATA POST "/api/accounts/personal_data" Function SignedIn;
    FN_LIST_PRODUCTS POST "/api/catalog/list" Function Anyone;
    FN_FIND_PRODUCTS POST "/api/catalog/find" Function Anyone;
    FN_SUGGEST_PRODUCTS POST "/api/catalog/suggest" Function Anyone;
    FN_SEARCHES POST "/api/catalog/searches" Function Operator(ManageCatalog);
    FN_SHOP_ANALYTICS POST "/api/analytics/of_shop" Function Member;
    FN_MARKET_ANALYTICS POST "/api/analytics/of_market" Function Operator(SeeOrders);
    FN_PRODUCT POST "/api/catalog/product" Function Anyone;
    FN_HOME POST "/api/catalog/home" Function Anyone;
    FN_CART_COUNT POST "/api/carts/item_count" Function Anyone;
    FN_ROOTS POST "/api/catalog/roots" Function Anyone;
    FN_TREE POST "/api/catalog/tree" Function Anyone;
    FN_CATEGORY_ATTRIBUTES POST "/api/catalog/category_attributes" Function Anyone;
    FN_CATEGORY POST "/api/catalog/category" Function Anyone;
    FN_SHOP POST "/api/shops/shop" Function Anyone;
    FN_SHOPS POST "/api/shops/list" Function Anyone;
    FN_DASHBOARD POST "/api/shops/home" Function Member;
    FN_TO_DO POST "/api/shops/to_do" Function Member;
    FN_SEARCH POST "/api/search/of_shop" Function Member;
    FN_SETTINGS POST "/api/shops/settings" Function Member;
    FN_SHOP_TEAM POST "/api/staff/of_shop" Function Member;
    FN_INVITATION POST "/api/staff/invitation" Function Signed;
    FN_SET_LOGO POST "/api/shops/set_logo" Function Member;
    FN_CURRENCY POST "/api/shops/currency" Function Anyone;
    FN_BALANCE POST "/api/ledger/balance" Function Member;
    FN_SHOP_PAYOUTS POST "/api/payouts/shop_page" Function Member;
    FN_PROMOTIONS POST "/api/promotions/of_shop" Function Member;
    FN_SHIPPING POST "/api/shipping/settings" Function Member;
    FN_SERVICES POST "/api/services/list" Function Anyone;
    FN_BOOKING POST "/api/services/booking" Function Anyone;
    FN_MOVING POST "/api/services/moving" Function Anyone;
    FN_PURCHASE_APPOINTMENTS POST "/api/services/of_purchase" Function Anyone;
    FN_APPOINTMENTS POST "/api/services/appointments" Function SignedIn;
    FN_SHOP_SERVICES POST "/api/services/of_shop" Function Member;
    FN_EVENTS POST "/api/sale_events/list" Function Anyone;
    FN_EVENT POST "/api/sale_events/view" Function Anyone;
    FN_SHOP_EVENTS POST "/api/sale_events/of_shop" Function Member;
    FN_SHOP_EVENT POST "/api/sale_events/edit" Function Member;
    FN_PREVIEW_SHIPPING POST "/api/shipping/preview" Function Member;
    FN_ANNOUNCEMENTS POST "/api/announcements/list" Function Operator(SeePromotions);
    FN_MARKET_PROMOTIONS POST "/api/promotions/of_market" Function Operator(SeePromotions);
    FN_CURRENCY_CHOICES POST "/api/currencies/choices" Function Anyone;
    FN_CURRENCIES POST "/api/currencies/page" Function Operator(ManageRates);
    FN_TAXES POST "/api/taxes/page" Function Operator(SeePromotions);
    FN_PREVIEW_TAXES POST "/api/taxes/preview" Function Operator(SeePromotions);
    FN_INBOX POST "/api/chat/inbox" Function Party;
    FN_CHANGED_MESSAGES POST "/api/chat/changes" Function Party;
    FN_SEND_MESSAGE POST "/api/chat/send" Function Party;
    FN_EDIT_MESSAGE POST "/api/chat/edit" Function Party;
    FN_DELETE_MESSAGE POST "/api/chat/delete" Function Party;
    FN_READ_MESSAGES POST "/api/chat/read" Function Party;
    FN_CONTACT_MESSAGES POST "/api/contact/list" Function Operator(SeeReports);
    FN_REPORTS POST "/api/chat/reports" Function Operator(SeeReports);
    FN_REVIEWS POST "/api/reviews/of_product" Function Anyone;
    FN_REVIEW_FORM POST "/api/reviews/form" Function SignedIn;
    FN_REVIEWABLE POST "/api/reviews/of_purchase" Function Anyone;
    FN_SHOP_REVIEWS POST "/api/reviews/of_shop" Function Member;
    FN_ALL_REVIEWS POST "/api/reviews/queue" Function Operator(SeeReports);
    FN_GIFT_CARD POST "/api/gift_cards/by_link" Function Anyone;
    FN_GIFT_CARD_OFFER POST "/api/gift_cards/offer" Function Anyone;
    FN_GIFT_CARDS POST "/api/gift_cards/page" Function Operator(SeePayments);
    FN_SELLER_PRODUCTS POST "/api/catalog/seller_list" Function Member;
    FN_IMPORTS POST "/api/catalog/imports" Function Member;
    FN_PRODUCT_SALES POST "/api/sale_prices/of_product" Function Member;
    FN_PRICE_LIST POST "/api/currencies/price_list" Function Member;
    FN_SELLER_PRODUCT POST "/api/catalog/seller_product" Function Member;
    FN_CREATE_PRODUCT POST "/api/catalog/create" Function Member;
    FN_UPDATE_PRODUCT POST "/api/catalog/update" Function Member;
    FN_PUBLISH_PRODUCT POST "/api/catalog/publish" Function Member;
    FN_ATTRIBUTE_VALUES POST "/api/catalog/attribute_values" Function Member;
    FN_SET_ATTRIBUTE_VALUES POST "/api/catalog/set_attribute_values" Function Member;
    FN_SELLER_PICTURES POST "/api/media/seller_pictures" Function Member;
    FN_SET_PICTURES POST "/api/media/set_pictures" Function Member;
    FN_WISHLIST POST "/api/wishlist/view" Function Anyone;
    FN_CHANGE_WISHLIST POST "/api/wishlist/change" Function Anyone;
    FN_CART POST "/api/carts/view" Function Anyone;
    FN_ADD_LINE POST "/api/carts/add_line" Function Anyone;
    FN_SET_QUANTITY POST "/api/carts/set_quantity" Function Holder;
    FN_REMOVE_LINE POST "/api/carts/remove_line" Function Holder;
    FN_ADDRESSES POST "/api/addresses/book" Function SignedIn;
    FN_REGIONS POST "/api/addresses/regions" Function Anyone;
    FN_BEGIN_CHECKOUT POST "/api/checkout/begin" Function Holder;
    FN_CHECKOUT POST "/api/checkout/view" Function Holder;
    FN_UPDATE_CHECKOUT POST "/api/checkout/update" Function Holder;
    FN_PAY POST "/api/checkout/pay" Function Holder;
    FN_PURCHASE POST "/api/orders/purchase" Function Holder;
    FN_HISTORY POST "/api/orders/history" Function SignedIn;
    FN_SAVES_CARDS POST "/api/cards/enabled" Function Anyone;
    FN_RECOMMENDATIONS POST "/api/recommendations/for_you" Function SignedIn;
    FN_CARDS POST "/api/cards/list" Function SignedIn;
    FN_NOTIFICATIONS POST "/api/inbox/list" Function SignedIn;
    FN_NOTIFICATION_PREFERENCES POST "/api/inbox/preferences" Function SignedIn;
    FN_BROWSER POST "/api/inbox/browser" Function SignedIn;
    FN_SUBSCRIBE POST "/api/inbox/subscribe" Function SignedIn;
    FN_UNSUBSCRIBE POST "/api/inbox/unsubscribe" Function SignedIn;
    FN_OFFER_CARDS POST "/api/cards/offer" Function Anyone;
    FN_CANCEL_BY_CUSTOMER POST "/api/orders/cancel_by_customer" Function Holder;
    FN_SELLER_ORDERS POST "/api/orders/seller_list" Function Member;
    FN_SELLER_ORDER POST "/api/orders/seller_order" Function Member;
    FN_PACKING_SLIPS POST "/api/orders/packing_slips" Function Member;
    FN_CONFIRM POST "/api/orders/confirm" Function Member;
    FN_SHIP POST "/api/orders/ship" Function Member;
    FN_DELIVER POST "/api/orders/deliver" Function Member;
    FN_CANCEL POST "/api/orders/cancel" Function Member;
    FN_ALL_ORDERS POST "/api/orders/list_all" Function Operator(SeeOrders);
    FN_ANY_ORDER POST "/api/orders/any_order" Function Operator(SeeOrders);
    FN_ARCHIVE_PRODUCT POST "/api/catalog/archive" Function Member;
    FN_DUPLICATE_PRODUCT POST "/api/catalog/duplicate" Function Member;
    FN_DELETE_PRODUCT POST "/api/catalog/delete" Function Member;
    FN_OPEN_SHOP POST "/api/shops/open_as_seller" Function SignedIn;
    FN_SAVE_SHOP POST "/api/shops/save_settings" Function Member;
    FN_ALL_SHOPS POST "/api/shops/list_all" Function Operator(SeeShops);
    FN_COMMISSION POST "/api/shops/commission" Function Operator(SeeShops);
    FN_CATEGORY_TREE POST "/api/catalog/category_tree" Function Operator(ManageCatalog);
    FN_ANY_SHOP POST "/api/shops/any_shop" Function Operator(SeeShops);
    FN_ADJUST_STOCK POST "/api/inventory/adjust" Function Member;
    FN_ADMIN POST "/api/audit/home" Function Operator(SeeHome);
    FN_MARKET POST "/api/sales/of_market" Function Operator(SeeOrders);
    FN_SEARCH_MARKET POST "/api/search/of_market" Function Operator(SeeHome);
    FN_PAYOUTS POST "/api/payouts/admin_page" Function Operator(SeePayouts);
    FN_ANY_PAYOUT POST "/api/payouts/any" Function Operator(SeePayouts);
    FN_JOBS POST "/api/jobs/list" Function Operator(SeeJobs);
    FN_TRIAL_BALANCE POST "/api/ledger/trial_balance" Function Operator(SeeBalances);
    FN_PAYMENTS POST "/api/payments/list" Function Operator(SeePayments);
    FN_PAYMENT POST "/api/payments/details" Function Operator(SeePayments);
    FN_RETRY_JOB POST "/api/jobs/retry" Function Operator(ManageJobs);
    FN_DISCARD_JOB POST "/api/jobs/discard" Function Operator(ManageJobs);
    FN_OUTBOX POST "/api/outbox/list" Function Operator(SeeJobs);
    FN_AUDIT POST "/api/audit/list" Function Operator(SeeAudit);
    FN_DELIVERIES POST "/api/notifications/list" Function Operator(SeeEmails);
    FN_DELIVERY POST "/api/notifications/read" Function Operator(SeeEmails);
    FN_USERS POST "/api/accounts/list" Function Operator(SeeUsers);
    FN_USER POST "/api/accounts/user" Function Operator(SeeUsers);
    FN_TEAM POST "/api/admin/team" Function Operator(SeeTeam);

    API_DOCUMENT GET "/api/openapi.json" File Anyone;
    API_DOCS GET "/api/docs" File Anyone;
    MEDIA GET "/media/{file}" File Anyone => media(file: &str);
    IMPORT_ERRORS GET "/seller/{handle}/imports/{id}/errors.csv" File Member
        => import_errors(handle: &str, id: ImportId);
    EXPORT GET "/seller/{handle}/products.csv" File Member => export(handle: &str);
    EXPORT_COUPONS GET "/seller/{handle}/coupons.csv" File Member => export_coupons(handle: &str);
    EXPORT_MARKET_COUPONS GET "/admin/coupons.csv" File Operator(SeePromotions);
    PURCHASE_CALENDAR GET "/purchases/{number}/calendar" File Holder => purchase_calendar(number: &str);
    CALENDAR_FEED GET "/calendars/{id}" File Anyone => calendar_feed(id: &str);
    INVOICE GET "/purchases/{number}/invoices/{id}" File Holder => invoice(number: &str, id: InvoiceId);
    SHOP_INVOICE GET "/seller/{handle}/invoices/{id}" File Member => shop_invoice(handle: &str, id: InvoiceId);
    ANY_INVOICE GET "/admin/invoices/{id}" File Operator(SeeOrders) => any_invoice(id: InvoiceId);
    PICTURE GET "/purchases/{number}/images/{file}" File Holder => picture(number: &str, file: &str);
    CONVERSATION_PICTURE GET "/messages/{id}/images/{file}" File Party
        => conversation_picture(id: ConversationId, file: &str);
    SHOP_CONVERSATION_PICTURE GET "/seller/{handle}/messages/{id}/images/{file}" File Member
        => shop_conversation_picture(handle: &str, id: ConversationId, file: &str);
    SHOP_PICTURE GET "/seller/{handle}/orders/{number}/images/{file}" File Member
        => shop_picture(handle: &str, number: &str, file: &str);
    ANY_PICTURE GET "/admin/orders/{number}/images/{file}" File Operator(SeeOrders)
        => any_picture(number: &str, file: &str);
    REPORTED_PICTURE GET "/admin/reports/{id}/images/{file}" File Operator(SeeReports)
        => reported_picture(id: ReportId, file: &str);
    STATEMENT_PDF GET "/seller/{handle}/balance.pdf" File Member => statement_pdf(handle: &str);
    EXPORT_STATEMENT GET "/seller/{handle}/balance.csv" File Member => statement(handle: &str);
    EXPORT_DAYS GET "/seller/{handle}/analytics/days.csv" File Member => export_days(handle: &str);
    EXPORT_PRODUCT_FIGURES GET "/seller/{handle}/analytics/products.csv" File Member => export_product_figures(handle: &str);
    EXPORT_MARKET_DAYS GET "/admin/analytics/days.csv" File Operator(SeeOrders);
    EXPORT_LEDGER GET "/admin/ledger.csv" File Operator(SeeBalances);
    EXPORT_ORDERS GET "/seller/{handle}/orders.csv" File Member => export_orders(handle: &str);
    PAYOUTS_CSV GET "/admin/payouts.csv" File Operator(ManagePayouts);
    PAYOUTS_XML GET "/admin/payouts.xml" File Operator(ManagePayouts);
    CONNECT_RETURN GET "/seller/{handle}/balance/stripe" Form Member => connect_return(handle: &str);
    FORM_LOGIN POST "/sign-in/with/{provider}" Form Anyone => login(provider: &str);
    LOGIN_RETURN GET "/sign-in/from/{provider}" Form Anyone => login_return(provider: &str);
    CONFIRM_SIGN_UP GET "/sign-up/{id}" Form Signed => confirm_sign_up(id: SignUpId);
    PAYMENT_RETURN GET "/pay/return/{id}" Form Signed => payment_return(id: PaymentId);
    WEBHOOK POST "/webhooks/{gateway}" Webhook Signed => webhook(gateway: &str);
    SANDBOX_PAGE GET "/sandbox/pay/{id}" Sandbox Signed => sandbox_page(id: &str);
    SANDBOX_PAY POST "/sandbox/pay/{id}" Sandbox Signed;
    ROBOTS GET "/robots.txt" Crawler Anyone;
    SITEMAP GET "/sitemap.xml" Crawler Anyone;
    SITEMAP_FILE GET "/sitemaps/{file}" Crawler Anyone => sitemap_file(file: &str);
    HEALTHZ GET "/healthz" Operation Anyone;
    READYZ GET "/readyz" Operation Anyone;
    METRICS GET "/metrics" Operation Anyone;
    DEV_UI GET "/dev/ui" Development Anyone;
    DEV_MAILS GET "/dev/mail" Development Anyone;
    DEV_MAIL GET "/dev/mail/{id}" Development Anyone => dev_mail(id: EmailId);
    DEV_MAIL_HTML GET "/dev/mail/{id}/html" Development Anyone => dev_mail_html(id: EmailId);
}

rest! {
    API_SIGN_IN POST "/tokens" Anyone;
    API_REFRESH POST "/tokens/refresh" Anyone;
    API_SIGN_OUT DELETE "/tokens" SignedIn Account;
    API_KEYS GET "/keys" SignedIn Account;
    API_CREATE_KEY POST "/keys" SignedIn Account;
    API_END_KEY DELETE "/keys/{id}" SignedIn Account;
    API_ME GET "/me" SignedIn;
    API_PERSONAL_DATA GET "/me/data" SignedIn Account;

    API_PRODUCTS GET "/products" Anyone;
    API_PRODUCT_FACETS GET "/products/facets" Anyone;
    API_PRODUCT_SUGGESTIONS GET "/products/suggestions" Anyone;
    API_PRODUCT GET "/products/{slug}" Anyone;
    API_RELATED_PRODUCTS GET "/products/{slug}/related" Anyone;
    API_PRODUCT_OFFERS GET "/products/{slug}/offers" Anyone;
    API_RECOMMENDATIONS GET "/me/recommendations" SignedIn Buy;
    API_CATEGORIES GET "/categories" Anyone;
    API_CATEGORY GET "/categories/{slug}" Anyone;
    API_COUNTRY GET "/countries/{code}" Anyone;
    API_CURRENCIES GET "/currencies" Anyone;
    API_CATEGORY_ATTRIBUTES GET "/categories/{slug}/attributes" Anyone;
    API_SERVICES GET "/services" Anyone;
    API_SERVICE GET "/services/{slug}" Anyone;
    API_SERVICE_TIMES GET "/services/{slug}/times" Anyone;
    API_SALE_EVENTS GET "/sale-events" Anyone;
    API_SALE_EVENT GET "/sale-events/{id}" Anyone;
    API_SHOPS GET "/shops" Anyone;
    API_SHOP GET "/shops/{handle}" Anyone;

    API_OPEN_CART POST "/carts" Anyone Buy;
    API_CART GET "/carts/{id}" Holder Buy;
    API_ADD_LINE POST "/carts/{id}/lines" Holder Buy;
    API_SET_LINE PATCH "/carts/{id}/lines/{line}" Holder Buy;
    API_REMOVE_LINE DELETE "/carts/{id}/lines/{line}" Holder Buy;
    API_ADD_APPOINTMENT POST "/carts/{id}/appointments" Holder Buy;
    API_ADD_GIFT POST "/carts/{id}/gift-cards" Holder Buy;
    API_REMOVE_GIFT DELETE "/carts/{id}/gift-cards/{gift}" Holder Buy;
    API_WISHLIST GET "/carts/{id}/wishlist" Holder Buy;
    API_ADD_WISH POST "/carts/{id}/wishlist" Holder Buy;
    API_REMOVE_WISH DELETE "/carts/{id}/wishlist/{item}" Holder Buy;
    API_MOVE_WISH POST "/carts/{id}/wishlist/{item}/move" Holder Buy;
    API_CHECK_CODE GET "/carts/{id}/codes/{code}" Holder Buy;
    API_ADD_CODE POST "/carts/{id}/codes" Holder Buy;
    API_REMOVE_CODE DELETE "/carts/{id}/codes/{code}" Holder Buy;
    API_BEGIN_CHECKOUT POST "/checkouts" Holder Buy;
    API_CHECKOUT GET "/checkouts/{id}" Holder Buy;
    API_UPDATE_CHECKOUT PUT "/checkouts/{id}" Holder Buy;
    API_PAY POST "/checkouts/{id}/pay" Holder Buy;
    API_GIFT_CARD_BALANCE POST "/gift-cards/balance" Anyone;
    API_PURCHASES GET "/purchases" SignedIn Buy;
    API_PURCHASE GET "/purchases/{number}" Holder Buy;
    API_RESEND_GIFT POST "/purchases/{number}/gift-cards/{gift}/resend" Holder Buy;
    API_CANCEL_BY_CUSTOMER POST "/purchases/{number}/orders/{order}/cancel" Holder Buy;
    API_REQUEST_RETURN POST "/purchases/{number}/orders/{order}/returns" Holder Buy;
    API_ADD_RETURN_PICTURE POST "/purchases/{number}/orders/{order}/images" Holder Buy;
    API_RETURN_PICTURE GET "/purchases/{number}/images/{image}" Holder Buy;
    API_WITHDRAW_RETURN POST "/purchases/{number}/orders/{order}/returns/{return}/withdraw" Holder Buy;
    API_APPOINTMENTS GET "/appointments" SignedIn Buy;
    API_PURCHASE_APPOINTMENTS GET "/purchases/{number}/appointments" Holder Buy;
    API_APPOINTMENT GET "/purchases/{number}/appointments/{id}" Holder Buy;
    API_MOVE_APPOINTMENT POST "/purchases/{number}/appointments/{id}/move" Holder Buy;
    API_CANCEL_APPOINTMENT POST "/purchases/{number}/appointments/{id}/cancel" Holder Buy;
    API_REVIEWS GET "/products/{slug}/reviews" Anyone;
    API_OWN_REVIEW GET "/purchases/{number}/orders/{order}/lines/{position}/review" SignedIn Buy;
    API_SAVE_REVIEW PUT "/purchases/{number}/orders/{order}/lines/{position}/review" SignedIn Buy;
    API_DELETE_REVIEW DELETE "/purchases/{number}/orders/{order}/lines/{position}/review" SignedIn Buy;
    API_VOTE PUT "/reviews/{id}/vote" SignedIn Buy;
    API_UNVOTE DELETE "/reviews/{id}/vote" SignedIn Buy;
    API_REPORT_REVIEW POST "/reviews/{id}/reports" SignedIn Buy;
    API_NOTIFICATIONS GET "/notifications" SignedIn Buy;
    API_READ_NOTIFICATION POST "/notifications/{id}/read" SignedIn Buy;
    API_READ_NOTIFICATIONS POST "/notifications/read" SignedIn Buy;
    API_NOTIFICATION_PREFERENCES GET "/notification-preferences" SignedIn Buy;
    API_CHOOSE_NOTIFICATIONS PUT "/notification-preferences" SignedIn Buy;
    API_CONVERSATIONS GET "/conversations" SignedIn Buy;
    API_OPEN_CONVERSATION POST "/conversations" SignedIn Buy;
    API_CONVERSATION GET "/conversations/{id}" Party Buy;
    API_MESSAGES GET "/conversations/{id}/messages" Party Buy;
    API_SEND_MESSAGE POST "/conversations/{id}/messages" Party Buy;
    API_EDIT_MESSAGE PATCH "/conversations/{id}/messages/{message}" Party Buy;
    API_DELETE_MESSAGE DELETE "/conversations/{id}/messages/{message}" Party Buy;
    API_CHANGED_MESSAGES GET "/conversations/{id}/changes" Party Buy;
    API_READ_MESSAGES POST "/conversations/{id}/read" Party Buy;
    API_ADD_MESSAGE_PICTURE POST "/conversations/{id}/images" Party Buy;
    API_MESSAGE_PICTURE GET "/conversations/{id}/images/{image}" Party Buy;
    API_ADDRESSES GET "/addresses" SignedIn Buy;
    API_ADD_ADDRESS POST "/addresses" SignedIn Buy;
    API_ADDRESS GET "/addresses/{id}" SignedIn Buy;
    API_SAVE_ADDRESS PUT "/addresses/{id}" SignedIn Buy;
    API_REMOVE_ADDRESS DELETE "/addresses/{id}" SignedIn Buy;
    API_CARDS GET "/cards" SignedIn Buy;
    API_REMOVE_CARD DELETE "/cards/{id}" SignedIn Buy;

    API_OPEN_SHOP POST "/shops" SignedIn ShopWrite;
    API_SHOP_HOME GET "/shops/{handle}/overview" Member OrdersRead;
    API_SHOP_ANALYTICS GET "/shops/{handle}/analytics" Member OrdersRead;
    API_SETTINGS GET "/shops/{handle}/settings" Member ShopRead;
    API_SAVE_SETTINGS PUT "/shops/{handle}/settings" Member ShopWrite;
    API_MEMBERS GET "/shops/{handle}/members" Member ShopRead;
    API_CHANGE_MEMBER PUT "/shops/{handle}/members/{user}" Member Account;
    API_REMOVE_MEMBER DELETE "/shops/{handle}/members/{user}" Member Account;
    API_LEAVE_SHOP POST "/shops/{handle}/leave" Member Account;
    API_INVITATIONS GET "/shops/{handle}/invitations" Member ShopRead;
    API_INVITE POST "/shops/{handle}/invitations" Member Account;
    API_RESEND_INVITATION POST "/shops/{handle}/invitations/{id}/resend" Member Account;
    API_WITHDRAW_INVITATION DELETE "/shops/{handle}/invitations/{id}" Member Account;
    API_SHIPPING GET "/shops/{handle}/shipping" Member ShopRead;
    API_SAVE_SHIPPING PUT "/shops/{handle}/shipping" Member ShopWrite;
    API_PREVIEW_SHIPPING POST "/shops/{handle}/shipping/preview" Member ShopRead;
    API_BALANCE GET "/shops/{handle}/balance" Member ShopRead;
    API_SHOP_PAYOUTS GET "/shops/{handle}/payouts" Member ShopRead;
    API_REQUEST_PAYOUT POST "/shops/{handle}/payouts" Member PayoutsWrite;
    API_PAYOUT_METHODS GET "/shops/{handle}/payout-methods" Member ShopRead;
    API_ADD_PAYOUT_METHOD POST "/shops/{handle}/payout-methods" Member PayoutsWrite;
    API_CONNECT_PAYOUTS POST "/shops/{handle}/payout-methods/stripe" Member PayoutsWrite;
    API_REMOVE_PAYOUT_METHOD DELETE "/shops/{handle}/payout-methods/{id}" Member PayoutsWrite;
    API_PROMOTIONS GET "/shops/{handle}/promotions" Member CatalogRead;
    API_CREATE_PROMOTION POST "/shops/{handle}/promotions" Member CatalogWrite;
    API_EXPORT_COUPONS GET "/shops/{handle}/promotions/export" Member CatalogRead;
    API_IMPORT_COUPONS POST "/shops/{handle}/promotions/import" Member CatalogWrite;
    API_PROMOTION GET "/shops/{handle}/promotions/{id}" Member CatalogRead;
    API_SAVE_PROMOTION PUT "/shops/{handle}/promotions/{id}" Member CatalogWrite;
    API_END_PROMOTION POST "/shops/{handle}/promotions/{id}/end" Member CatalogWrite;
    API_DELETE_PROMOTION DELETE "/shops/{handle}/promotions/{id}" Member CatalogWrite;
    API_SHOP_SALE_EVENTS GET "/shops/{handle}/sale-events" Member CatalogRead;
    API_CREATE_SALE_EVENT POST "/shops/{handle}/sale-events" Member CatalogWrite;
    API_SHOP_SALE_EVENT GET "/shops/{handle}/sale-events/{id}" Member CatalogRead;
    API_SAVE_SALE_EVENT PUT "/shops/{handle}/sale-events/{id}" Member CatalogWrite;
    API_DELETE_SALE_EVENT DELETE "/shops/{handle}/sale-events/{id}" Member CatalogWrite;
    API_END_SALE_EVENT POST "/shops/{handle}/sale-events/{id}/end" Member CatalogWrite;
    API_ADD_EVENT_PRODUCT POST "/shops/{handle}/sale-events/{id}/products" Member CatalogWrite;
    API_REMOVE_EVENT_PRODUCT DELETE "/shops/{handle}/sale-events/{id}/products/{sale}" Member CatalogWrite;
    API_SELLER_PRODUCTS GET "/shops/{handle}/products" Member CatalogRead;
    API_CREATE_PRODUCT POST "/shops/{handle}/products" Member CatalogWrite;
    API_EXPORT GET "/shops/{handle}/products/export" Member CatalogRead;
    API_SEND_IMPORT POST "/shops/{handle}/imports" Member CatalogWrite;
    API_IMPORT GET "/shops/{handle}/imports/{id}" Member CatalogRead;
    API_IMPORT_ERRORS GET "/shops/{handle}/imports/{id}/errors" Member CatalogRead;
    API_START_IMPORT POST "/shops/{handle}/imports/{id}/start" Member CatalogWrite;
    API_CANCEL_IMPORT POST "/shops/{handle}/imports/{id}/cancel" Member CatalogWrite;
    API_SELLER_PRODUCT GET "/shops/{handle}/products/{id}" Member CatalogRead;
    API_UPDATE_PRODUCT PUT "/shops/{handle}/products/{id}" Member CatalogWrite;
    API_DELETE_PRODUCT DELETE "/shops/{handle}/products/{id}" Member CatalogWrite;
    API_PRODUCT_SALES GET "/shops/{handle}/products/{id}/sales" Member CatalogRead;
    API_PLAN_SALE POST "/shops/{handle}/products/{id}/sales" Member CatalogWrite;
    API_END_SALE POST "/shops/{handle}/products/{id}/sales/{sale}/end" Member CatalogWrite;
    API_REMOVE_SALE DELETE "/shops/{handle}/products/{id}/sales/{sale}" Member CatalogWrite;
    API_PUBLISH_PRODUCT POST "/shops/{handle}/products/{id}/publish" Member CatalogWrite;
    API_ARCHIVE_PRODUCT POST "/shops/{handle}/products/{id}/archive" Member CatalogWrite;
    API_DUPLICATE_PRODUCT POST "/shops/{handle}/products/{id}/duplicate" Member CatalogWrite;
    API_PICTURES GET "/shops/{handle}/products/{id}/images" Member CatalogRead;
    API_SET_PICTURES PUT "/shops/{handle}/products/{id}/images" Member CatalogWrite;
    API_ADD_PICTURE POST "/shops/{handle}/products/{id}/images" Member CatalogWrite;
    API_DESCRIBE_PICTURE PATCH "/shops/{handle}/products/{id}/images/{image}" Member CatalogWrite;
    API_REMOVE_PICTURE DELETE "/shops/{handle}/products/{id}/images/{image}" Member CatalogWrite;
    API_ATTRIBUTES GET "/shops/{handle}/products/{id}/attributes" Member CatalogRead;
    API_SET_ATTRIBUTES PUT "/shops/{handle}/products/{id}/attributes" Member CatalogWrite;
    API_ADJUST_STOCK POST "/shops/{handle}/variants/{id}/stock" Member CatalogWrite;
    API_VARIANT_PRICES GET "/shops/{handle}/variants/{id}/prices" Member CatalogRead;
    API_SET_VARIANT_PRICE PUT "/shops/{handle}/variants/{id}/prices/{currency}" Member CatalogWrite;
    API_SHOP_ORDERS GET "/shops/{handle}/orders" Member OrdersRead;
    API_SHOP_ORDER GET "/shops/{handle}/orders/{number}" Member OrdersRead;
    API_SHOP_RETURN_PICTURE GET "/shops/{handle}/orders/{number}/images/{image}" Member OrdersRead;
    API_SHOP_APPOINTMENTS GET "/shops/{handle}/appointments" Member OrdersRead;
    API_MOVE_SHOP_APPOINTMENT POST "/shops/{handle}/appointments/{id}/move" Member OrdersWrite;
    API_CANCEL_SHOP_APPOINTMENT POST "/shops/{handle}/appointments/{id}/cancel" Member OrdersWrite;
    API_COMPLETE_APPOINTMENT POST "/shops/{handle}/appointments/{id}/done" Member OrdersWrite;
    API_MISS_APPOINTMENT POST "/shops/{handle}/appointments/{id}/no-show" Member OrdersWrite;
    API_SHOP_CONVERSATIONS GET "/shops/{handle}/conversations" Member MessagesRead;
    API_OPEN_SHOP_CONVERSATION POST "/shops/{handle}/conversations" Member MessagesWrite;
    API_SHOP_CONVERSATION GET "/shops/{handle}/conversations/{id}" Member MessagesRead;
    API_SHOP_MESSAGES GET "/shops/{handle}/conversations/{id}/messages" Member MessagesRead;
    API_SEND_SHOP_MESSAGE POST "/shops/{handle}/conversations/{id}/messages" Member MessagesWrite;
    API_EDIT_SHOP_MESSAGE PATCH "/shops/{handle}/conversations/{id}/messages/{message}" Member MessagesWrite;
    API_DELETE_SHOP_MESSAGE DELETE "/shops/{handle}/conversations/{id}/messages/{message}" Member MessagesWrite;
    API_SHOP_CHANGED_MESSAGES GET "/shops/{handle}/conversations/{id}/changes" Member MessagesRead;
    API_READ_SHOP_MESSAGES POST "/shops/{handle}/conversations/{id}/read" Member MessagesWrite;
    API_ADD_SHOP_MESSAGE_PICTURE POST "/shops/{handle}/conversations/{id}/images" Member MessagesWrite;
    API_SHOP_MESSAGE_PICTURE GET "/shops/{handle}/conversations/{id}/images/{image}" Member MessagesRead;
    API_SHOP_REVIEWS GET "/shops/{handle}/reviews" Member MessagesRead;
    API_REPLY PUT "/shops/{handle}/reviews/{id}/reply" Member MessagesWrite;
    API_UNREPLY DELETE "/shops/{handle}/reviews/{id}/reply" Member MessagesWrite;
    API_SHOP_EVENTS GET "/shops/{handle}/events" Member OrdersRead;
    API_CONFIRM POST "/shops/{handle}/orders/{number}/confirm" Member OrdersWrite;
    API_SHIP POST "/shops/{handle}/orders/{number}/ship" Member OrdersWrite;
    API_SHIP_PART POST "/shops/{handle}/orders/{number}/shipments" Member OrdersWrite;
    API_TRACK PUT "/shops/{handle}/orders/{number}/shipments/{shipment}" Member OrdersWrite;
    API_REFUND POST "/shops/{handle}/orders/{number}/refunds" Member OrdersWrite;
    API_OPEN_RETURN POST "/shops/{handle}/orders/{number}/returns" Member OrdersWrite;
    API_APPROVE_RETURN POST "/shops/{handle}/orders/{number}/returns/{return}/approve" Member OrdersWrite;
    API_REJECT_RETURN POST "/shops/{handle}/orders/{number}/returns/{return}/reject" Member OrdersWrite;
    API_REFUND_RETURN POST "/shops/{handle}/orders/{number}/returns/{return}/refund" Member OrdersWrite;
    API_EXCHANGE_RETURN POST "/shops/{handle}/orders/{number}/returns/{return}/exchange" Member OrdersWrite;
    API_RECEIVE_RETURN POST "/shops/{handle}/orders/{number}/returns/{return}/receive" Member OrdersWrite;
    API_DELIVER POST "/shops/{handle}/orders/{number}/deliver" Member OrdersWrite;
    API_CANCEL POST "/shops/{handle}/orders/{number}/cancel" Member OrdersWrite;

    API_EVENTS GET "/events" Operator(SeeOrders) Operator;
    API_ALL_ORDERS GET "/admin/orders" Operator(SeeOrders) Operator;
    API_ANY_RETURN_PICTURE GET "/admin/orders/{number}/images/{image}" Operator(SeeOrders) Operator;
    API_APPROVE_AS_OPERATOR POST "/admin/orders/{number}/returns/{return}/approve" Operator(DecideReturns) Operator;
    API_REFUND_AS_OPERATOR POST "/admin/orders/{number}/refunds" Operator(RefundOrders) Operator;
    API_REJECT_AS_OPERATOR POST "/admin/orders/{number}/returns/{return}/reject" Operator(DecideReturns) Operator;
    API_ALL_SHOPS GET "/admin/shops" Operator(SeeShops) Operator;
    API_USERS GET "/admin/users" Operator(SeeUsers) Operator;
    API_TRIAL_BALANCE GET "/admin/ledger" Operator(SeeBalances) Operator;
    API_PAYMENTS GET "/admin/payments" Operator(SeePayments) Operator;
    API_PAYMENT GET "/admin/payments/{id}" Operator(SeePayments) Operator;
    API_FOLLOW_UP_PAYMENT POST "/admin/payments/{id}/{action}" Operator(ManagePayments) Operator;
    API_RETRY_REFUND POST "/admin/refunds/{id}/retry" Operator(ManagePayments) Operator;
    API_SETTLE_REFUND POST "/admin/refunds/{id}/settle" Operator(ManagePayments) Operator;
    API_ALL_REVIEWS GET "/admin/reviews" Operator(SeeReports) Operator;
    API_MODERATE POST "/admin/reviews/{id}/{action}" Operator(ManageReports) Operator;
    API_AUDIT GET "/admin/audit" Operator(SeeAudit) Operator;
    API_MARKET_PROMOTIONS GET "/admin/promotions" Operator(SeePromotions) Operator;
    API_CREATE_MARKET_PROMOTION POST "/admin/promotions" Operator(ManagePromotions) Operator;
    API_EXPORT_MARKET_COUPONS GET "/admin/promotions/export" Operator(SeePromotions) Operator;
    API_IMPORT_MARKET_COUPONS POST "/admin/promotions/import" Operator(ManagePromotions) Operator;
    API_MARKET_PROMOTION GET "/admin/promotions/{id}" Operator(SeePromotions) Operator;
    API_SAVE_MARKET_PROMOTION PUT "/admin/promotions/{id}" Operator(ManagePromotions) Operator;
    API_END_MARKET_PROMOTION POST "/admin/promotions/{id}/end" Operator(ManagePromotions) Operator;
    API_DELETE_MARKET_PROMOTION DELETE "/admin/promotions/{id}" Operator(ManagePromotions) Operator;
    API_COMMISSION GET "/admin/commission" Operator(SeeShops) Operator;
    API_SET_COMMISSION PUT "/admin/commission" Operator(ManageShops) Operator;
    API_TAX_RATES GET "/admin/tax-rates" Operator(SeePromotions) Operator;
    API_ADD_TAX_RATE POST "/admin/tax-rates" Operator(ManagePromotions) Operator;
    API_PREVIEW_TAX POST "/admin/tax-rates/preview" Operator(SeePromotions) Operator;
    API_END_TAX_RATE POST "/admin/tax-rates/{id}/end" Operator(ManagePromotions) Operator;
    API_REMOVE_TAX_RATE DELETE "/admin/tax-rates/{id}" Operator(ManagePromotions) Operator;
    API_TAX_SETTINGS GET "/admin/tax-settings" Operator(SeePromotions) Operator;
    API_SAVE_TAX_SETTINGS PUT "/admin/tax-settings" Operator(ManagePromotions) Operator;
    API_GIFT_CARDS GET "/admin/gift-cards" Operator(SeePayments) Operator;
    API_ISSUE_GIFT_CARD POST "/admin/gift-cards" Operator(ManagePayments) Operator;
    API_DISABLE_GIFT_CARD POST "/admin/gift-cards/{id}/disable" Operator(ManagePayments) Operator;
    API_ENABLE_GIFT_CARD POST "/admin/gift-cards/{id}/enable" Operator(ManagePayments) Operator;
    API_REFUND_GIFT_CARD POST "/admin/gift-cards/{id}/refund" Operator(ManagePayments) Operator;
    API_OUTBOX GET "/admin/outbox" Operator(SeeJobs) Operator;
    API_JOBS GET "/admin/jobs" Operator(SeeJobs) Operator;
    API_PAYOUTS GET "/admin/payouts" Operator(SeePayouts) Operator;
    API_PAYOUT GET "/admin/payouts/{id}" Operator(SeePayouts) Operator;
    API_APPROVE_PAYOUT POST "/admin/payouts/{id}/approve" Operator(ManagePayouts) Operator;
    API_SEND_PAYOUT POST "/admin/payouts/{id}/send" Operator(ManagePayouts) Operator;
    API_PAY_PAYOUT POST "/admin/payouts/{id}/pay" Operator(ManagePayouts) Operator;
    API_RETRY_PAYOUT POST "/admin/payouts/{id}/retry" Operator(ManagePayouts) Operator;
    API_REJECT_PAYOUT POST "/admin/payouts/{id}/reject" Operator(ManagePayouts) Operator;
    API_RETURN_PAYOUT POST "/admin/payouts/{id}/return" Operator(ManagePayouts) Operator;
    API_REQUEST_PAYOUT_FOR POST "/admin/shops/{handle}/payouts" Operator(ManagePayouts) Operator;
    API_SET_RATE PUT "/admin/currencies/{code}/rate" Operator(ManageRates) Operator;
    API_REMOVE_RATE DELETE "/admin/currencies/{code}/rate" Operator(ManageRates) Operator;
    API_RETRY_JOB POST "/admin/jobs/{id}/retry" Operator(ManageJobs) Operator;
    API_DISCARD_JOB POST "/admin/jobs/{id}/discard" Operator(ManageJobs) Operator;
    API_TEAM GET "/admin/team" Operator(SeeTeam) Operator;
    API_GRANT_ROLE PUT "/admin/team/{user}/roles/{role}" Operator(ManageTeam) Operator;
    API_REVOKE_ROLE DELETE "/admin/team/{user}/roles/{role}" Operator(ManageTeam) Operator;
    API_DEFINE_ATTRIBUTE PUT "/admin/attributes/{code}" Operator(ManageCatalog) Operator;
    API_CATEGORY_TREE GET "/admin/categories" Operator(ManageCatalog) Operator;
    API_ADD_CATEGORY POST "/admin/categories" Operator(ManageCatalog) Operator;
    API_CHANGE_CATEGORY PUT "/admin/categories/{slug}" Operator(ManageCatalog) Operator;
    API_REMOVE_CATEGORY DELETE "/admin/categories/{slug}" Operator(ManageCatalog) Operator;
    API_SET_CATEGORY_ATTRIBUTES PUT "/admin/categories/{slug}/attributes" Operator(ManageCatalog) Operator;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_listed_twice() {
        let mut seen: Vec<_> = ROUTES.iter().chain(REST).map(|r| (r.method, r.path)).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn values_stay_in_their_place() {
        for (text, in_path, in_query) in [
            ("a-b_c.d~9", "a-b_c.d~9", "a-b_c.d~9"),
            ("/p/pen?x=1&y#z", "%2Fp%2Fpen%3Fx%3D1%26y%23z", "/p/pen%3Fx%3D1%26y%23z"),
            ("é+ %", "%C3%A9%2B%20%25", "%C3%A9%2B%20%25"),
            ("\"<\r\n\0", "%22%3C%0D%0A%00", "%22%3C%0D%0A%00"),
        ] {
            assert_eq!(product(text), format!("/p/{in_path}"));
            assert_eq!(with(PRODUCTS, &[("q", text)]), format!("/products?q={in_query}"));
        }
        assert_eq!(shop_order("meena", "H1-1"), "/seller/meena/orders/H1-1");
        assert_eq!(with("/a", &[("q", ""), ("sort", "x"), ("after", "y")]), "/a?sort=x&after=y");
        assert_eq!(with("/a?b=1", &[("c", "2"), ("d", "")]), "/a?b=1&c=2");
        assert_eq!(with("/a", &[("b", "")]), "/a");
        let link = PurchaseLink { number: "H1".into(), key: "k_-".into() };
        assert_eq!(purchase_by_link(&link), "/purchases/H1?key=k_-");
    }

    #[test]
    fn outcomes_are_taken_off_a_url() {
        for (url, kept) in [
            ("/a", "/a"),
            ("/a?b=1", "/a?b=1"),
            ("/a?done=9", "/a"),
            ("/a?error=x&b=1&done=2&n=3&undo=4&c=done=", "/a?b=1&c=done="),
            ("/a?d%6fne=9&b=%20", "/a?b=%20"),
            ("/a?doner=9&done", "/a?doner=9"),
        ] {
            assert_eq!(without_outcome(url), kept);
        }
    }

    #[test]
    fn the_back_office_is_what_belongs_to_its_surfaces() {
        let page = |r: &&Route| matches!(r.surface, Surface::Storefront | Surface::Seller | Surface::Admin);
        for route in ROUTES.iter().filter(page) {
            assert_eq!(is_back_office(route.path), route.surface != Surface::Storefront, "{}", route.path);
        }
        assert!(!is_back_office("/sellers") && !is_back_office("/administrators/1"));
    }

    #[test]
    fn conversations_are_those_of_shoppers_and_shops() {
        let id = crate::id::kinds::ConversationId::from_uuid(Default::default());
        assert!(
            is_conversation(&conversation(id)) && is_conversation(&shop_conversation("meena-crafts", id))
        );
        for other in [
            MESSAGES,
            "/messages/",
            "/seller/messages/settings",
            "/seller/meena-crafts/messages",
            "/p/messages/1",
        ] {
            assert!(!is_conversation(other), "{other}");
        }
    }

    #[test]
    fn what_only_some_may_do_needs_a_scope() {
        for route in REST.iter().filter(|r| !matches!(r.audience, Audience::Anyone)) {
            assert!(route.scope.is_some() || route.path == API_ME.path, "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn what_is_for_one_person_is_private() {
        for route in ROUTES.iter().chain(REST) {
            let public = matches!(route.audience, Audience::Anyone | Audience::Signed);
            assert!(public || route.is_private(), "{} {}", route.method, route.path);
        }
        let found = |path: &str| ROUTES.iter().find(|r| r.path == path).map(Route::is_private);
        for (path, private) in [(HOME, true), (CART, true), (EXPORT, true), (WORDS, false), (MEDIA, false)] {
            assert_eq!(found(path), Some(private), "{path}");
        }
    }

    #[test]
    fn what_changes_something_is_never_a_get() {
        for route in ROUTES {
            if matches!(route.surface, Surface::Function | Surface::Webhook) {
                assert_eq!(route.method, "POST", "{}", route.path);
            }
        }
    }
}
