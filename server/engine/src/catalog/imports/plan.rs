//! What a batch of products would change in a shop, and its errors.

use std::collections::HashMap;

use super::{
    super::edit::{Named, changed, named},
    super::seller::{SellerProductRow, SellerVariantRow, editable, seller_products_sql, seller_variants_sql},
    record::{Item, Record, VariantRecord},
};
use crate::{
    TxResult,
    db::{Db, Value},
    random, rows, statements,
};
use haat_shared::{
    Currency, FieldCode, FieldError, amounts,
    catalog::{
        edit::{ProductDraft, ProductForm, ProductState, SellerProduct, VariantForm},
        imports::{NumberQuestion, NumberReading, RowError},
    },
    id::kinds::*,
    number::{DecimalMark, Hint, Notation},
    text,
};

statements! {
    KNOWN = "SELECT v.sku, v.product_id FROM variants v JOIN (VALUES [($1, $2)]) AS given
        ON v.shop_id = given.column1 AND v.sku = given.column2 AND NOT v.archived";
    SELLER_PRODUCTS = concat!(seller_products_sql!("FALSE"), "JOIN (VALUES [($1)]) AS given ON p.id = given.column1");
    VARIANTS = concat!(seller_variants_sql!(), "JOIN (VALUES [($1)]) AS given ON v.product_id = given.column1
        WHERE NOT v.archived ORDER BY v.product_id, v.position, v.id");
    CATEGORIES = "SELECT c.slug, c.id FROM categories c JOIN (VALUES [($1)]) AS given ON c.slug = given.column1";
}

rows! {
    struct KnownRow {
        sku: String,
        product_id: ProductId,
    }

    struct CategoryRow {
        slug: String,
        id: CategoryId,
    }

    struct VariantOfProduct {
        product_id: ProductId;
        variant: SellerVariantRow
    }
}

/// The shop to import into.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImportTarget {
    pub(super) shop: ShopId,
    pub(super) currency: Currency,
    pub(super) set_stock: bool,
    /// The file's number notation.
    pub(super) notation: Notation,
    /// The likely decimal separator, until one is chosen.
    pub(super) likely: DecimalMark,
}

/// A product before and after the import.
pub(super) struct Entry {
    pub(super) id: ProductId,
    /// The existing product; `None` for a new one.
    pub(super) before: Option<SellerProduct>,
    pub(super) draft: ProductDraft,
    pub(super) state: ProductState,
    pub(super) category: Option<CategoryId>,
    pub(super) variants: Vec<Named>,
    /// The names of the changed fields.
    pub(super) fields: Vec<String>,
    /// Whether it has numbers that can be read two ways.
    pub(super) doubtful: bool,
}

impl Entry {
    /// Whether there is anything to write.
    pub(super) fn differs(&self) -> bool {
        match &self.before {
            None => true,
            Some(before) => !self.fields.is_empty() || before.state != self.state,
        }
    }
}

/// The planned changes of a batch.
#[derive(Default)]
pub(super) struct ImportPlan {
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<RowError>,
    /// Whether each of the products is valid, in order.
    pub(super) holds: Vec<bool>,
    /// The first number that can be read two ways.
    pub(super) question: Option<NumberQuestion>,
    /// What the prices say about the file's decimal separator.
    pub(super) hints: Hints,
}

/// What the prices of a file say about its decimal separator, if nobody has chosen one.
#[derive(Default)]
pub(super) struct Hints {
    /// Whether one can only be read with a decimal comma.
    decimal_comma: bool,
    /// The first whose comma is taken for one of thousands.
    thousands: Option<NumberQuestion>,
}

impl Hints {
    /// Adds those of the products that follow.
    pub(super) fn and(self, more: Self) -> Self {
        Self {
            decimal_comma: self.decimal_comma || more.decimal_comma,
            thousands: self.thousands.or(more.thousands),
        }
    }

    /// What has to be asked, beside what is asked already: thousands are separated by commas in one place, and
    /// decimals in another. A decimal comma makes the others likely.
    pub(super) fn question(&self, asked: Option<NumberQuestion>) -> Option<NumberQuestion> {
        if !self.decimal_comma {
            return asked;
        }
        let asked = asked.or_else(|| self.thousands.clone());
        asked.map(|asked| NumberQuestion { likely: DecimalMark::Comma, ..asked })
    }

    fn of(items: &[Item], target: ImportTarget) -> Self {
        let ImportTarget { currency, notation, .. } = target;
        let mut hints = Self::default();
        if notation != Notation::Program {
            return hints;
        }
        for item in items {
            for (variant, line) in item.record.variants.iter().zip(&item.lines) {
                for (column, said) in [("price", &variant.price), ("compare_at", &variant.compare_at)] {
                    match said.as_deref().and_then(|said| amounts::hint(said, currency)) {
                        Some(Hint::DecimalComma) => hints.decimal_comma = true,
                        Some(Hint::Thousands) if hints.thousands.is_none() => {
                            let found = said.as_deref().unwrap_or_default();
                            let fault = RowError::new(*line, column, FieldCode::AmbiguousNumber, found);
                            hints.thousands = Some(asked(&fault, currency, DecimalMark::Comma));
                        }
                        _ => {}
                    }
                }
            }
        }
        hints
    }
}

/// A product being changed: the existing one, and its new form.
struct Open {
    id: ProductId,
    before: Option<SellerProduct>,
    form: ProductForm,
    state: ProductState,
    draft: Option<ProductDraft>,
    doubtful: bool,
}

/// Plans the changes of these products.
pub(super) async fn plan(db: &Db, target: ImportTarget, items: &[Item], now: i64) -> TxResult<ImportPlan> {
    let skus: Vec<[Value; 2]> = items
        .iter()
        .flat_map(|item| &item.record.variants)
        .map(|v| [target.shop.into(), v.sku.trim().into()])
        .collect();
    let known: Vec<KnownRow> = db.all_many(&KNOWN, &skus).await?;
    let mut ids: Vec<ProductId> = known.iter().map(|k| k.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known: HashMap<String, ProductId> = known.into_iter().map(|k| (k.sku, k.product_id)).collect();
    let mut open = opened(db, &ids).await?;
    let categories = categories(db, items, &open).await?;
    let mut plan = ImportPlan { hints: Hints::of(items, target), ..ImportPlan::default() };
    let into = Context { target, known, categories, now };
    for item in items {
        let (faults, question) = take(&mut open, item, &into);
        plan.holds.push(faults.is_empty());
        plan.faults.extend(faults);
        plan.question = plan.question.take().or(question);
    }
    let Context { categories, .. } = into;
    plan.entries = open.into_iter().filter_map(|open| entry(open, &categories, now)).collect();
    Ok(plan)
}

/// The products with these IDs, as their seller would edit them.
async fn opened(db: &Db, ids: &[ProductId]) -> TxResult<Vec<Open>> {
    let given: Vec<[Value; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
    let rows: Vec<SellerProductRow> = db.all_many(&SELLER_PRODUCTS, &given).await?;
    let mut variants: HashMap<ProductId, Vec<SellerVariantRow>> = HashMap::new();
    for row in db.all_many::<VariantOfProduct, 1>(&VARIANTS, &given).await? {
        variants.entry(row.product_id).or_default().push(row.variant);
    }
    let open = rows.into_iter().map(|row| {
        let variants = variants.remove(&row.id()).unwrap_or_default();
        let product = editable(row, variants);
        Open {
            id: product.id,
            form: product.form.clone(),
            state: product.state,
            before: Some(product),
            draft: None,
            doubtful: false,
        }
    });
    Ok(open.collect())
}

/// The IDs of all categories involved.
async fn categories(db: &Db, items: &[Item], open: &[Open]) -> TxResult<HashMap<String, CategoryId>> {
    let said = items.iter().filter_map(|item| item.record.category.as_deref());
    let mut slugs: Vec<&str> =
        said.chain(open.iter().map(|o| o.form.category.as_str())).map(str::trim).collect();
    slugs.sort_unstable();
    slugs.dedup();
    let given: Vec<[Value; 1]> = slugs.into_iter().filter(|s| !s.is_empty()).map(|s| [s.into()]).collect();
    let rows: Vec<CategoryRow> = db.all_many(&CATEGORIES, &given).await?;
    Ok(rows.into_iter().map(|row| (row.slug, row.id)).collect())
}

/// What is known about a shop before planning.
struct Context {
    target: ImportTarget,
    known: HashMap<String, ProductId>,
    categories: HashMap<String, CategoryId>,
    now: i64,
}

/// Applies a record to a product, or returns the errors. If numbers can be read two ways, one valid
/// reading is used for now, and the question is returned with it.
fn take(open: &mut Vec<Open>, item: &Item, into: &Context) -> (Vec<RowError>, Option<NumberQuestion>) {
    let ImportTarget { currency, notation, likely, .. } = into.target;
    let read = numbers(item, currency, notation);
    let Some(question) = read.1.iter().find(|f| f.code == FieldCode::AmbiguousNumber) else {
        return (lay(open, item, read, into, false), None);
    };
    let question = asked(question, currency, likely);
    let faults = lay(open, item, numbers(item, currency, Notation::Said(likely)), into, true);
    if faults.is_empty() {
        return (faults, Some(question));
    }
    let other = lay(open, item, numbers(item, currency, Notation::Said(likely.other())), into, true);
    // If the product is invalid under both readings, there is no need to ask.
    if other.is_empty() { (other, Some(question)) } else { (faults, None) }
}

/// The variants of a record with normalised numbers, and the errors.
fn numbers(item: &Item, currency: Currency, notation: Notation) -> (Vec<VariantRecord>, Vec<RowError>) {
    let mut faults = Vec::new();
    let mut read = |line: i64, column: &str, said: &mut Option<String>| {
        let Some(text) = said.as_mut().filter(|text| !text.trim().is_empty()) else { return };
        match number(column, text, currency, notation) {
            Ok(number) => *text = number,
            Err(code) => faults.push(RowError::new(line, column, code, text)),
        }
    };
    let variants = item.record.variants.iter().zip(&item.lines).map(|(variant, line)| {
        let mut variant = variant.clone();
        read(*line, "price", &mut variant.price);
        read(*line, "compare_at", &mut variant.compare_at);
        read(*line, "stock", &mut variant.stock);
        read(*line, "low_stock", &mut variant.low_stock);
        read(*line, "weight_g", &mut variant.weight_g);
        read(*line, "length_mm", &mut variant.length_mm);
        read(*line, "width_mm", &mut variant.width_mm);
        read(*line, "height_mm", &mut variant.height_mm);
        variant
    });
    let variants = variants.collect();
    (variants, faults)
}

fn number(column: &str, text: &str, currency: Currency, notation: Notation) -> Result<String, FieldCode> {
    match column {
        "price" | "compare_at" => amounts::read_as(text, currency, notation).map(|money| money.plain()),
        _ => text::whole_number_in(text, notation).map(|n| n.to_string()),
    }
}

/// The question about a number, with both readings as shoppers would see them.
fn asked(fault: &RowError, currency: Currency, likely: DecimalMark) -> NumberQuestion {
    let read = |mark| {
        let (text, notation) = (fault.found.as_str(), Notation::Said(mark));
        match fault.column.as_str() {
            "price" | "compare_at" => amounts::read_as(text, currency, notation).map(NumberReading::Price),
            column => number(column, text, currency, notation).map(NumberReading::Other),
        }
        .unwrap_or_else(|_| NumberReading::Other("–".into()))
    };
    NumberQuestion {
        line: fault.line,
        column: fault.column.clone(),
        found: fault.found.clone(),
        point: read(DecimalMark::Point),
        comma: read(DecimalMark::Comma),
        likely,
    }
}

/// Applies a record to a product, or returns the errors.
fn lay(
    open: &mut Vec<Open>,
    item: &Item,
    (variants, no_numbers): (Vec<VariantRecord>, Vec<RowError>),
    Context { target, known, categories, now }: &Context,
    doubtful: bool,
) -> Vec<RowError> {
    let record = &item.record;
    let owners = || record.variants.iter().map(|v| known.get(v.sku.trim()));
    let owner = owners().flatten().next();
    let of_others =
        owners().zip(&record.variants).zip(&item.lines).filter(|((o, _), _)| o.is_some() && *o != owner);
    let of_others: Vec<RowError> = of_others
        .map(|((_, variant), line)| RowError::new(*line, "sku", FieldCode::OfAnother, &variant.sku))
        .collect();
    if !of_others.is_empty() {
        return of_others;
    }
    let at = owner.and_then(|owner| open.iter().position(|o| o.id == *owner));
    let old = at.map(|at| &open[at]);
    let mut form = old.map(|o| o.form.clone()).unwrap_or_default();
    lay_over(&mut form, record, &variants, target.set_stock);
    let state = match record.state.as_deref().map(|state| ProductState::parse(state.trim())) {
        None => Ok(old.map_or(ProductState::Draft, |o| o.state)),
        Some(state) => state.ok_or(FieldError::new("state", FieldCode::NotAChoice)),
    };
    let (mut faults, draft) = match form.check(target.currency) {
        Ok(draft) => (Vec::new(), Some(draft)),
        Err(faults) => (faults, None),
    };
    if let Err(fault) = &state {
        faults.push(fault.clone());
    }
    if record.category.is_some()
        && !form.category.trim().is_empty()
        && !categories.contains_key(form.category.trim())
    {
        faults.push(FieldError::new("category", FieldCode::NotAChoice));
    }
    let before = old.and_then(|o| o.before.as_ref());
    for (i, held) in before.iter().flat_map(|before| &before.held).enumerate() {
        // Stock held for open checkouts is still on hand.
        if form.variants[i].stock.trim().parse::<i64>().is_ok_and(|stock| stock < *held) {
            faults.push(FieldError::new(format!("variants.{i}.stock"), FieldCode::TooSmall));
        }
    }
    let (Some(draft), Ok(state), true, true) = (draft, state, faults.is_empty(), no_numbers.is_empty())
    else {
        let reported =
            |fault: &RowError| no_numbers.iter().any(|n| (n.line, &n.column) == (fault.line, &fault.column));
        let faults = faults.into_iter().map(|fault| at_line(fault, item, &form));
        let mut faults: Vec<RowError> = faults.filter(|fault| !reported(fault)).collect();
        faults.extend(no_numbers);
        return faults;
    };
    let draft = Some(draft);
    match at {
        Some(at) => {
            let open = &mut open[at];
            (open.form, open.state, open.draft) = (form, state, draft);
            open.doubtful |= doubtful;
        }
        None => open.push(Open { id: random::id(*now), before: None, form, state, draft, doubtful }),
    }
    Vec::new()
}

fn lay_over(form: &mut ProductForm, record: &Record, variants: &[VariantRecord], set_stock: bool) {
    let set = |field: &mut String, said: &Option<String>| {
        if let Some(said) = said {
            field.clone_from(said);
        }
    };
    let Record { title, brand, category, description, details, options, state: _, variants: _ } = record;
    set(&mut form.title, title);
    set(&mut form.brand, brand);
    set(&mut form.category, category);
    set(&mut form.description, description);
    if let Some(details) = details {
        form.attributes.clone_from(details);
    }
    if let Some(options) = options {
        form.options.clone_from(options);
    }
    for said in variants {
        let VariantRecord { sku, options, title, price, compare_at, stock, low_stock, .. } = said;
        let known = form.variants.iter().position(|v| v.sku == sku.trim());
        let at = known.unwrap_or_else(|| {
            form.variants.push(VariantForm { sku: sku.clone(), stock: "0".into(), ..VariantForm::default() });
            form.variants.len() - 1
        });
        let variant = &mut form.variants[at];
        if let Some(options) = options {
            variant.options.clone_from(options);
        }
        set(&mut variant.title, title);
        set(&mut variant.price, price);
        set(&mut variant.compare_at, compare_at);
        set(&mut variant.low_stock, low_stock);
        set(&mut variant.weight_g, &said.weight_g);
        set(&mut variant.length_mm, &said.length_mm);
        set(&mut variant.width_mm, &said.width_mm);
        set(&mut variant.height_mm, &said.height_mm);
        if set_stock || variant.id.is_none() {
            set(&mut variant.stock, stock);
        }
    }
}

/// Converts a form error to an error at a line and column of the file.
fn at_line(fault: FieldError, item: &Item, form: &ProductForm) -> RowError {
    let mut parts = fault.field.split('.');
    let (first, nth) = (parts.next().unwrap_or_default(), parts.next().and_then(|n| n.parse::<usize>().ok()));
    let record = &item.record;
    let whole = item.lines.first().copied().unwrap_or_default();
    match (first, nth) {
        ("variants", Some(nth)) => {
            let (part, value) =
                (parts.next().unwrap_or("sku"), parts.next().and_then(|n| n.parse::<usize>().ok()));
            let variant = form.variants.get(nth).cloned().unwrap_or_default();
            let line =
                record.variants.iter().zip(&item.lines).find(|(v, _)| v.sku.trim() == variant.sku.trim());
            let line = line.map_or(whole, |(_, line)| *line);
            match part {
                "options" => {
                    let value = value.unwrap_or_default();
                    let found = variant.options.get(value).map_or("", String::as_str);
                    RowError::new(line, &format!("option{}_value", value + 1), fault.code, found)
                }
                "title" => RowError::new(line, "variant_title", fault.code, &variant.title),
                "price" => RowError::new(line, part, fault.code, &variant.price),
                "compare_at" => RowError::new(line, part, fault.code, &variant.compare_at),
                "stock" => RowError::new(line, part, fault.code, &variant.stock),
                "low_stock" => RowError::new(line, part, fault.code, &variant.low_stock),
                "weight_g" => RowError::new(line, part, fault.code, &variant.weight_g),
                "length_mm" => RowError::new(line, part, fault.code, &variant.length_mm),
                "width_mm" => RowError::new(line, part, fault.code, &variant.width_mm),
                "height_mm" => RowError::new(line, part, fault.code, &variant.height_mm),
                _ => RowError::new(line, part, fault.code, &variant.sku),
            }
        }
        ("variants", None) => {
            let last = item.lines.last().copied().unwrap_or(whole);
            RowError::new(
                last,
                "sku",
                fault.code,
                &record.variants.last().map(|v| v.sku.clone()).unwrap_or_default(),
            )
        }
        ("options", nth) => {
            let nth = nth.unwrap_or_default();
            let found = form.options.get(nth).map_or("", String::as_str);
            RowError::new(whole, &format!("option{}_name", nth + 1), fault.code, found)
        }
        ("attributes", nth) => {
            let detail =
                nth.and_then(|nth| form.attributes.get(nth)).map(|d| format!("{}: {}", d.name, d.value));
            RowError::new(whole, "specifications", fault.code, &detail.unwrap_or_default())
        }
        _ => {
            let said = record.texts().into_iter().find(|(column, _)| *column == first);
            RowError::new(whole, first, fault.code, said.and_then(|(_, text)| text).unwrap_or_default())
        }
    }
}

/// A product with a record applied.
fn entry(open: Open, categories: &HashMap<String, CategoryId>, now: i64) -> Option<Entry> {
    let Open { id, before, state, draft, doubtful, .. } = open;
    let draft = draft?;
    let variants = named(&draft.variants, now);
    let fields = before.as_ref().map(|before| changed(&before.form, &draft, &variants)).unwrap_or_default();
    let category = categories.get(draft.category.as_str()).copied();
    Some(Entry { id, before, draft, state, category, variants, fields, doubtful })
}
