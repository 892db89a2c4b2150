//! Gift cards that are bought: the page that sells them, and how baskets, checkouts and purchases show them.

use haat_shared::{
    Error,
    forms::Draft,
    gift_cards::{BoughtGift, CartGift, Gift, GiftCardForm, GiftCardTerms, MESSAGE_MAX},
    routes,
};
use leptos::prelude::*;

use super::draft_by;
use crate::{
    api,
    i18n::{t, use_i18n},
    locales::LANGUAGES,
    state::{Choices, query},
    ui::{
        Alert, Button, Choice, CodeAlert, EmptyState, ErrorSummary, Field, Icon, LinkButton, PageTitle,
        Select, TextArea, awaited, loaded,
    },
    words::{self, I18n},
};

/// The page that sells gift cards. It is a plain form, with and without JavaScript.
#[component]
pub(crate) fn BuyGiftCard() -> impl IntoView {
    let (draft, error) = (query("draft"), query("error"));
    let found = api::find(
        move || draft.get(),
        |draft| async move { Ok((api::gift_cards::offer().await?, draft_by("gift", draft).await?)) },
    );
    let i18n = use_i18n();
    loaded(found, move |(offer, draft)| {
        let form = match offer {
            Some((terms, days)) => view! { <Form terms days draft /> }.into_any(),
            None => {
                let (title, note) = (t!(i18n, gifts.not_sold), t!(i18n, gifts.not_sold_note));
                view! {
                    <EmptyState icon="tag" title note>
                        <LinkButton href=routes::PRODUCTS>{t!(i18n, cart.shop_around)}</LinkButton>
                    </EmptyState>
                }
                .into_any()
            }
        };
        view! {
            <PageTitle text=t!(i18n, gifts.buy) />
            <div class="width page narrow">
                <h1>{t!(i18n, gifts.buy)}</h1>
                <p>{t!(i18n, gifts.lead)}</p>
                <CodeAlert />
                {refused(i18n, &error.get_untracked())}
                {form}
                <p class="page-next"><a href=routes::GIFT_CARD>{t!(i18n, gift_cards.check)}</a></p>
            </div>
        }
    })
}

/// Why a gift card was refused, above the form.
pub(crate) fn refused(i18n: I18n, code: &str) -> Option<AnyView> {
    let words = words::refusal_of(i18n, code, "")?;
    Some(view! { <Alert>{words}</Alert> }.into_any())
}

fn label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "amount" => t!(i18n, gift_cards.amount),
        "own_amount" => t!(i18n, gifts.own_amount),
        "recipient_name" => t!(i18n, gifts.recipient_name),
        "recipient_email" => t!(i18n, gifts.recipient_email),
        "sender_name" => t!(i18n, gifts.sender_name),
        "message" => t!(i18n, gifts.message),
        "send_on" => t!(i18n, gifts.send_on),
        _ => t!(i18n, gifts.language),
    }
}

#[component]
fn Form(terms: GiftCardTerms, days: [String; 2], draft: Draft) -> impl IntoView {
    let i18n = use_i18n();
    let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
    let typed = |name: &str| draft.typed(name);
    let options = terms.suggested.iter().map(|amount| {
        let words = words::money(i18n, *amount);
        (amount.plain(), words, String::new())
    });
    let options: Vec<_> = options.collect();
    let amount = match typed("amount") {
        none if none.is_empty() => options.first().map(|(amount, ..)| amount.clone()).unwrap_or_default(),
        amount => amount,
    };
    let locale = match typed("locale") {
        none if none.is_empty() => t!(i18n, plurals.language).to_owned(),
        locale => locale,
    };
    let between = t!(i18n, gifts.own_amount_hint, least = terms.least, most = terms.most);
    let [_, last] = days;
    let send_hint = t!(i18n, gifts.send_on_hint, last = words::day(i18n, &last));
    let labels = GiftCardForm::FIELDS.map(|name| (name, label(i18n, name).to_owned())).to_vec();
    view! {
        <ErrorSummary faults labels />
        <form method="post" action=routes::FORM_BUY_GIFT_CARD class="panel form" novalidate id="gift-card">
            <Choice name="amount" label=label(i18n, "amount") value=amount options faults />
            <Field name="own_amount" label=label(i18n, "own_amount") value=typed("own_amount") optional=true keys="decimal" hint=between faults />
            <h2>{t!(i18n, gifts.for_whom)}</h2>
            <Field name="recipient_name" label=label(i18n, "recipient_name") value=typed("recipient_name") optional=true faults />
            <Field name="recipient_email" kind="email" label=label(i18n, "recipient_email") value=typed("recipient_email") optional=true hint=t!(i18n, gifts.recipient_email_hint) faults />
            <Field name="sender_name" label=label(i18n, "sender_name") value=typed("sender_name") optional=true autocomplete="name" faults />
            <TextArea name="message" label=label(i18n, "message") value=typed("message") optional=true hint=t!(i18n, gifts.message_hint, n = MESSAGE_MAX as i64) faults />
            <Field name="send_on" kind="date" label=label(i18n, "send_on") value=typed("send_on") optional=true hint=send_hint faults />
            <Select name="locale" label=label(i18n, "locale") value=locale options=LANGUAGES.to_vec() faults />
            <div class="actions"><Button>{t!(i18n, gifts.add)}</Button></div>
            <p class="note">{t!(i18n, gifts.pays_in, currency = terms.least.currency().code())} " " {t!(i18n, gifts.terms)}</p>
        </form>
    }
}

/// `Gift card for Ravi`, or without a recipient, `Gift card`.
pub(crate) fn title(i18n: I18n, gift: &Gift) -> String {
    match gift.recipient() {
        "" => t!(i18n, payment_method.gift_card).to_owned(),
        name => t!(i18n, gifts.of, name = name),
    }
}

/// When it is sent.
pub(crate) fn when(i18n: I18n, gift: &Gift) -> String {
    match gift.send_on.as_str() {
        "" => t!(i18n, gifts.sent_at_once).to_owned(),
        day => t!(i18n, gifts.sent_on, date = words::day(i18n, day)),
    }
}

/// The gift cards that are bought, with what else is to be shown of each.
pub(crate) fn lines(i18n: I18n, gifts: Vec<(Gift, AnyView)>) -> impl IntoView + use<> {
    let lines = gifts.into_iter().map(|(gift, more)| {
        let message =
            (!gift.message.is_empty()).then(|| view! { <span class="note">{gift.message.clone()}</span> });
        let to = (!gift.recipient_name.is_empty() && !gift.recipient_email.is_empty())
            .then(|| view! { <span class="note">{gift.recipient_email.clone()}</span> });
        view! {
            <li>
                <Icon name="tag" />
                <span class="bought-count">{t!(i18n, checkout.quantity, n = 1)}</span>
                <span class="bought-title">{title(i18n, &gift)} {to} {message} {more}</span>
                <span class="price">{words::money(i18n, gift.amount)}</span>
            </li>
        }
    });
    view! { <ul class="bought">{lines.collect_view()}</ul> }
}

/// The gift cards in a basket, whose form has the buttons that remove them.
pub(crate) fn in_cart(i18n: I18n, gifts: Vec<CartGift>) -> Option<AnyView> {
    if gifts.is_empty() {
        return None;
    }
    let gifts = gifts.into_iter().map(|CartGift { id, gift }| {
        let remove = t!(i18n, cart.remove_of, title = title(i18n, &gift));
        let more = view! {
            <span class="note">{when(i18n, &gift)}</span>
            <button type="submit" class="button quiet" formaction=routes::FORM_CODES name="remove_gift" value=id.to_string() aria-label=remove>
                {t!(i18n, cart.remove)}
            </button>
        };
        (gift, more.into_any())
    });
    let gifts: Vec<(Gift, AnyView)> = gifts.collect();
    // Whoever has chosen another currency wonders why all prices are in this one.
    let currency = gifts[0].0.amount.currency();
    let why = awaited(expect_context::<Choices>().0, move |choices| {
        let other = choices.unwrap_or_default().iter().any(|(of, chosen)| *chosen && *of != currency);
        let words = other.then(|| t!(i18n, gifts.basket_in, currency = currency.code()));
        words.map(|words| view! { <p class="note">{words}</p> }).into_any()
    });
    Some(
        view! {
            <section class="group">
                <h2 class="group-shop">{t!(i18n, gift_cards.title)}</h2>
                {lines(i18n, gifts)}
                {why}
                <p class="note">{t!(i18n, gifts.by_email)}</p>
            </section>
        }
        .into_any(),
    )
}

/// The gift cards that a checkout buys.
pub(crate) fn in_checkout(i18n: I18n, gifts: Vec<Gift>) -> Option<AnyView> {
    if gifts.is_empty() {
        return None;
    }
    let gifts = gifts.into_iter().map(|gift| {
        let when = view! { <span class="note">{when(i18n, &gift)}</span> }.into_any();
        (gift, when)
    });
    let gifts = gifts.collect();
    Some(view! { <h3 class="summary-shop">{t!(i18n, gift_cards.title)}</h3> {lines(i18n, gifts)} }.into_any())
}

/// The gift cards of a purchase, which can be sent again.
pub(crate) fn in_purchase(i18n: I18n, gifts: Vec<BoughtGift>, action: &str, key: &str) -> Option<AnyView> {
    if gifts.is_empty() {
        return None;
    }
    let gifts = gifts.into_iter().map(|BoughtGift { id, gift, sent_at, refunded }| {
        let state = match (&sent_at, refunded) {
            (_, true) => t!(i18n, gifts.refunded).to_owned(),
            (Some(at), false) => t!(i18n, gifts.sent, date = words::moment(i18n, at)),
            (None, false) => when(i18n, &gift),
        };
        let again = (sent_at.is_some() && !refunded).then(|| {
            view! {
                <form method="post" action=action.to_owned() class="actions">
                    <input type="hidden" name="key" value=key.to_owned() />
                    <input type="hidden" name="gift" value=id.to_string() />
                    <button type="submit" class="button quiet" name="action" value="resend_gift" aria-label=format!("{}: {}", t!(i18n, gifts.resend), title(i18n, &gift))>
                        {t!(i18n, gifts.resend)}
                    </button>
                </form>
            }
        });
        let more = view! { <span class="note">{state}</span> {again} }.into_any();
        (gift, more)
    });
    let gifts = gifts.collect();
    Some(
        view! {
            <section class="panel order">
                <header class="order-head"><h2>{t!(i18n, gift_cards.title)}</h2></header>
                {lines(i18n, gifts)}
            </section>
        }
        .into_any(),
    )
}
