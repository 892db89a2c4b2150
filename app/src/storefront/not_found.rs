//! The page for addresses that do not exist.

use haat_shared::Error;
use leptos::prelude::*;

use crate::{api, ui::Failure};

/// The 404 page.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    api::page_not_found();
    view! { <Failure error=Error::NotFound /> }
}
