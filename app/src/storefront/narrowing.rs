//! How a list of products is narrowed down: filters with counts, all of them links, so that a list is its URL.

use haat_shared::{
    catalog::{
        ListProducts,
        facets::{FacetValue, Found},
    },
    routes,
};
use leptos::prelude::*;

use crate::{
    i18n::{t, tn, use_i18n},
    state::{queries, query, searched},
    ui::{Chip, LinkButton, chips},
    words::{self, I18n},
};

/// What the URL asks for.
pub(super) fn asked() -> impl Fn() -> ListProducts + Send + Sync + Clone + 'static {
    let (q, sort, after) = (searched(), query("sort"), query("after"));
    let (categories, brands, shops) = (queries("in"), queries("brand"), queries("shop"));
    let facts = queries("fact");
    let (rating, stock) = (query("rating"), query("stock"));
    let (min_price, max_price) = (query("min"), query("max"));
    move || ListProducts {
        q: q.get(),
        categories: categories.get(),
        brands: brands.get(),
        shops: shops.get(),
        facts: facts.get(),
        rating: rating.get().parse().unwrap_or_default(),
        in_stock: !stock.get().is_empty(),
        min_price: min_price.get(),
        max_price: max_price.get(),
        sort: sort.get(),
        after: after.get(),
        ..ListProducts::default()
    }
}

/// The URL of a list.
pub(super) fn address(path: &str, of: &ListProducts, after: &str) -> String {
    let mut parameters = of.parameters();
    parameters.push(("after", after.to_owned()));
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    routes::with(path, &parameters)
}

/// The list with a value, or without it if it has it.
fn toggled(values: &[String], value: &str) -> Vec<String> {
    match values.iter().any(|one| one == value) {
        true => values.iter().filter(|one| *one != value).cloned().collect(),
        false => values.iter().cloned().chain([value.to_owned()]).collect(),
    }
}

/// What products are narrowed down by, besides the price.
#[derive(Clone, Copy, PartialEq)]
enum Facet {
    Category,
    Brand,
    Shop,
    Fact,
    Rating,
    Stock,
}

impl Facet {
    /// Whether a value is chosen.
    fn is_set(self, of: &ListProducts, value: &str) -> bool {
        let among = |values: &[String]| values.iter().any(|one| one == value);
        match self {
            Self::Category => among(&of.categories),
            Self::Brand => among(&of.brands),
            Self::Shop => among(&of.shops),
            Self::Fact => among(&of.facts),
            Self::Rating => of.rating.to_string() == value,
            Self::Stock => of.in_stock,
        }
    }

    /// The list with a value chosen, or without if it is.
    fn toggled(self, of: &ListProducts, value: &str) -> ListProducts {
        let mut of = of.clone();
        match self {
            Self::Category => of.categories = toggled(&of.categories, value),
            Self::Brand => of.brands = toggled(&of.brands, value),
            Self::Shop => of.shops = toggled(&of.shops, value),
            Self::Fact => of.facts = toggled(&of.facts, value),
            Self::Rating => {
                let rating = value.parse().unwrap_or_default();
                of.rating = if of.rating == rating { 0 } else { rating };
            }
            Self::Stock => of.in_stock = !of.in_stock,
        }
        of
    }
}

/// What the index says about the query: another spelling, or that only some of its words were found.
pub(super) fn remarks(i18n: I18n, path: &str, of: &ListProducts, found: &Found) -> AnyView {
    let spelling = found.spelling.as_ref().map(|spelling| {
        let href = address(path, &ListProducts { q: spelling.q.clone(), ..of.clone() }, "");
        let words =
            if spelling.applied { t!(i18n, products.showing_for) } else { t!(i18n, products.did_you_mean) };
        view! { <p class="remark">{words} " " <a href=href><strong>{spelling.q.clone()}</strong></a></p> }
    });
    let some = found.some_words.then(|| view! { <p class="remark">{t!(i18n, products.some_words)}</p> });
    view! {
        {spelling}
        {some}
    }
    .into_any()
}

/// The filters of a list and those that are set.
pub(super) fn filters(path: &str, of: &ListProducts, found: &Found) -> AnyView {
    let i18n = use_i18n();
    let facets = &found.facets;
    let stars = |value: FacetValue| FacetValue {
        name: tn!(i18n, products.stars_up, value.name.parse::<i64>().unwrap_or_default()),
        ..value
    };
    let stock =
        FacetValue { value: "1".into(), name: t!(i18n, product.in_stock).into(), count: facets.in_stock };
    let stock = if facets.in_stock > 0 || of.in_stock { vec![stock] } else { Vec::new() };
    let ratings = facets.ratings.iter().cloned().map(stars).collect();
    let named = |words: &str| words.to_owned();
    let mut groups: Vec<(String, Vec<FacetValue>, Facet)> = vec![
        (named(t!(i18n, products.category)), facets.categories.clone(), Facet::Category),
        (named(t!(i18n, products.brand)), facets.brands.clone(), Facet::Brand),
        (named(t!(i18n, products.shop)), facets.shops.clone(), Facet::Shop),
    ];
    groups.extend(facets.facts.iter().map(|fact| (fact.name.clone(), fact.values.clone(), Facet::Fact)));
    groups.push((named(t!(i18n, products.rating)), ratings, Facet::Rating));
    groups.push((named(t!(i18n, products.availability)), stock, Facet::Stock));
    let mut active: Vec<Chip> = Vec::new();
    let mut shown = Vec::new();
    for (label, values, facet) in groups {
        let mut choices = Vec::new();
        for FacetValue { value, name, count } in values {
            let (href, set) = (address(path, &facet.toggled(of, &value), ""), facet.is_set(of, &value));
            if set {
                // `M` alone says nothing.
                let words = if facet == Facet::Fact { [&label, ": ", &name].concat() } else { name.clone() };
                active.push(Chip::filter(href.clone(), words, true));
            }
            choices.push(Chip::filter(href, name, set).counting(count));
        }
        if !choices.is_empty() {
            shown.push(view! {
                <h3>{label.clone()}</h3>
                {chips(label, choices)}
            });
        }
    }
    // What was chosen and is no longer among the results can be removed all the same.
    let gone = |set: &[String], known: &[FacetValue]| -> Vec<String> {
        set.iter().filter(|one| !known.iter().any(|value| value.value == **one)).cloned().collect()
    };
    let known: Vec<FacetValue> = facets.facts.iter().flat_map(|fact| fact.values.iter().cloned()).collect();
    let lost: [(Vec<String>, Facet); 4] = [
        (gone(&of.categories, &facets.categories), Facet::Category),
        (gone(&of.brands, &facets.brands), Facet::Brand),
        (gone(&of.shops, &facets.shops), Facet::Shop),
        (gone(&of.facts, &known), Facet::Fact),
    ];
    for (values, facet) in lost {
        for value in values {
            active.push(Chip::filter(address(path, &facet.toggled(of, &value), ""), value.clone(), true));
        }
    }
    for (bound, without) in [
        (&of.min_price, ListProducts { min_price: String::new(), ..of.clone() }),
        (&of.max_price, ListProducts { max_price: String::new(), ..of.clone() }),
    ] {
        if !bound.is_empty() {
            let words = [if *bound == of.min_price { "≥ " } else { "≤ " }, bound].concat();
            active.push(Chip::filter(address(path, &without, ""), words, true));
        }
    }
    let set = active.len();
    let clear = address(path, &of.widened(), "");
    let active = (set > 0).then(|| {
        view! {
            <div class="active-filters">
                {chips(t!(i18n, products.active), active)}
                <LinkButton look="quiet" href=clear>{t!(i18n, products.remove_filters)}</LinkButton>
            </div>
        }
    });
    let summary = match set {
        0 => t!(i18n, products.filters).to_owned(),
        n => [t!(i18n, products.filters), " (", &words::number(i18n, n as i64), ")"].concat(),
    };
    view! {
        <details class="filters">
            <summary>{summary}</summary>
            {shown}
            {prices(i18n, path, of, found)}
        </details>
        {active}
    }
    .into_any()
}

/// The form for the lowest and the highest price.
fn prices(i18n: I18n, path: &str, of: &ListProducts, found: &Found) -> AnyView {
    let set = !(of.min_price.is_empty() && of.max_price.is_empty());
    let Some(span) = found.facets.prices.filter(|span| set || span.lowest != span.highest) else {
        return ().into_any();
    };
    let kept = of.parameters().into_iter().filter(|(name, _)| !matches!(*name, "min" | "max"));
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    let bound = |name: &'static str, label: &'static str, value: &str, hint: String| {
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input id=name name=name inputmode="decimal" autocomplete="off" maxlength="20" value=value.to_owned() placeholder=hint />
            </div>
        }
    };
    view! {
        <h3>{t!(i18n, products.price)}</h3>
        <form method="get" action=path.to_owned() class="prices">
            {kept}
            {bound("min", t!(i18n, products.min_price), &of.min_price, words::money(i18n, span.lowest))}
            {bound("max", t!(i18n, products.max_price), &of.max_price, words::money(i18n, span.highest))}
            <button type="submit" class="button secondary">{t!(i18n, products.apply)}</button>
        </form>
    }
    .into_any()
}

/// The number of products.
pub(super) fn count(i18n: I18n, found: &Found) -> AnyView {
    view! { <p class="result-count">{tn!(i18n, shop.products, found.total)}</p> }.into_any()
}
