//! The account page: past purchases, and recommendations.

use haat_shared::{orders::PurchaseCard, routes};
use leptos::prelude::*;

use super::{
    address_book::Addresses,
    cards::Cards,
    contact::Contact,
    invitation::Invitation,
    passwords::{Forgot, Reset},
    personal_data::PersonalData,
    privacy::Privacy,
    profile::EditProfile,
    recommendations,
    review::WriteReview,
    sign_in_code::SignInCode,
    wishlist::Wishes,
};
use crate::{
    api,
    i18n::{t, tn, tu_string, use_i18n},
    state::{address, query},
    ui::{EmptyState, LinkButton, PageTitle, Pager, Picture, loaded, unbroken},
    words,
};

/// The pages of an account: one to the list of pages, which every visitor loads.
#[component]
pub(crate) fn Account() -> impl IntoView {
    let address = address();
    let under = |path| address.starts_with(path);
    match () {
        () if under(routes::CARDS) => Cards().into_any(),
        () if under(routes::ADDRESSES) => Addresses().into_any(),
        () if under(routes::PERSONAL_DATA) => PersonalData().into_any(),
        () if under(routes::PROFILE) => EditProfile().into_any(),
        () if under(routes::WRITE_REVIEW.split('{').next().unwrap_or_default()) => WriteReview().into_any(),
        () if under(routes::FORGOT_PASSWORD) => Forgot().into_any(),
        () if under(routes::SIGN_IN_CODE) => SignInCode().into_any(),
        () if under(routes::CONTACT) => Contact().into_any(),
        () if under(routes::INVITATION.split('{').next().unwrap_or_default()) => Invitation().into_any(),
        () if under(routes::PRIVACY) => Privacy().into_any(),
        () if under(routes::WISHLIST) => Wishes().into_any(),
        () if !under(routes::ACCOUNT) => Reset().into_any(),
        () => Purchases().into_any(),
    }
}

/// The past purchases.
#[component]
fn Purchases() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (after, done) = (query("after"), query("done"));
    let found = api::find(
        move || after.get(),
        |after| async move {
            let page = api::orders::history(after.clone()).await?;
            Ok((after, page, api::cards::enabled().await?, api::recommendations::for_you().await?))
        },
    );
    loaded(found, move |(after, page, cards, recommended)| {
        let first = (!after.is_empty()).then(|| routes::ACCOUNT.to_owned());
        let next = page.next.map(|next| routes::with(routes::ACCOUNT, &[("after", &next)]));
        let list = if page.items.is_empty() {
            let (title, note) = (tu_string!(i18n, account.none), tu_string!(i18n, account.none_note));
            view! {
                <EmptyState icon="basket" title note>
                    <LinkButton href=routes::PRODUCTS>{t!(i18n, cart.shop_around)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            let rows = page.items.into_iter().map(|purchase| view! { <Row purchase /> }).collect_view();
            view! { <ul class="rows">{rows}</ul> }.into_any()
        };
        let cards = cards.then(|| view! { <a href=routes::CARDS>{t!(i18n, cards.title)}</a> });
        view! {
            <PageTitle text=tu_string!(i18n, account.title) />
            <div class="width page narrow">
                <h1>{t!(i18n, account.title)}</h1>
                <div class="actions">
                    <a href=routes::PROFILE>{t!(i18n, profile.title)}</a>
                    <a href=routes::ADDRESSES>{t!(i18n, addresses.title)}</a>
                    <a href=routes::APPOINTMENTS>{t!(i18n, services.appointments)}</a>
                    <a href=routes::WISHLIST>{t!(i18n, wishlist.title)}</a>
                    <a href=routes::PERSONAL_DATA>{t!(i18n, personal.title)}</a>
                    {cards}
                </div>
                <h2>{t!(i18n, account.history)}</h2>
                {list}
                <Pager first next next_words=tu_string!(i18n, account.next) />
                {recommendations::for_you(recommended, &done.get_untracked())}
            </div>
        }
    })
}

#[component]
fn Row(purchase: PurchaseCard) -> impl IntoView {
    let i18n = use_i18n();
    let name = tu_string!(i18n, account.purchase, number = purchase.number.as_str()).to_string();
    let [shops, count] = match purchase.orders {
        0 => Default::default(),
        orders => [tn!(i18n, account.orders, orders), tn!(i18n, account.items, purchase.items_total)],
    };
    let gifts = match purchase.gifts {
        0 => String::new(),
        count => tn!(i18n, gifts.count, count),
    };
    let way = purchase.shipping_method.unwrap_or_default();
    let state = purchase.state.map(|state| {
        let words = words::order_state(i18n, state, way);
        view! { <span class=format!("state {}", state.as_str())>{words}</span> }
    });
    let disputed = purchase
        .disputed
        .then(|| view! { " " <span class="state cancelled">{t!(i18n, account.disputed)}</span> });
    let titles = purchase.items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>().join(", ");
    let pictures = purchase
        .items
        .into_iter()
        .map(|item| view! { <Picture of=item.picture title=item.title sizes="56px" /> });
    view! {
        <li class="row purchase-row">
            <div class="purchase-pictures">{pictures.collect_view()}</div>
            <div class="purchase-what">
                <a class="row-link" href=routes::purchase(&purchase.number)>{unbroken(&name, &purchase.number)}</a>
                <p class="note dots"><span>{words::day(i18n, &purchase.created_at)}</span> {[shops, count, gifts].into_iter().filter(|words| !words.is_empty()).map(|words| view! { " " <span>{words}</span> }).collect_view()}</p>
                <p class="note one-line">{titles}</p>
                {state}
                {disputed}
            </div>
            <p class="price">{words::money(i18n, purchase.total)}</p>
        </li>
    }
}
