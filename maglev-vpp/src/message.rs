//! Pure. Typed messages.
//!
//! One struct a message, its fields in the order and under the meaning of VPP's `.api` files. A struct is tied to one
//! layout by the CRC in [`Message::NAME_CRC`]; what a running VPP has is looked up in its
//! [`MessageTable`](crate::wire::MessageTable). What every request begins with (client index, context) and every reply
//! (context) is not part of the structs: the connection puts it there and reads it.

use bytes::BytesMut;

use crate::wire::DecodeError;

pub mod control;
pub mod lb;
pub mod route;

/// A message in one layout.
pub trait Message: Sized {
    /// Its name and the CRC of its layout, as in VPP's message table: `lb_conf_get_51077d14`.
    const NAME_CRC: &'static str;

    /// Appends the fields.
    fn put(&self, out: &mut BytesMut);

    /// Reads the fields. Bytes after the last one are ignored.
    ///
    /// # Errors
    /// [`DecodeError`] if `body` ends too early or holds impossible values.
    fn read(body: &[u8]) -> Result<Self, DecodeError>;

    /// Its name without the CRC.
    fn name() -> &'static str {
        plain_name(Self::NAME_CRC)
    }
}

/// The name without the CRC that follows it.
pub fn plain_name(name_crc: &'static str) -> &'static str {
    name_crc.rsplit_once('_').map_or(name_crc, |(name, _)| name)
}

/// A message VPP answers with exactly one other.
pub trait Request: Message {
    /// The answer.
    type Reply: Reply;
}

/// An answer. Its first field is `i32 retval`: 0, or why VPP refused.
pub trait Reply: Message {}

/// A message VPP answers with any number of others and no end marker: a `control_ping` sent right behind it tells where
/// they end.
pub trait Dump: Message {
    /// What comes back, once for each object.
    type Details: Message;
}

/// Declares messages: name with CRC, then the fields in wire order.
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $type:ident = $name_crc:literal {
            $( $(#[$field_doc:meta])* $field:ident: $field_type:ty, )*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type {
            $( $(#[$field_doc])* pub $field: $field_type, )*
        }

        impl $crate::message::Message for $type {
            const NAME_CRC: &'static str = $name_crc;

            #[allow(unused_variables, reason = "a message may have no fields")]
            fn put(&self, out: &mut bytes::BytesMut) {
                $( $crate::wire::Field::put(&self.$field, out); )*
            }

            #[allow(unused_mut, unused_variables, reason = "a message may have no fields")]
            fn read(mut body: &[u8]) -> Result<Self, $crate::wire::DecodeError> {
                $( let $field = $crate::wire::Field::take(&mut body)?; )*
                Ok($type { $($field),* })
            }
        }
    )*};
}

/// Declares replies that carry a return value and nothing else, each with the request it answers.
macro_rules! plain_replies {
    ($( $request:ident => $type:ident = $name_crc:literal; )*) => {$(
        $crate::message::messages! {
            #[doc = concat!("The answer to [`", stringify!($request), "`].")]
            $type = $name_crc {
                /// 0, or why VPP refused.
                retval: i32,
            }
        }

        impl $crate::message::Reply for $type {}

        impl $crate::message::Request for $request {
            type Reply = $type;
        }
    )*};
}

pub(crate) use {messages, plain_replies};

#[cfg(test)]
mod tests;
