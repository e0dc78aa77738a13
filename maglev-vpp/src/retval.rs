//! Pure. What VPP's return values mean.

use std::fmt;

/// A return value other than 0. (`src/vnet/error.h`; the wording for `lb` follows `src/plugins/lb/lb.c`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retval(pub i32);

impl Retval {
    /// No such VIP or server, or the server has been removed.
    pub const NO_SUCH_ENTRY: Retval = Retval(-6);
    /// A length is not a power of two.
    pub const INVALID_MEMORY_SIZE: Retval = Retval(-70);
    /// Another VIP on the same prefix has another encapsulation.
    pub const INVALID_ARGUMENT: Retval = Retval(-73);
    /// It is there already.
    pub const VALUE_EXIST: Retval = Retval(-81);
    /// The encapsulation cannot carry that address family.
    pub const INVALID_ADDRESS_FAMILY: Retval = Retval(-97);

    /// VPP's name for it and what it says about a request to the `lb` plugin.
    fn meaning(self) -> Option<(&'static str, &'static str)> {
        Some(match self.0 {
            -1 => ("UNSPECIFIED", "VPP gives no reason"),
            -3 => ("NO_SUCH_FIB", "there is no such routing table"),
            -6 => ("NO_SUCH_ENTRY", "there is no such VIP, server or route"),
            -7 => ("INVALID_VALUE", "a value is out of range"),
            -9 => ("UNIMPLEMENTED", "this VPP cannot do it"),
            -70 => ("INVALID_MEMORY_SIZE", "a table length is not a power of two"),
            -73 => (
                "INVALID_ARGUMENT",
                "another VIP on this prefix has another encapsulation; all VIPs on one prefix need servers of one address family",
            ),
            -81 => (
                "VALUE_EXIST",
                "it exists already, or its prefix mixes one VIP for all ports with VIPs for single ones",
            ),
            -97 => ("INVALID_ADDRESS_FAMILY", "the address is not of the family its encapsulation carries"),
            _ => return None,
        })
    }
}

impl fmt::Display for Retval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some((name, meaning)) => write!(f, "{} ({name}): {meaning}", self.0),
            None => write!(f, "{}, a code src/vnet/error.h of this VPP explains", self.0),
        }
    }
}
