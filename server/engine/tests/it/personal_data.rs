//! Deactivated accounts, copies of personal data, and deleted accounts: of a person who has deleted theirs, nothing is left in
//! any column of any table but on invoices.

use std::collections::BTreeSet;

use haat_engine::{
    Caller, Engine,
    accounts::{self, api_auth, deactivation, passwords, profile},
    addresses,
    admin::{self, Grantee},
    audit, chat, checkout, contact, dispatch, gift_cards, invoices,
    notifications::mailbox,
    oracle, orders, personal, random, reviews, schedules, staff, wishlist,
};
use haat_shared::{
    Conflict, Error, FieldCode,
    access::{NewApiKey, Scope},
    accounts::{SignIn, SignUp, UserState},
    address_book::AddressForm,
    addresses::Address,
    chat::NewMessage,
    checkout::CheckoutUpdate,
    contact::ContactForm,
    gift_cards::GiftCardForm,
    id::kinds::{MessageId, UserId, VariantId},
    media::NewPicture,
    orders::LineQuantity,
    page::ListRequest,
    payments::PaymentMethod,
    permissions::AdminRole,
    personal::{ErasureForm, Obstacle},
    profile::ProfileForm,
    reports::{NewReport, ReportReason},
    returns::{NewReturnRequest, ReturnReason},
    reviews::NewReview,
    staff::InvitationForm,
    wishlist::WishChange,
};
use uuid::Uuid;

use crate::{both, orders::shipment, support::*};

const MEENA: &str = "meena-crafts";
const EMAIL: &str = "zephyrine@quillfeather.example";
/// What Zephyrine has entered, each where nothing else is.
const PLANTED: [&str; 17] = [
    "zephyrine",
    "quillfeather",
    "98765 01234",
    "marmalade lane",
    "xylomessage",
    "glimmertext",
    "earliertext",
    "wobblenote",
    "zorpreason",
    "quibblecontact",
    "froomessage",
    "zelaptop",
    "zebrowser",
    "snarknote",
    "vexlabel",
    "grumbledetails",
    "zedraft",
];

fn as_user(email: &str) -> SignIn {
    SignIn { email: email.into(), password: PASSWORD.into() }
}

fn confirmed() -> ErasureForm {
    ErasureForm { password: PASSWORD.into(), confirmed: true }
}

/// What Zephyrine enters in checkouts.
fn entered(method: &str) -> CheckoutUpdate {
    CheckoutUpdate {
        email: EMAIL.into(),
        name: "Zephyrine Quillfeather".into(),
        line1: "77 Marmalade Lane".into(),
        phone: "98765 01234".into(),
        payment_method: PaymentMethod::parse(method),
        ..form(method)
    }
}

/// Buys what is in the basket, in cash. Returns the number of the purchase.
async fn buy(market: &Market, caller: &Caller) -> String {
    let id = checkout::begin(&market.engine, caller).await.unwrap();
    let view = checkout::view(&market.engine, caller, id).await.unwrap();
    let next =
        checkout::pay(&market.engine, caller, id, entered("cash"), view.quote.version, &view.key).await;
    number_of(&next.unwrap())
}

async fn buy_by_card(market: &Market, caller: &Caller) -> String {
    let id = checkout::begin(&market.engine, caller).await.unwrap();
    let view = checkout::view(&market.engine, caller, id).await.unwrap();
    let next =
        checkout::pay(&market.engine, caller, id, entered("sandbox"), view.quote.version, &view.key).await;
    let haat_shared::payments::NextAction::Redirect { url } = next.unwrap() else { panic!("no page") };
    let gateway_ref = url.rsplit('/').next().unwrap().to_owned();
    let payment = haat_engine::sandbox::find(&market.engine.db, &gateway_ref).await.unwrap().attempt_id;
    market.enter(&gateway_ref, haat_engine::sandbox::Card::WebhookNever).await;
    number_in(&market.come_back(payment).await.unwrap())
}

async fn deliver(market: &Market, number: &str) {
    let (engine, owner, order) = (&market.engine, market.owner(MEENA).await, format!("{number}-1"));
    orders::confirm(engine, &owner, MEENA, &order).await.unwrap();
    orders::ship(engine, &owner, MEENA, &order, shipment()).await.unwrap();
    orders::deliver(engine, &owner, MEENA, &order).await.unwrap();
}

async fn zephyrine(market: &Market) -> Caller {
    let guest = Caller { device: "ZeBrowser/1.0".into(), ..Caller::guest() };
    let sign_up =
        SignUp { name: "Zephyrine Quillfeather".into(), email: EMAIL.into(), password: PASSWORD.into() };
    let token = accounts::sign_up(&market.engine, &guest, sign_up).await.unwrap();
    accounts::caller(&market.engine, Some(&token), None).await.unwrap()
}

/// An account with everything that a person can leave in a market. Returns its owner and their delivered purchase.
async fn planted(market: &Market) -> (Caller, String) {
    let engine = &market.engine;
    let bowl = market.product(MEENA, "Clay bowl", 45_000, 50).await;
    let mut zeph = zephyrine(market).await;
    let meena = market.owner(MEENA).await;
    let form = ProfileForm {
        name: "Zephyrine Quillfeather".into(),
        phone: "98765 01234".into(),
        currency: String::new(),
    };
    profile::save(engine, &zeph, &form).await.unwrap();
    let address = Address {
        name: "Zephyrine Quillfeather".into(),
        line1: "77 Marmalade Lane".into(),
        city: "Pune".into(),
        postal_code: "411001".into(),
        country: "IN".into(),
        phone: "98765 01234".into(),
        ..Address::default()
    };
    let saved = AddressForm { label: "home".into(), address, make_default: true };
    addresses::add(engine, &zeph, &saved).await.unwrap();
    let key = NewApiKey { name: "ZeLaptop".into(), scopes: vec![Scope::Buy] };
    api_auth::create_key(engine, &zeph, &key).await.unwrap();
    api_auth::sign_in(engine, &Caller::guest(), as_user(EMAIL)).await.unwrap();
    passwords::request(engine, &Caller::guest(), EMAIL).await.unwrap();
    let again = SignUp { name: "Zephyrine".into(), email: EMAIL.into(), password: PASSWORD.into() };
    accounts::sign_ups::ask(engine, &Caller::guest(), again).await.unwrap();
    admin::grant_role(engine, &Caller::system(), Grantee::Email(EMAIL.into()), AdminRole::Support)
        .await
        .unwrap();
    // A card for someone else.
    let gift = GiftCardForm {
        amount: "500".into(),
        recipient_name: "Ravi".into(),
        recipient_email: "ravi@example.com".into(),
        sender_name: "Zephyrine".into(),
        message: "Froomessage".into(),
        locale: "en".into(),
        ..GiftCardForm::default()
    };
    gift_cards::add_to_cart(engine, &zeph, &gift).await.unwrap();
    market.clock.advance_ms(1);
    buy_by_card(market, &zeph).await;
    dispatch::drain(engine).await.unwrap();
    // One order is returned in vain, and reviewed; one is cancelled.
    market.add(&mut zeph, bowl, 2).await.unwrap();
    let number = buy_by_card(market, &zeph).await;
    deliver(market, &number).await;
    let (order, key) = (format!("{number}-1"), market.key(&number));
    let of = (number.as_str(), key.as_str());
    let picture = orders::add_picture(engine, &zeph, of, &order, png(8, 8, [1, 2, 3])).await.unwrap();
    let position = orders::purchase(engine, &zeph, &number, "").await.unwrap().orders[0].lines[0].position;
    let request = NewReturnRequest {
        lines: vec![LineQuantity { position, quantity: 1 }],
        reason: ReturnReason::Damaged,
        note: "Wobblenote".into(),
        exchange: Vec::new(),
        images: vec![picture.id],
    };
    let back = orders::request_return(engine, &zeph, of, &order, request, "once").await.unwrap();
    orders::reject_return(engine, &meena, MEENA, &order, back, "It was fine").await.unwrap();
    let mut version = 0;
    for text in ["Earliertext", "Glimmertext"] {
        let review = NewReview { rating: 4, text: text.into(), version, ..NewReview::default() };
        version = reviews::save(engine, &zeph, &order, position, review).await.unwrap().version;
        market.clock.advance_ms(1);
    }
    market.add(&mut zeph, bowl, 1).await.unwrap();
    let cancelled = buy(market, &zeph).await;
    orders::cancel_by_customer(engine, &zeph, &cancelled, "", &format!("{cancelled}-1"), "Zorpreason")
        .await
        .unwrap();
    orders::add_note(engine, &meena, MEENA, &format!("{cancelled}-1"), "Snarknote").await.unwrap();
    // A conversation with a picture, which Meena reports.
    let of = chat::open(engine, &zeph, MEENA).await.unwrap();
    let shown = chat::add_picture(engine, &zeph, "", of, png(8, 8, [9, 9, 9])).await.unwrap();
    let message = |n, text: &str, pictures| NewMessage {
        id: MessageId::from_uuid(Uuid::from_u128(n)),
        text: text.into(),
        about: String::new(),
        pictures,
    };
    let picture = NewPicture { media: shown.id, alt: "Zephyrine".into() };
    chat::send(engine, &zeph, "", of, message(1, "Xylomessage one", vec![picture])).await.unwrap();
    chat::send(engine, &meena, MEENA, of, message(2, "Shopanswer", Vec::new())).await.unwrap();
    chat::send(engine, &zeph, "", of, message(3, "Xylomessage two", Vec::new())).await.unwrap();
    let about = Some(MessageId::from_uuid(Uuid::from_u128(1)));
    let report =
        NewReport { message: about, reason: ReportReason::OffSite, details: "Grumbledetails".into() };
    chat::report(engine, &meena, MEENA, of, report).await.unwrap();
    chat::add_note(engine, &meena, MEENA, of, "Snarknote").await.unwrap();
    chat::set_labels(engine, &meena, MEENA, of, "Vexlabel").await.unwrap();
    market.clock.advance_ms(11 * 60_000);
    run(market, "messages").await;
    let question = ContactForm {
        name: "Zephyrine".into(),
        email: EMAIL.into(),
        message: "Quibblecontact".into(),
        website: String::new(),
    };
    contact::send(engine, &zeph, &question).await.unwrap();
    wishlist::change(engine, &zeph, WishChange::Add(bowl)).await.unwrap();
    // She worked for the shop, and is invited again.
    let invited = InvitationForm { email: EMAIL.to_uppercase(), role: "support".into() };
    let invitation = staff::invite(engine, &meena, MEENA, &invited).await.unwrap();
    dispatch::drain(engine).await.unwrap();
    let mails = mailbox::latest(&engine.db).await.unwrap();
    let mail = mails.iter().find(|mail| mail.subject.starts_with("invited by")).unwrap().id;
    let mail = mailbox::find(&engine.db, mail).await.unwrap();
    staff::accept(engine, &zeph, invitation, link_in(&mail.text).1).await.unwrap();
    staff::remove(engine, &meena, MEENA, zeph.user_id().unwrap()).await.unwrap();
    staff::invite(engine, &meena, MEENA, &invited).await.unwrap();
    // Begun, and left.
    market.add(&mut zeph, bowl, 1).await.unwrap();
    let open = checkout::begin(engine, &zeph).await.unwrap();
    checkout::update(engine, &zeph, open, entered("cash")).await.unwrap();
    accounts::keep_draft(engine, "profile", [("name".to_owned(), "ZeDraft".to_owned())].into(), None)
        .await
        .unwrap();
    dispatch::drain(engine).await.unwrap();
    (zeph, number)
}

async fn run(market: &Market, name: &str) {
    let schedule = schedules::SCHEDULES.iter().find(|schedule| schedule.name == name).unwrap();
    assert!(schedules::run_if_due(&market.engine, schedule).await.unwrap(), "{name}");
}

/// Where which of these are, in lower case: `table.column: text`.
async fn found(market: &Market, texts: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (table, column, value) in market.cells().await {
        let value = value.to_lowercase();
        // Phone numbers are stored with and without spaces.
        let bare: String = value.chars().filter(|c| *c != ' ').collect();
        for text in texts {
            if value.contains(text) || bare.contains(&text.replace(' ', "")) {
                found.insert(format!("{table}.{column}: {text}"));
            }
        }
    }
    found
}

/// All rows of the ledger.
async fn ledger(market: &Market) -> Vec<(String, String, String)> {
    let mut rows = market.cells().await;
    rows.retain(|(table, ..)| table.starts_with("ledger_") || table == "shop_balances");
    rows.sort();
    rows
}

fn files(market: &Market) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        entries
            .map(|entry| entry.unwrap().path())
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    count(&market.folder.join("media"))
}

async fn in_use(engine: &Engine, caller: &Caller) -> Vec<Obstacle> {
    let refused = personal::erase(engine, caller, &confirmed()).await;
    assert_eq!(refused, Err(Conflict::AccountInUse.into()));
    personal::page(engine, caller).await.unwrap().obstacles
}

async fn account_state(engine: &Engine, user: UserId) -> UserState {
    haat_engine::users::user(engine, &Caller::system(), user).await.unwrap().user.state
}

both! {
    async fn a_deactivated_user_is_out_until_activated(market) {
        let (engine, guest, system) = (&market.engine, &Caller::guest(), &Caller::system());
        let session = accounts::sign_up(engine, guest, sign_up("asha")).await.unwrap();
        let asha = accounts::caller(engine, Some(&session), None).await.unwrap();
        let id = asha.user_id().unwrap();
        let tokens = api_auth::sign_in(engine, guest, as_user("asha@haat.example")).await.unwrap();
        let key = NewApiKey { name: "Robot".into(), scopes: vec![Scope::Buy] };
        let key = api_auth::create_key(engine, &asha, &key).await.unwrap().secret;
        let bearer = async |token: &str| api_auth::caller(engine, Some(token), None, None).await.map(drop);
        assert_eq!((bearer(&tokens.access_token).await, bearer(&key).await), (Ok(()), Ok(())));
        let empty = deactivation::deactivate(engine, system, id, " ").await;
        assert_eq!(empty, Err(Error::field("reason", FieldCode::Missing)));
        let long = deactivation::deactivate(engine, system, id, &"x".repeat(501)).await;
        assert_eq!(long, Err(Error::field("reason", FieldCode::TooLong(500))));
        assert_eq!(deactivation::deactivate(engine, &asha, id, "Spam").await, Err(Error::NotFound));
        assert_eq!(deactivation::activate(engine, guest, id).await, Err(Error::SignInNeeded));
        let nobody = deactivation::deactivate(engine, system, random::id(1), "Spam").await;
        assert_eq!(nobody, Err(Error::NotFound));
        passwords::request(engine, guest, "asha@haat.example").await.unwrap();
        dispatch::drain(engine).await.unwrap();
        let mail = mailbox::find(&engine.db, mailbox::latest(&engine.db).await.unwrap()[0].id).await.unwrap();
        let (reset, token) = link_in(&mail.text);
        let reset = reset.parse().unwrap();
        let mut sockets = engine.bus.subscribe(haat_engine::bus::Topic::Inbox);
        deactivation::deactivate(engine, system, id, " Spam ").await.unwrap();
        assert_eq!(sockets.next().await.as_deref(), Some(&*id.to_string()), "sockets look at their session");
        // Nothing that was begun goes on.
        assert!(is_guest(&accounts::caller(engine, Some(&session), None).await.unwrap()));
        let out = Err(Error::SignInNeeded);
        assert_eq!((bearer(&tokens.access_token).await, bearer(&key).await), (out.clone(), out));
        assert!(api_auth::refresh(engine, guest, &tokens.refresh_token).await.is_err());
        assert_eq!(passwords::reset(engine, guest, reset, token, "another-market-day").await, Err(Error::NotFound));
        // Only who knows the password is told.
        let told = Err(Error::field("password", FieldCode::Deactivated));
        assert_eq!(accounts::sign_in(engine, guest, as_user("asha@haat.example")).await.map(drop), told);
        assert_eq!(api_auth::sign_in(engine, guest, as_user("asha@haat.example")).await.map(drop), told);
        let guess = SignIn { password: "wrong-wrong".into(), ..as_user("asha@haat.example") };
        let wrong = Err(Error::field("password", FieldCode::WrongCredentials));
        assert_eq!(accounts::sign_in(engine, guest, guess).await.map(drop), wrong);
        let before = mailbox::latest(&engine.db).await.unwrap().len();
        passwords::request(engine, guest, "asha@haat.example").await.unwrap();
        dispatch::drain(engine).await.unwrap();
        assert_eq!(mailbox::latest(&engine.db).await.unwrap().len(), before, "no link is sent");
        let seen = haat_engine::users::user(engine, system, id).await.unwrap();
        assert_eq!((seen.user.state, seen.deactivated_because.as_str(), seen.sessions), (UserState::Deactivated, "Spam", 0));
        let of = ListRequest { state: "deactivated".into(), ..ListRequest::default() };
        let listed = accounts::table(engine, system, &of).await.unwrap();
        assert_eq!(listed.page.items.iter().map(|user| user.id).collect::<Vec<_>>(), [id]);
        assert!(listed.counts.iter().any(|(kinds, count)| kinds.contains("deactivated") && *count == 1));
        deactivation::activate(engine, system, id).await.unwrap();
        deactivation::activate(engine, system, id).await.unwrap();
        assert_eq!(bearer(&key).await, Ok(()));
        accounts::sign_in(engine, guest, as_user("asha@haat.example")).await.unwrap();
        let entries = audit::list(engine, system, "").await.unwrap().items;
        let of_asha: Vec<_> = entries.iter().filter(|entry| entry.subject == id.uuid().to_string()).collect();
        let actions: Vec<_> = of_asha.iter().map(|entry| (entry.action.as_str(), entry.note.as_str())).collect();
        assert_eq!(actions, [("accounts::activate", ""), ("accounts::deactivate", "Spam")]);
    }

    async fn owners_of_the_market_are_not_locked_out(market) {
        let (engine, system) = (&market.engine, &Caller::system());
        let owner = async |name: &str| {
            let id = accounts::create_operator(engine, system, sign_up(name)).await.unwrap();
            (id, market.owner(name).await)
        };
        let (first, one) = owner("olga").await;
        let own = Err(Error::Conflict(Conflict::OwnAccount));
        assert_eq!(deactivation::deactivate(engine, &one, first, "Me").await, own);
        assert_eq!(personal::erase_as_admin(engine, &one, first, true).await, own);
        let last = Err(Error::Conflict(Conflict::LastOwner));
        assert_eq!(deactivation::deactivate(engine, system, first, "Last").await, last);
        assert_eq!(in_use(engine, &one).await, [Obstacle::LastOwner]);
        let (second, two) = owner("omar").await;
        // Two who deactivate each other at once.
        let both = [deactivation::deactivate(engine, &one, second, "x"), deactivation::deactivate(engine, &two, first, "x")];
        let done = futures::future::join_all(both).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        // An owner who can't sign in is no other owner.
        let left = if done[0].is_ok() { first } else { second };
        assert_eq!(admin::revoke_role(engine, system, left, AdminRole::Owner).await, last);
        assert_eq!(deactivation::deactivate(engine, system, left, "x").await, last);
    }

    async fn a_copy_has_everything_of_its_owner_and_of_nobody_else(market) {
        let market = &market.on(&market.returnable(30));
        let engine = &market.engine;
        let (zeph, number) = planted(market).await;
        let copy = personal::export(engine, &zeph).await.unwrap();
        let lower = copy.to_lowercase();
        // What shops noted about her for themselves, and what nobody can tell whose it is.
        let missing: Vec<_> = PLANTED.iter().filter(|text| !lower.contains(*text)).collect();
        assert_eq!(missing, [&"snarknote", &"vexlabel", &"grumbledetails", &"zedraft"]);
        assert!(copy.contains(&number) && !lower.contains("meena@"), "{copy}");
        let document: serde_json::Value = serde_json::from_str(&copy).unwrap();
        let data = document["data"].as_object().unwrap();
        assert_eq!(data["profile"][0]["email"], EMAIL);
        assert_eq!(data["purchases"][1]["shipping_address"]["line1"], "77 Marmalade Lane");
        assert!(data["orders"][0]["created_at"].as_str().unwrap().ends_with('Z'));
        let messages = data["messages"].to_string();
        assert!(data["messages"].as_array().unwrap().len() == 2 && !messages.contains("Shopanswer"), "{messages}");
        assert_eq!(data["admin_roles"][0]["role"], "support");
        // Nobody else has any of it.
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let other = personal::export(engine, &asha).await.unwrap().to_lowercase();
        assert!(PLANTED.iter().all(|text| !other.contains(text)), "{other}");
        assert_eq!(personal::export(engine, &Caller::guest()).await, Err(Error::SignInNeeded));
        for _ in 0..19 {
            personal::export(engine, &asha).await.unwrap();
        }
        let refused = personal::export(engine, &asha).await;
        assert!(matches!(refused, Err(Error::RateLimited { .. })), "{refused:?}");
    }

    async fn nothing_of_a_deleted_account_is_left_but_on_invoices(market) {
        let market = &market.on(&market.returnable(30));
        let engine = &market.engine;
        let (zeph, number) = planted(market).await;
        let user = zeph.user_id().unwrap();
        let there = found(market, &PLANTED).await;
        for text in PLANTED {
            assert!(there.iter().any(|at| at.ends_with(text)), "{text} was planted: {there:#?}");
        }
        assert!(files(market) > 0);
        assert_eq!(oracle::consult(engine).await.unwrap(), Vec::<String>::new());
        let before = ledger(market).await;
        let wrong = ErasureForm { password: "wrong-wrong".into(), confirmed: true };
        assert_eq!(personal::erase(engine, &zeph, &wrong).await, Err(Error::field("password", FieldCode::WrongPassword)));
        assert_eq!(personal::erase(engine, &Caller::guest(), &confirmed()).await, Err(Error::SignInNeeded));
        // Two at once: one does it.
        let form = confirmed();
        let twice = [personal::erase(engine, &zeph, &form), personal::erase(engine, &zeph, &form)];
        let done = futures::future::join_all(twice).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");

        let left = found(market, &PLANTED).await;
        let kept = ["invoices.content: zephyrine", "invoices.content: quillfeather", "invoices.content: marmalade lane"];
        let mut kept: BTreeSet<String> = kept.map(str::to_owned).into();
        // Until the hour is over.
        kept.extend(left.iter().filter(|at| *at == "form_drafts.fields: zedraft").cloned());
        assert_eq!(left, kept);
        assert_eq!(files(market), 0, "her pictures are gone");
        // What forms keep to be shown again lasts an hour.
        market.clock.advance_ms(3_600_001);
        accounts::purge(engine).await.unwrap();
        assert!(found(market, &["zedraft"]).await.is_empty());
        assert_eq!(ledger(market).await, before);
        assert_eq!(oracle::consult(engine).await.unwrap(), Vec::<String>::new());

        // She is out, and can't come back; the address is free.
        assert!(accounts::sign_in(engine, &Caller::guest(), as_user(EMAIL)).await.is_err());
        assert_eq!(account_state(engine, user).await, UserState::Deleted);
        let deleted = Err(Error::Conflict(Conflict::AccountDeleted));
        assert_eq!(deactivation::activate(engine, &Caller::system(), user).await, deleted);
        assert_eq!(personal::erase_as_admin(engine, &Caller::system(), user, true).await, deleted);
        let again = zephyrine(market).await;
        assert!(orders::history(engine, &again, "").await.unwrap().items.is_empty());
        // The shop still has the order and the conversation; its answer stays, and where she wrote there is a trace.
        let meena = market.owner(MEENA).await;
        let seen = orders::seller_order(engine, &meena, MEENA, &format!("{number}-1")).await.unwrap();
        assert_eq!(seen.order.address.parts.name, personal::ERASED_NAME);
        let inbox = chat::list(engine, &meena, MEENA, "", "").await.unwrap();
        let changes = chat::changes(engine, &meena, MEENA, inbox.items[0].id, 0).await.unwrap();
        let texts: Vec<_> = changes.messages.iter().map(|of| (of.seq, of.text.as_str(), of.deleted)).collect();
        assert_eq!(texts, [(2, "Shopanswer", false), (1, "", true), (3, "", true)]);
        // A refund after that is credited to whom the invoice is for.
        let line = seen.order.order.lines[0].position;
        let refund = haat_shared::orders::NewRefund {
            lines: vec![LineQuantity { position: line, quantity: 1 }],
            reason: "Late".into(),
            ..Default::default()
        };
        orders::refund(engine, &meena, MEENA, &format!("{number}-1"), refund).await.unwrap();
        dispatch::drain(engine).await.unwrap();
        let written: Vec<_> = orders::seller_order(engine, &meena, MEENA, &format!("{number}-1")).await.unwrap().order.order.invoices;
        assert_eq!(written.len(), 2);
        for invoice in written {
            let (invoice, _) = invoices::of_shop(engine, &meena, MEENA, invoice.id).await.unwrap();
            assert_eq!(invoice.buyer.line1, "77 Marmalade Lane");
        }
        let mails = mailbox::latest(&engine.db).await.unwrap();
        assert!(mails.iter().all(|mail| !mail.recipient.is_empty()), "nobody is told of it");
    }

    async fn a_deletion_waits_for_what_is_open(market) {
        let market = &market.on(&market.returnable(30));
        let engine = &market.engine;
        let bowl: VariantId = market.product(MEENA, "Clay bowl", 45_000, 50).await;
        assert_eq!(in_use(engine, &market.owner(MEENA).await).await, [Obstacle::OwnsShop]);
        let mut zeph = zephyrine(market).await;
        for (form, faults) in [
            (ErasureForm::default(), vec!["password", "confirm"]),
            (ErasureForm { password: PASSWORD.into(), confirmed: false }, vec!["confirm"]),
        ] {
            let Err(Error::Invalid(found)) = personal::erase(engine, &zeph, &form).await else { panic!() };
            assert_eq!(found.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), faults);
        }
        // An order.
        market.add(&mut zeph, bowl, 2).await.unwrap();
        let number = buy_by_card(market, &zeph).await;
        assert_eq!(in_use(engine, &zeph).await, [Obstacle::OpenOrders]);
        deliver(market, &number).await;
        // A return.
        let (order, key) = (format!("{number}-1"), market.key(&number));
        let position = orders::purchase(engine, &zeph, &number, "").await.unwrap().orders[0].lines[0].position;
        let request = NewReturnRequest {
            lines: vec![LineQuantity { position, quantity: 1 }],
            reason: ReturnReason::Damaged,
            note: String::new(),
            exchange: Vec::new(),
            images: Vec::new(),
        };
        let of = (number.as_str(), key.as_str());
        let back = orders::request_return(engine, &zeph, of, &order, request, "once").await.unwrap();
        assert_eq!(in_use(engine, &zeph).await, [Obstacle::OpenReturns]);
        orders::withdraw_return(engine, &zeph, of, &order, back).await.unwrap();
        // A refund that the gateway has not taken yet.
        let meena = market.owner(MEENA).await;
        let refund = haat_shared::orders::NewRefund {
            lines: vec![LineQuantity { position, quantity: 1 }],
            reason: "Late".into(),
            ..Default::default()
        };
        orders::refund(engine, &meena, MEENA, &order, refund).await.unwrap();
        assert_eq!(in_use(engine, &zeph).await, [Obstacle::OpenRefunds]);
        dispatch::drain(engine).await.unwrap();
        // A payment.
        market.add(&mut zeph, bowl, 1).await.unwrap();
        let (_, payment, gateway_ref) = market.go_to_sandbox(&zeph).await;
        assert_eq!(in_use(engine, &zeph).await, [Obstacle::OpenPayments]);
        market.enter(&gateway_ref, haat_engine::sandbox::Card::Decline).await;
        market.come_back(payment).await.unwrap();
        // A gift card that is sent later.
        let gift = GiftCardForm {
            amount: "500".into(),
            recipient_email: "ravi@example.com".into(),
            locale: "en".into(),
            ..GiftCardForm::default()
        };
        gift_cards::add_to_cart(engine, &zeph, &gift).await.unwrap();
        let all = personal::page(engine, &zeph).await.unwrap();
        assert_eq!((all.email.as_str(), all.has_password, all.obstacles), (EMAIL, true, Vec::new()));
        // An admin does it for her.
        let olga = accounts::create_operator(engine, &Caller::system(), sign_up("olga")).await.unwrap();
        let admin = market.owner("olga").await;
        let user = zeph.user_id().unwrap();
        let unconfirmed = personal::erase_as_admin(engine, &admin, user, false).await;
        assert_eq!(unconfirmed, Err(Error::field("confirm", FieldCode::Missing)));
        assert_eq!(personal::erase_as_admin(engine, &zeph, user, true).await, Err(Error::NotFound));
        personal::erase_as_admin(engine, &admin, user, true).await.unwrap();
        assert_eq!(account_state(engine, user).await, UserState::Deleted);
        let entry = audit::list(engine, &Caller::system(), "").await.unwrap().items.remove(0);
        assert_eq!((entry.action.as_str(), entry.user_email), ("personal::erase", Some("olga@haat.example".into())));
        assert!(olga != user);
        assert!(found(market, &["zephyrine"]).await.iter().all(|at| at.starts_with("invoices.content")));
    }
}
