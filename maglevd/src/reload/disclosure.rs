//! Pure. What of a refused reload everybody may read.
//!
//! Reading is open to whoever reaches the listener. An error in the access file shows a line of it, with names of users
//! and what they may do, so it is for administrators and the log of the host.

use std::path::Path;

use super::ConfigError;

impl ConfigError {
    /// Whether all of it is about the configuration file, which everybody may read by what it makes.
    pub fn is_public(&self, config: &Path) -> bool {
        self.leaves().iter().all(|error| error.is_about(config))
    }

    /// Those of its errors that everybody may read.
    pub fn public(&self, config: &Path) -> Vec<&ConfigError> {
        self.leaves().into_iter().filter(|error| error.is_about(config)).collect()
    }

    fn leaves(&self) -> Vec<&ConfigError> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(error) = left.pop() {
            match error {
                ConfigError::Both { one, other } => left.extend([&**other, &**one]),
                ConfigError::Read { .. }
                | ConfigError::Invalid { .. }
                | ConfigError::Tokens(_)
                | ConfigError::Reader(_)
                | ConfigError::NeedsForce(_)
                | ConfigError::Stopped(_) => found.push(error),
            }
        }
        found
    }

    fn is_about(&self, config: &Path) -> bool {
        match self {
            ConfigError::Read { path, .. } | ConfigError::Invalid { path, .. } => path == config,
            ConfigError::Reader(_) | ConfigError::NeedsForce(_) | ConfigError::Stopped(_) => true,
            ConfigError::Tokens(_) | ConfigError::Both { .. } => false,
        }
    }
}
