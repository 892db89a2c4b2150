//! A file with which a bank makes payouts: a credit transfer initiation of ISO 20022, `pain.001.001.03`. Pure: the
//! same payouts and time give the same file.

use super::{PayoutAccount, is_iban};
use crate::{id::kinds::PayoutId, money::Money};

/// The bank account that payouts are made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payer {
    /// The name of its holder.
    pub name: String,
    /// The IBAN, or the account number.
    pub account: String,
    /// The bank's BIC, or the branch's IFSC. May be empty.
    pub bank: String,
}

/// A payout in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The payout.
    pub payout: PayoutId,
    /// The amount.
    pub amount: Money,
    /// The name of the account's holder.
    pub holder: String,
    /// The account.
    pub account: PayoutAccount,
    /// What the holder reads on their statement.
    pub about: String,
}

/// The maximum lengths of names and of what the holder reads.
const NAME_MAX: usize = 70;
const ABOUT_MAX: usize = 140;

fn is_by_bank(account: &PayoutAccount) -> bool {
    matches!(account, PayoutAccount::Iban { .. } | PayoutAccount::India { .. })
}

/// The transfers as a file: one batch per currency. Payouts that no bank makes are left out. `created`
/// is an RFC 3339 time in UTC, and names the file.
pub fn pain_001(payer: &Payer, transfers: &[Transfer], created: &str) -> String {
    let mut transfers: Vec<&Transfer> = transfers.iter().filter(|t| is_by_bank(&t.account)).collect();
    transfers.sort_by_key(|t| (t.amount.currency(), t.payout));
    let message: String = created.chars().filter(char::is_ascii_alphanumeric).collect();
    let amounts: Vec<Money> = transfers.iter().map(|t| t.amount).collect();
    let mut file = Xml::default();
    file.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    file.0.push_str(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\">\n<CstmrCdtTrfInitn>\n",
    );
    file.inside("GrpHdr", |head| {
        head.text("MsgId", &message);
        head.text("CreDtTm", created);
        head.text("NbOfTxs", &amounts.len().to_string());
        head.text("CtrlSum", &control_sum(&amounts));
        head.inside("InitgPty", |party| party.text("Nm", &clip(&payer.name, NAME_MAX)));
    });
    for batch in transfers.chunk_by(|a, b| a.amount.currency() == b.amount.currency()) {
        let amounts: Vec<Money> = batch.iter().map(|t| t.amount).collect();
        let currency = amounts.first().map(|amount| amount.currency().to_string()).unwrap_or_default();
        file.inside("PmtInf", |payment| {
            payment.text("PmtInfId", &format!("{message}{currency}"));
            payment.text("PmtMtd", "TRF");
            payment.text("NbOfTxs", &amounts.len().to_string());
            payment.text("CtrlSum", &control_sum(&amounts));
            payment.text("ReqdExctnDt", created.get(..10).unwrap_or_default());
            payment.inside("Dbtr", |party| party.text("Nm", &clip(&payer.name, NAME_MAX)));
            payment.inside("DbtrAcct", |account| account.account(&payer.account));
            payment.inside("DbtrAgt", |agent| agent.bank(&payer.bank));
            for transfer in batch {
                payment.transfer(transfer);
            }
        });
    }
    file.0.push_str("</CstmrCdtTrfInitn>\n</Document>\n");
    file.0
}

/// The sum of amounts, whatever their currencies, as a decimal number: what the bank compares with its own sum.
pub fn control_sum(amounts: &[Money]) -> String {
    let decimals = amounts.iter().map(|amount| amount.currency().decimals()).max().unwrap_or(0);
    let scaled = amounts
        .iter()
        .map(|amount| i128::from(amount.amount()) * 10i128.pow(decimals - amount.currency().decimals()));
    let (sum, unit) = (scaled.sum::<i128>(), 10i128.pow(decimals));
    match decimals {
        0 => sum.to_string(),
        decimals => format!("{}.{:0>width$}", sum / unit, sum % unit, width = decimals as usize),
    }
}

/// A payout's ID as banks take references: letters and digits, at most 35.
pub fn end_to_end_id(payout: PayoutId) -> String {
    payout.to_string().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// At most so many characters, without control characters.
fn clip(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

#[derive(Default)]
struct Xml(String);

impl Xml {
    fn inside(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>\n"));
        write(self);
        self.0.push_str(&format!("</{name}>\n"));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.0.push_str(&format!("<{name}>"));
        self.escaped(text);
        self.0.push_str(&format!("</{name}>\n"));
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                c => self.0.push(c),
            }
        }
    }

    fn account(&mut self, number: &str) {
        self.inside("Id", |id| match is_iban(number) {
            true => id.text("IBAN", number),
            false => id.inside("Othr", |other| other.text("Id", number)),
        });
    }

    /// A bank, by its BIC or by the IFSC of its branch.
    fn bank(&mut self, code: &str) {
        self.inside("FinInstnId", |bank| match code {
            "" => bank.inside("Othr", |other| other.text("Id", "NOTPROVIDED")),
            code if super::is_ifsc(code) => bank.inside("ClrSysMmbId", |member| {
                member.inside("ClrSysId", |system| system.text("Cd", "INFSC"));
                member.text("MmbId", code);
            }),
            code => bank.text("BIC", code),
        });
    }

    fn transfer(&mut self, transfer: &Transfer) {
        let Transfer { payout, amount, holder, account, about } = transfer;
        let (number, bank) = match account {
            PayoutAccount::Iban { iban } => (iban, None),
            PayoutAccount::India { number, ifsc } => (number, Some(ifsc)),
            PayoutAccount::Paypal { .. } | PayoutAccount::Stripe { .. } => return,
        };
        let id = end_to_end_id(*payout);
        self.inside("CdtTrfTxInf", |one| {
            one.inside("PmtId", |ids| {
                ids.text("InstrId", &id);
                ids.text("EndToEndId", &id);
            });
            one.0.push_str(&format!(
                "<Amt>\n<InstdAmt Ccy=\"{}\">{}</InstdAmt>\n</Amt>\n",
                amount.currency(),
                amount.plain()
            ));
            if let Some(bank) = bank {
                one.inside("CdtrAgt", |agent| agent.bank(bank));
            }
            one.inside("Cdtr", |party| party.text("Nm", &clip(holder, NAME_MAX)));
            one.inside("CdtrAcct", |account| account.account(number));
            one.inside("RmtInf", |about_it| about_it.text("Ustrd", &clip(about, ABOUT_MAX)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use uuid::Uuid;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, code.parse().unwrap())
    }

    #[test]
    fn control_sums_are_exact_over_currencies() {
        let cases = [
            (vec![], "0"),
            (vec![money(124_950, "INR"), money(5, "INR")], "1249.55"),
            (vec![money(1_249, "JPY"), money(1, "JPY")], "1250"),
            (vec![money(1, "INR"), money(1, "KWD"), money(1, "JPY")], "1.011"),
            (vec![money(i64::MAX, "INR"), money(i64::MAX, "INR")], "184467440737095516.14"),
        ];
        for (amounts, sum) in cases {
            assert_eq!(control_sum(&amounts), sum, "{amounts:?}");
        }
    }

    #[test]
    fn a_file_has_a_batch_per_currency_whose_sums_are_those_of_its_transfers() {
        let payer = Payer {
            name: "Haat & Co".into(),
            account: "DE89370400440532013000".into(),
            bank: "COBADEFFXXX".into(),
        };
        let transfer = |n: u128, amount, account| Transfer {
            payout: PayoutId::from_uuid(Uuid::from_u128(n)),
            amount,
            holder: "Meena <Iyer>".into(),
            account,
            about: "Haat payout".into(),
        };
        let iban = || PayoutAccount::Iban { iban: "FR1420041010050500013M02606".into() };
        let india = || PayoutAccount::India { number: "012345678901".into(), ifsc: "HDFC0001234".into() };
        let transfers = [
            transfer(2, money(50_000, "INR"), india()),
            transfer(1, money(1_050, "EUR"), iban()),
            transfer(3, money(25, "INR"), india()),
            transfer(4, money(99, "INR"), PayoutAccount::Paypal { email: "m@haat.example".into() }),
        ];
        let file = pain_001(&payer, &transfers, "2026-11-28T09:30:00Z");
        let all = |tag: &str| -> Vec<String> {
            let open = format!("<{tag}>");
            file.split(&open).skip(1).map(|rest| rest.split("</").next().unwrap().to_owned()).collect()
        };
        assert_eq!(all("CtrlSum"), ["510.75", "10.50", "500.25"]);
        assert_eq!(all("NbOfTxs"), ["3", "1", "2"]);
        assert_eq!(all("MsgId"), ["20261128T093000Z"]);
        assert_eq!(all("PmtInfId"), ["20261128T093000ZEUR", "20261128T093000ZINR"]);
        assert_eq!(all("ReqdExctnDt"), ["2026-11-28"; 2]);
        assert_eq!(
            all("IBAN"),
            ["DE89370400440532013000", "FR1420041010050500013M02606", "DE89370400440532013000"]
        );
        assert_eq!(all("MmbId"), ["HDFC0001234"; 2]);
        assert_eq!(all("BIC"), ["COBADEFFXXX"; 2]);
        assert!(
            file.contains("<InstdAmt Ccy=\"INR\">500.00</InstdAmt>")
                && file.contains("<InstdAmt Ccy=\"EUR\">10.50</InstdAmt>")
        );
        assert!(
            file.contains("Haat &amp; Co") && file.contains("Meena &lt;Iyer&gt;") && !file.contains("m@haat")
        );
        let ids = all("EndToEndId");
        assert!(
            ids.iter().all(|id| id.len() <= 35 && id.bytes().all(|b| b.is_ascii_alphanumeric())),
            "{ids:?}"
        );
        // Every element is closed, in order.
        let mut open: Vec<&str> = Vec::new();
        for tag in file.split('<').skip(2).map(|rest| rest.split('>').next().unwrap()) {
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name)),
                None => open.push(tag.split(' ').next().unwrap()),
            }
        }
        assert!(open.is_empty());
        assert_eq!(pain_001(&payer, &[], "2026-11-28T09:30:00Z").matches("<PmtInf>").count(), 0);
        assert_eq!(Currency::INR.decimals(), 2);
    }
}
