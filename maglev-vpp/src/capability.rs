//! Pure. What a VPP can be used for, read off its message table.

use std::fmt;

use crate::message::Message;
use crate::message::control::{CliInband, CliInbandReply};
use crate::message::lb::{
    LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply,
    LbAsV2Details, LbAsV2Dump, LbConf, LbConfGet, LbConfGetReply, LbConfReply, LbFlushVip, LbFlushVipReply,
    LbVipDetails, LbVipDump,
};
use crate::message::plain_name;
use crate::message::route::{IpRouteLookup, IpRouteLookupReply};
use crate::wire::MessageTable;

/// What the `lb` API needs. `lb_conf_get` is the mark of a plugin that works: it came with the fixes.
const LB: [&str; 16] = [
    LbConfGet::NAME_CRC,
    LbConfGetReply::NAME_CRC,
    LbConf::NAME_CRC,
    LbConfReply::NAME_CRC,
    LbVipDump::NAME_CRC,
    LbVipDetails::NAME_CRC,
    LbAsV2Dump::NAME_CRC,
    LbAsV2Details::NAME_CRC,
    LbAddDelVipV2::NAME_CRC,
    LbAddDelVipV2Reply::NAME_CRC,
    LbAddDelAsV2::NAME_CRC,
    LbAddDelAsV2Reply::NAME_CRC,
    LbAsSetWeight::NAME_CRC,
    LbAsSetWeightReply::NAME_CRC,
    LbFlushVip::NAME_CRC,
    LbFlushVipReply::NAME_CRC,
];

/// What reading stickiness and table lengths needs.
const CLI: [&str; 2] = [CliInband::NAME_CRC, CliInbandReply::NAME_CRC];

/// What a VPP can be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether its load balancer can be programmed, or why not.
    pub lb: Result<(), Unsupported>,
    /// Whether it tells where a VIP's packets and bytes are counted (`ip_route_lookup`).
    pub route_counters: bool,
}

/// This VPP's load balancer cannot be programmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The version VPP gave.
    pub version: String,
    /// Messages it lacks, without CRC.
    pub missing: Vec<&'static str>,
    /// Why that is.
    pub reason: UnsupportedReason,
}

/// Why a VPP's load balancer cannot be programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedReason {
    /// The `lb` plugin is not loaded.
    NoPlugin,
    /// VPP is from before the plugin's API was mended.
    TooOld,
    /// VPP has the messages, but in layouts this client does not speak.
    OtherLayout,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unsupported { version, missing, reason } = self;
        let missing = missing.join(", ");
        match reason {
            UnsupportedReason::NoPlugin => write!(
                f,
                "VPP {version} runs without its lb plugin, so there is no load balancer to program; \
                 enable lb_plugin.so in the plugins section of its startup.conf"
            ),
            UnsupportedReason::TooOld => write!(
                f,
                "VPP {version} is too old to be programmed: its lb plugin lacks {missing}, and the older messages it has \
                 misread IPv4 prefixes; VPP 26.10 or later is needed"
            ),
            UnsupportedReason::OtherLayout => write!(
                f,
                "VPP {version} has another layout of {missing} than this program speaks; \
                 a version of this program made for that VPP is needed"
            ),
        }
    }
}

impl std::error::Error for Unsupported {}

impl Capabilities {
    /// What the VPP with this message table and version can be used for.
    pub fn of(table: &MessageTable, version: &str) -> Capabilities {
        let has = |names: &[&str]| names.iter().all(|name_crc| table.id(name_crc).is_some());
        Capabilities {
            lb: check(table, version),
            route_counters: has(&[IpRouteLookup::NAME_CRC, IpRouteLookupReply::NAME_CRC]),
        }
    }
}

fn check(table: &MessageTable, version: &str) -> Result<(), Unsupported> {
    let absent: Vec<&'static str> =
        LB.into_iter().chain(CLI).filter(|name_crc| table.id(name_crc).is_none()).map(plain_name).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let unknown: Vec<&'static str> = absent.iter().copied().filter(|name| !table.has_name(name)).collect();
    let (reason, missing) = if !table.has_prefix("lb_") {
        (UnsupportedReason::NoPlugin, absent)
    } else if !unknown.is_empty() {
        (UnsupportedReason::TooOld, requests_only(unknown))
    } else {
        (UnsupportedReason::OtherLayout, absent)
    };
    Err(Unsupported { version: version.to_owned(), missing, reason })
}

/// Replies and details go without saying where the request itself is missing.
fn requests_only(names: Vec<&'static str>) -> Vec<&'static str> {
    let requests: Vec<_> = names
        .iter()
        .copied()
        .filter(|name| !name.ends_with("_reply") && !name.ends_with("_details"))
        .collect();
    if requests.is_empty() { names } else { requests }
}

#[cfg(test)]
mod tests;
