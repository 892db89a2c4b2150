//! An order of any shop. Admins see what its shop sees, and change nothing.

use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{api, seller::OrderDetails, state::param, ui::loaded};

/// An order page.
#[component]
pub(crate) fn Order() -> impl IntoView {
    let number = param("number");
    let found = api::find(move || number.get(), |number| async move { api::orders::any_order(number).await });
    let page = loaded(found, |order| {
        let handle = order.order.order.shop_handle.clone();
        view! { <OrderDetails handle order draft=None /> }
    });
    view! { <AdminPage here=Part::Orders>{page}</AdminPage> }
}
