//! One basket with goods, an event's item, two appointments and a delivery in a slot, from four shops, with a coupon and one payment:
//! it takes all that it needs or nothing, and each part is changed by itself afterwards.

use haat_engine::{
    Caller, appointments, cart_codes, carts, catalog, checkout, orders, promotions, random, sale_events,
    sandbox::{self, Card},
    services,
    shipping::Change,
    shops,
};
use haat_shared::{
    Conflict, Currency, Error, FieldCode, Money,
    appointments::{AppointmentState, AskedCalendar, ChosenTime, Moving, OfferedTime},
    carts::AddLine,
    catalog::ListProducts,
    checkout::CheckoutUpdate,
    id::kinds::VariantId,
    orders::{LineQuantity, OrderState, Shipment},
    payments::NextAction,
    promotions::PromotionForm,
    returns::{NewReturnRequest, ReturnApproval, ReturnReason, ReturnReceipt},
    sale_events::{EventForm, EventProductForm},
    sale_prices::SaleForm,
    shipping::{CalendarForm, MethodForm, ShippingMethod, Slot, SlotForm, ZoneForm},
};

use crate::{
    both,
    services::{Service, service},
    support::*,
};

const MEENA: &str = "meena-crafts";
const DELTA: &str = "delta-electronics";

/// What is for sale: rice that Delta delivers in a slot with two places, tea of two other shops, one of them cheaper in an event with
/// two units, and two services of Meena's.
struct Fair {
    rice: VariantId,
    tea: VariantId,
    reduced: VariantId,
    pottery: Service,
    glazing: Service,
}

async fn fair(market: &Market) -> Fair {
    let (engine, system) = (&market.engine, Caller::system());
    let mut zone = ZoneForm { name: "India".into(), areas: "IN".into(), ..ZoneForm::new() };
    zone.methods[0].rates = "49".into();
    zone.methods[3] = MethodForm { offered: true, rates: "29".into(), ..zone.methods[3].clone() };
    let calendar = CalendarForm {
        handling_days: "0".into(),
        works: [true; 7],
        time_zone: "Asia/Kolkata".into(),
        ..CalendarForm::default()
    };
    let window = SlotForm { from: "18:00".into(), to: "20:00".into(), orders: "2".into(), ..SlotForm::new() };
    let change = Change::All(calendar, vec![(None, zone)], Some(vec![window]));
    shops::set_shipping(engine, &system, DELTA, &change).await.unwrap();
    let rice = market.product(DELTA, "Rice", 20_000, 20).await;
    let tea = market.generous_shop_in(Currency::INR, "generous").await;
    let reduced = market.generous_shop_in(Currency::INR, "festive").await;
    let of = ListProducts { shop: "festive".into(), ..ListProducts::default() };
    let card = catalog::list(engine, &system, of).await.unwrap().items.remove(0);
    let now = market.clock.now_ms();
    let form = EventForm {
        title: "Tea days".into(),
        description: String::new(),
        starts_at: haat_engine::clock::rfc3339(now),
        ends_at: haat_engine::clock::rfc3339(now + 6 * 86_400_000),
    };
    let owner = market.owner("festive").await;
    let id = sale_events::create(engine, &owner, "festive", &form).await.unwrap();
    let sale = SaleForm { percent: "20".into(), ..SaleForm::default() };
    let put = EventProductForm { sale, allotment: "2".into() };
    sale_events::add(engine, &owner, "festive", id, card.id, &put).await.unwrap();
    market.clock.advance_ms(1);
    let coupon = PromotionForm {
        label: "10 % off".into(),
        code: "FAIR".into(),
        kind: "percent".into(),
        percent: "10".into(),
        combines: "1".into(),
        ..PromotionForm::default()
    };
    promotions::create_of_market(engine, &system, &coupon).await.unwrap();
    let (pottery, glazing) = (service(market, "Pottery lesson").await, service(market, "Glazing").await);
    Fair { rice, tea, reduced, pottery, glazing }
}

async fn times(market: &Market, of: &Service, days: i64) -> Vec<OfferedTime> {
    let today = market.engine.zone.day(market.clock.now_ms());
    let day = haat_shared::shipping::date(today + days);
    let asked = AskedCalendar { day, ..AskedCalendar::default() };
    services::booking_page(&market.engine, &Caller::guest(), &of.slug, &asked).await.unwrap().times
}

fn chosen(of: &Service, time: &OfferedTime) -> ChosenTime {
    ChosenTime {
        slug: of.slug.clone(),
        provider: time.provider.to_string(),
        starts_at: time.starts_at.to_string(),
    }
}

/// A guest with one of everything, and the coupon.
async fn basket(market: &Market, fair: &Fair, first: &OfferedTime, second: &OfferedTime) -> Caller {
    let engine = &market.engine;
    let mut guest = Caller::guest();
    let changed = services::add_to_cart(engine, &guest, &chosen(&fair.pottery, first)).await.unwrap();
    guest.cart = changed.token.map(|token| random::token_hash(&token));
    services::add_to_cart(engine, &guest, &chosen(&fair.glazing, second)).await.unwrap();
    for (variant, quantity) in [(fair.rice, "2"), (fair.tea, "2"), (fair.reduced, "1")] {
        carts::add_line(engine, &guest, AddLine { variant, quantity: quantity.into() }).await.unwrap();
    }
    cart_codes::add_code(engine, &guest, "FAIR").await.unwrap();
    market.clock.advance_ms(1);
    guest
}

/// Begins the checkout, chooses the slot, and pays by card; returns the number of the purchase, and what was paid.
async fn buy(market: &Market, guest: &Caller, slot: Option<Slot>) -> haat_shared::Result<(String, i64)> {
    let engine = &market.engine;
    let id = checkout::begin(engine, guest).await?;
    let view = checkout::view(engine, guest, id).await?;
    let slots = view.groups.iter().find(|group| !group.slots.is_empty()).unwrap();
    // In some days, so that it doesn't close meanwhile.
    let slot = slot.unwrap_or(slots.slots[3].slot);
    let typed = CheckoutUpdate {
        shipping_methods: [(slots.shop_id, ShippingMethod::Slot)].into(),
        slots: [(slots.shop_id, slot)].into(),
        ..form("sandbox")
    };
    let quote = checkout::update(engine, guest, id, typed.clone()).await?;
    let next = checkout::pay(engine, guest, id, typed, quote.version, &view.key).await?;
    let NextAction::Redirect { url } = next else { panic!("{next:?}") };
    let gateway_ref = url.rsplit('/').next().unwrap();
    let payment = sandbox::find(&engine.db, gateway_ref).await.unwrap().attempt_id;
    market.enter(gateway_ref, Card::WebhookNever).await;
    Ok((number_in(&market.come_back(payment).await?), quote.totals.total.amount()))
}

both! {
    async fn a_mixed_basket_is_bought_whole_and_changed_in_parts(market) {
        let (engine, guest) = (&market.engine, Caller::guest());
        let fair = fair(market).await;
        let lesson = times(market, &fair.pottery, 4).await;
        let glaze = times(market, &fair.glazing, 5).await;
        let buyer = basket(market, &fair, &lesson[0], &glaze[0]).await;
        let other = basket(market, &fair, &lesson[1], &glaze[0]).await;
        let (number, paid) = buy(market, &buyer, None).await.unwrap();
        market.settle().await;
        let key = market.key(&number);
        let seen = async || orders::purchase(engine, &guest, &number, &key).await.unwrap();
        let purchase = seen().await;
        assert_eq!(purchase.orders.len(), 4);
        // Two services, two bags of rice, two teas, and one at 20 % off; a tenth off all of it; what is shipped in the slot, and twice as usual.
        let items = 2 * 80_000 + 2 * 20_000 + 2 * 59_000 + 47_200;
        let totals = || purchase.orders.iter().map(|order| &order.totals);
        let subtotal: i64 = totals().map(|totals| totals.subtotal.amount()).sum();
        let discount: i64 = totals().map(|totals| totals.discount.amount()).sum();
        let total: i64 = totals().map(|totals| totals.total.amount()).sum();
        assert_eq!((subtotal, discount, total), (items, items / 10, paid));
        let slot = purchase.orders.iter().find_map(|order| order.slot).unwrap();

        // Whoever finds one part taken holds none of the others.
        let before = [market.available(fair.rice).await, market.available(fair.tea).await];
        assert_eq!(checkout::begin(engine, &other).await, Err(Conflict::TimeTaken(vec!["Glazing".into()]).into()));
        assert_eq!([market.available(fair.rice).await, market.available(fair.tea).await], before);
        assert_eq!(times(market, &fair.pottery, 4).await[0].starts_at, lesson[1].starts_at);
        // The last place of the slot, and the last unit of the event.
        services::add_to_cart(engine, &other, &chosen(&fair.glazing, &glaze[1])).await.unwrap();
        buy(market, &other, Some(slot)).await.unwrap();
        let third = basket(market, &fair, &lesson[2], &glaze[2]).await;
        let full = buy(market, &third, Some(slot)).await.unwrap_err();
        assert!(matches!(&full, Error::Invalid(faults) if faults[0].code == FieldCode::SlotGone), "{full:?}");
        market.settle().await;

        // One appointment is moved, the other is cancelled late.
        let booked = appointments::of_purchase(engine, &guest, &number, &key).await.unwrap();
        let by = |at: usize| Moving { id: booked[at].id.to_string(), purchase: number.clone(), key: key.clone(), ..Moving::default() };
        let later = times(market, &fair.pottery, 6).await;
        let moved = appointments::move_to(engine, &guest, &by(0), &chosen(&fair.pottery, &later[0])).await.unwrap();
        assert_eq!(moved.starts_at, later[0].local);
        market.clock.advance_ms(glaze[0].starts_at - market.clock.now_ms() - 3_600_000);
        // It was paid less than its price: the coupon gave a tenth of it.
        let half = Money::new(36_000, Currency::INR);
        let gone = appointments::cancel(engine, &guest, &by(1), Some(half)).await.unwrap();
        assert_eq!((gone.state, gone.fee), (AppointmentState::Cancelled, Some(half)));
        market.settle().await;

        // One of two teas comes back.
        let order = seen().await.orders.into_iter().find(|order| order.shop_handle == "generous").unwrap();
        let owner = market.owner("generous").await;
        orders::confirm(engine, &owner, "generous", &order.number).await.unwrap();
        let parcel = Shipment { carrier: "India Post".into(), tracking_number: "RX1".into(), ..Shipment::default() };
        orders::ship(engine, &owner, "generous", &order.number, parcel).await.unwrap();
        orders::deliver(engine, &owner, "generous", &order.number).await.unwrap();
        let lines = vec![LineQuantity { position: order.lines[0].position, quantity: 1 }];
        let request = NewReturnRequest { lines, reason: ReturnReason::Damaged, note: "It leaks".into(), exchange: Vec::new(), images: Vec::new() };
        let asked = orders::request_return(engine, &guest, (&number, &key), &order.number, request, "once").await.unwrap();
        let approval = ReturnApproval { note: "Lake Road 1".into(), refund_now: false, shipping: false };
        orders::approve_return(engine, &owner, "generous", &order.number, asked, approval).await.unwrap();
        let receipt = ReturnReceipt { restock: true, refund: true, shipping: false };
        orders::receive_return(engine, &owner, "generous", &order.number, asked, receipt).await.unwrap();
        market.settle().await;

        let refunds: Vec<i64> = seen().await.orders.iter().map(|order| order.refunds.iter().map(|refund| refund.amount.amount()).sum()).collect();
        let mut sorted = refunds.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 0, 36_000, 53_100], "half of what was paid for glazing, and a tea");
        // Meena's other appointment is still to come.
        let meena = seen().await.orders.into_iter().find(|order| order.shop_handle == MEENA).unwrap();
        assert_eq!(meena.state, OrderState::Placed);
    }
}
