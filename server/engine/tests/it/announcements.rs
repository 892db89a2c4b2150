//! What the market tells many people at once.

use haat_engine::{
    Caller, Engine, accounts, audit,
    db::{Scalar, Value},
    notifications::{announced, announcements, inbox, log, mailbox},
    params, random,
    schedules::{self, SCHEDULES},
    statements,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    announcements::{AnnouncementForm, AnnouncementState, AnnouncementText},
    audit::DeliveryState,
    id::kinds::{AnnouncementId, UserId},
    notifications::{NotificationPreference, NotificationTopic},
    page::ListRequest,
};

use crate::{both, support::*};

statements! {
    ADD_USERS = "INSERT INTO users (id, name, email, email_folded, search_folded, password_hash, created_at) VALUES [($1, $2, $3, $4, $5, $6, $7)]";
    TOLD = "SELECT COUNT(*) AS value FROM notifications WHERE kind = 'announcement'";
    TOLD_TWICE = "SELECT COUNT(*) AS value FROM (SELECT recipient FROM notifications WHERE kind = 'announcement'
        GROUP BY recipient HAVING COUNT(*) > 1) AS twice";
}

fn text(locale: &str, title: &str, text: &str) -> AnnouncementText {
    AnnouncementText { locale: locale.into(), title: title.into(), text: text.into() }
}

fn form(kind: &str, audience: &str) -> AnnouncementForm {
    AnnouncementForm {
        kind: kind.into(),
        audience: audience.into(),
        in_app: true,
        email: true,
        link: "http://localhost:1/products?q=lamps".into(),
        send_at: String::new(),
        texts: vec![text("en", "Lamps", "All lamps.\n\nAll week."), text("hi", "लैंप", "सभी लैंप")],
    }
}

/// Sends what is due.
async fn sent(market: &Market) {
    let schedule = SCHEDULES.iter().find(|schedule| schedule.name == "announcements").unwrap();
    market.clock.advance_ms(5_000);
    assert!(schedules::run_if_due(&market.engine, schedule).await.unwrap());
    market.settle().await;
}

async fn state(engine: &Engine, id: AnnouncementId) -> AnnouncementState {
    let found = announcements::page(engine, &Caller::system(), "", Some(id)).await.unwrap();
    found.shown.unwrap().card.state
}

async fn sent_to(market: &Market) -> Vec<(String, String)> {
    let mails = mailbox::latest(&market.engine.db).await.unwrap();
    let mut to: Vec<_> = mails.into_iter().map(|mail| (mail.recipient, mail.subject)).collect();
    to.sort();
    to
}

async fn seen(engine: &Engine, who: &Caller) -> Vec<String> {
    inbox::list(engine, who, "").await.unwrap().page.items.into_iter().map(|of| of.title).collect()
}

/// Writes an announcement and sends it.
async fn send(market: &Market, form: &AnnouncementForm) -> AnnouncementId {
    let (engine, system) = (&market.engine, Caller::system());
    let id = announcements::create(engine, &system, form).await.unwrap();
    announcements::send(engine, &system, id, 1).await.unwrap();
    sent(market).await;
    id
}

both! {
    async fn an_announcement_is_looked_at_sent_and_withdrawn(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        accounts::keep_locale(engine, &Caller { locale: "hi", ..market.owner("asha").await }).await.unwrap();
        let id = announcements::create(engine, &system, &form("service", "everyone")).await.unwrap();
        let shown = announcements::page(engine, &system, "", Some(id)).await.unwrap().shown.unwrap();
        assert_eq!((shown.on_site, shown.emails, shown.form.link.as_str()), (3, 3, "/products?q=lamps"));
        let previews: Vec<_> = shown.previews.iter().map(|of| (of.locale.as_str(), of.subject.as_str())).collect();
        assert_eq!(previews, [("en", "Lamps"), ("hi", "लैंप")]);
        sent(market).await;
        assert_eq!(state(engine, id).await, AnnouncementState::Draft, "it is not sent by itself");

        // What is sent is what was looked at.
        let changed = AnnouncementForm { texts: vec![text("en", "Lamps!", "All")], ..form("service", "everyone") };
        announcements::save(engine, &system, id, 1, &changed).await.unwrap();
        let stale = Err(Conflict::Edited(Vec::new()).into());
        assert_eq!(announcements::send(engine, &system, id, 1).await, stale);
        assert_eq!(announcements::save(engine, &system, id, 1, &changed).await, stale);
        announcements::save(engine, &system, id, 2, &form("service", "everyone")).await.unwrap();
        announcements::send(engine, &system, id, 3).await.unwrap();
        assert_eq!(announcements::send(engine, &system, id, 3).await, stale, "once");
        sent(market).await;
        assert_eq!(state(engine, id).await, AnnouncementState::Sent);
        let to = sent_to(market).await;
        assert_eq!(to, [
            ("asha@haat.example", "लैंप"), ("delta-electronics@haat.example", "Lamps"), ("meena-crafts@haat.example", "Lamps"),
        ].map(|(to, title)| (to.to_owned(), title.to_owned())));
        assert_eq!(seen(engine, &asha).await, ["लैंप"]);
        sent(market).await;
        assert_eq!(sent_to(market).await.len(), 3, "once");

        // It can't be changed or deleted any more, but withdrawn.
        assert_eq!(announcements::save(engine, &system, id, 4, &form("offer", "sellers")).await, stale);
        assert_eq!(announcements::delete(engine, &system, id).await, stale);
        announcements::withdraw(engine, &system, id).await.unwrap();
        assert_eq!((state(engine, id).await, seen(engine, &asha).await), (AnnouncementState::Withdrawn, Vec::new()));
        assert_eq!(announcements::withdraw(engine, &system, id).await, stale);
        let log = audit::list(engine, &system, "").await.unwrap().items;
        let done: Vec<&str> = log.iter().map(|entry| entry.action.trim_start_matches("announcements::")).take(5).collect();
        assert_eq!(done, ["withdraw", "send", "save", "save", "create"]);
        assert_eq!(log[0].note, "Lamps");
        assert_eq!(announcements::withdraw(engine, &system, random::id(0)).await, Err(Error::NotFound));
    }

    async fn one_that_is_scheduled_waits_and_can_be_taken_back(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let at = |typed: &str| AnnouncementForm { send_at: typed.into(), in_app: false, ..form("service", "sellers") };
        for (typed, code) in [("tomorrow", FieldCode::NotDate), ("2020-01-01T10:00", FieldCode::TooSmall)] {
            let refused = announcements::create(engine, &system, &at(typed)).await.unwrap_err();
            assert_eq!(refused.at("send_at"), Some(code), "{typed}");
        }
        let now = engine.clock.now_ms();
        let later = engine.zone.local(now + 7_200_000);
        let id = announcements::create(engine, &system, &at(&later[..16])).await.unwrap();
        announcements::send(engine, &system, id, 1).await.unwrap();
        sent(market).await;
        assert_eq!((state(engine, id).await, sent_to(market).await.len()), (AnnouncementState::Scheduled, 0));
        announcements::withdraw(engine, &system, id).await.unwrap();
        market.clock.advance_ms(7_200_000);
        sent(market).await;
        assert_eq!((state(engine, id).await, sent_to(market).await.len()), (AnnouncementState::Draft, 0));
        announcements::delete(engine, &system, id).await.unwrap();
        assert!(announcements::page(engine, &system, "", None).await.unwrap().page.items.is_empty());
        let id = announcements::create(engine, &system, &at(&engine.zone.local(engine.clock.now_ms() + 120_000)[..16])).await.unwrap();
        announcements::send(engine, &system, id, 1).await.unwrap();
        market.clock.advance_ms(120_000);
        sent(market).await;
        assert_eq!((state(engine, id).await, sent_to(market).await.len()), (AnnouncementState::Sent, 2), "to the sellers");
    }

    async fn offers_are_emailed_only_to_those_who_agreed_and_end_with_one_click(market) {
        let engine = &market.engine;
        let (asha, ravi) = (market.signed_up(&Caller::guest(), "asha").await, market.signed_up(&Caller::guest(), "ravi").await);
        let choose = async |who: &Caller, email, in_app| {
            let chosen = NotificationPreference { topic: NotificationTopic::Offers, email, in_app, push: false };
            inbox::choose(engine, who, &[chosen]).await.unwrap();
        };
        choose(&asha, true, true).await;
        choose(&ravi, false, false).await;
        let id = send(market, &form("offer", "everyone")).await;
        let shown = announcements::page(engine, &Caller::system(), "", Some(id)).await.unwrap().shown.unwrap();
        assert_eq!((shown.on_site, shown.emails, shown.card.told), (3, 1, 4), "two sellers have chosen nothing");
        assert_eq!(sent_to(market).await, [("asha@haat.example".to_owned(), "Lamps".to_owned())]);
        assert_eq!((seen(engine, &asha).await.len(), seen(engine, &ravi).await.len()), (1, 0));

        // The link of her email ends them, and nothing else; no other link does.
        let mail = mailbox::latest(&engine.db).await.unwrap().remove(0);
        let text = mailbox::find(&engine.db, mail.id).await.unwrap().text;
        let (_, token) = link_in(&text);
        let user = asha.user_id().unwrap();
        let (nobody, of_nobody) = link_in(&shown.previews[0].text);
        assert_eq!(announced::unsubscribe(engine, nobody.parse().unwrap(), of_nobody).await, Err(Error::NotFound));
        for (user, token) in [(ravi.user_id().unwrap(), token), (user, ""), (user, "x")] {
            assert_eq!(announced::unsubscribe(engine, user, token).await, Err(Error::NotFound));
        }
        for _ in 0..2 {
            announced::unsubscribe(engine, user, token).await.unwrap();
        }
        let of = inbox::preferences(engine, &asha).await.unwrap();
        let offers = NotificationPreference { topic: NotificationTopic::Offers, email: false, in_app: true, push: false };
        assert!(of.contains(&offers) && of.iter().all(|of| of.topic == NotificationTopic::Offers || of.email), "{of:?}");
        send(market, &form("offer", "everyone")).await;
        assert_eq!((sent_to(market).await.len(), seen(engine, &asha).await.len()), (1, 2));

        // News of the service need no consent, and have no such link.
        send(market, &AnnouncementForm { in_app: false, ..form("service", "everyone") }).await;
        assert_eq!(sent_to(market).await.len(), 5);
    }

    async fn only_those_who_bought_are_customers(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let (mut asha, ravi) = (market.signed_up(&Caller::guest(), "asha").await, market.signed_up(&Caller::guest(), "ravi").await);
        market.add(&mut asha, bowl, 1).await.unwrap();
        market.buy_in_cash(&asha).await.unwrap();
        market.settle().await;
        send(market, &AnnouncementForm { email: false, ..form("service", "customers") }).await;
        assert!(seen(engine, &asha).await.contains(&"Lamps".to_owned()));
        assert_eq!(seen(engine, &ravi).await, [""; 0]);
    }

    async fn many_are_told_in_batches_each_once_whatever_breaks(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let users: Vec<[Value; 7]> = (0..1_100).map(|n| {
            let (id, name): (UserId, _) = (random::id(n), format!("user{n}@example.com"));
            [id.into(), name.as_str().into(), name.as_str().into(), name.as_str().into(), name.into(), "x".into(), n.into()]
        }).collect();
        engine.db.write("t", users, |tx, users| Box::pin(async move { Ok(tx.exec_many(&ADD_USERS, users).await?) })).await.unwrap();
        let id = announcements::create(engine, &system, &AnnouncementForm { email: false, ..form("service", "everyone") }).await.unwrap();
        announcements::send(engine, &system, id, 1).await.unwrap();
        let count = async |of| engine.db.one::<Scalar<i64>>(of, params![]).await.unwrap().0;
        announcements::start(engine).await.unwrap();
        // A node tells the first ones and dies; four others continue at once.
        assert!(announcements::tell(engine).await.unwrap());
        assert_eq!((count(&TOLD).await, state(engine, id).await), (500, AnnouncementState::Sending));
        let nodes: Vec<_> = (0..4).map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { while announcements::tell(&engine).await.unwrap() {} })
        }).collect();
        for node in nodes { node.await.unwrap(); }
        assert_eq!((count(&TOLD).await, count(&TOLD_TWICE).await, state(engine, id).await), (1_102, 0, AnnouncementState::Sent));

        // One that is withdrawn before it was delivered is shown to nobody, and has not failed.
        announcements::withdraw(engine, &system, id).await.unwrap();
        assert_eq!(count(&TOLD).await, 0, "nothing was delivered yet");
        assert!(!announcements::tell(engine).await.unwrap());
        let of = ListRequest { state: DeliveryState::Failed.as_str().into(), ..ListRequest::default() };
        assert_eq!(log::table(engine, &system, &of).await.unwrap().count("failed"), 0);
    }

    async fn others_learn_of_no_announcement(market) {
        let engine = &market.engine;
        let (asha, id) = (market.signed_up(&Caller::guest(), "asha").await, random::id(0));
        for (who, refused) in [(Caller::guest(), Error::SignInNeeded), (asha, Error::NotFound)] {
            assert_eq!(announcements::page(engine, &who, "", None).await.err(), Some(refused.clone()));
            assert_eq!(announcements::create(engine, &who, &form("service", "everyone")).await.err(), Some(refused.clone()));
            assert_eq!(announcements::save(engine, &who, id, 1, &form("service", "everyone")).await.err(), Some(refused.clone()));
            assert_eq!(announcements::send(engine, &who, id, 1).await.err(), Some(refused.clone()));
            assert_eq!(announcements::withdraw(engine, &who, id).await.err(), Some(refused.clone()));
            assert_eq!(announcements::delete(engine, &who, id).await.err(), Some(refused));
        }
    }
}
