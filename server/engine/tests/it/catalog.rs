use haat_engine::{Caller, catalog, inventory, shops};
use haat_shared::{Conflict, Error, catalog::ListProducts};

use crate::both;

both! {
    async fn lists_go_on_where_the_page_before_ended(market) {
        for i in 0..30 {
            market.product("meena-crafts", &format!("Bowl number {i:02}"), 10_000 + i, 1).await;
        }
        market.product("delta-electronics", "Desk lamp 50%_off", 129_900, 0).await;
        let list = |ask| { let engine = market.engine.clone(); async move { catalog::list(&engine, &Caller::guest(), ask).await } };
        let first = list(ListProducts::default()).await.unwrap();
        assert_eq!(first.items.len(), 24);
        assert_eq!(first.items[0].title, "Desk lamp 50%_off");
        assert!(!first.items[0].in_stock && first.items[1].in_stock);
        let second = list(ListProducts { after: first.next.unwrap(), ..ListProducts::default() }).await.unwrap();
        assert_eq!((second.items.len(), second.next.is_none()), (7, true));
        let of_shop = list(ListProducts { shop: "delta-electronics".into(), ..ListProducts::default() }).await.unwrap();
        assert_eq!(of_shop.items.len(), 1);
        for (q, found) in [("BOWL number 07", 1), ("07 bowl", 1), ("lamp bowl", 0), ("50%_", 1), ("%", 1), ("_", 1), ("' OR 1=1 --", 0)] {
            let page = list(ListProducts { q: q.into(), ..ListProducts::default() }).await.unwrap();
            assert_eq!(page.items.len(), found, "{q}");
        }
        assert!(matches!(list(ListProducts { after: "nonsense".into(), ..ListProducts::default() }).await, Err(Error::Invalid(_))));
        assert!(matches!(list(ListProducts { q: "x".repeat(101), ..ListProducts::default() }).await, Err(Error::Invalid(_))));
    }

    async fn what_is_put_twice_is_brought_up_to_date(market) {
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let variant = catalog::NewVariant { sku: "Clay bowl".into(), price_minor: 47_000, stock: 99, ..Default::default() };
        let product = catalog::NewProduct { title: "Big clay bowl".into(), variants: vec![variant], ..Default::default() };
        let put = catalog::put_products(&market.engine, &Caller::system(), "meena-crafts", vec![product]).await.unwrap();
        assert_eq!(put, catalog::Put { added: 0, updated: 1 });
        let page = catalog::list(&market.engine, &Caller::guest(), ListProducts::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
        let view = catalog::product(&market.engine, &Caller::guest(), &page.items[0].slug).await.unwrap();
        assert_eq!((view.title.as_str(), view.variants[0].price.amount(), view.variants[0].available), ("Big clay bowl", 47_000, 10));
        assert_eq!(shops::shop(&market.engine, &Caller::guest(), "meena-crafts").await.unwrap().products, 1);
        let variant = view.variants[0].id;
        let owner = market.owner("meena-crafts").await;
        inventory::receive(&market.engine, &owner, variant, 5, "delivery note 1").await.unwrap();
        inventory::receive(&market.engine, &owner, variant, 5, "delivery note 1").await.unwrap();
        assert_eq!(market.available(variant).await, 15, "the same delivery counts once");
        let reused = inventory::receive(&market.engine, &owner, variant, 6, "delivery note 1").await;
        assert_eq!(reused, Err(Conflict::KeyReused.into()));
        let stranger = market.owner("delta-electronics").await;
        assert_eq!(inventory::receive(&market.engine, &stranger, variant, 5, "x").await, Err(Error::NotFound));
        assert!(matches!(inventory::receive(&market.engine, &owner, variant, 0, "y").await, Err(Error::Invalid(_))));
    }

    async fn what_is_not_there_is_not_found(market) {
        assert_eq!(catalog::product(&market.engine, &Caller::guest(), "no-such-thing").await, Err(Error::NotFound));
        assert_eq!(shops::shop(&market.engine, &Caller::guest(), "no-such-shop").await, Err(Error::NotFound));
        let guest = catalog::put_products(&market.engine, &Caller::guest(), "meena-crafts", Vec::new()).await;
        assert_eq!(guest, Err(Error::SignInNeeded));
        let owner = market.owner("meena-crafts").await;
        assert_eq!(catalog::put_products(&market.engine, &owner, "meena-crafts", Vec::new()).await, Err(Error::NotFound));
    }
}
