//! Product imports: upload, check, and start.

use std::time::Duration;

use haat_shared::{
    catalog::imports::{
        FILE_BYTES_MAX, ImportState, ImportView, ImportsView, NumberQuestion, NumberReading, PriceSample,
        RowError,
    },
    id::kinds::ImportId,
    number::DecimalMark,
    routes,
};
use leptos::{prelude::*, task::spawn_local};

use super::{Dashboard, Part};
use crate::{
    api,
    i18n::{t, tn, tu_string, use_i18n},
    state::{param, query},
    ui::{self, Alert, Button, Check, CodeAlert, LinkButton, PageTitle, Select, Table, loaded},
    words,
};

/// How often the page polls the progress of an import.
const LOOK_AGAIN: Duration = Duration::from_millis(700);

/// The imports page.
#[component]
pub(crate) fn Import() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, id) = (param("handle"), query("id"));
    let found = api::find(
        move || (handle.get(), id.get()),
        |(handle, id)| async move { api::catalog::imports(handle.clone(), id).await.map(|view| (handle, view)) },
    );
    let page = loaded(found, move |(handle, ImportsView { open, faults, warnings, last })| {
        let products = Part::Products.path(&handle);
        let body = match open {
            Some(open) => view! { <Open handle=handle.clone() open faults warnings again=Callback::new(move |()| found.refetch()) /> }.into_any(),
            None => view! { <Send handle=handle.clone() /> <Last handle last /> }.into_any(),
        };
        view! {
            <PageTitle text=tu_string!(i18n, imports.title) />
            <p class="back"><a href=products>{t!(i18n, imports.back)}</a></p>
            <h1>{t!(i18n, imports.title)}</h1>
            <CodeAlert />
            <div class="import">{body}</div>
        }
    });
    view! { <Dashboard here=Part::Products>{page}</Dashboard> }
}

/// The page of one import.
fn page(handle: &str, id: ImportId) -> String {
    routes::with(&routes::import(handle), &[("id", &id.to_string())])
}

/// The upload form.
#[component]
fn Send(handle: String) -> impl IntoView {
    let i18n = use_i18n();
    let sending = RwSignal::new(false);
    let hint = tu_string!(i18n, imports.file_hint, mb = FILE_BYTES_MAX / 1024 / 1024);
    let marks = vec![
        ("", t!(i18n, imports.decimal_detect)),
        (DecimalMark::Point.as_str(), t!(i18n, imports.decimal_point)),
        (DecimalMark::Comma.as_str(), t!(i18n, imports.decimal_comma)),
    ];
    view! {
        <form method="post" action=routes::import(&handle) enctype="multipart/form-data" class="panel form" on:submit=move |_| sending.set(true)>
            <p class="note">{t!(i18n, imports.how)}</p>
            // The options come before the file, because the server ignores fields after it.
            <div>
                <Check name="set_stock" label=t!(i18n, imports.set_stock).to_owned() checked=false />
                <p class="note">{t!(i18n, imports.set_stock_hint)}</p>
            </div>
            <Select name="decimal_mark" label=t!(i18n, imports.decimal_mark) value="" options=marks />
            <div class="field">
                <label for="file">{t!(i18n, imports.file)}</label>
                <input id="file" type="file" name="file" required accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,.gz" aria-describedby="file-hint" />
                <p class="field-hint" id="file-hint">{hint}</p>
            </div>
            <div class="actions">
                <Button busy=sending disabled=sending>{t!(i18n, imports.send)}</Button>
                <p class="note">{t!(i18n, imports.send_note)}</p>
            </div>
        </form>
    }
}

/// Recent imports.
#[component]
fn Last(handle: String, last: Vec<ImportView>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = last.into_iter().map(|import| {
        view! {
            <tr>
                <th scope="row"><a class="row-link" href=page(&handle, import.id)>{import.file_name.clone()}</a></th>
                <td class="wide">{words::moment(i18n, &import.created_at)}</td>
                <td><span class=format!("state {}", look(&import))>{state(i18n, &import)}</span></td>
            </tr>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let columns =
        vec![(t!(i18n, imports.what), ""), (t!(i18n, imports.when), "wide"), (t!(i18n, imports.outcome), "")];
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="last">
                <h2 id="last">{t!(i18n, imports.last)}</h2>
                <Table caption=tu_string!(i18n, imports.last) columns>{rows}</Table>
            </section>
        }
    })
}

fn state(i18n: words::I18n, import: &ImportView) -> &'static str {
    match import.state {
        ImportState::Reading => t!(i18n, imports.reading),
        ImportState::Checked => t!(i18n, imports.checked),
        ImportState::Applying => t!(i18n, imports.applying),
        ImportState::Done => t!(i18n, imports.done),
        ImportState::Failed => t!(i18n, imports.failed),
        ImportState::Stopped => t!(i18n, imports.stopped),
    }
}

/// The same colours as for the corresponding states of products and orders.
fn look(import: &ImportView) -> &'static str {
    match import.state {
        ImportState::Reading | ImportState::Checked => "placed",
        ImportState::Applying => "confirmed",
        ImportState::Done => "published",
        ImportState::Failed => "cancelled",
        ImportState::Stopped => "archived",
    }
}

/// One import. While it is in progress, the page polls it.
#[component]
fn Open(
    handle: String,
    open: ImportView,
    faults: Vec<RowError>,
    warnings: i64,
    again: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (id, began_as) = (open.id, open.state);
    let list = routes::import_errors(&handle, id);
    let (errors, file_name) = ((open.faults - warnings).max(0), open.file_name.clone());
    let now = RwSignal::new(open);
    let of = handle.clone();
    Effect::new(move || {
        let import = now.get();
        if import.state != began_as {
            return again.run(());
        }
        if !import.is_moving() {
            return;
        }
        let (handle, id) = (of.clone(), id.to_string());
        set_timeout(
            move || {
                spawn_local(async move {
                    // Retry on network errors; stop polling once the user has left the page.
                    let fresh = api::catalog::imports(handle, id).await.ok().and_then(|view| view.open);
                    if let Some(same) = fresh.or_else(|| now.try_get_untracked()) {
                        let _ = now.try_set(same);
                    }
                });
            },
            LOOK_AGAIN,
        );
    });
    let body = match began_as {
        ImportState::Reading => view! { <Reading now handle=handle.clone() id /> }.into_any(),
        ImportState::Checked | ImportState::Failed => {
            view! { <Checked import=now.get_untracked() handle=handle.clone() /> }.into_any()
        }
        ImportState::Applying => view! { <Applying now handle=handle.clone() id /> }.into_any(),
        ImportState::Done | ImportState::Stopped => {
            view! { <Ended import=now.get_untracked() handle=handle.clone() /> }.into_any()
        }
    };
    view! {
        <section class="panel form" aria-labelledby="import">
            <h2 id="import">{file_name}</h2>
            {body}
        </section>
        <ImportErrors faults errors warnings list />
        <p><a href=routes::import(&handle)>{t!(i18n, imports.another)}</a></p>
    }
}

#[component]
fn Reading(now: RwSignal<ImportView>, handle: String, id: ImportId) -> impl IntoView {
    let i18n = use_i18n();
    let words = move || now.with(|n| tn!(i18n, imports.read_so_far, n.valid + n.invalid));
    view! {
        <progress aria-label=tu_string!(i18n, imports.progress_label)></progress>
        <p role="status">{words}</p>
        <noscript><a href=page(&handle, id)>{t!(i18n, imports.look)}</a></noscript>
    }
}

/// The result of the check, and the choice to import.
#[component]
fn Checked(import: ImportView, handle: String) -> impl IntoView {
    let i18n = use_i18n();
    let stop = (import.state == ImportState::Checked).then(|| {
        view! { <Choice handle=handle.clone() id=import.id action="stop">{t!(i18n, imports.drop)}</Choice> }
    });
    let ImportView { valid, new, changed, invalid, .. } = import;
    let same = valid - new - changed;
    let counted = match valid {
        0 => t!(i18n, imports.nothing).to_owned(),
        n => tn!(i18n, imports.counted, n, new = new, changed = changed, same = same),
    };
    let bad_ones = (invalid > 0).then(|| view! { <Alert>{tn!(i18n, imports.invalid, invalid)}</Alert> });
    // With warnings alone, every product of the file is imported.
    let words = match invalid + import.unread {
        0 => tn!(i18n, imports.start, valid),
        _ => tn!(i18n, imports.start_rest, valid),
    };
    let unread =
        (import.unread > 0).then(|| view! { <Alert>{tn!(i18n, imports.unread, import.unread)}</Alert> });
    let (question, id) = (import.question, import.id);
    let start = (valid > 0).then(|| {
        let question = question.map(|question| view! { <Question question /> });
        view! {
            <Choice handle=handle.clone() id action="start" above=question.into_any()>{words}</Choice>
        }
    });
    view! {
        <p>{counted}</p>
        {bad_ones}
        {unread}
        <Prices prices=import.prices />
        <div class="actions">
            {start}
            {stop}
        </div>
    }
}

/// The first prices, as shoppers will see them, so that the seller notices wrong ones.
#[component]
fn Prices(prices: Vec<PriceSample>) -> impl IntoView {
    let i18n = use_i18n();
    let columns = vec![
        (t!(i18n, seller_products.sku), ""),
        (t!(i18n, seller_products.name), "wide"),
        (t!(i18n, seller_products.price), "number"),
    ];
    let rows = prices.into_iter().map(|PriceSample { sku, title, price }| {
        view! {
            <tr>
                <th scope="row">{sku}</th>
                <td class="wide">{title}</td>
                <td class="number">{words::money(i18n, price)}</td>
            </tr>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    (!rows.is_empty()).then(|| {
        view! {
            <p>{t!(i18n, imports.prices)}</p>
            <Table caption=t!(i18n, imports.prices) columns>{rows}</Table>
        }
    })
}

/// A number that can be read two ways, with both values.
#[component]
fn Question(question: NumberQuestion) -> impl IntoView {
    let i18n = use_i18n();
    let NumberQuestion { line, column, found, point, comma, likely } = question;
    let label = tu_string!(i18n, imports.question, found = found, line = line, column = column).to_string();
    let read = |reading| match reading {
        NumberReading::Price(price) => words::money(i18n, price),
        NumberReading::Other(text) => text,
    };
    let options = vec![
        (DecimalMark::Point.as_str().to_owned(), read(point), t!(i18n, imports.decimal_point).to_owned()),
        (DecimalMark::Comma.as_str().to_owned(), read(comma), t!(i18n, imports.decimal_comma).to_owned()),
    ];
    // Preselected only if the file suggests it.
    let value = if likely == DecimalMark::Comma { likely.as_str() } else { "" };
    view! { <ui::Choice name="decimal_mark" label value options /> }
}

#[component]
fn Applying(now: RwSignal<ImportView>, handle: String, id: ImportId) -> impl IntoView {
    let i18n = use_i18n();
    let words = move || now.with(|n| tn!(i18n, imports.progress, n.valid, done = n.turns()));
    view! {
        <progress
            aria-label=tu_string!(i18n, imports.progress_label)
            max=move || now.with(|n| n.valid.to_string())
            value=move || now.with(|n| n.turns().to_string())
        ></progress>
        <p role="status">{words}</p>
        <p class="note">{t!(i18n, imports.goes_on)}</p>
        <div class="actions">
            <noscript><a class="button secondary" href=page(&handle, id)>{t!(i18n, imports.look)}</a></noscript>
            <Choice handle id action="stop">{t!(i18n, imports.stop)}</Choice>
        </div>
    }
}

#[component]
fn Ended(import: ImportView, handle: String) -> impl IntoView {
    let i18n = use_i18n();
    let ImportView { added, updated, unchanged, invalid, refused, .. } = import;
    let (look, words) = match import.state {
        ImportState::Done => (
            "good",
            tu_string!(i18n, imports.was_done, added = added, updated = updated, unchanged = unchanged)
                .to_string(),
        ),
        _ => ("info", tn!(i18n, imports.was_stopped, import.turns() - refused)),
    };
    let left_out =
        (invalid + refused > 0).then(|| view! { <p>{tn!(i18n, imports.left_out, invalid + refused)}</p> });
    view! {
        <Alert look>{words}</Alert>
        {left_out}
        <div class="actions">
            <LinkButton href=Part::Products.path(&handle)>{t!(i18n, imports.see)}</LinkButton>
        </div>
    }
}

/// A button that decides about an import.
#[component]
fn Choice(
    handle: String,
    id: ImportId,
    action: &'static str,
    /// The question to answer first.
    #[prop(optional)]
    above: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=routes::import_go(&handle, id)>
            <input type="hidden" name="action" value=action />
            {above}
            <Button look=if action == "start" { "primary" } else { "secondary" }>{children()}</Button>
        </form>
    }
}

/// How many errors there are, and how many warnings.
fn heading(i18n: words::I18n, errors: i64, warnings: i64) -> String {
    match (errors, warnings) {
        (errors, 0) => tu_string!(i18n, imports.faults, n = errors),
        (0, warnings) => tu_string!(i18n, imports.warnings, n = warnings),
        (errors, warnings) => tu_string!(i18n, imports.faults_and_warnings, n = errors, warnings = warnings),
    }
}

/// The first errors and warnings, and a link to all of them.
#[component]
fn ImportErrors(faults: Vec<RowError>, errors: i64, warnings: i64, list: String) -> impl IntoView {
    let i18n = use_i18n();
    if faults.is_empty() {
        return None;
    }
    let (shown, columns) = (
        faults.len() as i64,
        vec![
            (t!(i18n, imports.line), "number"),
            (t!(i18n, imports.column), ""),
            (t!(i18n, imports.found), "wide"),
            (t!(i18n, imports.why), ""),
        ],
    );
    let rows = faults.into_iter().map(|fault| {
        let why = words::import_problem(i18n, &fault);
        let column = match fault.column.as_str() {
            "" => t!(i18n, imports.whole).to_owned(),
            _ => fault.column,
        };
        let found =
            (!fault.found.is_empty()).then(|| view! { <code class="found">{fault.found.clone()}</code> });
        view! {
            <tr>
                <td class="number">{words::number(i18n, fault.line)}</td>
                <th scope="row">
                    {column}
                    <span class="narrow">{found}</span>
                </th>
                <td class="wide"><code class="found">{fault.found}</code></td>
                <td>{why}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let some = (errors + warnings > shown)
        .then(|| view! { <p class="note">{tu_string!(i18n, imports.some, n = shown)}</p> });
    let heading = heading(i18n, errors, warnings);
    Some(view! {
        <section class="panel" aria-labelledby="faults">
            <div class="back-office-head">
                <h2 id="faults">{heading.clone()}</h2>
                <a class="button secondary" rel="external" download href=list>{t!(i18n, imports.download)}</a>
            </div>
            {some}
            <Table caption=heading columns>{rows}</Table>
        </section>
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_shared::FieldCode;

    use super::*;

    #[test]
    fn warnings_are_told_from_errors() {
        let english = words::I18n::default();
        let headings = [(3, 0), (0, 1), (2, 1)].map(|(errors, warnings)| heading(english, errors, warnings));
        assert_eq!(headings, ["Errors (3)", "Warnings (1)", "Errors (2) and warnings (1)"]);
        for code in FieldCode::WARNINGS {
            let problem = words::import_problem(english, &RowError::new(2, "title", code, ""));
            assert!(problem.starts_with("Warning: "), "{problem}");
        }
        let error = words::import_problem(english, &RowError::new(2, "title", FieldCode::Formula, ""));
        assert!(!error.starts_with("Warning"), "{error}");
    }
}
