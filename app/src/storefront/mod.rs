//! The pages of the storefront, one file per page.

mod account;
mod cards;
mod cart;
mod category;
mod checkout;
mod gallery;
mod home;
mod invoices;
mod not_found;
mod product;
mod product_grid;
mod products;
mod purchase;
mod quantities;
mod returns;
mod share;
mod shop;
mod shops;
mod sign_in;
mod sign_up;

pub(crate) use account::Account;
pub(crate) use cart::Cart;
pub(crate) use category::Category;
pub(crate) use checkout::{Checkout, order_lines};
pub(crate) use home::Home;
pub(crate) use invoices::invoice_links;
pub(crate) use not_found::NotFound;
pub(crate) use product::Product;
pub(crate) use products::Products;
pub(crate) use purchase::{AddressLines, Purchase, Timeline, contents, no_longer_paid};
pub(crate) use quantities::Quantities;
pub(crate) use returns::{pictures, wishes};
pub(crate) use shop::Shop;
pub(crate) use shops::Shops;
pub(crate) use sign_in::SignIn;
pub(crate) use sign_up::{SignUp, draft_by};
