//! A market that lives for a year: random sales, shipments, refunds, cancellations, disputes and payouts, the same on both
//! databases for a seed. The books must be those of a model in memory, which knows neither SQL nor the rules' own functions.
//!
//! `HAAT_LIFE_STEPS` and `HAAT_LIFE_SEED` make it longer, or another one; `make attack` does a hundred times as much.

use std::collections::BTreeMap;

use haat_engine::{
    Caller,
    admin::{self, Grantee},
    analytics, books, dispatch, ledger, orders, params, payouts, rows, seals, statements,
};
use haat_shared::{
    Conflict, Currency, Error, Money,
    id::kinds::{PayoutId, VariantId},
    ledger::Account,
    orders::{LineQuantity, NewRefund, OrderState, Shipment},
    payouts::{PayoutForm, PayoutState},
    permissions::AdminRole,
    sales::AskedPeriod,
};

use crate::{disputes, payouts::withdrawal, support::*};

const SHOPS: [&str; 2] = ["meena-crafts", "delta-electronics"];
const DAY: i64 = 24 * 3_600_000;
/// Sessions end after 30 days.
const SIGN_IN_AGAIN: i64 = 20 * DAY;
/// The least that a shop can withdraw.
const MINIMUM: i64 = 10_000;

statements! {
    COMMISSIONS = "SELECT position, commission_minor FROM order_lines
        WHERE order_id = (SELECT id FROM orders WHERE number = $1)";
}

rows! {
    struct CommissionRow {
        position: i64,
        commission_minor: i64,
    }
}

/// Random numbers of a seed: SplitMix64.
struct Dice(u64);

impl Dice {
    /// A number from 0 up to, but not including, `n`.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

struct Line {
    position: i64,
    quantity: i64,
    paid: i64,
    /// Its share of the order's commission.
    commission: i64,
    shipped: i64,
    refunded: i64,
}

/// An order as the model knows it.
struct Order {
    number: String,
    shop: usize,
    state: OrderState,
    /// Whether its earnings are available to the shop.
    released: bool,
    by_market: bool,
    total: i64,
    commission: i64,
    /// What was refunded, with and without delivery, and the commission that came back.
    refunded: i64,
    items_refunded: i64,
    commission_back: i64,
    /// What disputes took, and the commission on it; and of the one that is open, the gateway's ID and both.
    disputed: i64,
    disputed_commission: i64,
    dispute: Option<(String, i64, i64)>,
    /// The gateway's ID of its payment; empty if it is paid in cash.
    payment: String,
    lines: Vec<Line>,
}

impl Order {
    fn items(&self) -> i64 {
        self.lines.iter().map(|line| line.paid).sum()
    }

    /// What is neither refunded nor disputed.
    fn left(&self) -> i64 {
        if self.state == OrderState::Cancelled { 0 } else { self.total - self.refunded - self.disputed }
    }

    fn commission_left(&self) -> i64 {
        self.commission - self.commission_back - self.disputed_commission
    }

    /// The commission that comes back with a refund of so many units of a line, which cost `items`.
    fn commission_of(&self, line: &Line, quantity: i64, items: i64) -> i64 {
        if self.disputed > 0 {
            return self.commission_left() * items / (self.items() - self.items_refunded).max(1);
        }
        let share = |units: i64| line.commission * units / line.quantity;
        (share(line.refunded + quantity) - share(line.refunded)).min(self.commission_left())
    }

    /// What the shop earns by it, without what is held for a dispute or was lost in one.
    fn earned(&self) -> i64 {
        let kept = if self.by_market { self.total - self.refunded - self.disputed } else { 0 };
        kept - self.commission_left()
    }
}

/// A payout as the model knows it.
struct Payout {
    id: PayoutId,
    shop: usize,
    amount: i64,
    state: PayoutState,
}

impl Payout {
    /// Whether the shop doesn't have it.
    fn taken(&self) -> bool {
        !matches!(self.state, PayoutState::Rejected | PayoutState::Returned)
    }

    fn on_its_way(&self) -> bool {
        self.taken() && self.state != PayoutState::Paid
    }
}

/// What can be compared: the accounts, what is pending, available and in transit of each shop, and each order's state and
/// money.
#[derive(Debug, PartialEq)]
struct Books {
    accounts: BTreeMap<String, i64>,
    shops: Vec<[i64; 3]>,
    orders: Vec<(OrderState, i64, i64, usize)>,
    payouts: Vec<(i64, PayoutState)>,
}

struct World {
    market: Market,
    dice: Dice,
    owners: Vec<Caller>,
    finance: Caller,
    signed_in_at: i64,
    /// How many steps there will be.
    steps: u64,
    ticks: u64,
    /// How each shop withdraws money.
    methods: Vec<PayoutForm>,
    goods: Vec<(VariantId, usize)>,
    orders: Vec<Order>,
    payouts: Vec<Payout>,
}

impl World {
    async fn open(on: On, seed: u64, steps: u64) -> Self {
        let market = Market::open(on).await;
        let finance = market.signed_up(&Caller::guest(), "finance").await.user_id().unwrap();
        admin::grant_role(&market.engine, &Caller::system(), Grantee::Id(finance), AdminRole::Finance)
            .await
            .unwrap();
        let (mut owners, mut goods) = (Vec::new(), Vec::new());
        for (i, shop) in SHOPS.iter().enumerate() {
            // Prices that don't divide evenly.
            for (title, price) in [("Clay bowl", 33_333), ("Jug", 45_001), ("Toy", 99)] {
                goods.push((market.product(shop, &format!("{title} of {shop}"), price, 1_000_000).await, i));
            }
            owners.push(market.owner(shop).await);
        }
        let mut methods = Vec::new();
        for shop in SHOPS {
            methods.push(withdrawal(&market, shop, "").await);
        }
        Self {
            dice: Dice(seed),
            owners,
            finance: market.owner("finance").await,
            signed_in_at: market.clock.now_ms(),
            steps,
            ticks: 0,
            methods,
            goods,
            orders: Vec::new(),
            payouts: Vec::new(),
            market,
        }
    }

    /// Time passes: the steps take a year.
    async fn tick(&mut self) {
        let ticks = (self.steps * 3 / 100).max(1);
        self.market.clock.advance_ms(365 * DAY / ticks.cast_signed());
        let now = self.market.clock.now_ms();
        if now - self.signed_in_at > SIGN_IN_AGAIN {
            for (i, shop) in SHOPS.iter().enumerate() {
                self.owners[i] = self.market.owner(shop).await;
            }
            self.finance = self.market.owner("finance").await;
            self.signed_in_at = now;
        }
        while orders::release_due(&self.market.engine).await.unwrap() > 0 {}
        for order in &mut self.orders {
            // Earnings wait for the decision of a dispute.
            order.released |= order.state == OrderState::Delivered && order.dispute.is_none();
        }
        self.ticks += 1;
        // The oracle reads everything.
        if self.ticks.is_multiple_of((ticks / 20).max(1)) {
            self.market.settle().await;
            seals::seal(&self.market.engine).await.unwrap();
        } else {
            dispatch::drain(&self.market.engine).await.unwrap();
        }
    }

    /// What is pending, available and in transit of a shop.
    fn shop(&self, shop: usize) -> [i64; 3] {
        let of = |released| {
            let own = |order: &&Order| order.shop == shop && order.released == released;
            self.orders.iter().filter(own).map(Order::earned).sum::<i64>()
        };
        let payouts = |counts: fn(&Payout) -> bool| {
            let own = |payout: &&Payout| payout.shop == shop && counts(payout);
            self.payouts.iter().filter(own).map(|payout| payout.amount).sum::<i64>()
        };
        [of(false), of(true) - payouts(Payout::taken), payouts(Payout::on_its_way)]
    }

    /// A shop withdraws some of what it has, or more.
    async fn withdraw(&mut self) {
        let shop = self.dice.below(SHOPS.len());
        let available = self.shop(shop)[1];
        let amount = (available * (1 + self.dice.below(140) as i64) / 100).max(MINIMUM - 1);
        let form =
            PayoutForm { amount: Money::new(amount, Currency::INR).plain(), ..self.methods[shop].clone() };
        let key = self.payouts.len().to_string() + "/" + &self.ticks.to_string() + "/" + &amount.to_string();
        let asked = payouts::request(&self.market.engine, &self.owners[shop], SHOPS[shop], &form, &key).await;
        if amount < MINIMUM || amount > available {
            assert!(matches!(asked, Err(Error::Invalid(_))), "{asked:?}");
            return;
        }
        self.payouts.push(Payout { id: asked.unwrap(), shop, amount, state: PayoutState::Requested });
    }

    /// An admin does something to a payout, whether it is its turn or not.
    async fn advance(&mut self) {
        let Self { market, dice, finance, payouts: known, .. } = self;
        let last = known.len();
        let payout = &mut known[last - 1 - dice.below(last.min(8))];
        let (engine, id) = (&market.engine, payout.id);
        use PayoutState::*;
        let (to, from, done) = match dice.below(5) {
            0 => (Approved, &[Requested][..], payouts::approve(engine, finance, id).await),
            1 => (Sent, &[Approved][..], payouts::mark_sent(engine, finance, id, "UTR1").await),
            2 => (Paid, &[Sent][..], payouts::mark_paid(engine, finance, id).await),
            3 => (Rejected, &[Requested, Approved][..], payouts::reject(engine, finance, id, "No").await),
            _ => (Returned, &[Sent, Paid][..], payouts::mark_returned(engine, finance, id, "Closed").await),
        };
        if !from.contains(&payout.state) {
            assert_eq!(done, Err(Conflict::PayoutMoved.into()), "{:?} to {to:?}", payout.state);
            return;
        }
        done.unwrap();
        payout.state = to;
    }

    async fn buy(&mut self) {
        let mut cart = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let (variant, _) = self.goods[self.dice.below(self.goods.len())];
            if cart.iter().all(|(other, _)| *other != variant) {
                cart.push((variant, 1 + self.dice.below(3) as i64));
            }
        }
        let guest = self.market.guest_with(&cart).await;
        let by_market = self.dice.below(4) > 0;
        let (purchase, payment) = match by_market {
            true => {
                let (purchase, _, payment) = disputes::bought(&self.market, &guest).await;
                (purchase, payment)
            }
            false => (self.market.buy_in_cash(&guest).await.unwrap(), String::new()),
        };
        let view =
            orders::purchase(&self.market.engine, &guest, &purchase, &self.market.key(&purchase)).await;
        let mut placed = view.unwrap().orders;
        // Shops have random IDs, and the same seed must give the same orders.
        placed.sort_by(|a, b| b.shop_handle.cmp(&a.shop_handle));
        for order in placed {
            let shop = SHOPS.iter().position(|shop| *shop == order.shop_handle).unwrap();
            let handle = SHOPS[shop];
            let seen =
                orders::seller_order(&self.market.engine, &self.owners[shop], handle, &order.number).await;
            let commission = seen.unwrap().commission.amount();
            let of_lines: Vec<CommissionRow> =
                self.market.engine.db.all(&COMMISSIONS, params![order.number.clone()]).await.unwrap();
            assert_eq!(of_lines.iter().map(|line| line.commission_minor).sum::<i64>(), commission);
            let of_line = |position| of_lines.iter().find(|line| line.position == position).unwrap();
            let mut lines: Vec<Line> = order
                .lines
                .iter()
                .map(|line| Line {
                    position: line.position,
                    quantity: line.quantity,
                    paid: line.total.amount(),
                    commission: of_line(line.position).commission_minor,
                    shipped: 0,
                    refunded: 0,
                })
                .collect();
            lines.sort_by_key(|line| (line.paid, line.quantity));
            self.orders.push(Order {
                number: order.number,
                shop,
                state: OrderState::Placed,
                released: false,
                by_market,
                total: order.totals.total.amount(),
                commission,
                refunded: 0,
                items_refunded: 0,
                commission_back: 0,
                disputed: 0,
                disputed_commission: 0,
                dispute: None,
                payment: payment.clone(),
                lines,
            });
        }
    }

    async fn ship(&mut self, at: usize) {
        let Self { market, dice, owners, orders: known, .. } = self;
        let order = &mut known[at];
        let (owner, handle) = (&owners[order.shop], SHOPS[order.shop]);
        let parcel =
            Shipment { carrier: "Post".into(), tracking_number: "RX1".into(), tracking_url: String::new() };
        if dice.below(3) > 0 {
            let done = orders::ship(&market.engine, owner, handle, &order.number, parcel).await;
            assert_eq!(done, Ok(()));
            for line in &mut order.lines {
                line.shipped = line.quantity - line.refunded;
            }
            order.state = OrderState::Shipped;
            return;
        }
        let Some(line) = order.lines.iter_mut().find(|line| line.quantity > line.shipped + line.refunded)
        else {
            return;
        };
        let part = [LineQuantity { position: line.position, quantity: 1 }];
        orders::ship_part(&market.engine, owner, handle, &order.number, &part, parcel).await.unwrap();
        line.shipped += 1;
        if order.lines.iter().all(|line| line.quantity <= line.shipped + line.refunded) {
            order.state = OrderState::Shipped;
        }
    }

    async fn refund(&mut self, at: usize) {
        let Self { market, dice, owners, orders: known, .. } = self;
        let order = &mut known[at];
        let unshipped = order.state == OrderState::Confirmed;
        let picked = dice.below(order.lines.len());
        let line = &order.lines[picked];
        let left = line.quantity - line.refunded - if unshipped { line.shipped } else { 0 };
        let quantity = 1 + dice.below(3) as i64;
        let refund = NewRefund {
            lines: vec![LineQuantity { position: line.position, quantity }],
            shipping: false,
            restock: unshipped && dice.below(2) == 0,
            reason: "Chipped".into(),
            amount: None,
        };
        let (owner, handle) = (&owners[order.shop], SHOPS[order.shop]);
        let done = orders::refund(&market.engine, owner, handle, &order.number, refund).await;
        if !order.by_market && order.state == OrderState::Shipped {
            assert_eq!(done.map(drop), Err(Conflict::OrderMoved(order.state).into()));
            return;
        }
        let share = |units: i64| line.paid * units / line.quantity;
        let amount = share(line.refunded + quantity) - share(line.refunded);
        if quantity > left || amount > order.left() {
            assert!(matches!(done, Err(Error::Invalid(_))), "{done:?}");
            return;
        }
        done.unwrap();
        let commission = order.commission_of(&order.lines[picked], quantity, amount);
        order.lines[picked].refunded += quantity;
        order.refunded += amount;
        order.items_refunded += amount;
        order.commission_back += commission;
    }

    async fn cancel(&mut self, at: usize) {
        let Self { market, owners, orders: known, .. } = self;
        let order = &mut known[at];
        let (owner, handle) = (&owners[order.shop], SHOPS[order.shop]);
        let done = orders::cancel(&market.engine, owner, handle, &order.number, "No").await;
        if order.lines.iter().any(|line| line.shipped > 0) {
            assert_eq!(done, Err(Conflict::PartlyShipped.into()));
            return;
        }
        if order.dispute.is_some() || (order.disputed > 0 && order.left() > 0) {
            assert_eq!(done, Err(Conflict::Disputed.into()));
            return;
        }
        done.unwrap();
        order.state = OrderState::Cancelled;
        if order.disputed == 0 {
            order.refunded = if order.by_market { order.total } else { order.refunded };
            order.commission_back = order.commission;
        }
    }

    /// The payment of an order is disputed, or its dispute is decided.
    async fn dispute(&mut self, at: usize) {
        let Self { market, dice, orders: known, .. } = self;
        let payment = known[at].payment.clone();
        let mut of: Vec<&mut Order> = known.iter_mut().filter(|order| order.payment == payment).collect();
        of.sort_by(|a, b| a.number.cmp(&b.number));
        let open = of.iter().find_map(|order| order.dispute.clone());
        if let Some((id, ..)) = open {
            let won = dice.below(2) == 0;
            disputes::decide(market, &id, if won { "won" } else { "lost" }).await;
            for order in of {
                if let Some((_, amount, commission)) = order.dispute.take().filter(|_| won) {
                    order.disputed -= amount;
                    order.disputed_commission -= commission;
                }
            }
            return;
        }
        let whole: i64 = of.iter().map(|order| order.left()).sum();
        let amount = if dice.below(2) == 0 { whole } else { whole / 3 };
        if amount == 0 {
            return;
        }
        let id = disputes::disputed(market, &payment, Some(amount), 0).await;
        let mut before = 0;
        for order in of {
            let left = order.left();
            let share = amount * (before + left) / whole - amount * before / whole;
            before += left;
            if share > 0 {
                let commission = order.commission_left() * share / left;
                order.disputed += share;
                order.disputed_commission += commission;
                order.dispute = Some((id.clone(), share, commission));
            }
        }
    }

    async fn step(&mut self) {
        let dice = self.dice.below(100);
        if dice < 30 || self.orders.is_empty() {
            return self.buy().await;
        }
        if dice < 33 {
            return self.tick().await;
        }
        match self.dice.below(20) {
            0 => return self.withdraw().await,
            1 | 2 if !self.payouts.is_empty() => return self.advance().await,
            _ => {}
        }
        // Mostly the latest ones.
        let last = self.orders.len();
        let at = last - 1 - self.dice.below(last.min(12));
        let engine = self.market.engine.clone();
        let (shop, number) = (self.orders[at].shop, self.orders[at].number.clone());
        let (owner, handle) = (self.owners[shop].clone(), SHOPS[shop]);
        if self.orders[at].by_market && self.dice.below(10) == 0 {
            return self.dispute(at).await;
        }
        match (self.orders[at].state, dice) {
            (OrderState::Placed, 33..85) => {
                orders::confirm(&engine, &owner, handle, &number).await.unwrap();
                self.orders[at].state = OrderState::Confirmed;
            }
            (OrderState::Placed | OrderState::Confirmed, 85..) => self.cancel(at).await,
            (OrderState::Confirmed, 33..70) => self.ship(at).await,
            (OrderState::Shipped, 33..60) => {
                orders::deliver(&engine, &owner, handle, &number).await.unwrap();
                self.orders[at].state = OrderState::Delivered;
            }
            (OrderState::Confirmed | OrderState::Shipped | OrderState::Delivered, _) => self.refund(at).await,
            (OrderState::Placed | OrderState::Cancelled, _) => {}
        }
    }

    /// The books of the model.
    fn model(&self) -> BTreeMap<String, i64> {
        let mut accounts = BTreeMap::new();
        for order in &self.orders {
            let collected = if order.by_market { order.total } else { 0 };
            let refunded = if order.by_market { order.refunded } else { 0 };
            let (_, open, of_open) = order.dispute.clone().unwrap_or_default();
            let (lost, of_lost) = (order.disputed - open, order.disputed_commission - of_open);
            let commission = order.commission - order.commission_back - of_lost;
            let mut add = |name: &str, amount: i64| *accounts.entry(name.to_owned()).or_insert(0) += amount;
            add("gateway_clearing", collected - refunded - order.disputed);
            add("marketplace_commission", -commission);
            add("sellers", commission + refunded + lost - collected);
            add("disputes", open);
        }
        for payout in &self.payouts {
            let mut add = |name: &str, amount: i64| *accounts.entry(name.to_owned()).or_insert(0) += amount;
            add("sellers", if payout.taken() { payout.amount } else { 0 });
            add("payouts_in_transit", if payout.on_its_way() { -payout.amount } else { 0 });
            add("bank", if payout.state == PayoutState::Paid { -payout.amount } else { 0 });
        }
        accounts.retain(|_, balance| *balance != 0);
        accounts
    }

    /// What shops are told of their sales is what the model knows: what was given back of them, on whatever day, is no net sale.
    async fn told(&self) {
        let engine = &self.market.engine;
        let day = |ms| engine.zone.local(ms)[..10].to_owned();
        let now = self.market.clock.now_ms();
        // The last tick is in another year.
        let years = [(731, 366), (365, 0)].map(|(from, to)| AskedPeriod {
            from: day(now - from * DAY),
            to: day(now - to * DAY),
            ..AskedPeriod::default()
        });
        for (shop, (owner, handle)) in self.owners.iter().zip(SHOPS).enumerate() {
            let mut sold = (0, 0, 0);
            for year in &years {
                let told = analytics::of_shop(engine, owner, handle, year).await.unwrap().now;
                sold = (sold.0 + told.gross.amount(), sold.1 + told.net.amount(), sold.2 + told.orders);
            }
            let own = self.orders.iter().filter(|order| order.shop == shop);
            let open = |order: &Order| order.dispute.as_ref().map_or(0, |(_, amount, _)| *amount);
            let kept: i64 = own.clone().map(|order| order.left() + open(order)).sum();
            let gross: i64 = own.clone().map(|order| order.total).sum();
            assert_eq!(sold, (gross, kept, own.count() as i64), "{handle}");
        }
    }

    /// The books of the market, with the accounts of sellers as one.
    async fn books(&self) -> Books {
        let engine = &self.market.engine;
        self.market.settle().await;
        seals::seal(engine).await.unwrap();
        assert_eq!(seals::verify(engine).await.unwrap().broken, Vec::<String>::new());
        let balance = books::trial_balance(engine, &Caller::system()).await.unwrap();
        let mut accounts = BTreeMap::new();
        for each in balance.accounts {
            let name = match each.account {
                Account::SellerPending
                | Account::SellerPayable
                | Account::SellerReceivable
                | Account::SellerDisputed => "sellers",
                other => other.as_str(),
            };
            *accounts.entry(name.to_owned()).or_insert(0) += each.balance.amount();
        }
        accounts.retain(|_, balance| *balance != 0);
        let (mut shops, mut payouts) = (Vec::new(), Vec::new());
        for (owner, shop) in self.owners.iter().zip(SHOPS) {
            let balance = ledger::balance(engine, owner, shop, "").await.unwrap();
            shops.push([balance.pending, balance.available, balance.in_transit].map(Money::amount));
        }
        for payout in &self.payouts {
            let seen = payouts::any(engine, &Caller::system(), payout.id).await.unwrap().card.payout;
            assert_eq!((seen.amount.amount(), seen.state), (payout.amount, payout.state));
            payouts.push((payout.amount, payout.state));
        }
        let mut orders = Vec::new();
        for order in &self.orders {
            let owner = &self.owners[order.shop];
            let seen = orders::seller_order(engine, owner, SHOPS[order.shop], &order.number).await.unwrap();
            let refunded = seen.order.order.refunded().amount();
            assert_eq!((seen.order.order.state, refunded), (order.state, order.refunded), "{}", order.number);
            orders.push((order.state, order.total, refunded, seen.order.order.invoices.len()));
        }
        self.told().await;
        Books { accounts, shops, orders, payouts }
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

/// Lives for a year, in as many of the steps as the scale of the attacks says, in percent; then compares the books with those
/// of the model.
async fn live(on: On, whole: u64) -> Books {
    let scale = setting("HAAT_ATTACK_SCALE", 1);
    let steps = setting("HAAT_LIFE_STEPS", (whole * scale / 100).max(250));
    let seed = setting("HAAT_LIFE_SEED", 2_026);
    let mut world = World::open(on, seed, steps).await;
    for _ in 0..steps {
        world.step().await;
    }
    world.tick().await;
    let books = world.books().await;
    assert_eq!(books.accounts, world.model(), "seed {seed}");
    assert_eq!(books.shops, [world.shop(0), world.shop(1)], "seed {seed}");
    for state in OrderState::ALL {
        assert!(world.orders.iter().any(|order| order.state == state), "{state:?} never happened");
    }
    let (orders, payouts) = (books.orders.len(), books.payouts.len());
    println!("{on:?}, seed {seed}: {steps} steps, {orders} orders, {payouts} payouts, as in the model");
    world.market.close().await;
    books
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_databases_and_a_model_agree_on_a_random_life() {
    let (one, other) = (live(On::Sqlite, 100_000).await, live(On::Postgres, 100_000).await);
    assert_eq!(one, other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a_simulated_year() {
    live(On::Sqlite, 1_000_000).await;
}
