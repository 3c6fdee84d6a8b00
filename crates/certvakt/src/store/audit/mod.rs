//! Looking whether people see what they may: a canary that asks, and the record of what was asked.

pub mod access;
mod canary;

pub use canary::{Administrator, CanaryTx, Chapter, Planted, Plants, ProbeResult, Reachable, Wanderer};
