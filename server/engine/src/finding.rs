//! Finds products with the search index, and reads what is shown of them from the database.

use std::sync::Arc;

use haat_search::{Answer, Filters, Index, Query, SearchError, Sort};

use crate::{
    Caller, Engine,
    catalog::{self, RELEVANCE},
    currencies,
    db::Value,
    params, rows, statements,
};
use haat_shared::{
    Currency, Error, FieldCode, Money, Result, amounts,
    catalog::{
        CategoryLink, ListProducts, PAGE_SIZE, ProductPage, QUERY_MAX, SORTS,
        facets::{
            FacetValue, FactFacet, Found, PriceSpan, ProductFacets, ProductResults, ShopLink, Spelling,
            Suggestions,
        },
    },
    id::kinds::ProductId,
    page::{self, Page},
    text,
};

/// How deep results can be paged through: whoever looks further narrows them down.
const DEPTH_MAX: usize = 10_000;
/// How many values of a facet are returned.
const VALUES_MAX: usize = 30;
/// How many attributes are facets, and how many values of each are returned.
const FACTS_MAX: usize = 6;
const FACT_VALUES_MAX: usize = 12;
/// How many categories are read to choose the level that is shown.
const CATEGORIES_MAX: usize = 200;
/// How many values of a filter count.
const CHOSEN_MAX: usize = 20;
/// How many of each are suggested.
const SUGGESTED: usize = 4;
/// When to ask again while the index is being built, in seconds.
const BUILT_S: u32 = 5;
/// What begins the cursor of a page of the index. A number follows.
const PLACE: char = '@';

statements! {
    FACET_CATEGORIES = "SELECT c.slug, COALESCE(n.name, c.name) AS name, c.path FROM categories c
        JOIN (VALUES [($1, $2)]) AS given ON c.slug = given.column1
        LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = given.column2";
    FACET_SHOPS = "SELECT s.handle, s.name FROM shops s JOIN (VALUES [($1)]) AS given ON s.handle = given.column1";
    SUGGESTED_CATEGORIES = r"SELECT c.slug, COALESCE(n.name, c.name) AS name, c.path FROM categories c
        LEFT JOIN category_names n ON n.category_id = c.id AND n.locale = $1
        WHERE LOWER(COALESCE(n.name, c.name)) LIKE $2 ESCAPE '\' ORDER BY c.path LIMIT $3";
    SUGGESTED_SHOPS = r"SELECT handle, name FROM shops WHERE search_folded LIKE $1 ESCAPE '\' ORDER BY name LIMIT $2";
}

rows! {
    struct CategoryRow {
        slug: String,
        name: String,
        path: String,
    }

    struct ShopRow {
        handle: String,
        name: String,
    }
}

/// Products, page by page: all, of a shop, in a category or below it, or those that match a search and filters.
pub async fn list(engine: &Engine, caller: &Caller, ask: ListProducts) -> Result<ProductPage> {
    if ask.q.is_empty() && !ask.is_narrowed() && ask.sort != RELEVANCE {
        return catalog::list(engine, caller, ask).await;
    }
    Ok(look_for(engine, caller, ask, false).await?.page)
}

/// Products with facets: all, or those that match a search and filters.
pub async fn find(engine: &Engine, caller: &Caller, ask: ListProducts) -> Result<ProductResults> {
    look_for(engine, caller, ask, true).await
}

/// The same, with facets or without. If there is no index, or it has just failed, the database answers.
async fn look_for(
    engine: &Engine,
    caller: &Caller,
    ask: ListProducts,
    facets: bool,
) -> Result<ProductResults> {
    let q = text::optional_line("q", &ask.q, QUERY_MAX).map_err(|fault| Error::Invalid(vec![fault]))?;
    let sort = match ask.sort.as_str() {
        "" if q.is_empty() => SORTS[0],
        "" => RELEVANCE,
        sort => sort,
    };
    if !SORTS.contains(&sort) {
        return Err(Error::field("sort", FieldCode::NotAChoice));
    }
    let ready = engine.search.ready();
    // Whoever began to page through what the database found goes on there.
    let is_known =
        |_: &Arc<Index>| ask.after.is_empty() || is_place(&ask.after) || q.is_empty() || ask.is_narrowed();
    let Some(index) = ready.filter(is_known) else { return without_index(engine, caller, &ask).await };
    let size = page::rows(ask.limit, PAGE_SIZE);
    // What is only listed comes from the database, as always: in it are products that were published just now.
    let is_plain = q.is_empty() && !ask.is_narrowed() && sort != RELEVANCE;
    let (offset, limit) = if is_plain { (0, 0) } else { (place(&ask.after)?, size) };
    let prices = Prices::of(engine, caller).await?;
    let price = |text: &str| amounts::read("price", text, prices.shown).ok().map(Money::amount);
    let chosen = |one: &str, several: &[String]| -> Vec<String> {
        match several.is_empty() && !one.is_empty() {
            true => vec![one.to_owned()],
            false => several.iter().take(CHOSEN_MAX).cloned().collect(),
        }
    };
    let query = Query {
        text: q.clone(),
        filters: Filters {
            categories: chosen(&ask.category, &ask.categories),
            brands: chosen("", &ask.brands),
            shops: chosen(&ask.shop, &ask.shops),
            facts: by_name(&ask.facts),
            rating: u64::from(ask.rating.min(5)) * 10,
            in_stock: ask.in_stock,
            price: (price(&ask.min_price), price(&ask.max_price)),
        },
        sort: match sort {
            "price_low" => Sort::PriceLow,
            "price_high" => Sort::PriceHigh,
            "rating" => Sort::Rating,
            "relevance" => Sort::Relevance,
            _ => Sort::Newest,
        },
        offset,
        limit,
        facets,
        typing: false,
        rates: prices.rates.clone(),
        synonyms: engine.search.synonyms(),
    };
    let answer = match answer(index, query).await {
        Ok(answer) => answer,
        Err(error) => {
            engine.search.failed(&error).await;
            return without_index(engine, caller, &ask).await;
        }
    };
    let page = if is_plain {
        catalog::read(engine, caller, &ask).await?
    } else {
        let ids: Vec<ProductId> =
            answer.ids.iter().map(|id| ProductId::from_uuid(uuid::Uuid::from_u128(*id))).collect();
        let mut items = catalog::cards(engine, caller, &ids).await?;
        if ask.in_stock {
            // The index learns of a sale a little later.
            items.retain(|card| card.in_stock);
        }
        let total = usize::try_from(answer.total).unwrap_or(usize::MAX);
        let end = offset + size;
        Page { items, next: (end < total && end < DEPTH_MAX).then(|| format!("{PLACE}{end}")) }
    };
    if facets && !q.is_empty() && ask.after.is_empty() && ask.sort.is_empty() && !ask.is_narrowed() {
        engine.search.count(&q, answer.total == 0, engine.clock.now_ms());
    }
    let spelling = answer.spelling.clone().map(|(q, applied)| Spelling { q, applied });
    let found = Found {
        total: i64::try_from(answer.total).unwrap_or(i64::MAX),
        some_words: answer.some_words,
        spelling,
        facets: if facets {
            named(engine, caller, &ask, answer, &prices).await?
        } else {
            ProductFacets::default()
        },
    };
    Ok(ProductResults { page, found: Some(found) })
}

/// What the database finds while the index is being built. Of the filters, it knows only those of the page: a list that
/// ignored the others would look like an answer.
async fn without_index(engine: &Engine, caller: &Caller, ask: &ListProducts) -> Result<ProductResults> {
    if ask.is_narrowed() {
        return Err(Error::Busy { retry_after_s: BUILT_S });
    }
    Ok(ProductResults { page: catalog::read(engine, caller, ask).await?, found: None })
}

/// Asks the index, away from the threads that serve requests: a hostile query may take a while.
async fn answer(index: Arc<Index>, query: Query) -> std::result::Result<Answer, SearchError> {
    let done = tokio::task::spawn_blocking(move || index.search(&query)).await;
    done.unwrap_or_else(|panic| Err(SearchError::Damaged(panic.to_string())))
}

/// The names of the values of facets.
async fn named(
    engine: &Engine,
    caller: &Caller,
    ask: &ListProducts,
    answer: Answer,
    prices: &Prices,
) -> Result<ProductFacets> {
    let facets = answer.facets;
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let given: Vec<[Value; 2]> = facets
        .categories
        .iter()
        .take(CATEGORIES_MAX)
        .map(|(slug, _)| [slug.as_str().into(), caller.locale.into()])
        .collect();
    let rows: Vec<CategoryRow> = engine.db.all_many(&FACET_CATEGORIES, &given).await?;
    let chosen = |slug: &str| slug == ask.category || ask.categories.iter().any(|one| one == slug);
    // The roots, what was chosen, and what is right below that.
    let is_shown = |row: &CategoryRow| {
        let mut above = row.path.trim_end_matches('/').rsplit('/').skip(1);
        match above.next() {
            None => ask.category.is_empty(),
            Some(parent) => chosen(parent) || (chosen(&row.slug) && row.slug != ask.category),
        }
    };
    let categories = facets.categories.iter().filter_map(|(slug, n)| {
        let row = rows.iter().find(|row| row.slug == *slug).filter(|row| is_shown(row))?;
        Some(FacetValue { value: slug.clone(), name: row.name.clone(), count: count(*n) })
    });
    let given: Vec<[Value; 1]> =
        facets.shops.iter().take(VALUES_MAX).map(|(handle, _)| [handle.as_str().into()]).collect();
    let rows: Vec<ShopRow> = engine.db.all_many(&FACET_SHOPS, &given).await?;
    let shops = facets.shops.iter().filter_map(|(handle, n)| {
        let row = rows.iter().find(|row| row.handle == *handle)?;
        Some(FacetValue { value: handle.clone(), name: row.name.clone(), count: count(*n) })
    });
    let brands = facets.brands.iter().map(|(brand, n)| FacetValue {
        value: brand.clone(),
        name: brand.clone(),
        count: count(*n),
    });
    let ratings = (1..=4u8).rev().zip(facets.ratings).map(|(stars, n)| FacetValue {
        value: stars.to_string(),
        name: stars.to_string(),
        count: count(n),
    });
    let asked = by_name(&ask.facts);
    let facts = facets.facts.into_iter().filter_map(|(name, values)| {
        let chosen = asked.iter().any(|(of, _)| *of == name);
        let value = |(value, n): (String, u64)| FacetValue {
            value: join(&name, &value),
            name: value,
            count: count(n),
        };
        // A single value narrows nothing down, and values that hardly any product shares are too many to choose from.
        let helps = values.len() > 1 && values[0].1 > 1;
        let values = values.into_iter().take(FACT_VALUES_MAX).map(value).collect();
        (chosen || helps).then(|| FactFacet { name: name.clone(), values })
    });
    let facts = facts.take(FACTS_MAX).collect();
    let money = |minor| Money::new(minor, prices.shown);
    Ok(ProductFacets {
        categories: categories.take(VALUES_MAX).collect(),
        brands: brands.take(VALUES_MAX).collect(),
        shops: shops.collect(),
        facts,
        ratings: ratings.filter(|value| value.count > 0).collect(),
        in_stock: count(facets.in_stock),
        prices: facets.price.map(|(low, high)| PriceSpan { lowest: money(low), highest: money(high) }),
    })
}

/// What separates the name and the value of an attribute in a filter.
const COLON: char = ':';

fn join(name: &str, value: &str) -> String {
    format!("{name}{COLON}{value}")
}

/// Filters by attributes, `Colour:Red`, by their names.
fn by_name(facts: &[String]) -> Vec<(String, Vec<String>)> {
    let mut by_name: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in facts.iter().take(CHOSEN_MAX).filter_map(|fact| fact.split_once(COLON)) {
        match by_name.iter_mut().find(|(of, _)| of == name) {
            Some((_, values)) => values.push(value.to_owned()),
            None => by_name.push((name.to_owned(), vec![value.to_owned()])),
        }
    }
    by_name
}

/// In which currency prices are compared: the one that is shown.
struct Prices {
    shown: Currency,
    rates: Vec<(String, i64, i64)>,
}

impl Prices {
    async fn of(engine: &Engine, caller: &Caller) -> Result<Self> {
        let own = engine.currency;
        let mut prices = Self { shown: own, rates: vec![(own.to_string(), 1, 1)] };
        if let Some(shown) = currencies::shown(engine, caller).await? {
            let (rate, to) = (shown.rate(), shown.currency());
            // Between minor units, whose number of decimals may differ.
            let tens = |n: u32| 10i64.checked_pow(n).unwrap_or(1);
            let numerator = rate.numerator.saturating_mul(tens(to.decimals()));
            let denominator = rate.denominator.saturating_mul(tens(own.decimals()));
            prices = Self {
                shown: to,
                rates: vec![(own.to_string(), numerator, denominator), (to.to_string(), 1, 1)],
            };
        }
        Ok(prices)
    }
}

/// Whether a cursor is that of a page of the index.
fn is_place(after: &str) -> bool {
    after.starts_with(PLACE)
}

fn place(after: &str) -> Result<usize> {
    if after.is_empty() {
        return Ok(0);
    }
    let place = after.strip_prefix(PLACE).and_then(|place| place.parse::<usize>().ok());
    place.filter(|place| *place <= DEPTH_MAX).ok_or_else(|| Error::field("after", FieldCode::BadCursor))
}

/// What could be meant by what is being typed: products, queries, categories and shops.
pub async fn suggest(engine: &Engine, caller: &Caller, q: &str) -> Result<Suggestions> {
    let q = text::clip(q, QUERY_MAX);
    if q.chars().count() < 2 {
        return Ok(Suggestions::default());
    }
    let mut suggestions = Suggestions::default();
    if let Some(index) = engine.search.ready() {
        let (typed, synonyms) = (q.clone(), engine.search.synonyms());
        let asked = move || {
            let query = Query {
                text: typed.clone(),
                limit: SUGGESTED,
                typing: true,
                synonyms: synonyms.clone(),
                ..Query::default()
            };
            Ok::<_, SearchError>((index.complete(&typed, SUGGESTED)?, index.search(&query)?.ids))
        };
        let done = tokio::task::spawn_blocking(asked).await;
        match done.unwrap_or_else(|panic| Err(SearchError::Damaged(panic.to_string()))) {
            Ok((queries, ids)) => {
                let ids: Vec<_> =
                    ids.into_iter().map(|id| ProductId::from_uuid(uuid::Uuid::from_u128(id))).collect();
                suggestions.products = catalog::cards(engine, caller, &ids).await?;
                suggestions.queries = queries;
            }
            Err(error) => engine.search.failed(&error).await,
        }
    }
    let folded = text::fold(&q);
    let pattern = crate::db::list::like(&folded);
    let most = i64::try_from(SUGGESTED).unwrap_or(i64::MAX);
    let categories: Vec<CategoryRow> =
        engine.db.all(&SUGGESTED_CATEGORIES, params![caller.locale, pattern.as_str(), most]).await?;
    suggestions.categories =
        categories.into_iter().map(|row| CategoryLink { slug: row.slug, name: row.name }).collect();
    let shops: Vec<ShopRow> = engine.db.all(&SUGGESTED_SHOPS, params![pattern.as_str(), most]).await?;
    suggestions.shops =
        shops.into_iter().map(|shop| ShopLink { handle: shop.handle, name: shop.name }).collect();
    Ok(suggestions)
}
