//! Audits of people's access: the access log and the leak canary.

pub mod access;
pub mod canary;
