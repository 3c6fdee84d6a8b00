//! The sign-in methods of portals, one file for each.

mod client_certificate;
mod client_credentials;
mod header_key;
mod signature;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;

use super::client::Wire;
use super::contract::{Addresses, SignInTerms};
use crate::clock::Clock;
use client_certificate::Certificate;
use client_credentials::{ClientCredentials, Proof};

/// A sign-in method, which provides the credentials of a request.
pub trait SignIn: std::fmt::Debug + Send + Sync {
    /// The headers of a request with this id and body.
    fn headers<'a>(&'a self, id: &'a str, body: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>>;

    /// Drops rejected credentials, unless they were renewed in the meantime. Returns whether to try again.
    fn renew<'a>(&'a self, _refused: &'a HeaderMap) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    /// The expiry of the credential, if the credential contains it.
    fn ends_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// The reason why certvakt cannot sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInError {
    /// The secret is rejected, or there is none.
    Refused(String),
    /// The token endpoint is unavailable.
    Unavailable(String),
}

/// Creates the sign-in of a contract with these secrets, newest first.
pub fn of(
    terms: &SignInTerms,
    addresses: &Addresses,
    secrets: &[String],
    wire: &Wire,
) -> Result<Box<dyn SignIn>, String> {
    let newest = secrets.first().cloned();
    let missing = || {
        "no secret is configured: set keys in [partners.secrets.<organisation>.<partner>.<stage>]".to_owned()
    };
    let token = |proof: Proof, client_id: &String, scope: &String| -> Result<Box<dyn SignIn>, String> {
        let address = addresses.token.clone().ok_or("the contract has no address for tokens")?;
        let (client_id, scope) = (client_id.clone(), scope.clone());
        Ok(Box::new(ClientCredentials::new(address, client_id, scope, proof, wire.clone())))
    };
    match terms {
        SignInTerms::Signature {} if secrets.is_empty() => Err(missing()),
        SignInTerms::Signature {} => Ok(Box::new(signature::Signature::new(secrets, Clock::system())?)),
        SignInTerms::HeaderKey { header } => {
            Ok(Box::new(header_key::HeaderKey::new(header, &newest.ok_or_else(missing)?)?))
        }
        SignInTerms::ClientCredentials { client_id, scope } => {
            token(Proof::Secret(newest.ok_or_else(missing)?), client_id, scope)
        }
        SignInTerms::ClientCertificate { client_id, scope } => {
            token(Proof::Certificate(Certificate::new(&newest.ok_or_else(missing)?)?), client_id, scope)
        }
    }
}
