//! Users: sign-up, sign-in, and email addresses.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    id::kinds::{ShopId, UserId},
    permissions::{AdminPermission, AdminRole, Role},
    text,
};

/// The minimum length of a password. There are no rules about its characters (NIST SP 800-63B).
pub const PASSWORD_MIN: usize = 8;
/// The maximum length of a password, since hashing takes time.
pub const PASSWORD_MAX: usize = 128;
/// The maximum length of an email address in octets (RFC 5321: 254).
pub const EMAIL_MAX: usize = 254;
/// The password of the demo's accounts.
pub const DEMO_PASSWORD: &str = "market-day-2026";
/// The demo's accounts that the sign-in page offers: their names in its URL, and their email addresses.
pub const DEMO_ACCOUNTS: [(&str, &str); 4] = [
    ("customer", "asha@haat.example"),
    ("seller", "meena@haat.example"),
    ("seller-2", "delta@haat.example"),
    ("admin", "operator@haat.example"),
];

/// An email address that mail can be sent to: the part before the `@` as entered, in NFC; the host in
/// ASCII (`xn--…`) and lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    /// Parses an address that RFC 5321 and 6531 allow to send to: a dot-atom before a single `@`,
    /// followed by a host name with a dot. Quoted names and IP addresses are not allowed, and invisible
    /// characters are removed. Whether the address exists is not checked.
    pub fn parse(field: &str, typed: &str) -> Result<Self, FieldError> {
        // Joiners are meaningful in host names, where they are checked like any other character.
        let seen = |c: &char| !text::is_invisible(*c) || matches!(c, '\u{200C}' | '\u{200D}');
        let seen = typed.chars().filter(seen).map(|c| if c == '\u{FF20}' { '@' } else { c });
        let typed = text::line(field, &seen.collect::<String>(), EMAIL_MAX)?;
        let bad = || FieldError::new(field, FieldCode::NotEmail);
        let (local, host) = typed.split_once('@').ok_or_else(bad)?;
        let local: String = local.chars().filter(|c| !text::is_invisible(*c)).collect();
        let atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atom);
        if local.len() > LOCAL_MAX || !local.split('.').all(atom) {
            return Err(bad());
        }
        let address = format!("{local}@{}", ascii_host(host).ok_or_else(bad)?);
        if address.len() > EMAIL_MAX {
            Err(FieldError::new(field, FieldCode::TooLong(EMAIL_MAX)))
        } else {
            Ok(Self(address))
        }
    }

    /// The address to send mail to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`, and the host.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }

    /// The address, if the mail server can send to it: non-ASCII letters before the `@` require SMTPUTF8
    /// (RFC 6531).
    pub fn reachable(self, field: &str, smtputf8: bool) -> Result<Self, FieldError> {
        if smtputf8 || self.parts().0.is_ascii() {
            Ok(self)
        } else {
            Err(FieldError::new(field, FieldCode::EmailNotAscii))
        }
    }

    /// The address in lower case, by which accounts are identified.
    pub fn folded(&self) -> String {
        text::fold(&self.0)
    }
}

/// The mailbox that a folded address reaches, as limits count it: without a tag behind a plus sign.
pub fn mailbox(folded: &str) -> String {
    match folded.split_once('@') {
        Some((local, host)) => {
            format!("{}@{host}", local.split('+').next().filter(|l| !l.is_empty()).unwrap_or(local))
        }
        None => folded.to_owned(),
    }
}

/// A search for an address, normalised in the same way; may be a part of one.
pub fn fold_email(typed: &str) -> String {
    Email::parse("email", typed).map_or_else(|_| text::fold(typed), |email| email.folded())
}

/// The maximum length of the part before the `@` in octets (RFC 5321).
const LOCAL_MAX: usize = 64;

/// `atext` of RFC 5322 and 6531.
fn is_atom(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        false => !c.is_whitespace() && !c.is_control(),
    }
}

/// A host name in the form of the DNS.
#[cfg(not(target_family = "wasm"))]
fn ascii_host(typed: &str) -> Option<String> {
    use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
    let strict = (AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    let host = Uts46::new().to_ascii(typed.as_bytes(), strict.0, strict.1, strict.2).ok()?;
    is_host(&host).then(|| host.into_owned())
}

/// Browsers don't load the Unicode tables: non-ASCII host names are accepted, and the server checks them
/// again.
#[cfg(target_family = "wasm")]
fn ascii_host(typed: &str) -> Option<String> {
    // The full stops of East Asian scripts, mapped as in UTS 46.
    let host = typed.to_lowercase().replace(['\u{3002}', '\u{FF0E}', '\u{FF61}'], ".");
    is_host(&host).then_some(host)
}

/// Whether the host has a dot and no empty labels; the last label is not a number, since that would be an
/// IP address.
fn is_host(host: &str) -> bool {
    let letter = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-';
    let label = |l: &str| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(letter);
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && host.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

/// The sign-up form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignUp {
    /// The name.
    pub name: String,
    /// The email address, for mails and for signing in.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A valid [`SignUp`].
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: Email,
    /// The password, not yet hashed.
    pub password: String,
}

impl SignUp {
    /// The validated sign-up, or all errors. `smtputf8` is whether the mail server supports SMTPUTF8.
    pub fn check(&self, smtputf8: bool) -> Result<NewUser, Vec<FieldError>> {
        let name = text::line("name", &self.name, text::PERSON_MAX);
        let email = Email::parse("email", &self.email).and_then(|email| email.reachable("email", smtputf8));
        let password = check_password("password", &self.password);
        match (name, email, password) {
            (Ok(name), Ok(email), Ok(())) => Ok(NewUser { name, email, password: self.password.clone() }),
            (name, email, password) => {
                Err([name.err(), email.err(), password.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Whether a password is acceptable. It is neither trimmed nor otherwise changed.
pub fn check_password(field: &str, password: &str) -> Result<(), FieldError> {
    match password.chars().count() {
        0 => Err(FieldError::new(field, FieldCode::Missing)),
        n if n < PASSWORD_MIN => Err(FieldError::new(field, FieldCode::TooShort)),
        n if n > PASSWORD_MAX => Err(FieldError::new(field, FieldCode::TooLong(PASSWORD_MAX))),
        _ => Ok(()),
    }
}

/// The sign-in form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignIn {
    /// The email address of the account.
    pub email: String,
    /// The password.
    pub password: String,
}

impl SignIn {
    /// Reports the fields that are left empty. A password may consist of spaces.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let fields = [("email", self.email.trim()), ("password", self.password.as_str())];
        let empty = fields.into_iter().filter(|(_, typed)| typed.is_empty());
        let faults: Vec<_> = empty.map(|(name, _)| FieldError::new(name, FieldCode::Missing)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The address by which accounts are identified, which rate limits count by too.
    pub fn account(&self) -> String {
        // A longer address can't belong to an account, so there is no need to keep all of it.
        fold_email(&self.email).chars().take(EMAIL_MAX + 1).collect()
    }
}

/// The current account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// The user's roles in the admin area. Empty for everyone but admins.
    pub admin_roles: Vec<AdminRole>,
    /// The shops that the user works for.
    pub shops: Vec<Membership>,
    /// How many notifications are unread.
    pub unread_notifications: i64,
    /// How many messages of shops are unread.
    pub unread_messages: i64,
}

impl Me {
    /// Whether one of the user's roles in the admin area includes the permission.
    pub fn may(&self, permission: AdminPermission) -> bool {
        self.admin_roles.iter().any(|role| role.may(permission))
    }
}

/// The sort orders of the admin's list of users. The first is the default.
pub const USER_SORTS: [&str; 4] = ["-joined", "joined", "email", "-email"];

/// The filters of the admin's list of users: admins, those who work for a shop, and those who only buy.
pub const USER_KINDS: [&str; 4] = ["admin", "seller", "customer", "deactivated"];

text_enum! {
    /// Whether an account can be used.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum UserState {
        /// Its owner can sign in.
        Active = "active",
        /// An admin has deactivated it.
        Deactivated = "deactivated",
        /// It was deleted. Nothing about its owner is left.
        Deleted = "deleted",
    }
}

/// A user in the admin's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserCard {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// Whether the account can be used.
    #[serde(rename = "status")]
    pub state: UserState,
    /// Whether the user is an admin.
    pub admin: bool,
    /// The number of shops that the user works for.
    pub shops: i64,
    /// The number of purchases.
    pub purchases: i64,
    /// When the account was created: RFC 3339, UTC.
    pub created_at: String,
}

/// A shop that a user works for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The shop's ID.
    pub shop_id: ShopId,
    /// The shop's handle.
    pub handle: String,
    /// The shop's name.
    pub name: String,
    /// The user's role in the shop.
    pub role: Role,
}

/// An admin, and the roles granted to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamMember {
    /// The user's ID.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// The roles granted to the user. At least one.
    pub roles: Vec<GrantedRole>,
}

/// A role granted to an admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantedRole {
    /// The role.
    pub role: AdminRole,
    /// The email of the admin who granted it. Null for the system.
    pub granted_by: Option<String>,
    /// When it was granted: RFC 3339, UTC.
    pub granted_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_password_of_spaces_is_not_empty() {
        let form = |email: &str, password: &str| SignIn { email: email.into(), password: password.into() };
        assert_eq!(form("asha@example.com", "          ").check(), Ok(()));
        let missing = form(" ", "").check().unwrap_err();
        assert_eq!(missing.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["email", "password"]);
    }

    #[test]
    fn a_tag_reaches_the_same_mailbox() {
        for (address, reached) in [
            ("asha+haat@example.com", "asha@example.com"),
            ("asha+a+b@example.com", "asha@example.com"),
            ("+a@example.com", "+a@example.com"),
            ("asha@example.com", "asha@example.com"),
            ("asha", "asha"),
        ] {
            assert_eq!(mailbox(address), reached);
        }
    }

    #[test]
    fn addresses() {
        for (typed, kept) in [
            ("a@b.co", "a@b.co"),
            ("Asha.Rao+haat@Example.COM", "Asha.Rao+haat@example.com"),
            ("o'brien@x-y.org", "o'brien@x-y.org"),
            ("asha@bücher.example", "asha@xn--bcher-kva.example"),
            ("asha@BÜCHER.example", "asha@xn--bcher-kva.example"),
            ("asha@bu\u{308}cher.example", "asha@xn--bcher-kva.example"),
            ("asha@xn--bcher-kva.example", "asha@xn--bcher-kva.example"),
            ("u\u{308}@b.co", "ü@b.co"),
            ("सूर्य@उदाहरण.भारत", "सूर्य@xn--p1b6ci4b4b3a.xn--h2brj9c"),
            ("asha@例え。テスト", "asha@xn--r8jz45g.xn--zckzah"),
            ("asha＠example.com", "asha@example.com"),
            ("asha@ｅｘａｍｐｌｅ.com", "asha@example.com"),
            ("\u{202a}asha@example.com\u{202c}", "asha@example.com"),
            ("as\u{2800}ha\u{e0041}@example.com", "asha@example.com"),
            ("\u{feff}as\u{200d}ha@example.com\u{a0}", "asha@example.com"),
            ("asha@exam\u{200d}ple.com", "asha@example.com"),
            ("asha@faß.example", "asha@xn--fa-hia.example"),
            ("asha@r3---sn-4g5e.example", "asha@r3---sn-4g5e.example"),
            ("asha@3com.example", "asha@3com.example"),
        ] {
            assert_eq!(Email::parse("email", typed).as_ref().map(Email::as_str), Ok(kept), "{typed:?}");
            let again = Email::parse("email", kept).unwrap();
            assert_eq!(again.as_str(), kept, "what is kept is kept as it is");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@",
            "a@@b.co",
            "a@b..co",
            "a@b.co.",
            "a b@c.de",
            "a@-b.co",
            "a@b.c*",
            "a@b_c.de",
            "<a@b.co>",
            "a@b.co,c@d.ef",
            "a.@b.co",
            "a@192.0.2.1",
            "a@xn--a-0.example",
            "a@xn--.example",
            "mailto:a@b.co",
            &format!("a@{}.example", "x".repeat(64)),
            &format!("a@{}.example", "ü".repeat(60)),
        ] {
            assert!(Email::parse("email", bad).is_err(), "{bad}");
        }
        let long = format!("a@{}", ["x".repeat(60).as_str(); 4].join(".") + ".museum.example");
        assert!(long.len() > 254 && Email::parse("email", &long).is_err());
        assert_eq!(fold_email(" Asha@BÜCHER.example\u{200b}"), "asha@xn--bcher-kva.example");
        assert_eq!(fold_email("Asha"), "asha");
    }

    /// What was typed in the field, with the right verdict beside it.
    #[test]
    fn addresses_of_the_field() {
        #[derive(Deserialize)]
        struct Case {
            typed: String,
            right: String,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../tests/field/emails.json")).unwrap();
        assert!(cases.len() >= 14);
        for Case { typed, right } in cases {
            let read = Email::parse("email", &typed).map(|email| email.as_str().to_owned());
            match right.as_str() {
                right if right.starts_with("the U+200B") || right.starts_with("same for a soft hyphen") => {
                    assert_eq!(read.as_deref(), Ok("asha@example.com"), "{typed:?}");
                }
                right if right.starts_with("hold") => assert!(read.is_ok(), "{typed:?}"),
                right if right.starts_with("refuse") || right == "as above" => {
                    assert!(read.is_err(), "{typed:?}")
                }
                other => panic!("{other}"),
            }
        }
        let other = Email::parse("email", "аsha@example.com").unwrap();
        assert_ne!(other.folded(), "asha@example.com", "a Cyrillic letter makes another account");
    }

    #[test]
    fn sign_up_names_every_fault_at_once() {
        let faults = SignUp::default().check(false).unwrap_err();
        assert_eq!(
            faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
            ["name", "email", "password"]
        );
        let short = SignUp { password: "seven77".into(), ..sign_up() };
        assert_eq!(short.check(false).unwrap_err(), [FieldError::new("password", FieldCode::TooShort)]);
        assert!(sign_up().check(false).is_ok());
        let hindi = SignUp { email: "आशा@उदाहरण.भारत".into(), ..sign_up() };
        assert_eq!(hindi.check(false).unwrap_err(), [FieldError::new("email", FieldCode::EmailNotAscii)]);
        assert!(hindi.check(true).is_ok());
        assert!(SignUp { email: "asha@उदाहरण.भारत".into(), ..sign_up() }.check(false).is_ok());
    }

    fn sign_up() -> SignUp {
        SignUp { name: "Asha".into(), email: "asha@example.com".into(), password: "eight888".into() }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = Email::parse("email", &text);
        }
    }
}
