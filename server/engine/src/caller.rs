//! Who makes a request. A use case cannot be called without a caller.

use crate::{Engine, clock};
use haat_shared::{
    Error, Result,
    id::kinds::{ShopId, UserId},
    permissions::{Permission, Role},
};

/// Who asks, and what they hold.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who they are.
    pub who: Who,
    /// The token of the guest's cart that came with the request, hashed.
    pub cart: Option<[u8; 32]>,
    /// Where the request came from, hashed. What guests may hold is counted by it.
    pub origin: Option<[u8; 32]>,
    /// The language they read, as its tag. Mails to them are written in it.
    pub locale: &'static str,
    /// Whether what they get is read by people: times are then those of the market's time zone. Programs get UTC.
    pub reads: bool,
}

/// The language of those who did not say.
const DEFAULT_LOCALE: &str = "en";

/// Who someone is.
#[derive(Debug, Clone)]
pub enum Who {
    /// Nobody that we know.
    Guest,
    /// A user who has signed in.
    User(SignedIn),
    /// The program itself: a job, the command line.
    System,
}

/// A user who has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Their id.
    pub id: UserId,
    /// How to address them.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Whether they run the market.
    pub operator: bool,
    /// The shops they work for.
    pub shops: Vec<haat_shared::accounts::Membership>,
}

impl Caller {
    /// Someone that we know nothing of.
    pub fn guest() -> Self {
        Self { who: Who::Guest, cart: None, origin: None, locale: DEFAULT_LOCALE, reads: false }
    }

    /// The program itself.
    pub fn system() -> Self {
        Self { who: Who::System, cart: None, origin: None, locale: DEFAULT_LOCALE, reads: false }
    }

    /// A time as the caller gets it.
    pub(crate) fn time(&self, engine: &Engine, ms: i64) -> String {
        if self.reads { engine.zone.local(ms) } else { clock::rfc3339(ms) }
    }

    /// The user, if one is signed in.
    pub fn user(&self) -> Option<&SignedIn> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::Guest | Who::System => None,
        }
    }

    /// The user's id, if one is signed in.
    pub fn user_id(&self) -> Option<UserId> {
        self.user().map(|u| u.id)
    }

    /// The user, or the demand to sign in.
    pub fn signed_in(&self) -> Result<&SignedIn> {
        self.user().ok_or(Error::SignInNeeded)
    }

    /// The shop with this handle, if the caller may do this there. A shop of others answers as if there were none.
    pub fn shop(&self, handle: &str, permission: Permission) -> Result<ShopId> {
        let user = self.signed_in()?;
        let shop = user.shops.iter().find(|s| s.handle == handle).ok_or(Error::NotFound)?;
        allow(shop.role, permission)?;
        Ok(shop.shop)
    }

    /// Whether the caller runs the market, or is the program itself.
    pub fn operator(&self) -> Result<()> {
        match &self.who {
            Who::System => Ok(()),
            Who::User(user) if user.operator => Ok(()),
            Who::User(_) => Err(Error::NotFound),
            Who::Guest => Err(Error::SignInNeeded),
        }
    }
}

fn allow(role: Role, permission: Permission) -> Result<()> {
    if role.may(permission) { Ok(()) } else { Err(Error::Denied) }
}
