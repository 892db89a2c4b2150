//! What is around a list of the seller dashboard and the admin area: search and filter chips above, the number
//! of rows and further pages below.

use leptos::prelude::*;

use crate::{
    i18n::{t, tn, use_i18n},
    ui::{Icon, Pager, sorts},
    words,
};

/// The search above a list. It keeps the list's other filters.
pub fn search(
    path: String,
    q: &str,
    label: &'static str,
    kept: &[(&'static str, &str)],
) -> impl IntoView + use<> {
    let i18n = use_i18n();
    view! {
        <search>
            <form method="get" action=path class="list-search search-form">
                <label class="hidden" for="q">{label}</label>
                <input id="q" type="search" name="q" value=q.to_owned() placeholder=label autocomplete="off" maxlength=haat_shared::catalog::QUERY_MAX.to_string() />
                {hidden(kept)}
                <button type="submit" class="search-button" aria-label=t!(i18n, search.button)>
                    <Icon name="search" />
                </button>
            </form>
        </search>
    }
}

/// The other filters of a list, in a form.
fn hidden(kept: &[(&'static str, &str)]) -> impl IntoView + use<> {
    let kept = kept.iter().filter(|(_, value)| !value.is_empty());
    let kept =
        kept.map(|(name, value)| view! { <input type="hidden" name=*name value=(*value).to_owned() /> });
    kept.collect_view()
}

/// The sort orders of a list, for phones, which have no room for the columns by whose headings it is sorted. `at` is the
/// URL of the list in an order.
pub fn narrow_sorts(
    now: &str,
    options: &[(&'static str, &'static str)],
    at: &dyn Fn(String) -> String,
) -> AnyView {
    let choices = options.iter().map(|&(sort, words)| (at(sort.to_owned()), words, sort == now));
    view! { <div class="narrow-sorts">{sorts(choices.collect())}</div> }.into_any()
}

/// A filter above a list.
pub struct Chip {
    /// The URL of the list with this filter; if it is active, of the list without it.
    href: String,
    words: String,
    /// How many rows it lets pass.
    count: Option<i64>,
    current: bool,
    removable: bool,
}

impl From<(String, &'static str, bool)> for Chip {
    fn from((href, words, current): (String, &'static str, bool)) -> Self {
        Self { href, words: words.into(), count: None, current, removable: false }
    }
}

impl Chip {
    /// A filter that can be removed when it is active: then `href` is the URL without it.
    pub fn filter(href: String, words: impl Into<String>, current: bool) -> Self {
        Self { href, words: words.into(), count: None, current, removable: current }
    }

    /// With the number of rows that it lets pass.
    pub fn counting(self, count: i64) -> Self {
        Self { count: Some(count), ..self }
    }
}

/// Filter chips above a list, as links.
pub fn chips(label: impl Into<String>, choices: Vec<Chip>) -> AnyView {
    labelled(label.into(), choices).into_any()
}

fn labelled(label: String, choices: Vec<Chip>) -> impl IntoView {
    let i18n = use_i18n();
    let links = choices.into_iter().map(|Chip { href, words, count, current, removable }| {
        let count =
            count.map(|count| view! { " " <span class="chip-count">{words::number(i18n, count)}</span> });
        let remove = removable.then(|| {
            view! {
                <Icon name="close" />
                <span class="hidden">{t!(i18n, list.remove_filter)}</span>
            }
        });
        view! { <a class="chip" href=href aria-current=current.then_some("true")>{words}{count}{remove}</a> }
    });
    view! { <nav class="chips" aria-label=label>{links.collect_view()}</nav> }
}

/// How many rows a page of a list may have. The first is the default.
const SIZES: [usize; 3] = [50, 25, 100];

/// The number of rows from a query parameter; `None` for the default and what can't be chosen.
pub fn size(asked: &str) -> Option<usize> {
    asked.parse().ok().filter(|size| SIZES[1..].contains(size))
}

/// What is below a list: how many rows there are in all, how many of them a page has, and further pages.
#[component]
pub fn ListFoot(
    /// The number of rows, if it is known.
    total: Option<i64>,
    /// The number of rows on a page; `None` for the default.
    size: Option<usize>,
    /// The URL of the list with another number of rows on a page; empty for the default.
    at: impl Fn(String) -> String,
    /// The URL of the first page, if this is a later one.
    first: Option<String>,
    /// The URL of the next page, if there is one.
    next: Option<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let mut sizes = SIZES;
    sizes.sort_unstable();
    // There is nothing to choose if all rows fit on the shortest page.
    let long = total.map_or(next.is_some() || first.is_some(), |total| total > sizes[0] as i64);
    let sizes = long.then(|| {
        let links = sizes.map(|each| {
            let href = at(if each == SIZES[0] { String::new() } else { each.to_string() });
            let here = each == size.unwrap_or(SIZES[0]);
            view! { <li><a href=href aria-current=here.then_some("true")>{words::number(i18n, each as i64)}</a></li> }
        });
        view! {
            <nav class="sorts" aria-labelledby="page-size">
                <span id="page-size">{t!(i18n, list.rows)}</span>
                <ul>{links.into_iter().collect_view()}</ul>
            </nav>
        }
    });
    view! {
        <div class="list-foot">
            {total.map(|total| view! { <p class="note">{tn!(i18n, list.total, total)}</p> })}
            {sizes}
            <Pager first next next_words=t!(i18n, list.next) />
        </div>
    }
}
