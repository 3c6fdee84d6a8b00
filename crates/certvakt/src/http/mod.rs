//! HTTP: the server of `serve`, and the client that everything outgoing uses.

use std::time::Duration;

/// A client for outgoing requests: encrypted by rustls, no redirects followed, an end to waiting.
pub fn client(timeout: Duration) -> reqwest::Client {
    // A second call finds the provider installed, which is what it wants.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("certvakt/", env!("CARGO_PKG_VERSION")))
        .build()
        .unwrap_or_default()
}

/// The server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken or not ours.
    #[error("serve.listen = '{address}' cannot be listened on ({cause}): choose another address")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

impl HttpError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "listen",
        }
    }
}
