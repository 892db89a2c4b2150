//! Background jobs, for admins.

use haat_shared::{
    audit::JobCard,
    id::kinds::JobId,
    page::{Counted, ListRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

use super::ApiError;

/// Unfinished jobs.
#[server(name = ListJobs, prefix = "/api", endpoint = "jobs/list", input = Json)]
pub async fn list(of: ListRequest) -> Result<Counted<JobCard>, ApiError> {
    super::call(async |engine, caller| haat_engine::jobs::table(&engine, &caller, &of).await).await
}

/// Retries a job at once.
#[server(name = RetryJob, prefix = "/api", endpoint = "jobs/retry", input = Json)]
pub async fn retry(id: JobId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::jobs::retry(&engine, &caller, id).await).await
}

/// Discards a job.
#[server(name = DiscardJob, prefix = "/api", endpoint = "jobs/discard", input = Json)]
pub async fn discard(id: JobId) -> Result<(), ApiError> {
    super::call(async |engine, caller| haat_engine::jobs::discard(&engine, &caller, id).await).await
}
