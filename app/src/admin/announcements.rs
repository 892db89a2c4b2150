//! Announcements and offers: the list, the form, and one as its recipients will read it, before it is sent.

use haat_shared::{
    Error,
    announcements::{
        AnnouncementAudience, AnnouncementCard, AnnouncementDetails, AnnouncementForm, AnnouncementKind,
        AnnouncementState, Announcements as Found, LANGUAGES,
    },
    forms::Draft,
    id::kinds::AnnouncementId,
    permissions::AdminPermission,
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part, may};
use crate::{
    api::{self, ApiError},
    i18n::{t, use_i18n},
    state::{Visitor, query},
    storefront::draft_by,
    ui::{
        Alert, Button, Check, CodeAlert, EmptyState, Field, LinkButton, PageTitle, Pager, Select, Table,
        TextArea, error_summary, loaded,
    },
    words::{self, I18n},
};

/// What `edit` says in the URL for a new announcement.
const NEW: &str = "new";

fn state_words(i18n: I18n, state: AnnouncementState) -> (&'static str, &'static str) {
    match state {
        AnnouncementState::Draft => (t!(i18n, announcements.draft), ""),
        AnnouncementState::Scheduled => (t!(i18n, promotions.scheduled), "placed"),
        AnnouncementState::Sending => (t!(i18n, announcements.sending), "confirmed"),
        AnnouncementState::Sent => (t!(i18n, announcements.sent), "delivered"),
        AnnouncementState::Withdrawn => (t!(i18n, announcements.withdrawn), "cancelled"),
    }
}

fn kind_words(i18n: I18n, kind: AnnouncementKind) -> &'static str {
    match kind {
        AnnouncementKind::Service => t!(i18n, announcements.service),
        AnnouncementKind::Offer => t!(i18n, announcements.offer),
    }
}

fn audience_words(i18n: I18n, audience: AnnouncementAudience) -> &'static str {
    match audience {
        AnnouncementAudience::Everyone => t!(i18n, announcements.everyone),
        AnnouncementAudience::Customers => t!(i18n, announcements.customers),
        AnnouncementAudience::Sellers => t!(i18n, announcements.sellers),
    }
}

/// The page of announcements.
#[component]
pub(crate) fn Announcements() -> impl IntoView {
    let i18n = use_i18n();
    let visitor = expect_context::<Visitor>();
    let (after, edit, draft, done) = (query("after"), query("edit"), query("draft"), query("done"));
    let found = api::find(
        move || (after.get(), edit.get(), draft.get(), done.get()),
        move |(after, edit, draft, done)| async move {
            let id: Option<AnnouncementId> = edit.parse().ok();
            let found = api::announcements::list(after.clone(), id).await?;
            let manages = may(visitor, AdminPermission::ManagePromotions).await;
            Ok::<_, ApiError>(((after, edit, done), found, draft_by("announcement", draft).await?, manages))
        },
    );
    let page = loaded(found, move |((after, edit, done), found, draft, manages)| {
        let Found { page, shown } = found;
        let done = match done.as_str() {
            "save" => Some(t!(i18n, form.saved)),
            "send" => Some(t!(i18n, announcements.done_send)),
            "withdraw" => Some(t!(i18n, announcements.done_withdraw)),
            "delete" => Some(t!(i18n, announcements.done_delete)),
            _ => None,
        };
        let done = done.map(|words| view! { <Alert look="good">{words}</Alert> });
        let page = match (edit.as_str(), shown) {
            ("", _) | (_, None) if edit != NEW => list(i18n, after, page.items, page.next, manages),
            (_, shown) => one(i18n, shown, draft, manages),
        };
        view! {
            <PageTitle text=t!(i18n, announcements.title) />
            <h1>{t!(i18n, announcements.title)}</h1>
            <CodeAlert />
            {done}
            {page}
        }
    });
    view! { <AdminPage here=Part::Announcements>{page}</AdminPage> }
}

fn edit_url(id: &str) -> String {
    routes::with(routes::ANNOUNCEMENTS, &[("edit", id)])
}

fn list(
    i18n: I18n,
    after: String,
    cards: Vec<AnnouncementCard>,
    next: Option<String>,
    manages: bool,
) -> AnyView {
    let create = manages.then(|| {
        view! { <p class="actions"><LinkButton href=edit_url(NEW)>{t!(i18n, announcements.create)}</LinkButton></p> }
    });
    let lead = view! { <p class="lead">{t!(i18n, announcements.lead)}</p> };
    if cards.is_empty() && after.is_empty() {
        let (title, note) = (t!(i18n, announcements.none), t!(i18n, announcements.none_note));
        return view! { {lead} {create} <EmptyState icon="bell" title note /> }.into_any();
    }
    let rows = cards.into_iter().map(|card| {
        let (state, look) = state_words(i18n, card.state);
        let send_at = card.send_at.map(|at| words::moment(i18n, &at));
        let told = words::number(i18n, card.told);
        view! {
            <tr>
                <th scope="row">
                    <a class="row-link" translate="no" href=edit_url(&card.id.to_string())>{card.title}</a>
                    <span class="note below"><span class="dots"><span>{kind_words(i18n, card.kind)}</span> " " <span>{audience_words(i18n, card.audience)}</span></span></span>
                </th>
                <td><span class=format!("state {look}")>{state}</span></td>
                <td class="wide">{send_at}</td>
                <td class="number wide">{told}</td>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    let columns = vec![
        (t!(i18n, announcements.heading), ""),
        (t!(i18n, promotions.status), ""),
        (t!(i18n, announcements.send_at), "wide"),
        (t!(i18n, announcements.told), "number wide"),
    ];
    let first = (!after.is_empty()).then(|| routes::ANNOUNCEMENTS.to_owned());
    let next = next.map(|next| routes::with(routes::ANNOUNCEMENTS, &[("after", &next)]));
    view! {
        {lead}
        {create}
        <Table caption=t!(i18n, announcements.title) columns>{rows}</Table>
        <Pager first next next_words=t!(i18n, announcements.older) />
    }
    .into_any()
}

/// The form of an announcement that wasn't sent, how it reads, and what can be done with it.
fn one(i18n: I18n, shown: Option<AnnouncementDetails>, draft: Draft, manages: bool) -> AnyView {
    let edited = match (&draft.error, &shown) {
        (Some(_), _) => AnnouncementForm::read(|name| draft.typed(name)),
        (None, Some(shown)) => shown.form.clone(),
        (None, None) => AnnouncementForm {
            kind: AnnouncementKind::Service.as_str().to_owned(),
            audience: AnnouncementAudience::Everyone.as_str().to_owned(),
            in_app: true,
            ..AnnouncementForm::default()
        },
    };
    let open = shown.as_ref().is_none_or(|shown| shown.card.state == AnnouncementState::Draft);
    let ids = shown.as_ref().map(|shown| (shown.card.id, shown.version));
    let form = (manages && open).then(|| form(i18n, edited, ids, draft));
    let shown = shown.map(|shown| preview(i18n, shown, manages));
    view! {
        <p class="back"><a href=routes::ANNOUNCEMENTS>{t!(i18n, announcements.all)}</a></p>
        {shown}
        {form}
    }
    .into_any()
}

/// An announcement as its recipients read it, how many they are, and what can be done with it.
fn preview(i18n: I18n, shown: AnnouncementDetails, manages: bool) -> AnyView {
    let AnnouncementDetails { card, form, version, previews, on_site, emails } = shown;
    let (state, look) = state_words(i18n, card.state);
    let texts = previews.into_iter().map(|of| {
        view! {
            <article class="panel" translate="no" lang=of.locale.clone()>
                <h3>{of.subject}</h3>
                <pre class="mail-text">{of.text}</pre>
            </article>
        }
    });
    let texts = texts.collect_view();
    let at = card.send_at.as_ref().map(|at| words::moment(i18n, at));
    let recipients = match card.state {
        AnnouncementState::Draft | AnnouncementState::Scheduled => {
            let n = |count: i64| words::number(i18n, count);
            t!(i18n, announcements.recipients, on_site = n(on_site), emails = n(emails))
        }
        _ => t!(i18n, announcements.told_so_far, n = words::number(i18n, card.told)),
    };
    let send = if form.send_at.is_empty() {
        t!(i18n, announcements.send_now)
    } else {
        t!(i18n, announcements.schedule)
    };
    let actions: Vec<(&str, &'static str, &'static str)> = match card.state {
        AnnouncementState::Draft => {
            vec![("send", send, "primary"), ("delete", t!(i18n, promotions.delete), "quiet")]
        }
        AnnouncementState::Scheduled => vec![("withdraw", t!(i18n, announcements.unschedule), "secondary")],
        AnnouncementState::Sending | AnnouncementState::Sent => {
            vec![("withdraw", t!(i18n, announcements.withdraw), "danger")]
        }
        AnnouncementState::Withdrawn => Vec::new(),
    };
    let note = matches!(card.state, AnnouncementState::Sending | AnnouncementState::Sent)
        .then(|| view! { <p class="note">{t!(i18n, announcements.withdraw_note)}</p> });
    let actions = (manages && !actions.is_empty()).then(|| {
        let buttons = actions.into_iter().map(|(action, words, look)| {
            view! { <button type="submit" class=format!("button {look}") name="action" value=action>{words}</button> }
        });
        view! {
            {note}
            <form method="post" action=routes::ANNOUNCEMENTS class="actions">
                <input type="hidden" name="id" value=card.id.to_string() />
                <input type="hidden" name="version" value=version />
                {buttons.collect_view()}
            </form>
        }
    });
    view! {
        <section aria-labelledby="preview">
            <h2 id="preview">{t!(i18n, promotions.preview)}</h2>
            <p class="dots">
                <span class=format!("state {look}")>{state}</span>
                " " <span>{kind_words(i18n, card.kind)}</span>
                " " <span>{audience_words(i18n, card.audience)}</span>
                {at.map(|at| view! { " " <span>{at}</span> })}
            </p>
            <p>{recipients}</p>
            {texts}
            {actions}
        </section>
    }
    .into_any()
}

fn title_label(i18n: I18n, locale: &str) -> String {
    format!("{} ({})", t!(i18n, announcements.heading), language(i18n, locale))
}

fn text_label(i18n: I18n, locale: &str) -> String {
    format!("{} ({})", t!(i18n, announcements.text), language(i18n, locale))
}

/// The name of a language that the market speaks.
pub(super) fn language(i18n: I18n, locale: &str) -> &'static str {
    match locale {
        "hi" => t!(i18n, announcements.hindi),
        _ => t!(i18n, announcements.english),
    }
}

fn form(i18n: I18n, form: AnnouncementForm, ids: Option<(AnnouncementId, i64)>, draft: Draft) -> AnyView {
    let mut labels = vec![
        ("kind".to_owned(), t!(i18n, admin.notice_kind).to_owned()),
        ("audience".to_owned(), t!(i18n, announcements.audience).to_owned()),
        ("in_app".to_owned(), t!(i18n, admin.channel).to_owned()),
    ];
    for locale in LANGUAGES {
        labels.push((format!("title_{locale}"), title_label(i18n, locale)));
        labels.push((format!("text_{locale}"), text_label(i18n, locale)));
    }
    labels.push(("link".to_owned(), t!(i18n, announcements.link).to_owned()));
    labels.push(("send_at".to_owned(), t!(i18n, announcements.send_at).to_owned()));
    let summary = draft.error.as_ref().map(|error| {
        let at = labels.into_iter().filter_map(|(name, label)| Some((name.clone(), label, error.at(&name)?)));
        error_summary(i18n, error, at.collect())
    });
    let faults: Signal<Option<Error>> = Signal::stored(draft.error);
    let kinds = AnnouncementKind::ALL.map(|kind| (kind.as_str(), kind_words(i18n, kind)));
    let audiences = AnnouncementAudience::ALL.map(|of| (of.as_str(), audience_words(i18n, of)));
    let texts = LANGUAGES.map(|locale| {
        let of = form.text(locale);
        view! {
            <Field name=format!("title_{locale}") label=title_label(i18n, locale) value=of.title optional=true faults />
            <TextArea name=format!("text_{locale}") label=text_label(i18n, locale) value=of.text optional=true rows=6 faults />
        }
    });
    let (id, version) = ids.map(|(id, version)| (id.to_string(), version.to_string())).unwrap_or_default();
    view! {
        <form method="post" action=routes::ANNOUNCEMENTS class="panel form" novalidate aria-labelledby="write">
            <h2 id="write">{t!(i18n, announcements.write)}</h2>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=version />
            <input type="hidden" name="action" value="save" />
            {summary}
            <div class="field-row">
                <Select name="kind" label=t!(i18n, admin.notice_kind) value=form.kind options=kinds.to_vec() faults />
                <Select name="audience" label=t!(i18n, announcements.audience) value=form.audience options=audiences.to_vec() faults />
            </div>
            <p class="note">{t!(i18n, announcements.kind_note)}</p>
            <fieldset class="bare">
                <legend>{t!(i18n, admin.channel)}</legend>
                <Check name="in_app" label=t!(i18n, admin.on_site) checked=form.in_app />
                <Check name="email" label=t!(i18n, admin.by_email) checked=form.email />
            </fieldset>
            <p class="note">{t!(i18n, announcements.languages_note)}</p>
            {texts.into_iter().collect_view()}
            <Field name="link" label=t!(i18n, announcements.link) value=form.link optional=true hint=t!(i18n, announcements.link_hint) faults />
            <Field name="send_at" kind="datetime-local" label=t!(i18n, announcements.send_at) value=form.send_at optional=true hint=t!(i18n, announcements.send_hint) faults />
            <div class="actions"><Button>{t!(i18n, announcements.save)}</Button></div>
        </form>
    }
    .into_any()
}
