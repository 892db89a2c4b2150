//! The sitemap: every page that is the same for everyone.

use crate::{Engine, params, rows, statements};
use haat_shared::{Error, Result, id::kinds::ProductId};

/// Addresses in one file; the protocol allows 50,000 (<https://www.sitemaps.org/protocol.html>).
const FILE_MAX: i64 = 20_000;

statements! {
    FILES = "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM products WHERE state = 'published') AS n
        WHERE (number - 1) % $1 = 0 ORDER BY id";
    PRODUCTS = "SELECT slug, updated_at FROM products WHERE state = 'published' AND id >= $1 ORDER BY id LIMIT $2";
    CATEGORIES = "SELECT slug FROM categories ORDER BY slug";
    SHOPS = "SELECT handle AS slug FROM shops ORDER BY id LIMIT $1";
}

rows! {
    struct FileRow {
        id: ProductId,
    }

    struct ProductRow {
        slug: String,
        updated_at: i64,
    }

    struct SlugRow {
        slug: String,
    }
}

/// The names of the files of products: the id of the first product of each.
pub async fn map_files(engine: &Engine) -> Result<Vec<ProductId>> {
    let rows: Vec<FileRow> = engine.db.all(&FILES, params![FILE_MAX]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The slugs of products from this one on, each with the time of its last change.
pub async fn map_products(engine: &Engine, first: ProductId) -> Result<Vec<(String, i64)>> {
    let rows: Vec<ProductRow> = engine.db.all(&PRODUCTS, params![first, FILE_MAX]).await?;
    if rows.is_empty() {
        return Err(Error::NotFound);
    }
    Ok(rows.into_iter().map(|row| (row.slug, row.updated_at)).collect())
}

/// The slugs of all categories.
pub async fn map_categories(engine: &Engine) -> Result<Vec<String>> {
    let rows: Vec<SlugRow> = engine.db.all(&CATEGORIES, params![]).await?;
    Ok(rows.into_iter().map(|row| row.slug).collect())
}

/// The handles of all shops.
pub async fn map_shops(engine: &Engine) -> Result<Vec<String>> {
    let rows: Vec<SlugRow> = engine.db.all(&SHOPS, params![FILE_MAX]).await?;
    Ok(rows.into_iter().map(|row| row.slug).collect())
}
