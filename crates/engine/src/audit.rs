//! Audits of people's access: the access log and the leak canary.

pub mod access_log;
pub mod canary;
