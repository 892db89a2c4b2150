//! Signing in with the account of a provider: the buttons, and how it ended.

use haat_shared::{
    logins::{LoginRefusal, Provider},
    routes,
};
use leptos::prelude::*;

use crate::{
    i18n::t,
    state::query,
    ui::{Alert, CodeAlert},
    words::I18n,
};

/// The buttons that lead to the providers; none if there are no providers.
pub(super) fn buttons(i18n: I18n, providers: &[Provider], next: &str) -> Option<AnyView> {
    let first = routes::login(providers.first()?.as_str());
    let buttons = providers.iter().map(|provider| {
        let action = routes::login(provider.as_str());
        let words = t!(i18n, logins.with, provider = provider.name());
        view! { <button type="submit" class="button secondary" formaction=action>{words}</button> }
    });
    let buttons = buttons.collect_view();
    let shown = view! {
        <form method="post" action=first class="panel form">
            <input type="hidden" name="next" value=next.to_owned() />
            {buttons}
        </form>
    };
    Some(shown.into_any())
}

/// The provider that the outcome is about.
fn provider() -> Option<Provider> {
    Provider::parse(&query("n").get_untracked())
}

/// Why nobody was signed in or nothing connected, or any other error before a redirect.
pub(super) fn alert(i18n: I18n) -> AnyView {
    let why = LoginRefusal::parse(&query("error").get_untracked());
    match why.zip(provider()) {
        Some((why, provider)) => {
            let words = refusal(i18n, why, provider);
            view! { <Alert>{words}</Alert> }.into_any()
        }
        None => view! { <CodeAlert /> }.into_any(),
    }
}

/// What was done in the profile.
pub(super) fn done(i18n: I18n) -> Option<String> {
    let name = provider()?.name();
    match query("done").get_untracked().as_str() {
        "connected" => Some(t!(i18n, logins.connected, provider = name)),
        "disconnected" => Some(t!(i18n, logins.disconnected, provider = name)),
        _ => None,
    }
}

fn refusal(i18n: I18n, why: LoginRefusal, provider: Provider) -> String {
    let name = provider.name();
    match why {
        LoginRefusal::Denied => t!(i18n, logins.denied, provider = name),
        LoginRefusal::Failed => t!(i18n, logins.failed, provider = name),
        LoginRefusal::Unreachable => t!(i18n, logins.unreachable, provider = name),
        LoginRefusal::Unverified => t!(i18n, logins.unverified, provider = name),
        LoginRefusal::AccountExists => t!(i18n, logins.account_exists, provider = name),
        LoginRefusal::Taken => t!(i18n, logins.taken, provider = name),
        LoginRefusal::Another => t!(i18n, logins.another, provider = name),
        LoginRefusal::LastWayIn => t!(i18n, logins.last_way_in, provider = name),
        LoginRefusal::Deactivated => t!(i18n, sign_in.deactivated).to_owned(),
    }
}
