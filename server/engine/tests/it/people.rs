//! The account of a person: new passwords, profile and sessions.

use haat_engine::{
    Caller,
    accounts::{self, api_auth, deactivation, passwords, profile, sign_in_codes},
    addresses, carts, checkout, contact, dispatch,
    notifications::{log, mailbox},
    random, wishlist,
};
use haat_shared::{
    Error, FieldCode,
    accounts::SignIn,
    address_book::{ADDRESSES_MAX, AddressForm, AddressLabel},
    addresses::Address,
    checkout::CheckoutUpdate,
    contact::{ContactForm, ContactState},
    id::kinds::{PasswordResetId, SavedAddressId},
    page::ListRequest,
    profile::{PasswordChange, ProfileForm},
    wishlist::{WishChange, WishlistLink},
};

use crate::{both, support::*};

const NEW: &str = "another-market-day";

fn with(password: &str) -> SignIn {
    SignIn { email: sign_up("asha").email, password: password.into() }
}

/// The emails to Asha about her password: their subjects and texts, the latest first.
async fn mails(market: &Market) -> Vec<(String, String)> {
    dispatch::drain(&market.engine).await.unwrap();
    let mut found = Vec::new();
    for mail in mailbox::latest(&market.engine.db).await.unwrap() {
        if mail.recipient == sign_up("asha").email {
            let mail = mailbox::find(&market.engine.db, mail.id).await.unwrap();
            found.push((mail.subject, mail.text));
        }
    }
    found
}

async fn link(market: &Market) -> (PasswordResetId, String) {
    // Emails are listed by the time when they were written.
    market.clock.advance_ms(1);
    passwords::request(&market.engine, &Caller::guest(), " ASHA@haat.example").await.unwrap();
    let (subject, text) = mails(market).await.remove(0);
    assert_eq!(subject, "reset asha");
    let (id, token) = link_in(&text);
    (id.parse().unwrap(), token.to_owned())
}

/// Asks for a code; what the browser keeps, and the code.
async fn emailed(market: &Market) -> (String, String) {
    market.clock.advance_ms(1);
    let browser =
        sign_in_codes::request(&market.engine, &Caller::guest(), " ASHA@haat.example").await.unwrap();
    let (subject, text) = mails(market).await.remove(0);
    assert_eq!(subject, "code for asha");
    let (_, code) = text.rsplit_once(' ').unwrap();
    (browser, code.to_owned())
}

fn other_than(code: &str) -> String {
    if code == "000000" { "000001".to_owned() } else { "000000".to_owned() }
}

fn devanagari(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + 0x966).unwrap()
}

async fn is_signed_in(market: &Market, token: &str) -> bool {
    accounts::caller(&market.engine, Some(token), None).await.unwrap().user().is_some()
}

both! {
    async fn a_password_is_reset_by_a_link_that_works_once(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        let session = accounts::sign_up(engine, guest, sign_up("asha")).await.unwrap();
        let tokens = api_auth::sign_in(engine, guest, with(PASSWORD)).await.unwrap();
        let (other, other_token) = link(market).await;
        let (id, token) = link(market).await;
        assert_eq!(passwords::address(engine, guest, id, "made up").await, Ok(None));
        assert_eq!(passwords::address(engine, guest, id, &other_token).await, Ok(None));
        let address = passwords::address(engine, guest, id, &token).await.unwrap();
        assert_eq!(address.as_deref(), Some("asha@haat.example"));
        let short = passwords::reset(engine, guest, id, &token, "short").await;
        assert_eq!(short, Err(Error::field("password", FieldCode::TooShort)));
        let refused = passwords::reset(engine, guest, id, "made up", NEW).await;
        assert_eq!(refused, Err(Error::NotFound));
        // Two at once: one sets it.
        market.clock.advance_ms(1);
        let once = || passwords::reset(engine, guest, id, &token, NEW);
        let done: Vec<_> = futures::future::join_all([once(), once()]).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert!(accounts::sign_in(engine, guest, with(PASSWORD)).await.is_err());
        accounts::sign_in(engine, guest, with(NEW)).await.unwrap();
        // Nothing that was begun with the old one goes on, nor do other links.
        assert!(!is_signed_in(market, &session).await);
        assert!(api_auth::refresh(engine, guest, &tokens.refresh_token).await.is_err());
        assert_eq!(passwords::reset(engine, guest, other, &other_token, NEW).await, Err(Error::NotFound));
        assert_eq!(mails(market).await[0].0, "password of asha changed");
        // A link that is too old.
        let (id, token) = link(market).await;
        market.clock.advance_ms(passwords::RESET_MS + 1);
        assert_eq!(passwords::address(engine, guest, id, &token).await, Ok(None));
        assert_eq!(passwords::reset(engine, guest, id, &token, NEW).await, Err(Error::NotFound));
        accounts::purge(engine).await.unwrap();
    }

    async fn attack_a_reset_tells_nobody_who_has_an_account_and_floods_no_inbox(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        market.signed_up(guest, "asha").await;
        let statements = async |email: &str| {
            let before = engine.db.counts().0;
            passwords::request(engine, guest, email).await.unwrap();
            engine.db.counts().0 - before
        };
        assert_eq!(statements("asha@haat.example").await, statements("nobody@haat.example").await);
        for _ in 0..9 {
            statements("asha+again@haat.example").await;
            statements("asha@haat.example").await;
        }
        // Tags reach the same mailbox, so they count with it.
        let sent = mails(market).await.into_iter().filter(|(subject, _)| subject == "reset asha").count();
        assert!((1..=3).contains(&sent), "{sent}");
        let empty = passwords::request(engine, guest, " ").await;
        assert_eq!(empty, Err(Error::field("email", FieldCode::Missing)));
    }

    async fn a_code_that_is_emailed_signs_in_once_in_its_browser(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        market.signed_up(guest, "asha").await;
        let (browser, code) = emailed(market).await;
        let wrong = || Error::field("code", FieldCode::WrongCode);
        assert_eq!((code.len(), sign_in_codes::enter(engine, guest, &browser, " ").await), (6, Err(Error::field("code", FieldCode::Missing))));
        assert_eq!(sign_in_codes::enter(engine, guest, "another browser", &code).await, Err(wrong()));
        assert_eq!(sign_in_codes::enter(engine, guest, &browser, &other_than(&code)).await, Err(wrong()));
        // As people write it, and in two tabs at once: one signs in.
        let written = format!(" {} {} ", &code[..3], code[3..].chars().map(devanagari).collect::<String>());
        let once = || sign_in_codes::enter(engine, guest, &browser, &written);
        let done: Vec<_> = futures::future::join_all([once(), once()]).await;
        let entered: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
        assert_eq!(entered.len(), 1);
        assert_eq!(entered[0].account, "asha@haat.example");
        assert!(is_signed_in(market, &entered[0].token).await);
        // A newer code leaves the one before alone: each is for its own browser.
        let (first, first_code) = emailed(market).await;
        let (second, second_code) = emailed(market).await;
        assert_ne!(first_code, second_code);
        assert_eq!(sign_in_codes::enter(engine, guest, &first, &second_code).await, Err(wrong()));
        sign_in_codes::enter(engine, guest, &second, &second_code).await.unwrap();
        sign_in_codes::enter(engine, guest, &first, &first_code).await.unwrap();
        // Too late.
        market.clock.advance_ms(3_600_000);
        let (browser, code) = emailed(market).await;
        market.clock.advance_ms(sign_in_codes::CODE_MS);
        assert_eq!(sign_in_codes::enter(engine, guest, &browser, &code).await, Err(wrong()));
        accounts::purge(engine).await.unwrap();
        // Whoever is deactivated meanwhile doesn't get in.
        let (browser, code) = emailed(market).await;
        let asha = accounts::sign_in(engine, guest, with(PASSWORD)).await.unwrap();
        let asha = accounts::caller(engine, Some(&asha), None).await.unwrap().user_id().unwrap();
        deactivation::deactivate(engine, &Caller::system(), asha, "Fraud").await.unwrap();
        assert_eq!(sign_in_codes::enter(engine, guest, &browser, &code).await, Err(wrong()));
    }

    async fn attack_a_code_has_five_guesses_and_tells_nobody_who_has_an_account(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        market.signed_up(guest, "asha").await;
        let (browser, code) = emailed(market).await;
        let guesses = (0..50).map(|_| sign_in_codes::enter(engine, guest, &browser, "x1"));
        assert!(futures::future::join_all(guesses).await.iter().all(Result::is_err));
        assert!(sign_in_codes::enter(engine, guest, &browser, &code).await.is_err(), "it was guessed too often");
        let statements = async |email: &str| {
            let before = engine.db.counts().0;
            let browser = sign_in_codes::request(engine, guest, email).await.unwrap();
            let asked = engine.db.counts().0 - before;
            assert!(sign_in_codes::enter(engine, guest, &browser, "000000").await.is_err());
            (asked, engine.db.counts().0 - before)
        };
        assert_eq!(statements("asha@haat.example").await, statements("nobody@haat.example").await);
        for _ in 0..9 {
            statements("asha+again@haat.example").await;
            statements("asha@haat.example").await;
        }
        let sent = mails(market).await.into_iter().filter(|(subject, _)| subject == "code for asha").count();
        assert!((1..=5).contains(&sent), "{sent}");
        // Whoever may read the delivery log doesn't get in by asking for the code of somebody else.
        let (_, shown) = emailed(market).await;
        let of = ListRequest { q: "asha@haat.example".into(), ..ListRequest::default() };
        let sent = log::table(engine, &Caller::system(), &of).await.unwrap().page.items.remove(0);
        let read = log::read(engine, &Caller::system(), sent.id).await.unwrap();
        assert_eq!((sent.kind.as_str(), read.text), ("sign_in_code", None));
        assert!(!sent.title.is_empty() && !sent.title.contains(&shown), "{}", sent.title);
        // What is stored doesn't say the code.
        let (_, later) = (market.clock.advance_ms(86_400_000), emailed(market).await.1);
        assert_ne!(later, code);
        let empty = sign_in_codes::request(engine, guest, " ").await;
        assert_eq!(empty, Err(Error::field("email", FieldCode::Missing)));
    }

    async fn who_is_signed_in_changes_the_password_with_the_present_one(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        let asha = market.signed_up(guest, "asha").await;
        let elsewhere = accounts::sign_in(engine, guest, with(PASSWORD)).await.unwrap();
        let form = |current: &str| PasswordChange { current: current.into(), new: NEW.into() };
        let refused = passwords::change(engine, &asha, form("wrong-wrong")).await;
        assert_eq!(refused, Err(Error::field("current_password", FieldCode::WrongPassword)));
        assert_eq!(passwords::change(engine, guest, form(PASSWORD)).await, Err(Error::SignInNeeded));
        let both = [passwords::change(engine, &asha, form(PASSWORD)), passwords::change(engine, &asha, form(PASSWORD))];
        let done: Vec<_> = futures::future::join_all(both).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "the other was overtaken: {done:?}");
        let token = done.into_iter().find_map(Result::ok).unwrap();
        assert!(is_signed_in(market, &token).await && !is_signed_in(market, &elsewhere).await);
        assert_eq!(mails(market).await[0].0, "password of asha changed");
        accounts::sign_in(engine, guest, with(NEW)).await.unwrap();
    }

    async fn a_profile_is_its_owners(market) {
        let engine = &market.engine;
        let asha = Caller { locale: "hi", ..market.signed_up(&Caller::guest(), "asha").await };
        let form = ProfileForm { name: "Asha Rao".into(), phone: "+91 98450 12345".into(), currency: "INR".into() };
        profile::save(engine, &asha, &form).await.unwrap();
        let page = profile::page(engine, &asha).await.unwrap();
        assert_eq!((page.profile.name.as_str(), page.profile.phone.as_str()), ("Asha Rao", "+91 98450 12345"));
        assert_eq!((page.profile.locale.as_str(), page.profile.currency.map(|c| c.listed())), ("hi", Some("INR")));
        let found = accounts::list(engine, &Caller::system(), "asha rao", "").await.unwrap();
        assert_eq!(found.items.len(), 1, "admins find it by its new name");
        let wrong = ProfileForm { currency: "KWD".into(), ..form };
        let refused = profile::save(engine, &asha, &wrong).await;
        assert_eq!(refused, Err(Error::field("currency", FieldCode::NotAChoice)));
        assert_eq!(profile::page(engine, &Caller::guest()).await, Err(Error::SignInNeeded));
        // It is known in a browser that has chosen nothing.
        profile::keep_currency(engine, &asha, "INR".parse().unwrap()).await.unwrap();
        profile::keep_currency(engine, &Caller::guest(), "INR".parse().unwrap()).await.unwrap();
        let token = accounts::sign_in(engine, &Caller::guest(), with(PASSWORD)).await.unwrap();
        let again = accounts::caller(engine, Some(&token), None).await.unwrap();
        assert_eq!(again.currency.map(|c| c.listed()), Some("INR"));
    }

    async fn sessions_are_listed_and_ended_by_their_owner(market) {
        let (engine, guest) = (&market.engine, &Caller::guest());
        let asha = market.signed_up(guest, "asha").await;
        let phone = Caller { device: "Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0 Mobile Safari/537.36".into(), ..guest.clone() };
        let [second, third] = [
            accounts::sign_in(engine, &phone, with(PASSWORD)).await.unwrap(),
            accounts::sign_in(engine, guest, with(PASSWORD)).await.unwrap(),
        ];
        let tokens = api_auth::sign_in(engine, guest, with(PASSWORD)).await.unwrap();
        let sessions = profile::page(engine, &asha).await.unwrap().sessions;
        assert_eq!(sessions.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false, false]);
        let on_phone = sessions.iter().find(|s| s.system == "Android").unwrap();
        assert_eq!(on_phone.browser, "Chrome");
        let meena = market.owner("meena-crafts").await;
        assert_eq!(profile::end_session(engine, &meena, on_phone.id).await, Err(Error::NotFound));
        profile::end_session(engine, &asha, on_phone.id).await.unwrap();
        assert!(!is_signed_in(market, &second).await && is_signed_in(market, &third).await);
        profile::end_other_sessions(engine, &asha).await.unwrap();
        assert!(!is_signed_in(market, &third).await);
        assert!(api_auth::refresh(engine, guest, &tokens.refresh_token).await.is_err());
        assert_eq!(profile::page(engine, &asha).await.unwrap().sessions.len(), 1);
        assert!(profile::page(engine, &meena).await.is_ok(), "others stay signed in");
    }

    async fn addresses_are_saved_and_one_is_the_default(market) {
        let engine = &market.engine;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let first = addresses::add(engine, &asha, &address("1 Lake Road", false)).await.unwrap();
        let second = addresses::add(engine, &asha, &address("2 Lake Road", true)).await.unwrap();
        let lines = async || {
            let all = addresses::page(engine, &asha).await.unwrap().addresses;
            assert_eq!(all.iter().filter(|of| of.is_default).count(), usize::from(!all.is_empty()));
            all.into_iter().map(|of| of.address.parts.line1).collect::<Vec<_>>()
        };
        assert_eq!(lines().await, ["2 Lake Road", "1 Lake Road"], "the default first");
        addresses::make_default(engine, &asha, first).await.unwrap();
        assert_eq!(lines().await, ["1 Lake Road", "2 Lake Road"]);
        let work = AddressForm { label: "work".into(), ..address("22 Lake Road", false) };
        addresses::save(engine, &asha, second, &work).await.unwrap();
        let found = addresses::find(engine, &asha, second).await.unwrap();
        assert_eq!((found.label, found.address.parts.line1.as_str()), (AddressLabel::Work, "22 Lake Road"));
        let wrong = addresses::add(engine, &asha, &AddressForm::default()).await.unwrap_err();
        assert_eq!(wrong.at("line1"), Some(FieldCode::Missing));
        // Those of others do not exist.
        let meena = market.owner("meena-crafts").await;
        assert_eq!(addresses::find(engine, &meena, first).await, Err(Error::NotFound));
        assert_eq!(addresses::save(engine, &meena, first, &work).await, Err(Error::NotFound));
        assert_eq!(addresses::make_default(engine, &meena, first).await, Err(Error::NotFound));
        assert_eq!(addresses::remove(engine, &meena, first).await, Err(Error::NotFound));
        assert_eq!(addresses::add(engine, &Caller::guest(), &work).await, Err(Error::SignInNeeded));
        addresses::remove(engine, &asha, first).await.unwrap();
        assert_eq!(lines().await, ["22 Lake Road"], "there is a default as long as there is one");
        // Many at once are not too many.
        let more = (0..ADDRESSES_MAX + 4).map(|n| {
            let asha = &asha;
            async move { addresses::add(engine, asha, &address(&format!("{n} Hill Road"), n % 2 == 0)).await }
        });
        let added = futures::future::join_all(more).await;
        assert_eq!(added.iter().filter(|added| added.is_ok()).count() as i64, ADDRESSES_MAX - 1);
        assert_eq!(lines().await.len() as i64, ADDRESSES_MAX);
    }

    async fn a_checkout_begins_with_the_default_address_and_saves_new_ones(market) {
        let engine = &market.engine;
        let mut asha = market.signed_up(&Caller::guest(), "asha").await;
        let variant = market.product("meena-crafts", "Brass bell", 45_000, 9).await;
        market.add(&mut asha, variant, 1).await.unwrap();
        let id = checkout::begin(engine, &asha).await.unwrap();
        let page = checkout::page(engine, &asha, id).await.unwrap();
        assert_eq!((page.addresses.as_deref(), page.known_address), (Some(&[][..]), None));
        let update = CheckoutUpdate { save_address: true, ..form("cash") };
        checkout::pay(engine, &asha, id, update.clone(), 1, "a key").await.unwrap();
        let saved = addresses::list(engine, &asha).await.unwrap();
        assert_eq!(saved.iter().map(|of| of.address.parts.line1.as_str()).collect::<Vec<_>>(), ["12 Lake Road"]);
        let other = addresses::add(engine, &asha, &address("2 Hill Road", true)).await.unwrap();
        market.add(&mut asha, variant, 1).await.unwrap();
        let id = checkout::begin(engine, &asha).await.unwrap();
        let page = checkout::page(engine, &asha, id).await.unwrap();
        assert_eq!(page.checkout.form.line1, "2 Hill Road");
        assert!(page.known_address.is_some(), "it is shown in a line");
        // One click fills in another, and keeps what else was entered.
        let typed = CheckoutUpdate { tax_id: "DE123456789".into(), ..page.checkout.form };
        checkout::use_address(engine, &asha, id, typed.clone(), saved[0].id).await.unwrap();
        let (kept, _) = checkout::stored(engine, &asha, id).await.unwrap();
        assert_eq!((kept.line1.as_str(), kept.tax_id.as_str()), ("12 Lake Road", "DE123456789"));
        let nobodys = SavedAddressId::from_bits(1);
        assert_eq!(checkout::use_address(engine, &asha, id, typed, nobodys).await, Err(Error::NotFound));
        // What is saved already isn't saved again.
        let version = checkout::page(engine, &asha, id).await.unwrap().checkout.quote.version;
        checkout::pay(engine, &asha, id, update, version, "another key").await.unwrap();
        let all = addresses::list(engine, &asha).await.unwrap();
        assert_eq!(all.iter().map(|of| of.id).collect::<Vec<_>>(), [other, saved[0].id]);
    }

    async fn a_wishlist_is_kept_for_guests_and_joins_the_accounts(market) {
        let engine = &market.engine;
        let bell = market.product("meena-crafts", "Brass bell", 45_000, 9).await;
        let jug = market.product("meena-crafts", "Copper jug", 90_000, 9).await;
        let titles = async |caller: &Caller| {
            let list = wishlist::view(engine, caller, None).await.unwrap().items;
            list.into_iter().map(|wish| wish.title).collect::<Vec<_>>()
        };
        let mut guest = Caller::guest();
        assert_eq!(wishlist::change(engine, &guest, WishChange::Drop(bell)).await, Ok(None));
        assert!(titles(&guest).await.is_empty());
        let token = wishlist::change(engine, &guest, WishChange::Add(bell)).await.unwrap().unwrap();
        guest.cart = Some(random::token_hash(&token));
        assert_eq!(wishlist::change(engine, &guest, WishChange::Add(bell)).await, Ok(None), "once");
        assert_eq!(titles(&guest).await, ["Brass bell"]);
        // The basket is the same guest's.
        market.add(&mut guest, jug, 1).await.unwrap();
        assert_eq!(titles(&guest).await, ["Brass bell"]);
        // It joins at sign-up, and at sign-in those of both are there once.
        let asha = market.signed_up(&guest, "asha").await;
        assert_eq!(titles(&asha).await, ["Brass bell"]);
        assert!(titles(&guest).await.is_empty(), "the token has lost its list");
        let mut other = Caller::guest();
        for variant in [bell, jug] {
            market.clock.advance_ms(1);
            if let Some(token) = wishlist::change(engine, &other, WishChange::Add(variant)).await.unwrap() {
                other.cart = Some(random::token_hash(&token));
            }
        }
        accounts::sign_in(engine, &other, with(PASSWORD)).await.unwrap();
        assert_eq!(titles(&asha).await, ["Copper jug", "Brass bell"]);
        let product = of_product(market, "Copper jug").await;
        assert_eq!(wishlist::of_product(engine, &asha, product).await, Ok(vec![jug]));
        assert_eq!(wishlist::of_product(engine, &Caller::guest(), product).await, Ok(vec![]));
        wishlist::change(engine, &asha, WishChange::Drop(jug)).await.unwrap();
        assert_eq!(titles(&asha).await, ["Brass bell"]);
    }

    async fn a_wishlist_says_what_is_cheaper_and_what_is_sold_out(market) {
        let engine = &market.engine;
        let system = Caller::system();
        let bell = market.product("meena-crafts", "Brass bell", 45_000, 1).await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        wishlist::change(engine, &asha, WishChange::Add(bell)).await.unwrap();
        let list = async || wishlist::view(engine, &asha, None).await.unwrap();
        let of = list().await;
        let [wish] = of.items.as_slice() else { panic!("{of:?}") };
        assert_eq!((wish.in_stock, wish.cheaper_by, wish.price.amount()), (true, None, 45_000));
        // Moved to the basket and back.
        wishlist::change(engine, &asha, WishChange::Move(wish.id)).await.unwrap();
        assert!(list().await.items.is_empty());
        let cart = carts::view(engine, &asha).await.unwrap();
        let line = cart.groups[0].lines[0].id;
        wishlist::change(engine, &asha, WishChange::SaveForLater(line)).await.unwrap();
        assert!(carts::view(engine, &asha).await.unwrap().groups.is_empty());
        // The price falls, and someone else takes the last one.
        let variant = haat_engine::catalog::NewVariant { sku: "Brass bell".into(), price_minor: 40_000, stock: 1, ..Default::default() };
        let product = haat_engine::catalog::NewProduct { title: "Brass bell".into(), variants: vec![variant], ..Default::default() };
        haat_engine::catalog::upsert_products(engine, &system, "meena-crafts", vec![product]).await.unwrap();
        let mut ravi = market.signed_up(&Caller::guest(), "ravi").await;
        market.add(&mut ravi, bell, 1).await.unwrap();
        market.buy_in_cash(&ravi).await.unwrap();
        let of = list().await;
        let wish = &of.items[0];
        assert_eq!((wish.in_stock, wish.cheaper_by.map(|less| less.amount())), (false, Some(5_000)));
        // Whoever has the link sees it, and nobody else.
        let link = of.link.clone().unwrap();
        assert_eq!(wishlist::view(engine, &ravi, Some(&link)).await.unwrap().items, of.items);
        let forged = WishlistLink { key: "made up".into(), ..link.clone() };
        assert_eq!(wishlist::view(engine, &ravi, Some(&forged)).await, Err(Error::NotFound));
        assert_eq!(wishlist::by_cart(engine, &ravi, link.list).await, Err(Error::NotFound));
        assert_eq!(wishlist::by_cart(engine, &asha, link.list).await.unwrap().items, of.items);
        let remove = WishChange::Remove(wish.id);
        assert_eq!(wishlist::change(engine, &ravi, remove).await, Err(Error::NotFound));
        assert_eq!(wishlist::change_by_cart(engine, &ravi, link.list, remove).await, Err(Error::NotFound));
        wishlist::change_by_cart(engine, &asha, link.list, remove).await.unwrap();
        assert_eq!(wishlist::change(engine, &asha, remove).await, Err(Error::NotFound));
        assert_eq!(wishlist::change(engine, &Caller::guest(), remove).await, Err(Error::NotFound));
        let nothing = WishChange::Add(haat_shared::id::kinds::VariantId::from_bits(1));
        assert_eq!(wishlist::change(engine, &asha, nothing).await, Err(Error::NotFound));
    }

    async fn a_message_to_the_market_is_kept_emailed_and_answered(market) {
        let (engine, system) = (&market.engine, &Caller::system());
        let guest = Caller { origin: Some([7; 32]), ..Caller::guest() };
        let form = ContactForm {
            name: "Asha".into(),
            email: "asha@haat.example".into(),
            message: "Do you ship abroad?".into(),
            website: String::new(),
        };
        let wrong = contact::send(engine, &guest, &ContactForm::default()).await.unwrap_err();
        assert_eq!(wrong.at("message"), Some(FieldCode::Missing));
        // A program that fills in every field is told the same.
        contact::send(engine, &guest, &ContactForm { website: "x".into(), ..form.clone() }).await.unwrap();
        contact::send(engine, &guest, &form).await.unwrap();
        let all = ListRequest::default();
        let table = async || contact::table(engine, system, &all).await.unwrap();
        let [message] = &table().await.page.items[..] else { panic!("one is kept") };
        let id = message.id;
        assert_eq!((message.message.as_str(), message.state), ("Do you ship abroad?", ContactState::Open));
        dispatch::drain(engine).await.unwrap();
        let mails = mailbox::latest(&engine.db).await.unwrap();
        assert_eq!((mails[0].recipient.as_str(), mails[0].subject.as_str()), ("support@haat.example", "contact Asha"));
        let empty = contact::close(engine, system, id, Some(" ")).await.unwrap_err();
        assert_eq!(empty.at("answer"), Some(FieldCode::Missing));
        market.clock.advance_ms(1);
        contact::close(engine, system, id, Some("Not yet.")).await.unwrap();
        assert!(contact::close(engine, system, id, None).await.is_err(), "once");
        assert_eq!(mails_of(market).await, ["answer Asha"]);
        let of = ListRequest { state: "answered".into(), ..ListRequest::default() };
        let answered = contact::table(engine, system, &of).await.unwrap().page.items;
        assert_eq!(answered[0].answer, "Not yet.");
        // Only those who may, and not too many.
        assert_eq!(contact::table(engine, &guest, &all).await.unwrap_err(), Error::SignInNeeded);
        let meena = market.owner("meena-crafts").await;
        assert_eq!(contact::close(engine, &meena, id, None).await, Err(Error::NotFound));
        contact::send(engine, &meena, &form).await.unwrap();
        let last = table().await.page.items[0].id;
        contact::close(engine, system, last, None).await.unwrap();
        let mut taken = 0;
        for n in 0..9 {
            let form = ContactForm { email: format!("robot-{n}@example.com"), ..form.clone() };
            taken += u32::from(contact::send(engine, &guest, &form).await.is_ok());
        }
        assert_eq!(taken, 4, "five from an address in an hour");
    }
}

async fn mails_of(market: &Market) -> Vec<String> {
    mails(market).await.into_iter().map(|(subject, _)| subject).collect()
}

async fn of_product(market: &Market, title: &str) -> haat_shared::id::kinds::ProductId {
    let ask = haat_shared::catalog::ListProducts { q: title.into(), ..Default::default() };
    let page = haat_engine::catalog::list(&market.engine, &Caller::guest(), ask).await.unwrap();
    page.items[0].id
}

fn address(line1: &str, make_default: bool) -> AddressForm {
    let address = Address {
        name: "Asha Rao".into(),
        line1: line1.into(),
        city: "Pune".into(),
        postal_code: "411001".into(),
        country: "IN".into(),
        ..Address::default()
    };
    AddressForm { label: "home".into(), address, make_default }
}
