//! Conversations: one per shopper and shop, every message once and in order, and nobody else's business.

use std::collections::BTreeSet;

use haat_engine::{
    Caller, Engine, Who, accounts, audit, bus::Topic, catalog, chat, db::Statement, notifications::inbox,
    oracle, orders, schedules, shops, statements,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    catalog::ListProducts,
    chat::{
        AWAY_MS, AwayMessage, Card, ConversationCard, InboxRequest, MessageView, NewMessage, OpeningHours,
        Side,
    },
    id::kinds::{ConversationId, MediaId, MessageId, ReportId},
    media::{NewPicture, is_private},
    page::ListRequest,
    permissions::Role,
    reports::{NewReport, ReportAction, ReportCard, ReportReason},
};
use uuid::Uuid;

use crate::{both, notifications::change, races::at_once, support::*};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

statements! {
    SKIP = "UPDATE conversations SET last_seq = last_seq - 1";
    UNSKIP = "UPDATE conversations SET last_seq = last_seq + 1";
    CHANGE_MORE = "UPDATE conversations SET change_seq = change_seq + 1";
    CHANGE_LESS = "UPDATE conversations SET change_seq = change_seq - 1";
    EARLIER = "UPDATE conversations SET last_at = last_at - 1";
    LATER = "UPDATE conversations SET last_at = last_at + 1";
    UNREAD_MORE = "UPDATE conversations SET shop_unread = shop_unread + 1";
    UNREAD_LESS = "UPDATE conversations SET shop_unread = shop_unread - 1";
}

fn id(n: u128) -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(n))
}

fn text(n: u128, text: &str) -> NewMessage {
    NewMessage { id: id(n), text: text.into(), about: String::new(), pictures: Vec::new() }
}

fn asked(shop: &str, open: ConversationId, about: &str) -> InboxRequest {
    InboxRequest { shop: shop.into(), open: Some(open), about: about.into(), ..InboxRequest::default() }
}

async fn cards(engine: &Engine, caller: &Caller, shop: &str) -> Vec<ConversationCard> {
    chat::list(engine, caller, shop, "", "").await.unwrap().items
}

async fn all(engine: &Engine, caller: &Caller, shop: &str, of: ConversationId) -> Vec<MessageView> {
    chat::changes(engine, caller, shop, of, 0).await.unwrap().messages
}

/// A shopper with an open conversation with Meena's shop, and Meena.
async fn opened(market: &Market) -> (Caller, Caller, ConversationId) {
    let asha = market.signed_up(&Caller::guest(), "asha").await;
    let meena = market.owner(MEENA).await;
    let of = chat::open(&market.engine, &asha, MEENA).await.unwrap();
    (asha, meena, of)
}

/// The same user with another role in their shops.
fn with_role(caller: &Caller, role: Role) -> Caller {
    let mut caller = caller.clone();
    if let Who::User(user) = &mut caller.who {
        user.shops.iter_mut().for_each(|shop| shop.role = role);
    }
    caller
}

both! {
    async fn a_shopper_and_a_shop_write_to_each_other(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        market.product(DELTA, "Desk lamp", 45_000, 5).await;
        let (asha, meena, of) = opened(market).await;
        assert_eq!(chat::open(engine, &asha, MEENA).await.unwrap(), of, "however often it is opened");
        assert_eq!(cards(engine, &asha, "").await, [], "nothing was written");
        assert_eq!(cards(engine, &meena, MEENA).await, []);
        let product = |title: &'static str| async move {
            let asked = ListProducts { q: title.into(), ..ListProducts::default() };
            catalog::list(engine, &Caller::guest(), asked).await.unwrap().items.remove(0)
        };
        let (shown, about) = (product("Clay bowl").await, product("Clay bowl").await.id);
        let mut news = engine.bus.subscribe(Topic::Chat);
        let first = NewMessage { about: about.to_string(), ..text(1, " Is it\nglazed? ") };
        let sent = chat::send(engine, &asha, "", of, first.clone()).await.unwrap();
        assert_eq!((sent.seq, sent.side, sent.text.as_str(), sent.changeable), (1, Side::Shopper, "Is it\nglazed?", true));
        assert_eq!(sent.about, Some(Card::Product { id: about, slug: shown.slug, title: shown.title }));
        assert_eq!(news.next().await.as_deref(), Some(&*of.to_string()));
        // A retry, even with another text, is the same message.
        let again = chat::send(engine, &asha, "", of, text(1, "Is it?")).await.unwrap();
        assert_eq!(again, sent);
        // What is about something else of the shop's, or of nobody's.
        let lamp = product("Desk lamp").await.id.to_string();
        for about in [lamp.as_str(), "prod_01h455vb4pex5vsknk084sn02q", "H1-1"] {
            let refused = NewMessage { about: about.into(), ..text(9, "And this?") };
            assert_eq!(chat::send(engine, &asha, "", of, refused).await, Err(Error::NotFound), "{about}");
        }
        let refused = chat::send(engine, &asha, "", of, text(9, " \n")).await;
        assert_eq!(refused, Err(Error::field("text", FieldCode::Missing)));

        let card = &cards(engine, &meena, MEENA).await[0];
        assert_eq!((card.name.as_str(), card.excerpt.as_str(), card.unread), ("asha", "Is it glazed?", 1));
        assert_eq!((chat::unread(engine, &meena, MEENA).await, chat::unread(engine, &asha, "").await), (Ok(1), Ok(0)));
        let seen = chat::inbox(engine, &meena, &asked(MEENA, of, "")).await.unwrap();
        let thread = seen.thread.unwrap();
        assert_eq!((thread.side, thread.messages.len(), thread.earlier, thread.read_seq), (Side::Shop, 1, None, 0));
        assert_eq!((thread.messages[0].author.as_str(), thread.messages[0].changeable), ("asha", false));
        assert_eq!((seen.conversations.items[0].unread, chat::unread(engine, &meena, MEENA).await), (0, Ok(0)), "opening reads");
        let answer = chat::send(engine, &meena, MEENA, of, text(1, "It is.")).await;
        assert_eq!(answer, Err(Error::Conflict(Conflict::KeyReused)), "an ID of the other side");
        let answer = chat::send(engine, &meena, MEENA, of, text(2, "It is.")).await.unwrap();
        assert_eq!((answer.seq, answer.author.as_str()), (2, "meena-crafts"));
        let thread = chat::inbox(engine, &asha, &asked("", of, &about.to_string())).await.unwrap().thread.unwrap();
        assert_eq!((thread.read_seq, thread.about, thread.conversation.name), (1, sent.about, "meena crafts".into()));
        assert_eq!(thread.messages[1].author, "meena crafts", "shoppers see the shop");
        chat::read(engine, &meena, MEENA, of, 99).await.unwrap();
        assert_eq!(chat::changes(engine, &asha, "", of, 2).await.unwrap().read_seq, 2, "not more than there is");

        // From an order of hers, to the shop that she buys from.
        let mut buyer = asha.clone();
        market.add(&mut buyer, bowl, 1).await.unwrap();
        let number = market.buy_in_cash(&buyer).await.unwrap();
        let order = format!("{number}-1");
        assert_eq!(chat::open_for_order(engine, &meena, MEENA, &order).await.unwrap(), of);
        let asked = NewMessage { about: order.clone(), ..text(3, "When do you ship?") };
        let asked = chat::send(engine, &asha, "", of, asked).await.unwrap();
        assert_eq!(asked.about, Some(Card::Order { number: order, purchase: number }));
        let ben = market.signed_up(&Caller::guest(), "ben").await;
        let mut buyer = ben.clone();
        market.add(&mut buyer, bowl, 1).await.unwrap();
        let number = market.buy_in_cash(&buyer).await.unwrap();
        let foreign = NewMessage { about: format!("{number}-1"), ..text(9, "Whose is this?") };
        assert_eq!(chat::send(engine, &asha, "", of, foreign).await, Err(Error::NotFound), "an order of someone else");
        let with_ben = chat::open_for_order(engine, &meena, MEENA, &format!("{number}-1")).await.unwrap();
        assert_ne!(with_ben, of);
        assert_eq!(chat::open(engine, &ben, MEENA).await.unwrap(), with_ben);
        let number = market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap();
        let guest = chat::open_for_order(engine, &meena, MEENA, &format!("{number}-1")).await;
        assert_eq!(guest, Err(Error::Conflict(Conflict::CustomerIsGuest)));
    }

    async fn a_message_is_edited_and_deleted_for_fifteen_minutes(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        for n in 1..=3 {
            chat::send(engine, &asha, "", of, text(n, &format!("Message {n}"))).await.unwrap();
        }
        let edited = chat::edit(engine, &asha, "", of, id(1), "Better").await.unwrap();
        assert_eq!((edited.text.as_str(), edited.edited, edited.seq, edited.change_seq), ("Better", true, 1, 4));
        let deleted = chat::delete(engine, &asha, "", of, id(2)).await.unwrap();
        assert_eq!((deleted.text.as_str(), deleted.deleted, deleted.changeable, deleted.change_seq), ("", true, false, 5));
        // Who has the first three messages gets what changed since, once and in order.
        let news = chat::changes(engine, &meena, MEENA, of, 3).await.unwrap();
        let got: Vec<_> = news.messages.iter().map(|m| (m.seq, m.text.as_str(), m.deleted)).collect();
        assert_eq!((got, news.change_seq), (vec![(1, "Better", false), (2, "", true)], 5));
        assert_eq!(chat::changes(engine, &meena, MEENA, of, 5).await.unwrap().messages, []);
        let kept = Err(Error::Conflict(Conflict::MessageKept));
        assert_eq!(chat::edit(engine, &asha, "", of, id(2), "Back").await, kept, "deleted");
        assert_eq!(chat::edit(engine, &meena, MEENA, of, id(1), "Mine").await, Err(Error::NotFound), "the other side's");
        assert_eq!(chat::delete(engine, &meena, MEENA, of, id(1)).await, Err(Error::NotFound));
        assert!(matches!(chat::edit(engine, &asha, "", of, id(1), "").await, Err(Error::Invalid(_))));
        market.clock.advance_ms(haat_shared::chat::CHANGE_MS);
        assert_eq!(chat::edit(engine, &asha, "", of, id(1), "Late").await, kept);
        assert_eq!(chat::delete(engine, &asha, "", of, id(1)).await, kept);
        assert!(all(engine, &asha, "", of).await.iter().all(|message| !message.changeable));
    }

    async fn nobody_else_reads_or_writes(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        chat::send(engine, &asha, "", of, text(1, "Hello")).await.unwrap();
        let (ben, delta) = (market.signed_up(&Caller::guest(), "ben").await, market.owner(DELTA).await);
        let guest = Caller::guest();
        let fulfilment = with_role(&meena, Role::Fulfilment);
        let others = [
            (&ben, "", Error::NotFound),
            (&ben, MEENA, Error::NotFound),
            (&delta, "", Error::NotFound),
            (&delta, DELTA, Error::NotFound),
            (&delta, MEENA, Error::NotFound),
            // The shop's owner, as a shopper.
            (&meena, "", Error::NotFound),
            (&fulfilment, MEENA, Error::Denied),
            (&guest, "", Error::SignInNeeded),
            (&guest, MEENA, Error::SignInNeeded),
        ];
        for (who, shop, why) in others {
            let refused = [
                chat::inbox(engine, who, &asked(shop, of, "")).await.map(drop),
                chat::messages(engine, who, shop, of, None, None).await.map(drop),
                chat::conversation(engine, who, shop, of).await.map(drop),
                chat::changes(engine, who, shop, of, 0).await.map(drop),
                chat::send(engine, who, shop, of, text(1, "Hello")).await.map(drop),
                chat::send(engine, who, shop, of, text(7, "I listen")).await.map(drop),
                chat::edit(engine, who, shop, of, id(1), "Mine").await.map(drop),
                chat::delete(engine, who, shop, of, id(1)).await.map(drop),
                chat::read(engine, who, shop, of, 1).await,
                chat::typing(engine, who, shop, of).await,
            ];
            assert!(refused.iter().all(|refused| *refused == Err(why.clone())), "{shop} {refused:?}");
            assert!(chat::block(engine, who, shop, of, true).await.is_err());
            if why == Error::NotFound && shop != MEENA {
                assert_eq!(cards(engine, who, shop).await, []);
            }
        }
        assert_eq!(chat::open(engine, &guest, MEENA).await, Err(Error::SignInNeeded));
        assert_eq!(chat::open(engine, &ben, "no-shop").await, Err(Error::NotFound));
        assert_eq!(chat::open_for_order(engine, &delta, MEENA, "H1-1").await, Err(Error::NotFound));
        assert_eq!(chat::block(engine, &asha, "", of, true).await, Err(Error::NotFound));
        let support = with_role(&meena, Role::Support);
        chat::send(engine, &support, MEENA, of, text(2, "Hello")).await.unwrap();
        assert_eq!(all(engine, &asha, "", of).await.len(), 2);
    }

    async fn a_blocked_shopper_reaches_nobody(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let first = chat::send(engine, &asha, "", of, text(1, "Buy my coins")).await.unwrap();
        chat::block(engine, &meena, MEENA, of, true).await.unwrap();
        let blocked = Err(Error::Conflict(Conflict::ConversationBlocked));
        assert_eq!(chat::send(engine, &asha, "", of, text(2, "Please")).await, blocked);
        assert_eq!(chat::edit(engine, &asha, "", of, id(1), "Please").await, blocked);
        // What was sent before is not sent again.
        assert_eq!(chat::send(engine, &asha, "", of, text(1, "Buy my coins")).await, Ok(first));
        assert_eq!(chat::open(engine, &asha, MEENA).await, Ok(of), "no way around it");
        assert!(cards(engine, &asha, "").await[0].blocked);
        assert_eq!(all(engine, &meena, MEENA, of).await.len(), 1);
        chat::block(engine, &meena, MEENA, of, false).await.unwrap();
        assert_eq!(chat::send(engine, &asha, "", of, text(2, "Thanks")).await.unwrap().seq, 2);
    }

    async fn conversations_and_messages_come_page_by_page(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        for n in 1..=90 {
            chat::send(engine, &asha, "", of, text(n, &n.to_string())).await.unwrap();
        }
        let (mut before, mut read) = (None, Vec::new());
        loop {
            let page = chat::messages(engine, &meena, MEENA, of, before, None).await.unwrap();
            assert_eq!(page.has_later, before.is_some());
            read.splice(0..0, page.items.into_iter().map(|message| message.seq));
            before = read.first().copied();
            if !page.has_earlier {
                break;
            }
        }
        assert_eq!(read, (1..=90).collect::<Vec<i64>>());
        let (mut after, mut read) = (0, Vec::new());
        loop {
            let page = chat::messages(engine, &asha, "", of, None, Some(after)).await.unwrap();
            assert_eq!(page.has_earlier, after > 0);
            read.extend(page.items.into_iter().map(|message| message.seq));
            after = read.len() as i64;
            if !page.has_later {
                break;
            }
        }
        assert_eq!(read, (1..=90).collect::<Vec<i64>>());
        let none = chat::messages(engine, &asha, "", of, None, Some(90)).await.unwrap();
        assert_eq!((none.items, none.has_later), (vec![], false));
        let both = chat::messages(engine, &asha, "", of, Some(5), Some(1)).await;
        assert_eq!(both, Err(Error::field("after", FieldCode::BadCursor)));
        for n in 0..3 {
            market.clock.advance_ms(1_000);
            let other = market.signed_up(&Caller::guest(), &format!("shopper{n}")).await;
            let of = chat::open(engine, &other, MEENA).await.unwrap();
            chat::send(engine, &other, "", of, text(1, "Hi")).await.unwrap();
        }
        let page = |after: String| async move {
            let of = haat_shared::page::PageRequest { after: &after, limit: Some(2) };
            chat::list(engine, &market.owner(MEENA).await, MEENA, "", of).await.unwrap()
        };
        let first = page(String::new()).await;
        let second = page(first.next.clone().unwrap()).await;
        let names = |cards: &[ConversationCard]| cards.iter().map(|card| card.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&first.items), ["shopper2", "shopper1"]);
        assert_eq!((names(&second.items), second.next), (vec!["shopper0".into(), "asha".into()], None));
        assert_eq!(chat::list(engine, &meena, MEENA, "", "x").await, Err(Error::field("after", FieldCode::BadCursor)));
    }

    async fn unread_messages_are_counted_as_they_are_sent_and_read(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let unread = async || {
            let counts = (chat::unread(engine, &asha, "").await.unwrap(), chat::unread(engine, &meena, MEENA).await.unwrap());
            let me = accounts::me(engine, &asha).await.unwrap().unwrap();
            let to_do = shops::to_do(engine, &meena, MEENA).await.unwrap();
            assert_eq!((me.unread_messages, to_do.unread_messages), counts);
            counts
        };
        for n in 1..=3 {
            chat::send(engine, &asha, "", of, text(n, "Hello?")).await.unwrap();
        }
        assert_eq!(unread().await, (0, 3));
        chat::read(engine, &meena, MEENA, of, 2).await.unwrap();
        assert_eq!(unread().await, (0, 1), "one was sent meanwhile");
        for n in 4..=5 {
            chat::send(engine, &meena, MEENA, of, text(n, "Hello!")).await.unwrap();
        }
        chat::read(engine, &asha, "", of, 4).await.unwrap();
        assert_eq!(unread().await, (1, 1));
        let changes = chat::changes(engine, &asha, "", of, 5).await.unwrap();
        assert_eq!((changes.own_read_seq, changes.read_seq), (4, 2));
        // Who looks at what was written before has not seen the latest ones.
        let earlier = InboxRequest { before: Some(3), ..asked("", of, "") };
        let thread = chat::inbox(engine, &asha, &earlier).await.unwrap().thread.unwrap();
        assert_eq!((thread.messages.len(), thread.own_read_seq), (2, 4));
        assert_eq!(unread().await, (1, 1));
        let thread = chat::inbox(engine, &asha, &asked("", of, "")).await.unwrap().thread.unwrap();
        assert_eq!(thread.own_read_seq, 5);
        chat::read(engine, &meena, MEENA, of, 5).await.unwrap();
        assert_eq!(unread().await, (0, 0));
        // A member who may see orders but not messages learns of none.
        let fulfilment = with_role(&meena, Role::Fulfilment);
        chat::send(engine, &asha, "", of, text(6, "Hello?")).await.unwrap();
        assert_eq!(shops::to_do(engine, &fulfilment, MEENA).await.unwrap().unread_messages, 0);
    }

    async fn the_count_of_unread_messages_survives_a_race(market) {
        let (asha, meena, of) = opened(market).await;
        // The oracle counts them afterwards.
        let calls = (0..24u128).map(|n| {
            let (engine, asha, meena) = (market.engine.clone(), asha.clone(), meena.clone());
            async move {
                match n % 3 {
                    0 => chat::read(&engine, &meena, MEENA, of, n as i64 / 4).await.unwrap(),
                    1 => drop(chat::send(&engine, &asha, "", of, text(n, "At once")).await.unwrap()),
                    _ => drop(chat::send(&engine, &meena, MEENA, of, text(n, "At once")).await.unwrap()),
                }
            }
        });
        at_once(calls.collect()).await;
        let changes = chat::changes(&market.engine, &meena, MEENA, of, 0).await.unwrap();
        assert_eq!(changes.messages.len(), 16);
    }

    async fn the_oracle_sees_conversations_that_do_not_match_their_messages(market) {
        let engine = &market.engine;
        let (asha, _, of) = opened(market).await;
        for n in 1..=3 {
            chat::send(engine, &asha, "", of, text(n, "Hello?")).await.unwrap();
        }
        let count = "a conversation with ";
        let cases: [(&'static Statement, &'static Statement, &str); 4] = [
            (&SKIP, &UNSKIP, count),
            (&CHANGE_MORE, &CHANGE_LESS, count),
            (&EARLIER, &LATER, count),
            (&UNREAD_MORE, &UNREAD_LESS, "a conversation counts 0 messages as unread by the shopper and 4 by the shop"),
        ];
        for (harm, repair, finding) in cases {
            change(market, harm).await;
            let broken = oracle::consult(engine).await.unwrap();
            assert!(broken.iter().all(|found| found.starts_with(finding)) && !broken.is_empty(), "{finding}: {broken:?}");
            change(market, repair).await;
            assert_eq!(oracle::consult(engine).await.unwrap(), Vec::<String>::new());
        }
    }

    async fn a_shop_messages_customers_with_accounts(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Clay bowl", 45_000, 5).await;
        let asha = market.signed_up(&market.guest_with(&[(bowl, 1)]).await, "asha").await;
        let (of_asha, of_guest) =
            (market.buy_in_cash(&asha).await.unwrap(), market.buy_in_cash(&market.guest_with(&[(bowl, 1)]).await).await.unwrap());
        let meena = market.owner(MEENA).await;
        let fulfilment = with_role(&meena, Role::Fulfilment);
        for (who, number, can) in [(&meena, &of_asha, true), (&meena, &of_guest, false), (&fulfilment, &of_asha, false)] {
            let order = orders::seller_order(engine, who, MEENA, &format!("{number}-1")).await.unwrap();
            assert_eq!(order.can_message, can, "{number}");
        }
    }

    async fn unread_messages_are_notified_once_per_pause(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let told = async || {
            let schedule = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "messages").unwrap();
            schedules::run_if_due(engine, schedule).await.unwrap();
            chat::notify_due(engine).await.unwrap();
            market.settle().await;
            let mut told: Vec<String> = Vec::new();
            for who in [&asha, &meena] {
                let seen = inbox::list(engine, who, "").await.unwrap();
                told.extend(seen.page.items.iter().filter(|of| !of.read).map(|of| of.title.clone()));
                inbox::read_all(engine, who).await.unwrap();
            }
            told
        };
        let minutes = |n: i64| market.clock.advance_ms(n * 60_000);
        chat::send(engine, &asha, "", of, text(1, "Is it glazed?")).await.unwrap();
        minutes(9);
        chat::send(engine, &asha, "", of, text(2, "And red?")).await.unwrap();
        assert_eq!(told().await, Vec::<String>::new(), "not yet ten minutes");
        minutes(1);
        assert_eq!(told().await, ["2 messages from asha to meena crafts: And red?"]);
        minutes(11);
        assert_eq!(told().await, Vec::<String>::new(), "once");
        // As long as these are unread, further ones are notified after a day.
        chat::send(engine, &asha, "", of, text(3, "Hello?")).await.unwrap();
        minutes(60);
        assert_eq!(told().await, Vec::<String>::new());
        minutes(23 * 60);
        assert_eq!(told().await, ["3 messages from asha to meena crafts: Hello?"]);
        // What was read meanwhile is not.
        chat::inbox(engine, &meena, &asked(MEENA, of, "")).await.unwrap();
        chat::send(engine, &asha, "", of, text(4, "Thanks")).await.unwrap();
        chat::send(engine, &meena, MEENA, of, text(5, "Yes")).await.unwrap();
        minutes(9);
        chat::read(engine, &meena, MEENA, of, 4).await.unwrap();
        chat::read(engine, &meena, MEENA, of, 5).await.unwrap();
        minutes(2);
        assert_eq!(told().await, ["1 messages from meena crafts: Yes"], "and the shopper");
        // Read up to a message before one's own last one: nothing is left.
        chat::read(engine, &asha, "", of, 5).await.unwrap();
        chat::send(engine, &meena, MEENA, of, text(6, "Bye")).await.unwrap();
        chat::send(engine, &asha, "", of, text(7, "Bye")).await.unwrap();
        chat::read(engine, &asha, "", of, 6).await.unwrap();
        minutes(11);
        assert_eq!(told().await, ["1 messages from asha to meena crafts: Bye"]);
        // Read between the notification and its delivery.
        chat::read(engine, &meena, MEENA, of, 7).await.unwrap();
        chat::send(engine, &asha, "", of, text(8, "One more")).await.unwrap();
        minutes(11);
        chat::notify_due(engine).await.unwrap();
        chat::read(engine, &meena, MEENA, of, 8).await.unwrap();
        assert_eq!(told().await, Vec::<String>::new());
    }

    async fn workers_notify_of_a_conversation_once(market) {
        let engine = &market.engine;
        for n in 0..12 {
            let shopper = market.signed_up(&Caller::guest(), &format!("shopper{n}")).await;
            let of = chat::open(engine, &shopper, MEENA).await.unwrap();
            chat::send(engine, &shopper, "", of, text(1, "Hello?")).await.unwrap();
        }
        market.clock.advance_ms(10 * 60_000);
        let workers = (0..4).map(|_| {
            let engine = engine.clone();
            async move { chat::notify_due(&engine).await.unwrap() }
        });
        at_once(workers.collect()).await;
        market.settle().await;
        let seen = inbox::list(engine, &market.owner(MEENA).await, "").await.unwrap();
        assert_eq!((seen.page.items.len(), seen.unread), (12, 12));
    }

    async fn a_shop_answers_with_saved_answers(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let delta = market.owner(DELTA).await;
        for (name, text) in [("Shipping", "We ship on Mondays."), ("Care", "Wash by hand.")] {
            chat::save_reply(engine, &meena, MEENA, None, name, text).await.unwrap();
        }
        let replies = async || {
            let thread = chat::inbox(engine, &meena, &asked(MEENA, of, "")).await.unwrap().thread.unwrap();
            let list = InboxRequest { shop: MEENA.into(), ..InboxRequest::default() };
            let settings = chat::inbox(engine, &meena, &list).await.unwrap().settings.unwrap();
            assert_eq!(thread.replies, settings.replies);
            thread.replies
        };
        let saved = replies().await;
        let names: Vec<_> = saved.iter().map(|of| (of.name.as_str(), of.text.as_str())).collect();
        assert_eq!(names, [("Care", "Wash by hand."), ("Shipping", "We ship on Mondays.")]);
        let thread = chat::inbox(engine, &asha, &asked("", of, "")).await.unwrap().thread.unwrap();
        assert_eq!(thread.replies, [], "the shop's own business");
        assert_eq!(chat::inbox(engine, &asha, &InboxRequest::default()).await.unwrap().settings, None);
        let care = saved[0].id;
        chat::save_reply(engine, &meena, MEENA, Some(care), "Care", "Wash by hand, please.").await.unwrap();
        assert_eq!(replies().await[0].text, "Wash by hand, please.");
        for (who, handle, why) in [(&delta, DELTA, Error::NotFound), (&delta, MEENA, Error::NotFound), (&asha, MEENA, Error::NotFound), (&Caller::guest(), MEENA, Error::SignInNeeded)] {
            let changed = chat::save_reply(engine, who, handle, Some(care), "Mine", "Mine").await;
            assert_eq!((changed, chat::delete_reply(engine, who, handle, care).await), (Err(why.clone()), Err(why)));
        }
        assert_eq!(chat::settings(engine, &delta, MEENA).await, Err(Error::NotFound));
        let fault = chat::save_reply(engine, &meena, MEENA, None, " ", "").await.unwrap_err();
        assert_eq!((fault.at("name"), fault.at("text")), (Some(FieldCode::Missing), Some(FieldCode::Missing)));
        chat::delete_reply(engine, &meena, MEENA, care).await.unwrap();
        assert_eq!(replies().await.len(), 1);
        for n in 2..=50 {
            chat::save_reply(engine, &meena, MEENA, None, &n.to_string(), "Text").await.unwrap();
        }
        let many = chat::save_reply(engine, &meena, MEENA, None, "51", "Text").await;
        assert_eq!(many, Err(Error::field("name", FieldCode::TooMany)));
    }

    async fn an_away_message_is_sent_once_a_day_outside_the_hours(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let send = async |n| chat::send(engine, &asha, "", of, text(n, "Hello?")).await.unwrap();
        let away = async |text: &str, hours| {
            let away = AwayMessage { text: text.into(), hours };
            chat::set_away(engine, &meena, MEENA, &away).await.unwrap();
            assert_eq!(chat::settings(engine, &meena, MEENA).await.unwrap().away, away);
        };
        let automatic = async || {
            let messages = all(engine, &asha, "", of).await;
            messages.into_iter().filter(|of| of.automatic).map(|of| (of.seq, of.side, of.author, of.text)).collect::<Vec<_>>()
        };
        send(1).await;
        assert_eq!(automatic().await, [], "none is set");
        // Open all day, every day: nobody is away.
        let open = OpeningHours([Some((0, 24 * 60)); 7]);
        away("Back soon", open).await;
        send(2).await;
        assert_eq!(automatic().await, []);
        away("Back soon", OpeningHours::default()).await;
        assert_eq!(send(3).await.seq, 3);
        let first = vec![(4, Side::Shop, "meena crafts".to_owned(), "Back soon".to_owned())];
        assert_eq!(automatic().await, first);
        assert_eq!(chat::unread(engine, &asha, "").await, Ok(1));
        send(3).await;
        send(5).await;
        market.clock.advance_ms(AWAY_MS - 60_000);
        send(6).await;
        assert_eq!(automatic().await, first, "once a day");
        market.clock.advance_ms(60_000);
        send(7).await;
        assert_eq!(automatic().await.len(), 2);
        // It is nobody's, and the shop's own messages are not answered.
        let messages = all(engine, &meena, MEENA, of).await;
        assert!(messages.iter().all(|of| !of.changeable));
        assert_eq!(chat::edit(engine, &meena, MEENA, of, messages[3].id, "Mine").await, Err(Error::NotFound));
        market.clock.advance_ms(AWAY_MS);
        chat::send(engine, &meena, MEENA, of, text(8, "Good morning")).await.unwrap();
        assert_eq!(automatic().await.len(), 2);
        away("", OpeningHours::default()).await;
        send(9).await;
        assert_eq!(automatic().await.len(), 2);
        for who in [&asha, &market.owner(DELTA).await] {
            assert_eq!(chat::set_away(engine, who, MEENA, &AwayMessage::default()).await, Err(Error::NotFound));
        }
    }

    async fn pictures_of_a_conversation_are_seen_by_its_two_sides(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let ben = market.signed_up(&Caller::guest(), "ben").await;
        let with_ben = chat::open(engine, &ben, MEENA).await.unwrap();
        let add = |who: Caller, shop: &'static str, to, color| async move {
            chat::add_picture(engine, &who, shop, to, png(8, 8, color)).await
        };
        let red = add(asha.clone(), "", of, [200, 0, 0]).await.unwrap();
        assert_eq!(add(asha.clone(), "", of, [200, 0, 0]).await.unwrap().id, red.id, "the same one again");
        let blue = add(meena.clone(), MEENA, of, [0, 0, 200]).await.unwrap();
        let of_ben = add(ben.clone(), "", with_ben, [200, 0, 0]).await.unwrap();
        assert!(is_private(red.id) && is_private(blue.id) && red.id != of_ben.id);
        assert_eq!(add(ben.clone(), "", of, [1, 2, 3]).await.map(drop), Err(Error::NotFound));
        assert_eq!(add(Caller::guest(), "", of, [1, 2, 3]).await.map(drop), Err(Error::SignInNeeded));
        let with = |n, pictures: &[MediaId]| NewMessage {
            pictures: pictures.iter().map(|id| NewPicture { media: *id, alt: " A bowl ".into() }).collect(),
            ..text(n, "")
        };
        assert_eq!(chat::send(engine, &asha, "", of, with(1, &[of_ben.id])).await, Err(Error::NotFound), "of another conversation");
        let seen = async |who: &Caller, shop: &str, id| chat::may_see_picture(engine, who, shop, of, id).await;
        assert_eq!(seen(&asha, "", red.id).await, Err(Error::NotFound), "not sent yet");
        let sent = chat::send(engine, &asha, "", of, with(1, &[red.id, blue.id, red.id])).await.unwrap();
        let shown: Vec<_> = sent.pictures.iter().map(|of| (of.id, of.alt.as_str())).collect();
        assert_eq!((sent.text.as_str(), shown), ("", vec![(red.id, "A bowl"), (blue.id, "A bowl")]));
        assert_eq!(chat::send(engine, &asha, "", of, with(1, &[red.id])).await.unwrap(), sent, "a retry");
        assert_eq!(all(engine, &meena, MEENA, of).await[0].pictures, sent.pictures);
        let delta = market.owner(DELTA).await;
        for (who, shop, expected) in [
            (&asha, "", Ok(())),
            (&meena, MEENA, Ok(())),
            (&meena, "", Err(Error::NotFound)),
            (&ben, "", Err(Error::NotFound)),
            (&delta, DELTA, Err(Error::NotFound)),
            (&with_role(&meena, Role::Fulfilment), MEENA, Err(Error::Denied)),
            (&Caller::guest(), "", Err(Error::SignInNeeded)),
        ] {
            assert_eq!(seen(who, shop, red.id).await, expected, "{shop}");
        }
        assert_eq!(seen(&asha, "", of_ben.id).await, Err(Error::NotFound));
        assert_eq!(chat::send(engine, &asha, "", of, text(2, "")).await, Err(Error::field("text", FieldCode::Missing)));
        // They go with the message, and their files at the next sweep.
        let media = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "media").unwrap();
        chat::send(engine, &asha, "", of, with(3, &[blue.id])).await.unwrap();
        assert_eq!(chat::delete(engine, &asha, "", of, id(1)).await.unwrap().pictures, []);
        assert_eq!(seen(&asha, "", red.id).await, Err(Error::NotFound));
        market.clock.advance_ms(1_000);
        assert!(schedules::run_if_due(engine, media).await.unwrap());
        assert_eq!(chat::send(engine, &asha, "", of, with(4, &[red.id])).await, Err(Error::NotFound), "it is gone");
        assert_eq!(seen(&asha, "", blue.id).await, Ok(()), "another message shows it");
        // Who is blocked uploads nothing.
        chat::block(engine, &meena, MEENA, of, true).await.unwrap();
        let blocked = add(asha.clone(), "", of, [9, 9, 9]).await.map(drop);
        assert_eq!(blocked, Err(Error::Conflict(Conflict::ConversationBlocked)));
    }

    async fn what_is_reported_is_seen_by_admins_and_nothing_else(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let picture = chat::add_picture(engine, &meena, MEENA, of, png(8, 8, [200, 0, 0])).await.unwrap();
        chat::send(engine, &asha, "", of, text(1, "My address is Kiln Lane 4")).await.unwrap();
        for n in 2..=8 {
            chat::send(engine, &meena, MEENA, of, text(n, &format!("Pay me {n}"))).await.unwrap();
        }
        let shown = vec![NewPicture { media: picture.id, alt: "A bill".into() }];
        chat::send(engine, &meena, MEENA, of, NewMessage { pictures: shown, ..text(9, "Transfer it") }).await.unwrap();
        let about = |message| NewReport { message, reason: ReportReason::OffSite, details: "Rude, too".into() };
        for _ in 0..2 {
            chat::report(engine, &asha, "", of, about(Some(id(9)))).await.unwrap();
        }
        market.clock.advance_ms(1_000);
        chat::report(engine, &asha, "", of, about(None)).await.unwrap();
        // One's own message, none, and a conversation in which the other side wrote nothing.
        for message in [id(1), id(77)] {
            assert_eq!(chat::report(engine, &asha, "", of, about(Some(message))).await, Err(Error::NotFound));
        }
        let ben = market.signed_up(&Caller::guest(), "ben").await;
        let with_ben = chat::open(engine, &ben, MEENA).await.unwrap();
        assert_eq!(chat::report(engine, &ben, "", with_ben, about(None)).await, Err(Error::NotFound));
        let delta = market.owner(DELTA).await;
        for (who, shop, why) in [
            (&ben, "", Error::NotFound),
            (&delta, DELTA, Error::NotFound),
            (&with_role(&meena, Role::Fulfilment), MEENA, Error::Denied),
            (&Caller::guest(), "", Error::SignInNeeded),
        ] {
            assert_eq!(chat::report(engine, who, shop, of, about(Some(id(9)))).await, Err(why), "{shop}");
        }
        // What its author deletes is still seen by who decides, with its pictures.
        chat::delete(engine, &meena, MEENA, of, id(9)).await.unwrap();
        assert_eq!(chat::report(engine, &asha, "", of, about(Some(id(9)))).await, Ok(()), "the open one");
        let media = schedules::SCHEDULES.iter().find(|schedule| schedule.name == "media").unwrap();
        market.clock.advance_ms(1_000);
        schedules::run_if_due(engine, media).await.unwrap();

        let system = Caller::system();
        assert_eq!(audit::home(engine, &system).await.unwrap().open_reports, 2);
        let asked = |state: &str| ListRequest { state: state.into(), ..ListRequest::default() };
        let list = async |state: &str| chat::reports(engine, &system, &asked(state)).await.unwrap();
        let table = list("open").await;
        assert_eq!((table.page.items.len(), table.count("open")), (2, 2));
        let (latest, single) = (&table.page.items[0], &table.page.items[1]);
        let texts = |report: &ReportCard| report.messages.iter().map(|of| of.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(latest), ["Pay me 5", "Pay me 6", "Pay me 7", "Pay me 8", "Transfer it"]);
        assert_eq!(texts(single), ["Transfer it"]);
        assert_eq!((single.by, single.reason, single.details.as_str()), (Side::Shopper, ReportReason::OffSite, "Rude, too"));
        assert_eq!((single.shop_name.as_str(), single.shopper_name.as_str(), single.shopper), ("meena crafts", "asha", asha.user_id()));
        let pictures: Vec<_> = single.messages[0].pictures.iter().map(|of| (of.id, of.alt.as_str())).collect();
        assert_eq!(pictures, [(picture.id, "A bill")]);
        let see = async |who: &Caller, id| chat::may_see_reported(engine, who, id, picture.id).await;
        assert_eq!(see(&system, single.id).await, Ok(()));
        assert_eq!(see(&system, ReportId::from_uuid(Uuid::nil())).await, Err(Error::NotFound));
        assert_eq!(list("").await.page.items.len(), 2);
        assert_eq!(chat::reports(engine, &system, &asked("x")).await, Err(Error::field("state", FieldCode::NotAChoice)));
        for (who, why) in [(&asha, Error::NotFound), (&meena, Error::NotFound), (&Caller::guest(), Error::SignInNeeded)] {
            assert_eq!(chat::reports(engine, who, &asked("")).await.map(drop), Err(why.clone()));
            assert_eq!(see(who, single.id).await, Err(why.clone()));
            assert_eq!(chat::close_report(engine, who, single.id, ReportAction::Dismiss, "").await, Err(why.clone()));
            assert_eq!(chat::unblock_sender(engine, who, single.id).await, Err(why));
        }
        let page = chat::reports(engine, &system, &ListRequest { limit: Some(1), ..asked("") }).await.unwrap().page;
        let after = ListRequest { after: page.next.unwrap(), ..asked("") };
        assert_eq!(chat::reports(engine, &system, &after).await.unwrap().page.items[0].id, single.id);
    }

    async fn admins_decide_on_reports_and_block_who_was_reported(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let system = Caller::system();
        chat::send(engine, &asha, "", of, text(1, "Buy my coins")).await.unwrap();
        chat::send(engine, &meena, MEENA, of, text(2, "Pay me by transfer")).await.unwrap();
        let report = |reason| NewReport { message: None, reason, details: String::new() };
        let open = async || {
            let asked = ListRequest { state: "open".into(), ..ListRequest::default() };
            chat::reports(engine, &system, &asked).await.unwrap().page.items
        };
        chat::report(engine, &meena, MEENA, of, report(ReportReason::Spam)).await.unwrap();
        let of_asha = open().await.remove(0).id;
        let decide = async |id, action, note: &str| chat::close_report(engine, &system, id, action, note).await;
        let long = decide(of_asha, ReportAction::Block, &"x".repeat(501)).await;
        assert_eq!(long, Err(Error::field("note", FieldCode::TooLong(500))));
        assert_eq!(decide(ReportId::from_uuid(Uuid::nil()), ReportAction::Block, "").await, Err(Error::NotFound));
        decide(of_asha, ReportAction::Block, "Coins again").await.unwrap();
        assert_eq!(decide(of_asha, ReportAction::Dismiss, "").await, Err(Error::Conflict(Conflict::Edited(Vec::new()))));
        assert_eq!(open().await, []);

        // She reaches no shop; the shop can still write to her.
        let blocked = Err(Error::Conflict(Conflict::ConversationBlocked));
        let with_delta = chat::open(engine, &asha, DELTA).await.unwrap();
        assert_eq!(chat::send(engine, &asha, "", with_delta, text(3, "Coins?")).await, blocked);
        assert_eq!(chat::send(engine, &asha, "", of, text(3, "Coins?")).await, blocked);
        assert_eq!(chat::edit(engine, &asha, "", of, id(1), "Coins!").await, blocked);
        assert_eq!(chat::add_picture(engine, &asha, "", of, png(8, 8, [1, 2, 3])).await.map(drop), Err(Error::Conflict(Conflict::ConversationBlocked)));
        assert_eq!(chat::send(engine, &asha, "", of, text(1, "Buy my coins")).await.unwrap().seq, 1, "a retry");
        let barred = async |who: &Caller, shop: &str| {
            let changes = chat::changes(engine, who, shop, of, 0).await.unwrap();
            let card = &cards(engine, who, shop).await[0];
            assert_eq!(changes.barred, card.barred);
            card.barred
        };
        assert_eq!((barred(&asha, "").await, barred(&meena, MEENA).await), (true, false));
        chat::send(engine, &meena, MEENA, of, text(4, "No thanks")).await.unwrap();
        chat::unblock_sender(engine, &system, of_asha).await.unwrap();
        chat::unblock_sender(engine, &system, of_asha).await.unwrap();
        chat::set_away(engine, &meena, MEENA, &AwayMessage { text: "Away".into(), ..AwayMessage::default() }).await.unwrap();

        // The other way round. What was decided can be reported again.
        chat::report(engine, &asha, "", of, report(ReportReason::Fraud)).await.unwrap();
        decide(open().await.remove(0).id, ReportAction::Dismiss, "").await.unwrap();
        chat::report(engine, &asha, "", of, report(ReportReason::Fraud)).await.unwrap();
        let of_meena = open().await.remove(0).id;
        decide(of_meena, ReportAction::Block, "").await.unwrap();
        assert_eq!(chat::send(engine, &meena, MEENA, of, text(5, "Pay me")).await, blocked);
        assert_eq!((barred(&asha, "").await, barred(&meena, MEENA).await), (false, true));
        let sent = chat::send(engine, &asha, "", of, text(6, "Hello?")).await.unwrap().seq;
        assert_eq!(all(engine, &asha, "", of).await.last().unwrap().seq, sent, "no away message");
        chat::unblock_sender(engine, &system, of_meena).await.unwrap();
        chat::send(engine, &meena, MEENA, of, text(5, "Sorry")).await.unwrap();

        let log = audit::list(engine, &system, "").await.unwrap().items;
        let log: Vec<_> = log.iter().map(|of| (of.action.as_str(), of.note.as_str(), of.about.shop_handle.as_deref())).collect();
        let email = asha.user().unwrap().email.as_str();
        assert_eq!(log[..7], [
            ("chat::unblock_sender", "", Some(MEENA)),
            ("chat::block_sender", "", Some(MEENA)),
            ("chat::resolve_report", "", None),
            ("chat::dismiss_report", "", None),
            ("chat::unblock_sender", email, None),
            ("chat::block_sender", email, None),
            ("chat::resolve_report", "Coins again", None),
        ]);
    }

    async fn words_are_found_in_ones_own_messages(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let ben = market.signed_up(&Caller::guest(), "ben").await;
        let with_ben = chat::open(engine, &ben, MEENA).await.unwrap();
        for (n, sent) in [(1, "Is the BOWL glazed?"), (2, "100% cotton_bag"), (3, "ÄRMEL und नमस्ते")] {
            chat::send(engine, &asha, "", of, text(n, sent)).await.unwrap();
            market.clock.advance_ms(1_000);
        }
        chat::send(engine, &meena, MEENA, of, text(4, "The bowl is glazed, and the bowls are red.")).await.unwrap();
        market.clock.advance_ms(1_000);
        chat::send(engine, &ben, "", with_ben, text(1, "A bowl, please")).await.unwrap();
        let found = async |who: &Caller, shop: &str, q: &str| {
            let hits = chat::search(engine, who, shop, q).await.unwrap();
            hits.into_iter().map(|hit| (hit.name, hit.seq)).collect::<Vec<_>>()
        };
        let (shop, asha_name) = (|n| ("meena crafts".to_owned(), n), |n| ("asha".to_owned(), n));
        for (q, expected) in [
            ("bowl", vec![4, 1]),
            ("  Bowl   GLAZED ", vec![4, 1]),
            ("bowl cotton", vec![]),
            ("ärm", vec![3]),
            ("नमस्ते", vec![3]),
            ("0%", vec![2]),
            ("n_b", vec![2]),
            ("%%", vec![]),
            ("b", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(shop).collect();
            assert_eq!(found(&asha, "", q).await, expected, "{q}");
        }
        let ben_name = ("ben".to_owned(), 1);
        assert_eq!(found(&meena, MEENA, "bowl").await, [ben_name, asha_name(4), asha_name(1)]);
        assert_eq!(found(&market.owner(DELTA).await, DELTA, "bowl").await, []);
        assert_eq!(found(&meena, "", "bowl").await, []);
        let hit = chat::search(engine, &asha, "", "red").await.unwrap().remove(0);
        assert_eq!((hit.conversation, hit.message, hit.side), (of, id(4), Side::Shop));
        assert_eq!(hit.excerpt, "… glazed, and the bowls are red.");
        chat::edit(engine, &asha, "", of, id(1), "Is the jug glazed?").await.unwrap();
        chat::delete(engine, &asha, "", of, id(2)).await.unwrap();
        assert_eq!(found(&asha, "", "bowl").await, [shop(4)]);
        assert_eq!(found(&asha, "", "jug").await, [shop(1)]);
        assert_eq!(found(&asha, "", "cotton").await, []);
        let page = InboxRequest { q: " jug ".into(), ..InboxRequest::default() };
        assert_eq!(chat::inbox(engine, &asha, &page).await.unwrap().hits.map(|hits| hits.len()), Some(1));
        assert_eq!(chat::inbox(engine, &asha, &InboxRequest::default()).await.unwrap().hits, None);
        let long = chat::search(engine, &asha, "", &"x".repeat(500)).await;
        assert!(matches!(long, Err(Error::Invalid(_))), "{long:?}");
        for (who, shop, why) in [(&ben, MEENA, Error::NotFound), (&with_role(&meena, Role::Fulfilment), MEENA, Error::Denied), (&Caller::guest(), "", Error::SignInNeeded)] {
            assert_eq!(chat::search(engine, who, shop, "bowl").await, Err(why));
        }
    }

    async fn notes_and_labels_are_for_the_shop_only(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let ben = market.signed_up(&Caller::guest(), "ben").await;
        let with_ben = chat::open(engine, &ben, MEENA).await.unwrap();
        for (who, of) in [(&asha, of), (&ben, with_ben)] {
            chat::send(engine, who, "", of, text(1, "Hello")).await.unwrap();
        }
        for note in [" Likes blue ", "Pays late"] {
            chat::add_note(engine, &meena, MEENA, of, note).await.unwrap();
            market.clock.advance_ms(1_000);
        }
        assert_eq!(chat::add_note(engine, &meena, MEENA, of, " ").await, Err(Error::field("note", FieldCode::Missing)));
        chat::set_labels(engine, &meena, MEENA, of, "VIP").await.unwrap();
        chat::set_labels(engine, &meena, MEENA, of, "wholesale, VIP").await.unwrap();
        chat::set_labels(engine, &meena, MEENA, with_ben, "VIP").await.unwrap();
        let many = chat::set_labels(engine, &meena, MEENA, of, "1,2,3,4,5,6").await;
        assert_eq!(many, Err(Error::field("labels", FieldCode::TooMany)));
        let seen = chat::inbox(engine, &meena, &asked(MEENA, of, "")).await.unwrap();
        let thread = seen.thread.unwrap();
        let notes: Vec<_> = thread.notes.iter().map(|of| (of.author.as_str(), of.text.as_str())).collect();
        assert_eq!(notes, [("meena-crafts", "Likes blue"), ("meena-crafts", "Pays late")]);
        assert_eq!(thread.conversation.labels, ["VIP", "wholesale"]);
        assert_eq!(seen.labels, ["VIP", "wholesale"]);
        let listed = async |label: &str| {
            let list = chat::list(engine, &meena, MEENA, label, "").await.unwrap().items;
            list.into_iter().map(|card| (card.name, card.labels)).collect::<Vec<_>>()
        };
        let (a, b) = (("asha".into(), vec!["VIP".into(), "wholesale".into()]), ("ben".into(), vec!["VIP".into()]));
        assert_eq!(listed("VIP").await.len(), 2);
        assert_eq!(listed("wholesale").await, [a]);
        assert_eq!(listed("none").await, []);
        assert!(listed("").await.contains(&b));
        let filtered = InboxRequest { label: "wholesale".into(), shop: MEENA.into(), ..InboxRequest::default() };
        assert_eq!(chat::inbox(engine, &meena, &filtered).await.unwrap().conversations.items.len(), 1);
        assert_eq!(chat::conversation(engine, &meena, MEENA, of).await.unwrap().labels, ["VIP", "wholesale"]);

        // Nothing of it reaches the shopper.
        let own = InboxRequest { label: "VIP".into(), ..asked("", of, "") };
        let seen = chat::inbox(engine, &asha, &own).await.unwrap();
        let thread = seen.thread.unwrap();
        assert_eq!((thread.notes.len(), seen.labels.len(), seen.conversations.items.len()), (0, 0, 1));
        assert!(thread.conversation.labels.is_empty() && seen.conversations.items[0].labels.is_empty());
        assert_eq!(chat::conversation(engine, &asha, "", of).await.unwrap().labels, Vec::<String>::new());
        let first = chat::inbox(engine, &meena, &asked(MEENA, of, "")).await.unwrap().thread.unwrap().notes.remove(0).id;
        let delta = market.owner(DELTA).await;
        for (who, shop, why) in [
            (&asha, "", Error::NotFound),
            (&asha, MEENA, Error::NotFound),
            (&delta, DELTA, Error::NotFound),
            (&delta, MEENA, Error::NotFound),
            (&with_role(&meena, Role::Fulfilment), MEENA, Error::Denied),
            (&Caller::guest(), MEENA, Error::SignInNeeded),
        ] {
            let refused = [
                chat::add_note(engine, who, shop, of, "Mine").await,
                chat::delete_note(engine, who, shop, of, first).await,
                chat::set_labels(engine, who, shop, of, "Mine").await,
            ];
            assert!(refused.iter().all(|refused| *refused == Err(why.clone())), "{shop} {refused:?}");
        }
        assert_eq!(chat::delete_note(engine, &meena, MEENA, with_ben, first).await, Err(Error::NotFound), "of another conversation");
        chat::delete_note(engine, &meena, MEENA, of, first).await.unwrap();
        for n in 1..100 {
            chat::add_note(engine, &meena, MEENA, of, &n.to_string()).await.unwrap();
        }
        assert_eq!(chat::add_note(engine, &meena, MEENA, of, "100").await, Err(Error::field("note", FieldCode::TooMany)));
    }

    async fn a_conversation_keeps_few_pictures_that_were_not_sent(market) {
        let (asha, _, of) = opened(market).await;
        let add = async |n: u8| chat::add_picture(&market.engine, &asha, "", of, png(2, 2, [n, 0, 0])).await;
        for n in 0..60 {
            add(n).await.unwrap();
        }
        assert_eq!(add(60).await.map(drop), Err(Error::field("picture", FieldCode::TooMany)));
    }

    async fn messages_sent_at_once_get_numbers_without_gaps(market) {
        let (asha, meena, of) = opened(market).await;
        // Sixteen messages from both sides, each sent twice at the same time.
        let sends = (0..32u128).map(|n| {
            let engine = market.engine.clone();
            let (caller, shop) = if n % 2 == 0 { (asha.clone(), "") } else { (meena.clone(), MEENA) };
            let message = text(n / 4 * 2 + n % 2, "At once");
            async move { chat::send(&engine, &caller, shop, of, message).await.unwrap().seq }
        });
        let numbers: BTreeSet<i64> = at_once(sends.collect()).await.into_iter().collect();
        assert_eq!(numbers, (1..=16).collect());
        let messages = all(&market.engine, &asha, "", of).await;
        let stored: Vec<_> = messages.iter().map(|message| (message.seq, message.change_seq)).collect();
        assert_eq!(stored, (1..=16).map(|n| (n, n)).collect::<Vec<_>>());
    }

    async fn eight_open_one_conversation_at_once(market) {
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let opens = (0..8).map(|_| {
            let (engine, asha) = (market.engine.clone(), asha.clone());
            async move { chat::open(&engine, &asha, MEENA).await.unwrap() }
        });
        let opened: BTreeSet<_> = at_once(opens.collect()).await.into_iter().map(|id| id.to_string()).collect();
        assert_eq!(opened.len(), 1);
    }

    async fn typing_and_parties_are_for_the_sockets(market) {
        let engine = &market.engine;
        let (asha, meena, of) = opened(market).await;
        let mut news = engine.bus.subscribe(Topic::Typing);
        chat::typing(engine, &meena, MEENA, of).await.unwrap();
        assert_eq!(news.next().await.as_deref(), Some(&*format!("{of} shop")));
        let parties = chat::parties(engine, of).await.unwrap();
        assert_eq!(Some(parties.user_id), asha.user_id());
        assert_eq!(parties.shop_id, meena.user().unwrap().shops[0].shop_id);
        let unknown = ConversationId::from_uuid(Uuid::nil());
        assert_eq!(chat::parties(engine, unknown).await.map(drop), Err(Error::NotFound));
    }
}
