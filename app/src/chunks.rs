//! Pages in chunks, which browsers load when a page of the chunk is first opened. All other pages are in
//! the main module.
//!
//! Without the feature `split`, everything is in the main module; `make watch` builds it that way.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::ChooseView;

use crate::{
    admin, analysing, chat, discounting, layout, price_lists, promoting, rating, sale_events, seller,
    services, shipping, state, storefront, taxing,
};

/// Long enough for the page's own pictures.
const AHEAD_AFTER: Duration = Duration::from_secs(2);

macro_rules! chunks {
    ($($chunk:ident in $frame:ident { $($page:ident: $view:expr;)* })*) => {
        /// A page in a chunk. One type for all, so that another page adds next to nothing to the main
        /// module.
        #[derive(Clone, Copy)]
        pub(crate) enum ChunkPage {
            /// In the main module.
            Home,
            $($($page,)*)*
        }

        impl ChunkPage {
            /// Loads the chunk of the page.
            async fn load(self) {
                match self {
                    Self::Home => {}
                    $($(Self::$page)|* => drop($chunk(Self::Home).await),)*
                }
            }
        }

        impl ChooseView for ChunkPage {
            async fn choose(self) -> AnyView {
                state::set_loading(true);
                let view = match self {
                    Self::Home => Some(layout::content(storefront::Home().into_any())),
                    $($(Self::$page)|* => $chunk(self).await.ok().map(layout::$frame),)*
                };
                state::set_loading(false);
                match view {
                    Some(view) => view,
                    None => start_over().await,
                }
            }

            async fn preload(&self) {}
        }

        $(
            /// Shows a page of this chunk.
            #[cfg(feature = "split")]
            #[leptos::wasm_split::wasm_split($chunk, wasm_split_path = ::leptos::wasm_split, fallible)]
            fn $chunk(page: ChunkPage) -> Result<AnyView, leptos::wasm_split::SplitLoaderError> {
                load_ahead(page);
                Ok(match page {
                    $(ChunkPage::$page => $view().into_any(),)*
                    _ => ().into_any(),
                })
            }

            /// Shows a page of this chunk, and has the browser load the chunk with the program.
            #[cfg(not(feature = "split"))]
            async fn $chunk(page: ChunkPage) -> Result<AnyView, std::convert::Infallible> {
                #[cfg(feature = "ssr")]
                crate::start::needs(stringify!($chunk));
                load_ahead(page);
                Ok(match page {
                    $(ChunkPage::$page => $view().into_any(),)*
                    _ => ().into_any(),
                })
            }
        )*
    };
}

chunks! {
    browsing in content {
        Products: storefront::Products;
        Product: storefront::Product;
        Category: storefront::Category;
        Shops: storefront::Shops;
        Shop: storefront::Shop;
    }
    buying in content {
        Cart: storefront::Cart;
        Checkout: storefront::Checkout;
        Purchase: storefront::Purchase;
        BuyGiftCard: storefront::gifts::BuyGiftCard;
    }
    account in content {
        SignIn: storefront::SignIn;
        SignUp: storefront::SignUp;
        Account: storefront::Account;
        Notifications: storefront::Notifications;
        GiftCard: crate::gift_cards::GiftCard;
    }
    booking in content {
        Services: services::Services;
        Book: services::Book;
        CancelAppointment: services::CancelAppointment;
        Appointments: services::Appointments;
        Events: sale_events::Events;
        Event: sale_events::Event;
    }
    serving in unframed {
        ServicesOfShop: services::ServicesOfShop;
    }
    // What a seller opens first.
    seller in unframed {
        SellerShops: seller::SellerShops;
        Dashboard: seller::Home;
    }
    selling in unframed {
        OpenShop: seller::OpenShop;
        ShopOrders: seller::Orders;
        ShopOrder: seller::Order;
        PackingSlip: seller::PackingSlip;
        PackingSlips: seller::PackingSlips;
        SellerProducts: seller::Products;
        Balance: seller::Balance;
        ShopReviews: seller::Reviews;
        Settings: seller::Settings;
        NoSellerPage: seller::NotFound;
    }
    listing in unframed {
        NewProduct: seller::NewProduct;
        Import: seller::Import;
        SellerProduct: seller::Product;
    }
    promoting in unframed {
        ShopPromotions: promoting::ShopPromotions;
        MarketPromotions: promoting::MarketPromotions;
        ShopShipping: shipping::ShopShipping;
        SalesOfProduct: discounting::SalesOfProduct;
        PricesOfProduct: price_lists::PricesOfProduct;
        ShopAnalytics: analysing::ShopAnalytics;
        MarketAnalytics: analysing::MarketAnalytics;
        ShopEvents: sale_events::ShopEvents;
        ShopEvent: sale_events::ShopEventPage;
        MarketTaxes: taxing::MarketTaxes;
        Currencies: rating::Currencies;
        MarketGiftCards: crate::gift_cards::MarketGiftCards;
    }
    chatting in unframed {
        Messages: chat::Messages;
        ShopMessages: chat::ShopMessages;
    }
    // What an admin opens first.
    admin in unframed {
        Admin: admin::Home;
    }
    operating in unframed {
        AllOrders: admin::Orders;
        AnyOrder: admin::Order;
        AllShops: admin::Shops;
        AnyShop: admin::Shop;
        Commission: admin::Commission;
        Categories: admin::Categories;
        Payouts: admin::Payouts;
        Payout: admin::Payout;
        Users: admin::Users;
        User: admin::User;
        Reports: admin::Reports;
        AllReviews: admin::Reviews;
        Searches: admin::Searches;
        ContactMessages: admin::ContactMessages;
        Ledger: admin::Ledger;
        Payments: admin::Payments;
        Payment: admin::Payment;
        Jobs: admin::Jobs;
        Outbox: admin::Outbox;
        Announcements: admin::Announcements;
        Deliveries: admin::Deliveries;
        Delivery: admin::Delivery;
        Audit: admin::Audit;
        Team: admin::Team;
        NoAdminPage: admin::NotFound;
    }
}

/// Loads the chunk of the page that the user will probably open after this one, once this one had time to load.
fn load_ahead(page: ChunkPage) {
    let next = match page {
        ChunkPage::Admin => ChunkPage::AllOrders,
        ChunkPage::Dashboard => ChunkPage::ShopOrders,
        ChunkPage::SellerProducts => ChunkPage::SellerProduct,
        _ => return,
    };
    Effect::new(move || {
        let load = move || leptos::task::spawn_local(next.load());
        let timer = set_timeout_with_handle(load, AHEAD_AFTER).ok();
        on_cleanup(move || {
            if let Some(timer) = timer {
                timer.clear();
            }
        });
    });
}

/// If a chunk cannot be loaded, for example after a deployment, a navigation loads the new page from the
/// server. A page that was just loaded stays as the server rendered it, with links that the browser follows.
async fn start_over() -> AnyView {
    if state::is_live() {
        let _ = window().location().assign(&state::address());
    } else {
        state::leave_links();
    }
    std::future::pending().await
}
