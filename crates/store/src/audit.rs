//! Audits of people's access: the leak canary and the access log.

pub mod access_log;
mod canary;

pub use canary::{
    Administrator, CanaryTx, Chapter, MentorInTwoChapters, ProbeResult, Reachable, TestChapter, TestObjects,
};
