//! The use cases on SQLite and on PostgreSQL: each test runs on both, and the oracle is consulted after each.
//!
//! Run by `make test`, or `scripts/with-postgres cargo test -p haat-engine`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

mod access;
mod accounts;
mod admin;
mod analytics;
mod announcements;
mod attributes;
mod books;
mod budgets;
mod buying;
mod capacities;
mod cards;
mod carts;
mod catalog;
mod category_tree;
mod chat;
mod commissions;
mod connect;
mod coupons;
mod currencies;
mod disputes;
mod events;
mod exchanges;
mod finding;
mod gateways;
mod gift_card_sales;
mod gift_cards;
mod guests;
mod imports;
mod invoices;
mod jobs;
mod life;
mod logins;
mod media;
mod migrations;
mod mixed_basket;
mod notifications;
mod operator;
mod oracle;
mod orders;
mod payments;
mod payments_admin;
mod payouts;
mod people;
mod personal_data;
mod products;
mod promotions;
mod races;
mod recommendations;
mod refunds;
mod reliability;
mod returns;
mod reviews;
mod sale_events;
mod sale_prices;
mod seals;
mod services;
mod shipping;
mod shops;
mod slots;
mod spans;
mod staff;
mod statements;
mod taxes;
mod worked_example;
mod writes;
