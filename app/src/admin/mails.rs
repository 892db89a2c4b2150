//! The mails that are kept while no mail server is named to send them.

use haat_shared::{
    Error,
    audit::{MailCard, MailText},
};
use leptos::prelude::*;

use super::{List, Page, Part};
use crate::{
    api::{self, ApiError},
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{PageTitle, loaded},
    words,
};

/// The mailbox.
#[component]
pub(crate) fn Mails() -> impl IntoView {
    let i18n = use_i18n();
    let after = query("after");
    let found = api::find(
        move || after.get(),
        |after| async move { api::notifications::list(after.clone()).await.map(|page| (after, page)) },
    );
    let list = loaded(found, move |(after, page)| {
        List {
            part: Part::Mails,
            asked: Vec::new(),
            after,
            next: page.next,
            tools: view! { <p class="lead">{t!(i18n, desk.mails_note)}</p> }.into_any(),
            columns: vec![
                (t!(i18n, desk.subject), ""),
                (t!(i18n, desk.to), "wide"),
                (t!(i18n, desk.at), "wide"),
            ],
            rows: page.items.into_iter().map(|mail| row(mail).into_any()).collect(),
            none: t!(i18n, desk.no_mails),
        }
        .show()
    });
    view! { <Page here=Part::Mails>{list}</Page> }
}

fn row(mail: MailCard) -> impl IntoView {
    let i18n = use_i18n();
    let (href, at) = (format!("{}/{}", Part::Mails.path(), mail.id), words::moment(i18n, &mail.at));
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=href>{mail.subject}</a>
                <span class="note narrow">{mail.to.clone()}" · "{at.clone()}</span>
            </th>
            <td class="wide">{mail.to}</td>
            <td class="wide">{at}</td>
        </tr>
    }
}

/// A mail, as it was sent.
#[component]
pub(crate) fn Mail() -> impl IntoView {
    let id = param("id");
    let found = api::find(
        move || id.get(),
        |id| async move {
            let id = id.parse();
            api::notifications::read(id.map_err(|_| ApiError(Error::NotFound))?).await
        },
    );
    let page = loaded(found, |mail| view! { <Shown mail /> });
    view! { <Page here=Part::Mails>{page}</Page> }
}

#[component]
fn Shown(mail: MailText) -> impl IntoView {
    let i18n = use_i18n();
    let MailText { card, text } = mail;
    let to = tu_string!(i18n, desk.mail_to, recipient = card.to.as_str()).to_string();
    view! {
        <PageTitle text=card.subject.clone() />
        <p class="back"><a href=Part::Mails.path()>{t!(i18n, desk.all_mails)}</a></p>
        <header class="order-head">
            <div>
                <h1>{card.subject}</h1>
                <p class="note">{to}" · "{words::moment(i18n, &card.at)}</p>
            </div>
        </header>
        <pre class="panel mail-text">{text}</pre>
    }
}
