//! The worker: dispatches the outbox, runs jobs, sends emails and does periodic work. It can run on any
//! number of nodes.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use haat_engine::{TxError, bug, catalog, dispatch, jobs::Queue, notifications, schedules};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::boot::Runtime;

/// How long a step pauses if nothing wakes it.
const REST: Duration = Duration::from_millis(500);

/// Starts the worker. It stops after its current step when `stop` is cancelled.
///
/// Each step is a task of its own, so that a slow gateway or mail server delays only what needs it.
pub fn start(runtime: &Runtime, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let mails = Arc::<Notify>::default();
    // The steps that process what was dispatched.
    let mut next = vec![mails.clone()];
    for queue in Queue::ALL {
        let (engine, wake) = (runtime.engine.clone(), Arc::<Notify>::default());
        next.push(wake.clone());
        tasks.spawn(work(stop.clone(), wake, queue.as_str(), move || {
            let engine = engine.clone();
            async move { dispatch::run_due(&engine, queue).await }
        }));
    }
    let engine = runtime.engine.clone();
    tasks.spawn(work(stop.clone(), mails, "mails", move || {
        let engine = engine.clone();
        async move { notifications::send_due(&engine).await }
    }));
    let (engine, next) = (runtime.engine.clone(), Arc::<[Arc<Notify>]>::from(next));
    tasks.spawn(work(stop.clone(), engine.wake.clone(), "dispatch", move || {
        let (engine, next) = (engine.clone(), next.clone());
        async move {
            let done = dispatch::dispatch(&engine).await;
            // Even if nothing was dispatched: a job may have been retried, or an email written directly.
            next.iter().for_each(|step| step.notify_one());
            done
        }
    }));
    let engine = runtime.engine.clone();
    tasks.spawn(work(stop.clone(), Arc::default(), "imports", move || {
        let engine = engine.clone();
        async move { catalog::imports::work(&engine).await }
    }));
    for schedule in schedules::SCHEDULES {
        let engine = runtime.engine.clone();
        tasks.spawn(every(stop.clone(), Duration::from_secs(1), schedule.name, move || {
            let engine = engine.clone();
            async move { schedules::run_if_due(&engine, schedule).await.map(drop) }
        }));
    }
    if let Some(sandbox) = runtime.sandbox.clone() {
        tasks.spawn(every(stop.clone(), Duration::from_millis(250), "sandbox webhooks", move || {
            let sandbox = sandbox.clone();
            async move { sandbox.deliver_due().await.map(drop) }
        }));
    }
    tasks
}

/// Runs a step in a span with its name. A panic becomes an error.
async fn guarded<F, Fut, T>(name: &'static str, step: &F) -> Result<T, TxError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, TxError>>,
{
    let step = async { step().await }.instrument(tracing::info_span!("work", step = name));
    let done = AssertUnwindSafe(step).catch_unwind().await;
    done.unwrap_or_else(|_| Err(bug("it panicked")))
}

/// Runs a step repeatedly: at once while there is work, when woken, and at least twice a second.
async fn work<F, Fut>(stop: CancellationToken, wake: Arc<Notify>, name: &'static str, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<usize, TxError>>,
{
    while !stop.is_cancelled() {
        let done = guarded(name, &step).await.unwrap_or_else(|fault| {
            tracing::error!(%fault, name, "the worker failed; continuing");
            0
        });
        metrics::counter!("haat_work_done_total", "kind" => name).increment(done as u64);
        if done == 0 {
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.notified() => {}
                () = tokio::time::sleep(REST) => {}
            }
            // Wake-ups come in bursts: wait a moment, so that several are handled in one transaction.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Runs a step at intervals.
async fn every<F, Fut>(stop: CancellationToken, rest: Duration, name: &'static str, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<(), TxError>>,
{
    loop {
        if let Err(fault) = guarded(name, &step).await {
            tracing::error!(%fault, name, "the worker failed; continuing");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A step that panics once, and asks to stop when it is run again.
    fn fragile<T: Default + 'static>(
        stop: &CancellationToken,
    ) -> (Arc<AtomicUsize>, impl Fn() -> Step<T> + use<T>) {
        let (runs, stop) = (Arc::<AtomicUsize>::default(), stop.clone());
        let counted = runs.clone();
        let step = move || -> Step<T> {
            let (run, stop) = (counted.fetch_add(1, Ordering::SeqCst), stop.clone());
            Box::pin(async move {
                assert!(run > 0, "the first run");
                stop.cancel();
                Ok(T::default())
            })
        };
        (runs, step)
    }

    type Step<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, TxError>>>>;

    #[tokio::test]
    async fn a_step_that_panics_is_run_again() {
        let stop = CancellationToken::new();
        let (runs, step) = fragile(&stop);
        work(stop, Arc::default(), "test", step).await;
        assert!(runs.load(Ordering::SeqCst) >= 2);
        let stop = CancellationToken::new();
        let (runs, step) = fragile(&stop);
        every(stop, Duration::ZERO, "test", step).await;
        assert!(runs.load(Ordering::SeqCst) >= 2);
    }
}
