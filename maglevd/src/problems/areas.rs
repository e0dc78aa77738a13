//! Pure. One function for each area: what is known in, problems out.

mod backends;
mod config;
mod daemon;
mod frontends;
mod probes;
mod sync;
mod tls;
mod vpp;

pub(super) use self::backends::backends;
pub(super) use self::config::config;
pub(super) use self::daemon::{audit, daemon, log, processor, state};
pub(super) use self::frontends::frontends;
pub(super) use self::probes::probes;
pub(super) use self::sync::sync;
pub(super) use self::tls::tls;
pub(super) use self::vpp::{Vpp, vpp};

/// A word with an `s` unless there is one of it: `1 error`, `3 errors`.
fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

#[cfg(test)]
mod tests;
