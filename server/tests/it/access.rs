//! The access matrix: every route, requested by every kind of caller, with the data of one shop and one
//! shopper. A rejected caller can't tell other people's data from data that doesn't exist, and changes
//! nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use haat_shared::{
    permissions::AdminRole,
    routes::{Audience, ROUTES, Route, *},
};
use reqwest::{Client, header, redirect::Policy};
use serde_json::Value;

use crate::{
    mails,
    program::{self, Fields, On, Program, details, location, on_both},
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Anonymous,
    Shopper,
    SellerA,
    SellerB,
    Operator,
    ReadOnly,
    Finance,
}

use Who::*;

const EVERYONE: [Who; 7] = [Anonymous, Shopper, SellerA, SellerB, Operator, ReadOnly, Finance];

/// The ids that requests use: `<order>` in a row of the table stands for the `order` in this map.
type Things = BTreeMap<&'static str, String>;

#[derive(Debug, Clone, Copy)]
enum Body {
    None,
    Form(&'static str),
    Json(&'static str),
}

/// A request to a route: the ids in its path, the body, and the status for authorised callers.
#[derive(Debug, Clone, Copy)]
struct Row {
    method: &'static str,
    path: &'static str,
    fills: &'static str,
    body: Body,
    ok: u16,
    /// The status if the record does not exist.
    missing: u16,
}

const fn get(path: &'static str, fills: &'static str, ok: u16) -> Row {
    Row { method: "GET", path, fills, body: Body::None, ok, missing: 404 }
}

const fn form(path: &'static str, fills: &'static str, fields: &'static str, ok: u16) -> Row {
    Row { method: "POST", path, fills, body: Body::Form(fields), ok, missing: 404 }
}

const fn call(path: &'static str, arguments: &'static str) -> Row {
    Row { method: "POST", path, fills: "", body: Body::Json(arguments), ok: 200, missing: 404 }
}

impl Row {
    const fn ok(self, ok: u16) -> Self {
        Self { ok, ..self }
    }

    const fn missing(self, missing: u16) -> Self {
        Self { missing, ..self }
    }
}

/// Every route, in an order in which each request leaves what later ones need.
const TABLE: &[Row] = &[
    get(HOME, "", 200),
    get(PRODUCTS, "", 200),
    get(PRODUCT, "slug", 200),
    get(CATEGORY, "category", 200),
    get(SHOPS, "", 200),
    get(SHOP, "handle", 200),
    get(CART, "", 200),
    get(WISHLIST, "", 200),
    get(PRIVACY, "", 200),
    get(CONTACT, "", 200),
    get(CONTACT_MESSAGES, "", 200),
    call(FN_CONTACT_MESSAGES, r#"{"of":{}}"#),
    // Nothing of it is valid, and there is no such message.
    form(FORM_CONTACT, "", "name=", 303),
    form(FORM_CONTACT_MESSAGES, "", "id=contact_00000000000000000000000000&action=close", 404),
    get(CHECKOUT, "checkout", 200),
    get(PURCHASE, "purchase", 200),
    get(INVOICE, "shipped-purchase invoice", 200),
    // No picture is shown with a return.
    get(PICTURE, "shipped-purchase file", 404),
    get(SERVICES, "", 200),
    // The product is not a service.
    get(BOOK, "slug", 404),
    form(FORM_BOOK, "slug", "time=1", 404),
    // There is no such appointment, and no such calendar.
    get(CANCEL_APPOINTMENT, "appointment", 404),
    form(FORM_CANCEL_APPOINTMENT, "appointment", "refund=1", 404),
    form(FORM_APPOINTMENTS, "", "action=end_feed", 303),
    get(CALENDAR_FEED, "appointment", 404),
    // The purchase has no appointments.
    get(PURCHASE_CALENDAR, "purchase", 404),
    get(GIFT_CARD, "", 200),
    get(BUY_GIFT_CARD, "", 200),
    get(SIGN_IN, "", 200),
    get(SIGN_UP, "", 200),
    get(ACCOUNT, "", 200),
    get(CARDS, "", 200),
    get(APPOINTMENTS, "", 200),
    get(PROFILE, "", 200),
    get(ADDRESSES, "", 200),
    get(PERSONAL_DATA, "", 200),
    form(FORM_EXPORT_DATA, "", "", 200),
    // Nothing is confirmed.
    form(FORM_PERSONAL_DATA, "", "password=", 303),
    call(FN_PERSONAL_DATA, "{}"),
    // No order has the number of a purchase.
    get(WRITE_REVIEW, "purchase position", 404),
    form(FORM_WRITE_REVIEW, "purchase position", "action=delete", 404),
    call(FN_REVIEW_FORM, r#"{"order":"none","position":0}"#).ok(404),
    call(FN_REVIEWS, r#"{"slug":"<slug>","sort":"","after":""}"#),
    call(FN_REVIEWABLE, r#"{"number":"<purchase>"}"#),
    form(FORM_REVIEW, "review", "action=vote&back=/", 404),
    get(SHOP_REVIEWS, "handle", 200),
    call(FN_SHOP_REVIEWS, r#"{"shop":"<handle>","of":{}}"#),
    form(FORM_SHOP_REVIEWS, "handle", "action=unreply&review=<review>", 404),
    get(ALL_REVIEWS, "", 200),
    get(SHOP_ANALYTICS, "handle", 200),
    get(MARKET_ANALYTICS, "", 200),
    call(FN_SHOP_ANALYTICS, r#"{"handle":"<handle>","of":{}}"#),
    call(FN_MARKET_ANALYTICS, r#"{"of":{}}"#),
    get(EXPORT_DAYS, "handle", 200),
    get(EXPORT_PRODUCT_FIGURES, "handle", 200),
    get(EXPORT_MARKET_DAYS, "", 200),
    get(SEARCHES, "", 200),
    call(FN_SEARCHES, "{}"),
    form(FORM_SEARCHES, "", "synonyms=sofa", 303),
    call(FN_ALL_REVIEWS, r#"{"of":{}}"#),
    form(FORM_ALL_REVIEWS, "", "id=<review>&version=1&action=hide&note=No", 404),
    get(FORGOT_PASSWORD, "", 200),
    get(SIGN_IN_CODE, "", 200),
    // Not an ID of a request for a new password.
    get(RESET_PASSWORD, "payment", 404),
    form(FORM_RESET_PASSWORD, "payment", "password=eight888", 404),
    get(NOTIFICATIONS, "", 200),
    get(NOTIFICATION_SETTINGS, "", 200),
    // Nothing is upgraded.
    get(LIVE, "", 400),
    get(LIVE_STOCK, "product", 400),
    get(MESSAGES, "", 200),
    get(CONVERSATION, "conversation", 200),
    get(SHOP_MESSAGES, "handle", 200),
    get(SHOP_CONVERSATION, "handle conversation", 200),
    get(SELLER_SHOPS, "", 200),
    get(OPEN_SHOP, "", 200),
    get(DASHBOARD, "handle", 200),
    get(SHOP_ORDERS, "handle", 200),
    get(SHOP_ORDER, "handle order", 200),
    get(PACKING_SLIP, "handle order", 200),
    get(PACKING_SLIPS, "handle", 200),
    get(SELLER_PRODUCTS, "handle", 200),
    get(NEW_PRODUCT, "handle", 200),
    get(SELLER_PRODUCT, "handle product", 200),
    get(PRODUCT_SALES, "handle product", 200),
    get(PRODUCT_PRICES, "handle product", 200),
    get(SHOP_PROMOTIONS, "handle", 200),
    get(SHOP_SHIPPING, "handle", 200),
    get(SHOP_SERVICES, "handle", 200),
    get(EVENTS, "", 200),
    // It has no products, so it isn't announced.
    get(EVENT, "event", 404),
    get(SHOP_EVENTS, "handle", 200),
    get(SHOP_EVENT, "handle event", 200),
    get(BALANCE, "handle", 200),
    get(SETTINGS, "handle", 200),
    get(SHOP_TEAM, "handle", 200),
    // Not an ID of an invitation.
    get(INVITATION, "payment", 404),
    form(FORM_INVITATION, "payment", "token=t", 404),
    get(WORDS, "words", 200),
    get(MEDIA, "file", 200),
    get(PAYMENT_RETURN, "payment", 404),
    get(CONFIRM_SIGN_UP, "payment", 404),
    // No provider is configured.
    form(FORM_LOGIN, "gateway", "", 404),
    get(LOGIN_RETURN, "gateway", 404),
    // Served on another host name than the sandbox's pages.
    get(SANDBOX_PAGE, "sandbox", 404),
    form(SANDBOX_PAY, "sandbox", "card=4242 4242 4242 4242", 404),
    form(WEBHOOK, "gateway", "forged=1", 403),
    get(ROBOTS, "", 200),
    get(SITEMAP, "", 200),
    get(SITEMAP_FILE, "sitemap", 200),
    get(HEALTHZ, "", 200),
    get(READYZ, "", 200),
    get(METRICS, "", 200),
    get(API_DOCUMENT, "", 200),
    get(API_DOCS, "", 200),
    get(DEV_UI, "", 200),
    get(DEV_MAILS, "", 200),
    get(DEV_MAIL, "mail", 200),
    get(DEV_MAIL_HTML, "mail", 200),
    call(FN_ME, "{}"),
    call(FN_DRAFT, r#"{"form":"settings","id":"draft_00000000000000000000000000"}"#),
    call(FN_WAYS_IN, "{}"),
    // None: there is no such request.
    call(FN_PASSWORD_RESET, r#"{"id":"reset_00000000000000000000000000","token":"t"}"#),
    call(FN_PROFILE, "{}"),
    call(FN_LIST_PRODUCTS, r#"{"of":{}}"#),
    call(FN_FIND_PRODUCTS, r#"{"of":{"q":"cup"}}"#),
    call(FN_SUGGEST_PRODUCTS, r#"{"q":"cup"}"#),
    call(FN_PRODUCT, r#"{"slug":"<slug>"}"#),
    call(FN_HOME, "{}"),
    call(FN_ROOTS, "{}"),
    call(FN_TREE, "{}"),
    call(FN_CATEGORY_ATTRIBUTES, r#"{"slug":"<category>"}"#),
    call(FN_CATEGORY, r#"{"slug":"<category>"}"#),
    call(FN_SHOP, r#"{"handle":"<handle>"}"#),
    call(FN_SHOPS, r#"{"after":""}"#),
    call(FN_CURRENCY, "{}"),
    call(FN_CART, "{}"),
    call(FN_WISHLIST, r#"{"link":null}"#),
    // Nothing of it is there.
    call(FN_CHANGE_WISHLIST, r#"{"change":{"drop":"var_00000000000000000000000000"}}"#),
    form(FORM_WISHLIST, "", "action=remove", 404),
    call(FN_CART_COUNT, "{}"),
    call(FN_CURRENCY_CHOICES, "{}"),
    call(FN_ADDRESSES, "{}"),
    form(FORM_ADDRESSES, "", "action=save", 303),
    call(FN_REGIONS, r#"{"country":"IN"}"#),
    // There is no such card.
    call(FN_GIFT_CARD, r#"{"id":"gift_00000000000000000000000000","key":"k"}"#).ok(404),
    call(FN_GIFT_CARD_OFFER, "{}"),
    form(FORM_BUY_GIFT_CARD, "", "amount=500", 303),
    form(FORM_GIFT_CARD, "", "code=ABCD-EFGH-JKMN-PQRS", 303),
    // The shop's routes.
    call(FN_DASHBOARD, r#"{"handle":"<handle>","of":{}}"#),
    call(FN_TO_DO, r#"{"handle":"<handle>"}"#),
    call(FN_SEARCH, r#"{"handle":"<handle>","q":"clay"}"#),
    call(FN_SETTINGS, r#"{"handle":"<handle>"}"#),
    call(FN_SHOP_TEAM, r#"{"handle":"<handle>"}"#),
    // None: the link is not signed.
    call(FN_INVITATION, r#"{"id":"invite_00000000000000000000000000","token":"t"}"#),
    // Nothing of it is valid.
    form(FORM_SHOP_TEAM, "handle", "action=invite", 303),
    call(FN_BALANCE, r#"{"handle":"<handle>","after":""}"#),
    call(FN_SHOP_PAYOUTS, r#"{"handle":"<handle>","after":""}"#),
    // Nothing of it is valid.
    // Nothing is connected.
    get(CONNECT_RETURN, "handle", 404),
    form(FORM_BALANCE, "handle", "action=withdraw&amount=0&key=<key>", 303),
    call(FN_PROMOTIONS, r#"{"handle":"<handle>","after":"","id":null}"#),
    form(FORM_PROMOTIONS, "handle", "action=create", 303),
    // Without a file.
    form(FORM_COUPONS, "handle", "", 303),
    get(EXPORT_COUPONS, "handle", 200),
    call(FN_SERVICES, r#"{"asked":{}}"#),
    call(FN_BOOKING, r#"{"slug":"<slug>","asked":{}}"#).ok(404),
    call(FN_APPOINTMENTS, "{}"),
    call(FN_MOVING, r#"{"of":{"id":"none"}}"#).ok(404),
    call(FN_PURCHASE_APPOINTMENTS, r#"{"number":"none","key":""}"#).ok(404),
    call(FN_SHOP_SERVICES, r#"{"handle":"<handle>","day":""}"#),
    call(FN_EVENTS, "{}"),
    call(FN_EVENT, r#"{"id":"<event>"}"#).ok(404),
    call(FN_SHOP_EVENTS, r#"{"handle":"<handle>"}"#),
    call(FN_SHOP_EVENT, r#"{"handle":"<handle>","id":"<event>","adding":null}"#),
    form(FORM_SHOP_EVENTS, "handle", "action=create", 303),
    form(FORM_SHOP_EVENT, "handle event", "action=save&title=Fair", 303),
    call(FN_SHIPPING, r#"{"handle":"<handle>"}"#),
    call(FN_PREVIEW_SHIPPING, r#"{"handle":"<handle>","basket":{"country":"IN","value":"1"},"edited":null}"#),
    form(FORM_SHIPPING, "handle", "action=add", 303),
    form(FORM_SHOP_SERVICES, "handle", "action=provider", 303),
    call(FN_SELLER_PRODUCTS, r#"{"handle":"<handle>","of":{}}"#),
    call(FN_SELLER_PRODUCT, r#"{"handle":"<handle>","id":"<product>"}"#),
    call(FN_PRODUCT_SALES, r#"{"handle":"<handle>","id":"<product>"}"#),
    form(FORM_PRODUCT_SALES, "handle product", "action=plan", 303),
    call(FN_PRICE_LIST, r#"{"handle":"<handle>","id":"<product>","currency":""}"#),
    form(FORM_PRODUCT_PRICES, "handle product", "currency=USD", 303),
    call(FN_SELLER_PICTURES, r#"{"handle":"<handle>","product":"<product>"}"#),
    call(FN_ATTRIBUTE_VALUES, r#"{"handle":"<handle>","product":"<product>"}"#),
    call(FN_SET_ATTRIBUTE_VALUES, r#"{"handle":"<handle>","product":"<product>","values":[]}"#),
    call(FN_SELLER_ORDERS, r#"{"handle":"<handle>","of":{}}"#),
    call(FN_SELLER_ORDER, r#"{"handle":"<handle>","number":"<order>"}"#),
    call(FN_PACKING_SLIPS, r#"{"handle":"<handle>","numbers":["<order>"]}"#),
    get(IMPORT, "handle", 200),
    get(IMPORT_ERRORS, "handle import", 200),
    get(EXPORT, "handle", 200),
    get(EXPORT_ORDERS, "handle", 200),
    get(EXPORT_STATEMENT, "handle", 200),
    get(STATEMENT_PDF, "handle", 200),
    get(SHOP_PICTURE, "handle order file", 404),
    // No message shows one.
    get(CONVERSATION_PICTURE, "conversation file", 404),
    get(SHOP_CONVERSATION_PICTURE, "handle conversation file", 404),
    get(SHOP_INVOICE, "handle invoice", 200),
    call(FN_IMPORTS, r#"{"handle":"<handle>","id":"<import>"}"#),
    form(FORM_IMPORT, "handle", "", 303),
    form(FORM_IMPORT_GO, "handle import", "action=stop", 303),
    form(FORM_ADD_PICTURE, "handle", "", 422),
    call(
        FN_SET_PICTURES,
        r#"{"handle":"<handle>","product":"<product>","pictures":[{"media":"<media>","alt":""}]}"#,
    ),
    call(FN_SET_LOGO, r#"{"handle":"<handle>","picture":"<media>"}"#),
    call(FN_ADJUST_STOCK, r#"{"variant":"<variant>","change":1,"key":"<key>"}"#),
    call(
        FN_UPDATE_PRODUCT,
        r#"{"handle":"<handle>","id":"<product>","version":1,"form":<form>,"key":"<key>"}"#,
    ),
    call(FN_CREATE_PRODUCT, r#"{"handle":"<handle>","form":<new>,"key":"<key>"}"#),
    call(FN_DUPLICATE_PRODUCT, r#"{"handle":"<handle>","id":"<product>","key":"<key>"}"#),
    call(FN_ARCHIVE_PRODUCT, r#"{"handle":"<handle>","id":"<product>"}"#),
    call(FN_PUBLISH_PRODUCT, r#"{"handle":"<handle>","id":"<product>"}"#),
    form(FORM_PRODUCTS, "handle", "action=publish&id=<product>&back=/", 303),
    // The product has been sold.
    call(FN_DELETE_PRODUCT, r#"{"handle":"<handle>","id":"<product>"}"#).ok(409),
    call(FN_SAVE_SHOP, r#"{"handle":"<handle>","version":1,"form":{"name":""}}"#).ok(422),
    form(FORM_SETTINGS, "handle", "version=1&name=", 303),
    form(FORM_ORDER, "handle order", "action=confirm", 303),
    form(FORM_ORDERS, "handle", "action=confirm&id=<order>&back=/", 303),
    call(FN_CONFIRM, r#"{"handle":"<handle>","number":"<order>"}"#),
    call(
        FN_SHIP,
        r#"{"handle":"<handle>","number":"<order>","shipment":{"carrier":"Post","tracking_number":"1","tracking_url":""}}"#,
    ),
    call(FN_DELIVER, r#"{"handle":"<handle>","number":"<order>"}"#),
    // The shopper's routes.
    call(FN_CHECKOUT, r#"{"id":"<checkout>"}"#),
    call(FN_UPDATE_CHECKOUT, r#"{"id":"<checkout>","update":{}}"#),
    call(FN_PAY, r#"{"id":"<checkout>","update":{},"quote_version":1,"key":"<key>"}"#).ok(422),
    form(FORM_PAY, "checkout", "email=", 303),
    call(FN_PURCHASE, r#"{"number":"<purchase>","key":""}"#),
    call(FN_HISTORY, r#"{"after":""}"#),
    call(FN_SAVES_CARDS, "{}"),
    call(FN_RECOMMENDATIONS, "{}"),
    form(FORM_RECOMMENDATIONS, "", "action=off", 303),
    call(FN_CARDS, "{}"),
    call(FN_NOTIFICATIONS, r#"{"after":""}"#),
    call(FN_NOTIFICATION_PREFERENCES, "{}"),
    call(FN_BROWSER, r#"{"endpoint":""}"#),
    // Not the address of a push service.
    Row {
        ok: 422,
        ..call(
            FN_SUBSCRIBE,
            r#"{"subscription":{"endpoint":"https://push.example/1","keys":{"p256dh":"","auth":""}}}"#,
        )
    },
    call(FN_UNSUBSCRIBE, r#"{"endpoint":""}"#),
    call(FN_OFFER_CARDS, "{}"),
    // No gateway of this market saves cards.
    form(FORM_CARDS, "", "action=remove&card=pm_1", 404),
    get(UNSUBSCRIBE, "user", 303),
    // The link is not signed.
    form(FORM_UNSUBSCRIBE, "user", "List-Unsubscribe=One-Click", 404),
    form(FORM_NOTIFICATIONS, "", "action=read", 303),
    form(FORM_NOTIFICATION_SETTINGS, "", "purchases.email=1", 303),
    call(
        FN_CANCEL_BY_CUSTOMER,
        r#"{"purchase":"<second-purchase>","key":"","number":"<second order>","reason":"Changed my mind"}"#,
    ),
    // Repeats the request.
    form(FORM_CANCEL_BY_CUSTOMER, "second-purchase", "order=<second order>&reason=Changed my mind", 303),
    // Not sent as a form with files.
    form(FORM_RETURN, "second-purchase", "", 303),
    call(FN_SET_QUANTITY, r#"{"changes":[{"line":"<line>","quantity":"2"}]}"#),
    form(FORM_SET_QUANTITY, "line", "quantity.<line>=3", 303).missing(303),
    // Of the caller's own cart.
    form(FORM_CODES, "", "code=NONE", 303).missing(303),
    // Starts a checkout with the caller's own cart.
    call(FN_BEGIN_CHECKOUT, "{}").missing(409),
    form(FORM_BEGIN_CHECKOUT, "", "", 303).missing(303),
    call(FN_REMOVE_LINE, r#"{"line":"<line>"}"#),
    call(FN_ADD_LINE, r#"{"line":{"variant":"<variant>","quantity":"1"}}"#),
    form(FORM_ADD_LINE, "", "variant=<variant>&quantity=1&back=/", 303),
    call(FN_OPEN_SHOP, r#"{"form":{}}"#).ok(422),
    form(FORM_OPEN_SHOP, "", "name=", 303),
    call(FN_INBOX, r#"{"asked":{"open":"<conversation>"}}"#),
    call(
        FN_SEND_MESSAGE,
        r#"{"shop":"","id":"<conversation>","message":{"id":"msg_00000000000000000000000000","text":"Hello"}}"#,
    ),
    call(
        FN_EDIT_MESSAGE,
        r#"{"shop":"","id":"<conversation>","message":"msg_00000000000000000000000000","text":"Hello!"}"#,
    ),
    call(
        FN_DELETE_MESSAGE,
        r#"{"shop":"","id":"<conversation>","message":"msg_00000000000000000000000000"}"#,
    ),
    call(FN_CHANGED_MESSAGES, r#"{"shop":"","id":"<conversation>","after":0}"#),
    call(FN_READ_MESSAGES, r#"{"shop":"","id":"<conversation>","seq":1}"#),
    form(FORM_MESSAGES, "", "shop=<handle>&back=/", 303),
    form(
        FORM_CONVERSATION,
        "conversation",
        "action=send&message=msg_00000000000000000000000001&text=Hi",
        303,
    ),
    // Not sent as a form with files: back to the page, which says so.
    form(FORM_CONVERSATION_PICTURES, "conversation", "", 303),
    form(FORM_SHOP_CONVERSATION_PICTURES, "handle conversation", "", 303),
    form(FORM_SHOP_MESSAGES, "handle", "order=<order>", 303),
    form(
        FORM_SHOP_CONVERSATION,
        "handle conversation",
        "action=send&message=msg_00000000000000000000000002&text=Hi",
        303,
    ),
    // The operator's routes.
    get(ADMIN, "", 200),
    get(ALL_ORDERS, "", 200),
    get(ANY_ORDER, "order", 200),
    get(ANY_INVOICE, "invoice", 200),
    get(ANY_PICTURE, "order file", 404),
    get(ALL_SHOPS, "", 200),
    get(ANY_SHOP, "handle", 200),
    get(COMMISSION, "", 200),
    get(CATEGORIES, "", 200),
    call(FN_COMMISSION, "{}"),
    call(FN_CATEGORY_TREE, "{}"),
    form(FORM_COMMISSION, "", "of=usual&percent=10", 303),
    form(FORM_CATEGORIES, "", "action=up&category=tableware", 303),
    get(LEDGER, "", 200),
    get(EXPORT_LEDGER, "", 200),
    call(FN_TRIAL_BALANCE, "{}"),
    get(PAYMENTS, "", 200),
    get(PAYMENT, "payment", 200),
    get(MARKET_PROMOTIONS, "", 200),
    get(ANNOUNCEMENTS, "", 200),
    get(TAXES, "", 200),
    get(CURRENCIES, "", 200),
    get(GIFT_CARDS, "", 200),
    get(PAYOUTS, "", 200),
    // Nothing is available to withdraw, so there is no payout.
    get(ANY_PAYOUT, "payout", 404),
    get(PAYOUTS_CSV, "", 200),
    // No account to pay from is configured.
    get(PAYOUTS_XML, "", 404),
    get(USERS, "", 200),
    get(USER, "user", 200),
    get(REPORTS, "", 200),
    // Nothing is reported.
    get(REPORTED_PICTURE, "report file", 404),
    get(JOBS, "", 200),
    get(OUTBOX, "", 200),
    get(DELIVERIES, "", 200),
    get(DELIVERY, "notification", 200),
    get(AUDIT, "", 200),
    get(TEAM, "", 200),
    call(FN_ADMIN, "{}"),
    call(FN_MARKET, "{}"),
    call(FN_SEARCH_MARKET, r#"{"q":"asha"}"#),
    call(FN_DELIVERIES, r#"{"of":{}}"#),
    call(FN_DELIVERY, r#"{"id":"<notification>"}"#),
    call(FN_ALL_ORDERS, r#"{"of":{}}"#),
    call(FN_ANY_ORDER, r#"{"number":"<order>"}"#),
    call(FN_ALL_SHOPS, r#"{"of":{}}"#),
    call(FN_ANY_SHOP, r#"{"handle":"<handle>"}"#),
    call(FN_PAYMENTS, r#"{"of":{}}"#),
    call(FN_PAYMENT, r#"{"id":"<payment>"}"#),
    call(FN_MARKET_PROMOTIONS, r#"{"after":"","id":null}"#),
    form(FORM_MARKET_PROMOTIONS, "", "action=create", 303),
    call(FN_ANNOUNCEMENTS, r#"{"after":"","id":null}"#),
    form(FORM_ANNOUNCEMENTS, "", "action=save", 303),
    form(FORM_MARKET_COUPONS, "", "", 303),
    get(EXPORT_MARKET_COUPONS, "", 200),
    call(FN_CURRENCIES, "{}"),
    form(FORM_CURRENCIES, "", "action=set", 303),
    call(FN_TAXES, "{}"),
    call(
        FN_PREVIEW_TAXES,
        r#"{"of":{"from_country":"","from_region":"","country":"","region":"","tax_id":"","tax_category":"standard","price":{"amount":100,"currency":"INR"}}}"#,
    ),
    form(FORM_TAXES, "", "action=add", 303),
    call(FN_GIFT_CARDS, r#"{"issued":null}"#),
    form(FORM_GIFT_CARDS, "", "action=issue&amount=5&currency=INR", 303),
    call(FN_PAYOUTS, r#"{"of":{}}"#),
    call(FN_ANY_PAYOUT, r#"{"id":"<payout>"}"#).ok(404),
    form(FORM_PAYOUT, "payout", "action=approve", 404),
    call(FN_USERS, r#"{"of":{}}"#),
    call(FN_USER, r#"{"id":"<user>"}"#),
    call(FN_REPORTS, r#"{"of":{}}"#),
    form(FORM_REPORTS, "", "id=report_00000000000000000000000000&action=dismiss", 404),
    call(FN_OUTBOX, r#"{"of":{}}"#),
    call(FN_AUDIT, r#"{"of":{}}"#),
    call(FN_JOBS, r#"{"of":{}}"#),
    // Without a reason.
    form(FORM_USER, "user", "action=deactivate", 303),
    call(FN_TEAM, "{}"),
    form(FORM_TEAM, "", "action=grant&email=olga@haat.example&role=support", 303),
    form(FORM_PAYMENT, "payment", "action=check", 303),
    // No refund has failed.
    form(FORM_REFUND, "refund", "action=retry", 404),
    // There is no such return.
    form(
        FORM_ANY_ORDER,
        "order",
        "action=return_reject&return=ret_00000000000000000000000000&reason=No",
        404,
    ),
    // Nothing is entered, so the page shows what is missing.
    form(FORM_REFUND_ANY, "order", "action=refund", 303),
    form(FORM_RESEND, "notification", "", 303),
    // From here on the gateway is unavailable, so that the refund stays in the queue.
    call(FN_CANCEL, r#"{"handle":"<handle>","number":"<paid order>","reason":"No"}"#),
    call(FN_DISCARD_JOB, r#"{"id":"<job>"}"#),
    call(FN_RETRY_JOB, r#"{"id":"<job>"}"#),
    form(FORM_JOB, "job", "action=discard", 303),
    // These change who the caller is, so they come last.
    form(FORM_LANGUAGE, "", "locale=en&back=/", 303),
    form(FORM_CURRENCY, "", "currency=INR&back=/", 303),
    form(FORM_SIGN_IN, "", "email=nobody@example.com&password=wrong", 303),
    form(FORM_SIGN_UP, "", "name=Asha", 303),
    form(FORM_FORGOT_PASSWORD, "", "email=", 303),
    form(FORM_SIGN_IN_CODE, "", "action=send&email=", 303),
    // Nothing of it is valid.
    form(FORM_PROFILE, "", "name=", 303),
    form(FORM_PASSWORD, "", "password=", 303),
    // There is no such provider.
    form(FORM_LOGINS, "", "provider=none", 404),
    form(FORM_SESSIONS, "", "", 303),
    form(FORM_SIGN_OUT, "", "", 303),
];

fn route(row: &Row) -> &'static Route {
    ROUTES.iter().find(|r| r.method == row.method && r.path == row.path).expect("a route of the program")
}

/// Whether a caller may use a route with the records of the shopper and shop A; if not, the expected status.
fn allowed(row: &Row, who: Who) -> Result<(), u16> {
    match (route(row).audience, who) {
        (Audience::Anyone | Audience::Signed, _)
        | (Audience::Holder | Audience::Party, Shopper)
        | (Audience::Member, SellerA) => Ok(()),
        (Audience::Operator(permission), Operator | ReadOnly | Finance) => {
            let role = match who {
                ReadOnly => AdminRole::ReadOnly,
                Finance => AdminRole::Finance,
                _ => AdminRole::Owner,
            };
            if role.may(permission) { Ok(()) } else { Err(403) }
        }
        (Audience::SignedIn, who) if who != Anonymous => Ok(()),
        (Audience::SignedIn | Audience::Party | Audience::Member | Audience::Operator(_), Anonymous) => {
            Err(401)
        }
        // The request names no record, so the caller's own cart is used.
        (Audience::Holder, SellerB) if [FN_BEGIN_CHECKOUT, FORM_BEGIN_CHECKOUT].contains(&row.path) => Ok(()),
        _ => Err(row.missing),
    }
}

fn fill(template: &str, things: &Things) -> String {
    // A value may contain other placeholders.
    let once = |text: String| things.iter().fold(text, |text, (n, v)| text.replace(&format!("<{n}>"), v));
    once(once(template.to_owned()))
}

/// The request, apart from what must be unique each time.
fn request(row: &Row, things: &Things) -> (String, String) {
    let mut path = row.path.to_owned();
    for name in row.fills.split(' ').filter(|name| !name.is_empty()) {
        let (begin, end) = (path.find('{').expect("a gap"), path.find('}').expect("its end"));
        path.replace_range(begin..=end, &things[name]);
    }
    let body = match row.body {
        Body::None => "",
        Body::Form(text) | Body::Json(text) => text,
    };
    (path, fill(body, things))
}

struct Market {
    program: Program,
    client: Client,
    sessions: BTreeMap<&'static str, String>,
    /// The ids, and their names in the table.
    names: BTreeMap<String, &'static str>,
}

/// A response, as far as the caller can tell it from another.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    status: u16,
    headers: BTreeSet<(String, String)>,
    body: String,
}

impl Market {
    async fn open(on: On) -> Self {
        let mut program = Program::serve(on).await;
        program.set("HAAT_ADMIN_PASSWORD", "market-day-2026");
        program.run_ok(&["admin", "create", "--email", "olga@haat.example", "--name", "Olga"]);
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        for (name, email) in
            [("Asha", "asha@example.com"), ("Rita", "rita@haat.example"), ("Farah", "farah@haat.example")]
        {
            let form = [("name", name), ("email", email), ("password", "market-day-2026")];
            program::Shopper::new(&program).post("/sign-up", &form).await;
        }
        let mut sessions = BTreeMap::new();
        for (who, email) in [
            ("Shopper", "asha@example.com"),
            ("SellerA", "meena@haat.example"),
            ("SellerB", "delta@haat.example"),
            ("Operator", "olga@haat.example"),
            ("ReadOnly", "rita@haat.example"),
            ("Finance", "farah@haat.example"),
        ] {
            let form = [("email", email), ("password", "market-day-2026")];
            let answer = client.post(program.at("/sign-in")).form(&form).send().await.unwrap();
            let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            assert!(cookie.starts_with("haat_session="), "{who}: {cookie}");
            sessions.insert(who, cookie.split(';').next().unwrap().to_owned());
        }
        let market = Self { program, client, sessions, names: BTreeMap::new() };
        for (email, role) in [("rita@haat.example", "read_only"), ("farah@haat.example", "finance")] {
            let form = [("action", "grant"), ("email", email), ("role", role)];
            assert_eq!(market.post(Operator, TEAM, &form).await, format!("{TEAM}?done=grant"));
        }
        market
    }

    async fn send(&self, who: Who, row: &Row, things: &Things) -> reqwest::Response {
        static KEY: AtomicU64 = AtomicU64::new(0);
        let (path, body) = request(row, things);
        let body = body.replace("<key>", &format!("key-{}", KEY.fetch_add(1, Ordering::Relaxed)));
        let request = match row.method {
            "GET" => self.client.get(self.program.at(&path)),
            _ => self.client.post(self.program.at(&path)),
        };
        let request = match row.body {
            Body::None => request.header(header::ACCEPT, "text/html"),
            Body::Form(_) => request
                .header(header::ACCEPT, "text/html")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body),
            Body::Json(_) => request.header(header::CONTENT_TYPE, "application/json").body(body),
        };
        let request = match self.sessions.get(format!("{who:?}").as_str()) {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// The response, with ids replaced by their names.
    async fn ask(&self, who: Who, row: &Row, things: &Things) -> Answer {
        let response = self.send(who, row, things).await;
        let mut named: Vec<_> = self.names.iter().filter(|(value, _)| value.len() > 3).collect();
        named.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let nonce = nonce_of(&response).unwrap_or("no nonce".into());
        let plain = |text: &str| {
            let text = text.replace(&nonce, "nonce");
            // Links to sign in contain the current path as a query parameter.
            named.iter().fold(text, |text, (v, n)| {
                text.replace(v.as_str(), &format!("<{n}>")).replace(&in_query(v), &format!("<{n}>"))
            })
        };
        let status = response.status().as_u16();
        let stored = response.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
        assert!(
            !route(row).is_private() || stored == Some("no-store"),
            "{} {}: {stored:?}",
            row.method,
            row.path
        );
        let headers = response.headers().iter();
        let headers =
            headers.filter(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()));
        let headers = headers.map(|(n, v)| (n.to_string(), plain(v.to_str().unwrap()))).collect();
        Answer { status, headers, body: timeless(&plain(&response.text().await.unwrap())) }
    }

    async fn json(&self, who: Who, row: Row, things: &Things) -> Value {
        let response = self.send(who, &row, things).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{}: {status} {text}", row.path);
        serde_json::from_str(&text).unwrap()
    }

    /// Submits a form and returns the redirect's target.
    async fn post(&self, who: Who, path: &str, fields: Fields<'_>) -> String {
        let request =
            self.client.post(if path.starts_with("http") { path.into() } else { self.program.at(path) });
        let cookie = &self.sessions[format!("{who:?}").as_str()];
        let response = request.header(header::COOKIE, cookie).form(fields).send().await.unwrap();
        assert_eq!(response.status(), 303, "{path}: {}", response.text().await.unwrap());
        location(&response)
    }

    /// Buys one item and returns the purchase's number.
    async fn buy(&self, who: Who, variant: &str) -> String {
        let line = [("variant", variant), ("quantity", "1"), ("back", "/")];
        assert_eq!(self.post(who, "/cart/lines", &line).await, "/cart");
        let checkout = self.post(who, "/checkout", &[]).await;
        let purchase = self.post(who, &checkout, &details("cash", "k")).await;
        purchase.strip_prefix("/purchases/").unwrap().split('?').next().unwrap().to_owned()
    }
}

/// A text as the value of a query parameter.
fn in_query(text: &str) -> String {
    let escaped = text.bytes().map(|b| match b {
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    });
    escaped.collect()
}

/// The text without the checkout's remaining seconds, which change between requests.
fn timeless(text: &str) -> String {
    const LEFT: &str = "\"seconds_left\":";
    let mut parts = text.split(LEFT);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + LEFT + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The nonce, which is different on every page.
fn nonce_of(response: &reqwest::Response) -> Option<String> {
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY)?.to_str().ok()?;
    Some(policy.split_once("'nonce-")?.1.split_once('\'')?.0.to_owned())
}

/// Asserts that two responses are indistinguishable, or shows where they differ.
fn same(one: &Answer, other: &Answer, what: &str) {
    assert_eq!((one.status, &one.headers), (other.status, &other.headers), "{what}");
    let at = one.body.bytes().zip(other.body.bytes()).take_while(|(a, b)| a == b).count();
    let around =
        |text: &str| String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(200)..]).into_owned();
    let (one, other) = (around(&one.body), around(&other.body));
    assert!(one == other, "{what}\n{:.500}\n\nand\n\n{other:.500}", one);
}

/// The records of a shop and of a shopper.
async fn things_of(market: &Market, shopper: Who, seller: Who, handle: &'static str) -> Things {
    let visitor = program::Shopper::new(&market.program);
    let slug = visitor.slugs(&format!("/shops/{handle}"), 1).await.remove(0);
    let variant = visitor.variant_at(&slug).await;
    let mut things =
        Things::from([("handle", handle.to_owned()), ("slug", slug), ("variant", variant.clone())]);
    let own = market
        .json(seller, call(FN_SELLER_PRODUCTS, r#"{"handle":"<handle>","of":{"sort":"title"}}"#), &things)
        .await;
    let product = async |id: &str| {
        let asked = Things::from([("handle", handle.to_owned()), ("product", id.to_owned())]);
        market
            .json(seller, call(FN_SELLER_PRODUCT, r#"{"handle":"<handle>","id":"<product>"}"#), &asked)
            .await
    };
    for card in own["page"]["items"].as_array().unwrap() {
        let id = card["id"].as_str().unwrap();
        let found = product(id).await;
        let form = found["form"].to_string();
        if form.contains(&variant) {
            things.insert("product", id.to_owned());
            things.insert("form", form.replace(&variant, "<variant>"));
        }
    }
    let new = r#"{"title":"A new thing","variants":[{"price":"10","stock":"1"}]}"#;
    things.insert("new", new.to_owned());
    for name in ["purchase", "second-purchase"] {
        let number = market.buy(shopper, &variant).await;
        let order = if name == "purchase" { "order" } else { "second order" };
        things.insert(order, format!("{number}-1"));
        things.insert(name, number);
    }
    // One that was shipped, with its invoice.
    let number = market.buy(shopper, &variant).await;
    things.insert("shipped-order", format!("{number}-1"));
    let to_shop = |path, rest: &str| {
        let body = format!(r#"{{"handle":"<handle>","number":"<shipped-order>"{rest}}}"#);
        Row {
            method: "POST",
            path,
            fills: "",
            body: Body::Json(Box::leak(body.into_boxed_str())),
            ok: 200,
            missing: 404,
        }
    };
    market.json(seller, to_shop(FN_CONFIRM, ""), &things).await;
    let parcel = r#","shipment":{"carrier":"India Post","tracking_number":"RX1"}"#;
    market.json(seller, to_shop(FN_SHIP, parcel), &things).await;
    let invoice = loop {
        let order = market.json(seller, to_shop(FN_SELLER_ORDER, ""), &things).await;
        if let Some(id) = order["order"]["order"]["invoices"][0]["id"].as_str() {
            break id.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    things.insert("appointment", "appt_00000000000000000000000000".into());
    things.insert("invoice", invoice);
    things.insert("shipped-purchase", number);
    // A third one by card, and a checkout that is still open.
    let line = [("variant", variant.as_str()), ("quantity", "1"), ("back", "/")];
    market.post(shopper, "/cart/lines", &line).await;
    let checkout = market.post(shopper, "/checkout", &[]).await;
    let sandbox = market.post(shopper, &checkout, &details("sandbox", "k")).await;
    let back = market.post(shopper, &sandbox, &[("card", "4242 4242 4242 4242")]).await;
    let payment = back.split("/pay/return/").nth(1).unwrap().split('?').next().unwrap();
    things.insert("payment", payment.to_owned());
    things.insert("sandbox", sandbox.rsplit('/').next().unwrap().to_owned());
    let thanks = location(&market.client.get(&back).send().await.unwrap());
    let paid = thanks.strip_prefix("/purchases/").unwrap().split('?').next().unwrap();
    things.insert("paid order", format!("{paid}-1"));
    market.post(shopper, "/cart/lines", &line).await;
    let checkout = market.post(shopper, "/checkout", &[]).await;
    things.insert("checkout", checkout.strip_prefix("/checkout/").unwrap().to_owned());
    let cart = market.json(shopper, call(FN_CART, "{}"), &things).await;
    things.insert("line", cart["groups"][0]["lines"][0]["id"].as_str().unwrap().to_owned());
    let conversation = market.post(shopper, MESSAGES, &[("shop", handle)]).await;
    things.insert("conversation", conversation.strip_prefix("/messages/").unwrap().to_owned());
    let in_a_month = haat_engine::Clock::default().now_ms() / 86_400_000 + 30;
    let ends_at = format!("{}T10:00", haat_shared::shipping::date(in_a_month));
    let fair = [("action", "create"), ("title", "Fair"), ("ends_at", ends_at.as_str())];
    let event = market.post(seller, &format!("/seller/{handle}/events"), &fair).await;
    let event = event.rsplit('/').next().unwrap().split('?').next().unwrap();
    things.insert("event", event.to_owned());
    things.insert("media", picture(market, seller, handle).await);
    things.insert("import", import(market, seller, handle).await);
    things
}

/// Uploads a file to a shop.
async fn send_file(
    market: &Market,
    seller: Who,
    path: &str,
    name: &str,
    file: &str,
    bytes: &[u8],
) -> reqwest::Response {
    let head =
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n");
    let request = market.client.post(market.program.at(path));
    let request = request.header(header::COOKIE, &market.sessions[format!("{seller:?}").as_str()]);
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
    request.body([head.as_bytes(), bytes, b"\r\n--edge--\r\n"].concat()).send().await.unwrap()
}

async fn picture(market: &Market, seller: Who, handle: &str) -> String {
    // A single black pixel.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";
    let path = format!("/seller/{handle}/media");
    let response = send_file(market, seller, &path, "picture", "a.png", PNG).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 201, "{text}");
    let picture: Value = serde_json::from_str(&text).unwrap();
    picture["id"].as_str().unwrap().to_owned()
}

async fn import(market: &Market, seller: Who, handle: &str) -> String {
    let path = format!("/seller/{handle}/products/import");
    let table = b"sku,title,price\r\nA-1,A lamp,cheap\r\nA-2,A lamp,100";
    let response = send_file(market, seller, &path, "file", "lamps.csv", table).await;
    let to = location(&response);
    assert_eq!(response.status(), 303, "{}", response.text().await.unwrap());
    to.split_once("id=").expect("an import").1.to_owned()
}

/// Ids of the same kinds that don't exist.
fn unknown(things: &Things) -> Things {
    let none = |(name, value): (&&'static str, &String)| {
        let value = match *name {
            "handle" => "no-such-shop".to_owned(),
            "slug" | "category" => "no-such-thing".to_owned(),
            "purchase" => "HN0SUCH".to_owned(),
            "second-purchase" => "HN0SUCH2".to_owned(),
            "order" => "HN0SUCH-1".to_owned(),
            "second order" => "HN0SUCH2-1".to_owned(),
            "paid order" => "HN0SUCH3-1".to_owned(),
            "sandbox" => "sbx_none".to_owned(),
            "form" | "new" => value.clone(),
            _ => match value.rsplit_once('_') {
                Some((kind, id)) if id.len() == 26 => format!("{kind}_{}", "0".repeat(26)),
                _ => value.clone(),
            },
        };
        (*name, value)
    };
    things.iter().map(none).collect()
}

/// The records of shop A and of the shopper, and the state of the background jobs.
async fn state_of(market: &Market, things: &Things) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (who, rows) in [
        (
            SellerA,
            &[
                FN_SELLER_ORDER,
                FN_SELLER_ORDERS,
                FN_SELLER_PRODUCT,
                FN_SELLER_PRODUCTS,
                FN_SELLER_PICTURES,
                FN_ATTRIBUTE_VALUES,
                FN_SETTINGS,
                FN_BALANCE,
            ][..],
        ),
        (Shopper, &[FN_CART, FN_CHECKOUT, FN_PURCHASE, FN_HISTORY]),
        (Operator, &[FN_ALL_ORDERS, FN_ALL_SHOPS, FN_AUDIT]),
    ] {
        for path in rows {
            let row = TABLE.iter().find(|row| row.path == *path).unwrap();
            let answer = market.ask(who, row, things).await;
            assert_eq!(answer.status, 200, "{path}");
            answers.push(answer);
        }
    }
    answers
}

/// Waits until no more notifications arrive, because every page has their number.
async fn settle(market: &Market, things: &Things) {
    let me = TABLE.iter().find(|row| row.path == FN_ME).unwrap();
    let mut last = Vec::new();
    loop {
        let mut counts = Vec::new();
        for who in EVERYONE {
            counts.push(market.ask(who, me, things).await.body);
        }
        if counts == last {
            return;
        }
        last = counts;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Requests all of these routes: first as callers who are denied, then as those who are allowed.
async fn walk(market: &mut Market, rows: &[Row], real: &Things, of_b: &Things) {
    let nothing = unknown(real);
    market.names = real.iter().chain(&nothing).map(|(name, value)| (value.clone(), *name)).collect();
    settle(market, real).await;
    let before = state_of(market, real).await;
    for row in rows {
        for who in EVERYONE {
            let Err(status) = allowed(row, who) else { continue };
            let got = market.ask(who, row, real).await;
            assert_eq!(got.status, status, "{} {} by {who:?}: {got:?}", row.method, row.path);
            let of_nothing = market.ask(who, row, &nothing).await;
            same(&got, &of_nothing, &format!("{} {} by {who:?}", row.method, row.path));
        }
        // One id of another's among the caller's own.
        for name in of_b.keys().filter(|name| !["form", "new", "slug", "category"].contains(*name)) {
            let with = |value: &str| {
                let mut things = of_b.clone();
                things.insert(*name, value.to_owned());
                things
            };
            let (theirs, none) = (with(&real[name]), with(&nothing[name]));
            let open = matches!(route(row).audience, Audience::Anyone | Audience::Signed);
            if open || request(row, &theirs) == request(row, of_b) {
                continue;
            }
            let got = market.ask(SellerB, row, &theirs).await;
            // A form may report it as an error, and the pictures of an unknown product are an empty list.
            let fault = got.status == 422 && row.ok != 422;
            assert!(
                got.status == row.missing || fault || got.body == "[]",
                "{} with another's {name}: {got:?}",
                row.path
            );
            let of_none = market.ask(SellerB, row, &none).await;
            same(&got, &of_none, &format!("{} with another's {name}", row.path));
        }
    }
    for (after, before) in state_of(market, real).await.iter().zip(&before) {
        same(after, before, "who is refused changes nothing");
    }
    for row in rows {
        for who in EVERYONE {
            if allowed(row, who).is_ok() {
                let mut answer = market.ask(who, row, real).await;
                // The worker may be running the job that another admin has just retried.
                while answer.status == 409 && [FN_RETRY_JOB, FN_DISCARD_JOB].contains(&row.path) {
                    answer = market.ask(who, row, real).await;
                }
                // Whoever is signed in is led on.
                let led_on = [SIGN_IN, SIGN_UP].contains(&row.path) && who != Anonymous;
                let ok = if led_on { 303 } else { row.ok };
                assert_eq!(answer.status, ok, "{} {} by {who:?}: {answer:?}", row.method, row.path);
            }
        }
    }
}

#[test]
fn every_route_is_in_the_table_once() {
    let mut listed: Vec<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    let mut asked: Vec<_> = TABLE.iter().map(|row| (row.method, row.path)).collect();
    listed.sort_unstable();
    asked.sort_unstable();
    assert_eq!(asked, listed);
}

/// Who may use which route, in readable form. For the REST API: who owns what, and which scope a key needs.
#[test]
fn the_matrix_is_the_one_that_was_agreed_to() {
    let mut lines: Vec<String> = Vec::new();
    for row in TABLE {
        let got = EVERYONE.map(|who| format!("{:>9}", allowed(row, who).err().unwrap_or(row.ok)));
        lines.push(format!("{:<58} {:<6} {}", row.path, row.method, got.join(" ")));
    }
    for Route { method, path, audience, scope, .. } in REST {
        let scope = scope.map_or("", |scope| scope.as_str());
        let line = format!("{path:<58} {method:<6} {:<22} {scope}", format!("{audience:?}"));
        lines.push(line.trim_end().to_owned());
    }
    lines.sort();
    let everyone = EVERYONE.map(|who| format!("{:>9}", format!("{who:?}")));
    lines.insert(0, format!("{:<58} {:<6} {}", "path", "method", everyone.join(" ")));
    insta::with_settings!({
        snapshot_path => std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("access", lines.join("\n"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_reaches_what_is_theirs_and_nothing_else() {
    on_both(async |on| {
        let mut market = Market::open(on).await;
        let mut real = things_of(&market, Shopper, SellerA, "meena-crafts").await;
        let mut of_b = things_of(&market, SellerB, SellerB, "delta-electronics").await;
        let reader = program::Shopper::new(&market.program);
        mails::until(&reader, "haat_work_done_total{kind=\"mails\"} 18").await;
        let (_, list) = reader.get("/dev/mail").await;
        let mail = mails::emails_to(&list, "meena@haat.example").remove(0).replace("/dev/mail/", "");
        let (_, home) = reader.get("/").await;
        let words = home.split("/words/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let users = market.json(Operator, call(FN_USERS, r#"{"of":{"q":"asha"}}"#), &real).await;
        let user = users["page"]["items"][0]["id"].as_str().unwrap().to_owned();
        let market_things = [
            ("payout", format!("payout_{}", "0".repeat(26))),
            ("refund", format!("ref_{}", "0".repeat(26))),
            ("report", format!("report_{}", "0".repeat(26))),
            ("review", format!("review_{}", "0".repeat(26))),
            ("position", "4077".to_owned()),
            ("user", user),
            ("category", "tableware".to_owned()),
            ("gateway", "sandbox".to_owned()),
            ("sitemap", "pages.xml".to_owned()),
            ("words", words),
            ("file", format!("{}-320.webp", real["media"])),
            ("notification", mail.replace("mail_", "notif_")),
            ("mail", mail),
        ];
        real.extend(market_things.clone());
        of_b.extend(market_things);
        let cut = TABLE.iter().position(|row| row.path == FN_CANCEL).unwrap();
        walk(&mut market, &TABLE[..cut], &real, &of_b).await;

        // The gateway is unavailable: the refund stays queued and can be discarded.
        market.program.kill();
        market.program.set("HAAT__PAYMENTS__SANDBOX", "false");
        market.program.start().await;
        walk(&mut market, &TABLE[cut..=cut], &real, &of_b).await;
        let jobs = call(FN_JOBS, r#"{"of":{"state":"queued"}}"#);
        let job = loop {
            let jobs = market.json(Operator, jobs, &real).await;
            // Between two attempts.
            let failed = jobs["page"]["items"].as_array().unwrap().iter().find(|job| job["error"] != "");
            if let Some(job) = failed {
                break job["id"].as_str().unwrap().to_owned();
            }
        };
        real.insert("job", job.clone());
        of_b.insert("job", job);
        walk(&mut market, &TABLE[cut + 1..], &real, &of_b).await;
        market.program.set("HAAT__PAYMENTS__SANDBOX", "true");
        market.program.close();
    })
    .await;
}
