//! The index: its fields, and how products get into it.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tantivy::{
    IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, Term,
    directory::MmapDirectory,
    indexer::IndexWriterOptions,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
    },
    tokenizer::{PreTokenizedString, Token},
};

use crate::{
    Answer, SearchError,
    analysis::{self, Word},
    spelling,
};

/// The name of the folder: another one for each layout, so that an index of another version of the program is left alone.
const LAYOUT: &str = "products-2";
/// How much a writer gathers before it writes to the disk.
const BUFFER: usize = 32 << 20;
/// How many nodes may share a folder; each has an index of its own.
const NODES_MAX: usize = 16;

/// A product as it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The product's ID, whose order is that of creation.
    pub id: u128,
    /// Says whether the product has changed since it was put into the index.
    pub stamp: u64,
    /// The title.
    pub title: String,
    /// The brand. May be empty.
    pub brand: String,
    /// The slugs and names of its category and of the ancestors, root first.
    pub categories: Vec<(String, String)>,
    /// Names and values of attributes and specifications.
    pub attributes: Vec<(String, String)>,
    /// Names and values of what products can be filtered by, besides the above. None contains a line break.
    pub facts: Vec<(String, String)>,
    /// The description.
    pub description: String,
    /// SKUs and barcodes.
    pub codes: Vec<String>,
    /// The handle of its shop.
    pub shop: String,
    /// The currency of the price.
    pub currency: String,
    /// The lowest price in minor units.
    pub price: i64,
    /// Whether it can be bought.
    pub in_stock: bool,
    /// The average rating in tenths of stars; 0 without reviews.
    pub rating: u64,
    /// How many were sold lately.
    pub sold: u64,
}

/// The fields of the index.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    /// The ID, by which products are replaced.
    id: Field,
    pub(crate) title: Field,
    pub(crate) brand: Field,
    pub(crate) category: Field,
    pub(crate) attributes: Field,
    pub(crate) description: Field,
    /// All words as they are written: what spelling and prefixes are looked up in.
    pub(crate) words: Field,
    /// Whole codes, and their pieces of three characters.
    pub(crate) codes: Field,
    pub(crate) pieces: Field,
    high: Field,
    low: Field,
    stamp: Field,
    brands: Field,
    categories: Field,
    shop: Field,
    facts: Field,
    currency: Field,
    price: Field,
    in_stock: Field,
    rating: Field,
    sold: Field,
}

/// The names of the columns.
pub(crate) mod column {
    pub(crate) const HIGH: &str = "high";
    pub(crate) const LOW: &str = "low";
    pub(crate) const STAMP: &str = "stamp";
    pub(crate) const BRANDS: &str = "brands";
    pub(crate) const CATEGORIES: &str = "categories";
    pub(crate) const SHOP: &str = "shop";
    pub(crate) const FACTS: &str = "facts";
    pub(crate) const CURRENCY: &str = "currency";
    pub(crate) const PRICE: &str = "price";
    pub(crate) const IN_STOCK: &str = "in_stock";
    pub(crate) const RATING: &str = "rating";
    pub(crate) const SOLD: &str = "sold";
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |record| {
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(record);
        TextOptions::default().set_indexing_options(indexing)
    };
    let found = text(IndexRecordOption::WithFreqsAndPositions);
    let looked_up = || {
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::Basic))
    };
    let facet = || TextOptions::default().set_fast("raw");
    let number = || NumericOptions::default().set_fast();
    let fields = Fields {
        id: builder.add_bytes_field("id", BytesOptions::default().set_indexed()),
        title: builder.add_text_field("title", found.clone()),
        brand: builder.add_text_field("brand", found.clone()),
        category: builder.add_text_field("category", found.clone()),
        attributes: builder.add_text_field("attributes", found.clone()),
        description: builder.add_text_field("description", found.clone()),
        words: builder.add_text_field("words", looked_up()),
        codes: builder.add_text_field("codes", looked_up()),
        pieces: builder.add_text_field("pieces", found),
        high: builder.add_u64_field(column::HIGH, number()),
        low: builder.add_u64_field(column::LOW, number()),
        stamp: builder.add_u64_field(column::STAMP, number()),
        brands: builder.add_text_field(column::BRANDS, facet()),
        categories: builder.add_text_field(column::CATEGORIES, facet()),
        shop: builder.add_text_field(column::SHOP, facet()),
        facts: builder.add_text_field(column::FACTS, facet()),
        currency: builder.add_text_field(column::CURRENCY, facet()),
        price: builder.add_i64_field(column::PRICE, number()),
        in_stock: builder.add_bool_field(column::IN_STOCK, number()),
        rating: builder.add_u64_field(column::RATING, number()),
        sold: builder.add_u64_field(column::SOLD, number()),
    };
    (builder.build(), fields)
}

/// An index of products.
pub struct Index {
    pub(crate) fields: Fields,
    pub(crate) reader: IndexReader,
    writer: Mutex<IndexWriter>,
    /// Counts of whole categories, as they are since the last commit.
    pub(crate) counted: Mutex<HashMap<String, Answer>>,
    /// Where it is; none in memory.
    folder: Option<PathBuf>,
}

impl Index {
    /// An empty index in memory.
    pub fn in_memory() -> Result<Self, SearchError> {
        let (schema, fields) = schema();
        Self::of(tantivy::Index::create_in_ram(schema), fields, None)
    }

    /// Opens the index of this node in a folder, or creates an empty one: each program that uses the folder has its own. What
    /// can't be opened, or isn't whole, is discarded.
    pub fn open(folder: &Path) -> Result<Self, SearchError> {
        let mut last = None;
        for node in 0..NODES_MAX {
            let own = folder.join(format!("{LAYOUT}-{node}"));
            match Self::open_own(&own) {
                Err(SearchError::Tantivy(tantivy::TantivyError::LockFailure(error, _))) => {
                    last = Some(SearchError::Shared(error.to_string()));
                }
                Err(error @ SearchError::Io(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, folder = %own.display(), "the search index is damaged and is built anew");
                    fs::remove_dir_all(&own)?;
                    return Self::open_own(&own);
                }
                opened => return opened,
            }
        }
        Err(last.unwrap_or_else(|| SearchError::Shared(String::new())))
    }

    fn open_own(folder: &Path) -> Result<Self, SearchError> {
        fs::create_dir_all(folder)?;
        let (schema, fields) = schema();
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = tantivy::Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .open_or_create(directory)?;
        // The lock comes first: nobody else's index is read or repaired.
        let opened = Self::of(index, fields, Some(folder.to_owned()))?;
        if let Some(damaged) = opened.damaged()? {
            return Err(SearchError::Damaged(damaged));
        }
        Ok(opened)
    }

    fn of(index: tantivy::Index, fields: Fields, folder: Option<PathBuf>) -> Result<Self, SearchError> {
        spelling::prepare();
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(BUFFER)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer = index.writer_with_options(options)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { fields, reader, writer: Mutex::new(writer), counted: Mutex::default(), folder })
    }

    /// What of it is damaged, by the checksums of its files.
    fn damaged(&self) -> Result<Option<String>, SearchError> {
        let files = self.reader.searcher().index().validate_checksum()?;
        Ok(files.into_iter().next().map(|file| file.display().to_string()))
    }

    /// The number of products.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether there are no products in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of its files.
    pub fn bytes(&self) -> u64 {
        let files = self.folder.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        let sizes = files.into_iter().flatten().filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
        sizes.sum()
    }

    /// The stamp of each product.
    pub fn stamps(&self) -> Result<HashMap<u128, u64>, SearchError> {
        let searcher = self.reader.searcher();
        let mut stamps = HashMap::with_capacity(searcher.num_docs() as usize);
        for segment in searcher.segment_readers() {
            let columns = segment.fast_fields();
            let (high, low) = (columns.u64(column::HIGH)?, columns.u64(column::LOW)?);
            let stamp = columns.u64(column::STAMP)?;
            for doc in segment.doc_ids_alive() {
                let part = |column: &tantivy::columnar::Column<u64>| column.first(doc).unwrap_or_default();
                stamps.insert(id_of(part(&high), part(&low)), part(&stamp));
            }
        }
        Ok(stamps)
    }

    /// Replaces or adds products, and removes others. They are found once this returns.
    pub fn apply(&self, put: &[Document], remove: &[u128]) -> Result<(), SearchError> {
        self.stage(put, remove)?;
        self.commit()
    }

    /// The same, but they are found only after [`Index::commit`].
    pub fn stage(&self, put: &[Document], remove: &[u128]) -> Result<(), SearchError> {
        self.change(|writer| {
            for id in put.iter().map(|document| document.id).chain(remove.iter().copied()) {
                writer.delete_term(Term::from_field_bytes(self.fields.id, &id.to_be_bytes()));
            }
            for document in put {
                writer.add_document(self.fields.document(document))?;
            }
            Ok(())
        })
    }

    /// Removes all products with the next commit. Until then, they are found.
    pub fn stage_clear(&self) -> Result<(), SearchError> {
        self.change(|writer| writer.delete_all_documents().map(drop))
    }

    /// Has what was staged found.
    pub fn commit(&self) -> Result<(), SearchError> {
        self.change(|writer| writer.commit().map(drop))?;
        self.reader.reload()?;
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Forgets what was staged.
    pub fn roll_back(&self) -> Result<(), SearchError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.rollback()?;
        Ok(())
    }

    fn change(&self, work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>) -> Result<(), SearchError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = work(&mut writer) {
            writer.rollback()?;
            return Err(error.into());
        }
        Ok(())
    }
}

/// How a name and a value are written in their column.
pub(crate) fn fact(name: &str, value: &str) -> String {
    [name, "\n", value].concat()
}

pub(crate) fn id_of(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

/// How far apart the values of a field are, so that no phrase spans two.
const APART: usize = 10;

impl Fields {
    fn document(&self, of: &Document) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_bytes(self.id, &of.id.to_be_bytes());
        let mut written: Vec<String> = Vec::new();
        let mut add = |doc: &mut TantivyDocument, field, texts: &mut dyn Iterator<Item = &str>| {
            let (mut tokens, mut offset) = (Vec::new(), 0);
            for text in texts {
                let words = analysis::words(text);
                let end = words.last().map_or(0, |word| word.place + APART);
                for Word { text, place, .. } in words {
                    tokens.push((analysis::stem(&text), offset + place));
                    written.push(text);
                }
                offset += end;
            }
            doc.add_pre_tokenized_text(field, tokenized(tokens));
        };
        add(&mut doc, self.title, &mut std::iter::once(of.title.as_str()));
        add(&mut doc, self.brand, &mut std::iter::once(of.brand.as_str()));
        add(&mut doc, self.category, &mut of.categories.iter().map(|(_, name)| name.as_str()));
        let attributes = of.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        add(&mut doc, self.attributes, &mut { attributes });
        add(&mut doc, self.description, &mut std::iter::once(of.description.as_str()));
        written.sort_unstable();
        written.dedup();
        doc.add_pre_tokenized_text(self.words, tokenized(written.into_iter().map(|word| (word, 0))));
        let codes: Vec<String> =
            of.codes.iter().map(|text| analysis::code(text)).filter(|c| !c.is_empty()).collect();
        let mut all = Vec::new();
        for (n, code) in codes.iter().enumerate() {
            // Codes are shorter than this.
            let offset = n * 100;
            all.extend(pieces(code, true).into_iter().enumerate().map(|(at, piece)| (piece, offset + at)));
        }
        doc.add_pre_tokenized_text(self.pieces, tokenized(all));
        doc.add_pre_tokenized_text(self.codes, tokenized(codes.into_iter().map(|code| (code, 0))));
        doc.add_u64(self.high, (of.id >> 64) as u64);
        doc.add_u64(self.low, of.id as u64);
        doc.add_u64(self.stamp, of.stamp);
        if !of.brand.is_empty() {
            doc.add_text(self.brands, &of.brand);
        }
        for (slug, _) in &of.categories {
            doc.add_text(self.categories, slug);
        }
        doc.add_text(self.shop, &of.shop);
        for (name, value) in &of.facts {
            doc.add_text(self.facts, fact(name, value));
        }
        doc.add_text(self.currency, &of.currency);
        doc.add_i64(self.price, of.price);
        doc.add_bool(self.in_stock, of.in_stock);
        doc.add_u64(self.rating, of.rating);
        doc.add_u64(self.sold, of.sold);
        doc
    }
}

/// The pieces of three characters of a code. Its beginning can be told from its middle.
pub(crate) fn pieces(code: &str, from_start: bool) -> Vec<String> {
    let marked: Vec<char> = from_start.then_some('^').into_iter().chain(code.chars()).collect();
    marked.windows(3).map(|piece| piece.iter().collect()).collect()
}

fn tokenized(words: impl IntoIterator<Item = (String, usize)>) -> PreTokenizedString {
    let tokens = words.into_iter().map(|(text, position)| Token { text, position, ..Token::default() });
    PreTokenizedString { text: String::new(), tokens: tokens.collect() }
}
