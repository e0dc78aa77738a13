//! Pure. Addresses as VPP holds them: 16 bytes, IPv4 in the last four with the others zero. (`ip46_address.h`,
//! `plugins/lb/util.c`.)
//!
//! So `::192.0.2.1` and `192.0.2.1` are the same to the plugin, and the simulation keeps that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::{Address, Prefix};

/// An address of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ip46(pub(super) [u8; 16]);

impl From<IpAddr> for Ip46 {
    fn from(address: IpAddr) -> Ip46 {
        match address {
            IpAddr::V4(v4) => {
                let mut bytes = [0; 16];
                bytes[12..].copy_from_slice(&v4.octets());
                Ip46(bytes)
            }
            IpAddr::V6(v6) => Ip46(v6.octets()),
        }
    }
}

impl Ip46 {
    pub(super) fn is_ipv4(self) -> bool {
        self.0[..12] == [0; 12]
    }

    pub(super) fn address(self) -> IpAddr {
        if self.is_ipv4() {
            let [.., a, b, c, d] = self.0;
            Ipv4Addr::new(a, b, c, d).into()
        } else {
            Ipv6Addr::from(self.0).into()
        }
    }

    pub(super) fn wire(self) -> Address {
        Address(self.address())
    }
}

/// A prefix; an IPv4 one is 96 bits longer here than people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Prefix46 {
    pub(super) address: Ip46,
    pub(super) length: u8,
}

impl From<Prefix> for Prefix46 {
    fn from(prefix: Prefix) -> Prefix46 {
        let longer = if prefix.address.is_ipv4() { 96 } else { 0 };
        Prefix46 { address: prefix.address.into(), length: prefix.length.wrapping_add(longer) }.truncated()
    }
}

impl Prefix46 {
    fn truncated(self) -> Prefix46 {
        let kept = u32::from(self.length.min(128));
        let mask = u128::MAX.checked_shl(128 - kept).unwrap_or(0);
        let bits = u128::from_be_bytes(self.address.0) & mask;
        Prefix46 { address: Ip46(bits.to_be_bytes()), ..self }
    }

    pub(super) fn is_ipv4(self) -> bool {
        self.length >= 96 && self.address.is_ipv4()
    }

    pub(super) fn wire(self) -> Prefix {
        let length = if self.is_ipv4() { self.length - 96 } else { self.length };
        Prefix { address: self.address.address(), length }
    }

    /// Whether a dump's filter names this prefix: VPP compares the bytes of the message with its own, and those of an
    /// IPv4 address stand at the other end.
    pub(super) fn matches_filter(self, filter: Prefix) -> bool {
        Address(filter.address).octets() == self.address.0
    }
}

impl std::fmt::Display for Prefix46 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Prefix { address, length } = self.wire();
        write!(f, "{address}/{length}")
    }
}
