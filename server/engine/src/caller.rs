//! Who makes a request. A use case cannot be called without a caller.

use crate::{Engine, clock};
use haat_shared::{
    Currency, Error, Result,
    analytics::Source,
    id::kinds::{SessionId, ShopId, UserId},
    permissions::{AdminPermission, AdminRole, Permission, Role},
};

/// Who makes a request, and what identifies them.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Their identity.
    pub who: Who,
    /// The hash of the guest's cart token, if the request has one.
    pub cart: Option<[u8; 32]>,
    /// The hash of the client address, by which guests' limits are counted.
    pub origin: Option<[u8; 32]>,
    /// The tag of their language, which emails to them use.
    pub locale: &'static str,
    /// Whether they chose this language on the site; otherwise it is that of their browser.
    pub locale_chosen: bool,
    /// The session of their browser, if they are signed in there.
    pub session: Option<SessionId>,
    /// What their browser calls itself. May be empty.
    pub device: String,
    /// Where they were before.
    pub source: Source,
    /// The currency in which they see prices and pay, if they chose one.
    pub currency: Option<Currency>,
    /// Whether people read the response: times are then in the market's time zone. API clients get UTC.
    pub reads: bool,
}

/// The default language.
const DEFAULT_LOCALE: &str = "en";

/// The identity of a caller.
#[derive(Debug, Clone)]
pub enum Who {
    /// A guest.
    Guest,
    /// A signed-in user.
    User(SignedIn),
    /// The program itself: jobs and the command line.
    System,
}

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// The user's roles in the admin area. Empty for everyone but operators.
    pub admin_roles: Vec<AdminRole>,
    /// The shops that the user works for.
    pub shops: Vec<haat_shared::accounts::Membership>,
}

impl Caller {
    /// A guest without a cart.
    pub fn guest() -> Self {
        Self {
            who: Who::Guest,
            cart: None,
            origin: None,
            locale: DEFAULT_LOCALE,
            locale_chosen: false,
            session: None,
            device: String::new(),
            source: Source::default(),
            currency: None,
            reads: false,
        }
    }

    /// The program itself.
    pub fn system() -> Self {
        Self { who: Who::System, ..Self::guest() }
    }

    /// A time, formatted for the caller.
    pub(crate) fn time(&self, engine: &Engine, ms: i64) -> String {
        if self.reads { engine.zone.local(ms) } else { clock::rfc3339(ms) }
    }

    /// The signed-in user, if any.
    pub fn user(&self) -> Option<&SignedIn> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::Guest | Who::System => None,
        }
    }

    /// The ID of the signed-in user, if any.
    pub fn user_id(&self) -> Option<UserId> {
        self.user().map(|u| u.id)
    }

    /// The signed-in user, or an error that asks to sign in.
    pub fn signed_in(&self) -> Result<&SignedIn> {
        self.user().ok_or(Error::SignInNeeded)
    }

    /// The ID of the shop with this handle, if the caller has the permission there. Other shops are
    /// reported as not found.
    pub fn shop(&self, handle: &str, permission: Permission) -> Result<ShopId> {
        let user = self.signed_in()?;
        let shop = user.shops.iter().find(|s| s.handle == handle).ok_or(Error::NotFound)?;
        allow(shop.role, permission)?;
        Ok(shop.shop_id)
    }

    /// Whether the caller is an operator with the permission, or the program itself. To all others, there
    /// is no admin area.
    pub fn admin(&self, permission: AdminPermission) -> Result<()> {
        match &self.who {
            Who::System => Ok(()),
            Who::Guest => Err(Error::SignInNeeded),
            Who::User(user) if user.admin_roles.is_empty() => Err(Error::NotFound),
            Who::User(user) if user.admin_roles.iter().any(|role| role.may(permission)) => Ok(()),
            Who::User(_) => Err(Error::Denied),
        }
    }
}

fn allow(role: Role, permission: Permission) -> Result<()> {
    if role.may(permission) { Ok(()) } else { Err(Error::Denied) }
}
