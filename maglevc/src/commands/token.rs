//! Edge. `token new`: the one command that makes something without a server.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::failure::Failure;
use crate::session::Session;
use crate::tree::Flow;
use crate::view::token::Token;

/// Bytes of a token. 256 bits cannot be guessed or found by trying, which is why a plain hash of it can be kept: there is
/// nothing for a slow one to slow down.
const BYTES: usize = 32;

pub(super) async fn new(session: &mut Session) -> Result<Flow, Failure> {
    let mut secret = [0; BYTES];
    getrandom::fill(&mut secret)
        .map_err(|error| Failure::Unwell(format!("the system gives no randomness: {error}")))?;
    session.output.show(&of(secret))?;
    Ok(Flow::Next)
}

/// The token of some bytes. Base64, so that it is not taken for its hash, which is hexadecimal.
fn of(secret: [u8; BYTES]) -> Token {
    let token = URL_SAFE_NO_PAD.encode(secret);
    let hash = digest(&SHA256, token.as_bytes());
    let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Token { token, hash: format!("sha256:{hash}") }
}

#[cfg(test)]
mod tests;
