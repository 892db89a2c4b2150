//! The user's own shops, and the form that opens another one.

use haat_shared::{Currency, forms::Draft, permissions::Role, routes, shops::ShopForm};
use leptos::prelude::*;

use super::{Part, settings::ShopFields};
use crate::{
    api::{self, ApiError},
    back_office::BackOffice,
    i18n::{t, tu_string, use_i18n},
    state::query,
    storefront::draft_by,
    ui::{Alert, Button, CodeAlert, EmptyState, LinkButton, PageTitle, loaded},
    words::{self, I18n},
};

/// The signed-in user's shops.
#[component]
pub(crate) fn SellerShops() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let done = query("done");
    let found = api::find(move || done.get(), |_| api::accounts::me_here());
    let page = loaded(found, move |me| {
        let rows = me.shops.into_iter().map(|shop| {
            // Owners do so on the page of the shop's staff.
            let leaves = (shop.role != Role::Owner).then(|| {
                view! {
                    <details class="more-of">
                        <summary>{t!(i18n, staff.leave)}<span class="hidden">" "{shop.name.clone()}</span></summary>
                        {leave(i18n, &shop.handle)}
                    </details>
                }
            });
            view! {
                <li class="row saved-card">
                    <div>
                        <a class="row-link" href=Part::Home.path(&shop.handle)>{shop.name}</a>
                        <p class="note">{words::role(i18n, shop.role)}</p>
                    </div>
                    {leaves}
                </li>
            }
        });
        let rows: Vec<_> = rows.collect();
        let list = if rows.is_empty() {
            let (title, note) = (tu_string!(i18n, settings.none), tu_string!(i18n, settings.none_note));
            view! {
                <EmptyState icon="awning" title note>
                    <LinkButton href=routes::OPEN_SHOP>{t!(i18n, settings.open)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            view! {
                <ul class="rows">{rows}</ul>
                <p class="page-next"><LinkButton href=routes::OPEN_SHOP look="secondary">{t!(i18n, settings.open)}</LinkButton></p>
            }
            .into_any()
        };
        let left = (done.get_untracked() == "leave").then(|| {
            view! { <Alert look="good">{t!(i18n, staff.done_leave)}</Alert> }
        });
        view! {
            <PageTitle text=tu_string!(i18n, settings.yours) />
            <h1>{t!(i18n, settings.yours)}</h1>
            <CodeAlert />
            {left}
            {list}
        }
    });
    view! { <Between>{page}</Between> }
}

/// The form with which a member leaves a shop.
pub(super) fn leave(i18n: I18n, handle: &str) -> AnyView {
    view! {
        <form method="post" action=Part::Team.path(handle) class="form">
            <input type="hidden" name="action" value="leave" />
            <p>{t!(i18n, staff.leave_note)}</p>
            <div><Button look="danger">{t!(i18n, staff.leave_now)}</Button></div>
        </form>
    }
    .into_any()
}

/// A page of the seller dashboard that belongs to no shop.
#[component]
fn Between(children: Children) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <BackOffice label=tu_string!(i18n, dashboard.nav) office=|_| None>
            <div class="narrow">{children()}</div>
        </BackOffice>
    }
}

/// The form that opens a shop.
#[component]
pub(crate) fn OpenShop() -> impl IntoView {
    crate::head::keep_out();
    let draft = query("draft");
    let found = api::find(
        move || draft.get(),
        |draft| async move {
            api::accounts::me_here().await?;
            Ok::<_, ApiError>((api::shops::currency().await?, draft_by("open-shop", draft).await?))
        },
    );
    let page = loaded(found, |(currency, draft)| view! { <Form currency draft /> });
    view! { <Between>{page}</Between> }
}

#[component]
fn Form(currency: Currency, draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let form = match draft.error {
        Some(_) => ShopForm::read(|name| draft.typed(name)),
        None => ShopForm::default(),
    };
    view! {
        <PageTitle text=tu_string!(i18n, settings.open) />
        <h1>{t!(i18n, settings.open)}</h1>
        <p class="lead">{t!(i18n, settings.open_note)}</p>
        <form method="post" action=routes::OPEN_SHOP class="form" novalidate>
            <ShopFields form currency error=draft.error opening=true />
            <div><Button>{t!(i18n, settings.open)}</Button></div>
        </form>
    }
}
