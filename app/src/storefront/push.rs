//! Notifications in this browser, also while no page is open: the switch among the settings. Only with JavaScript, because only
//! scripts can subscribe a browser.

use haat_shared::Error;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::ApiError,
    i18n::{t, use_i18n},
    ui::Alert,
    words,
};

/// What this browser does with notifications.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only browsers know"))]
enum State {
    /// Not known yet, or the browser can't show any.
    Unable,
    /// The user has forbidden it in the browser's settings.
    Denied,
    /// It shows none.
    Off,
    /// It shows those of this user.
    On,
}

/// The switch, in a panel of its own. Nothing in browsers that can't show notifications.
#[component]
pub(super) fn PushSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let (state, busy) = (RwSignal::new(State::Unable), RwSignal::new(false));
    let fault = RwSignal::new(None::<Error>);
    let look = move || {
        spawn_local(async move {
            state.set(browser::state().await.unwrap_or(State::Unable));
        });
    };
    Effect::new(look);
    let switch = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let on = state.get_untracked() == State::On;
        spawn_local(async move {
            let done = if on { browser::switch_off().await } else { browser::switch_on().await };
            fault.set(done.err().map(|ApiError(error)| error));
            state.set(browser::state().await.unwrap_or(State::Unable));
            busy.set(false);
        });
    };
    move || {
        let words = match state.get() {
            State::Unable => return None,
            State::Denied => {
                return Some(panel(
                    i18n,
                    view! { <p>{t!(i18n, notifications.browser_denied)}</p> }.into_any(),
                ));
            }
            State::Off => t!(i18n, notifications.browser_on),
            State::On => t!(i18n, notifications.browser_off),
        };
        let wrong = move || fault.get().map(|error| view! { <Alert>{words::error(i18n, &error)}</Alert> });
        let is_on =
            (state.get() == State::On).then(|| view! { <p>{t!(i18n, notifications.browser_is_on)}</p> });
        let content = view! {
            {wrong}
            {is_on}
            <div class="actions">
                <button
                    type="button"
                    class="button secondary"
                    aria-busy=move || busy.get().then_some("true")
                    on:click=switch
                >
                    {words}
                </button>
            </div>
        };
        Some(panel(i18n, content.into_any()))
    }
}

fn panel(i18n: words::I18n, content: AnyView) -> AnyView {
    view! {
        <section class="panel form">
            <h2>{t!(i18n, notifications.browser)}</h2>
            <p class="note">{t!(i18n, notifications.browser_note)}</p>
            {content}
        </section>
    }
    .into_any()
}

#[cfg(not(feature = "hydrate"))]
mod browser {
    use super::{ApiError, State};

    pub(super) async fn state() -> Option<State> {
        None
    }

    pub(super) async fn switch_on() -> Result<(), ApiError> {
        Ok(())
    }

    pub(super) async fn switch_off() -> Result<(), ApiError> {
        Ok(())
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use haat_shared::{Error, notifications::PushSubscription};
    use leptos::{
        prelude::window,
        wasm_bindgen::{JsCast, JsValue},
        web_sys::js_sys::{JSON, Object, Promise, Reflect},
    };
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        Notification, NotificationPermission, PushManager, ServiceWorkerContainer, ServiceWorkerRegistration,
    };

    use super::{ApiError, State};
    use crate::api;

    /// The service worker (`public/sw.js`).
    const WORKER: &str = "/sw.js";

    async fn done<T: JsCast>(promise: Result<Promise, JsValue>) -> Option<T> {
        JsFuture::from(promise.ok()?).await.ok()?.dyn_into().ok()
    }

    /// The service workers of the market, if the browser can show notifications. Some offer only a part of it.
    fn workers() -> Option<ServiceWorkerContainer> {
        let has = |name: &str| Reflect::has(&window(), &name.into()).unwrap_or_default();
        let workers = window().navigator().service_worker();
        (has("PushManager") && has("Notification") && !workers.is_undefined()).then_some(workers)
    }

    async fn manager() -> Option<PushManager> {
        let found = JsFuture::from(workers()?.get_registration()).await.ok()?;
        found.dyn_into::<ServiceWorkerRegistration>().ok()?.push_manager().ok()
    }

    async fn subscription() -> Option<web_sys::PushSubscription> {
        done(manager().await?.get_subscription()).await
    }

    pub(super) async fn state() -> Option<State> {
        workers()?;
        if Notification::permission() == NotificationPermission::Denied {
            return Some(State::Denied);
        }
        let Some(subscription) = subscription().await else { return Some(State::Off) };
        let known = api::inbox::browser(subscription.endpoint()).await.ok()?;
        Some(if known.subscribed { State::On } else { State::Off })
    }

    /// Asks the user, and subscribes. Nothing happens if they say no.
    pub(super) async fn switch_on() -> Result<(), ApiError> {
        let busy = || ApiError(Error::Busy { retry_after_s: 5 });
        let workers = workers().ok_or_else(busy)?;
        let allowed = async {
            let asked = Notification::request_permission().ok()?;
            JsFuture::from(asked).await.ok()?.as_string()
        };
        if allowed.await.as_deref() != Some("granted") {
            return Ok(());
        }
        let key = api::inbox::browser(String::new()).await?.key;
        let subscribed = async {
            JsFuture::from(workers.register(WORKER)).await.ok()?;
            let ready: ServiceWorkerRegistration = done(workers.ready()).await?;
            let manager = ready.push_manager().ok()?;
            // One with another key, or of another user.
            if let Some(old) = done::<web_sys::PushSubscription>(manager.get_subscription()).await {
                let _ = JsFuture::from(old.unsubscribe().ok()?).await;
            }
            let options = Object::new();
            Reflect::set(&options, &"userVisibleOnly".into(), &true.into()).ok()?;
            Reflect::set(&options, &"applicationServerKey".into(), &key.into()).ok()?;
            let subscription: JsValue =
                JsFuture::from(manager.subscribe_with_options(options.unchecked_ref()).ok()?).await.ok()?;
            let json = JSON::stringify(&subscription).ok()?.as_string()?;
            serde_json::from_slice::<PushSubscription>(json.as_bytes()).ok()
        };
        // The browser could not reach its push service.
        let subscription = subscribed.await.ok_or_else(busy)?;
        api::inbox::subscribe(subscription).await
    }

    pub(super) async fn switch_off() -> Result<(), ApiError> {
        let Some(subscription) = subscription().await else { return Ok(()) };
        api::inbox::unsubscribe(subscription.endpoint()).await?;
        if let Ok(ended) = subscription.unsubscribe() {
            let _ = JsFuture::from(ended).await;
        }
        Ok(())
    }
}
