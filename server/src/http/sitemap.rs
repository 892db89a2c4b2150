//! `robots.txt` and sitemaps.

use axum::{
    extract::{Path, State as Extract},
    http::header,
    response::{IntoResponse, Response},
};
use haat_engine::{catalog, clock::rfc3339};
use haat_shared::{
    Error, Result,
    routes::{
        self, ACCOUNT, ADMIN, CART, CHECKOUT, HOME, PRODUCTS, PURCHASE, SELLER_SHOPS, SHOPS, SIGN_IN,
        SIGN_UP, SITEMAP,
    },
};

use super::{State, layers};

/// Pages that should not be crawled, each with everything below it.
const PRIVATE: [&str; 8] = [CART, CHECKOUT, PURCHASE, ACCOUNT, SIGN_IN, SIGN_UP, SELLER_SHOPS, ADMIN];

/// The sitemap of all pages that are not products.
const PAGES: &str = "pages.xml";

/// `robots.txt`.
pub(super) async fn robots(Extract(state): Extract<State>) -> Response {
    let private = PRIVATE.map(|path| path.split("/{").next().unwrap_or(path));
    let private: String = private.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let market = &state.runtime.engine.public_url;
    let text = format!("User-agent: *\n{private}Disallow: {PRODUCTS}?\nSitemap: {market}{SITEMAP}\n");
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn answer(xml: Result<String>) -> Response {
    match xml {
        Ok(xml) => {
            let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}");
            ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], xml).into_response()
        }
        Err(error) => layers::plain(&error),
    }
}

const NAMES: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";

/// The index of sitemaps.
pub(super) async fn index(Extract(state): Extract<State>) -> Response {
    let market = &state.runtime.engine.public_url;
    let files = catalog::map_files(&state.runtime.engine).await.map(|files| {
        let names = std::iter::once(PAGES.to_owned()).chain(files.iter().map(|first| format!("{first}.xml")));
        let items = names.map(|name| {
            let file = routes::sitemap_file(&name);
            format!("<sitemap><loc>{market}{file}</loc></sitemap>")
        });
        format!("<sitemapindex {NAMES}>{}</sitemapindex>", items.collect::<String>())
    });
    answer(files)
}

/// A sitemap. URLs need no escaping: paths are percent-encoded.
pub(super) async fn file(Extract(state): Extract<State>, Path(name): Path<String>) -> Response {
    let engine = &state.runtime.engine;
    let urls: Result<String> = async {
        if name == PAGES {
            let pages = [HOME, PRODUCTS, SHOPS].map(str::to_owned).into_iter();
            let categories = catalog::map_categories(engine).await?;
            let shops = catalog::map_shops(engine).await?;
            let pages = pages.chain(categories.iter().map(|slug| routes::category(slug)));
            let pages = pages.chain(shops.iter().map(|handle| routes::shop(handle)));
            return Ok(pages
                .map(|path| format!("<url><loc>{}{path}</loc></url>", engine.public_url))
                .collect());
        }
        let first = name.strip_suffix(".xml").and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
        let url = |(slug, changed): (String, i64)| {
            let (path, changed) = (routes::product(&slug), rfc3339(changed));
            format!("<url><loc>{}{path}</loc><lastmod>{changed}</lastmod></url>", engine.public_url)
        };
        Ok(catalog::map_products(engine, first).await?.into_iter().map(url).collect())
    }
    .await;
    answer(urls.map(|urls| format!("<urlset {NAMES}>{urls}</urlset>")))
}
