//! Pure. The field types of messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Buf, BufMut, Bytes, BytesMut, TryGetError};
use ipnet::IpNet;

/// A payload that is not the message it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends inside a field.
    #[error("it ends {missing} bytes too early")]
    Truncated {
        /// Bytes the field still needed.
        missing: usize,
    },
    /// An address is neither IPv4 (0) nor IPv6 (1).
    #[error("{0} is not an address family")]
    AddressFamily(u8),
    /// A prefix is longer than its address.
    #[error("{0} is not a prefix length of its address family")]
    PrefixLength(u8),
    /// Text is not UTF-8.
    #[error("its text is not UTF-8")]
    Text,
}

impl From<TryGetError> for DecodeError {
    fn from(error: TryGetError) -> DecodeError {
        DecodeError::Truncated { missing: error.requested.saturating_sub(error.available) }
    }
}

/// A type that can stand in a message.
pub trait Field: Sized {
    /// Appends the field.
    fn put(&self, out: &mut BytesMut);

    /// Takes the field off the front of `input`.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not such a field. How much of `input` is gone then is not said.
    fn take(input: &mut &[u8]) -> Result<Self, DecodeError>;
}

macro_rules! integer_field {
    ($($type:ty, $put:ident, $take:ident;)*) => {$(
        impl Field for $type {
            fn put(&self, out: &mut BytesMut) {
                out.$put(*self);
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                Ok(input.$take()?)
            }
        }
    )*};
}

integer_field! {
    u8, put_u8, try_get_u8;
    u16, put_u16, try_get_u16;
    u32, put_u32, try_get_u32;
    i32, put_i32, try_get_i32;
}

/// One byte; anything but 0 is true, as in C.
impl Field for bool {
    fn put(&self, out: &mut BytesMut) {
        out.put_u8(u8::from(*self));
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(input.try_get_u8()? != 0)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(self);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let mut bytes = [0; N];
        input.try_copy_to_slice(&mut bytes)?;
        Ok(bytes)
    }
}

/// `vl_api_address_t`: a family and 16 bytes, of which IPv4 uses the first four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub IpAddr);

/// `ADDRESS_IP4` of `ip_types.api`.
const ADDRESS_IP4: u8 = 0;
/// `ADDRESS_IP6` of `ip_types.api`.
const ADDRESS_IP6: u8 = 1;

impl Address {
    /// The address a request carries when it has none to give.
    pub const UNSPECIFIED: Address = Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// The 16 bytes as they stand on the wire.
    pub fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(v4) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&v4.octets());
                bytes
            }
            IpAddr::V6(v6) => v6.octets(),
        }
    }
}

impl Field for Address {
    fn put(&self, out: &mut BytesMut) {
        out.put_u8(if self.0.is_ipv4() { ADDRESS_IP4 } else { ADDRESS_IP6 });
        out.put_slice(&self.octets());
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let family = u8::take(input)?;
        let bytes = <[u8; 16]>::take(input)?;
        match family {
            ADDRESS_IP4 => Ok(Address(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into())),
            ADDRESS_IP6 => Ok(Address(Ipv6Addr::from(bytes).into())),
            other => Err(DecodeError::AddressFamily(other)),
        }
    }
}

/// `vl_api_address_with_prefix_t` and `vl_api_prefix_t`: an address and a length, host bits as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Any address in the prefix.
    pub address: IpAddr,
    /// Its length in bits, of the address's own family.
    pub length: u8,
}

impl Prefix {
    /// What a dump of everything carries.
    pub const UNSPECIFIED: Prefix = Prefix { address: Address::UNSPECIFIED.0, length: 0 };

    /// The prefix with its host bits cleared.
    ///
    /// # Errors
    /// [`DecodeError::PrefixLength`] if it is longer than the address.
    pub fn net(self) -> Result<IpNet, DecodeError> {
        IpNet::new(self.address, self.length)
            .map(|net| net.trunc())
            .map_err(|_| DecodeError::PrefixLength(self.length))
    }
}

impl From<IpNet> for Prefix {
    fn from(net: IpNet) -> Prefix {
        Prefix { address: net.addr(), length: net.prefix_len() }
    }
}

impl Field for Prefix {
    fn put(&self, out: &mut BytesMut) {
        Address(self.address).put(out);
        out.put_u8(self.length);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Prefix { address: Address::take(input)?.0, length: u8::take(input)? })
    }
}

/// `string x[N]`: text in a field of fixed size, ended by a NUL or by the field's end.
///
/// Bytes that are not UTF-8 become U+FFFD: these fields are names and dates, made to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FixedText<const N: usize>(pub String);

impl<const N: usize> Field for FixedText<N> {
    /// Text that does not fit is cut so that a final NUL remains.
    fn put(&self, out: &mut BytesMut) {
        let mut bytes = [0; N];
        let length = self.0.floor_char_boundary(N.saturating_sub(1));
        bytes[..length].copy_from_slice(&self.0.as_bytes()[..length]);
        out.put_slice(&bytes);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let bytes = <[u8; N]>::take(input)?;
        let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(N);
        Ok(FixedText(String::from_utf8_lossy(&bytes[..length]).into_owned()))
    }
}

/// `string x[]`: text with its length before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl Field for Text {
    fn put(&self, out: &mut BytesMut) {
        out.put_u32(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        out.put_slice(self.0.as_bytes());
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = u32::take(input)? as usize;
        let Some((text, rest)) = input.split_at_checked(length) else {
            return Err(DecodeError::Truncated { missing: length - input.len() });
        };
        *input = rest;
        std::str::from_utf8(text).map(|text| Text(text.to_owned())).map_err(|_| DecodeError::Text)
    }
}

/// Whatever is left of a message: for parts nobody here needs to take apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tail(pub Bytes);

impl Field for Tail {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(&self.0);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Tail(Bytes::copy_from_slice(std::mem::take(input))))
    }
}

#[cfg(test)]
mod tests;
