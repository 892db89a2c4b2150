//! Payouts: how shops withdraw what they have earned, and where the money goes.

pub mod bank_file;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    accounts::Email,
    amounts,
    field::{FieldCode, FieldError, ValidationErrors},
    id::kinds::{PayoutId, PayoutMethodId},
    money::{Currency, Money},
    page::{Counted, Page},
    text,
};

/// The maximum number of payout methods of a shop.
pub const METHODS_MAX: i64 = 5;
/// The maximum length of an account holder's name, that of ISO 20022.
pub const HOLDER_MAX: usize = 70;
/// The maximum length of a bank's reference.
pub const REFERENCE_MAX: usize = 64;
/// The maximum length of the reason for rejecting or returning a payout.
pub const REASON_MAX: usize = 200;
/// The maximum length of what may become an account number, with spaces.
const ACCOUNT_MAX: usize = 42;

text_enum! {
    /// The status of a payout.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PayoutState {
        /// Requested by the shop.
        Requested = "requested",
        /// Approved by an admin.
        Approved = "approved",
        /// Handed to the bank.
        Sent = "sent",
        /// Received by the shop.
        Paid = "paid",
        /// Rejected by an admin.
        Rejected = "rejected",
        /// Returned by the bank.
        Returned = "returned",
    }
}

impl PayoutState {
    /// The states from which a payout can get into this one. A bank may return a payout long after it seemed to be paid.
    pub const fn reached_from(self) -> &'static [Self] {
        use PayoutState::*;
        match self {
            Requested => &[],
            Approved => &[Requested],
            Sent => &[Approved],
            Paid => &[Sent],
            Rejected => &[Requested, Approved],
            Returned => &[Sent, Paid],
        }
    }

    /// Whether a payout can get from this state into another one.
    pub fn may_become(self, next: Self) -> bool {
        next.reached_from().contains(&self)
    }

    /// Whether the money is in transit.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Approved | Self::Sent)
    }
}

text_enum! {
    /// The type of a payout method.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum PayoutMethodKind {
        /// A bank account.
        BankAccount = "bank_account",
        /// A PayPal account.
        Paypal = "paypal",
        /// A connected account at Stripe.
        Stripe = "stripe",
    }
}

text_enum! {
    /// Why a gateway has not made a payout, or took it back: stored in place of an admin's reason, and shown in the reader's
    /// language.
    pub enum PayoutProblem {
        /// The marketplace's balance at the gateway is too low. The transfer is tried again.
        Funds = "gateway_funds",
        /// The gateway did not respond. The transfer may have been made; it is looked for, and tried again.
        Unreachable = "gateway_unreachable",
        /// The shop's account can't receive transfers.
        Account = "gateway_account",
        /// The gateway can't transfer exactly this amount.
        Amount = "gateway_amount",
        /// The gateway refused for another reason.
        Refused = "gateway_refused",
        /// The transfer was reversed.
        Reversed = "gateway_reversed",
    }
}

/// The account that payouts go to. No view contains it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PayoutAccount {
    /// A bank account with an IBAN.
    Iban {
        /// The IBAN, in capitals and without spaces.
        iban: String,
    },
    /// A bank account in India.
    India {
        /// The account number.
        number: String,
        /// The code of the bank's branch.
        ifsc: String,
    },
    /// A PayPal account.
    Paypal {
        /// Its email address.
        email: String,
    },
    /// A connected account at Stripe.
    Stripe {
        /// Stripe's ID of it.
        account: String,
    },
}

/// Masked, so that no log contains an account.
impl std::fmt::Debug for PayoutAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl PayoutAccount {
    /// The type of method.
    pub fn kind(&self) -> PayoutMethodKind {
        match self {
            Self::Iban { .. } | Self::India { .. } => PayoutMethodKind::BankAccount,
            Self::Paypal { .. } => PayoutMethodKind::Paypal,
            Self::Stripe { .. } => PayoutMethodKind::Stripe,
        }
    }

    /// What people may see of it: enough to recognise one's own, too little to use it.
    pub fn masked(&self) -> String {
        match self {
            Self::Iban { iban } => format!("{}•• •••• {}", iban.get(..2).unwrap_or_default(), last(iban)),
            Self::India { number, ifsc } => format!("•••• {} · {ifsc}", last(number)),
            Self::Paypal { email } => match email.rsplit_once('@') {
                Some((local, host)) => {
                    format!("{}•••@{host}", local.chars().take(1).collect::<String>())
                }
                None => "•••".to_owned(),
            },
            Self::Stripe { account } => format!("acct_•••{}", last(account)),
        }
    }
}

/// The last four characters of an account number, which is in ASCII.
fn last(number: &str) -> &str {
    number.get(number.len().saturating_sub(4)..).unwrap_or_default()
}

/// A new payout method, as entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PayoutMethodForm {
    /// `bank_account` or `paypal`.
    pub kind: String,
    /// The name of the account's holder.
    pub holder: String,
    /// The IBAN, or the number of an account in India.
    pub account: String,
    /// The code of the bank's branch, for accounts in India.
    pub ifsc: String,
    /// The email address of the PayPal account.
    pub email: String,
}

/// A validated payout method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayoutMethod {
    /// The name of the account's holder.
    pub holder: String,
    /// The account.
    pub account: PayoutAccount,
}

impl PayoutMethodForm {
    /// The form, field by field.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            kind: field("kind"),
            holder: field("holder"),
            account: field("account"),
            ifsc: field("ifsc"),
            email: field("email"),
        }
    }

    /// The method, or all errors.
    pub fn check(&self) -> Result<NewPayoutMethod, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        let holder = faults.take(text::line("holder", &self.holder, HOLDER_MAX));
        let none = PayoutAccount::Paypal { email: String::new() };
        let account = match PayoutMethodKind::parse(&self.kind) {
            Some(PayoutMethodKind::BankAccount) => self.bank_account(&mut faults).unwrap_or(none),
            Some(PayoutMethodKind::Paypal) => {
                let email = Email::parse("email", &self.email);
                faults
                    .take_or(email.map(|email| PayoutAccount::Paypal { email: email.as_str().into() }), none)
            }
            // An account at Stripe is connected on Stripe's pages.
            Some(PayoutMethodKind::Stripe) | None => {
                faults.take_or(Err(FieldError::new("kind", FieldCode::NotAChoice)), none)
            }
        };
        faults.finish(NewPayoutMethod { holder, account })
    }

    fn bank_account(&self, faults: &mut ValidationErrors) -> Option<PayoutAccount> {
        let account = compact("account", &self.account);
        let abroad = |account: &String| account.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_abroad = account.as_ref().is_ok_and(abroad);
        let account = account.and_then(|account| {
            let digits = (9..=18).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_digit());
            let known = if is_abroad { is_iban(&account) } else { digits };
            known.then_some(account).ok_or_else(|| FieldError::new("account", FieldCode::NotBankAccount))
        });
        let bad = account.is_err();
        let account = faults.take(account);
        if is_abroad {
            return (!bad).then_some(PayoutAccount::Iban { iban: account });
        }
        // Without an account number, it may become an IBAN, which has no IFSC.
        if bad && self.ifsc.trim().is_empty() {
            return None;
        }
        let ifsc = compact("ifsc", &self.ifsc).and_then(|ifsc| {
            is_ifsc(&ifsc).then_some(ifsc).ok_or_else(|| FieldError::new("ifsc", FieldCode::NotBankAccount))
        });
        let ifsc = faults.take(ifsc);
        Some(PayoutAccount::India { number: account, ifsc })
    }
}

/// What was entered, in capitals and ASCII digits, without the spaces and hyphens by which people group it.
fn compact(field: &str, typed: &str) -> Result<String, FieldError> {
    let text = text::line(field, typed, ACCOUNT_MAX)?;
    let plain = text.chars().map(text::plain).filter(|c| !c.is_whitespace() && *c != '-');
    Ok(plain.map(|c| c.to_ascii_uppercase()).collect())
}

/// The length of the IBANs of each country (SWIFT's registry).
const IBAN_LENGTHS: [(usize, &str); 18] = [
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ DZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

/// Whether it is an IBAN (ISO 13616), in capitals and without spaces: of its country's length, and with the right check
/// digits.
pub fn is_iban(text: &str) -> bool {
    let Some(country) = text.get(..2) else { return false };
    let long = IBAN_LENGTHS
        .iter()
        .any(|(length, countries)| *length == text.len() && countries.split(' ').any(|c| c == country));
    let (Some(rest), Some(check)) = (text.get(4..), text.get(2..4)) else { return false };
    if !long || !check.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let mut digits =
        rest.chars().chain(text.chars().take(4)).map(|c| c.to_digit(36).filter(|_| !c.is_lowercase()));
    // Letters count as two digits.
    let rest = digits.try_fold(0u32, |rest, digit| {
        let digit = digit?;
        Some((rest * if digit < 10 { 10 } else { 100 } + digit) % 97)
    });
    rest == Some(1)
}

/// Whether it is an IFSC, the code of a bank's branch in India: four letters, a zero, six letters or digits.
fn is_ifsc(text: &str) -> bool {
    let (Some(bank), Some(branch)) = (text.get(..4), text.get(5..)) else { return false };
    text.len() == 11
        && bank.bytes().all(|b| b.is_ascii_uppercase())
        && text.as_bytes()[4] == b'0'
        && branch.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A request for a payout, as entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PayoutForm {
    /// The amount.
    pub amount: String,
    /// The currency; empty for that of the shop.
    pub currency: String,
    /// The ID of the method.
    pub method: String,
}

/// A validated request for a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayout {
    /// The amount.
    pub amount: Money,
    /// Where it goes.
    pub method: PayoutMethodId,
}

impl PayoutForm {
    /// The form, field by field.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self { amount: field("amount"), currency: field("currency"), method: field("method") }
    }

    /// The request, or all errors. `own` is the shop's currency, in which it is paid. The minimum applies to its currency; in another
    /// one, a payout must only be above zero.
    pub fn check(&self, own: Currency, minimum: Money) -> Result<NewPayout, Vec<FieldError>> {
        let mut faults = ValidationErrors::default();
        if ![own.code(), ""].contains(&self.currency.trim()) {
            faults.add("currency", FieldCode::NotAChoice);
        }
        let amount = faults.take_or(amounts::read("amount", &self.amount, own), Money::new(1, own));
        let minimum = if own == minimum.currency() { minimum } else { Money::new(1, own) };
        if amount.amount() < minimum.amount() {
            faults.add("amount", FieldCode::TooSmall);
        }
        let bad = if self.method.is_empty() { FieldCode::Missing } else { FieldCode::NotAChoice };
        let method = self.method.parse().map_err(|_| FieldError::new("method", bad));
        let method = faults.take_or(method, PayoutMethodId::from_uuid(Uuid::nil()));
        faults.finish(NewPayout { amount, method })
    }
}

/// The number of the n-th payout, which sellers and operators tell each other: `P-000123`.
pub fn number(n: i64) -> String {
    format!("P-{n:06}")
}

/// A word of a search as payout numbers are written, if it is one: `p123` and `P-123` are `P-000123`.
pub fn number_searched(word: &str) -> Option<String> {
    let digits = word.strip_prefix(['P', 'p'])?.trim_start_matches('-');
    digits.parse().ok().filter(|n| (1..1_000_000_000).contains(n)).map(number)
}

/// The bank's reference of a payout that was sent.
pub fn reference(typed: &str) -> Result<String, FieldError> {
    text::line("reference", typed, REFERENCE_MAX)
}

/// Why a payout is rejected or was returned. The shop reads it.
pub fn reason(typed: &str) -> Result<String, FieldError> {
    text::line("reason", typed, REASON_MAX)
}

/// A payout method, as the members of its shop see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayoutMethodCard {
    /// The method's ID.
    pub id: PayoutMethodId,
    /// The type of method.
    pub kind: PayoutMethodKind,
    /// The name of the account's holder.
    pub holder: String,
    /// The account, masked.
    pub account: String,
    /// When it was added: RFC 3339, UTC.
    pub created_at: String,
    /// When payouts can use it: RFC 3339, UTC.
    pub usable_at: String,
    /// Whether payouts can use it now.
    pub usable: bool,
    /// What Stripe says of the account. Null for other types.
    pub connected: Option<ConnectedAccount>,
}

/// A shop's account at a gateway, as the gateway reported it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectedAccount {
    /// Whether the shop has entered its details.
    pub details_submitted: bool,
    /// Whether the account can receive money and pay it out to the shop's bank.
    pub payouts_enabled: bool,
    /// What the gateway still needs to know, in its terms.
    pub requirements: Vec<String>,
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayoutCard {
    /// The payout's ID.
    pub id: PayoutId,
    /// Its number, which sellers and operators tell each other.
    pub number: String,
    /// The status.
    #[serde(rename = "status")]
    pub state: PayoutState,
    /// The amount.
    pub amount: Money,
    /// The type of the method.
    pub kind: PayoutMethodKind,
    /// The account, masked.
    pub account: String,
    /// The bank's reference. Empty until the payout is sent.
    pub reference: String,
    /// Why it was rejected or returned, or has not been transferred yet. Empty otherwise. A reason of the program is a
    /// code, such as `gateway_funds`.
    pub reason: String,
    /// When it was requested: RFC 3339, UTC.
    pub requested_at: String,
    /// When it was approved: RFC 3339, UTC.
    pub approved_at: Option<String>,
    /// When it was sent: RFC 3339, UTC.
    pub sent_at: Option<String>,
    /// When it was paid: RFC 3339, UTC.
    pub paid_at: Option<String>,
    /// When it was rejected or returned: RFC 3339, UTC.
    pub ended_at: Option<String>,
}

/// A shop's payouts, and what it needs to request one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopPayouts {
    /// The least that can be withdrawn.
    pub minimum: Money,
    /// A new idempotency key, for the form.
    pub key: String,
    /// Where payouts can go, oldest first.
    pub methods: Vec<PayoutMethodCard>,
    /// Whether an account at Stripe can be connected.
    pub connects: bool,
    /// The payouts, newest first.
    pub payouts: Page<PayoutCard>,
}

/// A payout, as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminPayoutCard {
    /// The payout.
    pub payout: PayoutCard,
    /// The shop's handle.
    pub shop_handle: String,
    /// The shop's name.
    pub shop_name: String,
    /// The name of the account's holder.
    pub holder: String,
    /// The email address of the user who requested it.
    pub requested_by: String,
    /// The email address of the admin who approved it. Null if nobody did.
    pub approved_by: Option<String>,
    /// The email address of the admin who marked it as sent. Null if nobody did.
    pub sent_by: Option<String>,
    /// The email address of the admin who marked it as paid. Null if nobody did.
    pub paid_by: Option<String>,
    /// The email address of the admin who rejected it or marked it as returned. Null if nobody did.
    pub ended_by: Option<String>,
    /// What the gateway that transfers it said of the last problem. Empty if there was none.
    pub gateway_note: String,
    /// Whether the gateway may have made the transfer without having confirmed it. Until that is known, the payout
    /// can't be rejected.
    pub unconfirmed: bool,
}

/// The payouts in the admin area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminPayouts {
    /// The list.
    pub table: Counted<AdminPayoutCard>,
    /// Whether there is a `pain.001` file, because an account to pay from is configured.
    pub has_bank_file: bool,
}

/// A payout in the admin area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutDetails {
    /// The payout.
    pub card: AdminPayoutCard,
    /// Whether the reader requested it, and so can't approve it.
    pub own: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_state_machine() {
        use PayoutState::*;
        let allowed = [
            (Requested, Approved),
            (Requested, Rejected),
            (Approved, Sent),
            (Approved, Rejected),
            (Sent, Paid),
            (Sent, Returned),
            (Paid, Returned),
        ];
        for from in PayoutState::ALL {
            for to in PayoutState::ALL {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from:?} to {to:?}");
            }
            // Money that is in transit can still get somewhere, and what ended unpaid can't.
            let ends = PayoutState::ALL.into_iter().all(|to| !from.may_become(to));
            assert_eq!(ends, matches!(from, Rejected | Returned));
            assert_eq!(from.is_open(), matches!(from, Requested | Approved | Sent));
        }
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        assert_eq!(number(123), "P-000123");
        assert_eq!(number(12_345_678), "P-12345678");
        for typed in ["P-000123", "p-123", "P123", "p000123"] {
            assert_eq!(number_searched(typed), Some(number(123)), "{typed}");
        }
        for typed in ["", "P", "P-", "123", "pot", "P-0", "P-1x", "P--1-", "p99999999999999999999"] {
            assert_eq!(number_searched(typed), None, "{typed}");
        }
    }

    #[test]
    fn ibans_have_the_length_and_check_digits_of_their_country() {
        // Examples of SWIFT's registry.
        let good = [
            "AE070331234567890123456",
            "AT611904300234573201",
            "BE68539007547034",
            "BR1800360305000010009795493C1",
            "CH9300762011623852957",
            "DE89370400440532013000",
            "ES9121000418450200051332",
            "FR1420041010050500013M02606",
            "GB29NWBK60161331926819",
            "LC55HEMM000100010012001200023015",
            "MT84MALT011000012345MTLCAST001S",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "PK36SCBL0000001123456702",
            "SA0380000000608010167519",
        ];
        for iban in good {
            assert!(is_iban(iban), "{iban}");
            // Each digit counts, and so does the order of two that differ.
            let wrong = format!("{}{}", &iban[..iban.len() - 1], if iban.ends_with('0') { '1' } else { '0' });
            assert!(!is_iban(&wrong), "{wrong}");
        }
        for bad in [
            "",
            "DE",
            "DE89",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "de89370400440532013000",
            "XX89370400440532013000",
            "DEA9370400440532013000",
            "D€89370400440532013000",
        ] {
            assert!(!is_iban(bad), "{bad}");
        }
        let mut countries: Vec<_> =
            IBAN_LENGTHS.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        let count = countries.len();
        countries.sort_unstable();
        countries.dedup();
        assert_eq!(countries.len(), count);
    }

    fn bank(account: &str, ifsc: &str) -> PayoutMethodForm {
        PayoutMethodForm {
            kind: "bank_account".into(),
            holder: " Meena Iyer ".into(),
            account: account.into(),
            ifsc: ifsc.into(),
            ..PayoutMethodForm::default()
        }
    }

    #[test]
    fn accounts_are_read_as_people_write_them_and_shown_masked() {
        let paypal = PayoutMethodForm {
            kind: "paypal".into(),
            holder: "Meena".into(),
            email: "meena@haat.example".into(),
            ..PayoutMethodForm::default()
        };
        let cases = [
            (bank("de89 3704 0044 0532 0130 00", ""), "DE•• •••• 3000"),
            (bank("0123-4567-8901", "hdfc0001234"), "•••• 8901 · HDFC0001234"),
            (bank("०१२३४५६७८", "SBIN0ABC123"), "•••• 5678 · SBIN0ABC123"),
            (paypal, "m•••@haat.example"),
        ];
        for (form, masked) in cases {
            let method = form.check().unwrap();
            assert_eq!(method.account.masked(), masked);
            assert_eq!(method.account.kind().as_str(), form.kind);
            assert_eq!(format!("{:?}", method.account), masked);
            let json = serde_json::to_string(&method.account).unwrap();
            assert_eq!(serde_json::from_str::<PayoutAccount>(&json).unwrap(), method.account);
        }
        assert_eq!(bank("DE89370400440532013000", "").check().unwrap().holder, "Meena Iyer");
        let stripe = PayoutAccount::Stripe { account: "acct_1032D82eZvKYlo2C".into() };
        assert_eq!((stripe.masked().as_str(), stripe.kind()), ("acct_•••lo2C", PayoutMethodKind::Stripe));
    }

    #[test]
    fn every_fault_of_a_method_is_named_at_its_field() {
        use FieldCode::*;
        let of = |kind: &str, email: &str| PayoutMethodForm {
            kind: kind.into(),
            holder: "M".into(),
            email: email.into(),
            ..PayoutMethodForm::default()
        };
        let cases = [
            (bank("", ""), "account", Missing),
            (bank("DE88370400440532013000", ""), "account", NotBankAccount),
            (bank("12345678", "HDFC0001234"), "account", NotBankAccount),
            (bank("1234567890123456789", "HDFC0001234"), "account", NotBankAccount),
            (bank("12345678x", "HDFC0001234"), "account", NotBankAccount),
            (bank("123456789", ""), "ifsc", Missing),
            (bank("123456789", "HDFC1001234"), "ifsc", NotBankAccount),
            (bank("123456789", "HDF10001234"), "ifsc", NotBankAccount),
            (bank("123456789", "HDFC00012345"), "ifsc", NotBankAccount),
            (bank("123456789", "HDFC00é234"), "ifsc", NotBankAccount),
            (of("paypal", "meena"), "email", NotEmail),
            (of("cheque", ""), "kind", NotAChoice),
            (of("stripe", ""), "kind", NotAChoice),
            (
                PayoutMethodForm { holder: " ".into(), ..bank("DE89370400440532013000", "") },
                "holder",
                Missing,
            ),
            (
                PayoutMethodForm { holder: "x".repeat(71), ..bank("DE89370400440532013000", "") },
                "holder",
                TooLong(HOLDER_MAX),
            ),
        ];
        for (form, field, code) in cases {
            assert_eq!(form.check(), Err(vec![FieldError::new(field, code)]), "{form:?}");
        }
    }

    #[test]
    fn a_request_is_above_the_minimum_and_in_the_currency_of_the_shop() {
        use FieldCode::*;
        let inr = |minor| Money::new(minor, Currency::INR);
        let usd: Currency = "USD".parse().unwrap();
        let method = PayoutMethodId::from_uuid(Uuid::from_u128(7));
        let check = |amount: &str, currency: &str, method: &str| {
            let form = PayoutForm { amount: amount.into(), currency: currency.into(), method: method.into() };
            form.check(Currency::INR, inr(10_000))
        };
        let id = method.to_string();
        assert_eq!(check("₹1,249.50", "", &id), Ok(NewPayout { amount: inr(124_950), method }));
        assert_eq!(check("100", "INR", &id), Ok(NewPayout { amount: inr(10_000), method }));
        let of_usd = PayoutForm { amount: "0.01".into(), currency: "USD".into(), method: id.clone() };
        assert_eq!(of_usd.check(usd, inr(10_000)), Ok(NewPayout { amount: Money::new(1, usd), method }));
        for (amount, currency, method, field, code) in [
            ("99.99", "", id.as_str(), "amount", TooSmall),
            ("0", "", &id, "amount", TooSmall),
            ("500", "USD", &id, "currency", NotAChoice),
            ("-5", "", &id, "amount", TooSmall),
            ("", "", &id, "amount", Missing),
            ("$500", "", &id, "amount", OtherCurrency(Currency::INR)),
            ("500", "", "", "method", Missing),
            ("500", "", "prod_1", "method", NotAChoice),
            ("500", "XXX", &id, "currency", NotAChoice),
        ] {
            let faults = check(amount, currency, method).unwrap_err();
            assert!(faults.contains(&FieldError::new(field, code)), "{amount} {currency}: {faults:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_accounts_panic(account in ".{0,50}", ifsc in ".{0,14}") {
            let _ = bank(&account, &ifsc).check();
            let _ = is_iban(&account);
            let _ = is_ifsc(&ifsc);
        }
    }
}
