//! Payments, for admins.

use haat_shared::{
    admin::{PaymentCard, PaymentDetails},
    id::kinds::PaymentId,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// All payments.
#[server(name = ListPayments, prefix = "/api", endpoint = "payments/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<PaymentCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::payments::list(&engine, &caller, &of).await).await
}

/// A payment.
#[server(name = GetPayment, prefix = "/api", endpoint = "payments/details", input = Json)]
pub async fn details(id: PaymentId) -> Result<PaymentDetails, ApiError> {
    super::call(async |engine, caller| haat_engine::payments::details(&engine, &caller, id).await).await
}
