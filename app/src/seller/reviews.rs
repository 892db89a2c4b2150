//! The reviews of a shop's products, and the shop's replies.

use haat_shared::{forms::Draft, page::ListRequest, reviews::ShopReview, routes};
use leptos::prelude::*;

use super::{Dashboard, Part};
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::{param, query},
    storefront::{draft_by, shown_review},
    ui::{Alert, Chip, CodeAlert, EmptyState, LinkButton, PageTitle, Pager, chips, loaded},
    words::{self, I18n},
};

/// The reviews.
#[component]
pub(crate) fn Reviews() -> impl IntoView {
    let i18n = use_i18n();
    let (handle, state, after) = (param("handle"), query("state"), query("after"));
    let (done, draft) = (query("done"), query("draft"));
    let found = api::find(
        move || (handle.get(), state.get(), after.get(), draft.get()),
        |(handle, state, after, draft)| async move {
            let of = ListRequest { state, after, ..ListRequest::default() };
            let table = api::reviews::of_shop(handle.clone(), of.clone()).await?;
            Ok((handle, of, table, draft_by("reply", draft).await?))
        },
    );
    let list = loaded(found, move |(handle, of, table, draft)| {
        let path = routes::shop_reviews(&handle);
        let at = |state: &str, after: &str| routes::with(&path, &[("state", state), ("after", after)]);
        let all: i64 = (1..=5).map(|stars: i64| table.count(&stars.to_string())).sum();
        let mut choices =
            vec![Chip::from((at("", ""), t!(i18n, seller_orders.all), of.state.is_empty())).counting(all)];
        let here = |state: &str| of.state == state;
        let chip = |state: &str, words: String| {
            let (href, count) = (at(if here(state) { "" } else { state }, ""), table.count(state));
            Chip::filter(href, words, here(state)).counting(count)
        };
        choices.push(chip("unanswered", t!(i18n, reviews.unanswered).to_owned()));
        choices.extend(
            (1..=5).rev().map(|stars: i64| chip(&stars.to_string(), tn!(i18n, reviews.stars, stars))),
        );
        let told = match done.get_untracked().as_str() {
            "reply" => Some(t!(i18n, reviews.done_reply)),
            "unreply" => Some(t!(i18n, reviews.done_unreply)),
            _ => None,
        };
        let told = told.map(|words| view! { <Alert look="good">{words}</Alert> });
        let first = (!of.after.is_empty()).then(|| at(&of.state, ""));
        let next = table.page.next.as_deref().map(|next| at(&of.state, next));
        let contents = if !table.page.items.is_empty() {
            let action = at(&of.state, &of.after);
            let items = table.page.items.into_iter().map(|review| item(i18n, review, &action, &draft));
            view! {
                <ol class="reviews">{items.collect_view()}</ol>
                <Pager first next next_words=t!(i18n, reviews.next) />
            }
            .into_any()
        } else if of.is_filtered() {
            view! {
                <EmptyState icon="search" title=t!(i18n, products.none) note="">
                    <LinkButton href=path.clone() look="secondary">{t!(i18n, admin.show_all)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <EmptyState icon="heart" title=t!(i18n, reviews.none) note=t!(i18n, reviews.shop_none) /> }
                .into_any()
        };
        view! {
            <PageTitle text=t!(i18n, reviews.title) />
            <h1>{t!(i18n, reviews.title)}</h1>
            <CodeAlert />
            {told}
            <div class="list-tools">{chips(t!(i18n, reviews.filter), choices)}</div>
            {contents}
        }
    });
    view! { <Dashboard here=Part::Reviews>{list}</Dashboard> }
}

/// A review, and the form to reply to it.
fn item(i18n: I18n, review: ShopReview, action: &str, draft: &Draft) -> AnyView {
    let ShopReview { product_title, product_slug, shop_name, review, .. } = review;
    let id = review.id.to_string();
    let mine = draft.error.is_some() && draft.typed("review") == id;
    let stored = review.reply.as_ref().map(|reply| reply.text.clone()).unwrap_or_default();
    let answered = !stored.is_empty();
    let words = if answered { t!(i18n, reviews.reply_edit) } else { t!(i18n, reviews.reply) };
    // Leptos does not escape the content of a textarea.
    let inside = if mine { draft.typed("reply") } else { stored };
    let inside = inside.replace('&', "&amp;").replace('<', "&lt;");
    let fault = draft.error.as_ref().filter(|_| mine).and_then(|error| error.at("reply"));
    let wrong = fault.is_some();
    let (field, hint, error) =
        (format!("reply-{id}"), format!("reply-{id}-hint"), format!("reply-{id}-error"));
    let described = if wrong { format!("{error} {hint}") } else { hint.clone() };
    let fault = fault.map(|code| {
        view! { <p class="field-error" id=error role="alert">{words::fault(i18n, "reply", code)}</p> }
    });
    let remove = answered.then(|| {
        view! {
            <button type="submit" class="button quiet" name="action" value="unreply">{t!(i18n, reviews.reply_remove)}</button>
        }
    });
    view! {
        <li class="panel">
            <p><a href=routes::product(&product_slug) translate="no">{product_title}</a></p>
            {shown_review(i18n, review, &shop_name)}
            <details class="more-of" open=mine>
                <summary>{words}</summary>
                <form method="post" action=action.to_owned() class="form" novalidate>
                    <input type="hidden" name="review" value=id />
                    <div class="field" class:wrong=wrong>
                        <label for=field.clone()>{t!(i18n, reviews.reply)}</label>
                        <textarea id=field name="reply" rows="4" inner_html=inside aria-describedby=described aria-invalid=wrong.then_some("true")></textarea>
                        {fault}
                        <p class="field-hint" id=hint>{t!(i18n, reviews.reply_hint)}</p>
                    </div>
                    <div class="actions">
                        <button type="submit" class="button primary" name="action" value="reply">{t!(i18n, reviews.reply_save)}</button>
                        {remove}
                    </div>
                </form>
            </details>
        </li>
    }
    .into_any()
}
