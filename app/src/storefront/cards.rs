//! The saved cards of an account. They are at the payment gateway, which may not respond.

use haat_shared::{
    Error,
    cards::{CardValidity, SavedCard},
    routes,
};
use leptos::prelude::*;

use crate::{
    api::{self, ApiError},
    i18n::{t, tu_string, use_i18n},
    state::query,
    ui::{Alert, Button, EmptyState, LinkButton, PageTitle, loaded},
    words::{self, I18n},
};

/// The page of the saved cards.
#[component]
pub(super) fn Cards() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let done = query("done");
    let found = api::find(
        move || done.get(),
        |_| async {
            let enabled = api::cards::enabled().await?;
            match api::cards::list().await {
                // The page says so, and leads on.
                Err(ApiError(Error::Busy { .. })) => Ok((enabled, None)),
                cards => cards.map(|cards| (enabled, Some(cards))),
            }
        },
    );
    loaded(found, move |(enabled, cards)| {
        let removed = (done.get_untracked() == "remove")
            .then(|| view! { <Alert look="good">{t!(i18n, cards.removed)}</Alert> });
        let list = match cards {
            None => view! {
                <Alert>{t!(i18n, cards.unavailable)}</Alert>
                <LinkButton look="secondary" href=routes::CARDS>{t!(i18n, cards.again)}</LinkButton>
            }
            .into_any(),
            Some(cards) if cards.is_empty() => {
                let note = match enabled {
                    true => tu_string!(i18n, cards.none_note),
                    false => tu_string!(i18n, cards.off_note),
                };
                view! { <EmptyState icon="card" title=tu_string!(i18n, cards.none) note /> }.into_any()
            }
            Some(cards) => {
                let rows = cards.into_iter().map(|card| row(i18n, card)).collect_view();
                view! { <ul class="rows">{rows}</ul> }.into_any()
            }
        };
        let add = enabled.then(|| {
            view! {
                <form method="post" action=routes::CARDS class="form">
                    <input type="hidden" name="action" value="add" />
                    <p class="note">{t!(i18n, cards.add_note)}</p>
                    <div>
                        <Button>{t!(i18n, cards.add)}</Button>
                    </div>
                </form>
            }
        });
        view! {
            <PageTitle text=tu_string!(i18n, cards.title) />
            <div class="width page narrow">
                <p>
                    <a href=routes::ACCOUNT>{t!(i18n, account.title)}</a>
                </p>
                <h1>{t!(i18n, cards.title)}</h1>
                {removed}
                {list}
                {add}
            </div>
        }
    })
}

fn row(i18n: I18n, card: SavedCard) -> AnyView {
    let brand = words::card_brand(i18n, &card.brand);
    let name = t!(i18n, cards.name, brand = brand, last4 = card.last4.as_str());
    let until = format!("{:02}/{}", card.exp_month, card.exp_year);
    let (expiry, warning) = match card.validity {
        CardValidity::Expired => (t!(i18n, cards.expired_on, date = until), Some(t!(i18n, cards.expired))),
        CardValidity::ExpiresSoon => {
            (t!(i18n, cards.expires, date = until), Some(t!(i18n, cards.expires_soon)))
        }
        CardValidity::Valid => (t!(i18n, cards.expires, date = until), None),
    };
    let warning =
        warning.map(|words| view! { <span class=format!("state {}", card.validity.as_str())>{words}</span> });
    view! {
        <li class="row saved-card">
            <div>
                <strong>{name.clone()}</strong>
                <p class="note">{expiry}</p>
                {warning}
            </div>
            <details class="more-of">
                <summary>{t!(i18n, cards.remove)}<span class="hidden">" "{name}</span></summary>
                <form method="post" action=routes::CARDS class="form">
                    <input type="hidden" name="action" value="remove" />
                    <input type="hidden" name="card" value=card.id />
                    <p>{t!(i18n, cards.remove_note)}</p>
                    <div>
                        <Button look="secondary">{t!(i18n, cards.remove_card)}</Button>
                    </div>
                </form>
            </details>
        </li>
    }
    .into_any()
}
