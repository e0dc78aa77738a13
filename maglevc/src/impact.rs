//! Pure. Which pool of a frontend would serve, if its backends were otherwise than they are.

use crate::view::frontend::{Frontend, Pool, PoolBackend};
use crate::view::words::BackendState;

/// Whether a backend takes new flows while its pool is active.
pub(crate) fn serves(backend: &PoolBackend) -> bool {
    backend.state == BackendState::Up && backend.weight.wanted() > 0
}

/// The pool that would be active if these backends served: the first with one that does.
pub(crate) fn active(frontend: &Frontend, serves: impl Fn(&Pool, &PoolBackend) -> bool) -> Option<&Pool> {
    frontend.pools.iter().find(|pool| pool.backends.iter().any(|backend| serves(pool, backend)))
}

#[cfg(test)]
mod tests;
