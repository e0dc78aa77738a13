//! Edge. Answers that are encoded once and sent to many.
//!
//! tonic encodes a message for each call. Large answers are encoded elsewhere, once for all who ask at the same time: the
//! service returns an empty message with an [`Answer`] beside it, and [`send`] puts its bytes in place of the body.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Frame;
use prost::Message;
use tonic::body::Body;
use tonic::{Response, Status};

use crate::answers::{Answer, NoAnswer, holding};
use crate::places::{Call, Desk};

/// The bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A message as it is sent, with its prefix.
pub(super) fn framed(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; PREFIX];
    encode(&mut bytes);
    // No answer comes near the four gigabytes that fit.
    let length = u32::try_from(bytes.len() - PREFIX).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(prefix) = bytes.get_mut(1..PREFIX) {
        prefix.copy_from_slice(&length);
    }
    // It may be kept for a while, and growing has left up to half of it unused.
    bytes.shrink_to_fit();
    bytes
}

/// The same of one message.
pub(super) fn message(message: &impl Message) -> Vec<u8> {
    framed(|bytes| message.encode_raw(bytes))
}

/// The same of a message that is only a list, whose field has the number 1. Its items are made and encoded one by one.
pub(super) fn list<M: Message>(items: impl Iterator<Item = M>) -> Vec<u8> {
    framed(|bytes| items.for_each(|item| prost::encoding::message::encode(1, &item, bytes)))
}

/// A response with the bytes of `answer`.
pub(super) fn response<M: Default>(answer: Answer) -> Response<M> {
    let mut response = Response::new(M::default());
    response.extensions_mut().insert(answer);
    response
}

/// A response whose call is over once its bytes have been sent or given up.
pub(super) fn send(mut response: http::Response<Body>, call: Call, desk: &Desk) -> http::Response<Body> {
    let Some(answer) = response.extensions_mut().remove::<Answer>() else {
        let call = std::sync::Arc::new(call);
        return response.map(|body| {
            let body = body.map_frame(move |frame| frame.map_data(|data| holding(data, call.clone())));
            Body::new(body)
        });
    };
    let unread = answer.give(desk.clone());
    let bytes = holding(answer.bytes().clone(), (call, unread));
    response.map(|_| Body::new(Whole { bytes: Some(bytes), ended: false }))
}

/// One whole message and the trailers of a call that went well.
struct Whole {
    bytes: Option<Bytes>,
    ended: bool,
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(match self.bytes.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None if self.ended => None,
            None => {
                self.ended = true;
                let mut trailers = HeaderMap::new();
                trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
                Some(Ok(Frame::trailers(trailers)))
            }
        })
    }
}

impl From<NoAnswer> for Status {
    fn from(error: NoAnswer) -> Self {
        let words = error.to_string();
        match error {
            NoAnswer::Busy | NoAnswer::NoRoom(_) => Status::resource_exhausted(words),
            NoAnswer::Bug => Status::internal(words),
            NoAnswer::Stopped(_) => Status::unavailable(words),
        }
    }
}

#[cfg(test)]
mod tests;
