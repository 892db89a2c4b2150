//! The user's notifications, and the choice of what they get, and how.

use haat_shared::{
    announcements::paragraphs,
    notifications::{Channel, Notification, NotificationPreference, NotificationTopic},
    routes::{self, NOTIFICATION_SETTINGS, NOTIFICATIONS, with},
};
use leptos::prelude::*;

use super::push::PushSwitch;
use crate::{
    api,
    elsewhere::Elsewhere,
    i18n::{t, tu_string, use_i18n},
    state::{address, query},
    ui::{Alert, Button, EmptyState, LinkButton, PageTitle, Pager, loaded},
    words::{self, I18n},
};

/// Both pages: one to the list of pages, which every visitor loads.
#[component]
pub(crate) fn Notifications() -> impl IntoView {
    crate::head::keep_out();
    match address().starts_with(NOTIFICATION_SETTINGS) {
        true => Settings().into_any(),
        false => List().into_any(),
    }
}

#[component]
fn List() -> impl IntoView {
    let i18n = use_i18n();
    let (after, done) = (query("after"), query("done"));
    let elsewhere = expect_context::<Elsewhere>();
    let found = api::find(
        move || (after.get(), done.get(), elsewhere.changes()),
        |(after, ..)| async move { Ok((after.clone(), api::inbox::list(after).await?)) },
    );
    loaded(found, move |(after, found)| {
        let first = (!after.is_empty()).then(|| NOTIFICATIONS.to_owned());
        let next = found.page.next.map(|next| with(NOTIFICATIONS, &[("after", &next)]));
        let list = if found.page.items.is_empty() {
            let (title, note) =
                (tu_string!(i18n, notifications.none), tu_string!(i18n, notifications.none_note));
            view! { <EmptyState icon="bell" title note /> }.into_any()
        } else {
            let rows = found.page.items.into_iter().map(|of| row(i18n, of)).collect_view();
            view! { <ul class="rows">{rows}</ul> }.into_any()
        };
        let read_all = (found.unread > 0).then(|| {
            view! {
                <form method="post" action=NOTIFICATIONS>
                    <Button look="secondary">{t!(i18n, notifications.read_all)}</Button>
                </form>
            }
        });
        view! {
            <PageTitle text=tu_string!(i18n, notifications.title) />
            <div class="width page narrow">
                <h1>{t!(i18n, notifications.title)}</h1>
                <div class="actions">
                    {read_all}
                    <LinkButton look="quiet" href=NOTIFICATION_SETTINGS>{t!(i18n, notifications.settings)}</LinkButton>
                </div>
                {list}
                <Pager first next next_words=tu_string!(i18n, notifications.next) />
            </div>
        }
    })
}

/// A notification. It is a button, because opening it marks it as read.
fn row(i18n: I18n, of: Notification) -> AnyView {
    let new =
        (!of.read).then(|| view! { <span class="state placed">{t!(i18n, notifications.unread)}</span> });
    let text =
        paragraphs(&of.text).map(|part| view! { <p translate="no">{part.to_owned()}</p> }).collect_view();
    view! {
        <li class="row">
            <div>
                <form method="post" action=NOTIFICATIONS>
                    <button class="row-link" name="id" value=of.id.to_string()>{of.title}</button>
                </form>
                {text}
                <p class="note">{words::moment(i18n, &of.created_at)}</p>
            </div>
            {new}
        </li>
    }
    .into_any()
}

#[component]
fn Settings() -> impl IntoView {
    let i18n = use_i18n();
    let (done, user, token) = (query("done"), query("unsubscribe"), query("token"));
    // Whoever follows the link of an email may not be signed in.
    let by_link = move || !user.get().is_empty() || done.get() == "unsubscribe";
    let found = api::find(
        move || (done.get(), by_link()),
        |(_, by_link)| async move {
            match by_link {
                true => Ok(None),
                false => api::inbox::preferences().await.map(Some),
            }
        },
    );
    loaded(found, move |found| {
        let Some(found) = found else {
            return unsubscribe(i18n, user.get_untracked(), token.get_untracked());
        };
        let saved = (!done.get_untracked().is_empty())
            .then(|| view! { <Alert look="good">{t!(i18n, notifications.saved)}</Alert> });
        let topics = found.into_iter().map(|of| topic(i18n, of)).collect_view();
        view! {
            <PageTitle text=tu_string!(i18n, notifications.settings) />
            <div class="width page narrow">
                <p>
                    <a href=NOTIFICATIONS>{t!(i18n, notifications.title)}</a>
                </p>
                <h1>{t!(i18n, notifications.settings)}</h1>
                {saved}
                <form method="post" action=NOTIFICATION_SETTINGS class="panel form">
                    {topics}
                    <p class="note">{t!(i18n, notifications.always)}</p>
                    <div class="actions"><Button>{t!(i18n, notifications.save)}</Button></div>
                </form>
                <PushSwitch />
            </div>
        }
        .into_any()
    })
}

/// Asks whoever follows the link of an email, or says that it is done if there is no user.
fn unsubscribe(i18n: I18n, user: String, token: String) -> AnyView {
    let content = match user.parse() {
        Ok(user) => view! {
            <form method="post" action=with(&routes::unsubscribe(user), &[("token", &token)]) class="panel form">
                <p>{t!(i18n, notifications.unsubscribe_note)}</p>
                <div class="actions"><Button>{t!(i18n, notifications.unsubscribe)}</Button></div>
            </form>
        }
        .into_any(),
        Err(_) => view! { <Alert look="good">{t!(i18n, notifications.unsubscribed)}</Alert> }.into_any(),
    };
    view! {
        <PageTitle text=tu_string!(i18n, notifications.unsubscribe_title) />
        <div class="width page narrow">
            <h1>{t!(i18n, notifications.unsubscribe_title)}</h1>
            {content}
        </div>
    }
    .into_any()
}

fn topic(i18n: I18n, of: NotificationPreference) -> AnyView {
    let (title, note) = match of.topic {
        NotificationTopic::Purchases => {
            (t!(i18n, notifications.purchases), t!(i18n, notifications.purchases_note))
        }
        NotificationTopic::Sales => (t!(i18n, notifications.sales), t!(i18n, notifications.sales_note)),
        NotificationTopic::Messages => {
            (t!(i18n, notifications.messages), t!(i18n, notifications.messages_note))
        }
        NotificationTopic::Stock => (t!(i18n, notifications.stock), t!(i18n, notifications.stock_note)),
        NotificationTopic::Offers => (t!(i18n, notifications.offers), t!(i18n, notifications.offers_note)),
        NotificationTopic::Reviews => (t!(i18n, notifications.reviews), t!(i18n, notifications.reviews_note)),
        NotificationTopic::Payouts => (t!(i18n, notifications.payouts), t!(i18n, notifications.payouts_note)),
    };
    let boxes = Channel::ALL.into_iter().map(|channel| {
        let words = match channel {
            Channel::Email => t!(i18n, notifications.by_email),
            Channel::InApp => t!(i18n, notifications.in_app),
            Channel::Push => t!(i18n, notifications.by_push),
        };
        let name = of.topic.field(channel);
        view! {
            <div class="check">
                <input type="checkbox" id=name.clone() name=name.clone() value="1" checked=of.wants(channel) />
                <label for=name>{words}</label>
            </div>
        }
    });
    view! {
        <fieldset class="bare">
            <legend><strong>{title}</strong></legend>
            <p class="note">{note}</p>
            {boxes.collect_view()}
        </fieldset>
    }
    .into_any()
}
