//! The definition of a valid e-mail address, for registers, commands, requests and sending.

use std::fmt;

/// The maximum length of an address (RFC 5321, section 4.5.3.1.3: 256 octets, including the angle brackets of
/// a path).
pub const LONGEST: usize = 254;
/// The maximum length of the part before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// The reason why a text is not a valid e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not have the form `name@domain`, or has a quoted name, a comment or a display name.
    Form,
    /// The part before the `@` is not ASCII, which would require SMTPUTF8 (RFC 6531) on every mail server on
    /// the way.
    NotAscii,
    /// The part after the `@` is not a domain name.
    Domain,
    /// It is too long.
    Long,
}

impl Fault {
    /// The reason as a text for people, which never contains the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "not a valid e-mail address",
            Self::NotAscii => {
                "not a valid e-mail address: the part before the @ must not contain letters such as æ, ø, å"
            }
            Self::Domain => {
                "not a valid e-mail address: the part after the @ must be a domain such as example.org"
            }
            Self::Long => "not a valid e-mail address: it is too long",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The canonical form of an address for storage, comparison and sending: trimmed, with the domain in lower
/// case, in ASCII (RFC 5891, A-labels) and without the root's dot. The part before the `@` stays unchanged.
pub fn canonical(text: &str) -> Result<String, Fault> {
    let (local, domain) = text.trim().rsplit_once('@').ok_or(Fault::Form)?;
    if local.chars().any(|char| !char.is_ascii() && !char.is_control() && !char.is_whitespace())
        && local.chars().all(|char| !char.is_ascii() || is_atom_or_dot(char))
    {
        return Err(Fault::NotAscii);
    }
    // A dot-atom (RFC 5321, section 4.1.2). Hardly any mailbox has a quoted name.
    if !local.chars().all(is_atom_or_dot) || local.split('.').any(str::is_empty) {
        return Err(Fault::Form);
    }
    let domain = ascii_domain(domain).ok_or(Fault::Domain)?;
    let address = format!("{local}@{domain}");
    if local.len() > LONGEST_LOCAL || address.len() > LONGEST { Err(Fault::Long) } else { Ok(address) }
}

/// A domain of at least two labels in its ASCII form.
fn ascii_domain(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix(['.', '。']).unwrap_or(domain);
    // Only letters, digits and hyphens, and labels of at most 63 octets.
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let (_, top) = ascii.rsplit_once('.')?;
    // Four numbers are a host's IP address, not a domain.
    (!top.bytes().all(|byte| byte.is_ascii_digit())).then_some(ascii)
}

fn is_atom_or_dot(char: char) -> bool {
    char.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(char)
}

#[cfg(test)]
mod tests {
    use super::{Fault, canonical};

    #[test]
    fn an_address_has_one_form() {
        for (text, form) in [
            ("a@example.org", "a@example.org"),
            (" a@example.org\t", "a@example.org"),
            ("a@example.org.", "a@example.org"),
            ("Kari.Nordmann+x@EXAMPLE.Org", "Kari.Nordmann+x@example.org"),
            ("o'neil/x=y@sub.example.org", "o'neil/x=y@sub.example.org"),
            ("a@blåbær.example", "a@xn--blbr-roah.example"),
            ("a@BLÅBÆR.example.", "a@xn--blbr-roah.example"),
            ("a@bla\u{30a}bær.example", "a@xn--blbr-roah.example"),
            ("a@blåbær。example", "a@xn--blbr-roah.example"),
            ("a@xn--blbr-roah.example", "a@xn--blbr-roah.example"),
            ("a@1.example", "a@1.example"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(form), "{text}");
            assert_eq!(canonical(form).as_deref(), Ok(form), "it stays: {form}");
        }
    }

    #[test]
    fn an_invalid_address_has_a_reason() {
        let (long_local, long_label) = ("x".repeat(65) + "@example.org", format!("a@{}.org", "x".repeat(64)));
        let long = format!(
            "{}@{}.example.org",
            "x".repeat(64),
            ["y".repeat(60), "y".repeat(60), "y".repeat(60)].join(".")
        );
        for (text, fault) in [
            ("", Fault::Form),
            ("nobody", Fault::Form),
            ("@example.org", Fault::Form),
            ("a b@example.org", Fault::Form),
            ("a@b@example.org", Fault::Form),
            (".a@example.org", Fault::Form),
            ("a.@example.org", Fault::Form),
            ("a..b@example.org", Fault::Form),
            ("\"a b\"@example.org", Fault::Form),
            ("a(comment)@example.org", Fault::Form),
            ("Kari <a@example.org>", Fault::Form),
            ("<a@example.org>", Fault::Form),
            ("mailto:a@example.org", Fault::Form),
            ("a@example.org, b@example.org", Fault::Form),
            ("a\r\nRCPT TO:<b@example.org", Fault::Form),
            ("a\u{0}@example.org", Fault::Form),
            ("a\u{a0}b@example.org", Fault::Form),
            ("bjørn@example.org", Fault::NotAscii),
            ("a@", Fault::Domain),
            ("a@example", Fault::Domain),
            ("a@localhost", Fault::Domain),
            ("a@.", Fault::Domain),
            ("a@example..org", Fault::Domain),
            ("a@example.org..", Fault::Domain),
            ("a@-example.org", Fault::Domain),
            ("a@exa mple.org", Fault::Domain),
            ("a@exa_mple.org", Fault::Domain),
            ("a@example.org>", Fault::Domain),
            ("a@[192.0.2.1]", Fault::Domain),
            ("a@192.0.2.1", Fault::Domain),
            ("a@example.org\u{0}", Fault::Domain),
            ("a@xn--a.example", Fault::Domain),
            (&long_label, Fault::Domain),
            (&long_local, Fault::Long),
            (&long, Fault::Long),
        ] {
            assert_eq!(canonical(text), Err(fault), "{text:?}");
        }
    }
}
