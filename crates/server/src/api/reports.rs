//! The webhook for partners' reports of completed renewal courses. Portals do not sign in; they sign each
//! request.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use certvakt_partner::PartnerError;
use certvakt_partner::receiver::{self, InboundContract};
use certvakt_store::partner::{self, Partner};
use serde::Deserialize;
use utoipa::IntoParams;

use super::state::Api;
use crate::extract::Path;
use crate::problem::{ApiError, Problems};

/// The path of a partner's webhook.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Webhook {
    /// The organisation's short name.
    organisation: String,
    /// The partner's short name.
    partner: String,
}

/// Report a completed renewal course
///
/// For a partner's portal. The request must be signed as Standard Webhooks specifies (`webhook-id`,
/// `webhook-timestamp`, `webhook-signature`), and its body must follow the contract with the partner. A
/// repeated report changes nothing.
#[utoipa::path(post, path = "/api/v1/partners/{organisation}/{partner}/renewals", tag = "partners", security(()),
    params(Webhook),
    request_body = Value,
    responses(
    (status = ACCEPTED),
    Problems))]
pub(super) async fn receive(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(Webhook { organisation, partner: name }): Path<Webhook>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    let shared = &api.0;
    if !shared.strangers.is_within(shared.client_header.client(&headers, peer.ip())) {
        return Err(ApiError::TooMany);
    }
    let body = body.map_err(|_| ApiError::TooLong)?;
    // An unknown partner gets the same response as a wrong signature, so that nobody can probe for partners.
    let one = partner_of(&api, &organisation, &name).await?.ok_or(ApiError::NotSigned)?;
    let keys = receiver::keys(&one, &shared.partners).map_err(|error| not_configured(&one, &error))?;
    if !keys.iter().any(|key| key.verify(&body, &headers).is_ok()) {
        let of = [("organisation", one.organisation.clone()), ("partner", one.partner.clone())];
        metrics::counter!("certvakt_partner_reports_not_signed_total", &of).increment(1);
        return Err(ApiError::NotSigned);
    }
    let contract =
        InboundContract::of(&one, &shared.partners).map_err(|error| not_configured(&one, &error))?;
    let contract = contract.ok_or(ApiError::NotSigned)?;
    receiver::accept(shared.database.pool(), &one, &contract, &body, api.clock().now())
        .await?
        .map_err(ApiError::Report)?;
    Ok(StatusCode::ACCEPTED)
}

/// Logs why the webhook is not configured for a partner.
fn not_configured(one: &Partner, error: &PartnerError) -> ApiError {
    let (organisation, partner) = (&one.organisation, &one.partner);
    tracing::error!(
        organisation,
        partner,
        code = error.code(),
        "the webhook cannot receive reports: {error}"
    );
    ApiError::WebhookNotConfigured
}

/// A partner that is switched on.
async fn partner_of(api: &Api, organisation: &str, name: &str) -> Result<Option<Partner>, ApiError> {
    let _turn = api.0.database.stranger().await?;
    let mut tx = api.0.database.pool().worker().await?;
    let all = partner::all(&mut tx).await?;
    tx.rollback().await?;
    Ok(all
        .into_iter()
        .find(|one| one.organisation == organisation && one.partner == name && one.environment.is_some()))
}
