//! The worker: tells facts, does jobs, ends what has run out, asks gateways, forgets. Any number of nodes may run one.

use std::{future::Future, sync::Arc, time::Duration};

use haat_engine::{Fault, accounts, catalog, checkout, facts, idempotency, jobs, notifications, payments};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::boot::Booted;

/// How long a step rests that nobody wakes.
const REST: Duration = Duration::from_millis(500);

/// Starts the worker. It stops after its current step when `stop` is cancelled.
pub fn start(booted: &Booted, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let engine = booted.engine.clone();
    let written = Arc::<Notify>::default();
    let tell = written.clone();
    tasks.spawn(work(stop.clone(), engine.wake.clone(), "jobs", move || {
        let (engine, tell) = (engine.clone(), tell.clone());
        async move {
            let done = facts::tell(&engine).await? + jobs::run_due(&engine).await?;
            if done > 0 {
                tell.notify_one();
            }
            Ok(done)
        }
    }));
    // On its own: a mail server may take its time.
    let engine = booted.engine.clone();
    tasks.spawn(work(stop.clone(), written, "mails", move || {
        let engine = engine.clone();
        async move { notifications::send_due(&engine).await }
    }));
    let engine = booted.engine.clone();
    tasks.spawn(work(stop.clone(), Arc::default(), "imports", move || {
        let engine = engine.clone();
        async move { catalog::imports::work(&engine).await }
    }));
    let engine = booted.engine.clone();
    tasks.spawn(every(stop.clone(), Duration::from_secs(5), "sweep", move || {
        let engine = engine.clone();
        async move { checkout::sweep(&engine).await.map(drop) }
    }));
    let engine = booted.engine.clone();
    tasks.spawn(every(stop.clone(), Duration::from_secs(5), "reconcile", move || {
        let engine = engine.clone();
        async move { payments::reconcile(&engine).await.map(drop) }
    }));
    let engine = booted.engine.clone();
    tasks.spawn(every(stop.clone(), Duration::from_secs(300), "popular", move || {
        let engine = engine.clone();
        async move { catalog::count_popular(&engine).await }
    }));
    let engine = booted.engine.clone();
    tasks.spawn(every(stop.clone(), Duration::from_secs(3600), "forget", move || {
        let engine = engine.clone();
        async move {
            jobs::forget(&engine).await?;
            accounts::forget(&engine).await?;
            catalog::imports::forget(&engine).await?;
            idempotency::forget(&engine).await.map(drop)
        }
    }));
    if let Some(sandbox) = booted.sandbox.clone() {
        tasks.spawn(every(stop.clone(), Duration::from_millis(250), "sandbox webhooks", move || {
            let sandbox = sandbox.clone();
            async move { sandbox.deliver_due().await.map(drop) }
        }));
    }
    tasks
}

/// Runs a step again and again: at once while there is work, when woken, and twice a second at least.
async fn work<F, Fut>(stop: CancellationToken, wake: Arc<Notify>, name: &'static str, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<usize, Fault>>,
{
    while !stop.is_cancelled() {
        let done = step().await.unwrap_or_else(|fault| {
            tracing::error!(%fault, name, "the worker failed; it goes on");
            0
        });
        metrics::counter!("haat_work_done_total", "kind" => name).increment(done as u64);
        if done == 0 {
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.notified() => {}
                () = tokio::time::sleep(REST) => {}
            }
            // Those who woke it come in crowds: let some gather, they share a transaction.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Runs a step every so often.
async fn every<F, Fut>(stop: CancellationToken, rest: Duration, name: &'static str, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<(), Fault>>,
{
    loop {
        if let Err(fault) = step().await {
            tracing::error!(%fault, name, "the worker failed; it goes on");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}
