//! The account of a user, as they see and change it: their profile, their password, and where they are signed in.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::check_password,
    addresses,
    field::{FieldCode, FieldError},
    id::kinds::SessionId,
    logins::LoginCard,
    money::Currency,
    text,
};

/// The maximum length of what a browser calls itself that is stored.
pub const DEVICE_MAX: usize = 300;

/// The profile of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
    /// The phone number, as entered. May be empty.
    pub phone: String,
    /// The tag of the language, which emails use.
    pub locale: String,
    /// The currency in which they see prices, if they chose one.
    pub currency: Option<Currency>,
}

/// The form of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    /// The name.
    pub name: String,
    /// The phone number. May be empty.
    pub phone: String,
    /// The code of the currency. Empty for that of the market.
    pub currency: String,
}

/// A valid [`ProfileForm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidProfile {
    /// The name.
    pub name: String,
    /// The phone number. May be empty.
    pub phone: String,
    /// The currency.
    pub currency: Option<Currency>,
}

impl ProfileForm {
    /// The validated profile, or all errors.
    pub fn check(&self) -> Result<ValidProfile, Vec<FieldError>> {
        let name = text::line("name", &self.name, text::PERSON_MAX);
        let phone = addresses::phone("phone", &self.phone);
        let currency = match self.currency.as_str() {
            "" => Ok(None),
            code => match code.parse() {
                Ok(currency) => Ok(Some(currency)),
                Err(_) => Err(FieldError::new("currency", FieldCode::NotAChoice)),
            },
        };
        match (name, phone, currency) {
            (Ok(name), Ok(phone), Ok(currency)) => Ok(ValidProfile { name, phone, currency }),
            (name, phone, currency) => {
                Err([name.err(), phone.err(), currency.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// The form that changes a password. The names of the fields all have `password` in them, so that no draft keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PasswordChange {
    /// The present password.
    pub current: String,
    /// The new one.
    pub new: String,
}

impl PasswordChange {
    /// All errors that can be seen without knowing the present password.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let missing =
            self.current.is_empty().then(|| FieldError::new("current_password", FieldCode::Missing));
        let wrong = check_password("password", &self.new).err();
        let faults: Vec<_> = missing.into_iter().chain(wrong).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// A browser in which a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCard {
    /// The session's ID.
    pub id: SessionId,
    /// The name of the browser. Empty if unknown.
    pub browser: String,
    /// The name of its operating system. Empty if unknown.
    pub system: String,
    /// When the user signed in there: a time for the user.
    pub signed_in_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// What the page of a profile shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilePage {
    /// The profile.
    pub profile: Profile,
    /// Where the user is signed in: this browser first, then the latest.
    pub sessions: Vec<SessionCard>,
    /// Whether they have a password. Whoever signed up with a provider has none until they set one.
    pub has_password: bool,
    /// The providers whose accounts can be connected, or are.
    pub logins: Vec<LoginCard>,
}

/// The names of the browser and its operating system, from the header `User-Agent`. Empty if unknown. Many browsers name
/// others too, so the order counts.
pub fn device(user_agent: &str) -> (&'static str, &'static str) {
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("UCBrowser/", "UC Browser"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 8] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("KaiOS", "KaiOS"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| {
        list.iter().find(|(part, _)| user_agent.contains(part)).map_or("", |(_, name)| name)
    };
    (named(&BROWSERS), named(&SYSTEMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_profile_is_named() {
        let form = ProfileForm { name: " ".into(), phone: "call me".into(), currency: "rupees".into() };
        let faults = form.check().unwrap_err();
        assert_eq!(
            faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
            ["name", "phone", "currency"]
        );
        let form = ProfileForm {
            name: " Asha Rao ".into(),
            phone: "+91 98450 12345".into(),
            currency: "EUR".into(),
        };
        let valid = form.check().unwrap();
        assert_eq!((valid.name.as_str(), valid.phone.as_str()), ("Asha Rao", "+91 98450 12345"));
        assert_eq!(valid.currency.as_ref().map(Currency::code), Some("EUR"));
        let none = ProfileForm { name: "Asha".into(), ..ProfileForm::default() }.check().unwrap();
        assert_eq!((none.phone.as_str(), none.currency), ("", None));
    }

    #[test]
    fn a_new_password_needs_the_present_one() {
        let faults = PasswordChange::default().check().unwrap_err();
        assert_eq!(
            faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
            ["current_password", "password"]
        );
        assert!(PasswordChange { current: " ".into(), new: "eight888".into() }.check().is_ok());
    }

    #[test]
    fn devices_are_named_as_people_know_them() {
        for (agent, named) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                ("Edge", "Windows"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                ("Chrome", "Android"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                ("Safari", "iPhone"),
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", ("Firefox", "Linux")),
            ("curl/8.5", ("", "")),
            ("", ("", "")),
        ] {
            assert_eq!(device(agent), named, "{agent}");
        }
    }
}
