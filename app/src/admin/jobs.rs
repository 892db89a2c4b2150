//! Background jobs: queued, running, failed and discarded, with actions to retry and discard.

use haat_shared::{audit::JobCard, permissions::AdminPermission, routes};
use leptos::prelude::*;

use super::{AdminPage, List, Part, asked, filters, foot, may, subject::subject, url, zone_of};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{Visitor, query},
    ui::{Alert, Button, CodeAlert, loaded},
    words::{self, I18n},
};

const STATES: [&str; 4] = ["", "queued", "dead", "discarded"];

fn state_words(i18n: I18n, state: &str) -> &'static str {
    match state {
        "queued" => t!(i18n, admin.queued),
        "dead" => t!(i18n, admin.dead),
        "discarded" => t!(i18n, admin.discarded),
        _ => t!(i18n, seller_orders.all),
    }
}

/// Unfinished jobs.
#[component]
pub(crate) fn Jobs() -> impl IntoView {
    let i18n = use_i18n();
    let done = query("done");
    let visitor = expect_context::<Visitor>();
    let found = api::find(asked(), move |of| async move {
        let table = api::jobs::list(of.clone()).await?;
        Ok((of, table, may(visitor, AdminPermission::ManageJobs).await))
    });
    let list = loaded(found, move |(of, table, manages)| {
        let path = Part::Jobs.path();
        let states = STATES.map(|state| (state, state_words(i18n, state)));
        let tools = view! {
            <CodeAlert />
            <Done what=done.get_untracked() />
            <div class="list-tools">{filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state))}</div>
        };
        let (back, total) = (url(path, &of), table.count(&of.state));
        List {
            part: Part::Jobs,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |job| &job.run_at),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.job), ""),
                (t!(i18n, admin.attempts), "number wide"),
                (t!(i18n, admin.next_attempt), "wide"),
                (t!(i18n, seller_orders.state), "wide"),
                (t!(i18n, admin.action), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|job| row(job, &back, manages).into_any()).collect(),
            none: t!(i18n, admin.no_jobs),
        }
        .show()
    });
    view! { <AdminPage here=Part::Jobs>{list}</AdminPage> }
}

/// The result of an action before a redirect.
#[component]
fn Done(what: String) -> impl IntoView {
    let i18n = use_i18n();
    let words = match what.as_str() {
        "retry" => t!(i18n, admin.retried),
        "discard" => t!(i18n, admin.job_discarded),
        _ => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

fn row(job: JobCard, back: &str, manages: bool) -> impl IntoView + use<> {
    let i18n = use_i18n();
    let action = routes::job(job.id);
    let error = (!job.error.is_empty()).then(|| view! { <span class="note below why">{job.error}</span> });
    let next = (job.state == "queued").then(|| words::hour(i18n, &job.run_at));
    let discard = (job.state != "discarded").then(|| {
        view! {
            <details class="more-of">
                <summary>{t!(i18n, admin.discard)}</summary>
                <form method="post" action=action.clone()>
                    <input type="hidden" name="action" value="discard" />
                    <input type="hidden" name="back" value=back.to_owned() />
                    <p class="note">{t!(i18n, admin.discard_note)}</p>
                    <Button look="danger">{t!(i18n, admin.discard)}</Button>
                </form>
            </details>
        }
    });
    let actions = manages.then(|| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="action" value="retry" />
                <input type="hidden" name="back" value=back.to_owned() />
                <Button look="secondary">{t!(i18n, failure.retry)}</Button>
            </form>
            {discard}
        }
    });
    let subject = subject(i18n, job.about).unwrap_or_else(|| {
        view! { <span class="note below id">{words::short_id(&job.subject)}</span> }.into_any()
    });
    let name = job.state;
    let state = || view! { <span class=format!("state {name}")>{state_words(i18n, &name)}</span> };
    view! {
        <tr>
            <th scope="row">
                <strong>{words::job_kind(i18n, &job.kind).to_owned()}</strong>
                {subject}
                <span class="narrow">{state()}</span>
                {error}
            </th>
            <td class="number wide">{job.attempts}</td>
            <td class="wide">{next}</td>
            <td class="wide">{state()}</td>
            <td class="row-actions">{actions}</td>
        </tr>
    }
}
