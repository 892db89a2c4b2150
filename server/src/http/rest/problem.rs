//! Errors as problem details (RFC 9457), with a stable `code` and all invalid fields.

use axum::{
    Json,
    extract::{Request, State as Extract},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use haat_app::{
    i18n::{Locale, t},
    words,
};
use haat_engine::media;
use haat_shared::{
    Conflict, Currency, Error, FieldCode, FieldError, Money,
    gift_cards::GiftCardRefusal,
    orders::{Actor, OrderState},
    promotions::Refusal,
    returns::ReturnState,
    routes::{API, API_DOCS},
};
use serde_json::{Value, json};

use super::State;
use crate::config::Mode;

/// Why a request failed.
#[derive(Debug, Clone)]
pub(super) enum Problem {
    /// A use case returned an error.
    Rejected(Error),
    /// A value of the request is invalid.
    NotReadable {
        /// Where it is.
        field: String,
        /// The parser's message, in English.
        why: String,
    },
    /// The body is not JSON, or has a name twice.
    NotJson {
        /// The parser's message, in English.
        why: String,
    },
    /// The idempotency key is missing.
    KeyMissing,
    /// An upload in an unsupported format, and the reason.
    PictureKind(FieldCode),
    /// An error with only an HTTP status.
    Status(StatusCode),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Rejected(error)
    }
}

impl From<StatusCode> for Problem {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

/// The stable name of a field's error, without its values.
pub(super) fn code(code: FieldCode) -> Value {
    match json!(code) {
        Value::Object(object) => object.into_iter().next().map_or(Value::Null, |(name, _)| name.into()),
        name => name,
    }
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(Error::Conflict(Conflict::Edited(_))) => StatusCode::PRECONDITION_FAILED,
            Self::Rejected(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::NotReadable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotJson { .. } | Self::KeyMissing => StatusCode::BAD_REQUEST,
            Self::PictureKind(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Status(status) => *status,
        }
    }

    /// The stable name of an error, and its description: that of pages, unless it mentions pages.
    fn named(&self, locale: Locale) -> (&'static str, String) {
        let error = match self {
            Self::KeyMissing => return ("idempotency_key_missing", t!(locale, problem.key_missing).into()),
            Self::NotReadable { .. } | Self::Rejected(Error::Invalid(_)) => {
                return ("invalid", t!(locale, problem.invalid).into());
            }
            Self::NotJson { .. } => return named(StatusCode::BAD_REQUEST, locale),
            Self::Rejected(Error::Conflict(Conflict::Edited(_))) => {
                return named(StatusCode::PRECONDITION_FAILED, locale);
            }
            Self::Rejected(Error::Conflict(Conflict::KeyReused)) => {
                return ("key_reused", t!(locale, problem.key_reused).into());
            }
            Self::Rejected(Error::Conflict(Conflict::InFlight)) => {
                return ("in_flight", t!(locale, problem.in_flight).into());
            }
            Self::Rejected(Error::Conflict(Conflict::OrderMoved(_))) => {
                return ("order_moved", t!(locale, problem.order_moved).into());
            }
            Self::Rejected(Error::Conflict(Conflict::CheckoutEnded)) => {
                return ("checkout_ended", t!(locale, problem.checkout_ended).into());
            }
            Self::Rejected(error @ Error::Conflict(Conflict::PayoutMoved)) => {
                return (error.code(), t!(locale, problem.payout_moved).into());
            }
            Self::Rejected(error @ Error::Conflict(Conflict::RefundMoved)) => {
                return (error.code(), t!(locale, problem.refund_moved).into());
            }
            Self::Rejected(error @ Error::Conflict(Conflict::Disputed)) => {
                return (error.code(), t!(locale, problem.disputed).into());
            }
            // Pages don't receive returns.
            Self::Rejected(error @ Error::Conflict(Conflict::ReturnReceived)) => {
                return (error.code(), t!(locale, problem.return_received).into());
            }
            Self::Rejected(error @ Error::Conflict(Conflict::PaymentMoved)) => {
                return (error.code(), t!(locale, problem.payment_moved).into());
            }
            Self::Rejected(error @ Error::Conflict(Conflict::ReturnMoved(_))) => {
                return (error.code(), t!(locale, problem.return_moved).into());
            }
            Self::Rejected(Error::EventsExpired { .. }) => {
                return ("events_expired", t!(locale, problem.events_expired).into());
            }
            Self::Rejected(error) => error,
            Self::PictureKind(_) => return named(StatusCode::UNSUPPORTED_MEDIA_TYPE, locale),
            Self::Status(status) => return named(*status, locale),
        };
        (error.code(), words::code(locale, error.code()))
    }

    fn fields(&self, locale: Locale) -> Vec<Value> {
        match self {
            Self::Rejected(Error::Invalid(faults)) => faults
                .iter()
                .map(|f| json!({"field": f.field, "code": code(f.code), "message": message(locale, f)}))
                .collect(),
            Self::NotReadable { field, why } => {
                let message = format!("{} ({why})", t!(locale, problem.not_readable));
                vec![json!({"field": field, "code": "not_readable", "message": message})]
            }
            _ => Vec::new(),
        }
    }

    fn body(&self, locale: Locale, request_id: &str) -> Value {
        let (code, about) = self.named(locale);
        let detail = match self {
            Self::Rejected(Error::Conflict(Conflict::OrderMoved(state))) => {
                t!(locale, problem.order_moved_to, state = state.as_str())
            }
            Self::Rejected(Error::Conflict(Conflict::ReturnMoved(state))) => {
                t!(locale, problem.return_moved_to, state = state.as_str())
            }
            Self::NotJson { why } => format!("{about} ({why})"),
            // These name what they are about.
            Self::Rejected(
                error @ (Error::Conflict(
                    Conflict::OutOfStock(_)
                    | Conflict::GuestLimit(_)
                    | Conflict::TotalChanged { .. }
                    | Conflict::NotShipped(_)
                    | Conflict::CodeLimit(..)
                    | Conflict::AlreadyCancelled { .. },
                )
                | Error::RateLimited { .. }),
            ) => words::error(locale, error),
            Self::PictureKind(code) => words::field(locale, *code),
            _ => about,
        };
        let mut body = json!({
            "type": format!("{API_DOCS}#{code}"),
            "title": title(locale, code),
            "status": self.status().as_u16(),
            "code": code,
            "detail": detail,
            "fields": self.fields(locale),
            "request_id": request_id,
        });
        match self {
            Self::Rejected(Error::Conflict(Conflict::OutOfStock(short) | Conflict::GuestLimit(short))) => {
                body["shortages"] = json!(short)
            }
            Self::Rejected(Error::Conflict(Conflict::TotalChanged { total, quote_version })) => {
                (body["total"], body["quote_version"]) = (json!(total), json!(quote_version));
            }
            Self::Rejected(Error::Conflict(Conflict::OrderMoved(state))) => {
                body["order_status"] = json!(state)
            }
            Self::Rejected(Error::Conflict(Conflict::ReturnMoved(state))) => {
                body["return_status"] = json!(state)
            }
            Self::Rejected(Error::Conflict(Conflict::AlreadyCancelled { by, reason })) => {
                (body["cancelled_by"], body["reason"]) = (json!(by), json!(reason));
            }
            Self::Rejected(Error::EventsExpired { after }) => body["after"] = json!(after),
            Self::Rejected(Error::Conflict(Conflict::NotShipped(shops))) => {
                body["not_shipped"] = json!(shops)
            }
            Self::Rejected(Error::Conflict(Conflict::CodeLimit(_, limit))) => body["limit"] = json!(limit),
            Self::Rejected(Error::Conflict(Conflict::Edited(fields))) => body["changed"] = json!(fields),
            _ => {}
        }
        body
    }
}

/// What is wrong with a field, in the words of pages, unless these mention the page's form.
fn message(locale: Locale, fault: &FieldError) -> String {
    match (fault.code, fault.field.as_str()) {
        (FieldCode::NotAChoice, field) if !["category", "currency", "shipping_category"].contains(&field) => {
            t!(locale, problem.not_a_choice).into()
        }
        (FieldCode::Missing, "payment_method") => words::field(locale, FieldCode::Missing),
        (FieldCode::TooBig, field) if field.starts_with("lines.") && field.ends_with(".quantity") => {
            t!(locale, problem.more_than_left).to_owned()
        }
        (code, field) => words::fault(locale, field, code),
    }
}

/// The short name of a type of problem, which doesn't depend on the occurrence.
fn title(locale: Locale, code: &str) -> &'static str {
    match code {
        "bad_request" => t!(locale, problem.title_bad_request),
        "idempotency_key_missing" => t!(locale, problem.title_idempotency_key_missing),
        "sign_in_needed" => t!(locale, problem.title_sign_in_needed),
        "denied" => t!(locale, problem.title_denied),
        "not_found" => t!(locale, problem.title_not_found),
        "method_not_allowed" => t!(locale, problem.title_method_not_allowed),
        "not_acceptable" => t!(locale, problem.title_not_acceptable),
        "out_of_stock" => t!(locale, problem.title_out_of_stock),
        "cart_empty" => t!(locale, problem.title_cart_empty),
        "checkout_ended" => t!(locale, problem.title_checkout_ended),
        "already_paid" => t!(locale, problem.title_already_paid),
        "payment_in_progress" => t!(locale, problem.title_payment_in_progress),
        "payment_declined" => t!(locale, problem.title_payment_declined),
        "payment_cancelled" => t!(locale, problem.title_payment_cancelled),
        "total_changed" => t!(locale, problem.title_total_changed),
        "not_shipped" => t!(locale, problem.title_not_shipped),
        "mixed_currencies" => t!(locale, problem.title_mixed_currencies),
        "key_reused" => t!(locale, problem.title_key_reused),
        "in_flight" => t!(locale, problem.title_in_flight),
        "order_moved" => t!(locale, problem.title_order_moved),
        "payment_moved" => t!(locale, problem.title_payment_moved),
        "partly_shipped" => t!(locale, problem.title_partly_shipped),
        "already_cancelled" => t!(locale, problem.title_already_cancelled),
        "return_received" => t!(locale, problem.title_return_received),
        "return_moved" => t!(locale, problem.title_return_moved),
        "not_returnable" => t!(locale, problem.title_not_returnable),
        "guest_limit" => t!(locale, problem.title_guest_limit),
        "cash_needs_account" => t!(locale, problem.title_cash_needs_account),
        "was_sold" => t!(locale, problem.title_was_sold),
        "conversation_blocked" => t!(locale, problem.title_conversation_blocked),
        "message_kept" => t!(locale, problem.title_message_kept),
        "time_taken" => t!(locale, problem.title_time_taken),
        "too_late" => t!(locale, problem.title_too_late),
        "prices_changed" => t!(locale, problem.title_prices_changed),
        "customer_is_guest" => t!(locale, problem.title_customer_is_guest),
        "import_ended" => t!(locale, problem.title_import_ended),
        "last_owner" => t!(locale, problem.title_last_owner),
        "own_account" => t!(locale, problem.title_own_account),
        "account_deleted" => t!(locale, problem.title_account_deleted),
        "account_in_use" => t!(locale, problem.title_account_in_use),
        "payout_moved" => t!(locale, problem.title_payout_moved),
        "own_payout" => t!(locale, problem.title_own_payout),
        "disputed" => t!(locale, problem.title_disputed),
        "promotion_used" => t!(locale, problem.title_promotion_used),
        "code_unknown" => t!(locale, problem.title_code_unknown),
        "code_not_started" => t!(locale, problem.title_code_not_started),
        "code_ended" => t!(locale, problem.title_code_ended),
        "code_used_up" => t!(locale, problem.title_code_used_up),
        "code_used_by_you" => t!(locale, problem.title_code_used_by_you),
        "code_other_items" => t!(locale, problem.title_code_other_items),
        "code_below_minimum" => t!(locale, problem.title_code_below_minimum),
        "code_above_maximum" => t!(locale, problem.title_code_above_maximum),
        "code_not_combinable" => t!(locale, problem.title_code_not_combinable),
        "code_no_effect" => t!(locale, problem.title_code_no_effect),
        "code_too_many" => t!(locale, problem.title_code_too_many),
        "gift_card_unknown" => t!(locale, problem.title_gift_card_unknown),
        "gift_card_used_up" => t!(locale, problem.title_gift_card_used_up),
        "gift_card_disabled" => t!(locale, problem.title_gift_card_disabled),
        "gift_card_expired" => t!(locale, problem.title_gift_card_expired),
        "gift_card_other_currency" => t!(locale, problem.title_gift_card_other_currency),
        "gift_card_too_many" => t!(locale, problem.title_gift_card_too_many),
        "gift_card_unneeded" => t!(locale, problem.title_gift_card_unneeded),
        "gift_card_changed" => t!(locale, problem.title_gift_card_changed),
        "gift_card_with_cash" => t!(locale, problem.title_gift_card_with_cash),
        "gift_card_at_checkout" => t!(locale, problem.title_gift_card_at_checkout),
        "gift_card_for_gift_cards" => t!(locale, problem.title_gift_card_for_gift_cards),
        "gift_card_bought_in_cash" => t!(locale, problem.title_gift_card_bought_in_cash),
        "gift_card_not_sold" => t!(locale, problem.title_gift_card_not_sold),
        "gift_card_too_many_in_cart" => t!(locale, problem.title_gift_card_too_many_in_cart),
        "gift_card_not_sent_again" => t!(locale, problem.title_gift_card_not_sent_again),
        "gift_card_not_refundable" => t!(locale, problem.title_gift_card_not_refundable),
        "refund_moved" => t!(locale, problem.title_refund_moved),
        "events_expired" => t!(locale, problem.title_events_expired),
        "precondition_failed" => t!(locale, problem.title_precondition_failed),
        "too_large" => t!(locale, problem.title_too_large),
        "unsupported_media_type" => t!(locale, problem.title_unsupported_media_type),
        "invalid" => t!(locale, problem.title_invalid),
        "precondition_required" => t!(locale, problem.title_precondition_required),
        "rate_limited" => t!(locale, problem.title_rate_limited),
        "pictures_busy" => t!(locale, problem.title_pictures_busy),
        "busy" => t!(locale, problem.title_busy),
        _ => t!(locale, problem.title_internal),
    }
}

/// All problems: status, code and description.
pub(super) fn all(locale: Locale) -> Vec<(u16, &'static str, String)> {
    let object = |problem: Problem| {
        let (code, about) = problem.named(locale);
        (problem.status().as_u16(), code, about)
    };
    let mut all: Vec<_> = every().map(object).collect();
    all.sort_by_key(|(status, ..)| *status);
    all
}

/// A problem of every code.
fn every() -> impl Iterator<Item = Problem> {
    use Conflict::*;
    let statuses = [
        StatusCode::BAD_REQUEST,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::PRECONDITION_FAILED,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::PRECONDITION_REQUIRED,
    ];
    let errors = [
        Error::SignInNeeded,
        Error::Denied,
        Error::NotFound,
        Error::TooLarge,
        Error::EventsExpired { after: 0 },
        Error::Invalid(Vec::new()),
        Error::RateLimited { retry_after_s: 1 },
        media::BUSY,
        Error::Internal,
        Error::Busy { retry_after_s: 1 },
    ];
    let conflicts = [
        OutOfStock(Vec::new()),
        CartEmpty,
        CheckoutEnded,
        AlreadyPaid,
        PaymentInProgress,
        PaymentDeclined,
        PaymentCancelled,
        TotalChanged { total: Money::zero(Currency::INR), quote_version: 1 },
        MixedCurrencies,
        KeyReused,
        InFlight,
        OrderMoved(OrderState::Placed),
        PaymentMoved,
        PartlyShipped,
        GuestLimit(Vec::new()),
        CashNeedsAccount,
        AlreadyCancelled { by: Actor::Shop, reason: String::new() },
        ReturnReceived,
        ReturnMoved(ReturnState::Rejected),
        NotReturnable,
        WasSold,
        ImportEnded,
        LastOwner,
        OwnAccount,
        AccountDeleted,
        AccountInUse,
        PayoutMoved,
        OwnPayout,
        Disputed,
        RefundMoved,
        PromotionUsed,
        NotShipped(Vec::new()),
        ConversationBlocked,
        MessageKept,
        CustomerIsGuest,
        TimeTaken(Vec::new()),
        TooLate,
        PricesChanged,
    ];
    let conflicts =
        conflicts.into_iter().chain(Refusal::ALL.map(Code)).chain(GiftCardRefusal::ALL.map(GiftCard));
    let errors = errors.into_iter().chain(conflicts.map(Error::Conflict)).map(Problem::Rejected);
    statuses.map(Problem::Status).into_iter().chain([Problem::KeyMissing]).chain(errors)
}

/// The problem of a bare HTTP status: its stable name and description.
fn named(status: StatusCode, locale: Locale) -> (&'static str, String) {
    let (code, words) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", t!(locale, problem.method_not_allowed)),
        StatusCode::NOT_ACCEPTABLE => ("not_acceptable", t!(locale, problem.not_acceptable)),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", t!(locale, problem.unsupported_media_type))
        }
        StatusCode::PRECONDITION_FAILED => ("precondition_failed", t!(locale, problem.precondition_failed)),
        StatusCode::PRECONDITION_REQUIRED => {
            ("precondition_required", t!(locale, problem.precondition_required))
        }
        StatusCode::BAD_REQUEST => ("bad_request", t!(locale, problem.bad_request)),
        status => {
            let error = match status {
                StatusCode::NOT_FOUND => Error::NotFound,
                StatusCode::UNAUTHORIZED => Error::SignInNeeded,
                StatusCode::FORBIDDEN => Error::Denied,
                StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
                    Error::Busy { retry_after_s: 1 }
                }
                status if status.is_client_error() => {
                    return ("bad_request", t!(locale, problem.bad_request).into());
                }
                _ => Error::Internal,
            };
            return (error.code(), words::code(locale, error.code()));
        }
    };
    (code, words.into())
}

/// It is translated in [`into_problem`], where the language and ID of the request are known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if let Self::Rejected(error) = &self
            && let Some(seconds) = error.retry_after_s()
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The language of an API client. Cookies are ignored.
pub(super) fn language(state: &State, headers: &HeaderMap) -> Locale {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Locale::of_request(None, asked.unwrap_or_default(), state.runtime.config.mode == Mode::Development)
}

/// Adds a body to every error under `/api/v1`, whether from a handler, the router or a timeout.
pub(in crate::http) async fn into_problem(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(API) {
        return next.run(request).await;
    }
    let locale = language(&state, request.headers());
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let id = id.to_owned();
    let mut response = next.run(request).await;
    if response.status().as_u16() < 400 {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    let body = problem.unwrap_or(Problem::Status(response.status())).body(locale, &id);
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let mut response = Json(body).into_response();
    *response.status_mut() = parts.status;
    let headers = response.headers_mut();
    headers.extend(parts.headers);
    response
}

#[cfg(test)]
mod tests {
    use haat_shared::{Id, error::Shortage};

    use super::*;

    /// The same problem, with its additional fields set.
    fn filled(problem: Problem) -> Problem {
        use Conflict::*;
        let shortage = Shortage {
            variant: Id::from_uuid(Default::default()),
            title: "Clay bowl".into(),
            left: 2,
            discontinued: false,
            capacity: None,
        };
        let error = match problem {
            Problem::Status(StatusCode::PRECONDITION_FAILED) => Edited(vec!["title".into()]).into(),
            Problem::Rejected(Error::Invalid(_)) => {
                Error::Invalid(vec![FieldError::new("address.city", FieldCode::Missing)])
            }
            Problem::Rejected(Error::EventsExpired { .. }) => Error::EventsExpired { after: 7 },
            Problem::Rejected(Error::Conflict(OutOfStock(_))) => OutOfStock(vec![shortage]).into(),
            Problem::Rejected(Error::Conflict(GuestLimit(_))) => GuestLimit(vec![shortage]).into(),
            Problem::Rejected(Error::Conflict(TotalChanged { .. })) => {
                TotalChanged { total: Money::new(94_900, Currency::INR), quote_version: 2 }.into()
            }
            Problem::Rejected(Error::Conflict(Code(
                why @ (Refusal::BelowMinimum | Refusal::AboveMaximum),
            ))) => CodeLimit(why, Money::new(50_000, Currency::INR)).into(),
            Problem::Rejected(Error::Conflict(AlreadyCancelled { by, .. })) => {
                AlreadyCancelled { by, reason: "The kiln broke".into() }.into()
            }
            problem => return problem,
        };
        Problem::Rejected(error)
    }

    /// API clients have a request before them, not a page.
    #[test]
    fn no_problem_speaks_of_pages() {
        let locale = Locale::default();
        for problem in every().map(filled) {
            let body = problem.body(locale, "");
            let text = format!("{} {}", body["title"], body["detail"]).to_lowercase();
            for word in ["page", "reload", "button", "click", " tap ", " tab", "your changes", "you entered"]
            {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
    }

    #[test]
    fn titles_are_short_and_name_the_type() {
        for tag in ["en", "hi"] {
            let locale = tag.parse().unwrap();
            let mut titles = std::collections::BTreeMap::new();
            for body in every().map(|problem| filled(problem).body(locale, "")) {
                let [code, title, detail] =
                    ["code", "title", "detail"].map(|name| body[name].as_str().unwrap());
                assert_ne!(title, detail, "{code}");
                assert!(title.chars().count() <= 40 && !title.ends_with(['.', '।']), "{code}: {title}");
                let other = titles.insert(title.to_owned(), code.to_owned());
                assert!(other.is_none_or(|other| other == code), "{code}: {title}");
            }
        }
    }

    #[test]
    fn problems_name_the_values_of_the_api() {
        let locale = Locale::default();
        for state in OrderState::ALL {
            let body = Problem::Rejected(Conflict::OrderMoved(state).into()).body(locale, "");
            assert!(body["detail"].as_str().unwrap().contains(&format!("“{}”", state.as_str())), "{body}");
        }
        let messages = [
            ("after", FieldCode::BadCursor, "next"),
            ("sort", FieldCode::NotAChoice, "not one of the allowed values"),
            ("address.country", FieldCode::NotAChoice, "not one of the allowed values"),
            ("payment_method", FieldCode::Missing, "required"),
            ("category", FieldCode::NotAChoice, "slug"),
            ("lines.2.quantity", FieldCode::TooBig, "fewer of this item left"),
        ];
        for (field, code, says) in messages {
            let body = Problem::Rejected(Error::field(field, code)).body(locale, "");
            assert!(body["fields"][0]["message"].as_str().unwrap().contains(says), "{body}");
        }
        let empty = words::fault(locale, "", FieldCode::EmptyFile);
        assert!(!empty.contains("hoose"), "{empty}");
    }

    #[test]
    fn every_problem_has_a_body() {
        let _in = crate::snapshots();
        for tag in ["en", "hi"] {
            let locale = tag.parse().unwrap();
            let mut bodies: Vec<Value> =
                every().map(|problem| filled(problem).body(locale, "[request id]")).collect();
            bodies.sort_by_key(|body| body["status"].as_u64());
            insta::assert_json_snapshot!(format!("problems.{tag}"), bodies);
        }
    }
}
