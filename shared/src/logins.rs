//! Signing in with the account of a provider: which there are, and why they may refuse.

use serde::{Deserialize, Serialize};

text_enum! {
    /// A provider with whose accounts users can sign in.
    pub enum Provider {
        /// Google.
        Google = "google",
        /// LinkedIn.
        LinkedIn = "linkedin",
    }
}

impl Provider {
    /// What it calls itself, in every language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::LinkedIn => "LinkedIn",
        }
    }
}

text_enum! {
    /// Why nobody was signed in, or nothing connected.
    pub enum LoginRefusal {
        /// The user didn't allow it, or the provider did not.
        Denied = "login_denied",
        /// It took too long, was begun in another browser, or the provider's response can't be trusted.
        Failed = "login_failed",
        /// The provider can't be reached.
        Unreachable = "login_unreachable",
        /// The provider names no email address that it has verified.
        Unverified = "login_unverified",
        /// There is an account with this email address, which has to be connected by whoever is signed in to it.
        AccountExists = "login_account_exists",
        /// The account at the provider is connected with someone else's.
        Taken = "login_taken",
        /// Another account at this provider is connected.
        Another = "login_another",
        /// Nobody could sign in any more.
        LastWayIn = "login_last_way_in",
        /// The account here is deactivated.
        Deactivated = "login_deactivated",
    }
}

/// How one can sign in to this market, besides with a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaysIn {
    /// The providers.
    pub providers: Vec<Provider>,
    /// The password of the demo's accounts, if this is a demo market.
    pub demo: Option<String>,
}

/// A provider in a user's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCard {
    /// The provider.
    pub provider: Provider,
    /// The email address that the account there had when it was connected; may be empty. `None` if none is connected.
    pub email: Option<String>,
}
