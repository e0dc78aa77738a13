//! Edge. What is shipped to watch maglevd with: dashboard, rules and references. All of it is held against a running
//! daemon.
#![expect(
    clippy::unwrap_used,
    reason = "a file that is not as it should be has failed the test, and should say so where it stands"
)]

mod dashboard;
mod reference;
mod rules;
mod scene;
