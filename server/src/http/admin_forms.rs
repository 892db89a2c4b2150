//! The plain forms of the admin area.

use axum::{
    Extension, Form,
    extract::{Path, State as Extract},
    response::Response,
};
use haat_engine::{
    Caller, Engine,
    accounts::deactivation,
    admin::{self, Grantee},
    category_tree, contact, currencies, gift_cards, jobs,
    notifications::{self, announcements},
    orders, payments, payouts, personal, promotions, search_terms, taxes,
};
use haat_shared::{
    Conflict, Error, FieldCode, Result,
    admin::{PaymentAction, RefundAction},
    amounts,
    announcements::AnnouncementForm,
    categories::{CategoryForm, NEW_CATEGORY},
    commissions::{self, RateFor},
    currencies::read_rate,
    id::kinds::{AnnouncementId, GiftCardId, UserId},
    payouts::PayoutState,
    permissions::{AdminPermission, AdminRole},
    promotions::PromotionForm,
    routes::{
        self, ANNOUNCEMENTS, CATEGORIES, COMMISSION, CONTACT_MESSAGES, CURRENCIES, DELIVERIES, GIFT_CARDS,
        HOME, JOBS, MARKET_PROMOTIONS, PAYOUTS, SEARCHES, TAXES, TEAM, USERS, any_payout,
    },
    taxes::{TaxBasis, TaxNote, TaxRateForm, TaxSettings},
};

use super::{
    State, Typed, back,
    forms::{at_lines, back_with_draft, clean, field, refused},
    outcome::redirect,
    seller_forms::{approval, new_refund, promotion_done},
};

/// A promotion of the market: created, changed, ended or deleted.
pub(super) async fn promotions(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, form) = (value("action"), PromotionForm::read(value));
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManagePromotions)?;
        match action.as_str() {
            "create" => promotions::create_of_market(engine, &caller, &form).await.map(drop),
            "save" => {
                let version = value("version").parse().ok();
                promotions::save_of_market(engine, &caller, value("id").parse()?, version, &form).await
            }
            "end" => promotions::end_of_market(engine, &caller, value("id").parse()?).await,
            "delete" => promotions::delete_of_market(engine, &caller, value("id").parse()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    promotion_done(&state, MARKET_PROMOTIONS, typed, done).await
}

/// An announcement: written, changed, sent, withdrawn or deleted.
pub(super) async fn announcements(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let done: Result<Option<AnnouncementId>> = async {
        caller.admin(AdminPermission::ManagePromotions)?;
        let id: Option<AnnouncementId> = match value("id").as_str() {
            "" => None,
            id => Some(id.parse()?),
        };
        let version = value("version").parse().unwrap_or_default();
        match (action.as_str(), id) {
            ("save", None) => {
                let form = AnnouncementForm::read(value);
                announcements::create(engine, &caller, &form).await.map(Some)
            }
            ("save", Some(id)) => {
                let form = AnnouncementForm::read(value);
                announcements::save(engine, &caller, id, version, &form).await.map(|()| Some(id))
            }
            ("send", Some(id)) => announcements::send(engine, &caller, id, version).await.map(|()| Some(id)),
            ("withdraw", Some(id)) => announcements::withdraw(engine, &caller, id).await.map(|()| Some(id)),
            ("delete", Some(id)) => announcements::delete(engine, &caller, id).await.map(|()| None),
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    let shown = match &done {
        Ok(id) => id.map(|id| id.to_string()).unwrap_or_default(),
        Err(_) => value("id"),
    };
    let page = match (shown.as_str(), &done) {
        ("", Err(_)) => routes::with(ANNOUNCEMENTS, &[("edit", "new")]),
        ("", Ok(_)) => ANNOUNCEMENTS.to_owned(),
        (id, _) => routes::with(ANNOUNCEMENTS, &[("edit", id)]),
    };
    match done {
        Ok(_) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "announcement", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// A tax rate that is added, ended or removed, or how the market taxes.
pub(super) async fn taxes(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let mut notes = Vec::new();
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManagePromotions)?;
        match action.as_str() {
            "add" => {
                let form = TaxRateForm::read(value);
                taxes::add(engine, &caller, &form).await?;
                notes = taxes::notes(engine, &caller, &form).await?;
                Ok(())
            }
            "end" => taxes::end(engine, &caller, value("id").parse()?).await,
            "remove" => taxes::remove(engine, &caller, value("id").parse()?).await,
            "settings" => {
                let based_on = TaxBasis::parse(&value("based_on"));
                let settings = TaxSettings {
                    prices_include_tax: !value("prices_include_tax").is_empty(),
                    based_on: based_on.ok_or_else(|| Error::field("based_on", FieldCode::NotAChoice))?,
                    shipping_category: value("shipping_category"),
                };
                taxes::save_settings(engine, &caller, &settings).await
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => {
            let notes: Vec<&str> = notes.iter().map(|note: &TaxNote| note.as_str()).collect();
            redirect(&state, TAXES, &[("done", &action), ("n", &notes.join(" "))])
        }
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "tax_rate", TAXES, typed, &error).await,
        Err(error) => refused(&state, TAXES, &error),
    }
}

/// The words that mean the same in a search.
pub(super) async fn searches(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    match search_terms::set_synonyms(&state.runtime.engine, &caller, &field(&typed, "synonyms")).await {
        Ok(()) => redirect(&state, SEARCHES, &[("done", "synonyms")]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "synonyms", SEARCHES, typed, &error).await,
        Err(error) => refused(&state, SEARCHES, &error),
    }
}

/// A rate of commission: the usual one, or that of a category or a shop.
pub(super) async fn commission(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let of = match value("of").as_str() {
        "category" => RateFor::Category(value("category")),
        "shop" => RateFor::Shop(value("shop")),
        _ => RateFor::Usual,
    };
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageShops)?;
        let rate = match value("action").as_str() {
            "remove" => None,
            _ => Some(
                commissions::read_rate("percent", &value("percent"))
                    .map_err(|fault| Error::Invalid(vec![fault]))?,
            ),
        };
        haat_engine::commissions::set(engine, &caller, &of, rate).await
    }
    .await;
    match done {
        Ok(()) => redirect(&state, COMMISSION, &[("done", "set")]),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "commission", COMMISSION, typed, &error).await
        }
        Err(error) => refused(&state, COMMISSION, &error),
    }
}

/// A category: added, changed, moved among those beside it, or removed.
pub(super) async fn categories(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, slug) = (value("action"), value("category"));
    let done: Result<&str> = async {
        caller.admin(AdminPermission::ManageCatalog)?;
        let form = CategoryForm::read(value);
        match (action.as_str(), slug.as_str()) {
            ("up", _) => category_tree::shift(engine, &caller, &slug, true).await.map(|()| "up"),
            ("down", _) => category_tree::shift(engine, &caller, &slug, false).await.map(|()| "down"),
            ("remove", _) => {
                category_tree::remove(engine, &caller, &slug, &value("into")).await.map(|()| "remove")
            }
            (_, "") => category_tree::add(engine, &caller, &form).await.map(|_| "add"),
            (_, _) => category_tree::change(engine, &caller, &slug, &form).await.map(|()| "save"),
        }
    }
    .await;
    match done {
        Ok(done) => redirect(&state, CATEGORIES, &[("done", done)]),
        Err(error @ Error::Invalid(_)) => {
            let edit = if slug.is_empty() { NEW_CATEGORY } else { slug.as_str() };
            let page = routes::with(CATEGORIES, &[("edit", edit)]);
            back_with_draft(&state, "category", &page, typed, &error).await
        }
        Err(error) => refused(&state, CATEGORIES, &error),
    }
}

/// An exchange rate, or a file of them.
pub(super) async fn currencies(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let (action, confirmed) = (value("action"), !value("confirm").is_empty());
    let currency = || value("currency").parse().map_err(|_| Error::field("currency", FieldCode::NotAChoice));
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageRates)?;
        match action.as_str() {
            "set" => {
                let currency = currency()?;
                let rate = read_rate("rate", &value("rate")).map_err(|fault| Error::Invalid(vec![fault]))?;
                currencies::set_rate(engine, &caller, currency, rate, &value("source"), confirmed).await
            }
            "import" => {
                let (rates, source) = (value("rates"), value("source"));
                currencies::import(engine, &caller, &rates, &source, confirmed).await.map(drop)
            }
            "remove" => currencies::remove_rate(engine, &caller, currency()?).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, CURRENCIES, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "rate", CURRENCIES, typed, &error).await,
        Err(error) => refused(&state, CURRENCIES, &error),
    }
}

/// A gift card that is issued, disabled or enabled. The page then shows the code of the new one, to the admin who issued it.
pub(super) async fn gift_cards(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let done: Result<GiftCardId> = async {
        caller.admin(AdminPermission::ManagePayments)?;
        match action.as_str() {
            "issue" => {
                let currency = value("currency").parse();
                let currency = currency.map_err(|_| Error::field("currency", FieldCode::NotAChoice))?;
                let amount = amounts::read("amount", &value("amount"), currency);
                let amount = amount.map_err(|fault| Error::Invalid(vec![fault]))?;
                let expires = gift_cards::expiry(engine, &value("expires_on"))?;
                Ok(gift_cards::issue(engine, &caller, amount, &value("reason"), expires).await?.id)
            }
            "disable" | "enable" => {
                let id = value("id").parse()?;
                gift_cards::disable(engine, &caller, id, action == "disable").await.map(|()| id)
            }
            "refund" => {
                let id = value("id").parse()?;
                gift_cards::refund(engine, &caller, id).await.map(|()| id)
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(id) => redirect(&state, GIFT_CARDS, &[("done", &action), ("n", &id.to_string())]),
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "gift_card", GIFT_CARDS, typed, &error).await
        }
        Err(error) => refused(&state, GIFT_CARDS, &error),
    }
}

/// Decides on a return request that a shop has left unanswered.
pub(super) async fn order(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let page = routes::any_order(&number);
    let done: Result<()> = async {
        caller.admin(AdminPermission::DecideReturns)?;
        let id = field(&typed, "return").parse().map_err(|_| Error::NotFound)?;
        match action.as_str() {
            "return_approve" | "return_refund_now" => {
                orders::approve_as_operator(engine, &caller, &number, id, approval(&typed)).await
            }
            "return_reject" => {
                orders::reject_as_operator(engine, &caller, &number, id, &field(&typed, "reason")).await
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "any-order", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// Refunds a part of an order, if the form has shown this amount. Errors about a line name its field.
pub(super) async fn refund(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, page) = (&state.runtime.engine, routes::any_order(&number));
    let done: Result<()> = async {
        caller.admin(AdminPermission::RefundOrders)?;
        let order = orders::any_order(engine, &caller, &number).await?;
        let refund = new_refund(&typed, &order)?;
        let lines = refund.lines.clone();
        let refunded = orders::refund_as_operator(engine, &caller, &number, refund).await;
        refunded.map(drop).map_err(|error| at_lines(error, &lines))
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", "refund")]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "any-order", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

/// Retries or discards a job.
pub(super) async fn job(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let page = match back::local(&field(&typed, "back")).as_str() {
        HOME => JOBS.to_owned(),
        page => clean(page),
    };
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageJobs)?;
        let id = id.parse()?;
        match action.as_str() {
            "retry" => jobs::retry(engine, &caller, id).await,
            "discard" => jobs::discard(engine, &caller, id).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error) => refused(&state, &page, &error),
    }
}

/// Reads a payment from its gateway again, captures or cancels it.
pub(super) async fn payment(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let action = field(&typed, "action");
    let Ok(id) = id.parse() else { return refused(&state, routes::PAYMENTS, &Error::NotFound) };
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManagePayments)?;
        let action = PaymentAction::parse(&action).ok_or(Error::field("action", FieldCode::NotAChoice))?;
        payments::follow_up(&state.runtime.engine, &caller, id, action).await
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &routes::payment(id), &[("done", &action)]),
        Err(error) => refused(&state, &routes::payment(id), &error),
    }
}

/// A refund that came back is requested again, or was paid otherwise.
pub(super) async fn failed_refund(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let Ok(id) = id.parse() else { return refused(&state, routes::PAYMENTS, &Error::NotFound) };
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManagePayments)?;
        match RefundAction::parse(&action).ok_or(Error::field("action", FieldCode::NotAChoice))? {
            RefundAction::Retry => payments::retry_refund(engine, &caller, id).await,
            RefundAction::Settle => {
                payments::settle_refund(engine, &caller, id, &field(&typed, "note")).await
            }
        }
    }
    .await;
    let page = match payments::payment_of_refund(engine, &caller, id).await {
        Ok(payment) => routes::payment(payment),
        Err(_) => routes::PAYMENTS.to_owned(),
    };
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error) => refused(&state, &page, &error),
    }
}

/// The next step of a payout.
pub(super) async fn payout(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, value) = (&state.runtime.engine, |name: &str| field(&typed, name));
    let action = value("action");
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManagePayouts)?;
        let id = id.parse()?;
        match action.as_str() {
            "approve" => payouts::approve(engine, &caller, id).await,
            "retry" => payouts::retry_transfer(engine, &caller, id).await,
            "send" => payouts::mark_sent(engine, &caller, id, &value("reference")).await,
            "pay" => payouts::mark_paid(engine, &caller, id).await,
            "reject" => payouts::reject(engine, &caller, id, &value("reason")).await,
            "return" => payouts::mark_returned(engine, &caller, id, &value("reason")).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    let page = id.parse().map_or_else(|_| PAYOUTS.to_owned(), any_payout);
    match done {
        // The page says why the gateway has not reversed the transfer.
        Err(Error::Conflict(Conflict::PayoutMoved))
            if action == "return" && is_paid(engine, &caller, &id).await =>
        {
            redirect(&state, &page, &[("done", "not_reversed")])
        }
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "payout", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}

async fn is_paid(engine: &Engine, caller: &Caller, id: &str) -> bool {
    let Ok(id) = id.parse() else { return false };
    payouts::any(engine, caller, id).await.is_ok_and(|of| of.card.payout.state == PayoutState::Paid)
}

/// Sends a notification again.
pub(super) async fn resend(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let page = match back::local(&field(&typed, "back")).as_str() {
        HOME => DELIVERIES.to_owned(),
        page => clean(page),
    };
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageEmails)?;
        notifications::log::resend(&state.runtime.engine, &caller, id.parse()?).await
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", "resend")]),
        Err(error) => refused(&state, &page, &error),
    }
}

/// Grants a role to the user with an email address, or revokes one.
pub(super) async fn team(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageTeam)?;
        let role = AdminRole::parse(&field(&typed, "role"));
        let role = role.ok_or(Error::field("role", FieldCode::NotAChoice))?;
        match action.as_str() {
            "grant" => admin::grant_role(engine, &caller, Grantee::Email(field(&typed, "email")), role).await,
            "revoke" => admin::revoke_role(engine, &caller, field(&typed, "user").parse()?, role).await,
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, TEAM, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "team", TEAM, typed, &error).await,
        Err(error) => refused(&state, TEAM, &error),
    }
}

/// Answers a message from the contact page, or closes it.
pub(super) async fn answer(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(typed): Form<Typed>,
) -> Response {
    let engine = &state.runtime.engine;
    let closes = field(&typed, "action") == "close";
    let answer = field(&typed, "answer");
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageReports)?;
        let id = field(&typed, "id").parse()?;
        contact::close(engine, &caller, id, (!closes).then_some(answer.as_str())).await
    }
    .await;
    match done {
        Ok(()) => {
            let done = if closes { "close" } else { "answer" };
            redirect(&state, CONTACT_MESSAGES, &[("done", done)])
        }
        Err(error @ Error::Invalid(_)) => {
            back_with_draft(&state, "answer", CONTACT_MESSAGES, typed, &error).await
        }
        Err(error) => refused(&state, CONTACT_MESSAGES, &error),
    }
}

/// Deactivates the account of a user, activates it again, or deletes it.
pub(super) async fn user(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let (engine, action) = (&state.runtime.engine, field(&typed, "action"));
    let Ok(id) = id.parse::<UserId>() else { return refused(&state, USERS, &Error::NotFound) };
    let page = routes::user(id);
    let done: Result<()> = async {
        caller.admin(AdminPermission::ManageUsers)?;
        match action.as_str() {
            "deactivate" => deactivation::deactivate(engine, &caller, id, &field(&typed, "reason")).await,
            "activate" => deactivation::activate(engine, &caller, id).await,
            "erase" => {
                let confirmed = !field(&typed, "confirm").is_empty();
                personal::erase_as_admin(engine, &caller, id, confirmed).await
            }
            _ => Err(Error::field("action", FieldCode::NotAChoice)),
        }
    }
    .await;
    match done {
        Ok(()) => redirect(&state, &page, &[("done", &action)]),
        Err(error @ Error::Invalid(_)) => back_with_draft(&state, "user", &page, typed, &error).await,
        Err(error) => refused(&state, &page, &error),
    }
}
