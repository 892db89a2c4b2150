//! `robots.txt` and sitemaps.

use axum::{
    extract::{Path, State as Extract},
    http::header,
    response::{IntoResponse, Response},
};
use haat_engine::{catalog, clock::rfc3339};
use haat_shared::{Error, Result, routes::SITEMAP};

use super::{State, layers};

/// Pages that should not be crawled.
const PRIVATE: [&str; 8] =
    ["/cart", "/checkout", "/purchases", "/account", "/sign-in", "/sign-up", "/seller", "/admin"];

/// `robots.txt`.
pub(super) async fn robots(Extract(state): Extract<State>) -> Response {
    let private: String = PRIVATE.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let market = &state.runtime.engine.public_url;
    let text = format!("User-agent: *\n{private}Disallow: /products?\nSitemap: {market}{SITEMAP}\n");
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
        let names = std::iter::once("pages".to_owned()).chain(files.iter().map(ToString::to_string));
        let items = names.map(|name| format!("<sitemap><loc>{market}/sitemaps/{name}.xml</loc></sitemap>"));
        format!("<sitemapindex {NAMES}>{}</sitemapindex>", items.collect::<String>())
    });
    answer(files)
}

/// A sitemap. URLs need no escaping: slugs and handles are letters, digits and hyphens.
pub(super) async fn file(Extract(state): Extract<State>, Path(name): Path<String>) -> Response {
    let engine = &state.runtime.engine;
    let urls: Result<String> = async {
        if name == "pages.xml" {
            let url = |path| format!("<url><loc>{}{path}</loc></url>", engine.public_url);
            return Ok(catalog::map_pages(engine).await?.into_iter().map(url).collect());
        }
        let first = name.strip_suffix(".xml").and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
        let url = |(path, changed)| {
            let changed = rfc3339(changed);
            format!("<url><loc>{}{path}</loc><lastmod>{changed}</lastmod></url>", engine.public_url)
        };
        Ok(catalog::map_products(engine, first).await?.into_iter().map(url).collect())
    }
    .await;
    answer(urls.map(|urls| format!("<urlset {NAMES}>{urls}</urlset>")))
}
