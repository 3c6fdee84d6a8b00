//! Signing in by a link in a mail. Whether an address is known here shows in no answer: it is looked up
//! after the answer has left.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use governor::Quota;
use serde::Deserialize;

use super::page::{self, Language, Page};
use super::{HOME, Query, SignIn, SignInError, go_on};
use crate::http::problem::Refusal;
use crate::http::rate_limit::{AddressRateLimit, ClientHeader, RateLimit};
use crate::http::session;
use crate::mail::address;
use crate::secret;

/// Links that a client may ask for in a minute, and as many at once: an office has one address. The networks around it
/// may ask for some more.
const OF_A_CLIENT: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Links that may be asked for at once for a mail address, and the time after which it may be one more.
const OF_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const ONE_MORE_AFTER: Duration = Duration::from_mins(3);

/// How many links may be asked for.
#[derive(Debug)]
pub(super) struct Limits {
    clients: AddressRateLimit,
    /// By the hash of the address.
    addresses: RateLimit<[u8; 32]>,
    client_header: ClientHeader,
}

impl Limits {
    pub(super) fn new(client_header: &str) -> Self {
        let an_address = Quota::with_period(ONE_MORE_AFTER).unwrap_or(Quota::per_minute(OF_AN_ADDRESS));
        Self {
            clients: AddressRateLimit::per_minute(OF_A_CLIENT),
            addresses: RateLimit::new(an_address.allow_burst(OF_AN_ADDRESS)),
            client_header: ClientHeader::new(client_header),
        }
    }

    fn check(&self, headers: &HeaderMap, peer: IpAddr, address: &str) -> Result<(), Refusal> {
        let is_within = self.clients.is_within(self.client_header.client(headers, peer))
            && self.addresses.is_within(&secret::hash(&address.to_lowercase()));
        if is_within { Ok(()) } else { Err(Refusal::TooMany) }
    }
}

/// A mail address.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    address: String,
}

/// Has a link mailed, if the address is known.
pub(super) async fn ask(
    State(SignIn(shared)): State<SignIn>,
    language: Language,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Form<LinkForm>, FormRejection>,
) -> Result<Page, SignInError> {
    let links = shared.links.as_ref().ok_or(Refusal::NotFound)?;
    session::refuse_other_sites(&headers)?;
    let address = match asked {
        Ok(Form(LinkForm { address })) => address.trim().to_owned(),
        Err(_) => String::new(),
    };
    if address.is_empty() || address.chars().count() > address::LONGEST || address.contains('\0') {
        return Err(Refusal::Invalid("an e-mail address must have 1 to 254 characters".to_owned()).into());
    }
    // An address that is none is answered alike: whether it is known shows nowhere.
    let address = address::canonical(&address).unwrap_or(address);
    shared.limits.check(&headers, peer.ip(), &address)?;
    if !links.ask_for_links(address) {
        // Nothing is said to be sent that is not.
        return Err(Refusal::Busy.into());
    }
    Ok(language.page("link-sent"))
}

/// The token of a link.
#[derive(Deserialize)]
pub(super) struct Carried {
    pub(super) token: String,
}

/// Shows a button. Programs that look through mail follow links; they press no buttons.
pub(super) async fn show(language: Language, Query(Carried { token }): Query<Carried>) -> Page {
    let form = page::Form::button("/sign-in/link/open", language.say("link-open"), [("token", token)]);
    language.page("link").form(form)
}

/// Signs in whoever brings a link's token.
pub(super) async fn open(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    carried: Result<Form<Carried>, FormRejection>,
) -> Result<Response, SignInError> {
    session::refuse_other_sites(&headers)?;
    let Ok(Form(Carried { token })) = carried else { return Err(SignInError::Link) };
    match session::begin_by_link(&headers, &shared.database, &token).await? {
        Some(cookies) => Ok(go_on(HOME, cookies)),
        None => Err(SignInError::Link),
    }
}
