//! A payment: its status at the gateway, its refunds and webhooks, and what an admin can do about it.

use haat_shared::{
    Money,
    admin::{PaymentAction, PaymentCard, PaymentDetails, PaymentRefund, PaymentReport},
    orders::RefundReason,
    payments::PaymentState,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, asked, figure, payments::state, url};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::{param, query},
    ui::{Alert, Button, CodeAlert, Columns, PageTitle, Table, loaded},
    words::{self, I18n},
};

/// A payment's page.
#[component]
pub(crate) fn Payment() -> impl IntoView {
    let id = param("id");
    let found = api::find(move || id.get(), |id| async move { api::payments::details(api::id(&id)?).await });
    let page = loaded(found, |details| view! { <Shown details /> });
    view! { <AdminPage here=Part::Payments>{page}</AdminPage> }
}

#[component]
fn Shown(details: PaymentDetails) -> impl IntoView {
    let i18n = use_i18n();
    let PaymentDetails { payment, updated_at, check_at, checks, orders, refunds, reports, others, actions } =
        details;
    // The list with the filters that led here.
    let back = url(Part::Payments.path(), &untrack(asked()));
    let by_market = payment.method.collected_by_market();
    let title = format!("{} {}", t!(i18n, admin.payment), words::money(i18n, payment.amount));
    let note = match payment.state {
        PaymentState::Pending => Some(t!(i18n, admin.note_pending)),
        PaymentState::Authorized => Some(t!(i18n, admin.note_authorized)),
        PaymentState::Orphaned => Some(t!(i18n, admin.note_orphaned)),
        PaymentState::Superseded => Some(t!(i18n, admin.note_superseded)),
        _ => None,
    };
    let money = |amount: Money| words::money(i18n, amount);
    let figures = by_market.then(|| {
        let coming = (payment.being_refunded.amount() > 0)
            .then(|| format!("{}: {}", t!(i18n, admin.being_refunded), money(payment.being_refunded)));
        view! {
            <dl class="figures four">
                {figure(t!(i18n, admin.captured), money(payment.captured), None)}
                {figure(t!(i18n, admin.pay_refunded), money(payment.refunded), coming)}
                {figure(t!(i18n, admin.gateway_fee), money(payment.fee), None)}
            </dl>
        }
    });
    let links = orders.into_iter().map(|number| {
        let href = routes::any_order(&number);
        view! { <li><a class="unbroken" href=href>{number}</a></li> }
    });
    let links = links.collect_view();
    let check = by_market.then(|| {
        let next = match check_at {
            Some(at) => words::moment(i18n, &at),
            None => t!(i18n, admin.no_check).to_owned(),
        };
        let count = (checks > 0).then(|| view! { <p class="note">{tn!(i18n, admin.checks, checks)}</p> });
        view! { <div><h3>{t!(i18n, admin.next_check)}</h3><p>{next}</p>{count}</div> }
    });
    let reference = payment.gateway_ref.clone().filter(|_| by_market).map(|reference| {
        view! { <p class="note id" translate="no">{reference}</p> }
    });
    let mail = payment.email.clone().map(|email| {
        let href = format!("mailto:{email}");
        view! { <p class="note" translate="no"><a href=href>{email}</a></p> }
    });
    let chip = state(i18n, payment.state);
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_payments)}</a></p>
        <header class="order-head">
            <div>
                <h1>{title}</h1>
                {mail}
            </div>
            {chip}
        </header>
        <CodeAlert />
        <Done what=query("done").get_untracked() />
        {note.map(|note| view! { <p class="note">{note}</p> })}
        {figures}
        <div class="back-office-columns">
            <div>
                <Actions id=payment.id.to_string() path=routes::payment(payment.id) actions />
                {by_market.then(|| refunds_of(i18n, refunds))}
                {by_market.then(|| reports_of(i18n, reports))}
            </div>
            <section class="panel order">
                <div>
                    <h3>{t!(i18n, admin.gateway)}</h3>
                    <p>{words::method(i18n, payment.method, false)}</p>
                    {reference}
                </div>
                <div>
                    <h3>{t!(i18n, seller_orders.title)}</h3>
                    {if links.is_empty() {
                        view! { <p>{t!(i18n, admin.no_purchase)}</p> }.into_any()
                    } else {
                        view! { <ul>{links}</ul> }.into_any()
                    }}
                </div>
                <div>
                    <h3>{t!(i18n, admin.since)}</h3>
                    <p>{words::moment(i18n, &payment.created_at)}</p>
                </div>
                <div>
                    <h3>{t!(i18n, admin.last_change)}</h3>
                    <p>{words::moment(i18n, &updated_at)}</p>
                </div>
                {check}
            </section>
        </div>
        {others_of(i18n, others)}
    }
}

/// The result of an action before a redirect.
#[component]
fn Done(what: String) -> impl IntoView {
    let i18n = use_i18n();
    let words = match PaymentAction::parse(&what)? {
        PaymentAction::Check => t!(i18n, admin.checked),
        PaymentAction::Capture => t!(i18n, admin.capture_done),
        PaymentAction::Cancel => t!(i18n, admin.cancel_done),
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

#[component]
fn Actions(id: String, path: String, actions: Vec<PaymentAction>) -> impl IntoView {
    let i18n = use_i18n();
    if actions.is_empty() {
        return None;
    }
    let forms = actions.into_iter().map(|action| {
        let (look, words, note) = match action {
            PaymentAction::Check => ("secondary", t!(i18n, admin.check_now), None),
            PaymentAction::Capture => {
                ("primary", t!(i18n, admin.capture), Some(t!(i18n, admin.capture_note)))
            }
            PaymentAction::Cancel => {
                ("danger", t!(i18n, admin.cancel_payment), Some(t!(i18n, admin.cancel_payment_note)))
            }
        };
        let note_id = note.map(|_| format!("{}-{id}", action.as_str()));
        view! {
            <form method="post" action=path.clone()>
                <input type="hidden" name="action" value=action.as_str() />
                {note.map(|note| view! { <p class="note" id=note_id>{note}</p> })}
                <Button look>{words}</Button>
            </form>
        }
    });
    Some(view! {
        <section class="panel" aria-labelledby="actions">
            <h2 id="actions">{t!(i18n, admin.action)}</h2>
            {forms.collect_view()}
        </section>
    })
}

fn refunds_of(i18n: I18n, refunds: Vec<PaymentRefund>) -> impl IntoView {
    let rows: Vec<_> = refunds
        .into_iter()
        .map(|refund| {
            let reason = match refund.reason {
                RefundReason::Orphaned => t!(i18n, admin.reason_orphaned),
                RefundReason::Cancelled => t!(i18n, admin.reason_cancelled),
                RefundReason::ByShop => t!(i18n, admin.reason_by_shop),
            };
            let order = refund.order_number.map(|number| {
                let href = routes::any_order(&number);
                view! { <span class="note below"><a class="whole" href=href>{number}</a></span> }
            });
            let done = match refund.completed_at {
                Some(at) => words::moment(i18n, &at).into_any(),
                None => view! { <span class="state placed">{t!(i18n, admin.refund_open)}</span> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{reason}{order}</th>
                    <td class="wide"><span class="id">{refund.gateway_ref}</span></td>
                    <td>{done}</td>
                    <td class="number">{words::money(i18n, refund.amount)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![
        (t!(i18n, seller_orders.reason), ""),
        (t!(i18n, admin.gateway), "wide"),
        (t!(i18n, admin.at), ""),
        (t!(i18n, cart.total), "number"),
    ]
    .into();
    let title = t!(i18n, admin.pay_refunds);
    panel(title, "refunds", t!(i18n, admin.no_refunds), columns, rows)
}

fn reports_of(i18n: I18n, reports: Vec<PaymentReport>) -> impl IntoView {
    let rows: Vec<_> = reports
        .into_iter()
        .map(|report| {
            let kind = match report.kind.as_str() {
                "refund" => t!(i18n, admin.report_refund),
                "dispute" => t!(i18n, admin.report_dispute),
                _ => t!(i18n, admin.report_payment),
            };
            view! {
                <tr>
                    <th scope="row">{kind}<span class="note below id">{report.event}</span></th>
                    <td>{words::moment(i18n, &report.received_at)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![(t!(i18n, admin.activity), ""), (t!(i18n, admin.at), "")].into();
    panel(t!(i18n, admin.reports), "reports", t!(i18n, admin.no_reports), columns, rows)
}

fn others_of(i18n: I18n, others: Vec<PaymentCard>) -> impl IntoView {
    let rows: Vec<_> = others
        .into_iter()
        .map(|payment| {
            let href = routes::payment(payment.id);
            view! {
                <tr>
                    <th scope="row">
                        <a class="row-link" href=href>{words::method(i18n, payment.method, false)}</a>
                    </th>
                    <td>{words::moment(i18n, &payment.created_at)}</td>
                    <td class="number">{words::money(i18n, payment.amount)}</td>
                    <td>{state(i18n, payment.state)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![
        (t!(i18n, admin.payment), ""),
        (t!(i18n, admin.since), ""),
        (t!(i18n, cart.total), "number"),
        (t!(i18n, seller_orders.state), ""),
    ]
    .into();
    (!rows.is_empty()).then(|| panel(t!(i18n, admin.others), "others", "", columns, rows))
}

/// A table in a panel, or what is said if it has no rows.
fn panel(
    title: &'static str,
    id: &'static str,
    none: &'static str,
    columns: Columns,
    rows: Vec<AnyView>,
) -> impl IntoView {
    let table = match rows.is_empty() {
        true => view! { <p class="note">{none}</p> }.into_any(),
        false => view! { <Table caption=title columns>{rows}</Table> }.into_any(),
    };
    view! {
        <section class="panel" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {table}
        </section>
    }
}
