//! There is nothing at this address.

use haat_shared::Error;
use leptos::prelude::*;

use crate::{api, ui::Failure};

/// The page for addresses that lead nowhere.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    api::page_not_found();
    view! { <Failure error=Error::NotFound /> }
}
