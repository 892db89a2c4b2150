//! The search of products: feeds the node's index from the database, and asks it.
//!
//! Each node has an index of its own (`haat_search`). It knows the stamp of each product in it, which is made of what may
//! change: a step of the worker reads the stamps of the products that were changed lately, twice a second, and those of all
//! products when it starts and then now and again; what differs is read and put into the index. So nothing has to be told to
//! the nodes, and an index that is old, empty or of another database becomes right by itself.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use haat_search::{Document, Index, SearchError, Synonyms};
use tokio::sync::Mutex;

use crate::{
    Engine, TxError, TxResult, bug,
    db::{Tx, Value},
    params, rows, statements,
};
use haat_shared::{
    catalog::{Attribute, attributes::AttributeKind, synonyms},
    id::kinds::ProductId,
};

/// How long ago a change may have been that is seen only now: transactions take a while, and clocks differ.
const OVERLAP_MS: i64 = 30_000;
/// How often all products are compared, at least, and by how much longer than it takes.
const COMPARE_EVERY_MS: i64 = 60_000;
const COMPARE_SHARE: i64 = 20;
/// How many stamps are read at once, and how many products.
const STAMPS: i64 = 5_000;
const PRODUCTS: usize = 500;

/// How many different searches are counted at once.
const COUNTED_MAX: usize = 5_000;
/// How many characters the name and the value of an attribute may have, and how many of them a product, to be a filter.
const FACT_NAME_MAX: usize = 40;
const FACT_VALUE_MAX: usize = 30;
const FACTS_MAX: usize = 30;

/// The columns of a stamp.
macro_rules! stamps {
    () => {
        "SELECT p.id, p.state, p.updated_at, p.version, p.price_min_minor, p.price_max_minor, p.rating_sum, p.rating_count,
        COALESCE(o.units, 0) AS units,
        (SELECT COUNT(*) FROM variants v LEFT JOIN capacities c ON c.id = v.capacity_id
            WHERE v.product_id = p.id AND NOT v.archived AND (v.capacity_id IS NULL OR c.on_hand > c.held)) > 0 AS in_stock
        FROM products p LEFT JOIN popular_products o ON o.product_id = p.id "
    };
}

statements! {
    ALL_STAMPS = concat!(stamps!(), "WHERE p.state = 'published' AND p.id > $1 ORDER BY p.id LIMIT $2");
    CHANGED = concat!(stamps!(), "WHERE p.updated_at >= $1");
    STAMPS_OF = concat!(stamps!(), "JOIN (VALUES [($1)]) AS given ON p.id = given.column1 WHERE p.state = 'published'");
    TEXTS = "SELECT p.id, p.title, p.brand, p.description, p.attributes, p.options, s.handle AS shop, s.currency, c.path
        FROM products p JOIN (VALUES [($1)]) AS given ON p.id = given.column1
        JOIN shops s ON s.id = p.shop_id LEFT JOIN categories c ON c.id = p.category_id";
    VARIANTS = "SELECT v.product_id, v.sku, v.title, v.options FROM variants v JOIN (VALUES [($1)]) AS given ON v.product_id = given.column1
        WHERE NOT v.archived ORDER BY v.position";
    ATTRIBUTES = "SELECT v.product_id, a.name, a.kind, a.unit, a.decimals, v.text_value, v.number_value, v.boolean_value, o.name AS option_name
        FROM product_attribute_values v JOIN (VALUES [($1)]) AS given ON v.product_id = given.column1
        JOIN attributes a ON a.id = v.attribute_id
        LEFT JOIN attribute_options o ON o.attribute_id = v.attribute_id AND o.code = v.option_code";
    CATEGORIES = "SELECT slug, name FROM categories";
    CATEGORY_NAMES = "SELECT c.slug, n.name FROM category_names n JOIN categories c ON c.id = n.category_id";
    SETTINGS = "SELECT rebuild_at, synonyms FROM search_settings WHERE id = 1";
    REQUEST = "INSERT INTO search_settings (id, rebuild_at, synonyms) VALUES (1, $1, '')
        ON CONFLICT (id) DO UPDATE SET rebuild_at = CASE WHEN excluded.rebuild_at > search_settings.rebuild_at
            THEN excluded.rebuild_at ELSE search_settings.rebuild_at + 1 END";
}

rows! {
    struct SettingsRow {
        rebuild_at: i64,
        synonyms: String,
    }

    struct StampRow {
        id: ProductId,
        state: String,
        updated_at: i64,
        version: i64,
        price_min_minor: i64,
        price_max_minor: i64,
        rating_sum: i64,
        rating_count: i64,
        units: i64,
        in_stock: bool,
    }

    struct TextRow {
        id: ProductId,
        title: String,
        brand: String,
        description: String,
        attributes: String,
        options: String,
        shop: String,
        currency: String,
        path: Option<String>,
    }

    struct VariantRow {
        product_id: ProductId,
        sku: String,
        title: String,
        options: String,
    }

    struct AttributeRow {
        product_id: ProductId,
        name: String,
        kind: AttributeKind,
        unit: String,
        decimals: i64,
        text_value: Option<String>,
        number_value: Option<i64>,
        boolean_value: Option<bool>,
        option_name: Option<String>,
    }

    struct NameRow {
        slug: String,
        name: String,
    }
}

/// The index of this node.
#[derive(Default)]
pub struct ProductSearch {
    place: Place,
    /// Answers queries, once it has all products.
    ready: RwLock<Option<Arc<Index>>>,
    synonyms: RwLock<Arc<Synonyms>>,
    feed: Mutex<Feed>,
    /// The searches since when, in milliseconds, that the database doesn't know of yet.
    counted: std::sync::Mutex<(i64, BTreeMap<String, Counted>)>,
}

/// How often something was searched for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) searches: i64,
    /// How often nothing was found.
    pub(crate) misses: i64,
}

/// Where the index is.
#[derive(Default)]
enum Place {
    /// There is none: the database answers.
    #[default]
    Nowhere,
    Memory,
    Folder(PathBuf),
}

/// How far the index is.
#[derive(Default)]
struct Feed {
    index: Option<Arc<Index>>,
    stamps: HashMap<u128, u64>,
    /// The names of categories by slug, in all languages.
    categories: HashMap<String, String>,
    /// When all products are compared next.
    compare_at: i64,
    /// The request to build it anew that it has followed.
    rebuilt: Option<i64>,
    /// The synonyms as they are written.
    synonyms: String,
}

impl ProductSearch {
    /// An index in a folder, which several nodes may share: each has its own in it.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(folder.into()), ..Self::default() }
    }

    /// An index in memory, which is built at each start.
    pub fn in_memory() -> Self {
        Self { place: Place::Memory, ..Self::default() }
    }

    /// The index, if it can answer.
    pub fn ready(&self) -> Option<Arc<Index>> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_ready(&self, index: Option<Arc<Index>>) {
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    /// Words that mean the same.
    pub fn synonyms(&self) -> Arc<Synonyms> {
        self.synonyms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a search. Addresses of emails don't count, and as little does what comes after thousands of others.
    pub(crate) fn count(&self, q: &str, missed: bool, now: i64) {
        let folded = haat_search::fold(q);
        let term = folded.split_whitespace().collect::<Vec<_>>().join(" ");
        if term.is_empty() || term.contains('@') {
            return;
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, terms) = &mut *counted;
        if terms.is_empty() {
            *since = now;
        }
        if terms.len() < COUNTED_MAX || terms.contains_key(&term) {
            let counted = terms.entry(term).or_default();
            counted.searches += 1;
            counted.misses += i64::from(missed);
        }
    }

    /// What was counted, once the first of it is older than this; it is then forgotten here.
    pub(crate) fn take_counted(&self, older: i64) -> Option<BTreeMap<String, Counted>> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        (!counted.1.is_empty() && counted.0 <= older).then(|| std::mem::take(&mut counted.1))
    }

    /// Stops using an index that failed. The next step opens it again, and discards it if it is damaged.
    pub(crate) async fn failed(&self, error: &SearchError) {
        tracing::error!(%error, "the search index failed; the database answers until it is built anew");
        self.set_ready(None);
        *self.feed.lock().await = Feed::default();
    }
}

impl From<SearchError> for TxError {
    fn from(error: SearchError) -> Self {
        bug(format!("search: {error}"))
    }
}

/// Has all nodes build their indexes anew. Until they are done, the old ones answer.
pub async fn request_rebuild(engine: &Engine) -> TxResult<()> {
    engine
        .db
        .write("product_search::request_rebuild", engine.clock.now_ms(), |tx, now| {
            Box::pin(request_rebuild_in_tx(tx, *now))
        })
        .await
}

/// The same, with what makes it necessary.
pub(crate) async fn request_rebuild_in_tx(tx: &mut Tx, now: i64) -> TxResult<()> {
    tx.exec(&REQUEST, params![now]).await?;
    Ok(())
}

/// Brings the index up to date; returns how many products were put in or taken out.
pub async fn feed(engine: &Engine) -> TxResult<usize> {
    let search = &engine.search;
    if matches!(search.place, Place::Nowhere) {
        return Ok(0);
    }
    let mut feed = search.feed.lock().await;
    let fed = feed.step(engine).await;
    if let (Err(_), Some(index)) = (&fed, &feed.index) {
        // What was staged is not in the stamps; the next step begins where this one did.
        let index = index.clone();
        let _ = blocking(move || index.roll_back()).await;
        *feed = Feed::default();
    }
    fed
}

/// Runs what reads and writes files, away from the threads that serve requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> TxResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|panic| bug(format!("search: {panic}")))??)
}

impl Feed {
    async fn step(&mut self, engine: &Engine) -> TxResult<usize> {
        let search = &engine.search;
        let settings: Option<SettingsRow> = engine.db.opt(&SETTINGS, params![]).await?;
        let SettingsRow { rebuild_at: requested, synonyms } =
            settings.unwrap_or(SettingsRow { rebuild_at: 0, synonyms: String::new() });
        if synonyms != self.synonyms {
            let read = Synonyms::of(synonyms::read(&synonyms).unwrap_or_default());
            *search.synonyms.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
            self.synonyms = synonyms;
        }
        let now = engine.clock.now_ms();
        let index = match &self.index {
            Some(index) => index.clone(),
            None => {
                // Another one may hold the lock of its folder.
                search.set_ready(None);
                let folder = match &search.place {
                    Place::Folder(folder) => Some(folder.clone()),
                    _ => None,
                };
                let open = move || match folder {
                    Some(folder) => Index::open(&folder),
                    None => Index::in_memory(),
                };
                let index = Arc::new(blocking(open).await?);
                let of = index.clone();
                self.stamps = blocking(move || of.stamps()).await?;
                self.index = Some(index.clone());
                if !self.stamps.is_empty() {
                    search.set_ready(Some(index.clone()));
                }
                self.compare_at = now;
                index
            }
        };
        let anew = self.rebuilt.is_some_and(|done| done != requested);
        if anew || now >= self.compare_at {
            let done = self.compare(engine, &index, anew).await?;
            let took = engine.clock.now_ms() - now;
            self.compare_at = now + COMPARE_EVERY_MS.max(COMPARE_SHARE * took);
            self.rebuilt = Some(requested);
            search.set_ready(Some(index));
            if anew {
                tracing::info!(products = self.stamps.len(), ms = took, "the search index was built anew");
            }
            return Ok(done);
        }
        let changed: Vec<StampRow> = engine.db.all(&CHANGED, params![now - OVERLAP_MS]).await?;
        let (mut put, mut remove) = (Vec::new(), Vec::new());
        for row in changed {
            let (id, known) = (row.id.uuid().as_u128(), self.stamps.get(&row.id.uuid().as_u128()));
            if row.state != "published" {
                remove.extend(known.map(|_| id));
            } else if known != Some(&row.stamp()) {
                put.push(row.id);
            }
        }
        self.change(engine, &index, &put, remove, true).await
    }

    /// Compares all products with the index, or puts all into an empty one.
    async fn compare(&mut self, engine: &Engine, index: &Arc<Index>, anew: bool) -> TxResult<usize> {
        self.read_categories(engine).await?;
        if anew {
            let of = index.clone();
            blocking(move || of.stage_clear()).await?;
            self.stamps.clear();
        }
        let mut gone = self.stamps.clone();
        let (mut last, mut done) = (ProductId::from_uuid(uuid::Uuid::nil()), 0);
        loop {
            let rows: Vec<StampRow> = engine.db.all(&ALL_STAMPS, params![last, STAMPS]).await?;
            let Some(end) = rows.last() else { break };
            last = end.id;
            let mut put = Vec::new();
            for row in &rows {
                let id = row.id.uuid().as_u128();
                gone.remove(&id);
                if self.stamps.get(&id) != Some(&row.stamp()) {
                    put.push(row.id);
                }
            }
            // A new index is found as a whole.
            done += self.change(engine, index, &put, Vec::new(), !anew).await?;
            if rows.len() < STAMPS as usize {
                break;
            }
        }
        done += self.change(engine, index, &[], gone.into_keys().collect(), false).await?;
        let of = index.clone();
        blocking(move || of.commit()).await?;
        Ok(done)
    }

    /// Reads products and puts them into the index, and takes others out.
    async fn change(
        &mut self,
        engine: &Engine,
        index: &Arc<Index>,
        put: &[ProductId],
        remove: Vec<u128>,
        commit: bool,
    ) -> TxResult<usize> {
        if put.is_empty() && remove.is_empty() {
            return Ok(0);
        }
        let changed = put.len() + remove.len();
        for id in &remove {
            self.stamps.remove(id);
        }
        let of = index.clone();
        blocking(move || of.stage(&[], &remove)).await?;
        for ids in put.chunks(PRODUCTS) {
            let documents = self.documents(engine, ids).await?;
            self.stamps.extend(documents.iter().map(|document| (document.id, document.stamp)));
            let of = index.clone();
            blocking(move || of.stage(&documents, &[])).await?;
        }
        if commit {
            let of = index.clone();
            blocking(move || of.commit()).await?;
        }
        Ok(changed)
    }

    async fn read_categories(&mut self, engine: &Engine) -> TxResult<()> {
        let names: Vec<NameRow> = engine.db.all(&CATEGORIES, params![]).await?;
        self.categories = names.into_iter().map(|row| (row.slug, row.name)).collect();
        let more: Vec<NameRow> = engine.db.all(&CATEGORY_NAMES, params![]).await?;
        for NameRow { slug, name } in more {
            let names = self.categories.entry(slug).or_default();
            names.push_str(" · ");
            names.push_str(&name);
        }
        Ok(())
    }

    /// What is found of these products, as they are now. Those that are no longer published are left out.
    async fn documents(&mut self, engine: &Engine, ids: &[ProductId]) -> TxResult<Vec<Document>> {
        let given: Vec<[Value; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
        // The stamp first: what changes in between is read again.
        let stamps: Vec<StampRow> = engine.db.all_many(&STAMPS_OF, &given).await?;
        let texts: Vec<TextRow> = engine.db.all_many(&TEXTS, &given).await?;
        let variants: Vec<VariantRow> = engine.db.all_many(&VARIANTS, &given).await?;
        let attributes: Vec<AttributeRow> = engine.db.all_many(&ATTRIBUTES, &given).await?;
        let mut texts: HashMap<ProductId, TextRow> = texts.into_iter().map(|row| (row.id, row)).collect();
        let slugs = |path: &Option<String>| {
            path.iter()
                .flat_map(|path| path.split('/'))
                .filter(|slug| !slug.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        if texts.values().any(|row| slugs(&row.path).iter().any(|slug| !self.categories.contains_key(slug))) {
            self.read_categories(engine).await?;
        }
        let mut codes: HashMap<ProductId, Vec<String>> = HashMap::new();
        let mut said: HashMap<ProductId, Vec<(String, String)>> = HashMap::new();
        let mut choices: HashMap<ProductId, Vec<(String, String)>> = HashMap::new();
        let list = |json: &str| -> Vec<String> { serde_json::from_str(json).unwrap_or_default() };
        for VariantRow { product_id, sku, title, options } in variants {
            codes.entry(product_id).or_default().push(sku);
            said.entry(product_id).or_default().extend((!title.is_empty()).then(|| (String::new(), title)));
            let names = texts.get(&product_id).map(|text| list(&text.options)).unwrap_or_default();
            choices.entry(product_id).or_default().extend(names.into_iter().zip(list(&options)));
        }
        for row in attributes {
            let (product, choice) = (row.product_id, row.kind == AttributeKind::Choice);
            let Some(fact) = row.fact() else { continue };
            if choice {
                choices.entry(product).or_default().push(fact.clone());
            }
            said.entry(product).or_default().push(fact);
        }
        let mut documents = Vec::with_capacity(ids.len());
        for stamp in stamps {
            let Some(text) = texts.remove(&stamp.id) else { continue };
            let details: Vec<Attribute> = serde_json::from_str(&text.attributes).unwrap_or_default();
            let mut attributes: Vec<_> = details.into_iter().map(|fact| (fact.name, fact.value)).collect();
            let mut facts = choices.remove(&stamp.id).unwrap_or_default();
            facts.extend(attributes.iter().cloned());
            attributes.extend(said.remove(&stamp.id).unwrap_or_default());
            let named = |slug: String| {
                let name = self.categories.get(&slug).cloned().unwrap_or_default();
                (slug, name)
            };
            documents.push(Document {
                id: stamp.id.uuid().as_u128(),
                stamp: stamp.stamp(),
                categories: slugs(&text.path).into_iter().map(named).collect(),
                title: text.title,
                brand: text.brand,
                description: text.description,
                attributes,
                facts: filters(facts),
                codes: codes.remove(&stamp.id).unwrap_or_default(),
                shop: text.shop,
                currency: text.currency,
                price: stamp.price_min_minor,
                in_stock: stamp.in_stock,
                rating: match stamp.rating_count {
                    1.. => u64::try_from(stamp.rating_sum * 10 / stamp.rating_count).unwrap_or_default(),
                    _ => 0,
                },
                sold: u64::try_from(stamp.units).unwrap_or_default(),
            });
        }
        Ok(documents)
    }
}

/// The names and values by which products are filtered: short ones, in one spelling.
fn filters(facts: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut filters: Vec<(String, String)> = Vec::new();
    for (name, value) in facts {
        let (name, value) = (sentence(&name), sentence(&value));
        let short = |text: &str, most| !text.is_empty() && text.chars().count() <= most;
        // A colon separates them in URLs.
        let fits = short(&name, FACT_NAME_MAX) && short(&value, FACT_VALUE_MAX) && !name.contains(':');
        let fact = (name, value);
        if fits && filters.len() < FACTS_MAX && !filters.contains(&fact) {
            filters.push(fact);
        }
    }
    filters
}

/// A text on one line, with a capital letter first.
fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => text,
    }
}

impl StampRow {
    /// A number that differs if any of this does (FNV-1a).
    fn stamp(&self) -> u64 {
        let parts = [
            self.updated_at,
            self.version,
            self.price_min_minor,
            self.price_max_minor,
            self.rating_sum,
            self.rating_count,
            self.units,
            i64::from(self.in_stock),
        ];
        let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        parts.iter().flat_map(|part| part.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, add)
    }
}

impl AttributeRow {
    /// Its name and value, as far as people look for it.
    fn fact(self) -> Option<(String, String)> {
        let value = match self.kind {
            AttributeKind::Number => {
                let decimals = u32::try_from(self.decimals).unwrap_or_default();
                let unit = 10i64.checked_pow(decimals).unwrap_or(1);
                let number = self.number_value?;
                let digits = format!("{:0width$}", number % unit, width = decimals as usize);
                let fraction = if unit > 1 { format!(".{digits}") } else { String::new() };
                format!("{}{fraction} {}", number / unit, self.unit)
            }
            AttributeKind::YesNo => {
                return self.boolean_value.filter(|yes| *yes).map(|_| (self.name, String::new()));
            }
            _ => self.text_value.or(self.option_name)?,
        };
        Some((self.name, value))
    }
}
