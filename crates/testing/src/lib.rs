//! Code that the tests of several crates share: hostile inputs with their corpus, and JSON Web Tokens of an issuer.
//!
//! Only tests depend on this crate. Servers for tests are in `certvakt-stand-ins`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "tests panic, and measure how long they have tried"
)]

pub mod fuzz;
pub mod jwt;
