//! A product page: details, price, and adding it to the cart.

use haat_shared::{
    Error, Money,
    appointments::{ServiceFacts, ServicePlace},
    carts::AddLine,
    catalog::{
        Attribute, ProductView, VariantStock, VariantView,
        attributes::{AttributeKind, TypedAttribute},
    },
    forms::Draft,
    id::kinds::{ProductId, VariantId},
    promotions::ProductOffer,
    reviews::ProductReviews,
    routes,
    shops::ShopView,
};
use leptos::{ev::SubmitEvent, prelude::*};
use serde_json::json;

use super::{
    category::Trail,
    gallery::Gallery,
    live_stock,
    product_reviews::{self, Asked},
    recommendations,
    share::Share,
    shops::shop_logo,
    sign_up::draft_by,
    wish::Heart,
};
use crate::{
    api::{self, ApiError, catalog::ProductDetails},
    head::{self, About, ours},
    i18n::{t, tn, tu_string, use_i18n},
    state::{CartCount, param, query},
    ui::{
        Alert, Button, CodeAlert, Icon, LinkButton, PageTitle, Price, Toaster, Was, loaded, message_shop,
        still,
    },
    words,
};

/// From this stock on, the number left is not shown.
const PLENTY: i64 = 10;

/// A product page.
#[component]
pub(crate) fn Product() -> impl IntoView {
    let slug = param("slug");
    let (draft, done) = (query("draft"), query("done"));
    let (sort, after) = (query("reviews"), query("after"));
    let found = api::find(
        move || (slug.get(), draft.get(), sort.get(), after.get()),
        |(slug, draft, sort, after)| async move {
            let details = api::catalog::product(slug.clone()).await?;
            let reviews = api::reviews::of_product(slug, sort.clone(), after.clone()).await?;
            let reported = draft_by("review_report", draft.clone()).await?;
            Ok((details, draft_by("add_line", draft).await?, reviews, (sort, after, reported)))
        },
    );
    loaded(found, move |(details, draft, reviews, (sort, after, reported))| {
        let asked = Asked { sort, after, done: done.get_untracked(), draft: reported };
        view! { <Shown details draft reviews asked /> }
    })
}

/// The metadata of a product for search engines.
fn about(i18n: words::I18n, product: ProductView, reviews: &ProductReviews) -> About {
    let path = routes::product(&product.slug);
    let offers = product.variants.iter().map(|variant| {
        let there = if variant.is_available() { "InStock" } else { "OutOfStock" };
        json!({
            "@type": "Offer",
            "url": ours(&path),
            "price": variant.price.plain(),
            "priceCurrency": variant.price.currency().code(),
            "availability": format!("https://schema.org/{there}"),
            "seller": { "@type": "Organization", "name": product.shop.name },
        })
    });
    let mut fact = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.title,
        "description": product.description,
        "url": ours(&path),
        "offers": offers.collect::<Vec<_>>(),
    });
    if !product.brand.is_empty() {
        fact["brand"] = json!({ "@type": "Brand", "name": product.brand });
    }
    product_reviews::facts(&mut fact, reviews, i18n);
    let way =
        head::breadcrumbs(tu_string!(i18n, product.home), &product.trail, Some((&product.title, &path)));
    About {
        facts: vec![fact, way],
        title: product.title,
        description: product.description,
        path,
        ..About::default()
    }
}

#[component]
fn Shown(details: ProductDetails, draft: Draft, reviews: ProductReviews, asked: Asked) -> impl IntoView {
    let i18n = use_i18n();
    let ProductDetails { product, delivery, offers, saved, related } = details;
    let whole = product.clone();
    head::describe(|| about(i18n, whole, &reviews));
    let rating = product_reviews::rating(i18n, &product);
    let (of, sold_by) = (product.slug.clone(), product.shop.name.clone());
    let brand =
        (!product.brand.is_empty()).then(|| view! { <p class="product-brand">{product.brand.clone()}</p> });
    let (description, typed, free) = (product.description, product.typed_attributes, product.attributes);
    view! {
        <PageTitle text=product.title.clone() />
        <div class="width page product">
            <Trail links=product.trail />
            <div class="product-picture">
                <Gallery pictures=product.pictures title=product.title.clone() />
            </div>
            <div class="product-buy">
                {brand}
                <h1>{product.title.clone()}</h1>
                {rating}
                {match product.service {
                    Some(facts) => service_box(i18n, &product.slug, &product.variants, &facts),
                    None => view! { <BuyBox product=product.id tax_included=product.tax_included variants=product.variants names=product.options slug=product.slug.clone() shop=product.shop.clone() delivery offers saved draft /> }.into_any(),
                }}
                <Share path=routes::product(&product.slug) title=product.title.clone() />
                <ShopCard shop=product.shop product=product.id />
            </div>
            {still(move || description_and_details(description, typed, free))}
        </div>
        {recommendations::related(i18n, related)}
        <div class="width product-end">
            {still(move || product_reviews::reviews(&of, &sold_by, reviews, &asked))}
        </div>
    }
}

/// The description and the details.
fn description_and_details(description: String, typed: Vec<TypedAttribute>, free: Vec<Attribute>) -> AnyView {
    let i18n = use_i18n();
    let typed = typed.into_iter().map(|a| {
        let color = (a.kind == AttributeKind::Color).then(|| a.value.clone());
        let value = match (a.kind, a.value.as_str()) {
            (AttributeKind::YesNo, "yes") => t!(i18n, product.yes).to_owned(),
            (AttributeKind::YesNo, _) => t!(i18n, product.no).to_owned(),
            (AttributeKind::Number, _) if !a.unit.is_empty() => format!("{}\u{a0}{}", a.value, a.unit),
            _ => a.value,
        };
        (a.name, value, color)
    });
    let free = free.into_iter().map(|a| (a.name, a.value, None));
    let details = typed.collect::<Vec<_>>().into_iter().chain(free).map(|(name, value, color)| {
        // A fill, since the content security policy forbids styles in attributes.
        let swatch = color.map(|color| {
            view! {
                <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true">
                    <rect width="1" height="1" fill=color />
                </svg>
            }
        });
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{swatch}{value}</dd>
            </div>
        }
    });
    let details = details.collect_view();
    let paragraphs = description.split('\n').map(str::trim).filter(|p| !p.is_empty());
    let paragraphs = paragraphs.map(|p| view! { <p>{p.to_owned()}</p> }).collect_view();
    view! {
        <div class="product-about">
            {(!paragraphs.is_empty())
                .then(|| {
                    view! {
                        <section aria-labelledby="about">
                            <h2 id="about">{t!(i18n, product.description)}</h2>
                            <div class="prose">{paragraphs}</div>
                        </section>
                    }
                })}
            {(!details.is_empty())
                .then(|| {
                    view! {
                        <section aria-labelledby="details">
                            <h2 id="details">{t!(i18n, product.details)}</h2>
                            <dl class="details">{details}</dl>
                        </section>
                    }
                })}
        </div>
    }
    .into_any()
}

/// Price and length of a service, and the link to its calendar.
fn service_box(i18n: words::I18n, slug: &str, variants: &[VariantView], facts: &ServiceFacts) -> AnyView {
    let price =
        variants.first().map(|variant| view! { <p class="product-price"><Price of=variant.price /></p> });
    let place = match facts.place {
        ServicePlace::Customer => t!(i18n, services.at_customer),
        ServicePlace::Provider => t!(i18n, services.at_provider),
        ServicePlace::Online => t!(i18n, services.online),
    };
    view! {
        <div>
            {price}
            <ul class="promises">
                <li><Icon name="clock" />{tn!(i18n, services.minutes, facts.minutes)}</li>
                <li><Icon name="pin" />{place}</li>
            </ul>
            <LinkButton href=routes::book(slug)>{t!(i18n, services.choose)}</LinkButton>
        </div>
    }
    .into_any()
}

/// Price, stock, options, quantity, and **Add to cart**.
#[component]
fn BuyBox(
    product: ProductId,
    tax_included: bool,
    variants: Vec<VariantView>,
    names: Vec<String>,
    slug: String,
    shop: ShopView,
    /// The first and the last day on which it should arrive.
    delivery: (String, String),
    /// The offers that apply by themselves.
    offers: Vec<ProductOffer>,
    saved: Vec<VariantId>,
    draft: Draft,
) -> impl IntoView {
    let i18n = use_i18n();
    let typed = variants.iter().find(|v| v.id.to_string() == draft.typed("variant"));
    let first = typed.or(variants.iter().find(|v| v.is_available())).or(variants.first()).cloned();
    let wanted = if draft.error.is_some() { draft.typed("quantity") } else { "1".to_owned() };
    let Some(first) = first else { return ().into_any() };
    let chosen = RwSignal::new(first.clone());
    let stock: Vec<_> = variants.iter().map(|v| VariantStock { id: v.id, available: v.available }).collect();
    let stock = RwSignal::new(stock);
    live_stock::follow(product, stock);
    let (busy, fault) = (RwSignal::new(false), RwSignal::new(draft.error));
    let (cart, toaster) = (expect_context::<CartCount>(), expect_context::<Toaster>());
    let quantity = NodeRef::<leptos::html::Input>::new();

    let add = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let typed = quantity.get_untracked().map(|input| input.value()).unwrap_or_default();
        let line = AddLine { variant: chosen.with_untracked(|v| v.id), quantity: typed };
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::carts::add_line(line).await {
                Ok(view) => {
                    fault.set(None);
                    cart.changed(view.item_count);
                    let link = (routes::CART, tu_string!(i18n, product.view_cart).to_owned());
                    toaster.say(tu_string!(i18n, product.added).to_owned(), Some(link));
                }
                Err(ApiError(error)) => {
                    toaster.clear();
                    fault.set(Some(error));
                }
            }
            busy.set(false);
        });
    };

    let wrong = Memo::new(move |_| fault.with(|f| f.as_ref().and_then(|error| error.at("quantity"))));
    let left = Memo::new(move |_| live_stock::left(stock, chosen.with(|v| v.id)));
    let sold_out = Signal::derive(move || left.get().is_some_and(|left| left <= 0));
    let options = if variants.len() > 1 {
        view! { <Options variants names first=first.id chosen stock /> }.into_any()
    } else {
        // A single variant leaves no choice, but its option values (such as a colour) are still shown.
        let which = names.join(" / ");
        let which =
            (!which.is_empty()).then(|| view! { <p class="option-only">{which} ": " {first.title}</p> });
        view! {
            <input type="hidden" name="variant" value=first.id.to_string() />
            {which}
        }
        .into_any()
    };
    let (price, free_from) = (shop.shipping_price, shop.free_shipping_from);
    // A single one may cost enough.
    let shipping = move || {
        let Some(price) = price else { return t!(i18n, product.no_delivery).into_any() };
        let is_free = |from: Money| chosen.with(|v| v.price.amount() >= from.amount());
        if (price.amount() == 0 && !shop.shipping_varies) || free_from.is_some_and(is_free) {
            return tu_string!(i18n, product.delivery_free).into_any();
        }
        let shipping = match shop.shipping_varies {
            true => t!(i18n, product.delivery_varies, price = price),
            false => t!(i18n, product.delivery, price = price),
        };
        match free_from {
            Some(from) => view! {
                <span class="dots">
                    <span>{shipping}</span>
                    " "
                    <span>{t!(i18n, product.delivery_free_from, price = from)}</span>
                </span>
            }
            .into_any(),
            None => shipping.into_any(),
        }
    };
    let arrives = price.map(|_| words::arrives_on(i18n, &delivery));
    let returns = match shop.returns_days {
        0 => tu_string!(i18n, product.no_returns).to_owned(),
        n => tn!(i18n, product.returns, n),
    };
    view! {
        <p class="product-price">
            {move || {
                let before = chosen.with(|v| v.compare_at).map(|price| view! { <Was price /> });
                view! { <Price of=chosen.with(|v| v.price) /> " " {before} }
            }}
        </p>
        {move || {
            let lowest = chosen.with(|v| v.lowest_price)?;
            Some(view! { <p class="note">{t!(i18n, product.lowest, price = words::money(i18n, lowest))}</p> })
        }}
        {move || {
            let until = chosen.with(|v| v.sale_ends_at.clone())?;
            Some(view! { <p class="note">{t!(i18n, product.sale_until, time = words::moment(i18n, &until))}</p> })
        }}
        {move || {
            let left = chosen.with(|v| v.sale_left)?;
            Some(view! { <p class="note">{tn!(i18n, sale_events.left, left)}</p> })
        }}
        <p class="note">{match tax_included {
            true => t!(i18n, product.includes),
            false => t!(i18n, product.excludes),
        }}</p>
        <BuyFault fault />
        <form method="post" action=routes::FORM_ADD_LINE class="buy" novalidate on:submit=add>
            <input type="hidden" name="back" value=routes::product(&slug) />
            {options}
            <Stock left />
            {move || wrong.get().map(|code| view! {
                <p class="field-error" id="quantity-error" role="alert">{words::fault(i18n, "quantity", code)}</p>
            })}
            <div class="buy-bar">
                <div class="buy-quantity">
                    <label for="quantity">{t!(i18n, product.quantity)}</label>
                    <input
                        id="quantity"
                        type="text"
                        pattern="[0-9]*"
                        name="quantity"
                        value=wanted
                        inputmode="numeric"
                        autocomplete="off"
                        node_ref=quantity
                        aria-describedby=move || wrong.get().map(|_| "quantity-error")
                        aria-invalid=move || wrong.get().map(|_| "true")
                    />
                </div>
                <Button disabled=sold_out busy=busy>{t!(i18n, product.add)}</Button>
            </div>
            <Heart saved chosen />
        </form>
        <ul class="promises">
            {offers.iter().map(|offer| view! { <li><Icon name="tag" />{offer_words(i18n, offer)}</li> }).collect_view()}
            <li><Icon name="truck" /><span>{shipping}</span></li>
            <li><Icon name="clock" />{arrives}</li>
            <li><Icon name="back" />{returns}</li>
        </ul>
    }
    .into_any()
}

/// An offer that applies by itself: what it gives, and on which terms.
fn offer_words(locale: words::I18n, offer: &ProductOffer) -> String {
    let benefit = words::benefit(locale, offer.benefit);
    let from =
        offer.minimum.map(|least| t!(locale, promotions.offer_from, amount = words::money(locale, least)));
    let cap = offer.cap.map(|most| t!(locale, promotions.offer_up_to, amount = words::money(locale, most)));
    let until = offer
        .last_day
        .as_ref()
        .map(|last| t!(locale, promotions.offer_until, day = words::day(locale, last)));
    let parts: Vec<_> = [Some(benefit), from, cap, until].into_iter().flatten().collect();
    format!("{}: {}", offer.label, parts.join(", "))
}

/// The result of adding to the cart, now or before a redirect.
#[component]
pub(super) fn BuyFault(fault: RwSignal<Option<Error>>) -> impl IntoView {
    let i18n = use_i18n();
    move || match fault.get() {
        None => view! { <CodeAlert /> }.into_any(),
        // Shown next to its field.
        Some(Error::Invalid(_)) => ().into_any(),
        Some(error) => view! { <Alert>{words::error(i18n, &error)}</Alert> }.into_any(),
    }
}

/// The variants as buttons.
#[component]
fn Options(
    variants: Vec<VariantView>,
    names: Vec<String>,
    first: VariantId,
    chosen: RwSignal<VariantView>,
    stock: RwSignal<Vec<VariantStock>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let buttons = variants.into_iter().map(|variant| {
        let id = variant.id.to_string();
        let (title, price) = (variant.title.clone(), words::money(i18n, variant.price));
        let of = variant.id;
        let none = Memo::new(move |_| live_stock::left(stock, of).is_some_and(|left| left <= 0));
        view! {
            <div class="option" class:none=none>
                <input
                    type="radio"
                    name="variant"
                    id=id.clone()
                    value=id.clone()
                    checked=variant.id == first
                    on:change=move |_| chosen.set(variant.clone())
                />
                <label for=id>
                    <span>{title}</span>
                    <span class="option-price">
                        {move || match none.get() {
                            true => tu_string!(i18n, product.sold_out).to_owned(),
                            false => price.clone(),
                        }}
                    </span>
                </label>
            </div>
        }
    });
    let legend = if names.is_empty() { t!(i18n, product.option).to_owned() } else { names.join(" / ") };
    view! {
        <fieldset class="options">
            <legend>{legend}</legend>
            <div class="options-row">{buttons.collect_view()}</div>
        </fieldset>
    }
}

/// The stock as text.
#[component]
fn Stock(left: Memo<Option<i64>>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let (look, words) = match left.get() {
            Some(..=0) => ("none", tu_string!(i18n, product.sold_out_note).to_owned()),
            Some(n) if n <= PLENTY => ("few", tu_string!(i18n, product.only_left, n = n).to_string()),
            _ => ("plenty", tu_string!(i18n, product.in_stock).to_owned()),
        };
        view! { <p class=format!("stock {look}")>{words}</p> }
    }
}

#[component]
fn ShopCard(shop: ShopView, product: ProductId) -> impl IntoView {
    let i18n = use_i18n();
    let visit = tu_string!(i18n, product.visit, shop = shop.name.as_str()).to_string();
    view! {
        <section class="shop-card" aria-labelledby="seller">
            {shop_logo(&shop.name, shop.logo, true)}
            <div>
                <h2 id="seller">
                    <span class="note">{t!(i18n, product.seller)}</span>
                    " "
                    {shop.name}
                </h2>
                <p class="note">{shop.description}</p>
                <a href=routes::shop(&shop.handle)>{visit}</a>
                {message_shop(i18n, &shop.handle, &product.to_string())}
            </div>
        </section>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use haat_shared::{Currency, Money, pricing::Benefit, promotions::ProductOffer};

    use super::offer_words;
    use crate::words::I18n;

    #[test]
    fn offers_say_what_they_give_and_when() {
        let rupees = |amount: i64| Money::new(amount * 100, Currency::INR);
        let plain = ProductOffer {
            label: "Diwali".into(),
            benefit: Benefit::Percent(1_050),
            minimum: None,
            cap: None,
            last_day: None,
        };
        let table = [
            (plain.clone(), "Diwali: 10.5% off"),
            (
                ProductOffer {
                    minimum: Some(rupees(1_000)),
                    cap: Some(rupees(500)),
                    last_day: Some("2026-12-05T23:59:59+05:30[IST]".into()),
                    ..plain.clone()
                },
                "Diwali: 10.5% off, from ₹1,000.00, up to ₹500.00, until 5\u{a0}Dec\u{a0}2026",
            ),
            (ProductOffer { benefit: Benefit::Amount(rupees(200)), ..plain.clone() }, "Diwali: ₹200.00 off"),
            (ProductOffer { benefit: Benefit::FreeShipping, ..plain.clone() }, "Diwali: free shipping"),
            (
                ProductOffer { benefit: Benefit::BuyGet { buy: 2, get: 1, off_bp: 10_000 }, ..plain.clone() },
                "Diwali: buy 2, get 1 free",
            ),
            (
                ProductOffer { benefit: Benefit::BuyGet { buy: 2, get: 1, off_bp: 5_000 }, ..plain.clone() },
                "Diwali: buy 2, get 1 at 50% off",
            ),
        ];
        for (offer, words) in table {
            assert_eq!(offer_words(I18n::default(), &offer), words);
        }
    }
}
