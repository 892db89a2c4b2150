use haat_engine::{
    Caller, TxError, accounts,
    db::{DbError, Scalar},
    dispatch, inventory,
    notifications::{
        self, Mail, inbox, log, mailbox,
        push::{self, Push},
    },
    orders, params, random,
    schedules::{self, SCHEDULES},
    statements,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    accounts::SignIn,
    audit::DeliveryState,
    id::kinds::NotificationId,
    notifications::{Channel, NotificationPreference, NotificationTopic, PushKeys, PushSubscription},
    orders::Shipment,
    page::ListRequest,
};

use crate::{both, support::*};

statements! {
    PATIENT = "UPDATE notifications SET attempts = 49 WHERE state = 'written'";
    pub REWRITE = "UPDATE notifications SET state = 'written', run_at = 0, attempts = 0 WHERE state = 'failed'";
    FORGET_SENDING = "UPDATE notifications SET state = 'written', run_at = 0, attempts = 0 WHERE state = 'sent'";
    DISPATCH_AGAIN = "UPDATE outbox SET dispatched_at = NULL";
    WRITTEN = "SELECT COUNT(*) AS value FROM notifications";
    COPY = "INSERT INTO notifications (id, event, recipient, channel, kind, subject, locale, state, created_at)
        SELECT $1, event, recipient, $2, kind, subject, locale, 'written', created_at
        FROM notifications WHERE kind = 'purchase_made'";
    ERROR = "SELECT error AS value FROM notifications WHERE kind = 'purchase_made'";
}

/// Buys from two shops and writes the notifications.
async fn bought(market: &Market) -> String {
    let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
    let lamp = market.product("delta-electronics", "Desk lamp", 129_900, 30).await;
    let german = Caller { locale: "de", ..market.guest_with(&[(bowl, 2), (lamp, 1)]).await };
    let number = market.buy_in_cash(&german).await.unwrap();
    let indian = Caller { locale: "hi", ..market.owner("delta-electronics").await };
    accounts::keep_locale(&market.engine, &indian).await.unwrap();
    accounts::keep_locale(&market.engine, &german).await.unwrap();
    dispatch::dispatch(&market.engine).await.unwrap();
    number
}

pub async fn change(market: &Market, statement: &'static haat_engine::db::Statement) {
    let write = market
        .engine
        .db
        .write("t", (), move |tx, ()| Box::pin(async move { Ok(tx.exec(statement, params![]).await?) }));
    write.await.unwrap();
}

pub async fn mails(market: &Market) -> Vec<Mail> {
    let mut mails = Vec::new();
    for card in mailbox::latest(&market.engine.db).await.unwrap() {
        mails.push(mailbox::find(&market.engine.db, card.id).await.unwrap());
    }
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    mails
}

async fn left(market: &Market) -> (i64, i64) {
    let backlog = notifications::backlog(&market.engine).await.unwrap();
    (backlog.queued, backlog.dead)
}

both! {
    async fn a_purchase_makes_one_mail_to_the_shopper_and_one_to_each_shop(market) {
        let number = bought(market).await;
        // Four concurrent workers.
        let workers: Vec<_> = (0..4).map(|_| { let engine = market.engine.clone(); tokio::spawn(async move { dispatch::drain(&engine).await.unwrap() }) }).collect();
        for worker in workers { worker.await.unwrap(); }
        let mails = mails(market).await;
        let said: Vec<_> = mails.iter().map(|m| (m.to.as_str(), m.subject.as_str())).collect();
        let (first, second) = (format!("order {number}-1"), format!("order {number}-2"));
        assert_eq!(said, [
            ("asha@example.com", format!("purchase {number}").as_str()),
            ("delta-electronics@haat.example", &second),
            ("meena-crafts@haat.example", &first),
        ]);
        assert_eq!(market.post.handed.lock().unwrap().len(), 3, "each is sent once");
        // The shopper's email is in their language and covers both shops; its link is enough to see the
        // purchase.
        let shopper = &mails[0];
        assert!(shopper.html.starts_with("de ") && shopper.html.contains("Clay bowl") && shopper.html.contains("Desk lamp"));
        let (of, key) = link_in(&shopper.text);
        let view = orders::purchase(&market.engine, &Caller::guest(), of, key).await.unwrap();
        assert_eq!(view.orders.len(), 2);
        // Each shop's email covers only its own order, in its own language.
        assert!(mails[1].html.starts_with("hi "));
        assert!(mails[2].html.starts_with("en ") && mails[2].html.contains("Clay bowl") && !mails[2].html.contains("Desk lamp"));
        assert!(!mails[2].html.contains("asha@example.com"));
    }

    async fn an_event_notifies_each_recipient_once_per_channel(market) {
        let engine = &market.engine;
        bought(market).await;
        change(market, &DISPATCH_AGAIN).await;
        assert_eq!(dispatch::dispatch(engine).await.unwrap(), 3);
        let written: Scalar<i64> = engine.db.one(&WRITTEN, params![]).await.unwrap();
        assert_eq!(written.0, 5, "emails to three, and two who have an account see it");
        let copy_to = async |channel: &'static str| {
            let input: (NotificationId, _) = (random::id(0), channel);
            let write = engine.db.write("t", input, |tx, (id, channel)| {
                Box::pin(async move { Ok(tx.exec(&COPY, params![*id, *channel]).await?) })
            });
            write.await
        };
        let refused = copy_to("email").await;
        assert!(matches!(refused, Err(TxError::Db(DbError::Unique(_)))), "{refused:?}");
        assert_eq!(copy_to("push").await, Ok(1));
        assert_eq!(notifications::deliver_due(engine, Channel::Email).await.unwrap(), 3, "other channels are not sent as emails");
    }

    async fn an_email_that_fails_is_retried_and_given_up_in_the_end(market) {
        bought(market).await;
        *market.post.road.lock().unwrap() = Road::Cut;
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 3);
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 0, "not immediately");
        market.clock.advance_ms(1_300);
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 3, "after a second");
        market.clock.advance_ms(1_300);
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 0, "the delay increases");
        let error: haat_engine::db::Scalar<String> = market.engine.db.one(&ERROR, params![]).await.unwrap();
        assert!(error.0.contains("cut"));
        change(market, &PATIENT).await;
        market.clock.advance_ms(3_600_000);
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 3);
        assert_eq!(left(market).await, (0, 3));
        assert!(mails(market).await.is_empty());
        // The mail server works again, and the emails are resent.
        *market.post.road.lock().unwrap() = Road::Open;
        change(market, &REWRITE).await;
        notifications::deliver_due(&market.engine, Channel::Email).await.unwrap();
        assert_eq!((left(market).await, mails(market).await.len()), ((0, 0), 3));
    }

    async fn what_is_refused_for_good_is_not_retried(market) {
        bought(market).await;
        *market.post.road.lock().unwrap() = Road::Closed;
        notifications::deliver_due(&market.engine, Channel::Email).await.unwrap();
        assert_eq!(left(market).await, (0, 3));
        *market.post.road.lock().unwrap() = Road::Open;
        change(market, &REWRITE).await;
    }

    async fn a_crash_between_sending_and_marking_sends_the_same_mail_again(market) {
        bought(market).await;
        *market.post.road.lock().unwrap() = Road::OneWay;
        let engine = market.engine.clone();
        let worker = tokio::spawn(async move { notifications::deliver_due(&engine, Channel::Email).await });
        while mails(market).await.len() < 3 { tokio::task::yield_now().await; }
        worker.abort();
        *market.post.road.lock().unwrap() = Road::Open;
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 0, "the lease is still valid");
        market.clock.advance_ms(60_000);
        assert_eq!(notifications::deliver_due(&market.engine, Channel::Email).await.unwrap(), 3);
        let handed = market.post.handed.lock().unwrap().clone();
        let (mut first, mut second) = (handed[..3].to_vec(), handed[3..].to_vec());
        first.sort();
        second.sort();
        assert_eq!(first, second);
        assert_eq!((left(market).await, mails(market).await.len()), ((0, 0), 3));
    }

    async fn each_change_of_an_order_is_notified_once(market) {
        let engine = &market.engine;
        let number = bought(market).await;
        market.settle().await;
        let before = mails(market).await.len();
        let meena = market.owner("meena-crafts").await;
        let view = orders::purchase(engine, &Caller::guest(), &number, &market.key(&number)).await.unwrap();
        let of = |handle: &str| view.orders.iter().find(|o| o.shop_handle == handle).unwrap().number.clone();
        let (sent, withdrawn) = (of("meena-crafts"), of("delta-electronics"));
        let shipment = Shipment { carrier: "Blue Dart".into(), tracking_number: "BD-77".into(), ..Shipment::default() };
        orders::confirm(engine, &meena, "meena-crafts", &sent).await.unwrap();
        for _ in 0..2 {
            orders::ship(engine, &meena, "meena-crafts", &sent, shipment.clone()).await.unwrap();
        }
        for _ in 0..2 {
            orders::cancel_by_customer(engine, &Caller::guest(), &number, &market.key(&number), &withdrawn, "Changed my mind").await.unwrap();
        }
        // Four concurrent workers.
        let workers: Vec<_> = (0..4).map(|_| { let engine = engine.clone(); tokio::spawn(async move { dispatch::drain(&engine).await.unwrap() }) }).collect();
        for worker in workers { worker.await.unwrap(); }
        orders::deliver(engine, &meena, "meena-crafts", &sent).await.unwrap();
        market.settle().await;
        let mails = mails(market).await;
        let mut said: Vec<_> = mails.iter().map(|m| (m.to.as_str(), m.subject.clone())).collect();
        said.retain(|(_, subject)| !subject.starts_with("purchase") && !subject.starts_with("order"));
        said.sort();
        assert_eq!(said, [
            ("asha@example.com", format!("cancelled {withdrawn}: Changed my mind")),
            ("asha@example.com", format!("shipped {sent}")),
            ("delta-electronics@haat.example", format!("withdrawn {withdrawn}: Changed my mind")),
        ]);
        assert_eq!(mails.len(), before + 3);
        let mail = |subject: &str| mails.iter().find(|m| m.subject.starts_with(subject)).unwrap();
        // Each in its recipient's language, with a link that shows it to them.
        let shipped = mail("shipped");
        assert!(shipped.html.starts_with("de ") && shipped.html.contains("Blue Dart") && shipped.html.contains("BD-77"));
        let (of, key) = link_in(&shipped.text);
        assert!(orders::purchase(engine, &Caller::guest(), of, key).await.is_ok());
        assert!(mail("withdrawn").html.starts_with("hi "));

        // A shop isn't notified of its own cancellations.
        let bowl = market.product("meena-crafts", "Clay jug", 45_000, 50).await;
        let second = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        orders::cancel(engine, &meena, "meena-crafts", &format!("{second}-1"), "The kiln broke").await.unwrap();
        market.settle().await;
        let handed = market.post.handed.lock().unwrap().len();
        assert_eq!(handed, before + 3 + 3, "the purchase, the order, and the cancellation");
        // An email that is resent has the same id.
        change(market, &FORGET_SENDING).await;
        notifications::deliver_due(engine, Channel::Email).await.unwrap();
        let ids = market.post.handed.lock().unwrap().len();
        let kept = mailbox::latest(&engine.db).await.unwrap().len();
        assert_eq!((ids, kept), (2 * (before + 6), before + 6));
    }

    async fn mails_are_kept_a_week(market) {
        bought(market).await;
        market.settle().await;
        market.clock.advance_ms(6 * 24 * 3_600_000);
        dispatch::purge(&market.engine).await.unwrap();
        assert_eq!(mails(market).await.len(), 3);
        market.clock.advance_ms(2 * 24 * 3_600_000);
        dispatch::purge(&market.engine).await.unwrap();
        assert_eq!(mails(market).await.len(), 0);
    }

    async fn what_happened_is_seen_in_the_app_until_it_is_read(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "Asha").await;
        let (meena, delta) = (market.owner("meena-crafts").await, market.owner("delta-electronics").await);
        let number = market.buy_in_cash(&asha).await.unwrap();
        market.settle().await;
        let seen = async |who: &Caller| inbox::list(engine, who, "").await.unwrap();
        let bought = seen(&asha).await;
        let [of_asha] = bought.page.items.as_slice() else { panic!("{bought:?}") };
        assert_eq!((of_asha.title.as_str(), of_asha.read, bought.unread), (format!("purchase {number}").as_str(), false, 1));
        let sold = seen(&meena).await;
        let [of_meena] = sold.page.items.as_slice() else { panic!("{sold:?}") };
        assert_eq!(of_meena.path, format!("/page of order {number}-1"));
        assert_eq!(seen(&delta).await.page.items, [], "another shop");
        assert_eq!(inbox::open(engine, &delta, of_meena.id).await, Err(Error::NotFound));
        let unread = async |who: &Caller| accounts::me(engine, who).await.unwrap().unwrap().unread_notifications;
        assert_eq!(unread(&meena).await, 1);
        assert_eq!(inbox::list(engine, &Caller::guest(), "").await, Err(Error::SignInNeeded));
        assert_eq!(inbox::open(engine, &meena, of_meena.id).await.unwrap(), of_meena.path);
        assert_eq!((unread(&meena).await, unread(&asha).await), (0, 1));

        orders::confirm(engine, &meena, "meena-crafts", &format!("{number}-1")).await.unwrap();
        let parcel = Shipment { carrier: "India Post".into(), tracking_number: "RX1".into(), ..Shipment::default() };
        orders::ship(engine, &meena, "meena-crafts", &format!("{number}-1"), parcel).await.unwrap();
        market.settle().await;
        let titles: Vec<String> = seen(&asha).await.page.items.into_iter().map(|of| of.title).collect();
        assert_eq!(titles, [format!("shipped {number}-1"), format!("purchase {number}")], "the latest first");
        inbox::read_all(engine, &asha).await.unwrap();
        assert_eq!(unread(&asha).await, 0);
        market.clock.advance_ms(181 * 24 * 3_600_000);
        dispatch::purge(engine).await.unwrap();
        assert_eq!(seen(&asha).await.page.items, []);
    }

    async fn browsers_are_told_as_long_as_their_session_lasts(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "Asha").await;
        let sign_in = async |name: &str| {
            let form = SignIn { email: sign_up(name).email, password: PASSWORD.into() };
            accounts::sign_in(engine, &Caller::guest(), form).await.unwrap()
        };
        let (phone, desk) = (sign_in("Asha").await, sign_in("Asha").await);
        // 65 and 16 bytes.
        let (key, secret) = ("BA".repeat(43) + "A", "AQ".repeat(11));
        let add = async |who: &Caller, session: &str, path: &str, key: &str| {
            let keys = PushKeys { p256dh: key.into(), auth: secret.clone() };
            let of = PushSubscription { endpoint: format!("https://push.example/{path}"), keys };
            push::subscribe(engine, who, session, &of).await
        };
        assert_eq!(push::browser(engine, &Caller::guest(), "").await, Err(Error::SignInNeeded));
        assert_eq!(add(&Caller::guest(), &phone, "phone", &key).await, Err(Error::SignInNeeded));
        assert_eq!(add(&asha, "no session", "phone", &key).await, Err(Error::SignInNeeded));
        let meena = market.owner("meena-crafts").await;
        assert_eq!(add(&meena, &phone, "phone", &key).await, Err(Error::SignInNeeded), "another's session");
        assert_eq!(add(&asha, &phone, "phone", "BA").await, Err(Error::field("p256dh", FieldCode::NotAChoice)));
        let keys = PushKeys { p256dh: key.clone(), auth: secret.clone() };
        let evil = PushSubscription { endpoint: "https://evil.example/".into(), keys };
        assert_eq!(push::subscribe(engine, &asha, &phone, &evil).await, Err(Error::field("endpoint", FieldCode::NotAChoice)));
        for (session, path) in [(&phone, "phone"), (&phone, "phone"), (&desk, "desk"), (&desk, "old")] {
            add(&asha, session, path, &key).await.unwrap();
        }
        let on_phone = async |who: &Caller| {
            let of = push::browser(engine, who, "https://push.example/phone").await.unwrap();
            assert_eq!(of.key, "key");
            of.subscribed
        };
        assert_eq!((on_phone(&asha).await, on_phone(&meena).await), (true, false));
        let given = || std::mem::take(&mut *market.browsers.given.lock().unwrap());
        let to = |given: Vec<Push>| {
            let mut to: Vec<String> = given.into_iter().map(|push| push.endpoint).collect();
            to.sort();
            to
        };
        market.browsers.gone.lock().unwrap().push("https://push.example/old".into());
        let number = market.buy_in_cash(&asha).await.unwrap();
        market.settle().await;
        let first = given();
        let content: serde_json::Value = serde_json::from_str(&first[0].content).unwrap();
        assert_eq!(content["title"], format!("purchase {number}"));
        assert_eq!(to(first), ["https://push.example/desk", "https://push.example/old", "https://push.example/phone"]);
        let failed = ListRequest { state: "failed".into(), channel: "push".into(), ..ListRequest::default() };
        let failed = log::table(engine, &Caller::system(), &failed).await.unwrap().page.items;
        assert_eq!(failed.len(), 1, "the log has the browser that is gone");

        let order = format!("{number}-1");
        orders::confirm(engine, &meena, "meena-crafts", &order).await.unwrap();
        let parcel = |number: &str| Shipment {
            carrier: "India Post".into(),
            tracking_number: number.into(),
            ..Shipment::default()
        };
        orders::ship(engine, &meena, "meena-crafts", &order, parcel("RX1")).await.unwrap();
        market.settle().await;
        let correct = async |number: &str| {
            orders::ship(engine, &meena, "meena-crafts", &order, parcel(number)).await.unwrap();
            market.settle().await;
        };
        assert_eq!(to(given()), ["https://push.example/desk", "https://push.example/phone"]);
        // Signed out at the desk. Nobody else ends what is on the phone.
        accounts::sign_out(engine, &desk).await.unwrap();
        push::unsubscribe(engine, &meena, "https://push.example/phone").await.unwrap();
        correct("RX2").await;
        assert_eq!(to(given()), ["https://push.example/phone"]);
        let no_push = NotificationPreference { push: false, ..NotificationPreference::new(NotificationTopic::Purchases) };
        inbox::choose(engine, &asha, &[no_push]).await.unwrap();
        correct("RX3").await;
        assert_eq!(to(given()), [""; 0], "not wanted");
        inbox::choose(engine, &asha, &[NotificationPreference::new(NotificationTopic::Purchases)]).await.unwrap();
        push::unsubscribe(engine, &asha, "https://push.example/phone").await.unwrap();
        correct("RX4").await;
        assert_eq!(to(given()), [""; 0]);
    }

    async fn people_choose_what_they_are_told_and_how(market) {
        let engine = &market.engine;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 50).await;
        let meena = market.owner("meena-crafts").await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "Asha").await;
        let set = async |who: &Caller, topic, email, in_app| {
            inbox::choose(engine, who, &[NotificationPreference { topic, email, in_app, push: true }]).await.unwrap();
        };
        let all = |topic| NotificationPreference::new(topic);
        let of_shoppers = [NotificationTopic::Purchases, NotificationTopic::Messages, NotificationTopic::Offers, NotificationTopic::Reviews].map(all);
        assert_eq!(inbox::preferences(engine, &asha).await.unwrap(), of_shoppers, "no shop");
        set(&meena, NotificationTopic::Sales, false, true).await;
        set(&asha, NotificationTopic::Purchases, false, false).await;
        let twice = [(true, false), (false, true)].map(|(email, in_app)| NotificationPreference {
            topic: NotificationTopic::Purchases,
            email,
            in_app,
            push: true,
        });
        inbox::choose(engine, &asha, &twice).await.unwrap();
        assert_eq!(inbox::preferences(engine, &meena).await.unwrap(), [
            all(NotificationTopic::Purchases),
            all(NotificationTopic::Messages),
            NotificationPreference { email: false, ..all(NotificationTopic::Sales) },
            all(NotificationTopic::Stock),
            all(NotificationTopic::Payouts),
            all(NotificationTopic::Offers),
            all(NotificationTopic::Reviews),
        ]);
        assert_eq!(inbox::choose(engine, &Caller::guest(), &[]).await, Err(Error::SignInNeeded));
        let number = market.buy_in_cash(&asha).await.unwrap();
        orders::cancel(engine, &meena, "meena-crafts", &format!("{number}-1"), "The kiln broke").await.unwrap();
        market.settle().await;
        let to: Vec<String> = mails(market).await.into_iter().map(|mail| mail.subject).collect();
        assert_eq!(to, [format!("purchase {number}")], "the confirmation of an order is always sent");
        assert_eq!(inbox::list(engine, &asha, "").await.unwrap().unread, 2);
        assert_eq!(inbox::list(engine, &meena, "").await.unwrap().unread, 1);
    }

    async fn a_shop_is_told_once_that_stock_is_low_until_it_is_refilled(market) {
        let engine = &market.engine;
        // The threshold is three.
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 5).await;
        let meena = market.owner("meena-crafts").await;
        let told = async || {
            market.settle().await;
            let all = inbox::list(engine, &meena, "").await.unwrap().page.items;
            all.into_iter().filter(|of| of.kind == "stock_low").map(|of| of.title).collect::<Vec<_>>()
        };
        let buy = async |quantity| {
            market.buy_in_cash(&market.guest_with(&[(bowl, quantity)]).await).await.unwrap();
        };
        let schedule = SCHEDULES.iter().find(|schedule| schedule.name == "low_stock").unwrap();
        let forget = async || {
            market.clock.advance_ms(10_000);
            assert!(schedules::run_if_due(engine, schedule).await.unwrap());
        };
        buy(1).await;
        assert_eq!(told().await, [""; 0], "four are left");
        buy(1).await;
        assert_eq!(told().await, ["3 left of Clay bowl"]);
        buy(1).await;
        forget().await;
        assert_eq!(told().await, ["3 left of Clay bowl"], "once");
        inventory::receive(engine, &meena, bowl, 5, "refill").await.unwrap();
        forget().await;
        assert_eq!(told().await, ["3 left of Clay bowl"]);
        buy(7).await;
        assert_eq!(told().await, ["0 left of Clay bowl", "3 left of Clay bowl"], "again after it was refilled");
        let subjects: Vec<String> = mails(market).await.into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects.iter().filter(|subject| subject.contains("left of")).count(), 2);
    }

    async fn the_log_has_every_notification_and_each_can_be_sent_again_once(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let number = bought(market).await;
        let list = async |q: &str, state: &str, channel: &str| {
            let of = ListRequest { q: q.into(), state: state.into(), channel: channel.into(), ..ListRequest::default() };
            log::table(engine, &system, &of).await.unwrap()
        };
        let all = list("", "", "").await;
        assert_eq!((all.page.items.len(), all.counts), (5, vec![("written".to_owned(), 5)]));
        let first = &all.page.items[0];
        assert_eq!((first.title.as_str(), first.attempts, first.state), ("", 0, DeliveryState::Waiting));
        assert_eq!(log::resend(engine, &system, first.id).await, Err(Conflict::InFlight.into()), "it is sent anyway");
        assert!(log::read(engine, &system, first.id).await.unwrap().next_at.is_some());
        market.settle().await;

        // An owner has got an email, and sees the same on the site; a guest has got an email.
        let owner = list("MEENA-crafts@haat.example", "", "").await.page.items;
        let user = market.owner("meena-crafts").await.user_id().unwrap();
        assert_eq!(owner.len(), 2);
        for (card, channel) in owner.iter().zip([Channel::InApp, Channel::Email]) {
            assert_eq!((card.channel, card.to.as_str(), card.state), (channel, "meena-crafts@haat.example", DeliveryState::Delivered));
            assert_eq!((card.title.as_str(), card.user), (format!("order {number}-1").as_str(), Some(user)));
        }
        let guest = list("asha@example.com", "sent", "email").await.page.items;
        assert_eq!((guest.len(), guest[0].user), (1, None));
        assert_eq!(list("asha@example.com", "", "in_app").await.count(""), 0);
        let failed = list("", "failed", "email").await;
        assert_eq!((failed.page.items.len(), failed.count("sent")), (0, 3), "all states are counted");

        // One that was delivered is sent again as another one, once, and its recipient sees both.
        let read = log::read(engine, &system, guest[0].id).await.unwrap();
        assert!(read.can_be_resent() && read.sent_at.is_some() && read.text.is_some_and(|text| text.contains("http")));
        assert_eq!(read.about.number.as_deref(), Some(number.as_str()));
        for id in [guest[0].id, guest[0].id, owner[0].id] {
            log::resend(engine, &system, id).await.unwrap();
        }
        market.settle().await;
        let again = list("asha@example.com", "sent", "email").await.page.items;
        assert_eq!(again.len(), 2);
        let (first, second) = (log::read(engine, &system, guest[0].id).await.unwrap(), log::read(engine, &system, again[0].id).await.unwrap());
        assert_eq!((first.repeated_as, second.repeats), (Some(again[0].id), Some(guest[0].id)));
        assert!(!first.can_be_resent() && second.can_be_resent());
        assert_eq!(mails(market).await.iter().filter(|mail| mail.to == "asha@example.com").count(), 2);
        let seen = inbox::list(engine, &market.owner("meena-crafts").await, "").await.unwrap();
        assert_eq!(seen.page.items.len(), 2);

        // Page by page, and nothing but what can be asked for.
        let of = |after: &str| ListRequest { limit: Some(4), after: after.into(), ..ListRequest::default() };
        let page = log::table(engine, &system, &of("")).await.unwrap().page;
        let rest = log::table(engine, &system, &of(&page.next.unwrap())).await.unwrap().page;
        assert_eq!((page.items.len(), rest.items.len(), rest.next), (4, 3, None));
        for (of, field, code) in [
            (ListRequest { state: "lost".into(), ..of("") }, "state", FieldCode::NotAChoice),
            (ListRequest { channel: "pigeon".into(), ..of("") }, "channel", FieldCode::NotAChoice),
            (of("yesterday"), "after", FieldCode::BadCursor),
        ] {
            assert_eq!(log::table(engine, &system, &of).await.unwrap_err().at(field), Some(code));
        }
        assert_eq!(log::read(engine, &system, random::id(0)).await.err(), Some(Error::NotFound));
    }

    async fn one_that_failed_is_replaced_by_what_is_sent_again(market) {
        let engine = &market.engine;
        let system = Caller::system();
        bought(market).await;
        *market.post.road.lock().unwrap() = Road::Closed;
        dispatch::drain(engine).await.unwrap();
        let dead = failed(engine).await;
        assert_eq!((left(market).await, dead.len()), ((0, 3), 3));
        assert!(dead.iter().all(|card| card.error.contains("no such address") && !card.title.is_empty()));
        *market.post.road.lock().unwrap() = Road::Open;
        for card in &dead {
            log::resend(engine, &system, card.id).await.unwrap();
        }
        market.settle().await;
        assert_eq!((left(market).await, mails(market).await.len()), ((0, 0), 3));
        let kept = log::read(engine, &system, dead[0].id).await.unwrap();
        assert_eq!((kept.card.state, kept.card.error.as_str()), (DeliveryState::Resent, dead[0].error.as_str()), "why it failed is still known");
    }
}
