//! The addresses that a user has saved.

use serde::{Deserialize, Serialize};

use crate::{
    addresses::{self, Address, AddressView},
    field::{FieldCode, FieldError},
    id::kinds::SavedAddressId,
};

/// The maximum number of addresses that a user can save.
pub const ADDRESSES_MAX: i64 = 20;

text_enum! {
    /// What an address is to its user.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum AddressLabel {
        /// Where they live.
        #[default]
        Home = "home",
        /// Where they work.
        Work = "work",
        /// Anything else, such as the address of a friend.
        Other = "other",
    }
}

/// A saved address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedAddress {
    /// Its ID.
    pub id: SavedAddressId,
    /// What it is to the user.
    pub label: AddressLabel,
    /// Whether checkouts begin with it. One of a user's addresses is the default.
    pub is_default: bool,
    /// The address.
    pub address: AddressView,
}

/// The form of a saved address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressForm {
    /// The label, as selected.
    pub label: String,
    /// The address.
    pub address: Address,
    /// Whether checkouts begin with it from now on.
    pub make_default: bool,
}

impl AddressForm {
    /// The form, as it was submitted. For `foreign`, see [`Address::read`].
    pub fn read(field: &impl Fn(&str) -> String, foreign: impl Fn(&str, &str) -> bool) -> Self {
        Self {
            label: field("label"),
            address: Address::read(field, "", foreign),
            make_default: !field("make_default").is_empty(),
        }
    }

    /// The validated label and address, or all errors.
    pub fn check(&self) -> Result<(AddressLabel, Address), Vec<FieldError>> {
        let (address, mut faults) = addresses::check(self.address.clone());
        match AddressLabel::parse(&self.label) {
            Some(label) if faults.is_empty() => Ok((label, address)),
            Some(_) => Err(faults),
            None => {
                faults.push(FieldError::new("label", FieldCode::NotAChoice));
                Err(faults)
            }
        }
    }
}

/// What the page of saved addresses shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressBook {
    /// The addresses: the default first, then the latest.
    pub addresses: Vec<SavedAddress>,
    /// The country of the marketplace, which new addresses begin with.
    pub country: String,
    /// The user's name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_at_its_field() {
        let faults = AddressForm::default().check().unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["name", "line1", "city", "country", "label"]);
        let typed = |name: &str| {
            let of = [
                ("label", "work"),
                ("name", "Asha Rao"),
                ("line1", "12 Lake Road"),
                ("city", "Pune"),
                ("postal_code", "411 001"),
                ("country", "in"),
                ("make_default", "true"),
                ("phone", "98450 12345"),
            ];
            of.iter()
                .find(|(known, _)| *known == name)
                .map_or_else(String::new, |(_, value)| (*value).to_owned())
        };
        let form = AddressForm::read(&typed, |_, _| false);
        let (label, address) = form.check().unwrap();
        assert_eq!(
            (label, form.make_default, address.postal_code.as_str()),
            (AddressLabel::Work, true, "411001")
        );
        assert_eq!(address.phone, "98450 12345");
    }
}
