//! Edge. maglevd and VPP: the real daemon, real servers, and the simulated VPP.

mod agreement;
mod counters;
mod problems;
mod reloads;
mod restarts;
mod same_table;
mod transitions;
mod trouble;
mod warm;
