//! The stock of the products that open pages show. Each page has a socket, which says what is available whenever that changes.
//!
//! One loop looks at all of these products, whoever shows them. So everything that moves stock is noticed, at any node and without
//! the bus, and a popular product costs as much as any other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    extract::{
        Extension, Path, State as Extract,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use haat_engine::{Engine, catalog};
use haat_shared::{Error, catalog::VariantStock, id::kinds::ProductId};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    State,
    connections::Line,
    layers,
    live::{bounded, is_own},
};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How many products a node looks at.
const PRODUCTS_MAX: usize = 500;
/// How often a page is asked whether it is still there, and how long it may take to read.
const CHECK: Duration = Duration::from_secs(25);
const STALLED: Duration = Duration::from_secs(10);
/// The maximum size of what a page sends, which is nothing but pongs.
const FRAME_BYTES: usize = 256;

type Stock = Arc<[VariantStock]>;

/// The products that pages of this node show, with what was available at the last look.
#[derive(Default)]
pub(super) struct Shelf {
    products: Mutex<HashMap<ProductId, watch::Sender<Stock>>>,
    begun: OnceLock<()>,
}

impl Shelf {
    fn products(&self) -> MutexGuard<'_, HashMap<ProductId, watch::Sender<Stock>>> {
        self.products.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is available, and what will be. Nothing if too many products are shown.
    fn watch(&self, product: ProductId, stock: Stock) -> Option<watch::Receiver<Stock>> {
        let mut products = self.products();
        if products.len() >= PRODUCTS_MAX && !products.contains_key(&product) {
            return None;
        }
        Some(products.entry(product).or_insert_with(|| watch::Sender::new(stock)).subscribe())
    }

    /// Looks from the first page until the program stops.
    fn begin(self: &Arc<Self>, state: &State, stop: CancellationToken) {
        self.begun.get_or_init(|| {
            let (shelf, engine) = (self.clone(), state.runtime.engine.clone());
            state.runtime.background.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = shelf.look(&engine) => {}
                }
            });
        });
    }

    async fn look(&self, engine: &Engine) {
        loop {
            tokio::time::sleep(PAUSE).await;
            self.products().retain(|_, pages| pages.receiver_count() > 0);
            let shown: Vec<_> = self.products().keys().copied().collect();
            for product in shown {
                // What cannot be read now, is read at the next look.
                let Ok(stock) = catalog::stock(engine, product).await else { break };
                if let Some(pages) = self.products().get(&product) {
                    pages.send_if_modified(|last| {
                        let changed = **last != *stock;
                        *last = stock.into();
                        changed
                    });
                }
            }
        }
    }
}

/// Opens the socket of a product's page, for everyone.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    line: Option<Extension<Line>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) if is_own(&headers) => upgrade,
        Ok(_) => return StatusCode::FORBIDDEN.into_response(),
        Err(rejection) => return rejection.into_response(),
    };
    let Some(Extension(line)) = line else { return StatusCode::BAD_REQUEST.into_response() };
    let Ok(product) = id.parse() else { return layers::plain(&Error::NotFound) };
    let stock = match catalog::stock(&state.runtime.engine, product).await {
        Ok(stock) if stock.is_empty() => return layers::plain(&Error::NotFound),
        Ok(stock) => stock,
        Err(error) => return layers::plain(&error),
    };
    let Some(pages) = state.shelf.watch(product, stock.into()) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")]).into_response();
    };
    state.shelf.begin(&state, line.stop.clone());
    bounded(upgrade, FRAME_BYTES).on_upgrade(move |socket| serve(line, pages, socket))
}

async fn serve(line: Line, mut pages: watch::Receiver<Stock>, mut socket: WebSocket) {
    // The page may be older.
    pages.mark_changed();
    let mut check = tokio::time::interval(CHECK);
    check.reset();
    let mut answered = true;
    loop {
        let message = tokio::select! {
            changed = pages.changed() => match changed {
                Ok(()) => {
                    let stock = pages.borrow_and_update().clone();
                    let Ok(text) = serde_json::to_string(&*stock) else { return };
                    Message::Text(text.into())
                }
                Err(_) => return,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Pong(_))) => {
                    answered = true;
                    continue;
                }
                Some(Ok(Message::Ping(_))) => continue,
                _ => return,
            },
            _ = check.tick() => {
                if !std::mem::replace(&mut answered, false) {
                    return;
                }
                Message::Ping(Default::default())
            }
            () = line.stop.cancelled() => return,
            () = line.cut() => return,
        };
        if !matches!(timeout(STALLED, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}
