//! The one list of addresses: who may go where. The router, the access test and the documents are made from it.

/// How a route is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A page of the storefront.
    Storefront,
    /// A page of the seller dashboard.
    Seller,
    /// A plain form, for those without JavaScript and with it.
    Form,
    /// A server function, called by the hydrated page.
    Function,
    /// A part of pages: a picture, a list of words.
    File,
    /// A report from a payment gateway.
    Webhook,
    /// The sandbox gateway's own pages, on their own host name.
    Sandbox,
    /// For search engines.
    Crawler,
    /// For those who run the program.
    Operation,
    /// For those who change the program. Not there in production.
    Development,
}

/// Who may go there. The use case behind it decides; this says what to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Anyone,
    /// The holder of the cart, checkout or purchase: its account, or a guest with its token.
    Holder,
    /// Whoever is signed in.
    SignedIn,
    /// Members of the shop whose role allows it.
    Member,
    /// Those who run the market.
    Operator,
    /// Whoever can sign for it: a gateway.
    Signed,
}

/// One address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// GET or POST.
    pub method: &'static str,
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// How it is served.
    pub surface: Surface,
    /// Who may go there.
    pub access: Access,
}

macro_rules! routes {
    ($($name:ident $method:ident $path:literal $surface:ident $access:ident;)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            pub const $name: &str = $path;
        )*
        /// Every address of the program.
        pub const ROUTES: &[Route] = &[
            $(Route { method: stringify!($method), path: $path, surface: Surface::$surface, access: Access::$access },)*
        ];
    };
}

routes! {
    HOME GET "/" Storefront Anyone;
    PRODUCTS GET "/products" Storefront Anyone;
    PRODUCT GET "/p/{slug}" Storefront Anyone;
    CATEGORY GET "/c/{slug}" Storefront Anyone;
    SHOPS GET "/shops" Storefront Anyone;
    SHOP GET "/shops/{handle}" Storefront Anyone;
    BASKET GET "/basket" Storefront Anyone;
    CHECKOUT GET "/checkout/{id}" Storefront Holder;
    PURCHASE GET "/purchases/{number}" Storefront Holder;
    SIGN_IN GET "/sign-in" Storefront Anyone;
    SIGN_UP GET "/sign-up" Storefront Anyone;
    ACCOUNT GET "/account" Storefront SignedIn;
    OWN_SHOPS GET "/seller" Seller SignedIn;
    OPEN_SHOP GET "/seller/new" Seller SignedIn;
    COUNTER GET "/seller/{handle}" Seller Member;
    SHOP_ORDERS GET "/seller/{handle}/orders" Seller Member;
    SHOP_ORDER GET "/seller/{handle}/orders/{number}" Seller Member;
    OWN_PRODUCTS GET "/seller/{handle}/products" Seller Member;
    NEW_PRODUCT GET "/seller/{handle}/products/new" Seller Member;
    IMPORT GET "/seller/{handle}/products/import" Seller Member;
    OWN_PRODUCT GET "/seller/{handle}/products/{id}" Seller Member;
    BALANCE GET "/seller/{handle}/balance" Seller Member;
    SETTINGS GET "/seller/{handle}/settings" Seller Member;

    FORM_ADD_LINE POST "/basket/lines" Form Anyone;
    FORM_SET_QUANTITY POST "/basket/lines/{id}" Form Holder;
    FORM_BEGIN_CHECKOUT POST "/checkout" Form Holder;
    FORM_PAY POST "/checkout/{id}" Form Holder;
    FORM_SIGN_IN POST "/sign-in" Form Anyone;
    FORM_SIGN_UP POST "/sign-up" Form Anyone;
    FORM_SIGN_OUT POST "/sign-out" Form Anyone;
    FORM_ADD_PICTURE POST "/seller/{handle}/media" Form Member;
    FORM_OPEN_SHOP POST "/seller/new" Form SignedIn;
    FORM_ORDER POST "/seller/{handle}/orders/{number}" Form Member;
    FORM_PRODUCTS POST "/seller/{handle}/products" Form Member;
    FORM_SETTINGS POST "/seller/{handle}/settings" Form Member;
    FORM_IMPORT POST "/seller/{handle}/products/import" Form Member;
    FORM_IMPORT_GO POST "/seller/{handle}/imports/{id}" Form Member;
    FORM_LANGUAGE POST "/language" Form Anyone;
    WORDS GET "/words/{file}" File Anyone;

    FN_ME POST "/api/accounts/me" Function Anyone;
    FN_DRAFT POST "/api/accounts/draft" Function Anyone;
    FN_LIST_PRODUCTS POST "/api/catalog/list" Function Anyone;
    FN_PRODUCT POST "/api/catalog/product" Function Anyone;
    FN_HOME POST "/api/catalog/home" Function Anyone;
    FN_ROOTS POST "/api/catalog/roots" Function Anyone;
    FN_TREE POST "/api/catalog/tree" Function Anyone;
    FN_CATEGORY POST "/api/catalog/category" Function Anyone;
    FN_SHOP POST "/api/shops/shop" Function Anyone;
    FN_SHOPS POST "/api/shops/list" Function Anyone;
    FN_COUNTER POST "/api/shops/home" Function Member;
    FN_SETTINGS POST "/api/shops/settings" Function Member;
    FN_SET_LOGO POST "/api/shops/set_logo" Function Member;
    FN_CURRENCY POST "/api/shops/currency" Function Anyone;
    FN_BALANCE POST "/api/ledger/balance" Function Member;
    FN_OWN_PRODUCTS POST "/api/catalog/seller_list" Function Member;
    FN_IMPORTS POST "/api/catalog/imports" Function Member;
    FN_OWN_PRODUCT POST "/api/catalog/seller_product" Function Member;
    FN_CREATE_PRODUCT POST "/api/catalog/create" Function Member;
    FN_UPDATE_PRODUCT POST "/api/catalog/update" Function Member;
    FN_PUBLISH_PRODUCT POST "/api/catalog/publish" Function Member;
    FN_OWN_PICTURES POST "/api/media/of_own" Function Member;
    FN_SET_PICTURES POST "/api/media/set_pictures" Function Member;
    FN_CART POST "/api/carts/view" Function Anyone;
    FN_ADD_LINE POST "/api/carts/add_line" Function Anyone;
    FN_SET_QUANTITY POST "/api/carts/set_quantity" Function Holder;
    FN_REMOVE_LINE POST "/api/carts/remove_line" Function Holder;
    FN_BEGIN_CHECKOUT POST "/api/checkout/begin" Function Holder;
    FN_CHECKOUT POST "/api/checkout/view" Function Holder;
    FN_SAVE POST "/api/checkout/save" Function Holder;
    FN_PAY POST "/api/checkout/pay" Function Holder;
    FN_PURCHASE POST "/api/orders/purchase" Function Holder;
    FN_HISTORY POST "/api/orders/history" Function SignedIn;
    FN_CANCEL_OWN POST "/api/orders/cancel_own" Function Holder;
    FN_SELLER_ORDERS POST "/api/orders/seller_list" Function Member;
    FN_SELLER_ORDER POST "/api/orders/seller_order" Function Member;
    FN_CONFIRM POST "/api/orders/confirm" Function Member;
    FN_SHIP POST "/api/orders/ship" Function Member;
    FN_DELIVER POST "/api/orders/deliver" Function Member;
    FN_CANCEL POST "/api/orders/cancel" Function Member;
    FN_ALL_ORDERS POST "/api/orders/list_all" Function Operator;
    FN_ARCHIVE_PRODUCT POST "/api/catalog/archive" Function Member;
    FN_DUPLICATE_PRODUCT POST "/api/catalog/duplicate" Function Member;
    FN_DELETE_PRODUCT POST "/api/catalog/delete" Function Member;
    FN_OPEN_SHOP POST "/api/shops/open_own" Function SignedIn;
    FN_SAVE_SHOP POST "/api/shops/save_settings" Function Member;
    FN_ALL_SHOPS POST "/api/shops/list_all" Function Operator;
    FN_ADJUST_STOCK POST "/api/inventory/adjust" Function Member;
    FN_JOBS POST "/api/jobs/list" Function Operator;
    FN_RETRY_JOB POST "/api/jobs/retry" Function Operator;
    FN_DISCARD_JOB POST "/api/jobs/discard" Function Operator;
    FN_FACTS POST "/api/facts/list" Function Operator;
    FN_AUDIT POST "/api/audit/list" Function Operator;
    FN_USERS POST "/api/accounts/list" Function Operator;

    MEDIA GET "/media/{file}" File Anyone;
    IMPORT_FAULTS GET "/seller/{handle}/imports/{id}/errors.csv" File Member;
    EXPORT GET "/seller/{handle}/products.csv" File Member;
    PAYMENT_RETURN GET "/pay/return/{id}" Form Signed;
    WEBHOOK POST "/webhooks/{gateway}" Webhook Signed;
    SANDBOX_PAGE GET "/sandbox/pay/{id}" Sandbox Signed;
    SANDBOX_PAY POST "/sandbox/pay/{id}" Sandbox Signed;
    ROBOTS GET "/robots.txt" Crawler Anyone;
    SITEMAP GET "/sitemap.xml" Crawler Anyone;
    SITEMAP_FILE GET "/sitemaps/{file}" Crawler Anyone;
    HEALTHZ GET "/healthz" Operation Anyone;
    READYZ GET "/readyz" Operation Anyone;
    METRICS GET "/metrics" Operation Anyone;
    DEV_UI GET "/dev/ui" Development Anyone;
    DEV_MAILS GET "/dev/mail" Development Anyone;
    DEV_MAIL GET "/dev/mail/{id}" Development Anyone;
    DEV_MAIL_HTML GET "/dev/mail/{id}/html" Development Anyone;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_listed_twice() {
        let mut seen: Vec<_> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count);
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
