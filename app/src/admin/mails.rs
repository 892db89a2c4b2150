//! Emails that are stored in the database, because no mail server is configured or sending failed.

use haat_shared::{
    Error,
    audit::{FailedMail, MailCard, MailText},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part};
use crate::{
    api::{self, ApiError},
    i18n::{t, tu_string, use_i18n},
    state::{param, query},
    ui::{Alert, Button, PageTitle, Table, loaded},
    words,
};

/// Stored emails.
#[component]
pub(crate) fn Mails() -> impl IntoView {
    let i18n = use_i18n();
    let (after, done) = (query("after"), query("done"));
    let found = api::find(
        move || after.get(),
        |after| async move {
            let page = api::notifications::list(after.clone()).await?;
            let failed = if after.is_empty() { api::notifications::failed().await? } else { Vec::new() };
            Ok((after, page, failed))
        },
    );
    let list = loaded(found, move |(after, page, failed)| {
        let resent = done.with_untracked(|done| done == "resend");
        let tools = view! {
            {resent.then(|| view! { <Alert look="good">{t!(i18n, admin.resent)}</Alert> })}
            <Failed failed />
            <p class="lead">{t!(i18n, admin.mails_note)}</p>
        };
        List {
            part: Part::Mails,
            asked: Vec::new(),
            after,
            next: page.next,
            tools: tools.into_any(),
            columns: vec![
                (t!(i18n, admin.subject), ""),
                (t!(i18n, admin.to), "wide"),
                (t!(i18n, admin.at), "wide"),
            ],
            rows: page.items.into_iter().map(|mail| row(mail).into_any()).collect(),
            none: t!(i18n, admin.no_mails),
        }
        .show()
    });
    view! { <AdminPage here=Part::Mails>{list}</AdminPage> }
}

/// Failed emails.
#[component]
fn Failed(failed: Vec<FailedMail>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = failed.into_iter().map(|mail| {
        view! {
            <tr>
                <th scope="row">
                    <strong>{words::mail_kind(i18n, &mail.kind).to_owned()}</strong>
                    <span class="note below">{mail.to}" · "{words::moment(i18n, &mail.created_at)}</span>
                    <span class="note below why">{mail.error}</span>
                </th>
                <td class="row-actions">
                    <form method="post" action=Part::Mails.path()>
                        <input type="hidden" name="id" value=mail.id.to_string() />
                        <Button look="secondary">{t!(i18n, admin.resend)}</Button>
                    </form>
                </td>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    let title = t!(i18n, admin.not_sent);
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="failed">
                <h2 id="failed">{title}</h2>
                <Table caption=title columns=vec![(t!(i18n, admin.subject), ""), (t!(i18n, admin.action), "")]>{rows}</Table>
            </section>
        }
    })
}

fn row(mail: MailCard) -> impl IntoView {
    let i18n = use_i18n();
    let (href, at) = (routes::mail(mail.id), words::moment(i18n, &mail.created_at));
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

/// An email, as it was sent.
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
    view! { <AdminPage here=Part::Mails>{page}</AdminPage> }
}

#[component]
fn Shown(mail: MailText) -> impl IntoView {
    let i18n = use_i18n();
    let MailText { card, text } = mail;
    let to = tu_string!(i18n, admin.mail_to, recipient = card.to.as_str()).to_string();
    view! {
        <PageTitle text=card.subject.clone() />
        <p class="back"><a href=Part::Mails.path()>{t!(i18n, admin.all_mails)}</a></p>
        <header class="order-head">
            <div>
                <h1>{card.subject}</h1>
                <p class="note">{to}" · "{words::moment(i18n, &card.created_at)}</p>
            </div>
        </header>
        <pre class="panel mail-text">{text}</pre>
    }
}
