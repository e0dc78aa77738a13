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
