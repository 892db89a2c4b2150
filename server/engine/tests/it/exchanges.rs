//! Exchanges: other items instead of money for what is returned, and what they are worth afterwards.

use haat_engine::{
    Caller, Engine,
    catalog::{self, NewProduct, NewVariant},
    invoices, ledger,
    notifications::mailbox,
    orders, shops,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    catalog::ListProducts,
    id::kinds::{ReturnId, VariantId},
    orders::{LineQuantity, NewRefund, OrderEventKind, OrderState, OrderView, SellerOrder},
    returns::{
        ExchangeWish, NewReturnRequest, OrderReturn, ReturnApproval, ReturnReason, ReturnReceipt, ReturnState,
    },
    sales::AskedPeriod,
};

use crate::{both, orders::shipment, races::at_once, support::*};

const MEENA: &str = "meena-crafts";

/// A delivered order of shirts in one size, and what both sides do with it.
#[derive(Clone)]
struct Shirts {
    engine: Engine,
    owner: Caller,
    purchase: String,
    key: String,
    /// Small, medium, and large, which is more expensive.
    sizes: Vec<VariantId>,
}

impl Shirts {
    /// An order of small shirts for ₹450 each.
    async fn of(market: &Market, quantity: i64, card: bool, stock: i64) -> Self {
        let title = format!("Shirt {}", haat_engine::random::token());
        let variant = |size: &str, price_minor, stock| NewVariant {
            sku: format!("{title}-{size}"),
            title: size.into(),
            price_minor,
            stock,
            ..NewVariant::default()
        };
        let variants =
            vec![variant("S", 45_000, quantity), variant("M", 45_000, stock), variant("L", 50_000, 9)];
        let product = NewProduct { title: title.clone(), variants, ..NewProduct::default() };
        catalog::upsert_products(&market.engine, &Caller::system(), MEENA, vec![product]).await.unwrap();
        let ask = ListProducts { q: title, ..ListProducts::default() };
        let page = catalog::list(&market.engine, &Caller::guest(), ask).await.unwrap();
        let view = catalog::product(&market.engine, &Caller::guest(), &page.items[0].slug).await.unwrap();
        let size = |title: &str| view.variants.iter().find(|v| v.title == title).unwrap().id;
        let sizes: Vec<VariantId> = ["S", "M", "L"].map(size).into();
        let guest = market.guest_with(&[(sizes[0], quantity)]).await;
        let purchase = match card {
            true => market.buy_by_card(&guest).await,
            false => market.buy_in_cash(&guest).await.unwrap(),
        };
        let (engine, owner, key) = (market.engine.clone(), market.owner(MEENA).await, market.key(&purchase));
        let shirts = Self { engine, owner, purchase, key, sizes };
        orders::confirm(&shirts.engine, &shirts.owner, MEENA, &shirts.number(1)).await.unwrap();
        shirts.deliver(1).await;
        shirts
    }

    /// The number of the nth order of the purchase.
    fn number(&self, n: usize) -> String {
        format!("{}-{n}", self.purchase)
    }

    async fn deliver(&self, n: usize) {
        orders::ship(&self.engine, &self.owner, MEENA, &self.number(n), shipment()).await.unwrap();
        orders::deliver(&self.engine, &self.owner, MEENA, &self.number(n)).await.unwrap();
    }

    async fn seen(&self, n: usize) -> SellerOrder {
        orders::seller_order(&self.engine, &self.owner, MEENA, &self.number(n)).await.unwrap()
    }

    async fn order(&self, n: usize) -> OrderView {
        let purchase = orders::purchase(&self.engine, &Caller::guest(), &self.purchase, &self.key).await;
        purchase.unwrap().orders.into_iter().find(|order| order.number == self.number(n)).unwrap()
    }

    async fn back(&self, n: usize, id: ReturnId) -> OrderReturn {
        self.seen(n).await.order.order.returns.into_iter().find(|back| back.id == id).unwrap()
    }

    async fn ask(
        &self,
        n: usize,
        quantity: i64,
        reason: ReturnReason,
        wish: Option<usize>,
    ) -> Result<ReturnId> {
        let position = self.order(n).await.lines[0].position;
        let wishes = wish.map(|size| ExchangeWish { position, variant_id: self.sizes[size] });
        let request = NewReturnRequest {
            lines: vec![LineQuantity { position, quantity }],
            reason,
            note: "Too tight".into(),
            exchange: Vec::from_iter(wishes),
            images: Vec::new(),
        };
        let (of, once) = ((self.purchase.as_str(), self.key.as_str()), haat_engine::random::token());
        orders::request_return(&self.engine, &Caller::guest(), of, &self.number(n), request, &once).await
    }

    async fn receive(&self, n: usize, id: ReturnId) {
        let approval = ReturnApproval { note: "Kiln Lane 4".into(), ..ReturnApproval::default() };
        let number = self.number(n);
        orders::approve_return(&self.engine, &self.owner, MEENA, &number, id, approval).await.unwrap();
        let receipt = ReturnReceipt::only(true);
        orders::receive_return(&self.engine, &self.owner, MEENA, &number, id, receipt).await.unwrap();
    }

    async fn exchange(&self, n: usize, id: ReturnId) -> Result<()> {
        orders::exchange_return(&self.engine, &self.owner, MEENA, &self.number(n), id).await
    }

    /// A return that was received and exchanged.
    async fn exchanged(&self, n: usize, quantity: i64, size: usize) -> ReturnId {
        let id = self.ask(n, quantity, ReturnReason::DoesNotFit, Some(size)).await.unwrap();
        self.receive(n, id).await;
        self.exchange(n, id).await.unwrap();
        id
    }

    async fn refund(&self, n: usize, quantity: i64) -> Result<()> {
        let lines = vec![LineQuantity { position: self.order(n).await.lines[0].position, quantity }];
        let refund = NewRefund { lines, reason: "Sorry".into(), ..NewRefund::default() };
        orders::refund(&self.engine, &self.owner, MEENA, &self.number(n), refund).await.map(drop)
    }
}

both! {
    /// From the request to a new order that costs nothing, and its way back for what was paid at first.
    async fn a_return_is_exchanged(market) {
        let market = &market.on(&market.returnable(7));
        let shirts = Shirts::of(market, 3, true, 5).await;
        let first = shirts.order(1).await;
        let offered: Vec<_> = first.exchange_options.iter().map(|o| (o.title.as_str(), o.same, o.in_stock)).collect();
        assert_eq!(offered, [("S", true, false), ("M", false, true)], "L is more expensive");
        let wrong = [(ReturnReason::ChangedMind, 2), (ReturnReason::DoesNotFit, 0)];
        for (reason, size) in wrong {
            let asked = shirts.ask(1, 2, reason, Some(size)).await;
            assert_eq!(asked.unwrap_err().at("exchange"), Some(FieldCode::NotAChoice), "{reason:?}");
        }
        let before = shirts.seen(1).await;
        let balance = ledger::balance(&shirts.engine, &shirts.owner, MEENA, "").await.unwrap();
        let id = shirts.ask(1, 2, ReturnReason::DoesNotFit, Some(1)).await.unwrap();
        assert_eq!(shirts.exchange(1, id).await, Err(Conflict::ReturnMoved(ReturnState::Requested).into()));
        shirts.receive(1, id).await;
        assert_eq!((market.available(shirts.sizes[0]).await, market.available(shirts.sizes[1]).await), (2, 5));
        for _ in 0..2 {
            shirts.exchange(1, id).await.unwrap();
        }
        assert_eq!(market.available(shirts.sizes[1]).await, 3);
        let back = shirts.back(1, id).await;
        assert_eq!((back.state, back.exchange_order.clone(), back.refund_id), (ReturnState::Exchanged, Some(shirts.number(2)), None));
        let after = ledger::balance(&shirts.engine, &shirts.owner, MEENA, "").await.unwrap();
        assert_eq!(after, balance, "nothing moves");
        let other = shirts.order(2).await;
        assert_eq!((other.exchange_of.as_deref(), other.state), (Some(first.number.as_str()), OrderState::Confirmed));
        assert_eq!((other.totals.total.amount(), other.totals.shipping.amount()), (0, 0));
        let line = &other.lines[0];
        assert_eq!((line.variant_title.as_str(), line.quantity, line.total.amount()), ("M", 2, 0));
        assert_eq!(shirts.seen(2).await.earned.amount(), 0);
        let kinds: Vec<_> = shirts.seen(1).await.events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds.last(), Some(&OrderEventKind::ReturnExchanged));
        // It is not another sale.
        let home = shops::home(&shirts.engine, &shirts.owner, MEENA, &AskedPeriod::default()).await.unwrap();
        assert_eq!((home.orders, home.units, home.sold, home.net), (1, 3, first.totals.total, first.totals.total));
        assert_eq!(home.best.iter().map(|product| product.units).collect::<Vec<_>>(), [3]);
        // What is exchanged is not refunded there.
        let left = shirts.seen(1).await.refundable.unwrap();
        assert_eq!(left.lines[0].refundable, 1);
        assert!(matches!(shirts.refund(1, 2).await, Err(Error::Invalid(_))));
        market.settle().await;
        let mails = mailbox::latest(&shirts.engine.db).await.unwrap();
        let subject = format!("exchanged {}: {}", shirts.number(1), shirts.number(2));
        assert_eq!(mails.iter().filter(|mail| mail.subject == subject).count(), 1);
        // The new order is sent like any other, and returned for money. It has no invoice.
        shirts.deliver(2).await;
        market.settle().await;
        assert_eq!(shirts.order(2).await.invoices, vec![]);
        let second = shirts.ask(2, 1, ReturnReason::ChangedMind, None).await.unwrap();
        shirts.receive(2, second).await;
        let quote = shirts.seen(2).await.refundable.unwrap().quote(&shirts.back(2, second).await.lines, false).unwrap();
        assert_eq!(quote.amount.amount(), 45_000);
        orders::refund_return(&shirts.engine, &shirts.owner, MEENA, &shirts.number(2), second, false).await.unwrap();
        let (one, two) = (shirts.seen(1).await, shirts.seen(2).await);
        assert_eq!((one.order.order.refunded().amount(), two.order.order.lines[0].refunded), (45_000, 1));
        assert_eq!(before.earned.minus(one.earned), Ok(quote.earnings));
        assert_eq!(shirts.back(2, second).await.refund_id, Some(one.order.order.refunds[0].id));
        market.settle().await;
        let credit = &shirts.order(1).await.invoices[1];
        let of = (shirts.purchase.as_str(), shirts.key.as_str());
        let (credit, _) = invoices::of_purchase(&shirts.engine, &Caller::guest(), of.0, of.1, credit.id).await.unwrap();
        assert_eq!((credit.total.amount(), credit.lines[0].quantity), (45_000, 1));
        // All of both orders: one shirt that was kept, and one that was exchanged.
        shirts.refund(1, 1).await.unwrap();
        shirts.refund(2, 1).await.unwrap();
        assert_eq!(shirts.order(1).await.refunded().amount(), 3 * 45_000);
        assert!(matches!(shirts.refund(2, 1).await, Err(Error::Invalid(_))));
    }

    /// The shop has too little of what is wished for: it refunds, or waits for more.
    async fn out_of_stock(market) {
        let market = &market.on(&market.returnable(7));
        let shirts = Shirts::of(market, 2, true, 1).await;
        let id = shirts.ask(1, 2, ReturnReason::DoesNotFit, Some(1)).await.unwrap();
        shirts.receive(1, id).await;
        assert!(!shirts.back(1, id).await.exchange[0].in_stock);
        let short = shirts.exchange(1, id).await;
        let Err(Error::Conflict(Conflict::OutOfStock(short))) = short else { panic!("{short:?}") };
        assert_eq!((short[0].variant, short[0].left), (shirts.sizes[1], 1));
        assert_eq!(shirts.back(1, id).await.state, ReturnState::Received);
        orders::refund_return(&shirts.engine, &shirts.owner, MEENA, &shirts.number(1), id, false).await.unwrap();
        assert_eq!(shirts.order(1).await.refunded().amount(), 90_000);
        assert_eq!(shirts.exchange(1, id).await, Err(Conflict::ReturnMoved(ReturnState::Refunded).into()));
        // A return for money is not exchanged, and another shop's isn't either.
        let shirts = Shirts::of(market, 1, true, 1).await;
        let id = shirts.ask(1, 1, ReturnReason::DoesNotFit, None).await.unwrap();
        shirts.receive(1, id).await;
        assert_eq!(shirts.exchange(1, id).await.unwrap_err().at("exchange"), Some(FieldCode::Missing));
        let delta = market.owner("delta-electronics").await;
        let theirs = orders::exchange_return(&market.engine, &delta, "delta-electronics", &shirts.number(1), id).await;
        assert_eq!(theirs, Err(Error::NotFound));
    }

    /// What was exchanged is exchanged again, and then refunded: it is worth what was paid at first. A cancelled exchange is
    /// refunded, too.
    async fn exchanged_twice_and_cancelled(market) {
        let market = &market.on(&market.returnable(7));
        for card in [true, false] {
            let shirts = Shirts::of(market, 2, card, 3).await;
            shirts.exchanged(1, 2, 1).await;
            shirts.deliver(2).await;
            shirts.exchanged(2, 1, 0).await;
            let third = shirts.order(3).await;
            assert_eq!((third.exchange_of, third.lines[0].quantity), (Some(shirts.number(2)), 1));
            assert!(matches!(shirts.refund(2, 2).await, Err(Error::Invalid(_))), "one of them was exchanged again");
            let stock = market.available(shirts.sizes[0]).await;
            orders::cancel(&shirts.engine, &shirts.owner, MEENA, &shirts.number(3), "Torn").await.unwrap();
            assert_eq!(market.available(shirts.sizes[0]).await, stock + 1);
            assert_eq!(shirts.order(1).await.refunded().amount(), 45_000);
            shirts.refund(2, 1).await.unwrap();
            assert_eq!(shirts.order(1).await.refunded().amount(), 90_000);
            assert!(matches!(shirts.refund(1, 1).await, Err(Error::Invalid(_))));
            market.settle().await;
        }
    }

    /// Several returns are exchanged for the last shirt at once, and each is sent and refunded by two members.
    async fn at_the_same_time(market) {
        let market = &market.on(&market.returnable(7));
        let shirts = Shirts::of(market, 4, true, 2).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            let id = shirts.ask(1, 1, ReturnReason::DoesNotFit, Some(1)).await.unwrap();
            shirts.receive(1, id).await;
            ids.push(id);
        }
        let turns = (0..16).map(|i| {
            let (shirts, id) = (shirts.clone(), ids[i % 4]);
            async move {
                match i % 8 {
                    0..6 => shirts.exchange(1, id).await,
                    _ => {
                        let number = shirts.number(1);
                        orders::refund_return(&shirts.engine, &shirts.owner, MEENA, &number, id, false).await
                    }
                }
            }
        });
        at_once(turns.collect()).await;
        let returns = shirts.order(1).await.returns;
        let exchanged = returns.iter().filter(|back| back.state == ReturnState::Exchanged).count() as i64;
        assert!(exchanged <= 2);
        assert_eq!(market.available(shirts.sizes[1]).await, 2 - exchanged);
        market.settle().await;
    }
}
