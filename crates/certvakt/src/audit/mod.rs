//! Whether people see what they may and nothing else: looked at from outside, on the database that is in use.

pub mod canary;
