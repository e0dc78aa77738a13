//! Edge. Tokens: how they come, what is kept of them, and the file of those for metrics.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest as hash};
use http::HeaderValue;
use maglev_core::access::{InvalidDigest, TokenDigest};
use thiserror::Error;

use crate::ownership;
use crate::reload::read;

/// The longest token that is looked at. Ours have 43 characters.
const LONGEST: usize = 1024;

/// The SHA-256 of a token.
pub fn digest(token: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash(&SHA256, token).as_ref());
    bytes
}

/// Whether two digests are the same, in a time that does not depend on where they differ.
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

/// A header that should hold a token holds something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoToken;

/// The token in a header `authorization`: none where there is no such header, an error where it holds anything else.
pub fn bearer<'a>(headers: impl IntoIterator<Item = &'a HeaderValue>) -> Result<Option<&'a [u8]>, NoToken> {
    let mut headers = headers.into_iter();
    let Some(header) = headers.next() else { return Ok(None) };
    let (scheme, token) = header.as_bytes().split_at_checked("bearer ".len()).ok_or(NoToken)?;
    let token = token.trim_ascii();
    let right = scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty() && token.len() <= LONGEST;
    if right && headers.next().is_none() { Ok(Some(token)) } else { Err(NoToken) }
}

/// Why a file of tokens is not taken.
#[derive(Debug, Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("cannot read {path}, which --metrics-token-file names")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is wrong. It is not shown, since it may be a token itself.
    #[error("{path}:{line}: write one token a line")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: InvalidDigest,
    },
    /// There is none in it.
    #[error(
        "{path} holds no token, so that nobody could read metrics: write `sha256:` and the digest of one in it"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The tokens that metrics are shown for. Cheap to clone; all clones show the same.
#[derive(Clone, Debug)]
pub struct Tokens {
    path: Arc<Path>,
    digests: Arc<RwLock<Vec<TokenDigest>>>,
}

impl Tokens {
    /// Reads a file: the digest of a token a line. Empty lines and lines with `#` first are left out.
    pub fn load(path: &Path) -> Result<Self, TokensError> {
        let digests = Arc::new(RwLock::new(load(path)?));
        Ok(Tokens { path: path.into(), digests })
    }

    /// Reads the file again, and returns what puts it in force. Blocks while it reads.
    pub fn reread(&self) -> Result<impl FnOnce() + use<>, TokensError> {
        let digests = load(&self.path)?;
        let tokens = Arc::clone(&self.digests);
        Ok(move || *tokens.write().unwrap_or_else(PoisonError::into_inner) = digests)
    }

    /// Whether headers `authorization` hold one of them.
    pub fn admit<'a>(&self, authorization: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
        let Ok(Some(token)) = bearer(authorization) else { return false };
        let (digest, mut found) = (digest(token), false);
        for known in self.digests.read().unwrap_or_else(PoisonError::into_inner).iter() {
            found |= same(&known.0, &digest);
        }
        found
    }
}

fn load(path: &Path) -> Result<Vec<TokenDigest>, TokensError> {
    let bytes = ownership::check(path)
        .and_then(|()| read(path))
        .map_err(|source| TokensError::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let digests: Vec<_> = lines
        .map(|(number, line)| {
            let wrong = |source| TokensError::Line { path: path.to_owned(), line: number + 1, source };
            line.parse().map_err(wrong)
        })
        .collect::<Result<_, _>>()?;
    if digests.is_empty() { Err(TokensError::Empty { path: path.to_owned() }) } else { Ok(digests) }
}
