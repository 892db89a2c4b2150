//! The discount codes of a basket or checkout, and the field for another one.

use haat_shared::{gift_cards::AppliedGiftCard, promotions::Discount};
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
    /// The gift cards, which the field takes too, if `cards` is given.
    #[prop(optional)]
    cards: Option<Vec<AppliedGiftCard>>,
    /// Where the buttons submit the form.
    action: String,
    /// Why a code was refused when paying.
    #[prop(optional, into)]
    refused: Signal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let (error, typed, limit) = (query("error"), query("n"), query("limit"));
    let (coupons, offers): (Vec<_>, Vec<_>) =
        discounts.into_iter().partition(|discount| !discount.code.is_empty());
    // What is wrong with a code that was entered before is said beside it.
    let said = coupons.iter().filter_map(|of| Some(words::refusal(i18n, of.refusal?, of.limit)));
    let said: StoredValue<Vec<String>> = StoredValue::new(said.collect());
    let fault = move || {
        let of_page = || error.with(|code| words::refusal_of(i18n, code, &limit.read()));
        let words = refused.get().or_else(of_page);
        words.filter(|words| !typed.with(String::is_empty) || said.with_value(|said| !said.contains(words)))
    };
    // What applies by itself is among the totals, unless others apply instead.
    let displaced = offers.into_iter().filter(|offer| offer.refusal.is_some()).map(|offer| {
        view! { <p class="note">{t!(i18n, codes.displaced, offer = offer.label)}</p> }
    });
    let displaced = displaced.collect_view();
    let rows = coupons.into_iter().filter_map(|discount| {
        let id = discount.promotion_id?.to_string();
        let why = discount.refusal.map(|refusal| words::refusal(i18n, refusal, discount.limit));
        let why = why.map(|words| view! { <p class="field-error">{words}</p> });
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
    let mut rows: Vec<_> = rows.map(IntoAny::into_any).collect();
    let label = if cards.is_some() { t!(i18n, checkout.code) } else { t!(i18n, cart.code) };
    rows.extend(cards.unwrap_or_default().into_iter().map(|card| {
        let name = words::gift_card(i18n, &card.last4);
        let remove = t!(i18n, cart.remove_of, title = &name);
        view! {
            <li>
                <span>{name}</span>
                " "
                <button type="submit" class="button quiet" formaction=action.clone() name="remove_card" value=card.id.to_string() aria-label=remove>
                    {t!(i18n, cart.remove)}
                </button>
            </li>
        }
        .into_any()
    }));
    let rows = (!rows.is_empty()).then(|| view! { <ul class="codes">{rows}</ul> });
    view! {
        {displaced}
        {rows}
        <div class="field" class:wrong=move || fault().is_some()>
            <label for="code">{label}</label>
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
