use haat_engine::{Caller, Who, carts, catalog, checkout, media, orders, shops};
use haat_shared::{
    Error, FieldCode, Id,
    catalog::ListProducts,
    media::{NewPicture, PER_PRODUCT_MAX},
    permissions::Role,
};
use uuid::Uuid;

use crate::{both, races::at_once, support::*};

const RED: [u8; 3] = [200, 30, 30];

fn shown(media: haat_shared::id::kinds::MediaId, alt: &str) -> NewPicture {
    NewPicture { media, alt: alt.into() }
}

both! {
    async fn pictures_are_added_and_removed_one_by_one(market) {
        use media::PictureChange::{Add, Describe, Remove};
        let (engine, owner) = (&market.engine, market.owner("meena-crafts").await);
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let card = async || catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items.remove(0);
        let product = card().await.id;
        let mut pictures = Vec::new();
        for i in 0..PER_PRODUCT_MAX as u8 + 1 {
            pictures.push(media::add(engine, &owner, "meena-crafts", png(40, 40, [i, 0, 0])).await.unwrap().id);
        }
        let change = async |change| media::change_picture(engine, &owner, "meena-crafts", product, change).await;
        let now = async || {
            let shown = media::seller_pictures(engine, &owner, "meena-crafts", product).await.unwrap();
            shown.into_iter().map(|p| (p.id, p.alt)).collect::<Vec<_>>()
        };
        change(Add(shown(pictures[0], "Front"))).await.unwrap();
        change(Add(shown(pictures[1], ""))).await.unwrap();
        change(Add(shown(pictures[0], "From the front"))).await.unwrap();
        change(Describe(shown(pictures[1], "From the back"))).await.unwrap();
        assert_eq!(now().await, [(pictures[0], "From the front".into()), (pictures[1], "From the back".into())]);
        change(Remove(pictures[0])).await.unwrap();
        assert_eq!(card().await.picture.unwrap().id, pictures[1], "the next image is now the first");
        for gone in [Remove(pictures[0]), Describe(shown(pictures[0], ""))] {
            assert_eq!(change(gone).await, Err(Error::NotFound));
        }

        let rest: Vec<_> = pictures.iter().filter(|id| **id != pictures[1]).copied().collect();
        let tries = at_once(rest.into_iter().map(|id| {
            let (engine, owner) = (engine.clone(), owner.clone());
            async move { media::change_picture(&engine, &owner, "meena-crafts", product, Add(shown(id, ""))).await }
        }).collect()).await;
        let full = Err(Error::field("pictures", FieldCode::TooMany));
        assert_eq!((tries.iter().filter(|t| t.is_ok()).count(), tries.iter().filter(|t| **t == full).count()), (7, 1), "{tries:?}");
        assert_eq!(now().await.len(), PER_PRODUCT_MAX);

        let other = market.owner("delta-electronics").await;
        let theirs = media::add(engine, &other, "delta-electronics", png(40, 40, RED)).await.unwrap().id;
        change(Remove(pictures[1])).await.unwrap();
        assert_eq!(change(Add(shown(theirs, ""))).await, Err(Error::NotFound), "another shop's picture");
        let foreign = media::change_picture(engine, &other, "delta-electronics", product, Remove(pictures[2])).await;
        assert_eq!(foreign, Err(Error::NotFound), "another shop's product");
        assert_eq!(now().await.len(), PER_PRODUCT_MAX - 1);
    }

    async fn a_product_is_shown_with_its_shops_pictures(market) {
        let engine = &market.engine;
        let owner = market.owner("meena-crafts").await;
        let lamp = market.product("meena-crafts", "Brass lamp", 45_000, 10).await;
        let bowl = market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let card = async || catalog::list(engine, &Caller::guest(), ListProducts { q: "bowl".into(), ..Default::default() }).await.unwrap().items.remove(0);
        assert_eq!(card().await.picture, None);

        let front = media::add(engine, &owner, "meena-crafts", png(700, 500, RED)).await.unwrap();
        assert_eq!((front.width, front.height, front.color.as_str()), (700, 500, "#c81e1e"));
        let before = engine.db.counts();
        assert_eq!(media::add(engine, &owner, "meena-crafts", png(700, 500, RED)).await.unwrap(), front, "uploaded twice, stored once");
        assert_eq!((engine.db.counts().0 - before.0, engine.db.counts().1 - before.1), (1, 0));
        let back = media::add(engine, &owner, "meena-crafts", png(90, 90, [0, 0, 99])).await.unwrap();
        let product = card().await.id;
        media::set_pictures(engine, &owner, "meena-crafts", product, vec![shown(back.id, ""), shown(front.id, "From the front")]).await.unwrap();
        media::set_pictures(engine, &owner, "meena-crafts", product, vec![shown(front.id, " From the front "), shown(back.id, "")]).await.unwrap();

        let first = haat_shared::media::Picture { alt: "From the front".into(), ..front.clone() };
        assert_eq!(card().await.picture.as_ref(), Some(&first));
        let page = catalog::product(engine, &Caller::guest(), &card().await.slug).await.unwrap();
        assert_eq!(page.pictures, [first.clone(), back.clone()]);
        assert_eq!(media::seller_pictures(engine, &owner, "meena-crafts", product).await.unwrap(), page.pictures);
        let other = market.owner("delta-electronics").await;
        assert_eq!(media::seller_pictures(engine, &other, "delta-electronics", product).await.unwrap(), [], "another shop's product");

        let guest = market.guest_with(&[(bowl, 1), (lamp, 1)]).await;
        let cart = carts::view(engine, &guest).await.unwrap();
        let pictures: Vec<_> = cart.groups[0].lines.iter().map(|l| l.picture.clone()).collect();
        assert_eq!(pictures, [Some(first.clone()), None]);
        let id = checkout::begin(engine, &guest).await.unwrap();
        let view = checkout::view(engine, &guest, id).await.unwrap();
        assert_eq!(view.groups[0].lines[0].picture.as_ref(), Some(&first));
        let number = number_of(&checkout::pay(engine, &guest, id, form("cash"), 1, "k").await.unwrap());
        let purchase = orders::purchase(engine, &guest, &number, "").await.unwrap();
        assert_eq!(purchase.orders[0].lines[0].picture.as_ref(), Some(&first));
        let of_shop = orders::of_shop(engine, &owner, "meena-crafts", "").await.unwrap();
        assert_eq!(of_shop.items[0].order.lines[0].picture.as_ref(), Some(&first));

        // A product imported with images; existing images are kept when it is updated.
        let new = |title: &str, pictures| catalog::NewProduct {
            title: title.into(),
            pictures,
            variants: vec![catalog::NewVariant { sku: "BOWL-2".into(), price_minor: 1, stock: 1, ..Default::default() }],
            ..Default::default()
        };
        let system = Caller::system();
        let put = |title, pictures| catalog::upsert_products(engine, &system, "meena-crafts", vec![new(title, pictures)]);
        put("Blue bowl", vec![shown(back.id, "Blue")]).await.unwrap();
        put("Blue bowl, big", vec![]).await.unwrap();
        let card = card().await;
        assert_eq!((card.title.as_str(), card.picture.map(|p| p.alt)), ("Blue bowl, big", Some("Blue".into())));
        media::set_pictures(engine, &owner, "meena-crafts", product, vec![]).await.unwrap();
        assert_eq!(catalog::product(engine, &Caller::guest(), &page.slug).await.unwrap().pictures, []);
        shops::set_logo(engine, &owner, "meena-crafts", front.id).await.unwrap();
        let logo = shops::shop(engine, &Caller::guest(), "meena-crafts").await.unwrap().logo;
        assert_eq!(logo.map(|p| (p.id, p.alt)), Some((front.id, "meena crafts".into())));
        let delta = market.owner("delta-electronics").await;
        let refused = shops::set_logo(engine, &delta, "delta-electronics", front.id).await;
        assert_eq!(refused, Err(Error::NotFound), "another shop's picture");
        let logo = shops::shop(engine, &Caller::guest(), "delta-electronics").await.unwrap().logo;
        assert_eq!(logo, None);
        let none = haat_engine::random::id(0);
        assert_eq!(shops::set_logo(engine, &owner, "meena-crafts", none).await, Err(Error::NotFound));
        let logo = shops::shop(engine, &Caller::guest(), "meena-crafts").await.unwrap().logo;
        assert_eq!(logo.map(|p| p.id), Some(front.id), "the logo is kept");
    }

    async fn nobody_else_gives_a_shop_pictures(market) {
        let engine = &market.engine;
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let product = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items[0].id;
        let owner = market.owner("meena-crafts").await;
        let stranger = market.owner("delta-electronics").await;
        let shopper = market.signed_up(&Caller::guest(), "asha").await;
        let mut packer = owner.clone();
        if let Who::User(user) = &mut packer.who {
            user.shops[0].role = Role::Fulfilment;
        }
        let theirs = media::add(engine, &stranger, "delta-electronics", png(9, 9, RED)).await.unwrap();
        let ours = media::add(engine, &owner, "meena-crafts", png(9, 9, RED)).await.unwrap();
        assert_ne!(theirs.id, ours.id, "each shop has its own image, even with the same bytes");
        for (who, caller, refusal) in [
            ("a guest", Caller::guest(), Error::SignInNeeded),
            ("a shopper", shopper, Error::NotFound),
            ("another shop's owner", stranger, Error::NotFound),
            ("a packer", packer, Error::Denied),
        ] {
            let added = media::add(engine, &caller, "meena-crafts", png(9, 9, RED)).await;
            assert_eq!(added, Err(refusal.clone()), "{who}");
            let set = media::set_pictures(engine, &caller, "meena-crafts", product, vec![shown(ours.id, "")]).await;
            assert_eq!(set, Err(refusal), "{who}");
        }
        let set = |product, pictures| media::set_pictures(engine, &owner, "meena-crafts", product, pictures);
        assert_eq!(set(product, vec![shown(ours.id, ""), shown(theirs.id, "")]).await, Err(Error::NotFound));
        assert_eq!(set(Id::from_uuid(Uuid::nil()), vec![shown(ours.id, "")]).await, Err(Error::NotFound));
        let page = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap();
        assert_eq!(page.items[0].picture, None, "all or nothing");
        assert_eq!(media::add(engine, &owner, "no-such-shop", png(9, 9, RED)).await, Err(Error::NotFound));
        assert_eq!(media::add(engine, &Caller::system(), "no-such-shop", png(9, 9, RED)).await, Err(Error::NotFound));
    }

    async fn invalid_galleries_are_rejected(market) {
        let engine = &market.engine;
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let product = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items[0].id;
        let owner = market.owner("meena-crafts").await;
        let mut pictures = Vec::new();
        for i in 0..=PER_PRODUCT_MAX as u32 {
            pictures.push(shown(media::add(engine, &owner, "meena-crafts", png(8 + i, 8, RED)).await.unwrap().id, ""));
        }
        let set = |pictures| media::set_pictures(engine, &owner, "meena-crafts", product, pictures);
        assert_eq!(set(pictures.clone()).await, Err(Error::field("pictures", FieldCode::TooMany)));
        assert_eq!(set(vec![pictures[0].clone(), pictures[0].clone()]).await, Err(Error::field("pictures", FieldCode::NotUnique)));
        let long = shown(pictures[0].media, &"x".repeat(301));
        assert_eq!(set(vec![long]).await, Err(Error::field("alt", FieldCode::TooLong(300))));
        set(pictures[..PER_PRODUCT_MAX].to_vec()).await.unwrap();
        for (bytes, code) in [(b"GIF89a".to_vec(), FieldCode::NotAPicture), (Vec::new(), FieldCode::Missing), (vec![0; 13_000_000], FieldCode::PictureTooHeavy)] {
            let added = media::add(engine, &owner, "meena-crafts", bytes).await;
            assert_eq!(added, Err(Error::field("picture", code)));
        }
        catalog::delete(engine, &owner, "meena-crafts", product).await.unwrap();
        assert_eq!(set(pictures[..1].to_vec()).await, Err(Error::NotFound), "it was deleted with its images");
    }
}
