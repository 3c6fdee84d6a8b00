//! Sign-in with an e-mailed link. No response reveals whether an address is known, because the lookup happens
//! after the response has been sent.

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

/// The links that a client may request per minute, and in a burst. It is large enough for an office behind
/// one address. The networks around it have higher limits.
const OF_A_CLIENT: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The links that can be requested in a burst for an e-mail address, and the time after which it can be one
/// more.
const OF_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const ONE_MORE_AFTER: Duration = Duration::from_mins(3);

/// The limits of requests for links.
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

/// The form with an e-mail address.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    address: String,
}

/// Requests a link by e-mail, which is sent if the address is known.
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
    // A malformed address gets the same response, so that responses reveal nothing about addresses.
    let address = address::canonical(&address).unwrap_or(address);
    shared.limits.check(&headers, peer.ip(), &address)?;
    if !links.ask_for_links(address) {
        // Report the dropped request instead of a success.
        return Err(Refusal::Busy.into());
    }
    Ok(language.page("link-sent"))
}

/// The query with a link's token.
#[derive(Deserialize)]
pub(super) struct Carried {
    pub(super) token: String,
}

/// Shows a button. Programs that scan e-mail follow links, but press no buttons.
pub(super) async fn show(language: Language, Query(Carried { token }): Query<Carried>) -> Page {
    let form = page::Form::button("/sign-in/link/open", language.say("link-open"), [("token", token)]);
    language.page("link").form(form)
}

/// Signs in the holder of a link's token.
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
