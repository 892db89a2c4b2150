//! The page on which an item of a purchase is reviewed.

use haat_shared::{
    forms::Draft,
    reviews::{HoldReason, NewReview, OwnReview, ReviewForm, ReviewRefusal, ReviewState, TEXT_MAX},
    routes,
};
use leptos::prelude::*;

use super::sign_up::draft_by;
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    state::{param, query},
    ui::{
        Alert, Button, Check, Choice, CodeAlert, ErrorSummary, Field, PageTitle, Picture, TextArea, loaded,
    },
    words::I18n,
};

/// The page. Its forms are plain, with and without JavaScript.
#[component]
pub(super) fn WriteReview() -> impl IntoView {
    crate::head::keep_out();
    let i18n = use_i18n();
    let (number, position, draft, done) = (param("number"), param("position"), query("draft"), query("done"));
    let found = api::find(
        move || (number.get(), position.get(), draft.get()),
        |(number, position, draft)| async move {
            let position = api::id::<i64>(&position)?;
            let form = api::reviews::form(number.clone(), position).await?;
            Ok((routes::write_review(&number, position), form, draft_by("review", draft).await?))
        },
    );
    loaded(found, move |(action, form, draft)| page(i18n, &action, form, &draft, &done.get_untracked()))
}

fn page(i18n: I18n, action: &str, form: ReviewForm, draft: &Draft, done: &str) -> AnyView {
    let ReviewForm { purchase, title, variant_title, slug, picture, refusal, name, review } = form;
    let heading = match review {
        Some(_) => t!(i18n, reviews.edit),
        None => t!(i18n, reviews.write),
    };
    let product = match slug {
        Some(slug) => view! { <a href=routes::product(&slug)>{title.clone()}</a> }.into_any(),
        None => view! { {title.clone()} }.into_any(),
    };
    let variant = (!variant_title.is_empty()).then(|| view! { <span class="note">{variant_title}</span> });
    let told = match (done, &review) {
        ("save", Some(review)) if review.state == ReviewState::Published => Some(t!(i18n, reviews.saved)),
        ("save", Some(_)) => Some(t!(i18n, reviews.held)),
        ("delete", _) => Some(t!(i18n, reviews.deleted)),
        _ => None,
    };
    let told = told.map(|words| view! { <Alert look="good">{words}</Alert> });
    let status = review.as_ref().and_then(|review| status(i18n, review));
    let delete = review.is_some().then(|| {
        view! {
            <details class="more-of">
                <summary>{t!(i18n, reviews.delete)}</summary>
                <form method="post" action=action.to_owned() class="form">
                    <input type="hidden" name="action" value="delete" />
                    <p>{t!(i18n, reviews.delete_note)}</p>
                    <div><Button look="danger">{t!(i18n, reviews.delete)}</Button></div>
                </form>
            </details>
        }
    });
    let contents = match refusal {
        Some(refusal) => view! { <p class="note paper">{refusal_words(i18n, refusal)}</p> }.into_any(),
        None => editor(i18n, action, review, &name, draft),
    };
    view! {
        <PageTitle text=heading />
        <div class="width page small">
            <h1>{heading}</h1>
            <p class="lead">{t!(i18n, reviews.lead)}</p>
            <CodeAlert />
            {told}
            {status}
            <ul class="bought">
                <li>
                    <Picture of=picture title=title sizes="48px" />
                    <span class="bought-title" translate="no">{product} " " {variant}</span>
                </li>
            </ul>
            {contents}
            {delete}
            <p class="page-next"><a href=routes::purchase(&purchase)>{t!(i18n, reviews.back)}</a></p>
        </div>
    }
    .into_any()
}

/// What the author has to know of a review that nobody else sees.
fn status(i18n: I18n, review: &OwnReview) -> Option<AnyView> {
    let (words, why) = match review.state {
        ReviewState::Held => {
            (t!(i18n, reviews.waiting), review.held_because.map(|why| hold_words(i18n, why)))
        }
        ReviewState::Hidden => (t!(i18n, reviews.hidden), None),
        ReviewState::Published | ReviewState::Deleted => return None,
    };
    let note = (!review.note.is_empty()).then(|| {
        let note = t!(i18n, reviews.because, reason = review.note.as_str());
        view! { <p class="report-text" dir="auto">{note}</p> }
    });
    Some(view! { <div class="note paper"><p>{words} " " {why}</p>{note}</div> }.into_any())
}

/// Why a review is held back.
pub(crate) fn hold_words(i18n: I18n, why: HoldReason) -> &'static str {
    match why {
        HoldReason::All => t!(i18n, reviews.held_all),
        HoldReason::Link => t!(i18n, reviews.held_link),
        HoldReason::Email => t!(i18n, reviews.held_email),
        HoldReason::Phone => t!(i18n, reviews.held_phone),
        HoldReason::Abuse => t!(i18n, reviews.held_abuse),
        HoldReason::Changed => t!(i18n, reviews.held_changed),
    }
}

fn refusal_words(i18n: I18n, refusal: ReviewRefusal) -> &'static str {
    match refusal {
        ReviewRefusal::NotDelivered => t!(i18n, reviews.not_delivered),
        ReviewRefusal::Refunded => t!(i18n, reviews.refunded),
        ReviewRefusal::Exchange => t!(i18n, reviews.exchange),
        ReviewRefusal::OwnShop => t!(i18n, reviews.own_shop),
    }
}

/// The form, with what was typed, or with the review.
fn editor(i18n: I18n, action: &str, review: Option<OwnReview>, name: &str, draft: &Draft) -> AnyView {
    let known = review.is_some();
    let stored = review.map_or_else(NewReview::default, |own| NewReview {
        rating: own.rating,
        title: own.title,
        text: own.text,
        anonymous: own.anonymous,
        version: own.version,
    });
    let typed = draft.error.is_some();
    let or = |field: &str, stored: String| if typed { draft.typed(field) } else { stored };
    let rating = if stored.rating > 0 { stored.rating.to_string() } else { String::new() };
    let anonymous = if typed { !draft.typed("anonymous").is_empty() } else { stored.anonymous };
    let grades = [
        t!(i18n, reviews.r1),
        t!(i18n, reviews.r2),
        t!(i18n, reviews.r3),
        t!(i18n, reviews.r4),
        t!(i18n, reviews.r5),
    ];
    let options = (1i64..)
        .zip(grades)
        .map(|(stars, grade)| (stars.to_string(), tn!(i18n, reviews.stars, stars), grade.to_owned()));
    let mut options: Vec<_> = options.collect();
    options.reverse();
    let faults = Signal::stored(draft.error.clone());
    let [rating_label, title_label, text_label] =
        [t!(i18n, reviews.rating), t!(i18n, reviews.headline), t!(i18n, reviews.text)];
    let labels = vec![
        ("rating", rating_label.to_owned()),
        ("title", title_label.to_owned()),
        ("text", text_label.to_owned()),
    ];
    let button = if known { t!(i18n, reviews.save) } else { t!(i18n, reviews.publish) };
    // After a conflict, what was typed replaces the review that is stored now.
    let version = stored.version.to_string();
    view! {
        <form method="post" action=action.to_owned() class="panel form" novalidate>
            <ErrorSummary faults labels />
            <input type="hidden" name="action" value="save" />
            <input type="hidden" name="version" value=version />
            <Choice name="rating" label=rating_label value=or("rating", rating) options faults />
            <Field name="title" label=title_label value=or("title", stored.title) optional=true faults />
            <TextArea
                name="text"
                label=text_label
                value=or("text", stored.text)
                optional=true
                rows=6
                hint=t!(i18n, reviews.text_hint, n = TEXT_MAX as i64)
                faults
            />
            <Check name="anonymous" label=t!(i18n, reviews.anonymous, name = name) checked=anonymous />
            <div><Button>{button}</Button></div>
        </form>
    }
    .into_any()
}
