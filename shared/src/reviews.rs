//! Reviews of what was bought: who may write one, what it contains, which ones a rule holds back, and how products are rated by them.

use serde::{Deserialize, Serialize};

pub use crate::catalog::Rating;
use crate::{
    field::{FieldCode, FieldError},
    fulfilment::OrderState,
    id::kinds::{ProductId, ReviewId, UserId},
    media::Picture,
    reports::ReportReason,
    text,
};

/// The highest rating. The lowest is 1.
pub const RATING_MAX: i64 = 5;
/// The maximum number of characters of a title.
pub const TITLE_MAX: usize = 100;
/// The maximum number of characters of a review.
pub const TEXT_MAX: usize = 4_000;
/// The maximum number of characters of a shop's reply.
pub const REPLY_MAX: usize = 2_000;
/// The maximum number of characters of what a reporter or an admin adds.
pub const NOTE_MAX: usize = 500;
/// The number of reviews per page of a product.
pub const PAGE_SIZE: usize = 10;

text_enum! {
    /// The status of a review.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReviewState {
        /// Everyone sees it.
        Published = "published",
        /// A rule holds it back until an admin decides.
        Held = "held",
        /// An admin has hidden it.
        Hidden = "hidden",
        /// Its author has deleted it. Its text is gone.
        Deleted = "deleted",
    }
}

text_enum! {
    /// Why a review is held back.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum HoldReason {
        /// All reviews are read before they are published.
        All = "all",
        /// It contains a link.
        Link = "link",
        /// It contains an email address.
        Email = "email",
        /// It contains a phone number.
        Phone = "phone",
        /// It hurts somebody.
        Abuse = "abuse",
        /// It was hidden before, and has been changed since.
        Changed = "changed",
    }
}

text_enum! {
    /// Which reviews are read before they are published.
    pub enum Moderation {
        /// All of them.
        All = "all",
        /// Those with links, email addresses, phone numbers or insults.
        Rules = "rules",
        /// None.
        None = "none",
    }
}

text_enum! {
    /// The sort orders of a product's reviews.
    pub enum ReviewSort {
        /// The latest first.
        Newest = "newest",
        /// Those that most people found helpful first.
        Helpful = "helpful",
    }
}

text_enum! {
    /// What an admin decides about a review.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReviewAction {
        /// Everyone may see it.
        Publish = "publish",
        /// Nobody but its author may see it.
        Hide = "hide",
    }
}

text_enum! {
    /// Why somebody can't review an item.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReviewRefusal {
        /// It was not delivered, or not yet.
        NotDelivered = "not_delivered",
        /// All of it was refunded.
        Refunded = "refunded",
        /// It was sent in exchange: the item that was bought is reviewed.
        Exchange = "exchange",
        /// It was bought from a shop that the buyer works for.
        OwnShop = "own_shop",
    }
}

/// The operator's rules for reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewTerms {
    /// Which ones are read before they are published.
    pub moderation: Moderation,
    /// How many days after delivery customers are asked for a review; 0 if they aren't.
    pub invite_days: i64,
}

/// What decides whether an item can be reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// The status of its order.
    pub state: OrderState,
    /// The quantity.
    pub quantity: i64,
    /// How many of them were refunded.
    pub refunded: i64,
    /// Whether the order has replaced returned items of another one.
    pub exchange: bool,
    /// Whether it is an appointment that hasn't taken place.
    pub to_come: bool,
    /// Whether the buyer works for the shop.
    pub own_shop: bool,
}

impl Bought {
    /// Fails with the reason why it can't be reviewed.
    pub fn check(self) -> Result<(), ReviewRefusal> {
        match self {
            Self { own_shop: true, .. } => Err(ReviewRefusal::OwnShop),
            Self { exchange: true, .. } => Err(ReviewRefusal::Exchange),
            Self { state, .. } if state != OrderState::Delivered => Err(ReviewRefusal::NotDelivered),
            Self { quantity, refunded, .. } if refunded >= quantity => Err(ReviewRefusal::Refunded),
            Self { to_come: true, .. } => Err(ReviewRefusal::NotDelivered),
            _ => Ok(()),
        }
    }
}

impl Moderation {
    /// Why a review with these texts is held back; `None` if it is published at once.
    pub fn holds(self, texts: [&str; 2]) -> Option<HoldReason> {
        match self {
            Self::None => None,
            Self::All => Some(HoldReason::All),
            Self::Rules => texts.into_iter().find_map(|text| contact(text).or_else(|| abuse(text))),
        }
    }
}

/// Endings of domain names that are recognised without `https://` or `www.`. Others would hold back sentences without a
/// space between them.
const ENDINGS: [&str; 36] = [
    "com", "net", "org", "in", "co", "io", "shop", "store", "info", "biz", "ru", "me", "xyz", "online",
    "app", "dev", "ly", "link", "site", "top", "club", "uk", "de", "eu", "us", "cn", "tk", "cc", "gg", "ai",
    "page", "live", "vip", "pro", "gl", "be",
];
/// From so many digits a number is taken for that of a phone: in a row or after a plus sign, and in groups. Order numbers, sizes
/// and prices are shorter.
const PHONE_DIGITS: usize = 8;
const PHONE_DIGITS_IN_GROUPS: usize = 10;
/// Letters that look like Latin ones, with these.
const LOOKALIKES: [(&str, &str); 2] = [("аеорсухіјѕһԁԛ", "aeopcyxijshdq"), ("αινορυτ", "aivoput")];
/// Words that nobody wants to read about themselves, without what was put between their letters.
const ABUSE: [&str; 20] = [
    "idiot",
    "idiots",
    "moron",
    "bastard",
    "bastards",
    "bitch",
    "asshole",
    "fuck",
    "fucking",
    "fucker",
    "shit",
    "scumbag",
    "slut",
    "whore",
    "cunt",
    "nigger",
    "faggot",
    "chutiya",
    "madarchod",
    "harami",
];

/// What leads out of the marketplace in a text, if anything does.
fn contact(text: &str) -> Option<HoldReason> {
    for word in text.split_whitespace() {
        // A full stop without a space after it: “Good.In my view”.
        let sentences = word.split_once('.').is_some_and(|(_, next)| {
            let mut letters = next.chars();
            letters.next().is_some_and(char::is_uppercase) && letters.any(char::is_lowercase)
                || next.chars().count() == 1
        });
        let word = latin(&text::fold(word));
        let word = word.replace("(at)", "@").replace("[at]", "@").replace("(dot)", ".").replace("[dot]", ".");
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
            return Some(HoldReason::Email);
        }
        if word.contains("://") || word.starts_with("www.") || (!sentences && is_host(word)) {
            return Some(HoldReason::Link);
        }
    }
    is_phone(&text::fold(text)).then_some(HoldReason::Phone)
}

/// Whether there is the number of a phone in a text: digits, whatever groups them, but not a date.
fn is_phone(text: &str) -> bool {
    let mut groups: Vec<usize> = Vec::new();
    let (mut gap, mut plus) = (0, false);
    let any = |groups: &mut Vec<usize>, plus: bool| {
        let digits: usize = groups.iter().sum();
        let dates = |groups: &[usize]| matches!(groups, [2, 2, 4] | [4, 2, 2] | [1..=2, 1..=2, 2 | 4]);
        let all_dates = groups.len().is_multiple_of(3) && groups.chunks(3).all(dates);
        let most = if plus || groups.len() == 1 { PHONE_DIGITS } else { PHONE_DIGITS_IN_GROUPS };
        // Sizes are listed in groups of the same length.
        let sizes = groups.len() > 2 && groups.iter().all(|group| *group == groups[0]) && groups[0] != 2;
        groups.clear();
        digits >= most && !all_dates && (plus || !sizes)
    };
    for c in text.chars() {
        match c {
            c if c.is_numeric() => {
                match groups.last_mut() {
                    Some(last) if gap == 0 => *last += 1,
                    _ => groups.push(1),
                }
                gap = 0;
            }
            ' ' | '-' | '.' | '(' | ')' | '/' | '_' | '\u{a0}' if !groups.is_empty() && gap < 3 => gap += 1,
            c => {
                if any(&mut groups, plus) {
                    return true;
                }
                (gap, plus) = (0, c == '+');
            }
        }
    }
    any(&mut groups, plus)
}

/// Why a text hurts somebody, if it does.
fn abuse(text: &str) -> Option<HoldReason> {
    let folded = latin(&text::fold(text));
    let words = folded.split(|c: char| !(c.is_alphanumeric() || "*@$!".contains(c)));
    let same = |typed: char, meant: char| {
        typed == meant
            || typed == '*'
            || matches!((typed, meant), ('@', 'a') | ('$', 's') | ('!' | '1', 'i') | ('0', 'o'))
    };
    let is_abuse = |word: &str| {
        let letters = word.chars().filter(|c| *c != '*').count();
        letters > 0
            && ABUSE.iter().any(|abuse| {
                abuse.chars().count() == word.chars().count()
                    && word.chars().zip(abuse.chars()).all(|(a, b)| same(a, b))
            })
    };
    words.map(|word| word.trim_end_matches('!')).any(is_abuse).then_some(HoldReason::Abuse)
}

/// A text with Latin letters for those that look like them.
fn latin(text: &str) -> String {
    let letter = |c: char| {
        let found = LOOKALIKES.iter().find_map(|(foreign, latin)| {
            let at = foreign.chars().position(|of| of == c)?;
            latin.chars().nth(at)
        });
        found.unwrap_or(c)
    };
    text.chars().map(letter).collect()
}

/// Whether a word begins with a domain name. Names of one letter are short links, which have a path.
fn is_host(word: &str) -> bool {
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let Some((name, ending)) = host.rsplit_once('.') else { return false };
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let path = host.len() + 1 < word.len();
    name.split('.').all(label) && (path || name.chars().count() > 1) && ENDINGS.contains(&ending)
}

/// Whether a shop's reply leads out of the marketplace, or hurts somebody.
pub fn is_fit_to_reply(text: &str) -> bool {
    contact(text).is_none() && abuse(text).is_none()
}

/// A review to write or to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewReview {
    /// From 1 to [`RATING_MAX`].
    pub rating: i64,
    /// A headline. May be empty.
    pub title: String,
    /// What the author says. May be empty.
    pub text: String,
    /// Whether the author's name isn't shown.
    pub anonymous: bool,
    /// The version that was changed; 0 for a new review.
    pub version: i64,
}

impl NewReview {
    /// The review in a form, as it is stored.
    pub fn read(field: impl Fn(&str) -> String) -> Result<Self, Vec<FieldError>> {
        let rating = field("rating");
        let number = |name: &str| field(name).trim().parse().unwrap_or_default();
        let code = if rating.is_empty() { FieldCode::Missing } else { FieldCode::NotAChoice };
        let review = Self {
            rating: number("rating"),
            title: field("title"),
            text: field("text"),
            anonymous: !field("anonymous").is_empty(),
            version: number("version"),
        };
        review.check().map_err(|mut faults| {
            faults.iter_mut().filter(|fault| fault.field == "rating").for_each(|fault| fault.code = code);
            faults
        })
    }

    /// The review as it is stored, or what is wrong with it.
    pub fn check(self) -> Result<Self, Vec<FieldError>> {
        let rating = match self.rating {
            1..=RATING_MAX => Ok(self.rating),
            _ => Err(FieldError::new("rating", FieldCode::NotAChoice)),
        };
        let title = text::optional_line("title", &self.title, TITLE_MAX);
        let words = text::paragraphs("text", &self.text, TEXT_MAX);
        match (rating, title, words) {
            (Ok(rating), Ok(title), Ok(text)) => Ok(Self { rating, title, text, ..self }),
            (rating, title, text) => {
                Err([rating.err(), title.err(), text.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// What somebody reports about a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewReport {
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds. May be empty.
    pub details: String,
}

impl ReviewReport {
    /// The report in a form, as it is stored.
    pub fn read(field: impl Fn(&str) -> String) -> Result<Self, Vec<FieldError>> {
        let reason = ReportReason::parse(&field("reason"));
        let reason = reason.ok_or_else(|| FieldError::new("reason", FieldCode::NotAChoice));
        let details = text::paragraphs("details", &field("details"), NOTE_MAX);
        match (reason, details) {
            (Ok(reason), Ok(details)) => Ok(Self { reason, details }),
            (reason, details) => Err([reason.err(), details.err()].into_iter().flatten().collect()),
        }
    }
}

/// The rating that products are sorted by, in thousandths: the average as if five more reviews had given 3.5 stars (docs/decisions/0062-reviews.md).
/// 0 without reviews.
pub fn score(sum: i64, count: i64) -> i64 {
    match count {
        0 => 0,
        count => (17_500 + 1_000 * sum) / (5 + count),
    }
}

/// The reviews of a product: a page of them, and how all of them rate it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductReviews {
    /// The rating.
    pub rating: Rating,
    /// How many gave 5, 4, 3, 2 stars and 1 star.
    pub stars: [i64; 5],
    /// The reviews of the page.
    pub items: Vec<ReviewView>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
    /// Whether the reader is signed in, so that they can vote and report.
    pub signed_in: bool,
}

/// A published review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Review))]
pub struct ReviewView {
    /// The review's ID.
    pub id: ReviewId,
    /// From 1 to 5 stars.
    pub rating: i64,
    /// The headline. May be empty.
    pub title: String,
    /// What the author says. May be empty.
    pub text: String,
    /// The author's name. Null if the author doesn't show it.
    pub author: Option<String>,
    /// The images.
    #[serde(rename = "images")]
    pub pictures: Vec<Picture>,
    /// When it was written: RFC 3339, UTC.
    pub created_at: String,
    /// Whether it was changed later.
    pub edited: bool,
    /// How many people found it helpful.
    pub helpful: i64,
    /// Whether the caller found it helpful.
    pub voted: bool,
    /// Whether the caller wrote it.
    pub own: bool,
    /// The shop's reply.
    pub reply: Option<ReviewReply>,
}

/// The public reply of a shop to a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewReply {
    /// What it says.
    pub text: String,
    /// When it was written: RFC 3339, UTC.
    pub created_at: String,
}

/// What the page on which a review is written shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewForm {
    /// The number of the purchase.
    pub purchase: String,
    /// The title of the item when it was bought.
    pub title: String,
    /// Its variant. May be empty.
    pub variant_title: String,
    /// The slug of the product, if it is still published.
    pub slug: Option<String>,
    /// Its picture.
    pub picture: Option<Picture>,
    /// Why it can't be reviewed.
    pub refusal: Option<ReviewRefusal>,
    /// The name under which the review is shown, unless it is anonymous.
    pub name: String,
    /// The review, if there is one.
    pub review: Option<OwnReview>,
}

/// A review, as its author sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnReview {
    /// The review's ID.
    pub id: ReviewId,
    /// From 1 to 5 stars.
    pub rating: i64,
    /// The headline. May be empty.
    pub title: String,
    /// What it says. May be empty.
    pub text: String,
    /// Whether the author's name isn't shown.
    pub anonymous: bool,
    /// The status.
    pub state: ReviewState,
    /// Why it is held back. Null if it isn't.
    pub held_because: Option<HoldReason>,
    /// Why an admin has hidden it. May be empty.
    pub note: String,
    /// The images.
    #[serde(rename = "images")]
    pub pictures: Vec<Picture>,
    /// The version, to be sent when it is changed.
    pub version: i64,
    /// When it was last changed: RFC 3339, UTC.
    pub updated_at: String,
}

/// An item of a purchase that can be reviewed, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewable {
    /// The number of the order.
    pub order: String,
    /// The position of the line.
    pub position: i64,
    /// The rating; 0 if it wasn't reviewed.
    pub rating: i64,
}

/// A review of a shop's product, as the shop sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShopReview {
    /// The product's ID.
    pub product_id: ProductId,
    /// The product's title.
    pub product_title: String,
    /// The product's slug.
    pub product_slug: String,
    /// The shop's name.
    pub shop_name: String,
    /// The review.
    pub review: ReviewView,
}

/// A review, as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModeratedReview {
    /// The review's ID.
    pub id: ReviewId,
    /// The status.
    pub state: ReviewState,
    /// Why it is held back. Null if it isn't.
    pub held_because: Option<HoldReason>,
    /// What the admin wrote who hid it. May be empty.
    pub note: String,
    /// From 1 to 5 stars.
    pub rating: i64,
    /// The headline. May be empty.
    pub title: String,
    /// What it says. May be empty.
    pub text: String,
    /// The images.
    #[serde(rename = "images")]
    pub pictures: Vec<Picture>,
    /// The author's name.
    pub author: String,
    /// The author's account. Null for admins who may not see users.
    pub user_id: Option<UserId>,
    /// Whether the author's name isn't shown.
    pub anonymous: bool,
    /// The product's title.
    pub product_title: String,
    /// The product's slug.
    pub product_slug: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The shop's reply. May be empty.
    pub reply: String,
    /// The reports that nobody has decided on.
    pub reports: Vec<ReviewReportView>,
    /// The version, to be sent with the decision.
    pub version: i64,
    /// When it was written: RFC 3339, UTC.
    pub created_at: String,
}

/// A report of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewReportView {
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds. May be empty.
    pub details: String,
    /// When: RFC 3339, UTC.
    pub created_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(rating: &'static str, title: String, words: String) -> impl Fn(&str) -> String {
        move |name| match name {
            "rating" => rating.into(),
            "title" => title.clone(),
            "text" => words.clone(),
            "anonymous" => "yes".into(),
            "version" => "3".into(),
            _ => String::new(),
        }
    }

    #[test]
    fn a_form_is_read_as_it_is_stored() {
        let read = NewReview::read(field("4", " Good ".into(), " <b>Fine</b>\r\nReally. ".into())).unwrap();
        let stored = NewReview {
            rating: 4,
            title: "Good".into(),
            text: "<b>Fine</b>\nReally.".into(),
            anonymous: true,
            version: 3,
        };
        assert_eq!(read, stored);
        let wrong = |rating, title, text| {
            let faults = NewReview::read(field(rating, title, text)).unwrap_err();
            faults.into_iter().map(|of| (of.field, of.code)).collect::<Vec<_>>()
        };
        let none = String::new;
        assert_eq!(wrong("", none(), none()), [("rating".to_owned(), FieldCode::Missing)]);
        for not_a_rating in ["0", "6", "-1", "five", "4.5"] {
            let fault = [("rating".to_owned(), FieldCode::NotAChoice)];
            assert_eq!(wrong(not_a_rating, none(), none()), fault);
        }
        assert_eq!(
            wrong("9", "x".repeat(TITLE_MAX + 1), "x".repeat(TEXT_MAX + 1)),
            [
                ("rating".to_owned(), FieldCode::NotAChoice),
                ("title".to_owned(), FieldCode::TooLong(TITLE_MAX)),
                ("text".to_owned(), FieldCode::TooLong(TEXT_MAX)),
            ]
        );
        assert_eq!(
            wrong("5", "a\nb".into(), "a\u{202E}b".into()).into_iter().map(|of| of.1).collect::<Vec<_>>(),
            [FieldCode::BadCharacters; 2]
        );
    }

    #[test]
    fn only_what_was_delivered_and_kept_is_reviewed() {
        use OrderState::*;
        let of = |state, quantity, refunded| Bought {
            state,
            quantity,
            refunded,
            exchange: false,
            to_come: false,
            own_shop: false,
        };
        for state in [Placed, Confirmed, Shipped, Cancelled] {
            assert_eq!(of(state, 1, 0).check(), Err(ReviewRefusal::NotDelivered));
        }
        assert_eq!(of(Delivered, 2, 0).check(), Ok(()));
        assert_eq!(of(Delivered, 2, 1).check(), Ok(()));
        assert_eq!(of(Delivered, 2, 2).check(), Err(ReviewRefusal::Refunded));
        assert_eq!(Bought { exchange: true, ..of(Delivered, 1, 0) }.check(), Err(ReviewRefusal::Exchange));
        assert_eq!(Bought { to_come: true, ..of(Delivered, 1, 0) }.check(), Err(ReviewRefusal::NotDelivered));
        assert_eq!(Bought { own_shop: true, ..of(Delivered, 1, 0) }.check(), Err(ReviewRefusal::OwnShop));
    }

    #[test]
    fn what_leads_elsewhere_is_held_back() {
        use HoldReason::*;
        for (text, hold) in [
            ("", None),
            ("Lovely bowl, 10/10, bought 3 for ₹1,299 in 2026.", None),
            ("Great.Would buy again.Really", None),
            ("It is 120 x 60 x 45 cm, and 12.5 kg", None),
            ("Arrived on 12.11.", None),
            ("e.g. the handle", None),
            ("Cheaper at https://example.test/a", Some(Link)),
            ("see WWW.shop.example", Some(Link)),
            ("Buy at Cheap-Bowls.COM!", Some(Link)),
            ("(bowls.co/in?x)", Some(Link)),
            ("write to asha@example.in, please", Some(Email)),
            ("asha@example", None),
            ("Call +91 98765 43210", Some(Phone)),
            ("98765-43210", Some(Phone)),
            ("(080) 2345 6789", Some(Phone)),
            ("९८७६५४३२१०", Some(Phone)),
            ("1 2 3 4 5 6 7 stars", None),
            ("Size 110 120 130 cm", None),
            ("Bought on 12-11-2026, again 14-11-2026 - 15-11-2026", None),
            ("Good.In my view", None),
            ("Runs on node.js", None),
            ("A shifty class of *****", None),
            ("cheap-tools.app", Some(Link)),
            ("cheaptools.dev", Some(Link)),
            ("bit.ly/xyz or t.me/bowls", Some(Link)),
            ("bowls(dot)com", Some(Link)),
            ("bowls.\u{441}om", Some(Link)),
            ("asha(at)example.in", Some(Email)),
            ("98123_45678", Some(Phone)),
            ("98123 - 45678", Some(Phone)),
            ("98 12 34 56 78", Some(Phone)),
            ("What an idiot!", Some(Abuse)),
            ("f*** off", Some(Abuse)),
        ] {
            assert_eq!(Moderation::Rules.holds(["", text]), hold, "{text}");
            assert_eq!(Moderation::Rules.holds([text, ""]), hold, "{text}");
            assert_eq!(Moderation::None.holds([text, ""]), Option::None);
            assert_eq!(Moderation::All.holds([text, ""]), Some(All));
        }
    }

    #[test]
    fn averages_are_rounded_to_a_decimal() {
        for (sum, count, average) in [
            (0, 0, None),
            (5, 1, Some("5.0")),
            (13, 3, Some("4.3")),
            (9, 2, Some("4.5")),
            (87, 20, Some("4.4")),
            (1, 1, Some("1.0")),
        ] {
            assert_eq!(Rating::new(sum, count).average.as_deref(), average);
        }
    }

    #[test]
    fn one_review_does_not_win() {
        assert_eq!(score(0, 0), 0);
        assert_eq!(score(5, 1), 3_750);
        assert_eq!(score(1, 1), 3_083);
        // Forty reviews with an average of 4.8 come before one with 5 stars, and that one before many with 3.5.
        assert!(score(192, 40) > score(5, 1) && score(5, 1) > score(350, 100));
    }
}
