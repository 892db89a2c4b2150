//! Reports of conversations to the operator: what shoppers and shops report, and what admins see of it.

use serde::{Deserialize, Serialize};

use crate::{
    chat::Side,
    field::{FieldCode, FieldError},
    id::kinds::{MessageId, ReportId, UserId},
    media::Picture,
    text,
};

/// The maximum number of characters of what a reporter or an admin adds.
pub const TEXT_MAX: usize = 500;
/// How many of the latest messages of the other side a report of a whole conversation contains.
pub const REPORTED_MAX: i64 = 5;

text_enum! {
    /// Why something is reported.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub enum ReportReason {
        /// Advertising.
        Spam = "spam",
        /// Insults, threats, harassment.
        Abuse = "abuse",
        /// An attempt to deceive.
        Fraud = "fraud",
        /// A request to pay or deliver outside the marketplace.
        OffSite = "off_site",
        /// Something else.
        Other = "other",
    }
}

text_enum! {
    /// The status of a report.
    pub enum ReportState {
        /// Nobody has decided yet.
        Open = "open",
        /// Something was done about it.
        Resolved = "resolved",
        /// Nothing has to be done about it.
        Dismissed = "dismissed",
    }
}

text_enum! {
    /// What an admin decides.
    pub enum ReportAction {
        /// Nothing has to be done about it.
        Dismiss = "dismiss",
        /// It was dealt with.
        Resolve = "resolve",
        /// The reported side can't send messages any more.
        Block = "block",
    }
}

impl ReportAction {
    /// The status that it leads to.
    pub fn leads_to(self) -> ReportState {
        match self {
            Self::Dismiss => ReportState::Dismissed,
            Self::Resolve | Self::Block => ReportState::Resolved,
        }
    }
}

/// A report to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The message of the other side; the latest ones without.
    pub message: Option<MessageId>,
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds. May be empty.
    pub details: String,
}

impl NewReport {
    /// The report in a form, as it is stored.
    pub fn read(field: impl Fn(&str) -> String) -> Result<Self, Vec<FieldError>> {
        let message = field("message");
        let message = match message.is_empty() {
            true => Ok(None),
            false => message.parse().map(Some).map_err(|_| FieldError::new("message", FieldCode::NotAChoice)),
        };
        let reason = ReportReason::parse(&field("reason"));
        let reason = reason.ok_or_else(|| FieldError::new("reason", FieldCode::NotAChoice));
        let details = text::paragraphs("details", &field("details"), TEXT_MAX);
        match (message, reason, details) {
            (Ok(message), Ok(reason), Ok(details)) => Ok(Self { message, reason, details }),
            (message, reason, details) => {
                Err([message.err(), reason.err(), details.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// A report, with what was reported and nothing else of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCard {
    /// The ID.
    pub id: ReportId,
    /// The status.
    pub state: ReportState,
    /// Who reported the other side.
    pub by: Side,
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds. May be empty.
    pub details: String,
    /// The shop's name.
    pub shop_name: String,
    /// The shop's handle.
    pub shop_handle: String,
    /// The shopper's name.
    pub shopper_name: String,
    /// The shopper's account. None for admins who may not see users.
    pub shopper: Option<UserId>,
    /// The reported messages as they were then, oldest first.
    pub messages: Vec<ReportedMessage>,
    /// Whether the reported side can't send messages.
    pub barred: bool,
    /// What the admin wrote. May be empty.
    pub note: String,
    /// When it was reported.
    pub created_at: String,
    /// When it was decided on.
    pub closed_at: Option<String>,
}

/// A reported message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedMessage {
    /// The text when it was reported.
    pub text: String,
    /// Its pictures then.
    pub pictures: Vec<Picture>,
    /// When it was sent.
    pub created_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_reason() {
        let read = |message: &'static str, reason: &'static str, details: String| {
            let report = NewReport::read(move |field| match field {
                "message" => message.to_owned(),
                "reason" => reason.to_owned(),
                _ => details.clone(),
            });
            report.map_err(|faults| faults.into_iter().map(|of| (of.field, of.code)).collect::<Vec<_>>())
        };
        let about = "msg_00000000000000000000000001";
        let report = read(about, "fraud", " Asks for a transfer. ".into()).unwrap();
        assert_eq!(report.message, Some(about.parse().unwrap()));
        assert_eq!((report.reason, report.details.as_str()), (ReportReason::Fraud, "Asks for a transfer."));
        assert_eq!(read("", "other", String::new()).unwrap().message, None);
        let not_a_choice = |field: &str| (field.to_owned(), FieldCode::NotAChoice);
        assert_eq!(read("", "", String::new()), Err(vec![not_a_choice("reason")]));
        assert_eq!(
            read("conv_00000000000000000000000001", "rude", "x".repeat(TEXT_MAX + 1)),
            Err(vec![
                not_a_choice("message"),
                not_a_choice("reason"),
                ("details".into(), FieldCode::TooLong(TEXT_MAX)),
            ])
        );
    }

    #[test]
    fn blocking_resolves() {
        for (action, state) in [
            (ReportAction::Dismiss, ReportState::Dismissed),
            (ReportAction::Resolve, ReportState::Resolved),
            (ReportAction::Block, ReportState::Resolved),
        ] {
            assert_eq!(action.leads_to(), state);
        }
    }
}
