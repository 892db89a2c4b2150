//! Gift cards: the page that shows what is left on one, and the page on which admins issue them.

use haat_shared::{
    Currency, Error, Money, amounts,
    gift_cards::GiftCardView,
    routes::{BUY_GIFT_CARD, GIFT_CARD, GIFT_CARDS},
};
use leptos::{prelude::*, web_sys};

use crate::{
    admin, api,
    i18n::{t, use_i18n},
    previewing::{self, PreviewButton},
    state::query,
    storefront::{draft_by, gifts},
    ui::{self, Alert, Button, CodeAlert, EmptyState, ErrorSummary, Field, PageTitle, Table, loaded},
    words::{self, I18n},
};

/// What is left on a gift card. The server looks the code up and leads to the card, so that no URL has the code.
#[component]
pub(crate) fn GiftCard() -> impl IntoView {
    crate::head::keep_out();
    let (card, key, error) = (query("card"), query("key"), query("error"));
    let found = api::find(
        move || (card.get(), key.get()),
        |(card, key)| async move {
            match card.parse() {
                Ok(id) => api::gift_cards::by_link(id, key).await.map(Some),
                Err(_) => Ok(None),
            }
        },
    );
    let i18n = use_i18n();
    loaded(found, move |card| {
        let shown = card.map(|card| {
            let expires = card.expires_at.as_ref().filter(|_| !card.expired);
            let expires = expires.map(|at| t!(i18n, gift_cards.expires, date = words::moment(i18n, at)));
            let unusable = match () {
                () if card.disabled => Some(t!(i18n, gift_cards.unusable)),
                () if card.expired => Some(t!(i18n, gift_cards.expired)),
                () => None,
            };
            view! {
                <section class="panel" aria-live="polite">
                    <h2>{t!(i18n, gift_cards.left, last4 = card.last4)}</h2>
                    <p class="price big">{words::money(i18n, card.balance)}</p>
                    <p class="note">{t!(i18n, gift_cards.of, price = card.issued)}</p>
                    {expires.map(|words| view! { <p class="note">{words}</p> })}
                    {unusable.map(|words| view! { <Alert>{words}</Alert> })}
                </section>
            }
        });
        let fault = move || error.with(|code| words::refusal_of(i18n, code, ""));
        view! {
            <PageTitle text=t!(i18n, gift_cards.check) />
            <div class="width page narrow">
                <h1>{t!(i18n, gift_cards.check)}</h1>
                <CodeAlert />
                <div class="form">
                {shown}
                <form method="post" action=GIFT_CARD class="form" novalidate>
                    <p class="note">{t!(i18n, gift_cards.check_note)}</p>
                    <div class="field" class:wrong=move || fault().is_some()>
                        <label for="code">{t!(i18n, gift_cards.code)}</label>
                        <input
                            id="code"
                            name="code"
                            type="text"
                            autocomplete="off"
                            autocapitalize="characters"
                            spellcheck="false"
                            aria-invalid=move || fault().map(|_| "true")
                            aria-describedby=move || fault().map(|_| "code-error")
                        />
                        {move || fault().map(|words| view! { <p class="field-error" id="code-error" role="alert">{words}</p> })}
                    </div>
                    <div class="actions"><Button>{t!(i18n, gift_cards.show)}</Button></div>
                </form>
                <p><a href=BUY_GIFT_CARD>{t!(i18n, gifts.buy)}</a></p>
                </div>
            </div>
        }
    })
}

/// The page on which admins issue gift cards, and disable them.
#[component]
pub(crate) fn MarketGiftCards() -> impl IntoView {
    let (draft, done, id, error) = (query("draft"), query("done"), query("n"), query("error"));
    let asked = previewing::asked();
    let found = api::find(
        move || (draft.get(), done.get(), id.get(), asked.get()),
        |(draft, done, id, asked)| async move {
            let issued = (done == "issue").then(|| id.parse().ok()).flatten();
            let (cards, currencies, code) = api::gift_cards::page(issued).await?;
            let draft = previewing::typed(draft_by("gift_card", draft).await?, asked);
            Ok((cards, currencies, code, draft, done))
        },
    );
    let i18n = use_i18n();
    let page = loaded(found, move |(cards, currencies, code, draft, done)| {
        let told = match done.as_str() {
            "disable" => Some(t!(i18n, gift_cards.disabled_done)),
            "refund" => Some(t!(i18n, gifts.refund_done)),
            "enable" => Some(t!(i18n, gift_cards.enabled_done)),
            _ => None,
        };
        let told = told.map(|words| view! { <Alert look="good">{words}</Alert> });
        let code = code.map(|code| {
            view! {
                <Alert look="good">
                    <p>{t!(i18n, gift_cards.issued)}</p>
                    <p class="price big" translate="no"><output id="issued-code">{code}</output></p>
                </Alert>
            }
        });
        let list = match cards.is_empty() {
            true => view! { <EmptyState icon="tag" title=t!(i18n, gift_cards.none) note=t!(i18n, gift_cards.none_note) /> }.into_any(),
            false => view! { <Cards cards /> }.into_any(),
        };
        let faults: Signal<Option<Error>> = Signal::stored(draft.error.clone());
        let typed = |name: &str| draft.typed(name);
        let thousand = previewing::or(&draft, BASKET, "1000");
        let currency = match typed("currency") {
            code if code.is_empty() => {
                currencies.first().map(|currency| currency.to_string()).unwrap_or_default()
            }
            code => code,
        };
        let previewed = RwSignal::new([typed("amount"), currency.clone(), thousand.clone()]);
        let read = move |event: web_sys::Event| {
            if let Some(field) = ui::typed(&event) {
                previewed.set(["amount", "currency", BASKET].map(field));
            }
        };
        let shown = move || previewed.with(|typed| pays(i18n, typed));
        view! {
            <PageTitle text=t!(i18n, gift_cards.title) />
            <h1>{t!(i18n, gift_cards.title)}</h1>
            <CodeAlert />
            {gifts::refused(i18n, &error.get_untracked())}
            {told}
            {code}
            <ErrorSummary faults labels=LABELS.map(|name| (name, label(i18n, name).to_owned())).to_vec() />
            <form method="post" action=GIFT_CARDS class="panel form" novalidate aria-labelledby="issue" on:input=read on:change=read>
                <h2 id="issue">{t!(i18n, gift_cards.issue)}</h2>
                <p class="note">{t!(i18n, gift_cards.issue_note)}</p>
                <input type="hidden" name="action" value="issue" />
                <div class="field-row">
                    <Field name="amount" label=label(i18n, "amount") value=typed("amount") required=true keys="decimal" faults />
                    <Currencies currencies chosen=currency />
                </div>
                <Field name="reason" label=label(i18n, "reason") value=typed("reason") required=true hint=t!(i18n, gift_cards.reason_hint) faults />
                <Field name="expires_on" kind="date" label=label(i18n, "expires_on") value=typed("expires_on") optional=true hint=t!(i18n, gift_cards.expires_hint) faults />
                {previewing::preview(BASKET, t!(i18n, gift_cards.preview), "decimal", thousand, shown)}
                <div class="actions">
                    <Button>{t!(i18n, gift_cards.issue)}</Button>
                    <PreviewButton />
                </div>
            </form>
            {list}
        }
    });
    admin::gift_cards_page(page.into_any())
}

const LABELS: [&str; 4] = ["amount", "currency", "reason", "expires_on"];

/// The field of what the basket of the preview costs.
const BASKET: &str = "preview_total";

/// What a card of an amount would pay of a basket, and what would be left of both.
fn pays(i18n: I18n, [amount, currency, total]: &[String; 3]) -> AnyView {
    let read = |typed: &str| amounts::read("amount", typed, currency.parse().ok()?).ok();
    let (Some(card), Some(total)) = (read(amount), read(total)) else {
        return view! { <p class="note">{t!(i18n, promotions.preview_later)}</p> }.into_any();
    };
    let paid = Money::new(card.amount().min(total.amount()), total.currency());
    let rest = |of: Money| Money::new(of.amount() - paid.amount(), of.currency());
    let rows = [
        (t!(i18n, cart.total), words::money(i18n, total)),
        (t!(i18n, payment_method.gift_card), format!("−{}", words::money(i18n, paid))),
        (t!(i18n, checkout.to_pay), words::money(i18n, rest(total))),
        (t!(i18n, gift_cards.balance), words::money(i18n, rest(card))),
    ];
    let rows = rows.map(|(name, amount)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{amount}</dd>
            </div>
        }
    });
    view! { <dl class="sums">{rows}</dl> }.into_any()
}

fn label(i18n: I18n, name: &str) -> &'static str {
    match name {
        "amount" => t!(i18n, gift_cards.amount),
        "currency" => t!(i18n, gift_cards.currency),
        "reason" => t!(i18n, gift_cards.reason),
        _ => t!(i18n, gift_cards.expires_on),
    }
}

/// The currency of a new card, if there is a choice.
#[component]
fn Currencies(currencies: Vec<Currency>, chosen: String) -> impl IntoView {
    let i18n = use_i18n();
    if currencies.len() < 2 {
        return view! { <input type="hidden" name="currency" value=chosen /> }.into_any();
    }
    let options = currencies.into_iter().map(|currency| {
        let code = currency.to_string();
        view! { <option value=code.clone() selected=code == chosen>{code.clone()}</option> }
    });
    view! {
        <div class="field">
            <label for="currency">{label(i18n, "currency")}</label>
            <select id="currency" name="currency">{options.collect_view()}</select>
        </div>
    }
    .into_any()
}

/// The latest cards.
#[component]
fn Cards(cards: Vec<GiftCardView>) -> impl IntoView {
    let i18n = use_i18n();
    let rows = cards.into_iter().map(|card| {
        let state = match () {
            () if card.refunded => t!(i18n, gifts.refunded),
            () if card.disabled => t!(i18n, gift_cards.disabled),
            () if card.expired => t!(i18n, gift_cards.over),
            () if card.balance.amount() == 0 => t!(i18n, gift_cards.used_up),
            () => t!(i18n, gift_cards.active),
        };
        let (action, words) = match card.disabled {
            true => ("enable", t!(i18n, gift_cards.enable)),
            false => ("disable", t!(i18n, gift_cards.disable)),
        };
        let name = words::gift_card(i18n, &card.last4);
        let why = match &card.purchase {
            Some(number) => t!(i18n, gifts.bought_in, number = number),
            None => card.reason.clone(),
        };
        // Only what was bought and not used goes back to its buyer.
        let refund = (card.purchase.is_some() && !card.refunded && card.balance == card.issued).then(|| {
            let words = t!(i18n, gifts.refund);
            let about = format!("{words} {name}");
            view! { <button type="submit" class="button quiet" name="action" value="refund" aria-label=about>{words}</button> }
        });
        let change = !card.refunded;
        let about = format!("{words} {name}");
        view! {
            <tr>
                <th scope="row">
                    {name}
                    <span class="note below">{format!("{state} · {why}")}</span>
                </th>
                <td class="number">{words::money(i18n, card.balance)}</td>
                <td class="number wide">{words::money(i18n, card.issued)}</td>
                <td class="wide">{words::moment(i18n, &card.created_at)}</td>
                <td>
                    <form method="post" action=GIFT_CARDS class="actions">
                        <input type="hidden" name="id" value=card.id.to_string() />
                        {change.then(|| view! { <button type="submit" class="button quiet" name="action" value=action aria-label=about>{words}</button> })}
                        {refund}
                    </form>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = vec![
        (t!(i18n, payment_method.gift_card), ""),
        (t!(i18n, gift_cards.balance), "number"),
        (t!(i18n, gift_cards.amount), "number wide"),
        (t!(i18n, gift_cards.issued_at), "wide"),
        (t!(i18n, taxes.actions), ""),
    ];
    view! { <Table caption=t!(i18n, gift_cards.title) columns>{rows}</Table> }
}
