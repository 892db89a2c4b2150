//! Emails about payouts to the owners of a shop: what happened, where the money goes, and what to do.

use haat_app::{
    i18n::{Locale, td_string},
    words,
};
use haat_engine::{TxResult, notifications::RenderedEmail, payouts::PayoutNotice};

use super::sign_up::{Note, note};

/// A payout was handed to the bank.
pub(super) fn sent(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, account) = (of.shop_name.as_str(), of.account.as_str());
    let lead = td_string!(locale, email.payout_sent_lead, price = of.amount, account = account, shop = shop);
    let (number, reference) = (of.number.as_str(), of.reference.as_str());
    let about = td_string!(locale, email.payout_sent_note, number = number, reference = reference);
    about_payout(locale, url, td_string!(locale, email.payout_sent), lead, about, shop)
}

/// A payout was rejected.
pub(super) fn rejected(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let shop = of.shop_name.as_str();
    let lead = td_string!(locale, email.payout_rejected_lead, price = of.amount, shop = shop);
    let reason = words::payout_reason(locale, &of.reason);
    let about = td_string!(locale, email.payout_reason, number = of.number.as_str(), reason = reason);
    about_payout(locale, url, td_string!(locale, email.payout_rejected), lead, about, shop)
}

/// The bank returned a payout.
pub(super) fn returned(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, account) = (of.shop_name.as_str(), of.account.as_str());
    let lead =
        td_string!(locale, email.payout_returned_lead, price = of.amount, account = account, shop = shop);
    let reason = words::payout_reason(locale, &of.reason);
    let about = td_string!(locale, email.payout_reason, number = of.number.as_str(), reason = reason);
    about_payout(locale, url, td_string!(locale, email.payout_returned), lead, about, shop)
}

/// A payout method was added.
pub(super) fn method_added(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, account) = (of.shop_name.as_str(), of.account.as_str());
    let from = words::moment(locale, &of.usable_at);
    let lead = td_string!(locale, email.method_added_lead, account = account, date = from, shop = shop);
    let about = td_string!(locale, email.method_note).to_owned();
    about_payout(locale, url, td_string!(locale, email.method_added), lead, about, shop)
}

/// A payout method was removed.
pub(super) fn method_removed(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, account) = (of.shop_name.as_str(), of.account.as_str());
    let lead = td_string!(locale, email.method_removed_lead, account = account, shop = shop);
    let about = td_string!(locale, email.method_note).to_owned();
    about_payout(locale, url, td_string!(locale, email.method_removed), lead, about, shop)
}

/// The gateway has stopped payouts to the shop's account.
pub(super) fn method_restricted(locale: Locale, of: &PayoutNotice, url: &str) -> TxResult<RenderedEmail> {
    let (shop, account) = (of.shop_name.as_str(), of.account.as_str());
    let lead = td_string!(locale, email.method_restricted_lead, account = account, shop = shop);
    let about = td_string!(locale, email.method_restricted_note).to_owned();
    about_payout(locale, url, td_string!(locale, email.method_restricted), lead, about, shop)
}

fn about_payout(
    locale: Locale,
    url: &str,
    title: &'static str,
    lead: String,
    about: String,
    shop: &str,
) -> TxResult<RenderedEmail> {
    note(&Note {
        locale,
        url,
        button: td_string!(locale, email.payout_button),
        title,
        lead,
        note: about.into(),
        reason: td_string!(locale, email.received_reason, shop = shop).into(),
    })
}
