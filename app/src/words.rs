//! Facts in words: errors, states, ways to pay, dates.

use haat_shared::{Conflict, Error, FieldCode, orders::OrderState, payments::Method};
use leptos_i18n::{td_string, tu_string};

use crate::i18n::{I18nKeys, Locale};

/// The words of the language that the page is in.
pub type I18n = leptos_i18n::I18nContext<Locale, I18nKeys>;

impl From<I18n> for Locale {
    fn from(i18n: I18n) -> Self {
        i18n.get_locale_untracked()
    }
}

/// What went wrong and what to do, in a sentence or two.
pub fn error(i18n: I18n, error: &Error) -> String {
    match error {
        Error::Conflict(Conflict::OutOfStock(short)) if !short.is_empty() => {
            let each = short.iter().map(|s| match s.left {
                ..=0 => tu_string!(i18n, failure.shortage_none, title = s.title.as_str()).to_string(),
                n => tu_string!(i18n, failure.shortage, title = s.title.as_str(), n = n).to_string(),
            });
            each.collect::<Vec<_>>().join(" ")
        }
        Error::Conflict(Conflict::TotalChanged(now)) => {
            tu_string!(i18n, error.total_changed_to, price = now.to_string()).to_string()
        }
        Error::RateLimited { retry_after_s } => {
            tu_string!(i18n, error.rate_limited_for, seconds = *retry_after_s).to_string()
        }
        other => code(i18n, other.code()),
    }
}

/// The same for a code alone, as redirects carry it. An unknown code is a fault of ours.
pub fn code(i18n: I18n, code: &str) -> String {
    match code {
        "not_found" => tu_string!(i18n, error.not_found),
        "invalid" => tu_string!(i18n, error.invalid),
        "out_of_stock" => tu_string!(i18n, error.out_of_stock),
        "cart_empty" => tu_string!(i18n, error.cart_empty),
        "checkout_ended" => tu_string!(i18n, error.checkout_ended),
        "already_paid" => tu_string!(i18n, error.already_paid),
        "payment_in_progress" => tu_string!(i18n, error.payment_in_progress),
        "payment_declined" => tu_string!(i18n, error.payment_declined),
        "total_changed" => tu_string!(i18n, error.total_changed),
        "mixed_currencies" => tu_string!(i18n, error.mixed_currencies),
        "key_reused" => tu_string!(i18n, error.key_reused),
        "in_flight" => tu_string!(i18n, error.in_flight),
        "sign_in_needed" => tu_string!(i18n, error.sign_in_needed),
        "denied" => tu_string!(i18n, error.denied),
        "too_large" => tu_string!(i18n, error.too_large),
        "rate_limited" => tu_string!(i18n, error.rate_limited),
        "busy" => tu_string!(i18n, error.busy),
        _ => tu_string!(i18n, error.internal),
    }
    .to_owned()
}

/// What is wrong with a field.
pub fn field(i18n: I18n, code: FieldCode) -> String {
    match code {
        FieldCode::Missing => tu_string!(i18n, field.missing),
        FieldCode::TooLong => tu_string!(i18n, field.too_long),
        FieldCode::TooShort => tu_string!(i18n, field.too_short),
        FieldCode::NotEmail => tu_string!(i18n, field.not_email),
        FieldCode::NotNumber => tu_string!(i18n, field.not_number),
        FieldCode::TooSmall => tu_string!(i18n, field.too_small),
        FieldCode::TooBig => tu_string!(i18n, field.too_big),
        FieldCode::NotAChoice => tu_string!(i18n, field.not_a_choice),
        FieldCode::Taken => tu_string!(i18n, field.taken),
        FieldCode::WrongCredentials => tu_string!(i18n, field.wrong_credentials),
        FieldCode::BadCharacters => tu_string!(i18n, field.bad_characters),
    }
    .to_owned()
}

/// The name of a way to pay, as a choice.
pub fn method(i18n: I18n, method: Method) -> &'static str {
    match method {
        Method::Sandbox => tu_string!(i18n, method.sandbox),
        Method::Cash => tu_string!(i18n, method.cash),
    }
}

/// What choosing it means.
pub fn method_note(i18n: I18n, method: Method) -> &'static str {
    match method {
        Method::Sandbox => tu_string!(i18n, method.sandbox_note),
        Method::Cash => tu_string!(i18n, method.cash_note),
    }
}

/// How it was paid.
pub fn paid_by(locale: impl Into<Locale>, method: Method) -> &'static str {
    let locale = locale.into();
    match method {
        Method::Sandbox => td_string!(locale, method.paid_sandbox),
        Method::Cash => td_string!(locale, method.paid_cash),
    }
}

/// The name of where an order stands.
pub fn order_state(i18n: I18n, state: OrderState) -> &'static str {
    match state {
        OrderState::Placed => tu_string!(i18n, purchase.step_placed),
        OrderState::Confirmed => tu_string!(i18n, purchase.step_confirmed),
        OrderState::Shipped => tu_string!(i18n, purchase.step_shipped),
        OrderState::Delivered => tu_string!(i18n, purchase.step_delivered),
        OrderState::Cancelled => tu_string!(i18n, purchase.step_cancelled),
    }
}

/// What that means for the one who waits.
pub fn order_news(i18n: I18n, state: OrderState) -> &'static str {
    match state {
        OrderState::Placed => tu_string!(i18n, purchase.now_placed),
        OrderState::Confirmed => tu_string!(i18n, purchase.now_confirmed),
        OrderState::Shipped => tu_string!(i18n, purchase.now_shipped),
        OrderState::Delivered => tu_string!(i18n, purchase.now_delivered),
        OrderState::Cancelled => tu_string!(i18n, purchase.now_cancelled),
    }
}

/// The day of a time in RFC 3339: `2026-11-21T09:30:00Z` is 21 Nov 2026. What is no such time stays as it is.
pub fn day(locale: impl Into<Locale>, time: &str) -> String {
    let locale = locale.into();
    let mut parts = time.get(..10).unwrap_or_default().split('-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return time.to_owned();
    };
    let month = match month {
        "01" => td_string!(locale, month.m1),
        "02" => td_string!(locale, month.m2),
        "03" => td_string!(locale, month.m3),
        "04" => td_string!(locale, month.m4),
        "05" => td_string!(locale, month.m5),
        "06" => td_string!(locale, month.m6),
        "07" => td_string!(locale, month.m7),
        "08" => td_string!(locale, month.m8),
        "09" => td_string!(locale, month.m9),
        "10" => td_string!(locale, month.m10),
        "11" => td_string!(locale, month.m11),
        "12" => td_string!(locale, month.m12),
        _ => return time.to_owned(),
    };
    format!("{} {month} {year}", day.trim_start_matches('0'))
}
