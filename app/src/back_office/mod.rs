//! The layout of the seller dashboard and the admin area, in place of the storefront's header and footer:
//! a top bar, the navigation at the side (at the bottom on phones), and the command palette.
//!
//! Menus are `<details>`, and the search is a link to a list, so that both work without JavaScript. The code
//! is in the chunks of the pages that use it.

mod bar;
mod bulk;
pub(crate) mod figures;
mod kept;
mod keys;
pub(crate) mod orders;
mod palette;
mod side;

pub(crate) use bulk::{Bulk, tick};
pub(crate) use palette::{Entry, Finding};
pub(crate) use side::{Place, Side};

use std::sync::Arc;

use haat_shared::{accounts::Me, routes};
use leptos::prelude::*;

use crate::{
    i18n::{t, use_i18n},
    state::Visitor,
    ui::{LinkButton, WayOn, awaited},
    words::I18n,
};
use bar::Bar;
use palette::{Find, Palette};

/// What the layout shows to someone with access.
#[derive(Clone)]
pub(crate) struct Office {
    /// The name in the menu of shops.
    pub(crate) name: String,
    /// The handle, if it is a shop.
    pub(crate) shop: Option<String>,
    /// The sections that the user may open. The first is the home page.
    pub(crate) places: Vec<Place>,
    /// What shows further groups of sections on phones, if they don't all fit.
    pub(crate) more: Option<fn(I18n) -> AnyView>,
    /// The actions in the palette: URL and label.
    pub(crate) actions: Vec<(String, &'static str)>,
    /// The search of the palette.
    pub(crate) find: Find,
    /// The lists with a search: URL and name. Without JavaScript, the search leads to the first.
    pub(crate) lists: Vec<(String, &'static str)>,
}

/// A page of a back office. `office` returns what the user may see of it.
#[component]
pub(crate) fn BackOffice(
    /// The label of the navigation.
    label: &'static str,
    /// What the layout shows to this user.
    office: impl Fn(&Me) -> Option<Office> + Send + Sync + 'static,
    /// The page.
    children: Children,
) -> impl IntoView {
    let visitor = expect_context::<Visitor>().0;
    let office = Arc::new(office);
    let place = office.clone();
    provide_context(WayOn(Arc::new(move || {
        let place = place.clone();
        awaited(visitor, move |me| way_on(me.ok().flatten(), &*place))
    })));
    // Also called when a client-side navigation leads to another shop.
    let around = awaited(visitor, move |me| {
        let me = me.ok().flatten();
        let office = me.as_ref().and_then(&*office);
        let opened = RwSignal::new(false);
        let inside = office.clone().map(|office| {
            let due = side::due_orders(office.shop.clone());
            view! {
                <Side label places=office.places.clone() more=office.more due />
                <Palette office opened />
            }
        });
        view! {
            <Bar me office opened />
            {inside}
        }
        .into_any()
    });
    view! {
        <div class="back-office">
            {around}
            <main id="content" class="back-office-page" tabindex="-1">{children()}</main>
        </div>
    }
}

/// From an error page back to the home page of the back office; for those without access to it, to their shops or to
/// the storefront.
fn way_on(me: Option<Me>, office: &dyn Fn(&Me) -> Option<Office>) -> AnyView {
    let i18n = use_i18n();
    let home = me.as_ref().and_then(office).and_then(|office| office.places.into_iter().next());
    let (href, words) = match (home, me) {
        (Some(home), _) => (home.href, t!(i18n, office.go_home)),
        (None, Some(me)) if !me.shops.is_empty() => {
            (routes::SELLER_SHOPS.to_owned(), t!(i18n, settings.yours))
        }
        _ => (routes::HOME.to_owned(), t!(i18n, failure.home)),
    };
    view! { <LinkButton href>{words}</LinkButton> }.into_any()
}
