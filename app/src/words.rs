//! Values as text: errors, statuses, payment methods; numbers, amounts and dates in each language's format.

use std::borrow::Cow;

use haat_shared::{
    Conflict, Error, FieldCode, Money,
    accounts::PASSWORD_MIN,
    address_book::AddressLabel,
    amounts,
    carts::QUANTITY_MAX,
    catalog::{
        edit::{self, ProductState, STOCK_MAX},
        imports::{RowError, similar_column},
    },
    gift_cards::GiftCardRefusal,
    ledger::PostingKind,
    orders::{Actor, OrderEventKind, OrderRefund, OrderState, OrderView, RefundReason},
    payments::{CashState, PaymentFailure, PaymentMethod, PaymentState},
    payouts::{PayoutMethodKind, PayoutProblem, PayoutState},
    permissions::{AdminRole, Role},
    personal::Obstacle,
    pricing::Benefit,
    promotions::{Refusal, TOO_MANY_TRIES},
    reports::ReportReason,
    returns::{ReturnReason, ReturnState},
    sales::PERIOD_MAX,
    shipping::{ShippingMethod, ShippingOption, Slot},
    shops::{DAYS_MAX, HANDLE_LENGTH},
    text,
};

use leptos::prelude::*;

pub use crate::i18n::Locale as I18n;
use crate::i18n::{Value, t, tn, tu_string};

/// An error and what to do about it, in a sentence or two.
pub fn error(i18n: I18n, error: &Error) -> String {
    match error {
        Error::Conflict(Conflict::OutOfStock(short)) if !short.is_empty() => {
            let each = short.iter().map(|s| match s.left {
                _ if s.discontinued => {
                    tu_string!(i18n, failure.shortage_discontinued, title = s.title.as_str()).to_string()
                }
                ..=0 => tu_string!(i18n, failure.shortage_none, title = s.title.as_str()).to_string(),
                n => tu_string!(i18n, failure.shortage, title = s.title.as_str(), n = n).to_string(),
            });
            each.collect::<Vec<_>>().join(" ")
        }
        Error::Conflict(Conflict::GuestLimit(most)) if !most.is_empty() => {
            let each = most.iter().map(|s| {
                tu_string!(i18n, error.guest_limit_of, n = s.left, title = s.title.as_str()).to_string()
            });
            let next = std::iter::once(tu_string!(i18n, error.guest_limit_next).to_owned());
            each.chain(next).collect::<Vec<_>>().join(" ")
        }
        Error::Conflict(Conflict::OrderMoved(state)) => {
            // The message doesn't depend on pickup: pages reload the order, and only API clients read this.
            t!(i18n, error.order_moved_to, state = order_state(i18n, *state, ShippingMethod::Standard))
        }
        Error::Conflict(Conflict::AlreadyCancelled { by, reason }) if !reason.is_empty() => {
            let reason = reason.as_str();
            match by {
                Actor::Shop => tu_string!(i18n, error.cancelled_by_shop, reason = reason),
                Actor::Shopper => tu_string!(i18n, error.cancelled_by_customer, reason = reason),
                Actor::Market => tu_string!(i18n, error.cancelled_by_market, reason = reason),
            }
        }
        Error::Conflict(Conflict::Edited(fields)) if !fields.is_empty() => {
            let mut names: Vec<String> = Vec::new();
            for name in fields.iter().map(|field| edited(i18n, field)) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            tu_string!(i18n, error.edited_fields, fields = names.join(", ")).to_string()
        }
        Error::Conflict(Conflict::NotShipped(shops)) if !shops.is_empty() => {
            t!(i18n, error.not_shipped_by, shops = shops.join(", "))
        }
        Error::Conflict(Conflict::TotalChanged { total, .. }) => {
            tu_string!(i18n, error.total_changed_to, price = *total)
        }
        // Pages say it at the field of the code.
        #[cfg(feature = "ssr")]
        Error::Conflict(Conflict::CodeLimit(why, limit)) => refusal(i18n, *why, Some(*limit)),
        Error::RateLimited { retry_after_s } => tn!(i18n, error.rate_limited_wait, *retry_after_s),
        other => code(i18n, other.code()),
    }
}

/// An error by its code alone, as in redirects. An unknown code is an internal error.
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
        "payment_cancelled" => tu_string!(i18n, error.payment_cancelled),
        "total_changed" => tu_string!(i18n, error.total_changed),
        "not_shipped" => t!(i18n, error.not_shipped),
        "mixed_currencies" => tu_string!(i18n, error.mixed_currencies),
        "key_reused" => tu_string!(i18n, error.key_reused),
        "in_flight" => tu_string!(i18n, error.in_flight),
        "order_moved" | "disputed" => tu_string!(i18n, error.order_moved),
        "payment_moved" | "refund_moved" => tu_string!(i18n, error.payment_moved),
        "partly_shipped" => tu_string!(i18n, error.partly_shipped),
        "already_cancelled" => tu_string!(i18n, error.already_cancelled),
        "edited" => tu_string!(i18n, error.edited),
        "guest_limit" => tu_string!(i18n, error.guest_limit),
        "cash_needs_account" => tu_string!(i18n, error.cash_needs_account),
        "was_sold" => tu_string!(i18n, error.was_sold),
        "conversation_blocked" => tu_string!(i18n, error.conversation_blocked),
        "message_kept" => tu_string!(i18n, error.message_kept),
        "time_taken" => t!(i18n, error.time_taken),
        // The calendar on which appointments are moved says it itself.
        #[cfg(feature = "ssr")]
        "too_late" => t!(i18n, error.too_late),
        "prices_changed" => t!(i18n, error.prices_changed),
        "customer_is_guest" => tu_string!(i18n, error.customer_is_guest),
        "promotion_used" => tu_string!(i18n, error.promotion_used),
        "import_ended" => tu_string!(i18n, error.import_ended),
        "return_received" => tu_string!(i18n, error.return_received),
        "return_moved" => tu_string!(i18n, error.return_moved),
        "not_returnable" => tu_string!(i18n, error.not_returnable),
        "last_owner" => tu_string!(i18n, error.last_owner),
        // The pages of accounts say it themselves.
        #[cfg(feature = "ssr")]
        "own_account" => t!(i18n, error.own_account),
        #[cfg(feature = "ssr")]
        "account_deleted" => t!(i18n, error.account_deleted),
        #[cfg(feature = "ssr")]
        "account_in_use" => t!(i18n, error.account_in_use),
        "payout_moved" => tu_string!(i18n, error.payout_moved),
        "own_payout" => tu_string!(i18n, error.own_payout),
        "sign_in_needed" => tu_string!(i18n, error.sign_in_needed),
        "denied" => tu_string!(i18n, error.denied),
        "too_large" => tu_string!(i18n, error.too_large),
        "rate_limited" => tu_string!(i18n, error.rate_limited),
        "pictures_busy" => tu_string!(i18n, error.pictures_busy),
        "busy" => tu_string!(i18n, error.busy),
        "offline" => tu_string!(i18n, error.offline),
        // Pages show it at the field of the code, so that browsers don't load it with every page.
        #[cfg(feature = "ssr")]
        other if is_of_code(other) => {
            return refusal_of(i18n, other, "")
                .unwrap_or_else(|| tu_string!(i18n, error.internal).to_owned());
        }
        _ => tu_string!(i18n, error.internal),
    }
    .to_owned()
}

/// Whether an error is about a code, and is shown at its field.
pub fn is_of_code(code: &str) -> bool {
    code.starts_with("code_") || code.starts_with("gift_card_")
}

/// Why a code doesn't apply, by the name of the error, and by its minimum or maximum if there is one: `INR 500.00`.
pub fn refusal_of(i18n: I18n, code: &str, limit: &str) -> Option<String> {
    if code == TOO_MANY_TRIES {
        return Some(t!(i18n, codes.too_many_tries).to_owned());
    }
    let limit = limit
        .split_once(' ')
        .and_then(|(currency, amount)| amounts::read("limit", amount, currency.parse().ok()?).ok());
    let coupon = Refusal::parse(code).map(|why| refusal(i18n, why, limit));
    coupon.or_else(|| GiftCardRefusal::parse(code).map(|why| card_refusal(i18n, why).to_owned()))
}

/// A gift card by the end of its code.
pub fn gift_card(i18n: I18n, last4: &str) -> String {
    t!(i18n, gift_cards.card, last4 = last4)
}

/// Why a gift card can't pay, and what to do.
fn card_refusal(i18n: I18n, refusal: GiftCardRefusal) -> &'static str {
    match refusal {
        GiftCardRefusal::Unknown => t!(i18n, codes.card_unknown),
        GiftCardRefusal::UsedUp => t!(i18n, codes.card_used_up),
        GiftCardRefusal::Disabled => t!(i18n, codes.card_disabled),
        GiftCardRefusal::Expired => t!(i18n, codes.card_expired),
        GiftCardRefusal::OtherCurrency => t!(i18n, codes.card_other_currency),
        GiftCardRefusal::TooMany => t!(i18n, codes.card_too_many),
        GiftCardRefusal::Unneeded => t!(i18n, codes.card_unneeded),
        GiftCardRefusal::Changed => t!(i18n, codes.card_changed),
        GiftCardRefusal::WithCash => t!(i18n, codes.card_with_cash),
        GiftCardRefusal::AtCheckout => t!(i18n, codes.card_at_checkout),
        GiftCardRefusal::ForGiftCards => t!(i18n, codes.card_for_gift_cards),
        GiftCardRefusal::BoughtInCash => t!(i18n, codes.card_bought_in_cash),
        GiftCardRefusal::NotSold => t!(i18n, gifts.not_sold_note),
        GiftCardRefusal::TooManyInCart => t!(i18n, codes.card_too_many_in_cart),
        GiftCardRefusal::NotSentAgain => t!(i18n, codes.card_not_sent_again),
        GiftCardRefusal::NotRefundable => t!(i18n, codes.card_not_refundable),
    }
}

/// Why a code doesn't apply, and what to do.
pub fn refusal(i18n: I18n, refusal: Refusal, limit: Option<Money>) -> String {
    if let Some(limit) = limit {
        return match refusal {
            Refusal::AboveMaximum => t!(i18n, codes.above_maximum_of, price = limit),
            _ => t!(i18n, codes.below_minimum_of, price = limit),
        };
    }
    match refusal {
        Refusal::Unknown => t!(i18n, codes.unknown),
        Refusal::NotStarted => t!(i18n, codes.not_started),
        Refusal::Ended => t!(i18n, codes.ended),
        Refusal::UsedUp => t!(i18n, codes.used_up),
        Refusal::UsedByYou => t!(i18n, codes.used_by_you),
        Refusal::OtherItems => t!(i18n, codes.other_items),
        Refusal::BelowMinimum => t!(i18n, codes.below_minimum),
        Refusal::AboveMaximum => t!(i18n, codes.above_maximum),
        Refusal::NotCombinable => t!(i18n, codes.not_combinable),
        Refusal::NoEffect => t!(i18n, codes.no_effect),
        Refusal::TooMany => t!(i18n, codes.too_many),
    }
    .to_owned()
}

/// Why a code doesn't apply, if an error is about one.
pub fn refusal_in(i18n: I18n, error: &Error) -> Option<String> {
    match error {
        Error::Conflict(Conflict::CodeLimit(why, limit)) => Some(refusal(i18n, *why, Some(*limit))),
        error => refusal_of(i18n, error.code(), ""),
    }
}

/// The error of a field.
pub fn field(i18n: I18n, code: FieldCode) -> String {
    match code {
        FieldCode::Missing => tu_string!(i18n, field.missing),
        FieldCode::TooLong(n) => return t!(i18n, field.too_long, n = number(i18n, n)),
        FieldCode::AmountTooBig(most) => return t!(i18n, field.too_big_for, n = most),
        FieldCode::AtMost(most) => return t!(i18n, field.at_most, n = number(i18n, most)),
        FieldCode::NotBankAccount => t!(i18n, field.not_bank_account),
        FieldCode::EmailNotAscii => t!(i18n, field.email_not_ascii),
        FieldCode::TooShort => tu_string!(i18n, field.too_short),
        FieldCode::NotEmail => tu_string!(i18n, field.not_email),
        FieldCode::NotDate => tu_string!(i18n, field.not_date),
        FieldCode::NotNumber => tu_string!(i18n, field.not_number),
        FieldCode::TooSmall => tu_string!(i18n, field.too_small),
        FieldCode::TooBig => tu_string!(i18n, field.too_big),
        FieldCode::NotAChoice => tu_string!(i18n, field.not_a_choice),
        FieldCode::BadCursor => tu_string!(i18n, field.bad_cursor),
        FieldCode::Taken => tu_string!(i18n, field.taken),
        FieldCode::UnknownUser => t!(i18n, field.unknown_user),
        // The sign-in page says it itself.
        #[cfg(feature = "ssr")]
        FieldCode::Deactivated => t!(i18n, sign_in.deactivated),
        #[cfg(not(feature = "ssr"))]
        FieldCode::Deactivated => tu_string!(i18n, field.wrong_credentials),
        FieldCode::WrongCredentials => tu_string!(i18n, field.wrong_credentials),
        FieldCode::WrongPassword => t!(i18n, field.wrong_password),
        // The page of the code is loaded anew.
        #[cfg(feature = "ssr")]
        FieldCode::WrongCode => t!(i18n, sign_in_code.wrong),
        #[cfg(not(feature = "ssr"))]
        FieldCode::WrongCode => tu_string!(i18n, field.wrong_credentials),
        FieldCode::BadCharacters => tu_string!(i18n, field.bad_characters),
        FieldCode::NotUrl => tu_string!(i18n, field.not_url),
        FieldCode::NotMoney => tu_string!(i18n, field.not_money),
        FieldCode::OtherCurrency(used) => return t!(i18n, field.other_currency, currency = used.code()),
        FieldCode::TooManyDecimals => tu_string!(i18n, field.too_many_decimals),
        FieldCode::AmbiguousNumber => tu_string!(i18n, field.ambiguous_number),
        FieldCode::NotUnique => tu_string!(i18n, field.not_unique),
        FieldCode::Reserved => tu_string!(i18n, field.reserved),
        FieldCode::Unfit => t!(i18n, field.unfit),
        FieldCode::TooMany => tu_string!(i18n, field.too_many),
        FieldCode::NotAPicture => tu_string!(i18n, field.not_a_picture),
        FieldCode::PictureBroken => tu_string!(i18n, field.picture_broken),
        FieldCode::PictureTooHeavy(bytes) => {
            return t!(i18n, field.picture_too_heavy, n = number(i18n, bytes / 1024 / 1024));
        }
        FieldCode::PictureTooWide(side) => return t!(i18n, field.picture_too_wide, n = number(i18n, side)),
        FieldCode::PictureHeic => tu_string!(i18n, field.picture_heic),
        FieldCode::LineTooLong => tu_string!(i18n, field.line_too_long),
        FieldCode::PictureTooLarge => tu_string!(i18n, field.picture_too_large),
        FieldCode::NotUtf8 => t!(i18n, field.not_utf8),
        FieldCode::NotARecord => t!(i18n, field.not_a_record),
        FieldCode::CellCount => t!(i18n, field.cell_count),
        FieldCode::WrongType => t!(i18n, field.wrong_type),
        FieldCode::DuplicateName => t!(i18n, field.duplicate_name_here),
        FieldCode::UnknownColumn => t!(i18n, field.unknown_column),
        FieldCode::Formula => t!(i18n, field.formula),
        FieldCode::Differs => t!(i18n, field.differs),
        FieldCode::OfAnother => t!(i18n, field.of_another),
        FieldCode::BadQuotes => t!(i18n, field.bad_quotes),
        FieldCode::NotRead => t!(i18n, field.not_read),
        FieldCode::NotATable => t!(i18n, field.not_a_table),
        FieldCode::EmptyFile => t!(i18n, field.empty_file),
        FieldCode::NoRows => t!(i18n, field.no_rows),
        FieldCode::UnknownJson => t!(i18n, field.unknown_json),
        FieldCode::RowsInQuotes => t!(i18n, field.rows_in_quotes),
        FieldCode::Html => t!(i18n, field.html),
        FieldCode::HtmlDecoded => t!(i18n, field.html_decoded),
        FieldCode::DuplicateColumn => t!(i18n, field.duplicate_column),
        FieldCode::BadCharacter(c) => {
            return t!(i18n, field.bad_character, character = c);
        }
        FieldCode::NotPhone => t!(i18n, field.not_phone),
        FieldCode::NotDecimal(0) => t!(i18n, field.not_number),
        FieldCode::NotDecimal(n) => return t!(i18n, field.not_decimal, n = n),
        FieldCode::NotColor => t!(i18n, field.not_color),
        FieldCode::NotTaxId => t!(i18n, field.not_tax_id),
        FieldCode::RateExists => t!(i18n, field.rate_exists),
        FieldCode::SaleExists => t!(i18n, field.sale_exists),
        FieldCode::NotReduced => t!(i18n, field.not_reduced),
        FieldCode::NotAfterStart => t!(i18n, field.not_after_start),
        FieldCode::RateChanged => t!(i18n, field.rate_changed),
        FieldCode::RateTwice(n) => return t!(i18n, field.rate_twice, n = n),
        FieldCode::NoRateOffered => t!(i18n, field.no_rate_offered),
        FieldCode::Past => t!(i18n, field.date_in_past),
        FieldCode::RatesOld => t!(i18n, field.rates_old),
        FieldCode::RatesAhead => t!(i18n, field.rates_ahead),
        FieldCode::RateLine(n) => return t!(i18n, field.rate_line, n = n),
        FieldCode::SynonymLine(n) => return t!(i18n, field.synonym_line, n = n),
        FieldCode::NoRateOf(currency) => return t!(i18n, field.no_rate_of, currency = currency.code()),
        FieldCode::NotPostalCode => t!(i18n, field.not_postal_code),
        FieldCode::NoRate => t!(i18n, field.no_rate),
        FieldCode::NotTime => t!(i18n, field.not_time),
        FieldCode::NotFiveMinutes => t!(i18n, field.not_five_minutes),
        FieldCode::NotAZone => t!(i18n, field.not_a_zone),
        FieldCode::NotHours => t!(i18n, field.not_hours),
        FieldCode::NotSteps => t!(i18n, field.not_steps),
        FieldCode::Overlaps => t!(i18n, field.overlaps),
        FieldCode::SlotGone => t!(i18n, field.slot_gone),
    }
    .to_owned()
}

/// The error of a field or column, with its limit if it has one of its own.
pub fn fault(i18n: I18n, field_name: &str, code: FieldCode) -> String {
    let most = edit::limit(field_name, code);
    // `variants.0.stock` is looked up as `stock`.
    match (code, field_name.rsplit('.').next().unwrap_or_default(), most) {
        (FieldCode::TooLong(edit::TEXT_BYTES_MAX), ..) => {
            t!(i18n, field.too_much_text, n = edit::TEXT_BYTES_MAX / 1024 / 1024)
        }
        (FieldCode::TooBig, "stock" | "low_stock" | "change", _) => {
            t!(i18n, field.too_big_for, n = number(i18n, STOCK_MAX))
        }
        (FieldCode::DuplicateName, ..) if !field_name.is_empty() => {
            t!(i18n, field.duplicate_name, name = field_name)
        }
        (FieldCode::Missing, ..) if field_name.starts_with("slots.shop_") => {
            t!(i18n, field.no_slot).to_owned()
        }
        #[cfg(feature = "ssr")]
        (FieldCode::NotAChoice, "payment_method", _) => t!(i18n, checkout.other_method).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::TooMany, "parent", _) => t!(i18n, categories.too_deep).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::Taken, "slug", _) => t!(i18n, categories.taken).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::BadCharacters, "slug", _) => t!(i18n, taxes.bad_category).to_owned(),
        (FieldCode::Missing, "payment_method", _) => t!(i18n, field.choose_payment).to_owned(),
        (FieldCode::NotAChoice, "category", _) => t!(i18n, field.unknown_category).to_owned(),
        (FieldCode::NotAChoice, "currency", _) => t!(i18n, field.unknown_currency).to_owned(),
        (FieldCode::NotBankAccount, "ifsc", _) => t!(i18n, field.not_ifsc).to_owned(),
        // Negative, or less than the quantity that is held.
        (FieldCode::TooSmall, "stock", _) => t!(i18n, field.stock_too_small).to_owned(),
        (FieldCode::TooBig, "from" | "to", _) => t!(i18n, field.date_in_future).to_owned(),
        (FieldCode::TooSmall, "to" | "ends_on", _) => t!(i18n, field.end_before_start).to_owned(),
        (FieldCode::NotNumber | FieldCode::TooManyDecimals, "rate", _) => t!(i18n, field.not_decimal, n = 9),
        (FieldCode::TooMany, "to", _) => t!(i18n, field.period_too_long, n = PERIOD_MAX),
        (FieldCode::TooSmall, "compare_at", _) => t!(i18n, field.not_above_price).to_owned(),
        (FieldCode::TooSmall, "days_max", _) => t!(i18n, field.max_below_min).to_owned(),
        (FieldCode::NotAChoice, "areas", _) => t!(i18n, field.not_an_area).to_owned(),
        // Pages show these after a form was sent, so that browsers don't load them with every page.
        #[cfg(feature = "ssr")]
        (FieldCode::Overlaps, "from", _) => t!(i18n, field.slots_overlap).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::TooBig, "ends_at", _) => t!(i18n, field.too_far_ahead).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::Past, "ends_at", _) => t!(i18n, field.time_in_past).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::NotAfterStart, "ends_on", _) => t!(i18n, field.end_before_start).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::NotAfterStart, "areas", _) => t!(i18n, shipping.range_reversed).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::Missing, "methods", _) => t!(i18n, shipping.no_method).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::NotAChoice, "shipping_category", _) => t!(i18n, taxes.no_such_category).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::BadCharacters, "tax_category" | "shipping_category", _) => {
            t!(i18n, taxes.bad_category).to_owned()
        }
        #[cfg(feature = "ssr")]
        (FieldCode::NotUnique, "areas", _) => t!(i18n, shipping.area_twice).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::BadCharacter(' '), "code", _) => t!(i18n, promotions.no_spaces).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::NotUnique, "email", _) => t!(i18n, staff.is_member).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::TooMany, "email", _) => {
            t!(i18n, staff.too_many, n = haat_shared::staff::INVITATIONS_MAX)
        }
        #[cfg(feature = "ssr")]
        (FieldCode::NoRows, "coupons", _) => t!(i18n, promotions.file_empty).to_owned(),
        #[cfg(feature = "ssr")]
        (FieldCode::TooMany, "coupons", _) => {
            t!(i18n, promotions.file_too_big, n = haat_shared::promotions::FILE_ROWS_MAX)
        }
        (FieldCode::TooBig, "weight_g" | "length_mm" | "width_mm" | "height_mm", _) => {
            t!(i18n, field.too_big_for, n = number(i18n, edit::MEASURE_MAX))
        }
        (FieldCode::TooSmall, "low_stock", _) => t!(i18n, field.too_small_for, n = 0),
        (FieldCode::TooShort, "password", _) => t!(i18n, field.too_short_for, n = PASSWORD_MIN),
        (FieldCode::BadCharacters, "handle", _) => t!(i18n, field.bad_handle).into(),
        (FieldCode::TooShort, "handle", _) => t!(i18n, field.too_short_for, n = HANDLE_LENGTH.0),
        (FieldCode::TooSmall, "quantity", _) => t!(i18n, field.too_small_for, n = 1),
        (FieldCode::TooBig, "quantity", _) => t!(i18n, field.too_big_for, n = QUANTITY_MAX),
        (FieldCode::TooSmall, "returns_days" | "days_min" | "handling_days", _) => {
            t!(i18n, field.too_small_for, n = 0)
        }
        (FieldCode::TooBig, "returns_days", _) => t!(i18n, field.too_big_for, n = DAYS_MAX),
        (_, "attributes" | "specifications", Some(n)) => tu_string!(i18n, field.too_many_details, n = n),
        (_, "options" | "option1_name", Some(n)) => tu_string!(i18n, field.too_many_options, n = n),
        (_, _, Some(n)) => tu_string!(i18n, field.too_many_variants, n = n),
        _ => field(i18n, code),
    }
}

/// The problem in a line of a product file. A warning says that it is one.
pub fn import_problem(i18n: I18n, problem: &RowError) -> String {
    let why = match problem.code {
        // A column without a name is named by its letter, with a cell of it.
        FieldCode::UnknownColumn if !problem.found.is_empty() => t!(i18n, imports.unnamed_column).to_owned(),
        // Not a cell, but the column.
        FieldCode::Missing if !problem.found.is_empty() => {
            t!(i18n, imports.missing_column, column = problem.column, found = problem.found)
        }
        FieldCode::UnknownColumn => match similar_column(&problem.column) {
            Some(column) => t!(i18n, imports.similar_column, column = column),
            None => t!(i18n, field.unknown_column).to_owned(),
        },
        code => fault(i18n, &problem.column, code),
    };
    if problem.code.is_warning() { t!(i18n, imports.warning, why = why) } else { why }
}

/// The name of a payment method; of cash, by where it is paid ([`cash`]).
pub fn method(i18n: I18n, method: PaymentMethod, cash: &'static str) -> &'static str {
    match method {
        PaymentMethod::Card => tu_string!(i18n, payment_method.card),
        PaymentMethod::PayPal => tu_string!(i18n, payment_method.paypal),
        PaymentMethod::Razorpay => tu_string!(i18n, payment_method.razorpay),
        PaymentMethod::Sandbox => tu_string!(i18n, payment_method.sandbox),
        PaymentMethod::GiftCard => t!(i18n, payment_method.gift_card),
        PaymentMethod::Cash => cash,
    }
}

/// The description of a payment method.
pub fn method_note(i18n: I18n, method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => tu_string!(i18n, payment_method.card_note),
        PaymentMethod::PayPal => tu_string!(i18n, payment_method.paypal_note),
        PaymentMethod::Razorpay => tu_string!(i18n, payment_method.razorpay_note),
        PaymentMethod::Sandbox => tu_string!(i18n, payment_method.sandbox_note),
        // It is entered, never selected.
        PaymentMethod::GiftCard => "",
        PaymentMethod::Cash => tu_string!(i18n, payment_method.cash_note),
    }
}

/// Cash, by where it is paid: for appointments alone, for what is picked up, or for what is shipped.
pub fn cash(locale: I18n, appointments: bool, pickup: bool) -> &'static str {
    match (appointments, pickup) {
        (true, _) => t!(locale, payment_method.cash_appointment),
        (false, true) => t!(locale, payment_method.paid_cash_pickup),
        (false, false) => t!(locale, payment_method.paid_cash),
    }
}

/// How an order was paid, or will be; of cash, by where that is ([`cash`]).
pub fn paid_by(locale: I18n, method: PaymentMethod, cash: &'static str) -> &'static str {
    match method {
        PaymentMethod::Card => t!(locale, payment_method.paid_card),
        PaymentMethod::PayPal => t!(locale, payment_method.paid_paypal),
        PaymentMethod::Razorpay => t!(locale, payment_method.paid_razorpay),
        PaymentMethod::Sandbox => t!(locale, payment_method.paid_sandbox),
        PaymentMethod::GiftCard => t!(locale, payment_method.paid_gift_card),
        PaymentMethod::Cash => cash,
    }
}

/// Who collects the money for an order, and how much that is in cash.
pub fn collected_by(locale: I18n, method: PaymentMethod, order: &OrderView, price: Money) -> String {
    let (done, pickup) =
        (order.state == OrderState::Delivered, order.shipping_method == ShippingMethod::Pickup);
    if order.exchange_of.is_some() {
        return t!(locale, seller_orders.exchange_nothing_due).to_owned();
    }
    match (method.collected_by_market(), done, pickup) {
        (true, ..) => t!(locale, seller_orders.collected).to_owned(),
        (false, true, _) if order.is_appointment() => {
            t!(locale, seller_orders.cash_collected_appointment, price = price)
        }
        (false, false, _) if order.is_appointment() => {
            t!(locale, seller_orders.to_collect_appointment, price = price)
        }
        (false, true, true) => t!(locale, seller_orders.cash_collected_pickup, price = price),
        (false, true, false) => t!(locale, seller_orders.cash_collected, price = price),
        (false, false, true) => t!(locale, seller_orders.to_collect_pickup, price = price),
        (false, false, false) => t!(locale, seller_orders.to_collect, price = price),
    }
}

/// The name of an order status.
pub fn order_state(i18n: I18n, state: OrderState, method: ShippingMethod) -> &'static str {
    match (state, method) {
        (OrderState::Placed, _) => t!(i18n, purchase.step_placed),
        (OrderState::Confirmed, _) => t!(i18n, purchase.step_confirmed),
        (OrderState::Shipped, ShippingMethod::Pickup) => t!(i18n, purchase.step_ready),
        (OrderState::Shipped | OrderState::Delivered, ShippingMethod::Appointment) => t!(i18n, services.done),
        (OrderState::Shipped, _) => t!(i18n, purchase.step_shipped),
        (OrderState::Delivered, ShippingMethod::Pickup) => t!(i18n, purchase.step_collected),
        (OrderState::Delivered, _) => t!(i18n, purchase.step_delivered),
        (OrderState::Cancelled, _) => t!(i18n, purchase.step_cancelled),
    }
}

/// The name of an order's status, or that parts of it were shipped.
pub(crate) fn shop_order_state(
    i18n: I18n,
    state: OrderState,
    partly_shipped: bool,
    method: ShippingMethod,
) -> &'static str {
    match (partly_shipped, method) {
        (false, _) => order_state(i18n, state, method),
        (true, ShippingMethod::Pickup) => t!(i18n, seller_orders.partly_ready),
        (true, _) => t!(i18n, seller_orders.partly_shipped),
    }
}

/// The name of a return's status.
pub fn return_state(i18n: I18n, state: ReturnState) -> &'static str {
    match state {
        ReturnState::Requested => t!(i18n, seller_orders.return_requested),
        ReturnState::Approved => t!(i18n, seller_orders.return_approved),
        ReturnState::Rejected => t!(i18n, seller_orders.return_rejected),
        ReturnState::Withdrawn => t!(i18n, seller_orders.return_withdrawn),
        ReturnState::Received => t!(i18n, seller_orders.return_received),
        ReturnState::Refunded => t!(i18n, seller_orders.return_paid),
        ReturnState::Exchanged => t!(i18n, seller_orders.return_exchanged),
    }
}

/// The name of a reason for a return.
pub fn return_reason(i18n: I18n, reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::Damaged => t!(i18n, purchase.reason_damaged),
        ReturnReason::WrongItem => t!(i18n, purchase.reason_wrong_item),
        ReturnReason::DoesNotFit => t!(i18n, purchase.reason_does_not_fit),
        ReturnReason::ChangedMind => t!(i18n, purchase.reason_changed_mind),
        ReturnReason::NeverArrived => t!(i18n, purchase.reason_never_arrived),
        ReturnReason::Other => t!(i18n, purchase.reason_other),
    }
}

/// The name of a timeline entry. It says what has happened, where a status says what comes next.
pub(crate) fn order_step(i18n: I18n, state: OrderState, method: ShippingMethod) -> &'static str {
    match state {
        OrderState::Placed => t!(i18n, purchase.timeline_placed),
        other => order_state(i18n, other, method),
    }
}

/// What happened to an order, for its timeline. `part` says that a shipment was followed by others, or will be.
pub(crate) fn order_event(
    i18n: I18n,
    kind: OrderEventKind,
    part: bool,
    method: ShippingMethod,
) -> &'static str {
    let state = match kind {
        OrderEventKind::Shipped if part && method == ShippingMethod::Pickup => {
            return t!(i18n, seller_orders.event_part_ready);
        }
        OrderEventKind::Shipped if part => return t!(i18n, seller_orders.event_part_shipped),
        OrderEventKind::TrackingUpdated => return t!(i18n, seller_orders.tracking_updated),
        OrderEventKind::Refunded => return t!(i18n, seller_orders.refund_issued),
        OrderEventKind::ItemsCancelled => return t!(i18n, cart.cancelled),
        OrderEventKind::AppointmentMoved => return t!(i18n, services.moved),
        OrderEventKind::AppointmentCancelled => return t!(i18n, services.cancelled_it),
        OrderEventKind::ReturnOpened => return t!(i18n, seller_orders.return_opened),
        OrderEventKind::ReturnExchanged => return t!(i18n, seller_orders.event_exchanged),
        OrderEventKind::ReturnReceived => return t!(i18n, seller_orders.return_received),
        OrderEventKind::ReturnRequested => return t!(i18n, seller_orders.return_requested),
        OrderEventKind::ReturnApproved => return t!(i18n, seller_orders.return_approved),
        OrderEventKind::ReturnRejected => return t!(i18n, seller_orders.return_rejected),
        OrderEventKind::ReturnWithdrawn => return t!(i18n, seller_orders.return_withdrawn),
        OrderEventKind::Noted => return t!(i18n, seller_orders.noted),
        OrderEventKind::Disputed => return t!(i18n, seller_orders.event_disputed),
        OrderEventKind::DisputeWon => return t!(i18n, seller_orders.event_dispute_won),
        OrderEventKind::DisputeLost => return t!(i18n, seller_orders.event_dispute_lost),
        OrderEventKind::Placed => OrderState::Placed,
        OrderEventKind::Confirmed => OrderState::Confirmed,
        OrderEventKind::Shipped => OrderState::Shipped,
        OrderEventKind::Delivered => OrderState::Delivered,
        OrderEventKind::Cancelled => OrderState::Cancelled,
    };
    order_step(i18n, state, method)
}

/// The name of a product status.
pub fn product_state(i18n: I18n, state: ProductState) -> &'static str {
    match state {
        ProductState::Draft => t!(i18n, seller_products.draft),
        ProductState::Published => t!(i18n, seller_products.on_sale),
        ProductState::Archived => t!(i18n, seller_products.off_sale),
    }
}

/// What a transaction of a shop was.
pub fn posting(i18n: I18n, kind: PostingKind) -> &'static str {
    match kind {
        PostingKind::Sale => t!(i18n, balance.sale),
        PostingKind::Commission | PostingKind::CashCommission => t!(i18n, balance.commission),
        PostingKind::Promotion => t!(i18n, balance.promotion),
        PostingKind::PromotionReversed => t!(i18n, balance.promotion_reversed),
        PostingKind::SaleReversed => t!(i18n, balance.sale_reversed),
        PostingKind::CommissionReversed | PostingKind::CashCommissionReversed => {
            t!(i18n, balance.commission_reversed)
        }
        // None of these changes the balance of a shop.
        PostingKind::Capture
        | PostingKind::GiftCardIssued
        | PostingKind::GiftCardSold
        | PostingKind::GiftCardRefunded
        | PostingKind::GiftCardSpent
        | PostingKind::GiftCardReturned
        | PostingKind::Refund
        | PostingKind::GatewayFee
        | PostingKind::Released
        | PostingKind::DisputeOpened
        | PostingKind::DisputeWon
        | PostingKind::DisputeLoss
        | PostingKind::DisputeFee
        | PostingKind::DisputeFeeReturned
        | PostingKind::RefundFailed
        | PostingKind::RefundPaidOtherwise
        | PostingKind::Settled
        | PostingKind::SettlementFailed => t!(i18n, balance.refund),
        PostingKind::DisputeHeld => t!(i18n, balance.dispute_held),
        PostingKind::DisputeReleased => t!(i18n, balance.dispute_released),
        PostingKind::Chargeback => t!(i18n, balance.chargeback),
        PostingKind::PayoutRequested | PostingKind::PayoutPaid | PostingKind::PayoutTransferred => {
            t!(i18n, payouts.payout)
        }
        PostingKind::PayoutRejected => t!(i18n, payouts.payout_rejected),
        PostingKind::PayoutReturned | PostingKind::PayoutReversed => t!(i18n, payouts.payout_returned),
        PostingKind::ConvertedFrom | PostingKind::ConvertedTo => t!(i18n, balance.converted),
    }
}

/// The number of a page of a document.
pub fn page_of(i18n: I18n, page: usize, pages: usize) -> String {
    t!(i18n, invoice.page_of, n = number(i18n, page), total = number(i18n, pages))
}

/// What the status means for the customer.
pub fn order_news(i18n: I18n, state: OrderState, method: ShippingMethod) -> &'static str {
    match (state, method) {
        (OrderState::Placed, _) => t!(i18n, purchase.now_placed),
        (OrderState::Confirmed, _) => t!(i18n, purchase.now_confirmed),
        (OrderState::Shipped, ShippingMethod::Pickup) => t!(i18n, purchase.now_ready),
        (OrderState::Shipped | OrderState::Delivered, ShippingMethod::Appointment) => t!(i18n, services.over),
        (OrderState::Shipped, _) => t!(i18n, purchase.now_shipped),
        (OrderState::Delivered, ShippingMethod::Pickup) => t!(i18n, purchase.now_collected),
        (OrderState::Delivered, _) => t!(i18n, purchase.now_delivered),
        (OrderState::Cancelled, _) => t!(i18n, purchase.now_cancelled),
    }
}

/// A number with digit groups: `1,249`, and `1,24,900` in languages that count in lakhs.
pub fn number(locale: I18n, number: impl ToString) -> String {
    let digits = number.to_string();
    // The locale file states the grouping as a CLDR pattern: `#,##0`, or `#,##,##0`.
    let lakhs = t!(locale, language.grouping).contains(",##,");
    match digits.strip_prefix('-') {
        Some(digits) => format!("−{}", grouped(digits, lakhs)),
        None => grouped(&digits, lakhs),
    }
}

/// The end of an ID, for people to tell two apart. It is the random part.
pub(crate) fn short_id(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(8);
    format!("…{}", id.chars().skip(skipped).collect::<String>())
}

impl Value for Money {
    fn written(&self, locale: I18n) -> Cow<'_, str> {
        money(locale, *self).into()
    }
}

macro_rules! numbers {
    ($($number:ty)+) => {
        $(impl Value for $number {
            fn written(&self, locale: I18n) -> Cow<'_, str> {
                number(locale, self).into()
            }
        })+
    };
}

numbers!(i32 i64 u32 u64 usize);

/// An amount of money: `₹1,24,900.00`, `$1,249.00`, `¥1,249`, `KWD 1,249.000`. The language determines
/// the position of the symbol, the currency the digit groups.
pub fn money(locale: I18n, money: Money) -> String {
    let currency = money.currency();
    let lakhs = matches!(currency.code(), "INR" | "BDT" | "NPR" | "PKR");
    let plain = money.plain();
    let digits = plain.trim_start_matches('-');
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let amount = format!("{}{fraction}", grouped(whole, lakhs));
    let words = match currency.symbol() {
        Some(symbol) => t!(locale, language.money, symbol = symbol, amount = amount),
        None => t!(locale, language.money, symbol = format!("{currency}\u{a0}"), amount = amount),
    };
    if money.amount() < 0 { format!("−{words}") } else { words }
}

fn grouped(digits: &str, lakhs: bool) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        let behind = digits.len() - i;
        let group = if lakhs && behind > 3 { behind % 2 == 1 } else { behind.is_multiple_of(3) };
        if i > 0 && group {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const NBSP: char = '\u{a0}';

/// The date of a time in any zone: `2026-11-21T09:30:00+05:30[IST]` is 21 Nov 2026. Other text is
/// returned unchanged. Its parts stay together at the end of a line, as in everything else about dates here.
pub fn day(locale: I18n, time: &str) -> String {
    let mut parts = time.get(..10).unwrap_or_default().split('-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return time.to_owned();
    };
    let month = match month {
        "01" => tu_string!(locale, month.m1),
        "02" => tu_string!(locale, month.m2),
        "03" => tu_string!(locale, month.m3),
        "04" => tu_string!(locale, month.m4),
        "05" => tu_string!(locale, month.m5),
        "06" => tu_string!(locale, month.m6),
        "07" => tu_string!(locale, month.m7),
        "08" => tu_string!(locale, month.m8),
        "09" => tu_string!(locale, month.m9),
        "10" => tu_string!(locale, month.m10),
        "11" => tu_string!(locale, month.m11),
        "12" => tu_string!(locale, month.m12),
        _ => return time.to_owned(),
    };
    format!("{}\u{a0}{month}\u{a0}{year}", day.trim_start_matches('0'))
}

/// A range of days, without repeating a month or year that both share: 30 Nov – 3 Dec 2026.
pub fn days(locale: I18n, from: &str, to: &str) -> String {
    let (first, last) = (day(locale, from), day(locale, to));
    let both_in = |length: usize| from.get(..length) == to.get(..length);
    match (first.split_once(NBSP), first.rsplit_once(NBSP)) {
        _ if first == last => last,
        (Some((number, _)), _) if both_in("2026-11".len()) => format!("{number}–{last}"),
        (_, Some((yearless, _))) if both_in("2026".len()) => format!("{yearless}\u{a0}– {last}"),
        _ => format!("{first}\u{a0}– {last}"),
    }
}

/// The minimum and maximum number of days for delivery.
pub(crate) fn arrives(locale: I18n, days: (i64, i64)) -> String {
    match days {
        (from, to) if from != to => t!(locale, delivery.days_range, from = from, to = to),
        (_, 0) => t!(locale, delivery.days_none).to_owned(),
        (_, n) => tn!(locale, delivery.days, n),
    }
}

/// When something should arrive that is ordered now, from the first and the last of the days.
pub(crate) fn arrives_on(locale: I18n, (from, to): &(String, String)) -> String {
    let (first, last) = (weekday_and_day(locale, from), weekday_and_day(locale, to));
    let day = if first == last { last } else { format!("{first}\u{a0}– {last}") };
    t!(locale, delivery.estimated_on, day = day)
}

/// When a shipping option should arrive: on which days, or in how many.
pub(crate) fn option_arrives(locale: I18n, option: &ShippingOption) -> String {
    let (from, to) = &option.arrives;
    let (first, last) = (weekday_and_day(locale, from), weekday_and_day(locale, to));
    let day = if first == last { last } else { format!("{first}\u{a0}– {last}") };
    match option.shipping_method {
        ShippingMethod::Appointment => t!(locale, services.not_shipped).to_owned(),
        _ if from.is_empty() => arrives(locale, option.days),
        ShippingMethod::Pickup => t!(locale, delivery.ready_on, day = day),
        ShippingMethod::Slot => t!(locale, delivery.slot_from, day = day),
        ShippingMethod::Standard | ShippingMethod::Express => t!(locale, delivery.arrives_on, day = day),
    }
}

/// The name of a shipping method: the shop's own, if it has one.
pub(crate) fn shipping_name(locale: I18n, method: ShippingMethod, own: &str) -> &str {
    match method {
        ShippingMethod::Appointment => t!(locale, services.appointment),
        _ if !own.is_empty() => own,
        ShippingMethod::Standard => t!(locale, delivery.standard),
        ShippingMethod::Express => t!(locale, delivery.express),
        ShippingMethod::Pickup => t!(locale, shipping.pickup),
        ShippingMethod::Slot => t!(locale, delivery.slot),
    }
}

/// A delivery slot, in the time zone of its shop: Thu, 3 Dec, 18:00–20:00.
pub fn slot(locale: I18n, slot: Slot) -> String {
    format!("{}, {}", weekday_and_day(locale, &slot.date()), slot.hours())
}

/// A day of the next weeks: Tue, 1 Dec. Other text is returned unchanged.
fn weekday_and_day(locale: I18n, time: &str) -> String {
    let day = day(locale, time);
    match (day.rsplit_once(NBSP), weekday(time)) {
        (Some((yearless, _)), Some(weekday)) => {
            format!("{},\u{a0}{yearless}", crate::locales::weekday::d0.later(weekday).of(locale))
        }
        _ => day,
    }
}

/// The weekday of a time in its own zone, counted from Sunday, by the rule of Sakamoto.
fn weekday(time: &str) -> Option<usize> {
    const MONTHS: [usize; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let number = |part: std::ops::Range<usize>| time.get(part)?.parse::<usize>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let year = if month < 3 { year.checked_sub(1)? } else { year };
    Some((year + year / 4 - year / 100 + year / 400 + MONTHS.get(month.checked_sub(1)?)? + day) % 7)
}

/// Where an order is picked up, or when it is expected.
pub fn estimated_delivery(locale: I18n, order: &OrderView) -> String {
    match order.shipping_method {
        ShippingMethod::Appointment => t!(locale, services.not_shipped).to_owned(),
        ShippingMethod::Pickup => t!(locale, delivery.pickup_at, place = order.pickup_at),
        ShippingMethod::Standard | ShippingMethod::Express | ShippingMethod::Slot => {
            if let Some(slot) = order.slot {
                return t!(locale, delivery.slot_on, day = self::slot(locale, slot));
            }
            let (from, to) = &order.estimated_delivery;
            let due = t!(locale, delivery.estimated_on, day = days(locale, from, to));
            let own = order.shipping_name.as_str();
            if own.is_empty() { due } else { format!("{own} · {due}") }
        }
    }
}

/// The last day before an end, which may be the midnight at which the next one begins.
pub(crate) fn last_day(locale: I18n, end: &str) -> String {
    let before = match (end.get(..10).and_then(text::day), end.get(11..19)) {
        (Some(day), Some("00:00:00")) => haat_shared::shipping::date(day - 1),
        _ => end.to_owned(),
    };
    day(locale, &before)
}

/// A date and time with its zone: 21 Nov 2026, 09:30 IST. The zone is in brackets after the time.
pub fn moment(locale: I18n, time: &str) -> String {
    let zone = time.split_once('[').map_or("UTC", |(_, zone)| zone.trim_end_matches(']'));
    match time.get(11..16) {
        Some(_) => format!("{}\u{a0}{zone}", hour(locale, time)),
        None => day(locale, time),
    }
}

/// A date and time without its zone: 21 Nov 2026, 09:30.
pub fn hour(locale: I18n, time: &str) -> String {
    match time.get(11..16) {
        Some(hour) => format!("{}, {hour}", day(locale, time)),
        None => day(locale, time),
    }
}

/// The zone of a time, if it is one: IST.
pub(crate) fn zone(time: &str) -> Option<String> {
    time.get(11..16)?;
    Some(time.split_once('[').map_or("UTC", |(_, zone)| zone.trim_end_matches(']')).to_owned())
}

/// A time of day with its zone: 09:30 IST.
pub(crate) fn clock(time: &str) -> String {
    let zone = time.split_once('[').map_or("UTC", |(_, zone)| zone.trim_end_matches(']'));
    format!("{}\u{a0}{zone}", time.get(11..16).unwrap_or_default())
}

/// Basis points as a percentage: `10`, `2.5`.
pub fn percent(basis_points: i64) -> String {
    let text = format!("{}.{:02}", basis_points / 100, basis_points % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a promotion gives: 20% off.
pub(crate) fn benefit(i18n: I18n, benefit: Benefit) -> String {
    match benefit {
        Benefit::Percent(bp) => t!(i18n, promotions.offer_percent, percent = percent(bp)),
        Benefit::Amount(amount) => t!(i18n, promotions.offer_amount, amount = amount),
        Benefit::FreeShipping => t!(i18n, promotions.free_shipping).to_lowercase(),
        Benefit::BuyGet { buy, get, off_bp: 10_000 } => {
            t!(i18n, promotions.offer_buy_get_free, buy = buy, get = get)
        }
        Benefit::BuyGet { buy, get, off_bp } => {
            t!(i18n, promotions.offer_buy_get, buy = buy, get = get, percent = percent(off_bp))
        }
    }
}

/// The description of a job; its kind if there is none.
pub(crate) fn job_kind(i18n: I18n, kind: &str) -> &str {
    match kind {
        "refund" => t!(i18n, admin.job_refund),
        "invoice" => t!(i18n, admin.job_invoice),
        "webhook" => t!(i18n, admin.job_webhook),
        "transfer" => t!(i18n, admin.job_transfer),
        other => other,
    }
}

/// The reason of a dispute, which gateways give as `product_not_received` or `PRODUCT_NOT_RECEIVED`.
pub fn dispute_reason(code: &str) -> String {
    let words = code.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What becomes of the money of a cancelled order: what was refunded because of that, not before.
pub fn cancelled_money(i18n: I18n, order: &OrderView, collected_by_market: bool) -> String {
    if let Some(first) = &order.exchange_of {
        return t!(i18n, purchase.exchange_cancelled, number = first);
    }
    if !collected_by_market {
        return tu_string!(i18n, purchase.cancelled_nothing).to_owned();
    }
    let back = order.refunds.iter();
    let back: Vec<&OrderRefund> = back.filter(|refund| refund.reason == RefundReason::Cancelled).collect();
    refunds(i18n, &back).unwrap_or_else(|| t!(i18n, purchase.cancelled_refunded).to_owned())
}

/// Where refunds go, and when they arrive. `None` if there are none.
pub fn refunds(i18n: I18n, refunds: &[&OrderRefund]) -> Option<String> {
    let currency = refunds.first()?.amount.currency();
    let sum = |of: fn(&OrderRefund) -> Money| refunds.iter().map(|refund| of(refund).amount()).sum::<i64>();
    let (total, cards) = (sum(|refund| refund.amount), sum(|refund| refund.to_gift_cards));
    let done = refunds.iter().all(|refund| refund.completed_at.is_some());
    let [all, card, rest] = [total, cards, total - cards].map(|amount| Money::new(amount, currency));
    Some(match (card.amount(), rest.amount(), done) {
        (0, _, false) => t!(i18n, purchase.refunding, total = all),
        (0, _, true) => t!(i18n, purchase.refunded, total = all),
        (_, 0, false) => t!(i18n, purchase.refunding_card, total = all),
        (_, 0, true) => t!(i18n, purchase.refunded_card, total = all),
        (_, _, false) => t!(i18n, purchase.refunding_both, card = card, rest = rest),
        (_, _, true) => t!(i18n, purchase.refunded_both, card = card, rest = rest),
    })
}

/// The description of an email; its kind if there is none.
pub(crate) fn email_kind(i18n: I18n, kind: &str) -> &str {
    match kind {
        "purchase_made" => t!(i18n, admin.email_purchase_made),
        "order_placed" => t!(i18n, admin.email_order_placed),
        "order_shipped" => t!(i18n, admin.email_order_shipped),
        "sign_up" | "account_exists" => t!(i18n, admin.email_sign_up),
        "contact_received" | "contact_answered" => t!(i18n, contact.messages),
        "shop_invitation" => t!(i18n, staff.invitation),
        "password_reset" | "password_changed" => t!(i18n, password.new_title),
        "sign_in_code" => t!(i18n, sign_in_code.title),
        "shipment_updated" => t!(i18n, admin.email_shipment_updated),
        "order_cancelled" | "order_withdrawn" => t!(i18n, admin.email_order_cancelled),
        "appointment_moved" | "appointment_moved_by_customer" => t!(i18n, services.moved),
        "appointment_cancelled" | "appointment_cancelled_by_customer" => t!(i18n, services.cancelled_it),
        "appointment_reminder" => t!(i18n, services.reminder),
        "return_requested" => t!(i18n, admin.email_return_requested),
        "return_approved" | "return_rejected" | "return_exchanged" => t!(i18n, admin.email_return_answered),
        "order_refunded" | "order_refunded_by_market" => t!(i18n, admin.email_order_refunded),
        "payout_sent" | "payout_rejected" | "payout_returned" => t!(i18n, admin.email_payout),
        "payout_method_added" | "payout_method_removed" | "payout_method_restricted" => {
            t!(i18n, admin.email_payout_method)
        }
        "order_disputed" | "dispute_won" | "dispute_lost" => t!(i18n, admin.email_dispute),
        "announcement" => t!(i18n, announcements.heading_one),
        "stock_low" => t!(i18n, admin.message_stock_low),
        "review_published" => t!(i18n, admin.message_review_published),
        "review_invited" => t!(i18n, admin.message_review_invited),
        "messages_for_shopper" | "messages_for_shop" => t!(i18n, admin.message_unread),
        other => other,
    }
}

/// What a saved address is to its user.
pub(crate) fn address_label(i18n: I18n, label: AddressLabel) -> &'static str {
    match label {
        AddressLabel::Home => t!(i18n, addresses.home),
        AddressLabel::Work => t!(i18n, addresses.work),
        AddressLabel::Other => t!(i18n, addresses.other),
    }
}

/// The description of an outbox message; its kind if there is none.
pub(crate) fn message_kind(i18n: I18n, kind: &str) -> &str {
    match kind {
        "purchase_made" => t!(i18n, admin.message_purchase_made),
        "order_placed" => t!(i18n, admin.message_order_placed),
        "refund_queued" => t!(i18n, admin.message_refund_queued),
        "order_confirmed" => t!(i18n, admin.message_order_confirmed),
        "order_shipped" => t!(i18n, admin.message_order_shipped),
        "order_shipment_updated" => t!(i18n, admin.message_order_shipment_updated),
        "order_delivered" => t!(i18n, admin.message_order_delivered),
        "order_cancelled" => t!(i18n, admin.message_order_cancelled),
        "appointment_moved" | "appointment_moved_by_customer" => t!(i18n, services.moved),
        "appointment_cancelled" | "appointment_cancelled_by_customer" => t!(i18n, services.cancelled_it),
        "appointment_reminder" => t!(i18n, services.reminder),
        "order_refunded" => t!(i18n, admin.message_order_refunded),
        "order_return_opened" => t!(i18n, admin.message_order_return_opened),
        "order_return_requested" => t!(i18n, seller_orders.return_requested),
        "order_return_approved" => t!(i18n, seller_orders.return_approved),
        "order_return_rejected" => t!(i18n, seller_orders.return_rejected),
        "order_return_withdrawn" => t!(i18n, seller_orders.return_withdrawn),
        "order_return_received" => t!(i18n, admin.message_order_return_received),
        "order_return_exchanged" => t!(i18n, admin.message_order_return_exchanged),
        "payout_approved" => t!(i18n, admin.message_payout_approved),
        "payout_sent" => t!(i18n, admin.message_payout_sent),
        "payout_rejected" => t!(i18n, admin.message_payout_rejected),
        "payout_returned" => t!(i18n, admin.message_payout_returned),
        "payout_method_added" => t!(i18n, admin.message_payout_method_added),
        "payout_method_removed" => t!(i18n, admin.message_payout_method_removed),
        "payout_method_restricted" => t!(i18n, admin.message_payout_method_restricted),
        "stock_low" => t!(i18n, admin.message_stock_low),
        "review_published" => t!(i18n, admin.message_review_published),
        "review_invited" => t!(i18n, admin.message_review_invited),
        "shopper_has_unread" | "shop_has_unread" => t!(i18n, admin.message_unread),
        "order_disputed" => t!(i18n, admin.message_order_disputed),
        "order_dispute_won" => t!(i18n, admin.message_dispute_won),
        "order_dispute_lost" => t!(i18n, admin.message_dispute_lost),
        other => other,
    }
}

/// What has to be finished before an account can be deleted.
pub(crate) fn obstacle(i18n: I18n, obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::OpenOrders => t!(i18n, personal.open_orders),
        Obstacle::OpenReturns => t!(i18n, personal.open_returns),
        Obstacle::OpenDisputes => t!(i18n, personal.open_disputes),
        Obstacle::OpenPayments => t!(i18n, personal.open_payments),
        Obstacle::OpenRefunds => t!(i18n, personal.open_refunds),
        Obstacle::UnsentGiftCards => t!(i18n, personal.unsent_gift_cards),
        Obstacle::OwnsShop => t!(i18n, personal.owns_shop),
        Obstacle::LastOwner => t!(i18n, personal.last_owner),
    }
}

/// The description of an admin's action; its name if there is none.
pub(crate) fn audit_action(i18n: I18n, action: &str) -> &str {
    match action {
        "jobs::retry" => t!(i18n, admin.act_retry),
        "jobs::discard" => t!(i18n, admin.act_discard),
        "accounts::create" => t!(i18n, admin.act_account),
        "accounts::create_operator" => t!(i18n, admin.act_operator),
        "accounts::deactivate" => t!(i18n, admin.act_deactivate),
        "accounts::activate" => t!(i18n, admin.act_activate),
        "personal::erase" => t!(i18n, admin.act_erase),
        "admin::grant_role" => t!(i18n, admin.act_grant),
        "admin::revoke_role" => t!(i18n, admin.act_revoke),
        "staff::invite" => t!(i18n, staff.act_invite),
        "staff::withdraw" => t!(i18n, staff.act_withdraw),
        "staff::accept" => t!(i18n, staff.act_accept),
        "staff::change_role" => t!(i18n, staff.act_role),
        "staff::remove" => t!(i18n, staff.act_remove),
        "staff::leave" => t!(i18n, staff.act_leave),
        "category_tree::add" => t!(i18n, categories.act_add),
        "category_tree::change" => t!(i18n, categories.act_change),
        "category_tree::shift" => t!(i18n, categories.act_move),
        "category_tree::remove" => t!(i18n, categories.act_remove),
        "payments::check" => t!(i18n, admin.act_check),
        "payments::capture" => t!(i18n, admin.act_capture),
        "payments::cancel" => t!(i18n, admin.act_cancel_payment),
        "notifications::resend" => t!(i18n, admin.act_resend),
        "orders::approve_return" => t!(i18n, admin.act_approve_return),
        "orders::reject_return" => t!(i18n, admin.act_reject_return),
        "currencies::remove_rate" => t!(i18n, currencies.removed_rate),
        "currencies::set_rate" => t!(i18n, admin.act_rate),
        "commissions::set" => t!(i18n, admin.act_commission),
        "search_terms::set_synonyms" => t!(i18n, admin.act_synonyms),
        "shops::open" => t!(i18n, admin.act_open),
        "catalog::upsert_products" => t!(i18n, admin.act_upsert),
        "imports::start" => t!(i18n, admin.act_import),
        "payouts::approve" => t!(i18n, admin.act_payout_approve),
        "payouts::send" => t!(i18n, admin.act_payout_send),
        "payouts::pay" => t!(i18n, admin.act_payout_pay),
        "payouts::reject" => t!(i18n, admin.act_payout_reject),
        "payouts::transfer" => t!(i18n, admin.act_payout_transfer),
        "payouts::retry" => t!(i18n, admin.act_payout_retry),
        "payouts::return" => t!(i18n, admin.act_payout_return),
        "payouts::bank_file" => t!(i18n, admin.act_payout_file),
        "gift_cards::issue" => t!(i18n, admin.act_gift_issue),
        "gift_cards::disable" => t!(i18n, admin.act_gift_disable),
        "gift_cards::enable" => t!(i18n, admin.act_gift_enable),
        "gift_cards::refund" => t!(i18n, admin.act_gift_refund),
        "announcements::create" => t!(i18n, admin.act_announcement_create),
        "announcements::save" => t!(i18n, admin.act_announcement_save),
        "announcements::send" => t!(i18n, admin.act_announcement_send),
        "announcements::withdraw" => t!(i18n, admin.act_announcement_withdraw),
        "announcements::delete" => t!(i18n, admin.act_announcement_delete),
        "promotions::create" => t!(i18n, admin.act_promotion_create),
        "promotions::save" => t!(i18n, admin.act_promotion_save),
        "promotions::end" => t!(i18n, admin.act_promotion_end),
        "promotions::delete" => t!(i18n, admin.act_promotion_delete),
        "orders::refund" => t!(i18n, admin.act_refund),
        "payments::retry_refund" => t!(i18n, admin.act_retry_refund),
        "payments::settle_refund" => t!(i18n, admin.act_settle_refund),
        "contact::answer" => t!(i18n, contact.act_answer),
        "contact::close" => t!(i18n, contact.act_close),
        "chat::dismiss_report" => t!(i18n, admin.act_dismiss_report),
        "reviews::publish" => t!(i18n, admin.act_publish_review),
        "reviews::hide" => t!(i18n, admin.act_hide_review),
        "chat::resolve_report" => t!(i18n, admin.act_resolve_report),
        "chat::block_sender" => t!(i18n, admin.act_block_sender),
        "chat::unblock_sender" => t!(i18n, admin.act_unblock_sender),
        other => other,
    }
}

/// Why messages are reported.
pub(crate) fn report_reason(i18n: I18n, reason: ReportReason) -> &'static str {
    match reason {
        ReportReason::Spam => t!(i18n, reports.spam),
        ReportReason::Abuse => t!(i18n, reports.abuse),
        ReportReason::Fraud => t!(i18n, reports.fraud),
        ReportReason::OffSite => t!(i18n, reports.off_site),
        ReportReason::Other => t!(i18n, reports.other),
    }
}

/// The name of a payout's status.
pub(crate) fn payout_state(i18n: I18n, state: PayoutState) -> &'static str {
    match state {
        PayoutState::Requested => t!(i18n, payouts.requested),
        PayoutState::Approved => t!(i18n, payouts.approved),
        PayoutState::Sent => t!(i18n, payouts.sent),
        PayoutState::Paid => t!(i18n, payouts.paid),
        PayoutState::Rejected => t!(i18n, payouts.rejected),
        PayoutState::Returned => t!(i18n, payouts.returned),
    }
}

/// A payout's status, as a label with the colours of the statuses of orders.
pub(crate) fn payout_label(i18n: I18n, state: PayoutState) -> impl IntoView {
    let look = match state {
        PayoutState::Requested => "placed",
        PayoutState::Approved | PayoutState::Sent => "confirmed",
        PayoutState::Paid => "delivered",
        PayoutState::Rejected | PayoutState::Returned => "cancelled",
    };
    view! { <span class=format!("state {look}")>{payout_state(i18n, state)}</span> }
}

/// What became of a payment, in a word or two.
pub(crate) fn payment_status(i18n: I18n, state: PaymentState, cash: Option<CashState>) -> &'static str {
    match (state, cash) {
        (_, Some(CashState::ToCollect)) => t!(i18n, admin.cash_to_collect),
        (_, Some(CashState::PartlyCollected)) => t!(i18n, admin.cash_partly),
        (_, Some(CashState::Collected)) => t!(i18n, admin.cash_collected),
        (_, Some(CashState::Cancelled)) => t!(i18n, admin.cash_cancelled),
        (PaymentState::Created, _) => t!(i18n, admin.pay_created),
        (PaymentState::Pending, _) => t!(i18n, admin.pay_pending),
        (PaymentState::Authorized, _) => t!(i18n, admin.pay_authorized),
        (PaymentState::Captured, _) => t!(i18n, admin.pay_captured),
        (PaymentState::Accepted, _) => t!(i18n, admin.pay_accepted),
        (PaymentState::Failed, _) => t!(i18n, admin.pay_failed),
        (PaymentState::Superseded, _) => t!(i18n, admin.pay_superseded),
        (PaymentState::Orphaned, _) => t!(i18n, admin.pay_orphaned),
        (PaymentState::Refunded, _) => t!(i18n, admin.pay_refunded),
    }
}

/// Why a payment failed, in a few words.
pub(crate) fn payment_failure(i18n: I18n, why: PaymentFailure) -> &'static str {
    match why {
        PaymentFailure::Declined => t!(i18n, admin.failed_declined),
        PaymentFailure::Refused => t!(i18n, admin.failed_refused),
        PaymentFailure::Cancelled => t!(i18n, admin.failed_cancelled),
        PaymentFailure::Abandoned => t!(i18n, admin.failed_abandoned),
    }
}

/// The name of a type of payout method.
/// The brand of a card.
pub(crate) fn card_brand(i18n: I18n, brand: &str) -> &'static str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        "rupay" => "RuPay",
        _ => t!(i18n, cards.card),
    }
}

pub(crate) fn payout_method(i18n: I18n, kind: PayoutMethodKind) -> &'static str {
    match kind {
        PayoutMethodKind::BankAccount => t!(i18n, payouts.bank_account),
        PayoutMethodKind::Paypal => t!(i18n, payouts.paypal),
        PayoutMethodKind::Stripe => t!(i18n, payouts.stripe),
    }
}

/// Why a payout isn't made: a code of the program in words, or what an admin wrote.
pub fn payout_reason(i18n: I18n, reason: &str) -> &str {
    match PayoutProblem::parse(reason) {
        Some(PayoutProblem::Funds) => t!(i18n, payouts.problem_funds),
        Some(PayoutProblem::Unreachable) => t!(i18n, payouts.problem_unreachable),
        Some(PayoutProblem::Account) => t!(i18n, payouts.problem_account),
        Some(PayoutProblem::Amount) => t!(i18n, payouts.problem_amount),
        Some(PayoutProblem::Refused) => t!(i18n, payouts.problem_refused),
        Some(PayoutProblem::Reversed) => t!(i18n, payouts.problem_reversed),
        None => reason,
    }
}

/// The label of a staff member's role.
pub fn role(i18n: I18n, role: Role) -> &'static str {
    match role {
        Role::Owner => t!(i18n, settings.owner),
        Role::Manager => t!(i18n, settings.manager),
        Role::Fulfilment => t!(i18n, settings.fulfilment),
        Role::Support => t!(i18n, settings.support),
    }
}

/// The label of an admin's role.
pub(crate) fn admin_role(i18n: I18n, role: AdminRole) -> &'static str {
    match role {
        AdminRole::Owner => t!(i18n, settings.owner),
        AdminRole::Catalog => t!(i18n, admin.role_catalog),
        AdminRole::Orders => t!(i18n, seller_orders.title),
        AdminRole::Finance => t!(i18n, admin.role_finance),
        AdminRole::Support => t!(i18n, settings.support),
        AdminRole::ReadOnly => t!(i18n, admin.role_read_only),
    }
}

/// The label of a field that someone else changed: `title`, `variants.MC-CUPS.price`.
fn edited(i18n: I18n, field: &str) -> String {
    if let Some(variant) = field.strip_prefix("variants.") {
        let (sku, part) = match variant.rsplit_once('.') {
            Some((
                sku,
                part @ ("sku" | "options" | "price" | "compare_at" | "low_stock" | "stock" | "weight_g"
                | "length_mm" | "width_mm" | "height_mm"),
            )) => (sku, part),
            _ => (variant, ""),
        };
        return match part {
            "" => sku.to_owned(),
            part => format!("{} ({sku})", form_field(i18n, part)),
        };
    }
    form_field(i18n, field).to_owned()
}

/// The label of a field of the seller's forms; its name if there is none.
pub(crate) fn form_field(i18n: I18n, field: &str) -> &str {
    match field {
        "title" => t!(i18n, seller_products.name),
        "brand" => t!(i18n, seller_products.brand),
        "category" => t!(i18n, seller_products.category),
        "description" => t!(i18n, seller_products.description),
        "attributes" => t!(i18n, seller_products.details),
        "options" => t!(i18n, seller_products.options),
        "variants" => t!(i18n, seller_products.variants),
        "sku" => t!(i18n, seller_products.sku),
        "alt" => t!(i18n, seller_products.alt),
        "price" => t!(i18n, seller_products.price),
        "compare_at" => t!(i18n, seller_products.compare_at),
        "stock" => t!(i18n, seller_products.stock),
        "low_stock" => t!(i18n, seller_products.low_stock),
        "weight_g" => t!(i18n, seller_products.weight_g),
        "length_mm" => t!(i18n, seller_products.length_mm),
        "width_mm" => t!(i18n, seller_products.width_mm),
        "height_mm" => t!(i18n, seller_products.height_mm),
        "name" => t!(i18n, settings.name),
        "town" => t!(i18n, settings.town),
        "address" => t!(i18n, settings.address),
        "tax_id" => t!(i18n, settings.tax_id),
        "shipping_price" => t!(i18n, settings.delivery),
        "free_shipping_from" => t!(i18n, settings.free_from),
        "zones" => t!(i18n, shipping.zones),
        "calendar" => t!(i18n, shipping.calendar),
        "returns_days" => t!(i18n, settings.returns),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn percents_are_short() {
        assert_eq!([1000, 250, 5, 0].map(super::percent), ["10", "2.5", "0.05", "0"]);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn one_is_no_plural_and_equal_days_are_no_range() {
        let english = super::I18n::default();
        let arrives = [(2, 5), (2, 2), (1, 1), (0, 0)].map(|days| super::arrives(english, days));
        assert_eq!(
            arrives,
            ["Arrives in 2–5 days", "Arrives in 2 days", "Arrives in 1 day", "Arrives the same day"]
        );
        let wait = |retry_after_s| super::error(english, &haat_shared::Error::RateLimited { retry_after_s });
        assert_eq!(wait(1), "Too many attempts. Try again in 1 second.");
        assert_eq!(wait(1_800), "Too many attempts. Try again in 1,800 seconds.");
        // It is also shown where the total is as before: another tab changed the shipping, and this one has
        // changed it back.
        let total = haat_shared::Money::new(94_900, haat_shared::Currency::INR);
        let moved = haat_shared::Conflict::TotalChanged { total, quote_version: 3 };
        for words in [super::error(english, &moved.into()), super::code(english, "total_changed")] {
            assert!(
                words.contains("may have changed")
                    && !words.contains("has changed")
                    && !words.contains("now"),
                "{words}"
            );
        }
        let twice = super::fault(english, "price", haat_shared::FieldCode::DuplicateName);
        assert_eq!(twice, "The name “price” appears twice in this object. Remove one of them.");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn what_is_ordered_now_arrives_on_weekdays() {
        let arrives = |locale: &str, from: &str, to: &str| {
            super::arrives_on(locale.parse().unwrap(), &(from.to_owned(), to.to_owned()))
        };
        let (tuesday, thursday) = ("2026-12-01T09:30:00+05:30[IST]", "2026-12-03T09:30:00+05:30[IST]");
        assert_eq!(
            arrives("en", tuesday, thursday),
            "Estimated delivery: Tue,\u{a0}1\u{a0}Dec\u{a0}– Thu,\u{a0}3\u{a0}Dec"
        );
        assert_eq!(arrives("en", tuesday, tuesday), "Estimated delivery: Tue,\u{a0}1\u{a0}Dec");
        assert!(arrives("hi", tuesday, tuesday).contains("मंगल,\u{a0}1\u{a0}दिसंबर"));
        let days = ["2026-11-29", "2028-02-29", "2027-01-01", "2100-03-01"].map(super::weekday);
        assert_eq!(days, [Some(0), Some(2), Some(5), Some(1)]);
        assert_eq!(["", "soon", "2026-00-01", "2026-13-01"].map(super::weekday), [None; 4]);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn an_order_is_expected_on_days_or_picked_up_somewhere() {
        use haat_shared::{
            Currency, Id, orders::OrderState, orders::OrderView, pricing::Totals, shipping::ShippingMethod,
        };

        let estimated_delivery = |method, to: &str| {
            let order = OrderView {
                id: Id::from_uuid(Default::default()),
                number: String::new(),
                shop_name: String::new(),
                shop_handle: String::new(),
                state: OrderState::Confirmed,
                shipments: Vec::new(),
                refunds: Vec::new(),
                returns: Vec::new(),
                invoices: Vec::new(),
                exchange_of: None,
                exchange_options: Vec::new(),
                returnable_until: None,
                returns_days: 7,
                lines: Vec::new(),
                taxes: Vec::new(),
                discounts: Vec::new(),
                totals: Totals::zero(Currency::INR),
                shipping_method: method,
                shipping_name: String::new(),
                arrives: Default::default(),
                slot: None,
                estimated_delivery: ("2026-11-22T09:00:00Z".to_owned(), to.to_owned()),
                pickup_at: "Meena Crafts, Pune".to_owned(),
            };
            super::estimated_delivery(super::I18n::default(), &order)
        };
        assert_eq!(
            estimated_delivery(ShippingMethod::Standard, "2026-11-22T18:00:00Z"),
            "Estimated delivery: 22\u{a0}Nov\u{a0}2026"
        );
        assert_eq!(
            estimated_delivery(ShippingMethod::Express, "2026-11-24T09:00:00Z"),
            "Estimated delivery: 22–24\u{a0}Nov\u{a0}2026"
        );
        assert_eq!(
            estimated_delivery(ShippingMethod::Standard, "2026-12-03T09:00:00Z"),
            "Estimated delivery: 22\u{a0}Nov\u{a0}– 3\u{a0}Dec\u{a0}2026"
        );
        assert_eq!(
            estimated_delivery(ShippingMethod::Standard, "2027-01-02T09:00:00Z"),
            "Estimated delivery: 22\u{a0}Nov\u{a0}2026\u{a0}– 2\u{a0}Jan\u{a0}2027"
        );
        assert_eq!(
            estimated_delivery(ShippingMethod::Pickup, "2026-11-24T09:00:00Z"),
            "Pickup at Meena Crafts, Pune"
        );
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn what_is_picked_up_is_neither_shipped_nor_delivered() {
        use haat_shared::{orders::OrderState, payments::PaymentMethod, shipping::ShippingMethod};

        let table = [
            ("en", OrderState::Shipped, ShippingMethod::Express, "Shipped", "Your order is on its way."),
            (
                "en",
                OrderState::Shipped,
                ShippingMethod::Pickup,
                "Ready for pickup",
                "Your order is ready for pickup.",
            ),
            (
                "en",
                OrderState::Delivered,
                ShippingMethod::Standard,
                "Delivered",
                "Your order has been delivered.",
            ),
            (
                "en",
                OrderState::Delivered,
                ShippingMethod::Pickup,
                "Picked up",
                "Your order has been picked up.",
            ),
            (
                "hi",
                OrderState::Shipped,
                ShippingMethod::Pickup,
                "पिकअप के लिए तैयार",
                "आपका ऑर्डर पिकअप के लिए तैयार है।",
            ),
            (
                "hi",
                OrderState::Delivered,
                ShippingMethod::Pickup,
                "पिकअप हुआ",
                "आपने अपना ऑर्डर पिकअप कर लिया है।",
            ),
        ];
        for (locale, state, method, name, news) in table {
            let locale = locale.parse().unwrap();
            assert_eq!(super::order_state(locale, state, method), name);
            assert_eq!(super::order_step(locale, state, method), name);
            assert_eq!(super::order_news(locale, state, method), news);
        }
        let shipped = |part, method| {
            super::order_event(super::I18n::default(), super::OrderEventKind::Shipped, part, method)
        };
        assert_eq!(shipped(false, ShippingMethod::Standard), "Shipped");
        assert_eq!(shipped(true, ShippingMethod::Standard), "Part of the order shipped");
        assert_eq!(shipped(true, ShippingMethod::Pickup), "Part of the order ready for pickup");
        let paid = |pickup| {
            let i18n = super::I18n::default();
            super::paid_by(i18n, PaymentMethod::Cash, super::cash(i18n, false, pickup))
        };
        assert_eq!([false, true].map(paid), ["Cash on delivery", "Cash on pickup"]);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn numbers_and_money_are_written_as_in_india() {
        use haat_shared::Money;

        let locales: [super::I18n; 3] = ["en", "hi", "en-XA"].map(|tag| tag.parse().unwrap());
        for locale in locales {
            let numbers = [0, 999, 1_249, 12_490, 124_900, 12_345_678, -1_249];
            assert_eq!(
                numbers.map(|n| super::number(locale, n)),
                ["0", "999", "1,249", "12,490", "1,24,900", "1,23,45,678", "−1,249"]
            );
            let amounts = [
                ("INR", 0, "₹0.00"),
                ("INR", 5, "₹0.05"),
                ("INR", 124_900, "₹1,249.00"),
                ("INR", 12_490_000, "₹1,24,900.00"),
                ("INR", 123_456_789_012, "₹1,23,45,67,890.12"),
                ("INR", -124_900, "−₹1,249.00"),
                ("USD", 123_456_789, "$1,234,567.89"),
                ("JPY", 1_249, "¥1,249"),
                ("KWD", 1_249_000, "KWD\u{a0}1,249.000"),
                ("CLF", 12_345, "CLF\u{a0}1.2345"),
            ];
            for (currency, amount, written) in amounts {
                let money = Money::new(amount, currency.parse().unwrap());
                assert_eq!(super::money(locale, money), written);
            }
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn times_are_in_the_zone_of_the_market_and_zones_named_where_they_matter() {
        let at = "2026-11-05T09:30:00+05:30[IST]";
        // Only between date and time is there a space at which a line may end.
        for (locale, day) in [("en", "5\u{a0}Nov\u{a0}2026"), ("hi", "5\u{a0}नवंबर\u{a0}2026")] {
            let locale = locale.parse().unwrap();
            assert_eq!(super::day(locale, at), day);
            assert_eq!(super::hour(locale, at), format!("{day}, 09:30"));
            assert_eq!(super::moment(locale, at), format!("{day}, 09:30\u{a0}IST"));
            assert_eq!(super::clock(at), "09:30\u{a0}IST");
            assert_eq!(super::day(locale, "soon"), "soon");
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_refused_field_says_its_limit() {
        use haat_shared::{
            Currency,
            FieldCode::{AmountTooBig, Missing, TooBig, TooLong, TooMany, TooShort, TooSmall, UnknownColumn},
            Money,
        };

        let fault = |field, code| super::fault(super::I18n::default(), field, code);
        assert_eq!(fault("password", TooShort), "Use at least 8 characters.");
        assert_eq!(fault("quantity", TooSmall), "Enter 1 or more.");
        assert_eq!(fault("quantity", TooBig), "Enter 999 or less.");
        assert_eq!(fault("returns_days", TooBig), "Enter 365 or less.");
        assert_eq!(fault("variants.1.stock", TooBig), "Enter 1,00,00,00,000 or less.");
        assert_eq!(fault("title", TooLong(500)), "Use at most 500 characters.");
        assert_eq!(fault("attributes.0.value", TooLong(10_000)), "Use at most 10,000 characters.");
        assert_eq!(
            fault("attributes", TooLong(1024 * 1024)),
            "A product’s text can’t exceed 1 MB in total. Shorten it and try again."
        );
        // In a file, with the names of its columns.
        let problem = |column, code, found| {
            super::import_problem(super::I18n::default(), &super::RowError::new(2, column, code, found))
        };
        for (column, code, says) in [
            ("specifications", TooMany, "A product can have up to 250 specifications."),
            ("specifications", TooLong(10_000), "Use at most 10,000 characters."),
            (
                "specifications",
                TooLong(1024 * 1024),
                "A product’s text can’t exceed 1 MB in total. Shorten it and try again.",
            ),
            ("sku", TooMany, "A product can have up to 100 variants."),
            ("option1_name", TooMany, "A product can have up to 3 options."),
            ("title", TooLong(500), "Use at most 500 characters."),
            ("description", TooLong(10_000), "Use at most 10,000 characters."),
            ("stock", TooBig, "Enter 1,00,00,00,000 or less."),
        ] {
            assert_eq!(problem(column, code, "x"), says, "{column} {code:?}");
        }
        assert_eq!(problem("Colour", UnknownColumn, ""), "Warning: This column isn’t recognised.");
        assert_eq!(
            problem("Status", UnknownColumn, ""),
            "Warning: This column isn’t recognised. Did you mean “state”?"
        );
        assert_eq!(
            problem("B", UnknownColumn, "blue"),
            "Warning: This column has no name, so it won’t be imported."
        );
        let most = Money::new(1_000_000_000_000, Currency::INR);
        assert_eq!(fault("variants.0.price", AmountTooBig(most)), "Enter ₹10,00,00,00,000.00 or less.");
        assert_eq!(fault("express.days_max", TooSmall), "This can’t be less than the minimum delivery time.");
        assert_eq!(fault("variants.0.compare_at", TooSmall), "Enter an amount higher than the price.");
        assert!(fault("variants.0.stock", TooSmall).contains("Stock can’t be below 0"));
        assert_eq!(fault("price", TooSmall), "This is too low. Enter a higher value.");
        assert_eq!(fault("payment_method", Missing), "Choose a payment method.");
    }
}
