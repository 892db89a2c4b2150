//! The life of the demo market: ninety days of orders, through the use cases that people call, on a clock
//! that starts in the past. The same days give the same orders, but for their numbers and IDs.

use std::collections::BTreeMap;

use haat_engine::{
    Caller, Clock, Engine, accounts, activity, carts, catalog, chat, checkout, dispatch, inventory, ledger,
    notifications::inbox, orders, payouts, promotions, random, recommendations, sale_prices, search_terms,
};
#[cfg(feature = "sandbox")]
use haat_engine::{payments, sandbox, sandbox::Card};
use haat_shared::{
    Error, Money, Result,
    accounts::{DEMO_ACCOUNTS, DEMO_PASSWORD, SignIn, SignUp},
    analytics::Source,
    carts::AddLine,
    catalog::{ListProducts, ProductCard},
    chat::{NewMessage, Side},
    id::kinds::{PayoutId, ReturnId, VariantId},
    orders::{LineQuantity, NewRefund, Shipment},
    payments::{NextAction, PaymentMethod},
    payouts::{PayoutForm, PayoutMethodForm, PayoutMethodKind, PayoutState},
    promotions::{PromotionForm, PromotionKind},
    returns::{NewReturnRequest, ReturnApproval, ReturnReason, ReturnReceipt},
    sale_prices::SaleForm,
};

use super::{
    customers::{self, Customer, details},
    dice::Dice,
    reviews,
};

/// How many days the market has been open.
const DAYS: i64 = 90;
/// How many shops have counted, in the end, that there is little left of a variant, and how much.
const FEW: usize = 3;
const LEFT: i64 = 2;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The days of the festival, counted back from today, when people buy more.
const FESTIVAL: std::ops::RangeInclusive<i64> = 18..=24;

/// How many days of orders the shops are still working on: more than usual, so that each has some to confirm
/// and to ship.
const LATELY: i64 = 2;

/// The hours at which people buy: most do so in the evening.
const HOURS: [i64; 24] =
    [7, 9, 10, 11, 12, 13, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20, 20, 20, 21, 21, 21, 21, 22, 22];

/// How long ago shops may have left a return request unanswered.
const UNANSWERED: i64 = 12 * DAY;

const REASONS: [(ReturnReason, &str); 4] = [
    (ReturnReason::Damaged, "It arrived with a crack"),
    (ReturnReason::WrongItem, "I ordered another colour"),
    (ReturnReason::DoesNotFit, ""),
    (ReturnReason::ChangedMind, ""),
];

const CARRIERS: [(&str, &str); 3] = [("India Post", "EE"), ("Blue Dart", "BD"), ("Delhivery", "DL")];

/// How many customers have an account: the first of the list. They review what they have bought.
const ACCOUNTS: usize = 12;

/// The email addresses of the customer with an account, and of the admin.
pub(super) const CUSTOMER: &str = DEMO_ACCOUNTS[0].1;
const ADMIN: &str = DEMO_ACCOUNTS[3].1;

/// A shop with its owner and what it sells: variants with their first stock, best sellers first.
struct Stall {
    handle: String,
    owner: Caller,
    variants: Vec<(VariantId, i64)>,
}

/// An order, and the stall it was placed at.
#[derive(Clone)]
struct Sale {
    stall: usize,
    number: String,
    /// The key of its purchase.
    key: String,
    /// Which of the accounts has bought it.
    account: Option<usize>,
}

/// What happens at a time.
enum Step {
    Buy,
    Confirm(Sale),
    Ship(Sale),
    Deliver(Sale),
    Cancel(Sale),
    CustomerCancels(Sale),
    Refund(Sale),
    Return(Sale),
    Review(Sale),
    /// The customer asks for a return, the shop answers it, and gets the items.
    Ask(Sale),
    Answer(Sale, ReturnId),
    Receive(Sale, ReturnId),
    /// Jobs and emails are done, and every week the stalls are restocked.
    Night(i64),
}

fn set(clock: &Clock, to: i64) {
    clock.advance_ms(to - clock.now_ms());
}

/// Where the clock has to be before the demo's shops open.
pub(crate) fn rewind(clock: &Clock) {
    clock.advance_ms(-(DAYS + 1) * DAY);
}

/// Lives through the days since the shops opened, up to now. The engine's clock must be this one, rewound.
pub(crate) async fn live(engine: &Engine, clock: &Clock) -> Result<()> {
    let now = clock.now_ms() + (DAYS + 1) * DAY;
    let customers = customers::read()?;
    let stalls = stalls(engine).await?;
    let form = |name: &str, email: &str| SignUp {
        name: name.into(),
        email: email.into(),
        password: DEMO_PASSWORD.into(),
    };
    let token = accounts::sign_up(engine, &Caller::guest(), form("Asha Rao", CUSTOMER)).await?;
    let account = accounts::caller(engine, Some(&token), None).await?;
    let mut shoppers = vec![account.clone()];
    for customer in customers.iter().take(ACCOUNTS).skip(1) {
        let guest = Caller { locale: locale(customer), ..Caller::guest() };
        let token = accounts::sign_up(engine, &guest, form(&customer.name, &customer.email)).await?;
        shoppers.push(accounts::caller(engine, Some(&token), None).await?);
    }
    accounts::create_operator(engine, &Caller::system(), form("Olga Operator", ADMIN)).await?;
    let signed_in = SignIn { email: ADMIN.into(), password: DEMO_PASSWORD.into() };
    let admin = accounts::sign_in(engine, &Caller::guest(), signed_in).await?;
    let admin = accounts::caller(engine, Some(&admin), None).await?;
    let mut dice = Dice(2_026);
    // What people only look at changes nothing of what they buy.
    let (shelf, mut whims) = (shelf(engine, &stalls).await?, Dice(2_027));
    let mut plan = Plan { ends: now, ..Plan::default() };
    let today = engine.zone.day(now);
    for ago in (0..=DAYS).rev() {
        let begins = engine.zone.begins(today - ago);
        plan.at(begins + 3 * HOUR, Step::Night(ago));
        for _ in 0..purchases(&mut dice, today - ago, ago) {
            let hour = dice.pick(&HOURS).copied().unwrap_or(20);
            plan.at(begins + hour * HOUR + dice.between(0, HOUR), Step::Buy);
        }
    }
    let mut last = now - DAY;
    while let Some((at, step)) = plan.next() {
        set(clock, at);
        last = at;
        match step {
            Step::Buy => {
                browse(engine, &shelf, &mut whims).await?;
                buy(engine, clock, &stalls, &customers, &shoppers, &mut dice, &mut plan).await?;
                activity::flush(engine).await?;
            }
            Step::Night(ago) => {
                night(engine, &stalls, ago, &mut dice).await?;
                pay_out(engine, &admin, &stalls, ago).await?;
            }
            Step::Review(sale) => {
                let stall = stalls.get(sale.stall).ok_or(Error::Internal)?;
                if let Some(shopper) = sale.account.and_then(|at| shoppers.get(at)) {
                    let shop = (&stall.owner, stall.handle.as_str());
                    reviews::write(engine, shopper, shop, &sale.number, &mut dice).await?;
                }
            }
            step => {
                fulfil(engine, &stalls, step, at, &mut dice, &mut plan).await?;
                // As in any market, invoices and emails bear the time of what they are about.
                dispatch::drain(engine).await?;
            }
        }
    }
    set(clock, last.max(now - HOUR));
    for stall in &stalls {
        reviews::read(engine, &shoppers, (&stall.owner, &stall.handle), &mut dice).await?;
    }
    // What is unread is what is new.
    dispatch::drain(engine).await?;
    for reader in stalls.iter().map(|stall| &stall.owner).chain([&account]) {
        inbox::read_all(engine, reader).await?;
    }
    for (stall, customers) in stalls.iter().zip(customers.chunks(2)) {
        leave_work(engine, stall, customers).await?;
    }
    converse(engine, clock, &account, &stalls).await?;
    set(clock, now);
    chat::notify_due(engine).await?;
    settle(engine).await?;
    run_low(engine, &stalls).await?;
    promote(engine, &stalls).await?;
    catalog::count_popular(engine).await?;
    recommendations::learn(engine).await?;
    search_terms::set_synonyms(engine, &Caller::system(), SYNONYMS).await?;
    Ok(())
}

/// What shoppers call the same thing.
const SYNONYMS: &str = "saree, sari\nlamp, light\nnotebook, diary, journal\ncushion cover, pillowcase";

/// What the customer and two shops wrote to each other.
const WRITTEN: [&[(Side, &str)]; 2] = [
    &[
        (Side::Shopper, "Hello! Can the glaze go into the dishwasher?"),
        (Side::Shop, "Good morning! Yes, on a gentle programme. By hand, it keeps its shine longer."),
        (Side::Shopper, "Lovely, thank you. Do you wrap gifts?"),
    ],
    &[(Side::Shopper, "Does it come with a cable?"), (Side::Shop, "It does: USB-C, one metre long.")],
];

/// The customer's conversations with the first shops; the first one waits for an answer.
async fn converse(engine: &Engine, clock: &Clock, customer: &Caller, stalls: &[Stall]) -> Result<()> {
    for (stall, written) in stalls.iter().zip(WRITTEN) {
        let of_shop = ListProducts { shop: stall.handle.clone(), ..ListProducts::default() };
        let products = catalog::list(engine, customer, of_shop).await?.items;
        let mut about = products.first().map(|product| product.id.to_string()).unwrap_or_default();
        let id = chat::open(engine, customer, &stall.handle).await?;
        for (side, text) in written {
            clock.advance_ms(4 * MINUTE);
            let (caller, shop) = match side {
                Side::Shopper => (customer, ""),
                Side::Shop => (&stall.owner, stall.handle.as_str()),
            };
            let message = NewMessage {
                id: random::id(clock.now_ms()),
                text: (*text).to_owned(),
                pictures: Vec::new(),
                about: std::mem::take(&mut about),
            };
            let sent = chat::send(engine, caller, shop, id, message).await?;
            if *side == Side::Shop {
                chat::read(engine, caller, shop, id, sent.seq).await?;
            }
        }
    }
    Ok(())
}

/// A coupon and a sale of the first shop, an automatic offer of the bookshop, and a coupon of the market.
async fn promote(engine: &Engine, stalls: &[Stall]) -> Result<()> {
    let percent = |code: &str, percent: &str| PromotionForm {
        label: format!("{percent}% off"),
        code: code.into(),
        kind: PromotionKind::Percent.as_str().into(),
        percent: percent.into(),
        combines: "1".into(),
        ..PromotionForm::default()
    };
    if let Some(stall) = stalls.first() {
        promotions::create(engine, &stall.owner, &stall.handle, &percent("CLAY10", "10")).await?;
        let of_shop = ListProducts { shop: stall.handle.clone(), ..ListProducts::default() };
        let now = engine.clock.now_ms();
        let sale = SaleForm {
            ends_at: engine.zone.local(now + 14 * DAY),
            percent: "20".into(),
            ..SaleForm::default()
        };
        for product in catalog::list(engine, &Caller::guest(), of_shop).await?.items.iter().take(2) {
            sale_prices::plan(engine, &stall.owner, &stall.handle, product.id, &sale).await?;
        }
    }
    if let Some(stall) = stalls.iter().find(|stall| stall.handle == "nilgiri-books") {
        let offer = PromotionForm {
            label: "Buy 3 books, get 1 free".into(),
            kind: PromotionKind::BuyGet.as_str().into(),
            buy: "3".into(),
            get: "1".into(),
            combines: "1".into(),
            ..PromotionForm::default()
        };
        promotions::create(engine, &stall.owner, &stall.handle, &offer).await?;
    }
    let welcome =
        PromotionForm { uses: "1000".into(), uses_per_person: "1".into(), ..percent("WELCOME5", "5") };
    promotions::create_of_market(engine, &Caller::system(), &welcome).await.map(drop)
}

/// All products, those of each shop in the order of its shelf.
async fn shelf(engine: &Engine, stalls: &[Stall]) -> Result<Vec<ProductCard>> {
    let mut shelf = Vec::new();
    for stall in stalls {
        let of_shop = ListProducts { shop: stall.handle.clone(), limit: Some(50), ..ListProducts::default() };
        shelf.extend(catalog::list(engine, &Caller::guest(), of_shop).await?.items);
    }
    Ok(shelf)
}

/// What people look at, and put into baskets that they leave, before somebody buys something.
async fn browse(engine: &Engine, shelf: &[ProductCard], dice: &mut Dice) -> Result<()> {
    const FROM: [Source; 12] = [
        Source::Market,
        Source::Market,
        Source::Market,
        Source::Market,
        Source::Market,
        Source::Market,
        Source::Direct,
        Source::Google,
        Source::Google,
        Source::WhatsApp,
        Source::Instagram,
        Source::Other,
    ];
    let visitor = Caller { device: "Mozilla/5.0 Firefox/145.0".into(), ..Caller::guest() };
    for look in 0..dice.between(12, 40) {
        let source = dice.pick(&FROM).copied().unwrap_or_default();
        let Some(product) = dice.pick(shelf) else { return Ok(()) };
        activity::viewed(engine, &Caller { source, ..visitor.clone() }, product.id);
        if look % 12 == 11 {
            let line = AddLine { variant: product.variant_id, quantity: "1".into() };
            // What is out of stock, or a service, isn't added.
            let _ = carts::add_line(engine, &visitor, line).await;
        }
    }
    Ok(())
}

/// How many people buy on a day: more at weekends and at the festival, and more from month to month.
fn purchases(dice: &mut Dice, day: i64, ago: i64) -> i64 {
    // 1 January 1970 was a Thursday.
    let weekend = i64::from(matches!((day + 3).rem_euclid(7), 5 | 6));
    let usual = 3 + weekend * 2 + (DAYS - ago) / 45 + dice.between(0, 3);
    if FESTIVAL.contains(&ago) || ago < LATELY { usual * 5 / 2 } else { usual }
}

/// What is to come, in order.
#[derive(Default)]
struct Plan {
    steps: BTreeMap<(i64, usize), Step>,
    count: usize,
    /// When the present step was to happen.
    now: i64,
    /// When the last step may happen.
    ends: i64,
}

impl Plan {
    /// Whether the shops have not caught up with this time.
    fn is_late(&self, at: i64) -> bool {
        at > self.ends - LATELY * DAY
    }

    fn at(&mut self, at: i64, step: Step) {
        self.count += 1;
        self.steps.insert((at, self.count), step);
    }

    fn next(&mut self) -> Option<(i64, Step)> {
        let ((at, _), step) = self.steps.pop_first()?;
        self.now = at;
        (at < self.ends).then_some((at, step))
    }
}

async fn stalls(engine: &Engine) -> Result<Vec<Stall>> {
    let mut stalls = Vec::new();
    for shop in super::read()?.shop {
        let form = SignIn { email: shop.email, password: DEMO_PASSWORD.into() };
        let token = accounts::sign_in(engine, &Caller::guest(), form).await?;
        let owner = accounts::caller(engine, Some(&token), None).await?;
        let mut variants = variants(engine, &shop.handle).await?;
        variants.retain(|(_, stock)| *stock > 0);
        stalls.push(Stall { handle: shop.handle, owner, variants });
    }
    Ok(stalls)
}

/// The variants of a shop with their stock, in an order that doesn't depend on when they were added.
async fn variants(engine: &Engine, handle: &str) -> Result<Vec<(VariantId, i64)>> {
    let ask = ListProducts { shop: handle.to_owned(), ..ListProducts::default() };
    let mut cards = catalog::list(engine, &Caller::system(), ask).await?.items;
    cards.sort_by(|a, b| a.title.cmp(&b.title));
    let mut variants = Vec::new();
    for card in cards {
        let product = catalog::product(engine, &Caller::system(), &card.slug).await?;
        variants.extend(product.variants.into_iter().filter_map(|v| Some((v.id, v.available?))));
    }
    Ok(variants)
}

/// The language that a customer reads.
fn locale(customer: &Customer) -> &'static str {
    if customer.locale == "hi" { "hi" } else { Caller::guest().locale }
}

/// Someone buys at one stall or two. Gives up if something is sold out.
async fn buy(
    engine: &Engine,
    clock: &Clock,
    stalls: &[Stall],
    customers: &[Customer],
    shoppers: &[Caller],
    dice: &mut Dice,
    plan: &mut Plan,
) -> Result<()> {
    let Some(customer) = dice.prefer(customers) else { return Ok(()) };
    let is = |of: &Caller| of.user().is_some_and(|user| user.email == customer.email);
    let account = shoppers.iter().position(is);
    let mut caller = account.and_then(|at| shoppers.get(at)).cloned().unwrap_or_else(Caller::guest);
    caller.locale = locale(customer);
    for _ in 0..=dice.between(0, 5) / 4 {
        let Some(stall) = dice.pick(stalls) else { return Ok(()) };
        for _ in 0..=dice.between(0, 9) / 4 {
            let Some((variant, _)) = dice.prefer(&stall.variants) else { continue };
            let quantity = (1 + dice.between(0, 10) / 7).to_string();
            let added = carts::add_line(engine, &caller, AddLine { variant: *variant, quantity }).await;
            if let Some(token) = added.ok().and_then(|added| added.token) {
                caller.cart = Some(random::token_hash(&token));
            }
            clock.advance_ms(1);
        }
    }
    let Ok(id) = checkout::begin(engine, &caller).await else { return Ok(()) };
    // A few look at the costs and leave.
    if dice.between(0, 25) == 0 {
        return Ok(());
    }
    let view = checkout::view(engine, &caller, id).await?;
    let card = dice.between(0, 5) > 1;
    // Nobody can pay at another gateway, though the demo may have some.
    let fits = |method: &PaymentMethod| match card {
        true => *method == PaymentMethod::Sandbox,
        false => !method.collected_by_market(),
    };
    let methods = &view.payment_methods;
    let cash = || methods.iter().find(|method| !method.collected_by_market());
    let Some(method) = methods.iter().find(|method| fits(method)).or_else(cash).copied() else {
        return Ok(());
    };
    let paid = checkout::pay(engine, &caller, id, details(customer, method), 1, &view.key).await;
    let number = match paid {
        Ok(NextAction::Done { purchase }) => purchase,
        #[cfg(feature = "sandbox")]
        Ok(NextAction::Redirect { url }) => match at_the_sandbox(engine, clock, &caller, &url, dice).await? {
            Some(purchase) => purchase,
            None => return Ok(()),
        },
        // Out of stock, or more cash than a guest may owe.
        _ => return Ok(()),
    };
    let mut orders = orders::purchase(engine, &caller, &number.number, &number.key).await?.orders;
    // Shops have random IDs, and the same days must give the same orders.
    orders.sort_by(|a, b| a.shop_handle.cmp(&b.shop_handle));
    // Not the clock's time, which depends on how fast this machine is.
    let at = plan.now;
    for order in orders {
        let Some(stall) = stalls.iter().position(|stall| stall.handle == order.shop_handle) else { continue };
        let sale = Sale { stall, number: order.number, key: number.key.clone(), account };
        match dice.between(0, 100) {
            0..4 => plan.at(at + dice.between(5, 50) * MINUTE, Step::CustomerCancels(sale)),
            4..7 => plan.at(at + dice.between(2, 10) * HOUR, Step::Cancel(sale)),
            // Every other order of late waits for the shop.
            50.. if plan.is_late(at) => {}
            _ => plan.at(at + dice.between(60, 14 * 60) * MINUTE, Step::Confirm(sale)),
        }
    }
    Ok(())
}

/// However the dice fell, each stall has an order to ship, from the first of these customers, and others to confirm.
async fn leave_work(engine: &Engine, stall: &Stall, customers: &[Customer]) -> Result<()> {
    for (i, customer) in customers.iter().enumerate() {
        let mut caller = Caller::guest();
        for (variant, _) in &stall.variants {
            let line = AddLine { variant: *variant, quantity: "1".into() };
            if let Ok(added) = carts::add_line(engine, &caller, line).await {
                caller.cart = added.token.map(|token| random::token_hash(&token));
                break;
            }
        }
        let Ok(id) = checkout::begin(engine, &caller).await else { return Ok(()) };
        let view = checkout::view(engine, &caller, id).await?;
        let cash = view.payment_methods.iter().copied().find(|method| !method.collected_by_market());
        let Some(method) = cash else { return Ok(()) };
        let paid = checkout::pay(engine, &caller, id, details(customer, method), 1, &view.key).await;
        if let (Ok(NextAction::Done { purchase }), 0) = (paid, i) {
            orders::confirm(engine, &stall.owner, &stall.handle, &format!("{}-1", purchase.number)).await?;
        }
    }
    Ok(())
}

#[cfg(feature = "sandbox")]
/// Pays at the sandbox's page. None if the card was declined, and the customer gave up.
async fn at_the_sandbox(
    engine: &Engine,
    clock: &Clock,
    caller: &Caller,
    url: &str,
    dice: &mut Dice,
) -> Result<Option<haat_shared::payments::PurchaseLink>> {
    let gateway_ref = url.rsplit('/').next().unwrap_or_default();
    let payment = sandbox::find(&engine.db, gateway_ref).await?.attempt_id;
    let card = if dice.between(0, 30) == 0 { Card::Decline } else { Card::WebhookNever };
    sandbox::enter_card(&engine.db, clock, gateway_ref, card).await?;
    let query = [("key".to_owned(), engine.secret.sign("return", &payment.to_string()))].into();
    Ok(match payments::returned(engine, caller, payment, &query).await? {
        payments::Return::Purchase(link) => Some(link),
        payments::Return::Checkout(..) => None,
    })
}

/// What becomes of an order.
async fn fulfil(
    engine: &Engine,
    stalls: &[Stall],
    step: Step,
    at: i64,
    dice: &mut Dice,
    plan: &mut Plan,
) -> Result<()> {
    let stall = |sale: &Sale| stalls.get(sale.stall).ok_or(Error::Internal);
    match step {
        Step::Confirm(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            orders::confirm(engine, owner, handle, &sale.number).await?;
            let packing = dice.between(6 * 60, 36 * 60) * MINUTE;
            if !plan.is_late(at) || dice.between(0, 2) == 0 {
                plan.at(at + packing, Step::Ship(sale));
            }
        }
        Step::Ship(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            let (carrier, prefix) = dice.pick(&CARRIERS).copied().unwrap_or_default();
            let tracking_number = format!("{prefix}{}IN", dice.between(100_000_000, 999_999_999));
            let shipment = Shipment { carrier: carrier.into(), tracking_number, tracking_url: String::new() };
            orders::ship(engine, owner, handle, &sale.number, shipment).await?;
            plan.at(at + dice.between(30 * 60, 110 * 60) * MINUTE, Step::Deliver(sale));
        }
        Step::Deliver(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            orders::deliver(engine, owner, handle, &sale.number).await?;
            if sale.account.is_some() {
                plan.at(at + dice.between(20, 200) * HOUR, Step::Review(sale.clone()));
            }
            let later = at + dice.between(12, 120) * HOUR;
            match dice.between(0, 100) {
                0..4 => plan.at(later, Step::Refund(sale)),
                4..7 => plan.at(later, Step::Return(sale)),
                7..18 => plan.at(later, Step::Ask(sale)),
                _ => {}
            }
        }
        Step::Cancel(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            orders::cancel(engine, owner, handle, &sale.number, "The last one was damaged").await?;
        }
        Step::CustomerCancels(sale) => {
            let purchase = sale.number.rsplit_once('-').map_or("", |(purchase, _)| purchase);
            let (guest, why) = (Caller::guest(), "Ordered twice");
            orders::cancel_by_customer(engine, &guest, purchase, &sale.key, &sale.number, why).await?;
        }
        Step::Refund(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            let lines = first_line(engine, owner, handle, &sale.number).await?;
            let reason = "Arrived with a chip".into();
            let refund = NewRefund { lines, reason, ..NewRefund::default() };
            orders::refund(engine, owner, handle, &sale.number, refund).await?;
        }
        Step::Return(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            let lines = first_line(engine, owner, handle, &sale.number).await?;
            let id = orders::open_return(engine, owner, handle, &sale.number, &lines, "Doesn’t fit").await?;
            if dice.between(0, 3) > 0 {
                let receipt = ReturnReceipt::only(true);
                orders::receive_return(engine, owner, handle, &sale.number, id, receipt).await?;
            }
        }
        Step::Ask(sale) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            let lines = first_line(engine, owner, handle, &sale.number).await?;
            let (reason, note) = dice.pick(&REASONS).copied().unwrap_or(REASONS[0]);
            let request = NewReturnRequest {
                lines,
                reason,
                note: note.into(),
                exchange: Vec::new(),
                images: Vec::new(),
            };
            let purchase = sale.number.rsplit_once('-').map_or("", |(purchase, _)| purchase);
            let (of, guest) = ((purchase, sale.key.as_str()), Caller::guest());
            let asked = orders::request_return(engine, &guest, of, &sale.number, request, "0").await;
            // The return period may be over.
            let Ok(id) = asked else { return Ok(()) };
            match dice.between(0, 10) {
                0 => orders::withdraw_return(engine, &guest, of, &sale.number, id).await?,
                // A few of late are left to the operator.
                1 | 2 if at > plan.ends - UNANSWERED => {}
                _ => plan.at(at + dice.between(6, 60) * HOUR, Step::Answer(sale, id)),
            }
        }
        Step::Answer(sale, id) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            match dice.between(0, 10) {
                0 | 1 => {
                    let why = "It was used, so we can’t sell it again";
                    orders::reject_return(engine, owner, handle, &sale.number, id, why).await?;
                }
                2 => {
                    let approval = ReturnApproval { refund_now: true, ..ReturnApproval::default() };
                    orders::approve_return(engine, owner, handle, &sale.number, id, approval).await?;
                }
                _ => {
                    let order = orders::seller_order(engine, owner, handle, &sale.number).await?;
                    let note = format!("{}. We pay for the return", order.return_address);
                    let approval = ReturnApproval { note, ..ReturnApproval::default() };
                    orders::approve_return(engine, owner, handle, &sale.number, id, approval).await?;
                    plan.at(at + dice.between(48, 180) * HOUR, Step::Receive(sale, id));
                }
            }
        }
        Step::Receive(sale, id) => {
            let Stall { handle, owner, .. } = stall(&sale)?;
            // Some are refunded only after they were looked at.
            let refund = dice.between(0, 5) > 0;
            let receipt = ReturnReceipt { restock: true, refund, shipping: false };
            orders::receive_return(engine, owner, handle, &sale.number, id, receipt).await?;
        }
        Step::Buy | Step::Night(_) | Step::Review(_) => {}
    }
    Ok(())
}

async fn first_line(
    engine: &Engine,
    owner: &Caller,
    handle: &str,
    number: &str,
) -> Result<Vec<LineQuantity>> {
    let order = orders::seller_order(engine, owner, handle, number).await?.order.order;
    Ok(order
        .lines
        .first()
        .map(|line| LineQuantity { position: line.position, quantity: 1 })
        .into_iter()
        .collect())
}

/// The market's jobs and emails are done. Once a week, but not lately, stalls restock what has sold well.
async fn night(engine: &Engine, stalls: &[Stall], ago: i64, dice: &mut Dice) -> Result<()> {
    settle(engine).await?;
    if ago % 7 != 0 || ago < 14 {
        return Ok(());
    }
    for stall in stalls {
        for (variant, usual) in &stall.variants {
            let more = dice.between(0, (*usual).min(4));
            if more > 0 {
                let key = random::token();
                inventory::receive(engine, &stall.owner, *variant, more, &key).await?;
            }
        }
    }
    Ok(())
}

/// The stalls withdraw half of what they have earned, twice, and the admin pays them out. The second payout of one
/// stall comes back, and the last requests are left to the visitor.
async fn pay_out(engine: &Engine, admin: &Caller, stalls: &[Stall], ago: i64) -> Result<()> {
    match ago {
        50 => {
            for (n, stall) in stalls.iter().enumerate() {
                let form = PayoutMethodForm {
                    kind: PayoutMethodKind::BankAccount.as_str().into(),
                    holder: stall.owner.user().map(|user| user.name.clone()).unwrap_or_default(),
                    account: format!("00110022{n:04}"),
                    ifsc: "HAAT0001234".into(),
                    ..PayoutMethodForm::default()
                };
                payouts::add_method(engine, &stall.owner, &stall.handle, &form).await?;
            }
        }
        40 | 12 | 1 => {
            for stall in stalls.iter().skip(usize::from(ago == 1)) {
                withdraw(engine, stall).await?;
            }
        }
        39 | 11 => {
            for id in in_state(engine, admin, PayoutState::Requested).await? {
                payouts::approve(engine, admin, id).await?;
            }
            for (n, id) in in_state(engine, admin, PayoutState::Approved).await?.into_iter().enumerate() {
                payouts::mark_sent(engine, admin, id, &format!("HAATN{:02}{n:03}", 90 - ago)).await?;
            }
        }
        37 | 9 => {
            for (n, id) in in_state(engine, admin, PayoutState::Sent).await?.into_iter().enumerate() {
                match (ago, n) {
                    (9, 0) => payouts::mark_returned(engine, admin, id, "The account is closed").await?,
                    _ => payouts::mark_paid(engine, admin, id).await?,
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Half of what a stall has earned, in hundreds of rupees, if that is enough.
async fn withdraw(engine: &Engine, stall: &Stall) -> Result<()> {
    const HUNDRED: i64 = 10_000;
    let available = ledger::balance(engine, &stall.owner, &stall.handle, "").await?.available;
    let half = Money::new(available.amount() / 2 / HUNDRED * HUNDRED, available.currency());
    let methods = payouts::methods(engine, &stall.owner, &stall.handle).await?;
    let Some(method) = methods.first().filter(|method| method.usable && half.amount() > 0) else {
        return Ok(());
    };
    let form = PayoutForm { amount: half.plain(), currency: String::new(), method: method.id.to_string() };
    match payouts::request(engine, &stall.owner, &stall.handle, &form, &random::token()).await {
        // Too little was earned.
        Ok(_) | Err(Error::Invalid(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The payouts in a state, in the order of their shops: they have random IDs.
async fn in_state(engine: &Engine, admin: &Caller, state: PayoutState) -> Result<Vec<PayoutId>> {
    let mut cards = payouts::list(engine, admin, state.as_str(), "").await?.items;
    cards.sort_by(|a, b| a.shop_handle.cmp(&b.shop_handle));
    Ok(cards.into_iter().map(|card| card.payout.id).collect())
}

/// A few stalls have little left of something.
async fn run_low(engine: &Engine, stalls: &[Stall]) -> Result<()> {
    for stall in stalls.iter().take(FEW) {
        let left = variants(engine, &stall.handle).await?;
        if let Some((variant, left)) = left.into_iter().find(|(_, left)| *left > LEFT) {
            let key = random::token();
            inventory::adjust(engine, &stall.owner, variant, LEFT - left, &key).await?;
        }
    }
    Ok(())
}

/// What the worker does. Emails are written and sent as in any market, each night to the mailbox in the database,
/// so that none is due afterwards. The mailbox keeps those of the last week.
async fn settle(engine: &Engine) -> Result<()> {
    checkout::sweep(engine).await?;
    orders::release_due(engine).await?;
    dispatch::drain(engine).await?;
    dispatch::purge(engine).await?;
    Ok(())
}
