//! Edge. What is shipped to watch maglevd with: dashboard, rules and references. All of it is held against a running
//! daemon.

mod dashboard;
mod reference;
mod rules;
mod scene;
