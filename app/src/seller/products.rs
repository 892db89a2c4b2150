//! A shop's products: search, filters, and bulk publishing and archiving.

use haat_shared::{
    catalog::edit::{ListSellerProducts, ProductState, SellerProductCard},
    id::kinds::ProductId,
    page::Counted,
    routes,
};
use leptos::prelude::*;

use super::{Dashboard, Part, chips, search};
use crate::{
    api,
    back_office::{Bulk, tick},
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, query, searched},
    ui::{
        self, Alert, Button, Chip, CodeAlert, Column, EmptyState, LinkButton, ListFoot, PageTitle, Picture,
        loaded, narrow_sorts,
    },
    words::{self, I18n},
};

const SORTS: [&str; 4] = ["newest", "title", "price", "stock"];

/// A shop's products.
#[component]
pub(crate) fn Products() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, q, state, low) = (param("handle"), searched(), query("state"), query("low"));
    let (sort, after, rows, done) = (query("sort"), query("after"), query("rows"), query("done"));
    let (n, undo) = (query("n"), query("undo"));
    let asked = move || ListSellerProducts {
        q: q.get(),
        state: state.get(),
        low: low.get() == "1",
        sort: sort.get(),
        after: after.get(),
        limit: rows.with(|rows| ui::size(rows)),
    };
    let found = api::find(
        move || (handle.get(), asked()),
        |(handle, of)| async move {
            api::catalog::seller_list(handle.clone(), of.clone()).await.map(|table| (handle, of, table))
        },
    );
    let list = loaded(found, move |(handle, of, table)| {
        let path = Part::Products.path(&handle);
        let start = ListSellerProducts { after: String::new(), ..of.clone() };
        let (new, import) = (routes::new_product(&handle), routes::import(&handle));
        let export = url(&routes::export(&handle), &start);
        let tools = tools(i18n, &path, &start, &table);
        let back = url(&path, &of);
        let list = if table.page.items.is_empty() {
            none(&handle, of.q.is_empty() && of.state.is_empty() && !of.low)
        } else {
            let foot = foot(&path, &of, &table);
            let rows = table.page.items.into_iter().map(|product| row(&handle, product)).collect_view();
            let now = if of.sort.is_empty() { SORTS[0] } else { &of.sort };
            let at = |sort| url(&path, &ListSellerProducts { sort, ..start.clone() });
            let sorted = |column: (&'static str, &'static str), by| Column::from(column).sorted(by, now, at);
            let columns = vec![
                sorted((t!(i18n, seller_products.product), ""), "title"),
                (t!(i18n, seller_products.variants), "number wide").into(),
                sorted((t!(i18n, seller_products.price), "number wide"), "price"),
                sorted((t!(i18n, seller_products.stock), "number"), "stock"),
                (t!(i18n, seller_orders.state), "wide").into(),
            ];
            let actions = view! {
                <button class="button secondary" name="action" value="publish">{t!(i18n, seller_products.publish)}</button>
                <button class="button secondary" name="action" value="archive">{t!(i18n, seller_products.archive)}</button>
            };
            let (back, caption) = (url(&path, &of), t!(i18n, seller_products.title));
            view! {
                <Bulk path=path.clone() back caption columns=columns.into() actions=actions.into_any()>{rows}</Bulk>
                {foot}
            }
            .into_any()
        };
        view! {
            <PageTitle text=tu_string!(i18n, seller_products.title) />
            <header class="back-office-head">
                <h1>{t!(i18n, seller_products.title)}</h1>
                <div class="actions">
                    <LinkButton href=import look="secondary">{t!(i18n, imports.import)}</LinkButton>
                    <a class="button secondary" rel="external" download href=export>{t!(i18n, imports.export)}</a>
                    <LinkButton href=new>{t!(i18n, seller_products.add)}</LinkButton>
                </div>
            </header>
            <CodeAlert />
            <DoneToAll what=done.get_untracked() n=n.get_untracked() undo=undo.get_untracked() back path=path.clone() />
            {tools}
            {list}
        }
    });
    view! { <Dashboard here=Part::Products>{list}</Dashboard> }
}

/// The URL of a list of products.
fn url(path: &str, of: &ListSellerProducts) -> String {
    let low = if of.low { "1" } else { "" };
    let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let asked = [
        ("q", of.q.as_str()),
        ("state", &of.state),
        ("low", low),
        ("sort", &of.sort),
        ("rows", &rows),
        ("after", &of.after),
    ];
    routes::with(path, &asked)
}

/// The search and the filters, from the first page of the list.
fn tools(
    i18n: I18n,
    path: &str,
    start: &ListSellerProducts,
    table: &Counted<SellerProductCard>,
) -> impl IntoView + use<> {
    let filtered =
        |state: &str, low| url(path, &ListSellerProducts { state: state.into(), low, ..start.clone() });
    let all = (filtered("", false), t!(i18n, seller_orders.all), start.state.is_empty() && !start.low);
    let states = ProductState::ALL.map(|state| {
        let (name, here) = (state.as_str(), start.state == state.as_str());
        let href = filtered(if here { "" } else { name }, start.low);
        Chip::filter(href, words::product_state(i18n, state), here).counting(table.count(name))
    });
    let low = filtered(&start.state, !start.low);
    let low = Chip::filter(low, t!(i18n, seller_products.low), start.low);
    let low = if start.low { low.counting(table.count(&start.state)) } else { low };
    let chosen: Vec<Chip> =
        std::iter::once(Chip::from(all).counting(table.count(""))).chain(states).chain([low]).collect();
    let rows = start.limit.map(|rows| rows.to_string()).unwrap_or_default();
    let kept = [
        ("state", start.state.as_str()),
        ("low", if start.low { "1" } else { "" }),
        ("sort", &start.sort),
        ("rows", &rows),
    ];
    let sorts = SORTS.map(|sort| {
        let words = match sort {
            "title" => t!(i18n, seller_products.sort_title),
            "price" => t!(i18n, seller_products.sort_price),
            "stock" => t!(i18n, seller_products.sort_stock),
            _ => t!(i18n, seller_products.sort_newest),
        };
        (sort, words)
    });
    let now = if start.sort.is_empty() { SORTS[0] } else { &start.sort };
    view! {
        <div class="list-tools">
            {search(path.to_owned(), &start.q, t!(i18n, seller_products.search), &kept)}
            {chips(t!(i18n, seller_orders.state), chosen)}
            {narrow_sorts(now, &sorts, &|sort| url(path, &ListSellerProducts { sort, ..start.clone() }))}
        </div>
    }
}

/// What is below the list.
fn foot(path: &str, of: &ListSellerProducts, table: &Counted<SellerProductCard>) -> AnyView {
    let start = ListSellerProducts { after: String::new(), ..of.clone() };
    let next = table.page.next.as_ref();
    let next = next.map(|after| url(path, &ListSellerProducts { after: after.clone(), ..start.clone() }));
    let first = (!of.after.is_empty()).then(|| url(path, &start));
    let total = Some(table.count(&of.state));
    let (size, path) = (of.limit, path.to_owned());
    let at = move |rows: String| url(&path, &ListSellerProducts { limit: ui::size(&rows), ..start.clone() });
    view! { <ListFoot total size at first next /> }.into_any()
}

/// The result of an action before a redirect.
#[component]
pub(super) fn Done(what: String) -> impl IntoView {
    let i18n = use_i18n();
    let words = match what.as_str() {
        "publish" => t!(i18n, seller_products.published),
        "archive" => t!(i18n, seller_products.archived),
        "delete" => t!(i18n, seller_products.deleted),
        "duplicate" => t!(i18n, seller_products.duplicated),
        "saved" => t!(i18n, form.saved),
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

/// The result of an action on the selected products, with a button that undoes it.
#[component]
fn DoneToAll(
    what: String,
    /// The number of products.
    n: String,
    /// What undoes the action; empty if nothing does.
    undo: String,
    /// The URL of the list.
    back: String,
    /// The path of the list.
    path: String,
) -> impl IntoView {
    let i18n = use_i18n();
    let Ok(n) = n.parse::<usize>() else { return view! { <Done what /> }.into_any() };
    if n == 0 {
        return view! { <Alert look="info">{t!(i18n, seller_products.none_chosen)}</Alert> }.into_any();
    }
    let words = match what.as_str() {
        "publish" => tn!(i18n, seller_products.n_published, n),
        "archive" => tn!(i18n, seller_products.n_archived, n),
        "undo" => tn!(i18n, seller_products.n_restored, n),
        _ => return ().into_any(),
    };
    let undo = (!undo.is_empty()).then(|| {
        view! {
            <form method="post" action=path class="inline-form">
                <input type="hidden" name="action" value="undo" />
                <input type="hidden" name="undo" value=undo />
                <input type="hidden" name="back" value=back />
                <button type="submit" class="button quiet">{t!(i18n, layout.undo)}</button>
            </form>
        }
    });
    view! { <Alert look="good">{words} " " {undo}</Alert> }.into_any()
}

fn none(handle: &str, at_all: bool) -> AnyView {
    let i18n = use_i18n();
    let (path, new) = (routes::seller_products(handle), routes::new_product(handle));
    if at_all {
        let (title, note) =
            (tu_string!(i18n, seller_products.none), tu_string!(i18n, seller_products.none_note));
        return view! {
            <EmptyState icon="box" title note>
                <LinkButton href=new>{t!(i18n, seller_products.add)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let (title, note) = (tu_string!(i18n, products.none), tu_string!(i18n, seller_products.no_matches));
    view! {
        <EmptyState icon="search" title note>
            <LinkButton href=path look="secondary">{t!(i18n, seller_orders.show_all)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

fn row(handle: &str, product: SellerProductCard) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let (id, href) = (product.id.to_string(), routes::seller_product(handle, product.id));
    let price = match product.price_varies {
        true => t!(i18n, products.from, price = product.price),
        false => words::money(i18n, product.price),
    };
    let tick = tick(id, &product.title);
    let low = product.low.then(|| {
        let words = match product.stock {
            ..=0 => t!(i18n, products.sold_out),
            _ => t!(i18n, seller_products.low_mark),
        };
        view! { <span class="state low">{words}</span> " " }
    });
    view! {
        <tr>
            {tick}
            <th scope="row">
                <span class="with-picture">
                    <span class="table-picture"><Picture of=product.picture title=product.title.clone() sizes="40px" /></span>
                    <span>
                        <a class="row-link" href=href>{product.title}</a>
                        <span class="note narrow"><span class="dots"><span>{price.clone()}</span> " " <span>{words::product_state(i18n, product.state)}</span></span></span>
                    </span>
                </span>
            </th>
            <td class="number wide">{words::number(i18n, product.variants)}</td>
            <td class="number wide">{price}</td>
            <td class="number">{low}{words::number(i18n, product.stock)}</td>
            <td class="wide"><span class=format!("state {}", product.state.as_str())>{words::product_state(i18n, product.state)}</span></td>
        </tr>
    }
}

/// Actions on one product, each with its own form.
#[component]
pub(super) fn Actions(
    handle: String,
    id: ProductId,
    title: String,
    state: ProductState,
    deletable: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let path = Part::Products.path(&handle);
    let page = routes::seller_product(&handle, id);
    let shelf = match state {
        ProductState::Published => ("archive", t!(i18n, seller_products.archive)),
        _ => ("publish", t!(i18n, seller_products.publish)),
    };
    let form = |action: &'static str, back: String, inside: AnyView| {
        view! {
            <form method="post" action=path.clone()>
                <input type="hidden" name="id" value=id.to_string() />
                <input type="hidden" name="back" value=back />
                <input type="hidden" name="action" value=action />
                {inside}
            </form>
        }
    };
    let actions = [shelf, ("duplicate", t!(i18n, seller_products.duplicate))];
    let forms = actions.map(|(action, words)| {
        let button = view! { <Button look="secondary">{words}</Button> };
        form(action, page.clone(), button.into_any())
    });
    // It cannot be undone, so it takes a second click.
    let delete = deletable.then(|| {
        let (words, note) =
            (t!(i18n, seller_products.delete), t!(i18n, seller_products.delete_note, title = title));
        let inside = view! {
            <p>{note}</p>
            <Button look="danger">{words}</Button>
        };
        view! {
            <details class="more-of">
                <summary>{words}</summary>
                {form("delete", path.clone(), inside.into_any())}
            </details>
        }
    });
    let (sales, prices) = (routes::product_sales(&handle, id), routes::product_prices(&handle, id));
    view! {
        <div class="actions">
            <a class="button secondary" href=sales>{t!(i18n, planned.title)}</a>
            <a class="button secondary" href=prices>{t!(i18n, seller_products.other_currencies)}</a>
            {forms.into_iter().collect_view()}
            {delete}
        </div>
    }
}
