//! The reviews on the page of a product. They are data, links and plain forms.

use haat_shared::{
    FieldCode,
    catalog::ProductView,
    forms::Draft,
    reports::ReportReason,
    reviews::{ProductReviews, RATING_MAX, ReviewView},
    routes,
};
use leptos::prelude::*;
use serde_json::{Value, json};

use crate::{
    i18n::{t, tn, use_i18n},
    ui::{Alert, Pager, sorts},
    words::{self, I18n},
};

/// Stars that show a rating, and say it.
fn stars(i18n: I18n, rating: i64) -> AnyView {
    let full = usize::try_from(rating.clamp(0, RATING_MAX)).unwrap_or_default();
    let drawn = format!("{}{}", "★".repeat(full), "☆".repeat(RATING_MAX as usize - full));
    view! {
        <span class="stars" aria-hidden="true">{drawn}</span>
        <span class="hidden">{tn!(i18n, reviews.stars, rating)}</span>
    }
    .into_any()
}

/// The rating below the title of a product, which leads to its reviews. Nothing without reviews.
pub(super) fn rating(i18n: I18n, product: &ProductView) -> Option<AnyView> {
    let average = product.rating.average.as_deref()?;
    let view = view! {
        <p class="product-rating">
            <a href="#reviews" rel="external">
                <span class="stars" aria-hidden="true">"★ "</span>
                {t!(i18n, reviews.average, average = average)}
                " · "
                {tn!(i18n, reviews.count, product.rating.count)}
            </a>
        </p>
    };
    Some(view.into_any())
}

/// The rating and the reviews of this page for search engines.
pub(super) fn facts(product: &mut Value, found: &ProductReviews, i18n: I18n) {
    let Some(average) = &found.rating.average else { return };
    product["aggregateRating"] = json!({
        "@type": "AggregateRating",
        "ratingValue": average,
        "reviewCount": found.rating.count,
        "bestRating": RATING_MAX,
        "worstRating": 1,
    });
    let review = |review: &ReviewView| {
        json!({
            "@type": "Review",
            "author": { "@type": "Person", "name": author(i18n, review) },
            "datePublished": review.created_at.get(..10),
            "name": review.title,
            "reviewBody": review.text,
            "reviewRating": { "@type": "Rating", "ratingValue": review.rating, "bestRating": RATING_MAX, "worstRating": 1 },
        })
    };
    product["review"] = found.items.iter().map(review).collect();
}

fn author(i18n: I18n, review: &ReviewView) -> String {
    review.author.clone().unwrap_or_else(|| t!(i18n, reviews.shopper).to_owned())
}

/// What the reviews of a page depend on: how they are sorted, from where, and what came of a form.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) sort: String,
    pub(super) after: String,
    pub(super) done: String,
    pub(super) draft: Draft,
}

/// The reviews.
pub(super) fn reviews(slug: &str, shop: &str, found: ProductReviews, asked: &Asked) -> AnyView {
    let i18n = use_i18n();
    let path = routes::product(slug);
    let at = |sort: &str, after: &str| {
        format!("{}#reviews", routes::with(&path, &[("reviews", sort), ("after", after)]))
    };
    let count = found.rating.count;
    let summary = match &found.rating.average {
        None => view! { <p class="note">{t!(i18n, reviews.none)}</p> }.into_any(),
        Some(average) => {
            let rows = (1..=RATING_MAX).rev().zip(found.stars).map(|(stars, n)| {
                view! {
                    <li>
                        <span>{tn!(i18n, reviews.stars, stars)}</span>
                        <meter min="0" max=count.to_string() value=n.to_string() aria-hidden="true"></meter>
                        <span>{words::number(i18n, n)}</span>
                    </li>
                }
            });
            let helpful = asked.sort == "helpful";
            let orders = (count > 1).then(|| {
                sorts(vec![
                    (at("", ""), t!(i18n, reviews.newest), !helpful),
                    (at("helpful", ""), t!(i18n, reviews.most_helpful), helpful),
                ])
            });
            view! {
                <p class="review-average">
                    <strong>{t!(i18n, reviews.average, average = average.as_str())}</strong>
                    " · "
                    {tn!(i18n, reviews.count, count)}
                </p>
                <ul class="review-stars">{rows.collect_view()}</ul>
                {orders}
            }
            .into_any()
        }
    };
    let told = (asked.done == "report")
        .then(|| view! { <Alert look="good">{t!(i18n, reviews.report_sent)}</Alert> });
    let back = routes::with(&path, &[("reviews", &asked.sort), ("after", &asked.after)]);
    let signed_in = found.signed_in;
    let items = found.items.into_iter().map(|review| {
        let may = signed_in && !review.own;
        let forms = may.then(|| forms(i18n, &review, &back, &asked.draft));
        view! { <li>{shown(i18n, review, shop)} {forms}</li> }
    });
    let items = items.collect_view();
    let first = (!asked.after.is_empty()).then(|| at(&asked.sort, ""));
    let next = found.next.map(|next| at(&asked.sort, &next));
    view! {
        <section id="reviews" class="product-reviews" aria-labelledby="reviews-title">
            <h2 id="reviews-title">{t!(i18n, reviews.title)}</h2>
            {summary}
            {told}
            <ol class="reviews">{items}</ol>
            <Pager first next next_words=t!(i18n, reviews.next) />
        </section>
    }
    .into_any()
}

/// A review, with the shop's reply.
pub(crate) fn shown(i18n: I18n, review: ReviewView, shop: &str) -> AnyView {
    let name = author(i18n, &review);
    let name = match review.author {
        Some(_) => view! { <span translate="no">{name}</span> }.into_any(),
        None => view! { <span>{name}</span> }.into_any(),
    };
    let title = (!review.title.is_empty())
        .then(|| view! { <p dir="auto" translate="no"><strong>{review.title}</strong></p> });
    let text = (!review.text.is_empty())
        .then(|| view! { <p class="report-text" dir="auto" translate="no">{review.text}</p> });
    let edited = review.edited.then(|| view! { " " <span>{t!(i18n, reviews.edited)}</span> });
    let helpful = (review.helpful > 0)
        .then(|| view! { <p class="note">{tn!(i18n, reviews.found_helpful, review.helpful)}</p> });
    let reply = review.reply.map(|reply| {
        view! {
            <div class="review-reply">
                <p class="note">
                    <span class="dots">
                        <span>{t!(i18n, reviews.reply_of, shop = shop)}</span>
                        " "
                        <span>{words::day(i18n, &reply.created_at)}</span>
                    </span>
                </p>
                <p class="report-text" dir="auto" translate="no">{reply.text}</p>
            </div>
        }
    });
    view! {
        <p>{stars(i18n, review.rating)}</p>
        {title}
        <p class="note">
            <span class="dots">
                {name}
                " "
                <span>{t!(i18n, reviews.verified)}</span>
                " "
                <span>{words::day(i18n, &review.created_at)}</span>
                {edited}
            </span>
        </p>
        {text}
        {reply}
        {helpful}
    }
    .into_any()
}

/// To find a review helpful, and to report it.
fn forms(i18n: I18n, review: &ReviewView, back: &str, draft: &Draft) -> AnyView {
    let (id, action) = (review.id.to_string(), routes::review(review.id));
    let (vote, words) = match review.voted {
        true => ("unvote", t!(i18n, reviews.unhelpful)),
        false => ("vote", t!(i18n, reviews.helpful)),
    };
    let of = t!(i18n, reviews.about, author = author(i18n, review).as_str());
    let mine = draft.error.is_some() && draft.typed("review") == id;
    let typed = |field: &str| if mine { draft.typed(field) } else { String::new() };
    let chosen = typed("reason");
    let reasons = ReportReason::ALL.into_iter().map(|reason| {
        let selected = reason.as_str() == chosen;
        view! { <option value=reason.as_str() selected=selected>{words::report_reason(i18n, reason)}</option> }
    });
    // Leptos does not escape the content of a textarea.
    let details = typed("details").replace('&', "&amp;").replace('<', "&lt;");
    let fault: Option<FieldCode> =
        draft.error.as_ref().filter(|_| mine).and_then(|error| error.at("details").or(error.at("reason")));
    let fault =
        fault.map(|code| view! { <p class="field-error" role="alert">{words::field(i18n, code)}</p> });
    let (reason_id, details_id) = (format!("reason-{id}"), format!("details-{id}"));
    view! {
        <div class="actions">
            <form method="post" action=action.clone()>
                <input type="hidden" name="action" value=vote />
                <input type="hidden" name="back" value=back.to_owned() />
                <button type="submit" class="button quiet" aria-label=format!("{words}: {of}")>{words}</button>
            </form>
            <details class="more-of" open=mine>
                <summary aria-label=format!("{}: {of}", t!(i18n, reports.report))>{t!(i18n, reports.report)}</summary>
                <form method="post" action=action class="form" novalidate>
                    <input type="hidden" name="action" value="report" />
                    <input type="hidden" name="review" value=id />
                    <input type="hidden" name="back" value=back.to_owned() />
                    {fault}
                    <div class="field">
                        <label for=reason_id.clone()>{t!(i18n, reports.reason)}</label>
                        <select id=reason_id name="reason">{reasons.collect_view()}</select>
                    </div>
                    <div class="field">
                        <label for=details_id.clone()>{t!(i18n, form.optional, label = t!(i18n, reports.details))}</label>
                        <textarea id=details_id name="details" rows="3" inner_html=details></textarea>
                    </div>
                    <div><button type="submit" class="button secondary">{t!(i18n, reports.send)}</button></div>
                </form>
            </details>
        </div>
    }
    .into_any()
}
