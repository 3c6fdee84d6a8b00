//! Looking whether people see what they may and nothing else.

pub mod access;
pub mod canary;
