use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use haat_engine::{
    Caller, Engine, Parts, TxError, Who, accounts, carts, catalog, checkout,
    media::{self, Kept, Owner, PictureError, PictureStore, SharedPictureStore},
    orders,
    schedules::{self, SCHEDULES},
    shops,
};
use haat_shared::{
    Error, FieldCode, Id,
    catalog::ListProducts,
    id::kinds::{MediaId, ProductId},
    media::{KEEP_UNUSED_MS, NewPicture, PER_PRODUCT_MAX, Purpose::*, Upload},
    permissions::Role,
};
use uuid::Uuid;

use crate::{both, races::at_once, support::*};

const RED: [u8; 3] = [200, 30, 30];

fn shown(media: MediaId, alt: &str) -> NewPicture {
    NewPicture { media, alt: alt.into() }
}

/// The number of files of a picture.
fn files(market: &Market, id: MediaId) -> usize {
    let files = std::fs::read_dir(market.folder.join("media")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&id.to_string())).count()
}

/// Runs the schedule that deletes pictures.
async fn sweep(engine: &Engine) -> Result<bool, TxError> {
    let media = SCHEDULES.iter().find(|schedule| schedule.name == "media").unwrap();
    schedules::run_if_due(engine, media).await
}

/// The only product of a shop, new, and its ID.
async fn bowl(market: &Market, title: &str) -> ProductId {
    market.product("meena-crafts", title, 45_000, 10).await;
    let of = ListProducts { q: title.into(), ..Default::default() };
    catalog::list(&market.engine, &Caller::guest(), of).await.unwrap().items[0].id
}

/// A store that cannot delete anything for a while.
struct Stuck(SharedPictureStore, AtomicBool);

#[async_trait::async_trait]
impl PictureStore for Stuck {
    async fn keep(&self, id: MediaId, bytes: Vec<u8>, allowed: Upload) -> Result<Kept, PictureError> {
        self.0.keep(id, bytes, allowed).await
    }
    async fn remove(&self, id: MediaId) -> Result<(), String> {
        if self.1.load(Ordering::Relaxed) { Err("stuck".into()) } else { self.0.remove(id).await }
    }
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
            pictures.push(media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(40, 40, [i, 0, 0])).await.unwrap().id);
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
        let theirs = media::add(engine, &other, ProductPicture, Some("delta-electronics"), png(40, 40, RED)).await.unwrap().id;
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

        let front = media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(700, 500, RED)).await.unwrap();
        assert_eq!((front.width, front.height, front.color.as_str()), (700, 500, "#c81e1e"));
        let before = engine.db.counts();
        assert_eq!(media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(700, 500, RED)).await.unwrap(), front, "uploaded twice, stored once");
        // It was found, and is kept for another day.
        assert_eq!((engine.db.counts().0 - before.0, engine.db.counts().1 - before.1), (2, 1));
        let back = media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(90, 90, [0, 0, 99])).await.unwrap();
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
        let of_shop = orders::seller_order(engine, &owner, "meena-crafts", &format!("{number}-1")).await.unwrap();
        assert_eq!(of_shop.order.order.lines[0].picture.as_ref(), Some(&first));

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
        let theirs = media::add(engine, &stranger, ProductPicture, Some("delta-electronics"), png(9, 9, RED)).await.unwrap();
        let ours = media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(9, 9, RED)).await.unwrap();
        assert_ne!(theirs.id, ours.id, "each shop has its own image, even with the same bytes");
        for (who, caller, refusal) in [
            ("a guest", Caller::guest(), Error::SignInNeeded),
            ("a shopper", shopper, Error::NotFound),
            ("another shop's owner", stranger, Error::NotFound),
            ("a packer", packer, Error::Denied),
        ] {
            let added = media::add(engine, &caller, ProductPicture, Some("meena-crafts"), png(9, 9, RED)).await;
            assert_eq!(added, Err(refusal.clone()), "{who}");
            let set = media::set_pictures(engine, &caller, "meena-crafts", product, vec![shown(ours.id, "")]).await;
            assert_eq!(set, Err(refusal), "{who}");
        }
        let set = |product, pictures| media::set_pictures(engine, &owner, "meena-crafts", product, pictures);
        assert_eq!(set(product, vec![shown(ours.id, ""), shown(theirs.id, "")]).await, Err(Error::NotFound));
        assert_eq!(set(Id::from_uuid(Uuid::nil()), vec![shown(ours.id, "")]).await, Err(Error::NotFound));
        let page = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap();
        assert_eq!(page.items[0].picture, None, "all or nothing");
        assert_eq!(media::add(engine, &owner, ProductPicture, Some("no-such-shop"), png(9, 9, RED)).await, Err(Error::NotFound));
        assert_eq!(media::add(engine, &Caller::system(), ProductPicture, Some("no-such-shop"), png(9, 9, RED)).await, Err(Error::NotFound));
    }

    async fn invalid_galleries_are_rejected(market) {
        let engine = &market.engine;
        market.product("meena-crafts", "Clay bowl", 45_000, 10).await;
        let product = catalog::list(engine, &Caller::guest(), ListProducts::default()).await.unwrap().items[0].id;
        let owner = market.owner("meena-crafts").await;
        let mut pictures = Vec::new();
        for i in 0..=PER_PRODUCT_MAX as u32 {
            pictures.push(shown(media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(8 + i, 8, RED)).await.unwrap().id, ""));
        }
        let set = |pictures| media::set_pictures(engine, &owner, "meena-crafts", product, pictures);
        assert_eq!(set(pictures.clone()).await, Err(Error::field("pictures", FieldCode::TooMany)));
        assert_eq!(set(vec![pictures[0].clone(), pictures[0].clone()]).await, Err(Error::field("pictures", FieldCode::NotUnique)));
        let long = shown(pictures[0].media, &"x".repeat(301));
        assert_eq!(set(vec![long]).await, Err(Error::field("alt", FieldCode::TooLong(300))));
        set(pictures[..PER_PRODUCT_MAX].to_vec()).await.unwrap();
        for (bytes, code) in [(b"GIF89a".to_vec(), FieldCode::NotAPicture), (Vec::new(), FieldCode::Missing), (vec![0; 13_000_000], FieldCode::PictureTooHeavy(12 * 1024 * 1024))] {
            let added = media::add(engine, &owner, ProductPicture, Some("meena-crafts"), bytes).await;
            assert_eq!(added, Err(Error::field("picture", code)));
        }
        catalog::delete(engine, &owner, "meena-crafts", product).await.unwrap();
        assert_eq!(set(pictures[..1].to_vec()).await, Err(Error::NotFound), "it was deleted with its images");
    }

    async fn each_purpose_has_its_uploaders_and_limits(market) {
        let engine = &market.engine;
        let owner = market.owner("meena-crafts").await;
        let asha = market.signed_up(&Caller::guest(), "asha").await;
        accounts::create_operator(engine, &Caller::system(), sign_up("boss")).await.unwrap();
        let boss = market.owner("boss").await;
        let meena = Some("meena-crafts");
        let own = |caller: &Caller| Owner::User(caller.user_id().unwrap());
        let shop = media::owner(engine, &owner, Logo, meena).await.unwrap();
        assert!(matches!(shop, Owner::Shop(_)));
        for (purpose, of_guest, of_shopper, of_seller, of_boss) in [
            (ProductPicture, Err(Error::SignInNeeded), Err(Error::NotFound), Ok(shop), Err(Error::NotFound)),
            (Logo, Err(Error::SignInNeeded), Err(Error::NotFound), Ok(shop), Err(Error::NotFound)),
            (CategoryPicture, Err(Error::SignInNeeded), Err(Error::NotFound), Err(Error::NotFound), Ok(Owner::Market)),
            (Avatar, Err(Error::SignInNeeded), Ok(own(&asha)), Ok(own(&owner)), Ok(own(&boss))),
            (ReviewPicture, Err(Error::SignInNeeded), Ok(own(&asha)), Ok(own(&owner)), Ok(own(&boss))),
            // `chat::add_picture` is the only way.
            (ChatPicture, Err(Error::NotFound), Err(Error::NotFound), Err(Error::NotFound), Err(Error::NotFound)),
        ] {
            let who = [&Caller::guest(), &asha, &owner, &boss];
            for (caller, expected) in who.into_iter().zip([of_guest, of_shopper, of_seller, of_boss]) {
                assert_eq!(media::owner(engine, caller, purpose, meena).await, expected, "{purpose:?} by {caller:?}");
                let added = media::add(engine, caller, purpose, meena, png(9, 9, RED)).await;
                assert_eq!(added.is_ok(), expected.is_ok(), "{purpose:?} by {caller:?}");
            }
        }
        assert_eq!(media::owner(engine, &owner, Logo, None).await, Err(Error::NotFound), "of no shop");

        // The same bytes are another picture for everyone.
        let of_asha = media::add(engine, &asha, Avatar, None, png(9, 9, RED)).await.unwrap();
        let of_owner = media::add(engine, &owner, Avatar, None, png(9, 9, RED)).await.unwrap();
        let of_shop = media::add(engine, &owner, Logo, meena, png(9, 9, RED)).await.unwrap();
        assert_eq!([of_asha.id, of_owner.id, of_shop.id].map(|id| files(market, id)), [2, 2, 2]);
        assert!(of_asha.id != of_owner.id && of_owner.id != of_shop.id);
        let theirs = shops::set_logo(engine, &owner, "meena-crafts", of_owner.id).await;
        assert_eq!(theirs, Err(Error::NotFound), "a user's picture is not their shop's");

        // A logo may be smaller than a product's picture, even one that the shop has already.
        let too_wide = Err(Error::field("picture", FieldCode::PictureTooWide(8_000)));
        assert_eq!(media::add(engine, &owner, Logo, meena, png(8_001, 2, RED)).await, too_wide);
        media::add(engine, &owner, ProductPicture, meena, png(8_001, 2, RED)).await.unwrap();
        assert_eq!(media::add(engine, &owner, Logo, meena, png(8_001, 2, RED)).await, too_wide);
        let heavy = media::add(engine, &asha, Avatar, None, vec![0; 5_000_000]).await;
        assert_eq!(heavy, Err(Error::field("picture", FieldCode::PictureTooHeavy(4 * 1024 * 1024))));
    }

    async fn what_nothing_uses_is_deleted_with_its_files(market) {
        let (engine, owner) = (&market.engine, market.owner("meena-crafts").await);
        let meena = "meena-crafts";
        let (one, two) = (bowl(market, "Clay bowl").await, bowl(market, "Brass pot").await);
        let add = async |n: u8| media::add(engine, &owner, ProductPicture, Some(meena), png(9, 9, [n, 0, 0])).await.unwrap().id;
        let set = async |product, ids: &[MediaId]| {
            let pictures = ids.iter().map(|id| shown(*id, "")).collect();
            media::set_pictures(engine, &owner, meena, product, pictures).await.unwrap();
        };
        let later = async |ms: i64| {
            market.clock.advance_ms(ms);
            assert!(sweep(engine).await.unwrap());
        };
        let (shared, front, logo, unused) = (add(1).await, add(2).await, add(3).await, add(4).await);
        set(one, &[shared, front]).await;
        set(two, &[shared]).await;
        shops::set_logo(engine, &owner, meena, logo).await.unwrap();
        let left = |ids: &[MediaId]| ids.iter().map(|id| files(market, *id)).collect::<Vec<_>>();
        later(KEEP_UNUSED_MS - 60_000).await;
        assert_eq!(left(&[shared, front, logo, unused]), [2, 2, 2, 2], "it may still be used");
        later(KEEP_UNUSED_MS).await;
        assert_eq!(left(&[shared, front, logo, unused]), [2, 2, 2, 0]);

        // What is replaced or removed goes, unless something else uses it.
        let next = add(5).await;
        shops::set_logo(engine, &owner, meena, next).await.unwrap();
        set(one, &[front]).await;
        media::change_picture(engine, &owner, meena, one, media::PictureChange::Remove(front)).await.unwrap();
        later(600_000).await;
        assert_eq!(left(&[shared, front, logo, next]), [2, 2, 2, 2]);
        later(KEEP_UNUSED_MS).await;
        assert_eq!(left(&[shared, front, logo, next]), [2, 0, 0, 2]);
        shops::set_logo(engine, &owner, meena, next).await.unwrap();
        catalog::delete(engine, &owner, meena, two).await.unwrap();
        later(2 * KEEP_UNUSED_MS).await;
        assert_eq!(left(&[shared, next]), [0, 2]);

        // It can come again, and each upload keeps it for another day.
        assert_eq!(add(2).await, front);
        later(KEEP_UNUSED_MS - 60_000).await;
        assert_eq!(add(2).await, front);
        later(KEEP_UNUSED_MS - 60_000).await;
        assert_eq!(left(&[front]), [2]);
        set(one, &[front]).await;
        later(2 * KEEP_UNUSED_MS).await;
        assert_eq!(left(&[front, next]), [2, 2]);
    }

    async fn a_picture_of_a_category_is_kept_until_it_is_replaced(market) {
        let (engine, system) = (&market.engine, Caller::system());
        let put = async |slug: &str, picture| {
            let category = catalog::NewCategory { slug: slug.into(), name: slug.into(), parent: None, tax_category: String::new(), picture, ..Default::default() };
            catalog::put_categories(engine, &system, vec![category]).await
        };
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(media::add(engine, &system, CategoryPicture, None, png(9, 9, [n, 0, 0])).await.unwrap().id);
        }
        put("pots", Some(ids[0])).await.unwrap();
        put("lamps", Some(ids[1])).await.unwrap();
        put("pots", Some(ids[2])).await.unwrap();
        put("lamps", None).await.unwrap();
        for _ in 0..2 {
            market.clock.advance_ms(KEEP_UNUSED_MS + 1);
            assert!(sweep(engine).await.unwrap());
            assert_eq!(ids.iter().map(|id| files(market, *id)).collect::<Vec<_>>(), [0, 2, 2]);
        }
        assert_eq!(put("pots", Some(ids[0])).await, Err(Error::NotFound));
    }

    async fn while_it_is_being_deleted_nothing_may_use_it(market) {
        let store = Arc::new(Stuck(market.engine.pictures.clone(), AtomicBool::new(true)));
        let engine = &Engine::new(Parts { pictures: store.clone(), ..market.parts() }).unwrap();
        let (owner, product) = (market.owner("meena-crafts").await, bowl(market, "Clay bowl").await);
        let add = || media::add(engine, &owner, ProductPicture, Some("meena-crafts"), png(9, 9, RED));
        let id = add().await.unwrap().id;
        market.clock.advance_ms(KEEP_UNUSED_MS);
        let failed = sweep(engine).await.unwrap_err().to_string();
        assert!(failed.contains(&id.to_string()) && failed.contains("stuck"), "{failed}");
        assert_eq!(add().await, Err(Error::Busy { retry_after_s: 5 }));
        let set = || media::set_pictures(engine, &owner, "meena-crafts", product, vec![shown(id, "")]);
        assert_eq!(set().await, Err(Error::NotFound));
        assert_eq!(shops::set_logo(engine, &owner, "meena-crafts", id).await, Err(Error::NotFound));
        store.1.store(false, Ordering::Relaxed);
        market.clock.advance_ms(600_000);
        assert!(sweep(engine).await.unwrap());
        assert_eq!(files(market, id), 0);
        assert_eq!(add().await.unwrap().id, id);
        set().await.unwrap();
        assert_eq!(files(market, id), 2);
    }

    async fn what_is_used_while_it_expires_is_used_or_gone(market) {
        let (owner, product) = (market.owner("meena-crafts").await, bowl(market, "Clay bowl").await);
        for n in 0..8 {
            let engine = market.engine.clone();
            let id = media::add(&engine, &owner, ProductPicture, Some("meena-crafts"), png(9, 9, [n, 0, 0])).await.unwrap().id;
            market.clock.advance_ms(KEEP_UNUSED_MS);
            let work = [false, true].map(|sweeps| {
                let (engine, owner) = (engine.clone(), owner.clone());
                async move {
                    match sweeps {
                        true => sweep(&engine).await.unwrap(),
                        false => media::set_pictures(&engine, &owner, "meena-crafts", product, vec![shown(id, "")]).await.is_ok(),
                    }
                }
            });
            let done = at_once(Vec::from(work)).await;
            assert!(done[1]);
            assert_eq!(files(market, id), if done[0] { 2 } else { 0 }, "{done:?}");
        }
    }
}
