//! Tables with actions on all selected rows.

use leptos::{ev::Event, prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::{
    i18n::{t, tu_string, use_i18n},
    ui::{Columns, Table},
};

/// A table in a form that posts to `path`. Its rows begin with a checkbox named `id`; the bar with the actions
/// appears with the first selected one.
#[component]
pub(crate) fn Bulk(
    /// Where the form posts to.
    path: String,
    /// The URL of this page, to return to.
    back: String,
    /// The caption for screen readers.
    caption: &'static str,
    /// The columns after that of the checkboxes.
    columns: Columns,
    /// The buttons.
    actions: AnyView,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let ticked = RwSignal::new(0usize);
    let count = move |event: Event| {
        let Some(form) = event.current_target().and_then(|form| form.dyn_into::<web_sys::Element>().ok())
        else {
            return;
        };
        let all = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        let Ok(boxes) = form.query_selector_all("input[name=id]") else { return };
        let boxes =
            (0..boxes.length()).filter_map(|i| boxes.get(i)?.dyn_into::<web_sys::HtmlInputElement>().ok());
        let mut sum = 0;
        for each in boxes {
            if let Some(all) = all.as_ref().filter(|all| all.name() == "all") {
                each.set_checked(all.checked());
            }
            sum += usize::from(each.checked());
        }
        ticked.set(sum);
    };
    let columns = columns.behind((t!(i18n, seller_products.choose), "tick"));
    view! {
        <form method="post" action=path class="bulk" on:change=count>
            <input type="hidden" name="back" value=back />
            <label class="check live-only">
                <input type="checkbox" name="all" />
                {t!(i18n, seller_products.choose_all)}
            </label>
            <Table caption columns>{children()}</Table>
            <div class="save-bar">
                <p class="note" role="status">
                    {move || (ticked.get() > 0).then(|| tu_string!(i18n, seller_products.chosen, n = ticked.get()).to_string())}
                </p>
                {actions}
            </div>
        </form>
    }
}

/// The checkbox of a row.
pub(crate) fn tick(id: String, name: &str) -> impl IntoView + use<> {
    let name = tu_string!(use_i18n(), seller_products.choose_one, title = name).to_string();
    view! { <td class="tick"><input type="checkbox" name="id" value=id aria-label=name /></td> }
}
