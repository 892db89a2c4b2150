//! Reviews: who may write them, what becomes of them, and that products are rated by what is published.

use haat_engine::{
    Caller, Engine, Parts, audit, catalog,
    notifications::{inbox, mailbox},
    orders, reviews, schedules,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    catalog::ListProducts,
    id::kinds::{ReviewId, VariantId},
    notifications::{NotificationPreference, NotificationTopic},
    orders::{LineQuantity, NewRefund, OrderState},
    page::ListRequest,
    reports::ReportReason,
    reviews::{
        HoldReason, Moderation, NewReview, OwnReview, ProductReviews, Rating, ReviewAction, ReviewRefusal,
        ReviewReport, ReviewState, ReviewTerms,
    },
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

/// An item that somebody with an account has bought from Meena.
#[derive(Clone)]
struct Item {
    engine: Engine,
    buyer: Caller,
    purchase: String,
    order: String,
    position: i64,
}

/// A review with this rating and text.
fn says(rating: i64, text: &str) -> NewReview {
    NewReview { rating, text: text.into(), ..NewReview::default() }
}

impl Item {
    /// One that was delivered.
    async fn delivered(market: &Market, name: &str, variant: VariantId) -> Self {
        let item = Self::ordered(market, name, variant).await;
        item.deliver(market).await;
        item
    }

    async fn ordered(market: &Market, name: &str, variant: VariantId) -> Self {
        let guest = market.guest_with(&[(variant, 2)]).await;
        Self::bought_by(market, market.signed_up(&guest, name).await).await
    }

    /// The basket of somebody who is signed in.
    async fn bought_by(market: &Market, buyer: Caller) -> Self {
        let purchase = market.buy_by_card(&buyer).await;
        let engine = market.engine.clone();
        let order = format!("{purchase}-1");
        let owner = market.owner(MEENA).await;
        let seen = orders::seller_order(&engine, &owner, MEENA, &order).await.unwrap();
        let position = seen.order.order.lines[0].position;
        Self { engine, buyer, purchase, order, position }
    }

    async fn deliver(&self, market: &Market) {
        let owner = market.owner(MEENA).await;
        orders::confirm(&self.engine, &owner, MEENA, &self.order).await.unwrap();
        orders::ship(&self.engine, &owner, MEENA, &self.order, shipment()).await.unwrap();
        orders::deliver(&self.engine, &owner, MEENA, &self.order).await.unwrap();
    }

    async fn save(&self, new: NewReview) -> Result<OwnReview> {
        reviews::save(&self.engine, &self.buyer, &self.order, self.position, new).await
    }

    async fn delete(&self) -> Result<()> {
        reviews::delete(&self.engine, &self.buyer, &self.order, self.position).await
    }

    async fn own(&self) -> Result<OwnReview> {
        reviews::own(&self.engine, &self.buyer, &self.order, self.position).await
    }

    async fn refusal(&self) -> Option<ReviewRefusal> {
        let form = reviews::form(&self.engine, &self.buyer, &self.order, self.position).await.unwrap();
        form.refusal
    }
}

async fn slug_of(market: &Market, title: &str) -> String {
    let of = ListProducts { q: title.into(), ..ListProducts::default() };
    catalog::list(&market.engine, &Caller::guest(), of).await.unwrap().items[0].slug.clone()
}

async fn shown(market: &Market, caller: &Caller, slug: &str) -> ProductReviews {
    reviews::of_product(&market.engine, caller, slug, "", "").await.unwrap()
}

/// The same market with other rules.
fn moderated(market: &Market, moderation: Moderation) -> Engine {
    let reviews = ReviewTerms { moderation, invite_days: 0 };
    Engine::new(Parts { reviews, ..market.parts() }).unwrap()
}

async fn decide(engine: &Engine, id: ReviewId, version: i64, action: ReviewAction, note: &str) -> Result<()> {
    reviews::moderate(engine, &Caller::system(), id, version, action, note).await
}

both! {
    async fn customers_are_asked_for_a_review_once(market) {
        const DAY_MS: i64 = 24 * 3_600_000;
        let reviews = ReviewTerms { moderation: Moderation::Rules, invite_days: 7 };
        let asking = &Engine::new(Parts { reviews, ..market.parts() }).unwrap();
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let item = Item::delivered(market, "asha", bowl).await;
        let reviewed = Item::delivered(market, "bela", bowl).await;
        reviewed.save(says(5, "")).await.unwrap();
        let refunded = Item::delivered(market, "carla", bowl).await;
        let lines = vec![LineQuantity { position: refunded.position, quantity: 2 }];
        let refund = NewRefund { lines, reason: "Broken".into(), ..NewRefund::default() };
        let owner = market.owner(MEENA).await;
        orders::refund(&market.engine, &owner, MEENA, &refunded.order, refund).await.unwrap();
        Item::ordered(market, "dina", bowl).await;
        // A guest has no account to review with.
        let guest = market.buy_by_card(&market.guest_with(&[(bowl, 1)]).await).await;
        let guest = Item { order: format!("{guest}-1"), ..item.clone() };
        guest.deliver(market).await;
        let schedule = schedules::SCHEDULES.iter().find(|of| of.name == "review_invitations").unwrap();
        let asked = async |after: i64| {
            market.clock.advance_ms(after);
            schedules::run_if_due(asking, schedule).await.unwrap();
            market.settle().await;
            let mails = mailbox::latest(&market.engine.db).await.unwrap();
            mails.into_iter().map(|mail| mail.subject).filter(|of| of.starts_with("review ")).collect::<Vec<_>>()
        };
        let once = [format!("review {}", item.order)];
        assert!(asked(7 * DAY_MS - 60_000).await.is_empty(), "too early");
        assert_eq!(asked(2 * 60_000).await, once);
        assert_eq!(asked(2 * 60_000).await, once, "once");
        // Whoever has turned such emails off gets none.
        let off = NotificationPreference { email: false, ..NotificationPreference::new(NotificationTopic::Reviews) };
        let other = Item::delivered(market, "esha", bowl).await;
        inbox::choose(&market.engine, &other.buyer, &[off]).await.unwrap();
        assert_eq!(asked(7 * DAY_MS + 60_000).await, once);
        // A market that was stopped for long doesn't ask about what is forgotten.
        Item::delivered(market, "fara", bowl).await;
        assert_eq!(asked(15 * DAY_MS).await, once);
    }

    async fn only_who_has_received_an_item_reviews_it(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let item = Item::ordered(market, "asha", bowl).await;
        let early = item.save(says(5, "")).await;
        assert_eq!(early.unwrap_err(), Conflict::OrderMoved(OrderState::Placed).into());
        assert_eq!(item.refusal().await, Some(ReviewRefusal::NotDelivered));
        assert!(reviews::of_purchase(engine, &item.buyer, &item.purchase).await.unwrap().is_empty());
        item.deliver(market).await;
        assert_eq!(item.refusal().await, None);
        let listed = reviews::of_purchase(engine, &item.buyer, &item.purchase).await.unwrap();
        assert_eq!((listed.len(), &listed[0].order, listed[0].rating), (1, &item.order, 0));

        // To others, there is no such order.
        let other = market.signed_up(&Caller::guest(), "bela").await;
        let owner = market.owner(MEENA).await;
        for (caller, error) in
            [(&Caller::guest(), Error::SignInNeeded), (&other, Error::NotFound), (&owner, Error::NotFound)]
        {
            let item = Item { buyer: caller.clone(), ..item.clone() };
            assert_eq!(item.save(says(5, "")).await.unwrap_err(), error);
            assert_eq!(item.delete().await.unwrap_err(), error);
            assert_eq!(item.own().await.unwrap_err(), error);
            assert!(reviews::of_purchase(engine, caller, &item.purchase).await.unwrap().is_empty());
        }
        assert_eq!(Item { position: 9, ..item.clone() }.save(says(5, "")).await.unwrap_err(), Error::NotFound);
        let wrong = item.save(NewReview { rating: 6, title: "a\nb".into(), ..says(6, "") }).await.unwrap_err();
        assert_eq!(wrong.at("rating"), Some(FieldCode::NotAChoice));
        assert_eq!(wrong.at("title"), Some(FieldCode::BadCharacters));
        assert_eq!(item.own().await.unwrap_err(), Error::NotFound);

        // What was refunded isn't reviewed any more, but a review can still be changed and deleted.
        let kept = Item::delivered(market, "chitra", bowl).await;
        kept.save(says(4, "Fine")).await.unwrap();
        for item in [&item, &kept] {
            let lines = vec![LineQuantity { position: item.position, quantity: 2 }];
            let refund = NewRefund { lines, reason: "Broken".into(), ..NewRefund::default() };
            orders::refund(engine, &owner, MEENA, &item.order, refund).await.unwrap();
        }
        market.settle().await;
        assert_eq!(item.refusal().await, Some(ReviewRefusal::Refunded));
        let late = item.save(says(5, "")).await;
        assert_eq!(late.unwrap_err(), Conflict::OrderMoved(OrderState::Delivered).into());
        assert_eq!(kept.refusal().await, None);
        kept.save(NewReview { version: 1, ..says(2, "It broke") }).await.unwrap();
        kept.delete().await.unwrap();
        assert_eq!(kept.save(says(5, "")).await.unwrap_err(), Conflict::OrderMoved(OrderState::Delivered).into());

        // Members of the shop don't rate what it sells.
        let mut own = owner.clone();
        market.add(&mut own, bowl, 1).await.unwrap();
        let own = Item::bought_by(market, own).await;
        own.deliver(market).await;
        assert_eq!(own.refusal().await, Some(ReviewRefusal::OwnShop));
        assert_eq!(own.save(says(5, "")).await.unwrap_err(), Error::Denied);
    }

    async fn a_review_is_written_once_changed_and_deleted(market) {
        let (engine, guest) = (&market.engine, Caller::guest());
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let slug = slug_of(market, "Bowl").await;
        assert_eq!(shown(market, &guest, &slug).await, ProductReviews::default());
        let item = Item::delivered(market, "asha", bowl).await;
        let hostile = "<script>alert(1)</script> {{7*7}} '; DROP TABLE reviews; --";
        let new = NewReview { title: "Fine".into(), ..says(4, hostile) };
        let saved = item.save(new.clone()).await.unwrap();
        assert_eq!((saved.state, saved.version, saved.text.as_str()), (ReviewState::Published, 1, hostile));
        // By a second click, and from a page that doesn't know it yet.
        assert_eq!(item.save(new.clone()).await.unwrap(), saved);
        assert_eq!(item.save(says(1, "")).await.unwrap_err(), Conflict::Edited(Vec::new()).into());
        let found = shown(market, &item.buyer, &slug).await;
        assert_eq!((found.rating.clone(), found.stars), (Rating { average: Some("4.0".into()), count: 1 }, [0, 1, 0, 0, 0]));
        let review = &found.items[0];
        assert_eq!((review.author.as_deref(), review.own, review.edited), (Some("asha"), true, false));
        assert_eq!(catalog::product(engine, &guest, &slug).await.unwrap().rating, found.rating);

        let changed = NewReview { anonymous: true, version: 1, ..says(2, "It leaks") };
        assert_eq!(item.save(changed.clone()).await.unwrap().version, 2);
        assert_eq!(item.save(NewReview { version: 1, ..says(3, "Other tab") }).await.unwrap_err(), Conflict::Edited(Vec::new()).into());
        assert_eq!(item.save(changed).await.unwrap().version, 2);
        let found = shown(market, &guest, &slug).await;
        assert_eq!((found.stars, found.items[0].author.clone(), found.items[0].edited), ([0, 0, 0, 1, 0], None, true));
        assert!(!found.items[0].own && !found.signed_in);
        let listed = reviews::of_purchase(engine, &item.buyer, &item.purchase).await.unwrap();
        assert_eq!(listed[0].rating, 2);

        item.delete().await.unwrap();
        assert_eq!(item.delete().await.unwrap_err(), Error::NotFound);
        assert_eq!(shown(market, &guest, &slug).await, ProductReviews::default());
        // Written again, it is new.
        assert_eq!(item.save(says(5, "")).await.unwrap().version, 4);
        assert_eq!(shown(market, &guest, &slug).await.stars, [1, 0, 0, 0, 0]);
        let missing = reviews::of_product(engine, &guest, "none", "", "").await;
        assert_eq!(missing.unwrap_err(), Error::NotFound);
        let unsorted = reviews::of_product(engine, &guest, &slug, "oldest", "").await.unwrap_err();
        assert_eq!(unsorted.at("sort"), Some(FieldCode::NotAChoice));
        for (sort, after) in [("newest", "x"), ("helpful", "x"), ("helpful", "review_00000000000000000000000001")] {
            let wrong = reviews::of_product(engine, &guest, &slug, sort, after).await.unwrap_err();
            assert_eq!(wrong.at("after"), Some(FieldCode::BadCursor), "{sort} {after}");
        }
    }

    async fn of_two_first_reviews_of_an_item_one_is_kept(market) {
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let item = Item::delivered(market, "asha", bowl).await;
        let saves = (1..=4).map(|rating| {
            let item = item.clone();
            async move { item.save(says(rating, "")).await }
        });
        let saved = at_once(saves.collect()).await;
        assert_eq!(saved.iter().filter(|saved| saved.is_ok()).count(), 1, "{saved:?}");
        for error in saved.into_iter().filter_map(Result::err) {
            assert_eq!(error, Conflict::Edited(Vec::new()).into());
        }
        assert_eq!(shown(market, &Caller::guest(), &slug_of(market, "Bowl").await).await.rating.count, 1);
    }

    async fn admins_decide_about_what_is_held_back_and_reported(market) {
        let (engine, system, guest) = (&market.engine, Caller::system(), Caller::guest());
        let bowl = market.product(MEENA, "Bowl", 45_000, 20).await;
        let slug = slug_of(market, "Bowl").await;
        let item = Item::delivered(market, "asha", bowl).await;
        let held = item.save(says(1, "Cheaper at https://other.example")).await.unwrap();
        assert_eq!((held.state, held.held_because), (ReviewState::Held, Some(HoldReason::Link)));
        assert_eq!(shown(market, &guest, &slug).await, ProductReviews::default());
        let queue = async |state: &str| {
            let of = ListRequest { state: state.into(), ..ListRequest::default() };
            reviews::queue(engine, &system, &of).await
        };
        let waiting = queue("held").await.unwrap();
        assert_eq!((waiting.page.items.len(), waiting.count("held"), waiting.count("")), (1, 1, 1));
        assert_eq!(queue("none").await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
        let unseen = decide(engine, held.id, 9, ReviewAction::Publish, "").await.unwrap_err();
        assert_eq!(unseen, Conflict::Edited(Vec::new()).into());
        decide(engine, held.id, 1, ReviewAction::Publish, "").await.unwrap();
        assert_eq!(shown(market, &guest, &slug).await.rating.count, 1);

        // Others report it, once each.
        let bela = market.signed_up(&guest, "bela").await;
        let report = || ReviewReport { reason: ReportReason::Spam, details: "An advert".into() };
        assert_eq!(reviews::report(engine, &guest, held.id, report()).await.unwrap_err(), Error::SignInNeeded);
        assert_eq!(reviews::report(engine, &item.buyer, held.id, report()).await.unwrap_err(), Error::Denied);
        for _ in 0..2 {
            reviews::report(engine, &bela, held.id, report()).await.unwrap();
        }
        let reported = queue("reported").await.unwrap().page.items.remove(0);
        assert_eq!((reported.reports.len(), reported.author.as_str()), (1, "asha"));
        assert_eq!(reported.user_id, item.buyer.user_id());
        let wordless = decide(engine, held.id, 1, ReviewAction::Hide, " ").await.unwrap_err();
        assert_eq!(wordless.at("note"), Some(FieldCode::Missing));
        decide(engine, held.id, 1, ReviewAction::Hide, "An advert").await.unwrap();
        assert_eq!(shown(market, &guest, &slug).await, ProductReviews::default());
        assert!(queue("reported").await.unwrap().page.items.is_empty());
        let own = item.own().await.unwrap();
        assert_eq!((own.state, own.note.as_str()), (ReviewState::Hidden, "An advert"));
        let log = audit::list(engine, &system, "").await.unwrap().items;
        let log: Vec<_> = log.iter().map(|row| (row.action.as_str(), row.note.as_str(), row.about.number.as_deref())).collect();
        assert_eq!(log[..2], [
            ("reviews::hide", "An advert", Some(item.order.as_str())),
            ("reviews::publish", "", Some(item.order.as_str())),
        ]);

        // What was hidden is read again after any change, also if it was deleted meanwhile.
        let again = item.save(NewReview { version: 1, ..says(1, "Fine") }).await.unwrap();
        assert_eq!(again.held_because, Some(HoldReason::Changed));
        item.delete().await.unwrap();
        assert_eq!(decide(engine, held.id, 3, ReviewAction::Publish, "").await.unwrap_err(), Error::NotFound);
        let again = item.save(says(1, "Fine")).await.unwrap();
        assert_eq!(again.held_because, Some(HoldReason::Changed));
        decide(engine, held.id, again.version, ReviewAction::Publish, "").await.unwrap();
        let last = item.save(NewReview { version: again.version, ..says(2, "Fine") }).await.unwrap();
        assert_eq!(last.state, ReviewState::Published);

        let careful = Item { engine: moderated(market, Moderation::All), ..Item::delivered(market, "chitra", bowl).await };
        assert_eq!(careful.save(says(5, "")).await.unwrap().held_because, Some(HoldReason::All));
        let careless = Item { engine: moderated(market, Moderation::None), ..Item::delivered(market, "dev", bowl).await };
        assert_eq!(careless.save(says(5, "https://other.example")).await.unwrap().state, ReviewState::Published);
        let owner = market.owner(MEENA).await;
        assert_eq!(reviews::queue(engine, &owner, &ListRequest::default()).await.unwrap_err(), Error::NotFound);
        assert_eq!(reviews::moderate(engine, &owner, held.id, 1, ReviewAction::Hide, "x").await.unwrap_err(), Error::NotFound);
    }

    async fn readers_vote_and_the_shop_replies(market) {
        let engine = &market.engine;
        let bowl = market.product(MEENA, "Bowl", 45_000, 40).await;
        let slug = slug_of(market, "Bowl").await;
        let (first, second) = (Item::delivered(market, "asha", bowl).await, Item::delivered(market, "bela", bowl).await);
        let one = first.save(says(5, "First")).await.unwrap().id;
        market.clock.advance_ms(5);
        let two = second.save(says(1, "Second")).await.unwrap().id;
        assert_eq!(reviews::vote(engine, &first.buyer, one, true).await.unwrap_err(), Error::Denied);
        assert_eq!(reviews::vote(engine, &Caller::guest(), one, true).await.unwrap_err(), Error::SignInNeeded);
        for _ in 0..2 {
            reviews::vote(engine, &second.buyer, one, true).await.unwrap();
        }
        let page = async |sort: &str, after: &str, limit| {
            let of = haat_shared::page::PageRequest { after, limit: Some(limit) };
            reviews::of_product(engine, &second.buyer, &slug, sort, of).await.unwrap()
        };
        let newest = page("newest", "", 1).await;
        assert_eq!((newest.items[0].id, newest.items[0].own), (two, true));
        let rest = page("newest", newest.next.as_deref().unwrap(), 1).await;
        assert_eq!((rest.items[0].id, rest.next, rest.items[0].voted), (one, None, true));
        let helpful = page("helpful", "", 1).await;
        assert_eq!((helpful.items[0].id, helpful.items[0].helpful), (one, 1));
        assert_eq!(page("helpful", helpful.next.as_deref().unwrap(), 1).await.items[0].id, two);
        for _ in 0..2 {
            reviews::vote(engine, &second.buyer, one, false).await.unwrap();
        }
        assert_eq!(page("helpful", "", 2).await.items.iter().map(|of| of.helpful).collect::<Vec<_>>(), [0, 0]);
        reviews::vote(engine, &second.buyer, one, true).await.unwrap();

        let (owner, other) = (market.owner(MEENA).await, market.owner("delta-electronics").await);
        let list = async |state: &str| {
            let of = ListRequest { state: state.into(), ..ListRequest::default() };
            reviews::of_shop(engine, &owner, MEENA, &of).await.unwrap()
        };
        assert_eq!((list("").await.page.items.len(), list("5").await.page.items.len(), list("3").await.page.items.len()), (2, 1, 0));
        reviews::reply(engine, &owner, MEENA, one, " Thank you! ").await.unwrap();
        let unanswered = list("unanswered").await;
        assert_eq!((unanswered.page.items[0].review.id, unanswered.count("unanswered"), unanswered.count("5")), (two, 1, 1));
        let reply = |found: &ProductReviews| found.items.iter().find(|of| of.id == one).and_then(|of| of.reply.clone());
        let answered = reply(&shown(market, &Caller::guest(), &slug).await).unwrap();
        assert_eq!(answered.text, "Thank you!");
        market.clock.advance_ms(60_000);
        reviews::reply(engine, &owner, MEENA, one, "Thanks!").await.unwrap();
        let changed = reply(&shown(market, &Caller::guest(), &slug).await).unwrap();
        assert_eq!((changed.text.as_str(), changed.created_at), ("Thanks!", answered.created_at));
        let refused = reviews::reply(engine, &other, "delta-electronics", one, "x").await;
        assert_eq!(refused.unwrap_err(), Error::NotFound);
        assert_eq!(reviews::reply(engine, &other, MEENA, one, "x").await.unwrap_err(), Error::NotFound);
        let long = reviews::reply(engine, &owner, MEENA, one, &"x".repeat(2_001)).await.unwrap_err();
        assert_eq!(long.at("reply"), Some(FieldCode::TooLong(2_000)));
        reviews::reply(engine, &owner, MEENA, one, "").await.unwrap();
        assert_eq!(reply(&shown(market, &Caller::guest(), &slug).await), None);
        let wrong = ListRequest { state: "6".into(), ..ListRequest::default() };
        assert_eq!(reviews::of_shop(engine, &owner, MEENA, &wrong).await.unwrap_err().at("state"), Some(FieldCode::NotAChoice));
        // With the review, its votes and the reply go.
        reviews::reply(engine, &owner, MEENA, one, "Thanks!").await.unwrap();
        first.delete().await.unwrap();
        assert_eq!(reviews::vote(engine, &second.buyer, one, false).await.unwrap_err(), Error::NotFound);
        assert_eq!(list("").await.page.items.len(), 1);
    }

    async fn products_are_listed_by_their_rating(market) {
        let (good, better, unrated) = ("Good jug", "Better jug", "Other jug");
        let jug = market.product(MEENA, good, 45_000, 40).await;
        Item::delivered(market, "asha", jug).await.save(says(4, "")).await.unwrap();
        market.product(MEENA, unrated, 45_000, 40).await;
        let jug = market.product(MEENA, better, 45_000, 40).await;
        let last = Item::delivered(market, "bela", jug).await;
        last.save(says(5, "")).await.unwrap();
        let titles = async |limit| {
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let of = ListProducts { q: "jug".into(), sort: "rating".into(), after, limit, ..ListProducts::default() };
                let page = catalog::list(&market.engine, &Caller::guest(), of).await.unwrap();
                found.extend(page.items.into_iter().map(|card| card.title));
                match page.next {
                    Some(next) => after = next,
                    None => return found,
                }
            }
        };
        for limit in [None, Some(1)] {
            assert_eq!(titles(limit).await, [better, good, unrated]);
        }
        last.save(NewReview { version: 1, ..says(1, "") }).await.unwrap();
        assert_eq!(titles(Some(2)).await, [good, better, unrated]);
    }

    async fn ratings_equal_a_recount_after_anything(market) {
        let engine = &market.engine;
        let (bowl, jug) = (market.product(MEENA, "Bowl", 45_000, 90).await, market.product(MEENA, "Jug", 45_000, 90).await);
        let (mut items, mut seed) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64);
        for n in 0..8 {
            let variant = if n % 2 == 0 { bowl } else { jug };
            items.push(Item::delivered(market, &format!("buyer{n}"), variant).await);
        }
        let owner = market.owner(MEENA).await;
        // Sequences of operations are the same in each run (xorshift64).
        let mut next = |most: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % most
        };
        let mut done = 0;
        for step in 0..2_000 {
            let (item, other) = (&items[next(8) as usize], &items[next(8) as usize]);
            let own = item.own().await.ok();
            let (id, version) = own.map_or((ReviewId::from_uuid(Default::default()), 0), |own| (own.id, own.version));
            let rating = next(5) as i64 + 1;
            let result = match next(8) {
                0..=2 => {
                    let text = if next(4) == 0 { "at https://other.example" } else { "" };
                    item.save(NewReview { version, ..says(rating, text) }).await.map(drop)
                }
                3 => item.delete().await,
                4 => decide(engine, id, version, ReviewAction::Publish, "").await,
                5 => decide(engine, id, version, ReviewAction::Hide, "No").await,
                6 => reviews::vote(engine, &other.buyer, id, next(2) == 0).await,
                _ if next(2) == 0 => reviews::reply(engine, &owner, MEENA, id, "Thanks").await,
                _ => {
                    let report = ReviewReport { reason: ReportReason::Other, details: String::new() };
                    reviews::report(engine, &other.buyer, id, report).await
                }
            };
            match result {
                Ok(()) => done += 1,
                Err(Error::NotFound | Error::Denied) => {}
                Err(error) => panic!("step {step}: {error:?}"),
            }
            if step % 250 == 0 {
                assert_eq!(haat_engine::oracle::consult(engine).await.unwrap(), Vec::<String>::new(), "step {step}");
            }
        }
        assert!(done > 1_000, "{done}");
        for title in ["Bowl", "Jug"] {
            let found = shown(market, &Caller::guest(), &slug_of(market, title).await).await;
            let (count, sum) = (found.items.len() as i64, found.items.iter().map(|of| of.rating).sum());
            assert_eq!(found.rating, Rating::new(sum, count), "{title}");
            assert_eq!(found.stars.iter().sum::<i64>(), count);
        }
    }
}
