//! The discount codes of a basket or checkout, and the field for another one.

use haat_shared::promotions::{Discount, Refusal};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    state::query,
    words,
};

/// The codes and the field, which belong to the form around them. Its server applies a code that was typed, whichever
/// button was pressed.
#[component]
pub(super) fn Codes(
    discounts: Vec<Discount>,
    /// Where the buttons submit the form.
    action: String,
    /// Why a code was refused when paying.
    #[prop(optional, into)]
    refused: Signal<Option<Refusal>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (error, typed) = (query("error"), query("n"));
    let fault = move || {
        let refused = refused.get().map(|why| words::refusal(i18n, why));
        refused.or_else(|| error.with(|code| words::refusal_of(i18n, code)))
    };
    let rows = discounts.into_iter().filter(|discount| !discount.code.is_empty()).filter_map(|discount| {
        let id = discount.promotion_id?.to_string();
        let why = discount.refusal.map(|refusal| view! { <p class="field-error">{words::refusal(i18n, refusal)}</p> });
        let remove = t!(i18n, cart.remove_of, title = &discount.code);
        Some(view! {
            <li>
                <span translate="no">{discount.code}</span>
                " "
                <button type="submit" class="button quiet" formaction=action.clone() name="remove_code" value=id aria-label=remove>
                    {t!(i18n, cart.remove)}
                </button>
                {why}
            </li>
        })
    });
    let rows: Vec<_> = rows.collect();
    let rows = (!rows.is_empty()).then(|| view! { <ul class="codes">{rows}</ul> });
    view! {
        {rows}
        <div class="field" class:wrong=move || fault().is_some()>
            <label for="code">{t!(i18n, cart.code)}</label>
            <div class="code-field">
                <input
                    id="code"
                    name="code"
                    type="text"
                    autocomplete="off"
                    autocapitalize="characters"
                    spellcheck="false"
                    value=typed.get_untracked()
                    aria-invalid=move || fault().map(|_| "true")
                    aria-describedby=move || fault().map(|_| "code-error")
                />
                <button type="submit" class="button secondary" formaction=action name="action" value="code">
                    {t!(i18n, cart.apply)}
                </button>
            </div>
            {move || fault().map(|words| view! { <p class="field-error" id="code-error" role="alert">{words}</p> })}
        </div>
    }
}
