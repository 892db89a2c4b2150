//! Why a notification was not sent.

/// Why an email, or a notification to a browser, was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// A temporary failure; the email may be sent later. It may have been sent.
    Unreachable(String),
    /// A permanent failure.
    Refused(String),
    /// A permanent failure, because the recipient does not exist any more.
    Gone(String),
}

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "not sent: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Gone(why) => write!(f, "gone: {why}"),
        }
    }
}

impl std::error::Error for SendError {}
