//! The delivery log: who was notified of what, through which channel, and what has become of it.

use haat_shared::{
    audit::{Delivery as Details, DeliveryCard, DeliveryState},
    notifications::Channel,
    page::ListRequest,
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{
    AdminPage, List, Part, announcements::language, asked, filters, foot, may, subject::subject, url, zone_of,
};
use crate::{
    api,
    i18n::{t, use_i18n},
    state::{Visitor, param, query},
    ui::{Alert, Button, Chip, CodeAlert, PageTitle, chips, loaded, search},
    words::{self, I18n},
};

fn state_words(i18n: I18n, state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => t!(i18n, admin.waiting),
        DeliveryState::Delivered => t!(i18n, admin.delivered),
        DeliveryState::Failed => t!(i18n, admin.dead),
        DeliveryState::Resent => t!(i18n, admin.sent_again),
    }
}

fn label(i18n: I18n, state: DeliveryState) -> impl IntoView {
    let look = match state {
        DeliveryState::Waiting => "placed",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "dead",
        DeliveryState::Resent => "confirmed",
    };
    view! { <span class=format!("state {look}")>{state_words(i18n, state)}</span> }
}

fn channel_words(i18n: I18n, channel: Channel) -> &'static str {
    match channel {
        Channel::Email => t!(i18n, admin.by_email),
        Channel::InApp => t!(i18n, admin.on_site),
        Channel::Push => t!(i18n, admin.by_push),
    }
}

/// What it says first, or what it announces as long as it was never tried.
fn title(i18n: I18n, card: &DeliveryCard) -> String {
    match card.title.is_empty() {
        true => words::email_kind(i18n, &card.kind).to_owned(),
        false => card.title.clone(),
    }
}

/// All notifications, the latest first.
#[component]
pub(crate) fn Deliveries() -> impl IntoView {
    let i18n = use_i18n();
    let done = query("done");
    let found = api::find(asked(), |of| async move {
        api::notifications::list(of.clone()).await.map(|table| (of, table))
    });
    let list = loaded(found, move |(of, table)| {
        let path = Part::Deliveries.path();
        let states: Vec<_> = std::iter::once(("", t!(i18n, seller_orders.all)))
            .chain(DeliveryState::ALL.map(|state| (state.as_str(), state_words(i18n, state))))
            .collect();
        let late = |card: &DeliveryCard| card.state == DeliveryState::Waiting && card.attempts >= 3;
        let late = table.page.items.iter().any(late);
        let rows = of.limit.map(|rows| rows.to_string()).unwrap_or_default();
        let kept = [("state", of.state.as_str()), ("channel", &of.channel), ("rows", &rows)];
        let tools = view! {
            <CodeAlert />
            <Done what=done.get_untracked() />
            {late.then(|| view! { <Alert look="warning">{t!(i18n, admin.delayed_note)}</Alert> })}
            <p class="lead">{t!(i18n, admin.deliveries_note)}</p>
            <div class="list-tools">
                {search(path.to_owned(), &of.q, t!(i18n, admin.search_deliveries), &kept)}
                {filters(t!(i18n, seller_orders.state), path, &of, &states, |state| table.count(state))}
                {channels(i18n, path, &of)}
            </div>
        };
        let total = table.count(&of.state);
        List {
            part: Part::Deliveries,
            filtered: of.is_filtered(),
            zone_of: zone_of(&table.page, |card| &card.created_at),
            tools: tools.into_any(),
            foot: foot(path, &of, total, table.page.next),
            columns: vec![
                (t!(i18n, admin.subject), ""),
                (t!(i18n, admin.channel), "wide"),
                (t!(i18n, admin.attempts), "number wide"),
                (t!(i18n, admin.at), "wide"),
                (t!(i18n, seller_orders.state), ""),
            ]
            .into(),
            rows: table.page.items.into_iter().map(|card| row(card, &of).into_any()).collect(),
            none: t!(i18n, admin.no_deliveries),
        }
        .show()
    });
    view! { <AdminPage here=Part::Deliveries>{list}</AdminPage> }
}

/// The filters by channel.
fn channels(i18n: I18n, path: &str, of: &ListRequest) -> AnyView {
    let chip = |channel: Channel| {
        let here = of.channel == channel.as_str();
        let chosen = if here { String::new() } else { channel.as_str().to_owned() };
        let href = url(path, &ListRequest { channel: chosen, after: String::new(), ..of.clone() });
        Chip::filter(href, channel_words(i18n, channel), here)
    };
    chips(t!(i18n, admin.channel), Channel::ALL.map(chip).into()).into_any()
}

/// The result of an action before a redirect.
#[component]
fn Done(what: String) -> impl IntoView {
    let i18n = use_i18n();
    (what == "resend").then(|| view! { <Alert look="good">{t!(i18n, admin.resent)}</Alert> })
}

fn row(card: DeliveryCard, of: &ListRequest) -> impl IntoView + use<> {
    let i18n = use_i18n();
    // The page links back to the list as it is.
    let href = url(&routes::delivery(card.id), of);
    let at = words::hour(i18n, &card.created_at);
    let channel = channel_words(i18n, card.channel);
    let error = (!card.error.is_empty())
        .then(|| view! { <span class="note below why" translate="no">{card.error.clone()}</span> });
    view! {
        <tr>
            <th scope="row">
                <a class="row-link" translate="no" href=href>{title(i18n, &card)}</a>
                <span class="note below" translate="no">{card.to}</span>
                <span class="note narrow"><span class="dots"><span>{channel}</span> " " <span>{at.clone()}</span></span></span>
                {error}
            </th>
            <td class="wide">{channel}</td>
            <td class="number wide">{card.attempts}</td>
            <td class="wide">{at}</td>
            <td>{label(i18n, card.state)}</td>
        </tr>
    }
}

/// A notification, with what happened to it.
#[component]
pub(crate) fn Delivery() -> impl IntoView {
    let (id, done) = (param("id"), query("done"));
    let visitor = expect_context::<Visitor>();
    let found = api::find(
        move || (id.get(), done.get()),
        move |(id, _)| async move {
            let details = api::notifications::read(api::id(&id)?).await?;
            Ok((details, may(visitor, AdminPermission::ManageEmails).await))
        },
    );
    let page = loaded(found, |(details, manages)| view! { <Shown details manages /> });
    view! { <AdminPage here=Part::Deliveries>{page}</AdminPage> }
}

#[component]
fn Shown(details: Details, manages: bool) -> impl IntoView {
    let i18n = use_i18n();
    let resendable = manages && details.can_be_resent();
    let Details { card, about, locale, sent_at, next_at, text, repeats, repeated_as } = details;
    let back = url(Part::Deliveries.path(), &untrack(asked()));
    let heading = title(i18n, &card);
    let time = |at: Option<String>| at.map(|at| words::moment(i18n, &at)).unwrap_or_default();
    let facts = [
        (t!(i18n, admin.channel), channel_words(i18n, card.channel).to_owned(), true),
        (t!(i18n, admin.notice_kind), words::email_kind(i18n, &card.kind).to_owned(), true),
        (t!(i18n, admin.locale), language(i18n, &locale).to_owned(), false),
        (t!(i18n, admin.attempts), words::number(i18n, card.attempts), true),
        (t!(i18n, admin.at), words::moment(i18n, &card.created_at), true),
        (t!(i18n, admin.delivered), time(sent_at), true),
        (t!(i18n, admin.next_attempt), time(next_at), true),
        (t!(i18n, admin.last_error), card.error, false),
    ];
    let facts = facts.into_iter().filter(|(_, value, _)| !value.is_empty()).map(|(name, value, ours)| {
        let translate = (!ours).then_some("no");
        view! {
            <div>
                <dt>{name}</dt>
                <dd translate=translate><bdi>{value}</bdi></dd>
            </div>
        }
    });
    let facts = facts.collect_view();
    let to = match card.user {
        Some(user) => view! { <a href=routes::user(user)>{card.to}</a> }.into_any(),
        None => card.to.into_any(),
    };
    let resend = resendable.then(|| {
        let page = routes::delivery(card.id);
        view! {
            <form method="post" action=page class="panel form">
                <input type="hidden" name="back" value=routes::delivery(card.id) />
                <p class="note">{t!(i18n, admin.resend_note)}</p>
                <Button look="secondary">{t!(i18n, admin.resend)}</Button>
            </form>
        }
    });
    let link = |id, words: &'static str| view! { <p><a href=routes::delivery(id)>{words}</a></p> };
    let text = match (text, card.channel) {
        (Some(text), _) => {
            Some(view! { <pre class="panel mail-text" translate="no">{text}</pre> }.into_any())
        }
        (None, Channel::Email) if card.state == DeliveryState::Delivered => {
            Some(view! { <p class="note">{t!(i18n, admin.no_text)}</p> }.into_any())
        }
        _ => None,
    };
    view! {
        <PageTitle text=heading.clone() />
        <p class="back"><a href=back>{t!(i18n, admin.all_deliveries)}</a></p>
        <CodeAlert />
        <Done what=query("done").get_untracked() />
        <header class="order-head">
            <div>
                <h1 translate="no">{heading}</h1>
                <p class="note" translate="no">{to}</p>
                {subject(i18n, about)}
            </div>
            {label(i18n, card.state)}
        </header>
        {repeats.map(|id| link(id, t!(i18n, admin.repeats)))}
        {repeated_as.map(|id| link(id, t!(i18n, admin.repeated_as)))}
        <section class="panel" aria-labelledby="details">
            <h2 id="details">{t!(i18n, payouts.details)}</h2>
            <dl class="details">{facts}</dl>
        </section>
        {resend}
        {text}
    }
}
