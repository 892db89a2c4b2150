//! Every component of `ui` in all its states, on one page: `/dev/ui`. Rendered on the server only, so it
//! adds nothing to what browsers load. Headings are the names in the code.

use haat_shared::{Currency, Error, FieldCode, FieldError, Money, pricing::Totals, routes};
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::components::Router;

use crate::{
    countries,
    i18n::{self, t, use_i18n},
    layout,
    ui::{
        Alert, Amount, Bars, Button, Check, Chip, Choice, CodeAlert, Column, EmptyState, ErrorSummary,
        Failure, Field, Icon, LinkButton, ListFoot, PageTitle, Pager, Picture, Price, Print, SaveBar,
        SearchForm, Select, Skeleton, Sums, Table, TextArea, Toasts, Was, chips, narrow_sorts,
        offline_notice, provide_toasts, search, show_toast, sorts,
    },
    words,
};

const ICONS: &[&str] = &[
    "alert", "awning", "back", "basket", "book", "box", "card", "check", "clock", "close", "down", "gear",
    "mail", "person", "pin", "search", "settings", "side", "truck", "up",
];

/// The whole page.
pub fn showcase(options: LeptosOptions) -> impl IntoView {
    layout::secure_headers();
    let language = i18n::provide();
    provide_meta_context();
    provide_toasts();
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <HashedStylesheet options id="haat" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <MetaTags />
            </head>
            <body>
                <Router>
                    <main class="width page">
                        <PageTitle text="ui" />
                        <h1 translate="no">"ui"</h1>
                        <Parts />
                    </main>
                    <Toasts />
                </Router>
            </body>
        </html>
    }
}

/// One component under its name.
#[component]
fn Part(name: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="showcase">
            <h2 translate="no">{name}</h2>
            {children()}
        </section>
    }
}

#[component]
fn Parts() -> impl IntoView {
    let i18n = use_i18n();
    let faults = Error::Invalid(vec![
        FieldError::new("wrong", FieldCode::NotEmail),
        FieldError::new("description", FieldCode::TooLong(40)),
        FieldError::new("picked", FieldCode::NotAChoice),
        FieldError::new("unchosen", FieldCode::Missing),
    ]);
    let faults = Signal::stored(Some(faults));
    let labels = [
        ("wrong", t!(i18n, checkout.email)),
        ("description", t!(i18n, seller_products.description)),
        ("picked", t!(i18n, checkout.country)),
        ("unchosen", t!(i18n, checkout.how)),
    ];
    let labels = labels.map(|(name, words)| (name, words.to_owned())).to_vec();
    let one = Signal::stored(Some(Error::field("wrong", FieldCode::NotEmail)));
    let busy = Signal::stored(Some(Error::Busy { retry_after_s: 1 }));
    let columns = move || vec![(t!(i18n, dashboard.day), ""), (t!(i18n, dashboard.sold), "number")];
    let states = vec![
        Chip::from(("#".to_owned(), t!(i18n, seller_orders.all), false)).counting(1_562),
        Chip::filter("#".to_owned(), t!(i18n, seller_products.draft), true).counting(0),
        Chip::filter("#".to_owned(), t!(i18n, seller_products.on_sale), false),
    ];
    let table_columns = move || {
        let sorted =
            |words, look, by| Column::from((words, look)).sorted(by, "-price", |_| routes::DEV_UI.to_owned());
        vec![
            (t!(i18n, seller_products.choose), "tick").into(),
            sorted(t!(i18n, seller_products.product), "", "title"),
            (t!(i18n, seller_products.stock), "number").into(),
            sorted(t!(i18n, seller_products.price), "number", "price"),
        ]
    };
    let price = |minor| Money::new(minor, Currency::INR);
    let totals = move |subtotal, shipping, tax| Totals {
        subtotal: price(subtotal),
        discount: price(0),
        shipping: price(shipping),
        tax: price(tax),
        total: price(subtotal + shipping),
    };
    let words = t!(i18n, product.add);
    let ways = move || {
        vec![
            (
                "cash".to_owned(),
                t!(i18n, payment_method.cash).to_owned(),
                t!(i18n, payment_method.cash_note).to_owned(),
            ),
            (
                "sandbox".to_owned(),
                t!(i18n, payment_method.sandbox).to_owned(),
                t!(i18n, payment_method.sandbox_note).to_owned(),
            ),
        ]
    };
    let bars = (1..=9)
        .map(|n| (n.to_string(), n * n % 7, vec![words::money(i18n, price(n * n % 7 * 1000))]))
        .collect();
    let looks = ["primary", "secondary", "quiet", "danger"];
    show_toast(t!(i18n, product.added), (routes::CART, t!(i18n, product.view_cart)));
    view! {
        <Part name="Button">
            {looks.map(|look| view! { <p><Button look>{words}</Button> " " <Button look disabled=true>{words}</Button> " " <Button look busy=true>{words}</Button></p> }).collect_view()}
        </Part>
        <Part name="LinkButton">
            {looks.map(|look| view! { <p><LinkButton look href=routes::HOME>{t!(i18n, home.see_all)}</LinkButton></p> }).collect_view()}
        </Part>
        <Part name="Print"><Print words=t!(i18n, purchase.print) /></Part>
        <Part name="Alert">
            {["bad", "good", "info"].map(|look| view! { <Alert look>{t!(i18n, checkout.declined)}</Alert> }).collect_view()}
        </Part>
        <Part name="Field">
            <div class="form">
                <Field name="empty" label=t!(i18n, checkout.name) />
                <Field name="hinted" label=t!(i18n, checkout.phone) optional=true value="+91 20 5550 1234" hint=t!(i18n, checkout.phone_hint).to_owned() />
                <Field name="wrong" label=t!(i18n, checkout.email) value="asha at example" hint=t!(i18n, checkout.email_hint).to_owned() faults />
            </div>
        </Part>
        <Part name="Amount">
            <div class="form"><Amount name="price" label=t!(i18n, seller_products.price).to_owned() value="12,500".into() currency=Currency::INR faults /></div>
        </Part>
        <Part name="Select">
            <div class="form">
                <Select name="country" label=t!(i18n, checkout.country) value="IN" options=countries::all(i18n) />
                <Select name="picked" label=t!(i18n, checkout.country) value="" options=countries::all(i18n) faults />
            </div>
        </Part>
        <Part name="TextArea">
            <div class="form">
                <TextArea name="about" label=t!(i18n, seller_products.description) value="</textarea>\n<b>" hint=t!(i18n, seller_products.option_hint).to_owned() />
                <TextArea name="description" label=t!(i18n, seller_products.description) faults />
            </div>
        </Part>
        <Part name="Check">
            <Check name="pickup" label=t!(i18n, shipping.pickup) checked=true />
            <Check name="set_stock" label=t!(i18n, imports.set_stock) checked=false />
        </Part>
        <Part name="SaveBar">
            {[(false, false), (true, false), (true, true)].map(|(dirty, busy)| view! { <form><SaveBar dirty busy words=t!(i18n, form.save) /></form> }).collect_view()}
        </Part>
        <Part name="Table">
            <Table caption=t!(i18n, seller_products.title) columns=table_columns()>
                {[t!(i18n, seller_products.product), t!(i18n, seller_products.brand)].map(|title| view! {
                    <tr>
                        <td class="tick"><input type="checkbox" aria-label=title /></td>
                        <th scope="row">
                            <span class="with-picture">
                                <span class="table-picture"><Picture of=None title sizes="40px" /></span>
                                <a class="row-link" href=routes::DEV_UI>{title}</a>
                            </span>
                        </th>
                        <td class="number">{words::number(i18n, 7)}</td>
                        <td class="number">{words::money(i18n, price(124_900))}</td>
                    </tr>
                }).collect_view()}
            </Table>
        </Part>
        <Part name="ListFoot">
            {[(Some(562), None), (Some(562), Some(25)), (Some(1), None), (None, Some(100))].map(|(total, size)| {
                let next = (total != Some(1)).then(|| routes::DEV_UI.to_owned());
                view! { <ListFoot total size at=|_| routes::DEV_UI.to_owned() first=None next /> }
            }).collect_view()}
        </Part>
        <Part name="Bars">
            <Bars says=t!(i18n, dashboard.sales) top=words::money(i18n, price(9_000)) columns=columns() bars />
        </Part>
        <Part name="Choice">
            <div class="form">
                <Choice name="chosen" label=t!(i18n, checkout.how) value="cash" options=ways() />
                <Choice name="unchosen" label=t!(i18n, checkout.how) value="" options=ways() faults />
            </div>
        </Part>
        <Part name="ErrorSummary">
            <ErrorSummary faults=one labels=labels.clone() />
            <ErrorSummary faults labels=labels.clone() />
            <ErrorSummary faults=busy labels />
        </Part>
        // It reads the error code from the URL.
        <Part name="CodeAlert">
            <CodeAlert />
            <p>{["out_of_stock", "payment_declined", "busy"].map(|code| view! { <a href=format!("?error={code}") rel="external" translate="no">{code}</a> " " }).collect_view()}</p>
        </Part>
        <Part name="EmptyState">
            <EmptyState icon="basket" title=t!(i18n, cart.empty) note=t!(i18n, cart.empty_note)>
                <LinkButton href=routes::PRODUCTS>{t!(i18n, cart.shop_around)}</LinkButton>
            </EmptyState>
        </Part>
        <Part name="Pager">
            {[(false, true), (true, true), (true, false)].map(|(first, next)| {
                let to = |there: bool| there.then(|| routes::PRODUCTS.to_owned());
                view! { <Pager first=to(first) next=to(next) next_words=t!(i18n, products.next) /> }
            }).collect_view()}
        </Part>
        <Part name="sorts">
            {sorts(vec![
                (routes::DEV_UI.into(), t!(i18n, products.sort_newest), true),
                (routes::DEV_UI.into(), t!(i18n, products.sort_price_low), false),
            ])}
        </Part>
        <Part name="narrow_sorts">
            {narrow_sorts(
                "newest",
                &[("newest", t!(i18n, products.sort_newest)), ("price", t!(i18n, products.sort_price_low))],
                &|_| routes::DEV_UI.into(),
            )}
        </Part>
        <Part name="SearchForm"><SearchForm /></Part>
        <Part name="Price"><p><Price of=price(12_490_000) /> " " <Price of=price(-4_900) /></p></Part>
        <Part name="Was"><p><Price of=price(124_900) /> <Was price=price(149_900) /></p></Part>
        <Part name="Sums">
            <div class="summary"><Sums totals=totals(124_900, 4_900, 0) /></div>
            <div class="summary"><Sums totals=totals(124_900, 0, 5_947) /></div>
        </Part>
        <Part name="Icon"><p>{ICONS.iter().map(|name| view! { <Icon name=*name /> " " }).collect_view()}</p></Part>
        <Part name="Picture">
            <div class="grid">
                {["Clay", "Brass", "Silk", "Tea", "Lamp"].map(|title| view! { <Picture of=None title sizes="50vw" /> }).collect_view()}
            </div>
        </Part>
        <Part name="Skeleton"><Skeleton count=4 /></Part>
        <Part name="Offline">{offline_notice()}</Part>
        <Part name="search, chips">
            {search(routes::DEV_UI.into(), "", t!(i18n, seller_products.search), &[])}
            {chips(t!(i18n, seller_orders.state), states)}
        </Part>
        <Part name="Failure">
            {[Error::Internal, Error::Busy { retry_after_s: 1 }, Error::Offline, Error::NotFound, Error::SignInNeeded, Error::Denied].map(|error| view! { <Failure error /> }).collect_view()}
        </Part>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use std::{fs, path::Path};

    /// Components that render nothing themselves, or that every page contains anyway.
    const UNSEEN: [&str; 3] = ["Guard", "PageTitle", "Toasts"];

    #[test]
    fn every_component_of_the_interface_is_shown() {
        let here = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("src");
        let page = fs::read_to_string(here.join("showcase.rs")).unwrap();
        let shown = page.split("<Part name=\"").skip(1).filter_map(|part| part.split('"').next());
        let shown: Vec<&str> = shown.flat_map(|names| names.split(", ")).chain(UNSEEN).collect();
        let mut seen = 0;
        for file in fs::read_dir(here.join("ui")).unwrap() {
            let code = fs::read_to_string(file.unwrap().path()).unwrap();
            for (name, rest) in code.split("\npub fn ").skip(1).filter_map(|f| f.split_once('(')) {
                let makes = rest.split_once(") ->").and_then(|(_, made)| made.split('{').next());
                if makes.is_some_and(|made| made.contains("impl IntoView")) {
                    seen += 1;
                    assert!(shown.contains(&name), "{name} is not in the showcase");
                }
            }
        }
        assert!(seen > 25, "only {seen} found");
    }
}
