//! The marketplace's category tree.

use std::collections::HashMap;

use crate::{Caller, Engine, TxError, TxResult, db::Tx, insert, media, params, random, rows, statements};
use haat_shared::{
    Error, FieldCode, Result,
    catalog::{CategoryCard, CategoryLink, CategoryView},
    id::kinds::{CategoryId, MediaId},
    media::Picture,
    permissions::AdminPermission,
    text,
};

statements! {
    ROOTS = "SELECT c.slug, COALESCE(n.name, c.name) AS name, m.id AS media_id, m.width, m.height, m.color, COALESCE(n.name, c.name) AS alt
        FROM categories c LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = $1
        LEFT JOIN media m ON m.id = c.picture_id WHERE c.parent_id IS NULL ORDER BY c.position, c.path";
    // The ancestors of a category, the category itself, and its children.
    AROUND = "SELECT c.slug, COALESCE(n.name, c.name) AS name, c.path FROM categories c JOIN categories here ON here.slug = $1
        LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = $2
        WHERE here.path LIKE c.path || '%' OR c.parent_id = here.id ORDER BY c.position, c.path";
    TRAIL = "SELECT c.slug, COALESCE(n.name, c.name) AS name, c.path FROM categories c JOIN categories here ON here.id = $1
        LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = $2
        WHERE here.path LIKE c.path || '%' ORDER BY c.path";
    NAME = "INSERT INTO category_names (category_id, locale, name) SELECT id, $2, $3 FROM categories WHERE slug = $1
        ON CONFLICT (category_id, locale) DO UPDATE SET name = excluded.name";
    ALL = "SELECT id, slug FROM categories";
    SPREAD_RATES = "UPDATE categories SET commission_bp = (SELECT r.rate_bp FROM commission_rates r JOIN categories c ON c.id = r.category_id
        WHERE categories.path LIKE c.path || '%' ORDER BY LENGTH(c.path) DESC LIMIT 1)";
    TREE = "SELECT c.slug, COALESCE(n.name, c.name) AS name, c.path FROM categories c
        LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = $1 ORDER BY c.path";
}

insert! {
    #[derive(Clone)]
    struct PutCategory into categories {
        id: CategoryId,
        slug: String,
        name: String,
        parent_id: Option<CategoryId>,
        path: String,
        tax_category: String,
        picture_id: Option<MediaId>,
        position: i64,
        created_at: i64,
    } "ON CONFLICT (slug) DO UPDATE SET name = excluded.name, tax_category = excluded.tax_category,
            picture_id = COALESCE(excluded.picture_id, categories.picture_id), position = excluded.position"
}

rows! {
    struct CardRow {
        slug: String,
        name: String;
        picture: Option<Picture>
    }

    struct LinkRow {
        slug: String,
        name: String,
        path: String,
    }

    struct IdRow {
        id: CategoryId,
        slug: String,
    }
}

impl From<LinkRow> for CategoryLink {
    fn from(row: LinkRow) -> Self {
        Self { slug: row.slug, name: row.name }
    }
}

/// The top-level categories, in display order.
pub async fn roots(engine: &Engine, caller: &Caller) -> Result<Vec<CategoryCard>> {
    let rows: Vec<CardRow> = engine.db.all(&ROOTS, params![caller.locale]).await?;
    let card = |row: CardRow| CategoryCard { slug: row.slug, name: row.name, picture: row.picture };
    Ok(rows.into_iter().map(card).collect())
}

/// All categories with their full names, parents first: `Home & kitchen › Tableware`.
pub async fn tree(engine: &Engine, caller: &Caller) -> Result<Vec<CategoryLink>> {
    let rows: Vec<LinkRow> = engine.db.all(&TREE, params![caller.locale]).await?;
    let mut above: Vec<(String, String)> = Vec::new();
    let links = rows.into_iter().map(|row| {
        above.retain(|(path, _)| row.path.starts_with(path));
        let name = above.last().map_or(row.name.clone(), |(_, name)| format!("{name} › {}", row.name));
        above.push((row.path, name.clone()));
        CategoryLink { slug: row.slug, name }
    });
    let mut tree: Vec<_> = links.collect();
    tree.sort_by_cached_key(|link| link.name.split(" › ").map(text::fold).collect::<Vec<_>>());
    Ok(tree)
}

/// A category with its ancestors and direct subcategories.
pub async fn category(engine: &Engine, caller: &Caller, slug: &str) -> Result<CategoryView> {
    let rows: Vec<LinkRow> = engine.db.all(&AROUND, params![slug, caller.locale]).await?;
    let own = rows.iter().find(|row| row.slug == slug).ok_or(Error::NotFound)?.path.clone();
    let (mut trail, children): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| own.starts_with(&row.path));
    trail.sort_by_key(|row| row.path.len());
    let here = trail.pop().ok_or(Error::NotFound)?;
    Ok(CategoryView {
        slug: here.slug,
        name: here.name,
        trail: trail.into_iter().map(Into::into).collect(),
        children: children.into_iter().map(Into::into).collect(),
    })
}

/// The categories from the root to this one, inclusive.
pub(super) async fn trail(engine: &Engine, caller: &Caller, id: CategoryId) -> Result<Vec<CategoryLink>> {
    let rows: Vec<LinkRow> = engine.db.all(&TRAIL, params![id, caller.locale]).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A new category.
#[derive(Debug, Clone, Default)]
pub struct NewCategory {
    /// The slug.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The name in other languages, by language tag. A language that is missing keeps the name it has.
    pub names: Vec<(String, String)>,
    /// The slug of its parent, which precedes it in the list; `None` for a root.
    pub parent: Option<String>,
    /// The category of tax rates that its products are of. Empty if they are not taxed.
    pub tax_category: String,
    /// Its picture; an existing category keeps its picture if there is none.
    pub picture: Option<MediaId>,
}

/// Creates categories; existing ones get the new names, tax category and position. Operators only.
pub async fn put_categories(engine: &Engine, caller: &Caller, categories: Vec<NewCategory>) -> Result<()> {
    caller.admin(AdminPermission::ManageCatalog)?;
    let (now, existing) = (engine.clock.now_ms(), category_ids(engine).await?);
    let mut known: Vec<(String, CategoryId, String)> = Vec::new();
    let mut rows: Vec<PutCategory> = Vec::new();
    let mut names: Vec<(String, String, String)> = Vec::new();
    for (position, category) in (0i64..).zip(categories) {
        let parent = match &category.parent {
            None => None,
            Some(slug) => Some(
                known
                    .iter()
                    .find(|(s, ..)| s == slug)
                    .ok_or(Error::field("parent", FieldCode::NotAChoice))?,
            ),
        };
        // New ones may be below one that exists.
        let id: CategoryId = existing.get(&category.slug).copied().unwrap_or_else(|| random::id(now));
        let path = format!("{}{}/", parent.map_or("", |(.., path)| path.as_str()), category.slug);
        rows.push(PutCategory {
            id,
            slug: category.slug.clone(),
            name: category.name,
            parent_id: parent.map(|(_, id, _)| *id),
            path: path.clone(),
            tax_category: category.tax_category,
            picture_id: category.picture,
            position,
            created_at: now,
        });
        names.extend(category.names.into_iter().map(|(locale, name)| (category.slug.clone(), locale, name)));
        known.push((category.slug, id, path));
    }
    engine
        .db
        .write("catalog::put_categories", (rows, names, now), |tx, (rows, names, now)| {
            Box::pin(async move {
                let pictures: Vec<MediaId> = rows.iter().filter_map(|row| row.picture_id).collect();
                if !pictures.is_empty() {
                    media::release_own_in_tx(tx, *now).await?;
                    media::use_in_tx(tx, pictures).await?;
                }
                tx.insert_all(rows.clone()).await?;
                for (slug, locale, name) in names.iter() {
                    tx.exec(&NAME, params![slug, locale, name]).await?;
                }
                // New categories have the commission of those above them.
                spread_rates_in_tx(tx).await?;
                Ok::<_, TxError>(())
            })
        })
        .await?;
    Ok(())
}

/// Gives each category the rate of commission that applies in it: its own, or that of the nearest one above it.
pub(crate) async fn spread_rates_in_tx(tx: &mut Tx) -> TxResult<()> {
    tx.exec(&SPREAD_RATES, params![]).await?;
    Ok(())
}

/// The IDs of all categories by slug.
pub async fn category_ids(engine: &Engine) -> Result<HashMap<String, CategoryId>> {
    let rows: Vec<IdRow> = engine.db.all(&ALL, params![]).await?;
    Ok(rows.into_iter().map(|row| (row.slug, row.id)).collect())
}
