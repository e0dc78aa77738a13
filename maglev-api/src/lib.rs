//! Edge. The gRPC contract of `maglevd`: messages, client and server traits, generated from `maglev.proto`.
//!
//! ```no_run
//! use maglev_api::v1::ListBackendsRequest;
//! use maglev_api::v1::maglev_client::MaglevClient;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = MaglevClient::connect("http://localhost:9090").await?;
//! for backend in client.list_backends(ListBackendsRequest {}).await?.into_inner().backends {
//!     println!("{} {} {:?}", backend.name, backend.address, backend.state());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! `client` and `server`, both on by default, bring the one or the other; without both there are the messages alone.

/// Version 1 of the contract.
pub mod v1 {
    #![expect(missing_docs, reason = "the generator documents messages, not its own helpers")]
    #![allow(
        clippy::all,
        clippy::allow_attributes_without_reason,
        rust_2018_idioms,
        unreachable_pub,
        reason = "generated code"
    )]

    tonic::include_proto!("maglev.v1");

    /// The compiled descriptors, with comments, for the reflection service.
    pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("maglev_descriptor");
}

/// The metadata of a refused change that says which frontends it would leave without a server: an encoded
/// [`v1::WouldEmpty`].
pub const WOULD_EMPTY: &str = "maglev-would-empty-bin";

/// The most bytes of it. It travels with the sentence in the headers of the answer, for which clients take 8 KiB or more.
const WOULD_EMPTY_LIMIT: usize = 2048;

/// Attaches the frontends that a refused change would leave without a server. More than fit are left out altogether, so
/// that a client never takes a part for the whole.
pub fn attach_would_empty(status: &mut tonic::Status, frontends: Vec<String>) {
    let bytes = prost::Message::encode_to_vec(&v1::WouldEmpty { frontends });
    if bytes.len() <= WOULD_EMPTY_LIMIT {
        status.metadata_mut().insert_bin(WOULD_EMPTY, tonic::metadata::MetadataValue::from_bytes(&bytes));
    }
}

/// The frontends that a refused change would leave without a server; `None` where the refusal is about something else, or
/// does not list them.
pub fn would_empty(status: &tonic::Status) -> Option<Vec<String>> {
    let bytes = status.metadata().get_bin(WOULD_EMPTY)?.to_bytes().ok()?;
    let message: v1::WouldEmpty = prost::Message::decode(bytes).ok()?;
    Some(message.frontends).filter(|frontends| !frontends.is_empty())
}

#[cfg(test)]
mod tests;
