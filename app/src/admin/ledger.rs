//! The trial balance, and the seal of the ledger.

use haat_shared::{
    Currency, Money,
    ledger::{Account, AccountBalance, TrialBalance},
    routes,
};
use leptos::prelude::*;

use super::{AdminPage, Part};
use crate::{
    api,
    i18n::{t, tu_string, use_i18n},
    ui::{EmptyState, PageTitle, Table, loaded},
    words::{self, I18n},
};

/// The ledger's page.
#[component]
pub(crate) fn Ledger() -> impl IntoView {
    let found = api::find(|| (), |()| api::ledger::trial_balance());
    let page = loaded(found, |balance| view! { <Shown balance /> });
    view! { <AdminPage here=Part::Ledger>{page}</AdminPage> }
}

#[component]
fn Shown(balance: TrialBalance) -> impl IntoView {
    let i18n = use_i18n();
    let TrialBalance { accounts, exchange_difference, batch, seal, sealed_at, unsealed } = balance;
    let mut currencies: Vec<Currency> = accounts.iter().map(|each| each.balance.currency()).collect();
    currencies.dedup();
    let tables = currencies.iter().map(|currency| {
        let own = accounts.iter().filter(|each| each.balance.currency() == *currency).cloned().collect();
        table(i18n, *currency, own, currencies.len() > 1)
    });
    let tables = match currencies.is_empty() {
        true => {
            let (title, note) = (t!(i18n, admin.none), t!(i18n, admin.no_ledger));
            view! { <EmptyState icon="book" title note /> }.into_any()
        }
        false => tables.collect_view().into_any(),
    };
    let sealed = batch.zip(seal).zip(sealed_at).map(|((batch, seal), at)| {
        let at = words::moment(i18n, &at);
        view! {
            <p>{tu_string!(i18n, admin.sealed, number = words::number(i18n, batch), date = at).to_string()}</p>
            <p class="note id" translate="no">{seal}</p>
        }
    });
    let exchanged = exchange_difference.map(|difference| {
        view! {
            <section class="panel apart" aria-labelledby="exchange">
                <h2 id="exchange">{t!(i18n, admin.exchange)}</h2>
                <p>{t!(i18n, admin.exchange_difference, amount = words::money(i18n, difference))}</p>
                <p class="note">{t!(i18n, admin.exchange_note)}</p>
            </section>
        }
    });
    let rest = words::number(i18n, unsealed);
    view! {
        <PageTitle text=t!(i18n, admin.ledger) />
        <header class="order-head">
            <h1>{t!(i18n, admin.ledger)}</h1>
            <a class="button secondary" rel="external" download href=routes::EXPORT_LEDGER>{t!(i18n, imports.export)}</a>
        </header>
        <p class="note">{t!(i18n, admin.ledger_note)}</p>
        {tables}
        {exchanged}
        <section class="panel apart" aria-labelledby="seal">
            <h2 id="seal">{t!(i18n, admin.seal)}</h2>
            <p class="note">{t!(i18n, admin.seal_note)}</p>
            {sealed}
            <p>{tu_string!(i18n, admin.unsealed, number = rest).to_string()}</p>
        </section>
    }
}

/// The accounts of a currency: debits and credits, with their totals.
fn table(i18n: I18n, currency: Currency, accounts: Vec<AccountBalance>, several: bool) -> impl IntoView {
    let (mut debits, mut credits) = (0_i64, 0_i64);
    let rows: Vec<_> = accounts
        .into_iter()
        .map(|AccountBalance { account, balance }| {
            let amount = balance.amount();
            let shown = |amount: i64| (amount > 0).then(|| words::money(i18n, Money::new(amount, currency)));
            debits = debits.saturating_add(amount.max(0));
            credits = credits.saturating_add((-amount).max(0));
            view! {
                <tr>
                    <th scope="row">{account_words(i18n, account)}</th>
                    <td class="number">{shown(amount)}</td>
                    <td class="number">{shown(-amount)}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    let total = |amount| words::money(i18n, Money::new(amount, currency));
    let sum = view! {
        <tr class="sum">
            <th scope="row">{t!(i18n, cart.total)}</th>
            <td class="number">{total(debits)}</td>
            <td class="number">{total(credits)}</td>
        </tr>
    };
    let columns = vec![
        (t!(i18n, admin.account), ""),
        (t!(i18n, admin.debit), "number"),
        (t!(i18n, admin.credit), "number"),
    ];
    let rows: Vec<_> = rows.into_iter().chain([sum.into_any()]).collect();
    let heading = several.then(|| view! { <h2>{currency.code().to_owned()}</h2> });
    view! {
        {heading}
        <Table caption=t!(i18n, admin.trial_balance) columns>{rows}</Table>
    }
}

fn account_words(i18n: I18n, account: Account) -> &'static str {
    match account {
        Account::GatewayClearing => t!(i18n, admin.gateway_clearing),
        Account::SellerPending => t!(i18n, admin.seller_pending),
        Account::SellerPayable => t!(i18n, admin.seller_payable),
        Account::SellerReceivable => t!(i18n, admin.seller_receivable),
        Account::MarketplaceCommission => t!(i18n, admin.marketplace_commission),
        Account::ShopperPayable => t!(i18n, admin.shopper_payable),
        Account::GiftCards => t!(i18n, admin.gift_cards),
        Account::MarketplacePromotions => t!(i18n, admin.marketplace_promotions),
        Account::GatewayFees => t!(i18n, admin.gateway_fees),
        Account::PayoutsInTransit => t!(i18n, admin.payouts_in_transit),
        Account::Bank => t!(i18n, admin.bank),
        Account::Disputes => t!(i18n, admin.disputes_account),
        Account::SellerDisputed => t!(i18n, admin.seller_disputed),
        Account::DisputeLosses => t!(i18n, admin.dispute_losses),
        Account::Exchange => t!(i18n, admin.exchange),
    }
}
