//! Edge. Calls by their path, with requests as bytes: for tests that try every call there is.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// For one call, or the first message of a stream.
const CALL: Duration = Duration::from_secs(15);

/// A call there is.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its path, such as `/maglev.v1.Maglev/GetVersion`.
    pub path: String,
    /// The client may send many messages.
    pub streams_in: bool,
    /// The server may send many messages.
    pub streams_out: bool,
}

impl Call {
    /// Every call of the services that the daemon serves, in the order of their proto files.
    pub fn all() -> Vec<Call> {
        let sets = [
            maglev_api::v1::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let call = |method: MethodDescriptor| Call {
            path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
            streams_in: method.is_client_streaming(),
            streams_out: method.is_server_streaming(),
        };
        let pools = sets.map(|set| DescriptorPool::decode(set).expect("descriptors"));
        let services = pools.iter().flat_map(DescriptorPool::services);
        services.flat_map(|service| service.methods().map(call).collect::<Vec<_>>()).collect()
    }

    /// Its name, with its service where that is not the daemon's own.
    pub fn name(&self) -> &str {
        let path = self.path.trim_start_matches('/');
        path.strip_prefix("maglev.v1.Maglev/").unwrap_or(path)
    }

    /// Makes it with a message and a token, and returns whether it was answered.
    pub async fn make(&self, channel: Channel, token: Option<&str>, message: Vec<u8>) -> Result<(), Status> {
        let path = PathAndQuery::try_from(self.path.clone()).expect("a path");
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let made = async {
            if self.streams_in {
                let request = with_token(tokio_stream::once(Bytes::from(message)), token);
                let mut answers = grpc.streaming(request, path, Plain).await?.into_inner();
                answers.message().await?;
            } else if self.streams_out {
                let request = with_token(Bytes::from(message), token);
                let mut answers = grpc.server_streaming(request, path, Plain).await?.into_inner();
                answers.message().await?;
            } else {
                grpc.unary(with_token(Bytes::from(message), token), path, Plain).await?;
            }
            Ok(())
        };
        tokio::time::timeout(CALL, made).await.unwrap_or_else(|_| Err(Status::cancelled("no answer in time")))
    }
}

fn with_token<T>(message: T, token: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("a token");
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Messages as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Plain;
    type Decoder = Plain;

    fn encoder(&mut self) -> Plain {
        Plain
    }

    fn decoder(&mut self) -> Plain {
        Plain
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let all = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(all)))
    }
}
