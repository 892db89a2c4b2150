//! Users, as admins see them.

use crate::{Caller, Engine, accounts, orders, personal};
use haat_shared::{
    Result, accounts::UserState, admin::UserDetails, id::kinds::UserId, orders::ListOrders,
    permissions::AdminPermission,
};

/// The number of a user's orders that are shown.
const LATEST_SHOWN: usize = 20;

/// A user, with what else the admin may see: roles, shops and the latest orders.
pub async fn user(engine: &Engine, caller: &Caller, id: UserId) -> Result<UserDetails> {
    let details = accounts::details(engine, caller, id).await?;
    let details = match details.user.state {
        UserState::Deleted => details,
        _ => UserDetails { obstacles: personal::obstacles(engine, caller, id).await?, ..details },
    };
    if caller.admin(AdminPermission::SeeOrders).is_err() {
        return Ok(details);
    }
    let of = ListOrders { customer: Some(id), limit: Some(LATEST_SHOWN), ..ListOrders::default() };
    let latest = Some(orders::list_all(engine, caller, of).await?.items);
    Ok(UserDetails { latest, ..details })
}
