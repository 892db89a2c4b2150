//! A payment: its status at the gateway, its refunds and webhooks, and what an admin can do about it.

use haat_shared::{
    Error, Money,
    admin::{
        PaidOrder, PaymentAction, PaymentCard, PaymentDetails, PaymentRefund, PaymentReport, RefundAction,
        RefundState,
    },
    disputes::{DisputeState, PaymentDispute},
    id::kinds::RefundId,
    orders::RefundReason,
    payments::{CashState, PaymentState},
    routes,
    shipping::ShippingMethod,
};
use leptos::prelude::*;

use super::{
    AdminPage, Part, asked, figure,
    payments::{disputed, label},
    url,
};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::{param, query},
    ui::{Alert, Button, CodeAlert, Columns, Field, PageTitle, Table, loaded},
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
    let history = timeline(i18n, &details);
    let PaymentDetails {
        payment,
        failure_note,
        name,
        customer_id,
        updated_at,
        check_at,
        checks,
        orders,
        refunds,
        disputes,
        manages_refunds,
        reports,
        others,
        actions,
    } = details;
    // The list with the filters that led here.
    let back = url(Part::Payments.path(), &untrack(asked()));
    let by_market = payment.method.collected_by_market();
    let title = format!("{} {}", t!(i18n, admin.payment), words::money(i18n, payment.amount));
    let note = match payment.state {
        PaymentState::Pending => Some(t!(i18n, admin.note_pending)),
        PaymentState::Authorized => Some(t!(i18n, admin.note_authorized)),
        PaymentState::Orphaned => Some(t!(i18n, admin.note_orphaned)),
        PaymentState::Superseded => Some(t!(i18n, admin.note_superseded)),
        _ if payment.disputed => Some(t!(i18n, admin.note_disputed)),
        _ => payment.cash.map(|cash| match cash {
            CashState::ToCollect => t!(i18n, admin.note_to_collect),
            CashState::PartlyCollected => t!(i18n, admin.note_partly),
            CashState::Collected => t!(i18n, admin.note_collected),
            CashState::Cancelled => t!(i18n, admin.note_nothing),
        }),
    };
    let failure = payment.failure.map(|why| {
        let said =
            (!failure_note.is_empty()).then(|| view! { <p class="note" translate="no">{failure_note}</p> });
        view! { <p>{words::payment_failure(i18n, why)}</p>{said} }
    });
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
    let check = by_market.then(|| {
        let next = match check_at {
            Some(at) => words::moment(i18n, &at),
            None => t!(i18n, admin.no_check).to_owned(),
        };
        let count = (checks > 0).then(|| view! { <p class="note">{tn!(i18n, admin.checks, checks)}</p> });
        view! { <div><h3>{t!(i18n, admin.next_check)}</h3><p>{next}</p>{count}</div> }
    });
    let references = [payment.gateway_ref.clone(), payment.paid_ref.clone()];
    let reference = references.into_iter().flatten().filter(|_| by_market).map(|reference| {
        view! { <p class="note id" translate="no">{reference}</p> }
    });
    let reference = reference.collect_view();
    let mail = payment.email.clone().filter(|email| !email.is_empty()).map(|email| {
        let href = format!("mailto:{email}");
        view! { <p class="note" translate="no"><a href=href>{email}</a></p> }
    });
    let customer = name.map(|name| match customer_id {
        Some(id) => view! { <p translate="no"><a href=routes::user(id)>{name}</a></p> }.into_any(),
        None => view! { <p translate="no">{name}</p> }.into_any(),
    });
    let customer = (customer.is_some() || mail.is_some()).then(|| {
        view! {
            <div>
                <h3>{t!(i18n, seller_orders.customer)}</h3>
                {customer}
                {mail}
            </div>
        }
    });
    let failed = refunds.iter().filter(|refund| manages_refunds && refund.state == RefundState::Failed);
    let failed =
        failed.map(|refund| view! { <FailedRefund id=refund.id amount=refund.amount /> }).collect_view();
    let chip = label(i18n, &payment);
    let disputed = payment.disputed.then(|| disputed(i18n));
    view! {
        <PageTitle text=title.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_payments)}</a></p>
        <header class="order-head">
            <div>
                <h1>{title}</h1>
                {failure}
            </div>
            {chip}
            {disputed}
        </header>
        <CodeAlert />
        <Done what=query("done").get_untracked() amount=payment.amount />
        {note.map(|note| view! { <p class="note">{note}</p> })}
        {figures}
        <div class="back-office-columns">
            <div>
                <Actions amount=payment.amount path=routes::payment(payment.id) actions />
                {disputes_of(i18n, disputes)}
                {failed}
                {orders_of(i18n, orders)}
                {history}
                {by_market.then(|| refunds_of(i18n, refunds))}
                {by_market.then(|| reports_of(i18n, reports))}
            </div>
            <section class="panel order">
                {customer}
                <div>
                    <h3>{t!(i18n, admin.gateway)}</h3>
                    <p>{words::method(i18n, payment.method, t!(i18n, payment_method.cash))}</p>
                    {reference}
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

/// What happened to a payment and its orders, oldest first.
fn timeline(i18n: I18n, details: &PaymentDetails) -> AnyView {
    type Step = (String, &'static str, Vec<String>);
    let payment = &details.payment;
    let cash = !payment.method.collected_by_market();
    let mut steps: Vec<Step> = vec![(payment.created_at.clone(), t!(i18n, admin.step_started), Vec::new())];
    if let Some(order) = details.orders.first() {
        steps.push((order.placed_at.clone(), t!(i18n, admin.message_order_placed), Vec::new()));
    }
    for order in &details.orders {
        let of = |sum: Money| vec![order.number.clone(), order.shop_name.clone(), words::money(i18n, sum)];
        if let Some(at) = order.delivered_at.as_ref().filter(|_| cash) {
            steps.push((at.clone(), t!(i18n, admin.step_collected), of(order.total)));
        }
        if let Some(at) = &order.cancelled_at {
            steps.push((at.clone(), t!(i18n, admin.message_order_cancelled), of(order.total)));
        }
    }
    for refund in &details.refunds {
        let of =
            || refund.order_number.clone().into_iter().chain([words::money(i18n, refund.amount)]).collect();
        // Of cash, the shop says only that it gave it back.
        if !cash {
            steps.push((refund.created_at.clone(), t!(i18n, admin.message_refund_queued), of()));
        }
        if let Some(at) = &refund.completed_at {
            steps.push((at.clone(), t!(i18n, admin.step_refunded), of()));
        }
    }
    if let Some(why) = payment.failure {
        let why = words::payment_failure(i18n, why).to_owned();
        steps.push((details.updated_at.clone(), t!(i18n, admin.pay_failed), vec![why]));
    }
    // All are in one zone. Stable, so that what happened at once stays in order.
    steps.sort_by(|one, other| one.0.cmp(&other.0));
    let steps = steps.into_iter().enumerate().map(|(i, (at, what, of))| {
        let at = if i == 0 { words::moment(i18n, &at) } else { words::hour(i18n, &at) };
        let of = of.into_iter().map(|part| view! { " " <span class="whole">{part}</span> }).collect_view();
        view! {
            <li>
                <strong>{what}</strong>
                <p class="note dots"><span>{at}</span>{of}</p>
            </li>
        }
    });
    view! {
        <section class="panel" aria-labelledby="history">
            <h2 id="history">{t!(i18n, seller_orders.history)}</h2>
            <ol class="history">{steps.collect_view()}</ol>
        </section>
    }
    .into_any()
}

fn orders_of(i18n: I18n, orders: Vec<PaidOrder>) -> impl IntoView {
    let rows: Vec<_> = orders
        .into_iter()
        .map(|order| {
            let state = words::order_state(i18n, order.state, ShippingMethod::Standard);
            let look = format!("state {}", order.state.as_str());
            let href = routes::any_order(&order.number);
            view! {
                <tr>
                    <th scope="row">
                        <a class="row-link whole" href=href>{order.number}</a>
                        <span class="note below">{order.shop_name}</span>
                        <span class="cramped"><span class=look.clone()>{state}</span></span>
                    </th>
                    <td class="roomy"><span class=look>{state}</span></td>
                    <td class="number">{words::money(i18n, order.total)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![
        (t!(i18n, seller_orders.number), ""),
        (t!(i18n, seller_orders.state), "roomy"),
        (t!(i18n, cart.total), "number"),
    ]
    .into();
    panel(t!(i18n, seller_orders.title), "orders", t!(i18n, admin.no_purchase), columns, rows)
}

/// The result of an action before a redirect.
#[component]
fn Done(what: String, amount: Money) -> impl IntoView {
    let i18n = use_i18n();
    let words = match (PaymentAction::parse(&what), RefundAction::parse(&what)) {
        (Some(PaymentAction::Check), _) => t!(i18n, admin.checked).to_owned(),
        (Some(PaymentAction::Capture), _) => t!(i18n, admin.capture_done, price = amount),
        (Some(PaymentAction::Cancel), _) => t!(i18n, admin.cancel_done, price = amount),
        (None, Some(RefundAction::Retry)) => t!(i18n, admin.refund_retried).to_owned(),
        (None, Some(RefundAction::Settle)) => t!(i18n, admin.refund_settled_done).to_owned(),
        (None, None) => return None,
    };
    Some(view! { <Alert look="good">{words}</Alert> })
}

#[component]
fn Actions(amount: Money, path: String, actions: Vec<PaymentAction>) -> impl IntoView {
    let i18n = use_i18n();
    if actions.is_empty() {
        return None;
    }
    let form = |action: PaymentAction, note: Option<&'static str>, look: &'static str, words: String| {
        view! {
            <form method="post" action=path.clone()>
                <input type="hidden" name="action" value=action.as_str() />
                {note.map(|note| view! { <p class="note">{note}</p> })}
                <Button look>{words}</Button>
            </form>
        }
    };
    // What moves money is asked for before it is done.
    let asking = |words: &'static str, form: AnyView| {
        view! {
            <details class="more-of">
                <summary>{words}</summary>
                {form}
            </details>
        }
        .into_any()
    };
    let forms = actions.into_iter().map(|action| match action {
        PaymentAction::Check => {
            form(action, None, "secondary", t!(i18n, admin.check_now).to_owned()).into_any()
        }
        PaymentAction::Capture => {
            let words = t!(i18n, admin.capture_now, price = amount);
            let note = Some(t!(i18n, admin.capture_note));
            asking(t!(i18n, admin.capture), form(action, note, "primary", words).into_any())
        }
        PaymentAction::Cancel => {
            let words = t!(i18n, admin.cancel_now, price = amount);
            let note = Some(t!(i18n, admin.cancel_payment_note));
            asking(t!(i18n, admin.cancel_payment), form(action, note, "danger", words).into_any())
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
                RefundReason::ByMarket => t!(i18n, admin.reason_by_market),
                RefundReason::Unshipped => t!(i18n, admin.reason_unshipped),
                RefundReason::GiftCard => t!(i18n, admin.reason_gift_card),
            };
            let order = refund.order_number.map(|number| {
                let href = routes::any_order(&number);
                view! { <span><a class="whole" href=href>{number}</a></span> }
            });
            let chip = match refund.state {
                RefundState::Queued | RefundState::Pending => Some(("placed", t!(i18n, admin.refund_open))),
                RefundState::Failed => Some(("cancelled", t!(i18n, admin.refund_failed))),
                RefundState::Replaced => Some(("", t!(i18n, admin.refund_replaced))),
                RefundState::PaidOtherwise => Some(("delivered", t!(i18n, admin.refund_settled))),
                RefundState::Done => None,
            };
            let chip =
                chip.map(|(look, words)| view! { <span class=format!("state {look}")>{words}</span> " " });
            let done = view! {
                <span>
                    {chip}
                    {refund.completed_at.map(|at| words::hour(i18n, &at))}
                    {(!refund.note.is_empty()).then(|| view! { <span class="note below">{refund.note}</span> })}
                </span>
            };
            view! {
                <tr>
                    <th scope="row">{reason}<span class="note below"><span class="dots">{order} " " {done}</span></span></th>
                    <td class="wide"><span class="id">{refund.gateway_ref}</span></td>
                    <td class="number">{words::money(i18n, refund.amount)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![
        (t!(i18n, seller_orders.reason), ""),
        (t!(i18n, admin.gateway), "wide"),
        (t!(i18n, cart.total), "number"),
    ]
    .into();
    let title = t!(i18n, admin.pay_refunds);
    panel(title, "refunds", t!(i18n, admin.no_refunds), columns, rows)
}

/// What to do about a refund that came back.
#[component]
fn FailedRefund(id: RefundId, amount: Money) -> impl IntoView {
    let i18n = use_i18n();
    let (action, title) = (routes::refund(id), format!("failed-{id}"));
    let faults: Signal<Option<Error>> = Signal::stored(None);
    view! {
        <section class="panel" aria-labelledby=title.clone()>
            <h2 id=title.clone()>{t!(i18n, admin.refund_failed)}</h2>
            <Alert look="bad">{t!(i18n, admin.refund_failed_note, price = words::money(i18n, amount))}</Alert>
            <form method="post" action=action.clone()>
                <input type="hidden" name="action" value="retry" />
                <Button look="secondary">{t!(i18n, admin.refund_retry)}</Button>
            </form>
            <form method="post" action=action class="form">
                <input type="hidden" name="action" value="settle" />
                <Field name="note" id=format!("note-{id}") label=t!(i18n, admin.refund_how) hint=t!(i18n, admin.refund_how_hint).to_owned() required=true faults />
                <div><Button look="secondary">{t!(i18n, admin.refund_settle)}</Button></div>
            </form>
        </section>
    }
}

/// The disputes, with where to respond. A payment without any says nothing about them.
fn disputes_of(i18n: I18n, disputes: Vec<PaymentDispute>) -> impl IntoView {
    let rows: Vec<_> = disputes
        .into_iter()
        .map(|dispute| {
            let (look, state) = match dispute.state {
                DisputeState::Inquiry => ("placed", t!(i18n, admin.dispute_inquiry)),
                DisputeState::Open => ("placed", t!(i18n, admin.dispute_open)),
                DisputeState::Won => ("delivered", t!(i18n, admin.dispute_won)),
                DisputeState::Lost => ("cancelled", t!(i18n, admin.dispute_lost)),
            };
            let reason = match dispute.reason.as_str() {
                "" => t!(i18n, admin.dispute).to_owned(),
                reason => words::dispute_reason(reason),
            };
            let respond = dispute.respond_url.map(|url| {
                view! { <span class="note below"><a href=url rel="external noopener">{t!(i18n, admin.respond)}</a></span> }
            });
            let due = dispute.evidence_due_at.filter(|_| dispute.state.is_open());
            let due = due.map(|at| view! { <span class="note below">{t!(i18n, admin.dispute_due)} " " {words::moment(i18n, &at)}</span> });
            let closed = dispute.closed_at.map(|at| view! { <span class="note below">{words::moment(i18n, &at)}</span> });
            let fee = (dispute.fee.amount() > 0).then(|| {
                view! { <span class="note below">{t!(i18n, admin.dispute_fee, price = words::money(i18n, dispute.fee))}</span> }
            });
            let own = (dispute.unallocated.amount() > 0).then(|| {
                view! { <span class="note below">{t!(i18n, admin.dispute_own, price = words::money(i18n, dispute.unallocated))}</span> }
            });
            view! {
                <tr>
                    <th scope="row">
                        {reason}
                        <span class="note below id" translate="no">{dispute.gateway_ref}</span>
                        {respond}
                    </th>
                    <td class="wide">{words::moment(i18n, &dispute.opened_at)}</td>
                    <td><span class=format!("state {look}")>{state}</span>{due}{closed}</td>
                    <td class="number">{words::money(i18n, dispute.amount)}{fee}{own}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let columns = vec![
        (t!(i18n, seller_orders.reason), ""),
        (t!(i18n, admin.since), "wide"),
        (t!(i18n, seller_orders.state), ""),
        (t!(i18n, cart.total), "number"),
    ]
    .into();
    (!rows.is_empty()).then(|| panel(t!(i18n, admin.disputes), "disputes", "", columns, rows))
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
                    <td class="whole">{words::hour(i18n, &report.received_at)}</td>
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
                        <a class="row-link" href=href>{words::method(i18n, payment.method, t!(i18n, payment_method.cash))}</a>
                    </th>
                    <td class="whole">{words::hour(i18n, &payment.created_at)}</td>
                    <td class="number">{words::money(i18n, payment.amount)}</td>
                    <td>{label(i18n, &payment)}</td>
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
