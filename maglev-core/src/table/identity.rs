//! Pure. What tells backends apart, the same on every machine.

use std::net::{IpAddr, SocketAddr};

use twox_hash::XxHash64;

use crate::names::BackendName;

#[cfg(test)]
mod tests;

/// Something a backend is known by, with a hash that never changes.
///
/// The hash is XXH64 of the bytes below, so that any other program can build the same table:
///
/// | type | bytes |
/// |---|---|
/// | text, [`BackendName`] | its UTF-8, no terminator |
/// | [`IpAddr`] | 16, IPv4 in its mapped form `::ffff:a.b.c.d` |
/// | [`SocketAddr`] | those 16 and the port, most significant byte first |
///
/// The order of `Ord` decides who has the first turn, so it must not depend on the machine either.
pub trait Identity: Ord {
    /// XXH64 of the identity's bytes under `seed`.
    fn stable_hash(&self, seed: u64) -> u64;
}

impl Identity for str {
    fn stable_hash(&self, seed: u64) -> u64 {
        XxHash64::oneshot(seed, self.as_bytes())
    }
}

impl Identity for String {
    fn stable_hash(&self, seed: u64) -> u64 {
        self.as_str().stable_hash(seed)
    }
}

impl Identity for BackendName {
    fn stable_hash(&self, seed: u64) -> u64 {
        self.as_str().stable_hash(seed)
    }
}

impl Identity for IpAddr {
    fn stable_hash(&self, seed: u64) -> u64 {
        XxHash64::oneshot(seed, &mapped(*self))
    }
}

impl Identity for SocketAddr {
    fn stable_hash(&self, seed: u64) -> u64 {
        let mut bytes = [0; 18];
        bytes[..16].copy_from_slice(&mapped(self.ip()));
        bytes[16..].copy_from_slice(&self.port().to_be_bytes());
        XxHash64::oneshot(seed, &bytes)
    }
}

impl<T: Identity + ?Sized> Identity for &T {
    fn stable_hash(&self, seed: u64) -> u64 {
        (**self).stable_hash(seed)
    }
}

fn mapped(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
