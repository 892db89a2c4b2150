//! The rates of the marketplace's commission.

use haat_shared::{
    Error,
    commissions::{CommissionRates, RateOf},
    routes::COMMISSION,
};
use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::query,
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, ErrorSummary, Field, PageTitle, Table, loaded},
    words::{self, I18n},
};

/// The page of rates.
#[component]
pub(crate) fn Commission() -> impl IntoView {
    let i18n = use_i18n();
    let (done, draft) = (query("done"), query("draft"));
    let found = api::find(
        move || (draft.get(), done.get()),
        |(draft, done)| async move {
            Ok((api::shops::commission().await?, draft_by("commission", draft).await?, done))
        },
    );
    let page = loaded(found, move |((rates, tree), draft, done)| {
        let CommissionRates { usual_bp, categories, shops } = rates;
        let done = (!done.is_empty()).then(|| view! { <Alert look="good">{t!(i18n, form.saved)}</Alert> });
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
        let of = draft.typed("of");
        let typed = move |form: &str, name: &str| if of == form { draft.typed(name) } else { String::new() };
        let at = |form: &str| match typed(form, "of").is_empty() {
            true => Signal::stored(None),
            false => faults,
        };
        let percent = t!(i18n, taxes.percent);
        let labels = vec![
            ("percent", percent.to_owned()),
            ("category", t!(i18n, commission.category).to_owned()),
            ("shop", t!(i18n, commission.shop).to_owned()),
        ];
        let usual = match typed("usual", "of").is_empty() {
            true => words::percent(usual_bp),
            false => typed("usual", "percent"),
        };
        let chosen = typed("category", "category");
        let options = tree.into_iter().map(|link| {
            let selected = link.slug == chosen;
            view! { <option value=link.slug selected=selected>{link.name}</option> }
        });
        let options = options.collect_view();
        view! {
            <PageTitle text=t!(i18n, commission.title) />
            <p class="back"><a href=Part::Shops.path()>{t!(i18n, admin.all_shops)}</a></p>
            <h1>{t!(i18n, commission.title)}</h1>
            <CodeAlert />
            {done}
            <ErrorSummary faults labels />
            <p class="note">{t!(i18n, commission.about)}</p>
            <form method="post" action=COMMISSION class="panel form" novalidate aria-labelledby="usual">
                <h2 id="usual">{t!(i18n, commission.usual)}</h2>
                <input type="hidden" name="of" value="usual" />
                <Field name="percent" id="usual-percent" label=percent value=usual required=true keys="decimal" faults=at("usual") />
                <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
            </form>
            {list(i18n, "category", t!(i18n, commission.categories), categories)}
            <form method="post" action=COMMISSION class="panel form" novalidate aria-labelledby="of-category">
                <h2 id="of-category">{t!(i18n, commission.set_category)}</h2>
                <input type="hidden" name="of" value="category" />
                <div class="field">
                    <label for="category">{t!(i18n, commission.category)}</label>
                    <select id="category" name="category">{options}</select>
                </div>
                <Field name="percent" id="category-percent" label=percent value=typed("category", "percent") required=true keys="decimal" faults=at("category") />
                <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
            </form>
            {list(i18n, "shop", t!(i18n, commission.shops), shops)}
            <form method="post" action=COMMISSION class="panel form" novalidate aria-labelledby="of-shop">
                <h2 id="of-shop">{t!(i18n, commission.set_shop)}</h2>
                <input type="hidden" name="of" value="shop" />
                <Field name="shop" label=t!(i18n, commission.shop) value=typed("shop", "shop") required=true hint=t!(i18n, commission.shop_hint).to_owned() faults=at("shop") />
                <Field name="percent" id="shop-percent" label=percent value=typed("shop", "percent") required=true keys="decimal" faults=at("shop") />
                <div class="actions"><Button>{t!(i18n, form.save)}</Button></div>
            </form>
        }
    });
    view! { <AdminPage here=Part::Shops>{page}</AdminPage> }
}

/// The rates of categories or shops, each with a button that removes it.
fn list(i18n: I18n, of: &'static str, title: &'static str, rates: Vec<RateOf>) -> Option<AnyView> {
    if rates.is_empty() {
        return None;
    }
    let rows = rates.into_iter().map(|rate| {
        let note = t!(i18n, commission.remove_note, name = &rate.name);
        let remove =
            super::removal(i18n, COMMISSION, vec![("of", of.into()), (of, rate.of)], rate.name.clone(), note);
        view! {
            <tr>
                <th scope="row" translate="no">{rate.name}</th>
                <td class="number">{words::percent(rate.rate_bp)}"%"</td>
                <td>
                    {remove}
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns =
        vec![(t!(i18n, taxes.name), ""), (t!(i18n, taxes.rate), "number"), (t!(i18n, taxes.actions), "")];
    Some(
        view! {
            <section class="panel form">
                <h2>{title}</h2>
                <Table caption=title columns>{rows}</Table>
            </section>
        }
        .into_any(),
    )
}
