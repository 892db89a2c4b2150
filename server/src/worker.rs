//! The worker: dispatches the outbox, runs jobs, sends emails and does periodic work. It can run on any
//! number of nodes.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use haat_engine::{
    TxError, activity, bug,
    bus::{Subscription, Topic},
    catalog, dispatch,
    jobs::Queue,
    notifications, product_search, schedules, search_terms,
};
use haat_shared::notifications::Channel;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::boot::Runtime;

/// How long a step pauses if nothing wakes it.
const REST: Duration = Duration::from_millis(500);

/// Starts the worker. It stops after its current step when `stop` is cancelled.
///
/// Each step is a task of its own, so that a slow gateway or mail server delays only what needs it. Messages
/// on the bus wake it, whichever node they are from.
pub fn start(runtime: &Runtime, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let news_of = |topic| runtime.engine.bus.subscribe(topic);
    let engine = runtime.engine.clone();
    tasks.spawn(work(stop.clone(), news_of(Topic::Outbox), "dispatch", move || {
        let engine = engine.clone();
        async move { dispatch::dispatch(&engine).await }
    }));
    for queue in Queue::ALL {
        let engine = runtime.engine.clone();
        tasks.spawn(work(stop.clone(), news_of(Topic::Jobs), queue.as_str(), move || {
            let engine = engine.clone();
            async move { dispatch::run_due(&engine, queue).await }
        }));
    }
    for (channel, name) in
        [(Channel::Email, "mails"), (Channel::InApp, "notifications"), (Channel::Push, "pushes")]
    {
        let engine = runtime.engine.clone();
        tasks.spawn(work(stop.clone(), news_of(Topic::Notifications), name, move || {
            let engine = engine.clone();
            async move { notifications::deliver_due(&engine, channel).await }
        }));
    }
    let engine = runtime.engine.clone();
    tasks.spawn(work(stop.clone(), news_of(Topic::Imports), "imports", move || {
        let engine = engine.clone();
        async move { catalog::imports::work(&engine).await }
    }));
    let engine = runtime.engine.clone();
    tasks.spawn(every(stop.clone(), REST, "search", move || {
        let engine = engine.clone();
        async move {
            search_terms::flush(&engine).await?;
            product_search::feed(&engine).await.map(drop)
        }
    }));
    let engine = runtime.engine.clone();
    tasks.spawn(every(stop.clone(), Duration::from_secs(1), "activity", move || {
        let engine = engine.clone();
        async move { activity::flush(&engine).await }
    }));
    for schedule in schedules::SCHEDULES {
        let engine = runtime.engine.clone();
        tasks.spawn(every(stop.clone(), Duration::from_secs(1), schedule.name, move || {
            let engine = engine.clone();
            async move { schedules::run_if_due(&engine, schedule).await.map(drop) }
        }));
    }
    #[cfg(feature = "sandbox")]
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

/// Returns when there is a message for a step or for all, or when messages were lost.
async fn woken(news: &mut Subscription, name: &str) {
    while news.next().await.is_some_and(|text| !text.is_empty() && *text != *name) {}
}

/// Runs a step repeatedly: at once while there is work, when woken, and at least twice a second.
async fn work<F, Fut>(stop: CancellationToken, mut news: Subscription, name: &'static str, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<usize, TxError>>,
{
    while !stop.is_cancelled() {
        // The step sees what these were about.
        news.clear();
        let done = guarded(name, &step).await.unwrap_or_else(|fault| {
            tracing::error!(error = %fault, step = name, "the worker failed; continuing");
            0
        });
        metrics::counter!("haat_work_done_total", "kind" => name).increment(done as u64);
        if done == 0 {
            tokio::select! {
                () = stop.cancelled() => return,
                () = woken(&mut news, name) => {
                    metrics::counter!("haat_work_woken_total", "kind" => name).increment(1);
                }
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
            tracing::error!(error = %fault, step = name, "the worker failed; continuing");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use haat_engine::bus::{Bus, InProcess};

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
    async fn a_step_is_woken_by_messages_for_it_or_for_all() {
        let bus = InProcess::default();
        for (texts, left) in [(&["other", "test", "next"][..], "next"), (&["", "next"], "next")] {
            let mut news = bus.subscribe(Topic::Jobs);
            texts.iter().for_each(|text| bus.publish(Topic::Jobs, text));
            woken(&mut news, "test").await;
            assert_eq!(news.next().await.as_deref(), Some(left));
        }
    }

    #[tokio::test]
    async fn a_step_that_panics_is_run_again() {
        let stop = CancellationToken::new();
        let (runs, step) = fragile(&stop);
        work(stop, InProcess::default().subscribe(Topic::Jobs), "test", step).await;
        assert!(runs.load(Ordering::SeqCst) >= 2);
        let stop = CancellationToken::new();
        let (runs, step) = fragile(&stop);
        every(stop, Duration::ZERO, "test", step).await;
        assert!(runs.load(Ordering::SeqCst) >= 2);
    }
}
