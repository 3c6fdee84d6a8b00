//! Arguments of the handlers: the API's state, and the caller of a request.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use certvakt_base::clock::Clock;
use certvakt_engine::audit::access_log::Recorder;
use certvakt_engine::config::{Config, ConfigError, ImportConfig, PagesConfig, PartnersConfig};
use certvakt_engine::expiry::schedule::Wake;
use certvakt_engine::mail_queue::MailQueue;
use certvakt_engine::people::ledger::Ledger;
use certvakt_store::CallerTx;
use certvakt_store::caller::{self, Admission};
use certvakt_store::people::Export;
use governor::Quota;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::access_log::Access;
use crate::concurrency::Concurrency;
use crate::database::RequestDatabase;
use crate::problem::ApiError;
use crate::rate_limit::{AddressRateLimit, ClientHeader, RateLimit};
use crate::session::{self, Session};
use crate::sign_in::Methods;
use crate::step_up::StepUp;
use crate::token::{Identity, Login, Verifier};

/// The maximum number of concurrent uploads of an organisation.
const REGISTERS_AT_ONCE: usize = 2;
/// Requests per minute, and in a burst, of one login, or of one address at a webhook. A page of an app makes
/// a few.
const REQUESTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// The API: the shared state of its handlers.
#[derive(Clone)]
pub struct Api(pub(super) Arc<Shared>);

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}

pub(super) struct Shared {
    pub(super) database: RequestDatabase,
    pub(super) clock: Clock,
    pub(super) verifier: Option<Verifier>,
    pub(super) step_up: StepUp,
    pub(super) pace: RateLimit<Identity>,
    /// Limits the concurrent uploads of each organisation.
    pub(super) receiving: Concurrency<Uuid>,
    /// Limits callers who do not sign in, by their address.
    pub(super) strangers: AddressRateLimit,
    pub(super) client_header: ClientHeader,
    pub(super) partners: PartnersConfig,
    pub(super) pages: PagesConfig,
    pub(super) sign_in_methods: Methods,
    /// The kinds of contact point that the channels use; `None` if one reaches everyone.
    pub(super) contact_kinds: Option<Vec<String>>,
    pub(super) import: ImportConfig,
    /// The ledger of erased people; an empty path if there is none.
    pub(super) ledger: PathBuf,
    pub(super) mails: Option<MailQueue>,
    pub(super) recorder: Recorder,
    /// Wakes the scheduler of runs.
    pub(super) wake: Wake,
}

impl Api {
    /// Creates the API for the tokens that `[auth]` describes. `mails` is the queue of e-mails, if there is
    /// one; the recorder receives the events of the access log; `wake` is that of the scheduler.
    pub fn new(
        database: RequestDatabase,
        clock: Clock,
        config: &Config,
        mails: Option<MailQueue>,
        recorder: Recorder,
        wake: Wake,
    ) -> Result<Self, ConfigError> {
        let verifier = if config.auth.is_off() { None } else { Some(Verifier::new(&config.auth)?) };
        Ok(Self(Arc::new(Shared {
            database,
            clock,
            verifier,
            step_up: StepUp::new(&config.step_up),
            pace: RateLimit::new(Quota::per_minute(REQUESTS_A_MINUTE)),
            receiving: Concurrency::new(REGISTERS_AT_ONCE, 0),
            strangers: AddressRateLimit::per_minute(REQUESTS_A_MINUTE),
            client_header: ClientHeader::new(&config.sign_in.client_header),
            partners: config.partners.clone(),
            pages: config.pages.clone(),
            sign_in_methods: Methods::new(config),
            contact_kinds: config.contact_kinds(),
            import: config.import.clone(),
            ledger: config.erasure.ledger.clone(),
            mails,
            recorder,
            wake,
        })))
    }

    /// The database for requests.
    pub(crate) fn database(&self) -> &RequestDatabase {
        &self.0.database
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What the page about help, privacy and accessibility says.
    pub(crate) fn pages(&self) -> &PagesConfig {
        &self.0.pages
    }

    /// How people sign in.
    pub(crate) fn sign_in_methods(&self) -> &Methods {
        &self.0.sign_in_methods
    }

    /// The kinds of contact point that the channels use; `None` if a channel reaches everyone.
    pub(crate) fn contact_kinds(&self) -> Option<&[String]> {
        self.0.contact_kinds.as_deref()
    }

    /// The limits on reading registers.
    pub(crate) fn import(&self) -> &ImportConfig {
        &self.0.import
    }

    /// Makes the scheduler check for runs now.
    pub(crate) fn wake_scheduler(&self) {
        self.0.wake.now();
    }

    /// The queue of e-mails, if this server sends any.
    pub(crate) fn mails(&self) -> Option<&MailQueue> {
        self.0.mails.as_ref()
    }

    /// Waits for a permit to upload a register of an organisation.
    pub(crate) async fn receiving(&self, organisation: Uuid) -> Result<OwnedSemaphorePermit, ApiError> {
        self.0.receiving.turn(&organisation).await.ok_or(ApiError::TooManyImports)
    }

    /// Begins a transaction for a login that need not be linked to a person.
    pub(crate) async fn login(&self, caller: &Caller) -> Result<CallerTx, ApiError> {
        self.0.database.caller(&caller.login).await
    }

    /// The session of a request's cookie.
    pub(crate) async fn session(&self, headers: &HeaderMap) -> Result<Option<Session>, ApiError> {
        let found = Session::of(headers, &self.0.database).await?;
        match found {
            Some(session) if !self.0.pace.is_within(&session.login.identity) => Err(ApiError::TooMany),
            found => Ok(found),
        }
    }

    /// Keeps a form for the person of the browser's session, which may have expired. Returns false if it has none.
    pub(crate) async fn keep_form(
        &self,
        headers: &HeaderMap,
        path: &str,
        csrf: &str,
        fields: &str,
    ) -> Result<bool, ApiError> {
        session::keep_form(headers, &self.0.database, path, csrf, fields).await
    }

    /// Begins a transaction for a login that is linked to a person with open access.
    pub(crate) async fn person(&self, caller: &Caller) -> Result<CallerTx, ApiError> {
        let (mut tx, admission) = self.0.database.admit(&caller.login).await?;
        let Admission { person_id, is_closed, .. } = admission;
        caller.access.admitted(admission, tx.seen());
        match (person_id, is_closed) {
            (None, _) => Err(ApiError::UnknownLogin),
            (Some(_), true) => Err(ApiError::Closed),
            (Some(_), false) => {
                if caller.changes_others
                    && let Err(refusal) = self.check_step_up(caller)
                    && caller::is_administrator(&mut tx).await?
                {
                    return Err(refusal);
                }
                Ok(tx)
            }
        }
    }

    /// Exports all data of a person: the caller's own, or one that the caller may export.
    pub(crate) async fn export(&self, caller: &Caller, person: Uuid) -> Result<Export, ApiError> {
        self.0.database.export(&caller.login, person).await?.ok_or(ApiError::UnknownLogin)
    }

    /// Whether pages can erase people: if there is a ledger.
    pub(crate) fn can_erase(&self) -> bool {
        Ledger::at(self.0.ledger.clone()).is_ok()
    }

    /// Erases a person for a caller, who administers the organisation. Returns false if they may not.
    pub(crate) async fn erase(
        &self,
        caller: &Caller,
        administrator: Uuid,
        person: Uuid,
        organisation: Uuid,
    ) -> Result<bool, ApiError> {
        let Ok(ledger) = Ledger::at(self.0.ledger.clone()) else { return Ok(false) };
        let clock = self.0.clock;
        self.0.database.erase(&caller.login, administrator, (person, organisation), ledger, clock).await
    }

    /// Refuses an administrator whose sign-in does not meet `[step_up]`.
    pub(super) fn check_step_up(&self, caller: &Caller) -> Result<(), ApiError> {
        self.0.step_up.check(&caller.login, Clock::system().now())
    }
}

/// The caller of a request, and the record of their access.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) login: Login,
    pub(crate) access: Access,
    /// Whether the request changes or exports data that is not the caller's own.
    pub(crate) changes_others: bool,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let access = Access::from_request_parts(parts, api).await?;
        let login = Login::from_request_parts(parts, api).await?;
        access.asked_by(&login);
        let changes_others = !parts.method.is_safe() && !parts.uri.path().starts_with("/api/v1/me/");
        Ok(Self { login, access, changes_others })
    }
}

impl Shared {
    /// Verifies a bearer token and returns its login.
    async fn bearer(&self, header: &HeaderValue) -> Result<Login, ApiError> {
        let header = header.to_str().map_err(|_| ApiError::NoToken)?;
        // The name of the scheme is case-insensitive (RFC 9110, section 11.1).
        let bearer = match header.split_once(' ') {
            Some((scheme, bearer)) if scheme.eq_ignore_ascii_case("bearer") => bearer.trim_start(),
            _ => return Err(ApiError::NoToken),
        };
        let Some(verifier) = &self.verifier else { return Err(ApiError::NoToken) };
        Ok(verifier.verify(bearer).await?)
    }
}

/// Extracts the login of the request's token or session.
impl FromRequestParts<Api> for Login {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, Api(shared): &Api) -> Result<Self, ApiError> {
        let login = match parts.headers.get(header::AUTHORIZATION) {
            Some(header) => shared.bearer(header).await?,
            None => session::login(parts, &shared.database).await?,
        };
        if shared.pace.is_within(&login.identity) { Ok(login) } else { Err(ApiError::TooMany) }
    }
}
