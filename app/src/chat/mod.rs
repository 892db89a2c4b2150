//! Conversations of shoppers and shops: the list and the one that is open, for both sides.

mod hits;
mod live;
mod message;
mod notes;
mod pictures;
mod report;
mod settings;

use haat_shared::{
    Error,
    chat::{Card, ConversationCard, Inbox, InboxRequest, Side, Thread},
    forms::Draft,
    page::Page,
    routes,
};
use leptos::{
    ev::{KeyboardEvent, MouseEvent, SubmitEvent},
    html,
    prelude::*,
};
use leptos_router::hooks::use_navigate;

use self::live::Live;
use crate::{
    api,
    i18n::{t, tn, use_i18n},
    layout, seller,
    state::{param, query, searched},
    storefront::draft_by,
    ui::{Alert, Chip, CodeAlert, EmptyState, Icon, LinkButton, PageTitle, chips, loaded, search},
    words::{self, I18n},
};

/// The shopper's conversations.
#[component]
pub(crate) fn Messages() -> impl IntoView {
    layout::content(view! { <div class="width page">{conversations()}</div> }.into_any())
}

/// The conversations of a shop.
#[component]
pub(crate) fn ShopMessages() -> impl IntoView {
    seller::messages_page(conversations())
}

/// The conversations of the shop in the address, or of the shopper.
fn conversations() -> AnyView {
    crate::head::keep_out();
    let (shop, id, after, q) = (param("handle"), param("id"), query("after"), searched());
    let label = query("label");
    let (about, before, draft) = (query("about"), query("before"), query("draft"));
    let (reply, done, report) = (query("reply"), query("done"), query("report"));
    let found = api::find(
        move || {
            (
                shop.get(),
                id.get(),
                (after.get(), label.get(), q.get()),
                about.get(),
                before.get(),
                draft.get(),
            )
        },
        |(shop, id, (after, label, q), about, before, draft)| async move {
            let open = if id.is_empty() { None } else { Some(api::id(&id)?) };
            let asked = InboxRequest { shop, after, label, q, open, about, before: before.parse().ok() };
            Ok((asked.clone(), api::chat::inbox(asked).await?, draft_by("message", draft).await?))
        },
    );
    loaded(found, move |(asked, inbox, draft)| {
        view! { <Shown asked inbox draft reply=reply.get_untracked() done=done.get_untracked() report /> }
    })
    .into_any()
}

/// The forms of a conversation that show themselves what is wrong with their input.
const OTHER_FORMS: [&str; 3] = ["report", notes::ACTIONS[0], notes::ACTIONS[1]];

/// The path of a conversation, for its side.
fn path(shop: &str, id: haat_shared::id::kinds::ConversationId) -> String {
    match shop {
        "" => routes::conversation(id),
        shop => routes::shop_conversation(shop, id),
    }
}

fn list_path(shop: &str) -> String {
    match shop {
        "" => routes::MESSAGES.to_owned(),
        shop => routes::shop_messages(shop),
    }
}

#[component]
fn Shown(
    asked: InboxRequest,
    inbox: Inbox,
    draft: Draft,
    reply: String,
    done: String,
    /// What the page shows the form to report.
    report: Memo<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let open = asked.open;
    let reported = (done == "report").then(|| view! { <Alert look="good">{t!(i18n, reports.sent)}</Alert> });
    let report = open.map(|id| {
        let (page, draft) = (path(&asked.shop, id), draft.clone());
        move || {
            let about = report.get();
            (!about.is_empty()).then(|| report::shown(i18n, &page, about, &draft))
        }
    });
    let title = match &inbox.thread {
        Some(thread) => thread.conversation.name.clone(),
        None => t!(i18n, chat.title).to_owned(),
    };
    let heading = match open {
        Some(_) => view! { <h2 class="chat-title">{t!(i18n, chat.title)}</h2> }.into_any(),
        None => view! { <h1 class="chat-title">{t!(i18n, chat.title)}</h1> }.into_any(),
    };
    let nothing = inbox.conversations.items.is_empty() && open.is_none();
    let list = list_path(&asked.shop);
    let search = (!nothing).then(|| search(list.clone(), &asked.q, t!(i18n, chat.search), &[]));
    let label = asked.label.clone();
    let filters = inbox.labels.into_iter().map(|of| {
        let here = of == label;
        let href = if here { list.clone() } else { routes::with(&list, &[("label", &of)]) };
        Chip::filter(href, of, here)
    });
    let filters: Vec<_> = filters.collect();
    let filters = (!filters.is_empty()).then(|| chips(t!(i18n, chat.labels), filters));
    let hits = inbox.hits.map(|hits| hits::shown(i18n, &asked.shop, hits));
    let searched = hits.is_some();
    let cards = RwSignal::new(inbox.conversations);
    let settings =
        inbox.settings.map(|of| settings::shown(i18n, list_path(&asked.shop), of, draft.clone(), &done));
    let notes = inbox.thread.as_ref().filter(|thread| thread.side == Side::Shop);
    let notes = notes.map(|of| notes::shown(i18n, &path(&asked.shop, of.conversation.id), of, &draft));
    let thread = match inbox.thread {
        Some(thread) => view! { <OpenThread asked=asked.clone() thread cards draft reply /> }.into_any(),
        None if nothing => {
            let note =
                if asked.shop.is_empty() { t!(i18n, chat.none_note) } else { t!(i18n, chat.none_shop) };
            view! { <EmptyState icon="chat" title=t!(i18n, chat.none) note /> }.into_any()
        }
        None => view! { <p class="note chat-pick">{t!(i18n, chat.pick)}</p> }.into_any(),
    };
    view! {
        <PageTitle text=title />
        <CodeAlert />
        <div class="chat" class:open=open.is_some()>
            <nav class="chat-list" aria-label=t!(i18n, chat.title)>
                {heading}
                {search}
                {filters}
                {hits}
                {(!searched).then(|| view! { <Cards asked cards /> })}
            </nav>
            <div class="chat-side">{reported} {report} {thread} {notes} {settings}</div>
        </div>
    }
}

/// The list of conversations.
#[component]
fn Cards(asked: InboxRequest, cards: RwSignal<Page<ConversationCard>>) -> impl IntoView {
    let i18n = use_i18n();
    let (list, later) = (list_path(&asked.shop), !asked.after.is_empty());
    let label = asked.label.clone();
    move || {
        let Page { items, next } = cards.get();
        let rows =
            items.into_iter().map(|card| view! { <Row card shop=asked.shop.clone() open=asked.open /> });
        let next = next.map(|next| routes::with(&list, &[("label", &label), ("after", &next)]));
        let first = later.then(|| list.clone());
        view! {
            <ul class="chat-cards">{rows.collect_view()}</ul>
            {first.map(|href| view! { <LinkButton look="quiet" href>{t!(i18n, chat.all)}</LinkButton> })}
            {next.map(|href| view! { <LinkButton look="quiet" href>{t!(i18n, chat.older)}</LinkButton> })}
        }
    }
}

#[component]
fn Row(
    card: ConversationCard,
    shop: String,
    open: Option<haat_shared::id::kinds::ConversationId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let own = if shop.is_empty() { Side::Shopper } else { Side::Shop };
    let excerpt = match card.excerpt.is_empty() {
        true => t!(i18n, chat.deleted).to_owned(),
        false if card.last_side == own => t!(i18n, chat.you, text = card.excerpt.as_str()),
        false => card.excerpt.clone(),
    };
    let labels = (!card.labels.is_empty())
        .then(|| view! { <span class="note chat-labels" translate="no">{card.labels.join(" · ")}</span> });
    let here = open == Some(card.id);
    let unread = (card.unread > 0 && !here).then(|| {
        view! {
            <span class="chat-unread" aria-hidden="true">{words::number(i18n, card.unread)}</span>
            <span class="hidden">{tn!(i18n, chat.unread, card.unread)}</span>
        }
    });
    view! {
        <li>
            <a class="chat-card" href=path(&shop, card.id) aria-current=here.then_some("page")>
                <span class="chat-name">{card.name}</span>
                <span class="note">{words::day(i18n, &card.last_at)}</span>
                <span class="note one-line">{excerpt}</span>
                {unread}
                {labels}
            </a>
        </li>
    }
}

/// A product or order that a message is about.
fn card(i18n: I18n, card: &Card, shop: &str) -> AnyView {
    let (href, kind, title) = match card {
        Card::Product { slug, title, .. } => {
            (routes::product(slug), Some(t!(i18n, chat.about_product)), title.clone())
        }
        Card::Order { number, purchase } => {
            let href = match shop {
                "" => routes::purchase(purchase),
                shop => routes::shop_order(shop, number),
            };
            (href, None, t!(i18n, chat.about_order, number = number))
        }
    };
    view! {
        <a class="message-card" href=href>
            <Icon name=if kind.is_some() { "box" } else { "truck" } />
            <span>{kind.map(|kind| view! { <span class="note">{kind}</span> " " })} {title}</span>
        </a>
    }
    .into_any()
}

/// The text of a card in the form, from which the server finds it again.
fn about(card: &Card) -> String {
    match card {
        Card::Product { id, .. } => id.to_string(),
        Card::Order { number, .. } => number.clone(),
    }
}

/// The open conversation.
#[component]
fn OpenThread(
    asked: InboxRequest,
    thread: Thread,
    cards: RwSignal<Page<ConversationCard>>,
    draft: Draft,
    /// The saved answer to begin with.
    reply: String,
) -> impl IntoView {
    let i18n = use_i18n();
    let before = asked.before.is_some();
    let (shop, id, name) = (asked.shop.clone(), thread.conversation.id, thread.conversation.name.clone());
    let (action, list) = (path(&shop, id), list_path(&shop));
    let side = thread.side;
    let (next_id, earlier) = (thread.next_id.to_string(), thread.earlier);
    let attached = RwSignal::new(thread.about.clone());
    let live = Live::new(&asked, &thread, cards);
    let empty = thread.messages.is_empty();
    // There is nothing else to report.
    let report = thread.messages.iter().any(|message| message.side != side && !message.deleted).then(|| {
        let href = report::address(&action, report::CONVERSATION);
        view! { <LinkButton look="quiet" href>{t!(i18n, reports.report)}</LinkButton> }
    });
    live.messages.set(thread.messages);
    live.fault.set(draft.error.clone().filter(|_| !OTHER_FORMS.contains(&draft.typed("action").as_str())));

    let rows = move || {
        let mut day = String::new();
        let messages = live.messages.get().into_iter().map(|message| {
            let of = message.created_at.get(..10).unwrap_or_default().to_owned();
            let begins = std::mem::replace(&mut day, of) != day;
            (begins, message)
        });
        messages.collect::<Vec<_>>()
    };
    // What is searched among the saved answers: what is written behind a slash.
    let (sought, replies) = (RwSignal::new(String::new()), StoredValue::new(thread.replies.clone()));
    let found = move || {
        let sought = sought.get().to_lowercase();
        let all = replies.get_value().into_iter();
        all.filter(|of| of.name.to_lowercase().contains(&sought)).collect::<Vec<_>>()
    };
    let (for_messages, for_card) = (shop.clone(), shop.clone());
    let waiting = move || {
        let rows = live.queue.get().into_iter().map(|waiting| view! {
            <li class="message own waiting">
                <div class="bubble">{message::text(&waiting.text)}</div>
                <p class="message-note note">
                    {move || match (live.blocked.get() || live.barred.get(), live.offline.get()) {
                        (true, _) => t!(i18n, chat.not_sent),
                        (_, true) => t!(i18n, chat.waiting),
                        _ => t!(i18n, chat.sending),
                    }}
                    {move || (live.blocked.get() || live.barred.get() || live.offline.get()).then(|| view! {
                        " "
                        <button type="button" class="link" on:click=move |_| live.take_back(waiting.id)>{t!(i18n, chat.remove)}</button>
                    })}
                </p>
            </li>
        });
        rows.collect_view()
    };
    let block = (side == Side::Shop).then(|| {
        let action = action.clone();
        view! {
            <form method="post" action=action>
                {move || {
                    let (value, words) = match live.blocked.get() {
                        true => ("unblock", t!(i18n, chat.unblock)),
                        false => ("block", t!(i18n, chat.block)),
                    };
                    view! { <button type="submit" class="button quiet" name="action" value=value>{words}</button> }
                }}
            </form>
        }
    });
    let earlier = earlier.map(|seq| {
        let href = routes::with(&action, &[("before", &seq.to_string())]);
        view! { <p class="chat-more"><a href=href>{t!(i18n, chat.earlier)}</a></p> }
    });
    let latest = before.then(|| {
        let href = action.clone();
        view! { <p class="chat-more"><a href=href>{t!(i18n, chat.latest)}</a></p> }
    });
    let (latest_page, navigate) = (StoredValue::new(action.clone()), StoredValue::new(use_navigate()));
    let uploads = pictures::Uploads::new(format!("{action}/images"), draft.typed("kept"));
    let box_ref = NodeRef::<html::Textarea>::new();
    let send = move || {
        let Some(area) = box_ref.get_untracked() else { return };
        let about = attached.get_untracked().as_ref().map(about).unwrap_or_default();
        // One that is still on its way would be missing.
        if uploads.are_busy() || !live.send(area.value(), about, uploads.ready()) {
            let _ = area.focus();
            return;
        }
        {
            area.set_value("");
            attached.set(None);
            uploads.clear();
            if before {
                // Where it will appear.
                navigate.with_value(|to| to(&latest_page.get_value(), Default::default()));
            }
        }
        let _ = area.focus();
    };
    let answer = move |text: &str| {
        let Some(area) = box_ref.get_untracked() else { return };
        let written = area.value();
        area.set_value(&if written.starts_with('/') { text.to_owned() } else { written + text });
        sought.set(String::new());
        let _ = area.focus();
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        send();
    };
    let pressed = move |event: KeyboardEvent| {
        if event.key() == "Enter"
            && !sought.with_untracked(String::is_empty)
            && let Some(first) = untrack(found).first()
        {
            event.prevent_default();
            return answer(&first.text);
        }
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            send();
        }
    };
    // Leptos does not escape the content of a textarea.
    let typed = match thread.replies.iter().find(|of| of.id.to_string() == reply) {
        Some(of) if draft.typed("text").is_empty() => of.text.clone(),
        _ => draft.typed("text"),
    };
    let typed = typed.replace('&', "&amp;").replace('<', "&lt;");
    let typed = StoredValue::new(typed);
    let (form_action, typing_name) = (StoredValue::new(action.clone()), name.clone());
    let next_id = StoredValue::new(next_id);
    let quick = move || {
        let rows = found().into_iter().map(|of| {
            let href = routes::with(&form_action.get_value(), &[("reply", &of.id.to_string())]);
            let insert = move |event: MouseEvent| {
                event.prevent_default();
                answer(&of.text);
            };
            view! { <li><a class="chip" href=href on:click=insert>{of.name}</a></li> }
        });
        view! { <ul class="chips" aria-label=t!(i18n, chat.replies)>{rows.collect_view()}</ul> }
    };
    let quick = move || (!replies.with_value(Vec::is_empty)).then_some(quick);
    let composer = move || match live.blocked.get() || live.barred.get() {
        true => {
            let words = match side {
                _ if live.barred.get() => t!(i18n, reports.barred),
                Side::Shopper => t!(i18n, chat.blocked),
                Side::Shop => t!(i18n, chat.blocked_shop),
            };
            view! { <p class="note chat-blocked">{words}</p> }.into_any()
        }
        false => {
            let shop = for_card.clone();
            view! {
                <form
                    method="post"
                    action=format!("{}/images", form_action.get_value())
                    enctype="multipart/form-data"
                    class="composer"
                    novalidate
                    on:submit=submit
                >
                    <input type="hidden" name="message" value=next_id.get_value() />
                    <input type="hidden" name="about" value=move || attached.get().as_ref().map(about) />
                    {move || attached.get().map(|of| card(i18n, &of, &shop))}
                    {quick()}
                    <label for="text" class="hidden">{t!(i18n, chat.write)}</label>
                    <textarea
                        id="text"
                        name="text"
                        rows="2"
                        enterkeyhint="send"
                        placeholder=t!(i18n, chat.write)
                        node_ref=box_ref
                        inner_html=typed.get_value()
                        aria-invalid=move || live.fault.with(Option::is_some).then_some("true")
                        aria-describedby=move || live.fault.with(Option::is_some).then_some("text-error")
                        on:keydown=pressed
                        on:input=move |event| {
                            live.types();
                            let written = event_target_value(&event);
                            sought.set(written.strip_prefix('/').unwrap_or_default().to_owned());
                        }
                    ></textarea>
                    <input type="hidden" name="action" value="send" />
                    {uploads.shown(i18n, live)}
                    <button type="submit" class="button primary">{t!(i18n, chat.send)}</button>
                </form>
            }
            .into_any()
        }
    };
    let fault = move || {
        live.fault.get().map(|error| {
            let words = match &error {
                Error::Invalid(faults) if !faults.is_empty() => {
                    words::fault(i18n, &faults[0].field, faults[0].code)
                }
                error => words::error(i18n, error),
            };
            view! { <div id="text-error"><Alert>{words}</Alert></div> }
        })
    };
    live.begin();
    view! {
        <section class="chat-thread" aria-labelledby="with">
            <header class="chat-head">
                <a class="chat-back" href=list aria-label=t!(i18n, chat.all)><Icon name="back" /></a>
                <h1 id="with">{name}</h1>
                {report}
                {block}
            </header>
            <div class="chat-scroll" tabindex="0" role="log" aria-label=t!(i18n, chat.title)>
                <div>
                    {earlier}
                    {empty.then(|| view! { <p class="note chat-empty">{t!(i18n, chat.empty)}</p> })}
                    <ol class="messages">
                        <For
                            each=rows
                            key=|(begins, message)| (message.id, message.change_seq, *begins)
                            children=move |(begins, message)| {
                                message::shown(i18n, message, begins, for_messages.clone(), form_action.get_value(), live)
                            }
                        />
                        {waiting}
                    </ol>
                    {latest}
                </div>
            </div>
            <p class="note chat-typing" aria-live="polite">
                {move || live.typing.get().then(|| t!(i18n, chat.typing, name = typing_name.as_str()))}
            </p>
            {fault}
            {composer}
        </section>
    }
}
