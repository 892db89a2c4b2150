//! Webhooks of gateways. Each event is stored, with a job, before the webhook is accepted; then whoever received it
//! handles it at once, in the background. If that fails or is cut short, the job runs again.

use futures::future::join_all;

use crate::{
    Caller, Engine, TxResult, dispatch, insert, jobs,
    jobs::{Claimed, Queue, webhook::Webhook as Job},
    payments::{self, Webhook},
};
use haat_shared::Result;

insert! {
    struct AddEvent<'a> into webhook_events {
        gateway: &'a str,
        event_id: &'a str,
        kind: &'a str,
        gateway_ref: &'a str,
        body: &'a [u8],
        received_at: i64,
    } "ON CONFLICT (gateway, event_id) DO NOTHING"
}

/// Events that are stored and not yet handled. If they are dropped, their jobs run later.
pub struct Accepted(Vec<Claimed>);

/// Verifies a webhook and stores its events. Returns those that nobody is handling: all, unless the gateway delivers
/// one again meanwhile.
pub async fn receive(engine: &Engine, _: &Caller, gateway: &str, received: Webhook<'_>) -> Result<Accepted> {
    let now = engine.clock.now_ms();
    let events = payments::events_of(engine, gateway, received, now).await?;
    let input = (gateway.to_owned(), events, received.body.to_vec(), now);
    let accepted = engine
        .db
        .write(("webhooks::receive", gateway.to_owned()), input, |tx, (gateway, events, body, now)| {
            Box::pin(async move {
                let rows = events.iter().map(|event| {
                    let (kind, gateway_ref) = event.about.parts();
                    AddEvent { gateway, event_id: &event.id, kind, gateway_ref, body, received_at: *now }
                });
                tx.insert_all(rows).await?;
                let mut accepted = Vec::new();
                // One, except for those of the sandbox.
                for event in events.iter() {
                    let job = Job {
                        gateway: gateway.clone(),
                        event: event.id.clone(),
                        about: event.about.clone(),
                        at: *now,
                    };
                    let (row, claimed) = jobs::claimed_row(&job, *now)?;
                    if tx.insert_all([row]).await? == 1 {
                        accepted.push(claimed);
                    }
                }
                Ok(accepted)
            })
        })
        .await?;
    Ok(Accepted(accepted))
}

/// Handles accepted events. What fails is repeated by the worker.
pub async fn handle(engine: &Engine, accepted: Accepted) -> TxResult<()> {
    let runs = accepted.0.into_iter().map(|job| dispatch::run_claimed(engine, Queue::Payments, job));
    join_all(runs).await.into_iter().collect()
}
