//! Emails about an appointment: it has another time, it was cancelled, or it is to come soon.

use haat_app::i18n::{Locale, td_string};
use haat_engine::{
    TxResult,
    notifications::{AppointmentNews, RenderedEmail},
};
use haat_shared::orders::ShopOrderView;

use super::order_news::{self, News};

/// To the customer, or to the shop. `when` says what was booked, when, and with whom.
pub(super) fn render(
    locale: Locale,
    news: AppointmentNews,
    to_customer: bool,
    when: &str,
    of: &ShopOrderView,
    url: &str,
) -> TxResult<RenderedEmail> {
    let (order, number) = (&of.order, of.order.number.as_str());
    let (shop, name) = (&order.shop_name, &of.address.parts.name);
    let (title, subject) = match news {
        AppointmentNews::Moved => {
            (td_string!(locale, email.moved), td_string!(locale, email.moved_subject, number = number))
        }
        AppointmentNews::Cancelled => (
            td_string!(locale, email.appointment_cancelled),
            td_string!(locale, email.appointment_cancelled_subject, number = number),
        ),
        AppointmentNews::Reminder => {
            (td_string!(locale, email.reminder), td_string!(locale, email.reminder_subject, shop = shop))
        }
    };
    let lead = match (news, to_customer) {
        (AppointmentNews::Moved, true) => {
            td_string!(locale, email.moved_by_shop, shop = shop, name = name)
        }
        (AppointmentNews::Moved, false) => td_string!(locale, email.moved_by_customer, shop = shop),
        (AppointmentNews::Cancelled, true) => {
            td_string!(locale, email.appointment_cancelled_lead, shop = shop, name = name)
        }
        (AppointmentNews::Cancelled, false) => {
            td_string!(locale, email.appointment_cancelled_by_customer, shop = shop)
        }
        (AppointmentNews::Reminder, _) => {
            td_string!(locale, email.reminder_lead, shop = shop, name = name)
        }
    };
    let (button, reason) = match to_customer {
        true => (
            td_string!(locale, email.cancelled_button),
            td_string!(locale, email.confirmed_reason).to_owned(),
        ),
        false => (
            td_string!(locale, email.withdrawn_button),
            td_string!(locale, email.received_reason, shop = shop),
        ),
    };
    let m = News {
        locale,
        url,
        button,
        title,
        lead,
        preheader: when.to_owned(),
        number,
        facts: vec![(td_string!(locale, services.appointment), when.to_owned())],
        follow: "",
        orders: std::slice::from_ref(order),
        totals: false,
        left_out: 0,
        contents: td_string!(locale, services.appointments),
        reason,
    };
    order_news::render(&subject, &m)
}
