//! The maximum number of statements per use case: fewer round trips make every node faster.

use haat_engine::{
    Caller, analytics, carts, catalog, chat, checkout, ledger, orders, payouts, sales, search, shops,
};
use haat_shared::{
    carts::AddLine,
    catalog::ListProducts,
    chat::{InboxRequest, NewMessage},
    checkout::CheckoutUpdate,
    id::kinds::MessageId,
    orders::{LineQuantity, NewRefund},
    reports::{NewReport, ReportReason},
    returns::{NewReturnRequest, ReturnApproval, ReturnReason, ReturnReceipt},
    shipping::ShippingMethod,
};

use crate::{both, support::*};

both! {
    async fn use_cases_keep_to_their_budgets(market) {
        let mut wanted = Vec::new();
        for i in 0..10 {
            wanted.push((market.product("meena-crafts", &format!("Clay bowl {i}"), 45_000, 10).await, 1));
            wanted.push((market.product("delta-electronics", &format!("Desk lamp {i}"), 129_900, 10).await, 1));
        }
        let db = &market.engine.db;
        let anyone = Caller::guest();
        macro_rules! budget {
            ($name:literal, $most:literal, $call:expr) => {{
                let before = db.counts().0;
                let answer = $call.await.unwrap();
                let taken = db.counts().0 - before;
                println!("{:<11} {:<28} {taken:>3} statements, at most {}", db.engine(), $name, $most);
                assert!(taken <= $most, "{}: {taken}", $name);
                answer
            }};
        }
        let page = budget!("list of products", 1, catalog::list(&market.engine, &anyone, ListProducts::default()));
        budget!("product page", 6, catalog::product(&market.engine, &anyone, &page.items[0].slug));
        budget!("its stock", 1, catalog::stock(&market.engine, page.items[0].id));
        let guest = market.guest_with(&wanted[1..]).await;
        let add = AddLine { variant: wanted[0].0, quantity: "1".into() };
        budget!("add to cart", 6, carts::add_line(&market.engine, &guest, add));
        budget!("cart", 4, carts::view(&market.engine, &guest));
        let id = budget!("begin a checkout of 20 lines", 12, checkout::begin(&market.engine, &guest));
        let view = budget!("checkout page", 3, checkout::view(&market.engine, &guest, id));
        let delivery = view.groups.iter().map(|group| (group.shop_id, ShippingMethod::Standard)).collect();
        let typed = CheckoutUpdate { shipping_methods: delivery, ..form("cash") };
        budget!("choose how 20 lines are shipped", 7, checkout::update(&market.engine, &guest, id, typed.clone()));
        // The checkout, the form, the key and its response, the payment; the purchase itself within 15.
        let before = db.counts().0;
        let next = checkout::pay(&market.engine, &guest, id, typed, 1, "k").await.unwrap();
        let paying = db.counts().0 - before;
        println!("{:<11} {:<28} {paying:>3} statements, at most 23", db.engine(), "pay 20 lines in cash");
        assert!(paying <= 23, "{paying}");
        let number = number_of(&next);
        let (_, payment, gateway_ref) = market.go_to_sandbox(&market.guest_with(&wanted).await).await;
        market.enter(&gateway_ref, haat_engine::sandbox::Card::Approve).await;
        let captured = haat_engine::payments::GatewayStatus::Captured(haat_engine::sandbox::find(db, &gateway_ref).await.unwrap().amount());
        budget!("complete a purchase", 15, checkout::complete(&market.engine, payment, &gateway_ref, captured));
        let key = market.engine.secret.sign("purchase", &number);
        budget!("purchase page", 2, orders::purchase(&market.engine, &anyone, &number, &key));
        let owner = market.owner("meena-crafts").await;
        let meena = "meena-crafts";
        let page = budget!("a shop's list of orders", 1, orders::seller_list(&market.engine, &owner, meena, Default::default()));
        budget!("the same with counts", 2, orders::seller_table(&market.engine, &owner, meena, Default::default()));
        let (card, cash) = (&page.items[0].number, &page.items[1].number);
        budget!("an order in the dashboard", 4, orders::seller_order(&market.engine, &owner, meena, card));
        budget!("confirm an order", 3, orders::confirm(&market.engine, &owner, meena, card));
        let position = orders::seller_order(&market.engine, &owner, meena, card).await.unwrap().order.order.lines[0].position;
        let refund = NewRefund { lines: vec![LineQuantity { position, quantity: 1 }], restock: true, reason: "No".into(), ..NewRefund::default() };
        budget!("refund a line", 14, orders::refund(&market.engine, &owner, meena, card, refund));
        budget!("cancel an order of 10 lines", 11, orders::cancel(&market.engine, &owner, meena, card, "No"));
        budget!("cancel an order in cash", 7, orders::cancel(&market.engine, &owner, meena, cash, "No"));
        let market = &market.on(&market.returnable(7));
        let bowl = market.product(meena, "Clay jug", 45_000, 9).await;
        let number = market.buy_by_card(&market.guest_with(&[(bowl, 2)]).await).await;
        let (order, key) = (format!("{number}-1"), market.key(&number));
        orders::confirm(&market.engine, &owner, meena, &order).await.unwrap();
        orders::ship(&market.engine, &owner, meena, &order, crate::orders::shipment()).await.unwrap();
        orders::deliver(&market.engine, &owner, meena, &order).await.unwrap();
        let line = LineQuantity { position: orders::seller_order(&market.engine, &owner, meena, &order).await.unwrap().order.order.lines[0].position, quantity: 1 };
        let request = NewReturnRequest { lines: vec![line], reason: ReturnReason::Damaged, note: String::new(), exchange: Vec::new(), images: Vec::new() };
        let of = (number.as_str(), key.as_str());
        let id = budget!("ask for a return", 10, orders::request_return(&market.engine, &anyone, of, &order, request.clone(), "1"));
        let approval = ReturnApproval { note: "Kiln Lane".into(), ..ReturnApproval::default() };
        budget!("approve a return", 6, orders::approve_return(&market.engine, &owner, meena, &order, id, approval));
        let receipt = ReturnReceipt { restock: true, refund: true, shipping: true };
        budget!("receive and refund a return", 20, orders::receive_return(&market.engine, &owner, meena, &order, id, receipt));
        let id = orders::request_return(&market.engine, &anyone, of, &order, request, "2").await.unwrap();
        budget!("withdraw a return", 9, orders::withdraw_return(&market.engine, &anyone, of, &order, id));
        budget!("search in the dashboard", 2, search::of_shop(&market.engine, &owner, meena, "clay"));
        let system = Caller::system();
        budget!("search in the admin area", 3, search::of_market(&market.engine, &system, "clay"));
        budget!("first look at the admin area", 4, sales::of_market(&market.engine, &system));
        budget!("a shop in the admin area", 6, shops::any_shop(&market.engine, &system, meena));
        budget!("orders to confirm and to ship", 1, shops::to_do(&market.engine, &owner, meena));
        budget!("first look at the dashboard", 6, shops::home(&market.engine, &owner, meena, &Default::default()));
        budget!("a shop's analytics", 15, analytics::of_shop(&market.engine, &owner, meena, &Default::default()));
        budget!("the market's analytics", 16, analytics::of_market(&market.engine, &system, &Default::default()));
        budget!("balance", 2, ledger::balance(&market.engine, &owner, meena, ""));
        budget!("payouts of a shop", 2, payouts::shop_page(&market.engine, &owner, meena, ""));
        let method = budget!("add a payout method", 3, payouts::add_method(&market.engine, &owner, meena, &crate::payouts::bank()));
        budget!("remove a payout method", 2, payouts::remove_method(&market.engine, &owner, meena, method));
        budget!("payouts in the admin area", 2, payouts::table(&market.engine, &system, &Default::default()));
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        let of = chat::open(&market.engine, &asha, meena).await.unwrap();
        let message = NewMessage { id: MessageId::from_bits(1), text: "Is it glazed?".into(), about: String::new(), pictures: Vec::new() };
        budget!("send a message", 5, chat::send(&market.engine, &asha, "", of, message));
        let asked = InboxRequest { shop: meena.into(), open: Some(of), ..InboxRequest::default() };
        budget!("open a shop's conversation", 10, chat::inbox(&market.engine, &owner, &asked));
        let asked = InboxRequest { open: Some(of), ..InboxRequest::default() };
        budget!("open a shopper's conversation", 5, chat::inbox(&market.engine, &asha, &asked));
        budget!("search in messages", 1, chat::search(&market.engine, &owner, meena, "glazed"));
        let report = NewReport { message: None, reason: ReportReason::Spam, details: String::new() };
        budget!("report a conversation", 5, chat::report(&market.engine, &owner, meena, of, report));
        budget!("reports in the admin area", 4, chat::reports(&market.engine, &system, &Default::default()));
        budget!("settings", 2, shops::settings(&market.engine, &owner, meena));
        budget!("a shop's products with counts", 2, catalog::seller_table(&market.engine, &owner, meena, Default::default()));
        let page = budget!("a shop's list of products", 1, catalog::seller_list(&market.engine, &owner, meena, Default::default()));
        let id = page.items[0].id;
        let product = budget!("a product in the dashboard", 2, catalog::seller_product(&market.engine, &owner, meena, id));
        let mut form = product.form;
        form.title.push('!');
        form.variants[0].stock = "99".into();
        budget!("save a product", 11, catalog::update(&market.engine, &owner, meena, id, product.version, &form, "k"));
        let file = crate::imports::many(0..25);
        let staged = catalog::imports::stage(&market.engine, &owner, meena, crate::imports::options(false), file.as_bytes(), |_| {});
        let id = budget!("check a file of 25 products", 6, staged);
        catalog::imports::start(&market.engine, &owner, meena, id, false, None).await.unwrap();
        budget!("put in 25 products", 11, catalog::imports::work(&market.engine));
        let dearer = file.replace(".50,", ".75,");
        let staged = catalog::imports::stage(&market.engine, &owner, meena, crate::imports::options(false), dearer.as_bytes(), |_| {});
        let id = staged.await.unwrap();
        while catalog::imports::work(&market.engine).await.unwrap() > 0 {}
        catalog::imports::start(&market.engine, &owner, meena, id, false, None).await.unwrap();
        budget!("change 25 products", 13, catalog::imports::work(&market.engine));
        while catalog::imports::work(&market.engine).await.unwrap() > 0 {}
    }
}
