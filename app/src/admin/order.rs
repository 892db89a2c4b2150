//! An order of any shop. Admins see what its shop sees; they refund it, and answer what it has left unanswered.

use leptos::prelude::*;

use super::{AdminPage, Part};
use haat_shared::{admin::AdminOrder, permissions::AdminPermission};

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
            let me = visitor.await?;
            let may = |permission| me.as_ref().is_some_and(|me| me.may(permission));
            let draft = draft_by("any-order", draft).await?;
            let decides = may(AdminPermission::DecideReturns).then(|| draft.clone());
            let refunds = may(AdminPermission::RefundOrders).then_some(draft);
            Ok((api::orders::any_order(number).await?, decides, refunds))
        },
    );
    let page = loaded(found, |(AdminOrder { order, payments, customer }, decides, refunds)| {
        let handle = order.order.order.shop_handle.clone();
        view! { <OrderDetails handle order draft=None decides refunds payments account=customer /> }
    });
    view! { <AdminPage here=Part::Orders>{page}</AdminPage> }
}
