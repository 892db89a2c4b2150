//! Development pages: the components, and the emails that were written. Not available in production.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Request, State as Extract},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{
    Caller,
    clock::Zone,
    notifications::{
        Mail,
        mailbox::{self, EmailCard},
    },
};
use haat_gateways::smtp;
use haat_shared::{Error, Result, id::kinds::EmailId};

use super::{State, caller, layers, pages};
use crate::config::Mode;

/// The policy for development pages: their own style and frames.
const OURS: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; \
                    frame-ancestors 'none'; form-action 'none'";
/// The policy for an email: only its own style; links open outside the sandbox.
const THEIRS: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

#[derive(Template)]
#[template(path = "dev/mails.html")]
struct EmailsPage {
    locale: Locale,
    served: bool,
    zone: Zone,
    mails: Vec<EmailCard>,
}

impl EmailsPage {
    fn moment(&self, ms: i64) -> String {
        words::moment(self.locale, &self.zone.local(ms))
    }
}

#[derive(Template)]
#[template(path = "dev/mail.html")]
struct EmailPage {
    locale: Locale,
    headers: String,
    mail: Mail,
}

/// Every component of the user interface in all its states.
pub(super) async fn ui(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    if let Err(error) = development(&state) {
        return layers::plain(&error);
    }
    pages::render(&state, caller, haat_app::showcase, request).await
}

/// The mails, newest first.
pub(super) async fn mails(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let page = async {
        development(&state)?;
        let mails = mailbox::latest(&state.runtime.engine.db).await?;
        let zone = state.runtime.engine.zone.clone();
        let served = !state.runtime.config.mail.smtp_url.reveal().is_empty();
        EmailsPage { locale: caller::language(&state, &headers), served, zone, mails }
            .render()
            .map_err(|_| Error::Internal)
    };
    answer(page.await, OURS)
}

/// A mail: as it would go over the wire, as HTML and as text.
pub(super) async fn mail(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let locale = caller::language(&state, &headers);
    let page = async {
        let mail = find(&state, &id).await?;
        let message = smtp::compose(&state.runtime.sender, &mail).map_err(|_| Error::Internal)?;
        let headers = message.headers().to_string();
        EmailPage { locale, headers, mail }.render().map_err(|_| Error::Internal)
    };
    answer(page.await, OURS)
}

/// The HTML of an email.
pub(super) async fn mail_html(Extract(state): Extract<State>, Path(id): Path<String>) -> Response {
    let mut response = answer(find(&state, &id).await.map(|mail| mail.html), THEIRS);
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

fn development(state: &State) -> Result<()> {
    if state.runtime.config.mode == Mode::Development { Ok(()) } else { Err(Error::NotFound) }
}

async fn find(state: &State, id: &str) -> Result<Mail> {
    development(state)?;
    let id: EmailId = id.parse().map_err(|_| Error::NotFound)?;
    mailbox::find(&state.runtime.engine.db, id).await
}

fn answer(page: Result<String>, policy: &'static str) -> Response {
    let page = match page {
        Ok(page) => page,
        Err(error) => return layers::plain(&error),
    };
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
    (headers, Html(page)).into_response()
}
