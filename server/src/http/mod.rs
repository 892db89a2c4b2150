//! HTTP: the router and its middleware.

mod account_forms;
mod admin_forms;
mod back;
mod caller;
mod chat_forms;
pub mod connections;
mod coupons;
mod dev;
mod devices;
mod exports;
mod form_pictures;
mod forms;
mod health;
mod imports;
mod invoices;
mod layers;
mod limits;
mod live;
mod live_stock;
mod logins;
mod media;
mod outage;
mod outcome;
mod pages;
mod rest;
mod returns;
mod review_forms;
#[cfg(feature = "sandbox")]
mod sandbox;
mod seller_forms;
mod services;
mod sitemap;
mod staff_forms;
mod webhooks;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::{get, post},
};
use haat_shared::{catalog::edit::SAVE_BYTES_MAX, routes::*};
use leptos::prelude::LeptosOptions;
use leptos_axum::generate_route_list;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;
use tower_http::{
    ServiceBuilderExt,
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, CompressionLevel},
    csrf::CsrfLayer,
    limit::RequestBodyLimitLayer,
    request_id::MakeRequestUuid,
    services::ServeDir,
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

use crate::boot::Runtime;

/// The pages of the sandbox, if it is part of the program.
fn sandbox_pages() -> Router<State> {
    let router = Router::new();
    #[cfg(feature = "sandbox")]
    let router = router.route(SANDBOX_PAGE, get(sandbox::page)).route(SANDBOX_PAY, post(sandbox::pay));
    router
}

/// The fields of a form by their names, as they were sent.
type Typed = BTreeMap<String, String>;

/// The state of all handlers.
#[derive(Clone)]
pub struct State {
    runtime: Runtime,
    leptos: LeptosOptions,
    metrics: PrometheusHandle,
    limits: Arc<limits::RateLimits>,
    readiness: Arc<health::Readiness>,
    intake: Arc<imports::Intake>,
    pictures_in: Arc<imports::Intake>,
    hub: Arc<live::Hub>,
    shelf: Arc<live_stock::Shelf>,
}

impl FromRef<State> for LeptosOptions {
    fn from_ref(state: &State) -> Self {
        state.leptos.clone()
    }
}

/// Scheme, host and port of a URL.
#[cfg(any(feature = "sandbox", test))]
fn origin(url: &str) -> String {
    url::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The options of the user interface. File names contain hashes if the build left the list of them beside
/// the program.
fn leptos_options(runtime: &Runtime) -> LeptosOptions {
    let hashes = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("hash.txt")));
    LeptosOptions::builder()
        .output_name("haat")
        .site_root(runtime.config.server.site_root.clone())
        .site_pkg_dir("pkg")
        .hash_files(hashes.is_some_and(|file| file.exists()))
        .build()
}

/// The router of a market.
pub fn router(runtime: Runtime, metrics: PrometheusHandle) -> Router {
    let leptos = leptos_options(&runtime);
    let config = runtime.config.clone();
    let limits = Arc::new(limits::RateLimits::new(&config.limits));
    let intake = Arc::new(imports::Intake::new(config.imports.readers, imports::FILES_MAX));
    let pictures_in = Arc::new(imports::Intake::new(1, media::FILES_MAX));
    let state = State {
        runtime,
        leptos,
        metrics,
        limits,
        readiness: Arc::default(),
        intake,
        pictures_in,
        hub: Arc::default(),
        shelf: Arc::default(),
    };
    let pages = page_paths();

    let files = ServeDir::new(&config.server.site_root)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .call_fallback_on_method_not_allowed(true)
        .fallback(get(pages::not_found).post(pages::not_found).with_state(state.clone()));
    // File names contain a hash of the content, so the files never change.
    let immutable = HeaderValue::from_static(if state.leptos.hash_files {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    });
    let built = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, immutable))
        .service(
            ServeDir::new(format!("{}/pkg", config.server.site_root)).precompressed_br().precompressed_gzip(),
        );

    // These routes accept bodies of several megabytes, and have the time that such uploads need.
    let uploads = Router::new()
        .route(FORM_ADD_PICTURE, post(media::add))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(DefaultBodyLimit::max(media::FORM_BYTES_MAX))
        .layer(timeout(media::FORM_TIME));
    let pictures_of_returns = Router::new()
        .route(FORM_RETURN, post(returns::ask_return))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(DefaultBodyLimit::max(returns::RETURN_BYTES_MAX))
        .layer(timeout(media::FORM_TIME));
    let pictures_of_messages = Router::new()
        .route(FORM_CONVERSATION_PICTURES, post(chat_forms::with_pictures_by_shopper))
        .route(FORM_SHOP_CONVERSATION_PICTURES, post(chat_forms::with_pictures_by_shop))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(DefaultBodyLimit::max(chat_forms::PICTURES_BYTES_MAX))
        .layer(timeout(media::FORM_TIME));
    // At the same path as the page.
    let files_in = Router::new()
        .route(FORM_IMPORT, post(imports::send))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(DefaultBodyLimit::max(imports::FORM_BYTES_MAX))
        .layer(timeout(imports::FORM_TIME));

    // A larger file is refused with its form, which says so.
    let coupons_in = Router::new()
        .route(FORM_COUPONS, post(coupons::import))
        .route(FORM_MARKET_COUPONS, post(coupons::import_of_market))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(DefaultBodyLimit::max(coupons::FORM_BYTES_MAX))
        .layer(timeout(Duration::from_secs(config.server.timeout_s)));

    // Product forms may contain more text than any other form.
    let products = Router::new()
        .route(FN_CREATE_PRODUCT, post(pages::function))
        .route(FN_UPDATE_PRODUCT, post(pages::function))
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .layer(RequestBodyLimitLayer::new(SAVE_BYTES_MAX.max(config.server.body_bytes_max)))
        .layer(timeout(Duration::from_secs(config.server.timeout_s)));

    let forget_frozen = middleware::from_fn_with_state(config.secure(), layers::forget_frozen);
    let mut router = Router::new();
    for page in pages {
        router = router.route(&page, get(pages::page));
    }
    let functions = ROUTES.iter().filter(|r| r.surface == Surface::Function);
    for function in functions.filter(|r| ![FN_CREATE_PRODUCT, FN_UPDATE_PRODUCT].contains(&r.path)) {
        router = router.route(function.path, post(pages::function));
    }
    router
        .route(FORM_ADD_LINE, post(forms::add_line))
        .route(FORM_BOOK, post(services::book))
        .route(FORM_CANCEL_APPOINTMENT, post(services::cancel))
        .route(FORM_APPOINTMENTS, post(services::own))
        .route(FORM_SET_QUANTITY, post(forms::set_quantity))
        .route(FORM_CODES, post(forms::codes))
        .route(FORM_BEGIN_CHECKOUT, post(forms::begin_checkout).get(forms::find_checkout))
        .route(FORM_PAY, post(forms::pay).layer(forget_frozen.clone()))
        .route(FORM_CANCEL_BY_CUSTOMER, post(forms::cancel_by_customer))
        .route(FORM_CARDS, post(forms::cards))
        .route(FORM_CONTACT, post(account_forms::contact))
        .route(FORM_WISHLIST, post(account_forms::wishlist))
        .route(FORM_RECOMMENDATIONS, post(account_forms::recommendations))
        .route(FORM_ADDRESSES, post(account_forms::addresses))
        .route(FORM_PROFILE, post(account_forms::save_profile))
        .route(FORM_PASSWORD, post(account_forms::change_password))
        .route(FORM_EXPORT_DATA, post(account_forms::export_data))
        .route(FORM_PERSONAL_DATA, post(account_forms::delete_account).layer(forget_frozen.clone()))
        .route(FORM_LOGINS, post(logins::of_account))
        .route(FORM_LOGIN, post(logins::begin))
        .route(LOGIN_RETURN, get(logins::returned))
        .route(FORM_SESSIONS, post(account_forms::end_sessions))
        .route(FORM_FORGOT_PASSWORD, post(account_forms::forgot_password))
        .route(FORM_SIGN_IN_CODE, post(account_forms::sign_in_code))
        .route(FORM_RESET_PASSWORD, post(account_forms::reset_password))
        .route(UNSUBSCRIBE, get(forms::unsubscribe_page).post(forms::unsubscribe))
        .route(FORM_NOTIFICATIONS, post(forms::notifications))
        .route(FORM_NOTIFICATION_SETTINGS, post(forms::notification_settings))
        .route(FORM_SIGN_IN, post(forms::sign_in))
        .route(FORM_SIGN_UP, post(forms::sign_up))
        .route(FORM_SIGN_OUT, post(forms::sign_out).layer(forget_frozen))
        .route(FORM_LANGUAGE, post(forms::choose_language))
        .route(FORM_CURRENCY, post(forms::choose_currency))
        .route(FORM_OPEN_SHOP, post(seller_forms::open_shop))
        .route(FORM_ORDER, post(seller_forms::order))
        .route(FORM_ORDERS, post(seller_forms::orders))
        .route(FORM_PRODUCTS, post(seller_forms::products))
        .route(FORM_SETTINGS, post(seller_forms::settings))
        .route(FORM_SHOP_TEAM, post(staff_forms::of_shop))
        .route(FORM_INVITATION, post(staff_forms::accept))
        .route(FORM_ANY_ORDER, post(admin_forms::order))
        .route(FORM_PROMOTIONS, post(seller_forms::promotions))
        .route(FORM_SHOP_SERVICES, post(services::of_shop))
        .route(FORM_SHOP_EVENTS, post(seller_forms::events))
        .route(FORM_SHOP_EVENT, post(seller_forms::event))
        .route(FORM_SHIPPING, post(seller_forms::shipping))
        .route(FORM_PRODUCT_SALES, post(seller_forms::sales))
        .route(FORM_PRODUCT_PRICES, post(seller_forms::prices))
        .route(FORM_MARKET_PROMOTIONS, post(admin_forms::promotions))
        .route(FORM_ANNOUNCEMENTS, post(admin_forms::announcements))
        .route(FORM_TAXES, post(admin_forms::taxes))
        .route(FORM_CURRENCIES, post(admin_forms::currencies))
        .route(FORM_GIFT_CARDS, post(admin_forms::gift_cards))
        .route(FORM_MESSAGES, post(chat_forms::open))
        .route(FORM_CONVERSATION, post(chat_forms::by_shopper))
        .route(FORM_SHOP_MESSAGES, post(chat_forms::open_for_order))
        .route(FORM_SHOP_CONVERSATION, post(chat_forms::by_shop))
        .route(FORM_GIFT_CARD, post(forms::gift_card))
        .route(FORM_BUY_GIFT_CARD, post(forms::buy_gift_card))
        .route(FORM_BALANCE, post(seller_forms::balance))
        .route(FORM_PAYOUT, post(admin_forms::payout))
        .route(FORM_REFUND_ANY, post(admin_forms::refund))
        .route(FORM_JOB, post(admin_forms::job))
        .route(FORM_PAYMENT, post(admin_forms::payment))
        .route(FORM_REFUND, post(admin_forms::failed_refund))
        .route(FORM_CONTACT_MESSAGES, post(admin_forms::answer))
        .route(FORM_REPORTS, post(chat_forms::decide))
        .route(FORM_WRITE_REVIEW, post(review_forms::write))
        .route(FORM_REVIEW, post(review_forms::read))
        .route(FORM_SHOP_REVIEWS, post(review_forms::reply))
        .route(FORM_ALL_REVIEWS, post(review_forms::moderate))
        .route(FORM_SEARCHES, post(admin_forms::searches))
        .route(FORM_COMMISSION, post(admin_forms::commission))
        .route(FORM_CATEGORIES, post(admin_forms::categories))
        .route(FORM_RESEND, post(admin_forms::resend))
        .route(FORM_TEAM, post(admin_forms::team))
        .route(FORM_USER, post(admin_forms::user))
        .route(FORM_IMPORT_GO, post(imports::decide))
        .route(IMPORT_ERRORS, get(imports::faults))
        .route(EXPORT, get(exports::products))
        .route(EXPORT_COUPONS, get(coupons::export))
        .route(EXPORT_MARKET_COUPONS, get(coupons::export_of_market))
        .route(EXPORT_ORDERS, get(exports::orders))
        .route(PURCHASE_CALENDAR, get(services::calendar))
        .route(CALENDAR_FEED, get(services::feed))
        .route(INVOICE, get(invoices::of_purchase))
        .route(SHOP_INVOICE, get(invoices::of_shop))
        .route(ANY_INVOICE, get(invoices::any))
        .route(PICTURE, get(media::of_purchase))
        .route(SHOP_PICTURE, get(media::of_shop))
        .route(CONVERSATION_PICTURE, get(media::of_conversation))
        .route(SHOP_CONVERSATION_PICTURE, get(media::of_shop_conversation))
        .route(ANY_PICTURE, get(media::any))
        .route(REPORTED_PICTURE, get(media::reported))
        .route(STATEMENT_PDF, get(exports::statement_pdf))
        .route(EXPORT_DAYS, get(exports::days))
        .route(EXPORT_PRODUCT_FIGURES, get(exports::product_figures))
        .route(EXPORT_MARKET_DAYS, get(exports::market_days))
        .route(EXPORT_STATEMENT, get(exports::statement))
        .route(EXPORT_LEDGER, get(exports::ledger))
        .route(CONNECT_RETURN, get(seller_forms::connect_return))
        .route(PAYOUTS_CSV, get(exports::payouts_csv))
        .route(PAYOUTS_XML, get(exports::payouts_xml))
        .route(LIVE, get(live::open))
        .route(LIVE_STOCK, get(live_stock::open))
        .route(DEV_UI, get(dev::ui))
        .fallback_service(files)
        .layer(middleware::from_fn_with_state(state.clone(), limits::bound))
        // Everything above this layer knows who the caller is.
        .layer(middleware::from_fn_with_state(state.clone(), caller::identify))
        .route(WORDS, get(pages::words))
        .route(CONFIRM_SIGN_UP, get(forms::confirm_sign_up))
        .route(PAYMENT_RETURN, get(webhooks::returned))
        .route(WEBHOOK, post(webhooks::receive))
        .merge(sandbox_pages())
        .route(DEV_MAILS, get(dev::mails))
        .route(DEV_MAIL, get(dev::mail))
        .route(DEV_MAIL_HTML, get(dev::mail_html))
        .route(ROBOTS, get(sitemap::robots))
        .route(SITEMAP, get(sitemap::index))
        .route(SITEMAP_FILE, get(sitemap::file))
        .route(HEALTHZ, get(health::alive))
        .route(READYZ, get(health::ready))
        .route(METRICS, get(health::metrics))
        .route(MEDIA, get(media::file))
        .nest_service("/pkg", built)
        .layer(RequestBodyLimitLayer::new(config.server.body_bytes_max))
        .layer(timeout(Duration::from_secs(config.server.timeout_s)))
        .merge(uploads)
        .merge(pictures_of_returns)
        .merge(pictures_of_messages)
        .merge(files_in)
        .merge(coupons_in)
        .merge(products)
        // API clients don't use cookies, so they aren't exposed to CSRF.
        .layer(CsrfLayer::new())
        .merge(rest::router(&state))
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(layers::bound_request_id))
                .set_x_request_id(MakeRequestUuid)
                .layer(TraceLayer::new_for_http().make_span_with(layers::span).on_response(layers::answered))
                .propagate_x_request_id()
                .layer(middleware::from_fn(layers::measure))
                .layer(middleware::from_fn(layers::keep_private))
                .layer(middleware::from_fn_with_state(config.secure(), layers::secure))
                .layer(middleware::from_fn_with_state(state.clone(), rest::into_problem))
                .layer(middleware::from_fn_with_state(state.clone(), outage::maintenance_page))
                .layer(middleware::from_fn(layers::one_host))
                .layer(CatchPanicLayer::custom(layers::panicked))
                .layer(CompressionLayer::new().quality(CompressionLevel::Fastest)),
        )
        .with_state(state)
}

fn timeout(after: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(http::StatusCode::SERVICE_UNAVAILABLE, after)
}

/// `/p/:slug` as `/p/{slug}`.
fn axum_path(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => part.to_owned(),
    });
    let path = parts.collect::<Vec<_>>().join("/");
    if path.is_empty() { "/".into() } else { path }
}

/// The addresses of pages. Those that stand for all others are left to the fallback, which answers with 404.
fn page_paths() -> Vec<String> {
    let all = generate_route_list(haat_app::App);
    all.iter().map(|page| axum_path(page.path())).filter(|path| !path.contains('*')).collect()
}

/// The name of the header with the time to wait.
const RETRY_AFTER: HeaderName = header::RETRY_AFTER;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn origins_and_paths() {
        assert_eq!(origin("http://127.0.0.1:3000/sandbox"), "http://127.0.0.1:3000");
        assert_eq!(origin("https://pay.example"), "https://pay.example");
        assert_eq!(axum_path("/p/:slug"), "/p/{slug}");
        assert_eq!(axum_path(""), "/");
    }

    /// The router matches each link to the pattern that it was generated from, and decodes the same values.
    #[tokio::test]
    async fn every_link_leads_to_its_route() {
        use axum::{
            body::{Body, to_bytes},
            extract::{MatchedPath, Path},
            routing::any,
        };
        use tower::ServiceExt;

        let text = "a/b\\c?d#e%2Ff&g+h i;j:é..";
        let id = |prefix: &str| format!("{prefix}_0000000000000000000000000a");
        let [chk, prod, line, job_id] = ["chk", "prod", "line", "job"].map(id);
        let [imp, email_id, signup, pay, user_id, bill] =
            ["imp", "mail", "signup", "pay", "user", "inv"].map(id);
        let (reset_id, sale_event, invite) = (id("reset"), id("event"), id("invite"));
        let [payout_id, ref_id, conv, notice, report] = ["payout", "ref", "conv", "notif", "report"].map(id);
        let read = id("review");
        let file = format!("{}-320.webp", id("media"));
        let links: Vec<(&str, String, Vec<&str>)> = vec![
            (PRODUCT, product(text), vec![text]),
            (LIVE_STOCK, live_stock(prod.parse().unwrap()), vec![&prod]),
            (CATEGORY, category(text), vec![text]),
            (SHOP, shop(text), vec![text]),
            (CHECKOUT, checkout(chk.parse().unwrap()), vec![&chk]),
            (PURCHASE, purchase(text), vec![text]),
            (DASHBOARD, dashboard(text), vec![text]),
            (SHOP_ORDERS, shop_orders(text), vec![text]),
            (SHOP_ORDER, shop_order(text, "H1-1"), vec![text, "H1-1"]),
            (PACKING_SLIP, packing_slip("meena", text), vec!["meena", text]),
            (PACKING_SLIPS, packing_slips(text), vec![text]),
            (SELLER_PRODUCTS, seller_products(text), vec![text]),
            (NEW_PRODUCT, new_product(text), vec![text]),
            (IMPORT, import(text), vec![text]),
            (SELLER_PRODUCT, seller_product(text, prod.parse().unwrap()), vec![text, &prod]),
            (PRODUCT_SALES, product_sales(text, prod.parse().unwrap()), vec![text, &prod]),
            (PRODUCT_PRICES, product_prices(text, prod.parse().unwrap()), vec![text, &prod]),
            (SHOP_PROMOTIONS, shop_promotions(text), vec![text]),
            (SHOP_SHIPPING, shop_shipping(text), vec![text]),
            (SHOP_SERVICES, shop_services(text), vec![text]),
            (SHOP_EVENTS, shop_events(text), vec![text]),
            (SHOP_EVENT, shop_event(text, sale_event.parse().unwrap()), vec![text, &sale_event]),
            (EVENT, event(sale_event.parse().unwrap()), vec![&sale_event]),
            (BOOK, book(text), vec![text]),
            (PURCHASE_CALENDAR, purchase_calendar(text), vec![text]),
            (CALENDAR_FEED, calendar_feed(text), vec![text]),
            (CANCEL_APPOINTMENT, cancel_appointment(text), vec![text]),
            (CONVERSATION, conversation(conv.parse().unwrap()), vec![&conv]),
            (SHOP_MESSAGES, shop_messages(text), vec![text]),
            (SHOP_CONVERSATION, shop_conversation(text, conv.parse().unwrap()), vec![text, &conv]),
            (SHOP_REVIEWS, shop_reviews(text), vec![text]),
            (WRITE_REVIEW, write_review(text, 2), vec![text, "2"]),
            (FORM_REVIEW, review(read.parse().unwrap()), vec![&read]),
            (BALANCE, balance(text), vec![text]),
            (CONNECT_RETURN, connect_return(text), vec![text]),
            (SETTINGS, settings(text), vec![text]),
            (SHOP_TEAM, shop_team(text), vec![text]),
            (INVITATION, invitation(invite.parse().unwrap()), vec![&invite]),
            (UNSUBSCRIBE, unsubscribe(user_id.parse().unwrap()), vec![&user_id]),
            (DELIVERY, delivery(notice.parse().unwrap()), vec![&notice]),
            (ANY_ORDER, any_order(text), vec![text]),
            (ANY_SHOP, any_shop(text), vec![text]),
            (FORM_REFUND_ANY, refund_any(text), vec![text]),
            (PAYMENT, payment(pay.parse().unwrap()), vec![&pay]),
            (ANY_PAYOUT, any_payout(payout_id.parse().unwrap()), vec![&payout_id]),
            (USER, user(user_id.parse().unwrap()), vec![&user_id]),
            (FORM_SET_QUANTITY, set_quantity(line.parse().unwrap()), vec![&line]),
            (FORM_ADD_PICTURE, add_picture(text), vec![text]),
            (FORM_REFUND, refund(ref_id.parse().unwrap()), vec![&ref_id]),
            (FORM_JOB, job(job_id.parse().unwrap()), vec![&job_id]),
            (FORM_IMPORT_GO, import_go(text, imp.parse().unwrap()), vec![text, &imp]),
            (WORDS, words(text), vec![text]),
            (MEDIA, haat_shared::routes::media(&file), vec![&file]),
            (IMPORT_ERRORS, import_errors(text, imp.parse().unwrap()), vec![text, &imp]),
            (EXPORT, export(text), vec![text]),
            (EXPORT_ORDERS, export_orders(text), vec![text]),
            (EXPORT_COUPONS, export_coupons(text), vec![text]),
            (FORM_COUPONS, import_coupons(text), vec![text]),
            (INVOICE, invoice(text, bill.parse().unwrap()), vec![text, &bill]),
            (SHOP_INVOICE, shop_invoice(text, bill.parse().unwrap()), vec![text, &bill]),
            (ANY_INVOICE, any_invoice(bill.parse().unwrap()), vec![&bill]),
            (FORM_RETURN, ask_return(text), vec![text]),
            (PICTURE, picture(text, &file), vec![text, &file]),
            (REPORTED_PICTURE, reported_picture(report.parse().unwrap(), &file), vec![&report, &file]),
            (FORM_CONVERSATION_PICTURES, conversation_pictures(conv.parse().unwrap()), vec![&conv]),
            (
                FORM_SHOP_CONVERSATION_PICTURES,
                shop_conversation_pictures(text, conv.parse().unwrap()),
                vec![text, &conv],
            ),
            (CONVERSATION_PICTURE, conversation_picture(conv.parse().unwrap(), &file), vec![&conv, &file]),
            (
                SHOP_CONVERSATION_PICTURE,
                shop_conversation_picture(text, conv.parse().unwrap(), &file),
                vec![text, &conv, &file],
            ),
            (SHOP_PICTURE, shop_picture(text, "H1-1", &file), vec![text, "H1-1", &file]),
            (ANY_PICTURE, any_picture(text, &file), vec![text, &file]),
            (STATEMENT_PDF, statement_pdf(text), vec![text]),
            (SHOP_ANALYTICS, shop_analytics(text), vec![text]),
            (EXPORT_DAYS, export_days(text), vec![text]),
            (EXPORT_PRODUCT_FIGURES, export_product_figures(text), vec![text]),
            (EXPORT_STATEMENT, statement(text), vec![text]),
            (FORM_LOGIN, login(text), vec![text]),
            (LOGIN_RETURN, login_return(text), vec![text]),
            (CONFIRM_SIGN_UP, confirm_sign_up(signup.parse().unwrap()), vec![&signup]),
            (RESET_PASSWORD, reset_password(reset_id.parse().unwrap()), vec![&reset_id]),
            (PAYMENT_RETURN, payment_return(pay.parse().unwrap()), vec![&pay]),
            (WEBHOOK, webhook(text), vec![text]),
            (SANDBOX_PAGE, sandbox_page(text), vec![text]),
            (SITEMAP_FILE, sitemap_file(text), vec![text]),
            (DEV_MAIL, dev_mail(email_id.parse().unwrap()), vec![&email_id]),
            (DEV_MAIL_HTML, dev_mail_html(email_id.parse().unwrap()), vec![&email_id]),
        ];

        let patterns: BTreeSet<&str> = ROUTES.iter().map(|r| r.path).collect();
        let varying: BTreeSet<&str> = patterns.iter().copied().filter(|path| path.contains('{')).collect();
        let linked: BTreeSet<&str> = links.iter().map(|(pattern, ..)| *pattern).collect();
        assert_eq!(linked, varying);
        let echo = |matched: MatchedPath, Path(values): Path<Vec<(String, String)>>| async move {
            let values = values.into_iter().map(|(_, value)| value);
            [matched.as_str().to_owned()].into_iter().chain(values).collect::<Vec<_>>().join("\n")
        };
        let router =
            patterns.into_iter().fold(Router::<()>::new(), |router, path| router.route(path, any(echo)));
        for (pattern, link, values) in links {
            let asked = http::Request::get(&link).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(asked).await.unwrap();
            let echo = to_bytes(answer.into_body(), 1_000).await.unwrap();
            let expected = [vec![pattern], values].concat().join("\n");
            assert_eq!(String::from_utf8_lossy(&echo), expected, "{link}");
        }
    }

    /// The list of routes and the server functions of the user interface have the same paths.
    #[test]
    fn every_server_function_is_on_the_list() {
        use leptos::server_fn::axum::server_fn_paths;

        let functions = ROUTES.iter().filter(|r| r.surface == Surface::Function);
        let listed: BTreeSet<_> = functions.map(|r| (r.path, r.method)).collect();
        let made: Vec<_> = server_fn_paths().collect();
        let made: BTreeSet<_> = made.iter().map(|(path, method)| (*path, method.as_str())).collect();
        assert_eq!(made, listed);
    }

    /// The list of routes and the pages of the user interface are the same addresses.
    #[tokio::test]
    async fn every_page_is_on_the_list() {
        let mut listed: Vec<String> = ROUTES
            .iter()
            .filter(|r| matches!(r.surface, Surface::Storefront | Surface::Seller | Surface::Admin))
            .map(|r| r.path.to_owned())
            .collect();
        let mut pages = page_paths();
        listed.sort();
        pages.sort();
        assert_eq!(pages, listed);
    }
}
