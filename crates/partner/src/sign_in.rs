//! The sign-in methods of portals, one file for each.

mod client_certificate;
mod client_credentials;
mod header_key;
mod method;
mod signature;

use certvakt_base::clock::Clock;

use super::client::PortalClient;
use super::contract::{Addresses, SignInTerms};

use client_certificate::Certificate;
use client_credentials::{ClientCredentials, Proof};

pub use method::{SignIn, SignInError};

/// Creates the sign-in of a contract with these secrets, newest first.
pub fn of(
    terms: &SignInTerms,
    addresses: &Addresses,
    secrets: &[String],
    wire: &PortalClient,
) -> Result<Box<dyn SignIn>, String> {
    let newest = secrets.first().cloned();
    let missing = || {
        "no secret is configured: set keys in [partners.secrets.<organisation>.<partner>.<environment>]"
            .to_owned()
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
