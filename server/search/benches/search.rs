//! `make bench-search`: how good and how fast the search is, on products and judgements from a folder (docs/search.md).
//!
//! Beside it, in the same process: BM25 over title and description with tantivy's defaults, and PostgreSQL's full-text search.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    missing_docs
)]

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    time::{Duration, Instant},
};

use haat_search::{Document, Filters, Index, Query};
use serde_json::Value;
use sqlx_core::{query_as::query_as, raw_sql::raw_sql};
use sqlx_postgres::{PgPool, Postgres};

/// Where the products and judgements are.
const DATA: &str = "HAAT_SEARCH_DATA";
/// The PostgreSQL of `scripts/with-postgres`.
const POSTGRES: &str = "HAAT_TEST_POSTGRES";
const SEED: u64 = 21;
const TOP: usize = 10;

struct Product {
    document: Document,
    key: String,
}

/// The ratings of products, by query.
type Judged = BTreeMap<String, HashMap<String, f64>>;

fn main() {
    let Ok(folder) = std::env::var(DATA) else {
        println!(
            "{DATA} is not set: skipped. It names the folder of icecat-products.jsonl.gz and icecat-judgements.csv."
        );
        return;
    };
    let folder = Path::new(&folder);
    let (products, judged) = (products(folder), judged(folder));
    println!(
        "{} products, {} judgements of {} queries",
        products.len(),
        judged.values().map(HashMap::len).sum::<usize>(),
        judged.len()
    );
    let typed: Vec<(String, String)> = judged.keys().map(|q| (q.clone(), mistyped(q))).collect();

    let place = tempfile::tempdir().unwrap();
    let (index, took) = built(place.path(), &products, products.len());
    println!("built in {:.1} s, {:.1} MB", took.as_secs_f64(), index.bytes() as f64 / 1e6);
    let keys: HashMap<u128, &str> = products.iter().map(|p| (p.document.id, p.key.as_str())).collect();
    let ours = |text: &str| -> Vec<String> {
        let query = Query { text: text.into(), limit: TOP, ..Query::default() };
        index.search(&query).unwrap().ids.iter().map(|id| keys[id].to_owned()).collect()
    };
    let clean = mean(&judged, |q| ours(q));
    let wrong: HashMap<&str, &str> = typed.iter().map(|(q, t)| (q.as_str(), t.as_str())).collect();
    let typos = mean(&judged, |q| ours(wrong[q]));
    println!("nDCG@10  haat {clean:.4}   with one edit {typos:.4} ({:.1} %)", 100.0 * typos / clean);
    if std::env::var_os("HAAT_SEARCH_QUERIES").is_some() {
        for (q, ratings) in &judged {
            let (found, with) = (ours(q), ours(wrong[q.as_str()]));
            println!(
                "{:.3} {:.3} {q} / {} {}",
                ndcg(&found, ratings),
                ndcg(&with, ratings),
                wrong[q.as_str()],
                found.len()
            );
        }
    }
    let plain = Plain::of(&products);
    let bm25 = mean(&judged, |q| plain.search(q));
    let bm25_typos = mean(&judged, |q| plain.search(wrong[q]));
    println!("nDCG@10  BM25 {bm25:.4}   with one edit {bm25_typos:.4}");
    let best = match std::env::var(POSTGRES) {
        Err(_) => {
            println!("{POSTGRES} is not set: no comparison with PostgreSQL");
            bm25
        }
        Ok(url) => {
            let [pg, pg_typos] = postgres(&url, &products, &judged, &wrong);
            println!("nDCG@10  ts_rank_cd {pg:.4}   with one edit {pg_typos:.4}");
            bm25.max(pg)
        }
    };
    println!("haat is {:+.1} % of the better one", 100.0 * (clean / best - 1.0));
    let queries: Vec<&str> = judged.keys().map(String::as_str).collect();
    latencies(&index, &queries, &typed);
    drop(index);
    let many = std::env::var("HAAT_SEARCH_MANY").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    if many > products.len() {
        let place = tempfile::tempdir().unwrap();
        let (index, took) = built(place.path(), &products, many);
        println!("built in {:.1} s, {:.1} MB", took.as_secs_f64(), index.bytes() as f64 / 1e6);
        latencies(&index, &queries, &typed);
    }
}

fn latencies(index: &Index, queries: &[&str], typed: &[(String, String)]) {
    println!("{} products:", index.len());
    let query = |text: &str, facets, filters: Filters| Query {
        text: text.into(),
        limit: 24,
        facets,
        filters,
        rates: vec![("EUR".into(), 1, 1)],
        ..Query::default()
    };
    let none = Filters::default;
    let stock = || Filters { in_stock: true, brands: vec!["HP".into()], ..Filters::default() };
    let report = |name: &str, work: &dyn Fn(&str)| {
        let mut times = Vec::new();
        for round in 0..6 {
            for (at, text) in queries.iter().enumerate() {
                let text = if name.contains("edit") { &typed[at].1 } else { *text };
                let begun = Instant::now();
                work(text);
                if round > 0 {
                    times.push(begun.elapsed());
                }
            }
        }
        times.sort();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
        println!("  {name:<28} p50 {:6.2} ms   p95 {:6.2} ms   max {:6.2} ms", at(50), at(95), at(100));
    };
    report("search", &|text| drop(index.search(&query(text, false, none())).unwrap()));
    report("search with facets", &|text| drop(index.search(&query(text, true, none())).unwrap()));
    report("with facets and two filters", &|text| drop(index.search(&query(text, true, stock())).unwrap()));
    report("with facets and one edit", &|text| drop(index.search(&query(text, true, none())).unwrap()));
    report("all products with facets", &|_| drop(index.search(&query("", true, none())).unwrap()));
    report("autocomplete", &|text| {
        // As typed so far: half of it.
        let begun: String = text.chars().take(text.chars().count().div_ceil(2).max(3)).collect();
        let query = Query { text: begun.clone(), limit: 5, typing: true, ..Query::default() };
        drop(index.search(&query).unwrap());
        drop(index.complete(&begun, 4).unwrap());
    });
}

fn built(folder: &Path, products: &[Product], count: usize) -> (Index, Duration) {
    let index = Index::open(folder).unwrap();
    let begun = Instant::now();
    let all: Vec<Document> = products
        .iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(at, product)| Document { id: at as u128 + 1, ..product.document.clone() })
        .collect();
    for batch in all.chunks(5_000) {
        index.apply(batch, &[]).unwrap();
    }
    (index, begun.elapsed())
}

fn products(folder: &Path) -> Vec<Product> {
    let file = File::open(folder.join("icecat-products.jsonl.gz")).expect("icecat-products.jsonl.gz");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let read = |(at, line): (usize, std::io::Result<String>)| {
        let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let attribute = |(name, value): (&String, &Value)| {
            let (kind, name) = name.strip_prefix("attr_")?.split_once('_')?;
            let name = name.replace('_', " ");
            Some(match (kind, value) {
                ("b", Value::Bool(true)) => (name, String::new()),
                ("n", Value::Number(n)) => (name, n.to_string()),
                ("t", Value::String(text)) => (name, text.clone()),
                _ => return None,
            })
        };
        let attributes: Vec<(String, String)> =
            row.as_object().unwrap().iter().filter_map(attribute).collect();
        // As many and as short as the market's.
        let short = |text: &str, most| (1..=most).contains(&text.chars().count());
        let facts = attributes.iter().filter(|(name, value)| short(name, 40) && short(value, 30));
        let facts = facts.take(30).cloned().collect();
        let codes = row["ean"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        Product {
            key: text("id"),
            document: Document {
                id: at as u128 + 1,
                title: text("title"),
                brand: text("supplier"),
                attributes,
                facts,
                description: text("short_description"),
                codes: codes.chain([text("name")]).collect(),
                categories: vec![(format!("c{}", at % 40), String::new())],
                shop: format!("shop-{}", at % 12),
                currency: "EUR".into(),
                price: row["price"].as_i64().unwrap_or_default(),
                in_stock: true,
                ..Document::default()
            },
        }
    };
    lines.enumerate().map(read).collect()
}

fn judged(folder: &Path) -> Judged {
    let mut judged = Judged::new();
    let rows = csv::Reader::from_path(folder.join("icecat-judgements.csv")).expect("icecat-judgements.csv");
    for row in rows.into_deserialize::<(String, String, f64)>() {
        let (query, product, rating) = row.unwrap();
        judged.entry(query).or_default().insert(product, rating);
    }
    judged
}

/// The query with one random edit in a word of five letters or more: another letter, one more, one less, or two the other way
/// round.
fn mistyped(query: &str) -> String {
    let mut state = SEED
        ^ query.bytes().fold(1_469_598_103_934_665_603, |hash: u64, b| {
            (hash ^ u64::from(b)).wrapping_mul(1_099_511_628_211)
        });
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut words: Vec<String> = query.split(' ').map(str::to_owned).collect();
    let letters = |word: &String| word.chars().count() >= 5 && word.chars().all(char::is_alphabetic);
    let long: Vec<usize> = (0..words.len()).filter(|at| letters(&words[*at])).collect();
    if long.is_empty() {
        return query.to_owned();
    }
    let word = &mut words[long[random(long.len())]];
    let mut chars: Vec<char> = word.chars().collect();
    let letter = char::from(b'a' + random(26) as u8);
    match random(4) {
        0 => {
            let at = random(chars.len());
            chars[at] = letter;
        }
        1 => chars.insert(random(chars.len() + 1), letter),
        2 => drop(chars.remove(random(chars.len()))),
        _ => {
            let at = random(chars.len() - 1);
            chars.swap(at, at + 1);
        }
    }
    *word = chars.into_iter().collect();
    words.join(" ")
}

fn ndcg(found: &[String], ratings: &HashMap<String, f64>) -> f64 {
    let dcg = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains.take(TOP).enumerate().map(|(at, rating)| (rating.exp2() - 1.0) / (at as f64 + 2.0).log2()).sum()
    };
    let mut ideal: Vec<f64> = ratings.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let ideal = dcg(&mut ideal.into_iter());
    let gained = dcg(&mut found.iter().map(|key| ratings.get(key).copied().unwrap_or(0.0)));
    if ideal > 0.0 { gained / ideal } else { 0.0 }
}

fn mean(judged: &Judged, mut search: impl FnMut(&str) -> Vec<String>) -> f64 {
    let sum: f64 = judged.iter().map(|(query, ratings)| ndcg(&search(query), ratings)).sum();
    sum / judged.len() as f64
}

/// Title and description with tantivy's defaults.
struct Plain {
    index: tantivy::Index,
    key: tantivy::schema::Field,
    texts: Vec<tantivy::schema::Field>,
}

impl Plain {
    fn of(products: &[Product]) -> Self {
        use tantivy::schema::{STORED, STRING, Schema, TEXT};
        let mut builder = Schema::builder();
        let key = builder.add_text_field("key", STRING | STORED);
        let texts = vec![builder.add_text_field("title", TEXT), builder.add_text_field("description", TEXT)];
        let index = tantivy::Index::create_in_ram(builder.build());
        let mut writer: tantivy::IndexWriter = index.writer_with_num_threads(1, 50_000_000).unwrap();
        for product in products {
            let mut doc = tantivy::TantivyDocument::default();
            doc.add_text(key, &product.key);
            doc.add_text(texts[0], &product.document.title);
            doc.add_text(texts[1], &product.document.description);
            writer.add_document(doc).unwrap();
        }
        writer.commit().unwrap();
        Self { index, key, texts }
    }

    fn search(&self, text: &str) -> Vec<String> {
        use tantivy::{TantivyDocument, collector::TopDocs, query::QueryParser, schema::Value as _};
        let (query, _) = QueryParser::for_index(&self.index, self.texts.clone()).parse_query_lenient(text);
        let searcher = self.index.reader().unwrap().searcher();
        let top = searcher.search(&query, &TopDocs::with_limit(TOP).order_by_score()).unwrap();
        let key = |(_, at)| {
            let doc: TantivyDocument = searcher.doc(at).unwrap();
            doc.get_first(self.key).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        top.into_iter().map(key).collect()
    }
}

/// PostgreSQL's full-text search of title (weight A) and description (B), any of the words, best first.
fn postgres(url: &str, products: &[Product], judged: &Judged, wrong: &HashMap<&str, &str>) -> [f64; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = PgPool::connect(url).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        let run = "CREATE TEMPORARY TABLE texts (key TEXT, title TEXT, description TEXT)";
        raw_sql(run).execute(&mut *connection).await.unwrap();
        for batch in products.chunks(5_000) {
            let part = |of: fn(&Product) -> &str| batch.iter().map(|p| of(p).to_owned()).collect::<Vec<String>>();
            sqlx_core::query::query::<Postgres>("INSERT INTO texts SELECT * FROM unnest($1, $2, $3)")
                .bind(part(|p| &p.key))
                .bind(part(|p| &p.document.title))
                .bind(part(|p| &p.document.description))
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        raw_sql(
            "ALTER TABLE texts ADD COLUMN found tsvector;
            UPDATE texts SET found = setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B');
            CREATE INDEX ON texts USING gin (found); ANALYZE texts",
        )
        .execute(&mut *connection)
        .await
        .unwrap();
        // All words, and any of them: the better one is taken.
        let all = "SELECT key FROM texts, plainto_tsquery('english', $1) q WHERE found @@ q ORDER BY ts_rank_cd(found, q) DESC, key LIMIT 10";
        let any = "SELECT key FROM texts, to_tsquery('english', replace(plainto_tsquery('english', $1)::text, '&', '|')) q
            WHERE found @@ q ORDER BY ts_rank_cd(found, q) DESC, key LIMIT 10";
        let mut best = [0.0f64; 2];
        for sql in [all, any] {
            let mut sums = [0.0; 2];
            for (query, ratings) in judged {
                for (sum, text) in sums.iter_mut().zip([query.as_str(), wrong[query.as_str()]]) {
                    let rows: Vec<(String,)> =
                        query_as::<Postgres, _>(sql).bind(text).fetch_all(&mut *connection).await.unwrap();
                    let found: Vec<String> = rows.into_iter().map(|row| row.0).collect();
                    *sum += ndcg(&found, ratings);
                }
            }
            for (best, sum) in best.iter_mut().zip(sums) {
                *best = best.max(sum / judged.len() as f64);
            }
        }
        best
    })
}
