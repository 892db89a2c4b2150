//! The page that an invitation to a shop's staff links to. It says who is invited, and what has become of it.

use haat_shared::{
    id::kinds::InvitationId,
    routes,
    staff::{InvitationPage, InvitationState},
};
use leptos::prelude::*;

use crate::{
    api,
    i18n::{t, use_i18n},
    state::{param, query, sign_in_from},
    ui::{Alert, Button, CodeAlert, EmptyState, LinkButton, PageTitle, loaded},
    words::{self, I18n},
};

/// An invitation.
#[component]
pub(super) fn Invitation() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (id, token) = (param("id"), query("token"));
    let found = api::find(
        move || (id.get(), token.get()),
        |(id, token)| async move {
            let id: InvitationId = api::id(&id)?;
            let found = api::staff::invitation(id, token.clone()).await?;
            if found.is_none() {
                api::page_not_found();
            }
            Ok(found.map(|found| (found, id, token)))
        },
    );
    loaded(found, move |found| match found {
        None => over(i18n, t!(i18n, staff.unknown).to_owned(), t!(i18n, staff.unknown_note).to_owned()),
        Some((found, id, token)) => match found.state {
            InvitationState::Pending => pending(i18n, found, id, token),
            InvitationState::Accepted => {
                over(i18n, t!(i18n, staff.accepted).to_owned(), t!(i18n, staff.accepted_note).to_owned())
            }
            InvitationState::Expired => {
                let note = t!(i18n, staff.ask_again, shop = found.shop);
                over(i18n, t!(i18n, staff.is_expired).to_owned(), note)
            }
            InvitationState::Withdrawn => {
                let note = t!(i18n, staff.ask_again, shop = found.shop);
                over(i18n, t!(i18n, staff.withdrawn).to_owned(), note)
            }
        },
    })
}

/// One that can't be accepted.
fn over(i18n: I18n, title: String, note: String) -> AnyView {
    view! {
        <PageTitle text=title.clone() />
        <div class="width page">
            <EmptyState icon="awning" title note page=true>
                <LinkButton href=routes::SELLER_SHOPS>{t!(i18n, settings.yours)}</LinkButton>
            </EmptyState>
        </div>
    }
    .into_any()
}

fn pending(i18n: I18n, found: InvitationPage, id: InvitationId, token: String) -> AnyView {
    let InvitationPage { shop, email, role, signed_in, yours, .. } = found;
    let path = routes::invitation(id);
    let here = routes::with(&path, &[("token", &token)]);
    let title = t!(i18n, staff.join, shop = shop);
    let lead = t!(i18n, staff.lead, shop = shop, email = email, role = words::role(i18n, role));
    let action = if yours {
        view! {
            <form method="post" action=path class="panel form">
                <input type="hidden" name="token" value=token />
                <div><Button>{t!(i18n, staff.accept)}</Button></div>
            </form>
        }
        .into_any()
    } else if signed_in.is_empty() {
        let sign_up = routes::with(routes::SIGN_UP, &[("next", &here)]);
        view! {
            <div class="panel form">
                <p>{t!(i18n, staff.sign_in_note, email = email)}</p>
                <div class="actions">
                    <LinkButton href=sign_in_from(&here)>{t!(i18n, sign_in.button)}</LinkButton>
                    <a href=sign_up>{t!(i18n, sign_in.create)}</a>
                </div>
            </div>
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=routes::FORM_SIGN_OUT class="panel form">
                <Alert look="info">{t!(i18n, staff.other, own = signed_in, email = email)}</Alert>
                <div><Button look="secondary">{t!(i18n, header.sign_out)}</Button></div>
            </form>
        }
        .into_any()
    };
    view! {
        <PageTitle text=title.clone() />
        <div class="width page small">
            <h1>{title}</h1>
            <p class="lead">{lead}</p>
            <CodeAlert />
            {action}
        </div>
    }
    .into_any()
}
