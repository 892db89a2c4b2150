//! What must hold of the whole: every statement can be prepared on both databases, and was executed on both.

use std::collections::BTreeSet;

use haat_engine::db::statement;

use crate::{
    buying, carts, catalog, events, guests, imports, jobs, media, notifications, operator, orders, payments,
    products, shops, support::*,
};

/// Every statement runs on both databases: what prepares may still fail to bind or to be read back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_statement_prepares_and_runs_on_both() {
    for on in [On::Sqlite, On::Postgres] {
        let market = Market::open(on).await;
        let prepared = market.engine.db.prepare_all().await.unwrap();
        assert!(prepared > 50, "{prepared}");
        market.close().await;
        macro_rules! tour {
            ($($path:path)*) => {$(
                let market = Market::open(on).await;
                { use $path as scenario; scenario::run(&market).await; }
                market.close().await;
            )*};
        }
        tour! {
            buying::a_guest_buys_from_two_shops_in_cash
            buying::a_purchase_is_shown_to_its_owner_and_to_who_has_the_link
            buying::how_it_is_brought_is_chosen_before_paying
            buying::all_is_held_or_nothing
            buying::beginning_again_goes_on_with_the_same_checkout_until_the_basket_changes
            buying::time_runs_out_and_all_is_given_back
            carts::a_guests_basket_joins_the_accounts
            carts::a_checkout_goes_on_after_signing_in
            carts::lines_are_changed_and_removed
            crate::access::a_key_is_good_for_its_scopes_until_it_is_taken_back
            crate::access::refresh_tokens_rotate_and_an_old_one_ends_them_all
            catalog::the_tree_leads_to_what_lies_in_it
            catalog::search_engines_are_told_of_every_page
            catalog::the_first_page_shows_what_sold_best
            catalog::what_is_put_twice_is_brought_up_to_date
            crate::accounts::a_language_is_kept_with_the_account
            crate::accounts::attack_sign_up_tells_nobody_who_has_an_account
            crate::accounts::drafts_come_back_without_secrets
            crate::accounts::signing_out_ends_the_session_on_the_server
            carts::bad_quantities_change_nothing
            guests::attack_guests_of_one_origin_have_so_many_checkouts
            guests::attack_cash_orders_in_a_strangers_name_are_few
            guests::attack_one_address_gets_so_many_emails
            imports::a_file_may_tell_of_a_part
            imports::what_does_not_hold_is_told_line_by_line
            imports::pieces_go_in_once_whoever_puts_them_in
            imports::what_is_stopped_stays_where_it_is
            jobs::facts_become_notifications_once
            jobs::a_refund_that_fails_is_tried_again_and_then_laid_aside
            jobs::what_is_over_is_forgotten
            events::what_happens_to_an_order_is_told_in_order
            events::events_are_kept_for_thirty_days_and_then_refused_by_name
            orders::a_shop_cancels_and_all_goes_back
            orders::tracking_is_corrected_until_the_order_has_arrived
            orders::an_order_goes_from_placed_to_delivered_step_by_step
            notifications::a_mail_that_does_not_get_through_is_tried_again_and_laid_aside_in_the_end
            notifications::what_becomes_of_an_order_is_told_once
            operator::dead_work_is_tried_again_or_given_up
            operator::what_needs_a_hand_is_counted_and_mails_are_read
            media::a_product_is_shown_with_its_shops_pictures
            payments::a_gateway_that_is_away_costs_nothing_but_time
            payments::a_capture_of_another_amount_goes_back
            payments::a_late_capture_is_honoured_if_there_is_stock
            payments::a_second_capture_goes_back
            payments::a_second_capture_of_one_attempt_goes_back
            payments::hanging_up_while_paying_leaves_nothing_locked
            payments::a_webhook_that_never_comes_is_made_up_for
            payments::a_declined_card_leaves_everything_as_it_was
            payments::a_challenge_is_confirmed_and_webhooks_are_told_once
            products::a_product_is_made_shown_changed_and_taken_off
            products::the_second_of_two_tabs_is_told_what_the_first_changed
            products::a_product_lies_in_a_category
            products::what_is_sold_while_a_form_is_open_stays_sold
            products::what_nobody_began_to_buy_can_be_deleted
            shops::settings_are_saved_by_one_and_told_to_the_other
            shops::the_counter_shows_what_is_to_be_done_and_how_it_goes
            shops::a_balance_waits_for_what_is_on_its_way
            crate::writes::readiness_is_written
            crate::writes::a_panic_beside_a_transaction_ends_nothing
        }
        if on == On::Sqlite {
            types_are_the_declared_ones(&market_file().await);
        }
    }
    let missing: BTreeSet<_> = statement::all()
        // The tests' own statements are theirs to run.
        .filter(|s| s.ran() != (true, true) && !s.name.starts_with("it::"))
        .map(|s| format!("{} {:?}", s.name, s.ran()))
        .collect();
    assert_eq!(missing, BTreeSet::new(), "not executed on (SQLite, PostgreSQL)");
}

/// A market in which something of everything happened.
async fn market_file() -> std::path::PathBuf {
    let market = Market::open(On::Sqlite).await;
    buying::a_purchase_is_shown_to_its_owner_and_to_who_has_the_link::run(&market).await;
    market.settle().await;
    market.folder.join("haat.db")
}

/// SQLite stores whatever it is given: without `STRICT`, this shows that columns hold what they say.
fn types_are_the_declared_ones(file: &std::path::Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut checked = 0;
    for table in tables {
        let mut columns =
            connection.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')")).unwrap();
        let columns: Vec<(String, String)> =
            columns.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().map(Result::unwrap).collect();
        for (column, declared) in columns {
            let stored = match declared.as_str() {
                "BIGINT" | "BOOLEAN" => "integer",
                "TEXT" => "text",
                "UUID" | "BYTEA" => "blob",
                other => panic!("{table}.{column} is declared as {other}"),
            };
            let sql =
                format!("SELECT COUNT(*) FROM {table} WHERE typeof({column}) NOT IN ('{stored}', 'null')");
            let wrong: i64 = connection.query_row(&sql, [], |r| r.get(0)).unwrap();
            assert_eq!(wrong, 0, "{table}.{column} does not hold {stored}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}
