//! The saved addresses of an account.

use haat_engine::addresses;
use haat_shared::{
    Result,
    address_book::{AddressForm, AddressLabel, SavedAddress},
    id::kinds::SavedAddressId,
    routes::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api, RequestContext,
    checkout::AddressInput,
    extract::{At, Body},
    reply::{Found, Made},
};

pub(super) fn routes(api: Api) -> Api {
    api.on(API_ADDRESSES, "Lists your saved addresses: the default first, then the latest.", list)
        .on(
            API_ADD_ADDRESS,
            "Saves an address. The first one is the default. An account has at most 20.",
            add,
        )
        .on(API_ADDRESS, "Retrieves one of your saved addresses.", view)
        .on(API_SAVE_ADDRESS, "Changes one of your saved addresses.", save)
        .on(
            API_REMOVE_ADDRESS,
            "Removes one of your saved addresses. If it was the default, the latest of the others is.",
            remove,
        )
}

/// An address to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddressToSave {
    /// What it is to you.
    label: AddressLabel,
    /// The address.
    address: AddressInput,
    /// Whether your checkouts begin with it from now on. If not, nothing changes about that.
    #[serde(default)]
    is_default: bool,
}

/// Saved addresses.
#[derive(Serialize, ToSchema)]
struct SavedAddresses {
    /// The addresses: the default first, then the latest.
    items: Vec<SavedAddress>,
}

impl From<AddressToSave> for AddressForm {
    fn from(new: AddressToSave) -> Self {
        Self { label: new.label.as_str().into(), address: new.address.into(), make_default: new.is_default }
    }
}

async fn list(context: RequestContext, (): ()) -> Result<Found<SavedAddresses>> {
    context.caller.signed_in()?;
    Ok(Found(SavedAddresses { items: addresses::list(context.engine(), &context.caller).await? }))
}

async fn add(context: RequestContext, Body(new): Body<AddressToSave>) -> Result<Made<SavedAddress>> {
    let id = addresses::add(context.engine(), &context.caller, &new.into()).await.map_err(at_address)?;
    Ok(Made(addresses::find(context.engine(), &context.caller, id).await?))
}

async fn view(context: RequestContext, At(id): At<SavedAddressId>) -> Result<Found<SavedAddress>> {
    Ok(Found(addresses::find(context.engine(), &context.caller, id).await?))
}

async fn save(
    context: RequestContext,
    (At(id), Body(new)): (At<SavedAddressId>, Body<AddressToSave>),
) -> Result<Found<SavedAddress>> {
    addresses::save(context.engine(), &context.caller, id, &new.into()).await.map_err(at_address)?;
    view(context, At(id)).await
}

async fn remove(context: RequestContext, At(id): At<SavedAddressId>) -> Result<()> {
    addresses::remove(context.engine(), &context.caller, id).await
}

/// Errors at the fields of the body.
fn at_address(error: haat_shared::Error) -> haat_shared::Error {
    match error {
        haat_shared::Error::Invalid(faults) => {
            let at = |mut fault: haat_shared::FieldError| {
                if fault.field != "label" {
                    fault.field = format!("address.{}", fault.field);
                }
                fault
            };
            haat_shared::Error::Invalid(faults.into_iter().map(at).collect())
        }
        error => error,
    }
}
