//! Classifies a mail server's refusal: it concerns the mailbox, the message or the sender.
//!
//! Sources: RFC 5321 (section 4.2, replies by command), RFC 3463 and the registry of RFC 5248 (enhanced status
//! codes), RFC 4954 (section 6, authentication), RFC 7504 (521 and 556), RFC 7505 (domains without mail).

use std::fmt;

/// The command that the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The connection: greeting, EHLO and STARTTLS.
    Connect,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA, before the message.
    Data,
    /// The end of the message.
    EndOfData,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the greeting",
            Self::Auth => "AUTH",
            Self::MailFrom => "MAIL FROM",
            Self::RcptTo => "RCPT TO",
            Self::Data => "DATA",
            Self::EndOfData => "the end of the message",
        })
    }
}

/// A negative reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply<'a> {
    /// The reply code, 400 to 599.
    pub(super) code: u16,
    /// The text after the code, which may start with an enhanced status code.
    pub(super) text: &'a str,
}

/// The meaning of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The mailbox accepts no messages, now or later. Only this counts against an address.
    Mailbox,
    /// The server may accept the same message later.
    Later,
    /// The server refuses this message because of policy, relaying, size, content or the system. The address
    /// may be valid.
    Message,
    /// The server refuses all our messages, so the channel stops.
    Sender,
}

/// An enhanced status code (RFC 3463, section 2): class, subject and detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Enhanced(u16, u16, u16);

impl Reply<'_> {
    /// Classifies a refusal in a phase. An ambiguous reply gets the meaning that keeps the message.
    pub(super) fn meaning(&self, phase: Phase) -> Meaning {
        let enhanced = self.enhanced();
        // The password must be changed first (RFC 4954, section 4.7.12), so waiting does not help.
        if self.code == 432 {
            return Meaning::Sender;
        }
        if self.code < 500 || enhanced.is_some_and(|Enhanced(class, ..)| class == 4) {
            return Meaning::Later;
        }
        // Authentication is missing, too weak, refused or not encrypted, or our account is disabled (RFC
        // 5248).
        if matches!(self.code, 525 | 530 | 534 | 535 | 538) {
            return Meaning::Sender;
        }
        match phase {
            Phase::Connect | Phase::Auth => Meaning::Sender,
            Phase::MailFrom => match enhanced {
                Some(Enhanced(_, 2, 3) | Enhanced(_, 3, 4)) => Meaning::Message,
                _ => Meaning::Sender,
            },
            Phase::RcptTo | Phase::Data | Phase::EndOfData => match enhanced {
                Some(enhanced) if !enhanced.is_unspecific() => self.by_enhanced(enhanced),
                _ if phase == Phase::RcptTo => self.by_code(),
                _ => Meaning::Message,
            },
        }
    }

    /// The enhanced status code at the start of the text, if there is one.
    fn enhanced(&self) -> Option<Enhanced> {
        let mut parts = self.text.split_ascii_whitespace().next()?.split('.');
        let mut part = || {
            let digits = parts.next()?;
            let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            if is_number { digits.parse().ok() } else { None }
        };
        let code = Enhanced(part()?, part()?, part()?);
        (matches!(code.0, 2 | 4 | 5) && parts.next().is_none()).then_some(code)
    }

    /// Classifies a permanent refusal after MAIL FROM was accepted, by its enhanced status code.
    fn by_enhanced(&self, Enhanced(_, subject, detail): Enhanced) -> Meaning {
        match (subject, detail) {
            // No such mailbox, system or syntax; ambiguous; moved; a domain without mail (RFC 7505).
            (1, 1..=4 | 6 | 10)
            // Disabled.
            | (2, 1)
            // The mailbox or its domain has changed hands (RFC 7293).
            | (7, 17 | 18) => Meaning::Mailbox,
            // The sender's address or its system; the sender's domain without mail (RFC 7505).
            (1, 7 | 8) | (7, 27) => Meaning::Sender,
            // Full.
            (2, 2) => Meaning::Later,
            // Exchange Online uses it for an unknown recipient; the registry defines it as a host that does
            // not respond.
            (4, 1) if self.says(&["recipient address rejected"]) => Meaning::Mailbox,
            _ => Meaning::Message,
        }
    }

    /// Classifies a permanent refusal of RCPT TO without a more specific code.
    fn by_code(&self) -> Meaning {
        match self.code {
            // Servers without enhanced codes also use these for relaying and for the sender.
            550 | 551 if !self.says(NOT_THE_MAILBOX) => Meaning::Mailbox,
            556 => Meaning::Mailbox,
            552 => Meaning::Later,
            _ => Meaning::Message,
        }
    }

    fn says(&self, phrases: &[&str]) -> bool {
        let text = self.text.to_ascii_lowercase();
        phrases.iter().any(|phrase| text.contains(phrase))
    }
}

impl Enhanced {
    /// Whether it adds nothing to the reply code. Outlook.com uses 5.5.0 for unknown mailboxes.
    const fn is_unspecific(self) -> bool {
        matches!(self, Self(2, ..) | Self(_, 0 | 1 | 5, 0))
    }
}

/// Phrases of replies without an enhanced code that do not concern the mailbox. A superfluous phrase only
/// means more attempts.
const NOT_THE_MAILBOX: &[&str] = &[
    "relay",
    "sender",
    "spam",
    "block",
    "blacklist",
    "denied",
    "policy",
    "authent",
    "quota",
    "over limit",
    "not permitted",
    "not allowed",
    "reputation",
    "spf",
    "dkim",
    "dmarc",
    "too many",
    "too much",
    "too large",
    "client host",
    "reverse dns",
    "your ip",
    "full",
    "access",
    "listed",
];

/// Shows only the codes of a refusal, because a server's text often repeats the address.
impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(Enhanced(class, subject, detail)) = self.enhanced() {
            write!(f, " {class}.{subject}.{detail}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Meaning::{Later, Mailbox, Message, Sender};
    use super::Phase::{Auth, Connect, Data, EndOfData, MailFrom, RcptTo};
    use super::{Meaning, Phase, Reply};

    /// Replies of real servers.
    const REPLIES: &[(Phase, u16, &str, Meaning)] = &[
        // The greeting, EHLO and STARTTLS.
        (Connect, 421, "4.3.2 Service shutting down", Later),
        (Connect, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", Later),
        (Connect, 450, "4.7.1 Client host rejected: cannot find your hostname", Later),
        (Connect, 454, "4.7.0 TLS not available due to local problem", Later),
        (Connect, 502, "5.5.1 command not implemented", Sender),
        (Connect, 521, "host does not accept mail", Sender),
        (
            Connect,
            554,
            "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            Sender,
        ),
        (Connect, 554, "no SMTP service here", Sender),
        (Connect, 550, "5.1.1 whatever it says, there is no mailbox yet", Sender),
        // AUTH (RFC 4954, section 6).
        (Auth, 432, "4.7.12 A password transition is needed", Sender),
        (Auth, 454, "4.7.0 Temporary authentication failure", Later),
        (Auth, 500, "5.5.6 Authentication exchange line is too long", Sender),
        (Auth, 525, "5.7.13 User account disabled", Sender),
        (Auth, 534, "5.7.9 Application-specific password required", Sender),
        (Auth, 535, "5.7.8 Username and Password not accepted", Sender),
        (Auth, 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", Sender),
        (Auth, 538, "5.7.11 Encryption required", Sender),
        // MAIL FROM: the server does not know the recipient yet.
        (MailFrom, 421, "Too many messages in this connection", Later),
        (MailFrom, 450, "4.1.8 <a@example.org>: Sender address rejected: Domain not found", Later),
        (MailFrom, 451, "4.7.1 greylisted", Later),
        (MailFrom, 452, "4.3.1 Insufficient system storage", Later),
        (MailFrom, 501, "5.1.7 Invalid address", Sender),
        (MailFrom, 503, "5.5.1 bad sequence of commands", Sender),
        (MailFrom, 530, "5.7.0 Authentication required", Sender),
        (MailFrom, 530, "5.7.57 Client not authenticated to send mail", Sender),
        (MailFrom, 550, "5.1.1 unknown sender", Sender),
        (MailFrom, 550, "5.1.8 Sender address rejected: Domain not found", Sender),
        (MailFrom, 550, "5.7.27 sender domain has a null MX", Sender),
        (MailFrom, 550, "Sender verify failed", Sender),
        (MailFrom, 550, "", Sender),
        (MailFrom, 552, "5.2.2 sender over quota", Sender),
        (MailFrom, 552, "5.2.3 message exceeds the fixed limit", Message),
        (MailFrom, 552, "5.3.4 Message size exceeds fixed limit", Message),
        (MailFrom, 553, "5.7.1 <a@example.org>: Sender address rejected: not owned by user", Sender),
        (MailFrom, 554, "5.7.0 Too many emails per second", Sender),
        (MailFrom, 555, "5.5.4 Unsupported option", Sender),
        // RCPT TO, about the mailbox.
        (RcptTo, 501, "5.1.3 Bad recipient address syntax", Mailbox),
        (RcptTo, 550, "5.1.1 <b@example.org>: Recipient address rejected: User unknown", Mailbox),
        (RcptTo, 550, "5.1.1 The email account that you tried to reach does not exist", Mailbox),
        (RcptTo, 550, "5.1.2 Domain not found", Mailbox),
        (RcptTo, 550, "5.1.6 recipient no longer on server", Mailbox),
        (RcptTo, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", Mailbox),
        (RcptTo, 556, "5.1.10 Recipient address has a null MX", Mailbox),
        (RcptTo, 556, "domain does not accept mail", Mailbox),
        (RcptTo, 550, "5.2.1 The email account that you tried to reach is inactive", Mailbox),
        (RcptTo, 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", Mailbox),
        (RcptTo, 550, "5.5.0 Requested action not taken: mailbox unavailable", Mailbox),
        (RcptTo, 550, "5.7.17 mailbox owner has changed", Mailbox),
        (RcptTo, 550, "5.0.0 Unknown user", Mailbox),
        (RcptTo, 550, "Unrouteable address", Mailbox),
        (RcptTo, 550, "No such user here", Mailbox),
        (RcptTo, 550, "", Mailbox),
        (RcptTo, 551, "User not local; please try <c@example.org>", Mailbox),
        // RCPT TO, temporary.
        (RcptTo, 421, "4.7.0 closing connection", Later),
        (RcptTo, 450, "4.2.0 <b@example.org>: Recipient address rejected: Greylisted", Later),
        (RcptTo, 450, "4.2.1 The user is receiving mail at a rate that is too high", Later),
        (RcptTo, 450, "4.1.2 Domain not found", Later),
        (RcptTo, 451, "Temporarily greylisted, try again later", Later),
        (RcptTo, 452, "4.2.2 mailbox full", Later),
        (RcptTo, 452, "4.5.3 Too many recipients", Later),
        (RcptTo, 550, "4.2.1 the class says for now", Later),
        (RcptTo, 552, "5.2.2 The recipient's inbox is out of storage space", Later),
        (RcptTo, 552, "mailbox full", Later),
        // RCPT TO, about us or the system.
        (RcptTo, 503, "5.5.1 need MAIL before RCPT", Message),
        (RcptTo, 501, "malformed address", Message),
        (RcptTo, 521, "5.3.2 system does not accept mail", Message),
        (RcptTo, 530, "5.7.1 Client was not authenticated", Sender),
        (RcptTo, 550, "5.1.7 sender address has bad syntax", Sender),
        (RcptTo, 550, "5.1.8 Access denied, bad outbound sender", Sender),
        (RcptTo, 550, "5.4.1 no answer from host", Message),
        (RcptTo, 550, "5.4.4 unable to route", Message),
        (RcptTo, 550, "5.7.1 Service unavailable, Client host blocked using Spamhaus", Message),
        (RcptTo, 550, "5.7.1 Unable to relay for b@example.org", Message),
        (RcptTo, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Message),
        (RcptTo, 550, "5.7.124 sender not in allowed-senders list", Message),
        (RcptTo, 550, "5.7.27 Sender address has null MX", Sender),
        (RcptTo, 550, "5.2.3 message too large for the mailbox", Message),
        (RcptTo, 550, "relay not permitted", Message),
        (RcptTo, 550, "Sender verify failed", Message),
        (RcptTo, 550, "Blocked - see https://example.org/lookup", Message),
        (RcptTo, 551, "we do not relay", Message),
        (RcptTo, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Message),
        (RcptTo, 553, "5.7.1 relaying denied", Message),
        (RcptTo, 554, "5.7.1 <b@example.org>: Relay access denied", Message),
        (RcptTo, 554, "5.7.1 <client[192.0.2.1]>: Client host rejected: Access denied", Message),
        (RcptTo, 554, "Transaction failed", Message),
        (RcptTo, 555, "5.5.4 parameters not recognized", Message),
        // DATA and the end of the message.
        (Data, 451, "4.3.0 queue file write error", Later),
        (Data, 503, "5.5.1 no valid recipients", Message),
        (Data, 550, "not now, and no code says why", Message),
        (Data, 554, "5.5.1 Error: no valid recipients", Message),
        (EndOfData, 421, "4.7.0 try again later", Later),
        (EndOfData, 452, "4.2.2 The recipient's inbox is out of storage space", Later),
        (EndOfData, 550, "5.1.1 User unknown", Mailbox),
        (EndOfData, 550, "Administrative prohibition", Message),
        (
            EndOfData,
            550,
            "5.7.1 Our system has detected that this message is likely unsolicited mail",
            Message,
        ),
        (EndOfData, 550, "5.7.26 This message does not pass authentication checks (SPF and DKIM)", Message),
        (EndOfData, 550, "5.1.8 Sender address rejected", Sender),
        (EndOfData, 552, "5.2.2 mailbox over quota", Later),
        (EndOfData, 552, "5.3.4 message size exceeds fixed limit", Message),
        (EndOfData, 554, "5.6.0 Reject, id=04711: BAD HEADER (amavisd)", Message),
        (EndOfData, 554, "5.7.0 Reject, id=04711 - spam (amavisd)", Message),
        (EndOfData, 554, "Transaction failed", Message),
    ];

    #[test]
    fn a_reply_means_what_its_phase_and_codes_say() {
        for (phase, code, text, meaning) in REPLIES {
            let reply = Reply { code: *code, text };
            assert_eq!(reply.meaning(*phase), *meaning, "{code} {text} at {phase}");
        }
    }

    #[test]
    fn no_reply_before_rcpt_to_concerns_a_mailbox_and_no_temporary_one_is_final() {
        for code in 400..600 {
            for class in [2, 4, 5] {
                for subject in 0..10 {
                    for detail in 0..30 {
                        let text = format!("{class}.{subject}.{detail} text");
                        for phase in [Connect, Auth, MailFrom, RcptTo, Data, EndOfData] {
                            let meaning = Reply { code, text: &text }.meaning(phase);
                            let is_early = matches!(phase, Connect | Auth | MailFrom);
                            assert!(meaning != Mailbox || !is_early, "{code} {text} at {phase}");
                            assert!(
                                meaning != Mailbox || code >= 500 && class != 4,
                                "{code} {text} at {phase}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn recorded_reasons_contain_codes_only() {
        for (text, shown) in [
            ("5.1.1 <b@example.org>: no such user", "550 5.1.1"),
            ("b@example.org 5.1.1", "550"),
            ("5.1.1.1 x", "550"),
            ("5.1 x", "550"),
            ("5.1234.1 x", "550"),
            ("", "550"),
        ] {
            assert_eq!(Reply { code: 550, text }.to_string(), shown);
        }
    }
}
