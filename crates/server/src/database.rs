//! The database for requests: a separate pool, of which each login and each organisation can use only its
//! share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_engine::people::ledger::Ledger;
use certvakt_engine::people::{self as engine_people, PeopleError};
use certvakt_store::caller::{self, Admission};
use certvakt_store::people::{self, Export};
use certvakt_store::{AuthTx, CallerClaims, CallerTx, Database, Operator, REQUEST_CONNECTIONS, StoreError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::concurrency::Concurrency;
use super::problem::ApiError;
use super::recent::Recent;
use super::token::{Identity, Login};

/// Concurrent transactions of one login, and how many more may wait. A page of an app makes a few requests.
const OF_A_LOGIN: usize = 2;
const WAITING_OF_A_LOGIN: usize = 20;
/// Concurrent transactions of one organisation: half of the connections, so that one organisation cannot use them all.
/// They get connections in order of arrival, so an organisation waits behind at most this many transactions of each other
/// one.
const OF_AN_ORGANISATION: usize = REQUEST_CONNECTIONS as usize / 2;
const WAITING_OF_AN_ORGANISATION: usize = 200;
/// Concurrent transactions of all callers who have not signed in yet or whose organisations are not known yet.
const OF_STRANGERS: usize = REQUEST_CONNECTIONS as usize / 3;
const WAITING_STRANGERS: usize = 500;
/// The maximum time for which a request waits for a permit.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The number of logins whose organisations are cached.
const KNOWN: usize = 10_000;

/// The database for requests. A permit is released with its transaction: only when the server has finished
/// the statement, even if the client has disconnected.
#[derive(Debug, Clone)]
pub struct RequestDatabase(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: Database,
    logins: Concurrency<Identity>,
    organisations: Concurrency<Uuid>,
    strangers: Concurrency<()>,
    /// The organisations of logins, as of their last requests. They decide only whose share a request uses: each
    /// request asks the database again which person the login is and what they may see.
    known: Mutex<Recent<Identity, Arc<[Uuid]>>>,
}

impl RequestDatabase {
    /// Creates a separate pool for the same database.
    pub fn beside(background: &Database) -> Self {
        Self(Arc::new(Shared {
            database: background.with_pool_of(REQUEST_CONNECTIONS),
            logins: Concurrency::new(OF_A_LOGIN, WAITING_OF_A_LOGIN),
            organisations: Concurrency::new(OF_AN_ORGANISATION, WAITING_OF_AN_ORGANISATION),
            strangers: Concurrency::new(OF_STRANGERS, WAITING_STRANGERS),
            known: Mutex::new(Recent::new(KNOWN)),
        }))
    }

    /// The pool, for uses with other limits.
    pub(super) fn pool(&self) -> &Database {
        &self.0.database
    }

    /// Begins a transaction for a login that need not be linked to a person.
    pub(super) async fn caller(&self, login: &Login) -> Result<CallerTx, ApiError> {
        let turn = self.turn(&login.identity).await?;
        Ok(self.0.database.caller_holding(&asking(&login.identity, login.session), Box::new(turn)).await?)
    }

    /// Begins a transaction for a login, and returns the check of the login.
    pub(super) async fn admit(&self, login: &Login) -> Result<(CallerTx, Admission), ApiError> {
        let turn = self.turn(&login.identity).await?;
        let asking = asking(&login.identity, login.session);
        let (tx, admission) = self.0.database.admit_holding(&asking, Box::new(turn)).await?;
        self.learn(&login.identity, &admission.organisations);
        Ok((tx, admission))
    }

    /// Exports all data of the person of a login. It ends by itself if the client disconnects, and counts until then.
    pub(super) async fn export(&self, login: &Login, person: Uuid) -> Result<Option<Export>, ApiError> {
        let turn = self.turn(&login.identity).await?;
        let database = self.0.database.clone();
        let exported = tokio::spawn(async move {
            let mut tx = database.worker().await?;
            let found = people::export_in_request(&mut tx, person).await?;
            tx.rollback().await?;
            drop(turn);
            Ok::<_, StoreError>(found)
        });
        Ok(exported.await.map_err(|_| ApiError::Fault)??)
    }

    /// Erases a person for an administrator of an organisation. Returns false if they may not. It continues if the client
    /// disconnects, and counts as one of the caller's requests until it ends.
    pub(super) async fn erase(
        &self,
        login: &Login,
        administrator: Uuid,
        (person, organisation): (Uuid, Uuid),
        ledger: Ledger,
        clock: Clock,
    ) -> Result<bool, ApiError> {
        let turn = self.turn(&login.identity).await?;
        let operator = Operator::new(format!("person {administrator}"), "person erase".to_owned());
        let database = self.0.database.clone().by(Some(operator));
        let (identity, session) = (login.identity.clone(), login.session);
        let erased = tokio::spawn(async move {
            let tx = database.registrar_for(&asking(&identity, session)).await?;
            let erased = engine_people::erase_for(tx, person, organisation, &ledger, &clock).await?;
            drop(turn);
            Ok::<_, PeopleError>(erased.is_some())
        });
        match erased.await.map_err(|_| ApiError::Fault)? {
            Ok(is_erased) => Ok(is_erased),
            Err(PeopleError::Store(error)) => Err(error.into()),
            Err(error) => {
                tracing::error!(code = error.code(), "cannot erase a person: {error}");
                Err(ApiError::Fault)
            }
        }
    }

    /// Begins a transaction for a caller who has not signed in yet.
    pub(super) async fn auth(&self) -> Result<AuthTx, ApiError> {
        let turn = self.stranger().await?;
        Ok(self.0.database.auth_holding(Box::new(turn)).await?)
    }

    /// Waits for a permit for a caller who has not signed in yet.
    pub(super) async fn stranger(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.stranger_until(Instant::now() + LONGEST_WAIT).await
    }

    async fn stranger_until(&self, until: Instant) -> Result<OwnedSemaphorePermit, ApiError> {
        timeout_at(until, self.0.strangers.turn(&())).await.ok().flatten().ok_or(ApiError::Busy)
    }

    /// Waits for a permit of the login and of each of its organisations.
    async fn turn(&self, identity: &Identity) -> Result<Vec<OwnedSemaphorePermit>, ApiError> {
        let until = Instant::now() + LONGEST_WAIT;
        let own = timeout_at(until, self.0.logins.turn(identity)).await;
        let mut turns = vec![own.ok().flatten().ok_or(ApiError::TooManyAtOnce)?];
        // Acquired in a fixed order, so that two requests of the same organisations never deadlock.
        for organisation in self.organisations(identity, until).await?.iter() {
            let turn = timeout_at(until, self.0.organisations.turn(organisation)).await;
            turns.push(turn.ok().flatten().ok_or(ApiError::Busy)?);
        }
        Ok(turns)
    }

    async fn organisations(&self, identity: &Identity, until: Instant) -> Result<Arc<[Uuid]>, ApiError> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner).get(identity);
        if let Some(known) = known {
            return Ok(known);
        }
        let turn = self.stranger_until(until).await?;
        let mut tx = self.0.database.caller_holding(&asking(identity, None), Box::new(turn)).await?;
        let organisations = caller::organisations_of_login(&mut tx).await?;
        tx.commit().await?;
        Ok(self.learn(identity, &organisations))
    }

    fn learn(&self, identity: &Identity, organisations: &[Uuid]) -> Arc<[Uuid]> {
        let mut organisations = organisations.to_vec();
        organisations.sort_unstable();
        if organisations.is_empty() {
            // All logins without an organisation share the permits of one, so creating many of them gains
            // nothing.
            organisations.push(Uuid::nil());
        }
        let organisations: Arc<[Uuid]> = organisations.into();
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(identity.clone(), Arc::clone(&organisations));
        organisations
    }
}

fn asking(Identity { issuer, subject }: &Identity, session: Option<Uuid>) -> CallerClaims<'_> {
    CallerClaims { issuer, subject, session }
}
