//! Announcements and offers of the market.

use askama::Template;
use haat_app::i18n::{Locale, td_string};
use haat_engine::{
    TxResult,
    notifications::{RenderedEmail, announced::AnnouncementNotice},
};
use haat_shared::{
    announcements::{self, AnnouncementKind},
    routes,
};

use super::parts::rendered;

struct Parts<'a> {
    locale: Locale,
    title: &'a str,
    paragraphs: Vec<&'a str>,
    /// The page that it leads to.
    url: Option<&'a str>,
    button: &'static str,
    reason: &'static str,
    unsubscribe: Option<&'a str>,
    unsubscribe_words: &'static str,
}

impl Parts<'_> {
    fn first(&self) -> &str {
        self.paragraphs.first().copied().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "mail/announcement.html")]
struct Html<'a> {
    m: &'a Parts<'a>,
}

#[derive(Template)]
#[template(path = "mail/announcement.txt")]
struct Text<'a> {
    m: &'a Parts<'a>,
}

/// What the market tells many people. `url` is that of the page that it leads to, if there is one.
pub(super) fn render(
    locale: Locale,
    of: &AnnouncementNotice,
    url: &str,
    market: &str,
) -> TxResult<RenderedEmail> {
    let unsubscribe = of.unsubscribe.as_ref().map(|(user, token)| {
        format!("{market}{}", routes::with(&routes::unsubscribe(*user), &[("token", token)]))
    });
    let m = &Parts {
        locale,
        title: &of.title,
        paragraphs: announcements::paragraphs(&of.text).collect(),
        url: (!of.link.is_empty()).then_some(url),
        button: td_string!(locale, email.announcement_button),
        reason: match of.kind {
            AnnouncementKind::Service => td_string!(locale, email.announcement_reason),
            AnnouncementKind::Offer => td_string!(locale, email.offer_reason),
        },
        unsubscribe: unsubscribe.as_deref(),
        unsubscribe_words: td_string!(locale, email.unsubscribe),
    };
    let email = rendered(&of.title, &Text { m }, Html { m }.render())?;
    Ok(RenderedEmail { note: of.text.clone(), unsubscribe, ..email })
}
