//! Every email in every language, and what must be in it.

use haat_engine::{
    chat::UnreadMessages,
    contact::ContactNotice,
    gift_cards::GiftCardNotice,
    inventory::StockNotice,
    notifications::{AppointmentNews, EmailContent, RenderedEmail, announced::AnnouncementNotice},
    orders::Parcel,
    payouts::PayoutNotice,
    reviews::ReviewNotice,
    staff::InvitationNotice,
};
use haat_shared::{
    Currency, Money,
    addresses::Address,
    announcements::AnnouncementKind,
    chat::Side,
    checkout::CheckoutLineView,
    disputes::{DisputeState, OrderDispute},
    gift_cards::{AppliedGiftCard, BoughtGift, Gift},
    id::Id,
    orders::{
        Actor, LineQuantity, OrderRefund, OrderState, OrderView, PurchaseView, RefundReason, Shipment,
        ShopOrderView,
    },
    payments::{PaymentMethod, PurchaseLink},
    permissions::Role,
    pricing::Totals,
    returns::{OrderReturn, ReturnReason, ReturnState},
    routes,
    shipping::ShippingMethod,
};

use super::render;

const MARKET: &str = "http://localhost:3000";
const URL: &str = "http://localhost:3000/purchases/H1?key=k_-";

fn contact(name: &str, message: &str, answer: &str) -> Box<ContactNotice> {
    let email = "asha@example.com".into();
    Box::new(ContactNotice { name: name.into(), email, message: message.into(), answer: answer.into() })
}

fn invited(shop: &str) -> InvitationNotice {
    InvitationNotice {
        shop: shop.into(),
        role: Role::Fulfilment,
        id: Id::from_uuid(Default::default()),
        token: "t_-".into(),
    }
}

fn link() -> PurchaseLink {
    PurchaseLink { number: "H1".into(), key: "k_-".into() }
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

fn order(shop_name: &str, title: &str, quantity: i64) -> OrderView {
    let (subtotal, shipping) = (money(45_000 * quantity), money(4_900));
    let line = CheckoutLineView {
        position: 1,
        title: title.into(),
        variant_title: "Colour: Blue, Size: M".into(),
        sku: "BOWL".into(),
        quantity,
        shipped: 0,
        refunded: 0,
        returned: 0,
        unit_price: money(45_000),
        total: subtotal,
        picture: None,
    };
    OrderView {
        id: Id::from_uuid(Default::default()),
        number: "H1-1".into(),
        shop_name: shop_name.into(),
        shop_handle: "meena-crafts".into(),
        state: OrderState::Placed,
        lines: vec![line],
        shipments: Vec::new(),
        refunds: Vec::new(),
        returns: Vec::new(),
        invoices: Vec::new(),
        exchange_of: None,
        exchange_options: Vec::new(),
        returnable_until: None,
        returns_days: 7,
        taxes: Vec::new(),
        totals: Totals {
            subtotal,
            discount: money(0),
            shipping,
            tax: money(500),
            total: subtotal.plus(shipping).unwrap(),
        },
        discounts: Vec::new(),
        shipping_method: ShippingMethod::Express,
        shipping_name: String::new(),
        arrives: Default::default(),
        slot: None,
        estimated_delivery: ("2026-11-22T09:00:00Z".into(), "2026-11-23T09:00:00Z".into()),
        pickup_at: String::new(),
    }
}

fn address(name: &str) -> Address {
    Address {
        name: name.into(),
        line1: "12 Lake Road".into(),
        line2: String::new(),
        city: "Pune".into(),
        region: String::new(),
        postal_code: "411001".into(),
        country: "IN".into(),
        phone: "+91 98".into(),
    }
}

fn to_shopper(method: PaymentMethod, name: &str, orders: Vec<OrderView>) -> EmailContent {
    let purchase = PurchaseView {
        id: Id::from_uuid(Default::default()),
        number: "H1".into(),
        created_at: "2026-11-21T15:00:00+05:30[IST]".into(),
        email: "asha@example.com".into(),
        address: address(name).into(),
        billing_address: None,
        payment_method: method,
        gift_cards: Vec::new(),
        taxes: Vec::new(),
        totals: Totals::sum(Currency::INR, orders.iter().map(|o| o.totals)).unwrap(),
        orders,
        gifts: Vec::new(),
        appointments: 0,
    };
    EmailContent::OrderConfirmed { purchase: Box::new(purchase), link: link() }
}

/// Of the shop and of the shopper.
type Names<'a> = [&'a str; 2];

fn of_order(method: PaymentMethod, order: OrderView, name: &str) -> Box<ShopOrderView> {
    Box::new(ShopOrderView {
        order,
        placed_at: "2026-11-21T09:30:00Z".into(),
        address: address(name).into(),
        payment_method: method,
        commission: money(4_500),
    })
}

fn to_shop(method: PaymentMethod, name: &str, order: OrderView) -> EmailContent {
    EmailContent::OrderReceived { order: of_order(method, order, name) }
}

fn shipped(method: PaymentMethod, [shop, name]: Names<'_>) -> Box<ShopOrderView> {
    let mut order = order(shop, "Clay bowl", 2);
    order.lines[0].shipped = 2;
    of_order(method, OrderView { state: OrderState::Shipped, ..order }, name)
}

/// A parcel with `quantity` of the only line.
fn parcel(carrier: &str, number: &str, url: &str, quantity: i64) -> Parcel {
    let (carrier, tracking_number, tracking_url) = (carrier.into(), number.into(), url.into());
    let tracking = Some(Shipment { carrier, tracking_number, tracking_url });
    Parcel {
        tracking,
        lines: vec![LineQuantity { position: 1, quantity }],
        last: quantity == 2,
        only: quantity == 2,
    }
}

fn on_its_way(method: PaymentMethod, names: Names<'_>, carrier: &str, tracking_url: &str) -> EmailContent {
    let parcel = parcel(carrier, "BD-77", tracking_url, 2);
    EmailContent::OrderShipped { order: shipped(method, names), parcel, link: link() }
}

/// One of two bowls; the other is not shipped yet.
fn in_part(method: PaymentMethod) -> EmailContent {
    let mut order = shipped(method, NAMES);
    order.order.state = OrderState::Confirmed;
    order.order.lines[0].shipped = 1;
    EmailContent::OrderShipped { order, parcel: parcel("Blue Dart", "BD-79", TRACK, 1), link: link() }
}

fn tracked_anew(names: Names<'_>, carrier: &str, number: &str) -> EmailContent {
    let order = shipped(PaymentMethod::Sandbox, names);
    EmailContent::ShipmentUpdated { order, parcel: parcel(carrier, number, "", 2), link: link() }
}

fn called_off(method: PaymentMethod, by: Actor, [shop, name]: Names<'_>, reason: &str) -> EmailContent {
    let order = order(shop, "Clay bowl", 2);
    let refund = OrderRefund {
        id: Id::from_uuid(Default::default()),
        reason: RefundReason::Cancelled,
        amount: order.totals.total,
        shipping: order.totals.shipping,
        to_gift_cards: money(0),
        lines: Vec::new(),
        completed_at: None,
    };
    let refunds = Vec::from_iter(method.collected_by_market().then_some(refund));
    let order = OrderView { state: OrderState::Cancelled, refunds, ..order };
    let (order, reason) = (of_order(method, order, name), reason.to_owned());
    EmailContent::OrderCancelled { order, by, reason, link: link() }
}

fn withdrawn_from(shop: &str, reason: &str) -> EmailContent {
    let order = OrderView { state: OrderState::Cancelled, ..order(shop, "Clay bowl", 2) };
    let order = of_order(PaymentMethod::Cash, order, "Asha Rao");
    EmailContent::OrderWithdrawn { order, reason: reason.into() }
}

/// News of an appointment, for the customer or the shop.
fn appointment(news: AppointmentNews, to_customer: bool) -> EmailContent {
    let mut order = order("Meena Crafts", "Pottery lesson", 1);
    order.lines[0].variant_title = "2026-12-03 10:00 IST, Asha Rao".into();
    let order = of_order(PaymentMethod::Sandbox, order, "Asha Rao");
    let when = "Pottery lesson: 2026-12-03 10:00 IST, Asha Rao".into();
    EmailContent::Appointment { news, when, order, link: to_customer.then(link) }
}

/// A request of one of two bowls, or the answer to it.
fn returned(state: ReturnState, note: &str, answer: &str) -> OrderReturn {
    OrderReturn {
        id: Id::from_uuid(Default::default()),
        state,
        reason: ReturnReason::Damaged,
        note: note.into(),
        answer: answer.into(),
        lines: vec![LineQuantity { position: 1, quantity: 1 }],
        opened_at: "2026-11-25T09:00:00+05:30[IST]".into(),
        answer_by: "2026-11-28T09:00:00+05:30[IST]".into(),
        escalated: false,
        received_at: None,
        restocked: false,
        refund_id: None,
        exchange: Vec::new(),
        pictures: Vec::new(),
        exchange_order: (state == ReturnState::Exchanged).then(|| "HK7M2QX3-2".into()),
    }
}

fn refunded(method: PaymentMethod, [shop, name]: Names<'_>, shipping: bool, reason: &str) -> EmailContent {
    let order = order(shop, "Clay bowl", 2);
    let items = if shipping { money(0) } else { money(45_000) };
    let of_shipping = if shipping { order.totals.shipping } else { money(0) };
    let refund = OrderRefund {
        id: Id::from_uuid(Default::default()),
        reason: RefundReason::ByShop,
        amount: items.plus(of_shipping).unwrap(),
        shipping: of_shipping,
        to_gift_cards: money(0),
        lines: if shipping { Vec::new() } else { vec![LineQuantity { position: 1, quantity: 1 }] },
        completed_at: None,
    };
    let (order, reason) = (of_order(method, order, name), reason.to_owned());
    EmailContent::OrderRefunded { order, refund, reason, link: link() }
}

/// Of which this part goes to a gift card.
fn refunded_to_card(names: Names<'_>, part: i64) -> EmailContent {
    match refunded(PaymentMethod::Sandbox, names, false, "") {
        EmailContent::OrderRefunded { order, refund, reason, link } => {
            let refund = OrderRefund { to_gift_cards: money(part), ..refund };
            EmailContent::OrderRefunded { order, refund, reason, link }
        }
        other => other,
    }
}

fn refunded_by_market(why: &str) -> EmailContent {
    match refunded(PaymentMethod::Sandbox, NAMES, false, why) {
        EmailContent::OrderRefunded { order, refund, reason, .. } => {
            EmailContent::OrderRefundedByMarket { order, refund, reason }
        }
        other => other,
    }
}

/// One of two bowls of a cash order won't be shipped.
fn unshipped(names: Names<'_>, reason: &str) -> EmailContent {
    let EmailContent::OrderRefunded { order, mut refund, link, .. } =
        refunded(PaymentMethod::Cash, names, false, "")
    else {
        unreachable!()
    };
    refund.reason = RefundReason::Unshipped;
    EmailContent::OrderRefunded { order, refund, reason: reason.into(), link }
}

fn disputed(state: DisputeState) -> OrderDispute {
    OrderDispute {
        state,
        amount: money(94_900),
        commission: money(9_000),
        held: money(85_900),
        reason: "product_not_received".into(),
        opened_at: "2026-11-25T09:00:00+05:30[IST]".into(),
        closed_at: None,
    }
}

fn payout(shop: &str, reason: &str, reference: &str) -> Box<PayoutNotice> {
    Box::new(PayoutNotice {
        number: "P-000123".into(),
        shop_name: shop.into(),
        shop_handle: "meena-crafts".into(),
        amount: money(124_950),
        account: "•••• 8901 · HDFC0001234".into(),
        reference: reference.into(),
        reason: reason.into(),
        usable_at: "2026-11-29T15:00:00+05:30[IST]".into(),
    })
}

const NO_NAME: &str = "The account is in another name";
const NAMES: Names<'static> = ["Meena Crafts", "Asha Rao"];
const TRACK: &str = "https://track.example/BD-77?a=1&b=2";

/// Every kind of email, in each variant: by payment method, and by who acted.
fn samples() -> Vec<(&'static str, EmailContent)> {
    let [shop, name] = NAMES;
    let two = vec![order(shop, "Clay bowl", 2), order("Delta Electronics", "Desk lamp", 1)];
    let one = order(shop, "Clay bowl", 2);
    let sent = || shipped(PaymentMethod::Sandbox, NAMES);
    let asked = returned(ReturnState::Requested, "A crack in the rim", "");
    let approved = returned(ReturnState::Approved, "A crack in the rim", "Meena Crafts, Kiln Lane 4, Jaipur");
    let rejected = returned(ReturnState::Rejected, "A crack in the rim", "The crack is part of the glaze");
    let exchanged =
        returned(ReturnState::Exchanged, "A crack in the rim", "Meena Crafts, Kiln Lane 4, Jaipur");
    let (broken, changed) = ("The kiln broke", "Changed my mind");
    let (name_of_user, id, token) = (String::from(name), Id::from_uuid(Default::default()), "t_-".into());
    vec![
        ("order_confirmed_cash", to_shopper(PaymentMethod::Cash, name, two)),
        ("order_confirmed_card", to_shopper(PaymentMethod::Sandbox, name, vec![one.clone()])),
        ("order_confirmed_gift", gift_bought()),
        ("order_received_cash", to_shop(PaymentMethod::Cash, name, one.clone())),
        ("order_received_card", to_shop(PaymentMethod::Sandbox, name, one)),
        ("order_shipped_cash", on_its_way(PaymentMethod::Cash, NAMES, "Blue Dart", TRACK)),
        ("order_shipped_card", on_its_way(PaymentMethod::Sandbox, NAMES, "Blue Dart", "")),
        ("order_shipped_part", in_part(PaymentMethod::Sandbox)),
        ("shipment_updated", tracked_anew(NAMES, "Blue Dart", "BD-78")),
        ("order_cancelled_by_shop", called_off(PaymentMethod::Sandbox, Actor::Shop, NAMES, broken)),
        ("order_cancelled_by_shopper", called_off(PaymentMethod::Cash, Actor::Shopper, NAMES, changed)),
        ("order_cancelled_by_market", called_off(PaymentMethod::Sandbox, Actor::Market, NAMES, broken)),
        ("order_withdrawn", withdrawn_from(shop, changed)),
        ("appointment_moved", appointment(AppointmentNews::Moved, true)),
        ("appointment_moved_by_customer", appointment(AppointmentNews::Moved, false)),
        ("appointment_cancelled", appointment(AppointmentNews::Cancelled, true)),
        ("appointment_cancelled_by_customer", appointment(AppointmentNews::Cancelled, false)),
        ("appointment_reminder", appointment(AppointmentNews::Reminder, true)),
        ("return_requested", EmailContent::ReturnRequested { order: sent(), back: asked }),
        ("return_approved", EmailContent::ReturnApproved { order: sent(), back: approved, link: link() }),
        ("return_rejected", EmailContent::ReturnRejected { order: sent(), back: rejected, link: link() }),
        ("return_exchanged", EmailContent::ReturnExchanged { order: sent(), back: exchanged, link: link() }),
        ("order_refunded_card", refunded(PaymentMethod::Sandbox, NAMES, false, "Chipped")),
        ("order_refunded_gift_card", refunded_to_card(NAMES, 45_000)),
        ("order_refunded_gift_card_and_card", refunded_to_card(NAMES, 30_000)),
        ("order_refunded_cash", refunded(PaymentMethod::Cash, NAMES, false, "")),
        ("order_refunded_unshipped", unshipped(NAMES, "The kiln broke")),
        ("order_refunded_shipping", refunded(PaymentMethod::Sandbox, NAMES, true, "Late")),
        ("order_refunded_by_market", refunded_by_market("Never arrived")),
        ("confirm_sign_up", EmailContent::ConfirmSignUp { name: name_of_user.clone(), id, token }),
        ("account_exists", EmailContent::AccountExists { name: name_of_user.clone() }),
        (
            "password_reset",
            EmailContent::PasswordReset {
                name: name_of_user.clone(),
                id: Id::from_uuid(Default::default()),
                token: "t_-".into(),
            },
        ),
        ("password_changed", EmailContent::PasswordChanged { name: name_of_user.clone() }),
        ("shop_invitation", EmailContent::ShopInvitation(invited(shop))),
        ("contact_received", EmailContent::ContactReceived(contact(name, "Do you ship abroad?", ""))),
        ("contact_answered", EmailContent::ContactAnswered(contact(name, "Do you ship abroad?", "Not yet."))),
        ("payout_sent", EmailContent::PayoutSent(payout(shop, "", "HDFCN26112800001"))),
        ("payout_rejected", EmailContent::PayoutRejected(payout(shop, NO_NAME, ""))),
        ("payout_rejected_by_gateway", EmailContent::PayoutRejected(payout(shop, "gateway_account", ""))),
        ("payout_returned", EmailContent::PayoutReturned(payout(shop, NO_NAME, "HDFCN26112800001"))),
        ("payout_method_added", EmailContent::PayoutMethodAdded(payout(shop, "", ""))),
        ("payout_method_removed", EmailContent::PayoutMethodRemoved(payout(shop, "", ""))),
        ("payout_method_restricted", EmailContent::PayoutMethodRestricted(payout(shop, "", ""))),
        (
            "order_disputed",
            EmailContent::OrderDisputed { order: sent(), dispute: disputed(DisputeState::Open) },
        ),
        ("dispute_won", EmailContent::DisputeWon { order: sent(), dispute: disputed(DisputeState::Won) }),
        ("dispute_lost", EmailContent::DisputeLost { order: sent(), dispute: disputed(DisputeState::Lost) }),
        ("stock_low", EmailContent::StockLow(stock(shop, 2))),
        ("stock_none", EmailContent::StockLow(stock(shop, 0))),
        ("gift_card", gift_card(gift("Ravi", name, "Happy birthday!\nSee you soon"))),
        ("gift_card_plain", gift_card(gift("", "", ""))),
        (
            "messages_for_shopper",
            EmailContent::UnreadMessages(unread(Side::Shopper, shop, 1, "Is it glazed?")),
        ),
        ("messages_for_shop", EmailContent::UnreadMessages(unread(Side::Shop, "Asha", 3, "Is it glazed?"))),
        ("messages_deleted", EmailContent::UnreadMessages(unread(Side::Shopper, shop, 1, ""))),
        (
            "announcement",
            announcement(AnnouncementKind::Service, "New terms", "Our terms change.\n\nNothing\nelse."),
        ),
        ("offer", announcement(AnnouncementKind::Offer, "Lamps for less", "All lamps cost 10 % less.")),
        ("review_published", EmailContent::ReviewPublished(review(shop, "A fine glaze"))),
        ("review_published_wordless", EmailContent::ReviewPublished(review(shop, ""))),
        ("review_invited", EmailContent::ReviewInvited { order: sent(), link: link() }),
        ("sign_in_code", EmailContent::SignInCode { name: name_of_user, code: "048213".into() }),
    ]
}

fn announcement(kind: AnnouncementKind, title: &str, text: &str) -> EmailContent {
    let offer = kind == AnnouncementKind::Offer;
    EmailContent::Announcement(Box::new(AnnouncementNotice {
        kind,
        title: title.into(),
        text: text.into(),
        link: if offer { routes::PRODUCTS.into() } else { String::new() },
        unsubscribe: offer.then(|| (Id::from_bits(10), "k_-".into())),
    }))
}

fn gift(recipient: &str, sender: &str, message: &str) -> Gift {
    Gift {
        amount: money(50_000),
        recipient_name: recipient.into(),
        recipient_email: "ravi@example.com".into(),
        sender_name: sender.into(),
        message: message.into(),
        send_on: "2026-12-24".into(),
        locale: "en".into(),
    }
}

fn gift_card(gift: Gift) -> EmailContent {
    EmailContent::GiftCard(Box::new(GiftCardNotice { gift, code: "ABCD-EFGH-JKMN-PQRS".into() }))
}

/// The confirmation of a purchase of a gift card, which names no code.
fn gift_bought() -> EmailContent {
    let mut content = to_shopper(PaymentMethod::Sandbox, "", Vec::new());
    if let EmailContent::OrderConfirmed { purchase, .. } = &mut content {
        let (id, gift) = (Id::from_uuid(Default::default()), gift("Ravi", "", ""));
        purchase.totals = Gift::totals(Currency::INR, 50_000);
        purchase.address = Address::default().into();
        purchase.gifts = vec![BoughtGift { id, gift, sent_at: None, refunded: false }];
    }
    content
}

fn stock(shop: &str, available: i64) -> StockNotice {
    StockNotice {
        product: Id::from_uuid("01890000-0000-7000-8000-000000000007".parse().unwrap()),
        title: "Terracotta bowl (Large)".into(),
        shop_name: shop.to_owned(),
        shop_handle: "meena-crafts".into(),
        available,
    }
}

fn review(shop: &str, excerpt: &str) -> ReviewNotice {
    ReviewNotice {
        rating: 4,
        excerpt: excerpt.into(),
        product_title: "Terracotta bowl".into(),
        shop_name: shop.to_owned(),
        shop_handle: "meena-crafts".into(),
    }
}

fn unread(to: Side, from: &str, count: i64, excerpt: &str) -> UnreadMessages {
    UnreadMessages {
        conversation: Id::from_uuid("01890000-0000-7000-8000-000000000008".parse().unwrap()),
        to,
        from: from.to_owned(),
        shop_name: "Meena Crafts".into(),
        shop_handle: "meena-crafts".into(),
        count,
        excerpt: excerpt.to_owned(),
    }
}

#[test]
fn every_mail_in_every_language() {
    let _in = crate::snapshots();
    for (name, content) in samples() {
        for locale in ["en", "hi"] {
            let RenderedEmail { subject, text, html, path, .. } = render(&content, locale, MARKET).unwrap();
            // Only emails have the keys of links, and these are for people who aren't signed in.
            let only_emailed = ["confirm_sign_up", "password_reset", "shop_invitation", "sign_in_code"];
            assert!(only_emailed.contains(&name) || !path.contains('?'), "{name}: {path}");
            // The delivery log keeps subjects.
            assert!(!["048213", "t_-"].iter().any(|secret| subject.contains(secret)), "{name}: {subject}");
            let whole = format!("Subject: {subject}\n\n{text}\n\n{html}");
            insta::assert_snapshot!(format!("mail_{name}.{locale}"), whole);
        }
    }
    // Does not compile until every kind of email is listed here.
    let kind = |content: &EmailContent| match content {
        EmailContent::OrderConfirmed { .. } => 0,
        EmailContent::OrderReceived { .. } => 1,
        EmailContent::OrderShipped { .. } => 2,
        EmailContent::ShipmentUpdated { .. } => 3,
        EmailContent::OrderCancelled { .. } => 4,
        EmailContent::OrderWithdrawn { .. } => 5,
        EmailContent::Appointment { news: AppointmentNews::Moved, .. } => 6,
        EmailContent::Appointment { news: AppointmentNews::Cancelled, .. } => 7,
        EmailContent::Appointment { news: AppointmentNews::Reminder, .. } => 8,
        EmailContent::ReturnRequested { .. } => 9,
        EmailContent::ReturnApproved { .. } => 10,
        EmailContent::ReturnRejected { .. } => 11,
        EmailContent::ReturnExchanged { .. } => 12,
        EmailContent::OrderRefunded { .. } => 13,
        EmailContent::OrderRefundedByMarket { .. } => 14,
        EmailContent::ConfirmSignUp { .. } => 15,
        EmailContent::AccountExists { .. } => 16,
        EmailContent::PasswordReset { .. } => 17,
        EmailContent::PasswordChanged { .. } => 18,
        EmailContent::ShopInvitation(_) => 19,
        EmailContent::ContactReceived(_) => 20,
        EmailContent::ContactAnswered(_) => 21,
        EmailContent::PayoutSent(_) => 22,
        EmailContent::PayoutRejected(_) => 23,
        EmailContent::PayoutReturned(_) => 24,
        EmailContent::PayoutMethodAdded(_) => 25,
        EmailContent::PayoutMethodRemoved(_) => 26,
        EmailContent::PayoutMethodRestricted(_) => 27,
        EmailContent::OrderDisputed { .. } => 28,
        EmailContent::DisputeWon { .. } => 29,
        EmailContent::DisputeLost { .. } => 30,
        EmailContent::StockLow(_) => 31,
        EmailContent::GiftCard(_) => 32,
        EmailContent::UnreadMessages(_) => 33,
        EmailContent::Announcement(_) => 34,
        EmailContent::ReviewPublished(_) => 35,
        EmailContent::ReviewInvited { .. } => 36,
        EmailContent::SignInCode { .. } => 37,
    };
    let mut kinds: Vec<_> = samples().iter().map(|(_, content)| kind(content)).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..38).collect::<Vec<_>>(), "a letter is not among the samples");
}

#[test]
fn a_language_that_nobody_speaks_is_english() {
    let content = withdrawn_from("Meena Crafts", "Changed my mind");
    let words = |locale| render(&content, locale, MARKET).unwrap().text;
    assert_eq!(words("tlh"), words("en"));
    assert_ne!(words("hi"), words("en"));
}

fn english(content: EmailContent) -> RenderedEmail {
    render(&content, "en", MARKET).unwrap()
}

fn both_say(words: &RenderedEmail, all: &[&str]) {
    // Dates don't break at the end of a line.
    for part in [read(&words.html), words.text.replace('\u{a0}', " ")] {
        for said in all {
            assert!(part.contains(said), "{said:?} is not in\n{part}");
        }
    }
}

#[test]
fn the_shopper_reads_how_an_order_travels() {
    let words = english(on_its_way(PaymentMethod::Cash, NAMES, "Blue Dart", TRACK));
    both_say(&words, &["H1-1", "Blue Dart", "BD-77", "12 Lake Road", "22–23 Nov 2026", "Clay bowl", "2 ×"]);
    let cash = "₹949.00 in cash";
    both_say(&words, &[cash]);
    assert!(words.text.contains(&format!("\n{TRACK}\n")) && words.text.contains(&format!("\n{URL}\n")));
    assert!(words.html.contains("href=\"https://track.example/BD-77?a=1&amp;b=2\""));
    // Without a page of the carrier's there is no link to it, and a card has paid.
    let words = english(on_its_way(PaymentMethod::Sandbox, NAMES, "Blue Dart", ""));
    assert_eq!(words.html.matches("href=").count(), 1);
    assert!(!words.text.contains(cash) && !words.html.contains(cash), "{}", words.text);
}

#[test]
fn a_part_of_an_order_is_not_said_to_be_all_of_it() {
    let words = english(in_part(PaymentMethod::Cash));
    assert_eq!(words.subject, "Part of your order H1-1 has shipped");
    both_say(&words, &["shipped part of your order", "BD-79", "1 ×", "Clay bowl", "₹450.00"]);
    for part in [read(&words.html), words.text] {
        for whole in ["2 ×", "₹900.00", "₹949.00", "in cash"] {
            assert!(!part.contains(whole), "{whole:?} is in\n{part}");
        }
    }
    // The last one asks for the cash; what was refunded before doesn't come with another one.
    for only in [false, true] {
        let EmailContent::OrderShipped { order, parcel, link } = in_part(PaymentMethod::Cash) else {
            unreachable!()
        };
        let parcel = Parcel { last: true, only, ..parcel };
        let words = english(EmailContent::OrderShipped { order, parcel, link });
        let of = if only { "Your order" } else { "Part of your order" };
        assert_eq!(words.subject, format!("{of} H1-1 has shipped"));
        both_say(&words, &["1 ×", "₹949.00 in cash"]);
    }
}

#[test]
fn what_is_picked_up_is_not_shipped_to_an_address() {
    let order = || OrderView {
        shipping_method: ShippingMethod::Pickup,
        pickup_at: "Meena Crafts, 4 Temple Street, Pune".into(),
        ..order("Meena Crafts", "Clay bowl", 2)
    };
    let ready = |locale| {
        let mut order =
            of_order(PaymentMethod::Cash, OrderView { state: OrderState::Shipped, ..order() }, "Asha Rao");
        order.order.lines[0].shipped = 2;
        let parcel = Parcel {
            tracking: None,
            lines: vec![LineQuantity { position: 1, quantity: 2 }],
            last: true,
            only: true,
        };
        render(&EmailContent::OrderShipped { order, parcel, link: link() }, locale, MARKET).unwrap()
    };
    let place = "Meena Crafts, 4 Temple Street, Pune";
    assert_eq!(ready("en").subject, "Your order H1-1 is ready for pickup");
    both_say(
        &ready("en"),
        &[
            "Meena Crafts has your order ready",
            "Pickup at",
            place,
            "Please bring ₹949.00 in cash",
            "View your order",
        ],
    );
    assert_eq!(ready("hi").subject, "आपका ऑर्डर H1-1 पिकअप के लिए तैयार है");
    let bought = english(to_shopper(PaymentMethod::Cash, "Asha Rao", vec![order()]));
    both_say(
        &bought,
        &[
            "email you when it’s ready for pickup",
            "bring the total",
            "Cash on pickup",
            "Contact",
            "Pickup at Meena",
        ],
    );
    let sold = english(to_shop(PaymentMethod::Cash, "Asha Rao", order()));
    both_say(&sold, &["will pick it up", "Cash on pickup: collect ₹949.00", "Customer"]);
    for words in [ready("en"), bought, sold] {
        for shipping in ["Shipping address", "Carrier", "Shipped", "shipped", "ship it", "Estimated delivery"]
        {
            assert!(!words.text.contains(shipping) && !read(&words.html).contains(shipping), "{shipping}");
        }
    }
    // Of several shops' orders, one is still shipped to an address.
    let mixed =
        english(to_shopper(PaymentMethod::Cash, "Asha Rao", vec![order(), self::order("Delta", "Lamp", 1)]));
    both_say(&mixed, &["Shipping address", "Pickup at Meena", "Estimated delivery", "Cash on delivery"]);
}

#[test]
fn the_shopper_reads_why_an_order_is_cancelled_and_what_comes_back() {
    let words = english(called_off(PaymentMethod::Sandbox, Actor::Shop, NAMES, "The kiln broke"));
    both_say(&words, &["The kiln broke", "₹949.00"]);
    assert!(
        !words.text.contains("23\u{a0}Nov\u{a0}2026") && !words.html.contains("23\u{a0}Nov\u{a0}2026"),
        "not expected"
    );
    let refund = "refunding ₹949.00";
    both_say(&words, &[refund]);
    let words = english(called_off(PaymentMethod::Cash, Actor::Shopper, NAMES, "Changed my mind"));
    both_say(&words, &["Changed my mind"]);
    assert!(!words.text.contains(refund) && !words.html.contains(refund), "nothing was charged");
    let words = english(called_off(PaymentMethod::Cash, Actor::Shopper, NAMES, ""));
    assert!(
        !words.text.contains("Reason") && !words.html.contains("Reason"),
        "none was given: {}",
        words.text
    );
}

/// What is read of HTML: no head, no tags, no indentation.
fn read(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let text = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let text = text.collect::<Vec<_>>().join(" ").replace("&#39;", "'").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_shopper_reads_everything_in_both_parts() {
    let orders = vec![order("Meena Crafts", "Clay bowl", 2), order("Delta Electronics", "Desk lamp", 1)];
    let mut paid = to_shopper(PaymentMethod::Sandbox, "Asha Rao", orders.clone());
    if let EmailContent::OrderConfirmed { purchase, .. } = &mut paid {
        let amount = Money::new(10_000, Currency::INR);
        purchase.gift_cards =
            vec![AppliedGiftCard { id: Id::from_uuid(Default::default()), last4: "PQRS".into(), amount }];
        let rest = haat_app::words::money(Default::default(), purchase.paid_otherwise());
        let said = format!("Gift card ···· PQRS: ₹100.00, Paid by test card: {rest}");
        both_say(&english(paid), &[&said]);
    }
    let words = english(to_shopper(PaymentMethod::Cash, "Asha Rao", orders));
    assert!(words.html.contains(&format!("href=\"{URL}\"")) && words.text.contains(&format!("\n{URL}\n")));
    let when = ["21 Nov 2026, 15:00 IST", "22–23 Nov 2026"];
    let what = ["H1", "H1-1", "Meena Crafts", "Delta Electronics", "2 ×", "Clay bowl", "Blue", "Desk lamp"];
    let money = ["₹450.00", "₹949.00", "₹1,350.00", "₹98.00", "₹1,448.00", "₹10.00"];
    let whither = ["Asha Rao", "12 Lake Road", "Pune 411001", "India"];
    both_say(&words, &[&when[..], &what, &money, &whither].concat());
}

#[test]
fn the_shop_reads_what_to_pack_where_it_goes_and_who_collects() {
    let collect = "collect ₹949.00";
    for method in [PaymentMethod::Cash, PaymentMethod::Sandbox] {
        let words = english(to_shop(method, "Asha Rao", order("Meena Crafts", "Clay bowl", 2)));
        let all = ["Clay bowl", "Blue", "2 ×", "Asha Rao", "Pune", "+91 98", "₹45.00", "H1-1", "₹5.00"];
        both_say(&words, &all);
        for part in [read(&words.html), words.text] {
            assert_eq!(part.matches("Clay bowl").count(), 1, "{part}");
            assert_eq!(part.contains(collect), method == PaymentMethod::Cash, "{part}");
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let hostile =
        "Bowl\r\nBcc: all@example.com\n\nPay again: <script>alert(1)</script>\u{202e}\u{2066}\u{2028}&\"'";
    let back = || returned(ReturnState::Requested, hostile, hostile);
    let sent = || shipped(PaymentMethod::Sandbox, [hostile; 2]);
    let emails = [
        EmailContent::ReturnRequested { order: sent(), back: back() },
        EmailContent::ReturnApproved { order: sent(), back: back(), link: link() },
        EmailContent::ReturnExchanged { order: sent(), back: back(), link: link() },
        EmailContent::ReturnRejected { order: sent(), back: back(), link: link() },
        refunded(PaymentMethod::Sandbox, [hostile; 2], false, hostile),
        to_shopper(PaymentMethod::Cash, hostile, vec![order(hostile, hostile, 1)]),
        to_shop(
            PaymentMethod::Cash,
            hostile,
            OrderView { number: hostile.into(), ..order(hostile, hostile, 1) },
        ),
        on_its_way(PaymentMethod::Cash, [hostile; 2], hostile, ""),
        tracked_anew([hostile; 2], hostile, hostile),
        called_off(PaymentMethod::Sandbox, Actor::Market, [hostile; 2], hostile),
        withdrawn_from(hostile, hostile),
        EmailContent::ShopInvitation(invited(hostile)),
        EmailContent::ContactReceived(contact(hostile, hostile, "")),
        EmailContent::ContactAnswered(contact(hostile, hostile, hostile)),
        EmailContent::PayoutReturned(payout(hostile, hostile, hostile)),
        EmailContent::PayoutSent(payout(hostile, hostile, hostile)),
    ];
    for RenderedEmail { subject, text, html, .. } in emails.map(english) {
        assert!(!subject.contains(['\r', '\n', '\u{202e}', '\u{2028}']), "{subject}");
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
        for c in ['\u{202e}', '\u{2066}'] {
            assert!(!text.contains(c) && !html.contains(c));
        }
        for line in text.lines() {
            assert!(!line.starts_with("Bcc:") && !line.trim_start().starts_with("Pay again"), "{text}");
        }
        assert!(!text.contains(['\r', '\u{2028}']));
        // In an attribute, it would first have to close the quotes.
        assert!(!read(&html).is_empty() && html.matches("href=").count() == 1);
    }
}

#[test]
fn no_mail_is_longer_than_mail_programs_show() {
    let long = "\"साड़ी & \" ".repeat(20);
    let full = |lines: usize| {
        let mut order = order(&long, &long, 1);
        order.lines[0].variant_title = long.clone();
        order.lines = vec![order.lines[0].clone(); lines];
        order
    };
    for orders in [vec![full(200)], (0..200).map(|_| full(1)).collect(), vec![full(80), full(80)]] {
        let lines: usize = orders.iter().map(|order| order.lines.len()).sum();
        let text_has = |text: &str| text.matches("₹450.00").count() >= lines;
        let words = english(to_shopper(PaymentMethod::Cash, &long, orders.clone()));
        assert!(words.html.len() < 102_000, "{}", words.html.len());
        assert!(words.html.ends_with("</html>\n") || words.html.ends_with("</html>"), "whole to its end");
        assert!(words.html.contains("more products. View the order"), "says that there is more");
        assert!(text_has(&words.text), "the plain text has everything");
        let words = english(to_shop(PaymentMethod::Cash, &long, orders[0].clone()));
        assert!(words.html.len() < 102_000, "{}", words.html.len());
    }
    // Short ones are there in full.
    let words =
        english(to_shopper(PaymentMethod::Cash, "Asha", vec![order("Meena Crafts", &"x".repeat(200), 1)]));
    assert!(words.html.contains(&"x".repeat(200)) && !words.html.contains("more product"));
    // Of long titles the beginning is shown before any line is left out.
    let order = OrderView { lines: vec![order("", &"\"".repeat(200), 1).lines[0].clone(); 80], ..full(1) };
    let words = english(to_shopper(PaymentMethod::Cash, "Asha", vec![order]));
    assert!(
        words.html.contains(&format!("{}…", "&quot;".repeat(80))) && !words.html.contains("more product")
    );
}

#[test]
fn nothing_is_fetched_when_a_mail_is_opened() {
    let words =
        english(to_shopper(PaymentMethod::Sandbox, "Asha", vec![order("Meena Crafts", "Clay bowl", 1)]));
    for word in ["src=", "url(", "<link", "<img", "<script", "@import"] {
        assert!(!words.html.contains(word), "{word}");
    }
}
