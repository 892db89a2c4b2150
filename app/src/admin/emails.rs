//! Emails that are stored in the database, because no mail server is configured or sending failed.

use haat_shared::{
    audit::{EmailCard, EmailText, FailedEmail, UnsentEmails},
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, foot, may, zone_of};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    state::{Visitor, param, query},
    ui::{Alert, Button, PageTitle, Table, loaded},
    words,
};

/// Stored emails.
#[component]
pub(crate) fn Emails() -> impl IntoView {
    let i18n = use_i18n();
    let done = query("done");
    let visitor = expect_context::<Visitor>();
    let found = api::find(asked(), move |of| async move {
        let table = api::notifications::list(of.clone()).await?;
        let unsent = match of.after.is_empty() {
            true => api::notifications::unsent().await?,
            false => UnsentEmails::default(),
        };
        Ok((of, table, unsent, may(visitor, AdminPermission::ManageEmails).await))
    });
    let list = loaded(found, move |(of, table, unsent, manages)| {
        let resent = done.with_untracked(|done| done == "resend");
        let tools = view! {
            {resent.then(|| view! { <Alert look="good">{t!(i18n, admin.resent)}</Alert> })}
            <Delayed delayed=unsent.delayed />
            <Failed failed=unsent.failed manages />
            <p class="lead">{t!(i18n, admin.emails_note)}</p>
        };
        let total = table.count("");
        List {
            part: Part::Emails,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |mail| &mail.created_at),
            tools: tools.into_any(),
            foot: foot(Part::Emails.path(), &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.subject), ""),
                (t!(i18n, admin.to), "wide"),
                (t!(i18n, admin.at), "wide"),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|mail| row(mail).into_any()).collect(),
            none: t!(i18n, admin.no_emails),
        }
        .show()
    });
    view! { <AdminPage here=Part::Emails>{list}</AdminPage> }
}

/// Emails that are late, and what to do about it.
#[component]
fn Delayed(delayed: Vec<FailedEmail>) -> impl IntoView {
    let i18n = use_i18n();
    let rows: Vec<_> = delayed.into_iter().map(|mail| view! { <tr>{heading(mail)}</tr> }).collect();
    let title = t!(i18n, admin.delayed);
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="delayed">
                <h2 id="delayed">{title}</h2>
                <p class="note">{t!(i18n, admin.delayed_note)}</p>
                <Table caption=title columns=vec![(t!(i18n, admin.subject), "")]>{rows}</Table>
            </section>
        }
    })
}

/// What an unsent email announces, to whom, and why it was not sent.
fn heading(mail: FailedEmail) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <th scope="row">
            <strong>{words::email_kind(i18n, &mail.kind).to_owned()}</strong>
            <span class="note below"><span class="dots"><span>{mail.to}</span> " " <span>{words::moment(i18n, &mail.created_at)}</span></span></span>
            <span class="note below why">{mail.error}</span>
        </th>
    }
}

/// Failed emails, to send again if the admin may.
#[component]
fn Failed(failed: Vec<FailedEmail>, manages: bool) -> impl IntoView {
    let i18n = use_i18n();
    let rows = failed.into_iter().map(|mail| {
        let id = mail.id.to_string();
        let resend = manages.then(|| {
            view! {
                <form method="post" action=Part::Emails.path()>
                    <input type="hidden" name="id" value=id />
                    <Button look="secondary">{t!(i18n, admin.resend)}</Button>
                </form>
            }
        });
        view! {
            <tr>
                {heading(mail)}
                <td class="row-actions">{resend}</td>
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

fn row(mail: EmailCard) -> impl IntoView {
    let i18n = use_i18n();
    let (href, at) = (routes::email(mail.id), words::hour(i18n, &mail.created_at));
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" href=href>{mail.subject}</a>
                <span class="note narrow"><span class="dots"><span>{mail.to.clone()}</span> " " <span>{at.clone()}</span></span></span>
            </th>
            <td class="wide">{mail.to}</td>
            <td class="wide">{at}</td>
        </tr>
    }
}

/// An email, as it was sent.
#[component]
pub(crate) fn Email() -> impl IntoView {
    let id = param("id");
    let found =
        api::find(move || id.get(), |id| async move { api::notifications::read(api::id(&id)?).await });
    let page = loaded(found, |mail| view! { <Shown mail /> });
    view! { <AdminPage here=Part::Emails>{page}</AdminPage> }
}

#[component]
fn Shown(mail: EmailText) -> impl IntoView {
    let i18n = use_i18n();
    let EmailText { card, text } = mail;
    let to = tu_string!(i18n, admin.mail_to, recipient = card.to.as_str()).to_string();
    view! {
        <PageTitle text=card.subject.clone() />
        <p class="back"><a href=Part::Emails.path()>{t!(i18n, admin.all_emails)}</a></p>
        <header class="order-head">
            <div>
                <h1>{card.subject}</h1>
                <p class="note dots"><span>{to}</span> " " <span>{words::moment(i18n, &card.created_at)}</span></p>
            </div>
        </header>
        <pre class="panel mail-text">{text}</pre>
    }
}
