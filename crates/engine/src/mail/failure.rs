//! Why a mail server does not take a mail.

/// The reason why an e-mail was not accepted. The text is certvakt's own, because a server's text often
/// repeats the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection or no response.
    Unanswered(String),
    /// The server does not accept this message now.
    Later(String),
    /// The server refuses this message because of policy, relaying, size, content or the system, not because
    /// of the address.
    Message(String),
    /// The mailbox accepts no messages.
    Mailbox(String),
    /// The server accepts no messages from us.
    Sender(String),
}

impl Failure {
    /// The reason as a text.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unanswered(reason)
            | Self::Later(reason)
            | Self::Message(reason)
            | Self::Mailbox(reason)
            | Self::Sender(reason) => reason,
        }
    }
}
