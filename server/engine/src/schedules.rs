//! Periodic work: a row per schedule, claimed by one node of the market at a time.

use std::time::Duration;

use crate::{
    Engine, TxResult, accounts, appointments, catalog, chat, checkout,
    db::{BoxFuture, Scalar},
    dispatch, exchange, gift_cards, idempotency, inventory, media, notifications, orders, params, payments,
    payouts, random, recommendations, reviews, sale_prices, seals, search_terms, statements,
};
use haat_shared::id::kinds::JobId;

/// Work that is repeated at an interval. After a crash, it runs again, so it has to be repeatable.
pub struct Schedule {
    /// The name in the database. It never changes.
    pub name: &'static str,
    /// The interval, from the end of a run to the next.
    pub every: Duration,
    run: for<'e> fn(&'e Engine) -> BoxFuture<'e, TxResult<()>>,
}

/// All schedules.
pub static SCHEDULES: &[Schedule] = &[
    Schedule {
        name: "sweep",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(async move { checkout::sweep(engine).await.map(drop) }),
    },
    Schedule {
        name: "sale_prices",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(sale_prices::apply_due(engine)),
    },
    Schedule {
        name: "gift_cards",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(gift_cards::send_due(engine)),
    },
    Schedule {
        name: "reconcile",
        every: Duration::from_secs(5),
        run: |engine| {
            Box::pin(async move {
                payments::reconcile_refunds(engine).await?;
                payments::reconcile_disputes(engine).await?;
                payments::reconcile(engine).await.map(drop)
            })
        },
    },
    Schedule {
        name: "transfers",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(async move { payouts::follow_transfers(engine).await.map(drop) }),
    },
    Schedule {
        name: "release",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(async move { orders::release_due(engine).await.map(drop) }),
    },
    Schedule {
        name: "exchange",
        every: Duration::from_secs(30),
        run: |engine| Box::pin(async move { exchange::convert_due(engine).await.map(drop) }),
    },
    Schedule {
        name: "reminders",
        every: Duration::from_secs(30),
        run: |engine| Box::pin(appointments::remind_due(engine)),
    },
    Schedule {
        name: "review_invitations",
        every: Duration::from_secs(60),
        run: |engine| Box::pin(reviews::invite_due(engine)),
    },
    Schedule {
        name: "messages",
        every: Duration::from_secs(10),
        run: |engine| Box::pin(chat::notify_due(engine)),
    },
    Schedule {
        name: "announcements",
        every: Duration::from_secs(5),
        run: |engine| Box::pin(notifications::announcements::send_due(engine)),
    },
    Schedule {
        name: "low_stock",
        every: Duration::from_secs(10),
        run: |engine| Box::pin(inventory::low::forget(engine)),
    },
    Schedule {
        name: "seal",
        every: Duration::from_secs(60),
        run: |engine| Box::pin(async move { seals::seal(engine).await.map(drop) }),
    },
    Schedule {
        name: "popular",
        every: Duration::from_secs(300),
        run: |engine| Box::pin(catalog::count_popular(engine)),
    },
    Schedule {
        name: "recommendations",
        every: Duration::from_secs(6 * 3600),
        run: |engine| Box::pin(async move { recommendations::learn(engine).await.map(drop) }),
    },
    Schedule { name: "media", every: Duration::from_secs(600), run: |engine| Box::pin(media::sweep(engine)) },
    Schedule { name: "purge", every: Duration::from_secs(3600), run: |engine| Box::pin(purge(engine)) },
];

/// How long a claim lasts. A run that takes longer may overlap with the next one, which is harmless.
const LEASE_MS: i64 = 60_000;

statements! {
    NOT_DUE = "SELECT name AS value FROM schedules WHERE name = $1 AND (next_run_at > $2 OR lease_until > $2)";
    CLAIM = "INSERT INTO schedules (name, next_run_at, lease_until, claim) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until, claim = excluded.claim
        WHERE schedules.next_run_at <= $2 AND schedules.lease_until <= $2 RETURNING name AS value";
    FINISH = "UPDATE schedules SET next_run_at = $3, lease_until = 0, claim = NULL WHERE name = $1 AND claim = $2";
}

/// Runs a schedule if it is due and no other node is running it; returns whether it did.
pub async fn run_if_due(engine: &Engine, schedule: &'static Schedule) -> TxResult<bool> {
    let (name, now) = (schedule.name, engine.clock.now_ms());
    if engine.db.opt::<Scalar<String>>(&NOT_DUE, params![name, now]).await?.is_some() {
        return Ok(false);
    }
    let claim: JobId = random::id(now);
    let claimed: Option<Scalar<String>> = engine
        .db
        .write("schedules::claim", (name, now, claim), |tx, (name, now, claim)| {
            Box::pin(async move { Ok(tx.opt(&CLAIM, params![*name, *now, *now + LEASE_MS, *claim]).await?) })
        })
        .await?;
    if claimed.is_none() {
        return Ok(false);
    }
    let outcome = (schedule.run)(engine).await;
    let next = engine.clock.now_ms() + schedule.every.as_millis() as i64;
    engine
        .db
        .write("schedules::finish", (name, claim, next), |tx, (name, claim, next)| {
            Box::pin(async move { Ok(tx.exec(&FINISH, params![*name, *claim, *next]).await?) })
        })
        .await?;
    outcome.map(|()| true)
}

/// Deletes what is no longer needed.
async fn purge(engine: &Engine) -> TxResult<()> {
    dispatch::purge(engine).await?;
    accounts::purge(engine).await?;
    catalog::imports::purge(engine).await?;
    search_terms::purge(engine).await?;
    idempotency::purge(engine).await.map(drop)
}
