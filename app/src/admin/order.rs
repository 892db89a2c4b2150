//! An order of any shop. Admins see what its shop sees; they change nothing but what it has left unanswered.

use leptos::prelude::*;

use super::{AdminPage, Part};
use haat_shared::permissions::AdminPermission;

use crate::{
    api,
    seller::OrderDetails,
    state::{Visitor, param, query},
    storefront::draft_by,
    ui::loaded,
};

/// An order page.
#[component]
pub(crate) fn Order() -> impl IntoView {
    let visitor = expect_context::<Visitor>().0;
    let (number, draft) = (param("number"), query("draft"));
    let found = api::find(
        move || (number.get(), draft.get()),
        move |(number, draft)| async move {
            let decides = visitor.await?.is_some_and(|me| me.may(AdminPermission::DecideReturns));
            let draft = draft_by("any-order", draft).await?;
            Ok((api::orders::any_order(number).await?, decides.then_some(draft)))
        },
    );
    let page = loaded(found, |(order, decides)| {
        let handle = order.order.order.shop_handle.clone();
        view! { <OrderDetails handle order draft=None decides /> }
    });
    view! { <AdminPage here=Part::Orders>{page}</AdminPage> }
}
