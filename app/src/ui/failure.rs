//! Alerts, empty states and error pages.

use std::sync::Arc;

use haat_shared::{Error, routes};
use leptos::prelude::*;
use leptos_meta::Title;

use super::{Icon, LinkButton, Skeleton};
use crate::{
    api::{ApiError, ApiResource, Data, Fetched, Wire},
    arrival,
    i18n::{t, tu_string, use_i18n},
    state::{address, query, sign_in_from},
    words,
};

/// The title of the browser's tab. It also signals that the page is ready.
#[component]
pub fn PageTitle(
    /// The page's title, without the market's name.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let i18n = use_i18n();
    arrival::arrived();
    view! { <Title text=tu_string!(i18n, brand.title, page = text).to_string() /> }
}

/// An alert.
#[component]
pub fn Alert(
    /// The variant: `bad`, `good` or `info`.
    #[prop(default = "bad")]
    look: &'static str,
    /// The text.
    children: Children,
) -> impl IntoView {
    let icon = if look == "good" { "check" } else { "alert" };
    view! {
        <div class=["alert ", look].concat() role="alert">
            <Icon name=icon />
            <div class="alert-words">{children()}</div>
        </div>
    }
}

/// The error before a redirect, by its code in the URL (`?error=out_of_stock`). Those of discount codes are at their field.
#[component]
pub fn CodeAlert() -> impl IntoView {
    let i18n = use_i18n();
    let code = query("error");
    move || {
        let words = code
            .with(|code| (!code.is_empty() && !words::is_of_code(code)).then(|| words::code(i18n, code)))?;
        Some(view! { <Alert>{words}</Alert> })
    }
}

/// An empty state: why there is nothing here, and what to do next.
#[component]
pub fn EmptyState(
    /// The icon above it.
    icon: &'static str,
    /// The title.
    #[prop(into)]
    title: String,
    /// The explanation.
    #[prop(into)]
    note: String,
    /// Whether the title is the page's heading.
    #[prop(optional)]
    page: bool,
    /// The next step, if any.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let heading =
        if page { view! { <h1>{title}</h1> }.into_any() } else { view! { <h2>{title}</h2> }.into_any() };
    view! {
        <div class="empty-state">
            <span class="empty-icon">
                <Icon name=icon />
            </span>
            {heading}
            <p>{note}</p>
            {children.map(|next| view! { <div class="empty-next">{next()}</div> })}
        </div>
    }
}

/// What leads on from an error page, where it is not the homepage.
#[derive(Clone)]
pub struct WayOn(pub Arc<dyn Fn() -> AnyView + Send + Sync>);

/// An error page: what happened and what to do.
#[component]
pub fn Failure(
    /// The error.
    error: Error,
) -> impl IntoView {
    let i18n = use_i18n();
    let here = address();
    let asked = matches!(error, Error::SignInNeeded);
    let selling = asked && [routes::SELLER_SHOPS, routes::OPEN_SHOP].contains(&here.as_str());
    let title = match error {
        Error::NotFound => tu_string!(i18n, not_found.title),
        _ if selling => t!(i18n, layout.sell),
        _ if asked => tu_string!(i18n, failure.sign_in_title),
        _ => tu_string!(i18n, failure.title),
    };
    let next = match error {
        Error::SignInNeeded => {
            let sign_up = routes::with(routes::SIGN_UP, &[("next", &here)]);
            view! {
                <div class="actions">
                    <LinkButton href=sign_in_from(&here)>{t!(i18n, sign_in.title)}</LinkButton>
                    <LinkButton look="secondary" href=sign_up>{t!(i18n, sign_in.create)}</LinkButton>
                </div>
            }
            .into_any()
        }
        Error::Busy { .. } | Error::RateLimited { .. } | Error::Offline | Error::Internal => {
            view! { <a class="button primary" rel="external" href=here>{t!(i18n, failure.retry)}</a> }
                .into_any()
        }
        _ => match use_context::<WayOn>() {
            Some(WayOn(show)) => show(),
            None => view! { <LinkButton href=routes::HOME>{t!(i18n, failure.home)}</LinkButton> }.into_any(),
        },
    };
    let note = match error {
        _ if selling => t!(i18n, failure.sell_note).to_owned(),
        _ if asked => t!(i18n, failure.sign_in_note).to_owned(),
        Error::NotFound => t!(i18n, failure.missing_note).to_owned(),
        error => words::error(i18n, &error),
    };
    let icon = match asked {
        true if selling => "awning",
        true => "person",
        false => "alert",
    };
    view! {
        <PageTitle text=title />
        <div class="width page">
            <EmptyState icon title note page=true>
                {next}
            </EmptyState>
        </div>
    }
}

/// The content of a resource once it is loaded; a skeleton before, an error message otherwise.
pub fn loaded<T: Data, V: IntoView + 'static>(
    resource: ApiResource<T>,
    show: impl Fn(T) -> V + Send + Sync + 'static,
) -> AnyView {
    let show = move |found: Result<T, ApiError>| match found {
        Ok(found) => show(found).into_any(),
        Err(ApiError(error)) => view! { <Failure error /> }.into_any(),
    };
    waiting(
        resource.found(),
        || view! { <div class="width page"><Skeleton /></div> }.into_any(),
        Arc::new(move |found| show(found.read())),
    )
}

/// The view of a resource's result once there is one.
pub fn awaited<T: Data>(
    resource: ApiResource<T>,
    show: impl Fn(Result<T, ApiError>) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    waiting(resource.found(), || ().into_any(), Arc::new(move |found| show(found.read())))
}

/// What `show` makes of a resource, and `before` until it is loaded. Compiled once for all types of data.
fn waiting(
    resource: Resource<Fetched, Wire>,
    before: fn() -> AnyView,
    show: Arc<dyn Fn(Fetched) -> AnyView + Send + Sync>,
) -> AnyView {
    let shown = move || {
        let show = show.clone();
        Suspend::new(async move { show(resource.await) })
    };
    view! { <Transition fallback=before>{shown}</Transition> }.into_any()
}

/// Links to the next page of a list, and back to the first.
#[component]
pub fn Pager(
    /// The URL of the first page, if this is a later one.
    first: Option<String>,
    /// The URL of the next page, if there is one.
    next: Option<String>,
    /// The label of the link to the next page.
    #[prop(into)]
    next_words: String,
) -> impl IntoView {
    let i18n = use_i18n();
    (first.is_some() || next.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label=tu_string!(i18n, products.pages)>
                {first.map(|href| view! { <LinkButton look="quiet" href>{t!(i18n, products.first)}</LinkButton> })}
                {next.map(|href| view! { <LinkButton look="secondary" href>{next_words}</LinkButton> })}
            </nav>
        }
    })
}
