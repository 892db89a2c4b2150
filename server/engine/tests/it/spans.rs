//! The spans of the log: one for each use case that writes and for each call to a gateway, with IDs and no
//! personal data.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use haat_engine::{dispatch, orders, sandbox::Card};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry,
};

use crate::{both, support::*};

/// The spans that were started, as they appear in the log.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl Spans {
    /// The result of the work, and our own spans that it started.
    async fn of<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
        let spans = Self::default();
        let done = work.with_subscriber(registry().with(spans.clone())).await;
        (done, std::mem::take(&mut *spans.0.lock().unwrap()))
    }
}

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if span.metadata().target().starts_with("haat") {
            let mut shown = Shown(span.metadata().name().to_owned());
            span.record(&mut shown);
            self.0.lock().unwrap().push(shown.0);
        }
    }
}

struct Shown(String);

impl Visit for Shown {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

both! {
    async fn use_cases_and_calls_to_gateways_have_spans(market) {
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let guest = market.guest_with(&[(bowl, 1)]).await;
        let (_, payment, gateway_ref) = market.go_to_sandbox(&guest).await;
        market.enter(&gateway_ref, Card::WebhookNever).await;
        let (back, spans) = Spans::of(market.come_back(payment)).await;
        let paid = [
            format!("gateway gateway=\"sandbox\" call=\"retrieve\" id={payment}"),
            format!("use_case use_case=\"checkout::complete\" id={payment}"),
        ];
        assert_eq!(spans, paid);

        let order = format!("{}-1", number_in(&back.unwrap()));
        let owner = market.owner("meena-crafts").await;
        let cancel = orders::cancel(&market.engine, &owner, "meena-crafts", &order, "The kiln broke");
        let (cancelled, spans) = Spans::of(cancel).await;
        cancelled.unwrap();
        assert_eq!(spans, [format!("use_case use_case=\"orders::transition\" id={order}")]);

        let (done, spans) = Spans::of(dispatch::drain(&market.engine)).await;
        assert!(done.unwrap() > 0);
        for begun in ["gateway gateway=\"sandbox\" call=\"refund\" id=ref_", "gateway gateway=\"mail\" call=\"send\" mails="] {
            assert!(spans.iter().any(|span| span.starts_with(begun)), "{begun}: {spans:#?}");
        }
        assert!(!spans.iter().any(|span| span.contains('@')), "{spans:#?}");
    }
}
