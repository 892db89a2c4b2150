//! The category tree: the list in its order, and the form of one category.

use haat_shared::{
    Error,
    categories::{CategoryEntry, CategoryForm, NEW_CATEGORY, languages, name_field},
    forms::Draft,
    routes::{self, CATEGORIES},
    taxes::STANDARD,
};
use leptos::prelude::*;

use super::{AdminPage, Part, announcements::language};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::query,
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, EmptyState, Field, LinkButton, PageTitle, Table, error_summary, loaded},
    words::{self, I18n},
};

/// The page of categories.
#[component]
pub(crate) fn Categories() -> impl IntoView {
    let i18n = use_i18n();
    let (edit, draft, done) = (query("edit"), query("draft"), query("done"));
    let found = api::find(
        move || (edit.get(), draft.get(), done.get()),
        |(edit, draft, done)| async move {
            Ok((api::catalog::category_tree().await?, draft_by("category", draft).await?, (edit, done)))
        },
    );
    let page = loaded(found, move |(tree, draft, (edit, done))| {
        let done = match done.as_str() {
            "add" => Some(t!(i18n, categories.added)),
            "save" => Some(t!(i18n, form.saved)),
            "up" | "down" => Some(t!(i18n, categories.moved)),
            "remove" => Some(t!(i18n, categories.removed)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let shown = tree.iter().find(|entry| entry.slug == edit).cloned();
        let page = match shown {
            None if edit != NEW_CATEGORY => list(i18n, tree),
            shown => one(i18n, shown, tree, draft),
        };
        view! {
            <PageTitle text=t!(i18n, categories.title) />
            <h1>{t!(i18n, categories.title)}</h1>
            <CodeAlert />
            {done}
            {page}
        }
    });
    view! { <AdminPage here=Part::Categories>{page}</AdminPage> }
}

fn edit_url(slug: &str) -> String {
    routes::with(CATEGORIES, &[("edit", slug)])
}

fn list(i18n: I18n, tree: Vec<CategoryEntry>) -> AnyView {
    let create = view! { <p class="actions"><LinkButton href=edit_url(NEW_CATEGORY)>{t!(i18n, categories.add)}</LinkButton></p> };
    if tree.is_empty() {
        let (title, note) = (t!(i18n, categories.none), t!(i18n, categories.none_note));
        return view! { {create} <EmptyState icon="box" title note /> }.into_any();
    }
    let columns = vec![
        (t!(i18n, commission.category), ""),
        (t!(i18n, taxes.category), "wide"),
        (t!(i18n, categories.products), "number"),
        (t!(i18n, categories.order), ""),
    ];
    let rows = tree.into_iter().map(|entry| {
        // Spaces show the level, and are not read out.
        let level = (entry.depth > 0).then(|| view! { <span>{"\u{a0}".repeat(4 * entry.depth)}</span> });
        let names = entry.names.iter().map(|name| name.name.clone()).collect::<Vec<_>>().join(" · ");
        let names = (!names.is_empty()).then(|| view! { <span class="note below">{names}</span> });
        let button = |action: &'static str, words: &'static str| {
            let label = format!("{words}: {}", entry.name);
            view! {
                <button type="submit" class="button quiet" name="action" value=action aria-label=label>{words}</button>
            }
        };
        view! {
            <tr>
                <th scope="row" translate="no">
                    <span class="with-picture">
                        {level}
                        <span>
                            <a class="row-link" href=edit_url(&entry.slug)>{entry.name.clone()}</a>
                            {names}
                        </span>
                    </span>
                </th>
                <td class="wide">{entry.tax_category.clone()}</td>
                <td class="number">{words::number(i18n, entry.products)}</td>
                <td>
                    <form method="post" action=CATEGORIES class="actions">
                        <input type="hidden" name="category" value=entry.slug.clone() />
                        {button("up", t!(i18n, categories.up))}
                        {button("down", t!(i18n, categories.down))}
                    </form>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <p class="lead">{t!(i18n, categories.lead)}</p>
        {create}
        <Table caption=t!(i18n, categories.title) columns>{rows}</Table>
    }
    .into_any()
}

/// The form of a category, or of a new one.
fn one(i18n: I18n, shown: Option<CategoryEntry>, tree: Vec<CategoryEntry>, draft: Draft) -> AnyView {
    let removing = draft.typed("action") == "remove";
    let edited = match (&draft.error, &shown) {
        (Some(_), _) if !removing => CategoryForm::read(|name| draft.typed(name)),
        (_, Some(shown)) => CategoryForm::of(shown),
        (_, None) => {
            CategoryForm { tax_category: STANDARD.to_owned(), ..CategoryForm::read(|_| String::new()) }
        }
    };
    let name_label = |of: &str| format!("{} ({})", t!(i18n, taxes.name), language(i18n, of));
    let mut labels = vec![("name".to_owned(), name_label("en"))];
    labels.extend(languages().map(|of| (name_field(of), name_label(of))));
    labels.extend(
        [
            ("slug", t!(i18n, categories.slug)),
            ("parent", t!(i18n, categories.parent)),
            ("tax_category", t!(i18n, taxes.category)),
            ("into", t!(i18n, categories.into)),
        ]
        .map(|(name, words)| (name.to_owned(), words.to_owned())),
    );
    let summary = draft.error.as_ref().map(|error| {
        let at = labels.into_iter().filter_map(|(name, label)| Some((name.clone(), label, error.at(&name)?)));
        error_summary(i18n, error, at.collect())
    });
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let CategoryForm { name, names, slug, parent, tax_category } = edited;
    let names = names.into_iter().map(|(of, name)| {
        let (field, label) = (name_field(&of), name_label(&of));
        view! { <Field name=field label value=name optional=true faults /> }
    });
    let names = names.collect_view();
    let own = shown.as_ref().map(|shown| shown.slug.clone()).unwrap_or_default();
    let new_slug = shown.is_none().then(|| {
        view! { <Field name="slug" label=t!(i18n, categories.slug) value=slug optional=true hint=t!(i18n, categories.slug_hint) faults /> }
    });
    // A category can't be below itself. The tree has each category right before what is below it.
    let here = tree.iter().position(|entry| entry.slug == own);
    let below = here.map_or(0..0, |here| {
        let depth = tree[here].depth;
        let end = tree[here + 1..].iter().position(|entry| entry.depth <= depth);
        here..end.map_or(tree.len(), |end| here + 1 + end)
    });
    let options = |chosen: String, without: std::ops::Range<usize>| {
        let fits = tree.iter().enumerate().filter(|(at, _)| !without.contains(at));
        let options = fits.map(|(_, entry)| {
            let name = format!("{}{}", "\u{2003}".repeat(entry.depth), entry.name);
            view! { <option value=entry.slug.clone() selected=entry.slug == chosen>{name}</option> }
        });
        options.collect_view()
    };
    let parents = options(parent, below);
    let into = here.map(|here| options(String::new(), here..here + 1));
    let remove = shown.map(|shown| {
        let into = (shown.products > 0).then(|| {
            view! {
                <div class="field">
                    <label for="into">{t!(i18n, categories.into)}</label>
                    <select id="into" name="into">
                        <option value="">{t!(i18n, categories.into_above)}</option>
                        {into}
                    </select>
                </div>
            }
        });
        view! {
            <details class="panel more-of" open=removing>
                <summary>{t!(i18n, categories.remove)}</summary>
                <form method="post" action=CATEGORIES class="form">
                    <input type="hidden" name="category" value=shown.slug />
                    <p>{t!(i18n, categories.remove_note)}</p>
                    {into}
                    <div class="actions">
                        <button type="submit" class="button danger" name="action" value="remove">{t!(i18n, categories.remove)}</button>
                    </div>
                </form>
            </details>
        }
    });
    let title = match own.is_empty() {
        true => t!(i18n, categories.add).to_owned(),
        false => name.clone(),
    };
    let link = (!own.is_empty())
        .then(|| view! { <p><a href=routes::category(&own)>{t!(i18n, categories.visit)}</a></p> });
    view! {
        <p class="back"><a href=CATEGORIES>{t!(i18n, categories.all)}</a></p>
        {summary}
        <form method="post" action=CATEGORIES class="panel form" novalidate aria-labelledby="category-title">
            <h2 id="category-title">{title}</h2>
            {link}
            <input type="hidden" name="category" value=own.clone() />
            <Field name="name" label=name_label("en") value=name required=true faults />
            {names}
            {new_slug}
            <div class="field">
                <label for="parent">{t!(i18n, categories.parent)}</label>
                <select id="parent" name="parent">
                    <option value="">{t!(i18n, categories.top)}</option>
                    {parents}
                </select>
                {move || faults.get().and_then(|error| error.at("parent")).map(|code| {
                    view! { <p class="field-error">{words::fault(i18n, "parent", code)}</p> }
                })}
            </div>
            <Field name="tax_category" label=t!(i18n, taxes.category) value=tax_category optional=true hint=t!(i18n, categories.tax_hint) faults />
            <div class="actions"><Button>{tu_string!(i18n, form.save)}</Button></div>
        </form>
        {remove}
    }
    .into_any()
}
